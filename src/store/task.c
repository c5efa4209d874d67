/* store/task.c -- tasks: ids, finding them by what they belong to, and the clean-up of ended ones. */
#include "base/prologue.h"

#include "store/arn.h"
#include "store/cluster.h"
#include "store/ecs.h"
#include "store/service.h"
#include "store/special_kinds.h"
#include "store/task_definition.h"
#include "store/write.h"

#include <stdio.h>
#include <string.h>

KECS__FN kecs_status kecs__task_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_task *task = row;
  (void)fresh;
  kecs_status status = kecs__cluster_member_fill(write, meta, row, "task");
  if (!status) {
    status = kecs__family_of(task->task_definition_arn ? task->task_definition_arn : "", &write->arena, &task->family);
  }
  return status;
}

KECS__FN kecs_status kecs__task_derive(kecs_value *values, kecs__arena *arena, uint64_t *out_mask) {
  const kecs_value *definition = &values[KECS_TASK_TASK_DEFINITION_ARN];
  const char *family = NULL;
  kecs_status status = kecs__family_of(definition->type == KECS_VALUE_TEXT ? definition->text : "", arena, &family);
  values[KECS_TASK_FAMILY] = kecs__value_text(family);
  *out_mask = KECS_BIT(KECS_TASK_FAMILY);
  return status;
}

/* ---- finding ---- */

static bool kecs__task_given(const char *text) {
  return text && text[0];
}

/* Adds COLUMN=? where a text is given. `late`: not by an index of that column, see kecs__plan_cluster_late. */
static void kecs__task_equal(kecs__plan *plan, int column, const char *text, bool late) {
  char condition[64];
  if (kecs__task_given(text)) {
    kecs_value value = kecs__value_text(text);
    snprintf(condition, sizeof condition, "%s%s=?", plan->meta->info->columns[column].name, late ? "||''" : "");
    kecs__plan_where(plan, condition, &value, 1);
  }
}

/* "PREFIXNAME" in the arena. */
static kecs_value kecs__task_mark(kecs__plan *plan, const char *prefix, const char *name) {
  size_t len = strlen(prefix);
  char *text = kecs__arena_bytes(plan->arena, len + strlen(name) + 1);
  if (!text) {
    plan->status = KECS_E_NOMEM;
    return kecs__value_text(NULL);
  }
  memcpy(text, prefix, len);
  memcpy(text + len, name, strlen(name) + 1);
  return kecs__value_text(text);
}

/* Old ARNs are "service/NAME", without a cluster. */
static bool kecs__task_names_cluster(const char *service) {
  const char *resource = kecs__arn_resource(service);
  const char *slash = resource ? strchr(resource, '/') : NULL;
  return slash && strchr(slash + 1, '/');
}

/* Tasks of a service say so in one of three columns; each has its index. A name without a cluster is looked for in
 * every cluster; an ARN and a name with a cluster are about one cluster: another one's service of that name is not
 * meant. */
static void kecs__task_service(kecs__plan *plan, const char *service, const char *cluster) {
  bool arn = kecs__is_arn(service);
  bool brief = arn && !kecs__task_names_cluster(service);
  const char *name = arn ? kecs__arn_tail(service) : service;
  const char *cluster_arn = NULL;
  const char *service_arn = service;
  if (arn && !(brief && kecs__task_given(cluster))) {
    plan->status = kecs__cluster_of(plan->session, service, "service", plan->arena, &cluster_arn);
  } else if (kecs__task_given(cluster)) {
    plan->status = kecs__resolve_parent(plan->session, KECS_KIND_CLUSTER, cluster, plan->arena, &cluster_arn);
  }
  if (!plan->status && cluster_arn) {
    plan->status = kecs__service_arn(plan->session, cluster_arn, service, plan->arena, &service_arn);
  }
  kecs_value group = kecs__task_mark(plan, "service:", name);
  kecs_value starter = kecs__task_mark(plan, "ecs-svc/", name);
  if (plan->status) {
    return;
  }
  if (!cluster_arn) {
    kecs_value values[] = {kecs__value_text(name), group, starter};
    /* CROSS JOIN makes SQLite begin with the clusters: services have no index on the name alone. */
    kecs__plan_where(
        plan,
        "(service_arn IN(SELECT s.arn FROM {clusters c} CROSS JOIN {services s} WHERE {own c}{own s}s.cluster_arn=c.arn"
        " AND s.name=?) OR task_group=? OR started_by=?)",
        values, 3);
    return;
  }
  kecs_value place = kecs__value_text(cluster_arn);
  kecs_value values[] = {kecs__value_text(service_arn), group, place, starter, place};
  kecs__plan_where(plan,
                   "(service_arn=? OR (task_group=? AND cluster_arn||''=?) OR (started_by=? AND cluster_arn||''=?))",
                   values, 5);
}

/* An instance that is given by its id: the ARN of the stored one, else as AWS would make it in the cluster, and in the
 * short form of old ARNs. */
static void kecs__task_instance(kecs__plan *plan, const char *instance, const char *cluster) {
  if (kecs__is_arn(instance)) {
    kecs__task_equal(plan, KECS_TASK_CONTAINER_INSTANCE_ARN, instance, false);
    return;
  }
  const char *cluster_arn = NULL;
  const char *made = NULL;
  const char *place = kecs__task_given(cluster) ? cluster : "default";
  plan->status = kecs__resolve_parent(plan->session, KECS_KIND_CLUSTER, place, plan->arena, &cluster_arn);
  if (!plan->status) {
    plan->status = kecs__cluster_member(plan->arena, cluster_arn, "container-instance", instance, &made);
  }
  if (plan->status) {
    return;
  }
  const char *brief = kecs__arn_beside(plan->arena, cluster_arn, "container-instance/%s", instance);
  if (!brief) {
    plan->status = KECS_E_NOMEM;
    return;
  }
  kecs_value values[] = {kecs__value_text(instance), kecs__value_text(made), kecs__value_text(brief)};
  kecs__plan_where(plan,
                   "container_instance_arn IN((SELECT i.arn FROM {container_instances i} WHERE {own i}i.id=?),?,?)",
                   values, 3);
}

/* Whether a status is one of live tasks: those are few, where stopped ones may pile up. */
static bool kecs__task_live(const char *status) {
  return kecs__task_given(status) && strcmp(status, "STOPPED") != 0;
}

/* The order in which indexes are worth taking: what a task belongs to, its family or a live status, its cluster. */
static kecs_status kecs__task_narrow(kecs__plan *plan, const void *user) {
  const kecs_task_filter *filter = user;
  bool owned = kecs__task_given(filter->service) || kecs__task_given(filter->container_instance) ||
               kecs__task_given(filter->started_by);
  bool few = owned || kecs__task_given(filter->family) || kecs__task_live(filter->desired_status) ||
             kecs__task_live(filter->last_status);
  if (kecs__task_given(filter->service)) {
    kecs__task_service(plan, filter->service, filter->cluster);
  }
  if (!plan->status && kecs__task_given(filter->container_instance)) {
    kecs__task_instance(plan, filter->container_instance, filter->cluster);
  }
  if (few) {
    kecs__plan_cluster_late(plan, filter->cluster);
  } else {
    kecs__plan_cluster(plan, filter->cluster);
  }
  kecs__task_equal(plan, KECS_TASK_STARTED_BY, filter->started_by, false);
  kecs__task_equal(plan, KECS_TASK_FAMILY, filter->family, owned);
  kecs__task_equal(plan, KECS_TASK_DESIRED_STATUS, filter->desired_status, owned);
  kecs__task_equal(plan, KECS_TASK_LAST_STATUS, filter->last_status, owned);
  kecs__task_equal(plan, KECS_TASK_LAUNCH_TYPE, filter->launch_type, false);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_find(kecs_store *store, const kecs_task_filter *filter, const kecs_query *query,
                                          kecs_result **out_result) {
  return kecs__list_where(store, KECS_KIND_TASK, query, filter ? kecs__task_narrow : NULL, filter, out_result);
}

/* ---- clean-up ---- */

typedef struct kecs__task_ended {
  const char *cluster;
  int64_t before;
  const char *status; /* NULL: STOPPED and DEPROVISIONING */
} kecs__task_ended;

static void kecs__task_ended_status(kecs__plan *plan, const kecs__task_ended *ended, const char *one,
                                    const char *several) {
  kecs_value status = kecs__value_text(ended->status);
  if (status.len > 0) {
    kecs__plan_where(plan, one, &status, 1);
  } else {
    kecs__plan_where(plan, several, NULL, 0);
  }
}

/* Those with stopped_at, by its index: of all stopped tasks only the old ones are looked at. */
static kecs_status kecs__task_stopped_narrow(kecs__plan *plan, const void *user) {
  const kecs__task_ended *ended = user;
  kecs_value before = kecs__value_int(ended->before);
  kecs__plan_where(plan, "stopped_at<?", &before, 1);
  kecs__task_ended_status(plan, ended, "last_status||''=?", "last_status||'' IN('STOPPED','DEPROVISIONING')");
  kecs__plan_cluster_late(plan, ended->cluster);
  return plan->status;
}

/* The few that say otherwise when they ended. The index of last_status has stopped_at in it. */
static kecs_status kecs__task_unsaid_narrow(kecs__plan *plan, const void *user) {
  const kecs__task_ended *ended = user;
  kecs_value before = kecs__value_int(ended->before);
  kecs__task_ended_status(plan, ended, "last_status=?", "last_status IN('STOPPED','DEPROVISIONING')");
  kecs__plan_where(plan, "stopped_at IS NULL AND coalesce(execution_stopped_at,updated_at)<?", &before, 1);
  kecs__plan_cluster_late(plan, ended->cluster);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_delete_older(kecs_store *store, const char *cluster, int64_t before,
                                                  const char *status, int64_t *out_count) {
  kecs__task_ended ended = {cluster, before, status};
  int64_t stopped = 0;
  int64_t unsaid = 0;
  kecs_status done = kecs__prune(store, KECS_KIND_TASK, kecs__task_stopped_narrow, &ended, &stopped);
  if (!done) {
    done = kecs__prune(store, KECS_KIND_TASK, kecs__task_unsaid_narrow, &ended, &unsaid);
  }
  if (out_count) {
    *out_count = stopped + unsaid;
  }
  return done;
}
