/* bench/sync_world.h -- edges and hubs to measure with. */
#ifndef BENCH_SYNC_WORLD_H
#define BENCH_SYNC_WORLD_H
#include "rows.h"
#include "sync_hand.h"

#include "kecs_store_pg.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SYNC_PATH = 512, SYNC_URL = 1024, SYNC_FILL = 10000 };

typedef struct sync_edge {
  char path[SYNC_PATH];
  kecs_store *store;
  kecs_sync *sync;
} sync_edge;

typedef struct sync_world {
  const char *url;
  const char *folder;
  int rows;
  int batch;
  int hubs;
  char schema[32];
  char hub[SYNC_URL]; /* the URL with the schema */
  sync_edge edge;
  char plain[SYNC_PATH]; /* a file without triggers */
  bool filled;           /* the hub has the rows */
  sync_hand hand;
  bench_batch rows_batch;
} sync_world;

typedef struct sync_case {
  const char *name;
  double target;
  void (*prepare)(sync_world *world); /* not measured */
  void (*ours)(sync_world *world);
  void (*by_hand)(sync_world *world);
  void (*end)(sync_world *world);
} sync_case;

static double sync_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int sync_number(const char *text, int least, int most) {
  long number = strtol(text, NULL, 10);
  bench_check(number >= least && number <= most, "%s is not a number from %d to %d", text, least, most);
  return (int)number;
}

/* ---- hubs ---- */

/* A schema of its own, without rows; the one before is gone. */
static void sync_new_hub(sync_world *world) {
  char sql[256];
  snprintf(sql, sizeof sql, "SET client_min_messages=warning; DROP SCHEMA IF EXISTS hub%d CASCADE", world->hubs++);
  sync_hand_run(&world->hand, sql);
  snprintf(world->schema, sizeof world->schema, "hub%d", world->hubs);
  snprintf(world->hub, sizeof world->hub, "%s%cschema=%s", world->url, strchr(world->url, '?') ? '&' : '?',
           world->schema);
  bench_ok(kecs_sync_hub_init(world->hub), "hub init");
}

/* ---- edges ---- */

static void sync_remove(const char *path) {
  char name[SYNC_PATH + 8];
  static const char *const ends[] = {"", "-wal", "-shm"};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    snprintf(name, sizeof name, "%s%s", path, ends[i]);
    bench_check(unlink(name) == 0 || errno == ENOENT, "%s: %s", name, strerror(errno));
  }
}

static kecs_store *sync_open_file(const char *path) {
  kecs_options options = {0};
  kecs_store *store;
  options.path = path;
  options.track = KECS_TRACK_ON;
  options.account_id = BENCH_ACCOUNT;
  options.region = BENCH_REGION;
  bench_ok(kecs_open(&options, &store), "open");
  return store;
}

/* A new file with the parents (where there are rows) and so many tasks. */
static void sync_edge_file(sync_world *world, sync_edge *edge, const char *name, int rows) {
  snprintf(edge->path, sizeof edge->path, "%s/%s.db", world->folder, name);
  sync_remove(edge->path);
  kecs_store *store = sync_open_file(edge->path);
  if (rows > 0) {
    bench_parents(store);
  }
  for (int at = 0; at < rows; at += SYNC_FILL) {
    int count = rows - at < SYNC_FILL ? rows - at : SYNC_FILL;
    bench_batch_fill(&world->rows_batch, (uint64_t)at, count);
    bench_ok(kecs_task_create_many(store, world->rows_batch.tasks, (size_t)count, NULL), "create_many");
  }
  bench_ok(kecs_close(store), "close");
}

static void sync_edge_open(sync_world *world, sync_edge *edge, int batch) {
  kecs_sync_options options = {0};
  options.hub = world->hub;
  options.site = edge->path;
  options.batch = batch;
  edge->store = sync_open_file(edge->path);
  bench_ok(kecs_sync_open(edge->store, &options, &edge->sync), "sync_open");
}

static void sync_edge_close(sync_edge *edge) {
  kecs_sync_close(edge->sync);
  bench_ok(kecs_close(edge->store), "close");
}

/* A file with the parents and the same tables, but nothing that logs. */
static inline void sync_plain_file(sync_world *world, char path[SYNC_PATH], const char *name) {
  sync_edge edge;
  snprintf(edge.path, sizeof edge.path, "%s", "");
  sync_edge_file(world, &edge, name, 0);
  snprintf(path, SYNC_PATH, "%s", edge.path);
  kecs_store *store = sync_open_file(path);
  bench_parents(store);
  bench_ok(kecs_close(store), "close");
  sqlite3 *db = sync_hand_file(path);
  sqlite3_stmt *triggers = sync_hand_prepare(db, "SELECT name FROM sqlite_schema WHERE type='trigger'");
  char drop[16384] = "";
  while (sqlite3_step(triggers) == SQLITE_ROW) {
    size_t used = strlen(drop);
    snprintf(drop + used, sizeof drop - used, "DROP TRIGGER %s;", (const char *)sqlite3_column_text(triggers, 0));
  }
  sqlite3_finalize(triggers);
  sync_hand_sqlite(db, sqlite3_exec(db, drop, NULL, NULL, NULL), drop);
  sqlite3_close(db);
}

/* The hand's tables are those of a store that is not tracked, with the stamps. */
static void sync_prepare(sync_world *world) {
  static const char *const stamps[] = {"life", "spec", "status"};
  char url[SYNC_URL];
  char sql[512];
  kecs_options options = {0};
  kecs_store *store;
  bench_check(mkdir(world->folder, 0777) == 0 || errno == EEXIST, "%s: %s", world->folder, strerror(errno));
  sync_hand_open(&world->hand, world->url);
  snprintf(url, sizeof url, "%s%cschema=" SYNC_HAND_SCHEMA, world->url, strchr(world->url, '?') ? '&' : '?');
  options.path = url;
  options.backends = kecs_pg_backends();
  options.account_id = BENCH_ACCOUNT;
  options.region = BENCH_REGION;
  bench_ok(kecs_open(&options, &store), "open");
  bench_parents(store);
  bench_ok(kecs_close(store), "close");
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
    snprintf(sql, sizeof sql,
             "SET client_min_messages=warning; ALTER TABLE " SYNC_HAND_SCHEMA
             ".tasks ADD COLUMN IF NOT EXISTS stamp_%s bigint,ADD COLUMN IF NOT EXISTS site_%s bigint",
             stamps[i], stamps[i]);
    sync_hand_run(&world->hand, sql);
  }
}

#endif
