/* store/tag_document.h -- the document in a column `tags`, as text: reading it, and changing one tag of it.
 *
 * It is an array of {"key","value"} objects, as ECS has it, or of {"Key","Value"} objects, as ELBv2 has it, or a map
 * {"key":"value"}. NULL, "" and null are a document without tags. Where a key comes twice, the last one counts.
 * Anything else that the column holds has no tags and can't be given any. */
#ifndef KECS_STORE_TAG_DOCUMENT_H
#define KECS_STORE_TAG_DOCUMENT_H
#include "base/json.h"

typedef struct kecs__tag_item {
  const char *key;
  const char *value; /* NULL: the tag has none */
  size_t at;         /* its place in the document */
} kecs__tag_item;

typedef struct kecs__tag_list {
  kecs__tag_item *items;
  size_t count;
} kecs__tag_list;

/* The tags in the byte order of their keys, each key once; texts are in the arena. Keys and values that no column can
 * hold (\u0000, halves of surrogate pairs) are left out; a value that is no string is told as its JSON text. */
KECS__FN kecs_status kecs__tag_document_read(const char *document, kecs__arena *arena, kecs__tag_list *out);

/* The document with a tag added or its value overwritten, in `out`. An array keeps the case of its member names, a map
 * stays a map; `upper` is the case of an array that has no tag yet. A NULL value leaves the value out. INVALID when the
 * column holds something else. */
KECS__FN kecs_status kecs__tag_document_set(const char *document, const char *key, const char *value, bool upper,
                                            kecs__text *out);

/* The document without the tags of these keys. What is no document of tags stays as it is. */
KECS__FN kecs_status kecs__tag_document_remove(const char *document, const char *const *keys, size_t count,
                                               kecs__text *out);

#endif
