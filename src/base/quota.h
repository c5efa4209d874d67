/* base/quota.h -- an allocator with a limit, around another one. */
#ifndef KECS_BASE_QUOTA_H
#define KECS_BASE_QUOTA_H
#include "base/memory.h"
#include "base/thread.h"

/* Makes *allocator one that gives NULL beyond `max` bytes. What came from it may be given back after kecs__quota_close
 * (results outlive their store): the last block to come back takes the quota with it. */
KECS__FN kecs_status kecs__quota_open(kecs_allocator *allocator, size_t max);
KECS__FN void kecs__quota_close(const kecs_allocator *allocator); /* does nothing for an allocator without a quota */

#endif
