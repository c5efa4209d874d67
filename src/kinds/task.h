/* kind: task -- one running or stopped copy of a task definition. */
#ifndef KECS_KINDS_TASK_H
#define KECS_KINDS_TASK_H
#include "kinds/shared.h"

#define KECS_TASK_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "taskArn", "arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id: the ARN's last part, or 32 random hex digits.") \
  X(K, cluster_arn, TEXT, KEY, NN, NONE, "clusterArn|cluster", "Cluster that owns the task; a bare name is taken too.") \
  X(K, task_definition_arn, TEXT, KEY, NN, "", "taskDefinitionArn|taskDefinition", "Definition it was started from; need not be in the store.") \
  X(K, service_arn, TEXT, SPEC, 0, NONE, "kecs.serviceArn", "Service that owns it; NULL for a task of its own, or once the service is deleted.") \
  X(K, container_instance_arn, TEXT, STATUS, 0, NONE, "containerInstanceArn", "Container instance that it runs on.") \
  X(K, containers, JSON, STATUS, NN, "", "containers", "Array of container states.") \
  X(K, last_status, TEXT, STATUS, NN | SERVER, "PROVISIONING", "lastStatus", "Last status seen: PROVISIONING ... RUNNING ... STOPPED; free text.") \
  X(K, desired_status, TEXT, SPEC, NN | SERVER, "RUNNING", "desiredStatus", "Status wanted: RUNNING or STOPPED; free text.") \
  X(K, cpu, TEXT, SPEC, 0, NONE, "cpu", "CPU units.") \
  X(K, memory, TEXT, SPEC, 0, NONE, "memory", "MiB.") \
  X(K, launch_type, TEXT, SPEC, NN, "", "launchType", "EC2, FARGATE, EXTERNAL or empty.") \
  X(K, capacity_provider_name, TEXT, SPEC, 0, NONE, "capacityProviderName", "Capacity provider that it uses.") \
  X(K, platform_version, TEXT, SPEC, 0, NONE, "platformVersion", "Fargate platform version.") \
  X(K, platform_family, TEXT, SPEC, 0, NONE, "platformFamily", "Operating system family.") \
  X(K, availability_zone, TEXT, STATUS, 0, NONE, "availabilityZone", "Zone that it runs in.") \
  X(K, task_group, TEXT, SPEC, 0, NONE, "group", "\"service:NAME\" or \"family:NAME\".") \
  X(K, started_by, TEXT, SPEC, 0, NONE, "startedBy", "Who asked for it.") \
  X(K, started_at, TIME, STATUS, 0, NONE, "startedAt", "When it reached RUNNING.") \
  X(K, stopping_at, TIME, STATUS, 0, NONE, "stoppingAt", "When stopping began.") \
  X(K, stopped_at, TIME, STATUS, 0, NONE, "stoppedAt", "When it stopped.") \
  X(K, stop_code, TEXT, STATUS, 0, NONE, "stopCode", "Why it stopped, as a code.") \
  X(K, stopped_reason, TEXT, STATUS, 0, NONE, "stoppedReason", "Why it stopped, in words.") \
  X(K, connectivity, TEXT, STATUS, 0, NONE, "connectivity", "CONNECTED or DISCONNECTED.") \
  X(K, connectivity_at, TIME, STATUS, 0, NONE, "connectivityAt", "When connectivity last changed.") \
  X(K, pull_started_at, TIME, STATUS, 0, NONE, "pullStartedAt", "When the image pull began.") \
  X(K, pull_stopped_at, TIME, STATUS, 0, NONE, "pullStoppedAt", "When the image pull ended.") \
  X(K, execution_stopped_at, TIME, STATUS, 0, NONE, "executionStoppedAt", "When the containers ended.") \
  X(K, health_status, TEXT, STATUS, 0, NONE, "healthStatus", "HEALTHY, UNHEALTHY or UNKNOWN.") \
  X(K, overrides, JSON, SPEC, 0, NONE, "overrides", "Container overrides as given.") \
  X(K, attachments, JSON, STATUS, 0, NONE, "attachments", "Array of network interfaces and volumes.") \
  X(K, attributes, JSON, STATUS, 0, NONE, "attributes", "Array of {name, value}.") \
  X(K, inference_accelerators, JSON, SPEC, 0, NONE, "inferenceAccelerators", "Array of {deviceName, deviceType}.") \
  X(K, ephemeral_storage, JSON, SPEC, 0, NONE, "ephemeralStorage", "{sizeInGiB}.") \
  X(K, service_registries, JSON, STATUS, 0, NONE, "kecs.serviceRegistries", "Service discovery registrations.") \
  X(K, enable_execute_command, BOOL, SPEC, NN, "0", "enableExecuteCommand", "Whether exec is allowed.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, pod_name, TEXT, LOCAL, 0, NONE, "kecs.podName", "Kubernetes pod that carries the task; unique with its namespace.") \
  X(K, k8s_namespace, TEXT, LOCAL, 0, NONE, "kecs.namespace", "Kubernetes namespace of the pod.") \
  X(K, family, TEXT, LOCAL, NN | AUTO, "", "", "Family of the task definition, taken from its reference.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TASK_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id) \
  X(K, pod, WHEN_SET, k8s_namespace, pod_name)

#define KECS_TASK_REFS(X, K) \
  X(K, cluster_arn, cluster, arn, CASCADE) \
  X(K, service_arn, service, arn, SET_NULL)

#define KECS_TASK_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, cluster, ALWAYS, cluster_arn, created_at, arn) \
  X(K, service, WHEN_SET, service_arn, created_at) \
  X(K, instance, WHEN_SET, container_instance_arn, created_at) \
  X(K, last_status, ALWAYS, last_status, created_at, stopped_at) \
  X(K, stopped, WHEN_SET, stopped_at) \
  X(K, desired_status, ALWAYS, desired_status, created_at) \
  X(K, started_by, WHEN_SET, started_by, created_at) \
  X(K, task_group, WHEN_SET, task_group, created_at) \
  X(K, family, ALWAYS, family, created_at)

#define KECS_TASK_ORDER(X, K) X(K, created_at)
#define KECS_TASK_ADDRESS(X, K) X(K, cluster_arn, id)

#endif
