/* thread.c -- a program with sync inside: it works on its file, and a thread keeps that and the hub in agreement.
 *
 *   KECS_HUB='postgres://kecs@db.example/kecs?tenant=shop' build/examples/sync/thread FILE SITE */
#include "kecs_store_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int fail(const char *doing) {
  fprintf(stderr, "%s: %s\n", doing, kecs_last_error()->text);
  return 1;
}

/* On sync's thread. Failures are no reason to worry: the next round goes on. */
static void after(kecs_status status, const kecs_sync_report *report, const kecs_error *error, void *user) {
  (void)user;
  if (status) {
    fprintf(stderr, "sync: %s\n", error->text);
  } else if (report->pushed + report->pulled > 0) {
    printf("sync: %lld out, %lld in\n", (long long)report->pushed, (long long)report->pulled);
  }
}

/* The program's own work: it goes on whether the hub is there or not. */
static kecs_status work(kecs_store *store, const char *site) {
  kecs_cluster cluster = {0};
  cluster.name = site;
  kecs_status status = kecs_cluster_create(store, &cluster, NULL);
  return status == KECS_E_EXISTS ? KECS_OK : status;
}

static kecs_status wait_until_pushed(kecs_sync *sync) {
  kecs_sync_status_info info;
  kecs_status status = KECS_OK;
  do {
    struct timespec nap = {0, 50000000};
    nanosleep(&nap, NULL);
    status = kecs_sync_status(sync, &info);
  } while (!status && (info.pending > 0 || info.rounds == 0));
  return status;
}

int main(int argc, char **argv) {
  kecs_options options = {0};
  kecs_sync_options edge = {0};
  kecs_sync_pace pace = {0};
  kecs_store *store = NULL;
  kecs_sync *sync = NULL;
  if (argc != 3 || !getenv("KECS_HUB")) {
    fprintf(stderr, "KECS_HUB=URL %s FILE SITE\n", argv[0]);
    return 2;
  }
  options.path = argv[1];
  options.track = KECS_TRACK_ON; /* what sync needs */
  edge.hub = getenv("KECS_HUB");
  edge.site = argv[2];
  pace.every_ms = 1000;
  pace.after = after;
  if (kecs_open(&options, &store)) {
    return fail("open");
  }
  if (kecs_sync_open(store, &edge, &sync) || kecs_sync_start(sync, &pace)) {
    return fail("sync");
  }
  if (work(store, argv[2]) || wait_until_pushed(sync)) {
    return fail("work");
  }
  kecs_sync_close(sync); /* ends the thread */
  return kecs_close(store) ? fail("close") : 0;
}
