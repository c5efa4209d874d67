/* store/feed.c -- how the write path logs: stamps, entries, tombstones.
 *
 * An entry is appended in the transaction of the write that it tells of. Readers follow seq, which ascends in commit
 * order, because SQLite has one writer at a time. The log's end is read anew in each transaction: another process may
 * have written, or switched the log off. */
#include "base/prologue.h"

#include "store/feed.h"

#include "store/history_log.h"
#include "store/write.h"

#include <string.h>

#define KECS__FEED_SQL_MAX 1024

/* ---- the place in a transaction ---- */

#define KECS__FEED_APPEND                                                                      \
  "INSERT INTO {changes}({tenant}kind,rid,groups,op,stamp,base_life,base_spec,base_status) " \
  "VALUES({ours}?1,?2,?3,?4,?5,?6,?7,?8)"

KECS__FN kecs_status kecs__feed_begin(kecs__write *write) {
  kecs__place *place = &write->session->place;
  if (!kecs__flag_get(&write->engine->tracked) || write->engine->backend->log) {
    place->on = false;
    return KECS_OK;
  }
  if (place->known) {
    return KECS_OK;
  }
  kecs__feed_end end;
  kecs_status status = kecs__feed_read_end(write->session, &end);
  if (!status && !kecs__feed_is_on(&end)) {
    /* Another process has switched it off. Should one switch it on again, its guards will catch what we write. */
    kecs__flag_set(&write->engine->tracked, 0);
    status = write->engine->backend->guard(write->session->connection, true);
  }
  if (!status && kecs__feed_is_on(&end)) {
    /* Made ahead: between a row and its entry there should be nothing that can fail but the database. */
    kecs__cached *cached = NULL;
    status = kecs__feed_statement(write->session, KECS__FEED_APPEND, &cached);
    kecs__statement_done(write->session, cached);
    status = status ? status : kecs__history_begin(write);
  }
  if (!status) {
    place->known = true;
    place->on = kecs__feed_is_on(&end);
    place->stamp = end.stamp;
    place->marked = 0;
  }
  return status;
}

KECS__FN kecs_status kecs__feed_stamp(kecs__write *write, int64_t *out_stamp) {
  kecs__place *place = &write->session->place;
  kecs_status status = kecs__clock_next(&place->stamp, write->now + write->engine->clock_offset);
  *out_stamp = place->stamp;
  return status;
}

KECS__FN uint64_t kecs__feed_groups(const kecs__meta *meta, uint64_t mask) {
  uint64_t groups = 0;
  for (int i = 0; i < meta->info->column_count; i++) {
    groups |= mask & KECS_BIT(i) ? KECS_BIT(meta->info->columns[i].group) : 0;
  }
  return groups;
}

static kecs_value kecs__feed_base(int64_t stamp) {
  kecs_value value = {stamp ? KECS_VALUE_INT : KECS_VALUE_NULL, 0, NULL, stamp};
  return value;
}

KECS__FN kecs_status kecs__feed_append(kecs__write *write, int kind, int64_t rid, uint64_t groups, int op,
                                       int64_t stamp, const int64_t base[KECS__STAMPS]) {
  kecs_value values[] = {kecs__value_int(kind),
                         kecs__value_int(rid),
                         kecs__value_int((int64_t)groups),
                         kecs__value_int(op),
                         kecs__value_int(stamp),
                         kecs__feed_base(base[KECS__STAMP_LIFE]),
                         kecs__feed_base(base[KECS__STAMP_SPEC]),
                         kecs__feed_base(base[KECS__STAMP_STATUS])};
  kecs_status status = kecs__feed_run(write, KECS__FEED_APPEND, values, 8);
  kecs__session *session = write->session;
  session->place.appended = true;
  session->place.seq = status ? session->place.seq : session->engine->backend->last_rid(session->connection);
  return status;
}

/* ---- rows ---- */

/* No new row may have this rid or a lower one: rows that had were deleted. */
KECS__FN kecs_status kecs__feed_mark(kecs__write *write, const kecs__meta *meta, int64_t *out_mark) {
  kecs__place *place = &write->session->place;
  int kind = (int)meta->info->kind;
  if (!(place->marked & KECS_BIT(kind))) {
    kecs_value values[] = {kecs__value_int(kind), kecs__value_int(KECS__FEED_RID + kind)};
    kecs_status status = kecs__feed_number(write->session,
                                           "SELECT max(coalesce((SELECT max(rid) FROM {change_tombstones} WHERE {own}"
                                           "kind=?1),0),coalesce((SELECT value FROM {change_state} WHERE {own}id=?2),"
                                           "0))",
                                           values, 2, &place->marks[kind]);
    if (status) {
      return status;
    }
    place->marked |= KECS_BIT(kind);
  }
  *out_mark = place->marks[kind];
  return KECS_OK;
}

/* SQLite gives the rid of the last row again when that row was deleted. */
KECS__FN kecs_status kecs__feed_new_rid(kecs__write *write, const kecs__meta *meta, int64_t mark, int64_t *rid) {
  if (*rid > mark) {
    return KECS_OK;
  }
  kecs__text sql;
  kecs_value values[] = {kecs__value_int(mark + 1), kecs__value_int(*rid)};
  kecs__text_init(&sql, &write->engine->allocator, KECS__FEED_SQL_MAX);
  kecs__text_addf(&sql, "UPDATE {%s} SET rid=?1 WHERE {own}rid=?2", meta->info->table);
  kecs_status status = sql.status ? sql.status : kecs__run(write->session, sql.data, values, 2, NULL);
  kecs__text_free(&sql);
  *rid = mark + 1;
  return status;
}

KECS__FN kecs_status kecs__feed_insert(kecs__write *write, const kecs__meta *meta, kecs_value *values) {
  static const int64_t none[KECS__STAMPS];
  kecs__session *session = write->session;
  bool stamped = kecs__feed_stamped(meta->info);
  int count = meta->info->column_count;
  int64_t stamp = 0;
  int64_t mark = 0;
  kecs__cached *cached = NULL;
  kecs_status status = kecs__feed_mark(write, meta, &mark);
  if (!status) {
    status = kecs__feed_stamp(write, &stamp);
  }
  if (!status) {
    values[count] = kecs__value_int(stamp);
    status = kecs__statement(session, meta, stamped ? KECS__OP_INSERT_LOGGED : KECS__OP_INSERT, 0, &cached);
  }
  if (!status) {
    status = kecs__statement_run(session, cached, values, stamped ? count + 1 : count);
  }
  if (!status) {
    write->rid = write->engine->backend->last_rid(session->connection);
    status = kecs__feed_new_rid(write, meta, mark, &write->rid);
    write->store->broken = write->store->broken || (status && !write->own && !write->guarded);
  }
  if (!status) {
    status =
        kecs__feed_append(write, (int)meta->info->kind, write->rid, KECS__GROUPS_ALL, KECS__FEED_CREATED, stamp, none);
  }
  if (!status && kecs__history_kept(write, meta)) {
    kecs__past nothing = {{0}, false};
    status = kecs__history_add(write, meta, KECS__FEED_CREATED, write->rid, stamp, &nothing);
  }
  return status;
}

KECS__FN kecs_status kecs__feed_updated(kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                        uint64_t groups, int64_t stamp) {
  kecs_status status =
      kecs__feed_append(write, (int)meta->info->kind, change->rid, groups, KECS__FEED_UPDATED, stamp, change->base);
  if (!status && change->past) {
    status = kecs__history_add(write, meta, KECS__FEED_UPDATED, change->rid, stamp, change->past);
  }
  return status;
}

/* The stamps of a row, from its table. */
static kecs_status kecs__feed_read_stamps(kecs__write *write, const kecs__meta *meta, int64_t rid,
                                          int64_t out_stamps[KECS__STAMPS]) {
  kecs__cached *cached = NULL;
  kecs_value parameter = kecs__value_int(rid);
  kecs_value values[1 + KECS__STAMPS];
  bool row = false;
  kecs_status status = kecs__statement(write->session, meta, KECS__OP_READ_RID_LOGGED, 0, &cached);
  if (!status) {
    status = kecs__statement_start(write->session, cached, &parameter, 1, &row);
  }
  for (int i = 0; i < KECS__STAMPS; i++) {
    out_stamps[i] = 0;
  }
  if (!status && row) {
    kecs__statement_columns(write->session, cached, values, 1 + KECS__STAMPS);
    for (int i = 0; i < KECS__STAMPS; i++) {
      out_stamps[i] = values[1 + i].type == KECS_VALUE_NULL ? 0 : values[1 + i].number;
    }
  }
  kecs__statement_done(write->session, cached);
  return status;
}

KECS__FN kecs_status kecs__feed_delete(kecs__write *write, const kecs__meta *meta, int64_t rid, const void *row) {
  kecs__place *place = &write->session->place;
  int kind = (int)meta->info->kind;
  int64_t stamp = 0;
  int64_t base[KECS__STAMPS];
  kecs_status status = write->burial ? write->burial->lose(write, meta, rid) : KECS_OK;
  if (!status) {
    status = kecs__feed_read_stamps(write, meta, rid, base);
  }
  if (!status) {
    status = kecs__feed_stamp(write, &stamp);
  }
  if (!status) {
    status = kecs__feed_append(write, kind, rid, KECS__GROUPS_ALL, KECS__FEED_DELETED, stamp, base);
  }
  if (status) {
    return status;
  }
  kecs_value site = kecs__value_text(NULL); /* this one */
  if (write->burial && write->burial->site != -1) { /* KECS_REPLICA_HERE */
    stamp = write->burial->stamp;
    site = kecs__value_int(write->burial->site);
  }
  int64_t seq = write->engine->backend->last_rid(write->session->connection);
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  const char *key = kecs__feed_key(meta, row, &arena);
  if (key) {
    kecs_value values[] = {kecs__value_int(seq),  kecs__value_int(kind),  kecs__value_int(rid),
                           kecs__value_text(key), kecs__value_int(stamp), kecs__feed_base(base[KECS__STAMP_LIFE]),
                           site};
    status = kecs__run(write->session,
                       "INSERT INTO {change_tombstones}({tenant}seq,kind,rid,key,stamp,life,site) "
                       "VALUES({ours}?1,?2,?3,?4,?5,?6,?7)",
                       values, 7, NULL);
  } else {
    status = KECS_E_NOMEM;
  }
  kecs__arena_free(&arena);
  if (!status && kecs__history_kept(write, meta)) {
    status = kecs__history_deleted(write, meta, seq, rid, stamp, row);
  }
  if (place->marks[kind] < rid) {
    place->marks[kind] = rid; /* counts only where it is known; otherwise the tombstone says it */
  }
  return status;
}
