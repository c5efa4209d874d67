/* store/family_counter.c -- counters of families that no row tells: listed for copies of a store, and raised by them.
 *
 * A copy made row by row has each family's counter at its highest stored revision. Where that row was deleted the
 * counter stands higher, and the copy would give a revision a second time. */
#include "base/prologue.h"

#include "store/ecs.h"
#include "store/special_kinds.h"
#include "store/task_definition.h"
#include "store/write.h"

#include <string.h>

/* The table of families as a kind of its own, so that plans and page tokens do for it. */
#define KECS__COUNTER_TEXT(column) \
  {.name = #column,                \
   .type = KECS_TYPE_TEXT,         \
   .flags = KECS_COLUMN_NOT_NULL,  \
   .offset = offsetof(kecs_family_counter, column)}

static const kecs_column_info kecs__counter_columns[] = {
    KECS__COUNTER_TEXT(account_id),
    KECS__COUNTER_TEXT(region),
    KECS__COUNTER_TEXT(family),
};
static const kecs_column_list kecs__counter_keys[] = {{.name = "family", .count = 3, .columns = {0, 1, 2}}};
static const kecs_kind_info kecs__counter_info = {
    .name = "task_definition_family",
    .table = "task_definition_families",
    .row_size = sizeof(kecs_family_counter),
    .column_count = 3,
    .columns = kecs__counter_columns,
    .key_count = 1,
    .keys = kecs__counter_keys,
    .order = {.name = "order", .count = 3, .columns = {0, 1, 2}},
};

#define KECS__COUNTER_ABOVE \
  "last_revision>coalesce((SELECT d.revision " KECS__FAMILY_ROWS " ORDER BY d.revision DESC LIMIT 1),0)"

/* ---- listing ---- */

static kecs_status kecs__counter_read(kecs__plan *plan, kecs__cached *cached, kecs_result *result, void *out_row) {
  const char *texts[3];
  kecs_value values[4];
  kecs_family_counter *row = out_row;
  kecs__statement_columns(plan->session, cached, values, 4);
  for (int i = 0; i < 3; i++) {
    texts[i] = values[i].text ? kecs__arena_text(&result->arena, values[i].text, values[i].len) : NULL;
    if (!texts[i]) {
      return kecs__fail_nomem();
    }
  }
  row->account_id = texts[0];
  row->region = texts[1];
  row->family = texts[2];
  row->last_revision = values[3].number;
  return KECS_OK;
}

static void kecs__counters_plan(kecs__plan *plan, const void *user) {
  kecs__plan_where(plan, KECS__COUNTER_ABOVE, NULL, 0);
  kecs__plan_query(plan, user, true);
}

KECS_STORE_API kecs_status kecs_task_definition_counters(kecs_store *store, int limit, const char *page_token,
                                                         kecs_result **out_result) {
  kecs_query page = {.limit = limit, .page_token = page_token};
  kecs__shaped list = {&kecs__counter_info, "account_id,region,family,last_revision", kecs__counters_plan,
                       kecs__counter_read, &page};
  return kecs__list_shaped(store, &list, out_result);
}

KECS_STORE_API const kecs_family_counter *kecs_family_counter_at(const kecs_result *result, size_t index) {
  bool counters = result && result->shape == &kecs__counter_info && index < result->count;
  return counters ? (const kecs_family_counter *)(const void *)result->rows + index : NULL;
}

/* ---- raising ---- */

KECS__FN kecs_status kecs__task_definition_merged(kecs__write *write, const kecs__meta *meta, const void *before,
                                                  const void *after) {
  const kecs_task_definition *row = after;
  kecs_value values[] = {kecs__value_text(row->account_id), kecs__value_text(row->region),
                         kecs__value_text(row->family), kecs__value_int(row->revision)};
  (void)meta;
  (void)before;
  return kecs__run(write->session, KECS__FAMILY_RAISE, values, 4, NULL);
}

static kecs_status kecs__counter_raise_work(kecs__write *write, void *user) {
  const kecs_family_counter *counter = user;
  bool account = counter->account_id && counter->account_id[0];
  bool region = counter->region && counter->region[0];
  kecs_value values[] = {kecs__value_text(account ? counter->account_id : write->engine->account_id),
                         kecs__value_text(region ? counter->region : write->engine->region),
                         kecs__value_text(counter->family), kecs__value_int(counter->last_revision)};
  kecs_status status = kecs__write_guard(write);
  return status ? status : kecs__run(write->session, KECS__FAMILY_RAISE, values, 4, NULL);
}

KECS_STORE_API kecs_status kecs_task_definition_counter_raise(kecs_store *store, const kecs_family_counter *counter) {
  kecs_status status = kecs__check_pointer(counter, "counter");
  if (status) {
    return status;
  }
  if (!counter->family || !counter->family[0]) {
    return kecs__fail(KECS_E_INVALID, "counter.family is required: the family whose revisions are counted");
  }
  if (counter->last_revision < 1 || counter->last_revision > INT32_MAX) {
    return kecs__fail(KECS_E_INVALID, "counter.last_revision is %lld; revisions count from 1 to %lld",
                      (long long)counter->last_revision, (long long)INT32_MAX);
  }
  kecs_family_counter copy = *counter;
  return kecs__with_write(store, kecs__counter_raise_work, &copy);
}
