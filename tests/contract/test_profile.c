/* test_profile.c -- profiles: what they set, as read back; the pool of reading connections; what is bounded. */
#include "contract.h"

#include <pthread.h>
#include <time.h>

static void nap(int ms) {
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static kecs_info info_of(kecs_store *store) {
  kecs_info info;
  CONTRACT_OK(kecs_store_info(store, &info));
  return info;
}

/* ---- profiles ---- */

static void settings_are_as_the_profile_says(void **state) {
  (void)state;
  static const struct {
    kecs_options options;
    const char *synchronous;
    int64_t page_bytes;
    int64_t cache_kib;
    int64_t log_kib;
    int readers;
  } cases[] = {
      {{.profile = KECS_PROFILE_DEFAULT}, "normal", 4096, 65536, 16000, 4},
      {{.profile = KECS_PROFILE_DURABLE}, "full", 4096, 65536, 16000, 4},
      {{.profile = KECS_PROFILE_EDGE}, "normal", 1024, 64, 2048, 1},
      {{.profile = KECS_PROFILE_EDGE, .durability = KECS_DURABILITY_FULL}, "full", 1024, 64, 2048, 1},
      {{.profile = KECS_PROFILE_EDGE, .cache_kib = 100, .readers = 3, .log_kib = 100}, "normal", 1024, 100, 100, 3},
      {{.durability = KECS_DURABILITY_FULL, .log_kib = 4000}, "full", 4096, 65536, 4000, 4},
  };
  if (!contract_is_file()) {
    return;
  }
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_store *store = contract_open_with(&cases[i].options);
    kecs_info info = info_of(store);
    CONTRACT_TEXT(info.journal_mode, "wal");
    CONTRACT_TEXT(info.synchronous, cases[i].synchronous);
    CONTRACT_NUMBER(info.page_bytes, cases[i].page_bytes);
    CONTRACT_NUMBER(info.cache_bytes, cases[i].cache_kib * 1024);
    CONTRACT_NUMBER(info.wal_checkpoint_bytes, cases[i].log_kib * 1024);
    assert_true(info.wal_limit_bytes >= info.wal_checkpoint_bytes);
    assert_true(info.sqlite_bytes > 0);
    CONTRACT_NUMBER(info.pool.max, cases[i].readers);
    contract_close(store);
  }
}

static void memory_needs_no_path(void **state) {
  (void)state;
  kecs_options options = {.profile = KECS_PROFILE_MEMORY};
  kecs_store *store = NULL;
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_TEXT(info_of(store).path, ":memory:");
  CONTRACT_TEXT(info_of(store).journal_mode, "memory");
  CONTRACT_OK(kecs_close(store));
  options.path = "somewhere.db";
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  CONTRACT_SAYS("somewhere.db");
  CONTRACT_SAYS("MEMORY");
  options = (kecs_options){.path = ":memory:", .profile = (kecs_profile)9};
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  CONTRACT_SAYS("profile");
  options = (kecs_options){.path = ":memory:", .pool = {.check_ms = -5}};
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  CONTRACT_SAYS("check_ms");
}

static void count_warnings(kecs_log_level level, const char *line, void *user) {
  if (level == KECS_LOG_WARNING && strstr(line, "page size")) {
    ++*(int *)user;
  }
}

/* A file keeps the pages that it was made with; that is said. */
static void another_profile_on_the_same_file(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  int warnings = 0;
  kecs_options options = {0};
  kecs_store *store = contract_open_with(&options);
  kecs_cluster cluster = {.name = "web"};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  kecs_options edge = {
      .path = contract_path(store), .profile = KECS_PROFILE_EDGE, .logger = {count_warnings, &warnings}};
  kecs_store *again = NULL;
  CONTRACT_OK(kecs_open(&edge, &again));
  CONTRACT_NUMBER(info_of(again).page_bytes, 4096);
  CONTRACT_NUMBER(info_of(again).wal_checkpoint_bytes, 2048 * 1024);
  CONTRACT_NUMBER(warnings, 1);
  CONTRACT_NUMBER(contract_count_rows(again, KECS_KIND_CLUSTER), 1);
  CONTRACT_OK(kecs_close(again));
  contract_close(store);
}

static int64_t heartbeat_of(kecs_store *store) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_node_get(store, "n", &result));
  int64_t time = kecs_node_at(result, 0)->last_heartbeat;
  kecs_result_free(result);
  return time;
}

static void early_heartbeats_are_not_stored(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.heartbeat_ms = 10000, .clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  kecs_node node = {.id = "n", .hostname = "h"};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  CONTRACT_OK(kecs_node_heartbeat(store, "n", 3));
  CONTRACT_NUMBER(heartbeat_of(store), CONTRACT_NOW);
  contract_set_clock(&now, CONTRACT_NOW + 9999999);
  CONTRACT_OK(kecs_node_heartbeat(store, "n", 3));
  CONTRACT_OK(kecs_node_heartbeat(store, "n", -1));
  CONTRACT_NUMBER(heartbeat_of(store), CONTRACT_NOW);
  CONTRACT_OK(kecs_node_heartbeat(store, "n", 4)); /* something else changes */
  CONTRACT_NUMBER(heartbeat_of(store), CONTRACT_NOW + 9999999);
  contract_set_clock(&now, CONTRACT_NOW + 2 * 9999999 + 1);
  CONTRACT_OK(kecs_node_heartbeat(store, "n", 4)); /* ten seconds later */
  CONTRACT_NUMBER(heartbeat_of(store), CONTRACT_NOW + 2 * 9999999 + 1);
  int64_t offline = 0;
  CONTRACT_OK(kecs_node_mark_stale(store, now + 1, &offline));
  CONTRACT_NUMBER(offline, 1);
  CONTRACT_OK(kecs_node_heartbeat(store, "n", 4)); /* it is back, however early */
  CONTRACT_NUMBER(heartbeat_of(store), now);
  CONTRACT_FAILS(kecs_node_heartbeat(store, "absent", 1), KECS_E_NOT_FOUND);
  contract_close(store);
}

/* What goes beyond is NOMEM; the store goes on, and results that outlive it are counted to the end. */
static void memory_has_a_limit(void **state) {
  (void)state;
  kecs_options options = {.memory_kib = 512};
  kecs_store *store = contract_open_with(&options);
  kecs_result *kept = NULL;
  kecs_result *result = NULL;
  char *text = malloc(100001);
  assert_non_null(text);
  memset(text, 'x', 100000);
  text[100000] = '\0';
  for (int i = 0; i < 8; i++) {
    char id[16];
    snprintf(id, sizeof id, "t%d", i);
    kecs_node_task row = {.id = id, .name = "n", .image = text};
    CONTRACT_OK(kecs_node_task_create(store, &row, NULL));
  }
  free(text);
  CONTRACT_FAILS(kecs_node_task_list(store, NULL, &result), KECS_E_NOMEM);
  assert_null(result);
  CONTRACT_OK(kecs_node_task_get(store, "t1", &kept));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), 8);
  contract_close(store);
  CONTRACT_TEXT(kecs_node_task_at(kept, 0)->id, "t1");
  kecs_result_free(kept);
}

typedef struct scarce {
  int left;  /* allocations that still succeed */
  int taken; /* blocks that were not given back */
} scarce;

static void *scarce_alloc(size_t size, void *user) {
  scarce *one = user;
  void *block = one->left-- > 0 ? malloc(size) : NULL;
  one->taken += block != NULL;
  return block;
}

static void *scarce_resize(void *pointer, size_t old_size, size_t size, void *user) {
  scarce *one = user;
  (void)old_size;
  return one->left-- > 0 ? realloc(pointer, size) : NULL;
}

static void scarce_release(void *pointer, size_t size, void *user) {
  scarce *one = user;
  (void)size;
  one->taken--;
  free(pointer);
}

/* However early memory ends while a store with a limit is opened: NOMEM, and every block comes back. */
static void opening_with_a_limit_and_no_memory(void **state) {
  (void)state;
  kecs_status status = KECS_E_NOMEM;
  for (int n = 0; status; n++) {
    scarce one = {n, 0};
    kecs_options options = {.path = ":memory:",
                            .profile = KECS_PROFILE_EDGE,
                            .allocator = {scarce_alloc, scarce_resize, scarce_release, &one}};
    kecs_store *store = NULL;
    status = kecs_open(&options, &store);
    assert_true(status == KECS_OK || status == KECS_E_NOMEM);
    assert_true((store != NULL) == (status == KECS_OK));
    CONTRACT_OK(kecs_close(store));
    CONTRACT_NUMBER(one.taken, 0);
  }
}

/* ---- the pool ---- */

typedef struct reader {
  kecs_store *store;
  pthread_mutex_t held; /* the walk goes on when it is free */
  kecs_status status;
} reader;

static kecs_status hold(const kecs_cluster *row, void *user) {
  reader *one = user;
  (void)row;
  pthread_mutex_lock(&one->held);
  pthread_mutex_unlock(&one->held);
  return KECS_OK;
}

static void *walk(void *user) {
  reader *one = user;
  one->status = kecs_cluster_each(one->store, NULL, hold, one);
  return NULL;
}

static void the_pool_has_a_limit_and_counts(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.readers = 1, .pool = {.acquire_ms = 30}};
  reader one = {.store = contract_open_with(&options)};
  kecs_cluster cluster = {.name = "web"};
  pthread_t thread;
  int64_t count = 0;
  CONTRACT_OK(kecs_cluster_create(one.store, &cluster, NULL));
  kecs_info info = info_of(one.store);
  CONTRACT_NUMBER(info.pool.max, 1);
  CONTRACT_NUMBER(info.pool.total, 1);
  CONTRACT_NUMBER(info.pool.active, 1); /* the one that reads this */
  CONTRACT_NUMBER(info.pool.waits, 0);
  pthread_mutex_init(&one.held, NULL);
  pthread_mutex_lock(&one.held);
  assert_int_equal(pthread_create(&thread, NULL, walk, &one), 0);
  nap(100);
  CONTRACT_FAILS(kecs_cluster_count(one.store, NULL, &count), KECS_E_BUSY);
  CONTRACT_SAYS("reading connections");
  pthread_mutex_unlock(&one.held);
  pthread_join(thread, NULL);
  CONTRACT_NUMBER(one.status, KECS_OK);
  info = info_of(one.store);
  CONTRACT_NUMBER(info.pool.waits, 1);
  assert_true(info.pool.wait_us >= 25000);
  contract_close(one.store);
  pthread_mutex_destroy(&one.held);
}

static void connections_have_an_age(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  static const kecs_pool_options cases[] = {{.idle_ms = 20, .check_ms = 1}, {.lifetime_ms = 20, .check_ms = 1}};
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_options options = {.pool = cases[i]};
    kecs_store *store = contract_open_with(&options);
    contract_count_rows(store, KECS_KIND_CLUSTER);
    nap(40);
    contract_count_rows(store, KECS_KIND_CLUSTER);
    nap(2);
    contract_count_rows(store, KECS_KIND_CLUSTER);
    /* An idle one is used again rather than closed; one that is too old goes in any case. */
    CONTRACT_NUMBER(info_of(store).pool.retired > 0, i == 1);
    contract_close(store);
  }
}

static kecs_status dawdle(const kecs_cluster *row, void *user) {
  (void)row;
  ++*(int *)user;
  nap(10);
  return KECS_OK;
}

/* A walk that is forgotten would keep the write-ahead log from being emptied. */
static void a_walk_has_an_age(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.pool = {.read_age_ms = 50}};
  kecs_store *store = contract_open_with(&options);
  int visited = 0;
  for (int i = 0; i < 50; i++) {
    char name[16];
    snprintf(name, sizeof name, "c%d", i);
    kecs_cluster cluster = {.name = name};
    CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  }
  CONTRACT_FAILS(kecs_cluster_each(store, NULL, dawdle, &visited), KECS_E_TIMEOUT);
  CONTRACT_SAYS("read_age_ms");
  assert_in_range(visited, 1, 30);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 50);
  contract_close(store);
}

static void write_much(kecs_store *store, int count) {
  char text[4001];
  memset(text, 'y', 4000);
  text[4000] = '\0';
  for (int i = 0; i < count; i++) {
    kecs_node_task row = {.id = "t", .name = "n", .image = text};
    text[0] = (char)('a' + i % 26);
    CONTRACT_OK(kecs_node_task_upsert(store, &row, NULL));
  }
}

/* Moved into the file beyond its size, and cut to nothing when that is asked for. */
static void the_log_is_bounded(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.log_kib = 64};
  kecs_store *store = contract_open_with(&options);
  write_much(store, 300);
  kecs_info info = info_of(store);
  assert_in_range(info.wal_bytes, 1, info.wal_limit_bytes);
  CONTRACT_OK(kecs_maintain(store));
  CONTRACT_NUMBER(info_of(store).wal_bytes, 0);
  CONTRACT_OK(kecs_maintain(store));
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_FAILS(kecs_maintain(tx), KECS_E_MISUSE);
  CONTRACT_OK(kecs_maintain(store)); /* nothing can be done now */
  CONTRACT_OK(kecs_rollback(tx));
  contract_close(store);
}

/* A store that is read, but no longer written, looks after its log by itself. */
static void the_log_is_emptied_when_it_is_quiet(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.pool = {.check_ms = 20}};
  kecs_store *store = contract_open_with(&options);
  write_much(store, 3);
  assert_true(info_of(store).wal_bytes > 0);
  for (int i = 0; i < 4; i++) {
    nap(25);
    contract_count_rows(store, KECS_KIND_NODE_TASK);
  }
  CONTRACT_NUMBER(info_of(store).wal_bytes, 0);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(settings_are_as_the_profile_says),
    CONTRACT_TEST(memory_needs_no_path),
    CONTRACT_TEST(another_profile_on_the_same_file),
    CONTRACT_TEST(early_heartbeats_are_not_stored),
    CONTRACT_TEST(memory_has_a_limit),
    CONTRACT_TEST(opening_with_a_limit_and_no_memory),
    CONTRACT_TEST(the_pool_has_a_limit_and_counts),
    CONTRACT_TEST(connections_have_an_age),
    CONTRACT_TEST(a_walk_has_an_age),
    CONTRACT_TEST(the_log_is_bounded),
    CONTRACT_TEST(the_log_is_emptied_when_it_is_quiet),
};

CONTRACT_MAIN("profile", tests)
