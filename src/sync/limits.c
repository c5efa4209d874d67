/* sync/limits.c -- what a hub asks of its sites: rounds no more often, batches no larger, or no rounds for a while.
 *
 * An administrator writes a line for one site, or for all (the empty name); the stricter of the two holds. The
 * handshake tells it, and an edge obeys: it is no lock, but a way to take load off a hub whose edges are many. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- at the edge ---- */

/* "EVERY BATCH REASON"; "" where nobody has asked for anything. */
KECS_PG__FN kecs_status kecs_sync__limits_read(kecs_sync *sync, const char *text) {
  kecs_sync__limits *limits = &sync->limits;
  char *at = NULL;
  memset(limits, 0, sizeof *limits);
  limits->every_ms = strtoll(text, &at, 10);
  limits->batch = strtoll(at, &at, 10);
  snprintf(limits->pause, sizeof limits->pause, "%s", *at == ' ' ? at + 1 : "");
  sync->report.hub_every_ms = limits->every_ms;
  sync->report.hub_batch = limits->batch;
  if (limits->pause[0]) {
    return kecs_pg__fail(KECS_E_BUSY,
                         "%s: the hub takes no rounds now: %.200s; nothing was lost, try again later, or end the pause "
                         "by kecs hub limit",
                         sync->place.shown, limits->pause);
  }
  int batch = sync->wanted_batch ? sync->wanted_batch : sync->batch;
  batch = limits->batch > 0 && limits->batch < batch ? (int)limits->batch : batch;
  sync->moved = sync->moved || batch < sync->batch; /* the window that was told is too large */
  sync->batch = batch;
  return KECS_OK;
}

KECS_PG__FN int kecs_sync__batch_most(const kecs_sync *sync) {
  int64_t most = sync->limits.batch;
  return most > 0 && most < KECS_SYNC__BATCH_MOST ? (int)most : KECS_SYNC__BATCH_MOST;
}

/* ---- at the hub ---- */

/* A reason stands in messages, which are one line. */
static bool kecs_sync__limits_reason(const char *reason) {
  size_t len = strlen(reason);
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)reason[i] < 0x20 || reason[i] == 0x7f) {
      return false;
    }
  }
  return len > 0 && len <= KECS_SYNC_PAUSE_MAX;
}

KECS_PG__FN kecs_status kecs_sync__limits_check(const kecs_sync_limits *limits) {
  if (limits->every_ms < 0 || limits->every_ms > KECS_SYNC__EVERY_MOST_MS) {
    return kecs_pg__fail(KECS_E_INVALID, "limits.every_ms is %lld; 1 to %lld, which is a day, or 0",
                         (long long)limits->every_ms, (long long)KECS_SYNC__EVERY_MOST_MS);
  }
  if (limits->batch < 0 || limits->batch > KECS_SYNC__BATCH_MAX) {
    return kecs_pg__fail(KECS_E_INVALID, "limits.batch is %lld; 1 to %d, or 0", (long long)limits->batch,
                         (int)KECS_SYNC__BATCH_MAX);
  }
  if (limits->pause && !kecs_sync__limits_reason(limits->pause)) {
    return kecs_pg__fail(KECS_E_INVALID, "limits.pause must be a line of 1 to %d bytes, which says why, or NULL",
                         (int)KECS_SYNC_PAUSE_MAX);
  }
  return KECS_OK;
}
