/* bench/pg_history.h -- the history of rows on PostgreSQL: updates in a store that keeps one, beside the same with the
 * log alone and beside a trigger that copies the old row into a table; and a row as it was before, beside a SELECT from
 * that table. Included by bench_pg.c behind its cases. */
#ifndef BENCH_PG_HISTORY_H
#define BENCH_PG_HISTORY_H

#define HISTORY_SCHEMA "kept"
#define HISTORY_HAND "kept_by_hand"

typedef struct history_world {
  kecs_store *store; /* NULL until a case needs it */
  int round;         /* of all cases: a value that is there already would be no update */
  int64_t seq;       /* of the log, before the rows were changed for the last time */
  char hand_seq[24]; /* the same by hand */
} history_world;

static history_world history;

static kecs_store *history_open(const char *url) {
  char path[1024];
  kecs_options options = {0};
  kecs_store *store;
  snprintf(path, sizeof path, "%s%cschema=" HISTORY_SCHEMA, url, strchr(url, '?') ? '&' : '?');
  options.path = path;
  options.backends = kecs_pg_backends();
  options.track = KECS_TRACK_ON;
  options.history.track = KECS_TRACK_ON;
  options.actor = "bench";
  options.account_id = BENCH_ACCOUNT;
  options.region = BENCH_REGION;
  bench_ok(kecs_open(&options, &store), "open");
  return store;
}

/* When, who, and every column of the row before; found by the key. */
static void history_by_hand(const hand *by_hand) {
  static const char at[] = "FROM " HISTORY_HAND ".history WHERE tenant='" HAND_TENANT "' AND arn=$1 AND seq>$2::bigint";
  char sql[4096];
  hand_run(by_hand,
           "SET client_min_messages=warning; DROP SCHEMA IF EXISTS " HISTORY_HAND " CASCADE; CREATE SCHEMA "
           HISTORY_HAND "; CREATE TABLE " HISTORY_HAND ".tasks(LIKE " HAND_TABLE " INCLUDING ALL); "
           "INSERT INTO " HISTORY_HAND ".tasks OVERRIDING SYSTEM VALUE SELECT * FROM " HAND_TABLE "; "
           "CREATE TABLE " HISTORY_HAND ".history(seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
           "changed_at bigint,actor text,LIKE " HAND_TABLE "); "
           "CREATE INDEX history_arn ON " HISTORY_HAND ".history(tenant,arn,seq); "
           "CREATE FUNCTION " HISTORY_HAND ".keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
           HISTORY_HAND ".history VALUES(DEFAULT,(extract(epoch FROM clock_timestamp())*1000000)::bigint,'bench',OLD.*)"
           "; RETURN NULL; END $$; CREATE TRIGGER keep AFTER UPDATE ON " HISTORY_HAND
           ".tasks FOR EACH ROW EXECUTE FUNCTION " HISTORY_HAND ".keep(); ANALYZE " HISTORY_HAND ".tasks");
  hand_prepare(by_hand, "keep",
               "UPDATE " HISTORY_HAND ".tasks SET stopped_reason=$1,version=version+1,updated_at=1 WHERE tenant='"
               HAND_TENANT "' AND arn=$2");
  snprintf(sql, sizeof sql,
           "(SELECT %s %s ORDER BY seq LIMIT 1) UNION ALL SELECT %s FROM " HISTORY_HAND ".tasks WHERE tenant='"
           HAND_TENANT "' AND arn=$1 LIMIT 1", BASELINE_NAMES, at, BASELINE_NAMES);
  hand_prepare(by_hand, "as_of", sql);
}

/* Numbers what is committed, as whoever reads the log does. */
static void history_number(const pg_world *world) {
  hand_run(&world->by_hand, "SELECT " HISTORY_SCHEMA ".change_number('" HAND_TENANT "')");
}

static void prepare_history(pg_world *world, int operations, int round) {
  (void)round;
  if (!history.store) {
    history.store = history_open(world->url);
    bench_parents(history.store);
    bench_batch_fill(&world->batch, 0, world->rows);
    bench_ok(kecs_task_create_many(history.store, world->batch.tasks, (size_t)world->rows, NULL), "create_many");
    history_number(world);
    hand_run(&world->by_hand, "VACUUM ANALYZE " HISTORY_SCHEMA ".tasks");
    history_by_hand(&world->by_hand);
    hand_run(&world->by_hand, "CHECKPOINT");
  }
  prepare_keys(world, operations, 1000 + history.round++);
}

static void history_update(pg_world *world, int operations) {
  kecs_store *plain = world->store;
  world->store = history.store;
  ours_update(world, operations);
  world->store = plain;
}

static void history_hand_update(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    const char *values[] = {world->values[i], world->keys[i]};
    PGresult *result = PQexecPrepared(world->by_hand.pg, "keep", 2, values, NULL, NULL, 1);
    hand_check(&world->by_hand, result, "keep");
    PQclear(result);
  }
}

/* Rows that have changed since the moment that is asked for. */
static void prepare_as_of(pg_world *world, int operations, int round) {
  kecs_changes_info info;
  bench_check(world->ours_sum == world->hand_sum, "what was read differs");
  prepare_history(world, operations, round);
  history_number(world);
  bench_ok(kecs_changes_describe(history.store, &info), "describe");
  history.seq = info.last_seq;
  PGresult *result = PQexec(world->by_hand.pg, "SELECT coalesce(max(seq),0) FROM " HISTORY_HAND ".history");
  hand_check(&world->by_hand, result, "max");
  snprintf(history.hand_seq, sizeof history.hand_seq, "%s", PQgetvalue(result, 0, 0));
  PQclear(result);
  history_update(world, operations);
  history_hand_update(world, operations);
  history_number(world);
}

/* It must not be the row as it is now. */
static int64_t history_read(const kecs_task *task, const char *now) {
  bench_check(!task->stopped_reason || strcmp(task->stopped_reason, now) != 0, "a row as of then is the one of now");
  return task->created_at;
}

static void ours_as_of(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    kecs_result *result;
    bench_ok(kecs_get_at(history.store, KECS_KIND_TASK, world->keys[i], history.seq, 0, &result), "get_at");
    world->ours_sum += history_read(kecs_task_at(result, 0), world->values[i]);
    kecs_result_free(result);
  }
}

static void hand_as_of(pg_world *world, int operations) {
  for (int i = 0; i < operations; i++) {
    const char *values[] = {world->keys[i], history.hand_seq};
    PGresult *result = PQexecPrepared(world->by_hand.pg, "as_of", 2, values, NULL, NULL, 1);
    hand_check(&world->by_hand, result, "as_of");
    bench_check(PQntuples(result) == 1, "by hand: no task %s", world->keys[i]);
    hand_read(&world->by_hand.page[0], result, 0);
    world->hand_sum += history_read(&world->by_hand.page[0], world->values[i]);
    PQclear(result);
  }
}

static void history_close(void) {
  if (history.store) {
    bench_ok(kecs_close(history.store), "close");
  }
}

#endif
