/* test_pool.c -- the connections of one store: threads write side by side, no more connections than allowed, those that
 * wait come in turn, and the spare ones go. */
#include "contract/contract.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <time.h>

enum { THREADS = 8, ROUNDS = 25 };

static kecs_store *open_pool(const char *option) {
  static char urls[16][CONTRACT_PATH_MAX];
  static size_t next;
  char *url = urls[next++ % CONTRACT_COUNT(urls)];
  contract_url(option, url, CONTRACT_PATH_MAX);
  kecs_options options = {.path = url};
  return contract_open_with(&options);
}

static kecs_pool_info pool_of(kecs_store *store) {
  kecs_info info;
  CONTRACT_OK(kecs_store_info(store, &info));
  return info.pool;
}

static kecs_status make(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  return kecs_cluster_create(store, &cluster, NULL);
}

/* Connections of stores with this application name. */
static int connections_of(PGconn *pg, const char *name) {
  const char *values[] = {name};
  PGresult *result = PQexecParams(pg, "SELECT count(*) FROM pg_stat_activity WHERE application_name=$1", 1, NULL,
                                  values, NULL, NULL, 0);
  int count = PQntuples(result) == 1 ? atoi(PQgetvalue(result, 0, 0)) : -1;
  PQclear(result);
  return count;
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- threads ---- */

typedef struct worker {
  kecs_store *store;
  int number;
  pthread_barrier_t *together; /* NULL: they don't wait for each other */
  kecs_status status;
  int64_t longest_ms;
  int *running;
  char text[512];
} worker;

static void note(worker *one, kecs_status status) {
  if (status && !one->status) {
    one->status = status;
    snprintf(one->text, sizeof one->text, "%s", kecs_last_error()->text);
  }
}

/* Single writes and transactions, by turns. */
static void *write_much(void *user) {
  worker *one = user;
  for (int i = 0; i < ROUNDS; i++) {
    char name[32];
    kecs_store *tx = NULL;
    int64_t since = now_ms();
    snprintf(name, sizeof name, "w%d-%d", one->number, i);
    if (i % 2) {
      note(one, make(one->store, name));
    } else {
      note(one, kecs_begin(one->store, &tx));
      note(one, tx ? make(tx, name) : KECS_OK);
      note(one, tx ? kecs_commit(tx) : KECS_OK);
    }
    one->longest_ms = now_ms() - since > one->longest_ms ? now_ms() - since : one->longest_ms;
  }
  __atomic_sub_fetch(one->running, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

/* All have a transaction open, with something in it, at the same time. */
static void *meet_in_transactions(void *user) {
  worker *one = user;
  char name[32];
  kecs_store *tx = NULL;
  snprintf(name, sizeof name, "t%d", one->number);
  note(one, kecs_begin(one->store, &tx));
  note(one, tx ? make(tx, name) : KECS_OK);
  pthread_barrier_wait(one->together);
  note(one, tx ? kecs_commit(tx) : KECS_OK);
  __atomic_sub_fetch(one->running, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

/* Runs them; the most connections that were seen meanwhile. */
static int run(kecs_store *store, void *(*what)(void *), bool together, worker *workers, PGconn *pg, const char *name) {
  pthread_t threads[THREADS];
  pthread_barrier_t barrier;
  int running = THREADS;
  int most = 0;
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.store = store, .number = i, .running = &running, .together = together ? &barrier : NULL};
    assert_int_equal(pthread_create(&threads[i], NULL, what, &workers[i]), 0);
  }
  while (pg && __atomic_load_n(&running, __ATOMIC_SEQ_CST) > 0) {
    int count = connections_of(pg, name);
    most = count > most ? count : most;
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  pthread_barrier_destroy(&barrier);
  for (int i = 0; i < THREADS; i++) {
    if (workers[i].status) {
      fail_msg("%s: %s", kecs_status_name(workers[i].status), workers[i].text);
    }
  }
  return most;
}

static void threads_write_side_by_side(void **state) {
  (void)state;
  worker workers[THREADS];
  kecs_store *store = open_pool("tenant=side");
  run(store, meet_in_transactions, true, workers, NULL, NULL);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), THREADS);
  kecs_pool_info pool = pool_of(store);
  CONTRACT_NUMBER(pool.max, 10);
  assert_in_range(pool.total, THREADS, 10);
  CONTRACT_NUMBER(pool.active, 1); /* the one that tells this */
  CONTRACT_NUMBER(pool.waits, 0);
  contract_close(store);
}

static void there_are_no_more_connections_than_allowed(void **state) {
  (void)state;
  worker workers[THREADS];
  PGconn *pg = PQconnectdb(getenv("KECS_TEST_POSTGRES"));
  kecs_store *store = open_pool("tenant=bounded&max_connections=3&application_name=bounded");
  int most = run(store, write_much, false, workers, pg, "bounded");
  assert_in_range(most, 2, 3);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), THREADS * ROUNDS);
  kecs_pool_info pool = pool_of(store);
  CONTRACT_NUMBER(pool.max, 3);
  CONTRACT_NUMBER(pool.total, 3);
  assert_true(pool.waits > 0 && pool.wait_us > 0);
  for (int i = 0; i < THREADS; i++) { /* nobody is passed over again and again */
    assert_true(workers[i].longest_ms < 5000);
  }
  contract_close(store);
  for (int i = 0; i < 500 && connections_of(pg, "bounded") > 0; i++) {
    usleep(10000);
  }
  CONTRACT_NUMBER(connections_of(pg, "bounded"), 0);
  PQfinish(pg);
}

static void *write_once(void *user) {
  worker *one = user;
  int64_t since = now_ms();
  note(one, make(one->store, "once"));
  one->longest_ms = now_ms() - since;
  return NULL;
}

static void who_waits_too_long_is_told(void **state) {
  (void)state;
  static const char *const options[] = {"tenant=full&max_connections=1&acquire_timeout=300ms",
                                        "tenant=full&max_connections=1&acquire_timeout=0"};
  for (int i = 0; i < 2; i++) {
    kecs_store *store = open_pool(options[i]);
    kecs_store *tx = NULL;
    worker other = {.store = store};
    pthread_t thread;
    int64_t count = 0;
    CONTRACT_OK(kecs_begin(store, &tx));
    assert_int_equal(pthread_create(&thread, NULL, write_once, &other), 0);
    pthread_join(thread, NULL);
    CONTRACT_NUMBER(other.status, KECS_E_BUSY);
    assert_non_null(strstr(other.text, "max_connections"));
    assert_in_range(other.longest_ms, i ? 0 : 290, i ? 250 : 5000);
    CONTRACT_FAILS(kecs_cluster_count(store, NULL, &count), KECS_E_MISUSE); /* it would wait for itself */
    CONTRACT_SAYS("holds all 1 connections");
    CONTRACT_OK(kecs_rollback(tx));
    CONTRACT_OK(kecs_cluster_count(store, NULL, &count));
    contract_close(store);
  }
}

static void options_count_before_the_url(void **state) {
  (void)state;
  char url[CONTRACT_PATH_MAX];
  contract_url("tenant=options&max_connections=1&acquire_timeout=20s", url, sizeof url);
  kecs_options options = {.path = url, .pool = {.acquire_ms = 100}};
  kecs_store *store = contract_open_with(&options);
  kecs_store *tx = NULL;
  worker other = {.store = store};
  pthread_t thread;
  CONTRACT_OK(kecs_begin(store, &tx));
  assert_int_equal(pthread_create(&thread, NULL, write_once, &other), 0);
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(other.status, KECS_E_BUSY);
  assert_true(other.longest_ms < 5000);
  CONTRACT_OK(kecs_rollback(tx));
  contract_close(store);
}

static void spare_connections_go(void **state) {
  (void)state;
  worker workers[THREADS];
  kecs_store *store = open_pool("tenant=spare&min_connections=2&idle_timeout=200ms&check_interval=10ms");
  run(store, meet_in_transactions, true, workers, NULL, NULL);
  usleep(300000);
  contract_count_rows(store, KECS_KIND_CLUSTER);
  kecs_pool_info pool = pool_of(store);
  CONTRACT_NUMBER(pool.total, 2);
  assert_true(pool.retired >= THREADS - 2);
  usleep(300000);
  CONTRACT_OK(kecs_maintain(store));
  CONTRACT_NUMBER(pool_of(store).total, 2);
  contract_close(store);
}

/* A walk has a connection of its own; writes go on beside it, and in it. */
static kecs_status write_in_walk(const kecs_cluster *row, void *user) {
  char name[64];
  snprintf(name, sizeof name, "%.20s-again", row->name);
  return make(user, name);
}

static void writes_inside_a_walk(void **state) {
  (void)state;
  kecs_store *store = open_pool("tenant=walk&max_connections=2");
  for (int i = 0; i < 5; i++) {
    char name[16];
    snprintf(name, sizeof name, "c%d", i);
    CONTRACT_OK(make(store, name));
  }
  CONTRACT_OK(kecs_cluster_each(store, NULL, write_in_walk, store));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 10);
  contract_close(store);
}

/* All make the same row, each in a transaction that has more in it: one inserts it, the others wait and update. */
static void *upsert_in_transaction(void *user) {
  worker *one = user;
  char name[32];
  kecs_store *tx = NULL;
  snprintf(name, sizeof name, "own%d", one->number);
  kecs_cluster cluster = {.name = "shared", .k8s_cluster_name = name};
  note(one, kecs_begin(one->store, &tx));
  note(one, tx ? make(tx, name) : KECS_OK);
  pthread_barrier_wait(one->together);
  note(one, tx ? kecs_cluster_upsert(tx, &cluster, NULL) : KECS_OK);
  note(one, tx ? kecs_commit(tx) : KECS_OK);
  __atomic_sub_fetch(one->running, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void transactions_make_the_same_row(void **state) {
  (void)state;
  worker workers[THREADS];
  kecs_store *store = open_pool("tenant=same");
  run(store, upsert_in_transaction, true, workers, NULL, NULL);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), THREADS + 1);
  contract_close(store);
}

static void open_transactions_end_with_the_store(void **state) {
  (void)state;
  worker workers[THREADS];
  kecs_store *store = open_pool("tenant=closing");
  kecs_store *tx = NULL;
  run(store, meet_in_transactions, true, workers, NULL, NULL);
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "never"));
  kecs_store *inner = NULL;
  CONTRACT_OK(kecs_begin(tx, &inner));
  contract_close(store);
  store = open_pool("tenant=closing");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), THREADS);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(threads_write_side_by_side),
    CONTRACT_TEST(there_are_no_more_connections_than_allowed),
    CONTRACT_TEST(who_waits_too_long_is_told),
    CONTRACT_TEST(options_count_before_the_url),
    CONTRACT_TEST(spare_connections_go),
    CONTRACT_TEST(writes_inside_a_walk),
    CONTRACT_TEST(transactions_make_the_same_row),
    CONTRACT_TEST(open_transactions_end_with_the_store),
};

CONTRACT_MAIN("pool", tests)
