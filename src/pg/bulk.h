/* pg/bulk.h -- many rows at once. */
#ifndef KECS_PG_BULK_H
#define KECS_PG_BULK_H
#include "pg/statement.h"
#include "pg/text.h"

/* The functions of kecs_backend of these names. */
KECS_PG__FN kecs_status kecs_pg__insert_many(kecs_statement *insert, const char *table, const char *columns,
                                             const kecs_value *values, int count, size_t rows, bool *commit);
KECS_PG__FN kecs_status kecs_pg__repeat(kecs_statement *statement, const kecs_value *values, int count, size_t times,
                                        bool *commit);
KECS_PG__FN kecs_status kecs_pg__load(kecs_connection *connection, const char *table, const char *columns,
                                      const kecs_value *values, int count, size_t rows);

/* What a binary COPY takes, put together: the head; for each row the number of its values, and these; the end. */
KECS_PG__FN void kecs_pg__copy_begin(kecs_pg__text *out);
KECS_PG__FN void kecs_pg__copy_row(kecs_pg__text *out, int count);
KECS_PG__FN void kecs_pg__copy_text(kecs_pg__text *out, const char *text, size_t len);
KECS_PG__FN void kecs_pg__copy_value(kecs_pg__text *out, const kecs_value *value);
KECS_PG__FN void kecs_pg__copy_end_rows(kecs_pg__text *out);

#endif
