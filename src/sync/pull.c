/* sync/pull.c -- what the hub has comes to the edge: once as a whole, then by its feed, window by window. */
#include "pg/prologue.h"

#include "sync/pull.h"

#include "sync/hub_sql.h"

#include <stdio.h>
#include <string.h>

enum {
  KECS_SYNC__SMALL = 64, /* entries of a window that comes as one statement */
  KECS_SYNC__SIP = 32,   /* rows between two looks at what has come for the next page */
  KECS_SYNC__BOOT_MS = 100,
  KECS_SYNC__BOOT_BYTES = 4194304, /* of a page: a larger one does not grow */
  KECS_SYNC__ASKS = 16   /* for what pages wait for, one after the other */
};

/* ---- statements ---- */

KECS_PG__FN int kecs_sync__add_text(kecs_sync__exchange *exchange, kecs_pg__text *form, const char *table,
                                    const char *const *values, int count) {
  int item = 0;
  exchange->status = exchange->status ? exchange->status : form->status;
  if (!exchange->status) {
    item = kecs_sync__add_item(exchange, form->data, table, values, count);
  }
  kecs_pg__text_free(form);
  return item;
}

/* "sync_FUNCTION(tenant,$1,...)" */
static void kecs_sync__call_text(kecs_pg__text *out, const char *function, int count) {
  kecs_pg__text_adds(out, "{S}sync_");
  kecs_pg__text_adds(out, function);
  for (int i = 0; i < count; i++) {
    char number[16];
    snprintf(number, sizeof number, ",$%d", i + 1);
    kecs_pg__text_adds(out, i == 0 ? "({T}" : "");
    kecs_pg__text_adds(out, number);
  }
  kecs_pg__text_adds(out, ")");
}

KECS_PG__FN int kecs_sync__add_read(kecs_sync__exchange *exchange, const char *function, const char *table,
                                    const char *const *values, int count) {
  kecs_pg__text form = {&exchange->sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text_adds(&form, "SELECT * FROM ");
  kecs_sync__call_text(&form, function, count);
  return kecs_sync__add_text(exchange, &form, table, values, count);
}

KECS_PG__FN void kecs_sync__select(kecs_pg__text *out, const kecs_sync *sync, const kecs_kind_info *info) {
  kecs_pg__text_adds(out, "SELECT r_key,r_life,r_life_site,r_spec,r_spec_site,r_status,r_status_site");
  for (int i = 0; i < info->column_count; i++) {
    const kecs_pg__mark marks[] = {{"c", info->columns[i].name}, {NULL, NULL}};
    if (kecs_sync__known(sync, info, i)) {
      kecs_pg__text_fill(out, ",\"{c}\"", marks);
    }
  }
  kecs_pg__text_adds(out, ",r_rid");
}

KECS_PG__FN int kecs_sync__add_rows(kecs_sync__exchange *exchange, const char *function, const kecs_kind_info *info,
                                    const char *const *values, int count) {
  kecs_pg__text form = {&exchange->sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_sync__select(&form, exchange->sync, info);
  kecs_pg__text_adds(&form, strcmp(function, "rows_{t}") == 0 ? ",r_groups FROM " : " FROM ");
  kecs_sync__call_text(&form, function, count);
  return kecs_sync__add_text(exchange, &form, info->table, values, count);
}

/* ---- applying ---- */

static kecs_value kecs_sync__value(const kecs_column_info *column, const PGresult *result, int row, int at) {
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  if (PQgetisnull(result, row, at)) {
    return value;
  }
  switch (column->type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      value.type = KECS_VALUE_TEXT;
      value.text = PQgetvalue(result, row, at);
      value.len = (size_t)PQgetlength(result, row, at);
      break;
    case KECS_TYPE_BOOL:
      value.type = KECS_VALUE_BOOL;
      value.number = PQgetvalue(result, row, at)[0] == 't';
      break;
    case KECS_TYPE_TIME:
      value.type = KECS_VALUE_TIME;
      value.number = kecs_sync__number(result, row, at);
      break;
    default:
      value.type = KECS_VALUE_INT;
      value.number = kecs_sync__number(result, row, at);
      break;
  }
  return value;
}

static kecs_status kecs_sync__merge(kecs_sync__page *page, kecs_store *tx, const kecs_replica_row *row) {
  kecs_replica_merged merged;
  kecs_status status = kecs_replica_merge(tx, &page->side, row, &merged);
  if (status) {
    return status;
  }
  page->pulled += merged.outcome == KECS_REPLICA_TAKEN;
  page->conflicts += merged.conflicts;
  page->wished += merged.outcome == KECS_REPLICA_ORPHAN || merged.outcome == KECS_REPLICA_BLOCKED;
  page->blocked |= merged.outcome == KECS_REPLICA_BLOCKED ? KECS_BIT(row->kind) : 0;
  return KECS_OK;
}

/* A row of a kind that only grows. Those of a page have rids that follow each other. */
static kecs_status kecs_sync__arrive(kecs_sync__page *page, kecs_store *tx, const kecs_replica_row *row,
                                     int64_t rids[2]) {
  int64_t rid = 0;
  kecs_status status = kecs_replica_insert(tx, row, &rid);
  page->pulled += rid != 0;
  rids[0] = rids[0] || status ? rids[0] : rid;
  rids[1] = rid ? rid : rids[1];
  return status;
}

static kecs_status kecs_sync__apply_rows(kecs_sync__page *page, kecs_store *tx, const kecs_kind_info *info,
                                         const PGresult *result) {
  kecs_status status = KECS_OK;
  int64_t rids[2] = {0, 0};
  for (int r = 0; !status && r < PQntuples(result); r++) {
    kecs_value values[64];
    kecs_replica_row row;
    int at = KECS_SYNC__ROW_FIXED;
    memset(values, 0, sizeof values);
    memset(&row, 0, sizeof row);
    row.kind = info->kind;
    row.key = kecs_sync__text(result, r, 0);
    row.values = values;
    row.force = page->force;
    row.fill = page->fill;
    row.given = kecs_sync__known_mask(page->sync, info);
    for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
      row.stamp[i] = kecs_sync__number(result, r, 1 + 2 * i);
      row.site[i] = kecs_sync__number(result, r, 2 + 2 * i);
    }
    for (int i = 0; i < info->column_count; i++) {
      if (kecs_sync__known(page->sync, info, i)) {
        values[i] = kecs_sync__value(&info->columns[i], result, r, at++);
      }
    }
    int64_t groups = kecs_sync__number(result, r, at + 1); /* behind rid; 0: no window has asked for the row */
    row.partly = groups != 0 && (groups & 1) == 0;
    status = kecs_sync__only_grows(info) ? kecs_sync__arrive(page, tx, &row, rids)
                                         : kecs_sync__merge(page, tx, &row);
    if (page->ahead && page->sync->link && r % KECS_SYNC__SIP == 0) {
      (void)PQconsumeInput(page->sync->link->pg); /* whether the link is lost is told when the page is received */
    }
  }
  return status || !rids[0] ? status : kecs_sync__append_pulled(tx, info, rids[0], rids[1]);
}

static kecs_status kecs_sync__apply_graves(kecs_sync__page *page, kecs_store *tx, kecs_kind kind,
                                           const PGresult *result) {
  kecs_status status = KECS_OK;
  for (int r = 0; !status && r < PQntuples(result); r++) {
    kecs_replica_row row;
    memset(&row, 0, sizeof row);
    row.kind = kind;
    row.dead = true;
    row.key = kecs_sync__text(result, r, 0);
    row.stamp[0] = kecs_sync__number(result, r, 1);
    row.site[0] = kecs_sync__number(result, r, 2);
    status = kecs_sync__merge(page, tx, &row);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__apply_kind(kecs_sync__page *page, kecs_store *tx, kecs_kind kind) {
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < 2; i++) {
    int item = page->rows[kind][i];
    status = item ? kecs_sync__apply_rows(page, tx, kecs_kind_describe(kind), page->exchange.item[item].result)
                  : KECS_OK;
  }
  return status;
}

/* Deletions children first, rows parents first. */
KECS_PG__FN kecs_status kecs_sync__apply(kecs_sync__page *page, kecs_store *tx) {
  kecs_status status = KECS_OK;
  page->pulled = 0;
  page->conflicts = 0;
  page->wished = 0;
  page->blocked = 0;
  if (page->wants) {
    status = kecs_replica_sql(tx, "DELETE FROM {sync_wanted} WHERE {own}true", NULL, 0, 0, NULL, NULL);
  }
  for (int kind = KECS_KIND_COUNT - 1; !status && kind > 0; kind--) {
    for (int i = 0; !status && i < 2; i++) {
      int item = page->graves[kind][i];
      status = item ? kecs_sync__apply_graves(page, tx, (kecs_kind)kind, page->exchange.item[item].result) : KECS_OK;
    }
  }
  if (!status && page->counters) {
    status = kecs_sync__raise_counters(tx, page->exchange.item[page->counters].result);
  }
  for (int i = 0; i < 2; i++) {
    int item = page->rows[KECS_KIND_TASK_DEFINITION][i];
    status = status || !item ? status : kecs_sync__raise_rows(tx, page->exchange.item[item].result);
  }
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    status = kecs_sync__apply_kind(page, tx, (kecs_kind)kind);
  }
  return status || !page->blocked ? status : kecs_sync__apply_blocked(page, tx);
}

static kecs_status kecs_sync__apply_window(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply(page, tx);
  status = status ? status : kecs_sync__note_number(tx, "cursor", page->sync->until);
  return status ? status : kecs_sync__note(tx, "cursor_id", page->sync->until_id);
}

/* ---- what is looked at ---- */

static kecs_status kecs_sync__look_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_sync__note_number(tx, "seen", sync->head);
  status = status ? status : kecs_sync__note(tx, "seen_id", sync->head_id);
  return status ? status : kecs_sync__note_number(tx, "seen_us", sync->head_us);
}

KECS_PG__FN kecs_status kecs_sync__look(kecs_sync *sync) {
  const kecs_sync__notes *notes = &sync->notes;
  bool reads = !notes->booted || notes->repair || sync->head > notes->cursor;
  bool noted = notes->seen == sync->head && strcmp(notes->seen_id, sync->head_id) == 0;
  kecs_status status = reads && !noted ? kecs_sync__transact(sync, kecs_sync__look_work, sync) : KECS_OK;
  return status || !reads || noted ? status : kecs_sync__notes_read(sync);
}

/* ---- what is wanted ---- */

static kecs_status kecs_sync__wanted_visit(const kecs_value *values, void *user) {
  kecs_sync__page *page = user;
  if (values[0].number > 0 && values[0].number < KECS_KIND_COUNT) {
    kecs_sync__array_add(&page->wanted[values[0].number], values[1].text);
    page->wants = true;
    page->asked++;
  }
  return KECS_OK;
}

static kecs_status kecs_sync__page_wanted(kecs_sync__page *page) {
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    page->wanted[kind].allocator = &page->sync->allocator;
  }
  kecs_status status = kecs_replica_sql(page->sync->store, "SELECT kind,key FROM {sync_wanted} WHERE {own}true", NULL,
                                        0, 2, kecs_sync__wanted_visit, page);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (page->wanted[kind].len > 0) {
      const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
      kecs_sync__array_end(&page->wanted[kind]);
      status = page->wanted[kind].status;
      page->wanted_values[kind][0] = page->site;
      page->wanted_values[kind][1] = page->wanted[kind].data;
      page->graves[kind][1] =
          kecs_sync__add_read(&page->exchange, "buried_{t}", info->table, page->wanted_values[kind], 2);
      page->rows[kind][1] =
          kecs_sync__add_rows(&page->exchange, "found_{t}", info, page->wanted_values[kind], 2);
    }
  }
  return status;
}

/* ---- windows ---- */

static uint64_t kecs_sync__pulls(const kecs_sync *sync) {
  return sync->kinds | (sync->append_pull ? sync->append : 0);
}

static void kecs_sync__window_read(kecs_sync *sync, const PGresult *result) {
  sync->until = kecs_sync__number(result, 0, 0);
  snprintf(sync->until_id, sizeof sync->until_id, "%s", kecs_sync__text(result, 0, 1));
  sync->until_kinds = kecs_sync__number(result, 0, 2);
}

static kecs_status kecs_sync__pull_window(kecs_sync *sync, kecs_sync__page *page) {
  char from[24];
  char until[24];
  char size[24];
  snprintf(from, sizeof from, "%lld", (long long)sync->notes.cursor);
  snprintf(until, sizeof until, "%lld", (long long)sync->until);
  snprintf(size, sizeof size, "%d", sync->batch);
  const char *values[] = {page->site, from, until};
  const char *next[] = {until, size};
  kecs_sync__begin(&page->exchange, sync, false);
  page->exchange.small = sync->until - sync->notes.cursor <= KECS_SYNC__SMALL;
  kecs_status status = kecs_sync__page_wanted(page);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if ((uint64_t)sync->until_kinds & kecs_sync__pulls(sync) & KECS_BIT(kind)) {
      const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
      bool graves = !kecs_sync__only_grows(info);
      page->graves[kind][0] = graves ? kecs_sync__add_read(&page->exchange, "graves_{t}", info->table, values, 3) : 0;
      page->rows[kind][0] = kecs_sync__add_rows(&page->exchange, "rows_{t}", info, values, 3);
    }
  }
  if ((uint64_t)sync->until_kinds & sync->kinds & KECS_BIT(KECS_KIND_TASK_DEFINITION)) {
    page->counters = kecs_sync__add_counters(&page->exchange, values);
  }
  page->window = kecs_sync__add_item(&page->exchange, "SELECT * FROM {S}sync_window({T},$1,$2)", "", next, 2);
  status = status ? status : kecs_sync__send(&page->exchange, "pull");
  status = status ? status : kecs_sync__transact(sync, kecs_sync__apply_window, page);
  if (!status) {
    kecs_sync__window_read(sync, page->exchange.item[page->window].result);
  }
  return status;
}

/* ---- pages ---- */

static kecs_sync__page *kecs_sync__page_new(kecs_sync *sync) {
  kecs_sync__page *page = kecs_pg__alloc(&sync->allocator, sizeof *page);
  if (page) {
    page->sync = sync;
    page->exchange.sync = sync;
    page->side = kecs_sync__side(sync);
    page->side.as_one = true;
    snprintf(page->site, sizeof page->site, "%lld", (long long)sync->notes.site);
  }
  return page;
}

/* With what it has done, where it was applied. NULL is fine. */
static void kecs_sync__page_end(kecs_sync *sync, kecs_sync__page *page, bool applied) {
  if (!page) {
    return;
  }
  if (applied) {
    sync->report.pulled += page->pulled;
    sync->report.conflicts += page->conflicts;
    sync->ask_again = page->wished > page->asked || (page->wished > 0 && page->pulled > 0);
  }
  kecs_sync__end(&page->exchange);
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    if (page->wanted[kind].allocator) {
      kecs_pg__text_free(&page->wanted[kind]);
    }
  }
  kecs_pg__release(&sync->allocator, page, sizeof *page);
}

KECS_PG__FN kecs_status kecs_sync__page_run(kecs_sync *sync,
                                            kecs_status (*run)(kecs_sync *sync, kecs_sync__page *page)) {
  kecs_sync__page *page = kecs_sync__page_new(sync);
  kecs_status status = page ? run(sync, page) : KECS_E_NOMEM;
  kecs_sync__page_end(sync, page, !status);
  return status ? status : kecs_sync__notes_read(sync);
}

/* ---- the first time ---- */

static kecs_status kecs_sync__apply_boot(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply(page, tx);
  status = status ? status : kecs_sync__note_number(tx, "boot_kind", page->boot_kind);
  return status ? status : kecs_sync__note_number(tx, "boot_rid", page->boot_rid);
}

static kecs_status kecs_sync__apply_head(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_sync__note_number(tx, "cursor", sync->head);
  status = status ? status : kecs_sync__note(tx, "cursor_id", sync->head_id);
  return status ? status : kecs_sync__note_number(tx, "boot_kind", 1);
}

/* All tombstones, by their sequence; the merge finds out which of them still say something. */
static kecs_status kecs_sync__boot_graves(kecs_sync__page *page, const char *const *values) {
  page->window = kecs_sync__add_read(&page->exchange, "tombs", "", values, 5);
  kecs_status status = kecs_sync__send(&page->exchange, "pull");
  const PGresult *result = status ? NULL : page->exchange.item[page->window].result;
  int count = result ? PQntuples(result) : 0;
  page->boot_kind = count < page->size ? KECS_SYNC__BOOT_DONE : KECS_SYNC__BOOT_GRAVES;
  page->boot_rid = count > 0 ? kecs_sync__number(result, count - 1, 4) : 0;
  page->bytes = result ? PQresultMemorySize(result) : 0;
  return status;
}

static kecs_status kecs_sync__boot_rows(kecs_sync__page *page, const char *const *values) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)page->from_kind);
  int item = kecs_sync__add_rows(&page->exchange, "page_{t}", info, values, 5);
  int counters = info->kind == KECS_KIND_TASK_DEFINITION ? kecs_sync__add_counters(&page->exchange, values) : 0;
  kecs_status status = kecs_sync__send(&page->exchange, "pull");
  const PGresult *result = status ? NULL : page->exchange.item[item].result;
  int count = result ? PQntuples(result) : 0;
  page->rows[info->kind][0] = item;
  page->counters = counters;
  page->boot_kind = page->from_kind + (count < page->size);
  page->boot_rid = count < page->size ? 0 : kecs_sync__number(result, count - 1, PQnfields(result) - 1);
  page->bytes = result ? PQresultMemorySize(result) : 0;
  return status;
}

KECS_PG__FN kecs_status kecs_sync__apply_mixed_graves(kecs_sync__page *page, kecs_store *tx, const PGresult *result) {
  kecs_status status = KECS_OK;
  page->pulled = 0;
  page->conflicts = 0;
  for (int r = 0; !status && r < PQntuples(result); r++) {
    kecs_replica_row row;
    memset(&row, 0, sizeof row);
    row.kind = (kecs_kind)kecs_sync__number(result, r, 3);
    row.dead = true;
    row.key = kecs_sync__text(result, r, 0);
    row.stamp[0] = kecs_sync__number(result, r, 1);
    row.site[0] = kecs_sync__number(result, r, 2);
    status = page->sync->kinds & KECS_BIT(row.kind) ? kecs_sync__merge(page, tx, &row) : KECS_OK;
  }
  return status;
}

static kecs_status kecs_sync__apply_boot_graves(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply_mixed_graves(page, tx, page->exchange.item[page->window].result);
  status = status ? status : kecs_sync__note_number(tx, "boot_kind", page->boot_kind);
  return status ? status : kecs_sync__note_number(tx, "boot_rid", page->boot_rid);
}

/* Asks for the page that begins at a place. */
static kecs_status kecs_sync__boot_ask(kecs_sync *sync, kecs_sync__page *page, int64_t kind, int64_t rid) {
  char from[24];
  char size[24];
  while (kind < KECS_SYNC__BOOT_GRAVES && !(kecs_sync__pulls(sync) & KECS_BIT(kind))) {
    kind++;
    rid = 0;
  }
  page->from_kind = kind;
  page->size = kecs_sync__bounded(sync, sync->boot_batch > sync->batch ? sync->boot_batch : sync->batch);
  snprintf(from, sizeof from, "%lld", (long long)rid);
  snprintf(size, sizeof size, "%d", page->size);
  kecs_pg__text scopes = {&sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_status status = kecs_sync__boot_scopes(sync, &scopes);
  const char *values[] = {page->site, from, size, NULL, scopes.data};
  page->exchange.status = page->exchange.status ? page->exchange.status : status;
  status = kind == KECS_SYNC__BOOT_GRAVES ? kecs_sync__boot_graves(page, values)
                                          : kecs_sync__boot_rows(page, values);
  kecs_pg__text_free(&scopes);
  return status;
}

/* The larger pages are, the less is written for each row; but as long as one is merged, other writers wait. */
static void kecs_sync__boot_adapt(kecs_sync *sync, const kecs_sync__page *page, int64_t ms) {
  bool whole = page->boot_kind == page->from_kind;
  if (sync->adapts && whole && ms < KECS_SYNC__BOOT_MS && page->bytes < KECS_SYNC__BOOT_BYTES) {
    sync->boot_batch = page->size * 2 < KECS_SYNC__BATCH_MOST ? page->size * 2 : KECS_SYNC__BATCH_MOST;
  }
}

static kecs_status kecs_sync__boot_apply(kecs_sync__page *page) {
  bool graves = page->from_kind == KECS_SYNC__BOOT_GRAVES;
  int64_t begun = kecs_pg__now_ms();
  kecs_status status =
      kecs_sync__transact(page->sync, graves ? kecs_sync__apply_boot_graves : kecs_sync__apply_boot, page);
  page->tried = true;
  page->status = status;
  kecs_sync__boot_adapt(page->sync, page, kecs_pg__now_ms() - begun);
  return status;
}

/* While the hub puts the next page together. */
static void kecs_sync__boot_meanwhile(void *user) {
  kecs_sync__page *page = user;
  page->ahead = true;
  if (kecs_sync__boot_apply(page)) {
    page->error = *kecs_last_error();
  }
  page->ahead = false;
}

/* Asks for the page behind one, which is applied meanwhile. */
static kecs_status kecs_sync__boot_next(kecs_sync *sync, kecs_sync__page *page, kecs_sync__page **out_next) {
  kecs_sync__page *next = kecs_sync__page_new(sync);
  *out_next = next;
  if (!next) {
    return KECS_E_NOMEM;
  }
  kecs_sync__begin_page(&next->exchange, sync);
  next->exchange.meanwhile = kecs_sync__boot_meanwhile;
  next->exchange.user = page;
  kecs_status status = kecs_sync__boot_ask(sync, next, page->boot_kind, page->boot_rid);
  if (page->tried && page->status) {
    kecs_pg__restore(&page->error);
  }
  return page->tried && page->status ? page->status : status;
}

/* The next page can't be asked for; what is here is not to be fetched again. */
static void kecs_sync__boot_keep(kecs_sync__page *page) {
  kecs_error error = *kecs_last_error();
  (void)kecs_sync__boot_apply(page);
  kecs_pg__restore(&error);
}

static kecs_status kecs_sync__boot_pages(kecs_sync *sync) {
  kecs_sync__page *page = kecs_sync__page_new(sync);
  kecs_status status = page ? KECS_OK : KECS_E_NOMEM;
  sync->boot_batch = 0;
  if (!status) {
    kecs_sync__begin_page(&page->exchange, sync);
    status = kecs_sync__boot_ask(sync, page, sync->notes.boot_kind, sync->notes.boot_rid);
  }
  while (!status && page) {
    kecs_sync__page *next = NULL;
    bool last = page->boot_kind == KECS_SYNC__BOOT_DONE;
    status = last ? kecs_sync__boot_apply(page) : kecs_sync__boot_next(sync, page, &next);
    if (status && !page->tried) {
      kecs_sync__boot_keep(page);
    }
    kecs_sync__page_end(sync, page, page->tried && !page->status);
    page = next;
  }
  kecs_sync__page_end(sync, page, false);
  return status ? status : kecs_sync__notes_read(sync);
}

static kecs_status kecs_sync__boot(kecs_sync *sync) {
  kecs_status status = KECS_OK;
  if (sync->notes.boot_kind == 0) {
    status = kecs_sync__transact(sync, kecs_sync__apply_head, sync);
    status = status ? status : kecs_sync__notes_read(sync);
  }
  return status || sync->notes.booted ? status : kecs_sync__boot_pages(sync);
}

KECS_PG__FN kecs_status kecs_sync__pull(kecs_sync *sync) {
  int64_t wanted = 0;
  kecs_status status = KECS_OK;
  sync->ask_again = false;
  if (!sync->notes.booted || sync->moved) {
    status = kecs_sync__boot(sync);
    sync->moved = false;
    sync->until = sync->notes.cursor; /* a page without rows tells the next window */
    snprintf(sync->until_id, sizeof sync->until_id, "%s", sync->notes.cursor_id);
    sync->until_kinds = 0;
    status = status ? status : kecs_sync__page_run(sync, kecs_sync__pull_window);
  }
  status =
      status ? status : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_wanted} WHERE {own}true", &wanted);
  int times = 0; /* that what is wanted was asked for, since the cursor has moved: the rest is for the next round */
  while (!status && (sync->until > sync->notes.cursor || wanted > 0 || (sync->ask_again && times < KECS_SYNC__ASKS))) {
    times = sync->until > sync->notes.cursor ? 0 : times + 1;
    wanted = 0;
    status = kecs_sync__page_run(sync, kecs_sync__pull_window);
  }
  return status;
}
