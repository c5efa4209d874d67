/* store/replica_resolve.c -- the decision about an entry in the log of conflicts: what was kept stays, or what had lost
 * is written once more, as an ordinary edit of this store. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "base/json.h"
#include "store/access.h"
#include "store/document.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

/* An entry, as it is decided upon. */
typedef struct kecs__resolution {
  int64_t id;
  bool lost; /* what had lost is taken */
  const kecs__meta *meta;
  const char *key;
  const char *reason;
  unsigned groups;
  const char *text; /* the row that had lost, as JSON by columns */
} kecs__resolution;

static kecs_status kecs__resolution_read(kecs__write *write, kecs__resolution *out) {
  kecs_value id = kecs__value_int(out->id);
  kecs__cached *cached = NULL;
  kecs_value read[6];
  bool row = false;
  kecs_status status = kecs__feed_statement(
      write->session, "SELECT kind,key,reason,groups,lost,resolved FROM {sync_conflicts} WHERE {own}id=?1", &cached);
  status = status ? status : kecs__statement_start(write->session, cached, &id, 1, &row);
  if (!status && row) {
    kecs__statement_columns(write->session, cached, read, 6);
    bool known = read[0].number > 0 && read[0].number < KECS_KIND_COUNT;
    out->meta = known ? kecs__meta_of(write->engine, (kecs_kind)read[0].number) : NULL;
    out->key = kecs__arena_text(&write->arena, read[1].text, read[1].len);
    out->reason = kecs__arena_text(&write->arena, read[2].text, read[2].len);
    out->groups = (unsigned)read[3].number;
    out->text = kecs__arena_text(&write->arena, read[4].text, read[4].len);
    status = out->key && out->reason && out->text ? KECS_OK : KECS_E_NOMEM;
    status = status || !read[5].number
                 ? status
                 : kecs__fail(KECS_E_CONFLICT, "the conflict %lld was resolved before", (long long)out->id);
  } else if (!status) {
    status = kecs__fail(KECS_E_NOT_FOUND, "there is no conflict %lld; kecs conflicts lists them", (long long)out->id);
  }
  kecs__statement_done(write->session, cached);
  return status || out->meta ? status
                             : kecs__fail(KECS_E_UNSUPPORTED, "the conflict %lld is of a kind that this program lacks",
                                          (long long)out->id);
}

/* ---- the row that had lost ---- */

static kecs_status kecs__resolution_value(kecs__write *write, kecs__json json, kecs_value *out) {
  int64_t number = 0;
  if (json.type == KECS__JSON_STRING) {
    size_t len = 0;
    char *text = kecs__json_string(json, &write->arena, &len);
    *out = text ? kecs__value_bytes(text, len) : *out;
    return text ? KECS_OK : KECS_E_NOMEM;
  }
  if (json.type == KECS__JSON_TRUE || json.type == KECS__JSON_FALSE) {
    out->type = KECS_VALUE_BOOL;
    out->number = json.type == KECS__JSON_TRUE;
  } else if (json.type != KECS__JSON_NULL && kecs__json_int64(json, &number)) {
    *out = kecs__value_int(number);
  }
  return KECS_OK;
}

/* *out_given: the columns that the text has. */
static kecs_status kecs__resolution_row(kecs__write *write, const kecs__resolution *resolution, void *row,
                                        uint64_t *out_given) {
  const kecs_kind_info *info = resolution->meta->info;
  kecs__json object = kecs__json_check(resolution->text, strlen(resolution->text), NULL);
  kecs_value values[64];
  kecs_status status = KECS_OK;
  *out_given = 0;
  if (object.type != KECS__JSON_OBJECT) {
    return kecs__fail(KECS_E_CORRUPT, "the conflict %lld has no row", (long long)resolution->id);
  }
  memset(values, 0, sizeof values);
  for (int i = 0; !status && i < info->column_count; i++) {
    kecs__json member = kecs__json_member(object, info->columns[i].name);
    values[i] = kecs__value_text(NULL);
    if (member.type != KECS__JSON_NONE && info->columns[i].group != KECS_GROUP_LOCAL) {
      *out_given |= KECS_BIT(i);
      status = kecs__resolution_value(write, member, &values[i]);
    }
  }
  return status ? status : kecs__row_read(resolution->meta, values, &write->arena, row);
}

/* The columns of the groups that had lost; of a whole row all that can be changed. */
static uint64_t kecs__resolution_mask(const kecs__resolution *resolution) {
  const kecs_kind_info *info = resolution->meta->info;
  bool whole = resolution->groups & 1U << KECS_REPLICA_LIFE;
  uint64_t mask = 0;
  for (int i = 0; i < info->column_count; i++) {
    bool spec = info->columns[i].group == KECS_GROUP_SPEC;
    bool observed = info->columns[i].group == KECS_GROUP_STATUS;
    mask |= (spec && (whole || resolution->groups & 1U << KECS_REPLICA_SPEC)) ||
                    (observed && (whole || resolution->groups & 1U << KECS_REPLICA_STATUS))
                ? KECS_BIT(i)
                : 0;
  }
  return mask;
}

static kecs_status kecs__resolution_write(kecs__write *write, const kecs__resolution *resolution) {
  const kecs__meta *meta = resolution->meta;
  kecs_value key[KECS_KEY_COLUMNS_MAX];
  kecs__change change = {0};
  uint64_t given = 0;
  if (strcmp(resolution->reason, "revision") == 0 || (meta->info->flags & KECS_KIND_APPEND)) {
    return kecs__fail(KECS_E_INVALID, "the conflict %lld has lost nothing: %s \"%.100s\" is in the store",
                      (long long)resolution->id, meta->info->name, resolution->key);
  }
  char *row = kecs__arena_take(&write->arena, meta->info->row_size);
  kecs_status status = row ? kecs__resolution_row(write, resolution, row, &given) : KECS_E_NOMEM;
  status = status ? status : kecs__state_key(meta, resolution->key, &write->arena, key);
  status = status ? status : kecs__state_rid(write->session, meta, 0, key, meta->info->keys[0].count, &change.rid);
  if (status) {
    return status;
  }
  if (!change.rid) { /* it went: once more, then, with its key */
    return kecs__row_insert(write, meta, row, given);
  }
  change.row = row;
  change.mask = kecs__resolution_mask(resolution);
  change.document = true;
  return kecs__row_change(write, meta, &change);
}

static kecs_status kecs__resolution_work(kecs__write *write, void *user) {
  kecs__resolution *resolution = user;
  kecs_status status = kecs__write_guard(write);
  status = status ? status : kecs__resolution_read(write, resolution);
  status = status || !resolution->lost ? status : kecs__resolution_write(write, resolution);
  kecs_value values[] = {kecs__value_int(resolution->lost ? 2 : 1), kecs__value_int(resolution->id)};
  return status
             ? status
             : kecs__run(write->session, "UPDATE {sync_conflicts} SET resolved=?1 WHERE {own}id=?2", values, 2, NULL);
}

KECS_STORE_API kecs_status kecs_replica_resolve(kecs_store *store, int64_t id, bool lost) {
  kecs__resolution resolution = {id, lost, NULL, NULL, NULL, 0, NULL};
  bool made = false;
  kecs_status status = kecs__check_handle(store);
  status = status ? status : kecs_replica_made(store, &made);
  if (!status && !made) {
    status = kecs__fail(KECS_E_NOT_FOUND, "there is no conflict %lld: %s was never an edge", (long long)id,
                        store->engine->place.shown);
  }
  return status ? status : kecs__with_write(store, kecs__resolution_work, &resolution);
}
