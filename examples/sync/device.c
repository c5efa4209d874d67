/* device.c -- a device with one thread: its loop measures, writes, and now and then gives sync a turn.
 *
 *   KECS_HUB='postgres://kecs@db.example/kecs?tenant=shop' build/examples/sync/device FILE SITE TURNS */
#include "kecs_store_pg.h"

#include <stdio.h>
#include <stdlib.h>

enum { TURNS_A_ROUND = 5 };

static int fail(const char *doing) {
  fprintf(stderr, "%s: %s\n", doing, kecs_last_error()->text);
  return 1;
}

static kecs_status measure(kecs_store *store, const char *site, int turn) {
  char name[64];
  kecs_cluster cluster = {0};
  snprintf(name, sizeof name, "%.40s-%d", site, turn);
  cluster.name = name;
  return kecs_cluster_upsert(store, &cluster, NULL);
}

/* A round takes as long as the hub does; where it is away the loop goes on, and what was written waits in the file. */
static void give_turn(kecs_sync *sync, int *failures, int *wait) {
  kecs_sync_report report;
  if (*wait > 0) {
    (*wait)--;
    return;
  }
  if (kecs_sync_once(sync, &report)) {
    fprintf(stderr, "sync: %s\n", kecs_last_error()->text);
    *failures += *failures < 6;
    *wait = rand() % (1 << *failures); /* not all devices at once */
    return;
  }
  *failures = 0;
  printf("sync: %lld out, %lld in\n", (long long)report.pushed, (long long)report.pulled);
}

int main(int argc, char **argv) {
  kecs_options options = {0};
  kecs_sync_options edge = {0};
  kecs_store *store = NULL;
  kecs_sync *sync = NULL;
  int failures = 0;
  int wait = 0;
  if (argc != 4 || !getenv("KECS_HUB")) {
    fprintf(stderr, "KECS_HUB=URL %s FILE SITE TURNS\n", argv[0]);
    return 2;
  }
  options.path = argv[1];
  options.track = KECS_TRACK_ON;
  edge.hub = getenv("KECS_HUB");
  edge.site = argv[2];
  if (kecs_open(&options, &store) || kecs_sync_open(store, &edge, &sync)) {
    return fail("open");
  }
  int turns = (int)strtol(argv[3], NULL, 10);
  for (int turn = 0; turn < turns; turn++) {
    if (measure(store, argv[2], turn)) {
      return fail("measure");
    }
    if (turn % TURNS_A_ROUND == TURNS_A_ROUND - 1) {
      give_turn(sync, &failures, &wait);
    }
  }
  kecs_sync_close(sync);
  return kecs_close(store) ? fail("close") : 0;
}
