/* store/record.c -- columns as text, for command lines: assigning several, filters. */
#include "base/prologue.h"

#include "store/document.h"
#include "store/write.h"

#include <string.h>

static kecs_status kecs__column_unknown(const kecs_kind_info *info, const char *column) {
  return kecs__fail(KECS_E_INVALID, "%s has no column \"%.60s\"", info->name, column ? column : "(null)");
}

typedef struct kecs__assign {
  const kecs__meta *meta;
  const char *key;
  const kecs_assignment *assignments;
  size_t count;
  int64_t version;
  kecs_result **out_result;
} kecs__assign;

static kecs_status kecs__assign_columns(kecs__write *write, const kecs__assign *assign, void *row, uint64_t *out_mask) {
  const kecs_kind_info *info = assign->meta->info;
  *out_mask = 0;
  for (size_t i = 0; i < assign->count; i++) {
    const kecs_assignment *one = &assign->assignments[i];
    int column = kecs_column_find(info, one->column);
    kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
    if (column < 0) {
      return kecs__column_unknown(info, one->column);
    }
    if (!(assign->meta->updatable & KECS_BIT(column))) {
      return kecs__fail(KECS_E_INVALID, "%s.%s can't be changed", info->name, info->columns[column].name);
    }
    if (!one->text && (info->columns[column].flags & KECS_COLUMN_NOT_NULL)) {
      return kecs__fail(KECS_E_INVALID, "%s.%s can't be NULL", info->name, info->columns[column].name);
    }
    kecs_status status = one->text ? kecs__value_from_text(info, column, one->text, &write->arena, &value) : KECS_OK;
    if (status) {
      return status;
    }
    kecs__row_set(info, row, column, &value);
    *out_mask |= KECS_BIT(column);
  }
  return KECS_OK;
}

static kecs_status kecs__assign_work(kecs__write *write, void *user) {
  kecs__assign *assign = user;
  kecs__probe probe;
  kecs__change change = {0};
  void *row = kecs__arena_take(&write->arena, assign->meta->info->row_size);
  kecs_status status = row ? KECS_OK : KECS_E_NOMEM;
  if (!status) {
    status = kecs__probe_text(write->session, assign->meta, assign->key, &write->arena, &probe);
  }
  if (!status) {
    status = kecs__probe_read(write->session, assign->meta, &probe, &write->arena, row, &change.rid);
  }
  if (!status) {
    status = kecs__assign_columns(write, assign, row, &change.mask);
  }
  if (!status) {
    change.row = row;
    change.version = assign->version;
    status = kecs__row_change(write, assign->meta, &change);
  }
  return status ? status : kecs__give_back(write, assign->meta, change.rid, assign->out_result);
}

KECS_STORE_API kecs_status kecs_record_assign(kecs_store *store, kecs_kind kind, const char *key,
                                              const kecs_assignment *assignments, size_t count, int64_t version,
                                              kecs_result **out_result) {
  if (out_result) {
    *out_result = NULL;
  }
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  if (meta->info->flags & KECS_KIND_APPEND) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s rows are never changed, only added and removed", meta->info->name);
  }
  kecs_status status = count > 0 ? kecs__check_pointer(assignments, "assignments") : KECS_OK;
  if (status) {
    return status;
  }
  kecs__assign assign = {meta, key, assignments, count, version, out_result};
  status = kecs__with_write(store, kecs__assign_work, &assign);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

KECS_STORE_API kecs_status kecs_filter_parse(kecs_kind kind, const char *column, kecs_op op, const char *value,
                                             kecs_filter *out) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_status status = kecs__check_pointer(out, "out");
  if (!status && !info) {
    status = kecs__fail(KECS_E_INVALID, "there is no kind number %d", (int)kind);
  }
  if (!status) {
    status = kecs__check_pointer(value, "value");
  }
  if (status) {
    return status;
  }
  memset(out, 0, sizeof *out);
  out->column = kecs_column_find(info, column);
  out->op = op;
  out->text = value;
  if (out->column < 0) {
    return kecs__column_unknown(info, column);
  }
  kecs_column_type type = info->columns[out->column].type;
  if (type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON) {
    return KECS_OK;
  }
  kecs_allocator libc;
  kecs_allocator none = {NULL, NULL, NULL, NULL};
  kecs__arena arena;
  kecs_value read;
  status = kecs__allocator_resolve(&none, &libc);
  kecs__arena_init(&arena, &libc);
  if (!status) {
    status = kecs__value_from_text(info, out->column, value, &arena, &read);
    out->number = status ? 0 : read.number;
  }
  kecs__arena_free(&arena);
  return status;
}
