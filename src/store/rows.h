/* store/rows.h -- what the typed functions (gen/api.c) and the record functions stand on: one function an operation,
 * for every kind. The public comments in store/store.h say what they do. */
#ifndef KECS_STORE_ROWS_H
#define KECS_STORE_ROWS_H
#include "gen/api_public.h"
#include "store/query.h"
#include "store/result.h"
#include "store/statements.h"

KECS__FN kecs_status kecs__create_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                       kecs_result **out_result);
KECS__FN kecs_status kecs__get(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                               kecs_result **out_result);
KECS__FN kecs_status kecs__get_many(kecs_store *store, kecs_kind kind, const char *const *keys, size_t count,
                                    kecs_result **out_result);
KECS__FN kecs_status kecs__list(kecs_store *store, kecs_kind kind, const kecs_query *query, kecs_result **out_result);
KECS__FN kecs_status kecs__each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                kecs_status (*visit)(const void *row, void *user), void *user);
KECS__FN kecs_status kecs__count(kecs_store *store, kecs_kind kind, const kecs_query *query, int64_t *out_count);
KECS__FN kecs_status kecs__update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                  kecs_result **out_result);

/* The same for a mask of a caller's, in which every bit is a column by name. */
KECS__FN kecs_status kecs__update_fields(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                         kecs_result **out_result);
KECS__FN kecs_status kecs__upsert(kecs_store *store, kecs_kind kind, const void *row, kecs_result **out_result);
KECS__FN kecs_status kecs__upsert_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                       kecs_result **out_result);
KECS__FN kecs_status kecs__delete(kecs_store *store, kecs_kind kind, const kecs_value *address, int count);
KECS__FN const void *kecs__at(const kecs_result *result, kecs_kind kind, size_t index);

/* The rows of keys, and a page, into a result that is there, through a session that is open. */
KECS__FN kecs_status kecs__read_keys(kecs__session *session, const kecs__meta *meta, const char *const *keys,
                                     size_t count, kecs_result *result);
KECS__FN kecs_status kecs__read_page(kecs_store *store, kecs__session *session, const kecs__meta *meta,
                                     const kecs_query *query,
                                     kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                     kecs_result *result);

/* list and count with conditions that a kind's own operation adds to the query. */
KECS__FN kecs_status kecs__list_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                      kecs_result **out_result);
KECS__FN kecs_status kecs__count_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                       kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                       int64_t *out_count);

/* The kind's meta, or NULL with the failure recorded: for numbers from outside. */
KECS__FN const kecs__meta *kecs__meta_checked(const kecs_store *store, kecs_kind kind);

/* An empty result for rows of a kind; and its end: handed out, or freed when `status` is a failure. */
KECS__FN kecs_status kecs__result_begin(const kecs_store *store, const kecs__meta *meta, kecs_result **out_result);
KECS__FN kecs_status kecs__result_end(kecs_status status, kecs_result *result, kecs_result **out_result);

/* A list whose rows are of no kind. */
typedef struct kecs__shaped {
  const kecs_kind_info *shape; /* the rows' size, and the keys that pages go by */
  const char *what;            /* the columns, as SQL with marks */
  void (*plan)(kecs__plan *plan, const void *user);
  kecs_status (*read)(kecs__plan *plan, kecs__cached *cached, kecs_result *result, void *row); /* the current row */
  const void *user; /* for `plan` */
} kecs__shaped;
KECS__FN kecs_status kecs__list_shaped(kecs_store *store, const kecs__shaped *list, kecs_result **out_result);

#endif
