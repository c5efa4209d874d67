/* sync/load.c -- a push of many rows: they go by binary COPY into tables of the transaction's own, and are merged from
 * there (hub_load.c).
 *
 * COPY has no place in a pipeline, so such a push is some exchanges within one transaction: the tables are made, the
 * rows are copied, and what follows is the exchange that any push is, with its COMMIT. Nothing is locked at the hub
 * before all rows are there, however slow the link. */
#include "pg/prologue.h"

#include "sync/push.h"

#include "pg/bulk.h"
#include "sync/hub_sql.h"

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__CHUNK = 65536, KECS_SYNC__CHUNK_HEAD = 5, KECS_SYNC__LOOK_MS = 100 };

/* ---- collecting ---- */

KECS_PG__FN void kecs_sync__copied_int(kecs_sync__arrays *put, int64_t number) {
  kecs_value value = {KECS_VALUE_INT, 0, NULL, 0};
  value.number = number;
  kecs_pg__copy_value(&put->array[0], &value);
}

KECS_PG__FN void kecs_sync__copied_value(kecs_sync__arrays *put, const kecs_column_info *column,
                                         const kecs_value *value) {
  kecs_value same = *value;
  if (value->type != KECS_VALUE_NULL && value->type != KECS_VALUE_TEXT) {
    same.type = column->type == KECS_TYPE_BOOL ? KECS_VALUE_BOOL : KECS_VALUE_INT;
  }
  kecs_pg__copy_value(&put->array[0], &same);
}

KECS_PG__FN void kecs_sync__copied_key(kecs_sync__arrays *put, const kecs_sync *sync, const kecs_replica_row *row) {
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  int count = KECS_SYNC__PUT_FIXED + 1; /* its place */
  for (int i = 0; i < info->column_count; i++) {
    count += kecs_sync__known(sync, info, i);
  }
  if (put->rows == 0) {
    kecs_pg__copy_begin(&put->array[0]);
  }
  kecs_pg__copy_row(&put->array[0], count);
  kecs_pg__copy_text(&put->array[0], row->key, strlen(row->key));
}

/* ---- sending ---- */

/* Not a failure of the push: it goes as arrays then, where whoever sends may make no tables. */
static void kecs_sync__note_stage(kecs_sync *sync, kecs_status status) {
  const char *state = kecs_last_error()->sqlstate;
  sync->no_stage = sync->no_stage || status == KECS_E_DENIED || (status && strcmp(state, "0A000") == 0);
}

static kecs_status kecs_sync__stage(kecs_sync *sync, const kecs_sync__load *load, const char *const *site) {
  kecs_sync__exchange exchange;
  kecs_sync__begin(&exchange, sync, true);
  exchange.stays = true;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (load->put[kind] && load->put[kind]->copied) {
      (void)kecs_sync__add_call(&exchange, "SELECT {S}sync_stage_{t}({T},$1::bigint)",
                                kecs_kind_describe((kecs_kind)kind)->table, site, 1);
    }
  }
  kecs_status status = kecs_sync__send(&exchange, "push");
  kecs_sync__note_stage(sync, status);
  kecs_sync__end(&exchange);
  return status;
}

/* Without waiting for longer than the stop hook is to wait. False: the connection is lost, or to be given up. */
static bool kecs_sync__copy_bytes(kecs_pg__connection *link, const kecs_pg__text *rows) {
  bool good = PQsetnonblocking(link->pg, 1) == 0;
  for (size_t at = 0; good && at < rows->len; at += KECS_SYNC__CHUNK) {
    size_t len = rows->len - at < KECS_SYNC__CHUNK ? rows->len - at : KECS_SYNC__CHUNK;
    int left = PQputCopyData(link->pg, rows->data + at, (int)len) == 1 ? PQflush(link->pg) : -1;
    while (left > 0 && !kecs_pg__stopped(link)) {
      kecs_pg__wait(link->pg, true, KECS_SYNC__LOOK_MS);
      left = PQflush(link->pg);
    }
    good = left == 0 && !kecs_pg__stopped(link);
  }
  return good && PQsetnonblocking(link->pg, 0) == 0;
}

static void kecs_sync__copy_text(kecs_pg__text *out, const kecs_sync *sync, const kecs_kind_info *info) {
  const kecs_pg__mark marks[] = {{"t", info->table}, {NULL, NULL}};
  kecs_pg__text_fill(out, "COPY " KECS_SYNC__COPIED "(" KECS_SYNC__COPIED_FIRST, marks);
  for (int i = 0; i < info->column_count; i++) {
    const kecs_pg__mark column[] = {{"c", info->columns[i].name}, {NULL, NULL}};
    if (kecs_sync__known(sync, info, i)) {
      kecs_pg__text_fill(out, ",\"{c}\"", column);
    }
  }
  kecs_pg__text_adds(out, "," KECS_SYNC__COPIED_LAST ") FROM STDIN (FORMAT binary)");
}

static kecs_status kecs_sync__copy(kecs_sync *sync, const kecs_kind_info *info, kecs_sync__arrays *put) {
  kecs_pg__text sql = {&sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text *rows = &put->array[0];
  PGresult *begun = NULL;
  kecs_pg__copy_end_rows(rows);
  kecs_sync__copy_text(&sql, sync, info);
  kecs_status status = rows->status ? rows->status : sql.status;
  status = status ? status : kecs_pg__command(sync->link, sql.data, KECS_PG__STOPS, "push", &begun);
  PQclear(begun);
  if (!status) {
    int64_t chunks = (int64_t)(rows->len / KECS_SYNC__CHUNK) + 1;
    sync->report.round_trips += 2;
    sync->report.bytes_out += (int64_t)sql.len + (int64_t)rows->len + KECS_SYNC__CHUNK_HEAD * (chunks + 2);
    status = kecs_sync__copy_bytes(sync->link, rows) ? kecs_pg__copy_end(sync->link, NULL)
                                                      : kecs_sync__fail_link(sync, "push");
  }
  kecs_pg__text_free(&sql);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__load_copies(kecs_sync *sync, kecs_sync__load *load, const char *site) {
  kecs_status status = kecs_sync__stage(sync, load, &site);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (load->put[kind] && load->put[kind]->copied) {
      status = kecs_sync__copy(sync, kecs_kind_describe((kecs_kind)kind), load->put[kind]);
    }
  }
  if (status) {
    kecs_error error = *kecs_last_error();
    bool stopped = sync->link && kecs_pg__stopped(sync->link);
    kecs_sync__hang_up(sync);
    kecs_pg__restore(&error);
    status = stopped && status != KECS_E_CANCELLED ? kecs_sync__fail_stopped(sync, "push") : status;
  }
  return status;
}
