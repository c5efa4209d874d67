/* test_threads.c -- one store, many threads: nothing is lost, nothing is seen by halves. Bounded, for the thread
 * sanitizer. */
#include "contract.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 20 };

typedef struct worker {
  kecs_store *store;
  int number;
  kecs_status status; /* the first one that should not have been */
  int64_t done;
} worker;

static bool failed(worker *one, kecs_status status) {
  if (status && !one->status) {
    one->status = status;
  }
  return status != KECS_OK;
}

/* Runs one function in THREADS threads; each must end without a failure. Returns the sum of what they have done. */
static int64_t run_threads(kecs_store *store, void *(*work)(void *user)) {
  pthread_t threads[THREADS];
  worker workers[THREADS];
  int64_t done = 0;
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){store, i, KECS_OK, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    done += workers[i].done;
  }
  for (int i = 0; i < THREADS; i++) {
    if (workers[i].status) {
      fail_msg("thread %d gave %s", i, kecs_status_name(workers[i].status));
    }
  }
  return done;
}

/* ---- readers and writers ---- */

static kecs_status add_task(kecs_store *store, int thread, int round) {
  char id[32];
  snprintf(id, sizeof id, "t%d-%d", thread, round);
  kecs_node_task row = {.id = id, .name = "name", .image = "image"};
  return kecs_node_task_create(store, &row, NULL);
}

static void write_tasks(worker *one) {
  for (int i = 0; i < ROUNDS; i++) {
    if (!failed(one, add_task(one->store, one->number, i))) {
      one->done++;
    }
  }
}

static kecs_status count_visit(const kecs_node_task *row, void *user) {
  *(int64_t *)user += row->id != NULL && row->version == 1;
  return KECS_OK;
}

static void read_tasks(worker *one) {
  int64_t last = 0;
  for (int i = 0; i < ROUNDS; i++) {
    kecs_result *result = NULL;
    kecs_query query = {.limit = 1000};
    int64_t count = 0;
    int64_t visited = 0;
    if (failed(one, kecs_node_task_list(one->store, &query, &result)) ||
        failed(one, kecs_node_task_count(one->store, NULL, &count)) ||
        failed(one, kecs_node_task_each(one->store, NULL, count_visit, &visited))) {
      kecs_result_free(result);
      return;
    }
    /* what has been seen is never taken back */
    if ((int64_t)kecs_result_count(result) < last || count < (int64_t)kecs_result_count(result) || visited < count) {
      failed(one, KECS_E_CORRUPT);
    }
    last = visited;
    kecs_result_free(result);
  }
}

static void *read_or_write(void *user) {
  worker *one = user;
  if (one->number % 2) {
    read_tasks(one);
  } else {
    write_tasks(one);
  }
  return NULL;
}

static void readers_beside_writers(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  int64_t done = run_threads(store, read_or_write);
  CONTRACT_NUMBER(done, THREADS / 2 * ROUNDS);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), done);
  contract_close(store);
}

/* ---- everything at once ---- */

static kecs_status one_of_everything(worker *one, int round) {
  kecs_store *store = one->store;
  char id[32];
  snprintf(id, sizeof id, "x%d-%d", one->number, round);
  kecs_node_task row = {.id = id, .name = "name", .image = "image"};
  char document[128];
  snprintf(document, sizeof document, "{\"nodeId\":\"%s\",\"hostname\":\"h\",\"unknown\":[1]}", id);
  kecs_result *result = NULL;
  const char *text = NULL;
  kecs_info info;
  kecs_store *tx = NULL;
  kecs_status status = kecs_node_task_upsert(store, &row, &result);
  kecs_result_free(result);
  result = NULL;
  if (!status) {
    row.status = "running";
    status = kecs_node_task_update_fields(store, &row, KECS_BIT(KECS_NODE_TASK_STATUS), NULL);
  }
  if (!status) {
    status = kecs_put_json(store, KECS_KIND_NODE, document, SIZE_MAX, 0, NULL);
  }
  if (!status) {
    status = kecs_get_json(store, KECS_KIND_NODE, id, KECS_JSON_STORE, &result, &text);
  }
  kecs_result_free(result);
  status = status ? status : kecs_store_info(store, &info);
  status = status ? status : kecs_begin(store, &tx);
  if (!status) {
    status = kecs_node_task_delete(tx, id);
    row.id = "shared";
    status = status ? status : kecs_node_task_upsert(tx, &row, NULL);
    kecs_status end = round % 3 == 0 ? kecs_rollback(tx) : status ? kecs_rollback(tx) : kecs_commit(tx);
    status = status ? status : end;
  }
  return status;
}

static void *do_everything(void *user) {
  worker *one = user;
  for (int i = 0; i < ROUNDS; i++) {
    if (failed(one, one_of_everything(one, i))) {
      return NULL;
    }
    one->done += i % 3 == 0; /* rolled back: the row is still there */
  }
  return NULL;
}

static void every_sort_of_call_at_once(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  int64_t kept = run_threads(store, do_everything);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), kept + 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE), THREADS * ROUNDS);
  contract_close(store);
}

/* ---- races for one row ---- */

static void *create_the_same(void *user) {
  worker *one = user;
  for (int i = 0; i < ROUNDS; i++) {
    char name[16];
    snprintf(name, sizeof name, "c%d", i);
    kecs_cluster cluster = {.name = name};
    kecs_status status = kecs_cluster_create(one->store, &cluster, NULL);
    one->done += status == KECS_OK;
    failed(one, status == KECS_E_EXISTS ? KECS_OK : status);
  }
  return NULL;
}

static void one_of_many_creates(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  CONTRACT_NUMBER(run_threads(store, create_the_same), ROUNDS);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), ROUNDS);
  contract_close(store);
}

static void *upsert_the_same(void *user) {
  worker *one = user;
  for (int i = 0; i < ROUNDS; i++) {
    char value[32];
    snprintf(value, sizeof value, "%d-%d", one->number, i);
    kecs_account_setting setting = {.principal_arn = "p", .name = "n", .value = value};
    one->done += !failed(one, kecs_account_setting_upsert(one->store, &setting, NULL));
  }
  return NULL;
}

static void many_upserts_of_one(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  int64_t done = run_threads(store, upsert_the_same);
  kecs_result *result = NULL;
  CONTRACT_NUMBER(done, THREADS * ROUNDS);
  CONTRACT_OK(kecs_account_setting_get(store, "p", "n", &result));
  CONTRACT_NUMBER(kecs_account_setting_at(result, 0)->version, done); /* no two had the same value */
  kecs_result_free(result);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_ACCOUNT_SETTING), 1);
  contract_close(store);
}

static void *register_revisions(void *user) {
  worker *one = user;
  for (int i = 0; i < ROUNDS; i++) {
    kecs_task_definition row = {.family = "family", .container_definitions = "[]"};
    kecs_result *result = NULL;
    if (!failed(one, kecs_task_definition_register(one->store, &row, &result))) {
      one->done += kecs_task_definition_at(result, 0)->revision;
    }
    kecs_result_free(result);
  }
  return NULL;
}

static void revisions_without_gaps(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  int64_t all = THREADS * ROUNDS;
  CONTRACT_NUMBER(run_threads(store, register_revisions), all * (all + 1) / 2);
  kecs_query query = {.limit = 1000, .direction = KECS_ORDER_ASCENDING, .order_by = KECS_TASK_DEFINITION_REVISION};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_definition_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), all);
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    CONTRACT_NUMBER(kecs_task_definition_at(result, i)->revision, i + 1);
  }
  kecs_result_free(result);
  contract_close(store);
}

/* ---- results and handles ---- */

static kecs_result *shared_result;

static void *read_the_result(void *user) {
  worker *one = user;
  char text[64];
  for (int round = 0; round < ROUNDS; round++) {
    for (size_t i = 0; i < kecs_result_count(shared_result); i++) {
      const kecs_kind_info *info = kecs_kind_describe(kecs_result_kind(shared_result));
      const kecs_node_task *row = kecs_node_task_at(shared_result, i);
      one->done += kecs_record_text(info, row, KECS_NODE_TASK_ID, text, sizeof text, NULL);
    }
    (void)kecs_result_page_token(shared_result);
  }
  return NULL;
}

static void a_result_is_read_by_all(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int i = 0; i < 5; i++) {
    CONTRACT_OK(add_task(store, 0, i));
  }
  CONTRACT_OK(kecs_node_task_list(store, NULL, &shared_result));
  contract_close(store);
  CONTRACT_NUMBER(run_threads(NULL, read_the_result), THREADS * ROUNDS * 5);
  kecs_result_free(shared_result);
}

static void *call_while_cancelled(void *user) {
  worker *one = user;
  for (int i = 0; i < ROUNDS; i++) {
    if (one->number == 0) {
      failed(one, kecs_set_cancelled(one->store, i % 2 == 0));
      failed(one, kecs_set_deadline(one->store, i % 3 ? 0 : 1));
      continue;
    }
    kecs_status status = add_task(one->store, one->number, i);
    one->done += status == KECS_OK;
    failed(one, status == KECS_E_CANCELLED || status == KECS_E_TIMEOUT ? KECS_OK : status);
    int64_t count = 0;
    status = kecs_node_task_count(one->store, NULL, &count);
    failed(one, status == KECS_E_CANCELLED || status == KECS_E_TIMEOUT ? KECS_OK : status);
  }
  if (one->number == 0) {
    failed(one, kecs_set_cancelled(one->store, false));
    failed(one, kecs_set_deadline(one->store, 0));
  }
  return NULL;
}

static void cancelling_while_others_work(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  int64_t done = run_threads(store, call_while_cancelled);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), done);
  contract_close(store);
}

static void *open_use_close(void *user) {
  worker *one = user;
  for (int i = 0; i < 4; i++) {
    kecs_options options = {.path = contract_path(one->store), .readers = 1, .backends = contract_backends()};
    kecs_store *own = NULL;
    if (!failed(one, kecs_open(&options, &own))) {
      one->done += !failed(one, add_task(own, one->number, i));
      failed(one, kecs_close(own));
    }
  }
  return NULL;
}

static void stores_of_their_own_on_one_database(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return;
  }
  kecs_store *store = contract_open();
  int64_t done = run_threads(store, open_use_close);
  CONTRACT_NUMBER(done, THREADS * 4);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), done);
  contract_close(store);
}

/* More threads than reading connections: they take turns. */
static void more_readers_than_connections(void **state) {
  (void)state;
  kecs_options options = {.readers = 1};
  kecs_store *store = contract_open_with(&options);
  CONTRACT_NUMBER(run_threads(store, read_or_write), THREADS / 2 * ROUNDS);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(readers_beside_writers),
    CONTRACT_TEST(every_sort_of_call_at_once),
    CONTRACT_TEST(one_of_many_creates),
    CONTRACT_TEST(many_upserts_of_one),
    CONTRACT_TEST(revisions_without_gaps),
    CONTRACT_TEST(a_result_is_read_by_all),
    CONTRACT_TEST(cancelling_while_others_work),
    CONTRACT_TEST(stores_of_their_own_on_one_database),
    CONTRACT_TEST(more_readers_than_connections),
};

CONTRACT_MAIN("threads", tests)
