/* store/tag_document.c -- a walk over tags that does not care which of the three shapes they have. */
#include "base/prologue.h"

#include "store/tag_document.h"

#include "base/json_edit.h"

#include <stdlib.h>
#include <string.h>

/* A tag where it stands. Its name is of type NONE where an element of an array is no tag. */
typedef struct kecs__tag_place {
  kecs__json whole; /* the object; in a map the value */
  kecs__json name;
  kecs__json value; /* NONE when there is none */
  bool upper;       /* "Key" and "Value" */
} kecs__tag_place;

static kecs__json kecs__tag_root(const char *document) {
  kecs__json none = {KECS__JSON_NONE, NULL, 0};
  return document && document[0] ? kecs__json_check(document, strlen(document), NULL) : none;
}

static bool kecs__tag_next(kecs__json root, kecs__json_walk *walk, kecs__tag_place *place) {
  if (root.type == KECS__JSON_OBJECT) {
    bool found = kecs__json_next_member(root, walk, &place->name, &place->value);
    place->whole = place->value;
    place->upper = false;
    return found;
  }
  if (!kecs__json_next_element(root, walk, &place->whole)) {
    return false;
  }
  place->name = kecs__json_member(place->whole, "key");
  place->upper = place->name.type == KECS__JSON_NONE;
  if (place->upper) {
    place->name = kecs__json_member(place->whole, "Key");
  }
  place->value = kecs__json_member(place->whole, place->upper ? "Value" : "value");
  if (place->name.type != KECS__JSON_STRING) {
    place->name.type = KECS__JSON_NONE;
  }
  return true;
}

/* ---- reading ---- */

/* A string decoded, null as NULL, any other value as it is written. False when no text can hold it, and nothing is
 * recorded then; without memory *status says so. */
static bool kecs__tag_text(kecs__json json, kecs__arena *arena, const char **out, kecs_status *status) {
  *out = NULL;
  if (json.type == KECS__JSON_NONE || json.type == KECS__JSON_NULL) {
    return true;
  }
  char *text = kecs__arena_bytes(arena, json.len + 1);
  *out = text;
  if (!text) {
    *status = KECS_E_NOMEM;
    return false;
  }
  if (json.type == KECS__JSON_STRING) {
    return kecs__json_string_into(json, text, json.len + 1, NULL);
  }
  memcpy(text, json.text, json.len);
  text[json.len] = '\0';
  return true;
}

static int kecs__tag_compare(const void *a, const void *b) {
  const kecs__tag_item *left = a;
  const kecs__tag_item *right = b;
  int order = strcmp(left->key, right->key);
  return order ? order : (left->at > right->at) - (left->at < right->at);
}

/* Of items with one key the last one stays. */
static void kecs__tag_settle(kecs__tag_list *list) {
  size_t kept = 0;
  if (list->count > 1) {
    qsort(list->items, list->count, sizeof list->items[0], kecs__tag_compare);
  }
  for (size_t i = 0; i < list->count; i++) {
    if (i + 1 == list->count || strcmp(list->items[i].key, list->items[i + 1].key) != 0) {
      list->items[kept++] = list->items[i];
    }
  }
  list->count = kept;
}

KECS__FN kecs_status kecs__tag_document_read(const char *document, kecs__arena *arena, kecs__tag_list *out) {
  kecs__json root = kecs__tag_root(document);
  kecs__tag_place place;
  kecs_status status = KECS_OK;
  size_t count = 0;
  out->items = NULL;
  out->count = 0;
  for (kecs__json_walk walk = {NULL}; kecs__tag_next(root, &walk, &place);) {
    count++;
  }
  if (count == 0) {
    return KECS_OK;
  }
  out->items = kecs__arena_take(arena, count * sizeof out->items[0]);
  if (!out->items) {
    return KECS_E_NOMEM;
  }
  kecs__json_walk walk = {NULL};
  for (size_t at = 0; !status && kecs__tag_next(root, &walk, &place); at++) {
    kecs__tag_item item = {NULL, NULL, at};
    if (place.name.type != KECS__JSON_NONE && kecs__tag_text(place.name, arena, &item.key, &status) &&
        kecs__tag_text(place.value, arena, &item.value, &status)) {
      out->items[out->count++] = item;
    }
  }
  kecs__tag_settle(out);
  return status;
}

/* ---- changing ---- */

static void kecs__tag_add_value(kecs__text *out, const char *value) {
  if (value) {
    kecs__json_quote(out, value, strlen(value));
  } else {
    kecs__text_adds(out, "null");
  }
}

/* `"Value":"..."`, or in a map `"name":"..."`. */
static void kecs__tag_add_member(kecs__text *out, const char *name, const char *value) {
  kecs__json_quote(out, name, strlen(name));
  kecs__text_addc(out, ':');
  kecs__tag_add_value(out, value);
}

/* An object of its own: `{"Key":"...","Value":"..."}`. */
static void kecs__tag_add_object(kecs__text *out, bool upper, const char *key, const char *value) {
  kecs__text_addc(out, '{');
  kecs__tag_add_member(out, upper ? "Key" : "key", key);
  if (value) {
    kecs__text_addc(out, ',');
    kecs__tag_add_member(out, upper ? "Value" : "value", value);
  }
  kecs__text_addc(out, '}');
}

/* The tag that counts for a key; false when there is none. Tells the case of the array's last tag as well. */
static bool kecs__tag_find(kecs__json root, const char *key, kecs__tag_place *out, bool *upper) {
  kecs__json_walk walk = {NULL};
  kecs__tag_place place;
  bool found = false;
  while (kecs__tag_next(root, &walk, &place)) {
    if (place.name.type == KECS__JSON_NONE) {
      continue;
    }
    *upper = place.upper;
    if (kecs__json_equals(place.name, key)) {
      *out = place;
      found = true;
    }
  }
  return found;
}

static bool kecs__tag_has_value(const kecs__tag_place *place, const char *value) {
  if (!value) {
    return place->value.type == KECS__JSON_NONE || place->value.type == KECS__JSON_NULL;
  }
  return place->value.type == KECS__JSON_STRING && kecs__json_equals(place->value, value);
}

KECS__FN kecs_status kecs__tag_document_set(const char *document, const char *key, const char *value, bool upper,
                                            kecs__text *out) {
  kecs__json root = kecs__tag_root(document);
  bool fresh = !document || !document[0] || root.type == KECS__JSON_NULL;
  kecs__tag_place place;
  kecs__text piece; /* what is put in */
  if (!fresh && root.type != KECS__JSON_ARRAY && root.type != KECS__JSON_OBJECT) {
    return kecs__fail(KECS_E_INVALID, "the tags are neither an array nor an object in JSON; set the column tags first");
  }
  kecs__text_init(&piece, out->allocator, out->max);
  if (fresh) {
    kecs__text_addc(out, '[');
    kecs__tag_add_object(out, upper, key, value);
    kecs__text_addc(out, ']');
  } else if (!kecs__tag_find(root, key, &place, &upper)) {
    if (root.type == KECS__JSON_OBJECT) {
      kecs__tag_add_member(&piece, key, value);
    } else {
      kecs__tag_add_object(&piece, upper, key, value);
    }
    kecs__json_append(out, document, root, piece.data ? piece.data : "", piece.len);
  } else if (kecs__tag_has_value(&place, value)) {
    kecs__text_adds(out, document);
  } else if (place.value.type == KECS__JSON_NONE) {
    kecs__tag_add_member(&piece, place.upper ? "Value" : "value", value);
    kecs__json_append(out, document, place.whole, piece.data ? piece.data : "", piece.len);
  } else {
    kecs__tag_add_value(&piece, value);
    kecs__json_replace(out, document, place.value, piece.data ? piece.data : "", piece.len);
  }
  kecs_status status = piece.status ? piece.status : out->status;
  kecs__text_free(&piece);
  return status;
}

typedef struct kecs__tag_drop {
  const char *const *keys;
  size_t count;
} kecs__tag_drop;

static bool kecs__tag_is_dropped(kecs__json name, kecs__json value, const void *user) {
  const kecs__tag_drop *drop = user;
  if (name.type == KECS__JSON_NONE) { /* an element of an array: its key is its name */
    name = kecs__json_member(value, "key");
    name = name.type == KECS__JSON_NONE ? kecs__json_member(value, "Key") : name;
  }
  for (size_t i = 0; i < drop->count; i++) {
    if (name.type == KECS__JSON_STRING && kecs__json_equals(name, drop->keys[i])) {
      return true;
    }
  }
  return false;
}

KECS__FN kecs_status kecs__tag_document_remove(const char *document, const char *const *keys, size_t count,
                                               kecs__text *out) {
  kecs__json root = kecs__tag_root(document);
  kecs__tag_drop drop = {keys, count};
  if (root.type == KECS__JSON_ARRAY || root.type == KECS__JSON_OBJECT) {
    kecs__json_drop(out, document, root, kecs__tag_is_dropped, &drop);
  } else {
    kecs__text_adds(out, document ? document : "");
  }
  return out->status;
}
