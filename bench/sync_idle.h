/* bench/sync_idle.h -- a round in which nothing is to be done: what it takes at the hub, on the wire and on the edge's
 * disk. */
#ifndef BENCH_SYNC_IDLE_H
#define BENCH_SYNC_IDLE_H
#include "sync_use.h"

enum { SYNC_IDLE_ROWS = 1000, SYNC_IDLE_ROUNDS = 400 };

typedef struct sync_idle {
  sync_use use;
  kecs_sync_report report; /* of the last round */
  double trips;            /* the most of a round */
  double written;          /* bytes to files here */
} sync_idle;

static void sync_idle_round(sync_world *world, sync_idle *idle) {
  bench_ok(kecs_sync_once(world->edge.sync, &idle->report), "an idle round");
  bench_check(idle->report.pushed + idle->report.pulled == 0, "an idle round has moved rows");
  idle->trips = idle->trips > (double)idle->report.round_trips ? idle->trips : (double)idle->report.round_trips;
}

static sync_idle sync_idle_rounds(sync_world *world, int rounds) {
  sync_idle idle;
  memset(&idle, 0, sizeof idle);
  sync_use before = sync_use_now(world);
  double written = sync_bytes_written();
  for (int i = 0; i < rounds; i++) {
    sync_idle_round(world, &idle);
  }
  idle.written = sync_bytes_written() - written;
  idle.use = sync_use_since(world, &before);
  return idle;
}

/* Rounds of a handle that comes and goes with its connection, as a program does that cron starts. */
static sync_use sync_idle_visits(sync_world *world, int rounds) {
  sync_use before = sync_use_now(world);
  for (int i = 0; i < rounds; i++) {
    sync_idle idle;
    memset(&idle, 0, sizeof idle);
    sync_edge_open(world, &world->edge, 0);
    sync_idle_round(world, &idle);
    sync_edge_close(&world->edge);
  }
  return sync_use_since(world, &before);
}

/* As if the last round that has noted its time had been an hour ago. */
static void sync_idle_age(const sync_world *world) {
  sqlite3 *db = sync_hand_file(world->edge.path);
  sync_hand_sqlite(db,
                   sqlite3_exec(db, "UPDATE sync_state SET value=value-3600000000 WHERE name='last'", NULL, NULL, NULL),
                   "age");
  sqlite3_close(db);
}

static void sync_idle_world(sync_world *world) {
  sync_idle first;
  memset(&first, 0, sizeof first);
  sync_new_hub(world);
  sync_edge_file(world, &world->edge, "idle", SYNC_IDLE_ROWS);
  sync_edge_open(world, &world->edge, 0);
  bench_ok(kecs_sync_once(world->edge.sync, NULL), "push");
  bench_ok(kecs_sync_once(world->edge.sync, NULL), "pull of what was pushed");
  sync_idle_round(world, &first);
}

/* `every` seconds lie between two rounds. */
static void sync_idle_run(sync_world *world, FILE *out, double every) {
  double minute = 60 / every;
  sync_idle_world(world);
  sync_edge_close(&world->edge);
  double rows = sync_rows_written(world);
  sync_edge_open(world, &world->edge, 0);
  sync_hand_run(&world->hand, "CHECKPOINT");
  sync_idle touched = sync_idle_rounds(world, 1);
  sync_idle idle = sync_idle_rounds(world, SYNC_IDLE_ROUNDS);
  sync_edge_close(&world->edge);
  rows = sync_rows_written(world) - rows;
  bench_check(idle.trips <= 2, "an idle round took %.0f exchanges", idle.trips);
  bench_check(idle.written == 0, "idle rounds have written %.0f bytes", idle.written);
  sync_tell(out, "sync.idle.round_trips", idle.trips, "exchanges, most of a round; <= 2 met");
  sync_tell(out, "sync.idle.edge_disk", idle.written / SYNC_IDLE_ROUNDS, "bytes written by the edge a round; 0 met");
  sync_tell(out, "sync.idle.round", idle.use.clock / SYNC_IDLE_ROUNDS * 1e6, "microseconds on the clock");
  sync_tell(out, "sync.idle.bytes_out", (double)idle.report.bytes_out, "bytes a round");
  sync_tell(out, "sync.idle.bytes_in", (double)idle.report.bytes_in, "bytes a round");
  sync_tell(out, "sync.idle.edge_cpu", idle.use.own / SYNC_IDLE_ROUNDS * 1e6, "microseconds of CPU a round");
  printf("an edge that comes every %.0f seconds costs its hub in a minute:\n", every);
  sync_tell(out, "sync.idle.hub_cpu", minute * idle.use.hub / SYNC_IDLE_ROUNDS * 1e3, "milliseconds of CPU");
  sync_tell(out, "sync.idle.hub_wal", minute * idle.use.wal / SYNC_IDLE_ROUNDS, "bytes of WAL");
  sync_tell(out, "sync.idle.hub_rows", minute * rows / (SYNC_IDLE_ROUNDS + 1), "rows written");
  sync_tell(out, "sync.idle.hub_commits", minute * idle.use.commits / SYNC_IDLE_ROUNDS, "commits that write");
  sync_tell(out, "sync.idle.hub_wire", minute * (double)(idle.report.bytes_out + idle.report.bytes_in), "bytes");
  sync_tell(out, "sync.idle.after_checkpoint", touched.use.wal, "bytes of WAL, first round after one");
  sync_use visits = sync_idle_visits(world, SYNC_IDLE_ROUNDS / 10);
  sync_tell(out, "sync.idle.visit_hub_cpu", minute * visits.hub / (SYNC_IDLE_ROUNDS / 10) * 1e3,
            "milliseconds of CPU, connecting anew each time");
  sync_idle_age(world);
  sync_edge_open(world, &world->edge, 0);
  sync_idle noted = sync_idle_rounds(world, 1);
  sync_edge_close(&world->edge);
  sync_tell(out, "sync.idle.edge_note", noted.written, "bytes, the round of an hour that notes its time");
  sync_remove(world->edge.path);
}

#endif
