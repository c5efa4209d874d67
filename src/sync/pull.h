/* sync/pull.h -- a page of the hub's rows and tombstones: how it is asked for, and how it is merged here. */
#ifndef KECS_SYNC_PULL_H
#define KECS_SYNC_PULL_H
#include "sync/internal.h"

/* Where a bootstrap is, beside the kinds. */
enum { KECS_SYNC__BOOT_GRAVES = KECS_KIND_COUNT, KECS_SYNC__BOOT_DONE = KECS_KIND_COUNT + 1 };

enum { KECS_SYNC__ROW_FIXED = 7 /* key, three stamps with their sites */ };

/* A page: for each kind the items of the exchange that have its tombstones and rows; 0: none. */
typedef struct kecs_sync__page {
  kecs_sync *sync;
  kecs_sync__exchange exchange;
  int graves[KECS_KIND_COUNT][2]; /* of the window; of what is wanted */
  int rows[KECS_KIND_COUNT][2];
  int window;
  int counters; /* of families, where definitions are in the page */
  kecs_pg__text wanted[KECS_KIND_COUNT];
  const char *wanted_values[KECS_KIND_COUNT][2];
  char site[24];
  bool wants;
  int64_t asked; /* for so many keys */
  kecs_replica side;
  /* While it is applied. */
  bool force;
  uint64_t fill;
  int64_t pulled;
  int64_t conflicts;
  int64_t wished;   /* rows that have to wait for others, which will be asked for */
  uint64_t blocked; /* kinds, as bits, with rows that wait for a number of another row */
  /* A bootstrap's. */
  int size;     /* rows that were asked for */
  size_t bytes; /* that it takes */
  /* Where it begins, and where the next one does. */
  int64_t from_kind;
  int64_t boot_kind;
  int64_t boot_rid;
  bool ahead; /* the next one is on its way while this one is applied */
  bool tried; /* to apply it: with this status, */
  kecs_status status;
  kecs_error error; /* and, while the next one was on its way, for this reason */
} kecs_sync__page;

/* Adds a statement that was put together, and frees its text. */
KECS_PG__FN int kecs_sync__add_text(kecs_sync__exchange *exchange, kecs_pg__text *form, const char *table,
                                    const char *const *values, int count);

/* Adds "SELECT * FROM sync_FUNCTION(tenant, values...)"; the first value is the site's number. */
KECS_PG__FN int kecs_sync__add_read(kecs_sync__exchange *exchange, const char *function, const char *table,
                                    const char *const *values, int count);

/* The same for rows: columns that hub and edge both know. */
KECS_PG__FN int kecs_sync__add_rows(kecs_sync__exchange *exchange, const char *function, const kecs_kind_info *info,
                                    const char *const *values, int count);

/* "SELECT key,stamps...,columns...,rid" of what such a function gives. */
KECS_PG__FN void kecs_sync__select(kecs_pg__text *out, const kecs_sync *sync, const kecs_kind_info *info);

/* Merges what the page has; counts it in the page. */
KECS_PG__FN kecs_status kecs_sync__apply(kecs_sync__page *page, kecs_store *tx);

/* The same for tombstones of several kinds: key, stamp, site, kind. */
KECS_PG__FN kecs_status kecs_sync__apply_mixed_graves(kecs_sync__page *page, kecs_store *tx, const PGresult *result);

/* Runs one page, adds what it has done to the report, and reads the notes anew. */
KECS_PG__FN kecs_status kecs_sync__page_run(kecs_sync *sync,
                                            kecs_status (*run)(kecs_sync *sync, kecs_sync__page *page));

/* Merges the rows of a kind that are in the page. */
KECS_PG__FN kecs_status kecs_sync__apply_kind(kecs_sync__page *page, kecs_store *tx, kecs_kind kind);

/* Rows that had to wait for each other, as where two have swapped a number (blocked.c). */
KECS_PG__FN kecs_status kecs_sync__apply_blocked(kecs_sync__page *page, kecs_store *tx);

#endif
