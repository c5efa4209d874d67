/* history.h -- what the history of rows costs: updates in a store that keeps one, beside this library without it (the
 * log alone), and beside a history as one writes it by hand: a trigger that copies the old row into a table. */
#if !defined(BENCH_HISTORY_H)
#define BENCH_HISTORY_H

static const bench_case history_cases[] = {
    {"history.update.batch_1000", 0, 5000, 1000, prepare_update, ours_update, plain_update},
    {"history.update.autocommit", 0, 1000, 0, prepare_update, ours_update, plain_update},
};

static const bench_case history_hand_cases[] = {
    {"history.by_hand.batch_1000", 0, 5000, 1000, prepare_update, ours_update, theirs_update},
    {"history.by_hand.autocommit", 0, 1000, 0, prepare_update, ours_update, theirs_update},
};

static kecs_store *history_open(const char *path) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = path;
  options.cache_kib = BENCH_CACHE_DEFAULT;
  options.track = KECS_TRACK_ON;
  options.history.track = KECS_TRACK_ON;
  options.actor = "bench";
  bench_ok(kecs_open(&options, &store), "open");
  return store;
}

/* When, who, and every column of the row before; found by the key. */
static void history_by_hand(const char *path) {
  sqlite3 *db = baseline_connect(path, BENCH_CACHE_DEFAULT);
  sqlite3_stmt *names = baseline_prepare(
      db, "SELECT group_concat(name),group_concat('old.'||name) FROM pragma_table_info('tasks') WHERE name<>'rid'");
  char sql[8192];
  bench_check(sqlite3_step(names) == SQLITE_ROW, "history: no columns");
  snprintf(sql, sizeof sql,
           "CREATE TABLE tasks_history(seq INTEGER PRIMARY KEY,changed_at INTEGER,actor TEXT,%s);"
           "CREATE INDEX tasks_history_arn ON tasks_history(arn);"
           "CREATE TRIGGER tasks_update AFTER UPDATE ON tasks BEGIN INSERT INTO tasks_history VALUES(NULL,"
           "CAST((julianday('now')-2440587.5)*86400000 AS INTEGER),'bench',%s); END",
           (const char *)sqlite3_column_text(names, 0), (const char *)sqlite3_column_text(names, 1));
  (void)sqlite3_finalize(names);
  baseline_run(db, sql);
  (void)sqlite3_close(db);
}

#endif
