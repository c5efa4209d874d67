/* kill_counter.c -- one of the processes that tests/kill/test_processes.py kills and starts again.
 *
 *   kill_counter PATH PREFIX THREADS
 *
 * Each thread has a row of its own, PREFIX-N, and updates it for ever, naming the version that it has. What it says,
 * each line in one write(2): at NAME VERSION     what it has found v NAME VERSION      after KECS_OK: this version is
 * stored error ...           and it ends */
#include "kecs_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 16, NAME = 40, LINE = 600 };

typedef struct counter {
  kecs_store *store;
  char name[NAME];
} counter;

static void say(const char *verb, const char *name, int64_t version) {
  char line[LINE];
  int len = snprintf(line, sizeof line, "%s %s %lld\n", verb, name, (long long)version);
  if (write(STDOUT_FILENO, line, (size_t)len) != len) {
    _exit(1);
  }
}

static void must(kecs_status status, const char *what) {
  if (status) {
    char line[LINE];
    int len =
        snprintf(line, sizeof line, "error %s: %s: %.400s\n", what, kecs_status_name(status), kecs_last_error()->text);
    (void)!write(STDOUT_FILENO, line, (size_t)len);
    _exit(1);
  }
}

/* The row's version; the row is made when it is not there. */
static int64_t find(const counter *one) {
  kecs_result *result = NULL;
  kecs_cluster cluster = {0};
  cluster.name = one->name;
  kecs_status status = kecs_cluster_get(one->store, one->name, &result);
  if (status == KECS_E_NOT_FOUND) {
    must(kecs_cluster_create(one->store, &cluster, &result), "create");
    status = KECS_OK;
  }
  must(status, "get");
  int64_t version = kecs_cluster_at(result, 0)->version;
  kecs_result_free(result);
  return version;
}

static void *count(void *user) {
  const counter *one = user;
  kecs_cluster cluster = {0};
  char status[32];
  cluster.name = one->name;
  cluster.status = status;
  cluster.version = find(one);
  say("at", one->name, cluster.version);
  for (;;) {
    snprintf(status, sizeof status, "s%lld", (long long)cluster.version + 1);
    must(kecs_cluster_update_fields(one->store, &cluster, KECS_BIT(KECS_CLUSTER_STATUS), NULL), "update");
    cluster.version++;
    say("v", one->name, cluster.version);
  }
  return NULL;
}

int main(int argc, char **argv) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  pthread_t threads[THREADS_MAX];
  static counter counters[THREADS_MAX];
  int thread_count = argc == 4 ? atoi(argv[3]) : 0;
  if (thread_count < 1 || thread_count > THREADS_MAX) {
    fprintf(stderr, "kill_counter PATH PREFIX THREADS\n");
    return 2;
  }
  options.path = argv[1];
  must(kecs_open(&options, &store), "open");
  for (int i = 0; i < thread_count; i++) {
    counters[i].store = store;
    snprintf(counters[i].name, sizeof counters[i].name, "%.30s-%d", argv[2], i);
    if (pthread_create(&threads[i], NULL, count, &counters[i])) {
      return 1;
    }
  }
  for (int i = 0; i < thread_count; i++) {
    (void)pthread_join(threads[i], NULL);
  }
  return 0;
}
