/* store/coherence.c -- what other processes' writes make of the row cache. They are seen by the database's mark. Where
 * the change log is kept it says which rows they have changed; otherwise everything goes. */
#include "base/prologue.h"

#include "store/cache_entries.h"

#include "store/feed.h"

#include <string.h>

#if !defined(KECS_STORE_NO_CACHE)

#define KECS__CATCH_UP_MAX 1000 /* changes of others that are looked at one by one */

/* What others have changed, as the log tells it. */
typedef struct kecs__foreign {
  int64_t seq;
  size_t count;
  bool whole; /* the log does not tell all: everything goes */
  struct {
    kecs_kind kind;
    int64_t rid;
    bool moves;
  } rows[KECS__CATCH_UP_MAX];
} kecs__foreign;

static kecs_status kecs__foreign_rows(kecs__session *session, int64_t after, kecs__foreign *foreign) {
  kecs_value values[] = {kecs__value_int(after), kecs__value_int(KECS__CATCH_UP_MAX + 1)};
  kecs__cached *cached = NULL;
  bool row = false;
  kecs_status status = kecs__feed_statement(
      session, "SELECT seq,kind,rid,op FROM {changes} WHERE {own}seq>?1 ORDER BY seq LIMIT ?2", &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, values, 2, &row);
  }
  while (!status && row && !foreign->whole) {
    kecs_value read[4];
    kecs__statement_columns(session, cached, read, 4);
    foreign->seq = read[0].number;
    foreign->whole = foreign->count == KECS__CATCH_UP_MAX || read[1].number < 1 || read[1].number >= KECS_KIND_COUNT;
    if (!foreign->whole) {
      foreign->rows[foreign->count].kind = (kecs_kind)read[1].number;
      foreign->rows[foreign->count].rid = read[2].number;
      foreign->rows[foreign->count++].moves = read[3].number != KECS__FEED_UPDATED;
      status = kecs__statement_step(session, cached, &row);
    }
  }
  kecs__statement_done(session, cached);
  return status;
}

/* Entries first, the floor behind them: what was removed from the log meanwhile lies below it. */
static kecs_status kecs__foreign_read(kecs__session *session, int64_t after, kecs__foreign *foreign) {
  int64_t floor = 0;
  foreign->seq = after;
  kecs_status status = kecs__foreign_rows(session, after, foreign);
  if (!status && !foreign->whole) {
    status = kecs__feed_state(session, KECS__FEED_FLOOR, &floor);
    foreign->whole = floor > after;
  }
  if (!status && foreign->whole) {
    kecs__feed_end end;
    status = kecs__feed_read_end(session, &end);
    foreign->seq = end.seq;
  }
  return status;
}

static void kecs__guard_pass(kecs__cache_guard *guard, uint64_t since) {
  guard->since = since > guard->since ? since : guard->since;
}

/* `state` and all slots are taken. */
static void kecs__foreign_apply(kecs__cache *cache, const kecs__foreign *foreign) {
  uint64_t since = cache->ticket++;
  bool moves = !foreign || foreign->whole;
  if (moves) {
    kecs__cache_remove_kind(cache, KECS_KIND_COUNT);
    cache->flushes++;
    for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
      kecs__guard_pass(&cache->lists[kind], since);
      kecs__guard_pass(&cache->all_rows[kind], since);
    }
  }
  for (size_t i = 0; foreign && i < foreign->count; i++) {
    kecs_kind kind = foreign->rows[i].kind;
    uint64_t hash = kecs__cache_hash_rid(cache, kind, foreign->rows[i].rid);
    kecs__cache_remove_row(cache, kind, foreign->rows[i].rid);
    kecs__guard_pass(&cache->rows[kecs__bucket_of(hash)], since);
    kecs__guard_pass(&cache->lists[kind], since);
    moves = moves || (foreign->rows[i].moves && kecs__kind_is_parent((int)kind));
  }
  cache->parents += moves;
}

/* The mark was read before the log was: what comes between the two is looked at twice, never left out. */
static void kecs__caught_up(kecs__cache *cache, const kecs_mark *before, const kecs_mark *now,
                            const kecs__foreign *foreign) {
  kecs__mutex_lock(&cache->state);
  if (kecs__mark_same(&cache->mark, before)) { /* nobody else was faster */
    kecs__cache_lock_all(cache);
    kecs__foreign_apply(cache, foreign);
    cache->mark = *now;
    kecs__cache_unlock_all(cache);
    cache->seq = foreign ? foreign->seq : cache->seq;
  }
  kecs__mutex_unlock(&cache->state);
}

KECS__FN void kecs__cache_catch_up(kecs__session *session) {
  kecs__engine *engine = session->engine;
  kecs__cache *cache = engine->cache;
  kecs_mark before;
  kecs_mark now;
  kecs__mutex_lock(&cache->state);
  before = cache->mark;
  int64_t seq = cache->seq;
  bool due = kecs__mark_now(cache, &now) && !kecs__mark_same(&now, &before) && !(cache->writing && cache->steady);
  kecs__mutex_unlock(&cache->state);
  if (!due) {
    return;
  }
  if (!kecs__flag_get(&engine->tracked)) {
    kecs__caught_up(cache, &before, &now, NULL);
    return;
  }
  const kecs_allocator *allocator = &engine->allocator;
  kecs__foreign *foreign = allocator->alloc(sizeof *foreign, allocator->user);
  kecs_error error = kecs__error_save();
  if (!foreign) {
    kecs__caught_up(cache, &before, &now, NULL);
  } else {
    memset(foreign, 0, sizeof *foreign);
    if (kecs__foreign_read(session, seq, foreign) == KECS_OK) {
      kecs__caught_up(cache, &before, &now, foreign);
    }
    kecs__release(allocator, foreign, sizeof *foreign);
  }
  (void)kecs__error_restore(&error); /* the caller's read will meet what was in the way, or can do without */
}

#endif
