/* sync/repush.c -- what a repair has found missing at the hub goes there again: with the stamps and the sites that it
 * has, whoever wrote it.
 *
 * The keys stand in sync_repush until the push that brought them is acknowledged. Where only the next handshake tells
 * that it arrived, they are sent once more, which changes nothing. */
#include "pg/prologue.h"

#include "sync/push.h"

#include <stdio.h>
#include <string.h>

typedef struct kecs_sync__gather {
  kecs_sync__load *load;
  kecs_sync__key *key;
} kecs_sync__gather;

/* Tombstones of another site than the first one's wait for the next push. */
static kecs_status kecs_sync__gather_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__gather *gather = user;
  kecs_sync__load *load = gather->load;
  if (row->dead && load->buries && row->site[0] != load->origin) {
    gather->key->sent = false;
    return KECS_OK;
  }
  load->origin = row->dead ? row->site[0] : load->origin;
  return kecs_sync__load_visit(row, load);
}

/* The next keys, children first, as deletions want it; rows are sorted by their kinds anyway. */
static kecs_status kecs_sync__gather_keys(kecs_sync *sync, kecs_sync__keys *keys) {
  kecs_value limit = kecs_sync__value_int(sync->batch);
  return kecs_replica_sql(sync->store, "SELECT kind,key FROM {sync_repush} WHERE {own}true ORDER BY kind,key LIMIT ?1",
                          &limit, 1, 2, kecs_sync__key_visit, keys);
}

static kecs_status kecs_sync__repush_batch(kecs_sync *sync, bool *out_more) {
  kecs_sync__load load;
  kecs_sync__keys keys = {sync, NULL};
  kecs_replica side = kecs_sync__side(sync);
  bool again = sync->notes.intent.id[0] != '\0';
  kecs_sync__load_begin(&load, sync);
  kecs_status status = kecs_sync__gather_keys(sync, &keys);
  for (kecs_sync__key *key = keys.first; !status && key; key = key->next) {
    kecs_sync__gather gather = {&load, key};
    key->sent = true; /* also where nothing is left of it */
    status = kecs_replica_find(sync->store, &side, key->kind, key->key, kecs_sync__gather_visit, &gather);
  }
  *out_more = keys.first != NULL;
  if (!status && (keys.first || again)) {
    sync->sent = keys.first;
    status = kecs_sync__intend(sync, KECS_SYNC__OF_REPUSH, 0);
    status = status ? status : kecs_sync__push_send(sync, &load);
    sync->sent = NULL;
    sync->report.resent += status ? 0 : load.rows;
  }
  kecs_sync__keys_free(&keys);
  kecs_sync__load_free(&load);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__repush(kecs_sync *sync) {
  bool more = true;
  kecs_status status = KECS_OK;
  while (!status && more) {
    status = kecs_sync__repush_batch(sync, &more);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__repushed(kecs_store *tx, const kecs_sync *sync) {
  kecs_status status = KECS_OK;
  for (const kecs_sync__key *key = sync->sent; !status && key; key = key->next) {
    kecs_value values[] = {kecs_sync__value_int((int64_t)key->kind), kecs_sync__value_text(key->key)};
    if (key->sent) {
      status =
          kecs_replica_sql(tx, "DELETE FROM {sync_repush} WHERE {own}kind=?1 AND key=?2", values, 2, 0, NULL, NULL);
    }
  }
  return status;
}
