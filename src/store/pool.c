/* store/pool.c -- the pool of reading connections. No thread of its own looks after it: whoever gives a connection back
 * does, now and then. */
#include "base/prologue.h"

#include "store/pool.h"

#include "base/time.h"
#include "store/turns.h"

/* Waits until one is given back or may be made. The mutex is held, and given up while it waits. */
static kecs_status kecs__reader_wait(kecs_store *store, int64_t deadline) {
  kecs__engine *engine = store->engine;
  int64_t since = kecs__monotonic_us();
  int64_t until = since / 1000 + engine->pool.acquire_ms;
  kecs_status status = KECS_OK;
  engine->pool_info.waits++;
  while (!status && !engine->idle_readers && engine->reader_count >= engine->reader_max) {
    int64_t left = kecs__wait_left(engine, until, deadline);
    status = kecs__check_stop(store, deadline);
    if (!status && left <= 0) {
      status = kecs__fail(KECS_E_BUSY,
                          "all %d reading connections have been in use for %d ms; raise options.readers or "
                          "finish long walks sooner",
                          engine->reader_max, engine->pool.acquire_ms);
    }
    if (!status) {
      kecs__condition_wait(&engine->released, &engine->mutex, left);
    }
  }
  engine->pool_info.wait_us += kecs__monotonic_us() - since;
  return status;
}

static void kecs__reader_gone(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  engine->reader_count--;
  kecs__condition_wake_all(&engine->released);
  kecs__mutex_unlock(&engine->mutex);
}

KECS__FN kecs_status kecs__reader_take(kecs_store *store, int64_t deadline, kecs__session **out_session) {
  kecs__engine *engine = store->engine;
  kecs__session *session = NULL;
  kecs_status status = KECS_OK;
  kecs__mutex_lock(&engine->mutex);
  if (!engine->idle_readers && engine->reader_count >= engine->reader_max) {
    status = kecs__reader_wait(store, deadline);
  }
  bool make = !status && !engine->idle_readers;
  if (make) {
    engine->reader_count++;
  } else if (!status) {
    session = engine->idle_readers;
    engine->idle_readers = session->next;
  }
  kecs__mutex_unlock(&engine->mutex);
  if (make) {
    status = kecs__session_open(engine, true, false, &session);
    if (status) {
      kecs__reader_gone(engine);
    }
  }
  if (!status) {
    session->user = store;
    session->deadline = deadline;
    session->read_until_ms = engine->pool.read_age_ms ? kecs__monotonic_ms() + engine->pool.read_age_ms : 0;
    *out_session = session;
  }
  return status;
}

static bool kecs__reader_is_old(const kecs__engine *engine, const kecs__session *session, int64_t now) {
  return engine->pool.lifetime_ms && now - session->opened_ms >= engine->pool.lifetime_ms;
}

/* Takes those out of the idle list that are too old or were not needed for long. The mutex is held. */
static kecs__session *kecs__pool_expired(kecs__engine *engine, int64_t now) {
  kecs__session *expired = NULL;
  for (kecs__session **at = &engine->idle_readers; *at;) {
    kecs__session *one = *at;
    bool unused = engine->pool.idle_ms && now - one->used_ms >= engine->pool.idle_ms;
    if (unused || kecs__reader_is_old(engine, one, now)) {
      *at = one->next;
      one->next = expired;
      expired = one;
      engine->reader_count--;
      engine->pool_info.retired++;
    } else {
      at = &one->next;
    }
  }
  return expired;
}

static void kecs__readers_close(kecs__session *list) {
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
  kecs__readers_close(expired);
}

KECS__FN kecs_status kecs__engine_tidy(kecs__engine *engine) {
  if (!engine->backend->tidy || engine->read_only || !engine->shared || !kecs__writer_try(engine)) {
    return KECS_OK;
  }
  kecs_status status = engine->backend->tidy(engine->writer->connection);
  kecs__writer_release(engine);
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

KECS__FN void kecs__reader_give_back(kecs__engine *engine, kecs__session *session) {
  int64_t now = kecs__monotonic_ms();
  session->user = NULL;
  session->read_until_ms = 0;
  session->used_ms = now;
  kecs__mutex_lock(&engine->mutex);
  session->next = engine->idle_readers;
  engine->idle_readers = session;
  bool check = now - engine->pool_checked_ms >= engine->pool.check_ms;
  engine->pool_checked_ms = check ? now : engine->pool_checked_ms;
  kecs__condition_wake_all(&engine->released);
  kecs__mutex_unlock(&engine->mutex);
  if (check) {
    kecs__pool_check(engine);
  }
}

KECS__FN kecs_status kecs__check_read_age(const kecs__session *session) {
  if (!session->read_until_ms || kecs__monotonic_ms() < session->read_until_ms) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_TIMEOUT,
                    "a walk has been open for %d ms, and the write-ahead log can't be emptied meanwhile; "
                    "read page by page, or raise options.pool.read_age_ms",
                    session->engine->pool.read_age_ms);
}

KECS__FN void kecs__pool_describe(kecs__engine *engine, kecs_pool_info *out_info) {
  kecs__mutex_lock(&engine->mutex);
  *out_info = engine->pool_info;
  out_info->max = engine->shared ? engine->reader_max : 0;
  out_info->total = engine->reader_count;
  for (const kecs__session *one = engine->idle_readers; one; one = one->next) {
    out_info->idle++;
  }
  out_info->active = out_info->total - out_info->idle;
  kecs__mutex_unlock(&engine->mutex);
}

KECS__FN void kecs__pool_free(kecs__engine *engine) {
  kecs__readers_close(engine->idle_readers);
  engine->idle_readers = NULL;
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
