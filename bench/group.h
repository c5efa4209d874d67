/* bench/group.h -- many threads that each update one row at a time: one store for all of them, beside a connection by
 * hand for each.
 *
 * What counts here is the time on the clock, since it is the disk that all of them wait for; the ratio is that of the
 * times for one update. */
#ifndef BENCH_GROUP_H
#define BENCH_GROUP_H
#include "files.h"

#include <pthread.h>

enum { BENCH_GROUP_THREADS = 8 };

typedef struct bench_group_case {
  const char *name;
  double target;
  int threads;
  int operations; /* of each thread in a round */
  bool full;      /* synchronous=FULL */
} bench_group_case;

static const bench_group_case bench_group_cases[] = {
    {"group.8threads_full", 0.25, BENCH_GROUP_THREADS, 100, true},
    {"group.1thread_full", 1.05, 1, 400, true},
    {"group.8threads", 0, BENCH_GROUP_THREADS, 500, false},
    {"group.1thread", 0, 1, 2000, false},
};

typedef struct bench_group_worker {
  const bench_group_case *self;
  kecs_store *store; /* of all; NULL: by hand */
  sqlite3 *db;
  sqlite3_stmt *update;
  int number;
  int round;
} bench_group_worker;

static void *bench_group_work(void *user) {
  const bench_group_worker *one = user;
  char arn[BENCH_ARN];
  char reason[64];
  for (int i = 0; i < one->self->operations; i++) {
    uint64_t row = ((uint64_t)one->round * 104729 + (uint64_t)i * 7919) * BENCH_GROUP_THREADS + (uint64_t)one->number;
    bench_arn(arn, row % 60000);
    snprintf(reason, sizeof reason, "%s %d, %d of thread %d", one->self->name, one->round, i, one->number);
    if (one->store) {
      kecs_task task = {0};
      task.arn = arn;
      task.stopped_reason = reason;
      bench_ok(kecs_task_update_fields(one->store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL), "update_fields");
    } else {
      baseline_update(one->update, arn, reason);
    }
  }
  return NULL;
}

static double bench_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Seconds for one update. */
static double bench_group_run(bench_group_worker *workers, int round) {
  pthread_t threads[BENCH_GROUP_THREADS];
  int count = workers[0].self->threads;
  double since = bench_clock();
  for (int i = 0; i < count; i++) {
    workers[i].round = round;
    bench_check(pthread_create(&threads[i], NULL, bench_group_work, &workers[i]) == 0, "no thread can be had");
  }
  for (int i = 0; i < count; i++) {
    (void)pthread_join(threads[i], NULL);
  }
  return (bench_clock() - since) / (count * workers[0].self->operations);
}

static void bench_group_open(bench_group_worker *ours, bench_group_worker *theirs, const bench_group_case *self,
                             const char *ours_path, const char *theirs_path) {
  kecs_options options = {0};
  options.path = ours_path;
  options.durability = self->full ? KECS_DURABILITY_FULL : KECS_DURABILITY_NORMAL;
  kecs_store *store = NULL;
  bench_ok(kecs_open(&options, &store), ours_path);
  for (int i = 0; i < self->threads; i++) {
    bench_group_worker one = {self, store, NULL, NULL, i, 0};
    ours[i] = one;
    one.store = NULL;
    one.db = baseline_connect(theirs_path, 65536);
    sqlite3_busy_timeout(one.db, 60000);
    baseline_run(one.db, self->full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    one.update =
        baseline_prepare(one.db, "UPDATE tasks SET stopped_reason=?,version=version+1,updated_at=? WHERE arn=?");
    theirs[i] = one;
  }
}

static void bench_group_close(bench_group_worker *ours, bench_group_worker *theirs) {
  for (int i = 0; i < ours[0].self->threads; i++) {
    (void)sqlite3_finalize(theirs[i].update);
    bench_check(sqlite3_close(theirs[i].db) == SQLITE_OK, "baseline: close");
  }
  bench_ok(kecs_close(ours[0].store), "close");
}

static void bench_group(const bench_group_case *self, const char *small, const char *dir, int rounds,
                        bench_table *table) {
  static double ours_times[BENCH_ROUNDS_MAX];
  static double theirs_times[BENCH_ROUNDS_MAX];
  bench_group_worker ours[BENCH_GROUP_THREADS];
  bench_group_worker theirs[BENCH_GROUP_THREADS];
  char ours_path[BENCH_PATH];
  char theirs_path[BENCH_PATH];
  snprintf(ours_path, sizeof ours_path, "%s/ours.db", dir);
  snprintf(theirs_path, sizeof theirs_path, "%s/baseline.db", dir);
  bench_copy(small, ours_path);
  bench_copy(small, theirs_path);
  bench_group_open(ours, theirs, self, ours_path, theirs_path);
  for (int round = -1; round < rounds; round++) {
    bench_checkpoint(ours_path);
    bench_checkpoint(theirs_path);
    double first = bench_group_run(round % 2 ? ours : theirs, round + 1);
    double second = bench_group_run(round % 2 ? theirs : ours, round + 1);
    if (round >= 0) {
      ours_times[round] = round % 2 ? first : second;
      theirs_times[round] = round % 2 ? second : first;
    }
  }
  bench_group_close(ours, theirs);
  bench_compare_tasks(ours_path, theirs_path);
  bench_add(table, self->name, self->target, ours_times, theirs_times, rounds);
  bench_remove(ours_path);
  bench_remove(theirs_path);
}

#endif
