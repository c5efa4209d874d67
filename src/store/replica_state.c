/* store/replica_state.c -- the state of a natural key as this file has it: stamps, row, tombstone, and what an edit was
 * based on. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <stdlib.h>
#include <string.h>

#define KECS__REPLICA_SQL 16384

/* ---- stamps ---- */

KECS__FN int kecs__stamp_compare(const kecs_replica *side, int64_t stamp, int64_t site, int64_t other,
                                 int64_t other_site) {
  int64_t a = site == KECS_REPLICA_HERE ? side->site : site;
  int64_t b = other_site == KECS_REPLICA_HERE ? side->site : other_site;
  if (stamp != other) {
    return stamp < other ? -1 : 1;
  }
  return a < b ? -1 : a > b;
}

KECS__FN unsigned kecs__state_pending(const kecs_replica *side, const int64_t *stamp, const int64_t *site) {
  unsigned pending = 0;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    pending |= stamp[i] > side->acked && site[i] == KECS_REPLICA_HERE ? 1U << i : 0;
  }
  return pending;
}

KECS__FN kecs_status kecs__state_unpushed(kecs__session *session, const kecs_replica *side, kecs_kind kind,
                                          const char *key, const kecs__state *state, unsigned *out_pending) {
  static const kecs_replica nothing;
  kecs_value values[] = {kecs__value_int((int64_t)kind), kecs__value_text(key)};
  unsigned own = kecs__state_pending(&nothing, state->stamp, state->site);
  int64_t refused = 0;
  *out_pending = kecs__state_pending(side, state->stamp, state->site);
  if (own == *out_pending) {
    return KECS_OK;
  }
  kecs_status status =
      kecs__feed_number(session, "SELECT 1 FROM {sync_refused} WHERE {own}kind=?1 AND key=?2", values, 2, &refused);
  *out_pending = refused ? own : *out_pending;
  return status;
}

/* ---- rows and keys ---- */

KECS__FN kecs_status kecs__state_resent(kecs__session *session, kecs_kind kind, const char *key, bool *out_resent) {
  kecs_value values[] = {kecs__value_int((int64_t)kind), kecs__value_text(key)};
  int64_t found = 0;
  kecs_status status =
      kecs__feed_number(session, "SELECT 1 FROM {sync_repush} WHERE {own}kind=?1 AND key=?2", values, 2, &found);
  *out_resent = found != 0;
  return status;
}

KECS__FN kecs_status kecs__state_read(kecs__session *session, const kecs__meta *meta, int64_t rid, kecs__arena *arena,
                                      kecs__state *out_state) {
  kecs__cached *cached = NULL;
  kecs_value parameter = kecs__value_int(rid);
  kecs_value values[64 + 2 * KECS_REPLICA_STAMPS];
  int count = meta->info->column_count;
  bool row = false;
  memset(out_state, 0, sizeof *out_state);
  kecs_status status = kecs__statement(session, meta, KECS__OP_READ_STATE, 0, &cached);
  status = status ? status : kecs__statement_start(session, cached, &parameter, 1, &row);
  if (!status && row) {
    kecs__statement_columns(session, cached, values, count + 2 * KECS_REPLICA_STAMPS);
    out_state->rid = rid;
    for (int i = 0; !status && i < count; i++) {
      out_state->values[i] = values[i];
      if (values[i].type == KECS_VALUE_TEXT) {
        out_state->values[i].text = kecs__arena_text(arena, values[i].text, values[i].len);
        status = out_state->values[i].text ? KECS_OK : KECS_E_NOMEM;
      }
    }
    for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
      const kecs_value *stamp = &values[count + 2 * i];
      out_state->stamp[i] = stamp->type == KECS_VALUE_NULL ? 0 : stamp->number;
      out_state->site[i] = stamp->type == KECS_VALUE_NULL     ? 0
                           : stamp[1].type == KECS_VALUE_NULL ? KECS_REPLICA_HERE
                                                              : stamp[1].number;
    }
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__state_rid(kecs__session *session, const kecs__meta *meta, int key, const kecs_value *values,
                                     int count, int64_t *out_rid) {
  kecs__probe probe;
  memset(&probe, 0, sizeof probe);
  probe.key = key;
  probe.count = count;
  memcpy(probe.values, values, (size_t)count * sizeof values[0]);
  return kecs__probe_rid(session, meta, &probe, out_rid);
}

KECS__FN kecs_status kecs__state_key(const kecs__meta *meta, const char *key, kecs__arena *arena,
                                     kecs_value *out_values) {
  const kecs_column_list *list = &meta->info->keys[0];
  const char *at = key;
  for (int i = 0; i < list->count; i++) {
    bool last = i == list->count - 1;
    char *part = kecs__arena_bytes(arena, strlen(at) + 1);
    size_t len = 0;
    if (!part) {
      return KECS_E_NOMEM;
    }
    while (*at && (last || *at != ',')) {
      at += !last && *at == '\\' && at[1] ? 1 : 0;
      part[len++] = *at++;
    }
    part[len] = '\0';
    if (!last && *at++ != ',') {
      return kecs__fail(KECS_E_INVALID, "\"%.100s\" is no key of a %s: it has %d parts", key, meta->info->name,
                        list->count);
    }
    bool text = meta->types[list->columns[i]] == KECS_VALUE_TEXT;
    out_values[i] = text ? kecs__value_bytes(part, len) : kecs__value_int(strtoll(part, NULL, 10));
  }
  return KECS_OK;
}

KECS__FN const char *kecs__state_name(kecs__write *write, const kecs__meta *meta, const kecs_value *values) {
  const kecs_column_list *list = &meta->info->keys[0];
  kecs_value key[KECS_KEY_COLUMNS_MAX];
  for (int i = 0; i < list->count; i++) {
    key[i] = values[list->columns[i]];
  }
  return kecs__feed_key_text(key, list->count, &write->arena);
}

KECS__FN kecs_status kecs__grave_read(kecs__session *session, kecs_kind kind, const char *key, kecs__grave *out_grave) {
  kecs_value values[] = {kecs__value_int((int64_t)kind), kecs__value_text(key)};
  kecs__cached *cached = NULL;
  kecs_value read[3];
  bool row = false;
  memset(out_grave, 0, sizeof *out_grave);
  kecs_status status = kecs__feed_statement(session,
                                            "SELECT seq,stamp,site FROM {change_tombstones} WHERE {own}kind=?1 AND "
                                            "key=?2 ORDER BY stamp DESC,coalesce(site,-1) DESC LIMIT 1",
                                            &cached);
  status = status ? status : kecs__statement_start(session, cached, values, 2, &row);
  if (!status && row) {
    kecs__statement_columns(session, cached, read, 3);
    out_grave->seq = read[0].number;
    out_grave->stamp = read[1].number;
    out_grave->site = read[2].type == KECS_VALUE_NULL ? KECS_REPLICA_HERE : read[2].number;
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__replica_same_write(kecs__write *write, const kecs_replica *side, const kecs_replica_row *row,
                                              kecs__state *ours) {
  kecs_value values[] = {kecs__value_int(side->former), kecs__value_int(ours->rid)};
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < KECS_REPLICA_STAMPS; i++) {
    bool same = ours->site[i] == KECS_REPLICA_HERE && row->stamp[i] && ours->stamp[i] == row->stamp[i] &&
                row->site[i] == side->former;
    if (same) {
      kecs__text sql;
      kecs__text_init(&sql, &write->engine->allocator, KECS__REPLICA_SQL);
      kecs__text_addf(&sql, "UPDATE {%s} SET site_%s=?1 WHERE {own}rid=?2", kecs_kind_describe(row->kind)->table,
                      kecs__stamp_name(i));
      status = sql.status ? sql.status : kecs__run(write->session, sql.data, values, 2, NULL);
      kecs__text_free(&sql);
      ours->site[i] = side->former;
    }
  }
  return status;
}

/* ---- what an edit was based on ---- */

/* It stands in the row's first entry with the group, or in the fold of such entries, which tells no place. */
#define KECS__FIRST_BASE(base, bit)                                                                                  \
  "SELECT " base ",place FROM (SELECT seq,0 AS place," base                                                          \
  " FROM {change_folds} WHERE {own}rid=?1 AND kind=?2 AND groups&" bit "<>0 UNION ALL SELECT seq,seq AS place," base \
  " FROM {changes} WHERE {own}rid=?1 AND kind=?2 AND groups&" bit "<>0 AND stamp>?3) ORDER BY seq LIMIT 1"

/* The stamp of a group before the first change that is not acknowledged; and that change's place in the log. */
KECS__FN kecs_status kecs__state_base(kecs__session *session, const kecs_replica *side, kecs_kind kind, int64_t rid,
                                      int at, int64_t *out_base, int64_t *out_seq) {
  static const char *const forms[KECS_REPLICA_STAMPS] = {NULL, KECS__FIRST_BASE("base_spec", "2"),
                                                         KECS__FIRST_BASE("base_status", "4")};
  kecs_value values[] = {kecs__value_int(rid), kecs__value_int((int64_t)kind), kecs__value_int(side->acked)};
  kecs__cached *cached = NULL;
  kecs_value read[2];
  bool row = false;
  *out_base = 0;
  *out_seq = 0;
  kecs_status status = kecs__feed_statement(session, forms[at], &cached);
  status = status ? status : kecs__statement_start(session, cached, values, 3, &row);
  if (!status && row) {
    kecs__statement_columns(session, cached, read, 2);
    *out_base = read[0].type == KECS_VALUE_NULL ? 0 : read[0].number;
    *out_seq = read[1].number;
  }
  kecs__statement_done(session, cached);
  return status;
}
