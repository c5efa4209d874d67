/* sync/schema.c -- hub and edge of different versions: what both know travels, and what one of them comes to know later
 * is caught up with.
 *
 * Columns are only ever added, at the end of a kind's, and so are kinds. So a version is how many columns each kind
 * has, and what two have in common is the lesser number. An edge notes it; where it has grown, the edge has been
 * upgraded or the hub has: rows of the hub whose new columns say something are read once more, and rows that were
 * written here and say something there are sent once more. */
#include "pg/prologue.h"

#include "sync/pull.h"

#include "sync/hub_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

KECS_PG__FN void kecs_sync__version(char out[KECS_SYNC__VERSION_SIZE]) {
  size_t used = (size_t)snprintf(out, KECS_SYNC__VERSION_SIZE, "%d", KECS_SYNC__FORMAT);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    used += (size_t)snprintf(out + used, KECS_SYNC__VERSION_SIZE - used, ".%d",
                             kecs_kind_describe((kecs_kind)kind)->column_count);
  }
}

KECS_PG__FN bool kecs_sync__known(const kecs_sync *sync, const kecs_kind_info *info, int column) {
  return column < sync->columns[info->kind] && kecs_sync__travels(&info->columns[column]);
}

KECS_PG__FN uint64_t kecs_sync__known_mask(const kecs_sync *sync, const kecs_kind_info *info) {
  int count = sync->columns[info->kind];
  return count >= info->column_count ? 0 : KECS_BIT(count) - 1; /* 0 is all */
}

/* How many columns of each kind a version's text says. */
static void kecs_sync__schema_counts(const char *text, int out[KECS_KIND_COUNT]) {
  const char *at = strchr(text, '.');
  memset(out, 0, KECS_KIND_COUNT * sizeof out[0]);
  for (int kind = 1; at && kind < KECS_KIND_COUNT; kind++) {
    out[kind] = (int)strtol(at + 1, NULL, 10);
    at = strchr(at + 1, '.');
  }
}

KECS_PG__FN kecs_status kecs_sync__schema_read(kecs_sync *sync, const char *version) {
  int counts[KECS_KIND_COUNT];
  if (strtol(version, NULL, 10) != KECS_SYNC__FORMAT) {
    return kecs_pg__fail(
        KECS_E_UNSUPPORTED,
        "%s: the hub's functions have format %.8s, this program's %d: run kecs hub init with the newer "
        "program; the older one can't sync with it",
        sync->place.shown, version, KECS_SYNC__FORMAT);
  }
  kecs_sync__schema_counts(version, counts);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    sync->columns[kind] = counts[kind] < info->column_count ? counts[kind] : info->column_count;
    if (!counts[kind] && ((sync->kinds | sync->append) & KECS_BIT(kind))) {
      return kecs_pg__fail(KECS_E_UNSUPPORTED,
                           "%s: the hub does not know %s: run kecs hub init with this program, or leave the kind out",
                           sync->place.shown, info->name);
    }
  }
  return KECS_OK;
}

/* ---- catching up ---- */

/* A page of the rows of a kind whose new columns say something. */
typedef struct kecs_sync__catch_up {
  kecs_sync *sync;
  const kecs_kind_info *info;
  int from; /* the first of the new columns */
} kecs_sync__catch_up;

static void kecs_sync__catch_up_where(kecs_pg__text *out, const kecs_sync__catch_up *job) {
  kecs_pg__text_adds(out,
                     " FROM {S}sync_page_{t}({T},$1,$2,9223372036854775807,NULL,NULL) t WHERE false");
  for (int i = job->from; i < job->sync->columns[job->info->kind]; i++) {
    if (kecs_sync__travels(&job->info->columns[i])) {
      kecs_pg__text_adds(out, " OR t.\"");
      kecs_pg__text_adds(out, job->info->columns[i].name);
      kecs_pg__text_adds(out, "\" IS DISTINCT FROM ");
      kecs_sync__default(out, &job->info->columns[i]);
    }
  }
  kecs_pg__text_adds(out, " ORDER BY t.r_rid LIMIT $3");
}

static kecs_status kecs_sync__catch_up_work(kecs_store *tx, void *user) {
  return kecs_sync__apply(user, tx);
}

static kecs_status kecs_sync__catch_up_page(kecs_sync *sync, kecs_sync__page *page) {
  kecs_sync__catch_up job = {sync, kecs_kind_describe((kecs_kind)sync->catch_up_kind), sync->catch_up_from};
  kecs_pg__text form = {&sync->allocator, NULL, 0, 0, KECS_OK};
  char rid[24];
  char size[24];
  snprintf(rid, sizeof rid, "%lld", (long long)sync->catch_up_rid);
  snprintf(size, sizeof size, "%d", sync->batch);
  const char *values[] = {page->site, rid, size};
  for (int i = job.from; i < sync->columns[job.info->kind]; i++) {
    page->fill |= KECS_BIT(i);
  }
  kecs_sync__begin(&page->exchange, sync, false);
  kecs_sync__select(&form, sync, job.info);
  kecs_sync__catch_up_where(&form, &job);
  int item = kecs_sync__add_text(&page->exchange, &form, job.info->table, values, 3);
  kecs_status status = kecs_sync__send(&page->exchange, "pull");
  const PGresult *result = status ? NULL : page->exchange.item[item].result;
  int count = result ? PQntuples(result) : 0;
  page->rows[job.info->kind][0] = item;
  sync->catch_up_rid = count < sync->batch ? -1 : kecs_sync__number(result, count - 1, PQnfields(result) - 1);
  return status ? status : kecs_sync__transact(sync, kecs_sync__catch_up_work, page);
}

static kecs_status kecs_sync__catch_up_kind(kecs_sync *sync, int kind, int from) {
  uint64_t fresh = 0;
  kecs_status status = KECS_OK;
  for (int i = from; i < sync->columns[kind]; i++) {
    fresh |= KECS_BIT(i);
  }
  sync->catch_up_kind = kind;
  sync->catch_up_from = from;
  sync->catch_up_rid = 0;
  while (!status && sync->catch_up_rid >= 0) {
    status = kecs_sync__page_run(sync, kecs_sync__catch_up_page);
  }
  return status ? status : kecs_replica_touch(sync->store, (kecs_kind)kind, fresh);
}

static kecs_status kecs_sync__schema_note(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  char text[KECS_SYNC__VERSION_SIZE] = "";
  size_t used = 0;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    used += (size_t)snprintf(text + used, sizeof text - used, ".%d", sync->columns[kind]);
  }
  return kecs_sync__note(tx, "columns", text);
}

static kecs_status kecs_sync__schema_visit(const kecs_value *values, void *user) {
  kecs_sync__schema_counts(values[0].text, user);
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__schema_catch_up(kecs_sync *sync) {
  int noted[KECS_KIND_COUNT];
  bool differs = false;
  memset(noted, 0, sizeof noted);
  kecs_status status = kecs_replica_sql(sync->store, "SELECT value FROM {sync_state} WHERE {own}name='columns'", NULL,
                                        0, 1, kecs_sync__schema_visit, noted);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    bool grown = noted[kind] > 0 && sync->columns[kind] > noted[kind];
    differs = differs || noted[kind] != sync->columns[kind];
    if (grown && (sync->kinds & KECS_BIT(kind))) {
      status = kecs_sync__catch_up_kind(sync, kind, noted[kind]);
    }
  }
  return status || !differs ? status : kecs_sync__transact(sync, kecs_sync__schema_note, sync);
}
