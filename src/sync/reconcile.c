/* sync/reconcile.c -- a repair: all is compared with the hub by digests, and merged where it differs.
 *
 * The cursor is set to the head that the handshake told, first of all, as in a bootstrap: what changes from then on
 * comes by the feed. Then, stage by stage, each page with its place in one transaction, so that a round that was cut
 * off goes on there. No table is replaced; nothing is taken away but what the hub is known to have had and to have
 * deleted. */
#include "pg/prologue.h"

#include "sync/reconcile.h"

#include "sync/hub_sql.h"
#include "sync/pull.h"

#include <stdio.h>
#include <string.h>

#define KECS_SYNC__BUCKETS_NOTE "repair_buckets_%d"

/* ---- notes ---- */

KECS_PG__FN kecs_status kecs_sync__repair_note(kecs_store *tx, int64_t stage, int64_t kind, int64_t rid) {
  kecs_status status = kecs_sync__note_number(tx, "repair", stage);
  status = status ? status : kecs_sync__note_number(tx, "repair_kind", kind);
  return status ? status : kecs_sync__note_number(tx, "repair_rid", rid);
}

static kecs_status kecs_sync__forget_buckets(kecs_store *tx) {
  return kecs_replica_sql(tx, "DELETE FROM {sync_state} WHERE {own}substr(name,1,15)='repair_buckets_'", NULL, 0, 0,
                          NULL, NULL);
}

KECS_PG__FN kecs_status kecs_sync__reconcile_begin(kecs_store *tx, const kecs_sync *sync, unsigned cause) {
  int64_t causes = (int64_t)cause | (sync->notes.repair ? sync->notes.repair_cause : 0);
  kecs_status status = kecs_sync__forget_buckets(tx);
  status = status ? status : kecs_sync__repair_note(tx, KECS_SYNC__REPAIR_DIGEST, 1, 0);
  status = status ? status : kecs_sync__note_number(tx, "repair_cause", causes);
  status = status ? status : kecs_sync__note_number(tx, "cursor", sync->head);
  status = status ? status : kecs_sync__note(tx, "cursor_id", sync->head_id);
  status = status ? status : kecs_sync__note_number(tx, "seen", 0); /* it was of a history that is no more */
  if (!status && (cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST))) { /* events and logs, as far as they are here */
    status = kecs_replica_sql(tx, "UPDATE {sync_state} SET value='0' WHERE {own}substr(name,1,7)='append_'", NULL, 0, 0,
                              NULL, NULL);
  }
  /* A bootstrap that was under way is a part of it. */
  return status ? status : kecs_sync__note_number(tx, "boot_kind", KECS_SYNC__BOOT_DONE);
}

static kecs_status kecs_sync__buckets_visit(const kecs_value *values, void *user) {
  kecs_sync__buckets_read(user, values[0].text);
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__repair_buckets(kecs_sync *sync, int kind, kecs_sync__buckets *out_buckets) {
  char name[32];
  snprintf(name, sizeof name, KECS_SYNC__BUCKETS_NOTE, kind);
  kecs_value value = kecs_sync__value_text(name);
  memset(out_buckets, 0, sizeof *out_buckets);
  return kecs_replica_sql(sync->store, "SELECT value FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                          kecs_sync__buckets_visit, out_buckets);
}

typedef struct kecs_sync__step {
  int64_t stage;
  int64_t kind;
  int64_t rid;
} kecs_sync__step;

static kecs_status kecs_sync__step_work(kecs_store *tx, void *user) {
  const kecs_sync__step *step = user;
  kecs_status status = kecs_sync__repair_note(tx, step->stage, step->kind, step->rid);
  return status || step->stage != KECS_SYNC__REPAIR_NONE ? status : kecs_sync__forget_buckets(tx);
}

static kecs_status kecs_sync__step_to(kecs_sync *sync, int64_t stage, int64_t kind) {
  kecs_sync__step step = {stage, kind, 0};
  kecs_status status = kecs_sync__transact(sync, kecs_sync__step_work, &step);
  return status ? status : kecs_sync__notes_read(sync);
}

/* ---- digests ---- */

typedef struct kecs_sync__digests {
  kecs_sync__exchange exchange;
  int item[KECS_KIND_COUNT];
  char text[KECS_KIND_COUNT][KECS_SYNC__BUCKETS_TEXT];
  kecs_sync__buckets buckets;
} kecs_sync__digests;

static kecs_status kecs_sync__digests_work(kecs_store *tx, void *user) {
  const kecs_sync__digests *digests = user;
  kecs_status status = kecs_sync__repair_note(tx, KECS_SYNC__REPAIR_ROWS, 1, 0);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    char name[32];
    snprintf(name, sizeof name, KECS_SYNC__BUCKETS_NOTE, kind);
    status = digests->text[kind][0] ? kecs_sync__note(tx, name, digests->text[kind]) : KECS_OK;
  }
  return status;
}

static kecs_status kecs_sync__digests_run(kecs_sync *sync, kecs_sync__digests *digests) {
  char number[24];
  const char *site = number;
  snprintf(number, sizeof number, "%lld", (long long)sync->notes.site);
  bool went_back = sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST);
  kecs_sync__begin(&digests->exchange, sync, went_back);
  if (went_back) { /* no tombstone goes there for a while */
    (void)kecs_sync__add_item(&digests->exchange, "SELECT {S}sync_changed({T})", "", NULL, 0);
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (sync->kinds & KECS_BIT(kind)) {
      digests->item[kind] =
          kecs_sync__add_read(&digests->exchange, "digest_{t}", kecs_kind_describe((kecs_kind)kind)->table, &site, 1);
    }
  }
  kecs_status status = kecs_sync__send(&digests->exchange, "compare");
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (digests->item[kind]) {
      status = kecs_sync__digest(sync, (kecs_kind)kind, digests->exchange.item[digests->item[kind]].result,
                                 &digests->buckets);
      if (!status && digests->buckets.count > 0) {
        kecs_sync__buckets_text(&digests->buckets, digests->text[kind]);
      }
    }
  }
  kecs_sync__end(&digests->exchange);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__digests_work, digests);
  return status ? status : kecs_sync__notes_read(sync);
}

static kecs_status kecs_sync__compare_digests(kecs_sync *sync) {
  kecs_sync__digests *digests = kecs_pg__alloc(&sync->allocator, sizeof *digests);
  kecs_status status = digests ? kecs_sync__digests_run(sync, digests) : KECS_E_NOMEM;
  kecs_pg__release(&sync->allocator, digests, sizeof *digests);
  return status;
}

/* ---- the hub's rows ---- */

static kecs_status kecs_sync__apply_rows_page(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply(page, tx);
  return status ? status : kecs_sync__repair_note(tx, KECS_SYNC__REPAIR_ROWS, page->boot_kind, page->boot_rid);
}

static kecs_status kecs_sync__rows_page(kecs_sync *sync, kecs_sync__page *page, const char *buckets) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)sync->notes.repair_kind);
  char rid[24];
  char size[24];
  snprintf(rid, sizeof rid, "%lld", (long long)sync->notes.repair_rid);
  snprintf(size, sizeof size, "%d", sync->batch);
  const char *values[] = {page->site, rid, size, buckets, NULL};
  kecs_sync__begin_page(&page->exchange, sync);
  int item = kecs_sync__add_rows(&page->exchange, "page_{t}", info, values, 5);
  kecs_status status = kecs_sync__send(&page->exchange, "compare");
  const PGresult *result = status ? NULL : page->exchange.item[item].result;
  int count = result ? PQntuples(result) : 0;
  page->rows[info->kind][0] = item;
  page->boot_kind = sync->notes.repair_kind + (count < sync->batch);
  page->boot_rid = count < sync->batch ? 0 : kecs_sync__number(result, count - 1, PQnfields(result) - 1);
  return status ? status : kecs_sync__transact(sync, kecs_sync__apply_rows_page, page);
}

static kecs_status kecs_sync__repair_rows(kecs_sync *sync, kecs_sync__page *page) {
  kecs_sync__buckets buckets;
  kecs_pg__text array = {&sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_status status = kecs_sync__repair_buckets(sync, (int)sync->notes.repair_kind, &buckets);
  kecs_sync__buckets_array(&buckets, &array);
  status = status ? status : array.status;
  if (!status && buckets.count > 0) {
    status = kecs_sync__rows_page(sync, page, array.data);
  } else if (!status) {
    kecs_sync__step step = {KECS_SYNC__REPAIR_ROWS, sync->notes.repair_kind + 1, 0};
    status = kecs_sync__transact(sync, kecs_sync__step_work, &step);
  }
  kecs_pg__text_free(&array);
  return status;
}

/* ---- the hub's tombstones ---- */

static kecs_status kecs_sync__apply_graves_page(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply_mixed_graves(page, tx, page->exchange.item[page->window].result);
  return status ? status : kecs_sync__repair_note(tx, page->boot_kind, 1, page->boot_rid);
}

/* kind*1024+bucket of all that differ; empty where none does. */
static kecs_status kecs_sync__grave_pairs(kecs_sync *sync, kecs_pg__text *out) {
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    kecs_sync__buckets buckets;
    status = kecs_sync__repair_buckets(sync, kind, &buckets);
    for (int bucket = 0; !status && bucket < KECS_SYNC__BUCKETS; bucket++) {
      if (buckets.in[bucket]) {
        kecs_sync__array_int(out, (int64_t)kind * KECS_SYNC__BUCKETS + bucket);
      }
    }
  }
  return status;
}

static kecs_status kecs_sync__graves_send(kecs_sync *sync, kecs_sync__page *page, const char *const *values) {
  kecs_sync__begin_page(&page->exchange, sync);
  page->window = kecs_sync__add_read(&page->exchange, "tombs", "", values, 5);
  kecs_status status = kecs_sync__send(&page->exchange, "compare");
  const PGresult *result = status ? NULL : page->exchange.item[page->window].result;
  int count = result ? PQntuples(result) : 0;
  page->boot_kind = count < sync->batch ? KECS_SYNC__REPAIR_COMPARE : KECS_SYNC__REPAIR_GRAVES;
  page->boot_rid = count < sync->batch ? 0 : kecs_sync__number(result, count - 1, 4);
  return status ? status : kecs_sync__transact(sync, kecs_sync__apply_graves_page, page);
}

static kecs_status kecs_sync__repair_graves(kecs_sync *sync, kecs_sync__page *page) {
  kecs_pg__text pairs = {&sync->allocator, NULL, 0, 0, KECS_OK};
  char seq[24];
  char size[24];
  snprintf(seq, sizeof seq, "%lld", (long long)sync->notes.repair_rid);
  snprintf(size, sizeof size, "%d", sync->batch);
  kecs_status status = kecs_sync__grave_pairs(sync, &pairs);
  bool any = pairs.len > 0;
  kecs_sync__array_end(&pairs);
  const char *values[] = {page->site, seq, size, pairs.data, NULL};
  status = status ? status : pairs.status;
  if (!status && any) {
    status = kecs_sync__graves_send(sync, page, values);
  } else if (!status) {
    kecs_sync__step step = {KECS_SYNC__REPAIR_COMPARE, 1, 0};
    status = kecs_sync__transact(sync, kecs_sync__step_work, &step);
  }
  kecs_pg__text_free(&pairs);
  return status;
}

/* ---- all of it ---- */

static kecs_status kecs_sync__repair_step(kecs_sync *sync) {
  switch (sync->notes.repair) {
    case KECS_SYNC__REPAIR_DIGEST:
      return kecs_sync__compare_digests(sync);
    case KECS_SYNC__REPAIR_ROWS:
      return sync->notes.repair_kind < KECS_KIND_COUNT ? kecs_sync__page_run(sync, kecs_sync__repair_rows)
                                                       : kecs_sync__step_to(sync, KECS_SYNC__REPAIR_GRAVES, 1);
    case KECS_SYNC__REPAIR_GRAVES:
      return kecs_sync__page_run(sync, kecs_sync__repair_graves);
    case KECS_SYNC__REPAIR_COMPARE:
      return sync->notes.repair_kind < KECS_KIND_COUNT ? kecs_sync__compare_rows(sync)
                                                       : kecs_sync__step_to(sync, KECS_SYNC__REPAIR_COMPARE_GRAVES, 1);
    case KECS_SYNC__REPAIR_COMPARE_GRAVES:
      return kecs_sync__compare_graves(sync);
    default:
      return kecs_sync__step_to(sync, KECS_SYNC__REPAIR_NONE, 1);
  }
}

KECS_PG__FN kecs_status kecs_sync__reconcile(kecs_sync *sync) {
  kecs_status status = KECS_OK;
  if (sync->notes.repair) {
    sync->report.reconciled |= (unsigned)sync->notes.repair_cause;
  }
  while (!status && sync->notes.repair) {
    status = kecs_sync__repair_step(sync);
  }
  return status;
}
