/* store/engine.h -- what stands behind a kecs_store: the engine that all handles of one database share, its sessions
 * (a connection and its prepared statements), and how a call gets one for reading or writing. */
#ifndef KECS_STORE_ENGINE_H
#define KECS_STORE_ENGINE_H
#include "base/memory.h"
#include "base/thread.h"
#include "store/backend.h"

/* What the descriptors of a kind say, looked up once per store. Columns are numbers, -1 where a kind has none. */
typedef struct kecs__meta {
  const kecs_kind_info *info;
  int arn;
  int id;
  int name; /* what the ARN ends with: name, or family */
  int region;
  int account_id;
  int created_at; /* the time that identity carries: created_at, registered_at, timestamp */
  int updated_at;
  int version;
  int extra;
  int omitted;
  int tags;
  uint64_t updatable; /* columns that an update may change */
  uint64_t ranks;     /* columns of type RANK: a document that does not mention them leaves them alone */
  uint64_t automatic; /* columns that the store alone writes, unless a document brings them */
  size_t offsets[64];        /* of the columns in the kind's struct */
  kecs_value_type types[64]; /* of the columns, for the backend; KECS_VALUE_NULL for OPTI */
  char *columns;             /* "arn,id,..." */
  size_t columns_len;
} kecs__meta;

/* A prepared statement in a session's cache. */
typedef struct kecs__cached {
  uint64_t hash;
  int kind;
  int op;
  uint64_t mask;
  char *sql; /* only where the text is the key */
  size_t sql_len;
  kecs_statement *statement;
  bool writes; /* changes rows */
  bool locks;  /* rows that it reads, where writers write side by side */
  bool in_use;
  bool temporary; /* made because the cached one was in use; finished when it is done */
} kecs__cached;

/* What a writing transaction knows of the change log (feed.h). */
typedef struct kecs__place {
  bool known;              /* the log's end was read in this transaction */
  bool on;                 /* the transaction's writes are logged */
  bool appended;           /* some were */
  int64_t stamp;           /* the last that was given out */
  uint64_t marked;         /* bit n: marks[n] was read */
  int64_t marks[KECS_KIND_COUNT]; /* no new row of the kind has this rid or a lower one */
} kecs__place;

typedef struct kecs__engine kecs__engine;
typedef struct kecs__gather kecs__gather; /* store/gather.h */
typedef struct kecs__turn kecs__turn; /* store/turns.c */
typedef struct kecs__waiter kecs__waiter; /* store/pool.c */

typedef struct kecs__session {
  kecs__engine *engine;
  kecs_connection *connection;
  const kecs_store *user; /* the handle that uses it now: whom to ask about deadline and cancel */
  int64_t deadline;       /* of the running call */
  bool reader;            /* made for reading alone */
  bool locks;             /* writes just now: the rows that it reads stay as they are until its transaction ends */
  kecs__thread_id thread; /* that has taken it from the pool */
  bool shared;            /* other writes are in the open transaction, too */
  bool writing;           /* the running statement changes rows */
  bool no_stage;          /* the database lets it make no temporary table */
  bool changed;           /* one has, since a write began the open transaction */
  kecs__cached **slots;   /* open addressing */
  size_t slot_count;      /* a power of two */
  size_t cached_count;
  int64_t opened_ms;
  int64_t used_ms;       /* when it was last given back, or taken */
  int64_t read_until_ms; /* when the running read is too old; 0: never */
  unsigned steps;
  kecs__gather *gather;  /* the running read is asked together with others */
  struct kecs__session *next; /* in the list of the idle ones, or of those in use */
  kecs__place place;          /* of the writing session */
} kecs__session;

struct kecs__engine {
  kecs_allocator allocator;
  kecs_logger logger;
  kecs_clock clock;
  kecs_random random;
  const kecs_backend *backend;
  char *path;
  kecs_place place;
  const kecs_dialect *dialect; /* the place's */
  char *account_id;
  char *region;
  bool read_only;
  bool strict;
  bool no_foreign_keys;
  bool shared; /* readers have connections of their own */
  bool pooled; /* each write takes a session from the pool, as a read does; there is no `writer` then */
  bool shares_commits; /* writes that wait for each other go into one transaction */
  bool stamps; /* tables that are made get stamps at once: the file is to be tracked */
  kecs_durability durability;
  bool small; /* memory counts more than speed */
  int busy_timeout_ms; /* 0: do not wait */
  int cache_kib;
  int page_bytes; /* of a file that is made */
  int log_kib;
  int statements_max;      /* in the cache of a session; a power of two */
  int64_t share_window_us; /* how long a write waits for others, while others write */
  int64_t heartbeat_us;    /* no heartbeat is stored more often */
  kecs_pool_options pool;  /* 0: no limit */
  kecs_info settings;      /* of the writing connection, as read back when the store was opened */
  size_t document_bytes_max;
  int schema_version;

  kecs__mutex mutex; /* guards what follows */
  kecs__session *writer;
  bool writer_taken;
  kecs__thread_id writer_thread;
  kecs__thread_id last_writer; /* who had it before */
  kecs__turn *queue;      /* who waits for the writer, and where the next one is appended */
  kecs__turn **queue_end;
  kecs__turn *members;    /* whose writes the open transaction holds, beside those of the writer's holder */
  int member_count;
  int64_t share_since_us; /* when the first of them joined */
  int share_last;         /* how many writes the last shared commit held, and how long it took */
  int64_t share_commit_us;
  kecs__condition arrival; /* somebody has joined the queue while the writer's holder waits for that */
  bool expecting;
  int company;             /* so many more writes will wait for others: several threads have written lately */
  /* The pool: of reading sessions, or of all where it is `pooled`. */
  kecs__session *idle; /* the one that was used last comes first */
  kecs__session *busy;
  kecs__waiter *waiters; /* the one that came first comes first */
  int session_count;     /* with those that are being made */
  int session_max;
  int session_min; /* so many are kept, however idle */
  int64_t pool_checked_ms; /* when the idle ones were last looked at */
  bool quiet;              /* nobody has taken the writer since */
  kecs_pool_info pool_info; /* the counters of it */
  kecs_store *transactions;      /* open ones */
  kecs_store *spare_handles;     /* ended ones: their memory stays until the store is closed, so misuse is told */
  kecs__meta kinds[KECS_KIND_COUNT];

  int tracked;               /* by kecs__flag_get: our writes go into the change log */
  kecs__condition changed;   /* with the mutex: what follows has changed */
  uint64_t feed_turn;        /* goes up when there may be new entries */
  int64_t feed_seen;         /* the newest entry that somebody here has seen */
  int64_t feed_looked_ms;    /* when somebody last looked */
};

struct kecs_store {
  unsigned magic;
  kecs__engine *engine;
  kecs_store *parent;      /* of a transaction */
  kecs__session *session;  /* of a transaction */
  int depth;               /* 0: the store; 1: a transaction; more: a savepoint */
  kecs_store *inner;       /* the open savepoint inside a transaction; guarded by the engine's mutex */
  bool lent;               /* to a function that kecs_transact runs: that one ends it */
  int walks;               /* that read through it just now */
  bool broken;             /* the database ended the transaction by itself */
  int cancelled;           /* by kecs__flag_get */
  int64_t deadline;        /* guarded by the engine's mutex in a store; the owner's in a transaction */
  kecs_store *next;
};

/* MISUSE unless `store` is an open handle. */
KECS__FN kecs_status kecs__check_handle(const kecs_store *store);

/* TIMEOUT or CANCELLED when this handle, or one that it was begun from, is past its deadline or cancelled. */
KECS__FN kecs_status kecs__check_stop(const kecs_store *store, int64_t deadline);

/* INVALID naming the argument when a required pointer is NULL. */
KECS__FN kecs_status kecs__check_pointer(const void *pointer, const char *name);

/* A session to read with, until kecs__read_close. */
KECS__FN kecs_status kecs__read_open(kecs_store *store, kecs__session **out_session);
KECS__FN void kecs__read_close(kecs_store *store, kecs__session *session);

/* Ends a read transaction; its failure counts when nothing failed before. */
KECS__FN void kecs__read_end(const kecs_backend *backend, kecs_connection *connection, kecs_status *status);

/* A write: in a transaction of its own, or as a part of the handle's. */
typedef struct kecs__write {
  kecs_store *store;
  kecs__engine *engine;
  kecs__session *session;
  kecs__arena arena; /* for texts of this write */
  int64_t now;
  int64_t rid;    /* of the row that was inserted last */
  bool own;       /* this write began the transaction */
  bool joined;    /* it works in the transaction of other writes: it ends with them */
  bool guarded;   /* inside a savepoint of its own */
  bool last;      /* what the next row's statement leaves is all: it may be committed with it */
  bool ended;     /* it was */
  int quiet;      /* above 0: tags and their rows are not followed, since they are being brought into step (tags.c) */
  bool make_parents; /* an insert makes the parents that are missing, bare (KECS_JSON_PARENTS) */
} kecs__write;
KECS__FN kecs_status kecs__write_open(kecs_store *store, kecs__write *write);

/* Where writers write side by side, one may find another in its way: KECS_E_BUSY. A write of its own is then made
 * again, after a pause, until the store's busy timeout has passed. Zero-initialised before the first try. */
typedef struct kecs__retry {
  int64_t until;
  int tries;
} kecs__retry;
KECS__FN bool kecs__retry_again(kecs_store *store, kecs__retry *retry, kecs_status status);

/* Whether writers write side by side, so that what a write did not find may be there a moment later. */
KECS__FN bool kecs__writers_meet(const kecs__write *write);

/* BUSY: the row was not there when this write looked for it, and another writer has made it since. */
KECS__FN kecs_status kecs__fail_raced(const kecs__meta *meta);

/* To be called before the second statement of a write that changes rows: from here on all or nothing. */
KECS__FN kecs_status kecs__write_guard(kecs__write *write);

/* After a failed statement, before others look into what was wrong: where the database refuses everything until a
 * rollback, the write is undone now. It must end with that failure. */
KECS__FN void kecs__write_revive(kecs__write *write);

/* Commits when `status` is KECS_OK and the deadline has not passed, rolls back otherwise; returns what came of it. */
KECS__FN kecs_status kecs__write_close(kecs__write *write, kecs_status status);

/* The writing session by itself, for opening and migrating. */
KECS__FN kecs_status kecs__session_open(kecs__engine *engine, bool reader, bool may_create,
                                        kecs__session **out_session);
KECS__FN void kecs__session_close(kecs__session *session);

KECS__FN void kecs__log(const kecs__engine *engine, kecs_log_level level, const char *format, ...)
    KECS_STORE_PRINTF(3, 4);

KECS__FN const kecs__meta *kecs__meta_of(const kecs__engine *engine, kecs_kind kind);

#endif
