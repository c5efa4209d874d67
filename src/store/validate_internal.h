/* store/validate_internal.h -- what the modules of validation share.
 *
 * A rule is one row of a table in validate.c: a kind, a column, the further columns that it reads, and a function. The
 * JSON columns are checked once, before the rules; a rule then walks the spans. Paths are linked on the stack and
 * become text only when a rule is broken, so a valid row costs no memory but for lists whose names must be unique. */
#ifndef KECS_STORE_VALIDATE_INTERNAL_H
#define KECS_STORE_VALIDATE_INTERNAL_H
#include "base/json.h"
#include "store/validate_row.h"

/* A place in an AWS document: containerDefinitions[1].image. */
typedef struct kecs__validate_path {
  const struct kecs__validate_path *parent; /* NULL: a member of the document itself */
  const char *member;                       /* NULL: an element of an array */
  size_t index;
} kecs__validate_path;

/* A row while it is validated. */
typedef struct kecs__validate_case {
  const kecs_kind_info *info;
  const void *row;
  kecs__json documents[64]; /* by column; NONE when the column is not set, or says null */
} kecs__validate_case;

typedef struct kecs__validate_rule {
  kecs_kind kind;
  int column;
  uint64_t also; /* further columns that it reads, as bits */
  kecs_status (*check)(const kecs__validate_case *it, const struct kecs__validate_rule *rule,
                       const kecs__validate_path *path);
  const char *accepts; /* what the function looks for: words, punctuation, a member's name */
  int64_t limit;       /* the longest text, the highest number */
} kecs__validate_rule;

/* INVALID: the path, a colon, and the text. */
KECS__FN kecs_status kecs__validate_fail(const kecs__validate_path *path, const char *format, ...)
    KECS_STORE_PRINTF(2, 3);

/* A refused value as a message quotes it: cut, but never inside a character. */
enum { KECS__VALIDATE_SHOWN = 44 };
KECS__FN const char *kecs__validate_shown(const char *text, size_t len, char out[KECS__VALIDATE_SHOWN]);

/* A column's text, or NULL when it is not set or empty. */
KECS__FN const char *kecs__validate_text(const kecs__validate_case *it, int column);

/* `max` letters, digits and characters of `punctuation` at most, and one at least. */
KECS__FN kecs_status kecs__validate_name(const kecs__validate_path *path, const char *name, const char *punctuation,
                                         int64_t max);

/* A text of min to max characters (code points). */
KECS__FN kecs_status kecs__validate_length(const kecs__validate_path *path, const char *text, size_t min, int64_t max);

/* Whether a text is one of `words`, which a space separates; INVALID unless a text, or a JSON string, is. */
KECS__FN bool kecs__validate_among(const char *text, const char *words);
KECS__FN kecs_status kecs__validate_word_text(const kecs__validate_path *path, const char *text, const char *words);
KECS__FN kecs_status kecs__validate_word(const kecs__validate_path *path, kecs__json value, const char *words);

/* A whole number from min to max. NONE is none: true in *out_set tells that there is one. */
KECS__FN kecs_status kecs__validate_number(const kecs__validate_path *path, kecs__json value, int64_t min, int64_t max,
                                           bool *out_set, int64_t *out);

/* The value that a text is, type NONE for NULL, "" and null. INVALID with line and column when it is not JSON. */
KECS__FN kecs_status kecs__validate_parse(const kecs__validate_path *path, const char *text, kecs__json *out);

/* A member that is not null, or NONE. */
KECS__FN kecs__json kecs__validate_member(kecs__json object, const char *name);

/* Calls `check` for each element of an array of objects, in order, until one fails. NONE is an empty array. */
typedef kecs_status (*kecs__validate_each_fn)(const kecs__validate_path *path, kecs__json object, void *user);
KECS__FN kecs_status kecs__validate_each(const kecs__validate_path *path, kecs__json array,
                                         kecs__validate_each_fn check, void *user);

/* The names that the elements of an array have, decoded and sorted: to find twins, and to look names up. */
typedef struct kecs__validate_named {
  const char *name;
  size_t index; /* of the element */
} kecs__validate_named;
typedef struct kecs__validate_names {
  kecs_allocator allocator;
  kecs__arena arena;
  kecs__validate_named *items;
  size_t count;
} kecs__validate_names;

/* Reads the member `member` of each element, or with NULL the elements themselves; what is no string is left out. To be
 * freed whatever the status; must not be moved. INVALID when a name holds what no text can hold. */
KECS__FN kecs_status kecs__validate_names_read(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json array, const char *member);
KECS__FN void kecs__validate_names_free(kecs__validate_names *names);

/* Decodes one string into the names' memory. */
KECS__FN kecs_status kecs__validate_names_text(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json string, const char **out);
KECS__FN bool kecs__validate_names_has(const kecs__validate_names *names, const char *name);

/* Reads and frees: INVALID names the first element whose name an earlier one has. */
KECS__FN kecs_status kecs__validate_unique(const kecs__validate_path *path, kecs__json array, const char *member);

/* ---- rules of task definitions: validate_task_definition.c ---- */

#define KECS__VALIDATE_RULE(name)                                                                          \
  KECS__FN kecs_status kecs__validate_##name(const kecs__validate_case *it, const kecs__validate_rule *rule, \
                                             const kecs__validate_path *path)
KECS__VALIDATE_RULE(family);
KECS__VALIDATE_RULE(containers);
KECS__VALIDATE_RULE(volumes);
KECS__VALIDATE_RULE(mount_points);
KECS__VALIDATE_RULE(compatibilities);
KECS__VALIDATE_RULE(fargate_network);
KECS__VALIDATE_RULE(fargate_size);
KECS__VALIDATE_RULE(task_cpu);
KECS__VALIDATE_RULE(task_memory);
#undef KECS__VALIDATE_RULE

#endif
