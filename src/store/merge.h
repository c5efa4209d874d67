/* store/merge.h -- many rows created or changed in few exchanges with a database that merges them itself. */
#ifndef KECS_STORE_MERGE_H
#define KECS_STORE_MERGE_H
#include "store/write.h"

/* Whether rows of this kind may be merged: what follows a change must be told by the row alone. */
KECS__FN bool kecs__merge_fits(const kecs__write *write, const kecs__meta *meta);

/* Stores every row of an array as kecs__row_upsert does. `result` (may be NULL) gets them as they are stored, in their
 * order. All or nothing; after a failure of the caller's class the rows may still do one by one, which then also tells
 * which of them is the reason. */
KECS__FN kecs_status kecs__merge_rows(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                      kecs_result *result);

#endif
