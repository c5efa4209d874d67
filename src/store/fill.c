/* store/fill.c -- the general fill of a row on its way in: account and region, ids, times, defaults; and the ARNs that
 * the kinds' own fills are made of. */
#include "base/prologue.h"

#include "store/fill.h"

#include "base/id.h"
#include "base/time.h"
#include "store/gather.h"
#include "store/locate.h"
#include "store/statements.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ARNs ---- */

KECS__FN bool kecs__arn_parse(const char *arn, const char *service, kecs__arena *arena, char **out_region,
                              char **out_account, char **out_rest) {
  /* arn:PARTITION:SERVICE:REGION:ACCOUNT:REST */
  const char *at[6] = {arn, NULL, NULL, NULL, NULL, NULL};
  if (!kecs__is_arn(arn)) {
    return false;
  }
  for (int i = 1; i < 6; i++) {
    const char *colon = strchr(at[i - 1], ':');
    if (!colon) {
      return false;
    }
    at[i] = colon + 1;
  }
  if (service && (strncmp(at[2], service, strlen(service)) != 0 || at[2][strlen(service)] != ':')) {
    return false;
  }
  char *region = kecs__arena_text(arena, at[3], (size_t)(at[4] - at[3]) - 1);
  char *account = kecs__arena_text(arena, at[4], (size_t)(at[5] - at[4]) - 1);
  char *rest = kecs__arena_text(arena, at[5], strlen(at[5]));
  if (out_region) {
    *out_region = region;
  }
  if (out_account) {
    *out_account = account;
  }
  if (out_rest) {
    *out_rest = rest;
  }
  return region && account && rest;
}

KECS__FN char *kecs__arn_format(kecs__write *write, const char *service, const char *region, const char *account,
                                const char *format, ...) {
  char head[256];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  int head_len = snprintf(head, sizeof head, "arn:aws:%s:%s:%s:", service, region, account);
  if (len < 0 || head_len < 0 || (size_t)head_len >= sizeof head) {
    (void)kecs__fail(KECS_E_INVALID, "region \"%.40s\" and account \"%.40s\" are too long for an ARN", region, account);
    return NULL;
  }
  char *arn = kecs__arena_bytes(&write->arena, (size_t)head_len + (size_t)len + 1);
  if (arn) {
    memcpy(arn, head, (size_t)head_len);
    va_start(args, format);
    vsnprintf(arn + head_len, (size_t)len + 1, format, args);
    va_end(args);
  }
  return arn;
}

KECS__FN kecs_status kecs__resolve_parent(kecs__session *session, kecs_kind parent, const char *text,
                                          kecs__arena *arena, const char **out_arn) {
  *out_arn = text;
  if (!text || !text[0] || kecs__is_arn(text) || parent != KECS_KIND_CLUSTER) {
    return KECS_OK;
  }
  static const char sql[] = "SELECT arn FROM {clusters} WHERE {own}account_id=?1 AND region=?2 AND name=?3";
  const kecs__engine *engine = session->engine;
  kecs_value values[] = {kecs__value_text(engine->account_id), kecs__value_text(engine->region),
                         kecs__value_text(text)};
  kecs__cached *cached = NULL;
  bool row = false;
  char *arn = NULL;
  kecs_status status = kecs__statement_text(session, sql, sizeof sql - 1, &cached);
  kecs__gather_guess(session, true); /* most ARNs are what is made of the name below */
  if (!status) {
    status = kecs__statement_start(session, cached, values, 3, &row);
  }
  kecs__gather_guess(session, false);
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    arn = value.text ? kecs__arena_text(arena, value.text, value.len) : NULL;
    status = arn ? KECS_OK : kecs__fail_nomem();
  }
  kecs__statement_done(session, cached);
  if (!status && !arn) {
    kecs__text made;
    kecs__text_init(&made, arena->allocator, strlen(text) + 256);
    kecs__text_addf(&made, "arn:aws:ecs:%s:%s:cluster/%s", engine->region, engine->account_id, text);
    arn = made.status ? NULL : kecs__arena_text(arena, made.data, made.len);
    status = made.status ? made.status : (arn ? KECS_OK : KECS_E_NOMEM);
    kecs__text_free(&made);
  }
  *out_arn = arn;
  return status;
}

/* ---- the general fill ---- */

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
  const kecs__special *special = kecs__special_of(meta->info->kind);
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
