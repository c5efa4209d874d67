/* store/sql.h -- descriptors to SQL text: pure functions, no database. Texts hold identifiers from the kind files and
 * placeholders, never a value.
 *
 * The store writes its SQL once, with marks, and kecs__sql_expand makes of it what the database takes:
 *   {TABLE} {TABLE ALIAS}   the table in its schema
 *   {own} {own ALIAS}       the condition that a table's rows are the store's own, with AND: "tenant='default' AND "
 *   {whole}                 that condition as a whole WHERE clause
 *   {tenant}                the tenant's column, with a comma, where a key or the columns of an INSERT are listed
 *   {ours}                  its value, with a comma
 *   {lock}                  in a writing session: locks the rows that a SELECT finds
 *   {rid}                   after an INSERT: gives the new row's rid
 *   {told}                  after another change of one row: what the backend asks for
 *   {find} {bytes} {highest} see kecs_dialect
 *   {shared TABLE}          a table that all tenants share
 *   ?1                      a parameter
 * What belongs to a tenant stands nowhere else: a database without tenants gets nothing in its place. */
#ifndef KECS_STORE_SQL_H
#define KECS_STORE_SQL_H
#include "store/statements.h"

/* Fills in the marks. A statement that mentions a table without saying whose rows, or has an unknown mark, sets the
 * text's status to MISUSE. */
KECS__FN void kecs__sql_expand(kecs__text *out, const kecs_dialect *dialect, bool writing, const char *sql, size_t len);

/* The same for the texts that make tables, which concern every tenant. */
KECS__FN void kecs__sql_expand_ddl(kecs__text *out, const kecs_dialect *dialect, const char *sql, size_t len);

/* The text of one of the fixed operations, with marks. Parameters: the key's columns in order, or rid; for INSERT every
 * column in order; for UPDATE the masked columns in order and then rid; for UPDATE_IF the natural key's columns, the
 * masked ones, updated_at and the version that is wanted (0: any). READ_FIELDS and READ_RID give rid first. */
KECS__FN void kecs__sql_build(kecs__text *out, const kecs__meta *meta, kecs__op op, uint64_t mask);

/* CREATE TABLE, with the change log's stamps or without, and each CREATE INDEX, of a kind, with marks. IF NOT EXISTS
 * throughout. */
KECS__FN void kecs__ddl_table(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info, bool stamps);
KECS__FN void kecs__ddl_indexes(kecs__text *out, const kecs_kind_info *info);

/* The tables beside the kinds': the schema's version, the families' revision counters, the load balancers' links. */
KECS__FN void kecs__ddl_side_tables(kecs__text *out, const kecs_dialect *dialect);

/* ALTER TABLE ... ADD COLUMN for a column that an older schema lacks. */
KECS__FN void kecs__ddl_add_column(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                                   int column);

#endif
