/* store/json_out.c -- a row to the AWS document that it came from, or would have come from.
 *
 * Columns are written in their order, then what `extra` keeps. Where extra holds a member of a column, the raw member
 * is written as long as it still means what the column says; once the column has changed, the column is written. */
#include "base/prologue.h"

#include "store/document.h"
#include "store/rows.h"

#include <string.h>

#define KECS__DOCUMENT_MAX (SIZE_MAX / 4)

typedef struct kecs__writer {
  const kecs_kind_info *info;
  const void *row;
  unsigned flags;
  kecs__json extra; /* NONE when there is none */
  uint64_t omitted;
  kecs__name names[KECS__NAMES_MAX];
  int name_count;
  kecs__text *out;
  kecs__arena *arena; /* for comparing raw members */
  kecs_status status;
} kecs__writer;

static void kecs__write_name(kecs__writer *writer, size_t start, const char *name, size_t len) {
  kecs__text_adds(writer->out, writer->out->len > start ? "," : "");
  kecs__json_quote(writer->out, name, len);
  kecs__text_addc(writer->out, ':');
}

static void kecs__write_raw(kecs__writer *writer, size_t start, kecs__json name, kecs__json value) {
  kecs__text_adds(writer->out, writer->out->len > start ? "," : "");
  kecs__text_add(writer->out, name.text, name.len);
  kecs__text_addc(writer->out, ':');
  kecs__text_add(writer->out, value.text, value.len);
}

static bool kecs__value_nothing(const kecs_column_info *column, const kecs_value *value) {
  return value->type == KECS_VALUE_NULL ||
         (column->type == KECS_TYPE_JSON && value->type == KECS_VALUE_TEXT && value->len == 0);
}

/* Whether a raw member still means what the column holds. What no column could hold stands for NULL, for the default,
 * and for what the store filled in its place. */
static bool kecs__raw_holds(kecs__writer *writer, int number, kecs__json raw, const kecs_value *value) {
  const kecs_column_info *column = &writer->info->columns[number];
  kecs_value read;
  bool exact = false;
  kecs_status status = kecs__value_from_json(column, raw, writer->arena, &read, &exact);
  if (status) {
    writer->status = status == KECS_E_INVALID ? writer->status : status;
    return false;
  }
  if (column->type == KECS_TYPE_RANK && value->number == KECS_RANK_DEFAULT && read.number == 0) {
    return true;
  }
  if (read.type == KECS_VALUE_NULL) {
    kecs_value standing = kecs__column_default(column);
    return kecs__value_nothing(column, value) || kecs__value_same(value, &standing) ||
           ((column->flags & KECS_COLUMN_SERVER) && column->group == KECS_GROUP_KEY);
  }
  if (exact && kecs__value_nothing(column, value)) {
    return true; /* kept by a schema that had no such column: what this one keeps is never exact */
  }
  return kecs__value_same(&read, value);
}

/* Whether a column is left out: it is NULL, or the document never had it and it still has its default. */
static bool kecs__column_silent(const kecs__writer *writer, int number, const kecs_value *value) {
  const kecs_column_info *column = &writer->info->columns[number];
  if (kecs__value_nothing(column, value)) {
    return true;
  }
  kecs_value standing = kecs__column_default(column);
  return (writer->omitted & KECS_BIT(number)) && kecs__value_same(value, &standing);
}

static void kecs__write_column(kecs__writer *writer, size_t start, const kecs__name *name, kecs__json raw, bool inner) {
  const kecs_column_info *column = &writer->info->columns[name->column];
  kecs_value value = kecs__row_value(writer->info, writer->row, name->column);
  const char *text = inner ? name->inner : name->outer;
  size_t len = inner ? name->inner_len : name->outer_len;
  if (raw.type != KECS__JSON_NONE && kecs__raw_holds(writer, name->column, raw, &value)) {
    kecs__write_name(writer, start, text, len);
    kecs__text_add(writer->out, raw.text, raw.len);
  } else if (!kecs__column_silent(writer, name->column, &value)) {
    kecs__write_name(writer, start, text, len);
    kecs__value_to_json(column, &value, writer->flags, writer->out);
  }
}

static kecs__json kecs__extra_member(const kecs__writer *writer, const char *name, size_t len) {
  kecs__json_walk walk = {NULL};
  kecs__json found;
  kecs__json value;
  while (kecs__json_next_member(writer->extra, &walk, &found, &value)) {
    if (kecs__name_is(found, name, len)) {
      return value;
    }
  }
  return (kecs__json){KECS__JSON_NONE, NULL, 0};
}

static bool kecs__same_outer(const kecs__name *a, const kecs__name *b) {
  return a->outer_len == b->outer_len && memcmp(a->outer, b->outer, a->outer_len) == 0;
}

/* What the store filled where the document has null, which is what the document's own member goes on saying. */
static void kecs__write_filled(kecs__writer *writer, size_t start) {
  for (int i = 0; i < writer->name_count; i++) {
    const kecs__name *name = &writer->names[i];
    if (kecs__name_filled(writer->info, name) &&
        kecs__extra_member(writer, name->outer, name->outer_len).type == KECS__JSON_NULL) {
      kecs__write_column(writer, start, name, (kecs__json){KECS__JSON_NONE, NULL, 0}, false);
    }
  }
}

/* "State":{...}: the columns that belong there, and what the raw member had besides. */
static void kecs__write_outer(kecs__writer *writer, size_t start, int first) {
  const kecs__name *head = &writer->names[first];
  kecs__json raw = kecs__extra_member(writer, head->outer, head->outer_len);
  size_t before = writer->out->len;
  kecs__write_name(writer, start, head->outer, head->outer_len);
  kecs__text_addc(writer->out, '{');
  size_t inside = writer->out->len;
  for (int i = first; i < writer->name_count; i++) {
    const kecs__name *name = &writer->names[i];
    if (name->inner && !name->alias && kecs__same_outer(name, head)) {
      char member[64];
      size_t len = name->inner_len < sizeof member - 1 ? name->inner_len : sizeof member - 1;
      memcpy(member, name->inner, len);
      member[len] = '\0';
      kecs__write_column(writer, inside, name, kecs__json_member(raw, member), true);
    }
  }
  if (kecs__name_ours(head)) {
    kecs__write_filled(writer, inside);
  }
  kecs__json_walk walk = {NULL};
  kecs__json found;
  kecs__json value;
  while (kecs__json_next_member(raw, &walk, &found, &value)) {
    bool ours = false;
    for (int i = first; !ours && i < writer->name_count; i++) {
      const kecs__name *name = &writer->names[i];
      ours = name->inner && kecs__same_outer(name, head) && kecs__name_is(found, name->inner, name->inner_len);
    }
    if (!ours) {
      kecs__write_raw(writer, inside, found, value);
    }
  }
  bool empty = writer->out->len == inside;
  kecs__text_addc(writer->out, '}');
  if (empty && raw.type != KECS__JSON_OBJECT && !writer->out->status) {
    writer->out->len = before;
    if (raw.type != KECS__JSON_NONE) {
      kecs__write_name(writer, start, head->outer, head->outer_len);
      kecs__text_add(writer->out, raw.text, raw.len);
    }
  }
}

static bool kecs__outer_done(const kecs__writer *writer, int at) {
  for (int i = 0; i < at; i++) {
    if (writer->names[i].inner && kecs__same_outer(&writer->names[i], &writer->names[at])) {
      return true;
    }
  }
  return false;
}

/* What extra keeps beyond the columns: unknown members, and aliases that still hold. */
static void kecs__write_extra(kecs__writer *writer, size_t start) {
  kecs__json_walk walk = {NULL};
  kecs__json found;
  kecs__json value;
  while (kecs__json_next_member(writer->extra, &walk, &found, &value)) {
    bool write = true;
    for (int i = 0; i < writer->name_count; i++) {
      const kecs__name *name = &writer->names[i];
      if (!kecs__name_is(found, name->outer, name->outer_len)) {
        continue;
      }
      kecs_value now = kecs__row_value(writer->info, writer->row, name->column);
      bool identity = writer->info->columns[name->column].group == KECS_GROUP_KEY;
      write = name->alias && !name->inner && (identity || kecs__raw_holds(writer, name->column, value, &now));
      break;
    }
    if (write) {
      kecs__write_raw(writer, start, found, value);
    }
  }
}

static void kecs__write_document(kecs__writer *writer) {
  kecs__text_addc(writer->out, '{');
  size_t start = writer->out->len;
  for (int i = 0; i < writer->name_count; i++) {
    const kecs__name *name = &writer->names[i];
    bool shown = !kecs__name_ours(name) || (writer->flags & KECS_JSON_STORE);
    if (name->alias || !shown) {
      continue;
    }
    if (!name->inner) {
      kecs__write_column(writer, start, name, kecs__extra_member(writer, name->outer, name->outer_len), false);
    } else if (!kecs__outer_done(writer, i)) {
      kecs__write_outer(writer, start, i);
    }
  }
  kecs__write_extra(writer, start);
  kecs__text_addc(writer->out, '}');
}

KECS_STORE_API kecs_status kecs_record_json(kecs_result *result, const kecs_kind_info *info, const void *row,
                                            unsigned flags, const char **out_text) {
  kecs_status status = kecs__check_pointer(out_text, "out_text");
  if (!status) {
    *out_text = NULL;
    status = kecs__check_pointer(result, "result");
  }
  if (!status) {
    status = kecs__check_pointer(info, "info");
  }
  if (!status) {
    status = kecs__check_pointer(row, "row");
  }
  if (status) {
    return status;
  }
  kecs__text out;
  kecs__arena arena;
  kecs__writer writer;
  memset(&writer, 0, sizeof writer);
  kecs__text_init(&out, &result->allocator, KECS__DOCUMENT_MAX);
  kecs__arena_init(&arena, &result->allocator);
  writer.info = info;
  writer.row = row;
  writer.flags = flags;
  writer.out = &out;
  writer.arena = &arena;
  writer.name_count = kecs__names(info, writer.names);
  writer.omitted = (uint64_t)kecs__row_number(info, row, kecs_column_find(info, "omitted"));
  const char *extra = kecs__row_text(info, row, kecs_column_find(info, "extra"));
  if (extra) {
    writer.extra = kecs__json_check(extra, strlen(extra), NULL);
  }
  kecs__write_document(&writer);
  status = writer.status ? writer.status : out.status;
  if (!status) {
    *out_text = kecs__arena_text(&result->arena, out.data, out.len);
    status = *out_text ? KECS_OK : KECS_E_NOMEM;
  }
  kecs__arena_free(&arena);
  kecs__text_free(&out);
  return status;
}

KECS_STORE_API kecs_status kecs_get_json(kecs_store *store, kecs_kind kind, const char *key, unsigned flags,
                                         kecs_result **out_result, const char **out_text) {
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status status = kecs__check_pointer(out_text, "out_text");
  if (status) {
    return status;
  }
  *out_text = NULL;
  status = kecs_record_get(store, kind, key, out_result);
  if (!status) {
    status = kecs_record_json(*out_result, kecs_kind_describe(kind), kecs__at(*out_result, kind, 0), flags, out_text);
    status = kecs__result_end(status, *out_result, out_result);
  }
  return status;
}
