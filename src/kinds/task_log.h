/* kind: task_log -- one line that a container wrote; kept when its task is gone. */
#ifndef KECS_KINDS_TASK_LOG_H
#define KECS_KINDS_TASK_LOG_H
#include "kinds/shared.h"

#define KECS_TASK_LOG_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "id", "Unique id; a random UUID when empty.") \
  X(K, task_arn, TEXT, KEY, NN, NONE, "taskArn", "Task that wrote it; need not be in the store.") \
  X(K, container_name, TEXT, KEY, NN, NONE, "containerName", "Container of the task.") \
  X(K, timestamp, TIME, KEY, NN | SERVER, NONE, "timestamp", "When it was written; now when 0.") \
  X(K, log_line, TEXT, KEY, NN, "", "logLine", "The line, as the container wrote it.") \
  X(K, log_level, TEXT, KEY, 0, NONE, "logLevel", "Level, such as INFO or ERROR, when one is known; free text.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was stored; now when 0. Retention goes by it.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_TASK_LOG_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_TASK_LOG_REFS(X, K)

#define KECS_TASK_LOG_INDEXES(X, K) \
  X(K, task, ALWAYS, task_arn, timestamp, id) \
  X(K, newest, ALWAYS, timestamp, id) \
  X(K, retention, ALWAYS, created_at)

#define KECS_TASK_LOG_ORDER(X, K) X(K, timestamp)
#define KECS_TASK_LOG_ADDRESS(X, K) X(K, id)

#endif
