/* chance.c -- numbers from a seed, and memory. */
#include "sim.h"

/* splitmix64 */
uint64_t sim_draw(sim_chance *chance) {
  uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

int sim_below(sim_chance *chance, int count) {
  return (int)(sim_draw(chance) % (uint64_t)count);
}

bool sim_percent(sim_chance *chance, int percent) {
  return sim_below(chance, 100) < percent;
}

void *sim_grow(void *pointer, size_t size) {
  void *grown = realloc(pointer, size ? size : 1);
  if (!grown) {
    fprintf(stderr, "out of memory\n");
    abort();
  }
  return grown;
}

void *sim_alloc(size_t size) {
  void *pointer = sim_grow(NULL, size);
  memset(pointer, 0, size);
  return pointer;
}

char *sim_copy(const char *text) {
  if (!text) {
    return NULL;
  }
  size_t size = strlen(text) + 1;
  return memcpy(sim_alloc(size), text, size);
}
