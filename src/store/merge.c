/* store/merge.c -- rows are staged in a table of the transaction's own, and one statement inserts those that are new
 * and changes those that differ. A few go without a table: each is a statement that inserts or changes, and all are
 * sent together.
 *
 * An update does not fill: a column that the caller left empty becomes empty again, where an insert would take what
 * follows from the row's ARN. So a row has a form: which columns an insert has filled that an update empties, and which
 * an update leaves alone. Rows of one form go through one statement. */
#include "base/prologue.h"

#include "store/merge.h"

#include "store/cache.h"
#include "store/document.h"
#include "store/merge_sql.h"
#include "store/special.h"
#include "store/token.h"
#include "store/validate_row.h"

#include <stdlib.h> /* qsort */
#include <string.h>

enum {
  KECS__MERGE_PIECE = 2000, /* rows that are loaded at once */
  KECS__MERGE_FEW = 30,     /* below that a pipeline is faster */
  KECS__MERGE_FORMS = 8
};

/* A row's place in the order in which rows are written: as they were made, since most indexes grow at their ends then,
 * and by their keys where that is the same time. So writers that say the same times never wait for each other. */
typedef struct kecs__merge_place {
  const kecs__meta *meta;
  const char *row;
  int64_t made;
  size_t at; /* among the rows as given */
} kecs__merge_place;

typedef struct kecs__merge {
  kecs__write *write;
  const kecs__meta *meta;
  const char *rows;
  size_t count;
  kecs_result *result;
  kecs__merge_place *places;
  kecs_value *values; /* of a piece */
  size_t room;        /* for its rows */
  kecs__form forms[KECS__MERGE_FORMS];
  int form_count;
  bool versions;       /* some rows have one, which must be the stored one */
  kecs_result *tagged; /* rows whose tags follow, where they are inserted */
  size_t *tagged_of;   /* by the number of a row: its place among them, from 1 */
} kecs__merge;

KECS__FN bool kecs__merge_fits(const kecs__write *write, const kecs__meta *meta) {
  const kecs__special *special = meta->special;
  return write->engine->backend->load && !write->session->no_stage && !write->session->place.on && !special->is_new &&
         !special->judge && (!special->follow || special->tags_alone) && meta->version >= 0 &&
         meta->updated_at >= 0 && meta->omitted >= 0;
}

/* Told to nobody: the rows are stored one by one then. */
static kecs_status kecs__merge_refuse(const char *why) {
  return kecs__fail(KECS_E_UNSUPPORTED, "the rows can't be merged: %s", why);
}

/* ---- the order ---- */

static int kecs__merge_compare_keys(const kecs__merge_place *one, const kecs__merge_place *other) {
  const kecs_kind_info *info = one->meta->info;
  int order = 0;
  for (int i = 0; order == 0 && i < info->keys[0].count; i++) {
    kecs_value x = kecs__row_value(info, one->row, info->keys[0].columns[i]);
    kecs_value y = kecs__row_value(info, other->row, info->keys[0].columns[i]);
    if (x.type == KECS_VALUE_TEXT && y.type == KECS_VALUE_TEXT) {
      order = strcmp(x.text, y.text);
    } else {
      order = x.type != y.type ? (x.type < y.type ? -1 : 1) : (x.number > y.number) - (x.number < y.number);
    }
  }
  return order;
}

static int kecs__merge_compare(const void *a, const void *b) {
  const kecs__merge_place *one = a;
  const kecs__merge_place *other = b;
  int order = (one->made > other->made) - (one->made < other->made);
  order = order ? order : kecs__merge_compare_keys(one, other);
  return order ? order : (one->at > other->at) - (one->at < other->at);
}

static void kecs__merge_sort(kecs__merge *merge) {
  const kecs__meta *meta = merge->meta;
  for (size_t i = 0; i < merge->count; i++) {
    const char *row = merge->rows + i * meta->info->row_size;
    kecs__merge_place place = {meta, row, 0, i};
    place.made = meta->created_at < 0 ? 0 : kecs__row_number(meta->info, row, meta->created_at);
    merge->places[i] = place;
  }
  qsort(merge->places, merge->count, sizeof *merge->places, kecs__merge_compare);
}

static uint64_t kecs__merge_hash(const kecs__merge_place *place) {
  const kecs_kind_info *info = place->meta->info;
  uint64_t hash = KECS__HASH_START;
  for (int i = 0; i < info->keys[0].count; i++) {
    kecs_value value = kecs__row_value(info, place->row, info->keys[0].columns[i]);
    bool text = value.type == KECS_VALUE_TEXT;
    hash = text ? kecs__hash(hash, value.text, value.len + 1) : kecs__hash(hash, &value.number, sizeof value.number);
  }
  return hash;
}

/* A row that stands twice is merged with itself first: not here. `seen` has room for a power of two of places. */
static kecs_status kecs__merge_unique(const kecs__merge *merge, const kecs__merge_place **seen, size_t room) {
  for (size_t i = 0; i < merge->count; i++) {
    const kecs__merge_place *place = &merge->places[i];
    const int first = merge->meta->info->keys[0].columns[0];
    if (kecs__row_value(merge->meta->info, place->row, first).type == KECS_VALUE_NULL) {
      continue; /* a new one: it is filled */
    }
    size_t at = (size_t)kecs__merge_hash(place) & (room - 1);
    while (seen[at] && kecs__merge_compare_keys(seen[at], place) != 0) {
      at = (at + 1) & (room - 1);
    }
    if (seen[at]) {
      return kecs__merge_refuse("one of them stands twice among them");
    }
    seen[at] = place;
  }
  return KECS_OK;
}

static kecs_status kecs__merge_order(kecs__merge *merge) {
  const kecs_allocator *allocator = &merge->write->engine->allocator;
  size_t room = 16;
  while (room < 2 * merge->count) {
    room *= 2;
  }
  const kecs__merge_place **seen = kecs__alloc_zero(allocator, room * sizeof *seen);
  if (!seen) {
    return KECS_E_NOMEM;
  }
  kecs__merge_sort(merge);
  kecs_status status = kecs__merge_unique(merge, seen, room);
  kecs__release(allocator, seen, room * sizeof *seen);
  return status;
}

/* ---- forms ---- */

/* What an update would write into a column, beside what an insert does. False: neither form does. */
static bool kecs__merge_column(const kecs_column_info *column, const kecs_value *given, const kecs_value *filled,
                               uint64_t bit, kecs__form *form) {
  bool empty = given->type == KECS_VALUE_NULL || (given->type != KECS_VALUE_TEXT && given->number == 0);
  if (given->type == KECS_VALUE_NULL && (column->flags & KECS_COLUMN_NOT_NULL)) {
    form->kept |= column->type == KECS_TYPE_TIME ? bit : 0;
    return true; /* a text's default is the same on both ways */
  }
  if (!kecs__value_same(given, filled)) {
    form->emptied |= bit;
    return empty;
  }
  return true;
}

/* What an earlier document left in `extra` for a column leaves it when the column changes: it must have nothing of that
 * kind. */
static kecs_status kecs__merge_extra(kecs__merge *merge, const void *row, bool *out_good) {
  const kecs__meta *meta = merge->meta;
  const char *extra = meta->extra >= 0 ? kecs__row_text(meta->info, row, meta->extra) : NULL;
  const char *left = extra;
  kecs_status status = KECS_OK;
  if (extra && extra[0]) {
    status = kecs__extra_prune(meta->info, row, meta->updatable & ~KECS_BIT(meta->extra), extra, &merge->write->arena,
                               &left);
  }
  *out_good = left == extra;
  return status;
}

/* Whether the fill has left a column alone, as it does with most: then it is not looked at more closely. */
static bool kecs__merge_untouched(const kecs__meta *meta, int column, const void *row, const void *filled) {
  kecs_column_type type = meta->info->columns[column].type;
  size_t size = type == KECS_TYPE_BOOL ? sizeof(bool) : sizeof(int64_t);
  bool text = type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON;
  return type != KECS_TYPE_OPTI && memcmp((const char *)row + meta->offsets[column],
                                          (const char *)filled + meta->offsets[column],
                                          text ? sizeof(const char *) : size) == 0;
}

static kecs_status kecs__merge_form(kecs__merge *merge, const void *row, const void *filled, int64_t *out_form) {
  const kecs_kind_info *info = merge->meta->info;
  kecs__form form = {0, 0};
  bool good = false;
  kecs_status status = kecs__merge_extra(merge, row, &good);
  for (int i = 0; good && i < info->column_count; i++) {
    if ((merge->meta->updatable & KECS_BIT(i)) && !kecs__merge_untouched(merge->meta, i, row, filled)) {
      kecs_value given = kecs__row_value(info, row, i);
      kecs_value value = kecs__row_value(info, filled, i);
      good = kecs__merge_column(&info->columns[i], &given, &value, KECS_BIT(i), &form);
    }
  }
  int at = 0;
  while (at < merge->form_count && memcmp(&merge->forms[at], &form, sizeof form) != 0) {
    at++;
  }
  if (status || !good || at == KECS__MERGE_FORMS) {
    return status ? status : kecs__merge_refuse("they differ too much, or one does not say what is to be stored");
  }
  merge->form_count += at == merge->form_count;
  merge->forms[at] = form;
  *out_form = at;
  return KECS_OK;
}

/* ---- filling ---- */

static size_t kecs__merge_width(const kecs__merge *merge) {
  return (size_t)merge->meta->info->column_count + KECS__STAGED_COLUMNS;
}

/* Validates and fills a copy of a row, and makes its values. */
static kecs_status kecs__merge_fill(kecs__merge *merge, const kecs__merge_place *place, void *row, kecs_value *out) {
  const kecs__meta *meta = merge->meta;
  int64_t form = 0;
  int64_t version = kecs__row_number(meta->info, place->row, meta->version);
  memcpy(row, place->row, meta->info->row_size);
  kecs_status status = merge->write->engine->strict ? kecs__validate_row(meta->info, row) : KECS_OK;
  if (!status) {
    status = kecs__row_ready(merge->write, meta, row, 0);
  }
  if (!status) {
    status = kecs__row_values(meta, row, out);
  }
  if (!status) {
    status = kecs__merge_form(merge, place->row, row, &form);
  }
  out += meta->info->column_count;
  out[KECS__STAGED_AT] = kecs__value_int((int64_t)place->at);
  out[KECS__STAGED_FORM] = kecs__value_int(form);
  out[KECS__STAGED_VERSION] = kecs__value_int(version);
  merge->versions = merge->versions || version != 0;
  if (!status && kecs__insert_follows(meta, row)) {
    status = kecs__row_keep(meta, row, merge->tagged);
    merge->tagged_of[place->at] = merge->tagged->count;
  }
  return status;
}

static kecs_status kecs__merge_fill_piece(kecs__merge *merge, size_t from, size_t count) {
  void *row = kecs__alloc(&merge->write->engine->allocator, merge->meta->info->row_size);
  kecs_status status = row ? KECS_OK : KECS_E_NOMEM;
  kecs__arena_reset(&merge->write->arena);
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__merge_fill(merge, &merge->places[from + i], row, merge->values + i * kecs__merge_width(merge));
  }
  kecs__release(&merge->write->engine->allocator, row, merge->meta->info->row_size);
  return status;
}

/* ---- a few ---- */

/* What an insert alone, or an update alone, would still have to do needs the table. */
static bool kecs__merge_is_few(const kecs__merge *merge) {
  return merge->count < KECS__MERGE_FEW && !merge->versions && !merge->result && merge->form_count == 1 &&
         merge->tagged->count == 0;
}

/* *out_left: some may have been left alone because their tags change. */
static kecs_status kecs__merge_few(kecs__merge *merge, bool *out_left) {
  kecs__session *session = merge->write->session;
  const kecs_backend *backend = session->engine->backend;
  size_t columns = (size_t)merge->meta->info->column_count;
  bool tags = merge->meta->special->follow != NULL;
  bool commit = merge->write->own && merge->write->last && !tags;
  kecs__cached *cached = NULL;
  for (size_t i = 1; i < merge->count; i++) {
    memmove(merge->values + i * columns, merge->values + i * kecs__merge_width(merge), columns * sizeof(kecs_value));
  }
  kecs_status status = kecs__merge_prepare(session, merge->meta, &merge->forms[0], KECS__MERGE_ONE, &cached);
  if (!status) {
    session->writing = true;
    session->changed = true;
    kecs__cache_hold(session, cached, merge->values, 0);
    status = backend->repeat(cached->statement, merge->values, (int)columns, merge->count, &commit);
    status = kecs__statement_outcome(session, status);
    merge->write->ended = !status && commit;
  }
  kecs__statement_done(session, cached);
  *out_left = !status && tags && backend->changes(session->connection) < (int64_t)merge->count;
  return status;
}

/* ---- many ---- */

static kecs_status kecs__merge_stage(kecs__merge *merge) {
  kecs__session *session = merge->write->session;
  kecs__text columns;
  kecs__text_init(&columns, &session->engine->allocator, SIZE_MAX / 4);
  kecs__text_addf(&columns, "%s,%s", merge->meta->columns, KECS__STAGED_NAMES);
  kecs_status status = columns.status;
  if (!status) {
    status = kecs__merge_create(session, merge->meta);
    session->no_stage = status == KECS_E_DENIED; /* TEMPORARY is a right of its own */
  }
  for (size_t done = 0; !status && done < merge->count; done += merge->room) {
    size_t piece = merge->count - done < merge->room ? merge->count - done : merge->room;
    status = done > 0 ? kecs__merge_fill_piece(merge, done, piece) : KECS_OK;
    if (!status) {
      status = session->user ? kecs__check_stop(session->user, session->deadline) : KECS_OK;
    }
    if (!status) {
      session->writing = true;
      session->changed = true;
      status = session->engine->backend->load(session->connection, KECS__STAGED, columns.data, merge->values,
                                              (int)kecs__merge_width(merge), piece);
      status = kecs__statement_outcome(session, status);
    }
  }
  kecs__text_free(&columns);
  return status;
}

/* Locks the stored rows whose version is asked for, and looks whether each is the stored one. */
static kecs_status kecs__merge_check_versions(kecs__merge *merge) {
  int64_t different = 0;
  kecs_status status = kecs__merge_ask(merge->write->session, merge->meta, KECS__MERGE_LOCK, &different);
  if (!status) {
    status = kecs__merge_ask(merge->write->session, merge->meta, KECS__MERGE_DIFFERENT, &different);
  }
  return status || different == 0 ? status : kecs__fail(KECS_E_CONFLICT, "a row does not have its version any more");
}

/* The tags of a row that was inserted. */
static kecs_status kecs__merge_follow(kecs__merge *merge, size_t at) {
  const kecs__special *special = merge->meta->special;
  const char *row = merge->tagged->rows + (merge->tagged_of[at] - 1) * merge->meta->info->row_size;
  kecs__arena_reset(&merge->write->arena);
  return special->follow(merge->write, merge->meta, NULL, row, UINT64_MAX);
}

/* Where rows with tags are staged, the statement tells which of them it has inserted. *changed goes up by the rows that
 * it has written. */
static kecs_status kecs__merge_told(kecs__merge *merge, const kecs__form *form, const kecs_value *number,
                                    int64_t *changed) {
  kecs__session *session = merge->write->session;
  kecs__cached *cached = NULL;
  bool row = false;
  size_t count = 0;
  size_t *inserted = kecs__alloc(&session->engine->allocator, (merge->tagged->count + 1) * sizeof *inserted);
  kecs_status status = inserted ? KECS_OK : KECS_E_NOMEM;
  if (!status) {
    status = kecs__merge_prepare(session, merge->meta, form, KECS__MERGE_TOLD, &cached);
  }
  if (!status) {
    status = kecs__statement_start(session, cached, number, 1, &row);
  }
  while (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    if (value.number < 0) {
      *changed += -1 - value.number;
    } else if (count < merge->tagged->count) {
      inserted[count++] = (size_t)value.number;
    }
    status = kecs__statement_step(session, cached, &row);
  }
  kecs__statement_done(session, cached);
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__merge_follow(merge, inserted[i]);
  }
  kecs__release(&session->engine->allocator, inserted, (merge->tagged->count + 1) * sizeof *inserted);
  return status;
}

static kecs_status kecs__merge_forms(kecs__merge *merge, int64_t *changed) {
  kecs__session *session = merge->write->session;
  kecs_status status = KECS_OK;
  *changed = 0;
  for (int i = 0; !status && i < merge->form_count; i++) {
    kecs_value number = kecs__value_int(i);
    kecs__cached *cached = NULL;
    if (merge->tagged->count > 0) {
      status = kecs__merge_told(merge, &merge->forms[i], &number, changed);
      continue;
    }
    status = kecs__merge_prepare(session, merge->meta, &merge->forms[i], KECS__MERGE_ALL, &cached);
    if (!status) {
      status = kecs__statement_run(session, cached, &number, 1);
    }
    *changed += status ? 0 : session->engine->backend->changes(session->connection);
  }
  return status;
}

/* Stored rows whose tags are to change were left alone: tags have rows of their own. */
static kecs_status kecs__merge_left(kecs__merge *merge) {
  kecs__session *session = merge->write->session;
  size_t size = merge->meta->info->row_size;
  size_t count = 0;
  size_t *left = kecs__alloc(&session->engine->allocator, merge->count * sizeof *left);
  void *row = left ? kecs__alloc(&session->engine->allocator, size) : NULL;
  kecs_status status = row ? KECS_OK : KECS_E_NOMEM;
  if (!status) {
    status = kecs__merge_list_left(session, merge->meta, left, merge->count, &count);
  }
  for (size_t i = 0; !status && i < count; i++) {
    memcpy(row, merge->rows + left[i] * size, size);
    kecs__arena_reset(&merge->write->arena);
    status = kecs__row_upsert(merge->write, merge->meta, row, 0, NULL);
  }
  kecs__release(&session->engine->allocator, row, size);
  kecs__release(&session->engine->allocator, left, merge->count * sizeof *left);
  return status;
}

static kecs_status kecs__merge_many(kecs__merge *merge) {
  kecs__session *session = merge->write->session;
  int64_t changed = 0;
  kecs_status status = kecs__merge_stage(merge);
  if (!status && merge->versions) {
    status = kecs__merge_check_versions(merge);
  }
  if (!status) {
    status = kecs__merge_forms(merge, &changed);
  }
  if (!status && changed < (int64_t)merge->count && merge->meta->special->follow) {
    status = kecs__merge_left(merge);
  }
  if (!status && merge->result) {
    status = kecs__merge_give_back(session, merge->meta, merge->result);
  }
  return status ? status : kecs__run(session, "DROP TABLE " KECS__STAGED, NULL, 0, NULL);
}

/* ---- all of it ---- */

static kecs_status kecs__merge_all(kecs__merge *merge) {
  bool left = false;
  size_t size = merge->meta->info->row_size;
  kecs_status status = kecs__merge_order(merge);
  if (!status) {
    status = kecs__merge_fill_piece(merge, 0, merge->count < merge->room ? merge->count : merge->room);
  }
  if (status || !kecs__merge_is_few(merge)) {
    return status ? status : kecs__merge_many(merge);
  }
  status = kecs__merge_few(merge, &left);
  for (size_t i = 0; !status && left && i < merge->count; i++) {
    void *row = kecs__arena_take(&merge->write->arena, size);
    if (!row) {
      return KECS_E_NOMEM;
    }
    memcpy(row, merge->rows + i * size, size);
    status = kecs__row_upsert(merge->write, merge->meta, row, 0, NULL); /* mostly finds nothing to do any more */
  }
  return status;
}

KECS__FN kecs_status kecs__merge_rows(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                      kecs_result *result) {
  const kecs_allocator *allocator = &write->engine->allocator;
  kecs__merge merge = {0};
  merge.write = write;
  merge.meta = meta;
  merge.rows = rows;
  merge.count = count;
  merge.result = result;
  merge.room = count < KECS__MERGE_PIECE ? count : KECS__MERGE_PIECE;
  size_t values_size = merge.room * kecs__merge_width(&merge) * sizeof(kecs_value);
  merge.values = kecs__alloc(allocator, values_size);
  merge.places = kecs__alloc(allocator, count * sizeof *merge.places);
  merge.tagged_of = kecs__alloc_zero(allocator, count * sizeof *merge.tagged_of);
  kecs_status status = merge.values && merge.places && merge.tagged_of ? KECS_OK : KECS_E_NOMEM;
  if (!status) {
    status = kecs__result_begin(write->store, meta, &merge.tagged);
  }
  if (!status) {
    status = kecs__merge_all(&merge);
  }
  kecs_result_free(merge.tagged);
  kecs__release(allocator, merge.tagged_of, count * sizeof *merge.tagged_of);
  kecs__release(allocator, merge.places, count * sizeof *merge.places);
  kecs__release(allocator, merge.values, values_size);
  return status;
}
