/* pg/text.h -- a text that grows, for SQL that is longer than a line. */
#ifndef KECS_PG_TEXT_H
#define KECS_PG_TEXT_H
#include "pg/internal.h"

/* Begins zeroed but for the allocator. After the first failure it stays as it is, and `status` says what it was. */
typedef struct kecs_pg__text {
  const kecs_allocator *allocator;
  char *data; /* terminated; NULL while it is empty */
  size_t len;
  size_t room;
  kecs_status status;
} kecs_pg__text;

KECS_PG__FN void kecs_pg__text_add(kecs_pg__text *text, const char *bytes, size_t len);
KECS_PG__FN void kecs_pg__text_adds(kecs_pg__text *text, const char *more);
KECS_PG__FN void kecs_pg__text_free(kecs_pg__text *text);

/* What stands for a mark of a template. */
typedef struct kecs_pg__mark {
  const char *name;
  const char *value;
} kecs_pg__mark;

/* A template: "{name}" stands for the value of that name, every other character for itself. The marks end with one
 * without a name; a name that is not among them is the program's own error, MISUSE. */
KECS_PG__FN void kecs_pg__text_fill(kecs_pg__text *text, const char *form, const kecs_pg__mark *marks);

#endif
