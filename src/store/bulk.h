/* store/bulk.h -- many new rows in few exchanges with a database that takes them together. */
#ifndef KECS_STORE_BULK_H
#define KECS_STORE_BULK_H
#include "store/write.h"

enum { KECS__BULK_ROWS = 1000, /* that are sent at once */ KECS__BULK_PARENTS = 256 };

/* Rows that are filled, one after the other, and then sent. */
typedef struct kecs__bulk {
  kecs__write *write;
  const kecs__meta *meta;
  kecs_value *values; /* row by row */
  size_t room;        /* for rows */
  size_t count;
  void *followed[KECS__BULK_ROWS]; /* rows whose look-ups follow, in the write's arena */
  size_t followed_count;
  const char *parents[KECS__BULK_PARENTS]; /* ARNs that are there, by their hash */
} kecs__bulk;

#if defined(KECS_STORE_SQLITE_ONLY)

/* SQLite takes rows one by one as fast: nothing fits, and nothing of this is reached. */
static inline bool kecs__bulk_fits(const kecs__engine *engine, const kecs__meta *meta) {
  (void)engine;
  (void)meta;
  return false;
}
static inline kecs__bulk *kecs__bulk_begin(kecs__write *write, const kecs__meta *meta, size_t room) {
  (void)write;
  (void)meta;
  (void)room;
  return NULL;
}
static inline void kecs__bulk_free(kecs__bulk *bulk) {
  (void)bulk;
}
static inline kecs_status kecs__bulk_add(kecs__bulk *bulk, void *row, uint64_t given) {
  (void)bulk;
  (void)row;
  (void)given;
  return KECS_E_UNSUPPORTED;
}
static inline kecs_status kecs__bulk_send(kecs__bulk *bulk) {
  (void)bulk;
  return KECS_E_UNSUPPORTED;
}
static inline kecs_status kecs__bulk_insert(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                            kecs_result *result, size_t *out_done) {
  (void)write;
  (void)meta;
  (void)rows;
  (void)count;
  (void)result;
  *out_done = 0;
  return KECS_E_UNSUPPORTED;
}

#else

/* Whether rows of this kind may be inserted together: none of them needs to find the one before. */
KECS__FN bool kecs__bulk_fits(const kecs__engine *engine, const kecs__meta *meta);

/* For at most `room` rows, and no more than KECS__BULK_ROWS. NULL: NOMEM. */
KECS__FN kecs__bulk *kecs__bulk_begin(kecs__write *write, const kecs__meta *meta, size_t room);
KECS__FN void kecs__bulk_free(kecs__bulk *bulk);

/* Checks and fills `row`, as kecs__row_insert does; what it points to stays until the rows are sent. */
KECS__FN kecs_status kecs__bulk_add(kecs__bulk *bulk, void *row, uint64_t given);

/* Inserts what was added, all or nothing; which row was the reason of a failure only inserting them one by one tells.
 * With write->last it may commit. */
KECS__FN kecs_status kecs__bulk_send(kecs__bulk *bulk);

/* All rows of an array, in pieces. `result` (may be NULL) gets them as they are stored. *out_done are the rows whose
 * pieces are in, also after a failure. */
KECS__FN kecs_status kecs__bulk_insert(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                       kecs_result *result, size_t *out_done);

#endif

#endif
