/* store/profile.c -- the profiles as one table, and the options over it. */
#include "base/prologue.h"

#include "store/profile.h"

#include <string.h>

#define KECS__MEMORY_PATH ":memory:"
#define KECS__BUSY_MS 30000
#define KECS__READERS_MAX 64
#define KECS__DOCUMENT_BYTES ((size_t)64 << 20)
#define KECS__CACHE_ENTRIES 10000
#define KECS__CACHE_ENTRIES_MAX 100000000
#define KECS__CACHE_TTL_MS 300000
#define KECS__CACHE_KIB 65536

typedef struct kecs__profile {
  kecs_durability durability;
  int page_bytes; /* 0: the backend's own */
  int log_kib;    /* 0: the backend's own */
  int cache_kib;
  int readers;
  int statements;
  int share_window_ms;
  int heartbeat_ms;
  int memory_kib;
  int cache_entries; /* of rows; negative: none */
} kecs__profile;

/* edge: small pages, because a status that changes writes whole pages to the flash; few of them in memory; a log that
 * is moved late, so that a page that changes often is moved once. */
static const kecs__profile kecs__profiles[] = {
    {KECS_DURABILITY_NORMAL, 0, 0, 65536, 4, 512, 0, 0, 0, KECS__CACHE_ENTRIES},
    {KECS_DURABILITY_FULL, 0, 0, 65536, 4, 512, 0, 0, 0, KECS__CACHE_ENTRIES},
    {KECS_DURABILITY_NORMAL, 1024, 2048, 64, 1, 16, 20, 10000, 256, -1},
    {KECS_DURABILITY_NORMAL, 0, 0, 65536, 4, 512, 0, 0, 0, KECS__CACHE_ENTRIES},
};
#define KECS__PROFILE_COUNT (sizeof kecs__profiles / sizeof kecs__profiles[0])

static const kecs_pool_options kecs__pool_defaults = {30000, 1800000, 3600000, 60000, 300000};

KECS__FN const char *kecs__profile_path(const kecs_options *options) {
  bool empty = !options->path || !options->path[0];
  return empty && options->profile == KECS_PROFILE_MEMORY ? KECS__MEMORY_PATH : options->path;
}

static bool kecs__digits(const char *text, size_t count) {
  size_t i = 0;
  while (text[i] >= '0' && text[i] <= '9') {
    i++;
  }
  return i == count && text[i] == '\0';
}

static kecs_status kecs__check_least(const char *name, int64_t value, int64_t least) {
  if (value >= least) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_INVALID, "options.%s is %lld; give %lld or more, 0 for the default", name, (long long)value,
                    (long long)least);
}

static kecs_status kecs__profile_check_cache(const kecs_row_cache_options *cache) {
  kecs_status status = kecs__check_least("row_cache.ttl_ms", cache->ttl_ms, 0);
  status = status ? status : kecs__check_least("row_cache.kib", cache->kib, 0);
  status = status ? status : kecs__check_least("row_cache.staleness_ms", cache->staleness_ms, 0);
  if (!status && cache->entries > KECS__CACHE_ENTRIES_MAX) {
    status = kecs__fail(KECS_E_INVALID, "options.row_cache.entries is %d; give at most %d", cache->entries,
                        KECS__CACHE_ENTRIES_MAX);
  }
#if defined(KECS_STORE_NO_CACHE)
  if (!status && (cache->entries > 0 || cache->ttl_ms || cache->kib || cache->staleness_ms)) {
    status = kecs__fail(KECS_E_UNSUPPORTED, "options.row_cache: this program was built with KECS_STORE_NO_CACHE");
  }
#endif
  return status;
}

static kecs_status kecs__profile_check_path(const kecs_options *options) {
  const char *path = kecs__profile_path(options);
  if (!path || !path[0]) {
    return kecs__fail(KECS_E_INVALID, "options.path is empty; give a file, \":memory:\" or a URL");
  }
  if (options->profile == KECS_PROFILE_MEMORY && strcmp(path, KECS__MEMORY_PATH) != 0) {
    return kecs__fail(KECS_E_INVALID,
                      "options.profile is KECS_PROFILE_MEMORY and options.path is \"%s\"; leave one out", path);
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__profile_check(const kecs_options *options) {
  if ((int)options->profile < 0 || (size_t)options->profile >= KECS__PROFILE_COUNT) {
    return kecs__fail(KECS_E_INVALID,
                      "options.profile is %d; give one of KECS_PROFILE_DEFAULT, _DURABLE, _EDGE, _MEMORY",
                      (int)options->profile);
  }
  kecs_status status = kecs__profile_check_path(options);
  if (status) {
    return status;
  }
  if (options->account_id && !kecs__digits(options->account_id, 12)) {
    return kecs__fail(KECS_E_INVALID, "options.account_id \"%s\" is not 12 digits", options->account_id);
  }
  if (options->region && !options->region[0]) {
    return kecs__fail(KECS_E_INVALID, "options.region is empty; leave it NULL for us-east-1");
  }
  if (options->readers < 0 || options->readers > KECS__READERS_MAX) {
    return kecs__fail(KECS_E_INVALID, "options.readers is %d; give 1 to %d, or 0 for the default", options->readers,
                      KECS__READERS_MAX);
  }
  if (options->durability != KECS_DURABILITY_NORMAL && options->durability != KECS_DURABILITY_FULL) {
    return kecs__fail(KECS_E_INVALID, "options.durability is %d; give KECS_DURABILITY_NORMAL or _FULL",
                      (int)options->durability);
  }
#if defined(KECS_STORE_NO_VALIDATION)
  if (options->strict) {
    return kecs__fail(KECS_E_UNSUPPORTED, "options.strict: this build leaves validation out; compile the "
                                          "implementation without KECS_STORE_NO_VALIDATION");
  }
#endif
  const int tracks[] = {(int)options->track, (int)options->history.track};
  for (size_t i = 0; i < sizeof tracks / sizeof tracks[0]; i++) {
    if (tracks[i] < (int)KECS_TRACK_KEEP || tracks[i] > (int)KECS_TRACK_OFF) {
      return kecs__fail(KECS_E_INVALID, "options.%s is %d; give KECS_TRACK_KEEP, _ON or _OFF",
                        i == 0 ? "track" : "history.track", tracks[i]);
    }
  }
  status = kecs__check_least("cache_kib", options->cache_kib, 0);
  status = status ? status : kecs__check_least("log_kib", options->log_kib, 0);
  status = status ? status : kecs__check_least("pool.acquire_ms", options->pool.acquire_ms, -1);
  status = status ? status : kecs__check_least("pool.idle_ms", options->pool.idle_ms, -1);
  status = status ? status : kecs__check_least("pool.lifetime_ms", options->pool.lifetime_ms, -1);
  status = status ? status : kecs__check_least("pool.check_ms", options->pool.check_ms, 0);
  status = status ? status : kecs__check_least("pool.read_age_ms", options->pool.read_age_ms, -1);
  return status ? status : kecs__profile_check_cache(&options->row_cache);
}

/* 0: what the profile has; negative: none. */
static int kecs__chosen(int given, int otherwise) {
  int chosen = given ? given : otherwise;
  return chosen < 0 ? 0 : chosen;
}

KECS__FN size_t kecs__profile_memory(const kecs_options *options) {
  return (size_t)kecs__chosen(options->memory_kib, kecs__profiles[options->profile].memory_kib) * 1024;
}

/* Where memory is counted, a cache nobody has asked for would take it from what is needed. */
static void kecs__profile_cache(kecs__engine *engine, const kecs_options *options) {
  const kecs_row_cache_options *given = &options->row_cache;
  int otherwise = kecs__profile_memory(options) ? -1 : kecs__profiles[options->profile].cache_entries;
  engine->cache_wanted = given->entries > 0 || given->staleness_ms > 0;
  engine->cache_entries = kecs__chosen(given->entries, given->staleness_ms ? KECS__CACHE_ENTRIES : otherwise);
  engine->cache_rows_kib = kecs__chosen(given->kib, KECS__CACHE_KIB);
  engine->cache_ttl_us = (int64_t)kecs__chosen(given->ttl_ms, KECS__CACHE_TTL_MS) * 1000;
  engine->cache_staleness_us = (int64_t)given->staleness_ms * 1000;
}

KECS__FN void kecs__profile_apply(kecs__engine *engine, const kecs_options *options) {
  const kecs__profile *profile = &kecs__profiles[options->profile];
  const kecs_pool_options *pool = &kecs__pool_defaults;
  engine->durability = options->durability ? options->durability : profile->durability;
  engine->page_bytes = profile->page_bytes;
  engine->small = profile->memory_kib > 0;
  engine->log_kib = kecs__chosen(options->log_kib, profile->log_kib);
  engine->cache_kib = kecs__chosen(options->cache_kib, profile->cache_kib);
  engine->session_max = kecs__chosen(options->readers, profile->readers);
  engine->statements_max = profile->statements;
  engine->share_window_us = (int64_t)kecs__chosen(options->share_window_ms, profile->share_window_ms) * 1000;
  engine->heartbeat_us = (int64_t)kecs__chosen(options->heartbeat_ms, profile->heartbeat_ms) * 1000;
  engine->busy_timeout_ms = kecs__chosen(options->busy_timeout_ms, KECS__BUSY_MS);
  engine->document_bytes_max = options->document_bytes_max ? options->document_bytes_max : KECS__DOCUMENT_BYTES;
  engine->pool.acquire_ms = kecs__chosen(options->pool.acquire_ms, pool->acquire_ms);
  engine->pool.idle_ms = kecs__chosen(options->pool.idle_ms, pool->idle_ms);
  engine->pool.lifetime_ms = kecs__chosen(options->pool.lifetime_ms, pool->lifetime_ms);
  engine->pool.check_ms = kecs__chosen(options->pool.check_ms, pool->check_ms);
  engine->pool.read_age_ms = kecs__chosen(options->pool.read_age_ms, pool->read_age_ms);
  kecs__profile_cache(engine, options);
}

/* The option, else what the place says, else what is set already. */
static void kecs__choose(int given, int place, int *out) {
  if (given == 0 && place != 0) {
    *out = place < 0 ? 0 : place;
  }
}

KECS__FN void kecs__profile_place(kecs__engine *engine, const kecs_options *options) {
  const kecs_place *place = &engine->place;
  if (place->pool_max > 0) {
    engine->session_max = place->pool_max;
    engine->session_min = place->pool_min;
  }
  kecs__choose(options->pool.acquire_ms, place->pool.acquire_ms, &engine->pool.acquire_ms);
  kecs__choose(options->pool.idle_ms, place->pool.idle_ms, &engine->pool.idle_ms);
  kecs__choose(options->pool.lifetime_ms, place->pool.lifetime_ms, &engine->pool.lifetime_ms);
  kecs__choose(options->pool.check_ms, place->pool.check_ms, &engine->pool.check_ms);
}
