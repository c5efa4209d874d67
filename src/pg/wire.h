/* pg/wire.h -- one connection's traffic: sending, waiting with an eye on the stop hook, cancelling. */
#ifndef KECS_PG_WIRE_H
#define KECS_PG_WIRE_H
#include "pg/errors.h"
#include "pg/settings.h"

/* A name under which a statement is prepared: a hash of its text. */
typedef struct kecs_pg__name {
  uint64_t low;
  uint64_t high;
} kecs_pg__name;

/* What a store's connections share (kecs_place.own). */
typedef struct kecs_pg__home {
  kecs_pg__settings settings;
  kecs_dialect dialect;
  char *schema; /* "\"kecs\"." */
  char *tenant; /* "'default'" */
} kecs_pg__home;

/* What stands behind a kecs_connection here. */
typedef struct kecs_pg__connection {
  PGconn *pg; /* NULL while there is none */
  const kecs_pg__home *home;
  const kecs_allocator *allocator;
  const kecs_logger *logger;
  bool (*should_stop)(void *user);
  void *should_stop_user;
  bool read_only;
  bool no_foreign_keys;
  bool full_durability;
  int busy_timeout_ms;
  bool named;           /* statements are prepared under a name */
  bool farewell;        /* the server has said that it ends the connection */
  bool doomed;          /* to be given up as soon as no transaction is open */
  kecs_pg__name *names; /* prepared ones */
  size_t name_count;
  size_t name_room;
  int64_t changes;
  int64_t last_rid;
} kecs_pg__connection;

/* How a wait may end early. */
typedef enum kecs_pg__patience {
  KECS_PG__STOPS,  /* when the stop hook says so, the statement is cancelled */
  KECS_PG__DEAF,   /* never */
  KECS_PG__PATIENT /* a while after the stop hook says so, by giving the connection up: a COMMIT must not be stopped */
} kecs_pg__patience;

/* Waits for everything that was sent; *out_result is the last result, or the first that failed, and the caller's. When
 * it is NULL, the connection is lost and the failure recorded. */
KECS_PG__FN kecs_status kecs_pg__receive(kecs_pg__connection *connection, kecs_pg__patience patience, const char *doing,
                                         PGresult **out_result);

/* Sends one or more statements without parameters and waits. A failure is recorded; out_result may be NULL. */
KECS_PG__FN kecs_status kecs_pg__command(kecs_pg__connection *connection, const char *sql, kecs_pg__patience patience,
                                         const char *doing, PGresult **out_result);

/* Whether the connection can be used; false also finds out about one that the server has closed meanwhile. */
KECS_PG__FN bool kecs_pg__alive(kecs_pg__connection *connection);

/* Gives up the connection to the server; the next use connects anew. */
KECS_PG__FN void kecs_pg__hang_up(kecs_pg__connection *connection);

KECS_PG__FN const char *kecs_pg__shown(const kecs_pg__connection *connection);

KECS_PG__FN bool kecs_pg__stopped(const kecs_pg__connection *connection);

/* Waits until the socket can be read (or written), at most `ms`. */
KECS_PG__FN void kecs_pg__wait(PGconn *pg, bool to_write, int ms);

#endif
