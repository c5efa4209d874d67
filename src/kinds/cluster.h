/* kind: cluster -- a named group that services, tasks and container instances live in. */
#ifndef KECS_KINDS_CLUSTER_H
#define KECS_KINDS_CLUSTER_H
#include "kinds/shared.h"

#define KECS_CLUSTER_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "clusterArn", "arn:aws:ecs:REGION:ACCOUNT:cluster/NAME; made from the name when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty.") \
  X(K, name, TEXT, KEY, NN, NONE, "clusterName", "Name, unique in (account, region): 1 to 255 letters, digits, - and _ (AWS CreateCluster).") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "ACTIVE, INACTIVE, PROVISIONING, DEPROVISIONING or FAILED; free text.") \
  X(K, registered_container_instances_count, INT, LOCAL, NN, "0", "registeredContainerInstancesCount", "Container instances registered; a plain counter, the caller keeps it.") \
  X(K, running_tasks_count, INT, LOCAL, NN, "0", "runningTasksCount", "Tasks that run; a plain counter.") \
  X(K, pending_tasks_count, INT, LOCAL, NN, "0", "pendingTasksCount", "Tasks that wait; a plain counter.") \
  X(K, active_services_count, INT, LOCAL, NN, "0", "activeServicesCount", "Services that are ACTIVE; a plain counter.") \
  X(K, capacity_providers, JSON, SPEC, 0, NONE, "capacityProviders", "Array of capacity provider names.") \
  X(K, default_capacity_provider_strategy, JSON, SPEC, 0, NONE, "defaultCapacityProviderStrategy", "Array of {capacityProvider, weight, base}.") \
  X(K, settings, JSON, SPEC, 0, NONE, "settings", "Array of {name, value}, such as containerInsights.") \
  X(K, configuration, JSON, SPEC, 0, NONE, "configuration", "Execute-command and storage configuration.") \
  X(K, service_connect_defaults, JSON, SPEC, 0, NONE, "serviceConnectDefaults", "Default Service Connect namespace.") \
  X(K, statistics, JSON, STATUS, 0, NONE, "statistics", "Array of {name, value} counters by launch type.") \
  X(K, attachments, JSON, STATUS, 0, NONE, "attachments", "Array of the cluster's attachments.") \
  X(K, attachments_status, TEXT, STATUS, 0, NONE, "attachmentsStatus", "State of the attachments.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, k8s_cluster_name, TEXT, LOCAL, 0, NONE, "kecs.k8sClusterName", "Kubernetes cluster that carries this one.") \
  X(K, localstack_state, JSON, LOCAL, 0, NONE, "kecs.localstackState", "State of an emulator deployed beside the cluster; opaque.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When the row was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

/* Unique keys; the first one is the natural key. X(K, name, condition, columns...) */
#define KECS_CLUSTER_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id) \
  X(K, name, ALWAYS, account_id, region, name)

/* X(K, column, parent kind, parent's column, what happens when the parent goes) */
#define KECS_CLUSTER_REFS(X, K)

/* Indexes that no key gives. TIME columns are kept newest first. X(K, name, condition, columns...) */
#define KECS_CLUSTER_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, status, ALWAYS, status)

/* Order of a list; TIME columns newest first; ties are broken by the natural key. X(K, columns...) */
#define KECS_CLUSTER_ORDER(X, K) X(K, created_at)

/* What a row is addressed by besides its ARN. X(K, argument names and columns...) */
#define KECS_CLUSTER_ADDRESS(X, K) X(K, name)

#endif
