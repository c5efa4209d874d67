/* sim_main.c -- runs seeds.
 *
 *   sim [-f FIRST] [-n COUNT] [-v] [-p URL]
 *
 * on the model, -v telling each step; with -p on the PostgreSQL database of the URL, each seed also on the model, where
 * it must come to the same. Prints "ok" and "not ok" lines. */
#include "sim.h"

#include <unistd.h>

static sim_world world;

/* One seed; on PostgreSQL twice. */
static bool run(sim_order *order) {
  sim_states model;
  sim_states there;
  char problem[SIM_TEXT * 4];
  memset(&model, 0, sizeof model);
  memset(&there, 0, sizeof there);
  if (!order->postgres) {
    return sim_world_run(&world, order);
  }
  sim_order other = *order;
  other.postgres = NULL;
  other.outcome = &model;
  order->outcome = &there;
  bool good = sim_world_run(&world, order) && sim_world_run(&world, &other);
  if (good && !sim_same_outcome(&there, &model, problem, sizeof problem)) {
    sim_fail(&world, "%s", problem);
    good = false;
  }
  sim_states_free(&model);
  sim_states_free(&there);
  return good;
}

int main(int argc, char **argv) {
  uint64_t first = 1;
  uint64_t count = 100;
  uint64_t failed = 0;
  sim_order order;
  memset(&order, 0, sizeof order);
  order.faults = SIM_BUILT;
  for (int option = getopt(argc, argv, "f:n:vp:"); option != -1; option = getopt(argc, argv, "f:n:vp:")) {
    if (option == 'f') {
      first = strtoull(optarg, NULL, 10);
    } else if (option == 'n') {
      count = strtoull(optarg, NULL, 10);
    } else if (option == 'v') {
      order.trace = true;
    } else if (option == 'p') {
      order.postgres = optarg;
    } else {
      return 2;
    }
  }
  sim_disk_register();
  for (order.seed = first; order.seed < first + count; order.seed++) {
    if (!run(&order)) {
      failed++;
      printf("not ok seed %llu%s %s\n", (unsigned long long)order.seed, order.postgres ? " on PostgreSQL" : "",
             world.failure);
      fflush(stdout);
    }
  }
  sim_postgres_end();
  sim_disk_clear();
  if (!failed) {
    printf("ok %llu seeds%s from %llu on\n", (unsigned long long)count, order.postgres ? " on PostgreSQL" : "",
           (unsigned long long)first);
  }
  return failed ? 1 : 0;
}
