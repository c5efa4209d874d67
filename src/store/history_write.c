/* store/history_write.c -- how the write path keeps what rows were. It is called where the change log is written, in
 * the same transaction, and nowhere else. */
#include "base/prologue.h"

#include "store/history_log.h"

#include "base/json.h"
#include "store/feed.h"
#include "store/token.h"
#include "store/write.h"

#include <string.h>

#if !defined(KECS_STORE_NO_HISTORY)

#define KECS__HISTORY_APPEND                                                        \
  "INSERT INTO {history}({tenant}seq,kind,rid,op,whole,stamp,actor,reason,old) " \
  "VALUES({ours}?1,?2,?3,?4,?5,?6,?7,?8,?9)"

KECS__FN kecs_status kecs__history_begin(kecs__write *write) {
  int64_t kinds = 0;
  kecs__cached *cached = NULL;
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_HISTORY, &kinds);
  write->session->place.history = (uint64_t)kinds;
  if (!status && kinds) {
    /* Made ahead, as the log's own statement. */
    status = kecs__feed_statement(write->session, KECS__HISTORY_APPEND, &cached);
    kecs__statement_done(write->session, cached);
  }
  return status;
}

/* ---- what a row was ---- */

static void kecs__history_value(kecs__text *out, const char *name, const kecs_value *value) {
  kecs__text_adds(out, out->len > 1 ? ",\"" : "\"");
  kecs__text_adds(out, name);
  kecs__text_adds(out, "\":");
  if (value->type == KECS_VALUE_NULL) {
    kecs__text_adds(out, "null");
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs__json_quote(out, value->text, value->len);
  } else {
    kecs__text_addf(out, "%lld", (long long)value->number);
  }
}

KECS__FN kecs_status kecs__history_values(const kecs_kind_info *info, const kecs_value *values, uint64_t mask,
                                          kecs__text *out) {
  kecs__text_addc(out, '{');
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__history_value(out, info->columns[i].name, &values[i]);
    }
  }
  kecs__text_addc(out, '}');
  return out->status;
}

static kecs_status kecs__history_struct(const kecs_kind_info *info, const void *row, kecs__text *out) {
  kecs__text_addc(out, '{');
  for (int i = 0; i < info->column_count; i++) {
    kecs_value value = kecs__row_value(info, row, i);
    if (value.type != KECS_VALUE_NULL) {
      kecs__history_value(out, info->columns[i].name, &value);
    }
  }
  kecs__text_addc(out, '}');
  return out->status;
}

KECS__FN kecs_status kecs__history_whole(kecs__write *write, const kecs__meta *meta, int64_t rid, kecs__text *out) {
  kecs__arena arena;
  bool found = false;
  kecs__arena_init(&arena, &write->engine->allocator);
  void *row = kecs__arena_take(&arena, meta->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, meta, rid, &arena, row, &found) : KECS_E_NOMEM;
  if (!status && found) {
    status = kecs__history_struct(meta->info, row, out);
  }
  kecs__arena_free(&arena);
  return status;
}

/* ---- who and why ---- */

static kecs_status kecs__history_copy(kecs__write *write, const char *from, const char **out) {
  if (from && !*out) {
    *out = kecs__arena_text(&write->arena, from, strlen(from));
    return *out ? KECS_OK : KECS_E_NOMEM;
  }
  return KECS_OK;
}

/* Of the innermost handle that says it. */
static kecs_status kecs__history_note(kecs__write *write) {
  kecs_status status = KECS_OK;
  if (write->noted) {
    return KECS_OK;
  }
  for (kecs_store *at = write->store; !status && at; at = at->parent) {
    if (at->depth == 0) {
      kecs__mutex_lock(&write->engine->mutex);
    }
    status = kecs__history_copy(write, at->actor, &write->actor);
    if (!status) {
      status = kecs__history_copy(write, at->reason, &write->reason);
    }
    if (at->depth == 0) {
      kecs__mutex_unlock(&write->engine->mutex);
    }
  }
  write->noted = !status;
  return status;
}

static kecs_value kecs__history_said(const char *text) {
  return kecs__value_text(text && text[0] ? text : NULL);
}

static uint64_t kecs__history_hash(uint64_t hash, const char *text) {
  text = text ? text : "";
  return kecs__hash(hash, text, strlen(text) + 1);
}

/* Who has not said anything says so, too, where there is a history: otherwise he would be known by his login, as other
 * programs are. */
KECS__FN kecs_status kecs__history_say(kecs__write *write) {
  const kecs_backend_log *log = write->engine->backend->log;
  kecs__place *place = &write->session->place;
  if (!log || !log->say || !kecs__flag_get(&write->engine->tracked)) {
    return KECS_OK;
  }
  kecs_status status = kecs__history_note(write);
  const char *actor = write->actor;
  const char *reason = write->reason;
  bool says = (actor && actor[0]) || (reason && reason[0]) || kecs__flag_get(&write->engine->keeps) || place->said;
  uint64_t hash = kecs__history_hash(kecs__history_hash(KECS__HASH_START, actor), reason) | 1;
  if (status || !says || hash == place->said) {
    return status;
  }
  status = log->say(write->session->connection, actor, reason);
  place->said = status ? place->said : hash;
  return status;
}

/* ---- entries ---- */

static kecs_status kecs__history_put(kecs__write *write, const kecs__meta *meta, int op, int64_t seq, int64_t rid,
                                     int64_t stamp, const kecs__past *past) {
  kecs_status status = kecs__history_note(write);
  if (status) {
    write->store->broken = write->store->broken || (!write->own && !write->guarded);
    return status;
  }
  kecs_value old = {KECS_VALUE_NULL, 0, NULL, 0};
  if (past->text.data) {
    old = kecs__value_bytes(past->text.data, past->text.len);
  }
  kecs_value values[] = {kecs__value_int(seq),
                         kecs__value_int((int64_t)meta->info->kind),
                         kecs__value_int(rid),
                         kecs__value_int(op),
                         kecs__value_int(past->whole ? 1 : 0),
                         kecs__value_int(stamp),
                         kecs__history_said(write->actor),
                         kecs__history_said(write->reason),
                         old};
  return kecs__feed_run(write, KECS__HISTORY_APPEND, values, 9);
}

KECS__FN kecs_status kecs__history_add(kecs__write *write, const kecs__meta *meta, int op, int64_t rid, int64_t stamp,
                                       const kecs__past *past) {
  int64_t seq = write->engine->backend->last_rid(write->session->connection);
  return kecs__history_put(write, meta, op, seq, rid, stamp, past);
}

/* What the row will no longer be found by. */
static kecs_status kecs__history_key(kecs__write *write, const kecs__meta *meta, int number, int64_t seq, int64_t rid,
                                     const void *row) {
  const kecs_column_list *key = &meta->info->keys[number];
  kecs_value parts[KECS_KEY_COLUMNS_MAX];
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  for (int i = 0; i < key->count; i++) {
    parts[i] = kecs__row_value(meta->info, row, key->columns[i]);
  }
  const char *text = kecs__feed_key_text(parts, key->count, &arena);
  kecs_value values[] = {kecs__value_int(seq), kecs__value_int(number), kecs__value_int((int64_t)meta->info->kind),
                         kecs__value_int(rid), kecs__value_text(text)};
  kecs_status status = text ? KECS_OK : KECS_E_NOMEM;
  if (!status) {
    status = kecs__run(write->session,
                       "INSERT INTO {history_keys}({tenant}seq,number,kind,rid,key) VALUES({ours}?1,?2,?3,?4,?5)",
                       values, 5, NULL);
  }
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__history_deleted(kecs__write *write, const kecs__meta *meta, int64_t seq, int64_t rid,
                                           int64_t stamp, const void *row) {
  kecs__past past;
  past.whole = true;
  kecs__text_init(&past.text, &write->engine->allocator, KECS__HISTORY_MAX);
  /* As it is now: what has followed may have changed it since the caller read it. */
  kecs_status status = kecs__history_whole(write, meta, rid, &past.text);
  if (!status) {
    status = kecs__history_put(write, meta, KECS__FEED_DELETED, seq, rid, stamp, &past);
  }
  for (int number = 0; !status && number < meta->info->key_count; number++) {
    status = kecs__history_key(write, meta, number, seq, rid, row);
  }
  kecs__text_free(&past.text);
  return status;
}

KECS__FN kecs_status kecs__history_clear(kecs__write *write, uint64_t kinds) {
  int64_t kept = 0;
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_HISTORY, &kept);
  kinds &= (uint64_t)kept;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    kecs_value value = kecs__value_int(kind);
    if (kinds & KECS_BIT(kind)) {
      status = kecs__run(write->session, "DELETE FROM {history_keys} WHERE {own}kind=?1", &value, 1, NULL);
      status = status ? status
                      : kecs__run(write->session, "DELETE FROM {history} WHERE {own}kind=?1", &value, 1, NULL);
    }
  }
  if (!status && kinds) {
    status = kecs__feed_state_set(write->session, KECS__FEED_HISTORY, kept & ~(int64_t)kinds);
  }
  return status;
}

#endif
