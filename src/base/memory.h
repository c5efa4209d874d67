/* base/memory.h -- the checked allocator, the arena that a result lives in, and the growable text builder. */
#ifndef KECS_BASE_MEMORY_H
#define KECS_BASE_MEMORY_H
#include "base/error.h"
#include "base/hooks.h"

/* Fills in libc where the user gave nothing; INVALID when only some of the three functions are set. */
KECS__FN kecs_status kecs__allocator_resolve(const kecs_allocator *given, kecs_allocator *out);

/* NULL means NOMEM and has recorded it. A size of 0 counts as 1. */
KECS__FN void *kecs__alloc(const kecs_allocator *allocator, size_t size);
KECS__FN void *kecs__alloc_zero(const kecs_allocator *allocator, size_t size);
KECS__FN void *kecs__resize(const kecs_allocator *allocator, void *pointer, size_t old_size, size_t size);
KECS__FN void kecs__release(const kecs_allocator *allocator, void *pointer, size_t size); /* NULL is fine */
KECS__FN char *kecs__copy_text(const kecs_allocator *allocator, const char *text);       /* release with strlen+1 */

/* Many small pieces, one release. Pieces are aligned for any plain type and never move. */
typedef struct kecs__chunk kecs__chunk;
typedef struct kecs__arena {
  const kecs_allocator *allocator;
  kecs__chunk *chunk; /* newest first */
  bool failed;        /* a piece could not be had: for callers that look once at the end */
} kecs__arena;
KECS__FN void kecs__arena_init(kecs__arena *arena, const kecs_allocator *allocator);
#if !defined(KECS_STORE_NO_CACHE)
/* The first piece of an arena, in memory that has room for one more of `more` bytes, and for nothing else. */
KECS__FN void *kecs__arena_whole(kecs__arena *arena, size_t size, size_t more);
KECS__FN char *kecs__arena_rest(const kecs__arena *arena, size_t more); /* that one */
#endif
KECS__FN void *kecs__arena_take(kecs__arena *arena, size_t size); /* NULL means NOMEM, recorded */
KECS__FN char *kecs__arena_bytes(kecs__arena *arena, size_t size); /* unaligned, for text */
KECS__FN char *kecs__arena_text(kecs__arena *arena, const char *text, size_t len); /* copies and terminates */
KECS__FN void kecs__arena_reset(kecs__arena *arena); /* all pieces die; the newest chunk's memory is kept */
KECS__FN void kecs__arena_free(kecs__arena *arena);

/* Text that grows. The first failure sticks in `status` and later appends do nothing, so a caller builds first
 * and checks once. `data` is always terminated once something was appended. */
typedef struct kecs__text {
  const kecs_allocator *allocator;
  char *data;
  size_t len;
  size_t capacity;
  size_t max; /* bytes; beyond it the status is KECS_E_INVALID */
  kecs_status status;
} kecs__text;
KECS__FN void kecs__text_init(kecs__text *text, const kecs_allocator *allocator, size_t max);
KECS__FN void kecs__text_free(kecs__text *text);
KECS__FN void kecs__text_clear(kecs__text *text);
KECS__FN void kecs__text_add(kecs__text *text, const char *bytes, size_t len);
KECS__FN void kecs__text_adds(kecs__text *text, const char *string);
KECS__FN void kecs__text_addc(kecs__text *text, char c);
KECS__FN void kecs__text_addf(kecs__text *text, const char *format, ...) KECS_STORE_PRINTF(2, 3);

#endif
