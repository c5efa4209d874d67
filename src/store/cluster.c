/* store/cluster.c -- clusters: the one of a name, deleting an idle one; and what their members have in common. */
#include "base/prologue.h"

#include "store/cluster.h"

#include "base/id.h"
#include "store/arn.h"
#include "store/ecs.h"
#include "store/fill.h"
#include "store/special_kinds.h"
#include "store/validate_row.h"
#include "store/write.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KECS__CLUSTER_ID_DIGITS 32

static bool kecs__cluster_empty(const char *text) {
  return !text || !text[0];
}

KECS__FN kecs_status kecs__cluster_of(kecs__session *session, const char *arn, const char *type, kecs__arena *arena,
                                      const char **out_cluster_arn) {
  const char *resource = kecs__arn_resource(arn);
  if (!resource) {
    return kecs__resolve_parent(session, KECS_KIND_CLUSTER, "default", arena, out_cluster_arn);
  }
  size_t type_len = strlen(type);
  const char *name = "default";
  int name_len = (int)strlen(name);
  if (strncmp(resource, type, type_len) == 0 && resource[type_len] == '/') {
    const char *part = resource + type_len + 1;
    const char *slash = strchr(part, '/');
    if (slash && slash != part && slash - part <= 1024) {
      name = part;
      name_len = (int)(slash - part);
    }
  }
  *out_cluster_arn = kecs__arn_beside(arena, arn, "cluster/%.*s", name_len, name);
  return *out_cluster_arn ? KECS_OK : KECS_E_NOMEM;
}

KECS__FN kecs_status kecs__cluster_member(kecs__arena *arena, const char *cluster_arn, const char *type,
                                          const char *name, const char **out_arn) {
  *out_arn = NULL;
  if (!kecs__arn_resource(cluster_arn)) {
    return kecs__fail(KECS_E_INVALID, "\"%.160s\" is not an ARN like arn:aws:ecs:REGION:ACCOUNT:cluster/NAME",
                      cluster_arn);
  }
  *out_arn = kecs__arn_beside(arena, cluster_arn, "%s/%s/%s", type, kecs__arn_tail(cluster_arn), name);
  return *out_arn ? KECS_OK : KECS_E_NOMEM;
}

/* ---- members ---- */

/* Whether another row has this id already: an id that was only derived from an ARN must not be in anyone's way. */
static kecs_status kecs__member_id_taken(kecs__write *write, const kecs__meta *meta, const char *id, bool *out_taken) {
  kecs__probe probe = {0};
  int64_t rid = 0;
  probe.key = 1;
  probe.count = 1;
  probe.values[0] = kecs__value_text(id);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, &rid);
  *out_taken = rid != 0;
  return status;
}

/* The last part of the ARN. Left empty when that is taken: the general fill makes a UUID then. */
static kecs_status kecs__member_id(kecs__write *write, const kecs__meta *meta, void *row, const char *arn) {
  bool taken = false;
  if (!kecs__cluster_empty(arn)) {
    const char *tail = kecs__arn_tail(arn);
    kecs_status status = kecs__member_id_taken(write, meta, tail, &taken);
    if (!status && !taken) {
      kecs__row_set_text(meta->info, row, meta->id, tail);
    }
    return status;
  }
  char *id = kecs__arena_bytes(&write->arena, KECS__CLUSTER_ID_DIGITS + 1);
  kecs_status status = id ? kecs__random_hex(&write->engine->random, id, KECS__CLUSTER_ID_DIGITS) : KECS_E_NOMEM;
  kecs__row_set_text(meta->info, row, meta->id, id);
  return status;
}

KECS__FN kecs_status kecs__cluster_member_fill(kecs__write *write, const kecs__meta *meta, void *row,
                                               const char *type) {
  const kecs_kind_info *info = meta->info;
  const char *arn = kecs__row_text(info, row, meta->arn);
  int column = kecs_column_find(info, "cluster_arn");
  const char *cluster_arn = kecs__row_text(info, row, column);
  kecs_status status = KECS_OK;
  if (kecs__cluster_empty(cluster_arn)) {
    status = kecs__cluster_of(write->session, arn, type, &write->arena, &cluster_arn);
    kecs__row_set_text(info, row, column, cluster_arn);
  }
  if (!status && kecs__cluster_empty(kecs__row_text(info, row, meta->id))) {
    status = kecs__member_id(write, meta, row, arn);
  }
  if (!status && kecs__cluster_empty(arn)) {
    status = kecs__cluster_member(&write->arena, cluster_arn, type, kecs__row_text(info, row, meta->id), &arn);
    kecs__row_set_text(info, row, meta->arn, arn);
  }
  return status;
}

/* ---- conditions ---- */

static void kecs__plan_cluster_where(kecs__plan *plan, const char *cluster, const char *condition) {
  const char *arn = NULL;
  if (plan->status || kecs__cluster_empty(cluster)) {
    return;
  }
  plan->status = kecs__resolve_parent(plan->session, KECS_KIND_CLUSTER, cluster, plan->arena, &arn);
  if (!plan->status) {
    kecs_value value = kecs__value_text(arn);
    kecs__plan_where(plan, condition, &value, 1);
  }
}

KECS__FN void kecs__plan_cluster(kecs__plan *plan, const char *cluster) {
  kecs__plan_cluster_where(plan, cluster, "cluster_arn=?");
}

KECS__FN void kecs__plan_cluster_late(kecs__plan *plan, const char *cluster) {
  kecs__plan_cluster_where(plan, cluster, "cluster_arn||''=?");
}

/* ---- clusters themselves ---- */

KECS__FN kecs_status kecs__cluster_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_cluster *cluster = row;
  (void)meta;
  (void)fresh;
  if (kecs__cluster_empty(cluster->name)) {
    cluster->name = kecs__cluster_empty(cluster->arn) ? NULL : kecs__arn_tail(cluster->arn);
  }
  if (kecs__cluster_empty(cluster->name)) {
    return kecs__fail(KECS_E_INVALID, "cluster.name is required where there is no ARN to take it from; set it");
  }
  if (kecs__cluster_empty(cluster->arn)) {
    cluster->arn = kecs__arn_format(write, "ecs", cluster->region, cluster->account_id, "cluster/%s", cluster->name);
    return cluster->arn ? KECS_OK : kecs_last_error()->status;
  }
  return KECS_OK;
}

typedef struct kecs__cluster_ensuring {
  const kecs_cluster *row;
  bool created;
  kecs_result **out_result;
} kecs__cluster_ensuring;

/* The rid of the cluster that a filled row is about: the one with its ARN, or with its name. 0: none. */
static kecs_status kecs__cluster_find(kecs__write *write, const kecs__meta *meta, const kecs_cluster *row,
                                      int64_t *out_rid) {
  kecs__probe probe = {0};
  probe.count = 1;
  probe.values[0] = kecs__value_text(row->arn);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, out_rid);
  if (status || *out_rid != 0) {
    return status;
  }
  kecs_cluster named = {0};
  named.name = row->name;
  named.account_id = row->account_id;
  named.region = row->region;
  status = kecs__probe_row(write->session, meta, &named, &write->arena, &probe);
  return status ? status : kecs__probe_rid(write->session, meta, &probe, out_rid);
}

static kecs_status kecs__cluster_ensure_work(kecs__write *write, void *user) {
  kecs__cluster_ensuring *ensuring = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_CLUSTER);
  kecs_cluster row = *ensuring->row;
  int64_t rid = 0;
  ensuring->created = false; /* an earlier try may have left it */
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, &row) : KECS_OK;
  if (!status) {
    status = kecs__fill(write, meta, &row, 0);
  }
  if (!status) {
    status = kecs__cluster_find(write, meta, &row, &rid);
  }
  if (!status && rid == 0) {
    ensuring->created = true;
    status = kecs__row_insert(write, meta, &row, 0);
    bool taken = status == KECS_E_EXISTS && kecs__writers_meet(write);
    if (!status || taken) {
      kecs_error error = kecs__error_save();
      status = kecs__cluster_find(write, meta, &row, &rid);
      status = !taken || status ? status : rid ? kecs__fail_raced(meta) : kecs__error_restore(&error);
    }
  }
  return status ? status : kecs__give_back(write, meta, rid, ensuring->out_result);
}

KECS_STORE_API kecs_status kecs_cluster_ensure(kecs_store *store, const kecs_cluster *row, bool *out_created,
                                               kecs_result **out_result) {
  kecs__cluster_ensuring ensuring = {row, false, out_result};
  if (out_result) {
    *out_result = NULL;
  }
  if (out_created) {
    *out_created = false;
  }
  kecs_status status = kecs__check_pointer(row, "row");
  if (!status) {
    status = kecs__with_write_result(store, kecs__cluster_ensure_work, &ensuring, out_result);
  }
  if (out_created && !status) {
    *out_created = ensuring.created;
  }
  return status;
}

/* ---- deleting an idle cluster ---- */

static kecs_status kecs__cluster_count(kecs__write *write, kecs_kind kind, const char *condition,
                                       const kecs_value *values, int count, int64_t *sum) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  kecs__plan_init(&plan, write->session, kecs__meta_of(write->engine, kind), &write->arena);
  kecs__plan_where(&plan, condition, values, count);
  kecs_status status = kecs__plan_start(&plan, "count(*)", false, 0, &cached, &row);
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    *sum += value.number;
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

/* REFERENCE while the cluster is in use. Tasks that are not STOPPED are those below and above it in the index of
 * last_status: few, where the stopped ones may be many. */
static kecs_status kecs__cluster_check_idle(kecs__write *write, const kecs_cluster *row) {
  kecs_value service[] = {kecs__value_text(row->arn), kecs__value_text("INACTIVE")};
  kecs_value task[] = {kecs__value_text("STOPPED"), kecs__value_text(row->arn)};
  int64_t services = 0;
  int64_t tasks = 0;
  kecs_status status =
      kecs__cluster_count(write, KECS_KIND_SERVICE, "cluster_arn=? AND status<>?", service, 2, &services);
  if (!status) {
    status = kecs__cluster_count(write, KECS_KIND_TASK, "last_status<? AND cluster_arn||''=?", task, 2, &tasks);
  }
  if (!status) {
    status = kecs__cluster_count(write, KECS_KIND_TASK, "last_status>? AND cluster_arn||''=?", task, 2, &tasks);
  }
  if (!status && (services > 0 || tasks > 0)) {
    status = kecs__fail(KECS_E_REFERENCE,
                        "cluster \"%.160s\" is in use: %lld services are not INACTIVE, %lld tasks are not STOPPED; "
                        "end those first, or delete them with it by kecs_cluster_delete",
                        row->name, (long long)services, (long long)tasks);
  }
  return status;
}

static kecs_status kecs__cluster_delete_work(kecs__write *write, void *user) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_CLUSTER);
  kecs_value address = kecs__value_text(user);
  kecs__probe probe;
  kecs_cluster row;
  int64_t rid = 0;
  kecs_status status = kecs__probe_address(write->session, meta, &address, 1, &write->arena, &probe);
  if (!status) {
    status = kecs__probe_read(write->session, meta, &probe, &write->arena, &row, &rid);
  }
  if (!status) {
    status = kecs__cluster_check_idle(write, &row);
  }
  return status ? status : kecs__row_delete(write, meta, rid, &row);
}

KECS_STORE_API kecs_status kecs_cluster_delete_idle(kecs_store *store, const char *cluster) {
  return kecs__with_write(store, kecs__cluster_delete_work, (void *)(uintptr_t)cluster); /* only read */
}
