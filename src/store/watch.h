/* ---- Watching --------------------------------------------------------------------------------------------- */
/* A watch tells the changes of a tracked store one by one, in commit order, none left out: those of this program and of
 * any other that writes to the file or database. It tells committed changes only. It costs nothing while nothing is
 * written but a look at the file every 25 ms, on PostgreSQL a question every 20 to 40 ms and a connection that is kept
 * to be told sooner. While a server is away kecs_watch_next is OFFLINE; call it again, it goes on where it was. */
#ifndef KECS_STORE_WATCH_H
#define KECS_STORE_WATCH_H
#include "store/changes.h"

/* kecs_watch_options.from_seq: whatever the log still has. */
#define KECS_WATCH_OLDEST INT64_C(-1)

/* Zero-initialised: every kind, from now on, without rows. The struct is read during kecs_watch_open only. */
typedef struct kecs_watch_options {
  const kecs_kind *kinds;    /* `kind_count` of them; none: every kind */
  size_t kind_count;
  const kecs_filter *where;  /* all must hold for the row as it is now; needs exactly one kind */
  size_t where_count;
  int64_t from_seq;          /* changes after this one: kecs_result_seq of a list, or `seq` of the last change that was
                              * seen. 0: from now on. KECS_WATCH_OLDEST. */
  bool rows;                 /* give the changed rows, too */
  bool old_rows;             /* and the rows as they were before the change: UNSUPPORTED unless options.history keeps
                              * the named kinds; without named kinds, of those that it keeps */
} kecs_watch_options;

/* One row was created, changed or deleted. Texts and row live until the next kecs_watch_next on the same watch. */
typedef struct kecs_change {
  int64_t seq;       /* ascends; where to resume */
  kecs_kind kind;
  kecs_change_op op;
  unsigned groups;   /* what was written: KECS_BIT(KECS_GROUP_...), all of them for a new and for a deleted row */
  int64_t stamp;     /* kecs_stamp_time tells the time */
  const char *key;   /* the natural key, as kecs_record_get takes it: an ARN, or parts joined by commas */
  const void *row;   /* with options.rows: the kind's struct. It is the row as it was when this change was read, so it
                      * may hold later changes already, which are told in their turn. NULL when it is deleted by now. */
  const void *old_row; /* with options.old_rows: the row right before this change; NULL when it was created by it, and
                        * where no history of the kind is kept */
} kecs_change;

typedef struct kecs_watch kecs_watch;

/* Begins to watch. The store must stay open until kecs_watch_close; a transaction can't be watched.
 * Errors: UNSUPPORTED (the store keeps no log, see options.track; old_rows without a history), COMPACTED (the log no
 * longer has what comes after from_seq, or the history does not begin there; kecs_last_error()->floor is where it
 * begins), INVALID, MISUSE. */
KECS_STORE_API kecs_status kecs_watch_open(kecs_store *store, const kecs_watch_options *options,
                                           kecs_watch **out_watch);

/* The next change; waits for it up to `timeout_ms` (0: not at all, negative: without end). *out_change is NULL when
 * none came. A watch may be used by one thread at a time. kecs_set_cancelled and kecs_set_deadline on the store end a
 * wait. COMPACTED when changes that this watch has not told yet were removed from the log, or when the log ends before
 * what it has told already, since an older database took its place: list anew, and open another watch. In a build
 * without threads a store in memory can't change while this waits, so it does not. */
KECS_STORE_API kecs_status kecs_watch_next(kecs_watch *watch, int timeout_ms, const kecs_change **out_change);

/* Up to where the watch has told everything that concerns it: where another one can go on. It is beyond the last
 * change when later ones were of other kinds. 0 for NULL. */
KECS_STORE_API int64_t kecs_watch_seq(const kecs_watch *watch);

/* NULL is fine. */
KECS_STORE_API void kecs_watch_close(kecs_watch *watch);

/* ---- A list that stays up to date ---- */

/* What an informer calls: `set` for each row that is in the list or has changed, `remove` for the key of one that is in
 * it no more (perhaps it never was), `reset` before the list is told anew: whatever `set` is not called for until
 * `synced` is gone. NULL members are left out. What they return other than KECS_OK ends the run. */
typedef struct kecs_informer {
  kecs_status (*set)(const void *row, void *user);
  kecs_status (*remove)(kecs_kind kind, const char *key, void *user);
  kecs_status (*reset)(void *user);
  kecs_status (*synced)(void *user); /* the list was told to its end */
  void *user;
} kecs_informer;

/* Lists the rows of a kind that `where` selects, then watches it, and lists anew when the log no longer has what comes
 * next. Runs until `timeout_ms` have passed without a change (negative: without end), a function of `informer` or a
 * call fails, or the store's calls are cancelled (KECS_E_CANCELLED). */
KECS_STORE_API kecs_status kecs_informer_run(kecs_store *store, kecs_kind kind, const kecs_filter *where,
                                             size_t where_count, int timeout_ms, const kecs_informer *informer);

#endif
