/* pg/gather.h -- several reads in one exchange. */
#ifndef KECS_PG_GATHER_H
#define KECS_PG_GATHER_H
#include "pg/statement.h"

/* The functions of kecs_backend of the same names. */
KECS_PG__FN kecs_status kecs_pg__start_many(kecs_connection *connection, kecs_start *const *starts, size_t count);
KECS_PG__FN void kecs_pg__lend_answer(kecs_statement *statement, void *answer);
KECS_PG__FN void kecs_pg__drop_answer(void *answer);

#endif
