/* sqlite/settings.c -- what is set on a connection and on its file, and read back: a pragma that is not understood, or
 * not possible there, is silently ignored by SQLite. */
#include "base/prologue.h"

#include "sqlite/connection.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KECS__SQLITE_LOG_KIB 16000   /* the -wal file is moved into the database beyond this size */
#define KECS__SQLITE_LOG_CUT_TIMES 4 /* and is cut to so many times that when readers let it grow further */
#define KECS__SQLITE_TIDY_MS 50      /* how long tidying waits for readers to end */
#define KECS__SQLITE_LOOKASIDE_SIZE \
  128 /* where memory is short: small pieces that SQLite takes and gives all the time */
#define KECS__SQLITE_LOOKASIDE_COUNT 64

static int kecs__sqlite_exec(kecs_connection *connection, const char *sql) {
  return sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
}

static int kecs__sqlite_number(kecs_connection *connection, const char *sql, int64_t *out_number) {
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

static void kecs__sqlite_warn(const kecs_connection *connection, const char *what, int64_t wanted, int64_t found) {
  if (connection->logger && connection->logger->write) {
    char line[300];
    snprintf(line, sizeof line, "%s: %s is %lld, not %lld as wanted", connection->path, what, (long long)found,
             (long long)wanted);
    connection->logger->write(KECS_LOG_WARNING, line, connection->logger->user);
  }
}

/* Sets a pragma to a number and asks what it is now. What a promise stands on must be as wanted; the rest may differ.
 */
static kecs_status kecs__sqlite_set(kecs_connection *connection, const char *pragma, int64_t wanted, bool promised) {
  char sql[96];
  int64_t found = wanted - 1;
  snprintf(sql, sizeof sql, "PRAGMA %s=%lld", pragma, (long long)wanted);
  int rc = kecs__sqlite_exec(connection, sql);
  snprintf(sql, sizeof sql, "PRAGMA %s", pragma);
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_number(connection, sql, &found);
  }
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, sql);
  }
  if (found != wanted && promised) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s: %s was set to %lld and is %lld: this build of SQLite can't do that",
                      connection->path, sql, (long long)wanted, (long long)found);
  }
  if (found != wanted) {
    kecs__sqlite_warn(connection, sql, wanted, found);
  }
  return KECS_OK;
}

KECS__FN int kecs__sqlite_look(kecs_connection *connection, const kecs_connect_options *options) {
  if (options->small) {
    (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_LOOKASIDE, (void *)NULL, KECS__SQLITE_LOOKASIDE_SIZE,
                            KECS__SQLITE_LOOKASIDE_COUNT); /* a matter of speed */
  }
  return kecs__sqlite_exec(connection, "SELECT count(*) FROM sqlite_schema");
}

KECS__FN kecs_status kecs__sqlite_configure(kecs_connection *connection, const kecs_connect_options *options) {
  int rc = kecs__sqlite_exec(connection, "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, "open the database");
  }
  kecs_status status = kecs__sqlite_set(connection, "cache_size", -(int64_t)options->cache_kib, false);
  status = status ? status : kecs__sqlite_set(connection, "foreign_keys", options->no_foreign_keys ? 0 : 1, true);
  status = status ? status : kecs__sqlite_set(connection, "synchronous", options->full_durability ? 2 : 1, true);
  if (!status && options->reader) {
    status = kecs__sqlite_set(connection, "query_only", 1, true);
  }
  return status;
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

/* Switching a fresh file to WAL answers BUSY without asking the busy handler while another process does the same, hence
 * the loop. */
static int kecs__sqlite_settle_journal(kecs_connection *connection, const char **out_mode) {
  char sql[96];
  int len = 0;
  if (connection->page_bytes) {
    len = snprintf(sql, sizeof sql, "PRAGMA page_size=%d;", connection->page_bytes); /* of a file that is empty yet */
  }
  snprintf(sql + len, sizeof sql - (size_t)len, "PRAGMA journal_mode=WAL");
  int64_t since = kecs__monotonic_ms();
  int rc = kecs__sqlite_exec(connection, sql);
  while ((rc & 0xff) == SQLITE_BUSY && kecs__monotonic_ms() - since < connection->busy_timeout_ms) {
    kecs__sleep_ms(5);
    rc = kecs__sqlite_exec(connection, sql);
  }
  return rc == SQLITE_OK ? kecs__sqlite_journal_mode(connection, out_mode) : rc;
}

/* What lasts in the file, or writes to it: done once the store has seen that the file is its own. */
KECS__FN kecs_status kecs__sqlite_settle(kecs_connection *connection) {
  const char *mode = "unknown";
  int64_t page_bytes = 0;
  int rc = kecs__sqlite_settle_journal(connection, &mode);
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_number(connection, "PRAGMA page_size", &page_bytes);
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
  if (connection->page_bytes && page_bytes != connection->page_bytes) {
    kecs__sqlite_warn(connection, "the page size", connection->page_bytes, page_bytes);
  }
  int64_t log_bytes = (int64_t)(connection->log_kib ? connection->log_kib : KECS__SQLITE_LOG_KIB) * 1024;
  int64_t pages = log_bytes / (page_bytes > 0 ? page_bytes : 4096);
  kecs_status status = kecs__sqlite_set(connection, "wal_autocheckpoint", pages > 0 ? pages : 1, true);
  if (!status) {
    status = kecs__sqlite_set(connection, "journal_size_limit", log_bytes * KECS__SQLITE_LOG_CUT_TIMES, true);
  }
  return status;
}

static const char *kecs__sqlite_synchronous(int64_t number) {
  static const char *const names[] = {"off", "normal", "full", "extra"};
  return number >= 0 && number < 4 ? names[number] : "unknown";
}

static int64_t kecs__sqlite_log_bytes(const kecs_connection *connection) {
  char wal[4096];
  struct stat info;
  int len = snprintf(wal, sizeof wal, "%s-wal", connection->path);
  return len > 0 && (size_t)len < sizeof wal && stat(wal, &info) == 0 ? (int64_t)info.st_size : 0;
}

KECS__FN kecs_status kecs__sqlite_tidy(kecs_connection *connection) {
  if (kecs__sqlite_log_bytes(connection) == 0) {
    return KECS_OK;
  }
  int patience = connection->busy_timeout_ms;
  connection->busy_timeout_ms = patience < KECS__SQLITE_TIDY_MS ? patience : KECS__SQLITE_TIDY_MS;
  int rc = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  connection->busy_timeout_ms = patience;
  bool later = (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED; /* somebody reads or writes: next time */
  return rc == SQLITE_OK || later ? KECS_OK : kecs__sqlite_fail(connection, rc, "empty the write-ahead log");
}

/* Memory that SQLite has taken for this connection: pages, schema, statements. */
static int64_t kecs__sqlite_memory(const kecs_connection *connection) {
  static const int parts[] = {SQLITE_DBSTATUS_CACHE_USED, SQLITE_DBSTATUS_SCHEMA_USED, SQLITE_DBSTATUS_STMT_USED};
  int64_t sum = 0;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    int now = 0;
    int most = 0;
    sum += sqlite3_db_status(connection->db, parts[i], &now, &most, 0) == SQLITE_OK ? now : 0;
  }
  return sum;
}

KECS__FN kecs_status kecs__sqlite_describe(kecs_connection *connection, kecs_info *out_info) {
  int64_t synchronous = -1;
  int64_t pages = 0;
  int64_t cache = 0;
  out_info->journal_mode = "unknown";
  int rc = kecs__sqlite_journal_mode(connection, &out_info->journal_mode);
  struct {
    const char *sql;
    int64_t *number;
  } const asked[] = {{"PRAGMA page_count", &pages},
                     {"PRAGMA page_size", &out_info->page_bytes},
                     {"PRAGMA synchronous", &synchronous},
                     {"PRAGMA cache_size", &cache},
                     {"PRAGMA wal_autocheckpoint", &out_info->wal_checkpoint_bytes},
                     {"PRAGMA journal_size_limit", &out_info->wal_limit_bytes}};
  for (size_t i = 0; rc == SQLITE_OK && i < sizeof asked / sizeof asked[0]; i++) {
    rc = kecs__sqlite_number(connection, asked[i].sql, asked[i].number);
  }
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, "read the settings");
  }
  out_info->synchronous = kecs__sqlite_synchronous(synchronous);
  out_info->size_bytes = pages * out_info->page_bytes;
  out_info->cache_bytes = cache < 0 ? -cache * 1024 : cache * out_info->page_bytes;
  out_info->wal_checkpoint_bytes *= out_info->page_bytes;
  out_info->sqlite_bytes = kecs__sqlite_memory(connection);
  out_info->wal_bytes = kecs__sqlite_log_bytes(connection);
  return KECS_OK;
}
