/* pg/internal.c -- memory, failures and the clock: a companion header builds on the core's public part alone. */
#include "pg/prologue.h"

#include "pg/internal.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

KECS_PG__FN kecs_status kecs_pg__fail(kecs_status status, const char *format, ...) {
  char text[sizeof kecs_last_error()->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return kecs_backend_fail(status, 0, NULL, text);
}

KECS_PG__FN void kecs_pg__restore(const kecs_error *error) {
  if (error->transaction[0]) {
    (void)kecs_backend_fail_commit(error->transaction, error->text);
  } else {
    (void)kecs_backend_fail(error->status, error->native_code, error->sqlstate, error->text);
  }
}

KECS_PG__FN void *kecs_pg__alloc(const kecs_allocator *allocator, size_t size) {
  void *pointer = allocator->alloc(size, allocator->user);
  if (!pointer) {
    (void)kecs_pg__fail(KECS_E_NOMEM, "out of memory (%zu bytes)", size);
    return NULL;
  }
  memset(pointer, 0, size);
  return pointer;
}

KECS_PG__FN void kecs_pg__release(const kecs_allocator *allocator, void *pointer, size_t size) {
  if (pointer) {
    allocator->release(pointer, size, allocator->user);
  }
}

KECS_PG__FN char *kecs_pg__copy(const kecs_allocator *allocator, const char *text, size_t len) {
  char *copy = kecs_pg__alloc(allocator, len + 1);
  if (copy) {
    memcpy(copy, text, len);
  }
  return copy;
}

KECS_PG__FN void kecs_pg__release_text(const kecs_allocator *allocator, char *text) {
  kecs_pg__release(allocator, text, text ? strlen(text) + 1 : 0);
}

KECS_PG__FN int64_t kecs_pg__now_ms(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
    return 0;
  }
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

KECS_PG__FN void kecs_pg__sleep_ms(int ms) {
  (void)poll(NULL, 0, ms);
}
