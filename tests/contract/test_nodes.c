/* test_nodes.c -- worker nodes: heartbeats, who has room, cleaning up, and amounts of CPU and memory. */
#include "contract.h"

#include <pthread.h>

#define SECOND INT64_C(1000000)
#define GIB (INT64_C(1) << 30)

static kecs_store *open_at(int64_t *now) {
  kecs_options options = {0};
  options.clock = contract_clock(now);
  return contract_open_with(&options);
}

static void make_node(kecs_store *store, const char *id, const char *status, int64_t capacity, int64_t running) {
  kecs_node row = {.id = id, .hostname = "host", .port = 8080, .status = status, .running_tasks = running};
  row.capacity.has = capacity >= 0;
  row.capacity.value = capacity;
  CONTRACT_OK(kecs_node_create(store, &row, NULL));
}

/* The node as it is stored. Free the result. */
static const kecs_node *read_node(kecs_store *store, const char *id, kecs_result **out_result) {
  CONTRACT_OK(kecs_node_get(store, id, out_result));
  return kecs_node_at(*out_result, 0);
}

/* ---- rows ---- */

static void a_node_comes_back_as_it_was(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  kecs_node row = {.id = "n1", .hostname = "host-1", .port = 9000};
  row.resources = "{\"capacity\":{\"cpu\":4000,\"memory\":8589934592}}";
  CONTRACT_OK(kecs_node_create(store, &row, NULL));
  const kecs_node *node = read_node(store, "n1", &result);
  CONTRACT_TEXT(node->hostname, "host-1");
  CONTRACT_NUMBER(node->port, 9000);
  CONTRACT_TEXT(node->status, "online");
  CONTRACT_TEXT(node->resources, row.resources);
  CONTRACT_NUMBER(node->last_heartbeat, CONTRACT_NOW);
  CONTRACT_NUMBER(node->running_tasks, 0);
  assert_false(node->capacity.has);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_node_create(store, &row, NULL), KECS_E_EXISTS);
  CONTRACT_FAILS(kecs_node_get(store, "nobody", &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("nobody");
  contract_close(store);
}

static void patches_leave_the_rest(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  make_node(store, "n1", "online", 5, 0);
  kecs_node row = {.id = "n1", .status = "offline", .running_tasks = 3, .last_heartbeat = CONTRACT_NOW + 1};
  uint64_t mask = KECS_BIT(KECS_NODE_STATUS) | KECS_BIT(KECS_NODE_RUNNING_TASKS) | KECS_BIT(KECS_NODE_LAST_HEARTBEAT);
  CONTRACT_OK(kecs_node_update_fields(store, &row, mask, &result));
  const kecs_node *node = kecs_node_at(result, 0);
  CONTRACT_TEXT(node->status, "offline");
  CONTRACT_NUMBER(node->running_tasks, 3);
  CONTRACT_NUMBER(node->last_heartbeat, CONTRACT_NOW + 1);
  CONTRACT_TEXT(node->hostname, "host");
  CONTRACT_NUMBER(node->capacity.value, 5);
  kecs_result_free(result);
  CONTRACT_OK(kecs_node_update_fields(store, &row, 0, NULL));
  row.id = "nobody";
  CONTRACT_FAILS(kecs_node_update_fields(store, &row, 0, NULL), KECS_E_NOT_FOUND);
  contract_close(store);
}

static void nodes_are_listed_by_heartbeat(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  const kecs_node rows[] = {{.id = "a", .hostname = "h", .last_heartbeat = CONTRACT_NOW},
                            {.id = "b", .hostname = "h", .last_heartbeat = CONTRACT_NOW - 3600 * SECOND},
                            {.id = "c", .hostname = "h", .last_heartbeat = CONTRACT_NOW}};
  CONTRACT_OK(kecs_node_create_many(store, rows, 3, NULL));
  CONTRACT_OK(kecs_node_list(store, NULL, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 3);
  CONTRACT_TEXT(kecs_node_at(result, 0)->id, "a");
  CONTRACT_TEXT(kecs_node_at(result, 1)->id, "c");
  CONTRACT_TEXT(kecs_node_at(result, 2)->id, "b");
  kecs_result_free(result);
  contract_close(store);
}

/* ---- heartbeats ---- */

static void a_heartbeat_brings_a_node_online(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  make_node(store, "n1", "offline", 5, 2);
  now += 123;
  CONTRACT_OK(kecs_node_heartbeat(store, "n1", 4));
  const kecs_node *node = read_node(store, "n1", &result);
  CONTRACT_TEXT(node->status, "online");
  CONTRACT_NUMBER(node->last_heartbeat, CONTRACT_NOW + 123);
  CONTRACT_NUMBER(node->running_tasks, 4);
  CONTRACT_NUMBER(node->updated_at, CONTRACT_NOW + 123);
  CONTRACT_NUMBER(node->created_at, CONTRACT_NOW);
  CONTRACT_NUMBER(node->version, 2);
  CONTRACT_NUMBER(node->capacity.value, 5);
  CONTRACT_TEXT(node->hostname, "host");
  kecs_result_free(result);
  now += 1;
  CONTRACT_OK(kecs_node_heartbeat(store, "n1", -1));
  node = read_node(store, "n1", &result);
  CONTRACT_NUMBER(node->running_tasks, 4);
  CONTRACT_NUMBER(node->last_heartbeat, CONTRACT_NOW + 124);
  kecs_result_free(result);
  CONTRACT_OK(kecs_node_heartbeat(store, "n1", 0));
  node = read_node(store, "n1", &result);
  CONTRACT_NUMBER(node->running_tasks, 0);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_node_heartbeat(store, "nobody", 1), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("nobody");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE), 1);
  contract_close(store);
}

static void heartbeats_write_one_row_in_place(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&now), .track = KECS_TRACK_OFF}; /* a log would grow */
  kecs_store *store = contract_open_with(&options);
  kecs_result *result = NULL;
  kecs_info before;
  kecs_info after;
  make_node(store, "n1", "online", 5, 0);
  CONTRACT_OK(kecs_store_info(store, &before));
  for (int i = 0; i < 1000; i++) {
    now++;
    CONTRACT_OK(kecs_node_heartbeat(store, "n1", i));
  }
  CONTRACT_OK(kecs_store_info(store, &after));
  if (contract_is_sqlite()) { /* PostgreSQL keeps old versions of a row until vacuum */
    CONTRACT_NUMBER(after.size_bytes, before.size_bytes);
  }
  for (int i = 0; i < 1000; i++) {
    CONTRACT_OK(kecs_node_heartbeat(store, "n1", 999)); /* nothing differs: nothing is written */
  }
  CONTRACT_NUMBER(read_node(store, "n1", &result)->version, 1001);
  kecs_result_free(result);
  contract_close(store);
}

static void stale_nodes_go_offline(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  int64_t count = -1;
  make_node(store, "old", "online", 5, 1);
  make_node(store, "gone", "offline", 5, 1);
  make_node(store, "busy", "draining", 5, 1);
  now += 90 * SECOND;
  make_node(store, "edge", "online", 5, 1);
  now += 1;
  make_node(store, "new", "online", 5, 1);
  CONTRACT_OK(kecs_node_mark_stale(store, CONTRACT_NOW + 90 * SECOND, &count));
  CONTRACT_NUMBER(count, 1);
  const kecs_node *node = read_node(store, "old", &result);
  CONTRACT_TEXT(node->status, "offline");
  CONTRACT_NUMBER(node->last_heartbeat, CONTRACT_NOW);
  CONTRACT_NUMBER(node->version, 2);
  kecs_result_free(result);
  CONTRACT_TEXT(read_node(store, "busy", &result)->status, "draining");
  kecs_result_free(result);
  CONTRACT_TEXT(read_node(store, "edge", &result)->status, "online");
  kecs_result_free(result);
  CONTRACT_OK(kecs_node_mark_stale(store, CONTRACT_NOW + 90 * SECOND, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_node_mark_stale(store, 0, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_node_mark_stale(store, CONTRACT_NOW * 2, NULL));
  CONTRACT_TEXT(read_node(store, "new", &result)->status, "offline");
  kecs_result_free(result);
  contract_close(store);
}

/* ---- room ---- */

/* The ids of the available nodes, joined by commas. */
static const char *available(kecs_store *store) {
  static char out[4096];
  kecs_result *result = NULL;
  size_t used = 0;
  CONTRACT_OK(kecs_node_available(store, &result));
  out[0] = '\0';
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", i > 0 ? "," : "", kecs_node_at(result, i)->id);
  }
  assert_null(kecs_result_page_token(result));
  kecs_result_free(result);
  return out;
}

static void only_nodes_with_room_are_available(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  CONTRACT_TEXT(available(store), "");
  make_node(store, "half", "online", 10, 5);
  make_node(store, "off", "offline", 10, 0);
  make_node(store, "full", "online", 5, 5);
  make_node(store, "over", "online", 5, 6);
  make_node(store, "none", "online", 0, 0);
  CONTRACT_TEXT(available(store), "half");
  contract_close(store);
}

static void the_least_busy_come_first(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static const int running[] = {3, 0, 9, 3, 1, 0};
  for (int i = 0; i < 6; i++) {
    char id[8];
    snprintf(id, sizeof id, "n%d", 5 - i);
    make_node(store, id, "online", 10, running[i]);
  }
  CONTRACT_TEXT(available(store), "n0,n4,n1,n2,n5,n3");
  CONTRACT_OK(kecs_node_heartbeat(store, "n0", 10));
  CONTRACT_TEXT(available(store), "n4,n1,n2,n5,n3");
  contract_close(store);
}

static const struct {
  const char *resources;
  int64_t slots;
} documents[] = {
    {NULL, 10},
    {"", 10},
    {"{}", 10},
    {"no JSON", 10},
    {"[]", 10},
    {"{\"capacity\":{}}", 10},
    {"{\"capacity\":null}", 10},
    {"{\"capacity\":{\"cpu\":4000,\"memory\":8589934592}}", 4},
    {"{\"capacity\":{\"cpu\":8000,\"memory\":4294967296}}", 4},
    {"{\"capacity\":{\"cpu\":1999,\"memory\":8589934592}}", 1},
    {"{\"capacity\":{\"cpu\":999,\"memory\":8589934592}}", 0},
    {"{\"capacity\":{\"cpu\":4000,\"memory\":1073741823}}", 0},
    {"{\"capacity\":{\"cpu\":4e3,\"memory\":8589934592.5}}", 4},
    {"{\"capacity\":{\"cpu\":-4000,\"memory\":8589934592}}", 0},
    {"{\"capacity\":{\"cpu\":2000}}", 2},
    {"{\"capacity\":{\"memory\":3221225472,\"cpu\":\"many\"}}", 3},
    {"{\"allocatable\":{\"cpu\":1000,\"memory\":1},\"capacity\":{\"cpu\":2000,\"memory\":2147483648}}", 2},
};

static void slots_of_a_node(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(documents); i++) {
    kecs_node row = {.id = "n", .hostname = "h", .resources = documents[i].resources};
    CONTRACT_NUMBER(kecs_node_slots(&row), documents[i].slots);
    row.running_tasks = documents[i].slots - 1;
    CONTRACT_OK(kecs_node_upsert(store, &row, NULL));
    CONTRACT_TEXT(available(store), "n");
    row.running_tasks = documents[i].slots;
    CONTRACT_OK(kecs_node_upsert(store, &row, NULL));
    CONTRACT_TEXT(available(store), "");
    row.capacity.has = true;
    row.capacity.value = 7;
    CONTRACT_NUMBER(kecs_node_slots(&row), 7);
    row.capacity.value = -7;
    CONTRACT_NUMBER(kecs_node_slots(&row), 0);
  }
  CONTRACT_NUMBER(kecs_node_slots(NULL), 0);
  contract_close(store);
}

static void more_nodes_than_a_page(void **state) {
  (void)state;
  enum { nodes = 1500 };
  static kecs_node rows[nodes];
  static char ids[nodes][16];
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  for (int i = 0; i < nodes; i++) {
    snprintf(ids[i], sizeof ids[i], "n%04d", i);
    rows[i] = (kecs_node){.id = ids[i], .hostname = "h", .running_tasks = (i * 7) % 10};
  }
  CONTRACT_OK(kecs_node_create_many(store, rows, nodes, NULL));
  CONTRACT_OK(kecs_node_available(store, &result));
  CONTRACT_NUMBER(kecs_result_count(result), nodes);
  for (size_t i = 1; i < nodes; i++) {
    const kecs_node *left = kecs_node_at(result, i - 1);
    const kecs_node *right = kecs_node_at(result, i);
    assert_true(left->running_tasks < right->running_tasks ||
                (left->running_tasks == right->running_tasks && strcmp(left->id, right->id) < 0));
  }
  kecs_result_free(result);
  contract_close(store);
}

/* ---- cleaning up ---- */

static void old_offline_nodes_are_deleted(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  int64_t count = -1;
  make_node(store, "old-off", "offline", 5, 0);
  make_node(store, "old-on", "online", 5, 0);
  now += SECOND;
  make_node(store, "new-off", "offline", 5, 0);
  CONTRACT_OK(kecs_node_prune(store, CONTRACT_NOW, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_node_prune(store, CONTRACT_NOW + SECOND, &count));
  CONTRACT_NUMBER(count, 1);
  CONTRACT_FAILS(kecs_node_get(store, "old-off", &result), KECS_E_NOT_FOUND);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE), 2);
  contract_close(store);
}

static void finished_tasks_are_deleted(void **state) {
  (void)state;
  static const char *const statuses[] = {"pending", "scheduled", "running", "completed", "failed"};
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  int64_t count = -1;
  for (size_t i = 0; i < CONTRACT_COUNT(statuses); i++) {
    for (int k = 0; k < 3; k++) { /* never finished, finished before, finished just then */
      char id[32];
      kecs_node_task row = {.id = id, .name = "t", .image = "i", .status = statuses[i]};
      snprintf(id, sizeof id, "%s-%d", statuses[i], k);
      row.finished_at = k == 0 ? 0 : CONTRACT_NOW - 2 + k;
      CONTRACT_OK(kecs_node_task_create(store, &row, NULL));
    }
  }
  CONTRACT_OK(kecs_node_task_prune(store, CONTRACT_NOW, &count));
  CONTRACT_NUMBER(count, 2);
  CONTRACT_FAILS(kecs_node_task_get(store, "completed-1", &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_node_task_get(store, "failed-1", &result), KECS_E_NOT_FOUND);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), 13);
  CONTRACT_OK(kecs_node_task_prune(store, CONTRACT_NOW, NULL));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), 13);
  contract_close(store);
}

static void thousands_are_cleaned_up_in_steps(void **state) {
  (void)state;
  enum { nodes = 2500 };
  static kecs_node rows[nodes];
  static char ids[nodes][16];
  kecs_store *store = contract_open();
  int64_t count = -1;
  for (int i = 0; i < nodes; i++) {
    snprintf(ids[i], sizeof ids[i], "n%04d", i);
    rows[i] = (kecs_node){.id = ids[i], .hostname = "h", .last_heartbeat = CONTRACT_NOW + i};
  }
  CONTRACT_OK(kecs_node_create_many(store, rows, nodes, NULL));
  CONTRACT_OK(kecs_node_mark_stale(store, CONTRACT_NOW + 2100, &count));
  CONTRACT_NUMBER(count, 2100);
  CONTRACT_OK(kecs_node_prune(store, CONTRACT_NOW + 5000, &count));
  CONTRACT_NUMBER(count, 2100);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE), nodes - 2100);
  contract_close(store);
}

/* ---- tasks of nodes ---- */

static void a_task_keeps_what_is_not_patched(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_node_task row = {.id = "t1", .name = "web", .image = "nginx", .env = "{\"A\": \"1\"}"};
  CONTRACT_OK(kecs_node_task_create(store, &row, &result));
  CONTRACT_TEXT(kecs_node_task_at(result, 0)->status, "pending");
  CONTRACT_TEXT(kecs_node_task_at(result, 0)->env, "{\"A\": \"1\"}");
  kecs_result_free(result);
  kecs_node_task patch = {.id = "t1", .status = "failed", .node_id = "n1", .container_id = "c1", .error = "boom"};
  patch.started_at = CONTRACT_NOW;
  patch.finished_at = CONTRACT_NOW + 1;
  CONTRACT_OK(kecs_node_task_update_fields(store, &patch, KECS_BIT(KECS_NODE_TASK_STATUS), &result));
  CONTRACT_TEXT(kecs_node_task_at(result, 0)->status, "failed");
  assert_null(kecs_node_task_at(result, 0)->node_id);
  kecs_result_free(result);
  uint64_t mask = KECS_BIT(KECS_NODE_TASK_NODE_ID) | KECS_BIT(KECS_NODE_TASK_CONTAINER_ID) |
                  KECS_BIT(KECS_NODE_TASK_STARTED_AT) | KECS_BIT(KECS_NODE_TASK_FINISHED_AT) |
                  KECS_BIT(KECS_NODE_TASK_ERROR);
  CONTRACT_OK(kecs_node_task_update_fields(store, &patch, mask, &result));
  const kecs_node_task *task = kecs_node_task_at(result, 0);
  CONTRACT_TEXT(task->node_id, "n1");
  CONTRACT_TEXT(task->container_id, "c1");
  CONTRACT_NUMBER(task->started_at, CONTRACT_NOW);
  CONTRACT_NUMBER(task->finished_at, CONTRACT_NOW + 1);
  CONTRACT_TEXT(task->error, "boom");
  CONTRACT_TEXT(task->image, "nginx");
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_node_task_get(store, "t2", &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("node_task \"t2\" not found");
  contract_close(store);
}

typedef struct worker {
  kecs_store *store;
  int number;
  int failures;
} worker;

enum { WORKERS = 10, WORKER_ROWS = 20 };

static void *write_tasks(void *user) {
  worker *me = user;
  for (int i = 0; i < WORKER_ROWS; i++) {
    char id[32];
    snprintf(id, sizeof id, "t-%d-%d", me->number, i);
    kecs_node_task row = {.id = id, .name = "t", .image = "i"};
    me->failures += kecs_node_task_create(me->store, &row, NULL) != KECS_OK;
    me->failures += kecs_node_heartbeat(me->store, "n1", i) != KECS_OK;
  }
  return NULL;
}

static void *read_tasks(void *user) {
  worker *me = user;
  for (int i = 0; i < WORKER_ROWS; i++) {
    kecs_result *result = NULL;
    me->failures += kecs_node_task_list(me->store, NULL, &result) != KECS_OK;
    kecs_result_free(result);
    me->failures += kecs_node_available(me->store, &result) != KECS_OK;
    kecs_result_free(result);
  }
  return NULL;
}

static void writers_and_readers_at_once(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  pthread_t threads[2 * WORKERS];
  worker workers[2 * WORKERS];
  make_node(store, "n1", "online", 100, 0);
  for (int i = 0; i < 2 * WORKERS; i++) {
    workers[i] = (worker){store, i, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, i % 2 ? read_tasks : write_tasks, &workers[i]), 0);
  }
  for (int i = 0; i < 2 * WORKERS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    CONTRACT_NUMBER(workers[i].failures, 0);
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), WORKERS * WORKER_ROWS);
  contract_close(store);
}

/* ---- amounts ---- */

static const struct {
  const char *text;
  int64_t amount; /* -1: INVALID */
} cpus[] = {
    {"", 0}, {NULL, 0}, {"0", 0}, {"500m", 500}, {"1", 1000}, {"0.5", 500}, {"2.5", 2500}, {".5", 500}, {"1.", 1000},
    {"0.001", 1}, {"0.0019", 1}, {"1500m", 1500}, {"0m", 0}, {"00012m", 12}, {"0.1", 100}, {"0.7", 700},
    {"9223372036854775807m", INT64_MAX}, {"9223372036854775.807", INT64_MAX}, {"9223372036854775.8079", INT64_MAX},
    {"9223372036854775808m", -1}, {"9223372036854775.808", -1}, {"99999999999999999999999", -1},
    {"abc", -1}, {"abcm", -1}, {"m", -1}, {".", -1}, {".m", -1}, {"-1", -1}, {"+1", -1}, {"-500m", -1}, {" 1", -1},
    {"1 ", -1}, {"1 m", -1}, {"1M", -1}, {"1mm", -1}, {"1.5.5", -1}, {"1e3", -1}, {"0x10", -1}, {"1,5", -1},
    {"inf", -1}, {"nan", -1}, {"\xd9\xa1", -1}, {"1.5m", 1},
};

static const struct {
  const char *text;
  int64_t amount;
} memories[] = {
    {"", 0}, {NULL, 0}, {"0", 0}, {"1Ki", 1024}, {"256Mi", 268435456}, {"1K", 1000}, {"1.5Mi", 1572864},
    {"1024", 1024}, {"1Gi", GIB}, {"2Ti", INT64_C(2199023255552)}, {"1M", 1000000}, {"1G", 1000000000},
    {"1T", INT64_C(1000000000000)}, {"0.5Ki", 512}, {".5Ki", 512}, {"0.1Ki", 102}, {"1.9", 1}, {"0.3K", 300},
    {"0.0009765625Ki", 1}, {"0.00097656249999999999999999999999Ki", 0},
    {"1.999999999999999999999999999999999999Ki", 2047}, {"8388607Ti", INT64_C(9223370937343148032)},
    {"9223372036854775807", INT64_MAX}, {"8388608Ti", -1}, {"9223372036854775808", -1},
    {"8796093022208Mi", -1}, {"abc", -1}, {"123xyz", -1}, {"Ki", -1}, {"1k", -1}, {"1ki", -1}, {"1KI", -1},
    {"1B", -1}, {"1KiB", -1}, {"1Pi", -1}, {"-1Ki", -1}, {"1 Ki", -1}, {"1e3", -1}, {"1m", -1}, {".", -1}, {"1..5", -1},
};

static void amounts_from_text(void **state) {
  (void)state;
  for (size_t i = 0; i < CONTRACT_COUNT(cpus); i++) {
    int64_t amount = -7;
    if (cpus[i].amount < 0) {
      CONTRACT_FAILS(kecs_cpu_parse(cpus[i].text, &amount), KECS_E_INVALID);
      CONTRACT_NUMBER(amount, 0);
    } else {
      CONTRACT_OK(kecs_cpu_parse(cpus[i].text, &amount));
      CONTRACT_NUMBER(amount, cpus[i].amount);
    }
  }
  for (size_t i = 0; i < CONTRACT_COUNT(memories); i++) {
    int64_t amount = -7;
    if (memories[i].amount < 0) {
      CONTRACT_FAILS(kecs_memory_parse(memories[i].text, &amount), KECS_E_INVALID);
      CONTRACT_NUMBER(amount, 0);
    } else {
      CONTRACT_OK(kecs_memory_parse(memories[i].text, &amount));
      CONTRACT_NUMBER(amount, memories[i].amount);
    }
  }
  CONTRACT_FAILS(kecs_cpu_parse("lots", &(int64_t){0}), KECS_E_INVALID);
  CONTRACT_SAYS("lots");
  CONTRACT_FAILS(kecs_cpu_parse("1", NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_memory_parse("1", NULL), KECS_E_MISUSE);
}

static void amounts_to_text(void **state) {
  (void)state;
  static const struct {
    int64_t amount;
    const char *cpu;
    const char *memory;
  } texts[] = {
      {0, "0", "0"},
      {1, "1m", "1"},
      {500, "500m", "500"},
      {1000, "1", "1000"},
      {2500, "2500m", "2500"},
      {1024, "1024m", "1Ki"},
      {1536, "1536m", "1536"},
      {268435456, "268435456m", "256Mi"},
      {GIB * 1024, "1099511627776m", "1Ti"},
      {GIB * 3000, "3221225472", "3000Gi"},
      {INT64_MAX, "9223372036854775807m", "9223372036854775807"},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(texts); i++) {
    char out[32];
    int64_t back = -1;
    kecs_memory_format(texts[i].amount, out, sizeof out);
    CONTRACT_TEXT(out, texts[i].memory);
    CONTRACT_OK(kecs_memory_parse(out, &back));
    CONTRACT_NUMBER(back, texts[i].amount);
    kecs_cpu_format(texts[i].amount, out, sizeof out);
    CONTRACT_TEXT(out, texts[i].cpu);
    CONTRACT_OK(kecs_cpu_parse(out, &back));
    CONTRACT_NUMBER(back, texts[i].amount);
  }
  char small[3] = "xx";
  kecs_cpu_format(500, small, sizeof small);
  CONTRACT_TEXT(small, "50");
  kecs_memory_format(GIB * 12, small, sizeof small);
  CONTRACT_TEXT(small, "12");
  kecs_cpu_format(1, NULL, 0);
  kecs_memory_format(1, small, 0);
  CONTRACT_TEXT(small, "12");
}

static void every_amount_survives_its_text(void **state) {
  (void)state;
  uint64_t seed = 7;
  for (int i = 0; i < 20000; i++) {
    char text[32];
    int64_t back = -1;
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    int64_t amount = (int64_t)(seed >> (1 + seed % 60));
    kecs_cpu_format(amount, text, sizeof text);
    CONTRACT_OK(kecs_cpu_parse(text, &back));
    CONTRACT_NUMBER(back, amount);
    amount = (amount >> 20) << (seed % 21);
    kecs_memory_format(amount, text, sizeof text);
    CONTRACT_OK(kecs_memory_parse(text, &back));
    CONTRACT_NUMBER(back, amount);
  }
}

static void check_resources(kecs_resources actual, int64_t cpu, int64_t memory) {
  CONTRACT_NUMBER(actual.cpu, cpu);
  CONTRACT_NUMBER(actual.memory, memory);
}

static void counting_resources(void **state) {
  (void)state;
  const kecs_resources node = {4000, 8 * GIB};
  const kecs_resources used = {1500, 2 * GIB};
  const kecs_resources most = {INT64_MAX, INT64_MAX};
  const kecs_resources least = {INT64_MIN, INT64_MIN};
  check_resources(kecs_resources_available(node, used), 2500, 6 * GIB);
  check_resources(kecs_resources_available(used, node), -2500, -6 * GIB);
  check_resources(kecs_resources_available(most, least), INT64_MAX, INT64_MAX);
  check_resources(kecs_resources_available(least, most), INT64_MIN, INT64_MIN);
  check_resources(kecs_resources_available(least, least), 0, 0);
  assert_true(kecs_resources_fit(node, node));
  assert_true(kecs_resources_fit(node, used));
  assert_false(kecs_resources_fit(node, (kecs_resources){4001, 0}));
  assert_false(kecs_resources_fit(node, (kecs_resources){0, 8 * GIB + 1}));
  check_resources(kecs_resources_allocate(used, used), 3000, 4 * GIB);
  check_resources(kecs_resources_allocate(most, used), INT64_MAX, INT64_MAX);
  check_resources(kecs_resources_allocate(least, least), INT64_MIN, INT64_MIN);
  check_resources(kecs_resources_release(node, used), 2500, 6 * GIB);
  check_resources(kecs_resources_release(used, node), 0, 0);
  check_resources(kecs_resources_release(used, (kecs_resources){500, 3 * GIB}), 1000, 0);
  check_resources(kecs_resources_release(most, least), INT64_MAX, INT64_MAX);
}

static void missing_arguments(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  int64_t count = 0;
  CONTRACT_FAILS(kecs_node_heartbeat(NULL, "n", 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_node_heartbeat(store, NULL, 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_node_heartbeat(store, "", 0), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_node_available(NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_node_available(store, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_node_mark_stale(NULL, 1, &count), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_node_prune(NULL, 1, &count), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_node_task_prune(NULL, 1, &count), KECS_E_MISUSE);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(a_node_comes_back_as_it_was),
    CONTRACT_TEST(patches_leave_the_rest),
    CONTRACT_TEST(nodes_are_listed_by_heartbeat),
    CONTRACT_TEST(a_heartbeat_brings_a_node_online),
    CONTRACT_TEST(heartbeats_write_one_row_in_place),
    CONTRACT_TEST(stale_nodes_go_offline),
    CONTRACT_TEST(only_nodes_with_room_are_available),
    CONTRACT_TEST(the_least_busy_come_first),
    CONTRACT_TEST(slots_of_a_node),
    CONTRACT_TEST(more_nodes_than_a_page),
    CONTRACT_TEST(old_offline_nodes_are_deleted),
    CONTRACT_TEST(finished_tasks_are_deleted),
    CONTRACT_TEST(thousands_are_cleaned_up_in_steps),
    CONTRACT_TEST(a_task_keeps_what_is_not_patched),
    CONTRACT_TEST(writers_and_readers_at_once),
    CONTRACT_TEST(amounts_from_text),
    CONTRACT_TEST(amounts_to_text),
    CONTRACT_TEST(every_amount_survives_its_text),
    CONTRACT_TEST(counting_resources),
    CONTRACT_TEST(missing_arguments),
};

CONTRACT_MAIN("nodes", tests)
