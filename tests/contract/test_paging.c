/* test_paging.c -- pages: complete, ordered, stable while rows come and go, with tokens that fit one query alone. */
#include "contract.h"

/* A kind with rows 0 to count - 1. */
static void make_rows(kecs_store *store, kecs_kind kind, int count) {
  for (int i = 0; i < count; i++) {
    contract_row made;
    CONTRACT_OK(kecs_record_create(store, kind, contract_make_row(kind, i, &made), NULL));
  }
}

static void row_name(const kecs_kind_info *info, const void *row, char *out, size_t size) {
  contract_row_key(info, row, out, size);
}

/* Walks all pages of a query and compares them with the one page that holds everything. */
static void check_walk(kecs_store *store, const kecs_kind_info *info, kecs_query query, int limit) {
  kecs_result *all = NULL;
  char *token = NULL;
  size_t seen = 0;
  query.limit = 1000;
  CONTRACT_OK(kecs_record_list(store, info->kind, &query, &all));
  size_t total = kecs_result_count(all);
  query.limit = limit;
  for (bool last = false; !last;) {
    kecs_result *page = NULL;
    query.page_token = token;
    CONTRACT_OK(kecs_record_list(store, info->kind, &query, &page));
    for (size_t i = 0; i < kecs_result_count(page); i++, seen++) {
      assert_true(seen < total);
      CONTRACT_SAME_ROWS(info, kecs_record_at(page, info->kind, i), kecs_record_at(all, info->kind, seen), 0);
    }
    last = kecs_result_page_token(page) == NULL;
    if (last == (seen < total) || (!last && kecs_result_count(page) != (size_t)limit)) {
      fail_msg("%s by %d: a page of %zu after %zu of %zu, and %s", info->name, limit, kecs_result_count(page), seen,
               total, last ? "no token" : "a token");
    }
    free(token);
    token = last ? NULL : strdup(kecs_result_page_token(page));
    kecs_result_free(page);
  }
  CONTRACT_NUMBER(seen, total);
  kecs_result_free(all);
}

/* ---- completeness ---- */

static void every_kind_by_every_page_size(void **state) {
  (void)state;
  enum { ROWS = 6 };
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    make_rows(store, info->kind, ROWS);
    int total = (int)contract_count_rows(store, info->kind);
    for (int limit = 1; limit <= total + 1; limit++) {
      kecs_query query = {0};
      check_walk(store, info, query, limit);
      query.order_by = info->keys[0].columns[0];
      query.direction = KECS_ORDER_ASCENDING;
      check_walk(store, info, query, limit);
      query.direction = KECS_ORDER_DESCENDING;
      check_walk(store, info, query, limit);
    }
  }
  contract_close(store);
}

static void explicit_orders_with_ties(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static const int columns[] = {KECS_NODE_PORT, KECS_NODE_HOSTNAME, KECS_NODE_RUNNING_TASKS, KECS_NODE_STATUS,
                                KECS_NODE_LAST_HEARTBEAT, KECS_NODE_CREATED_AT, KECS_NODE_VERSION};
  for (int i = 0; i < 20; i++) {
    contract_row made;
    kecs_node *node = contract_make_row(KECS_KIND_NODE, i, &made);
    node->port = i % 3;
    node->hostname = i % 4 ? "host" : "HOST";
    node->running_tasks = i % 5 - 2;
    node->status = i % 2 ? "" : "online";
    node->last_heartbeat = CONTRACT_NOW + i / 7;
    node->created_at = CONTRACT_NOW;
    CONTRACT_OK(kecs_node_create(store, node, NULL));
  }
  for (size_t i = 0; i < CONTRACT_COUNT(columns); i++) {
    for (int direction = KECS_ORDER_DEFAULT; direction <= KECS_ORDER_DESCENDING; direction++) {
      kecs_filter filter = {.column = KECS_NODE_PORT, .op = KECS_NE, .number = 1};
      kecs_query query = {.direction = (kecs_direction)direction, .order_by = columns[i]};
      static const int limits[] = {1, 2, 3, 7, 19, 20, 21};
      for (size_t limit = 0; limit < CONTRACT_COUNT(limits); limit++) {
        query.where_count = 0;
        check_walk(store, kecs_kind_describe(KECS_KIND_NODE), query, limits[limit]);
        query.where = &filter;
        query.where_count = 1;
        check_walk(store, kecs_kind_describe(KECS_KIND_NODE), query, limits[limit]);
      }
    }
  }
  contract_close(store);
}

/* Ten rows by five: two full pages, and the second has no token. */
static void exact_multiples_have_no_empty_page(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_rows(store, KECS_KIND_CLUSTER, 10);
  kecs_query query = {.limit = 5};
  kecs_result *first = NULL;
  kecs_result *second = NULL;
  CONTRACT_OK(kecs_cluster_list(store, &query, &first));
  CONTRACT_NUMBER(kecs_result_count(first), 5);
  query.page_token = kecs_result_page_token(first);
  assert_non_null(query.page_token);
  CONTRACT_OK(kecs_cluster_list(store, &query, &second));
  CONTRACT_NUMBER(kecs_result_count(second), 5);
  assert_null(kecs_result_page_token(second));
  kecs_result_free(first);
  kecs_result_free(second);
  query.limit = 10;
  query.page_token = NULL;
  CONTRACT_OK(kecs_cluster_list(store, &query, &first));
  assert_null(kecs_result_page_token(first));
  kecs_result_free(first);
  contract_close(store);
}

static void an_empty_store_has_one_empty_page(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_record_list(store, (kecs_kind)kind, NULL, &result));
    assert_non_null(result);
    CONTRACT_NUMBER(kecs_result_count(result), 0);
    assert_null(kecs_result_page_token(result));
    kecs_result_free(result);
  }
  contract_close(store);
}

/* ---- order ---- */

static void equal_times_are_ordered_by_the_key_in_bytes(void **state) {
  (void)state;
  /* in the order of their bytes, which is no alphabet's */
  static const char *const names[] = {"!", "A", "B", "Z", "_", "a", "a!", "aa", "b", "z", "~", "\x7f",
                                      "\xc3\x84", "\xc3\xa4", "\xd0\x96", "\xe4\xb8\xad", "\xef\xbd\x81",
                                      "\xef\xbf\xbd", "\xf0\x9f\x98\x80"};
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  int count = (int)CONTRACT_COUNT(names);
  for (int i = 0; i < count; i++) { /* 8 and 19 have no common factor: each is made once, out of order */
    char arn[128];
    const char *name = names[(i * 8) % count];
    snprintf(arn, sizeof arn, CONTRACT_ARN_ECS "cluster/%s", name);
    kecs_cluster cluster = {.name = name, .arn = arn};
    CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  }
  kecs_query query = {0};
  for (int round = 0; round < 2; round++) {
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_cluster_list(store, &query, &result));
    CONTRACT_NUMBER(kecs_result_count(result), count);
    for (int i = 0; i < count; i++) {
      CONTRACT_TEXT(kecs_cluster_at(result, (size_t)i)->name, names[i]);
    }
    kecs_result_free(result);
  }
  for (int limit = 1; limit < 5; limit++) {
    check_walk(store, kecs_kind_describe(KECS_KIND_CLUSTER), query, limit);
  }
  contract_close(store);
}

static void newest_first(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_ticking(&now)};
  kecs_store *store = contract_open_with(&options);
  make_rows(store, KECS_KIND_CLUSTER, 5);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_list(store, NULL, &result));
  for (size_t i = 1; i < 5; i++) {
    assert_true(kecs_cluster_at(result, i - 1)->created_at > kecs_cluster_at(result, i)->created_at);
  }
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->name, "c0004");
  kecs_result_free(result);
  contract_close(store);
}

/* ---- rows that come and go between pages ---- */

enum { SURVIVORS = 40 };

/* Whatever is inserted and deleted between pages, a row that is there all the time is seen exactly once. */
static void survivors_are_seen_once(void **state) {
  (void)state;
  static const int limits[] = {1, 3, 7};
  for (size_t l = 0; l < CONTRACT_COUNT(limits); l++) {
    int64_t now = CONTRACT_NOW;
    kecs_options options = {.clock = contract_clock(&now)};
    kecs_store *store = contract_open_with(&options);
    const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_CLUSTER);
    int seen[3 * SURVIVORS] = {0};
    int next = 2 * SURVIVORS;
    char *token = NULL;
    make_rows(store, KECS_KIND_CLUSTER, 2 * SURVIVORS); /* all at one time; the odd ones survive */
    for (int page_number = 0;; page_number++) {
      kecs_query query = {.limit = limits[l], .page_token = token};
      kecs_result *page = NULL;
      contract_row made;
      char key[512];
      CONTRACT_OK(kecs_cluster_list(store, &query, &page));
      for (size_t i = 0; i < kecs_result_count(page); i++) {
        seen[strtol(kecs_cluster_at(page, i)->name + 1, NULL, 10)]++;
      }
      free(token);
      token = kecs_result_page_token(page) ? strdup(kecs_result_page_token(page)) : NULL;
      kecs_result_free(page);
      if (!token) {
        break;
      }
      int doomed = 2 * ((page_number * 7) % SURVIVORS); /* before, at and behind the place where the page ended */
      row_name(info, contract_make_row(KECS_KIND_CLUSTER, doomed, &made), key, sizeof key);
      kecs_status status = kecs_cluster_delete(store, key);
      assert_true(status == KECS_OK || status == KECS_E_NOT_FOUND);
      if (next < 3 * SURVIVORS) {
        now += page_number % 2; /* some newer than all, some between */
        CONTRACT_OK(kecs_record_create(store, KECS_KIND_CLUSTER, contract_make_row(KECS_KIND_CLUSTER, next++, &made),
                                       NULL));
      }
    }
    for (int i = 0; i < 3 * SURVIVORS; i++) {
      bool survivor = i < 2 * SURVIVORS && i % 2 == 1;
      if (seen[i] > 1 || (survivor && seen[i] != 1)) {
        fail_msg("row %d was seen %d times by pages of %d", i, seen[i], limits[l]);
      }
    }
    contract_close(store);
  }
}

static void the_row_of_the_token_may_go(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_rows(store, KECS_KIND_ATTRIBUTE, 6);
  kecs_query query = {.limit = 3};
  kecs_result *first = NULL;
  kecs_result *second = NULL;
  CONTRACT_OK(kecs_attribute_list(store, &query, &first));
  for (size_t i = 0; i < 3; i++) {
    const kecs_attribute *row = kecs_attribute_at(first, i);
    CONTRACT_OK(kecs_attribute_delete(store, row->cluster, row->target_type, row->target_id, row->name));
  }
  query.page_token = kecs_result_page_token(first);
  CONTRACT_OK(kecs_attribute_list(store, &query, &second));
  CONTRACT_NUMBER(kecs_result_count(second), 3);
  CONTRACT_TEXT(kecs_attribute_at(second, 0)->name, "a0003");
  assert_null(kecs_result_page_token(second));
  kecs_result_free(first);
  kecs_result_free(second);
  contract_close(store);
}

/* ---- tokens ---- */

static void refuse_token(kecs_store *store, kecs_kind kind, const kecs_query *query) {
  kecs_result *result = (kecs_result *)&kind;
  CONTRACT_FAILS(kecs_record_list(store, kind, query, &result), KECS_E_INVALID);
  CONTRACT_SAYS("token");
  assert_null(result);
}

static void tokens_fit_one_query_alone(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_rows(store, KECS_KIND_NODE, 6);
  make_rows(store, KECS_KIND_NODE_TASK, 6);
  static const char *const hosts[] = {"host", "other"};
  kecs_filter filters[] = {
      {.column = KECS_NODE_HOSTNAME, .op = KECS_EQ, .text = "host"},
      {.column = KECS_NODE_HOSTNAME, .op = KECS_EQ, .text = "hos"},
      {.column = KECS_NODE_HOSTNAME, .op = KECS_PREFIX, .text = "host"},
      {.column = KECS_NODE_HOSTNAME, .op = KECS_NE, .text = "nowhere"},
      {.column = KECS_NODE_PORT, .op = KECS_EQ, .number = 0},
      {.column = KECS_NODE_PORT, .op = KECS_LT, .number = 1},
      {.column = KECS_NODE_PORT, .op = KECS_LT, .number = 2},
      {.column = KECS_NODE_HOSTNAME, .op = KECS_IN, .texts = hosts, .count = 1},
      {.column = KECS_NODE_HOSTNAME, .op = KECS_IN, .texts = hosts, .count = 2},
      {.column = KECS_NODE_HOSTNAME, .op = KECS_NOT_NULL},
      {.column = KECS_NODE_ID, .op = KECS_NOT_NULL},
  };
  kecs_query queries[CONTRACT_COUNT(filters) + 5];
  size_t count = 0;
  for (; count < CONTRACT_COUNT(filters); count++) {
    queries[count] = (kecs_query){.where = &filters[count], .where_count = 1};
  }
  queries[count++] = (kecs_query){0};
  queries[count++] = (kecs_query){.where = filters, .where_count = 4};
  queries[count++] = (kecs_query){.direction = KECS_ORDER_ASCENDING, .order_by = KECS_NODE_ID};
  queries[count++] = (kecs_query){.direction = KECS_ORDER_DESCENDING, .order_by = KECS_NODE_ID};
  queries[count++] = (kecs_query){.direction = KECS_ORDER_ASCENDING, .order_by = KECS_NODE_PORT};
  for (size_t i = 0; i < count; i++) {
    kecs_result *result = NULL;
    queries[i].limit = 2;
    queries[i].page_token = NULL;
    CONTRACT_OK(kecs_node_list(store, &queries[i], &result));
    const char *token = kecs_result_page_token(result);
    for (size_t other = 0; token && other < count; other++) {
      kecs_query query = queries[other];
      query.page_token = token;
      if (other != i) {
        refuse_token(store, KECS_KIND_NODE, &query);
      }
    }
    kecs_query other_kind = {.page_token = token};
    if (token) {
      refuse_token(store, KECS_KIND_NODE_TASK, &other_kind);
    }
    kecs_result_free(result);
  }
  contract_close(store);
}

/* Some kinds have the same columns in the same places: the token still says which kind it is of. */
static void tokens_fit_one_kind_alone(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    make_rows(store, (kecs_kind)kind, 3);
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    kecs_query query = {.limit = 1};
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_record_list(store, (kecs_kind)kind, &query, &result));
    query.page_token = kecs_result_page_token(result);
    assert_non_null(query.page_token);
    for (int other = 1; other < KECS_KIND_COUNT; other++) {
      if (other != kind) {
        refuse_token(store, (kecs_kind)other, &query);
      }
    }
    kecs_result_free(result);
  }
  contract_close(store);
}

static void damaged_tokens_are_refused(void **state) {
  (void)state;
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static const char *const garbage[] = {"", " ", "invalid-token", "0", "12abc", "AAAA", "====", "%", "\xff\xfe",
                                        "\xf0\x9f\x98\x80", "'; DROP TABLE clusters; --", "null", "MTAw"};
  kecs_store *store = contract_open();
  make_rows(store, KECS_KIND_CLUSTER, 4);
  kecs_query query = {.limit = 2};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_list(store, &query, &result));
  char *token = strdup(kecs_result_page_token(result));
  kecs_result_free(result);
  size_t len = strlen(token);
  query.page_token = token;
  CONTRACT_OK(kecs_cluster_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 2);
  kecs_result_free(result);
  CONTRACT_NUMBER(strspn(token, alphabet), len); /* it may stand in a URL as it is */
  for (size_t i = 0; i < len; i++) { /* another letter: never the same page, never a crash */
    char kept = token[i];
    for (size_t c = 0; c < 64; c += 7) {
      token[i] = alphabet[(c + i) % 64];
      if (token[i] != kept && i + 1 < len) { /* the last letter may have bits that say nothing */
        refuse_token(store, KECS_KIND_CLUSTER, &query);
      }
    }
    token[i] = kept;
  }
  for (size_t cut = 0; cut < len; cut++) {
    char kept = token[cut];
    token[cut] = '\0';
    refuse_token(store, KECS_KIND_CLUSTER, &query);
    token[cut] = kept;
  }
  char *longer = malloc(2 * len + 5);
  for (size_t more = 1; more < 5; more++) {
    snprintf(longer, 2 * len + 5, "%s%.*s", token, (int)more, "AAAA");
    query.page_token = longer;
    refuse_token(store, KECS_KIND_CLUSTER, &query);
  }
  snprintf(longer, 2 * len + 5, "%s%s", token, token);
  refuse_token(store, KECS_KIND_CLUSTER, &query);
  for (size_t i = 0; i < CONTRACT_COUNT(garbage); i++) {
    query.page_token = garbage[i];
    refuse_token(store, KECS_KIND_CLUSTER, &query);
  }
  free(longer);
  free(token);
  contract_close(store);
}

static void huge_tokens_are_refused(void **state) {
  (void)state;
  enum { HUGE = 4 << 20 };
  kecs_store *store = contract_open();
  char *token = malloc(HUGE + 1);
  memset(token, 'A', HUGE);
  token[HUGE] = '\0';
  kecs_query query = {.page_token = token};
  refuse_token(store, KECS_KIND_CLUSTER, &query);
  free(token);
  contract_close(store);
}

/* Keys with anything in them travel in the token as well. */
static void tokens_carry_naughty_keys(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  size_t made = 0;
  for (size_t i = 0; i < CONTRACT_COUNT(contract_naughty); i++) {
    kecs_tag tag = {.resource_arn = contract_naughty[i], .value = "v"};
    tag.key = contract_naughty[(i * 3) % CONTRACT_COUNT(contract_naughty)];
    if (tag.resource_arn[0] && tag.key[0]) {
      CONTRACT_OK(kecs_tag_create(store, &tag, NULL));
      made++;
    }
  }
  kecs_query query = {0};
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), made);
  check_walk(store, kecs_kind_describe(KECS_KIND_TAG), query, 1);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(every_kind_by_every_page_size),
    CONTRACT_TEST(explicit_orders_with_ties),
    CONTRACT_TEST(exact_multiples_have_no_empty_page),
    CONTRACT_TEST(an_empty_store_has_one_empty_page),
    CONTRACT_TEST(equal_times_are_ordered_by_the_key_in_bytes),
    CONTRACT_TEST(newest_first),
    CONTRACT_TEST(survivors_are_seen_once),
    CONTRACT_TEST(the_row_of_the_token_may_go),
    CONTRACT_TEST(tokens_fit_one_query_alone),
    CONTRACT_TEST(tokens_fit_one_kind_alone),
    CONTRACT_TEST(damaged_tokens_are_refused),
    CONTRACT_TEST(huge_tokens_are_refused),
    CONTRACT_TEST(tokens_carry_naughty_keys),
};

CONTRACT_MAIN("paging", tests)
