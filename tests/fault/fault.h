/* fault.h -- memory and a file system that fail when they are told to.
 *
 * Three things are put between the store and the world: the allocator of kecs_options, SQLite's own allocator, and
 * SQLite's file system. All are counted; the n-th call fails, or every call from the n-th on. What was fired at, and
 * what was wrong with the way in which memory was given back, is asked for afterwards. One thread only. */
#ifndef FAULT_H
#define FAULT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kecs_store.h"

#define FAULT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef enum fault_kind {
  FAULT_NONE,
  FAULT_MEMORY,        /* the store's n-th allocation gives NULL */
  FAULT_MEMORY_ON,     /* and every later one, too */
  FAULT_SQLITE,        /* SQLite's n-th allocation gives NULL */
  FAULT_SQLITE_ON,     /* and every later one, too */
  FAULT_DISK,          /* the n-th call of the file system fails with the I/O error of its own */
  FAULT_DISK_ON,       /* and every later one, too */
  FAULT_SHORT_WRITE,   /* the n-th write writes the first half, then the disk is full; the next one fits again */
  FAULT_FULL           /* from the n-th write on the disk is full */
} fault_kind;

/* "the store's memory", "a full disk" ... */
const char *fault_name(fault_kind kind);

/* The code that a call fails with under this kind of fault. */
kecs_status fault_expected(fault_kind kind);

/* Before anything else of SQLite is called: its allocator and its default file system become ours. */
void fault_install(void);

/* From now on the n-th call fails; n from 1. fault_disarm tells whether any did. */
void fault_arm(fault_kind kind, unsigned long n);
bool fault_disarm(void);

/* Whether a sync was among the calls that failed: then a commit may be on the disk that was told as failed. */
bool fault_sync_failed(void);

/* What the store is opened with: the counted allocator, a clock that stands, random bits that come again after
 * fault_chance. Durability is FULL, so that syncs are among the calls that fail. */
kecs_options fault_options(const char *path);
void fault_chance(unsigned seed);

/* Blocks that were not given back, of the store and of SQLite, and files that were not closed. */
typedef struct fault_usage {
  long blocks;
  long sqlite_blocks;
  long files;
} fault_usage;
fault_usage fault_used(void);

/* The first thing that was wrong since the last call of this: a size that was not the block's, an out pointer that was
 * not NULL ... NULL when there was none. */
const char *fault_complaint(void);
void fault_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Files ---- */

/* A folder of this program's own, in TMPDIR; it goes at exit. */
const char *fault_folder(void);

/* Removes a database with its -wal and -shm. */
void fault_remove(const char *path);

/* A file's bytes, and a database made of them. */
typedef struct fault_image {
  unsigned char *bytes;
  size_t size;
} fault_image;
fault_image fault_load(const char *path);
void fault_save(const fault_image *image, const char *path);

/* Copies a database with its -wal as they are now: what is left when the process ends at this moment. (Reading a file
 * gives up this process's locks on it; there is no other process that would miss them.) */
void fault_crash(const char *path, const char *copy);

/* A number made of every row of every table of a database, as a connection of its own sees it. 0 when it has no table.
 */
uint64_t fault_digest(const char *path);

/* Both of these keep one connection open, until this is called; it must be, before the file goes. */
void fault_look_away(void);

/* PRAGMA integrity_check and foreign_key_check; complains of what they find. */
void fault_check_file(const char *path);

/* ---- What calls give ---- */

/* A number made of all that calls gave since it was set to 0. */
extern uint64_t fault_output;

void fault_output_text(const char *text);
void fault_output_number(int64_t number);

/* Adds the rows to the output and frees them. Complains when there is a result after a failure or none after a success.
 * Returns the status. Takes a pointer to the pointer, since the call that fills it in is an argument, too. */
kecs_status fault_take(kecs_status status, kecs_result **in_result);

/* Likewise for a count, which must be 0 after a failure. */
kecs_status fault_take_count(kecs_status status, const int64_t *count);

/* What an out pointer is set to before a call. */
#define FAULT_POISON ((kecs_result *)(uintptr_t)0x5a5a)

#endif
