/* store/clock.c -- the hybrid logical clock. What it gave out last is kept in the newest entry of the change log. */
#include "base/prologue.h"

#include "store/changes.h"
#include "store/feed.h"

#define KECS__CLOCK_SHIFT 16
#define KECS__CLOCK_MS_MAX ((INT64_C(1) << 46) - 1) /* the year 4199 */

KECS__FN kecs_status kecs__clock_next(int64_t *last, int64_t now_us) {
  int64_t now_ms = now_us > 0 ? now_us / 1000 : 0;
  int64_t wall = (now_ms < KECS__CLOCK_MS_MAX ? now_ms : KECS__CLOCK_MS_MAX) * (INT64_C(1) << KECS__CLOCK_SHIFT);
  if (*last >= INT64_MAX - 1) {
    return kecs__fail(KECS_E_CORRUPT,
                      "the change log's last stamp is %lld, which leaves no room for another; restore a "
                      "backup",
                      (long long)*last);
  }
  *last = wall > *last ? wall : *last + 1;
  return KECS_OK;
}

KECS_STORE_API int64_t kecs_stamp_time(int64_t stamp) {
  return (stamp > 0 ? stamp >> KECS__CLOCK_SHIFT : 0) * 1000;
}
