/* store/bulk.c -- a piece of rows is filled first, sent as a whole, and then followed: its tags get their rows. */
#include "base/prologue.h"

#include "store/bulk.h"

#include "store/fill.h"
#include "store/special_kinds.h"
#include "store/validate_internal.h"

#include <string.h>

enum { KECS__BULK_ROWS = 1000 }; /* of a piece */

typedef struct kecs__bulk {
  kecs__write *write;
  const kecs__meta *meta;
  kecs_value *values; /* of the piece, row by row */
  void *row;          /* the one that is being filled */
  void *followed[KECS__BULK_ROWS]; /* rows of the piece, in the write's arena */
  size_t followed_count;
} kecs__bulk;

KECS__FN bool kecs__bulk_fits(const kecs__write *write, const kecs__meta *meta) {
  const kecs__special *special = kecs__special_of(meta->info->kind);
  return write->engine->backend->insert_many && !write->make_parents && !special->is_new &&
         (!special->follow || special->follow == kecs__tags_follow);
}

static kecs_status kecs__bulk_row(kecs__bulk *bulk, size_t at, kecs_result *result) {
  kecs__write *write = bulk->write;
  const kecs__meta *meta = bulk->meta;
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, bulk->row) : KECS_OK;
  if (!status) {
    status = kecs__fill(write, meta, bulk->row, 0);
  }
  if (!status) {
    status = kecs__row_values(meta, bulk->row, bulk->values + at * (size_t)meta->info->column_count);
  }
  if (!status && result) {
    status = kecs__row_keep(meta, bulk->row, result);
  }
  if (!status && kecs__insert_follows(meta, bulk->row)) {
    void *kept = kecs__arena_take(&write->arena, meta->info->row_size);
    if (!kept) {
      return KECS_E_NOMEM;
    }
    memcpy(kept, bulk->row, meta->info->row_size);
    bulk->followed[bulk->followed_count++] = kept;
  }
  return status;
}

static kecs_status kecs__bulk_follow(kecs__bulk *bulk) {
  const kecs__special *special = kecs__special_of(bulk->meta->info->kind);
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < bulk->followed_count; i++) {
    status = special->follow(bulk->write, bulk->meta, NULL, bulk->followed[i], UINT64_MAX);
  }
  return status;
}

static kecs_status kecs__bulk_piece(kecs__bulk *bulk, const char *rows, size_t count, bool last, kecs_result *result) {
  kecs__write *write = bulk->write;
  size_t size = bulk->meta->info->row_size;
  kecs__cached *cached = NULL;
  kecs_status status = KECS_OK;
  kecs__arena_reset(&write->arena);
  bulk->followed_count = 0;
  for (size_t i = 0; !status && i < count; i++) {
    memcpy(bulk->row, rows + i * size, size);
    status = kecs__bulk_row(bulk, i, result);
  }
  if (!status) {
    status = kecs__statement(write->session, bulk->meta, KECS__OP_INSERT, 0, &cached);
  }
  if (!status) {
    write->last = last && bulk->followed_count == 0;
    status = kecs__statement_run_many(write, cached, bulk->meta, bulk->values, count);
  }
  return status ? status : kecs__bulk_follow(bulk);
}

KECS__FN kecs_status kecs__bulk_insert(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                       kecs_result *result, size_t *out_done) {
  const kecs_allocator *allocator = &write->engine->allocator;
  size_t size = meta->info->row_size;
  size_t room = count < KECS__BULK_ROWS ? count : KECS__BULK_ROWS;
  bool last = write->last;
  size_t values_size = room * (size_t)meta->info->column_count * sizeof(kecs_value);
  kecs__bulk *bulk = kecs__alloc_zero(allocator, sizeof *bulk);
  *out_done = 0;
  if (!bulk) {
    return KECS_E_NOMEM;
  }
  bulk->write = write;
  bulk->meta = meta;
  bulk->values = kecs__alloc(allocator, values_size);
  bulk->row = bulk->values ? kecs__alloc(allocator, size) : NULL;
  kecs_status status = bulk->row ? KECS_OK : KECS_E_NOMEM;
  while (!status && *out_done < count) {
    size_t piece = count - *out_done < room ? count - *out_done : room;
    status = kecs__bulk_piece(bulk, (const char *)rows + *out_done * size, piece, last && *out_done + piece == count, result);
    *out_done += status ? 0 : piece;
  }
  kecs__release(allocator, bulk->row, size);
  kecs__release(allocator, bulk->values, values_size);
  kecs__release(allocator, bulk, sizeof *bulk);
  return status;
}
