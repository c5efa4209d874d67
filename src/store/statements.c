/* store/statements.c -- an open-addressing table of prepared statements per session. */
#include "base/prologue.h"

#include "store/statements.h"

#include "store/cache.h"
#include "store/gather.h"
#include "store/pool.h"
#include "store/sql.h"

#include <string.h>

#define KECS__SQL_MAX ((size_t)1 << 20)

static uint64_t kecs__mix(uint64_t value) {
  value ^= value >> 32;
  value *= UINT64_C(0x9E3779B97F4A7C15);
  return value ^ (value >> 29);
}

static uint64_t kecs__hash_text(const char *text, size_t len) {
  uint64_t hash = len;
  for (; len >= 8; len -= 8, text += 8) {
    uint64_t word;
    memcpy(&word, text, 8);
    hash = kecs__mix(hash ^ word);
  }
  uint64_t tail = 0;
  memcpy(&tail, text, len);
  return kecs__mix(hash ^ tail);
}

static bool kecs__cached_is(const kecs__cached *cached, const kecs__cached *wanted) {
  if (cached->hash != wanted->hash || cached->op != wanted->op || cached->locks != wanted->locks ||
      cached->mask != wanted->mask || cached->sql_len != wanted->sql_len) {
    return false;
  }
  return wanted->op == KECS__OP_TEXT ? memcmp(cached->sql, wanted->sql, wanted->sql_len) == 0
                                     : cached->kind == wanted->kind;
}

/* The slot that holds the wanted statement, or the free one where it belongs. */
static kecs__cached **kecs__slot(kecs__session *session, const kecs__cached *wanted) {
  size_t at = (size_t)wanted->hash & (session->slot_count - 1);
  while (session->slots[at] && !kecs__cached_is(session->slots[at], wanted)) {
    at = (at + 1) & (session->slot_count - 1);
  }
  return &session->slots[at];
}

static void kecs__cached_free(kecs__session *session, kecs__cached *cached) {
  const kecs_allocator *allocator = &session->engine->allocator;
  if (cached->statement) {
    session->engine->backend->finish(cached->statement);
  }
  kecs__release(allocator, cached->sql, cached->sql_len + 1);
  kecs__release(allocator, cached, sizeof *cached);
}

/* Empties the table; statements in use live on as temporary ones. */
static void kecs__statements_clear(kecs__session *session) {
  for (size_t i = 0; i < session->slot_count; i++) {
    kecs__cached *cached = session->slots[i];
    if (cached && cached->in_use) {
      cached->temporary = true;
    } else if (cached) {
      kecs__cached_free(session, cached);
    }
    session->slots[i] = NULL;
  }
  session->cached_count = 0;
}

KECS__FN void kecs__statements_free(kecs__session *session) {
  kecs__statements_clear(session);
  kecs__release(&session->engine->allocator, session->slots, session->slot_count * sizeof session->slots[0]);
  session->slots = NULL;
  session->slot_count = 0;
}

/* The table never grows: it starts large enough for engine->statements_max. Beyond that it is emptied: a program that
 * makes endless shapes of queries. Not while statements are remembered that are still to be asked. */
static bool kecs__statements_full(const kecs__session *session) {
  return (int)session->cached_count >= session->engine->statements_max;
}

static kecs_status kecs__statements_reserve(kecs__session *session) {
  if (kecs__statements_full(session) && !session->gather) {
    kecs__statements_clear(session);
  }
  if (session->slots) {
    return KECS_OK;
  }
  size_t count = (size_t)session->engine->statements_max * 2;
  session->slots = kecs__alloc_zero(&session->engine->allocator, count * sizeof session->slots[0]);
  if (!session->slots) {
    return KECS_E_NOMEM;
  }
  session->slot_count = count;
  return KECS_OK;
}

/* The statement as the database takes it. */
static kecs_status kecs__cached_text(kecs__session *session, const kecs__meta *meta, const kecs__cached *wanted,
                                     kecs__text *out) {
  const kecs_dialect *dialect = session->engine->dialect;
  if (wanted->op == KECS__OP_TEXT) {
    kecs__sql_expand(out, dialect, wanted->locks, wanted->sql, wanted->sql_len);
    return out->status;
  }
  kecs__text marked;
  kecs__text_init(&marked, &session->engine->allocator, KECS__SQL_MAX);
  kecs__sql_build(&marked, meta, (kecs__op)wanted->op, wanted->mask);
  kecs_status status = marked.status;
  if (!status) {
    kecs__sql_expand(out, dialect, wanted->locks, marked.data, marked.len);
    status = out->status;
  }
  kecs__text_free(&marked);
  return status;
}

static bool kecs__cached_writes(const kecs__cached *wanted) {
  switch ((kecs__op)wanted->op) {
    case KECS__OP_INSERT:
    case KECS__OP_UPDATE:
    case KECS__OP_UPDATE_IF:
    case KECS__OP_DELETE:
    case KECS__OP_INSERT_LOGGED:
    case KECS__OP_UPDATE_SPEC:
    case KECS__OP_UPDATE_STATUS:
    case KECS__OP_UPDATE_BOTH:
    case KECS__OP_MERGE_INSERT:
    case KECS__OP_MERGE_LIFE:
    case KECS__OP_MERGE_SPEC:
    case KECS__OP_MERGE_STATUS:
    case KECS__OP_MERGE_BOTH: return true;
    case KECS__OP_TEXT: return strncmp(wanted->sql, "SELECT", strlen("SELECT")) != 0;
    default: return false;
  }
}

/* The kind whose table a text changes, or 0: the first mark names the table. */
static int kecs__text_kind(const char *sql) {
  const char *mark = strchr(sql, '{');
  for (int kind = 1; mark && kind < KECS_KIND_COUNT; kind++) {
    const char *table = kecs_kind_describe((kecs_kind)kind)->table;
    size_t len = strlen(table);
    if (strncmp(mark + 1, table, len) == 0 && mark[1 + len] == '}') {
      return kind;
    }
  }
  return 0;
}

/* Makes and prepares a statement that is not in the table. */
static kecs_status kecs__cached_make(kecs__session *session, const kecs__meta *meta, const kecs__cached *wanted,
                                     kecs__cached **out_cached) {
  kecs__engine *engine = session->engine;
  kecs__cached *cached = kecs__alloc(&engine->allocator, sizeof *cached);
  if (!cached) {
    return KECS_E_NOMEM;
  }
  *cached = *wanted;
  cached->sql = NULL;
  cached->writes = kecs__cached_writes(wanted);
  cached->kind = wanted->op == KECS__OP_TEXT && cached->writes ? kecs__text_kind(wanted->sql) : wanted->kind;
  cached->in_use = true;
  kecs__text text;
  kecs__text_init(&text, &engine->allocator, KECS__SQL_MAX);
  kecs_status status = kecs__cached_text(session, meta, wanted, &text);
  if (!status) {
    status = engine->backend->prepare(session->connection, text.data, text.len, &cached->statement);
  }
  if (!status && wanted->op == KECS__OP_TEXT) {
    cached->sql = kecs__alloc(&engine->allocator, wanted->sql_len + 1);
    if (cached->sql) {
      memcpy(cached->sql, wanted->sql, wanted->sql_len);
      cached->sql[wanted->sql_len] = '\0';
    } else {
      status = KECS_E_NOMEM;
    }
  }
  kecs__text_free(&text);
  if (status) {
    kecs__cached_free(session, cached);
    return status;
  }
  *out_cached = cached;
  return KECS_OK;
}

static kecs_status kecs__statement_find(kecs__session *session, const kecs__meta *meta, const kecs__cached *wanted,
                                        kecs__cached **out_cached) {
  *out_cached = NULL;
  kecs_status status = kecs__statements_reserve(session);
  if (status) {
    return status;
  }
  kecs__cached **slot = kecs__slot(session, wanted);
  if (*slot && !(*slot)->in_use) {
    (*slot)->in_use = true;
    *out_cached = *slot;
    return KECS_OK;
  }
  kecs__cached *cached = NULL;
  status = kecs__cached_make(session, meta, wanted, &cached);
  if (status) {
    return status;
  }
  if (*slot || kecs__statements_full(session)) {
    cached->temporary = true;
  } else {
    *slot = cached;
    session->cached_count++;
  }
  *out_cached = cached;
  return KECS_OK;
}

KECS__FN kecs_status kecs__statement(kecs__session *session, const kecs__meta *meta, kecs__op op, uint64_t mask,
                                     kecs__cached **out_cached) {
  kecs__cached wanted = {0};
  wanted.kind = (int)meta->info->kind;
  wanted.op = (int)op;
  wanted.mask = mask;
  wanted.locks = session->locks;
  wanted.hash = kecs__mix(mask ^ kecs__mix(((uint64_t)wanted.kind << 8) | (uint64_t)wanted.op));
  return kecs__statement_find(session, meta, &wanted, out_cached);
}

KECS__FN kecs_status kecs__statement_text(kecs__session *session, const char *sql, size_t len,
                                          kecs__cached **out_cached) {
  kecs__cached wanted = {0};
  wanted.op = (int)KECS__OP_TEXT;
  wanted.sql = (char *)(uintptr_t)sql; /* only read: a copy is kept */
  wanted.sql_len = len;
  wanted.locks = session->locks;
  wanted.hash = kecs__hash_text(sql, len);
  return kecs__statement_find(session, NULL, &wanted, out_cached);
}

KECS__FN void kecs__statement_done(kecs__session *session, kecs__cached *cached) {
  if (!cached) {
    return;
  }
  session->engine->backend->reset(cached->statement);
  cached->in_use = false;
  if (cached->temporary) {
    kecs__cached_free(session, cached);
  }
}

KECS__FN kecs_status kecs__statement_outcome(kecs__session *session, kecs_status status) {
  if (status == KECS_E_CANCELLED && session->user) {
    kecs_status stop = kecs__check_stop(session->user, session->deadline);
    stop = stop ? stop : kecs__check_read_age(session);
    return stop ? stop : status;
  }
  return status;
}

KECS__FN kecs_status kecs__statement_start(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                           int count, bool *out_row) {
  const kecs_backend *backend = session->engine->backend;
  if (session->gather && !cached->temporary) {
    return kecs__gather_start(session, cached, parameters, count, out_row);
  }
  session->writing = cached->writes;
  session->changed = session->changed || cached->writes;
  if (cached->writes) {
    kecs__cache_hold(session, cached, parameters, count);
  }
  /* Once it runs it will not be stopped: see kecs__session_should_stop. */
  kecs_status status = session->shared && cached->writes && session->user
                           ? kecs__check_stop(session->user, session->deadline)
                           : KECS_OK;
  if (!status) {
    status = backend->start(cached->statement, parameters, count);
  }
  if (!status) {
    status = backend->step(cached->statement, out_row);
  }
  return kecs__statement_outcome(session, status);
}

KECS__FN kecs_status kecs__statement_step(kecs__session *session, kecs__cached *cached, bool *out_row) {
  /* Between two rows a caller may have slept; the clock is not looked at for each row. */
  if ((++session->steps & 7U) == 0) {
    kecs_status status = kecs__check_read_age(session);
    if (status) {
      return status;
    }
  }
  session->writing = cached->writes;
  return kecs__statement_outcome(session, session->engine->backend->step(cached->statement, out_row));
}

KECS__FN void kecs__statement_columns(kecs__session *session, kecs__cached *cached, kecs_value *out, int count) {
  session->engine->backend->columns(cached->statement, NULL, out, count);
}

KECS__FN kecs_status kecs__statement_run(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                         int count) {
  bool row = false;
  /* A write is not stopped while it runs (sqlite/backend.c), so it is asked before. */
  kecs_status status = session->user ? kecs__check_stop(session->user, session->deadline) : KECS_OK;
  if (!status) {
    status = kecs__statement_start(session, cached, parameters, count, &row);
  }
  while (!status && row) {
    status = kecs__statement_step(session, cached, &row);
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__statement_run_last(kecs__write *write, kecs__cached *cached, const kecs_value *parameters,
                                              int count) {
  kecs__session *session = write->session;
  const kecs_backend *backend = session->engine->backend;
  if (!backend->start_last || !write->last || !write->own) {
    return kecs__statement_run(session, cached, parameters, count);
  }
  kecs_status status = session->user ? kecs__check_stop(session->user, session->deadline) : KECS_OK;
  session->writing = true;
  session->changed = true;
  kecs__cache_hold(session, cached, parameters, count);
  if (!status) {
    status = kecs__statement_outcome(session, backend->start_last(cached->statement, parameters, count));
    write->ended = !status;
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__run(kecs__session *session, const char *sql, const kecs_value *parameters, int count,
                               int64_t *out_changes) {
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement_text(session, sql, strlen(sql), &cached);
  if (!status) {
    status = kecs__statement_run(session, cached, parameters, count);
  }
  if (out_changes) {
    *out_changes = status ? 0 : session->engine->backend->changes(session->connection);
  }
  return status;
}
