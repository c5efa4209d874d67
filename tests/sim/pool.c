/* pool.c -- connections to PostgreSQL that edges have done with are kept for the next one, as a pooler does: what has
 * been prepared and set is gone, and the server need not compile the hub's functions anew for each edge that starts. */
#include "sim.h"

#include <libpq-fe.h>

enum { POOL_SIZE = 16, POOL_WORDS = 2048 };

PGconn *__real_PQconnectStartParams(const char *const *names, const char *const *values, int expand);
PGconn *__wrap_PQconnectStartParams(const char *const *names, const char *const *values, int expand);
void __real_PQfinish(PGconn *connection);
void __wrap_PQfinish(PGconn *connection);

/* An open connection, with what it was asked for by; idle ones have no user. */
typedef struct pool_place {
  PGconn *connection;
  bool idle;
  char words[POOL_WORDS];
} pool_place;

static pool_place pool[POOL_SIZE];

static void pool_words(const char *const *names, const char *const *values, char out[POOL_WORDS]) {
  size_t used = 0;
  out[0] = '\0';
  for (int i = 0; names[i] && used < POOL_WORDS; i++) {
    used += (size_t)snprintf(out + used, POOL_WORDS - used, "%s=%s\n", names[i], values[i] ? values[i] : "");
  }
}

static void pool_hear(void *user, const PGresult *result) {
  (void)user;
  (void)result;
}

/* As good as new, or not. */
static bool pool_clean(PGconn *connection) {
  if (PQstatus(connection) != CONNECTION_OK || PQpipelineStatus(connection) != PQ_PIPELINE_OFF ||
      PQtransactionStatus(connection) != PQTRANS_IDLE) {
    return false;
  }
  (void)PQsetNoticeReceiver(connection, pool_hear, NULL);
  PGresult *result = PQexec(connection, "DEALLOCATE ALL;UNLISTEN *;RESET ALL;SELECT pg_advisory_unlock_all()");
  bool good = PQresultStatus(result) == PGRES_TUPLES_OK && PQsetnonblocking(connection, 0) == 0;
  PQclear(result);
  return good;
}

PGconn *__wrap_PQconnectStartParams(const char *const *names, const char *const *values, int expand) {
  char words[POOL_WORDS];
  pool_place *empty = NULL;
  pool_words(names, values, words);
  for (int i = 0; i < POOL_SIZE; i++) {
    pool_place *place = &pool[i];
    if (place->idle && strcmp(place->words, words) == 0) {
      place->idle = false;
      if (pool_clean(place->connection)) { /* the server may have ended it meanwhile */
        return place->connection;
      }
      __real_PQfinish(place->connection);
      place->connection = NULL;
    }
    empty = place->connection ? empty : place;
  }
  PGconn *connection = __real_PQconnectStartParams(names, values, expand);
  if (empty && connection) {
    empty->connection = connection;
    memcpy(empty->words, words, sizeof words);
  }
  return connection;
}

void __wrap_PQfinish(PGconn *connection) {
  for (int i = 0; connection && i < POOL_SIZE; i++) {
    if (pool[i].connection == connection && pool_clean(connection)) {
      pool[i].idle = true;
      return;
    }
    pool[i].connection = pool[i].connection == connection ? NULL : pool[i].connection;
  }
  __real_PQfinish(connection);
}

void sim_pool_end(void) {
  for (int i = 0; i < POOL_SIZE; i++) {
    if (pool[i].idle) {
      __real_PQfinish(pool[i].connection);
      pool[i].connection = NULL;
      pool[i].idle = false;
    }
  }
}
