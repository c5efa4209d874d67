/* test_outputs.c -- what calls leave behind besides their answer: results that are NULL after a failure, and the last
 * error, which a call that succeeds does not touch. */
#include "contract.h"

/* ---- every function that gives a result ---- */

#define DEFINITION CONTRACT_ARN_ECS "task-definition/f0000:1"
#define NO_SUCH CONTRACT_ARN_ECS "cluster/no-such"

static kecs_status visit_all(const void *row, void *user) {
  (void)row;
  (void)user;
  return KECS_OK;
}

static const char *const some_keys[] = {"no-such", "parent", NO_SUCH};
static const char *const some_arns[] = {NO_SUCH, CONTRACT_CLUSTER};

/* The rows are new each time: n says which. Each call succeeds on a store of make_all. */
enum { RESULT_CALLS = 40 };

static kecs_status call_for_result(kecs_store *store, int call, int n, kecs_result **out) {
  static char name[64];
  static char document[256];
  const char *text = "";
  kecs_cluster cluster = {.name = name};
  kecs_cluster stored = {.name = "parent", .status = name};
  kecs_cluster two[2] = {{.name = name}, {.name = document}};
  kecs_task_definition definition = {.family = name, .container_definitions = "[]"};
  kecs_service service = {.cluster_arn = "parent", .name = name, .task_definition = "f0000"};
  kecs_task task = {.cluster_arn = "parent", .task_definition_arn = "f0000:1"};
  kecs_account_setting setting = {.principal_arn = "p", .name = name, .value = "enabled"};
  kecs_target_group group = {.name = name};
  kecs_load_balancer balancer = {.name = name};
  kecs_listener listener = {.load_balancer_arn = CONTRACT_BALANCER, .port = 1000 + n};
  kecs_rule rule = {.listener_arn = CONTRACT_LISTENER, .priority = 1000 + n};
  kecs_assignment assignment = {"status", name};
  kecs_filter by_service = {.column = KECS_TASK_SERVICE_ARN, .op = KECS_EQ, .text = "no-such-service"};
  kecs_filter by_cluster = {.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "no-such-cluster"};
  kecs_query service_query = {.where = &by_service, .where_count = 1};
  kecs_query cluster_query = {.where = &by_cluster, .where_count = 1};
  kecs_task_filter tasks = {.cluster = "parent", .service = "no-such-service"};
  kecs_task_filter no_tasks = {.cluster = "no-such", .family = "no-such", .container_instance = "no-such"};
  snprintf(name, sizeof name, "made-%d-%d", call, n);
  snprintf(document, sizeof document, "made-too-%d-%d", call, n);
  switch (call) {
    case 0: return kecs_cluster_create(store, &cluster, out);
    case 1: return kecs_cluster_create_many(store, two, 2, out);
    case 2: return kecs_cluster_get(store, "parent", out);
    case 3: return kecs_cluster_get_many(store, some_keys, 3, out);
    case 4: return kecs_cluster_list(store, NULL, out);
    case 5: return kecs_cluster_update(store, &stored, out);
    case 6: return kecs_cluster_update_fields(store, &stored, KECS_BIT(KECS_CLUSTER_STATUS), out);
    case 7: return kecs_cluster_upsert(store, &cluster, out);
    case 8: return kecs_cluster_upsert(store, &stored, out);
    case 9: return kecs_cluster_ensure(store, &cluster, NULL, out);
    case 10: return kecs_cluster_ensure(store, &stored, NULL, out);
    case 11: return kecs_record_assign(store, KECS_KIND_CLUSTER, "parent", &assignment, 1, 0, out);
    case 12:
      snprintf(document, sizeof document, "{\"clusterName\":\"%s\",\"new\":1}", name);
      return kecs_put_json(store, KECS_KIND_CLUSTER, document, SIZE_MAX, 0, out);
    case 13:
      snprintf(document, sizeof document,
               "{\"serviceName\":\"%s\",\"clusterArn\":\"" CONTRACT_ARN_ECS "cluster/%s\"}", name, name);
      return kecs_put_json(store, KECS_KIND_SERVICE, document, SIZE_MAX, KECS_JSON_PARENTS, out);
    case 14: return kecs_get_json(store, KECS_KIND_CLUSTER, "parent", 0, out, &text);
    case 15: return kecs_task_definition_register(store, &definition, out);
    case 16: return kecs_task_definition_latest(store, "f0000", out);
    case 17: return kecs_task_definition_deregister(store, DEFINITION, out);
    case 18: return kecs_task_definition_families(store, NULL, out);
    case 19: return kecs_task_definition_revisions(store, "no-such", NULL, 0, NULL, out);
    case 20: return kecs_task_definition_upsert(store, &definition, out);
    case 21: return kecs_service_upsert(store, &service, out);
    case 22: return kecs_task_upsert(store, &task, out);
    case 23: return kecs_task_list(store, &service_query, out);
    case 24: return kecs_task_list(store, &cluster_query, out);
    case 25: return kecs_task_find(store, &tasks, &service_query, out);
    case 26: return kecs_task_find(store, &no_tasks, NULL, out);
    case 27: return kecs_container_instance_search(store, "no-such", "x", NULL, out);
    case 28: return kecs_account_setting_upsert(store, &setting, out);
    case 29: return kecs_account_setting_set_default(store, name, "enabled", out);
    case 30: return kecs_account_setting_effective(store, "no-such", name, out);
    case 31: return kecs_task_log_find(store, NULL, true, 0, NULL, out);
    case 32: return kecs_node_available(store, out);
    case 33: return kecs_target_group_upsert(store, &group, out);
    case 34: return kecs_load_balancer_upsert(store, &balancer, out);
    case 35: return kecs_listener_upsert(store, &listener, out);
    case 36: return kecs_rule_upsert(store, &rule, out);
    case 37: return kecs_target_group_load_balancers(store, CONTRACT_GROUP, out);
    case 38: return kecs_load_balancer_target_groups(store, CONTRACT_BALANCER, out);
    default: return kecs_tags_describe(store, some_arns, 2, out);
  }
}

/* The other functions that may succeed with something missing on their way. */
enum { PLAIN_CALLS = 36 };

static kecs_status call_plainly(kecs_store *store, int call, int n) {
  static char name[64];
  static const char *const no_ids[] = {"no-such"};
  int64_t count = 0;
  int64_t put = 0;
  bool created = false;
  char key[80];
  kecs_store *tx = NULL;
  kecs_cluster cluster = {.name = name};
  kecs_attribute attribute = {.cluster = "parent", .target_type = "container-instance", .target_id = "t", .name = name};
  kecs_key_value tag = {name, "v"};
  const char *tag_keys[] = {"no-such-key"};
  kecs_target target = {.id = name, .port = 80};
  kecs_task_log log = {.id = name, .task_arn = "t", .container_name = "c"};
  kecs_filter filter = {.column = KECS_TASK_SERVICE_ARN, .op = KECS_EQ, .text = "no-such-service"};
  kecs_query query = {.where = &filter, .where_count = 1};
  kecs_filter parsed;
  kecs_info info;
  (void)snprintf(name, sizeof name, "plain-%d-%d", call, n);
  kecs_status status = KECS_OK;
  switch (call) {
    case 0: return kecs_cluster_create(store, &cluster, NULL);
    case 1: return kecs_cluster_upsert(store, &cluster, NULL);
    case 2: return kecs_cluster_ensure(store, &cluster, &created, NULL);
    case 3: return kecs_cluster_delete(store, "spare");
    case 4: return kecs_task_count(store, &query, &count);
    case 5: return kecs_record_each(store, KECS_KIND_TASK, &query, visit_all, NULL);
    case 6: return kecs_service_delete_marked(store, "no-such", 1, &count);
    case 7: return kecs_task_delete_older(store, "no-such", 1, NULL, &count);
    case 8: return kecs_task_set_delete_orphaned(store, "no-such", &count);
    case 9: return kecs_container_instance_delete_stale(store, "no-such", 1, &count);
    case 10: return kecs_attribute_put(store, &attribute, 1);
    case 11: return kecs_attribute_remove(store, "no-such", &attribute, 1);
    case 12: return kecs_task_log_count_matching(store, NULL, &count);
    case 13: return kecs_task_log_delete_older(store, 1, &count);
    case 14: return kecs_task_log_delete_task(store, "no-such", &count);
    case 15: return kecs_event_prune(store, 1, &count);
    case 16: return kecs_node_mark_stale(store, 1, &count);
    case 17: return kecs_node_prune(store, 1, &count);
    case 18: return kecs_node_task_prune(store, 1, &count);
    case 19: return kecs_rule_check_priority(store, CONTRACT_LISTENER, 40000 + n, NULL);
    case 20: return kecs_rule_next_priority(store, CONTRACT_LISTENER, KECS_RULE_BAND_GENERAL, &count);
    case 21: return kecs_target_register(store, CONTRACT_GROUP, &target, 1);
    case 22: return kecs_target_deregister(store, CONTRACT_GROUP, no_ids, 1, &count);
    case 23: return kecs_target_group_associate(store, CONTRACT_GROUP, CONTRACT_BALANCER);
    case 24: return kecs_target_group_disassociate(store, CONTRACT_GROUP, CONTRACT_BALANCER);
    case 25: return kecs_tags_add(store, CONTRACT_CLUSTER, &tag, 1);
    case 26: return kecs_tags_remove(store, CONTRACT_CLUSTER, tag_keys, 1);
    case 27:
      return kecs_import(store, "[{\"clusterName\":\"imported\"},{\"no\":\"kind\"},7]", SIZE_MAX, NULL, &put, &count);
    case 28: return kecs_import(store, "{\"clusterName\":\"imported\"}\nno json\n", SIZE_MAX, NULL, &put, &count);
    case 29: return kecs_store_info(store, &info);
    case 30: return kecs_filter_parse(KECS_KIND_TASK, "last_status", KECS_EQ, "x", &parsed);
    case 31:
      status = kecs_begin(store, &tx);
      status = status ? status : kecs_cluster_create(tx, &cluster, NULL);
      return status ? status : kecs_commit(tx);
    case 32:
      status = kecs_begin(store, &tx);
      status = status ? status : kecs_cluster_create(tx, &cluster, NULL);
      return status ? status : kecs_rollback(tx);
    case 33: return kecs_task_log_create_many(store, &log, 1, NULL);
    case 34: return kecs_node_heartbeat(store, "node-0000", n);
    default:
      snprintf(key, sizeof key, "no-such,%d", n);
      status = kecs_record_delete(store, KECS_KIND_TASK, key); /* NOT_FOUND is the answer that is wanted */
      return status == KECS_E_NOT_FOUND ? KECS_OK : status;
  }
}

static void make_all(kecs_store *store) {
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    contract_row made;
    CONTRACT_OK(kecs_record_create(store, (kecs_kind)kind, contract_make_row((kecs_kind)kind, 0, &made), NULL));
  }
}

static void make_error(kecs_store *store) {
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_cluster_get(store, "the-error-before", &result), KECS_E_NOT_FOUND);
}

static void check_error(const char *what, int call) {
  if (!strstr(kecs_last_error()->text, "the-error-before")) {
    fail_msg("%s %d succeeded and left an error: %s", what, call, kecs_last_error()->text);
  }
}

static void check_success(kecs_store *handle, int n) {
  for (int call = 0; call < RESULT_CALLS; call++) {
    kecs_result *result = NULL;
    make_error(handle);
    kecs_status status = call_for_result(handle, call, n, &result);
    if (status) {
      fail_msg("result call %d: %s", call, kecs_last_error()->text);
    }
    check_error("result call", call);
    assert_non_null(result);
    kecs_result_free(result);
    if (call == 17) { /* the family is to have an ACTIVE revision again */
      kecs_task_definition again = {.arn = DEFINITION, .status = "ACTIVE"};
      CONTRACT_OK(kecs_task_definition_update_fields(handle, &again, KECS_BIT(KECS_TASK_DEFINITION_STATUS), NULL));
    }
  }
  for (int call = 0; call < PLAIN_CALLS - 1; call++) {
    kecs_cluster spare = {.name = "spare"};
    CONTRACT_OK(kecs_cluster_upsert(handle, &spare, NULL));
    make_error(handle);
    kecs_status status = call_plainly(handle, call, n);
    if (status) {
      fail_msg("plain call %d: %s", call, kecs_last_error()->text);
    }
    check_error("plain call", call);
  }
}

static void success_leaves_the_last_error(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  make_all(store);
  check_success(store, 0);
  CONTRACT_OK(kecs_begin(store, &tx));
  check_success(tx, 1);
  CONTRACT_OK(kecs_begin(tx, &inner));
  check_success(inner, 2);
  CONTRACT_OK(kecs_rollback(inner));
  CONTRACT_OK(kecs_commit(tx));
  contract_close(store);
}

/* The same with a deadline, under which each write of a transaction is a savepoint. */
static void success_before_a_deadline_leaves_the_last_error(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  kecs_store *tx = NULL;
  make_all(store);
  CONTRACT_OK(kecs_set_deadline(store, now + 1000000));
  check_success(store, 0);
  CONTRACT_OK(kecs_begin(store, &tx));
  check_success(tx, 1);
  CONTRACT_OK(kecs_commit(tx));
  contract_close(store);
}

static void helpers_leave_the_last_error(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster row = {.name = "web", .settings = "[{\"name\":\"containerInsights\",\"value\":\"enabled\"}]"};
  kecs_result *result = NULL;
  const char *text = NULL;
  char out[64];
  int64_t number = 0;
  CONTRACT_OK(kecs_cluster_create(store, &row, &result));
  make_error(store);
  CONTRACT_OK(kecs_record_json(result, kecs_kind_describe(KECS_KIND_CLUSTER), kecs_cluster_at(result, 0), 0, &text));
  check_error("record_json", 0);
  CONTRACT_OK(kecs_json_check("[1]", 3));
  check_error("json_check", 0);
  CONTRACT_OK(kecs_validate(KECS_KIND_CLUSTER, &row));
  CONTRACT_OK(kecs_validate_cluster_name("web"));
  CONTRACT_OK(kecs_validate_account_id("123456789012"));
  CONTRACT_OK(kecs_validate_cluster_settings(row.settings));
  CONTRACT_OK(kecs_validate_capacity_strategy("[{\"capacityProvider\":\"FARGATE\",\"weight\":1}]", NULL));
  CONTRACT_OK(kecs_validate_fargate_size(".25 vCPU", "0.5 GB"));
  CONTRACT_OK(kecs_validate_priority(1));
  check_error("validate", 0);
  CONTRACT_OK(kecs_cpu_parse("500m", &number));
  CONTRACT_OK(kecs_memory_parse("1.5Mi", &number));
  check_error("parse", 0);
  assert_null(kecs_kind_find("no-such"));
  assert_null(kecs_kind_describe((kecs_kind)0));
  CONTRACT_NUMBER(kecs_column_find(kecs_kind_describe(KECS_KIND_CLUSTER), "no-such"), -1);
  assert_false(kecs_record_text(kecs_kind_describe(KECS_KIND_CLUSTER), &row, 1000, out, sizeof out, NULL));
  assert_null(kecs_cluster_at(result, 1));
  assert_null(kecs_task_at(result, 0));
  check_error("look-ups", 0);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- results of failures ---- */

static void check_failures(kecs_store *handle, kecs_status expected, const char *what) {
  for (int call = 0; call < RESULT_CALLS; call++) {
    kecs_result *result = (kecs_result *)&call;
    kecs_status status = call_for_result(handle, call, 9, &result);
    if (status != expected || kecs_last_error()->status != expected) {
      fail_msg("%s, result call %d: %s: %s", what, call, kecs_status_name(status), kecs_last_error()->text);
    }
    if (result) {
      fail_msg("%s, result call %d: the result is not NULL", what, call);
    }
  }
  for (int call = 0; call < PLAIN_CALLS; call++) {
    if (call == 30) {
      continue; /* which needs no store */
    }
    if (call == 29 && expected != KECS_E_MISUSE) {
      continue; /* which reads no row */
    }
    kecs_status status = call_plainly(handle, call, 9);
    if (status != expected || kecs_last_error()->status != expected) {
      fail_msg("%s, plain call %d: %s: %s", what, call, kecs_status_name(status), kecs_last_error()->text);
    }
  }
}

static void results_of_failures_are_null(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  kecs_store *tx = NULL;
  make_all(store);
  int64_t rows = contract_count_rows(store, KECS_KIND_CLUSTER);
  check_failures(NULL, KECS_E_MISUSE, "no store");
  CONTRACT_OK(kecs_set_cancelled(store, true));
  check_failures(store, KECS_E_CANCELLED, "cancelled");
  CONTRACT_OK(kecs_set_cancelled(store, false));
  CONTRACT_OK(kecs_set_deadline(store, now));
  check_failures(store, KECS_E_TIMEOUT, "too late");
  CONTRACT_OK(kecs_set_deadline(store, 0));
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_set_cancelled(tx, true));
  check_failures(tx, KECS_E_CANCELLED, "cancelled transaction");
  CONTRACT_OK(kecs_rollback(tx));
  check_failures(tx, KECS_E_MISUSE, "ended transaction");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), rows);
  contract_close(store);
}

/* kecs_get_json has two outputs; both are NULL after any failure, whichever argument it is about. */
static void both_outputs_of_a_document(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster row = {.name = "web"};
  kecs_result *kept = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &row, &kept));
  static const struct {
    bool store;
    int kind;
    const char *key;
    kecs_status status;
  } cases[] = {
      {false, KECS_KIND_CLUSTER, "web", KECS_E_MISUSE}, {true, 0, "web", KECS_E_INVALID},
      {true, KECS_KIND_COUNT, "web", KECS_E_INVALID},   {true, KECS_KIND_CLUSTER, "no-such", KECS_E_NOT_FOUND},
      {true, KECS_KIND_CLUSTER, "", KECS_E_INVALID},    {true, KECS_KIND_CLUSTER, NULL, KECS_E_MISUSE},
      {true, KECS_KIND_TARGET, "g,i,x", KECS_E_INVALID},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_result *result = (kecs_result *)&row;
    const char *text = "";
    CONTRACT_FAILS(kecs_get_json(cases[i].store ? store : NULL, (kecs_kind)cases[i].kind, cases[i].key, 0, &result,
                                 &text),
                   cases[i].status);
    assert_null(result);
    assert_null(text);
  }
  kecs_result *result = (kecs_result *)&row;
  const char *text = "";
  CONTRACT_FAILS(kecs_get_json(store, KECS_KIND_CLUSTER, "web", 0, &result, NULL), KECS_E_MISUSE);
  assert_null(result);
  CONTRACT_FAILS(kecs_get_json(store, KECS_KIND_CLUSTER, "web", 0, NULL, &text), KECS_E_MISUSE);
  assert_null(text);
  text = "";
  CONTRACT_FAILS(kecs_record_json(kept, NULL, &row, 0, &text), KECS_E_MISUSE);
  assert_null(text);
  text = "";
  CONTRACT_FAILS(kecs_record_json(kept, kecs_kind_describe(KECS_KIND_CLUSTER), NULL, 0, &text), KECS_E_MISUSE);
  assert_null(text);
  CONTRACT_FAILS(kecs_record_json(kept, kecs_kind_describe(KECS_KIND_CLUSTER), &row, 0, NULL), KECS_E_MISUSE);
  kecs_result_free(kept);
  contract_close(store);
}

/* The last row of many fails: no result of the others. */
static void a_result_of_many_goes_with_the_last_failure(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_cluster rows[] = {{.name = "a"}, {.name = "b"}, {.name = "a"}};
  const char *keys[] = {"a", "b", NULL};
  for (int inside = 0; inside < 2; inside++) {
    kecs_result *result = (kecs_result *)&rows;
    if (inside) {
      CONTRACT_OK(kecs_begin(store, &tx));
    }
    kecs_store *handle = inside ? tx : store;
    CONTRACT_FAILS(kecs_cluster_create_many(handle, rows, 3, &result), KECS_E_EXISTS);
    assert_null(result);
    CONTRACT_NUMBER(contract_count_rows(handle, KECS_KIND_CLUSTER), 0);
    result = (kecs_result *)&rows;
    CONTRACT_FAILS(kecs_cluster_get_many(handle, keys, 3, &result), KECS_E_MISUSE);
    assert_null(result);
  }
  CONTRACT_OK(kecs_rollback(tx));
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(success_leaves_the_last_error),
    CONTRACT_TEST(success_before_a_deadline_leaves_the_last_error),
    CONTRACT_TEST(helpers_leave_the_last_error),
    CONTRACT_TEST(results_of_failures_are_null),
    CONTRACT_TEST(both_outputs_of_a_document),
    CONTRACT_TEST(a_result_of_many_goes_with_the_last_failure),
};

CONTRACT_MAIN("outputs", tests)
