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
#define KECS__SQLITE_SMALLEST 512      /* bytes: the smallest page that SQLite knows */

static bool kecs__sqlite_stop(const kecs_connection *connection) {
  return connection->should_stop && connection->should_stop(connection->should_stop_user);
}

static int kecs__sqlite_progress(void *user) {
  const kecs_connection *connection = user;
  return !connection->deaf && kecs__sqlite_stop(connection);
}

/* Called while another connection holds the lock: short naps first, so that a short lock costs little. Half of a nap is
 * chance: two that met once must not meet again and again. */
static int kecs__sqlite_wait(void *user, int tries) {
  kecs_connection *connection = user;
  int64_t now = kecs__monotonic_us();
  if (tries == 0) {
    connection->busy_since_us = now;
  }
  int64_t left = (int64_t)connection->busy_timeout_ms * 1000 - (now - connection->busy_since_us);
  if (left <= 0 || kecs__sqlite_stop(connection)) {
    return 0;
  }
  int64_t nap = tries < 4 ? 1000 : tries < 12 ? 5000 : 20000;
  nap = nap / 2 + now % nap;
  kecs__sleep_us(nap < left ? nap : left);
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

static int kecs__sqlite_prepare_fixed(kecs_connection *connection, const char *sql, sqlite3_stmt **out) {
  return sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

/* The connection's own statements, made ahead: a rollback must run when there is no memory left. */
static kecs_status kecs__sqlite_prepare_all(kecs_connection *connection) {
  int rc = kecs__sqlite_prepare_fixed(connection, "BEGIN IMMEDIATE", &connection->begin_write);
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "BEGIN", &connection->begin_read);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "COMMIT", &connection->commit);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "ROLLBACK", &connection->rollback);
  }
  return rc == SQLITE_OK ? KECS_OK : kecs__sqlite_fail(connection, rc, "prepare a statement");
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

/* SQLite takes a file of a few bytes for an empty database and would write over it, and waits for a pipe. */
static kecs_status kecs__sqlite_check_file(const char *path) {
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    return kecs__fail(KECS_E_INVALID, "%s is not a regular file; give another path", path);
  }
  if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 && info.st_size < KECS__SQLITE_SMALLEST) {
    return kecs__fail(KECS_E_CORRUPT,
                      "%s is not a database (it has %d bytes); give another path, or restore a backup; "
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

/* Whether a file can't be read because its log has no index, -shm, and none may be made. */
static bool kecs__sqlite_lacks_index(const char *path, int rc) {
  char beside[4096];
  int len = snprintf(beside, sizeof beside, "%s-wal", path);
  bool refused = (rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY;
  return refused && len > 0 && (size_t)len < sizeof beside && access(path, R_OK) == 0 && access(beside, F_OK) == 0;
}

static void kecs__sqlite_hooks(kecs_connection *connection) {
  (void)sqlite3_busy_handler(connection->db, kecs__sqlite_wait, connection);
  sqlite3_progress_handler(connection->db, KECS__SQLITE_PROGRESS_OPS, kecs__sqlite_progress, connection);
  (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
  /* Plans that do not look at bound values: otherwise a new value for LIMIT prepares the statement anew each time. */
  (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, (int *)NULL);
}

KECS__FN void kecs__sqlite_disconnect(kecs_connection *connection) {
  (void)sqlite3_finalize(connection->begin_write);
  (void)sqlite3_finalize(connection->begin_read);
  (void)sqlite3_finalize(connection->commit);
  (void)sqlite3_finalize(connection->rollback);
  (void)sqlite3_close(connection->db);
  kecs__release(connection->allocator, connection->path, connection->path ? strlen(connection->path) + 1 : 0);
  kecs__release(connection->allocator, connection, sizeof *connection);
}

/* Opens the file and reads its schema, which is what finds out that a file is no database. */
static int kecs__sqlite_open_hooked(kecs_connection *connection, const kecs_connect_options *options, bool immutable) {
  int rc = immutable ? kecs__sqlite_open_immutable(connection, options) : kecs__sqlite_open(connection, options);
  if (rc == SQLITE_OK) {
    kecs__sqlite_hooks(connection);
    rc = kecs__sqlite_look(connection, options);
  }
  return rc;
}

static kecs_status kecs__sqlite_connect_fill(kecs_connection *connection, const kecs_connect_options *options) {
  connection->path = kecs__copy_text(options->allocator, options->path);
  if (!connection->path) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs__sqlite_check_file(options->path);
  status = status ? status : kecs__sqlite_check_place(options->path);
  if (status) {
    return status;
  }
  int rc = kecs__sqlite_open_hooked(connection, options, false);
  if (!connection->db) {
    return kecs__fail_nomem();
  }
  bool refused = (rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY;
  if (refused && options->read_only && access(options->path, R_OK) == 0) {
    rc = kecs__sqlite_open_hooked(connection, options, true);
  }
  if (rc != SQLITE_OK && options->read_only && kecs__sqlite_lacks_index(options->path, rc)) {
    return kecs__fail(KECS_E_DENIED,
                      "%s has a write-ahead log, which takes %s-shm to read, and that can't be made here; make its "
                      "directory writable, or copy the file with its -wal to another one",
                      options->path, options->path);
  }
  if (rc != SQLITE_OK) {
    status = kecs__sqlite_fail(connection, rc, "open the database");
    return status == KECS_E_IO || status == KECS_E_DENIED ? kecs__sqlite_explain(options, status) : status;
  }
  bool writes = !options->read_only && !options->reader;
  status = kecs__sqlite_configure(connection, options);
  status = status ? status : kecs__sqlite_prepare_all(connection);
  if (!status && writes) {
    status = kecs__sqlite_check_place(options->path); /* now that it is there */
  }
  if (!status && writes && sqlite3_db_readonly(connection->db, "main") == 1) {
    return kecs__fail(KECS_E_READONLY, "%s may not be written; check its permissions, or open it with read_only",
                      options->path);
  }
  return status;
}

KECS__FN kecs_status kecs__sqlite_connect(const kecs_connect_options *options, kecs_connection **out_connection) {
  *out_connection = NULL;
  kecs_connection *connection = kecs__alloc_zero(options->allocator, sizeof *connection);
  if (!connection) {
    return KECS_E_NOMEM;
  }
  connection->busy_timeout_ms = options->busy_timeout_ms;
  connection->page_bytes = options->page_bytes;
  connection->log_kib = options->log_kib;
  connection->allocator = options->allocator;
  connection->logger = options->logger;
  connection->should_stop = options->should_stop;
  connection->should_stop_user = options->should_stop_user;
  kecs_status status = kecs__sqlite_connect_fill(connection, options);
  if (status) {
    kecs_error error = kecs__error_save();
    kecs__sqlite_disconnect(connection);
    return kecs__error_restore(&error);
  }
  *out_connection = connection;
  return KECS_OK;
}
