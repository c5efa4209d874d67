/* sim_main.c -- runs seeds.
 *
 *   sim [-f FIRST] [-n COUNT] [-v] [-p URL]   seeds on the model, -v telling each step; with -p on the PostgreSQL
 *                                             database of the URL, and also on the model: they must come to the same
 *   sim -c [-f FIRST] [-n COUNT] [-v] -p URL  seeds on PostgreSQL alone, with pushes by COPY
 *   sim -s [-v]                               the named seeds (seeds.h)
 *   sim -l [-n COUNT]                         the laws of merge, and cases by themselves
 *
 * Prints "ok" and "not ok" lines. */
#include "seeds.h"
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
  if (order->postgres) {
    order->faults &= SIM_ON_POSTGRES;
  }
  if (!order->postgres || order->copies) {
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

static const char *where(const sim_order *order) {
  return order->copies ? " on PostgreSQL, by COPY" : order->postgres ? " on PostgreSQL" : "";
}

static void report(const sim_order *order, const char *name, bool good) {
  printf("%s %s %llu%s%s%s\n", good ? "ok" : "not ok", name, (unsigned long long)order->seed, where(order),
         good ? "" : " ", good ? "" : world.failure);
  fflush(stdout);
}

/* Seeds that have found something. */
static bool run_named(sim_order *order) {
  bool all = true;
  for (size_t i = 0; i < sizeof sim_seeds / sizeof sim_seeds[0]; i++) {
    order->seed = sim_seeds[i].seed;
    order->faults = sim_seeds[i].faults;
    order->kinds = sim_seeds[i].kinds;
    bool good = run(order);
    report(order, sim_seeds[i].name, good);
    all = all && good;
  }
  return all;
}

/* All that is from `first` on; only those that fail are told one by one. */
static bool run_many(sim_order *order, uint64_t first, uint64_t count) {
  uint64_t failed = 0;
  for (order->seed = first; order->seed < first + count; order->seed++) {
    if (!run(order)) {
      failed++;
      report(order, "seed", false);
    }
  }
  if (!failed) {
    printf("ok %llu seeds%s from %llu on\n", (unsigned long long)count, where(order), (unsigned long long)first);
  }
  return failed == 0;
}

int main(int argc, char **argv) {
  uint64_t first = 1;
  uint64_t count = 100;
  char what = 'n';
  sim_order order;
  memset(&order, 0, sizeof order);
  order.faults = SIM_BUILT;
  order.kinds = UINT64_MAX;
  for (int option = getopt(argc, argv, "cf:n:p:lsv"); option != -1; option = getopt(argc, argv, "cf:n:p:lsv")) {
    if (option == 'f') {
      first = strtoull(optarg, NULL, 10);
    } else if (option == 'n') {
      count = strtoull(optarg, NULL, 10);
    } else if (option == 'p') {
      order.postgres = optarg;
    } else if (option == 'c') {
      order.copies = true;
    } else if (option == 'v') {
      order.trace = true;
    } else if (option == 'l' || option == 's') {
      what = (char)option;
    } else {
      return 2;
    }
  }
  if (order.copies && !order.postgres) {
    return 2; /* the model knows no COPY */
  }
  sim_disk_register();
  sim_world_prepare(&world);
  bool good = what == 'l' ? run_laws(first, count) : what == 's' ? run_named(&order) : run_many(&order, first, count);
  sim_postgres_end();
  sim_disk_clear();
  return good ? 0 : 1;
}
