/* pg/gather.c -- several reads in one exchange, by libpq's pipeline mode.
 *
 * One sync stands behind all of them. When the server refuses one, it skips those behind it, and they are sent once
 * more: that is rare, and a sync behind each of them would cost each pipeline. */
#include "pg/prologue.h"

#include "pg/gather.h"

#include <string.h>

/* What is under way. */
typedef struct kecs_pg__gather {
  kecs_pg__connection *connection;
  kecs_start *const *starts;
  size_t count;
  bool *prepares; /* of each start: its statement is prepared just before */
  int64_t stopped_at;
  bool lost;
  bool broken; /* the server has refused something, and skips what follows */
} kecs_pg__gather;

static bool kecs_pg__is_open(const kecs_start *start) {
  return !start->answer && !start->status;
}

/* ---- sending ---- */

/* The name counts as prepared at once: the next start may be of the same statement. */
static bool kecs_pg__gather_prepare(kecs_pg__gather *gather, size_t at, kecs_pg__statement *statement,
                                    const char *name) {
  kecs_pg__connection *connection = gather->connection;
  gather->prepares[at] = !kecs_pg__is_prepared(connection, &statement->name);
  if (!gather->prepares[at]) {
    return true;
  }
  kecs_pg__note_prepared(connection, &statement->name);
  return PQsendPrepare(connection->pg, name, statement->sql, 0, NULL);
}

static bool kecs_pg__gather_send(kecs_pg__gather *gather, size_t at) {
  const kecs_start *start = gather->starts[at];
  kecs_pg__statement *statement = kecs_pg__statement_of(start->statement);
  PGconn *pg = gather->connection->pg;
  char name[KECS_PG__NAME_SIZE];
  for (int i = 0; i < start->count; i++) {
    kecs_pg__bind(statement, i, &start->parameters[i]);
  }
  if (!gather->connection->named) {
    return PQsendQueryParams(pg, statement->sql, start->count, NULL, statement->values, statement->lengths,
                             statement->formats, 1);
  }
  kecs_pg__name_text(&statement->name, name);
  return kecs_pg__gather_prepare(gather, at, statement, name) &&
         PQsendQueryPrepared(pg, name, start->count, statement->values, statement->lengths, statement->formats, 1);
}

static bool kecs_pg__gather_send_all(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  bool sent = connection->pg && PQenterPipelineMode(connection->pg) && kecs_pg__send_waiting(connection);
  for (size_t i = 0; sent && i < gather->count; i++) {
    gather->prepares[i] = false;
    sent = !kecs_pg__is_open(gather->starts[i]) || kecs_pg__gather_send(gather, i);
  }
  return sent && PQpipelineSync(connection->pg);
}

/* ---- receiving ---- */

/* The answer to one message; NULL: the connection is lost. */
static PGresult *kecs_pg__gather_next(kecs_pg__gather *gather) {
  PGconn *pg = gather->connection->pg;
  PGresult *result = NULL;
  bool good = !gather->lost && kecs_pg__await(gather->connection, KECS_PG__STOPS, &gather->stopped_at);
  if (good) {
    result = PQgetResult(pg);
    good = result && (PQresultStatus(result) == PGRES_PIPELINE_SYNC ||
                      (kecs_pg__await(gather->connection, KECS_PG__STOPS, &gather->stopped_at) && !PQgetResult(pg)));
  }
  if (good && PQresultStatus(result) == PGRES_FATAL_ERROR && !PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
    good = false; /* libpq's own, of a connection that has ended */
  }
  if (!good) {
    PQclear(result);
    gather->lost = true;
    return NULL;
  }
  return result;
}

static bool kecs_pg__is_good(const PGresult *result) {
  return PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
}

/* What the server says against a statement is noted with its start. What a standby refuses is left open: the primary is
 * asked next. */
static void kecs_pg__gather_refuse(kecs_pg__gather *gather, kecs_start *start, const PGresult *result) {
  kecs_pg__connection *connection = gather->connection;
  if (PQresultStatus(result) != PGRES_FATAL_ERROR) {
    return; /* skipped */
  }
  gather->broken = true;
  start->status = kecs_pg__fail_result(kecs_pg__shown(connection), result, "run a statement");
  start->error = *kecs_last_error();
  connection->doomed = connection->doomed || start->status == KECS_E_READONLY || kecs_pg__dooms(result);
  if (connection->splits && connection->standby && start->status != KECS_E_CANCELLED) {
    kecs_pg__shun(connection, start->status);
    start->status = KECS_OK;
  }
}

static void kecs_pg__gather_receive(kecs_pg__gather *gather, size_t at) {
  kecs_start *start = gather->starts[at];
  for (int i = gather->prepares[at] ? 0 : 1; i < 2; i++) {
    PGresult *result = kecs_pg__gather_next(gather);
    if (result && kecs_pg__is_good(result)) {
      start->answer = i == 1 ? result : NULL;
    } else if (result) {
      gather->connection->doomed = gather->connection->doomed || i == 0; /* names are noted that nobody knows */
      kecs_pg__gather_refuse(gather, start, result);
    }
    if (result && result != start->answer) {
      PQclear(result);
    }
  }
}

/* BEGIN and the like. */
static kecs_status kecs_pg__gather_receive_waiting(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  kecs_status status = KECS_OK;
  for (int i = 0; i < kecs_pg__waiting(connection); i++) {
    PGresult *result = kecs_pg__gather_next(gather);
    if (result && !status && PQresultStatus(result) == PGRES_FATAL_ERROR) {
      status = i == 0 && connection->begin_waits
                   ? kecs_pg__fail_begin(kecs_pg__shown(connection), result, "begin")
                   : kecs_pg__fail_result(kecs_pg__shown(connection), result, "run a statement");
      connection->doomed = connection->doomed || status == KECS_E_READONLY || kecs_pg__dooms(result);
    }
    PQclear(result);
  }
  return status;
}

/* Room for the names that are to be made. */
static kecs_status kecs_pg__gather_names(const kecs_pg__gather *gather) {
  size_t more = 0;
  for (size_t i = 0; gather->connection->named && i < gather->count; i++) {
    const kecs_start *start = gather->starts[i];
    more += kecs_pg__is_open(start) &&
            !kecs_pg__is_prepared(gather->connection, &kecs_pg__statement_of(start->statement)->name);
  }
  return more > 0 ? kecs_pg__names_reserve(gather->connection, more) : KECS_OK;
}

/* Sends what is open, and takes what comes. A failure is everybody's. */
static kecs_status kecs_pg__gather_once(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  kecs_status status = KECS_OK;
  gather->stopped_at = 0;
  gather->broken = false;
  gather->lost = !kecs_pg__gather_send_all(gather);
  if (!gather->lost) {
    status = kecs_pg__gather_receive_waiting(gather);
  }
  for (size_t i = 0; !gather->lost && i < gather->count; i++) {
    if (kecs_pg__is_open(gather->starts[i])) {
      kecs_pg__gather_receive(gather, i);
    }
  }
  PQclear(kecs_pg__gather_next(gather)); /* of the sync */
  gather->lost = gather->lost || !PQexitPipelineMode(connection->pg);
  if (gather->lost) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "run statements");
    kecs_pg__hang_up(connection);
    return status;
  }
  if (!status || !connection->doomed) {
    kecs_pg__forget(connection);
  }
  return status;
}

/* ---- until nothing is open ---- */

/* The failure that concerns all: a cancelled statement's, and inside a transaction any. */
static kecs_status kecs_pg__gather_verdict(const kecs_pg__gather *gather, bool inside, bool *out_open) {
  *out_open = false;
  for (size_t i = 0; i < gather->count; i++) {
    const kecs_start *start = gather->starts[i];
    if (start->status && (inside || start->status == KECS_E_CANCELLED)) {
      kecs_pg__restore(&start->error);
      return start->status;
    }
    *out_open = *out_open || kecs_pg__is_open(start);
  }
  return KECS_OK;
}

static kecs_status kecs_pg__gather_all(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  bool inside = kecs_pg__in_transaction(connection);
  bool again = !inside || connection->begin_waits; /* nothing has happened on this connection that must not be lost */
  bool open = gather->count > 0;
  kecs_error before = *kecs_last_error();
  while (open) {
    bool good = connection->pg && !connection->doomed && kecs_pg__in_transaction(connection);
    kecs_status status = good ? KECS_OK : kecs_pg__ready(connection);
    status = status ? status : kecs_pg__gather_names(gather);
    status = status ? status : kecs_pg__gather_once(gather);
    if ((status == KECS_E_OFFLINE || status == KECS_E_READONLY) && again &&
        (!connection->pg || connection->doomed)) {
      again = false; /* the server had gone since the last call, or was demoted */
      continue;
    }
    status = status ? status : kecs_pg__gather_verdict(gather, inside, &open);
    if (status) {
      return status;
    }
  }
  kecs_pg__restore(&before);
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_pg__start_many(kecs_connection *shared, kecs_start *const *starts, size_t count) {
  kecs_pg__gather gather = {kecs_pg__of(shared), starts, count, NULL, 0, false, false};
  const kecs_allocator *allocator = gather.connection->allocator;
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs_pg__reserve_parameters(kecs_pg__statement_of(starts[i]->statement), starts[i]->count);
  }
  gather.prepares = status ? NULL : kecs_pg__alloc(allocator, count + 1);
  if (!gather.prepares) {
    return status ? status : KECS_E_NOMEM;
  }
  status = kecs_pg__gather_all(&gather);
  kecs_pg__release(allocator, gather.prepares, count + 1);
  return status;
}

KECS_PG__FN void kecs_pg__lend_answer(kecs_statement *shared, void *answer) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  kecs_pg__reset(shared);
  statement->result = answer;
  statement->lent = true;
  statement->row = -1;
  statement->rows = PQntuples(statement->result);
}

KECS_PG__FN void kecs_pg__drop_answer(void *answer) {
  PQclear(answer);
}
