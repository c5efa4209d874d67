/* ---- Tags -------------------------------------------------------------------------------------------------- */
/* A resource's `tags` document is what counts; the rows of the kind tag are kept in step with it in the same
 * transaction, for finding resources by key and value. kecs_tag_create, _upsert and _delete work on these rows and,
 * when the resource is in the store, on its document. AWS allows 50 tags a resource, keys of 1 to 128 and values of 0
 * to 256 characters: kecs_tags_add holds to it. */
#ifndef KECS_STORE_TAGS_H
#define KECS_STORE_TAGS_H
#include "store/store.h"

typedef struct kecs_key_value {
  const char *key;
  const char *value; /* NULL: "" */
} kecs_key_value;

/* Adds or overwrites tags of a resource by its ARN. NOT_FOUND when no kind has it, INVALID beyond AWS's limits. */
KECS_STORE_API kecs_status kecs_tags_add(kecs_store *store, const char *resource_arn, const kecs_key_value *tags,
                                         size_t count);

/* Removes tags by key; absent keys are no error. NOT_FOUND. */
KECS_STORE_API kecs_status kecs_tags_remove(kecs_store *store, const char *resource_arn, const char *const *keys,
                                            size_t count);

/* The tags of several resources, in the order of the ARNs and then of the keys; unknown resources are left out. The
 * rows are of the kind tag. */
KECS_STORE_API kecs_status kecs_tags_describe(kecs_store *store, const char *const *resource_arns, size_t count,
                                              kecs_result **out_result);

#endif
