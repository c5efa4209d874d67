/* store/engine.c -- handles and sessions: who may use which connection, and for how long they wait for it. */
#include "base/prologue.h"

#include "store/engine.h"

#include "base/time.h"
#include "store/cache.h"
#include "store/feed.h"
#include "store/handle.h"
#include "store/pool.h"
#include "store/statements.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Asked by the backend while a statement runs. It must not record an error: the statement's outcome does. SQLite rolls
 * the whole transaction back when a statement that writes is stopped: not where others have written into it. Such a
 * statement writes one row, and before the next one the deadline is looked at (statements.c). */
static bool kecs__session_should_stop(void *user) {
  const kecs__session *session = user;
  if (session->shared && session->writing) {
    return false;
  }
  for (const kecs_store *at = session->user; at; at = at->parent) {
    if (kecs__flag_get(&at->cancelled)) {
      return true;
    }
  }
  if (session->read_until_ms && kecs__monotonic_ms() >= session->read_until_ms) {
    return true;
  }
  return session->deadline && kecs__clock_now(&session->engine->clock) >= session->deadline;
}

KECS__FN kecs_status kecs__session_open(kecs__engine *engine, bool reader, bool may_create,
                                        kecs__session **out_session) {
  kecs__session *session = kecs__alloc_zero(&engine->allocator, sizeof *session);
  if (!session) {
    return KECS_E_NOMEM;
  }
  session->engine = engine;
  session->reader = reader;
  session->locks = !reader;
  kecs_connect_options options = {0};
  options.path = engine->path;
  options.place = &engine->place;
  options.read_only = engine->read_only;
  options.may_create = may_create;
  options.opening = engine->schema_version == 0;
  options.reader = reader;
  options.full_durability = engine->durability == KECS_DURABILITY_FULL;
  options.no_foreign_keys = engine->no_foreign_keys;
  options.busy_timeout_ms = engine->busy_timeout_ms;
  options.acquire_ms = engine->pool.acquire_ms;
  options.cache_kib = reader ? engine->cache_kib / 4 : engine->cache_kib;
  options.page_bytes = engine->page_bytes;
  options.log_kib = engine->log_kib;
  options.small = engine->small;
  options.allocator = &engine->allocator;
  options.logger = &engine->logger;
  options.should_stop = kecs__session_should_stop;
  options.should_stop_user = session;
  kecs_status status = engine->backend->connect(&options, &session->connection);
  if (status) {
    kecs__release(&engine->allocator, session, sizeof *session);
    return status;
  }
  session->opened_ms = kecs__monotonic_ms();
  *out_session = session;
  return KECS_OK;
}

KECS__FN void kecs__session_close(kecs__session *session) {
  if (!session) {
    return;
  }
  kecs__engine *engine = session->engine;
  kecs__statements_free(session);
  engine->backend->disconnect(session->connection);
  kecs__release(&engine->allocator, session, sizeof *session);
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

KECS__FN kecs_status kecs__read_open(kecs_store *store, kecs__session **out_session) {
  *out_session = NULL;
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  int64_t deadline = kecs__handle_deadline(store);
  status = kecs__check_stop(store, deadline);
  if (status) {
    return status;
  }
  if (store->depth > 0) {
    store->session->user = store;
    store->session->deadline = deadline;
    *out_session = store->session;
    return kecs__check_transaction(store);
  }
  if (!store->engine->shared) {
    return kecs__writer_take(store, deadline, out_session);
  }
  return kecs__pool_take(store, deadline, false, out_session);
}

KECS__FN void kecs__read_close(kecs_store *store, kecs__session *session) {
  if (!session || store->depth > 0) {
    return;
  }
  if (session == store->engine->writer) {
    kecs__writer_release(session);
    return;
  }
  kecs__pool_give_back(session);
}

KECS__FN kecs_status kecs__session_commit(kecs__session *session) {
  kecs_status status = session->engine->backend->commit(session->connection);
  session->committed = !status;
  return status;
}

KECS__FN kecs_status kecs__begin_write(kecs_store *store, kecs__session *session) {
  session->place.known = false;
  kecs_status status = store->engine->backend->begin(session->connection, true);
  if (!status) {
    kecs__cache_begun(session);
  }
  if (status == KECS_E_BUSY || status == KECS_E_CANCELLED) {
    kecs_error error = kecs__error_save();
    kecs_status stop = kecs__check_stop(store, session->deadline);
    return stop ? stop : kecs__error_restore(&error);
  }
  return status;
}

/* The transaction of a write on a store: its own, or a savepoint in that of the writes before it. */
static kecs_status kecs__write_begin(kecs__write *write, int64_t deadline) {
  kecs_status status = kecs__writer_join(write->store, deadline, &write->session, &write->joined);
  if (status) {
    return status;
  }
  if (write->joined) {
    status = kecs__check_stop(write->store, deadline);
    status = status ? status : kecs__write_guard(write);
    if (status) {
      status = kecs__writer_leave(write->session, status);
      write->session = NULL;
    }
    return status;
  }
  status = kecs__begin_write(write->store, write->session);
  if (status) {
    kecs__writer_release(write->session);
    write->session = NULL;
  }
  write->own = !status;
  return status;
}

KECS__FN kecs_status kecs__write_open(kecs_store *store, kecs__write *write) {
  memset(write, 0, sizeof *write);
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  write->store = store;
  write->engine = store->engine;
  kecs__arena_init(&write->arena, &store->engine->allocator);
  if (store->engine->read_only) {
    return kecs__fail(KECS_E_READONLY, "%s is open for reading only", store->engine->place.shown);
  }
  int64_t deadline = kecs__handle_deadline(store);
  status = kecs__check_stop(store, deadline);
  if (status) {
    return status;
  }
  write->now = kecs__clock_now(&store->engine->clock);
  if (store->depth > 0) {
    status = kecs__check_transaction(store);
    status = status ? status : kecs__check_innermost(store);
    write->session = status ? NULL : store->session;
    store->session->user = store;
    store->session->deadline = deadline;
    /* A statement that a deadline stops may have done its work: only a savepoint can tell. And where a failed statement
     * ends the transaction, only a savepoint keeps what the caller did before. */
    bool guard = deadline || store->engine->dialect->failure_ends_transaction;
    return status || !guard ? status : kecs__write_guard(write);
  }
  return kecs__write_begin(write, deadline);
}

#define KECS__GUARD_BEGIN "SAVEPOINT kecs_write"
#define KECS__GUARD_UNDO "ROLLBACK TO kecs_write"
#define KECS__GUARD_END "RELEASE kecs_write"

/* The statements that end a savepoint are made before it begins: they must run when there is no memory left. */
static kecs_status kecs__guard_prepare(kecs__session *session, const char *sql) {
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement_text(session, sql, strlen(sql), &cached);
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__write_guard(kecs__write *write) {
  if (write->own || write->guarded) {
    return KECS_OK;
  }
  kecs_status status = kecs__guard_prepare(write->session, KECS__GUARD_UNDO);
  if (!status) {
    status = kecs__guard_prepare(write->session, KECS__GUARD_END);
  }
  if (!status) {
    status = kecs__run(write->session, KECS__GUARD_BEGIN, NULL, 0, NULL);
  }
  write->guarded = !status;
  return status;
}

KECS__FN bool kecs__writers_meet(const kecs__write *write) {
  return write->engine->dialect->lock_rows[0] != '\0';
}

KECS__FN kecs_status kecs__fail_raced(const kecs__meta *meta) {
  return kecs__fail(KECS_E_BUSY, "another writer has made the same %s just now; try again", meta->info->name);
}

KECS__FN void kecs__write_revive(kecs__write *write) {
  if (!write->engine->dialect->failure_ends_transaction) {
    return;
  }
  kecs_error error = kecs__error_save();
  if (write->own) {
    write->engine->backend->rollback(write->session->connection);
  } else if (write->guarded) {
    (void)kecs__run(write->session, KECS__GUARD_UNDO, NULL, 0, NULL);
  }
  (void)kecs__error_restore(&error);
}

/* Ends a write inside a transaction: its savepoint, if it has one. */
static kecs_status kecs__write_close_part(kecs__write *write, kecs_status status) {
  write->session->place.known = write->session->place.known && !status; /* stamps go on from what stays */
  if (!write->guarded) {
    return status;
  }
  write->session->user = NULL; /* ending is never stopped half-way */
  write->session->deadline = 0;
  if (!status) {
    status = kecs__run(write->session, KECS__GUARD_END, NULL, 0, NULL);
  }
  if (!status) {
    return KECS_OK;
  }
  write->session->place.known = false;
  kecs_error error = kecs__error_save();
  bool undone = kecs__run(write->session, KECS__GUARD_UNDO, NULL, 0, NULL) == KECS_OK &&
                kecs__run(write->session, KECS__GUARD_END, NULL, 0, NULL) == KECS_OK;
  if (!undone && write->joined) {
    write->engine->backend->rollback(write->session->connection);
  } else if (!undone) {
    write->store->broken = true;
  }
  return kecs__error_restore(&error);
}

/* Ends a write on a store. This is the last look at the deadline: what has joined others waits for their commit. */
static kecs_status kecs__write_close_own(kecs__write *write, kecs_status status) {
  if (!status && !write->ended) {
    status = kecs__check_stop(write->store, write->session->deadline);
  }
  if (write->joined) {
    status = kecs__write_close_part(write, status);
  }
  return kecs__writer_leave(write->session, status);
}

KECS__FN kecs_status kecs__write_close(kecs__write *write, kecs_status status) {
  if (write->session) {
    status = write->own || write->joined ? kecs__write_close_own(write, status) : kecs__write_close_part(write, status);
  }
  if (write->store) {
    kecs__arena_free(&write->arena);
  }
  return status;
}
