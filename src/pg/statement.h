/* pg/statement.h -- statements: named ones are prepared on first use, results are read whole and in binary. */
#ifndef KECS_PG_STATEMENT_H
#define KECS_PG_STATEMENT_H
#include "pg/connection.h"

typedef enum kecs_pg__verb {
  KECS_PG__READS,  /* SELECT */
  KECS_PG__WRITES, /* INSERT, UPDATE, DELETE, also after a WITH: never outside a transaction */
  KECS_PG__STEERS  /* SAVEPOINT and its like: no parameters, never prepared; they run in a failed transaction, too */
} kecs_pg__verb;

typedef struct kecs_pg__statement {
  kecs_pg__connection *connection;
  char *sql;
  size_t len;
  kecs_pg__verb verb;
  bool tells_id; /* what its transaction is called */
  kecs_pg__name name;
  PGresult *result;
  bool lent; /* the result is somebody else's */
  int row;  /* the current one */
  int rows; /* in the result */
  int room; /* for parameters */
  const char **values;
  int *lengths;
  int *formats;
  unsigned char (*numbers)[8];
} kecs_pg__statement;

KECS_PG__FN kecs_pg__statement *kecs_pg__statement_of(kecs_statement *statement);

/* Room for so many parameters. */
KECS_PG__FN kecs_status kecs_pg__reserve_parameters(kecs_pg__statement *statement, int count);

/* Parameter number `at`, from 0. Everything travels in binary: texts are their bytes, numbers 8 bytes with the highest
 * first. */
KECS_PG__FN void kecs_pg__bind(kecs_pg__statement *statement, int at, const kecs_value *value);

/* What a text is known by: 128 bits, so that two texts never share a name. */
KECS_PG__FN kecs_pg__name kecs_pg__name_of(const char *sql, size_t len);

/* Names under which statements are prepared: their text, whether the server knows one, that it will, and room for so
 * many more. */
KECS_PG__FN void kecs_pg__name_text(const kecs_pg__name *name, char out[KECS_PG__NAME_SIZE]);
KECS_PG__FN bool kecs_pg__is_prepared(const kecs_pg__connection *connection, const kecs_pg__name *name);
KECS_PG__FN void kecs_pg__note_prepared(kecs_pg__connection *connection, const kecs_pg__name *name);
KECS_PG__FN kecs_status kecs_pg__names_reserve(kecs_pg__connection *connection, size_t more);

/* Sends the statement as the message says, under its name where it has one; the result is the statement's. */
KECS_PG__FN kecs_status kecs_pg__run(kecs_pg__statement *statement, kecs_pg__message *message);

/* The functions of kecs_backend of the same names. */
KECS_PG__FN kecs_status kecs_pg__prepare(kecs_connection *connection, const char *sql, size_t len,
                                         kecs_statement **out_statement);
KECS_PG__FN kecs_status kecs_pg__start(kecs_statement *statement, const kecs_value *parameters, int count);
KECS_PG__FN kecs_status kecs_pg__start_last(kecs_statement *statement, const kecs_value *parameters, int count);
KECS_PG__FN kecs_status kecs_pg__step(kecs_statement *statement, bool *out_row);
KECS_PG__FN void kecs_pg__columns(kecs_statement *statement, const kecs_value_type *types, kecs_value *out, int count);
KECS_PG__FN void kecs_pg__reset(kecs_statement *statement);
KECS_PG__FN void kecs_pg__finish(kecs_statement *statement);

#endif
