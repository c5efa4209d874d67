/* store/resources.c -- amounts of CPU and memory: as text, and counted. Whole numbers throughout; what a text says
 * below one millicore or one byte is cut off. */
#include "base/prologue.h"

#include "store/nodes.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* ---- text to number ---- */

/* sum = sum * by + more; false when that is more than an int64_t. All are 0 or more. */
static bool kecs__resources_extend(int64_t *sum, int64_t by, int64_t more) {
  if (*sum > (INT64_MAX - more) / by) {
    return false;
  }
  *sum = *sum * by + more;
  return true;
}

static size_t kecs__resources_digits(const char *text) {
  return strspn(text, "0123456789");
}

/* A decimal number times `unit`, rounded down: "1.5" of 1024 is 1536. `text` is digits with at most one point among
 * them; there is at least one digit. False when the product is too large.
 *
 * The fraction is taken from its last digit on: 0.d1d2.. * unit is (d1 * unit + 0.d2.. * unit) / 10, and rounding down
 * at each step gives what rounding down at the end does, since d1 * unit is whole. */
static bool kecs__resources_scale(const char *text, size_t len, int64_t unit, int64_t *out) {
  size_t whole = kecs__resources_digits(text);
  int64_t value = 0;
  for (size_t i = 0; i < whole; i++) {
    if (!kecs__resources_extend(&value, 10, text[i] - '0')) {
      return false;
    }
  }
  int64_t fraction = 0;
  for (size_t i = len; i > whole + 1; i--) {
    fraction = ((text[i - 1] - '0') * unit + fraction) / 10;
  }
  if (!kecs__resources_extend(&value, unit, fraction)) {
    return false;
  }
  *out = value;
  return true;
}

/* Length of the number that a text begins with, 0 when it does not begin with one. */
static size_t kecs__resources_number(const char *text) {
  size_t whole = kecs__resources_digits(text);
  size_t len = whole;
  if (text[len] == '.') {
    size_t fraction = kecs__resources_digits(text + len + 1);
    len = whole + fraction > 0 ? len + 1 + fraction : 0;
  }
  return len;
}

typedef struct kecs__resources_unit {
  const char *suffix;
  int64_t size;
} kecs__resources_unit;

static kecs_status kecs__resources_parse(const char *text, const kecs__resources_unit *units, size_t unit_count,
                                         const char *what, const char *example, int64_t *out) {
  if (!out) {
    return kecs__fail(KECS_E_MISUSE, "the pointer for the amount of %s must not be NULL", what);
  }
  *out = 0;
  if (!text || !text[0]) {
    return KECS_OK;
  }
  size_t len = kecs__resources_number(text);
  for (size_t i = 0; len > 0 && i < unit_count; i++) {
    if (strcmp(text + len, units[i].suffix) != 0) {
      continue;
    }
    if (!kecs__resources_scale(text, len, units[i].size, out)) {
      return kecs__fail(KECS_E_INVALID, "%s \"%.40s\" is too large for 64 bits", what, text);
    }
    return KECS_OK;
  }
  return kecs__fail(KECS_E_INVALID, "%s \"%.40s\" is no amount; write it as %s", what, text, example);
}

KECS_STORE_API kecs_status kecs_cpu_parse(const char *text, int64_t *out_millicores) {
  static const kecs__resources_unit units[] = {{"", 1000}, {"m", 1}};
  return kecs__resources_parse(text, units, sizeof units / sizeof units[0], "cpu", "\"500m\", \"2\" or \"0.5\"",
                               out_millicores);
}

static const kecs__resources_unit kecs__memory_units[] = {
    {"Ti", INT64_C(1) << 40}, {"Gi", INT64_C(1) << 30},       {"Mi", INT64_C(1) << 20},    {"Ki", INT64_C(1) << 10},
    {"", 1},                  {"T", INT64_C(1000000000000)}, {"G", INT64_C(1000000000)}, {"M", INT64_C(1000000)},
    {"K", INT64_C(1000)},
};

KECS_STORE_API kecs_status kecs_memory_parse(const char *text, int64_t *out_bytes) {
  return kecs__resources_parse(text, kecs__memory_units, sizeof kecs__memory_units / sizeof kecs__memory_units[0],
                               "memory", "\"256Mi\", \"1.5Gi\", \"500M\" or \"1024\"", out_bytes);
}

/* ---- number to text ---- */

KECS_STORE_API void kecs_cpu_format(int64_t millicores, char *out, size_t size) {
  bool whole = millicores % 1000 == 0;
  if (out && size > 0) {
    snprintf(out, size, "%lld%s", (long long)(whole ? millicores / 1000 : millicores), whole ? "" : "m");
  }
}

/* In the largest binary unit that leaves no rest. */
KECS_STORE_API void kecs_memory_format(int64_t bytes, char *out, size_t size) {
  const kecs__resources_unit *unit = kecs__memory_units;
  while (bytes == 0 ? unit->size != 1 : bytes % unit->size != 0) {
    unit++;
  }
  if (out && size > 0) {
    snprintf(out, size, "%lld%s", (long long)(bytes / unit->size), unit->suffix);
  }
}

/* ---- counting ---- */

static int64_t kecs__resources_add(int64_t a, int64_t b) {
  if (b > 0 && a > INT64_MAX - b) {
    return INT64_MAX;
  }
  return b < 0 && a < INT64_MIN - b ? INT64_MIN : a + b;
}

static int64_t kecs__resources_take(int64_t a, int64_t b) {
  if (b < 0 && a > INT64_MAX + b) {
    return INT64_MAX;
  }
  return b > 0 && a < INT64_MIN + b ? INT64_MIN : a - b;
}

KECS_STORE_API kecs_resources kecs_resources_available(kecs_resources allocatable, kecs_resources used) {
  kecs_resources left = {kecs__resources_take(allocatable.cpu, used.cpu),
                         kecs__resources_take(allocatable.memory, used.memory)};
  return left;
}

KECS_STORE_API bool kecs_resources_fit(kecs_resources available, kecs_resources request) {
  return request.cpu <= available.cpu && request.memory <= available.memory;
}

KECS_STORE_API kecs_resources kecs_resources_allocate(kecs_resources used, kecs_resources request) {
  kecs_resources sum = {kecs__resources_add(used.cpu, request.cpu), kecs__resources_add(used.memory, request.memory)};
  return sum;
}

KECS_STORE_API kecs_resources kecs_resources_release(kecs_resources used, kecs_resources request) {
  kecs_resources left = kecs_resources_available(used, request);
  left.cpu = left.cpu > 0 ? left.cpu : 0;
  left.memory = left.memory > 0 ? left.memory : 0;
  return left;
}
