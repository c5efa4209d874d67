/* store/replica_schema.c -- columns that one side has come to know later than the other.
 *
 * A row that came before its column was known here is here without it, under the same stamps. So it is filled in
 * beside the order of stamps: a column that still has its default takes what the other side has. And what was written
 * here before the other side knew the column is written once more, as an edit. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/document.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

#define KECS__SCHEMA_SQL 16384

/* ---- what came ---- */

KECS__FN kecs_status kecs__merged_fill(kecs__join *merge, unsigned taken) {
  const kecs__meta *meta = merge->meta;
  kecs_value values[65];
  kecs__text sql;
  uint64_t mask = 0;
  int64_t stamp = 0;
  int count = 0;
  kecs__text_init(&sql, &merge->write->engine->allocator, KECS__SCHEMA_SQL);
  kecs__text_addf(&sql, "UPDATE {%s} SET ", meta->info->table);
  for (int i = 0; i < meta->info->column_count; i++) {
    const kecs_value *theirs = &merge->row->values[i];
    kecs_column_group group = (kecs_column_group)meta->info->columns[i].group;
    unsigned bit = group == KECS_GROUP_SPEC     ? 1U << KECS_REPLICA_SPEC
                   : group == KECS_GROUP_STATUS ? 1U << KECS_REPLICA_STATUS
                                                : 0;
    kecs_value plain = kecs__merge_default(meta, i);
    if ((merge->row->fill & KECS_BIT(i)) && !(taken & bit) && kecs__value_same(&merge->ours.values[i], &plain) &&
        !kecs__value_same(theirs, &plain)) {
      kecs__text_addf(&sql, "%s%s=?%d", count ? "," : "", meta->info->columns[i].name, count + 1);
      values[count++] = *theirs;
      mask |= KECS_BIT(i);
    }
  }
  values[count] = kecs__value_int(merge->ours.rid);
  kecs__text_addf(&sql, " WHERE {own}rid=?%d", count + 1);
  kecs_status status = count ? sql.status : KECS_OK;
  status = status || !count ? status : kecs__merge_stamp(merge, &stamp);
  status = status || !count ? status : kecs__run(merge->write->session, sql.data, values, count + 1, NULL);
  kecs__text_free(&sql);
  if (!status && count) {
    merge->done.outcome = KECS_REPLICA_TAKEN;
    status = kecs__feed_append(merge->write, (int)meta->info->kind, merge->ours.rid, kecs__feed_groups(meta, mask),
                               KECS__FEED_UPDATED, stamp, merge->ours.stamp);
  }
  return status;
}

/* ---- what is here ---- */

typedef struct kecs__touch {
  const kecs__meta *meta;
  uint64_t columns;
} kecs__touch;

/* "a IS NOT 'x' OR b IS NOT NULL", of the columns of a group; false where there are none. */
static bool kecs__touch_differs(kecs__text *sql, const kecs__touch *touch, kecs_column_group group) {
  bool any = false;
  for (int i = 0; i < touch->meta->info->column_count; i++) {
    const kecs_column_info *column = &touch->meta->info->columns[i];
    if (!(touch->columns & KECS_BIT(i)) || column->group != group) {
      continue;
    }
    kecs_value plain = kecs__merge_default(touch->meta, i);
    kecs__text_addf(sql, "%s%s IS NOT ", any ? " OR " : "", column->name);
    if (plain.type == KECS_VALUE_NULL) {
      kecs__text_adds(sql, "NULL");
    } else if (plain.type == KECS_VALUE_TEXT) { /* from the kind files, which have no quote */
      kecs__text_addf(sql, "'%s'", plain.text);
    } else {
      kecs__text_addf(sql, "%lld", (long long)plain.number);
    }
    any = true;
  }
  return any;
}

/* The group's last writer is this file. Entries first, which say what the stamps were. */
static kecs_status kecs__touch_group(kecs__write *write, const kecs__touch *touch, int at) {
  static const char *const names[KECS_REPLICA_STAMPS] = {"life", "spec", "status"};
  const char *name = names[at];
  const char *table = touch->meta->info->table;
  kecs_column_group group = at == KECS_REPLICA_SPEC ? KECS_GROUP_SPEC : KECS_GROUP_STATUS;
  kecs__text which;
  kecs__text sql;
  kecs__feed_end end;
  int64_t stamp = 0;
  kecs__text_init(&which, &write->engine->allocator, KECS__SCHEMA_SQL);
  kecs__text_init(&sql, &write->engine->allocator, KECS__SCHEMA_SQL);
  bool any = kecs__touch_differs(&which, touch, group);
  kecs_status status = any ? kecs__feed_stamp(write, &stamp) : KECS_OK;
  if (!status && any) {
    kecs_value values[] = {kecs__value_int(stamp), kecs__value_int((int64_t)touch->meta->info->kind),
                           kecs__value_int((int64_t)KECS_BIT(group))};
    kecs__text_addf(
        &sql,
        "INSERT INTO {changes}({tenant}kind,rid,groups,op,stamp,base_life,base_%s) SELECT {ours}?2,rid,?3,2,"
        "?1+rid,stamp_life,stamp_%s FROM {%s} WHERE {own}CASE WHEN stamp_%s IS NULL THEN site_life ELSE "
        "site_%s END IS NULL AND (%s) ORDER BY rid",
        name, name, table, name, name, which.status ? "" : which.data);
    status = which.status ? which.status : sql.status;
    status = status ? status : kecs__run(write->session, sql.data, values, 3, NULL);
    kecs__text_clear(&sql);
    kecs__text_addf(&sql,
                    "UPDATE {%s} SET stamp_%s=?1+rid,site_%s=NULL WHERE {own}CASE WHEN stamp_%s IS NULL THEN site_life "
                    "ELSE site_%s END IS NULL AND (%s)",
                    table, name, name, name, name, which.status ? "" : which.data);
    status = status ? status : sql.status ? sql.status : kecs__run(write->session, sql.data, values, 1, NULL);
    status = status ? status : kecs__feed_read_end(write->session, &end);
  }
  if (!status && any) {
    write->session->place.stamp = end.stamp > stamp ? end.stamp : stamp;
    write->session->place.seq = end.seq;
    write->session->place.appended = true;
  }
  kecs__text_free(&which);
  kecs__text_free(&sql);
  return status;
}

static kecs_status kecs__touch_work(kecs__write *write, void *user) {
  kecs_status status = kecs__write_guard(write);
  status = status ? status : kecs__feed_begin(write);
  if (!status && !write->session->place.on) {
    return kecs__fail_no_feed(write->engine);
  }
  status = status ? status : kecs__touch_group(write, user, KECS_REPLICA_SPEC);
  return status ? status : kecs__touch_group(write, user, KECS_REPLICA_STATUS);
}

KECS_STORE_API kecs_status kecs_replica_touch(kecs_store *store, kecs_kind kind, uint64_t columns) {
  kecs__touch touch = {kecs__meta_checked(store, kind), columns};
  return touch.meta ? kecs__with_write(store, kecs__touch_work, &touch) : kecs_last_error()->status;
}
