/* store/engine.c -- what every call asks of a handle and its engine: is it open, may it go on, how long may it wait. */
#include "base/prologue.h"

#include "store/engine.h"

#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>

#define KECS__LOG_LINE 600

KECS__FN void kecs__log(const kecs__engine *engine, kecs_log_level level, const char *format, ...) {
  if (!engine->logger.write) {
    return;
  }
  char line[KECS__LOG_LINE];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len >= 0) {
    engine->logger.write(level, line, engine->logger.user);
  }
}

KECS__FN kecs_status kecs__check_pointer(const void *pointer, const char *name) {
  if (pointer) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_MISUSE, "argument \"%s\" must not be NULL", name);
}

KECS__FN kecs_status kecs__check_handle(const kecs_store *store) {
  if (!store) {
    return kecs__fail(KECS_E_MISUSE, "the store handle is NULL; open it with kecs_open first");
  }
  if (store->magic != KECS__MAGIC_OPEN) {
    return kecs__fail(KECS_E_MISUSE, "the handle is not open: the store was closed, or the transaction has ended");
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__check_stop(const kecs_store *store, int64_t deadline) {
  for (const kecs_store *at = store; at; at = at->parent) {
    if (kecs__flag_get(&at->cancelled)) {
      return kecs__fail(KECS_E_CANCELLED, "the call was cancelled; nothing was stored");
    }
  }
  if (deadline && kecs__clock_now(&store->engine->clock) >= deadline) {
    return kecs__fail(KECS_E_TIMEOUT, "the handle's deadline has passed; nothing was stored. "
                                      "Set a later one with kecs_set_deadline, 0 for none");
  }
  return KECS_OK;
}

KECS__FN int64_t kecs__handle_deadline(kecs_store *store) {
  if (store->depth > 0) {
    return store->deadline;
  }
  if (!kecs__flag_get(&store->timed)) {
    return 0;
  }
  kecs__mutex_lock(&store->engine->mutex);
  int64_t deadline = store->deadline;
  kecs__mutex_unlock(&store->engine->mutex);
  return deadline;
}

KECS__FN kecs_status kecs__check_transaction(const kecs_store *tx) {
  bool lost = !tx->session->engine->backend->in_transaction(tx->session->connection);
  for (const kecs_store *at = tx; at && !lost; at = at->parent) {
    lost = at->broken;
  }
  if (!lost) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_MISUSE, "the database has rolled the transaction back after an earlier error; end it with "
                                   "kecs_rollback and begin again");
}

KECS__FN kecs_status kecs__check_innermost(const kecs_store *store) {
  if (store->depth == 0 || !store->inner) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_MISUSE, "a savepoint inside this transaction is open; write through its handle, or end it "
                                   "first");
}

/* How long a wait may still take: the busy timeout, and no longer than the deadline. */
KECS__FN int64_t kecs__wait_left(const kecs__engine *engine, int64_t until_ms, int64_t deadline) {
  int64_t left = until_ms - kecs__monotonic_ms();
  if (deadline) {
    int64_t to_deadline = (deadline - kecs__clock_now(&engine->clock)) / 1000 + 1;
    left = to_deadline < left ? to_deadline : left;
  }
  /* Short naps, so that a cancel from another thread is seen soon. */
  return left > 50 ? 50 : left;
}

KECS__FN kecs_status kecs__fail_own_writer(void) {
  return kecs__fail(KECS_E_MISUSE,
                    "this thread holds the store's writing connection (a transaction, or a walk over a store "
                    "in memory); call through the transaction's handle, or the call would wait for itself");
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
