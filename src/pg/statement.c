/* pg/statement.c -- statements.
 *
 * A result is read to its end before the first row is given: the connection is free for the next statement then, as the
 * store expects. Walks come in pages (kecs_dialect.whole_results). */
#include "pg/prologue.h"

#include "pg/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__NAMES_MAX                                                                                          \
  1000                        /* prepared on one connection; beyond it they are all dropped and made anew on demand \
                               */
#define KECS_PG__LOOK_ROWS 16 /* between two looks at deadline and cancel */

/* Types of the columns that our statements give; the numbers are PostgreSQL's and never change. */
enum { KECS_PG__OID_BOOL = 16, KECS_PG__OID_INT8 = 20, KECS_PG__OID_INT4 = 23 };

KECS_PG__FN kecs_pg__statement *kecs_pg__statement_of(kecs_statement *statement) {
  return (kecs_pg__statement *)(void *)statement;
}

static kecs_pg__verb kecs_pg__verb_of(const char *sql) {
  if (strncmp(sql, "SELECT", 6) == 0) {
    return KECS_PG__READS;
  }
  return strncmp(sql, "INSERT", 6) == 0 || strncmp(sql, "UPDATE", 6) == 0 || strncmp(sql, "DELETE", 6) == 0 ||
                 strncmp(sql, "WITH", 4) == 0
             ? KECS_PG__WRITES
             : KECS_PG__STEERS;
}

/* ---- names ---- */

/* FNV-1a twice, from two beginnings. */
KECS_PG__FN kecs_pg__name kecs_pg__name_of(const char *sql, size_t len) {
  kecs_pg__name name = {UINT64_C(0xCBF29CE484222325), UINT64_C(0x84222325CBF29CE4)};
  for (size_t i = 0; i < len; i++) {
    name.low = (name.low ^ (unsigned char)sql[i]) * UINT64_C(0x100000001B3);
    name.high = (name.high ^ (unsigned char)sql[i] ^ (name.low >> 32)) * UINT64_C(0x100000001B3);
  }
  return name;
}

KECS_PG__FN void kecs_pg__name_text(const kecs_pg__name *name, char out[KECS_PG__NAME_SIZE]) {
  snprintf(out, KECS_PG__NAME_SIZE, "kecs_%016llx%016llx", (unsigned long long)name->high,
           (unsigned long long)name->low);
}

/* The names are an open-addressing table: a statement looks itself up each time it runs. */
static kecs_pg__name *kecs_pg__name_slot(const kecs_pg__connection *connection, const kecs_pg__name *name) {
  size_t at = (size_t)name->low & (connection->name_room - 1);
  kecs_pg__name *slot = &connection->names[at];
  while ((slot->low || slot->high) && (slot->low != name->low || slot->high != name->high)) {
    at = (at + 1) & (connection->name_room - 1);
    slot = &connection->names[at];
  }
  return slot;
}

KECS_PG__FN bool kecs_pg__is_prepared(const kecs_pg__connection *connection, const kecs_pg__name *name) {
  return connection->name_count > 0 && kecs_pg__name_slot(connection, name)->low == name->low;
}

KECS_PG__FN void kecs_pg__note_prepared(kecs_pg__connection *connection, const kecs_pg__name *name) {
  *kecs_pg__name_slot(connection, name) = *name;
  connection->name_count++;
}

/* The count of 0 says that the table's content is of an older connection. */
KECS_PG__FN kecs_status kecs_pg__names_reserve(kecs_pg__connection *connection, size_t more) {
  if (!connection->names) {
    size_t room = 2048; /* twice KECS_PG__NAMES_MAX, a power of two */
    connection->names = kecs_pg__alloc(connection->allocator, room * sizeof *connection->names);
    if (!connection->names) {
      return KECS_E_NOMEM;
    }
    connection->name_room = room;
  }
  kecs_status status = KECS_OK;
  if (connection->name_count + more > KECS_PG__NAMES_MAX) {
    status = kecs_pg__command(connection, "DEALLOCATE ALL", KECS_PG__STOPS, "drop prepared statements", NULL);
    connection->name_count = 0;
    connection->id_prepared = false;
  }
  if (connection->name_count == 0) {
    memset(connection->names, 0, connection->name_room * sizeof *connection->names);
  }
  return status;
}

/* ---- parameters ---- */

static void kecs_pg__drop_parameters(kecs_pg__statement *statement) {
  const kecs_allocator *allocator = statement->connection->allocator;
  size_t room = (size_t)statement->room;
  kecs_pg__release(allocator, (void *)statement->values, room * sizeof *statement->values);
  kecs_pg__release(allocator, statement->lengths, room * sizeof *statement->lengths);
  kecs_pg__release(allocator, statement->formats, room * sizeof *statement->formats);
  kecs_pg__release(allocator, statement->numbers, room * sizeof *statement->numbers);
  statement->values = NULL;
  statement->lengths = NULL;
  statement->formats = NULL;
  statement->numbers = NULL;
  statement->room = 0;
}

KECS_PG__FN kecs_status kecs_pg__reserve_parameters(kecs_pg__statement *statement, int count) {
  const kecs_allocator *allocator = statement->connection->allocator;
  size_t room = (size_t)count;
  if (count <= statement->room) {
    return KECS_OK;
  }
  kecs_pg__drop_parameters(statement);
  statement->room = count;
  statement->values = kecs_pg__alloc(allocator, room * sizeof *statement->values);
  statement->lengths = kecs_pg__alloc(allocator, room * sizeof *statement->lengths);
  statement->formats = kecs_pg__alloc(allocator, room * sizeof *statement->formats);
  statement->numbers = kecs_pg__alloc(allocator, room * sizeof *statement->numbers);
  if (!statement->values || !statement->lengths || !statement->formats || !statement->numbers) {
    kecs_pg__drop_parameters(statement);
    return KECS_E_NOMEM;
  }
  return KECS_OK;
}

KECS_PG__FN void kecs_pg__bind(kecs_pg__statement *statement, int at, const kecs_value *value) {
  unsigned char *number = statement->numbers[at];
  statement->formats[at] = 1;
  statement->lengths[at] = 8;
  statement->values[at] = (const char *)number;
  switch (value->type) {
    case KECS_VALUE_NULL:
      statement->values[at] = NULL;
      break;
    case KECS_VALUE_TEXT:
      statement->values[at] = value->text;
      statement->lengths[at] = (int)value->len;
      break;
    case KECS_VALUE_BOOL:
      number[0] = value->number != 0;
      statement->lengths[at] = 1;
      break;
    case KECS_VALUE_INT:
    case KECS_VALUE_TIME:
      for (int i = 0; i < 8; i++) {
        number[i] = (unsigned char)((uint64_t)value->number >> (56 - 8 * i));
      }
      break;
  }
}

/* ---- running ---- */

KECS_PG__FN kecs_status kecs_pg__prepare(kecs_connection *shared, const char *sql, size_t len,
                                         kecs_statement **out_statement) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const size_t tells = sizeof KECS_PG__TELLS_ID - 1;
  *out_statement = NULL;
  kecs_pg__statement *statement = kecs_pg__alloc(connection->allocator, sizeof *statement);
  char *copy = statement ? kecs_pg__copy(connection->allocator, sql, len) : NULL;
  if (!copy) {
    kecs_pg__release(connection->allocator, statement, sizeof *statement);
    return KECS_E_NOMEM;
  }
  statement->connection = connection;
  statement->sql = copy;
  statement->len = len;
  statement->verb = kecs_pg__verb_of(copy);
  statement->tells_id = len >= tells && memcmp(copy + len - tells, KECS_PG__TELLS_ID, tells) == 0;
  statement->name = kecs_pg__name_of(copy, len);
  *out_statement = (kecs_statement *)(void *)statement;
  return KECS_OK;
}

/* SAVEPOINT and RELEASE can wait; a ROLLBACK TO undoes what has failed, and must come through. What is too long to wait
 * takes along what does. */
static kecs_status kecs_pg__steer(kecs_pg__statement *statement) {
  bool inside = strncmp(statement->sql, "ROLLBACK", 8) != 0 && kecs_pg__in_transaction(statement->connection);
  if (inside && statement->len < KECS_PG__WAITING_SIZE) {
    return kecs_pg__defer(statement->connection, statement->sql);
  }
  if (inside) {
    kecs_pg__message message = {0};
    message.sql = statement->sql;
    return kecs_pg__exchange(statement->connection, &message, KECS_PG__STOPS, "run a statement", NULL);
  }
  return kecs_pg__command(statement->connection, statement->sql, KECS_PG__PATIENT, "run a statement", NULL);
}

KECS_PG__FN kecs_status kecs_pg__run(kecs_pg__statement *statement, kecs_pg__message *message) {
  kecs_pg__connection *connection = statement->connection;
  char name[KECS_PG__NAME_SIZE];
  message->sql = statement->sql;
  message->binary = true;
  message->tells_id = statement->tells_id;
  /* One that touches no row tells nothing, which says enough only where nothing was written before. */
  message->ask_id = statement->verb == KECS_PG__WRITES && connection->transaction == 0 &&
                    !(message->tells_id && connection->begin_waits);
  message->values = statement->values;
  message->lengths = statement->lengths;
  message->formats = statement->formats;
  kecs_status status = KECS_OK;
  if (connection->named) {
    kecs_pg__name_text(&statement->name, name);
    message->name = name;
    message->prepare = !kecs_pg__is_prepared(connection, &statement->name);
    status = message->prepare ? kecs_pg__names_reserve(connection, 1) : KECS_OK;
  }
  if (!status) {
    status = kecs_pg__exchange(connection, message, KECS_PG__STOPS, "run a statement", &statement->result);
  }
  if (message->prepared) {
    kecs_pg__note_prepared(connection, &statement->name);
  }
  message->name = NULL;
  message->prepared = false;
  return status;
}

/* `last`: with the COMMIT behind it. */
static kecs_status kecs_pg__run_once(kecs_pg__statement *statement, int count, bool last) {
  kecs_pg__message message = {0};
  if (statement->verb == KECS_PG__STEERS) {
    return kecs_pg__steer(statement);
  }
  message.count = count;
  message.commits = last;
  return kecs_pg__run(statement, &message);
}

/* What SQLite's connection remembers of its last statement. */
static void kecs_pg__remember(kecs_pg__statement *statement) {
  kecs_pg__connection *connection = statement->connection;
  statement->row = -1;
  statement->rows = statement->result ? PQntuples(statement->result) : 0;
  if (statement->verb != KECS_PG__WRITES) {
    return;
  }
  connection->changes = strtoll(PQcmdTuples(statement->result), NULL, 10);
  bool has_rid = statement->rows == 1 && PQnfields(statement->result) == 1 + statement->tells_id;
  if (has_rid && PQftype(statement->result, 0) == KECS_PG__OID_INT8) {
    connection->last_rid = kecs_pg__number(PQgetvalue(statement->result, 0, 0), 8);
  }
}

/* Gets the connection and the parameters ready. */
static kecs_status kecs_pg__set_out(kecs_pg__statement *statement, const kecs_value *parameters, int count) {
  bool outside = !kecs_pg__in_transaction(statement->connection);
  if (outside && statement->verb == KECS_PG__WRITES) {
    return kecs_pg__fail(KECS_E_MISUSE,
                         "the database has rolled the transaction back after an earlier error; end it "
                         "with kecs_rollback and begin again");
  }
  kecs_status status = kecs_pg__reserve_parameters(statement, count);
  if (!status && outside) {
    status = kecs_pg__ready(statement->connection);
  }
  for (int i = 0; !status && i < count; i++) {
    kecs_pg__bind(statement, i, &parameters[i]);
  }
  return status;
}

static kecs_status kecs_pg__start_as(kecs_statement *shared, const kecs_value *parameters, int count, bool last) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  kecs_pg__connection *connection = statement->connection;
  kecs_pg__reset(shared);
  bool first = !kecs_pg__in_transaction(connection) || connection->begin_waits;
  kecs_status status = kecs_pg__set_out(statement, parameters, count);
  if (status) {
    return status;
  }
  kecs_error before = *kecs_last_error();
  bool standby = connection->splits && connection->standby;
  status = kecs_pg__run_once(statement, count, last);
  bool elsewhere = status == KECS_E_OFFLINE || status == KECS_E_READONLY ||
                   (standby && status && status != KECS_E_CANCELLED && status != KECS_E_NOMEM);
  if (elsewhere && first && (!connection->pg || connection->doomed)) {
    /* The server had gone since the last call, or was demoted. A read outside a transaction can simply be asked again,
     * and so can a transaction that begins with this statement: no COMMIT has run. */
    status = kecs_pg__ready(connection);
    status = status ? status : kecs_pg__run_once(statement, count, last);
    if (!status) {
      kecs_pg__restore(&before);
    }
  }
  if (!status) {
    kecs_pg__remember(statement);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_pg__start(kecs_statement *shared, const kecs_value *parameters, int count) {
  return kecs_pg__start_as(shared, parameters, count, false);
}

KECS_PG__FN kecs_status kecs_pg__start_last(kecs_statement *shared, const kecs_value *parameters, int count) {
  kecs_pg__connection *connection = kecs_pg__statement_of(shared)->connection;
  if (!connection->begin_waits && !kecs_pg__alive(connection)) { /* COMMIT was not sent: nothing is in doubt */
    kecs_status lost = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "commit");
    kecs_pg__hang_up(connection);
    return lost;
  }
  kecs_status status = kecs_pg__start_as(shared, parameters, count, true);
  connection->committed = !status;
  return status;
}

KECS_PG__FN kecs_status kecs_pg__step(kecs_statement *shared, bool *out_row) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  statement->row++;
  *out_row = statement->row < statement->rows;
  if (statement->row % KECS_PG__LOOK_ROWS == KECS_PG__LOOK_ROWS - 1 && kecs_pg__stopped(statement->connection)) {
    return kecs_pg__fail(KECS_E_CANCELLED, "the walk was stopped");
  }
  return KECS_OK;
}

/* What the server says that a column is. */
static kecs_value_type kecs_pg__type_of(const PGresult *result, int column) {
  switch (PQftype(result, column)) {
    case KECS_PG__OID_INT8:
    case KECS_PG__OID_INT4: return KECS_VALUE_INT;
    case KECS_PG__OID_BOOL: return KECS_VALUE_BOOL;
    default: return KECS_VALUE_TEXT;
  }
}

/* A page has thousands of values: libpq is asked as little as can be. Its values are terminated. */
KECS_PG__FN void kecs_pg__columns(kecs_statement *shared, const kecs_value_type *types, kecs_value *out, int count) {
  const kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  const PGresult *result = statement->result;
  int row = statement->row;
  for (int i = 0; i < count; i++) {
    kecs_value_type type = types && types[i] ? types[i] : kecs_pg__type_of(result, i);
    int len = PQgetlength(result, row, i);
    kecs_value *value = &out[i];
    if (len == 0 && PQgetisnull(result, row, i)) {
      value->type = KECS_VALUE_NULL;
      value->len = 0;
      value->text = NULL;
      value->number = 0;
      continue;
    }
    const char *bytes = PQgetvalue(result, row, i);
    bool is_text = type == KECS_VALUE_TEXT;
    value->type = type == KECS_VALUE_TIME ? KECS_VALUE_INT : type;
    value->len = is_text ? (size_t)len : 0;
    value->text = is_text ? bytes : NULL;
    value->number = is_text ? 0 : type == KECS_VALUE_BOOL ? bytes[0] != 0 : kecs_pg__number(bytes, len);
  }
}

KECS_PG__FN void kecs_pg__reset(kecs_statement *shared) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  if (!statement->lent) {
    PQclear(statement->result);
  }
  statement->result = NULL;
  statement->lent = false;
  statement->rows = 0;
}

KECS_PG__FN void kecs_pg__finish(kecs_statement *shared) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  const kecs_allocator *allocator = statement->connection->allocator;
  kecs_pg__reset(shared);
  kecs_pg__drop_parameters(statement);
  kecs_pg__release(allocator, statement->sql, statement->len + 1);
  kecs_pg__release(allocator, statement, sizeof *statement);
}
