/* bench/sync_scope.h -- what reading through scopes costs: the same rows pulled by a site that was granted all clusters
 * one by one, beside one that has the whole tenant; the first time, and as changes. */
#ifndef BENCH_SYNC_SCOPE_H
#define BENCH_SYNC_SCOPE_H
#include "sync_use.h"

typedef struct sync_scope {
  sync_edge scoped; /* all clusters, and what belongs to none */
  sync_edge whole;  /* the tenant */
  sync_edge one;    /* one cluster */
} sync_scope;

static void sync_scope_grant(const sync_world *world, const sync_edge *edge, int cluster) {
  char arn[BENCH_ARN];
  snprintf(arn, sizeof arn, BENCH_ARN_HEAD "cluster/fleet-%02d", cluster);
  bench_ok(kecs_sync_hub_grant(world->hub, edge->path, arn), "grant");
}

/* A hub with rows, and files that have none yet. */
static void sync_scope_prepare(sync_world *world, sync_scope *scope) {
  sync_new_hub(world);
  sync_edge_file(world, &world->edge, "filled", world->rows);
  sync_edge_open(world, &world->edge, world->batch);
  bench_ok(kecs_sync_once(world->edge.sync, NULL), "push");
  sync_edge_close(&world->edge);
  sync_edge_file(world, &scope->scoped, "scoped", 0);
  sync_edge_file(world, &scope->whole, "whole", 0);
  sync_edge_file(world, &scope->one, "one", 0);
  for (int cluster = 0; cluster < BENCH_CLUSTERS; cluster++) {
    sync_scope_grant(world, &scope->scoped, cluster);
  }
  bench_ok(kecs_sync_hub_grant(world->hub, scope->scoped.path, "-"), "grant");
  sync_scope_grant(world, &scope->one, 5);
  sync_edge_open(world, &scope->scoped, world->batch);
  sync_edge_open(world, &scope->whole, world->batch);
  sync_edge_open(world, &scope->one, world->batch);
}

/* All rows of the hub have changed: there is a window of the feed to read. */
static void sync_scope_change(sync_world *world) {
  char sql[256];
  snprintf(sql, sizeof sql, "SET search_path=%s; UPDATE tasks SET stopped_reason='by hand'; RESET search_path; ANALYZE",
           world->schema);
  sync_hand_run(&world->hand, sql);
  snprintf(sql, sizeof sql, "SET search_path=%s; SELECT change_number('default'); RESET search_path", world->schema);
  sync_hand_run(&world->hand, sql);
  sync_hand_run(&world->hand, "CHECKPOINT");
}

/* Seconds for one row that came. */
static double sync_scope_pull(sync_edge *edge, int64_t least) {
  kecs_sync_report report;
  double since = sync_clock();
  bench_ok(kecs_sync_once(edge->sync, &report), "pull");
  bench_check(report.pulled >= least, "%lld rows pulled", (long long)report.pulled);
  return (sync_clock() - since) / (double)report.pulled;
}

static void sync_scope_run(sync_world *world, bench_table *table, FILE *out, int rounds) {
  double ours[2][BENCH_ROUNDS_MAX];
  double theirs[2][BENCH_ROUNDS_MAX];
  double one[2] = {0, 0};
  sync_scope scope;
  for (int round = -1; round < rounds; round++) { /* the first one does not count */
    int at = round < 0 ? 0 : round;
    sync_scope_prepare(world, &scope);
    for (int changed = 0; changed < 2; changed++) {
      if (changed) {
        sync_scope_change(world);
      }
      for (int turn = 0; turn < 2; turn++) {
        bool whole = turn == (round & 1);
        double took = sync_scope_pull(whole ? &scope.whole : &scope.scoped, world->rows);
        *(whole ? &theirs[changed][at] : &ours[changed][at]) = took;
      }
      one[changed] = sync_scope_pull(&scope.one, 1);
    }
    sync_edge_close(&scope.scoped);
    sync_edge_close(&scope.whole);
    sync_edge_close(&scope.one);
    const sync_edge *const edges[] = {&world->edge, &scope.scoped, &scope.whole, &scope.one};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
      sync_remove(edges[i]->path);
    }
  }
  bench_add(table, "sync.scope.first", 0, ours[0], theirs[0], rounds);
  bench_add(table, "sync.scope.changes", 0, ours[1], theirs[1], rounds);
  sync_tell(out, "sync.scope.one.first", 1 / one[0], "rows a second, one cluster of sixteen");
  sync_tell(out, "sync.scope.one.changes", 1 / one[1], "rows a second, one cluster of sixteen");
}

#endif
