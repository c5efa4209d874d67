/* ---- Hooks: memory, log, clock, random ------------------------------------------------------------------- */
#ifndef KECS_BASE_HOOKS_H
#define KECS_BASE_HOOKS_H
#include "base/config.h"

/* Memory for everything this library allocates itself. All three functions or none; none means
 * KECS_STORE_MALLOC and its family, which default to libc. SQLite's own memory is SQLite's (process-wide
 * sqlite3_config), libpq's is libc's. The functions may be called from any thread that uses the store. */
typedef struct kecs_allocator {
  void *(*alloc)(size_t size, void *user);                                   /* NULL when there is none */
  void *(*resize)(void *pointer, size_t old_size, size_t size, void *user);  /* as realloc */
  void (*release)(void *pointer, size_t size, void *user);                   /* never called with NULL */
  void *user;
} kecs_allocator;

typedef enum kecs_log_level { KECS_LOG_DEBUG, KECS_LOG_INFO, KECS_LOG_WARNING, KECS_LOG_ERROR } kecs_log_level;

/* Receives one line without a newline; secrets are masked. May be called from any thread that uses the store
 * and must not call the store back. NULL means silent. */
typedef struct kecs_logger {
  void (*write)(kecs_log_level level, const char *line, void *user);
  void *user;
} kecs_logger;

/* Microseconds since 1970 UTC. NULL means the system clock. A test injects its own. */
typedef struct kecs_clock {
  int64_t (*now)(void *user);
  void *user;
} kecs_clock;

/* Fills `size` bytes with random bits; false when it cannot. NULL means the operating system's source. */
typedef struct kecs_random {
  bool (*fill)(void *bytes, size_t size, void *user);
  void *user;
} kecs_random;

#endif
