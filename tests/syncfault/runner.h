/* runner.h -- every scene under every kind of fault, at every call that can fail. */
#ifndef SYNCFAULT_RUNNER_H
#define SYNCFAULT_RUNNER_H

#include "fault/fault.h"

/* Runs all scenes under these kinds of faults. What a program's main returns. */
int syncfault_main(const char *group, const fault_kind *kinds, size_t count);

#endif
