/* store/sql.h -- descriptors to SQL text: pure functions, no database. Texts hold identifiers from the kind files and
 * placeholders, never a value. */
#ifndef KECS_STORE_SQL_H
#define KECS_STORE_SQL_H
#include "store/statements.h"

/* The text of one of the fixed operations. Parameters: the key's columns in order, or rid; for INSERT every column in
 * order; for UPDATE the masked columns in order and then rid. READ_FIELDS and READ_RID give rid first. */
KECS__FN void kecs__sql_build(kecs__text *out, const kecs_dialect *dialect, const kecs__meta *meta, kecs__op op,
                              uint64_t mask);

/* "?7" or "$7". */
KECS__FN void kecs__sql_placeholder(kecs__text *out, const kecs_dialect *dialect, int number);

/* CREATE TABLE, with the change log's stamps or without, and each CREATE INDEX, of a kind. IF NOT EXISTS throughout. */
KECS__FN void kecs__ddl_table(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info, bool stamps);
KECS__FN void kecs__ddl_indexes(kecs__text *out, const kecs_kind_info *info);

/* The tables beside the kinds': the schema's version, the families' revision counters, the load balancers' links. */
KECS__FN void kecs__ddl_side_tables(kecs__text *out, const kecs_dialect *dialect);

/* ALTER TABLE ... ADD COLUMN for a column that an older schema lacks. */
KECS__FN void kecs__ddl_add_column(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                                   int column);

#endif
