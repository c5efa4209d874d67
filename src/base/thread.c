/* base/thread.c -- the thin layer over POSIX threads. */
#include "base/prologue.h"

#include "base/thread.h"

#include <time.h>

#if defined(KECS_STORE_NO_THREADS)

KECS__FN kecs_status kecs__mutex_init(kecs__mutex *mutex) {
  mutex->unused = 0;
  return KECS_OK;
}
KECS__FN void kecs__mutex_destroy(kecs__mutex *mutex) {
  (void)mutex;
}
KECS__FN void kecs__mutex_lock(kecs__mutex *mutex) {
  (void)mutex;
}
KECS__FN void kecs__mutex_unlock(kecs__mutex *mutex) {
  (void)mutex;
}
KECS__FN kecs_status kecs__condition_init(kecs__condition *condition) {
  condition->unused = 0;
  return KECS_OK;
}
KECS__FN void kecs__condition_destroy(kecs__condition *condition) {
  (void)condition;
}
KECS__FN void kecs__condition_wake_all(kecs__condition *condition) {
  (void)condition;
}
KECS__FN void kecs__condition_wait_us(kecs__condition *condition, kecs__mutex *mutex, int64_t us) {
  (void)condition;
  (void)mutex;
  (void)us;
}
KECS__FN kecs__thread_id kecs__thread_self(void) {
  return 0;
}
KECS__FN bool kecs__thread_same(kecs__thread_id a, kecs__thread_id b) {
  return a == b;
}

#else

KECS__FN kecs_status kecs__mutex_init(kecs__mutex *mutex) {
  return pthread_mutex_init(mutex, NULL) ? kecs__fail_nomem() : KECS_OK;
}

KECS__FN void kecs__mutex_destroy(kecs__mutex *mutex) {
  (void)pthread_mutex_destroy(mutex);
}

KECS__FN void kecs__mutex_lock(kecs__mutex *mutex) {
  (void)pthread_mutex_lock(mutex); /* fails only for a mutex that is not one */
}

KECS__FN void kecs__mutex_unlock(kecs__mutex *mutex) {
  (void)pthread_mutex_unlock(mutex);
}

KECS__FN kecs_status kecs__condition_init(kecs__condition *condition) {
  /* The monotonic clock: a wait must not grow or shrink when somebody sets the time of day. */
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes)) {
    return kecs__fail_nomem();
  }
  int failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) || pthread_cond_init(condition, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  return failed ? kecs__fail_nomem() : KECS_OK;
}

KECS__FN void kecs__condition_destroy(kecs__condition *condition) {
  (void)pthread_cond_destroy(condition);
}

KECS__FN void kecs__condition_wake_all(kecs__condition *condition) {
  (void)pthread_cond_broadcast(condition);
}

KECS__FN void kecs__condition_wait_us(kecs__condition *condition, kecs__mutex *mutex, int64_t us) {
  struct timespec until;
  (void)clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(us / 1000000);
  until.tv_nsec += (long)(us % 1000000) * 1000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000L;
  }
  (void)pthread_cond_timedwait(condition, mutex, &until);
}

KECS__FN kecs__thread_id kecs__thread_self(void) {
  return pthread_self();
}

KECS__FN bool kecs__thread_same(kecs__thread_id a, kecs__thread_id b) {
  return pthread_equal(a, b) != 0;
}

#endif

KECS__FN void kecs__condition_wait(kecs__condition *condition, kecs__mutex *mutex, int64_t ms) {
  kecs__condition_wait_us(condition, mutex, ms * 1000);
}

/* An int is atomic on every target with these builtins, so no libatomic is needed. */
KECS__FN void kecs__flag_set(int *flag, int value) {
  __atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

KECS__FN int kecs__flag_get(const int *flag) {
  return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}
