/* store/ear.h -- how those who wait for changes learn of them. */
#ifndef KECS_STORE_EAR_H
#define KECS_STORE_EAR_H
#include "store/engine.h"

/* One more watch is open, one less. */
KECS__FN void kecs__ear_open(kecs__engine *engine);
KECS__FN void kecs__ear_leave(kecs__engine *engine);

/* Waits until there may be entries beyond `seq`: engine->feed_turn is no longer `turn`, or a look has shown some.
 * *out_again is false when the time is up (of kecs__monotonic_ms). */
KECS__FN kecs_status kecs__ear_wait(kecs_store *store, uint64_t turn, int64_t seq, int64_t until, bool *out_again);

#endif
