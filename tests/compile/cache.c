/* A user of the row cache, and of a library that was built without one (KECS_STORE_NO_CACHE, also for this file). */
#include "kecs_store.h"

#include <stdio.h>
#include <string.h>

static int cache_fail(const char *what) {
  printf("%s: %s\n", what, kecs_last_error()->text);
  return 1;
}

static int cache_used(kecs_store *store, bool on) {
  kecs_cluster cluster = {0};
  kecs_result *result = NULL;
  kecs_info info;
  cluster.name = "smoke";
  if (kecs_cluster_create(store, &cluster, NULL)) {
    return cache_fail("create");
  }
  for (int i = 0; i < 3; i++) {
    if (kecs_cluster_get(store, "smoke", &result) || strcmp(kecs_cluster_at(result, 0)->name, "smoke") != 0) {
      return cache_fail("get");
    }
    kecs_result_free(result);
    if (kecs_cluster_list(store, NULL, &result) || kecs_result_count(result) != 1) {
      return cache_fail("list");
    }
    kecs_result_free(result);
  }
  if (kecs_store_info(store, &info) || kecs_cache_clear(store)) {
    return cache_fail("kecs_store_info");
  }
  if (info.cache.on != on || info.cache.hits != (on ? 4 : 0)) {
    printf("the cache is %s and has %d hits\n", info.cache.on ? "on" : "off", (int)info.cache.hits);
    return 1;
  }
  return 0;
}

int main(void) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  bool on = true;
#if defined(KECS_STORE_NO_CACHE)
  on = false;
  options.path = ":memory:";
  options.row_cache.entries = 100;
  if (kecs_open(&options, &store) != KECS_E_UNSUPPORTED || !strstr(kecs_last_error()->text, "KECS_STORE_NO_CACHE")) {
    return cache_fail("a cache was asked for");
  }
  options.row_cache.entries = -1;
#endif
  options.path = ":memory:";
  if (kecs_open(&options, &store)) {
    return cache_fail("kecs_open");
  }
  if (cache_used(store, on) || kecs_close(store)) {
    return 1;
  }
  printf("smoke: cache %s\n", on ? "on" : "left out");
  return 0;
}
