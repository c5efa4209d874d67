/* bench.c -- what this library costs beside SQLite used by hand. docs/benchmarks.md tells how to read the table.
 *
 *   bench [--rounds N] [--quick] [--rows N] [--only WORD] [--dir DIR] [--out FILE]
 *
 *   --rounds N   rounds of each case, 15
 *   --quick      5 rounds, and a tenth of the rows of the large file
 *   --rows N     tasks in the large file, 600000
 *   --only WORD  the cases whose name has WORD in it
 *   --dir DIR    where the files lie, build/bench-data
 *   --out FILE   the figures once more, tab-separated, build/bench.tsv
 *
 * Missed targets are told, and are no failure; a wrong answer is. */
#include "cache.h"
#include "documents.h"
#include "group.h"

#define BENCH_CACHE_DEFAULT 65536 /* KiB: what the store uses when it is told nothing */
#define BENCH_CACHE_ALL 1048576   /* a quarter of it, which each reader has, holds all pages of the small file */

enum {
  BENCH_SMALL_ROWS = 60000,
  BENCH_HOT_KEYS = 1000,
  BENCH_OPERATIONS_MAX = 10000,
  BENCH_PAGE = 100,
  BENCH_VALUE_SIZE = 64
};

typedef struct bench_world {
  kecs_store *store;
  kecs_store *plain; /* of the cases of feed.h: the one without a change log */
  baseline base;
  char ours_path[BENCH_PATH];
  char baseline_path[BENCH_PATH];
  int64_t rows;      /* tasks in the file when the cases began */
  uint64_t next;     /* the first row that is not in it now */
  bench_batch batch; /* rows to insert, or to update whole */
  char (*keys)[BENCH_ARN];
  char (*values)[BENCH_VALUE_SIZE];
  kecs_result **loaded;
  int loaded_count;
  char *token; /* of the deep page */
  int64_t token_created_at;
  char token_arn[BENCH_ARN];
  int64_t ours_sum; /* what both sides have read must be the same */
  int64_t baseline_sum;
} bench_world;

typedef struct bench_case {
  const char *name;
  double target;
  int operations; /* in a round, on each side */
  int batch;      /* operations in one transaction; 0: each is its own */
  void (*prepare)(bench_world *world, const struct bench_case *self, int round); /* not measured */
  void (*ours)(bench_world *world, const struct bench_case *self);
  void (*baseline)(bench_world *world, const struct bench_case *self);
} bench_case;

typedef struct bench_settings {
  int rounds;
  int64_t rows;
  const char *only;
  const char *dir;
  const char *out;
} bench_settings;

/* ---- get ---- */

static void prepare_get(bench_world *world, const bench_case *self, int round) {
  uint64_t range = strstr(self->name, "hot") ? BENCH_HOT_KEYS : (uint64_t)world->rows;
  for (int i = 0; i < self->operations; i++) {
    bench_arn(world->keys[i], bench_scramble((uint64_t)i, 100 + (uint64_t)round) % range);
  }
}

static void ours_get_from(bench_world *world, const bench_case *self, kecs_store *store) {
  for (int i = 0; i < self->operations; i++) {
    kecs_result *result;
    bench_ok(kecs_task_get(store, NULL, world->keys[i], &result), "get");
    world->ours_sum += kecs_task_at(result, 0)->created_at;
    kecs_result_free(result);
  }
}

static void baseline_get_from(bench_world *world, const bench_case *self, sqlite3_stmt *get) {
  for (int i = 0; i < self->operations; i++) {
    baseline_rows rows = baseline_get_many(get, &world->keys[i], 1);
    bench_check(rows.count == 1, "baseline: no task %s", world->keys[i]);
    world->baseline_sum += rows.tasks[0].created_at;
    baseline_rows_free(&rows);
  }
}

static void ours_get(bench_world *world, const bench_case *self) {
  ours_get_from(world, self, world->store);
}

static void theirs_get(bench_world *world, const bench_case *self) {
  baseline_get_from(world, self, world->base.get);
}

static void ours_get_in_transaction(bench_world *world, const bench_case *self) {
  kecs_store *tx;
  bench_ok(kecs_begin(world->store, &tx), "begin");
  ours_get_from(world, self, tx);
  bench_ok(kecs_commit(tx), "commit");
}

static void theirs_get_in_transaction(bench_world *world, const bench_case *self) {
  baseline_step(world->base.begin);
  baseline_get_from(world, self, world->base.get_in_transaction);
  baseline_step(world->base.commit);
}

static void ours_get_many(bench_world *world, const bench_case *self) {
  const char *keys[BENCH_PAGE];
  for (int i = 0; i < self->operations; i += BENCH_PAGE) {
    kecs_result *result;
    for (int k = 0; k < BENCH_PAGE; k++) {
      keys[k] = world->keys[i + k];
    }
    bench_ok(kecs_task_get_many(world->store, keys, BENCH_PAGE, &result), "get_many");
    bench_check(kecs_result_count(result) == BENCH_PAGE, "get_many gives %zu rows", kecs_result_count(result));
    for (size_t k = 0; k < BENCH_PAGE; k++) {
      world->ours_sum += kecs_task_at(result, k)->created_at;
    }
    kecs_result_free(result);
  }
}

static void theirs_get_many(bench_world *world, const bench_case *self) {
  for (int i = 0; i < self->operations; i += BENCH_PAGE) {
    baseline_run(world->base.reader, "BEGIN");
    baseline_rows rows = baseline_get_many(world->base.get, world->keys + i, BENCH_PAGE);
    baseline_run(world->base.reader, "COMMIT");
    bench_check(rows.count == BENCH_PAGE, "baseline: %d rows", rows.count);
    for (int k = 0; k < BENCH_PAGE; k++) {
      world->baseline_sum += rows.tasks[k].created_at;
    }
    baseline_rows_free(&rows);
  }
}

/* ---- insert ---- */

static void prepare_write(bench_world *world) {
  bench_checkpoint(world->ours_path);
  bench_checkpoint(world->baseline_path);
}

static void prepare_insert(bench_world *world, const bench_case *self, int round) {
  (void)round;
  bench_batch_fill(&world->batch, world->next, self->operations);
  world->next += (uint64_t)self->operations;
  prepare_write(world);
}

static void ours_insert(bench_world *world, const bench_case *self) {
  for (int i = 0; i < self->operations; i += self->batch) {
    bench_ok(kecs_task_create_many(world->store, &world->batch.tasks[i], (size_t)self->batch, NULL), "create_many");
  }
}

static void theirs_insert(bench_world *world, const bench_case *self) {
  for (int i = 0; i < self->operations; i++) {
    if (i % self->batch == 0) {
      baseline_step(world->base.begin);
    }
    baseline_create(&world->base, &world->batch.tasks[i]);
    if ((i + 1) % self->batch == 0) {
      baseline_step(world->base.commit);
    }
  }
}

static void ours_insert_one(bench_world *world, const bench_case *self) {
  for (int i = 0; i < self->operations; i++) {
    bench_ok(kecs_task_create(world->store, &world->batch.tasks[i], NULL), "create");
  }
}

static void theirs_insert_one(bench_world *world, const bench_case *self) {
  for (int i = 0; i < self->operations; i++) {
    baseline_create(&world->base, &world->batch.tasks[i]);
  }
}

/* ---- update ---- */

/* Different rows within a round, spread over the file, and values that they do not have yet. */
static void prepare_update(bench_world *world, const bench_case *self, int round) {
  uint64_t first = bench_scramble((uint64_t)round + 1, 200) % (uint64_t)world->rows;
  for (int i = 0; i < self->operations; i++) {
    bench_arn(world->keys[i], (first + (uint64_t)i * 7919) % (uint64_t)world->rows);
    snprintf(world->values[i], BENCH_VALUE_SIZE, "%s round %d of %s",
             strstr(self->name, "indexed") ? "STATUS" : "Stopped in", round, self->name);
  }
  prepare_write(world);
}

static bool update_is_indexed(const bench_case *self) {
  return strstr(self->name, "indexed") != NULL;
}

static void ours_update(bench_world *world, const bench_case *self) {
  bool indexed = update_is_indexed(self);
  uint64_t mask = indexed ? KECS_BIT(KECS_TASK_LAST_STATUS) : KECS_BIT(KECS_TASK_STOPPED_REASON);
  kecs_store *tx = world->store;
  for (int i = 0; i < self->operations; i++) {
    kecs_task task = {0};
    task.arn = world->keys[i];
    task.last_status = indexed ? world->values[i] : NULL;
    task.stopped_reason = indexed ? NULL : world->values[i];
    if (self->batch && i % self->batch == 0) {
      bench_ok(kecs_begin(world->store, &tx), "begin");
    }
    bench_ok(kecs_task_update_fields(tx, &task, mask, NULL), "update_fields");
    if (self->batch && (i + 1) % self->batch == 0) {
      bench_ok(kecs_commit(tx), "commit");
    }
  }
}

static void theirs_update(bench_world *world, const bench_case *self) {
  sqlite3_stmt *update = update_is_indexed(self) ? world->base.update_status : world->base.update_reason;
  for (int i = 0; i < self->operations; i++) {
    if (self->batch && i % self->batch == 0) {
      baseline_step(world->base.begin);
    }
    baseline_update(update, world->keys[i], world->values[i]);
    if (self->batch && (i + 1) % self->batch == 0) {
      baseline_step(world->base.commit);
    }
  }
}

static void loaded_free(bench_world *world) {
  for (int i = 0; i < world->loaded_count; i++) {
    kecs_result_free(world->loaded[i]);
  }
  world->loaded_count = 0;
}

/* The rows as a program has them that has read them before. */
static void prepare_whole(bench_world *world, const bench_case *self, int round) {
  prepare_update(world, self, round);
  bench_batch_fill(&world->batch, 0, self->operations);
  loaded_free(world);
  for (int i = 0; i < self->operations; i++) {
    bench_ok(kecs_task_get(world->store, NULL, world->keys[i], &world->loaded[i]), "get");
    world->loaded_count = i + 1;
    world->batch.tasks[i] = *kecs_task_at(world->loaded[i], 0);
    world->batch.tasks[i].stopped_reason = world->values[i];
  }
}

static void ours_update_whole(bench_world *world, const bench_case *self) {
  kecs_store *tx = NULL;
  for (int i = 0; i < self->operations; i++) {
    if (i % self->batch == 0) {
      bench_ok(kecs_begin(world->store, &tx), "begin");
    }
    bench_ok(kecs_task_update(tx, &world->batch.tasks[i], NULL), "update");
    if ((i + 1) % self->batch == 0) {
      bench_ok(kecs_commit(tx), "commit");
    }
  }
}

/* ---- pages ---- */

static void ours_pages(bench_world *world, const bench_case *self, const kecs_query *query) {
  for (int i = 0; i < self->operations; i++) {
    kecs_result *result;
    bench_ok(kecs_task_list(world->store, query, &result), "list");
    bench_check(kecs_result_count(result) == BENCH_PAGE, "a page of %zu rows", kecs_result_count(result));
    world->ours_sum += kecs_task_at(result, 0)->created_at + kecs_task_at(result, BENCH_PAGE - 1)->created_at;
    kecs_result_free(result);
  }
}

static void theirs_pages(bench_world *world, const bench_case *self, sqlite3_stmt *page) {
  for (int i = 0; i < self->operations; i++) {
    baseline_rows rows = baseline_page(page, BENCH_PAGE);
    bench_check(rows.count == BENCH_PAGE, "baseline: a page of %d rows", rows.count);
    world->baseline_sum += rows.tasks[0].created_at + rows.tasks[BENCH_PAGE - 1].created_at;
    baseline_rows_free(&rows);
  }
}

static void ours_first_page(bench_world *world, const bench_case *self) {
  kecs_query query = {0};
  query.limit = BENCH_PAGE;
  ours_pages(world, self, &query);
}

static void theirs_first_page(bench_world *world, const bench_case *self) {
  theirs_pages(world, self, world->base.first_page);
}

static void ours_cluster_page(bench_world *world, const bench_case *self) {
  kecs_filter filter = {0};
  kecs_query query = {0};
  filter.column = KECS_TASK_CLUSTER_ARN;
  filter.text = BENCH_ARN_HEAD "cluster/fleet-03";
  query.where = &filter;
  query.where_count = 1;
  query.limit = BENCH_PAGE;
  ours_pages(world, self, &query);
}

static void theirs_cluster_page(bench_world *world, const bench_case *self) {
  sqlite3_bind_text(world->base.cluster_page, 1, BENCH_ARN_HEAD "cluster/fleet-03", -1, SQLITE_STATIC);
  theirs_pages(world, self, world->base.cluster_page);
}

static void ours_deep_page(bench_world *world, const bench_case *self) {
  kecs_query query = {0};
  query.limit = BENCH_PAGE;
  query.page_token = world->token;
  ours_pages(world, self, &query);
}

static void theirs_deep_page(bench_world *world, const bench_case *self) {
  sqlite3_bind_int64(world->base.next_page, 1, world->token_created_at);
  sqlite3_bind_text(world->base.next_page, 2, world->token_arn, -1, SQLITE_STATIC);
  theirs_pages(world, self, world->base.next_page);
}

/* Here the other side is ours, too: the first page. */
static void ours_first_page_as_baseline(bench_world *world, const bench_case *self) {
  int64_t deep = world->ours_sum;
  ours_first_page(world, self);
  world->ours_sum = deep;
}

static void ours_deep_page_alone(bench_world *world, const bench_case *self) {
  int64_t before = world->ours_sum;
  ours_deep_page(world, self);
  world->ours_sum = before;
}

/* Walks to the page that begins after `depth` rows. */
static void walk_to(bench_world *world, int64_t depth) {
  kecs_query query = {0};
  for (int64_t passed = 0; passed < depth; passed += query.limit) {
    kecs_result *result;
    query.limit = depth - passed < 1000 ? (int)(depth - passed) : 1000;
    query.page_token = world->token;
    bench_ok(kecs_task_list(world->store, &query, &result), "list");
    const kecs_task *last = kecs_task_at(result, kecs_result_count(result) - 1);
    const char *token = kecs_result_page_token(result);
    bench_check(token != NULL, "no page after %lld rows", (long long)passed);
    free(world->token);
    world->token = strdup(token);
    world->token_created_at = last->created_at;
    snprintf(world->token_arn, sizeof world->token_arn, "%s", last->arn);
    kecs_result_free(result);
  }
}

#include "feed.h"
#include "history.h"

/* ---- running ---- */

static bool is_wanted(const bench_settings *settings, const char *name) {
  return !settings->only || strstr(name, settings->only) != NULL;
}

static double time_side(bench_world *world, const bench_case *self,
                        void (*side)(bench_world *world, const bench_case *self)) {
  double since = bench_cpu();
  side(world, self);
  return (bench_cpu() - since) / self->operations;
}

/* One round that does not count, then the others; who goes first changes from round to round. */
static void run_case(bench_world *world, const bench_case *self, const bench_settings *settings, bench_table *table) {
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  bench_check(self->operations <= BENCH_OPERATIONS_MAX, "%s: too many operations", self->name);
  for (int round = -1; round < settings->rounds; round++) {
    int at = round < 0 ? 0 : round;
    if (self->prepare) {
      self->prepare(world, self, round);
    }
    if (round % 2) {
      theirs[at] = time_side(world, self, self->baseline);
    }
    ours[at] = time_side(world, self, self->ours);
    if (round % 2 == 0) {
      theirs[at] = time_side(world, self, self->baseline);
    }
    bench_check(world->ours_sum == world->baseline_sum, "%s: the two sides have read different rows", self->name);
  }
  loaded_free(world);
  bench_add(table, self->name, self->target, ours, theirs, settings->rounds);
}

static const bench_case read_cases[] = {
    {"get.uniform", 1.10, 10000, 0, prepare_get, ours_get, theirs_get},
    {"get.hot", 1.10, 10000, 0, prepare_get, ours_get, theirs_get},
    {"get.transaction", 0, 10000, 0, prepare_get, ours_get_in_transaction, theirs_get_in_transaction},
    {"get.many_100", 0, 10000, 0, prepare_get, ours_get_many, theirs_get_many},
};

static const bench_case write_cases[] = {
    {"insert.batch_1000", 1.10, 5000, 1000, prepare_insert, ours_insert, theirs_insert},
    {"insert.batch_10000", 1.10, 10000, 10000, prepare_insert, ours_insert, theirs_insert},
    {"insert.autocommit", 1.10, 400, 0, prepare_insert, ours_insert_one, theirs_insert_one},
    {"update.batch_1000", 1.15, 5000, 1000, prepare_update, ours_update, theirs_update},
    {"update.batch_1000.indexed", 1.15, 5000, 1000, prepare_update, ours_update, theirs_update},
    {"update.autocommit", 1.15, 1000, 0, prepare_update, ours_update, theirs_update},
    {"update.autocommit.indexed", 1.15, 1000, 0, prepare_update, ours_update, theirs_update},
    {"update.whole_row", 1.75, 5000, 1000, prepare_whole, ours_update_whole, theirs_update},
};

static const bench_case page_cases[] = {
    {"page.first", 1.10, 200, 0, NULL, ours_first_page, theirs_first_page},
    {"page.cluster", 1.10, 200, 0, NULL, ours_cluster_page, theirs_cluster_page},
    {"page.deep", 1.10, 200, 0, NULL, ours_deep_page, theirs_deep_page},
    {"page.deep_to_first", 1.15, 200, 0, NULL, ours_deep_page_alone, ours_first_page_as_baseline},
};

static int wanted_count(const bench_settings *settings, const bench_case *cases, size_t count) {
  int wanted = 0;
  for (size_t i = 0; i < count; i++) {
    wanted += is_wanted(settings, cases[i].name) ? 1 : 0;
  }
  return wanted;
}

static void run_cases(bench_world *world, const bench_settings *settings, const bench_case *cases, size_t count,
                      bench_table *table) {
  for (size_t i = 0; i < count; i++) {
    if (is_wanted(settings, cases[i].name)) {
      run_case(world, &cases[i], settings, table);
    }
  }
}

static void world_open(bench_world *world, const char *ours, const char *baseline_file, int64_t rows, int cache_kib) {
  memset(world, 0, sizeof *world);
  snprintf(world->ours_path, sizeof world->ours_path, "%s", ours);
  snprintf(world->baseline_path, sizeof world->baseline_path, "%s", baseline_file);
  world->rows = rows;
  world->next = (uint64_t)rows;
  world->keys = malloc(BENCH_OPERATIONS_MAX * sizeof *world->keys);
  world->values = malloc(BENCH_OPERATIONS_MAX * sizeof *world->values);
  world->loaded = malloc(BENCH_OPERATIONS_MAX * sizeof *world->loaded);
  bench_check(world->keys && world->values && world->loaded, "out of memory");
  world->store = bench_open(ours, cache_kib);
  baseline_open(&world->base, baseline_file, cache_kib);
}

static void world_close(bench_world *world) {
  bench_ok(kecs_close(world->store), "close");
  baseline_close(&world->base);
  free(world->batch.tasks);
  free(world->batch.texts);
  free(world->keys);
  free(world->values);
  free(world->loaded);
  free(world->token);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void run_reads(const bench_settings *settings, const char *small, bench_table *table) {
  bench_world world;
  if (wanted_count(settings, read_cases, COUNT(read_cases)) > 0) {
    world_open(&world, small, small, BENCH_SMALL_ROWS, BENCH_CACHE_ALL);
    run_cases(&world, settings, read_cases, COUNT(read_cases), table);
    world_close(&world);
  }
}

static void run_writes(const bench_settings *settings, const char *small, bench_table *table) {
  bench_world world;
  char ours[BENCH_PATH];
  char theirs[BENCH_PATH];
  if (wanted_count(settings, write_cases, COUNT(write_cases)) > 0) {
    snprintf(ours, sizeof ours, "%s/ours.db", settings->dir);
    snprintf(theirs, sizeof theirs, "%s/baseline.db", settings->dir);
    bench_copy(small, ours);
    bench_copy(small, theirs);
    world_open(&world, ours, theirs, BENCH_SMALL_ROWS, BENCH_CACHE_DEFAULT);
    run_cases(&world, settings, write_cases, COUNT(write_cases), table);
    world_close(&world);
    bench_compare_tasks(ours, theirs);
    bench_remove(ours);
    bench_remove(theirs);
  }
}

static void run_feed(const bench_settings *settings, const char *small, bench_table *table) {
  bench_world world;
  char ours[BENCH_PATH];
  char theirs[BENCH_PATH];
  snprintf(ours, sizeof ours, "%s/ours.db", settings->dir);
  snprintf(theirs, sizeof theirs, "%s/baseline.db", settings->dir);
  if (wanted_count(settings, feed_cases, COUNT(feed_cases)) > 0) {
    bench_copy(small, ours);
    bench_copy(small, theirs);
    world_open(&world, ours, theirs, BENCH_SMALL_ROWS, BENCH_CACHE_DEFAULT);
    bench_ok(kecs_close(world.store), "close");
    world.store = feed_open(ours, BENCH_CACHE_DEFAULT, KECS_TRACK_ON);
    world.plain = feed_open(theirs, BENCH_CACHE_DEFAULT, KECS_TRACK_OFF);
    run_cases(&world, settings, feed_cases, COUNT(feed_cases), table);
    bench_ok(kecs_close(world.plain), "close");
    world_close(&world);
    bench_compare_tasks(ours, theirs);
  }
  if (is_wanted(settings, "feed.extract_100000")) {
    bench_copy(small, ours);
    run_feed_extract(ours, settings->rounds, table);
  }
  bench_remove(ours);
  bench_remove(theirs);
}

static void run_history(const bench_settings *settings, const char *small, bench_table *table) {
  bench_world world;
  char ours[BENCH_PATH];
  char theirs[BENCH_PATH];
  snprintf(ours, sizeof ours, "%s/ours.db", settings->dir);
  snprintf(theirs, sizeof theirs, "%s/baseline.db", settings->dir);
  for (int by_hand = 0; by_hand < 2; by_hand++) {
    const bench_case *cases = by_hand ? history_hand_cases : history_cases;
    if (wanted_count(settings, cases, COUNT(history_cases)) > 0) {
      bench_copy(small, ours);
      bench_copy(small, theirs);
      if (by_hand) {
        history_by_hand(theirs);
      }
      world_open(&world, ours, theirs, BENCH_SMALL_ROWS, BENCH_CACHE_DEFAULT);
      bench_ok(kecs_close(world.store), "close");
      world.store = history_open(ours);
      world.plain = by_hand ? NULL : feed_open(theirs, BENCH_CACHE_DEFAULT, KECS_TRACK_ON);
      run_cases(&world, settings, cases, COUNT(history_cases), table);
      bench_ok(kecs_close(world.plain), "close");
      world_close(&world);
      bench_compare_tasks(ours, theirs);
    }
  }
  bench_remove(ours);
  bench_remove(theirs);
}

static void run_large(const bench_settings *settings, const char *empty, bench_table *table) {
  bench_world world;
  char large[BENCH_PATH];
  bool opens = is_wanted(settings, "open.existing");
  bool pages = wanted_count(settings, page_cases, COUNT(page_cases)) > 0;
  if (opens || pages) {
    snprintf(large, sizeof large, "%s/large-%lld.db", settings->dir, (long long)settings->rows);
    bench_make(large, empty, settings->rows);
    bench_checkpoint(large);
  }
  if (pages) {
    world_open(&world, large, large, settings->rows, BENCH_CACHE_DEFAULT);
    if (is_wanted(settings, "page.deep") || is_wanted(settings, "page.deep_to_first")) {
      walk_to(&world, settings->rows / 6 * 5);
    }
    run_cases(&world, settings, page_cases, COUNT(page_cases), table);
    world_close(&world);
  }
  if (opens) {
    run_open(large, settings->rounds, table);
  }
}

static void run_caches(const bench_settings *settings, bench_table *table) {
  static const struct {
    const char *name;
    int entries;
  } cases[] = {{"cache.get_1k", 1000}, {"cache.get_10k", 10000}, {"cache.get_100k", 100000}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    if (is_wanted(settings, cases[i].name)) {
      run_cache(cases[i].name, cases[i].entries, settings->rounds, table);
    }
  }
  if (is_wanted(settings, "memory.heartbeat")) {
    run_heartbeat(settings->rounds, table);
  }
}

static void run_groups(const bench_settings *settings, const char *small, bench_table *table) {
  for (size_t i = 0; i < COUNT(bench_group_cases); i++) {
    if (is_wanted(settings, bench_group_cases[i].name)) {
      bench_group(&bench_group_cases[i], small, settings->dir, settings->rounds, table);
    }
  }
}

/* ---- the command line ---- */

static int64_t number_of(const char *option, const char *text, int64_t least, int64_t most) {
  char *end;
  long long number = text ? strtoll(text, &end, 10) : 0;
  bench_check(text && *text && !*end && number >= least && number <= most, "%s takes a number from %lld to %lld",
              option, (long long)least, (long long)most);
  return number;
}

static bench_settings settings_of(int count, char **arguments) {
  bench_settings settings = {15, 600000, NULL, "build/bench-data", "build/bench.tsv"};
  for (int i = 1; i < count; i++) {
    const char *option = arguments[i];
    if (strcmp(option, "--quick") == 0) {
      settings.rounds = 5;
      settings.rows = 60000;
      continue;
    }
    const char *value = ++i < count ? arguments[i] : NULL;
    if (strcmp(option, "--rounds") == 0) {
      settings.rounds = (int)number_of(option, value, 3, BENCH_ROUNDS_MAX);
    } else if (strcmp(option, "--rows") == 0) {
      settings.rows = number_of(option, value, 6000, 100000000);
    } else if (strcmp(option, "--only") == 0 && value) {
      settings.only = value;
    } else if (strcmp(option, "--dir") == 0 && value && strlen(value) < BENCH_PATH / 2) {
      settings.dir = value;
    } else if (strcmp(option, "--out") == 0 && value) {
      settings.out = value;
    } else {
      bench_check(false, "unknown option %s, or its value is missing; the first lines of bench/bench.c tell them",
                  option);
    }
  }
  return settings;
}

int main(int count, char **arguments) {
  static bench_table table;
  bench_settings settings = settings_of(count, arguments);
  char empty[BENCH_PATH];
  char small[BENCH_PATH];
  bench_check((int)BASELINE_COLUMN_COUNT == (int)KECS_TASK_COLUMN_COUNT,
              "bench/baseline.h names %d columns of tasks, the store has %d", (int)BASELINE_COLUMN_COUNT,
              (int)KECS_TASK_COLUMN_COUNT);
  bench_check(mkdir(settings.dir, 0777) == 0 || access(settings.dir, W_OK) == 0, "can't make the folder %s",
              settings.dir);
  snprintf(empty, sizeof empty, "%s/empty.db", settings.dir);
  snprintf(small, sizeof small, "%s/small.db", settings.dir);
  bench_make_empty(empty);
  bench_make(small, empty, BENCH_SMALL_ROWS);
  printf("%s\n%d rounds\n", kecs_build_info(), settings.rounds);
  bench_print_head();
  run_reads(&settings, small, &table);
  run_writes(&settings, small, &table);
  run_feed(&settings, small, &table);
  run_history(&settings, small, &table);
  if (is_wanted(&settings, "import.tasks")) {
    run_import_tasks(small, settings.dir, settings.rounds, &table);
  }
  if (is_wanted(&settings, "import.recorded")) {
    run_import_recorded(settings.dir, settings.rounds, &table);
  }
  run_caches(&settings, &table);
  run_groups(&settings, small, &table);
  run_large(&settings, empty, &table);
  bench_write(&table, settings.out);
  return 0;
}
