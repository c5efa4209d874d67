/* test_memory.c -- every scene with the edge's n-th allocation failing, and with all of the edge's, or of SQLite's,
 * failing from the n-th on. */
#include "syncfault/runner.h"

int main(void) {
  static const fault_kind kinds[] = {FAULT_MEMORY, FAULT_MEMORY_ON, FAULT_SQLITE_ON};
  return syncfault_main("an edge whose memory fails", kinds, FAULT_COUNT(kinds));
}
