/* store/cache_rows.c -- gets and lists through the row cache: what is a key, who may put something in, answers. */
#include "base/prologue.h"

#include "store/arn.h"
#include "store/cache_entries.h"

#include "base/time.h"
#include "store/query.h"
#include "store/result.h"

#include <string.h>

#if !defined(KECS_STORE_NO_CACHE)

/* An entry may take an eighth of the cache. */
static size_t kecs__cache_most(const kecs__cache *cache) {
  return cache->bytes_max / 8;
}

KECS__FN void kecs__cache_key_make(const kecs__engine *engine, const kecs__meta *meta, int form,
                                   const kecs_value *values, int count, kecs__cache_key *out_key) {
  out_key->kind = meta->info->kind;
  out_key->form = form;
  out_key->count = count;
  out_key->values = values;
  uint64_t seed = engine->cache->seed ^ (uint64_t)meta->info->kind << 8 ^ (uint64_t)form;
  out_key->hash = kecs__cache_hash_values(seed, values, count);
}

KECS__FN void kecs__cache_ticket(kecs__session *session, kecs__ticket *out_ticket) {
  kecs__cache *cache = session->engine->cache;
  memset(out_ticket, 0, sizeof *out_ticket);
  out_ticket->now = kecs__clock_coarse(&session->engine->clock);
  kecs__mutex_lock(&cache->state);
  if (!kecs__cache_is_known(cache)) {
    kecs__mutex_unlock(&cache->state);
    kecs__cache_catch_up(session);
    kecs__mutex_lock(&cache->state);
  }
  out_ticket->number = ++cache->ticket;
  out_ticket->parents = cache->parents_holders ? 0 : cache->parents;
  out_ticket->good = true;
  kecs__mutex_unlock(&cache->state);
}

/* ---- rows ---- */

static void kecs__cache_expire(kecs__cache *cache, const kecs__cache_key *key, int64_t now) {
  kecs__cache_lock_all(cache);
  uint32_t node = kecs__cache_find(cache, key);
  if (node && kecs__cache_expired(cache, node, now)) {
    kecs__cache_remove(cache, node);
    cache->expirations++;
  }
  kecs__cache_unlock_all(cache);
}

/* The caller's copy of what the key leads to. One slot is taken. */
static kecs_status kecs__cache_answer(kecs__cache *cache, kecs__cache_slot *slot, const kecs__meta *meta, uint32_t node,
                                      kecs_result **out_result) {
  slot->hits++;
  kecs__cache_used(cache, slot, node);
  return kecs__cache_unpack(cache, meta, cache->nodes[node].block, out_result);
}

KECS__FN kecs_status kecs__cache_get(kecs_store *store, const kecs__meta *meta, const kecs__cache_key *key,
                                     kecs_result **out_result) {
  kecs__cache *cache = store->engine->cache;
  int64_t now = kecs__clock_coarse(&store->engine->clock);
  kecs__cache_slot *slot = kecs__cache_slot_of(cache);
  kecs_status status = KECS_OK;
  bool expired = false;
  *out_result = NULL;
  kecs__mutex_lock(&slot->mutex);
  uint32_t node = kecs__cache_is_known(cache) ? kecs__cache_find(cache, key) : 0;
  expired = node && kecs__cache_expired(cache, node, now);
  if (node && !expired) {
    status = kecs__cache_answer(cache, slot, meta, node, out_result);
  } else {
    slot->misses++;
  }
  kecs__mutex_unlock(&slot->mutex);
  if (expired) {
    kecs__cache_expire(cache, key, now);
  }
  return status;
}

/* Whether the key has the name of a cluster in it, or means the default one: which row it leads to then depends on
 * other rows. */
static bool kecs__key_needs_parents(const kecs__meta *meta, const kecs__cache_key *key) {
  const kecs_kind_info *info = meta->info;
  const kecs_value *last = &key->values[key->count - 1];
  if (key->form == KECS__FORM_TEXT) {
    return info->reference_count > 0 && (!kecs__is_arn(last->text) || strchr(last->text, ','));
  }
  for (int i = 0; i < key->count; i++) {
    const kecs_value *value = &key->values[i];
    bool empty = value->type != KECS_VALUE_TEXT || value->len == 0;
    for (int r = 0; r < info->reference_count; r++) {
      if (info->references[r].column == info->address.columns[i] &&
          (empty ? !kecs__is_arn(last->text) : !kecs__is_arn(value->text))) {
        return true;
      }
    }
  }
  return false;
}

static uint64_t kecs__row_natural(const kecs__cache *cache, const kecs__meta *meta, const void *row) {
  const kecs_column_list *key = &meta->info->keys[0];
  kecs_value values[KECS_KEY_COLUMNS_MAX];
  if (!cache->natural) {
    return 0;
  }
  for (int i = 0; i < key->count; i++) {
    values[i] = kecs__row_value(meta->info, row, key->columns[i]);
  }
  return kecs__cache_hash_values(cache->seed ^ (uint64_t)meta->info->kind, values, key->count);
}

/* All slots are taken. */
static void kecs__cache_enter(kecs__cache *cache, const kecs__meta *meta, const kecs__cache_key *key,
                              const kecs_result *result, kecs__cache_node *entry, uint64_t parents) {
  uint32_t there = entry->rid ? kecs__cache_find_row(cache, key->kind, entry->rid) : 0;
  uint32_t named = kecs__cache_find(cache, key);
  if (there && there != named && !kecs__cache_expired(cache, there, entry->loaded_us)) {
    kecs__cache_name *name = kecs__cache_name_new(cache, key);
    if (name) {
      name->parents = parents;
      kecs__cache_add_name(cache, there, name);
    }
    return;
  }
  if (there) {
    kecs__cache_remove(cache, there);
  }
  if (named && named != there) {
    kecs__cache_remove(cache, named);
  }
  entry->block = kecs__cache_pack(cache, meta, key, result, kecs__cache_most(cache));
  if (entry->block) {
    entry->names = kecs__cache_block_name(entry->block);
    entry->names->parents = parents;
    kecs__cache_add(cache, entry);
  }
}

KECS__FN void kecs__cache_put(kecs__session *session, const kecs__meta *meta, const kecs__cache_key *key,
                              const kecs__ticket *ticket, const kecs__probe *probe, int64_t rid,
                              const kecs_result *result) {
  kecs__cache *cache = session->engine->cache;
  kecs__cache_node entry = {0};
  bool needs = kecs__key_needs_parents(meta, key);
  /* A row that an ARN was a short form of, or that is the latest one, need not be it the next time. */
  const char *arn = meta->arn >= 0 && probe->key == 0 ? kecs__row_text(meta->info, result->rows, meta->arn) : NULL;
  if (rid == 0 || probe->floating || (arn && strcmp(arn, probe->values[0].text) != 0)) {
    return;
  }
  entry.rid = rid;
  entry.loaded_us = ticket->now;
  entry.natural = kecs__row_natural(cache, meta, result->rows);
  kecs__mutex_lock(&cache->state);
  bool may = kecs__cache_may_enter(cache, key->kind, rid, entry.natural, ticket);
  may = may && (!needs || (cache->parents_holders == 0 && ticket->parents == cache->parents));
  if (may) {
    kecs__cache_lock_all(cache);
    kecs__cache_enter(cache, meta, key, result, &entry, needs ? cache->parents : 0);
    kecs__cache_unlock_all(cache);
  }
  kecs__mutex_unlock(&cache->state);
}

/* ---- lists ---- */

static void kecs__ask_bytes(kecs__text *out, const void *bytes, size_t size) {
  kecs__text_add(out, bytes, size);
}

static void kecs__ask_number(kecs__text *out, int64_t number) {
  kecs__ask_bytes(out, &number, sizeof number);
}

static void kecs__ask_text(kecs__text *out, const char *text) {
  kecs__ask_number(out, text ? (int64_t)strlen(text) : -1);
  kecs__text_adds(out, text ? text : "");
}

static void kecs__ask_filter(kecs__text *out, const kecs_filter *filter) {
  kecs__ask_number(out, filter->column);
  kecs__ask_number(out, (int64_t)filter->op);
  kecs__ask_text(out, filter->text);
  kecs__ask_number(out, filter->number);
  if (filter->op == KECS_IN) {
    kecs__ask_number(out, (int64_t)filter->count);
    for (size_t i = 0; i < filter->count && (filter->texts || filter->numbers); i++) {
      if (filter->texts) {
        kecs__ask_text(out, filter->texts[i]);
      } else {
        kecs__ask_number(out, filter->numbers[i]);
      }
    }
  }
}

#define KECS__CACHE_QUERY_MAX 4096 /* a longer query is asked anew each time */

KECS__FN void kecs__cache_key_query(kecs_store *store, const kecs__meta *meta, const kecs_query *query,
                                    kecs__arena *arena, kecs__cache_key *out_key) {
  static const kecs_query all;
  kecs__text text;
  kecs_error error = kecs__error_save();
  query = query ? query : &all;
  memset(out_key, 0, sizeof *out_key);
  kecs__text_init(&text, &store->engine->allocator, KECS__CACHE_QUERY_MAX);
  kecs__ask_number(&text, (int64_t)query->direction);
  kecs__ask_number(&text, query->direction == KECS_ORDER_DEFAULT ? 0 : query->order_by);
  kecs__ask_number(&text, query->limit ? query->limit : KECS__PAGE_DEFAULT);
  kecs__ask_text(&text, query->page_token);
  size_t filters = query->where ? query->where_count : 0;
  for (size_t i = 0; i < filters && i < KECS__FILTERS_MAX && !text.status; i++) {
    kecs__ask_filter(&text, &query->where[i]);
  }
  kecs_value *value = text.status || filters != query->where_count || filters > KECS__FILTERS_MAX
                          ? NULL
                          : kecs__arena_take(arena, sizeof *value);
  char *copy = value ? kecs__arena_text(arena, text.data, text.len) : NULL;
  if (copy) {
    kecs_value made = {KECS_VALUE_TEXT, text.len, copy, 0};
    *value = made;
    kecs__cache_key_make(store->engine, meta, KECS__FORM_QUERY, value, 1, out_key);
  }
  kecs__text_free(&text);
  (void)kecs__error_restore(&error); /* it is asked without the cache then */
}

KECS__FN kecs_status kecs__cache_list(kecs_store *store, const kecs__meta *meta, const kecs__cache_key *key,
                                      kecs_result **out_result) {
  kecs__cache *cache = store->engine->cache;
  int64_t now = kecs__clock_coarse(&store->engine->clock);
  kecs__cache_slot *slot = kecs__cache_slot_of(cache);
  kecs_status status = KECS_OK;
  *out_result = NULL;
  kecs__mutex_lock(&cache->state);
  kecs__mutex_lock(&slot->mutex);
  uint32_t number = key->kind && kecs__cache_is_known(cache) ? kecs__cache_find(cache, key) : 0;
  const kecs__cache_node *node = number ? &cache->nodes[number] : NULL;
  bool expired = node && kecs__cache_expired(cache, number, now);
  bool holds = node && !expired && kecs__cache_list_holds(cache, key->kind, node->ticket, node->parents);
  int64_t seq = cache->seq; /* the list holds until here, so a watch may begin here */
  kecs__mutex_unlock(&cache->state);
  if (holds) {
    status = kecs__cache_answer(cache, slot, meta, number, out_result);
  } else {
    slot->misses++;
  }
  kecs__mutex_unlock(&slot->mutex);
  if (*out_result && (*out_result)->seq > 0 && seq > (*out_result)->seq) {
    (*out_result)->seq = seq;
  }
  if (expired) {
    kecs__cache_expire(cache, key, now);
  }
  return status;
}

KECS__FN void kecs__cache_put_list(kecs__session *session, const kecs__cache_key *key, const kecs__ticket *ticket,
                                   const kecs_result *result) {
  kecs__cache *cache = session->engine->cache;
  kecs__cache_node entry = {0};
  if (!key->kind) {
    return;
  }
  entry.loaded_us = ticket->now;
  entry.ticket = ticket->number;
  entry.parents = ticket->parents;
  kecs__mutex_lock(&cache->state);
  if (kecs__cache_list_holds(cache, key->kind, ticket->number, ticket->parents) && kecs__cache_is_known(cache)) {
    kecs__cache_lock_all(cache);
    kecs__cache_enter(cache, kecs__meta_of(session->engine, key->kind), key, result, &entry, 0);
    kecs__cache_unlock_all(cache);
  }
  kecs__mutex_unlock(&cache->state);
}

#endif
