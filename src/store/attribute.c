/* store/attribute.c -- attributes: several put or removed at once. */
#include "base/prologue.h"

#include "store/ecs.h"
#include "store/validate_row.h"
#include "store/write.h"

#include <string.h>

typedef struct kecs__attributes {
  const char *cluster;
  const kecs_attribute *rows;
  size_t count;
} kecs__attributes;

static kecs_status kecs__attribute_put_one(kecs__write *write, const kecs__meta *meta, const kecs_attribute *given) {
  kecs_attribute row = *given;
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, &row) : KECS_OK;
  kecs__arena_reset(&write->arena);
  return status ? status : kecs__row_upsert(write, meta, &row, 0, NULL);
}

static kecs_status kecs__attribute_put_work(kecs__write *write, void *user) {
  const kecs__attributes *put = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_ATTRIBUTE);
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < put->count; i++) {
    status = kecs__attribute_put_one(write, meta, &put->rows[i]);
    if (status) {
      (void)kecs__fail_context("attribute %zu of %zu", i + 1, put->count);
    }
  }
  return status;
}

KECS_STORE_API kecs_status kecs_attribute_put(kecs_store *store, const kecs_attribute *rows, size_t count) {
  kecs__attributes put = {NULL, rows, count};
  kecs_status status = count > 0 ? kecs__check_pointer(rows, "rows") : KECS_OK;
  return status ? status : kecs__with_write(store, kecs__attribute_put_work, &put);
}

/* The row's cluster counts where the call names none; what is empty is what a put would have stored. */
static kecs_status kecs__attribute_remove_one(kecs__write *write, const kecs__meta *meta, const char *cluster,
                                              const kecs_attribute *given) {
  kecs_attribute row = *given;
  kecs__probe probe;
  int64_t rid = 0;
  row.cluster = cluster && cluster[0] ? cluster : given->cluster;
  kecs_status status = kecs__probe_row(write->session, meta, &row, &write->arena, &probe);
  if (!status) {
    status = kecs__probe_rid(write->session, meta, &probe, &rid);
  }
  return status || rid == 0 ? status : kecs__row_delete(write, meta, rid, &row);
}

static kecs_status kecs__attribute_remove_work(kecs__write *write, void *user) {
  const kecs__attributes *removed = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_ATTRIBUTE);
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < removed->count; i++) {
    kecs__arena_reset(&write->arena);
    status = kecs__attribute_remove_one(write, meta, removed->cluster, &removed->rows[i]);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_attribute_remove(kecs_store *store, const char *cluster, const kecs_attribute *rows,
                                                 size_t count) {
  kecs__attributes removed = {cluster, rows, count};
  kecs_status status = count > 0 ? kecs__check_pointer(rows, "rows") : KECS_OK;
  return status ? status : kecs__with_write(store, kecs__attribute_remove_work, &removed);
}
