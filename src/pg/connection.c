/* pg/connection.c -- one connection to a server, made anew when the server went away between two calls. */
#include "pg/prologue.h"

#include "pg/connection.h"

#include "pg/dial.h"

KECS_PG__FN kecs_pg__connection *kecs_pg__of(kecs_connection *connection) {
  return (kecs_pg__connection *)(void *)connection;
}

KECS_PG__FN bool kecs_pg__in_transaction(const kecs_pg__connection *connection) {
  PGTransactionStatusType status = connection->pg ? PQtransactionStatus(connection->pg) : PQTRANS_UNKNOWN;
  return connection->begin_waits || status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

KECS_PG__FN kecs_status kecs_pg__ready(kecs_pg__connection *connection) {
  bool good =
      connection->pg && !connection->doomed && !connection->farewell && PQstatus(connection->pg) == CONNECTION_OK;
  return good && !kecs_pg__should_move(connection) ? KECS_OK : kecs_pg__dial(connection);
}

KECS_PG__FN kecs_status kecs_pg__connect(const kecs_connect_options *options, kecs_connection **out_connection) {
  *out_connection = NULL;
  kecs_pg__connection *connection = kecs_pg__alloc(options->allocator, sizeof *connection);
  if (!connection) {
    return KECS_E_NOMEM;
  }
  connection->home = options->place->own;
  connection->allocator = options->allocator;
  connection->logger = options->logger;
  connection->should_stop = options->should_stop;
  connection->should_stop_user = options->should_stop_user;
  connection->writer = !options->read_only && !options->reader;
  connection->splits = options->reader && connection->home->settings.reads == 1;
  connection->no_foreign_keys = options->no_foreign_keys;
  connection->full_durability = options->full_durability;
  connection->busy_timeout_ms = options->busy_timeout_ms;
  connection->acquire_ms = options->acquire_ms;
  kecs_status status = options->opening ? kecs_pg__dial_first(connection) : kecs_pg__dial(connection);
  if (status) {
    kecs_pg__release(options->allocator, connection, sizeof *connection);
    return status;
  }
  *out_connection = (kecs_connection *)(void *)connection;
  return KECS_OK;
}

KECS_PG__FN void kecs_pg__disconnect(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__hang_up(connection);
  kecs_pg__release_text(connection->allocator, connection->said[0]);
  kecs_pg__release_text(connection->allocator, connection->said[1]);
  kecs_pg__release(connection->allocator, connection->names, connection->name_room * sizeof *connection->names);
  kecs_pg__release(connection->allocator, connection, sizeof *connection);
}
