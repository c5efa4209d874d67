/* kind: task_set -- one of the sets of tasks that a service with an external deployment runs side by side. */
#ifndef KECS_KINDS_TASK_SET_H
#define KECS_KINDS_TASK_SET_H
#include "kinds/shared.h"

#define KECS_TASK_SET_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "taskSetArn", "arn:aws:ecs:REGION:ACCOUNT:task-set/CLUSTER/SERVICE/ID; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "id", "Id, unique within the service, such as ecs-svc/4201323268728819917; made when empty.") \
  X(K, service_arn, TEXT, KEY, NN, NONE, "serviceArn|service", "Service that the set belongs to; the set outlives it until orphans are deleted.") \
  X(K, cluster_arn, TEXT, KEY, NN, NONE, "clusterArn|cluster", "Cluster of the service; a bare name is taken too.") \
  X(K, external_id, TEXT, SPEC, 0, NONE, "externalId", "Id that the external deployment controller gave, such as a CodeDeploy deployment.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "PRIMARY, ACTIVE or DRAINING; free text. At most one set of a service is made PRIMARY.") \
  X(K, task_definition, TEXT, SPEC, NN, "", "taskDefinition", "ARN, family:revision or family, exactly as given.") \
  X(K, launch_type, TEXT, SPEC, 0, NONE, "launchType", "EC2, FARGATE or EXTERNAL.") \
  X(K, platform_version, TEXT, SPEC, 0, NONE, "platformVersion", "Fargate platform version, such as LATEST.") \
  X(K, platform_family, TEXT, SPEC, 0, NONE, "platformFamily", "Operating system family.") \
  X(K, scale, JSON, SPEC, NN | SERVER, "{\"value\":100.0,\"unit\":\"PERCENT\"}", "scale", "{value, unit}: percent of the service's desired count that the set runs.") \
  X(K, network_configuration, JSON, SPEC, 0, NONE, "networkConfiguration", "awsvpc subnets, groups, public address.") \
  X(K, load_balancers, JSON, SPEC, 0, NONE, "loadBalancers", "Array of {targetGroupArn, containerName, containerPort}.") \
  X(K, service_registries, JSON, SPEC, 0, NONE, "serviceRegistries", "Array of {registryArn, ...}.") \
  X(K, capacity_provider_strategy, JSON, SPEC, 0, NONE, "capacityProviderStrategy", "Array of {capacityProvider, weight, base}.") \
  X(K, fargate_ephemeral_storage, JSON, SPEC, 0, NONE, "fargateEphemeralStorage", "Storage settings for Fargate tasks: {kmsKeyId}.") \
  X(K, computed_desired_count, INT, STATUS, NN, "0", "computedDesiredCount", "Tasks wanted: the service's desired count times the scale, rounded up (AWS TaskSet).") \
  X(K, pending_count, INT, STATUS, NN, "0", "pendingCount", "Tasks that wait.") \
  X(K, running_count, INT, STATUS, NN, "0", "runningCount", "Tasks that run.") \
  X(K, stability_status, TEXT, STATUS, 0, NONE, "stabilityStatus", "STEADY_STATE or STABILIZING; free text.") \
  X(K, stability_status_at, TIME, STATUS, 0, NONE, "stabilityStatusAt", "When stability was last determined.") \
  X(K, started_by, TEXT, SPEC, 0, NONE, "startedBy", "Who asked for it: CODE_DEPLOY or another controller.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TASK_SET_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, service_arn, id)

#define KECS_TASK_SET_REFS(X, K)

#define KECS_TASK_SET_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, service, ALWAYS, service_arn, created_at, arn) \
  X(K, cluster, ALWAYS, cluster_arn)

#define KECS_TASK_SET_ORDER(X, K) X(K, created_at)
#define KECS_TASK_SET_ADDRESS(X, K) X(K, service_arn, id)

#endif
