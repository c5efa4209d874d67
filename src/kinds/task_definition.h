/* kind: task_definition -- one revision of a family: the containers that a task runs. */
#ifndef KECS_KINDS_TASK_DEFINITION_H
#define KECS_KINDS_TASK_DEFINITION_H
#include "kinds/shared.h"

#define KECS_TASK_DEFINITION_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "taskDefinitionArn", "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty.") \
  X(K, family, TEXT, KEY, NN, NONE, "family", "Name that all revisions share.") \
  X(K, revision, INT, KEY, NN | SERVER, NONE, "revision", "1, 2, 3 ... within the family; allocated by register, never given twice.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "ACTIVE, INACTIVE or DELETE_IN_PROGRESS; free text.") \
  X(K, task_role_arn, TEXT, SPEC, 0, NONE, "taskRoleArn", "Role that the containers act as.") \
  X(K, execution_role_arn, TEXT, SPEC, 0, NONE, "executionRoleArn", "Role that the agent acts as.") \
  X(K, network_mode, TEXT, SPEC, NN, "bridge", "networkMode", "none, bridge, awsvpc or host.") \
  X(K, container_definitions, JSON, SPEC, NN, NONE, "containerDefinitions", "Array of container definitions; kept byte for byte.") \
  X(K, volumes, JSON, SPEC, 0, NONE, "volumes", "Array of volumes.") \
  X(K, placement_constraints, JSON, SPEC, 0, NONE, "placementConstraints", "Array of {type, expression}.") \
  X(K, requires_compatibilities, JSON, SPEC, 0, NONE, "requiresCompatibilities", "Array: EC2, FARGATE, EXTERNAL.") \
  X(K, compatibilities, JSON, STATUS, 0, NONE, "compatibilities", "Array of launch types found to fit.") \
  X(K, cpu, TEXT, SPEC, 0, NONE, "cpu", "CPU units (\"256\") or vCPUs (\".25 vCPU\"), as given.") \
  X(K, memory, TEXT, SPEC, 0, NONE, "memory", "MiB (\"512\") or GB (\"0.5 GB\"), as given.") \
  X(K, pid_mode, TEXT, SPEC, 0, NONE, "pidMode", "host or task.") \
  X(K, ipc_mode, TEXT, SPEC, 0, NONE, "ipcMode", "host, task or none.") \
  X(K, proxy_configuration, JSON, SPEC, 0, NONE, "proxyConfiguration", "App Mesh proxy.") \
  X(K, inference_accelerators, JSON, SPEC, 0, NONE, "inferenceAccelerators", "Array of {deviceName, deviceType}.") \
  X(K, runtime_platform, JSON, SPEC, 0, NONE, "runtimePlatform", "{cpuArchitecture, operatingSystemFamily}.") \
  X(K, ephemeral_storage, JSON, SPEC, 0, NONE, "ephemeralStorage", "{sizeInGiB}.") \
  X(K, requires_attributes, JSON, STATUS, 0, NONE, "requiresAttributes", "Array of attributes that an instance must have.") \
  X(K, enable_fault_injection, BOOL, SPEC, NN, "0", "enableFaultInjection", "Whether fault injection is allowed.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, registered_at, TIME, KEY, NN | SERVER, NONE, "registeredAt", "When it was registered; now when 0.") \
  X(K, registered_by, TEXT, KEY, 0, NONE, "registeredBy", "Who registered it.") \
  X(K, deregistered_at, TIME, STATUS, 0, NONE, "deregisteredAt", "When it was first deregistered.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TASK_DEFINITION_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id) \
  X(K, revision, ALWAYS, account_id, region, family, revision)

#define KECS_TASK_DEFINITION_REFS(X, K)

#define KECS_TASK_DEFINITION_INDEXES(X, K) \
  X(K, newest, ALWAYS, registered_at, arn) \
  X(K, status, ALWAYS, account_id, region, family, status, revision)

#define KECS_TASK_DEFINITION_ORDER(X, K) X(K, registered_at)
#define KECS_TASK_DEFINITION_ADDRESS(X, K) X(K, family)

#endif
