/* test_errors.c -- wrong arguments, busy files, read-only stores, and what kecs_last_error says of them. */
#include "contract.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* A NULL or a handle that is none: MISUSE or INVALID, with a line that says what. */
#define REFUSED(call) check_refused((call), #call, __LINE__)

static void check_refused(kecs_status status, const char *call, int line) {
  const kecs_error *error = kecs_last_error();
  if ((status != KECS_E_MISUSE && status != KECS_E_INVALID) || error->status != status || !error->text[0] ||
      strpbrk(error->text, "\r\n")) {
    print_error("%s\n  gave %s: %s\n", call, kecs_status_name(status), error->text);
    _fail(__FILE__, line);
  }
}

/* ---- NULL ---- */

static kecs_status visit_nothing(const void *row, void *user) {
  (void)row;
  (void)user;
  return KECS_OK;
}

static void null_stores(void **state) {
  (void)state;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row made;
    void *row = contract_make_row(info->kind, 0, &made);
    kecs_result *result = (kecs_result *)&made;
    int64_t count = 0;
    REFUSED(kecs_record_create(NULL, info->kind, row, &result));
    assert_null(result);
    REFUSED(kecs_record_get(NULL, info->kind, "x", &result));
    REFUSED(kecs_record_list(NULL, info->kind, NULL, &result));
    REFUSED(kecs_record_each(NULL, info->kind, NULL, visit_nothing, NULL));
    REFUSED(kecs_record_count(NULL, info->kind, NULL, &count));
    REFUSED(kecs_record_update(NULL, info->kind, row, UINT64_MAX, &result));
    REFUSED(kecs_record_upsert(NULL, info->kind, row, &result));
    REFUSED(kecs_record_delete(NULL, info->kind, "x"));
    REFUSED(kecs_put_json(NULL, info->kind, "{}", 2, 0, &result));
    const char *text = NULL;
    REFUSED(kecs_get_json(NULL, info->kind, "x", 0, &result, &text));
    kecs_assignment assignment = {"name", "x"};
    REFUSED(kecs_record_assign(NULL, info->kind, "x", &assignment, 1, 0, &result));
  }
}

static void null_stores_of_operations(void **state) {
  (void)state;
  kecs_result *result = NULL;
  int64_t count = 0;
  bool created = false;
  kecs_cluster cluster = {.name = "x"};
  kecs_task_definition definition = {.family = "x", .container_definitions = "[]"};
  kecs_task_filter tasks = {0};
  kecs_log_filter logs = {0};
  REFUSED(kecs_cluster_ensure(NULL, &cluster, &created, &result));
  REFUSED(kecs_cluster_delete_idle(NULL, "x"));
  REFUSED(kecs_task_definition_register(NULL, &definition, &result));
  REFUSED(kecs_task_definition_latest(NULL, "x", &result));
  REFUSED(kecs_task_definition_deregister(NULL, "x", &result));
  REFUSED(kecs_task_definition_families(NULL, NULL, &result));
  REFUSED(kecs_task_definition_revisions(NULL, "x", NULL, 0, NULL, &result));
  REFUSED(kecs_service_delete_marked(NULL, NULL, 1, &count));
  REFUSED(kecs_task_find(NULL, &tasks, NULL, &result));
  REFUSED(kecs_task_delete_older(NULL, NULL, 1, NULL, &count));
  REFUSED(kecs_task_set_update_primary(NULL, "x", "y", &result));
  REFUSED(kecs_task_set_delete_orphaned(NULL, "x", &count));
  REFUSED(kecs_container_instance_search(NULL, NULL, "x", NULL, &result));
  REFUSED(kecs_container_instance_deregister(NULL, "x", "y", &result));
  REFUSED(kecs_container_instance_delete_stale(NULL, NULL, 1, &count));
  REFUSED(kecs_attribute_put(NULL, NULL, 0));
  REFUSED(kecs_attribute_remove(NULL, "x", NULL, 0));
  REFUSED(kecs_account_setting_get_default(NULL, "x", &result));
  REFUSED(kecs_account_setting_set_default(NULL, "x", "y", &result));
  REFUSED(kecs_account_setting_effective(NULL, "x", NULL, &result));
  REFUSED(kecs_task_log_find(NULL, &logs, false, 0, NULL, &result));
  REFUSED(kecs_task_log_count_matching(NULL, &logs, &count));
  REFUSED(kecs_task_log_delete_older(NULL, 1, &count));
  REFUSED(kecs_task_log_delete_task(NULL, "x", &count));
  REFUSED(kecs_event_prune(NULL, 1, &count));
  REFUSED(kecs_node_heartbeat(NULL, "x", 0));
  REFUSED(kecs_node_mark_stale(NULL, 1, &count));
  REFUSED(kecs_node_available(NULL, &result));
  REFUSED(kecs_node_prune(NULL, 1, &count));
  REFUSED(kecs_node_task_prune(NULL, 1, &count));
  REFUSED(kecs_rule_set_priorities(NULL, NULL, 0));
  REFUSED(kecs_rule_check_priority(NULL, "x", 1, NULL));
  REFUSED(kecs_rule_next_priority(NULL, "x", KECS_RULE_BAND_GENERAL, &count));
  REFUSED(kecs_target_register(NULL, "x", NULL, 0));
  REFUSED(kecs_target_deregister(NULL, "x", NULL, 0, &count));
  REFUSED(kecs_target_update_health(NULL, "x", "y", 0, "healthy", NULL, NULL));
  REFUSED(kecs_target_group_associate(NULL, "x", "y"));
  REFUSED(kecs_target_group_disassociate(NULL, "x", "y"));
  REFUSED(kecs_target_group_load_balancers(NULL, "x", &result));
  REFUSED(kecs_load_balancer_target_groups(NULL, "x", &result));
  REFUSED(kecs_tags_add(NULL, "x", NULL, 0));
  REFUSED(kecs_tags_remove(NULL, "x", NULL, 0));
  REFUSED(kecs_tags_describe(NULL, NULL, 0, &result));
  REFUSED(kecs_import(NULL, "{}", 2, NULL, &count, &count));
}

static void null_handles_of_stores(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *none = NULL;
  kecs_info info;
  kecs_options options = {.path = ":memory:"};
  REFUSED(kecs_open(NULL, &none));
  assert_null(none);
  REFUSED(kecs_open(&options, NULL));
  REFUSED(kecs_store_info(NULL, &info));
  REFUSED(kecs_store_info(store, NULL));
  REFUSED(kecs_begin(NULL, &none));
  REFUSED(kecs_begin(store, NULL));
  REFUSED(kecs_commit(NULL));
  REFUSED(kecs_set_deadline(NULL, 1));
  REFUSED(kecs_set_cancelled(NULL, true));
  CONTRACT_OK(kecs_close(NULL));
  CONTRACT_OK(kecs_rollback(NULL));
  contract_close(store);
}

static void null_arguments_of_rows(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_result *result = (kecs_result *)&kind;
    const char *text = NULL;
    kecs_filter filter;
    kecs_assignment unnamed = {NULL, "x"};
    REFUSED(kecs_record_create(store, info->kind, NULL, &result));
    assert_null(result);
    REFUSED(kecs_record_get(store, info->kind, NULL, &result));
    REFUSED(kecs_record_get(store, info->kind, "", &result));
    REFUSED(kecs_record_get(store, info->kind, "x", NULL));
    REFUSED(kecs_record_list(store, info->kind, NULL, NULL));
    REFUSED(kecs_record_each(store, info->kind, NULL, NULL, NULL));
    REFUSED(kecs_record_count(store, info->kind, NULL, NULL));
    REFUSED(kecs_record_delete(store, info->kind, NULL));
    REFUSED(kecs_put_json(store, info->kind, NULL, 0, 0, &result));
    REFUSED(kecs_get_json(store, info->kind, NULL, 0, &result, &text));
    REFUSED(kecs_get_json(store, info->kind, "x", 0, NULL, &text));
    REFUSED(kecs_get_json(store, info->kind, "x", 0, &result, NULL));
    REFUSED(kecs_filter_parse(info->kind, NULL, KECS_EQ, "x", &filter));
    REFUSED(kecs_filter_parse(info->kind, "id", KECS_EQ, "x", NULL));
    if (!(info->flags & KECS_KIND_APPEND)) {
      contract_row made;
      char key[1024];
      void *row = contract_make_row(info->kind, 1, &made);
      CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
      contract_row_key(info, row, key, sizeof key);
      REFUSED(kecs_record_update(store, info->kind, NULL, UINT64_MAX, NULL));
      REFUSED(kecs_record_upsert(store, info->kind, NULL, NULL));
      REFUSED(kecs_record_assign(store, info->kind, key, &unnamed, 1, 0, NULL));
      REFUSED(kecs_record_assign(store, info->kind, key, NULL, 1, 0, NULL));
      REFUSED(kecs_record_assign(store, info->kind, NULL, NULL, 0, 0, NULL));
    }
  }
  contract_close(store);
}

static void null_arguments_of_typed_functions(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  int64_t count = 0;
  REFUSED(kecs_cluster_create(store, NULL, &result));
  REFUSED(kecs_cluster_create_many(store, NULL, 1, &result));
  REFUSED(kecs_cluster_get(store, NULL, &result));
  REFUSED(kecs_cluster_get(store, "", &result));
  REFUSED(kecs_cluster_get(store, "x", NULL));
  REFUSED(kecs_cluster_get_many(store, NULL, 1, &result));
  REFUSED(kecs_cluster_get_many(store, NULL, 0, NULL));
  REFUSED(kecs_cluster_list(store, NULL, NULL));
  REFUSED(kecs_cluster_each(store, NULL, NULL, NULL));
  REFUSED(kecs_cluster_count(store, NULL, NULL));
  REFUSED(kecs_cluster_update(store, NULL, &result));
  REFUSED(kecs_cluster_update_fields(store, NULL, 0, &result));
  REFUSED(kecs_cluster_upsert(store, NULL, &result));
  REFUSED(kecs_cluster_delete(store, NULL));
  REFUSED(kecs_cluster_delete(store, ""));
  REFUSED(kecs_service_get(store, "x", NULL, &result));
  REFUSED(kecs_task_get(store, NULL, NULL, &result));
  REFUSED(kecs_task_set_get(store, NULL, "x", &result));
  REFUSED(kecs_attribute_get(store, NULL, NULL, NULL, NULL, &result));
  REFUSED(kecs_account_setting_get(store, NULL, "x", &result));
  REFUSED(kecs_target_get(store, NULL, "x", 0, &result));
  REFUSED(kecs_tag_get(store, NULL, "x", &result));
  static const char *const holes[] = {"x", NULL};
  REFUSED(kecs_cluster_get_many(store, holes, 2, &result));
  CONTRACT_OK(kecs_cluster_count(store, NULL, &count));
  contract_close(store);
}

static void null_arguments_of_operations(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  int64_t count = 0;
  int64_t number = 0;
  REFUSED(kecs_cluster_ensure(store, NULL, NULL, &result));
  REFUSED(kecs_cluster_delete_idle(store, NULL));
  REFUSED(kecs_task_definition_register(store, NULL, &result));
  REFUSED(kecs_task_definition_latest(store, NULL, &result));
  REFUSED(kecs_task_definition_latest(store, "x", NULL));
  REFUSED(kecs_task_definition_deregister(store, NULL, &result));
  REFUSED(kecs_task_definition_families(store, NULL, NULL));
  REFUSED(kecs_task_definition_revisions(store, NULL, NULL, 0, NULL, &result));
  REFUSED(kecs_task_definition_revisions(store, "x", NULL, 0, NULL, NULL));
  REFUSED(kecs_task_find(store, NULL, NULL, NULL));
  REFUSED(kecs_task_set_update_primary(store, NULL, "y", &result));
  REFUSED(kecs_task_set_update_primary(store, "x", NULL, &result));
  REFUSED(kecs_container_instance_search(store, NULL, "x", NULL, NULL));
  REFUSED(kecs_container_instance_deregister(store, "x", NULL, &result));
  REFUSED(kecs_attribute_put(store, NULL, 1));
  REFUSED(kecs_attribute_remove(store, "x", NULL, 1));
  REFUSED(kecs_account_setting_get_default(store, NULL, &result));
  REFUSED(kecs_account_setting_get_default(store, "x", NULL));
  REFUSED(kecs_account_setting_set_default(store, NULL, "y", &result));
  REFUSED(kecs_account_setting_effective(store, NULL, NULL, &result));
  REFUSED(kecs_account_setting_effective(store, "x", NULL, NULL));
  REFUSED(kecs_task_log_find(store, NULL, false, 0, NULL, NULL));
  REFUSED(kecs_task_log_count_matching(store, NULL, NULL));
  REFUSED(kecs_task_log_delete_task(store, NULL, &count));
  REFUSED(kecs_node_heartbeat(store, NULL, 0));
  REFUSED(kecs_node_available(store, NULL));
  REFUSED(kecs_rule_set_priorities(store, NULL, 1));
  REFUSED(kecs_rule_check_priority(store, NULL, 1, NULL));
  REFUSED(kecs_rule_next_priority(store, NULL, KECS_RULE_BAND_GENERAL, &number));
  REFUSED(kecs_rule_next_priority(store, "x", KECS_RULE_BAND_GENERAL, NULL));
  REFUSED(kecs_target_register(store, NULL, NULL, 1));
  REFUSED(kecs_target_register(store, "x", NULL, 1));
  REFUSED(kecs_target_deregister(store, NULL, NULL, 1, &count));
  REFUSED(kecs_target_deregister(store, "x", NULL, 1, &count));
  REFUSED(kecs_target_update_health(store, NULL, "y", 0, "healthy", NULL, NULL));
  REFUSED(kecs_target_update_health(store, "x", NULL, 0, "healthy", NULL, NULL));
  REFUSED(kecs_target_group_associate(store, NULL, "y"));
  REFUSED(kecs_target_group_associate(store, "x", NULL));
  REFUSED(kecs_target_group_disassociate(store, "x", NULL));
  REFUSED(kecs_target_group_load_balancers(store, NULL, &result));
  REFUSED(kecs_load_balancer_target_groups(store, "x", NULL));
  REFUSED(kecs_tags_add(store, NULL, NULL, 0));
  REFUSED(kecs_tags_add(store, "x", NULL, 1));
  REFUSED(kecs_tags_remove(store, "x", NULL, 1));
  REFUSED(kecs_tags_describe(store, NULL, 1, &result));
  REFUSED(kecs_tags_describe(store, NULL, 0, NULL));
  REFUSED(kecs_import(store, NULL, 2, NULL, &count, &count));
  contract_close(store);
}

static void null_arguments_of_helpers(void **state) {
  (void)state;
  int64_t number = 0;
  char text[8];
  const char *json = NULL;
  kecs_cluster row = {.name = "x"};
  REFUSED(kecs_json_check(NULL, 1));
  (void)kecs_cpu_parse(NULL, &number); /* whatever NULL is taken for */
  (void)kecs_memory_parse(NULL, &number);
  REFUSED(kecs_cpu_parse("1", NULL));
  REFUSED(kecs_memory_parse("1", NULL));
  REFUSED(kecs_validate(KECS_KIND_CLUSTER, NULL));
  REFUSED(kecs_validate((kecs_kind)0, &row));
  REFUSED(kecs_validate_cluster_name(NULL));
  REFUSED(kecs_validate_account_id(NULL));
  REFUSED(kecs_validate_fargate_size(NULL, NULL));
  REFUSED(kecs_record_json(NULL, kecs_kind_describe(KECS_KIND_CLUSTER), &row, 0, &json));
  kecs_cpu_format(1, text, sizeof text);
  kecs_memory_format(1, NULL, 0);
  assert_null(kecs_kind_find(NULL));
  CONTRACT_NUMBER(kecs_column_find(NULL, "x"), -1);
  CONTRACT_NUMBER(kecs_column_find(kecs_kind_describe(KECS_KIND_CLUSTER), NULL), -1);
}

static void kinds_that_are_none(void **state) {
  (void)state;
  static const int kinds[] = {0, -1, KECS_KIND_COUNT, 1000000};
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(kinds); i++) {
    contract_row row;
    kecs_result *result = (kecs_result *)&row;
    int64_t count = 0;
    const char *text = NULL;
    kecs_kind kind = (kecs_kind)kinds[i];
    memset(&row, 0, sizeof row);
    REFUSED(kecs_record_create(store, kind, &row, &result));
    assert_null(result);
    REFUSED(kecs_record_get(store, kind, "x", &result));
    REFUSED(kecs_record_list(store, kind, NULL, &result));
    REFUSED(kecs_record_each(store, kind, NULL, visit_nothing, NULL));
    REFUSED(kecs_record_count(store, kind, NULL, &count));
    REFUSED(kecs_record_update(store, kind, &row, 0, &result));
    REFUSED(kecs_record_upsert(store, kind, &row, &result));
    REFUSED(kecs_record_delete(store, kind, "x"));
    REFUSED(kecs_put_json(store, kind, "{}", 2, 0, &result));
    REFUSED(kecs_get_json(store, kind, "x", 0, &result, &text));
    assert_null(kecs_record_at(NULL, kind, 0));
  }
  contract_close(store);
}

/* ---- the last error ---- */

static void codes_have_names_texts_and_classes(void **state) {
  (void)state;
#define STATUS_ROW(name, value, class_name, text) {KECS_##name, KECS_CLASS_##class_name, "KECS_" #name, text},
  static const struct {
    kecs_status status;
    kecs_class status_class;
    const char *name;
    const char *text;
  } rows[] = {{KECS_OK, KECS_CLASS_OK, "KECS_OK", NULL}, KECS_STATUS_MAP(STATUS_ROW)};
#undef STATUS_ROW
  for (size_t i = 0; i < CONTRACT_COUNT(rows); i++) {
    CONTRACT_TEXT(kecs_status_name(rows[i].status), rows[i].name);
    CONTRACT_NUMBER(kecs_status_class(rows[i].status), rows[i].status_class);
    if (rows[i].text) {
      CONTRACT_TEXT(kecs_status_text(rows[i].status), rows[i].text);
    }
  }
  static const int unknown[] = {1, -10, -1000, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < CONTRACT_COUNT(unknown); i++) {
    CONTRACT_TEXT(kecs_status_text((kecs_status)unknown[i]), "unknown status");
    CONTRACT_NUMBER(kecs_status_class((kecs_status)unknown[i]), KECS_CLASS_MISUSE);
    assert_non_null(kecs_status_name((kecs_status)unknown[i]));
  }
  CONTRACT_TEXT(kecs_version(), KECS_STORE_VERSION);
  assert_non_null(strstr(kecs_build_info(), KECS_STORE_VERSION));
  assert_null(strpbrk(kecs_build_info(), "\r\n"));
}

typedef struct other_thread {
  kecs_store *store;
  kecs_status status_before;
  kecs_status status_after;
  char text[512];
} other_thread;

static void *fail_elsewhere(void *user) {
  other_thread *one = user;
  kecs_result *result = NULL;
  one->status_before = kecs_last_error()->status;
  (void)kecs_cluster_get(one->store, "elsewhere", &result);
  one->status_after = kecs_last_error()->status;
  snprintf(one->text, sizeof one->text, "%s", kecs_last_error()->text);
  return NULL;
}

static void the_last_error_is_the_threads_own(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster nameless = {0};
  other_thread other = {store, KECS_E_MISUSE, KECS_OK, ""};
  pthread_t thread;
  CONTRACT_FAILS(kecs_cluster_create(store, &nameless, NULL), KECS_E_INVALID);
  const kecs_error *error = kecs_last_error();
  char text[512];
  snprintf(text, sizeof text, "%s", error->text);
  assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &other), 0);
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(other.status_before, KECS_OK);
  CONTRACT_NUMBER(other.status_after, KECS_E_NOT_FOUND);
  assert_non_null(strstr(other.text, "elsewhere"));
  assert_ptr_equal(kecs_last_error(), error);
  CONTRACT_NUMBER(error->status, KECS_E_INVALID);
  CONTRACT_TEXT(error->text, text);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0); /* a success leaves it as it is */
  CONTRACT_TEXT(error->text, text);
  contract_close(store);
  CONTRACT_NUMBER(error->status, KECS_E_INVALID);
}

/* Whatever a name holds, the line is one line, printable, valid UTF-8 to its end, and names the thing. */
static void texts_are_one_line_whatever_is_named(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(contract_naughty); i++) {
    kecs_result *result = NULL;
    if (contract_naughty[i][0]) {
      CONTRACT_FAILS(kecs_cluster_get(store, contract_naughty[i], &result), KECS_E_NOT_FOUND);
      for (const char *at = kecs_last_error()->text; *at; at++) {
        assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
      }
    }
  }
  contract_close(store);
}

/* A name that is too long for the line is cut between two letters. */
static void long_names_are_cut_between_letters(void **state) {
  (void)state;
  static const char *const letters[] = {"a", "\xc3\xa4", "\xe6\x97\xa5", "\xf0\x9f\x98\x80"};
  kecs_store *store = contract_open();
  for (size_t l = 0; l < CONTRACT_COUNT(letters); l++) {
    for (size_t shift = 0; shift < 8; shift++) {
      char name[1200] = "arn:aws:ecs:us-east-1:000000000000:cluster/";
      char path[1200];
      memset(name + strlen(name), 'x', shift);
      for (size_t used = strlen(name); used < 1100; used += strlen(letters[l])) {
        memcpy(name + used, letters[l], strlen(letters[l]) + 1);
      }
      kecs_cluster cluster = {.name = name, .arn = name, .id = name};
      kecs_service service = {.name = name, .cluster_arn = name + 1};
      kecs_options options = {.path = path, .must_exist = true};
      kecs_result *result = NULL;
      kecs_store *none = NULL;
      snprintf(path, sizeof path, "/nowhere/%s", name + 43);
      CONTRACT_FAILS(kecs_cluster_get(store, name, &result), KECS_E_NOT_FOUND);
      assert_true(contract_is_utf8(kecs_last_error()->text));
      CONTRACT_FAILS(kecs_service_create(store, &service, NULL), KECS_E_REFERENCE);
      assert_true(contract_is_utf8(kecs_last_error()->text));
      CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
      CONTRACT_FAILS(kecs_cluster_create(store, &cluster, NULL), KECS_E_EXISTS);
      assert_true(contract_is_utf8(kecs_last_error()->text));
      assert_true(kecs_open(&options, &none) != KECS_OK);
      assert_true(contract_is_utf8(kecs_last_error()->text));
    }
  }
  contract_close(store);
}

static void exists_and_constraint_errors_carry_native_codes(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster cluster = {.name = "web"};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  CONTRACT_FAILS(kecs_cluster_create(store, &cluster, NULL), KECS_E_EXISTS);
  if (contract_is_sqlite()) {
    CONTRACT_NUMBER(kecs_last_error()->native_code & 0xff, 19); /* SQLITE_CONSTRAINT */
  } else {
    CONTRACT_TEXT(kecs_last_error()->sqlstate, "23505");
  }
  contract_close(store);
}

/* ---- busy ---- */

/* Another process that holds the write lock of a store until it is told to stop. */
typedef struct holder {
  pid_t pid;
  int stop[2];
  int ready[2];
} holder;

static void hold_lock(const char *path, const holder *one) {
  kecs_options options = {.path = path};
  kecs_store *store = NULL;
  kecs_store *tx = NULL;
  char byte = 'r';
  close(one->stop[1]);
  if (kecs_open(&options, &store) || kecs_begin(store, &tx)) {
    byte = 'e';
  }
  if (write(one->ready[1], &byte, 1) != 1 || read(one->stop[0], &byte, 1) < 0) {
    _exit(1);
  }
  if (kecs_rollback(tx) || kecs_close(store)) {
    _exit(1);
  }
  _exit(0);
}

/* The child is forked before the parent opens the file: SQLite's handles do not cross a fork. */
static void hold_start(const char *path, holder *one) {
  char byte = 0;
  assert_int_equal(pipe(one->stop), 0);
  assert_int_equal(pipe(one->ready), 0);
  one->pid = fork();
  assert_true(one->pid >= 0);
  if (one->pid == 0) {
    hold_lock(path, one);
  }
  close(one->stop[0]);
  close(one->ready[1]);
  assert_int_equal(read(one->ready[0], &byte, 1), 1);
  assert_int_equal(byte, 'r');
}

static void hold_end(holder *one) {
  int status = -1;
  close(one->stop[1]);
  close(one->ready[0]);
  assert_int_equal(waitpid(one->pid, &status, 0), one->pid);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *end_soon(void *user) {
  usleep(300000);
  close(((holder *)user)->stop[1]);
  return NULL;
}

static void another_process_holds_the_lock(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *path = contract_file("shared.db");
  holder other;
  pthread_t thread;
  kecs_store *store = NULL;
  kecs_store *tx = NULL;
  kecs_cluster cluster = {.name = "web"};
  hold_start(path, &other);
  kecs_options options = {.path = path, .busy_timeout_ms = 200};
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_FAILS(kecs_cluster_create(store, &cluster, NULL), KECS_E_BUSY);
  CONTRACT_SAYS("busy_timeout_ms");
  assert_true(kecs_last_error()->native_code != 0);
  CONTRACT_FAILS(kecs_begin(store, &tx), KECS_E_BUSY);
  assert_null(tx);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0); /* reading goes on */
  CONTRACT_NUMBER(kecs_status_class(KECS_E_BUSY), KECS_CLASS_RETRY);
  CONTRACT_OK(kecs_close(store));

  options.busy_timeout_ms = -1; /* not at all */
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_FAILS(kecs_cluster_create(store, &cluster, NULL), KECS_E_BUSY);
  CONTRACT_OK(kecs_close(store));

  options.busy_timeout_ms = 60000;
  CONTRACT_OK(kecs_open(&options, &store));
  assert_int_equal(pthread_create(&thread, NULL, end_soon, &other), 0);
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL)); /* the lock is given back while it waits */
  pthread_join(thread, NULL);
  other.stop[1] = -1;
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  CONTRACT_OK(kecs_close(store));
  hold_end(&other);
}

static void two_stores_on_one_file(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.path = contract_file("shared.db"), .busy_timeout_ms = 1000};
  kecs_store *first = contract_open_with(&options);
  kecs_store *second = contract_open_with(&options);
  kecs_store *tx = NULL;
  kecs_cluster one = {.name = "one"};
  kecs_cluster two = {.name = "two"};
  CONTRACT_OK(kecs_begin(first, &tx));
  CONTRACT_OK(kecs_cluster_create(tx, &one, NULL));
  CONTRACT_FAILS(kecs_cluster_create(second, &two, NULL), KECS_E_BUSY);
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_OK(kecs_cluster_create(second, &two, NULL)); /* the handle is as good as before */
  CONTRACT_NUMBER(contract_count_rows(first, KECS_KIND_CLUSTER), 2);
  contract_close(first);
  CONTRACT_NUMBER(contract_count_rows(second, KECS_KIND_CLUSTER), 2);
  contract_close(second);
}

static void *rollback_soon(void *user) {
  usleep(200000);
  return kecs_rollback(user) ? user : NULL;
}

/* A negative busy timeout does not wait, though the lock would be free soon. */
static void no_patience_at_all(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.path = contract_file("shared.db"), .busy_timeout_ms = -1};
  kecs_store *first = contract_open_with(&options);
  kecs_store *other = contract_open_with(&options);
  kecs_store *tx = NULL;
  pthread_t thread;
  kecs_cluster cluster = {.name = "web"};
  void *failed = NULL;
  CONTRACT_OK(kecs_begin(first, &tx));
  assert_int_equal(pthread_create(&thread, NULL, rollback_soon, tx), 0);
  CONTRACT_FAILS(kecs_cluster_create(other, &cluster, NULL), KECS_E_BUSY);
  pthread_join(thread, &failed);
  assert_null(failed);
  CONTRACT_OK(kecs_cluster_create(other, &cluster, NULL));
  contract_close(other);
  contract_close(first);
}

/* ---- read-only ---- */

static void a_read_only_store_reads_only(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = contract_open();
  contract_parents(store);
  kecs_options options = {.read_only = true};
  kecs_store *reader = contract_open_again(store, &options);
  kecs_store *tx = store;
  kecs_info info;
  int64_t count = 0;
  CONTRACT_OK(kecs_store_info(reader, &info));
  assert_true(info.read_only);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *kind_info = kecs_kind_describe((kecs_kind)kind);
    contract_row made;
    void *row = contract_make_row(kind_info->kind, 1, &made);
    kecs_result *result = NULL;
    char key[1024];
    contract_row_key(kind_info, row, key, sizeof key);
    CONTRACT_FAILS(kecs_record_create(reader, kind_info->kind, row, &result), KECS_E_READONLY);
    CONTRACT_SAYS("reading only");
    CONTRACT_FAILS(kecs_record_delete(reader, kind_info->kind, key), KECS_E_READONLY);
    CONTRACT_FAILS(kecs_put_json(reader, kind_info->kind, "{}", 2, 0, &result), KECS_E_READONLY);
    if (!(kind_info->flags & KECS_KIND_APPEND)) {
      CONTRACT_FAILS(kecs_record_update(reader, kind_info->kind, row, UINT64_MAX, &result), KECS_E_READONLY);
      CONTRACT_FAILS(kecs_record_upsert(reader, kind_info->kind, row, &result), KECS_E_READONLY);
    }
    CONTRACT_NUMBER(contract_count_rows(reader, kind_info->kind), contract_count_rows(store, kind_info->kind));
  }
  CONTRACT_FAILS(kecs_begin(reader, &tx), KECS_E_READONLY);
  assert_null(tx);
  CONTRACT_FAILS(kecs_event_prune(reader, 1, &count), KECS_E_READONLY);
  kecs_cluster cluster = {.name = "new"};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  CONTRACT_NUMBER(contract_count_rows(reader, KECS_KIND_CLUSTER), 2);
  contract_close(reader);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(null_stores),
    CONTRACT_TEST(null_stores_of_operations),
    CONTRACT_TEST(null_handles_of_stores),
    CONTRACT_TEST(null_arguments_of_rows),
    CONTRACT_TEST(null_arguments_of_typed_functions),
    CONTRACT_TEST(null_arguments_of_operations),
    CONTRACT_TEST(null_arguments_of_helpers),
    CONTRACT_TEST(kinds_that_are_none),
    CONTRACT_TEST(codes_have_names_texts_and_classes),
    CONTRACT_TEST(the_last_error_is_the_threads_own),
    CONTRACT_TEST(texts_are_one_line_whatever_is_named),
    CONTRACT_TEST(long_names_are_cut_between_letters),
    CONTRACT_TEST(exists_and_constraint_errors_carry_native_codes),
    CONTRACT_TEST(another_process_holds_the_lock),
    CONTRACT_TEST(two_stores_on_one_file),
    CONTRACT_TEST(no_patience_at_all),
    CONTRACT_TEST(a_read_only_store_reads_only),
};

CONTRACT_MAIN("errors", tests)
