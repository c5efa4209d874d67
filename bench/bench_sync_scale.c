/* bench_sync_scale.c -- what sync costs where many take part, and where nothing is to be done. docs/benchmarks.md tells
 * how to read it.
 *
 *   bench/sync.py --scale build/bench/slow_disk.so build/bench/bench_sync_scale [--rounds N] [--rows N] [--edges N]
 *                 [--every S] [--only WORD] [--folder F] [--out FILE]
 *
 *   --rounds N   rounds of each case that has a baseline, 3
 *   --rows N     tasks that are pulled through scopes, 20000
 *   --edges N    edges at one hub, 1000
 *   --every S    seconds between two rounds of an idle edge, 30
 *   --only WORD  the cases whose name has WORD in it: sync.idle, sync.push.16_sites_4ms ..., sync.edges.few
 *                ..., sync.scope
 *   --folder F   where the edges' files are, /dev/shm/kecs_bench_sync: each would have a disk of its own
 *   --out FILE   the figures once more, tab-separated, build/bench_sync_scale.tsv
 *
 * KECS_TEST_POSTGRES is the URL of a server that nobody else uses. A wrong answer is a failure, a missed target is
 * not. */
#include "sync_idle.h"
#include "sync_many.h"
#include "sync_scope.h"
#include "sync_sixteen.h"

typedef struct scale_options {
  const char *only;
  const char *out;
  int rounds;
  int edges;
  int every;
} scale_options;

static void scale_read(int argc, char **argv, sync_world *world, scale_options *options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *value = argv[i + 1];
    if (strcmp(argv[i], "--rounds") == 0) {
      options->rounds = sync_number(value, 1, BENCH_ROUNDS_MAX);
    } else if (strcmp(argv[i], "--rows") == 0) {
      world->rows = sync_number(value, 100, 1000000);
    } else if (strcmp(argv[i], "--edges") == 0) {
      options->edges = sync_number(value, 1, 1000);
    } else if (strcmp(argv[i], "--every") == 0) {
      options->every = sync_number(value, 1, 3600);
    } else if (strcmp(argv[i], "--only") == 0) {
      options->only = value;
    } else if (strcmp(argv[i], "--folder") == 0) {
      world->folder = value;
    } else {
      bench_check(strcmp(argv[i], "--out") == 0, "unknown option %s", argv[i]);
      options->out = value;
    }
  }
}

static void scale_run(sync_world *world, const scale_options *options, bench_table *table, FILE *out) {
  const char *only = options->only;
  if (strstr("sync.idle", only)) {
    sync_idle_run(world, out, options->every);
  }
  for (size_t i = 0; i < sizeof sync_manners / sizeof sync_manners[0]; i++) {
    if (strstr(sync_manners[i].name, only)) {
      sync_many_run(world, &sync_manners[i], out, options->edges);
    }
  }
  printf("microseconds on the clock; \"baseline\" is SQL by hand, of sync.scope a site that has the whole tenant\n");
  bench_print_head();
  for (size_t i = 0; i < sizeof sync_slownesses / sizeof sync_slownesses[0]; i++) {
    if (strstr(sync_slownesses[i].name, only)) {
      sync_sixteen_run(world, &sync_slownesses[i], table, out, options->rounds);
    }
  }
  if (strstr("sync.scope", only)) {
    sync_scope_run(world, table, out, options->rounds);
  }
}

int main(int argc, char **argv) {
  static sync_world world;
  static bench_table table;
  scale_options options = {"", "build/bench_sync_scale.tsv", 3, 1000, 30};
  char figures[SYNC_PATH];
  world.url = getenv("KECS_TEST_POSTGRES");
  world.rows = 20000;
  world.folder = "/dev/shm/kecs_bench_sync";
  scale_read(argc, argv, &world, &options);
  bench_check(world.url != NULL, "run it as bench/sync.py does: KECS_TEST_POSTGRES is not set");
  snprintf(figures, sizeof figures, "%s.figures", options.out);
  FILE *out = fopen(figures, "w");
  bench_check(out != NULL, "can't write %s", figures);
  sync_prepare(&world);
  scale_run(&world, &options, &table, out);
  bench_write(&table, options.out);
  bench_check(fclose(out) == 0, "can't write %s", figures);
  sync_hand_close(&world.hand);
  return 0;
}
