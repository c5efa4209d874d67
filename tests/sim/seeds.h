/* seeds.h -- seeds that have found something, by name: run with every test, with the faults and the kinds that there
 * were then, since others make another run of a seed. */
#ifndef KECS_TESTS_SIM_SEEDS_H
#define KECS_TESTS_SIM_SEEDS_H
#include "sim.h"

#define SIM_FIRST_KINDS UINT64_C(426490)

typedef struct sim_seed {
  const char *name;
  uint64_t seed;
} sim_seed;

static const sim_seed sim_seeds[] = {
    /* A deletion that was merged did not raise the clock, so that a key that was created again began an earlier life.
     */
    {"new life after a deletion from ahead", 416},
    /* A fold moves a row's change behind what a push acknowledges, where a merge has given the row a later entry. */
    {"fold behind an acknowledgement", 285},
    /* An intent was sent again, and what it said was not on the disk: after a power cut a deleted row was back. */
    {"power cut after an intent was sent again", 10436},
};

#endif
