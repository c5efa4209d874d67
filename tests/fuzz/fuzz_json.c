/* tests/fuzz/fuzz_json.c -- any bytes at the JSON scanner, the walk, strings, numbers and times.
 *
 * clang -fsanitize=fuzzer,address links this with libFuzzer. With -DKECS_FUZZ_REPLAY it has a main of its own that
 * replays the files given as arguments: gcc ... -DKECS_FUZZ_REPLAY && ./fuzz_json tests/fuzz/corpus/json/[a-z]*. */
#include "base/prologue.h"

#include "base/json.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                      \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                  \
    }                                                                           \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static kecs_allocator allocator;

static bool same(kecs__json a, kecs__json b) {
  return a.type == b.type && a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* A refusal points at a byte that nothing behind it can mend, and the text before that byte could still have become
 * JSON: the scanner never stops too late or too early. */
static void fuzz_fault(const char *text, size_t len, const kecs__json_fault *fault) {
  REQUIRE(fault->reason && fault->reason[0] && fault->offset <= len);
  size_t line = 0;
  size_t column = 0;
  kecs__json_position(text, fault->offset, &line, &column);
  REQUIRE(line == fault->line && column == fault->column && line >= 1 && column >= 1);

  kecs__json_fault other = {0, 0, 0, NULL};
  if (fault->offset < len) {
    REQUIRE(!kecs__json_check(text, fault->offset + 1, &other).type);
    REQUIRE(other.offset == fault->offset);
  }
  other.offset = fault->offset;
  kecs__json before = kecs__json_check(text, fault->offset, &other);
  REQUIRE(before.type != KECS__JSON_NONE || other.offset == fault->offset);
}

/* Text and its JSON string are each other's inverse. */
static void fuzz_quote(const char *text, size_t len) {
  kecs__text out;
  kecs__arena arena;
  kecs__text_init(&out, &allocator, SIZE_MAX / 4);
  kecs__arena_init(&arena, &allocator);
  kecs__json_quote(&out, text, len);
  REQUIRE(out.status == KECS_OK);
  kecs__json value = kecs__json_check(out.data, out.len, NULL);
  REQUIRE(value.type == KECS__JSON_STRING && value.len == out.len);
  size_t back_len = 0;
  char *back = kecs__json_string(value, &arena, &back_len);
  bool has_nul = len > 0 && memchr(text, 0, len);
  REQUIRE((back == NULL) == has_nul);
  if (back) {
    REQUIRE(back_len == len && (len == 0 || memcmp(back, text, len) == 0));
    REQUIRE(kecs__json_equals(value, back));
  }
  kecs__arena_free(&arena);
  kecs__text_free(&out);
}

static void fuzz_string(kecs__json value) {
  kecs__arena arena;
  kecs__arena_init(&arena, &allocator);
  size_t len = 0;
  char small[16];
  char *text = kecs__json_string(value, &arena, &len);
  bool fits = kecs__json_string_into(value, small, sizeof small, NULL);
  REQUIRE(fits == (text && len < sizeof small));
  if (text) {
    REQUIRE(len == strlen(text) && kecs__utf8_valid(text, len));
    REQUIRE(kecs__json_equals(value, text));
    REQUIRE(!fits || strcmp(small, text) == 0);
    fuzz_quote(text, len);
    if (len > 0) {
      text[len - 1] = '\0';
      REQUIRE(!kecs__json_equals(value, text));
    }
  } else {
    REQUIRE(kecs_last_error()->status == KECS_E_INVALID);
    REQUIRE(!kecs__json_equals(value, ""));
  }
  kecs__arena_free(&arena);
}

static void fuzz_number(kecs__json value) {
  int64_t number = 0;
  if (kecs__json_int64(value, &number)) {
    char text[32];
    int64_t back = 0;
    bool exact = false;
    snprintf(text, sizeof text, "%" PRId64, number);
    REQUIRE(kecs__json_int64(kecs__json_check(text, strlen(text), NULL), &back) && back == number);
    REQUIRE(kecs__json_scaled(value, 0, &back, &exact) && exact && back == number);
  }
  if (value.len < 100) {
    /* A double is near enough to find a wrong power of ten. */
    char text[101];
    memcpy(text, value.text, value.len);
    text[value.len] = '\0';
    double expected = strtod(text, NULL) * 1e3;
    bool exact = false;
    if (kecs__json_scaled(value, 3, &number, &exact)) {
      double error = (double)number - expected;
      double slack = 1 + (expected < 0 ? -expected : expected) * 1e-12;
      REQUIRE(error <= slack && -error <= slack);
    } else {
      REQUIRE(expected >= 9.2e18 || expected <= -9.2e18);
    }
  }
}

static void fuzz_micros(int64_t micros) {
  char text[32];
  int64_t back = 0;
  bool exact = false;
  kecs__time_iso(micros, text);
  REQUIRE(strlen(text) < 28 && kecs__time_parse(text, strlen(text), &back, &exact) && exact && back == micros);
  kecs__time_epoch(micros, text);
  REQUIRE(kecs__time_parse(text, strlen(text), &back, &exact) && exact && back == micros);
}

/* What holds for each value in a checked text; the span is checked again as a text of its own. */
static void fuzz_value(kecs__json value, size_t depth) {
  int64_t micros = 0;
  bool exact = false;
  if (kecs__time_read(value, &micros, &exact)) {
    fuzz_micros(micros);
  }
  if (depth < 16) {
    REQUIRE(same(kecs__json_check(value.text, value.len, NULL), value));
  }
  if (value.type == KECS__JSON_STRING) {
    fuzz_string(value);
  } else if (value.type == KECS__JSON_NUMBER) {
    fuzz_number(value);
  }
}

typedef struct level {
  kecs__json bracket;
  kecs__json_walk walk;
} level;

static void fuzz_member(kecs__json object, kecs__json name, kecs__json value) {
  kecs__arena arena;
  kecs__arena_init(&arena, &allocator);
  REQUIRE(name.type == KECS__JSON_STRING && name.text > object.text && name.text + name.len < value.text);
  fuzz_string(name);
  char *text = kecs__json_string(name, &arena, NULL);
  if (text) {
    kecs__json first = kecs__json_member(object, text);
    REQUIRE(first.type != KECS__JSON_NONE && first.text <= value.text);
  }
  kecs__arena_free(&arena);
}

/* Visits every value below `root`; every byte that no value covers must be punctuation. */
static void fuzz_walk(kecs__json root) {
  static level levels[KECS__JSON_DEPTH_MAX + 1];
  size_t depth = 0;
  kecs__json value = root;
  for (;;) {
    fuzz_value(value, depth);
    if (value.type == KECS__JSON_ARRAY || value.type == KECS__JSON_OBJECT) {
      REQUIRE(depth < KECS__JSON_DEPTH_MAX);
      levels[depth].bracket = value;
      levels[depth].walk.at = NULL;
      depth++;
    }
    bool found = false;
    while (depth > 0 && !found) {
      level *top = &levels[depth - 1];
      const char *from = top->walk.at ? top->walk.at : top->bracket.text + 1;
      const char *end = top->bracket.text + top->bracket.len;
      kecs__json name;
      if (top->bracket.type == KECS__JSON_OBJECT) {
        found = kecs__json_next_member(top->bracket, &top->walk, &name, &value);
        if (found && depth < 16) {
          fuzz_member(top->bracket, name, value);
        }
      } else {
        found = kecs__json_next_element(top->bracket, &top->walk, &value);
        name = value;
      }
      for (const char *at = from; at < (found ? name.text : end); at++) {
        REQUIRE(strchr(" \t\r\n,]}", *at) && *at);
      }
      REQUIRE(!found || (value.text >= from && value.text + value.len < end));
      depth -= !found;
    }
    if (!found) {
      return;
    }
  }
}

/* Nothing may be read outside the bytes when they were never checked, and every loop must end. */
static void fuzz_unchecked(const char *text, size_t len) {
  for (int type = KECS__JSON_NONE; type <= KECS__JSON_OBJECT; type++) {
    kecs__json value = {(kecs__json_type)type, text, len};
    kecs__json name;
    kecs__json item;
    kecs__json_walk walk = {NULL};
    kecs__arena arena;
    int64_t number = 0;
    bool exact = false;
    while (kecs__json_next_member(value, &walk, &name, &item)) {
      REQUIRE(name.text >= text && item.text + item.len <= text + len && item.len > 0);
    }
    walk.at = NULL;
    while (kecs__json_next_element(value, &walk, &item)) {
      REQUIRE(item.text >= text && item.text + item.len <= text + len && item.len > 0);
    }
    kecs__arena_init(&arena, &allocator);
    (void)kecs__json_string(value, &arena, NULL);
    (void)kecs__json_equals(value, "a");
    (void)kecs__json_member(value, "a");
    (void)kecs__json_scaled(value, 6, &number, &exact);
    (void)kecs__time_read(value, &number, &exact);
    kecs__arena_free(&arena);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  kecs__json_fault fault = {0, 0, 0, NULL};
  kecs__json_fault first_fault = {0, 0, 0, NULL};
  size_t used = 0;
  if (!allocator.alloc) {
    REQUIRE(kecs__allocator_resolve(&allocator, &allocator) == KECS_OK);
  }
  kecs__json value = kecs__json_check(text, size, &fault);
  kecs__json first = kecs__json_check_first(text, size, &used, &first_fault);
  if (value.type != KECS__JSON_NONE) {
    REQUIRE(value.text >= text && value.text + value.len <= text + size && value.len > 0 && !fault.reason);
    REQUIRE(first.text == value.text && same(first, value) && used == size);
    REQUIRE(kecs__utf8_valid(text, size));
    fuzz_walk(value);
  } else {
    fuzz_fault(text, size, &fault);
    REQUIRE(first.type ? fault.offset == used && used < size : used == 0 && fault.offset == first_fault.offset);
    if (first.type) {
      fuzz_walk(first);
    }
  }
  if (size > 0) {
    fuzz_unchecked(text, size);
  }
  if (kecs__utf8_valid(text, size)) {
    fuzz_quote(text, size);
  }
  int64_t micros = 0;
  bool exact = false;
  if (kecs__time_parse(text, size, &micros, &exact)) {
    fuzz_micros(micros);
  }
  return 0;
}

#if defined(KECS_FUZZ_REPLAY)
/* The file's bytes in a block that ends where they end, as libFuzzer gives them. */
static bool replay(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    return false;
  }
  bool good = fseek(file, 0, SEEK_END) == 0;
  long size = good ? ftell(file) : -1;
  good = size >= 0 && fseek(file, 0, SEEK_SET) == 0;
  uint8_t *data = good ? malloc(size > 0 ? (size_t)size : 1) : NULL;
  good = data && fread(data, 1, (size_t)size, file) == (size_t)size;
  fclose(file);
  if (good) {
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
  }
  free(data);
  return good;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (!replay(argv[i])) {
      fprintf(stderr, "fuzz_json: %s can't be read\n", argv[i]);
      return 1;
    }
  }
  printf("fuzz_json: %d files replayed\n", argc - 1);
  return argc > 1 ? 0 : 1;
}
#endif
