/* sqlite/connection.h -- one SQLite connection: how it is opened, and how its errors become ours. */
#ifndef KECS_SQLITE_CONNECTION_H
#define KECS_SQLITE_CONNECTION_H
#include "base/memory.h"
#include "sqlite/sqlite_header.h"
#include "store/backend.h"

struct kecs_connection {
  sqlite3 *db;
  const kecs_allocator *allocator;
  const kecs_logger *logger;
  char *path;
  int busy_timeout_ms;
  int64_t busy_since_us; /* when the running wait for another connection began */
  int page_bytes;        /* of a file that is made; 0: SQLite's own */
  int log_kib;
  bool (*should_stop)(void *user);
  void *should_stop_user;
  const volatile uint32_t *index; /* of the write-ahead log, where the mark is read; NULL: not looked for yet */
  bool deaf;                /* the stop hook is not asked: a rollback, a commit or a write runs */
  sqlite3_stmt *begin_write; /* BEGIN IMMEDIATE: a transaction that may write never starts as a reader */
  sqlite3_stmt *begin_read;
  sqlite3_stmt *commit;
  sqlite3_stmt *rollback; /* made ahead: it must run when there is no memory left */
};

struct kecs_statement {
  kecs_connection *connection;
  sqlite3_stmt *handle;
};

KECS__FN kecs_status kecs__sqlite_connect(const kecs_connect_options *options, kecs_connection **out_connection);
KECS__FN void kecs__sqlite_disconnect(kecs_connection *connection);

/* sqlite/settings.c: the first look into the file; what is set on each connection, and on the file; what is there. */
KECS__FN int kecs__sqlite_look(kecs_connection *connection, const kecs_connect_options *options);
KECS__FN kecs_status kecs__sqlite_configure(kecs_connection *connection, const kecs_connect_options *options);
KECS__FN kecs_status kecs__sqlite_settle(kecs_connection *connection);
KECS__FN kecs_status kecs__sqlite_tidy(kecs_connection *connection);
KECS__FN kecs_status kecs__sqlite_describe(kecs_connection *connection, kecs_info *out_info);

/* sqlite/mark.c: kecs_backend.mark */
KECS__FN bool kecs__sqlite_mark(kecs_connection *connection, kecs_mark *out_mark);

/* Steps one of the connection's own statements to its end. */
KECS__FN kecs_status kecs__sqlite_run_fixed(kecs_connection *connection, sqlite3_stmt **statement);

/* Records a SQLite result code as the thread's error: our code, SQLite's own, and a line that says what to do. */
KECS__FN kecs_status kecs__sqlite_fail(kecs_connection *connection, int rc, const char *doing);

#endif
