/* fuzz.h -- what the fuzzers of the store share: checks, a store in memory, rows as keys, and a main that replays
 * files.
 *
 * clang -fsanitize=fuzzer,address links a fuzzer with libFuzzer. With -DKECS_FUZZ_REPLAY it has a main of its own that
 * replays the files given as arguments. */
#ifndef KECS_FUZZ_H
#define KECS_FUZZ_H
#include "base/prologue.h"

#include "gen/api_public.h"
#include "store/import.h"
#include "store/record.h"
#include "store/store.h"

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

/* Success; prints the error otherwise. */
#define REQUIRE_OK(call)                                                                                         \
  do {                                                                                                           \
    kecs_status fuzz_status = (call);                                                                            \
    if (fuzz_status) {                                                                                           \
      fprintf(stderr, "%s:%d: %s gives %s: %s\n", __FILE__, __LINE__, #call, kecs_status_name(fuzz_status),      \
              kecs_last_error()->text);                                                                          \
      abort();                                                                                                   \
    }                                                                                                            \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline int64_t fuzz_now(void *user) {
  (void)user;
  return INT64_C(1709208000000000);
}

static inline bool fuzz_chance(void *bytes, size_t size, void *user) {
  static uint64_t state = 88172645463325252U;
  (void)user;
  for (size_t i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    ((unsigned char *)bytes)[i] = (unsigned char)(state >> 32);
  }
  return true;
}

/* The store of this process; every input is tried in a transaction that is rolled back. */
static inline kecs_store *fuzz_store(void) {
  static kecs_store *store;
  if (!store) {
    kecs_options options;
    memset(&options, 0, sizeof options);
    options.path = ":memory:";
    options.clock.now = fuzz_now;
    options.random.fill = fuzz_chance;
    REQUIRE_OK(kecs_open(&options, &store));
  }
  return store;
}

/* A refusal that is the caller's to mend, told in one line. */
static inline void fuzz_require_refusal(kecs_status status) {
  const kecs_error *error = kecs_last_error();
  if (kecs_status_class(status) != KECS_CLASS_CALLER || error->status != status || !error->text[0] ||
      strpbrk(error->text, "\r\n")) {
    fprintf(stderr, "refused with %s; the last error is %s \"%s\"\n", kecs_status_name(status),
            kecs_status_name(error->status), error->text);
    abort();
  }
}

static inline const char *fuzz_text_of(const kecs_kind_info *info, const void *row, const char *column) {
  const char *text = NULL;
  int at = kecs_column_find(info, column);
  if (at >= 0) {
    memcpy(&text, (const char *)row + info->columns[at].offset, sizeof text);
  }
  return text;
}

static inline int64_t fuzz_number_of(const kecs_kind_info *info, const void *row, const char *column) {
  int64_t number = 0;
  int at = kecs_column_find(info, column);
  if (at >= 0) {
    memcpy(&number, (const char *)row + info->columns[at].offset, sizeof number);
  }
  return number;
}

/* The row's key as kecs_record_get takes it: the ARN where there is one, with the other parts empty if it has commas of
 * its own; else the parts of the address. Free it. */
static inline char *fuzz_key(const kecs_kind_info *info, const void *row) {
  const char *arn = fuzz_text_of(info, row, "arn");
  size_t size = 16;
  bool by_arn = arn && strncmp(arn, "arn:", 4) == 0;
  for (int i = 0; i < info->address.count; i++) {
    size_t len = 0;
    (void)kecs_record_text(info, row, info->address.columns[i], NULL, 0, &len);
    size += len * 2 + 2;
  }
  size += arn ? strlen(arn) : 0;
  char *key = malloc(size);
  char *part = malloc(size);
  REQUIRE(key && part);
  size_t used = 0;
  for (int i = 0; !by_arn && i < info->address.count; i++) {
    bool last = i == info->address.count - 1;
    (void)kecs_record_text(info, row, info->address.columns[i], part, size, NULL);
    for (const char *at = part; *at; at++) {
      if (!last && (*at == ',' || *at == '\\')) {
        key[used++] = '\\';
      }
      key[used++] = *at;
    }
    if (!last) {
      key[used++] = ',';
    }
  }
  for (int i = 1; by_arn && strchr(arn, ',') && i < info->address.count; i++) {
    key[used++] = ',';
  }
  if (by_arn) {
    memcpy(key + used, arn, strlen(arn));
    used += strlen(arn);
  }
  key[used] = '\0';
  free(part);
  return key;
}

#if defined(KECS_FUZZ_REPLAY)
/* The file's bytes in a block that ends where they end, as libFuzzer gives them. */
static bool fuzz_replay(const char *path) {
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
    if (!fuzz_replay(argv[i])) {
      fprintf(stderr, "%s can't be read\n", argv[i]);
      return 1;
    }
  }
  kecs_close(fuzz_store());
  printf("%d files replayed\n", argc - 1);
  return argc > 1 ? 0 : 1;
}
#endif

#endif
