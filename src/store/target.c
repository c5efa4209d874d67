/* store/target.c -- targets: registering, deregistering, health. */
#include "base/prologue.h"

#include "store/elb.h"

#include "store/validate_row.h"
#include "store/write.h"

#include <stdio.h>
#include <string.h>

/* ---- register ---- */

typedef struct kecs__target_request {
  const char *target_group_arn;
  const kecs_target *targets;
  const char *const *ids;
  size_t count;
  int64_t deleted;
} kecs__target_request;

static kecs_status kecs__target_register_one(kecs__write *write, const char *target_group_arn,
                                             const kecs_target *target) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET);
  kecs_target row = *target;
  row.target_group_arn = target_group_arn;
  row.registered_at = write->now;
  row.version = 0; /* whoever registers takes the target over, whatever it was */
  row.health_state = row.health_state ? row.health_state : "registering";
  kecs_status status = kecs__check_pointer(row.id, "targets[i].id");
  if (!status && !row.id[0]) {
    status = kecs__fail(KECS_E_INVALID, "a target of \"%s\" has an empty id", target_group_arn);
  }
  if (!status && write->engine->strict) {
    status = kecs__validate_row(meta->info, &row);
  }
  return status ? status : kecs__row_upsert(write, meta, &row, 0, NULL);
}

static kecs_status kecs__target_register_all(kecs__write *write, void *user) {
  const kecs__target_request *request = user;
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < request->count; i++) {
    kecs__arena_reset(&write->arena);
    status = kecs__target_register_one(write, request->target_group_arn, &request->targets[i]);
    if (status && request->count > 1) {
      (void)kecs__fail_context("target %zu of %zu", i + 1, request->count);
    }
  }
  return status;
}

KECS_STORE_API kecs_status kecs_target_register(kecs_store *store, const char *target_group_arn,
                                                const kecs_target *targets, size_t count) {
  kecs__target_request request = {target_group_arn, targets, NULL, count, 0};
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status && count > 0) {
    status = kecs__check_pointer(targets, "targets");
  }
  return status ? status : kecs__with_write(store, kecs__target_register_all, &request);
}

/* ---- finding ---- */

typedef struct kecs__target_rids {
  int64_t *rids;
  size_t count;
  size_t room;
} kecs__target_rids;

/* An id on every port, or on the one port that is given. */
static kecs_status kecs__target_find(kecs__write *write, const char *target_group_arn, const char *id, int64_t port,
                                     kecs__arena *arena, kecs__target_rids *out) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_value values[] = {kecs__value_text(target_group_arn), kecs__value_text(id), kecs__value_int(port)};
  memset(out, 0, sizeof *out);
  kecs__plan_init(&plan, write->session, kecs__meta_of(write->engine, KECS_KIND_TARGET), arena);
  kecs__plan_where(&plan, "target_group_arn=? AND id=?", values, 2);
  if (port != 0) {
    kecs__plan_where(&plan, "port=?", &values[2], 1);
  }
  kecs_status status = kecs__plan_start(&plan, "rid", false, 0, &cached, &more);
  while (!status && more) {
    kecs_value rid;
    if (out->count == out->room) {
      size_t room = out->room ? out->room * 4 : 16;
      int64_t *grown = kecs__arena_take(arena, room * sizeof *grown);
      if (!grown) {
        status = KECS_E_NOMEM;
        break;
      }
      if (out->count > 0) {
        memcpy(grown, out->rids, out->count * sizeof *grown);
      }
      out->rids = grown;
      out->room = room;
    }
    kecs__statement_columns(write->session, cached, &rid, 1);
    out->rids[out->count++] = rid.number;
    status = kecs__statement_step(write->session, cached, &more);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

/* ---- deregister ---- */

static kecs_status kecs__target_deregister_one(kecs__write *write, const char *target_group_arn, const char *id,
                                               kecs__arena *arena, int64_t *deleted) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET);
  kecs__target_rids found;
  kecs_status status = kecs__target_find(write, target_group_arn, id, 0, arena, &found);
  for (size_t i = 0; !status && i < found.count; i++) {
    kecs_target row = {0};
    bool there = false;
    status = kecs__row_by_rid(write->session, meta, found.rids[i], arena, &row, &there);
    if (!status && there) {
      status = kecs__row_delete(write, meta, found.rids[i], &row);
      (*deleted)++;
    }
  }
  return status;
}

static kecs_status kecs__target_deregister_all(kecs__write *write, void *user) {
  kecs__target_request *request = user;
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  request->deleted = 0; /* an earlier try may have counted */
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < request->count; i++) {
    kecs__arena_reset(&arena);
    status = kecs__check_pointer(request->ids[i], "ids[i]");
    if (!status) {
      status = kecs__target_deregister_one(write, request->target_group_arn, request->ids[i], &arena,
                                           &request->deleted);
    }
  }
  kecs__arena_free(&arena);
  return status;
}

KECS_STORE_API kecs_status kecs_target_deregister(kecs_store *store, const char *target_group_arn,
                                                  const char *const *ids, size_t count, int64_t *out_count) {
  kecs__target_request request = {target_group_arn, NULL, ids, count, 0};
  if (out_count) {
    *out_count = 0;
  }
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status && count > 0) {
    status = kecs__check_pointer(ids, "ids");
  }
  if (!status) {
    status = kecs__with_write(store, kecs__target_deregister_all, &request);
  }
  if (!status && out_count) {
    *out_count = request.deleted;
  }
  return status;
}

/* ---- health ---- */

typedef struct kecs__target_health {
  const char *target_group_arn;
  const char *id;
  int64_t port;
  kecs_target row; /* state, reason and description are read */
} kecs__target_health;

static kecs_status kecs__target_health_work(kecs__write *write, void *user) {
  const kecs__target_health *health = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET);
  kecs__target_rids found;
  kecs_status status =
      kecs__target_find(write, health->target_group_arn, health->id, health->port, &write->arena, &found);
  if (!status && found.count == 0) {
    char shown[160];
    if (health->port != 0) {
      snprintf(shown, sizeof shown, "%s,%s,%lld", health->target_group_arn, health->id, (long long)health->port);
    } else {
      snprintf(shown, sizeof shown, "%s,%s", health->target_group_arn, health->id);
    }
    status = kecs__fail_not_found(meta, shown);
  }
  if (!status && found.count > 1) {
    status = kecs__write_guard(write);
  }
  for (size_t i = 0; !status && i < found.count; i++) {
    kecs__change change = {0};
    change.row = &health->row;
    change.mask = KECS_BIT(KECS_TARGET_HEALTH_STATE) | KECS_BIT(KECS_TARGET_HEALTH_REASON) |
                  KECS_BIT(KECS_TARGET_HEALTH_DESCRIPTION);
    change.rid = found.rids[i];
    status = kecs__row_change(write, meta, &change);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_target_update_health(kecs_store *store, const char *target_group_arn, const char *id,
                                                     int64_t port, const char *state, const char *reason,
                                                     const char *description) {
  kecs__target_health health = {target_group_arn, id, port, {0}};
  health.row.target_group_arn = target_group_arn;
  health.row.id = id;
  health.row.port = port;
  health.row.health_state = state;
  health.row.health_reason = reason;
  health.row.health_description = description;
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status) {
    status = kecs__check_pointer(id, "id");
  }
  if (!status) {
    status = kecs__check_pointer(state, "state");
  }
  return status ? status : kecs__with_write(store, kecs__target_health_work, &health);
}
