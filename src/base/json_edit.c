/* base/json_edit.c -- texts put together from the pieces before, between and after items. */
#include "base/prologue.h"

#include "base/json_edit.h"

#include <string.h>

/* An item of a bracket: a member is counted from its name on. */
typedef struct kecs__json_item {
  kecs__json name;
  kecs__json value;
  const char *begin;
  const char *end;
} kecs__json_item;

static bool kecs__json_next_item(kecs__json bracket, kecs__json_walk *walk, kecs__json_item *item) {
  bool found;
  item->name = (kecs__json){KECS__JSON_NONE, NULL, 0};
  if (bracket.type == KECS__JSON_OBJECT) {
    found = kecs__json_next_member(bracket, walk, &item->name, &item->value);
  } else {
    found = kecs__json_next_element(bracket, walk, &item->value);
  }
  if (found) {
    item->begin = item->name.text ? item->name.text : item->value.text;
    item->end = item->value.text + item->value.len;
  }
  return found;
}

static void kecs__json_between(kecs__text *out, const char *begin, const char *end) {
  kecs__text_add(out, begin, (size_t)(end - begin));
}

KECS__FN void kecs__json_replace(kecs__text *out, const char *text, kecs__json value, const char *bytes, size_t len) {
  kecs__json_between(out, text, value.text);
  kecs__text_add(out, bytes, len);
  kecs__text_adds(out, value.text + value.len);
}

KECS__FN void kecs__json_append(kecs__text *out, const char *text, kecs__json bracket, const char *item, size_t len) {
  kecs__json_walk walk = {NULL};
  kecs__json_item at;
  const char *end = bracket.text + 1; /* of the last item; without one, right behind the opening bracket */
  const char *gap = NULL;             /* what stands between the last two */
  size_t gap_len = 0;
  for (size_t count = 0; kecs__json_next_item(bracket, &walk, &at); count++) {
    gap = count > 0 ? end : ",";
    gap_len = count > 0 ? (size_t)(at.begin - end) : 1;
    end = at.end;
  }
  kecs__json_between(out, text, end);
  if (gap) {
    kecs__text_add(out, gap, gap_len);
  }
  kecs__text_add(out, item, len);
  kecs__text_adds(out, end);
}

KECS__FN void kecs__json_drop(kecs__text *out, const char *text, kecs__json bracket,
                              bool (*drop)(kecs__json name, kecs__json value, const void *user), const void *user) {
  kecs__json_walk walk = {NULL};
  kecs__json_item at;
  const char *first = NULL; /* the first item, kept or not: what stands before it goes before the first that is kept */
  const char *end = bracket.text + 1;
  bool kept = false;
  kecs__json_between(out, text, end);
  while (kecs__json_next_item(bracket, &walk, &at)) {
    first = first ? first : at.begin;
    if (!drop(at.name, at.value, user)) {
      kecs__json_between(out, kept ? end : bracket.text + 1, kept ? at.begin : first);
      kecs__json_between(out, at.begin, at.end);
      kept = true;
    }
    end = at.end;
  }
  kecs__text_adds(out, end);
}
