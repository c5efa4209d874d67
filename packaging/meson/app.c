#include "kecs_store.h"

#include <stdio.h>

int main(void) {
  kecs_store *store = NULL;
  kecs_options options = {0};
  options.path = ":memory:";
  if (kecs_open(&options, &store) != KECS_OK) {
    fprintf(stderr, "%s\n", kecs_last_error()->text);
    return 1;
  }
  printf("kecs_store %s\n", kecs_version());
  return kecs_close(store) == KECS_OK ? 0 : 1;
}
