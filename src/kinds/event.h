/* kind: event -- an entry of the audit log: who did what to which resource. */
#ifndef KECS_KINDS_EVENT_H
#define KECS_KINDS_EVENT_H
#include "kinds/shared.h"

#define KECS_EVENT_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "id", "Unique id; a random UUID when empty.") \
  X(K, event_type, TEXT, KEY, NN, NONE, "eventType", "Sort of event; free text.") \
  X(K, resource_arn, TEXT, KEY, NN, NONE, "resourceArn", "Resource that it is about; need not be in the store.") \
  X(K, resource_type, TEXT, KEY, NN, NONE, "resourceType", "Sort of resource, such as cluster or service; free text.") \
  X(K, action, TEXT, KEY, NN, NONE, "action", "What was done, such as CREATE; free text.") \
  X(K, timestamp, TIME, KEY, NN | SERVER, NONE, "timestamp", "When it happened; now when 0. Retention goes by it.") \
  X(K, data, JSON, KEY, 0, NONE, "data", "Details, any JSON document.") \
  X(K, correlation_id, TEXT, KEY, 0, NONE, "correlationId", "Id that all events of one request share.") \
  X(K, user_identity, TEXT, KEY, 0, NONE, "userIdentity", "Who did it.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was stored; now when 0.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_EVENT_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_EVENT_REFS(X, K)

#define KECS_EVENT_INDEXES(X, K) \
  X(K, newest, ALWAYS, timestamp, id) \
  X(K, resource, ALWAYS, resource_arn, timestamp, id) \
  X(K, type, ALWAYS, event_type, timestamp, id) \
  X(K, correlation, WHEN_SET, correlation_id, timestamp, id)

#define KECS_EVENT_ORDER(X, K) X(K, timestamp)
#define KECS_EVENT_ADDRESS(X, K) X(K, id)

#endif
