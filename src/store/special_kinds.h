/* store/special_kinds.h -- the functions of the table in special.c, each in its kind's file (see kecs__special). */
#ifndef KECS_STORE_SPECIAL_KINDS_H
#define KECS_STORE_SPECIAL_KINDS_H
#include "store/locate.h"

#define KECS__FILL(name) \
  KECS__FN kecs_status kecs__##name##_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh)
#define KECS__FOLLOW(name)                                                                                       \
  KECS__FN kecs_status kecs__##name##_follow(kecs__write *write, const kecs__meta *meta, const void *before, \
                                             const void *after, uint64_t changed)

KECS__FILL(cluster);
KECS__FILL(task_definition);
KECS__FILL(service);
KECS__FILL(task);
KECS__FILL(task_set);
KECS__FILL(container_instance);
KECS__FILL(load_balancer);
KECS__FILL(target_group);
KECS__FILL(listener);
KECS__FILL(rule);

/* "family" is the latest ACTIVE revision, "family:revision" that one. */
KECS__FN kecs_status kecs__task_definition_probe(kecs__session *session, const kecs__meta *meta,
                                                 const kecs_value *address, kecs__arena *arena, kecs__probe *out_probe);

/* Without ARN and revision. */
KECS__FN bool kecs__task_definition_is_new(const kecs__meta *meta, const void *row);

/* The family's counter is never behind a revision that was merged. */
KECS__FN kecs_status kecs__task_definition_merged(kecs__write *write, const kecs__meta *meta, const void *before,
                                                  const void *after);

/* The task's family, from its reference. */
KECS__FN kecs_status kecs__task_derive(kecs_value *values, kecs__arena *arena, uint64_t *out_mask);

KECS__FN kecs_status kecs__rule_judge(const kecs__meta *meta, const void *row, const kecs_value *stored,
                                      uint64_t *mask);

/* resource_tags in step with the column `tags`, for every kind that has both. */
KECS__FOLLOW(tags);

/* The other way round: the document of the resource in step with a row of the kind tag. */
KECS__FOLLOW(tag);

/* tags, and elbv2_associations in step with what links load balancers and target groups. */
KECS__FOLLOW(load_balancer);
KECS__FOLLOW(target_group);
KECS__FOLLOW(listener);

/* elbv2_associations again, after a merge. */
KECS__FN kecs_status kecs__elb_merged(kecs__write *write, const kecs__meta *meta, const void *before,
                                      const void *after);

#endif
