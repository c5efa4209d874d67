/* pg/errors.c -- the only place that maps SQLSTATEs. */
#include "pg/prologue.h"

#include "pg/errors.h"

#include <stdio.h>
#include <string.h>

typedef struct kecs_pg__state {
  const char *state; /* a whole SQLSTATE, or the two characters of a class */
  kecs_status status;
  const char *advice;
} kecs_pg__state;

/* Whole states stand before their class: the first row that matches decides. */
static const kecs_pg__state kecs_pg__states[] = {
    {"23505", KECS_E_EXISTS, "the key is taken"},
    {"23503", KECS_E_REFERENCE, "create the parent first"},
    {"21000", KECS_E_INVALID, "a row stands twice among those that are stored together"},
    {"23", KECS_E_INVALID, "a column's value is missing or breaks a rule of the table"},
    {"22", KECS_E_INVALID, "a column's value is not of its type"},
    {"54000", KECS_E_INVALID, "a value is longer than PostgreSQL takes; keys may have some 2600 bytes"},
    {"40001", KECS_E_BUSY, "another writer was in the way; try again"},
    {"40P01", KECS_E_BUSY, "another writer was in the way; try again"},
    {"55P03", KECS_E_BUSY, "another session holds the row or table; try again, or raise options.busy_timeout_ms"},
    {"53300", KECS_E_BUSY, "raise max_connections of the server, or put a pooler before it"},
    {"40003", KECS_E_OUTCOME_UNKNOWN, "read first whether it was stored"},
    {"08007", KECS_E_OUTCOME_UNKNOWN, "read first whether it was stored"},
    {"57014", KECS_E_CANCELLED, "the statement was stopped; nothing was stored"},
    {"25006", KECS_E_READONLY,
     "the server takes no writes: name the primary in the URL, too (host1,host2), or open with read_only"},
    {"25P02", KECS_E_MISUSE, "an earlier statement failed; end the transaction with kecs_rollback and begin again"},
    {"28", KECS_E_DENIED, "check user and password in the URL, and the server's pg_hba.conf"},
    {"3D000", KECS_E_NOT_FOUND, "create the database, or check its name in the URL"},
    {"3F000", KECS_E_NOT_FOUND, "create the schema, or check its name in the URL"},
    {"42501", KECS_E_DENIED,
     "GRANT the user of the URL what is missing (docs/postgresql/roles.sql), let the owner open the store once, or "
     "give the tenant that the user may write"},
    {"0A000", KECS_E_UNSUPPORTED, "this server can't do that"},
    {"57P01", KECS_E_OFFLINE, "the server ended the connection; try again"},
    {"57P02", KECS_E_OFFLINE, "the server crashed and restarts; try again"},
    {"57P03", KECS_E_OFFLINE, "the server is starting or stopping; try again"},
    {"57P05", KECS_E_OFFLINE, "the server ended an idle connection; try again"},
    {"08P01", KECS_E_OFFLINE,
     "poolers say so when the server behind them or a limit of theirs (max_client_conn, query_wait_timeout) is in the "
     "way; try again"},
    {"08", KECS_E_OFFLINE, "check that the server can be reached; try again"},
    {"53100", KECS_E_FULL, "free space on the server's disk"},
    {"53200", KECS_E_NOMEM, "the server is out of memory"},
    {"53", KECS_E_BUSY, "the server is at a limit; try again"},
    {"58", KECS_E_IO, "see the server's log"},
    {"XX001", KECS_E_CORRUPT, "restore a backup"},
    {"XX002", KECS_E_CORRUPT, "reindex, or restore a backup"},
    {"42", KECS_E_CORRUPT, "the schema is not what this version expects"},
    {"26000", KECS_E_OFFLINE, "a pooler took the prepared statement away: put statements=unnamed into the URL"},
};

static const kecs_pg__state *kecs_pg__state_find(const char *state) {
  for (size_t i = 0; i < sizeof kecs_pg__states / sizeof kecs_pg__states[0]; i++) {
    if (strncmp(kecs_pg__states[i].state, state, strlen(kecs_pg__states[i].state)) == 0) {
      return &kecs_pg__states[i];
    }
  }
  return NULL;
}

/* Records one line: libpq's and the server's texts may have several, of which the first says what happened. */
static kecs_status kecs_pg__tell(kecs_status status, const char *shown, const char *doing, const char *state,
                                 const char *said, const char *advice) {
  char text[sizeof kecs_last_error()->text];
  snprintf(text, sizeof text, "%s: could not %s: %.*s; %s", shown, doing, (int)strcspn(said, "\r\n"), said, advice);
  return kecs_backend_fail(status, 0, state, text);
}

static kecs_status kecs_pg__fail_state(const char *shown, const PGresult *result, const char *doing,
                                       const char *state) {
  const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const kecs_pg__state *found = state ? kecs_pg__state_find(state) : NULL;
  said = said ? said : PQresultErrorMessage(result);
  return kecs_pg__tell(found ? found->status : KECS_E_IO, shown, doing, state, said[0] ? said : "no reason was given",
                       found ? found->advice : "see the SQLSTATE and the server's log");
}

KECS_PG__FN kecs_status kecs_pg__fail_result(const char *shown, const PGresult *result, const char *doing) {
  return kecs_pg__fail_state(shown, result, doing, PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

KECS_PG__FN kecs_status kecs_pg__fail_begin(const char *shown, const PGresult *result, const char *doing) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return kecs_pg__fail_state(shown, result, doing, state && strcmp(state, "0A000") == 0 ? "25006" : state);
}

/* "FATAL:  28P01: password ...": the state behind the first colon that one follows. */
static const char *kecs_pg__state_in(const char *text, char out[KECS_PG__STATE_LEN + 1]) {
  static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const char *at = strchr(text, ':'); at; at = strchr(at + 1, ':')) {
    const char *state = at + 1 + strspn(at + 1, " ");
    bool digits = strcspn(state, "0123456789") < KECS_PG__STATE_LEN; /* "FATAL" is none */
    if (digits && strspn(state, alphabet) == KECS_PG__STATE_LEN && strncmp(state + KECS_PG__STATE_LEN, ": ", 2) == 0) {
      memcpy(out, state, KECS_PG__STATE_LEN);
      out[KECS_PG__STATE_LEN] = '\0';
      return state + KECS_PG__STATE_LEN + 2;
    }
  }
  return NULL;
}

/* Whether the two could not agree on encryption: libpq gives no code for that. Trying again would not help. */
static bool kecs_pg__is_tls(const char *text) {
  static const char *const words[] = {"certificate", "SSL error", "does not support SSL"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strstr(text, words[i])) {
      return true;
    }
  }
  return false;
}

KECS_PG__FN kecs_status kecs_pg__fail_connect(const char *shown, PGconn *pg) {
  char state[KECS_PG__STATE_LEN + 1] = "";
  const char *text = pg ? PQerrorMessage(pg) : "out of memory";
  const char *said = kecs_pg__state_in(text, state);
  const kecs_pg__state *found = said ? kecs_pg__state_find(state) : NULL;
  if (found) {
    return kecs_pg__tell(found->status, shown, "connect", state, said, found->advice);
  }
  if (pg && PQconnectionNeedsPassword(pg)) {
    return kecs_pg__tell(KECS_E_DENIED, shown, "connect", NULL, said ? said : text,
                         "put a password into the URL, PGPASSWORD or ~/.pgpass");
  }
  if (kecs_pg__is_tls(said ? said : text)) {
    return kecs_pg__tell(KECS_E_DENIED, shown, "connect", NULL, said ? said : text,
                         "check sslmode and sslrootcert in the URL, and that the host is the one in the server's "
                         "certificate");
  }
  return kecs_pg__tell(KECS_E_OFFLINE, shown, "connect", state[0] ? state : NULL, said ? said : text,
                       "check host and port, and that the server runs");
}

KECS_PG__FN kecs_status kecs_pg__fail_lost(const char *shown, PGconn *pg, const char *doing) {
  const char *said = pg ? PQerrorMessage(pg) : "";
  return kecs_pg__tell(KECS_E_OFFLINE, shown, doing, NULL, said[0] ? said : "the connection is lost",
                       "nothing was stored; the next call connects anew");
}

KECS_PG__FN bool kecs_pg__dooms(const PGresult *result) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state && (strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 || strcmp(state, "25006") == 0);
}
