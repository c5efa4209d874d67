/* sync/push.h -- states that go to the hub: how they are collected as arrays, and sent as one push. */
#ifndef KECS_SYNC_PUSH_H
#define KECS_SYNC_PUSH_H
#include "sync/internal.h"

enum {
  KECS_SYNC__PUT_FIXED = 8,  /* key, mask, three stamps with their sites */
  KECS_SYNC__BURY_FIXED = 2, /* key, stamp */
  KECS_SYNC__PARTLY = 8,     /* in a mask: what is not pending did not come along */
  KECS_SYNC__ARRAYS = 64 + KECS_SYNC__PUT_FIXED
};

/* What an intent is of, in the place of a sequence of the log. */
enum { KECS_SYNC__OF_REFUSED = 0, KECS_SYNC__OF_REPUSH = -1 };

/* A kind's rows, as arrays, or as what a COPY takes. */
typedef struct kecs_sync__arrays {
  bool copied; /* the first of the texts is what a COPY takes, and there is no other */
  kecs_pg__text array[KECS_SYNC__ARRAYS];
  const char *values[KECS_SYNC__ARRAYS + 2]; /* site and cursor before them */
  int count;
  int64_t rows;
} kecs_sync__arrays;

typedef struct kecs_sync__load {
  kecs_sync *sync;
  kecs_sync__arrays *put[KECS_KIND_COUNT];
  kecs_sync__arrays *bury[KECS_KIND_COUNT];
  int64_t rows;
  bool buries;
  bool copies;                 /* rows of it go by COPY */
  const kecs_replica_end *end; /* with how many entries it is made of, before the first state comes; NULL: few */
  kecs_sync__policy_rows *policy[KECS_KIND_COUNT]; /* what rules need of the rows */

  void (*meanwhile)(void *user); /* done while the hub merges it; NULL: nothing */
  void *user;
  bool partly;    /* rows go without the groups that are not pending, where the hub has the row */
  int64_t origin; /* the site that made the tombstones: those of one go together */
} kecs_sync__load;

/* Keys of rows that are sent beside the log. */
typedef struct kecs_sync__key {
  kecs_kind kind;
  char *key;
  bool sent;
  struct kecs_sync__key *next;
} kecs_sync__key;

typedef struct kecs_sync__keys {
  kecs_sync *sync;
  kecs_sync__key *first;
} kecs_sync__keys;

/* A site's number as it travels. */
KECS_PG__FN int64_t kecs_sync__wire_site(const kecs_sync *sync, int64_t site);

KECS_PG__FN kecs_sync__arrays *kecs_sync__arrays_of(kecs_sync *sync, kecs_sync__arrays **slot);

/* Adds a row to those of a COPY: its key, then each value, in their order (load.c). */
KECS_PG__FN void kecs_sync__copied_key(kecs_sync__arrays *put, const kecs_sync *sync, const kecs_replica_row *row);
KECS_PG__FN void kecs_sync__copied_int(kecs_sync__arrays *put, int64_t number);
KECS_PG__FN void kecs_sync__copied_value(kecs_sync__arrays *put, const kecs_column_info *column,
                                         const kecs_value *value);

/* Begins a transaction at the hub and copies a load's rows. The exchange that goes on there ends it. Where this login
 * may make no table, sync->no_stage is set: the same goes as arrays. */
KECS_PG__FN kecs_status kecs_sync__load_copies(kecs_sync *sync, kecs_sync__load *load, const char *site);

/* Adds a key's parts to the arrays from KECS_SYNC__BURY_FIXED on. */
KECS_PG__FN void kecs_sync__load_key(kecs_sync__arrays *bury, const kecs_kind_info *info, const char *key);

/* Adds a state to a load (`user`). */
KECS_PG__FN kecs_status kecs_sync__load_visit(const kecs_replica_row *row, void *user);
/* The same for a row or a deletion that was refused. */
KECS_PG__FN kecs_status kecs_sync__load_again(const kecs_replica_row *row, void *user);
KECS_PG__FN void kecs_sync__load_begin(kecs_sync__load *load, kecs_sync *sync);
KECS_PG__FN void kecs_sync__load_free(kecs_sync__load *load);

/* Adds a line (kind, key) to kecs_sync__keys (`user`), before those that are there. */
KECS_PG__FN kecs_status kecs_sync__key_visit(const kecs_value *values, void *user);
KECS_PG__FN void kecs_sync__keys_free(kecs_sync__keys *keys);

/* Notes a push, durably: one with a new id, or again the one that was left over. And sends what the intent is of: one
 * exchange, whose result is noted. */
KECS_PG__FN kecs_status kecs_sync__intend(kecs_sync *sync, int64_t seq, int64_t stamp);
KECS_PG__FN kecs_status kecs_sync__push_send(kecs_sync *sync, kecs_sync__load *load);

/* Sends what a repair has found missing at the hub (repush.c). */
KECS_PG__FN kecs_status kecs_sync__repush(kecs_sync *sync);

/* Forgets the keys that were sent, in the transaction of their acknowledgement. */
KECS_PG__FN kecs_status kecs_sync__repushed(kecs_store *tx, const kecs_sync *sync);

#endif
