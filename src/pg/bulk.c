/* pg/bulk.c -- many rows at once: few of them as INSERTs that are sent together, more by binary COPY.
 *
 * A COPY costs two exchanges with the server before its first row; from some thirty rows on it is the faster way. It
 * takes the rows as they come, a value its length and its bytes, numbers with the highest byte first. */
#include "pg/prologue.h"

#include "pg/bulk.h"

#include <stdio.h>
#include <string.h>

#define KECS_PG__COPY_MIN 30    /* rows */
#define KECS_PG__SEND_MAX 64    /* INSERTs that are sent before an answer is read: the answers wait in the socket */
#define KECS_PG__BUFFER 65536   /* bytes of rows that are handed to libpq at once */
#define KECS_PG__COPY_SQL 8192

/* ---- few ---- */

typedef struct kecs_pg__few {
  kecs_pg__statement *statement;
  const kecs_value *values; /* of the first row that is sent now */
  int count;
} kecs_pg__few;

static void kecs_pg__bind_row(void *user, int time) {
  kecs_pg__few *few = user;
  for (int i = 0; i < few->count; i++) {
    kecs_pg__bind(few->statement, i, &few->values[time * few->count + i]);
  }
}

static kecs_status kecs_pg__run_few(kecs_pg__statement *statement, const kecs_value *values, int count, size_t rows,
                                       bool *commit) {
  kecs_pg__few few = {statement, values, count};
  kecs_status status = kecs_pg__reserve_parameters(statement, count);
  statement->connection->changes = 0;
  while (!status && rows > 0) {
    size_t now = rows < KECS_PG__SEND_MAX ? rows : KECS_PG__SEND_MAX;
    kecs_pg__message message = {0};
    message.count = count;
    message.times = (int)now;
    message.bind = kecs_pg__bind_row;
    message.user = &few;
    message.commits = *commit && now == rows;
    status = kecs_pg__run(statement, &message);
    statement->connection->changes += message.changes;
    PQclear(statement->result);
    statement->result = NULL;
    few.values += now * (size_t)count;
    rows -= now;
  }
  statement->connection->committed = !status && *commit;
  return status;
}

/* ---- many ---- */

KECS_PG__FN void kecs_pg__copy_begin(kecs_pg__text *out) {
  static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and the terminator: no flags, no extension */
  kecs_pg__text_add(out, head, sizeof head);
}

/* `size` bytes, at most 8, with the highest first. */
static void kecs_pg__copy_number(kecs_pg__text *out, int64_t number, int size) {
  char bytes[8];
  for (int i = 0; i < size; i++) {
    bytes[i] = (char)(unsigned char)((uint64_t)number >> (8 * (size - 1 - i)));
  }
  kecs_pg__text_add(out, bytes, (size_t)size);
}

KECS_PG__FN void kecs_pg__copy_row(kecs_pg__text *out, int count) {
  kecs_pg__copy_number(out, count, 2);
}

KECS_PG__FN void kecs_pg__copy_text(kecs_pg__text *out, const char *text, size_t len) {
  kecs_pg__copy_number(out, (int64_t)len, 4);
  kecs_pg__text_add(out, text, len);
}

KECS_PG__FN void kecs_pg__copy_value(kecs_pg__text *out, const kecs_value *value) {
  bool truth = value->type == KECS_VALUE_BOOL;
  if (value->type == KECS_VALUE_NULL) {
    kecs_pg__copy_number(out, -1, 4);
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs_pg__copy_text(out, value->text, value->len);
  } else {
    kecs_pg__copy_number(out, truth ? 1 : 8, 4);
    kecs_pg__copy_number(out, truth ? value->number != 0 : value->number, truth ? 1 : 8);
  }
}

KECS_PG__FN void kecs_pg__copy_end_rows(kecs_pg__text *out) {
  kecs_pg__copy_number(out, -1, 2);
}

typedef struct kecs_pg__loading {
  kecs_pg__connection *connection;
  bool own; /* a table of the store's, whose rows lead with the tenant */
  kecs_pg__text rows; /* that libpq does not have yet */
} kecs_pg__loading;

static kecs_status kecs_pg__load_begin(const kecs_pg__loading *load, const char *table, const char *columns) {
  char sql[KECS_PG__COPY_SQL];
  kecs_pg__connection *connection = load->connection;
  PGresult *result = NULL;
  int len = snprintf(sql, sizeof sql, "COPY %s%s(%s%s) FROM STDIN (FORMAT binary)",
                     load->own ? connection->home->schema : "pg_temp.", table, load->own ? "tenant," : "", columns);
  if (len < 0 || (size_t)len >= sizeof sql) {
    return kecs_pg__fail(KECS_E_MISUSE, "%s has too many columns for one COPY", table);
  }
  kecs_status status = kecs_pg__command(connection, sql, KECS_PG__STOPS, "load rows", &result);
  PQclear(result);
  connection->no_copy = connection->no_copy || status == KECS_E_UNSUPPORTED;
  return status;
}

/* Hands the rows to libpq. False: the connection is lost. */
static bool kecs_pg__load_flush(kecs_pg__loading *load) {
  bool good = PQputCopyData(load->connection->pg, load->rows.data, (int)load->rows.len) == 1;
  load->rows.len = 0;
  return good;
}

static void kecs_pg__load_row(kecs_pg__loading *load, const kecs_value *values, int count) {
  const char *tenant = load->connection->home->settings.tenant;
  kecs_pg__copy_row(&load->rows, count + load->own);
  if (load->own) {
    kecs_pg__copy_text(&load->rows, tenant, strlen(tenant));
  }
  for (int i = 0; i < count; i++) {
    kecs_pg__copy_value(&load->rows, &values[i]);
  }
}

/* Sends the rows; NULL, or why the COPY is to fail. False: the connection is lost. */
static bool kecs_pg__load_rows(kecs_pg__loading *load, const kecs_value *values, int count, size_t rows,
                               const char **out_reason) {
  bool good = true;
  kecs_pg__copy_begin(&load->rows);
  for (size_t i = 0; good && i < rows && !*out_reason; i++) {
    kecs_pg__load_row(load, values + i * (size_t)count, count);
    good = load->rows.len < KECS_PG__BUFFER || kecs_pg__load_flush(load);
    *out_reason = load->rows.status                                        ? "out of memory"
                  : i % 64 == 63 && kecs_pg__stopped(load->connection) ? "stopped"
                                                                       : NULL;
  }
  kecs_pg__copy_end_rows(&load->rows);
  return good && (*out_reason || kecs_pg__load_flush(load));
}

static kecs_status kecs_pg__copy_rows(kecs_pg__connection *connection, bool own, const char *table,
                                      const char *columns, const kecs_value *values, int count, size_t rows) {
  kecs_pg__loading load = {connection, own, {connection->allocator, NULL, 0, 0, KECS_OK}};
  const char *reason = NULL;
  kecs_status status = kecs_pg__load_begin(&load, table, columns);
  if (!status && kecs_pg__load_rows(&load, values, count, rows, &reason)) {
    status = kecs_pg__copy_end(connection, reason);
    status = load.rows.status ? load.rows.status : status;
  } else if (!status) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "load rows");
    kecs_pg__hang_up(connection);
  }
  kecs_pg__text_free(&load.rows);
  return status;
}

static kecs_status kecs_pg__check_open(const kecs_pg__connection *connection) {
  return kecs_pg__in_transaction(connection) ? KECS_OK
                                             : kecs_pg__fail(KECS_E_MISUSE, "the transaction has ended already");
}

KECS_PG__FN kecs_status kecs_pg__load(kecs_connection *shared, const char *table, const char *columns,
                                      const kecs_value *values, int count, size_t rows) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_status status = kecs_pg__check_open(connection);
  return status ? status : kecs_pg__copy_rows(connection, false, table, columns, values, count, rows);
}

KECS_PG__FN kecs_status kecs_pg__repeat(kecs_statement *shared, const kecs_value *values, int count, size_t times,
                                        bool *commit) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  kecs_status status = kecs_pg__check_open(statement->connection);
  return status ? status : kecs_pg__run_few(statement, values, count, times, commit);
}

KECS_PG__FN kecs_status kecs_pg__insert_many(kecs_statement *insert, const char *table, const char *columns,
                                             const kecs_value *values, int count, size_t rows, bool *commit) {
  kecs_pg__statement *statement = kecs_pg__statement_of(insert);
  kecs_pg__connection *connection = statement->connection;
  kecs_status status = kecs_pg__check_open(connection);
  if (status) {
    return status;
  }
  if (rows < KECS_PG__COPY_MIN || connection->no_copy) {
    status = kecs_pg__run_few(statement, values, count, rows, commit);
  } else {
    *commit = false;
    status = kecs_pg__copy_rows(connection, true, table, columns, values, count, rows);
  }
  connection->changes = status ? 0 : (int64_t)rows;
  return status;
}
