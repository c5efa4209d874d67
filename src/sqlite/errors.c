/* sqlite/errors.c -- SQLite's result codes as ours. The only place that maps them. */
#include "base/prologue.h"

#include "sqlite/connection.h"

#include <stdio.h>
#include <sys/statvfs.h>

typedef struct kecs__sqlite_code {
  int code; /* extended, or primary for all of its extended ones */
  kecs_status status;
  const char *advice;
} kecs__sqlite_code;

/* Extended codes stand before their primary code: the first row that matches decides. */
static const kecs__sqlite_code kecs__sqlite_codes[] = {
    {SQLITE_BUSY, KECS_E_BUSY, "another process holds the database; try again, or raise options.busy_timeout_ms"},
    {SQLITE_PROTOCOL, KECS_E_BUSY, "other processes hold the write-ahead log's locks; try again"},
    {SQLITE_LOCKED, KECS_E_BUSY, "another connection holds the table; try again"},
    {SQLITE_INTERRUPT, KECS_E_CANCELLED, "the call was stopped; nothing was stored"},
    {SQLITE_NOMEM, KECS_E_NOMEM, "free some memory or raise the process's limit"},
    {SQLITE_IOERR_NOMEM, KECS_E_NOMEM, "free some memory or raise the process's limit"},
    {SQLITE_READONLY, KECS_E_READONLY, "the file, its directory or its disk is read-only; check the permissions"},
    {SQLITE_FULL, KECS_E_FULL, "free space on the disk or raise the quota; reads go on meanwhile"},
    {SQLITE_CORRUPT, KECS_E_CORRUPT, "restore a backup; the file was left as it is"},
    {SQLITE_NOTADB, KECS_E_CORRUPT, "give another path, or restore a backup; the file was left as it is"},
    {SQLITE_CANTOPEN, KECS_E_IO, "check that the directory exists and may be written"},
    {SQLITE_IOERR, KECS_E_IO, "check the disk and the system log"},
    {SQLITE_PERM, KECS_E_DENIED, "check the permissions of the file"},
    {SQLITE_AUTH, KECS_E_DENIED, "check the permissions of the file"},
    {SQLITE_CONSTRAINT_UNIQUE, KECS_E_EXISTS, "the key is taken"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, KECS_E_EXISTS, "the key is taken"},
    {SQLITE_CONSTRAINT_ROWID, KECS_E_EXISTS, "the key is taken"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, KECS_E_REFERENCE, "create the parent first"},
    {SQLITE_CONSTRAINT, KECS_E_INVALID, "a column's value is not of its type, or missing"},
    {SQLITE_TOOBIG, KECS_E_INVALID, "a value is larger than SQLite takes"},
    {SQLITE_RANGE, KECS_E_MISUSE, "this is a bug in kecs_store or its backend"},
    {SQLITE_MISUSE, KECS_E_MISUSE, "this is a bug in kecs_store or its backend"},
    {SQLITE_ERROR, KECS_E_CORRUPT, "the schema is not what this version expects"},
};

/* A full disk shows as an I/O error where SQLite grows the memory that it shares between processes. */
static bool kecs__sqlite_no_space(const char *path) {
  struct statvfs info;
  return path && statvfs(path, &info) == 0 && info.f_blocks > 0 && info.f_bavail == 0;
}

KECS__FN kecs_status kecs__sqlite_fail(kecs_connection *connection, int rc, const char *doing) {
  int extended = sqlite3_extended_errcode(connection->db);
  if ((extended & 0xff) != (rc & 0xff)) {
    extended = rc;
  }
  const kecs__sqlite_code *found = NULL;
  for (size_t i = 0; !found && i < sizeof kecs__sqlite_codes / sizeof kecs__sqlite_codes[0]; i++) {
    int code = kecs__sqlite_codes[i].code;
    if (code == extended || (code <= 0xff && code == (extended & 0xff))) {
      found = &kecs__sqlite_codes[i];
    }
  }
  /* The extended code of an out-of-memory I/O error is named before SQLITE_IOERR by the search above. */
  kecs_status status = found ? found->status : KECS_E_IO;
  status = status == KECS_E_IO && kecs__sqlite_no_space(connection->path) ? KECS_E_FULL : status;
  char text[512];
  const char *said = sqlite3_errmsg(connection->db);
  snprintf(text, sizeof text, "%s: could not %s: %s; %s", connection->path ? connection->path : "SQLite", doing,
           said ? said : sqlite3_errstr(rc), found ? found->advice : "see the native code");
  return kecs_backend_fail(status, extended, NULL, text);
}
