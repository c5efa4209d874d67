/* base/types.h -- small value types that rows are made of. */
#ifndef KECS_BASE_TYPES_H
#define KECS_BASE_TYPES_H
#include "base/config.h"

/* A number that may be absent. Zero-initialised it is absent (SQL NULL). */
typedef struct kecs_opt_int {
  int64_t value;
  bool has;
} kecs_opt_int;

/* The priority of a listener's default rule, which AWS writes as "default": after every other. */
#define KECS_RANK_DEFAULT INT64_C(50000)

/* The bit of a column in a mask: KECS_BIT(KECS_TASK_LAST_STATUS) | KECS_BIT(KECS_TASK_STOPPED_AT). */
#define KECS_BIT(column) (UINT64_C(1) << (column))

#endif
