/* store/feed.c -- how the write path logs: where the log ends, stamps, entries, tombstones; switching it on and off.
 *
 * An entry is appended in the transaction of the write that it tells of. Readers follow seq, which ascends in commit
 * order, because SQLite has one writer at a time. The log's end is read anew in each transaction: another process may
 * have written, or switched the log off. */
#include "base/prologue.h"

#include "store/feed.h"

#include "base/time.h"
#include "store/access.h"
#include "store/history_log.h"
#include "store/pool.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

#define KECS__FEED_SQL_MAX 1024
#define KECS__FEED_GUARDS_MAX ((size_t)1 << 20)

/* ---- statements ---- */

KECS__FN kecs_status kecs__feed_statement(kecs__session *session, const char *sql, kecs__cached **out_cached) {
  return kecs__statement_text(session, sql, strlen(sql), out_cached);
}

KECS__FN kecs_status kecs__feed_number(kecs__session *session, const char *sql, const kecs_value *parameters, int count,
                                       int64_t *out_number) {
  kecs__cached *cached = NULL;
  bool row = false;
  *out_number = 0;
  kecs_status status = kecs__feed_statement(session, sql, &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, parameters, count, &row);
  }
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    *out_number = value.type == KECS_VALUE_NULL ? 0 : value.number;
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__feed_state(kecs__session *session, int id, int64_t *out_value) {
  kecs_value value = kecs__value_int(id);
  return kecs__feed_number(session, "SELECT value FROM {change_state} WHERE {own}id=?1", &value, 1, out_value);
}

KECS__FN kecs_status kecs__feed_state_raise(kecs__session *session, int id, int64_t value) {
  kecs_value values[] = {kecs__value_int(id), kecs__value_int(value)};
  return kecs__run(session,
                   "INSERT INTO {change_state}({tenant}id,value) VALUES({ours}?1,?2) ON CONFLICT({tenant}id) DO UPDATE "
                   "SET value={highest}(change_state.value,excluded.value)",
                   values, 2, NULL);
}

KECS__FN kecs_status kecs__feed_state_set(kecs__session *session, int id, int64_t value) {
  kecs_value values[] = {kecs__value_int(id), kecs__value_int(value)};
  return kecs__run(session,
                   "INSERT INTO {change_state}({tenant}id,value) VALUES({ours}?1,?2) ON CONFLICT({tenant}id) DO UPDATE "
                   "SET value=excluded.value",
                   values, 2, NULL);
}

KECS__FN bool kecs__feed_can(const kecs__engine *engine) {
  return engine->backend->guard || engine->backend->log;
}

KECS__FN kecs_status kecs__feed_number_new(kecs_store *store) {
  kecs__engine *engine = store->engine;
  kecs__session *session = NULL;
  if (!engine->backend->log || store->depth > 0) {
    return KECS_OK;
  }
  kecs_error before = kecs__error_save();
  int64_t deadline = kecs__handle_deadline(store);
  kecs_status status = kecs__check_stop(store, deadline);
  if (status) {
    return status;
  }
  status = kecs__pool_take(store, deadline, engine->place.splits_reads && !engine->read_only, &session);
  if (!status) {
    status = engine->backend->log->number(session->connection);
    kecs__pool_give_back(session);
  }
  /* Who may not number is told what others have numbered. So is a thread that writes in a transaction of its own and
   * looks at the store beside it, where reads go to another server. */
  if (status == KECS_E_DENIED || status == KECS_E_READONLY || status == KECS_E_MISUSE || status == KECS_E_BUSY) {
    (void)kecs__error_restore(&before);
    return KECS_OK;
  }
  return status;
}

KECS__FN kecs_status kecs__feed_read_end(kecs__session *session, kecs__feed_end *out_end) {
  kecs__cached *cached = NULL;
  bool row = false;
  memset(out_end, 0, sizeof *out_end);
  if (!kecs__feed_can(session->engine)) {
    return KECS_OK; /* there are no such tables */
  }
  kecs_status status = kecs__feed_statement(
      session, "SELECT seq,op,stamp FROM {changes} WHERE {own}seq>0 ORDER BY seq DESC LIMIT 1", &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, NULL, 0, &row);
  }
  if (!status && row) {
    kecs_value values[3];
    kecs__statement_columns(session, cached, values, 3);
    out_end->seq = values[0].number;
    out_end->op = values[1].number;
    out_end->stamp = values[2].number;
  }
  kecs__statement_done(session, cached);
  return status;
}

static bool kecs__feed_is_on(const kecs__feed_end *end) {
  return end->seq != 0 && end->op != KECS__FEED_OFF;
}

KECS__FN kecs_status kecs__fail_no_feed(const kecs__engine *engine) {
  if (!kecs__feed_can(engine)) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s: the %s backend has no log of changes", engine->place.shown,
                      engine->backend->name);
  }
  return kecs__fail(KECS_E_UNSUPPORTED, "%s keeps no log of its changes; open it once with options.track",
                    engine->place.shown);
}

KECS__FN kecs_status kecs__feed_check(const kecs__engine *engine, const kecs__feed_end *end) {
  return kecs__feed_is_on(end) ? KECS_OK : kecs__fail_no_feed(engine);
}

#if !defined(KECS_STORE_NO_WATCH)
KECS__FN kecs_status kecs__feed_check_floor(kecs__session *session, int64_t seq) {
  int64_t floor = 0;
  kecs_status status = kecs__feed_state(session, KECS__FEED_FLOOR, &floor);
  if (status || seq >= floor) {
    return status;
  }
  (void)kecs__fail(KECS_E_COMPACTED,
                   "changes up to %lld were removed from the log, those after %lld are asked for; list anew and watch "
                   "from the list's sequence",
                   (long long)floor, (long long)seq);
  kecs_error error = kecs__error_save();
  error.floor = floor;
  return kecs__error_restore(&error);
}
#endif

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
  kecs_status status = kecs__clock_next(&place->stamp, write->now);
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

KECS__FN kecs_status kecs__feed_run(kecs__write *write, const char *sql, const kecs_value *values, int count) {
  kecs__session *session = write->session;
  const kecs_store *user = session->user;
  int64_t deadline = session->deadline;
  session->user = NULL; /* never stopped between a row and its entry */
  session->deadline = 0;
  kecs_status status = kecs__run(session, sql, values, count, NULL);
  session->user = user;
  session->deadline = deadline;
  if (status && !write->own && !write->guarded) {
    write->store->broken = true;
  }
  return status;
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

/* ---- switching on and off ---- */

static kecs_status kecs__feed_stamp_visit(const char *column, void *user) {
  bool *found = user;
  *found = *found || strcmp(column, "stamp_life") == 0;
  return KECS_OK;
}

/* Rows of a file that is not tracked have no stamps, so that they cost it nothing; they get them when they are needed
 * first, and keep them. */
static kecs_status kecs__feed_add_stamps(kecs__write *write) {
  kecs__engine *engine = write->engine;
  kecs_status status = KECS_OK;
  kecs__text text;
  kecs__text sql;
  kecs__text_init(&text, &engine->allocator, KECS__FEED_GUARDS_MAX);
  kecs__text_init(&sql, &engine->allocator, KECS__FEED_GUARDS_MAX);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    bool found = false;
    status = engine->backend->table_columns(write->session->connection, info->table, kecs__feed_stamp_visit, &found);
    if (!status && !found) {
      kecs__feed_ddl_add_columns(&text, engine->dialect, info);
    }
  }
  status = status ? status : text.status;
  if (!status && text.len > 0) {
    kecs__sql_expand_ddl(&sql, engine->dialect, text.data, text.len);
    status = sql.status ? sql.status : engine->backend->execute(write->session->connection, sql.data);
  }
  kecs__text_free(&sql);
  kecs__text_free(&text);
  return status;
}

/* Kind by kind: the text of all is more than a store with little memory may hold. */
KECS__FN kecs_status kecs__feed_guards(kecs__write *write, bool make) {
  kecs__engine *engine = write->engine;
  int64_t history = 0;
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_HISTORY, &history);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs__text text;
    kecs__text_init(&text, &engine->allocator, KECS__FEED_GUARDS_MAX);
    kecs__feed_ddl_no_guards(&text, info);
    if (make) {
      kecs__feed_ddl_guards(&text, info, ((uint64_t)history & KECS_BIT(kind)) != 0);
    }
    status = text.status ? text.status : engine->backend->execute(write->session->connection, text.data);
    kecs__text_free(&text);
  }
  return status;
}

KECS__FN kecs_status kecs__feed_migrated(kecs__write *write) {
  const kecs_backend *backend = write->engine->backend;
  kecs__feed_end end;
  if (!backend->guard) {
    return backend->log ? backend->log->make(write->session->connection) : KECS_OK;
  }
  kecs_status status = kecs__feed_read_end(write->session, &end);
  if (status || !kecs__feed_is_on(&end)) {
    return status;
  }
  status = kecs__feed_add_stamps(write); /* of new kinds */
  return status ? status : kecs__feed_guards(write, true);
}

/* The mark is the one entry left when tracking is switched off, and the first new one when it is switched on. What was
 * watched before must not go on as if nothing had been missed, so the floor is raised to it. */
static kecs_status kecs__feed_put_mark(kecs__write *write, const kecs__feed_end *end, int op) {
  int64_t stamp = end->stamp;
  kecs_status status = kecs__clock_next(&stamp, write->now);
  kecs_value values[] = {kecs__value_int(end->seq + 1), kecs__value_int(op), kecs__value_int(stamp)};
  if (!status) {
    status = kecs__run(write->session,
                       "INSERT INTO {changes}({tenant}seq,kind,rid,groups,op,stamp) VALUES({ours}?1,0,0,0,?2,?3)",
                       values, 3, NULL);
  }
  if (!status) {
    status = kecs__feed_state_raise(write->session, KECS__FEED_FLOOR, end->seq + 1);
  }
  if (!status && op == KECS__FEED_ON) {
    status = kecs__feed_state_raise(write->session, KECS__FEED_SINCE, end->seq + 1);
  }
  write->session->place.appended = true;
  write->session->place.seq = end->seq + 1;
  return status;
}

/* What is removed: entries, folds and tombstones; what the tombstones say of rids stays. */
static kecs_status kecs__feed_clear(kecs__write *write) {
  static const char marks[] =
      "INSERT INTO {change_state}({tenant}id,value) SELECT {ours}1000+kind,max(rid) FROM {change_tombstones} "
      "WHERE {own}true GROUP BY kind ON CONFLICT({tenant}id) DO UPDATE SET "
      "value={highest}(change_state.value,excluded.value)";
  static const char *const texts[] = {marks, "DELETE FROM {change_tombstones}{whole}",
                                      "DELETE FROM {change_folds}{whole}", "DELETE FROM {changes}{whole}"};
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < sizeof texts / sizeof texts[0]; i++) {
    status = kecs__run(write->session, texts[i], NULL, 0, NULL);
  }
  return status ? status : kecs__history_clear(write, UINT64_MAX);
}

static kecs_status kecs__feed_switch(kecs__write *write, void *user) {
  bool on = *(const bool *)user;
  kecs__feed_end end;
  if (write->engine->backend->log) {
    return write->engine->backend->log->turn(write->session->connection, on);
  }
  kecs_status status = kecs__feed_read_end(write->session, &end);
  if (status || kecs__feed_is_on(&end) == on) {
    return status; /* another process was faster */
  }
  status = on ? kecs__feed_add_stamps(write) : KECS_OK;
  if (!status) {
    status = kecs__feed_guards(write, on);
  }
  if (!status && !on) {
    status = kecs__feed_clear(write);
  }
  return status ? status : kecs__feed_put_mark(write, &end, on ? KECS__FEED_ON : KECS__FEED_OFF);
}

KECS__FN kecs_status kecs__feed_open(kecs_store *store, kecs_track track) {
  kecs__engine *engine = store->engine;
  kecs__feed_end end = {0, 0, 0};
  if (!kecs__feed_can(engine)) {
    return track == KECS_TRACK_ON ? kecs__fail_no_feed(engine) : KECS_OK;
  }
  kecs_status status = kecs__feed_read_end(engine->writer, &end);
  bool on = kecs__feed_is_on(&end);
  bool wanted = track == KECS_TRACK_KEEP ? on : track == KECS_TRACK_ON;
  if (!status && on != wanted && engine->read_only) {
    return kecs__fail(KECS_E_READONLY, "options.track: %s is open for reading only", engine->place.shown);
  }
  if (!status && on != wanted) {
    status = kecs__with_write(store, kecs__feed_switch, &wanted);
  }
  if (!status && wanted && engine->backend->guard) {
    status = engine->backend->guard(engine->writer->connection, false);
  }
  if (!status) {
    kecs__flag_set(&engine->tracked, wanted ? 1 : 0);
  }
  return status;
}
