/* store/import_shapes.c -- the table of shapes: the AWS API's resources, responses and requests, by their members.
 *
 * Rows are tried in order and the first that fits decides, so what is more telling stands first: a task names its
 * cluster, its container instance and its definition by ARN, so it is a task before it could be any of these. */
#include "base/prologue.h"

#include "store/import_shapes.h"

#include "store/document.h"

#include <string.h>

typedef enum kecs__member_class {
  KECS__CLASS_ANY,
  KECS__CLASS_SCALAR, /* neither array nor object */
  KECS__CLASS_ARRAY,
  KECS__CLASS_OBJECT
} kecs__member_class;

typedef struct kecs__member_row {
  const char *name;
  size_t len;
  kecs__member_class value_class;
} kecs__member_row;

static const kecs__member_row kecs__member_rows[KECS__MEMBER_END] = {
    {"", 0, KECS__CLASS_ANY},
#define KECS__MEMBER_ROW(name, text, value_class) {text, sizeof text - 1, KECS__CLASS_##value_class},
    KECS_IMPORT_MEMBERS(KECS__MEMBER_ROW)
#undef KECS__MEMBER_ROW
};

/* Their lengths once more, side by side: most names of a document are told apart by them. */
static const unsigned char kecs__member_lens[KECS__MEMBER_END] = {
    0,
#define KECS__MEMBER_LEN(name, text, value_class) sizeof text - 1,
    KECS_IMPORT_MEMBERS(KECS__MEMBER_LEN)
#undef KECS__MEMBER_LEN
};

/* The first row from `at` on that a name of this length may be; one with escapes may be any. */
static int kecs__member_next(int at, size_t len, bool escaped) {
  const unsigned char *found = NULL;
  if (escaped) {
    return at;
  }
  if (len <= 255 && at < KECS__MEMBER_END) {
    found = memchr(kecs__member_lens + at, (int)len, (size_t)(KECS__MEMBER_END - at));
  }
  return found ? (int)(found - kecs__member_lens) : (int)KECS__MEMBER_END;
}

static bool kecs__member_fits(const kecs__member_row *row, kecs__json name, kecs__json value) {
  bool array = value.type == KECS__JSON_ARRAY;
  bool object = value.type == KECS__JSON_OBJECT;
  if (!kecs__name_is(name, row->name, row->len)) {
    return false;
  }
  switch (row->value_class) {
    case KECS__CLASS_ANY:
      return true;
    case KECS__CLASS_SCALAR:
      return !array && !object;
    case KECS__CLASS_ARRAY:
      return array;
    case KECS__CLASS_OBJECT:
      return object;
  }
  return false;
}

KECS__FN void kecs__members_read(kecs__json object, kecs__members *out) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  memset(out, 0, sizeof *out);
  while (kecs__json_next_member(object, &walk, &name, &value)) {
    out->count++;
    bool arns = name.len > 6 && memcmp(name.text + name.len - 5, "Arns\"", 5) == 0;
    out->arns = out->arns || (arns && value.type == KECS__JSON_ARRAY);
    bool escaped = memchr(name.text, '\\', name.len) != NULL;
    size_t len = name.len - 2; /* without its quotes */
    for (int i = kecs__member_next(1, len, escaped); i < KECS__MEMBER_END; i = kecs__member_next(i + 1, len, escaped)) {
      if (out->at[i].type == KECS__JSON_NONE && kecs__member_fits(&kecs__member_rows[i], name, value)) {
        out->at[i] = value;
        break;
      }
    }
  }
}

KECS__FN bool kecs__members_have(const kecs__members *members, kecs__member member) {
  return members->at[member].type != KECS__JSON_NONE;
}

/* ---- resources and requests ---- */

#define KECS__M(name) KECS__MEMBER_##name

static const char kecs__no_task[] = "it starts tasks and describes none";
static const char kecs__no_set[] = "it names a task set and describes none";
static const char kecs__no_kind[] = "the store has no such kind";
static const char kecs__no_health[] = "it names targets; it may add them, remove them or ask for their health";

static const kecs__shape kecs__shapes[] = {
    /* ECS. A request comes after the resource that it is about, and after what has more of its members. */
    {.kind = KECS_KIND_TASK_DEFINITION, .what = "task definition", .all = {KECS__M(CONTAINER_DEFINITIONS)}},
    {.kind = KECS_KIND_TASK_SET, .what = "task set", .all = {KECS__M(TASK_SET_ARN)}},
    {.kind = KECS_KIND_TASK_LOG, .what = "task log line", .all = {KECS__M(TASK_ARN), KECS__M(LOG_LINE)}},
    {.kind = KECS_KIND_TASK,
     .what = "task",
     .all = {KECS__M(TASK_ARN)},
     .any = {KECS__M(LAST_STATUS), KECS__M(CONTAINERS), KECS__M(TASK_DEFINITION_ARN), KECS__M(CLUSTER_ARN)}},
    {.kind = KECS_KIND_CONTAINER_INSTANCE,
     .what = "container instance",
     .all = {KECS__M(CONTAINER_INSTANCE_ARN)},
     .none = {KECS__M(TASK_ARN)}},
    {.kind = KECS_KIND_CONTAINER_INSTANCE,
     .what = "RegisterContainerInstance request",
     .all = {KECS__M(TOTAL_RESOURCES)}},
    {.kind = KECS_KIND_SERVICE, .what = "service", .any = {KECS__M(SERVICE_ARN), KECS__M(SERVICE_NAME)}},
    {.what = "request about a task set", .reason = kecs__no_set, .all = {KECS__M(SERVICE), KECS__M(TASK_SET)}},
    {.kind = KECS_KIND_TASK_SET,
     .what = "CreateTaskSet request",
     .all = {KECS__M(SERVICE)},
     .any = {KECS__M(EXTERNAL_ID), KECS__M(SCALE)},
     .none = {KECS__M(DESIRED_COUNT)}},
    {.kind = KECS_KIND_SERVICE,
     .what = "UpdateService request",
     .update = true,
     .all = {KECS__M(SERVICE)},
     .any = {KECS__M(DESIRED_COUNT), KECS__M(TASK_DEFINITION), KECS__M(DEPLOYMENT_CONFIGURATION),
             KECS__M(LOAD_BALANCERS), KECS__M(NETWORK_CONFIGURATION)}},
    {.kind = KECS_KIND_SERVICE,
     .what = "service without a name",
     .nameless = true,
     .any = {KECS__M(DESIRED_COUNT), KECS__M(DEPLOYMENT_CONFIGURATION), KECS__M(DEPLOYMENT_CONTROLLER),
             KECS__M(LOAD_BALANCERS), KECS__M(SCHEDULING_STRATEGY)},
     .none = {KECS__M(SERVICE), KECS__M(CLUSTER_NAME)}},
    {.what = "RunTask request",
     .reason = kecs__no_task,
     .all = {KECS__M(TASK_DEFINITION)},
     .any = {KECS__M(OVERRIDES), KECS__M(LAUNCH_TYPE), KECS__M(NETWORK_CONFIGURATION), KECS__M(COUNT),
             KECS__M(STARTED_BY)}},
    {.what = "capacity provider", .reason = kecs__no_kind, .all = {KECS__M(CAPACITY_PROVIDER_ARN)}},
    {.kind = KECS_KIND_CLUSTER,
     .what = "cluster",
     .any = {KECS__M(CLUSTER_NAME), KECS__M(CLUSTER_ARN)},
     .none = {KECS__M(SERVICES), KECS__M(TASKS), KECS__M(CONTAINER_INSTANCES), KECS__M(TASK_SETS)}},
    {.kind = KECS_KIND_ATTRIBUTE, .what = "attribute", .all = {KECS__M(NAME), KECS__M(TARGET_ID)}},
    {.kind = KECS_KIND_ACCOUNT_SETTING,
     .what = "account setting",
     .all = {KECS__M(NAME), KECS__M(VALUE), KECS__M(PRINCIPAL_ARN)}},
    {.kind = KECS_KIND_EVENT, .what = "event", .all = {KECS__M(EVENT_TYPE), KECS__M(RESOURCE_ARN), KECS__M(ACTION)}},
    {.kind = KECS_KIND_TAG, .what = "tag", .all = {KECS__M(RESOURCE_ARN), KECS__M(KEY)}},
    {.kind = KECS_KIND_TAG, .what = "TagResource request", .all = {KECS__M(RESOURCE_ARN), KECS__M(TAGS)}},
    {.kind = KECS_KIND_NODE, .what = "node", .all = {KECS__M(NODE_ID), KECS__M(HOSTNAME)}},
    {.kind = KECS_KIND_NODE_TASK, .what = "node task", .all = {KECS__M(TASK_ID), KECS__M(IMAGE)}},

    /* ELBv2 */
    {.kind = KECS_KIND_LOAD_BALANCER,
     .what = "load balancer",
     .all = {KECS__M(ELB_LOAD_BALANCER_ARN), KECS__M(ELB_LOAD_BALANCER_NAME)}},
    {.kind = KECS_KIND_LOAD_BALANCER,
     .what = "CreateLoadBalancer request",
     .all = {KECS__M(ELB_NAME)},
     .any = {KECS__M(ELB_SUBNETS), KECS__M(ELB_SUBNET_MAPPINGS)}},
    {.kind = KECS_KIND_TARGET_GROUP,
     .what = "target group",
     .all = {KECS__M(ELB_TARGET_GROUP_ARN), KECS__M(ELB_TARGET_GROUP_NAME)}},
    {.kind = KECS_KIND_TARGET_GROUP,
     .what = "CreateTargetGroup request",
     .all = {KECS__M(ELB_NAME), KECS__M(ELB_PROTOCOL)}},
    {.kind = KECS_KIND_RULE,
     .what = "rule",
     .all = {KECS__M(ELB_RULE_ARN)},
     .any = {KECS__M(ELB_CONDITIONS), KECS__M(ELB_ACTIONS)}},
    {.kind = KECS_KIND_RULE,
     .what = "CreateRule request",
     .all = {KECS__M(ELB_LISTENER_ARN), KECS__M(ELB_CONDITIONS), KECS__M(ELB_ACTIONS)}},
    {.kind = KECS_KIND_LISTENER,
     .what = "listener",
     .all = {KECS__M(ELB_LISTENER_ARN)},
     .any = {KECS__M(ELB_LOAD_BALANCER_ARN), KECS__M(ELB_DEFAULT_ACTIONS)}},
    {.kind = KECS_KIND_LISTENER,
     .what = "CreateListener request",
     .all = {KECS__M(ELB_LOAD_BALANCER_ARN), KECS__M(ELB_DEFAULT_ACTIONS)}},
    {.what = "request about targets",
     .reason = kecs__no_health,
     .all = {KECS__M(ELB_TARGET_GROUP_ARN), KECS__M(ELB_SOME_TARGETS)}},
    {.kind = KECS_KIND_TARGET,
     .what = "target health description",
     .all = {KECS__M(ELB_TARGET)},
     .any = {KECS__M(ELB_TARGET_HEALTH), KECS__M(ELB_TARGET_GROUP_ARN)}},
    {.kind = KECS_KIND_TAG,
     .what = "tag description",
     .all = {KECS__M(ELB_RESOURCE_ARN), KECS__M(ELB_RESOURCE_TAGS)}},
};

#undef KECS__M

static bool kecs__members_fit(const kecs__members *members, const kecs__shape *shape) {
  bool any = shape->any[0] == KECS__MEMBER_NONE;
  for (size_t i = 0; i < sizeof shape->all / sizeof shape->all[0]; i++) {
    if (shape->all[i] != KECS__MEMBER_NONE && !kecs__members_have(members, shape->all[i])) {
      return false;
    }
  }
  for (size_t i = 0; i < sizeof shape->none / sizeof shape->none[0]; i++) {
    if (shape->none[i] != KECS__MEMBER_NONE && kecs__members_have(members, shape->none[i])) {
      return false;
    }
  }
  for (size_t i = 0; !any && i < sizeof shape->any / sizeof shape->any[0]; i++) {
    any = shape->any[i] != KECS__MEMBER_NONE && kecs__members_have(members, shape->any[i]);
  }
  return any;
}

KECS__FN const kecs__shape *kecs__shape_of(const kecs__members *members) {
  for (size_t i = 0; i < sizeof kecs__shapes / sizeof kecs__shapes[0]; i++) {
    if (kecs__members_fit(members, &kecs__shapes[i])) {
      return &kecs__shapes[i];
    }
  }
  return NULL;
}

/* ---- responses ---- */

static const kecs__holder kecs__holders[] = {
    {KECS__MEMBER_CLUSTERS, KECS_KIND_CLUSTER, "DescribeClusters response"},
    {KECS__MEMBER_CLUSTER_OBJECT, KECS_KIND_CLUSTER, "response with a cluster"},
    {KECS__MEMBER_TASK_DEFINITIONS, KECS_KIND_TASK_DEFINITION, "list of task definitions"},
    {KECS__MEMBER_TASK_DEFINITION_OBJECT, KECS_KIND_TASK_DEFINITION, "response with a task definition"},
    {KECS__MEMBER_SERVICES, KECS_KIND_SERVICE, "DescribeServices response"},
    {KECS__MEMBER_SERVICE_OBJECT, KECS_KIND_SERVICE, "response with a service"},
    {KECS__MEMBER_CONTAINER_INSTANCES, KECS_KIND_CONTAINER_INSTANCE, "DescribeContainerInstances response"},
    {KECS__MEMBER_CONTAINER_INSTANCE_OBJECT, KECS_KIND_CONTAINER_INSTANCE, "response with a container instance"},
    {KECS__MEMBER_TASKS, KECS_KIND_TASK, "DescribeTasks response"},
    {KECS__MEMBER_TASK_OBJECT, KECS_KIND_TASK, "response with a task"},
    {KECS__MEMBER_TASK_SETS, KECS_KIND_TASK_SET, "DescribeTaskSets response"},
    {KECS__MEMBER_TASK_SET_OBJECT, KECS_KIND_TASK_SET, "response with a task set"},
    {KECS__MEMBER_ATTRIBUTES, KECS_KIND_ATTRIBUTE, "ListAttributes response"},
    {KECS__MEMBER_SETTINGS, KECS_KIND_ACCOUNT_SETTING, "ListAccountSettings response"},
    {KECS__MEMBER_SETTING_OBJECT, KECS_KIND_ACCOUNT_SETTING, "response with an account setting"},
    {KECS__MEMBER_CAPACITY_PROVIDERS, (kecs_kind)0, "DescribeCapacityProviders response"},
    {KECS__MEMBER_ELB_LOAD_BALANCERS, KECS_KIND_LOAD_BALANCER, "DescribeLoadBalancers response"},
    {KECS__MEMBER_ELB_TARGET_GROUPS, KECS_KIND_TARGET_GROUP, "DescribeTargetGroups response"},
    {KECS__MEMBER_ELB_LISTENERS, KECS_KIND_LISTENER, "DescribeListeners response"},
    {KECS__MEMBER_ELB_RULES, KECS_KIND_RULE, "DescribeRules response"},
    {KECS__MEMBER_ELB_TARGETS, KECS_KIND_TARGET, "DescribeTargetHealth response"},
    {KECS__MEMBER_ELB_TAGS, KECS_KIND_TAG, "DescribeTags response"},
};

KECS__FN const kecs__holder *kecs__holder_at(size_t number) {
  return number < sizeof kecs__holders / sizeof kecs__holders[0] ? &kecs__holders[number] : NULL;
}

/* ---- identities ---- */

KECS__FN kecs__member kecs__identity_of(kecs_kind kind) {
  switch (kind) {
    case KECS_KIND_CLUSTER:
      return KECS__MEMBER_CLUSTER_ARN;
    case KECS_KIND_TASK_DEFINITION:
      return KECS__MEMBER_TASK_DEFINITION_ARN;
    case KECS_KIND_SERVICE:
      return KECS__MEMBER_SERVICE_ARN;
    case KECS_KIND_TASK:
      return KECS__MEMBER_TASK_ARN;
    case KECS_KIND_TASK_SET:
      return KECS__MEMBER_TASK_SET_ARN;
    case KECS_KIND_CONTAINER_INSTANCE:
      return KECS__MEMBER_CONTAINER_INSTANCE_ARN;
    case KECS_KIND_LOAD_BALANCER:
      return KECS__MEMBER_ELB_LOAD_BALANCER_ARN;
    case KECS_KIND_TARGET_GROUP:
      return KECS__MEMBER_ELB_TARGET_GROUP_ARN;
    case KECS_KIND_LISTENER:
      return KECS__MEMBER_ELB_LISTENER_ARN;
    case KECS_KIND_RULE:
      return KECS__MEMBER_ELB_RULE_ARN;
    default:
      return KECS__MEMBER_NONE;
  }
}
