/* store/bulk.h -- many new rows in few exchanges with a database that takes them together. */
#ifndef KECS_STORE_BULK_H
#define KECS_STORE_BULK_H
#include "store/write.h"

/* Whether rows of this kind may be inserted together: none of them needs to find the one before. */
KECS__FN bool kecs__bulk_fits(const kecs__write *write, const kecs__meta *meta);

/* Fills and inserts rows in pieces; with write->last, the last of them may commit. `result` (may be NULL) gets them as they are stored. *out_done are the rows whose
 * pieces are in, also after a failure: which of the next ones was the reason, only inserting them one by one tells. */
KECS__FN kecs_status kecs__bulk_insert(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                       kecs_result *result, size_t *out_done);

#endif
