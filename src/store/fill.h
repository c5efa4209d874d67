/* store/fill.h -- what create sets where the caller left a column empty. */
#ifndef KECS_STORE_FILL_H
#define KECS_STORE_FILL_H
#include "store/special.h"

/* Fills a row on its way in; INVALID names a required column that is NULL. Numbers in `given` stay 0 when they are. */
KECS__FN kecs_status kecs__fill(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given);

#endif
