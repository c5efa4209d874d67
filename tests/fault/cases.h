/* cases.h -- what is done while memory and disks fail: a ready store, and a table of calls on it. */
#ifndef FAULT_CASES_H
#define FAULT_CASES_H

#include "fault/fault.h"

enum {
  FAULT_READS = 1,  /* changes nothing */
  FAULT_STEPS = 2,  /* several transactions of its own: a failure may leave the first of them done */
  FAULT_STRICT = 4, /* on a store that validates */
  FAULT_HISTORY = 8 /* on a store that keeps its history */
};

/* A case makes its calls on `store`, which may be a transaction, and returns the first failure. What they give goes
 * through fault_take and the like. */
typedef struct fault_case {
  const char *name;
  kecs_status (*run)(kecs_store *store);
  unsigned flags;
} fault_case;

extern const fault_case fault_cases[];
extern const size_t fault_case_count;

/* Fills a fresh store with at least one row of every kind. */
void fault_seed(kecs_store *store);

/* A small read and a small write that any store must be able to do. */
kecs_status fault_small_read(kecs_store *store);
kecs_status fault_small_write(kecs_store *store);

#endif
