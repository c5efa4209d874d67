/* store/special.c -- the table of what is special to each kind. The functions stand in the file of the kind. */
#include "base/prologue.h"

#include "store/special_kinds.h"

static const kecs__special kecs__specials[] = {
    {KECS_KIND_CLUSTER, kecs__cluster_fill, NULL, kecs__tags_follow, KECS_BIT(KECS_CLUSTER_TAGS)},
    {KECS_KIND_TASK_DEFINITION, kecs__task_definition_fill, kecs__task_definition_probe, kecs__tags_follow,
     KECS_BIT(KECS_TASK_DEFINITION_TAGS)},
    {KECS_KIND_SERVICE, kecs__service_fill, NULL, kecs__tags_follow, KECS_BIT(KECS_SERVICE_TAGS)},
    {KECS_KIND_TASK, kecs__task_fill, NULL, kecs__tags_follow, KECS_BIT(KECS_TASK_TAGS)},
    {KECS_KIND_TASK_SET, kecs__task_set_fill, NULL, kecs__tags_follow, KECS_BIT(KECS_TASK_SET_TAGS)},
    {KECS_KIND_CONTAINER_INSTANCE, kecs__container_instance_fill, NULL, kecs__tags_follow,
     KECS_BIT(KECS_CONTAINER_INSTANCE_TAGS)},
    {KECS_KIND_LOAD_BALANCER, kecs__load_balancer_fill, NULL, kecs__load_balancer_follow,
     KECS_BIT(KECS_LOAD_BALANCER_TAGS)},
    {KECS_KIND_TARGET_GROUP, kecs__target_group_fill, NULL, kecs__target_group_follow,
     KECS_BIT(KECS_TARGET_GROUP_TAGS) | KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS)},
    {KECS_KIND_LISTENER, kecs__listener_fill, NULL, kecs__listener_follow,
     KECS_BIT(KECS_LISTENER_TAGS) | KECS_BIT(KECS_LISTENER_DEFAULT_ACTIONS)},
    {KECS_KIND_RULE, kecs__rule_fill, NULL, kecs__tags_follow, KECS_BIT(KECS_RULE_TAGS)},
    {KECS_KIND_TARGET, kecs__target_fill, NULL, NULL, 0},
    {KECS_KIND_NODE, kecs__node_fill, NULL, NULL, 0},
};

static const kecs__special kecs__special_none = {(kecs_kind)0, NULL, NULL, NULL, 0};

KECS__FN const kecs__special *kecs__special_of(kecs_kind kind) {
  for (size_t i = 0; i < sizeof kecs__specials / sizeof kecs__specials[0]; i++) {
    if (kecs__specials[i].kind == kind) {
      return &kecs__specials[i];
    }
  }
  return &kecs__special_none;
}
