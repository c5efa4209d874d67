/* runner.h -- every case under every kind of fault, at every call that can fail. */
#ifndef FAULT_RUNNER_H
#define FAULT_RUNNER_H

#include "fault/cases.h"

/* Runs all cases, on a store and in a transaction, and opening and closing, under these kinds of faults. What a
 * program's main returns. */
int fault_main(const char *group, const fault_kind *kinds, size_t count);

#endif
