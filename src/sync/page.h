/* sync/page.h -- a page of what the hub has, on its way into the edge. */
#ifndef KECS_SYNC_PAGE_H
#define KECS_SYNC_PAGE_H
#include "sync/internal.h"

/* For each kind the items of the exchange that have its tombstones and rows; 0: none. */
typedef struct kecs_sync__page {
  kecs_sync *sync;
  kecs_sync__exchange exchange;
  int graves[KECS_KIND_COUNT][2]; /* of the window; of what is wanted */
  int rows[KECS_KIND_COUNT][2];
  int window;
  int counters; /* of families, where definitions are in the page */
  kecs_pg__text wanted[KECS_KIND_COUNT];
  const char *wanted_values[KECS_KIND_COUNT];
  bool wants;
  int64_t asked; /* for so many keys */
  kecs_replica side;
  /* While it is applied. */
  bool force;
  int64_t pulled;
  int64_t conflicts;
  int64_t wished;   /* rows that have to wait for others, which will be asked for */
  uint64_t blocked; /* kinds, as bits, with rows that wait for a number of another row */
  /* A bootstrap's. */
  int64_t boot_kind;
  int64_t boot_rid;
} kecs_sync__page;

/* Merges the rows of a kind that are in the page. */
KECS_PG__FN kecs_status kecs_sync__apply_kind(kecs_sync__page *page, kecs_store *tx, kecs_kind kind);

/* Rows that had to wait for each other, as where two have swapped a number (blocked.c). */
KECS_PG__FN kecs_status kecs_sync__apply_blocked(kecs_sync__page *page, kecs_store *tx);

#endif
