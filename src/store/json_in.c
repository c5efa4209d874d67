/* store/json_in.c -- an AWS document to a row.
 *
 * Each top-level member is a column, the parent of columns ("State.Code"), or unknown. What is unknown, and what a
 * column can't give back as an equal value, is kept in `extra` as it was written: extra is a JSON object of raw
 * members. A member that is a parent of columns is kept whole when anything in it must be kept. `omitted` remembers the
 * columns with a default that the document does not mention, so that it does not come back with members that it never
 * had. */
#include "base/prologue.h"

#include "store/bulk.h"
#include "store/document.h"
#include "store/validate_row.h"
#include "store/write.h"

#include <stdlib.h>
#include <string.h>

/* A member that extra keeps. */
typedef struct kecs__kept {
  kecs__json name;
  kecs__json value;
  const char *plain; /* the name as it reads */
  size_t plain_len;
} kecs__kept;

typedef struct kecs__put {
  const char *text;
  size_t len;
  bool checked;             /* the text is a JSON object, and somebody has seen that already */
  unsigned flags;
  const kecs__meta *meta;
  kecs__json document;
  kecs__name names[KECS__NAMES_MAX];
  int name_count;
  kecs__kept *kept;
  size_t kept_count;
  size_t kept_room;
  uint64_t seen;    /* columns set by their main name */
  uint64_t aliased; /* columns set by an alias */
  uint64_t given;   /* columns that the document has a value for */
  uint64_t filled;  /* columns that the member "kecs" told; their own is null */
  void *row;
  kecs__arena *arena;
  kecs_result **out_result;
} kecs__put;

static kecs_status kecs__put_refuse(const kecs__put *put, const char *at, const char *member, const char *reason) {
  size_t line = 0;
  size_t column = 0;
  kecs__json_position(put->text, (size_t)(at - put->text), &line, &column);
  return kecs__fail(KECS_E_INVALID, "line %zu, column %zu: %.*s: %s", line, column, (int)strcspn(member, "|"), member,
                    reason);
}

static kecs_status kecs__put_keep(kecs__put *put, kecs__json name, kecs__json value) {
  if (put->kept_count == put->kept_room) {
    size_t room = put->kept_room > 0 ? 2 * put->kept_room : 8;
    kecs__kept *kept = kecs__arena_take(put->arena, room * sizeof *kept);
    if (!kept) {
      return KECS_E_NOMEM;
    }
    if (put->kept_count > 0) {
      memcpy(kept, put->kept, put->kept_count * sizeof *kept);
    }
    put->kept = kept;
    put->kept_room = room;
  }
  kecs__kept *kept = &put->kept[put->kept_count++];
  kept->name = name;
  kept->value = value;
  kept->plain = name.text + 1;
  kept->plain_len = name.len - 2;
  if (memchr(name.text, '\\', name.len)) {
    kecs_error before = kecs__error_save();
    size_t len = 0;
    const char *plain = kecs__json_string(name, put->arena, &len);
    if (!plain && kecs_last_error()->status == KECS_E_NOMEM) {
      return KECS_E_NOMEM;
    }
    kept->plain_len = plain ? len : kept->plain_len; /* what no text can hold goes by its escapes */
    kept->plain = plain ? plain : kept->plain;
    (void)kecs__error_restore(&before);
  }
  return KECS_OK;
}

/* By name, however it is spelled; members of one name stay in the order in which they stand in the document. */
static int kecs__kept_compare(const void *a, const void *b) {
  const kecs__kept *left = a;
  const kecs__kept *right = b;
  size_t len = left->plain_len < right->plain_len ? left->plain_len : right->plain_len;
  int order = memcmp(left->plain, right->plain, len);
  if (order == 0 && left->plain_len == right->plain_len) {
    return (left->name.text > right->name.text) - (left->name.text < right->name.text);
  }
  return order ? order : (left->plain_len > right->plain_len) - (left->plain_len < right->plain_len);
}

/* {"name":value,"name":value} */
static kecs_status kecs__put_extra(kecs__put *put) {
  size_t size = 2;
  if (put->meta->extra < 0 || put->kept_count == 0) {
    return KECS_OK;
  }
  qsort(put->kept, put->kept_count, sizeof *put->kept, kecs__kept_compare);
  for (size_t i = 0; i < put->kept_count; i++) {
    size += put->kept[i].name.len + put->kept[i].value.len + 2;
  }
  char *extra = kecs__arena_bytes(put->arena, size);
  if (!extra) {
    return KECS_E_NOMEM;
  }
  char *at = extra;
  for (size_t i = 0; i < put->kept_count; i++) {
    const kecs__kept *one = &put->kept[i];
    *at++ = i > 0 ? ',' : '{';
    memcpy(at, one->name.text, one->name.len);
    at += one->name.len;
    *at++ = ':';
    memcpy(at, one->value.text, one->value.len);
    at += one->value.len;
  }
  memcpy(at, "}", 2);
  kecs__row_set_text(put->meta->info, put->row, put->meta->extra, extra);
  return KECS_OK;
}

/* Why a column can't hold a value by which its row would go. */
static const char *kecs__put_reason(const kecs_column_info *column) {
  switch (column->type) {
    case KECS_TYPE_TIME:
      return "it is not a time, such as 2024-05-01T10:00:00Z or epoch seconds";
    case KECS_TYPE_BOOL:
      return "it is neither true nor false";
    case KECS_TYPE_INT:
    case KECS_TYPE_OPTI:
      return "it is not a whole number of 64 bits";
    case KECS_TYPE_RANK:
      return "it is neither a whole number nor \"default\"";
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      break;
  }
  return "it is not a text";
}

/* Sets a column from a member. *exact tells whether the column gives an equal member back. */
static kecs_status kecs__put_column(kecs__put *put, const kecs__name *name, kecs__json value, bool *exact) {
  const kecs_column_info *column = &put->meta->info->columns[name->column];
  uint64_t bit = KECS_BIT(name->column);
  *exact = false;
  if (name->alias && (put->seen & bit)) {
    return KECS_OK; /* the main name decides; the alias is kept as it is */
  }
  if (!name->alias && (put->seen & bit)) {
    return kecs__put_refuse(put, value.text, column->json, "the member appears twice; which one is meant?");
  }
  if (name->alias && (put->aliased & bit)) {
    return kecs__put_refuse(put, value.text, column->json, "the member appears twice; which one is meant?");
  }
  kecs_value read;
  kecs_status status = kecs__value_from_json(column, value, put->arena, &read, exact);
  if (status == KECS_E_INVALID) {
    return kecs__put_refuse(put, value.text, column->json,
                            "a text must hold neither \\u0000 nor half a surrogate pair");
  }
  bool needed = column->group == KECS_GROUP_KEY || column->type == KECS_TYPE_RANK;
  if (!status && read.type == KECS_VALUE_NULL && value.type != KECS__JSON_NULL && needed) {
    status = kecs__put_refuse(put, value.text, column->json, kecs__put_reason(column));
  }
  if (status) {
    return status;
  }
  put->seen |= name->alias ? 0 : bit;
  if (put->filled & bit) {
    return read.type == KECS_VALUE_NULL
               ? KECS_OK
               : kecs__put_refuse(put, value.text, column->json, "the member appears twice; which one is meant?");
  }
  put->aliased |= name->alias ? bit : 0;
  put->given &= ~bit; /* an alias may have set it */
  put->given |= read.type != KECS_VALUE_NULL ? bit : 0;
  kecs__row_set(put->meta->info, put->row, name->column, &read);
  *exact = *exact && !name->alias;
  return KECS_OK;
}

/* A column of the document's own that the store filled, in the member "kecs". */
static kecs_status kecs__put_filled(kecs__put *put, const kecs__name *name, kecs__json value) {
  uint64_t bit = KECS_BIT(name->column);
  bool exact = false;
  uint64_t seen = put->seen & bit;
  if ((put->given | put->filled) & bit) {
    return kecs__put_refuse(put, value.text, put->meta->info->columns[name->column].json,
                            "the member appears twice; which one is meant?");
  }
  put->seen &= ~bit;
  kecs_status status = kecs__put_column(put, name, value, &exact);
  put->seen = (put->seen & ~bit) | seen;
  put->filled |= bit;
  return status;
}

static const kecs__name *kecs__put_filled_name(const kecs__put *put, kecs__json name) {
  for (int i = 0; i < put->name_count; i++) {
    const kecs__name *one = &put->names[i];
    if (kecs__name_filled(put->meta->info, one) && kecs__name_is(name, one->outer, one->outer_len)) {
      return one;
    }
  }
  return NULL;
}

static const kecs__name *kecs__put_inner_name(const kecs__put *put, kecs__json outer_name, kecs__json name) {
  for (int i = 0; i < put->name_count; i++) {
    const kecs__name *one = &put->names[i];
    if (one->inner && kecs__name_is(outer_name, one->outer, one->outer_len) &&
        kecs__name_is(name, one->inner, one->inner_len)) {
      return one;
    }
  }
  return NULL;
}

/* The members of a member such as State: {Code, Reason}. *whole is true when the columns give all of it back; of the
 * store's own member "kecs" they must, since it is written from the columns alone. */
static kecs_status kecs__put_inner(kecs__put *put, kecs__json outer_name, kecs__json value, bool ours, bool *whole) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json inner;
  size_t members = 0;
  *whole = true;
  if (ours && value.type != KECS__JSON_OBJECT) {
    return kecs__put_refuse(put, value.text, "kecs", "the store's own member, but no object as an export writes it");
  }
  while (kecs__json_next_member(value, &walk, &name, &inner)) {
    bool exact = false;
    const kecs__name *known = kecs__put_inner_name(put, outer_name, name);
    const kecs__name *filled = ours && !known ? kecs__put_filled_name(put, name) : NULL;
    members++;
    if (ours && !known && !filled) {
      return kecs__put_refuse(put, name.text, "kecs", "the store's own member, but no export writes this in it");
    }
    kecs_status status = known    ? kecs__put_column(put, known, inner, &exact)
                         : filled ? kecs__put_filled(put, filled, inner)
                                  : KECS_OK;
    if (status) {
      return status;
    }
    *whole = *whole && exact;
  }
  *whole = *whole && members > 0;
  return KECS_OK;
}

/* The first name from `at` on that a member of the document has; put->name_count where there is none. Most are told
 * apart by their length and first letter: escapes lengthen a name. */
static int kecs__put_outer_name(const kecs__put *put, int at, kecs__json name, bool escaped) {
  for (; at < put->name_count; at++) {
    const kecs__name *one = &put->names[at];
    bool may_be = name.len == one->outer_len + 2 ? name.text[1] == one->outer[0] : escaped;
    if (may_be && kecs__name_is(name, one->outer, one->outer_len)) {
      break;
    }
  }
  return at;
}

/* `at`: kecs__put_outer_name of it. */
static kecs_status kecs__put_member(kecs__put *put, int at, kecs__json name, kecs__json value) {
  bool exact = false;
  bool ours = false;
  if (at < put->name_count) {
    const kecs__name *one = &put->names[at];
    ours = kecs__name_ours(one);
    kecs_status status = one->inner ? kecs__put_inner(put, name, value, ours, &exact)
                                    : kecs__put_column(put, one, value, &exact);
    if (status) {
      return status;
    }
  }
  return exact || ours ? KECS_OK : kecs__put_keep(put, name, value);
}

/* A main name wins over an alias, wherever the two stand. */
static kecs_status kecs__put_members(kecs__put *put) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  uint64_t nested = 0;
  while (kecs__json_next_member(put->document, &walk, &name, &value)) {
    bool escaped = memchr(name.text, '\\', name.len) != NULL;
    int first = kecs__put_outer_name(put, 0, name, escaped);
    int parent = first;
    while (parent < put->name_count && !put->names[parent].inner) {
      parent = kecs__put_outer_name(put, parent + 1, name, escaped);
    }
    /* A parent of columns that appears twice would set them twice: refused like any column. */
    if (parent < put->name_count) {
      const kecs__name *one = &put->names[parent];
      if (nested & KECS_BIT(one->column)) {
        return kecs__put_refuse(put, value.text, one->outer, "the member appears twice; which one is meant?");
      }
      nested |= KECS_BIT(one->column);
    }
    kecs_status status = kecs__put_member(put, first, name, value);
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

/* Columns with a default that the document says nothing about. */
static int64_t kecs__put_omitted(const kecs__put *put) {
  const kecs_kind_info *info = put->meta->info;
  uint64_t omitted = 0;
  for (int i = 0; i < put->name_count; i++) {
    const kecs_column_info *column = &info->columns[put->names[i].column];
    uint64_t bit = KECS_BIT(put->names[i].column);
    bool told = (column->flags & (KECS_COLUMN_SERVER | KECS_COLUMN_AUTO)) || kecs__name_ours(&put->names[i]);
    if (column->default_text && !told && !(put->given & bit)) { /* what no column can hold stands for the default */
      omitted |= (put->seen | put->aliased) & bit ? 0 : bit;
      kecs_value value = kecs__column_default(column);
      kecs__row_set(info, put->row, put->names[i].column, &value);
    }
  }
  return (int64_t)omitted;
}

static kecs_status kecs__put_parse(kecs__put *put, const kecs__engine *engine) {
  kecs__json_fault fault = {0, 0, 0, NULL};
  if (put->len > engine->document_bytes_max) {
    return kecs__fail(KECS_E_INVALID, "the document has %zu bytes; at most %zu are taken (options.document_bytes_max)",
                      put->len, engine->document_bytes_max);
  }
  put->document = put->checked ? (kecs__json){KECS__JSON_OBJECT, put->text, put->len}
                               : kecs__json_check(put->text, put->len, &fault);
  if (put->document.type == KECS__JSON_NONE) {
    return kecs__fail(KECS_E_INVALID, "line %zu, column %zu: %s", fault.line, fault.column, fault.reason);
  }
  if (put->document.type != KECS__JSON_OBJECT) {
    return kecs__put_refuse(put, put->document.text, put->meta->info->name, "the document is not a JSON object");
  }
  kecs_status status = kecs__put_members(put);
  if (status) {
    return status;
  }
  const kecs__meta *meta = put->meta;
  if (meta->omitted >= 0) {
    kecs__row_set_number(meta->info, put->row, meta->omitted, kecs__put_omitted(put));
    put->given |= KECS_BIT(meta->omitted);
  }
  return kecs__put_extra(put);
}

/* The document as a row, in the write's arena. */
static kecs_status kecs__put_row(kecs__write *write, kecs__put *put) {
  put->arena = &write->arena;
  put->row = kecs__arena_take(&write->arena, put->meta->info->row_size);
  if (!put->row) {
    return KECS_E_NOMEM;
  }
  memset(put->row, 0, put->meta->info->row_size);
  put->seen = 0; /* an earlier try may have left its marks */
  put->aliased = 0;
  put->given = 0;
  put->filled = 0;
  put->kept = NULL;
  put->kept_count = 0;
  put->kept_room = 0;
  return kecs__put_parse(put, write->engine);
}

static kecs_status kecs__put_work(kecs__write *write, void *user) {
  kecs__put *put = user;
  kecs_status status = kecs__put_row(write, put);
  if (!status && write->engine->strict) {
    status = kecs__validate_row(put->meta->info, put->row);
  }
  if (!status) {
    write->make_parents = (put->flags & KECS_JSON_PARENTS) != 0;
    status = kecs__row_upsert(write, put->meta, put->row, put->given, put->out_result);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_put_json(kecs_store *store, kecs_kind kind, const char *text, size_t len,
                                         unsigned flags, kecs_result **out_result) {
  if (out_result) {
    *out_result = NULL;
  }
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__check_pointer(text, "text");
  if (status) {
    return status;
  }
  kecs__put put;
  memset(&put, 0, sizeof put);
  put.text = text;
  put.len = len == SIZE_MAX ? strlen(text) : len;
  put.flags = flags;
  put.meta = meta;
  put.out_result = out_result;
  put.name_count = kecs__names(meta->info, put.names);
  status = kecs__with_write(store, kecs__put_work, &put);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

/* Documents that are put together. */
typedef struct kecs__puts {
  kecs__put put; /* the one that is read now */
  const kecs__json *documents;
  size_t count;
} kecs__puts;

static kecs_status kecs__puts_work(kecs__write *write, void *user) {
  kecs__puts *puts = user;
  kecs__put *put = &puts->put;
  kecs_status status = kecs__write_guard(write);
  kecs__bulk *bulk = status ? NULL : kecs__bulk_begin(write, put->meta, puts->count);
  if (!bulk) {
    return status ? status : KECS_E_NOMEM;
  }
  write->make_parents = (put->flags & KECS_JSON_PARENTS) != 0;
  for (size_t i = 0; !status && i < puts->count; i++) {
    put->text = puts->documents[i].text;
    put->len = puts->documents[i].len;
    status = kecs__put_row(write, put);
    if (!status && put->given == 0 && kecs__row_number(put->meta->info, put->row, put->meta->version) != 0) {
      status = kecs__fail(KECS_E_CONFLICT, "a version alone is a row that was there");
    }
    if (!status) {
      status = kecs__bulk_add(bulk, put->row, put->given);
    }
  }
  if (!status) {
    status = kecs__bulk_send(bulk);
  }
  kecs__bulk_free(bulk);
  return status;
}

#if !defined(KECS_STORE_NO_IMPORT)
KECS__FN kecs_status kecs__put_together(kecs_store *store, kecs_kind kind, const kecs__json *documents, size_t count,
                                        unsigned flags) {
  kecs__puts puts;
  memset(&puts, 0, sizeof puts);
  puts.put.flags = flags;
  puts.put.checked = true;
  puts.put.meta = kecs__meta_of(store->engine, kind);
  puts.put.name_count = kecs__names(puts.put.meta->info, puts.put.names);
  puts.documents = documents;
  puts.count = count;
  return kecs__with_write(store, kecs__puts_work, &puts);
}
#endif

/* ---- documents of one kind ---- */

/* A call that puts several. */
typedef struct kecs__put_list {
  kecs__puts puts;
  const char *const *texts;
  size_t count;
  bool singly; /* they were refused together */
} kecs__put_list;

enum { KECS__PUT_PIECE = 500 };

static kecs_status kecs__put_list_together(kecs__write *write, kecs__put_list *list) {
  kecs__json documents[KECS__PUT_PIECE];
  kecs_status status = KECS_OK;
  list->puts.documents = documents;
  for (size_t done = 0; !status && done < list->count; done += list->puts.count) {
    list->puts.count = list->count - done < KECS__PUT_PIECE ? list->count - done : KECS__PUT_PIECE;
    for (size_t i = 0; i < list->puts.count; i++) {
      documents[i] = (kecs__json){KECS__JSON_OBJECT, list->texts[done + i], strlen(list->texts[done + i])};
    }
    kecs__arena_reset(&write->arena);
    status = kecs__puts_work(write, &list->puts);
  }
  list->puts.documents = NULL;
  return status;
}

static kecs_status kecs__put_list_work(kecs__write *write, void *user) {
  kecs__put_list *list = user;
  kecs__put *put = &list->puts.put;
  kecs_status status = kecs__write_guard(write);
  if (!status && !list->singly && kecs__bulk_fits(write->engine, put->meta)) {
    return kecs__put_list_together(write, list);
  }
  for (size_t i = 0; !status && i < list->count; i++) {
    put->text = list->texts[i];
    put->len = strlen(list->texts[i]);
    kecs__arena_reset(&write->arena);
    status = kecs__put_work(write, put);
    if (status && list->count > 1) {
      (void)kecs__fail_context("document %zu of %zu", i + 1, list->count);
    }
  }
  return status;
}

static kecs_status kecs__put_list_check(const char *const *texts, size_t count) {
  kecs_status status = count > 0 ? kecs__check_pointer(texts, "texts") : KECS_OK;
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__check_pointer(texts[i], "texts[i]");
  }
  return status;
}

/* New rows go together; where one of them can't, each is put by itself, which tells what is wrong with it. */
KECS_STORE_API kecs_status kecs_put_json_many(kecs_store *store, kecs_kind kind, const char *const *texts, size_t count,
                                              unsigned flags) {
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__put_list_check(texts, count);
  if (status) {
    return status;
  }
  kecs__put_list list;
  memset(&list, 0, sizeof list);
  list.texts = texts;
  list.count = count;
  list.singly = count < 2;
  list.puts.put.flags = flags;
  list.puts.put.meta = meta;
  list.puts.put.name_count = kecs__names(meta->info, list.puts.put.names);
  kecs_error before = kecs__error_save();
  bool again = false;
  do {
    status = kecs__with_write(store, kecs__put_list_work, &list);
    again = status && !list.singly && kecs_status_class(status) == KECS_CLASS_CALLER &&
            kecs__bulk_fits(store->engine, meta);
    list.singly = list.singly || again;
  } while (again);
  if (!status && list.singly) {
    (void)kecs__error_restore(&before);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_json_check(const char *text, size_t len) {
  kecs__json_fault fault;
  kecs_status status = kecs__check_pointer(text, "text");
  if (!status && kecs__json_check(text, len == SIZE_MAX ? strlen(text) : len, &fault).type == KECS__JSON_NONE) {
    status = kecs__fail(KECS_E_INVALID, "line %zu, column %zu: %s", fault.line, fault.column, fault.reason);
  }
  return status;
}
