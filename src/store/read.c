/* store/read.c -- get, get_many, list, each, count: for every kind. */
#include "base/prologue.h"

#include "store/access.h"
#include "store/cache.h"
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

/* What the cache has to say of a get on a store; a transaction sees what it has written itself. */
static kecs_status kecs__get_cached(kecs_store *store, const kecs__meta *meta, kecs__cache_key *key, int form,
                                    const kecs_value *values, int count, kecs_result **out_result) {
  key->kind = (kecs_kind)0;
  if (store->depth > 0 || !store->engine->cache) {
    return KECS_OK;
  }
  kecs_status status = kecs__check_stop(store, kecs__handle_deadline(store));
  if (!status) {
    kecs__cache_key_make(store->engine, meta, form, values, count, key);
    status = kecs__cache_get(store, meta, key, out_result);
  }
  return status;
}

/* The row from the database. */
static kecs_status kecs__get_read(kecs__session *session, const kecs__meta *meta, int form, const kecs_value *values,
                                  int count, kecs__probe *probe, int64_t *out_rid, kecs_result *result) {
  kecs_status status = form == KECS__FORM_TEXT
                           ? kecs__probe_text(session, meta, values[0].text, &result->arena, probe)
                           : kecs__probe_address(session, meta, values, count, &result->arena, probe);
  void *row = status ? NULL : kecs__result_add(result);
  if (!status) {
    status = row ? kecs__probe_read(session, meta, probe, &result->arena, row, out_rid) : KECS_E_NOMEM;
  }
  return status;
}

static kecs_status kecs__get_one(kecs_store *store, kecs_kind kind, int form, const kecs_value *values, int count,
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
  kecs__cache_key key;
  status = kecs__get_cached(store, meta, &key, form, values, count, out_result);
  if (status || *out_result) {
    return status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__probe probe;
  kecs__ticket ticket;
  int64_t rid = 0;
  status = kecs__read_open(store, &session);
  if (!status && key.kind) {
    kecs__cache_ticket(session, &ticket);
  }
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    status = kecs__get_read(session, meta, form, values, count, &probe, &rid, result);
  }
  if (!status && key.kind) {
    kecs__cache_put(session, meta, &key, &ticket, &probe, rid, result);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

KECS__FN kecs_status kecs__get(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                               kecs_result **out_result) {
  return kecs__get_one(store, kind, KECS__FORM_ADDRESS, address, count, out_result);
}

KECS_STORE_API kecs_status kecs_record_get(kecs_store *store, kecs_kind kind, const char *key,
                                           kecs_result **out_result) {
  kecs_value value = kecs__value_text(key);
  kecs_status status = kecs__get_one(store, kind, KECS__FORM_TEXT, &value, 1, out_result);
  return status == KECS_E_NOT_FOUND ? kecs__fail_not_found(kecs__meta_of(store->engine, kind), key) : status;
}

KECS__FN kecs_status kecs__read_keys(kecs__session *session, const kecs__meta *meta, const char *const *keys,
                                     size_t count, kecs_result *result) {
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
    status = kecs__read_keys(session, meta, keys, count, result);
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
    status = row ? kecs__row_fetch(plan->session, cached, meta, &result->arena, row, NULL) : KECS_E_NOMEM;
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
  bool begins = store->depth == 0 && !session->gather; /* what is gathered is asked in this order, and at once */
  kecs_status status = begins ? store->engine->backend->begin(session->connection, false) : KECS_OK;
  *out_begun = !status && begins;
  if (!status) {
    status = kecs__feed_read_end(session, &end);
  }
  result->seq = end.op == KECS__FEED_OFF ? 0 : end.seq;
  return status;
}

KECS__FN kecs_status kecs__read_page(kecs_store *store, kecs__session *session, const kecs__meta *meta,
                                     const kecs_query *query,
                                     kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                     kecs_result *result) {
  kecs__arena arena; /* values of the query; they die with the call */
  bool begun = false;
  kecs__arena_init(&arena, &store->engine->allocator);
  kecs_status status = kecs__list_seq(store, session, result, &begun);
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
  kecs__arena_free(&arena);
  return status;
}

typedef struct kecs__listing {
  const kecs__meta *meta;
  const kecs_query *query;
  kecs_status (*narrow)(kecs__plan *plan, const void *user);
  const void *user;
} kecs__listing;

/* The page from the database. */
static kecs_status kecs__list_read(kecs_store *store, const kecs__listing *list, const kecs__cache_key *key,
                                   kecs_result **out_result) {
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__ticket ticket;
  kecs_status status = kecs__flag_get(&store->engine->tracked) ? kecs__feed_number_new(store) : KECS_OK;
  status = status ? status : kecs__read_open(store, &session);
  if (!status && key->kind) {
    kecs__cache_ticket(session, &ticket);
  }
  if (!status) {
    status = kecs__result_begin(store, list->meta, &result);
  }
  if (!status) {
    status = kecs__read_page(store, session, list->meta, list->query, list->narrow, list->user, result);
  }
  if (!status && key->kind) {
    kecs__cache_put_list(session, key, &ticket, result);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
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
  kecs__arena arena; /* of the key */
  kecs__cache_key key = {(kecs_kind)0, 0, 0, NULL, 0};
  kecs__arena_init(&arena, &store->engine->allocator);
  if (store->depth == 0 && store->engine->cache && !narrow) {
    status = kecs__check_stop(store, kecs__handle_deadline(store));
    if (!status) {
      kecs__cache_key_query(store, meta, query, &arena, &key);
      status = kecs__cache_list(store, meta, &key, out_result);
    }
  }
  if (!status && !*out_result) {
    kecs__listing list = {meta, query, narrow, user};
    status = kecs__list_read(store, &list, &key, out_result);
  }
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__list(kecs_store *store, kecs_kind kind, const kecs_query *query, kecs_result **out_result) {
  return kecs__list_where(store, kind, query, NULL, NULL, out_result);
}

/* A walk: rows are read into the same memory, one after the other. */
typedef struct kecs__walk {
  kecs_store *store;
  kecs__session *session;
  const kecs__meta *meta;
  const kecs_query *query; /* may be NULL */
  void *row;
  kecs__arena texts; /* of the row; emptied before the next */
  kecs_status (*visit)(const void *row, void *user);
  void *user;
  int seen; /* rows of the last page */
} kecs__walk;

/* What `visit` calls may take long, and uses the session when it calls through the same transaction: so the walk looks
 * for itself whether it is to stop. */
static kecs_status kecs__walk_rows(kecs__walk *walk, kecs__plan *plan, int limit) {
  int64_t deadline = plan->session->deadline;
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_status status = kecs__plan_start(plan, walk->meta->columns, true, limit, &cached, &more);
  while (!status && more) {
    kecs__arena_reset(&walk->texts);
    status = kecs__row_fetch(plan->session, cached, walk->meta, &walk->texts, walk->row, NULL);
    if (!status) {
      walk->seen++;
      status = walk->visit(walk->row, walk->user);
      plan->session->user = walk->store;
      plan->session->deadline = deadline;
    }
    if (!status) {
      status = kecs__check_stop(walk->store, deadline);
    }
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return status;
}

/* At most `limit` rows (0: all) from where *token says; *token becomes the place after them, and is to be released. */
static kecs_status kecs__walk_page(kecs__walk *walk, int limit, bool goes_on, char **token) {
  const kecs_allocator *allocator = &walk->session->engine->allocator;
  kecs__arena arena;
  kecs__plan plan;
  kecs__arena_init(&arena, allocator);
  kecs__plan_init(&plan, walk->session, walk->meta, &arena);
  kecs__plan_query(&plan, walk->query, false);
  if (walk->query && walk->query->limit < 0) {
    plan.status =
        kecs__fail(KECS_E_INVALID, "limit is %d; give the number of rows, or 0 for all", walk->query->limit);
  }
  kecs__plan_page(&plan, *token ? *token : walk->query ? walk->query->page_token : NULL);
  walk->seen = 0;
  kecs_status status = kecs__walk_rows(walk, &plan, limit);
  if (!status && goes_on && walk->seen > 0 && walk->seen == limit) {
    const char *next = NULL;
    status = kecs__plan_token(&plan, walk->row, &arena, &next);
    kecs__release(allocator, *token, *token ? strlen(*token) + 1 : 0);
    *token = status ? NULL : kecs__copy_text(allocator, next);
    status = status || *token ? status : KECS_E_NOMEM;
  }
  kecs__plan_free(&plan);
  kecs__arena_free(&arena);
  return status;
}

enum { KECS__WALK_ROWS = 1000 }; /* of a page, where results are whole */

static kecs_status kecs__walk_all(kecs__walk *walk, int limit) {
  const kecs_allocator *allocator = &walk->session->engine->allocator;
  bool paged = walk->session->engine->dialect->whole_results;
  char *token = NULL;
  int asked = 0;
  kecs_status status = KECS_OK;
  do {
    asked = paged && (limit == 0 || limit > KECS__WALK_ROWS) ? KECS__WALK_ROWS : limit;
    bool last = limit > 0 && asked == limit;
    status = kecs__walk_page(walk, asked, paged && !last, &token);
    limit -= limit > 0 ? walk->seen : 0;
    paged = paged && !last;
  } while (!status && paged && walk->seen == asked);
  kecs__release(allocator, token, token ? strlen(token) + 1 : 0);
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
  /* All pages of one walk are of one moment. */
  bool begun = false;
  if (!status && store->engine->dialect->whole_results && store->depth == 0) {
    status = store->engine->backend->begin(session->connection, false);
    begun = !status;
  }
  if (!status) {
    kecs__walk walk = {store, session, meta, query, row, {NULL, NULL, false}, visit, user, 0};
    kecs__arena_init(&walk.texts, &store->engine->allocator);
    if (store->depth > 0) {
      store->walks++; /* the visitor must not end it */
    }
    status = kecs__walk_all(&walk, query && query->limit > 0 ? query->limit : 0);
    if (store->depth > 0) {
      store->walks--;
    }
    kecs__arena_free(&walk.texts);
  }
  if (begun) {
    kecs__read_end(store->engine->backend, session->connection, &status);
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

static kecs_status kecs__shaped_rows(const kecs__shaped *list, kecs__plan *plan, kecs_result *result) {
  kecs__cached *cached = NULL;
  bool more = false;
  void *row = NULL;
  kecs_status status = kecs__plan_start(plan, list->what, true, plan->limit + 1, &cached, &more);
  while (!status && more && result->count < (size_t)plan->limit) {
    row = kecs__result_add(result);
    status = row ? list->read(plan, cached, result, row) : KECS_E_NOMEM;
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return !status && more ? kecs__plan_token(plan, row, &result->arena, &result->page_token) : status;
}

KECS__FN kecs_status kecs__list_shaped(kecs_store *store, const kecs__shaped *list, kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_new(&store->engine->allocator, (kecs_kind)0, list->shape->row_size, &result);
  }
  if (!status) {
    kecs__meta meta = {.info = list->shape};
    kecs__plan plan;
    result->shape = list->shape;
    kecs__plan_init(&plan, session, &meta, &arena);
    list->plan(&plan, list->user);
    status = kecs__shaped_rows(list, &plan, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return kecs__result_end(status, result, out_result);
}
