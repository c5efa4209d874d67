/* store/replica_clock.c -- stamps by another clock than this one: how far it is off, and what it has stamped wrongly.
 *
 * The table sync_restamp maps old stamps to new ones while they are given anew, and is empty otherwise. Whatever holds
 * a stamp of this file's own goes through it: rows, tombstones and folds that are still to be pushed, entries of the
 * log with the stamps that they were based on, the history. Stamps of others are never touched. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "base/time.h"
#include "store/access.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

#define KECS__RESTAMP_SQL 2048
#define KECS__RESTAMP_SHIFT 16
#define KECS__RESTAMP_CLOSE_US INT64_C(60000000)

/* Columns with stamps, and the site beside them: where it is set, or the stamp was acknowledged, it is somebody else's,
 * too. NULL: only this file has it. */
typedef struct kecs__restamp_column {
  const char *table;
  const char *column;
  const char *site;
} kecs__restamp_column;

static const kecs__restamp_column kecs__restamp_columns[] = {
    {"changes", "stamp", NULL},
    {"changes", "base_life", NULL},
    {"changes", "base_spec", NULL},
    {"changes", "base_status", NULL},
    {"change_folds", "stamp", NULL},
    {"change_folds", "oldest", NULL},
    {"change_folds", "base_life", NULL},
    {"change_folds", "base_spec", NULL},
    {"change_folds", "base_status", NULL},
    {"change_tombstones", "stamp", "site"},
    {"change_tombstones", "life", NULL},
    {"history", "stamp", NULL},
};

/* Of the table of each kind. */
static const kecs__restamp_column kecs__restamp_kinds[KECS_REPLICA_STAMPS] = {
    {NULL, "stamp_life", "site_life"}, {NULL, "stamp_spec", "site_spec"}, {NULL, "stamp_status", "site_status"}};

enum { KECS__RESTAMP_TEXTS = sizeof kecs__restamp_columns / sizeof kecs__restamp_columns[0] };

static int64_t kecs__restamp_of(int64_t time_us) {
  return time_us <= 0 ? 0 : time_us / 1000 * (INT64_C(1) << KECS__RESTAMP_SHIFT);
}

typedef struct kecs__restamping {
  kecs_restamp *restamp;
  int64_t limit; /* as stamps */
  int64_t now;
  int64_t offset;
  int64_t acked;
  int64_t seen; /* the highest that stays */
} kecs__restamping;

/* Runs a form on a column: # stands for it, @ for its table, % for the condition that only this file has the stamp. */
static kecs_status kecs__restamp_run(kecs__write *write, const kecs__restamping *work, const char *form,
                                     const kecs__restamp_column *at, int64_t *out_number) {
  kecs_value values[] = {kecs__value_int(work->limit)};
  kecs__text sql;
  kecs__text_init(&sql, &write->engine->allocator, KECS__RESTAMP_SQL);
  for (; *form; form++) {
    if (*form == '%' && at->site) {
      kecs__text_addf(&sql, "(%s IS NULL AND %s>%lld)", at->site, at->column, (long long)work->acked);
    } else if (*form == '%' || *form == '#' || *form == '@') {
      kecs__text_adds(&sql, *form == '%' ? "true" : *form == '#' ? at->column : at->table);
    } else {
      kecs__text_addc(&sql, *form);
    }
  }
  kecs_status status = sql.status;
  if (!status && out_number) {
    status = kecs__feed_number(write->session, sql.data, values, 1, out_number);
  } else if (!status) {
    status = kecs__run(write->session, sql.data, values, 1, NULL);
  }
  kecs__text_free(&sql);
  return status;
}

/* Calls `run` for every column with stamps. */
static kecs_status kecs__restamp_each(kecs__write *write, kecs__restamping *work,
                                      kecs_status (*run)(kecs__write *write, kecs__restamping *work,
                                                         const kecs__restamp_column *at)) {
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < KECS__RESTAMP_TEXTS; i++) {
    status = run(write, work, &kecs__restamp_columns[i]);
  }
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; !status && kecs__feed_stamped(info) && i < KECS_REPLICA_STAMPS; i++) {
      kecs_column_group group = i == KECS_REPLICA_SPEC ? KECS_GROUP_SPEC : KECS_GROUP_STATUS;
      kecs__restamp_column at = kecs__restamp_kinds[i];
      at.table = info->table;
      if (i == KECS_REPLICA_LIFE || kecs__feed_has_group(info, group)) {
        status = run(write, work, &at);
      }
    }
  }
  return status;
}

/* The highest stamp that stays as it is: what others have, whatever it is, and own ones up to the limit. */
static kecs_status kecs__restamp_highest(kecs__write *write, kecs__restamping *work, const kecs__restamp_column *at) {
  int64_t highest = 0;
  kecs_status status =
      kecs__restamp_run(write, work, "SELECT max(#) FROM {@} WHERE {own}(#<=?1 OR NOT %)", at, &highest);
  work->seen = highest > work->seen ? highest : work->seen;
  return status;
}

static kecs_status kecs__restamp_collect(kecs__write *write, kecs__restamping *work, const kecs__restamp_column *at) {
  return kecs__restamp_run(write, work,
                           "INSERT INTO {sync_restamp}({tenant}old) SELECT {ours}# FROM {@} WHERE {own}#>?1 AND % ON "
                           "CONFLICT DO NOTHING",
                           at, NULL);
}

static kecs_status kecs__restamp_replace(kecs__write *write, kecs__restamping *work, const kecs__restamp_column *at) {
  return kecs__restamp_run(write, work,
                           "UPDATE {@} SET #=coalesce((SELECT m.new FROM {sync_restamp m} WHERE {own m}m.old=#),#) "
                           "WHERE {own}#>?1 AND %",
                           at, NULL);
}

/* Old by old: never before what was seen or given, at the time that it had, as far as that is known now. */
static kecs_status kecs__restamp_assign(kecs__write *write, kecs__restamping *work) {
  kecs_status status = KECS_OK;
  int64_t last = work->seen;
  int64_t old = 0;
  do {
    kecs_value after = kecs__value_int(old);
    status =
        kecs__feed_number(write->session, "SELECT min(old) FROM {sync_restamp} WHERE {own}old>?1", &after, 1, &old);
    if (!status && old) {
      int64_t wanted = old + work->offset < work->now ? old + work->offset : work->now;
      last = wanted > last ? wanted : last + 1;
      kecs_value values[] = {kecs__value_int(old), kecs__value_int(last)};
      status = kecs__run(write->session, "UPDATE {sync_restamp} SET new=?2 WHERE {own}old=?1", values, 2, NULL);
      work->restamp->changed++;
    }
  } while (!status && old);
  return status;
}

/* What a mark becomes that stood at `stamp`: the last one up to it. */
static kecs_status kecs__restamp_mark(kecs__write *write, const kecs__restamping *work, int64_t *stamp) {
  kecs_value value = kecs__value_int(*stamp);
  int64_t mark = 0;
  if (*stamp <= work->limit) {
    return KECS_OK;
  }
  kecs_status status =
      kecs__feed_number(write->session, "SELECT max(new) FROM {sync_restamp} WHERE {own}old<=?1", &value, 1, &mark);
  *stamp = mark ? mark : work->seen;
  return status;
}

/* The history's bounds in change_state are stamps as well. */
static kecs_status kecs__restamp_bounds(kecs__write *write, const kecs__restamping *work) {
  kecs_value values[] = {kecs__value_int(work->limit), kecs__value_int(KECS__FEED_HISTORY_FLOOR_STAMP),
                         kecs__value_int(KECS__FEED_HISTORY_SINCE_STAMP), kecs__value_int(work->seen)};
  return kecs__run(write->session,
                   "UPDATE {change_state} SET value=coalesce((SELECT max(m.new) FROM {sync_restamp m} WHERE {own m}"
                   "m.old<=value),?4) WHERE {own}value>?1 AND (id=?2 OR id BETWEEN ?3+1 AND ?3+999)",
                   values, 4, NULL);
}

static kecs_status kecs__restamp_all(kecs__write *write, kecs__restamping *work) {
  kecs_status status = kecs__restamp_each(write, work, kecs__restamp_collect);
  status = status ? status : kecs__restamp_assign(write, work);
  status = status ? status : kecs__restamp_mark(write, work, &work->restamp->acked);
  status = status ? status : kecs__restamp_mark(write, work, &work->restamp->intent);
  status = status ? status : kecs__restamp_each(write, work, kecs__restamp_replace);
  status = status ? status : kecs__restamp_bounds(write, work);
  return status ? status : kecs__run(write->session, "DELETE FROM {sync_restamp}{whole}", NULL, 0, NULL);
}

static kecs_status kecs__restamp_work(kecs__write *write, void *user) {
  kecs_restamp *restamp = user;
  kecs__restamping work = {restamp, kecs__restamp_of(restamp->limit_us), kecs__restamp_of(restamp->now_us), 0, 0, 0};
  kecs__feed_end end;
  kecs_status status = kecs__write_guard(write);
  status = status ? status : kecs__feed_read_end(write->session, &end);
  if (status || end.stamp <= work.limit) {
    return status;
  }
  work.offset = restamp->offset_us / 1000 * (INT64_C(1) << KECS__RESTAMP_SHIFT);
  work.acked = restamp->acked;
  work.seen = restamp->acked <= work.limit ? restamp->acked : 0;
  status = kecs__restamp_each(write, &work, kecs__restamp_highest);
  /* What others have beyond the limit stays, and what was written after that may stay close above it. */
  if (work.seen > work.limit) {
    work.limit = work.seen;
    if (end.stamp - work.limit < kecs__restamp_of(KECS__RESTAMP_CLOSE_US)) {
      return status;
    }
  }
  return status ? status : kecs__restamp_all(write, &work);
}

KECS_STORE_API kecs_status kecs_replica_restamp(kecs_store *store, kecs_restamp *restamp) {
  kecs_status status = kecs__check_handle(store);
  status = status ? status : kecs__check_pointer(restamp, "restamp");
  if (status) {
    return status;
  }
  restamp->changed = 0;
  return kecs__with_write(store, kecs__restamp_work, restamp);
}

static kecs_status kecs__offset_work(kecs__write *write, void *user) {
  int64_t offset = *(const int64_t *)user;
  kecs_status status = kecs__feed_state_set(write->session, KECS__FEED_OFFSET, offset);
  if (!status) {
    write->engine->clock_offset = offset;
  }
  return status;
}

KECS_STORE_API kecs_status kecs_replica_offset(kecs_store *store, int64_t offset_us) {
  kecs_status status = kecs__check_handle(store);
  return status ? status : kecs__with_write(store, kecs__offset_work, &offset_us);
}
