/* sqlite/mark.c -- whether anybody has committed: seen in the index of the write-ahead log, without a system call.
 *
 * All connections to a file in WAL mode, in whichever process, map the same index (-shm). It begins with two copies of
 * a header, the layout of which is told in https://www.sqlite.org/walformat.html: a counter of commits, the last valid
 * frame, and a sum over the whole. A commit writes the second copy, then the first, and is seen by no reader before
 * both are there. So what the second copy says is never older than what anybody can read. */
#include "base/prologue.h"

#include "sqlite/connection.h"

enum {
  KECS__INDEX_BYTES = 32768, /* of the index's first part, as SQLite maps it */
  KECS__INDEX_VERSION = 3007000,
  KECS__INDEX_COPY = 12, /* where the second copy begins, in words; within it: */
  KECS__INDEX_COMMITS = 2,
  KECS__INDEX_FRAMES = 4,
  KECS__INDEX_SUM = 10
};

#if defined(__SANITIZE_THREAD__)
#define KECS__INDEX_RACES __attribute__((no_sanitize_thread))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KECS__INDEX_RACES __attribute__((no_sanitize_thread))
#endif
#endif
#if !defined(KECS__INDEX_RACES)
#define KECS__INDEX_RACES
#endif

/* The connection has read the file, so that it has the index mapped: asking for it again gives the same place, which
 * stays as long as the connection does. */
static const volatile uint32_t *kecs__sqlite_index(const kecs_connection *connection) {
  sqlite3_file *file = NULL;
  void volatile *mapped = NULL;
  const char *mode = NULL;
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(connection->db, "PRAGMA journal_mode", -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    mode = (const char *)sqlite3_column_text(statement, 0);
  }
  bool wal = mode && sqlite3_stricmp(mode, "wal") == 0;
  (void)sqlite3_finalize(statement);
  if (!wal || sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file ||
      !file->pMethods || file->pMethods->iVersion < 2 || !file->pMethods->xShmMap ||
      file->pMethods->xShmMap(file, 0, KECS__INDEX_BYTES, 0, &mapped) != SQLITE_OK) {
    return NULL;
  }
  const volatile uint32_t *index = (const volatile uint32_t *)mapped;
  return index && index[KECS__INDEX_COPY] == KECS__INDEX_VERSION ? index : NULL;
}

/* Another process may write while this reads: a mark that is half of one and half of another equals neither. */
KECS__FN KECS__INDEX_RACES bool kecs__sqlite_mark(kecs_connection *connection, kecs_mark *out_mark) {
  if (!connection->index) {
    connection->index = kecs__sqlite_index(connection);
  }
  if (!connection->index) {
    return false;
  }
  const volatile uint32_t *copy = connection->index + KECS__INDEX_COPY;
  out_mark->commits = copy[KECS__INDEX_COMMITS];
  out_mark->words[0] = copy[KECS__INDEX_FRAMES];
  out_mark->words[1] = copy[KECS__INDEX_SUM];
  out_mark->words[2] = copy[KECS__INDEX_SUM + 1];
  return true;
}
