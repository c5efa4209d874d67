/* store/access.c -- how a call gets a session to read or to write with, and how its write begins and ends. */
#include "base/prologue.h"

#include "store/access.h"

#include "base/time.h"
#include "store/cache.h"
#include "store/history_log.h"
#include "store/pool.h"
#include "store/retry.h"
#include "store/share.h"
#include "store/statements.h"

#include <string.h>

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

KECS__FN void kecs__read_end(const kecs_backend *backend, kecs_connection *connection, kecs_status *status) {
  kecs_error error = kecs__error_save();
  kecs_status ended = backend->commit(connection);
  if (ended) {
    backend->rollback(connection);
  }
  if (*status) {
    (void)kecs__error_restore(&error); /* the status may be a visitor's own, without an error */
  } else {
    *status = ended;
  }
}

KECS__FN kecs_status kecs__begin_write(kecs_store *store, kecs__session *session) {
  session->place.known = false;
  session->place.said = 0;
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
    status = status ? status : kecs__history_say(write);
    /* A statement that a deadline stops may have done its work: only a savepoint can tell. And where a failed statement
     * ends the transaction, only a savepoint keeps what the caller did before. */
    bool guard = deadline || store->engine->dialect->failure_ends_transaction;
    return status || !guard ? status : kecs__write_guard(write);
  }
  status = kecs__write_begin(write, deadline);
  return status ? status : kecs__history_say(write);
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

static kecs_status kecs__write_once(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                    void *user) {
  kecs__write write;
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__write_guard(&write);
  }
  if (!status) {
    status = work(&write, user);
  }
  return kecs__write_close(&write, status);
}

#if !defined(KECS_STORE_NO_WATCH)
KECS__FN kecs_status kecs__with_write_as_one(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                             void *user) {
  kecs__write write;
  if (store->depth == 0) {
    return kecs__with_write(store, work, user);
  }
  kecs_status status = kecs__write_open(store, &write);
  bool guarded = write.guarded; /* else a savepoint that is made on the way does not hold all that was done */
  if (!status) {
    status = work(&write, user);
    store->broken = store->broken || (status && !guarded);
  }
  return kecs__write_close(&write, status);
}
#endif

KECS__FN kecs_status kecs__with_write(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                      void *user) {
  kecs__retry retry = {0, 0};
  kecs_status status = KECS_OK;
  do {
    status = kecs__write_once(store, work, user);
  } while (kecs__retry_again(store, &retry, status));
  return status;
}
