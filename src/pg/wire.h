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

enum {
  KECS_PG__WAITING_MAX = 8,   /* statements that wait for the next one */
  KECS_PG__WAITING_SIZE = 80, /* bytes of one, with its terminator */
  KECS_PG__NAME_SIZE = 40     /* of a prepared statement's name, with its terminator */
};

/* What stands behind a kecs_connection here. */
typedef struct kecs_pg__connection {
  PGconn *pg; /* NULL while there is none */
  const kecs_pg__home *home;
  const kecs_allocator *allocator;
  const kecs_logger *logger;
  bool (*should_stop)(void *user);
  void *should_stop_user;
  bool writer;  /* writes, so its server must not be a standby */
  bool splits;  /* reads outside transactions, from a standby where there is one */
  bool standby; /* its server is one */
  bool stale;   /* and too far behind */
  int64_t checked_ms;       /* when that was found out */
  int64_t shunned_until_ms; /* a standby has failed: the primary is asked meanwhile */
  bool no_foreign_keys;
  bool full_durability;
  int busy_timeout_ms;
  int acquire_ms;
  bool direct;          /* no pooler is in between */
  bool settled;         /* so what transactions that write need was set once, for the session */
  bool named;           /* statements are prepared under a name */
  bool listens;         /* to what the numbering of the change log tells */
  bool no_copy;         /* the server takes no COPY from us: row-level security */
  bool farewell;        /* the server has said that it ends the connection */
  bool doomed;          /* to be given up as soon as no transaction is open */
  kecs_pg__name *names; /* prepared ones */
  size_t name_count;
  size_t name_room;
  int64_t transaction; /* the server's number of the open one; 0: it has none yet, or nobody has asked */
  bool id_prepared;    /* the statement that asks for it */
  char timeline[16];   /* of the server's history: numbers of another one mean other transactions; "" where it can't be
                        * told */
  int64_t changes;
  int64_t last_rid;
  /* BEGIN, SAVEPOINT and RELEASE give nothing back: they wait here and travel with the next statement. */
  char waiting[KECS_PG__WAITING_MAX][KECS_PG__WAITING_SIZE];
  int waiting_count;
  bool begin_waits; /* the first of them begins the transaction */
  int settings_wait; /* those that follow it are settings, which a settled session does without */
  bool only_begins;  /* and nothing else waits */
  char *said[2];    /* who writes and why: what an empty one of those that wait tells the server */
  bool committed;   /* with the transaction's last statement, before it was asked to */
} kecs_pg__connection;

/* How a wait may end early. */
typedef enum kecs_pg__patience {
  KECS_PG__STOPS,  /* when the stop hook says so, the statement is cancelled */
  KECS_PG__DEAF,   /* never */
  KECS_PG__PATIENT /* a while after the stop hook says so, by giving the connection up: a COMMIT must not be stopped */
} kecs_pg__patience;

/* A number in binary: 4 or 8 bytes, the highest first. */
KECS_PG__FN int64_t kecs_pg__number(const char *bytes, int len);

/* What a statement ends with that tells its transaction's number itself, in the last column of each row. */
#define KECS_PG__TELLS_ID "txid_current_if_assigned()"

/* A statement as it is sent. Without a name it is sent as its text; `prepare` sends the text under the name first. */
typedef struct kecs_pg__message {
  const char *sql;
  const char *name;
  bool prepare;
  bool binary; /* what comes back */
  int count;   /* of parameters */
  const char *const *values;
  const int *lengths;
  const int *formats;
  int times; /* it is sent so often; 0: once */
  void (*bind)(void *user, int time); /* sets the values before each time; may be NULL */
  void *user;
  bool commits;  /* the transaction's last statement: its commit follows */
  bool alone; /* out: and its first, so that neither BEGIN nor COMMIT is sent */
  bool ask_id; /* after the statement also what its transaction is called: kecs_pg__connection.transaction */
  bool tells_id; /* it tells that itself */
  int64_t changes; /* out: rows that were changed each time, added up; 0 where `times` is */
  bool prepared; /* out: the server has taken the name, whatever came of the statement */
} kecs_pg__message;

/* Sends what waits and then the message (NULL: only what waits), in one go, and waits for the answer. On KECS_OK
 * *out_result (may be NULL) is the message's and the caller's; a failure is recorded. */
KECS_PG__FN kecs_status kecs_pg__exchange(kecs_pg__connection *connection, kecs_pg__message *message,
                                          kecs_pg__patience patience, const char *doing, PGresult **out_result);

/* Sends what waits and then one or more statements without parameters. */
KECS_PG__FN kecs_status kecs_pg__command(kecs_pg__connection *connection, const char *sql, kecs_pg__patience patience,
                                         const char *doing, PGresult **out_result);

/* Ends a COPY, whose rows are sent: with the server's word on them. Not NULL: why it is to fail. */
KECS_PG__FN kecs_status kecs_pg__copy_end(kecs_pg__connection *connection, const char *reason);

/* Waits until a result can be had without waiting; false: the connection is lost, or was given up. *stopped_at is 0 at
 * first. */
KECS_PG__FN bool kecs_pg__await(kecs_pg__connection *connection, kecs_pg__patience patience, int64_t *stopped_at);

/* What a standby refuses (a conflict with what it replays, a table that has not arrived yet) the primary may do. */
KECS_PG__FN void kecs_pg__shun(kecs_pg__connection *connection, kecs_status status);

/* How many of those that wait are sent. */
KECS_PG__FN int kecs_pg__waiting(const kecs_pg__connection *connection);

/* Sends what waits, in pipeline mode. */
KECS_PG__FN bool kecs_pg__send_waiting(kecs_pg__connection *connection);

/* Lets a statement wait for the next one. */
KECS_PG__FN kecs_status kecs_pg__defer(kecs_pg__connection *connection, const char *sql);

/* Lets it wait, too, who writes what follows in this transaction, and why. */
KECS_PG__FN kecs_status kecs_pg__say(kecs_pg__connection *connection, const char *actor, const char *reason);

/* Forgets what waits. */
KECS_PG__FN void kecs_pg__forget(kecs_pg__connection *connection);

/* Whether the connection can be used; false also finds out about one that the server has closed meanwhile. */
KECS_PG__FN bool kecs_pg__alive(kecs_pg__connection *connection);

/* OUTCOME_UNKNOWN: the connection ended while COMMIT ran; who knows whether before or after it took effect. */
KECS_PG__FN kecs_status kecs_pg__fail_unknown(const kecs_pg__connection *connection);

/* Gives up the connection to the server; the next use connects anew. */
KECS_PG__FN void kecs_pg__hang_up(kecs_pg__connection *connection);

KECS_PG__FN const char *kecs_pg__shown(const kecs_pg__connection *connection);

KECS_PG__FN bool kecs_pg__stopped(const kecs_pg__connection *connection);

/* Waits until the socket can be read (or written), at most `ms`. */
KECS_PG__FN void kecs_pg__wait(PGconn *pg, bool to_write, int ms);

#endif
