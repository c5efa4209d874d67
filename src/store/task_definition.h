/* store/task_definition.h -- what tasks need to know of task definitions. */
#ifndef KECS_STORE_TASK_DEFINITION_H
#define KECS_STORE_TASK_DEFINITION_H
#include "base/memory.h"

/* The family that "FAMILY", "FAMILY:REVISION" or a task definition's ARN names; "" for an ARN of something else. */
KECS__FN kecs_status kecs__family_of(const char *definition, kecs__arena *arena, const char **out_family);

/* The same with the revision; 0 where it says none. */
KECS__FN kecs_status kecs__revision_of(const char *definition, kecs__arena *arena, const char **out_family,
                                       int64_t *out_revision);

/* Statements on the counters of families. */
#define KECS__FAMILY_INSERT(revision)                                                       \
  "INSERT INTO {task_definition_families}({tenant}account_id,region,family,last_revision) " \
  "VALUES({ours}?1,?2,?3," revision ") ON CONFLICT({tenant}account_id,region,family) DO UPDATE SET last_revision="
#define KECS__FAMILY_RAISE KECS__FAMILY_INSERT("?4") "?4 WHERE task_definition_families.last_revision<?4"

/* The stored revisions of a row of task_definition_families. */
#define KECS__FAMILY_ROWS                                                                   \
  "FROM {task_definitions d} WHERE {own d}d.account_id=task_definition_families.account_id" \
  " AND d.region=task_definition_families.region AND d.family=task_definition_families.family"

#endif
