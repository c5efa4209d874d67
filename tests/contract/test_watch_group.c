/* test_watch_group.c -- writes of several threads that share commits, some of them undone, while the log is watched. */
#include "contract.h"

#include <pthread.h>
#include <time.h>

enum { THREADS = 8, ROUNDS = 48, TOLD_MAX = ROUNDS + 1 };

/* ---- a backend whose commits are slow, and which fails after an entry was logged, and at commits ---- */

static const kecs_backend *real;
static kecs_backend flawed;
static const kecs_backend *const flawed_backends[] = {&flawed, NULL};
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static kecs_connection *writing;  /* with an open transaction that writes */
static kecs_statement *logging;   /* the one that appends to the log */
static bool armed;
static int entries;
static int entries_undone;
static int commits;
static int commits_failed;

static kecs_status flawed_begin(kecs_connection *connection, bool write) {
  pthread_mutex_lock(&guard);
  writing = write ? connection : writing == connection ? NULL : writing;
  pthread_mutex_unlock(&guard);
  return real->begin(connection, write);
}

static kecs_status flawed_commit(kecs_connection *connection) {
  pthread_mutex_lock(&guard);
  bool write = armed && connection == writing;
  commits += write ? 1 : 0;
  bool fails = write && commits % 11 == 0;
  commits_failed += fails ? 1 : 0;
  pthread_mutex_unlock(&guard);
  if (write) {
    nanosleep(&(struct timespec){0, 2000000}, NULL);
  }
  return fails ? kecs_backend_fail(KECS_E_FULL, 13, NULL, "the disk is full") : real->commit(connection);
}

static kecs_status flawed_prepare(kecs_connection *connection, const char *sql, size_t len,
                                  kecs_statement **out_statement) {
  kecs_status status = real->prepare(connection, sql, len, out_statement);
  if (!status && strncmp(sql, "INSERT INTO changes(kind", strlen("INSERT INTO changes(kind")) == 0) {
    pthread_mutex_lock(&guard);
    logging = *out_statement;
    pthread_mutex_unlock(&guard);
  }
  return status;
}

static void flawed_finish(kecs_statement *statement) {
  pthread_mutex_lock(&guard);
  logging = logging == statement ? NULL : logging;
  pthread_mutex_unlock(&guard);
  real->finish(statement);
}

/* The row and its entry are written when it fails: both must go. */
static kecs_status flawed_step(kecs_statement *statement, bool *out_row) {
  kecs_status status = real->step(statement, out_row);
  pthread_mutex_lock(&guard);
  bool fails = !status && armed && statement == logging && ++entries % 7 == 0;
  entries_undone += fails ? 1 : 0;
  pthread_mutex_unlock(&guard);
  return fails ? kecs_backend_fail(KECS_E_IO, 10, NULL, "the disk has a flaw") : status;
}

static kecs_store *open_flawed(void) {
  static int64_t now;
  kecs_options options = {.track = KECS_TRACK_ON, .backends = flawed_backends, .busy_timeout_ms = 60000};
  now = CONTRACT_NOW;
  options.clock = contract_clock(&now);
  real = kecs_sqlite_backend();
  flawed = *real;
  flawed.begin = flawed_begin;
  flawed.commit = flawed_commit;
  flawed.prepare = flawed_prepare;
  flawed.finish = flawed_finish;
  flawed.step = flawed_step;
  armed = false;
  writing = NULL;
  logging = NULL;
  entries = entries_undone = commits = commits_failed = 0;
  return contract_open_with(&options);
}

static void arm(bool on) {
  pthread_mutex_lock(&guard);
  armed = on;
  pthread_mutex_unlock(&guard);
}

/* ---- what is written, and what is told ---- */

typedef struct event {
  kecs_change_op op;
  int round; /* in which the row was made */
} event;

typedef struct writer {
  kecs_store *store;
  int number;
  int failed;
  int strange; /* failures of another kind */
  bool there[ROUNDS];
  event done[TOLD_MAX];
  int count;
} writer;

static volatile int at_work; /* guarded by the mutex */

static void finished(writer *self, kecs_status status, kecs_change_op op, int round) {
  bool meant = status == KECS_E_IO || status == KECS_E_FULL || status == KECS_E_EXISTS || status == KECS_E_NOT_FOUND;
  self->failed += status ? 1 : 0;
  self->strange += status && !meant ? 1 : 0;
  if (!status) {
    self->done[self->count++] = (event){op, round};
    self->there[round] = op != KECS_CHANGE_DELETED;
  }
}

/* In turn: a new row, a change of it, a row whose key is taken, the first one's end. What was not stored isn't there to
 * be changed: such a write fails, too. */
static void *write_some(void *user) {
  writer *self = user;
  char id[32];
  for (int i = 0; i < ROUNDS; i++) {
    int made = i - i % 4;
    snprintf(id, sizeof id, "w%d-%d", self->number, made);
    kecs_node node = {.id = i % 4 == 2 ? "taken" : id, .hostname = "host", .port = i};
    switch (i % 4) {
      case 1:
        finished(self, kecs_node_update_fields(self->store, &node, KECS_BIT(KECS_NODE_PORT), NULL),
                 KECS_CHANGE_UPDATED, made);
        break;
      case 3:
        if (made % 8 == 0) {
          finished(self, kecs_node_delete(self->store, id), KECS_CHANGE_DELETED, made);
        }
        break;
      default: finished(self, kecs_node_create(self->store, &node, NULL), KECS_CHANGE_CREATED, made); break;
    }
  }
  pthread_mutex_lock(&guard);
  at_work--;
  pthread_mutex_unlock(&guard);
  return NULL;
}

static bool any_at_work(void) {
  pthread_mutex_lock(&guard);
  bool any = at_work > 0;
  pthread_mutex_unlock(&guard);
  return any;
}

typedef struct told {
  event events[THREADS][TOLD_MAX];
  int counts[THREADS];
  int64_t seq;
  int64_t stamp;
} told;

static void hear(told *all, const kecs_change *change) {
  int number = -1;
  int round = -1;
  CONTRACT_NUMBER(change->seq, all->seq + 1);
  CONTRACT_NUMBER(change->stamp, all->stamp + 1); /* the clock stands: none was spent on what was undone */
  all->seq = change->seq;
  all->stamp = change->stamp;
  assert_int_equal(sscanf(change->key, "w%d-%d", &number, &round), 2);
  assert_true(number >= 0 && number < THREADS && all->counts[number] < TOLD_MAX);
  all->events[number][all->counts[number]++] = (event){change->op, round};
}

static void compare(kecs_store *store, const told *all, const writer *writers) {
  for (int i = 0; i < THREADS; i++) {
    CONTRACT_NUMBER(writers[i].strange, 0);
    CONTRACT_NUMBER(all->counts[i], writers[i].count);
    for (int k = 0; k < all->counts[i]; k++) {
      CONTRACT_NUMBER(all->events[i][k].op, writers[i].done[k].op);
      CONTRACT_NUMBER(all->events[i][k].round, writers[i].done[k].round);
    }
    for (int round = 0; round < ROUNDS; round += 4) {
      char id[32];
      const char *key = id;
      kecs_result *result = NULL;
      snprintf(id, sizeof id, "w%d-%d", i, round);
      CONTRACT_OK(kecs_node_get_many(store, &key, 1, &result));
      CONTRACT_NUMBER(kecs_result_count(result), writers[i].there[round] ? 1 : 0);
      kecs_result_free(result);
    }
  }
}

static void undone_writes_of_a_shared_commit_leave_no_trace(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_flawed();
  static writer writers[THREADS];
  static told all;
  pthread_t threads[THREADS];
  kecs_node taken = {.id = "taken", .hostname = "host"};
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  kecs_changes_info info;
  int failed = 0;
  int stored = 0;
  CONTRACT_OK(kecs_node_create(store, &taken, NULL));
  CONTRACT_OK(kecs_watch_open(store, NULL, &watch));
  memset(&all, 0, sizeof all);
  all.seq = kecs_watch_seq(watch);
  CONTRACT_OK(kecs_changes_describe(store, &info));
  all.stamp = info.last_stamp;
  at_work = THREADS;
  arm(true);
  for (int i = 0; i < THREADS; i++) {
    writers[i] = (writer){.store = store, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, write_some, &writers[i]), 0);
  }
  while (any_at_work()) {
    CONTRACT_OK(kecs_watch_next(watch, 20, &change));
    if (change) {
      hear(&all, change);
    }
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    failed += writers[i].failed;
    stored += writers[i].count;
  }
  arm(false);
  do {
    CONTRACT_OK(kecs_watch_next(watch, 0, &change));
    if (change) {
      hear(&all, change);
    }
  } while (change);
  compare(store, &all, writers);
  CONTRACT_OK(kecs_changes_describe(store, &info));
  CONTRACT_NUMBER(info.last_seq, all.seq);
  CONTRACT_NUMBER(info.last_stamp, all.stamp);
  assert_true(failed > THREADS * ROUNDS / 4 && entries_undone > 0 && commits_failed > 0 && stored > THREADS);
  if (contract_is_file()) {
    assert_true(commits < stored); /* they did share */
  }
  kecs_watch_close(watch);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(undone_writes_of_a_shared_commit_leave_no_trace),
};

CONTRACT_MAIN("watch_group", tests)
