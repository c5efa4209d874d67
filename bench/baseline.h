/* bench/baseline.h -- the same work by hand: SQLite's C API, prepared statements, no layer in between.
 *
 * It is what a careful program would do for itself: connections without SQLite's mutex, WAL, synchronous=NORMAL, the
 * same page caches, checkpoints and foreign keys as the store has, one persistent statement for each piece of work, and
 * for a row that is read a struct of its own with all texts copied behind it, in one allocation. The file's schema is
 * the store's, so that tables and indexes are the same. */
#ifndef BENCH_BASELINE_H
#define BENCH_BASELINE_H
#include "columns.h"
#include "rows.h"

#include <sqlite3.h>

typedef struct baseline_block {
  struct baseline_block *next;
  size_t used;
  size_t size;
  char bytes[];
} baseline_block;

/* Rows that were read, and all that they point to. */
typedef struct baseline_rows {
  kecs_task *tasks;
  int count;
  baseline_block *block;
} baseline_rows;

typedef struct baseline {
  sqlite3 *reader;
  sqlite3 *writer;
  sqlite3_stmt *begin;
  sqlite3_stmt *commit;
  sqlite3_stmt *get;
  sqlite3_stmt *get_in_transaction;
  sqlite3_stmt *insert;
  sqlite3_stmt *update_reason;
  sqlite3_stmt *update_status;
  sqlite3_stmt *first_page;
  sqlite3_stmt *next_page;
  sqlite3_stmt *cluster_page;
} baseline;

/* ---- opening ---- */

static void baseline_ok(sqlite3 *db, int rc, const char *doing) {
  bench_check(rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW, "baseline: %s: %s", doing, sqlite3_errmsg(db));
}

static void baseline_run(sqlite3 *db, const char *sql) {
  baseline_ok(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static sqlite3 *baseline_connect(const char *path, int cache_kib) {
  sqlite3 *db = NULL;
  char sql[256];
  int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  baseline_ok(db, rc, path);
  snprintf(sql, sizeof sql,
           "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
           "PRAGMA cache_size=-%d; PRAGMA wal_autocheckpoint=4000",
           cache_kib);
  baseline_run(db, sql);
  sqlite3_busy_timeout(db, 10000);
  /* Without it SQLite prepares a statement anew whenever a parameter that LIMIT uses is bound. */
  (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, (int *)NULL);
  return db;
}

static sqlite3_stmt *baseline_prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement = NULL;
  baseline_ok(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), sql);
  return statement;
}

/* `cache_kib` as in kecs_options: of the writer; the reader has a quarter. */
static void baseline_open(baseline *base, const char *path, int cache_kib) {
  base->reader = baseline_connect(path, cache_kib / 4);
  base->writer = baseline_connect(path, cache_kib);
  base->begin = baseline_prepare(base->writer, "BEGIN IMMEDIATE");
  base->commit = baseline_prepare(base->writer, "COMMIT");
  base->get = baseline_prepare(base->reader, "SELECT " BASELINE_NAMES " FROM tasks WHERE arn=?");
  base->get_in_transaction = baseline_prepare(base->writer, "SELECT " BASELINE_NAMES " FROM tasks WHERE arn=?");
  base->insert =
      baseline_prepare(base->writer, "INSERT INTO tasks(" BASELINE_NAMES ") VALUES(?" BASELINE_ALL(BASELINE_MARK) ")");
  base->update_reason =
      baseline_prepare(base->writer, "UPDATE tasks SET stopped_reason=?,version=version+1,updated_at=? WHERE arn=?");
  base->update_status =
      baseline_prepare(base->writer, "UPDATE tasks SET last_status=?,version=version+1,updated_at=? WHERE arn=?");
  base->first_page =
      baseline_prepare(base->reader, "SELECT " BASELINE_NAMES " FROM tasks ORDER BY created_at DESC,arn LIMIT ?");
  base->next_page = baseline_prepare(base->reader, "SELECT " BASELINE_NAMES
                                                   " FROM tasks WHERE created_at<=?1 AND (created_at<?1 OR arn>?2) "
                                                   "ORDER BY created_at DESC,arn LIMIT ?3");
  base->cluster_page = baseline_prepare(
      base->reader, "SELECT " BASELINE_NAMES " FROM tasks WHERE cluster_arn=? ORDER BY created_at DESC,arn LIMIT ?");
}

static void baseline_close(baseline *base) {
  sqlite3 *const connections[] = {base->reader, base->writer};
  for (int i = 0; i < 2; i++) {
    sqlite3_stmt *statement;
    while ((statement = sqlite3_next_stmt(connections[i], NULL)) != NULL) {
      (void)sqlite3_finalize(statement);
    }
    bench_check(sqlite3_close(connections[i]) == SQLITE_OK, "baseline: close");
  }
}

static void baseline_step(sqlite3_stmt *statement) {
  int rc = sqlite3_step(statement);
  baseline_ok(sqlite3_db_handle(statement), rc, "run a statement");
  (void)sqlite3_reset(statement);
}

/* ---- reading ---- */

static baseline_rows baseline_rows_new(int count) {
  size_t head = (size_t)count * sizeof(kecs_task);
  size_t size = head + (size_t)count * 2048;
  baseline_rows rows = {NULL, 0, malloc(sizeof(baseline_block) + size)};
  bench_check(rows.block != NULL, "out of memory");
  rows.block->next = NULL;
  rows.block->used = head;
  rows.block->size = size;
  rows.tasks = (kecs_task *)(void *)rows.block->bytes;
  return rows;
}

static void baseline_rows_free(baseline_rows *rows) {
  while (rows->block) {
    baseline_block *next = rows->block->next;
    free(rows->block);
    rows->block = next;
  }
}

static char *baseline_room(baseline_rows *rows, size_t size) {
  if (rows->block->size - rows->block->used < size) {
    size_t room = size > 65536 ? size : 65536;
    baseline_block *block = malloc(sizeof *block + room);
    bench_check(block != NULL, "out of memory");
    block->next = rows->block;
    block->used = 0;
    block->size = room;
    rows->block = block;
  }
  char *at = rows->block->bytes + rows->block->used;
  rows->block->used += size;
  return at;
}

static const char *baseline_text(baseline_rows *rows, sqlite3_stmt *statement, int column) {
  const char *text = (const char *)sqlite3_column_text(statement, column);
  if (!text) {
    return NULL;
  }
  size_t size = (size_t)sqlite3_column_bytes(statement, column) + 1;
  return memcpy(baseline_room(rows, size), text, size);
}

#define BASELINE_READ_TEXT(name) task->name = baseline_text(rows, statement, column++);
#define BASELINE_READ_NUMBER(name) task->name = sqlite3_column_int64(statement, column++);
#define BASELINE_READ_FLAG(name) task->name = sqlite3_column_int(statement, column++) != 0;

static void baseline_read(baseline_rows *rows, sqlite3_stmt *statement) {
  kecs_task *task = &rows->tasks[rows->count++];
  int column = 0;
  BASELINE_READ_TEXT(arn)
  BASELINE_COLUMNS(BASELINE_READ_TEXT, BASELINE_READ_NUMBER, BASELINE_READ_NUMBER, BASELINE_READ_FLAG,
                   BASELINE_READ_NUMBER)
}

/* `get` is one of the two statements; tasks that are not there are left out. */
static baseline_rows baseline_get_many(sqlite3_stmt *get, char (*arns)[BENCH_ARN], int count) {
  baseline_rows rows = baseline_rows_new(count);
  for (int i = 0; i < count; i++) {
    sqlite3_bind_text(get, 1, arns[i], -1, SQLITE_STATIC);
    int rc = sqlite3_step(get);
    baseline_ok(sqlite3_db_handle(get), rc, "get");
    if (rc == SQLITE_ROW) {
      baseline_read(&rows, get);
    }
    (void)sqlite3_reset(get);
  }
  return rows;
}

/* The parameters but the last, which is the limit, are bound. */
static baseline_rows baseline_page(sqlite3_stmt *page, int limit) {
  baseline_rows rows = baseline_rows_new(limit);
  sqlite3_bind_int(page, sqlite3_bind_parameter_count(page), limit);
  int rc;
  while ((rc = sqlite3_step(page)) == SQLITE_ROW) {
    baseline_read(&rows, page);
  }
  baseline_ok(sqlite3_db_handle(page), rc, "read a page");
  (void)sqlite3_reset(page);
  return rows;
}

/* ---- writing ---- */

static void baseline_bind_text(sqlite3_stmt *statement, int at, const char *text) {
  if (text) {
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
  } else {
    sqlite3_bind_null(statement, at);
  }
}

static void baseline_bind_time(sqlite3_stmt *statement, int at, int64_t micros) {
  if (micros) {
    sqlite3_bind_int64(statement, at, micros);
  } else {
    sqlite3_bind_null(statement, at);
  }
}

#define BASELINE_BIND_TEXT(name) baseline_bind_text(statement, ++at, task->name);
#define BASELINE_BIND_TIME(name) baseline_bind_time(statement, ++at, task->name);
#define BASELINE_BIND_NUMBER(name) sqlite3_bind_int64(statement, ++at, task->name);

/* The row as it is to be stored: with its times and its version. */
static void baseline_insert(sqlite3_stmt *statement, const kecs_task *task) {
  int at = 0;
  BASELINE_BIND_TEXT(arn)
  BASELINE_COLUMNS(BASELINE_BIND_TEXT, BASELINE_BIND_TIME, BASELINE_BIND_NUMBER, BASELINE_BIND_NUMBER,
                   BASELINE_BIND_NUMBER)
  baseline_step(statement);
}

/* `task` without what a program that inserts would know by itself. */
static void baseline_create(baseline *base, const kecs_task *task) {
  kecs_task row = *task;
  row.updated_at = bench_now_us();
  row.version = 1;
  baseline_insert(base->insert, &row);
}

/* `update` is update_reason or update_status. */
static void baseline_update(sqlite3_stmt *update, const char *arn, const char *value) {
  sqlite3_bind_text(update, 1, value, -1, SQLITE_STATIC);
  sqlite3_bind_int64(update, 2, bench_now_us());
  sqlite3_bind_text(update, 3, arn, -1, SQLITE_STATIC);
  baseline_step(update);
  bench_check(sqlite3_changes(sqlite3_db_handle(update)) == 1, "baseline: no task %s", arn);
}

#endif
