/* store/pool.c -- the pool of connections: of those that read beside the one that writes, or of all of them. No thread
 * of its own looks after it: whoever gives a connection back does, now and then. */
#include "base/prologue.h"

#include "store/pool.h"

#include "base/time.h"
#include "store/session.h"
#include "store/cache.h"
#include "store/turns.h"

#define KECS__WAIT_PATIENCE_US 5000 /* whoever has waited so long comes before those who come later */

/* Who waits for a session. */
struct kecs__waiter {
  kecs__waiter *next;
  kecs__condition called;
  int64_t since_us;
};

/* What a call wants of the pool, and what it got: a session, or the right to make one. */
typedef struct kecs__claim {
  bool reader;
  kecs__session *session;
  kecs__session *gone; /* to be closed first */
} kecs__claim;

static bool kecs__session_is_old(const kecs__session *session, int64_t now) {
  const kecs__engine *engine = session->engine;
  return engine->pool.lifetime_ms && now - session->opened_ms >= engine->pool.lifetime_ms;
}

static bool kecs__session_is_unused(const kecs__session *session, int64_t now) {
  const kecs__engine *engine = session->engine;
  return engine->pool.idle_ms && now - session->used_ms >= engine->pool.idle_ms;
}

static void kecs__session_unlink(kecs__session **list, const kecs__session *session) {
  while (*list != session) {
    list = &(*list)->next;
  }
  *list = session->next;
}

/* Takes an idle session of the wanted sort, or one of another sort to be closed for a new one. The mutex is held, as in
 * all that follow. */
static void kecs__claim_idle(kecs__engine *engine, kecs__claim *claim) {
  kecs__session *one = engine->idle;
  while (one && one->reader != claim->reader) {
    one = one->next;
  }
  if (one) {
    kecs__session_unlink(&engine->idle, one);
    int64_t now = engine->pooled ? kecs__monotonic_ms() : 0;
    bool good = !engine->pooled || (!kecs__session_is_old(one, now) && !kecs__session_is_unused(one, now));
    claim->session = good ? one : NULL;
    claim->gone = good ? NULL : one;
  } else if (engine->session_count >= engine->session_max) {
    claim->gone = engine->idle;
    engine->idle = claim->gone->next;
  } else {
    engine->session_count++;
  }
  engine->pool_info.retired += claim->gone != NULL;
}

/* False when it must wait: there is none, or somebody has waited long enough to come first. `self` is the caller's own
 * place among those who wait. */
static bool kecs__claim_try(kecs__engine *engine, kecs__claim *claim, const kecs__waiter *self) {
  const kecs__waiter *first = engine->waiters;
  if (!engine->idle && engine->session_count >= engine->session_max) {
    return false;
  }
  if (first && first != self && (self || kecs__monotonic_us() - first->since_us > KECS__WAIT_PATIENCE_US)) {
    return false;
  }
  kecs__claim_idle(engine, claim);
  return true;
}

static void kecs__waiters_call(kecs__engine *engine) {
  if (engine->waiters) {
    kecs__condition_wake_all(&engine->waiters->called);
  }
}

/* How many sessions the calling thread has; *out_writes: whether it writes with one. */
static int kecs__sessions_own(const kecs__engine *engine, bool *out_writes) {
  kecs__thread_id self = kecs__thread_self();
  int count = 0;
  *out_writes = false;
  for (const kecs__session *one = engine->busy; one; one = one->next) {
    bool own = kecs__thread_same(one->thread, self);
    count += own;
    *out_writes = *out_writes || (own && one->locks);
  }
  return count;
}

static kecs_status kecs__fail_exhausted(const kecs__engine *engine) {
  if (!engine->pooled) {
    return kecs__fail(KECS_E_BUSY,
                      "all %d reading connections have been in use for %d ms; raise options.readers or "
                      "finish long walks sooner",
                      engine->session_max, engine->pool.acquire_ms);
  }
  (void)kecs__fail(KECS_E_BUSY,
                   "%s: all %d connections have been in use for %d ms; raise max_connections in the URL or "
                   "finish transactions and walks sooner",
                   engine->place.shown, engine->session_max, engine->pool.acquire_ms);
  kecs_error error = kecs__error_save();
  return kecs_backend_fail(KECS_E_BUSY, 0, "53300", error.text); /* the state that a full server gives */
}

/* Waits until a session is there or may be made. The mutex is given up while it waits. */
static kecs_status kecs__pool_wait(kecs_store *store, int64_t deadline, kecs__claim *claim) {
  kecs__engine *engine = store->engine;
  kecs__waiter self = {0};
  kecs_status status = kecs__condition_init(&self.called);
  if (status) {
    return status;
  }
  kecs__waiter **at = &engine->waiters;
  while (*at) {
    at = &(*at)->next;
  }
  *at = &self;
  self.since_us = kecs__monotonic_us();
  int64_t until = self.since_us / 1000 + engine->pool.acquire_ms;
  engine->pool_info.waits++;
  while (!status && !kecs__claim_try(engine, claim, &self)) {
    int64_t left = kecs__wait_left(engine, until, deadline);
    status = kecs__check_stop(store, deadline);
    if (!status && left <= 0) {
      status = kecs__fail_exhausted(engine);
    }
    if (!status) {
      kecs__condition_wait(&self.called, &engine->mutex, left);
    }
  }
  engine->pool_info.wait_us += kecs__monotonic_us() - self.since_us;
  for (at = &engine->waiters; *at != &self;) {
    at = &(*at)->next;
  }
  *at = self.next;
  kecs__waiters_call(engine); /* there may be one for the next, too */
  kecs__condition_destroy(&self.called);
  return status;
}

static kecs_status kecs__pool_claim(kecs_store *store, int64_t deadline, bool writes, kecs__claim *claim) {
  kecs__engine *engine = store->engine;
  bool own_writes = false;
  if (writes && kecs__sessions_own(engine, &own_writes) > 0 && own_writes) {
    return kecs__fail_own_writer();
  }
  if (kecs__claim_try(engine, claim, NULL)) {
    return KECS_OK;
  }
  if (engine->pooled && kecs__sessions_own(engine, &own_writes) >= engine->session_max) {
    return kecs__fail(KECS_E_MISUSE,
                      "this thread holds all %d connections of the store (transactions, walks): the call would wait "
                      "for itself; raise max_connections in the URL",
                      engine->session_max);
  }
  return kecs__pool_wait(store, deadline, claim);
}

static void kecs__session_gone(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  engine->session_count--;
  kecs__waiters_call(engine);
  kecs__mutex_unlock(&engine->mutex);
}

static void kecs__session_use(kecs_store *store, kecs__session *session, int64_t deadline, bool writes) {
  kecs__engine *engine = store->engine;
  session->user = store;
  session->deadline = deadline;
  session->locks = writes;
  session->shared = false;
  session->changed = false;
  session->thread = kecs__thread_self();
  session->read_until_ms = engine->pool.read_age_ms && !writes ? kecs__monotonic_ms() + engine->pool.read_age_ms : 0;
  session->next = engine->busy;
  engine->busy = session;
}

KECS__FN kecs_status kecs__pool_take(kecs_store *store, int64_t deadline, bool writes, kecs__session **out_session) {
  kecs__engine *engine = store->engine;
  kecs__claim claim = {0};
  claim.reader = !engine->pooled || (engine->place.splits_reads && !writes);
  kecs__mutex_lock(&engine->mutex);
  kecs_status status = kecs__pool_claim(store, deadline, writes, &claim);
  if (claim.session) {
    kecs__session_use(store, claim.session, deadline, writes);
  }
  kecs__mutex_unlock(&engine->mutex);
  if (status || claim.session) {
    *out_session = claim.session;
    return status;
  }
  kecs__session_close(claim.gone);
  status = kecs__session_open(engine, claim.reader, false, &claim.session);
  if (status) {
    kecs__session_gone(engine);
    return status;
  }
  kecs__mutex_lock(&engine->mutex);
  kecs__session_use(store, claim.session, deadline, writes);
  kecs__mutex_unlock(&engine->mutex);
  *out_session = claim.session;
  return KECS_OK;
}

KECS__FN void kecs__pool_add(kecs__engine *engine, kecs__session *session) {
  session->used_ms = kecs__monotonic_ms();
  session->next = engine->idle;
  engine->idle = session;
  engine->session_count++;
}

KECS__FN void kecs__pool_fill(kecs__engine *engine) {
  kecs_error before = kecs__error_save();
  while (engine->session_count < engine->session_min) {
    kecs__session *session = NULL;
    if (kecs__session_open(engine, false, false, &session)) {
      kecs__log(engine, KECS_LOG_WARNING, "%d of %d connections: %s", engine->session_count, engine->session_min,
                kecs_last_error()->text);
      (void)kecs__error_restore(&before);
      return; /* they are made when they are needed */
    }
    kecs__pool_add(engine, session);
  }
}

/* Takes those out of the idle list that are too old or were not needed for long. */
static kecs__session *kecs__pool_expired(kecs__engine *engine, int64_t now) {
  kecs__session *expired = NULL;
  for (kecs__session **at = &engine->idle; *at;) {
    kecs__session *one = *at;
    bool spare = engine->session_count > engine->session_min;
    if (kecs__session_is_old(one, now) || (spare && kecs__session_is_unused(one, now))) {
      *at = one->next;
      one->next = expired;
      expired = one;
      engine->session_count--;
      engine->pool_info.retired++;
    } else {
      at = &one->next;
    }
  }
  if (expired) {
    kecs__waiters_call(engine);
  }
  return expired;
}

static void kecs__sessions_close(kecs__session *list) {
  while (list) {
    kecs__session *next = list->next;
    kecs__session_close(list);
    list = next;
  }
}

KECS__FN void kecs__pool_tidy(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  kecs__session *expired = kecs__pool_expired(engine, kecs__monotonic_ms());
  kecs__mutex_unlock(&engine->mutex);
  kecs__sessions_close(expired);
}

KECS__FN kecs_status kecs__engine_tidy(kecs__engine *engine) {
  if (!engine->backend->tidy || engine->read_only || !engine->shared || !kecs__turn_try(engine)) {
    return KECS_OK;
  }
  kecs_status status = engine->backend->tidy(engine->writer->connection);
  kecs__turn_end(engine->writer);
  return status;
}

/* The quiet of a whole check: what was written last waits in the log, for nobody. */
static void kecs__pool_check(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  bool quiet = engine->quiet;
  engine->quiet = true;
  kecs__mutex_unlock(&engine->mutex);
  kecs__pool_tidy(engine);
  if (quiet) {
    kecs_error error = kecs__error_save();
    (void)kecs__engine_tidy(engine); /* none of the caller's business: he has only read */
    (void)kecs__error_restore(&error);
  }
}

KECS__FN void kecs__pool_give_back(kecs__session *session) {
  kecs__engine *engine = session->engine;
  int64_t now = kecs__monotonic_ms();
  kecs__cache_ended(session);
  session->user = NULL;
  session->read_until_ms = 0;
  session->used_ms = now;
  kecs__mutex_lock(&engine->mutex);
  kecs__session_unlink(&engine->busy, session);
  session->next = engine->idle;
  engine->idle = session;
  kecs__watches_tell_of(session);
  bool check = now - engine->pool_checked_ms >= engine->pool.check_ms;
  engine->pool_checked_ms = check ? now : engine->pool_checked_ms;
  kecs__waiters_call(engine);
  kecs__mutex_unlock(&engine->mutex);
  if (check) {
    kecs__pool_check(engine);
  }
}

KECS__FN void kecs__pool_describe(kecs__engine *engine, kecs_pool_info *out_info) {
  kecs__mutex_lock(&engine->mutex);
  *out_info = engine->pool_info;
  out_info->max = engine->shared ? engine->session_max : 0;
  out_info->total = engine->session_count;
  for (const kecs__session *one = engine->idle; one; one = one->next) {
    out_info->idle++;
  }
  out_info->active = out_info->total - out_info->idle;
  kecs__mutex_unlock(&engine->mutex);
}

KECS__FN void kecs__pool_free(kecs__engine *engine) {
  kecs__sessions_close(engine->idle);
  engine->idle = NULL;
}

KECS_STORE_API kecs_status kecs_maintain(kecs_store *store) {
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  if (store->depth > 0) {
    return kecs__fail(KECS_E_MISUSE, "the handle is a transaction; kecs_maintain takes the store");
  }
  kecs__pool_tidy(store->engine);
  return kecs__engine_tidy(store->engine);
}
