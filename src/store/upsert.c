/* store/upsert.c -- upsert of one row: for every kind. */
#include "base/prologue.h"

#include "store/fill.h"
#include "store/locate.h"
#include "store/retry.h"
#include "store/validate_row.h"
#include "store/write.h"

#include <string.h>

/* Whether the row is there, by its natural key or, where that is not set, by its name. */
static kecs_status kecs__upsert_find(kecs__write *write, const kecs__meta *meta, const void *row,
                                     kecs__change *change) {
  kecs__probe probe;
  const kecs__special *special = meta->special;
  if (special->is_new && special->is_new(meta, row)) {
    return KECS_OK;
  }
  kecs_error before = kecs__error_save();
  kecs_status status = kecs__probe_row(write->session, meta, row, &write->arena, &probe);
  if (status == KECS_E_NOT_FOUND || status == KECS_E_INVALID || status == KECS_E_MISUSE) {
    (void)kecs__error_restore(&before);
    return KECS_OK; /* no key to look for: create will say what is missing, if anything is */
  }
  return status ? status : kecs__probe_find(write->session, meta, &probe, &write->arena, &change->rid);
}

/* By the natural key, which the fill has completed: look-ups may have inserted rows of their own since. */
static kecs_status kecs__inserted_rid(kecs__write *write, const kecs__meta *meta, const void *row, int64_t *out_rid) {
  kecs__probe probe;
  kecs_status status = kecs__probe_row(write->session, meta, row, &write->arena, &probe);
  return status ? status : kecs__probe_rid(write->session, meta, &probe, out_rid);
}

/* The key of the row that was to be inserted is taken: by the row that was not there, as another writer has made it? */
static kecs_status kecs__upsert_raced(kecs__write *write, const kecs__meta *meta, const void *asked) {
  kecs_error error = kecs__error_save();
  kecs__change change = {0};
  if (!kecs__upsert_find(write, meta, asked, &change) && change.rid != 0) {
    return kecs__fail_raced(meta);
  }
  return kecs__error_restore(&error);
}

/* Inserts a row that was looked for in vain. */
static kecs_status kecs__upsert_insert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given) {
  if (!kecs__writers_meet(write)) {
    return kecs__row_insert(write, meta, row, given);
  }
  void *asked = kecs__arena_take(&write->arena, meta->info->row_size); /* as it was looked for: inserting fills it */
  if (!asked) {
    return KECS_E_NOMEM;
  }
  memcpy(asked, row, meta->info->row_size);
  kecs_status status = kecs__row_insert(write, meta, row, given);
  return status == KECS_E_EXISTS ? kecs__upsert_raced(write, meta, asked) : status;
}

/* ---- bare parents ---- */

static bool kecs__is_parent(const kecs__write *write, const kecs__meta *meta) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs__meta_of(write->engine, (kecs_kind)kind)->info;
    for (int i = 0; i < info->reference_count; i++) {
      if (info->references[i].parent == meta->info->kind) {
        return true;
      }
    }
  }
  return false;
}

/* What a bare parent has of its own beyond what its ARN says: its document's replaces it. */
static uint64_t kecs__bare_columns(const kecs__meta *meta) {
  uint64_t mask = 0;
  for (int i = 0; i < meta->info->column_count; i++) {
    mask |= meta->info->columns[i].group == KECS_GROUP_KEY ? KECS_BIT(i) : 0;
  }
  for (int i = 0; i < meta->info->reference_count; i++) {
    mask &= ~KECS_BIT(meta->info->references[i].column);
  }
  const int kept[] = {meta->arn, meta->name, meta->region, meta->account_id};
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
    mask &= kept[i] >= 0 ? ~KECS_BIT(kept[i]) : UINT64_MAX;
  }
  return mask;
}

/* Whether a stored row is just what kecs__parents_make makes of its ARN. */
static kecs_status kecs__bare_is(kecs__write *write, const kecs__meta *meta, int64_t rid, bool *out_bare) {
  bool found = false;
  char *stored = kecs__arena_take(&write->arena, 2 * meta->info->row_size);
  if (!stored) {
    return KECS_E_NOMEM;
  }
  char *made = stored + meta->info->row_size;
  kecs_status status = kecs__row_by_rid(write->session, meta, rid, &write->arena, stored, &found);
  if (status || !found || kecs__row_number(meta->info, stored, meta->version) != 1) {
    return status;
  }
  kecs_error before = kecs__error_save();
  memset(made, 0, meta->info->row_size);
  kecs__row_set_text(meta->info, made, meta->arn, kecs__row_text(meta->info, stored, meta->arn));
  status = kecs__fill(write, meta, made, 0);
  if (status && kecs_status_class(status) != KECS_CLASS_CALLER) {
    return status;
  }
  if (status) { /* nothing can be made of this ARN */
    (void)kecs__error_restore(&before);
    return KECS_OK;
  }
  *out_bare = true;
  uint64_t own = kecs__bare_columns(meta) | (meta->updated_at >= 0 ? KECS_BIT(meta->updated_at) : 0);
  for (int i = 0; *out_bare && i < meta->info->column_count; i++) {
    kecs_value is = kecs__row_value(meta->info, stored, i);
    kecs_value would = kecs__row_value(meta->info, made, i);
    *out_bare = (own & KECS_BIT(i)) || kecs__value_same(&is, &would);
  }
  return KECS_OK;
}

/* A document that comes after its children finds a bare row in its place, which takes all of the document. */
static kecs_status kecs__upsert_bare(kecs__write *write, const kecs__meta *meta, uint64_t given,
                                     kecs__change *change) {
  uint64_t own = given & kecs__bare_columns(meta);
  if (own == 0 || meta->arn < 0 || meta->version < 0 || !kecs__is_parent(write, meta)) {
    return KECS_OK;
  }
  kecs_status status = kecs__bare_is(write, meta, change->rid, &change->bare);
  change->mask |= !status && change->bare ? own : 0;
  return status;
}

KECS__FN kecs_status kecs__row_upsert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given,
                                      kecs_result **out_result) {
  kecs__change change = {0};
  kecs_status status = kecs__upsert_find(write, meta, row, &change);
  int64_t version = given ? 0 : kecs__row_number(meta->info, row, meta->version);
  if (!status && change.rid == 0 && version != 0) {
    char name[160];
    kecs__row_name(meta->info, row, name);
    status = kecs__fail(KECS_E_CONFLICT, "%s \"%s\" had version %lld and is gone: somebody has deleted it",
                        meta->info->name, name, (long long)version);
  } else if (!status && change.rid == 0) {
    status = kecs__upsert_insert(write, meta, row, given);
    if (!status && out_result) {
      status = kecs__inserted_rid(write, meta, row, &change.rid);
    }
  } else if (!status) {
    change.row = row;
    change.mask = (given ? meta->updatable & ~(meta->ranks & ~given) : meta->updatable) | (given & meta->automatic);
    change.version = version;
    change.document = given != 0;
    status = kecs__upsert_bare(write, meta, given, &change);
    status = status ? status : kecs__row_change(write, meta, &change);
    if (status == KECS_E_NOT_FOUND && kecs__writers_meet(write)) {
      status = kecs__fail(KECS_E_BUSY, "another writer has deleted the same %s just now; try again", meta->info->name);
    }
  }
  return status ? status : kecs__give_back(write, meta, change.rid, out_result);
}

static kecs_status kecs__upsert_once(kecs_store *store, kecs_kind kind, const void *row, kecs_result **out_result) {
  kecs__write write;
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  uint64_t mask = 0;
  kecs_status status = kecs__check_pointer(row, "row");
  if (!status) {
    status = kecs__update_mask(meta, UINT64_MAX, &mask);
  }
  if (!status && store->engine->strict) {
    status = kecs__validate_row(meta->info, row);
  }
  if (!status) {
    status = kecs__write_open(store, &write);
  }
  if (!status) {
    status = kecs__write_guard(&write);
  }
  void *copy = status ? NULL : kecs__arena_take(&write.arena, meta->info->row_size);
  if (!status) {
    status = copy ? KECS_OK : KECS_E_NOMEM;
  }
  if (!status) {
    memcpy(copy, row, meta->info->row_size);
    write.last = !out_result;
    status = kecs__row_upsert(&write, meta, copy, 0, out_result);
  }
  return kecs__modify_end(&write, status, out_result);
}

KECS__FN kecs_status kecs__upsert(kecs_store *store, kecs_kind kind, const void *row, kecs_result **out_result) {
  kecs__retry retry = {0, 0};
  kecs_status status = KECS_OK;
  do {
    status = kecs__upsert_once(store, kind, row, out_result);
  } while (kecs__retry_again(store, &retry, status));
  return status;
}

KECS_STORE_API kecs_status kecs_record_upsert(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result) {
  return kecs__upsert(store, kind, row, out_result);
}
