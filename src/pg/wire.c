/* pg/wire.c -- waits never block for good: they look up now and then whether the call is to stop, and cancel then. */
#include "pg/prologue.h"

#include "pg/wire.h"

#include <poll.h>
#include <string.h>

#define KECS_PG__LOOK_MS 20 /* between two looks at deadline and cancel */
#define KECS_PG__CANCEL_MS                                                                  \
  5000 /* how long a cancelled statement may take to end, before the connection is given up \
        */

KECS_PG__FN const char *kecs_pg__shown(const kecs_pg__connection *connection) {
  return connection->home->settings.shown;
}

KECS_PG__FN bool kecs_pg__stopped(const kecs_pg__connection *connection) {
  return connection->should_stop && connection->should_stop(connection->should_stop_user);
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
  connection->doomed = false;
  connection->farewell = false;
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

/* Waits until a result can be had without waiting; false: the connection is lost, or was given up. */
static bool kecs_pg__await(kecs_pg__connection *connection, kecs_pg__patience patience, int64_t *stopped_at) {
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

KECS_PG__FN kecs_status kecs_pg__receive(kecs_pg__connection *connection, kecs_pg__patience patience, const char *doing,
                                         PGresult **out_result) {
  int64_t stopped_at = 0;
  *out_result = NULL;
  for (;;) {
    if (!kecs_pg__await(connection, patience, &stopped_at)) {
      PQclear(*out_result);
      *out_result = NULL;
      kecs_status status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, doing);
      kecs_pg__hang_up(connection);
      return status;
    }
    PGresult *result = PQgetResult(connection->pg);
    if (!result) {
      break;
    }
    if (*out_result && PQresultStatus(*out_result) == PGRES_FATAL_ERROR) {
      PQclear(result);
    } else {
      PQclear(*out_result);
      *out_result = result;
    }
  }
  /* libpq makes a result of a lost connection, without a state of the server's. */
  bool lost = PQstatus(connection->pg) != CONNECTION_OK;
  if (lost && (!*out_result || !PQresultErrorField(*out_result, PG_DIAG_SQLSTATE))) {
    PQclear(*out_result);
    *out_result = NULL;
  }
  kecs_status status = KECS_OK;
  if (!*out_result) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, doing);
    connection->doomed = true;
  } else if (PQresultStatus(*out_result) == PGRES_FATAL_ERROR) {
    status = kecs_pg__fail_result(kecs_pg__shown(connection), *out_result, doing);
    connection->doomed = connection->doomed || lost || kecs_pg__dooms(*out_result);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_pg__command(kecs_pg__connection *connection, const char *sql, kecs_pg__patience patience,
                                         const char *doing, PGresult **out_result) {
  PGresult *result = NULL;
  kecs_status status = KECS_OK;
  if (!connection->pg || !PQsendQuery(connection->pg, sql)) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, doing);
    connection->doomed = true;
  } else {
    status = kecs_pg__receive(connection, patience, doing, &result);
  }
  if (out_result && !status) {
    *out_result = result;
  } else {
    PQclear(result);
  }
  return status;
}
