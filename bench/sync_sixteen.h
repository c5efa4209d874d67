/* bench/sync_sixteen.h -- sixteen sites that push batches of ten rows at once, beside the same by hand: sixteen
 * connections whose one statement merges ten rows and appends a batch without a number, and one that numbers what is
 * committed every 25 ms, in two statements. That is the least that a feed without gaps takes.
 *
 * The hub has rows and statistics of them when it begins, as one has that is older than a minute, and each connection
 * has pushed some batches before. Both sides read their rows from the same files, which lie in memory: in life each
 * edge has a disk of its own. The server's log lies on a slow one (slow_disk.c). */
#ifndef BENCH_SYNC_SIXTEEN_H
#define BENCH_SYNC_SIXTEEN_H
#include "sync_use.h"

#include <pthread.h>

enum { SYNC_SITES = 16, SYNC_TEN = 10, SYNC_SITE_ROWS = 500, SYNC_SITE_WARM = 8, SYNC_KNOWN = 1000, SYNC_NUMBER_MS = 25,
       SYNC_ARRAY = 32768 };

#define SYNC_ALL_ROWS (SYNC_KNOWN + SYNC_SITES * (SYNC_SITE_WARM + SYNC_SITE_ROWS))

/* How slow the disk is. The slower, the less it matters what a push costs the processors, and the more whether pushes
 * wait for each other: those that do take a commit's time each. */
typedef struct sync_slowness {
  const char *name;
  int commit_us;
} sync_slowness;

static const sync_slowness sync_slownesses[] = {{"sync.push.16_sites_4ms", 4000}, {"sync.push.16_sites_40ms", 40000}};

/* One who pushes. */
typedef struct sync_site {
  sync_world *world;
  sync_edge edge;
  int64_t known; /* the last rid of the rows that the hub has before it begins */
  pthread_t thread;
  pthread_barrier_t *start;
} sync_site;

typedef struct sync_sixteen {
  sync_site site[SYNC_SITES];
  pthread_barrier_t start;
  pthread_t number;
  int ended;
  int commit_us;
  bool by_hand;
  long long cursor; /* up to where the feed was read, without a gap */
  sync_world *world;
} sync_sixteen;

/* ---- the slow disk ---- */

static void sync_disk(int microseconds) {
  const char *name = getenv("KECS_BENCH_DISK");
  FILE *file = name ? fopen(name, "w") : NULL;
  bench_check(file != NULL, "run it as bench/sync.py --scale does: KECS_BENCH_DISK names no file");
  fprintf(file, "%d\n", microseconds);
  bench_check(fclose(file) == 0, "can't write %s", name);
}

/* A commit must take as long as it is to: or the library was not loaded. */
static void sync_disk_check(const sync_world *world, int commit_us) {
  sync_hand_run(&world->hand, "CREATE TABLE IF NOT EXISTS " SYNC_HAND_SCHEMA ".slow(x int)");
  sync_disk(commit_us);
  double since = sync_clock();
  sync_hand_run(&world->hand, "INSERT INTO " SYNC_HAND_SCHEMA ".slow VALUES(1)");
  double took = (sync_clock() - since) * 1e6;
  sync_disk(0);
  bench_check(took >= commit_us, "a commit takes %.0f us: the server's disk is not slow", took);
}

/* ---- by hand ---- */

/* A column of ten rows, as a binary array. */
typedef struct sync_array {
  char data[SYNC_ARRAY];
  int used;
} sync_array;

static void sync_array_number(sync_array *array, uint64_t number, int size) {
  for (int i = size - 1; i >= 0; i--) {
    array->data[array->used++] = (char)(number >> (8 * i));
  }
}

static bool sync_array_is_text(kecs_column_type type) {
  return type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON;
}

static void sync_array_begin(sync_array *array, kecs_column_type type, int rows) {
  array->used = 0;
  sync_array_number(array, 1, 4);
  sync_array_number(array, 1, 4);
  sync_array_number(array, sync_array_is_text(type) ? 25 : type == KECS_TYPE_BOOL ? 16 : 20, 4);
  sync_array_number(array, (uint64_t)rows, 4);
  sync_array_number(array, 1, 4);
}

static void sync_array_put(sync_array *array, kecs_column_type type, sqlite3_stmt *row, int column) {
  int len = sqlite3_column_bytes(row, column);
  bench_check(array->used + len + 16 < SYNC_ARRAY, "ten values of a column are too long");
  if (sqlite3_column_type(row, column) == SQLITE_NULL) {
    sync_array_number(array, UINT32_MAX, 4);
  } else if (sync_array_is_text(type)) {
    sync_array_number(array, (uint64_t)len, 4);
    memcpy(array->data + array->used, sqlite3_column_text(row, column), (size_t)len);
    array->used += len;
  } else {
    int size = type == KECS_TYPE_BOOL ? 1 : 8;
    sync_array_number(array, (uint64_t)size, 4);
    sync_array_number(array, (uint64_t)sqlite3_column_int64(row, column), size);
  }
}

static void sync_site_prepare(const sync_hand *hand) {
  char types[1024] = "";
  char sql[16384];
  for (int i = 0; i < hand->count; i++) {
    size_t used = strlen(types);
    snprintf(types + used, sizeof types - used, "%s$%d::%s[]", i ? "," : "", i + 1,
             sync_array_is_text(hand->types[i])       ? "text"
             : hand->types[i] == KECS_TYPE_BOOL ? "boolean"
                                                : "bigint");
  }
  snprintf(sql, sizeof sql,
           "WITH put AS (INSERT INTO " SYNC_HAND_SCHEMA
           ".tasks AS t(tenant,family,pod_name,k8s_namespace,updated_at,version,omitted,%s) SELECT "
           "'default','','','',1,1,0,%s FROM unnest(%s) AS u(%s) ORDER BY arn ON CONFLICT(tenant,arn) DO UPDATE SET "
           "%s WHERE (excluded.stamp_life,coalesce(excluded.site_life,0))>(t.stamp_life,coalesce(t.site_life,0)) "
           "RETURNING rid) INSERT INTO " SYNC_HAND_SCHEMA ".batches(scope,rids) SELECT 1,array_agg(rid) FROM put",
           hand->names, hand->names, types, hand->names, hand->sets);
  PGresult *result = PQprepare(hand->pg, "push", sql, 0, NULL);
  bench_check(PQresultStatus(result) == PGRES_COMMAND_OK, "by hand: %s", PQerrorMessage(hand->pg));
  PQclear(result);
}

/* Some rows, one statement, one commit. False at the end of the file. */
static bool sync_site_push(const sync_hand *hand, sqlite3_stmt *rows, sync_array *arrays, int count) {
  const char *values[SYNC_HAND_COLUMNS];
  int lengths[SYNC_HAND_COLUMNS];
  int formats[SYNC_HAND_COLUMNS];
  for (int i = 0; i < hand->count; i++) {
    sync_array_begin(&arrays[i], hand->types[i], count);
  }
  for (int row = 0; row < count; row++) {
    if (sqlite3_step(rows) != SQLITE_ROW) {
      bench_check(row == 0, "the rows are no multiple of %d", count);
      return false;
    }
    for (int i = 0; i < hand->count; i++) {
      sync_array_put(&arrays[i], hand->types[i], rows, i);
    }
  }
  for (int i = 0; i < hand->count; i++) {
    values[i] = arrays[i].data;
    lengths[i] = arrays[i].used;
    formats[i] = 1;
  }
  sync_hand_check(hand, PQexecPrepared(hand->pg, "push", hand->count, values, lengths, formats, 0), "push");
  return true;
}

static void *sync_site_by_hand(void *user) {
  sync_site *self = user;
  char sql[4096];
  sync_hand *hand = calloc(1, sizeof *hand);
  sync_array *arrays = calloc(SYNC_HAND_COLUMNS, sizeof *arrays);
  bench_check(hand && arrays, "out of memory");
  sync_hand_open(hand, self->world->url);
  sync_site_prepare(hand);
  sqlite3 *db = sync_hand_file(self->edge.path);
  snprintf(sql, sizeof sql, "SELECT %s FROM tasks WHERE rid>%lld AND site_life IS NULL ORDER BY rid", hand->names,
           (long long)self->known);
  sqlite3_stmt *rows = sync_hand_prepare(db, sql);
  for (int i = 0; i < SYNC_SITE_WARM; i++) {
    (void)sync_site_push(hand, rows, arrays, 1);
  }
  pthread_barrier_wait(self->start);
  while (sync_site_push(hand, rows, arrays, SYNC_TEN)) {
  }
  sqlite3_finalize(rows);
  sqlite3_close(db);
  sync_hand_close(hand);
  free(arrays);
  free(hand);
  return NULL;
}

static void sync_site_push_ours(sync_site *self, int rows) {
  kecs_sync_report report;
  bench_ok(kecs_sync_once(self->edge.sync, &report), "push");
  bench_check(report.pushed == rows && report.refused == 0, "%lld of %d rows pushed", (long long)report.pushed, rows);
}

static void *sync_site_ours(void *user) {
  sync_site *self = user;
  pthread_barrier_wait(self->start);
  sync_site_push_ours(self, SYNC_SITE_ROWS);
  return NULL;
}

/* ---- numbering, and reading without a gap ---- */

static void sync_number_by_hand(const sync_hand *hand) {
  sync_hand_run(hand, "BEGIN");
  sync_hand_run(hand, "SELECT head FROM " SYNC_HAND_SCHEMA ".heads WHERE scope=1 FOR UPDATE SKIP LOCKED");
  sync_hand_run(hand, "WITH n AS (SELECT id,row_number() OVER (ORDER BY id) AS rn FROM " SYNC_HAND_SCHEMA
                      ".batches WHERE scope=1 AND seq IS NULL),u AS (UPDATE " SYNC_HAND_SCHEMA
                      ".batches b SET seq=h.head+n.rn FROM n," SYNC_HAND_SCHEMA
                      ".heads h WHERE h.scope=1 AND b.id=n.id AND b.seq IS NULL RETURNING 1) UPDATE " SYNC_HAND_SCHEMA
                      ".heads SET head=head+(SELECT count(*) FROM u) WHERE scope=1");
  sync_hand_run(hand, "COMMIT");
}

/* What is above the cursor must follow it number by number, whenever one looks. */
static void sync_follow(sync_sixteen *all, const sync_hand *hand) {
  char sql[256];
  snprintf(sql, sizeof sql, "SELECT count(*),coalesce(max(seq),%lld) FROM %s WHERE seq>%lld", all->cursor,
           all->by_hand ? SYNC_HAND_SCHEMA ".batches" : "changes", all->cursor);
  PGresult *result = PQexec(hand->pg, sql);
  bench_check(PQresultStatus(result) == PGRES_TUPLES_OK, "follow: %s", PQerrorMessage(hand->pg));
  long long count = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
  long long until = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
  bench_check(until - all->cursor == count, "the feed has a gap: %lld entries from %lld to %lld", count, all->cursor,
              until);
  all->cursor = until;
  PQclear(result);
}

static void *sync_numbers(void *user) {
  sync_sixteen *all = user;
  const struct timespec nap = {0, SYNC_NUMBER_MS * 1000000L};
  sync_hand *hand = calloc(1, sizeof *hand);
  char path[64];
  bench_check(hand != NULL, "out of memory");
  sync_hand_open(hand, all->world->url);
  snprintf(path, sizeof path, "SET search_path=%s", all->world->schema);
  sync_hand_run(hand, path);
  bool last = false;
  while (!last) {
    last = __atomic_load_n(&all->ended, __ATOMIC_SEQ_CST) != 0;
    if (all->by_hand) {
      sync_number_by_hand(hand);
    } else {
      sync_hand_run(hand, "SELECT change_number('default')");
    }
    sync_follow(all, hand);
    nanosleep(&nap, NULL);
  }
  sync_hand_close(hand);
  free(hand);
  return NULL;
}

/* ---- a round ---- */

/* The tables by hand, with the rows that the hub has. */
static void sync_sixteen_by_hand(const sync_sixteen *all) {
  sync_world *world = all->world;
  sync_hand_run(&world->hand,
                "SET client_min_messages=warning; TRUNCATE " SYNC_HAND_SCHEMA ".tasks; DROP TABLE IF EXISTS "
                SYNC_HAND_SCHEMA ".heads," SYNC_HAND_SCHEMA ".batches; CREATE TABLE " SYNC_HAND_SCHEMA
                ".heads(scope int PRIMARY KEY,head bigint NOT NULL); INSERT INTO " SYNC_HAND_SCHEMA
                ".heads VALUES(1,0); CREATE TABLE " SYNC_HAND_SCHEMA
                ".batches(id bigserial PRIMARY KEY,scope int NOT NULL,rids bigint[] NOT NULL,seq bigint); CREATE INDEX "
                "batches_new ON " SYNC_HAND_SCHEMA ".batches(scope,id) WHERE seq IS NULL; CREATE INDEX batches_seq ON "
                SYNC_HAND_SCHEMA ".batches(scope,seq)");
  sync_hand_push(&world->hand, all->site[0].edge.path);
}

/* Rows of this site's alone, from `first` on. */
static void sync_sixteen_create(sync_world *world, sync_site *site, int first, int count) {
  bench_batch_fill(&world->rows_batch, (uint64_t)first, count);
  bench_ok(kecs_task_create_many(site->edge.store, world->rows_batch.tasks, (size_t)count, NULL), "create_many");
}

static int64_t sync_sixteen_last(const sync_site *site) {
  sqlite3 *db = sync_hand_file(site->edge.path);
  sqlite3_stmt *last = sync_hand_prepare(db, "SELECT max(rid) FROM tasks");
  sync_hand_sqlite(db, sqlite3_step(last), "max");
  int64_t rid = sqlite3_column_int64(last, 0);
  sqlite3_finalize(last);
  sqlite3_close(db);
  return rid;
}

/* A hub that has rows, and sixteen edges that have these and others that are to be pushed. */
static void sync_sixteen_prepare(sync_sixteen *all) {
  sync_world *world = all->world;
  sync_new_hub(world);
  for (int i = 0; i < SYNC_SITES; i++) {
    sync_site *site = &all->site[i];
    char name[32];
    snprintf(name, sizeof name, "site%02d", i);
    site->world = world;
    site->start = &all->start;
    sync_edge_file(world, &site->edge, name, i == 0 ? SYNC_KNOWN : 0);
    sync_edge_open(world, &site->edge, SYNC_TEN * 100);
    bench_ok(kecs_sync_once(site->edge.sync, NULL), "what all have");
    sync_edge_close(&site->edge);
    if (i == 0) {
      sync_sixteen_by_hand(all);
      sync_hand_run(&world->hand, "ANALYZE");
    }
    site->known = sync_sixteen_last(site);
    sync_edge_open(world, &site->edge, SYNC_TEN);
    int first = SYNC_KNOWN + i * (SYNC_SITE_WARM + SYNC_SITE_ROWS);
    for (int warm = 0; warm < SYNC_SITE_WARM; warm++) {
      sync_sixteen_create(world, site, first + warm, 1);
      sync_site_push_ours(site, 1);
    }
  }
  for (int i = 0; i < SYNC_SITES; i++) {
    sync_site *site = &all->site[i];
    int first = SYNC_KNOWN + i * (SYNC_SITE_WARM + SYNC_SITE_ROWS);
    sync_site_push_ours(site, 0); /* what the others have pushed comes */
    sync_sixteen_create(world, site, first + SYNC_SITE_WARM, SYNC_SITE_ROWS);
  }
  sync_hand_run(&world->hand, "CHECKPOINT");
}

/* Seconds for one push. */
static double sync_sixteen_side(sync_sixteen *all, bool by_hand) {
  char head[96];
  all->by_hand = by_hand;
  all->ended = 0;
  snprintf(head, sizeof head, "SELECT coalesce(max(seq),0) FROM %s.%s", by_hand ? SYNC_HAND_SCHEMA : all->world->schema,
           by_hand ? "batches" : "changes");
  all->cursor = (long long)sync_ask(all->world, head);
  pthread_barrier_init(&all->start, NULL, SYNC_SITES + 1);
  sync_disk(all->commit_us);
  bench_check(pthread_create(&all->number, NULL, sync_numbers, all) == 0, "no thread");
  for (int i = 0; i < SYNC_SITES; i++) {
    bench_check(pthread_create(&all->site[i].thread, NULL, by_hand ? sync_site_by_hand : sync_site_ours,
                               &all->site[i]) == 0,
                "no thread");
  }
  pthread_barrier_wait(&all->start);
  double since = sync_clock();
  for (int i = 0; i < SYNC_SITES; i++) {
    pthread_join(all->site[i].thread, NULL);
  }
  double took = sync_clock() - since;
  __atomic_store_n(&all->ended, 1, __ATOMIC_SEQ_CST);
  pthread_join(all->number, NULL);
  sync_disk(0);
  pthread_barrier_destroy(&all->start);
  return took / (SYNC_SITES * (SYNC_SITE_ROWS / SYNC_TEN));
}

/* The feed must be dense from its beginning, with every row that was pushed in it, and nothing waits for a number. */
static void sync_sixteen_check(const sync_sixteen *all) {
  char sql[640];
  const char *schema = all->world->schema;
  snprintf(sql, sizeof sql,
           "SELECT (SELECT max(seq)-count(*) FROM %s.changes)+(SELECT count(*) FROM %s.change_queue)+"
           "(SELECT %d-count(*) FROM %s.tasks)+(SELECT count(*) FROM %s.sync_refused)+"
           "(SELECT count(*) FROM %s.tasks t WHERE NOT EXISTS(SELECT FROM %s.changes c WHERE c.kind=%d AND "
           "c.rid=t.rid))",
           schema, schema, SYNC_ALL_ROWS, schema, schema, schema, schema, (int)KECS_KIND_TASK);
  bench_check(sync_ask(all->world, sql) == 0, "the feed is not dense, or rows are missing in it");
  bench_check(sync_ask(all->world, "SELECT count(*) FROM " SYNC_HAND_SCHEMA ".tasks") ==
                  SYNC_ALL_ROWS,
              "by hand rows are missing");
}

static void sync_sixteen_run(sync_world *world, const sync_slowness *slowness, bench_table *table, FILE *out,
                             int rounds) {
  static sync_sixteen all;
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  sync_use use[2];
  all.world = world;
  all.commit_us = slowness->commit_us;
  sync_disk_check(world, slowness->commit_us);
  for (int round = -1; round < rounds; round++) { /* the first one does not count */
    int at = round < 0 ? 0 : round;
    sync_sixteen_prepare(&all);
    for (int turn = 0; turn < 2; turn++) {
      bool by_hand = turn == (round & 1);
      use[by_hand] = sync_use_now(world);
      *(by_hand ? &theirs[at] : &ours[at]) = sync_sixteen_side(&all, by_hand);
      use[by_hand] = sync_use_since(world, &use[by_hand]);
    }
    sync_sixteen_check(&all);
    for (int i = 0; i < SYNC_SITES; i++) {
      sync_edge_close(&all.site[i].edge);
      sync_remove(all.site[i].edge.path);
    }
  }
  bench_add(table, slowness->name, 1 / 0.8, ours, theirs, rounds);
  double pushes = SYNC_SITES * (SYNC_SITE_ROWS / SYNC_TEN);
  sync_tell_of(out, slowness->name, "hub_cpu", use[0].hub / pushes * 1e6, "us of CPU a push, last round");
  sync_tell_of(out, slowness->name, "edge_cpu", use[0].own / pushes * 1e6, "us of CPU a push, last round");
  sync_tell_of(out, slowness->name, "hand_hub", use[1].hub / pushes * 1e6, "the same by hand");
  sync_tell_of(out, slowness->name, "hand_own", use[1].own / pushes * 1e6, "the same by hand");
}

#endif
