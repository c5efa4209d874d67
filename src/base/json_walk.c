/* base/json_walk.c -- steps from value to value inside a text that is known to be JSON. */
#include "base/prologue.h"

#include "base/json_bytes.h"

/* The byte after a string's closing quote. */
static const unsigned char *kecs__json_string_end(const unsigned char *at, const unsigned char *end) {
  at++;
  for (;;) {
    at = kecs__json_plain(at, end);
    if (at == end) {
      return end;
    }
    if (*at == '"') {
      return at + 1;
    }
    at += *at == '\\' && end - at > 1 ? 2 : 1;
  }
}

/* The end of the value that starts at `at`. In a nested value only brackets and strings matter. */
static const unsigned char *kecs__json_value_end(const unsigned char *at, const unsigned char *end) {
  if (!(kecs__json_class(*at) & KECS__JSON_MARK)) {
    return kecs__json_word(at + 1, end);
  }
  size_t depth = 0;
  while (at < end) {
    if (*at == '"') {
      at = kecs__json_string_end(at, end);
    } else if (*at == '{' || *at == '[') {
      depth++;
      at++;
    } else {
      depth -= depth > 0;
      at++;
    }
    if (depth == 0) {
      return at;
    }
    at = kecs__json_mark(at, end);
  }
  return end;
}

/* The start of the next item inside a bracket, or NULL at its end. */
static const unsigned char *kecs__json_step(kecs__json bracket, const kecs__json_walk *walk) {
  if (bracket.len < 2) {
    return NULL;
  }
  const unsigned char *end = (const unsigned char *)bracket.text + bracket.len;
  const unsigned char *at = (const unsigned char *)(walk->at ? walk->at : bracket.text + 1);
  at = kecs__json_space(at, end);
  if (at < end && *at == ',') {
    at = kecs__json_space(at + 1, end);
  }
  return at < end && *at != ']' && *at != '}' ? at : NULL;
}

KECS__FN bool kecs__json_next_member(kecs__json object, kecs__json_walk *walk, kecs__json *name, kecs__json *value) {
  *name = (kecs__json){KECS__JSON_NONE, NULL, 0};
  *value = *name;
  const unsigned char *at = object.type == KECS__JSON_OBJECT ? kecs__json_step(object, walk) : NULL;
  if (!at || *at != '"') {
    return false;
  }
  const unsigned char *end = (const unsigned char *)object.text + object.len;
  const unsigned char *name_end = kecs__json_string_end(at, end);
  const unsigned char *begin = kecs__json_space(name_end, end);
  if (begin == end || *begin != ':') {
    return false;
  }
  begin = kecs__json_space(begin + 1, end);
  if (begin == end) {
    return false;
  }
  const unsigned char *value_end = kecs__json_value_end(begin, end);
  *name = kecs__json_span(at, name_end);
  *value = kecs__json_span(begin, value_end);
  walk->at = (const char *)value_end;
  return true;
}

KECS__FN bool kecs__json_next_element(kecs__json array, kecs__json_walk *walk, kecs__json *element) {
  *element = (kecs__json){KECS__JSON_NONE, NULL, 0};
  const unsigned char *at = array.type == KECS__JSON_ARRAY ? kecs__json_step(array, walk) : NULL;
  if (!at) {
    return false;
  }
  const unsigned char *end = kecs__json_value_end(at, (const unsigned char *)array.text + array.len);
  *element = kecs__json_span(at, end);
  walk->at = (const char *)end;
  return true;
}

KECS__FN kecs__json kecs__json_member(kecs__json object, const char *name) {
  kecs__json_walk walk = {NULL};
  kecs__json key;
  kecs__json value;
  while (kecs__json_next_member(object, &walk, &key, &value)) {
    if (kecs__json_equals(key, name)) {
      return value;
    }
  }
  return (kecs__json){KECS__JSON_NONE, NULL, 0};
}
