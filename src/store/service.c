/* store/service.c -- services: names and ARNs, and the clean-up of ended ones. */
#include "base/prologue.h"

#include "store/service.h"

#include "store/arn.h"
#include "store/cluster.h"
#include "store/ecs.h"
#include "store/special_kinds.h"
#include "store/write.h"

KECS__FN kecs_status kecs__service_arn(kecs__session *session, const char *cluster_arn, const char *service,
                                       kecs__arena *arena, const char **out_arn) {
  const kecs__meta *meta = kecs__meta_of(session->engine, KECS_KIND_SERVICE);
  kecs_value address[] = {kecs__value_text(cluster_arn), kecs__value_text(service)};
  kecs__probe probe;
  kecs__cached *cached = NULL;
  bool found = false;
  *out_arn = service;
  if (kecs__is_arn(service)) {
    return KECS_OK;
  }
  kecs_status status = kecs__probe_address(session, meta, address, 2, arena, &probe);
  if (!status) {
    status = kecs__statement(session, meta, KECS__OP_LOOK_KEY, (uint64_t)probe.key, &cached);
  }
  if (!status) {
    status = kecs__statement_start(session, cached, probe.values, probe.count, &found);
  }
  if (!status && found) {
    kecs_value arn; /* the first column */
    kecs__statement_columns(session, cached, &arn, 1);
    *out_arn = arn.text ? kecs__arena_text(arena, arn.text, arn.len) : NULL;
    status = *out_arn ? KECS_OK : kecs__fail_nomem();
  }
  kecs__statement_done(session, cached);
  return status || found ? status : kecs__cluster_member(arena, cluster_arn, "service", service, out_arn);
}

KECS__FN kecs_status kecs__service_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_service *service = row;
  kecs_status status = KECS_OK;
  (void)meta;
  (void)fresh;
  if (!service->name || !service->name[0]) {
    service->name = service->arn && service->arn[0] ? kecs__arn_tail(service->arn) : NULL;
  }
  if (!service->name || !service->name[0]) {
    return kecs__fail(KECS_E_INVALID, "service.name is required where there is no ARN to take it from; set it");
  }
  if (!service->cluster_arn || !service->cluster_arn[0]) {
    status = kecs__cluster_of(write->session, service->arn, "service", &write->arena, &service->cluster_arn);
  }
  if (!status && (!service->arn || !service->arn[0])) {
    status = kecs__cluster_member(&write->arena, service->cluster_arn, "service", service->name, &service->arn);
  }
  return status;
}

/* ---- clean-up ---- */

typedef struct kecs__service_marked {
  const char *cluster;
  int64_t before;
} kecs__service_marked;

static kecs_status kecs__service_marked_narrow(kecs__plan *plan, const void *user) {
  const kecs__service_marked *marked = user;
  kecs_value before = kecs__value_int(marked->before);
  kecs__plan_where(plan, "status IN('INACTIVE','DELETE_IN_PROGRESS','DRAINING')", NULL, 0);
  kecs__plan_where(plan, "(status<>'DRAINING' OR (desired_count=0 AND running_count=0))", NULL, 0);
  kecs__plan_where(plan, "updated_at<?", &before, 1);
  kecs__plan_cluster(plan, marked->cluster);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_service_delete_marked(kecs_store *store, const char *cluster, int64_t before,
                                                      int64_t *out_count) {
  kecs__service_marked marked = {cluster, before};
  return kecs__prune(store, KECS_KIND_SERVICE, kecs__service_marked_narrow, &marked, out_count);
}
