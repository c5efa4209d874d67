/* ---- Replication ------------------------------------------------------------------------------------------- */
/* For layers that bring stores into agreement, as kecs_sync_* of kecs_store_pg.h does: what a tracked SQLite file has
 * that is still to be pushed, and the merge of what another store has. docs/sync.md says what stamps and sites mean.
 * A program that only uses a store needs none of this. */
#ifndef KECS_STORE_REPLICA_H
#define KECS_STORE_REPLICA_H
#include "store/backend.h"
#include "store/changes.h"

/* Places in kecs_replica_row.stamp and .site, and as bits (KECS_BIT) what of a row is pending. */
enum { KECS_REPLICA_LIFE, KECS_REPLICA_SPEC, KECS_REPLICA_STATUS, KECS_REPLICA_STAMPS };

/* The site of what was written in this file, and not sent to it. Others are numbers from 0 on. */
#define KECS_REPLICA_HERE INT64_C(-1)

/* Who may write a group of a kind's rows (docs/sync.md 7). Hubs and edges are held to it alike. */
typedef enum kecs_replica_rule {
  KECS_REPLICA_LAST_WRITER, /* everybody; the later stamp wins */
  KECS_REPLICA_OWNER,       /* who writes while a fence says so: a change under another fence is lost */
  KECS_REPLICA_HUB,         /* the hub alone; with KECS_REPLICA_LIFE rows come and go there alone */
  KECS_REPLICA_COMPARE,     /* who has seen what the hub has: compare and set */
  KECS_REPLICA_APPEND       /* nobody, once the row is there */
} kecs_replica_rule;

typedef struct kecs_replica_policy {
  kecs_kind kind;
  unsigned groups;        /* bits of KECS_REPLICA_SPEC and KECS_REPLICA_STATUS, of HUB also KECS_REPLICA_LIFE */
  kecs_replica_rule rule;
  const char *fence;      /* OWNER: a column of the key or of the other group, such as "node_id" of a node_task. What
                           * was written while it had another value has lost */
} kecs_replica_policy;

/* An edit that is still to be pushed meets another one that it has not seen: a callback may make one row of them. Rows
 * are the kind's struct; they and their texts live until the callback returns. */
typedef struct kecs_replica_dispute {
  kecs_kind kind;
  const char *key;
  unsigned groups;    /* bits of those that are disputed */
  const void *base;   /* as it was before the edit; NULL unless the kind's history is kept (options.history) */
  const void *local;
  const void *remote;
  void *out;          /* begins as what came; what the callback leaves in the disputed groups becomes a new edit of this
                       * file. Texts that it sets must live until the merge has returned */
  bool decline;       /* set: the rule decides, as without a callback */
} kecs_replica_dispute;

/* How this file stands to the other side. */
typedef struct kecs_replica {
  int64_t site;    /* this file's number: KECS_REPLICA_HERE means it when stamps are compared */
  int64_t acked;   /* local stamps up to this one are there; 0: none */
  uint64_t kinds;  /* that take part: KECS_BIT(kind) */
  int64_t former;  /* the number that this file had before it was copied or restored; 0: none. What another copy has
                    * pushed under it is not taken for somebody else's write */
  const kecs_replica_policy *policies; /* `policy_count` of them; last writer for all else */
  size_t policy_count;
  /* Called in a merge's transaction, so it must not use the store. What it returns but KECS_OK fails the merge, and all
   * that is in its transaction; it may be tried again. NULL: the rules decide */
  kecs_status (*merge)(kecs_replica_dispute *dispute, void *user);
  void *user;
  bool doubts; /* the other side went back in its history, and it is not known yet what it has lost of what it had
                * acknowledged: what goes along with a deleted row is kept in the log of conflicts, pending or not */
  bool as_one; /* merges on a transaction's handle have no savepoint each: after a failure the transaction can only be
                * rolled back */
  int64_t after; /* kecs_replica_pending: entries up to it are under way already; 0: what is above the push mark */
} kecs_replica;

/* All that is known of one natural key: a row, or that it was deleted. */
typedef struct kecs_replica_row {
  kecs_kind kind;
  bool dead;
  bool leaves;                        /* merged: the row is not this file's business any more; stamps are not read */
  const char *key;                    /* the natural key as one text, as kecs_change.key */
  unsigned pending;                   /* given: what of it is local and not acknowledged; 0 where it is merged */
  int64_t stamp[KECS_REPLICA_STAMPS]; /* a dead one has only that of its death, in the first place; 0: none */
  int64_t site[KECS_REPLICA_STAMPS];
  const kecs_value *values;           /* one a column, in order; NULL for a dead one. Local columns are not read */
  bool partly; /* to be merged: only the groups with a stamp came. Where the row is not here in the same life, it is an
                * orphan until it comes whole */
  uint64_t given;                     /* merged: the columns that came, as bits; 0: all that travel */
  int64_t base[KECS_REPLICA_STAMPS];  /* given: the stamps that pending groups are based on; only where a policy of the
                                       * kind compares */
  uint64_t fill;                      /* merged: columns that this file may lack for want of knowing them when the row
                                       * came: those that have their default are taken whatever the stamps; 0: none */
  bool force;                         /* merged: KECS_REPLICA_BLOCKED is not to be; see there */
  const char *reason;                 /* merged: why what loses does; NULL: as it is found */
} kecs_replica_row;

/* What a merge came to. */
typedef enum kecs_replica_outcome {
  KECS_REPLICA_SAME,    /* nothing was new */
  KECS_REPLICA_TAKEN,   /* the row is as it came, or partly */
  KECS_REPLICA_ORPHAN,  /* its parent is not here: nothing was done but to ask for it again, in sync_wanted */
  /* Another row, which the other side knows as well, has a unique key of this one: nothing was done but to ask for
   * both. When both are there in one page, rows may have swapped a number: they are merged again with `force`, in a
   * transaction inside that one, which must be undone if kecs_replica_aside counts any after that. */
  KECS_REPLICA_BLOCKED
} kecs_replica_outcome;

typedef struct kecs_replica_merged {
  kecs_replica_outcome outcome;
  int conflicts; /* entries that it made in sync_conflicts */
} kecs_replica_merged;

/* Makes what replication keeps in a file (tables sync_*), where it is missing, and sets the push mark. Rows from before
 * the file was tracked get stamps and entries; *out_adopted is the sequence of the last of these entries, 0 where it
 * was done before. UNSUPPORTED for a store that is not tracked, or is no SQLite file. */
KECS_STORE_API kecs_status kecs_replica_open(kecs_store *store, uint64_t kinds, int64_t *out_adopted);

/* The kinds whose rows can be merged, as bits, and those that only grow (docs/sync.md 13). */
KECS_STORE_API uint64_t kecs_replica_kinds(kecs_store *store);
KECS_STORE_API uint64_t kecs_replica_append_kinds(kecs_store *store);

/* Where a walk through the log has ended. */
typedef struct kecs_replica_end {
  int64_t seq;   /* of the last entry that was read; 0: there was none above the push mark */
  int64_t stamp; /* of that entry */
  int64_t read;  /* entries */
} kecs_replica_end;

/* Reads entries of the log above the push mark, at most `limit`, or all up to an earlier walk's end where `upto` is not
 * NULL, and calls `visit` once for each of their rows that is pending: dead ones first, children before parents, then
 * rows, parents before children. Rows whose entries were folded to a later place belong to the walk when their first
 * change is not later than its end: so every local stamp up to end.stamp was visited, now or before. What `visit` gets
 * dies when it returns. */
KECS_STORE_API kecs_status kecs_replica_pending(kecs_store *store, const kecs_replica *side, int limit,
                                                const kecs_replica_end *upto,
                                                kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                                void *user, kecs_replica_end *out_end);

/* The row or tombstone of a natural key, pending or not. `visit` is not called where there is neither. */
KECS_STORE_API kecs_status kecs_replica_find(kecs_store *store, const kecs_replica *side, kecs_kind kind,
                                             const char *key,
                                             kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                             void *user);

/* Merges a state, best on a transaction's handle together with others. What loses goes to sync_conflicts. */
KECS_STORE_API kecs_status kecs_replica_merge(kecs_store *store, const kecs_replica *side, const kecs_replica_row *row,
                                              kecs_replica_merged *out_merged);

/* Decides about an entry of sync_conflicts: kecs_sync_resolve of kecs_store_pg.h says how. */
KECS_STORE_API kecs_status kecs_replica_resolve(kecs_store *store, int64_t id, bool lost);

/* Columns that the other side knows from now on: rows that were written here and say something there are pending
 * again. */
KECS_STORE_API kecs_status kecs_replica_touch(kecs_store *store, kecs_kind kind, uint64_t columns);

/* Inserts a row of a kind that only grows, unless one with its key is here. *out_rid is 0 where one was. */
KECS_STORE_API kecs_status kecs_replica_insert(kecs_store *store, const kecs_replica_row *row, int64_t *out_rid);

/* Rows of a kind that a forced merge has moved aside and whose own state has not come yet. */
KECS_STORE_API kecs_status kecs_replica_aside(kecs_store *store, kecs_kind kind, int64_t *out_count);

/* Calls `visit` for the rows of a kind with a rid above `after_rid`, at most `limit` (0: all), by rid, without their
 * values: key, stamps, what is pending. *out_rid is the last one's, 0 where there was none. `visit` must not write. */
KECS_STORE_API kecs_status kecs_replica_walk(kecs_store *store, const kecs_replica *side, kecs_kind kind,
                                             int64_t after_rid, int limit,
                                             kecs_status (*visit)(const kecs_replica_row *row, void *user), void *user,
                                             int64_t *out_rid);

/* The same for tombstones of all kinds, by the sequence of their entry. */
KECS_STORE_API kecs_status kecs_replica_graves(kecs_store *store, const kecs_replica *side, int64_t after_seq,
                                               int limit,
                                               kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                               void *user, int64_t *out_seq);

/* Writes `number` into what this file wrote and the other side has: from here on it is another site's. What is pending
 * stays this file's, as does what the other side has refused. */
KECS_STORE_API kecs_status kecs_replica_renumber(kecs_store *store, int64_t number, int64_t acked);

/* Tombstones live at least so long from here on, whatever compaction is told: microseconds, above 0. A number of the
 * tenant, or of the file. */
KECS_STORE_API kecs_status kecs_replica_retain(kecs_store *store, int64_t retention_us);

/* Stamps are ahead of the store's clock by so much from here on, microseconds: what another clock, which all others go
 * by, is ahead of it. It is kept in the file; other processes that have it open learn of it when they open it next. */
KECS_STORE_API kecs_status kecs_replica_offset(kecs_store *store, int64_t offset_us);

/* What a clock that was ahead has written, and what it is to become. */
typedef struct kecs_restamp {
  int64_t limit_us;  /* a time, microseconds since 1970: stamps above it are given anew, in their order */
  int64_t now_us;    /* none of them gets a later time than this one, unless what was seen before is later */
  int64_t offset_us; /* added to the time of each: the error that the clock had */
  int64_t acked;     /* given and taken: kecs_replica.acked */
  int64_t intent;    /* given and taken: another stamp of the log, 0: none */
  int64_t changed;   /* taken: stamps that were given anew; 0: there was nothing to do */
} kecs_restamp;

/* Gives stamps anew that no other store can have: rows, tombstones, entries of the log, the history. The new ones are
 * above all that was merged or acknowledged. In one transaction; the log's last stamp, and so the clock, goes back. */
KECS_STORE_API kecs_status kecs_replica_restamp(kecs_store *store, kecs_restamp *restamp);

/* A line for the store's logger. */
KECS_STORE_API void kecs_replica_log(kecs_store *store, kecs_log_level level, const char *line);

/* Whether kecs_replica_open was ever called for the file. */
KECS_STORE_API kecs_status kecs_replica_made(kecs_store *store, bool *out_made);

/* The store's allocator, for layers that work with it. It lives as long as the store. */
KECS_STORE_API const kecs_allocator *kecs_replica_allocator(kecs_store *store);

/* What the store's clock says (options.clock), microseconds since 1970. */
KECS_STORE_API int64_t kecs_replica_now(kecs_store *store);

/* From here on each commit of the store reaches the disk before it is told, whatever its durability; or as it was
 * opened. Not inside a transaction. */
KECS_STORE_API kecs_status kecs_replica_durable(kecs_store *store, bool on);

/* Runs a statement on the tables sync_*, and calls `visit` (may be NULL) with each of its rows. A table's name stands
 * in braces, and its condition begins with {own}: "SELECT value FROM {sync_state} WHERE {own}name=?1". */
KECS_STORE_API kecs_status kecs_replica_sql(kecs_store *store, const char *sql, const kecs_value *parameters, int count,
                                            int columns, kecs_status (*visit)(const kecs_value *values, void *user),
                                            void *user);

#endif
