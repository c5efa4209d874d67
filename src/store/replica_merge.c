/* store/replica_merge.c -- the merge of another store's state of a key, and what a file keeps for it.
 *
 * The later life takes the row; of one life each group keeps its later stamp (docs/sync.md). Rows are written here and
 * not by the write path, since their stamps are given; entries, rids and deletions are the write path's. What follows
 * from a row otherwise is tags, whose rows travel by themselves. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "base/json.h"
#include "store/access.h"
#include "store/document.h"
#include "store/history_log.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

#define KECS__MERGE_SQL 32768

/* A merge under way. */
typedef struct kecs__join {
  kecs__write *write;
  const kecs__meta *meta;
  const kecs_replica *side;
  const kecs_replica_row *row;
  kecs__state ours;
  unsigned pending; /* of ours */
  kecs_replica_merged done;
} kecs__join;

/* ---- what has lost ---- */

static void kecs__lost_json(kecs__text *out, const kecs_kind_info *info, const kecs_value *values) {
  const char *between = "{";
  for (int i = 0; i < info->column_count; i++) {
    const kecs_value *value = &values[i];
    if (value->type != KECS_VALUE_NULL && info->columns[i].group != KECS_GROUP_LOCAL) {
      kecs__text_addf(out, "%s\"%s\":", between, info->columns[i].name);
      between = ",";
      if (value->type == KECS_VALUE_TEXT) {
        kecs__json_quote(out, value->text, value->len);
      } else if (info->columns[i].type == KECS_TYPE_BOOL) {
        kecs__text_adds(out, value->number ? "true" : "false");
      } else {
        kecs__text_addf(out, "%lld", (long long)value->number);
      }
    }
  }
  kecs__text_adds(out, between[0] == '{' ? "{}" : "}");
}

KECS__FN kecs_status kecs__replica_lost(kecs__write *write, const kecs_replica_row *row, const char *reason,
                                        unsigned groups, int64_t kept_stamp, int64_t kept_site, int64_t lost_stamp,
                                        int64_t lost_site) {
  kecs__text lost;
  kecs__text_init(&lost, &write->engine->allocator, (size_t)1 << 30);
  kecs__lost_json(&lost, kecs_kind_describe(row->kind), row->values);
  kecs_status status = lost.status;
  if (!status) {
    kecs_value values[] = {kecs__value_int((int64_t)row->kind),
                           kecs__value_text(row->key),
                           kecs__value_int((int64_t)groups),
                           kecs__value_text(reason),
                           kecs__value_int(kept_stamp),
                           kecs__value_int(kept_site),
                           kecs__value_int(lost_stamp),
                           kecs__value_int(lost_site),
                           kecs__value_bytes(lost.data, lost.len),
                           kecs__value_int(write->now)};
    status = kecs__run(write->session,
                       "INSERT INTO {sync_conflicts}({tenant}kind,key,groups,reason,kept_stamp,kept_site,lost_stamp,"
                       "lost_site,lost,at) VALUES({ours}?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT DO NOTHING",
                       values, 10, NULL);
  }
  kecs__text_free(&lost);
  return status;
}

static const kecs_replica_row *kecs__merge_ours(const kecs__join *merge, kecs_replica_row *out) {
  *out = *merge->row; /* the key is the same */
  out->values = merge->ours.values;
  return out;
}

/* Notes what loses at one place (life or group). */
static kecs_status kecs__merge_lost(kecs__join *merge, bool ours, const char *reason, unsigned groups, int at) {
  kecs_replica_row row;
  const kecs_replica_row *lost = ours ? kecs__merge_ours(merge, &row) : merge->row;
  const kecs__state *mine = &merge->ours;
  const kecs_replica_row *theirs = merge->row;
  merge->done.conflicts++;
  return ours ? kecs__replica_lost(merge->write, lost, reason, groups, theirs->stamp[at], theirs->site[at],
                                   mine->stamp[at], mine->site[at])
              : kecs__replica_lost(merge->write, lost, reason, groups, mine->stamp[at], mine->site[at],
                                   theirs->stamp[at], theirs->site[at]);
}

/* Local stamps go on above what was merged: also above deletions, or a key that is created again here would begin a
 * life that has ended already. */
static void kecs__merge_raise(kecs__join *merge) {
  kecs__place *place = &merge->write->session->place;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    place->stamp = merge->row->stamp[i] > place->stamp ? merge->row->stamp[i] : place->stamp;
  }
}

/* ---- deleting ---- */

/* Before a row goes in another store's name: unpushed work in it is kept. The row that was deleted itself has been
 * looked at. */
static kecs_status kecs__burial_lose(kecs__write *write, const kecs__meta *meta, int64_t rid) {
  kecs__burial *burial = write->burial;
  kecs__state state;
  if (rid == burial->rid) {
    return KECS_OK;
  }
  kecs_status status = kecs__state_read(write->session, meta, rid, &write->arena, &state);
  unsigned pending = 0;
  if (status) {
    return status;
  }
  char *row = kecs__arena_take(&write->arena, meta->info->row_size);
  status = row ? kecs__row_read(meta, state.values, &write->arena, row) : KECS_E_NOMEM;
  const char *key = status ? NULL : kecs__feed_key(meta, row, &write->arena);
  if (!key) {
    return status ? status : KECS_E_NOMEM;
  }
  status = kecs__state_unpushed(write->session, burial->side, meta->info->kind, key, &state, &pending);
  if (status || !pending) {
    return status;
  }
  kecs_replica_row lost;
  memset(&lost, 0, sizeof lost);
  lost.kind = meta->info->kind;
  lost.key = key;
  lost.values = state.values;
  burial->conflicts++;
  return kecs__replica_lost(write, &lost, "parent", pending, burial->stamp, burial->site, state.stamp[0],
                            state.site[0]);
}

static kecs_status kecs__merge_bury(kecs__join *merge, const kecs__meta *meta, int64_t rid, int64_t stamp,
                                    int64_t site) {
  kecs__write *write = merge->write;
  kecs__burial burial = {stamp, site, kecs__burial_lose, merge->side, 0, rid};
  bool found = false;
  char *row = kecs__arena_take(&write->arena, meta->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, meta, rid, &write->arena, row, &found) : KECS_E_NOMEM;
  write->burial = &burial;
  write->quiet++;
  status = status || !found ? status : kecs__row_delete(write, meta, rid, row);
  write->quiet--;
  write->burial = NULL;
  merge->done.conflicts += burial.conflicts;
  return status;
}

/* A deletion of a row that is not here is kept all the same: it orders what may still come. */
static kecs_status kecs__merge_grave(kecs__join *merge) {
  static const int64_t none[KECS__STAMPS];
  kecs__write *write = merge->write;
  int64_t stamp = 0;
  kecs__grave grave;
  kecs_status status = kecs__grave_read(write->session, merge->row->kind, merge->row->key, &grave);
  if (status || (grave.seq && kecs__stamp_compare(merge->side, merge->row->stamp[0], merge->row->site[0], grave.stamp,
                                                  grave.site) <= 0)) {
    return status;
  }
  status = kecs__feed_stamp(write, &stamp);
  status = status
               ? status
               : kecs__feed_append(write, (int)merge->row->kind, 0, KECS__GROUPS_ALL, KECS__FEED_DELETED, stamp, none);
  kecs_value values[] = {kecs__value_int(write->session->place.seq), kecs__value_int((int64_t)merge->row->kind),
                         kecs__value_text(merge->row->key), kecs__value_int(merge->row->stamp[0]),
                         kecs__value_int(merge->row->site[0])};
  merge->done.outcome = KECS_REPLICA_TAKEN;
  return status ? status
                : kecs__run(write->session,
                            "INSERT INTO {change_tombstones}({tenant}seq,kind,rid,key,stamp,site) "
                            "VALUES({ours}?1,?2,0,?3,?4,?5)",
                            values, 5, NULL);
}

static kecs_status kecs__merge_dead(kecs__join *merge) {
  const kecs_replica_row *row = merge->row;
  if (merge->ours.rid == 0) {
    kecs__merge_raise(merge);
    return kecs__merge_grave(merge);
  }
  if (kecs__stamp_compare(merge->side, row->stamp[0], row->site[0], merge->ours.stamp[0], merge->ours.site[0]) <= 0) {
    return KECS_OK; /* created anew since */
  }
  kecs_status status = merge->pending ? kecs__merge_lost(merge, true, "delete", merge->pending, 0) : KECS_OK;
  merge->done.outcome = KECS_REPLICA_TAKEN;
  kecs__merge_raise(merge);
  return status ? status : kecs__merge_bury(merge, merge->meta, merge->ours.rid, row->stamp[0], row->site[0]);
}

/* ---- writing rows ---- */

/* Whether a column comes with a mask of groups; the life brings all that travels. */
static bool kecs__merge_takes(const kecs__meta *meta, int column, unsigned groups) {
  switch (meta->info->columns[column].group) {
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
  kecs_value value = ours ? *ours : kecs__column_default(&meta->info->columns[column]);
  if (value.type == KECS_VALUE_NULL && (meta->info->columns[column].flags & KECS_COLUMN_NOT_NULL)) {
    value.type = KECS_VALUE_INT;
  }
  return value;
}

/* The columns and their values, then the stamps: what INSERT and UPDATE write. `*out_count` of them. */
static void kecs__merge_columns(const kecs__join *merge, unsigned groups, kecs__text *names, kecs__text *update,
                                kecs_value *values, int *out_count) {
  static const char *const stamps[KECS_REPLICA_STAMPS] = {"life", "spec", "status"};
  const kecs__meta *meta = merge->meta;
  bool whole = groups & 1U << KECS_REPLICA_LIFE;
  uint64_t taken = 0;
  int count = 0;
  for (int i = 0; i < meta->info->column_count; i++) {
    taken |= kecs__merge_takes(meta, i, groups) ? KECS_BIT(i) : 0;
  }
  for (int i = 0; i < meta->info->column_count; i++) {
    bool local = meta->info->columns[i].group == KECS_GROUP_LOCAL;
    bool follows = i == meta->version || i == meta->updated_at || i == meta->omitted;
    if ((taken & KECS_BIT(i)) || (local && (follows || merge->ours.rid == 0))) {
      values[count] = local ? kecs__merge_local(merge, i, taken) : merge->row->values[i];
      kecs__text_addf(names, "%s%s", count ? "," : "", meta->info->columns[i].name);
      kecs__text_addf(update, "%s%s=?%d", count ? "," : "", meta->info->columns[i].name, count + 1);
      count++;
    }
  }
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    kecs_column_group group = i == KECS_REPLICA_SPEC ? KECS_GROUP_SPEC : KECS_GROUP_STATUS;
    if ((whole || groups & 1U << i) && (i == KECS_REPLICA_LIFE || kecs__feed_has_group(meta->info, group))) {
      bool none = i != KECS_REPLICA_LIFE && merge->row->stamp[i] == 0;
      values[count] = none ? kecs__value_text(NULL) : kecs__value_int(merge->row->stamp[i]);
      values[count + 1] = none ? kecs__value_text(NULL) : kecs__value_int(merge->row->site[i]);
      kecs__text_addf(names, ",stamp_%s,site_%s", stamps[i], stamps[i]);
      kecs__text_addf(update, ",stamp_%s=?%d,site_%s=?%d", stamps[i], count + 1, stamps[i], count + 2);
      count += 2;
    }
  }
  *out_count = count;
}

static kecs_status kecs__merge_stamp(kecs__join *merge, int64_t *out_stamp) {
  kecs__merge_raise(merge);
  return kecs__feed_stamp(merge->write, out_stamp);
}

static kecs_status kecs__merge_run(kecs__join *merge, const kecs__text *sql, const kecs_value *values, int count) {
  kecs__cached *cached = NULL;
  kecs_status status =
      sql->status ? sql->status : kecs__statement_text(merge->write->session, sql->data, sql->len, &cached);
  return status ? status : kecs__statement_run(merge->write->session, cached, values, count);
}

static kecs_status kecs__merge_insert(kecs__join *merge, const kecs__text *names, const kecs_value *values, int count,
                                      int64_t stamp) {
  static const int64_t none[KECS__STAMPS];
  kecs__write *write = merge->write;
  const kecs_kind_info *info = merge->meta->info;
  int64_t mark = 0;
  kecs__text sql;
  kecs__text_init(&sql, &write->engine->allocator, KECS__MERGE_SQL);
  kecs__text_addf(&sql, "INSERT INTO {%s}({tenant}%s) VALUES({ours}", info->table, names->data);
  for (int i = 0; i < count; i++) {
    kecs__text_addf(&sql, "%s?%d", i ? "," : "", i + 1);
  }
  kecs__text_addc(&sql, ')');
  kecs_status status = kecs__feed_mark(write, merge->meta, &mark);
  status = status ? status : kecs__merge_run(merge, &sql, values, count);
  int64_t rid = status ? 0 : write->engine->backend->last_rid(write->session->connection);
  status = status ? status : kecs__feed_new_rid(write, merge->meta, mark, &rid);
  status = status ? status
                  : kecs__feed_append(write, (int)info->kind, rid, KECS__GROUPS_ALL, KECS__FEED_CREATED, stamp, none);
  if (!status && kecs__history_kept(write, merge->meta)) {
    kecs__past nothing = {{0}, false};
    status = kecs__history_add(write, merge->meta, KECS__FEED_CREATED, rid, stamp, &nothing);
  }
  kecs__text_free(&sql);
  return status;
}

static kecs_status kecs__merge_update(kecs__join *merge, const kecs__text *update, kecs_value *values, int count,
                                      unsigned groups, int64_t stamp) {
  kecs__write *write = merge->write;
  const kecs_kind_info *info = merge->meta->info;
  uint64_t bits = groups & 1U << KECS_REPLICA_LIFE ? KECS__GROUPS_ALL : 0;
  bits |= groups & 1U << KECS_REPLICA_SPEC ? KECS_BIT(KECS_GROUP_SPEC) : 0;
  bits |= groups & 1U << KECS_REPLICA_STATUS ? KECS_BIT(KECS_GROUP_STATUS) : 0;
  kecs__text sql;
  kecs__text_init(&sql, &write->engine->allocator, KECS__MERGE_SQL);
  kecs__text_addf(&sql, "UPDATE {%s} SET %s WHERE {own}rid=?%d", info->table, update->data, count + 1);
  values[count] = kecs__value_int(merge->ours.rid);
  kecs__past past = {{0}, true};
  bool kept = kecs__history_kept(write, merge->meta);
  kecs__text_init(&past.text, &write->engine->allocator, KECS__HISTORY_MAX);
  kecs_status status = kept ? kecs__history_whole(write, merge->meta, merge->ours.rid, &past.text) : KECS_OK;
  status = status ? status : kecs__merge_run(merge, &sql, values, count + 1);
  status = status ? status
                  : kecs__feed_append(write, (int)info->kind, merge->ours.rid, bits, KECS__FEED_UPDATED, stamp,
                                      merge->ours.stamp);
  if (!status && kept) {
    status = kecs__history_add(write, merge->meta, KECS__FEED_UPDATED, merge->ours.rid, stamp, &past);
  }
  kecs__text_free(&past.text);
  kecs__text_free(&sql);
  return status;
}

/* ---- what is in the way ---- */

/* Whether every parent that the row will refer to is here. */
static kecs_status kecs__merge_parents(kecs__join *merge, unsigned groups, bool *out_there) {
  const kecs_kind_info *info = merge->meta->info;
  *out_there = true;
  for (int i = 0; *out_there && i < info->reference_count; i++) {
    const kecs_reference *reference = &info->references[i];
    const kecs_value *value = &merge->row->values[reference->column];
    int64_t rid = 0;
    if (kecs__merge_takes(merge->meta, reference->column, groups) && value->type != KECS_VALUE_NULL) {
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

/* Another row that holds a unique key of this one goes: the hub, which knows both, has kept this one. */
static kecs_status kecs__merge_evict(kecs__join *merge, int64_t rid) {
  kecs__join other = *merge;
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  kecs_status status = kecs__state_read(merge->write->session, merge->meta, rid, &merge->write->arena, &other.ours);
  char *copy = kecs__arena_take(&merge->write->arena, merge->meta->info->row_size);
  status = status ? status
           : copy ? kecs__row_read(merge->meta, other.ours.values, &merge->write->arena, copy)
                  : KECS_E_NOMEM;
  row.kind = merge->row->kind;
  row.key = status ? NULL : kecs__feed_key(merge->meta, copy, &merge->write->arena);
  row.values = other.ours.values;
  status = status || row.key ? status : KECS_E_NOMEM;
  status = status ? status
                  : kecs__replica_lost(merge->write, &row, "key", 1U << KECS_REPLICA_LIFE, merge->row->stamp[0],
                                       merge->row->site[0], other.ours.stamp[0], other.ours.site[0]);
  merge->done.conflicts++;
  return status ? status : kecs__merge_bury(merge, merge->meta, rid, 0, KECS_REPLICA_HERE);
}

static kecs_status kecs__merge_keys(kecs__join *merge) {
  const kecs_kind_info *info = merge->meta->info;
  for (int k = 1; k < info->key_count; k++) {
    const kecs_column_list *key = &info->keys[k];
    kecs_value values[KECS_KEY_COLUMNS_MAX];
    bool set = true;
    int64_t rid = 0;
    for (int i = 0; i < key->count; i++) {
      values[i] = merge->row->values[key->columns[i]];
      set = set && values[i].type != KECS_VALUE_NULL && (values[i].type != KECS_VALUE_TEXT || values[i].len > 0);
    }
    if (set || !key->when_set) {
      kecs_status status = kecs__state_rid(merge->write->session, merge->meta, k, values, key->count, &rid);
      status = status || rid == 0 || rid == merge->ours.rid ? status : kecs__merge_evict(merge, rid);
      if (status) {
        return status;
      }
    }
  }
  return KECS_OK;
}

/* Takes what `groups` says of the row. */
static kecs_status kecs__merge_take(kecs__join *merge, unsigned groups) {
  kecs_value values[64 + 2 * KECS_REPLICA_STAMPS + 1];
  kecs__text names;
  kecs__text update;
  int count = 0;
  int64_t stamp = 0;
  bool there = false;
  kecs_status status = kecs__merge_parents(merge, groups, &there);
  if (status || !there) {
    merge->done.outcome = KECS_REPLICA_ORPHAN;
    return status;
  }
  status = groups & 1U << KECS_REPLICA_LIFE ? kecs__merge_keys(merge) : KECS_OK;
  kecs__text_init(&names, &merge->write->engine->allocator, KECS__MERGE_SQL);
  kecs__text_init(&update, &merge->write->engine->allocator, KECS__MERGE_SQL);
  kecs__merge_columns(merge, groups, &names, &update, values, &count);
  status = status ? status : names.status ? names.status : update.status;
  status = status ? status : kecs__merge_stamp(merge, &stamp);
  if (!status && merge->ours.rid == 0) {
    status = kecs__merge_insert(merge, &names, values, count, stamp);
  } else if (!status) {
    status = kecs__merge_update(merge, &update, values, count, groups, stamp);
  }
  kecs__text_free(&names);
  kecs__text_free(&update);
  merge->done.outcome = KECS_REPLICA_TAKEN;
  return status;
}

/* ---- comparing ---- */

/* The stamp of a group before the first change that is not acknowledged: what that change was based on. It stands in the
 * row's first entry with the group, or in the fold of such entries. */
#define KECS__FIRST_BASE(base, bit)                                                                  \
  "SELECT " base " FROM (SELECT seq," base                                                           \
  " FROM {change_folds} WHERE {own}rid=?1 AND kind=?2 AND groups&" bit "<>0 UNION ALL SELECT seq," base \
  " FROM {changes} WHERE {own}rid=?1 AND kind=?2 AND groups&" bit "<>0 AND stamp>?3) ORDER BY seq LIMIT 1"

static kecs_status kecs__merge_base(kecs__join *merge, int at, int64_t *out_base) {
  static const char *const forms[KECS_REPLICA_STAMPS] = {NULL, KECS__FIRST_BASE("base_spec", "2"),
                                                         KECS__FIRST_BASE("base_status", "4")};
  kecs_value values[] = {kecs__value_int(merge->ours.rid), kecs__value_int((int64_t)merge->row->kind),
                         kecs__value_int(merge->side->acked)};
  return kecs__feed_number(merge->write->session, forms[at], values, 3, out_base);
}

/* Two rows of one life, group by group. */
static kecs_status kecs__merge_groups(kecs__join *merge, unsigned *out_groups) {
  kecs_status status = KECS_OK;
  *out_groups = 0;
  for (int i = KECS_REPLICA_SPEC; !status && i < KECS_REPLICA_STAMPS; i++) {
    const kecs_replica_row *row = merge->row;
    int order =
        kecs__stamp_compare(merge->side, row->stamp[i], row->site[i], merge->ours.stamp[i], merge->ours.site[i]);
    bool pending = merge->pending & 1U << i;
    int64_t base = 0;
    if (order > 0) {
      status = pending ? kecs__merge_lost(merge, true, "update", 1U << i, i) : KECS_OK;
      *out_groups |= 1U << i;
    } else if (order < 0 && pending && row->stamp[i] != 0) {
      status = kecs__merge_base(merge, i, &base);
      status = status || base >= row->stamp[i] ? status : kecs__merge_lost(merge, false, "update", 1U << i, i);
    }
  }
  return status;
}

/* A living row against the tombstone that is here: a change that the deletion had not seen is kept in the log. */
static kecs_status kecs__merge_buried(kecs__join *merge, const kecs__grave *grave) {
  const kecs_replica_row *row = merge->row;
  kecs_value seq = kecs__value_int(grave->seq);
  int64_t mark = 0;
  int64_t seen = 0;
  kecs_status status = kecs__feed_state(merge->write->session, KECS__FEED_PUSHED, &mark);
  if (status || grave->site != KECS_REPLICA_HERE || grave->seq <= mark) {
    return status;
  }
  status = kecs__feed_number(merge->write->session,
                             "SELECT max(coalesce(base_life,0),coalesce(base_spec,0),coalesce(base_status,0)) "
                             "FROM {changes} WHERE {own}seq=?1",
                             &seq, 1, &seen);
  int64_t newest = row->stamp[0];
  for (int i = 1; i < KECS_REPLICA_STAMPS; i++) {
    newest = row->stamp[i] > newest ? row->stamp[i] : newest;
  }
  if (status || newest <= seen) {
    return status;
  }
  merge->done.conflicts++;
  return kecs__replica_lost(merge->write, row, "delete", 1U << KECS_REPLICA_LIFE, grave->stamp, grave->site, newest,
                            row->site[0]);
}

static kecs_status kecs__merge_alive(kecs__join *merge) {
  const kecs_replica_row *row = merge->row;
  const unsigned whole = 1U << KECS_REPLICA_LIFE;
  unsigned groups = 0;
  kecs__grave grave;
  kecs_status status = KECS_OK;
  if (merge->ours.rid == 0) {
    status = kecs__grave_read(merge->write->session, row->kind, row->key, &grave);
    bool buried = !status && grave.seq &&
                  kecs__stamp_compare(merge->side, grave.stamp, grave.site, row->stamp[0], row->site[0]) > 0;
    return status ? status : buried ? kecs__merge_buried(merge, &grave) : kecs__merge_take(merge, whole);
  }
  int order = kecs__stamp_compare(merge->side, row->stamp[0], row->site[0], merge->ours.stamp[0], merge->ours.site[0]);
  if (order > 0) {
    status = merge->pending ? kecs__merge_lost(merge, true, "create", merge->pending, 0) : KECS_OK;
    groups = whole;
  } else if (order < 0) {
    return merge->pending & whole ? kecs__merge_lost(merge, false, "create", whole, 0) : KECS_OK;
  } else {
    status = kecs__merge_groups(merge, &groups);
  }
  return status || !groups ? status : kecs__merge_take(merge, groups);
}

/* What another copy of this file has pushed under their common number is not somebody else's write. */
static kecs_status kecs__merge_same(kecs__join *merge) {
  static const char *const names[KECS_REPLICA_STAMPS] = {"life", "spec", "status"};
  const kecs_replica_row *row = merge->row;
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < KECS_REPLICA_STAMPS; i++) {
    bool same = merge->ours.site[i] == KECS_REPLICA_HERE && row->stamp[i] && merge->ours.stamp[i] == row->stamp[i] &&
                row->site[i] == merge->side->former;
    if (same) {
      kecs_value values[] = {kecs__value_int(merge->side->former), kecs__value_int(merge->ours.rid)};
      kecs__text sql;
      kecs__text_init(&sql, &merge->write->engine->allocator, KECS__MERGE_SQL);
      kecs__text_addf(&sql, "UPDATE {%s} SET site_%s=?1 WHERE {own}rid=?2", merge->meta->info->table, names[i]);
      status = kecs__merge_run(merge, &sql, values, 2);
      kecs__text_free(&sql);
      merge->ours.site[i] = merge->side->former;
    }
  }
  return status;
}

/* The row goes, and nothing is said about its life: its tombstone is no later than the row was, so that it may come back
 * as it is. What was not pushed goes to the log. */
static kecs_status kecs__merge_leave(kecs__join *merge) {
  const kecs__state *ours = &merge->ours;
  int64_t newest = ours->stamp[0];
  kecs_replica_row row;
  if (ours->rid == 0) {
    return KECS_OK;
  }
  for (int i = 1; i < KECS_REPLICA_STAMPS; i++) {
    newest = ours->stamp[i] > newest ? ours->stamp[i] : newest;
  }
  int64_t site = ours->site[0] == KECS_REPLICA_HERE ? merge->side->site : ours->site[0];
  kecs_status status = merge->pending ? kecs__replica_lost(merge->write, kecs__merge_ours(merge, &row), "scope",
                                                           merge->pending, 0, 0, newest, ours->site[0])
                                      : KECS_OK;
  merge->done.conflicts += merge->pending != 0;
  merge->done.outcome = KECS_REPLICA_TAKEN;
  return status ? status : kecs__merge_bury(merge, merge->meta, ours->rid, ours->stamp[0], site);
}

static kecs_status kecs__merge_work(kecs__write *write, void *user) {
  kecs__join *merge = user;
  const kecs_column_list *list = &merge->meta->info->keys[0];
  kecs_value key[KECS_KEY_COLUMNS_MAX];
  int64_t rid = 0;
  merge->write = write;
  memset(&merge->ours, 0, sizeof merge->ours);
  memset(&merge->done, 0, sizeof merge->done);
  kecs_status status = kecs__write_guard(write);
  status = status ? status : kecs__feed_begin(write);
  if (!status && !write->session->place.on) {
    return kecs__fail_no_feed(write->engine);
  }
  status = status ? status : kecs__state_key(merge->meta, merge->row->key, &write->arena, key);
  status = status ? status : kecs__state_rid(write->session, merge->meta, 0, key, list->count, &rid);
  if (!status && rid) {
    status = kecs__state_read(write->session, merge->meta, rid, &write->arena, &merge->ours);
  }
  if (!status && rid && !merge->row->dead && merge->side->former) {
    status = kecs__merge_same(merge);
  }
  merge->pending = 0;
  if (!status && rid) {
    status = kecs__state_unpushed(write->session, merge->side, merge->row->kind, merge->row->key, &merge->ours,
                                  &merge->pending);
  }
  return status                ? status
         : merge->row->leaves ? kecs__merge_leave(merge)
         : merge->row->dead   ? kecs__merge_dead(merge)
                              : kecs__merge_alive(merge);
}

KECS_STORE_API kecs_status kecs_replica_merge(kecs_store *store, const kecs_replica *side, const kecs_replica_row *row,
                                              kecs_replica_merged *out_merged) {
  kecs__join merge;
  kecs_status status = kecs__check_pointer(side, "side");
  status = status ? status : kecs__check_pointer(row, "row");
  status = status ? status : kecs__check_pointer(row->key, "row.key");
  status = status || row->dead ? status : kecs__check_pointer(row->values, "row.values");
  if (status) {
    return status;
  }
  memset(&merge, 0, sizeof merge);
  merge.meta = kecs__meta_checked(store, row->kind);
  merge.side = side;
  merge.row = row;
  if (!merge.meta) {
    return kecs_last_error()->status;
  }
  status = kecs__with_write(store, kecs__merge_work, &merge);
  if (out_merged) {
    *out_merged = merge.done;
  }
  return status;
}
