/* store/coherence.c -- what makes entries of the row cache go: statements of our own, and other processes.
 *
 * What a statement changes is seen where it is run (statements.c), so whoever changes rows, in whichever way, is seen.
 * Other processes are seen by the database's mark. Where the change log is kept it says which rows they have changed;
 * otherwise everything goes. */
#include "base/prologue.h"

#include "store/cache_entries.h"

#include "store/feed.h"

#include <string.h>

#if !defined(KECS_STORE_NO_CACHE)

#define KECS__CATCH_UP_MAX 1000 /* changes of others that are looked at one by one */

/* ---- marks ---- */

static bool kecs__mark_same(const kecs_mark *a, const kecs_mark *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

static bool kecs__mark_now(const kecs__cache *cache, kecs_mark *out_mark) {
  const kecs__engine *engine = cache->engine;
  return engine->backend->mark(engine->writer->connection, out_mark);
}

KECS__FN bool kecs__cache_is_known(const kecs__cache *cache) {
  kecs_mark now;
  return !cache->marked || (kecs__mark_now(cache, &now) && kecs__mark_same(&now, &cache->mark));
}

/* ---- holds ---- */

static size_t kecs__bucket_of(uint64_t hash) {
  return (size_t)(hash >> 32) % KECS__CACHE_BUCKETS;
}

static bool kecs__guard_lets(const kecs__cache_guard *guard, uint64_t ticket) {
  return guard->holders == 0 && guard->since < ticket;
}

KECS__FN bool kecs__cache_may_enter(const kecs__cache *cache, kecs_kind kind, int64_t rid, uint64_t natural,
                                    const kecs__ticket *ticket) {
  size_t bucket = kecs__bucket_of(kecs__cache_hash_rid(cache, kind, rid));
  return ticket->good && kecs__guard_lets(&cache->rows[bucket], ticket->number) &&
         kecs__guard_lets(&cache->all_rows[kind], ticket->number) &&
         (!natural || kecs__guard_lets(&cache->rows[kecs__bucket_of(natural)], ticket->number)) &&
         kecs__cache_is_known(cache);
}

KECS__FN bool kecs__cache_list_holds(const kecs__cache *cache, kecs_kind kind, uint64_t ticket, uint64_t parents) {
  return cache->lists[kind].holders == 0 && kecs__cache_generation(cache, kind) < ticket &&
         cache->parents_holders == 0 && parents == cache->parents;
}

KECS__FN uint64_t kecs__cache_generation(const kecs__cache *cache, kecs_kind kind) {
  return cache->lists[kind].since;
}

static bool kecs__kind_is_parent(int kind) {
  return kind == KECS_KIND_CLUSTER || kind == KECS_KIND_SERVICE;
}

/* The names of clusters and services may mean something else from now on. `state` is taken. */
static void kecs__parents_changed(kecs__cache *cache) {
  kecs__cache_lock_all(cache);
  cache->parents++;
  kecs__cache_unlock_all(cache);
}

static void kecs__hold_bucket(kecs__cache *cache, kecs__hold *hold, size_t bucket) {
  uint32_t bit = (uint32_t)1 << (bucket % 32);
  if (!(hold->rows[bucket / 32] & bit)) {
    hold->rows[bucket / 32] |= bit;
    cache->rows[bucket].holders++;
  }
}

/* The lists of a kind, and names that lead by it. */
static void kecs__hold_lists(kecs__cache *cache, kecs__hold *hold, int kind, bool moves) {
  if (!(hold->lists & KECS_BIT(kind))) {
    hold->lists |= KECS_BIT(kind);
    cache->lists[kind].holders++;
  }
  if (moves && kecs__kind_is_parent(kind) && !hold->parents) {
    hold->parents = true;
    cache->parents_holders++;
    kecs__parents_changed(cache);
  }
}

static void kecs__hold_row(kecs__cache *cache, kecs__hold *hold, kecs_kind kind, int64_t rid) {
  kecs__hold_bucket(cache, hold, kecs__bucket_of(kecs__cache_hash_rid(cache, kind, rid)));
  kecs__mutex_lock(&cache->slots[0].mutex);
  bool there = kecs__cache_find_row(cache, kind, rid) != 0;
  kecs__mutex_unlock(&cache->slots[0].mutex);
  if (there) {
    kecs__cache_lock_all(cache);
    kecs__cache_remove_row(cache, kind, rid);
    kecs__cache_unlock_all(cache);
  }
}

static void kecs__hold_natural(kecs__cache *cache, kecs__hold *hold, kecs_kind kind, const kecs_value *values,
                               int count) {
  uint64_t natural = kecs__cache_hash_values(cache->seed ^ (uint64_t)kind, values, count);
  kecs__hold_bucket(cache, hold, kecs__bucket_of(natural));
  kecs__cache_lock_all(cache);
  kecs__cache_remove_natural(cache, kind, natural);
  kecs__cache_unlock_all(cache);
}

/* A statement that is written out may change any row of the kind. */
static void kecs__hold_kind(kecs__cache *cache, kecs__hold *hold, kecs_kind kind) {
  if (!(hold->kinds & KECS_BIT(kind))) {
    hold->kinds |= KECS_BIT(kind);
    cache->all_rows[kind].holders++;
  }
  kecs__cache_lock_all(cache);
  kecs__cache_remove_kind(cache, kind);
  kecs__cache_unlock_all(cache);
}

KECS__FN void kecs__cache_hold(kecs__session *session, const kecs__cached *cached, const kecs_value *parameters,
                               int count) {
  kecs__engine *engine = session->engine;
  kecs__cache *cache = engine->cache;
  kecs__hold *hold = &session->hold;
  kecs__op op = (kecs__op)cached->op;
  if (!cache || !cached->kind) {
    return; /* texts that change none of the kinds' tables */
  }
  kecs_kind kind = (kecs_kind)cached->kind;
  bool inserts = op == KECS__OP_INSERT || op == KECS__OP_INSERT_LOGGED;
  bool moves = inserts || op == KECS__OP_DELETE || op == KECS__OP_TEXT;
  if (inserts && (hold->lists & KECS_BIT(kind)) && (hold->parents || !kecs__kind_is_parent((int)kind))) {
    return; /* one of many */
  }
  kecs__mutex_lock(&cache->state);
  hold->any = true;
  kecs__hold_lists(cache, hold, (int)kind, moves);
  if (op == KECS__OP_TEXT) {
    kecs__hold_kind(cache, hold, kind);
  } else if (op == KECS__OP_UPDATE_IF) {
    const kecs_column_list *key = &kecs__meta_of(engine, kind)->info->keys[0];
    kecs__hold_natural(cache, hold, kind, parameters, key->count);
  } else if (!inserts) {
    kecs__hold_row(cache, hold, kind, parameters[count - 1].number);
  }
  kecs__mutex_unlock(&cache->state);
}

/* Tickets that are drawn later count again. */
static void kecs__hold_release(kecs__cache *cache, kecs__hold *hold) {
  uint64_t since = cache->ticket++;
  for (size_t word = 0; word < KECS__CACHE_BUCKETS / 32; word++) {
    for (size_t i = word * 32; hold->rows[word]; i++) {
      if (hold->rows[word] & (uint32_t)1 << (i % 32)) {
        hold->rows[word] &= ~((uint32_t)1 << (i % 32));
        cache->rows[i].holders--;
        cache->rows[i].since = since;
      }
    }
  }
  for (int kind = 1; kind < KECS_KIND_COUNT && (hold->lists | hold->kinds); kind++) {
    if (hold->lists & KECS_BIT(kind)) {
      cache->lists[kind].holders--;
      cache->lists[kind].since = since;
    }
    if (hold->kinds & KECS_BIT(kind)) {
      cache->all_rows[kind].holders--;
      cache->all_rows[kind].since = since;
    }
  }
  if (hold->parents) {
    cache->parents_holders--;
    kecs__parents_changed(cache);
  }
  memset(hold, 0, sizeof *hold);
}

/* ---- our own transactions ---- */

KECS__FN void kecs__cache_begun(kecs__session *session) {
  kecs__cache *cache = session->engine->cache;
  session->committed = false;
  if (!cache || !cache->marked) {
    return;
  }
  kecs__mutex_lock(&cache->state);
  cache->writing = true;
  cache->steady = kecs__cache_is_known(cache);
  cache->written = session->engine->backend->changes_ever(session->connection);
  kecs__mutex_unlock(&cache->state);
}

static void kecs__cache_logged(kecs__cache *cache, const kecs__session *session) {
  cache->seq = session->place.appended ? session->place.seq : cache->seq;
}

/* The mark that our own commit has left is known, unless somebody else has committed since: it counts commits. Ours
 * was one exactly when it was committed and has changed rows. Otherwise the next reader catches up. */
static void kecs__cache_move_on(kecs__cache *cache, kecs__session *session) {
  kecs_mark now;
  bool changed = session->committed &&
                 session->engine->backend->changes_ever(session->connection) != cache->written;
  cache->writing = false;
  if (cache->steady && changed && kecs__mark_now(cache, &now) && now.commits == cache->mark.commits + 1) {
    kecs__cache_lock_all(cache);
    cache->mark = now;
    kecs__cache_unlock_all(cache);
    kecs__cache_logged(cache, session);
  }
}

KECS__FN void kecs__cache_ended(kecs__session *session) {
  kecs__cache *cache = session->engine->cache;
  if (!cache || !(session->hold.any || (cache->marked && session == session->engine->writer))) {
    return;
  }
  kecs__mutex_lock(&cache->state);
  if (cache->writing) {
    kecs__cache_move_on(cache, session);
  } else if (!cache->marked && session->committed) {
    kecs__cache_logged(cache, session);
  }
  if (session->hold.any) {
    kecs__hold_release(cache, &session->hold);
  }
  kecs__mutex_unlock(&cache->state);
}

/* ---- other processes ---- */

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
