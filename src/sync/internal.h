/* sync/internal.h -- what the modules of sync share: the handle, exchanges with the hub, the edge's own notes. */
#ifndef KECS_SYNC_INTERNAL_H
#define KECS_SYNC_INTERNAL_H
#include "pg/text.h"
#include "pg/wire.h"
#include "sync/public.h"

#if !defined(KECS_STORE_NO_THREADS)
#include <pthread.h>
#endif

enum {
  KECS_SYNC__ID_SIZE = 40, /* of a push's or batch's id, with its terminator */
  KECS_SYNC__NAME_MAX = 128,
  KECS_SYNC__ALIAS_MAX = KECS_SYNC__NAME_MAX + 9, /* "#" and 8 digits */
  KECS_SYNC__SCOPE_MAX = 512, /* bytes of a cluster's ARN among grants, with its terminator */
  KECS_SYNC__BATCH = 1000,
  KECS_SYNC__BATCH_LEAST = 100, /* of those that adapt */
  KECS_SYNC__BATCH_MOST = 5000, /* of pages, and of pushes as arrays */
  KECS_SYNC__LOAD = 10000,      /* rows that go by COPY, where nobody says otherwise */
  KECS_SYNC__LOAD_MS = 2000,    /* what such a push may take */
  KECS_SYNC__SHORT_MS = 200, /* what a push should take */
  KECS_SYNC__LONG_MS = 500,
  KECS_SYNC__PREPARED = 256,
  KECS_SYNC__BATCH_MAX = 100000,
  KECS_SYNC__APPEND_BYTES = 1048576
};

#define KECS_SYNC__EVERY_MOST_MS INT64_C(86400000)
#define KECS_SYNC__AHEAD_US INT64_C(300000000) /* of the hub's time: what it takes at most (sync_clock) */

/* A push that was decided upon and is not known to have arrived. */
typedef struct kecs_sync__intent {
  char id[KECS_SYNC__ID_SIZE]; /* "": there is none */
  int64_t seq;                 /* of the edge's log: all up to it goes with this push */
  int64_t stamp;               /* of that entry */
  int64_t tries;               /* how often it was about to be sent */
} kecs_sync__intent;

/* What the edge knows between rounds: sync_state. */
typedef struct kecs_sync__notes {
  char hub[KECS_SYNC__ID_SIZE];
  char push[KECS_SYNC__ID_SIZE]; /* the last acknowledged one */
  int64_t site;
  int64_t acked;
  int64_t adopted;
  int64_t cursor;
  char cursor_id[KECS_SYNC__ID_SIZE];
  int64_t seen; /* the hub's head when rows were last read: they may be of any moment since */
  char seen_id[KECS_SYNC__ID_SIZE];
  int64_t seen_us;   /* when that was, by the hub */
  bool booted;       /* the cursor holds: everything before it was read once */
  int64_t boot_kind; /* where a bootstrap is: kind and rid */
  int64_t boot_rid;
  int64_t last_us;
  kecs_sync__intent intent;
  char alias[KECS_SYNC__ALIAS_MAX + 1]; /* the name at the hub, where it is not the options' (identity.c) */
  int64_t pushes;                       /* that were acknowledged: the hub's count, unless it went back */
  int64_t former;                       /* the site's number before it got the alias; 0: none */
  int64_t repair;                       /* the stage of a repair under way (reconcile.c); 0: none */
  int64_t repair_cause;
  int64_t repair_kind;
  int64_t repair_rid;
  int64_t offset;      /* the hub's clock minus this one, microseconds; how long the measurement took; when it was */
  int64_t offset_trip;
  int64_t offset_at;
  int64_t retention; /* of tombstones here, as it was set */
} kecs_sync__notes;

/* What the hub asks of this site, as the last handshake told it (limits.c). */
typedef struct kecs_sync__limits {
  int64_t every_ms;
  int64_t batch;
  char pause[KECS_SYNC_PAUSE_MAX + 1]; /* the reasons together, as far as they fit; "": there is none */
} kecs_sync__limits;

/* What rounds have come to: of several threads, so the handle's mutex guards it. */
typedef struct kecs_sync__told {
  int64_t rounds;
  int64_t failures;  /* since the last one that succeeded */
  int64_t connects;
  int64_t offset_us;
  int64_t last_us;   /* end of the last one that succeeded */
  int64_t failed_us;
  kecs_error error;  /* of the last one that failed */
  kecs_sync__limits limits;
} kecs_sync__told;

struct kecs_sync {
  kecs_store *store;
  kecs_allocator allocator;
  kecs_place place;
  kecs_pg__connection *link; /* NULL while there is none */
  char *hub;
  char *token; /* NULL: the login says who this is */
  char site[KECS_SYNC__NAME_MAX + 1];
  uint64_t kinds;  /* whose rows are merged */
  uint64_t append; /* that only grow */
  bool append_pull;
  int64_t append_bytes;
  int64_t append_keep_bytes;
  kecs_replica_policy *policies; /* with texts of its own */
  size_t policy_count;
  kecs_status (*merge)(kecs_replica_dispute *dispute, void *user);
  void *user;
  int columns[KECS_KIND_COUNT]; /* of each kind, that the hub knows as well */
  int catch_up_kind;            /* what is read once more, since it has more columns now: from which, and where */
  int catch_up_from;
  int64_t catch_up_rid;
  bool held; /* the hub has refused something by a policy: its own state is to be asked for */
  int batch;
  int wanted_batch; /* the options'; 0: it adapts */
  kecs_sync__limits limits;
  kecs_pg__text clusters; /* that this edge narrows itself to, as an array of the server's; empty: to none */
  int64_t max_offset_us;
  int64_t tombstones_us;
  kecs_sync__notes notes;
  kecs_sync_report report;
  int64_t until; /* the window to pull: (cursor, until] */
  char until_id[KECS_SYNC__ID_SIZE];
  int64_t until_kinds;
  bool ask_again; /* what the last page waits for may come in the next one */
  int64_t head;
  char head_id[KECS_SYNC__ID_SIZE];
  int64_t head_us; /* when it was that, by the hub */
  int64_t sent_us;                   /* when the last exchange was sent, by the store's clock */
  bool moved;                        /* the cursor is not where the handshake saw it: the window is another one */
  struct kecs_sync__key *sent;       /* by the push under way, of what a repair has found missing at the hub */
  char known_as[KECS_SYNC__ALIAS_MAX + 1];
  int stopped;                              /* a flag: the round is to end, also while the hub is waited for */
  int ending;                               /* a flag: the thread, and its round with it */
  bool adapts;                              /* `batch` follows the time that a push takes */
  bool steady;                              /* it has been too long once */
  int boot_batch;                           /* rows of a bootstrap's next page, where more than `batch` */
  int arrays_most;                          /* entries of a push that goes as arrays */
  int load;                                 /* entries that go with a push by COPY; 0: the link is not known to be fast
                                             * enough, -1: it is not */
  struct kecs_sync__batch *next;            /* read ahead while the hub was at the one before (push.c) */
  bool no_stage;                            /* the login may make no tables at the hub for it */
  kecs_sync__told told;
  char said[sizeof((kecs_error *)NULL)->text]; /* for kecs_sync_status */
  char said_pause[KECS_SYNC_PAUSE_MAX + 1];    /* likewise */
  kecs_sync_pace pace;
  uint64_t chance;
  bool running; /* the thread */
#if !defined(KECS_STORE_NO_THREADS)
  pthread_t thread;
  pthread_mutex_t mutex;
#endif
  kecs_pg__name prepared[KECS_SYNC__PREPARED]; /* on the link: texts; the statement k1 is of the first, since a name
                                                * travels each time */
  int prepared_count;
};

/* ---- exchanges (link.c) ---- */

enum { KECS_SYNC__ITEMS = 128 };

/* One statement of an exchange. */
typedef struct kecs_sync__item {
  char *sql; /* the exchange's */
  int count;
  const char *const *values; /* the caller's, until it is sent */
  const char **with_token;   /* the same with token and site behind them; NULL: there is no token */
  PGresult *result;
  bool call;  /* of a function whose neighbours may go along */
  bool frame; /* BEGIN, COMMIT and what goes with them */
} kecs_sync__item;

typedef struct kecs_sync__exchange {
  kecs_sync *sync;
  kecs_sync__item item[KECS_SYNC__ITEMS];
  int count;
  kecs_status status; /* the first failure while it was put together */
  bool write;
  bool small;   /* it only reads, and few rows are expected: set it before it is sent */
  bool stays;   /* its transaction stays open: set it before it is sent */
  bool goes_on; /* in the transaction that another one has left open */
  void (*meanwhile)(void *user); /* what is done while the hub works; NULL: nothing */
  void *user;
} kecs_sync__exchange;

KECS_PG__FN void kecs_sync__begin(kecs_sync__exchange *exchange, kecs_sync *sync, bool write);

/* The same for one that reads the next rows of a table, or tombstones, in the order of an index. */
KECS_PG__FN void kecs_sync__begin_page(kecs_sync__exchange *exchange, kecs_sync *sync);

/* The same for one that goes on in an open transaction, and ends it. */
KECS_PG__FN void kecs_sync__go_on(kecs_sync__exchange *exchange, kecs_sync *sync);

/* Adds a statement; {S} is the schema, {T} the tenant, {t} `table`. Gives its number. */
KECS_PG__FN int kecs_sync__add_item(kecs_sync__exchange *exchange, const char *form, const char *table,
                                    const char *const *values, int count);

/* The same for a call of a function that takes arrays, numbers ("$1::bigint"), and texts that begin with no brace:
 * "SELECT f(...)". Neighbours go as one statement, in their order; only the last one may give something back, which is
 * the last value of its result. */
KECS_PG__FN int kecs_sync__add_call(kecs_sync__exchange *exchange, const char *form, const char *table,
                                    const char *const *values, int count);

/* Sends it all with COMMIT, in one go. On failure the connection is given up, and nothing was stored; only whether
 * COMMIT took effect may be unknown, which the next handshake tells. */
KECS_PG__FN kecs_status kecs_sync__send(kecs_sync__exchange *exchange, const char *doing);
KECS_PG__FN void kecs_sync__end(kecs_sync__exchange *exchange);
KECS_PG__FN void kecs_sync__hang_up(kecs_sync *sync);

/* CANCELLED: the round was to end. And the same, or OFFLINE where the link was lost by itself. */
KECS_PG__FN kecs_status kecs_sync__fail_stopped(const kecs_sync *sync, const char *doing);
KECS_PG__FN kecs_status kecs_sync__fail_link(kecs_sync *sync, const char *doing);

/* One round, whoever asks for it. */
KECS_PG__FN kecs_status kecs_sync__round(kecs_sync *sync, kecs_sync_report *out_report);

/* ---- at a hub, for who is no edge (hub_open.c) ---- */

/* How a hub's store is opened, and what is done with it. */
typedef struct kecs_sync__visit {
  kecs_track track;
  bool read_only;
  kecs_status (*work)(kecs_store *store, const char *hub, void *user);
} kecs_sync__visit;

KECS_PG__FN kecs_status kecs_sync__at_hub(const char *hub, const kecs_sync__visit *visit, void *user);

/* Runs `work` over a connection of its own to `place`. With `read_only` a standby will do. */
KECS_PG__FN kecs_status kecs_sync__over_link(kecs_store *store, const char *hub, bool read_only, int busy_timeout_ms,
                                             kecs_status (*work)(kecs_connection *link, const kecs_place *place,
                                                                 void *user),
                                             void *user);

/* ---- threads (thread.c) ---- */

KECS_PG__FN void kecs_sync__lock(kecs_sync *sync);
KECS_PG__FN void kecs_sync__unlock(kecs_sync *sync);

/* A flag that one thread sets and others read: kecs_sync.stopped. */
KECS_PG__FN void kecs_sync__flag_set(int *flag, int value);
KECS_PG__FN int kecs_sync__flag_get(const int *flag);

/* A value of a result: "" and 0 where it is NULL. */
KECS_PG__FN const char *kecs_sync__text(const PGresult *result, int row, int column);
KECS_PG__FN int64_t kecs_sync__number(const PGresult *result, int row, int column);

/* ---- notes (notes.c) ---- */

KECS_PG__FN kecs_status kecs_sync__notes_read(kecs_sync *sync);
KECS_PG__FN kecs_status kecs_sync__notes_of(kecs_store *store, kecs_sync__notes *out_notes);
KECS_PG__FN kecs_status kecs_sync__note(kecs_store *tx, const char *name, const char *value);
KECS_PG__FN kecs_status kecs_sync__note_number(kecs_store *tx, const char *name, int64_t value);
KECS_PG__FN kecs_value kecs_sync__value_int(int64_t number);
KECS_PG__FN kecs_value kecs_sync__value_text(const char *text);

/* A count over one of the edge's tables. */
KECS_PG__FN kecs_status kecs_sync__count(kecs_store *store, const char *sql, int64_t *out_count);

/* Runs `work` in a transaction of the edge. */
KECS_PG__FN kecs_status kecs_sync__transact(kecs_sync *sync, kecs_status (*work)(kecs_store *tx, void *user),
                                            void *user);

KECS_PG__FN kecs_replica kecs_sync__side(const kecs_sync *sync);

/* An array of the server's, as text: begun with the first element, ended by kecs_sync__array_end. Texts stand in
 * quotes, numbers (bigint) and booleans do not: an exchange knows an array's type by that. */
KECS_PG__FN void kecs_sync__array_add(kecs_pg__text *array, const char *text);
KECS_PG__FN void kecs_sync__array_int(kecs_pg__text *array, int64_t number);
KECS_PG__FN void kecs_sync__array_bool(kecs_pg__text *array, bool value);
KECS_PG__FN void kecs_sync__array_end(kecs_pg__text *array);

/* ---- scopes (scope.c) ---- */

/* A cluster as a scope is named: its ARN, or "-". INVALID where it is none. */
KECS_PG__FN kecs_status kecs_sync__scope_name(const char *name, char out[KECS_SYNC__SCOPE_MAX]);

/* Whether a key belongs to one of some scopes. */
KECS_PG__FN bool kecs_sync__in_scope(const char *scopes, kecs_kind kind, const char *key);

/* What this edge narrows itself to, from its options. */
KECS_PG__FN kecs_status kecs_sync__clusters(kecs_sync *sync, const char *const *clusters, size_t count);

/* What sync_scopes said against what was noted: rows leave, or are going to be read as a whole. */
KECS_PG__FN kecs_status kecs_sync__rescope(kecs_sync *sync, const PGresult *said);

/* The scopes that a bootstrap is limited to, as an array; empty: all that this edge has. */
KECS_PG__FN kecs_status kecs_sync__boot_scopes(kecs_sync *sync, kecs_pg__text *out);

/* ---- counters of families (counters.c) ---- */

/* What no row tells of the hub's counters, as an item (`site`: this site's number); and what it gave. */
KECS_PG__FN int kecs_sync__add_counters(kecs_sync__exchange *exchange, const char *const *site);
KECS_PG__FN kecs_status kecs_sync__raise_counters(kecs_store *tx, const PGresult *counters);

/* Before definitions are merged: none of them has a number that is still to be given. */
KECS_PG__FN kecs_status kecs_sync__raise_rows(kecs_store *tx, const PGresult *rows);

/* What no row tells of ours, as arrays for sync_families. */
typedef struct kecs_sync__counters {
  kecs_pg__text array[4]; /* account_id, region, family, last_revision */
  const char *values[4];
} kecs_sync__counters;
KECS_PG__FN kecs_status kecs_sync__counters_read(kecs_sync *sync, kecs_sync__counters *out);
KECS_PG__FN void kecs_sync__counters_free(kecs_sync__counters *counters);

/* ---- versions (schema.c) ---- */

/* What hub and edge have in common, from the hub's version. */
KECS_PG__FN kecs_status kecs_sync__schema_read(kecs_sync *sync, const char *version);

/* What they have come to have in common is caught up with, after a pull. */
KECS_PG__FN kecs_status kecs_sync__schema_catch_up(kecs_sync *sync);

/* Whether a column travels between them; and the columns that a row brings, as kecs_replica_row.given. */
KECS_PG__FN bool kecs_sync__known(const kecs_sync *sync, const kecs_kind_info *info, int column);
KECS_PG__FN uint64_t kecs_sync__known_mask(const kecs_sync *sync, const kecs_kind_info *info);

/* ---- rules of who may write (policy.c) ---- */

enum { KECS_SYNC__POLICY_ARRAYS = 5 };

/* What the rules of a kind need of the rows that are pushed: keys, bases, fences. */
typedef struct kecs_sync__policy_rows {
  kecs_pg__text array[KECS_SYNC__POLICY_ARRAYS];
  const char *values[6 + KECS_SYNC__POLICY_ARRAYS];
  char kind[16];
} kecs_sync__policy_rows;

KECS_PG__FN kecs_status kecs_sync__policy_check(const kecs_replica_policy *policies, size_t count);
KECS_PG__FN kecs_status kecs_sync__policy_keep(kecs_sync *sync, const kecs_replica_policy *policies, size_t count);
KECS_PG__FN void kecs_sync__policy_free(kecs_sync *sync);
KECS_PG__FN bool kecs_sync__policy_any(const kecs_sync *sync, kecs_kind kind);
KECS_PG__FN void kecs_sync__policy_row(const kecs_sync *sync, kecs_sync__policy_rows *rows,
                                       const kecs_replica_row *row);
KECS_PG__FN void kecs_sync__policy_send(kecs_sync__exchange *exchange, kecs_kind kind, kecs_sync__policy_rows *rows);
KECS_PG__FN void kecs_sync__policy_rows_free(kecs_sync__policy_rows *rows);

/* A key that the hub has refused: by a rule, its own state is asked for. */
KECS_PG__FN kecs_status kecs_sync__policy_refused(kecs_sync *sync, kecs_store *tx, kecs_kind kind, const char *key,
                                                  const char *code);

/* ---- kinds that only grow (append.c, append_trim.c) ---- */

KECS_PG__FN bool kecs_sync__only_grows(const kecs_kind_info *info);

/* Pushes what is above the watermarks, as far as the budget goes; then the file's bound is kept. */
KECS_PG__FN kecs_status kecs_sync__append(kecs_sync *sync);
KECS_PG__FN kecs_status kecs_sync__append_trim(kecs_sync *sync);

/* A kind's watermark, and the rows above those of all kinds. */
KECS_PG__FN kecs_status kecs_sync__append_mark(kecs_store *store, const kecs_kind_info *info, int64_t *out_mark);
KECS_PG__FN kecs_status kecs_sync__append_waiting(kecs_sync *sync, int64_t *out_rows);

/* Rows that were pulled are not pushed: their rids. */
KECS_PG__FN kecs_status kecs_sync__append_pulled(kecs_store *tx, const kecs_kind_info *info, int64_t first,
                                                 int64_t last);

/* ---- the parts of a round ---- */

/* What sync_hello said (columns of its line), and what the last push had been refused. */
enum {
  KECS_SYNC__HUB,
  KECS_SYNC__SITE,
  KECS_SYNC__PUSH,
  KECS_SYNC__NOW,
  KECS_SYNC__HEAD,
  KECS_SYNC__HEAD_ID,
  KECS_SYNC__FLOOR,
  KECS_SYNC__FITS,
  KECS_SYNC__PUSHES,
  KECS_SYNC__RETENTION,
  KECS_SYNC__CHANGED,
  KECS_SYNC__LIMITS
};

/* Takes over what the hub asks of this site; BUSY where it wants no round. A batch as large as the hub lets it be. */
KECS_PG__FN kecs_status kecs_sync__limits_read(kecs_sync *sync, const char *text);
KECS_PG__FN int kecs_sync__bounded(const kecs_sync *sync, int batch);
KECS_PG__FN kecs_status kecs_sync__limits_check(const kecs_sync_limits *limits);

/* Whether hub and edge still are who they were to each other (identity.c). Where they are not, what follows from it is
 * done and noted, and the report says what it was; *out_again: greet anew, under another name. */
KECS_PG__FN kecs_status kecs_sync__identify(kecs_sync *sync, const PGresult *hello, const PGresult *refused,
                                            bool *out_again);

/* The clock (restamp.c): how far it is off, and what it has stamped too far ahead. */
KECS_PG__FN kecs_status kecs_sync__measure(kecs_sync *sync, int64_t hub_us);
KECS_PG__FN kecs_status kecs_sync__restamp(kecs_sync *sync, int64_t hub_us);

/* Goes on with a repair, if there is one, until it is done (reconcile.c). */
KECS_PG__FN kecs_status kecs_sync__reconcile(kecs_sync *sync);

/* A repair begins: everything is compared with the hub, because of `cause`. */
KECS_PG__FN kecs_status kecs_sync__reconcile_begin(kecs_store *tx, const kecs_sync *sync, unsigned cause);

KECS_PG__FN kecs_status kecs_sync__pull(kecs_sync *sync);

/* Notes how far the hub is, before rows are read that may be as they are there: until the cursor is there as well, the
 * file has states that the cursor does not answer for. */
KECS_PG__FN kecs_status kecs_sync__look(kecs_sync *sync);

KECS_PG__FN kecs_status kecs_sync__push(kecs_sync *sync);

/* The push of the intent was committed: `refused` has the rows of sync_refused at the hub. */
KECS_PG__FN kecs_status kecs_sync__acknowledge(kecs_sync *sync, const PGresult *refused);

#endif
