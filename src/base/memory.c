/* base/memory.c -- allocator with libc behind it, arena, text builder. */
#include "base/prologue.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(KECS_STORE_MALLOC) || defined(KECS_STORE_REALLOC) || defined(KECS_STORE_FREE)
#if !(defined(KECS_STORE_MALLOC) && defined(KECS_STORE_REALLOC) && defined(KECS_STORE_FREE))
#error "kecs_store.h: define all of KECS_STORE_MALLOC, KECS_STORE_REALLOC, KECS_STORE_FREE, or none"
#endif
#else
#define KECS_STORE_MALLOC(size) malloc(size)
#define KECS_STORE_REALLOC(pointer, size) realloc(pointer, size)
#define KECS_STORE_FREE(pointer) free(pointer)
#endif

static void *kecs__libc_alloc(size_t size, void *user) {
  (void)user;
  return KECS_STORE_MALLOC(size);
}

static void *kecs__libc_resize(void *pointer, size_t old_size, size_t size, void *user) {
  (void)old_size;
  (void)user;
  return KECS_STORE_REALLOC(pointer, size);
}

static void kecs__libc_release(void *pointer, size_t size, void *user) {
  (void)size;
  (void)user;
  KECS_STORE_FREE(pointer);
}

KECS__FN kecs_status kecs__allocator_resolve(const kecs_allocator *given, kecs_allocator *out) {
  int set = (given->alloc != NULL) + (given->resize != NULL) + (given->release != NULL);
  if (set == 3) {
    *out = *given;
    return KECS_OK;
  }
  if (set != 0) {
    return kecs__fail(KECS_E_INVALID, "options.allocator: set all of alloc, resize, release, or none");
  }
  *out = (kecs_allocator){kecs__libc_alloc, kecs__libc_resize, kecs__libc_release, NULL};
  return KECS_OK;
}

KECS__FN void *kecs__alloc(const kecs_allocator *allocator, size_t size) {
  void *pointer = allocator->alloc(size ? size : 1, allocator->user);
  if (!pointer) {
    (void)kecs__fail_nomem();
  }
  return pointer;
}

KECS__FN void *kecs__alloc_zero(const kecs_allocator *allocator, size_t size) {
  void *pointer = kecs__alloc(allocator, size);
  if (pointer) {
    memset(pointer, 0, size);
  }
  return pointer;
}

KECS__FN void *kecs__resize(const kecs_allocator *allocator, void *pointer, size_t old_size, size_t size) {
  if (!pointer) {
    return kecs__alloc(allocator, size);
  }
  void *moved = allocator->resize(pointer, old_size, size ? size : 1, allocator->user);
  if (!moved) {
    (void)kecs__fail_nomem();
  }
  return moved;
}

KECS__FN void kecs__release(const kecs_allocator *allocator, void *pointer, size_t size) {
  if (pointer) {
    allocator->release(pointer, size ? size : 1, allocator->user);
  }
}

KECS__FN char *kecs__copy_text(const kecs_allocator *allocator, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = kecs__alloc(allocator, size);
  if (copy) {
    memcpy(copy, text, size);
  }
  return copy;
}

/* ---- arena ---- */

struct kecs__chunk {
  kecs__chunk *next;
  size_t size; /* of the whole chunk, this header included */
  size_t used;
};

/* The strictest plain type decides the alignment of a piece. */
typedef union kecs__aligned {
  int64_t integer;
  double real;
  void *pointer;
  void (*function)(void);
} kecs__aligned;

#define KECS__ALIGN_UP(size) (((size) + sizeof(kecs__aligned) - 1) & ~(sizeof(kecs__aligned) - 1))
#define KECS__CHUNK_FIRST ((size_t)2048)
#define KECS__CHUNK_MAX ((size_t)65536)

KECS__FN void kecs__arena_init(kecs__arena *arena, const kecs_allocator *allocator) {
  arena->allocator = allocator;
  arena->chunk = NULL;
  arena->failed = false;
}

static kecs__chunk *kecs__arena_grow(kecs__arena *arena, size_t size) {
  size_t header = KECS__ALIGN_UP(sizeof(kecs__chunk));
  size_t wanted = arena->chunk ? arena->chunk->size * 4 : KECS__CHUNK_FIRST;
  if (wanted > KECS__CHUNK_MAX) {
    wanted = KECS__CHUNK_MAX;
  }
  if (size > SIZE_MAX - header) {
    (void)kecs__fail_nomem();
    return NULL;
  }
  if (wanted < header + size) {
    wanted = header + size;
  }
  kecs__chunk *chunk = kecs__alloc(arena->allocator, wanted);
  if (!chunk) {
    arena->failed = true;
    return NULL;
  }
  chunk->next = arena->chunk;
  chunk->size = wanted;
  chunk->used = header;
  arena->chunk = chunk;
  return chunk;
}

static inline char *kecs__arena_cut(kecs__arena *arena, size_t size) {
  kecs__chunk *chunk = arena->chunk;
  if (!chunk || chunk->size - chunk->used < size) {
    chunk = kecs__arena_grow(arena, size);
    if (!chunk) {
      return NULL;
    }
  }
  char *piece = (char *)chunk + chunk->used;
  chunk->used += size;
  return piece;
}

#if !defined(KECS_STORE_NO_CACHE)
KECS__FN void *kecs__arena_whole(kecs__arena *arena, size_t size, size_t more) {
  size_t header = KECS__ALIGN_UP(sizeof(kecs__chunk));
  size_t first = header + KECS__ALIGN_UP(size);
  kecs__chunk *chunk = more > SIZE_MAX - first ? NULL : kecs__alloc(arena->allocator, first + more);
  if (!chunk) {
    arena->failed = true;
    return more > SIZE_MAX - first ? (void)kecs__fail_nomem(), NULL : NULL;
  }
  chunk->next = NULL;
  chunk->size = first + more;
  chunk->used = chunk->size;
  arena->chunk = chunk;
  return (char *)chunk + header;
}

KECS__FN char *kecs__arena_rest(const kecs__arena *arena, size_t more) {
  return (char *)arena->chunk + (arena->chunk->size - more);
}
#endif

KECS__FN void *kecs__arena_take(kecs__arena *arena, size_t size) {
  if (size > SIZE_MAX - sizeof(kecs__aligned)) {
    (void)kecs__fail_nomem();
    return NULL;
  }
  if (arena->chunk) {
    size_t aligned = KECS__ALIGN_UP(arena->chunk->used);
    arena->chunk->used = aligned < arena->chunk->size ? aligned : arena->chunk->size;
  }
  return kecs__arena_cut(arena, KECS__ALIGN_UP(size ? size : 1));
}

KECS__FN char *kecs__arena_bytes(kecs__arena *arena, size_t size) {
  return kecs__arena_cut(arena, size ? size : 1);
}

KECS__FN char *kecs__arena_text(kecs__arena *arena, const char *text, size_t len) {
  char *copy = kecs__arena_bytes(arena, len + 1);
  if (copy) {
    memcpy(copy, text, len);
    copy[len] = '\0';
  }
  return copy;
}

KECS__FN void kecs__arena_free(kecs__arena *arena) {
  while (arena->chunk) {
    kecs__chunk *next = arena->chunk->next;
    kecs__release(arena->allocator, arena->chunk, arena->chunk->size);
    arena->chunk = next;
  }
}

KECS__FN void kecs__arena_reset(kecs__arena *arena) {
  kecs__chunk *kept = arena->chunk;
  if (kept) {
    arena->chunk = kept->next;
    kecs__arena_free(arena);
    kept->next = NULL;
    kept->used = KECS__ALIGN_UP(sizeof(kecs__chunk));
    arena->chunk = kept;
  }
}

/* ---- text builder ---- */

KECS__FN void kecs__text_init(kecs__text *text, const kecs_allocator *allocator, size_t max) {
  memset(text, 0, sizeof *text);
  text->allocator = allocator;
  text->max = max;
}

KECS__FN void kecs__text_free(kecs__text *text) {
  kecs__release(text->allocator, text->data, text->capacity);
  kecs__text_init(text, text->allocator, text->max);
}

KECS__FN void kecs__text_clear(kecs__text *text) {
  text->len = 0;
  text->status = KECS_OK;
  if (text->data) {
    text->data[0] = '\0';
  }
}

/* Makes room for `more` bytes and the terminator. */
static bool kecs__text_reserve(kecs__text *text, size_t more) {
  if (text->status) {
    return false;
  }
  if (more > text->max || text->len > text->max - more) {
    text->status = kecs__fail(KECS_E_INVALID, "a text grew beyond its limit of %zu bytes", text->max);
    return false;
  }
  if (text->len + more + 1 <= text->capacity) {
    return true;
  }
  size_t capacity = text->capacity ? text->capacity : 256;
  while (capacity < text->len + more + 1) {
    capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : SIZE_MAX; /* 32 bits: doubling must not wrap to 0 */
  }
  char *data = kecs__resize(text->allocator, text->data, text->capacity, capacity);
  if (!data) {
    text->status = KECS_E_NOMEM;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

KECS__FN void kecs__text_add(kecs__text *text, const char *bytes, size_t len) {
  if (!kecs__text_reserve(text, len)) {
    return;
  }
  if (len > 0) {
    memcpy(text->data + text->len, bytes, len);
  }
  text->len += len;
  text->data[text->len] = '\0';
}

KECS__FN void kecs__text_adds(kecs__text *text, const char *string) {
  kecs__text_add(text, string, strlen(string));
}

KECS__FN void kecs__text_addc(kecs__text *text, char c) {
  kecs__text_add(text, &c, 1);
}

KECS__FN void kecs__text_addf(kecs__text *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (len < 0 || !kecs__text_reserve(text, (size_t)len)) {
    return;
  }
  va_start(args, format);
  vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
  va_end(args);
  text->len += (size_t)len;
}
