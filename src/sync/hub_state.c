/* sync/hub_state.c -- how a hub stands: its sites, its feed, and what it asks of its edges. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/connection.h"
#include "pg/public.h"

#include <stdio.h>
#include <string.h>

/* Over a connection of its own. */
static kecs_status kecs_sync__put_question(const char *hub, const kecs_allocator *allocator, const char *form,
                                  PGresult **out_result) {
  const kecs_backend *backend = kecs_pg_backend();
  kecs_connect_options options;
  kecs_connection *shared = NULL;
  kecs_place place;
  kecs_pg__text text = {allocator, NULL, 0, 0, KECS_OK};
  memset(&place, 0, sizeof place);
  memset(&options, 0, sizeof options);
  kecs_status status = backend->attach(hub, allocator, &place);
  options.path = hub;
  options.place = &place;
  options.allocator = allocator;
  options.busy_timeout_ms = 10000;
  status = status ? status : backend->connect(&options, &shared);
  if (!status) {
    kecs_pg__connection *connection = kecs_pg__of(shared);
    const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"T", connection->home->tenant}, {NULL, NULL}};
    kecs_pg__text_fill(&text, form, marks);
    status = text.status ? text.status
                         : kecs_pg__command(connection, text.data, KECS_PG__STOPS, "ask the hub", out_result);
  }
  if (status && strcmp(kecs_last_error()->sqlstate, "42P01") == 0) {
    status = kecs_pg__fail(KECS_E_UNSUPPORTED, "%s: the database is no hub: run kecs hub init", place.shown);
  }
  kecs_error error = *kecs_last_error();
  kecs_pg__text_free(&text);
  if (shared) {
    backend->disconnect(shared);
  }
  backend->detach(&place, allocator);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status;
}

static kecs_status kecs_sync__ask_hub(const char *hub, const char *form, PGresult **out_result) {
  kecs_options options;
  kecs_store *store = NULL;
  if (!hub || !kecs_pg_backend()->answers_to(hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "hub must be the URL of a PostgreSQL database");
  }
  memset(&options, 0, sizeof options);
  options.path = hub;
  options.backends = kecs_pg_backends();
  options.read_only = true;
  kecs_status status = kecs_open(&options, &store);
  if (status) {
    return status;
  }
  status = kecs_sync__put_question(hub, kecs_replica_allocator(store), form, out_result);
  kecs_error error = *kecs_last_error();
  kecs_status closed = kecs_close(store);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status ? status : closed;
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
      "r.tenant=s.tenant AND r.site=s.site) FROM {S}sync_sites s WHERE s.tenant={T} ORDER BY s.site",
      &result);
  for (int row = 0; !status && row < PQntuples(result); row++) {
    kecs_sync_site site = {kecs_sync__text(result, row, 0),   kecs_sync__number(result, row, 1),
                           kecs_sync__number(result, row, 2), kecs_sync__number(result, row, 3),
                           kecs_sync__number(result, row, 4), kecs_sync__number(result, row, 5),
                           kecs_sync__number(result, row, 6)};
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
