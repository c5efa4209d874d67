/* store/modify.c -- create, update, delete: for every kind. */
#include "base/prologue.h"

#include "store/bulk.h"
#include "store/retry.h"
#include "store/validate_row.h"
#include "store/write.h"

#include <string.h>

KECS__FN kecs_status kecs__give_back(kecs__write *write, const kecs__meta *meta, int64_t rid,
                                     kecs_result **out_result) {
  bool found = false;
  kecs_result *result = NULL;
  if (!out_result) {
    return KECS_OK;
  }
  kecs_status status = kecs__result_begin(write->store, meta, &result);
  void *row = status ? NULL : kecs__result_add(result);
  if (!status) {
    status = row ? kecs__row_by_rid(write->session, meta, rid, &result->arena, row, &found) : KECS_E_NOMEM;
  }
  return kecs__result_end(status, result, out_result);
}

KECS__FN kecs_status kecs__modify_end(kecs__write *write, kecs_status status, kecs_result **out_result) {
  status = kecs__write_close(write, status);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

KECS__FN kecs_status kecs__with_write_result(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                             void *user, kecs_result **out_result) {
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status status = kecs__with_write(store, work, user);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

KECS__FN const kecs__meta *kecs__modify_begin(kecs_store *store, kecs_kind kind, kecs_result **out_result,
                                              kecs__write *write) {
  if (out_result) {
    *out_result = NULL;
  }
  memset(write, 0, sizeof *write);
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  return meta;
}

/* ---- create ---- */

/* A call that creates rows. */
typedef struct kecs__create {
  const kecs__meta *meta;
  const void *rows;
  size_t count;
  kecs_result *result; /* of the stored rows, or NULL */
  size_t together;     /* so many of the first rows may be inserted together */
  kecs_error before;   /* what was told before rows were */
} kecs__create;

/* Rows one by one, from number `first` on. */
static kecs_status kecs__create_singly(kecs__write *write, const kecs__create *create, size_t first) {
  size_t size = create->meta->info->row_size;
  size_t count = create->count;
  void *copy = kecs__alloc(&write->engine->allocator, size);
  kecs_status status = copy ? KECS_OK : KECS_E_NOMEM;
  write->last = count == 1 && !create->result;
  for (size_t i = first; !status && i < count; i++) {
    memcpy(copy, (const char *)create->rows + i * size, size);
    kecs__arena_reset(&write->arena);
    status = write->engine->strict ? kecs__validate_row(create->meta->info, copy) : KECS_OK;
    if (!status) {
      status = kecs__row_insert(write, create->meta, copy, 0);
    }
    if (!status && create->result) {
      status = kecs__row_keep(create->meta, copy, create->result);
    }
    if (status && count > 1) {
      (void)kecs__fail_context("row %zu of %zu", i + 1, count);
    }
  }
  kecs__release(&write->engine->allocator, copy, size);
  return status;
}

static kecs_status kecs__create_rows(kecs__write *write, kecs__create *create) {
  size_t done = 0;
  size_t together = create->together < create->count ? create->together : create->count;
  kecs_status status = KECS_OK;
  if (create->count > 1 || create->result) {
    status = kecs__write_guard(write);
  }
  if (!status && together > 1 && kecs__bulk_fits(write->engine, create->meta)) {
    create->before = create->together == SIZE_MAX ? kecs__error_save() : create->before;
    write->last = together == create->count;
    status = kecs__bulk_insert(write, create->meta, create->rows, together, create->result, &done);
    create->together = status ? done : create->together;
  }
  return status || done == create->count ? status : kecs__create_singly(write, create, done);
}

static kecs_status kecs__create_many_once(kecs_store *store, kecs_kind kind, kecs__create *create,
                                          kecs_result **out_result) {
  kecs__write write;
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  create->meta = meta;
  create->result = NULL;
  kecs_status status = create->count > 0 ? kecs__check_pointer(create->rows, "row") : KECS_OK;
  if (!status && out_result) {
    status = kecs__result_begin(store, meta, &create->result);
  }
  if (!status) {
    status = kecs__write_open(store, &write);
  }
  if (!status) {
    status = kecs__create_rows(&write, create);
  }
  if (out_result) {
    *out_result = create->result;
  }
  return kecs__modify_end(&write, status, out_result);
}

/* Rows that were refused together are tried once more, one by one from where they failed: the failure then names the
 * row and what is wrong with it. */
KECS__FN kecs_status kecs__create_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                       kecs_result **out_result) {
  kecs__retry retry = {0, 0};
  kecs__create create;
  kecs_status status = KECS_OK;
  bool again = false;
  create.rows = rows;
  create.count = count;
  create.together = SIZE_MAX;
  do {
    size_t together = create.together;
    status = kecs__create_many_once(store, kind, &create, out_result);
    again = status && create.together < together && kecs_status_class(status) == KECS_CLASS_CALLER;
  } while (again || kecs__retry_again(store, &retry, status));
  if (!status && create.together != SIZE_MAX) {
    (void)kecs__error_restore(&create.before); /* what was tried again in vain is no failure of this call */
  }
  return status;
}

KECS_STORE_API kecs_status kecs_record_create(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result) {
  return kecs__create_many(store, kind, row, 1, out_result);
}

/* ---- update ---- */

/* The columns that are asked for by name. */
static kecs_status kecs__update_named(const kecs__meta *meta, uint64_t asked) {
  for (int i = 0; i < meta->info->column_count; i++) {
    if ((asked & KECS_BIT(i)) && !(meta->updatable & KECS_BIT(i))) {
      return kecs__fail(
          KECS_E_INVALID, "%s.%s can't be changed: it is %s", meta->info->name, meta->info->columns[i].name,
          meta->info->columns[i].group == KECS_GROUP_KEY ? "part of the row's identity" : "written by the store alone");
    }
  }
  bool beyond = meta->info->column_count < 64 && (asked >> meta->info->column_count) != 0;
  return beyond ? kecs__fail(KECS_E_INVALID, "the mask names a column that %s does not have", meta->info->name)
                : KECS_OK;
}

KECS__FN kecs_status kecs__update_mask(const kecs__meta *meta, uint64_t asked, uint64_t *out_mask) {
  if (meta->info->flags & (KECS_KIND_APPEND)) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s rows are never changed, only added and removed", meta->info->name);
  }
  *out_mask = asked & meta->updatable;
  return asked == UINT64_MAX ? KECS_OK : kecs__update_named(meta, asked);
}

/* The probe of an update must be the natural key: READ_FIELDS reads by that. Another key is turned into a rid first. */
static kecs_status kecs__update_find(kecs__write *write, const kecs__meta *meta, const void *row, kecs__probe *probe,
                                     kecs__change *change) {
  kecs_status status = kecs__probe_row(write->session, meta, row, &write->arena, probe);
  change->probe = probe;
  if (!status && probe->key != 0) {
    status = kecs__probe_find(write->session, meta, probe, &write->arena, &change->rid);
    if (!status && change->rid == 0) {
      status = kecs__fail_probe(meta, probe);
    }
  }
  return status;
}

static kecs_status kecs__update_once(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                  kecs_result **out_result) {
  kecs__write write;
  kecs__probe probe;
  kecs__change change = {0};
  bool done = false;
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__check_pointer(row, "row");
  if (!status) {
    status = kecs__update_mask(meta, mask, &change.mask);
  }
  if (!status && store->engine->strict) {
    status = kecs__validate_update(meta->info, row, change.mask);
  }
  if (!status) {
    status = kecs__write_open(store, &write);
  }
  if (!status && out_result) {
    status = kecs__write_guard(&write); /* giving the row back can fail when it is written already */
  }
  if (!status) {
    write.last = !out_result;
    status = kecs__update_find(&write, meta, row, &probe, &change);
  }
  if (!status) {
    change.row = row;
    change.version = kecs__row_number(meta->info, row, meta->version);
    status = kecs__row_change_brief(&write, meta, &change, &done);
  }
  if (!status && !done) {
    status = kecs__row_change(&write, meta, &change);
  }
  if (!status) {
    status = kecs__give_back(&write, meta, change.rid, out_result);
  }
  return kecs__modify_end(&write, status, out_result);
}

KECS__FN kecs_status kecs__update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                  kecs_result **out_result) {
  kecs__retry retry = {0, 0};
  kecs_status status = KECS_OK;
  do {
    status = kecs__update_once(store, kind, row, mask, out_result);
  } while (kecs__retry_again(store, &retry, status));
  return status;
}

KECS__FN kecs_status kecs__update_fields(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                         kecs_result **out_result) {
  if (mask == UINT64_MAX) {
    const kecs__meta *meta = kecs__meta_checked(store, kind);
    if (out_result) {
      *out_result = NULL;
    }
    return meta ? kecs__update_named(meta, mask) : kecs_last_error()->status;
  }
  return kecs__update(store, kind, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_record_update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                              kecs_result **out_result) {
  return kecs__update(store, kind, row, mask, out_result);
}

/* ---- one addressed row ---- */

static kecs_status kecs__edit_one_once(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                                    kecs_status (*edit)(kecs__write *write, void *row, void *user, uint64_t *out_mask),
                                    void *user, kecs_result **out_result) {
  kecs__write write;
  kecs__probe probe;
  kecs__change change = {0};
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__write_guard(&write);
  }
  void *row = status ? NULL : kecs__arena_take(&write.arena, meta->info->row_size);
  if (!status) {
    status = row ? kecs__probe_address(write.session, meta, address, count, &write.arena, &probe) : KECS_E_NOMEM;
  }
  if (!status) {
    status = kecs__probe_read(write.session, meta, &probe, &write.arena, row, &change.rid);
  }
  if (!status) {
    status = edit(&write, row, user, &change.mask);
  }
  if (!status && store->engine->strict) {
    status = kecs__validate_update(meta->info, row, change.mask);
  }
  if (!status) {
    change.row = row;
    write.last = !out_result;
    status = kecs__row_change(&write, meta, &change);
  }
  if (!status) {
    status = kecs__give_back(&write, meta, change.rid, out_result);
  }
  return kecs__modify_end(&write, status, out_result);
}

KECS__FN kecs_status kecs__edit_one(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                                    kecs_status (*edit)(kecs__write *write, void *row, void *user, uint64_t *out_mask),
                                    void *user, kecs_result **out_result) {
  kecs__retry retry = {0, 0};
  kecs_status status = KECS_OK;
  do {
    status = kecs__edit_one_once(store, kind, address, count, edit, user, out_result);
  } while (kecs__retry_again(store, &retry, status));
  return status;
}

/* ---- delete ---- */

static kecs_status kecs__delete_probed(kecs__write *write, const kecs__meta *meta, const kecs__probe *probe) {
  int64_t rid = 0;
  void *row = kecs__arena_take(&write->arena, meta->info->row_size);
  kecs_status status = row ? kecs__probe_read(write->session, meta, probe, &write->arena, row, &rid) : KECS_E_NOMEM;
  write->last = true;
  return status ? status : kecs__row_delete(write, meta, rid, row);
}

static kecs_status kecs__delete_once(kecs_store *store, kecs_kind kind, const kecs_value *address, int count) {
  kecs__write write;
  kecs__probe probe;
  const kecs__meta *meta = kecs__modify_begin(store, kind, NULL, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__probe_address(write.session, meta, address, count, &write.arena, &probe);
  }
  if (!status) {
    status = kecs__delete_probed(&write, meta, &probe);
  }
  return kecs__modify_end(&write, status, NULL);
}

KECS__FN kecs_status kecs__delete(kecs_store *store, kecs_kind kind, const kecs_value *address, int count) {
  kecs__retry retry = {0, 0};
  kecs_status status = KECS_OK;
  do {
    status = kecs__delete_once(store, kind, address, count);
  } while (kecs__retry_again(store, &retry, status));
  return status;
}

static kecs_status kecs__delete_key_once(kecs_store *store, kecs_kind kind, const char *key) {
  kecs__write write;
  kecs__probe probe;
  const kecs__meta *meta = kecs__modify_begin(store, kind, NULL, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__probe_text(write.session, meta, key, &write.arena, &probe);
  }
  if (!status) {
    status = kecs__delete_probed(&write, meta, &probe);
  }
  return kecs__modify_end(&write, status, NULL);
}

KECS_STORE_API kecs_status kecs_record_delete(kecs_store *store, kecs_kind kind, const char *key) {
  kecs__retry retry = {0, 0};
  kecs_status status = KECS_OK;
  do {
    status = kecs__delete_key_once(store, kind, key);
  } while (kecs__retry_again(store, &retry, status));
  return status;
}
