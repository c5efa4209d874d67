/* test_disk.c -- every case with the n-th call of the file system failing, with short writes, and on a full disk. */
#include "fault/runner.h"

int main(void) {
  static const fault_kind kinds[] = {FAULT_DISK, FAULT_DISK_ON, FAULT_SHORT_WRITE, FAULT_FULL};
  return fault_main("a disk that fails", kinds, FAULT_COUNT(kinds));
}
