/* sync/hub_state.c -- how a hub stands: its sites, its feed, and what it asks of its edges. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/connection.h"

#include <string.h>

/* One statement, and its answer. */
typedef struct kecs_sync__question {
  const char *form;
  PGresult *result;
} kecs_sync__question;

static kecs_status kecs_sync__ask_link(kecs_connection *shared, const kecs_place *place, void *user) {
  kecs_sync__question *question = user;
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"T", connection->home->tenant}, {NULL, NULL}};
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text_fill(&text, question->form, marks);
  kecs_status status = text.status ? text.status
                                   : kecs_pg__command(connection, text.data, KECS_PG__STOPS, "ask the hub",
                                                      &question->result);
  if (status && strcmp(kecs_last_error()->sqlstate, "42P01") == 0) {
    status = kecs_pg__fail(KECS_E_UNSUPPORTED, "%s: the database is no hub: run kecs hub init",
                           place->shown);
  }
  kecs_pg__text_free(&text);
  return status;
}

static kecs_status kecs_sync__ask_work(kecs_store *store, const char *hub, void *user) {
  return kecs_sync__over_link(store, hub, true, 10000, kecs_sync__ask_link, user);
}

static kecs_status kecs_sync__ask_hub(const char *hub, const char *form, PGresult **out_result) {
  static const kecs_sync__visit visit = {KECS_TRACK_KEEP, true, kecs_sync__ask_work};
  kecs_sync__question question = {form, NULL};
  kecs_status status = kecs_sync__at_hub(hub, &visit, &question);
  *out_result = question.result;
  return status;
}

KECS_STORE_API kecs_status kecs_sync_hub_sites(const char *hub,
                                               kecs_status (*visit)(const kecs_sync_site *site, void *user),
                                               void *user) {
  PGresult *result = NULL;
  if (!visit) {
    return kecs_pg__fail(KECS_E_INVALID, "visit is NULL");
  }
  kecs_status status = kecs_sync__ask_hub(
      hub,
      "SELECT s.name,s.site,(extract(epoch FROM s.seen)*1000000)::bigint,(extract(epoch FROM "
      "clock_timestamp()-s.seen)*1000000)::bigint,s.acked,s.pushes,(SELECT count(*) FROM {S}sync_refused r WHERE "
      "r.tenant=s.tenant AND r.site=s.site),s.cursor,l.every_ms,l.batch,l.pause FROM {S}sync_sites s CROSS JOIN "
      "LATERAL {S}sync_limits_of(s.tenant,s.name) l WHERE s.tenant={T} ORDER BY s.site",
      &result);
  for (int row = 0; !status && row < PQntuples(result); row++) {
    kecs_sync_site site = {kecs_sync__text(result, row, 0),   kecs_sync__number(result, row, 1),
                           kecs_sync__number(result, row, 2), kecs_sync__number(result, row, 3),
                           kecs_sync__number(result, row, 4), kecs_sync__number(result, row, 5),
                           kecs_sync__number(result, row, 6), kecs_sync__number(result, row, 7),
                           {kecs_sync__number(result, row, 8), kecs_sync__number(result, row, 9), NULL}};
    const char *pause = kecs_sync__text(result, row, 10);
    site.limits.pause = pause[0] ? pause : NULL;
    status = visit(&site, user);
  }
  PQclear(result);
  return status;
}

KECS_STORE_API kecs_status kecs_sync_hub_status(const char *hub, kecs_sync_hub_info *out_info) {
  PGresult *result = NULL;
  if (!out_info) {
    return kecs_pg__fail(KECS_E_INVALID, "out_info is NULL");
  }
  memset(out_info, 0, sizeof *out_info);
  kecs_status status = kecs_sync__ask_hub(
      hub,
      "SELECT (SELECT count(*) FROM {S}sync_sites WHERE tenant={T}),coalesce((SELECT seq FROM {S}change_heads WHERE "
      "tenant={T}),0),coalesce((SELECT value FROM {S}change_state WHERE tenant={T} AND id=1),0),(SELECT count(*) FROM "
      "{S}change_queue WHERE tenant={T}),(SELECT count(*) FROM {S}change_tombstones WHERE tenant={T}),(SELECT count(*) "
      "FROM {S}sync_conflicts WHERE tenant={T}),(SELECT count(*) FROM {S}sync_refused WHERE tenant={T}),"
      "pg_database_size(current_database())",
      &result);
  if (!status) {
    int64_t *const numbers[] = {&out_info->sites,      &out_info->head,      &out_info->floor,   &out_info->queued,
                                &out_info->tombstones, &out_info->conflicts, &out_info->refused, &out_info->bytes};
    for (int i = 0; i < 8; i++) {
      *numbers[i] = kecs_sync__number(result, 0, i);
    }
  }
  PQclear(result);
  return status;
}
