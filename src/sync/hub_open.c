/* sync/hub_open.c -- a hub for somebody who is no edge: the store is opened first, for its checks (that the schema is
 * there, and is not a newer one), and what is beyond the store goes over a connection of its own. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/public.h"

#include <string.h>

/* Whoever switches tracking on makes the hub; for all others it must be there. */
static kecs_status kecs_sync__check_tenant(kecs_store *store, const kecs_sync__visit *visit) {
  kecs_changes_info info;
  kecs_status status = visit->track == KECS_TRACK_ON ? KECS_OK : kecs_changes_describe(store, &info);
  return status || visit->track == KECS_TRACK_ON || info.tracked
             ? status
             : kecs_pg__fail(KECS_E_UNSUPPORTED, "the tenant of the URL is no hub: make one of it by kecs hub init");
}

KECS_PG__FN kecs_status kecs_sync__at_hub(const char *hub, const kecs_sync__visit *visit, void *user) {
  kecs_options options;
  kecs_store *store = NULL;
  if (!hub || !kecs_pg_backend()->answers_to(hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "hub must be the URL of a PostgreSQL database");
  }
  memset(&options, 0, sizeof options);
  options.path = hub;
  options.backends = kecs_pg_backends();
  options.track = visit->track;
  options.read_only = visit->read_only;
  kecs_status status = kecs_open(&options, &store);
  if (status) {
    return status;
  }
  status = kecs_sync__check_tenant(store, visit);
  status = status ? status : visit->work(store, hub, user);
  kecs_error error = *kecs_last_error();
  kecs_status closed = kecs_close(store);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status ? status : closed;
}

KECS_PG__FN kecs_status kecs_sync__over_link(kecs_store *store, const char *hub, bool read_only, int busy_timeout_ms,
                                             kecs_status (*work)(kecs_connection *link, const kecs_place *place,
                                                                 void *user),
                                             void *user) {
  const kecs_backend *backend = kecs_pg_backend();
  const kecs_allocator *allocator = kecs_replica_allocator(store);
  kecs_connect_options options;
  kecs_connection *link = NULL;
  kecs_place place;
  memset(&place, 0, sizeof place);
  memset(&options, 0, sizeof options);
  kecs_status status = backend->attach(hub, allocator, &place);
  options.path = hub;
  options.place = &place;
  options.allocator = allocator;
  options.read_only = read_only;
  options.busy_timeout_ms = busy_timeout_ms;
  status = status ? status : backend->connect(&options, &link);
  status = status ? status : work(link, &place, user);
  kecs_error error = *kecs_last_error();
  if (link) {
    backend->disconnect(link);
  }
  backend->detach(&place, allocator);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status;
}
