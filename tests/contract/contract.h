/* contract.h -- what the contract tests stand on: stores on the backend under test, checks, clocks, counting.
 *
 * A test program is a list of cmocka tests and CONTRACT_MAIN. It runs its whole list once on each backend that
 * KECS_TEST_STORE names (a comma list, default "memory,file"; "postgres" where compiled with CONTRACT_POSTGRES):
 *   memory    ":memory:"
 *   file      a fresh file in a fresh folder, which goes when the store is closed
 *   postgres  a fresh tenant in the database that KECS_TEST_POSTGRES names
 * With KECS_TEST_TRACK=1 its stores keep the change log, where the backend can, with KECS_TEST_HISTORY=1 the history
 * as well.
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
#if defined(CONTRACT_POSTGRES)
#include "kecs_store_pg.h"
#endif

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
    if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) {
      continue;
    }
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

/* The path of a file in a fresh folder of its own. It stays until the test ends. */
static inline const char *contract_file(const char *name) {
  static char paths[CONTRACT_STORES_MAX][CONTRACT_PATH_MAX];
  static size_t next;
  char *path = paths[next++ % CONTRACT_STORES_MAX];
  if (snprintf(path, CONTRACT_PATH_MAX, "%s/%s", contract_folder(), name) >= CONTRACT_PATH_MAX) {
    fail_msg("the path is too long: %s", name);
  }
  return path;
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

/* The backends that programs under test open their stores with, and the path of a store that nobody has had. */
#if defined(CONTRACT_POSTGRES)
static inline const kecs_backend *const *contract_backends(void) {
  return kecs_pg_backends();
}

static inline const kecs_backend *contract_real_backend(void) {
  return kecs_pg_backend();
}

/* The database's URL and one option more. */
static inline void contract_url(const char *option, char *out, size_t size) {
  const char *url = getenv("KECS_TEST_POSTGRES");
  if (!url || !url[0]) {
    fail_msg("KECS_TEST_POSTGRES names no database; tests/run.py starts a server and sets it");
  }
  snprintf(out, size, "%s%c%s", url, strchr(url, '?') ? '&' : '?', option);
}

static inline void contract_fresh_url(char *out, size_t size) {
  static int tenants;
  char option[64];
  snprintf(option, sizeof option, "tenant=test-%d-%d", (int)getpid(), ++tenants);
  contract_url(option, out, size);
}
#else
static inline const kecs_backend *const *contract_backends(void) {
  return NULL;
}

static inline const kecs_backend *contract_real_backend(void) {
  return kecs_sqlite_backend();
}

static inline void contract_url(const char *option, char *out, size_t size) {
  (void)option;
  snprintf(out, size, "postgres://");
}

static inline void contract_fresh_url(char *out, size_t size) {
  contract_url("", out, size);
}
#endif

/* A fresh, empty store with these options; the path is filled in when it is NULL. What the options point to must
 * stay until contract_close. */
static inline kecs_store *contract_open_with(const kecs_options *options) {
  contract_slot *slot = contract_slot_of(NULL);
  const char *track = getenv("KECS_TEST_TRACK"); /* set: every store keeps the change log */
  memset(slot, 0, sizeof *slot);
  slot->options = *options;
  const char *history = getenv("KECS_TEST_HISTORY"); /* set: and the history */
  bool both = history && history[0];
  if (((track && track[0]) || both) && !options->track && !options->read_only) {
    slot->options.track = KECS_TRACK_ON;
    slot->options.history.track = both ? KECS_TRACK_ON : options->history.track;
  }
  if (!options->path && contract_is_memory()) {
    slot->options.path = ":memory:";
  } else if (!options->path && !contract_is_sqlite()) {
    contract_fresh_url(slot->path, sizeof slot->path);
    slot->options.path = slot->path;
  } else if (!options->path) {
    char folder[sizeof slot->folder];
    contract_make_folder(folder, sizeof folder);
    memcpy(slot->folder, folder, sizeof folder);
    snprintf(slot->path, sizeof slot->path, "%s/store.db", folder);
    slot->options.path = slot->path;
  }
  if (!slot->options.backends) {
    slot->options.backends = contract_backends();
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

/* ---- Kinds as data ----------------------------------------------------------------------------------------- */

/* Parents that rows of contract_row refer to; contract_parents makes them. */
#define CONTRACT_CLUSTER "arn:aws:ecs:us-east-1:000000000000:cluster/parent"
#define CONTRACT_SERVICE "arn:aws:ecs:us-east-1:000000000000:service/parent/parent-svc"
#define CONTRACT_BALANCER "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/parent/00000000000000aa"
#define CONTRACT_GROUP "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/parent/00000000000000bb"
#define CONTRACT_LISTENER \
  "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/parent/00000000000000aa/00000000000000cc"

/* Room for a row of any kind. */
typedef union contract_any {
  int64_t number;
  const char *text;
  char bytes[2048];
} contract_any;

/* A row and the texts of its keys. */
typedef struct contract_row {
  contract_any row;
  char texts[8][256];
} contract_row;

static inline bool contract_column_is_text(const kecs_kind_info *info, int column) {
  return info->columns[column].type == KECS_TYPE_TEXT || info->columns[column].type == KECS_TYPE_JSON;
}

/* Whether an update may write the column. */
static inline bool contract_column_changes(const kecs_kind_info *info, int column) {
  return info->columns[column].group != KECS_GROUP_KEY && !(info->columns[column].flags & KECS_COLUMN_AUTO);
}

static inline const char *contract_get_text(const kecs_kind_info *info, const void *row, int column) {
  const char *text;
  memcpy(&text, (const char *)row + info->columns[column].offset, sizeof text);
  return text;
}

static inline void contract_set_text(const kecs_kind_info *info, void *row, int column, const char *text) {
  memcpy((char *)row + info->columns[column].offset, &text, sizeof text);
}

/* Any column but texts. *out_null (may be NULL): whether it is SQL NULL. */
static inline int64_t contract_get_number(const kecs_kind_info *info, const void *row, int column, bool *out_null) {
  const char *field = (const char *)row + info->columns[column].offset;
  kecs_opt_int optional = {0, true};
  if (info->columns[column].type == KECS_TYPE_OPTI) {
    memcpy(&optional, field, sizeof optional);
  } else if (info->columns[column].type == KECS_TYPE_BOOL) {
    bool truth;
    memcpy(&truth, field, sizeof truth);
    optional.value = truth;
  } else {
    memcpy(&optional.value, field, sizeof optional.value);
    optional.has = info->columns[column].type != KECS_TYPE_TIME || optional.value != 0;
  }
  if (out_null) {
    *out_null = !optional.has;
  }
  return optional.value;
}

static inline void contract_set_number(const kecs_kind_info *info, void *row, int column, int64_t number) {
  char *field = (char *)row + info->columns[column].offset;
  if (info->columns[column].type == KECS_TYPE_OPTI) {
    kecs_opt_int optional = {number, true};
    memcpy(field, &optional, sizeof optional);
  } else if (info->columns[column].type == KECS_TYPE_BOOL) {
    bool truth = number != 0;
    memcpy(field, &truth, sizeof truth);
  } else {
    memcpy(field, &number, sizeof number);
  }
}

static inline bool contract_column_same(const kecs_kind_info *info, const void *a, const void *b, int column) {
  if (contract_column_is_text(info, column)) {
    const char *left = contract_get_text(info, a, column);
    const char *right = contract_get_text(info, b, column);
    return left && right ? strcmp(left, right) == 0 : left == right;
  }
  bool left_null = false;
  bool right_null = false;
  int64_t left = contract_get_number(info, a, column, &left_null);
  int64_t right = contract_get_number(info, b, column, &right_null);
  return left_null == right_null && (left_null || left == right);
}

/* Every column is equal, but those whose bit is in `ignored`. */
#define CONTRACT_SAME_ROWS(info, actual, expected, ignored) \
  contract_check_rows((info), (actual), (expected), (ignored), __FILE__, __LINE__)

static inline void contract_check_rows(const kecs_kind_info *info, const void *actual, const void *expected,
                                       uint64_t ignored, const char *file, int line) {
  for (int i = 0; i < info->column_count; i++) {
    if (!(ignored & KECS_BIT(i)) && !contract_column_same(info, actual, expected, i)) {
      char left[200] = "NULL";
      char right[200] = "NULL";
      (void)kecs_record_text(info, actual, i, left, sizeof left, NULL);
      (void)kecs_record_text(info, expected, i, right, sizeof right, NULL);
      print_error("%s.%s is \"%s\", not \"%s\"\n", info->name, info->columns[i].name, left, right);
      _fail(file, line);
    }
  }
}

/* Makes the parents that the rows of contract_row refer to. */
static inline void contract_parents(kecs_store *store) {
  kecs_cluster cluster = {.arn = CONTRACT_CLUSTER, .name = "parent"};
  kecs_service service = {.arn = CONTRACT_SERVICE, .name = "parent-svc", .cluster_arn = CONTRACT_CLUSTER};
  kecs_load_balancer balancer = {.arn = CONTRACT_BALANCER, .name = "parent"};
  kecs_target_group group = {.arn = CONTRACT_GROUP, .name = "parent"};
  kecs_listener listener = {.arn = CONTRACT_LISTENER, .load_balancer_arn = CONTRACT_BALANCER, .port = 1};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  CONTRACT_OK(kecs_service_create(store, &service, NULL));
  CONTRACT_OK(kecs_load_balancer_create(store, &balancer, NULL));
  CONTRACT_OK(kecs_target_group_create(store, &group, NULL));
  CONTRACT_OK(kecs_listener_create(store, &listener, NULL));
}

/* What makes a row of a kind complete and different from every other: text formats that take the row's number. */
typedef struct contract_key {
  kecs_kind kind;
  int column;
  const char *format; /* NULL: a number, the row's number plus one */
} contract_key;

#define CONTRACT_ARN_ECS "arn:aws:ecs:us-east-1:000000000000:"
#define CONTRACT_ARN_ELB "arn:aws:elasticloadbalancing:us-east-1:000000000000:"

static const contract_key contract_keys[] = {
    {KECS_KIND_CLUSTER, KECS_CLUSTER_ARN, CONTRACT_ARN_ECS "cluster/c%04d"},
    {KECS_KIND_CLUSTER, KECS_CLUSTER_ID, "id-%04d"},
    {KECS_KIND_CLUSTER, KECS_CLUSTER_NAME, "c%04d"},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_ARN, CONTRACT_ARN_ECS "task-definition/f%04d:1"},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_ID, "id-%04d"},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_FAMILY, "f%04d"},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_REVISION, ""},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_CONTAINER_DEFINITIONS, "[{\"name\":\"n%04d\"}]"},
    {KECS_KIND_SERVICE, KECS_SERVICE_ARN, CONTRACT_ARN_ECS "service/parent/s%04d"},
    {KECS_KIND_SERVICE, KECS_SERVICE_ID, "id-%04d"},
    {KECS_KIND_SERVICE, KECS_SERVICE_CLUSTER_ARN, CONTRACT_CLUSTER},
    {KECS_KIND_SERVICE, KECS_SERVICE_NAME, "s%04d"},
    {KECS_KIND_TASK, KECS_TASK_ARN, CONTRACT_ARN_ECS "task/parent/0000000000000000000000000000%04d"},
    {KECS_KIND_TASK, KECS_TASK_ID, "0000000000000000000000000000%04d"},
    {KECS_KIND_TASK, KECS_TASK_CLUSTER_ARN, CONTRACT_CLUSTER},
    {KECS_KIND_TASK_SET, KECS_TASK_SET_ARN, CONTRACT_ARN_ECS "task-set/parent/parent-svc/ecs-svc/%04d"},
    {KECS_KIND_TASK_SET, KECS_TASK_SET_ID, "ecs-svc/%04d"},
    {KECS_KIND_TASK_SET, KECS_TASK_SET_SERVICE_ARN, CONTRACT_SERVICE},
    {KECS_KIND_TASK_SET, KECS_TASK_SET_CLUSTER_ARN, CONTRACT_CLUSTER},
    {KECS_KIND_CONTAINER_INSTANCE, KECS_CONTAINER_INSTANCE_ARN,
     CONTRACT_ARN_ECS "container-instance/parent/0000000000000000000000000000%04d"},
    {KECS_KIND_CONTAINER_INSTANCE, KECS_CONTAINER_INSTANCE_ID, "0000000000000000000000000000%04d"},
    {KECS_KIND_CONTAINER_INSTANCE, KECS_CONTAINER_INSTANCE_CLUSTER_ARN, CONTRACT_CLUSTER},
    {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_ID, "id-%04d"},
    {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_NAME, "a%04d"},
    {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_TARGET_TYPE, "container-instance"},
    {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_TARGET_ID, "target"},
    {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_CLUSTER, "parent"},
    {KECS_KIND_ACCOUNT_SETTING, KECS_ACCOUNT_SETTING_ID, "id-%04d"},
    {KECS_KIND_ACCOUNT_SETTING, KECS_ACCOUNT_SETTING_NAME, "setting%04d"},
    {KECS_KIND_ACCOUNT_SETTING, KECS_ACCOUNT_SETTING_PRINCIPAL_ARN, "arn:aws:iam::000000000000:root"},
    {KECS_KIND_TASK_LOG, KECS_TASK_LOG_ID, "log-%04d"},
    {KECS_KIND_TASK_LOG, KECS_TASK_LOG_TASK_ARN, CONTRACT_ARN_ECS "task/parent/0"},
    {KECS_KIND_TASK_LOG, KECS_TASK_LOG_CONTAINER_NAME, "web"},
    {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_ARN, CONTRACT_ARN_ELB "loadbalancer/app/lb%04d/0123456789abcdef"},
    {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_NAME, "lb%04d"},
    {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_ARN, CONTRACT_ARN_ELB "targetgroup/tg%04d/0123456789abcdef"},
    {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_NAME, "tg%04d"},
    {KECS_KIND_LISTENER, KECS_LISTENER_ARN, CONTRACT_ARN_ELB "listener/app/parent/00000000000000aa/%04d"},
    {KECS_KIND_LISTENER, KECS_LISTENER_LOAD_BALANCER_ARN, CONTRACT_BALANCER},
    {KECS_KIND_RULE, KECS_RULE_ARN,
     CONTRACT_ARN_ELB "listener-rule/app/parent/00000000000000aa/00000000000000cc/%04d"},
    {KECS_KIND_RULE, KECS_RULE_LISTENER_ARN, CONTRACT_LISTENER},
    {KECS_KIND_RULE, KECS_RULE_PRIORITY, NULL},
    {KECS_KIND_TARGET, KECS_TARGET_TARGET_GROUP_ARN, CONTRACT_GROUP},
    {KECS_KIND_TARGET, KECS_TARGET_ID, "i-%04d"},
    {KECS_KIND_TARGET, KECS_TARGET_PORT, NULL},
    {KECS_KIND_TAG, KECS_TAG_RESOURCE_ARN, CONTRACT_ARN_ECS "cluster/elsewhere"},
    {KECS_KIND_TAG, KECS_TAG_KEY, "key%04d"},
    {KECS_KIND_EVENT, KECS_EVENT_ID, "event-%04d"},
    {KECS_KIND_EVENT, KECS_EVENT_EVENT_TYPE, "changed"},
    {KECS_KIND_EVENT, KECS_EVENT_RESOURCE_ARN, CONTRACT_ARN_ECS "cluster/elsewhere"},
    {KECS_KIND_EVENT, KECS_EVENT_RESOURCE_TYPE, "cluster"},
    {KECS_KIND_EVENT, KECS_EVENT_ACTION, "CREATE"},
    {KECS_KIND_NODE, KECS_NODE_ID, "node-%04d"},
    {KECS_KIND_NODE, KECS_NODE_HOSTNAME, "host"},
    {KECS_KIND_NODE_TASK, KECS_NODE_TASK_ID, "task-%04d"},
    {KECS_KIND_NODE_TASK, KECS_NODE_TASK_NAME, "name"},
    {KECS_KIND_NODE_TASK, KECS_NODE_TASK_IMAGE, "image"},
};

/* Row number n (0 to 9998) of a kind: all keys, parents and required columns are set, everything else is not. */
static inline void *contract_make_row(kecs_kind kind, int n, contract_row *out) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  size_t used = 0;
  assert_true(info->row_size <= sizeof out->row);
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < CONTRACT_COUNT(contract_keys); i++) {
    const contract_key *key = &contract_keys[i];
    if (key->kind != kind) {
      continue;
    }
    if (!contract_column_is_text(info, key->column)) {
      contract_set_number(info, &out->row, key->column, key->format ? 1 : n + 1);
      continue;
    }
    assert_true(used < CONTRACT_COUNT(out->texts));
    const char *number = strstr(key->format, "%04d");
    int head = number ? (int)(number - key->format) : (int)strlen(key->format);
    if (number) {
      snprintf(out->texts[used], sizeof out->texts[used], "%.*s%04d%s", head, key->format, n, number + 4);
    } else {
      snprintf(out->texts[used], sizeof out->texts[used], "%.*s", head, key->format);
    }
    contract_set_text(info, &out->row, key->column, out->texts[used++]);
  }
  return &out->row;
}

/* The row's key as kecs_record_get takes it: the parts of the address, joined by commas. */
static inline void contract_row_key(const kecs_kind_info *info, const void *row, char *out, size_t size) {
  size_t used = 0;
  for (int i = 0; i < info->address.count; i++) {
    char part[1024];
    bool last = i == info->address.count - 1;
    assert_true(kecs_record_text(info, row, info->address.columns[i], part, sizeof part, NULL));
    for (const char *at = part; *at && used + 3 < size; at++) {
      if (!last && (*at == ',' || *at == '\\')) {
        out[used++] = '\\';
      }
      out[used++] = *at;
    }
    if (!last) {
      out[used++] = ',';
    }
  }
  out[used] = '\0';
  if (info->kind == KECS_KIND_TASK_DEFINITION) { /* its address is a family: the ARN says which revision */
    snprintf(out, size, "%s", contract_get_text(info, row, KECS_TASK_DEFINITION_ARN));
  }
}

/* The stored row of a row that was made or came back. Free the result. */
static inline const void *contract_read_row(kecs_store *store, const kecs_kind_info *info, const void *row,
                                            kecs_result **out_result) {
  char key[4096];
  contract_row_key(info, row, key, sizeof key);
  CONTRACT_OK(kecs_record_get(store, info->kind, key, out_result));
  assert_int_equal(kecs_result_count(*out_result), 1);
  return kecs_record_at(*out_result, info->kind, 0);
}

static inline int64_t contract_count_rows(kecs_store *store, kecs_kind kind) {
  int64_t count = -1;
  CONTRACT_OK(kecs_record_count(store, kind, NULL, &count));
  return count;
}

static inline bool contract_is_utf8(const char *text) {
  for (const unsigned char *at = (const unsigned char *)text; *at;) {
    int more = *at < 0x80 ? 0 : *at < 0xC2 ? -1 : *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : *at < 0xF5 ? 3 : -1;
    unsigned low = *at == 0xE0 ? 0xA0 : *at == 0xF0 ? 0x90 : 0x80;
    unsigned high = *at == 0xED ? 0x9F : *at == 0xF4 ? 0x8F : 0xBF;
    if (more < 0 || (more > 0 && (at[1] < low || at[1] > high))) {
      return false;
    }
    for (int i = 2; i <= more; i++) {
      if ((at[i] & 0xC0) != 0x80) {
        return false;
      }
    }
    at += 1 + more;
  }
  return true;
}

/* Texts that break careless programs: quotes, wildcards, statements, other alphabets, spaces, emptiness. */
static const char *const contract_naughty[] = {
    "plain",
    "",
    "Robert\"); DROP TABLE clusters;--",
    "'; DELETE FROM tasks WHERE '1'='1",
    "100%",
    "100_",
    "100x",
    "%",
    "_",
    "\\",
    "a\\b",
    "a\\%b",
    "''",
    "\"",
    "`",
    "?1",
    "$1",
    ":name",
    "@p1",
    "NULL",
    "null",
    "0",
    "-1",
    "1e308",
    "true",
    " leading",
    "trailing ",
    " ",
    "\t\r\n",
    "line1\nline2",
    "\x01\x02\x1f\x7f",
    "\xef\xbb\xbf" "bom",
    "caf\xc3\xa9",
    "cafe\xcc\x81",
    "CAF\xc3\x89",
    "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
    "\xf0\x9f\x98\x80",
    "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
    "\xe2\x80\xae" "right to left",
    "z\xcc\x81\xcc\x82\xcc\x83",
    "\xf4\x8f\xbf\xbf",
    "\xef\xbf\xbd",
    "/* comment */",
    "-- comment",
    "{\"json\":\"\\u0000\"}",
    "a,b",
    "a,b\\,c",
    "arn:aws:ecs:us-east-1:000000000000:cluster/other",
    "ABC",
    "abc",
    "PlAiN",
};

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
#if defined(CONTRACT_POSTGRES)
  list = list && list[0] ? list : "postgres";
#else
  list = list && list[0] ? list : "memory,file";
#endif
  while (*list) {
    static const char *const known[] = {"memory", "file", "postgres"};
    size_t len = strcspn(list, ",");
    char group[128];
    contract_backend = NULL;
    for (size_t i = 0; i < CONTRACT_COUNT(known); i++) {
      if (strlen(known[i]) == len && strncmp(known[i], list, len) == 0) {
        contract_backend = known[i];
      }
    }
    if (!contract_backend) {
      fprintf(stderr, "KECS_TEST_STORE: \"%.*s\" is not one of memory, file, postgres\n", (int)len, list);
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
