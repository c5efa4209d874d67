/* sim_main.c -- runs seeds.
 *
 *   sim [-f FIRST] [-n COUNT] [-v] [-l | -p URL]
 *
 * on the model, -v telling each step; with -p on the PostgreSQL database of the URL, each seed also on the model, where
 * it must come to the same; with -l the laws of merge. Prints "ok" and "not ok" lines. */
#include "sim.h"

#include <unistd.h>

static sim_world world;

/* The laws, and cases by themselves. */
static bool run_laws(uint64_t first, uint64_t count) {
  char problem[SIM_TEXT * 6];
  bool good = true;
  for (uint64_t seed = first; seed < first + count && good; seed++) {
    good = sim_laws(seed, problem, sizeof problem);
    if (!good) {
      printf("not ok laws of merge, seed %llu: %s\n", (unsigned long long)seed, problem);
    }
  }
  if (good) {
    printf("ok laws of merge\n");
  }
  for (int i = 0; sim_cases(i, problem, sizeof problem); i++) {
    printf(problem[0] ? "not ok case %d: %s\n" : "ok case %d%s\n", i, problem);
    good = good && !problem[0];
  }
  return good;
}

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
  bool laws = false;
  sim_order order;
  memset(&order, 0, sizeof order);
  order.faults = SIM_BUILT;
  for (int option = getopt(argc, argv, "f:n:vlp:"); option != -1; option = getopt(argc, argv, "f:n:vlp:")) {
    if (option == 'f') {
      first = strtoull(optarg, NULL, 10);
    } else if (option == 'n') {
      count = strtoull(optarg, NULL, 10);
    } else if (option == 'v') {
      order.trace = true;
    } else if (option == 'l') {
      laws = true;
    } else if (option == 'p') {
      order.postgres = optarg;
    } else {
      return 2;
    }
  }
  sim_disk_register();
  if (laws) {
    return run_laws(first, count) ? 0 : 1;
  }
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
