/* base/json_edit.h -- an edit of one item of an array or object; every other byte of the text stays as it is.
 *
 * All three write the edited text to `out`. `text` is terminated and has passed kecs__json_check; the values are spans
 * of it. A failure (memory, the limit of `out`) sticks in out->status. */
#ifndef KECS_BASE_JSON_EDIT_H
#define KECS_BASE_JSON_EDIT_H
#include "base/json.h"

/* With other bytes in the place of a value. */
KECS__FN void kecs__json_replace(kecs__text *out, const char *text, kecs__json value, const char *bytes, size_t len);

/* With one item more at the end of `bracket`: an array's element, or an object's member, name and colon included. It is
 * set off as the last two items are, so a text of one line an item stays one. */
KECS__FN void kecs__json_append(kecs__text *out, const char *text, kecs__json bracket, const char *item, size_t len);

/* Without the items of `bracket` for which `drop` says so. In an array `name` is of type NONE. */
KECS__FN void kecs__json_drop(kecs__text *out, const char *text, kecs__json bracket,
                              bool (*drop)(kecs__json name, kecs__json value, const void *user), const void *user);

#endif
