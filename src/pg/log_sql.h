/* pg/log_sql.h -- the texts of the change log on PostgreSQL: its tables, its functions, and each kind's triggers. */
#ifndef KECS_PG_LOG_SQL_H
#define KECS_PG_LOG_SQL_H
#include "pg/text.h"
#include "pg/wire.h"

/* The tables, the clock and what numbers, made where they are missing; functions are made anew. */
KECS_PG__FN void kecs_pg__log_tables(kecs_pg__text *out, const kecs_pg__connection *connection);

/* A kind's stamps, and the triggers that log what is done to it; in the place of earlier ones. */
KECS_PG__FN void kecs_pg__log_triggers(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info);

/* What takes the triggers away. Stamps stay. */
KECS_PG__FN void kecs_pg__log_no_triggers(kecs_pg__text *out, const kecs_pg__connection *connection,
                                          const kecs_kind_info *info);

/* "LOCK TABLE ... IN SHARE MODE": whoever writes now is waited for, and nobody begins to write until the end of the
 * transaction. */
KECS_PG__FN void kecs_pg__log_lock(kecs_pg__text *out, const kecs_pg__connection *connection);

/* A fixed text: {S} is the schema with its dot, {T} the tenant as a literal, {clock} the clock's name as a literal,
 * {text} the type of texts, {tables} the schema's name as a literal. */
KECS_PG__FN void kecs_pg__log_text(kecs_pg__text *out, const kecs_pg__connection *connection, const char *form);

#endif
