/* ---- Backends ---------------------------------------------------------------------------------------------- */
/* What a database must offer to carry a store: a table of functions. kecs_store_pg.h fills one in; others can. The
 * store makes all SQL, from the kinds and the backend's dialect; a backend never sees a kind. Every function that
 * returns a status records the failure with kecs_backend_fail; out pointers are NULL then. One connection is used by
 * one thread at a time, not always the same one. */
#ifndef KECS_STORE_BACKEND_H
#define KECS_STORE_BACKEND_H
#include "store/record.h"

#define KECS_BACKEND_ABI 5

typedef struct kecs_connection kecs_connection; /* each backend's own */
typedef struct kecs_statement kecs_statement;

typedef enum kecs_value_type {
  KECS_VALUE_NULL,
  KECS_VALUE_INT,
  KECS_VALUE_BOOL,
  KECS_VALUE_TIME,
  KECS_VALUE_TEXT
} kecs_value_type;

/* A parameter or a column. Texts are borrowed: a parameter's until the statement is reset, a column's until the next
 * step. */
typedef struct kecs_value {
  kecs_value_type type;
  size_t len;       /* of text, in bytes */
  const char *text; /* KECS_VALUE_TEXT; terminated */
  int64_t number;   /* INT; BOOL 0 or 1; TIME microseconds since 1970 */
} kecs_value;

/* How the database wants its SQL. Everything but `tenant` is a text, which may be empty. */
typedef struct kecs_dialect {
  const char *type_text;
  const char *type_int;
  const char *type_bool;
  const char *type_time;
  const char *type_rid;       /* "INTEGER PRIMARY KEY" */
  const char *table_options;  /* after the closing parenthesis: " STRICT" */
  char placeholder;           /* '?' or '$', followed by the parameter's number */
  const char *schema;         /* put before every table's name: "kecs." */
  const char *tenant;         /* whose rows the store sees, as a quoted literal; every table then leads with a column
                               * `tenant`, and every statement asks for it. NULL: tables have no such column */
  const char *lock_rows;      /* after a SELECT of rows that the running write may change: " FOR NO KEY UPDATE" */
  const char *returning_rid;  /* after an INSERT: " RETURNING rid", and behind that what the backend itself asks for */
  const char *returning_own;  /* after an UPDATE or DELETE of one row: what the backend asks for. NULL: nothing */
  const char *find_text;      /* the function that gives a text's place in another: "instr" */
  const char *highest;        /* the function that gives the highest of several numbers: "max" */
  const char *bytewise;       /* after a parameter that must compare by bytes: " COLLATE ..." */
  const char *on_delete_null; /* what a foreign key does to children that outlive their parent: "SET NULL" */
  const char *own_place;      /* what a store must have for itself: "a file of its own" */
  bool
      failure_ends_transaction; /* after a failed statement every other fails until a rollback, or one to a savepoint */
  bool whole_results; /* all rows of a result are in memory at once: long walks are cut into pages */
  bool plain_limits;  /* a LIMIT is written as a number: with a parameter each page would be planned anew */
} kecs_dialect;

/* What a database is at. Equal marks: nobody has committed in between. */
typedef struct kecs_mark {
  uint32_t commits; /* goes up by one with each commit that changes rows */
  uint32_t words[3];
} kecs_mark;

/* What a backend makes of a path, once for every store. It lives as long as the store. */
typedef struct kecs_place {
  const kecs_dialect *dialect;
  const char *shown; /* the path as messages may show it: without secrets */
  void *own;         /* the backend's */
  /* Where writers write side by side: how many connections a store may have and keeps, each for reading and writing,
   * and what the place itself says of their times (negative: no limit, 0: nothing). */
  int pool_max;
  int pool_min;
  kecs_pool_options pool;
  bool splits_reads; /* reads outside transactions have connections of their own (kecs_connect_options.reader) */
} kecs_place;

typedef struct kecs_connect_options {
  const char *path;
  const kecs_place *place;
  bool read_only;
  bool may_create;          /* the first connection of a store that may be made */
  bool opening;             /* the first connection of a store: a server that only starts may be waited for */
  bool reader;              /* will only read, beside those that write */
  bool full_durability;
  bool no_foreign_keys;
  int busy_timeout_ms;
  int acquire_ms; /* how long a call may wait for a connection; 0: not at all */
  int cache_kib;
  int page_bytes;           /* of a file that is made; 0: the backend's own */
  int log_kib;              /* a write-ahead log is emptied beyond this size; 0: the backend's own */
  bool small;               /* memory counts more than speed */
  const kecs_allocator *allocator; /* these three live as long as the connection */
  const kecs_logger *logger;
  bool (*should_stop)(void *user); /* asked now and then while a statement runs; true: stop with KECS_E_CANCELLED */
  void *should_stop_user;
} kecs_connect_options;

/* A change log that the database fills by itself, by triggers: writes of every program are logged then. Where writers
 * commit side by side, none of them can number its changes: entries get their numbers after the commit, by whoever
 * reads. The log's tables are named and read as those that the store makes (store/feed.h). */
typedef struct kecs_backend_log {
  /* In the transaction that makes or migrates the tables: makes the log's. */
  kecs_status (*make)(kecs_connection *connection);
  /* In a writing transaction of its own: switches it on or off for the store's tenant; nothing where it is so. */
  kecs_status (*turn)(kecs_connection *connection, bool on);
  /* Outside of a transaction: numbers what is committed. When somebody else does just now, it does nothing. */
  kecs_status (*number)(kecs_connection *connection);
  /* On a connection that is kept for this alone, now and then: whether somebody has numbered entries since it was last
   * asked. It waits for nothing once it listens; *out_listens is false where nothing would be heard. May be NULL. */
  kecs_status (*hear)(kecs_connection *connection, bool *out_listens, bool *out_heard);
  /* In a writing transaction: entries below this sequence are gone, and so may be what else is kept of them. */
  kecs_status (*trim)(kecs_connection *connection, int64_t floor);
  /* In a writing transaction: who writes what follows in it, and why, for the history; NULL: nobody, no reason. A
   * rollback to a savepoint from before takes it back. Nothing need be sent before the next statement. */
  kecs_status (*say)(kecs_connection *connection, const char *actor, const char *reason);
  /* In a writing transaction, before what kinds have a history is changed: waits for whoever writes, numbers what they
   * have logged, and lets nobody write until the end. */
  kecs_status (*settle)(kecs_connection *connection);
  /* Then: what rows of these kinds were is kept from now on, by their bits. */
  kecs_status (*keep)(kecs_connection *connection, uint64_t kinds);
} kecs_backend_log;

/* One of several statements that are started together. */
typedef struct kecs_start {
  kecs_statement *statement; /* others may start the same */
  const kecs_value *parameters;
  int count;
  void *answer;       /* out: the backend's, for lend_answer; NULL where there is none */
  kecs_status status; /* out: a failure of this statement alone */
  kecs_error error;   /* out: of that failure */
} kecs_start;

struct kecs_backend {
  int abi;          /* KECS_BACKEND_ABI */
  const char *name; /* "sqlite" */
  bool (*answers_to)(const char *path); /* whether it opens such a path or URL */
  bool (*shares)(const char *path);     /* whether several connections see one database (not ":memory:") */
  bool one_writer; /* writers wait for each other, and commits are dear: writes of several threads share one */
  kecs_status (*attach)(const char *path, const kecs_allocator *allocator,
                        kecs_place *out_place);                       /* connects nowhere */
  void (*detach)(kecs_place *place, const kecs_allocator *allocator); /* works on a zeroed place */
  kecs_status (*connect)(const kecs_connect_options *options, kecs_connection **out_connection);
  void (*disconnect)(kecs_connection *connection);
  kecs_status (*settle)(kecs_connection *connection); /* settings that change the database, once it is known as ours */
  /* The first call in the transaction that makes or migrates the tables: nobody else may do so until it ends. May be
   * NULL where a writing transaction is alone anyway. */
  kecs_status (*keep_out)(kecs_connection *connection);
  kecs_status (*begin)(kecs_connection *connection, bool write);
  kecs_status (*commit)(kecs_connection *connection); /* on failure the caller rolls back */
  void (*rollback)(kecs_connection *connection);      /* cannot fail: at worst the connection is unusable and says so */
  /* What became of a transaction whose commit gave OUTCOME_UNKNOWN; the name is kecs_backend_fail_commit's. May wait
   * for it to end. NULL where commits can't fail like that. */
  kecs_status (*outcome)(kecs_connection *connection, const char *transaction, kecs_outcome *out_outcome);
  bool (*in_transaction)(kecs_connection *connection); /* false once the database itself has rolled back */
  kecs_status (*execute)(kecs_connection *connection, const char *sql); /* one or more statements, no parameters */
  kecs_status (*prepare)(kecs_connection *connection, const char *sql, size_t len, kecs_statement **out_statement);
  kecs_status (*start)(kecs_statement *statement, const kecs_value *parameters, int count);
  kecs_status (*step)(kecs_statement *statement, bool *out_row); /* false: done */
  /* The row's values. `types` says what each is, if it is not NULL; KECS_VALUE_NULL there, or no types: find out. A
   * number that is NULL may be given as 0 where its type is said. */
  void (*columns)(kecs_statement *statement, const kecs_value_type *types, kecs_value *out, int count);
  void (*reset)(kecs_statement *statement);
  void (*finish)(kecs_statement *statement);
  /* What waits in a log is moved to where it belongs, as far as that goes at once; nothing is written where nothing
   * waits. NULL: there is nothing of the kind. */
  kecs_status (*tidy)(kecs_connection *connection);
  int64_t (*changes)(kecs_connection *connection);  /* rows of the last insert, update or delete */
  int64_t (*last_rid)(kecs_connection *connection); /* of the last insert */
  kecs_status (*table_columns)(kecs_connection *connection, const char *table,
                               kecs_status (*visit)(const char *column, void *user), void *user);
  kecs_status (*table_names)(kecs_connection *connection, kecs_status (*visit)(const char *table, void *user),
                             void *user);
  kecs_status (*describe)(kecs_connection *connection, kecs_info *out_info); /* settings as read back, and sizes */
  /* start for the last statement of a writing transaction, and commit, in one exchange with a server: where it returns
   * KECS_OK the transaction is committed. A failure is that of start, of commit, or OUTCOME_UNKNOWN; the caller rolls
   * back. The statement gives no rows; how many it has changed, `changes` says. NULL: there is nothing to gain. */
  kecs_status (*start_last)(kecs_statement *statement, const kecs_value *parameters, int count);
  /* Inserts many rows into a table: `values` has `count` of them a row, in the order of `columns` ("arn,id,..."), as
   * parameters of `insert`, which inserts one. All are inserted or none; after a failure it need not be known which row
   * was the reason. *commit: the transaction may be committed with it, as start_last does; false afterwards where it
   * was not. NULL: rows are inserted one by one. */
  kecs_status (*insert_many)(kecs_statement *insert, const char *table, const char *columns, const kecs_value *values,
                             int count, size_t rows, bool *commit);
  /* start for one statement many times, each with the next `count` values; all or nothing, and `commit` as in
   * insert_many. `changes` then says how many rows all of them have changed. NULL where `load` is. */
  kecs_status (*repeat)(kecs_statement *statement, const kecs_value *values, int count, size_t times, bool *commit);
  /* Inserts rows into a temporary table of the open transaction, which has these columns and no other. NULL: there are
   * no such tables, or nothing is to gain by them. */
  kecs_status (*load)(kecs_connection *connection, const char *table, const char *columns, const kecs_value *values,
                      int count, size_t rows);
  /* start for several statements that only read, in one exchange with a server. A failure of one of them is noted with
   * it, and concerns none of the others; inside a transaction, and where it is the connection's, it is that of all.
   * NULL, as the next two then are: there is nothing to gain. */
  kecs_status (*start_many)(kecs_connection *connection, kecs_start *const *starts, size_t count);
  /* The statement steps through an answer, as if it had just been started, until its reset; the answer stays. */
  void (*lend_answer)(kecs_statement *statement, void *answer);
  void (*drop_answer)(void *answer); /* NULL is fine */
  /* Whether the triggers that log changes fire for this connection's writes. Off: the store logs them itself. NULL: the
   * store does not. */
  kecs_status (*guard)(kecs_connection *connection, bool on);
  /* The database logs changes. NULL: it does not. Without either of the two the backend has no change log, and
   * options.track is KECS_E_UNSUPPORTED. */
  const kecs_backend_log *log;
  /* The database's mark, as it is this moment, whoever has committed: asked before each answer of the row cache, by any
   * thread, while another may use the connection; so it takes nanoseconds and touches nothing. False: it can't be told.
   * NULL: never; then the row cache is off where other processes may write. */
  bool (*mark)(kecs_connection *connection, kecs_mark *out_mark);
  int64_t (*changes_ever)(kecs_connection *connection); /* rows that it has changed since it was opened; with `mark` */
};

/* For backends: records a failure with the database's own codes and returns `status`. sqlstate may be NULL. */
KECS_STORE_API kecs_status kecs_backend_fail(kecs_status status, int native_code, const char *sqlstate,
                                             const char *text);

/* For backends: records KECS_E_OUTCOME_UNKNOWN with the transaction's name, and returns it. */
KECS_STORE_API kecs_status kecs_backend_fail_commit(const char *transaction, const char *text);

/* The backend that every store has: SQLite, in a file or in memory. */
KECS_STORE_API const kecs_backend *kecs_sqlite_backend(void);

#endif
