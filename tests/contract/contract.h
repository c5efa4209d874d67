/* contract.h -- what the contract tests stand on: stores on the backend under test, checks, clocks, counting.
 *
 * A test program is a list of cmocka tests and CONTRACT_MAIN. It runs its whole list once on each backend that
 * KECS_TEST_STORE names (a comma list, default "memory,file"):
 *   memory  ":memory:"
 *   file    a fresh file in a fresh folder, which goes when the store is closed
 *
 * A test opens stores with contract_open and closes them with contract_close. When it fails before that, its stores
 * and folders are cleaned up after it. CONTRACT_OK and the like may only be used on the test's own thread. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kecs_store.h"

#define CONTRACT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Checks ------------------------------------------------------------------------------------------------ */

/* The call gives KECS_OK; prints the call and the last error otherwise. */
#define CONTRACT_OK(call) contract_check_ok((call), #call, __FILE__, __LINE__)

/* The call fails with this code, and so says kecs_last_error(), in one line. */
#define CONTRACT_FAILS(call, code) contract_check_fails((call), (code), #call, __FILE__, __LINE__)

/* The last error's text has this in it. */
#define CONTRACT_SAYS(part) contract_check_says((part), __FILE__, __LINE__)

/* Texts are equal; either may be NULL. */
#define CONTRACT_TEXT(actual, expected) contract_check_text((actual), (expected), #actual, __FILE__, __LINE__)

/* Numbers are equal; says which. */
#define CONTRACT_NUMBER(actual, expected) \
  contract_check_number((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)

static inline void contract_check_ok(kecs_status status, const char *call, const char *file, int line) {
  if (status != KECS_OK) {
    print_error("%s\n  gave %s: %s\n", call, kecs_status_name(status), kecs_last_error()->text);
    _fail(file, line);
  }
}

static inline void contract_check_fails(kecs_status status, kecs_status expected, const char *call, const char *file,
                                        int line) {
  const kecs_error *error = kecs_last_error();
  size_t len = strlen(error->text);
  if (status != expected) {
    print_error("%s\n  gave %s, not %s: %s\n", call, kecs_status_name(status), kecs_status_name(expected),
                status == KECS_OK ? "" : error->text);
    _fail(file, line);
  }
  if (error->status != expected || len == 0 || len >= sizeof error->text || strpbrk(error->text, "\r\n")) {
    print_error("%s\n  gave %s, but the last error is %s: \"%s\"\n", call, kecs_status_name(status),
                kecs_status_name(error->status), error->text);
    _fail(file, line);
  }
}

static inline void contract_check_says(const char *part, const char *file, int line) {
  if (!strstr(kecs_last_error()->text, part)) {
    print_error("the error does not say \"%s\": %s\n", part, kecs_last_error()->text);
    _fail(file, line);
  }
}

static inline void contract_check_text(const char *actual, const char *expected, const char *what, const char *file,
                                       int line) {
  if (actual == expected || (actual && expected && strcmp(actual, expected) == 0)) {
    return;
  }
  print_error("%s is %s%s%s, not %s%s%s\n", what, actual ? "\"" : "", actual ? actual : "NULL", actual ? "\"" : "",
              expected ? "\"" : "", expected ? expected : "NULL", expected ? "\"" : "");
  _fail(file, line);
}

static inline void contract_check_number(int64_t actual, int64_t expected, const char *what, const char *file,
                                         int line) {
  if (actual != expected) {
    print_error("%s is %lld, not %lld\n", what, (long long)actual, (long long)expected);
    _fail(file, line);
  }
}

/* ---- Folders ----------------------------------------------------------------------------------------------- */

enum { CONTRACT_STORES_MAX = 16, CONTRACT_PATH_MAX = 512 };

typedef struct contract_slot {
  kecs_store *store;
  kecs_options options;
  char folder[CONTRACT_PATH_MAX / 2]; /* "" when the store is in memory */
  char path[CONTRACT_PATH_MAX];
} contract_slot;

/* One test program is one translation unit, so these exist once. */
static contract_slot contract_slots[CONTRACT_STORES_MAX];
static char contract_folders[CONTRACT_STORES_MAX][CONTRACT_PATH_MAX / 2];
static const char *contract_backend = "file";

static inline void contract_remove_folder(const char *folder) {
  DIR *listing = opendir(folder);
  struct dirent *entry;
  while (listing && (entry = readdir(listing)) != NULL) {
    char path[CONTRACT_PATH_MAX + 256];
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
      contract_remove_folder(path);
    } else {
      unlink(path);
    }
  }
  if (listing) {
    closedir(listing);
  }
  rmdir(folder);
}

static inline void contract_make_folder(char *out, size_t size) {
  const char *root = getenv("TMPDIR");
  snprintf(out, size, "%s/kecs_test_XXXXXX", root && root[0] ? root : "/tmp");
  if (!mkdtemp(out)) {
    fail_msg("no temporary folder: %s", out);
  }
}

/* A fresh folder for files of the test's own. It goes when the test ends. */
static inline const char *contract_folder(void) {
  for (size_t i = 0; i < CONTRACT_STORES_MAX; i++) {
    if (!contract_folders[i][0]) {
      contract_make_folder(contract_folders[i], sizeof contract_folders[i]);
      return contract_folders[i];
    }
  }
  fail_msg("more than %d folders in one test", (int)CONTRACT_STORES_MAX);
  return NULL;
}

/* ---- Stores ------------------------------------------------------------------------------------------------ */

static inline bool contract_is_memory(void) {
  return strcmp(contract_backend, "memory") == 0;
}

/* Whether the backend under test keeps its data in one file, so that another process can open it. */
static inline bool contract_is_file(void) {
  return strcmp(contract_backend, "file") == 0;
}

static inline bool contract_is_sqlite(void) {
  return contract_is_memory() || contract_is_file();
}

static inline contract_slot *contract_slot_of(const kecs_store *store) {
  for (size_t i = 0; i < CONTRACT_STORES_MAX; i++) {
    if (contract_slots[i].store == store) {
      return &contract_slots[i];
    }
  }
  fail_msg("this is no store of contract_open, or there are more than %d of them", (int)CONTRACT_STORES_MAX);
  return NULL;
}

/* A fresh, empty store with these options; the path is filled in when it is NULL. What the options point to must
 * stay until contract_close. */
static inline kecs_store *contract_open_with(const kecs_options *options) {
  contract_slot *slot = contract_slot_of(NULL);
  memset(slot, 0, sizeof *slot);
  slot->options = *options;
  if (!options->path && contract_is_memory()) {
    slot->options.path = ":memory:";
  } else if (!options->path) {
    contract_make_folder(slot->folder, sizeof slot->folder);
    snprintf(slot->path, sizeof slot->path, "%s/store.db", slot->folder);
    slot->options.path = slot->path;
  }
  CONTRACT_OK(kecs_open(&slot->options, &slot->store));
  assert_non_null(slot->store);
  return slot->store;
}

static inline kecs_store *contract_open(void) {
  kecs_options options;
  memset(&options, 0, sizeof options);
  return contract_open_with(&options);
}

/* The path that the store was opened with. */
static inline const char *contract_path(const kecs_store *store) {
  return contract_slot_of(store)->options.path;
}

/* A second store on the same data. Not for backends in memory. */
static inline kecs_store *contract_open_again(const kecs_store *store, const kecs_options *options) {
  kecs_options again = options ? *options : contract_slot_of(store)->options;
  again.path = contract_path(store);
  return contract_open_with(&again);
}

/* Closes the store and opens it again, with the same options, on the same data. A store in memory is handed back as it
 * is, since its data would go. */
static inline kecs_store *contract_reopen(kecs_store *store) {
  contract_slot *slot = contract_slot_of(store);
  if (contract_is_memory()) {
    return store;
  }
  slot->store = NULL;
  CONTRACT_OK(kecs_close(store));
  CONTRACT_OK(kecs_open(&slot->options, &slot->store));
  return slot->store;
}

static inline void contract_forget(contract_slot *slot) {
  if (slot->folder[0]) {
    contract_remove_folder(slot->folder);
  }
  memset(slot, 0, sizeof *slot);
}

static inline void contract_close(kecs_store *store) {
  if (store) {
    contract_slot *slot = contract_slot_of(store);
    slot->store = NULL;
    kecs_status status = kecs_close(store);
    contract_forget(slot);
    CONTRACT_OK(status);
  }
}

/* Closes what a failed test left open and removes folders. Part of CONTRACT_TEST. */
static inline int contract_clean(void **state) {
  (void)state;
  for (size_t i = 0; i < CONTRACT_STORES_MAX; i++) {
    if (contract_slots[i].store) {
      kecs_close(contract_slots[i].store);
    }
    if (contract_slots[i].store || contract_slots[i].folder[0]) {
      contract_forget(&contract_slots[i]);
    }
    if (contract_folders[i][0]) {
      contract_remove_folder(contract_folders[i]);
      contract_folders[i][0] = '\0';
    }
  }
  return 0;
}

/* ---- Clocks ------------------------------------------------------------------------------------------------ */

/* 2024-02-29T12:00:00Z */
#define CONTRACT_NOW INT64_C(1709208000000000)

static inline int64_t contract_clock_now(void *user) {
  return __atomic_load_n((int64_t *)user, __ATOMIC_SEQ_CST);
}

static inline int64_t contract_clock_tick(void *user) {
  return __atomic_fetch_add((int64_t *)user, 1, __ATOMIC_SEQ_CST);
}

/* A clock that shows *now, and one that also goes on by a microsecond each time it is read. */
static inline kecs_clock contract_clock(int64_t *now) {
  kecs_clock clock = {contract_clock_now, now};
  return clock;
}

static inline kecs_clock contract_ticking(int64_t *now) {
  kecs_clock clock = {contract_clock_tick, now};
  return clock;
}

static inline void contract_set_clock(int64_t *now, int64_t value) {
  __atomic_store_n(now, value, __ATOMIC_SEQ_CST);
}

/* ---- Programs ---------------------------------------------------------------------------------------------- */

/* The corpus folder, or NULL with a loud line when there is none. */
static inline const char *contract_corpus(void) {
  const char *folder = getenv("KECS_CORPUS");
  folder = folder && folder[0] ? folder : "../shared/corpus";
  if (access(folder, R_OK) != 0) {
    print_message("# NO CORPUS at %s: set KECS_CORPUS; built-in texts alone are tested\n", folder);
    return NULL;
  }
  return folder;
}

/* A test that cleans up after itself, whatever happened. */
#define CONTRACT_TEST(function) cmocka_unit_test_teardown(function, contract_clean)

static inline int contract_run(const char *name, const struct CMUnitTest *tests, size_t count) {
  const char *list = getenv("KECS_TEST_STORE");
  int failed = 0;
  list = list && list[0] ? list : "memory,file";
  while (*list) {
    static const char *const known[] = {"memory", "file"};
    size_t len = strcspn(list, ",");
    char group[128];
    contract_backend = NULL;
    for (size_t i = 0; i < CONTRACT_COUNT(known); i++) {
      if (strlen(known[i]) == len && strncmp(known[i], list, len) == 0) {
        contract_backend = known[i];
      }
    }
    if (!contract_backend) {
      fprintf(stderr, "KECS_TEST_STORE: \"%.*s\" is not one of memory, file\n", (int)len, list);
      return 2;
    }
    snprintf(group, sizeof group, "%s on %s", name, contract_backend);
    failed += _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    list += len + (list[len] == ',');
  }
  return failed ? 1 : 0;
}

/* main() of a test program: CONTRACT_MAIN("rows", tests) with an array of CONTRACT_TEST(...). */
#define CONTRACT_MAIN(name, tests)                                \
  int main(void) {                                                \
    return contract_run((name), (tests), CONTRACT_COUNT((tests))); \
  }

#endif
