/* sync/link.c -- exchanges with the hub: a transaction that is sent whole, in libpq's pipeline mode. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/connection.h"
#include "pg/errors.h"

#include <stdlib.h>
#include <string.h>

static const char kecs_sync__write_begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
static const char kecs_sync__read_begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/* A form that calls the hub's functions by their twins: "{S}sync_X(" is "{S}gate_X($N,$M,", N the token and M the site's
 * name, which come behind the `count` values. The version is everybody's. */
static void kecs_sync__gate(kecs_pg__text *out, const char *form, int count) {
  static const char call[] = "{S}sync_";
  char arguments[48];
  snprintf(arguments, sizeof arguments, "($%d,$%d,", count + 1, count + 2);
  for (const char *at = strstr(form, call); at; at = strstr(form, call)) {
    const char *name = at + sizeof call - 1;
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz_{}");
    bool twin = name[len] == '(' && name[len + 1] != ')';
    kecs_pg__text_add(out, form, (size_t)((twin ? at : name) - form));
    kecs_pg__text_adds(out, twin ? "{S}gate_" : "");
    kecs_pg__text_add(out, name, len);
    kecs_pg__text_adds(out, twin ? arguments : "");
    form = name + len + twin;
  }
  kecs_pg__text_adds(out, form);
}

/* An item's values with what a twin takes beside them. */
static kecs_status kecs_sync__gate_values(kecs_sync *sync, kecs_sync__item *item) {
  item->with_token = kecs_pg__alloc(&sync->allocator, ((size_t)item->count + 2) * sizeof *item->with_token);
  if (!item->with_token) {
    return KECS_E_NOMEM;
  }
  for (int i = 0; i < item->count; i++) {
    item->with_token[i] = item->values[i];
  }
  item->with_token[item->count++] = sync->token;
  item->with_token[item->count++] = sync->known_as;
  item->values = item->with_token;
  return KECS_OK;
}

KECS_PG__FN int kecs_sync__add_item(kecs_sync__exchange *exchange, const char *form, const char *table,
                                    const char *const *values, int count) {
  kecs_sync *sync = exchange->sync;
  const kecs_pg__home *home = sync->place.own;
  const kecs_pg__mark marks[] = {{"S", home->schema}, {"T", home->tenant}, {"t", table}, {NULL, NULL}};
  kecs_pg__text text = {&sync->allocator, NULL, 0, 0, KECS_OK};
  if (exchange->status || exchange->count == KECS_SYNC__ITEMS) {
    exchange->status = exchange->status ? exchange->status : kecs_pg__fail(KECS_E_MISUSE, "an exchange is too long");
    return 0;
  }
  kecs_pg__text gated = {&sync->allocator, NULL, 0, 0, KECS_OK};
  if (sync->token) {
    kecs_sync__gate(&gated, form, count);
  }
  kecs_pg__text_fill(&text, gated.data ? gated.data : form, marks);
  text.status = text.status ? text.status : gated.status;
  bool twin = gated.data && strcmp(gated.data, form) != 0;
  kecs_pg__text_free(&gated);
  kecs_sync__item *item = &exchange->item[exchange->count];
  item->sql = text.status ? NULL : kecs_pg__copy(&sync->allocator, text.data, text.len);
  item->count = count;
  item->values = values;
  item->result = NULL;
  item->with_token = NULL;
  exchange->status = text.status ? text.status : item->sql ? KECS_OK : KECS_E_NOMEM;
  kecs_pg__text_free(&text);
  if (twin && !exchange->status) {
    exchange->status = kecs_sync__gate_values(sync, item);
  }
  return exchange->count++;
}

KECS_PG__FN void kecs_sync__begin(kecs_sync__exchange *exchange, kecs_sync *sync, bool write) {
  memset(exchange, 0, sizeof *exchange);
  exchange->sync = sync;
  (void)kecs_sync__add_item(exchange, write ? kecs_sync__write_begin : kecs_sync__read_begin, "", NULL, 0);
  if (write) {
    (void)kecs_sync__add_item(exchange, "SET LOCAL lock_timeout=10000", "", NULL, 0);
  }
}

KECS_PG__FN void kecs_sync__end(kecs_sync__exchange *exchange) {
  for (int i = 0; i < exchange->count; i++) {
    kecs_sync__item *item = &exchange->item[i];
    if (item->with_token) {
      kecs_pg__release(&exchange->sync->allocator, item->with_token, (size_t)item->count * sizeof *item->with_token);
    }
    PQclear(exchange->item[i].result);
    kecs_pg__release_text(&exchange->sync->allocator, exchange->item[i].sql);
  }
  exchange->count = 0;
}

KECS_PG__FN void kecs_sync__hang_up(kecs_sync *sync) {
  if (sync->link) {
    kecs_pg__disconnect((kecs_connection *)(void *)sync->link);
    sync->link = NULL;
  }
}

static kecs_status kecs_sync__connect(kecs_sync *sync) {
  kecs_connect_options options;
  kecs_connection *connection = NULL;
  if (sync->link && kecs_pg__alive(sync->link)) {
    return KECS_OK;
  }
  kecs_sync__hang_up(sync);
  memset(&options, 0, sizeof options);
  options.path = sync->hub;
  options.place = &sync->place;
  options.allocator = &sync->allocator;
  options.busy_timeout_ms = 10000;
  kecs_status status = kecs_pg__connect(&options, &connection);
  sync->link = status ? NULL : kecs_pg__of(connection);
  return status;
}

/* States of the hub's functions. */
static kecs_status kecs_sync__refusal(kecs_sync *sync, const PGresult *result, const char *doing) {
  static const struct {
    const char *state;
    kecs_status status;
    const char *advice;
  } states[] = {
      {"KS001", KECS_E_CONFLICT,
       "two devices have this site's name, or the file was copied or restored. Nothing was written; docs/sync.md 9"},
      {"KS002", KECS_E_CONFLICT, "nothing was pushed"},
      {"KS006", KECS_E_DENIED,
       "nothing was lost. Give the site the token that kecs hub token has made for it: options.token, or KECS_TOKEN"},
      {"KS003", KECS_E_UNSUPPORTED, "nothing was written"},
      {"42883", KECS_E_UNSUPPORTED, "make a hub of it: kecs hub init"},
      {"42P01", KECS_E_UNSUPPORTED, "make a hub of it: kecs hub init"},
  };
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  for (size_t i = 0; state && said && i < sizeof states / sizeof states[0]; i++) {
    if (strcmp(states[i].state, state) == 0) {
      char text[sizeof kecs_last_error()->text];
      snprintf(text, sizeof text, "%s: could not %s: %.200s; %s", sync->place.shown, doing, said, states[i].advice);
      return kecs_backend_fail(states[i].status, 0, state, text);
    }
  }
  return kecs_pg__fail_result(sync->place.shown, result, doing);
}

static bool kecs_sync__send_items(kecs_sync__exchange *exchange) {
  PGconn *pg = exchange->sync->link->pg;
  bool sent = PQenterPipelineMode(pg);
  for (int i = 0; sent && i < exchange->count; i++) {
    kecs_sync__item *item = &exchange->item[i];
    exchange->sync->report.bytes_out += (int64_t)strlen(item->sql);
    for (int v = 0; v < item->count; v++) {
      exchange->sync->report.bytes_out += item->values[v] ? (int64_t)strlen(item->values[v]) : 0;
    }
    sent = PQsendQueryParams(pg, item->sql, item->count, NULL, item->values, NULL, NULL, 0);
  }
  return sent && PQpipelineSync(pg);
}

/* The answer to one item; false: the connection is lost. */
static bool kecs_sync__receive_item(kecs_sync__exchange *exchange, kecs_sync__item *item) {
  kecs_sync *sync = exchange->sync;
  int64_t stopped_at = 0;
  bool good = kecs_pg__await(sync->link, KECS_PG__DEAF, &stopped_at);
  item->result = good ? PQgetResult(sync->link->pg) : NULL;
  if (!item->result ||
      (PQresultStatus(item->result) == PGRES_FATAL_ERROR && !PQresultErrorField(item->result, PG_DIAG_SQLSTATE))) {
    return false;
  }
  for (int row = 0; row < PQntuples(item->result); row++) {
    for (int column = 0; column < PQnfields(item->result); column++) {
      sync->report.bytes_in += PQgetlength(item->result, row, column);
    }
  }
  return kecs_pg__await(sync->link, KECS_PG__DEAF, &stopped_at) && !PQgetResult(sync->link->pg);
}

KECS_PG__FN kecs_status kecs_sync__send(kecs_sync__exchange *exchange, const char *doing) {
  kecs_sync *sync = exchange->sync;
  (void)kecs_sync__add_item(exchange, "COMMIT", "", NULL, 0);
  kecs_status status = exchange->status ? exchange->status : kecs_sync__connect(sync);
  if (status) {
    return status;
  }
  sync->report.round_trips++;
  bool good = kecs_sync__send_items(exchange);
  for (int i = 0; good && i < exchange->count; i++) {
    kecs_sync__item *item = &exchange->item[i];
    good = kecs_sync__receive_item(exchange, item);
    if (good && !status && PQresultStatus(item->result) == PGRES_FATAL_ERROR) {
      status = kecs_sync__refusal(sync, item->result, doing);
    }
  }
  if (!good && !status) {
    status = kecs_pg__fail_lost(sync->place.shown, sync->link->pg, doing);
  }
  PGresult *synced = good && !status ? PQgetResult(sync->link->pg) : NULL;
  if (!status && (!synced || PQresultStatus(synced) != PGRES_PIPELINE_SYNC || !PQexitPipelineMode(sync->link->pg))) {
    status = kecs_pg__fail_lost(sync->place.shown, sync->link->pg, doing);
  }
  PQclear(synced);
  if (status) {
    kecs_sync__hang_up(sync);
  }
  return status;
}

KECS_PG__FN const char *kecs_sync__text(const PGresult *result, int row, int column) {
  return row < PQntuples(result) && column < PQnfields(result) ? PQgetvalue(result, row, column) : "";
}

KECS_PG__FN int64_t kecs_sync__number(const PGresult *result, int row, int column) {
  return strtoll(kecs_sync__text(result, row, column), NULL, 10);
}
