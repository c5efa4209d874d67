/* hooks -- your own memory, log and clock.
 *
 *   hooks [FILE]     ":memory:" unless a file is given
 *
 * Each hook is a struct of functions and a pointer that they get back; a zeroed struct means the default. They cover
 * what kecs_store does itself: SQLite's memory is SQLite's. A test that brings its own clock gets the same times, and
 * with its own random source the same ids, in every run. */
#include "kecs_store.h"

#include <stdio.h>
#include <stdlib.h>

static void check(kecs_status status, const char *doing) {
  if (status) {
    fprintf(stderr, "could not %s: %s\n", doing, kecs_last_error()->text);
    exit(1);
  }
}

/* ---- memory: libc's, counted. A program with threads needs atomic counters here. ---- */

typedef struct memory {
  size_t bytes;
  size_t most;
  size_t calls;
} memory;

static void *memory_alloc(size_t size, void *user) {
  memory *all = user;
  all->calls++;
  all->bytes += size;
  all->most = all->bytes > all->most ? all->bytes : all->most;
  return malloc(size);
}

static void memory_release(void *pointer, size_t size, void *user) {
  memory *all = user;
  all->bytes -= size;
  free(pointer);
}

static void *memory_resize(void *pointer, size_t old_size, size_t size, void *user) {
  memory *all = user;
  all->calls++;
  all->bytes = all->bytes - old_size + size;
  all->most = all->bytes > all->most ? all->bytes : all->most;
  return realloc(pointer, size);
}

/* ---- log ---- */

static void log_write(kecs_log_level level, const char *line, void *user) {
  static const char *const names[] = {"debug", "info", "warning", "error"};
  fprintf(user, "log %s: %s\n", names[level], line);
}

/* ---- clock: one second a look, beginning on 2024-05-01 at 10:00 UTC ---- */

static int64_t clock_now(void *user) {
  int64_t *now = user;
  *now += 1000000;
  return *now;
}

/* ---- random: the same ids every time. For tests only. ---- */

static bool random_fill(void *bytes, size_t size, void *user) {
  uint32_t *state = user;
  for (size_t i = 0; i < size; i++) {
    *state = *state * 1664525U + 1013904223U;
    ((unsigned char *)bytes)[i] = (unsigned char)(*state >> 24);
  }
  return true;
}

int main(int argc, char **argv) {
  memory all = {0, 0, 0};
  int64_t now = INT64_C(1714557600000000);
  uint32_t seed = 1;
  kecs_store *store = NULL;
  kecs_result *result = NULL;
  kecs_options options = {0};
  options.path = argc > 1 ? argv[1] : ":memory:";
  options.allocator = (kecs_allocator){memory_alloc, memory_resize, memory_release, &all};
  options.logger = (kecs_logger){log_write, stdout};
  options.clock = (kecs_clock){clock_now, &now};
  options.random = (kecs_random){random_fill, &seed};
  check(kecs_open(&options, &store), "open the store");

  kecs_cluster cluster = {0};
  cluster.name = "shop";
  check(kecs_cluster_ensure(store, &cluster, NULL, &result), "create the cluster");
  const kecs_cluster *made = kecs_cluster_at(result, 0);
  char at[32];
  (void)kecs_record_text(kecs_kind_describe(KECS_KIND_CLUSTER), made, KECS_CLUSTER_CREATED_AT, at, sizeof at, NULL);
  printf("cluster %s, id %s, created at %s\n", made->name, made->id, at);

  check(kecs_close(store), "close the store");
  printf("the result outlives the store: %s\n", made->name);
  kecs_result_free(result);
  printf("memory: %zu calls, at most %zu bytes, %zu left\n", all.calls, all.most, all.bytes);
  return all.bytes == 0 ? 0 : 1;
}
