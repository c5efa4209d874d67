/* pg/bulk.h -- many rows at once. */
#ifndef KECS_PG_BULK_H
#define KECS_PG_BULK_H
#include "pg/statement.h"

/* The functions of kecs_backend of these names. */
KECS_PG__FN kecs_status kecs_pg__insert_many(kecs_statement *insert, const char *table, const char *columns,
                                             const kecs_value *values, int count, size_t rows, bool *commit);
KECS_PG__FN kecs_status kecs_pg__repeat(kecs_statement *statement, const kecs_value *values, int count, size_t times,
                                        bool *commit);
KECS_PG__FN kecs_status kecs_pg__load(kecs_connection *connection, const char *table, const char *columns,
                                      const kecs_value *values, int count, size_t rows);

#endif
