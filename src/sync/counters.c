/* sync/counters.c -- how far the revisions of families have been given out.
 *
 * Rows tell most of it: whoever stores a revision has the family's counter at it or above. What no row tells is how far
 * a family had come whose newest revisions were deleted; that is sent along, in both directions, whenever definitions
 * are. So no number comes to mean a second thing. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "store/ecs.h"
#include "sync/hub_sql.h"
#include "sync/pull.h"

#include <string.h>

KECS_PG__FN int kecs_sync__add_counters(kecs_sync__exchange *exchange, const char *const *site) {
  return kecs_sync__add_item(exchange, "SELECT * FROM {S}sync_counters({T},$1)", "", site, 1);
}

static kecs_status kecs_sync__raise(kecs_store *tx, const char *const *names, int64_t revision) {
  kecs_family_counter counter;
  memset(&counter, 0, sizeof counter);
  counter.account_id = names[0];
  counter.region = names[1];
  counter.family = names[2];
  counter.last_revision = revision;
  return revision > 0 ? kecs_task_definition_counter_raise(tx, &counter) : KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__raise_counters(kecs_store *tx, const PGresult *counters) {
  kecs_status status = KECS_OK;
  for (int r = 0; !status && r < PQntuples(counters); r++) {
    const char *names[] = {kecs_sync__text(counters, r, 0), kecs_sync__text(counters, r, 1),
                           kecs_sync__text(counters, r, 2)};
    status = kecs_sync__raise(tx, names, kecs_sync__number(counters, r, 3));
  }
  return status;
}

/* Where a column of a task definition is in a page's rows. */
static int kecs_sync__place(int column) {
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK_DEFINITION);
  int place = KECS_SYNC__ROW_FIXED;
  for (int i = 0; i < column; i++) {
    place += kecs_sync__travels(&info->columns[i]);
  }
  return place;
}

KECS_PG__FN kecs_status kecs_sync__raise_rows(kecs_store *tx, const PGresult *rows) {
  int account = kecs_sync__place(KECS_TASK_DEFINITION_ACCOUNT_ID);
  int region = kecs_sync__place(KECS_TASK_DEFINITION_REGION);
  int family = kecs_sync__place(KECS_TASK_DEFINITION_FAMILY);
  int revision = kecs_sync__place(KECS_TASK_DEFINITION_REVISION);
  kecs_status status = KECS_OK;
  for (int r = 0; !status && r < PQntuples(rows); r++) {
    const char *names[] = {kecs_sync__text(rows, r, account), kecs_sync__text(rows, r, region),
                           kecs_sync__text(rows, r, family)};
    bool whole = !PQgetisnull(rows, r, revision); /* a row that comes partly has been counted before */
    status = whole ? kecs_sync__raise(tx, names, kecs_sync__number(rows, r, revision)) : KECS_OK;
  }
  return status;
}

/* ---- ours ---- */

static void kecs_sync__counters_add(kecs_sync__counters *out, const kecs_family_counter *counter) {
  kecs_sync__array_add(&out->array[0], counter->account_id);
  kecs_sync__array_add(&out->array[1], counter->region);
  kecs_sync__array_add(&out->array[2], counter->family);
  kecs_sync__array_int(&out->array[3], counter->last_revision);
}

KECS_PG__FN kecs_status kecs_sync__counters_read(kecs_sync *sync, kecs_sync__counters *out) {
  kecs_status status = KECS_OK;
  kecs_result *page = NULL;
  bool more = true;
  memset(out, 0, sizeof *out);
  for (int i = 0; i < 4; i++) {
    out->array[i].allocator = &sync->allocator;
  }
  while (!status && more) {
    kecs_result *before = page;
    page = NULL;
    status = kecs_task_definition_counters(sync->store, 1000, before ? kecs_result_page_token(before) : NULL, &page);
    kecs_result_free(before);
    for (size_t i = 0; !status && i < kecs_result_count(page); i++) {
      kecs_sync__counters_add(out, kecs_family_counter_at(page, i));
    }
    more = !status && kecs_result_page_token(page) != NULL;
  }
  kecs_result_free(page);
  for (int i = 0; !status && i < 4; i++) {
    kecs_sync__array_end(&out->array[i]);
    status = out->array[i].status;
    out->values[i] = out->array[i].data;
  }
  return status;
}

KECS_PG__FN void kecs_sync__counters_free(kecs_sync__counters *counters) {
  for (int i = 0; i < 4; i++) {
    if (counters->array[i].allocator) {
      kecs_pg__text_free(&counters->array[i]);
    }
  }
}
