/* store/replica_repair.c -- what a repair asks of a file: its rows and tombstones with their stamps, without values;
 * and another number for what it wrote. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

#define KECS__REPAIR_SQL 4096

/* ---- walks ---- */

/* A walk through a table: how its lines become rows. */
typedef struct kecs__stroll {
  const kecs_replica *side;
  const kecs__meta *meta; /* NULL: tombstones */
  int64_t pushed;
  kecs_status (*visit)(const kecs_replica_row *row, void *user);
  void *user;
  int64_t last;
} kecs__stroll;

enum { KECS__STROLL_COLUMNS = 1 + KECS_KEY_COLUMNS_MAX + 2 * KECS_REPLICA_STAMPS };

static void kecs__stroll_row(const kecs__stroll *stroll, const kecs_value *values, kecs_replica_row *row) {
  const kecs_value *stamps = values + 1 + stroll->meta->info->keys[0].count;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    const kecs_value *stamp = stamps + (size_t)i * 2;
    bool none = stamp->type == KECS_VALUE_NULL;
    row->stamp[i] = none ? 0 : stamp->number;
    row->site[i] = none ? 0 : stamp[1].type == KECS_VALUE_NULL ? KECS_REPLICA_HERE : stamp[1].number;
  }
  row->kind = stroll->meta->info->kind;
  row->pending = kecs__state_pending(stroll->side, row->stamp, row->site);
}

/* seq, kind, key, stamp, site */
static void kecs__stroll_grave(const kecs__stroll *stroll, const kecs_value *values, kecs_replica_row *row) {
  row->kind = (kecs_kind)values[1].number;
  row->dead = true;
  row->stamp[0] = values[3].number;
  row->site[0] = values[4].type == KECS_VALUE_NULL ? KECS_REPLICA_HERE : values[4].number;
  row->pending = row->site[0] == KECS_REPLICA_HERE && values[0].number > stroll->pushed;
}

static kecs_status kecs__stroll_visit(kecs__stroll *stroll, const kecs_value *values, kecs__arena *texts) {
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  kecs__arena_reset(texts);
  stroll->last = values[0].number;
  if (stroll->meta) {
    kecs__stroll_row(stroll, values, &row);
    row.key = kecs__feed_key_text(values + 1, stroll->meta->info->keys[0].count, texts);
  } else {
    kecs__stroll_grave(stroll, values, &row);
    row.key = kecs__arena_text(texts, values[2].text, values[2].len);
  }
  if (!row.key) {
    return KECS_E_NOMEM;
  }
  bool takes_part = row.kind > 0 && row.kind < KECS_KIND_COUNT && (stroll->side->kinds & KECS_BIT(row.kind));
  return takes_part ? stroll->visit(&row, stroll->user) : KECS_OK;
}

static kecs_status kecs__stroll_run(kecs_store *store, kecs__stroll *stroll, const char *sql, int columns,
                                    int64_t after, int limit) {
  kecs__session *session = NULL;
  kecs__cached *cached = NULL;
  kecs_value parameters[] = {kecs__value_int(after), kecs__value_int(limit > 0 ? limit : -1)};
  kecs_value values[KECS__STROLL_COLUMNS];
  kecs__arena texts;
  bool row = false;
  kecs_status status = kecs__read_open(store, &session);
  if (status) {
    return status;
  }
  kecs__arena_init(&texts, &store->engine->allocator);
  status = kecs__feed_state(session, KECS__FEED_PUSHED, &stroll->pushed);
  status = status ? status : kecs__statement_text(session, sql, strlen(sql), &cached);
  status = status ? status : kecs__statement_start(session, cached, parameters, 2, &row);
  while (!status && row) {
    kecs__statement_columns(session, cached, values, columns);
    status = kecs__stroll_visit(stroll, values, &texts);
    status = status ? status : kecs__statement_step(session, cached, &row);
  }
  kecs__statement_done(session, cached);
  kecs__arena_free(&texts);
  kecs__read_close(store, session);
  return status;
}

KECS_STORE_API kecs_status kecs_replica_walk(kecs_store *store, const kecs_replica *side, kecs_kind kind,
                                             int64_t after_rid, int limit,
                                             kecs_status (*visit)(const kecs_replica_row *row, void *user), void *user,
                                             int64_t *out_rid) {
  kecs__stroll stroll = {side, kecs__meta_checked(store, kind), 0, visit, user, 0};
  kecs__text sql;
  if (!stroll.meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__check_pointer(side, "side");
  status = status ? status : kecs__check_pointer(out_rid, "out_rid");
  if (status) {
    return status;
  }
  const kecs_kind_info *info = stroll.meta->info;
  kecs__text_init(&sql, &store->engine->allocator, KECS__REPAIR_SQL);
  kecs__text_adds(&sql, "SELECT rid");
  for (int i = 0; i < info->keys[0].count; i++) {
    kecs__text_addf(&sql, ",%s", info->columns[info->keys[0].columns[i]].name);
  }
  kecs__feed_sql_state(&sql, info);
  kecs__text_addf(&sql, " FROM {%s} WHERE {own}rid>?1 ORDER BY rid LIMIT ?2", info->table);
  status = sql.status ? sql.status
                      : kecs__stroll_run(store, &stroll, sql.data, 1 + info->keys[0].count + 2 * KECS_REPLICA_STAMPS,
                                         after_rid, limit);
  kecs__text_free(&sql);
  *out_rid = stroll.last;
  return status;
}

KECS_STORE_API kecs_status kecs_replica_graves(kecs_store *store, const kecs_replica *side, int64_t after_seq,
                                               int limit,
                                               kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                               void *user, int64_t *out_seq) {
  kecs__stroll stroll = {side, NULL, 0, visit, user, 0};
  kecs_status status = kecs__check_handle(store);
  status = status ? status : kecs__check_pointer(side, "side");
  status = status ? status : kecs__check_pointer(out_seq, "out_seq");
  status = status ? status
                  : kecs__stroll_run(store, &stroll,
                                     "SELECT seq,kind,key,stamp,site FROM {change_tombstones} WHERE {own}seq>?1 ORDER "
                                     "BY seq LIMIT ?2",
                                     5, after_seq, limit);
  if (!status) {
    *out_seq = stroll.last;
  }
  return status;
}

/* ---- another number ---- */

typedef struct kecs__renumber {
  int64_t number;
  int64_t acked;
} kecs__renumber;

/* Gives the stamps of a kind up to the acknowledged one another site: of the row `rid`, or of all rows (0). */
static kecs_status kecs__renumber_kind(kecs__write *write, const kecs_kind_info *info, const char *set,
                                       const char *where, const kecs_value *values, int count) {
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < KECS_REPLICA_STAMPS; i++) {
    const char *name = kecs__stamp_name(i);
    kecs__text sql;
    kecs__text_init(&sql, &write->engine->allocator, KECS__REPAIR_SQL);
    kecs__text_addf(&sql, "UPDATE {%s} SET site_%s=%s WHERE {own}stamp_%s<=?2 AND site_%s%s", info->table, name, set,
                    name, name, where);
    if (kecs__stamp_has(info, i)) {
      status = sql.status ? sql.status : kecs__run(write->session, sql.data, values, count, NULL);
    }
    kecs__text_free(&sql);
  }
  return status;
}

/* What was refused is not there, whatever was acknowledged since: it stays this file's. */
static kecs_status kecs__renumber_refused(kecs__write *write, const kecs__renumber *renumber, const kecs_value *line) {
  const kecs__meta *meta = kecs__meta_of(write->engine, (kecs_kind)line[0].number);
  const char *text = kecs__arena_text(&write->arena, line[1].text, line[1].len);
  kecs_value key[KECS_KEY_COLUMNS_MAX];
  int64_t rid = 0;
  kecs_status status = text ? kecs__state_key(meta, text, &write->arena, key) : KECS_E_NOMEM;
  status = status ? status : kecs__state_rid(write->session, meta, 0, key, meta->info->keys[0].count, &rid);
  kecs_value row[] = {kecs__value_int(renumber->number), kecs__value_int(renumber->acked), kecs__value_int(rid)};
  kecs_value grave[] = {kecs__value_int(renumber->number), kecs__value_int((int64_t)meta->info->kind),
                        kecs__value_text(text)};
  status = status || !rid ? status : kecs__renumber_kind(write, meta->info, "NULL", "=?1 AND rid=?3", row, 3);
  return status ? status
                : kecs__run(write->session,
                            "UPDATE {change_tombstones} SET site=NULL WHERE {own}site=?1 AND kind=?2 AND key=?3", grave,
                            3, NULL);
}

static kecs_status kecs__renumber_all_refused(kecs__write *write, const kecs__renumber *renumber) {
  kecs__cached *cached = NULL;
  kecs_value line[2];
  bool row = false;
  kecs_status status =
      kecs__feed_statement(write->session, "SELECT kind,key FROM {sync_refused} WHERE {own}true", &cached);
  status = status ? status : kecs__statement_start(write->session, cached, NULL, 0, &row);
  while (!status && row) {
    kecs__statement_columns(write->session, cached, line, 2);
    status = kecs__renumber_refused(write, renumber, line);
    status = status ? status : kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  return status;
}

static kecs_status kecs__renumber_work(kecs__write *write, void *user) {
  const kecs__renumber *renumber = user;
  int64_t pushed = 0;
  kecs_status status = kecs__write_guard(write);
  status = status ? status : kecs__feed_state(write->session, KECS__FEED_PUSHED, &pushed);
  kecs_value stamps[] = {kecs__value_int(renumber->number), kecs__value_int(renumber->acked)};
  kecs_value graves[] = {kecs__value_int(renumber->number), kecs__value_int(pushed)};
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    if (kecs__feed_stamped(info)) {
      status = kecs__renumber_kind(write, info, "?1", " IS NULL", stamps, 2);
    }
  }
  status = status ? status
                  : kecs__run(write->session,
                              "UPDATE {change_tombstones} SET site=?1 WHERE {own}site IS NULL AND seq<=?2", graves, 2,
                              NULL);
  return status ? status : kecs__renumber_all_refused(write, renumber);
}

KECS_STORE_API kecs_status kecs_replica_renumber(kecs_store *store, int64_t number, int64_t acked) {
  kecs__renumber renumber = {number, acked};
  kecs_status status = kecs__check_handle(store);
  if (!status && number <= 0) {
    status = kecs__fail(KECS_E_INVALID, "number is %lld; a site's is above 0", (long long)number);
  }
  return status ? status : kecs__with_write(store, kecs__renumber_work, &renumber);
}

/* ---- retention ---- */

static kecs_status kecs__retain_work(kecs__write *write, void *user) {
  kecs_status status = kecs__write_guard(write);
  return status ? status : kecs__feed_state_set(write->session, KECS__FEED_RETENTION, *(const int64_t *)user);
}

KECS_STORE_API kecs_status kecs_replica_retain(kecs_store *store, int64_t retention_us) {
  kecs_status status = kecs__check_handle(store);
  if (!status && retention_us <= 0) {
    status = kecs__fail(KECS_E_INVALID, "the retention is %lld microseconds; it must be above 0",
                        (long long)retention_us);
  }
  return status ? status : kecs__with_write(store, kecs__retain_work, &retention_us);
}

/* ---- the log of the program ---- */

KECS_STORE_API void kecs_replica_log(kecs_store *store, kecs_log_level level, const char *line) {
  kecs__log(store->engine, level, "%s: %s", store->engine->place.shown, line);
}
