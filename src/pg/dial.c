/* pg/dial.c -- making a connection. Several servers of a URL are tried one by one, each for a part of the time: libpq
 * by itself would wait for the first one's network until the call has no time left, and tell a standby from a primary
 * in a text alone. */
#include "pg/prologue.h"

#include "pg/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__CONNECT_MS 30000 /* what connecting may take where a call need not wait for a connection */
#define KECS_PG__START_FIRST_MS 50
#define KECS_PG__START_MAX_MS 1000
#define KECS_PG__MOVE_MS 1000         /* standbys are not looked for more often */
#define KECS_PG__SERVER_OLDEST 120000 /* PQserverVersion of the oldest server that is taken */
#define KECS_PG__HOST_SIZE 1024

/* ---- one server ---- */

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

/* The n-th part of a list with commas; the only part of a list that has one, too. */
static const char *kecs_pg__part(const char *list, int n, char out[KECS_PG__HOST_SIZE]) {
  const char *at = list ? list : "";
  bool several = strchr(at, ',') != NULL;
  for (int i = 0; i < n && several; i++) {
    at += strcspn(at, ",");
    at += *at == ',';
  }
  size_t len = strcspn(at, ",");
  len = len < KECS_PG__HOST_SIZE ? len : KECS_PG__HOST_SIZE - 1;
  memcpy(out, at, len);
  out[len] = '\0';
  return out;
}

/* Starts a connection to the n-th server of the URL. Which of them will do is not for libpq to say then. */
static PGconn *kecs_pg__start_connect(const kecs_pg__settings *settings, int n) {
  char host[KECS_PG__HOST_SIZE];
  char address[KECS_PG__HOST_SIZE];
  char port[KECS_PG__HOST_SIZE];
  /* The URL comes first, so that it may name an application; the encoding is not its to choose. */
  const char *names[] = {"dbname", "fallback_application_name", "client_encoding", NULL, NULL, NULL, NULL, NULL};
  const char *values[] = {settings->conninfo, "kecs_store", "UTF8", NULL, NULL, NULL, NULL, NULL};
  if (settings->host_count > 1) {
    names[3] = "host";
    values[3] = kecs_pg__part(settings->hosts, n, host);
    names[4] = "hostaddr";
    values[4] = kecs_pg__part(settings->addresses, n, address);
    names[5] = "port";
    values[5] = kecs_pg__part(settings->ports, n, port);
    names[6] = "target_session_attrs";
    values[6] = "any";
  }
  return PQconnectStartParams(names, values, 1);
}

/* Starts and follows the handshake, for at most so long; what it came to is PQstatus. */
static kecs_status kecs_pg__shake_hands(kecs_pg__connection *connection, int n, int limit) {
  const char *shown = kecs_pg__shown(connection);
  int64_t until = kecs_pg__now_ms() + limit;
  connection->pg = kecs_pg__start_connect(&connection->home->settings, n);
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
      return kecs_pg__fail(KECS_E_CANCELLED, "%s: stopped while connecting", shown);
    }
    if (kecs_pg__now_ms() > until) {
      return kecs_pg__fail(KECS_E_OFFLINE,
                           "%s: no connection within %d ms; check host and port, and that the server "
                           "runs",
                           shown, limit);
    }
    polled = PQconnectPoll(connection->pg);
  }
  if (polled == PGRES_POLLING_FAILED) {
    return kecs_pg__fail_connect(shown, connection->pg);
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

/* How far a standby is behind, in milliseconds: the age of the last transaction that it has replayed. Where nobody
 * writes that grows, too, and the reads go to the primary, which then has little to do. */
#define KECS_PG__LAG "(extract(epoch FROM clock_timestamp()-pg_last_xact_replay_timestamp())*1000)::bigint"

static const char kecs_pg__question[] =
    "SELECT pg_backend_pid(),pg_is_in_recovery(),CASE WHEN pg_is_in_recovery() THEN '' "
    "ELSE substr(pg_walfile_name(pg_current_wal_lsn()),1,8) END," KECS_PG__LAG;
static const char kecs_pg__short_question[] = "SELECT pg_backend_pid(),pg_is_in_recovery(),''," KECS_PG__LAG;

static bool kecs_pg__is_fresh(const kecs_pg__connection *connection, const PGresult *result, int column) {
  int64_t most = connection->home->settings.max_staleness_ms;
  return most == 0 ||
         (!PQgetisnull(result, 0, column) && strtoll(PQgetvalue(result, 0, column), NULL, 10) <= most);
}

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
  int wanted = connection->home->settings.statements;
  connection->direct = pid == PQbackendPID(connection->pg);
  connection->named = wanted == 1 || (wanted == 0 && connection->direct);
  connection->standby = PQgetvalue(result, 0, 1)[0] == 't';
  connection->stale = connection->standby && !connection->writer && !kecs_pg__is_fresh(connection, result, 3);
  connection->checked_ms = kecs_pg__now_ms();
  PQclear(result);
  return KECS_OK;
}

KECS_PG__FN int kecs_pg__lock_timeout(const kecs_pg__connection *connection) {
  return connection->busy_timeout_ms > 0 ? connection->busy_timeout_ms : 1; /* 0 would wait for ever */
}

/* In a session of our own what each transaction that writes needs is said once. */
static kecs_status kecs_pg__settle_session(kecs_pg__connection *connection) {
  char sql[200];
  if (!connection->direct || !connection->writer) {
    return KECS_OK;
  }
  snprintf(sql, sizeof sql,
           "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;"
           "SET lock_timeout=%d%s",
           kecs_pg__lock_timeout(connection), connection->full_durability ? ";SET synchronous_commit=on" : "");
  kecs_status status = kecs_pg__command(connection, sql, KECS_PG__STOPS, "connect", NULL);
  connection->settled = !status;
  return status;
}

/* ---- which server ---- */

static kecs_status kecs_pg__check_role(const kecs_pg__connection *connection, kecs_pg__target target) {
  if (target == KECS_PG__PRIMARY && connection->standby) {
    return kecs_pg__fail(KECS_E_READONLY,
                         "%s: the server is a standby; name the primary in the URL, too (host1,host2), or open with "
                         "read_only",
                         kecs_pg__shown(connection));
  }
  if (target == KECS_PG__STANDBY && (!connection->standby || connection->stale)) {
    return kecs_pg__fail(KECS_E_OFFLINE, "%s: none of the servers is a standby that is up to date enough",
                         kecs_pg__shown(connection));
  }
  return KECS_OK;
}

/* One try of each server. What went wrong with one that answered says more than that another one does not. */
static kecs_status kecs_pg__dial_all(kecs_pg__connection *connection, kecs_pg__target target, int64_t until) {
  const kecs_pg__settings *settings = &connection->home->settings;
  kecs_status status = KECS_E_OFFLINE;
  kecs_error told = {KECS_OK, 0, "", "", "", 0};
  int count = settings->host_count > 1 ? settings->host_count : 1;
  for (int n = 0; n < count; n++) {
    int64_t left = (until - kecs_pg__now_ms()) / (count - n);
    int limit = settings->connect_timeout_ms > 0 && settings->connect_timeout_ms < left ? settings->connect_timeout_ms
                                                                                        : (int)left;
    kecs_pg__hang_up(connection);
    status = kecs_pg__shake_hands(connection, n, limit > 1 ? limit : 1);
    status = status ? status : kecs_pg__look_over(connection);
    status = status ? status : kecs_pg__check_role(connection, target);
    status = status ? status : kecs_pg__settle_session(connection);
    if (!status) {
      return KECS_OK;
    }
    if (!told.status || status != KECS_E_OFFLINE) {
      told = *kecs_last_error();
    }
    if (status != KECS_E_OFFLINE && status != KECS_E_READONLY && status != KECS_E_BUSY) {
      break; /* the others would say the same */
    }
  }
  kecs_pg__hang_up(connection);
  return kecs_backend_fail(told.status, 0, told.sqlstate, told.text);
}

/* What a connection is made for, and whether something else will do. */
static kecs_pg__target kecs_pg__target_of(const kecs_pg__connection *connection) {
  const kecs_pg__settings *settings = &connection->home->settings;
  if (connection->writer) {
    return KECS_PG__PRIMARY;
  }
  if (!connection->splits) {
    return settings->target;
  }
  if (settings->host_count < 2) {
    return KECS_PG__ANY;
  }
  return connection->shunned_until_ms > kecs_pg__now_ms() ? KECS_PG__PRIMARY : KECS_PG__PREFER_STANDBY;
}

KECS_PG__FN kecs_status kecs_pg__dial(kecs_pg__connection *connection) {
  int waiting = connection->waiting_count; /* a transaction that has not begun yet: not before the looking over */
  int64_t limit = connection->acquire_ms > 0 ? connection->acquire_ms : KECS_PG__CONNECT_MS;
  int64_t now = kecs_pg__now_ms();
  kecs_pg__target target = kecs_pg__target_of(connection);
  kecs_error before = *kecs_last_error();
  kecs_status status = KECS_OK;
  connection->waiting_count = 0;
  if (target == KECS_PG__PREFER_STANDBY) {
    status = kecs_pg__dial_all(connection, KECS_PG__STANDBY, now + limit / 2);
    if (status && status != KECS_E_CANCELLED) {
      /* Whoever only reads in a store that writes must not read what is too old. */
      status = kecs_pg__dial_all(connection, connection->splits ? KECS_PG__PRIMARY : KECS_PG__ANY, now + limit);
      if (!status) {
        kecs_pg__restore(&before);
      }
    }
  } else {
    status = kecs_pg__dial_all(connection, target, now + limit);
  }
  connection->waiting_count = waiting;
  return status;
}

KECS_PG__FN kecs_status kecs_pg__dial_first(kecs_pg__connection *connection) {
  int64_t until = kecs_pg__now_ms() + connection->acquire_ms;
  int pause = KECS_PG__START_FIRST_MS;
  for (;;) {
    kecs_status status = kecs_pg__dial(connection);
    bool may_come = status == KECS_E_OFFLINE || strcmp(kecs_last_error()->sqlstate, "53300") == 0 ||
                    (status == KECS_E_READONLY && connection->home->settings.host_count > 1);
    if (!status || !may_come || kecs_pg__now_ms() + pause > until || kecs_pg__stopped(connection)) {
      return status;
    }
    kecs_pg__log(connection, KECS_LOG_INFO, kecs_last_error()->text);
    kecs_pg__sleep_ms(pause);
    pause = 2 * pause < KECS_PG__START_MAX_MS ? 2 * pause : KECS_PG__START_MAX_MS;
  }
}

KECS_PG__FN bool kecs_pg__should_move(kecs_pg__connection *connection) {
  const kecs_pg__settings *settings = &connection->home->settings;
  int64_t age = kecs_pg__now_ms() - connection->checked_ms;
  PGresult *result = NULL;
  if (!connection->splits || age < settings->check_interval_ms || settings->host_count < 2) {
    return false;
  }
  if (!connection->standby) {
    return age >= KECS_PG__MOVE_MS;
  }
  if (settings->max_staleness_ms == 0) {
    return false;
  }
  int waiting = connection->waiting_count;
  kecs_error before = *kecs_last_error();
  connection->waiting_count = 0;
  kecs_status status = kecs_pg__command(connection, "SELECT pg_is_in_recovery()," KECS_PG__LAG, KECS_PG__STOPS,
                                        "ask a standby for its age", &result);
  connection->waiting_count = waiting;
  bool good = !status && PQgetvalue(result, 0, 0)[0] == 't' && kecs_pg__is_fresh(connection, result, 1);
  PQclear(result);
  kecs_pg__restore(&before);
  connection->checked_ms = kecs_pg__now_ms();
  return !good;
}
