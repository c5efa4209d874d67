/* pg/dial.h -- making a connection: which of the URL's servers, how long it may take, and whether the server that
 * answers is the one that is wanted. */
#ifndef KECS_PG_DIAL_H
#define KECS_PG_DIAL_H
#include "pg/wire.h"

/* Connects to the first of the URL's servers that will do. */
KECS_PG__FN kecs_status kecs_pg__dial(kecs_pg__connection *connection);

/* The same for the first connection of a store, which may be opened before its server is: tries again for as long as a
 * call may wait for a connection. */
KECS_PG__FN kecs_status kecs_pg__dial_first(kecs_pg__connection *connection);

/* How long a write may wait for a lock, in ms. */
KECS_PG__FN int kecs_pg__lock_timeout(const kecs_pg__connection *connection);

/* Whether a connection that only reads should be made anew: its standby is too far behind, or there may be one again.
 * Looked at now and then; says nothing of connections that write. */
KECS_PG__FN bool kecs_pg__should_move(kecs_pg__connection *connection);

#endif
