/* base/quota.c -- counting what was taken. Sizes are known when blocks come back, so nothing is stored beside them. */
#include "base/prologue.h"

#include "base/quota.h"

typedef struct kecs__quota {
  kecs_allocator under;
  kecs__mutex mutex;
  size_t used;
  size_t max;
  bool closed;
} kecs__quota;

static void kecs__quota_free(kecs__quota *quota) {
  kecs_allocator under = quota->under;
  kecs__mutex_destroy(&quota->mutex);
  kecs__release(&under, quota, sizeof *quota);
}

/* Counts `more` bytes in and `less` bytes out; false, and nothing is counted, beyond the limit. */
static bool kecs__quota_count(kecs__quota *quota, size_t less, size_t more) {
  kecs__mutex_lock(&quota->mutex);
  size_t used = quota->used - less;
  bool fits = more <= less || (more <= quota->max && used <= quota->max - more);
  quota->used = fits ? used + more : quota->used;
  bool last = quota->closed && quota->used == 0;
  kecs__mutex_unlock(&quota->mutex);
  if (last) {
    kecs__quota_free(quota);
  }
  return fits;
}

static void *kecs__quota_alloc(size_t size, void *user) {
  kecs__quota *quota = user;
  if (!kecs__quota_count(quota, 0, size)) {
    return NULL;
  }
  void *pointer = quota->under.alloc(size, quota->under.user);
  if (!pointer) {
    (void)kecs__quota_count(quota, size, 0);
  }
  return pointer;
}

static void *kecs__quota_resize(void *pointer, size_t old_size, size_t size, void *user) {
  kecs__quota *quota = user;
  if (!kecs__quota_count(quota, old_size, size)) {
    return NULL;
  }
  void *moved = quota->under.resize(pointer, old_size, size, quota->under.user);
  if (!moved) {
    (void)kecs__quota_count(quota, size, old_size);
  }
  return moved;
}

static void kecs__quota_release(void *pointer, size_t size, void *user) {
  kecs__quota *quota = user;
  quota->under.release(pointer, size, quota->under.user);
  (void)kecs__quota_count(quota, size, 0);
}

KECS__FN kecs_status kecs__quota_open(kecs_allocator *allocator, size_t max) {
  kecs__quota *quota = kecs__alloc_zero(allocator, sizeof *quota);
  if (!quota) {
    return KECS_E_NOMEM;
  }
  quota->under = *allocator;
  quota->max = max;
  kecs_status status = kecs__mutex_init(&quota->mutex);
  if (status) {
    kecs__release(allocator, quota, sizeof *quota);
    return status;
  }
  *allocator = (kecs_allocator){kecs__quota_alloc, kecs__quota_resize, kecs__quota_release, quota};
  return KECS_OK;
}

KECS__FN void kecs__quota_close(const kecs_allocator *allocator) {
  if (allocator->alloc != kecs__quota_alloc) {
    return;
  }
  kecs__quota *quota = allocator->user;
  kecs__mutex_lock(&quota->mutex);
  quota->closed = true;
  bool last = quota->used == 0;
  kecs__mutex_unlock(&quota->mutex);
  if (last) {
    kecs__quota_free(quota);
  }
}
