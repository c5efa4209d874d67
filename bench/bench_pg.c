/* bench_pg.c -- what this library costs beside libpq used by hand. docs/benchmarks.md tells how to read the table.
 *
 *   bench/pg.py build/bench/bench_pg [--rounds N] [--rows N] [--only WORD] [--out FILE]
 *
 *   --rounds N   rounds of each case, 9
 *   --rows N     tasks in the tables, 20000; and those of create_many, 100000, at most five times as many
 *   --only WORD  the cases whose name has WORD in it
 *   --out FILE   the figures once more, tab-separated, build/bench_pg.tsv
 *
 * KECS_TEST_POSTGRES is the URL of a server that nobody else uses. Figures are microseconds on the clock: client and
 * server work at the same time. A wrong answer is a failure, a missed target is not. */
#include "pg_feed.h"
#include "pg_hand.h"

#include "kecs_store_pg.h"

enum { PG_OPERATIONS_MAX = 2000, PG_PIPELINE = 10 };

typedef struct pg_world {
  kecs_store *store;
  kecs_store *logged; /* the same, and it is tracked */
  const char *url;
  hand by_hand;
  int rows;          /* in the tables */
  int many;          /* rows that are created at once */
  uint64_t next;     /* the first row that is in no table */
  bench_batch batch; /* what both sides write in this round */
  char *documents;   /* the batch as documents */
  size_t documents_len;
  size_t documents_room;
  char (*keys)[BENCH_ARN];
  char (*values)[64];
  char (*reasons)[64];
  int changed_rows; /* that prepare_changes has stored */
  int64_t ours_sum; /* what both sides have read must be the same */
  int64_t hand_sum;
} pg_world;

typedef struct pg_case {
  const char *name;
  double target;
  int operations; /* in a round, on each side; 0: the rows of create_many */
  int stretches;  /* how many rounds stand for one: what is short is done by turns, so that noise meets both sides */
  bool anew;      /* the tables are emptied before each round, and filled again after the case */
  void (*prepare)(pg_world *world, int operations, int round); /* not measured */
  void (*ours)(pg_world *world, int operations);
  void (*by_hand)(pg_world *world, int operations);
  void (*end)(pg_world *world); /* may be NULL */
} pg_case;

static double pg_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- cases ---- */

static void prepare_keys(pg_world *world, int operations, int round) {
  for (int i = 0; i < operations; i++) {
    bench_arn(world->keys[i], bench_scramble((uint64_t)i, 100 + (uint64_t)round) % (uint64_t)world->rows);
    snprintf(world->values[i], sizeof world->values[i], "round %d, operation %d", round, i);
  }
}

static void prepare_rows(pg_world *world, int operations, int round) {
  (void)round;
  bench_batch_fill(&world->batch, world->next, operations);
  world->next += (uint64_t)operations;
}

static void ours_get(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    kecs_result *result;
    bench_ok(kecs_task_get(world->store, NULL, world->keys[i], &result), "get");
    world->ours_sum += kecs_task_at(result, 0)->created_at;
    kecs_result_free(result);
  }
}

static void hand_gets(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    PGresult *result = hand_get(&world->by_hand, world->keys[i]);
    world->hand_sum += world->by_hand.page[0].created_at;
    PQclear(result);
  }
}

static void ours_pipeline(pg_world *world, int operations) {
  for (int i = 0; i < operations; i += PG_PIPELINE) {
    kecs_read reads[PG_PIPELINE];
    kecs_answers *answers;
    for (int k = 0; k < PG_PIPELINE; k++) {
      reads[k] = (kecs_read){KECS_KIND_TASK, world->keys[i + k], NULL};
    }
    bench_ok(kecs_pipeline(world->store, reads, PG_PIPELINE, &answers), "pipeline");
    for (size_t k = 0; k < PG_PIPELINE; k++) {
      kecs_result *result;
      bench_ok(kecs_answers_at(answers, k, &result), "get");
      world->ours_sum += kecs_task_at(result, 0)->created_at;
    }
    kecs_answers_free(answers);
  }
}

static void hand_pipelines(pg_world *world, int operations) {
  for (int i = 0; i < operations; i += PG_PIPELINE) {
    PGresult *results[PG_PIPELINE];
    hand_pipeline(&world->by_hand, (const char(*)[BENCH_ARN])(world->keys + i), PG_PIPELINE, results);
    for (int k = 0; k < PG_PIPELINE; k++) {
      world->hand_sum += world->by_hand.page[k].created_at;
      PQclear(results[k]);
    }
  }
}

static void ours_page(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    kecs_result *result;
    bench_ok(kecs_task_list(world->store, NULL, &result), "list");
    for (size_t k = 0; k < kecs_result_count(result); k++) {
      world->ours_sum += kecs_task_at(result, k)->created_at;
    }
    kecs_result_free(result);
  }
}

static void hand_pages(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    PGresult *result = hand_page(&world->by_hand);
    for (int k = 0; k < PQntuples(result); k++) {
      world->hand_sum += world->by_hand.page[k].created_at;
    }
    PQclear(result);
  }
}

static void ours_update(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    kecs_task task = {0};
    task.arn = world->keys[i];
    task.stopped_reason = world->values[i];
    bench_ok(kecs_task_update_fields(world->store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL), "update");
  }
}

static void hand_updates(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    hand_update(&world->by_hand, world->keys[i], world->values[i]);
  }
}

static void ours_create(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    bench_ok(kecs_task_create(world->store, &world->batch.tasks[i], NULL), "create");
  }
}

static void hand_inserts(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    hand_insert(&world->by_hand, &world->batch.tasks[i]);
  }
}

static void ours_create_many(pg_world *world, int operations) {
  bench_ok(kecs_task_create_many(world->store, world->batch.tasks, (size_t)operations, NULL), "create_many");
}

static void hand_creates_many(pg_world *world, int operations) {
  (void)operations;
  hand_create_many(&world->by_hand, &world->batch);
}

static void ours_upsert_many(pg_world *world, int operations) {
  bench_ok(kecs_task_upsert_many(world->store, world->batch.tasks, (size_t)operations, NULL), "upsert_many");
}

static void hand_upserts_many(pg_world *world, int operations) {
  (void)operations;
  hand_merge(&world->by_hand, &world->batch);
}

/* Rows that are stored on both sides, with other values. */
static void prepare_changes(pg_world *world, int operations, int round) {
  if (world->changed_rows == 0) {
    prepare_rows(world, operations, round);
    ours_create_many(world, operations);
    hand_creates_many(world, operations);
    world->changed_rows = operations;
  }
  for (int i = 0; i < operations; i++) {
    snprintf(world->reasons[i], sizeof world->reasons[i], "stopped in round %d", round);
    world->batch.tasks[i].stopped_reason = world->reasons[i];
    world->batch.tasks[i].version = 0;
  }
  world->by_hand.version = round + 2;
}

static void end_changes(pg_world *world) {
  world->changed_rows = 0;
  world->by_hand.version = 1;
}

/* ---- the change log ---- */

/* What is done to the store that is not tracked, done to the one that is. */
static void pg_logged(pg_world *world, void (*work)(pg_world *world, int operations), int operations) {
  kecs_store *plain = world->store;
  world->store = world->logged;
  work(world, operations);
  world->store = plain;
}

static void logged_update(pg_world *world, int operations) {
  pg_logged(world, ours_update, operations);
}

static void logged_create_many(pg_world *world, int operations) {
  pg_logged(world, ours_create_many, operations);
}

static feed_team pg_team(pg_world *world, int operations) {
  return (feed_team){world->logged, world->url, world->keys, world->values, operations / FEED_WRITERS, 0};
}

static void logged_writers(pg_world *world, int operations) {
  feed_team team = pg_team(world, operations);
  feed_run(&team, feed_ours_writes, feed_ours_watches);
}

static void hand_writers(pg_world *world, int operations) {
  feed_team team = pg_team(world, operations);
  feed_run(&team, feed_hand_writes, feed_hand_numbers);
}

/* ---- import ---- */

static void prepare_documents(pg_world *world, int operations, int round) {
  prepare_rows(world, operations, round);
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK);
  kecs_result *result;
  bench_ok(kecs_task_list(world->store, &(kecs_query){.limit = 1}, &result), "list");
  world->documents_len = 0;
  for (int i = 0; i < operations; i++) {
    const char *text;
    world->batch.tasks[i].version = 1;
    bench_ok(kecs_record_json(result, info, &world->batch.tasks[i], KECS_JSON_STORE, &text), "record_json");
    size_t len = strlen(text);
    if (world->documents_len + len + 2 > world->documents_room) {
      world->documents_room = (world->documents_len + len + 2) * 2;
      world->documents = realloc(world->documents, world->documents_room);
      bench_check(world->documents != NULL, "out of memory");
    }
    memcpy(world->documents + world->documents_len, text, len);
    world->documents_len += len;
    world->documents[world->documents_len++] = '\n';
    if (i % 1000 == 999) {
      kecs_result_free(result);
      bench_ok(kecs_task_list(world->store, &(kecs_query){.limit = 1}, &result), "list");
    }
  }
  kecs_result_free(result);
}

static void ours_import(pg_world *world, int operations) {
  int64_t put = 0;
  int64_t refused = 0;
  bench_ok(kecs_import(world->store, world->documents, world->documents_len, NULL, &put, &refused), "import");
  bench_check(put == operations && refused == 0, "import: %lld put, %lld refused", (long long)put, (long long)refused);
}

static void hand_imports(pg_world *world, int operations) {
  (void)operations;
  hand_merge(&world->by_hand, &world->batch);
}

#include "pg_history.h"

/* ---- running ---- */

static const pg_case pg_cases[] = {
    {"pg.get", 1.10, 200, 10, false, prepare_keys, ours_get, hand_gets, NULL},
    {"pg.pipeline_10", 1.10, 200, 10, false, prepare_keys, ours_pipeline, hand_pipelines, NULL},
    {"pg.page_100", 1.10, 20, 10, false, prepare_keys, ours_page, hand_pages, NULL},
    {"pg.update.autocommit", 1.10, 100, 10, false, prepare_keys, ours_update, hand_updates, NULL},
    {"pg.create.autocommit", 1.10, 50, 10, false, prepare_rows, ours_create, hand_inserts, NULL},
    {"pg.create_many.20", 1.10, 20, 10, false, prepare_rows, ours_create_many, hand_creates_many, NULL},
    {"pg.create_many", 1.15, 0, 1, true, prepare_rows, ours_create_many, hand_creates_many, NULL},
    {"pg.upsert_many.20", 1.10, 20, 10, false, prepare_rows, ours_upsert_many, hand_upserts_many, NULL},
    {"pg.upsert_many.new", 1.15, 0, 1, true, prepare_rows, ours_upsert_many, hand_upserts_many, NULL},
    {"pg.upsert_many.changed", 1.15, 0, 1, false, prepare_changes, ours_upsert_many, hand_upserts_many, end_changes},
    {"pg.import.new", 1.15, 5000, 1, false, prepare_documents, ours_import, hand_imports, NULL},
};

/* After the comparison: they leave the tables different. */
static const pg_case pg_feed_cases[] = {
    {"pg.feed.update", 1.35, 100, 10, false, prepare_keys, logged_update, ours_update, NULL},
    {"pg.feed.create_many.10000", 1.08, 10000, 1, true, prepare_rows, logged_create_many, ours_create_many, NULL},
    {"pg.feed.16_writers", 1.15, 2000, 1, false, prepare_keys, logged_writers, hand_writers, NULL},
    {"pg.history.update", 0, 100, 10, false, prepare_history, history_update, logged_update, NULL},
    {"pg.history.by_hand", 0, 100, 10, false, prepare_history, history_update, history_hand_update, NULL},
    {"pg.history.as_of", 0, 100, 10, false, prepare_as_of, ours_as_of, hand_as_of, NULL},
};

static void pg_empty(pg_world *world) {
  hand_run(&world->by_hand, "TRUNCATE ours.tasks, hand.tasks");
  /* A table that is logged refuses it. */
  hand_run(&world->by_hand, "ALTER TABLE " FEED_SCHEMA ".tasks DISABLE TRIGGER feed_tasks_empty");
  hand_run(&world->by_hand, "TRUNCATE " FEED_SCHEMA ".tasks, " FEED_SCHEMA ".change_queue");
  hand_run(&world->by_hand, "ALTER TABLE " FEED_SCHEMA ".tasks ENABLE ALWAYS TRIGGER feed_tasks_empty");
  hand_run(&world->by_hand, "CHECKPOINT");
}

static void pg_fill(pg_world *world) {
  pg_empty(world);
  bench_batch_fill(&world->batch, 0, world->rows);
  ours_create_many(world, world->rows);
  logged_create_many(world, world->rows);
  hand_create_many(&world->by_hand, &world->batch);
  hand_run(&world->by_hand, "TRUNCATE " FEED_SCHEMA ".change_queue");
  hand_run(&world->by_hand, "VACUUM ANALYZE " FEED_SCHEMA ".tasks");
  hand_run(&world->by_hand, "VACUUM ANALYZE ours.tasks");
  hand_run(&world->by_hand, "VACUUM ANALYZE hand.tasks");
  hand_run(&world->by_hand, "CHECKPOINT");
}

static double pg_time(pg_world *world, void (*work)(pg_world *world, int operations), int operations) {
  double since = pg_clock();
  work(world, operations);
  return (pg_clock() - since) / operations;
}

static void pg_run(pg_world *world, const pg_case *one, int rounds, bench_table *table) {
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  int operations = one->operations ? one->operations : world->many;
  rounds = rounds * one->stretches < BENCH_ROUNDS_MAX ? rounds * one->stretches : BENCH_ROUNDS_MAX;
  for (int round = -1; round < rounds; round++) { /* the first one does not count */
    int at = round < 0 ? 0 : round;
    if (one->anew) {
      pg_empty(world);
    }
    one->prepare(world, operations, round + 1);
    if (round % 2) {
      ours[at] = pg_time(world, one->ours, operations);
    }
    theirs[at] = pg_time(world, one->by_hand, operations);
    if (round % 2 == 0) {
      ours[at] = pg_time(world, one->ours, operations);
    }
  }
  bench_add(table, one->name, one->target, ours, theirs, rounds);
  if (one->end) {
    one->end(world);
  }
  if (one->anew || one->end) {
    pg_fill(world);
  }
}

static void pg_run_all(pg_world *world, const pg_case *cases, size_t count, const char *only, int rounds,
                       bench_table *table) {
  for (size_t i = 0; i < count; i++) {
    if (strstr(cases[i].name, only)) {
      pg_run(world, &cases[i], rounds, table);
    }
  }
}

/* What both sides have stored must be the same, but for the times at which they did. */
static void pg_compare(const pg_world *world) {
  PGresult *result = PQexec(world->by_hand.pg,
                            "SELECT count(*) FROM (SELECT arn,id,cluster_arn,containers,last_status,stopped_reason,"
                            "service_arn,tags,family,created_at,version,region,account_id FROM ours.tasks EXCEPT "
                            "SELECT arn,id,cluster_arn,containers,last_status,stopped_reason,service_arn,tags,family,"
                            "created_at,version,region,account_id FROM hand.tasks) d");
  hand_check(&world->by_hand, result, "compare");
  bench_check(strcmp(PQgetvalue(result, 0, 0), "0") == 0, "%s rows differ", PQgetvalue(result, 0, 0));
  PQclear(result);
  bench_check(world->ours_sum == world->hand_sum, "what was read differs");
}

static kecs_store *pg_open(const char *url, const char *schema, kecs_track track) {
  char path[1024];
  kecs_options options = {0};
  kecs_store *store;
  snprintf(path, sizeof path, "%s%cschema=%s&max_connections=20", url, strchr(url, '?') ? '&' : '?', schema);
  options.path = path;
  options.track = track;
  options.backends = kecs_pg_backends();
  options.account_id = BENCH_ACCOUNT;
  options.region = BENCH_REGION;
  bench_ok(kecs_open(&options, &store), "open");
  return store;
}

static int pg_number(const char *text, int least, int most) {
  long number = text ? strtol(text, NULL, 10) : 0;
  bench_check(number >= least && number <= most, "a number from %d to %d is missing", least, most);
  return (int)number;
}

int main(int argc, char **argv) {
  static pg_world world;
  static bench_table table;
  const char *only = "";
  const char *out = "build/bench_pg.tsv";
  const char *url = getenv("KECS_TEST_POSTGRES");
  int rounds = 9;
  world.rows = 20000;
  for (int i = 1; i < argc; i += 2) {
    if (strcmp(argv[i], "--rounds") == 0) {
      rounds = pg_number(argv[i + 1], 1, BENCH_ROUNDS_MAX);
    } else if (strcmp(argv[i], "--rows") == 0) {
      world.rows = pg_number(argv[i + 1], 1000, 1000000);
    } else if (strcmp(argv[i], "--only") == 0 && argv[i + 1]) {
      only = argv[i + 1];
    } else {
      bench_check(strcmp(argv[i], "--out") == 0 && argv[i + 1], "unknown option %s", argv[i]);
      out = argv[i + 1];
    }
  }
  bench_check(url != NULL, "run it as bench/pg.py does: KECS_TEST_POSTGRES is not set");
  world.many = world.rows < 20000 ? world.rows * 5 : 100000;
  world.next = 1000000;
  world.keys = malloc(PG_OPERATIONS_MAX * sizeof *world.keys);
  world.by_hand.version = 1;
  world.reasons = malloc((size_t)world.many * sizeof *world.reasons);
  world.values = malloc(PG_OPERATIONS_MAX * sizeof *world.values);
  bench_check(world.keys && world.values && world.reasons, "out of memory");
  kecs_store *second = pg_open(url, HAND_SCHEMA, KECS_TRACK_OFF);
  bench_parents(second);
  bench_ok(kecs_close(second), "close");
  world.store = pg_open(url, "ours", KECS_TRACK_OFF);
  world.logged = pg_open(url, FEED_SCHEMA, KECS_TRACK_ON);
  bench_parents(world.logged);
  world.url = url;
  feed_prepare(url);
  bench_parents(world.store);
  hand_open(&world.by_hand, url);
  pg_fill(&world);
  printf("microseconds on the clock, not of CPU; \"baseline\" is libpq by hand, of pg.feed the same store untracked\n");
  bench_print_head();
  pg_run_all(&world, pg_cases, sizeof pg_cases / sizeof pg_cases[0], only, rounds, &table);
  pg_compare(&world);
  pg_run_all(&world, pg_feed_cases, sizeof pg_feed_cases / sizeof pg_feed_cases[0], only, rounds, &table);
  bench_write(&table, out);
  hand_close(&world.by_hand);
  history_close();
  bench_ok(kecs_close(world.logged), "close");
  bench_ok(kecs_close(world.store), "close");
  return 0;
}
