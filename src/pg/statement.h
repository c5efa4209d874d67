/* pg/statement.h -- statements: named ones are prepared on first use, results are read whole and in binary. */
#ifndef KECS_PG_STATEMENT_H
#define KECS_PG_STATEMENT_H
#include "pg/connection.h"

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
