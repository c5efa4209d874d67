/* A small user of the library, compiled in every way that the matrix knows; also valid C++. */
#include "kecs_store.h"

#include <stdio.h>
#include <string.h>

static int smoke_fail(const char *what) {
  printf("%s failed: %s\n", what, kecs_last_error()->text);
  return 1;
}

static int smoke_rows(kecs_store *store) {
  kecs_cluster cluster = {0};
  kecs_service service = {0};
  kecs_result *result = NULL;
  kecs_query query = {0};
  const kecs_service *found = NULL;
  cluster.name = "smoke";
  if (kecs_cluster_create(store, &cluster, NULL) != KECS_OK) {
    return smoke_fail("kecs_cluster_create");
  }
  service.cluster_arn = "smoke";
  service.name = "web";
  service.desired_count = INT64_C(0x0102030405060708);
  service.health_check_grace_period_seconds.has = true;
  service.health_check_grace_period_seconds.value = -5;
  if (kecs_service_create(store, &service, NULL) != KECS_OK) {
    return smoke_fail("kecs_service_create");
  }
  if (kecs_service_list(store, &query, &result) != KECS_OK) {
    return smoke_fail("kecs_service_list");
  }
  found = kecs_service_at(result, 0);
  if (kecs_result_count(result) != 1 || found == NULL || strcmp(found->name, "web") != 0 || found->version != 1 ||
      found->desired_count != service.desired_count || found->health_check_grace_period_seconds.value != -5) {
    printf("the row that came back is not the row that was stored\n");
    return 1;
  }
  kecs_result_free(result);
  return 0;
}

int main(void) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = ":memory:";
  if (kecs_open(&options, &store) != KECS_OK) {
    return smoke_fail("kecs_open");
  }
  if (smoke_rows(store) != 0) {
    return 1;
  }
  if (kecs_close(store) != KECS_OK) {
    return smoke_fail("kecs_close");
  }
  printf("smoke: %s\n", kecs_build_info());
  return 0;
}
