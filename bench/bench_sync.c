/* bench_sync.c -- what sync costs beside libpq and SQLite used by hand. docs/benchmarks.md tells how to read the table.
 *
 *   bench/sync.py build/bench/bench_sync [--rounds N] [--rows N] [--only WORD] [--folder F] [--out FILE]
 *
 *   --rounds N   rounds of each case, 5
 *   --rows N     tasks that are pushed and pulled, 100000
 *   --only WORD  the cases whose name has WORD in it
 *   --folder F   where the edges' files are, build/bench-data
 *   --out FILE   the figures once more, tab-separated, build/bench_sync.tsv
 *
 * KECS_TEST_POSTGRES is the URL of a server that nobody else uses. Figures are microseconds on the clock: client and
 * server work at the same time. A wrong answer is a failure, a missed target is not. */
#include "sync_hand.h"
#include "sync_world.h"

/* ---- cases ---- */

static void prepare_push(sync_world *world) {
  sync_hand_run(&world->hand, "TRUNCATE " SYNC_HAND_SCHEMA ".tasks");
  sync_new_hub(world);
  sync_edge_file(world, &world->edge, "edge", world->rows);
  sync_edge_open(world, &world->edge, world->batch);
}

static void ours_push(sync_world *world) {
  kecs_sync_report report;
  bench_ok(kecs_sync_once(world->edge.sync, &report), "push");
  bench_check(report.pushed >= world->rows && report.refused == 0, "%lld rows pushed", (long long)report.pushed);
}

static void hand_push(sync_world *world) {
  sync_hand_push(&world->hand, world->edge.path);
}

static void end_push(sync_world *world) {
  sync_edge_close(&world->edge);
}

static void prepare_pull(sync_world *world) {
  if (!world->filled) {
    sync_new_hub(world);
    sync_edge_file(world, &world->edge, "edge", world->rows);
    sync_edge_open(world, &world->edge, world->batch);
    ours_push(world);
    sync_edge_close(&world->edge);
    world->filled = true;
  }
  sync_edge_file(world, &world->edge, "second", 0);
  sync_edge_open(world, &world->edge, world->batch);
  sync_plain_file(world, world->plain, "plain");
}

static void ours_pull(sync_world *world) {
  kecs_sync_report report;
  bench_ok(kecs_sync_once(world->edge.sync, &report), "pull");
  bench_check(report.pulled >= world->rows, "%lld rows pulled", (long long)report.pulled);
}

static void hand_pull(sync_world *world) {
  sync_hand_pull(&world->hand, world->plain, world->schema, "default");
}

static const sync_case sync_cases[] = {
    {"sync.push.new", 1 / 0.85, prepare_push, ours_push, hand_push, end_push},
    {"sync.pull.first", 1 / 0.80, prepare_pull, ours_pull, hand_pull, end_push},
};

static double sync_time(sync_world *world, void (*work)(sync_world *world)) {
  double since = sync_clock();
  work(world);
  return (sync_clock() - since) / world->rows;
}

static void sync_run(sync_world *world, const sync_case *one, int rounds, bench_table *table) {
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  for (int round = -1; round < rounds; round++) { /* the first one does not count */
    int at = round < 0 ? 0 : round;
    one->prepare(world);
    sync_hand_run(&world->hand, "CHECKPOINT");
    if (round % 2) {
      ours[at] = sync_time(world, one->ours);
    }
    theirs[at] = sync_time(world, one->by_hand);
    if (round % 2 == 0) {
      ours[at] = sync_time(world, one->ours);
    }
    one->end(world);
  }
  bench_add(table, one->name, one->target, ours, theirs, rounds);
}

int main(int argc, char **argv) {
  static sync_world world;
  static bench_table table;
  const char *only = "";
  const char *out = "build/bench_sync.tsv";
  int rounds = 5;
  world.url = getenv("KECS_TEST_POSTGRES");
  world.rows = 100000;
  world.folder = "build/bench-data";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--rounds") == 0) {
      rounds = sync_number(argv[i + 1], 1, BENCH_ROUNDS_MAX);
    } else if (strcmp(argv[i], "--rows") == 0) {
      world.rows = sync_number(argv[i + 1], 100, 1000000);
    } else if (strcmp(argv[i], "--batch") == 0) {
      world.batch = sync_number(argv[i + 1], 1, 100000);
    } else if (strcmp(argv[i], "--only") == 0) {
      only = argv[i + 1];
    } else if (strcmp(argv[i], "--folder") == 0) {
      world.folder = argv[i + 1];
    } else {
      bench_check(strcmp(argv[i], "--out") == 0, "unknown option %s", argv[i]);
      out = argv[i + 1];
    }
  }
  bench_check(world.url != NULL, "run it as bench/sync.py does: KECS_TEST_POSTGRES is not set");
  sync_prepare(&world);
  printf("microseconds on the clock, not of CPU; \"baseline\" is libpq and SQLite by hand\n");
  bench_print_head();
  for (size_t i = 0; i < sizeof sync_cases / sizeof sync_cases[0]; i++) {
    if (strstr(sync_cases[i].name, only)) {
      sync_run(&world, &sync_cases[i], rounds, &table);
    }
  }
  bench_write(&table, out);
  sync_hand_close(&world.hand);
  return 0;
}
