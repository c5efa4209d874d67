/* store/share.c -- the commit that several writes share.
 *
 * A commit that reaches the disk costs as much for one row as for fifty. So a write that is done while others wait does
 * not commit: it hands the session with the open transaction to the next in the queue, which works in a savepoint of
 * its own, and waits. The last one (nobody waits any more, or enough have joined) commits and tells all. A write that
 * is alone commits at once; only where the last commit was a shared one does its successor wait for those whom it told,
 * since they are likely to come back, and no longer than half of a commit.
 *
 *   members        turn, turn            threads that have written into the open transaction and wait for its commit
 *
 * A turn lives on the stack of the thread that waits. The holder of the session alone changes `members`, under the
 * engine's mutex; whoever takes the session next therefore sees them. */
#include "base/prologue.h"

#include "store/share.h"

#include "base/time.h"
#include "store/cache.h"
#include "store/pool.h"
#include "store/session.h"
#include "store/turns.h"

#define KECS__SHARE_MAX 128          /* writes in one transaction */
#define KECS__SHARE_US 10000         /* after that long nobody joins any more: the first ones wait for their answer */
#define KECS__SHARE_EXPECT_US 1000   /* no wait for others is longer, but options.share_window_ms */

/* A session to write with: the pool's where each write takes one from there, the only one otherwise. */
static kecs_status kecs__writer_get(kecs_store *store, int64_t deadline, bool joins, kecs__session **out_session) {
  if (store->engine->pooled) {
    return kecs__pool_take(store, deadline, true, out_session);
  }
  return kecs__turn_take(store, deadline, joins, out_session);
}

KECS__FN kecs_status kecs__writer_take(kecs_store *store, int64_t deadline, kecs__session **out_session) {
  return kecs__writer_get(store, deadline, false, out_session);
}

KECS__FN void kecs__writer_release(kecs__session *session) {
  if (session->engine->pooled) {
    kecs__pool_give_back(session);
  } else {
    kecs__turn_end(session);
  }
}

KECS__FN kecs_status kecs__writer_join(kecs_store *store, int64_t deadline, kecs__session **out_session,
                                       bool *out_joined) {
  kecs_status status = kecs__writer_get(store, deadline, true, out_session);
  *out_joined = !status && store->engine->members != NULL;
  if (!status) {
    (*out_session)->shared = *out_joined;
    (*out_session)->changed = *out_joined; /* it may see what the others have not committed yet */
  }
  return status;
}

/* Whether the open transaction may go on with the first in the queue. The mutex is held. */
static bool kecs__share_goes_on(const kecs__engine *engine) {
  if (!engine->shares_commits || !engine->queue || !engine->queue->joins) {
    return false;
  }
  return !engine->members || (engine->member_count < KECS__SHARE_MAX &&
                              kecs__monotonic_us() - engine->share_since_us < KECS__SHARE_US + engine->share_window_us);
}

/* Whether others are likely to come: those who shared the last commit, or whoever comes within the window. */
static bool kecs__share_hopes(const kecs__engine *engine) {
  return engine->member_count + 1 < engine->share_last ||
         (engine->share_window_us && engine->company && engine->member_count + 1 < KECS__SHARE_MAX);
}

static int64_t kecs__share_until(const kecs__engine *engine, int64_t now) {
  int64_t most = engine->share_commit_us / 2;
  int64_t until = now + (most < KECS__SHARE_EXPECT_US ? most : KECS__SHARE_EXPECT_US);
  int64_t window = (engine->members ? engine->share_since_us : now) + engine->share_window_us;
  return engine->company && window > until ? window : until;
}

/* Waits a moment for those who shared the last commit. The mutex is held, and given up while it waits. */
static void kecs__share_expect(kecs__engine *engine) {
  int64_t until = 0;
  while (!engine->queue && engine->shares_commits && kecs__share_hopes(engine)) {
    int64_t now = kecs__monotonic_us();
    until = until ? until : kecs__share_until(engine, now);
    if (now >= until) {
      return;
    }
    engine->expecting = true;
    kecs__condition_wait_us(&engine->arrival, &engine->mutex, until - now);
    engine->expecting = false;
  }
}

static void kecs__members_add(kecs__engine *engine, kecs__turn *turn) {
  engine->share_since_us = engine->members ? engine->share_since_us : kecs__monotonic_us();
  turn->next = engine->members;
  engine->members = turn;
  engine->member_count++;
}

/* Makes the turn one that can wait as a member. */
static bool kecs__member_init(kecs__turn *turn) {
  turn->told = false;
  turn->error.status = KECS_OK;
  if (kecs__condition_init(&turn->called)) {
    return false;
  }
  bool good = kecs__mutex_init(&turn->mutex) == KECS_OK;
  if (!good) {
    kecs__condition_destroy(&turn->called);
  }
  return good;
}

/* Waits for what becomes of the transaction. */
static kecs_status kecs__member_wait(kecs__turn *turn) {
  kecs__mutex_lock(&turn->mutex);
  while (!turn->told) {
    kecs__condition_wait(&turn->called, &turn->mutex, 1000);
  }
  kecs__mutex_unlock(&turn->mutex);
  kecs__mutex_destroy(&turn->mutex);
  kecs__condition_destroy(&turn->called);
  if (!turn->error.status) {
    return KECS_OK;
  }
  (void)kecs__error_restore(&turn->error);
  return kecs__fail_context("the commit that this write shared with others");
}

/* The write is in the transaction; the next one goes on with it, and this one waits for what becomes of both. False
 * when there is no next one. */
static bool kecs__share_wait(kecs__engine *engine, kecs_status *out_status) {
  kecs__turn turn;
  kecs__mutex_lock(&engine->mutex);
  kecs__share_expect(engine);
  bool goes_on = kecs__share_goes_on(engine) && kecs__member_init(&turn);
  if (goes_on) {
    kecs__members_add(engine, &turn);
    kecs__turn_pass(engine);
  }
  kecs__mutex_unlock(&engine->mutex);
  if (goes_on) {
    *out_status = kecs__member_wait(&turn);
  }
  return goes_on;
}

/* Passes the session on, and tells the members what became of their transaction. */
static void kecs__share_end(kecs__engine *engine, kecs_status status) {
  kecs__cache_ended(engine->writer);
  kecs__mutex_lock(&engine->mutex);
  kecs__turn *turn = engine->members;
  engine->share_last = engine->writer->changed ? engine->member_count + 1 : engine->share_last;
  engine->members = NULL;
  engine->member_count = 0;
  kecs__watches_tell(engine); /* once for all: nobody who watches is told of a write before it is committed */
  kecs__turn_pass(engine);
  kecs__mutex_unlock(&engine->mutex);
  while (turn) {
    kecs__turn *next = turn->next; /* a turn that is told may be gone as soon as its mutex is free */
    kecs__mutex_lock(&turn->mutex);
    if (status) {
      turn->error = kecs__error_save();
    }
    turn->told = true;
    kecs__condition_wake_all(&turn->called);
    kecs__mutex_unlock(&turn->mutex);
    turn = next;
  }
}

/* What the others are told when one write's failure cost them the transaction: a full disk is everybody's, somebody's
 * taken key is not. */
static void kecs__share_lost(kecs__engine *engine, kecs_status status) {
  kecs_error error = kecs__error_save();
  if (kecs_status_class(status) != KECS_CLASS_SYSTEM) {
    status = kecs__fail(KECS_E_BUSY, "another write's failure ended it; nothing was stored, try again");
  }
  kecs__share_end(engine, status);
  (void)kecs__error_restore(&error);
}

/* Lets the transaction go on without this write, which has failed. False when somebody must end
 * it. */
static bool kecs__share_pass(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  bool goes_on = kecs__share_goes_on(engine);
  if (goes_on) {
    kecs__turn_pass(engine);
  }
  kecs__mutex_unlock(&engine->mutex);
  return goes_on;
}

/* Ends a write on a session of the pool: nobody shares its commit. */
static kecs_status kecs__pool_leave(kecs__session *session, kecs_status status) {
  const kecs_backend *backend = session->engine->backend;
  if (!status) {
    status = backend->commit(session->connection);
  }
  if (!status) {
    kecs__pool_give_back(session);
    return KECS_OK;
  }
  kecs_error error = kecs__error_save();
  backend->rollback(session->connection);
  kecs__pool_give_back(session);
  return kecs__error_restore(&error);
}

static kecs_status kecs__share_commit(kecs__engine *engine) {
  kecs__session *session = engine->writer;
  bool shared = engine->members != NULL;
  int64_t since = shared ? kecs__monotonic_us() : 0;
  if (shared) {
    session->user = NULL; /* one member's deadline is none of the others' */
    session->deadline = 0;
  }
  kecs_status status = kecs__session_commit(session);
  engine->share_commit_us = shared ? kecs__monotonic_us() - since : 0;
  if (status) {
    kecs_error error = kecs__error_save();
    engine->backend->rollback(session->connection);
    (void)kecs__error_restore(&error);
  }
  kecs__share_end(engine, status);
  return status;
}

KECS__FN kecs_status kecs__writer_leave(kecs__session *session, kecs_status status) {
  kecs__engine *engine = session->engine;
  if (engine->pooled) {
    return kecs__pool_leave(session, status);
  }
  kecs_status outcome = KECS_OK;
  session->shared = false;
  bool open = engine->backend->in_transaction(session->connection);
  if (!status) {
    /* Where nothing was changed there is nothing to wait for; where the transaction is gone, nothing to go on with: the
     * commit says so. */
    bool shares = open && session->changed && kecs__share_wait(engine, &outcome);
    return shares ? outcome : kecs__share_commit(engine);
  }
  if (!engine->members) {
    kecs_error error = kecs__error_save();
    engine->backend->rollback(session->connection);
    kecs__writer_release(session);
    return kecs__error_restore(&error);
  }
  if (!open) {
    kecs__share_lost(engine, status);
  } else if (!kecs__share_pass(engine)) {
    kecs_error error = kecs__error_save();
    (void)kecs__share_commit(engine); /* its failure is told to the members; this write failed by itself */
    (void)kecs__error_restore(&error);
  }
  return status;
}
