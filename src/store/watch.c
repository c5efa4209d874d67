/* store/watch.c -- watches: reading the log in steps, and waiting for it to grow.
 *
 * A step reads up to 100 entries and their rows in one read of the database, floor included, so nothing can be removed
 * in between. How a wait ends is ear.c's business. Nothing here knows a database. */
#include "base/prologue.h"

#include "store/watch.h"

#include "base/time.h"
#include "store/ear.h"
#include "store/feed.h"
#include "store/history_log.h"
#include "store/query.h"
#include "store/write.h"

#include <string.h>

enum { KECS__WATCH_STEP = 100 };

struct kecs_watch {
  kecs_store *store;
  uint64_t kinds; /* bit n: kind n is told */
  kecs_filter *where;
  size_t where_count;
  bool rows;
  bool old_rows;
  uint64_t kept;  /* bit n: kind n has a history */
  kecs__arena own;   /* the filters */
  kecs__arena texts; /* of this step */
  int64_t read_seq;  /* every entry up to here was read */
  int64_t told_seq;  /* and up to here told */
  bool more;         /* the last step was a full one */
  int count;
  int at;
  kecs_change changes[KECS__WATCH_STEP];
  int64_t rids[KECS__WATCH_STEP];
};

/* ---- one step ---- */

static kecs_status kecs__watch_entries(kecs_watch *watch, kecs__session *session) {
  kecs__cached *cached = NULL;
  bool row = false;
  kecs_value parameters[] = {kecs__value_int(watch->read_seq), kecs__value_int(KECS__WATCH_STEP)};
  kecs_status status = kecs__feed_statement(
      session, "SELECT seq,kind,rid,groups,op,stamp FROM {changes} WHERE {own}seq>?1 ORDER BY seq LIMIT ?2", &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, parameters, 2, &row);
  }
  int read = 0;
  for (; !status && row; read++) {
    kecs_value values[6];
    kecs__statement_columns(session, cached, values, 6);
    kecs_change *change = &watch->changes[watch->count];
    memset(change, 0, sizeof *change);
    change->seq = values[0].number;
    change->kind = (kecs_kind)values[1].number;
    change->groups = (unsigned)values[3].number;
    change->op = (kecs_change_op)values[4].number;
    change->stamp = values[5].number;
    watch->rids[watch->count] = values[2].number;
    bool known = change->kind > 0 && change->kind < KECS_KIND_COUNT;
    watch->count += known && (watch->kinds & KECS_BIT(change->kind)) ? 1 : 0;
    watch->read_seq = change->seq;
    status = kecs__statement_step(session, cached, &row);
  }
  kecs__statement_done(session, cached);
  watch->more = read == KECS__WATCH_STEP;
  return status;
}

/* A deleted row's key. Another program's INSERT OR REPLACE takes a row away without a deletion that could be logged:
 * then there is none, and nothing to tell, since the row that took its place has an entry of its own. */
static kecs_status kecs__watch_tombstone(kecs_watch *watch, kecs__session *session, kecs_change *change, int64_t rid,
                                         bool *out_told) {
  kecs__cached *cached = NULL;
  bool row = false;
  kecs_value parameters[] = {kecs__value_int((int64_t)change->kind), kecs__value_int(rid)};
  kecs_status status =
      kecs__feed_statement(session, "SELECT key FROM {change_tombstones} WHERE {own}kind=?1 AND rid=?2", &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, parameters, 2, &row);
  }
  if (!status && row) {
    kecs_value key;
    kecs__statement_columns(session, cached, &key, 1);
    change->key = key.text ? kecs__arena_text(&watch->texts, key.text, key.len) : NULL;
    status = change->key ? KECS_OK : kecs__fail_nomem();
  } else if (!status) {
    kecs__log(session->engine, KECS_LOG_WARNING, "%s: change %lld is of a %s that another program has replaced",
              session->engine->place.shown, (long long)change->seq, kecs_kind_describe(change->kind)->name);
  }
  *out_told = row;
  kecs__statement_done(session, cached);
  return status;
}

/* Whether the filter holds for the row. */
static kecs_status kecs__watch_matches(const kecs_watch *watch, kecs__session *session, const kecs__meta *meta,
                                       int64_t rid, bool *out_matches) {
  kecs__plan plan;
  kecs__arena arena;
  kecs__cached *cached = NULL;
  kecs_value value = kecs__value_int(rid);
  *out_matches = true;
  if (watch->where_count == 0) {
    return KECS_OK;
  }
  kecs__arena_init(&arena, &session->engine->allocator);
  kecs__plan_init(&plan, session, meta, &arena);
  for (size_t i = 0; i < watch->where_count; i++) {
    kecs__plan_filter(&plan, &watch->where[i]);
  }
  kecs__plan_where(&plan, "rid=?", &value, 1);
  kecs_status status = kecs__plan_start(&plan, "rid", false, 1, &cached, out_matches);
  kecs__statement_done(session, cached);
  kecs__plan_free(&plan);
  kecs__arena_free(&arena);
  return status;
}

/* The kinds that the watch names must all have a history that is old enough; of those that it does not, it tells what
 * there is. */
static kecs_status kecs__watch_history(kecs_watch *watch, kecs__session *session) {
  kecs_status status = kecs__history_kinds(session, &watch->kept);
  bool all = watch->kinds == UINT64_MAX;
  if (!status && (!all || watch->kept == 0)) {
    status = kecs__history_check(session, watch->kinds);
  }
  return status ? status : kecs__history_check_floor(session, watch->kinds & watch->kept, watch->read_seq);
}

static kecs_status kecs__watch_old_row(kecs_watch *watch, kecs__session *session, const kecs__meta *meta,
                                       kecs_change *change, int64_t rid) {
  bool there = false;
  if (!watch->old_rows || change->op == KECS_CHANGE_CREATED || !(watch->kept & KECS_BIT(change->kind))) {
    return KECS_OK;
  }
  void *row = kecs__arena_take(&watch->texts, meta->info->row_size);
  if (!row) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs__history_row(session, meta, rid, change->seq - 1, &watch->texts, row, &there);
  change->old_row = there ? row : NULL;
  return status;
}

/* Key and row of an entry. *out_told is false for one that does not concern the watch. */
static kecs_status kecs__watch_row(kecs_watch *watch, kecs__session *session, kecs_change *change, int64_t rid,
                                   bool *out_told) {
  const kecs__meta *meta = kecs__meta_of(session->engine, change->kind);
  bool found = false;
  *out_told = true;
  void *row = kecs__arena_take(&watch->texts, meta->info->row_size);
  if (!row) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs__watch_old_row(watch, session, meta, change, rid);
  if (!status && change->op != KECS_CHANGE_DELETED) {
    status = kecs__row_by_rid(session, meta, rid, &watch->texts, row, &found);
  }
  if (status || !found) {
    return status ? status : kecs__watch_tombstone(watch, session, change, rid, out_told);
  }
  bool matches = true;
  status = kecs__watch_matches(watch, session, meta, rid, &matches);
  if (!matches) {
    *out_told = change->op != KECS_CHANGE_CREATED;
    change->op = KECS_CHANGE_LEFT;
  }
  change->row = watch->rows && matches ? row : NULL;
  change->key = kecs__feed_key(meta, row, &watch->texts);
  return status || change->key ? status : KECS_E_NOMEM;
}

/* A backup that was restored, or a server that took over without the last commits. A standby that is only behind is
 * waited for. */
static kecs_status kecs__watch_check_end(const kecs_watch *watch, kecs__session *session, const kecs__feed_end *end) {
  const kecs__engine *engine = session->engine;
  if (end->seq >= watch->read_seq || engine->place.splits_reads) {
    return KECS_OK;
  }
  int64_t floor = 0;
  kecs_status status = kecs__feed_state(session, KECS__FEED_FLOOR, &floor);
  if (status) {
    return status;
  }
  (void)kecs__fail(KECS_E_COMPACTED,
                   "the change log of %s ends at %lld, and this watch was told changes up to %lld: the database is an "
                   "older one; list anew and watch from the list's sequence",
                   engine->place.shown, (long long)end->seq, (long long)watch->read_seq);
  kecs_error error = kecs__error_save();
  error.floor = floor;
  return kecs__error_restore(&error);
}

static kecs_status kecs__watch_fill(kecs_watch *watch, kecs__session *session) {
  kecs__feed_end end;
  kecs_status status = kecs__feed_read_end(session, &end);
  if (!status) {
    status = kecs__feed_check(session->engine, &end);
  }
  if (!status) {
    status = kecs__watch_check_end(watch, session, &end);
  }
  if (!status) {
    status = kecs__feed_check_floor(session, watch->read_seq);
  }
  if (!status && watch->old_rows && end.seq > watch->read_seq) {
    status = kecs__watch_history(watch, session);
  }
  if (!status && end.seq > watch->read_seq) {
    status = kecs__watch_entries(watch, session);
  }
  int told = 0;
  for (int i = 0; !status && i < watch->count; i++) {
    bool keep = true;
    status = kecs__watch_row(watch, session, &watch->changes[i], watch->rids[i], &keep);
    watch->changes[told] = watch->changes[i];
    told += keep ? 1 : 0;
  }
  watch->count = told;
  return status;
}

/* Reads the next entries. After a failure the watch stands where it stood. */
static kecs_status kecs__watch_step(kecs_watch *watch) {
  kecs__session *session = NULL;
  int64_t before = watch->read_seq;
  kecs_status status = kecs__feed_number_new(watch->store);
  status = status ? status : kecs__read_open(watch->store, &session);
  if (status) {
    return status;
  }
  const kecs_backend *backend = session->engine->backend;
  kecs__arena_reset(&watch->texts);
  watch->at = 0;
  watch->count = 0;
  watch->more = false;
  status = backend->begin(session->connection, false);
  if (!status) {
    status = kecs__watch_fill(watch, session);
    kecs__read_end(backend, session->connection, &status);
  }
  kecs__read_close(watch->store, session);
  if (status) {
    watch->read_seq = before;
    watch->count = 0;
  }
  return status;
}

/* ---- waiting ---- */

static bool kecs__watch_waits(const kecs_watch *watch, int timeout_ms) {
#if defined(KECS_STORE_NO_THREADS)
  return timeout_ms != 0 && watch->store->engine->shared;
#else
  (void)watch;
  return timeout_ms != 0;
#endif
}

/* The change that is told next, or NULL. */
static const kecs_change *kecs__watch_take(kecs_watch *watch) {
  if (watch->at == watch->count) {
    watch->told_seq = watch->read_seq;
    return NULL;
  }
  const kecs_change *change = &watch->changes[watch->at++];
  watch->told_seq = change->seq;
  return change;
}

KECS_STORE_API kecs_status kecs_watch_next(kecs_watch *watch, int timeout_ms, const kecs_change **out_change) {
  kecs_status status = kecs__check_pointer(out_change, "out_change");
  if (status) {
    return status;
  }
  *out_change = NULL;
  status = kecs__check_pointer(watch, "watch");
  if (status) {
    return status;
  }
  kecs__engine *engine = watch->store->engine;
  int64_t until = timeout_ms < 0 ? INT64_MAX : kecs__monotonic_ms() + timeout_ms;
  bool again = true;
  while (!status && again) {
    *out_change = kecs__watch_take(watch);
    if (*out_change) {
      break;
    }
    kecs__mutex_lock(&engine->mutex);
    uint64_t turn = engine->feed_turn;
    kecs__mutex_unlock(&engine->mutex);
    status = kecs__watch_step(watch);
    if (!status && watch->count == 0 && !watch->more) {
      again = kecs__watch_waits(watch, timeout_ms);
      status = again ? kecs__ear_wait(watch->store, turn, watch->read_seq, until, &again) : KECS_OK;
    }
  }
  return status;
}

KECS_STORE_API int64_t kecs_watch_seq(const kecs_watch *watch) {
  return watch ? watch->told_seq : 0;
}

/* ---- opening ---- */

/* A copy of a filter, its texts and numbers in the watch's own memory. */
static kecs_status kecs__watch_filter(kecs_watch *watch, const kecs_filter *given, kecs_filter *out) {
  *out = *given;
  if (given->text) {
    out->text = kecs__arena_text(&watch->own, given->text, strlen(given->text));
    if (!out->text) {
      return KECS_E_NOMEM;
    }
  }
  if (given->numbers && given->count > 0) {
    int64_t *numbers = kecs__arena_take(&watch->own, given->count * sizeof *numbers);
    if (!numbers) {
      return KECS_E_NOMEM;
    }
    memcpy(numbers, given->numbers, given->count * sizeof *numbers);
    out->numbers = numbers;
  }
  if (given->texts && given->count > 0) {
    const char **texts = kecs__arena_take(&watch->own, given->count * sizeof *texts);
    for (size_t i = 0; texts && i < given->count; i++) {
      const char *text = given->texts[i];
      texts[i] = text ? kecs__arena_text(&watch->own, text, strlen(text)) : NULL;
      if (text && !texts[i]) {
        return KECS_E_NOMEM;
      }
    }
    out->texts = texts;
    return texts ? KECS_OK : KECS_E_NOMEM;
  }
  return KECS_OK;
}

static kecs_status kecs__watch_settle(kecs_watch *watch, const kecs_watch_options *options) {
  if (options->where_count > KECS__FILTERS_MAX || (options->where_count > 0 && options->kind_count != 1)) {
    return kecs__fail(KECS_E_INVALID, "a watch with filters takes one kind and at most %d filters",
                      (int)KECS__FILTERS_MAX);
  }
  watch->kinds = options->kind_count == 0 ? UINT64_MAX : 0;
  for (size_t i = 0; i < options->kind_count; i++) {
    const kecs__meta *meta = kecs__meta_checked(watch->store, options->kinds[i]);
    if (!meta) {
      return kecs_last_error()->status;
    }
    watch->kinds |= KECS_BIT(options->kinds[i]);
  }
  watch->rows = options->rows;
  watch->old_rows = options->old_rows;
  watch->where_count = options->where_count;
  if (options->where_count > 0) {
    watch->where = kecs__arena_take(&watch->own, options->where_count * sizeof *watch->where);
  }
  kecs_status status = options->where_count == 0 || watch->where ? KECS_OK : KECS_E_NOMEM;
  for (size_t i = 0; !status && i < options->where_count; i++) {
    status = kecs__watch_filter(watch, &options->where[i], &watch->where[i]);
  }
  return status;
}

/* Where it begins; filters are tried once, so that a wrong one is told now. */
static kecs_status kecs__watch_begin(kecs_watch *watch, kecs__session *session, const kecs_watch_options *options) {
  kecs__feed_end end;
  bool matches = false;
  kecs_status status = kecs__feed_read_end(session, &end);
  if (!status) {
    status = kecs__feed_check(session->engine, &end);
  }
  if (!status && options->where_count > 0) {
    status = kecs__watch_matches(watch, session, kecs__meta_of(session->engine, options->kinds[0]), 0, &matches);
  }
  watch->read_seq = options->from_seq == 0 ? end.seq : options->from_seq;
  if (!status && options->from_seq == KECS_WATCH_OLDEST) {
    status = kecs__feed_state(session, KECS__FEED_FLOOR, &watch->read_seq);
  }
  if (!status && (watch->read_seq > end.seq || watch->read_seq < 0)) {
    status = kecs__fail(KECS_E_INVALID, "the change log of %s ends at %lld; there is no sequence %lld",
                        session->engine->place.shown, (long long)end.seq, (long long)options->from_seq);
  }
  watch->told_seq = watch->read_seq;
  if (!status) {
    status = kecs__feed_check_floor(session, watch->read_seq);
  }
  if (!status && watch->old_rows) {
    status = kecs__watch_history(watch, session);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_watch_open(kecs_store *store, const kecs_watch_options *options,
                                           kecs_watch **out_watch) {
  static const kecs_watch_options everything;
  options = options ? options : &everything;
  kecs_status status = kecs__check_pointer(out_watch, "out_watch");
  if (status) {
    return status;
  }
  *out_watch = NULL;
  status = kecs__check_handle(store);
  if (!status && store->depth > 0) {
    status = kecs__fail(KECS_E_MISUSE, "a transaction can't be watched; watch the store");
  }
  kecs_watch *watch = status ? NULL : kecs__alloc_zero(&store->engine->allocator, sizeof *watch);
  if (!watch) {
    return status ? status : KECS_E_NOMEM;
  }
  watch->store = store;
  kecs__ear_open(store->engine);
  kecs__arena_init(&watch->own, &store->engine->allocator);
  kecs__arena_init(&watch->texts, &store->engine->allocator);
  kecs__session *session = NULL;
  status = kecs__watch_settle(watch, options);
  if (!status) {
    status = kecs__feed_number_new(store);
  }
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__watch_begin(watch, session, options);
  }
  kecs__read_close(store, session);
  if (status) {
    kecs_watch_close(watch);
    return status;
  }
  *out_watch = watch;
  return KECS_OK;
}

KECS_STORE_API void kecs_watch_close(kecs_watch *watch) {
  if (!watch) {
    return;
  }
  kecs__ear_leave(watch->store->engine);
  kecs__arena_free(&watch->own);
  kecs__arena_free(&watch->texts);
  kecs__release(&watch->store->engine->allocator, watch, sizeof *watch);
}
