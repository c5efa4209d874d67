/* store/feed_open.c -- the change log as a whole: switching it on and off, and numbers where the database logs. */
#include "base/prologue.h"

#include "store/feed.h"

#include "store/access.h"
#include "store/history_log.h"
#include "store/pool.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

#define KECS__FEED_GUARDS_MAX ((size_t)1 << 20)

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
    status = status ? status : kecs__feed_state(engine->writer, KECS__FEED_OFFSET, &engine->clock_offset);
  }
  if (!status) {
    kecs__flag_set(&engine->tracked, wanted ? 1 : 0);
  }
  return status;
}
