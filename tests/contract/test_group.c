/* test_group.c -- writes of several threads that share a commit: each is told its own result, after the commit. */
#include "contract.h"

#include <pthread.h>
#include <time.h>

enum { THREADS = 8, ROUNDS = 10 };

/* ---- a backend that counts commits, makes them slow, and lets them fail ---- */

static const kecs_backend *real;
static kecs_backend slow;
static const kecs_backend *const slow_backends[] = {&slow, NULL};
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int commits;
static int commit_ms;         /* how long one takes */
static int commits_when_done; /* of the thread that changes nothing */
static int commits_to_fail;   /* so many of the next ones */
static bool lose;             /* the next statement that fails takes the transaction with it */
static int64_t now;
static int64_t now_after_commit; /* 0: the clock stays */

static void nap(int ms) {
  struct timespec time = {0, ms * 1000000L};
  nanosleep(&time, NULL);
}

static kecs_status slow_commit(kecs_connection *connection) {
  pthread_mutex_lock(&guard);
  bool fails = commits_to_fail > 0 && commits_to_fail-- > 0;
  pthread_mutex_unlock(&guard);
  nap(commit_ms);
  kecs_status status = fails ? kecs_backend_fail(KECS_E_FULL, 13, NULL, "the disk is full") : real->commit(connection);
  if (!fails && now_after_commit) {
    contract_set_clock(&now, now_after_commit);
  }
  pthread_mutex_lock(&guard);
  commits++;
  pthread_mutex_unlock(&guard);
  return status;
}

static kecs_connection *writing; /* of the store: the one that begins to write */

static kecs_status slow_begin(kecs_connection *connection, bool write) {
  writing = write ? connection : writing;
  return real->begin(connection, write);
}

static kecs_status slow_step(kecs_statement *statement, bool *out_row) {
  kecs_status status = real->step(statement, out_row);
  if (status == KECS_E_EXISTS && lose) {
    lose = false;
    real->rollback(writing);
  }
  return status;
}

static kecs_store *open_slow(void) {
  kecs_options options = {.clock = contract_clock(&now), .backends = slow_backends};
  real = kecs_sqlite_backend();
  slow = *real;
  slow.commit = slow_commit;
  slow.begin = slow_begin;
  slow.step = slow_step;
  now = CONTRACT_NOW;
  now_after_commit = 0;
  kecs_store *store = contract_open_with(&options);
  commits = 0;
  commit_ms = 2;
  commits_to_fail = 0;
  lose = false;
  return store;
}

/* ---- threads ---- */

typedef struct worker {
  kecs_store *store;
  int number;
  kecs_status status;
  kecs_error error;
} worker;

static kecs_status make(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  return kecs_cluster_create(store, &cluster, NULL);
}

/* Every second thread asks for a name that is taken. */
static void *make_one(void *user) {
  worker *one = user;
  char name[32];
  snprintf(name, sizeof name, "c%d", one->number);
  one->status = make(one->store, one->number % 2 ? "taken" : name);
  one->error = *kecs_last_error();
  return NULL;
}

static void *make_own(void *user) {
  worker *one = user;
  char name[32];
  snprintf(name, sizeof name, "c%d", one->number);
  one->status = make(one->store, name);
  one->error = *kecs_last_error();
  return NULL;
}

/* Lets all of them wait for a transaction that this thread holds, ends that, and lets them run. */
static void run_queued(kecs_store *store, void *(*work)(void *user), worker *workers) {
  pthread_t threads[THREADS];
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.store = store, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    nap(20); /* so that they stand in this order */
  }
  CONTRACT_OK(kecs_rollback(tx));
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
}

/* ---- tests ---- */

static void those_who_wait_share_one_commit(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  worker workers[THREADS];
  run_queued(store, make_own, workers);
  for (int i = 0; i < THREADS; i++) {
    CONTRACT_NUMBER(workers[i].status, KECS_OK);
  }
  if (contract_is_file()) {
    assert_in_range(commits, 1, 2);
  } else if (contract_is_memory()) {
    CONTRACT_NUMBER(commits, THREADS); /* nothing is gained there */
  }
  store = contract_reopen(store);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), THREADS);
  contract_close(store);
}

/* The first changes nothing and has seen nothing that is not committed: it is gone before the others' commit. */
static void *change_nothing_or_make(void *user) {
  worker *one = user;
  if (one->number > 0) {
    return make_own(user);
  }
  kecs_cluster cluster = {.name = "there"};
  one->status = kecs_cluster_upsert(one->store, &cluster, NULL);
  pthread_mutex_lock(&guard);
  commits_when_done = commits;
  pthread_mutex_unlock(&guard);
  return NULL;
}

static void no_change_waits_for_no_commit(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  worker workers[THREADS];
  CONTRACT_OK(make(store, "there"));
  commits = 0;
  commit_ms = 200;
  run_queued(store, change_nothing_or_make, workers);
  for (int i = 0; i < THREADS; i++) {
    CONTRACT_NUMBER(workers[i].status, KECS_OK);
  }
  assert_in_range(commits_when_done, 0, 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), THREADS);
  contract_close(store);
}

static void one_alone_commits_at_once(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  for (int i = 0; i < ROUNDS; i++) {
    char name[32];
    snprintf(name, sizeof name, "c%d", i);
    CONTRACT_OK(make(store, name));
    CONTRACT_NUMBER(commits, i + 1);
  }
  contract_close(store);
}

static void a_failing_one_is_undone_alone(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  worker workers[THREADS];
  CONTRACT_OK(make(store, "taken"));
  run_queued(store, make_one, workers);
  for (int i = 0; i < THREADS; i++) {
    CONTRACT_NUMBER(workers[i].status, i % 2 ? KECS_E_EXISTS : KECS_OK);
    if (i % 2) {
      CONTRACT_NUMBER(workers[i].error.status, KECS_E_EXISTS);
      assert_non_null(strstr(workers[i].error.text, "taken"));
    }
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1 + THREADS / 2);
  contract_close(store);
}

static void a_failed_commit_is_told_to_all(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  worker workers[THREADS];
  commits_to_fail = THREADS;
  run_queued(store, make_own, workers);
  commits_to_fail = 0;
  for (int i = 0; i < THREADS; i++) {
    CONTRACT_NUMBER(workers[i].status, KECS_E_FULL);
    CONTRACT_NUMBER(workers[i].error.status, KECS_E_FULL);
    CONTRACT_NUMBER(workers[i].error.native_code, 13);
    assert_non_null(strstr(workers[i].error.text, "the disk is full"));
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(make(store, "again"));
  contract_close(store);
}

/* The database itself rolls back after some failures: those who were done already are told, and can do it again. */
static void a_lost_transaction_is_told_to_all(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  worker workers[THREADS];
  CONTRACT_OK(make(store, "taken"));
  lose = true;
  run_queued(store, make_one, workers);
  int64_t stored = 1;
  for (int i = 0; i < THREADS; i++) {
    kecs_status expected = i % 2 ? KECS_E_EXISTS : contract_is_file() && i == 0 ? KECS_E_BUSY : KECS_OK;
    CONTRACT_NUMBER(workers[i].status, expected);
    stored += expected == KECS_OK;
  }
  if (contract_is_file()) {
    assert_non_null(strstr(workers[0].error.text, "nothing was stored"));
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), stored);
  contract_close(store);
}

/* The last look at the deadline is right before a write joins: whoever has joined gets what the commit gives. */
static void a_deadline_that_passes_during_the_commit(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  worker workers[THREADS];
  CONTRACT_OK(kecs_set_deadline(store, CONTRACT_NOW + 10));
  now_after_commit = CONTRACT_NOW + 20;
  run_queued(store, make_own, workers);
  int64_t good = 0;
  for (int i = 0; i < THREADS; i++) {
    assert_true(workers[i].status == KECS_OK || workers[i].status == KECS_E_TIMEOUT);
    good += workers[i].status == KECS_OK;
  }
  assert_true(good > 0);
  CONTRACT_OK(kecs_set_deadline(store, 0));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), good);
  contract_close(store);
}

static void *cancel_later(void *user) {
  nap(30);
  return kecs_set_cancelled(user, true) ? user : NULL;
}

/* Those who still wait when it is cancelled store nothing. */
static void cancelled_in_the_queue(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  kecs_store *tx = NULL;
  pthread_t threads[THREADS];
  pthread_t canceller;
  worker workers[THREADS];
  CONTRACT_OK(kecs_begin(store, &tx));
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.store = store, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, make_own, &workers[i]), 0);
  }
  assert_int_equal(pthread_create(&canceller, NULL, cancel_later, store), 0);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    CONTRACT_NUMBER(workers[i].status, KECS_E_CANCELLED);
  }
  pthread_join(canceller, NULL);
  CONTRACT_OK(kecs_set_cancelled(store, false));
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(make(store, "again"));
  contract_close(store);
}

/* Writes that fail, that change nothing and that share, and transactions between them, all at once. */
static void *mix(void *user) {
  worker *one = user;
  for (int i = 0; i < ROUNDS && !one->status; i++) {
    char id[32];
    kecs_store *tx = NULL;
    snprintf(id, sizeof id, "n%d-%d", one->number, i);
    kecs_node_task row = {.id = id, .name = "name", .image = "image"};
    kecs_node_task absent = {.id = "absent", .status = "running"};
    one->status = kecs_node_task_create(one->store, &row, NULL);
    if (!one->status && kecs_node_task_create(one->store, &row, NULL) != KECS_E_EXISTS) {
      one->status = KECS_E_CORRUPT;
    }
    if (!one->status &&
        kecs_node_task_update_fields(one->store, &absent, KECS_BIT(KECS_NODE_TASK_STATUS), NULL) != KECS_E_NOT_FOUND) {
      one->status = KECS_E_CORRUPT;
    }
    one->status = one->status ? one->status : kecs_node_task_upsert(one->store, &row, NULL);
    if (!one->status && i % 5 == one->number % 5) {
      one->status = kecs_begin(one->store, &tx);
      row.status = "running";
      one->status = one->status ? one->status : kecs_node_task_upsert(tx, &row, NULL);
      one->status = one->status ? one->status : kecs_commit(tx);
    }
  }
  return NULL;
}

static void everything_at_once(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_slow();
  pthread_t threads[THREADS];
  worker workers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.store = store, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, mix, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    CONTRACT_NUMBER(workers[i].status, KECS_OK);
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), THREADS * ROUNDS);
  if (contract_is_file()) {
    assert_true(commits < THREADS * ROUNDS * 2);
  }
  contract_close(store);
}

/* ---- the window ---- */

static void *write_one(void *argument) {
  worker *self = argument;
  char name[32];
  snprintf(name, sizeof name, "window-%d", self->number);
  self->status = make(self->store, name);
  return NULL;
}

static int commits_of_two(int share_window_ms, bool at_once) {
  kecs_options options = {.backends = slow_backends, .share_window_ms = share_window_ms};
  worker workers[2];
  pthread_t threads[2];
  kecs_store *first = open_slow(); /* makes the backend */
  contract_close(first);
  kecs_store *store = contract_open_with(&options);
  commits = 0;
  for (int i = 0; i < 2; i++) {
    workers[i] = (worker){.store = store, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, write_one, &workers[i]), 0);
    if (at_once) {
      nap(30);
    } else {
      pthread_join(threads[i], NULL);
    }
  }
  for (int i = 0; i < 2; i++) {
    if (at_once) {
      pthread_join(threads[i], NULL);
    }
    CONTRACT_NUMBER(workers[i].status, KECS_OK);
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  int count = commits;
  contract_close(store);
  return count;
}

/* Within the window a write waits for others to share its commit, though none was there when it was done. */
static void a_window_for_others(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  CONTRACT_NUMBER(commits_of_two(900, true), 1);
  CONTRACT_NUMBER(commits_of_two(50, false), 2); /* nobody came: it does not wait longer */
  CONTRACT_NUMBER(commits_of_two(0, false), 2);
  CONTRACT_NUMBER(commits_of_two(-1, false), 2);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(a_window_for_others),
    CONTRACT_TEST(those_who_wait_share_one_commit),
    CONTRACT_TEST(no_change_waits_for_no_commit),
    CONTRACT_TEST(one_alone_commits_at_once),
    CONTRACT_TEST(a_failing_one_is_undone_alone),
    CONTRACT_TEST(a_failed_commit_is_told_to_all),
    CONTRACT_TEST(a_lost_transaction_is_told_to_all),
    CONTRACT_TEST(a_deadline_that_passes_during_the_commit),
    CONTRACT_TEST(cancelled_in_the_queue),
    CONTRACT_TEST(everything_at_once),
};

CONTRACT_MAIN("group", tests)
