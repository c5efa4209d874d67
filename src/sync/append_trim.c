/* sync/append_trim.c -- the bound of what the kinds that only grow may take in an edge's file.
 *
 * The oldest rows that are at the hub go first, then the oldest that are not; for those an event says what is missing,
 * which is pushed like any other. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "gen/api_public.h"
#include "sync/hub_sql.h"

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__TRIM_STEP = 1000 };

/* A walk through the oldest rows of a kind. */
typedef struct kecs_sync__trim {
  kecs_sync *sync;
  const kecs_kind_info *info;
  int64_t mark;   /* rows above it were never pushed */
  bool unpushed;  /* they may go, too */
  int64_t excess; /* bytes that are still to go */
  int count;
  char *key[KECS_SYNC__TRIM_STEP];
  int64_t lost; /* of those, rows that nobody else has; and their bytes */
  int64_t lost_bytes;
  int64_t bytes;
} kecs_sync__trim;

static void kecs_sync__trim_size(kecs_pg__text *out, const kecs_kind_info *info) {
  kecs_pg__text_adds(out, "0");
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    const kecs_pg__mark marks[] = {{"c", column->name}, {NULL, NULL}};
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    kecs_pg__text_fill(out, text ? "+coalesce(length(CAST({c} AS BLOB)),0)" : "+8", marks);
  }
}

static kecs_status kecs_sync__trim_sum(kecs_sync *sync, const kecs_kind_info *info, int64_t *out_bytes) {
  kecs_pg__text sql = {&sync->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"t", info->table}, {"open", "{"}, {"close", "}"}, {NULL, NULL}};
  kecs_pg__text_adds(&sql, "SELECT coalesce(sum(");
  kecs_sync__trim_size(&sql, info);
  kecs_pg__text_fill(&sql, "),0) FROM {open}{t}{close} WHERE {open}own{close}true", marks);
  kecs_status status = sql.status ? sql.status : kecs_sync__count(sync->store, sql.data, out_bytes);
  kecs_pg__text_free(&sql);
  return status;
}

static kecs_status kecs_sync__trim_visit(const kecs_value *values, void *user) {
  kecs_sync__trim *trim = user;
  if (trim->excess <= 0 || trim->count == KECS_SYNC__TRIM_STEP) {
    return KECS_OK;
  }
  char *key = kecs_pg__copy(&trim->sync->allocator, values[1].text, values[1].len);
  if (!key) {
    return KECS_E_NOMEM;
  }
  bool lost = values[0].number > trim->mark;
  trim->key[trim->count++] = key;
  trim->excess -= values[2].number;
  trim->bytes += values[2].number;
  trim->lost += lost;
  trim->lost_bytes += lost ? values[2].number : 0;
  return KECS_OK;
}

/* Events that tell of a gap stay until they are at the hub. */
static kecs_status kecs_sync__trim_find(kecs_sync__trim *trim) {
  kecs_pg__text sql = {&trim->sync->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"t", trim->info->table},
                                 {"key", trim->info->columns[trim->info->keys[0].columns[0]].name},
                                 {"open", "{"},
                                 {"close", "}"},
                                 {NULL, NULL}};
  kecs_value values[] = {kecs_sync__value_int(trim->unpushed ? INT64_MAX : trim->mark),
                         kecs_sync__value_int(KECS_SYNC__TRIM_STEP), kecs_sync__value_int(trim->mark)};
  bool events = trim->info->kind == KECS_KIND_EVENT;
  kecs_pg__text_fill(&sql, "SELECT rid,{key},", marks);
  kecs_sync__trim_size(&sql, trim->info);
  kecs_pg__text_fill(&sql, " FROM {open}{t}{close} WHERE {open}own{close}rid<=?1", marks);
  kecs_pg__text_adds(&sql, events ? " AND (rid<=?3 OR event_type<>'kecs.sync.gap')" : "");
  kecs_pg__text_adds(&sql, " ORDER BY rid LIMIT ?2");
  kecs_status status = sql.status ? sql.status
                                  : kecs_replica_sql(trim->sync->store, sql.data, values, events ? 3 : 2, 3,
                                                     kecs_sync__trim_visit, trim);
  kecs_pg__text_free(&sql);
  return status;
}

static kecs_status kecs_sync__trim_gap(kecs_store *tx, const kecs_sync__trim *trim) {
  kecs_event event;
  char data[160];
  memset(&event, 0, sizeof event);
  snprintf(data, sizeof data, "{\"kind\":\"%s\",\"rows\":%lld,\"bytes\":%lld}", trim->info->name, (long long)trim->lost,
           (long long)trim->lost_bytes);
  event.event_type = "kecs.sync.gap";
  event.resource_type = trim->info->name;
  event.resource_arn = trim->sync->site;
  event.action = "DROP";
  event.data = data;
  return kecs_event_create(tx, &event, NULL);
}

static kecs_status kecs_sync__trim_work(kecs_store *tx, void *user) {
  const kecs_sync__trim *trim = user;
  kecs_status status = trim->lost ? kecs_sync__trim_gap(tx, trim) : KECS_OK;
  for (int i = 0; !status && i < trim->count; i++) {
    status = kecs_record_delete(tx, trim->info->kind, trim->key[i]);
    status = status == KECS_E_NOT_FOUND ? KECS_OK : status;
  }
  return status;
}

/* One step, in one transaction: at most 1000 rows. */
static kecs_status kecs_sync__trim_step(kecs_sync *sync, const kecs_kind_info *info, bool unpushed, int64_t *excess,
                                        bool *out_more) {
  kecs_sync__trim *trim = kecs_pg__alloc(&sync->allocator, sizeof *trim);
  if (!trim) {
    return KECS_E_NOMEM;
  }
  trim->sync = sync;
  trim->info = info;
  trim->unpushed = unpushed;
  trim->excess = *excess;
  kecs_status status = kecs_sync__append_mark(sync->store, info, &trim->mark);
  status = status ? status : kecs_sync__trim_find(trim);
  status = status || !trim->count ? status : kecs_sync__transact(sync, kecs_sync__trim_work, trim);
  *excess -= status ? 0 : trim->bytes;
  *out_more = !status && trim->count == KECS_SYNC__TRIM_STEP && *excess > 0;
  sync->report.dropped += status ? 0 : trim->lost;
  for (int i = 0; i < trim->count; i++) {
    kecs_pg__release_text(&sync->allocator, trim->key[i]);
  }
  kecs_pg__release(&sync->allocator, trim, sizeof *trim);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__append_trim(kecs_sync *sync) {
  kecs_status status = KECS_OK;
  int64_t excess = -sync->append_keep_bytes;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT && sync->append_keep_bytes > 0; kind++) {
    int64_t bytes = 0;
    if (sync->append & KECS_BIT(kind)) {
      status = kecs_sync__trim_sum(sync, kecs_kind_describe((kecs_kind)kind), &bytes);
      excess += bytes;
    }
  }
  for (int pass = 0; !status && pass < 2; pass++) {
    for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
      bool more = (sync->append & KECS_BIT(kind)) && sync->append_keep_bytes > 0 && excess > 0;
      while (!status && more) {
        status = kecs_sync__trim_step(sync, kecs_kind_describe((kecs_kind)kind), pass > 0, &excess, &more);
      }
    }
  }
  return status;
}
