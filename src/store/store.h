/* ---- Opening and closing --------------------------------------------------------------------------------- */
#ifndef KECS_STORE_STORE_H
#define KECS_STORE_STORE_H
#include "base/hooks.h"
#include "base/status.h"
#include "gen/kinds_public.h"

/* A store, or a transaction on one (kecs_begin). A store may be used from any number of threads at once; a
 * transaction by one thread at a time. */
typedef struct kecs_store kecs_store;

/* Rows that came back, and every text they point to. Free it with kecs_result_free. It is immutable, may be read
 * from any thread, and outlives the store. */
typedef struct kecs_result kecs_result;

typedef struct kecs_backend kecs_backend; /* see "Backends" */

typedef enum kecs_durability {
  KECS_DURABILITY_NORMAL, /* WAL, synchronous=NORMAL: a power cut may lose the last commits, never corrupts */
  KECS_DURABILITY_FULL    /* WAL, synchronous=FULL: a commit is on the disk before KECS_OK */
} kecs_durability;

/* A set of defaults for a place. What the options say themselves counts before it. */
typedef enum kecs_profile {
  KECS_PROFILE_DEFAULT, /* WAL, synchronous=NORMAL */
  KECS_PROFILE_DURABLE, /* WAL, synchronous=FULL; writes of several threads share a commit */
  KECS_PROFILE_EDGE,    /* flash and little memory: pages of 1 KiB in a file that is made, a cache of 64 KiB, one
                         * reader, commits shared within 20 ms, heartbeats stored every 10 s; see docs/profiles.md */
  KECS_PROFILE_MEMORY   /* ":memory:"; options.path may be left out */
} kecs_profile;

/* How connections are kept: those that read, on PostgreSQL all. 0: the default, or what the URL says; -1: no limit
 * (acquire_ms: no wait). */
typedef struct kecs_pool_options {
  int acquire_ms;  /* how long a call waits for a free connection, then BUSY; 30000 */
  int idle_ms;     /* a connection that nobody has used for so long is closed; 1800000 (PostgreSQL 600000) */
  int lifetime_ms; /* no connection is kept longer; 3600000 */
  int check_ms;    /* how often that is looked at, while the store is used; 60000 */
  int read_age_ms; /* a walk (kecs_*_each) that is older ends with TIMEOUT at its next row: while it is open, the
                    * write-ahead log can't be emptied; 300000 */
} kecs_pool_options;

/* The row cache: rows that gets and lists have read are kept, and each later caller gets a copy of his own. A row goes
 * when it is changed, by whomever: no get gives what was overwritten before it was called. 0 is the default everywhere.
 * docs/cache.md tells how, and what it costs. */
typedef struct kecs_row_cache_options {
  int entries;      /* rows and list answers, at most; 10000. Negative: no cache. KECS_PROFILE_EDGE, a limit of memory
                     * (memory_kib) and PostgreSQL have none unless it is asked for here */
  int ttl_ms;       /* none is older, by options.clock; 300000 */
  int kib;          /* of memory, at most; 65536 */
  int staleness_ms; /* where other processes write and can't be seen (PostgreSQL): what they have changed may be told
                     * as it was, for so long. 0: then there is no cache. Where they are seen it is not looked at */
} kecs_row_cache_options;

/* Whether the file keeps a log of its changes, which kecs_watch_... and sync read (see "Changes"). It is a property of
 * the file, on PostgreSQL of the tenant: once it is switched on, every program that opens the file logs, whatever its
 * own options say. On PostgreSQL the tables' owner must switch it on first, for any tenant: DENIED otherwise. */
typedef enum kecs_track {
  KECS_TRACK_KEEP, /* as the file is; a fresh one has no log */
  KECS_TRACK_ON,   /* from now on */
  KECS_TRACK_OFF   /* no longer; the log is removed, and whoever watches is told KECS_E_UNSUPPORTED */
} kecs_track;

/* Whether the file keeps what its rows were before they changed (see "History"). As the log of changes, without which
 * there is none, it is a property of the file. Zero-initialised: as the file is; a fresh one keeps none. */
typedef struct kecs_history_options {
  kecs_track track;       /* KECS_TRACK_ON: of these kinds alone; KECS_TRACK_OFF: of none, and what is kept goes */
  const kecs_kind *kinds; /* `kind_count` of them; none: every kind whose rows change (not task_log and event) */
  size_t kind_count;
  int rows_max;           /* changes of one row that compaction leaves; 0: 100, negative: all */
  int64_t age_us;         /* and how old they may be; 0: 30 days, negative: any age */
} kecs_history_options;

/* Zero-initialised means the default everywhere. The struct and the texts are read during kecs_open only. */
typedef struct kecs_options {
  const char *path;               /* a file, ":memory:", or a URL that one of `backends` answers to. Required. */
  bool read_only;                 /* never write; the file must exist. While it has a log (-wal) of its own, its
                                   * directory must be writable for SQLite's index of that (-shm), or have it */
  bool must_exist;                /* KECS_E_NOT_FOUND instead of creating the file */
  const char *account_id;         /* what a bare name belongs to; NULL: "000000000000" */
  const char *region;             /* NULL: "us-east-1" */
  kecs_durability durability;     /* what KECS_OK promises after a write */
  bool strict;                    /* validate every created and updated row, see "Validation" */
  bool no_foreign_keys;           /* take rows whose parent is missing: importing orphaned data */
  int busy_timeout_ms;            /* how long a write waits for another writer; 0: 30000, negative: not at all */
  int readers;                    /* connections that read beside the writer; 0: 4, at most 64. On PostgreSQL
                                   * the URL's max_connections counts instead */
  int cache_kib;                  /* page cache of the writing connection; 0: 65536; each reader has a quarter */
  size_t document_bytes_max;      /* larger JSON documents are KECS_E_INVALID; 0: 64 MiB */
  kecs_allocator allocator;       /* zeroed: libc */
  kecs_logger logger;             /* zeroed: silent */
  kecs_clock clock;               /* zeroed: the system's */
  kecs_random random;             /* zeroed: the operating system's */
  const kecs_backend *const *backends; /* further backends, a list ended by NULL; NULL: SQLite alone */
  kecs_profile profile;           /* where the defaults of what stands above and below come from */
  int log_kib;                    /* the write-ahead log is moved into the file beyond this size; 0: 16000, edge 2048 */
  int share_window_ms;            /* while several threads write, a write waits so long for others to share its commit;
                                   * 0: edge 20, else none; negative: none */
  int heartbeat_ms;               /* kecs_node_heartbeat that changes nothing else is stored at most so often, so the
                                   * stored time may be so old; 0: edge 10000, else each; negative: each */
  int memory_kib;                 /* the most that the store and its results hold at once, NOMEM beyond; SQLite's own
                                   * memory is not in it. 0: edge 256, else no limit; negative: none */
  kecs_pool_options pool;         /* the reading connections */
  kecs_track track;               /* keep a log of changes, for kecs_watch_open */
  kecs_row_cache_options row_cache; /* rows that were read are kept */
  kecs_history_options history;   /* keep what rows were, for kecs_history. Needs the log: INVALID without */
  const char *actor;              /* who writes, for the history: as kecs_set_actor on the store */
  const char *reason;             /* and why */
} kecs_options;

/* Opens the store, creating the file and its schema when it does not exist. An existing older schema is migrated
 * in one transaction; a newer one, a damaged file and a file that is no kecs_store database are refused untouched.
 * Safe when several processes open a fresh file at once. On failure *out_store is NULL.
 * Errors: INVALID (options), NOT_FOUND (no such directory, or must_exist), READONLY, DENIED, CORRUPT,
 * SCHEMA_NEWER, BUSY, FULL, IO, NOMEM. */
KECS_STORE_API kecs_status kecs_open(const kecs_options *options, kecs_store **out_store);

/* kecs_open with a path from the environment; options->path, when it is set, wins over it. `options` may be NULL.
 *
 *   kind of storage   KECS_STORAGE_TYPE, KECS_STORAGE, STORE_TYPE: sqlite, memory, postgresql (postgres, pg); duckdb
 *                     opens SQLite and logs a line that says so. None: PostgreSQL where a URL says so, or SQLite.
 *   PostgreSQL        KECS_DATABASE_URL, KECS_POSTGRES_URL; DATABASE_URL only where STORE_TYPE says postgres; or built
 *                     from KECS_POSTGRES_HOST, _PORT, _USER, _PASSWORD, _DATABASE, _SSLMODE (localhost, 5432, kecs,
 *                     kecs, kecs, disable), each left to libpq where its PG variable is set and ours is not.
 *   SQLite            KECS_STORAGE_PATH, a file; KECS_DATA_DIR, the folder of kecs.db; else $HOME/.kecs/data/kecs.db
 *
 *   profile           KECS_PROFILE: default, durable, edge, memory; where options->profile is KECS_PROFILE_DEFAULT, and
 *                     whether a path is given or not. memory is a kind of storage as well.
 *
 * An empty variable counts as unset. Errors: INVALID names the variables that disagree or can't be understood; else as
 * kecs_open. Not to be called while another thread changes the environment. */
KECS_STORE_API kecs_status kecs_open_env(const kecs_options *options, kecs_store **out_store);

/* Closes the store; open transactions are rolled back. NULL is fine. No other thread may use the store any more;
 * results stay valid. MISUSE when the handle is a transaction. */
KECS_STORE_API kecs_status kecs_close(kecs_store *store);

/* The library's version ("0.1.0"), and its version, SQLite's version and source id and the options compiled in, in
 * one line. Both texts are static. */
KECS_STORE_API const char *kecs_version(void);
KECS_STORE_API const char *kecs_build_info(void);

/* The connections that read, or on PostgreSQL all. */
typedef struct kecs_pool_info {
  int max;
  int total;
  int active;      /* in use now */
  int idle;
  int64_t waits;   /* calls that found none free */
  int64_t wait_us; /* and how long they have waited, all of them */
  int64_t retired; /* connections that were closed because of their age or because nobody needed them */
} kecs_pool_info;

/* The row cache. The counts begin when the store is opened. */
typedef struct kecs_cache_info {
  bool on;
  int64_t entries_max;
  int64_t bytes_max;
  int64_t entries;       /* rows and list answers in it */
  int64_t bytes;         /* that they take */
  int64_t hits;          /* gets and lists that it has answered */
  int64_t misses;        /* and those that went to the database */
  int64_t evictions;     /* entries that made room for others */
  int64_t expirations;   /* entries that were too old when they were asked for */
  int64_t invalidations; /* entries that were changed */
  int64_t flushes;       /* times that all went, because another process had written */
} kecs_cache_info;

/* What an open store is like. Texts live as long as the store. */
typedef struct kecs_info {
  const char *backend;     /* "sqlite" */
  const char *path;        /* as opened, passwords masked */
  int schema_version;      /* of the open database */
  bool read_only;
  const char *account_id;
  const char *region;
  const char *journal_mode; /* as read back from the database: "wal", "memory" ... */
  int64_t size_bytes;       /* of the database, from its page count; 0 when unknown */
  int64_t wal_bytes;        /* of the write-ahead log file; 0 when there is none */
  const char *synchronous;  /* of the writing connection, as read back: "normal", "full" ... */
  int64_t page_bytes;
  int64_t cache_bytes;          /* at most, of the writing connection */
  int64_t wal_checkpoint_bytes; /* the log is moved into the file beyond this size; 0 where the store only reads */
  int64_t wal_limit_bytes;      /* and cut to this size, where readers let it grow further */
  int64_t sqlite_bytes;         /* that SQLite holds for one connection: pages, schema, statements */
  kecs_pool_info pool;
  kecs_cache_info cache;
} kecs_info;
KECS_STORE_API kecs_status kecs_store_info(kecs_store *store, kecs_info *out_info);

/* Drops all that the row cache holds; its counts go on. For measurements: an answer is never wrong for want of it. */
KECS_STORE_API kecs_status kecs_cache_clear(kecs_store *store);

/* For quiet moments: closes reading connections that nobody needs, moves the write-ahead log into the file, cuts it
 * to nothing. Waits for nobody longer than 50 ms: what is not done now is done the next time. Nothing is written where
 * nothing is to be moved. While the store is read it does this by itself, once nobody has written for
 * options.pool.check_ms; the library has no threads of its own. MISUSE on a transaction. */
KECS_STORE_API kecs_status kecs_maintain(kecs_store *store);

/* ---- Deadlines and cancelling ---------------------------------------------------------------------------- */

/* Every later call on this handle, and on transactions begun from it afterwards, fails with KECS_E_TIMEOUT once the
 * clock (options.clock) reaches `deadline_us`, microseconds since 1970 UTC; 0 removes it. It is checked before a call
 * starts, while it runs and right before COMMIT, or right before a write joins those that share one: after
 * KECS_E_TIMEOUT nothing of the call is stored. */
KECS_STORE_API kecs_status kecs_set_deadline(kecs_store *store, int64_t deadline_us);

/* With `cancelled` true, calls on this handle and its transactions, running ones included, fail with
 * KECS_E_CANCELLED and store nothing, until it is set to false again. May be called from any thread. */
KECS_STORE_API kecs_status kecs_set_cancelled(kecs_store *store, bool cancelled);

/* ---- Transactions ---------------------------------------------------------------------------------------- */

/* A write on a store is a transaction of its own. In a file, writes of several threads that wait for each other share
 * one commit, so that a commit that reaches the disk is paid once for all of them: each works alone, on its own thread,
 * and is undone alone when it fails; each is told KECS_OK once the commit that holds it is done, and each is told when
 * that fails. A deadline or a cancel counts until a write has joined the others; from then on it waits for their
 * commit. Where the database itself gives the transaction up because of one write, the others are told the same if it
 * was the disk or the memory, else BUSY. */

/* Begins a transaction, or a savepoint when `store` is a transaction itself. *out_tx takes every call that a store
 * takes; what is written through it becomes visible to others all at once at kecs_commit. The transaction holds
 * the database's write lock (BEGIN IMMEDIATE), so keep it short. While a transaction is open its thread must not
 * write through the store itself: KECS_E_MISUSE, since it would wait for itself. Nor may one write through a
 * transaction while a savepoint inside it is open: MISUSE, since that would be undone with the savepoint.
 * Errors: BUSY, TIMEOUT, CANCELLED, READONLY, NOMEM, MISUSE. */
KECS_STORE_API kecs_status kecs_begin(kecs_store *store, kecs_store **out_tx);

/* Ends a transaction; the handle is gone afterwards, whatever is returned. Savepoints within it that are still open
 * end with it. After a failed commit nothing is stored (but see KECS_E_OUTCOME_UNKNOWN). kecs_rollback(NULL) does
 * nothing, so a clean-up path can always call it. */
KECS_STORE_API kecs_status kecs_commit(kecs_store *tx);
KECS_STORE_API kecs_status kecs_rollback(kecs_store *tx);

/* What became of a write or transaction that failed with KECS_E_OUTCOME_UNKNOWN: a connection that was lost while its
 * COMMIT ran. */
typedef enum kecs_outcome {
  KECS_OUTCOME_UNKNOWN,    /* nobody can tell any more: read what it should have stored */
  KECS_OUTCOME_STORED,     /* all of it */
  KECS_OUTCOME_NOT_STORED, /* nothing of it, and nothing ever will be: it may be written again */
  KECS_OUTCOME_RUNNING     /* the server is still at it: ask again */
} kecs_outcome;

/* Asks the database, over another connection. `error` is a copy of kecs_last_error() as it was right after the call
 * that failed; its `transaction` alone is looked at, so a program that has started anew may bring it from its log.
 * Waits at most the busy timeout for one that is still running. OFFLINE until the server can be reached again; INVALID
 * when the error names no transaction; MISUSE on a transaction. */
KECS_STORE_API kecs_status kecs_find_outcome(kecs_store *store, const kecs_error *error, kecs_outcome *out_outcome);

/* Runs `work` in a transaction: commits when it returns KECS_OK, else rolls back and returns what it returned.
 * A BUSY or OFFLINE (from begin, work or commit) is retried with growing, jittered pauses until `budget_ms` have
 * passed (0: the store's busy timeout), so `work` must be able to run again. On a transaction handle it runs once,
 * in a savepoint. */
KECS_STORE_API kecs_status kecs_transact(kecs_store *store, kecs_status (*work)(kecs_store *tx, void *user),
                                         void *user, int budget_ms);

/* ---- Results --------------------------------------------------------------------------------------------- */

KECS_STORE_API void kecs_result_free(kecs_result *result);              /* NULL is fine */
KECS_STORE_API size_t kecs_result_count(const kecs_result *result);     /* rows; 0 for NULL */
KECS_STORE_API kecs_kind kecs_result_kind(const kecs_result *result);   /* 0 for NULL, and where the rows are no kind */

/* The token of the next page, or NULL when this was the last one. It lives as long as the result. */
KECS_STORE_API const char *kecs_result_page_token(const kecs_result *result);

/* The sequence of the change log that a list was read at: a watch from there tells everything that came later. 0 where
 * the store keeps no log, and for results of other calls. Inside a transaction it holds once that is committed. */
KECS_STORE_API int64_t kecs_result_seq(const kecs_result *result);

/* ---- Queries --------------------------------------------------------------------------------------------- */

/* How a filter compares. Texts compare by bytes; no character of a value has a special meaning. A row whose column is
 * NULL matches only KECS_IS_NULL. */
typedef enum kecs_op {
  KECS_EQ,
  KECS_NE,
  KECS_LT,
  KECS_LE,
  KECS_GT,
  KECS_GE,
  KECS_IN,              /* one of `texts` or `numbers` (`count` of them, at most 500); none matches nothing */
  KECS_PREFIX,          /* begins with `text` */
  KECS_CONTAINS,        /* has `text` in it */
  KECS_CONTAINS_NOCASE, /* as CONTAINS, A to Z and a to z alike */
  KECS_IS_NULL,
  KECS_NOT_NULL
} kecs_op;

typedef struct kecs_filter {
  int column;                 /* a column constant of the queried kind, such as KECS_TASK_STARTED_BY */
  kecs_op op;
  const char *text; /* the value for TEXT and JSON columns. A cluster may be a name or an ARN; so may a service
                     * of the cluster that a filter before it asks for, or of the cluster "default" */
  int64_t number;             /* the value for INT, OPTI, RANK, TIME and BOOL columns */
  const char *const *texts;   /* values for KECS_IN on TEXT and JSON columns */
  const int64_t *numbers;     /* values for KECS_IN on the others */
  size_t count;
} kecs_filter;

typedef enum kecs_direction {
  KECS_ORDER_DEFAULT, /* the kind's own order (docs/kinds.md), mostly newest first; `order_by` is not read */
  KECS_ORDER_ASCENDING,
  KECS_ORDER_DESCENDING
} kecs_direction;

/* Zero-initialised, or NULL: the first 100 rows in the kind's own order. */
typedef struct kecs_query {
  const kecs_filter *where; /* all of them must match */
  size_t where_count;       /* at most 32 */
  kecs_direction direction;
  int order_by;             /* a NOT NULL column; ties are broken by the natural key in byte order */
  int limit;                /* 0: 100; at most 1000, for task_log and event 10000; below 0 or above: INVALID */
  const char *page_token;   /* of the page before, from the same query; INVALID from another one. NULL: first page */
} kecs_query;

/* ---- Rows of every kind, typed --------------------------------------------------------------------------- */
/* The functions of each kind follow below, kind by kind. What holds for all of them:
 *
 *   create        INSERT. Fills what is empty: id, ARN, times, account, region, defaults. EXISTS when a unique key is
 *                 taken, REFERENCE when a parent is missing, INVALID when a required column is NULL.
 *   create_many   all rows in one transaction, or none.
 *   get           one row; NOT_FOUND. The last text takes the ARN as well; a cluster may be a name or an ARN, and NULL
 *                 or "" where the key says enough.
 *   get_many      the rows of these keys (texts as for kecs_record_get) in their order; unknown ones are left out.
 *   list          a page of rows in order; an empty page is no error.
 *   each          calls `visit` for every matching row (limit 0 means all) without keeping them: the row dies when
 *                 `visit` returns. Anything but KECS_OK from `visit` stops the walk and is returned. `visit` may call
 *                 the store, but not a ":memory:" one, whose only connection the walk holds. Ending the transaction
 *                 that is walked through is MISUSE.
 *   count         how many rows match; order, limit and token are not read.
 *   update        writes every column that differs, but those of the group `key`, which never change. The row is found
 *                 by its natural key (the ARN), or by its name. version 0 is unconditional, otherwise CONFLICT unless
 *                 it is the stored one, so updating a row that was read never overwrites somebody else's change.
 *                 A row that equals the stored one is not written and keeps version and updated_at. NOT_FOUND.
 *   update_fields as update, but only the columns whose bit (KECS_BIT) is in `mask`; a mask of 0 checks that the row is
 *                 there. INVALID when the mask names a column that can't be changed.
 *   upsert        update when the natural key is there, create otherwise; one transaction.
 *   upsert_many   each row as upsert does, all in one transaction, or none; a failure names its row. A row may stand
 *                 twice: the second one updates the first. On PostgreSQL rows that are alike go together: below 30 in
 *                 one exchange, from there on by COPY and one merge.
 *   delete        NOT_FOUND when there is no such row. Children go with it (docs/kinds.md: references).
 *
 * out_result may be NULL where the row is not wanted back; otherwise it holds the stored row, and is NULL on failure.
 * The caller's structs are never changed. Any of them may also fail with BUSY, TIMEOUT, CANCELLED, READONLY, FULL,
 * CORRUPT, IO, NOMEM or MISUSE. */

#endif
