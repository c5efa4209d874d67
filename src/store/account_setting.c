/* store/account_setting.c -- account settings: defaults, and what holds for a principal. */
#include "base/prologue.h"

#include "store/ecs.h"
#include "store/validate_row.h"
#include "store/write.h"

#include <string.h>

#define KECS__SETTING_DEFAULT "default" /* the principal that stands for all who have no setting of their own */

KECS_STORE_API kecs_status kecs_account_setting_get_default(kecs_store *store, const char *name,
                                                            kecs_result **out_result) {
  kecs_value address[] = {kecs__value_text(KECS__SETTING_DEFAULT), kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_ACCOUNT_SETTING, address, 2, out_result);
}

typedef struct kecs__setting_default {
  kecs_account_setting row;
  kecs_result **out_result;
} kecs__setting_default;

static kecs_status kecs__setting_set_work(kecs__write *write, void *user) {
  kecs__setting_default *set = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_ACCOUNT_SETTING);
  kecs__probe probe;
  kecs__change change = {0};
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, &set->row) : KECS_OK;
  if (!status) {
    status = kecs__probe_row(write->session, meta, &set->row, &write->arena, &probe);
  }
  if (!status) {
    status = kecs__probe_rid(write->session, meta, &probe, &change.rid);
  }
  if (!status && change.rid != 0) {
    change.row = &set->row;
    change.mask = KECS_BIT(KECS_ACCOUNT_SETTING_VALUE) | KECS_BIT(KECS_ACCOUNT_SETTING_IS_DEFAULT);
    status = kecs__row_change(write, meta, &change);
  } else if (!status) {
    kecs_account_setting row = set->row; /* as it was asked for: inserting fills it */
    status = kecs__row_insert(write, meta, &row, 0);
    if (status == KECS_E_EXISTS && kecs__writers_meet(write)) {
      status = kecs__fail_raced(meta); /* nothing but the key that was looked for can be taken */
    }
    change.rid = status ? 0 : write->rid;
  }
  return status ? status : kecs__give_back(write, meta, change.rid, set->out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_set_default(kecs_store *store, const char *name, const char *value,
                                                            kecs_result **out_result) {
  kecs__setting_default set;
  memset(&set, 0, sizeof set);
  set.row.principal_arn = KECS__SETTING_DEFAULT;
  set.row.name = name;
  set.row.value = value;
  set.row.is_default = true;
  set.out_result = out_result;
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status status = kecs__check_pointer(name, "name");
  if (!status) {
    status = kecs__check_pointer(value, "value");
  }
  return status ? status : kecs__with_write_result(store, kecs__setting_set_work, &set, out_result);
}

/* ---- what holds for a principal ---- */

typedef struct kecs__setting_filter {
  const char *principal_arn;
  const char *name; /* NULL: all */
} kecs__setting_filter;

static void kecs__setting_plan(kecs__plan *plan, const kecs__setting_filter *filter) {
  kecs_query query = {.direction = KECS_ORDER_ASCENDING, .order_by = KECS_ACCOUNT_SETTING_NAME};
  kecs_value principals[] = {kecs__value_text(KECS__SETTING_DEFAULT), kecs__value_text(filter->principal_arn)};
  kecs__plan_where(plan, "principal_arn IN(?,?)", principals, 2);
  if (filter->name && filter->name[0]) {
    kecs_value name = kecs__value_text(filter->name);
    kecs__plan_where(plan, "name=?", &name, 1);
  }
  kecs__plan_query(plan, &query, false);
}

/* Rows come by name, so a default and the principal's own setting stand side by side: of two, the own one stays. */
static kecs_status kecs__setting_rows(kecs__plan *plan, const char *principal_arn, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs_value values[64];
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_account_setting *last = NULL;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, 0, &cached, &more);
  while (!status && more) {
    kecs_account_setting row;
    kecs__statement_columns(plan->session, cached, values, meta->info->column_count);
    status = kecs__row_read(meta, values, &result->arena, &row);
    if (status) {
      break;
    }
    bool same = last && strcmp(last->name, row.name) == 0;
    bool own = strcmp(row.principal_arn, principal_arn) == 0;
    row.is_default = false;
    if (!same) {
      last = kecs__result_add(result);
      status = last ? KECS_OK : KECS_E_NOMEM;
    }
    if (!status && (!same || own)) {
      *last = row;
    }
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return status;
}

KECS_STORE_API kecs_status kecs_account_setting_effective(kecs_store *store, const char *principal_arn,
                                                          const char *name, kecs_result **out_result) {
  kecs__setting_filter filter = {principal_arn, name};
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, KECS_KIND_ACCOUNT_SETTING);
  if (!meta) {
    return kecs_last_error()->status;
  }
  status = kecs__check_pointer(principal_arn, "principal_arn");
  if (status) {
    return status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &arena);
    kecs__setting_plan(&plan, &filter);
    status = kecs__setting_rows(&plan, principal_arn, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return kecs__result_end(status, result, out_result);
}
