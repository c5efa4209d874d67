/* pg/errors.h -- SQLSTATEs and lost connections as our codes. */
#ifndef KECS_PG_ERRORS_H
#define KECS_PG_ERRORS_H
#include "pg/internal.h"

/* Records what the server said in a failed result. `shown` is the database's masked URL. */
KECS_PG__FN kecs_status kecs_pg__fail_result(const char *shown, const PGresult *result, const char *doing);

/* The same for a BEGIN. A standby refuses one that may write as a feature that it lacks (0A000): READONLY. */
KECS_PG__FN kecs_status kecs_pg__fail_begin(const char *shown, const PGresult *result, const char *doing);

/* Records why a connection could not be made: libpq only gives a text, in which a server's SQLSTATE stands when the
 * verbosity is PQERRORS_VERBOSE. */
KECS_PG__FN kecs_status kecs_pg__fail_connect(const char *shown, PGconn *pg);

/* Records that the connection is gone: OFFLINE, with libpq's reason. */
KECS_PG__FN kecs_status kecs_pg__fail_lost(const char *shown, PGconn *pg, const char *doing);

/* Whether a result says that its connection is of no more use: the server goes down, or may no longer be written. */
KECS_PG__FN bool kecs_pg__dooms(const PGresult *result);

#endif
