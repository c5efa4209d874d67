/* store/cache_holds.c -- what our own statements make of the row cache: entries go, and rows are held.
 *
 * What a statement changes is seen where it is run (statements.c), so whoever changes rows, in whichever way, is seen.
 */
#include "base/prologue.h"

#include "store/cache_entries.h"
#include "store/statements.h"

#if !defined(KECS_STORE_NO_CACHE)

KECS__FN bool kecs__cache_is_known(const kecs__cache *cache) {
  kecs_mark now;
  return !cache->marked || (kecs__mark_now(cache, &now) && kecs__mark_same(&now, &cache->mark));
}

/* ---- holds ---- */

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
  bool inserts = op == KECS__OP_INSERT || op == KECS__OP_INSERT_LOGGED || op == KECS__OP_MERGE_INSERT;
  bool moves = inserts || op == KECS__OP_DELETE || op == KECS__OP_MERGE_LIFE || op == KECS__OP_TEXT;
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

#endif
