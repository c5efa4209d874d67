/* store/turns.c -- the queue for the writing session: first come, first served.
 *
 *   queue          turn, turn, turn      threads that wait for the session
 *
 * A turn lives on the stack of the thread that waits. */
#include "base/prologue.h"

#include "store/turns.h"

#include "base/time.h"
#include "store/cache.h"

#include <string.h>

#define KECS__QUEUE_PATIENCE_US 5000 /* whoever has waited so long comes before those who come later */
#define KECS__SHARE_COMPANY 64       /* writes of one thread alone, until it no longer waits for others */

static void kecs__queue_add(kecs__engine *engine, kecs__turn *turn) {
  *engine->queue_end = turn;
  engine->queue_end = &turn->next;
  if (engine->expecting) {
    kecs__condition_wake_all(&engine->arrival);
  }
}

static void kecs__queue_remove(kecs__engine *engine, const kecs__turn *turn) {
  kecs__turn **at = &engine->queue;
  while (*at != turn) {
    at = &(*at)->next;
  }
  *at = turn->next;
  if (engine->queue_end == &turn->next) {
    engine->queue_end = at;
  }
}

static void kecs__turn_give(kecs__engine *engine, kecs__turn *turn) {
  kecs__queue_remove(engine, turn);
  engine->writer_taken = true;
  engine->writer_thread = turn->thread;
  turn->given = true;
}

/* Gives the session to the first in the queue, or to nobody. The mutex is held. Where commits are cheap the first one
 * is only woken: a thread that runs already would otherwise wait for one that sleeps, at every call. It is given the
 * session once it has waited for long. */
KECS__FN void kecs__turn_pass(kecs__engine *engine) {
  kecs__turn *next = engine->queue;
  engine->writer->user = NULL;
  engine->writer_taken = false;
  if (!next) {
    return;
  }
  if (engine->shares_commits || kecs__monotonic_us() - next->since_us > KECS__QUEUE_PATIENCE_US) {
    kecs__turn_give(engine, next);
  }
  kecs__condition_wake_all(&next->called);
}

/* Waits in the queue. The mutex is held, and given up while it waits. */
static kecs_status kecs__turn_wait(kecs_store *store, int64_t deadline, bool joins) {
  kecs__engine *engine = store->engine;
  kecs__turn turn;
  memset(&turn, 0, sizeof turn);
  turn.thread = kecs__thread_self();
  turn.joins = joins;
  turn.since_us = kecs__monotonic_us();
  kecs_status status = kecs__condition_init(&turn.called);
  if (status) {
    return status;
  }
  int64_t until = turn.since_us / 1000 + engine->busy_timeout_ms;
  kecs__queue_add(engine, &turn);
  while (!status && !turn.given) {
    if (!engine->writer_taken) {
      kecs__turn_give(engine, &turn);
      break;
    }
    int64_t left = kecs__wait_left(engine, until, deadline);
    status = kecs__check_stop(store, deadline);
    if (!status && left <= 0) {
      status = kecs__fail(KECS_E_BUSY,
                          "another thread has held the writing connection for %d ms; shorten its "
                          "transaction or raise options.busy_timeout_ms",
                          engine->busy_timeout_ms);
    }
    if (!status) {
      kecs__condition_wait(&turn.called, &engine->mutex, left);
    }
  }
  if (!turn.given) {
    kecs__queue_remove(engine, &turn);
    if (!engine->writer_taken && engine->queue) {
      kecs__condition_wake_all(&engine->queue->called); /* what this one was woken for is the next one's */
    }
  }
  kecs__condition_destroy(&turn.called);
  return turn.given ? KECS_OK : status;
}

KECS__FN kecs_status kecs__turn_take(kecs_store *store, int64_t deadline, bool joins, kecs__session **out_session) {
  kecs__engine *engine = store->engine;
  kecs_status status = KECS_OK;
  kecs__mutex_lock(&engine->mutex);
  if (!engine->writer_taken) {
    engine->writer_taken = true;
    engine->writer_thread = kecs__thread_self();
  } else if (kecs__thread_same(engine->writer_thread, kecs__thread_self())) {
    status = kecs__fail_own_writer();
  } else {
    status = kecs__turn_wait(store, deadline, joins);
  }
  if (!status) {
    bool same = kecs__thread_same(engine->last_writer, engine->writer_thread);
    engine->company = same ? engine->company - (engine->company > 0) : KECS__SHARE_COMPANY;
    engine->last_writer = engine->writer_thread;
    engine->quiet = false;
    engine->writer->user = store;
    engine->writer->deadline = deadline;
    *out_session = engine->writer;
  }
  kecs__mutex_unlock(&engine->mutex);
  return status;
}

KECS__FN bool kecs__turn_try(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  bool got = !engine->writer_taken;
  if (got) {
    engine->writer_taken = true;
    engine->writer_thread = kecs__thread_self();
    engine->writer->user = NULL;
    engine->writer->deadline = 0;
  }
  kecs__mutex_unlock(&engine->mutex);
  return got;
}

KECS__FN void kecs__watches_tell(kecs__engine *engine) {
  kecs__place *place = &engine->writer->place;
  if (place->appended) {
    place->appended = false;
    engine->feed_turn++;
    kecs__condition_wake_all(&engine->changed);
  }
}

KECS__FN void kecs__watches_tell_of(kecs__session *session) {
  kecs__engine *engine = session->engine;
  if (session->changed && engine->backend->log) {
    engine->feed_turn++;
    kecs__condition_wake_all(&engine->changed);
  }
  session->changed = false;
}

KECS__FN void kecs__turn_end(kecs__session *session) {
  kecs__engine *engine = session->engine;
  kecs__cache_ended(session);
  kecs__mutex_lock(&engine->mutex);
  kecs__watches_tell(engine);
  kecs__turn_pass(engine);
  kecs__mutex_unlock(&engine->mutex);
}
