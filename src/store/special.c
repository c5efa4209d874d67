/* store/special.c -- the table of what is special to each kind. The functions stand in the file of the kind. */
#include "base/prologue.h"

#include "store/special_kinds.h"

static const kecs__special kecs__specials[] = {
    {.kind = KECS_KIND_CLUSTER,
     .fill = kecs__cluster_fill,
     .follow = kecs__tags_follow,
     .tags_alone = true,
     .followed = KECS_BIT(KECS_CLUSTER_TAGS)},
    {.kind = KECS_KIND_TASK_DEFINITION,
     .fill = kecs__task_definition_fill,
     .probe = kecs__task_definition_probe,
     .is_new = kecs__task_definition_is_new,
     .merged = kecs__task_definition_merged,
     .numbered = true,
     .follow = kecs__tags_follow,
     .tags_alone = true,
     .followed = KECS_BIT(KECS_TASK_DEFINITION_TAGS)},
    {.kind = KECS_KIND_SERVICE,
     .fill = kecs__service_fill,
     .follow = kecs__tags_follow,
     .tags_alone = true,
     .followed = KECS_BIT(KECS_SERVICE_TAGS)},
    {.kind = KECS_KIND_TASK,
     .fill = kecs__task_fill,
     .derive = kecs__task_derive,
     .follow = kecs__tags_follow,
     .tags_alone = true,
     .followed = KECS_BIT(KECS_TASK_TAGS)},
    {.kind = KECS_KIND_TASK_SET,
     .fill = kecs__task_set_fill,
     .follow = kecs__tags_follow,
     .tags_alone = true,
     .followed = KECS_BIT(KECS_TASK_SET_TAGS)},
    {.kind = KECS_KIND_CONTAINER_INSTANCE,
     .fill = kecs__container_instance_fill,
     .follow = kecs__tags_follow,
     .tags_alone = true,
     .followed = KECS_BIT(KECS_CONTAINER_INSTANCE_TAGS)},
    {.kind = KECS_KIND_LOAD_BALANCER,
     .fill = kecs__load_balancer_fill,
     .follow = kecs__load_balancer_follow,
     .followed = KECS_BIT(KECS_LOAD_BALANCER_TAGS)},
    {.kind = KECS_KIND_TARGET_GROUP,
     .fill = kecs__target_group_fill,
     .follow = kecs__target_group_follow,
     .merged = kecs__elb_merged,
     .followed = KECS_BIT(KECS_TARGET_GROUP_TAGS) | KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS)},
    {.kind = KECS_KIND_LISTENER,
     .fill = kecs__listener_fill,
     .follow = kecs__listener_follow,
     .merged = kecs__elb_merged,
     .followed = KECS_BIT(KECS_LISTENER_TAGS) | KECS_BIT(KECS_LISTENER_DEFAULT_ACTIONS)},
    {.kind = KECS_KIND_RULE,
     .fill = kecs__rule_fill,
     .judge = kecs__rule_judge,
     .judged = KECS_BIT(KECS_RULE_PRIORITY) | KECS_BIT(KECS_RULE_IS_DEFAULT),
     .follow = kecs__tags_follow,
     .tags_alone = true,
     .followed = KECS_BIT(KECS_RULE_TAGS)},
    {.kind = KECS_KIND_TAG,
     .follow = kecs__tag_follow,
     .followed = KECS_BIT(KECS_TAG_VALUE)},
};

static const kecs__special kecs__special_none = {.kind = (kecs_kind)0};

KECS__FN void kecs__specials_set(kecs__engine *engine) {
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    engine->kinds[kind].special = &kecs__special_none;
  }
  for (size_t i = 0; i < sizeof kecs__specials / sizeof kecs__specials[0]; i++) {
    engine->kinds[kecs__specials[i].kind].special = &kecs__specials[i];
  }
}
