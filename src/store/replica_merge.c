/* store/replica_merge.c -- the merge of another store's state of a key.
 *
 * The later life takes the row; of one life each group keeps its later stamp (docs/sync.md). Rows are written here and
 * not by the write path, since their stamps are given; entries, rids and deletions are the write path's. What follows
 * from a row otherwise is tags, whose rows travel by themselves. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

/* ---- what is dead there ---- */

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
    kecs__merge_passed(merge);
    return kecs__merge_grave(merge);
  }
  if (kecs__stamp_compare(merge->side, row->stamp[0], row->site[0], merge->ours.stamp[0], merge->ours.site[0]) <= 0) {
    return KECS_OK; /* created anew since */
  }
  kecs_status status = merge->pending ? kecs__merge_lost(merge, true, "delete", merge->pending, 0) : KECS_OK;
  merge->done.outcome = KECS_REPLICA_TAKEN;
  kecs__merge_passed(merge);
  return status ? status : kecs__merge_bury(merge, merge->meta, merge->ours.rid, row->stamp[0], row->site[0]);
}

/* ---- comparing ---- */

/* A living row against the tombstone that is here: a change that the deletion had not seen is kept in the log. */
static kecs_status kecs__merge_buried(kecs__join *merge, const kecs__grave *grave) {
  const kecs_replica_row *row = merge->row;
  kecs_value seq = kecs__value_int(grave->seq);
  int64_t mark = 0;
  int64_t seen = 0;
  kecs_status status = kecs__feed_state(merge->write->session, KECS__FEED_PUSHED, &mark);
  if (!status && (grave->site != KECS_REPLICA_HERE || grave->seq <= mark)) {
    return kecs__replica_retell(merge->write, row, grave, &merge->done.conflicts);
  }
  if (status) {
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

/* A row that came partly, and is here in the same life: the rest of it is what is here. */
static kecs_status kecs__merge_complete(kecs__join *merge) {
  const kecs_kind_info *info = merge->meta->info;
  kecs_replica_row *row = kecs__arena_take(&merge->write->arena, sizeof *row);
  kecs_value *values = kecs__arena_take(&merge->write->arena, (size_t)info->column_count * sizeof *values);
  if (!row || !values) {
    return KECS_E_NOMEM;
  }
  *row = *merge->came;
  row->values = values;
  row->partly = false;
  for (int i = 0; i < info->column_count; i++) {
    kecs_column_group group = (kecs_column_group)info->columns[i].group;
    bool came = (group == KECS_GROUP_SPEC && row->stamp[KECS_REPLICA_SPEC]) ||
                (group == KECS_GROUP_STATUS && row->stamp[KECS_REPLICA_STATUS]);
    values[i] = came ? merge->came->values[i] : merge->ours.values[i];
  }
  for (int i = 1; i < KECS_REPLICA_STAMPS; i++) {
    bool came = row->stamp[i] != 0;
    row->stamp[i] = came ? row->stamp[i] : merge->ours.stamp[i];
    row->site[i] = came ? row->site[i] : merge->ours.site[i];
  }
  merge->row = row;
  return KECS_OK;
}

static kecs_status kecs__merge_alive(kecs__join *merge) {
  const kecs_replica_row *row = merge->row;
  const unsigned whole = 1U << KECS_REPLICA_LIFE;
  unsigned groups = 0;
  kecs__grave grave;
  kecs_status status = KECS_OK;
  if (row->partly && (merge->ours.rid == 0 || kecs__stamp_compare(merge->side, row->stamp[0], row->site[0],
                                                                  merge->ours.stamp[0], merge->ours.site[0]) != 0)) {
    merge->done.outcome = KECS_REPLICA_ORPHAN;
    return kecs__merge_want(merge->write, row->kind, row->key);
  }
  if (row->partly) {
    status = kecs__merge_complete(merge);
    if (status) {
      return status;
    }
    row = merge->row;
  }
  if (merge->ours.rid == 0) {
    status = kecs__grave_read(merge->write->session, row->kind, row->key, &grave);
    bool buried = !status && grave.seq &&
                  kecs__stamp_compare(merge->side, grave.stamp, grave.site, row->stamp[0], row->site[0]) > 0;
    return status ? status : buried ? kecs__merge_buried(merge, &grave) : kecs__merge_take(merge, whole);
  }
  int order = kecs__stamp_compare(merge->side, row->stamp[0], row->site[0], merge->ours.stamp[0], merge->ours.site[0]);
  if (order != 0 && merge->meta->special->numbered && (merge->pending & whole)) {
    bool done = false;
    status = kecs__merge_renumber(merge, &done);
    if (status || done) {
      return status ? status : kecs__merge_take(merge, whole);
    }
  }
  if (order > 0) {
    status = merge->pending ? kecs__merge_lost(merge, true, "create", merge->pending, 0) : KECS_OK;
    groups = whole;
  } else if (order < 0) {
    return merge->pending & whole ? kecs__merge_lost(merge, false, "create", whole, 0) : KECS_OK;
  } else {
    return kecs__merge_life(merge);
  }
  return status || !groups ? status : kecs__merge_take(merge, groups);
}

/* The row goes, and nothing is said about its life: its tombstone is no later than the row was, so that it may come
 * back as it is. What was not pushed goes to the log. */
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
  merge->row = merge->came;
  memset(&merge->ours, 0, sizeof merge->ours);
  memset(&merge->done, 0, sizeof merge->done);
  kecs_status status = merge->side->as_one ? KECS_OK : kecs__write_guard(write);
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
    status = kecs__replica_same_write(write, merge->side, merge->row, &merge->ours);
  }
  merge->pending = 0;
  if (!status && rid) {
    status = kecs__state_unpushed(write->session, merge->side, merge->row->kind, merge->row->key, &merge->ours,
                                  &merge->pending);
  }
  if (!status && merge->row->dead && merge->meta->special->numbered) {
    status = kecs__merge_seen(merge);
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
  merge.came = row;
  if (!merge.meta) {
    return kecs_last_error()->status;
  }
  status = side->as_one ? kecs__with_write_as_one(store, kecs__merge_work, &merge)
                        : kecs__with_write(store, kecs__merge_work, &merge);
  if (out_merged) {
    *out_merged = merge.done;
  }
  return status;
}
