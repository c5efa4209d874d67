/* store/cache.h -- the row cache: what gets and lists have read, kept in memory and copied for each caller.
 *
 *   cache.c        entries, the names that lead to them, the order of use, limits
 *   cache_block.c  rows in one block of memory that can be copied, and copied out of as a result
 *   cache_rows.c   a get and a list through the cache: keys, tickets, answers
 *   cache_holds.c  what own writes make of it
 *   coherence.c    what other processes' writes make of it
 *   cache_open.c   the cache as a whole
 *
 * Only what is committed enters. Three rules keep it right whatever the threads do:
 *
 *   1. Before a statement changes a row, the row's entry goes, and the row is held: until the transaction has ended,
 *      committed or not, nothing of it enters again. (A hold is one of KECS__CACHE_BUCKETS for rows, and one for the
 *      lists of each kind.)
 *   2. Whoever wants to put something in draws a ticket before he reads the database. When he comes back, a row that
 *      was held since then is turned away: what he has read may be from before the commit.
 *   3. Where other processes write the same database, each answer is preceded by a look at its mark (backend.h), which
 *      changes with each commit. While it is not the one that is known, nothing is answered and nothing enters.
 *
 * Locks, in this order: `state`, which guards tickets and holds; then the slots. A reader takes one slot, which one
 * depends on its thread; who changes entries takes them all. */
#ifndef KECS_STORE_CACHE_H
#define KECS_STORE_CACHE_H
#include "store/locate.h"

/* What a get asks for, as it was asked: two ways of naming one row are two keys. Texts are borrowed. */
enum { KECS__FORM_ADDRESS, KECS__FORM_TEXT, KECS__FORM_QUERY };
typedef struct kecs__cache_key {
  kecs_kind kind; /* 0: none */
  int form;
  int count;
  const kecs_value *values;
  uint64_t hash;
} kecs__cache_key;

/* Drawn before a read; see above. */
typedef struct kecs__ticket {
  bool good;
  uint64_t number;
  uint64_t parents; /* as kecs__cache.parents */
  int64_t now;
} kecs__ticket;

#if defined(KECS_STORE_NO_CACHE)

/* There is none: engine->cache is NULL. */
static inline void kecs__cache_close(kecs__engine *engine) {
  (void)engine;
}
static inline void kecs__cache_describe(kecs__engine *engine, kecs_cache_info *out_info) {
  (void)engine;
  (void)out_info;
}
static inline void kecs__cache_hold(kecs__session *session, const kecs__cached *cached, const kecs_value *parameters,
                                    int count) {
  (void)session;
  (void)cached;
  (void)parameters;
  (void)count;
}
static inline void kecs__cache_begun(kecs__session *session) {
  (void)session;
}
static inline void kecs__cache_ended(kecs__session *session) {
  (void)session;
}
static inline void kecs__cache_key_make(const kecs__engine *engine, const kecs__meta *meta, int form,
                                        const kecs_value *values, int count, kecs__cache_key *out_key) {
  (void)engine;
  (void)meta;
  (void)form;
  (void)values;
  (void)count;
  (void)out_key;
}
static inline kecs_status kecs__cache_get(kecs_store *store, const kecs__meta *meta, const kecs__cache_key *key,
                                          kecs_result **out_result) {
  (void)store;
  (void)meta;
  (void)key;
  (void)out_result;
  return KECS_OK;
}
static inline void kecs__cache_ticket(kecs__session *session, kecs__ticket *out_ticket) {
  (void)session;
  (void)out_ticket;
}
static inline void kecs__cache_put(kecs__session *session, const kecs__meta *meta, const kecs__cache_key *key,
                                   const kecs__ticket *ticket, const kecs__probe *probe, int64_t rid,
                                   const kecs_result *result) {
  (void)session;
  (void)meta;
  (void)key;
  (void)ticket;
  (void)probe;
  (void)rid;
  (void)result;
}
static inline void kecs__cache_key_query(kecs_store *store, const kecs__meta *meta, const kecs_query *query,
                                         kecs__arena *arena, kecs__cache_key *out_key) {
  (void)store;
  (void)meta;
  (void)query;
  (void)arena;
  (void)out_key;
}
static inline kecs_status kecs__cache_list(kecs_store *store, const kecs__meta *meta, const kecs__cache_key *key,
                                           kecs_result **out_result) {
  (void)store;
  (void)meta;
  (void)key;
  (void)out_result;
  return KECS_OK;
}
static inline void kecs__cache_put_list(kecs__session *session, const kecs__cache_key *key, const kecs__ticket *ticket,
                                        const kecs_result *result) {
  (void)session;
  (void)key;
  (void)ticket;
  (void)result;
}

#else

/* ---- the life of a cache (cache.c) ---- */

/* What the options ask for, or nothing where it can't be right; then a line says so. */
KECS__FN kecs_status kecs__cache_open(kecs_store *store);
KECS__FN void kecs__cache_close(kecs__engine *engine);
KECS__FN void kecs__cache_describe(kecs__engine *engine, kecs_cache_info *out_info);

/* ---- reading through it (cache_rows.c) ---- */

/* `values` must stay as long as the key is used. */
KECS__FN void kecs__cache_key_make(const kecs__engine *engine, const kecs__meta *meta, int form,
                                   const kecs_value *values, int count, kecs__cache_key *out_key);

/* The answer, a result of the caller's own, or NULL where there is none. */
KECS__FN kecs_status kecs__cache_get(kecs_store *store, const kecs__meta *meta, const kecs__cache_key *key,
                                     kecs_result **out_result);

/* To be called once a session is there and before it reads. */
KECS__FN void kecs__cache_ticket(kecs__session *session, kecs__ticket *out_ticket);

/* Keeps what was read; failing to is no failure. `probe` led to the row. */
KECS__FN void kecs__cache_put(kecs__session *session, const kecs__meta *meta, const kecs__cache_key *key,
                              const kecs__ticket *ticket, const kecs__probe *probe, int64_t rid,
                              const kecs_result *result);

/* The same for a page. A query that can't be a key has the kind 0. */
KECS__FN void kecs__cache_key_query(kecs_store *store, const kecs__meta *meta, const kecs_query *query,
                                    kecs__arena *arena, kecs__cache_key *out_key);
KECS__FN kecs_status kecs__cache_list(kecs_store *store, const kecs__meta *meta, const kecs__cache_key *key,
                                      kecs_result **out_result);
KECS__FN void kecs__cache_put_list(kecs__session *session, const kecs__cache_key *key, const kecs__ticket *ticket,
                                   const kecs_result *result);

/* ---- what makes entries go (coherence.c) ---- */

/* Before a statement runs: holds what it changes. */
KECS__FN void kecs__cache_hold(kecs__session *session, const kecs__cached *cached, const kecs_value *parameters,
                               int count);

/* A writing transaction has begun on the session: nobody else can commit until it ends, where writers are alone. */
KECS__FN void kecs__cache_begun(kecs__session *session);

/* The session's transaction has ended, whatever came of it. To be called before anybody is told. */
KECS__FN void kecs__cache_ended(kecs__session *session);

/* What other processes have done is taken in; after it the mark is known, or it could not be done now. */
KECS__FN void kecs__cache_catch_up(kecs__session *session);

#endif
#endif
