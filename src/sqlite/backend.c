/* sqlite/backend.c -- SQLite behind the table of functions: statements, values, transactions. */
#include "base/prologue.h"

#include "sqlite/connection.h"

#include <limits.h>
#include <string.h>

static const kecs_dialect kecs__sqlite_dialect = {
    .type_text = "TEXT",
    .type_int = "INTEGER",
    .type_bool = "INTEGER",
    .type_time = "INTEGER",
    .type_rid = "INTEGER PRIMARY KEY",
    .table_options = " STRICT",
    .placeholder = '?',
    .schema = "",
    .tenant = NULL,
    .lock_rows = "", /* a writing transaction is alone */
    .returning_rid = "",
    .find_text = "instr",
    .highest = "max",
    .bytewise = "", /* BINARY is the default */
    .on_delete_null = "SET NULL",
    .own_place = "a file of its own",
    .failure_ends_transaction = false,
    .whole_results = false,
};

static kecs_status kecs__sqlite_attach(const char *path, const kecs_allocator *allocator, kecs_place *out_place) {
  (void)allocator;
  out_place->dialect = &kecs__sqlite_dialect;
  out_place->shown = path;
  out_place->own = NULL;
  return KECS_OK;
}

static void kecs__sqlite_detach(kecs_place *place, const kecs_allocator *allocator) {
  (void)place;
  (void)allocator;
}

static bool kecs__sqlite_answers_to(const char *path) {
  return strstr(path, "://") == NULL;
}

static bool kecs__sqlite_shares(const char *path) {
  return strcmp(path, ":memory:") != 0;
}

static void kecs__sqlite_rollback(kecs_connection *connection) {
  /* SQLite rolls back by itself after some failures; a second ROLLBACK is then an error of no interest. The stop hook
   * is out of the way: a rollback must happen when the deadline has passed, too. */
  if (!sqlite3_get_autocommit(connection->db)) {
    connection->deaf = true;
    (void)sqlite3_step(connection->rollback);
    (void)sqlite3_reset(connection->rollback);
    connection->deaf = false;
  }
}

static kecs_status kecs__sqlite_begin(kecs_connection *connection, bool write) {
  kecs__sqlite_rollback(connection); /* of a transaction whose own rollback failed; does nothing otherwise */
  return kecs__sqlite_run_fixed(connection, write ? &connection->begin_write : &connection->begin_read);
}

static kecs_status kecs__sqlite_commit(kecs_connection *connection) {
  return kecs__sqlite_run_fixed(connection, &connection->commit);
}

static bool kecs__sqlite_in_transaction(kecs_connection *connection) {
  return !sqlite3_get_autocommit(connection->db);
}

static kecs_status kecs__sqlite_execute(kecs_connection *connection, const char *sql) {
  int rc = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? KECS_OK : kecs__sqlite_fail(connection, rc, "run a statement");
}

static kecs_status kecs__sqlite_prepare(kecs_connection *connection, const char *sql, size_t len,
                                        kecs_statement **out_statement) {
  *out_statement = NULL;
  if (len > INT_MAX) {
    return kecs__fail(KECS_E_INVALID, "a statement of %zu bytes is too long", len);
  }
  kecs_statement *statement = kecs__alloc(connection->allocator, sizeof *statement);
  if (!statement) {
    return KECS_E_NOMEM;
  }
  statement->connection = connection;
  int rc = sqlite3_prepare_v3(connection->db, sql, (int)len, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL);
  if (rc != SQLITE_OK) {
    kecs_status status = kecs__sqlite_fail(connection, rc, "prepare a statement");
    kecs__release(connection->allocator, statement, sizeof *statement);
    return status;
  }
  *out_statement = statement;
  return KECS_OK;
}

static int kecs__sqlite_bind(sqlite3_stmt *handle, int at, const kecs_value *value) {
  switch (value->type) {
    case KECS_VALUE_NULL:
      return sqlite3_bind_null(handle, at);
    case KECS_VALUE_TEXT:
      return sqlite3_bind_text64(handle, at, value->text, (sqlite3_uint64)value->len, SQLITE_STATIC, SQLITE_UTF8);
    case KECS_VALUE_INT:
    case KECS_VALUE_BOOL:
    case KECS_VALUE_TIME:
      break;
  }
  return sqlite3_bind_int64(handle, at, value->number);
}

static kecs_status kecs__sqlite_start(kecs_statement *statement, const kecs_value *parameters, int count) {
  for (int i = 0; i < count; i++) {
    int rc = kecs__sqlite_bind(statement->handle, i + 1, &parameters[i]);
    if (rc != SQLITE_OK) {
      return kecs__sqlite_fail(statement->connection, rc, "bind a value");
    }
  }
  return KECS_OK;
}

static kecs_status kecs__sqlite_step(kecs_statement *statement, bool *out_row) {
  /* Only what gives rows is stopped half-way. SQLite asks the progress hook once more when a statement has done its
   * work, so that a write would be told as stopped and be in the transaction all the same; and a write that is stopped
   * before that takes the whole transaction with it. */
  statement->connection->deaf = sqlite3_column_count(statement->handle) == 0;
  int rc = sqlite3_step(statement->handle);
  statement->connection->deaf = false;
  *out_row = rc == SQLITE_ROW;
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
    return KECS_OK;
  }
  return kecs__sqlite_fail(statement->connection, rc, "run a statement");
}

static void kecs__sqlite_column(sqlite3_value *value, kecs_value *out) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      out->type = KECS_VALUE_INT;
      out->number = sqlite3_value_int64(value);
      break;
    case SQLITE_NULL:
      out->type = KECS_VALUE_NULL;
      out->number = 0;
      break;
    default:
      out->type = KECS_VALUE_TEXT;
      out->text = (const char *)sqlite3_value_text(value);
      out->len = (size_t)sqlite3_value_bytes(value);
      break;
  }
}

/* Where the type is known, fewer calls do: the tables are STRICT, so a column holds its type or NULL. */
static void kecs__sqlite_columns(kecs_statement *statement, const kecs_value_type *types, kecs_value *out, int count) {
  for (int i = 0; i < count; i++) {
    kecs_value_type type = types ? types[i] : KECS_VALUE_NULL;
    if (type == KECS_VALUE_NULL) {
      kecs__sqlite_column(sqlite3_column_value(statement->handle, i), &out[i]);
    } else if (type == KECS_VALUE_TEXT) {
      sqlite3_value *value = sqlite3_column_value(statement->handle, i);
      out[i].text = (const char *)sqlite3_value_text(value);
      out[i].type = KECS_VALUE_NULL;
      if (out[i].text) {
        out[i].type = KECS_VALUE_TEXT;
        out[i].len = (size_t)sqlite3_value_bytes(value);
      } else if (sqlite3_value_type(value) != SQLITE_NULL) {
        out[i].type = KECS_VALUE_TEXT; /* without a text: there was no memory for it */
        out[i].len = 0;
      }
    } else {
      out[i].type = type;
      out[i].number = sqlite3_column_int64(statement->handle, i);
    }
  }
}

static void kecs__sqlite_reset(kecs_statement *statement) {
  (void)sqlite3_reset(statement->handle); /* repeats the step's error, which has been told */
}

static void kecs__sqlite_finish(kecs_statement *statement) {
  (void)sqlite3_finalize(statement->handle);
  kecs__release(statement->connection->allocator, statement, sizeof *statement);
}

static int64_t kecs__sqlite_changes(kecs_connection *connection) {
  return sqlite3_changes(connection->db);
}

static int64_t kecs__sqlite_changes_ever(kecs_connection *connection) {
  return sqlite3_total_changes(connection->db);
}

static int64_t kecs__sqlite_last_rid(kecs_connection *connection) {
  return sqlite3_last_insert_rowid(connection->db);
}

/* Runs a query that gives names and hands each to `visit`. */
static kecs_status kecs__sqlite_names(kecs_connection *connection, const char *sql, const char *parameter,
                                      kecs_status (*visit)(const char *name, void *user), void *user) {
  sqlite3_stmt *handle = NULL;
  int rc = sqlite3_prepare_v2(connection->db, sql, -1, &handle, NULL);
  if (rc == SQLITE_OK && parameter) {
    rc = sqlite3_bind_text(handle, 1, parameter, -1, SQLITE_STATIC);
  }
  kecs_status status = KECS_OK;
  while (!status && rc == SQLITE_OK) {
    int step = sqlite3_step(handle);
    if (step == SQLITE_DONE) {
      break;
    }
    if (step != SQLITE_ROW) {
      rc = step;
      break;
    }
    const char *name = (const char *)sqlite3_column_text(handle, 0);
    status = name ? visit(name, user) : kecs__fail_nomem();
  }
  if (rc != SQLITE_OK) {
    status = kecs__sqlite_fail(connection, rc, "read the schema");
  }
  (void)sqlite3_finalize(handle);
  return status;
}

static kecs_status kecs__sqlite_table_columns(kecs_connection *connection, const char *table,
                                              kecs_status (*visit)(const char *column, void *user), void *user) {
  return kecs__sqlite_names(connection, "SELECT name FROM pragma_table_info(?1)", table, visit, user);
}

static kecs_status kecs__sqlite_table_names(kecs_connection *connection,
                                            kecs_status (*visit)(const char *table, void *user), void *user) {
  return kecs__sqlite_names(connection,
                            "SELECT name FROM sqlite_schema WHERE type='table' AND substr(name,1,7)<>'sqlite_'", NULL,
                            visit, user);
}

static kecs_status kecs__sqlite_guard(kecs_connection *connection, bool on) {
  int rc = sqlite3_db_config(connection->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, on ? 1 : 0, (int *)NULL);
  return rc == SQLITE_OK ? KECS_OK : kecs__sqlite_fail(connection, rc, "switch triggers");
}

static const kecs_backend kecs__sqlite_table = {
    .abi = KECS_BACKEND_ABI,
    .name = "sqlite",
    .answers_to = kecs__sqlite_answers_to,
    .shares = kecs__sqlite_shares,
    .attach = kecs__sqlite_attach,
    .detach = kecs__sqlite_detach,
    .one_writer = true,
    .connect = kecs__sqlite_connect,
    .disconnect = kecs__sqlite_disconnect,
    .settle = kecs__sqlite_settle,
    .keep_out = NULL,
    .begin = kecs__sqlite_begin,
    .commit = kecs__sqlite_commit,
    .rollback = kecs__sqlite_rollback,
    .in_transaction = kecs__sqlite_in_transaction,
    .execute = kecs__sqlite_execute,
    .prepare = kecs__sqlite_prepare,
    .start = kecs__sqlite_start,
    .step = kecs__sqlite_step,
    .columns = kecs__sqlite_columns,
    .reset = kecs__sqlite_reset,
    .finish = kecs__sqlite_finish,
    .tidy = kecs__sqlite_tidy,
    .changes = kecs__sqlite_changes,
    .last_rid = kecs__sqlite_last_rid,
    .table_columns = kecs__sqlite_table_columns,
    .table_names = kecs__sqlite_table_names,
    .describe = kecs__sqlite_describe,
    .guard = kecs__sqlite_guard,
    .mark = kecs__sqlite_mark,
    .changes_ever = kecs__sqlite_changes_ever,
};

#if defined(KECS_STORE_NO_THREADS)
#define KECS__BUILD_THREADS "no threads"
#else
#define KECS__BUILD_THREADS "threads"
#endif
#if defined(KECS_STORE_STATIC)
#define KECS__BUILD_LINKAGE ", static"
#else
#define KECS__BUILD_LINKAGE ""
#endif

KECS_STORE_API const char *kecs_build_info(void) {
  return "kecs_store " KECS_STORE_VERSION ", " KECS__BUILD_THREADS KECS__BUILD_LINKAGE ", SQLite " SQLITE_VERSION
         " (" SQLITE_SOURCE_ID ")";
}

KECS_STORE_API const kecs_backend *kecs_sqlite_backend(void) {
  return &kecs__sqlite_table;
}
