/* store/task_set.c -- task sets: the service that they belong to, which one is PRIMARY, and orphans.
 *
 * There is no foreign key: a set outlives its service until kecs_task_set_delete_orphaned. Creating one for a service
 * that is not there is refused here instead. */
#include "base/prologue.h"

#include "store/arn.h"
#include "store/cluster.h"

#include "base/id.h"
#include "store/ecs.h"
#include "store/service.h"
#include "store/special_kinds.h"
#include "store/write.h"

#include <stdio.h>
#include <string.h>

/* An id such as AWS makes: 19 digits. */
static kecs_status kecs__task_set_id(kecs__write *write, kecs_task_set *set) {
  static const uint64_t least = UINT64_C(1000000000000000000);
  uint64_t number = 0;
  char *id = kecs__arena_bytes(&write->arena, 32);
  kecs_status status = id ? kecs__random_fill(&write->engine->random, &number, sizeof number) : KECS_E_NOMEM;
  if (!status) {
    snprintf(id, 32, "ecs-svc/%llu", (unsigned long long)(least + number % (8 * least)));
  }
  set->id = id;
  return status;
}

/* What an ARN "task-set/CLUSTER/SERVICE/ID" says: the service's ARN and the id, which has a slash in it. */
static kecs_status kecs__task_set_parse(kecs__write *write, kecs_task_set *set) {
  const char *resource = kecs__arn_resource(set->arn);
  const char *cluster = resource ? strchr(resource, '/') : NULL;
  const char *service = cluster ? strchr(cluster + 1, '/') : NULL;
  const char *id = service ? strchr(service + 1, '/') : NULL;
  if (!id || strncmp(resource, "task-set/", 9) != 0) {
    return KECS_OK;
  }
  if ((!set->id || !set->id[0]) && id[1]) {
    set->id = id + 1;
  }
  if (!set->service_arn || !set->service_arn[0]) {
    set->service_arn = kecs__arn_beside(&write->arena, set->arn, "service%.*s", (int)(id - cluster), cluster);
    return set->service_arn ? KECS_OK : KECS_E_NOMEM;
  }
  return KECS_OK;
}

/* Cluster and service as ARNs, each taken from the other where it can be. */
static kecs_status kecs__task_set_parents(kecs__write *write, kecs_task_set *set) {
  const char *cluster = set->cluster_arn;
  const char *service = set->service_arn;
  kecs_status status = KECS_OK;
  if (!service || !service[0]) {
    return kecs__fail(KECS_E_INVALID, "task_set.service_arn is required where there is no ARN to take it from; set it");
  }
  if (cluster && cluster[0]) {
    status = kecs__resolve_parent(write->session, KECS_KIND_CLUSTER, cluster, &write->arena, &set->cluster_arn);
  } else {
    status = kecs__cluster_of(write->session, service, "service", &write->arena, &set->cluster_arn);
  }
  return status ? status
                : kecs__service_arn(write->session, set->cluster_arn, service, &write->arena, &set->service_arn);
}

/* A service that is missing is made when parents are to be made; it is a failure otherwise. */
static kecs_status kecs__task_set_service(kecs__write *write, const kecs_task_set *set) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_SERVICE);
  kecs__probe probe = {0};
  int64_t rid = 0;
  if (write->engine->no_foreign_keys) {
    return KECS_OK;
  }
  probe.count = 1;
  probe.values[0] = kecs__value_text(set->service_arn);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, &rid);
  if (status || rid != 0) {
    return status;
  }
  if (!write->make_parents) {
    return kecs__fail(KECS_E_REFERENCE, "task_set: its service \"%.200s\" is not in the store; create that first",
                      set->service_arn);
  }
  kecs_service *bare = kecs__arena_take(&write->arena, sizeof *bare);
  if (!bare) {
    return KECS_E_NOMEM;
  }
  memset(bare, 0, sizeof *bare);
  bare->arn = set->service_arn;
  bare->cluster_arn = set->cluster_arn;
  status = kecs__write_guard(write);
  return status ? status : kecs__row_insert(write, meta, bare, 0);
}

KECS__FN kecs_status kecs__task_set_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_task_set *set = row;
  (void)meta;
  kecs_status status = kecs__task_set_parse(write, set);
  if (!status) {
    status = kecs__task_set_parents(write, set);
  }
  if (!status && fresh) {
    status = kecs__task_set_service(write, set);
  }
  if (!status && (!set->id || !set->id[0])) {
    status = kecs__task_set_id(write, set);
  }
  if (!status && (!set->arn || !set->arn[0])) {
    char *name = kecs__arena_bytes(&write->arena, strlen(set->service_arn) + strlen(set->id) + 2);
    if (!name) {
      return KECS_E_NOMEM;
    }
    snprintf(name, strlen(set->service_arn) + strlen(set->id) + 2, "%s/%s", kecs__arn_tail(set->service_arn), set->id);
    status = kecs__cluster_member(&write->arena, set->cluster_arn, "task-set", name, &set->arn);
  }
  return status;
}

/* ---- the primary one ---- */

typedef struct kecs__task_set_promotion {
  const char *service_arn;
  const char *task_set;
  kecs_result **out_result;
} kecs__task_set_promotion;

static kecs_status kecs__task_set_status(kecs__write *write, const kecs__meta *meta, int64_t rid, const char *text) {
  kecs_task_set row = {0};
  kecs__change change = {0};
  row.status = text;
  change.row = &row;
  change.mask = KECS_BIT(KECS_TASK_SET_STATUS);
  change.rid = rid;
  return kecs__row_change(write, meta, &change);
}

enum { KECS__PRIMARIES_MAX = 16 }; /* looked up at once; there is more than one only where status was written by hand */

/* PRIMARY sets of a service but this one. */
static kecs_status kecs__task_set_primaries(kecs__write *write, const kecs__meta *meta, const char *service_arn,
                                            const char *id, int64_t *rids, int *out_count) {
  kecs_value values[] = {kecs__value_text(service_arn), kecs__value_text(id)};
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  *out_count = 0;
  kecs__plan_init(&plan, write->session, meta, &write->arena);
  plan.for_change = true;
  kecs__plan_where(&plan, "service_arn=? AND status='PRIMARY' AND id<>?", values, 2);
  kecs_status status = kecs__plan_start(&plan, "rid", false, KECS__PRIMARIES_MAX, &cached, &row);
  while (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    rids[(*out_count)++] = value.number;
    status = kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

/* Where writers meet, two promotions in one service would each see the other's set as it was. The service's row is what
 * they queue for; where it is not in the store, nothing keeps them apart. */
static kecs_status kecs__task_set_queue(kecs__write *write, const char *service_arn) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_SERVICE);
  kecs_service service;
  kecs__probe probe;
  if (!kecs__writers_meet(write)) {
    return KECS_OK;
  }
  kecs_error before = kecs__error_save();
  kecs_status status = kecs__probe_text(write->session, meta, service_arn, &write->arena, &probe);
  if (!status) {
    status = kecs__probe_read(write->session, meta, &probe, &write->arena, &service, NULL);
  }
  if (status == KECS_E_NOT_FOUND) {
    (void)kecs__error_restore(&before);
    return KECS_OK;
  }
  return status;
}

static kecs_status kecs__task_set_promote(kecs__write *write, void *user) {
  const kecs__task_set_promotion *promotion = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TASK_SET);
  kecs_value address[] = {kecs__value_text(promotion->service_arn), kecs__value_text(promotion->task_set)};
  kecs__probe probe;
  kecs_task_set row;
  int64_t rid = 0;
  int64_t others[KECS__PRIMARIES_MAX];
  int count = KECS__PRIMARIES_MAX;
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__task_set_queue(write, promotion->service_arn);
  }
  if (!status) {
    status = kecs__probe_address(write->session, meta, address, 2, &write->arena, &probe);
  }
  if (!status) {
    status = kecs__probe_read(write->session, meta, &probe, &write->arena, &row, &rid);
  }
  while (!status && count == KECS__PRIMARIES_MAX) {
    status = kecs__task_set_primaries(write, meta, row.service_arn, row.id, others, &count);
    for (int i = 0; !status && i < count; i++) {
      status = kecs__task_set_status(write, meta, others[i], "ACTIVE");
    }
  }
  if (!status) {
    status = kecs__task_set_status(write, meta, rid, "PRIMARY");
  }
  return status ? status : kecs__give_back(write, meta, rid, promotion->out_result);
}

KECS_STORE_API kecs_status kecs_task_set_update_primary(kecs_store *store, const char *service_arn,
                                                        const char *task_set, kecs_result **out_result) {
  kecs__task_set_promotion promotion = {service_arn, task_set, out_result};
  return kecs__with_write_result(store, kecs__task_set_promote, &promotion, out_result);
}

/* ---- orphans ---- */

static kecs_status kecs__task_set_orphans(kecs__plan *plan, const void *user) {
  kecs__plan_where(plan, "NOT EXISTS(SELECT 1 FROM {services s} WHERE {own s}s.arn=task_sets.service_arn)", NULL, 0);
  kecs__plan_cluster(plan, user);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_set_delete_orphaned(kecs_store *store, const char *cluster, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_TASK_SET, kecs__task_set_orphans, cluster, out_count);
}
