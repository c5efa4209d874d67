/* store/meta.c -- the columns that the store itself has to know, found once by name. */
#include "base/prologue.h"

#include "store/meta.h"

#include <string.h>

static int kecs__meta_first(const kecs_kind_info *info, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int column = kecs_column_find(info, names[i]);
    if (column >= 0) {
      return column;
    }
  }
  return -1;
}

static uint64_t kecs__meta_updatable(const kecs_kind_info *info) {
  uint64_t mask = 0;
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (column->group != KECS_GROUP_KEY && !(column->flags & KECS_COLUMN_AUTO)) {
      mask |= KECS_BIT(i);
    }
  }
  return mask;
}

static kecs_value_type kecs__meta_type(kecs_column_type type) {
  switch (type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      return KECS_VALUE_TEXT;
    case KECS_TYPE_BOOL:
      return KECS_VALUE_BOOL;
    case KECS_TYPE_TIME:
      return KECS_VALUE_TIME;
    case KECS_TYPE_INT:
    case KECS_TYPE_RANK:
      return KECS_VALUE_INT;
    case KECS_TYPE_OPTI:
      break;
  }
  return KECS_VALUE_NULL; /* NULL and 0 differ there */
}

static kecs_status kecs__meta_fill(kecs__engine *engine, kecs__meta *meta, const kecs_kind_info *info) {
  static const char *const names[] = {"name", "family"};
  static const char *const creations[] = {"created_at", "registered_at"};
  meta->info = info;
  meta->arn = kecs_column_find(info, "arn");
  meta->id = kecs_column_find(info, "id");
  meta->name = kecs__meta_first(info, names, sizeof names / sizeof names[0]);
  meta->region = kecs_column_find(info, "region");
  meta->account_id = kecs_column_find(info, "account_id");
  meta->created_at = kecs__meta_first(info, creations, sizeof creations / sizeof creations[0]);
  meta->updated_at = kecs_column_find(info, "updated_at");
  meta->version = kecs_column_find(info, "version");
  meta->extra = kecs_column_find(info, "extra");
  meta->omitted = kecs_column_find(info, "omitted");
  meta->tags = kecs_column_find(info, "tags");
  meta->updatable = kecs__meta_updatable(info);
  for (int i = 0; i < info->column_count; i++) {
    meta->ranks |= info->columns[i].type == KECS_TYPE_RANK ? KECS_BIT(i) : 0;
    meta->automatic |= info->columns[i].flags & KECS_COLUMN_AUTO ? KECS_BIT(i) : 0;
    meta->types[i] = kecs__meta_type(info->columns[i].type);
    meta->offsets[i] = info->columns[i].offset;
    if (meta->types[i] == KECS_VALUE_TEXT) {
      meta->texts[meta->text_count++] = (uint16_t)info->columns[i].offset;
    }
  }

  meta->types[info->column_count] = KECS_VALUE_INT; /* rid, where it is asked for as well */

  size_t size = 0; /* a comma or the terminator after each name */
  for (int i = 0; i < info->column_count; i++) {
    size += strlen(info->columns[i].name) + 1;
  }
  char *columns = kecs__alloc(&engine->allocator, size);
  if (!columns) {
    return KECS_E_NOMEM;
  }
  char *at = columns;
  for (int i = 0; i < info->column_count; i++) {
    size_t len = strlen(info->columns[i].name);
    if (i > 0) {
      *at++ = ',';
    }
    memcpy(at, info->columns[i].name, len);
    at += len;
  }
  *at = '\0';
  meta->columns = columns;
  meta->columns_len = (size_t)(at - columns);
  return KECS_OK;
}

KECS__FN kecs_status kecs__meta_init(kecs__engine *engine) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_status status = kecs__meta_fill(engine, &engine->kinds[kind], info);
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

KECS__FN void kecs__meta_free(kecs__engine *engine) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    kecs__meta *meta = &engine->kinds[kind];
    kecs__release(&engine->allocator, meta->columns, meta->columns_len + 1);
  }
}

KECS__FN const kecs__meta *kecs__meta_of(const kecs__engine *engine, kecs_kind kind) {
  return &engine->kinds[kind];
}
