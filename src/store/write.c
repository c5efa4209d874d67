/* store/write.c -- insert, change and delete of one row. */
#include "base/prologue.h"

#include "store/write.h"

#include "base/json.h"
#include "store/document.h"
#include "store/feed.h"
#include "store/fill.h"
#include "store/special.h"

#include <string.h>

/* ---- insert ---- */

KECS__FN kecs_status kecs__parents_make(kecs__write *write, const kecs__meta *meta, const void *row) {
  for (int i = 0; i < meta->info->reference_count; i++) {
    const kecs_reference *reference = &meta->info->references[i];
    const kecs__meta *parent = kecs__meta_of(write->engine, reference->parent);
    kecs_value arn = kecs__row_value(meta->info, row, reference->column);
    kecs__probe probe = {0};
    int64_t rid = 0;
    if (arn.type == KECS_VALUE_NULL) {
      continue;
    }
    probe.count = 1;
    probe.values[0] = arn;
    kecs_status status = kecs__probe_rid(write->session, parent, &probe, &rid);
    if (!status && rid == 0) {
      void *bare = kecs__arena_take(&write->arena, parent->info->row_size);
      if (!bare) {
        return KECS_E_NOMEM;
      }
      memset(bare, 0, parent->info->row_size);
      kecs__row_set_text(parent->info, bare, reference->parent_column, arn.text);
      status = kecs__row_insert(write, parent, bare, 0);
      if (status == KECS_E_EXISTS && kecs__writers_meet(write)) {
        status = kecs__fail_raced(parent);
      }
    }
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

/* A text from a program may be any bytes; what is stored is UTF-8, and `extra` an object. */
static kecs_status kecs__check_text(const kecs__meta *meta, int column, const kecs_value *value) {
  if (value->type == KECS_VALUE_TEXT && column == meta->extra &&
      kecs__json_check(value->text, value->len, NULL).type != KECS__JSON_OBJECT) {
    return kecs__fail(KECS_E_INVALID,
                      "%s.extra is not a JSON object; it holds a document's members that have no column",
                      meta->info->name);
  }
  if (value->type != KECS_VALUE_TEXT || kecs__utf8_valid(value->text, value->len)) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_INVALID, "%s.%s is not UTF-8", meta->info->name, meta->info->columns[column].name);
}

/* Says which parent is missing: the database only says that one is. */
static kecs_status kecs__fail_reference(kecs__write *write, const kecs__meta *meta, const void *row, uint64_t mask) {
  kecs_error error = kecs__error_save();
  char name[160];
  kecs__row_name(meta->info, row, name);
  for (int i = 0; i < meta->info->reference_count; i++) {
    const kecs_reference *reference = &meta->info->references[i];
    const kecs__meta *parent = kecs__meta_of(write->engine, reference->parent);
    const char *arn = kecs__row_text(meta->info, row, reference->column);
    kecs__probe probe = {0};
    int64_t rid = 0;
    if (!arn || !(mask & KECS_BIT(reference->column))) {
      continue;
    }
    probe.count = 1;
    probe.values[0] = kecs__value_text(arn);
    if (!kecs__probe_rid(write->session, parent, &probe, &rid) && rid == 0) {
      (void)kecs__fail(KECS_E_REFERENCE, "%s \"%s\": its %s \"%s\" is not in the store; create that first",
                       meta->info->name, name, parent->info->name, arn);
      kecs_error better = kecs__error_save();
      better.native_code = error.native_code;
      memcpy(better.sqlstate, error.sqlstate, sizeof better.sqlstate);
      return kecs__error_restore(&better);
    }
  }
  return kecs__error_restore(&error);
}

/* A taken key, with the row and the key that is taken in the line. */
static kecs_status kecs__fail_exists(kecs__write *write, const kecs__meta *meta, const void *row) {
  kecs_error error = kecs__error_save();
  char name[160];
  const char *taken = "another row";
  kecs__row_name(meta->info, row, name);
  for (int k = 0; k < meta->info->key_count; k++) {
    const kecs_column_list *key = &meta->info->keys[k];
    kecs__probe probe = {0};
    int64_t rid = 0;
    probe.key = k;
    probe.count = key->count;
    for (int i = 0; i < key->count; i++) {
      probe.values[i] = kecs__row_value(meta->info, row, key->columns[i]);
    }
    if (!kecs__probe_rid(write->session, meta, &probe, &rid) && rid != 0) {
      taken = key->name;
      break;
    }
  }
  (void)kecs__fail(KECS_E_EXISTS, "%s \"%s\" already exists (its %s is taken)", meta->info->name, name, taken);
  kecs_error better = kecs__error_save();
  better.native_code = error.native_code;
  memcpy(better.sqlstate, error.sqlstate, sizeof better.sqlstate);
  return kecs__error_restore(&better);
}

/* The columns in `mask` were written. */
static kecs_status kecs__row_explain(kecs__write *write, const kecs__meta *meta, const void *row, uint64_t mask,
                                     kecs_status status) {
  if (status == KECS_E_REFERENCE || status == KECS_E_EXISTS) {
    kecs__write_revive(write);
  }
  if (status == KECS_E_REFERENCE) {
    return kecs__fail_reference(write, meta, row, mask);
  }
  if (status == KECS_E_EXISTS) {
    return kecs__fail_exists(write, meta, row);
  }
  return status;
}

KECS__FN kecs_status kecs__row_values(const kecs__meta *meta, const void *row, kecs_value *out) {
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < meta->info->column_count; i++) {
    out[i] = kecs__row_value(meta->info, row, i);
    if (out[i].type == KECS_VALUE_NULL && (meta->info->columns[i].flags & KECS_COLUMN_NOT_NULL)) {
      out[i].type = KECS_VALUE_TIME; /* 1970-01-01T00:00:00Z itself, in a column that is never NULL */
    }
    status = kecs__check_text(meta, i, &out[i]);
  }
  return status;
}

static kecs_status kecs__row_put(kecs__write *write, const kecs__meta *meta, const void *row) {
  kecs_value values[65];
  kecs__cached *cached = NULL;
  kecs_status status = kecs__feed_begin(write);
  if (!status) {
    status = kecs__row_values(meta, row, values);
  }
  if (!status && write->session->place.on) {
    return kecs__feed_insert(write, meta, values);
  }
  if (!status) {
    status = kecs__statement(write->session, meta, KECS__OP_INSERT, 0, &cached);
  }
  if (!status) {
    status = kecs__statement_run_last(write, cached, values, meta->info->column_count);
  }
  write->rid = status ? 0 : write->engine->backend->last_rid(write->session->connection);
  return status;
}

KECS__FN bool kecs__insert_follows(const kecs__meta *meta, const void *row) {
  const kecs__special *special = meta->special;
  if (!special->tags_alone) {
    return special->follow != NULL;
  }
  const char *tags = kecs__row_text(meta->info, row, meta->tags);
  return tags && tags[0];
}

KECS__FN kecs_status kecs__row_ready(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given) {
  const kecs__special *special = meta->special;
  uint64_t mask = UINT64_MAX;
  kecs_status status = kecs__fill(write, meta, row, given);
  return status || !special->judge ? status : special->judge(meta, row, NULL, &mask);
}

KECS__FN kecs_status kecs__row_insert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given) {
  const kecs__special *special = meta->special;
  bool last = write->last;
  write->last = false; /* not what the fill may have to write */
  kecs_status status = kecs__row_ready(write, meta, row, given);
  bool follows = kecs__insert_follows(meta, row);
  write->last = last && !follows && !write->make_parents;
  if (!status && (follows || write->make_parents)) {
    status = kecs__write_guard(write);
  }
  if (!status && write->make_parents) {
    status = kecs__parents_make(write, meta, row);
  }
  if (!status) {
    status = kecs__row_put(write, meta, row);
    status = kecs__row_explain(write, meta, row, UINT64_MAX, status);
  }
  int64_t rid = write->rid;
  if (!status && follows) {
    status = special->follow(write, meta, NULL, row, UINT64_MAX);
  }
  write->rid = rid; /* the look-ups may have inserted rows of their own */
  return status;
}

/* ---- change ---- */

/* Reads rid, version, omitted and what is to be compared, in column order after rid. */
static kecs_status kecs__change_read(kecs__write *write, const kecs__meta *meta, kecs__change *change, uint64_t mask,
                                     kecs__cached **out_cached, kecs_value *values) {
  bool row = false;
  kecs_value rid = kecs__value_int(change->rid);
  bool logged = write->session->place.on;
  kecs__op op = change->rid ? (logged ? KECS__OP_READ_RID_LOGGED : KECS__OP_READ_RID)
                            : (logged ? KECS__OP_READ_FIELDS_LOGGED : KECS__OP_READ_FIELDS);
  kecs_status status = kecs__statement(write->session, meta, op, mask, out_cached);
  if (!status) {
    status = change->rid ? kecs__statement_start(write->session, *out_cached, &rid, 1, &row)
                         : kecs__statement_start(write->session, *out_cached, change->probe->values,
                                                 change->probe->count, &row);
  }
  if (!status && !row) {
    status = change->probe ? kecs__fail_probe(meta, change->probe) : kecs__fail_not_found(meta, "?");
  }
  if (status) {
    return status;
  }
  int count = 1;
  for (int i = 0; i < meta->info->column_count; i++) {
    count += mask & KECS_BIT(i) ? 1 : 0;
  }
  kecs_value read[65 + KECS__STAMPS];
  kecs__statement_columns(write->session, *out_cached, read, logged ? count + KECS__STAMPS : count);
  change->rid = read[0].number;
  for (int i = 0; logged && i < KECS__STAMPS; i++) {
    change->base[i] = read[count + i].type == KECS_VALUE_NULL ? 0 : read[count + i].number;
  }
  for (int i = 0, at = 1; i < meta->info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      values[i] = read[at++];
    }
  }
  return KECS_OK;
}

static kecs_status kecs__change_conflict(const kecs__meta *meta, const kecs__change *change, int64_t stored) {
  char name[160];
  kecs__row_name(meta->info, change->row, name);
  return kecs__fail(KECS_E_CONFLICT,
                    "%s \"%s\" has version %lld, not %lld: it was changed meanwhile; read it again and "
                    "repeat the update",
                    meta->info->name, name, (long long)stored, (long long)change->version);
}

/* The mask of the columns that differ, and the parameters that write them. */
static kecs_status kecs__change_compare(const kecs__meta *meta, kecs__change *change, const kecs_value *stored,
                                        kecs_value *parameters) {
  change->changed = 0;
  for (int i = 0; i < meta->info->column_count; i++) {
    if (change->mask & KECS_BIT(i)) {
      kecs_value value = kecs__row_value(meta->info, change->row, i);
      if (value.type == KECS_VALUE_NULL && (meta->info->columns[i].flags & KECS_COLUMN_NOT_NULL)) {
        if (meta->info->columns[i].type == KECS_TYPE_TIME) {
          continue; /* a time that the store filled stays when the caller has none */
        }
        if (!meta->info->columns[i].default_text) {
          return kecs__fail(KECS_E_INVALID, "%s.%s is required and has no default; set it", meta->info->name,
                            meta->info->columns[i].name);
        }
        value = kecs__value_text(meta->info->columns[i].default_text);
      }
      bool differs = i == meta->version ? value.number > stored[i].number && value.number <= INT64_MAX / 2
                                        : !kecs__value_same(&value, &stored[i]);
      if (differs) {
        kecs_status status = kecs__check_text(meta, i, &value);
        if (status) {
          return status;
        }
        change->changed |= KECS_BIT(i);
        parameters[i] = value;
      }
    }
  }
  if (change->bare && change->changed && (change->mask & KECS_BIT(meta->version))) {
    parameters[meta->version] = kecs__row_value(meta->info, change->row, meta->version);
    change->changed |= parameters[meta->version].number > 0 ? KECS_BIT(meta->version) : 0;
  }
  return KECS_OK;
}

/* A raw member that an earlier document left for a column leaves `extra` when the column is written: by name, or, where
 * a whole row with its extra is given, with another value. */
static kecs_status kecs__change_extra(kecs__write *write, const kecs__meta *meta, kecs__change *change,
                                      const kecs_value *stored, kecs_value *parameters) {
  bool whole = (change->mask & KECS_BIT(meta->extra)) != 0;
  uint64_t mask = whole ? change->changed & ~KECS_BIT(meta->extra) : change->mask;
  kecs_value now = whole ? kecs__row_value(meta->info, change->row, meta->extra) : stored[meta->extra];
  const char *left = NULL;
  if (now.type != KECS_VALUE_TEXT || now.len == 0 || mask == 0) {
    return KECS_OK;
  }
  const char *extra = kecs__arena_text(&write->arena, now.text, now.len);
  if (!extra) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs__extra_prune(meta->info, change->row, mask, extra, &write->arena, &left);
  if (!status && left != extra) {
    parameters[meta->extra] = kecs__value_text(left);
    bool differs = !kecs__value_same(&parameters[meta->extra], &stored[meta->extra]);
    change->changed &= ~KECS_BIT(meta->extra);
    change->changed |= differs ? KECS_BIT(meta->extra) : 0;
  }
  return status;
}

/* version, updated_at and omitted follow a change by themselves. */
static uint64_t kecs__change_auto(const kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                  const kecs_value *stored, kecs_value *parameters) {
  uint64_t mask = change->changed;
  if (meta->version >= 0 && !(mask & KECS_BIT(meta->version))) {
    parameters[meta->version] = kecs__value_int(stored[meta->version].number + 1);
    mask |= KECS_BIT(meta->version);
  }
  if (meta->updated_at >= 0 && !(mask & KECS_BIT(meta->updated_at))) {
    parameters[meta->updated_at] = kecs__value_time(write->now);
    mask |= KECS_BIT(meta->updated_at);
  }
  if (meta->omitted >= 0 && !(mask & KECS_BIT(meta->omitted)) &&
      ((uint64_t)stored[meta->omitted].number & change->changed)) {
    uint64_t omitted = (uint64_t)stored[meta->omitted].number & ~change->changed;
    parameters[meta->omitted] = kecs__value_int((int64_t)omitted);
    mask |= KECS_BIT(meta->omitted);
  }
  return mask;
}

/* Which form of UPDATE stamps these groups. */
static kecs__op kecs__change_op(uint64_t groups) {
  bool spec = groups & KECS_BIT(KECS_GROUP_SPEC);
  bool observed = groups & KECS_BIT(KECS_GROUP_STATUS);
  if (spec && observed) {
    return KECS__OP_UPDATE_BOTH;
  }
  return spec ? KECS__OP_UPDATE_SPEC : observed ? KECS__OP_UPDATE_STATUS : KECS__OP_UPDATE;
}

static kecs_status kecs__change_write(kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                      uint64_t mask, const kecs_value *parameters) {
  kecs_value packed[66];
  int count = 0;
  bool logged = write->session->place.on;
  kecs__op op = KECS__OP_UPDATE;
  uint64_t groups = 0;
  int64_t stamp = 0;
  kecs_status status = KECS_OK;
  for (int i = 0; i < meta->info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      packed[count++] = parameters[i];
    }
  }
  if (logged) {
    groups = kecs__feed_groups(meta, change->changed);
    op = kecs__feed_stamped(meta->info) && !write->burial ? kecs__change_op(groups) : KECS__OP_UPDATE;
    status = kecs__feed_stamp(write, &stamp);
  }
  if (op != KECS__OP_UPDATE) {
    packed[count++] = kecs__value_int(stamp);
  }
  packed[count++] = kecs__value_int(change->rid);
  kecs__cached *cached = NULL;
  if (!status) {
    status = kecs__statement(write->session, meta, op, mask, &cached);
  }
  if (!status) {
    status = kecs__statement_run_last(write, cached, packed, count);
  }
  if (status) {
    return kecs__row_explain(write, meta, change->row, change->changed, status);
  }
  return logged ? kecs__feed_updated(write, meta, change, groups, stamp) : KECS_OK;
}

/* What the kind's own look-ups need: the whole row before and after. */
static kecs_status kecs__change_follow(kecs__write *write, const kecs__meta *meta, const kecs__special *special,
                                       const kecs__change *change, uint64_t mask, const kecs_value *parameters) {
  bool found = false;
  write->last = false;
  kecs_status status = kecs__write_guard(write);
  char *before = status ? NULL : kecs__arena_take(&write->arena, meta->info->row_size);
  char *after = before ? kecs__arena_take(&write->arena, meta->info->row_size) : NULL;
  if (!status && !after) {
    return KECS_E_NOMEM;
  }
  if (!status) {
    status = kecs__row_by_rid(write->session, meta, change->rid, &write->arena, before, &found);
  }
  if (!status) {
    memcpy(after, before, meta->info->row_size);
    for (int i = 0; i < meta->info->column_count; i++) {
      if (mask & KECS_BIT(i)) {
        kecs__row_set(meta->info, after, i, &parameters[i]);
      }
    }
    status = kecs__change_write(write, meta, change, mask, parameters);
  }
  return status ? status : special->follow(write, meta, before, after, change->changed);
}

KECS__FN kecs_status kecs__row_change(kecs__write *write, const kecs__meta *meta, kecs__change *change) {
  const kecs__special *special = meta->special;
  kecs_value stored[64] = {{KECS_VALUE_NULL, 0, NULL, 0}};
  kecs_value parameters[64];
  uint64_t read = change->mask;
  read |= meta->version >= 0 ? KECS_BIT(meta->version) : 0;
  read |= meta->omitted >= 0 ? KECS_BIT(meta->omitted) : 0;
  read |= change->mask & special->judged ? special->judged : 0;
  bool prunes = !change->document && meta->extra >= 0 && change->mask != 0;
  read |= prunes ? KECS_BIT(meta->extra) : 0;
  kecs__cached *cached = NULL;
  kecs_status status = kecs__feed_begin(write);
  bool kept = !status && kecs__history_kept(write, meta);
  read |= kept && meta->updated_at >= 0 ? KECS_BIT(meta->updated_at) : 0;
  if (!status) {
    status = kecs__change_read(write, meta, change, read, &cached, stored);
  }
  if (!status && change->version != 0 && meta->version >= 0 && stored[meta->version].number != change->version) {
    status = kecs__change_conflict(meta, change, stored[meta->version].number);
  }
  if (!status && special->judge) {
    status = special->judge(meta, change->row, stored, &change->mask);
  }
  if (!status) {
    status = kecs__change_compare(meta, change, stored, parameters);
  }
  if (!status && prunes) {
    status = kecs__change_extra(write, meta, change, stored, parameters);
  }
  uint64_t mask = status || change->changed == 0 ? 0 : kecs__change_auto(write, meta, change, stored, parameters);
  kecs__past past;
  kecs__text_init(&past.text, &write->engine->allocator, KECS__HISTORY_MAX);
  past.whole = kept && meta->version >= 0 && stored[meta->version].number % KECS__HISTORY_WHOLE == 0;
  if (kept && mask && !past.whole) {
    status = kecs__history_values(meta->info, stored, mask, &past.text);
  }
  change->past = kept ? &past : NULL;
  /* The stored texts were borrowed from the statement; from here on only numbers of it are used. */
  kecs__statement_done(write->session, cached);
  if (!status && mask && past.whole) {
    status = kecs__history_whole(write, meta, change->rid, &past.text);
  }
  bool follows = special->follow && (change->changed & special->followed);
  if (!status && mask) {
    status = follows ? kecs__change_follow(write, meta, special, change, mask, parameters)
                     : kecs__change_write(write, meta, change, mask, parameters);
  }
  kecs__text_free(&past.text);
  change->past = NULL;
  return status;
}

/* ---- delete ---- */

/* The rids of a parent's children, one step at a time: a cluster may have a million tasks. */
static kecs_status kecs__children(kecs__write *write, const kecs__meta *child, int column, const kecs_value *parent,
                                  kecs__arena *arena, int64_t *rids, int *out_count) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  char condition[96];
  *out_count = 0;
  kecs__plan_init(&plan, write->session, child, arena);
  plan.for_change = true;
  size_t len = strlen(child->info->columns[column].name);
  memcpy(condition, child->info->columns[column].name, len);
  memcpy(condition + len, "=?", 3);
  kecs__plan_where(&plan, condition, parent, 1);
  kecs_status status = kecs__plan_start(&plan, "rid", false, KECS__STEP_ROWS, &cached, &row);
  while (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    rids[(*out_count)++] = value.number;
    status = kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

static kecs_status kecs__child_release(kecs__write *write, const kecs__meta *child, const kecs_reference *reference,
                                       int64_t rid, kecs__arena *arena) {
  bool found = false;
  void *row = kecs__arena_take(arena, child->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, child, rid, arena, row, &found) : KECS_E_NOMEM;
  if (status || !found) {
    return status;
  }
  if (reference->on_delete == KECS_ON_DELETE_CASCADE) {
    return kecs__row_delete(write, child, rid, row);
  }
  kecs__change change = {0};
  kecs__row_set_text(child->info, row, reference->column, NULL);
  change.row = row;
  change.mask = KECS_BIT(reference->column);
  change.rid = rid;
  return kecs__row_change(write, child, &change);
}

static kecs_status kecs__children_release(kecs__write *write, const kecs__meta *child, const kecs_reference *reference,
                                          const kecs_value *parent) {
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  int64_t *rids = kecs__alloc(&write->engine->allocator, KECS__STEP_ROWS * sizeof *rids);
  kecs_status status = rids ? KECS_OK : KECS_E_NOMEM;
  int count = KECS__STEP_ROWS;
  while (!status && count == KECS__STEP_ROWS) {
    status = kecs__children(write, child, reference->column, parent, &arena, rids, &count);
    for (int i = 0; !status && i < count; i++) {
      kecs__arena_reset(&arena);
      status = kecs__child_release(write, child, reference, rids[i], &arena);
    }
  }
  kecs__release(&write->engine->allocator, rids, KECS__STEP_ROWS * sizeof *rids);
  kecs__arena_free(&arena);
  return status;
}

/* The kinds that refer to this one, each by its rule; grandchildren go with the children. */
static kecs_status kecs__descendants_release(kecs__write *write, const kecs__meta *meta, const void *row) {
  for (int kind = KECS_KIND_COUNT - 1; kind >= 1; kind--) {
    const kecs__meta *child = kecs__meta_of(write->engine, (kecs_kind)kind);
    for (int i = 0; i < child->info->reference_count; i++) {
      const kecs_reference *reference = &child->info->references[i];
      if (reference->parent == meta->info->kind) {
        kecs_value parent = kecs__row_value(meta->info, row, reference->parent_column);
        kecs_status status = kecs__children_release(write, child, reference, &parent);
        if (status) {
          return status;
        }
      }
    }
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__row_delete(kecs__write *write, const kecs__meta *meta, int64_t rid, const void *row) {
  const kecs__special *special = meta->special;
  kecs_value parameter = kecs__value_int(rid);
  kecs__cached *cached = NULL;
  bool last = write->last;
  write->last = false; /* not those of its children */
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__descendants_release(write, meta, row);
  }
  if (!status && special->follow) {
    status = special->follow(write, meta, row, NULL, UINT64_MAX);
  }
  if (!status) {
    status = kecs__feed_begin(write);
  }
  if (!status && write->session->place.on) {
    status = kecs__feed_delete(write, meta, rid, row);
  }
  if (!status) {
    status = kecs__statement(write->session, meta, KECS__OP_DELETE, 0, &cached);
  }
  write->last = last;
  return status ? status : kecs__statement_run_last(write, cached, &parameter, 1);
}
