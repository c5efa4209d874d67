/* store/ear.c -- how those who wait for changes learn of them. A wait ends when
 *
 *   - a write of this process commits, which wakes it;
 *   - a look at the log's end shows an entry. All watches of a store share these looks, one every 25 ms while any of
 *     them waits. Where entries are numbered after the commit a look numbers them first: who waits is who numbers,
 *     since nobody else needs the numbers. The pauses between looks are 20 to 40 ms there, so that many stores that
 *     wait on one server don't ask in step;
 *   - the database says that somebody has numbered entries (kecs_backend_log.hear), over a connection that is kept for
 *     that while a watch is open. It spares the rest of the pause; that a wait ends within it stands on the looks
 *     alone. */
#include "base/prologue.h"

#include "store/ear.h"

#include "base/time.h"
#include "store/access.h"
#include "store/feed.h"
#include "store/session.h"

enum {
  KECS__EAR_PAUSE_MS = 25,
  KECS__EAR_SPREAD_FROM_MS = 20,
  KECS__EAR_SPREAD_MS = 20,
  KECS__EAR_STOP_MS = 50,     /* between two looks at deadline and cancel where nobody else can write */
  KECS__EAR_HEAR_MS = 10,     /* between two looks at what the database has said */
  KECS__EAR_RETRY_MS = 5000,  /* after a connection for hearing was lost, or could not be made */
  KECS__EAR_NEVER_MS = 300000 /* after it turned out to hear nothing: behind a pooler, on a standby */
};

static bool kecs__ear_can_hear(const kecs__engine *engine) {
  return engine->backend->log && engine->backend->log->hear && engine->shared;
}

KECS__FN void kecs__ear_open(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  engine->watch_count++;
  kecs__mutex_unlock(&engine->mutex);
}

/* What is said to a connection that nobody listens on would pile up at the server. */
KECS__FN void kecs__ear_leave(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  kecs__session *ear = --engine->watch_count == 0 && !engine->ear_taken ? engine->ear : NULL;
  engine->ear = ear ? NULL : engine->ear;
  kecs__mutex_unlock(&engine->mutex);
  kecs__session_close(ear);
}

/* ---- hearing ---- */

/* Whether the database has said something. The ear is the caller's for now, and the mutex is free. *out_pause: how long
 * to leave it alone. What goes wrong here is nobody's failure: looks go on. */
static bool kecs__ear_hear(kecs_store *store, int64_t *out_pause) {
  kecs__engine *engine = store->engine;
  kecs_error before = kecs__error_save();
  bool listens = false;
  bool heard = false;
  kecs_status status = engine->ear ? KECS_OK : kecs__session_open(engine, false, false, &engine->ear);
  if (!status) {
    engine->ear->user = store;
    engine->ear->deadline = 0;
    status = engine->backend->log->hear(engine->ear->connection, &listens, &heard);
    engine->ear->user = NULL;
  }
  *out_pause = listens ? KECS__EAR_HEAR_MS : status ? KECS__EAR_RETRY_MS : KECS__EAR_NEVER_MS;
  if (status) {
    kecs__log(engine, KECS_LOG_INFO, "%s: no notifications: %s", engine->place.shown, kecs_last_error()->text);
  }
  if (status || !listens) {
    kecs__session_close(engine->ear);
    engine->ear = NULL;
  }
  (void)kecs__error_restore(&before);
  return heard;
}

/* The mutex is held, and given up meanwhile. */
static void kecs__ear_ask(kecs_store *store) {
  kecs__engine *engine = store->engine;
  int64_t pause = 0;
  engine->ear_taken = true;
  kecs__mutex_unlock(&engine->mutex);
  bool heard = kecs__ear_hear(store, &pause);
  kecs__mutex_lock(&engine->mutex);
  engine->ear_taken = false;
  engine->ear_next_ms = kecs__monotonic_ms() + pause;
  if (heard) {
    engine->feed_turn++;
    kecs__condition_wake_all(&engine->changed);
  }
}

/* ---- looking ---- */

static int64_t kecs__ear_pause(const kecs__engine *engine) {
  uint64_t mixed = (uint64_t)kecs__monotonic_us() * UINT64_C(0x9E3779B97F4A7C15);
  return engine->backend->log ? KECS__EAR_SPREAD_FROM_MS + (int64_t)((mixed >> 33) % KECS__EAR_SPREAD_MS)
                              : KECS__EAR_PAUSE_MS;
}

static kecs_status kecs__ear_look(kecs_store *store) {
  kecs__engine *engine = store->engine;
  kecs__session *session = NULL;
  kecs__feed_end end = {0, 0, 0};
  kecs_status status = kecs__feed_number_new(store);
  status = status ? status : kecs__read_open(store, &session);
  if (!status) {
    status = kecs__feed_read_end(session, &end);
    kecs__read_close(store, session);
  }
  kecs__mutex_lock(&engine->mutex);
  if (end.seq > engine->feed_seen) {
    engine->feed_seen = end.seq;
    kecs__condition_wake_all(&engine->changed);
  }
  kecs__mutex_unlock(&engine->mutex);
  return status;
}

static void kecs__ear_nap(kecs__engine *engine, int64_t ms) {
#if defined(KECS_STORE_NO_THREADS)
  (void)engine;
  kecs__sleep_ms(ms);
#else
  kecs__condition_wait(&engine->changed, &engine->mutex, ms);
#endif
}

/* How long there is nothing to do but to be woken. */
static int64_t kecs__ear_rest(const kecs__engine *engine, int64_t now, int64_t until) {
  int64_t rest = engine->shared ? engine->feed_look_ms - now : KECS__EAR_STOP_MS;
  int64_t ear = engine->ear_next_ms - now;
  rest = until - now < rest ? until - now : rest;
  return kecs__ear_can_hear(engine) && !engine->ear_taken && ear < rest ? ear : rest;
}

KECS__FN kecs_status kecs__ear_wait(kecs_store *store, uint64_t turn, int64_t seq, int64_t until, bool *out_again) {
  kecs__engine *engine = store->engine;
  kecs_status status = KECS_OK;
  *out_again = true;
  kecs__mutex_lock(&engine->mutex);
  while (!status && engine->feed_turn == turn && engine->feed_seen <= seq) {
    int64_t now = kecs__monotonic_ms();
    status = kecs__check_stop(store, store->deadline);
    if (!status && now >= until) {
      *out_again = false;
      break;
    }
    if (!status && engine->shared && now >= engine->feed_look_ms) {
      engine->feed_look_ms = now + kecs__ear_pause(engine);
      kecs__mutex_unlock(&engine->mutex);
      status = kecs__ear_look(store);
      kecs__mutex_lock(&engine->mutex);
    } else if (!status && kecs__ear_can_hear(engine) && !engine->ear_taken && now >= engine->ear_next_ms) {
      kecs__ear_ask(store);
    } else if (!status) {
      kecs__ear_nap(engine, kecs__ear_rest(engine, now, until));
    }
  }
  kecs__mutex_unlock(&engine->mutex);
  return status;
}
