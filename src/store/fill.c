/* store/fill.c -- the general fill of a row on its way in: account and region, parents, ids, times, defaults. */
#include "base/prologue.h"

#include "store/fill.h"

#include "base/id.h"
#include "base/time.h"
#include "store/arn.h"
#include "store/locate.h"
#include "store/statements.h"

#include <stdlib.h>

static bool kecs__text_empty(const char *text) {
  return !text || !text[0];
}

/* Account and region: from the ARN when it has them, or a parent's ARN, else the store's. */
static kecs_status kecs__fill_place(kecs__write *write, const kecs__meta *meta, void *row) {
  const kecs_kind_info *info = meta->info;
  char *region = NULL;
  char *account = NULL;
  if (meta->region < 0) {
    return KECS_OK;
  }
  bool region_set = !kecs__text_empty(kecs__row_text(info, row, meta->region));
  bool account_set = !kecs__text_empty(kecs__row_text(info, row, meta->account_id));
  if (region_set && account_set) {
    return KECS_OK;
  }
  const char *arn = kecs__row_text(info, row, meta->arn);
  for (int i = 0; kecs__text_empty(arn) && i < info->reference_count; i++) {
    arn = kecs__row_text(info, row, info->references[i].column);
  }
  if (arn) {
    (void)kecs__arn_parse(arn, NULL, &write->arena, &region, &account, NULL);
  }
  if (!region_set) {
    kecs__row_set_text(info, row, meta->region, kecs__text_empty(region) ? write->engine->region : region);
  }
  if (!account_set) {
    kecs__row_set_text(info, row, meta->account_id, kecs__text_empty(account) ? write->engine->account_id : account);
  }
  return KECS_OK;
}

/* Parents given by name become ARNs. */
static kecs_status kecs__fill_parents(kecs__write *write, const kecs__meta *meta, void *row) {
  for (int i = 0; i < meta->info->reference_count; i++) {
    const kecs_reference *reference = &meta->info->references[i];
    const char *given = kecs__row_text(meta->info, row, reference->column);
    const char *arn = given;
    kecs_status status = kecs__resolve_parent(write->session, reference->parent, given, &write->arena, &arn);
    if (status) {
      return status;
    }
    if (arn != given) {
      kecs__row_set_text(meta->info, row, reference->column, arn);
    }
  }
  return KECS_OK;
}

/* An id where the kind's own fill has set none. */
static kecs_status kecs__fill_id(kecs__write *write, const kecs__meta *meta, void *row) {
  if (meta->id < 0 || !(meta->info->columns[meta->id].flags & KECS_COLUMN_SERVER) ||
      !kecs__text_empty(kecs__row_text(meta->info, row, meta->id))) {
    return KECS_OK;
  }
  char *id = kecs__arena_bytes(&write->arena, 37);
  kecs_status status = id ? kecs__uuid(&write->engine->random, id) : KECS_E_NOMEM;
  kecs__row_set_text(meta->info, row, meta->id, id);
  return status;
}

static kecs_status kecs__fill_required(const kecs__meta *meta, int column) {
  return kecs__fail(KECS_E_INVALID, "%s.%s is required and has no default; set it", meta->info->name,
                    meta->info->columns[column].name);
}

/* Times that the store sets, version 1, defaults of what was left NULL or 0. */
static kecs_status kecs__fill_column(const kecs__write *write, const kecs__meta *meta, void *row, int number,
                                     uint64_t given) {
  const kecs_kind_info *info = meta->info;
  const kecs_column_info *column = &info->columns[number];
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  if (!(column->flags & KECS_COLUMN_NOT_NULL)) {
    return KECS_OK;
  }
  if (text) {
    if (!kecs__row_text(info, row, number)) {
      if (!column->default_text) {
        return kecs__fill_required(meta, number);
      }
      kecs__row_set_text(info, row, number, column->default_text);
    }
    return KECS_OK;
  }
  bool ours = (column->flags & KECS_COLUMN_AUTO) && !(given & KECS_BIT(number));
  int64_t value = ours ? 0 : kecs__row_number(info, row, number);
  if (value == 0 && column->type == KECS_TYPE_TIME) {
    kecs__row_set_number(info, row, number, write->now);
  } else if (value == 0 && column->default_text && column->type != KECS_TYPE_BOOL && !(given & KECS_BIT(number))) {
    kecs__row_set_number(info, row, number, strtoll(column->default_text, NULL, 10));
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__fill(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given) {
  const kecs__special *special = meta->special;
  kecs_status status = kecs__fill_place(write, meta, row);
  if (!status) {
    status = kecs__fill_parents(write, meta, row);
  }
  if (!status && special->fill) {
    status = special->fill(write, meta, row, true);
  }
  if (!status) {
    status = kecs__fill_id(write, meta, row);
  }
  for (int i = 0; !status && i < meta->info->column_count; i++) {
    status = kecs__fill_column(write, meta, row, i, given);
  }
  /* A row that has neither can't be addressed again. A tag of a document may: it is reached through the document. */
  int last = meta->info->address.columns[meta->info->address.count - 1];
  bool told = (meta->info->flags & KECS_KIND_PLAIN) && (given & KECS_BIT(last)); /* as an export has it */
  if (!status && !write->quiet && !told && meta->info->columns[last].type == KECS_TYPE_TEXT &&
      kecs__text_empty(kecs__row_text(meta->info, row, last)) &&
      (meta->arn < 0 || !kecs__is_arn(kecs__row_text(meta->info, row, meta->arn)))) {
    status = meta->arn < 0 ? kecs__fail(KECS_E_INVALID, "%s.%s is empty, so the row could not be addressed; set it",
                                        meta->info->name, meta->info->columns[last].name)
                           : kecs__fail(KECS_E_INVALID, "%s: neither an ARN nor a name is set; give one of them",
                                        meta->info->name);
  }
  if (!status && meta->version >= 0 && (kecs__row_number(meta->info, row, meta->version) < 0 ||
                                        kecs__row_number(meta->info, row, meta->version) > INT64_MAX / 2)) {
    status = kecs__fail(KECS_E_INVALID, "%s.version is out of range", meta->info->name);
  }
  if (!status && write->arena.failed) {
    status = kecs__fail_nomem(); /* while an ARN was taken apart, where it looked like no ARN at all */
  }
  return status;
}
