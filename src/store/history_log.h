/* store/history_log.h -- the history from within: what is kept of rows, its tables, its switch, its end.
 *
 *   history       one row an entry of the change log, under the same seq: who, why, and what the row was before it
 *   history_keys  the unique keys of deleted rows, by the seq of their deletion: what a row was addressed by
 *
 * `old` is a JSON object of columns by their names, texts as strings, all else as integers. An update keeps the columns
 * that it has changed (whole=0); a deletion, and each 64th update of a row, the whole row without its NULLs (whole=1).
 * So a row as it was after seq S has each column from the first entry above S that mentions it, up to the first whole
 * one; where none does, from the row itself. That takes no entry at or below S, so the old end can be cut off anywhere.
 *
 * The cut is marked, so that nothing older is ever answered from what is left: where entries of one row went because
 * they were too many, the newest of them stays with op=0 and nothing else; what went because of its age, for all rows
 * together, is told by change_state. Nothing above the floor of the change log goes: a watch may want it. */
#ifndef KECS_STORE_HISTORY_LOG_H
#define KECS_STORE_HISTORY_LOG_H
#include "store/engine.h"

enum { KECS__HISTORY_WHOLE = 64, KECS__HISTORY_CUT = 0 /* op */ };

#define KECS__HISTORY_MAX (SIZE_MAX / 4)

/* What a row was before a change. */
typedef struct kecs__past {
  kecs__text text; /* without data: nothing, for a new row */
  bool whole;
} kecs__past;

/* ---- texts (history_sql.c) ---- */

KECS__FN void kecs__history_ddl_tables(kecs__text *out, const kecs_dialect *dialect);

/* What the guard triggers of a kind do besides, after they have logged the change. `columns`: "a,b,...". */
KECS__FN void kecs__history_guard_insert(kecs__text *out);
KECS__FN void kecs__history_guard_update(kecs__text *out, const char *columns);
KECS__FN void kecs__history_guard_delete(kecs__text *out, const kecs_kind_info *info);

/* ---- writing (history_write.c) ---- */

/* At the begin of a writing transaction that is logged: which kinds are kept. */
KECS__FN kecs_status kecs__history_begin(kecs__write *write);

/* Whether what rows of the kind were is kept; after kecs__feed_begin. */
static inline bool kecs__history_kept(const kecs__write *write, const kecs__meta *meta) {
#if defined(KECS_STORE_NO_HISTORY)
  (void)write;
  (void)meta;
  return false;
#else
  return write->session->place.on && (write->session->place.history & KECS_BIT(meta->info->kind)) != 0;
#endif
}

/* The columns in `mask`, as `old` has them, and a whole row. */
KECS__FN kecs_status kecs__history_values(const kecs_kind_info *info, const kecs_value *values, uint64_t mask,
                                          kecs__text *out);
KECS__FN kecs_status kecs__history_whole(kecs__write *write, const kecs__meta *meta, int64_t rid, kecs__text *out);

/* Where the database keeps the history: tells it who writes, and why, unless it knows. Before anything is written. */
KECS__FN kecs_status kecs__history_say(kecs__write *write);

/* Keeps what belongs to the entry that was logged last. */
KECS__FN kecs_status kecs__history_add(kecs__write *write, const kecs__meta *meta, int op, int64_t rid, int64_t stamp,
                                       const kecs__past *past);

/* The same for a row that is about to be deleted, whose deletion is logged as `seq`. */
KECS__FN kecs_status kecs__history_deleted(kecs__write *write, const kecs__meta *meta, int64_t seq, int64_t rid,
                                           int64_t stamp, const void *row);

/* Removes what is kept of these kinds, and that they are kept. */
KECS__FN kecs_status kecs__history_clear(kecs__write *write, uint64_t kinds);

/* ---- the whole of it (history_keep.c) ---- */

/* Switches as options.history says, after kecs__feed_open. */
KECS__FN kecs_status kecs__history_open(kecs_store *store, const kecs_history_options *options);

/* One step of compaction, at most `limit` rows: what is beyond the bounds, of rows whose entries up to `upto` are about
 * to leave the log, and what is too old, up to there. *out_count rows are gone; fewer than `limit`: nothing is left. */
KECS__FN kecs_status kecs__history_trim(kecs__write *write, int64_t upto, int limit, int64_t *out_count);

/* Copies of who writes and why, in a handle; and their end. */
KECS__FN kecs_status kecs__actor_set(kecs_store *store, const char *actor, const char *reason);
KECS__FN void kecs__actor_free(kecs_store *store);

/* ---- reading (history_read.c) ---- */

/* What is read of the history: FROM ... WHERE. Where entries are numbered after their commit, a row that is read may
 * show changes that still wait for their numbers. What tells of a row as it was has to take those back, too: they
 * follow the numbered ones in the order of the queue, which is that of a row's own changes. */
#define KECS__HISTORY_WAITING "4611686018427387904" /* and the place in the queue */
#define KECS__HISTORY_NUMBERED "{history} WHERE {own}"
#define KECS__HISTORY_ALL                                                                                       \
  "(SELECT n.seq,n.kind,n.rid,n.op,n.whole,n.stamp,n.old FROM {history n} WHERE {own n}true UNION ALL "        \
  "SELECT " KECS__HISTORY_WAITING "+w.id,w.kind,w.rid,w.op,w.whole,w.stamp,w.past FROM {change_queue w} WHERE " \
  "{own w}w.whole IS NOT NULL) AS history WHERE "
#define KECS__HISTORY_KEYS_NUMBERED "{history_keys} WHERE {own}"
#define KECS__HISTORY_KEYS_ALL                                                                                        \
  "(SELECT n.seq,n.number,n.kind,n.rid,n.key FROM {history_keys n} WHERE {own n}true UNION ALL "                     \
  "SELECT " KECS__HISTORY_WAITING "+w.id,k.number-1,w.kind,w.rid,k.key FROM {change_queue w} CROSS JOIN LATERAL "    \
  "unnest(w.keys) WITH ORDINALITY AS k(key,number) WHERE {own w}w.keys IS NOT NULL) AS history_keys WHERE "

/* "before FROM ... WHERE after", as the session's backend needs it. */
#define KECS__HISTORY_SQL(session, before, source, after)                                        \
  ((session)->engine->backend->log ? before " FROM " KECS__HISTORY_##source##ALL after            \
                                   : before " FROM " KECS__HISTORY_##source##NUMBERED after)

#if !defined(KECS_STORE_NO_HISTORY)
/* COMPACTED, with the floor. */
KECS__FN kecs_status kecs__fail_before_history(int64_t floor);
#endif

#if !defined(KECS_STORE_NO_HISTORY) || !defined(KECS_STORE_NO_WATCH)
/* The kinds whose history is kept, as bits. */
KECS__FN kecs_status kecs__history_kinds(kecs__session *session, uint64_t *out_kinds);

/* UNSUPPORTED unless the history of all these kinds is kept. */
KECS__FN kecs_status kecs__history_check(kecs__session *session, uint64_t kinds);

/* COMPACTED when the history of one of these kinds begins after `seq`. */
KECS__FN kecs_status kecs__history_check_floor(kecs__session *session, uint64_t kinds, int64_t seq);

/* A row as it was after `seq`, which its history still has; *out_there is false when it was not there. COMPACTED when
 * its entries were cut off after that. */
KECS__FN kecs_status kecs__history_row(kecs__session *session, const kecs__meta *meta, int64_t rid, int64_t seq,
                                       kecs__arena *arena, void *row, bool *out_there);
#endif

#endif
