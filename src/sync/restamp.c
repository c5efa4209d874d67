/* sync/restamp.c -- the hub's clock, which all go by: how far this one is off, and stamps of a time when it was wrong.
 *
 * Each handshake is a measurement: the hub's time lies somewhere within the exchange, so half of what the exchange took
 * is the error. The best one of the last hour is kept, unless a later one contradicts it: then a clock was set. A clock
 * that is right but for a second is left alone: whoever sets it does better than that measurement.
 *
 * A stamp that is further ahead of the hub's time than the hub's bound was never taken by it, whatever became of the
 * push that it was in, since the hub's time only goes up. So these are given anew without asking. Below that bound, for
 * a smaller one of the options', an intent that is not settled yet stops it. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include <stdio.h>
#include <string.h>

#define KECS_SYNC__OFFSET_AGE_US INT64_C(3600000000)
#define KECS_SYNC__OFFSET_NEWS_US 50000 /* a change of the offset that is worth a write */

#define KECS_SYNC__OFFSET_LEAST_US 1000000

static int64_t kecs_sync__distance(int64_t a, int64_t b) {
  return a > b ? a - b : b - a;
}

static kecs_status kecs_sync__offset_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  int64_t offset = sync->notes.offset;
  bool right = kecs_sync__distance(offset, 0) < KECS_SYNC__OFFSET_LEAST_US + sync->notes.offset_trip;
  kecs_status status = kecs_replica_offset(tx, right ? 0 : offset);
  status = status ? status : kecs_sync__note_number(tx, "offset", sync->notes.offset);
  status = status ? status : kecs_sync__note_number(tx, "offset_trip", sync->notes.offset_trip);
  return status ? status : kecs_sync__note_number(tx, "offset_at", sync->notes.offset_at);
}

/* `hub_us` was told in the exchange that ends now. */
KECS_PG__FN kecs_status kecs_sync__measure(kecs_sync *sync, int64_t hub_us) {
  kecs_sync__notes *notes = &sync->notes;
  int64_t now = kecs_replica_now(sync->store);
  int64_t trip = now > sync->sent_us ? now - sync->sent_us : 0;
  int64_t offset = hub_us - sync->sent_us - trip / 2;
  int64_t before = notes->offset;
  bool first = notes->offset_at == 0;
  bool old = now < notes->offset_at || now - notes->offset_at > KECS_SYNC__OFFSET_AGE_US;
  bool contradicts = kecs_sync__distance(offset, notes->offset) > (trip + notes->offset_trip) / 2;
  sync->report.hub_offset_us = notes->offset;
  if (!first && !old && !contradicts && trip >= notes->offset_trip) {
    return KECS_OK;
  }
  notes->offset = offset;
  notes->offset_trip = trip;
  notes->offset_at = now;
  sync->report.hub_offset_us = offset;
  bool news = first || kecs_sync__distance(offset, before) > KECS_SYNC__OFFSET_NEWS_US;
  return news ? kecs_sync__transact(sync, kecs_sync__offset_work, sync) : KECS_OK;
}

static kecs_status kecs_sync__restamp_work(kecs_store *tx, void *user) {
  kecs_restamp *restamp = user;
  kecs_status status = kecs_replica_restamp(tx, restamp);
  if (status || restamp->changed == 0) {
    return status;
  }
  status = kecs_sync__note_number(tx, "acked", restamp->acked);
  return status ? status : kecs_sync__note_number(tx, "intent_stamp", restamp->intent);
}

KECS_PG__FN kecs_status kecs_sync__restamp(kecs_sync *sync, int64_t hub_us) {
  kecs_restamp work;
  int64_t ahead = sync->notes.intent.id[0] ? KECS_SYNC__AHEAD_US : sync->max_offset_us;
  int64_t newest = 0;
  char line[160];
  memset(&work, 0, sizeof work);
  work.limit_us = hub_us + ahead;
  work.now_us = hub_us;
  work.offset_us = sync->notes.offset;
  work.acked = sync->notes.acked;
  work.intent = sync->notes.intent.id[0] ? sync->notes.intent.stamp : 0;
  kecs_status status = kecs_sync__count(
      sync->store, "SELECT stamp FROM {changes} WHERE {own}true ORDER BY seq DESC LIMIT 1", &newest);
  if (status || kecs_stamp_time(newest) <= work.limit_us) {
    return status;
  }
  status = kecs_sync__transact(sync, kecs_sync__restamp_work, &work);
  if (status || work.changed == 0) {
    return status;
  }
  sync->report.restamped += work.changed;
  snprintf(line, sizeof line, "sync: the clock was ahead of the hub's; %lld stamps were given anew",
           (long long)work.changed);
  kecs_replica_log(sync->store, KECS_LOG_WARNING, line);
  return kecs_sync__notes_read(sync);
}
