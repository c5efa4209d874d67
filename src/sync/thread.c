/* sync/thread.c -- rounds by themselves: a thread that waits for its time or for a change, and knows when to leave a
 * hub in peace. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/internal.h"
#include "store/watch.h"

#include <string.h>

enum {
  KECS_SYNC__EVERY_MS = 5000,
  KECS_SYNC__BACKOFF_MS = 1000,      /* the first pause after a failure is up to twice as long */
  KECS_SYNC__BACKOFF_MAX_MS = 60000,
  KECS_SYNC__NAP_MS = 50,            /* between two looks at whether it is to end */
  KECS_SYNC__GATHER_MS = 20          /* after a change: what is written together goes together */
};

KECS_PG__FN void kecs_sync__lock(kecs_sync *sync) {
#if defined(KECS_STORE_NO_THREADS)
  (void)sync;
#else
  (void)pthread_mutex_lock(&sync->mutex);
#endif
}

KECS_PG__FN void kecs_sync__unlock(kecs_sync *sync) {
#if defined(KECS_STORE_NO_THREADS)
  (void)sync;
#else
  (void)pthread_mutex_unlock(&sync->mutex);
#endif
}

KECS_STORE_API void kecs_sync_cancel(kecs_sync *sync) {
  if (sync) {
    kecs_sync__flag_set(&sync->stopped, 1);
  }
}

#if defined(KECS_STORE_NO_THREADS)

KECS_STORE_API kecs_status kecs_sync_start(kecs_sync *sync, const kecs_sync_pace *pace) {
  (void)sync;
  (void)pace;
  return kecs_pg__fail(KECS_E_UNSUPPORTED, "this build has no threads: call kecs_sync_once now and then");
}

KECS_STORE_API kecs_status kecs_sync_stop(kecs_sync *sync) {
  (void)sync;
  return KECS_OK;
}

#else

/* ---- pauses ---- */

/* Below `most`; not the same for two edges. */
static int64_t kecs_sync__chance(kecs_sync *sync, int64_t most) {
  uint64_t mixed = sync->chance;
  for (const char *at = sync->site; *at; at++) {
    mixed = (mixed ^ (unsigned char)*at) * UINT64_C(0x100000001B3);
  }
  mixed = (mixed ^ (uint64_t)kecs_pg__now_ms()) * UINT64_C(0x9E3779B97F4A7C15);
  sync->chance = mixed ^ (mixed >> 29);
  return most > 0 ? (int64_t)((sync->chance >> 11) % (uint64_t)most) : 0;
}

/* Between two rounds: a fifth more or less than asked for; after failures anything up to a bound that doubles, so that
 * edges that have lost their hub together do not come back together. */
static int64_t kecs_sync__pause(kecs_sync *sync) {
  int64_t every = sync->pace.every_ms ? sync->pace.every_ms : KECS_SYNC__EVERY_MS;
  int64_t most = sync->pace.backoff_max_ms ? sync->pace.backoff_max_ms : KECS_SYNC__BACKOFF_MAX_MS;
  int64_t bound = KECS_SYNC__BACKOFF_MS;
  if (sync->told.failures == 0) {
    return every - every / 5 + kecs_sync__chance(sync, every * 2 / 5);
  }
  for (int64_t n = 0; n < sync->told.failures && bound < most; n++) {
    bound *= 2;
  }
  return 1 + kecs_sync__chance(sync, bound < most ? bound : most);
}

static bool kecs_sync__ends(const kecs_sync *sync) {
  return kecs_sync__flag_get(&sync->ending) != 0;
}

static void kecs_sync__nap(kecs_sync *sync, int64_t until) {
  for (int64_t now = kecs_pg__now_ms(); now < until && !kecs_sync__ends(sync); now = kecs_pg__now_ms()) {
    int64_t ms = until - now < KECS_SYNC__NAP_MS ? until - now : KECS_SYNC__NAP_MS;
    kecs_pg__sleep_ms((int)ms);
  }
}

/* Until the time has come, or the log has entries that are not pushed. What goes wrong with the log is the next round's
 * to tell. */
static void kecs_sync__wait(kecs_sync *sync, int64_t until) {
  kecs_watch_options options;
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  int64_t mark = 0;
  memset(&options, 0, sizeof options);
  if (kecs_sync__count(sync->store, "SELECT value FROM {change_state} WHERE {own}id=2", &mark) == KECS_OK) {
    options.from_seq = mark > 0 ? mark : KECS_WATCH_OLDEST;
    (void)kecs_watch_open(sync->store, &options, &watch);
  }
  kecs_status status = watch ? KECS_OK : KECS_E_UNSUPPORTED;
  for (int64_t now = kecs_pg__now_ms(); !status && !change && now < until && !kecs_sync__ends(sync);
       now = kecs_pg__now_ms()) {
    status = kecs_watch_next(watch, (int)(until - now < KECS_SYNC__NAP_MS ? until - now : KECS_SYNC__NAP_MS), &change);
  }
  bool woken = change != NULL || status == KECS_E_COMPACTED;
  kecs_watch_close(watch);
  kecs_sync__nap(sync, woken ? kecs_pg__now_ms() + KECS_SYNC__GATHER_MS : until);
}

/* ---- the thread ---- */

/* When the hub lets the next round begin. Those of many edges are spread. */
static int64_t kecs_sync__earliest(kecs_sync *sync, int64_t begun) {
  int64_t every = sync->limits.every_ms;
  return begun + every + kecs_sync__chance(sync, every / 5);
}

static void *kecs_sync__work(void *user) {
  kecs_sync *sync = user;
  while (!kecs_sync__ends(sync)) {
    kecs_sync_report report;
    int64_t begun = kecs_pg__now_ms();
    kecs_status status = kecs_sync__round(sync, &report);
    if (sync->pace.after && !kecs_sync__ends(sync)) {
      sync->pace.after(status, &report, kecs_last_error(), sync->pace.user);
    }
    int64_t until = kecs_pg__now_ms() + kecs_sync__pause(sync);
    kecs_sync__nap(sync, kecs_sync__earliest(sync, begun)); /* also where changes are waiting */
    if (status || sync->pace.timed) {
      kecs_sync__nap(sync, until);
    } else {
      kecs_sync__wait(sync, until);
    }
  }
  return NULL;
}

KECS_STORE_API kecs_status kecs_sync_start(kecs_sync *sync, const kecs_sync_pace *pace) {
  if (!sync) {
    return kecs_pg__fail(KECS_E_INVALID, "sync is NULL");
  }
  if (pace && (pace->every_ms < 0 || pace->backoff_max_ms < 0)) {
    return kecs_pg__fail(KECS_E_INVALID, "pace.%s is below 0", pace->every_ms < 0 ? "every_ms" : "backoff_max_ms");
  }
  if (sync->running) {
    return kecs_pg__fail(KECS_E_MISUSE, "the thread of this edge runs already");
  }
  memset(&sync->pace, 0, sizeof sync->pace);
  if (pace) {
    sync->pace = *pace;
  }
  kecs_sync__flag_set(&sync->ending, 0);
  if (pthread_create(&sync->thread, NULL, kecs_sync__work, sync) != 0) {
    return kecs_pg__fail(KECS_E_FULL, "no thread can be made for sync: the process has too many");
  }
  sync->running = true;
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_sync_stop(kecs_sync *sync) {
  if (!sync) {
    return kecs_pg__fail(KECS_E_INVALID, "sync is NULL");
  }
  if (sync->running) {
    if (pthread_equal(sync->thread, pthread_self())) {
      return kecs_pg__fail(KECS_E_MISUSE, "the thread can't wait for its own end: call kecs_sync_stop elsewhere");
    }
    kecs_sync__flag_set(&sync->ending, 1);
    (void)pthread_join(sync->thread, NULL);
    kecs_sync__flag_set(&sync->ending, 0);
    sync->running = false;
  }
  return KECS_OK;
}

#endif
