/* sim.h -- what the parts of the simulation share: chance, the disk, the hub's model, the world, its checks.
 *
 * A seed makes a world: some edges, which are the real library on a disk in memory, and a hub, which is a model of what
 * the hub's SQL means, or the SQL itself in a real PostgreSQL. docs/sync.md 16 tells what is tried and checked. */
#ifndef KECS_TESTS_SIM_H
#define KECS_TESTS_SIM_H
#include "base/prologue.h"
#include "pg/prologue.h"

#include "sqlite/sqlite_header.h"
#include "sync/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIM_EDGES = 8, SIM_PUSHES = 64, SIM_TEXT = 512 };

/* Kinds of faults, as bits: what a world may do. */
enum {
  SIM_LINK = 1,        /* requests and answers are lost, come late, come twice */
  SIM_CRASH = 2,       /* edges are killed, and their power is cut, at any write */
  SIM_PARTITION = 4,   /* edges are away for a while */
  SIM_SKEW = 8,        /* clocks are wrong, and jump */
  SIM_HUB_WRITES = 16, /* others write at the hub */
  SIM_COMPACT = 32,    /* edges compact their logs */
  SIM_SHELL = 64,      /* other programs write to the edges' files */
  SIM_HUB_LOSS = 128,  /* the hub goes back in its history */
  SIM_RESTORE = 256,   /* edges' files are restored from copies, and cloned */
  SIM_ABSENCE = 512,   /* the hub compacts its log while edges are away */
  SIM_FIRST = SIM_LINK | SIM_CRASH | SIM_PARTITION | SIM_SKEW | SIM_HUB_WRITES | SIM_COMPACT | SIM_SHELL,
  SIM_GROWS = 1024, /* events and lines of logs are written, too */
  SIM_BUILT = SIM_FIRST | SIM_HUB_LOSS | SIM_RESTORE | SIM_ABSENCE | SIM_GROWS,
  SIM_ON_POSTGRES = SIM_FIRST | SIM_RESTORE | SIM_GROWS /* the rest is done to the model alone */
};

/* ---- chance (chance.c) ---- */

typedef struct sim_chance {
  uint64_t state;
} sim_chance;

uint64_t sim_draw(sim_chance *chance);
int sim_below(sim_chance *chance, int count);
bool sim_percent(sim_chance *chance, int percent);

/* Memory that is there: the program ends without. */
void *sim_alloc(size_t size);
void *sim_grow(void *pointer, size_t size);
char *sim_copy(const char *text);

/* ---- the disk (disk.c) ---- */

/* Makes files in memory the default of SQLite. */
void sim_disk_register(void);

/* What the file system tells as the time. */
extern int64_t sim_disk_now_us;

/* After `writes` more writes to files whose names begin with `name`, none takes place any more. 0: none from now on. */
void sim_disk_kill(const char *name, int writes);
bool sim_disk_killed(const char *name);
bool sim_disk_armed(const char *name); /* or is to be */

/* The machine starts again: with `power_cut` all is gone that was not synced. */
void sim_disk_revive(const char *name, bool power_cut);

/* Copies a file and its log, as a backup by hand does while nobody has it open. */
void sim_disk_copy(const char *from, const char *to);
void sim_disk_remove(const char *name);
void sim_disk_clear(void);

/* ---- states (states.c) ---- */

/* All that somebody knows of a natural key. */
typedef struct sim_state {
  int kind;
  bool dead;
  char *key;
  int64_t stamp[KECS_REPLICA_STAMPS];
  int64_t site[KECS_REPLICA_STAMPS]; /* numbers; never KECS_REPLICA_HERE */
  char *values;                      /* those that travel, as one text; NULL: not looked at */
} sim_state;

typedef struct sim_states {
  sim_state *list;
  size_t count;
  size_t room;
} sim_states;

/* Takes over `key` and `values`. */
sim_state *sim_states_add(sim_states *states, int kind, char *key, char *values);
void sim_states_sort(sim_states *states);
sim_state *sim_states_find(const sim_states *states, int kind, const char *key); /* of sorted ones */
void sim_states_free(sim_states *states);

int sim_stamp_order(int64_t stamp, int64_t site, int64_t other, int64_t other_site);

/* Whether `a` is at least `b`: joining them gives `a`. */
bool sim_state_covers(const sim_state *a, const sim_state *b);
void sim_state_text(const sim_state *state, char *out, size_t size);

/* What an edge has, with its latest tombstones where `graves`; and the hub, where it is the model. */
struct sim_edge;
bool sim_edge_read(struct sim_edge *edge, bool graves, sim_states *out);

/* The keys of the kinds that only grow. */
void sim_edge_grown(struct sim_edge *edge, sim_states *out);

/* What was made ready to read the edge's rows, which must go before its connections do. */
void sim_edge_forget(struct sim_edge *edge);

/* Another number after each change, while the store is open. */
int64_t sim_edge_version(struct sim_edge *edge);

/* A number from the edge's file; -1 where the statement fails. */
int64_t sim_edge_ask(struct sim_edge *edge, const char *sql);

/* ---- the hub's model (hub.c, hub_calls.c) ---- */

typedef struct sim_hub sim_hub;
sim_hub *sim_hub_new(void);
sim_hub *sim_hub_copy(const sim_hub *hub);
void sim_hub_free(sim_hub *hub);

/* Becomes what it was; frees `earlier`. */
void sim_hub_go_back(sim_hub *hub, sim_hub *earlier);

/* Collects `percent` of the feed, and adds the tombstones in it to `gone`. */
void sim_hub_collect(sim_hub *hub, int percent, sim_states *gone);

/* Whether a row of a kind that only grows is there. */
bool sim_hub_has(const sim_hub *hub, int kind, const char *key);

/* Does an exchange's statements as one transaction, and makes their results. */
kecs_status sim_hub_run(sim_hub *hub, kecs_sync__exchange *exchange, int64_t now_us, const char *doing);

/* An array of PostgreSQL's as text, taken apart: NULL where an element is. */
typedef struct sim_array {
  char **list;
  int count;
} sim_array;

sim_array sim_array_read(const char *text);
void sim_array_free(sim_array *array);

/* ---- the world (world.c, operations.c, link.c, checks.c) ---- */

typedef struct sim_edge {
  struct sim_world *world;
  int number;
  char site[16];
  char path[32];
  kecs_store *store;
  kecs_sync *sync;
  int64_t skew_us;
  int away;        /* steps that it is partitioned for */
  sim_states seen; /* what was read last, for I5 */
  sqlite3_stmt *readers[KECS_KIND_COUNT]; /* of the rows of each kind, by its reading connection */
  int64_t seen_version; /* of the file then, as its reading connection counts; 0: that is another one now */
  uint64_t kinds;
  char asked[24]; /* where its last page ended */
  int asks;       /* pages that have ended there */
} sim_edge;

/* The last push of a site that the hub has done. */
typedef struct sim_push {
  char number[24];
  char id[KECS_SYNC__ID_SIZE];
} sim_push;

/* A request that is still under way. */
typedef struct sim_late {
  kecs_sync__exchange exchange;
  sim_edge *edge;
  int own; /* items with texts of their own */
} sim_late;

typedef struct sim_world {
  uint64_t seed;
  sim_chance chance;
  unsigned faults;
  int64_t now_us;
  int64_t ahead_us; /* how far a clock was ahead, at most */
  int step;
  int edge_count;
  bool copies; /* pushes go by COPY, as in the order */
  sim_edge edge[SIM_EDGES];
  sim_hub *hub; /* NULL: a PostgreSQL */
  char hub_url[1024];
  char tenant[32]; /* of a PostgreSQL */
  int batch;
  uint64_t kinds;            /* that take part */
  uint64_t allowed;          /* the order's */
  uint64_t growing;          /* kinds that only grow, where they take part */
  bool quiet;                /* no faults any more */
  int done[KECS_KIND_COUNT]; /* operations that came to something, by kind */
  sim_states acked;          /* what the hub has taken, for I3 and I4 */
  sim_push pushes[SIM_PUSHES];
  sim_hub *earlier;           /* what the hub was, to go back to */
  sim_states collected;       /* tombstones that the hub has no more */
  char backup[SIM_EDGES][16]; /* under which name an edge's file was copied; "": never */
  uint64_t backup_kinds[SIM_EDGES];
  sim_late *late;
  int late_count;
  bool trace;
  char failure[2048]; /* "": none */
} sim_world;

/* The world that runs: one at a time. */
extern sim_world *sim_this;

/* The first failure is kept. */
void sim_fail(sim_world *world, const char *form, ...) KECS_STORE_PRINTF(2, 3);
void sim_trace(const sim_world *world, const char *form, ...) KECS_STORE_PRINTF(2, 3);

int64_t sim_edge_now(const sim_edge *edge);
bool sim_edge_open(sim_edge *edge);
void sim_edge_close(sim_edge *edge);
void sim_edge_restart(sim_edge *edge, bool power_cut);

/* A random operation of an application. */
void sim_operation(sim_edge *edge);
void sim_grow_log(sim_edge *edge); /* an event, or a line of a log */
void sim_shell(sim_edge *edge);
void sim_compact(sim_edge *edge);

/* Somebody else writes at the hub. */
void sim_hub_write(sim_world *world);

/* One round, whatever happens to it. */
kecs_status sim_round(sim_edge *edge);

/* Requests that were under way arrive, all or some. */
void sim_link_deliver(sim_world *world, bool all);
void sim_link_clear(sim_world *world);

/* Checks; each fails the world. */
void sim_check_round(sim_edge *edge);                           /* I6, I5 */
void sim_check_taken(sim_world *world, const sim_state *state); /* I12, I10 */
void sim_check_twice(sim_world *world);                         /* I7: of the last request */
void sim_check_monotone(sim_edge *edge);
void sim_check_end(sim_world *world);

/* A real hub (postgres.c): made once, with a clock that is the world's. */
bool sim_postgres_begin(sim_world *world, const char *url);
void sim_postgres_end(void);
void sim_postgres_time(const sim_world *world);
void sim_postgres_states(sim_world *world, sim_states *out);
void sim_postgres_change(sim_world *world, int kind, const char *key, int column, const char *value);
void sim_postgres_erase(sim_world *world, int kind, const char *key);
void sim_postgres_restart(sim_world *world); /* all its connections end */
int64_t sim_postgres_entries(sim_world *world);
void sim_postgres_notes(sim_world *world, sim_states *out);
void sim_pool_end(void); /* pool.c: ends connections that are kept */
bool sim_postgres_has(sim_world *world, int kind, const char *key);

/* All rows and tombstones of the hub; and its log of conflicts, each entry as a key. */
void sim_hub_states(sim_world *world, sim_states *out);
void sim_hub_notes(sim_world *world, sim_states *out);

/* What a run is to be. */
typedef struct sim_order {
  uint64_t seed;
  unsigned faults;
  uint64_t kinds;       /* those that take part, of those that can */
  const char *postgres; /* a database's URL; NULL: the model */
  bool copies;          /* pushes of more than a few rows go by COPY; the model knows nothing of that */
  sim_states *outcome;  /* gets the hub's states and its log of conflicts at the end; NULL: not asked for */
  bool trace;
} sim_order;

/* Makes what all worlds begin with, and none of them shall draw lots for. */
void sim_world_prepare(sim_world *world);

/* Runs a world; false: world->failure tells. */
bool sim_world_run(sim_world *world, const sim_order *order);

/* Whether two hubs hold the same; stamps that a hub gave itself are not compared. */
bool sim_same_outcome(const sim_states *a, const sim_states *b, char *problem, size_t size);

/* The laws of merge on generated states (laws.c). */
bool sim_laws(uint64_t seed, char *problem, size_t size);

/* What the simulation has found, tried by itself: false where there is no such case; `problem` is "" where it holds. */
bool sim_cases(int number, char *problem, size_t size);

#endif
