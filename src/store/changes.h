/* ---- Changes ---------------------------------------------------------------------------------------------- */
/* A store that was opened with options.track keeps a log: one small entry for each row that is created, changed or
 * deleted, written in the transaction of the change, numbered in commit order. docs/changes.md tells what it costs and
 * how to live with it. The log grows until kecs_changes_compact is called. */
#ifndef KECS_STORE_CHANGES_H
#define KECS_STORE_CHANGES_H
#include "store/record.h"

typedef enum kecs_change_op {
  KECS_CHANGE_CREATED = 1,
  KECS_CHANGE_UPDATED = 2,
  KECS_CHANGE_DELETED = 3, /* by itself, or with a parent */
  KECS_CHANGE_LEFT = 4     /* only with a filter: the row was changed and the filter does not hold for it now */
} kecs_change_op;

/* The time of a stamp, microseconds since 1970: what the clock said, or more where it had gone back. */
KECS_STORE_API int64_t kecs_stamp_time(int64_t stamp);

/* Where the log is. */
typedef struct kecs_changes_info {
  bool tracked;
  int64_t last_seq;   /* of the newest entry */
  int64_t floor;      /* a watch can begin after this sequence, or any later one */
  int64_t since;      /* where tracking was switched on last: changes before it may be missing */
  int64_t last_stamp; /* of the newest entry; stamps ascend with the sequence, on PostgreSQL for each row by itself */
} kecs_changes_info;

/* All zero for a store that was never tracked. */
KECS_STORE_API kecs_status kecs_changes_describe(kecs_store *store, kecs_changes_info *out_info);

/* What of the log is no longer needed. Zeroed: all but the newest entry, and tombstones of a week ago. */
typedef struct kecs_compaction {
  int64_t upto_seq;       /* entries up to this one; 0: the last but one */
  int64_t older_than_us;  /* and at least so old; 0: of any age; on a hub as old as its retention */
  int64_t tombstones_us;  /* tombstones of removed entries go when they are so old; 0: 7 days; negative: of any age.
                           * Never before the retention of an edge or a hub (kecs_sync_hub_retain), and on a hub not
                           * within that time after its history was found to be another one, as after a failover */
  int steps;              /* at most so many transactions, of 1000 entries each; 0: as many as it takes */
} kecs_compaction;

typedef struct kecs_compacted {
  int64_t removed;    /* entries that are gone */
  int64_t folded;     /* of these, entries still to be pushed: each row's are one now */
  int64_t tombstones; /* that are gone */
  int64_t floor;      /* the floor now */
  int64_t history;    /* changes that the history has no more */
} kecs_compacted;

/* Removes entries from the old end of the log, at most 1000 in one transaction, so that no writer waits long. Watches
 * that have not read them are told KECS_E_COMPACTED. With them goes what is beyond the bounds of options.history. Where
 * a push mark is set (kecs_changes_pushed), entries above it are folded instead: one a row stays, outside of the log.
 * `options` and `out_done` may be NULL. A failure ends it between two steps. UNSUPPORTED for a store that is not
 * tracked. */
KECS_STORE_API kecs_status kecs_changes_compact(kecs_store *store, const kecs_compaction *options,
                                                kecs_compacted *out_done);

/* Says that everything up to `seq` has been pushed to wherever the changes go, and that compaction must keep what comes
 * later until that is pushed, too. Never goes back; -1 ends it: nobody pushes any more. */
KECS_STORE_API kecs_status kecs_changes_pushed(kecs_store *store, int64_t seq);

/* A row with changes that are still to be pushed. */
typedef struct kecs_pending {
  kecs_kind kind;
  kecs_change_op op;    /* CREATED: the row is new since the push mark. LEFT never. */
  unsigned groups;      /* KECS_BIT(KECS_GROUP_...) of what has changed */
  int64_t seq;          /* of the row's latest change; a push mark here says that it is pushed */
  int64_t stamp;        /* of the latest change */
  int64_t oldest_stamp; /* of the first */
  int64_t base_life;    /* stamps before the first change: of the life, and of each group that has changed; 0: none */
  int64_t base_spec;
  int64_t base_status;
  const char *key;      /* of a deleted row: its natural key, as kecs_record_get takes it; else NULL */
  const void *row;      /* as it is now; NULL when it is deleted */
} kecs_pending;

/* Calls `visit` for the rows of a kind with changes above the push mark, each once, in the order of their latest
 * changes, at most `limit` (0: all). What `visit` gets dies when it returns; what it returns ends the walk. */
KECS_STORE_API kecs_status kecs_changes_pending(kecs_store *store, kecs_kind kind, int limit,
                                                kecs_status (*visit)(const kecs_pending *pending, void *user),
                                                void *user);

#endif
