/* pg/log.h -- the change log on PostgreSQL: making it, switching it, numbering its entries. */
#ifndef KECS_PG_LOG_H
#define KECS_PG_LOG_H
#include "pg/connection.h"

/* The functions of kecs_backend_log of the same names. */
KECS_PG__FN kecs_status kecs_pg__log_make(kecs_connection *connection);
KECS_PG__FN kecs_status kecs_pg__log_turn(kecs_connection *connection, bool on);
KECS_PG__FN kecs_status kecs_pg__log_number(kecs_connection *connection);
KECS_PG__FN kecs_status kecs_pg__log_hear(kecs_connection *connection, bool *out_listens, bool *out_heard);
KECS_PG__FN kecs_status kecs_pg__log_trim(kecs_connection *connection, int64_t floor);
KECS_PG__FN kecs_status kecs_pg__log_say(kecs_connection *connection, const char *actor, const char *reason);
KECS_PG__FN kecs_status kecs_pg__log_settle(kecs_connection *connection);
KECS_PG__FN kecs_status kecs_pg__log_keep(kecs_connection *connection, uint64_t kinds);

#endif
