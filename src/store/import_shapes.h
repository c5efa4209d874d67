/* store/import_shapes.h -- what an object is, told from the members that it has and from nothing else: neither a file's
 * name nor a member's order counts. */
#ifndef KECS_STORE_IMPORT_SHAPES_H
#define KECS_STORE_IMPORT_SHAPES_H
#include "base/json.h"
#include "kinds/describe.h"

/* The members that tell objects apart: X(NAME, "name", CLASS). One name may stand for several members by the class of
 * its value: a service's `taskDefinition` is a text, that of a response an object. */
#define KECS_IMPORT_MEMBERS(X)                                \
  /* wrappers around documents */                             \
  X(STATUS_CODE, "status_code", SCALAR)                       \
  X(DATA, "data", OBJECT)                                     \
  X(IN, "in", OBJECT)                                         \
  X(OUT, "out", OBJECT)                                       \
  X(INPUT, "input", OBJECT)                                   \
  X(OUTPUT, "output", OBJECT)                                 \
  X(EXAMPLES, "examples", OBJECT)                             \
  X(ITEMS, "items", ARRAY)                                    \
  X(KIND, "kind", SCALAR)                                     \
  X(DOCUMENT, "document", OBJECT)                             \
  X(KECS, "kecs", OBJECT)                                     \
  X(TAGS, "tags", ARRAY)                                      \
  /* lists and single resources of responses */               \
  X(CLUSTERS, "clusters", ARRAY)                              \
  X(SERVICES, "services", ARRAY)                              \
  X(TASKS, "tasks", ARRAY)                                    \
  X(TASK_SETS, "taskSets", ARRAY)                             \
  X(CONTAINER_INSTANCES, "containerInstances", ARRAY)         \
  X(TASK_DEFINITIONS, "taskDefinitions", ARRAY)               \
  X(ATTRIBUTES, "attributes", ARRAY)                          \
  X(SETTINGS, "settings", ARRAY)                              \
  X(ELB_LOAD_BALANCERS, "LoadBalancers", ARRAY)               \
  X(ELB_TARGET_GROUPS, "TargetGroups", ARRAY)                 \
  X(ELB_LISTENERS, "Listeners", ARRAY)                        \
  X(ELB_RULES, "Rules", ARRAY)                                \
  X(ELB_TARGETS, "TargetHealthDescriptions", ARRAY)           \
  X(ELB_TAGS, "TagDescriptions", ARRAY)                       \
  X(CLUSTER_OBJECT, "cluster", OBJECT)                        \
  X(SERVICE_OBJECT, "service", OBJECT)                        \
  X(TASK_OBJECT, "task", OBJECT)                              \
  X(TASK_SET_OBJECT, "taskSet", OBJECT)                       \
  X(CONTAINER_INSTANCE_OBJECT, "containerInstance", OBJECT)   \
  X(TASK_DEFINITION_OBJECT, "taskDefinition", OBJECT)         \
  X(SETTING_OBJECT, "setting", OBJECT)                        \
  /* what resources have */                                   \
  X(CONTAINER_DEFINITIONS, "containerDefinitions", ANY)       \
  X(TASK_DEFINITION_ARN, "taskDefinitionArn", SCALAR)         \
  X(TASK_DEFINITION, "taskDefinition", SCALAR)                \
  X(CLUSTER_ARN, "clusterArn", SCALAR)                        \
  X(CLUSTER_NAME, "clusterName", SCALAR)                      \
  X(CLUSTER, "cluster", SCALAR)                               \
  X(SERVICE_ARN, "serviceArn", SCALAR)                        \
  X(SERVICE_NAME, "serviceName", SCALAR)                      \
  X(SERVICE, "service", SCALAR)                               \
  X(DESIRED_COUNT, "desiredCount", ANY)                       \
  X(DEPLOYMENT_CONFIGURATION, "deploymentConfiguration", ANY) \
  X(DEPLOYMENT_CONTROLLER, "deploymentController", ANY)       \
  X(SCHEDULING_STRATEGY, "schedulingStrategy", ANY)           \
  X(LOAD_BALANCERS, "loadBalancers", ANY)                     \
  X(NETWORK_CONFIGURATION, "networkConfiguration", ANY)       \
  X(LAUNCH_TYPE, "launchType", ANY)                           \
  X(OVERRIDES, "overrides", ANY)                              \
  X(COUNT, "count", ANY)                                      \
  X(STARTED_BY, "startedBy", ANY)                             \
  X(TASK_ARN, "taskArn", SCALAR)                              \
  X(LAST_STATUS, "lastStatus", SCALAR)                        \
  X(CONTAINERS, "containers", ARRAY)                          \
  X(TASK_SET_ARN, "taskSetArn", SCALAR)                       \
  X(TASK_SET, "taskSet", SCALAR)                              \
  X(EXTERNAL_ID, "externalId", SCALAR)                        \
  X(SCALE, "scale", OBJECT)                                   \
  X(CONTAINER_INSTANCE_ARN, "containerInstanceArn", SCALAR)   \
  X(TOTAL_RESOURCES, "totalResources", ARRAY)                 \
  X(NAME, "name", SCALAR)                                     \
  X(VALUE, "value", SCALAR)                                   \
  X(TARGET_ID, "targetId", SCALAR)                            \
  X(PRINCIPAL_ARN, "principalArn", SCALAR)                    \
  X(LOG_LINE, "logLine", SCALAR)                              \
  X(RESOURCE_ARN, "resourceArn", SCALAR)                      \
  X(EVENT_TYPE, "eventType", SCALAR)                          \
  X(ACTION, "action", SCALAR)                                 \
  X(KEY, "key", SCALAR)                                       \
  X(NODE_ID, "nodeId", SCALAR)                                \
  X(HOSTNAME, "hostname", SCALAR)                             \
  X(TASK_ID, "taskId", SCALAR)                                \
  X(IMAGE, "image", SCALAR)                                   \
  X(CAPACITY_PROVIDER_ARN, "capacityProviderArn", SCALAR)     \
  X(CAPACITY_PROVIDERS, "capacityProviders", ARRAY)           \
  X(ELB_NAME, "Name", SCALAR)                                 \
  X(ELB_SUBNETS, "Subnets", ARRAY)                            \
  X(ELB_SUBNET_MAPPINGS, "SubnetMappings", ARRAY)             \
  X(ELB_LOAD_BALANCER_ARN, "LoadBalancerArn", SCALAR)         \
  X(ELB_LOAD_BALANCER_NAME, "LoadBalancerName", SCALAR)       \
  X(ELB_TARGET_GROUP_ARN, "TargetGroupArn", SCALAR)           \
  X(ELB_TARGET_GROUP_NAME, "TargetGroupName", SCALAR)         \
  X(ELB_LISTENER_ARN, "ListenerArn", SCALAR)                  \
  X(ELB_RULE_ARN, "RuleArn", SCALAR)                          \
  X(ELB_PROTOCOL, "Protocol", SCALAR)                         \
  X(ELB_DEFAULT_ACTIONS, "DefaultActions", ARRAY)             \
  X(ELB_CONDITIONS, "Conditions", ARRAY)                      \
  X(ELB_ACTIONS, "Actions", ARRAY)                            \
  X(ELB_TARGET, "Target", OBJECT)                             \
  X(ELB_TARGET_HEALTH, "TargetHealth", OBJECT)                \
  X(ELB_SOME_TARGETS, "Targets", ARRAY)                       \
  X(ELB_RESOURCE_ARN, "ResourceArn", SCALAR)                  \
  X(ELB_RESOURCE_TAGS, "Tags", ARRAY)

typedef enum kecs__member {
  KECS__MEMBER_NONE, /* ends a list of members */
#define KECS__MEMBER_ENUM(name, text, value_class) KECS__MEMBER_##name,
  KECS_IMPORT_MEMBERS(KECS__MEMBER_ENUM)
#undef KECS__MEMBER_ENUM
  KECS__MEMBER_END
} kecs__member;

/* An object's members, in one walk over it. Those that it has not are of type NONE. */
typedef struct kecs__members {
  kecs__json at[KECS__MEMBER_END];
  bool arns;     /* a member ...Arns is an array */
  size_t count;  /* of all its members, known or not */
} kecs__members;

KECS__FN void kecs__members_read(kecs__json object, kecs__members *out);
KECS__FN bool kecs__members_have(const kecs__members *members, kecs__member member);

/* What an object is. */
typedef struct kecs__shape {
  kecs_kind kind;        /* 0: nothing that the store keeps */
  const char *what;      /* "task definition", "RunTask request" */
  const char *reason;    /* with kind 0: why there is nothing to keep */
  bool nameless;         /* a service that says everything but its name */
  bool update;           /* it changes what is there and leaves the rest */
  kecs__member all[3];   /* it has all of these */
  kecs__member any[5];   /* and one of these, when any are listed */
  kecs__member none[4];  /* and none of these */
} kecs__shape;

/* The shape of an object that is itself a resource or a request; NULL when it is neither. */
KECS__FN const kecs__shape *kecs__shape_of(const kecs__members *members);

/* A member that holds resources of one kind: an array of them, or one. */
typedef struct kecs__holder {
  kecs__member member;
  kecs_kind kind;   /* 0: the store has no such kind */
  const char *what; /* what the document around it is */
} kecs__holder;

/* The holders by number from 0; NULL after the last. */
KECS__FN const kecs__holder *kecs__holder_at(size_t number);

/* The member that says which row a document of a kind is: its ARN. NONE for kinds that have none. */
KECS__FN kecs__member kecs__identity_of(kecs_kind kind);

#endif
