/* store/value.c -- values as statements take them. Texts are borrowed. */
#include "base/prologue.h"

#include "store/value.h"

#include <stdio.h>
#include <string.h>

KECS__FN kecs_value kecs__value_bytes(const char *text, size_t len) {
  kecs_value value = {KECS_VALUE_TEXT, len, text, 0};
  return value;
}

KECS__FN kecs_value kecs__value_text(const char *text) {
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  return text ? kecs__value_bytes(text, strlen(text)) : value;
}

KECS__FN kecs_value kecs__value_time(int64_t micros) {
  kecs_value value = {micros ? KECS_VALUE_TIME : KECS_VALUE_NULL, 0, NULL, micros};
  return value;
}

KECS__FN void kecs__sql_placeholder(kecs__text *out, int number) {
  char text[16];
  int len = snprintf(text, sizeof text, "?%d", number);
  kecs__text_add(out, text, (size_t)len);
}
