/* store/task_log.c -- task logs: finding lines, counting them, retention. */
#include "base/prologue.h"

#include "store/ecs.h"
#include "store/write.h"

static void kecs__log_text(kecs__plan *plan, int column, kecs_op op, const char *text) {
  if (text && text[0]) {
    kecs_filter filter = {.column = column, .op = op, .text = text};
    kecs__plan_filter(plan, &filter);
  }
}

static void kecs__log_time(kecs__plan *plan, kecs_op op, int64_t time) {
  if (time != 0) {
    kecs_filter filter = {.column = KECS_TASK_LOG_TIMESTAMP, .op = op, .number = time};
    kecs__plan_filter(plan, &filter);
  }
}

static kecs_status kecs__log_narrow(kecs__plan *plan, const void *user) {
  const kecs_log_filter *filter = user;
  kecs__log_text(plan, KECS_TASK_LOG_TASK_ARN, KECS_EQ, filter->task_arn);
  kecs__log_time(plan, KECS_GE, filter->from);
  kecs__log_time(plan, KECS_LE, filter->to);
  kecs__log_text(plan, KECS_TASK_LOG_CONTAINER_NAME, KECS_EQ, filter->container_name);
  kecs__log_text(plan, KECS_TASK_LOG_LOG_LEVEL, KECS_EQ, filter->level);
  kecs__log_text(plan, KECS_TASK_LOG_LOG_LINE, KECS_CONTAINS_NOCASE, filter->search);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_log_find(kecs_store *store, const kecs_log_filter *filter, bool oldest_first,
                                              int limit, const char *page_token, kecs_result **out_result) {
  kecs_query query = {.order_by = KECS_TASK_LOG_TIMESTAMP, .limit = limit, .page_token = page_token};
  query.direction = oldest_first ? KECS_ORDER_ASCENDING : KECS_ORDER_DESCENDING;
  return kecs__list_where(store, KECS_KIND_TASK_LOG, &query, filter ? kecs__log_narrow : NULL, filter, out_result);
}

KECS_STORE_API kecs_status kecs_task_log_count_matching(kecs_store *store, const kecs_log_filter *filter,
                                                        int64_t *out_count) {
  return kecs__count_where(store, KECS_KIND_TASK_LOG, NULL, filter ? kecs__log_narrow : NULL, filter, out_count);
}

/* ---- retention ---- */

static kecs_status kecs__log_old(kecs__plan *plan, const void *user) {
  kecs_value before = kecs__value_int(*(const int64_t *)user);
  kecs__plan_where(plan, "created_at<?", &before, 1);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_log_delete_older(kecs_store *store, int64_t before, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_TASK_LOG, kecs__log_old, &before, out_count);
}

static kecs_status kecs__log_of_task(kecs__plan *plan, const void *user) {
  kecs__log_text(plan, KECS_TASK_LOG_TASK_ARN, KECS_EQ, user);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_log_delete_task(kecs_store *store, const char *task_arn, int64_t *out_count) {
  if (out_count) {
    *out_count = 0;
  }
  /* Without a task every line would be selected. */
  kecs_status status = kecs__check_pointer(task_arn, "task_arn");
  if (!status && !task_arn[0]) {
    status = kecs__fail(KECS_E_INVALID, "task_arn is empty; name the task whose log lines are to go");
  }
  return status ? status : kecs__prune(store, KECS_KIND_TASK_LOG, kecs__log_of_task, task_arn, out_count);
}
