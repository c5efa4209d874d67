/* base/thread.h -- mutex, condition and thread identity; all of it empty under KECS_STORE_NO_THREADS. */
#ifndef KECS_BASE_THREAD_H
#define KECS_BASE_THREAD_H
#include "base/error.h"

#if defined(KECS_STORE_NO_THREADS)
typedef struct kecs__mutex {
  int unused;
} kecs__mutex;
typedef struct kecs__condition {
  int unused;
} kecs__condition;
typedef int kecs__thread_id;
#else
#include <pthread.h>
typedef pthread_mutex_t kecs__mutex;
typedef pthread_cond_t kecs__condition;
typedef pthread_t kecs__thread_id;
#endif

KECS__FN kecs_status kecs__mutex_init(kecs__mutex *mutex);
KECS__FN void kecs__mutex_destroy(kecs__mutex *mutex);
KECS__FN void kecs__mutex_lock(kecs__mutex *mutex);
KECS__FN void kecs__mutex_unlock(kecs__mutex *mutex);

KECS__FN kecs_status kecs__condition_init(kecs__condition *condition);
KECS__FN void kecs__condition_destroy(kecs__condition *condition);
KECS__FN void kecs__condition_wake_all(kecs__condition *condition);

/* Waits at most `ms` milliseconds, or until woken; spurious wake-ups happen. Without threads it returns at once: nobody
 * else could wake us. */
KECS__FN void kecs__condition_wait(kecs__condition *condition, kecs__mutex *mutex, int64_t ms);
KECS__FN void kecs__condition_wait_us(kecs__condition *condition, kecs__mutex *mutex, int64_t us);

KECS__FN kecs__thread_id kecs__thread_self(void);
KECS__FN bool kecs__thread_same(kecs__thread_id a, kecs__thread_id b);

/* A flag that one thread sets and others read. */
KECS__FN void kecs__flag_set(int *flag, int value);
KECS__FN int kecs__flag_get(const int *flag);

#endif
