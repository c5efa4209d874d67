/* store/locate.c -- addresses to unique keys, and the one read by a key that get, delete and assign share. */
#include "base/prologue.h"

#include "store/locate.h"

#include "base/json.h"
#include "store/arn.h"
#include "store/gather.h"
#include "store/statements.h"

#include <stdio.h>
#include <string.h>

KECS__FN kecs_status kecs__fail_not_found(const kecs__meta *meta, const char *shown) {
  return kecs__fail(KECS_E_NOT_FOUND, "%s \"%s\" not found", meta->info->name, shown);
}

static void kecs__probe_show(kecs__probe *probe, const kecs_value *address, int count) {
  size_t used = 0;
  probe->shown[0] = '\0';
  for (int i = 0; i < count && used < sizeof probe->shown - 1; i++) {
    int len = 0;
    const char *comma = used > 0 ? "," : "";
    if (address[i].type == KECS_VALUE_TEXT && address[i].len > 0) {
      len = snprintf(probe->shown + used, sizeof probe->shown - used, "%s%s", comma, address[i].text);
    } else if (address[i].type == KECS_VALUE_INT) {
      len = snprintf(probe->shown + used, sizeof probe->shown - used, "%s%lld", comma, (long long)address[i].number);
    }
    used += len > 0 ? (size_t)len : 0;
  }
}

/* The parents first, then what the key adds to account and region: as a person would say it. */
KECS__FN kecs_status kecs__fail_probe(const kecs__meta *meta, const kecs__probe *probe) {
  const kecs_column_list *key = &meta->info->keys[probe->key];
  kecs__probe told = *probe;
  kecs_value parts[2 * KECS_KEY_COLUMNS_MAX];
  int count = 0;
  for (int i = 0; i < probe->check_count; i++) {
    parts[count++] = probe->check_values[i];
  }
  for (int i = 0; i < probe->count; i++) {
    if (key->columns[i] != meta->account_id && key->columns[i] != meta->region) {
      parts[count++] = probe->values[i];
    }
  }
  if (!told.shown[0]) {
    kecs__probe_show(&told, parts, count);
  }
  return kecs__fail_not_found(meta, told.shown);
}

/* ---- from an address ---- */

static bool kecs__value_empty(const kecs_value *value) {
  return value->type == KECS_VALUE_NULL || (value->type == KECS_VALUE_TEXT && value->len == 0);
}

/* Where a column stands in the address, or -1. */
static int kecs__address_at(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->address.count; i++) {
    if (info->address.columns[i] == column) {
      return i;
    }
  }
  return -1;
}

/* The first unique key but the ARN that is made of address columns, account and region. -1: none. */
static int kecs__address_key(const kecs__meta *meta) {
  for (int k = 0; k < meta->info->key_count; k++) {
    const kecs_column_list *key = &meta->info->keys[k];
    bool fits = !(k == 0 && key->columns[0] == meta->arn && meta->info->address.columns[0] != meta->arn);
    for (int i = 0; fits && i < key->count; i++) {
      int column = key->columns[i];
      fits = column == meta->account_id || column == meta->region || kecs__address_at(meta->info, column) >= 0;
    }
    if (fits) {
      return k;
    }
  }
  return -1;
}

static const kecs_reference *kecs__reference_of(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->reference_count; i++) {
    if (info->references[i].column == column) {
      return &info->references[i];
    }
  }
  return NULL;
}

/* A part of the address as the column holds it: a parent's name becomes its ARN; a parent that is left out is the
 * default cluster where the key needs one (AWS assumes it, too). */
static kecs_status kecs__address_part(kecs__session *session, const kecs__meta *meta, int column, kecs_value given,
                                      bool needed, kecs__arena *arena, kecs_value *out) {
  const kecs_reference *reference = kecs__reference_of(meta->info, column);
  *out = given;
  if (!reference || reference->parent != KECS_KIND_CLUSTER) {
    if (needed && given.type == KECS_VALUE_NULL) {
      return kecs__fail(KECS_E_MISUSE, "argument \"%s\" must not be NULL", meta->info->columns[column].name);
    }
    return KECS_OK;
  }
  const char *text = kecs__value_empty(&given) ? (needed ? "default" : NULL) : given.text;
  const char *arn = NULL;
  kecs_status status = kecs__resolve_parent(session, reference->parent, text, arena, &arn);
  *out = kecs__value_text(arn);
  return status;
}

static void kecs__probe_check(kecs__probe *probe, int column, const kecs_value *value) {
  if (!kecs__value_empty(value)) {
    probe->check_columns[probe->check_count] = column;
    probe->check_values[probe->check_count] = *value;
    probe->check_count++;
  }
}

/* The columns of the address that the key does not hold must still be equal. */
static kecs_status kecs__probe_checks(kecs__session *session, const kecs__meta *meta, const kecs_value *address,
                                      int count, kecs__arena *arena, kecs__probe *probe) {
  const kecs_column_list *key = &meta->info->keys[probe->key];
  for (int i = 0; i < count; i++) {
    int column = meta->info->address.columns[i];
    bool held = false;
    for (int k = 0; k < key->count; k++) {
      held = held || key->columns[k] == column;
    }
    /* An ARN in the last place stands for the whole row: the name or id column is not compared with it. */
    if (held || (i == count - 1 && key->columns[0] == meta->arn)) {
      continue;
    }
    kecs_value value;
    kecs_status status = kecs__address_part(session, meta, column, address[i], false, arena, &value);
    if (status) {
      return status;
    }
    kecs__probe_check(probe, column, &value);
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__probe_address(kecs__session *session, const kecs__meta *meta, const kecs_value *address,
                                         int count, kecs__arena *arena, kecs__probe *out_probe) {
  const kecs_kind_info *info = meta->info;
  const kecs__engine *engine = session->engine;
  memset(out_probe, 0, sizeof *out_probe);
  const kecs_value *last = &address[count - 1];
  if (kecs__value_empty(last)) {
    return kecs__fail(last->type == KECS_VALUE_NULL ? KECS_E_MISUSE : KECS_E_INVALID, "%s: the %s to look for is empty",
                      info->name, info->columns[info->address.columns[count - 1]].name);
  }
  if (meta->arn >= 0 && last->type == KECS_VALUE_TEXT && kecs__is_arn(last->text)) {
    out_probe->key = 0;
    out_probe->count = 1;
    out_probe->values[0] = *last;
    return kecs__probe_checks(session, meta, address, count, arena, out_probe);
  }
  const kecs__special *special = meta->special;
  if (special->probe) {
    kecs__probe_show(out_probe, address, count);
    return special->probe(session, meta, address, arena, out_probe);
  }
  out_probe->key = kecs__address_key(meta);
  const kecs_column_list *key = &info->keys[out_probe->key];
  out_probe->count = key->count;
  for (int i = 0; i < key->count; i++) {
    int column = key->columns[i];
    int at = kecs__address_at(info, column);
    if (at < 0) {
      out_probe->values[i] = kecs__value_text(column == meta->region ? engine->region : engine->account_id);
      continue;
    }
    kecs_status status = kecs__address_part(session, meta, column, address[at], true, arena, &out_probe->values[i]);
    if (status) {
      return status;
    }
  }
  return kecs__probe_checks(session, meta, address, count, arena, out_probe);
}

/* Splits "a,b\,c,d" into at most `max` parts; the last takes the rest as it is. */
static int kecs__key_split(const char *text, int max, kecs__arena *arena, char **parts) {
  int count = 0;
  while (count < max) {
    char *part = kecs__arena_bytes(arena, strlen(text) + 1);
    if (!part) {
      return -1;
    }
    parts[count++] = part;
    if (count == max) {
      memcpy(part, text, strlen(text) + 1);
      break;
    }
    while (*text && *text != ',') {
      text += text[0] == '\\' && (text[1] == ',' || text[1] == '\\') ? 1 : 0;
      *part++ = *text++;
    }
    *part = '\0';
    if (!*text) {
      break;
    }
    text++;
  }
  return count;
}

static kecs_status kecs__key_number(const kecs__meta *meta, int column, const char *text, kecs_value *out) {
  int64_t number = 0;
  kecs__json json = {KECS__JSON_NUMBER, text, strlen(text)};
  if (kecs__json_check(text, json.len, NULL).type != KECS__JSON_NUMBER || !kecs__json_int64(json, &number)) {
    return kecs__fail(KECS_E_INVALID, "%s: the part %s of the key is \"%s\", not a number", meta->info->name,
                      meta->info->columns[column].name, text);
  }
  *out = kecs__value_int(number);
  return KECS_OK;
}

KECS__FN kecs_status kecs__probe_text(kecs__session *session, const kecs__meta *meta, const char *text,
                                      kecs__arena *arena, kecs__probe *out_probe) {
  const kecs_column_list *address = &meta->info->address;
  char *parts[KECS_KEY_COLUMNS_MAX] = {NULL};
  if (!text) {
    return kecs__check_pointer(NULL, "key");
  }
  /* An ARN needs no other part: it is taken whole, commas and all. */
  int max = meta->arn >= 0 && kecs__is_arn(text) && !strchr(text, ',') ? 1 : address->count;
  int count = kecs__key_split(text, max, arena, parts);
  if (count < 0) {
    return KECS_E_NOMEM;
  }
  kecs_value values[KECS_KEY_COLUMNS_MAX] = {{KECS_VALUE_NULL, 0, NULL, 0}};
  for (int i = 0; i < count; i++) {
    int at = address->count - count + i;
    int column = address->columns[at];
    kecs_column_type type = meta->info->columns[column].type;
    kecs_status status = KECS_OK;
    if (type == KECS_TYPE_INT || type == KECS_TYPE_RANK) {
      status = kecs__key_number(meta, column, parts[i], &values[at]);
    } else {
      values[at] = kecs__value_text(parts[i]);
    }
    if (status) {
      return status;
    }
  }
  return kecs__probe_address(session, meta, values, address->count, arena, out_probe);
}

/* ---- from a row ---- */

/* Account and region have defaults, and so has the cluster (see kecs__address_part). */
static bool kecs__key_part_given(const kecs__meta *meta, int column, const kecs_value *value) {
  const kecs_reference *reference = kecs__reference_of(meta->info, column);
  bool number = value->type == KECS_VALUE_INT && value->number != 0;
  return column == meta->region || column == meta->account_id ||
         (reference && reference->parent == KECS_KIND_CLUSTER) || number ||
         (value->type == KECS_VALUE_TEXT && value->len > 0);
}

/* Takes a unique key's values from the row; false when the row does not have them all. */
static bool kecs__probe_key(kecs__session *session, const kecs__meta *meta, const void *row, int key,
                            kecs__arena *arena, kecs__probe *probe, kecs_status *status) {
  const kecs_column_list *list = &meta->info->keys[key];
  probe->key = key;
  probe->count = list->count;
  for (int i = 0; i < list->count; i++) {
    int column = list->columns[i];
    kecs_value value = kecs__row_value(meta->info, row, column);
    if (!kecs__key_part_given(meta, column, &value)) {
      return false;
    }
    if (kecs__value_empty(&value) && (column == meta->region || column == meta->account_id)) {
      value = kecs__value_text(column == meta->region ? session->engine->region : session->engine->account_id);
    }
    *status = kecs__address_part(session, meta, column, value, true, arena, &probe->values[i]);
    if (*status) {
      return true;
    }
  }
  return true;
}

KECS__FN kecs_status kecs__probe_row(kecs__session *session, const kecs__meta *meta, const void *row,
                                     kecs__arena *arena, kecs__probe *out_probe) {
  const kecs_kind_info *info = meta->info;
  kecs_value natural = kecs__row_value(info, row, info->keys[0].columns[0]);
  kecs_value address[KECS_KEY_COLUMNS_MAX];
  kecs_status status = KECS_OK;
  memset(out_probe, 0, sizeof *out_probe);
  if (meta->arn < 0 || !kecs__value_empty(&natural)) {
    out_probe->count = info->keys[0].count;
    for (int i = 0; i < info->keys[0].count; i++) {
      out_probe->values[i] = kecs__row_value(info, row, info->keys[0].columns[i]);
      if (out_probe->values[i].type == KECS_VALUE_NULL) { /* what an insert would put there */
        out_probe->values[i] = kecs__value_text(info->columns[info->keys[0].columns[i]].default_text);
      }
    }
    return KECS_OK;
  }
  for (int i = 0; i < info->address.count; i++) {
    address[i] = kecs__row_value(info, row, info->address.columns[i]);
  }
  for (int k = 1; k < info->key_count; k++) {
    if (!info->keys[k].when_set && kecs__probe_key(session, meta, row, k, arena, out_probe, &status)) {
      return status ? status : kecs__probe_checks(session, meta, address, info->address.count, arena, out_probe);
    }
  }
  if (kecs__value_empty(&address[info->address.count - 1])) {
    return kecs__fail(KECS_E_INVALID, "%s: neither arn nor %s is set, so there is no telling which row is meant",
                      info->name, info->columns[info->address.columns[info->address.count - 1]].name);
  }
  return kecs__probe_address(session, meta, address, info->address.count, arena, out_probe);
}

/* ---- reading ---- */

static kecs_status kecs__probe_start(kecs__session *session, const kecs__meta *meta, kecs__op op,
                                     const kecs__probe *probe, kecs__cached **out_cached, bool *out_row) {
  *out_row = false;
  kecs_status status = kecs__statement(session, meta, op, (uint64_t)probe->key, out_cached);
  if (!status) {
    status = kecs__statement_start(session, *out_cached, probe->values, probe->count, out_row);
  }
  return status;
}

static bool kecs__probe_passes(const kecs__meta *meta, const kecs__probe *probe, const void *row) {
  for (int i = 0; i < probe->check_count; i++) {
    kecs_value value = kecs__row_value(meta->info, row, probe->check_columns[i]);
    if (!kecs__value_same(&value, &probe->check_values[i])) {
      return false;
    }
  }
  return true;
}

static kecs_status kecs__probe_once(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                    kecs__arena *arena, void *row, int64_t *out_rid, bool *out_found) {
  kecs__cached *cached = NULL;
  *out_found = false;
  kecs_status status = kecs__probe_start(session, meta, KECS__OP_SELECT_KEY, probe, &cached, out_found);
  if (!status && *out_found) {
    status = kecs__row_fetch(session, cached, meta, arena, row, out_rid);
  }
  kecs__statement_done(session, cached);
  if (!status && *out_found) {
    *out_found = kecs__probe_passes(meta, probe, row);
  }
  return status;
}

/* A task or instance is also known by the short form of its ARN, which has no cluster in it: then the id decides. */
static bool kecs__probe_by_tail(const kecs__meta *meta, const kecs__probe *probe, kecs__probe *out_tail) {
  bool by_id = meta->id >= 0 && meta->info->address.columns[meta->info->address.count - 1] == meta->id;
  if (!by_id || meta->arn < 0 || probe->key != 0 || meta->info->key_count < 2) {
    return false;
  }
  const kecs_column_list *key = &meta->info->keys[1];
  if (key->count != 1 || key->columns[0] != meta->id) {
    return false;
  }
  *out_tail = *probe;
  out_tail->key = 1;
  out_tail->values[0] = kecs__value_text(kecs__arn_tail(probe->values[0].text));
  return true;
}

KECS__FN kecs_status kecs__probe_read(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, void *row, int64_t *out_rid) {
  bool found = false;
  int64_t rid = 0;
  kecs_status status = kecs__probe_once(session, meta, probe, arena, row, &rid, &found);
  kecs__probe used;
  if (!status && !found && kecs__probe_by_tail(meta, probe, &used)) {
    status = kecs__probe_once(session, meta, &used, arena, row, &rid, &found);
    found = found && kecs__arn_same_place(probe->values[0].text, kecs__row_text(meta->info, row, meta->arn));
  }
  if (!status && !found) {
    status = kecs__fail_probe(meta, probe);
  }
  if (!status && out_rid) {
    *out_rid = rid;
  }
  return status;
}

KECS__FN kecs_status kecs__probe_rid(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                     int64_t *out_rid) {
  kecs__cached *cached = NULL;
  bool found = false;
  *out_rid = 0;
  kecs_status status = kecs__probe_start(session, meta, KECS__OP_FIND_KEY, probe, &cached, &found);
  if (!status && found) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    *out_rid = value.number;
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__probe_find(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, int64_t *out_rid) {
  *out_rid = 0;
  if (probe->check_count == 0) {
    return kecs__probe_rid(session, meta, probe, out_rid);
  }
  bool found = false;
  int64_t rid = 0;
  void *row = kecs__arena_take(arena, meta->info->row_size);
  kecs_status status = row ? kecs__probe_once(session, meta, probe, arena, row, &rid, &found) : KECS_E_NOMEM;
  *out_rid = !status && found ? rid : 0;
  return status;
}

KECS__FN kecs_status kecs__resolve_parent(kecs__session *session, kecs_kind parent, const char *text,
                                          kecs__arena *arena, const char **out_arn) {
  *out_arn = text;
  if (!text || !text[0] || kecs__is_arn(text) || parent != KECS_KIND_CLUSTER) {
    return KECS_OK;
  }
  static const char sql[] = "SELECT arn FROM {clusters} WHERE {own}account_id=?1 AND region=?2 AND name=?3";
  const kecs__engine *engine = session->engine;
  kecs_value values[] = {kecs__value_text(engine->account_id), kecs__value_text(engine->region),
                         kecs__value_text(text)};
  kecs__cached *cached = NULL;
  bool row = false;
  char *arn = NULL;
  kecs_status status = kecs__statement_text(session, sql, sizeof sql - 1, &cached);
  kecs__gather_guess(session, true); /* most ARNs are what is made of the name below */
  if (!status) {
    status = kecs__statement_start(session, cached, values, 3, &row);
  }
  kecs__gather_guess(session, false);
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    arn = value.text ? kecs__arena_text(arena, value.text, value.len) : NULL;
    status = arn ? KECS_OK : kecs__fail_nomem();
  }
  kecs__statement_done(session, cached);
  if (!status && !arn) {
    kecs__text made;
    kecs__text_init(&made, arena->allocator, strlen(text) + 256);
    kecs__text_addf(&made, "arn:aws:ecs:%s:%s:cluster/%s", engine->region, engine->account_id, text);
    arn = made.status ? NULL : kecs__arena_text(arena, made.data, made.len);
    status = made.status ? made.status : (arn ? KECS_OK : KECS_E_NOMEM);
    kecs__text_free(&made);
  }
  *out_arn = arn;
  return status;
}

KECS__FN kecs_status kecs__row_by_rid(kecs__session *session, const kecs__meta *meta, int64_t rid, kecs__arena *arena,
                                      void *row, bool *out_found) {
  kecs_value parameter = kecs__value_int(rid);
  kecs__cached *cached = NULL;
  *out_found = false;
  kecs_status status = kecs__statement(session, meta, KECS__OP_SELECT_RID, 0, &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, &parameter, 1, out_found);
  }
  if (!status && *out_found) {
    status = kecs__row_fetch(session, cached, meta, arena, row, NULL);
  }
  kecs__statement_done(session, cached);
  return status;
}
