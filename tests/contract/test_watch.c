/* test_watch.c -- watches: order, no gaps, resuming, filters, waiting, other threads and processes, informers. */
#include "contract.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

enum { WRITERS = 4, PER_WRITER = 50 };

static kecs_store *open_tracked(void) {
  kecs_options options = {.track = KECS_TRACK_ON};
  return contract_open_with(&options);
}

static kecs_status make_node(kecs_store *store, const char *id) {
  kecs_node node = {.id = id, .hostname = "host"};
  return kecs_node_create(store, &node, NULL);
}

static kecs_status set_port(kecs_store *store, const char *id, int64_t port) {
  kecs_node node = {.id = id, .port = port};
  return kecs_node_update_fields(store, &node, KECS_BIT(KECS_NODE_PORT), NULL);
}

static kecs_watch *watch_with(kecs_store *store, const kecs_watch_options *options) {
  kecs_watch *watch = NULL;
  CONTRACT_OK(kecs_watch_open(store, options, &watch));
  assert_non_null(watch);
  return watch;
}

static const kecs_change *next_of(kecs_watch *watch, int timeout_ms) {
  const kecs_change *change = NULL;
  CONTRACT_OK(kecs_watch_next(watch, timeout_ms, &change));
  return change;
}

static void expect(kecs_watch *watch, kecs_change_op op, const char *key) {
  const kecs_change *change = next_of(watch, 5000);
  if (!change) {
    fail_msg("no change of %s came", key);
    return;
  }
  CONTRACT_TEXT(change->key, key);
  CONTRACT_NUMBER(change->op, op);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is told ---- */

static void a_watch_begins_now_or_where_it_is_told(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  CONTRACT_OK(make_node(store, "a"));
  kecs_watch *now = watch_with(store, NULL);
  kecs_watch *oldest = watch_with(store, &(kecs_watch_options){.from_seq = KECS_WATCH_OLDEST});
  CONTRACT_OK(make_node(store, "b"));
  expect(now, KECS_CHANGE_CREATED, "b");
  assert_null(next_of(now, 0));
  expect(oldest, KECS_CHANGE_CREATED, "a");
  int64_t seq = kecs_watch_seq(oldest);
  kecs_watch *resumed = watch_with(store, &(kecs_watch_options){.from_seq = seq});
  expect(resumed, KECS_CHANGE_CREATED, "b");
  expect(oldest, KECS_CHANGE_CREATED, "b");
  assert_null(next_of(oldest, 0));
  CONTRACT_NUMBER(kecs_watch_seq(oldest), kecs_watch_seq(now));
  kecs_watch_close(now);
  kecs_watch_close(oldest);
  kecs_watch_close(resumed);
  kecs_watch_close(NULL);
  CONTRACT_NUMBER(kecs_watch_seq(NULL), 0);
  contract_close(store);
}

static void rows_come_as_they_are_now(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_watch *watch = watch_with(store, &(kecs_watch_options){.rows = true});
  CONTRACT_OK(make_node(store, "a"));
  CONTRACT_OK(make_node(store, "b"));
  CONTRACT_OK(set_port(store, "a", 80));
  CONTRACT_OK(kecs_node_delete(store, "b"));
  const kecs_change *change = next_of(watch, 0);
  CONTRACT_NUMBER(change->op, KECS_CHANGE_CREATED);
  CONTRACT_NUMBER(((const kecs_node *)change->row)->port, 80);
  change = next_of(watch, 0);
  CONTRACT_NUMBER(change->op, KECS_CHANGE_CREATED);
  CONTRACT_TEXT(change->key, "b");
  assert_null(change->row);
  change = next_of(watch, 0);
  CONTRACT_NUMBER(change->op, KECS_CHANGE_UPDATED);
  CONTRACT_NUMBER(change->groups, KECS_BIT(KECS_GROUP_SPEC));
  change = next_of(watch, 0);
  CONTRACT_NUMBER(change->op, KECS_CHANGE_DELETED);
  CONTRACT_TEXT(change->key, "b");
  assert_null(change->row);
  kecs_watch_close(watch);
  contract_close(store);
}

static void kinds_and_filters_narrow(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  static const kecs_kind kinds[] = {KECS_KIND_NODE};
  char wanted[] = "up";
  const char *hosts[] = {"host", "other"};
  kecs_filter where[] = {{.column = KECS_NODE_STATUS, .op = KECS_EQ, .text = wanted},
                         {.column = KECS_NODE_HOSTNAME, .op = KECS_IN, .texts = hosts, .count = 2}};
  kecs_watch_options options = {.kinds = kinds, .kind_count = 1, .where = where, .where_count = 2, .rows = true};
  kecs_watch *watch = watch_with(store, &options);
  memset(wanted, '?', sizeof wanted - 1);
  hosts[0] = NULL;
  kecs_node node = {.id = "a", .hostname = "host", .status = "down"};
  kecs_cluster cluster = {.name = "web"};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  node.status = "up";
  CONTRACT_OK(kecs_node_update_fields(store, &node, KECS_BIT(KECS_NODE_STATUS), NULL));
  const kecs_change *change = next_of(watch, 0);
  CONTRACT_TEXT(change->key, "a");
  CONTRACT_TEXT(((const kecs_node *)change->row)->status, "up");
  (void)next_of(watch, 0);
  node.status = "down";
  CONTRACT_OK(kecs_node_update_fields(store, &node, KECS_BIT(KECS_NODE_STATUS), NULL));
  expect(watch, KECS_CHANGE_LEFT, "a");
  CONTRACT_OK(kecs_node_delete(store, "a"));
  expect(watch, KECS_CHANGE_DELETED, "a");
  assert_null(next_of(watch, 0));
  kecs_watch_close(watch);
  contract_close(store);
}

static void what_a_watch_refuses(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_store *tx = NULL;
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  static const kecs_kind kinds[] = {KECS_KIND_NODE, KECS_KIND_CLUSTER, (kecs_kind)99};
  kecs_filter wrong = {.column = 63};
  CONTRACT_FAILS(kecs_watch_open(store, &(kecs_watch_options){.old_rows = true}, &watch), KECS_E_UNSUPPORTED);
  CONTRACT_FAILS(kecs_watch_open(store, &(kecs_watch_options){.from_seq = 1000}, &watch), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_watch_open(store, &(kecs_watch_options){.from_seq = -2}, &watch), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_watch_open(store, &(kecs_watch_options){.kinds = kinds, .kind_count = 3}, &watch),
                 KECS_E_INVALID);
  kecs_watch_options options = {.kinds = kinds, .kind_count = 1, .where = &wrong, .where_count = 1};
  CONTRACT_FAILS(kecs_watch_open(store, &options, &watch), KECS_E_INVALID);
  options.kind_count = 2;
  CONTRACT_FAILS(kecs_watch_open(store, &options, &watch), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_watch_open(store, NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_watch_open(NULL, NULL, &watch), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_watch_next(NULL, 0, &change), KECS_E_MISUSE);
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_FAILS(kecs_watch_open(tx, NULL, &watch), KECS_E_MISUSE);
  CONTRACT_OK(kecs_rollback(tx));
  assert_null(watch);
  contract_close(store);
}

static void a_slow_watch_is_told(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_watch *watch = watch_with(store, NULL);
  const kecs_change *change = NULL;
  for (int i = 0; i < 250; i++) {
    char id[16];
    snprintf(id, sizeof id, "n%d", i);
    CONTRACT_OK(make_node(store, id));
  }
  assert_non_null(next_of(watch, 0));
  CONTRACT_OK(kecs_changes_compact(store, NULL, NULL));
  for (int i = 1; i < 100; i++) {
    assert_non_null(next_of(watch, 0)); /* were read with the first */
  }
  CONTRACT_FAILS(kecs_watch_next(watch, 0, &change), KECS_E_COMPACTED);
  assert_null(change);
  kecs_changes_info info;
  CONTRACT_OK(kecs_changes_describe(store, &info));
  CONTRACT_NUMBER(kecs_last_error()->floor, info.floor);
  CONTRACT_FAILS(kecs_watch_next(watch, 0, &change), KECS_E_COMPACTED);
  kecs_watch_close(watch);
  contract_close(store);
}

/* ---- waiting ---- */

static void waiting_ends_in_time(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_watch *watch = watch_with(store, NULL);
  const kecs_change *change = NULL;
  int64_t since = now_ms();
  assert_null(next_of(watch, 120));
  int64_t took = now_ms() - since;
  assert_true(took >= 119 && took < 3000);
  CONTRACT_OK(kecs_set_cancelled(store, true));
  CONTRACT_FAILS(kecs_watch_next(watch, -1, &change), KECS_E_CANCELLED);
  CONTRACT_OK(kecs_set_cancelled(store, false));
  assert_null(next_of(watch, 0));
  kecs_watch_close(watch);
  contract_close(store);
}

typedef struct writer {
  kecs_store *store;
  int number;
  kecs_status status;
} writer;

static void *write_nodes(void *user) {
  writer *one = user;
  for (int i = 0; i < PER_WRITER && !one->status; i++) {
    char id[32];
    snprintf(id, sizeof id, "w%d-%03d", one->number, i);
    one->status = make_node(one->store, id);
  }
  return NULL;
}

static void writers_in_threads_are_told_without_gaps(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_watch *watch = watch_with(store, NULL);
  pthread_t threads[WRITERS];
  writer writers[WRITERS];
  int next[WRITERS] = {0};
  int64_t seq = kecs_watch_seq(watch);
  for (int i = 0; i < WRITERS; i++) {
    writers[i] = (writer){store, i, KECS_OK};
    assert_int_equal(pthread_create(&threads[i], NULL, write_nodes, &writers[i]), 0);
  }
  for (int i = 0; i < WRITERS * PER_WRITER; i++) {
    const kecs_change *change = next_of(watch, 20000);
    int number = -1;
    int at = -1;
    if (!change) {
      fail_msg("change %d did not come", i);
      return;
    }
    CONTRACT_NUMBER(change->seq, ++seq);
    assert_int_equal(sscanf(change->key, "w%d-%d", &number, &at), 2);
    assert_true(number >= 0 && number < WRITERS);
    CONTRACT_NUMBER(at, next[number]++);
  }
  for (int i = 0; i < WRITERS; i++) {
    pthread_join(threads[i], NULL);
    CONTRACT_NUMBER(writers[i].status, KECS_OK);
  }
  assert_null(next_of(watch, 0));
  kecs_watch_close(watch);
  contract_close(store);
}

/* The child writes through a store of its own: a row every 30 ms. */
static void write_as_child(const char *path) {
  kecs_options options = {.path = path};
  kecs_store *store = NULL;
  kecs_status status = kecs_open(&options, &store);
  for (int i = 0; i < 20 && !status; i++) {
    char id[16];
    snprintf(id, sizeof id, "c%02d", i);
    struct timespec nap = {0, 30000000};
    nanosleep(&nap, NULL);
    status = make_node(store, id);
  }
  kecs_close(store);
  _exit(status ? 1 : 0);
}

static void another_process_is_told_soon(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = open_tracked();
  char path[CONTRACT_PATH_MAX];
  snprintf(path, sizeof path, "%s", contract_path(store));
  pid_t child = fork();
  if (child == 0) {
    write_as_child(path);
  }
  assert_true(child > 0);
  kecs_watch *watch = watch_with(store, &(kecs_watch_options){.from_seq = KECS_WATCH_OLDEST});
  int64_t latest = 0;
  for (int i = 0; i < 20; i++) {
    char id[16];
    snprintf(id, sizeof id, "c%02d", i);
    expect(watch, KECS_CHANGE_CREATED, id);
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_node_get(store, id, &result));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t late = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - kecs_node_at(result, 0)->created_at / 1000;
    latest = late > latest ? late : latest;
    kecs_result_free(result);
  }
  print_message("latest after %d ms\n", (int)latest);
  assert_true(latest < 2000); /* 50 ms where nothing else runs */
  int code = 0;
  assert_int_equal(waitpid(child, &code, 0), child);
  assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
  kecs_watch_close(watch);
  contract_close(store);
}

static void what_is_not_committed_is_not_told(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = open_tracked();
  kecs_watch *watch = watch_with(store, NULL);
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make_node(tx, "a"));
  assert_null(next_of(watch, 60));
  CONTRACT_OK(kecs_commit(tx));
  expect(watch, KECS_CHANGE_CREATED, "a");
  kecs_watch_close(watch);
  contract_close(store);
}

/* ---- without memory ---- */

static long allocations_left = -1; /* negative: all succeed */

static bool memory_is_there(void) {
  if (allocations_left == 0) {
    return false;
  }
  allocations_left -= allocations_left > 0 ? 1 : 0;
  return true;
}

static void *scarce_alloc(size_t size, void *user) {
  (void)user;
  return memory_is_there() ? malloc(size) : NULL;
}

static void *scarce_resize(void *pointer, size_t old_size, size_t size, void *user) {
  (void)old_size;
  (void)user;
  return memory_is_there() ? realloc(pointer, size) : NULL;
}

static void scarce_release(void *pointer, size_t size, void *user) {
  (void)size;
  (void)user;
  free(pointer);
}

static kecs_status count_pending(const kecs_pending *pending, void *user) {
  int *count = user;
  *count += pending->row || pending->key ? 1 : 0;
  return KECS_OK;
}

/* Everything that reads the log: how many changes it told. */
static kecs_status read_all(kecs_store *store, int *out_told) {
  static const kecs_kind kinds[] = {KECS_KIND_NODE};
  const char *hosts[] = {"host", "other"};
  kecs_filter where[] = {{.column = KECS_NODE_HOSTNAME, .op = KECS_IN, .texts = hosts, .count = 2}};
  kecs_watch_options options = {kinds, 1, where, 1, KECS_WATCH_OLDEST, true, false};
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  int pending = 0;
  *out_told = 0;
  kecs_status status = kecs_watch_open(store, &options, &watch);
  while (!status) {
    status = kecs_watch_next(watch, 0, &change);
    if (status || !change) {
      break;
    }
    ++*out_told;
  }
  kecs_watch_close(watch);
  status = status ? status : kecs_changes_pending(store, KECS_KIND_NODE, 0, count_pending, &pending);
  *out_told += pending;
  return status ? status : kecs_changes_compact(store, &(kecs_compaction){.upto_seq = 1}, NULL);
}

static void memory_that_fails_is_told(void **state) {
  (void)state;
  kecs_options options = {.track = KECS_TRACK_ON, .allocator = {scarce_alloc, scarce_resize, scarce_release, NULL}};
  kecs_store *store = contract_open_with(&options);
  kecs_status status = KECS_E_NOMEM;
  int expected = 0;
  int told = 0;
  for (int i = 0; i < 5; i++) {
    char id[16];
    snprintf(id, sizeof id, "n%d", i);
    CONTRACT_OK(make_node(store, id));
    CONTRACT_OK(set_port(store, id, 80));
  }
  CONTRACT_OK(kecs_node_delete(store, "n3"));
  CONTRACT_OK(read_all(store, &expected));
  CONTRACT_NUMBER(expected, 11 + 5);
  for (long n = 0; status && n < 1000; n++) {
    store = contract_reopen(store); /* without prepared statements */
    allocations_left = n;
    status = read_all(store, &told);
    allocations_left = -1;
    if (status) {
      CONTRACT_NUMBER(status, KECS_E_NOMEM);
    }
  }
  CONTRACT_OK(status);
  CONTRACT_NUMBER(told, expected);
  contract_close(store);
}

/* ---- informers ---- */

typedef struct cache {
  kecs_store *store;
  int resets;
  int synced;
  int count;
  char ids[64][32];
} cache;

static int cache_find(const cache *all, const char *id) {
  for (int i = 0; i < all->count; i++) {
    if (strcmp(all->ids[i], id) == 0) {
      return i;
    }
  }
  return -1;
}

static kecs_status cache_set(const void *row, void *user) {
  cache *all = user;
  const kecs_node *node = row;
  if (cache_find(all, node->id) < 0) {
    assert_true(all->count < 64);
    snprintf(all->ids[all->count++], sizeof all->ids[0], "%s", node->id);
  }
  return KECS_OK;
}

static kecs_status cache_remove(kecs_kind kind, const char *key, void *user) {
  cache *all = user;
  CONTRACT_NUMBER(kind, KECS_KIND_NODE);
  int at = cache_find(all, key);
  if (at >= 0) {
    memcpy(all->ids[at], all->ids[--all->count], sizeof all->ids[0]);
  }
  return KECS_OK;
}

static kecs_status cache_reset(void *user) {
  cache *all = user;
  all->count = 0;
  all->resets++;
  return KECS_OK;
}

/* Once the list is there: more changes than the log keeps the first time, some that are watched the second time. */
static kecs_status cache_synced(void *user) {
  cache *all = user;
  all->synced++;
  if (all->synced == 1) {
    CONTRACT_OK(make_node(all->store, "while-away"));
    CONTRACT_OK(kecs_node_delete(all->store, "n1"));
    CONTRACT_OK(kecs_changes_compact(all->store, NULL, NULL));
  } else if (all->synced == 2) {
    CONTRACT_OK(kecs_node_delete(all->store, "n2"));
    CONTRACT_OK(make_node(all->store, "late"));
  }
  return KECS_OK;
}

static kecs_status cache_refuses(void *user) {
  (void)user;
  return KECS_E_DENIED;
}

static void an_informer_lists_watches_and_lists_again(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  cache all = {.store = store};
  kecs_informer informer = {cache_set, cache_remove, cache_reset, cache_synced, &all};
  for (int i = 0; i < 5; i++) {
    char id[16];
    snprintf(id, sizeof id, "n%d", i);
    CONTRACT_OK(make_node(store, id));
  }
  CONTRACT_OK(kecs_informer_run(store, KECS_KIND_NODE, NULL, 0, 50, &informer));
  CONTRACT_NUMBER(all.resets, 2);
  CONTRACT_NUMBER(all.synced, 2);
  CONTRACT_NUMBER(all.count, 5);
  assert_true(cache_find(&all, "n1") < 0 && cache_find(&all, "n2") < 0);
  assert_true(cache_find(&all, "late") >= 0 && cache_find(&all, "while-away") >= 0);
  informer.synced = cache_refuses;
  assert_int_equal(kecs_informer_run(store, KECS_KIND_NODE, NULL, 0, 0, &informer), KECS_E_DENIED);
  CONTRACT_FAILS(kecs_informer_run(store, (kecs_kind)99, NULL, 0, 0, &informer), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_informer_run(store, KECS_KIND_NODE, NULL, 0, 0, NULL), KECS_E_MISUSE);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(a_watch_begins_now_or_where_it_is_told),
    CONTRACT_TEST(rows_come_as_they_are_now),
    CONTRACT_TEST(kinds_and_filters_narrow),
    CONTRACT_TEST(what_a_watch_refuses),
    CONTRACT_TEST(a_slow_watch_is_told),
    CONTRACT_TEST(waiting_ends_in_time),
    CONTRACT_TEST(writers_in_threads_are_told_without_gaps),
    CONTRACT_TEST(another_process_is_told_soon),
    CONTRACT_TEST(what_is_not_committed_is_not_told),
    CONTRACT_TEST(memory_that_fails_is_told),
    CONTRACT_TEST(an_informer_lists_watches_and_lists_again),
};

CONTRACT_MAIN("watch", tests)
