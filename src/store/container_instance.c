/* store/container_instance.c -- container instances: registering, searching, deregistering, clean-up. */
#include "base/prologue.h"

#include "store/cluster.h"

#include "store/ecs.h"
#include "store/special_kinds.h"
#include "store/write.h"

#include <string.h>

KECS__FN kecs_status kecs__container_instance_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  (void)fresh;
  return kecs__cluster_member_fill(write, meta, row, "container-instance");
}

/* ---- searching ---- */

typedef struct kecs__instance_search {
  const char *cluster;
  const char *text;
} kecs__instance_search;

static kecs_status kecs__instance_narrow(kecs__plan *plan, const void *user) {
  const kecs__instance_search *search = user;
  kecs__plan_cluster(plan, search->cluster);
  if (search->text && search->text[0]) {
    kecs_value text = kecs__value_text(search->text);
    kecs_value values[] = {text, text, text};
    kecs__plan_where(plan, "(ec2_instance_id=? OR {find}(arn,?)>0 OR {find}(attributes,?)>0)", values, 3);
  }
  return plan->status;
}

KECS_STORE_API kecs_status kecs_container_instance_search(kecs_store *store, const char *cluster, const char *text,
                                                          const kecs_query *query, kecs_result **out_result) {
  kecs__instance_search search = {cluster, text};
  return kecs__list_where(store, KECS_KIND_CONTAINER_INSTANCE, query, kecs__instance_narrow, &search, out_result);
}

/* ---- deregistering ---- */

static kecs_status kecs__instance_deregister(kecs__write *write, void *row, void *user, uint64_t *out_mask) {
  kecs_container_instance *instance = row;
  (void)user;
  *out_mask = KECS_BIT(KECS_CONTAINER_INSTANCE_STATUS) | KECS_BIT(KECS_CONTAINER_INSTANCE_DEREGISTERED_AT);
  /* The time of the first call stays, but an instance that came back is deregistered anew. */
  if (instance->deregistered_at == 0 || strcmp(instance->status, "INACTIVE") != 0) {
    instance->deregistered_at = write->now;
  }
  instance->status = "INACTIVE";
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_container_instance_deregister(kecs_store *store, const char *cluster,
                                                              const char *instance, kecs_result **out_result) {
  kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(instance)};
  return kecs__edit_one(store, KECS_KIND_CONTAINER_INSTANCE, address, 2, kecs__instance_deregister, NULL, out_result);
}

/* ---- clean-up ---- */

typedef struct kecs__instance_stale {
  const char *cluster;
  int64_t before;
} kecs__instance_stale;

static kecs_status kecs__instance_stale_narrow(kecs__plan *plan, const void *user) {
  const kecs__instance_stale *stale = user;
  kecs_value before = kecs__value_int(stale->before);
  kecs__plan_where(plan, "status='INACTIVE' AND coalesce(deregistered_at,updated_at)<?", &before, 1);
  kecs__plan_cluster(plan, stale->cluster);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_container_instance_delete_stale(kecs_store *store, const char *cluster, int64_t before,
                                                                int64_t *out_count) {
  kecs__instance_stale stale = {cluster, before};
  return kecs__prune(store, KECS_KIND_CONTAINER_INSTANCE, kecs__instance_stale_narrow, &stale, out_count);
}
