/* bench/pg_feed.h -- the change log on PostgreSQL: a store that is tracked beside one that is not, and sixteen writers
 * beside the same by hand.
 *
 * By hand each write is one statement that updates the row and appends to a table of batches; another session numbers
 * what is committed, every 25 ms, in two statements. That is the least that a log without gaps takes. */
#ifndef BENCH_PG_FEED_H
#define BENCH_PG_FEED_H
#include "pg_hand.h"

#include "kecs_store_pg.h"

#include <pthread.h>
#include <time.h>

#define FEED_SCHEMA "logged"

enum { FEED_WRITERS = 16, FEED_NAP_MS = 25 };

/* What the writers and the one who numbers share. */
typedef struct feed_team {
  kecs_store *store;
  const char *url;
  char (*keys)[BENCH_ARN];
  char (*values)[64];
  int operations; /* of each writer */
  int ended;      /* the writers have */
} feed_team;

typedef struct feed_writer {
  feed_team *team;
  int number;
} feed_writer;

static PGconn *feed_connect(const char *url) {
  PGconn *pg = PQconnectdb(url);
  bench_check(PQstatus(pg) == CONNECTION_OK, "by hand: %s", PQerrorMessage(pg));
  return pg;
}

static void feed_done(PGconn *pg, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  bench_check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "by hand: %s", PQerrorMessage(pg));
  PQclear(result);
}

static void feed_nap(void) {
  struct timespec nap = {0, FEED_NAP_MS * 1000000L};
  nanosleep(&nap, NULL);
}

static bool feed_ended(feed_team *team) {
  return __atomic_load_n(&team->ended, __ATOMIC_SEQ_CST) != 0;
}

/* The tables of the log by hand. */
static void feed_prepare(const char *url) {
  PGconn *pg = feed_connect(url);
  feed_done(pg,
            PQexec(pg, "CREATE TABLE IF NOT EXISTS " HAND_SCHEMA ".heads(scope int PRIMARY KEY,head bigint NOT NULL);"
                       "INSERT INTO " HAND_SCHEMA ".heads VALUES(1,0) ON CONFLICT DO NOTHING;"
                       "CREATE TABLE IF NOT EXISTS " HAND_SCHEMA ".batches(id bigserial PRIMARY KEY,scope int NOT NULL,"
                       "rid bigint NOT NULL,stamp bigint NOT NULL,seq bigint);"
                       "CREATE INDEX IF NOT EXISTS batches_new ON " HAND_SCHEMA ".batches(scope,id) WHERE seq IS NULL;"
                       "CREATE INDEX IF NOT EXISTS batches_seq ON " HAND_SCHEMA ".batches(scope,seq)"));
  PQfinish(pg);
}

/* ---- by hand ---- */

static void feed_hand_number(PGconn *pg) {
  feed_done(pg, PQexec(pg, "BEGIN"));
  PGresult *result = PQexec(pg, "SELECT head FROM " HAND_SCHEMA ".heads WHERE scope=1 FOR UPDATE SKIP LOCKED");
  bench_check(PQntuples(result) == 1, "by hand: nobody else numbers");
  PQclear(result);
  feed_done(pg, PQexec(pg, "WITH n AS (SELECT id,row_number() OVER (ORDER BY id) AS rn FROM " HAND_SCHEMA
                           ".batches WHERE scope=1 AND seq IS NULL),u AS (UPDATE " HAND_SCHEMA
                           ".batches b SET seq=h.head+n.rn FROM n," HAND_SCHEMA
                           ".heads h WHERE h.scope=1 AND b.id=n.id AND b.seq IS NULL RETURNING 1) UPDATE " HAND_SCHEMA
                           ".heads SET head=head+(SELECT count(*) FROM u) WHERE scope=1"));
  feed_done(pg, PQexec(pg, "COMMIT"));
}

static void *feed_hand_numbers(void *user) {
  feed_team *team = user;
  PGconn *pg = feed_connect(team->url);
  while (!feed_ended(team)) {
    feed_hand_number(pg);
    feed_nap();
  }
  feed_hand_number(pg);
  PQfinish(pg);
  return NULL;
}

static void *feed_hand_writes(void *user) {
  feed_writer *self = user;
  feed_team *team = self->team;
  PGconn *pg = feed_connect(team->url);
  feed_done(pg, PQprepare(pg, "write",
                          "WITH u AS (UPDATE " HAND_TABLE
                          " SET stopped_reason=$1,version=version+1,updated_at=1 WHERE tenant='" HAND_TENANT
                          "' AND arn=$2 RETURNING rid) INSERT INTO " HAND_SCHEMA
                          ".batches(scope,rid,stamp) SELECT 1,rid,(extract(epoch FROM clock_timestamp())*1000)::bigint "
                          "FROM u",
                          0, NULL));
  for (int i = 0; i < team->operations; i++) {
    int at = self->number * team->operations + i;
    const char *values[] = {team->values[at], team->keys[at]};
    feed_done(pg, PQexecPrepared(pg, "write", 2, values, NULL, NULL, 0));
  }
  PQfinish(pg);
  return NULL;
}

/* ---- by the library ---- */

static void *feed_ours_watches(void *user) {
  feed_team *team = user;
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  bench_ok(kecs_watch_open(team->store, NULL, &watch), "watch");
  while (!feed_ended(team) || change) {
    bench_ok(kecs_watch_next(watch, FEED_NAP_MS, &change), "watch");
  }
  kecs_watch_close(watch);
  return NULL;
}

static void *feed_ours_writes(void *user) {
  feed_writer *self = user;
  feed_team *team = self->team;
  for (int i = 0; i < team->operations; i++) {
    int at = self->number * team->operations + i;
    kecs_task task = {0};
    task.arn = team->keys[at];
    task.stopped_reason = team->values[at];
    bench_ok(kecs_task_update_fields(team->store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL), "update");
  }
  return NULL;
}

/* All writers, and beside them who reads. */
static void feed_run(feed_team *team, void *(*write)(void *user), void *(*read)(void *user)) {
  pthread_t reader;
  pthread_t threads[FEED_WRITERS];
  feed_writer writers[FEED_WRITERS];
  team->ended = 0;
  bench_check(pthread_create(&reader, NULL, read, team) == 0, "no thread");
  for (int i = 0; i < FEED_WRITERS; i++) {
    writers[i] = (feed_writer){team, i};
    bench_check(pthread_create(&threads[i], NULL, write, &writers[i]) == 0, "no thread");
  }
  for (int i = 0; i < FEED_WRITERS; i++) {
    pthread_join(threads[i], NULL);
  }
  __atomic_store_n(&team->ended, 1, __ATOMIC_SEQ_CST);
  pthread_join(reader, NULL);
}

#endif
