/* kind: tag -- one tag of one resource, to find resources by their tags.
 *
 * A resource's own tags column is what documents show; these rows are written with it in the same transaction. */
#ifndef KECS_KINDS_TAG_H
#define KECS_KINDS_TAG_H
#include "kinds/shared.h"

#define KECS_TAG_COLUMNS(X, K) \
  X(K, resource_arn, TEXT, KEY, NN, NONE, "resourceArn", "Resource that carries the tag.") \
  X(K, key, TEXT, KEY, NN, NONE, "key", "Key, 1 to 128 characters (AWS).") \
  X(K, value, TEXT, SPEC, 0, NONE, "value", "Value, up to 256 characters (AWS).") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When the key was first put on the resource; now when 0.")

#define KECS_TAG_KEYS(X, K) \
  X(K, natural, ALWAYS, resource_arn, key)

#define KECS_TAG_REFS(X, K)

#define KECS_TAG_INDEXES(X, K) \
  X(K, value, ALWAYS, key, value, resource_arn)

#define KECS_TAG_ORDER(X, K) X(K, resource_arn, key)
#define KECS_TAG_ADDRESS(X, K) X(K, resource_arn, key)

#endif
