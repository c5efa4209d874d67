/* bench/files.h -- the files that are measured: made once, kept between runs, copied for what writes. */
#ifndef BENCH_FILES_H
#define BENCH_FILES_H
#include "baseline.h"

#include <sys/stat.h>
#include <unistd.h>

enum { BENCH_PATH = 512, BENCH_INDEXES_MAX = 64 };

static void bench_remove(const char *path) {
  static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
  char name[BENCH_PATH + 16];
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    snprintf(name, sizeof name, "%s%s", path, endings[i]);
    (void)unlink(name);
  }
}

static void bench_copy(const char *from, const char *to) {
  static char buffer[1 << 20];
  bench_remove(to);
  FILE *in = fopen(from, "rb");
  FILE *out = fopen(to, "wb");
  bench_check(in && out, "can't copy %s to %s", from, to);
  size_t len;
  while ((len = fread(buffer, 1, sizeof buffer, in)) > 0) {
    bench_check(fwrite(buffer, 1, len, out) == len, "can't write %s", to);
  }
  (void)fclose(in);
  bench_check(fclose(out) == 0, "can't write %s", to);
}

static kecs_store *bench_open(const char *path, int cache_kib) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = path;
  options.region = BENCH_REGION;
  options.account_id = BENCH_ACCOUNT;
  options.cache_kib = cache_kib;
  options.row_cache.entries = -1; /* what is measured is the database */
  bench_ok(kecs_open(&options, &store), path);
  return store;
}

/* An empty store: the schema, and the clusters and services. */
static void bench_make_empty(const char *path) {
  bench_remove(path);
  kecs_store *store = bench_open(path, 0);
  bench_parents(store);
  bench_ok(kecs_close(store), "close");
}

/* One number out of a file; -1 when it can't be had. */
static int64_t bench_ask(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  int64_t number = -1;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
      sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
    number = sqlite3_column_int64(statement, 0);
  }
  (void)sqlite3_finalize(statement);
  (void)sqlite3_close(db);
  return number;
}

/* Whether two files have the same tables and indexes. */
static bool bench_same_schema(const char *path, const char *other) {
  char sql[BENCH_PATH + 256];
  snprintf(sql, sizeof sql, "ATTACH '%s' AS other", other);
  sqlite3 *db = NULL;
  bool same = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
              sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
  static const char query[] =
      "SELECT count(*) FROM (SELECT name,replace(sql,' ','') FROM main.sqlite_schema WHERE name NOT LIKE "
      "'sqlite_stat%' "
      "EXCEPT SELECT name,replace(sql,' ','') FROM other.sqlite_schema) "
      "UNION ALL SELECT count(*) FROM (SELECT name,replace(sql,' ','') FROM other.sqlite_schema "
      "EXCEPT SELECT name,replace(sql,' ','') FROM main.sqlite_schema)";
  sqlite3_stmt *statement = NULL;
  same = same && sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK;
  int rows = 0;
  while (same && sqlite3_step(statement) == SQLITE_ROW) {
    same = sqlite3_column_int64(statement, 0) == 0;
    rows++;
  }
  (void)sqlite3_finalize(statement);
  (void)sqlite3_close(db);
  return same && rows > 0;
}

/* The statements that make the indexes of tasks; the caller frees them. */
static int bench_index_statements(sqlite3 *db, char **statements) {
  sqlite3_stmt *statement = baseline_prepare(
      db, "SELECT sql,name FROM sqlite_schema WHERE type='index' AND tbl_name='tasks' AND sql IS NOT NULL");
  int count = 0;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    bench_check(count + 2 <= BENCH_INDEXES_MAX, "tasks has more indexes than this program can hold");
    statements[count++] = strdup((const char *)sqlite3_column_text(statement, 0));
    statements[count++] = sqlite3_mprintf("DROP INDEX %w", sqlite3_column_text(statement, 1));
  }
  (void)sqlite3_finalize(statement);
  return count;
}

/* Fills tasks the fast way: no journal, the indexes last. */
static void bench_load(const char *path, int64_t rows) {
  char *statements[BENCH_INDEXES_MAX];
  sqlite3 *db = baseline_connect(path, 1048576);
  baseline_run(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF");
  int count = bench_index_statements(db, statements);
  baseline_run(db, "BEGIN");
  for (int i = 1; i < count; i += 2) {
    baseline_run(db, statements[i]);
    sqlite3_free(statements[i]);
  }
  baseline base = {0};
  base.insert = baseline_prepare(db, "INSERT INTO tasks(" BASELINE_NAMES ") VALUES(?" BASELINE_ALL(BASELINE_MARK) ")");
  char *text = malloc(BENCH_TEXT);
  bench_check(text != NULL, "out of memory");
  for (int64_t i = 0; i < rows; i++) {
    kecs_task task;
    bench_row(&task, text, (uint64_t)i);
    baseline_create(&base, &task);
  }
  free(text);
  (void)sqlite3_finalize(base.insert);
  for (int i = 0; i < count; i += 2) {
    baseline_run(db, statements[i]);
    free(statements[i]);
  }
  baseline_run(db, "COMMIT");
  bench_check(sqlite3_close(db) == SQLITE_OK, "close %s", path);
}

/* Makes sure that a file with the first `rows` tasks is there. */
static void bench_make(const char *path, const char *empty, int64_t rows) {
  char part[BENCH_PATH + 8];
  if (access(path, R_OK) == 0 && bench_same_schema(path, empty) &&
      bench_ask(path, "SELECT count(*) FROM tasks") == rows) {
    return;
  }
  printf("making %s with %lld tasks ... ", path, (long long)rows);
  fflush(stdout);
  time_t since = time(NULL);
  snprintf(part, sizeof part, "%s.part", path);
  bench_remove(path);
  bench_copy(empty, part);
  bench_load(part, rows);
  bench_check(rename(part, path) == 0, "can't rename %s", part);
  printf("%.0f s\n", difftime(time(NULL), since));
}

/* Moves what is in the write-ahead log into the file, so that both sides begin a round alike. */
static void bench_checkpoint(const char *path) {
  sqlite3 *db = NULL;
  bench_check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK, "open %s",
              path);
  (void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  (void)sqlite3_close(db);
}

#define BENCH_NOTHING(name)
#define BENCH_COMPARED \
  "arn" BASELINE_COLUMNS(BASELINE_NAME, BASELINE_NAME, BENCH_NOTHING, BASELINE_NAME, BASELINE_NAME) ",created_at"

/* Fails unless both files hold the same tasks; updated_at is when each side wrote, so it may differ. */
static void bench_compare_tasks(const char *ours, const char *theirs) {
  char sql[BENCH_PATH + 32];
  sqlite3 *db = baseline_connect(ours, 65536);
  snprintf(sql, sizeof sql, "ATTACH '%s' AS theirs", theirs);
  baseline_run(db, sql);
  sqlite3_stmt *statement = baseline_prepare(
      db, "SELECT (SELECT count(*) FROM (SELECT " BENCH_COMPARED " FROM main.tasks EXCEPT SELECT " BENCH_COMPARED
          " FROM theirs.tasks)),(SELECT count(*) FROM (SELECT " BENCH_COMPARED
          " FROM theirs.tasks EXCEPT SELECT " BENCH_COMPARED " FROM main.tasks))");
  bench_check(sqlite3_step(statement) == SQLITE_ROW, "compare: %s", sqlite3_errmsg(db));
  int64_t ours_only = sqlite3_column_int64(statement, 0);
  int64_t theirs_only = sqlite3_column_int64(statement, 1);
  (void)sqlite3_finalize(statement);
  (void)sqlite3_close(db);
  bench_check(ours_only == 0 && theirs_only == 0,
              "the files differ: %lld tasks are in ours alone, %lld in the baseline's", (long long)ours_only,
              (long long)theirs_only);
}

#endif
