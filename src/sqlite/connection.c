/* sqlite/connection.c -- opening a file: what may be created, what is refused untouched, which settings hold. */
#include "base/prologue.h"

#include "sqlite/connection.h"

#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif

#define KECS__SQLITE_PROGRESS_OPS 4000 /* some 50 microseconds between two looks at deadline and cancel */
#define KECS__SQLITE_CHECKPOINT_PAGES 4000
#define KECS__SQLITE_WAL_LIMIT 67108864 /* what the -wal file is cut to after a checkpoint, in bytes */

#define KECS__SQLITE_SMALLEST 512 /* bytes: the smallest page that SQLite knows */

typedef struct kecs__sqlite_busy {
  int timeout_ms;
  int64_t since;
} kecs__sqlite_busy;

/* The connection and what its busy handler needs; kept together so that one pointer serves both hooks. */
typedef struct kecs__sqlite_full {
  kecs_connection connection; /* first: the backend's functions see only this */
  kecs__sqlite_busy busy;
} kecs__sqlite_full;

static bool kecs__sqlite_stop(const kecs_connection *connection) {
  return connection->should_stop && connection->should_stop(connection->should_stop_user);
}

static int kecs__sqlite_progress(void *user) {
  const kecs_connection *connection = user;
  return !connection->deaf && kecs__sqlite_stop(connection);
}

/* Called while another connection holds the lock: short naps first, so that a short lock costs little. */
static int kecs__sqlite_wait(void *user, int tries) {
  kecs__sqlite_full *full = user;
  int64_t now = kecs__monotonic_ms();
  if (tries == 0) {
    full->busy.since = now;
  }
  int64_t left = full->busy.timeout_ms - (now - full->busy.since);
  if (left <= 0 || kecs__sqlite_stop(&full->connection)) {
    return 0;
  }
  int64_t nap = tries < 4 ? 1 : tries < 12 ? 5 : 20;
  kecs__sleep_ms(nap < left ? nap : left);
  return 1;
}

KECS__FN kecs_status kecs__sqlite_run_fixed(kecs_connection *connection, sqlite3_stmt **statement) {
  /* Deaf: SQLite asks the progress hook even after COMMIT has taken effect, and what is stored must not be told as
   * stopped. A wait for another process still listens. */
  connection->deaf = true;
  int rc = sqlite3_step(*statement);
  connection->deaf = false;
  if (rc == SQLITE_DONE) {
    (void)sqlite3_reset(*statement);
    return KECS_OK;
  }
  kecs_status status =
      kecs__sqlite_fail(connection, rc, statement == &connection->commit ? "commit" : "begin a transaction");
  (void)sqlite3_reset(*statement);
  return status;
}

/* Why a file could not be opened, in words that SQLite does not have. */
static kecs_status kecs__sqlite_explain(const kecs_connect_options *options, kecs_status status) {
  const char *path = options->path;
  struct stat info;
  if (stat(path, &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      return kecs__fail(KECS_E_INVALID, "%s is a directory; give the path of a file in it", path);
    }
    if (access(path, R_OK) != 0) {
      return kecs__fail(KECS_E_DENIED, "%s: %s; check the permissions of the file", path, strerror(errno));
    }
    return status;
  }
  if (errno == EACCES) {
    return kecs__fail(KECS_E_DENIED, "%s: permission denied; check the permissions of its directory", path);
  }
  if (!options->may_create) {
    return kecs__fail(KECS_E_NOT_FOUND, "%s does not exist; check the path, or leave out read_only and must_exist",
                      path);
  }
  const char *slash = strrchr(path, '/');
  char directory[1024];
  int len = slash ? (int)(slash - path) : 0;
  snprintf(directory, sizeof directory, "%.*s", len > 0 ? len : 1, slash ? path : ".");
  if (stat(directory, &info) != 0) {
    return kecs__fail(KECS_E_NOT_FOUND, "%s: the directory %s does not exist; create it first", path, directory);
  }
  if (!S_ISDIR(info.st_mode)) {
    return kecs__fail(KECS_E_INVALID, "%s: %s is not a directory", path, directory);
  }
  if (access(directory, W_OK) != 0) {
    return kecs__fail(errno == EROFS ? KECS_E_READONLY : KECS_E_DENIED, "%s: the directory %s may not be written: %s",
                      path, directory, strerror(errno));
  }
  return status;
}

static int kecs__sqlite_exec(kecs_connection *connection, const char *sql) {
  return sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
}

static int kecs__sqlite_prepare_fixed(kecs_connection *connection, const char *sql, sqlite3_stmt **out) {
  return sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

/* Settings of every connection. Reading the schema comes first: it is what finds out that a file is no database. */
static int kecs__sqlite_configure(kecs_connection *connection, const kecs_connect_options *options) {
  char sql[256];
  snprintf(sql, sizeof sql,
           "PRAGMA cache_size=-%d; PRAGMA foreign_keys=%s; PRAGMA synchronous=%s; PRAGMA temp_store=MEMORY;"
           "PRAGMA trusted_schema=OFF",
           options->cache_kib, options->no_foreign_keys ? "OFF" : "ON", options->full_durability ? "FULL" : "NORMAL");
  int rc = kecs__sqlite_exec(connection, "SELECT count(*) FROM sqlite_schema");
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_exec(connection, sql);
  }
  if (rc == SQLITE_OK && options->reader) {
    rc = kecs__sqlite_exec(connection, "PRAGMA query_only=ON");
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "BEGIN IMMEDIATE", &connection->begin_write);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "BEGIN", &connection->begin_read);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "COMMIT", &connection->commit);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "ROLLBACK", &connection->rollback);
  }
  return rc;
}

/* The names that PRAGMA journal_mode gives, as texts that live for ever. */
static const char *const kecs__sqlite_journal_modes[] = {"wal", "memory", "delete", "truncate", "persist", "off"};

static int kecs__sqlite_journal_mode(kecs_connection *connection, const char **out_mode) {
  sqlite3_stmt *handle = NULL;
  int rc = sqlite3_prepare_v2(connection->db, "PRAGMA journal_mode", -1, &handle, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(handle);
  }
  const char *mode = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(handle, 0) : NULL;
  for (size_t i = 0; mode && i < sizeof kecs__sqlite_journal_modes / sizeof kecs__sqlite_journal_modes[0]; i++) {
    if (strcmp(mode, kecs__sqlite_journal_modes[i]) == 0) {
      *out_mode = kecs__sqlite_journal_modes[i];
    }
  }
  (void)sqlite3_finalize(handle);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* What lasts in the file, or writes to it: done once the store has seen that the file is its own. Switching a fresh
 * file to WAL answers BUSY without asking the busy handler while another process does the same, hence the loop. */
KECS__FN kecs_status kecs__sqlite_settle(kecs_connection *connection) {
  kecs__sqlite_full *full = (kecs__sqlite_full *)(void *)connection;
  char sql[160];
  snprintf(sql, sizeof sql, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=%d; PRAGMA journal_size_limit=%d",
           KECS__SQLITE_CHECKPOINT_PAGES, KECS__SQLITE_WAL_LIMIT);
  int64_t since = kecs__monotonic_ms();
  int rc = kecs__sqlite_exec(connection, sql);
  while ((rc & 0xff) == SQLITE_BUSY && kecs__monotonic_ms() - since < full->busy.timeout_ms) {
    kecs__sleep_ms(5);
    rc = kecs__sqlite_exec(connection, sql);
  }
  const char *mode = "unknown";
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_journal_mode(connection, &mode);
  }
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, "switch to write-ahead logging");
  }
  if (strcmp(mode, "wal") != 0 && strcmp(mode, "memory") != 0) {
    return kecs__fail(KECS_E_UNSUPPORTED,
                      "%s: write-ahead logging can't be had there (journal mode %s); put the file on a "
                      "local disk that every process maps alike",
                      connection->path, mode);
  }
  return KECS_OK;
}

/* Write-ahead logging needs memory that all processes share, which a network file system does not give: what looks like
 * success there ends in a damaged file. */
static kecs_status kecs__sqlite_check_place(const char *path) {
#if defined(__linux__)
  static const unsigned long networks[] = {0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x73757245, 0x5346414F};
  struct statfs info;
  if (statfs(path, &info) == 0) {
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
      if (((unsigned long)info.f_type & 0xFFFFFFFFUL) == networks[i]) {
        return kecs__fail(KECS_E_UNSUPPORTED,
                          "%s lies on a network file system, where SQLite's locks are not reliable; "
                          "put it on a local disk",
                          path);
      }
    }
  }
#else
  (void)path;
#endif
  return KECS_OK;
}

/* SQLite takes a file of a few bytes for an empty database and would write over it. */
static kecs_status kecs__sqlite_check_size(const char *path) {
  struct stat info;
  if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 && info.st_size < KECS__SQLITE_SMALLEST) {
    return kecs__fail(KECS_E_CORRUPT, "%s is not a database (it has %d bytes); give another path, or restore a backup; "
                                      "the file was left as it is",
                      path, (int)info.st_size);
  }
  return KECS_OK;
}

static int kecs__sqlite_open(kecs_connection *connection, const kecs_connect_options *options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  flags |= options->may_create && !options->read_only ? SQLITE_OPEN_CREATE : 0;
  return sqlite3_open_v2(options->path, &connection->db, flags, NULL);
}

/* A file in WAL mode on a medium that can't be written has no -shm: it can still be read as an unchanging file, as long
 * as no -wal holds commits of its own. */
static int kecs__sqlite_open_immutable(kecs_connection *connection, const kecs_connect_options *options) {
  char path[4096];
  int len = snprintf(path, sizeof path, "%s-wal", options->path);
  if (len < 0 || (size_t)len >= sizeof path || access(path, F_OK) == 0) {
    return SQLITE_CANTOPEN;
  }
  size_t used = 0;
  memcpy(path, "file:", 5);
  used = 5;
  for (const char *at = options->path; *at; at++) {
    if (used + 16 >= sizeof path) {
      return SQLITE_CANTOPEN;
    }
    if (strchr("%?#", *at)) {
      used += (size_t)snprintf(path + used, sizeof path - used, "%%%02X", (unsigned)(unsigned char)*at);
    } else {
      path[used++] = *at;
    }
  }
  snprintf(path + used, sizeof path - used, "?immutable=1");
  (void)sqlite3_close(connection->db);
  connection->db = NULL;
  return sqlite3_open_v2(path, &connection->db,
                         SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
}

static void kecs__sqlite_hooks(kecs__sqlite_full *full) {
  (void)sqlite3_busy_handler(full->connection.db, kecs__sqlite_wait, full);
  sqlite3_progress_handler(full->connection.db, KECS__SQLITE_PROGRESS_OPS, kecs__sqlite_progress, &full->connection);
  (void)sqlite3_db_config(full->connection.db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
  /* Plans that do not look at bound values: otherwise a new value for LIMIT prepares the statement anew each time. */
  (void)sqlite3_db_config(full->connection.db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, (int *)NULL);
}

KECS__FN void kecs__sqlite_disconnect(kecs_connection *connection) {
  (void)sqlite3_finalize(connection->begin_write);
  (void)sqlite3_finalize(connection->begin_read);
  (void)sqlite3_finalize(connection->commit);
  (void)sqlite3_finalize(connection->rollback);
  (void)sqlite3_close(connection->db);
  kecs__release(connection->allocator, connection->path, connection->path ? strlen(connection->path) + 1 : 0);
  kecs__release(connection->allocator, connection, sizeof(kecs__sqlite_full));
}

static kecs_status kecs__sqlite_connect_fill(kecs__sqlite_full *full, const kecs_connect_options *options) {
  kecs_connection *connection = &full->connection;
  connection->path = kecs__copy_text(options->allocator, options->path);
  if (!connection->path) {
    return KECS_E_NOMEM;
  }
  kecs_status sized = kecs__sqlite_check_size(options->path);
  sized = sized ? sized : kecs__sqlite_check_place(options->path);
  if (sized) {
    return sized;
  }
  int rc = kecs__sqlite_open(connection, options);
  if (!connection->db) {
    return kecs__fail_nomem();
  }
  if (rc == SQLITE_OK) {
    kecs__sqlite_hooks(full);
    rc = kecs__sqlite_configure(connection, options);
  }
  if ((rc & 0xff) == SQLITE_CANTOPEN && options->read_only && access(options->path, R_OK) == 0) {
    rc = kecs__sqlite_open_immutable(connection, options);
    if (rc == SQLITE_OK) {
      kecs__sqlite_hooks(full);
      rc = kecs__sqlite_configure(connection, options);
    }
  }
  if (rc != SQLITE_OK) {
    kecs_status status = kecs__sqlite_fail(connection, rc, "open the database");
    return status == KECS_E_IO || status == KECS_E_DENIED ? kecs__sqlite_explain(options, status) : status;
  }
  if (!options->read_only && !options->reader) {
    kecs_status status = kecs__sqlite_check_place(options->path);
    if (status) {
      return status;
    }
  }
  if (!options->read_only && !options->reader && sqlite3_db_readonly(connection->db, "main") == 1) {
    return kecs__fail(KECS_E_READONLY, "%s may not be written; check its permissions, or open it with read_only",
                      options->path);
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__sqlite_connect(const kecs_connect_options *options, kecs_connection **out_connection) {
  *out_connection = NULL;
  kecs__sqlite_full *full = kecs__alloc_zero(options->allocator, sizeof *full);
  if (!full) {
    return KECS_E_NOMEM;
  }
  full->busy.timeout_ms = options->busy_timeout_ms;
  full->connection.allocator = options->allocator;
  full->connection.should_stop = options->should_stop;
  full->connection.should_stop_user = options->should_stop_user;
  kecs_status status = kecs__sqlite_connect_fill(full, options);
  if (status) {
    kecs_error error = kecs__error_save();
    kecs__sqlite_disconnect(&full->connection);
    return kecs__error_restore(&error);
  }
  *out_connection = &full->connection;
  return KECS_OK;
}

static int kecs__sqlite_pragma_number(kecs_connection *connection, const char *sql, int64_t *out_number) {
  sqlite3_stmt *handle = NULL;
  int rc = sqlite3_prepare_v2(connection->db, sql, -1, &handle, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(handle);
  }
  if (rc == SQLITE_ROW) {
    *out_number = sqlite3_column_int64(handle, 0);
    rc = SQLITE_OK;
  }
  (void)sqlite3_finalize(handle);
  return rc;
}

KECS__FN kecs_status kecs__sqlite_describe(kecs_connection *connection, kecs_info *out_info) {
  int64_t pages = 0;
  int64_t page_size = 0;
  out_info->journal_mode = "unknown";
  int rc = kecs__sqlite_journal_mode(connection, &out_info->journal_mode);
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_pragma_number(connection, "PRAGMA page_count", &pages);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_pragma_number(connection, "PRAGMA page_size", &page_size);
  }
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, "read the settings");
  }
  char wal[4096];
  struct stat info;
  int len = snprintf(wal, sizeof wal, "%s-wal", connection->path);
  out_info->size_bytes = pages * page_size;
  out_info->wal_bytes = 0;
  if (len > 0 && (size_t)len < sizeof wal && stat(wal, &info) == 0) {
    out_info->wal_bytes = (int64_t)info.st_size;
  }
  return KECS_OK;
}
