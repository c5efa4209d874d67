/* pg/wire.c -- waits never block for good: they look up now and then whether the call is to stop, and cancel then. */
#include "pg/prologue.h"

#include "pg/wire.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__LOOK_MS 20 /* between two looks at deadline and cancel */
#define KECS_PG__SHUN_MS 5000 /* a standby that has refused something is left alone for so long */
#define KECS_PG__CANCEL_MS                                                                  \
  5000 /* how long a cancelled statement may take to end, before the connection is given up \
        */

KECS_PG__FN const char *kecs_pg__shown(const kecs_pg__connection *connection) {
  return connection->home->settings.shown;
}

KECS_PG__FN bool kecs_pg__stopped(const kecs_pg__connection *connection) {
  return connection->should_stop && connection->should_stop(connection->should_stop_user);
}

/* The connection ended while COMMIT ran: who knows whether before or after it took effect. */
KECS_PG__FN kecs_status kecs_pg__fail_unknown(const kecs_pg__connection *connection) {
  char text[sizeof kecs_last_error()->text];
  char name[sizeof kecs_last_error()->transaction] = "";
  const char *shown = kecs_pg__shown(connection);
  if (connection->transaction) {
    snprintf(name, sizeof name, "%lld@%s", (long long)connection->transaction, connection->timeline);
    snprintf(text, sizeof text,
             "%s: the connection was lost while COMMIT ran; kecs_find_outcome tells whether transaction %s was stored: "
             "write again only if it was not",
             shown, name);
  } else {
    snprintf(text, sizeof text,
             "%s: the connection was lost while COMMIT ran; read first whether it was stored, and write again only if "
             "it was not",
             shown);
  }
  return kecs_backend_fail_commit(name, text);
}

KECS_PG__FN void kecs_pg__wait(PGconn *pg, bool to_write, int ms) {
  struct pollfd socket = {PQsocket(pg), (short)(to_write ? POLLOUT : POLLIN), 0};
  (void)poll(&socket, 1, ms); /* whatever it says, libpq looks at the socket next */
}

KECS_PG__FN void kecs_pg__hang_up(kecs_pg__connection *connection) {
  if (connection->pg) {
    PQfinish(connection->pg);
    connection->pg = NULL;
  }
  connection->name_count = 0;
  connection->id_prepared = false;
  connection->listens = false;
  connection->doomed = false;
  connection->farewell = false;
  connection->settled = false;
}

KECS_PG__FN void kecs_pg__forget(kecs_pg__connection *connection) {
  connection->waiting_count = 0;
  connection->begin_waits = false;
  connection->settings_wait = 0;
  connection->only_begins = false;
}

KECS_PG__FN bool kecs_pg__alive(kecs_pg__connection *connection) {
  if (!connection->pg || PQstatus(connection->pg) != CONNECTION_OK) {
    return false;
  }
  /* Nothing is expected, so what can be read is a notice, or the server's goodbye: its last words first, then the end.
   */
  struct pollfd socket = {PQsocket(connection->pg), POLLIN, 0};
  while (PQstatus(connection->pg) == CONNECTION_OK && poll(&socket, 1, 0) > 0) {
    if (!PQconsumeInput(connection->pg)) {
      return false;
    }
    (void)PQisBusy(connection->pg); /* takes what has come out of the buffer */
  }
  return PQstatus(connection->pg) == CONNECTION_OK && !connection->farewell;
}

/* Asks the server to stop the statement, over a connection of its own; whether it did is seen in the result. */
static void kecs_pg__cancel(PGconn *pg) {
#if defined(LIBPQ_HAS_ASYNC_CANCEL)
  PGcancelConn *cancel = PQcancelCreate(pg);
  if (cancel) {
    (void)PQcancelBlocking(cancel);
    PQcancelFinish(cancel);
  }
#else
  char reason[256];
  PGcancel *cancel = PQgetCancel(pg);
  if (cancel) {
    (void)PQcancel(cancel, reason, sizeof reason);
    PQfreeCancel(cancel);
  }
#endif
}

KECS_PG__FN bool kecs_pg__await(kecs_pg__connection *connection, kecs_pg__patience patience, int64_t *stopped_at) {
  while (PQisBusy(connection->pg)) {
    kecs_pg__wait(connection->pg, false, patience == KECS_PG__DEAF ? 1000 : KECS_PG__LOOK_MS);
    if (!PQconsumeInput(connection->pg)) {
      return false;
    }
    if (patience == KECS_PG__DEAF || !PQisBusy(connection->pg)) {
      continue;
    }
    if (*stopped_at == 0 && kecs_pg__stopped(connection)) {
      *stopped_at = kecs_pg__now_ms();
      if (patience == KECS_PG__STOPS) {
        kecs_pg__cancel(connection->pg);
      }
    }
    if (*stopped_at != 0 && kecs_pg__now_ms() - *stopped_at > KECS_PG__CANCEL_MS) {
      return false;
    }
  }
  return true;
}

/* The answers to what was sent: the last result, or the first that failed. */
typedef struct kecs_pg__answer {
  PGresult *result;
  int good;    /* results before the first failure */
  int wanted;  /* the last result that counts is the one of this number; 0: all do */
  bool sums;   /* the rows that the statements have changed are added up */
  bool tells;  /* the statements' rows have the transaction's number in the last column */
  int64_t changes;
  int64_t id;  /* the transaction's number, if it was asked for; COMMIT's result comes after it */
} kecs_pg__answer;

KECS_PG__FN int64_t kecs_pg__number(const char *bytes, int len) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint64_t number = 0;
  if (len == 8) { /* compilers make one instruction of it */
    number = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
             (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | (uint64_t)at[7];
    return (int64_t)number;
  }
  for (int i = 0; i < len; i++) {
    number = (number << 8) | at[i];
  }
  return len == 4 ? (int64_t)(int32_t)(uint32_t)number : (int64_t)number;
}

static int64_t kecs_pg__told_id(const PGresult *result) {
  int column = PQnfields(result) - 1;
  bool told = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0 && !PQgetisnull(result, 0, column);
  return told ? kecs_pg__number(PQgetvalue(result, 0, column), PQgetlength(result, 0, column)) : 0;
}

static void kecs_pg__take(kecs_pg__answer *answer, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  bool failed = answer->result && PQresultStatus(answer->result) == PGRES_FATAL_ERROR;
  if (failed || status == PGRES_PIPELINE_ABORTED) {
    PQclear(result);
    return;
  }
  if (answer->wanted && answer->good >= answer->wanted && status != PGRES_FATAL_ERROR) {
    if (status == PGRES_TUPLES_OK && PQntuples(result) == 1 && !PQgetisnull(result, 0, 0)) {
      answer->id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    }
    answer->good++;
    PQclear(result);
    return;
  }
  answer->good += status != PGRES_FATAL_ERROR;
  answer->id = answer->tells && !answer->id ? kecs_pg__told_id(result) : answer->id;
  answer->changes += answer->sums ? strtoll(PQcmdTuples(result), NULL, 10) : 0;
  PQclear(answer->result);
  answer->result = result;
}

/* Reads all answers. False: the connection is lost. */
static bool kecs_pg__listen(kecs_pg__connection *connection, kecs_pg__patience patience, kecs_pg__answer *answer) {
  int64_t stopped_at = 0;
  bool piped = PQpipelineStatus(connection->pg) != PQ_PIPELINE_OFF;
  for (;;) {
    if (!kecs_pg__await(connection, patience, &stopped_at)) {
      return false;
    }
    PGresult *result = PQgetResult(connection->pg);
    bool synced = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    bool copies = result && PQresultStatus(result) == PGRES_COPY_IN;
    if (synced) {
      PQclear(result);
    } else if (result) {
      kecs_pg__take(answer, result);
    }
    if (synced || copies || (!result && !piped) || (!result && PQstatus(connection->pg) != CONNECTION_OK)) {
      return PQstatus(connection->pg) == CONNECTION_OK;
    }
  }
}

KECS_PG__FN void kecs_pg__shun(kecs_pg__connection *connection, kecs_status status) {
  if (connection->splits && connection->standby && status != KECS_E_CANCELLED) {
    connection->doomed = true;
    connection->shunned_until_ms = kecs_pg__now_ms() + KECS_PG__SHUN_MS;
  }
}

/* Waits for the answers and says what they come to. */
static kecs_status kecs_pg__receive(kecs_pg__connection *connection, kecs_pg__patience patience, const char *doing,
                                    kecs_pg__answer *answer) {
  const char *shown = kecs_pg__shown(connection);
  bool lost = !kecs_pg__listen(connection, patience, answer);
  bool failed = answer->result && PQresultStatus(answer->result) == PGRES_FATAL_ERROR;
  if (!lost && PQpipelineStatus(connection->pg) != PQ_PIPELINE_OFF && !PQexitPipelineMode(connection->pg)) {
    lost = true;
  }
  kecs_status status = KECS_OK;
  /* libpq makes a result of a lost connection by itself, without a state of the server's. */
  if (failed && PQresultErrorField(answer->result, PG_DIAG_SQLSTATE)) {
    bool at_begin = connection->begin_waits && answer->good == 0;
    status = at_begin ? kecs_pg__fail_begin(shown, answer->result, doing)
                      : kecs_pg__fail_result(shown, answer->result, doing);
    connection->doomed = connection->doomed || status == KECS_E_READONLY || kecs_pg__dooms(answer->result);
    kecs_pg__shun(connection, status);
  } else if (lost || failed || !answer->result) {
    status = kecs_pg__fail_lost(shown, connection->pg, doing);
    lost = true;
  }
  if (status) {
    PQclear(answer->result);
    answer->result = NULL;
  }
  if (lost) {
    kecs_pg__hang_up(connection);
  }
  return status;
}

/* ---- sending ---- */

static bool kecs_pg__send(kecs_pg__connection *connection, const kecs_pg__message *message) {
  PGconn *pg = connection->pg;
  if (message->prepare && !PQsendPrepare(pg, message->name, message->sql, 0, NULL)) {
    return false;
  }
  int sent = 1;
  for (int i = 0; sent && (i == 0 || i < message->times); i++) {
    if (message->bind) {
      message->bind(message->user, i);
    }
    sent = message->name ? PQsendQueryPrepared(pg, message->name, message->count, message->values, message->lengths,
                                               message->formats, message->binary)
                         : PQsendQueryParams(pg, message->sql, message->count, NULL, message->values, message->lengths,
                                             message->formats, message->binary);
  }
  return sent;
}

/* A number is given with the first row that is written; asking gives none. */
static bool kecs_pg__send_id(kecs_pg__connection *connection) {
  static const char name[] = "kecs_transaction";
  static const char sql[] = "SELECT txid_current_if_assigned()";
  if (!connection->named) {
    return PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0);
  }
  return (connection->id_prepared || PQsendPrepare(connection->pg, name, sql, 0, NULL)) &&
         PQsendQueryPrepared(connection->pg, name, 0, NULL, NULL, NULL, 0);
}

/* For the triggers of the change log. They end with the transaction: behind a pooler the next one is another's. */
static const char kecs_pg__say_sql[] =
    "SELECT set_config('kecs_store.actor',$1,true),set_config('kecs_store.reason',$2,true),"
    "set_config('kecs_store.says','1',true)";

KECS_PG__FN int kecs_pg__waiting(const kecs_pg__connection *connection) {
  return connection->waiting_count - (connection->settled ? connection->settings_wait : 0);
}

KECS_PG__FN bool kecs_pg__send_waiting(kecs_pg__connection *connection) {
  bool sent = true;
  for (int i = 0; sent && i < connection->waiting_count; i++) {
    const char *sql = connection->waiting[i];
    if (connection->settled && i > 0 && i <= connection->settings_wait) {
      continue;
    }
    const char *const said[] = {connection->said[0], connection->said[1]};
    sent = sql[0] ? PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0)
                  : PQsendQueryParams(connection->pg, kecs_pg__say_sql, 2, NULL, said, NULL, NULL, 0);
  }
  return sent;
}

static bool kecs_pg__send_all(kecs_pg__connection *connection, const kecs_pg__message *message) {
  bool several = connection->waiting_count > 0 ||
                 (message && (message->prepare || message->ask_id || message->commits || message->times > 1));
  if (!connection->pg || (several && !PQenterPipelineMode(connection->pg))) {
    return false;
  }
  bool alone = message && message->alone; /* then the server begins and commits, as it does for any pipeline */
  if (!alone && !kecs_pg__send_waiting(connection)) {
    return false;
  }
  if (message && (!kecs_pg__send(connection, message) || (message->ask_id && !kecs_pg__send_id(connection)))) {
    return false;
  }
  /* The transaction's number is to be here before the commit begins: it is needed where that is not heard of again. */
  if (message && message->commits && (message->ask_id || message->tells_id) && !PQsendFlushRequest(connection->pg)) {
    return false;
  }
  if (message && message->commits && !alone &&
      !PQsendQueryParams(connection->pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0)) {
    return false;
  }
  return !several || PQpipelineSync(connection->pg);
}

/* COMMIT may have run. */
static kecs_status kecs_pg__in_doubt(kecs_pg__connection *connection) {
  kecs_pg__forget(connection);
  return kecs_pg__fail_unknown(connection);
}

KECS_PG__FN kecs_status kecs_pg__exchange(kecs_pg__connection *connection, kecs_pg__message *message,
                                          kecs_pg__patience patience, const char *doing, PGresult **out_result) {
  kecs_pg__answer answer = {NULL, 0, 0, false, false, 0, 0};
  kecs_status status = KECS_OK;
  if (message) {
    message->alone = message->commits && connection->only_begins && connection->settled;
  }
  int before = message && message->alone ? 0 : kecs_pg__waiting(connection);
  if (!kecs_pg__send_all(connection, message)) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, doing);
    kecs_pg__hang_up(connection);
    return message && message->commits ? kecs_pg__in_doubt(connection) : status;
  }
  if (message && (message->commits || message->ask_id)) {
    answer.wanted = before + message->prepare + (message->times > 1 ? message->times : 1);
  }
  answer.sums = message && message->times > 0;
  answer.tells = message && message->tells_id;
  status = kecs_pg__receive(connection, patience, doing, &answer);
  if (message) {
    message->changes = answer.changes;
    message->prepared = message->prepare && answer.good > before;
  }
  if (answer.id) {
    connection->transaction = answer.id;
  }
  if (message && message->ask_id && answer.good > answer.wanted) {
    connection->id_prepared = connection->named && connection->pg;
  }
  /* What the server itself says of the statement says that COMMIT has not run. */
  if (status == KECS_E_OFFLINE && message && message->commits &&
      (answer.good >= answer.wanted || !kecs_last_error()->sqlstate[0])) {
    return kecs_pg__in_doubt(connection);
  }
  /* What was asked of a lost connection may be asked of the next one; so may what a server refused that was demoted. */
  bool anew = status == KECS_E_OFFLINE || (status && connection->doomed && connection->begin_waits);
  if (anew && connection->doomed) {
    kecs_pg__hang_up(connection);
  } else if (!anew) {
    kecs_pg__forget(connection);
  }
  if (out_result) {
    *out_result = answer.result;
  } else {
    PQclear(answer.result);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_pg__command(kecs_pg__connection *connection, const char *sql, kecs_pg__patience patience,
                                         const char *doing, PGresult **out_result) {
  kecs_pg__answer answer = {NULL, 0, 0, false, false, 0, 0};
  kecs_status status = KECS_OK;
  if (connection->waiting_count > 0) {
    status = kecs_pg__exchange(connection, NULL, patience, doing, NULL);
  }
  if (status) {
    return status;
  }
  if (!connection->pg || !PQsendQuery(connection->pg, sql)) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, doing);
    kecs_pg__hang_up(connection);
    return status;
  }
  status = kecs_pg__receive(connection, patience, doing, &answer);
  if (out_result) {
    *out_result = answer.result;
  } else {
    PQclear(answer.result);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_pg__copy_end(kecs_pg__connection *connection, const char *reason) {
  kecs_pg__answer answer = {NULL, 0, 0, false, false, 0, 0};
  kecs_status status = KECS_OK;
  if (PQputCopyEnd(connection->pg, reason) != 1) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "load rows");
    kecs_pg__hang_up(connection);
    return status;
  }
  status = kecs_pg__receive(connection, KECS_PG__STOPS, "load rows", &answer);
  PQclear(answer.result);
  return status;
}

KECS_PG__FN kecs_status kecs_pg__defer(kecs_pg__connection *connection, const char *sql) {
  kecs_status status = KECS_OK;
  size_t len = strlen(sql);
  if (connection->waiting_count == KECS_PG__WAITING_MAX) {
    status = kecs_pg__exchange(connection, NULL, KECS_PG__PATIENT, "run a statement", NULL);
  }
  if (!status && len >= KECS_PG__WAITING_SIZE) {
    status = kecs_pg__fail(KECS_E_MISUSE, "a statement of %zu bytes is too long to wait", len);
  }
  if (!status) {
    memcpy(connection->waiting[connection->waiting_count++], sql, len + 1);
    connection->only_begins = false;
  }
  return status;
}

/* What was to be said before is not any more: nothing was written in between. */
KECS_PG__FN kecs_status kecs_pg__say(kecs_pg__connection *connection, const char *actor, const char *reason) {
  const char *texts[] = {actor ? actor : "", reason ? reason : ""};
  char *who = kecs_pg__copy(connection->allocator, texts[0], strlen(texts[0]));
  char *why = who ? kecs_pg__copy(connection->allocator, texts[1], strlen(texts[1])) : NULL;
  if (!why) {
    kecs_pg__release_text(connection->allocator, who);
    return KECS_E_NOMEM;
  }
  kecs_pg__release_text(connection->allocator, connection->said[0]);
  kecs_pg__release_text(connection->allocator, connection->said[1]);
  connection->said[0] = who;
  connection->said[1] = why;
  for (int i = 0; i < connection->waiting_count; i++) {
    if (!connection->waiting[i][0]) {
      return KECS_OK;
    }
  }
  return kecs_pg__defer(connection, "");
}
