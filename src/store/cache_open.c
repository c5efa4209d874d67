/* store/cache_open.c -- the row cache as a whole: made when a store is opened, where it can be right; described,
 * emptied and closed. */
#include "base/prologue.h"

#include "store/cache_entries.h"

#include "base/id.h"
#include "store/feed.h"

#if !defined(KECS_STORE_NO_CACHE)

static kecs_status kecs__cache_locks(kecs__cache *cache) {
  kecs__mutex *mutexes[KECS__CACHE_SLOTS + 2] = {&cache->state, &cache->order};
  int made = 0;
  for (int i = 0; i < KECS__CACHE_SLOTS; i++) {
    mutexes[i + 2] = &cache->slots[i].mutex;
  }
  while (made < KECS__CACHE_SLOTS + 2 && kecs__mutex_init(mutexes[made]) == KECS_OK) {
    made++;
  }
  if (made == KECS__CACHE_SLOTS + 2) {
    return KECS_OK;
  }
  while (made > 0) {
    kecs__mutex_destroy(mutexes[--made]);
  }
  return KECS_E_NOMEM;
}

static void kecs__cache_free(kecs__cache *cache) {
  const kecs_allocator *allocator = &cache->engine->allocator;
  kecs__cache_remove_kind(cache, KECS_KIND_COUNT);
  kecs__release(allocator, cache->nodes, cache->node_room * sizeof *cache->nodes);
  kecs__release(allocator, cache->by_name.links, cache->by_name.room * sizeof *cache->by_name.links);
  kecs__release(allocator, cache->by_row.links, cache->by_row.room * sizeof *cache->by_row.links);
  kecs__mutex_destroy(&cache->state);
  kecs__mutex_destroy(&cache->order);
  for (int i = 0; i < KECS__CACHE_SLOTS; i++) {
    kecs__mutex_destroy(&cache->slots[i].mutex);
  }
  kecs__release(allocator, cache, sizeof *cache);
}

KECS__FN void kecs__cache_close(kecs__engine *engine) {
  if (engine->cache) {
    kecs__cache_free(engine->cache);
    engine->cache = NULL;
  }
}

/* Others who write the same database must be seen, or be allowed to be seen late. */
static bool kecs__cache_can(kecs__engine *engine, kecs__cache *cache) {
  const kecs_backend *backend = engine->backend;
  if (!engine->shared) {
    return true;
  }
  cache->marked = backend->mark && backend->one_writer && backend->mark(engine->writer->connection, &cache->mark);
  if (!cache->marked && engine->cache_staleness_us > 0) {
    cache->ttl_us = engine->cache_staleness_us < cache->ttl_us ? engine->cache_staleness_us : cache->ttl_us;
    return true;
  }
  if (!cache->marked && engine->cache_wanted) {
    kecs__log(engine, KECS_LOG_WARNING,
              "%s: the row cache is off: what other processes write can't be seen here; options.row_cache.staleness_ms "
              "switches it on with answers that may be so old",
              engine->place.shown);
  }
  return cache->marked;
}

KECS__FN kecs_status kecs__cache_open(kecs_store *store) {
  kecs__engine *engine = store->engine;
  if (engine->cache_entries == 0) {
    return KECS_OK;
  }
  kecs__cache *cache = kecs__alloc_zero(&engine->allocator, sizeof *cache);
  if (!cache || kecs__cache_locks(cache)) {
    kecs__release(&engine->allocator, cache, sizeof *cache);
    return KECS_E_NOMEM;
  }
  cache->engine = engine;
  cache->entries_max = (size_t)engine->cache_entries;
  cache->bytes_max = (size_t)engine->cache_rows_kib * 1024;
  cache->ttl_us = engine->cache_ttl_us;
  cache->natural = engine->backend->start_last != NULL;
  cache->parents = 1;
  if (kecs__random_fill(&engine->random, (unsigned char *)&cache->seed, sizeof cache->seed)) {
    cache->seed = (uint64_t)(uintptr_t)cache;
  }
  kecs__feed_end end = {0, 0, 0};
  kecs_status status = KECS_OK;
  if (!kecs__cache_can(engine, cache)) {
    kecs__cache_free(cache);
    return KECS_OK;
  }
  if (!engine->pooled && kecs__flag_get(&engine->tracked)) {
    status = kecs__feed_read_end(engine->writer, &end);
    cache->seq = end.seq;
  }
  if (status) {
    kecs__cache_free(cache);
    return status;
  }
  engine->cache = cache;
  return KECS_OK;
}

KECS__FN void kecs__cache_describe(kecs__engine *engine, kecs_cache_info *out_info) {
  kecs__cache *cache = engine->cache;
  if (!cache) {
    return;
  }
  kecs__cache_lock_all(cache);
  out_info->on = true;
  out_info->entries_max = (int64_t)cache->entries_max;
  out_info->bytes_max = (int64_t)cache->bytes_max;
  out_info->entries = (int64_t)cache->entries;
  out_info->bytes = (int64_t)cache->bytes;
  for (int i = 0; i < KECS__CACHE_SLOTS; i++) {
    out_info->hits += cache->slots[i].hits;
    out_info->misses += cache->slots[i].misses;
  }
  out_info->evictions = cache->evictions;
  out_info->expirations = cache->expirations;
  out_info->invalidations = cache->invalidations;
  out_info->flushes = cache->flushes;
  kecs__cache_unlock_all(cache);
}

KECS_STORE_API kecs_status kecs_cache_clear(kecs_store *store) {
  kecs_status status = kecs__check_handle(store);
  if (!status && store->engine->cache) {
    kecs__cache_lock_all(store->engine->cache);
    kecs__cache_remove_kind(store->engine->cache, KECS_KIND_COUNT);
    kecs__cache_unlock_all(store->engine->cache);
  }
  return status;
}

#else

KECS_STORE_API kecs_status kecs_cache_clear(kecs_store *store) {
  return kecs__check_handle(store); /* there is nothing to drop */
}

#endif
