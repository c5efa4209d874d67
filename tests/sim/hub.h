/* hub.h -- the model of a hub: states by key, and a feed that is numbered after the commit. What the SQL of
 * src/sync/hub_*.c means, thought anew: one state a key and a join, no tables and no triggers. */
#ifndef KECS_TESTS_SIM_HUB_H
#define KECS_TESTS_SIM_HUB_H
#include "sim.h"

/* A key's state. A dead one is kept: it is the key's tombstone. */
typedef struct hub_row {
  int kind;
  char *key;
  bool alive;
  int64_t rid; /* of the row, or of the last one */
  int64_t stamp[KECS_REPLICA_STAMPS];
  int64_t site[KECS_REPLICA_STAMPS];
  char **values; /* as many as the kind has columns; NULL where they do not travel, or are NULL */
} hub_row;

typedef struct hub_entry {
  int64_t seq; /* 0: not numbered yet */
  int batch;
  int kind;
  int64_t rid;
  int64_t from; /* the site that brought it; 0: this hub */
  int groups;   /* that were written, as the log's: 1 the life, 2 spec, 4 status, 8 else */
  bool birth;   /* of a row that was not there */
  bool death;
  char *key; /* of a death, with its stamp */
  int64_t stamp;
  int64_t site;
} hub_entry;

typedef struct hub_batch {
  int64_t seq; /* of its last entry */
  char id[KECS_SYNC__ID_SIZE];
} hub_batch;

typedef struct hub_refused {
  int kind;
  char *key;
  char code[6];
} hub_refused;

typedef struct hub_site {
  int64_t number;
  char name[48];
  char push[KECS_SYNC__ID_SIZE];
  int64_t pushes;
  int64_t acked;
  hub_refused *refused;
  int refused_count;
} hub_site;

/* How far a family's revisions were given out. */
typedef struct hub_family {
  char *name[3]; /* account, region, family */
  int64_t last;
} hub_family;

/* A row of a kind that only grows. */
typedef struct hub_line {
  int kind;
  char *key;
} hub_line;

/* What has lost at the hub, in its log of conflicts. */
typedef struct hub_note {
  int kind;
  char *key;
  const char *reason;
  int groups;
  int64_t kept_site;
  int64_t lost_site;
} hub_note;

enum { HUB_SITES = 64, HUB_BUCKETS = 1024 };

struct sim_hub {
  char id[KECS_SYNC__ID_SIZE];
  hub_row *rows;
  int row_count;
  hub_entry *entries; /* numbered ones first, by their number */
  int entry_count;
  hub_batch *batches;
  int batch_count;
  int batch;  /* that is being written */
  int names;  /* that were given to batches */
  int losses; /* how often it went back */
  int64_t head;
  int64_t floor;
  int64_t changed_us; /* when its history was found to be another one */
  int64_t clock;
  int64_t rids[KECS_KIND_COUNT];
  int64_t from; /* the site whose push is done */
  hub_family *families;
  int family_count;
  hub_line *lines;
  int line_count;
  hub_note *notes;
  int note_count;
  hub_site sites[HUB_SITES];
  int site_count;
};

hub_row *hub_find(sim_hub *hub, int kind, const char *key);
hub_site *hub_site_named(sim_hub *hub, const char *name);
hub_site *hub_site_numbered(sim_hub *hub, int64_t number); /* NULL: there is none */

/* One that greets under a name and, where it has one, a number; NULL where there is no room. */
hub_site *hub_site_greets(sim_hub *hub, const char *name, int64_t number);

int64_t hub_wall(int64_t now_us);
int64_t hub_stamp(sim_hub *hub, int64_t now_us);

/* Numbers what is committed, batch by batch. */
void hub_number(sim_hub *hub);

/* The name of the batch that an entry is in: "" where there is none. */
const char *hub_batch_at(const sim_hub *hub, int64_t seq);

/* A row as it was sent; `values` are taken over. What becomes of it: NULL or a SQLSTATE. */
const char *hub_put(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, char **values);

/* hub_kinds.c: what is special to kinds. Whether a definition's number was given by somebody whom the site has not
 * seen; how far a family has come; rows that are in the way of others of the same push, moved aside. */
/* Whether there is no row of which a part of it could be. */
bool hub_lacks(sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t site);
bool hub_claimed(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, int64_t me,
                 int64_t since);
void hub_family_raise(sim_hub *hub, const char *account, const char *region, const char *family, int64_t revision);
void hub_families_of(sim_hub *hub, const kecs_kind_info *info, char **values);
void hub_family_of_key(sim_hub *hub, int kind, const char *key);
bool hub_swaps(const kecs_kind_info *info);
/* The row of its kind that has the number which `values` want; NULL: nobody, or the row itself. */
const hub_row *hub_holder(sim_hub *hub, int kind, const char *key, char **values);
void hub_aside(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, char **values);

/* Removes the feed up to a number, and the tombstones that are in it; they are added to `gone`. */
void hub_compact(sim_hub *hub, int64_t upto, sim_states *gone);

/* Puts `copy` in the place of what the hub has, and frees that. */
void hub_restore(sim_hub *hub, sim_hub *copy);

/* A deletion as it was sent, with all that goes with the row; `noted`: what goes along is in the log of conflicts. */
void hub_bury(sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t site, int64_t now_us, bool noted);

/* hub_notes.c: what the hub's log of conflicts gets of a row, or a deletion, before it is merged. `since` is how far
 * the site has read. */
void hub_note_put(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, int mask,
                  int64_t me, int64_t since);
void hub_note_bury(sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t me, int64_t since);
void hub_note_add(sim_hub *hub, int kind, const char *key, const char *reason, int groups, int64_t kept_site,
                  int64_t lost_site);
void hub_notes_free(sim_hub *hub);
void hub_notes_copy(sim_hub *copy, const sim_hub *hub);

/* There once, however often it comes. */
void hub_append(sim_hub *hub, int kind, const char *key);

/* What others write at the hub itself: one column of a row; the end of one. */
void hub_change(sim_hub *hub, int kind, const char *key, int column, const char *value, int64_t now_us);
void hub_erase(sim_hub *hub, int kind, const char *key, int64_t now_us);

/* hub_kinds.c: a key's bucket, and the sums of the buckets of a kind; -1: it has no rows. */
int hub_bucket(const char *key);
void hub_digest(const sim_hub *hub, int kind, int64_t sums[HUB_BUCKETS]);

void hub_refuse(hub_site *site, int kind, const char *key, const char *code);
void hub_forget_refused(hub_site *site);

#endif
