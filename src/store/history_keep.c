/* store/history_keep.c -- the history as a whole: switching it on and off, who writes, and cutting off its old end. */
#include "base/prologue.h"

#include "store/history_log.h"

#include "base/json.h"
#include "store/feed.h"
#include "store/history.h"
#include "store/write.h"

#include <string.h>

#define KECS__HISTORY_ROWS 100
#define KECS__HISTORY_AGE_US (INT64_C(30) * 24 * 3600 * 1000000)

enum { KECS__ACTOR_MAX = 256, KECS__REASON_MAX = 1024 };

/* ---- who writes ---- */

static kecs_status kecs__actor_copy(const kecs_allocator *allocator, const char *name, const char *text, size_t max,
                                    char **out) {
  *out = NULL;
  if (!text) {
    return KECS_OK;
  }
  size_t len = strlen(text);
  if (len > max || !kecs__utf8_valid(text, len)) {
    return kecs__fail(KECS_E_INVALID, len > max ? "%s is longer than %d bytes" : "%s is not UTF-8 of at most %d bytes",
                      name, (int)max);
  }
  *out = kecs__copy_text(allocator, text);
  return *out ? KECS_OK : KECS_E_NOMEM;
}

static void kecs__actor_release(const kecs_allocator *allocator, char *text) {
  kecs__release(allocator, text, text ? strlen(text) + 1 : 0);
}

KECS__FN void kecs__actor_free(kecs_store *store) {
  kecs__actor_release(&store->engine->allocator, store->actor);
  kecs__actor_release(&store->engine->allocator, store->reason);
  store->actor = NULL;
  store->reason = NULL;
}

KECS__FN kecs_status kecs__actor_set(kecs_store *store, const char *actor, const char *reason) {
  const kecs_allocator *allocator = &store->engine->allocator;
  char *who = NULL;
  char *why = NULL;
  kecs_status status = kecs__actor_copy(allocator, "actor", actor, KECS__ACTOR_MAX, &who);
  if (!status) {
    status = kecs__actor_copy(allocator, "reason", reason, KECS__REASON_MAX, &why);
  }
  if (status) {
    kecs__actor_release(allocator, who);
    return status;
  }
  kecs__mutex_lock(&store->engine->mutex);
  kecs__actor_free(store);
  store->actor = who;
  store->reason = why;
  kecs__mutex_unlock(&store->engine->mutex);
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_set_actor(kecs_store *store, const char *actor, const char *reason) {
  kecs_status status = kecs__check_handle(store);
  return status ? status : kecs__actor_set(store, actor, reason);
}

#if !defined(KECS_STORE_NO_HISTORY)

/* ---- switching ---- */

/* What options.history asks for, in the form of change_state. */
typedef struct kecs__history_wish {
  int64_t kinds;
  int64_t rows;
  int64_t age;
} kecs__history_wish;

static kecs_status kecs__history_wish_read(kecs_store *store, const kecs_history_options *options,
                                           kecs__history_wish *out) {
  memset(out, 0, sizeof *out);
  if (options->track != KECS_TRACK_ON) {
    return KECS_OK;
  }
  out->rows = options->rows_max == 0 ? KECS__HISTORY_ROWS : options->rows_max > 0 ? options->rows_max : 0;
  out->age = options->age_us == 0 ? KECS__HISTORY_AGE_US : options->age_us > 0 ? options->age_us : 0;
  uint64_t kinds = 0;
  for (size_t i = 0; i < options->kind_count; i++) {
    const kecs__meta *meta = kecs__meta_checked(store, options->kinds[i]);
    if (!meta) {
      return kecs_last_error()->status;
    }
    kinds |= KECS_BIT(options->kinds[i]);
  }
  for (int kind = 1; options->kind_count == 0 && kind < KECS_KIND_COUNT; kind++) {
    kinds |= kecs_kind_describe((kecs_kind)kind)->flags & KECS_KIND_APPEND ? 0 : KECS_BIT(kind);
  }
  out->kinds = (int64_t)kinds;
  return KECS_OK;
}

/* The history of these kinds begins after the log's end. */
static kecs_status kecs__history_start(kecs__write *write, uint64_t kinds, const kecs__feed_end *end) {
  int64_t stamp = end->stamp;
  kecs_status status = KECS_OK;
  if (kinds && write->engine->backend->log) { /* stamps need not ascend with the sequence there */
    status = kecs__feed_number(write->session, "SELECT max(stamp) FROM {changes}{whole}", NULL, 0, &stamp);
  }
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (kinds & KECS_BIT(kind)) {
      status = kecs__feed_state_set(write->session, KECS__FEED_HISTORY_SINCE + kind, end->seq);
      if (!status) {
        status = kecs__feed_state_set(write->session, KECS__FEED_HISTORY_SINCE_STAMP + kind, stamp);
      }
    }
  }
  return status;
}

static kecs_status kecs__history_switch(kecs__write *write, void *user) {
  const kecs__history_wish *wish = user;
  kecs__session *session = write->session;
  const kecs_backend_log *log = write->engine->backend->log;
  kecs__feed_end end;
  int64_t kept = 0;
  kecs_status status = log ? log->settle(session->connection) : KECS_OK;
  if (!status) {
    status = kecs__feed_read_end(session, &end);
  }
  if (!status) {
    status = kecs__feed_state(session, KECS__FEED_HISTORY, &kept);
  }
  if (!status && wish->kinds) {
    status = kecs__feed_check(write->engine, &end);
  }
  if (!status && kept == wish->kinds && !wish->kinds) {
    return KECS_OK; /* another process was faster */
  }
  if (!status) {
    status = kecs__history_clear(write, ~(uint64_t)wish->kinds);
  }
  if (!status) {
    status = kecs__history_start(write, (uint64_t)(wish->kinds & ~kept), &end);
  }
  const int64_t values[][2] = {{KECS__FEED_HISTORY, wish->kinds},
                               {KECS__FEED_HISTORY_ROWS, wish->rows},
                               {KECS__FEED_HISTORY_AGE, wish->age}};
  for (size_t i = 0; !status && i < sizeof values / sizeof values[0]; i++) {
    status = kecs__feed_state_set(session, (int)values[i][0], values[i][1]);
  }
  if (status || kept == wish->kinds) {
    return status;
  }
  return log ? log->keep(session->connection, (uint64_t)wish->kinds) : kecs__feed_guards(write, true);
}

/* Whether the file is as the options say. */
static kecs_status kecs__history_is(kecs__session *session, const kecs__history_wish *wish, bool *out_same) {
  int64_t kinds = 0;
  int64_t rows = 0;
  int64_t age = 0;
  kecs_status status = kecs__feed_state(session, KECS__FEED_HISTORY, &kinds);
  if (!status) {
    status = kecs__feed_state(session, KECS__FEED_HISTORY_ROWS, &rows);
  }
  if (!status) {
    status = kecs__feed_state(session, KECS__FEED_HISTORY_AGE, &age);
  }
  *out_same = kinds == wish->kinds && (kinds == 0 || (rows == wish->rows && age == wish->age));
  return status;
}

KECS__FN kecs_status kecs__history_open(kecs_store *store, const kecs_history_options *options) {
  kecs__engine *engine = store->engine;
  kecs__history_wish wish;
  bool same = false;
  if (!kecs__feed_can(engine)) {
    return options->track != KECS_TRACK_ON
               ? KECS_OK
               : kecs__fail(KECS_E_UNSUPPORTED, "options.history: the %s backend keeps no history",
                            engine->backend->name);
  }
  kecs_status status = kecs__history_wish_read(store, options, &wish);
  if (!status && options->track == KECS_TRACK_KEEP && engine->backend->log && kecs__flag_get(&engine->tracked)) {
    status = kecs__feed_state(engine->writer, KECS__FEED_HISTORY, &wish.kinds);
    kecs__flag_set(&engine->keeps, wish.kinds != 0);
  }
  if (status || options->track == KECS_TRACK_KEEP) {
    return status;
  }
  if (wish.kinds && !kecs__flag_get(&engine->tracked)) {
    return kecs__fail(KECS_E_INVALID, "options.history needs the log of changes, which %s does not keep; set "
                                      "options.track to KECS_TRACK_ON as well",
                      engine->place.shown);
  }
  status = kecs__history_is(engine->writer, &wish, &same);
  if (!status && !same && engine->read_only) {
    return kecs__fail(KECS_E_READONLY, "options.history: %s is open for reading only", engine->place.shown);
  }
  if (!status && !same) {
    status = kecs__with_write(store, kecs__history_switch, &wish);
  }
  kecs__flag_set(&engine->keeps, wish.kinds != 0);
  return status;
}

KECS_STORE_API kecs_status kecs_history_describe(kecs_store *store, kecs_history_info *out_info) {
  kecs_status status = kecs__check_pointer(out_info, "out_info");
  if (status) {
    return status;
  }
  memset(out_info, 0, sizeof *out_info);
  kecs__session *session = NULL;
  int64_t values[4] = {0, 0, 0, 0};
  static const int ids[] = {KECS__FEED_HISTORY, KECS__FEED_HISTORY_ROWS, KECS__FEED_HISTORY_AGE,
                            KECS__FEED_HISTORY_FLOOR};
  status = kecs__read_open(store, &session);
  for (int i = 0; !status && kecs__feed_can(session->engine) && i < 4; i++) {
    status = kecs__feed_state(session, ids[i], &values[i]);
  }
  uint64_t kinds = (uint64_t)values[0];
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (kinds & KECS_BIT(kind)) {
      status = kecs__feed_state(session, KECS__FEED_HISTORY_SINCE + kind, &out_info->since[kind]);
    }
  }
  kecs__read_close(store, session);
  if (!status && kinds) {
    out_info->kinds = kinds;
    out_info->rows_max = (int)values[1];
    out_info->age_us = values[2];
    out_info->floor = values[3];
  }
  return status;
}

/* ---- cutting off ---- */

/* The newest entry of a row that goes is marked as the cut, then those before it go, the newest first: what is left
 * below in between is still without a gap. */
static kecs_status kecs__history_cut(kecs__write *write, int64_t kind, int64_t rid, int64_t edge, int64_t *left) {
  kecs_value values[] = {kecs__value_int(kind), kecs__value_int(rid), kecs__value_int(edge), kecs__value_int(*left)};
  int64_t removed = 0;
  int64_t cut = 0;
  kecs_status status =
      kecs__feed_number(write->session, "SELECT max(seq) FROM {history} WHERE {own}kind=?1 AND rid=?2 AND seq<=?3",
                        values, 3, &cut);
  if (status || cut == 0) {
    return status;
  }
  values[2] = kecs__value_int(cut);
  status = kecs__run(write->session,
                     "UPDATE {history} SET op=0,whole=0,actor=NULL,reason=NULL,old=NULL WHERE {own}seq=?1 AND op<>0",
                     &values[2], 1, NULL);
  if (!status) {
    status = kecs__run(write->session,
                       "DELETE FROM {history} WHERE {own}seq IN (SELECT h.seq FROM {history h} WHERE {own h}h.kind=?1 "
                       "AND h.rid=?2 AND h.seq<?3 ORDER BY h.seq DESC LIMIT ?4)",
                       values, 4, &removed);
  }
  *left -= removed;
  return status;
}

typedef struct kecs__history_row_id {
  int64_t kind;
  int64_t rid;
  int64_t edge; /* the newest entry of the row that is too many */
} kecs__history_row_id;

/* Rows that the log is about to forget, and that have more entries than may stay. */
static kecs_status kecs__history_long(kecs__write *write, int64_t upto, int64_t most, kecs__history_row_id *rows,
                                      int limit, int *out_count) {
  kecs__cached *cached = NULL;
  bool row = false;
  kecs_value values[] = {kecs__value_int(upto), kecs__value_int(most)};
  *out_count = 0;
  kecs_status status = kecs__feed_statement(
      write->session,
      "SELECT c.kind,c.rid,(SELECT x.seq FROM {history x} WHERE {own x}x.kind=c.kind AND x.rid=c.rid AND x.op<>0 "
      "ORDER BY x.seq DESC LIMIT 1 OFFSET ?2) AS edge FROM (SELECT DISTINCT d.kind,d.rid FROM {changes d} WHERE "
      "{own d}d.seq<=?1) AS c",
      &cached);
  if (!status) {
    status = kecs__statement_start(write->session, cached, values, 2, &row);
  }
  while (!status && row && *out_count < limit) {
    kecs_value read[3];
    kecs__statement_columns(write->session, cached, read, 3);
    if (read[2].type != KECS_VALUE_NULL) {
      kecs__history_row_id one = {read[0].number, read[1].number, read[2].number};
      rows[(*out_count)++] = one;
    }
    status = kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  return status;
}

static kecs_status kecs__history_trim_rows(kecs__write *write, int64_t upto, int limit, int64_t *left) {
  kecs_allocator *allocator = &write->engine->allocator;
  int64_t most = 0;
  int count = 0;
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_HISTORY_ROWS, &most);
  if (status || most == 0) {
    return status;
  }
  kecs__history_row_id *rows = kecs__alloc(allocator, (size_t)limit * sizeof *rows);
  status = rows ? kecs__history_long(write, upto, most, rows, limit, &count) : KECS_E_NOMEM;
  for (int i = 0; !status && *left > 0 && i < count; i++) {
    int64_t edge = rows[i].edge < upto ? rows[i].edge : upto;
    status = kecs__history_cut(write, rows[i].kind, rows[i].rid, edge, left);
  }
  kecs__release(allocator, rows, (size_t)limit * sizeof *rows);
  return status;
}

#define KECS__HISTORY_STEP "(SELECT seq,stamp FROM {history} WHERE {own}seq<=?1 ORDER BY seq LIMIT ?3) AS step"

/* What stands before the first entry that is young enough. Where stamps need not quite ascend with the sequence, an old
 * one behind it waits for its turn. */
static kecs_status kecs__history_aged(kecs__write *write, int64_t upto, int64_t oldest, int64_t left, int64_t *out_seq,
                                      int64_t *out_stamp) {
  kecs_value values[] = {kecs__value_int(upto), kecs__value_int(oldest), kecs__value_int(left)};
  int64_t young = 0;
  *out_seq = 0;
  kecs_status status = kecs__feed_number(
      write->session, "SELECT min(seq) FROM " KECS__HISTORY_STEP " WHERE stamp>?2", values, 3, &young);
  values[1] = kecs__value_int(young ? young : INT64_MAX);
  if (!status) {
    status = kecs__feed_number(write->session, "SELECT max(seq) FROM " KECS__HISTORY_STEP " WHERE seq<?2", values, 3,
                               out_seq);
  }
  if (!status) {
    status = kecs__feed_number(write->session, "SELECT max(stamp) FROM " KECS__HISTORY_STEP " WHERE seq<?2", values, 3,
                               out_stamp);
  }
  return status;
}

static kecs_status kecs__history_trim_age(kecs__write *write, int64_t upto, int64_t *left) {
  int64_t age = 0;
  int64_t oldest = 0; /* the highest stamp that is too old */
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_HISTORY_AGE, &age);
  if (status || age == 0 || *left <= 0) {
    return status;
  }
  (void)kecs__clock_next(&oldest, write->now - age);
  int64_t seq = 0;
  int64_t stamp = 0;
  int64_t removed = 0;
  status = kecs__history_aged(write, upto, oldest, *left, &seq, &stamp);
  if (status || seq == 0) {
    return status;
  }
  kecs_value last = kecs__value_int(seq);
  status = kecs__run(write->session, "DELETE FROM {history_keys} WHERE {own}seq<=?1", &last, 1, NULL);
  if (!status) {
    status = kecs__run(write->session, "DELETE FROM {history} WHERE {own}seq<=?1", &last, 1, &removed);
  }
  if (!status) {
    status = kecs__feed_state_raise(write->session, KECS__FEED_HISTORY_FLOOR, seq);
  }
  if (!status) {
    status = kecs__feed_state_raise(write->session, KECS__FEED_HISTORY_FLOOR_STAMP, stamp);
  }
  *left -= removed;
  return status;
}

KECS__FN kecs_status kecs__history_trim(kecs__write *write, int64_t upto, int limit, int64_t *out_count) {
  int64_t kinds = 0;
  int64_t left = limit;
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_HISTORY, &kinds);
  *out_count = 0;
  if (!status && kinds) {
    status = kecs__history_trim_rows(write, upto, limit, &left);
  }
  if (!status && kinds) {
    status = kecs__history_trim_age(write, upto, &left);
  }
  *out_count = limit - left;
  return status;
}

#endif
