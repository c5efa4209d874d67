/* pg/connection.c -- one connection to a server: made without blocking for good, looked over before it is used. */
#include "pg/prologue.h"

#include "pg/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__CONNECT_MS 30000 /* the longest that connecting may take, where a call needn't wait for a connection */
#define KECS_PG__START_FIRST_MS 50
#define KECS_PG__START_MAX_MS 1000
#define KECS_PG__SERVER_OLDEST 120000 /* PQserverVersion of the oldest server that is taken */

KECS_PG__FN kecs_pg__connection *kecs_pg__of(kecs_connection *connection) {
  return (kecs_pg__connection *)(void *)connection;
}

KECS_PG__FN bool kecs_pg__in_transaction(const kecs_pg__connection *connection) {
  PGTransactionStatusType status = connection->pg ? PQtransactionStatus(connection->pg) : PQTRANS_UNKNOWN;
  return connection->begin_waits || status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

static void kecs_pg__log(const kecs_pg__connection *connection, kecs_log_level level, const char *text) {
  if (connection->logger && connection->logger->write) {
    char line[512];
    size_t len = strcspn(text, "\r\n");
    len = len < sizeof line ? len : sizeof line - 1;
    memcpy(line, text, len);
    line[len] = '\0';
    connection->logger->write(level, line, connection->logger->user);
  }
}

/* Hears notices, and errors that come when nothing was asked: the server's last words before it ends the connection. */
static void kecs_pg__notice(void *user, const PGresult *result) {
  kecs_pg__connection *connection = user;
  const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  connection->farewell = connection->farewell || (severity && strcmp(severity, "FATAL") == 0);
  if (said) {
    kecs_pg__log(connection, KECS_LOG_DEBUG, said);
  }
}

/* Starts and follows the handshake; what it came to is PQstatus. */
static kecs_status kecs_pg__shake_hands(kecs_pg__connection *connection) {
  const kecs_pg__settings *settings = &connection->home->settings;
  /* The URL comes first, so that it may name an application; the encoding is not its to choose. */
  const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
  const char *const values[] = {settings->conninfo, "kecs_store", "UTF8", NULL};
  int limit = connection->acquire_ms > 0 ? connection->acquire_ms : KECS_PG__CONNECT_MS;
  int64_t until = kecs_pg__now_ms() + limit;
  connection->pg = PQconnectStartParams(names, values, 1);
  if (!connection->pg) {
    return kecs_pg__fail(KECS_E_NOMEM, "out of memory for a connection");
  }
  (void)PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE); /* with the SQLSTATE: libpq tells it no other way */
  (void)PQsetNoticeReceiver(connection->pg, kecs_pg__notice, connection);
  PostgresPollingStatusType polled =
      PQstatus(connection->pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (polled != PGRES_POLLING_OK && polled != PGRES_POLLING_FAILED) {
    kecs_pg__wait(connection->pg, polled == PGRES_POLLING_WRITING, 50);
    if (kecs_pg__stopped(connection)) {
      return kecs_pg__fail(KECS_E_CANCELLED, "%s: stopped while connecting", settings->shown);
    }
    if (kecs_pg__now_ms() > until) {
      return kecs_pg__fail(KECS_E_OFFLINE,
                           "%s: no connection within %d ms; check host and port, and that the server "
                           "runs",
                           settings->shown, limit);
    }
    polled = PQconnectPoll(connection->pg);
  }
  if (polled == PGRES_POLLING_FAILED) {
    return kecs_pg__fail_connect(settings->shown, connection->pg);
  }
  (void)PQsetErrorVerbosity(connection->pg, PQERRORS_DEFAULT);
  return KECS_OK;
}

static kecs_status kecs_pg__check_server(const kecs_pg__connection *connection) {
  const char *shown = kecs_pg__shown(connection);
  const char *encoding = PQparameterStatus(connection->pg, "server_encoding");
  int version = PQserverVersion(connection->pg);
  if (version < KECS_PG__SERVER_OLDEST) {
    return kecs_pg__fail(KECS_E_UNSUPPORTED, "%s: the server is PostgreSQL %d; use 12 or newer", shown,
                         version / 10000);
  }
  if (encoding && strcmp(encoding, "UTF8") != 0) {
    return kecs_pg__fail(KECS_E_UNSUPPORTED,
                         "%s: the database's encoding is %s; use one that was made with ENCODING 'UTF8'", shown,
                         encoding);
  }
  return KECS_OK;
}

static const char kecs_pg__question[] =
    "SELECT pg_backend_pid(),pg_is_in_recovery(),CASE WHEN pg_is_in_recovery() THEN '' "
    "ELSE substr(pg_walfile_name(pg_current_wal_lsn()),1,8) END";
static const char kecs_pg__short_question[] = "SELECT pg_backend_pid(),pg_is_in_recovery(),''";

/* A direct connection is served by the process that libpq was told of. Behind a pooler any process may serve the next
 * transaction, and a name that another one was told means nothing to it. */
static kecs_status kecs_pg__look_over(kecs_pg__connection *connection) {
  PGresult *result = NULL;
  kecs_status status = kecs_pg__check_server(connection);
  status = status ? status : kecs_pg__command(connection, kecs_pg__question, KECS_PG__STOPS, "connect", &result);
  if (status && connection->pg && kecs_last_error()->sqlstate[0]) { /* not every server tells of its log */
    status = kecs_pg__command(connection, kecs_pg__short_question, KECS_PG__STOPS, "connect", &result);
  }
  if (status) {
    return status;
  }
  snprintf(connection->timeline, sizeof connection->timeline, "%s", PQgetvalue(result, 0, 2));
  int pid = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
  bool standby = PQgetvalue(result, 0, 1)[0] == 't';
  PQclear(result);
  int wanted = connection->home->settings.statements;
  connection->named = wanted == 1 || (wanted == 0 && pid == PQbackendPID(connection->pg));
  if (standby && connection->writer) {
    return kecs_pg__fail(KECS_E_READONLY,
                         "%s: the server is a standby; connect to the primary (target_session_attrs=read-write in the "
                         "URL), or open with read_only",
                         kecs_pg__shown(connection));
  }
  return KECS_OK;
}

static kecs_status kecs_pg__dial(kecs_pg__connection *connection) {
  int waiting = connection->waiting_count; /* a transaction that has not begun yet: not before the looking over */
  connection->waiting_count = 0;
  kecs_pg__hang_up(connection);
  kecs_status status = kecs_pg__shake_hands(connection);
  if (!status) {
    status = kecs_pg__look_over(connection);
  }
  if (status) {
    kecs_pg__hang_up(connection);
  }
  connection->waiting_count = waiting;
  return status;
}

/* The first connection of a store: it may be opened before its server is. */
static kecs_status kecs_pg__dial_first(kecs_pg__connection *connection) {
  int64_t until = kecs_pg__now_ms() + connection->acquire_ms;
  int pause = KECS_PG__START_FIRST_MS;
  for (;;) {
    kecs_status status = kecs_pg__dial(connection);
    bool may_come = status == KECS_E_OFFLINE || strcmp(kecs_last_error()->sqlstate, "53300") == 0;
    if (!status || !may_come || kecs_pg__now_ms() + pause > until || kecs_pg__stopped(connection)) {
      return status;
    }
    kecs_pg__log(connection, KECS_LOG_INFO, kecs_last_error()->text);
    kecs_pg__sleep_ms(pause);
    pause = 2 * pause < KECS_PG__START_MAX_MS ? 2 * pause : KECS_PG__START_MAX_MS;
  }
}

KECS_PG__FN kecs_status kecs_pg__ready(kecs_pg__connection *connection) {
  if (connection->pg && !connection->doomed && !connection->farewell && PQstatus(connection->pg) == CONNECTION_OK) {
    return KECS_OK;
  }
  return kecs_pg__dial(connection);
}

KECS_PG__FN kecs_status kecs_pg__connect(const kecs_connect_options *options, kecs_connection **out_connection) {
  *out_connection = NULL;
  kecs_pg__connection *connection = kecs_pg__alloc(options->allocator, sizeof *connection);
  if (!connection) {
    return KECS_E_NOMEM;
  }
  connection->home = options->place->own;
  connection->allocator = options->allocator;
  connection->logger = options->logger;
  connection->should_stop = options->should_stop;
  connection->should_stop_user = options->should_stop_user;
  connection->writer = !options->read_only && !options->reader;
  connection->no_foreign_keys = options->no_foreign_keys;
  connection->full_durability = options->full_durability;
  connection->busy_timeout_ms = options->busy_timeout_ms;
  connection->acquire_ms = options->acquire_ms;
  kecs_status status = options->opening ? kecs_pg__dial_first(connection) : kecs_pg__dial(connection);
  if (status) {
    kecs_pg__release(options->allocator, connection, sizeof *connection);
    return status;
  }
  *out_connection = (kecs_connection *)(void *)connection;
  return KECS_OK;
}

KECS_PG__FN void kecs_pg__disconnect(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__hang_up(connection);
  kecs_pg__release(connection->allocator, connection->names, connection->name_room * sizeof *connection->names);
  kecs_pg__release(connection->allocator, connection, sizeof *connection);
}
