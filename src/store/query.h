/* store/query.h -- a kecs_query as SQL: filters, keyset paging, order. Pure but for parents given by name. */
#ifndef KECS_STORE_QUERY_H
#define KECS_STORE_QUERY_H
#include "store/special.h"
#include "store/sql.h"
#include "store/statements.h"

enum {
  KECS__FILTERS_MAX = 32,
  KECS__IN_MAX = 500,
  KECS__PAGE_DEFAULT = 100,
  KECS__PAGE_MAX = 1000,
  KECS__PAGE_MAX_APPEND = 10000, /* kinds that only grow: logs and events */
  KECS__ORDER_MAX = 2 * KECS_KEY_COLUMNS_MAX
};

typedef struct kecs__order {
  int count;
  int columns[KECS__ORDER_MAX];
  bool descending[KECS__ORDER_MAX];
} kecs__order;

/* A query on its way to the database. */
typedef struct kecs__plan {
  const kecs__meta *meta;
  kecs__session *session;
  kecs__arena *arena;
  kecs__text where; /* conditions after WHERE, or empty */
  kecs_value *parameters;
  int parameter_count;
  int parameter_room;
  kecs__order order;
  int limit;
  const char *cluster_arn; /* that a filter asks for: where a service's name belongs */
  bool for_change;         /* the write that asks will change the rows that are found: they are locked */
  uint64_t hash;           /* of the query: what a page token is bound to */
  kecs_status status;      /* sticks: a caller adds conditions and checks once */
} kecs__plan;

KECS__FN void kecs__plan_init(kecs__plan *plan, kecs__session *session, const kecs__meta *meta, kecs__arena *arena);
KECS__FN void kecs__plan_free(kecs__plan *plan);

/* Keeps the first failure. */
KECS__FN void kecs__plan_fail(kecs__plan *plan, kecs_status status);

/* Adds the filters, the order and the limit of a query (NULL: none). `paged` false leaves limit and token unread. */
KECS__FN void kecs__plan_query(kecs__plan *plan, const kecs_query *query, bool paged);

/* Adds one filter. */
KECS__FN void kecs__plan_filter(kecs__plan *plan, const kecs_filter *filter);

/* Adds a condition of a kind's own: AND is written by itself; each '?' in `condition` takes the next value. The hash
 * takes part of it in. */
KECS__FN void kecs__plan_where(kecs__plan *plan, const char *condition, const kecs_value *values, int count);

/* Continues after the row that the token names. */
KECS__FN void kecs__plan_page(kecs__plan *plan, const char *page_token);

/* "SELECT <what> FROM <table> WHERE ... [ORDER BY ...] [LIMIT ?]"; `limit` 0 means none. */
KECS__FN kecs_status kecs__plan_start(kecs__plan *plan, const char *what, bool ordered, int limit,
                                      kecs__cached **out_cached, bool *out_row);

/* The token that continues after this row. */
KECS__FN kecs_status kecs__plan_token(const kecs__plan *plan, const void *row, kecs__arena *arena,
                                      const char **out_token);

#endif
