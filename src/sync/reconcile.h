/* sync/reconcile.h -- the stages of a repair, and what it notes of them. */
#ifndef KECS_SYNC_RECONCILE_H
#define KECS_SYNC_RECONCILE_H
#include "sync/digest.h"

/* sync_state.repair. Each stage goes on from repair_kind and repair_rid. */
enum {
  KECS_SYNC__REPAIR_NONE,
  KECS_SYNC__REPAIR_DIGEST,        /* which buckets differ */
  KECS_SYNC__REPAIR_ROWS,          /* the hub's rows in them come here, */
  KECS_SYNC__REPAIR_GRAVES,        /* and its tombstones */
  KECS_SYNC__REPAIR_COMPARE,       /* rows of this file in them: what the hub has of them (compare.c) */
  KECS_SYNC__REPAIR_COMPARE_GRAVES /* its tombstones */
};

/* The differing buckets of a kind, as they were noted. */
KECS_PG__FN kecs_status kecs_sync__repair_buckets(kecs_sync *sync, int kind, kecs_sync__buckets *out_buckets);

KECS_PG__FN kecs_status kecs_sync__repair_note(kecs_store *tx, int64_t stage, int64_t kind, int64_t rid);

/* One page of the last two stages. */
KECS_PG__FN kecs_status kecs_sync__compare_rows(kecs_sync *sync);
KECS_PG__FN kecs_status kecs_sync__compare_graves(kecs_sync *sync);

#endif
