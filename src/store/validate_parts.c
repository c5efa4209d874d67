/* store/validate_parts.c -- what the rules are made of: failures that name a place in the document, words, names,
 * numbers, lists of objects and of names. */
#include "base/prologue.h"

#include "store/validate_internal.h"

#include "store/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KECS__VALIDATE_DEPTH = 8 }; /* links of a path */

/* ---- failures ---- */

static void kecs__validate_render(const kecs__validate_path *path, char *out, size_t size) {
  const kecs__validate_path *links[KECS__VALIDATE_DEPTH];
  size_t count = 0;
  size_t used = 0;
  for (; path && count < KECS__VALIDATE_DEPTH; path = path->parent) {
    links[count++] = path;
  }
  out[0] = '\0';
  while (count > 0 && used < size) {
    const kecs__validate_path *link = links[--count];
    int len = link->member ? snprintf(out + used, size - used, "%s%.*s", used > 0 ? "." : "",
                                      (int)strcspn(link->member, "|"), link->member)
                           : snprintf(out + used, size - used, "[%zu]", link->index);
    used += len > 0 ? (size_t)len : 0;
  }
}

KECS__FN kecs_status kecs__validate_fail(const kecs__validate_path *path, const char *format, ...) {
  char where[160];
  char what[352];
  va_list args;
  va_start(args, format);
  if (vsnprintf(what, sizeof what, format, args) < 0) {
    what[0] = '\0';
  }
  va_end(args);
  kecs__validate_render(path, where, sizeof where);
  return kecs__fail(KECS_E_INVALID, "%s: %s", where, what);
}

KECS__FN const char *kecs__validate_shown(const char *text, size_t len, char out[KECS__VALIDATE_SHOWN]) {
  size_t kept = len;
  if (len >= KECS__VALIDATE_SHOWN) {
    kept = KECS__VALIDATE_SHOWN - 4;
    while (kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80) {
      kept--;
    }
  }
  memcpy(out, text, kept);
  memcpy(out + kept, kept < len ? "..." : "", kept < len ? 4 : 1);
  return out;
}

/* What was found, if anything was, and the words "A B C" as "A, B or C". */
static kecs_status kecs__validate_fail_words(const kecs__validate_path *path, const char *found, const char *words) {
  char list[160];
  size_t used = 0;
  for (const char *at = words; *at && used + 5 < sizeof list; at++) {
    const char *piece = strchr(at + 1, ' ') ? ", " : " or ";
    size_t piece_len = *at == ' ' ? strlen(piece) : 1;
    memcpy(list + used, *at == ' ' ? piece : at, piece_len);
    used += piece_len;
  }
  list[used] = '\0';
  return found ? kecs__validate_fail(path, "%s is not accepted; use %s", found, list)
               : kecs__validate_fail(path, "a value is required; use %s", list);
}

/* ---- texts, numbers, documents ---- */

KECS__FN const char *kecs__validate_text(const kecs__validate_case *it, int column) {
  const char *text = kecs__row_text(it->info, it->row, column);
  return text && text[0] ? text : NULL;
}

static bool kecs__validate_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

KECS__FN kecs_status kecs__validate_name(const kecs__validate_path *path, const char *name, const char *punctuation,
                                         int64_t max) {
  char shown[KECS__VALIDATE_SHOWN];
  char rule[80];
  size_t len = 0;
  int used = snprintf(rule, sizeof rule, "1 to %d letters, digits and", (int)max);
  for (const char *at = punctuation; *at && used > 0 && (size_t)used + 3 < sizeof rule; at++) {
    used += snprintf(rule + used, sizeof rule - (size_t)used, " %c", *at);
  }
  if (!name || !name[0]) {
    return kecs__validate_fail(path, "a name is required: %s", rule);
  }
  while (kecs__validate_alnum(name[len]) || (name[len] && strchr(punctuation, name[len]))) {
    len++;
  }
  if (!name[len] && len <= (size_t)max) {
    return KECS_OK;
  }
  return kecs__validate_fail(path, "\"%s\" is not accepted; use %s",
                             kecs__validate_shown(name, strlen(name), shown), rule);
}

KECS__FN bool kecs__validate_among(const char *text, const char *words) {
  size_t len = strlen(text);
  for (const char *at = words; *at;) {
    size_t word = strcspn(at, " ");
    if (word == len && memcmp(at, text, len) == 0) {
      return true;
    }
    at += word + (at[word] == ' ');
  }
  return false;
}

KECS__FN kecs_status kecs__validate_word_text(const kecs__validate_path *path, const char *text, const char *words) {
  char shown[KECS__VALIDATE_SHOWN];
  char quoted[KECS__VALIDATE_SHOWN + 2];
  if (kecs__validate_among(text, words)) {
    return KECS_OK;
  }
  snprintf(quoted, sizeof quoted, "\"%s\"", kecs__validate_shown(text, strlen(text), shown));
  return kecs__validate_fail_words(path, quoted, words);
}

KECS__FN kecs_status kecs__validate_word(const kecs__validate_path *path, kecs__json value, const char *words) {
  char text[32];
  char shown[KECS__VALIDATE_SHOWN];
  if (kecs__json_string_into(value, text, sizeof text, NULL) && kecs__validate_among(text, words)) {
    return KECS_OK;
  }
  return kecs__validate_fail_words(path, value.text ? kecs__validate_shown(value.text, value.len, shown) : NULL, words);
}

KECS__FN kecs_status kecs__validate_number(const kecs__validate_path *path, kecs__json value, int64_t min, int64_t max,
                                           bool *out_set, int64_t *out) {
  char shown[KECS__VALIDATE_SHOWN];
  *out = 0;
  *out_set = value.type != KECS__JSON_NONE;
  if (!*out_set || (kecs__json_int64(value, out) && *out >= min && *out <= max)) {
    return KECS_OK;
  }
  (void)kecs__validate_shown(value.text, value.len, shown);
  if (max == INT64_MAX) {
    return kecs__validate_fail(path, "%s is not accepted; use a whole number, %lld or more", shown, (long long)min);
  }
  return kecs__validate_fail(path, "%s is not accepted; use a whole number from %lld to %lld", shown, (long long)min,
                             (long long)max);
}

static size_t kecs__validate_characters(const char *text) {
  size_t count = 0;
  for (; *text; text++) {
    count += ((unsigned char)*text & 0xC0) != 0x80 ? 1 : 0;
  }
  return count;
}

KECS__FN kecs_status kecs__validate_length(const kecs__validate_path *path, const char *text, size_t min,
                                           int64_t max) {
  size_t count = kecs__validate_characters(text);
  if (count < min) {
    return kecs__validate_fail(path, "a text is required here");
  }
  return (uint64_t)count <= (uint64_t)max
             ? KECS_OK
             : kecs__validate_fail(path, "%zu characters are too many; use %zu to %lld", count, min, (long long)max);
}

KECS__FN kecs_status kecs__validate_parse(const kecs__validate_path *path, const char *text, kecs__json *out) {
  kecs__json_fault fault;
  *out = (kecs__json){KECS__JSON_NONE, NULL, 0};
  if (!text || !text[0]) {
    return KECS_OK;
  }
  kecs__json value = kecs__json_check(text, strlen(text), &fault);
  if (value.type == KECS__JSON_NONE) {
    return kecs__validate_fail(path, "line %zu, column %zu: %s", fault.line, fault.column, fault.reason);
  }
  if (value.type != KECS__JSON_NULL) {
    *out = value;
  }
  return KECS_OK;
}

/* ---- lists in documents ---- */

KECS__FN kecs__json kecs__validate_member(kecs__json object, const char *name) {
  kecs__json value = kecs__json_member(object, name);
  return value.type == KECS__JSON_NULL ? (kecs__json){KECS__JSON_NONE, NULL, 0} : value;
}

KECS__FN kecs_status kecs__validate_each(const kecs__validate_path *path, kecs__json array,
                                         kecs__validate_each_fn check, void *user) {
  kecs__json_walk walk = {NULL};
  kecs__json element;
  kecs__validate_path at = {path, NULL, 0};
  if (array.type != KECS__JSON_NONE && array.type != KECS__JSON_ARRAY) {
    return kecs__validate_fail(path, "a JSON array of objects is expected");
  }
  for (; kecs__json_next_element(array, &walk, &element); at.index++) {
    if (element.type != KECS__JSON_OBJECT) {
      return kecs__validate_fail(&at, "a JSON object is expected");
    }
    kecs_status status = check(&at, element, user);
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

/* ---- names in lists ---- */

static int kecs__validate_names_order(const void *a, const void *b) {
  const kecs__validate_named *left = a;
  const kecs__validate_named *right = b;
  int order = strcmp(left->name, right->name);
  return order ? order : (left->index > right->index) - (left->index < right->index);
}

KECS__FN kecs_status kecs__validate_names_text(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json string, const char **out) {
  char *text = kecs__arena_bytes(&names->arena, string.len);
  *out = text;
  if (!text) {
    return KECS_E_NOMEM;
  }
  return kecs__json_string_into(string, text, string.len, NULL)
             ? KECS_OK
             : kecs__validate_fail(path, "a string without \\u0000 and without half surrogate pairs is expected");
}

KECS__FN kecs_status kecs__validate_names_read(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json array, const char *member) {
  kecs_allocator libc;
  kecs__json_walk walk = {NULL};
  kecs__json element;
  size_t total = 0;
  memset(names, 0, sizeof *names);
  memset(&libc, 0, sizeof libc);
  kecs__arena_init(&names->arena, &names->allocator);
  kecs_status status = kecs__allocator_resolve(&libc, &names->allocator);
  while (kecs__json_next_element(array, &walk, &element)) {
    total++;
  }
  if (status || total == 0) {
    return status;
  }
  names->items = kecs__arena_take(&names->arena, total * sizeof *names->items);
  if (!names->items) {
    return KECS_E_NOMEM;
  }
  kecs__validate_path at = {path, NULL, 0};
  kecs__validate_path inside = {&at, member, 0};
  walk.at = NULL;
  for (; !status && kecs__json_next_element(array, &walk, &element); at.index++) {
    kecs__json string = member ? kecs__json_member(element, member) : element;
    if (string.type == KECS__JSON_STRING) {
      kecs__validate_named *item = &names->items[names->count++];
      item->index = at.index;
      status = kecs__validate_names_text(names, member ? &inside : &at, string, &item->name);
    }
  }
  if (!status) {
    qsort(names->items, names->count, sizeof *names->items, kecs__validate_names_order);
  }
  return status;
}

KECS__FN void kecs__validate_names_free(kecs__validate_names *names) {
  kecs__arena_free(&names->arena);
}

KECS__FN bool kecs__validate_names_has(const kecs__validate_names *names, const char *name) {
  size_t low = 0;
  size_t high = names->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(names->items[middle].name, name);
    if (order == 0) {
      return true;
    }
    low = order < 0 ? middle + 1 : low;
    high = order < 0 ? high : middle;
  }
  return false;
}

KECS__FN kecs_status kecs__validate_unique(const kecs__validate_path *path, kecs__json array, const char *member) {
  kecs__validate_names names;
  const kecs__validate_named *twin = NULL;
  size_t first = 0;
  kecs_status status = kecs__validate_names_read(&names, path, array, member);
  for (size_t i = 1; !status && i < names.count; i++) {
    const kecs__validate_named *item = &names.items[i];
    if (strcmp(item[-1].name, item->name) == 0 && (!twin || item->index < twin->index)) {
      twin = item;
      first = item[-1].index;
    }
  }
  if (twin) {
    char shown[KECS__VALIDATE_SHOWN];
    kecs__validate_path at = {path, NULL, twin->index};
    kecs__validate_path inside = {&at, member, 0};
    status = kecs__validate_fail(&inside, "\"%s\" is used by element %zu already; each must be used once",
                                 kecs__validate_shown(twin->name, strlen(twin->name), shown), first);
  }
  kecs__validate_names_free(&names);
  return status;
}
