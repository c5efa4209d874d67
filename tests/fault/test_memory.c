/* test_memory.c -- every case with the n-th allocation failing, the store's own and SQLite's. */
#include "fault/runner.h"

int main(void) {
  static const fault_kind kinds[] = {FAULT_MEMORY, FAULT_MEMORY_ON, FAULT_SQLITE, FAULT_SQLITE_ON};
  return fault_main("memory that fails", kinds, FAULT_COUNT(kinds));
}
