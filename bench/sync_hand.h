/* bench/sync_hand.h -- what sync does, by hand: rows out of a SQLite file into PostgreSQL by binary COPY and one merge,
 * rows out of PostgreSQL by binary COPY into a SQLite file by an upsert. The later stamp of a row wins, whole.
 *
 * Both schemas are the store's own, without its triggers, so that tables and indexes are the same. What is written
 * besides the row is nothing: no log, no conflict, no record of what was sent. */
#ifndef BENCH_SYNC_HAND_H
#define BENCH_SYNC_HAND_H
#include "measure.h"

#include <libpq-fe.h>
#include <sqlite3.h>

#define SYNC_HAND_SCHEMA "hand"
#define SYNC_HAND_STAMPS "stamp_life,site_life,stamp_spec,site_spec,stamp_status,site_status"

enum { SYNC_HAND_BUFFER = 65536, SYNC_HAND_ROW = 16384, SYNC_HAND_PAGE = 10000, SYNC_HAND_COLUMNS = 64 };

/* What both directions share: the columns of tasks that travel, then the stamps. */
typedef struct sync_hand {
  PGconn *pg;
  char names[2048];
  char sets[8192]; /* "a=excluded.a,..." */
  kecs_column_type types[SYNC_HAND_COLUMNS];
  int count;
  char *buffer;
  size_t used;
} sync_hand;

static void sync_hand_check(const sync_hand *hand, PGresult *result, const char *doing) {
  ExecStatusType status = PQresultStatus(result);
  bench_check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN ||
                  status == PGRES_COPY_OUT,
              "by hand: %.200s: %s", doing, PQerrorMessage(hand->pg));
  PQclear(result);
}

static void sync_hand_run(const sync_hand *hand, const char *sql) {
  sync_hand_check(hand, PQexec(hand->pg, sql), sql);
}

static void sync_hand_column(sync_hand *hand, const char *name, kecs_column_type type) {
  size_t names = strlen(hand->names);
  size_t sets = strlen(hand->sets);
  const char *between = hand->count ? "," : "";
  snprintf(hand->names + names, sizeof hand->names - names, "%s%s", between, name);
  snprintf(hand->sets + sets, sizeof hand->sets - sets, "%s%s=excluded.%s", between, name, name);
  bench_check(hand->count < SYNC_HAND_COLUMNS, "too many columns");
  hand->types[hand->count++] = type;
}

static void sync_hand_open(sync_hand *hand, const char *url) {
  static const char *const stamps[] = {"stamp_life", "site_life",    "stamp_spec",
                                       "site_spec",  "stamp_status", "site_status"};
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK);
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group != KECS_GROUP_LOCAL) {
      sync_hand_column(hand, info->columns[i].name, info->columns[i].type);
    }
  }
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
    sync_hand_column(hand, stamps[i], KECS_TYPE_INT);
  }
  hand->buffer = malloc(SYNC_HAND_BUFFER + SYNC_HAND_ROW);
  hand->pg = PQconnectdb(url);
  bench_check(hand->buffer && PQstatus(hand->pg) == CONNECTION_OK, "by hand: %s", PQerrorMessage(hand->pg));
}

static void sync_hand_close(sync_hand *hand) {
  PQfinish(hand->pg);
  free(hand->buffer);
}

static void sync_hand_sqlite(sqlite3 *db, int code, const char *doing) {
  bench_check(code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW, "by hand: %.200s: %s", doing,
              sqlite3_errmsg(db));
}

static sqlite3 *sync_hand_file(const char *path) {
  sqlite3 *db = NULL;
  sync_hand_sqlite(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), path);
  sync_hand_sqlite(db,
                   sqlite3_exec(db,
                                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA "
                                "cache_size=-16384; PRAGMA wal_autocheckpoint=4000",
                                NULL, NULL, NULL),
                   "open");
  return db;
}

static sqlite3_stmt *sync_hand_prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement = NULL;
  sync_hand_sqlite(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL), sql);
  return statement;
}

/* ---- pushing ---- */

static void sync_hand_number(sync_hand *hand, uint64_t number, int size) {
  for (int i = size - 1; i >= 0; i--) {
    hand->buffer[hand->used++] = (char)(number >> (8 * i));
  }
}

static void sync_hand_flush(sync_hand *hand) {
  bench_check(PQputCopyData(hand->pg, hand->buffer, (int)hand->used) == 1, "by hand: %s", PQerrorMessage(hand->pg));
  hand->used = 0;
}

static void sync_hand_put(sync_hand *hand, sqlite3_stmt *rows) {
  sync_hand_number(hand, (uint64_t)hand->count, 2);
  for (int i = 0; i < hand->count; i++) {
    if (sqlite3_column_type(rows, i) == SQLITE_NULL) {
      sync_hand_number(hand, UINT32_MAX, 4);
    } else if (hand->types[i] == KECS_TYPE_TEXT || hand->types[i] == KECS_TYPE_JSON) {
      int len = sqlite3_column_bytes(rows, i);
      sync_hand_number(hand, (uint64_t)len, 4);
      memcpy(hand->buffer + hand->used, sqlite3_column_text(rows, i), (size_t)len);
      hand->used += (size_t)len;
    } else {
      int size = hand->types[i] == KECS_TYPE_BOOL ? 1 : 8;
      sync_hand_number(hand, (uint64_t)size, 4);
      sync_hand_number(hand, (uint64_t)sqlite3_column_int64(rows, i), size);
    }
  }
  if (hand->used >= SYNC_HAND_BUFFER) {
    sync_hand_flush(hand);
  }
}

/* All tasks of a file, in one transaction. */
static inline void sync_hand_push(sync_hand *hand, const char *path) {
  char sql[16384];
  sqlite3 *db = sync_hand_file(path);
  snprintf(sql, sizeof sql, "SELECT %s FROM tasks ORDER BY rid", hand->names);
  sqlite3_stmt *rows = sync_hand_prepare(db, sql);
  snprintf(sql, sizeof sql,
           "BEGIN; CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT %s FROM " SYNC_HAND_SCHEMA
           ".tasks LIMIT 0; COPY staged FROM STDIN (FORMAT binary)",
           hand->names);
  sync_hand_run(hand, sql);
  memcpy(hand->buffer, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  hand->used = 19;
  while (sqlite3_step(rows) == SQLITE_ROW) {
    sync_hand_put(hand, rows);
  }
  sync_hand_number(hand, UINT16_MAX, 2);
  sync_hand_flush(hand);
  bench_check(PQputCopyEnd(hand->pg, NULL) == 1, "by hand: %s", PQerrorMessage(hand->pg));
  for (PGresult *result = PQgetResult(hand->pg); result; result = PQgetResult(hand->pg)) {
    sync_hand_check(hand, result, "COPY");
  }
  snprintf(sql, sizeof sql,
           "INSERT INTO " SYNC_HAND_SCHEMA
           ".tasks AS t(tenant,family,pod_name,k8s_namespace,updated_at,version,omitted,%s) SELECT "
           "'default','','','',1,1,0,%s FROM staged ORDER BY arn ON CONFLICT(tenant,arn) DO UPDATE SET %s WHERE "
           "(excluded.stamp_life,coalesce(excluded.site_life,0))>(t.stamp_life,coalesce(t.site_life,0))",
           hand->names, hand->names, hand->sets);
  sync_hand_run(hand, sql);
  sync_hand_run(hand, "COMMIT");
  sqlite3_finalize(rows);
  sqlite3_close(db);
}

/* ---- pulling ---- */

static int64_t sync_hand_read(const char **at, int size) {
  uint64_t number = 0;
  for (int i = 0; i < size; i++) {
    number = number << 8 | (unsigned char)*(*at)++;
  }
  return size == 4 ? (int64_t)(int32_t)number : (int64_t)number;
}

static void sync_hand_bind(const sync_hand *hand, sqlite3_stmt *upsert, const char *at) {
  for (int i = 0; i < hand->count; i++) {
    int len = (int)sync_hand_read(&at, 4);
    if (len < 0) {
      sqlite3_bind_null(upsert, i + 1);
    } else if (hand->types[i] == KECS_TYPE_TEXT || hand->types[i] == KECS_TYPE_JSON) {
      sqlite3_bind_text(upsert, i + 1, at, len, SQLITE_STATIC);
      at += len;
    } else {
      sqlite3_bind_int64(upsert, i + 1, sync_hand_read(&at, len));
    }
  }
}

static sqlite3_stmt *sync_hand_upsert(const sync_hand *hand, sqlite3 *db) {
  char sql[16384];
  char marks[256] = "?";
  for (int i = 1; i < hand->count; i++) {
    strcat(marks, ",?");
  }
  snprintf(sql, sizeof sql,
           "INSERT INTO tasks(%s,family,updated_at,version,omitted) VALUES(%s,'',1,1,0) ON CONFLICT(arn) DO UPDATE SET "
           "%s WHERE (excluded.stamp_life,coalesce(excluded.site_life,0))>(tasks.stamp_life,coalesce(tasks.site_life,"
           "0))",
           hand->names, marks, hand->sets);
  return sync_hand_prepare(db, sql);
}

/* All tasks of a tenant of the hub, in transactions of SYNC_HAND_PAGE rows. */
static inline void sync_hand_pull(sync_hand *hand, const char *path, const char *schema, const char *tenant) {
  char sql[8192];
  char *data = NULL;
  int got = 0;
  int rows = 0;
  sqlite3 *db = sync_hand_file(path);
  sqlite3_stmt *upsert = sync_hand_upsert(hand, db);
  snprintf(sql, sizeof sql, "COPY (SELECT %s FROM %s.tasks WHERE tenant='%s' ORDER BY rid) TO STDOUT (FORMAT binary)",
           hand->names, schema, tenant);
  sync_hand_run(hand, sql);
  sync_hand_sqlite(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), "BEGIN");
  while ((got = PQgetCopyData(hand->pg, &data, 0)) > 0) {
    const char *at = data + (rows == 0 ? 19 : 0); /* the header comes with the first row */
    if (sync_hand_read(&at, 2) == hand->count) {
      sync_hand_bind(hand, upsert, at);
      sync_hand_sqlite(db, sqlite3_step(upsert), "upsert");
      sqlite3_reset(upsert);
      rows++;
    }
    PQfreemem(data);
    if (rows % SYNC_HAND_PAGE == 0) {
      sync_hand_sqlite(db, sqlite3_exec(db, "COMMIT; BEGIN IMMEDIATE", NULL, NULL, NULL), "COMMIT");
    }
  }
  for (PGresult *result = PQgetResult(hand->pg); result; result = PQgetResult(hand->pg)) {
    sync_hand_check(hand, result, "COPY");
  }
  sync_hand_sqlite(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), "COMMIT");
  sqlite3_finalize(upsert);
  sqlite3_close(db);
}

#endif
