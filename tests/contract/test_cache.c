/* test_cache.c -- the row cache: what it answers, what makes it forget, and that no answer is older than it may be. */
#include "contract.h"

#include <pthread.h>
#include <sys/wait.h>

static kecs_cache_info cache_of(kecs_store *store) {
  kecs_info info;
  CONTRACT_OK(kecs_store_info(store, &info));
  return info.cache;
}

/* A store with a cache, also on PostgreSQL. */
static kecs_store *open_cached(kecs_row_cache_options cache, int64_t *now) {
  kecs_options options = {.row_cache = cache};
  options.row_cache.staleness_ms = contract_is_sqlite() ? cache.staleness_ms : 3600000;
  if (now) {
    options.clock = contract_clock(now);
  }
  return contract_open_with(&options);
}

static void make_cluster(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
}

static void make_task(kecs_store *store, const char *cluster, const char *id) {
  char arn[200];
  snprintf(arn, sizeof arn, "arn:aws:ecs:us-east-1:000000000000:task/%s/%s", cluster, id);
  kecs_task task = {.arn = arn, .cluster_arn = cluster, .task_definition_arn = "web:1", .last_status = "PENDING"};
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
}

static void set_status(kecs_store *store, const char *id, const char *status) {
  char arn[200];
  snprintf(arn, sizeof arn, "arn:aws:ecs:us-east-1:000000000000:task/web/%s", id);
  kecs_task task = {.arn = arn, .last_status = status};
  CONTRACT_OK(kecs_task_update_fields(store, &task, KECS_BIT(KECS_TASK_LAST_STATUS), NULL));
}

static void check_status(kecs_store *store, const char *cluster, const char *id, const char *status) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_get(store, cluster, id, &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, status);
  kecs_result_free(result);
}

/* The hits and misses since the last call. */
static void check_counts(kecs_store *store, kecs_cache_info *last, int64_t hits, int64_t misses) {
  kecs_cache_info now = cache_of(store);
  CONTRACT_NUMBER(now.hits - last->hits, hits);
  CONTRACT_NUMBER(now.misses - last->misses, misses);
  *last = now;
}

#define TASK_ARN "arn:aws:ecs:us-east-1:000000000000:task/web/t1"

/* ---- what it answers ---- */

static void the_second_get_is_a_hit(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_cache_info last = cache_of(store);
  assert_true(last.on);
  CONTRACT_NUMBER(last.entries_max, 10000);
  CONTRACT_NUMBER(last.bytes_max, INT64_C(65536) * 1024);
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  last = cache_of(store);
  check_status(store, "web", "t1", "PENDING");
  check_counts(store, &last, 0, 1);
  check_status(store, "web", "t1", "PENDING");
  check_counts(store, &last, 1, 0);
  CONTRACT_NUMBER(last.entries, 1);
  assert_true(last.bytes > 0);
  CONTRACT_OK(kecs_cache_clear(store));
  check_status(store, "web", "t1", "PENDING");
  check_counts(store, &last, 0, 1);
  contract_close(store);
}

/* Every column of every kind comes back as the database gives it, in memory of the caller's own. */
static void an_answer_is_a_copy_of_all_columns(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row row;
    kecs_result *results[3] = {NULL, NULL, NULL};
    const void *rows[3];
    CONTRACT_OK(kecs_record_create(store, (kecs_kind)kind, contract_make_row((kecs_kind)kind, 7, &row), NULL));
    for (int i = 0; i < 3; i++) {
      rows[i] = contract_read_row(store, info, &row.row, &results[i]);
    }
    assert_ptr_not_equal(rows[1], rows[2]);
    for (int column = 0; column < info->column_count; column++) {
      char texts[3][512];
      for (int i = 0; i < 3; i++) {
        bool set = kecs_record_text(info, rows[i], column, texts[i], sizeof texts[i], NULL);
        CONTRACT_NUMBER(set, kecs_record_text(info, rows[0], column, texts[i], sizeof texts[i], NULL));
        CONTRACT_TEXT(texts[i], texts[0]);
      }
    }
    for (int i = 0; i < 3; i++) {
      kecs_result_free(results[i]);
    }
  }
  contract_close(store);
}

static void a_result_outlives_its_entry(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  kecs_result *result = NULL;
  check_status(store, "web", "t1", "PENDING");
  CONTRACT_OK(kecs_task_get(store, "web", "t1", &result));
  set_status(store, "t1", "RUNNING");
  CONTRACT_OK(kecs_cache_clear(store));
  contract_close(store);
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "PENDING");
  CONTRACT_TEXT(kecs_task_at(result, 0)->arn, TASK_ARN);
  kecs_result_free(result);
}

static void all_names_of_a_row_go_together(void **state) {
  (void)state;
  static const char cluster_arn[] = "arn:aws:ecs:us-east-1:000000000000:cluster/web";
  static const char *const names[][2] = {{"web", "t1"}, {cluster_arn, "t1"}, {NULL, TASK_ARN}, {"web", TASK_ARN}};
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  kecs_cache_info last = cache_of(store);
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
      check_status(store, names[i][0], names[i][1], "PENDING");
    }
    CONTRACT_OK(kecs_record_get(store, KECS_KIND_TASK, "web,t1", &result));
    kecs_result_free(result);
    check_counts(store, &last, round ? 5 : 0, round ? 0 : 5);
    CONTRACT_NUMBER(last.entries, 1);
  }
  set_status(store, "t1", "RUNNING");
  last = cache_of(store);
  CONTRACT_NUMBER(last.entries, 0);
  for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
    check_status(store, names[i][0], names[i][1], "RUNNING");
  }
  check_counts(store, &last, 0, 4);
  CONTRACT_OK(kecs_task_delete(store, "web", "t1"));
  for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
    CONTRACT_FAILS(kecs_task_get(store, names[i][0], names[i][1], &result), KECS_E_NOT_FOUND);
  }
  contract_close(store);
}

static void check_revision(kecs_store *store, const char *family, int64_t revision) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_definition_get(store, family, &result));
  CONTRACT_NUMBER(kecs_task_definition_at(result, 0)->revision, revision);
  kecs_result_free(result);
}

/* What a name leads to may depend on other rows: the latest revision, the cluster of a name, a short ARN. */
static void names_that_lead_elsewhere_later(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_task_definition definition = {.family = "web", .container_definitions = "[]"};
  CONTRACT_OK(kecs_task_definition_register(store, &definition, NULL));
  for (int i = 0; i < 3; i++) {
    check_revision(store, "web", 1);
    check_revision(store, "web:1", 1);
  }
  CONTRACT_OK(kecs_task_definition_register(store, &definition, NULL));
  check_revision(store, "web", 2);
  check_revision(store, "web:1", 1);
  /* There is no cluster "web": its ARN is what AWS would make it. Then there is one, with another ARN. */
  kecs_options loose = {.no_foreign_keys = true, .row_cache = {.staleness_ms = contract_is_sqlite() ? 0 : 3600000}};
  contract_close(store);
  store = contract_open_with(&loose);
  make_task(store, "web", "t1");
  check_status(store, "web", "t1", "PENDING");
  check_status(store, "web", "t1", "PENDING");
  kecs_cluster cluster = {.name = "web", .arn = "arn:aws-cn:ecs:us-east-1:000000000000:cluster/web"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  CONTRACT_FAILS(kecs_task_get(store, "web", "t1", &result), KECS_E_NOT_FOUND);
  check_status(store, NULL, TASK_ARN, "PENDING");
  contract_close(store);
}

/* ---- what makes it forget ---- */

static void a_transaction_shows_nothing_before_it_is_committed(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_store *tx = NULL;
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  for (int round = 0; round < 2; round++) {
    bool commits = round == 1;
    check_status(store, "web", "t1", "PENDING");
    CONTRACT_OK(kecs_begin(store, &tx));
    set_status(tx, "t1", "RUNNING");
    check_status(tx, "web", "t1", "RUNNING");
    check_status(tx, "web", "t1", "RUNNING");
    if (!contract_is_memory()) { /* there the one connection is the transaction's */
      check_status(store, "web", "t1", "PENDING");
      check_status(store, "web", "t1", "PENDING");
    }
    CONTRACT_NUMBER(cache_of(tx).entries, 0);
    CONTRACT_OK(commits ? kecs_commit(tx) : kecs_rollback(tx));
    check_status(store, "web", "t1", commits ? "RUNNING" : "PENDING");
    check_status(store, "web", "t1", commits ? "RUNNING" : "PENDING");
    CONTRACT_NUMBER(cache_of(store).entries, 1);
  }
  contract_close(store);
}

static void a_savepoint_that_is_undone(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  make_task(store, "web", "t2");
  check_status(store, "web", "t1", "PENDING");
  check_status(store, "web", "t2", "PENDING");
  CONTRACT_OK(kecs_begin(store, &tx));
  set_status(tx, "t1", "RUNNING");
  CONTRACT_OK(kecs_begin(tx, &inner));
  set_status(inner, "t2", "RUNNING");
  CONTRACT_OK(kecs_rollback(inner));
  CONTRACT_OK(kecs_commit(tx));
  for (int i = 0; i < 2; i++) {
    check_status(store, "web", "t1", "RUNNING");
    check_status(store, "web", "t2", "PENDING");
  }
  contract_close(store);
}

static void descendants_go_with_their_parent(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_cluster(store, "other");
  kecs_service service = {.cluster_arn = "web", .name = "svc", .task_definition = "web:1"};
  CONTRACT_OK(kecs_service_create(store, &service, NULL));
  make_task(store, "web", "t1");
  make_task(store, "other", "t2");
  for (int i = 0; i < 2; i++) {
    CONTRACT_OK(kecs_service_get(store, "web", "svc", &result));
    kecs_result_free(result);
    CONTRACT_OK(kecs_cluster_get(store, "web", &result));
    kecs_result_free(result);
    check_status(store, NULL, TASK_ARN, "PENDING");
    check_status(store, "other", "t2", "PENDING");
  }
  CONTRACT_OK(kecs_cluster_delete(store, "web"));
  CONTRACT_FAILS(kecs_service_get(store, "web", "svc", &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_cluster_get(store, "web", &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_task_get(store, NULL, TASK_ARN, &result), KECS_E_NOT_FOUND);
  check_status(store, "other", "t2", "PENDING");
  /* The same names again: other rows. */
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  set_status(store, "t1", "STOPPED");
  check_status(store, NULL, TASK_ARN, "STOPPED");
  contract_close(store);
}

static void tags_that_change(void **state) {
  (void)state;
  static const char arn[] = "arn:aws:ecs:us-east-1:000000000000:cluster/web";
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_tag tag = {.resource_arn = arn, .key = "stage", .value = "test"};
  kecs_result *result = NULL;
  make_cluster(store, "web");
  for (int i = 0; i < 2; i++) {
    CONTRACT_OK(kecs_cluster_get(store, "web", &result));
    CONTRACT_TEXT(kecs_cluster_at(result, 0)->tags, NULL);
    kecs_result_free(result);
  }
  CONTRACT_OK(kecs_tag_create(store, &tag, NULL));
  CONTRACT_OK(kecs_cluster_get(store, "web", &result));
  assert_non_null(kecs_cluster_at(result, 0)->tags);
  assert_non_null(strstr(kecs_cluster_at(result, 0)->tags, "stage"));
  kecs_result_free(result);
  for (int i = 0; i < 2; i++) {
    CONTRACT_OK(kecs_tag_get(store, arn, "stage", &result));
    CONTRACT_TEXT(kecs_tag_at(result, 0)->value, "test");
    kecs_result_free(result);
  }
  kecs_cluster cluster = {.name = "web", .tags = "[{\"key\":\"stage\",\"value\":\"live\"}]"};
  CONTRACT_OK(kecs_cluster_update_fields(store, &cluster, KECS_BIT(KECS_CLUSTER_TAGS), NULL));
  CONTRACT_OK(kecs_tag_get(store, arn, "stage", &result));
  CONTRACT_TEXT(kecs_tag_at(result, 0)->value, "live");
  kecs_result_free(result);
  contract_close(store);
}

/* Whatever else changes rows. */
static void every_way_to_write(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_result *result = NULL;
  int64_t count = 0;
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  check_status(store, "web", "t1", "PENDING");
  kecs_assignment assignment = {"last_status", "RUNNING"};
  CONTRACT_OK(kecs_record_assign(store, KECS_KIND_TASK, "web,t1", &assignment, 1, 0, NULL));
  check_status(store, "web", "t1", "RUNNING");
  kecs_task task = {.arn = TASK_ARN, .cluster_arn = "web", .task_definition_arn = "web:1", .last_status = "STOPPED",
                    .stopped_at = 1};
  CONTRACT_OK(kecs_task_upsert(store, &task, NULL));
  check_status(store, "web", "t1", "STOPPED");
  static const char document[] = "{\"taskArn\":\"" TASK_ARN "\",\"clusterArn\":\"arn:aws:ecs:us-east-1:000000000000:"
                                 "cluster/web\",\"taskDefinitionArn\":\"web:1\",\"lastStatus\":\"PENDING\"}";
  CONTRACT_OK(kecs_put_json(store, KECS_KIND_TASK, document, strlen(document), 0, NULL));
  check_status(store, "web", "t1", "PENDING");
  kecs_node node = {.id = "n", .hostname = "h"};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  for (int i = 0; i < 2; i++) {
    CONTRACT_OK(kecs_node_get(store, "n", &result));
    kecs_result_free(result);
  }
  CONTRACT_OK(kecs_node_heartbeat(store, "n", 5));
  CONTRACT_OK(kecs_node_mark_stale(store, INT64_MAX / 2, &count));
  CONTRACT_OK(kecs_node_get(store, "n", &result));
  CONTRACT_NUMBER(kecs_node_at(result, 0)->running_tasks, 5);
  CONTRACT_TEXT(kecs_node_at(result, 0)->status, "offline");
  kecs_result_free(result);
  contract_close(store);
}

/* Own commits are told from others', also when the log is moved into the file and begun anew. */
static void own_writes_leave_the_rest(void **state) {
  (void)state;
  kecs_options options = {.log_kib = 64, .row_cache = {.staleness_ms = contract_is_sqlite() ? 0 : 3600000}};
  kecs_store *store = contract_open_with(&options);
  kecs_store *tx = NULL;
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  make_task(store, "web", "t2");
  check_status(store, "web", "t2", "PENDING");
  kecs_cache_info last = cache_of(store);
  for (int i = 0; i < 300; i++) {
    const char *status = i % 2 ? "PENDING" : "RUNNING";
    set_status(store, "t1", status);
    set_status(store, "t1", status); /* changes nothing */
    CONTRACT_OK(kecs_begin(store, &tx));
    set_status(tx, "t1", "STOPPED");
    CONTRACT_OK(kecs_rollback(tx));
    check_status(store, "web", "t2", "PENDING");
  }
  check_counts(store, &last, 300, 0);
  CONTRACT_NUMBER(last.flushes, 0);
  contract_close(store);
}

/* ---- lists ---- */

static void check_list(kecs_store *store, const kecs_query *query, size_t count) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_list(store, query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), count);
  kecs_result_free(result);
}

static void lists_hold_until_their_table_changes(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, NULL);
  kecs_filter filter = {.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "web"};
  kecs_query query = {.where = &filter, .where_count = 1, .limit = 2};
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  make_task(store, "web", "t2");
  make_task(store, "web", "t3");
  kecs_cache_info last = cache_of(store);
  for (int i = 0; i < 3; i++) {
    CONTRACT_OK(kecs_task_list(store, &query, &result));
    CONTRACT_NUMBER(kecs_result_count(result), 2);
    CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "PENDING");
    kecs_query next = query;
    next.page_token = kecs_result_page_token(result);
    assert_non_null(next.page_token);
    check_list(store, &next, 1);
    kecs_result_free(result);
  }
  check_counts(store, &last, 4, 2);
  make_cluster(store, "other"); /* a name of a cluster may mean something else now */
  check_list(store, &query, 2);
  check_counts(store, &last, 0, 1);
  kecs_node node = {.id = "n", .hostname = "h"};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  check_list(store, &query, 2);
  check_counts(store, &last, 1, 0);
  CONTRACT_OK(kecs_task_delete(store, "web", "t3"));
  query.limit = 0;
  check_list(store, &query, 2);
  set_status(store, "t1", "RUNNING");
  filter = (kecs_filter){.column = KECS_TASK_LAST_STATUS, .op = KECS_EQ, .text = "RUNNING"};
  check_list(store, &query, 1);
  check_list(store, &query, 1);
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  set_status(tx, "t2", "RUNNING");
  check_list(tx, &query, 2);
  CONTRACT_OK(kecs_rollback(tx));
  check_list(store, &query, 1);
  make_task(store, "web", "t4");
  check_list(store, NULL, 3);
  check_list(store, NULL, 3);
  contract_close(store);
}

/* A list says where a watch begins, and must not say what lies before the floor. */
static void a_list_of_the_cache_knows_the_log(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_options options = {.track = KECS_TRACK_ON};
  kecs_store *store = contract_open_with(&options);
  kecs_result *result = NULL;
  kecs_changes_info changes;
  make_cluster(store, "web");
  check_list(store, NULL, 0);
  for (int i = 0; i < 20; i++) {
    kecs_node node = {.id = "n", .hostname = "h", .running_tasks = i};
    CONTRACT_OK(kecs_node_upsert(store, &node, NULL));
  }
  CONTRACT_OK(kecs_changes_compact(store, NULL, NULL));
  CONTRACT_OK(kecs_changes_describe(store, &changes));
  kecs_cache_info last = cache_of(store);
  CONTRACT_OK(kecs_task_list(store, NULL, &result));
  check_counts(store, &last, 1, 0);
  CONTRACT_NUMBER(kecs_result_seq(result), changes.last_seq);
  assert_true(kecs_result_seq(result) >= changes.floor);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- limits ---- */

static void the_one_that_was_used_longest_ago_goes(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){.entries = 3}, NULL);
  static const char *const ids[] = {"a", "b", "c", "d"};
  make_cluster(store, "web");
  for (int i = 0; i < 4; i++) {
    make_task(store, "web", ids[i]);
  }
  for (int i = 0; i < 3; i++) {
    check_status(store, "web", ids[i], "PENDING");
  }
  check_status(store, "web", "a", "PENDING");
  check_status(store, "web", "d", "PENDING"); /* b goes */
  kecs_cache_info last = cache_of(store);
  CONTRACT_NUMBER(last.entries, 3);
  CONTRACT_NUMBER(last.evictions, 1);
  check_status(store, "web", "a", "PENDING");
  check_status(store, "web", "c", "PENDING");
  check_status(store, "web", "d", "PENDING");
  check_counts(store, &last, 3, 0);
  check_status(store, "web", "b", "PENDING"); /* a goes */
  check_counts(store, &last, 0, 1);
  check_status(store, "web", "c", "PENDING");
  check_counts(store, &last, 1, 0);
  check_status(store, "web", "a", "PENDING");
  check_counts(store, &last, 0, 1);
  contract_close(store);
}

static void entries_have_a_time(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_cached((kecs_row_cache_options){.ttl_ms = 1000}, &now);
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  check_status(store, "web", "t1", "PENDING");
  check_list(store, NULL, 1);
  kecs_cache_info last = cache_of(store);
  contract_set_clock(&now, CONTRACT_NOW + 999999);
  check_status(store, "web", "t1", "PENDING");
  check_list(store, NULL, 1);
  check_counts(store, &last, 2, 0);
  contract_set_clock(&now, CONTRACT_NOW + 1000000);
  check_status(store, "web", "t1", "PENDING");
  check_list(store, NULL, 1);
  check_counts(store, &last, 0, 2);
  CONTRACT_NUMBER(last.expirations, 2);
  contract_set_clock(&now, CONTRACT_NOW - 5); /* set back: nothing is known of ages */
  check_status(store, "web", "t1", "PENDING");
  check_counts(store, &last, 0, 1);
  check_status(store, "web", "t1", "PENDING");
  check_counts(store, &last, 1, 0);
  contract_close(store);
}

static void bytes_are_bounded(void **state) {
  (void)state;
  kecs_store *store = open_cached((kecs_row_cache_options){.kib = 64}, NULL);
  char *text = malloc(20000);
  char id[16];
  assert_non_null(text);
  make_cluster(store, "web");
  for (int i = 0; i < 30; i++) {
    snprintf(id, sizeof id, "t%d", i);
    make_task(store, "web", id);
    memset(text, 'x', 20000);
    text[i == 29 ? 19999 : 5000] = '\0'; /* the last one is too large for the cache */
    char arn[200];
    snprintf(arn, sizeof arn, "arn:aws:ecs:us-east-1:000000000000:task/web/%s", id);
    kecs_task task = {.arn = arn, .stopped_reason = text};
    CONTRACT_OK(kecs_task_update_fields(store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL));
    check_status(store, "web", id, "PENDING");
    kecs_cache_info info = cache_of(store);
    assert_true(info.bytes <= info.bytes_max);
  }
  kecs_cache_info last = cache_of(store);
  assert_true(last.entries > 4 && last.entries < 13);
  assert_true(last.evictions > 15);
  check_status(store, "web", "t29", "PENDING");
  check_counts(store, &last, 0, 1);
  check_status(store, "web", "t28", "PENDING");
  check_counts(store, &last, 1, 0);
  free(text);
  contract_close(store);
}

/* ---- options ---- */

static void options_out_of_range(void **state) {
  (void)state;
  static const struct {
    kecs_row_cache_options cache;
    const char *says;
  } cases[] = {
      {{.ttl_ms = -1}, "row_cache.ttl_ms"},
      {{.kib = -1}, "row_cache.kib"},
      {{.staleness_ms = -1}, "row_cache.staleness_ms"},
      {{.entries = INT32_MAX}, "row_cache.entries"},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_options options = {.path = ":memory:", .row_cache = cases[i].cache};
    kecs_store *store = NULL;
    CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
    CONTRACT_SAYS(cases[i].says);
    assert_null(store);
  }
}

static void when_it_is_off(void **state) {
  (void)state;
  kecs_options cases[] = {
      {.row_cache = {.entries = -1}}, {.profile = KECS_PROFILE_EDGE}, {.memory_kib = 4096}};
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_store *store = contract_open_with(&cases[i]);
    make_cluster(store, "web");
    make_task(store, "web", "t1");
    check_status(store, "web", "t1", "PENDING");
    check_status(store, "web", "t1", "PENDING");
    check_list(store, NULL, 1);
    kecs_cache_info info = cache_of(store);
    assert_false(info.on);
    CONTRACT_NUMBER(info.hits + info.misses + info.entries + info.entries_max, 0);
    CONTRACT_OK(kecs_cache_clear(store));
    contract_close(store);
  }
  kecs_options edge = {.profile = KECS_PROFILE_EDGE, .row_cache = {.entries = 20, .kib = 32, .staleness_ms = 1000}};
  kecs_store *store = contract_open_with(&edge);
  assert_true(cache_of(store).on);
  CONTRACT_NUMBER(cache_of(store).entries_max, 20);
  contract_close(store);
}

static void note_cache_off(kecs_log_level level, const char *line, void *user) {
  if (level == KECS_LOG_WARNING && strstr(line, "row cache is off")) {
    ++*(int *)user;
  }
}

/* Where it can't be seen what others write there is no cache, unless a staleness is allowed. */
static void off_where_it_cannot_be_right(void **state) {
  (void)state;
  int lines = 0;
  kecs_backend blind = *contract_real_backend();
  const kecs_backend *backends[] = {&blind, NULL};
  blind.mark = NULL;
  kecs_options options = {.backends = backends, .logger = {note_cache_off, &lines}};
  if (contract_is_memory()) {
    return;
  }
  kecs_store *store = contract_open_with(&options);
  assert_false(cache_of(store).on);
  CONTRACT_NUMBER(lines, 0);
  contract_close(store);
  options.row_cache.entries = 100;
  store = contract_open_with(&options);
  assert_false(cache_of(store).on);
  CONTRACT_NUMBER(lines, 1);
  contract_close(store);
  int64_t now = CONTRACT_NOW;
  options.row_cache.staleness_ms = 500;
  options.clock = contract_clock(&now);
  store = contract_open_with(&options);
  kecs_store *other = contract_open_again(store, &options);
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  check_status(store, "web", "t1", "PENDING");
  set_status(other, "t1", "RUNNING");
  contract_set_clock(&now, CONTRACT_NOW + 500000);
  check_status(store, "web", "t1", "RUNNING");
  set_status(store, "t1", "STOPPED"); /* its own writes it sees at once */
  check_status(store, "web", "t1", "STOPPED");
  contract_close(other);
  contract_close(store);
}

/* ---- other writers ---- */

static void another_store_on_the_same_file(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  for (int tracked = 0; tracked < 2; tracked++) {
    kecs_options options = {.track = tracked ? KECS_TRACK_ON : KECS_TRACK_KEEP};
    kecs_store *store = contract_open_with(&options);
    kecs_store *other = contract_open_again(store, NULL);
    kecs_changes_info changes;
    CONTRACT_OK(kecs_changes_describe(store, &changes));
    bool logged = changes.tracked; /* KECS_TEST_TRACK may have switched it on */
    make_cluster(store, "web");
    make_task(store, "web", "t1");
    make_task(store, "web", "t2");
    for (int i = 0; i < 50; i++) {
      const char *status = i % 2 ? "PENDING" : "RUNNING";
      check_status(store, "web", "t1", i % 2 ? "RUNNING" : "PENDING");
      check_status(store, "web", "t2", "PENDING");
      check_list(store, NULL, 2);
      set_status(other, "t1", status);
      check_status(store, "web", "t1", status);
      set_status(store, "t1", status); /* changes nothing */
      check_status(other, "web", "t1", status);
    }
    kecs_cache_info last = cache_of(store);
    if (logged) { /* only what was changed has gone */
      CONTRACT_NUMBER(last.flushes, 0);
      set_status(other, "t1", "STOPPED");
      check_status(store, "web", "t1", "STOPPED");
      last = cache_of(store);
      check_status(store, "web", "t2", "PENDING");
      check_counts(store, &last, 1, 0);
    } else {
      assert_true(last.flushes >= 50);
    }
    /* More than the log is looked through for. */
    kecs_store *tx = NULL;
    CONTRACT_OK(kecs_begin(other, &tx));
    for (int i = 0; i < 1200; i++) {
      set_status(tx, "t1", i % 2 ? "PENDING" : "RUNNING");
    }
    set_status(tx, "t2", "RUNNING");
    CONTRACT_OK(kecs_commit(tx));
    check_status(store, "web", "t2", "RUNNING");
    /* What was removed from the log can't be looked through. */
    if (logged) {
      set_status(other, "t2", "STOPPED");
      set_status(other, "t1", "STOPPED");
      CONTRACT_OK(kecs_changes_compact(other, NULL, NULL));
      check_status(store, "web", "t2", "STOPPED");
      CONTRACT_OK(kecs_task_delete(other, "web", "t2"));
      kecs_result *result = NULL;
      CONTRACT_FAILS(kecs_task_get(store, "web", "t2", &result), KECS_E_NOT_FOUND);
    }
    contract_close(other);
    contract_close(store);
  }
}

/* A child writes, says so, and the parent must see it. */
static void another_process(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  int to_child[2];
  int to_parent[2];
  assert_int_equal(pipe(to_child), 0);
  assert_int_equal(pipe(to_parent), 0);
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  char path[CONTRACT_PATH_MAX];
  snprintf(path, sizeof path, "%s", contract_path(store));
  CONTRACT_OK(kecs_maintain(store));
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    kecs_options options = {.path = path};
    kecs_store *own = NULL;
    char byte = 0;
    bool good = kecs_open(&options, &own) == KECS_OK;
    for (int i = 0; good && i < 200 && read(to_child[0], &byte, 1) == 1; i++) {
      kecs_task task = {.arn = TASK_ARN, .last_status = i % 2 ? "PENDING" : "RUNNING"};
      good = kecs_task_update_fields(own, &task, KECS_BIT(KECS_TASK_LAST_STATUS), NULL) == KECS_OK;
      good = good && write(to_parent[1], "x", 1) == 1;
    }
    _exit(good && kecs_close(own) == KECS_OK ? 0 : 1);
  }
  for (int i = 0; i < 200; i++) {
    char byte = 0;
    check_status(store, "web", "t1", i % 2 ? "RUNNING" : "PENDING");
    assert_int_equal(write(to_child[1], "x", 1), 1);
    assert_int_equal(read(to_parent[0], &byte, 1), 1);
    check_status(store, "web", "t1", i % 2 ? "PENDING" : "RUNNING");
    if (i % 7 == 0) { /* our own commits between theirs */
      make_cluster(store, i % 2 ? "a" : "b");
      CONTRACT_OK(kecs_cluster_delete(store, i % 2 ? "a" : "b"));
    }
  }
  int ended = 1;
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_int_equal(ended, 0);
  for (int i = 0; i < 2; i++) {
    close(to_child[i]);
    close(to_parent[i]);
  }
  contract_close(store);
}

/* ---- races ---- */

/* A backend whose next read of a task gives `race` a moment between its reading and its return. */
static kecs_backend racing;
static const kecs_backend *racing_list[] = {&racing, NULL};
static kecs_store *race_store;
static void (*race)(kecs_store *store);

static kecs_status racing_step(kecs_statement *statement, bool *out_row) {
  kecs_status status = contract_real_backend()->step(statement, out_row);
  void (*now)(kecs_store *store) = race;
  if (!status && *out_row && now) {
    race = NULL;
    now(race_store);
  }
  return status;
}

static void race_update(kecs_store *store) {
  set_status(store, "t1", "RUNNING");
}

static void race_delete(kecs_store *store) {
  CONTRACT_OK(kecs_task_delete(store, NULL, TASK_ARN));
}

static void race_open_transaction(kecs_store *store) {
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  set_status(tx, "t1", "RUNNING");
}

/* A reader that has read before a commit comes back after it: what it has read must not enter. */
static void a_late_reader_brings_nothing_old(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return; /* one connection: the reader holds it */
  }
  racing = *contract_real_backend();
  racing.step = racing_step;
  for (int own = 0; own < 2; own++) {
    kecs_options options = {.backends = racing_list, .row_cache = {.staleness_ms = contract_is_sqlite() ? 0 : 3600000}};
    kecs_store *store = contract_open_with(&options);
    kecs_store *other = own || !contract_is_file() ? NULL : contract_open_again(store, NULL);
    kecs_result *result = NULL;
    make_cluster(store, "web");
    make_task(store, "web", "t1");
    race_store = other ? other : store;
    race = race_update;
    check_status(store, NULL, TASK_ARN, "PENDING");
    assert_null(race);
    check_status(store, NULL, TASK_ARN, "RUNNING");
    set_status(store, "t1", "PENDING");
    race = race_update;
    check_list(store, NULL, 1);
    CONTRACT_OK(kecs_task_list(store, NULL, &result));
    CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "RUNNING");
    kecs_result_free(result);
    CONTRACT_OK(kecs_cache_clear(store));
    race = race_delete;
    check_status(store, NULL, TASK_ARN, "RUNNING");
    CONTRACT_FAILS(kecs_task_get(store, NULL, TASK_ARN, &result), KECS_E_NOT_FOUND);
    contract_close(other);
    contract_close(store);
  }
}

/* While a transaction is open, what it has changed stays out, whatever is read meanwhile. */
static void an_open_transaction_keeps_its_rows_out(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  racing = *contract_real_backend();
  racing.step = racing_step;
  kecs_options options = {.backends = racing_list};
  kecs_store *store = contract_open_with(&options);
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  make_task(store, "web", "t2");
  race_store = store;
  race = race_open_transaction;
  check_status(store, NULL, TASK_ARN, "PENDING");
  CONTRACT_NUMBER(cache_of(store).entries, 0);
  check_status(store, NULL, TASK_ARN, "PENDING");
  CONTRACT_NUMBER(cache_of(store).entries, 0);
  contract_close(store); /* rolls the transaction back */
}

enum { WRITES = 300 };

/* Counts up the versions of a task; each reader must see at least what was acknowledged before it began. */
static int64_t acknowledged;

static void *count_up(void *argument) {
  kecs_store *store = argument;
  for (int i = 0; i < WRITES; i++) {
    char reason[32];
    snprintf(reason, sizeof reason, "%d", i);
    kecs_task task = {.arn = TASK_ARN, .stopped_reason = reason};
    kecs_result *result = NULL;
    if (kecs_task_update_fields(store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), &result)) {
      return "update";
    }
    __atomic_store_n(&acknowledged, kecs_task_at(result, 0)->version, __ATOMIC_SEQ_CST);
    kecs_result_free(result);
  }
  return NULL;
}

static void *read_on(void *argument) {
  kecs_store *store = argument;
  int64_t last = 0;
  for (int64_t least = 0; least <= WRITES;) {
    kecs_result *result = NULL;
    least = __atomic_load_n(&acknowledged, __ATOMIC_SEQ_CST);
    if (kecs_task_get(store, NULL, TASK_ARN, &result)) {
      return "get";
    }
    int64_t version = kecs_task_at(result, 0)->version;
    kecs_result_free(result);
    if (version < least || version < last) {
      return "an answer from before";
    }
    last = version;
    kecs_query query = {.limit = 1};
    if (kecs_task_list(store, &query, &result)) {
      return "list";
    }
    version = kecs_task_at(result, 0)->version;
    kecs_result_free(result);
    if (version < last) {
      return "a list from before";
    }
    last = version;
    if (__atomic_load_n(&acknowledged, __ATOMIC_SEQ_CST) > WRITES) {
      break;
    }
  }
  return NULL;
}

static void readers_and_a_writer(void **state) {
  (void)state;
  for (int apart = 0; apart < 2; apart++) {
    kecs_store *store = open_cached((kecs_row_cache_options){.entries = 4}, NULL);
    if (apart && !contract_is_file()) {
      contract_close(store);
      return;
    }
    kecs_store *writer = apart ? contract_open_again(store, NULL) : store;
    pthread_t threads[4];
    void *said[4] = {NULL, NULL, NULL, NULL};
    acknowledged = 0;
    make_cluster(store, "web");
    make_task(store, "web", "t1");
    for (int i = 0; i < 4; i++) {
      assert_int_equal(pthread_create(&threads[i], NULL, i ? read_on : count_up, i ? store : writer), 0);
    }
    for (int i = 0; i < 4; i++) {
      pthread_join(threads[i], &said[i]);
    }
    for (int i = 0; i < 4; i++) {
      CONTRACT_TEXT(said[i], NULL);
    }
    if (apart) {
      contract_close(writer);
    }
    contract_close(store);
  }
}

static void a_stop_counts_for_hits_as_well(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_cached((kecs_row_cache_options){0}, &now);
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_task(store, "web", "t1");
  check_status(store, "web", "t1", "PENDING");
  check_list(store, NULL, 1);
  CONTRACT_OK(kecs_set_deadline(store, CONTRACT_NOW));
  CONTRACT_FAILS(kecs_task_get(store, "web", "t1", &result), KECS_E_TIMEOUT);
  CONTRACT_FAILS(kecs_task_list(store, NULL, &result), KECS_E_TIMEOUT);
  CONTRACT_OK(kecs_set_deadline(store, 0));
  CONTRACT_OK(kecs_set_cancelled(store, true));
  CONTRACT_FAILS(kecs_task_get(store, "web", "t1", &result), KECS_E_CANCELLED);
  CONTRACT_OK(kecs_set_cancelled(store, false));
  check_status(store, "web", "t1", "PENDING");
  CONTRACT_FAILS(kecs_cache_clear(NULL), KECS_E_MISUSE);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(the_second_get_is_a_hit),
    CONTRACT_TEST(an_answer_is_a_copy_of_all_columns),
    CONTRACT_TEST(a_result_outlives_its_entry),
    CONTRACT_TEST(all_names_of_a_row_go_together),
    CONTRACT_TEST(names_that_lead_elsewhere_later),
    CONTRACT_TEST(a_transaction_shows_nothing_before_it_is_committed),
    CONTRACT_TEST(a_savepoint_that_is_undone),
    CONTRACT_TEST(descendants_go_with_their_parent),
    CONTRACT_TEST(tags_that_change),
    CONTRACT_TEST(every_way_to_write),
    CONTRACT_TEST(own_writes_leave_the_rest),
    CONTRACT_TEST(lists_hold_until_their_table_changes),
    CONTRACT_TEST(a_list_of_the_cache_knows_the_log),
    CONTRACT_TEST(the_one_that_was_used_longest_ago_goes),
    CONTRACT_TEST(entries_have_a_time),
    CONTRACT_TEST(bytes_are_bounded),
    CONTRACT_TEST(options_out_of_range),
    CONTRACT_TEST(when_it_is_off),
    CONTRACT_TEST(off_where_it_cannot_be_right),
    CONTRACT_TEST(another_store_on_the_same_file),
    CONTRACT_TEST(another_process),
    CONTRACT_TEST(a_late_reader_brings_nothing_old),
    CONTRACT_TEST(an_open_transaction_keeps_its_rows_out),
    CONTRACT_TEST(readers_and_a_writer),
    CONTRACT_TEST(a_stop_counts_for_hits_as_well),
};

CONTRACT_MAIN("cache", tests)
