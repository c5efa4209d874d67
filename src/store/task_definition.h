/* store/task_definition.h -- what tasks need to know of task definitions. */
#ifndef KECS_STORE_TASK_DEFINITION_H
#define KECS_STORE_TASK_DEFINITION_H
#include "base/memory.h"

/* The family that "FAMILY", "FAMILY:REVISION" or a task definition's ARN names; "" for an ARN of something else. */
KECS__FN kecs_status kecs__family_of(const char *definition, kecs__arena *arena, const char **out_family);

#endif
