/* test_disk.c -- every scene with the n-th call of the file system failing, or all of them from the n-th on; with a
 * write that stops in the middle, and with a disk that is full from the n-th write on. */
#include "syncfault/runner.h"

int main(void) {
  static const fault_kind kinds[] = {FAULT_DISK, FAULT_DISK_ON, FAULT_SHORT_WRITE, FAULT_FULL};
  return syncfault_main("an edge whose disk fails", kinds, FAULT_COUNT(kinds));
}
