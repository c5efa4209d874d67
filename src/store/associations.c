/* store/associations.c -- the table elbv2_associations (see elb_internal.h). It is no kind: its statements are here. */
#include "base/prologue.h"

#include "store/elb_internal.h"

#include <string.h>

KECS__FN kecs_status kecs__association_add(kecs__write *write, const char *target_group_arn,
                                           const char *load_balancer_arn, const char *listener_arn) {
  kecs_value values[] = {kecs__value_text(target_group_arn), kecs__value_text(load_balancer_arn),
                         kecs__value_text(listener_arn)};
  return kecs__run(write->session,
                   "INSERT INTO {elbv2_associations}({tenant}target_group_arn,load_balancer_arn,listener_arn) "
                   "VALUES({ours}?1,?2,?3) ON CONFLICT DO NOTHING",
                   values, 3, NULL);
}

KECS__FN kecs_status kecs__association_remove(kecs__write *write, kecs__association_owner owner, const char *arn) {
  /* The listeners' index holds only rows with a listener: the condition must say so for the index to be used. */
  static const char *const texts[] = {
      "DELETE FROM {elbv2_associations} WHERE {own}target_group_arn=?1 AND listener_arn=''",
      "DELETE FROM {elbv2_associations} WHERE {own}listener_arn=?1 AND listener_arn<>''",
      "DELETE FROM {elbv2_associations} WHERE {own}load_balancer_arn=?1",
  };
  kecs_value value = kecs__value_text(arn);
  return kecs__run(write->session, texts[owner], &value, 1, NULL);
}

KECS__FN kecs_status kecs__elb_merged(kecs__write *write, const kecs__meta *meta, const void *before,
                                      const void *after) {
  return meta->special->follow(write, meta, before, after, UINT64_MAX);
}

/* ---- lists ---- */

static kecs_status kecs__association_read(kecs__plan *plan, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs_value values[64];
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, 0, &cached, &more);
  while (!status && more) {
    void *row = kecs__result_add(result);
    kecs__statement_columns(plan->session, cached, values, meta->info->column_count);
    status = row ? kecs__row_read(meta, values, &result->arena, row) : KECS_E_NOMEM;
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return status;
}

KECS__FN kecs_status kecs__association_list(kecs_store *store, kecs_kind kind, const char *arn,
                                            kecs_result **out_result) {
  const char *condition =
      kind == KECS_KIND_TARGET_GROUP
          ? "arn IN(SELECT target_group_arn FROM {elbv2_associations} WHERE {own}load_balancer_arn=?)"
          : "arn IN(SELECT load_balancer_arn FROM {elbv2_associations} WHERE {own}target_group_arn=?)";
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  status = kecs__check_pointer(arn, "arn");
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    kecs_value value = kecs__value_text(arn);
    kecs_query by_arn = {NULL, 0, KECS_ORDER_ASCENDING, meta->arn, 0, NULL};
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &result->arena);
    kecs__plan_where(&plan, condition, &value, 1);
    kecs__plan_query(&plan, &by_arn, false);
    status = kecs__association_read(&plan, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

/* ---- what a load balancer leaves behind ---- */

typedef struct kecs__association_group {
  struct kecs__association_group *next;
  char *arn;
} kecs__association_group;

static kecs_status kecs__association_keep(kecs__association_group **groups, const kecs_value *value,
                                          kecs__arena *arena) {
  kecs__association_group *group = kecs__arena_take(arena, sizeof *group);
  if (!group) {
    return KECS_E_NOMEM;
  }
  group->next = *groups;
  group->arn = kecs__arena_text(arena, value->text, value->len);
  *groups = group;
  return group->arn ? KECS_OK : KECS_E_NOMEM;
}

/* The groups are read to the end before the first is changed. */
static kecs_status kecs__association_groups(kecs__write *write, const char *load_balancer_arn, kecs__arena *arena,
                                            kecs__association_group **out_groups) {
  static const char sql[] =
      "SELECT target_group_arn FROM {elbv2_associations} WHERE {own}listener_arn='' AND load_balancer_arn=?1";
  kecs__cached *cached = NULL;
  kecs_value value = kecs__value_text(load_balancer_arn);
  bool more = false;
  *out_groups = NULL;
  kecs_status status = kecs__statement_text(write->session, sql, sizeof sql - 1, &cached);
  if (!status) {
    status = kecs__statement_start(write->session, cached, &value, 1, &more);
  }
  while (!status && more) {
    kecs_value group;
    kecs__statement_columns(write->session, cached, &group, 1);
    status = kecs__association_keep(out_groups, &group, arena);
    if (!status) {
      status = kecs__statement_step(write->session, cached, &more);
    }
  }
  kecs__statement_done(write->session, cached);
  return status;
}

KECS__FN kecs_status kecs__association_each_group(kecs__write *write, const char *load_balancer_arn,
                                                  kecs_status (*visit)(kecs__write *write, const char *target_group_arn,
                                                                       const char *load_balancer_arn)) {
  kecs__association_group *group = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  kecs_status status = kecs__association_groups(write, load_balancer_arn, &arena, &group);
  for (; !status && group; group = group->next) {
    status = visit(write, group->arn, load_balancer_arn);
  }
  kecs__arena_free(&arena);
  return status;
}
