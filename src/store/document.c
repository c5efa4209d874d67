/* store/document.c -- member names of columns, and values between JSON, text and columns. */
#include "base/prologue.h"

#include "store/document.h"

#include "base/time.h"
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
  *exact = (json.type == KECS__JSON_STRING) == rank;
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
    if (out->type == KECS_VALUE_NULL) {
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
