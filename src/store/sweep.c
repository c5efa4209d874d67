/* store/sweep.c -- many rows deleted or edited in steps, so that no writer waits longer than a step takes. */
#include "base/prologue.h"

#include "store/write.h"

typedef struct kecs__sweep {
  const kecs__meta *meta;
  kecs_status (*narrow)(kecs__plan *plan, const void *user);
  uint64_t (*edit)(kecs__write *write, void *row, const void *user); /* NULL: delete */
  const void *user;
  int64_t *rids;
  int found;
  int64_t done;
} kecs__sweep;

static kecs_status kecs__sweep_find(kecs__write *write, kecs__sweep *sweep) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  sweep->found = 0;
  kecs__plan_init(&plan, write->session, sweep->meta, &write->arena);
  plan.for_change = true;
  kecs__plan_fail(&plan, sweep->narrow(&plan, sweep->user));
  kecs_status status = kecs__plan_start(&plan, "rid", false, KECS__STEP_ROWS, &cached, &row);
  while (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    sweep->rids[sweep->found++] = value.number;
    status = kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

static kecs_status kecs__sweep_one(kecs__write *write, const kecs__sweep *sweep, int64_t rid, kecs__arena *arena) {
  bool found = false;
  void *row = kecs__arena_take(arena, sweep->meta->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, sweep->meta, rid, arena, row, &found) : KECS_E_NOMEM;
  if (status || !found) {
    return status;
  }
  if (!sweep->edit) {
    return kecs__row_delete(write, sweep->meta, rid, row);
  }
  kecs__change change = {0};
  change.mask = sweep->edit(write, row, sweep->user);
  change.row = row;
  change.rid = rid;
  return kecs__row_change(write, sweep->meta, &change);
}

static kecs_status kecs__sweep_step(kecs__write *write, void *user) {
  kecs__sweep *sweep = user;
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__sweep_find(write, sweep);
  }
  for (int i = 0; !status && i < sweep->found; i++) {
    kecs__arena_reset(&arena);
    status = kecs__sweep_one(write, sweep, sweep->rids[i], &arena);
  }
  kecs__arena_free(&arena);
  return status;
}

static kecs_status kecs__sweep_all(kecs_store *store, kecs__sweep *sweep, int64_t *out_count) {
  kecs_allocator *allocator = &store->engine->allocator;
  sweep->rids = kecs__alloc(allocator, KECS__STEP_ROWS * sizeof *sweep->rids);
  kecs_status status = sweep->rids ? KECS_OK : KECS_E_NOMEM;
  do {
    sweep->found = 0;
    if (!status) {
      status = kecs__with_write(store, kecs__sweep_step, sweep);
    }
    sweep->done += status ? 0 : sweep->found;
  } while (!status && sweep->found == KECS__STEP_ROWS);
  kecs__release(allocator, sweep->rids, KECS__STEP_ROWS * sizeof *sweep->rids);
  if (out_count) {
    *out_count = sweep->done;
  }
  return status;
}

KECS__FN kecs_status kecs__prune(kecs_store *store, kecs_kind kind,
                                 kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                 int64_t *out_count) {
  return kecs__edit_where(store, kind, narrow, NULL, user, out_count);
}

KECS__FN kecs_status kecs__edit_where(kecs_store *store, kecs_kind kind,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user),
                                      uint64_t (*edit)(kecs__write *write, void *row, const void *user),
                                      const void *user, int64_t *out_count) {
  if (out_count) {
    *out_count = 0;
  }
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  kecs__sweep sweep = {kecs__meta_of(store->engine, kind), narrow, edit, user, NULL, 0, 0};
  return kecs__sweep_all(store, &sweep, out_count);
}
