/* store/transaction.c -- transactions as handles, savepoints inside them, and the retry loop around them. */
#include "base/prologue.h"

#include "store/transaction.h"

#include "base/id.h"
#include "base/time.h"
#include "store/access.h"
#include "store/history_log.h"
#include "store/retry.h"
#include "store/session.h"
#include "store/share.h"
#include "store/statements.h"

#include <stdio.h>
#include <string.h>

/* Every nested transaction is a savepoint named after its depth. */
static kecs_status kecs__savepoint(kecs_store *tx, const char *verb) {
  char sql[64];
  snprintf(sql, sizeof sql, "%s kecs_%d", verb, tx->depth);
  tx->session->user = NULL; /* never stopped half-way: the deadline is looked at before */
  tx->session->deadline = 0;
  return kecs__run(tx->session, sql, NULL, 0, NULL);
}

/* The statements that end a savepoint are made before it begins: they must run when there is no memory left. */
static kecs_status kecs__savepoint_begin(kecs_store *tx) {
  static const char *const verbs[] = {"ROLLBACK TO", "RELEASE"};
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
    char sql[64];
    kecs__cached *cached = NULL;
    int len = snprintf(sql, sizeof sql, "%s kecs_%d", verbs[i], tx->depth);
    kecs_status status = kecs__statement_text(tx->session, sql, (size_t)len, &cached);
    kecs__statement_done(tx->session, cached);
    if (status) {
      return status;
    }
  }
  return kecs__savepoint(tx, "SAVEPOINT");
}

/* A handle: one that has ended, or new memory. Its memory stays with the engine, so that use after the end is told. */
static kecs_store *kecs__handle_new(kecs_store *parent) {
  kecs__engine *engine = parent->engine;
  kecs__mutex_lock(&engine->mutex);
  kecs_store *tx = engine->spare_handles;
  if (tx) {
    engine->spare_handles = tx->next;
  }
  kecs__mutex_unlock(&engine->mutex);
  if (!tx) {
    tx = kecs__alloc(&engine->allocator, sizeof *tx);
  }
  if (!tx) {
    return NULL;
  }
  memset(tx, 0, sizeof *tx);
  tx->engine = engine;
  tx->parent = parent;
  tx->depth = parent->depth + 1;
  kecs__mutex_lock(&engine->mutex);
  tx->deadline = parent->deadline;
  kecs__mutex_unlock(&engine->mutex);
  return tx;
}

static void kecs__handle_list(kecs_store *tx) {
  kecs__engine *engine = tx->engine;
  tx->magic = KECS__MAGIC_OPEN;
  kecs__mutex_lock(&engine->mutex);
  if (tx->depth > 1) {
    tx->parent->inner = tx;
  }
  tx->next = engine->transactions;
  engine->transactions = tx;
  kecs__mutex_unlock(&engine->mutex);
}

/* To the end of the spare list: the longer an ended handle stays unused, the longer its misuse is told. */
static void kecs__handle_retire(kecs__engine *engine, kecs_store *tx) {
  tx->magic = KECS__MAGIC_ENDED;
  tx->next = NULL;
  kecs__actor_free(tx);
  kecs_store **at = &engine->spare_handles;
  while (*at) {
    at = &(*at)->next;
  }
  *at = tx;
}

static bool kecs__handle_inside(const kecs_store *handle, const kecs_store *outer) {
  for (; handle; handle = handle->parent) {
    if (handle == outer) {
      return true;
    }
  }
  return false;
}

/* Takes the handle, and the savepoints inside it that are still open, off the list. */
static void kecs__handle_end(kecs_store *tx) {
  kecs__engine *engine = tx->engine;
  kecs_store *parent = tx->parent;
  kecs__session *session = tx->session;
  kecs__mutex_lock(&engine->mutex);
  for (kecs_store **at = &engine->transactions; *at;) {
    kecs_store *one = *at;
    if (kecs__handle_inside(one, tx)) {
      *at = one->next;
      kecs__handle_retire(engine, one);
    } else {
      at = &one->next;
    }
  }
  if (parent->depth > 0) {
    parent->inner = NULL;
  }
  kecs__mutex_unlock(&engine->mutex);
  session->user = parent;
}

KECS_STORE_API kecs_status kecs_begin(kecs_store *store, kecs_store **out_tx) {
  kecs_status status = kecs__check_pointer(out_tx, "out_tx");
  if (status) {
    return status;
  }
  *out_tx = NULL;
  status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  if (store->engine->read_only) {
    return kecs__fail(KECS_E_READONLY, "%s is open for reading only", store->engine->place.shown);
  }
  status = kecs__check_innermost(store);
  if (status) {
    return status;
  }
  kecs_store *tx = kecs__handle_new(store);
  if (!tx) {
    return KECS_E_NOMEM;
  }
  status = kecs__check_stop(store, tx->deadline);
  if (!status && store->depth > 0) {
    tx->session = store->session;
    status = kecs__check_transaction(store);
    if (!status) {
      status = kecs__savepoint_begin(tx);
    }
  } else if (!status) {
    status = kecs__writer_take(store, tx->deadline, &tx->session);
    if (!status) {
      status = kecs__begin_write(store, tx->session);
      if (status) {
        kecs__writer_release(tx->session);
      }
    }
  }
  if (status) {
    kecs__mutex_lock(&store->engine->mutex);
    kecs__handle_retire(store->engine, tx);
    kecs__mutex_unlock(&store->engine->mutex);
    return status;
  }
  kecs__handle_list(tx);
  *out_tx = tx;
  return KECS_OK;
}

KECS__FN kecs_status kecs__transaction_abandon(kecs_store *tx) {
  kecs_status status = KECS_OK;
  kecs__engine *engine = tx->engine;
  kecs__session *session = tx->session;
  bool whole = tx->depth == 1;
  session->place.known = false; /* stamps go on from what stays */
  session->place.said = 0;
  if (whole) {
    engine->backend->rollback(session->connection);
  } else if (engine->backend->in_transaction(session->connection)) {
    status = kecs__savepoint(tx, "ROLLBACK TO");
    if (!status) {
      status = kecs__savepoint(tx, "RELEASE");
    }
    tx->parent->broken = tx->parent->broken || status;
  } else {
    tx->parent->broken = true;
  }
  kecs__handle_end(tx);
  if (whole) {
    kecs__writer_release(session);
  }
  return status;
}

/* The same after a failure, which stays what is told. */
static kecs_status kecs__transaction_give_up(kecs_store *tx, kecs_status status) {
  kecs_error error = kecs__error_save();
  (void)kecs__transaction_abandon(tx);
  (void)kecs__error_restore(&error);
  return status;
}

static kecs_status kecs__check_is_transaction(const kecs_store *tx) {
  kecs_status status = kecs__check_handle(tx);
  if (!status && tx->depth == 0) {
    status = kecs__fail(KECS_E_MISUSE, "the handle is a store, not a transaction; begin one with kecs_begin");
  }
  /* One that is lent or walked through, or around one that is: it would end with this one. */
  for (const kecs_store *at = tx; !status && at; at = at->inner) {
    if (at->lent) {
      status = kecs__fail(KECS_E_MISUSE,
                          "kecs_transact ends this transaction itself: return KECS_OK to commit, anything else "
                          "to roll back");
    } else if (at->walks) {
      status = kecs__fail(KECS_E_MISUSE, "a walk reads through this transaction: end it when the walk has ended");
    }
  }
  return status;
}

KECS_STORE_API kecs_status kecs_commit(kecs_store *tx) {
  kecs_status status = kecs__check_is_transaction(tx);
  if (status) {
    return status;
  }
  kecs__engine *engine = tx->engine;
  if (tx->broken || !engine->backend->in_transaction(tx->session->connection)) {
    status = kecs__fail(KECS_E_CONFLICT, "the transaction was rolled back after an earlier error; nothing was stored");
  }
  if (!status) {
    status = kecs__check_stop(tx, tx->deadline);
  }
  if (!status) {
    status = tx->depth == 1 ? kecs__session_commit(tx->session) : kecs__savepoint(tx, "RELEASE");
  }
  if (status) {
    return kecs__transaction_give_up(tx, status);
  }
  bool whole = tx->depth == 1;
  kecs__session *session = tx->session;
  kecs__handle_end(tx);
  if (whole) {
    kecs__writer_release(session);
  }
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_rollback(kecs_store *tx) {
  if (!tx) {
    return KECS_OK;
  }
  kecs_status status = kecs__check_is_transaction(tx);
  return status ? status : kecs__transaction_abandon(tx);
}

KECS_STORE_API kecs_status kecs_find_outcome(kecs_store *store, const kecs_error *error, kecs_outcome *out_outcome) {
  kecs_status status = kecs__check_pointer(out_outcome, "out_outcome");
  if (status) {
    return status;
  }
  *out_outcome = KECS_OUTCOME_UNKNOWN;
  status = kecs__check_handle(store);
  status = status ? status : kecs__check_pointer(error, "error");
  if (status) {
    return status;
  }
  if (store->depth > 0) {
    return kecs__fail(KECS_E_MISUSE, "the handle is a transaction; kecs_find_outcome takes the store");
  }
  if (!error->transaction[0]) {
    return kecs__fail(KECS_E_INVALID, "the error names no transaction: give the one of a call that failed with "
                                      "KECS_E_OUTCOME_UNKNOWN");
  }
  if (!store->engine->backend->outcome) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s knows what became of every commit", store->engine->backend->name);
  }
  kecs__session *session = NULL;
  status = kecs__writer_take(store, kecs__handle_deadline(store), &session);
  if (!status) {
    status = store->engine->backend->outcome(session->connection, error->transaction, out_outcome);
    kecs__writer_release(session);
  }
  return status;
}

static kecs_status kecs__transact_once(kecs_store *store, kecs_status (*work)(kecs_store *tx, void *user), void *user) {
  kecs_store *tx = NULL;
  kecs_status status = kecs_begin(store, &tx);
  if (status) {
    return status;
  }
  tx->lent = true;
  status = work(tx, user);
  tx->lent = false;
  if (status) {
    return kecs__transaction_give_up(tx, status);
  }
  return kecs_commit(tx);
}

KECS_STORE_API kecs_status kecs_transact(kecs_store *store, kecs_status (*work)(kecs_store *tx, void *user), void *user,
                                         int budget_ms) {
  kecs_status status = kecs__check_handle(store);
  if (!status && !work) {
    status = kecs__check_pointer(NULL, "work");
  }
  if (status) {
    return status;
  }
  int64_t until = kecs__monotonic_ms() + (budget_ms > 0 ? budget_ms : store->engine->busy_timeout_ms);
  kecs_error before = kecs__error_save();
  for (int attempt = 0;; attempt++) {
    status = kecs__transact_once(store, work, user);
    bool again = store->depth == 0 && (status == KECS_E_BUSY || status == KECS_E_OFFLINE);
    int64_t pause = again ? kecs__retry_pause(store->engine, attempt) : 0;
    if (!again || kecs__monotonic_ms() + pause > until) {
      if (!status && attempt > 0) {
        (void)kecs__error_restore(&before); /* what was tried again in vain is no failure of this call */
      }
      return status;
    }
    kecs__sleep_ms(pause);
  }
}

KECS_STORE_API kecs_status kecs_set_deadline(kecs_store *store, int64_t deadline_us) {
  kecs_status status = kecs__check_handle(store);
  if (!status) {
    kecs__mutex_lock(&store->engine->mutex);
    store->deadline = deadline_us;
    kecs__flag_set(&store->timed, deadline_us ? 1 : 0);
    kecs__mutex_unlock(&store->engine->mutex);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_set_cancelled(kecs_store *store, bool cancelled) {
  kecs_status status = kecs__check_handle(store);
  if (!status) {
    kecs__flag_set(&store->cancelled, cancelled ? 1 : 0);
  }
  return status;
}
