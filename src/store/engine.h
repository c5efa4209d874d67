/* store/engine.h -- what stands behind a kecs_store: the engine that all handles of one database share, its sessions
 * (a connection and its prepared statements), and what every call asks of its handle. */
#ifndef KECS_STORE_ENGINE_H
#define KECS_STORE_ENGINE_H
#include "base/memory.h"
#include "base/thread.h"
#include "store/backend.h"

typedef struct kecs__special kecs__special; /* store/special.h */

/* What the descriptors of a kind say, looked up once per store. Columns are numbers, -1 where a kind has none. */
typedef struct kecs__meta {
  const kecs_kind_info *info;
  const kecs__special *special; /* never NULL */
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
  uint16_t texts[64];        /* offsets of those that are texts */
  int text_count;
  char *columns;             /* "arn,id,..." */
  size_t columns_len;
} kecs__meta;

/* A prepared statement in a session's cache. */
typedef struct kecs__cached {
  uint64_t hash;
  int kind; /* whose table it is about; of a text, only where it changes that */
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
  uint64_t history;        /* bit n: what rows of kind n were is kept (history_log.h) */
  uint64_t said;           /* who writes and why, as the database was told it in this transaction: a hash; 0: nothing */
  int64_t seq;             /* of the last of them */
  int64_t stamp;           /* the last that was given out */
  uint64_t marked;         /* bit n: marks[n] was read */
  int64_t marks[KECS_KIND_COUNT]; /* no new row of the kind has this rid or a lower one */
} kecs__place;

enum { KECS__CACHE_BUCKETS = 256 };

/* What a transaction has changed, as far as the row cache wants to know (cache.h): nothing of it enters. */
typedef struct kecs__hold {
  bool any;
  bool parents;   /* a cluster or service has come or gone */
  uint64_t lists; /* kinds, by their bits */
  uint64_t kinds; /* kinds of which any row may have been changed */
  uint32_t rows[KECS__CACHE_BUCKETS / 32];
} kecs__hold;

typedef struct kecs__engine kecs__engine;
typedef struct kecs__cache kecs__cache; /* store/cache.h */
typedef struct kecs__gather kecs__gather; /* store/gather.h */
typedef struct kecs__turn kecs__turn; /* store/turns.c */
typedef struct kecs__waiter kecs__waiter; /* store/pool.c */
typedef struct kecs__change kecs__change; /* store/write.h */

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
  kecs__hold hold;
  bool committed;             /* the transaction that kecs__cache_begun was told of */
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
  kecs__cache *cache;      /* of rows; NULL: there is none */
  bool cache_wanted;       /* by the options */
  int cache_entries;       /* 0: none is wanted */
  int cache_rows_kib;
  int64_t cache_ttl_us;
  int64_t cache_staleness_us; /* how old an answer may be where other processes' writes are not seen; 0: not at all */

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
  int64_t clock_offset;      /* what stamps are ahead of the clock, microseconds; the writer's */
  int keeps;                 /* likewise: and what rows were is kept. Only where the database keeps it */
  kecs__condition changed;   /* with the mutex: what follows has changed */
  uint64_t feed_turn;        /* goes up when there may be new entries */
  int64_t feed_seen;         /* the newest entry that somebody here has seen */
  int64_t feed_look_ms;      /* when somebody is to look next */
  int watch_count;           /* open ones */
  kecs__session *ear;        /* hears what the database says by itself; not of the pool (ear.c) */
  bool ear_taken;            /* by a thread that asks what it has heard */
  int64_t ear_next_ms;       /* when to ask next */
};

enum { KECS__MAGIC_OPEN = 0x6b656373, KECS__MAGIC_ENDED = 0x64656164 };

struct kecs_store {
  unsigned magic; /* one of the two above */
  kecs__engine *engine;
  kecs_store *parent;      /* of a transaction */
  kecs__session *session;  /* of a transaction */
  int depth;               /* 0: the store; 1: a transaction; more: a savepoint */
  kecs_store *inner;       /* the open savepoint inside a transaction; guarded by the engine's mutex */
  bool lent;               /* to a function that kecs_transact runs: that one ends it */
  int walks;               /* that read through it just now */
  bool broken;             /* the database ended the transaction by itself */
  int cancelled;           /* by kecs__flag_get */
  int timed;               /* likewise: there is a deadline */
  int64_t deadline;        /* guarded by the engine's mutex in a store; the owner's in a transaction */
  char *actor;             /* who writes, and why, for the history: NULL as the parent says; guarded likewise */
  char *reason;
  kecs_store *next;
};

typedef struct kecs__write kecs__write;

/* Rows that are deleted because another store has deleted them, or their parent: the tombstones are its, not ours. */
typedef struct kecs__burial {
  int64_t stamp;
  int64_t site;
  kecs_status (*lose)(kecs__write *write, const kecs__meta *meta, int64_t rid); /* before each of them */
  const struct kecs_replica *side;
  int conflicts;  /* that `lose` has noted */
  int kind;       /* and rid, of the row that is deleted itself */
  int64_t rid;
} kecs__burial;

/* A write: in a transaction of its own, or as a part of the handle's. */
struct kecs__write {
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
  const char *actor;  /* for the history, once `noted` */
  const char *reason;
  bool noted;
  bool make_parents; /* an insert makes the parents that are missing, bare (KECS_JSON_PARENTS) */
  kecs__burial *burial; /* what is deleted, another store has deleted; what is cleared with it is not stamped */
};

/* MISUSE unless `store` is an open handle. */
KECS__FN kecs_status kecs__check_handle(const kecs_store *store);

/* TIMEOUT or CANCELLED when this handle, or one that it was begun from, is past its deadline or cancelled. */
KECS__FN kecs_status kecs__check_stop(const kecs_store *store, int64_t deadline);

/* INVALID naming the argument when a required pointer is NULL. */
KECS__FN kecs_status kecs__check_pointer(const void *pointer, const char *name);

/* The deadline that holds for a call that starts now. */
KECS__FN int64_t kecs__handle_deadline(kecs_store *store);

/* MISUSE while a savepoint inside the transaction is open: what is written meanwhile would be undone with it. */
KECS__FN kecs_status kecs__check_innermost(const kecs_store *store);

/* MISUSE when the transaction, or one around it, is lost. */
KECS__FN kecs_status kecs__check_transaction(const kecs_store *tx);

/* MISUSE: the call would wait for what its own thread holds. */
KECS__FN kecs_status kecs__fail_own_writer(void);

/* How long a wait may still take, in milliseconds: until then by the monotonic clock, and no longer than the deadline.
 */
KECS__FN int64_t kecs__wait_left(const kecs__engine *engine, int64_t until_ms, int64_t deadline);

/* TIMEOUT when the read has been open for longer than options.pool.read_age_ms. */
KECS__FN kecs_status kecs__check_read_age(const kecs__session *session);

KECS__FN void kecs__log(const kecs__engine *engine, kecs_log_level level, const char *format, ...)
    KECS_STORE_PRINTF(3, 4);

KECS__FN const kecs__meta *kecs__meta_of(const kecs__engine *engine, kecs_kind kind);

#endif
