/* bench/sync_many.h -- many edges at one hub: rounds a second, and who is busy meanwhile. */
#ifndef BENCH_SYNC_MANY_H
#define BENCH_SYNC_MANY_H
#include "sync_use.h"

#include <pthread.h>

enum { SYNC_THREADS = 16, SYNC_FEW = 100 };

/* How the edges come. */
typedef struct sync_manner {
  const char *name;
  bool pooled;  /* through PgBouncer */
  bool visits;  /* with a connection for each round, as a program does that is started each time */
  bool changes; /* each round has one row to push, and those of the others to pull */
  bool few;     /* SYNC_FEW edges, whatever is asked for */
  int warm;     /* rounds of each edge that do not count: a connection's first ones make its plans */
  int rounds;   /* of each edge */
} sync_manner;

static const sync_manner sync_manners[] = {
    {"sync.edges.few", false, false, false, true, 8, 20},
    {"sync.edges.few_changes", false, false, true, true, 8, 4},
    {"sync.edges.few_visits", false, true, false, true, 0, 3},
    {"sync.edges.few_pooled", true, false, false, true, 8, 20},
    {"sync.edges.many_visits", false, true, false, false, 0, 1},
    {"sync.edges.many_pooled", true, false, false, false, 1, 5},
};

typedef struct sync_many {
  sync_world *world;
  const sync_manner *manner;
  sync_edge *edges;
  int count;
  int from; /* rounds, and the one behind the last */
  int until;
  pthread_t thread[SYNC_THREADS];
} sync_many;

typedef struct sync_hand_of {
  sync_many *many;
  int number;
} sync_hand_of;

/* ---- edges ---- */

static void sync_copy(const char *from, const char *to) {
  char buffer[65536];
  FILE *in = fopen(from, "rb");
  FILE *out = fopen(to, "wb");
  bench_check(in && out, "can't copy %s to %s", from, to);
  for (size_t len = fread(buffer, 1, sizeof buffer, in); len > 0; len = fread(buffer, 1, sizeof buffer, in)) {
    bench_check(fwrite(buffer, 1, len, out) == len, "can't write %s", to);
  }
  fclose(in);
  bench_check(fclose(out) == 0, "can't write %s", to);
}

/* With little memory and few files: a thousand of them are open here at once. */
static void sync_many_open(const sync_world *world, sync_edge *edge) {
  kecs_options options = {0};
  kecs_sync_options sync = {0};
  options.path = edge->path;
  options.readers = 1;
  options.cache_kib = 256;
  options.account_id = BENCH_ACCOUNT;
  options.region = BENCH_REGION;
  bench_ok(kecs_open(&options, &edge->store), "open");
  sync.hub = world->hub;
  sync.site = strrchr(edge->path, '/') + 1;
  bench_ok(kecs_sync_open(edge->store, &sync, &edge->sync), "sync_open");
}

static void sync_many_change(sync_edge *edge, int round) {
  char name[64];
  kecs_cluster cluster = {0};
  const char *site = strrchr(edge->path, '/') + 1;
  snprintf(name, sizeof name, "%.*s-%d", (int)strcspn(site, "."), site, round);
  cluster.name = name;
  bench_ok(kecs_cluster_create(edge->store, &cluster, NULL), "create");
}

static void sync_many_round(const sync_many *many, sync_edge *edge, int round) {
  kecs_sync_report report;
  if (many->manner->visits) {
    sync_many_open(many->world, edge);
  }
  if (many->manner->changes) {
    sync_many_change(edge, round);
  }
  bench_ok(kecs_sync_once(edge->sync, &report), "round");
  bench_check(report.pushed == (many->manner->changes ? 1 : 0), "%lld rows pushed", (long long)report.pushed);
  if (many->manner->visits) {
    sync_edge_close(edge);
  }
}

/* Each thread has edges of its own, and goes round them. */
static void *sync_many_thread(void *user) {
  const sync_hand_of *self = user;
  sync_many *many = self->many;
  for (int round = many->from; round < many->until; round++) {
    for (int i = self->number; i < many->count; i += SYNC_THREADS) {
      sync_many_round(many, &many->edges[i], round);
    }
  }
  return NULL;
}

static void sync_many_rounds(sync_many *many, int from, int rounds) {
  sync_hand_of hands[SYNC_THREADS];
  many->from = from;
  many->until = from + rounds;
  for (int i = 0; i < SYNC_THREADS; i++) {
    hands[i] = (sync_hand_of){many, i};
    bench_check(pthread_create(&many->thread[i], NULL, sync_many_thread, &hands[i]) == 0, "no thread");
  }
  for (int i = 0; i < SYNC_THREADS; i++) {
    pthread_join(many->thread[i], NULL);
  }
}

/* ---- the hub ---- */

/* Bytes that a connection's process at the hub has for itself, the mean of all; 0 where one may not look. */
static double sync_backend_bytes(const sync_world *world) {
  char text[4096];
  double kib = 0;
  int count = 0;
  PGresult *result = PQexec(world->hand.pg,
                            "SELECT pid FROM pg_stat_activity WHERE backend_type='client backend' AND "
                            "pid<>pg_backend_pid()");
  for (int row = 0; row < PQntuples(result); row++) {
    if (sync_proc_text(strtol(PQgetvalue(result, row, 0), NULL, 10), "smaps_rollup", text, sizeof text)) {
      const char *clean = strstr(text, "Private_Clean:");
      const char *dirty = strstr(text, "Private_Dirty:");
      kib += clean && dirty ? strtod(clean + 14, NULL) + strtod(dirty + 14, NULL) : 0;
      count++;
    }
  }
  PQclear(result);
  return count > 0 ? kib * 1024 / count : 0;
}

/* A hub that is reached as the edges are to reach it. */
static void sync_many_hub(sync_world *world, bool pooled) {
  const char *url = world->url;
  world->url = pooled ? getenv("KECS_BENCH_POOLER") : url;
  sync_new_hub(world);
  world->url = url;
}

/* Files that are known to the hub. */
static void sync_many_prepare(sync_many *many) {
  sync_world *world = many->world;
  sync_edge form;
  sync_many_hub(world, many->manner->pooled);
  sync_edge_file(world, &form, "form", 0);
  many->edges = calloc((size_t)many->count, sizeof *many->edges);
  bench_check(many->edges != NULL, "out of memory");
  for (int i = 0; i < many->count; i++) {
    sync_edge *edge = &many->edges[i];
    snprintf(edge->path, sizeof edge->path, "%s/edge%04d.db", world->folder, i);
    sync_remove(edge->path);
    sync_copy(form.path, edge->path);
    sync_many_open(world, edge);
    bench_ok(kecs_sync_once(edge->sync, NULL), "the first round");
    if (many->manner->visits) {
      sync_edge_close(edge);
    }
  }
  sync_remove(form.path);
}

static void sync_many_end(sync_many *many) {
  for (int i = 0; i < many->count; i++) {
    if (!many->manner->visits) {
      sync_edge_close(&many->edges[i]);
    }
    sync_remove(many->edges[i].path);
  }
  free(many->edges);
}

static void sync_many_run(sync_world *world, const sync_manner *manner, FILE *out, int edges) {
  sync_many many = {.world = world, .manner = manner, .count = manner->few && edges > SYNC_FEW ? SYNC_FEW : edges};
  if (manner->pooled && !getenv("KECS_BENCH_POOLER")) {
    printf("%-34s PgBouncer is not installed\n", manner->name);
    return;
  }
  sync_many_prepare(&many);
  sync_many_rounds(&many, 0, manner->warm);
  sync_use before = sync_use_now(world);
  sync_many_rounds(&many, manner->warm, manner->rounds);
  sync_use use = sync_use_since(world, &before);
  double rounds = (double)many.count * manner->rounds;
  printf("%s: %d edges, %d threads\n", manner->name, many.count, SYNC_THREADS);
  sync_tell_of(out, manner->name, "rounds", rounds / use.clock, "rounds a second");
  sync_tell_of(out, manner->name, "hub_busy", use.hub / use.clock, "cores");
  sync_tell_of(out, manner->name, "edges_busy", use.own / use.clock, "cores");
  if (manner->pooled) {
    sync_tell_of(out, manner->name, "pooler_busy", use.pooler / use.clock, "cores");
  }
  sync_tell_of(out, manner->name, "hub_cpu", use.hub / rounds * 1e6, "microseconds of CPU a round");
  sync_tell_of(out, manner->name, "hub_wal", use.wal / rounds, "bytes of WAL a round");
  double memory = sync_backend_bytes(world);
  if (memory > 0 && !manner->visits) {
    sync_tell_of(out, manner->name, "hub_memory", memory / 1048576, "MiB of a connection's process");
  }
  sync_many_end(&many);
}

#endif
