/* A program with two SQLites: its own, by the system's header and library, and the one inside the bundled header. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "kecs_store.h"

int main(void) {
  sqlite3 *own = NULL;
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = ":memory:";
  if (sqlite3_open(":memory:", &own) != SQLITE_OK || kecs_open(&options, &store) != KECS_OK) {
    return 1;
  }
  if (sqlite3_exec(own, "CREATE TABLE clusters(x)", NULL, NULL, NULL) != SQLITE_OK) {
    return 2;
  }
  if (strstr(kecs_build_info(), sqlite3_libversion()) != NULL) {
    printf("both say %s: nothing is proved\n", sqlite3_libversion());
    return 3;
  }
  printf("own %s, inside: %s\n", sqlite3_libversion(), kecs_build_info());
  return sqlite3_close(own) == SQLITE_OK && kecs_close(store) == KECS_OK ? 0 : 4;
}
