/* sim_main.c -- runs seeds.
 *
 *   sim [-f FIRST] [-n COUNT] [-v]     seeds on the model; -v tells each step of them
 *
 * Prints "ok" and "not ok" lines. */
#include "sim.h"

#include <unistd.h>

static sim_world world;

int main(int argc, char **argv) {
  uint64_t first = 1;
  uint64_t count = 100;
  int failed = 0;
  bool trace = false;
  for (int option = getopt(argc, argv, "f:n:v"); option != -1; option = getopt(argc, argv, "f:n:v")) {
    if (option == 'f') {
      first = strtoull(optarg, NULL, 10);
    } else if (option == 'n') {
      count = strtoull(optarg, NULL, 10);
    } else if (option == 'v') {
      trace = true;
    } else {
      return 2;
    }
  }
  sim_disk_register();
  for (uint64_t seed = first; seed < first + count; seed++) {
    if (!sim_world_run(&world, seed, SIM_BUILT, NULL, trace)) {
      failed++;
      printf("not ok seed %llu %s\n", (unsigned long long)seed, world.failure);
      fflush(stdout);
    }
  }
  printf("%s %llu seeds\n", failed ? "not ok" : "ok", (unsigned long long)count);
  return failed ? 1 : 0;
}
