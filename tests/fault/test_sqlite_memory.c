/* test_sqlite_memory.c -- every case with SQLite's n-th allocation failing. There are thousands: a program of its own.
 */
#include "fault/runner.h"

int main(void) {
  static const fault_kind kinds[] = {FAULT_SQLITE};
  return fault_main("SQLite's memory that fails", kinds, FAULT_COUNT(kinds));
}
