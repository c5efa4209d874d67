/* test_multiprocess.c -- processes that write one file at once: nobody is told BUSY, and nothing is lost. */
#include "fault/fault.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 4, ROUNDS = 150, ROUNDS_FULL = 1500, MANY = 3, BUDGET_MS = 30000 };

static char path[512];

static kecs_store *open_store(void) {
  kecs_store *store = NULL;
  kecs_options options;
  memset(&options, 0, sizeof options);
  options.path = path;
  options.busy_timeout_ms = BUDGET_MS;
  return kecs_open(&options, &store) ? NULL : store;
}

static int rounds(void) {
  const char *full = getenv("KECS_FULL");
  return full && full[0] == '1' ? ROUNDS_FULL : ROUNDS;
}

/* Reads the counter and writes one more: two processes that do this outside a transaction would lose one. */
static kecs_status count_up(kecs_store *tx, void *user) {
  kecs_result *result = NULL;
  (void)user;
  kecs_status status = kecs_node_get(tx, "counter", &result);
  if (!status) {
    kecs_node node = *kecs_node_at(result, 0);
    node.running_tasks++;
    status = kecs_node_update(tx, &node, NULL);
  }
  kecs_result_free(result);
  return status;
}

/* Likewise by versions: a conflict is no failure, one reads again. */
static kecs_status count_up_by_version(kecs_store *store) {
  kecs_status status = KECS_E_CONFLICT;
  while (status == KECS_E_CONFLICT) {
    kecs_result *result = NULL;
    status = kecs_node_get(store, "versioned", &result);
    if (!status) {
      kecs_node node = *kecs_node_at(result, 0);
      node.running_tasks++;
      status = kecs_node_update(store, &node, NULL);
    }
    kecs_result_free(result);
  }
  return status;
}

static kecs_status one_round(kecs_store *store, int process, int round) {
  char names[MANY + 1][40];
  kecs_cluster clusters[MANY + 1];
  memset(clusters, 0, sizeof clusters);
  for (int i = 0; i <= MANY; i++) {
    snprintf(names[i], sizeof names[i], "c-%d-%d-%d", process, round, i);
    clusters[i].name = names[i];
  }
  kecs_status status = kecs_cluster_create(store, &clusters[MANY], NULL);
  if (!status) {
    status = kecs_cluster_create_many(store, clusters, MANY, NULL);
  }
  if (!status) {
    status = kecs_transact(store, count_up, NULL, BUDGET_MS);
  }
  if (!status) {
    status = count_up_by_version(store);
  }
  return status ? status : kecs_cluster_delete(store, names[0]);
}

/* Ends the process: 0 when all went well. */
static void work(int process) {
  kecs_store *store = open_store();
  kecs_status status = store ? KECS_OK : kecs_last_error()->status;
  for (int round = 0; !status && round < rounds(); round++) {
    status = one_round(store, process, round);
  }
  if (status) {
    fprintf(stderr, "process %d: %s: %s\n", process, kecs_status_name(status), kecs_last_error()->text);
  }
  kecs_close(store);
  _exit(status ? 1 : 0);
}

static int64_t running_tasks(kecs_store *store, const char *id) {
  kecs_result *result = NULL;
  assert_int_equal(kecs_node_get(store, id, &result), KECS_OK);
  int64_t number = kecs_node_at(result, 0)->running_tasks;
  kecs_result_free(result);
  return number;
}

/* Runs the processes; how many of them failed. */
static int run_processes(void (*what)(int process)) {
  int failed = 0;
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    assert_true(children[i] >= 0);
    if (children[i] == 0) {
      what(i);
    }
  }
  for (int i = 0; i < PROCESSES; i++) {
    int ended = 0;
    assert_int_equal(waitpid(children[i], &ended, 0), children[i]);
    failed += !(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  }
  return failed;
}

static void test_writers(void **state) {
  kecs_node nodes[] = {{.id = "counter", .hostname = "h"}, {.id = "versioned", .hostname = "h"}};
  int64_t clusters = 0;
  (void)state;
  snprintf(path, sizeof path, "%s/work.db", fault_folder());
  fault_remove(path);
  kecs_store *store = open_store();
  assert_non_null(store);
  assert_int_equal(kecs_node_create_many(store, nodes, 2, NULL), KECS_OK);
  assert_int_equal(kecs_close(store), KECS_OK); /* no connection may be carried over a fork */
  assert_int_equal(run_processes(work), 0);
  store = open_store();
  assert_non_null(store);
  assert_int_equal(running_tasks(store, "counter"), PROCESSES * rounds());
  assert_int_equal(running_tasks(store, "versioned"), PROCESSES * rounds());
  assert_int_equal(kecs_cluster_count(store, NULL, &clusters), KECS_OK);
  assert_int_equal(clusters, PROCESSES * rounds() * MANY);
  assert_int_equal(kecs_close(store), KECS_OK);
}

/* All of them find no file, and all of them end up with the one that is made. */
static void open_only(int process) {
  kecs_cluster cluster = {0};
  char name[20];
  snprintf(name, sizeof name, "p%d", process);
  cluster.name = name;
  kecs_store *store = open_store();
  kecs_status status = store ? kecs_cluster_create(store, &cluster, NULL) : kecs_last_error()->status;
  if (status) {
    fprintf(stderr, "process %d: %s: %s\n", process, kecs_status_name(status), kecs_last_error()->text);
  }
  kecs_close(store);
  _exit(status ? 1 : 0);
}

static void test_openers(void **state) {
  (void)state;
  snprintf(path, sizeof path, "%s/work.db", fault_folder());
  for (int i = 0; i < 10; i++) {
    int64_t clusters = 0;
    fault_remove(path);
    assert_int_equal(run_processes(open_only), 0);
    kecs_store *store = open_store();
    assert_non_null(store);
    assert_int_equal(kecs_cluster_count(store, NULL, &clusters), KECS_OK);
    assert_int_equal(clusters, PROCESSES);
    assert_int_equal(kecs_close(store), KECS_OK);
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {cmocka_unit_test(test_writers), cmocka_unit_test(test_openers)};
  return cmocka_run_group_tests_name("several processes", tests, NULL, NULL) ? 1 : 0;
}
