/* store/query.c -- filters and keyset paging as SQL conditions. Values always travel as parameters. */
#include "base/prologue.h"

#include "store/query.h"

#include "store/arn.h"
#include "store/locate.h"
#include "store/token.h"

#include <stdio.h>
#include <string.h>

#define KECS__WHERE_MAX ((size_t)256 * 1024)

KECS__FN void kecs__plan_init(kecs__plan *plan, kecs__session *session, const kecs__meta *meta, kecs__arena *arena) {
  memset(plan, 0, sizeof *plan);
  plan->meta = meta;
  plan->session = session;
  plan->arena = arena;
  plan->hash = KECS__HASH_START;
  kecs__text_init(&plan->where, arena->allocator, KECS__WHERE_MAX);
}

KECS__FN void kecs__plan_free(kecs__plan *plan) {
  kecs__text_free(&plan->where);
}

KECS__FN void kecs__plan_fail(kecs__plan *plan, kecs_status status) {
  plan->status = plan->status ? plan->status : status;
}

/* Writes a placeholder for the next parameter. */
static void kecs__plan_parameter(kecs__plan *plan, const kecs_value *value) {
  if (plan->parameter_count == plan->parameter_room) {
    int room = plan->parameter_room ? plan->parameter_room * 4 : 16;
    kecs_value *grown = kecs__arena_take(plan->arena, (size_t)room * sizeof *grown);
    if (!grown) {
      kecs__plan_fail(plan, KECS_E_NOMEM);
      return;
    }
    if (plan->parameter_count > 0) {
      memcpy(grown, plan->parameters, (size_t)plan->parameter_count * sizeof *grown);
    }
    plan->parameters = grown;
    plan->parameter_room = room;
  }
  plan->parameters[plan->parameter_count++] = *value;
  kecs__sql_placeholder(&plan->where, plan->parameter_count);
}

static void kecs__plan_and(kecs__plan *plan) {
  kecs__text_adds(&plan->where, plan->where.len > 0 ? " AND " : "");
}

static void kecs__plan_hash(kecs__plan *plan, const kecs_value *value) {
  plan->hash = kecs__hash(plan->hash, &value->type, sizeof value->type);
  plan->hash = kecs__hash(plan->hash, &value->number, sizeof value->number);
  plan->hash = kecs__hash(plan->hash, value->text ? value->text : "", value->type == KECS_VALUE_TEXT ? value->len : 0);
}

KECS__FN void kecs__plan_where(kecs__plan *plan, const char *condition, const kecs_value *values, int count) {
  kecs__plan_and(plan);
  plan->hash = kecs__hash(plan->hash, condition, strlen(condition));
  int used = 0;
  for (const char *at = condition; *at; at++) {
    if (*at == '?' && used < count) {
      kecs__plan_hash(plan, &values[used]);
      kecs__plan_parameter(plan, &values[used++]);
    } else {
      kecs__text_addc(&plan->where, *at);
    }
  }
}

/* ---- filters ---- */

static bool kecs__is_text(kecs_column_type type) {
  return type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON;
}

/* A service by its name in the cluster that is asked for, or the default cluster. A name that no service has is left as
 * it is: it equals no ARN. */
static kecs_status kecs__filter_service(kecs__plan *plan, const char *text, const char **out_arn) {
  const kecs__meta *services = kecs__meta_of(plan->session->engine, KECS_KIND_SERVICE);
  kecs_value address[] = {kecs__value_text(plan->cluster_arn), kecs__value_text(text)};
  kecs_service service;
  kecs__probe probe;
  memset(&service, 0, sizeof service);
  *out_arn = text;
  if (!text[0] || kecs__is_arn(text)) {
    return KECS_OK;
  }
  kecs_error before = kecs__error_save();
  kecs_status status = kecs__probe_address(plan->session, services, address, 2, plan->arena, &probe);
  if (!status) {
    status = kecs__probe_read(plan->session, services, &probe, plan->arena, &service, NULL);
  }
  *out_arn = status ? text : service.arn;
  if (status == KECS_E_NOT_FOUND) {
    (void)kecs__error_restore(&before);
    return KECS_OK;
  }
  return status;
}

/* A filter's value in the type of the column; a parent's name becomes its ARN. */
static void kecs__filter_value(kecs__plan *plan, int column, const char *text, int64_t number, kecs_value *out) {
  const kecs_kind_info *info = plan->meta->info;
  memset(out, 0, sizeof *out);
  if (!kecs__is_text(info->columns[column].type)) {
    *out = kecs__value_int(number);
    out->type = info->columns[column].type == KECS_TYPE_BOOL ? KECS_VALUE_BOOL : out->type;
    out->type = info->columns[column].type == KECS_TYPE_TIME ? KECS_VALUE_TIME : out->type;
    return;
  }
  if (!text) {
    kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID, "the filter on %s.%s has no text; use KECS_IS_NULL to find NULL",
                                     info->name, info->columns[column].name));
    return;
  }
  const char *value = text;
  for (int i = 0; i < info->reference_count && !plan->status; i++) {
    const kecs_reference *reference = &info->references[i];
    if (reference->column == column && reference->parent == KECS_KIND_SERVICE) {
      kecs__plan_fail(plan, kecs__filter_service(plan, text, &value));
    } else if (reference->column == column) {
      kecs__plan_fail(plan, kecs__resolve_parent(plan->session, reference->parent, text, plan->arena, &value));
      plan->cluster_arn = reference->parent == KECS_KIND_CLUSTER ? value : plan->cluster_arn;
    }
  }
  *out = kecs__value_text(value);
}

/* The least text that is greater than every text with this prefix: the last code point that can be counted up is, and
 * what follows is cut. NULL when there is none. */
static const char *kecs__prefix_end(const char *prefix, kecs__arena *arena, kecs_status *status) {
  size_t len = strlen(prefix);
  char *end = kecs__arena_bytes(arena, len + 4);
  if (!end) {
    *status = KECS_E_NOMEM;
    return NULL;
  }
  memcpy(end, prefix, len + 1);
  while (len > 0) {
    size_t start = len - 1;
    while (start > 0 && ((unsigned char)end[start] & 0xC0) == 0x80) {
      start--;
    }
    size_t width = len - start;
    uint32_t code = (unsigned char)end[start];
    code = width == 1 ? code : width == 2 ? (code & 0x1F) : width == 3 ? (code & 0x0F) : (code & 0x07);
    for (size_t i = 1; i < width; i++) {
      code = (code << 6) | ((unsigned char)end[start + i] & 0x3F);
    }
    code = code == 0xD7FF ? 0xE000 : code + 1; /* surrogates are no characters */
    if (code <= 0x10FFFF) {
      char *at = end + start;
      if (code < 0x80) {
        *at++ = (char)code;
      } else if (code < 0x800) {
        *at++ = (char)(0xC0 | (code >> 6));
        *at++ = (char)(0x80 | (code & 0x3F));
      } else if (code < 0x10000) {
        *at++ = (char)(0xE0 | (code >> 12));
        *at++ = (char)(0x80 | ((code >> 6) & 0x3F));
        *at++ = (char)(0x80 | (code & 0x3F));
      } else {
        *at++ = (char)(0xF0 | (code >> 18));
        *at++ = (char)(0x80 | ((code >> 12) & 0x3F));
        *at++ = (char)(0x80 | ((code >> 6) & 0x3F));
        *at++ = (char)(0x80 | (code & 0x3F));
      }
      *at = '\0';
      return end;
    }
    len = start;
  }
  return NULL;
}

static void kecs__filter_prefix(kecs__plan *plan, const char *name, const kecs_value *value) {
  kecs__text_addf(&plan->where, "(%s>=", name);
  kecs__plan_parameter(plan, value);
  const char *end = kecs__prefix_end(value->text, plan->arena, &plan->status);
  if (end) {
    kecs_value bound = kecs__value_text(end);
    kecs__text_addf(&plan->where, " AND %s<", name);
    kecs__plan_parameter(plan, &bound);
  }
  kecs__text_addc(&plan->where, ')');
}

static void kecs__filter_in(kecs__plan *plan, const char *name, const kecs_filter *filter) {
  if (filter->count == 0) {
    kecs__text_adds(&plan->where, "1=0");
    return;
  }
  kecs__text_addf(&plan->where, "%s IN(", name);
  for (size_t i = 0; i < filter->count && !plan->status; i++) {
    kecs_value value;
    kecs__filter_value(plan, filter->column, filter->texts ? filter->texts[i] : NULL,
                       filter->numbers ? filter->numbers[i] : 0, &value);
    kecs__plan_hash(plan, &value);
    kecs__text_adds(&plan->where, i > 0 ? "," : "");
    kecs__plan_parameter(plan, &value);
  }
  kecs__text_addc(&plan->where, ')');
}

static kecs_status kecs__filter_check(const kecs__plan *plan, const kecs_filter *filter) {
  const kecs_kind_info *info = plan->meta->info;
  if (filter->column < 0 || filter->column >= info->column_count) {
    return kecs__fail(KECS_E_INVALID, "a filter names column %d; %s has the columns 0 to %d", filter->column,
                      info->name, info->column_count - 1);
  }
  const kecs_column_info *column = &info->columns[filter->column];
  if ((int)filter->op < (int)KECS_EQ || (int)filter->op > (int)KECS_NOT_NULL) {
    return kecs__fail(KECS_E_INVALID, "the filter on %s.%s has an unknown operator %d", info->name, column->name,
                      (int)filter->op);
  }
  bool text_only = filter->op == KECS_PREFIX || filter->op == KECS_CONTAINS || filter->op == KECS_CONTAINS_NOCASE;
  if (text_only && !kecs__is_text(column->type)) {
    return kecs__fail(KECS_E_UNSUPPORTED, "the filter on %s.%s searches in text, but the column is a number",
                      info->name, column->name);
  }
  if (filter->op == KECS_IN && filter->count > KECS__IN_MAX) {
    return kecs__fail(KECS_E_INVALID, "the filter on %s.%s has %zu values; at most %d are taken", info->name,
                      column->name, filter->count, KECS__IN_MAX);
  }
  bool missing = filter->op == KECS_IN && filter->count > 0 &&
                 (kecs__is_text(column->type) ? filter->texts == NULL : filter->numbers == NULL);
  return missing ? kecs__fail(KECS_E_INVALID, "the filter on %s.%s has a count but no list", info->name, column->name)
                 : KECS_OK;
}

KECS__FN void kecs__plan_filter(kecs__plan *plan, const kecs_filter *filter) {
  static const char *const comparisons[] = {"=", "<>", "<", "<=", ">", ">="};
  kecs__plan_fail(plan, kecs__filter_check(plan, filter));
  if (plan->status) {
    return;
  }
  const char *name = plan->meta->info->columns[filter->column].name;
  kecs__plan_and(plan);
  plan->hash = kecs__hash(plan->hash, name, strlen(name) + 1);
  plan->hash = kecs__hash(plan->hash, &filter->op, sizeof filter->op);
  if (filter->op == KECS_IS_NULL || filter->op == KECS_NOT_NULL) {
    kecs__text_addf(&plan->where, "%s IS %sNULL", name, filter->op == KECS_NOT_NULL ? "NOT " : "");
    return;
  }
  if (filter->op == KECS_IN) {
    kecs__filter_in(plan, name, filter);
    return;
  }
  kecs_value value;
  kecs__filter_value(plan, filter->column, filter->text, filter->number, &value);
  if (plan->status) {
    return;
  }
  kecs__plan_hash(plan, &value);
  if (filter->op == KECS_PREFIX) {
    kecs__filter_prefix(plan, name, &value);
  } else if (filter->op == KECS_CONTAINS) {
    kecs__text_addf(&plan->where, "{find}(%s,", name);
    kecs__plan_parameter(plan, &value);
    kecs__text_adds(&plan->where, ")>0");
  } else if (filter->op == KECS_CONTAINS_NOCASE) {
    kecs__text_addf(&plan->where, "{find}(lower(%s),lower(", name);
    kecs__plan_parameter(plan, &value);
    kecs__text_adds(&plan->where, "{bytes}))>0");
  } else {
    kecs__text_addf(&plan->where, "%s%s", name, comparisons[filter->op]);
    kecs__plan_parameter(plan, &value);
  }
}

/* ---- order and pages ---- */

static void kecs__order_add(kecs__order *order, int column, bool descending) {
  for (int i = 0; i < order->count; i++) {
    if (order->columns[i] == column) {
      return;
    }
  }
  order->columns[order->count] = column;
  order->descending[order->count] = descending;
  order->count++;
}

static void kecs__plan_order(kecs__plan *plan, const kecs_query *query) {
  const kecs_kind_info *info = plan->meta->info;
  if ((int)query->direction < KECS_ORDER_DEFAULT || query->direction > KECS_ORDER_DESCENDING) {
    kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID, "direction is %d; it is one of KECS_ORDER_DEFAULT to _DESCENDING",
                                     (int)query->direction));
    return;
  }
  if (query->direction != KECS_ORDER_DEFAULT) {
    if (query->order_by < 0 || query->order_by >= info->column_count) {
      kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID, "order_by is %d; %s has columns 0 to %d", query->order_by,
                                       info->name, info->column_count - 1));
      return;
    }
    if (!(info->columns[query->order_by].flags & KECS_COLUMN_NOT_NULL)) {
      kecs__plan_fail(plan,
                      kecs__fail(KECS_E_UNSUPPORTED, "%s can't be ordered by %s; choose a column that is never NULL",
                                 info->name, info->columns[query->order_by].name));
      return;
    }
    kecs__order_add(&plan->order, query->order_by, query->direction == KECS_ORDER_DESCENDING);
  } else {
    for (int i = 0; i < info->order.count; i++) {
      int column = info->order.columns[i];
      kecs__order_add(&plan->order, column, info->columns[column].type == KECS_TYPE_TIME);
    }
  }
  for (int i = 0; i < info->keys[0].count; i++) {
    kecs__order_add(&plan->order, info->keys[0].columns[i], false);
  }
  plan->hash = kecs__hash(plan->hash, &plan->order.columns[0], sizeof plan->order.columns[0]);
  plan->hash = kecs__hash(plan->hash, &plan->order.descending[0], sizeof plan->order.descending[0]);
}

static void kecs__plan_limit(kecs__plan *plan, int limit) {
  int max = plan->meta->info->flags & KECS_KIND_APPEND ? KECS__PAGE_MAX_APPEND : KECS__PAGE_MAX;
  if (limit < 0 || limit > max) {
    kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID, "limit is %d; give 1 to %d, or 0 for %d", limit, max,
                                     KECS__PAGE_DEFAULT));
  }
  plan->limit = limit > 0 && limit <= max ? limit : KECS__PAGE_DEFAULT;
}

/* After (v1, v2, ...) in the order: c1 at or after v1, and c1 after v1, or else c2 after v2, and so on. The first half
 * is what makes it a range on the index. */
KECS__FN void kecs__plan_page(kecs__plan *plan, const char *page_token) {
  const kecs__order *order = &plan->order;
  kecs_value values[KECS__ORDER_MAX];
  if (!page_token || plan->status) {
    return;
  }
  kecs__plan_fail(plan,
                  kecs__token_read(page_token, plan->meta->info->kind, plan->hash, plan->arena, values, order->count));
  if (plan->status) {
    return;
  }
  kecs__plan_and(plan);
  for (int i = 0; i < order->count; i++) {
    const char *name = plan->meta->info->columns[order->columns[i]].name;
    const char *after = order->descending[i] ? "<" : ">";
    bool last = i == order->count - 1;
    if (!last) {
      kecs__text_addf(&plan->where, "%s%s=", name, after);
      kecs__plan_parameter(plan, &values[i]);
      kecs__text_adds(&plan->where, " AND (");
    }
    kecs__text_addf(&plan->where, "%s%s", name, after);
    kecs__plan_parameter(plan, &values[i]);
    kecs__text_adds(&plan->where, last ? "" : " OR (");
  }
  for (int i = 0; i < order->count - 1; i++) {
    kecs__text_adds(&plan->where, "))");
  }
}

KECS__FN void kecs__plan_query(kecs__plan *plan, const kecs_query *query, bool paged) {
  static const kecs_query everything = {NULL, 0, KECS_ORDER_DEFAULT, 0, 0, NULL};
  query = query ? query : &everything;
  if (query->where_count > KECS__FILTERS_MAX || (query->where_count > 0 && !query->where)) {
    kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID,
                                     "a query has %zu filters; at most %d are taken, and `where` must point "
                                     "to them",
                                     query->where_count, KECS__FILTERS_MAX));
  }
  for (size_t i = 0; i < query->where_count && !plan->status; i++) {
    kecs__plan_filter(plan, &query->where[i]);
  }
  if (!plan->status) {
    kecs__plan_order(plan, query);
  }
  if (paged && !plan->status) {
    kecs__plan_limit(plan, query->limit);
    kecs__plan_page(plan, query->page_token);
  }
}

KECS__FN kecs_status kecs__plan_start(kecs__plan *plan, const char *what, bool ordered, int limit,
                                      kecs__cached **out_cached, bool *out_row) {
  const kecs_kind_info *info = plan->meta->info;
  *out_cached = NULL;
  *out_row = false;
  kecs_status status = plan->status ? plan->status : plan->where.status;
  if (status) {
    return status;
  }
  kecs__text sql;
  kecs__text_init(&sql, plan->arena->allocator, KECS__WHERE_MAX * 2);
  kecs__text_adds(&sql, "SELECT ");
  kecs__text_adds(&sql, what);
  kecs__text_adds(&sql, " FROM {");
  kecs__text_adds(&sql, info->table);
  kecs__text_adds(&sql, plan->where.len > 0 ? "} WHERE {own}" : "}{whole}");
  if (plan->where.len > 0) {
    kecs__text_add(&sql, plan->where.data, plan->where.len);
  }
  for (int i = 0; ordered && i < plan->order.count; i++) {
    kecs__text_adds(&sql, i > 0 ? "," : " ORDER BY ");
    kecs__text_adds(&sql, info->columns[plan->order.columns[i]].name);
    kecs__text_adds(&sql, plan->order.descending[i] ? " DESC" : "");
  }
  if (limit > 0 && plan->session->engine->dialect->plain_limits) {
    kecs__text_addf(&sql, " LIMIT %d", limit);
  } else if (limit > 0) {
    kecs_value value = kecs__value_int(limit);
    kecs__text_clear(&plan->where);
    kecs__plan_parameter(plan, &value);
    kecs__text_addf(&sql, " LIMIT %s", plan->where.data ? plan->where.data : "");
  }
  kecs__text_adds(&sql, plan->for_change ? "{lock}" : "");
  status = plan->status ? plan->status : sql.status ? sql.status : plan->where.status;
  if (!status) {
    status = kecs__statement_text(plan->session, sql.data, sql.len, out_cached);
  }
  if (!status) {
    status = kecs__statement_start(plan->session, *out_cached, plan->parameters, plan->parameter_count, out_row);
  }
  kecs__text_free(&sql);
  return status;
}

KECS__FN kecs_status kecs__plan_token(const kecs__plan *plan, const void *row, kecs__arena *arena,
                                      const char **out_token) {
  kecs_value values[KECS__ORDER_MAX];
  for (int i = 0; i < plan->order.count; i++) {
    values[i] = kecs__row_value(plan->meta->info, row, plan->order.columns[i]);
    if (values[i].type == KECS_VALUE_NULL) {
      values[i].type = KECS_VALUE_TIME; /* a NOT NULL time of 0 is stored as the number 0 */
    }
  }
  return kecs__token_write(plan->meta->info->kind, plan->hash, values, plan->order.count, arena, out_token);
}
