/* seeds.h -- seeds that have found something, by name: run with every test, with the faults and the kinds that there
 * were then, since others make another run of a seed. */
#ifndef KECS_TESTS_SIM_SEEDS_H
#define KECS_TESTS_SIM_SEEDS_H
#include "sim.h"

enum { SIM_ALL = SIM_FIRST | SIM_HUB_LOSS | SIM_RESTORE | SIM_ABSENCE };
#define SIM_TEN_KINDS UINT64_C(0x681fa)
#define SIM_STAMPED_KINDS UINT64_C(0x6fdfe) /* all but those that only grow */

typedef struct sim_seed {
  const char *name;
  uint64_t seed;
  unsigned faults;
  uint64_t kinds;
} sim_seed;

static const sim_seed sim_seeds[] = {
    /* A merged deletion did not raise the clock, so that a key that was created again began an earlier life. */
    {"new life after a deletion from ahead", 416, SIM_FIRST, SIM_TEN_KINDS},
    /* A fold moves a row's change behind what a push acknowledges, where a merge has given the row a later entry. */
    {"fold behind an acknowledgement", 285, SIM_FIRST, SIM_TEN_KINDS},
    /* An intent was sent again, and what it said was not on the disk: after a power cut a deleted row was back. */
    {"power cut after an intent was sent again", 10436, SIM_FIRST, SIM_TEN_KINDS},
    /* The feed did not tell of a group whose stamp stayed, and whose site did not. */
    {"two sites in one millisecond", 80519, SIM_ALL, SIM_STAMPED_KINDS},
    /* A page has rows that are later than its end. The hub went back to between the two, and nothing told the edge. */
    {"read beyond the cursor, then lost", 20651, SIM_ALL | SIM_GROWS, SIM_STAMPED_KINDS},
    /* A row that the hub had acknowledged and lost went with its parent, and was in no log. */
    {"lost at the hub, and gone with its parent", 26411, SIM_ALL | SIM_GROWS, SIM_STAMPED_KINDS},
    /* A row that the hub had lost kept another one waiting which had got its number: each was asked for, in vain. */
    {"a number that the hub gave away after it went back", 705, SIM_ALL | SIM_GROWS, SIM_STAMPED_KINDS},
    {"read beyond the cursor, then lost, on another way", 21985, SIM_ALL | SIM_GROWS, SIM_STAMPED_KINDS},
};

#endif
