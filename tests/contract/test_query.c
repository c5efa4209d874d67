/* test_query.c -- filters, order, limits, each and count, compared with an oracle that filters in C. */
#include "contract.h"

/* ---- an oracle: what a filter means ---- */

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool contains_nocase(const char *text, const char *part) {
  size_t len = strlen(part);
  for (; strlen(text) >= len; text++) {
    size_t i = 0;
    while (i < len && lower(text[i]) == lower(part[i])) {
      i++;
    }
    if (i == len) {
      return true;
    }
  }
  return false;
}

static int compare_number(int64_t a, int64_t b) {
  return a < b ? -1 : a > b;
}

static bool in_order(kecs_op op, int order) {
  switch (op) {
    case KECS_EQ: return order == 0;
    case KECS_NE: return order != 0;
    case KECS_LT: return order < 0;
    case KECS_LE: return order <= 0;
    case KECS_GT: return order > 0;
    case KECS_GE: return order >= 0;
    default: return false;
  }
}

static bool text_matches(const char *value, const kecs_filter *filter) {
  if (filter->op == KECS_IN) {
    for (size_t i = 0; i < filter->count; i++) {
      if (strcmp(value, filter->texts[i]) == 0) {
        return true;
      }
    }
    return false;
  }
  if (filter->op == KECS_PREFIX) {
    return strncmp(value, filter->text, strlen(filter->text)) == 0;
  }
  if (filter->op == KECS_CONTAINS) {
    return strstr(value, filter->text) != NULL;
  }
  if (filter->op == KECS_CONTAINS_NOCASE) {
    return contains_nocase(value, filter->text);
  }
  int order = strcmp(value, filter->text);
  return in_order(filter->op, order);
}

static bool row_matches(const kecs_kind_info *info, const void *row, const kecs_filter *filter) {
  bool text = contract_column_is_text(info, filter->column);
  bool null = false;
  int64_t number = text ? 0 : contract_get_number(info, row, filter->column, &null);
  const char *value = text ? contract_get_text(info, row, filter->column) : NULL;
  null = text ? value == NULL : null;
  if (filter->op == KECS_IS_NULL || filter->op == KECS_NOT_NULL) {
    return null == (filter->op == KECS_IS_NULL);
  }
  if (null) {
    return false;
  }
  if (text) {
    return text_matches(value, filter);
  }
  if (filter->op == KECS_IN) {
    for (size_t i = 0; i < filter->count; i++) {
      if (filter->numbers[i] == number) {
        return true;
      }
    }
    return false;
  }
  return in_order(filter->op, compare_number(number, filter->number));
}

/* ---- rows to look for: texts, numbers, times and truths, each with NULLs where the column has them ---- */

static const char *const words[] = {
    "alpha", "Alpha", "ALPHA", "alphabet", "al%a", "al_a", "alxa", "al\\a", "al\\%a", "%", "_", "\\", "", "a", "B", "b",
    "\xc3\xa9t\xc3\xa9", "\xc3\x89t\xc3\xa9", "e", "z", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "'", "''", "x'; --", "al",
};

enum { WORDS = (int)CONTRACT_COUNT(words) };

static const int64_t numbers[] = {0, 1, -1, 80, 81, INT64_MAX, INT64_MIN, 1000000};

static kecs_store *open_nodes(void) {
  kecs_store *store = contract_open();
  kecs_node_task rows[WORDS + 2];
  kecs_node nodes[CONTRACT_COUNT(numbers) * 2];
  char ids[WORDS + 2][16];
  memset(rows, 0, sizeof rows);
  memset(nodes, 0, sizeof nodes);
  for (int i = 0; i < WORDS + 2; i++) {
    snprintf(ids[i], sizeof ids[i], "t%02d", i);
    rows[i].id = ids[i];
    rows[i].name = i < WORDS ? words[i] : "same";
    rows[i].image = "image";
    rows[i].error = i < WORDS ? words[i] : NULL;
    rows[i].env = i % 3 ? "{\"A\":\"b%c\"}" : NULL;
    rows[i].started_at = i % 2 ? CONTRACT_NOW + i : 0;
    rows[i].created_at = CONTRACT_NOW - i;
  }
  for (size_t i = 0; i < CONTRACT_COUNT(nodes); i++) {
    nodes[i].id = ids[i];
    nodes[i].hostname = "host";
    nodes[i].running_tasks = numbers[i % CONTRACT_COUNT(numbers)];
    nodes[i].capacity.has = i < CONTRACT_COUNT(numbers);
    nodes[i].capacity.value = nodes[i].capacity.has ? numbers[i] : 0;
  }
  CONTRACT_OK(kecs_node_task_create_many(store, rows, WORDS + 2, NULL));
  CONTRACT_OK(kecs_node_create_many(store, nodes, CONTRACT_COUNT(nodes), NULL));
  return store;
}

typedef struct walk {
  const kecs_kind_info *info;
  const kecs_filter *filter;
  size_t count;
  size_t stop_after;
  kecs_status stop_with;
} walk;

static kecs_status walk_row(const void *row, void *user) {
  walk *one = user;
  one->count++;
  if (one->filter && !row_matches(one->info, row, one->filter)) {
    return KECS_E_CORRUPT;
  }
  return one->stop_after && one->count == one->stop_after ? one->stop_with : KECS_OK;
}

/* list, each and count agree with the oracle. */
static void check_filter(kecs_store *store, kecs_kind kind, const kecs_filter *filter) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_query everything = {.limit = 1000};
  kecs_query query = {.where = filter, .where_count = 1, .limit = 1000};
  kecs_result *all = NULL;
  kecs_result *found = NULL;
  size_t expected = 0;
  int64_t count = -1;
  walk each = {info, filter, 0, 0, KECS_OK};
  CONTRACT_OK(kecs_record_list(store, kind, &everything, &all));
  CONTRACT_OK(kecs_record_list(store, kind, &query, &found));
  CONTRACT_OK(kecs_record_count(store, kind, &query, &count));
  query.limit = 0;
  CONTRACT_OK(kecs_record_each(store, kind, &query, walk_row, &each));
  for (size_t i = 0; i < kecs_result_count(all); i++) {
    const void *row = kecs_record_at(all, kind, i);
    if (!row_matches(info, row, filter)) {
      continue;
    }
    const void *got = kecs_record_at(found, kind, expected);
    if (!got || !contract_column_same(info, row, got, info->keys[0].columns[0])) {
      char shown[64] = "";
      (void)kecs_record_text(info, row, info->keys[0].columns[0], shown, sizeof shown, NULL);
      fail_msg("%s.%s op %d \"%s\" %lld: row %s is not found", info->name, info->columns[filter->column].name,
               (int)filter->op, filter->text ? filter->text : "", (long long)filter->number, shown);
    }
    expected++;
  }
  if (kecs_result_count(found) != expected || count != (int64_t)expected || each.count != expected) {
    fail_msg("%s.%s op %d \"%s\" %lld: list %zu, count %lld, each %zu, not %zu", info->name,
             info->columns[filter->column].name, (int)filter->op, filter->text ? filter->text : "",
             (long long)filter->number, kecs_result_count(found), (long long)count, each.count, expected);
  }
  kecs_result_free(all);
  kecs_result_free(found);
}

static void every_operator_on_texts(void **state) {
  (void)state;
  static const int columns[] = {KECS_NODE_TASK_NAME, KECS_NODE_TASK_ERROR, KECS_NODE_TASK_ENV};
  kecs_store *store = open_nodes();
  for (size_t c = 0; c < CONTRACT_COUNT(columns); c++) {
    for (int op = KECS_EQ; op <= KECS_NOT_NULL; op++) {
      for (size_t w = 0; op != KECS_IN && w < CONTRACT_COUNT(words); w++) {
        kecs_filter filter = {.column = columns[c], .op = (kecs_op)op, .text = words[w]};
        check_filter(store, KECS_KIND_NODE_TASK, &filter);
      }
    }
  }
  kecs_filter document = {.column = KECS_NODE_TASK_ENV, .op = KECS_EQ, .text = "{\"A\":\"b%c\"}"};
  check_filter(store, KECS_KIND_NODE_TASK, &document);
  contract_close(store);
}

static void every_operator_on_numbers(void **state) {
  (void)state;
  static const int columns[] = {KECS_NODE_RUNNING_TASKS, KECS_NODE_CAPACITY, KECS_NODE_VERSION};
  static const kecs_op ops[] = {KECS_EQ, KECS_NE, KECS_LT, KECS_LE, KECS_GT, KECS_GE, KECS_IS_NULL, KECS_NOT_NULL};
  kecs_store *store = open_nodes();
  for (size_t c = 0; c < CONTRACT_COUNT(columns); c++) {
    for (size_t op = 0; op < CONTRACT_COUNT(ops); op++) {
      for (size_t n = 0; n < CONTRACT_COUNT(numbers); n++) {
        kecs_filter filter = {.column = columns[c], .op = ops[op], .number = numbers[n]};
        check_filter(store, KECS_KIND_NODE, &filter);
      }
    }
    kecs_filter in = {.column = columns[c], .op = KECS_IN, .numbers = numbers, .count = 3};
    check_filter(store, KECS_KIND_NODE, &in);
  }
  for (size_t op = 0; op < CONTRACT_COUNT(ops); op++) {
    kecs_filter time = {.column = KECS_NODE_TASK_STARTED_AT, .op = ops[op], .number = CONTRACT_NOW + 7};
    check_filter(store, KECS_KIND_NODE_TASK, &time);
    time.column = KECS_NODE_TASK_CREATED_AT;
    check_filter(store, KECS_KIND_NODE_TASK, &time);
  }
  contract_close(store);
}

static void truths_and_ranks(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int i = 0; i < 6; i++) {
    contract_row made;
    kecs_account_setting *setting = contract_make_row(KECS_KIND_ACCOUNT_SETTING, i, &made);
    setting->is_default = i % 3 == 0;
    CONTRACT_OK(kecs_account_setting_create(store, setting, NULL));
    kecs_rule *rule = contract_make_row(KECS_KIND_RULE, i, &made);
    rule->is_default = i == 5;
    rule->priority = i == 5 ? KECS_RANK_DEFAULT : rule->priority;
    CONTRACT_OK(kecs_record_create(store, KECS_KIND_RULE, rule, NULL));
  }
  for (int op = KECS_EQ; op <= KECS_GE; op++) {
    for (int64_t value = 0; value < 2; value++) {
      kecs_filter truth = {.column = KECS_ACCOUNT_SETTING_IS_DEFAULT, .op = (kecs_op)op, .number = value};
      check_filter(store, KECS_KIND_ACCOUNT_SETTING, &truth);
    }
    kecs_filter rank = {.column = KECS_RULE_PRIORITY, .op = (kecs_op)op, .number = 3};
    check_filter(store, KECS_KIND_RULE, &rank);
    rank.number = KECS_RANK_DEFAULT;
    check_filter(store, KECS_KIND_RULE, &rank);
  }
  contract_close(store);
}

static void lists_of_values(void **state) {
  (void)state;
  enum { MOST = 500 };
  static const size_t counts[] = {0, 1, 2, MOST};
  kecs_store *store = open_nodes();
  const char *texts[MOST + 1];
  int64_t values[MOST + 1];
  for (int i = 0; i <= MOST; i++) {
    texts[i] = i < WORDS ? words[i] : "nothing";
    values[i] = i;
  }
  for (size_t i = 0; i < CONTRACT_COUNT(counts); i++) {
    kecs_filter in = {.column = KECS_NODE_TASK_NAME, .op = KECS_IN, .texts = texts, .count = counts[i]};
    check_filter(store, KECS_KIND_NODE_TASK, &in);
    kecs_filter in_numbers = {.column = KECS_NODE_RUNNING_TASKS, .op = KECS_IN, .numbers = values, .count = counts[i]};
    check_filter(store, KECS_KIND_NODE, &in_numbers);
  }
  static const char *const twice[] = {"alpha", "alpha", "b"};
  kecs_filter repeated = {.column = KECS_NODE_TASK_NAME, .op = KECS_IN, .texts = twice, .count = 3};
  check_filter(store, KECS_KIND_NODE_TASK, &repeated);
  kecs_filter bad[] = {
      {.column = KECS_NODE_TASK_NAME, .op = KECS_IN, .texts = texts, .count = MOST + 1},
      {.column = KECS_NODE_TASK_NAME, .op = KECS_IN, .count = 1},
      {.column = KECS_NODE_TASK_STARTED_AT, .op = KECS_IN, .count = 1},
      {.column = KECS_NODE_TASK_STARTED_AT, .op = KECS_IN, .numbers = values, .count = MOST + 1},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    kecs_query query = {.where = &bad[i], .where_count = 1};
    kecs_result *result = NULL;
    CONTRACT_FAILS(kecs_node_task_list(store, &query, &result), KECS_E_INVALID);
    CONTRACT_SAYS(kecs_kind_describe(KECS_KIND_NODE_TASK)->columns[bad[i].column].name);
    assert_null(result);
  }
  contract_close(store);
}

static void filters_are_joined_by_and(void **state) {
  (void)state;
  kecs_store *store = open_nodes();
  kecs_filter where[33];
  for (size_t i = 0; i < CONTRACT_COUNT(where); i++) {
    where[i] = (kecs_filter){.column = KECS_NODE_TASK_NAME, .op = KECS_CONTAINS, .text = "al"};
  }
  where[0] = (kecs_filter){.column = KECS_NODE_TASK_NAME, .op = KECS_CONTAINS, .text = "pha"};
  where[1] = (kecs_filter){.column = KECS_NODE_TASK_NAME, .op = KECS_NE, .text = "alphabet"};
  kecs_query query = {.where = where, .where_count = 32};
  kecs_result *result = NULL;
  int64_t count = 0;
  CONTRACT_OK(kecs_node_task_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  CONTRACT_TEXT(kecs_node_task_at(result, 0)->name, "alpha");
  kecs_result_free(result);
  query.where_count = 33;
  CONTRACT_FAILS(kecs_node_task_list(store, &query, &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_node_task_count(store, &query, &count), KECS_E_INVALID);
  query.where = NULL;
  query.where_count = 1;
  CONTRACT_FAILS(kecs_node_task_list(store, &query, &result), KECS_E_INVALID);
  query.where_count = 0;
  CONTRACT_OK(kecs_node_task_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), WORDS + 2);
  kecs_result_free(result);
  contract_close(store);
}

static void bad_filters_are_refused_by_name(void **state) {
  (void)state;
  static const struct {
    kecs_filter filter;
    const char *says;
  } cases[] = {
      {{.column = -1, .text = "x"}, "column"},
      {{.column = KECS_NODE_TASK_COLUMN_COUNT, .text = "x"}, "column"},
      {{.column = 64, .text = "x"}, "column"},
      {{.column = KECS_NODE_TASK_NAME, .op = (kecs_op)12, .text = "x"}, "name"},
      {{.column = KECS_NODE_TASK_NAME, .op = (kecs_op)-1, .text = "x"}, "name"},
      {{.column = KECS_NODE_TASK_NAME, .op = KECS_EQ}, "name"},
      {{.column = KECS_NODE_TASK_ERROR, .op = KECS_CONTAINS}, "error"},
  };
  kecs_store *store = open_nodes();
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_query query = {.where = &cases[i].filter, .where_count = 1};
    kecs_result *result = (kecs_result *)&query;
    int64_t count = 0;
    walk each = {kecs_kind_describe(KECS_KIND_NODE_TASK), NULL, 0, 0, KECS_OK};
    CONTRACT_FAILS(kecs_node_task_list(store, &query, &result), KECS_E_INVALID);
    CONTRACT_SAYS(cases[i].says);
    assert_null(result);
    CONTRACT_FAILS(kecs_node_task_count(store, &query, &count), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_record_each(store, KECS_KIND_NODE_TASK, &query, walk_row, &each), KECS_E_INVALID);
    CONTRACT_NUMBER(each.count, 0);
  }
  for (int op = KECS_PREFIX; op <= KECS_CONTAINS_NOCASE; op++) {
    kecs_filter filter = {.column = KECS_NODE_TASK_STARTED_AT, .op = (kecs_op)op, .text = "2"};
    kecs_query query = {.where = &filter, .where_count = 1};
    kecs_result *result = NULL;
    kecs_status status = kecs_node_task_list(store, &query, &result);
    assert_true(status == KECS_E_INVALID || status == KECS_E_UNSUPPORTED);
    CONTRACT_SAYS("started_at");
  }
  contract_close(store);
}

static void clusters_and_services_by_name_or_arn(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster other = {.name = "other"};
  contract_parents(store);
  CONTRACT_OK(kecs_cluster_create(store, &other, NULL));
  kecs_task tasks[] = {{.cluster_arn = "parent", .service_arn = CONTRACT_SERVICE},
                       {.cluster_arn = "parent"},
                       {.cluster_arn = "other"}};
  CONTRACT_OK(kecs_task_create_many(store, tasks, 3, NULL));
  static const char *const both[] = {"parent", CONTRACT_ARN_ECS "cluster/other"};
  const struct {
    kecs_filter filters[2];
    size_t count;
    int64_t expected;
  } cases[] = {
      {{{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "parent"}}, 1, 2},
      {{{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = CONTRACT_CLUSTER}}, 1, 2},
      {{{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_NE, .text = "parent"}}, 1, 1},
      {{{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "nowhere"}}, 1, 0},
      {{{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_IN, .texts = both, .count = 2}}, 1, 3},
      {{{.column = KECS_TASK_SERVICE_ARN, .op = KECS_EQ, .text = CONTRACT_SERVICE}}, 1, 1},
      {{{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "parent"},
        {.column = KECS_TASK_SERVICE_ARN, .op = KECS_EQ, .text = "parent-svc"}}, 2, 1},
      {{{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "other"},
        {.column = KECS_TASK_SERVICE_ARN, .op = KECS_EQ, .text = CONTRACT_SERVICE}}, 2, 0},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_query query = {.where = cases[i].filters, .where_count = cases[i].count};
    int64_t count = -1;
    CONTRACT_OK(kecs_task_count(store, &query, &count));
    if (count != cases[i].expected) {
      fail_msg("case %zu: %lld tasks, not %lld", i, (long long)count, (long long)cases[i].expected);
    }
  }
  contract_close(store);
}

/* ---- limits, each, count ---- */

static void limits(void **state) {
  (void)state;
  enum { ROWS = 1100 };
  static const struct {
    int limit;
    size_t expected; /* 0: INVALID */
  } cases[] = {{0, 100}, {1, 1}, {100, 100}, {999, 999}, {1000, 1000}, {1001, 0}, {-1, 0},
               {INT32_MAX, 0}, {INT32_MIN, 0}};
  kecs_store *store = contract_open();
  kecs_node *nodes = calloc(ROWS, sizeof *nodes);
  char(*ids)[16] = calloc(ROWS, sizeof *ids);
  for (int i = 0; i < ROWS; i++) {
    snprintf(ids[i], sizeof ids[i], "n%05d", i);
    nodes[i].id = ids[i];
    nodes[i].hostname = "host";
  }
  CONTRACT_OK(kecs_node_create_many(store, nodes, ROWS, NULL));
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_query query = {.limit = cases[i].limit};
    kecs_result *result = (kecs_result *)&query;
    int64_t count = 0;
    if (cases[i].expected == 0) {
      CONTRACT_FAILS(kecs_node_list(store, &query, &result), KECS_E_INVALID);
      CONTRACT_SAYS("limit");
      assert_null(result);
    } else {
      CONTRACT_OK(kecs_node_list(store, &query, &result));
      CONTRACT_NUMBER(kecs_result_count(result), cases[i].expected);
      assert_non_null(kecs_result_page_token(result));
      kecs_result_free(result);
    }
    CONTRACT_OK(kecs_node_count(store, &query, &count)); /* which reads no limit */
    CONTRACT_NUMBER(count, ROWS);
  }
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_node_list(store, NULL, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 100);
  kecs_result_free(result);
  walk all = {kecs_kind_describe(KECS_KIND_NODE), NULL, 0, 0, KECS_OK};
  CONTRACT_OK(kecs_record_each(store, KECS_KIND_NODE, NULL, walk_row, &all));
  CONTRACT_NUMBER(all.count, ROWS);
  free(ids);
  free(nodes);
  contract_close(store);
}

static void logs_and_events_have_larger_pages(void **state) {
  (void)state;
  static const kecs_kind kinds[] = {KECS_KIND_TASK_LOG, KECS_KIND_EVENT};
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(kinds); i++) {
    kecs_query query = {.limit = 10000};
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_record_list(store, kinds[i], &query, &result));
    CONTRACT_NUMBER(kecs_result_count(result), 0);
    assert_null(kecs_result_page_token(result));
    kecs_result_free(result);
    query.limit = 10001;
    CONTRACT_FAILS(kecs_record_list(store, kinds[i], &query, &result), KECS_E_INVALID);
  }
  contract_close(store);
}

static void each_stops_with_what_the_visitor_says(void **state) {
  (void)state;
  static const kecs_status stops[] = {KECS_E_NOT_FOUND, KECS_E_FULL, KECS_E_CANCELLED, KECS_E_MISUSE};
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_NODE_TASK);
  kecs_store *store = open_nodes();
  for (size_t i = 0; i < CONTRACT_COUNT(stops); i++) {
    walk stopped = {info, NULL, 0, i + 2, stops[i]};
    CONTRACT_NUMBER(kecs_record_each(store, KECS_KIND_NODE_TASK, NULL, walk_row, &stopped), stops[i]);
    CONTRACT_NUMBER(stopped.count, i + 2);
  }
  kecs_query query = {.limit = 5};
  walk limited = {info, NULL, 0, 0, KECS_OK};
  CONTRACT_OK(kecs_record_each(store, KECS_KIND_NODE_TASK, &query, walk_row, &limited));
  CONTRACT_NUMBER(limited.count, 5);
  query.limit = -1;
  CONTRACT_FAILS(kecs_record_each(store, KECS_KIND_NODE_TASK, &query, walk_row, &limited), KECS_E_INVALID);
  kecs_node_task row = {.id = "new", .name = "n", .image = "i"};
  CONTRACT_OK(kecs_node_task_create(store, &row, NULL)); /* the store is free again */
  contract_close(store);
}

typedef struct nested {
  kecs_store *store;
  size_t count;
} nested;

static kecs_status nested_read(const kecs_node_task *row, void *user) {
  nested *one = user;
  kecs_result *result = NULL;
  kecs_status status = kecs_node_task_get(one->store, row->id, &result);
  one->count += kecs_result_count(result);
  kecs_result_free(result);
  return status;
}

static kecs_status nested_write(const kecs_node_task *row, void *user) {
  nested *one = user;
  one->count++;
  return kecs_node_task_delete(one->store, row->id);
}

/* A visitor may use the store itself, but in memory, where all share one connection: there it is told at once. */
static void a_visitor_may_read(void **state) {
  (void)state;
  kecs_store *store = open_nodes();
  nested one = {store, 0};
  if (contract_is_memory()) {
    CONTRACT_FAILS(kecs_node_task_each(store, NULL, nested_read, &one), KECS_E_MISUSE);
    CONTRACT_SAYS("memory");
  } else {
    CONTRACT_OK(kecs_node_task_each(store, NULL, nested_read, &one));
    CONTRACT_NUMBER(one.count, WORDS + 2);
  }
  contract_close(store);
}

static void a_visitor_may_write(void **state) {
  (void)state;
  kecs_store *store = open_nodes();
  nested one = {store, 0};
  if (contract_is_memory()) {
    CONTRACT_FAILS(kecs_node_task_each(store, NULL, nested_write, &one), KECS_E_MISUSE);
    kecs_store *tx = NULL; /* a transaction's visitor goes through the transaction, on every backend */
    CONTRACT_OK(kecs_begin(store, &tx));
    one.store = tx;
    one.count = 0;
    CONTRACT_OK(kecs_node_task_each(tx, NULL, nested_read, &one));
    CONTRACT_NUMBER(one.count, WORDS + 2);
    CONTRACT_OK(kecs_rollback(tx));
    contract_close(store);
    return;
  }
  CONTRACT_OK(kecs_node_task_each(store, NULL, nested_write, &one));
  CONTRACT_NUMBER(one.count, WORDS + 2);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), 0);
  contract_close(store);
}

/* ---- order ---- */

/* Whether b may follow a: by the column, then by the natural key in byte order. */
static int ordered(const kecs_kind_info *info, const void *a, const void *b, int column, bool descending) {
  int order = 0;
  if (contract_column_is_text(info, column)) {
    order = strcmp(contract_get_text(info, a, column), contract_get_text(info, b, column));
  } else {
    order = compare_number(contract_get_number(info, a, column, NULL), contract_get_number(info, b, column, NULL));
  }
  order = descending ? -order : order;
  for (int i = 0; order == 0 && i < info->keys[0].count; i++) {
    int key = info->keys[0].columns[i];
    order = contract_column_is_text(info, key)
                ? strcmp(contract_get_text(info, a, key), contract_get_text(info, b, key))
                : compare_number(contract_get_number(info, a, key, NULL), contract_get_number(info, b, key, NULL));
  }
  return order;
}

static void order_by_any_column(void **state) {
  (void)state;
  kecs_store *store = open_nodes();
  contract_parents(store);
  for (int i = 0; i < 8; i++) { /* listeners: equal ports, several protocols; targets: a key of three columns */
    contract_row made;
    kecs_listener *listener = contract_make_row(KECS_KIND_LISTENER, i, &made);
    listener->port = i / 3;
    listener->protocol = i % 2 ? "HTTP" : "http";
    CONTRACT_OK(kecs_listener_create(store, listener, NULL));
    kecs_target *target = contract_make_row(KECS_KIND_TARGET, i / 2, &made);
    target->port = 8 - i;
    CONTRACT_OK(kecs_target_create(store, target, NULL));
  }
  static const kecs_kind kinds[] = {KECS_KIND_NODE, KECS_KIND_NODE_TASK, KECS_KIND_LISTENER, KECS_KIND_TARGET};
  for (size_t k = 0; k < CONTRACT_COUNT(kinds); k++) {
    const kecs_kind_info *info = kecs_kind_describe(kinds[k]);
    for (int column = 0; column < info->column_count; column++) {
      for (int direction = KECS_ORDER_ASCENDING; direction <= KECS_ORDER_DESCENDING; direction++) {
        kecs_query query = {.order_by = column, .direction = (kecs_direction)direction, .limit = 1000};
        kecs_result *result = NULL;
        kecs_status status = kecs_record_list(store, info->kind, &query, &result);
        if (!(info->columns[column].flags & KECS_COLUMN_NOT_NULL)) {
          assert_true(status == KECS_E_INVALID || status == KECS_E_UNSUPPORTED);
          CONTRACT_SAYS(info->columns[column].name);
          continue;
        }
        CONTRACT_OK(status);
        CONTRACT_NUMBER(kecs_result_count(result), contract_count_rows(store, info->kind));
        for (size_t i = 1; i < kecs_result_count(result); i++) {
          const void *before = kecs_record_at(result, info->kind, i - 1);
          const void *after = kecs_record_at(result, info->kind, i);
          if (ordered(info, before, after, column, direction == KECS_ORDER_DESCENDING) >= 0) {
            fail_msg("%s by %s: rows %zu and %zu", info->name, info->columns[column].name, i - 1, i);
          }
        }
        kecs_result_free(result);
      }
    }
  }
  contract_close(store);
}

static void order_by_no_column(void **state) {
  (void)state;
  static const int columns[] = {-1, KECS_NODE_COLUMN_COUNT, 64, INT32_MAX};
  kecs_store *store = open_nodes();
  for (size_t i = 0; i < CONTRACT_COUNT(columns); i++) {
    kecs_query query = {.order_by = columns[i], .direction = KECS_ORDER_ASCENDING};
    kecs_result *result = NULL;
    kecs_status status = kecs_node_list(store, &query, &result);
    assert_true(status == KECS_E_INVALID || status == KECS_E_UNSUPPORTED);
    assert_null(result);
    query.direction = KECS_ORDER_DEFAULT; /* then order_by is not read */
    CONTRACT_OK(kecs_node_list(store, &query, &result));
    kecs_result_free(result);
  }
  kecs_query query = {.direction = (kecs_direction)3, .order_by = KECS_NODE_ID};
  kecs_result *result = NULL;
  kecs_status status = kecs_node_list(store, &query, &result);
  assert_true(status == KECS_OK || status == KECS_E_INVALID || status == KECS_E_UNSUPPORTED);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- filters from text ---- */

static void filters_from_text(void **state) {
  (void)state;
  kecs_filter filter;
  CONTRACT_OK(kecs_filter_parse(KECS_KIND_NODE_TASK, "name", KECS_CONTAINS, "a%", &filter));
  CONTRACT_NUMBER(filter.column, KECS_NODE_TASK_NAME);
  CONTRACT_NUMBER(filter.op, KECS_CONTAINS);
  CONTRACT_TEXT(filter.text, "a%");
  CONTRACT_OK(kecs_filter_parse(KECS_KIND_NODE, "running_tasks", KECS_GE, "-80", &filter));
  CONTRACT_NUMBER(filter.column, KECS_NODE_RUNNING_TASKS);
  CONTRACT_NUMBER(filter.number, -80);
  CONTRACT_OK(kecs_filter_parse(KECS_KIND_NODE_TASK, "started_at", KECS_LT, "2024-02-29T13:00:00+01:00", &filter));
  CONTRACT_NUMBER(filter.number, CONTRACT_NOW);
  CONTRACT_OK(kecs_filter_parse(KECS_KIND_NODE_TASK, "started_at", KECS_LT, "1709208000", &filter));
  CONTRACT_NUMBER(filter.number, CONTRACT_NOW);
  CONTRACT_OK(kecs_filter_parse(KECS_KIND_ACCOUNT_SETTING, "is_default", KECS_EQ, "true", &filter));
  CONTRACT_NUMBER(filter.number, 1);
  CONTRACT_OK(kecs_filter_parse(KECS_KIND_RULE, "priority", KECS_EQ, "12", &filter));
  CONTRACT_NUMBER(filter.number, 12);
  static const struct {
    kecs_kind kind;
    const char *column;
    const char *value;
  } bad[] = {
      {KECS_KIND_NODE, "no_such_column", "1"}, {KECS_KIND_NODE, "running_tasks", "many"},
      {KECS_KIND_NODE, "running_tasks", ""},   {KECS_KIND_NODE, "running_tasks", "1;"},
      {KECS_KIND_NODE_TASK, "started_at", "yesterday"}, {KECS_KIND_ACCOUNT_SETTING, "is_default", "maybe"},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    CONTRACT_FAILS(kecs_filter_parse(bad[i].kind, bad[i].column, KECS_EQ, bad[i].value, &filter), KECS_E_INVALID);
    CONTRACT_SAYS(bad[i].column);
  }
  CONTRACT_FAILS(kecs_filter_parse((kecs_kind)0, "name", KECS_EQ, "x", &filter), KECS_E_INVALID);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(every_operator_on_texts),
    CONTRACT_TEST(every_operator_on_numbers),
    CONTRACT_TEST(truths_and_ranks),
    CONTRACT_TEST(lists_of_values),
    CONTRACT_TEST(filters_are_joined_by_and),
    CONTRACT_TEST(bad_filters_are_refused_by_name),
    CONTRACT_TEST(clusters_and_services_by_name_or_arn),
    CONTRACT_TEST(limits),
    CONTRACT_TEST(logs_and_events_have_larger_pages),
    CONTRACT_TEST(each_stops_with_what_the_visitor_says),
    CONTRACT_TEST(a_visitor_may_read),
    CONTRACT_TEST(a_visitor_may_write),
    CONTRACT_TEST(order_by_any_column),
    CONTRACT_TEST(order_by_no_column),
    CONTRACT_TEST(filters_from_text),
};

CONTRACT_MAIN("query", tests)
