/* store/node.c -- worker nodes: heartbeats, who has room, cleaning up. */
#include "base/prologue.h"

#include "store/nodes.h"

#include "base/json.h"
#include "store/write.h"

#include <string.h>

#define KECS__NODE_ONLINE "online"
#define KECS__NODE_OFFLINE "offline"

/* ---- heartbeat ---- */

typedef struct kecs__node_beat {
  const char *id;
  int64_t running_tasks;
} kecs__node_beat;

/* Whether the stored row says as much already, but for a time that is not old enough to be worth a write. */
static kecs_status kecs__node_beat_early(kecs__write *write, const kecs__node_beat *beat, const kecs__probe *probe,
                                         bool *out_early) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_NODE);
  kecs_node stored;
  int64_t rid = 0;
  kecs_status status = kecs__probe_read(write->session, meta, probe, &write->arena, &stored, &rid);
  if (status) {
    return status;
  }
  int64_t age = write->now - stored.last_heartbeat;
  *out_early = age >= 0 && age < write->engine->heartbeat_us && stored.status &&
               strcmp(stored.status, KECS__NODE_ONLINE) == 0 &&
               (beat->running_tasks < 0 || beat->running_tasks == stored.running_tasks);
  return KECS_OK;
}

/* Reads the few columns that it writes, and writes those that differ: one row by its key, in place. */
static kecs_status kecs__node_beat_work(kecs__write *write, void *user) {
  const kecs__node_beat *beat = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_NODE);
  kecs_node row = {0};
  kecs__probe probe;
  kecs__change change = {0};
  row.id = beat->id;
  row.status = KECS__NODE_ONLINE;
  row.last_heartbeat = write->now;
  row.running_tasks = beat->running_tasks;
  change.row = &row;
  change.probe = &probe;
  change.mask = KECS_BIT(KECS_NODE_STATUS) | KECS_BIT(KECS_NODE_LAST_HEARTBEAT);
  change.mask |= beat->running_tasks >= 0 ? KECS_BIT(KECS_NODE_RUNNING_TASKS) : 0;
  bool early = false;
  kecs_status status = kecs__probe_row(write->session, meta, &row, &write->arena, &probe);
  if (!status && write->engine->heartbeat_us > 0) {
    status = kecs__node_beat_early(write, beat, &probe, &early);
  }
  return status || early ? status : kecs__row_change(write, meta, &change);
}

KECS_STORE_API kecs_status kecs_node_heartbeat(kecs_store *store, const char *id, int64_t running_tasks) {
  kecs__node_beat beat = {id, running_tasks};
  kecs_status status = kecs__check_pointer(id, "id");
  return status ? status : kecs__with_write(store, kecs__node_beat_work, &beat);
}

/* ---- stale and offline nodes ---- */

typedef struct kecs__node_age {
  const char *status;
  int64_t before;
} kecs__node_age;

static kecs_status kecs__node_older(kecs__plan *plan, const void *user) {
  const kecs__node_age *age = user;
  kecs_value values[] = {kecs__value_text(age->status), kecs__value_time(age->before)};
  kecs__plan_where(plan, "status=? AND last_heartbeat<?", values, 2);
  return plan->status;
}

static uint64_t kecs__node_set_offline(kecs__write *write, void *row, const void *user) {
  kecs_node *node = row;
  (void)write;
  (void)user;
  node->status = KECS__NODE_OFFLINE;
  return KECS_BIT(KECS_NODE_STATUS);
}

KECS_STORE_API kecs_status kecs_node_mark_stale(kecs_store *store, int64_t before, int64_t *out_count) {
  kecs__node_age age = {KECS__NODE_ONLINE, before};
  return kecs__edit_where(store, KECS_KIND_NODE, kecs__node_older, kecs__node_set_offline, &age, out_count);
}

KECS_STORE_API kecs_status kecs_node_prune(kecs_store *store, int64_t before, int64_t *out_count) {
  kecs__node_age age = {KECS__NODE_OFFLINE, before};
  return kecs__prune(store, KECS_KIND_NODE, kecs__node_older, &age, out_count);
}

static kecs_status kecs__node_task_older(kecs__plan *plan, const void *user) {
  const int64_t *before = user;
  kecs_value values[] = {kecs__value_text("completed"), kecs__value_text("failed"), kecs__value_time(*before)};
  kecs__plan_where(plan, "status IN(?,?) AND finished_at<?", values, 3);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_node_task_prune(kecs_store *store, int64_t before, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_NODE_TASK, kecs__node_task_older, &before, out_count);
}

/* ---- room ---- */

enum {
  KECS__NODE_SLOTS = 10,             /* of a node that says nothing about itself */
  KECS__NODE_SLOT_CPU = 1000,        /* millicores */
  KECS__NODE_SLOT_MEMORY = 1 << 30,  /* bytes */
  KECS__NODES_MAX = 10000            /* nodes that kecs_node_available gives: nobody places tasks on more at a time */
};

/* How many slots one sort of resource is enough for; false when the document does not say. */
static bool kecs__node_slots_of(kecs__json capacity, const char *name, int64_t each, int64_t *out) {
  int64_t amount = 0;
  bool exact = false;
  if (!kecs__json_scaled(kecs__json_member(capacity, name), 0, &amount, &exact)) {
    return false;
  }
  *out = amount > 0 ? amount / each : 0;
  return true;
}

KECS_STORE_API int64_t kecs_node_slots(const kecs_node *node) {
  if (!node) {
    return 0;
  }
  if (node->capacity.has) {
    return node->capacity.value > 0 ? node->capacity.value : 0;
  }
  if (!node->resources || !node->resources[0]) {
    return KECS__NODE_SLOTS;
  }
  kecs__json capacity = kecs__json_member(kecs__json_check(node->resources, strlen(node->resources), NULL), "capacity");
  int64_t by_cpu = 0;
  int64_t by_memory = 0;
  bool has_cpu = kecs__node_slots_of(capacity, "cpu", KECS__NODE_SLOT_CPU, &by_cpu);
  bool has_memory = kecs__node_slots_of(capacity, "memory", KECS__NODE_SLOT_MEMORY, &by_memory);
  if (has_cpu && has_memory) {
    return by_cpu < by_memory ? by_cpu : by_memory;
  }
  return has_cpu ? by_cpu : has_memory ? by_memory : KECS__NODE_SLOTS;
}

/* Slots may stand in a document, so the last word on each row is spoken here. */
static kecs_status kecs__node_available_read(kecs__plan *plan, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs_value values[64];
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, 0, &cached, &more);
  while (!status && more && result->count < KECS__NODES_MAX) {
    kecs_node *node = kecs__result_add(result);
    kecs__statement_columns(plan->session, cached, values, meta->info->column_count);
    status = node ? kecs__row_read(meta, values, &result->arena, node) : KECS_E_NOMEM;
    if (!status) {
      result->count -= node->running_tasks < kecs_node_slots(node) ? 0 : 1;
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return status;
}

KECS_STORE_API kecs_status kecs_node_available(kecs_store *store, kecs_result **out_result) {
  static const kecs_query least_busy = {NULL, 0, KECS_ORDER_ASCENDING, KECS_NODE_RUNNING_TASKS, 0, NULL};
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, KECS_KIND_NODE);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    kecs_value online = kecs__value_text(KECS__NODE_ONLINE);
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &result->arena);
    kecs__plan_where(&plan, "status=? AND (capacity IS NULL OR running_tasks<capacity)", &online, 1);
    kecs__plan_query(&plan, &least_busy, false);
    status = kecs__node_available_read(&plan, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}
