/* kind: node -- a machine that the Podling scheduler places tasks on. */
#ifndef KECS_KINDS_NODE_H
#define KECS_KINDS_NODE_H
#include "kinds/shared.h"

#define KECS_NODE_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN, NONE, "nodeId", "Unique id; the caller gives it.") \
  X(K, hostname, TEXT, SPEC, NN, NONE, "hostname", "Name or address at which the agent is reached.") \
  X(K, port, INT, SPEC, NN, "0", "port", "Port of the agent, 1 to 65535.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "online", "status", "online or offline; free text.") \
  X(K, capacity, OPTI, SPEC, 0, NONE, "capacity", "Tasks that it may run at once; from resources when absent: the lesser of its CPUs and its GiB of memory.") \
  X(K, running_tasks, INT, STATUS, NN, "0", "runningTasks", "Tasks that run on it; a plain counter, the caller keeps it.") \
  X(K, last_heartbeat, TIME, STATUS, NN | SERVER, NONE, "lastHeartbeat", "When it was last heard of; now when 0.") \
  X(K, resources, JSON, STATUS, 0, NONE, "resources", "{capacity, allocatable, used}, each {cpu in millicores, memory in bytes}.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_NODE_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_NODE_REFS(X, K)

#define KECS_NODE_INDEXES(X, K) \
  X(K, newest, ALWAYS, last_heartbeat, id) \
  X(K, status, ALWAYS, status, last_heartbeat, id)

#define KECS_NODE_ORDER(X, K) X(K, last_heartbeat)
#define KECS_NODE_ADDRESS(X, K) X(K, id)

#endif
