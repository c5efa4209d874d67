/* kind: container_instance -- a machine that is registered in a cluster and runs its tasks. */
#ifndef KECS_KINDS_CONTAINER_INSTANCE_H
#define KECS_KINDS_CONTAINER_INSTANCE_H
#include "kinds/shared.h"

#define KECS_CONTAINER_INSTANCE_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "containerInstanceArn", "arn:aws:ecs:REGION:ACCOUNT:container-instance/CLUSTER/ID; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id: the ARN's last part, or 32 random hex digits.") \
  X(K, cluster_arn, TEXT, KEY, NN | SERVER, NONE, "kecs.clusterArn|clusterArn|cluster", "Cluster that it is registered in; a bare name is taken too. From the ARN when empty: AWS documents do not show it.") \
  X(K, ec2_instance_id, TEXT, KEY, 0, NONE, "ec2InstanceId", "EC2 instance (i-...) or external instance (mi-...) that it is.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "ACTIVE, DRAINING, REGISTERING, DEREGISTERING, REGISTRATION_FAILED or INACTIVE; free text.") \
  X(K, status_reason, TEXT, STATUS, 0, NONE, "statusReason", "Why it has this status, in words.") \
  X(K, agent_connected, BOOL, STATUS, NN, "0", "agentConnected", "Whether the agent is connected.") \
  X(K, agent_update_status, TEXT, STATUS, 0, NONE, "agentUpdateStatus", "PENDING, STAGING, STAGED, UPDATING, UPDATED or FAILED.") \
  X(K, running_tasks_count, INT, STATUS, NN, "0", "runningTasksCount", "Tasks that run on it; a plain counter, the caller keeps it.") \
  X(K, pending_tasks_count, INT, STATUS, NN, "0", "pendingTasksCount", "Tasks that wait on it; a plain counter.") \
  X(K, version_info, JSON, STATUS, 0, NONE, "versionInfo", "{agentVersion, agentHash, dockerVersion}.") \
  X(K, registered_resources, JSON, STATUS, 0, NONE, "registeredResources|totalResources", "Array of resources that it has for tasks.") \
  X(K, remaining_resources, JSON, STATUS, 0, NONE, "remainingResources", "Array of resources that no task holds.") \
  X(K, attributes, JSON, SPEC, 0, NONE, "attributes", "Array of {name, value}.") \
  X(K, attachments, JSON, STATUS, 0, NONE, "attachments", "Array of network interfaces.") \
  X(K, capacity_provider_name, TEXT, SPEC, 0, NONE, "capacityProviderName", "Capacity provider that it belongs to.") \
  X(K, health_status, JSON, STATUS, 0, NONE, "healthStatus", "{overallStatus, details}.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, registered_at, TIME, KEY, NN | SERVER, NONE, "registeredAt", "When it was registered; now when 0.") \
  X(K, deregistered_at, TIME, STATUS, 0, NONE, "kecs.deregisteredAt", "When it was first deregistered.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_CONTAINER_INSTANCE_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id)

#define KECS_CONTAINER_INSTANCE_REFS(X, K) \
  X(K, cluster_arn, cluster, arn, CASCADE)

#define KECS_CONTAINER_INSTANCE_INDEXES(X, K) \
  X(K, newest, ALWAYS, registered_at, arn) \
  X(K, cluster, ALWAYS, cluster_arn, registered_at, arn) \
  X(K, status, ALWAYS, status, cluster_arn) \
  X(K, ec2_instance, WHEN_SET, ec2_instance_id)

#define KECS_CONTAINER_INSTANCE_ORDER(X, K) X(K, registered_at)
#define KECS_CONTAINER_INSTANCE_ADDRESS(X, K) X(K, cluster_arn, id)

#endif
