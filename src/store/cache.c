/* store/cache.c -- the entries of the row cache: how they are found, in which order they were used, how many there are.
 *
 *   by_name   hash of a name -> entry      what gets and lists look into; several names may lead to one entry
 *   by_row    hash of kind and rid -> entry  what writes look into
 *   nodes     the entries, tied together in the order of their use: 0.next was used last, 0.prev longest ago
 *
 * A reader holds one slot and so may not change the order: it writes down what it has used, and tells when its notes
 * are full. Whoever holds all slots has read the notes first, so that the order is right when an entry has to go. */
#include "base/prologue.h"

#include "store/cache_entries.h"

#include <string.h>

#if !defined(KECS_STORE_NO_CACHE)

enum {
  KECS__CACHE_FIRST = 64, /* entries and links to begin with */
  KECS__CACHE_LINES = 24  /* of the processor's cache, that a row is likely to take */
};

/* ---- hashing ---- */

#define KECS__HASH_A UINT64_C(0xe7037ed1a0b428db)
#define KECS__HASH_B UINT64_C(0x8ebc6af09c88c6e3)

#if defined(__SIZEOF_INT128__)
__extension__ typedef unsigned __int128 kecs__wide;
static inline uint64_t kecs__fold(uint64_t a, uint64_t b) {
  kecs__wide product = (kecs__wide)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}
#else
static inline uint64_t kecs__fold(uint64_t a, uint64_t b) {
  uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
  uint64_t high = (a >> 32) * (b >> 32);
  uint64_t middle = (a >> 32) * (b & UINT32_MAX) ^ ((b >> 32) * (a & UINT32_MAX));
  return low ^ high ^ (middle << 32 | middle >> 32);
}
#endif

static inline uint64_t kecs__eight(const char *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

KECS__FN uint64_t kecs__cache_hash(uint64_t seed, const char *text, size_t len) {
  uint64_t hash = seed ^ (UINT64_C(0x9E3779B97F4A7C15) * (len + 1));
  if (len < 16) {
    char last[16] = {0};
    memcpy(last, text, len);
    return kecs__fold(kecs__eight(last) ^ KECS__HASH_B, kecs__eight(last + 8) ^ hash);
  }
  const char *end = text + len;
  for (; end - text > 16; text += 16) {
    hash = kecs__fold(kecs__eight(text) ^ KECS__HASH_A, kecs__eight(text + 8) ^ hash);
  }
  return kecs__fold(kecs__eight(end - 16) ^ KECS__HASH_B, kecs__eight(end - 8) ^ hash); /* some bytes twice */
}

KECS__FN uint64_t kecs__cache_hash_values(uint64_t seed, const kecs_value *values, int count) {
  for (int i = 0; i < count; i++) {
    if (values[i].type == KECS_VALUE_TEXT) {
      seed = kecs__cache_hash(seed, values[i].text, values[i].len);
    } else {
      seed = kecs__fold(seed ^ (uint64_t)values[i].number ^ KECS__HASH_A, KECS__HASH_B ^ (uint64_t)values[i].type);
    }
  }
  return seed;
}

KECS__FN uint64_t kecs__cache_hash_rid(const kecs__cache *cache, kecs_kind kind, int64_t rid) {
  return kecs__fold(cache->seed ^ (uint64_t)rid, KECS__HASH_A ^ (uint64_t)kind << 40);
}

/* ---- tables ---- */

static void kecs__table_put(kecs__cache_table *table, uint64_t hash, const kecs__cache_name *name, uint32_t node) {
  size_t at = (size_t)hash & (table->room - 1);
  while (table->links[at].node) {
    at = (at + 1) & (table->room - 1);
  }
  table->links[at].hash = hash;
  table->links[at].name = name;
  table->links[at].node = node;
}

static bool kecs__table_reserve(kecs__cache *cache, kecs__cache_table *table, size_t more) {
  if (table->room && (table->used + more) * 2 <= table->room) {
    return true;
  }
  const kecs_allocator *allocator = &cache->engine->allocator;
  kecs__cache_table grown = {NULL, table->room ? table->room * 2 : KECS__CACHE_FIRST, table->used};
  size_t size = grown.room * sizeof *grown.links;
  grown.links = allocator->alloc(size, allocator->user);
  if (!grown.links) {
    return false;
  }
  memset(grown.links, 0, size);
  for (size_t i = 0; i < table->room; i++) {
    if (table->links[i].node) {
      kecs__table_put(&grown, table->links[i].hash, table->links[i].name, table->links[i].node);
    }
  }
  kecs__release(allocator, table->links, table->room * sizeof *table->links);
  *table = grown;
  return true;
}

/* Links that had to step aside for this one move back, so that no gap ends a search too early. */
static void kecs__table_remove(kecs__cache_table *table, uint64_t hash, const kecs__cache_name *name, uint32_t node) {
  size_t mask = table->room - 1;
  size_t gap = (size_t)hash & mask;
  while (table->links[gap].node != node || table->links[gap].hash != hash || table->links[gap].name != name) {
    gap = (gap + 1) & mask;
  }
  for (size_t at = (gap + 1) & mask; table->links[at].node; at = (at + 1) & mask) {
    size_t home = (size_t)table->links[at].hash & mask;
    if (((at - home) & mask) >= ((at - gap) & mask)) {
      table->links[gap] = table->links[at];
      gap = at;
    }
  }
  table->links[gap].node = 0;
  table->used--;
}

/* What a hit will read next: most of its time is waiting for memory. */
static inline void kecs__link_expect(const kecs__cache *cache, const kecs__cache_link *link) {
#if defined(__GNUC__)
  const char *at = (const char *)link->name;
  __builtin_prefetch(&cache->nodes[link->node]);
  for (size_t line = 0; line < KECS__CACHE_LINES; line++) {
    __builtin_prefetch(at + line * 64);
  }
#else
  (void)cache;
  (void)link;
#endif
}

KECS__FN uint32_t kecs__cache_find(const kecs__cache *cache, const kecs__cache_key *key) {
  const kecs__cache_table *table = &cache->by_name;
  if (table->used == 0) {
    return 0;
  }
  size_t at = (size_t)key->hash & (table->room - 1);
  for (; table->links[at].node; at = (at + 1) & (table->room - 1)) {
    const kecs__cache_link *link = &table->links[at];
    if (link->hash != key->hash) {
      continue;
    }
    kecs__link_expect(cache, link);
    if ((!link->name->parents || link->name->parents == cache->parents) && kecs__cache_name_is(link->name, key)) {
      return link->node;
    }
  }
  return 0;
}

KECS__FN uint32_t kecs__cache_find_row(const kecs__cache *cache, kecs_kind kind, int64_t rid) {
  const kecs__cache_table *table = &cache->by_row;
  if (table->used == 0) {
    return 0;
  }
  uint64_t hash = kecs__cache_hash_rid(cache, kind, rid);
  size_t at = (size_t)hash & (table->room - 1);
  for (; table->links[at].node; at = (at + 1) & (table->room - 1)) {
    const kecs__cache_node *node = &cache->nodes[table->links[at].node];
    if (table->links[at].hash == hash && node->rid == rid && node->names->kind == kind) {
      return table->links[at].node;
    }
  }
  return 0;
}

/* ---- the order of use ---- */

static void kecs__order_out(kecs__cache *cache, uint32_t node) {
  cache->nodes[cache->nodes[node].prev].next = cache->nodes[node].next;
  cache->nodes[cache->nodes[node].next].prev = cache->nodes[node].prev;
}

static void kecs__order_first(kecs__cache *cache, uint32_t node) {
  uint32_t second = cache->nodes[0].next;
  cache->nodes[node].prev = 0;
  cache->nodes[node].next = second;
  cache->nodes[second].prev = node;
  cache->nodes[0].next = node;
}

static void kecs__slot_tell(kecs__cache *cache, kecs__cache_slot *slot) {
  for (unsigned i = 0; i < slot->read_count; i++) {
    kecs__order_out(cache, slot->reads[i]);
    kecs__order_first(cache, slot->reads[i]);
  }
  slot->read_count = 0;
}

KECS__FN void kecs__cache_used(kecs__cache *cache, kecs__cache_slot *slot, uint32_t node) {
  if (slot->read_count > 0 && slot->reads[slot->read_count - 1] == node) {
    return;
  }
  if (slot->read_count == KECS__CACHE_READS) {
    kecs__mutex_lock(&cache->order);
    kecs__slot_tell(cache, slot);
    kecs__mutex_unlock(&cache->order);
  }
  slot->reads[slot->read_count++] = node;
}

KECS__FN bool kecs__cache_expired(const kecs__cache *cache, uint32_t node, int64_t now) {
  int64_t age = now - cache->nodes[node].loaded_us;
  return age >= cache->ttl_us || age < 0; /* a clock that was set back says nothing of the age */
}

/* ---- locks ---- */

KECS__FN kecs__cache_slot *kecs__cache_slot_of(kecs__cache *cache) {
  uint64_t place = (uint64_t)(uintptr_t)kecs_last_error(); /* each thread has its own */
  return &cache->slots[(place * UINT64_C(0x9E3779B97F4A7C15) >> 40) % KECS__CACHE_SLOTS];
}

KECS__FN void kecs__cache_lock_all(kecs__cache *cache) {
  for (int i = 0; i < KECS__CACHE_SLOTS; i++) {
    kecs__mutex_lock(&cache->slots[i].mutex);
  }
  for (int i = 0; i < KECS__CACHE_SLOTS; i++) { /* now that nobody else can */
    kecs__slot_tell(cache, &cache->slots[i]);
  }
}

KECS__FN void kecs__cache_unlock_all(kecs__cache *cache) {
  for (int i = KECS__CACHE_SLOTS; i > 0; i--) {
    kecs__mutex_unlock(&cache->slots[i - 1].mutex);
  }
}

/* ---- entries that go ---- */

static size_t kecs__node_bytes(const kecs__cache_node *node) {
  size_t bytes = sizeof *node + node->block->size;
  for (const kecs__cache_name *name = node->names; name; name = name->next) {
    bytes += name->size;
  }
  return bytes;
}

static void kecs__node_release(kecs__cache *cache, const kecs__cache_node *node) {
  const kecs_allocator *allocator = &cache->engine->allocator;
  kecs__cache_name *name = node->names;
  while (name) {
    kecs__cache_name *next = name->next;
    kecs__release(allocator, name->size ? name : NULL, name->size);
    name = next;
  }
  kecs__release(allocator, node->block, node->block->size);
}

KECS__FN void kecs__cache_remove(kecs__cache *cache, uint32_t number) {
  kecs__cache_node *node = &cache->nodes[number];
  for (const kecs__cache_name *name = node->names; name; name = name->next) {
    kecs__table_remove(&cache->by_name, name->hash, name, number);
  }
  if (node->rid) {
    kecs__table_remove(&cache->by_row, kecs__cache_hash_rid(cache, node->names->kind, node->rid), NULL, number);
  }
  if (node->natural) {
    kecs__table_remove(&cache->by_row, node->natural, NULL, number);
  }
  kecs__order_out(cache, number);
  cache->bytes -= kecs__node_bytes(node);
  cache->entries--;
  kecs__node_release(cache, node);
  memset(node, 0, sizeof *node);
  node->next = cache->free_nodes;
  cache->free_nodes = number;
}

KECS__FN void kecs__cache_remove_row(kecs__cache *cache, kecs_kind kind, int64_t rid) {
  uint32_t node = kecs__cache_find_row(cache, kind, rid);
  if (node) {
    kecs__cache_remove(cache, node);
    cache->invalidations++;
  }
}

KECS__FN void kecs__cache_remove_natural(kecs__cache *cache, kecs_kind kind, uint64_t natural) {
  const kecs__cache_table *table = &cache->by_row;
  size_t at = table->used ? (size_t)natural & (table->room - 1) : 0;
  while (table->used && table->links[at].node) {
    uint32_t node = table->links[at].node;
    if (table->links[at].hash == natural && cache->nodes[node].names->kind == kind) {
      kecs__cache_remove(cache, node);
      cache->invalidations++;
      at = (size_t)natural & (table->room - 1); /* links may have moved */
    } else {
      at = (at + 1) & (table->room - 1);
    }
  }
}

KECS__FN void kecs__cache_remove_kind(kecs__cache *cache, kecs_kind kind) {
  for (size_t i = 1; i < cache->node_room; i++) {
    const kecs__cache_node *node = &cache->nodes[i];
    if (node->block && (kind == KECS_KIND_COUNT || node->names->kind == kind)) {
      kecs__cache_remove(cache, (uint32_t)i);
      cache->invalidations++;
    }
  }
}

/* ---- entries that come ---- */

static bool kecs__nodes_reserve(kecs__cache *cache) {
  if (cache->free_nodes) {
    return true;
  }
  const kecs_allocator *allocator = &cache->engine->allocator;
  size_t most = cache->entries_max + 2; /* the one that is no entry, and one that comes before another goes */
  size_t room = cache->node_room ? cache->node_room * 2 : KECS__CACHE_FIRST;
  room = room < most ? room : most;
  kecs__cache_node *nodes = allocator->alloc(room * sizeof *nodes, allocator->user);
  if (!nodes) {
    return false;
  }
  memset(nodes, 0, room * sizeof *nodes);
  if (cache->node_room) {
    memcpy(nodes, cache->nodes, cache->node_room * sizeof *nodes);
  }
  kecs__release(allocator, cache->nodes, cache->node_room * sizeof *nodes);
  for (size_t i = room; i > (cache->node_room ? cache->node_room : 1); i--) {
    nodes[i - 1].next = cache->free_nodes;
    cache->free_nodes = (uint32_t)(i - 1);
  }
  cache->nodes = nodes;
  cache->node_room = room;
  return true;
}

KECS__FN void kecs__cache_add(kecs__cache *cache, const kecs__cache_node *entry) {
  if (!kecs__nodes_reserve(cache) || !kecs__table_reserve(cache, &cache->by_name, 1) ||
      !kecs__table_reserve(cache, &cache->by_row, 2)) {
    kecs__node_release(cache, entry);
    return;
  }
  uint32_t number = cache->free_nodes;
  kecs__cache_node *node = &cache->nodes[number];
  cache->free_nodes = node->next;
  *node = *entry;
  kecs__table_put(&cache->by_name, node->names->hash, node->names, number);
  cache->by_name.used++;
  if (node->rid) {
    kecs__table_put(&cache->by_row, kecs__cache_hash_rid(cache, node->names->kind, node->rid), NULL, number);
    cache->by_row.used++;
  }
  if (node->natural) {
    kecs__table_put(&cache->by_row, node->natural, NULL, number);
    cache->by_row.used++;
  }
  kecs__order_first(cache, number);
  cache->entries++;
  cache->bytes += kecs__node_bytes(node);
  while (cache->entries > cache->entries_max || cache->bytes > cache->bytes_max) {
    kecs__cache_remove(cache, cache->nodes[0].prev);
    cache->evictions++;
  }
}

/* Names that a parent's name was in, and that may lead elsewhere now. Returns how many are left. */
static int kecs__names_prune(kecs__cache *cache, uint32_t number) {
  int count = 1;
  for (kecs__cache_name **at = &cache->nodes[number].names->next; *at;) {
    kecs__cache_name *name = *at;
    if (name->parents && name->parents != cache->parents) {
      *at = name->next;
      kecs__table_remove(&cache->by_name, name->hash, name, number);
      cache->bytes -= name->size;
      kecs__release(&cache->engine->allocator, name, name->size);
    } else {
      at = &name->next;
      count++;
    }
  }
  return count;
}

KECS__FN void kecs__cache_add_name(kecs__cache *cache, uint32_t number, kecs__cache_name *name) {
  kecs__cache_node *node = &cache->nodes[number];
  int count = kecs__names_prune(cache, number);
  if (count >= KECS__CACHE_NAMES || !kecs__table_reserve(cache, &cache->by_name, 1)) {
    kecs__release(&cache->engine->allocator, name, name->size);
    return;
  }
  name->next = node->names->next;
  node->names->next = name;
  kecs__table_put(&cache->by_name, name->hash, name, number);
  cache->by_name.used++;
  cache->bytes += name->size;
}

#endif
