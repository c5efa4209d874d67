/* ---- History ---------------------------------------------------------------------------------------------- */
/* A tracked store may keep what its rows were before they changed: who changed which row, when and why, and a row as it
 * was at any moment that is still within the history. It is switched on by options.history, for all kinds or for some,
 * and written in the transaction of the change; docs/history.md tells what it costs. What is beyond its bounds goes
 * with kecs_changes_compact. A build with KECS_STORE_NO_HISTORY has these functions, and each is UNSUPPORTED. */
#ifndef KECS_STORE_HISTORY_H
#define KECS_STORE_HISTORY_H
#include "store/changes.h"

/* Who writes through this handle and through transactions that are begun from it, and why: what history notes of the
 * writes that come after this call. On a transaction it holds for that one alone, so one call is noted by itself in a
 * transaction of its own. NULL leaves what the handle around it says (on a store: what nobody has said); "" is nobody,
 * or no reason. Both are UTF-8, copied, at most 256 and 1024 bytes. They cost nothing where no history is kept.
 * Errors: INVALID, NOMEM, MISUSE. */
KECS_STORE_API kecs_status kecs_set_actor(kecs_store *store, const char *actor, const char *reason);

/* One change of one row. Texts and rows live as long as the result. */
typedef struct kecs_history_entry {
  int64_t seq;         /* of the change log; the version's name in kecs_diff and kecs_get_at */
  kecs_change_op op;   /* CREATED, UPDATED or DELETED */
  int64_t stamp;
  int64_t time_us;     /* kecs_stamp_time of it */
  const char *actor;   /* NULL where none was said, as for what another program has written; on PostgreSQL that has the
                        * role that it worked as */
  const char *reason;
  const void *row;     /* with query.rows: the kind's struct as the change left it; NULL when it deleted the row */
  const void *old_row; /* and as it was before; NULL when the change created it */
} kecs_history_entry;

/* Zero-initialised, or NULL: the newest 100 changes, without rows. */
typedef struct kecs_history_query {
  int64_t from_us;        /* changes at or after this time; 0: from the oldest that is kept */
  int64_t to_us;          /* and at or before this one; 0: up to now */
  int limit;              /* 0: 100; at most 1000; below 0 or above: INVALID */
  const char *page_token; /* of the page before, from the same query; INVALID from another one. NULL: first page */
  bool rows;              /* give the rows before and after, too */
} kecs_history_query;

/* The changes of one row, newest first. `key` is as for kecs_record_get; the row may be deleted, and what had the key
 * before it is listed, too. Read the entries with kecs_history_at. NOT_FOUND when there is no such row and nothing is
 * known of one; UNSUPPORTED when no history of the kind is kept. On PostgreSQL what is not committed is not listed. */
KECS_STORE_API kecs_status kecs_history(kecs_store *store, kecs_kind kind, const char *key,
                                        const kecs_history_query *query, kecs_result **out_result);

/* An entry of such a result; NULL beyond its end, and for other results. */
KECS_STORE_API const kecs_history_entry *kecs_history_at(const kecs_result *result, size_t index);

/* The row of a key as it was right after change `seq` of the log, whichever row that was of; or, where seq is 0, as it
 * was at `time_us`, with every change of that millisecond. Exactly one of the two is given. A row that is deleted since
 * comes back as it was. NOT_FOUND when there was none then; COMPACTED when that is before what is kept:
 * kecs_last_error()->floor is the first sequence that can be asked for; INVALID beyond the end of the log; UNSUPPORTED
 * when no history of the kind is kept. */
KECS_STORE_API kecs_status kecs_get_at(kecs_store *store, kecs_kind kind, const char *key, int64_t seq, int64_t time_us,
                                       kecs_result **out_result);

/* One member in which two versions differ. */
typedef struct kecs_difference {
  const char *path;     /* a JSON Pointer (RFC 6901) into the row's document: "/desiredCount", "/tags/0/value" */
  const char *old_text; /* the value as JSON; NULL where the older version has no such member */
  const char *new_text; /* NULL where the newer one has none */
} kecs_difference;

/* In what the documents (kecs_get_json with these `flags`) of a row at two moments differ, member by member; arrays
 * element by element, what is nested deeper than 32 levels as a whole. `from_seq` and `to_seq` are as `seq` of
 * kecs_get_at. to_seq 0: now. from_seq 0: before the latest change up to to_seq. A row that is not there counts as a
 * document without members. Read the differences with kecs_diff_at; errors as of kecs_get_at, NOT_FOUND when the row is
 * at neither. */
KECS_STORE_API kecs_status kecs_diff(kecs_store *store, kecs_kind kind, const char *key, int64_t from_seq,
                                     int64_t to_seq, unsigned flags, kecs_result **out_result);

/* A difference of such a result; NULL beyond its end, and for other results. */
KECS_STORE_API const kecs_difference *kecs_diff_at(const kecs_result *result, size_t index);

/* What history the store keeps. */
typedef struct kecs_history_info {
  uint64_t kinds;    /* KECS_BIT(kind) of those whose history is kept; 0: none is */
  int rows_max;      /* changes of one row that compaction leaves; 0: all */
  int64_t age_us;    /* changes that are older go with compaction; 0: none */
  int64_t floor;     /* changes up to this sequence are gone because of their age */
  int64_t since[KECS_KIND_COUNT]; /* of a kind whose history is kept: the sequence after which it begins */
} kecs_history_info;

/* All zero for a store that keeps none. */
KECS_STORE_API kecs_status kecs_history_describe(kecs_store *store, kecs_history_info *out_info);

#endif
