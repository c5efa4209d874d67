/* store/value.h -- values as statements take them. */
#ifndef KECS_STORE_VALUE_H
#define KECS_STORE_VALUE_H
#include "base/memory.h"
#include "store/backend.h"

static inline kecs_value kecs__value_int(int64_t number) {
  kecs_value value = {KECS_VALUE_INT, 0, NULL, number};
  return value;
}

/* NULL gives the NULL value. */
KECS__FN kecs_value kecs__value_text(const char *text);
KECS__FN kecs_value kecs__value_bytes(const char *text, size_t len); /* text[len] must be 0 */
KECS__FN kecs_value kecs__value_time(int64_t micros);                /* 0 gives the NULL value */

/* "?7": where the seventh value goes */
KECS__FN void kecs__sql_placeholder(kecs__text *out, int number);

#endif
