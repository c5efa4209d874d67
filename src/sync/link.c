/* sync/link.c -- exchanges with the hub: a transaction that is sent whole, in libpq's pipeline mode. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/connection.h"
#include "pg/errors.h"
#include "pg/statement.h"
#include "sync/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kecs_sync__write_begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
static const char kecs_sync__read_begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/* A form that calls the hub's functions by their twins: "{S}sync_X(" is "{S}gate_X($N,$M,", N the token and M the
 * site's name, which come behind the `count` values. What is about no tenant is everybody's. */
static void kecs_sync__gate(kecs_pg__text *out, const char *form, int count) {
  static const char call[] = "{S}sync_";
  char arguments[48];
  snprintf(arguments, sizeof arguments, "($%d,$%d,", count + 1, count + 2);
  for (const char *at = strstr(form, call); at; at = strstr(form, call)) {
    const char *name = at + sizeof call - 1;
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz_{}");
    bool twin = strncmp(name + len, "({T}", 4) == 0;
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
  item->call = false;
  item->frame = false;
  exchange->status = text.status ? text.status : item->sql ? KECS_OK : KECS_E_NOMEM;
  kecs_pg__text_free(&text);
  if (twin && !exchange->status) {
    exchange->status = kecs_sync__gate_values(sync, item);
  }
  return exchange->count++;
}

KECS_PG__FN int kecs_sync__add_call(kecs_sync__exchange *exchange, const char *form, const char *table,
                                    const char *const *values, int count) {
  int at = kecs_sync__add_item(exchange, form, table, values, count);
  exchange->item[at].call = !exchange->status;
  return at;
}

static void kecs_sync__add_frame(kecs_sync__exchange *exchange, const char *form) {
  int at = kecs_sync__add_item(exchange, form, "", NULL, 0);
  exchange->item[at].frame = !exchange->status;
}

KECS_PG__FN void kecs_sync__begin(kecs_sync__exchange *exchange, kecs_sync *sync, bool write) {
  memset(exchange, 0, sizeof *exchange);
  exchange->sync = sync;
  exchange->write = write;
  kecs_sync__add_frame(exchange, write ? kecs_sync__write_begin : kecs_sync__read_begin);
  if (write) {
    kecs_sync__add_frame(exchange, "SET LOCAL lock_timeout=10000");
  }
}

/* Where nothing has counted the table yet, a page would be planned as a sort of all that is left of it. */
KECS_PG__FN void kecs_sync__begin_page(kecs_sync__exchange *exchange, kecs_sync *sync) {
  kecs_sync__begin(exchange, sync, false);
  kecs_sync__add_frame(exchange, "SET LOCAL enable_sort=off");
}

KECS_PG__FN void kecs_sync__go_on(kecs_sync__exchange *exchange, kecs_sync *sync) {
  memset(exchange, 0, sizeof *exchange);
  exchange->sync = sync;
  exchange->write = true;
  exchange->goes_on = true;
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

KECS_PG__FN void kecs_sync__flag_set(int *flag, int value) {
  __atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

KECS_PG__FN int kecs_sync__flag_get(const int *flag) {
  return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static bool kecs_sync__should_stop(void *user) {
  kecs_sync *sync = user;
  return kecs_sync__flag_get(&sync->stopped) != 0 || kecs_sync__flag_get(&sync->ending) != 0;
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
  options.should_stop = kecs_sync__should_stop;
  options.should_stop_user = sync;
  kecs_status status = kecs_pg__connect(&options, &connection);
  if (status == KECS_E_READONLY) {
    status = kecs_pg__fail(KECS_E_READONLY,
                           "%s: the server is a standby, which takes nothing; name the primary in the hub's URL, too "
                           "(host1,host2), or promote it: nothing was lost, and the next round goes on",
                           sync->place.shown);
  }
  sync->link = status ? NULL : kecs_pg__of(connection);
  sync->prepared_count = 0;
  kecs_sync__lock(sync);
  sync->told.connects += status ? 0 : 1;
  kecs_sync__unlock(sync);
  return status;
}

/* States of the hub's functions. */
static kecs_status kecs_sync__refusal(kecs_sync *sync, const PGresult *result, const char *doing, bool begins) {
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
  return begins ? kecs_pg__fail_begin(sync->place.shown, result, doing)
                : kecs_pg__fail_result(sync->place.shown, result, doing);
}

/* ---- bytes ---- */

/* The sizes of messages in PostgreSQL's protocol, version 3: one byte, a length of four, and what is in it. */
enum {
  KECS_SYNC__SYNC_BYTES = 5,
  KECS_SYNC__READY_BYTES = 6,
  KECS_SYNC__PARSED_BYTES = 5,
  KECS_SYNC__BOUND_BYTES = 5,
  KECS_SYNC__NO_DATA_BYTES = 5,
  KECS_SYNC__FIELD_BYTES = 19,   /* of a column's description, with its name's terminator */
  KECS_SYNC__EXECUTE_BYTES = 17  /* Describe and Execute of the portal without a name */
};

static int64_t kecs_sync__parse_bytes(const char *name, const kecs_sync__statement *packed) {
  return 5 + (int64_t)strlen(name) + 1 + (int64_t)packed->sql.len + 1 + 2;
}

static int64_t kecs_sync__bind_bytes(const char *name, const kecs_sync__statement *packed) {
  int64_t bytes = 5 + 1 + (int64_t)strlen(name) + 1 + 2 + 2 + 4;
  for (int i = 0; i < packed->count; i++) {
    bytes += 4 + (packed->values[i] ? (int64_t)strlen(packed->values[i]) : 0);
  }
  return bytes + KECS_SYNC__EXECUTE_BYTES;
}

static int64_t kecs_sync__result_bytes(const PGresult *result) {
  int fields = PQnfields(result);
  int64_t bytes = KECS_SYNC__BOUND_BYTES + 5 + (int64_t)strlen(PQcmdStatus((PGresult *)(void *)(uintptr_t)result)) + 1;
  bytes += PQresultStatus(result) == PGRES_TUPLES_OK ? 7 : KECS_SYNC__NO_DATA_BYTES;
  for (int column = 0; column < fields; column++) {
    bytes += KECS_SYNC__FIELD_BYTES + (int64_t)strlen(PQfname(result, column));
  }
  for (int row = 0; row < PQntuples(result); row++) {
    bytes += 7 + 4 * (int64_t)fields;
    for (int column = 0; column < fields; column++) {
      bytes += PQgetlength(result, row, column);
    }
  }
  return bytes;
}

/* ---- sending ---- */

/* The number of a text that is prepared on the link, or will be with this exchange; 0: it is not. */
static int kecs_sync__prepared(kecs_sync *sync, const kecs_sync__statement *packed, bool *out_anew) {
  kecs_pg__name text = kecs_pg__name_of(packed->sql.data, packed->sql.len);
  *out_anew = false;
  if (!packed->keep || !sync->link->named) {
    return 0;
  }
  for (int i = 0; i < sync->prepared_count; i++) {
    if (sync->prepared[i].low == text.low && sync->prepared[i].high == text.high) {
      return i + 1;
    }
  }
  if (sync->prepared_count == KECS_SYNC__PREPARED) {
    return 0;
  }
  *out_anew = true;
  sync->prepared[sync->prepared_count++] = text;
  return sync->prepared_count;
}

static bool kecs_sync__send_statement(kecs_sync *sync, kecs_sync__statement *packed) {
  PGconn *pg = sync->link->pg;
  char name[16] = "";
  bool anew = false;
  int number = kecs_sync__prepared(sync, packed, &anew);
  if (number == 0) {
    sync->report.bytes_out += kecs_sync__parse_bytes("", packed) + kecs_sync__bind_bytes("", packed);
    sync->report.bytes_in += KECS_SYNC__PARSED_BYTES;
    return PQsendQueryParams(pg, packed->sql.data, packed->count, NULL, packed->values, NULL, NULL, 0);
  }
  snprintf(name, sizeof name, "k%d", number);
  packed->parsed = anew;
  if (anew) {
    sync->report.bytes_out += kecs_sync__parse_bytes(name, packed);
    sync->report.bytes_in += KECS_SYNC__PARSED_BYTES;
  }
  sync->report.bytes_out += kecs_sync__bind_bytes(name, packed);
  return (!anew || PQsendPrepare(pg, name, packed->sql.data, 0, NULL)) &&
         PQsendQueryPrepared(pg, name, packed->count, packed->values, NULL, NULL, 0);
}

static bool kecs_sync__send_packet(kecs_sync *sync, kecs_sync__packet *packet) {
  bool sent = PQenterPipelineMode(sync->link->pg);
  for (int i = 0; sent && i < packet->count; i++) {
    sent = kecs_sync__send_statement(sync, &packet->statement[i]);
  }
  sync->report.bytes_out += KECS_SYNC__SYNC_BYTES;
  return sent && PQpipelineSync(sync->link->pg);
}

/* One result; NULL: the connection is lost, or given up since the round is to end. */
static PGresult *kecs_sync__receive(kecs_sync *sync, int64_t *stopped_at) {
  if (!kecs_pg__await(sync->link, KECS_PG__STOPS, stopped_at)) {
    return NULL;
  }
  PGresult *result = PQgetResult(sync->link->pg);
  if (result && PQresultStatus(result) == PGRES_FATAL_ERROR && !PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
    PQclear(result);
    return NULL;
  }
  if (result && (!kecs_pg__await(sync->link, KECS_PG__STOPS, stopped_at) || PQgetResult(sync->link->pg))) {
    PQclear(result);
    return NULL;
  }
  return result;
}

/* The answer to one statement; false: the connection is lost. */
static bool kecs_sync__receive_statement(kecs_sync__exchange *exchange, const kecs_sync__statement *packed,
                                         const char *doing, kecs_status *status, int64_t *stopped_at) {
  kecs_sync *sync = exchange->sync;
  PGresult *result = NULL;
  for (int answers = packed->parsed ? 2 : 1; answers > 0; answers--) { /* to Parse, and to the rest */
    PQclear(result);
    result = kecs_sync__receive(sync, stopped_at);
    if (!result) {
      return false;
    }
    if (!*status && PQresultStatus(result) == PGRES_FATAL_ERROR) {
      *status = kecs_sync__refusal(sync, result, doing, exchange->item[packed->first].frame);
    }
  }
  sync->report.bytes_in += kecs_sync__result_bytes(result);
  if (packed->rows) {
    *status = *status ? *status : kecs_sync__unpack(packed, exchange, result);
    PQclear(result);
  } else {
    exchange->item[packed->last].result = result; /* of calls that went together, the last one's is the last value */
  }
  return true;
}

KECS_PG__FN kecs_status kecs_sync__fail_stopped(const kecs_sync *sync, const char *doing) {
  return kecs_pg__fail(KECS_E_CANCELLED, "%s: stopped when it was to %s; the next round goes on", sync->place.shown,
                       doing);
}

KECS_PG__FN kecs_status kecs_sync__fail_link(kecs_sync *sync, const char *doing) {
  if (kecs_sync__should_stop(sync)) {
    return kecs_sync__fail_stopped(sync, doing);
  }
  return sync->link ? kecs_pg__fail_lost(sync->place.shown, sync->link->pg, doing)
                    : kecs_pg__fail(KECS_E_OFFLINE, "%s: the connection was lost when it was to %s", sync->place.shown,
                                    doing);
}

static kecs_status kecs_sync__send_over(kecs_sync__exchange *exchange, kecs_sync__packet *packet, const char *doing) {
  kecs_sync *sync = exchange->sync;
  kecs_status status = KECS_OK;
  int64_t stopped_at = 0;
  sync->report.round_trips++;
  sync->sent_us = kecs_replica_now(sync->store); /* a new connection has been made by now */
  bool good = kecs_sync__send_packet(sync, packet);
  if (good && exchange->meanwhile) {
    exchange->meanwhile(exchange->user);
  }
  for (int i = 0; good && i < packet->count; i++) {
    good = kecs_sync__receive_statement(exchange, &packet->statement[i], doing, &status, &stopped_at);
  }
  if ((!good && !status) || (status && kecs_sync__should_stop(sync))) {
    status = kecs_sync__fail_link(sync, doing);
  }
  PGresult *synced = good && !status && kecs_pg__await(sync->link, KECS_PG__STOPS, &stopped_at)
                         ? PQgetResult(sync->link->pg)
                         : NULL;
  if (!status && (!synced || PQresultStatus(synced) != PGRES_PIPELINE_SYNC || !PQexitPipelineMode(sync->link->pg))) {
    status = kecs_sync__fail_link(sync, doing);
  }
  sync->report.bytes_in += synced ? KECS_SYNC__READY_BYTES : 0;
  PQclear(synced);
  return status;
}

/* What goes on in a transaction has no other connection. */
static kecs_status kecs_sync__link(const kecs_sync__exchange *exchange, const char *doing) {
  kecs_sync *sync = exchange->sync;
  if (!exchange->goes_on) {
    return kecs_sync__connect(sync);
  }
  return sync->link && kecs_pg__alive(sync->link) ? KECS_OK : kecs_sync__fail_link(sync, doing);
}

static kecs_status kecs_sync__send_packed(kecs_sync__exchange *exchange, const char *doing) {
  kecs_sync *sync = exchange->sync;
  if (kecs_sync__should_stop(sync)) {
    return kecs_sync__fail_stopped(sync, doing);
  }
  kecs_status status = exchange->status ? exchange->status : kecs_sync__link(exchange, doing);
  if (status) {
    return kecs_sync__should_stop(sync) ? kecs_sync__fail_stopped(sync, doing) : status;
  }
  kecs_sync__packet *packet = kecs_pg__alloc(&sync->allocator, sizeof *packet);
  if (!packet) {
    return KECS_E_NOMEM;
  }
  packet->allocator = &sync->allocator;
  packet->bare = sync->link->settled && !exchange->stays && !exchange->goes_on;
  status = kecs_sync__pack(packet, exchange);
  status = status ? status : kecs_sync__send_over(exchange, packet, doing);
  kecs_sync__pack_free(packet);
  kecs_pg__release(&sync->allocator, packet, sizeof *packet);
  return status;
}

/* After a failure nothing of the exchange may be left on the connection: an answer, or a transaction that another
 * exchange has begun and this one was to end. What came next would be done in that, and never committed. */
KECS_PG__FN kecs_status kecs_sync__send(kecs_sync__exchange *exchange, const char *doing) {
  if (!exchange->stays) {
    kecs_sync__add_frame(exchange, "COMMIT");
  }
  kecs_status status = kecs_sync__send_packed(exchange, doing);
  if (status) {
    kecs_error error = *kecs_last_error();
    kecs_sync__hang_up(exchange->sync);
    kecs_pg__restore(&error);
  }
  return status;
}

KECS_PG__FN const char *kecs_sync__text(const PGresult *result, int row, int column) {
  return row < PQntuples(result) && column < PQnfields(result) ? PQgetvalue(result, row, column) : "";
}

KECS_PG__FN int64_t kecs_sync__number(const PGresult *result, int row, int column) {
  return strtoll(kecs_sync__text(result, row, column), NULL, 10);
}
