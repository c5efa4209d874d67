/* test_plans.c -- how SQLite answers: no statement of any public operation walks a whole table.
 *
 * A decorator around the SQLite backend writes down every statement that is prepared while each operation runs once.
 * EXPLAIN QUERY PLAN then tells how SQLite would run it: "SCAN table" without an index is a failure, unless
 * `allowed_scans` has a reason for it. Statements of lists in their default order must not sort either.
 *
 * Where tables have tenants, the same statements must each say whose rows they mean, once for each table. */
#include "contract.h"

#include <sqlite3.h>

/* ---- the decorator ---- */

enum { STATEMENTS_MAX = 4096 };

typedef struct recorded {
  char *sql;
  const char *operation; /* what ran when it was first prepared */
  bool default_list;
} recorded;

static recorded statements[STATEMENTS_MAX];
static size_t statement_count;
static const char *operation;
static bool default_list;

static kecs_status record_prepare(kecs_connection *connection, const char *sql, size_t len,
                                  kecs_statement **out_statement) {
  bool known = false;
  for (size_t i = 0; i < statement_count; i++) {
    if (strlen(statements[i].sql) == len && memcmp(statements[i].sql, sql, len) == 0) {
      known = true;
      statements[i].default_list = statements[i].default_list || default_list;
    }
  }
  if (!known && statement_count < STATEMENTS_MAX) {
    statements[statement_count++] = (recorded){strndup(sql, len), operation, default_list};
  }
  return contract_real_backend()->prepare(connection, sql, len, out_statement);
}

static kecs_backend decorator;
static const kecs_backend *const decorators[] = {&decorator, NULL};

static kecs_store *open_recording(void) {
  kecs_options options = {.backends = decorators, .readers = 1};
  decorator = *contract_real_backend();
  decorator.prepare = record_prepare;
  operation = "open";
  return contract_open_with(&options);
}

static void forget_statements(void) {
  for (size_t i = 0; i < statement_count; i++) {
    free(statements[i].sql);
  }
  statement_count = 0;
}

/* ---- the judgement ---- */

/* Statements that may walk a table, each with its reason. Every one must occur: a line that nothing needs goes. */
static const struct {
  const char *table;
  const char *part; /* of the statement */
  const char *reason;
} allowed_scans[] = {
    {"elbv2_listeners", " ORDER BY port,arn", "listeners are asked for by load balancer; a list of all is rare"},
    {"elbv2_rules", " ORDER BY priority,arn", "rules are asked for by listener; a list of all is rare, for exports"},
    {"task_logs", "count(*) FROM task_logs WHERE container_name=?1", "a count that names neither task nor time"},
    {"task_logs", "count(*) FROM task_logs WHERE log_level=?1", "a count that names neither task nor time"},
    {"task_logs", "count(*) FROM task_logs WHERE instr(", "a count that names neither task nor time"},
};

static bool scan_used[CONTRACT_COUNT(allowed_scans)];

/* `table` may be NULL: the statement as such. */
static bool is_allowed(const char *table, const char *sql) {
  for (size_t i = 0; i < CONTRACT_COUNT(allowed_scans); i++) {
    if ((!table || strcmp(allowed_scans[i].table, table) == 0) && strstr(sql, allowed_scans[i].table) &&
        strstr(sql, allowed_scans[i].part)) {
      scan_used[i] = true;
      return true;
    }
  }
  return false;
}

/* Whether one line of a plan is bad: a walk over a table that an index does not lead. */
static bool line_is_bad(const char *line, const recorded *one) {
  char table[128];
  if (one->default_list && strstr(line, "USE TEMP B-TREE FOR ORDER BY")) {
    return !is_allowed(NULL, one->sql);
  }
  if (strncmp(line, "SCAN ", 5) != 0 || strstr(line, "USING INDEX") || strstr(line, "USING COVERING INDEX")) {
    return false;
  }
  snprintf(table, sizeof table, "%.*s", (int)strcspn(line + 5, " "), line + 5);
  if (strcmp(table, "CONSTANT") == 0 || strchr(table, '(')) {
    return false;
  }
  return !is_allowed(table, one->sql);
}

static bool is_planned(const char *sql) {
  static const char *const verbs[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE"};
  for (size_t i = 0; i < CONTRACT_COUNT(verbs); i++) {
    if (strncmp(sql, verbs[i], strlen(verbs[i])) == 0) {
      return true;
    }
  }
  return false;
}

static int explain(sqlite3 *db, const recorded *one) {
  sqlite3_stmt *plan = NULL;
  int bad = 0;
  size_t size = strlen(one->sql) + 32;
  char *sql = malloc(size);
  snprintf(sql, size, "EXPLAIN QUERY PLAN %s", one->sql);
  if (sqlite3_prepare_v2(db, sql, -1, &plan, NULL) != SQLITE_OK) {
    fail_msg("%s: %s", sqlite3_errmsg(db), one->sql);
  }
  while (sqlite3_step(plan) == SQLITE_ROW) {
    const char *line = (const char *)sqlite3_column_text(plan, 3);
    if (line_is_bad(line, one)) {
      print_error("%s: %s\n  %s\n", one->operation, line, one->sql);
      bad++;
    }
  }
  sqlite3_finalize(plan);
  free(sql);
  return bad;
}

static void judge(kecs_store *store) {
  sqlite3 *db = NULL;
  int bad = 0;
  int planned = 0;
  assert_int_equal(sqlite3_open_v2(contract_path(store), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  for (size_t i = 0; i < statement_count; i++) {
    if (is_planned(statements[i].sql)) {
      bad += explain(db, &statements[i]);
      planned++;
    }
  }
  sqlite3_close(db);
  forget_statements();
  assert_true(planned > 10);
  assert_true(planned < STATEMENTS_MAX);
  if (bad) {
    fail_msg("%d plans of %d are bad", bad, planned);
  }
}

/* ---- every operation, once ---- */

static kecs_status visit_nothing(const void *row, void *user) {
  (void)row;
  (void)user;
  return KECS_OK;
}

/* An operation of a kind that is not there may fail; only its statements matter. */
#define RUN(call) (operation = #call, (void)(call))

static void list_pages(kecs_store *store, kecs_kind kind, const kecs_query *asked) {
  kecs_query query = asked ? *asked : (kecs_query){0};
  kecs_result *first = NULL;
  kecs_result *second = NULL;
  query.limit = 1;
  CONTRACT_OK(kecs_record_list(store, kind, &query, &first));
  query.page_token = kecs_result_page_token(first);
  if (query.page_token) {
    CONTRACT_OK(kecs_record_list(store, kind, &query, &second));
  }
  kecs_result_free(second);
  kecs_result_free(first);
}

/* Reads that every caller pages through: the default order, plain and within what owns the rows. */
static void default_lists_are_ranges_of_an_index(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  static const struct {
    kecs_kind kind;
    int column;
    const char *text;
  } owned[] = {
      {KECS_KIND_SERVICE, KECS_SERVICE_CLUSTER_ARN, CONTRACT_CLUSTER},
      {KECS_KIND_TASK, KECS_TASK_CLUSTER_ARN, CONTRACT_CLUSTER},
      {KECS_KIND_CONTAINER_INSTANCE, KECS_CONTAINER_INSTANCE_CLUSTER_ARN, CONTRACT_CLUSTER},
      {KECS_KIND_TASK_SET, KECS_TASK_SET_SERVICE_ARN, CONTRACT_SERVICE},
      {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_CLUSTER, "parent"},
      {KECS_KIND_TASK_LOG, KECS_TASK_LOG_TASK_ARN, "t"},
      {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_REGION, "us-east-1"},
      {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_REGION, "us-east-1"},
      {KECS_KIND_LISTENER, KECS_LISTENER_LOAD_BALANCER_ARN, CONTRACT_BALANCER},
      {KECS_KIND_RULE, KECS_RULE_LISTENER_ARN, CONTRACT_LISTENER},
      {KECS_KIND_TARGET, KECS_TARGET_TARGET_GROUP_ARN, CONTRACT_GROUP},
      {KECS_KIND_TAG, KECS_TAG_RESOURCE_ARN, "x"},
      {KECS_KIND_EVENT, KECS_EVENT_RESOURCE_ARN, "x"},
      {KECS_KIND_EVENT, KECS_EVENT_EVENT_TYPE, "x"},
      {KECS_KIND_NODE, KECS_NODE_STATUS, "online"},
  };
  kecs_store *store = open_recording();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    for (int i = 0; i < 3; i++) {
      contract_row made;
      CONTRACT_OK(kecs_record_create(store, (kecs_kind)kind, contract_make_row((kecs_kind)kind, i, &made), NULL));
    }
  }
  default_list = true;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    operation = kecs_kind_describe((kecs_kind)kind)->name;
    list_pages(store, (kecs_kind)kind, NULL);
    CONTRACT_OK(kecs_record_each(store, (kecs_kind)kind, NULL, visit_nothing, NULL));
  }
  for (size_t i = 0; i < CONTRACT_COUNT(owned); i++) {
    kecs_filter filter = {.column = owned[i].column, .op = KECS_EQ, .text = owned[i].text};
    kecs_query query = {.where = &filter, .where_count = 1};
    operation = kecs_kind_describe(owned[i].kind)->columns[owned[i].column].name;
    list_pages(store, owned[i].kind, &query);
  }
  default_list = false;
  judge(store);
  contract_close(store);
}

/* Filters on each column that a key or an index begins with are searches. */
static void indexed_columns_are_searched(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = open_recording();
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < info->key_count + info->index_count; i++) {
      const kecs_column_list *list = i < info->key_count ? &info->keys[i] : &info->indexes[i - info->key_count];
      if (list->when_set && i < info->key_count) {
        continue; /* a key for some rows only can't answer for all */
      }
      kecs_filter filter = {.column = list->columns[0], .op = KECS_EQ, .text = "x", .number = 1};
      kecs_query query = {.where = &filter, .where_count = 1};
      int64_t count = 0;
      operation = list->name;
      CONTRACT_OK(kecs_record_count(store, info->kind, &query, &count));
    }
  }
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open_v2(contract_path(store), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  for (size_t i = 0; i < statement_count; i++) {
    sqlite3_stmt *plan = NULL;
    char sql[4096];
    snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statements[i].sql);
    if (strncmp(statements[i].sql, "SELECT count(", 13) != 0) {
      continue;
    }
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(plan), SQLITE_ROW);
    const char *line = (const char *)sqlite3_column_text(plan, 3);
    if (strncmp(line, "SEARCH ", 7) != 0) {
      fail_msg("%s: %s: %s", statements[i].operation, line, statements[i].sql);
    }
    sqlite3_finalize(plan);
  }
  sqlite3_close(db);
  forget_statements();
  contract_close(store);
}

static void run_every_kind(kecs_store *store) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row made;
    void *row = contract_make_row(info->kind, 7, &made);
    char key[1024];
    int64_t count = 0;
    kecs_result *result = NULL;
    const char *text = NULL;
    contract_row_key(info, row, key, sizeof key);
    operation = info->name;
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
    CONTRACT_OK(kecs_record_get(store, info->kind, key, &result));
    kecs_result_free(result);
    for (int k = 0; k < info->key_count; k++) { /* what a taken key is told by */
      (void)kecs_record_create(store, info->kind, row, NULL);
    }
    if (!(info->flags & KECS_KIND_APPEND)) {
      for (int i = 0; i < info->column_count; i++) {
        if (contract_column_changes(info, i)) {
          (void)kecs_record_update(store, info->kind, row, KECS_BIT(i), NULL);
        }
      }
      CONTRACT_OK(kecs_record_update(store, info->kind, row, UINT64_MAX, NULL));
      CONTRACT_OK(kecs_record_upsert(store, info->kind, row, NULL));
    }
    CONTRACT_OK(kecs_record_count(store, info->kind, NULL, &count));
    CONTRACT_OK(kecs_get_json(store, info->kind, key, 0, &result, &text));
    (void)kecs_put_json(store, info->kind, text, SIZE_MAX, KECS_JSON_PARENTS, NULL); /* some kinds only append */
    kecs_result_free(result);
    CONTRACT_OK(kecs_record_delete(store, info->kind, key));
  }
}

static void run_ecs(kecs_store *store) {
  kecs_result *result = NULL;
  int64_t count = 0;
  kecs_cluster cluster = {.name = "ensured"};
  kecs_task_definition definition = {.family = "f", .container_definitions = "[]"};
  kecs_attribute attribute = {.cluster = "parent", .name = "n", .target_id = "t"};
  kecs_family_query families = {.prefix = "f", .status = "ACTIVE"};
  kecs_family_query all_families = {0};
  RUN(kecs_cluster_ensure(store, &cluster, NULL, NULL));
  RUN(kecs_cluster_ensure(store, &cluster, NULL, NULL));
  RUN(kecs_cluster_delete_idle(store, "ensured"));
  RUN(kecs_cluster_delete_idle(store, "parent"));
  RUN(kecs_task_definition_register(store, &definition, NULL));
  RUN(kecs_task_definition_latest(store, "f", &result));
  kecs_result_free(result);
  RUN(kecs_task_definition_get(store, "f:1", &result));
  kecs_result_free(result);
  RUN(kecs_task_definition_revisions(store, "f", NULL, 0, NULL, &result));
  kecs_result_free(result);
  RUN(kecs_task_definition_revisions(store, "f", "ACTIVE", 0, NULL, &result));
  kecs_result_free(result);
  RUN(kecs_task_definition_families(store, &all_families, &result));
  kecs_result_free(result);
  RUN(kecs_task_definition_families(store, &families, &result));
  kecs_result_free(result);
  RUN(kecs_task_definition_deregister(store, "f:1", NULL));
  RUN(kecs_service_delete_marked(store, "parent", 1, &count));
  RUN(kecs_service_delete_marked(store, NULL, 1, &count));
  RUN(kecs_task_set_update_primary(store, CONTRACT_SERVICE, "x", NULL));
  RUN(kecs_task_set_delete_orphaned(store, "parent", &count));
  RUN(kecs_container_instance_search(store, "parent", "x", NULL, &result));
  kecs_result_free(result);
  RUN(kecs_container_instance_search(store, NULL, "x", NULL, &result));
  kecs_result_free(result);
  RUN(kecs_container_instance_deregister(store, "parent", "x", NULL));
  RUN(kecs_container_instance_delete_stale(store, "parent", 1, &count));
  RUN(kecs_container_instance_delete_stale(store, NULL, 1, &count));
  RUN(kecs_attribute_put(store, &attribute, 1));
  RUN(kecs_attribute_remove(store, "parent", &attribute, 1));
  RUN(kecs_account_setting_set_default(store, "n", "v", NULL));
  RUN(kecs_account_setting_get_default(store, "n", &result));
  kecs_result_free(result);
  RUN(kecs_account_setting_effective(store, "p", NULL, &result));
  kecs_result_free(result);
  RUN(kecs_account_setting_effective(store, "p", "n", &result));
  kecs_result_free(result);
  RUN(kecs_event_prune(store, 1, &count));
}

static void run_tasks_and_logs(kecs_store *store) {
  static const kecs_task_filter filters[] = {
      {0},
      {.cluster = "parent"},
      {.service = CONTRACT_SERVICE},
      {.service = "parent-svc"},
      {.cluster = "parent", .service = "parent-svc"},
      {.family = "f"},
      {.container_instance = "x"},
      {.desired_status = "RUNNING"},
      {.last_status = "RUNNING"},
      {.launch_type = "EC2"},
      {.started_by = "x"},
  };
  static const kecs_log_filter logs[] = {
      {0}, {.task_arn = "t"}, {.container_name = "c"}, {.level = "ERROR"}, {.search = "x"}, {.from = 1, .to = 2},
      {.task_arn = "t", .container_name = "c", .level = "ERROR", .search = "x", .from = 1, .to = 2},
  };
  kecs_result *result = NULL;
  int64_t count = 0;
  for (size_t i = 0; i < CONTRACT_COUNT(filters); i++) {
    RUN(kecs_task_find(store, &filters[i], NULL, &result));
    kecs_result_free(result);
    result = NULL;
  }
  static const char *const statuses[] = {NULL, "RUNNING", "STOPPED"};
  for (size_t i = 0; i < CONTRACT_COUNT(statuses); i++) {
    RUN(kecs_task_delete_older(store, "parent", 1, statuses[i], &count));
    RUN(kecs_task_delete_older(store, NULL, 1, statuses[i], &count));
  }
  for (size_t i = 0; i < CONTRACT_COUNT(logs); i++) {
    RUN(kecs_task_log_find(store, &logs[i], false, 0, NULL, &result));
    kecs_result_free(result);
    RUN(kecs_task_log_find(store, &logs[i], true, 0, NULL, &result));
    kecs_result_free(result);
    RUN(kecs_task_log_count_matching(store, &logs[i], &count));
  }
  RUN(kecs_task_log_delete_older(store, 1, &count));
  RUN(kecs_task_log_delete_task(store, "t", &count));
}

static void run_balancing(kecs_store *store) {
  kecs_result *result = NULL;
  int64_t number = 0;
  contract_row made;
  kecs_rule *rule = contract_make_row(KECS_KIND_RULE, 1, &made);
  kecs_target target = {.id = "i-1", .port = 1};
  static const char *const ids[] = {"i-1"};
  CONTRACT_OK(kecs_rule_create(store, rule, NULL));
  kecs_rule_priority priority = {rule->arn, 77};
  RUN(kecs_rule_set_priorities(store, &priority, 1));
  RUN(kecs_rule_check_priority(store, CONTRACT_LISTENER, 78, rule->arn));
  for (int band = KECS_RULE_BAND_CRITICAL; band <= KECS_RULE_BAND_CATCH_ALL; band++) {
    RUN(kecs_rule_next_priority(store, CONTRACT_LISTENER, (kecs_rule_band)band, &number));
  }
  RUN(kecs_target_register(store, CONTRACT_GROUP, &target, 1));
  RUN(kecs_target_update_health(store, CONTRACT_GROUP, "i-1", 1, "healthy", NULL, NULL));
  RUN(kecs_target_update_health(store, CONTRACT_GROUP, "i-1", 0, "unused", NULL, NULL));
  RUN(kecs_target_deregister(store, CONTRACT_GROUP, ids, 1, &number));
  RUN(kecs_target_group_associate(store, CONTRACT_GROUP, CONTRACT_BALANCER));
  RUN(kecs_target_group_load_balancers(store, CONTRACT_GROUP, &result));
  kecs_result_free(result);
  result = NULL;
  RUN(kecs_load_balancer_target_groups(store, CONTRACT_BALANCER, &result));
  kecs_result_free(result);
  RUN(kecs_target_group_disassociate(store, CONTRACT_GROUP, CONTRACT_BALANCER));
}

static void run_nodes_and_tags(kecs_store *store) {
  kecs_result *result = NULL;
  int64_t count = 0;
  kecs_node node = {.id = "n", .hostname = "h"};
  kecs_key_value tag = {"k", "v"};
  static const char *const keys[] = {"k"};
  static const char *const arns[] = {CONTRACT_CLUSTER, CONTRACT_SERVICE, CONTRACT_GROUP, CONTRACT_BALANCER};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  RUN(kecs_node_heartbeat(store, "n", 3));
  RUN(kecs_node_heartbeat(store, "n", -1));
  RUN(kecs_node_mark_stale(store, 1, &count));
  RUN(kecs_node_available(store, &result));
  kecs_result_free(result);
  result = NULL;
  RUN(kecs_node_prune(store, 1, &count));
  RUN(kecs_node_task_prune(store, 1, &count));
  for (size_t i = 0; i < CONTRACT_COUNT(arns); i++) {
    RUN(kecs_tags_add(store, arns[i], &tag, 1));
    RUN(kecs_tags_remove(store, arns[i], keys, 1));
  }
  RUN(kecs_tags_add(store, "arn:aws:ecs:us-east-1:000000000000:cluster/absent", &tag, 1));
  RUN(kecs_tags_describe(store, arns, CONTRACT_COUNT(arns), &result));
  kecs_result_free(result);
  static const char import[] =
      "{\"services\":[{\"serviceName\":\"imported\",\"clusterArn\":\"" CONTRACT_ARN_ECS "cluster/parent\","
      "\"serviceArn\":\"" CONTRACT_ARN_ECS "service/parent/imported\"}]}";
  RUN(kecs_import(store, import, SIZE_MAX, NULL, &count, &count));
}

static int occurrences(const char *text, const char *part) {
  int count = 0;
  for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) {
    count++;
  }
  return count;
}

/* Tables are written "public".NAME there; conditions tenant='NAME', values 'NAME'. */
static void judge_tenants(const kecs_store *store) {
  const char *name = strstr(contract_path(store), "tenant=") + strlen("tenant=");
  char literal[64];
  size_t judged = 0;
  snprintf(literal, sizeof literal, "'%s'", name);
  for (size_t i = 0; i < statement_count; i++) {
    const char *sql = statements[i].sql;
    int shared = occurrences(sql, "\"public\".schema_version");
    int tables = occurrences(sql, "\"public\".") - shared;
    const char *scope = strncmp(sql, "INSERT", 6) == 0 ? literal : "tenant='";
    if (occurrences(sql, scope) != tables || occurrences(sql, literal) != tables) {
      fail_msg("%s does not say %d times whose rows it means: %s", statements[i].operation, tables, sql);
    }
    judged += tables > 0;
  }
  assert_true(judged > 100);
  forget_statements();
}

static void no_operation_walks_a_table(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return;
  }
  kecs_store *store = open_recording();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  contract_parents(store);
  run_every_kind(store);
  run_ecs(store);
  run_tasks_and_logs(store);
  run_balancing(store);
  run_nodes_and_tags(store);
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_begin(tx, &inner));
  run_tasks_and_logs(inner);
  CONTRACT_OK(kecs_commit(inner));
  CONTRACT_OK(kecs_commit(tx));
  operation = "kecs_cluster_delete";
  CONTRACT_OK(kecs_cluster_delete(store, "parent"));
  operation = "kecs_load_balancer_delete";
  CONTRACT_OK(kecs_load_balancer_delete(store, "parent"));
  if (contract_is_sqlite()) {
    judge(store);
  } else {
    judge_tenants(store);
  }
  contract_close(store);
}

/* Runs last: what the tests before it did not need need not be allowed. */
static void every_allowed_walk_happens(void **state) {
  (void)state;
  for (size_t i = 0; contract_is_file() && i < CONTRACT_COUNT(allowed_scans); i++) {
    if (!scan_used[i]) {
      fail_msg("nothing walks %s for \"%s\" (%s) any more: take the line out", allowed_scans[i].table,
               allowed_scans[i].part, allowed_scans[i].reason);
    }
  }
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(default_lists_are_ranges_of_an_index),
    CONTRACT_TEST(indexed_columns_are_searched),
    CONTRACT_TEST(no_operation_walks_a_table),
    CONTRACT_TEST(every_allowed_walk_happens),
};

CONTRACT_MAIN("plans", tests)
