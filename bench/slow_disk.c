/* slow_disk.c -- a library for LD_PRELOAD that makes a server's disk slow: each wait for the write-ahead log to be on
 * the disk takes at least as many microseconds as the file named by KECS_SLOW_DISK says; 0, or none, is as it comes.
 *
 * PostgreSQL waits for its log in fdatasync, and so do those who commit meanwhile: all that is written when a wait
 * begins is there when it ends, what comes later needs the next one. commit_delay sleeps before the wait, and takes
 * along what comes until the sleep is over; a sleep in a trigger holds the transaction's locks. Neither is what a disk
 * does. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long slow_disk_us(void) {
  const char *name = getenv("KECS_SLOW_DISK");
  char text[32] = "";
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) {
    return 0;
  }
  ssize_t len = read(file, text, sizeof text - 1);
  close(file);
  return len > 0 ? strtol(text, NULL, 10) : 0;
}

static int slow_disk_is_log(int file) {
  char link[64];
  char path[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t len = readlink(link, path, sizeof path - 1);
  path[len > 0 ? len : 0] = '\0';
  return strstr(path, "/pg_wal/") != NULL;
}

/* Waits for the file, and then until the time is over. */
static int slow_disk_wait(const char *name, int file) {
  struct timespec begun;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  int (*wait)(int) = NULL;
  *(void **)(void *)&wait = dlsym(RTLD_NEXT, name);
  int result = wait(file);
  int error = errno;
  long us = slow_disk_is_log(file) ? slow_disk_us() : 0;
  if (us > 0) {
    long ns = begun.tv_nsec + us % 1000000 * 1000;
    struct timespec until = {begun.tv_sec + us / 1000000 + ns / 1000000000, ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
  }
  errno = error;
  return result;
}

int fdatasync(int file) {
  return slow_disk_wait("fdatasync", file);
}

int fsync(int file) {
  return slow_disk_wait("fsync", file);
}
