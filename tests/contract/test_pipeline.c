/* test_pipeline.c -- independent reads together: each has the outcome that it would have alone. */
#include "contract.h"

enum { PIPELINE_TASKS = 250 };

static kecs_store *pipeline_open(void) {
  kecs_store *store = contract_open();
  kecs_cluster web = {.name = "web"};
  kecs_cluster odd = {.name = "odd", .arn = "arn:aws-cn:ecs:cn-north-1:000000000000:cluster/odd",
                      .region = "us-east-1", .account_id = "000000000000"};
  kecs_service service = {.cluster_arn = "odd", .name = "api", .task_definition = "t:1", .desired_count = 3};
  static kecs_task tasks[PIPELINE_TASKS];
  static char ids[PIPELINE_TASKS][16];
  CONTRACT_OK(kecs_cluster_create(store, &web, NULL));
  CONTRACT_OK(kecs_cluster_create(store, &odd, NULL));
  CONTRACT_OK(kecs_service_create(store, &service, NULL));
  for (int i = 0; i < PIPELINE_TASKS; i++) {
    snprintf(ids[i], sizeof ids[i], "t%05d", i);
    memset(&tasks[i], 0, sizeof tasks[i]);
    tasks[i].cluster_arn = "web";
    tasks[i].id = ids[i];
    tasks[i].last_status = i % 2 ? "RUNNING" : "STOPPED";
  }
  CONTRACT_OK(kecs_task_create_many(store, tasks, PIPELINE_TASKS, NULL));
  return store;
}

/* The outcome of a read of a pipeline and of the same read by itself are the same. */
static void pipeline_same(kecs_store *store, const kecs_read *read, const kecs_answers *answers, size_t index) {
  kecs_result *alone = NULL;
  kecs_result *together = NULL;
  kecs_status expected = read->key ? kecs_record_get(store, read->kind, read->key, &alone)
                                   : kecs_record_list(store, read->kind, read->query, &alone);
  char says[sizeof kecs_last_error()->text] = "";
  if (expected) {
    snprintf(says, sizeof says, "%s", kecs_last_error()->text);
    (void)kecs_record_get(store, KECS_KIND_CLUSTER, "another failure in between", &together);
  }
  CONTRACT_NUMBER(kecs_answers_at(answers, index, &together), expected);
  if (expected) {
    CONTRACT_TEXT(kecs_last_error()->text, says);
    CONTRACT_NUMBER(kecs_last_error()->status, expected);
    assert_null(together);
    return;
  }
  const kecs_kind_info *info = kecs_kind_describe(read->kind);
  CONTRACT_NUMBER(kecs_result_kind(together), read->kind);
  CONTRACT_NUMBER(kecs_result_count(together), kecs_result_count(alone));
  CONTRACT_NUMBER(kecs_result_seq(together), kecs_result_seq(alone));
  CONTRACT_TEXT(kecs_result_page_token(together), kecs_result_page_token(alone));
  for (size_t i = 0; i < kecs_result_count(alone); i++) {
    const char *one = NULL;
    const char *other = NULL;
    CONTRACT_OK(kecs_record_json(alone, info, kecs_record_at(alone, read->kind, i), KECS_JSON_STORE, &one));
    CONTRACT_OK(kecs_record_json(together, info, kecs_record_at(together, read->kind, i), KECS_JSON_STORE, &other));
    CONTRACT_TEXT(other, one);
  }
  kecs_result_free(alone);
}

static void pipeline_all_same(kecs_store *store, const kecs_read *reads, size_t count) {
  kecs_answers *answers = NULL;
  CONTRACT_OK(kecs_pipeline(store, reads, count, &answers));
  CONTRACT_NUMBER(kecs_answers_count(answers), count);
  for (size_t i = 0; i < count; i++) {
    pipeline_same(store, &reads[i], answers, i);
  }
  kecs_answers_free(answers);
}

static const kecs_filter pipeline_running[] = {{.column = KECS_TASK_LAST_STATUS, .op = KECS_EQ, .text = "RUNNING"}};
static const kecs_filter pipeline_of_web[] = {{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "web"},
                                              {.column = KECS_TASK_LAST_STATUS, .op = KECS_EQ, .text = "STOPPED"}};
static const kecs_filter pipeline_of_odd[] = {{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "odd"},
                                              {.column = KECS_TASK_SERVICE_ARN, .op = KECS_EQ, .text = "api"}};
static const kecs_filter pipeline_no_column[] = {{.column = 999, .op = KECS_EQ, .text = "x"}};
static const kecs_query pipeline_first = {.where = pipeline_running, .where_count = 1, .limit = 10};
static const kecs_query pipeline_web = {.where = pipeline_of_web, .where_count = 2, .limit = 1000};
static const kecs_query pipeline_odd = {.where = pipeline_of_odd, .where_count = 2};
static const kecs_query pipeline_bad = {.where = pipeline_no_column, .where_count = 1};
static const kecs_query pipeline_endless = {.limit = 1001};
static const kecs_query pipeline_forged = {.page_token = "forged"};

static const kecs_read pipeline_reads[] = {
    {KECS_KIND_CLUSTER, "web", NULL},
    {KECS_KIND_TASK, NULL, NULL},
    {KECS_KIND_TASK, "web,t00007", NULL},
    {KECS_KIND_TASK, "arn:aws:ecs:us-east-1:000000000000:task/web/t00008", NULL},
    {KECS_KIND_TASK, "arn:aws:ecs:us-east-1:000000000000:task/t00009", NULL}, /* the short form */
    {KECS_KIND_TASK, "t00010", NULL},
    {KECS_KIND_SERVICE, "odd,api", NULL}, /* its cluster's ARN is not what AWS would make of the name */
    {KECS_KIND_TASK, NULL, &pipeline_first},
    {KECS_KIND_TASK, NULL, &pipeline_web},
    {KECS_KIND_TASK, NULL, &pipeline_odd},
    {KECS_KIND_TASK_DEFINITION, "none", NULL},
    {KECS_KIND_NODE, NULL, NULL},
    {KECS_KIND_CLUSTER, "no such cluster", NULL},
    {KECS_KIND_TASK, NULL, &pipeline_bad},
    {KECS_KIND_TASK, NULL, &pipeline_endless},
    {KECS_KIND_TASK, NULL, &pipeline_forged},
    {KECS_KIND_CLUSTER, "", NULL},
    {KECS_KIND_CLUSTER, "web", NULL},
    {KECS_KIND_SERVICE, "arn:aws:ecs:us-east-1:000000000000:service/web/none", NULL},
};

static void each_read_is_as_alone(void **state) {
  (void)state;
  kecs_store *store = pipeline_open();
  for (int round = 0; round < 3; round++) { /* the first one prepares statements */
    pipeline_all_same(store, pipeline_reads, CONTRACT_COUNT(pipeline_reads));
  }
  for (size_t i = 0; i < CONTRACT_COUNT(pipeline_reads); i++) {
    pipeline_all_same(store, &pipeline_reads[i], 1);
  }
  contract_close(store);
}

static void every_kind_can_be_read(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static char keys[KECS_KIND_COUNT][4096];
  kecs_read reads[2 * KECS_KIND_COUNT];
  size_t count = 0;
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    contract_row made;
    kecs_result *result = NULL;
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    CONTRACT_OK(
        kecs_record_create(store, (kecs_kind)kind, contract_make_row((kecs_kind)kind, 1, &made), &result));
    contract_row_key(info, kecs_record_at(result, (kecs_kind)kind, 0), keys[kind], sizeof keys[kind]);
    kecs_result_free(result);
    reads[count++] = (kecs_read){(kecs_kind)kind, keys[kind], NULL};
    reads[count++] = (kecs_read){(kecs_kind)kind, NULL, NULL};
  }
  pipeline_all_same(store, reads, count);
  contract_close(store);
}

static void pages_go_on(void **state) {
  (void)state;
  kecs_store *store = pipeline_open();
  kecs_query query = {.where = pipeline_running, .where_count = 1, .limit = 40};
  kecs_read read = {KECS_KIND_TASK, NULL, &query};
  kecs_answers *answers = NULL;
  size_t seen = 0;
  do {
    kecs_answers *next = NULL;
    kecs_result *page = NULL;
    CONTRACT_OK(kecs_pipeline(store, &read, 1, &next));
    kecs_answers_free(answers);
    answers = next;
    CONTRACT_OK(kecs_answers_at(answers, 0, &page));
    seen += kecs_result_count(page);
    query.page_token = kecs_result_page_token(page);
  } while (query.page_token);
  CONTRACT_NUMBER(seen, PIPELINE_TASKS / 2);
  kecs_answers_free(answers);
  contract_close(store);
}

static void many_are_read_and_more_are_refused(void **state) {
  (void)state;
  kecs_store *store = pipeline_open();
  static kecs_read reads[KECS_PIPELINE_MAX + 1];
  static char keys[KECS_PIPELINE_MAX + 1][32];
  kecs_answers *answers = NULL;
  kecs_result *result = NULL;
  for (int i = 0; i <= KECS_PIPELINE_MAX; i++) {
    snprintf(keys[i], sizeof keys[i], "web,t%05d", i);
    reads[i] = i % 50 == 3 ? (kecs_read){KECS_KIND_TASK, NULL, &pipeline_web}
                           : (kecs_read){KECS_KIND_TASK, keys[i], NULL};
  }
  CONTRACT_FAILS(kecs_pipeline(store, reads, KECS_PIPELINE_MAX + 1, &answers), KECS_E_INVALID);
  CONTRACT_SAYS("256");
  assert_null(answers);
  CONTRACT_OK(kecs_pipeline(store, reads, KECS_PIPELINE_MAX, &answers));
  for (int i = 0; i < KECS_PIPELINE_MAX; i++) {
    kecs_status status = kecs_answers_at(answers, (size_t)i, &result);
    CONTRACT_NUMBER(status, i < PIPELINE_TASKS || i % 50 == 3 ? KECS_OK : KECS_E_NOT_FOUND);
    if (!status && i % 50 != 3) {
      CONTRACT_TEXT(kecs_task_at(result, 0)->id, keys[i] + 4);
    }
  }
  kecs_answers_free(answers);
  CONTRACT_OK(kecs_pipeline(store, NULL, 0, &answers));
  CONTRACT_NUMBER(kecs_answers_count(answers), 0);
  kecs_answers_free(answers);
  contract_close(store);
}

static void a_failing_read_spoils_no_other(void **state) {
  (void)state;
  kecs_store *store = pipeline_open();
  kecs_read reads[] = {{KECS_KIND_CLUSTER, "web", NULL},
                       {(kecs_kind)0, "web", NULL},
                       {KECS_KIND_COUNT, NULL, NULL},
                       {(kecs_kind)-7, NULL, NULL},
                       {KECS_KIND_CLUSTER, "web", &pipeline_first},
                       {KECS_KIND_CLUSTER, NULL, &pipeline_bad},
                       {KECS_KIND_CLUSTER, "web", NULL}};
  kecs_answers *answers = NULL;
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_pipeline(store, reads, CONTRACT_COUNT(reads), &answers));
  for (size_t i = 1; i < CONTRACT_COUNT(reads) - 1; i++) {
    CONTRACT_FAILS(kecs_answers_at(answers, i, &result), KECS_E_INVALID);
    assert_null(result);
  }
  CONTRACT_FAILS(kecs_answers_at(answers, 2, &result), KECS_E_INVALID);
  CONTRACT_SAYS("kind");
  CONTRACT_FAILS(kecs_answers_at(answers, 4, &result), KECS_E_INVALID);
  CONTRACT_SAYS("not both");
  for (size_t i = 0; i < CONTRACT_COUNT(reads); i += CONTRACT_COUNT(reads) - 1) {
    CONTRACT_OK(kecs_answers_at(answers, i, &result));
    CONTRACT_TEXT(kecs_cluster_at(result, 0)->name, "web");
  }
  CONTRACT_FAILS(kecs_answers_at(answers, CONTRACT_COUNT(reads), &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_answers_at(NULL, 0, &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_answers_at(answers, 0, NULL), KECS_E_MISUSE);
  CONTRACT_NUMBER(kecs_answers_count(NULL), 0);
  kecs_answers_free(NULL);
  kecs_answers_free(answers);
  contract_close(store);
}

static void what_concerns_all_fails_the_call(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  kecs_read read = {KECS_KIND_CLUSTER, NULL, NULL};
  kecs_answers *answers = (kecs_answers *)&read;
  CONTRACT_FAILS(kecs_pipeline(NULL, &read, 1, &answers), KECS_E_MISUSE);
  assert_null(answers);
  CONTRACT_FAILS(kecs_pipeline(store, &read, 1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_pipeline(store, NULL, 1, &answers), KECS_E_MISUSE);
  CONTRACT_OK(kecs_set_deadline(store, now));
  CONTRACT_FAILS(kecs_pipeline(store, &read, 1, &answers), KECS_E_TIMEOUT);
  CONTRACT_OK(kecs_set_deadline(store, 0));
  CONTRACT_OK(kecs_set_cancelled(store, true));
  CONTRACT_FAILS(kecs_pipeline(store, &read, 1, &answers), KECS_E_CANCELLED);
  CONTRACT_OK(kecs_set_cancelled(store, false));
  CONTRACT_OK(kecs_pipeline(store, &read, 1, &answers));
  kecs_answers_free(answers);
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_FAILS(kecs_pipeline(tx, &read, 1, &answers), KECS_E_MISUSE); /* has ended */
  assert_null(answers);
  contract_close(store);
}

static void a_transaction_reads_its_own_writes(void **state) {
  (void)state;
  kecs_store *store = pipeline_open();
  kecs_store *tx = NULL;
  kecs_cluster fresh = {.name = "fresh"};
  kecs_read reads[] = {{KECS_KIND_CLUSTER, "fresh", NULL}, {KECS_KIND_CLUSTER, NULL, NULL}};
  for (int written = 0; written < 2; written++) {
    CONTRACT_OK(kecs_begin(store, &tx));
    if (written) {
      CONTRACT_OK(kecs_cluster_create(tx, &fresh, NULL));
    }
    kecs_answers *answers = NULL;
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_pipeline(tx, reads, 2, &answers));
    CONTRACT_NUMBER(kecs_answers_at(answers, 0, &result), written ? KECS_OK : KECS_E_NOT_FOUND);
    CONTRACT_OK(kecs_answers_at(answers, 1, &result));
    CONTRACT_NUMBER(kecs_result_count(result), 2 + written);
    kecs_answers_free(answers);
    CONTRACT_OK(kecs_cluster_create(tx, &(kecs_cluster){.name = "later"}, NULL)); /* the transaction goes on */
    CONTRACT_OK(kecs_rollback(tx));
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  contract_close(store);
}

static void answers_outlive_the_store(void **state) {
  (void)state;
  kecs_store *store = pipeline_open();
  kecs_read reads[] = {{KECS_KIND_CLUSTER, "web", NULL}, {KECS_KIND_CLUSTER, "none", NULL}};
  kecs_answers *answers = NULL;
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_pipeline(store, reads, 2, &answers));
  contract_close(store);
  CONTRACT_OK(kecs_answers_at(answers, 0, &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->name, "web");
  CONTRACT_FAILS(kecs_answers_at(answers, 1, &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("none");
  kecs_answers_free(answers);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(each_read_is_as_alone),
    CONTRACT_TEST(every_kind_can_be_read),
    CONTRACT_TEST(pages_go_on),
    CONTRACT_TEST(many_are_read_and_more_are_refused),
    CONTRACT_TEST(a_failing_read_spoils_no_other),
    CONTRACT_TEST(what_concerns_all_fails_the_call),
    CONTRACT_TEST(a_transaction_reads_its_own_writes),
    CONTRACT_TEST(answers_outlive_the_store),
};

CONTRACT_MAIN("pipeline", tests)
