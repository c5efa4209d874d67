/* sync/append.c -- kinds that only grow: events and lines of logs.
 *
 * They have no stamps, and nothing to merge: a row is there or not, by its id, which is random. Each round pushes what
 * lies above a watermark in the table's own rids, after all state and within a budget of bytes, so that a device with
 * much to tell still tells its state first. A push that is repeated changes nothing at the hub. What the hub refuses is
 * passed over, and stands in the log of conflicts. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "sync/hub_sql.h"

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__APPEND_COLUMNS = 16, KECS_SYNC__NUMBER = 24 };

/* Rows of a kind on their way. */
typedef struct kecs_sync__tail {
  kecs_sync *sync;
  const kecs_kind_info *info;
  kecs_pg__text array[KECS_SYNC__APPEND_COLUMNS];
  const char *values[KECS_SYNC__APPEND_COLUMNS + 1];
  int count; /* columns */
  int64_t rows;
  int64_t bytes;
  int64_t room; /* of the round's budget */
  int64_t mark; /* the watermark, and where it will be */
  int64_t read; /* rows, with those that were pulled from the hub */
  const PGresult *refused;
} kecs_sync__tail;

KECS_PG__FN bool kecs_sync__only_grows(const kecs_kind_info *info) {
  return info->flags & KECS_KIND_APPEND;
}

/* ---- reading ---- */

static void kecs_sync__tail_name(const kecs_kind_info *info, char out[48]) {
  snprintf(out, 48, "append_%s", info->name);
}

static kecs_status kecs_sync__tail_mark_visit(const kecs_value *values, void *user) {
  *(int64_t *)user = values[0].number;
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__append_mark(kecs_store *store, const kecs_kind_info *info, int64_t *out_mark) {
  char name[48];
  kecs_sync__tail_name(info, name);
  kecs_value value = kecs_sync__value_text(name);
  *out_mark = 0;
  return kecs_replica_sql(store, "SELECT CAST(value AS INTEGER) FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                          kecs_sync__tail_mark_visit, out_mark);
}

/* "SELECT rid,whether it came from the hub,columns..." above the watermark. */
static kecs_status kecs_sync__tail_sql(kecs_sync__tail *tail, kecs_pg__text *out) {
  const kecs_pg__mark marks[] = {{"t", tail->info->table}, {"open", "{"}, {"close", "}"}, {NULL, NULL}};
  kecs_pg__text_adds(out, "SELECT rid,");
  kecs_pg__text_fill(out,
                     "EXISTS(SELECT 1 FROM {open}sync_echoes e{close} WHERE {open}own e{close}e.kind=?3 AND e.first<="
                     "{t}.rid AND e.last>={t}.rid)",
                     marks);
  tail->count = 0;
  for (int i = 0; i < tail->info->column_count; i++) {
    if (kecs_sync__known(tail->sync, tail->info, i)) {
      kecs_pg__text_adds(out, ",");
      kecs_pg__text_adds(out, tail->info->columns[i].name);
      tail->array[tail->count++].allocator = &tail->sync->allocator;
    }
  }
  kecs_pg__text_fill(out, " FROM {open}{t}{close} WHERE {open}own{close}rid>?1 ORDER BY rid LIMIT ?2", marks);
  return out->status;
}

/* FULL is only said to end the walk: the budget is used up. */
static kecs_status kecs_sync__tail_visit(const kecs_value *values, void *user) {
  kecs_sync__tail *tail = user;
  int64_t bytes = 0;
  for (int i = 0; i < tail->count; i++) {
    bytes += values[i + 2].type == KECS_VALUE_TEXT ? (int64_t)values[i + 2].len : 8;
  }
  bool echo = values[1].number != 0;
  if (!echo && tail->bytes + bytes > tail->room && tail->rows + tail->sync->report.appended > 0) {
    return KECS_E_FULL;
  }
  tail->mark = values[0].number;
  tail->read++;
  for (int i = 0; !echo && i < tail->count; i++) {
    if (values[i + 2].type == KECS_VALUE_NULL) {
      kecs_sync__array_add(&tail->array[i], NULL);
    } else if (values[i + 2].type == KECS_VALUE_TEXT) {
      kecs_sync__array_add(&tail->array[i], values[i + 2].text);
    } else {
      kecs_sync__array_int(&tail->array[i], values[i + 2].number);
    }
  }
  tail->bytes += echo ? 0 : bytes;
  tail->rows += echo ? 0 : 1;
  return KECS_OK;
}

static kecs_status kecs_sync__tail_read(kecs_sync__tail *tail, bool *out_full) {
  kecs_pg__text sql = {&tail->sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_value values[] = {kecs_sync__value_int(tail->mark), kecs_sync__value_int(tail->sync->batch),
                         kecs_sync__value_int((int64_t)tail->info->kind)};
  kecs_status status = kecs_sync__tail_sql(tail, &sql);
  status = status
               ? status
               : kecs_replica_sql(tail->sync->store, sql.data, values, 3, tail->count + 2, kecs_sync__tail_visit, tail);
  *out_full = status == KECS_E_FULL;
  kecs_pg__text_free(&sql);
  return *out_full ? KECS_OK : status;
}

/* ---- sending ---- */

/* What the hub has refused stays in the table, and is told: the watermark is above it. */
static kecs_status kecs_sync__tail_refused(kecs_store *tx, const kecs_sync__tail *tail) {
  kecs_status status = KECS_OK;
  for (int row = 0; !status && row < PQntuples(tail->refused); row++) {
    kecs_value values[] = {kecs_sync__value_int((int64_t)tail->info->kind),
                           kecs_sync__value_text(kecs_sync__text(tail->refused, row, 0)),
                           kecs_sync__value_text(kecs_sync__text(tail->refused, row, 1)),
                           kecs_sync__value_text(kecs_sync__text(tail->refused, row, 2)),
                           kecs_sync__value_int(kecs_replica_now(tail->sync->store))};
    status = kecs_replica_sql(tx,
                              "INSERT INTO {sync_conflicts}({tenant}kind,key,groups,reason,kept_stamp,kept_site,"
                              "lost_stamp,lost_site,lost,at) VALUES({ours}?1,?2,1,'refused ' || ?3,0,0,0,-1,?4,?5) "
                              "ON CONFLICT DO NOTHING",
                              values, 5, 0, NULL, NULL);
  }
  return status;
}

static kecs_status kecs_sync__tail_work(kecs_store *tx, void *user) {
  const kecs_sync__tail *tail = user;
  char name[48];
  kecs_value values[] = {kecs_sync__value_int((int64_t)tail->info->kind), kecs_sync__value_int(tail->mark)};
  kecs_sync__tail_name(tail->info, name);
  kecs_status status = kecs_sync__note_number(tx, name, tail->mark);
  status = status ? status
                  : kecs_replica_sql(tx, "DELETE FROM {sync_echoes} WHERE {own}kind=?1 AND last<=?2", values, 2, 0,
                                     NULL, NULL);
  return status || !tail->refused ? status : kecs_sync__tail_refused(tx, tail);
}

static kecs_status kecs_sync__tail_send(kecs_sync__tail *tail) {
  kecs_sync *sync = tail->sync;
  kecs_sync__exchange exchange;
  kecs_pg__text form = {&sync->allocator, NULL, 0, 0, KECS_OK};
  char site[KECS_SYNC__NUMBER];
  char number[16];
  snprintf(site, sizeof site, "%lld", (long long)sync->notes.site);
  tail->values[0] = site;
  kecs_pg__text_adds(&form, "SELECT * FROM {S}sync_append_{t}({T},$1");
  for (int i = 0; i < tail->count; i++) {
    kecs_sync__array_end(&tail->array[i]);
    form.status = form.status ? form.status : tail->array[i].status;
    tail->values[i + 1] = tail->array[i].data;
    snprintf(number, sizeof number, ",$%d", i + 2);
    kecs_pg__text_adds(&form, number);
  }
  kecs_pg__text_adds(&form, ")");
  kecs_sync__begin(&exchange, sync, true);
  exchange.status = exchange.status ? exchange.status : form.status;
  int item =
      exchange.status ? 0 : kecs_sync__add_item(&exchange, form.data, tail->info->table, tail->values, tail->count + 1);
  kecs_status status = kecs_sync__send(&exchange, "push what only grows");
  if (!status) {
    tail->refused = exchange.item[item].result;
    sync->report.appended += tail->rows - PQntuples(tail->refused);
    sync->report.conflicts += PQntuples(tail->refused);
    status = kecs_sync__transact(sync, kecs_sync__tail_work, tail);
  }
  kecs_sync__end(&exchange);
  kecs_pg__text_free(&form);
  return status;
}

/* One batch of a kind. */
static kecs_status kecs_sync__tail_push(kecs_sync *sync, const kecs_kind_info *info, int64_t *room, bool *out_more) {
  kecs_sync__tail tail;
  bool full = false;
  memset(&tail, 0, sizeof tail);
  tail.sync = sync;
  tail.info = info;
  tail.room = *room;
  kecs_status status = kecs_sync__append_mark(sync->store, info, &tail.mark);
  status = status ? status : kecs_sync__tail_read(&tail, &full);
  if (!status && tail.rows > 0) {
    status = kecs_sync__tail_send(&tail);
  } else if (!status && tail.read > 0) {
    status = kecs_sync__transact(sync, kecs_sync__tail_work, &tail);
  }
  *room -= tail.bytes;
  *out_more = !status && !full && tail.read == sync->batch;
  for (int i = 0; i < KECS_SYNC__APPEND_COLUMNS; i++) {
    if (tail.array[i].allocator) {
      kecs_pg__text_free(&tail.array[i]);
    }
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__append(kecs_sync *sync) {
  int64_t room = sync->append_bytes;
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT && room > 0; kind++) {
    bool more = (sync->append & KECS_BIT(kind)) != 0;
    while (!status && more && room > 0) {
      status = kecs_sync__tail_push(sync, kecs_kind_describe((kecs_kind)kind), &room, &more);
    }
  }
  return status ? status : kecs_sync__append_trim(sync);
}

/* ---- what the hub has ---- */

KECS_PG__FN kecs_status kecs_sync__append_pulled(kecs_store *tx, const kecs_kind_info *info, int64_t first,
                                                 int64_t last) {
  kecs_value values[] = {kecs_sync__value_int((int64_t)info->kind), kecs_sync__value_int(first),
                         kecs_sync__value_int(last)};
  return kecs_replica_sql(tx, "INSERT INTO {sync_echoes}({tenant}kind,first,last) VALUES({ours}?1,?2,?3)", values, 3, 0,
                          NULL, NULL);
}

KECS_PG__FN kecs_status kecs_sync__append_waiting(kecs_sync *sync, int64_t *out_rows) {
  kecs_status status = KECS_OK;
  *out_rows = 0;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    if (sync->append & KECS_BIT(kind)) {
      char sql[160];
      int64_t mark = 0;
      int64_t rows = 0;
      status = kecs_sync__append_mark(sync->store, info, &mark);
      kecs_value value = kecs_sync__value_int(mark);
      snprintf(sql, sizeof sql, "SELECT count(*) FROM {%s} WHERE {own}rid>?1", info->table);
      status = status ? status : kecs_replica_sql(sync->store, sql, &value, 1, 1, kecs_sync__tail_mark_visit, &rows);
      *out_rows += rows;
    }
  }
  return status;
}
