/* pg/connection.h -- connecting, and connecting anew when the server went away between two calls. */
#ifndef KECS_PG_CONNECTION_H
#define KECS_PG_CONNECTION_H
#include "pg/wire.h"

/* A kecs_connection is this struct to everybody else: the core names the type, each backend has its own behind it. */
KECS_PG__FN kecs_pg__connection *kecs_pg__of(kecs_connection *connection);

/* kecs_backend.connect and .disconnect */
KECS_PG__FN kecs_status kecs_pg__connect(const kecs_connect_options *options, kecs_connection **out_connection);
KECS_PG__FN void kecs_pg__disconnect(kecs_connection *connection);

/* Makes sure that there is a connection; outside a transaction only. */
KECS_PG__FN kecs_status kecs_pg__ready(kecs_pg__connection *connection);

/* Whether a transaction is open, be it one that has failed. */
KECS_PG__FN bool kecs_pg__in_transaction(const kecs_pg__connection *connection);

#endif
