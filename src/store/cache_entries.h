/* store/cache_entries.h -- what the row cache is made of: for its own modules alone (cache.h tells the rules). */
#ifndef KECS_STORE_CACHE_ENTRIES_H
#define KECS_STORE_CACHE_ENTRIES_H
#include "store/cache.h"
#include "store/locate.h"

#include <string.h>

#if !defined(KECS_STORE_NO_CACHE)

/* One way of asking that leads to an entry. Its values follow it, packed. */
typedef struct kecs__cache_name {
  struct kecs__cache_name *next;
  uint64_t hash;
  uint64_t parents; /* 0: the row's own key; else a parent's name had to be looked up, when cache->parents was this */
  size_t size;      /* of this piece of memory; 0 for the first one, which lies in the block */
  kecs_kind kind;
  int form;
  int count;
} kecs__cache_name;

/* Rows and their texts, ready to be copied: pointers are offsets from the first row. Where they are stands beside them:
 * for each row a number of fields, and the fields' places in the row. */
typedef struct kecs__cache_block {
  size_t size; /* of this piece of memory */
  size_t fields_at;
  size_t image_at;
  size_t image_size;
  size_t rows;
  size_t token_at; /* of the page token in the image; 0: there is none */
  int64_t seq;
} kecs__cache_block; /* the first name, the fields and the image follow */

/* An entry. Number 0 is none: it ties the ends of the order of use together. */
typedef struct kecs__cache_node {
  kecs__cache_block *block; /* NULL: not in use */
  kecs__cache_name *names;
  int64_t loaded_us;
  int64_t rid;      /* 0: a list */
  uint64_t natural; /* hash of the row's natural key, where writes may name it by that */
  uint64_t ticket;  /* of a list */
  uint64_t parents;
  uint32_t prev; /* used after this one */
  uint32_t next;
} kecs__cache_node;

typedef struct kecs__cache_link {
  uint64_t hash;
  const kecs__cache_name *name; /* of a table of names: so that name and entry are fetched side by side */
  uint32_t node;                /* 0: free */
} kecs__cache_link;

/* Open addressing, never more than half full. */
typedef struct kecs__cache_table {
  kecs__cache_link *links;
  size_t room; /* a power of two, or 0 */
  size_t used;
} kecs__cache_table;

enum {
  KECS__CACHE_READS = 32,  /* uses that a slot remembers before it tells them */
  KECS__CACHE_NAMES = 8,   /* of one entry */
#if defined(KECS_STORE_NO_THREADS)
  KECS__CACHE_SLOTS = 1
#else
  KECS__CACHE_SLOTS = 8
#endif
};

/* A lock for some of the readers, and what they have done. */
typedef struct kecs__cache_slot {
  kecs__mutex mutex;
  int64_t hits;
  int64_t misses;
  unsigned read_count;
  uint32_t reads[KECS__CACHE_READS];
  char apart[64]; /* two threads' slots do not share a line of the processor's cache */
} kecs__cache_slot;

/* Until when something may not enter. */
typedef struct kecs__cache_guard {
  unsigned holders;
  uint64_t since; /* tickets up to this one are too old */
} kecs__cache_guard;

struct kecs__cache {
  kecs__engine *engine;
  uint64_t seed;
  size_t entries_max;
  size_t bytes_max;
  int64_t ttl_us;
  bool marked;  /* others write the database, too: its mark tells */
  bool natural; /* writes may name a row by its natural key alone */

  kecs__mutex state; /* guards what follows */
  uint64_t ticket;   /* the last that was drawn, or told by a hold */
  kecs__cache_guard rows[KECS__CACHE_BUCKETS];
  kecs__cache_guard all_rows[KECS_KIND_COUNT];
  kecs__cache_guard lists[KECS_KIND_COUNT];
  unsigned parents_holders;
  bool writing; /* our own writer's transaction is open, */
  bool steady;  /* and at its begin the mark was the one that is known */
  int64_t written; /* rows that the writer had changed when it began */
  int64_t seq;     /* of the change log: what came before has been taken in */

  /* Read with any slot taken, changed with all of them, and some with `state`, too. */
  kecs_mark mark;
  uint64_t parents; /* goes up when a cluster or service comes or goes */
  kecs__cache_node *nodes;
  size_t node_room;
  uint32_t free_nodes; /* through `next` */
  size_t entries;
  size_t bytes;
  kecs__cache_table by_name;
  kecs__cache_table by_row;
  int64_t evictions;
  int64_t expirations;
  int64_t invalidations;
  int64_t flushes;

  kecs__mutex order; /* of `prev` and `next`, for those who have one slot only */
  kecs__cache_slot slots[KECS__CACHE_SLOTS];
};

/* ---- cache.c ---- */

KECS__FN kecs__cache_slot *kecs__cache_slot_of(kecs__cache *cache);
KECS__FN void kecs__cache_lock_all(kecs__cache *cache);
KECS__FN void kecs__cache_unlock_all(kecs__cache *cache);

KECS__FN uint64_t kecs__cache_hash(uint64_t seed, const char *text, size_t len);
KECS__FN uint64_t kecs__cache_hash_values(uint64_t seed, const kecs_value *values, int count);
KECS__FN uint64_t kecs__cache_hash_rid(const kecs__cache *cache, kecs_kind kind, int64_t rid);

/* 0 when there is none. One slot or all are taken. */
KECS__FN uint32_t kecs__cache_find(const kecs__cache *cache, const kecs__cache_key *key);
KECS__FN bool kecs__cache_expired(const kecs__cache *cache, uint32_t node, int64_t now);

/* The entry was used. The slot is taken. */
KECS__FN void kecs__cache_used(kecs__cache *cache, kecs__cache_slot *slot, uint32_t node);

/* These with all slots taken. */
KECS__FN uint32_t kecs__cache_find_row(const kecs__cache *cache, kecs_kind kind, int64_t rid);
KECS__FN void kecs__cache_remove(kecs__cache *cache, uint32_t node);
KECS__FN void kecs__cache_remove_row(kecs__cache *cache, kecs_kind kind, int64_t rid);
KECS__FN void kecs__cache_remove_natural(kecs__cache *cache, kecs_kind kind, uint64_t natural);
KECS__FN void kecs__cache_remove_kind(kecs__cache *cache, kecs_kind kind); /* KECS_KIND_COUNT: all */

/* Takes the entry over, names and all, or releases it where there is no room or no memory. `entry` is filled but for
 * what ties it in. */
KECS__FN void kecs__cache_add(kecs__cache *cache, const kecs__cache_node *entry);
KECS__FN void kecs__cache_add_name(kecs__cache *cache, uint32_t node, kecs__cache_name *name);

/* ---- cache_block.c ---- */

/* A block with the rows of a result and its first name; NULL when there is no memory for it, or it is larger than
 * `most`. Records no error. */
KECS__FN kecs__cache_block *kecs__cache_pack(const kecs__cache *cache, const kecs__meta *meta,
                                             const kecs__cache_key *key, const kecs_result *result, size_t most);
KECS__FN kecs__cache_name *kecs__cache_block_name(kecs__cache_block *block);
KECS__FN kecs_status kecs__cache_unpack(const kecs__cache *cache, const kecs__meta *meta,
                                        const kecs__cache_block *block, kecs_result **out_result);

/* A name by itself, likewise. */
KECS__FN kecs__cache_name *kecs__cache_name_new(const kecs__cache *cache, const kecs__cache_key *key);
KECS__FN bool kecs__cache_name_is(const kecs__cache_name *name, const kecs__cache_key *key);

/* ---- marks, and the holds that a row or kind shares ---- */

static inline bool kecs__mark_same(const kecs_mark *a, const kecs_mark *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

static inline bool kecs__mark_now(const kecs__cache *cache, kecs_mark *out_mark) {
  const kecs__engine *engine = cache->engine;
  return engine->backend->mark(engine->writer->connection, out_mark);
}

static inline size_t kecs__bucket_of(uint64_t hash) {
  return (size_t)(hash >> 32) % KECS__CACHE_BUCKETS;
}

static inline bool kecs__kind_is_parent(int kind) {
  return kind == KECS_KIND_CLUSTER || kind == KECS_KIND_SERVICE;
}

/* ---- cache_holds.c ---- */

/* Whether the database is as it is known: nobody else has committed since. One slot or `state` is taken. */
KECS__FN bool kecs__cache_is_known(const kecs__cache *cache);

/* Whether what was read with the ticket may enter. `state` is taken. */
KECS__FN bool kecs__cache_may_enter(const kecs__cache *cache, kecs_kind kind, int64_t rid, uint64_t natural,
                                    const kecs__ticket *ticket);
KECS__FN bool kecs__cache_list_holds(const kecs__cache *cache, kecs_kind kind, uint64_t ticket, uint64_t parents);

/* What is known of a kind's table now: a number that goes up when rows of it may have changed. `state` is taken. */
KECS__FN uint64_t kecs__cache_generation(const kecs__cache *cache, kecs_kind kind);

#endif
#endif
