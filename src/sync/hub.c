/* sync/hub.c -- making a hub of a tenant: the backend's schema with its change log, and what sync has beyond it. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/connection.h"
#include "pg/log_sql.h"
#include "pg/public.h"
#include "sync/hub_sql.h"

#include <string.h>

/* Rows from before the log was switched on have no stamps. */
static void kecs_sync__hub_stamps(kecs_pg__text *out, const kecs_pg__connection *connection,
                                  const kecs_kind_info *info) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema}, {"T", connection->home->tenant}, {"t", info->table}, {NULL, NULL}};
  kecs_pg__text_fill(out, "UPDATE {S}{t} SET stamp_life={S}change_stamp() WHERE tenant={T} AND stamp_life IS NULL;\n",
                     marks);
}

static kecs_status kecs_sync__hub_make(kecs_connection *shared, uint64_t kinds) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const kecs_backend *backend = kecs_pg_backend();
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char version[KECS_SYNC__VERSION_SIZE];
  kecs_sync__version(version);
  /* Functions call each other, in whatever order they are made. */
  kecs_pg__text_adds(&text, "SET LOCAL client_min_messages=warning;\nSET LOCAL check_function_bodies=off;\n");
  kecs_sync__hub_common(&text, connection, version);
  kecs_sync__hub_buckets(&text, connection);
  kecs_sync__hub_scopes(&text, connection);
  kecs_sync__hub_tokens(&text, connection);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_pg__log_triggers(&text, connection, info); /* an earlier version's may tell of other groups */
    if (kecs_sync__only_grows(info)) {
      kecs_sync__hub_append(&text, connection, info);
      kecs_sync__hub_reads(&text, connection, info);
    } else if (kinds & KECS_BIT(kind)) {
      kecs_sync__hub_kind(&text, connection, info);
      kecs_sync__hub_repair(&text, connection, info);
      kecs_sync__hub_reads(&text, connection, info);
      kecs_sync__hub_stamps(&text, connection, info);
    }
  }
  kecs_sync__hub_retention(&text, connection);
  kecs_sync__hub_gates(&text, connection);
  kecs_status status = text.status ? text.status : backend->begin(shared, true);
  status = status ? status : backend->keep_out(shared);
  status = status ? status : kecs_pg__command(connection, text.data, KECS_PG__STOPS, "make a hub", NULL);
  status = status ? status : backend->commit(shared);
  if (status) {
    kecs_error error = *kecs_last_error();
    backend->rollback(shared);
    kecs_pg__restore(&error);
  }
  kecs_pg__text_free(&text);
  return status;
}

static kecs_status kecs_sync__init_link(kecs_connection *link, const kecs_place *place, void *user) {
  (void)place;
  return kecs_sync__hub_make(link, *(const uint64_t *)user);
}

static kecs_status kecs_sync__init_work(kecs_store *store, const char *hub, void *user) {
  uint64_t kinds = kecs_replica_kinds(store);
  (void)user;
  return kecs_sync__over_link(store, hub, false, 60000, kecs_sync__init_link, &kinds);
}

KECS_STORE_API kecs_status kecs_sync_hub_init(const char *hub) {
  static const kecs_sync__visit visit = {KECS_TRACK_ON, false, kecs_sync__init_work};
  return kecs_sync__at_hub(hub, &visit, NULL);
}

static kecs_status kecs_sync__hub_retain_work(kecs_store *store, const char *hub, void *user) {
  (void)hub;
  return kecs_replica_retain(store, *(const int64_t *)user);
}

KECS_STORE_API kecs_status kecs_sync_hub_retain(const char *hub, int64_t retention_us) {
  static const kecs_sync__visit visit = {KECS_TRACK_KEEP, false, kecs_sync__hub_retain_work};
  return kecs_sync__at_hub(hub, &visit, &retention_us);
}
