/* test_memory.c -- every case with the store's n-th allocation failing, and with all of the store's, or of SQLite's,
 * failing from the n-th on. */
#include "fault/runner.h"

int main(void) {
  static const fault_kind kinds[] = {FAULT_MEMORY, FAULT_MEMORY_ON, FAULT_SQLITE_ON};
  return fault_main("memory that fails", kinds, FAULT_COUNT(kinds));
}
