/* store/event.c -- audit events: retention. */
#include "base/prologue.h"

#include "store/ecs.h"
#include "store/write.h"

static kecs_status kecs__event_old(kecs__plan *plan, const void *user) {
  kecs_value before = kecs__value_int(*(const int64_t *)user);
  kecs__plan_where(plan, "timestamp<?", &before, 1);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_event_prune(kecs_store *store, int64_t before, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_EVENT, kecs__event_old, &before, out_count);
}
