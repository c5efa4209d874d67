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

/* Over a connection of its own, once the store has made its schema. */
static kecs_status kecs_sync__hub_connect(const char *hub, const kecs_allocator *allocator, uint64_t kinds) {
  const kecs_backend *backend = kecs_pg_backend();
  kecs_connect_options options;
  kecs_connection *connection = NULL;
  kecs_place place;
  memset(&place, 0, sizeof place);
  memset(&options, 0, sizeof options);
  kecs_status status = backend->attach(hub, allocator, &place);
  options.path = hub;
  options.place = &place;
  options.allocator = allocator;
  options.busy_timeout_ms = 60000;
  status = status ? status : backend->connect(&options, &connection);
  status = status ? status : kecs_sync__hub_make(connection, kinds);
  kecs_error error = *kecs_last_error();
  if (connection) {
    backend->disconnect(connection);
  }
  backend->detach(&place, allocator);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status;
}

/* The hub's store, tracked where `make` says so. */
static kecs_status kecs_sync__hub_open(const char *hub, bool make, kecs_store **out_store) {
  kecs_options options;
  if (!hub || !kecs_pg_backend()->answers_to(hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "hub must be the URL of a PostgreSQL database");
  }
  memset(&options, 0, sizeof options);
  options.path = hub;
  options.backends = kecs_pg_backends();
  options.track = make ? KECS_TRACK_ON : KECS_TRACK_KEEP;
  return kecs_open(&options, out_store);
}

static kecs_status kecs_sync__hub_close(kecs_store *store, kecs_status status) {
  kecs_error error = *kecs_last_error();
  kecs_status closed = kecs_close(store);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status ? status : closed;
}

KECS_STORE_API kecs_status kecs_sync_hub_init(const char *hub) {
  kecs_store *store = NULL;
  kecs_status status = kecs_sync__hub_open(hub, true, &store);
  if (status) {
    return status;
  }
  status = kecs_sync__hub_connect(hub, kecs_replica_allocator(store), kecs_replica_kinds(store));
  return kecs_sync__hub_close(store, status);
}

KECS_STORE_API kecs_status kecs_sync_hub_retain(const char *hub, int64_t retention_us) {
  kecs_store *store = NULL;
  kecs_changes_info info;
  kecs_status status = kecs_sync__hub_open(hub, false, &store);
  if (status) {
    return status;
  }
  status = kecs_changes_describe(store, &info);
  if (!status && !info.tracked) {
    status = kecs_pg__fail(KECS_E_UNSUPPORTED, "the tenant is not a hub: kecs_sync_hub_init makes one of it");
  }
  status = status ? status : kecs_replica_retain(store, retention_us);
  return kecs_sync__hub_close(store, status);
}
