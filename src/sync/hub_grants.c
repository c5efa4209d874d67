/* sync/hub_grants.c -- what an administrator gives sites and takes from them: clusters, tokens, and limits. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/public.h"

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__GRANT_VALUES = 4, KECS_SYNC__TOKEN_BYTES = (KECS_SYNC_TOKEN_SIZE - 1) / 2 };

/* Statements of one transaction at a hub; the first one's number may be asked for. */
typedef struct kecs_sync__grant {
  const char *site;
  const char *statements[2];
  const char *second; /* the second value of each; NULL: there is none */
  int64_t number;
  const char *more[KECS_SYNC__GRANT_VALUES - 2]; /* the rest of them, where `whole` */
  bool whole;
} kecs_sync__grant;

static kecs_status kecs_sync__grant_send(kecs_sync *sync, kecs_sync__grant *grant) {
  const char *values[KECS_SYNC__GRANT_VALUES] = {grant->site, grant->second, grant->more[0], grant->more[1]};
  int count = grant->whole ? KECS_SYNC__GRANT_VALUES : grant->second ? 2 : 1;
  kecs_sync__exchange exchange;
  kecs_sync__begin(&exchange, sync, true);
  int first = exchange.count;
  for (size_t i = 0; i < sizeof grant->statements / sizeof grant->statements[0]; i++) {
    if (grant->statements[i]) {
      (void)kecs_sync__add_item(&exchange, grant->statements[i], "", values, count);
    }
  }
  kecs_status status = kecs_sync__send(&exchange, "write grants");
  grant->number = status ? 0 : kecs_sync__number(exchange.item[first].result, 0, 0);
  kecs_sync__end(&exchange);
  return status;
}

/* By a handle that is no edge's: only its connection is used. */
static kecs_status kecs_sync__grant_work(kecs_store *store, const char *hub, void *user) {
  kecs_sync__grant *grant = user;
  const kecs_allocator *allocator = kecs_replica_allocator(store);
  kecs_sync *sync = kecs_pg__alloc(allocator, sizeof *sync);
  if (!sync) {
    return KECS_E_NOMEM;
  }
#if !defined(KECS_STORE_NO_THREADS)
  if (pthread_mutex_init(&sync->mutex, NULL) != 0) {
    kecs_pg__release(allocator, sync, sizeof *sync);
    return kecs_pg__fail(KECS_E_NOMEM, "there is no mutex for the connection to the hub");
  }
#endif
  sync->allocator = *allocator;
  sync->store = store;
  sync->clusters.allocator = &sync->allocator;
  sync->hub = kecs_pg__copy(allocator, hub, strlen(hub));
  kecs_status status = sync->hub ? kecs_pg_backend()->attach(sync->hub, &sync->allocator, &sync->place) : KECS_E_NOMEM;
  status = status ? status : kecs_sync__grant_send(sync, grant);
  kecs_error error = *kecs_last_error();
  kecs_sync_close(sync);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status;
}

static kecs_status kecs_sync__grant_do(const char *hub, kecs_sync__grant *grant) {
  static const kecs_sync__visit visit = {KECS_TRACK_KEEP, false, kecs_sync__grant_work};
  return kecs_sync__at_hub(hub, &visit, grant);
}

static kecs_status kecs_sync__grant_check(const char *hub, const char *site) {
  size_t len = site ? strlen(site) : 0;
  if (!hub || !kecs_pg_backend()->answers_to(hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "hub must be the URL of a PostgreSQL database");
  }
  return len > 0 && len <= KECS_SYNC__NAME_MAX
             ? KECS_OK
             : kecs_pg__fail(KECS_E_INVALID, "site must be a name of 1 to %d bytes", (int)KECS_SYNC__NAME_MAX);
}

static kecs_status kecs_sync__grant_cluster(const char *cluster, char out[KECS_SYNC__SCOPE_MAX]) {
  return cluster ? kecs_sync__scope_name(cluster, out)
                 : kecs_pg__fail(KECS_E_INVALID, "cluster is NULL: give its name, its ARN, - or *");
}

KECS_STORE_API kecs_status kecs_sync_hub_grant(const char *hub, const char *site, const char *cluster) {
  static const char all[] = "DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1)";
  static const char one[] =
      "INSERT INTO {S}sync_grants(tenant,site,cluster) VALUES({T},{S}sync_base($1),$2) ON CONFLICT DO NOTHING";
  static const char nothing[] =
      "DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1) AND cluster='' AND $2<>''";
  char name[KECS_SYNC__SCOPE_MAX];
  bool tenant = cluster && strcmp(cluster, "*") == 0;
  kecs_sync__grant grant = {
      .site = site, .statements = {tenant ? all : one, tenant ? NULL : nothing}, .second = tenant ? NULL : name};
  kecs_status status = kecs_sync__grant_check(hub, site);
  status = status || tenant ? status : kecs_sync__grant_cluster(cluster, name);
  return status ? status : kecs_sync__grant_do(hub, &grant);
}

/* The last one leaves an empty name behind: a site without a line has the whole tenant. */
KECS_STORE_API kecs_status kecs_sync_hub_revoke(const char *hub, const char *site, const char *cluster) {
  static const char all[] = "DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1)";
  static const char nothing[] = "INSERT INTO {S}sync_grants(tenant,site,cluster) VALUES({T},{S}sync_base($1),'')";
  static const char one[] =
      "WITH gone AS (DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1) AND cluster=$2 RETURNING 1),"
      "kept AS (INSERT INTO {S}sync_grants(tenant,site,cluster) SELECT {T},{S}sync_base($1),'' WHERE EXISTS(SELECT "
      "FROM gone) AND (SELECT count(*) FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1))=1) "
      "SELECT count(*) FROM gone";
  char name[KECS_SYNC__SCOPE_MAX];
  bool tenant = cluster && strcmp(cluster, "*") == 0;
  kecs_sync__grant grant = {
      .site = site, .statements = {tenant ? all : one, tenant ? nothing : NULL}, .second = tenant ? NULL : name};
  kecs_status status = kecs_sync__grant_check(hub, site);
  status = status || tenant ? status : kecs_sync__grant_cluster(cluster, name);
  status = status ? status : kecs_sync__grant_do(hub, &grant);
  return status || tenant || grant.number > 0
             ? status
             : kecs_pg__fail(KECS_E_NOT_FOUND,
                             "the site \"%s\" has no grant of %s: one without any has the whole tenant; grant what it "
                             "is to have, or revoke *",
                             site, name);
}

/* ---- tokens ---- */

static kecs_status kecs_sync__token_make(char out_token[KECS_SYNC_TOKEN_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[KECS_SYNC__TOKEN_BYTES];
  FILE *file = fopen("/dev/urandom", "rb");
  size_t count = file ? fread(bytes, 1, sizeof bytes, file) : 0;
  if (file) {
    (void)fclose(file);
  }
  if (count != sizeof bytes) {
    return kecs_pg__fail(KECS_E_IO, "there are no random bits for a token: /dev/urandom can't be read");
  }
  for (size_t i = 0; i < sizeof bytes; i++) {
    out_token[2 * i] = digits[bytes[i] >> 4];
    out_token[2 * i + 1] = digits[bytes[i] & 15];
  }
  out_token[KECS_SYNC_TOKEN_SIZE - 1] = '\0';
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_sync_hub_token(const char *hub, const char *site,
                                               char out_token[KECS_SYNC_TOKEN_SIZE]) {
  static const char make[] =
      "INSERT INTO {S}sync_tokens(tenant,site,hash) VALUES({T},{S}sync_base($1),sha256(convert_to($2,'UTF8'))) "
      "ON CONFLICT(tenant,site) DO UPDATE SET hash=excluded.hash,made=excluded.made";
  static const char take[] = "DELETE FROM {S}sync_tokens WHERE tenant={T} AND site={S}sync_base($1)";
  char token[KECS_SYNC_TOKEN_SIZE] = "";
  kecs_sync__grant grant = {
      .site = site, .statements = {out_token ? make : take, NULL}, .second = out_token ? token : NULL};
  kecs_status status = kecs_sync__grant_check(hub, site);
  status = status || !out_token ? status : kecs_sync__token_make(token);
  status = status ? status : kecs_sync__grant_do(hub, &grant);
  if (out_token) {
    memcpy(out_token, status ? "" : token, status ? 1 : sizeof token);
  }
  return status;
}

/* ---- limits ---- */

KECS_STORE_API kecs_status kecs_sync_hub_limit(const char *hub, const char *site, const kecs_sync_limits *limits) {
  static const char say[] =
      "INSERT INTO {S}sync_limits(tenant,site,every_ms,batch,pause) VALUES({T},{S}sync_base($1),$2,$3,$4) "
      "ON CONFLICT(tenant,site) DO UPDATE SET every_ms=excluded.every_ms,batch=excluded.batch,pause=excluded.pause";
  static const char take[] = "DELETE FROM {S}sync_limits WHERE tenant={T} AND site={S}sync_base($1)";
  char every[24] = "";
  char batch[24] = "";
  kecs_sync__grant grant = {
      .site = site ? site : "", .statements = {limits ? say : take, NULL}, .whole = limits != NULL};
  kecs_status status = kecs_sync__grant_check(hub, site ? site : "*");
  status = status || !limits ? status : kecs_sync__limits_check(limits);
  if (!status && limits) {
    snprintf(every, sizeof every, "%lld", (long long)limits->every_ms);
    snprintf(batch, sizeof batch, "%lld", (long long)limits->batch);
    grant.second = every;
    grant.more[0] = batch;
    grant.more[1] = limits->pause;
  }
  return status ? status : kecs_sync__grant_do(hub, &grant);
}
