/* kecs_store_pg.in.h -- the companion's manifest; what it builds upon is the public part of kecs_store.h. */
#include "doc/manual_pg.h"
#include "pg/prologue.h"
#ifndef KECS_STORE_PG_H
#define KECS_STORE_PG_H
#ifndef KECS_STORE_HEADER
#define KECS_STORE_HEADER "kecs_store.h"
#endif
#include KECS_STORE_HEADER
#ifdef __cplusplus
extern "C" {
#endif
#include "pg/public.h"
#include "sync/public.h"
#ifdef __cplusplus
}
#endif
#endif

#if defined(KECS_STORE_PG_IMPLEMENTATION) && !defined(KECS_STORE_PG_IMPLEMENTED)
#define KECS_STORE_PG_IMPLEMENTED
#include "pg/internal.c"
#include "pg/url.c"
#include "pg/address.c"
#include "pg/settings.c"
#include "pg/errors.c"
#include "pg/wire.c"
#include "pg/dial.c"
#include "pg/connection.c"
#include "pg/statement.c"
#include "pg/gather.c"
#include "pg/bulk.c"
#include "pg/text.c"
#include "pg/log_sql.c"
#include "pg/log_kind.c"
#include "pg/log.c"
#include "pg/backend.c"
#include "sync/columns.c"
#include "sync/hub_common.c"
#include "sync/hub_kinds.c"
#include "sync/hub_append.c"
#include "sync/hub_policy.c"
#include "sync/hub_load.c"
#include "sync/hub_sql.c"
#include "sync/hub_repair.c"
#include "sync/hub_owner.c"
#include "sync/hub_scope.c"
#include "sync/hub_gate.c"
#include "sync/hub_open.c"
#include "sync/hub_grants.c"
#include "sync/hub.c"
#include "sync/hub_state.c"
#include "sync/pack.c"
#include "sync/link.c"
#include "sync/notes.c"
#include "sync/collect.c"
#include "sync/load.c"
#include "sync/push.c"
#include "sync/append.c"
#include "sync/append_trim.c"
#include "sync/policy.c"
#include "sync/schema.c"
#include "sync/counters.c"
#include "sync/blocked.c"
#include "sync/repush.c"
#include "sync/limits.c"
#include "sync/pull.c"
#include "sync/scope.c"
#include "sync/md5.c"
#include "sync/digest.c"
#include "sync/identity.c"
#include "sync/reconcile.c"
#include "sync/compare.c"
#include "sync/restamp.c"
#include "sync/round.c"
#include "sync/thread.c"
#endif
#include "doc/licence.h"
