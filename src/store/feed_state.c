/* store/feed_state.c -- what the change log says of itself: its end, its numbers, whether there is one. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/write.h"

#include <string.h>

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

/* ---- what is there ---- */

KECS__FN bool kecs__feed_can(const kecs__engine *engine) {
  return engine->backend->guard || engine->backend->log;
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

KECS__FN bool kecs__feed_is_on(const kecs__feed_end *end) {
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
