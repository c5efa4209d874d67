/* test_sqlite_memory.c -- every scene with SQLite's n-th allocation failing. There are tens of thousands: a program of
 * its own. */
#include "syncfault/runner.h"

int main(void) {
  static const fault_kind kinds[] = {FAULT_SQLITE};
  return syncfault_main("an edge whose SQLite has no memory", kinds, FAULT_COUNT(kinds));
}
