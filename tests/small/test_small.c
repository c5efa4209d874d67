/* The store without the parts that can be left out (FLAGS_small in the Makefile): the rest works, and what was left out
 * says so. */
#include "kecs_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int set_up(void **state) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = ":memory:";
  if (kecs_open(&options, &store)) {
    return -1;
  }
  *state = store;
  return 0;
}

static int tear_down(void **state) {
  return kecs_close(*state) ? -1 : 0;
}

static void left_out(kecs_status status, const char *option) {
  assert_int_equal(status, KECS_E_UNSUPPORTED);
  assert_non_null(strstr(kecs_last_error()->text, option));
}

static void what_is_left_works(void **state) {
  kecs_store *store = *state;
  kecs_result *result = NULL;
  kecs_cluster cluster = {0};
  cluster.name = "edge";
  assert_int_equal(kecs_cluster_create(store, &cluster, NULL), KECS_OK);
  static const char service[] = "{\"serviceName\":\"web\",\"cluster\":\"edge\",\"desiredCount\":2,\"x\":[1]}";
  assert_int_equal(kecs_put_json(store, KECS_KIND_SERVICE, service, SIZE_MAX, 0, NULL), KECS_OK);
  assert_int_equal(kecs_service_get(store, "edge", "web", &result), KECS_OK);
  assert_int_equal(kecs_service_at(result, 0)->desired_count, 2);
  kecs_result_free(result);
}

static void columns_have_names_and_no_meanings(void **state) {
  (void)state;
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK);
  for (int i = 0; i < info->column_count; i++) {
    assert_true(info->columns[i].name[0]);
    assert_string_equal(info->columns[i].meaning, "");
  }
}

static void import_says_that_it_was_left_out(void **state) {
  int64_t put = 7;
  int64_t refused = 7;
  left_out(kecs_import(*state, "{}", 2, NULL, &put, &refused), "KECS_STORE_NO_IMPORT");
  assert_int_equal(put, 0);
  assert_int_equal(refused, 0);
  left_out(kecs_import(*state, "{}", 2, NULL, NULL, NULL), "KECS_STORE_NO_IMPORT");
}

static void validation_says_that_it_was_left_out(void **state) {
  (void)state;
  kecs_cluster cluster = {0};
  cluster.name = "edge";
  static const char option[] = "KECS_STORE_NO_VALIDATION";
  left_out(kecs_validate(KECS_KIND_CLUSTER, &cluster), option);
  left_out(kecs_validate_cluster_name("edge"), option);
  left_out(kecs_validate_account_id("123456789012"), option);
  left_out(kecs_validate_cluster_settings("[]"), option);
  left_out(kecs_validate_capacity_strategy("[]", "[]"), option);
  left_out(kecs_validate_fargate_size("256", "512"), option);
  left_out(kecs_validate_priority(1), option);
}

static void a_strict_store_is_not_opened(void **state) {
  (void)state;
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = ":memory:";
  options.strict = true;
  left_out(kecs_open(&options, &store), "KECS_STORE_NO_VALIDATION");
  assert_null(store);
}

static void history_says_that_it_was_left_out(void **state) {
  kecs_result *result = NULL;
  kecs_store *none = NULL;
  kecs_history_info info;
  kecs_options options = {0};
  left_out(kecs_history(*state, KECS_KIND_CLUSTER, "edge", NULL, &result), "KECS_STORE_NO_HISTORY");
  left_out(kecs_get_at(*state, KECS_KIND_CLUSTER, "edge", 1, 0, &result), "KECS_STORE_NO_HISTORY");
  left_out(kecs_diff(*state, KECS_KIND_CLUSTER, "edge", 0, 0, 0, &result), "KECS_STORE_NO_HISTORY");
  assert_null(kecs_history_at(NULL, 0));
  assert_null(kecs_diff_at(NULL, 0));
  assert_int_equal(kecs_set_actor(*state, "me", "why"), KECS_OK);
  assert_int_equal(kecs_history_describe(*state, &info), KECS_OK);
  assert_int_equal(info.kinds, 0);
  options.path = ":memory:";
  options.track = KECS_TRACK_ON;
  options.history.track = KECS_TRACK_ON;
  left_out(kecs_open(&options, &none), "KECS_STORE_NO_HISTORY");
  options.history.track = KECS_TRACK_KEEP;
  assert_int_equal(kecs_open(&options, &none), KECS_OK);
  kecs_cluster cluster = {.name = "edge"};
  assert_int_equal(kecs_cluster_create(none, &cluster, NULL), KECS_OK);
  assert_int_equal(kecs_cluster_delete(none, "edge"), KECS_OK);
  assert_int_equal(kecs_changes_compact(none, NULL, NULL), KECS_OK);
  assert_int_equal(kecs_close(none), KECS_OK);
}

static kecs_status visit_none(const kecs_pending *pending, void *user) {
  (void)pending;
  (void)user;
  return KECS_OK;
}

static void watches_say_that_they_were_left_out(void **state) {
  static const char option[] = "KECS_STORE_NO_WATCH";
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  kecs_informer informer = {0};
  left_out(kecs_watch_open(*state, NULL, &watch), option);
  assert_null(watch);
  left_out(kecs_watch_next(watch, 0, &change), option);
  assert_null(change);
  assert_int_equal(kecs_watch_seq(watch), 0);
  kecs_watch_close(watch);
  left_out(kecs_informer_run(*state, KECS_KIND_CLUSTER, NULL, 0, 0, &informer), option);
  left_out(kecs_changes_pending(*state, KECS_KIND_CLUSTER, 0, visit_none, NULL), option);
  left_out(kecs_replica_open(*state, 0, NULL), option);
  assert_int_equal(kecs_replica_kinds(*state), 0);
  left_out(kecs_replica_pending(*state, NULL, 1, NULL, NULL, NULL, NULL), option);
  left_out(kecs_replica_find(*state, NULL, KECS_KIND_CLUSTER, "edge", NULL, NULL), option);
  left_out(kecs_replica_merge(*state, NULL, NULL, NULL), option);
  left_out(kecs_replica_made(*state, NULL), option);
  assert_non_null(kecs_replica_allocator(*state));
  left_out(kecs_replica_durable(*state, true), option);
  left_out(kecs_replica_sql(*state, "SELECT 1", NULL, 0, 0, NULL, NULL), option);
}

static void no_other_backend_is_taken(void **state) {
  (void)state;
  static const kecs_backend *const backends[] = {NULL};
  kecs_options options = {.path = ":memory:", .backends = backends};
  kecs_store *store = NULL;
  left_out(kecs_open(&options, &store), "KECS_STORE_SQLITE_ONLY");
  assert_null(store);
}

static void rows_are_upserted_together(void **state) {
  kecs_cluster rows[2] = {{.name = "one"}, {.name = "two"}};
  int64_t count = 0;
  assert_int_equal(kecs_cluster_upsert_many(*state, rows, 2, NULL), KECS_OK);
  rows[1].status = "INACTIVE";
  assert_int_equal(kecs_cluster_upsert_many(*state, rows, 2, NULL), KECS_OK);
  assert_int_equal(kecs_cluster_count(*state, NULL, &count), KECS_OK);
  assert_int_equal(count, 2);
}

static void a_row_cache_is_not_made(void **state) {
  (void)state;
  kecs_options options = {.path = ":memory:", .row_cache = {.entries = 10}};
  kecs_store *store = NULL;
  left_out(kecs_open(&options, &store), "KECS_STORE_NO_CACHE");
  assert_null(store);
}

/* A file whose history others keep: what this build wrote would be missing there. */
static void a_file_with_a_history_is_not_written(void **state) {
  (void)state;
  char path[] = "/tmp/kecs_small_XXXXXX";
  sqlite3 *db = NULL;
  kecs_store *store = NULL;
  kecs_cluster cluster = {.name = "edge"};
  kecs_options options = {.path = path, .track = KECS_TRACK_ON};
  int file = mkstemp(path);
  assert_true(file >= 0);
  close(file);
  assert_int_equal(kecs_open(&options, &store), KECS_OK);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "INSERT INTO change_state(id,value) VALUES(4,2)", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  left_out(kecs_cluster_create(store, &cluster, NULL), "KECS_STORE_NO_HISTORY");
  assert_int_equal(kecs_close(store), KECS_OK);
  options.track = KECS_TRACK_OFF; /* and the history with it */
  assert_int_equal(kecs_open(&options, &store), KECS_OK);
  assert_int_equal(kecs_close(store), KECS_OK);
  options.track = KECS_TRACK_ON;
  assert_int_equal(kecs_open(&options, &store), KECS_OK);
  assert_int_equal(kecs_cluster_create(store, &cluster, NULL), KECS_OK);
  assert_int_equal(kecs_close(store), KECS_OK);
  unlink(path);
  char other[64];
  snprintf(other, sizeof other, "%s-wal", path);
  unlink(other);
  snprintf(other, sizeof other, "%s-shm", path);
  unlink(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_left_works, set_up, tear_down),
      cmocka_unit_test(columns_have_names_and_no_meanings),
      cmocka_unit_test_setup_teardown(import_says_that_it_was_left_out, set_up, tear_down),
      cmocka_unit_test(validation_says_that_it_was_left_out),
      cmocka_unit_test(a_strict_store_is_not_opened),
      cmocka_unit_test_setup_teardown(watches_say_that_they_were_left_out, set_up, tear_down),
      cmocka_unit_test(a_row_cache_is_not_made),
      cmocka_unit_test(no_other_backend_is_taken),
      cmocka_unit_test_setup_teardown(rows_are_upserted_together, set_up, tear_down),
      cmocka_unit_test_setup_teardown(history_says_that_it_was_left_out, set_up, tear_down),
      cmocka_unit_test(a_file_with_a_history_is_not_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
