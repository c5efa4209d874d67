/* feed.h -- what the change log costs: each case does the same through a store that keeps one and a store that does
 * not. Both are this library; feed.extract alone is compared with a join by hand. */
#if !defined(BENCH_FEED_H)
#define BENCH_FEED_H

enum { BENCH_PENDING = 100000, BENCH_PENDING_BATCH = 10000 };

/* Runs a side's function on the store that keeps no log. */
static void feed_plain(bench_world *world, const bench_case *self,
                       void (*side)(bench_world *world, const bench_case *self)) {
  kecs_store *tracked = world->store;
  world->store = world->plain;
  side(world, self);
  world->store = tracked;
}

static void plain_insert(bench_world *world, const bench_case *self) {
  feed_plain(world, self, ours_insert);
}

static void plain_insert_one(bench_world *world, const bench_case *self) {
  feed_plain(world, self, ours_insert_one);
}

static void plain_update(bench_world *world, const bench_case *self) {
  feed_plain(world, self, ours_update);
}

static const bench_case feed_cases[] = {
    {"feed.insert.batch_1000", 1.08, 5000, 1000, prepare_insert, ours_insert, plain_insert},
    {"feed.insert.autocommit", 0, 400, 0, prepare_insert, ours_insert_one, plain_insert_one},
    {"feed.update.batch_1000", 1.15, 5000, 1000, prepare_update, ours_update, plain_update},
    {"feed.update.batch_1000.indexed", 1.15, 5000, 1000, prepare_update, ours_update, plain_update},
    {"feed.update.autocommit", 1.35, 1000, 0, prepare_update, ours_update, plain_update},
    {"feed.update.autocommit.indexed", 1.35, 1000, 0, prepare_update, ours_update, plain_update},
};

static kecs_store *feed_open(const char *path, int cache_kib, kecs_track track) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = path;
  options.cache_kib = cache_kib;
  options.track = track;
  bench_ok(kecs_open(&options, &store), "open");
  return store;
}

/* ---- extraction ---- */

typedef struct feed_sum {
  int64_t rows;
  int64_t bytes; /* of the texts: what a sender needs */
} feed_sum;

static void feed_add(feed_sum *sum, const char *text) {
  sum->bytes += text ? (int64_t)strlen(text) : 0;
}

static kecs_status feed_visit(const kecs_pending *pending, void *user) {
  feed_sum *sum = user;
  const kecs_task *task = pending->row;
  sum->rows++;
  feed_add(sum, task->arn);
  feed_add(sum, task->containers);
  return KECS_OK;
}

static feed_sum feed_by_hand(sqlite3_stmt *join) {
  feed_sum sum = {0, 0};
  int rc;
  baseline_rows rows = baseline_rows_new(1);
  size_t used = rows.block->used;
  while ((rc = sqlite3_step(join)) == SQLITE_ROW) {
    rows.count = 0;
    rows.block->used = used;
    baseline_read(&rows, join);
    sum.rows++;
    feed_add(&sum, rows.tasks[0].arn);
    feed_add(&sum, rows.tasks[0].containers);
  }
  baseline_ok(sqlite3_db_handle(join), rc, "extract");
  (void)sqlite3_reset(join);
  baseline_rows_free(&rows);
  return sum;
}

#define FEED_JOINED(name) ",t." #name

static void run_feed_extract(const char *path, int rounds, bench_table *table) {
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  baseline base;
  bench_batch batch = {0};
  kecs_store *store = feed_open(path, BENCH_CACHE_ALL, KECS_TRACK_ON);
  for (int i = 0; i < BENCH_PENDING; i += BENCH_PENDING_BATCH) {
    bench_batch_fill(&batch, (uint64_t)(1000000 + i), BENCH_PENDING_BATCH);
    bench_ok(kecs_task_create_many(store, batch.tasks, BENCH_PENDING_BATCH, NULL), "create_many");
  }
  bench_checkpoint(path);
  baseline_open(&base, path, BENCH_CACHE_ALL);
  sqlite3_stmt *join = baseline_prepare(
      base.reader, "SELECT t.arn" BASELINE_ALL(FEED_JOINED) ",c.seq,c.rid,c.groups,c.op,c.stamp FROM changes c "
                   "JOIN tasks t ON t.rid=c.rid WHERE c.seq>0 AND c.kind=4 ORDER BY c.seq");
  for (int round = -1; round < rounds; round++) {
    int at = round < 0 ? 0 : round;
    feed_sum sum = {0, 0};
    double since = bench_cpu();
    bench_ok(kecs_changes_pending(store, KECS_KIND_TASK, 0, feed_visit, &sum), "pending");
    double until = bench_cpu();
    feed_sum other = feed_by_hand(join);
    theirs[at] = (bench_cpu() - until) / BENCH_PENDING;
    ours[at] = (until - since) / BENCH_PENDING;
    bench_check(sum.rows == BENCH_PENDING && sum.rows == other.rows && sum.bytes == other.bytes,
                "feed.extract: %lld and %lld rows", (long long)sum.rows, (long long)other.rows);
  }
  (void)sqlite3_finalize(join);
  baseline_close(&base);
  bench_ok(kecs_close(store), "close");
  free(batch.tasks);
  free(batch.texts);
  bench_add(table, "feed.extract_100000", 1.25, ours, theirs, rounds);
}

#endif
