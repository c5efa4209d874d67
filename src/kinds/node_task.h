/* kind: node_task -- one container that the Podling scheduler runs on a node. */
#ifndef KECS_KINDS_NODE_TASK_H
#define KECS_KINDS_NODE_TASK_H
#include "kinds/shared.h"

#define KECS_NODE_TASK_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN, NONE, "taskId", "Unique id; the caller gives it.") \
  X(K, name, TEXT, SPEC, NN, NONE, "name", "Name; need not be unique.") \
  X(K, image, TEXT, SPEC, NN, NONE, "image", "Container image.") \
  X(K, env, JSON, SPEC, 0, NONE, "env", "Object of environment variables.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "pending", "status", "pending, scheduled, running, completed or failed; free text.") \
  X(K, node_id, TEXT, SPEC, 0, NONE, "nodeId", "Node that it is placed on; need not be in the store.") \
  X(K, container_id, TEXT, STATUS, 0, NONE, "containerId", "Container on the node.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was created; now when 0.") \
  X(K, started_at, TIME, STATUS, 0, NONE, "startedAt", "When it began to run.") \
  X(K, finished_at, TIME, STATUS, 0, NONE, "finishedAt", "When it completed or failed.") \
  X(K, error, TEXT, STATUS, 0, NONE, "error", "Why it failed, in words.") \
  X(K, liveness_probe, JSON, SPEC, 0, NONE, "livenessProbe", "Check that restarts it: {type, httpPath, port, command, periodSeconds, ...}.") \
  X(K, readiness_probe, JSON, SPEC, 0, NONE, "readinessProbe", "Check that says whether it can serve; same shape.") \
  X(K, restart_policy, TEXT, SPEC, 0, NONE, "restartPolicy", "Always, OnFailure or Never.") \
  X(K, health_status, TEXT, STATUS, 0, NONE, "healthStatus", "healthy, unhealthy or unknown; free text.") \
  X(K, ports, JSON, SPEC, 0, NONE, "ports", "Array of {name, containerPort, protocol, hostPort}.") \
  X(K, resources, JSON, SPEC, 0, NONE, "resources", "{requests, limits}, each {cpu in millicores, memory in bytes}.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_NODE_TASK_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_NODE_TASK_REFS(X, K)

#define KECS_NODE_TASK_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, id) \
  X(K, node, WHEN_SET, node_id) \
  X(K, status, ALWAYS, status, finished_at)

#define KECS_NODE_TASK_ORDER(X, K) X(K, created_at)
#define KECS_NODE_TASK_ADDRESS(X, K) X(K, id)

#endif
