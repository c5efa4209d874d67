/* store/retry.h -- when a write that met another one is made again. */
#ifndef KECS_STORE_RETRY_H
#define KECS_STORE_RETRY_H
#include "store/engine.h"

/* Milliseconds until the next try, longer each time. */
KECS__FN int64_t kecs__retry_pause(const kecs__engine *engine, int attempt);

/* Where writers write side by side, one may find another in its way: KECS_E_BUSY. A write of its own is then made
 * again, after a pause, until the store's busy timeout has passed. Zero-initialised before the first try. */
typedef struct kecs__retry {
  int64_t until;
  int tries;
} kecs__retry;
KECS__FN bool kecs__retry_again(kecs_store *store, kecs__retry *retry, kecs_status status);

#endif
