/* store/replica_rows.c -- what a merge writes: the row with its given stamps, and what stands in its way.
 *
 * A unique key other than the natural one may be taken by another row. A row that the other side has never seen goes,
 * or one that it has lost: it is kept in the log of conflicts. Any other one has a newer state there, which is asked
 * for together with the row that has to wait. Rows that have swapped a number each wait for another then; they are
 * merged with `force`, one after the other, and what is in the way is moved aside until its own state comes, in the
 * same transaction. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/document.h"
#include "store/history_log.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

#define KECS__MERGE_SQL 32768

/* ---- writing rows ---- */

/* Whether a column comes with a mask of groups; the life brings all that travels. */
static bool kecs__merge_takes(const kecs__join *merge, int column, unsigned groups) {
  switch (merge->meta->info->columns[column].group) {
    case KECS_GROUP_KEY:
      return groups & 1U << KECS_REPLICA_LIFE;
    case KECS_GROUP_SPEC:
      return groups & (1U << KECS_REPLICA_LIFE | 1U << KECS_REPLICA_SPEC);
    case KECS_GROUP_STATUS:
      return groups & (1U << KECS_REPLICA_LIFE | 1U << KECS_REPLICA_STATUS);
    default:
      return false;
  }
}

KECS__FN kecs_value kecs__merge_default(const kecs__meta *meta, int column) {
  kecs_value value = kecs__column_default(&meta->info->columns[column]);
  if (value.type == KECS_VALUE_NULL && (meta->info->columns[column].flags & KECS_COLUMN_NOT_NULL)) {
    value = meta->types[column] == KECS_VALUE_TEXT ? kecs__value_text("") : kecs__value_int(0);
  }
  return value;
}

/* What a local column has in a row that comes from elsewhere, or after it was changed from there. */
static kecs_value kecs__merge_local(const kecs__join *merge, int column, uint64_t taken) {
  const kecs__meta *meta = merge->meta;
  const kecs_value *ours = merge->ours.rid ? &merge->ours.values[column] : NULL;
  if (column == meta->version) {
    return kecs__value_int(ours ? ours->number + 1 : 1);
  }
  if (column == meta->updated_at) {
    return kecs__value_time(merge->write->now);
  }
  if (column == meta->omitted && ours) {
    return kecs__value_int((int64_t)((uint64_t)ours->number & ~taken));
  }
  return ours ? *ours : kecs__merge_default(meta, column);
}

/* What a merge writes: the columns, and their values with those of the stamps behind them. */
typedef struct kecs__merge_row {
  uint64_t mask;
  kecs_value values[64 + 2 * KECS_REPLICA_STAMPS + 1];
  int count;
} kecs__merge_row;

static void kecs__merge_set(kecs__merge_row *out, int column, kecs_value value) {
  out->mask |= KECS_BIT(column);
  out->values[out->count++] = value;
}

/* The columns and their values: what came and is taken, what came not (another program's column is not known
 * everywhere), and what is local. */
static kecs_status kecs__merge_columns(const kecs__join *merge, unsigned groups, kecs__merge_row *out) {
  const kecs__meta *meta = merge->meta;
  const kecs_value *ours = merge->ours.rid ? merge->ours.values : NULL;
  bool whole = groups & 1U << KECS_REPLICA_LIFE;
  kecs_value values[64];
  uint64_t taken = 0;
  uint64_t derived = 0;
  for (int i = 0; i < meta->info->column_count; i++) {
    bool comes = kecs__merge_takes(merge, i, groups);
    bool given = !merge->row->given || merge->row->given & KECS_BIT(i);
    taken |= comes && (given || whole) ? KECS_BIT(i) : 0;
    values[i] = comes && given              ? merge->row->values[i]
                : ours && !(comes && whole) ? ours[i]
                                            : kecs__merge_default(meta, i);
  }
  if (whole && meta->special->derive) {
    kecs_status status = meta->special->derive(values, &merge->write->arena, &derived);
    if (status) {
      return status;
    }
  }
  for (int i = 0; i < meta->info->column_count; i++) {
    bool local = meta->info->columns[i].group == KECS_GROUP_LOCAL;
    bool follows = i == meta->version || i == meta->updated_at || i == meta->omitted;
    if (derived & KECS_BIT(i)) {
      kecs__merge_set(out, i, values[i]);
    } else if ((taken & KECS_BIT(i)) || (local && (follows || !ours))) {
      kecs__merge_set(out, i, local ? kecs__merge_local(merge, i, taken) : values[i]);
    }
  }
  return KECS_OK;
}

static void kecs__merge_stamps(const kecs__join *merge, unsigned groups, kecs__merge_row *out) {
  bool whole = groups & 1U << KECS_REPLICA_LIFE;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    if ((whole || groups & 1U << i) && kecs__stamp_has(merge->meta->info, i)) {
      bool none = i != KECS_REPLICA_LIFE && merge->row->stamp[i] == 0;
      out->values[out->count++] = none ? kecs__value_text(NULL) : kecs__value_int(merge->row->stamp[i]);
      out->values[out->count++] = none ? kecs__value_text(NULL) : kecs__value_int(merge->row->site[i]);
    }
  }
}

KECS__FN void kecs__merge_passed(kecs__join *merge) {
  kecs__place *place = &merge->write->session->place;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    place->stamp = merge->row->stamp[i] > place->stamp ? merge->row->stamp[i] : place->stamp;
  }
}

KECS__FN kecs_status kecs__merge_stamp(kecs__join *merge, int64_t *out_stamp) {
  kecs__merge_passed(merge);
  return kecs__feed_stamp(merge->write, out_stamp);
}

static kecs_status kecs__merge_write_row(kecs__join *merge, kecs__op op, const kecs__merge_row *row) {
  kecs__session *session = merge->write->session;
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement(session, merge->meta, op, row->mask, &cached);
  return status ? status : kecs__statement_run(session, cached, row->values, row->count);
}

static kecs_status kecs__merge_insert(kecs__join *merge, const kecs__merge_row *row, int64_t stamp) {
  static const int64_t none[KECS__STAMPS];
  kecs__write *write = merge->write;
  const kecs_kind_info *info = merge->meta->info;
  int64_t mark = 0;
  kecs_status status = kecs__feed_mark(write, merge->meta, &mark);
  status = status ? status : kecs__merge_write_row(merge, KECS__OP_MERGE_INSERT, row);
  int64_t rid = status ? 0 : write->engine->backend->last_rid(write->session->connection);
  status = status ? status : kecs__feed_new_rid(write, merge->meta, mark, &rid);
  status = status ? status
                  : kecs__feed_append(write, (int)info->kind, rid, KECS__GROUPS_ALL, KECS__FEED_CREATED, stamp, none);
  if (!status && kecs__history_kept(write, merge->meta)) {
    kecs__past nothing = {{0}, false};
    status = kecs__history_add(write, merge->meta, KECS__FEED_CREATED, rid, stamp, &nothing);
  }
  return status;
}

static kecs__op kecs__merge_update_op(unsigned groups) {
  bool spec = groups & 1U << KECS_REPLICA_SPEC;
  bool observed = groups & 1U << KECS_REPLICA_STATUS;
  return groups & 1U << KECS_REPLICA_LIFE ? KECS__OP_MERGE_LIFE
         : spec && observed              ? KECS__OP_MERGE_BOTH
         : spec                          ? KECS__OP_MERGE_SPEC
                                         : KECS__OP_MERGE_STATUS;
}

static kecs_status kecs__merge_update(kecs__join *merge, kecs__merge_row *row, unsigned groups, int64_t stamp) {
  kecs__write *write = merge->write;
  const kecs_kind_info *info = merge->meta->info;
  uint64_t bits = groups & 1U << KECS_REPLICA_LIFE ? KECS__GROUPS_ALL : 0;
  bits |= groups & 1U << KECS_REPLICA_SPEC ? KECS_BIT(KECS_GROUP_SPEC) : 0;
  bits |= groups & 1U << KECS_REPLICA_STATUS ? KECS_BIT(KECS_GROUP_STATUS) : 0;
  row->values[row->count++] = kecs__value_int(merge->ours.rid);
  kecs__past past = {{0}, true};
  bool kept = kecs__history_kept(write, merge->meta);
  kecs__text_init(&past.text, &write->engine->allocator, KECS__HISTORY_MAX);
  kecs_status status = kept ? kecs__history_whole(write, merge->meta, merge->ours.rid, &past.text) : KECS_OK;
  status = status ? status : kecs__merge_write_row(merge, kecs__merge_update_op(groups), row);
  status = status ? status
                  : kecs__feed_append(write, (int)info->kind, merge->ours.rid, bits, KECS__FEED_UPDATED, stamp,
                                      merge->ours.stamp);
  if (!status && kept) {
    status = kecs__history_add(write, merge->meta, KECS__FEED_UPDATED, merge->ours.rid, stamp, &past);
  }
  kecs__text_free(&past.text);
  return status;
}

/* ---- what is in the way ---- */

KECS__FN kecs_status kecs__merge_want(kecs__write *write, kecs_kind kind, const char *key) {
  kecs_value values[] = {kecs__value_int((int64_t)kind), kecs__value_text(key)};
  return kecs__run(write->session,
                   "INSERT INTO {sync_wanted}({tenant}kind,key) VALUES({ours}?1,?2) ON CONFLICT DO NOTHING", values, 2,
                   NULL);
}

/* Whether every parent that the row will refer to is here. */
static kecs_status kecs__merge_parents(kecs__join *merge, unsigned groups, bool *out_there) {
  const kecs_kind_info *info = merge->meta->info;
  *out_there = true;
  for (int i = 0; *out_there && i < info->reference_count; i++) {
    const kecs_reference *reference = &info->references[i];
    const kecs_value *value = &merge->row->values[reference->column];
    int64_t rid = 0;
    if (kecs__merge_takes(merge, reference->column, groups) && value->type != KECS_VALUE_NULL) {
      const kecs__meta *parent = kecs__meta_of(merge->write->engine, reference->parent);
      kecs_status status = kecs__state_rid(merge->write->session, parent, 0, value, 1, &rid);
      if (status) {
        return status;
      }
      *out_there = rid != 0;
    }
  }
  return KECS_OK;
}

/* A row that nobody else has seen goes. */
static kecs_status kecs__merge_evict(kecs__join *merge, const kecs__state *other, const char *name) {
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  row.kind = merge->row->kind;
  row.key = name;
  row.values = other->values;
  kecs_status status = kecs__replica_lost(merge->write, &row, "key", 1U << KECS_REPLICA_LIFE, merge->row->stamp[0],
                                          merge->row->site[0], other->stamp[0], other->site[0]);
  merge->done.conflicts++;
  return status ? status : kecs__merge_bury(merge, merge->meta, other->rid, 0, KECS_REPLICA_HERE);
}

/* The number of a unique key that can change, or -1: rows may swap it. */
static int kecs__merge_number(const kecs__meta *meta, const kecs_column_list *key) {
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &meta->info->columns[key->columns[i]];
    bool number = column->type == KECS_TYPE_INT || column->type == KECS_TYPE_RANK;
    if (number && (column->group == KECS_GROUP_SPEC || column->group == KECS_GROUP_STATUS)) {
      return key->columns[i];
    }
  }
  return -1;
}

KECS__FN int kecs__merge_swaps(const kecs__meta *meta) {
  int number = -1;
  for (int k = 1; k < meta->info->key_count && number < 0; k++) {
    number = kecs__merge_number(meta, &meta->info->keys[k]);
  }
  return number;
}

KECS_STORE_API kecs_status kecs_replica_aside(kecs_store *store, kecs_kind kind, int64_t *out_count) {
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  kecs__session *session = NULL;
  kecs__text sql;
  if (!meta) {
    return kecs_last_error()->status;
  }
  *out_count = 0;
  if (kecs__merge_swaps(meta) < 0) {
    return KECS_OK;
  }
  kecs_status status = kecs__read_open(store, &session);
  if (status) {
    return status;
  }
  kecs__text_init(&sql, &store->engine->allocator, KECS__MERGE_SQL);
  kecs__text_addf(&sql, "SELECT count(*) FROM {%s} WHERE {own}%s<%lld", meta->info->table,
                  meta->info->columns[kecs__merge_swaps(meta)].name, (long long)KECS_REPLICA_ASIDE);
  status = sql.status ? sql.status : kecs__feed_number(session, sql.data, NULL, 0, out_count);
  kecs__text_free(&sql);
  kecs__read_close(store, session);
  return status;
}

/* Nobody gets to see it: the row's own state comes in the same transaction, or all is undone. */
static kecs_status kecs__merge_aside(kecs__join *merge, int column, int64_t rid) {
  kecs__text sql;
  kecs_value values[] = {kecs__value_int(KECS_REPLICA_ASIDE - rid), kecs__value_int(rid)};
  kecs__text_init(&sql, &merge->write->engine->allocator, KECS__MERGE_SQL);
  kecs__text_addf(&sql, "UPDATE {%s} SET %s=?1 WHERE {own}rid=?2", merge->meta->info->table,
                  merge->meta->info->columns[column].name);
  kecs_status status = sql.status ? sql.status : kecs__run(merge->write->session, sql.data, values, 2, NULL);
  kecs__text_free(&sql);
  return status;
}

/* An edit that brought the number here and is nowhere else loses. */
static kecs_status kecs__merge_give_way(kecs__join *merge, int number, const kecs__state *other, const char *name,
                                        unsigned pending) {
  int at = merge->meta->info->columns[number].group == KECS_GROUP_SPEC ? KECS_REPLICA_SPEC : KECS_REPLICA_STATUS;
  kecs_replica_row row;
  if (!(pending & 1U << at) || other->values[number].number < KECS_REPLICA_ASIDE) {
    return KECS_OK;
  }
  memset(&row, 0, sizeof row);
  row.kind = merge->row->kind;
  row.key = name;
  row.values = other->values;
  merge->done.conflicts++;
  return kecs__replica_lost(merge->write, &row, "key", 1U << at, merge->row->stamp[at], merge->row->site[at],
                            other->stamp[at], other->site[at]);
}

/* Another row holds a unique key of the one that came. */
static kecs_status kecs__merge_meet(kecs__join *merge, const kecs_column_list *key, int64_t rid) {
  kecs__write *write = merge->write;
  kecs__state other;
  unsigned pending = 0;
  int number = kecs__merge_number(merge->meta, key);
  kecs_status status = kecs__state_read(write->session, merge->meta, rid, &write->arena, &other);
  const char *name = status ? NULL : kecs__state_name(write, merge->meta, other.values);
  if (!name) {
    return status ? status : KECS_E_NOMEM;
  }
  bool lost = false; /* the other side has, and has given the number away */
  status = kecs__state_unpushed(write->session, merge->side, merge->row->kind, name, &other, &pending);
  status = status ? status : kecs__state_resent(write->session, merge->row->kind, name, &lost);
  if (!status && (lost || pending & 1U << KECS_REPLICA_LIFE)) {
    return kecs__merge_evict(merge, &other, name);
  }
  if (!status && merge->row->force && number >= 0) {
    status = kecs__merge_give_way(merge, number, &other, name, pending);
    return status ? status : kecs__merge_aside(merge, number, rid);
  }
  merge->done.outcome = KECS_REPLICA_BLOCKED;
  status = status ? status : kecs__merge_want(write, merge->row->kind, merge->row->key);
  return status ? status : kecs__merge_want(write, merge->row->kind, name);
}

/* Frees the unique keys that the row will have; the outcome is BLOCKED where that can't be done now. */
static kecs_status kecs__merge_keys(kecs__join *merge, unsigned groups) {
  const kecs_kind_info *info = merge->meta->info;
  kecs_status status = KECS_OK;
  for (int k = 1; !status && k < info->key_count && merge->done.outcome != KECS_REPLICA_BLOCKED; k++) {
    const kecs_column_list *key = &info->keys[k];
    kecs_value values[KECS_KEY_COLUMNS_MAX];
    bool set = true;
    bool comes = false;
    int64_t rid = 0;
    for (int i = 0; i < key->count; i++) {
      comes = comes || kecs__merge_takes(merge, key->columns[i], groups);
      values[i] = merge->row->values[key->columns[i]];
      set = set && values[i].type != KECS_VALUE_NULL && (values[i].type != KECS_VALUE_TEXT || values[i].len > 0);
    }
    if (comes && (set || !key->when_set)) {
      status = kecs__state_rid(merge->write->session, merge->meta, k, values, key->count, &rid);
      status = status || rid == 0 || rid == merge->ours.rid ? status : kecs__merge_meet(merge, key, rid);
    }
  }
  return status;
}

/* ---- taking a row ---- */

KECS__FN kecs_status kecs__merged_follow(kecs__join *merge, const void *before) {
  const kecs__special *special = merge->meta->special;
  kecs__write *write = merge->write;
  int64_t rid = 0;
  bool found = false;
  if (!special->merged) {
    return KECS_OK;
  }
  const kecs_column_list *list = &merge->meta->info->keys[0];
  kecs_value key[KECS_KEY_COLUMNS_MAX];
  for (int i = 0; i < list->count; i++) {
    key[i] = merge->row->values[list->columns[i]];
  }
  kecs_status status = kecs__state_rid(write->session, merge->meta, 0, key, list->count, &rid);
  void *after = kecs__arena_take(&write->arena, merge->meta->info->row_size);
  if (status || !after) {
    return status ? status : KECS_E_NOMEM;
  }
  status = kecs__row_by_rid(write->session, merge->meta, rid, &write->arena, after, &found);
  write->quiet++; /* tags travel by themselves */
  status = status || !found ? status : special->merged(write, merge->meta, before, after);
  write->quiet--;
  return status;
}

static kecs_status kecs__merge_put(kecs__join *merge, unsigned groups) {
  kecs__merge_row row;
  int64_t stamp = 0;
  char *before = NULL;
  row.mask = 0;
  row.count = 0;
  if (merge->meta->special->merged && merge->ours.rid) {
    before = kecs__arena_take(&merge->write->arena, merge->meta->info->row_size);
    kecs_status read =
        before ? kecs__row_read(merge->meta, merge->ours.values, &merge->write->arena, before) : KECS_E_NOMEM;
    if (read) {
      return read;
    }
  }
  kecs_status status = kecs__merge_columns(merge, groups, &row);
  kecs__merge_stamps(merge, groups, &row);
  status = status ? status : kecs__merge_stamp(merge, &stamp);
  if (!status && merge->ours.rid == 0) {
    status = kecs__merge_insert(merge, &row, stamp);
  } else if (!status) {
    status = kecs__merge_update(merge, &row, groups, stamp);
  }
  return status ? status : kecs__merged_follow(merge, before);
}

KECS__FN kecs_status kecs__merge_take(kecs__join *merge, unsigned groups) {
  bool there = false;
  kecs_status status = kecs__merge_parents(merge, groups, &there);
  if (!status && !there) {
    merge->done.outcome = KECS_REPLICA_ORPHAN;
    return kecs__merge_want(merge->write, merge->row->kind, merge->row->key);
  }
  status = status ? status : kecs__merge_keys(merge, groups);
  if (status || merge->done.outcome == KECS_REPLICA_BLOCKED) {
    return status;
  }
  status = kecs__merge_put(merge, groups);
  merge->done.outcome = KECS_REPLICA_TAKEN;
  return status;
}
