/* store/replica_append.c -- rows of kinds that only grow, from another store: they are there or not. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/rows.h"
#include "store/write.h"

#include <string.h>

typedef struct kecs__arrival {
  const kecs__meta *meta;
  const kecs_replica_row *row;
  int64_t rid;
} kecs__arrival;

static kecs_status kecs__arrival_work(kecs__write *write, void *user) {
  kecs__arrival *arrival = user;
  const kecs__meta *meta = arrival->meta;
  kecs_value key[KECS_KEY_COLUMNS_MAX];
  kecs_value values[64];
  int64_t rid = 0;
  kecs_status status = kecs__state_key(meta, arrival->row->key, &write->arena, key);
  status = status ? status : kecs__state_rid(write->session, meta, 0, key, meta->info->keys[0].count, &rid);
  if (status || rid) {
    return status;
  }
  for (int i = 0; i < meta->info->column_count; i++) {
    bool local = meta->info->columns[i].group == KECS_GROUP_LOCAL;
    values[i] = local ? kecs__value_text(NULL) : arrival->row->values[i];
  }
  char *row = kecs__arena_take(&write->arena, meta->info->row_size);
  status = row ? kecs__row_read(meta, values, &write->arena, row) : KECS_E_NOMEM;
  status = status ? status : kecs__row_insert(write, meta, row, 0);
  arrival->rid = write->rid;
  return status;
}

KECS_STORE_API kecs_status kecs_replica_insert(kecs_store *store, const kecs_replica_row *row, int64_t *out_rid) {
  kecs__arrival arrival = {NULL, row, 0};
  kecs_status status = kecs__check_pointer(row, "row");
  status = status ? status : kecs__check_pointer(out_rid, "out_rid");
  status = status ? status : kecs__check_pointer(row->key, "row.key");
  status = status ? status : kecs__check_pointer(row->values, "row.values");
  if (status) {
    return status;
  }
  arrival.meta = kecs__meta_checked(store, row->kind);
  if (!arrival.meta) {
    return kecs_last_error()->status;
  }
  status = kecs__with_write(store, kecs__arrival_work, &arrival);
  *out_rid = status ? 0 : arrival.rid;
  return status;
}
