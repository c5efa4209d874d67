/* store/bulk.c -- rows are filled first, sent as a whole, and then followed: their tags get rows of their own. */
#include "base/prologue.h"

#include "store/bulk.h"

#include "store/cache.h"
#include "store/fill.h"
#include "store/special.h"
#include "store/validate_row.h"

#include <string.h>

#if !defined(KECS_STORE_SQLITE_ONLY)

KECS__FN bool kecs__bulk_fits(const kecs__engine *engine, const kecs__meta *meta) {
  const kecs__special *special = meta->special;
  return engine->backend->insert_many && !special->is_new && (!special->follow || special->tags_alone);
}

static size_t kecs__bulk_values_size(const kecs__bulk *bulk) {
  return bulk->room * (size_t)bulk->meta->info->column_count * sizeof(kecs_value);
}

KECS__FN kecs__bulk *kecs__bulk_begin(kecs__write *write, const kecs__meta *meta, size_t room) {
  const kecs_allocator *allocator = &write->engine->allocator;
  kecs__bulk *bulk = kecs__alloc_zero(allocator, sizeof *bulk);
  if (!bulk) {
    return NULL;
  }
  bulk->write = write;
  bulk->meta = meta;
  bulk->room = room;
  bulk->values = kecs__alloc(allocator, kecs__bulk_values_size(bulk));
  if (!bulk->values) {
    kecs__release(allocator, bulk, sizeof *bulk);
    return NULL;
  }
  return bulk;
}

KECS__FN void kecs__bulk_free(kecs__bulk *bulk) {
  if (bulk) {
    const kecs_allocator *allocator = &bulk->write->engine->allocator;
    kecs__release(allocator, bulk->values, kecs__bulk_values_size(bulk));
    kecs__release(allocator, bulk, sizeof *bulk);
  }
}

/* ---- parents ---- */

static const char **kecs__bulk_parent(kecs__bulk *bulk, const char *arn) {
  uint64_t hash = 0;
  for (const char *at = arn; *at; at++) {
    hash = hash * 31 + (unsigned char)*at;
  }
  return &bulk->parents[(hash ^ (hash >> 16)) % KECS__BULK_PARENTS];
}

/* Most rows have the parents of a row before. */
static kecs_status kecs__bulk_parents(kecs__bulk *bulk, const void *row) {
  const kecs_kind_info *info = bulk->meta->info;
  bool known = true;
  for (int i = 0; i < info->reference_count; i++) {
    const char *arn = kecs__row_text(info, row, info->references[i].column);
    const char *seen = arn ? *kecs__bulk_parent(bulk, arn) : NULL;
    known = known && (!arn || (seen && strcmp(seen, arn) == 0));
  }
  kecs_status status = known ? KECS_OK : kecs__parents_make(bulk->write, bulk->meta, row);
  for (int i = 0; !status && i < info->reference_count; i++) {
    const char *arn = kecs__row_text(info, row, info->references[i].column);
    if (arn) {
      *kecs__bulk_parent(bulk, arn) = arn;
    }
  }
  return status;
}

/* ---- rows ---- */

KECS__FN kecs_status kecs__bulk_add(kecs__bulk *bulk, void *row, uint64_t given) {
  kecs__write *write = bulk->write;
  const kecs__meta *meta = bulk->meta;
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, row) : KECS_OK;
  if (!status) {
    status = kecs__row_ready(write, meta, row, given);
  }
  if (!status && write->make_parents) {
    status = kecs__bulk_parents(bulk, row);
  }
  if (!status) {
    status = kecs__row_values(meta, row, bulk->values + bulk->count * (size_t)meta->info->column_count);
  }
  if (!status && kecs__insert_follows(meta, row)) {
    void *kept = kecs__arena_take(&write->arena, meta->info->row_size);
    if (!kept) {
      return KECS_E_NOMEM;
    }
    memcpy(kept, row, meta->info->row_size);
    bulk->followed[bulk->followed_count++] = kept;
  }
  bulk->count += status ? 0 : 1;
  return status;
}

static kecs_status kecs__bulk_run(kecs__write *write, kecs__cached *cached, const kecs__meta *meta,
                                  const kecs_value *values, size_t rows) {
  kecs__session *session = write->session;
  bool commit = write->last && write->own;
  kecs_status status = session->user ? kecs__check_stop(session->user, session->deadline) : KECS_OK;
  session->writing = true;
  session->changed = true;
  kecs__cache_hold(session, cached, values, 0);
  if (!status) {
    status = session->engine->backend->insert_many(cached->statement, meta->info->table, meta->columns, values,
                                                   meta->info->column_count, rows, &commit);
    status = kecs__statement_outcome(session, status);
    write->ended = !status && commit;
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__bulk_send(kecs__bulk *bulk) {
  const kecs__special *special = bulk->meta->special;
  kecs__write *write = bulk->write;
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement(write->session, bulk->meta, KECS__OP_INSERT, 0, &cached);
  if (!status) {
    write->last = write->last && bulk->followed_count == 0;
    status = kecs__bulk_run(write, cached, bulk->meta, bulk->values, bulk->count);
  }
  for (size_t i = 0; !status && i < bulk->followed_count; i++) {
    status = special->follow(write, bulk->meta, NULL, bulk->followed[i], UINT64_MAX);
  }
  bulk->count = 0;
  bulk->followed_count = 0;
  return status;
}

/* `row` is where they are filled. */
static kecs_status kecs__bulk_piece(kecs__bulk *bulk, const char *rows, size_t count, void *row, kecs_result *result) {
  size_t size = bulk->meta->info->row_size;
  kecs_status status = KECS_OK;
  kecs__arena_reset(&bulk->write->arena);
  memset(bulk->parents, 0, sizeof bulk->parents);
  for (size_t i = 0; !status && i < count; i++) {
    memcpy(row, rows + i * size, size);
    status = kecs__bulk_add(bulk, row, 0);
    if (!status && result) {
      status = kecs__row_keep(bulk->meta, row, result);
    }
  }
  return status ? status : kecs__bulk_send(bulk);
}

KECS__FN kecs_status kecs__bulk_insert(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                       kecs_result *result, size_t *out_done) {
  size_t size = meta->info->row_size;
  size_t room = count < KECS__BULK_ROWS ? count : KECS__BULK_ROWS;
  bool last = write->last;
  kecs__bulk *bulk = kecs__bulk_begin(write, meta, room);
  void *row = bulk ? kecs__alloc(&write->engine->allocator, size) : NULL;
  kecs_status status = row ? KECS_OK : KECS_E_NOMEM;
  *out_done = 0;
  while (!status && *out_done < count) {
    size_t piece = count - *out_done < room ? count - *out_done : room;
    write->last = last && *out_done + piece == count;
    status = kecs__bulk_piece(bulk, (const char *)rows + *out_done * size, piece, row, result);
    *out_done += status ? 0 : piece;
  }
  kecs__release(&write->engine->allocator, row, size);
  kecs__bulk_free(bulk);
  return status;
}

#endif
