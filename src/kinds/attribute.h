/* kind: attribute -- a name and value put on a container instance, for placement to match. */
#ifndef KECS_KINDS_ATTRIBUTE_H
#define KECS_KINDS_ATTRIBUTE_H
#include "kinds/shared.h"

#define KECS_ATTRIBUTE_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty.") \
  X(K, name, TEXT, KEY, NN, NONE, "name", "Name, such as stack; 1 to 128 letters, digits and - _ . / (AWS Attribute).") \
  X(K, value, TEXT, SPEC, 0, NONE, "value", "Value; NULL for an attribute that is only a name.") \
  X(K, target_type, TEXT, KEY, NN, "container-instance", "targetType", "What kind of thing it is on; AWS knows container-instance only.") \
  X(K, target_id, TEXT, KEY, NN, NONE, "targetId", "Id or ARN of what it is on, as the caller stores it; it need not be there, and an attribute outlives it.") \
  X(K, cluster, TEXT, KEY, NN, "", "cluster", "Cluster, a name or an ARN, as the caller stores it.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_ATTRIBUTE_KEYS(X, K) \
  X(K, natural, ALWAYS, cluster, target_type, target_id, name) \
  X(K, id, ALWAYS, id)

#define KECS_ATTRIBUTE_REFS(X, K)

#define KECS_ATTRIBUTE_INDEXES(X, K) \
  X(K, ordered, ALWAYS, name, target_id, cluster, target_type) \
  X(K, cluster, ALWAYS, cluster, name, target_id, target_type)

#define KECS_ATTRIBUTE_ORDER(X, K) X(K, name, target_id)
#define KECS_ATTRIBUTE_ADDRESS(X, K) X(K, cluster, target_type, target_id, name)

#endif
