/* store/session.c -- a session: a connection, the statements prepared on it, and when the backend must stop. */
#include "base/prologue.h"

#include "store/session.h"

#include "base/time.h"
#include "store/statements.h"

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

KECS__FN kecs_status kecs__session_commit(kecs__session *session) {
  kecs_status status = session->engine->backend->commit(session->connection);
  session->committed = !status;
  return status;
}
