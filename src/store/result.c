/* store/result.c -- rows in memory: results, and the way between structs and column values. */
#include "base/prologue.h"

#include "store/result.h"

#include "base/time.h"
#include "store/statements.h"

#include <stdio.h>
#include <string.h>

KECS__FN kecs_status kecs__result_new(const kecs_allocator *allocator, kecs_kind kind, size_t row_size,
                                      kecs_result **out_result) {
  *out_result = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, allocator);
  kecs_result *result = kecs__arena_take(&arena, sizeof *result);
  if (!result) {
    return KECS_E_NOMEM;
  }
  memset(result, 0, sizeof *result);
  result->allocator = *allocator;
  result->arena = arena;
  result->arena.allocator = &result->allocator;
  result->kind = kind;
  result->row_size = row_size;
  result->first_rows = 1;
  *out_result = result;
  return KECS_OK;
}

#if !defined(KECS_STORE_NO_CACHE)
KECS__FN kecs_status kecs__result_whole(const kecs_allocator *allocator, kecs_kind kind, size_t row_size, size_t count,
                                        size_t size, kecs_result **out_result) {
  kecs__arena arena;
  kecs__arena_init(&arena, allocator);
  kecs_result *result = kecs__arena_whole(&arena, sizeof *result, size);
  *out_result = result;
  if (!result) {
    return KECS_E_NOMEM;
  }
  result->allocator = *allocator;
  result->arena = arena;
  result->arena.allocator = &result->allocator;
  result->kind = kind;
  result->shape = NULL;
  result->row_size = row_size;
  result->rows = kecs__arena_rest(&arena, size);
  result->count = count;
  result->capacity = count;
  result->first_rows = 1;
  result->page_token = NULL;
  result->seq = 0;
  return KECS_OK;
}
#endif

KECS__FN void *kecs__result_add(kecs_result *result) {
  void *row = kecs__result_room(result);
  if (row) {
    memset(row, 0, result->row_size);
  }
  return row;
}

KECS__FN void *kecs__result_room(kecs_result *result) {
  if (result->count == result->capacity) {
    size_t capacity = result->capacity ? result->capacity * 4 : result->first_rows;
    char *rows = kecs__arena_take(&result->arena, capacity * result->row_size);
    if (!rows) {
      return NULL;
    }
    if (result->count > 0) {
      memcpy(rows, result->rows, result->count * result->row_size);
    }
    result->rows = rows;
    result->capacity = capacity;
  }
  return result->rows + result->count++ * result->row_size;
}

KECS_STORE_API void kecs_result_free(kecs_result *result) {
  if (result) {
    kecs_allocator allocator = result->allocator;
    kecs__arena arena = result->arena; /* the result itself lies in the arena */
    arena.allocator = &allocator;
    kecs__arena_free(&arena);
  }
}

KECS_STORE_API size_t kecs_result_count(const kecs_result *result) {
  return result ? result->count : 0;
}

KECS_STORE_API kecs_kind kecs_result_kind(const kecs_result *result) {
  return result ? result->kind : (kecs_kind)0;
}

KECS_STORE_API int64_t kecs_result_seq(const kecs_result *result) {
  return result ? result->seq : 0;
}

KECS_STORE_API const char *kecs_result_page_token(const kecs_result *result) {
  return result ? result->page_token : NULL;
}

/* ---- rows and values ---- */

static void *kecs__row_field(const kecs_kind_info *info, void *row, int column) {
  return (char *)row + info->columns[column].offset;
}

static kecs_status kecs__row_damaged(const kecs_kind_info *info, int column) {
  return kecs__fail(KECS_E_CORRUPT, "table %s: the column %s of a row holds a value of another type; restore a backup",
                    info->table, info->columns[column].name);
}

static kecs_status kecs__row_field_read(const kecs_kind_info *info, int column, const kecs_value *value,
                                        kecs__arena *arena, char *field) {
  bool null = value->type == KECS_VALUE_NULL;
  kecs_column_type type = info->columns[column].type;
  if (type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON) {
    char *text = NULL;
    if (value->type == KECS_VALUE_TEXT) {
      text = value->text ? kecs__arena_bytes(arena, value->len + 1) : NULL;
      if (!text) {
        return kecs__fail_nomem();
      }
      memcpy(text, value->text, value->len + 1);
    } else if (!null) {
      return kecs__row_damaged(info, column);
    }
    memcpy(field, &text, sizeof text);
    return KECS_OK;
  }
  if (value->type == KECS_VALUE_TEXT) {
    return kecs__row_damaged(info, column);
  }
  int64_t number = null ? 0 : value->number;
  if (type == KECS_TYPE_BOOL) {
    bool truth = number != 0;
    memcpy(field, &truth, sizeof truth);
  } else if (type == KECS_TYPE_OPTI) {
    kecs_opt_int opt = {number, !null};
    memcpy(field, &opt, sizeof opt);
  } else {
    memcpy(field, &number, sizeof number);
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__row_read(const kecs__meta *meta, const kecs_value *values, kecs__arena *arena, void *row) {
  const kecs_kind_info *info = meta->info;
  kecs_status status = KECS_OK;
  for (int i = 0; i < info->column_count && !status; i++) {
    status = kecs__row_field_read(info, i, &values[i], arena, (char *)row + info->columns[i].offset);
  }
  return status;
}

/* As kecs__row_read, for the path that every get and list takes: the backend was told the types, so nothing is asked
 * twice. */
KECS__FN kecs_status kecs__row_fetch(kecs__session *session, kecs__cached *cached, const kecs__meta *meta,
                                     kecs__arena *arena, void *row, int64_t *out_rid) {
  kecs_value values[65];
  int count = meta->info->column_count;
  session->engine->backend->columns(cached->statement, meta->types, values, out_rid ? count + 1 : count);
  if (out_rid) {
    *out_rid = values[count].number;
  }
  for (int i = 0; i < count; i++) {
    const kecs_value *value = &values[i];
    char *field = (char *)row + meta->offsets[i];
    if (meta->types[i] == KECS_VALUE_TEXT) {
      char *text = NULL;
      if (value->type == KECS_VALUE_TEXT) {
        text = value->text ? kecs__arena_bytes(arena, value->len + 1) : NULL;
        if (!text) {
          return kecs__fail_nomem();
        }
        memcpy(text, value->text, value->len + 1);
      }
      memcpy(field, &text, sizeof text);
    } else if (meta->types[i] == KECS_VALUE_BOOL) {
      bool truth = value->number != 0;
      memcpy(field, &truth, sizeof truth);
    } else if (meta->types[i] == KECS_VALUE_NULL) {
      kecs_opt_int opt = {value->type == KECS_VALUE_NULL ? 0 : value->number, value->type != KECS_VALUE_NULL};
      memcpy(field, &opt, sizeof opt);
    } else {
      memcpy(field, &value->number, sizeof value->number);
    }
  }
  return KECS_OK;
}

KECS__FN kecs_value kecs__row_value(const kecs_kind_info *info, const void *row, int column) {
  const char *field = (const char *)row + info->columns[column].offset;
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  switch (info->columns[column].type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON: {
      const char *text;
      memcpy(&text, field, sizeof text);
      return kecs__value_text(text);
    }
    case KECS_TYPE_OPTI: {
      kecs_opt_int number;
      memcpy(&number, field, sizeof number);
      return number.has ? kecs__value_int(number.value) : value;
    }
    case KECS_TYPE_BOOL: {
      bool truth;
      memcpy(&truth, field, sizeof truth);
      value.type = KECS_VALUE_BOOL;
      value.number = truth ? 1 : 0;
      return value;
    }
    case KECS_TYPE_TIME: {
      int64_t micros;
      memcpy(&micros, field, sizeof micros);
      return kecs__value_time(micros);
    }
    case KECS_TYPE_INT:
    case KECS_TYPE_RANK:
      break;
  }
  memcpy(&value.number, field, sizeof value.number);
  value.type = KECS_VALUE_INT;
  return value;
}

KECS__FN void kecs__row_set(const kecs_kind_info *info, void *row, int column, const kecs_value *value) {
  void *field = kecs__row_field(info, row, column);
  bool null = value->type == KECS_VALUE_NULL;
  switch (info->columns[column].type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON: {
      const char *text = null ? NULL : value->text;
      memcpy(field, &text, sizeof text);
      break;
    }
    case KECS_TYPE_OPTI: {
      kecs_opt_int number = {null ? 0 : value->number, !null};
      memcpy(field, &number, sizeof number);
      break;
    }
    case KECS_TYPE_BOOL: {
      bool truth = !null && value->number != 0;
      memcpy(field, &truth, sizeof truth);
      break;
    }
    case KECS_TYPE_INT:
    case KECS_TYPE_TIME:
    case KECS_TYPE_RANK: {
      int64_t number = null ? 0 : value->number;
      memcpy(field, &number, sizeof number);
      break;
    }
  }
}

KECS__FN const char *kecs__row_text(const kecs_kind_info *info, const void *row, int column) {
  return column < 0 ? NULL : kecs__row_value(info, row, column).text;
}

KECS__FN void kecs__row_set_text(const kecs_kind_info *info, void *row, int column, const char *text) {
  if (column >= 0) {
    memcpy(kecs__row_field(info, row, column), &text, sizeof text);
  }
}

KECS__FN int64_t kecs__row_number(const kecs_kind_info *info, const void *row, int column) {
  return column < 0 ? 0 : kecs__row_value(info, row, column).number;
}

KECS__FN void kecs__row_set_number(const kecs_kind_info *info, void *row, int column, int64_t number) {
  if (column >= 0) {
    kecs_value value = kecs__value_int(number);
    kecs__row_set(info, row, column, &value);
  }
}

KECS__FN bool kecs__value_same(const kecs_value *a, const kecs_value *b) {
  if (a->type == KECS_VALUE_NULL || b->type == KECS_VALUE_NULL) {
    return a->type == b->type;
  }
  if (a->type == KECS_VALUE_TEXT || b->type == KECS_VALUE_TEXT) {
    return a->type == b->type && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
  }
  return a->number == b->number;
}

KECS_STORE_API bool kecs_record_text(const kecs_kind_info *info, const void *row, int column, char *out, size_t size,
                                     size_t *out_len) {
  char number[40];
  const char *text = number;
  if (!info || !row || column < 0 || column >= info->column_count) {
    if (out && size > 0) {
      out[0] = '\0';
    }
    if (out_len) {
      *out_len = 0;
    }
    return false;
  }
  kecs_value value = kecs__row_value(info, row, column);
  if (value.type == KECS_VALUE_NULL) {
    text = "";
  } else if (value.type == KECS_VALUE_TEXT) {
    text = value.text;
  } else if (info->columns[column].type == KECS_TYPE_TIME) {
    kecs__time_iso(value.number, number);
  } else if (info->columns[column].type == KECS_TYPE_BOOL) {
    text = value.number ? "true" : "false";
  } else {
    snprintf(number, sizeof number, "%lld", (long long)value.number);
  }
  size_t len = strlen(text);
  size_t cut = size > 0 && len >= size ? size - 1 : len;
  while (cut < len && cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80) {
    cut--; /* never in the middle of a character */
  }
  if (out && size > 0) {
    memcpy(out, text, cut);
    out[cut] = '\0';
  }
  if (out_len) {
    *out_len = len;
  }
  return value.type != KECS_VALUE_NULL;
}

KECS__FN void kecs__row_name(const kecs_kind_info *info, const void *row, char out[160]) {
  size_t used = 0;
  out[0] = '\0';
  const kecs_column_list *key = &info->keys[0];
  const char *arn = kecs__row_text(info, row, key->columns[0]);
  if (!arn || !arn[0]) {
    key = key->count == 1 ? &info->address : key; /* a row on its way in may not have its ARN yet */
  }
  for (int i = 0; i < key->count && used < 159; i++) {
    char part[160];
    bool set = kecs_record_text(info, row, key->columns[i], part, sizeof part, NULL);
    int len = snprintf(out + used, 160 - used, "%s%s", i > 0 ? "," : "", set ? part : "");
    used += len > 0 ? (size_t)len : 0;
  }
}

KECS__FN kecs_status kecs__row_keep(const kecs__meta *meta, const void *row, kecs_result *result) {
  kecs_value values[64];
  for (int i = 0; i < meta->info->column_count; i++) {
    values[i] = kecs__row_value(meta->info, row, i);
  }
  void *kept = kecs__result_add(result);
  return kept ? kecs__row_read(meta, values, &result->arena, kept) : KECS_E_NOMEM;
}
