/* test_transactions.c -- commit, rollback, savepoints, misuse, visibility, retries, deadlines, cancelling. */
#include "contract.h"

#include <pthread.h>
#include <unistd.h>

static kecs_status make(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  return kecs_cluster_create(store, &cluster, NULL);
}

static bool is_there(kecs_store *store, const char *name) {
  kecs_result *result = NULL;
  kecs_status status = kecs_cluster_get(store, name, &result);
  kecs_result_free(result);
  assert_true(status == KECS_OK || status == KECS_E_NOT_FOUND);
  return status == KECS_OK;
}

/* ---- commit and rollback ---- */

static void commit_stores_and_rollback_does_not(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "kept"));
  assert_true(is_there(tx, "kept"));
  CONTRACT_OK(kecs_commit(tx));
  assert_true(is_there(store, "kept"));
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "undone"));
  CONTRACT_OK(kecs_cluster_delete(tx, "kept"));
  assert_false(is_there(tx, "kept"));
  CONTRACT_OK(kecs_rollback(tx));
  assert_false(is_there(store, "undone"));
  assert_true(is_there(store, "kept"));
  CONTRACT_OK(kecs_rollback(NULL));
  store = contract_reopen(store);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

static void an_empty_transaction_is_fine(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int i = 0; i < 100; i++) {
    kecs_store *tx = NULL;
    CONTRACT_OK(kecs_begin(store, &tx));
    CONTRACT_OK(i % 2 ? kecs_commit(tx) : kecs_rollback(tx));
  }
  CONTRACT_OK(make(store, "web"));
  contract_close(store);
}

/* A call that fails inside a transaction stores nothing, and the transaction goes on. */
static void a_failed_call_leaves_the_transaction_whole(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_service orphan = {.cluster_arn = "nowhere", .name = "svc"};
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "one"));
  CONTRACT_FAILS(make(tx, "one"), KECS_E_EXISTS);
  CONTRACT_FAILS(kecs_service_create(tx, &orphan, NULL), KECS_E_REFERENCE);
  CONTRACT_FAILS(kecs_cluster_delete(tx, "nothing"), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(make(tx, NULL), KECS_E_INVALID);
  CONTRACT_OK(make(tx, "two"));
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_SERVICE), 0);
  contract_close(store);
}

/* The same for many rows at once, of kinds with look-up tables and of kinds without. */
static void a_failed_batch_leaves_the_transaction_whole(void **state) {
  (void)state;
  static const kecs_kind kinds[] = {KECS_KIND_NODE_TASK, KECS_KIND_CLUSTER, KECS_KIND_TASK_LOG, KECS_KIND_ATTRIBUTE};
  kecs_store *store = contract_open();
  for (size_t k = 0; k < CONTRACT_COUNT(kinds); k++) {
    const kecs_kind_info *info = kecs_kind_describe(kinds[k]);
    contract_row made[3];
    char *rows = malloc(info->row_size * 4);
    kecs_store *tx = NULL;
    kecs_status status = KECS_OK;
    for (int i = 0; i < 4; i++) { /* the last is the first once more */
      memcpy(rows + (size_t)i * info->row_size, contract_make_row(info->kind, i % 3, &made[i % 3]), info->row_size);
    }
    CONTRACT_OK(kecs_begin(store, &tx));
    switch (info->kind) {
      case KECS_KIND_NODE_TASK: status = kecs_node_task_create_many(tx, (void *)rows, 4, NULL); break;
      case KECS_KIND_CLUSTER: status = kecs_cluster_create_many(tx, (void *)rows, 4, NULL); break;
      case KECS_KIND_TASK_LOG: status = kecs_task_log_create_many(tx, (void *)rows, 4, NULL); break;
      default: status = kecs_attribute_create_many(tx, (void *)rows, 4, NULL); break;
    }
    CONTRACT_FAILS(status, KECS_E_EXISTS);
    CONTRACT_NUMBER(contract_count_rows(tx, info->kind), 0);
    CONTRACT_OK(kecs_record_create(tx, info->kind, rows, NULL));
    CONTRACT_OK(kecs_commit(tx));
    CONTRACT_NUMBER(contract_count_rows(store, info->kind), 1);
    free(rows);
  }
  contract_close(store);
}

static void nested_transactions_are_savepoints(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *outer = NULL;
  kecs_store *middle = NULL;
  kecs_store *inner = NULL;
  CONTRACT_OK(kecs_begin(store, &outer));
  CONTRACT_OK(make(outer, "outer"));
  CONTRACT_OK(kecs_begin(outer, &middle));
  CONTRACT_OK(make(middle, "middle"));
  CONTRACT_OK(kecs_begin(middle, &inner));
  CONTRACT_OK(make(inner, "inner"));
  assert_true(is_there(inner, "outer"));
  CONTRACT_OK(kecs_rollback(inner));
  assert_false(is_there(middle, "inner"));
  CONTRACT_OK(kecs_begin(middle, &inner));
  CONTRACT_OK(make(inner, "again"));
  CONTRACT_OK(kecs_commit(inner));
  CONTRACT_OK(kecs_commit(middle));
  CONTRACT_OK(kecs_begin(outer, &middle));
  CONTRACT_OK(make(middle, "dropped"));
  CONTRACT_OK(kecs_begin(middle, &inner));
  CONTRACT_OK(make(inner, "committed, then dropped"));
  CONTRACT_OK(kecs_commit(inner));
  CONTRACT_OK(kecs_rollback(middle));
  CONTRACT_OK(kecs_commit(outer));
  assert_true(is_there(store, "outer"));
  assert_true(is_there(store, "middle"));
  assert_true(is_there(store, "again"));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 3);
  contract_close(store);
}

static void deep_nesting(void **state) {
  (void)state;
  enum { DEPTH = 50 };
  kecs_store *store = contract_open();
  kecs_store *levels[DEPTH + 1] = {store};
  for (int i = 0; i < DEPTH; i++) {
    char name[16];
    CONTRACT_OK(kecs_begin(levels[i], &levels[i + 1]));
    snprintf(name, sizeof name, "d%d", i);
    CONTRACT_OK(make(levels[i + 1], name));
  }
  for (int i = DEPTH; i > 0; i--) {
    CONTRACT_OK(i % 10 == 0 ? kecs_rollback(levels[i]) : kecs_commit(levels[i]));
  }
  /* the savepoints 10, 20, 30, 40 and 50 took with them what was inside: nine rows are left */
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 9);
  contract_close(store);
}

/* Ending a transaction ends the savepoints in it that are still open. */
static void open_savepoints_end_with_their_transaction(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int commit = 0; commit < 2; commit++) {
    kecs_store *outer = NULL;
    kecs_store *inner = NULL;
    CONTRACT_OK(kecs_begin(store, &outer));
    CONTRACT_OK(kecs_begin(outer, &inner));
    CONTRACT_OK(make(inner, "inner"));
    CONTRACT_OK(commit ? kecs_commit(outer) : kecs_rollback(outer));
    CONTRACT_FAILS(make(inner, "late"), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_commit(inner), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_rollback(inner), KECS_E_MISUSE);
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), commit);
  }
  CONTRACT_OK(make(store, "after"));
  contract_close(store);
}

static void closing_rolls_back(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  CONTRACT_OK(make(store, "kept"));
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "open"));
  CONTRACT_OK(kecs_begin(tx, &inner));
  CONTRACT_OK(make(inner, "inner"));
  CONTRACT_FAILS(kecs_close(tx), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_close(inner), KECS_E_MISUSE);
  if (!contract_is_memory()) {
    store = contract_reopen(store);
    assert_true(is_there(store, "kept"));
    assert_false(is_there(store, "open"));
    CONTRACT_OK(make(store, "open"));
  }
  contract_close(store);
}

/* ---- misuse ---- */

static void an_ended_transaction_says_so(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int commit = 0; commit < 2; commit++) {
    kecs_store *tx = NULL;
    kecs_store *inner = store;
    kecs_result *result = NULL;
    int64_t count = 0;
    kecs_info info;
    CONTRACT_OK(kecs_begin(store, &tx));
    CONTRACT_OK(commit ? kecs_commit(tx) : kecs_rollback(tx));
    CONTRACT_FAILS(make(tx, "late"), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_cluster_get(tx, "late", &result), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_cluster_list(tx, NULL, &result), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_cluster_count(tx, NULL, &count), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_begin(tx, &inner), KECS_E_MISUSE);
    assert_null(inner);
    CONTRACT_FAILS(kecs_commit(tx), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_rollback(tx), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_close(tx), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_set_deadline(tx, 1), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_set_cancelled(tx, true), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_store_info(tx, &info), KECS_E_MISUSE);
  }
  CONTRACT_FAILS(kecs_commit(store), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rollback(store), KECS_E_MISUSE);
  CONTRACT_OK(make(store, "fine"));
  contract_close(store);
}

/* The thread that holds a transaction would wait for itself. */
static void writing_past_ones_own_transaction(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_store *second = store;
  kecs_cluster cluster = {.name = "web"};
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_FAILS(make(store, "past"), KECS_E_MISUSE);
  CONTRACT_SAYS("transaction");
  CONTRACT_FAILS(kecs_cluster_update(store, &cluster, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_cluster_delete(store, "web"), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_begin(store, &second), KECS_E_MISUSE);
  assert_null(second);
  CONTRACT_OK(make(tx, "web"));
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_OK(make(store, "past"));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  contract_close(store);
}

/* ---- other threads ---- */

typedef struct writer {
  kecs_store *store;
  kecs_status status;
  int started;
  int done;
} writer;

static void *write_one(void *user) {
  writer *one = user;
  __atomic_store_n(&one->started, 1, __ATOMIC_SEQ_CST);
  one->status = make(one->store, "other thread");
  __atomic_store_n(&one->done, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

/* A store with one connection that writes: where writers write side by side, with one connection at all. */
static kecs_store *open_with_one_writer(const kecs_options *given) {
  static char url[CONTRACT_PATH_MAX];
  kecs_options options = *given;
  if (!contract_is_sqlite()) {
    contract_fresh_url(url, sizeof url);
    snprintf(url + strlen(url), sizeof url - strlen(url), "&max_connections=1");
    options.path = url;
  }
  return contract_open_with(&options);
}

static void another_thread_waits_for_the_transaction(void **state) {
  (void)state;
  kecs_options options = {0};
  kecs_store *store = open_with_one_writer(&options);
  kecs_store *tx = NULL;
  pthread_t thread;
  writer other = {store, KECS_E_MISUSE, 0, 0};
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "web"));
  assert_int_equal(pthread_create(&thread, NULL, write_one, &other), 0);
  while (!__atomic_load_n(&other.started, __ATOMIC_SEQ_CST)) {
    usleep(1000);
  }
  usleep(100000);
  assert_int_equal(__atomic_load_n(&other.done, __ATOMIC_SEQ_CST), 0);
  assert_false(is_there(tx, "other thread"));
  CONTRACT_OK(kecs_commit(tx));
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(other.status, KECS_OK);
  assert_true(is_there(store, "other thread"));
  contract_close(store);
}

static void another_thread_gives_up_in_time(void **state) {
  (void)state;
  kecs_options options = {.busy_timeout_ms = 50, .pool = {.acquire_ms = 50}};
  kecs_store *store = open_with_one_writer(&options);
  kecs_store *tx = NULL;
  pthread_t thread;
  writer other = {store, KECS_OK, 0, 0};
  CONTRACT_OK(kecs_begin(store, &tx));
  assert_int_equal(pthread_create(&thread, NULL, write_one, &other), 0);
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(other.status, KECS_E_BUSY);
  CONTRACT_OK(make(tx, "web"));
  CONTRACT_OK(kecs_commit(tx));
  assert_false(is_there(store, "other thread"));
  CONTRACT_OK(make(store, "other thread"));
  contract_close(store);
}

typedef struct reader {
  kecs_store *store;
  int64_t count;
  kecs_status status;
} reader;

static void *count_rows(void *user) {
  reader *one = user;
  one->status = kecs_cluster_count(one->store, NULL, &one->count);
  return NULL;
}

static void readers_see_it_after_commit_only(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  if (contract_is_memory()) { /* its readers share the writer's connection, and wait for it */
    contract_close(store);
    return;
  }
  kecs_store *second = contract_open_again(store, NULL);
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  for (int i = 0; i < 10; i++) {
    char name[16];
    snprintf(name, sizeof name, "c%d", i);
    CONTRACT_OK(make(tx, name));
    pthread_t thread;
    reader other = {store, -1, KECS_OK};
    assert_int_equal(pthread_create(&thread, NULL, count_rows, &other), 0);
    pthread_join(thread, NULL);
    CONTRACT_NUMBER(other.status, KECS_OK);
    CONTRACT_NUMBER(other.count, 0);
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
    CONTRACT_NUMBER(contract_count_rows(second, KECS_KIND_CLUSTER), 0);
    CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_CLUSTER), i + 1);
  }
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 10);
  CONTRACT_NUMBER(contract_count_rows(second, KECS_KIND_CLUSTER), 10);
  contract_close(second);
  contract_close(store);
}

/* A transaction begun by one thread may be carried on by another, one at a time. */
static void *finish_transaction(void *user) {
  writer *one = user;
  one->status = make(one->store, "second thread");
  if (!one->status) {
    one->status = kecs_commit(one->store);
  }
  return NULL;
}

static void a_transaction_may_change_threads(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  pthread_t thread;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "first thread"));
  writer other = {tx, KECS_E_MISUSE, 0, 0};
  assert_int_equal(pthread_create(&thread, NULL, finish_transaction, &other), 0);
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(other.status, KECS_OK);
  CONTRACT_OK(make(store, "after"));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 3);
  contract_close(store);
}

enum { WRITERS = 8, WRITES = 10 };

static void *read_then_write(void *user) {
  writer *one = user;
  for (int i = 0; i < WRITES && !one->status; i++) {
    kecs_store *tx = NULL;
    kecs_result *read = NULL;
    one->status = kecs_begin(one->store, &tx);
    if (one->status) {
      return NULL;
    }
    one->status = kecs_cluster_get(tx, "web", &read);
    if (!one->status) {
      kecs_cluster row = *kecs_cluster_at(read, 0);
      row.pending_tasks_count++;
      row.version = 0; /* nobody can have come between */
      one->status = kecs_cluster_update(tx, &row, NULL);
    }
    kecs_result_free(read);
    if (one->status) {
      kecs_rollback(tx);
    } else {
      one->status = kecs_commit(tx);
    }
  }
  return NULL;
}

static void read_then_write_is_never_busy(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  pthread_t threads[WRITERS];
  writer writers[WRITERS];
  CONTRACT_OK(make(store, "web"));
  for (int i = 0; i < WRITERS; i++) {
    writers[i] = (writer){store, KECS_OK, 0, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, read_then_write, &writers[i]), 0);
  }
  for (int i = 0; i < WRITERS; i++) {
    pthread_join(threads[i], NULL);
    CONTRACT_NUMBER(writers[i].status, KECS_OK);
  }
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_get(store, "web", &result));
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->pending_tasks_count, WRITERS * WRITES);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- kecs_transact ---- */

typedef struct job {
  int runs;
  int busy_until; /* this many runs say BUSY */
  kecs_status then;
} job;

static kecs_status run_job(kecs_store *tx, void *user) {
  job *one = user;
  char name[16];
  one->runs++;
  snprintf(name, sizeof name, "run%d", one->runs);
  kecs_status status = make(tx, name);
  if (status) {
    return status;
  }
  return one->runs <= one->busy_until ? KECS_E_BUSY : one->then;
}

static void transact_commits_retries_and_rolls_back(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  job fine = {0, 0, KECS_OK};
  CONTRACT_OK(kecs_transact(store, run_job, &fine, 0));
  CONTRACT_NUMBER(fine.runs, 1);
  assert_true(is_there(store, "run1"));
  CONTRACT_OK(kecs_cluster_delete(store, "run1"));

  job busy = {0, 3, KECS_OK};
  CONTRACT_OK(kecs_transact(store, run_job, &busy, 10000));
  CONTRACT_NUMBER(busy.runs, 4);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  assert_true(is_there(store, "run4"));

  static const kecs_status ends[] = {KECS_E_NOT_FOUND, KECS_E_CONFLICT, KECS_E_TIMEOUT, KECS_E_CANCELLED,
                                     KECS_E_INVALID};
  for (size_t i = 0; i < CONTRACT_COUNT(ends); i++) {
    job failing = {0, 0, ends[i]};
    CONTRACT_NUMBER(kecs_transact(store, run_job, &failing, 1000), ends[i]);
    CONTRACT_NUMBER(failing.runs, 1);
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  }
  job never = {100, INT32_MAX, KECS_OK};
  CONTRACT_NUMBER(kecs_transact(store, run_job, &never, 100), KECS_E_BUSY);
  assert_true(never.runs >= 102);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

static void transact_on_a_transaction_runs_once(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  job busy = {0, 1, KECS_OK};
  job fine = {5, 0, KECS_OK};
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "before"));
  CONTRACT_NUMBER(kecs_transact(tx, run_job, &busy, 10000), KECS_E_BUSY);
  CONTRACT_NUMBER(busy.runs, 1);
  assert_false(is_there(tx, "run1"));
  assert_true(is_there(tx, "before"));
  CONTRACT_OK(kecs_transact(tx, run_job, &fine, 0));
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  assert_true(is_there(store, "run6"));
  CONTRACT_FAILS(kecs_transact(store, NULL, NULL, 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_transact(NULL, run_job, &fine, 0), KECS_E_MISUSE);
  contract_close(store);
}

/* ---- deadlines ---- */

static kecs_store *open_at(int64_t *now) {
  kecs_options options = {.clock = contract_clock(now)};
  return contract_open_with(&options);
}

static void a_passed_deadline_stops_every_call(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_store *tx = store;
  kecs_result *result = NULL;
  int64_t count = 0;
  CONTRACT_OK(make(store, "web"));
  CONTRACT_OK(kecs_set_deadline(store, now + 10));
  CONTRACT_OK(make(store, "before"));
  now += 10;
  CONTRACT_FAILS(make(store, "late"), KECS_E_TIMEOUT);
  CONTRACT_FAILS(kecs_cluster_delete(store, "web"), KECS_E_TIMEOUT);
  CONTRACT_FAILS(kecs_cluster_get(store, "web", &result), KECS_E_TIMEOUT);
  CONTRACT_FAILS(kecs_cluster_list(store, NULL, &result), KECS_E_TIMEOUT);
  CONTRACT_FAILS(kecs_cluster_count(store, NULL, &count), KECS_E_TIMEOUT);
  CONTRACT_FAILS(kecs_begin(store, &tx), KECS_E_TIMEOUT);
  assert_null(tx);
  CONTRACT_OK(kecs_set_deadline(store, 0));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  assert_false(is_there(store, "late"));
  CONTRACT_OK(kecs_set_deadline(store, now + 1000000));
  CONTRACT_OK(make(store, "late"));
  contract_close(store);
}

/* The clock strikes between the last statement and COMMIT. */
static void a_deadline_right_before_commit(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  CONTRACT_OK(kecs_set_deadline(store, now + 10));
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "a"));
  CONTRACT_OK(kecs_begin(tx, &inner));
  CONTRACT_OK(make(inner, "b"));
  CONTRACT_OK(kecs_commit(inner));
  now += 10;
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_TIMEOUT);
  CONTRACT_FAILS(make(tx, "c"), KECS_E_MISUSE); /* the handle is gone */
  CONTRACT_OK(kecs_set_deadline(store, 0));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(make(store, "a"));
  contract_close(store);
}

static void a_deadline_of_the_transaction_alone(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_set_deadline(tx, now + 5));
  CONTRACT_OK(make(tx, "a"));
  now += 5;
  CONTRACT_FAILS(make(tx, "b"), KECS_E_TIMEOUT);
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_TIMEOUT);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "c"));
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

/* However early or late within a call the deadline comes: TIMEOUT and nothing stored, or OK and everything. */
static void a_deadline_anywhere_inside_a_call(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_ticking(&now)};
  kecs_store *store = contract_open_with(&options);
  enum { ROWS = 50 };
  kecs_task tasks[ROWS];
  bool timed_out = false;
  bool stored = false;
  memset(tasks, 0, sizeof tasks);
  CONTRACT_OK(make(store, "web"));
  for (int i = 0; i < ROWS; i++) {
    tasks[i].cluster_arn = "web";
  }
  for (int64_t after = 1; after < 200 && !stored; after++) {
    CONTRACT_OK(kecs_set_deadline(store, contract_clock_now(&now) + after));
    kecs_status status = kecs_task_create_many(store, tasks, ROWS, NULL);
    CONTRACT_OK(kecs_set_deadline(store, 0));
    int64_t rows = contract_count_rows(store, KECS_KIND_TASK);
    assert_true(status == KECS_OK || status == KECS_E_TIMEOUT);
    CONTRACT_NUMBER(rows, status == KECS_OK ? ROWS : 0);
    timed_out = timed_out || status == KECS_E_TIMEOUT;
    stored = status == KECS_OK;
  }
  assert_true(timed_out);
  assert_true(stored);
  contract_close(store);
}

/* ---- between the last statement and COMMIT ---- */

/* A decorator around the backend that lets something happen once a statement has run. */
static const kecs_backend *real_backend;
static kecs_backend hooked_backend;
static const kecs_backend *const hooked_backends[] = {&hooked_backend, NULL};
static void (*after_step)(void);
static int64_t hooked_now;
static kecs_store *hooked_store;

static kecs_status hooked_step(kecs_statement *statement, bool *out_row) {
  kecs_status status = real_backend->step(statement, out_row);
  if (after_step) {
    after_step();
  }
  return status;
}

static void let_the_clock_strike(void) {
  contract_set_clock(&hooked_now, CONTRACT_NOW + 10);
}

static void cancel_it(void) {
  (void)kecs_set_cancelled(hooked_store, true);
}

static kecs_store *open_hooked(void) {
  kecs_options options = {.clock = contract_clock(&hooked_now), .backends = hooked_backends};
  real_backend = contract_real_backend();
  hooked_backend = *real_backend;
  hooked_backend.step = hooked_step;
  after_step = NULL;
  hooked_now = CONTRACT_NOW;
  hooked_store = contract_open_with(&options);
  return hooked_store;
}

static kecs_status write_somehow(kecs_store *store, int call, kecs_result **out_result) {
  static const char document[] = "{\"clusterName\":\"lost\"}";
  kecs_cluster change = {.name = "kept", .status = "CHANGED"};
  kecs_cluster lost = {.name = "lost"};
  switch (call) {
    case 0: return kecs_cluster_create(store, &lost, out_result);
    case 1: return kecs_cluster_update(store, &change, out_result);
    case 2: return kecs_cluster_upsert(store, &lost, out_result);
    case 3: return kecs_put_json(store, KECS_KIND_CLUSTER, document, SIZE_MAX, 0, out_result);
    default: return kecs_cluster_delete(store, "kept");
  }
}

static void stopped_right_before_commit(void **state) {
  (void)state;
  static const struct {
    void (*what)(void);
    kecs_status status;
  } cases[] = {{let_the_clock_strike, KECS_E_TIMEOUT}, {cancel_it, KECS_E_CANCELLED}};
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_store *store = open_hooked();
    kecs_result *result = NULL;
    CONTRACT_OK(make(store, "kept"));
    for (int call = 0; call < 5; call++) {
      CONTRACT_OK(kecs_set_deadline(store, CONTRACT_NOW + 10));
      after_step = cases[i].what;
      kecs_status status = write_somehow(store, call, &result);
      after_step = NULL;
      contract_set_clock(&hooked_now, CONTRACT_NOW);
      CONTRACT_FAILS(status, cases[i].status);
      assert_null(result);
      CONTRACT_OK(kecs_set_deadline(store, 0));
      CONTRACT_OK(kecs_set_cancelled(store, false));
      assert_false(is_there(store, "lost"));
      CONTRACT_OK(kecs_cluster_get(store, "kept", &result));
      CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "ACTIVE");
      CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 1);
      kecs_result_free(result);
      result = NULL;
    }
    contract_close(store);
  }
}

/* ---- cancelling ---- */

static void cancelled_until_it_is_not(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "a"));
  CONTRACT_OK(kecs_set_cancelled(store, true));
  CONTRACT_FAILS(make(tx, "b"), KECS_E_CANCELLED);
  CONTRACT_FAILS(kecs_cluster_get(tx, "a", &result), KECS_E_CANCELLED);
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_CANCELLED);
  CONTRACT_FAILS(make(store, "c"), KECS_E_CANCELLED);
  CONTRACT_FAILS(kecs_cluster_list(store, NULL, &result), KECS_E_CANCELLED);
  CONTRACT_FAILS(kecs_begin(store, &tx), KECS_E_CANCELLED);
  CONTRACT_OK(kecs_set_cancelled(store, false));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(make(store, "c"));

  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_set_cancelled(tx, true)); /* the transaction alone */
  CONTRACT_FAILS(make(tx, "d"), KECS_E_CANCELLED);
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_OK(make(store, "d"));
  contract_close(store);
}

typedef struct canceller {
  kecs_store *store;
  size_t seen;
  int visiting;
  kecs_status status;
} canceller;

static void *cancel_when_visiting(void *user) {
  canceller *one = user;
  while (!__atomic_load_n(&one->visiting, __ATOMIC_SEQ_CST)) {
    usleep(100);
  }
  one->status = kecs_set_cancelled(one->store, true);
  __atomic_store_n(&one->visiting, 2, __ATOMIC_SEQ_CST);
  return NULL;
}

static kecs_status visit_and_wait(const kecs_node *row, void *user) {
  canceller *one = user;
  (void)row;
  one->seen++;
  if (__atomic_load_n(&one->visiting, __ATOMIC_SEQ_CST) == 0) {
    __atomic_store_n(&one->visiting, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&one->visiting, __ATOMIC_SEQ_CST) != 2) {
      usleep(100);
    }
  }
  return KECS_OK;
}

enum { MANY_NODES = 20000 };

static kecs_store *open_many_nodes(void) {
  kecs_store *store = contract_open();
  kecs_node *nodes = calloc(MANY_NODES, sizeof *nodes);
  char(*ids)[16] = calloc(MANY_NODES, sizeof *ids);
  for (int i = 0; i < MANY_NODES; i++) {
    snprintf(ids[i], sizeof ids[i], "n%05d", i);
    nodes[i].id = ids[i];
    nodes[i].hostname = "host";
  }
  CONTRACT_OK(kecs_node_create_many(store, nodes, MANY_NODES, NULL));
  free(ids);
  free(nodes);
  return store;
}

static void cancelling_a_long_walk_from_another_thread(void **state) {
  (void)state;
  kecs_store *store = open_many_nodes();
  canceller one = {store, 0, 0, KECS_E_MISUSE};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, cancel_when_visiting, &one), 0);
  kecs_status status = kecs_node_each(store, NULL, visit_and_wait, &one);
  pthread_join(thread, NULL);
  CONTRACT_FAILS(status, KECS_E_CANCELLED);
  CONTRACT_NUMBER(one.status, KECS_OK);
  assert_true(one.seen < MANY_NODES);
  CONTRACT_OK(kecs_set_cancelled(store, false));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE), MANY_NODES);
  contract_close(store);
}

/* A query that looks at every text of every row, again and again until the cancel hits it. */
static void *list_until_cancelled(void *user) {
  canceller *one = user;
  kecs_filter filter = {.column = KECS_NODE_HOSTNAME, .op = KECS_CONTAINS_NOCASE, .text = "nothing has this"};
  kecs_query query = {.where = &filter, .where_count = 1};
  while (one->status == KECS_OK) {
    kecs_result *result = NULL;
    one->status = kecs_node_list(one->store, &query, &result);
    kecs_result_free(result);
    __atomic_store_n(&one->visiting, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

static void cancelling_a_long_list_from_another_thread(void **state) {
  (void)state;
  kecs_store *store = open_many_nodes();
  canceller one = {store, 0, 0, KECS_OK};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, list_until_cancelled, &one), 0);
  while (!__atomic_load_n(&one.visiting, __ATOMIC_SEQ_CST)) {
    usleep(100);
  }
  CONTRACT_OK(kecs_set_cancelled(store, true));
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(one.status, KECS_E_CANCELLED);
  CONTRACT_OK(kecs_set_cancelled(store, false));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE), MANY_NODES);
  contract_close(store);
}

/* A writer that waits for a lock hears of a cancel at once, not when its patience ends. */
static void *write_when_free(void *user) {
  writer *one = user;
  __atomic_store_n(&one->started, 1, __ATOMIC_SEQ_CST);
  one->status = make(one->store, "waited");
  return NULL;
}

static void check_cancelled_wait(kecs_store *holder, kecs_store *waiter) {
  kecs_store *tx = NULL;
  pthread_t thread;
  writer other = {waiter, KECS_OK, 0, 0};
  CONTRACT_OK(kecs_begin(holder, &tx));
  CONTRACT_OK(make(tx, "held"));
  assert_int_equal(pthread_create(&thread, NULL, write_when_free, &other), 0);
  while (!__atomic_load_n(&other.started, __ATOMIC_SEQ_CST)) {
    usleep(1000);
  }
  usleep(50000); /* it waits by now, or will find itself cancelled when it begins */
  CONTRACT_OK(kecs_set_cancelled(waiter, true));
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(other.status, KECS_E_CANCELLED);
  CONTRACT_OK(kecs_set_cancelled(waiter, false));
  CONTRACT_OK(kecs_commit(tx));
  assert_false(is_there(waiter, "waited"));
  CONTRACT_OK(make(waiter, "waited"));
  CONTRACT_NUMBER(contract_count_rows(holder, KECS_KIND_CLUSTER), 2);
}

static void cancelling_a_writer_that_waits(void **state) {
  (void)state;
  kecs_options options = {.busy_timeout_ms = 20000};
  kecs_store *store = open_with_one_writer(&options);
  check_cancelled_wait(store, store);
  contract_close(store);
  if (contract_is_file()) { /* for another store, as for another process */
    kecs_store *holder = contract_open_with(&options);
    kecs_store *waiter = contract_open_again(holder, NULL);
    check_cancelled_wait(holder, waiter);
    contract_close(waiter);
    contract_close(holder);
  }
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(commit_stores_and_rollback_does_not),
    CONTRACT_TEST(an_empty_transaction_is_fine),
    CONTRACT_TEST(a_failed_call_leaves_the_transaction_whole),
    CONTRACT_TEST(a_failed_batch_leaves_the_transaction_whole),
    CONTRACT_TEST(nested_transactions_are_savepoints),
    CONTRACT_TEST(deep_nesting),
    CONTRACT_TEST(open_savepoints_end_with_their_transaction),
    CONTRACT_TEST(closing_rolls_back),
    CONTRACT_TEST(an_ended_transaction_says_so),
    CONTRACT_TEST(writing_past_ones_own_transaction),
    CONTRACT_TEST(another_thread_waits_for_the_transaction),
    CONTRACT_TEST(another_thread_gives_up_in_time),
    CONTRACT_TEST(readers_see_it_after_commit_only),
    CONTRACT_TEST(a_transaction_may_change_threads),
    CONTRACT_TEST(read_then_write_is_never_busy),
    CONTRACT_TEST(transact_commits_retries_and_rolls_back),
    CONTRACT_TEST(transact_on_a_transaction_runs_once),
    CONTRACT_TEST(a_passed_deadline_stops_every_call),
    CONTRACT_TEST(a_deadline_right_before_commit),
    CONTRACT_TEST(a_deadline_of_the_transaction_alone),
    CONTRACT_TEST(a_deadline_anywhere_inside_a_call),
    CONTRACT_TEST(stopped_right_before_commit),
    CONTRACT_TEST(cancelled_until_it_is_not),
    CONTRACT_TEST(cancelling_a_long_walk_from_another_thread),
    CONTRACT_TEST(cancelling_a_long_list_from_another_thread),
    CONTRACT_TEST(cancelling_a_writer_that_waits),
};

CONTRACT_MAIN("transactions", tests)
