/* store/read.c -- get, get_many, list, each, count: for every kind. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/locate.h"
#include "store/query.h"
#include "store/rows.h"

#include <string.h>

KECS__FN const kecs__meta *kecs__meta_checked(const kecs_store *store, kecs_kind kind) {
  if (kecs__check_handle(store)) {
    return NULL;
  }
  if ((int)kind < 1 || (int)kind >= (int)KECS_KIND_COUNT) {
    (void)kecs__fail(KECS_E_INVALID, "there is no kind number %d", (int)kind);
    return NULL;
  }
  return kecs__meta_of(store->engine, kind);
}

KECS__FN kecs_status kecs__result_begin(const kecs_store *store, const kecs__meta *meta, kecs_result **out_result) {
  return kecs__result_new(&store->engine->allocator, meta->info->kind, meta->info->row_size, out_result);
}

KECS__FN kecs_status kecs__result_end(kecs_status status, kecs_result *result, kecs_result **out_result) {
  if (status) {
    kecs_result_free(result);
    result = NULL;
  }
  *out_result = result;
  return status;
}

KECS__FN kecs_status kecs__get(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                               kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__probe probe;
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    status = kecs__probe_address(session, meta, address, count, &result->arena, &probe);
  }
  void *row = status ? NULL : kecs__result_add(result);
  if (!status) {
    status = row ? kecs__probe_read(session, meta, &probe, &result->arena, row, NULL) : KECS_E_NOMEM;
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

KECS_STORE_API kecs_status kecs_record_get(kecs_store *store, kecs_kind kind, const char *key,
                                           kecs_result **out_result) {
  kecs_status status = kecs__get_many(store, kind, &key, 1, out_result);
  if (!status && kecs_result_count(*out_result) == 0) {
    const kecs__meta *meta = kecs__meta_of(store->engine, kind);
    status = kecs__result_end(kecs__fail_not_found(meta, key), *out_result, out_result);
  }
  return status;
}

static kecs_status kecs__get_each(kecs__session *session, const kecs__meta *meta, const char *const *keys, size_t count,
                                  kecs_result *result) {
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < count; i++) {
    kecs__probe probe;
    void *row = NULL;
    kecs_error before = kecs__error_save();
    status = kecs__probe_text(session, meta, keys[i], &result->arena, &probe);
    if (!status) {
      row = kecs__result_add(result);
      status = row ? kecs__probe_read(session, meta, &probe, &result->arena, row, NULL) : KECS_E_NOMEM;
    }
    if (status == KECS_E_NOT_FOUND) {
      result->count -= row ? 1 : 0;
      (void)kecs__error_restore(&before); /* an unknown key is no failure here */
      status = KECS_OK;
    }
  }
  return status;
}

KECS__FN void kecs__read_end(const kecs_backend *backend, kecs_connection *connection, kecs_status *status) {
  kecs_error error = kecs__error_save();
  kecs_status ended = backend->commit(connection);
  if (ended) {
    backend->rollback(connection);
  }
  if (*status) {
    *status = kecs__error_restore(&error);
  } else {
    *status = ended;
  }
}

KECS__FN kecs_status kecs__get_many(kecs_store *store, kecs_kind kind, const char *const *keys, size_t count,
                                    kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  status = count > 0 ? kecs__check_pointer(keys, "keys") : KECS_OK;
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  /* One read for all keys: they are told as of one moment, and its locks are taken once. */
  bool begun = false;
  if (!status && count > 1 && store->depth == 0) {
    status = store->engine->backend->begin(session->connection, false);
    begun = !status;
  }
  if (!status) {
    result->first_rows = count < KECS__PAGE_DEFAULT ? (count ? count : 1) : KECS__PAGE_DEFAULT;
    status = kecs__get_each(session, meta, keys, count, result);
  }
  if (begun) {
    kecs__read_end(store->engine->backend, session->connection, &status);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

/* Reads the rows of a started plan, one more than the limit to know whether a page follows. */
static kecs_status kecs__list_rows(kecs__plan *plan, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs__cached *cached = NULL;
  bool more = false;
  result->first_rows = plan->limit < KECS__PAGE_DEFAULT ? (size_t)plan->limit : KECS__PAGE_DEFAULT;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, plan->limit + 1, &cached, &more);
  while (!status && more && result->count < (size_t)plan->limit) {
    void *row = kecs__result_room(result);
    status = row ? kecs__row_fetch(plan->session, cached, meta, &result->arena, row) : KECS_E_NOMEM;
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  if (!status && more) {
    const void *last = result->rows + (result->count - 1) * result->row_size;
    status = kecs__plan_token(plan, last, &result->arena, &result->page_token);
  }
  return status;
}

/* Where the log was when the rows were read: both in one read. */
static kecs_status kecs__list_seq(kecs_store *store, kecs__session *session, kecs_result *result, bool *out_begun) {
  *out_begun = false;
  if (!kecs__flag_get(&store->engine->tracked)) {
    return KECS_OK;
  }
  kecs__feed_end end = {0, 0, 0};
  kecs_status status = store->depth > 0 ? KECS_OK : store->engine->backend->begin(session->connection, false);
  *out_begun = !status && store->depth == 0;
  if (!status) {
    status = kecs__feed_read_end(session, &end);
  }
  result->seq = end.op == KECS__FEED_OFF ? 0 : end.seq;
  return status;
}

KECS__FN kecs_status kecs__list_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                      kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__arena arena; /* values of the query; they die with the call */
  bool begun = false;
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    status = kecs__list_seq(store, session, result, &begun);
  }
  if (!status) {
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &arena);
    if (narrow) {
      kecs__plan_fail(&plan, narrow(&plan, user));
    }
    kecs__plan_query(&plan, query, true);
    status = kecs__list_rows(&plan, result);
    kecs__plan_free(&plan);
  }
  if (begun) {
    kecs__read_end(store->engine->backend, session->connection, &status);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return kecs__result_end(status, result, out_result);
}

KECS__FN kecs_status kecs__list(kecs_store *store, kecs_kind kind, const kecs_query *query, kecs_result **out_result) {
  return kecs__list_where(store, kind, query, NULL, NULL, out_result);
}

/* Each row is read into the same memory: the arena is emptied before the next. */
static kecs_status kecs__each_row(kecs__plan *plan, int limit, void *row,
                                  kecs_status (*visit)(const void *row, void *user), void *user) {
  const kecs__meta *meta = plan->meta;
  kecs__cached *cached = NULL;
  bool more = false;
  kecs__arena texts;
  kecs__arena_init(&texts, plan->arena->allocator);
  kecs_status status = kecs__plan_start(plan, meta->columns, true, limit, &cached, &more);
  while (!status && more) {
    kecs__arena_reset(&texts);
    status = kecs__row_fetch(plan->session, cached, meta, &texts, row);
    if (!status) {
      status = visit(row, user);
    }
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  kecs__arena_free(&texts);
  return status;
}

KECS__FN kecs_status kecs__each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                kecs_status (*visit)(const void *row, void *user), void *user) {
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  if (!visit) {
    return kecs__check_pointer(NULL, "visit");
  }
  kecs__session *session = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  kecs_status status = kecs__read_open(store, &session);
  void *row = status ? NULL : kecs__arena_take(&arena, meta->info->row_size);
  if (!status && !row) {
    status = KECS_E_NOMEM;
  }
  if (!status) {
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &arena);
    kecs__plan_query(&plan, query, false);
    if (query && query->limit < 0) {
      plan.status = kecs__fail(KECS_E_INVALID, "limit is %d; give the number of rows, or 0 for all", query->limit);
    }
    kecs__plan_page(&plan, query ? query->page_token : NULL);
    status = kecs__each_row(&plan, query ? query->limit : 0, row, visit, user);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__count_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                       kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                       int64_t *out_count) {
  kecs_status status = kecs__check_pointer(out_count, "out_count");
  if (status) {
    return status;
  }
  *out_count = 0;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    kecs__plan plan;
    kecs__cached *cached = NULL;
    bool row = false;
    kecs__plan_init(&plan, session, meta, &arena);
    if (narrow) {
      kecs__plan_fail(&plan, narrow(&plan, user));
    }
    kecs__plan_query(&plan, query, false);
    status = kecs__plan_start(&plan, "count(*)", false, 0, &cached, &row);
    if (!status && row) {
      kecs_value value;
      kecs__statement_columns(session, cached, &value, 1);
      *out_count = value.number;
    }
    kecs__statement_done(session, cached);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__count(kecs_store *store, kecs_kind kind, const kecs_query *query, int64_t *out_count) {
  return kecs__count_where(store, kind, query, NULL, NULL, out_count);
}

KECS__FN const void *kecs__at(const kecs_result *result, kecs_kind kind, size_t index) {
  return result && result->kind == kind && index < result->count ? result->rows + index * result->row_size : NULL;
}

/* ---- the same for kinds as data ---- */

KECS_STORE_API kecs_status kecs_record_list(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_result **out_result) {
  return kecs__list(store, kind, query, out_result);
}

KECS_STORE_API kecs_status kecs_record_each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_status (*visit)(const void *row, void *user), void *user) {
  return kecs__each(store, kind, query, visit, user);
}

KECS_STORE_API kecs_status kecs_record_count(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                             int64_t *out_count) {
  return kecs__count(store, kind, query, out_count);
}

KECS_STORE_API const void *kecs_record_at(const kecs_result *result, kecs_kind kind, size_t index) {
  return kecs__at(result, kind, index);
}
