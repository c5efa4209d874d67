/* store/upsert_many.c -- rows created or changed together: merged where the backend can, one by one otherwise. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/merge.h"
#include "store/retry.h"
#include "store/validate_row.h"

#include <string.h>

/* A call that upserts rows. */
typedef struct kecs__upserts {
  const kecs__meta *meta;
  const void *rows;
  size_t count;
  kecs_result *result; /* of the stored rows, or NULL */
  bool singly;         /* they were refused together */
} kecs__upserts;

/* A row of many; the stored row is added to the result. */
static kecs_status kecs__upsert_next(kecs__write *write, kecs__upserts *upserts, size_t at, void *copy) {
  const kecs__meta *meta = upserts->meta;
  size_t size = meta->info->row_size;
  kecs_result *one = NULL;
  memcpy(copy, (const char *)upserts->rows + at * size, size);
  kecs__arena_reset(&write->arena);
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, copy) : KECS_OK;
  if (!status) {
    status = kecs__row_upsert(write, meta, copy, 0, upserts->result ? &one : NULL);
  }
  if (!status && one) {
    status = kecs__row_keep(meta, kecs__at(one, meta->info->kind, 0), upserts->result);
  }
  kecs_result_free(one);
  if (status && upserts->count > 1) {
    (void)kecs__fail_context("row %zu of %zu", at + 1, upserts->count);
  }
  return status;
}

static kecs_status kecs__upsert_rows(kecs__write *write, kecs__upserts *upserts) {
  size_t size = upserts->meta->info->row_size;
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__feed_begin(write);
  }
  if (!status && upserts->count > 1 && !upserts->singly && kecs__merge_fits(write, upserts->meta)) {
    write->last = !upserts->result;
    return kecs__merge_rows(write, upserts->meta, upserts->rows, upserts->count, upserts->result);
  }
  void *copy = status ? NULL : kecs__alloc(&write->engine->allocator, size);
  if (!status && !copy) {
    return KECS_E_NOMEM;
  }
  write->last = upserts->count == 1 && !upserts->result;
  for (size_t i = 0; !status && i < upserts->count; i++) {
    status = kecs__upsert_next(write, upserts, i, copy);
  }
  kecs__release(&write->engine->allocator, copy, size);
  return status;
}

static kecs_status kecs__upsert_many_once(kecs_store *store, kecs_kind kind, kecs__upserts *upserts,
                                          kecs_result **out_result) {
  kecs__write write;
  uint64_t mask = 0;
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  upserts->meta = meta;
  upserts->result = NULL;
  kecs_status status = upserts->count > 0 ? kecs__check_pointer(upserts->rows, "rows") : KECS_OK;
  if (!status) {
    status = kecs__update_mask(meta, UINT64_MAX, &mask);
  }
  if (!status && out_result) {
    status = kecs__result_begin(store, meta, &upserts->result);
  }
  if (!status) {
    status = kecs__write_open(store, &write);
  }
  if (!status) {
    status = kecs__upsert_rows(&write, upserts);
  }
  if (out_result) {
    *out_result = upserts->result;
  }
  return kecs__modify_end(&write, status, out_result);
}

/* Rows that were refused together are tried once more, one by one: what is refused then is told with its row. */
KECS__FN kecs_status kecs__upsert_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                       kecs_result **out_result) {
  kecs__retry retry = {0, 0};
  kecs__upserts upserts = {NULL, rows, count, NULL, count < 2};
  kecs_error before = kecs__error_save();
  kecs_status status = KECS_OK;
  bool again = false;
  do {
    status = kecs__upsert_many_once(store, kind, &upserts, out_result);
    again = status && !upserts.singly && kecs_status_class(status) == KECS_CLASS_CALLER;
    upserts.singly = upserts.singly || again;
  } while (again || kecs__retry_again(store, &retry, status));
  if (!status && upserts.singly) {
    (void)kecs__error_restore(&before); /* what was tried in vain is no failure of this call */
  }
  return status;
}

KECS_STORE_API kecs_status kecs_record_upsert_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                                   kecs_result **out_result) {
  return kecs__upsert_many(store, kind, rows, count, out_result);
}
