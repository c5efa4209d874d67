/* store/document.c -- member names of columns, and values between JSON, text and columns. */
#include "base/prologue.h"

#include "store/document.h"

#include "base/json_edit.h"
#include "base/time.h"
#include "store/rows.h"
#include "store/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

/* "clusterArn|cluster", "State.Code": one name at a time. */
static const char *kecs__name_next(const char *at, kecs__name *out) {
  size_t len = strcspn(at, "|");
  const char *dot = memchr(at, '.', len);
  out->outer = at;
  out->outer_len = dot ? (size_t)(dot - at) : len;
  out->inner = dot ? dot + 1 : NULL;
  out->inner_len = dot ? len - out->outer_len - 1 : 0;
  return at[len] ? at + len + 1 : NULL;
}

KECS__FN int kecs__names(const kecs_kind_info *info, kecs__name out[KECS__NAMES_MAX]) {
  int count = 0;
  for (int i = 0; i < info->column_count; i++) {
    const char *at = info->columns[i].json[0] ? info->columns[i].json : NULL;
    for (bool alias = false; at && count < KECS__NAMES_MAX; alias = true) {
      out[count].column = i;
      out[count].alias = alias;
      at = kecs__name_next(at, &out[count]);
      count++;
    }
  }
  return count;
}

KECS__FN bool kecs__name_is(kecs__json name, const char *text, size_t len) {
  if (name.len == len + 2 && memcmp(name.text + 1, text, len) == 0) {
    return true;
  }
  /* Escapes only lengthen a name. */
  if (name.len <= len + 2 || !memchr(name.text, '\\', name.len)) {
    return false;
  }
  /* Names of ours are short: a longer one is none of them. */
  char plain[128];
  if (len >= sizeof plain) {
    return false;
  }
  memcpy(plain, text, len);
  plain[len] = '\0';
  return kecs__json_equals(name, plain);
}

KECS__FN bool kecs__name_ours(const kecs__name *name) {
  return name->inner && name->outer_len == 4 && memcmp(name->outer, "kecs", 4) == 0;
}

KECS__FN bool kecs__name_filled(const kecs_kind_info *info, const kecs__name *name) {
  const kecs_column_info *column = &info->columns[name->column];
  return !name->inner && !name->alias && column->group == KECS_GROUP_KEY && (column->flags & KECS_COLUMN_SERVER);
}

/* ---- values from JSON ---- */

static bool kecs__is_document(const kecs_column_info *column) {
  return column->type == KECS_TYPE_JSON;
}

static kecs_status kecs__value_text_from(kecs__json json, kecs__arena *arena, kecs_value *out, bool *exact) {
  size_t len = 0;
  char *text = NULL;
  switch (json.type) {
    case KECS__JSON_STRING:
      text = kecs__json_string(json, arena, &len);
      break;
    case KECS__JSON_NUMBER:
    case KECS__JSON_TRUE:
    case KECS__JSON_FALSE:
      *exact = false;
      text = kecs__arena_text(arena, json.text, json.len);
      len = json.len;
      break;
    default:
      *exact = false;
      return KECS_OK;
  }
  if (!text) {
    return kecs_last_error()->status;
  }
  *out = kecs__value_bytes(text, len);
  return KECS_OK;
}

static void kecs__value_number_from(const kecs_column_info *column, kecs__json json, kecs_value *out, bool *exact) {
  int64_t number = 0;
  char text[40];
  size_t len = 0;
  bool rank = column->type == KECS_TYPE_RANK;
  kecs__json read = json;
  if (json.type == KECS__JSON_STRING && kecs__json_string_into(json, text, sizeof text, &len)) {
    if (rank && strcmp(text, "default") == 0) {
      *out = kecs__value_int(KECS_RANK_DEFAULT);
      return;
    }
    read = kecs__json_check(text, len, NULL);
  }
  if (read.type != KECS__JSON_NUMBER || !kecs__json_int64(read, &number)) {
    *exact = false;
    return;
  }
  *exact = (json.type == KECS__JSON_STRING) == rank && !(rank && (number == 0 || number == KECS_RANK_DEFAULT));
  *out = kecs__value_int(number);
}

static void kecs__value_bool_from(kecs__json json, kecs_value *out, bool *exact) {
  bool truth = json.type == KECS__JSON_TRUE || kecs__json_equals(json, "true");
  bool known = truth || json.type == KECS__JSON_FALSE || kecs__json_equals(json, "false");
  *exact = known && json.type != KECS__JSON_STRING;
  if (known) {
    *out = kecs__value_int(truth ? 1 : 0);
    out->type = KECS_VALUE_BOOL;
  }
}

KECS__FN kecs_status kecs__value_from_json(const kecs_column_info *column, kecs__json json, kecs__arena *arena,
                                           kecs_value *out, bool *exact) {
  memset(out, 0, sizeof *out);
  *exact = true;
  if (json.type == KECS__JSON_NULL) {
    *exact = false;
    return KECS_OK;
  }
  switch (column->type) {
    case KECS_TYPE_TEXT:
      return kecs__value_text_from(json, arena, out, exact);
    case KECS_TYPE_JSON: {
      char *text = kecs__arena_text(arena, json.text, json.len);
      *out = kecs__value_bytes(text, json.len);
      return text ? KECS_OK : KECS_E_NOMEM;
    }
    case KECS_TYPE_TIME: {
      int64_t micros = 0;
      bool whole = false;
      bool time = kecs__time_read(json, &micros, &whole);
      *exact = time && whole && micros != 0;
      *out = kecs__value_time(time ? micros : 0);
      return KECS_OK;
    }
    case KECS_TYPE_BOOL:
      kecs__value_bool_from(json, out, exact);
      return KECS_OK;
    case KECS_TYPE_INT:
    case KECS_TYPE_OPTI:
    case KECS_TYPE_RANK:
      break;
  }
  kecs__value_number_from(column, json, out, exact);
  return KECS_OK;
}

KECS__FN kecs_value kecs__column_default(const kecs_column_info *column) {
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  if (!column->default_text) {
    return value;
  }
  if (column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON) {
    return kecs__value_text(column->default_text);
  }
  return kecs__value_int(strtoll(column->default_text, NULL, 10));
}

/* ---- values from plain text ---- */

static kecs_status kecs__text_refused(const kecs_kind_info *info, int column, const char *text, const char *wanted) {
  return kecs__fail(KECS_E_INVALID, "%s.%s: \"%.80s\" is not %s", info->name, info->columns[column].name, text, wanted);
}

KECS__FN kecs_status kecs__value_from_text(const kecs_kind_info *info, int column, const char *text, kecs__arena *arena,
                                           kecs_value *out) {
  bool exact = false;
  size_t len = strlen(text);
  kecs__json_fault fault;
  int64_t micros = 0;
  memset(out, 0, sizeof *out);
  if (!kecs__utf8_valid(text, len)) {
    return kecs__text_refused(info, column, "...", "UTF-8");
  }
  switch (info->columns[column].type) {
    case KECS_TYPE_TEXT:
      *out = kecs__value_bytes(text, len);
      return KECS_OK;
    case KECS_TYPE_JSON:
      if (len > 0 && kecs__json_check(text, len, &fault).type == KECS__JSON_NONE) {
        return kecs__fail(KECS_E_INVALID, "%s.%s: line %zu, column %zu: %s", info->name, info->columns[column].name,
                          fault.line, fault.column, fault.reason);
      }
      *out = kecs__value_bytes(text, len);
      return KECS_OK;
    case KECS_TYPE_TIME:
      if (!kecs__time_parse(text, len, &micros, &exact)) {
        return kecs__text_refused(info, column, text, "a time, such as 2024-05-01T10:00:00Z or epoch seconds");
      }
      *out = kecs__value_time(micros);
      return KECS_OK;
    case KECS_TYPE_BOOL:
    case KECS_TYPE_INT:
    case KECS_TYPE_OPTI:
    case KECS_TYPE_RANK:
      break;
  }
  if (info->columns[column].type == KECS_TYPE_BOOL) {
    bool truth = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!truth && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
      return kecs__text_refused(info, column, text, "true or false");
    }
    *out = kecs__value_int(truth ? 1 : 0);
    out->type = KECS_VALUE_BOOL;
    return KECS_OK;
  }
  kecs__text quoted;
  kecs__text_init(&quoted, arena->allocator, len * 6 + 2);
  kecs__json_quote(&quoted, text, len);
  kecs_status status = quoted.status;
  if (!status) {
    kecs__json json = {KECS__JSON_STRING, quoted.data, quoted.len};
    kecs__value_number_from(&info->columns[column], json, out, &exact);
    size_t sign = text[0] == '-' ? 1 : 0;
    bool digits = len > sign && strspn(text + sign, "0123456789") == len - sign;
    if (out->type == KECS_VALUE_NULL && digits && text[sign] != '0') {
      status = kecs__fail(KECS_E_INVALID, "%s.%s: %.80s is too large", info->name, info->columns[column].name, text);
    } else if (out->type == KECS_VALUE_NULL) {
      status = kecs__text_refused(info, column, text, "a whole number");
    }
  }
  kecs__text_free(&quoted);
  return status;
}

/* ---- values to JSON ---- */

KECS__FN void kecs__value_to_json(const kecs_column_info *column, const kecs_value *value, unsigned flags,
                                  kecs__text *out) {
  char text[40];
  if (value->type == KECS_VALUE_NULL) {
    kecs__text_adds(out, "null");
  } else if (value->type == KECS_VALUE_TEXT) {
    /* A document that a program stored without it being JSON is still told, as a string. */
    bool raw = kecs__is_document(column) && kecs__json_check(value->text, value->len, NULL).type != KECS__JSON_NONE;
    if (raw) {
      kecs__text_add(out, value->text, value->len);
    } else {
      kecs__json_quote(out, value->text, value->len);
    }
  } else if (column->type == KECS_TYPE_TIME) {
    if (flags & KECS_JSON_EPOCH) {
      kecs__time_epoch(value->number, text);
      kecs__text_adds(out, text);
    } else {
      kecs__time_iso(value->number, text);
      kecs__text_addf(out, "\"%s\"", text);
    }
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs__text_adds(out, value->number ? "true" : "false");
  } else if (column->type == KECS_TYPE_RANK && value->number == KECS_RANK_DEFAULT) {
    kecs__text_adds(out, "\"default\"");
  } else {
    const char *quote = column->type == KECS_TYPE_RANK ? "\"" : "";
    kecs__text_addf(out, "%s%lld%s", quote, (long long)value->number, quote);
  }
}

/* ---- what extra keeps ---- */

typedef struct kecs__prune_extra {
  const kecs_kind_info *info;
  const void *row;
  uint64_t mask;
  kecs__name names[KECS__NAMES_MAX];
  int count;
  const kecs__name *outer; /* the member of whose members is spoken; NULL: of the document's own */
  kecs__arena *arena;
  kecs_status *status;
} kecs__prune_extra;

static const kecs__name *kecs__prune_name(const kecs__prune_extra *prune, kecs__json name) {
  const kecs__name *outer = prune->outer;
  for (int i = 0; i < prune->count; i++) {
    const kecs__name *one = &prune->names[i];
    if (!(prune->mask & KECS_BIT(one->column)) || !one->inner != !outer) {
      continue;
    }
    if (!outer ? kecs__name_is(name, one->outer, one->outer_len)
               : one->outer_len == outer->outer_len && memcmp(one->outer, outer->outer, outer->outer_len) == 0 &&
                     kecs__name_is(name, one->inner, one->inner_len)) {
      return one;
    }
  }
  return NULL;
}

/* Whether a raw member says something else than its column. */
static bool kecs__prune_drops(kecs__json name, kecs__json raw, const void *user) {
  const kecs__prune_extra *prune = user;
  const kecs__name *known = kecs__prune_name(prune, name);
  kecs_value read;
  bool exact = false;
  if (!known) {
    return false;
  }
  const kecs_column_info *column = &prune->info->columns[known->column];
  kecs_value value = kecs__row_value(prune->info, prune->row, known->column);
  if (value.type == KECS_VALUE_NULL && (column->flags & KECS_COLUMN_NOT_NULL)) {
    value = kecs__column_default(column);
  }
  if (raw.type == KECS__JSON_NULL) {
    return value.type != KECS_VALUE_NULL;
  }
  kecs_status status = kecs__value_from_json(column, raw, prune->arena, &read, &exact);
  *prune->status = status == KECS_E_NOMEM ? status : *prune->status;
  return !status && !kecs__value_same(&read, &value);
}

/* One pass over `bracket`, which is extra or an object in it. */
static void kecs__prune_pass(const kecs__prune_extra *prune, kecs__json bracket, const char **io_text) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json raw;
  bool drops = false;
  while (!drops && kecs__json_next_member(bracket, &walk, &name, &raw)) {
    drops = kecs__prune_drops(name, raw, prune);
  }
  if (!drops || *prune->status) {
    return;
  }
  kecs__text out;
  kecs__text_init(&out, prune->arena->allocator, strlen(*io_text) + 1);
  kecs__json_drop(&out, *io_text, bracket, kecs__prune_drops, prune);
  *io_text = out.status ? NULL : kecs__arena_text(prune->arena, out.data, out.len);
  *prune->status = out.status ? out.status : (*io_text ? *prune->status : KECS_E_NOMEM);
  kecs__text_free(&out);
}

KECS__FN kecs_status kecs__extra_prune(const kecs_kind_info *info, const void *row, uint64_t mask, const char *extra,
                                       kecs__arena *arena, const char **out_text) {
  kecs__prune_extra prune;
  kecs_status status = KECS_OK;
  const char *text = extra;
  memset(&prune, 0, sizeof prune);
  prune.info = info;
  prune.row = row;
  prune.mask = mask;
  prune.count = kecs__names(info, prune.names);
  prune.arena = arena;
  prune.status = &status;
  kecs__json all = kecs__json_check(text, strlen(text), NULL);
  kecs__prune_pass(&prune, all, &text);
  for (int i = 0; !status && i < prune.count; i++) {
    prune.outer = &prune.names[i];
    if (prune.outer->inner && (mask & KECS_BIT(prune.outer->column)) && !kecs__name_ours(prune.outer)) {
      all = text == extra ? all : kecs__json_check(text, strlen(text), NULL);
      char member[64];
      size_t len = prune.outer->outer_len < sizeof member ? prune.outer->outer_len : 0;
      memcpy(member, prune.outer->outer, len);
      member[len] = '\0';
      kecs__prune_pass(&prune, kecs__json_member(all, member), &text);
    }
  }
  *out_text = status || strcmp(text, "{}") == 0 ? NULL : text;
  return status;
}
