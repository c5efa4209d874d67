/* pg/log.c -- the change log on PostgreSQL: making it, switching it, numbering its entries. */
#include "pg/prologue.h"

#include "pg/log.h"

#include "pg/log_sql.h"
#include "pg/public.h"

#include <stdio.h>
#include <string.h>

/* ---- texts ---- */

/* Sends a text that was put together, unless something was wrong with it. */
static kecs_status kecs_pg__log_send(kecs_pg__connection *connection, kecs_pg__text *text, const char *doing,
                                     PGresult **out_result) {
  kecs_status status = text->status;
  if (!status && text->len > 0) {
    status = kecs_pg__command(connection, text->data, KECS_PG__STOPS, doing, out_result);
  }
  kecs_pg__text_free(text);
  return status;
}

static kecs_status kecs_pg__log_run(kecs_pg__connection *connection, const char *form, const char *doing) {
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__log_text(&text, connection, form);
  return kecs_pg__log_send(connection, &text, doing, NULL);
}

/* A question whose answer is one text; "" where it gives no row. */
static kecs_status kecs_pg__log_ask(kecs_pg__connection *connection, const char *form, char *out, size_t size) {
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  PGresult *result = NULL;
  out[0] = '\0';
  kecs_pg__log_text(&text, connection, form);
  kecs_status status = kecs_pg__log_send(connection, &text, "ask for the change log", &result);
  if (!status && PQntuples(result) > 0 && !PQgetisnull(result, 0, 0)) {
    size_t len = (size_t)PQgetlength(result, 0, 0);
    len = len < size ? len : size - 1;
    memcpy(out, PQgetvalue(result, 0, 0), len);
    out[len] = '\0';
  }
  PQclear(result);
  return status;
}

/* ---- making ---- */

static const char kecs_pg__log_has_triggers[] =
    "SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid=g.tgrelid JOIN pg_namespace n ON n.oid=c.relnamespace "
    "WHERE n.nspname={tables} AND g.tgname='feed_clusters_insert'";

static const char kecs_pg__log_making[] = "make the change log's triggers; the tables' owner must switch it on first";

static kecs_status kecs_pg__log_make_triggers(kecs_pg__connection *connection, bool make) {
  kecs_status status = kecs_pg__command(connection, "SET LOCAL client_min_messages=warning", KECS_PG__STOPS,
                                        "make the change log", NULL);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
    if (make) {
      kecs_pg__log_triggers(&text, connection, kecs_kind_describe((kecs_kind)kind));
    } else {
      kecs_pg__log_no_triggers(&text, connection, kecs_kind_describe((kecs_kind)kind));
    }
    status = kecs_pg__log_send(connection, &text, make ? kecs_pg__log_making : "drop the change log's triggers", NULL);
  }
  return status;
}

/* Triggers that are there name columns: they are made anew after a migration. */
KECS_PG__FN kecs_status kecs_pg__log_make(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char there[24];
  kecs_pg__log_tables(&text, connection);
  kecs_status status = kecs_pg__log_send(connection, &text, "make the change log", NULL);
  status = status ? status : kecs_pg__log_ask(connection, kecs_pg__log_has_triggers, there, sizeof there);
  return status || strcmp(there, "0") == 0 ? status : kecs_pg__log_make_triggers(connection, true);
}

/* ---- switching ---- */

/* The mark is the one entry left when tracking is switched off, and the first new one when it is switched on. What was
 * watched before must not go on as if nothing had been missed, so the floor is raised to it. */
static const char kecs_pg__log_mark_form[] =
    "INSERT INTO {S}changes(tenant,seq,kind,rid,groups,op,stamp) SELECT h.tenant,h.seq,0,0,0,"
    "CASE WHEN h.tracked THEN 8 ELSE 9 END,{S}change_stamp() FROM {S}change_heads h WHERE h.tenant={T};\n"
    "INSERT INTO {S}change_state(tenant,id,value) SELECT h.tenant,v.id,h.seq FROM {S}change_heads h,"
    "(VALUES(1),(3)) AS v(id) WHERE h.tenant={T} AND (v.id=1 OR h.tracked) "
    "ON CONFLICT(tenant,id) DO UPDATE SET value=greatest(change_state.value,excluded.value)";

static const char kecs_pg__log_on_form[] =
    "DELETE FROM {S}change_queue WHERE tenant={T};\n"
    "INSERT INTO {S}change_heads(tenant,seq,tracked) VALUES({T},1,true) ON CONFLICT(tenant) DO UPDATE "
    "SET seq=change_heads.seq+1,tracked=true";

static const char kecs_pg__log_off_form[] =
    "UPDATE {S}change_heads SET seq=seq+1,tracked=false,history=0 WHERE tenant={T};\n"
    "DELETE FROM {S}change_queue WHERE tenant={T};\n"
    "DELETE FROM {S}change_tombstones WHERE tenant={T};\n"
    "DELETE FROM {S}change_folds WHERE tenant={T};\n"
    "DELETE FROM {S}change_batches WHERE tenant={T};\n"
    "DELETE FROM {S}history_keys WHERE tenant={T};\n"
    "DELETE FROM {S}history WHERE tenant={T};\n"
    "DELETE FROM {S}change_state WHERE tenant={T} AND id=4;\n" /* the kinds of the history */
    "DELETE FROM {S}changes WHERE tenant={T}";

/* Whether it is time to drop the triggers: nobody else is tracked. Who is not the tables' owner may not see that. */
static const char kecs_pg__log_last_form[] =
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace WHERE n.nspname={tables} AND "
    "c.relname='change_heads' AND pg_has_role(c.relowner,'USAGE') AND NOT EXISTS(SELECT FROM {S}change_heads WHERE "
    "tracked)";

/* Triggers that are made wait for whoever writes; where they are there already, a lock does. Otherwise what was written
 * before and is committed later would be missing. */
static kecs_status kecs_pg__log_turn_on(kecs_pg__connection *connection) {
  char there[24];
  kecs_status status = kecs_pg__log_ask(connection, kecs_pg__log_has_triggers, there, sizeof there);
  if (!status && strcmp(there, "0") == 0) {
    status = kecs_pg__log_make_triggers(connection, true);
  } else if (!status) {
    kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
    kecs_pg__log_lock(&text, connection);
    status = kecs_pg__log_send(connection, &text, "wait for writers", NULL);
  }
  return status ? status : kecs_pg__log_run(connection, kecs_pg__log_on_form, "switch the change log on");
}

static kecs_status kecs_pg__log_turn_off(kecs_pg__connection *connection) {
  char last[24];
  kecs_status status = kecs_pg__log_run(connection, kecs_pg__log_off_form, "switch the change log off");
  status = status ? status : kecs_pg__log_ask(connection, kecs_pg__log_last_form, last, sizeof last);
  return status || last[0] == '\0' ? status : kecs_pg__log_make_triggers(connection, false);
}

static const char kecs_pg__log_is_on[] = "SELECT 1 FROM {S}change_heads WHERE tenant={T} AND tracked FOR UPDATE";

KECS_PG__FN kecs_status kecs_pg__log_turn(kecs_connection *shared, bool on) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  char is_on[24];
  kecs_status status = kecs_pg_backend()->keep_out(shared); /* of those who switch it just now, too */
  status = status ? status : kecs_pg__log_ask(connection, kecs_pg__log_is_on, is_on, sizeof is_on);
  if (status || (is_on[0] != '\0') == on) {
    return status; /* another process was faster */
  }
  status = on ? kecs_pg__log_turn_on(connection) : kecs_pg__log_turn_off(connection);
  return status ? status : kecs_pg__log_run(connection, kecs_pg__log_mark_form, "switch the change log");
}

/* ---- numbering ---- */

/* In a transaction of its own, in one exchange. Whether it was committed need not be known: it may be done again. */
KECS_PG__FN kecs_status kecs_pg__log_number(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__message message = {0};
  PGresult *result = NULL;
  if (connection->standby) {
    return KECS_OK; /* the primary's business */
  }
  kecs_pg__log_text(&text, connection, "SELECT {S}change_number({T})");
  kecs_status status = text.status ? text.status : kecs_pg_backend()->begin(shared, true);
  message.sql = text.data;
  message.commits = true;
  status = status ? status
                  : kecs_pg__exchange(connection, &message, KECS_PG__STOPS, "number the change log's entries", &result);
  PQclear(result);
  kecs_pg__text_free(&text);
  if (status) {
    kecs_error error = *kecs_last_error();
    kecs_pg_backend()->rollback(shared);
    kecs_pg__restore(&error);
  }
  if (status == KECS_E_OUTCOME_UNKNOWN) {
    return kecs_pg__fail(KECS_E_OFFLINE, "%s: the connection was lost while the change log was read; try again",
                         kecs_pg__shown(connection));
  }
  return status;
}

/* ---- the history ---- */

KECS_PG__FN kecs_status kecs_pg__log_say(kecs_connection *shared, const char *actor, const char *reason) {
  return kecs_pg__say(kecs_pg__of(shared), actor, reason);
}

/* Numbering goes by while somebody else numbers: so the tenant's head is waited for first. */
static const char kecs_pg__log_head[] = "SELECT 1 FROM {S}change_heads WHERE tenant={T} FOR UPDATE";

KECS_PG__FN kecs_status kecs_pg__log_settle(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_status status = kecs_pg_backend()->keep_out(shared); /* of those who switch it just now, too */
  status = status ? status : kecs_pg__log_run(connection, kecs_pg__log_head, "wait for the change log");
  if (status) {
    return status;
  }
  kecs_pg__log_lock(&text, connection);
  status = kecs_pg__log_send(connection, &text, "wait for writers", NULL);
  return status ? status
                : kecs_pg__log_run(connection, "SELECT {S}change_number({T})", "number the change log's entries");
}

KECS_PG__FN kecs_status kecs_pg__log_keep(kecs_connection *shared, uint64_t kinds) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)kinds);
  kecs_pg__text_adds(&text, "UPDATE ");
  kecs_pg__log_text(&text, connection, "{S}change_heads SET history=");
  kecs_pg__text_adds(&text, number);
  kecs_pg__log_text(&text, connection, " WHERE tenant={T}");
  return kecs_pg__log_send(connection, &text, "switch the history", NULL);
}

/* ---- hearing ---- */

/* Behind a pooler LISTEN is for a session that is somebody else's a moment later; a standby refuses it. What was
 * numbered before it listened was not heard: that counts as heard. */
static kecs_status kecs_pg__log_listen(kecs_pg__connection *connection) {
  char channel[64];
  char sql[128];
  kecs_status status = kecs_pg__log_ask(connection, "SELECT {S}change_channel({T})", channel, sizeof channel);
  snprintf(sql, sizeof sql, "LISTEN %s", channel);
  status = status ? status : kecs_pg__command(connection, sql, KECS_PG__STOPS, "listen", NULL);
  connection->listens = !status;
  return status;
}

KECS_PG__FN kecs_status kecs_pg__log_hear(kecs_connection *shared, bool *out_listens, bool *out_heard) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  *out_listens = false;
  *out_heard = false;
  if (!kecs_pg__alive(connection)) {
    kecs_status lost = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "listen");
    kecs_pg__hang_up(connection);
    return lost;
  }
  if (!connection->direct || connection->standby) {
    return KECS_OK;
  }
  if (!connection->listens) {
    *out_heard = true;
    kecs_status status = kecs_pg__log_listen(connection);
    *out_listens = !status;
    return status;
  }
  for (PGnotify *note = PQnotifies(connection->pg); note; note = PQnotifies(connection->pg)) {
    *out_heard = true;
    PQfreemem(note);
  }
  *out_listens = true;
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_pg__log_trim(kecs_connection *shared, int64_t floor) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)floor);
  kecs_pg__log_text(&text, connection, "DELETE FROM {S}change_batches WHERE tenant={T} AND seq<");
  kecs_pg__text_adds(&text, number);
  return kecs_pg__log_send(connection, &text, "trim the change log", NULL);
}
