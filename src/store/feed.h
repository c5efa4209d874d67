/* store/feed.h -- the change log from within: what the write path calls, and the layout of its tables (feed_sql.c).
 *
 *   changes            one entry a change, in commit order. seq goes on for ever: the newest entry is never removed, so
 *                      that seq and stamp continue from it; it is their high-water mark.
 *   change_folds       what compaction leaves of entries that are still to be pushed: one a row
 *   change_tombstones  the natural keys of deleted rows, by the seq of their entry
 *   change_state       numbers: the floor, the push mark, and per kind the highest rid whose tombstone is gone
 *   history            what rows were before entries, and history_keys (history_log.h)
 *
 * An entry of kind 0 is a mark: tracking was switched on, or off. The last entry says off exactly when it is.
 *
 * Where the database logs by itself (kecs_backend.log) nothing of this is written here, and what is read of the log is
 * first numbered (kecs__feed_number_new). */
#ifndef KECS_STORE_FEED_H
#define KECS_STORE_FEED_H
#include "store/special.h"
#include "store/statements.h"
#include "store/store.h"

/* op of an entry; 1 to 3 are those of kecs_change_op. */
enum {
  KECS__FEED_CREATED = 1,
  KECS__FEED_UPDATED = 2,
  KECS__FEED_DELETED = 3,
  KECS__FEED_ON = 8,
  KECS__FEED_OFF = 9
};

/* Rows of change_state. */
enum {
  KECS__FEED_FLOOR = 1,   /* a watch can begin after this seq */
  KECS__FEED_PUSHED = 2,  /* the push mark; no row: nobody pushes */
  KECS__FEED_SINCE = 3,   /* the seq at which tracking was switched on last */
  KECS__FEED_HISTORY = 4, /* the kinds whose history is kept, as bits (history_log.h), and the history's bounds: */
  KECS__FEED_HISTORY_ROWS = 5,
  KECS__FEED_HISTORY_AGE = 6,
  KECS__FEED_HISTORY_FLOOR = 7,       /* the newest seq that went because of its age, and its stamp */
  KECS__FEED_HISTORY_FLOOR_STAMP = 8,
  KECS__FEED_OFFSET = 9,              /* what the hub's clock is ahead of this one, microseconds (replica_clock.c) */
  KECS__FEED_RETENTION = 10,          /* tombstones live so long, microseconds; no row: as compaction is told */
  KECS__FEED_CHANGED = 11,            /* when a hub was last found to have another history; microseconds since 1970 */
  KECS__FEED_RID = 1000,              /* + kind: the highest rid of a tombstone that is gone */
  KECS__FEED_HISTORY_SINCE = 2000,    /* + kind: where its history begins, as seq and as stamp */
  KECS__FEED_HISTORY_SINCE_STAMP = 3000
};

/* A row's stamps, in the order of its columns stamp_life, stamp_spec, stamp_status; 0 is NULL. A group that was not
 * written in this life has NULL: it is as old as the life. */
enum { KECS__STAMP_LIFE, KECS__STAMP_SPEC, KECS__STAMP_STATUS, KECS__STAMPS };

#define KECS__GROUPS_SYNCED (KECS_BIT(KECS_GROUP_SPEC) | KECS_BIT(KECS_GROUP_STATUS))
#define KECS__GROUPS_ALL                                                                                  \
  (KECS_BIT(KECS_GROUP_KEY) | KECS_BIT(KECS_GROUP_SPEC) | KECS_BIT(KECS_GROUP_STATUS) | \
   KECS_BIT(KECS_GROUP_LOCAL))

/* The end of the log. */
typedef struct kecs__feed_end {
  int64_t seq; /* 0: the log is empty */
  int64_t op;
  int64_t stamp;
} kecs__feed_end;

/* ---- opening (feed_open.c) ---- */

/* Finds out whether the file is tracked, and switches it as options.track says. */
KECS__FN kecs_status kecs__feed_open(kecs_store *store, kecs_track track);

/* After a migration: the guard triggers name columns, so a tracked file gets new ones; new kinds get stamps. */
KECS__FN kecs_status kecs__feed_migrated(kecs__write *write);

/* Makes the guard triggers of every kind anew, as change_state says, or removes them. */
KECS__FN kecs_status kecs__feed_guards(kecs__write *write, bool make);

/* Where the database logs by itself: gives what is committed its numbers. Before a read of the log that is to show
 * what was written before it; not on a transaction's handle, whose reads show what they show. */
KECS__FN kecs_status kecs__feed_number_new(kecs_store *store);

/* ---- writing (feed.c) ---- */

/* To be called before a row is written: from here on session->place.on says whether the write is logged. */
KECS__FN kecs_status kecs__feed_begin(kecs__write *write);

/* Inserts a row with its stamp and logs it. `values` has room for one more than the kind's columns. */
KECS__FN kecs_status kecs__feed_insert(kecs__write *write, const kecs__meta *meta, kecs_value *values);

/* The groups of the columns in `mask`, as bits. */
KECS__FN uint64_t kecs__feed_groups(const kecs__meta *meta, uint64_t mask);

/* The next stamp. */
KECS__FN kecs_status kecs__feed_stamp(kecs__write *write, int64_t *out_stamp);

/* Logs a change that was just written, and keeps what the row was where `change` says. A failure outside of a guarded
 * write loses the transaction: the row is written, and it must not stay so without its entry. */
KECS__FN kecs_status kecs__feed_updated(kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                        uint64_t groups, int64_t stamp);

/* Logs that a row, which is still there, is about to be deleted, and keeps its key. */
KECS__FN kecs_status kecs__feed_delete(kecs__write *write, const kecs__meta *meta, int64_t rid, const void *row);

/* An entry by itself, for who writes rows otherwise (replica_merge.c). */
KECS__FN kecs_status kecs__feed_append(kecs__write *write, int kind, int64_t rid, uint64_t groups, int op,
                                       int64_t stamp, const int64_t base[KECS__STAMPS]);

/* The highest rid that no new row of a kind may have, and what gives a row that has it another one. */
KECS__FN kecs_status kecs__feed_mark(kecs__write *write, const kecs__meta *meta, int64_t *out_mark);
KECS__FN kecs_status kecs__feed_new_rid(kecs__write *write, const kecs__meta *meta, int64_t mark, int64_t *rid);

/* ---- reading (feed_state.c) ---- */

/* Whether the backend has a log, whoever writes it. */
KECS__FN bool kecs__feed_can(const kecs__engine *engine);

/* Prepares a text with marks. */
KECS__FN kecs_status kecs__feed_statement(kecs__session *session, const char *sql, kecs__cached **out_cached);

/* The first column of the first row; 0 when there is none. */
KECS__FN kecs_status kecs__feed_number(kecs__session *session, const char *sql, const kecs_value *parameters, int count,
                                       int64_t *out_number);

/* A row of change_state, 0 when there is none; and to raise one, which never goes down. */
KECS__FN kecs_status kecs__feed_state(kecs__session *session, int id, int64_t *out_value);
KECS__FN kecs_status kecs__feed_state_raise(kecs__session *session, int id, int64_t value);
KECS__FN kecs_status kecs__feed_state_set(kecs__session *session, int id, int64_t value);

/* Runs a statement that belongs to a row that is written already: nothing stops it, and its failure counts as above. */
KECS__FN kecs_status kecs__feed_run(kecs__write *write, const char *sql, const kecs_value *values, int count);

/* The end of the log; zeroed where it is empty, or where the backend has none. */
KECS__FN kecs_status kecs__feed_read_end(kecs__session *session, kecs__feed_end *out_end);

/* Whether the log is being written, by its end. */
KECS__FN bool kecs__feed_is_on(const kecs__feed_end *end);

/* UNSUPPORTED: the store is not tracked, or can't be. */
KECS__FN kecs_status kecs__fail_no_feed(const kecs__engine *engine);

/* UNSUPPORTED unless the end of the log says that the store is tracked. */
KECS__FN kecs_status kecs__feed_check(const kecs__engine *engine, const kecs__feed_end *end);

#if !defined(KECS_STORE_NO_WATCH)
/* COMPACTED, with the floor in line and error, when entries after `seq` may be gone. Nothing above the floor is. */
KECS__FN kecs_status kecs__feed_check_floor(kecs__session *session, int64_t seq);
#endif

/* ---- the clock (clock.c) ---- */

/* A stamp is the time in milliseconds, shifted left by 16, or one more than the last where that is higher. So it never
 * goes back, whatever the clock does, and two stamps of one file never are equal. */
KECS__FN kecs_status kecs__clock_next(int64_t *last, int64_t now_us);

/* ---- texts (feed_sql.c) ---- */

KECS__FN bool kecs__feed_stamped(const kecs_kind_info *info); /* kinds that only grow have no stamps in their rows */
KECS__FN bool kecs__feed_has_group(const kecs_kind_info *info, kecs_column_group group);

/* What the columns of a stamp are called: stamp_NAME and site_NAME; and whether a kind has them. */
KECS__FN const char *kecs__stamp_name(int stamp);
KECS__FN bool kecs__stamp_has(const kecs_kind_info *info, int stamp);
KECS__FN void kecs__feed_ddl_tables(kecs__text *out, const kecs_dialect *dialect);

/* The stamps of a kind's table: what CREATE TABLE adds, and what ALTER TABLE adds. With marks, as the tables. */
KECS__FN void kecs__feed_ddl_columns(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info);
KECS__FN void kecs__feed_ddl_add_columns(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info);
KECS__FN bool kecs__feed_is_side_table(const char *name);

/* What the logged forms of the fixed statements add: see kecs__op. */
KECS__FN void kecs__feed_sql_insert(kecs__text *out, const kecs__meta *meta);
KECS__FN void kecs__feed_sql_read(kecs__text *out, const kecs_kind_info *info);
KECS__FN void kecs__feed_sql_state(kecs__text *out, const kecs_kind_info *info);
KECS__FN void kecs__feed_sql_merge_insert(kecs__text *out, const kecs_kind_info *info, uint64_t mask);
KECS__FN void kecs__feed_sql_merge_update(kecs__text *out, const kecs_kind_info *info, kecs__op op, uint64_t mask);
KECS__FN void kecs__feed_sql_update(kecs__text *out, kecs__op op, int number);

/* A row's natural key as one text, as kecs_record_get takes it. NULL means NOMEM. */
KECS__FN const char *kecs__feed_key(const kecs__meta *meta, const void *row, kecs__arena *arena);

/* The same from values, of any unique key; and the expression of a trigger that makes it of the row `old`. */
KECS__FN const char *kecs__feed_key_text(const kecs_value *values, int count, kecs__arena *arena);
KECS__FN void kecs__feed_guard_key(kecs__text *out, const kecs_kind_info *info, int number);

/* ---- guards (feed_guards.c) ---- */

/* Without marks: triggers are SQLite's, which has neither schemas nor tenants. */
KECS__FN void kecs__feed_ddl_guards(kecs__text *out, const kecs_kind_info *info, bool history);
KECS__FN void kecs__feed_ddl_no_guards(kecs__text *out, const kecs_kind_info *info);

#endif
