/* kecs_store_pg.h 0.1.0 -- generated from src/ by amalgamate.py, do not edit. sha256 of what follows:
 * 66950821c37c09fb7a97d2baebfbdc50f0e52acb143f268c18cddfc27d0662b6 */
/* ---- doc/manual_pg.h --------------------------------------------------------------------------------------------- */
/* kecs_store_pg.h -- PostgreSQL behind the calls of kecs_store.h.
 *
 * QUICK START
 *   In ONE C file, which is best a file of its own:
 *
 *     #define KECS_STORE_PG_IMPLEMENTATION
 *     #include "kecs_store_pg.h"
 *
 *   and in the program, beside what kecs_store.h asks for:
 *
 *     kecs_options options = {0};
 *     options.backends = kecs_pg_backends();
 *     options.path = "postgres://kecs:secret@db.example/kecs?sslmode=verify-full&tenant=fleet-7";
 *     if (kecs_open(&options, &store)) ...
 *
 *   Build with libpq, 15 or newer:  cc -I$(pg_config --includedir) app.c kecs_store_impl.c kecs_store_pg_impl.c
 *                                      -lpq -lsqlite3 -lpthread -lm
 *   Servers: PostgreSQL 12 or newer, a database in UTF-8.
 *
 * THE URL
 *   "postgres://", "postgresql://" or libpq's keyword string ("host=db dbname=kecs"). Every option of libpq is libpq's;
 *   these are ours:
 *     tenant=NAME       whose rows the store sees and writes; default "default". Tenants never see each other
 *     schema=NAME       where the tables are; made when it is missing; default "public"
 *     statements=auto   prepare statements on direct connections, not behind a pooler; or "named", "unnamed"
 *   Passwords never appear in a message: URLs are shown with *** in their place.
 *
 * WHAT DIFFERS FROM A FILE
 *   Writers     of several processes write side by side. A write locks the rows that it reads, so what it compared is
 *               what it changes; two that wait for each other end in KECS_E_BUSY for one, which kecs_transact repeats.
 *   Failures    a connection lost before COMMIT was sent is KECS_E_OFFLINE: nothing is stored. Lost while it ran, it is
 *               KECS_E_OUTCOME_UNKNOWN: read before you write again. The next call connects anew by itself.
 *   Options     durability FULL asks for synchronous_commit=on; NORMAL takes what the server has. cache_kib means
 *               nothing. no_foreign_keys needs the right to set session_replication_role.
 *
 * SYNC
 *   kecs_sync_hub_init(url) makes a hub of a tenant; kecs_sync_open and kecs_sync_once bring a tracked SQLite file and
 *   the hub into agreement. docs/sync.md is the protocol, and says which kinds take part.
 *
 * COMPILE-TIME OPTIONS
 *   KECS_STORE_PG_IMPLEMENTATION  build the bodies, in one C file
 *   KECS_STORE_HEADER             the core's header; default "kecs_store.h"
 */

/* ---- pg/prologue.h ----------------------------------------------------------------------------------------------- */
/* pg/prologue.h -- feature macros; must come before every system header (see base/prologue.h). */
#if defined(KECS_STORE_PG_IMPLEMENTATION) || defined(KECS__MODULES)
#if defined(__cplusplus)
#error "kecs_store_pg.h: compile the implementation as C (put it into a .c file); the declarations are C++-clean"
#endif
#if defined(__GLIBC__) && !defined(__USE_XOPEN2K8)
#error "kecs_store_pg.h: include this header before any system header in the implementation file, or add -D_GNU_SOURCE"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#endif
#ifndef KECS_STORE_PG_H
#define KECS_STORE_PG_H
#ifndef KECS_STORE_HEADER
#define KECS_STORE_HEADER "kecs_store.h"
#endif
#include KECS_STORE_HEADER
#ifdef __cplusplus
extern "C" {
#endif

/* ---- pg/public.h ------------------------------------------------------------------------------------------------- */
/* ---- PostgreSQL ---------------------------------------------------------------------------------------------- */
#ifndef KECS_PG_PUBLIC_H
#define KECS_PG_PUBLIC_H

/* The backend of PostgreSQL, alone in a list as kecs_options.backends takes it: with it, kecs_open also takes
 * "postgres://" and "postgresql://" URLs and libpq's keyword strings ("host=... dbname=..."). The list is static. */
KECS_STORE_API const kecs_backend *const *kecs_pg_backends(void);

/* The backend by itself, for programs that make a list of their own. Static. */
KECS_STORE_API const kecs_backend *kecs_pg_backend(void);

#endif

/* ---- sync/public.h ----------------------------------------------------------------------------------------------- */
/* ---- Sync ---------------------------------------------------------------------------------------------------- */
/* An edge, which is a store in a SQLite file that was opened with options.track, and a hub, which is a tenant of a
 * PostgreSQL database: each works alone, and a round brings them into agreement. docs/sync.md is the protocol, and says
 * which kinds take part. Reads and writes of the application go on during a round. */
#ifndef KECS_SYNC_PUBLIC_H
#define KECS_SYNC_PUBLIC_H

typedef struct kecs_sync kecs_sync;

/* A token's text with its terminator: 32 random bytes as hexadecimal digits. */
#define KECS_SYNC_TOKEN_SIZE 65

/* Bytes of a reason for a pause. */
#define KECS_SYNC_PAUSE_MAX 200

/* What a hub asks of its sites. Zero-initialised: nothing. */
typedef struct kecs_sync_limits {
  int64_t every_ms;  /* rounds of kecs_sync_start begin no more often; at most a day. Milliseconds */
  int64_t batch;     /* entries of a log that are pushed at once, at most, and asked for; at most 100000 */
  const char *pause; /* no rounds are wanted until this is taken back, and why: a line of at most KECS_SYNC_PAUSE_MAX
                      * bytes, which the sites are told; NULL: they are wanted */
} kecs_sync_limits;

/* A site as its hub knows it. Texts die when `visit` returns. */
typedef struct kecs_sync_site {
  const char *name;
  int64_t number;      /* from 1 on: what stamps have as their site */
  int64_t seen_us;     /* of its last handshake or push, microseconds since 1970 */
  int64_t lag_us;      /* how long ago that was, by the hub's clock */
  int64_t acked_stamp; /* its stamps up to this one are here (kecs_stamp_time); 0: none */
  int64_t pushes;      /* that were taken */
  int64_t refused;     /* rows of its last push that the hub refused */
  int64_t cursor;      /* the number of the feed up to which it had read when it greeted last; where a round of its was
                        * cut off, up to which it was reading. kecs_sync_hub_info.head is the last number */
  kecs_sync_limits limits; /* those of its own and those of all, whichever is stricter */
} kecs_sync_site;

/* How a hub stands. */
typedef struct kecs_sync_hub_info {
  int64_t sites;
  int64_t head;       /* of the feed: the last number that was given */
  int64_t floor;      /* an edge whose cursor is below it was away for too long */
  int64_t queued;     /* committed changes without a number yet: the next handshake gives them one */
  int64_t tombstones;
  int64_t conflicts;  /* entries of the hub's conflict log */
  int64_t refused;    /* rows that it refused in the last pushes of its sites */
  int64_t bytes;      /* of the whole database, with other tenants */
} kecs_sync_hub_info;

/* Zero-initialised but for `hub` and `site`. Texts are copied. */
typedef struct kecs_sync_options {
  const char *hub;        /* URL of the hub's database, as kecs_open takes it, with its tenant:
                           * "postgres://kecs@db.example/kecs?tenant=shop" */
  const char *site;       /* this edge's name at the hub: no two have the same; 1 to 128 bytes */
  const char *token;      /* what kecs_sync_hub_token has made for the site, where edges share a login that has no
                           * rights of its own; NULL: the login in `hub` has the rights. Never shown or logged */
  const kecs_kind *kinds; /* `kind_count` of them; none: all that can take part. Parents must be among them. Fixed with
                           * the first kecs_sync_open of a file */
  size_t kind_count;
  const char *const *clusters; /* `cluster_count` names or ARNs: this edge wants no more than their rows, and has no
                           * more than the hub grants it. "-" is what belongs to no cluster; a bare name is of account
                           * 000000000000 in us-east-1; none: all that it may have. docs/sync.md 11 */
  size_t cluster_count;
  int64_t tombstones_us;  /* what was deleted is remembered here for so long after it was pushed, so that a hub that
                           * went back is told again; 0: 7 days. Half of the hub's retention where that is less */
  int64_t max_offset_us;  /* stamps that are further ahead of the hub's time are given anew before they are pushed;
                           * 0: 5 minutes, which is as much as a hub takes. Microseconds */
  int batch;              /* entries of a log that are pushed or pulled at once, at most 100000; 0: from 1000 on as many
                           * as are pushed in 200 to 500 ms, at most 5000; and pushes of 10000 by COPY, where such a one
                           * takes less than two seconds */
  /* Who may write what; last writer for all else (docs/sync.md 7). Copied. */
  const kecs_replica_policy *policies;
  size_t policy_count;
  /* Makes one row of an edit that is still to be pushed and another one that has not seen it; store/replica.h tells
   * what a dispute is. Called in a transaction of the store, which it must not use. What it returns but KECS_OK ends
   * the round, and the next one asks again. NULL: the policies decide. */
  kecs_status (*merge)(kecs_replica_dispute *dispute, void *user);
  void *user;
  /* The kinds that only grow, task_log and event. They are pushed after everything else. */
  int64_t append_bytes;      /* at most so many bytes a round, but one row at least; 0: 1 MiB; -1: none */
  int64_t append_keep_bytes; /* bytes that they may take in this file; 0: no bound. Beyond it the oldest rows go, first
                              * those that are at the hub; where others go, an event "kecs.sync.gap" says how many */
  bool append_pull;          /* the hub's come to this edge, too: all with a file's first round, else from now on */
} kecs_sync_options;

/* What the handshake has found not to be as it was left, as bits. All of it is repaired by the same merge, in the round
 * that finds it or, where that is cut off, in those after it; docs/sync.md 9. */
typedef enum kecs_sync_cause {
  KECS_SYNC_AWAY = 1,    /* this edge was away for longer than the hub keeps its log */
  KECS_SYNC_HISTORY = 2, /* the hub's history is not the one that was read here: a failover, or a restored hub */
  KECS_SYNC_LOST = 4,    /* the hub has lost pushes of this edge that it had acknowledged: they were sent again */
  KECS_SYNC_COPIED = 8   /* somebody else has pushed under this site's name: the file was copied or restored, or two
                          * devices have one name. This file is another site now: kecs_sync_status_info.known_as */
} kecs_sync_cause;

/* What a round has done. */
typedef struct kecs_sync_report {
  int64_t pushed;      /* rows and deletions that were sent and taken */
  int64_t refused;     /* that the hub refused: they are sent again in the next round */
  int64_t pulled;      /* rows and deletions of the hub that changed something here */
  int64_t conflicts;   /* entries that were made in sync_conflicts here */
  int64_t appended;    /* rows of kinds that only grow that were sent and taken */
  int64_t dropped;     /* rows of such kinds that went from here without ever having been at the hub:
                        * options.append_keep_bytes */
  int64_t round_trips; /* without those of a new connection */
  int64_t bytes_out;   /* of messages in PostgreSQL's protocol, without TLS and what is below it */
  int64_t bytes_in;
  int64_t hub_offset_us; /* the hub's clock minus this one, as the best handshake of the last hour saw it */
  int64_t restamped;     /* stamps that a clock that was ahead had given, and that were given anew */
  unsigned reconciled; /* kecs_sync_cause: why all was compared with the hub, or this site was renamed; 0: it was not */
  int64_t resent;      /* rows and deletions that the hub had lost, or never had, and that were sent again */
  int64_t left;        /* rows that went from here since their cluster is none of this site's any more */
  int64_t forgotten;   /* rows that had been deleted at the hub so long ago that it has forgotten them, and went here */
  int64_t hub_every_ms; /* the hub asks that rounds begin no more often (kecs_sync_limits); 0: it does not care. A loop
                         * of kecs_sync_once should heed it; kecs_sync_start does */
  int64_t hub_batch;    /* and that no more goes at once, which every round heeds; 0: as before */
} kecs_sync_report;

/* How an edge stands. Texts live until the next call on the handle. */
typedef struct kecs_sync_status_info {
  const char *site;    /* its name */
  const char *known_as; /* its name at the hub: the same, or "NAME#1a2b3c4d" after KECS_SYNC_COPIED */
  int64_t number;      /* its number at the hub; 0: it was never there */
  int64_t pending;     /* entries of the log above the push mark: 0 means that all is pushed */
  int64_t refused;     /* rows that the hub has refused and that are sent again */
  int64_t wanted;      /* rows of the hub whose parent is missing here */
  int64_t conflicts;   /* entries of sync_conflicts that are open */
  int64_t append_pending; /* rows of kinds that only grow, not pushed yet */
  int64_t cursor;      /* sequence of the hub's log up to which everything is here */
  int64_t last_us;     /* end of the last round that succeeded, microseconds since 1970; 0: none. Of rounds with
                        * nothing to do the file has one an hour, so a handle that ran none may be that much behind */
  int64_t lag_us;      /* age of the oldest change that is not pushed; 0: there is none */
  int batch;           /* entries that are pushed at once now */
  /* From here on: what this handle has seen. */
  bool running;        /* the thread runs */
  int64_t rounds;
  int64_t failures;    /* rounds that have failed since the last that succeeded */
  int64_t reconnects;  /* connections to the hub, beyond the first */
  int64_t hub_offset_us; /* the hub's clock minus this one, at the last handshake */
  kecs_status failed;  /* of the last round that failed; KECS_OK: none has */
  const char *failed_text;
  int64_t failed_us;   /* when */
  int64_t hub_every_ms; /* what the hub asked for in the last handshake, as in the report */
  int64_t hub_batch;
  const char *hub_pause; /* why it wants no rounds: they fail with BUSY meanwhile; "": it does */
} kecs_sync_status_info;

/* Makes a hub of the tenant that the URL names: tables, change log and functions, under the lock of migrations. May be
 * called again, and must be after an upgrade of the library that changed the schema. The role needs to own the tables.
 * Errors: as kecs_open; DENIED. */
KECS_STORE_API kecs_status kecs_sync_hub_init(const char *hub);

/* Gives a site a cluster, by name or ARN, or "-", what belongs to no cluster. A site that was never given any has the
 * whole tenant; the first grant narrows it. "*": it has the whole tenant again. The site need not have been there yet.
 * It learns of it with its next round, which brings the cluster's rows. The role must be the tables' owner, or be let
 * write sync_grants. Errors, of all that follow with a `hub` too: INVALID; UNSUPPORTED (the tenant is no hub:
 * kecs_sync_hub_init); DENIED; as kecs_open. */
KECS_STORE_API kecs_status kecs_sync_hub_grant(const char *hub, const char *site, const char *cluster);

/* Takes it away; with the site's next round the rows go from there, and what was pending in them is in its conflict
 * log. Nothing is left after the last one; "*" takes all. Errors: as above; NOT_FOUND (it has no such grant). */
KECS_STORE_API kecs_status kecs_sync_hub_revoke(const char *hub, const char *site, const char *cluster);

/* Makes the site's token, in the place of an earlier one, which is worth nothing from then on. It is kept nowhere but
 * as its SHA-256 at the hub. NULL: the site has none any more. Errors: as above; IO (no random bits). */
KECS_STORE_API kecs_status kecs_sync_hub_token(const char *hub, const char *site,
                                               char out_token[KECS_SYNC_TOKEN_SIZE]);

/* Says how often and how much: for one site, or where `site` is NULL for all; what was said before for the same goes.
 * `limits` NULL takes it back. Sites learn of it with their next handshake, also of the end of a pause: they go on
 * asking as often as their pace, and what failed, allow. The role must be the tables' owner, or be let write
 * sync_limits. Errors: as above. */
KECS_STORE_API kecs_status kecs_sync_hub_limit(const char *hub, const char *site, const kecs_sync_limits *limits);

/* Calls `visit` for each site of the hub, by number; what it returns but KECS_OK ends it and is returned. Errors:
 * as above. */
KECS_STORE_API kecs_status kecs_sync_hub_sites(const char *hub,
                                               kecs_status (*visit)(const kecs_sync_site *site, void *user),
                                               void *user);

/* Fills *out_info; on failure it is zeroed. The same errors. */
KECS_STORE_API kecs_status kecs_sync_hub_status(const char *hub, kecs_sync_hub_info *out_info);

/* How long the hub keeps tombstones, and its log of changes unless compaction is told otherwise: microseconds, above 0;
 * 90 days until it is set. An edge that stays away for longer is compared with the hub as a whole when it comes back
 * (KECS_SYNC_AWAY). Choose more than any edge's options.tombstones_us, and than what a failover or a restored backup
 * may lose. Errors: as kecs_open; INVALID, UNSUPPORTED (not tracked: kecs_sync_hub_init). */
KECS_STORE_API kecs_status kecs_sync_hub_retain(const char *hub, int64_t retention_us);

/* Prepares the file for sync, and connects nowhere. The store must stay open until kecs_sync_close. Rows that were in
 * the file before it was tracked will be pushed, too. Errors: INVALID (options; other kinds or another site name
 * than the file began with), UNSUPPORTED (not tracked, no SQLite file, a kind that can't take part), MISUSE (the handle
 * of a transaction), and those of a write. *out_sync is NULL then. */
KECS_STORE_API kecs_status kecs_sync_open(kecs_store *store, const kecs_sync_options *options, kecs_sync **out_sync);

/* One round: handshake, pull, push. On one thread at a time. What was done before a failure stays done, and the next
 * round goes on from there; *out_report (may be NULL) is filled in any case. Deadline and cancel of the store's
 * handle end it between two steps; kecs_sync_cancel also while the hub is waited for. Errors:
 *   OFFLINE, BUSY          nothing is wrong: try again later; also where the hub wants no rounds (kecs_sync_limits)
 *   READONLY               the server is a standby: name the primary in the hub's URL, too, or promote it
 *   CONFLICT               it is another hub than the one that this file began with, or this device's clock is more
 *                          than 5 minutes ahead. Nothing was lost or written; the line says which
 *   UNSUPPORTED            the hub is of another format, or is none: kecs_sync_hub_init
 *   DENIED, TIMEOUT, CANCELLED, FULL, NOMEM, IO ... as elsewhere */
KECS_STORE_API kecs_status kecs_sync_once(kecs_sync *sync, kecs_sync_report *out_report);

/* How a thread runs rounds. Zero-initialised: every 5 seconds, and as soon as something is written here. */
typedef struct kecs_sync_pace {
  int every_ms;       /* between two rounds, a fifth more or less, and no less than the hub asks for; 0: 5000 */
  int backoff_max_ms; /* after failures pauses are anything up to 2, 4, 8 ... seconds, and up to this; 0: 60000 */
  bool timed;         /* changes wait for the next round's time: they do not begin one */
  void (*after)(kecs_status status, const kecs_sync_report *report, const kecs_error *error, void *user);
  void *user;         /* `after`, which may be NULL, is called on the thread after each round; `error` counts where
                       * `status` is not KECS_OK. It may call all but kecs_sync_once, _start, _stop and _close */
} kecs_sync_pace;

/* Runs rounds on a thread of its own until kecs_sync_stop or kecs_sync_close. A write of this process begins one at
 * once, one of another process within 25 ms. Its waiting costs what a watch costs (store/watch.h). `pace` may be NULL;
 * it is copied. Errors: INVALID; MISUSE (it runs); FULL (no thread); UNSUPPORTED (built with KECS_STORE_NO_THREADS). */
KECS_STORE_API kecs_status kecs_sync_start(kecs_sync *sync, const kecs_sync_pace *pace);

/* Ends the thread and waits for that: a round under way is given up, also while the hub is waited for. Nothing is lost.
 * KECS_OK where none runs. MISUSE from the thread itself. */
KECS_STORE_API kecs_status kecs_sync_stop(kecs_sync *sync);

/* Gives up the round under way, from any thread: it ends with CANCELLED, also while the hub is waited for. The thread
 * goes on with its next round. NULL is fine. */
KECS_STORE_API void kecs_sync_cancel(kecs_sync *sync);

/* From this file and the handle alone; works without the hub, and while a round is under way, on one thread at a
 * time. Errors: INVALID, and those of a read. */
KECS_STORE_API kecs_status kecs_sync_status(kecs_sync *sync, kecs_sync_status_info *out_info);

/* What has lost against another state, and was kept. Texts die when `visit` returns. */
typedef struct kecs_sync_conflict {
  int64_t id;
  kecs_kind kind;
  const char *key;
  const char *reason;  /* "update", "create", "delete", "parent", "key", "policy", "revision", "scope":
                        * docs/sync.md 7 */
  unsigned groups;     /* KECS_BIT(KECS_REPLICA_...) of what has lost */
  int64_t kept_stamp;  /* kecs_stamp_time tells the time */
  int64_t kept_site;   /* a site's number; 0: the hub; -1: this file */
  int64_t lost_stamp;
  int64_t lost_site;
  const char *lost;    /* the whole row as a JSON object, by columns */
  int64_t at;          /* when it was noted, microseconds since 1970 */
  int64_t resolved;    /* 0: open; 1: what was kept stays; 2: what had lost was written once more */
} kecs_sync_conflict;

/* Calls `visit` for each entry of this file's conflict log after `after_id` (0: all), oldest first. What `visit`
 * returns but KECS_OK ends it and is returned. Nothing where the file never was an edge. Errors: INVALID, MISUSE (no
 * store), and those of a read. */
KECS_STORE_API kecs_status kecs_sync_conflicts(kecs_store *store, int64_t after_id,
                                               kecs_status (*visit)(const kecs_sync_conflict *conflict, void *user),
                                               void *user);

typedef enum kecs_sync_take {
  KECS_SYNC_TAKE_KEPT, /* the row stays as it is */
  KECS_SYNC_TAKE_LOST  /* what had lost is written once more: an ordinary edit, which is pushed like any other */
} kecs_sync_take;

/* Decides about an open entry of this file's conflict log, and marks it. Of a row that is there the groups that had
 * lost are written, one that went is created anew. Works without the hub. Errors: NOT_FOUND (no such entry), CONFLICT
 * (it was resolved before), INVALID (`take`; nothing was lost), and those of a write, as REFERENCE where the row's
 * parent is gone, EXISTS where another one has its name: then the entry stays open. */
KECS_STORE_API kecs_status kecs_sync_resolve(kecs_store *store, int64_t id, kecs_sync_take take);

/* Ends the thread, if one runs, and the connection; the store stays open. NULL is fine. */
KECS_STORE_API void kecs_sync_close(kecs_sync *sync);

#endif
#ifdef __cplusplus
}
#endif
#endif

#if defined(KECS_STORE_PG_IMPLEMENTATION) && !defined(KECS_STORE_PG_IMPLEMENTED)
#define KECS_STORE_PG_IMPLEMENTED

/* ---- pg/internal.c ----------------------------------------------------------------------------------------------- */
/* pg/internal.c -- memory, failures and the clock: a companion header builds on the core's public part alone. */

/* ---- pg/internal.h ----------------------------------------------------------------------------------------------- */
/* pg/internal.h -- what the modules of the PostgreSQL backend share: linkage, libpq, memory, failures. */
#ifndef KECS_PG_INTERNAL_H
#define KECS_PG_INTERNAL_H

#include <libpq-fe.h>
#if !defined(LIBPQ_HAS_PIPELINING)
#error "kecs_store_pg.h needs libpq 15 or newer: install a newer libpq-dev, or check -I for an older libpq-fe.h"
#endif

/* Linkage of what is not public, as KECS__FN in the core. */
#if defined(KECS__MODULES)
#define KECS_PG__FN extern
#else
#define KECS_PG__FN static
#endif

#define KECS_PG__STATE_LEN 5 /* of an SQLSTATE */

/* Records a failure that has no SQLSTATE, and returns `status`. */
KECS_PG__FN kecs_status kecs_pg__fail(kecs_status status, const char *format, ...) KECS_STORE_PRINTF(2, 3);

/* Makes a failure the last one again, when what came after it was none of the caller's business. */
KECS_PG__FN void kecs_pg__restore(const kecs_error *error);

/* Zeroed memory; NULL means NOMEM and has recorded it. */
KECS_PG__FN void *kecs_pg__alloc(const kecs_allocator *allocator, size_t size);
KECS_PG__FN void kecs_pg__release(const kecs_allocator *allocator, void *pointer, size_t size); /* NULL is fine */
KECS_PG__FN char *kecs_pg__copy(const kecs_allocator *allocator, const char *text, size_t len); /* terminated */
KECS_PG__FN void kecs_pg__release_text(const kecs_allocator *allocator, char *text);

/* Milliseconds of a clock that never goes back. */
KECS_PG__FN int64_t kecs_pg__now_ms(void);
KECS_PG__FN void kecs_pg__sleep_ms(int ms);

#endif

/* ---- pg/internal.c, continued ------------------------------------------------------------------------------------ */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

KECS_PG__FN kecs_status kecs_pg__fail(kecs_status status, const char *format, ...) {
  char text[sizeof kecs_last_error()->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return kecs_backend_fail(status, 0, NULL, text);
}

KECS_PG__FN void kecs_pg__restore(const kecs_error *error) {
  if (error->transaction[0]) {
    (void)kecs_backend_fail_commit(error->transaction, error->text);
  } else {
    (void)kecs_backend_fail(error->status, error->native_code, error->sqlstate, error->text);
  }
}

KECS_PG__FN void *kecs_pg__alloc(const kecs_allocator *allocator, size_t size) {
  void *pointer = allocator->alloc(size, allocator->user);
  if (!pointer) {
    (void)kecs_pg__fail(KECS_E_NOMEM, "out of memory (%zu bytes)", size);
    return NULL;
  }
  memset(pointer, 0, size);
  return pointer;
}

KECS_PG__FN void kecs_pg__release(const kecs_allocator *allocator, void *pointer, size_t size) {
  if (pointer) {
    allocator->release(pointer, size, allocator->user);
  }
}

KECS_PG__FN char *kecs_pg__copy(const kecs_allocator *allocator, const char *text, size_t len) {
  char *copy = kecs_pg__alloc(allocator, len + 1);
  if (copy) {
    memcpy(copy, text, len);
  }
  return copy;
}

KECS_PG__FN void kecs_pg__release_text(const kecs_allocator *allocator, char *text) {
  kecs_pg__release(allocator, text, text ? strlen(text) + 1 : 0);
}

KECS_PG__FN int64_t kecs_pg__now_ms(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
    return 0;
  }
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

KECS_PG__FN void kecs_pg__sleep_ms(int ms) {
  (void)poll(NULL, 0, ms);
}

/* ---- pg/url.c ---------------------------------------------------------------------------------------------------- */
/* pg/url.c -- options as libpq would read them, so that ours can be taken out and the rest left as it is written. */

/* ---- pg/url.h ---------------------------------------------------------------------------------------------------- */
/* pg/url.h -- the grammar of PostgreSQL URLs and keyword strings: one option after the other. */
#ifndef KECS_PG_URL_H
#define KECS_PG_URL_H

#define KECS_PG__NAME_MAX 40 /* longer than any option's name */

/* What a plain name is made of. */
#define KECS_PG__NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

/* One option of a text. */
typedef struct kecs_pg__option {
  const char *text; /* as it is written, `len` bytes */
  size_t len;
  char name[KECS_PG__NAME_MAX + 1]; /* decoded; "" when it cannot be one */
  char *value;                      /* decoded; the caller gives it room for the whole text */
} kecs_pg__option;

/* Both read the option at *at and move *at to the next one. NULL, or what is wrong with how it is written. */
KECS_PG__FN const char *kecs_pg__option_of_url(const char **at, kecs_pg__option *option);
KECS_PG__FN const char *kecs_pg__option_of_keywords(const char **at, kecs_pg__option *option);

KECS_PG__FN const char *kecs_pg__skip_blanks(const char *at);

/* Decodes percent signs; false when one is not followed by two hexadecimal digits, or stands for the byte 0. */
KECS_PG__FN bool kecs_pg__percent_decode(const char *text, size_t len, char *out);

KECS_PG__FN int kecs_pg__hex_digit(char c); /* -1: none */
KECS_PG__FN char kecs_pg__lower(char c);

#endif

/* ---- pg/url.c, continued ----------------------------------------------------------------------------------------- */
#include <string.h>

KECS_PG__FN char kecs_pg__lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

KECS_PG__FN int kecs_pg__hex_digit(char c) {
  char lower = kecs_pg__lower(c);
  return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

KECS_PG__FN bool kecs_pg__percent_decode(const char *text, size_t len, char *out) {
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (c == '%') {
      int high = i + 2 < len ? kecs_pg__hex_digit(text[i + 1]) : -1;
      int low = high >= 0 ? kecs_pg__hex_digit(text[i + 2]) : -1;
      if (low < 0 || high * 16 + low == 0) {
        return false;
      }
      c = (char)(high * 16 + low);
      i += 2;
    }
    *out++ = c;
  }
  *out = '\0';
  return true;
}

/* name=value of a URL's query, up to the next & */
KECS_PG__FN const char *kecs_pg__option_of_url(const char **at, kecs_pg__option *option) {
  const char *text = *at;
  size_t len = strcspn(text, "&");
  size_t name_len = strcspn(text, "=&");
  option->text = text;
  option->len = len;
  *at = text + len + (text[len] == '&');
  /* The value's room has space for a name of any length. */
  if (!kecs_pg__percent_decode(text, name_len, option->value) || strlen(option->value) > KECS_PG__NAME_MAX) {
    option->value[0] = '\0';
  }
  memcpy(option->name, option->value, strlen(option->value) + 1);
  if (name_len == len) {
    return "has no value; write name=value, and & in a value as %26";
  }
  if (memchr(text + name_len + 1, '=', len - name_len - 1)) {
    return "has two equal signs; write = in a value as %3D, and & between options";
  }
  if (!kecs_pg__percent_decode(text + name_len + 1, len - name_len - 1, option->value)) {
    return "has a % that no character's two hexadecimal digits follow; write % as %25";
  }
  return NULL;
}

static bool kecs_pg__blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

KECS_PG__FN const char *kecs_pg__skip_blanks(const char *at) {
  while (kecs_pg__blank(*at)) {
    at++;
  }
  return at;
}

/* A keyword's value as libpq reads it: up to a blank, or within single quotes; a backslash takes the next character as
 * it is. Returns what follows, or NULL when a quote is not closed. */
static const char *kecs_pg__keyword_value(const char *at, char *out) {
  bool quoted = *at == '\'';
  at += quoted;
  while (*at && (quoted ? *at != '\'' : !kecs_pg__blank(*at))) {
    at += *at == '\\';
    if (*at) {
      *out++ = *at++;
    }
  }
  *out = '\0';
  return !quoted ? at : *at ? at + 1 : NULL;
}

/* name = value of a keyword string */
KECS_PG__FN const char *kecs_pg__option_of_keywords(const char **at, kecs_pg__option *option) {
  const char *text = *at;
  size_t name_len = 0;
  while (text[name_len] && text[name_len] != '=' && !kecs_pg__blank(text[name_len])) {
    name_len++;
  }
  size_t kept = name_len <= KECS_PG__NAME_MAX ? name_len : 0;
  memcpy(option->name, text, kept);
  option->name[kept] = '\0';
  const char *equals = kecs_pg__skip_blanks(text + name_len);
  if (*equals != '=') {
    return "has no value; write name=value, and quote a value that has spaces";
  }
  const char *end = kecs_pg__keyword_value(kecs_pg__skip_blanks(equals + 1), option->value);
  if (!end) {
    return "has a quote that is not closed; write ' in a value as \\'";
  }
  option->text = text;
  option->len = (size_t)(end - text);
  *at = kecs_pg__skip_blanks(end);
  return NULL;
}

/* ---- pg/address.c ------------------------------------------------------------------------------------------------ */
/* pg/address.c -- puts together what is shown of an address: never a piece of the text as it was given. */

/* ---- pg/address.h ------------------------------------------------------------------------------------------------ */
/* pg/address.h -- a PostgreSQL address as messages and logs may show it. */
#ifndef KECS_PG_ADDRESS_H
#define KECS_PG_ADDRESS_H

typedef struct kecs_pg__address {
  char text[500];
  size_t len;
} kecs_pg__address;

/* Writes postgres://USER:***@HOST:PORT/DATABASE from the options that libpq found. A part that does not look like what
 * it should be is shown as stars: it may be a password that was mistyped. */
KECS_PG__FN void kecs_pg__address_show(kecs_pg__address *shown, const PQconninfoOption *options);

KECS_PG__FN const PQconninfoOption *kecs_pg__libpq_find(const PQconninfoOption *options, const char *name);

/* Its value, or "". */
KECS_PG__FN const char *kecs_pg__value_of(const PQconninfoOption *options, const char *name);

#endif

/* ---- pg/address.c, continued ------------------------------------------------------------------------------------- */
#include <string.h>

KECS_PG__FN const PQconninfoOption *kecs_pg__libpq_find(const PQconninfoOption *options, const char *name) {
  for (; options->keyword; options++) {
    if (strcmp(options->keyword, name) == 0) {
      return options;
    }
  }
  return NULL;
}

/* Appends; what is too long is cut off, and never in the midst of the stars. */
static void kecs_pg__show(kecs_pg__address *shown, const char *text, size_t len) {
  if (len < sizeof shown->text - shown->len) {
    memcpy(shown->text + shown->len, text, len);
    shown->len += len;
    shown->text[shown->len] = '\0';
  }
}

/* A part that looks like a name, or stars. */
static void kecs_pg__show_name(kecs_pg__address *shown, const char *text, size_t len) {
  size_t good = 0;
  while (good < len && strchr(KECS_PG__NAME_CHARS, text[good])) {
    good++;
  }
  bool is_name = good == len && len <= 63;
  kecs_pg__show(shown, is_name ? text : "***", is_name ? len : 3);
}

/* A host's name, its address (in brackets when it has colons), or the folder of a socket (its slashes encoded). */
static void kecs_pg__show_host(kecs_pg__address *shown, const char *text, size_t len) {
  if (memchr(text, ':', len)) {
    bool is_address = true;
    for (size_t i = 0; i < len; i++) {
      is_address = is_address && (kecs_pg__hex_digit(text[i]) >= 0 || text[i] == ':' || text[i] == '.');
    }
    kecs_pg__show(shown, is_address ? "[" : "***", is_address ? 1 : 3);
    kecs_pg__show(shown, text, is_address ? len : 0);
    kecs_pg__show(shown, "]", is_address ? 1 : 0);
    return;
  }
  size_t start = 0;
  for (size_t i = 0; i <= len; i++) {
    if (i == len || text[i] == '/') {
      kecs_pg__show_name(shown, text + start, i - start);
      kecs_pg__show(shown, "%2F", i < len ? 3 : 0);
      start = i + 1;
    }
  }
}

KECS_PG__FN const char *kecs_pg__value_of(const PQconninfoOption *options, const char *name) {
  const PQconninfoOption *option = kecs_pg__libpq_find(options, name);
  return option && option->val ? option->val : "";
}

/* Each host with its port; one port serves all hosts. */
static void kecs_pg__show_hosts(kecs_pg__address *shown, const char *hosts, const char *ports) {
  bool one_port = !strchr(ports, ',');
  for (bool first = true; first || *hosts; first = false) {
    size_t host_len = strcspn(hosts, ",");
    size_t port_len = strcspn(ports, ",");
    kecs_pg__show(shown, ",", first ? 0 : 1);
    kecs_pg__show_host(shown, hosts, host_len);
    kecs_pg__show(shown, ":", port_len ? 1 : 0);
    kecs_pg__show(shown, ports, port_len);
    hosts += host_len + (hosts[host_len] == ',');
    ports += one_port ? 0 : port_len + (ports[port_len] == ',');
  }
}

KECS_PG__FN void kecs_pg__address_show(kecs_pg__address *shown, const PQconninfoOption *options) {
  const char *user = kecs_pg__value_of(options, "user");
  const char *hosts = kecs_pg__value_of(options, "host");
  const char *database = kecs_pg__value_of(options, "dbname");
  const char *service = kecs_pg__value_of(options, "service");
  bool has_password = kecs_pg__value_of(options, "password")[0] != '\0';
  kecs_pg__show(shown, "postgres://", 11);
  kecs_pg__show_name(shown, user, strlen(user));
  kecs_pg__show(shown, ":***", has_password ? 4 : 0);
  kecs_pg__show(shown, "@", *user || has_password ? 1 : 0);
  kecs_pg__show_hosts(shown, *hosts ? hosts : kecs_pg__value_of(options, "hostaddr"),
                      kecs_pg__value_of(options, "port"));
  kecs_pg__show(shown, "/", *database || *service ? 1 : 0);
  kecs_pg__show_name(shown, database, strlen(database));
  kecs_pg__show(shown, "?service=", *service ? 9 : 0);
  kecs_pg__show_name(shown, service, strlen(service));
}

/* ---- pg/settings.c ----------------------------------------------------------------------------------------------- */
/* pg/settings.c -- takes our options out of a PostgreSQL URL, checks them, and leaves the rest to libpq.
 *
 * A URL that is mistyped may have its password anywhere: an unencoded "/" or "@" makes it a port, a host or a
 * database. So nothing is ever echoed because of where it stands. What is shown is put together from the parts that
 * libpq found, and only from those that look like what they should be; libpq's own messages quote the URL and are
 * never passed on. */

/* ---- pg/settings.h ----------------------------------------------------------------------------------------------- */
/* pg/settings.h -- what a PostgreSQL URL or keyword string says, for the backend. */
#ifndef KECS_PG_SETTINGS_H
#define KECS_PG_SETTINGS_H

/* Which of several servers will do. */
typedef enum kecs_pg__target {
  KECS_PG__ANY,
  KECS_PG__PRIMARY,
  KECS_PG__STANDBY,
  KECS_PG__PREFER_STANDBY
} kecs_pg__target;

/* Each text is the allocator's, with strlen + 1 bytes. */
typedef struct kecs_pg__settings {
  char *conninfo; /* what libpq gets, ours taken out */
  char *shown;    /* masked for messages and logs: postgres://kecs:***@localhost:5432/kecs */
  char *tenant;
  char *schema;
  int statements; /* 0 auto, 1 named, 2 unnamed */
  int max_connections, min_connections;
  int64_t acquire_timeout_ms;                                  /* 0: do not wait */
  int64_t idle_timeout_ms, max_lifetime_ms, check_interval_ms; /* 0: never */
  char *hosts, *addresses, *ports; /* lists with commas, as the URL has them; NULL where it has none */
  int host_count;                  /* 0: the environment's, or libpq's own */
  kecs_pg__target target;          /* target_session_attrs, where there are several */
  int connect_timeout_ms;          /* for one of them; 0: the URL says nothing */
  int reads;                                                   /* 0 the primary, 1 a standby */
  int64_t max_staleness_ms;                                    /* of a standby that is read; 0: any */
} kecs_pg__settings;

/* Reads a URL (postgres://, postgresql://) or a keyword string (host=.. dbname=..). INVALID names the option and its
 * value, but nothing that may be part of a password; on failure `out` is zeroed. The allocator has all its functions.
 */
KECS_PG__FN kecs_status kecs_pg__settings_read(const char *url, const kecs_allocator *allocator,
                                               kecs_pg__settings *out);

/* Releases the texts; zeroed settings are fine. */
KECS_PG__FN void kecs_pg__settings_free(kecs_pg__settings *settings, const kecs_allocator *allocator);

#endif

/* ---- pg/settings.c, continued ------------------------------------------------------------------------------------ */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__TOLD_MAX 24                    /* bytes of a value in a message */
#define KECS_PG__TIME_MAX INT64_C(315360000000) /* ten years in milliseconds */

static const char kecs_pg__fallback[] = "fallback_application_name=kecs_store";

typedef enum kecs_pg__own_kind {
  KECS_PG__COUNT,
  KECS_PG__TIME,
  KECS_PG__WORD,
  KECS_PG__TENANT,
  KECS_PG__SCHEMA
} kecs_pg__own_kind;

typedef struct kecs_pg__own {
  const char *name;
  kecs_pg__own_kind kind;
  size_t offset;        /* in kecs_pg__settings */
  int min, max;         /* of a count */
  const char *words[4]; /* the stored number is the word's place */
} kecs_pg__own;

#define KECS_PG__AT(field) offsetof(kecs_pg__settings, field)
static const kecs_pg__own kecs_pg__owns[] = {
    {"max_connections", KECS_PG__COUNT, KECS_PG__AT(max_connections), 1, 10000, {NULL}},
    {"min_connections", KECS_PG__COUNT, KECS_PG__AT(min_connections), 0, 10000, {NULL}},
    {"acquire_timeout", KECS_PG__TIME, KECS_PG__AT(acquire_timeout_ms), 0, 0, {NULL}},
    {"idle_timeout", KECS_PG__TIME, KECS_PG__AT(idle_timeout_ms), 0, 0, {NULL}},
    {"max_lifetime", KECS_PG__TIME, KECS_PG__AT(max_lifetime_ms), 0, 0, {NULL}},
    {"check_interval", KECS_PG__TIME, KECS_PG__AT(check_interval_ms), 0, 0, {NULL}},
    {"max_staleness", KECS_PG__TIME, KECS_PG__AT(max_staleness_ms), 0, 0, {NULL}},
    {"statements", KECS_PG__WORD, KECS_PG__AT(statements), 0, 0, {"auto", "named", "unnamed", NULL}},
    {"reads", KECS_PG__WORD, KECS_PG__AT(reads), 0, 0, {"primary", "standby", NULL}},
    {"tenant", KECS_PG__TENANT, KECS_PG__AT(tenant), 0, 0, {NULL}},
    {"schema", KECS_PG__SCHEMA, KECS_PG__AT(schema), 0, 0, {NULL}},
};
#undef KECS_PG__AT
enum { KECS_PG__OWNS = sizeof kecs_pg__owns / sizeof kecs_pg__owns[0] };

/* What other libraries call an option that we or libpq have. */
static const char *const kecs_pg__other_names[][2] = {
    {"database", "dbname"}, {"username", "user"}, {"hostname", "host"}, {"pool_size", "max_connections"}};

/* One text being read, option by option. */
typedef struct kecs_pg__reader {
  const kecs_allocator *allocator;
  kecs_pg__settings *out;
  PQconninfoOption *known; /* libpq's options, without values */
  const char *at;          /* what is still to be read */
  kecs_pg__option option;  /* in hand */
  char *rest;              /* what libpq gets */
  size_t rest_len;
  bool after_secret; /* the option before this one was a password: this one may be its tail */
  bool has_fallback;
} kecs_pg__reader;

/* Puts a copy into *slot, in the place of what is there. */
static kecs_status kecs_pg__settings_keep(const kecs_allocator *allocator, char **slot, const char *text) {
  char *copy = kecs_pg__copy(allocator, text, strlen(text));
  if (!copy) {
    return KECS_E_NOMEM;
  }
  kecs_pg__release_text(allocator, *slot);
  *slot = copy;
  return KECS_OK;
}

/* ---- Names -------------------------------------------------------------------------------------------------- */

static const kecs_pg__own *kecs_pg__own_find(const char *name) {
  for (int i = 0; i < KECS_PG__OWNS; i++) {
    if (strcmp(kecs_pg__owns[i].name, name) == 0) {
      return &kecs_pg__owns[i];
    }
  }
  return NULL;
}

/* Names that libpq takes and does not list. */
static bool kecs_pg__libpq_takes(const char *name) {
  return strcmp(name, "ssl") == 0 || strcmp(name, "requiressl") == 0;
}

/* How many letters must be put in, left out or changed to make one name of the other, letter case aside. */
static int kecs_pg__distance(const char *left, const char *right) {
  int row[KECS_PG__NAME_MAX + 1];
  int len = (int)strlen(right);
  if (len > KECS_PG__NAME_MAX) {
    return KECS_PG__NAME_MAX;
  }
  for (int k = 0; k <= len; k++) {
    row[k] = k;
  }
  for (int i = 1; left[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int k = 1; k <= len; k++) {
      int best = diagonal + (kecs_pg__lower(left[i - 1]) != kecs_pg__lower(right[k - 1]));
      diagonal = row[k];
      best = row[k] + 1 < best ? row[k] + 1 : best;
      row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
    }
  }
  return row[len];
}

/* The known name that was meant, when that is obvious; NULL when it is not. */
static const char *kecs_pg__nearest(const kecs_pg__reader *reader) {
  for (size_t i = 0; i < sizeof kecs_pg__other_names / sizeof kecs_pg__other_names[0]; i++) {
    if (strcmp(kecs_pg__other_names[i][0], reader->option.name) == 0) {
      return kecs_pg__other_names[i][1];
    }
  }
  const char *nearest = NULL;
  int least = strlen(reader->option.name) > 4 ? 3 : 2; /* one more than may differ */
  for (int i = 0; i < KECS_PG__OWNS; i++) {
    int distance = kecs_pg__distance(reader->option.name, kecs_pg__owns[i].name);
    if (distance < least) {
      least = distance;
      nearest = kecs_pg__owns[i].name;
    }
  }
  for (const PQconninfoOption *option = reader->known; option->keyword; option++) {
    int distance = kecs_pg__distance(reader->option.name, option->keyword);
    if (distance < least) {
      least = distance;
      nearest = option->keyword;
    }
  }
  return nearest;
}

/* ---- What may be told ---------------------------------------------------------------------------------------- */

/* Whether a value or a name may be told. A password is in none of ours, unless a separator before it was lost: then
 * the value goes on, and is long or has pieces of the word. */
static bool kecs_pg__harmless(const char *text) {
  char lower[KECS_PG__TOLD_MAX + 1];
  size_t len = strlen(text);
  if (len > KECS_PG__TOLD_MAX || strpbrk(text, "=@&?")) {
    return false;
  }
  for (size_t i = 0; i <= len; i++) {
    lower[i] = kecs_pg__lower(text[i]);
  }
  return !strstr(lower, "pass") && !strstr(lower, "word");
}

/* The value in hand, quoted, for a message about one of our options. */
static const char *kecs_pg__option_told(const kecs_pg__reader *reader, char *room, size_t size) {
  if (!kecs_pg__harmless(reader->option.value) || snprintf(room, size, "\"%s\"", reader->option.value) < 0) {
    return "what it says (not shown)";
  }
  return room;
}

/* The option in hand, for a message about how it is written. */
static const char *kecs_pg__told_name(const kecs_pg__reader *reader) {
  bool known = kecs_pg__own_find(reader->option.name) || kecs_pg__libpq_find(reader->known, reader->option.name);
  return known ? reader->option.name : "an option";
}

static kecs_status kecs_pg__refuse_unknown(const kecs_pg__reader *reader) {
  if (reader->after_secret) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: what follows the password is no option; if it is a part of the password, "
                         "write & as %%26 in a URL, or quote the password in a keyword string");
  }
  const char *nearest = reader->option.name[0] ? kecs_pg__nearest(reader) : NULL;
  if (nearest) {
    return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: there is no option \"%s\"; \"%s\" is the nearest",
                         reader->option.name, nearest);
  }
  bool is_name = reader->option.name[0] &&
                 !reader->option.name[strspn(reader->option.name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
  if (is_name && kecs_pg__harmless(reader->option.name)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: there is no option \"%s\", neither of kecs_store nor of libpq %d",
                         reader->option.name, PQlibVersion() / 10000);
  }
  return kecs_pg__fail(KECS_E_INVALID,
                       "PostgreSQL URL: an option's name is none of kecs_store or libpq; it is not shown, since it may "
                       "be a part of a password: percent-encode the password's @ : / ? # & %% and spaces");
}

/* ---- Our options -------------------------------------------------------------------------------------------- */

/* Digits at the beginning of `text`; -1 when there are none or the number is above KECS_PG__TIME_MAX. */
static int64_t kecs_pg__digits(const char *text, const char **end) {
  int64_t number = 0;
  const char *at = text;
  for (; *at >= '0' && *at <= '9'; at++) {
    number = number * 10 + (*at - '0');
    if (number > KECS_PG__TIME_MAX) {
      return -1;
    }
  }
  *end = at;
  return at == text ? -1 : number;
}

static kecs_status kecs_pg__read_count(kecs_pg__reader *reader, const kecs_pg__own *own, int *out) {
  const char *end = NULL;
  char room[KECS_PG__TOLD_MAX + 3];
  int64_t number = kecs_pg__digits(reader->option.value, &end);
  if (number < own->min || number > own->max || *end) {
    return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: %s cannot be %s; give a number from %d to %d", own->name,
                         kecs_pg__option_told(reader, room, sizeof room), own->min, own->max);
  }
  *out = (int)number;
  return KECS_OK;
}

static kecs_status kecs_pg__read_time(kecs_pg__reader *reader, const kecs_pg__own *own, int64_t *out_ms) {
  static const struct {
    const char *name;
    int64_t ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"min", 60000}, {"h", 3600000}};
  const char *end = NULL;
  char room[KECS_PG__TOLD_MAX + 3];
  int64_t number = kecs_pg__digits(reader->option.value, &end);
  for (size_t i = 0; number >= 0 && i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(end, units[i].name) == 0 && number <= KECS_PG__TIME_MAX / units[i].ms) {
      *out_ms = number * units[i].ms;
      return KECS_OK;
    }
  }
  return kecs_pg__fail(KECS_E_INVALID,
                       "PostgreSQL URL: %s cannot be %s; give a time of up to ten years, such as 500ms, 30s, 10min or "
                       "1h (a plain number counts seconds)",
                       own->name, kecs_pg__option_told(reader, room, sizeof room));
}

static kecs_status kecs_pg__read_word(kecs_pg__reader *reader, const kecs_pg__own *own, int *out) {
  char room[KECS_PG__TOLD_MAX + 3];
  int count = 0;
  for (; own->words[count]; count++) {
    if (strcmp(own->words[count], reader->option.value) == 0) {
      *out = count;
      return KECS_OK;
    }
  }
  return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: %s cannot be %s; give %s%s%s or %s", own->name,
                       kecs_pg__option_told(reader, room, sizeof room), count > 2 ? own->words[0] : "",
                       count > 2 ? ", " : "", own->words[count - 2], own->words[count - 1]);
}

static kecs_status kecs_pg__read_name(kecs_pg__reader *reader, const kecs_pg__own *own, char **out) {
  const char *value = reader->option.value;
  char room[KECS_PG__TOLD_MAX + 3];
  size_t len = strlen(value);
  if (own->kind == KECS_PG__TENANT) {
    size_t good = 0;
    while (value[good] && (strchr(KECS_PG__NAME_CHARS, value[good]) || value[good] == ':' || value[good] == '/')) {
      good++;
    }
    if (len < 1 || len > 128 || good != len) {
      return kecs_pg__fail(KECS_E_INVALID,
                           "PostgreSQL URL: %s cannot be %s; give 1 to 128 characters of A-Z a-z 0-9 . _ : / -",
                           own->name, kecs_pg__option_told(reader, room, sizeof room));
    }
  } else if (len < 1 || len > 63 || (value[0] >= '0' && value[0] <= '9') ||
             value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_")]) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: %s cannot be %s; give 1 to 63 characters of a-z 0-9 _, no digit first",
                         own->name, kecs_pg__option_told(reader, room, sizeof room));
  }
  return kecs_pg__settings_keep(reader->allocator, out, value);
}

static kecs_status kecs_pg__read_own(kecs_pg__reader *reader, const kecs_pg__own *own) {
  void *field = (char *)reader->out + own->offset;
  switch (own->kind) {
    case KECS_PG__COUNT:
      return kecs_pg__read_count(reader, own, field);
    case KECS_PG__TIME:
      return kecs_pg__read_time(reader, own, field);
    case KECS_PG__WORD:
      return kecs_pg__read_word(reader, own, field);
    case KECS_PG__TENANT:
    case KECS_PG__SCHEMA:
      break;
  }
  return kecs_pg__read_name(reader, own, field);
}

/* ---- The text, option by option ------------------------------------------------------------------------------ */

static void kecs_pg__rest_add(kecs_pg__reader *reader, const char *text, size_t len) {
  memcpy(reader->rest + reader->rest_len, text, len);
  reader->rest_len += len;
  reader->rest[reader->rest_len] = '\0';
}

/* The option in hand is one of ours, one of libpq's, or a mistake. */
static kecs_status kecs_pg__option_take(kecs_pg__reader *reader, const char *separator) {
  const kecs_pg__own *own = kecs_pg__own_find(reader->option.name);
  const PQconninfoOption *known = kecs_pg__libpq_find(reader->known, reader->option.name);
  if (!own && !known && !kecs_pg__libpq_takes(reader->option.name)) {
    return kecs_pg__refuse_unknown(reader);
  }
  reader->after_secret = known && known->dispchar && known->dispchar[0] == '*';
  if (own) {
    return kecs_pg__read_own(reader, own);
  }
  reader->has_fallback = reader->has_fallback || strcmp(reader->option.name, "fallback_application_name") == 0;
  kecs_pg__rest_add(reader, separator, strlen(separator));
  kecs_pg__rest_add(reader, reader->option.text, reader->option.len);
  return KECS_OK;
}

static kecs_status kecs_pg__settings_of_keywords(kecs_pg__reader *reader) {
  kecs_status status = KECS_OK;
  reader->at = kecs_pg__skip_blanks(reader->at);
  while (!status && *reader->at) {
    const char *problem = kecs_pg__option_of_keywords(&reader->at, &reader->option);
    status =
        problem ? kecs_pg__fail(KECS_E_INVALID, "PostgreSQL keyword string: %s %s", kecs_pg__told_name(reader), problem)
                : kecs_pg__option_take(reader, reader->rest_len ? " " : "");
  }
  if (!status && !reader->has_fallback) {
    kecs_pg__rest_add(reader, " ", reader->rest_len ? 1 : 0);
    kecs_pg__rest_add(reader, kecs_pg__fallback, sizeof kecs_pg__fallback - 1);
  }
  return status;
}

/* The URL's address: what stands before its query. libpq ends the user and password at the first @, if no / is before
 * it; a further @ means that the password holds one of the two. */
static kecs_status kecs_pg__read_address(kecs_pg__reader *reader) {
  const char *address = strstr(reader->at, "//") + 2;
  size_t user_len = strcspn(address, "@/");
  const char *hosts = address[user_len] == '@' ? address + user_len + 1 : address;
  size_t len = strcspn(hosts, "?");
  if (memchr(hosts, '@', len)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: it has an @ where a host or database belongs; in a password write @ as %%40 "
                         "and / as %%2F");
  }
  if (!kecs_pg__percent_decode(reader->at, (size_t)(hosts - reader->at) + len, reader->option.value)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: before its query is a %% that no character's two hexadecimal digits follow; "
                         "write %% as %%25");
  }
  kecs_pg__rest_add(reader, reader->at, (size_t)(hosts - reader->at) + len);
  reader->at = hosts + len + (hosts[len] == '?');
  return KECS_OK;
}

static kecs_status kecs_pg__settings_of_url(kecs_pg__reader *reader) {
  kecs_status status = kecs_pg__read_address(reader);
  const char *separator = "?";
  while (!status && *reader->at) {
    size_t before = reader->rest_len;
    const char *problem = kecs_pg__option_of_url(&reader->at, &reader->option);
    status = problem ? kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: in its query %s %s", kecs_pg__told_name(reader),
                                     problem)
                     : kecs_pg__option_take(reader, separator);
    separator = reader->rest_len > before ? "&" : separator;
  }
  if (!status && !reader->has_fallback) {
    kecs_pg__rest_add(reader, separator, 1);
    kecs_pg__rest_add(reader, kecs_pg__fallback, sizeof kecs_pg__fallback - 1);
  }
  return status;
}

/* ---- All of it ---------------------------------------------------------------------------------------------- */

/* libpq looks at ports when it connects, and quotes what is no number; it may be a password. */
static kecs_status kecs_pg__check_ports(const char *ports) {
  while (*ports) {
    const char *end = ports;
    int64_t port = *ports == ',' ? 1 : kecs_pg__digits(ports, &end);
    if (port < 1 || port > 65535 || (*end && *end != ',')) {
      return kecs_pg__fail(KECS_E_INVALID,
                           "PostgreSQL URL: its port is no number from 1 to 65535; if that is a part of a password, "
                           "write its / as %%2F and its @ as %%40, and end it with @");
    }
    ports = end + (*end == ',');
  }
  return KECS_OK;
}

static int kecs_pg__parts_of(const char *list) {
  int count = list && list[0] ? 1 : 0;
  for (; list && *list; list++) {
    count += *list == ',';
  }
  return count;
}

/* What libpq can't be left alone with when there are several servers (dial.c). */
static kecs_status kecs_pg__settings_servers(kecs_pg__reader *reader, const PQconninfoOption *options) {
  static const struct {
    const char *name;
    kecs_pg__target target;
  } targets[] = {{"read-write", KECS_PG__PRIMARY}, {"primary", KECS_PG__PRIMARY},
                 {"read-only", KECS_PG__STANDBY},  {"standby", KECS_PG__STANDBY},
                 {"prefer-standby", KECS_PG__PREFER_STANDBY}};
  kecs_pg__settings *out = reader->out;
  kecs_status status = kecs_pg__settings_keep(reader->allocator, &out->hosts, kecs_pg__value_of(options, "host"));
  status = status ? status
                  : kecs_pg__settings_keep(reader->allocator, &out->addresses, kecs_pg__value_of(options, "hostaddr"));
  status = status ? status : kecs_pg__settings_keep(reader->allocator, &out->ports, kecs_pg__value_of(options, "port"));
  if (status) {
    return status;
  }
  int hosts = kecs_pg__parts_of(out->hosts);
  int addresses = kecs_pg__parts_of(out->addresses);
  int ports = kecs_pg__parts_of(out->ports);
  out->host_count = addresses > hosts ? addresses : hosts;
  if ((hosts && addresses && hosts != addresses) || (ports > 1 && ports != out->host_count)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: it has %d hosts, %d addresses (hostaddr) and %d ports; give one port, or as "
                         "many of each",
                         hosts, addresses, ports);
  }
  const char *wanted = kecs_pg__value_of(options, "target_session_attrs");
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
    if (out->host_count > 1 && strcmp(targets[i].name, wanted) == 0) {
      out->target = targets[i].target;
    }
  }
  int64_t seconds = strtoll(kecs_pg__value_of(options, "connect_timeout"), NULL, 10);
  out->connect_timeout_ms = seconds <= 0 ? 0 : seconds > 3600 ? 3600000 : (int)seconds * 1000;
  return KECS_OK;
}

/* Has libpq read what is left, and makes what is shown from what it found. */
static kecs_status kecs_pg__settings_check(kecs_pg__reader *reader) {
  char *message = NULL; /* quotes the text: never shown */
  PQconninfoOption *options = PQconninfoParse(reader->rest, &message);
  bool no_memory = !options && !message;
  PQfreemem(message);
  if (!options) {
    return no_memory ? kecs_pg__fail(KECS_E_NOMEM, "out of memory: libpq had none for the PostgreSQL URL")
                     : kecs_pg__fail(KECS_E_INVALID,
                                     "PostgreSQL URL: libpq cannot read it; see to its brackets, spaces and percent "
                                     "signs (it is not shown, since it may hold a password)");
  }
  kecs_pg__address shown = {{0}, 0};
  kecs_status status = kecs_pg__check_ports(kecs_pg__value_of(options, "port"));
  kecs_pg__address_show(&shown, options);
  status = status ? status : kecs_pg__settings_servers(reader, options);
  PQconninfoFree(options);
  status = status ? status : kecs_pg__settings_keep(reader->allocator, &reader->out->shown, shown.text);
  return status ? status : kecs_pg__settings_keep(reader->allocator, &reader->out->conninfo, reader->rest);
}

static kecs_status kecs_pg__settings_fill(kecs_pg__reader *reader) {
  kecs_pg__settings *out = reader->out;
  bool is_url = strncmp(reader->at, "postgres://", 11) == 0 || strncmp(reader->at, "postgresql://", 13) == 0;
  if (!is_url && !strchr(reader->at, '=')) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: write postgres://user:password@host:5432/database, or keywords such as "
                         "host=localhost dbname=kecs");
  }
  kecs_status status = is_url ? kecs_pg__settings_of_url(reader) : kecs_pg__settings_of_keywords(reader);
  if (!status && out->min_connections > out->max_connections) {
    return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: min_connections (%d) is more than max_connections (%d)",
                         out->min_connections, out->max_connections);
  }
  if (!status && !out->tenant) {
    status = kecs_pg__settings_keep(reader->allocator, &out->tenant, "default");
  }
  if (!status && !out->schema) {
    status = kecs_pg__settings_keep(reader->allocator, &out->schema, "public");
  }
  return status ? status : kecs_pg__settings_check(reader);
}

KECS_PG__FN kecs_status kecs_pg__settings_read(const char *url, const kecs_allocator *allocator,
                                               kecs_pg__settings *out) {
  *out = (kecs_pg__settings){.max_connections = 10,
                             .min_connections = 1,
                             .acquire_timeout_ms = 30000,
                             .idle_timeout_ms = 600000,
                             .max_lifetime_ms = 3600000,
                             .check_interval_ms = 60000};
  kecs_pg__reader reader = {.allocator = allocator, .out = out, .at = url ? url : ""};
  reader.known = PQconninfoParse("", NULL);
  /* One block: the value in hand; and the rest with the fallback name. The rest may be longer than the text: blanks
   * come between keywords where a closing quote was enough. */
  size_t value_size = strlen(reader.at) + 1;
  size_t size = 3 * value_size + sizeof kecs_pg__fallback + 1;
  kecs_status status = KECS_E_NOMEM;
  if (!reader.known) {
    (void)kecs_pg__fail(KECS_E_NOMEM, "out of memory: libpq had none for the PostgreSQL URL");
  } else if ((reader.option.value = kecs_pg__alloc(allocator, size))) {
    reader.rest = reader.option.value + value_size;
    status = kecs_pg__settings_fill(&reader);
    kecs_pg__release(allocator, reader.option.value, size);
  }
  PQconninfoFree(reader.known);
  if (status) {
    kecs_pg__settings_free(out, allocator);
  }
  return status;
}

KECS_PG__FN void kecs_pg__settings_free(kecs_pg__settings *settings, const kecs_allocator *allocator) {
  kecs_pg__release_text(allocator, settings->conninfo);
  kecs_pg__release_text(allocator, settings->shown);
  kecs_pg__release_text(allocator, settings->tenant);
  kecs_pg__release_text(allocator, settings->schema);
  kecs_pg__release_text(allocator, settings->hosts);
  kecs_pg__release_text(allocator, settings->addresses);
  kecs_pg__release_text(allocator, settings->ports);
  *settings = (kecs_pg__settings){0};
}

/* ---- pg/errors.c ------------------------------------------------------------------------------------------------- */
/* pg/errors.c -- the only place that maps SQLSTATEs. */

/* ---- pg/errors.h ------------------------------------------------------------------------------------------------- */
/* pg/errors.h -- SQLSTATEs and lost connections as our codes. */
#ifndef KECS_PG_ERRORS_H
#define KECS_PG_ERRORS_H

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

/* ---- pg/errors.c, continued -------------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

typedef struct kecs_pg__state {
  const char *state; /* a whole SQLSTATE, or the two characters of a class */
  kecs_status status;
  const char *advice;
} kecs_pg__state;

/* Whole states stand before their class: the first row that matches decides. */
static const kecs_pg__state kecs_pg__states[] = {
    {"23505", KECS_E_EXISTS, "the key is taken"},
    {"23503", KECS_E_REFERENCE, "create the parent first"},
    {"21000", KECS_E_INVALID, "a row stands twice among those that are stored together"},
    {"23", KECS_E_INVALID, "a column's value is missing or breaks a rule of the table"},
    {"22", KECS_E_INVALID, "a column's value is not of its type"},
    {"54000", KECS_E_INVALID, "a value is longer than PostgreSQL takes; keys may have some 2600 bytes"},
    {"40001", KECS_E_BUSY, "another writer was in the way; try again"},
    {"40P01", KECS_E_BUSY, "another writer was in the way; try again"},
    {"55P03", KECS_E_BUSY, "another session holds the row or table; try again, or raise options.busy_timeout_ms"},
    {"53300", KECS_E_BUSY, "raise max_connections of the server, or put a pooler before it"},
    {"40003", KECS_E_OUTCOME_UNKNOWN, "read first whether it was stored"},
    {"08007", KECS_E_OUTCOME_UNKNOWN, "read first whether it was stored"},
    {"57014", KECS_E_CANCELLED, "the statement was stopped; nothing was stored"},
    {"25006", KECS_E_READONLY,
     "the server takes no writes: name the primary in the URL, too (host1,host2), or open with read_only"},
    {"25P02", KECS_E_MISUSE, "an earlier statement failed; end the transaction with kecs_rollback and begin again"},
    {"28", KECS_E_DENIED, "check user and password in the URL, and the server's pg_hba.conf"},
    {"3D000", KECS_E_NOT_FOUND, "create the database, or check its name in the URL"},
    {"3F000", KECS_E_NOT_FOUND, "create the schema, or check its name in the URL"},
    {"42501", KECS_E_DENIED,
     "GRANT the user of the URL what is missing (docs/postgresql/roles.sql), let the owner open the store once, or "
     "give the tenant that the user may write"},
    {"0A000", KECS_E_UNSUPPORTED, "this server can't do that"},
    {"57P01", KECS_E_OFFLINE, "the server ended the connection; try again"},
    {"57P02", KECS_E_OFFLINE, "the server crashed and restarts; try again"},
    {"57P03", KECS_E_OFFLINE, "the server is starting or stopping; try again"},
    {"57P05", KECS_E_OFFLINE, "the server ended an idle connection; try again"},
    {"08P01", KECS_E_OFFLINE,
     "poolers say so when the server behind them or a limit of theirs (max_client_conn, query_wait_timeout) is in the "
     "way; try again"},
    {"08", KECS_E_OFFLINE, "check that the server can be reached; try again"},
    {"53100", KECS_E_FULL, "free space on the server's disk"},
    {"53200", KECS_E_NOMEM, "the server is out of memory"},
    {"53", KECS_E_BUSY, "the server is at a limit; try again"},
    {"58", KECS_E_IO, "see the server's log"},
    {"XX001", KECS_E_CORRUPT, "restore a backup"},
    {"XX002", KECS_E_CORRUPT, "reindex, or restore a backup"},
    {"42", KECS_E_CORRUPT, "the schema is not what this version expects"},
    {"26000", KECS_E_OFFLINE, "a pooler took the prepared statement away: put statements=unnamed into the URL"},
};

static const kecs_pg__state *kecs_pg__state_find(const char *state) {
  for (size_t i = 0; i < sizeof kecs_pg__states / sizeof kecs_pg__states[0]; i++) {
    if (strncmp(kecs_pg__states[i].state, state, strlen(kecs_pg__states[i].state)) == 0) {
      return &kecs_pg__states[i];
    }
  }
  return NULL;
}

/* Records one line: libpq's and the server's texts may have several, of which the first says what happened. */
static kecs_status kecs_pg__tell(kecs_status status, const char *shown, const char *doing, const char *state,
                                 const char *said, const char *advice) {
  char text[sizeof kecs_last_error()->text];
  snprintf(text, sizeof text, "%s: could not %s: %.*s; %s", shown, doing, (int)strcspn(said, "\r\n"), said, advice);
  return kecs_backend_fail(status, 0, state, text);
}

static kecs_status kecs_pg__fail_state(const char *shown, const PGresult *result, const char *doing,
                                       const char *state) {
  const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const kecs_pg__state *found = state ? kecs_pg__state_find(state) : NULL;
  said = said ? said : PQresultErrorMessage(result);
  return kecs_pg__tell(found ? found->status : KECS_E_IO, shown, doing, state, said[0] ? said : "no reason was given",
                       found ? found->advice : "see the SQLSTATE and the server's log");
}

KECS_PG__FN kecs_status kecs_pg__fail_result(const char *shown, const PGresult *result, const char *doing) {
  return kecs_pg__fail_state(shown, result, doing, PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

KECS_PG__FN kecs_status kecs_pg__fail_begin(const char *shown, const PGresult *result, const char *doing) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return kecs_pg__fail_state(shown, result, doing, state && strcmp(state, "0A000") == 0 ? "25006" : state);
}

/* "FATAL:  28P01: password ...": the state behind the first colon that one follows. */
static const char *kecs_pg__state_in(const char *text, char out[KECS_PG__STATE_LEN + 1]) {
  static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const char *at = strchr(text, ':'); at; at = strchr(at + 1, ':')) {
    const char *state = at + 1 + strspn(at + 1, " ");
    bool digits = strcspn(state, "0123456789") < KECS_PG__STATE_LEN; /* "FATAL" is none */
    if (digits && strspn(state, alphabet) == KECS_PG__STATE_LEN && strncmp(state + KECS_PG__STATE_LEN, ": ", 2) == 0) {
      memcpy(out, state, KECS_PG__STATE_LEN);
      out[KECS_PG__STATE_LEN] = '\0';
      return state + KECS_PG__STATE_LEN + 2;
    }
  }
  return NULL;
}

/* Whether the two could not agree on encryption: libpq gives no code for that. Trying again would not help. */
static bool kecs_pg__is_tls(const char *text) {
  static const char *const words[] = {"certificate", "SSL error", "does not support SSL"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strstr(text, words[i])) {
      return true;
    }
  }
  return false;
}

KECS_PG__FN kecs_status kecs_pg__fail_connect(const char *shown, PGconn *pg) {
  char state[KECS_PG__STATE_LEN + 1] = "";
  const char *text = pg ? PQerrorMessage(pg) : "out of memory";
  const char *said = kecs_pg__state_in(text, state);
  const kecs_pg__state *found = said ? kecs_pg__state_find(state) : NULL;
  if (found) {
    return kecs_pg__tell(found->status, shown, "connect", state, said, found->advice);
  }
  if (pg && PQconnectionNeedsPassword(pg)) {
    return kecs_pg__tell(KECS_E_DENIED, shown, "connect", NULL, said ? said : text,
                         "put a password into the URL, PGPASSWORD or ~/.pgpass");
  }
  if (kecs_pg__is_tls(said ? said : text)) {
    return kecs_pg__tell(KECS_E_DENIED, shown, "connect", NULL, said ? said : text,
                         "check sslmode and sslrootcert in the URL, and that the host is the one in the server's "
                         "certificate");
  }
  return kecs_pg__tell(KECS_E_OFFLINE, shown, "connect", state[0] ? state : NULL, said ? said : text,
                       "check host and port, and that the server runs");
}

KECS_PG__FN kecs_status kecs_pg__fail_lost(const char *shown, PGconn *pg, const char *doing) {
  const char *said = pg ? PQerrorMessage(pg) : "";
  return kecs_pg__tell(KECS_E_OFFLINE, shown, doing, NULL, said[0] ? said : "the connection is lost",
                       "nothing was stored; the next call connects anew");
}

KECS_PG__FN bool kecs_pg__dooms(const PGresult *result) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state && (strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 || strcmp(state, "25006") == 0);
}

/* ---- pg/wire.c --------------------------------------------------------------------------------------------------- */
/* pg/wire.c -- waits never block for good: they look up now and then whether the call is to stop, and cancel then. */

/* ---- pg/wire.h --------------------------------------------------------------------------------------------------- */
/* pg/wire.h -- one connection's traffic: sending, waiting with an eye on the stop hook, cancelling. */
#ifndef KECS_PG_WIRE_H
#define KECS_PG_WIRE_H

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

/* ---- pg/wire.c, continued ---------------------------------------------------------------------------------------- */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__LOOK_MS 20 /* between two looks at deadline and cancel */
#define KECS_PG__SHUN_MS 5000 /* a standby that has refused something is left alone for so long */
#define KECS_PG__CANCEL_MS                                                                  \
  5000 /* how long a cancelled statement may take to end, before the connection is given up \
        */

KECS_PG__FN const char *kecs_pg__shown(const kecs_pg__connection *connection) {
  return connection->home->settings.shown;
}

KECS_PG__FN bool kecs_pg__stopped(const kecs_pg__connection *connection) {
  return connection->should_stop && connection->should_stop(connection->should_stop_user);
}

/* The connection ended while COMMIT ran: who knows whether before or after it took effect. */
KECS_PG__FN kecs_status kecs_pg__fail_unknown(const kecs_pg__connection *connection) {
  char text[sizeof kecs_last_error()->text];
  char name[sizeof kecs_last_error()->transaction] = "";
  const char *shown = kecs_pg__shown(connection);
  if (connection->transaction) {
    snprintf(name, sizeof name, "%lld@%s", (long long)connection->transaction, connection->timeline);
    snprintf(text, sizeof text,
             "%s: the connection was lost while COMMIT ran; kecs_find_outcome tells whether transaction %s was stored: "
             "write again only if it was not",
             shown, name);
  } else {
    snprintf(text, sizeof text,
             "%s: the connection was lost while COMMIT ran; read first whether it was stored, and write again only if "
             "it was not",
             shown);
  }
  return kecs_backend_fail_commit(name, text);
}

KECS_PG__FN void kecs_pg__wait(PGconn *pg, bool to_write, int ms) {
  struct pollfd socket = {PQsocket(pg), (short)(to_write ? POLLOUT : POLLIN), 0};
  (void)poll(&socket, 1, ms); /* whatever it says, libpq looks at the socket next */
}

KECS_PG__FN void kecs_pg__hang_up(kecs_pg__connection *connection) {
  if (connection->pg) {
    PQfinish(connection->pg);
    connection->pg = NULL;
  }
  connection->name_count = 0;
  connection->id_prepared = false;
  connection->listens = false;
  connection->doomed = false;
  connection->farewell = false;
  connection->settled = false;
}

KECS_PG__FN void kecs_pg__forget(kecs_pg__connection *connection) {
  connection->waiting_count = 0;
  connection->begin_waits = false;
  connection->settings_wait = 0;
  connection->only_begins = false;
}

KECS_PG__FN bool kecs_pg__alive(kecs_pg__connection *connection) {
  if (!connection->pg || PQstatus(connection->pg) != CONNECTION_OK) {
    return false;
  }
  /* Nothing is expected, so what can be read is a notice, or the server's goodbye: its last words first, then the end.
   */
  struct pollfd socket = {PQsocket(connection->pg), POLLIN, 0};
  while (PQstatus(connection->pg) == CONNECTION_OK && poll(&socket, 1, 0) > 0) {
    if (!PQconsumeInput(connection->pg)) {
      return false;
    }
    (void)PQisBusy(connection->pg); /* takes what has come out of the buffer */
  }
  return PQstatus(connection->pg) == CONNECTION_OK && !connection->farewell;
}

/* Asks the server to stop the statement, over a connection of its own; whether it did is seen in the result. */
static void kecs_pg__cancel(PGconn *pg) {
#if defined(LIBPQ_HAS_ASYNC_CANCEL)
  PGcancelConn *cancel = PQcancelCreate(pg);
  if (cancel) {
    (void)PQcancelBlocking(cancel);
    PQcancelFinish(cancel);
  }
#else
  char reason[256];
  PGcancel *cancel = PQgetCancel(pg);
  if (cancel) {
    (void)PQcancel(cancel, reason, sizeof reason);
    PQfreeCancel(cancel);
  }
#endif
}

KECS_PG__FN bool kecs_pg__await(kecs_pg__connection *connection, kecs_pg__patience patience, int64_t *stopped_at) {
  while (PQisBusy(connection->pg)) {
    kecs_pg__wait(connection->pg, false, patience == KECS_PG__DEAF ? 1000 : KECS_PG__LOOK_MS);
    if (!PQconsumeInput(connection->pg)) {
      return false;
    }
    if (patience == KECS_PG__DEAF || !PQisBusy(connection->pg)) {
      continue;
    }
    if (*stopped_at == 0 && kecs_pg__stopped(connection)) {
      *stopped_at = kecs_pg__now_ms();
      if (patience == KECS_PG__STOPS) {
        kecs_pg__cancel(connection->pg);
      }
    }
    if (*stopped_at != 0 && kecs_pg__now_ms() - *stopped_at > KECS_PG__CANCEL_MS) {
      return false;
    }
  }
  return true;
}

/* The answers to what was sent: the last result, or the first that failed. */
typedef struct kecs_pg__answer {
  PGresult *result;
  int good;    /* results before the first failure */
  int wanted;  /* the last result that counts is the one of this number; 0: all do */
  bool sums;   /* the rows that the statements have changed are added up */
  bool tells;  /* the statements' rows have the transaction's number in the last column */
  int64_t changes;
  int64_t id;  /* the transaction's number, if it was asked for; COMMIT's result comes after it */
} kecs_pg__answer;

KECS_PG__FN int64_t kecs_pg__number(const char *bytes, int len) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint64_t number = 0;
  if (len == 8) { /* compilers make one instruction of it */
    number = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
             (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | (uint64_t)at[7];
    return (int64_t)number;
  }
  for (int i = 0; i < len; i++) {
    number = (number << 8) | at[i];
  }
  return len == 4 ? (int64_t)(int32_t)(uint32_t)number : (int64_t)number;
}

static int64_t kecs_pg__told_id(const PGresult *result) {
  int column = PQnfields(result) - 1;
  bool told = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0 && !PQgetisnull(result, 0, column);
  return told ? kecs_pg__number(PQgetvalue(result, 0, column), PQgetlength(result, 0, column)) : 0;
}

static void kecs_pg__take(kecs_pg__answer *answer, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  bool failed = answer->result && PQresultStatus(answer->result) == PGRES_FATAL_ERROR;
  if (failed || status == PGRES_PIPELINE_ABORTED) {
    PQclear(result);
    return;
  }
  if (answer->wanted && answer->good >= answer->wanted && status != PGRES_FATAL_ERROR) {
    if (status == PGRES_TUPLES_OK && PQntuples(result) == 1 && !PQgetisnull(result, 0, 0)) {
      answer->id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    }
    answer->good++;
    PQclear(result);
    return;
  }
  answer->good += status != PGRES_FATAL_ERROR;
  answer->id = answer->tells && !answer->id ? kecs_pg__told_id(result) : answer->id;
  answer->changes += answer->sums ? strtoll(PQcmdTuples(result), NULL, 10) : 0;
  PQclear(answer->result);
  answer->result = result;
}

/* Reads all answers. False: the connection is lost. */
static bool kecs_pg__listen(kecs_pg__connection *connection, kecs_pg__patience patience, kecs_pg__answer *answer) {
  int64_t stopped_at = 0;
  bool piped = PQpipelineStatus(connection->pg) != PQ_PIPELINE_OFF;
  for (;;) {
    if (!kecs_pg__await(connection, patience, &stopped_at)) {
      return false;
    }
    PGresult *result = PQgetResult(connection->pg);
    bool synced = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    bool copies = result && PQresultStatus(result) == PGRES_COPY_IN;
    if (synced) {
      PQclear(result);
    } else if (result) {
      kecs_pg__take(answer, result);
    }
    if (synced || copies || (!result && !piped) || (!result && PQstatus(connection->pg) != CONNECTION_OK)) {
      return PQstatus(connection->pg) == CONNECTION_OK;
    }
  }
}

KECS_PG__FN void kecs_pg__shun(kecs_pg__connection *connection, kecs_status status) {
  if (connection->splits && connection->standby && status != KECS_E_CANCELLED) {
    connection->doomed = true;
    connection->shunned_until_ms = kecs_pg__now_ms() + KECS_PG__SHUN_MS;
  }
}

/* Waits for the answers and says what they come to. */
static kecs_status kecs_pg__receive(kecs_pg__connection *connection, kecs_pg__patience patience, const char *doing,
                                    kecs_pg__answer *answer) {
  const char *shown = kecs_pg__shown(connection);
  bool lost = !kecs_pg__listen(connection, patience, answer);
  bool failed = answer->result && PQresultStatus(answer->result) == PGRES_FATAL_ERROR;
  if (!lost && PQpipelineStatus(connection->pg) != PQ_PIPELINE_OFF && !PQexitPipelineMode(connection->pg)) {
    lost = true;
  }
  kecs_status status = KECS_OK;
  /* libpq makes a result of a lost connection by itself, without a state of the server's. */
  if (failed && PQresultErrorField(answer->result, PG_DIAG_SQLSTATE)) {
    bool at_begin = connection->begin_waits && answer->good == 0;
    status = at_begin ? kecs_pg__fail_begin(shown, answer->result, doing)
                      : kecs_pg__fail_result(shown, answer->result, doing);
    connection->doomed = connection->doomed || status == KECS_E_READONLY || kecs_pg__dooms(answer->result);
    kecs_pg__shun(connection, status);
  } else if (lost || failed || !answer->result) {
    status = kecs_pg__fail_lost(shown, connection->pg, doing);
    lost = true;
  }
  if (status) {
    PQclear(answer->result);
    answer->result = NULL;
  }
  if (lost) {
    kecs_pg__hang_up(connection);
  }
  return status;
}

/* ---- sending ---- */

static bool kecs_pg__send(kecs_pg__connection *connection, const kecs_pg__message *message) {
  PGconn *pg = connection->pg;
  if (message->prepare && !PQsendPrepare(pg, message->name, message->sql, 0, NULL)) {
    return false;
  }
  int sent = 1;
  for (int i = 0; sent && (i == 0 || i < message->times); i++) {
    if (message->bind) {
      message->bind(message->user, i);
    }
    sent = message->name ? PQsendQueryPrepared(pg, message->name, message->count, message->values, message->lengths,
                                               message->formats, message->binary)
                         : PQsendQueryParams(pg, message->sql, message->count, NULL, message->values, message->lengths,
                                             message->formats, message->binary);
  }
  return sent;
}

/* A number is given with the first row that is written; asking gives none. */
static bool kecs_pg__send_id(kecs_pg__connection *connection) {
  static const char name[] = "kecs_transaction";
  static const char sql[] = "SELECT txid_current_if_assigned()";
  if (!connection->named) {
    return PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0);
  }
  return (connection->id_prepared || PQsendPrepare(connection->pg, name, sql, 0, NULL)) &&
         PQsendQueryPrepared(connection->pg, name, 0, NULL, NULL, NULL, 0);
}

/* For the triggers of the change log. They end with the transaction: behind a pooler the next one is another's. */
static const char kecs_pg__say_sql[] =
    "SELECT set_config('kecs_store.actor',$1,true),set_config('kecs_store.reason',$2,true),"
    "set_config('kecs_store.says','1',true)";

KECS_PG__FN int kecs_pg__waiting(const kecs_pg__connection *connection) {
  return connection->waiting_count - (connection->settled ? connection->settings_wait : 0);
}

KECS_PG__FN bool kecs_pg__send_waiting(kecs_pg__connection *connection) {
  bool sent = true;
  for (int i = 0; sent && i < connection->waiting_count; i++) {
    const char *sql = connection->waiting[i];
    if (connection->settled && i > 0 && i <= connection->settings_wait) {
      continue;
    }
    const char *const said[] = {connection->said[0], connection->said[1]};
    sent = sql[0] ? PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0)
                  : PQsendQueryParams(connection->pg, kecs_pg__say_sql, 2, NULL, said, NULL, NULL, 0);
  }
  return sent;
}

static bool kecs_pg__send_all(kecs_pg__connection *connection, const kecs_pg__message *message) {
  bool several = connection->waiting_count > 0 ||
                 (message && (message->prepare || message->ask_id || message->commits || message->times > 1));
  if (!connection->pg || (several && !PQenterPipelineMode(connection->pg))) {
    return false;
  }
  bool alone = message && message->alone; /* then the server begins and commits, as it does for any pipeline */
  if (!alone && !kecs_pg__send_waiting(connection)) {
    return false;
  }
  if (message && (!kecs_pg__send(connection, message) || (message->ask_id && !kecs_pg__send_id(connection)))) {
    return false;
  }
  /* The transaction's number is to be here before the commit begins: it is needed where that is not heard of again. */
  if (message && message->commits && (message->ask_id || message->tells_id) && !PQsendFlushRequest(connection->pg)) {
    return false;
  }
  if (message && message->commits && !alone &&
      !PQsendQueryParams(connection->pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0)) {
    return false;
  }
  return !several || PQpipelineSync(connection->pg);
}

/* COMMIT may have run. */
static kecs_status kecs_pg__in_doubt(kecs_pg__connection *connection) {
  kecs_pg__forget(connection);
  return kecs_pg__fail_unknown(connection);
}

KECS_PG__FN kecs_status kecs_pg__exchange(kecs_pg__connection *connection, kecs_pg__message *message,
                                          kecs_pg__patience patience, const char *doing, PGresult **out_result) {
  kecs_pg__answer answer = {NULL, 0, 0, false, false, 0, 0};
  kecs_status status = KECS_OK;
  if (message) {
    message->alone = message->commits && connection->only_begins && connection->settled;
  }
  int before = message && message->alone ? 0 : kecs_pg__waiting(connection);
  if (!kecs_pg__send_all(connection, message)) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, doing);
    kecs_pg__hang_up(connection);
    return message && message->commits ? kecs_pg__in_doubt(connection) : status;
  }
  if (message && (message->commits || message->ask_id)) {
    answer.wanted = before + message->prepare + (message->times > 1 ? message->times : 1);
  }
  answer.sums = message && message->times > 0;
  answer.tells = message && message->tells_id;
  status = kecs_pg__receive(connection, patience, doing, &answer);
  if (message) {
    message->changes = answer.changes;
    message->prepared = message->prepare && answer.good > before;
  }
  if (answer.id) {
    connection->transaction = answer.id;
  }
  if (message && message->ask_id && answer.good > answer.wanted) {
    connection->id_prepared = connection->named && connection->pg;
  }
  /* What the server itself says of the statement says that COMMIT has not run. */
  if (status == KECS_E_OFFLINE && message && message->commits &&
      (answer.good >= answer.wanted || !kecs_last_error()->sqlstate[0])) {
    return kecs_pg__in_doubt(connection);
  }
  /* What was asked of a lost connection may be asked of the next one; so may what a server refused that was demoted. */
  bool anew = status == KECS_E_OFFLINE || (status && connection->doomed && connection->begin_waits);
  if (anew && connection->doomed) {
    kecs_pg__hang_up(connection);
  } else if (!anew) {
    kecs_pg__forget(connection);
  }
  if (out_result) {
    *out_result = answer.result;
  } else {
    PQclear(answer.result);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_pg__command(kecs_pg__connection *connection, const char *sql, kecs_pg__patience patience,
                                         const char *doing, PGresult **out_result) {
  kecs_pg__answer answer = {NULL, 0, 0, false, false, 0, 0};
  kecs_status status = KECS_OK;
  if (connection->waiting_count > 0) {
    status = kecs_pg__exchange(connection, NULL, patience, doing, NULL);
  }
  if (status) {
    return status;
  }
  if (!connection->pg || !PQsendQuery(connection->pg, sql)) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, doing);
    kecs_pg__hang_up(connection);
    return status;
  }
  status = kecs_pg__receive(connection, patience, doing, &answer);
  if (out_result) {
    *out_result = answer.result;
  } else {
    PQclear(answer.result);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_pg__copy_end(kecs_pg__connection *connection, const char *reason) {
  kecs_pg__answer answer = {NULL, 0, 0, false, false, 0, 0};
  kecs_status status = KECS_OK;
  if (PQputCopyEnd(connection->pg, reason) != 1) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "load rows");
    kecs_pg__hang_up(connection);
    return status;
  }
  status = kecs_pg__receive(connection, KECS_PG__STOPS, "load rows", &answer);
  PQclear(answer.result);
  return status;
}

KECS_PG__FN kecs_status kecs_pg__defer(kecs_pg__connection *connection, const char *sql) {
  kecs_status status = KECS_OK;
  size_t len = strlen(sql);
  if (connection->waiting_count == KECS_PG__WAITING_MAX) {
    status = kecs_pg__exchange(connection, NULL, KECS_PG__PATIENT, "run a statement", NULL);
  }
  if (!status && len >= KECS_PG__WAITING_SIZE) {
    status = kecs_pg__fail(KECS_E_MISUSE, "a statement of %zu bytes is too long to wait", len);
  }
  if (!status) {
    memcpy(connection->waiting[connection->waiting_count++], sql, len + 1);
    connection->only_begins = false;
  }
  return status;
}

/* What was to be said before is not any more: nothing was written in between. */
KECS_PG__FN kecs_status kecs_pg__say(kecs_pg__connection *connection, const char *actor, const char *reason) {
  const char *texts[] = {actor ? actor : "", reason ? reason : ""};
  char *who = kecs_pg__copy(connection->allocator, texts[0], strlen(texts[0]));
  char *why = who ? kecs_pg__copy(connection->allocator, texts[1], strlen(texts[1])) : NULL;
  if (!why) {
    kecs_pg__release_text(connection->allocator, who);
    return KECS_E_NOMEM;
  }
  kecs_pg__release_text(connection->allocator, connection->said[0]);
  kecs_pg__release_text(connection->allocator, connection->said[1]);
  connection->said[0] = who;
  connection->said[1] = why;
  for (int i = 0; i < connection->waiting_count; i++) {
    if (!connection->waiting[i][0]) {
      return KECS_OK;
    }
  }
  return kecs_pg__defer(connection, "");
}

/* ---- pg/dial.c --------------------------------------------------------------------------------------------------- */
/* pg/dial.c -- making a connection. Several servers of a URL are tried one by one, each for a part of the time: libpq
 * by itself would wait for the first one's network until the call has no time left, and tell a standby from a primary
 * in a text alone. */

/* ---- pg/dial.h --------------------------------------------------------------------------------------------------- */
/* pg/dial.h -- making a connection: which of the URL's servers, how long it may take, and whether the server that
 * answers is the one that is wanted. */
#ifndef KECS_PG_DIAL_H
#define KECS_PG_DIAL_H

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

/* ---- pg/dial.c, continued ---------------------------------------------------------------------------------------- */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__CONNECT_MS 30000 /* what connecting may take where a call need not wait for a connection */
#define KECS_PG__START_FIRST_MS 50
#define KECS_PG__START_MAX_MS 1000
#define KECS_PG__MOVE_MS 1000         /* standbys are not looked for more often */
#define KECS_PG__SERVER_OLDEST 120000 /* PQserverVersion of the oldest server that is taken */
#define KECS_PG__HOST_SIZE 1024

/* ---- one server ---- */

static void kecs_pg__log(const kecs_pg__connection *connection, kecs_log_level level, const char *text) {
  if (connection->logger && connection->logger->write) {
    char line[512];
    size_t len = strcspn(text, "\r\n");
    len = len < sizeof line ? len : sizeof line - 1;
    memcpy(line, text, len);
    line[len] = '\0';
    connection->logger->write(level, line, connection->logger->user);
  }
}

/* Hears notices, and errors that come when nothing was asked: the server's last words before it ends the connection. */
static void kecs_pg__notice(void *user, const PGresult *result) {
  kecs_pg__connection *connection = user;
  const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  connection->farewell = connection->farewell || (severity && strcmp(severity, "FATAL") == 0);
  if (said) {
    kecs_pg__log(connection, KECS_LOG_DEBUG, said);
  }
}

/* The n-th part of a list with commas; the only part of a list that has one, too. */
static const char *kecs_pg__part(const char *list, int n, char out[KECS_PG__HOST_SIZE]) {
  const char *at = list ? list : "";
  bool several = strchr(at, ',') != NULL;
  for (int i = 0; i < n && several; i++) {
    at += strcspn(at, ",");
    at += *at == ',';
  }
  size_t len = strcspn(at, ",");
  len = len < KECS_PG__HOST_SIZE ? len : KECS_PG__HOST_SIZE - 1;
  memcpy(out, at, len);
  out[len] = '\0';
  return out;
}

/* Starts a connection to the n-th server of the URL. Which of them will do is not for libpq to say then. */
static PGconn *kecs_pg__start_connect(const kecs_pg__settings *settings, int n) {
  char host[KECS_PG__HOST_SIZE];
  char address[KECS_PG__HOST_SIZE];
  char port[KECS_PG__HOST_SIZE];
  /* The URL comes first, so that it may name an application; the encoding is not its to choose. */
  const char *names[] = {"dbname", "fallback_application_name", "client_encoding", NULL, NULL, NULL, NULL, NULL};
  const char *values[] = {settings->conninfo, "kecs_store", "UTF8", NULL, NULL, NULL, NULL, NULL};
  if (settings->host_count > 1) {
    names[3] = "host";
    values[3] = kecs_pg__part(settings->hosts, n, host);
    names[4] = "hostaddr";
    values[4] = kecs_pg__part(settings->addresses, n, address);
    names[5] = "port";
    values[5] = kecs_pg__part(settings->ports, n, port);
    names[6] = "target_session_attrs";
    values[6] = "any";
  }
  return PQconnectStartParams(names, values, 1);
}

/* Starts and follows the handshake, for at most so long; what it came to is PQstatus. */
static kecs_status kecs_pg__shake_hands(kecs_pg__connection *connection, int n, int limit) {
  const char *shown = kecs_pg__shown(connection);
  int64_t until = kecs_pg__now_ms() + limit;
  connection->pg = kecs_pg__start_connect(&connection->home->settings, n);
  if (!connection->pg) {
    return kecs_pg__fail(KECS_E_NOMEM, "out of memory for a connection");
  }
  (void)PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE); /* with the SQLSTATE: libpq tells it no other way */
  (void)PQsetNoticeReceiver(connection->pg, kecs_pg__notice, connection);
  PostgresPollingStatusType polled =
      PQstatus(connection->pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (polled != PGRES_POLLING_OK && polled != PGRES_POLLING_FAILED) {
    kecs_pg__wait(connection->pg, polled == PGRES_POLLING_WRITING, 50);
    if (kecs_pg__stopped(connection)) {
      return kecs_pg__fail(KECS_E_CANCELLED, "%s: stopped while connecting", shown);
    }
    if (kecs_pg__now_ms() > until) {
      return kecs_pg__fail(KECS_E_OFFLINE,
                           "%s: no connection within %d ms; check host and port, and that the server "
                           "runs",
                           shown, limit);
    }
    polled = PQconnectPoll(connection->pg);
  }
  if (polled == PGRES_POLLING_FAILED) {
    return kecs_pg__fail_connect(shown, connection->pg);
  }
  (void)PQsetErrorVerbosity(connection->pg, PQERRORS_DEFAULT);
  return KECS_OK;
}

static kecs_status kecs_pg__check_server(const kecs_pg__connection *connection) {
  const char *shown = kecs_pg__shown(connection);
  const char *encoding = PQparameterStatus(connection->pg, "server_encoding");
  int version = PQserverVersion(connection->pg);
  if (version < KECS_PG__SERVER_OLDEST) {
    return kecs_pg__fail(KECS_E_UNSUPPORTED, "%s: the server is PostgreSQL %d; use 12 or newer", shown,
                         version / 10000);
  }
  if (encoding && strcmp(encoding, "UTF8") != 0) {
    return kecs_pg__fail(KECS_E_UNSUPPORTED,
                         "%s: the database's encoding is %s; use one that was made with ENCODING 'UTF8'", shown,
                         encoding);
  }
  return KECS_OK;
}

/* How far a standby is behind, in milliseconds: the age of the last transaction that it has replayed. Where nobody
 * writes that grows, too, and the reads go to the primary, which then has little to do. */
#define KECS_PG__LAG "(extract(epoch FROM clock_timestamp()-pg_last_xact_replay_timestamp())*1000)::bigint"

static const char kecs_pg__question[] =
    "SELECT pg_backend_pid(),pg_is_in_recovery(),CASE WHEN pg_is_in_recovery() THEN '' "
    "ELSE substr(pg_walfile_name(pg_current_wal_lsn()),1,8) END," KECS_PG__LAG;
static const char kecs_pg__short_question[] = "SELECT pg_backend_pid(),pg_is_in_recovery(),''," KECS_PG__LAG;

static bool kecs_pg__is_fresh(const kecs_pg__connection *connection, const PGresult *result, int column) {
  int64_t most = connection->home->settings.max_staleness_ms;
  return most == 0 ||
         (!PQgetisnull(result, 0, column) && strtoll(PQgetvalue(result, 0, column), NULL, 10) <= most);
}

/* A direct connection is served by the process that libpq was told of. Behind a pooler any process may serve the next
 * transaction, and a name that another one was told means nothing to it. */
static kecs_status kecs_pg__look_over(kecs_pg__connection *connection) {
  PGresult *result = NULL;
  kecs_status status = kecs_pg__check_server(connection);
  status = status ? status : kecs_pg__command(connection, kecs_pg__question, KECS_PG__STOPS, "connect", &result);
  if (status && connection->pg && kecs_last_error()->sqlstate[0]) { /* not every server tells of its log */
    status = kecs_pg__command(connection, kecs_pg__short_question, KECS_PG__STOPS, "connect", &result);
  }
  if (status) {
    return status;
  }
  snprintf(connection->timeline, sizeof connection->timeline, "%s", PQgetvalue(result, 0, 2));
  int pid = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
  int wanted = connection->home->settings.statements;
  connection->direct = pid == PQbackendPID(connection->pg);
  connection->named = wanted == 1 || (wanted == 0 && connection->direct);
  connection->standby = PQgetvalue(result, 0, 1)[0] == 't';
  connection->stale = connection->standby && !connection->writer && !kecs_pg__is_fresh(connection, result, 3);
  connection->checked_ms = kecs_pg__now_ms();
  PQclear(result);
  return KECS_OK;
}

KECS_PG__FN int kecs_pg__lock_timeout(const kecs_pg__connection *connection) {
  return connection->busy_timeout_ms > 0 ? connection->busy_timeout_ms : 1; /* 0 would wait for ever */
}

/* In a session of our own what each transaction that writes needs is said once. */
static kecs_status kecs_pg__settle_session(kecs_pg__connection *connection) {
  char sql[200];
  if (!connection->direct || !connection->writer) {
    return KECS_OK;
  }
  snprintf(sql, sizeof sql,
           "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;"
           "SET lock_timeout=%d%s",
           kecs_pg__lock_timeout(connection), connection->full_durability ? ";SET synchronous_commit=on" : "");
  kecs_status status = kecs_pg__command(connection, sql, KECS_PG__STOPS, "connect", NULL);
  connection->settled = !status;
  return status;
}

/* ---- which server ---- */

static kecs_status kecs_pg__check_role(const kecs_pg__connection *connection, kecs_pg__target target) {
  if (target == KECS_PG__PRIMARY && connection->standby) {
    return kecs_pg__fail(KECS_E_READONLY,
                         "%s: the server is a standby; name the primary in the URL, too (host1,host2), or open with "
                         "read_only",
                         kecs_pg__shown(connection));
  }
  if (target == KECS_PG__STANDBY && (!connection->standby || connection->stale)) {
    return kecs_pg__fail(KECS_E_OFFLINE, "%s: none of the servers is a standby that is up to date enough",
                         kecs_pg__shown(connection));
  }
  return KECS_OK;
}

/* One try of each server. What went wrong with one that answered says more than that another one does not. */
static kecs_status kecs_pg__dial_all(kecs_pg__connection *connection, kecs_pg__target target, int64_t until) {
  const kecs_pg__settings *settings = &connection->home->settings;
  kecs_status status = KECS_E_OFFLINE;
  kecs_error told = {KECS_OK, 0, "", "", "", 0};
  int count = settings->host_count > 1 ? settings->host_count : 1;
  for (int n = 0; n < count; n++) {
    int64_t left = (until - kecs_pg__now_ms()) / (count - n);
    int limit = settings->connect_timeout_ms > 0 && settings->connect_timeout_ms < left ? settings->connect_timeout_ms
                                                                                        : (int)left;
    kecs_pg__hang_up(connection);
    status = kecs_pg__shake_hands(connection, n, limit > 1 ? limit : 1);
    status = status ? status : kecs_pg__look_over(connection);
    status = status ? status : kecs_pg__check_role(connection, target);
    status = status ? status : kecs_pg__settle_session(connection);
    if (!status) {
      return KECS_OK;
    }
    if (!told.status || status != KECS_E_OFFLINE) {
      told = *kecs_last_error();
    }
    if (status != KECS_E_OFFLINE && status != KECS_E_READONLY && status != KECS_E_BUSY) {
      break; /* the others would say the same */
    }
  }
  kecs_pg__hang_up(connection);
  return kecs_backend_fail(told.status, 0, told.sqlstate, told.text);
}

/* What a connection is made for, and whether something else will do. */
static kecs_pg__target kecs_pg__target_of(const kecs_pg__connection *connection) {
  const kecs_pg__settings *settings = &connection->home->settings;
  if (connection->writer) {
    return KECS_PG__PRIMARY;
  }
  if (!connection->splits) {
    return settings->target;
  }
  if (settings->host_count < 2) {
    return KECS_PG__ANY;
  }
  return connection->shunned_until_ms > kecs_pg__now_ms() ? KECS_PG__PRIMARY : KECS_PG__PREFER_STANDBY;
}

KECS_PG__FN kecs_status kecs_pg__dial(kecs_pg__connection *connection) {
  int waiting = connection->waiting_count; /* a transaction that has not begun yet: not before the looking over */
  int64_t limit = connection->acquire_ms > 0 ? connection->acquire_ms : KECS_PG__CONNECT_MS;
  int64_t now = kecs_pg__now_ms();
  kecs_pg__target target = kecs_pg__target_of(connection);
  kecs_error before = *kecs_last_error();
  kecs_status status = KECS_OK;
  connection->waiting_count = 0;
  if (target == KECS_PG__PREFER_STANDBY) {
    status = kecs_pg__dial_all(connection, KECS_PG__STANDBY, now + limit / 2);
    if (status && status != KECS_E_CANCELLED) {
      /* Whoever only reads in a store that writes must not read what is too old. */
      status = kecs_pg__dial_all(connection, connection->splits ? KECS_PG__PRIMARY : KECS_PG__ANY, now + limit);
      if (!status) {
        kecs_pg__restore(&before);
      }
    }
  } else {
    status = kecs_pg__dial_all(connection, target, now + limit);
  }
  connection->waiting_count = waiting;
  return status;
}

KECS_PG__FN kecs_status kecs_pg__dial_first(kecs_pg__connection *connection) {
  int64_t until = kecs_pg__now_ms() + connection->acquire_ms;
  int pause = KECS_PG__START_FIRST_MS;
  for (;;) {
    kecs_status status = kecs_pg__dial(connection);
    bool may_come = status == KECS_E_OFFLINE || strcmp(kecs_last_error()->sqlstate, "53300") == 0 ||
                    (status == KECS_E_READONLY && connection->home->settings.host_count > 1);
    if (!status || !may_come || kecs_pg__now_ms() + pause > until || kecs_pg__stopped(connection)) {
      return status;
    }
    kecs_pg__log(connection, KECS_LOG_INFO, kecs_last_error()->text);
    kecs_pg__sleep_ms(pause);
    pause = 2 * pause < KECS_PG__START_MAX_MS ? 2 * pause : KECS_PG__START_MAX_MS;
  }
}

KECS_PG__FN bool kecs_pg__should_move(kecs_pg__connection *connection) {
  const kecs_pg__settings *settings = &connection->home->settings;
  int64_t age = kecs_pg__now_ms() - connection->checked_ms;
  PGresult *result = NULL;
  if (!connection->splits || age < settings->check_interval_ms || settings->host_count < 2) {
    return false;
  }
  if (!connection->standby) {
    return age >= KECS_PG__MOVE_MS;
  }
  if (settings->max_staleness_ms == 0) {
    return false;
  }
  int waiting = connection->waiting_count;
  kecs_error before = *kecs_last_error();
  connection->waiting_count = 0;
  kecs_status status = kecs_pg__command(connection, "SELECT pg_is_in_recovery()," KECS_PG__LAG, KECS_PG__STOPS,
                                        "ask a standby for its age", &result);
  connection->waiting_count = waiting;
  bool good = !status && PQgetvalue(result, 0, 0)[0] == 't' && kecs_pg__is_fresh(connection, result, 1);
  PQclear(result);
  kecs_pg__restore(&before);
  connection->checked_ms = kecs_pg__now_ms();
  return !good;
}

/* ---- pg/connection.c --------------------------------------------------------------------------------------------- */
/* pg/connection.c -- one connection to a server, made anew when the server went away between two calls. */

/* ---- pg/connection.h --------------------------------------------------------------------------------------------- */
/* pg/connection.h -- connecting, and connecting anew when the server went away between two calls. */
#ifndef KECS_PG_CONNECTION_H
#define KECS_PG_CONNECTION_H

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

/* ---- pg/connection.c, continued ---------------------------------------------------------------------------------- */
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

/* ---- pg/statement.c ---------------------------------------------------------------------------------------------- */
/* pg/statement.c -- statements.
 *
 * A result is read to its end before the first row is given: the connection is free for the next statement then, as the
 * store expects. Walks come in pages (kecs_dialect.whole_results). */

/* ---- pg/statement.h ---------------------------------------------------------------------------------------------- */
/* pg/statement.h -- statements: named ones are prepared on first use, results are read whole and in binary. */
#ifndef KECS_PG_STATEMENT_H
#define KECS_PG_STATEMENT_H

typedef enum kecs_pg__verb {
  KECS_PG__READS,  /* SELECT */
  KECS_PG__WRITES, /* INSERT, UPDATE, DELETE, also after a WITH: never outside a transaction */
  KECS_PG__STEERS  /* SAVEPOINT and its like: no parameters, never prepared; they run in a failed transaction, too */
} kecs_pg__verb;

typedef struct kecs_pg__statement {
  kecs_pg__connection *connection;
  char *sql;
  size_t len;
  kecs_pg__verb verb;
  bool tells_id; /* what its transaction is called */
  kecs_pg__name name;
  PGresult *result;
  bool lent; /* the result is somebody else's */
  int row;  /* the current one */
  int rows; /* in the result */
  int room; /* for parameters */
  const char **values;
  int *lengths;
  int *formats;
  unsigned char (*numbers)[8];
} kecs_pg__statement;

KECS_PG__FN kecs_pg__statement *kecs_pg__statement_of(kecs_statement *statement);

/* Room for so many parameters. */
KECS_PG__FN kecs_status kecs_pg__reserve_parameters(kecs_pg__statement *statement, int count);

/* Parameter number `at`, from 0. Everything travels in binary: texts are their bytes, numbers 8 bytes with the highest
 * first. */
KECS_PG__FN void kecs_pg__bind(kecs_pg__statement *statement, int at, const kecs_value *value);

/* What a text is known by: 128 bits, so that two texts never share a name. */
KECS_PG__FN kecs_pg__name kecs_pg__name_of(const char *sql, size_t len);

/* Names under which statements are prepared: their text, whether the server knows one, that it will, and room for so
 * many more. */
KECS_PG__FN void kecs_pg__name_text(const kecs_pg__name *name, char out[KECS_PG__NAME_SIZE]);
KECS_PG__FN bool kecs_pg__is_prepared(const kecs_pg__connection *connection, const kecs_pg__name *name);
KECS_PG__FN void kecs_pg__note_prepared(kecs_pg__connection *connection, const kecs_pg__name *name);
KECS_PG__FN kecs_status kecs_pg__names_reserve(kecs_pg__connection *connection, size_t more);

/* Sends the statement as the message says, under its name where it has one; the result is the statement's. */
KECS_PG__FN kecs_status kecs_pg__run(kecs_pg__statement *statement, kecs_pg__message *message);

/* The functions of kecs_backend of the same names. */
KECS_PG__FN kecs_status kecs_pg__prepare(kecs_connection *connection, const char *sql, size_t len,
                                         kecs_statement **out_statement);
KECS_PG__FN kecs_status kecs_pg__start(kecs_statement *statement, const kecs_value *parameters, int count);
KECS_PG__FN kecs_status kecs_pg__start_last(kecs_statement *statement, const kecs_value *parameters, int count);
KECS_PG__FN kecs_status kecs_pg__step(kecs_statement *statement, bool *out_row);
KECS_PG__FN void kecs_pg__columns(kecs_statement *statement, const kecs_value_type *types, kecs_value *out, int count);
KECS_PG__FN void kecs_pg__reset(kecs_statement *statement);
KECS_PG__FN void kecs_pg__finish(kecs_statement *statement);

#endif

/* ---- pg/statement.c, continued ----------------------------------------------------------------------------------- */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__NAMES_MAX                                                                                          \
  1000                        /* prepared on one connection; beyond it they are all dropped and made anew on demand \
                               */
#define KECS_PG__LOOK_ROWS 16 /* between two looks at deadline and cancel */

/* Types of the columns that our statements give; the numbers are PostgreSQL's and never change. */
enum { KECS_PG__OID_BOOL = 16, KECS_PG__OID_INT8 = 20, KECS_PG__OID_INT4 = 23 };

KECS_PG__FN kecs_pg__statement *kecs_pg__statement_of(kecs_statement *statement) {
  return (kecs_pg__statement *)(void *)statement;
}

static kecs_pg__verb kecs_pg__verb_of(const char *sql) {
  if (strncmp(sql, "SELECT", 6) == 0) {
    return KECS_PG__READS;
  }
  return strncmp(sql, "INSERT", 6) == 0 || strncmp(sql, "UPDATE", 6) == 0 || strncmp(sql, "DELETE", 6) == 0 ||
                 strncmp(sql, "WITH", 4) == 0
             ? KECS_PG__WRITES
             : KECS_PG__STEERS;
}

/* ---- names ---- */

/* FNV-1a twice, from two beginnings. */
KECS_PG__FN kecs_pg__name kecs_pg__name_of(const char *sql, size_t len) {
  kecs_pg__name name = {UINT64_C(0xCBF29CE484222325), UINT64_C(0x84222325CBF29CE4)};
  for (size_t i = 0; i < len; i++) {
    name.low = (name.low ^ (unsigned char)sql[i]) * UINT64_C(0x100000001B3);
    name.high = (name.high ^ (unsigned char)sql[i] ^ (name.low >> 32)) * UINT64_C(0x100000001B3);
  }
  return name;
}

KECS_PG__FN void kecs_pg__name_text(const kecs_pg__name *name, char out[KECS_PG__NAME_SIZE]) {
  snprintf(out, KECS_PG__NAME_SIZE, "kecs_%016llx%016llx", (unsigned long long)name->high,
           (unsigned long long)name->low);
}

/* The names are an open-addressing table: a statement looks itself up each time it runs. */
static kecs_pg__name *kecs_pg__name_slot(const kecs_pg__connection *connection, const kecs_pg__name *name) {
  size_t at = (size_t)name->low & (connection->name_room - 1);
  kecs_pg__name *slot = &connection->names[at];
  while ((slot->low || slot->high) && (slot->low != name->low || slot->high != name->high)) {
    at = (at + 1) & (connection->name_room - 1);
    slot = &connection->names[at];
  }
  return slot;
}

KECS_PG__FN bool kecs_pg__is_prepared(const kecs_pg__connection *connection, const kecs_pg__name *name) {
  return connection->name_count > 0 && kecs_pg__name_slot(connection, name)->low == name->low;
}

KECS_PG__FN void kecs_pg__note_prepared(kecs_pg__connection *connection, const kecs_pg__name *name) {
  *kecs_pg__name_slot(connection, name) = *name;
  connection->name_count++;
}

/* The count of 0 says that the table's content is of an older connection. */
KECS_PG__FN kecs_status kecs_pg__names_reserve(kecs_pg__connection *connection, size_t more) {
  if (!connection->names) {
    size_t room = 2048; /* twice KECS_PG__NAMES_MAX, a power of two */
    connection->names = kecs_pg__alloc(connection->allocator, room * sizeof *connection->names);
    if (!connection->names) {
      return KECS_E_NOMEM;
    }
    connection->name_room = room;
  }
  kecs_status status = KECS_OK;
  if (connection->name_count + more > KECS_PG__NAMES_MAX) {
    status = kecs_pg__command(connection, "DEALLOCATE ALL", KECS_PG__STOPS, "drop prepared statements", NULL);
    connection->name_count = 0;
    connection->id_prepared = false;
  }
  if (connection->name_count == 0) {
    memset(connection->names, 0, connection->name_room * sizeof *connection->names);
  }
  return status;
}

/* ---- parameters ---- */

static void kecs_pg__drop_parameters(kecs_pg__statement *statement) {
  const kecs_allocator *allocator = statement->connection->allocator;
  size_t room = (size_t)statement->room;
  kecs_pg__release(allocator, (void *)statement->values, room * sizeof *statement->values);
  kecs_pg__release(allocator, statement->lengths, room * sizeof *statement->lengths);
  kecs_pg__release(allocator, statement->formats, room * sizeof *statement->formats);
  kecs_pg__release(allocator, statement->numbers, room * sizeof *statement->numbers);
  statement->values = NULL;
  statement->lengths = NULL;
  statement->formats = NULL;
  statement->numbers = NULL;
  statement->room = 0;
}

KECS_PG__FN kecs_status kecs_pg__reserve_parameters(kecs_pg__statement *statement, int count) {
  const kecs_allocator *allocator = statement->connection->allocator;
  size_t room = (size_t)count;
  if (count <= statement->room) {
    return KECS_OK;
  }
  kecs_pg__drop_parameters(statement);
  statement->room = count;
  statement->values = kecs_pg__alloc(allocator, room * sizeof *statement->values);
  statement->lengths = kecs_pg__alloc(allocator, room * sizeof *statement->lengths);
  statement->formats = kecs_pg__alloc(allocator, room * sizeof *statement->formats);
  statement->numbers = kecs_pg__alloc(allocator, room * sizeof *statement->numbers);
  if (!statement->values || !statement->lengths || !statement->formats || !statement->numbers) {
    kecs_pg__drop_parameters(statement);
    return KECS_E_NOMEM;
  }
  return KECS_OK;
}

KECS_PG__FN void kecs_pg__bind(kecs_pg__statement *statement, int at, const kecs_value *value) {
  unsigned char *number = statement->numbers[at];
  statement->formats[at] = 1;
  statement->lengths[at] = 8;
  statement->values[at] = (const char *)number;
  switch (value->type) {
    case KECS_VALUE_NULL:
      statement->values[at] = NULL;
      break;
    case KECS_VALUE_TEXT:
      statement->values[at] = value->text;
      statement->lengths[at] = (int)value->len;
      break;
    case KECS_VALUE_BOOL:
      number[0] = value->number != 0;
      statement->lengths[at] = 1;
      break;
    case KECS_VALUE_INT:
    case KECS_VALUE_TIME:
      for (int i = 0; i < 8; i++) {
        number[i] = (unsigned char)((uint64_t)value->number >> (56 - 8 * i));
      }
      break;
  }
}

/* ---- running ---- */

KECS_PG__FN kecs_status kecs_pg__prepare(kecs_connection *shared, const char *sql, size_t len,
                                         kecs_statement **out_statement) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const size_t tells = sizeof KECS_PG__TELLS_ID - 1;
  *out_statement = NULL;
  kecs_pg__statement *statement = kecs_pg__alloc(connection->allocator, sizeof *statement);
  char *copy = statement ? kecs_pg__copy(connection->allocator, sql, len) : NULL;
  if (!copy) {
    kecs_pg__release(connection->allocator, statement, sizeof *statement);
    return KECS_E_NOMEM;
  }
  statement->connection = connection;
  statement->sql = copy;
  statement->len = len;
  statement->verb = kecs_pg__verb_of(copy);
  statement->tells_id = len >= tells && memcmp(copy + len - tells, KECS_PG__TELLS_ID, tells) == 0;
  statement->name = kecs_pg__name_of(copy, len);
  *out_statement = (kecs_statement *)(void *)statement;
  return KECS_OK;
}

/* SAVEPOINT and RELEASE can wait; a ROLLBACK TO undoes what has failed, and must come through. What is too long to wait
 * takes along what does. */
static kecs_status kecs_pg__steer(kecs_pg__statement *statement) {
  bool inside = strncmp(statement->sql, "ROLLBACK", 8) != 0 && kecs_pg__in_transaction(statement->connection);
  if (inside && statement->len < KECS_PG__WAITING_SIZE) {
    return kecs_pg__defer(statement->connection, statement->sql);
  }
  if (inside) {
    kecs_pg__message message = {0};
    message.sql = statement->sql;
    return kecs_pg__exchange(statement->connection, &message, KECS_PG__STOPS, "run a statement", NULL);
  }
  return kecs_pg__command(statement->connection, statement->sql, KECS_PG__PATIENT, "run a statement", NULL);
}

KECS_PG__FN kecs_status kecs_pg__run(kecs_pg__statement *statement, kecs_pg__message *message) {
  kecs_pg__connection *connection = statement->connection;
  char name[KECS_PG__NAME_SIZE];
  message->sql = statement->sql;
  message->binary = true;
  message->tells_id = statement->tells_id;
  /* One that touches no row tells nothing, which says enough only where nothing was written before. */
  message->ask_id = statement->verb == KECS_PG__WRITES && connection->transaction == 0 &&
                    !(message->tells_id && connection->begin_waits);
  message->values = statement->values;
  message->lengths = statement->lengths;
  message->formats = statement->formats;
  kecs_status status = KECS_OK;
  if (connection->named) {
    kecs_pg__name_text(&statement->name, name);
    message->name = name;
    message->prepare = !kecs_pg__is_prepared(connection, &statement->name);
    status = message->prepare ? kecs_pg__names_reserve(connection, 1) : KECS_OK;
  }
  if (!status) {
    status = kecs_pg__exchange(connection, message, KECS_PG__STOPS, "run a statement", &statement->result);
  }
  if (message->prepared) {
    kecs_pg__note_prepared(connection, &statement->name);
  }
  message->name = NULL;
  message->prepared = false;
  return status;
}

/* `last`: with the COMMIT behind it. */
static kecs_status kecs_pg__run_once(kecs_pg__statement *statement, int count, bool last) {
  kecs_pg__message message = {0};
  if (statement->verb == KECS_PG__STEERS) {
    return kecs_pg__steer(statement);
  }
  message.count = count;
  message.commits = last;
  return kecs_pg__run(statement, &message);
}

/* What SQLite's connection remembers of its last statement. */
static void kecs_pg__remember(kecs_pg__statement *statement) {
  kecs_pg__connection *connection = statement->connection;
  statement->row = -1;
  statement->rows = statement->result ? PQntuples(statement->result) : 0;
  if (statement->verb != KECS_PG__WRITES) {
    return;
  }
  connection->changes = strtoll(PQcmdTuples(statement->result), NULL, 10);
  bool has_rid = statement->rows == 1 && PQnfields(statement->result) == 1 + statement->tells_id;
  if (has_rid && PQftype(statement->result, 0) == KECS_PG__OID_INT8) {
    connection->last_rid = kecs_pg__number(PQgetvalue(statement->result, 0, 0), 8);
  }
}

/* Gets the connection and the parameters ready. */
static kecs_status kecs_pg__set_out(kecs_pg__statement *statement, const kecs_value *parameters, int count) {
  bool outside = !kecs_pg__in_transaction(statement->connection);
  if (outside && statement->verb == KECS_PG__WRITES) {
    return kecs_pg__fail(KECS_E_MISUSE,
                         "the database has rolled the transaction back after an earlier error; end it "
                         "with kecs_rollback and begin again");
  }
  kecs_status status = kecs_pg__reserve_parameters(statement, count);
  if (!status && outside) {
    status = kecs_pg__ready(statement->connection);
  }
  for (int i = 0; !status && i < count; i++) {
    kecs_pg__bind(statement, i, &parameters[i]);
  }
  return status;
}

static kecs_status kecs_pg__start_as(kecs_statement *shared, const kecs_value *parameters, int count, bool last) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  kecs_pg__connection *connection = statement->connection;
  kecs_pg__reset(shared);
  bool first = !kecs_pg__in_transaction(connection) || connection->begin_waits;
  kecs_status status = kecs_pg__set_out(statement, parameters, count);
  if (status) {
    return status;
  }
  kecs_error before = *kecs_last_error();
  bool standby = connection->splits && connection->standby;
  status = kecs_pg__run_once(statement, count, last);
  bool elsewhere = status == KECS_E_OFFLINE || status == KECS_E_READONLY ||
                   (standby && status && status != KECS_E_CANCELLED && status != KECS_E_NOMEM);
  if (elsewhere && first && (!connection->pg || connection->doomed)) {
    /* The server had gone since the last call, or was demoted. A read outside a transaction can simply be asked again,
     * and so can a transaction that begins with this statement: no COMMIT has run. */
    status = kecs_pg__ready(connection);
    status = status ? status : kecs_pg__run_once(statement, count, last);
    if (!status) {
      kecs_pg__restore(&before);
    }
  }
  if (!status) {
    kecs_pg__remember(statement);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_pg__start(kecs_statement *shared, const kecs_value *parameters, int count) {
  return kecs_pg__start_as(shared, parameters, count, false);
}

KECS_PG__FN kecs_status kecs_pg__start_last(kecs_statement *shared, const kecs_value *parameters, int count) {
  kecs_pg__connection *connection = kecs_pg__statement_of(shared)->connection;
  if (!connection->begin_waits && !kecs_pg__alive(connection)) { /* COMMIT was not sent: nothing is in doubt */
    kecs_status lost = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "commit");
    kecs_pg__hang_up(connection);
    return lost;
  }
  kecs_status status = kecs_pg__start_as(shared, parameters, count, true);
  connection->committed = !status;
  return status;
}

KECS_PG__FN kecs_status kecs_pg__step(kecs_statement *shared, bool *out_row) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  statement->row++;
  *out_row = statement->row < statement->rows;
  if (statement->row % KECS_PG__LOOK_ROWS == KECS_PG__LOOK_ROWS - 1 && kecs_pg__stopped(statement->connection)) {
    return kecs_pg__fail(KECS_E_CANCELLED, "the walk was stopped");
  }
  return KECS_OK;
}

/* What the server says that a column is. */
static kecs_value_type kecs_pg__type_of(const PGresult *result, int column) {
  switch (PQftype(result, column)) {
    case KECS_PG__OID_INT8:
    case KECS_PG__OID_INT4: return KECS_VALUE_INT;
    case KECS_PG__OID_BOOL: return KECS_VALUE_BOOL;
    default: return KECS_VALUE_TEXT;
  }
}

/* A page has thousands of values: libpq is asked as little as can be. Its values are terminated. */
KECS_PG__FN void kecs_pg__columns(kecs_statement *shared, const kecs_value_type *types, kecs_value *out, int count) {
  const kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  const PGresult *result = statement->result;
  int row = statement->row;
  for (int i = 0; i < count; i++) {
    kecs_value_type type = types && types[i] ? types[i] : kecs_pg__type_of(result, i);
    int len = PQgetlength(result, row, i);
    kecs_value *value = &out[i];
    if (len == 0 && PQgetisnull(result, row, i)) {
      value->type = KECS_VALUE_NULL;
      value->len = 0;
      value->text = NULL;
      value->number = 0;
      continue;
    }
    const char *bytes = PQgetvalue(result, row, i);
    bool is_text = type == KECS_VALUE_TEXT;
    value->type = type == KECS_VALUE_TIME ? KECS_VALUE_INT : type;
    value->len = is_text ? (size_t)len : 0;
    value->text = is_text ? bytes : NULL;
    value->number = is_text ? 0 : type == KECS_VALUE_BOOL ? bytes[0] != 0 : kecs_pg__number(bytes, len);
  }
}

KECS_PG__FN void kecs_pg__reset(kecs_statement *shared) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  if (!statement->lent) {
    PQclear(statement->result);
  }
  statement->result = NULL;
  statement->lent = false;
  statement->rows = 0;
}

KECS_PG__FN void kecs_pg__finish(kecs_statement *shared) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  const kecs_allocator *allocator = statement->connection->allocator;
  kecs_pg__reset(shared);
  kecs_pg__drop_parameters(statement);
  kecs_pg__release(allocator, statement->sql, statement->len + 1);
  kecs_pg__release(allocator, statement, sizeof *statement);
}

/* ---- pg/gather.c ------------------------------------------------------------------------------------------------- */
/* pg/gather.c -- several reads in one exchange, by libpq's pipeline mode.
 *
 * One sync stands behind all of them. When the server refuses one, it skips those behind it, and they are sent once
 * more: that is rare, and a sync behind each of them would cost each pipeline. */

/* ---- pg/gather.h ------------------------------------------------------------------------------------------------- */
/* pg/gather.h -- several reads in one exchange. */
#ifndef KECS_PG_GATHER_H
#define KECS_PG_GATHER_H

/* The functions of kecs_backend of the same names. */
KECS_PG__FN kecs_status kecs_pg__start_many(kecs_connection *connection, kecs_start *const *starts, size_t count);
KECS_PG__FN void kecs_pg__lend_answer(kecs_statement *statement, void *answer);
KECS_PG__FN void kecs_pg__drop_answer(void *answer);

#endif

/* ---- pg/gather.c, continued -------------------------------------------------------------------------------------- */
#include <string.h>

/* What is under way. */
typedef struct kecs_pg__gather {
  kecs_pg__connection *connection;
  kecs_start *const *starts;
  size_t count;
  bool *prepares; /* of each start: its statement is prepared just before */
  int64_t stopped_at;
  bool lost;
  bool broken; /* the server has refused something, and skips what follows */
} kecs_pg__gather;

static bool kecs_pg__is_open(const kecs_start *start) {
  return !start->answer && !start->status;
}

/* ---- sending ---- */

/* The name counts as prepared at once: the next start may be of the same statement. */
static bool kecs_pg__gather_prepare(kecs_pg__gather *gather, size_t at, kecs_pg__statement *statement,
                                    const char *name) {
  kecs_pg__connection *connection = gather->connection;
  gather->prepares[at] = !kecs_pg__is_prepared(connection, &statement->name);
  if (!gather->prepares[at]) {
    return true;
  }
  kecs_pg__note_prepared(connection, &statement->name);
  return PQsendPrepare(connection->pg, name, statement->sql, 0, NULL);
}

static bool kecs_pg__gather_send(kecs_pg__gather *gather, size_t at) {
  const kecs_start *start = gather->starts[at];
  kecs_pg__statement *statement = kecs_pg__statement_of(start->statement);
  PGconn *pg = gather->connection->pg;
  char name[KECS_PG__NAME_SIZE];
  for (int i = 0; i < start->count; i++) {
    kecs_pg__bind(statement, i, &start->parameters[i]);
  }
  if (!gather->connection->named) {
    return PQsendQueryParams(pg, statement->sql, start->count, NULL, statement->values, statement->lengths,
                             statement->formats, 1);
  }
  kecs_pg__name_text(&statement->name, name);
  return kecs_pg__gather_prepare(gather, at, statement, name) &&
         PQsendQueryPrepared(pg, name, start->count, statement->values, statement->lengths, statement->formats, 1);
}

static bool kecs_pg__gather_send_all(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  bool sent = connection->pg && PQenterPipelineMode(connection->pg) && kecs_pg__send_waiting(connection);
  for (size_t i = 0; sent && i < gather->count; i++) {
    gather->prepares[i] = false;
    sent = !kecs_pg__is_open(gather->starts[i]) || kecs_pg__gather_send(gather, i);
  }
  return sent && PQpipelineSync(connection->pg);
}

/* ---- receiving ---- */

/* The answer to one message; NULL: the connection is lost. */
static PGresult *kecs_pg__gather_next(kecs_pg__gather *gather) {
  PGconn *pg = gather->connection->pg;
  PGresult *result = NULL;
  bool good = !gather->lost && kecs_pg__await(gather->connection, KECS_PG__STOPS, &gather->stopped_at);
  if (good) {
    result = PQgetResult(pg);
    good = result && (PQresultStatus(result) == PGRES_PIPELINE_SYNC ||
                      (kecs_pg__await(gather->connection, KECS_PG__STOPS, &gather->stopped_at) && !PQgetResult(pg)));
  }
  if (good && PQresultStatus(result) == PGRES_FATAL_ERROR && !PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
    good = false; /* libpq's own, of a connection that has ended */
  }
  if (!good) {
    PQclear(result);
    gather->lost = true;
    return NULL;
  }
  return result;
}

static bool kecs_pg__is_good(const PGresult *result) {
  return PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
}

/* What the server says against a statement is noted with its start. What a standby refuses is left open: the primary is
 * asked next. */
static void kecs_pg__gather_refuse(kecs_pg__gather *gather, kecs_start *start, const PGresult *result) {
  kecs_pg__connection *connection = gather->connection;
  if (PQresultStatus(result) != PGRES_FATAL_ERROR) {
    return; /* skipped */
  }
  gather->broken = true;
  start->status = kecs_pg__fail_result(kecs_pg__shown(connection), result, "run a statement");
  start->error = *kecs_last_error();
  connection->doomed = connection->doomed || start->status == KECS_E_READONLY || kecs_pg__dooms(result);
  if (connection->splits && connection->standby && start->status != KECS_E_CANCELLED) {
    kecs_pg__shun(connection, start->status);
    start->status = KECS_OK;
  }
}

static void kecs_pg__gather_receive(kecs_pg__gather *gather, size_t at) {
  kecs_start *start = gather->starts[at];
  for (int i = gather->prepares[at] ? 0 : 1; i < 2; i++) {
    PGresult *result = kecs_pg__gather_next(gather);
    if (result && kecs_pg__is_good(result)) {
      start->answer = i == 1 ? result : NULL;
    } else if (result) {
      gather->connection->doomed = gather->connection->doomed || i == 0; /* names are noted that nobody knows */
      kecs_pg__gather_refuse(gather, start, result);
    }
    if (result && result != start->answer) {
      PQclear(result);
    }
  }
}

/* BEGIN and the like. */
static kecs_status kecs_pg__gather_receive_waiting(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  kecs_status status = KECS_OK;
  for (int i = 0; i < kecs_pg__waiting(connection); i++) {
    PGresult *result = kecs_pg__gather_next(gather);
    if (result && !status && PQresultStatus(result) == PGRES_FATAL_ERROR) {
      status = i == 0 && connection->begin_waits
                   ? kecs_pg__fail_begin(kecs_pg__shown(connection), result, "begin")
                   : kecs_pg__fail_result(kecs_pg__shown(connection), result, "run a statement");
      connection->doomed = connection->doomed || status == KECS_E_READONLY || kecs_pg__dooms(result);
    }
    PQclear(result);
  }
  return status;
}

/* Room for the names that are to be made. */
static kecs_status kecs_pg__gather_names(const kecs_pg__gather *gather) {
  size_t more = 0;
  for (size_t i = 0; gather->connection->named && i < gather->count; i++) {
    const kecs_start *start = gather->starts[i];
    more += kecs_pg__is_open(start) &&
            !kecs_pg__is_prepared(gather->connection, &kecs_pg__statement_of(start->statement)->name);
  }
  return more > 0 ? kecs_pg__names_reserve(gather->connection, more) : KECS_OK;
}

/* Sends what is open, and takes what comes. A failure is everybody's. */
static kecs_status kecs_pg__gather_once(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  kecs_status status = KECS_OK;
  gather->stopped_at = 0;
  gather->broken = false;
  gather->lost = !kecs_pg__gather_send_all(gather);
  if (!gather->lost) {
    status = kecs_pg__gather_receive_waiting(gather);
  }
  for (size_t i = 0; !gather->lost && i < gather->count; i++) {
    if (kecs_pg__is_open(gather->starts[i])) {
      kecs_pg__gather_receive(gather, i);
    }
  }
  PQclear(kecs_pg__gather_next(gather)); /* of the sync */
  gather->lost = gather->lost || !PQexitPipelineMode(connection->pg);
  if (gather->lost) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "run statements");
    kecs_pg__hang_up(connection);
    return status;
  }
  if (!status || !connection->doomed) {
    kecs_pg__forget(connection);
  }
  return status;
}

/* ---- until nothing is open ---- */

/* The failure that concerns all: a cancelled statement's, and inside a transaction any. */
static kecs_status kecs_pg__gather_verdict(const kecs_pg__gather *gather, bool inside, bool *out_open) {
  *out_open = false;
  for (size_t i = 0; i < gather->count; i++) {
    const kecs_start *start = gather->starts[i];
    if (start->status && (inside || start->status == KECS_E_CANCELLED)) {
      kecs_pg__restore(&start->error);
      return start->status;
    }
    *out_open = *out_open || kecs_pg__is_open(start);
  }
  return KECS_OK;
}

static kecs_status kecs_pg__gather_all(kecs_pg__gather *gather) {
  kecs_pg__connection *connection = gather->connection;
  bool inside = kecs_pg__in_transaction(connection);
  bool again = !inside || connection->begin_waits; /* nothing has happened on this connection that must not be lost */
  bool open = gather->count > 0;
  kecs_error before = *kecs_last_error();
  while (open) {
    bool good = connection->pg && !connection->doomed && kecs_pg__in_transaction(connection);
    kecs_status status = good ? KECS_OK : kecs_pg__ready(connection);
    status = status ? status : kecs_pg__gather_names(gather);
    status = status ? status : kecs_pg__gather_once(gather);
    if ((status == KECS_E_OFFLINE || status == KECS_E_READONLY) && again &&
        (!connection->pg || connection->doomed)) {
      again = false; /* the server had gone since the last call, or was demoted */
      continue;
    }
    status = status ? status : kecs_pg__gather_verdict(gather, inside, &open);
    if (status) {
      return status;
    }
  }
  kecs_pg__restore(&before);
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_pg__start_many(kecs_connection *shared, kecs_start *const *starts, size_t count) {
  kecs_pg__gather gather = {kecs_pg__of(shared), starts, count, NULL, 0, false, false};
  const kecs_allocator *allocator = gather.connection->allocator;
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs_pg__reserve_parameters(kecs_pg__statement_of(starts[i]->statement), starts[i]->count);
  }
  gather.prepares = status ? NULL : kecs_pg__alloc(allocator, count + 1);
  if (!gather.prepares) {
    return status ? status : KECS_E_NOMEM;
  }
  status = kecs_pg__gather_all(&gather);
  kecs_pg__release(allocator, gather.prepares, count + 1);
  return status;
}

KECS_PG__FN void kecs_pg__lend_answer(kecs_statement *shared, void *answer) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  kecs_pg__reset(shared);
  statement->result = answer;
  statement->lent = true;
  statement->row = -1;
  statement->rows = PQntuples(statement->result);
}

KECS_PG__FN void kecs_pg__drop_answer(void *answer) {
  PQclear(answer);
}

/* ---- pg/bulk.c --------------------------------------------------------------------------------------------------- */
/* pg/bulk.c -- many rows at once: few of them as INSERTs that are sent together, more by binary COPY.
 *
 * A COPY costs two exchanges with the server before its first row; from some thirty rows on it is the faster way. It
 * takes the rows as they come, a value its length and its bytes, numbers with the highest byte first. */

/* ---- pg/bulk.h --------------------------------------------------------------------------------------------------- */
/* pg/bulk.h -- many rows at once. */
#ifndef KECS_PG_BULK_H
#define KECS_PG_BULK_H

/* ---- pg/text.h --------------------------------------------------------------------------------------------------- */
/* pg/text.h -- a text that grows, for SQL that is longer than a line. */
#ifndef KECS_PG_TEXT_H
#define KECS_PG_TEXT_H

/* Begins zeroed but for the allocator. After the first failure it stays as it is, and `status` says what it was. */
typedef struct kecs_pg__text {
  const kecs_allocator *allocator;
  char *data; /* terminated; NULL while it is empty */
  size_t len;
  size_t room;
  kecs_status status;
} kecs_pg__text;

KECS_PG__FN void kecs_pg__text_add(kecs_pg__text *text, const char *bytes, size_t len);
KECS_PG__FN void kecs_pg__text_adds(kecs_pg__text *text, const char *more);
KECS_PG__FN void kecs_pg__text_free(kecs_pg__text *text);

/* What stands for a mark of a template. */
typedef struct kecs_pg__mark {
  const char *name;
  const char *value;
} kecs_pg__mark;

/* A template: "{name}" stands for the value of that name, every other character for itself. The marks end with one
 * without a name; a name that is not among them is the program's own error, MISUSE. */
KECS_PG__FN void kecs_pg__text_fill(kecs_pg__text *text, const char *form, const kecs_pg__mark *marks);

#endif

/* ---- pg/bulk.h, continued ---------------------------------------------------------------------------------------- */
/* The functions of kecs_backend of these names. */
KECS_PG__FN kecs_status kecs_pg__insert_many(kecs_statement *insert, const char *table, const char *columns,
                                             const kecs_value *values, int count, size_t rows, bool *commit);
KECS_PG__FN kecs_status kecs_pg__repeat(kecs_statement *statement, const kecs_value *values, int count, size_t times,
                                        bool *commit);
KECS_PG__FN kecs_status kecs_pg__load(kecs_connection *connection, const char *table, const char *columns,
                                      const kecs_value *values, int count, size_t rows);

/* What a binary COPY takes, put together: the head; for each row the number of its values, and these; the end. */
KECS_PG__FN void kecs_pg__copy_begin(kecs_pg__text *out);
KECS_PG__FN void kecs_pg__copy_row(kecs_pg__text *out, int count);
KECS_PG__FN void kecs_pg__copy_text(kecs_pg__text *out, const char *text, size_t len);
KECS_PG__FN void kecs_pg__copy_value(kecs_pg__text *out, const kecs_value *value);
KECS_PG__FN void kecs_pg__copy_end_rows(kecs_pg__text *out);

#endif

/* ---- pg/bulk.c, continued ---------------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

#define KECS_PG__COPY_MIN 30    /* rows */
#define KECS_PG__SEND_MAX 64    /* INSERTs that are sent before an answer is read: the answers wait in the socket */
#define KECS_PG__BUFFER 65536   /* bytes of rows that are handed to libpq at once */
#define KECS_PG__COPY_SQL 8192

/* ---- few ---- */

typedef struct kecs_pg__few {
  kecs_pg__statement *statement;
  const kecs_value *values; /* of the first row that is sent now */
  int count;
} kecs_pg__few;

static void kecs_pg__bind_row(void *user, int time) {
  kecs_pg__few *few = user;
  for (int i = 0; i < few->count; i++) {
    kecs_pg__bind(few->statement, i, &few->values[time * few->count + i]);
  }
}

static kecs_status kecs_pg__run_few(kecs_pg__statement *statement, const kecs_value *values, int count, size_t rows,
                                       bool *commit) {
  kecs_pg__few few = {statement, values, count};
  kecs_status status = kecs_pg__reserve_parameters(statement, count);
  statement->connection->changes = 0;
  while (!status && rows > 0) {
    size_t now = rows < KECS_PG__SEND_MAX ? rows : KECS_PG__SEND_MAX;
    kecs_pg__message message = {0};
    message.count = count;
    message.times = (int)now;
    message.bind = kecs_pg__bind_row;
    message.user = &few;
    message.commits = *commit && now == rows;
    status = kecs_pg__run(statement, &message);
    statement->connection->changes += message.changes;
    PQclear(statement->result);
    statement->result = NULL;
    few.values += now * (size_t)count;
    rows -= now;
  }
  statement->connection->committed = !status && *commit;
  return status;
}

/* ---- many ---- */

KECS_PG__FN void kecs_pg__copy_begin(kecs_pg__text *out) {
  static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and the terminator: no flags, no extension */
  kecs_pg__text_add(out, head, sizeof head);
}

/* `size` bytes, at most 8, with the highest first. */
static void kecs_pg__copy_number(kecs_pg__text *out, int64_t number, int size) {
  char bytes[8];
  for (int i = 0; i < size; i++) {
    bytes[i] = (char)(unsigned char)((uint64_t)number >> (8 * (size - 1 - i)));
  }
  kecs_pg__text_add(out, bytes, (size_t)size);
}

KECS_PG__FN void kecs_pg__copy_row(kecs_pg__text *out, int count) {
  kecs_pg__copy_number(out, count, 2);
}

KECS_PG__FN void kecs_pg__copy_text(kecs_pg__text *out, const char *text, size_t len) {
  kecs_pg__copy_number(out, (int64_t)len, 4);
  kecs_pg__text_add(out, text, len);
}

KECS_PG__FN void kecs_pg__copy_value(kecs_pg__text *out, const kecs_value *value) {
  bool truth = value->type == KECS_VALUE_BOOL;
  if (value->type == KECS_VALUE_NULL) {
    kecs_pg__copy_number(out, -1, 4);
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs_pg__copy_text(out, value->text, value->len);
  } else {
    kecs_pg__copy_number(out, truth ? 1 : 8, 4);
    kecs_pg__copy_number(out, truth ? value->number != 0 : value->number, truth ? 1 : 8);
  }
}

KECS_PG__FN void kecs_pg__copy_end_rows(kecs_pg__text *out) {
  kecs_pg__copy_number(out, -1, 2);
}

typedef struct kecs_pg__loading {
  kecs_pg__connection *connection;
  bool own; /* a table of the store's, whose rows lead with the tenant */
  kecs_pg__text rows; /* that libpq does not have yet */
} kecs_pg__loading;

static kecs_status kecs_pg__load_begin(const kecs_pg__loading *load, const char *table, const char *columns) {
  char sql[KECS_PG__COPY_SQL];
  kecs_pg__connection *connection = load->connection;
  PGresult *result = NULL;
  int len = snprintf(sql, sizeof sql, "COPY %s%s(%s%s) FROM STDIN (FORMAT binary)",
                     load->own ? connection->home->schema : "pg_temp.", table, load->own ? "tenant," : "", columns);
  if (len < 0 || (size_t)len >= sizeof sql) {
    return kecs_pg__fail(KECS_E_MISUSE, "%s has too many columns for one COPY", table);
  }
  kecs_status status = kecs_pg__command(connection, sql, KECS_PG__STOPS, "load rows", &result);
  PQclear(result);
  connection->no_copy = connection->no_copy || status == KECS_E_UNSUPPORTED;
  return status;
}

/* Hands the rows to libpq. False: the connection is lost. */
static bool kecs_pg__load_flush(kecs_pg__loading *load) {
  bool good = PQputCopyData(load->connection->pg, load->rows.data, (int)load->rows.len) == 1;
  load->rows.len = 0;
  return good;
}

static void kecs_pg__load_row(kecs_pg__loading *load, const kecs_value *values, int count) {
  const char *tenant = load->connection->home->settings.tenant;
  kecs_pg__copy_row(&load->rows, count + load->own);
  if (load->own) {
    kecs_pg__copy_text(&load->rows, tenant, strlen(tenant));
  }
  for (int i = 0; i < count; i++) {
    kecs_pg__copy_value(&load->rows, &values[i]);
  }
}

/* Sends the rows; NULL, or why the COPY is to fail. False: the connection is lost. */
static bool kecs_pg__load_rows(kecs_pg__loading *load, const kecs_value *values, int count, size_t rows,
                               const char **out_reason) {
  bool good = true;
  kecs_pg__copy_begin(&load->rows);
  for (size_t i = 0; good && i < rows && !*out_reason; i++) {
    kecs_pg__load_row(load, values + i * (size_t)count, count);
    good = load->rows.len < KECS_PG__BUFFER || kecs_pg__load_flush(load);
    *out_reason = load->rows.status                                        ? "out of memory"
                  : i % 64 == 63 && kecs_pg__stopped(load->connection) ? "stopped"
                                                                       : NULL;
  }
  kecs_pg__copy_end_rows(&load->rows);
  return good && (*out_reason || kecs_pg__load_flush(load));
}

static kecs_status kecs_pg__copy_rows(kecs_pg__connection *connection, bool own, const char *table,
                                      const char *columns, const kecs_value *values, int count, size_t rows) {
  kecs_pg__loading load = {connection, own, {connection->allocator, NULL, 0, 0, KECS_OK}};
  const char *reason = NULL;
  kecs_status status = kecs_pg__load_begin(&load, table, columns);
  if (!status && kecs_pg__load_rows(&load, values, count, rows, &reason)) {
    status = kecs_pg__copy_end(connection, reason);
    status = load.rows.status ? load.rows.status : status;
  } else if (!status) {
    status = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "load rows");
    kecs_pg__hang_up(connection);
  }
  kecs_pg__text_free(&load.rows);
  return status;
}

static kecs_status kecs_pg__check_open(const kecs_pg__connection *connection) {
  return kecs_pg__in_transaction(connection) ? KECS_OK
                                             : kecs_pg__fail(KECS_E_MISUSE, "the transaction has ended already");
}

KECS_PG__FN kecs_status kecs_pg__load(kecs_connection *shared, const char *table, const char *columns,
                                      const kecs_value *values, int count, size_t rows) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_status status = kecs_pg__check_open(connection);
  return status ? status : kecs_pg__copy_rows(connection, false, table, columns, values, count, rows);
}

KECS_PG__FN kecs_status kecs_pg__repeat(kecs_statement *shared, const kecs_value *values, int count, size_t times,
                                        bool *commit) {
  kecs_pg__statement *statement = kecs_pg__statement_of(shared);
  kecs_status status = kecs_pg__check_open(statement->connection);
  return status ? status : kecs_pg__run_few(statement, values, count, times, commit);
}

KECS_PG__FN kecs_status kecs_pg__insert_many(kecs_statement *insert, const char *table, const char *columns,
                                             const kecs_value *values, int count, size_t rows, bool *commit) {
  kecs_pg__statement *statement = kecs_pg__statement_of(insert);
  kecs_pg__connection *connection = statement->connection;
  kecs_status status = kecs_pg__check_open(connection);
  if (status) {
    return status;
  }
  if (rows < KECS_PG__COPY_MIN || connection->no_copy) {
    status = kecs_pg__run_few(statement, values, count, rows, commit);
  } else {
    *commit = false;
    status = kecs_pg__copy_rows(connection, true, table, columns, values, count, rows);
  }
  connection->changes = status ? 0 : (int64_t)rows;
  return status;
}

/* ---- pg/text.c --------------------------------------------------------------------------------------------------- */
/* pg/text.c -- a text that grows. */

#include <string.h>

#define KECS_PG__TEXT_FIRST 1024

KECS_PG__FN void kecs_pg__text_add(kecs_pg__text *text, const char *bytes, size_t len) {
  if (text->status) {
    return;
  }
  if (text->len + len + 1 > text->room) {
    size_t room = text->room ? text->room : KECS_PG__TEXT_FIRST;
    while (room < text->len + len + 1) {
      room *= 2;
    }
    char *data = kecs_pg__alloc(text->allocator, room);
    if (!data) {
      text->status = KECS_E_NOMEM;
      return;
    }
    if (text->len > 0) {
      memcpy(data, text->data, text->len);
    }
    kecs_pg__release(text->allocator, text->data, text->room);
    text->data = data;
    text->room = room;
  }
  memcpy(text->data + text->len, bytes, len);
  text->len += len;
  text->data[text->len] = '\0';
}

KECS_PG__FN void kecs_pg__text_adds(kecs_pg__text *text, const char *more) {
  kecs_pg__text_add(text, more, strlen(more));
}

KECS_PG__FN void kecs_pg__text_free(kecs_pg__text *text) {
  kecs_pg__release(text->allocator, text->data, text->room);
  text->data = NULL;
  text->len = 0;
  text->room = 0;
}

KECS_PG__FN void kecs_pg__text_fill(kecs_pg__text *text, const char *form, const kecs_pg__mark *marks) {
  while (*form) {
    size_t plain = strcspn(form, "{");
    kecs_pg__text_add(text, form, plain);
    form += plain;
    if (*form == '\0') {
      return;
    }
    size_t len = strcspn(++form, "}");
    const kecs_pg__mark *mark = marks;
    while (mark->name && (strlen(mark->name) != len || memcmp(mark->name, form, len) != 0)) {
      mark++;
    }
    if (!mark->name) {
      text->status = kecs_pg__fail(KECS_E_MISUSE, "a template has the unknown mark {%.*s}", (int)len, form);
      return;
    }
    kecs_pg__text_adds(text, mark->value);
    form += len + (form[len] == '}');
  }
}

/* ---- pg/log_sql.c ------------------------------------------------------------------------------------------------ */
/* pg/log_sql.c -- the texts of the change log on PostgreSQL.
 *
 * Triggers log, so that it does not matter who writes: this library by a single statement or by COPY, psql, a foreign
 * key that deletes children. For one row a trigger of the statement costs what one of the row costs, for many rows half
 * of it, so all that log are of the statement. Only the stamps are set row by row, before the row is written.
 *
 * A writer appends to change_queue, unnumbered: no counter, no lock, no NOTIFY is in its transaction. change_number
 * gives committed entries their numbers and moves them into `changes`. Its rules:
 *   - One at a time for a tenant, and nobody waits: it locks the tenant's row of change_heads, and gives up when that
 * is locked already.
 *   - Locking and reading are two statements, so that what is read is what is there once the lock is held.
 *   - A transaction's entries are one batch, and stay together. Batches are ordered by their last entry's id. One that
 *     has seen what another one committed has drawn its last id later, so it comes later; and whoever sees it sees the
 *     other one, too. No transaction's number is ever compared with another one's, so what is open elsewhere, for
 *     however long, holds nothing back.
 *   - Out of a long queue the first entries are taken, and of these the batches that are in there as a whole: what they
 *     have seen is in there as well.
 *
 * The clock is a sequence that is never behind the last stamp: a stamp is the time in milliseconds, shifted left by 16,
 * with fractions of a millisecond below, or one more than the last where the clock went back. */

/* ---- pg/log_sql.h ------------------------------------------------------------------------------------------------ */
/* pg/log_sql.h -- the texts of the change log on PostgreSQL: its tables, its functions, and each kind's triggers. */
#ifndef KECS_PG_LOG_SQL_H
#define KECS_PG_LOG_SQL_H

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

/* ---- pg/log_sql.c, continued ------------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

/* ---- fixed texts ---- */

/* The tables are those of store/feed.h, with the tenant before every key, and three more: change_heads has a tenant's
 * last number and whether it is tracked; change_queue what is not numbered yet; change_batches, by the number of its
 * last entry, a name for each transaction that nobody can guess: with it a cursor names a history, not only a place in
 * it. `site` is where a batch comes from: NULL for this database, else kecs_store.site of the session that brings it.
 */
static const char kecs_pg__log_tables_form[] =
    "CREATE TABLE IF NOT EXISTS {S}change_heads(tenant {text} NOT NULL PRIMARY KEY,seq bigint NOT NULL,"
    "tracked boolean NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS {S}change_queue(tenant {text} NOT NULL,id bigint GENERATED ALWAYS AS IDENTITY,"
    "batch bigint NOT NULL DEFAULT txid_current(),"
    "site bigint DEFAULT nullif(current_setting('kecs_store.site',true),'')::bigint,"
    "kind bigint NOT NULL,rid bigint NOT NULL,groups bigint NOT NULL,op bigint NOT NULL,stamp bigint NOT NULL,"
    "base_life bigint,base_spec bigint,base_status bigint,life_site bigint,key {text},PRIMARY KEY(tenant,id));\n"
    "CREATE TABLE IF NOT EXISTS {S}changes(tenant {text} NOT NULL,seq bigint NOT NULL,kind bigint NOT NULL,"
    "rid bigint NOT NULL,groups bigint NOT NULL,op bigint NOT NULL,stamp bigint NOT NULL,base_life bigint,"
    "base_spec bigint,base_status bigint,PRIMARY KEY(tenant,seq));\n"
    "CREATE TABLE IF NOT EXISTS {S}change_batches(tenant {text} NOT NULL,seq bigint NOT NULL,id uuid NOT NULL,"
    "site bigint,PRIMARY KEY(tenant,seq));\n"
    "CREATE TABLE IF NOT EXISTS {S}change_folds(tenant {text} NOT NULL,kind bigint NOT NULL,rid bigint NOT NULL,"
    "seq bigint NOT NULL,groups bigint NOT NULL,op bigint NOT NULL,stamp bigint NOT NULL,oldest bigint NOT NULL,"
    "base_life bigint,base_spec bigint,base_status bigint,PRIMARY KEY(tenant,kind,rid));\n"
    "CREATE UNIQUE INDEX IF NOT EXISTS change_folds_seq ON {S}change_folds(tenant,seq);\n"
    "CREATE TABLE IF NOT EXISTS {S}change_tombstones(tenant {text} NOT NULL,seq bigint NOT NULL,kind bigint NOT NULL,"
    "rid bigint NOT NULL,key {text} NOT NULL,stamp bigint NOT NULL,site bigint,life bigint,life_site bigint,"
    "PRIMARY KEY(tenant,seq));\n"
    "CREATE INDEX IF NOT EXISTS change_tombstones_rid ON {S}change_tombstones(tenant,kind,rid);\n"
    "CREATE INDEX IF NOT EXISTS change_tombstones_key ON {S}change_tombstones(tenant,kind,key);\n"
    "CREATE TABLE IF NOT EXISTS {S}change_state(tenant {text} NOT NULL,id bigint NOT NULL,value bigint NOT NULL,"
    "PRIMARY KEY(tenant,id));\n"
    "CREATE SEQUENCE IF NOT EXISTS {S}change_clock;\n";

/* The history (store/history_log.h). What a row was waits in the queue with its entry: `whole` is NULL where nothing of
 * the kind is kept. A deleted row's `keys` are all that it was found by; change_heads.history has the kinds, as the
 * tenant's change_state says them. */
static const char kecs_pg__log_history_form[] =
    "ALTER TABLE {S}change_heads ADD COLUMN IF NOT EXISTS history bigint NOT NULL DEFAULT 0;\n"
    "ALTER TABLE {S}change_queue ADD COLUMN IF NOT EXISTS whole bigint,ADD COLUMN IF NOT EXISTS actor {text},"
    "ADD COLUMN IF NOT EXISTS reason {text},ADD COLUMN IF NOT EXISTS past {text},"
    "ADD COLUMN IF NOT EXISTS keys text[] COLLATE \"C\";\n"
    "CREATE TABLE IF NOT EXISTS {S}history(tenant {text} NOT NULL,seq bigint NOT NULL,kind bigint NOT NULL,"
    "rid bigint NOT NULL,op bigint NOT NULL,whole bigint NOT NULL,stamp bigint NOT NULL,actor {text},reason {text},"
    "old {text},PRIMARY KEY(tenant,seq));\n"
    "CREATE INDEX IF NOT EXISTS history_row ON {S}history(tenant,kind,rid,seq);\n"
    "CREATE TABLE IF NOT EXISTS {S}history_keys(tenant {text} NOT NULL,seq bigint NOT NULL,number bigint NOT NULL,"
    "kind bigint NOT NULL,rid bigint NOT NULL,key {text} NOT NULL,PRIMARY KEY(tenant,seq,number));\n"
    /* No more than a unique index has, so that no key is too long for it that was not for that. */
    "CREATE INDEX IF NOT EXISTS history_keys_key ON {S}history_keys(tenant,key);\n";

/* It runs as its owner, so that nobody else may set the clock that all tenants share; it names its operators in full,
 * since the caller's search_path counts. */
static const char kecs_pg__log_clock_form[] =
    "CREATE OR REPLACE FUNCTION {S}change_stamp() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $kecs_log$\n"
    "DECLARE\n"
    "  wall bigint := (pg_catalog.date_part('epoch',pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 65536000)"
    "::pg_catalog.int8;\n"
    "  stamp bigint := pg_catalog.nextval({clock});\n"
    "BEGIN\n"
    "  IF stamp OPERATOR(pg_catalog.<) wall THEN\n"
    "    stamp := pg_catalog.setval({clock},wall);\n"
    "  END IF;\n"
    "  RETURN stamp;\n"
    "END $kecs_log$;\n";

/* As its owner, too: who may only read can number all the same. */
static const char kecs_pg__log_number_form[] =
    "CREATE OR REPLACE FUNCTION {S}change_channel(whose text) RETURNS text LANGUAGE sql IMMUTABLE AS $kecs_log$\n"
    "  SELECT 'kecs_'||pg_catalog.md5({tables}||'/'||whose)\n"
    "$kecs_log$;\n"
    "CREATE OR REPLACE FUNCTION {S}change_number(whose text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER\n"
    "SET search_path=pg_catalog,pg_temp AS $kecs_log$\n"
    "DECLARE\n"
    "  room bigint := 100000;\n"
    "  until bigint;\n"
    "  waiting bigint;\n"
    "  given bigint := 0;\n"
    "BEGIN\n"
    "  IF NOT EXISTS (SELECT FROM {S}change_queue q WHERE q.tenant=whose) THEN\n"
    "    RETURN 0;\n"
    "  END IF;\n"
    "  PERFORM FROM {S}change_heads h WHERE h.tenant=whose AND h.tracked FOR NO KEY UPDATE SKIP LOCKED;\n"
    "  IF NOT FOUND THEN\n"
    "    RETURN 0;\n"
    "  END IF;\n"
    "  LOOP\n"
    "    SELECT max(w.id),count(*) INTO until,waiting FROM (SELECT q.id FROM {S}change_queue q WHERE q.tenant=whose\n"
    "      ORDER BY q.id LIMIT room) w;\n"
    "    IF waiting<room THEN\n"
    "    WITH taken AS (DELETE FROM {S}change_queue q WHERE q.tenant=whose AND q.id<=until RETURNING q.*),\n";

/* Moves what is taken out of the queue into the log, and what it tells of rows into the history. The head is locked, so
 * its number stays what it is. */
static const char kecs_pg__log_move_form[] =
    "    placed AS (SELECT t.*,max(t.id) OVER (PARTITION BY t.batch) AS last_id FROM taken t),\n"
    "    numbered AS (SELECT p.*,(SELECT h.seq FROM {S}change_heads h WHERE h.tenant=p.tenant)+row_number() OVER (\n"
    "      ORDER BY p.last_id,p.id) AS seq FROM placed p),\n"
    "    logged AS (\n"
    "      INSERT INTO {S}changes(tenant,seq,kind,rid,groups,op,stamp,base_life,base_spec,base_status)\n"
    "      SELECT n.tenant,n.seq,n.kind,n.rid,n.groups,n.op,n.stamp,n.base_life,n.base_spec,n.base_status\n"
    "      FROM numbered n ORDER BY n.seq),\n"
    "    buried AS (\n"
    "      INSERT INTO {S}change_tombstones(tenant,seq,kind,rid,key,stamp,site,life,life_site)\n"
    "      SELECT n.tenant,n.seq,n.kind,n.rid,n.key,n.stamp,n.site,n.base_life,n.life_site FROM numbered n\n"
    "      WHERE n.op=3),\n"
    "    named AS (\n"
    "      INSERT INTO {S}change_batches(tenant,seq,id,site)\n"
    "      SELECT n.tenant,max(n.seq),{uuid},max(n.site) FROM numbered n GROUP BY n.tenant,n.batch),\n"
    "    kept AS (\n"
    "      INSERT INTO {S}history(tenant,seq,kind,rid,op,whole,stamp,actor,reason,old)\n"
    "      SELECT n.tenant,n.seq,n.kind,n.rid,n.op,n.whole,n.stamp,n.actor,n.reason,n.past FROM numbered n\n"
    "      WHERE n.whole IS NOT NULL ORDER BY n.seq),\n"
    "    keyed AS (\n"
    "      INSERT INTO {S}history_keys(tenant,seq,number,kind,rid,key)\n"
    "      SELECT n.tenant,n.seq,k.number-1,n.kind,n.rid,k.key FROM numbered n\n"
    "      CROSS JOIN LATERAL unnest(n.keys) WITH ORDINALITY AS k(key,number) WHERE n.keys IS NOT NULL)\n";

/* A long queue is planned for anew, since a plan that was made for a short one would compare every entry with every
 * other. */
static const char kecs_pg__log_number_long_form[] =
    "    SELECT count(*) INTO given FROM numbered;\n"
    "      EXIT;\n"
    "    END IF;\n"
    "    PERFORM set_config('enable_nestloop','off',true);\n"
    "    EXECUTE $kecs_long$"
    "WITH later AS (SELECT DISTINCT r.batch FROM {S}change_queue r WHERE r.tenant=$1 AND r.id>$2),\n"
    "    taken AS (DELETE FROM {S}change_queue q WHERE q.tenant=$1 AND q.id<=$2 AND NOT EXISTS (SELECT FROM later l\n"
    "      WHERE l.batch=q.batch) RETURNING q.*),\n";

static const char kecs_pg__log_number_end_form[] =
    "    SELECT count(*) FROM numbered$kecs_long$\n"
    "      INTO given USING whose,until;\n"
    "    EXIT WHEN given>0;\n"
    "    room := room*4;\n" /* one batch alone is longer than that */
    "  END LOOP;\n"
    "  IF given>0 THEN\n"
    "    IF current_setting('synchronous_commit')='off' THEN\n" /* a number that was told is never given again */
    "      PERFORM set_config('synchronous_commit','local',true);\n"
    "    END IF;\n"
    "    UPDATE {S}change_heads h SET seq=h.seq+given WHERE h.tenant=whose;\n"
    "    PERFORM pg_notify('kecs_'||md5({tables}||'/'||whose),'');\n"
    "  END IF;\n"
    "  RETURN given;\n"
    "END $kecs_log$;\n";

static const char kecs_pg__log_refuse_form[] =
    "CREATE OR REPLACE FUNCTION {S}change_refuse() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n"
    "BEGIN\n"
    "  IF TG_OP='TRUNCATE' THEN\n"
    "    RAISE EXCEPTION 'kecs_store logs changes of %, and TRUNCATE tells of no row: use DELETE',TG_TABLE_NAME\n"
    "      USING ERRCODE='restrict_violation';\n"
    "  END IF;\n"
    "  RAISE EXCEPTION 'kecs_store logs changes of %, and a row has another key after this one: delete it and insert "
    "it "
    "anew',TG_TABLE_NAME USING ERRCODE='restrict_violation';\n"
    "END $kecs_log$;\n";

/* A literal with its quotes: `text`, and `more` behind it. False where it has no room. */
static bool kecs_pg__log_literal(char *out, size_t size, const char *text, const char *more) {
  size_t used = 0;
  const char *parts[] = {text, more};
  out[used++] = '\'';
  for (size_t i = 0; i < 2; i++) {
    for (const char *at = parts[i]; *at; at++) {
      if (used + 4 > size) {
        return false;
      }
      if (*at == '\'') {
        out[used++] = '\'';
      }
      out[used++] = *at;
    }
  }
  out[used++] = '\'';
  out[used] = '\0';
  return true;
}

KECS_PG__FN void kecs_pg__log_text(kecs_pg__text *out, const kecs_pg__connection *connection, const char *form) {
  char clock[512];
  char tables[256];
  if (!kecs_pg__log_literal(clock, sizeof clock, connection->home->schema, "change_clock") ||
      !kecs_pg__log_literal(tables, sizeof tables, connection->home->settings.schema, "")) {
    out->status = kecs_pg__fail(KECS_E_INVALID, "the schema's name is too long");
    return;
  }
  /* gen_random_uuid() came with version 13; before, two md5 of what nobody can see. */
  const kecs_pg__mark marks[] = {{"S", connection->home->schema},
                                 {"T", connection->home->tenant},
                                 {"text", connection->home->dialect.type_text},
                                 {"clock", clock},
                                 {"tables", tables},
                                 {"uuid", PQserverVersion(connection->pg) < 130000
                                              ? "md5(random()::text||clock_timestamp()::text||random()::text)::uuid"
                                              : "gen_random_uuid()"},
                                 {NULL, NULL}};
  kecs_pg__text_fill(out, form, marks);
}

KECS_PG__FN void kecs_pg__log_tables(kecs_pg__text *out, const kecs_pg__connection *connection) {
  const char *const forms[] = {kecs_pg__log_tables_form,      kecs_pg__log_history_form, kecs_pg__log_clock_form,
                               kecs_pg__log_number_form,      kecs_pg__log_move_form,
                               kecs_pg__log_number_long_form, kecs_pg__log_move_form,
                               kecs_pg__log_number_end_form,  kecs_pg__log_refuse_form};
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    kecs_pg__log_text(out, connection, forms[i]);
  }
}

KECS_PG__FN void kecs_pg__log_lock(kecs_pg__text *out, const kecs_pg__connection *connection) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    kecs_pg__text_adds(out, kind == 1 ? "LOCK TABLE " : ",");
    kecs_pg__text_adds(out, connection->home->schema);
    kecs_pg__text_adds(out, kecs_kind_describe((kecs_kind)kind)->table);
  }
  kecs_pg__text_adds(out, " IN SHARE MODE");
}

/* ---- pg/log_kind.c ----------------------------------------------------------------------------------------------- */
/* pg/log_kind.c -- one kind's triggers of the change log, and what they keep for the history. */

#include <stdio.h>
#include <string.h>

enum { KECS_PG__LOG_NUMBER = 24 /* bytes of a number as text */ };

/* What is put together for one kind: lists of columns, and expressions over them. */
typedef struct kecs_pg__kind_sql {
  const kecs_kind_info *info;
  const kecs_allocator *allocator;
  bool stamped; /* kinds that only grow have no stamps */
  bool spec;    /* it has columns of the group */
  bool status;
  char number[KECS_PG__LOG_NUMBER];
  kecs_pg__text spec_columns; /* "a,b": an update of one of them stamps the group */
  kecs_pg__text status_columns;
  kecs_pg__text key_columns;   /* "tenant,rid,arn": no update may change them */
  kecs_pg__text key_differs;   /* "OLD.arn IS DISTINCT FROM NEW.arn OR ..." */
  kecs_pg__text key_text;      /* a deleted row's key as one text */
  kecs_pg__text local_differs; /* "n.a IS DISTINCT FROM o.a OR ...": what is neither stamped nor the store's own */
  kecs_pg__text keys;          /* a deleted row's unique keys, each as one text: "a,b" */
  kecs_pg__text old;           /* members of a JSON object with all that a row `o` was */
  kecs_pg__text old_changed;   /* and with what `n` has changed in it */
  char bit[KECS_PG__LOG_NUMBER]; /* of change_heads.history */
  const char *whole;             /* whether an update keeps all of the row */
} kecs_pg__kind_sql;

enum { KECS_PG__KIND_TEXTS = 9 };

static kecs_pg__text *kecs_pg__kind_text(kecs_pg__kind_sql *sql, int at) {
  kecs_pg__text *const texts[KECS_PG__KIND_TEXTS] = {
      &sql->spec_columns,  &sql->status_columns, &sql->key_columns, &sql->key_differs, &sql->key_text,
      &sql->local_differs, &sql->keys,           &sql->old,         &sql->old_changed};
  return texts[at];
}

static bool kecs_pg__in_key(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return false;
}

/* Adds `more`, with `between` before it unless it is the first. */
static void kecs_pg__join(kecs_pg__text *text, const char *between, const char *form, const char *column) {
  const kecs_pg__mark marks[] = {{"c", column}, {NULL, NULL}};
  kecs_pg__text_adds(text, text->len > 0 ? between : "");
  kecs_pg__text_fill(text, form, marks);
}

/* In all parts of a key but the last a comma is written \, and a backslash \\ (kecs__feed_key). */
static void kecs_pg__key_text(kecs_pg__text *out, const kecs_kind_info *info, const kecs_column_list *key) {
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &info->columns[key->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    kecs_pg__text_adds(out, i > 0 ? "||','||" : "");
    kecs_pg__join(out, "",
                  text && i < key->count - 1 ? "replace(replace(o.{c},E'\\\\',E'\\\\\\\\'),',',E'\\\\,')"
                                             : "o.{c}::text",
                  column->name);
  }
}

static void kecs_pg__kind_keys(kecs_pg__kind_sql *sql) {
  for (int number = 0; number < sql->info->key_count; number++) {
    kecs_pg__text_adds(&sql->keys, number > 0 ? ",coalesce(" : "coalesce(");
    kecs_pg__key_text(&sql->keys, sql->info, &sql->info->keys[number]);
    kecs_pg__text_adds(&sql->keys, ",'')");
  }
}

/* Texts as strings, all else as integers. */
static void kecs_pg__kind_old(kecs_pg__kind_sql *sql) {
  sql->whole = "false";
  for (int i = 0; i < sql->info->column_count; i++) {
    const kecs_column_info *column = &sql->info->columns[i];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    const char *value = text                              ? "'\"{c}\":'||coalesce(to_json(o.{c})::text,'null')"
                        : column->type == KECS_TYPE_BOOL ? "'\"{c}\":'||coalesce(o.{c}::int::text,'null')"
                                                         : "'\"{c}\":'||coalesce(o.{c}::text,'null')";
    kecs_pg__join(&sql->old, ",", value, column->name);
    kecs_pg__join(&sql->old_changed, ",", "CASE WHEN n.{c} IS DISTINCT FROM o.{c} THEN ", column->name);
    kecs_pg__join(&sql->old_changed, "", value, column->name);
    kecs_pg__text_adds(&sql->old_changed, " END");
    sql->whole = strcmp(column->name, "version") == 0 ? "o.version%64=0" : sql->whole;
  }
}

static void kecs_pg__kind_key(kecs_pg__kind_sql *sql) {
  const kecs_column_list *key = &sql->info->keys[0];
  kecs_pg__text_adds(&sql->key_columns, "tenant,rid");
  kecs_pg__text_adds(&sql->key_differs, "OLD.tenant IS DISTINCT FROM NEW.tenant OR OLD.rid IS DISTINCT FROM NEW.rid");
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &sql->info->columns[key->columns[i]];
    kecs_pg__join(&sql->key_columns, ",", "{c}", column->name);
    kecs_pg__join(&sql->key_differs, " OR ", "OLD.{c} IS DISTINCT FROM NEW.{c}", column->name);
  }
  kecs_pg__key_text(&sql->key_text, sql->info, key);
  kecs_pg__kind_keys(sql);
}

static void kecs_pg__kind_begin(kecs_pg__kind_sql *sql, const kecs_allocator *allocator, const kecs_kind_info *info) {
  memset(sql, 0, sizeof *sql);
  sql->info = info;
  sql->allocator = allocator;
  sql->stamped = !(info->flags & KECS_KIND_APPEND);
  for (int i = 0; i < KECS_PG__KIND_TEXTS; i++) {
    kecs_pg__kind_text(sql, i)->allocator = allocator;
  }
  snprintf(sql->number, sizeof sql->number, "%d", (int)info->kind);
  snprintf(sql->bit, sizeof sql->bit, "%lld", (long long)KECS_BIT(info->kind));
  kecs_pg__kind_key(sql);
  kecs_pg__kind_old(sql);
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (column->group == KECS_GROUP_SPEC) {
      kecs_pg__join(&sql->spec_columns, ",", "{c}", column->name);
    } else if (column->group == KECS_GROUP_STATUS) {
      kecs_pg__join(&sql->status_columns, ",", "{c}", column->name);
    } else if (!kecs_pg__in_key(info, i) && !(column->flags & KECS_COLUMN_AUTO)) {
      kecs_pg__join(&sql->local_differs, " OR ", "n.{c} IS DISTINCT FROM o.{c}", column->name);
    }
  }
  sql->spec = sql->stamped && sql->spec_columns.len > 0;
  sql->status = sql->stamped && sql->status_columns.len > 0;
  if (sql->local_differs.len == 0) {
    kecs_pg__text_adds(&sql->local_differs, "false");
  }
}

static kecs_status kecs_pg__kind_end(kecs_pg__kind_sql *sql) {
  kecs_status status = KECS_OK;
  for (int i = 0; i < KECS_PG__KIND_TEXTS; i++) {
    kecs_pg__text *text = kecs_pg__kind_text(sql, i);
    status = status ? status : text->status;
    kecs_pg__text_free(text);
  }
  return status;
}

static void kecs_pg__kind_fill(kecs_pg__text *out, const kecs_pg__connection *connection, const kecs_pg__kind_sql *sql,
                               const char *form) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema},
      {"t", sql->info->table},
      {"kind", sql->number},
      {"spec_columns", sql->spec_columns.data},
      {"status_columns", sql->status_columns.data},
      {"key_columns", sql->key_columns.data},
      {"key_differs", sql->key_differs.data},
      {"key_text", sql->key_text.data},
      {"local_differs", sql->local_differs.data},
      {"keys", sql->keys.data},
      {"old", sql->old.data},
      {"old_changed", sql->old_changed.data},
      {"bit", sql->bit},
      {"whole", sql->whole},
      {"open", "{"}, /* of JSON */
      {"close", "}"},
      /* Of `n`, the row after the change, and `o`, the one before; NULL where the kind has no such stamp. */
      {"n_life", sql->stamped ? "n.stamp_life" : "NULL::bigint"},
      {"o_life", sql->stamped ? "o.stamp_life" : "NULL::bigint"},
      {"o_site", sql->stamped ? "o.site_life" : "NULL::bigint"},
      /* Two sites may have written in one millisecond: then the number of the site alone is another one. */
      {"spec_differs", sql->spec ? "(n.stamp_spec,n.site_spec) IS DISTINCT FROM (o.stamp_spec,o.site_spec)" : "false"},
      {"status_differs",
       sql->status ? "(n.stamp_status,n.site_status) IS DISTINCT FROM (o.stamp_status,o.site_status)" : "false"},
      {"n_spec", sql->spec ? "n.stamp_spec" : "NULL::bigint"},
      {"o_spec", sql->spec ? "o.stamp_spec" : "NULL::bigint"},
      {"n_status", sql->status ? "n.stamp_status" : "NULL::bigint"},
      {"o_status", sql->status ? "o.stamp_status" : "NULL::bigint"},
      {"old_spec", sql->spec ? "OLD.stamp_spec" : "NULL::bigint"},
      {"new_spec", sql->spec ? "NEW.stamp_spec" : "NULL::bigint"},
      {"old_status", sql->status ? "OLD.stamp_status" : "NULL::bigint"},
      {NULL, NULL}};
  kecs_pg__text_fill(out, form, marks);
}

/* A trigger, whoever writes: also in a session that has foreign keys switched off, which switches ordinary triggers off
 * as well. */
#define KECS_PG__TRIGGER(name, when, how, function)                                           \
  "CREATE TRIGGER feed_{t}_" name " " when " ON {S}{t} " how " EXECUTE FUNCTION {S}" function \
  ";\nALTER TABLE {S}{t} ENABLE ALWAYS TRIGGER feed_{t}_" name ";\n"

#define KECS_PG__TRACKED "JOIN {S}change_heads h ON h.tenant="

/* Where the kind has a history. Programs that say nothing of who they are, as psql, are known by the role that they
 * work as: also in a foreign key's own statements, which run as the table's owner. */
#define KECS_PG__KEPT(value) "CASE WHEN h.history&{bit}<>0 THEN " value " END"
#define KECS_PG__ACTOR                                                                                   \
  KECS_PG__KEPT("coalesce(nullif(current_setting('kecs_store.actor',true),''),CASE WHEN "                \
                "coalesce(current_setting('kecs_store.says',true),'')='' THEN coalesce(nullif("          \
                "current_setting('role'),'none'),session_user::text) END)")
#define KECS_PG__REASON KECS_PG__KEPT("nullif(current_setting('kecs_store.reason',true),'')")

/* Nearly always nobody keeps the kind's history, and then its expressions, one a column, are not even made ready. */
#define KECS_PG__IF_KEPT(insert, columns, values)                                                              \
  "BEGIN\n"                                                                                                    \
  "  IF EXISTS (SELECT FROM {S}change_heads h WHERE h.history<>0 AND h.history&{bit}<>0) THEN\n" insert("," columns, \
                                                                                                       "," values)   \
  "  ELSE\n" insert("", "")                                                                                    \
  "  END IF;\n"                                                                                                \
  "  RETURN NULL;\n"                                                                                           \
  "END $kecs_log$;\n"

#define KECS_PG__INSERTED(columns, values)                                                                   \
  "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp" columns ")\n"                               \
  "  SELECT n.tenant,{kind},n.rid,15,1,coalesce({n_life},{S}change_stamp())" values                          \
  " FROM new_rows n " KECS_PG__TRACKED "n.tenant AND h.tracked ORDER BY n.rid;\n"

static const char kecs_pg__log_insert_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_insert() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n" KECS_PG__IF_KEPT(
        KECS_PG__INSERTED, "whole,actor,reason", KECS_PG__KEPT("0") "," KECS_PG__ACTOR "," KECS_PG__REASON)
        KECS_PG__TRIGGER("insert", "AFTER INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                         "feed_{t}_insert()");

/* An update that stamps nothing is of local columns, whatever else it did. What is kept is read where the rows are, and
 * named by its columns outside. */
#define KECS_PG__UPDATED(columns, values)                                                                       \
  "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp,base_life,base_spec,base_status" columns ")\n" \
  "  SELECT c.tenant,{kind},c.rid,CASE WHEN c.synced=0 OR c.locals THEN c.synced|8 ELSE c.synced END,2,\n"      \
  "  CASE WHEN c.synced=0 THEN {S}change_stamp() ELSE c.stamp END,c.base_life,c.base_spec,c.base_status" columns \
  " FROM (\n"                                                                                                   \
  "    SELECT n.tenant,n.rid,CASE WHEN {spec_differs} THEN 2 ELSE 0 END|\n"                                    \
  "    CASE WHEN {status_differs} THEN 4 ELSE 0 END AS synced,({local_differs}) AS locals,\n"                  \
  "    coalesce(greatest({n_spec},{n_status}),{n_life}) AS stamp,\n" /* a later life may have neither */        \
  "    {o_life} AS base_life,{o_spec} AS base_spec,{o_status} AS base_status" values "\n"                       \
  "    FROM new_rows n JOIN old_rows o ON o.tenant=n.tenant AND o.rid=n.rid " KECS_PG__TRACKED                  \
  "n.tenant AND h.tracked) c ORDER BY c.rid;\n"

static const char kecs_pg__log_update_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_update() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n" KECS_PG__IF_KEPT(
        KECS_PG__UPDATED, "whole,actor,reason,past",
        "\n    " KECS_PG__KEPT("({whole})::int") " AS whole," KECS_PG__ACTOR " AS actor," KECS_PG__REASON
        " AS reason,\n"
        "    " KECS_PG__KEPT("CASE WHEN {whole} THEN '{open}'||concat_ws(',',{old})||'{close}'\n"
                             "    ELSE '{open}'||concat_ws(',',{old_changed})||'{close}' END") " AS past")
        KECS_PG__TRIGGER("update", "AFTER UPDATE",
                         "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT",
                         "feed_{t}_update()");

#define KECS_PG__DELETED(columns, values)                                                                     \
  "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp,base_life,base_spec,base_status,life_site,"  \
  "key" columns ")\n"                                                                                         \
  "  SELECT o.tenant,{kind},o.rid,15,3,greatest({S}change_stamp(),{o_life}+1,{o_spec}+1,{o_status}+1),"       \
  "{o_life},\n"                                                                                               \
  "  {o_spec},{o_status},{o_site},{key_text}" values " FROM old_rows o " KECS_PG__TRACKED                     \
  "o.tenant AND h.tracked ORDER BY o.rid;\n"

static const char kecs_pg__log_delete_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_delete() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n" KECS_PG__IF_KEPT(
        KECS_PG__DELETED, "whole,actor,reason,past,keys",
        KECS_PG__KEPT("1") "," KECS_PG__ACTOR "," KECS_PG__REASON ",\n"
        "  " KECS_PG__KEPT("'{open}'||concat_ws(',',{old})||'{close}'") "," KECS_PG__KEPT("ARRAY[{keys}]") "\n ")
        KECS_PG__TRIGGER("delete", "AFTER DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
                         "feed_{t}_delete()")
        KECS_PG__TRIGGER("empty", "BEFORE TRUNCATE", "FOR EACH STATEMENT", "change_refuse()");

/* Not of kinds that only grow: their tables may be partitioned, which before version 13 have no such triggers. */
static const char kecs_pg__log_key_form[] =
    KECS_PG__TRIGGER("key", "BEFORE UPDATE OF {key_columns}", "FOR EACH ROW WHEN ({key_differs})", "change_refuse()");

/* A row's stamp is above all that it has, wherever those came from. */
#define KECS_PG__NEXT_STAMP "greatest({S}change_stamp(),OLD.stamp_life+1,{old_spec}+1,{old_status}+1)"

/* The statement that merges what a site has pushed brings stamps along (sync/hub_sql.c). */
#define KECS_PG__MERGES                                            \
  "  IF current_setting('kecs_store.merge',true)='on' THEN\n" \
  "    RETURN NEW;\n"                                              \
  "  END IF;\n"

static const char kecs_pg__log_spec_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_spec() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n"
    "BEGIN\n" KECS_PG__MERGES
    "  NEW.stamp_spec := " KECS_PG__NEXT_STAMP
    ";\n"
    "  NEW.site_spec := NULL;\n"
    "  RETURN NEW;\n"
    "END $kecs_log$;\n" KECS_PG__TRIGGER("spec", "BEFORE UPDATE OF {spec_columns}", "FOR EACH ROW", "feed_{t}_spec()");

/* It comes after the other one, by its name: what writes both groups gives them one stamp. */
static const char kecs_pg__log_status_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_status() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n"
    "BEGIN\n" KECS_PG__MERGES
    "  NEW.stamp_status := CASE WHEN {new_spec} IS DISTINCT FROM {old_spec} THEN {new_spec} ELSE " KECS_PG__NEXT_STAMP
    " END;\n"
    "  NEW.site_status := NULL;\n"
    "  RETURN NEW;\n"
    "END $kecs_log$;\n" KECS_PG__TRIGGER("status", "BEFORE UPDATE OF {status_columns}", "FOR EACH ROW",
                                         "feed_{t}_status()");

static const char kecs_pg__log_stamp_form[] =
    "ALTER TABLE {S}{t} ADD COLUMN IF NOT EXISTS stamp_{c} bigint,ADD COLUMN IF NOT EXISTS site_{c} bigint;\n";

static void kecs_pg__kind_stamp(kecs_pg__text *out, const kecs_pg__connection *connection, const kecs_kind_info *info,
                                const char *name) {
  const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"t", info->table}, {"c", name}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_pg__log_stamp_form, marks);
}

KECS_PG__FN void kecs_pg__log_triggers(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info) {
  kecs_pg__kind_sql sql;
  kecs_pg__kind_begin(&sql, connection->allocator, info);
  if (sql.stamped) {
    kecs_pg__kind_stamp(out, connection, info, "life");
  }
  kecs_pg__log_no_triggers(out, connection, info);
  if (sql.stamped) {
    kecs_pg__kind_fill(out, connection, &sql,
                       "ALTER TABLE {S}{t} ALTER COLUMN stamp_life SET DEFAULT {S}change_stamp();\n");
    kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_key_form);
  }
  if (sql.spec) {
    kecs_pg__kind_stamp(out, connection, info, "spec");
    kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_spec_form);
  }
  if (sql.status) {
    kecs_pg__kind_stamp(out, connection, info, "status");
    kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_status_form);
  }
  kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_insert_form);
  kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_update_form);
  kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_delete_form);
  kecs_status status = kecs_pg__kind_end(&sql);
  out->status = out->status ? out->status : status;
}

KECS_PG__FN void kecs_pg__log_no_triggers(kecs_pg__text *out, const kecs_pg__connection *connection,
                                          const kecs_kind_info *info) {
  static const char *const names[] = {"insert", "update", "delete", "empty", "key", "spec", "status"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"t", info->table}, {"n", names[i]}, {NULL, NULL}};
    kecs_pg__text_fill(out, "DROP TRIGGER IF EXISTS feed_{t}_{n} ON {S}{t};\n", marks);
  }
  if (!(info->flags & KECS_KIND_APPEND)) {
    const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"t", info->table}, {NULL, NULL}};
    kecs_pg__text_fill(out, "ALTER TABLE {S}{t} ALTER COLUMN stamp_life DROP DEFAULT;\n", marks);
  }
}

/* ---- pg/log.c ---------------------------------------------------------------------------------------------------- */
/* pg/log.c -- the change log on PostgreSQL: making it, switching it, numbering its entries. */

/* ---- pg/log.h ---------------------------------------------------------------------------------------------------- */
/* pg/log.h -- the change log on PostgreSQL: making it, switching it, numbering its entries. */
#ifndef KECS_PG_LOG_H
#define KECS_PG_LOG_H

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

/* ---- pg/log.c, continued ----------------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

/* ---- texts ---- */

/* Sends a text that was put together, unless something was wrong with it. */
static kecs_status kecs_pg__log_send(kecs_pg__connection *connection, kecs_pg__text *text, const char *doing,
                                     PGresult **out_result) {
  kecs_status status = text->status;
  if (!status && text->len > 0) {
    status = kecs_pg__command(connection, text->data, KECS_PG__STOPS, doing, out_result);
  }
  kecs_pg__text_free(text);
  return status;
}

static kecs_status kecs_pg__log_run(kecs_pg__connection *connection, const char *form, const char *doing) {
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__log_text(&text, connection, form);
  return kecs_pg__log_send(connection, &text, doing, NULL);
}

/* A question whose answer is one text; "" where it gives no row. */
static kecs_status kecs_pg__log_ask(kecs_pg__connection *connection, const char *form, char *out, size_t size) {
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  PGresult *result = NULL;
  out[0] = '\0';
  kecs_pg__log_text(&text, connection, form);
  kecs_status status = kecs_pg__log_send(connection, &text, "ask for the change log", &result);
  if (!status && PQntuples(result) > 0 && !PQgetisnull(result, 0, 0)) {
    size_t len = (size_t)PQgetlength(result, 0, 0);
    len = len < size ? len : size - 1;
    memcpy(out, PQgetvalue(result, 0, 0), len);
    out[len] = '\0';
  }
  PQclear(result);
  return status;
}

/* ---- making ---- */

static const char kecs_pg__log_has_triggers[] =
    "SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid=g.tgrelid JOIN pg_namespace n ON n.oid=c.relnamespace "
    "WHERE n.nspname={tables} AND g.tgname='feed_clusters_insert'";

static const char kecs_pg__log_making[] = "make the change log's triggers; the tables' owner must switch it on first";

static kecs_status kecs_pg__log_make_triggers(kecs_pg__connection *connection, bool make) {
  kecs_status status = kecs_pg__command(connection, "SET LOCAL client_min_messages=warning", KECS_PG__STOPS,
                                        "make the change log", NULL);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
    if (make) {
      kecs_pg__log_triggers(&text, connection, kecs_kind_describe((kecs_kind)kind));
    } else {
      kecs_pg__log_no_triggers(&text, connection, kecs_kind_describe((kecs_kind)kind));
    }
    status = kecs_pg__log_send(connection, &text, make ? kecs_pg__log_making : "drop the change log's triggers", NULL);
  }
  return status;
}

/* Triggers that are there name columns: they are made anew after a migration. */
KECS_PG__FN kecs_status kecs_pg__log_make(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char there[24];
  kecs_pg__log_tables(&text, connection);
  kecs_status status = kecs_pg__log_send(connection, &text, "make the change log", NULL);
  status = status ? status : kecs_pg__log_ask(connection, kecs_pg__log_has_triggers, there, sizeof there);
  return status || strcmp(there, "0") == 0 ? status : kecs_pg__log_make_triggers(connection, true);
}

/* ---- switching ---- */

/* The mark is the one entry left when tracking is switched off, and the first new one when it is switched on. What was
 * watched before must not go on as if nothing had been missed, so the floor is raised to it. */
static const char kecs_pg__log_mark_form[] =
    "INSERT INTO {S}changes(tenant,seq,kind,rid,groups,op,stamp) SELECT h.tenant,h.seq,0,0,0,"
    "CASE WHEN h.tracked THEN 8 ELSE 9 END,{S}change_stamp() FROM {S}change_heads h WHERE h.tenant={T};\n"
    "INSERT INTO {S}change_state(tenant,id,value) SELECT h.tenant,v.id,h.seq FROM {S}change_heads h,"
    "(VALUES(1),(3)) AS v(id) WHERE h.tenant={T} AND (v.id=1 OR h.tracked) "
    "ON CONFLICT(tenant,id) DO UPDATE SET value=greatest(change_state.value,excluded.value)";

static const char kecs_pg__log_on_form[] =
    "DELETE FROM {S}change_queue WHERE tenant={T};\n"
    "INSERT INTO {S}change_heads(tenant,seq,tracked) VALUES({T},1,true) ON CONFLICT(tenant) DO UPDATE "
    "SET seq=change_heads.seq+1,tracked=true";

static const char kecs_pg__log_off_form[] =
    "UPDATE {S}change_heads SET seq=seq+1,tracked=false,history=0 WHERE tenant={T};\n"
    "DELETE FROM {S}change_queue WHERE tenant={T};\n"
    "DELETE FROM {S}change_tombstones WHERE tenant={T};\n"
    "DELETE FROM {S}change_folds WHERE tenant={T};\n"
    "DELETE FROM {S}change_batches WHERE tenant={T};\n"
    "DELETE FROM {S}history_keys WHERE tenant={T};\n"
    "DELETE FROM {S}history WHERE tenant={T};\n"
    "DELETE FROM {S}change_state WHERE tenant={T} AND id=4;\n" /* the kinds of the history */
    "DELETE FROM {S}changes WHERE tenant={T}";

/* Whether it is time to drop the triggers: nobody else is tracked. Who is not the tables' owner may not see that. */
static const char kecs_pg__log_last_form[] =
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace WHERE n.nspname={tables} AND "
    "c.relname='change_heads' AND pg_has_role(c.relowner,'USAGE') AND NOT EXISTS(SELECT FROM {S}change_heads WHERE "
    "tracked)";

/* Triggers that are made wait for whoever writes; where they are there already, a lock does. Otherwise what was written
 * before and is committed later would be missing. */
static kecs_status kecs_pg__log_turn_on(kecs_pg__connection *connection) {
  char there[24];
  kecs_status status = kecs_pg__log_ask(connection, kecs_pg__log_has_triggers, there, sizeof there);
  if (!status && strcmp(there, "0") == 0) {
    status = kecs_pg__log_make_triggers(connection, true);
  } else if (!status) {
    kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
    kecs_pg__log_lock(&text, connection);
    status = kecs_pg__log_send(connection, &text, "wait for writers", NULL);
  }
  return status ? status : kecs_pg__log_run(connection, kecs_pg__log_on_form, "switch the change log on");
}

static kecs_status kecs_pg__log_turn_off(kecs_pg__connection *connection) {
  char last[24];
  kecs_status status = kecs_pg__log_run(connection, kecs_pg__log_off_form, "switch the change log off");
  status = status ? status : kecs_pg__log_ask(connection, kecs_pg__log_last_form, last, sizeof last);
  return status || last[0] == '\0' ? status : kecs_pg__log_make_triggers(connection, false);
}

static const char kecs_pg__log_is_on[] = "SELECT 1 FROM {S}change_heads WHERE tenant={T} AND tracked FOR UPDATE";

KECS_PG__FN kecs_status kecs_pg__log_turn(kecs_connection *shared, bool on) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  char is_on[24];
  kecs_status status = kecs_pg_backend()->keep_out(shared); /* of those who switch it just now, too */
  status = status ? status : kecs_pg__log_ask(connection, kecs_pg__log_is_on, is_on, sizeof is_on);
  if (status || (is_on[0] != '\0') == on) {
    return status; /* another process was faster */
  }
  status = on ? kecs_pg__log_turn_on(connection) : kecs_pg__log_turn_off(connection);
  return status ? status : kecs_pg__log_run(connection, kecs_pg__log_mark_form, "switch the change log");
}

/* ---- numbering ---- */

/* In a transaction of its own, in one exchange. Whether it was committed need not be known: it may be done again. */
KECS_PG__FN kecs_status kecs_pg__log_number(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__message message = {0};
  PGresult *result = NULL;
  if (connection->standby) {
    return KECS_OK; /* the primary's business */
  }
  kecs_pg__log_text(&text, connection, "SELECT {S}change_number({T})");
  kecs_status status = text.status ? text.status : kecs_pg_backend()->begin(shared, true);
  message.sql = text.data;
  message.commits = true;
  status = status ? status
                  : kecs_pg__exchange(connection, &message, KECS_PG__STOPS, "number the change log's entries", &result);
  PQclear(result);
  kecs_pg__text_free(&text);
  if (status) {
    kecs_error error = *kecs_last_error();
    kecs_pg_backend()->rollback(shared);
    kecs_pg__restore(&error);
  }
  if (status == KECS_E_OUTCOME_UNKNOWN) {
    return kecs_pg__fail(KECS_E_OFFLINE, "%s: the connection was lost while the change log was read; try again",
                         kecs_pg__shown(connection));
  }
  return status;
}

/* ---- the history ---- */

KECS_PG__FN kecs_status kecs_pg__log_say(kecs_connection *shared, const char *actor, const char *reason) {
  return kecs_pg__say(kecs_pg__of(shared), actor, reason);
}

/* Numbering goes by while somebody else numbers: so the tenant's head is waited for first. */
static const char kecs_pg__log_head[] = "SELECT 1 FROM {S}change_heads WHERE tenant={T} FOR UPDATE";

KECS_PG__FN kecs_status kecs_pg__log_settle(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_status status = kecs_pg_backend()->keep_out(shared); /* of those who switch it just now, too */
  status = status ? status : kecs_pg__log_run(connection, kecs_pg__log_head, "wait for the change log");
  if (status) {
    return status;
  }
  kecs_pg__log_lock(&text, connection);
  status = kecs_pg__log_send(connection, &text, "wait for writers", NULL);
  return status ? status
                : kecs_pg__log_run(connection, "SELECT {S}change_number({T})", "number the change log's entries");
}

KECS_PG__FN kecs_status kecs_pg__log_keep(kecs_connection *shared, uint64_t kinds) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)kinds);
  kecs_pg__text_adds(&text, "UPDATE ");
  kecs_pg__log_text(&text, connection, "{S}change_heads SET history=");
  kecs_pg__text_adds(&text, number);
  kecs_pg__log_text(&text, connection, " WHERE tenant={T}");
  return kecs_pg__log_send(connection, &text, "switch the history", NULL);
}

/* ---- hearing ---- */

/* Behind a pooler LISTEN is for a session that is somebody else's a moment later; a standby refuses it. What was
 * numbered before it listened was not heard: that counts as heard. */
static kecs_status kecs_pg__log_listen(kecs_pg__connection *connection) {
  char channel[64];
  char sql[128];
  kecs_status status = kecs_pg__log_ask(connection, "SELECT {S}change_channel({T})", channel, sizeof channel);
  snprintf(sql, sizeof sql, "LISTEN %s", channel);
  status = status ? status : kecs_pg__command(connection, sql, KECS_PG__STOPS, "listen", NULL);
  connection->listens = !status;
  return status;
}

KECS_PG__FN kecs_status kecs_pg__log_hear(kecs_connection *shared, bool *out_listens, bool *out_heard) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  *out_listens = false;
  *out_heard = false;
  if (!kecs_pg__alive(connection)) {
    kecs_status lost = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "listen");
    kecs_pg__hang_up(connection);
    return lost;
  }
  if (!connection->direct || connection->standby) {
    return KECS_OK;
  }
  if (!connection->listens) {
    *out_heard = true;
    kecs_status status = kecs_pg__log_listen(connection);
    *out_listens = !status;
    return status;
  }
  for (PGnotify *note = PQnotifies(connection->pg); note; note = PQnotifies(connection->pg)) {
    *out_heard = true;
    PQfreemem(note);
  }
  *out_listens = true;
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_pg__log_trim(kecs_connection *shared, int64_t floor) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)floor);
  kecs_pg__log_text(&text, connection, "DELETE FROM {S}change_batches WHERE tenant={T} AND seq<");
  kecs_pg__text_adds(&text, number);
  return kecs_pg__log_send(connection, &text, "trim the change log", NULL);
}

/* ---- pg/backend.c ------------------------------------------------------------------------------------------------ */
/* pg/backend.c -- PostgreSQL behind the table of functions: the dialect, transactions, the schema.
 *
 * Writers side by side. SQLite's writers follow one another; here they run at once, in READ COMMITTED, and a write
 * locks each row that it reads in order to change it (kecs_dialect.lock_rows). A second writer of that row waits, and
 * then sees what the first one stored: what was compared is what is changed, no update is lost, and a version that is
 * given is compared with the last one. SERIALIZABLE would also do, but it fails writers of different rows whose index
 * entries share a page, so that heartbeats of a few hundred nodes would be retried again and again. Unique keys and
 * foreign keys guard what is more than one row. Locks are FOR NO KEY UPDATE: they let others insert children of a
 * locked parent. */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__TENANT_MAX 128 /* bytes of a tenant's name */
#define KECS_PG__SCHEMA_MAX 63  /* bytes of an identifier */
#define KECS_PG__OUTCOME_MS 20  /* between two questions for a transaction that is still running */

/* ---- the place ---- */

static const kecs_dialect kecs_pg__dialect = {
    .type_text = "text COLLATE \"C\"",
    .type_int = "bigint",
    .type_bool = "boolean",
    .type_time = "bigint",
    .type_rid = "bigint GENERATED ALWAYS AS IDENTITY NOT NULL",
    .table_options = "",
    .placeholder = '$',
    .schema = NULL, /* of the URL, as the tenant */
    .tenant = NULL,
    .lock_rows = " FOR NO KEY UPDATE",
    .returning_rid = " RETURNING rid," KECS_PG__TELLS_ID,
    .returning_own = " RETURNING " KECS_PG__TELLS_ID,
    .find_text = "strpos",
    .highest = "greatest",
    .bytewise = " COLLATE \"C\"", /* of a parameter: columns have it from their type */
    /* SET NULL would also take the tenant away. The store lets go of children before it deletes their parent. */
    .on_delete_null = "NO ACTION",
    .own_place = "a schema of its own: put schema=NAME into the URL",
    .failure_ends_transaction = true,
    .whole_results = true,
    .plain_limits = true,
};

static bool kecs_pg__starts(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static bool kecs_pg__answers_to(const char *path) {
  static const char *const beginnings[] = {"postgres://", "postgresql://", "host=",    "hostaddr=", "port=",
                                           "dbname=",     "user=",         "service=", "password=", "passfile="};
  for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
    if (kecs_pg__starts(path, beginnings[i])) {
      return true;
    }
  }
  return false;
}

static bool kecs_pg__shares(const char *path) {
  (void)path;
  return true;
}

/* The text between two quotes, each quote in it twice, and `after` behind it. */
static char *kecs_pg__quoted(const kecs_allocator *allocator, const char *text, char quote, const char *after) {
  char quoted[2 * KECS_PG__TENANT_MAX + 8];
  size_t used = 0;
  quoted[used++] = quote;
  for (; *text; text++) {
    if (*text == quote) {
      quoted[used++] = quote;
    }
    quoted[used++] = *text;
  }
  quoted[used++] = quote;
  memcpy(quoted + used, after, strlen(after));
  return kecs_pg__copy(allocator, quoted, used + strlen(after));
}

/* Printable ASCII: the name becomes a part of every statement, and is read by people. */
static kecs_status kecs_pg__check_name(const char *what, const char *name, size_t max) {
  size_t len = strlen(name);
  bool good = len > 0 && len <= max;
  for (size_t i = 0; good && i < len; i++) {
    good = name[i] > ' ' && name[i] < 0x7f && name[i] != '\\';
  }
  return good ? KECS_OK
              : kecs_pg__fail(KECS_E_INVALID,
                              "%s=\"%.60s\" of the URL is no name: give 1 to %d printable ASCII characters without "
                              "blanks and backslashes",
                              what, name, (int)max);
}

static void kecs_pg__detach(kecs_place *place, const kecs_allocator *allocator) {
  kecs_pg__home *home = place->own;
  if (home) {
    kecs_pg__settings_free(&home->settings, allocator);
    kecs_pg__release_text(allocator, home->schema);
    kecs_pg__release_text(allocator, home->tenant);
    kecs_pg__release(allocator, home, sizeof *home);
  }
  memset(place, 0, sizeof *place);
}

/* A time of the URL as a store takes it: negative means none. What is longer than an int can say lasts for ever. */
static int kecs_pg__pool_time(int64_t ms) {
  return ms > 0 && ms <= INT_MAX ? (int)ms : -1;
}

static void kecs_pg__attach_pool(const kecs_pg__settings *settings, kecs_place *out_place) {
  int64_t acquire = settings->acquire_timeout_ms;
  out_place->pool_max = settings->max_connections;
  out_place->pool_min = settings->min_connections;
  out_place->splits_reads = settings->reads == 1 && settings->host_count > 1;
  out_place->pool.acquire_ms = acquire > INT_MAX ? INT_MAX : kecs_pg__pool_time(acquire);
  out_place->pool.idle_ms = kecs_pg__pool_time(settings->idle_timeout_ms);
  out_place->pool.lifetime_ms = kecs_pg__pool_time(settings->max_lifetime_ms);
  out_place->pool.check_ms = kecs_pg__pool_time(settings->check_interval_ms);
}

static kecs_status kecs_pg__attach(const char *path, const kecs_allocator *allocator, kecs_place *out_place) {
  kecs_pg__home *home = kecs_pg__alloc(allocator, sizeof *home);
  if (!home) {
    return KECS_E_NOMEM;
  }
  out_place->own = home;
  kecs_status status = kecs_pg__settings_read(path, allocator, &home->settings);
  if (!status) {
    status = kecs_pg__check_name("tenant", home->settings.tenant, KECS_PG__TENANT_MAX);
  }
  if (!status) {
    status = kecs_pg__check_name("schema", home->settings.schema, KECS_PG__SCHEMA_MAX);
  }
  if (!status) {
    home->tenant = kecs_pg__quoted(allocator, home->settings.tenant, '\'', "");
    home->schema = home->tenant ? kecs_pg__quoted(allocator, home->settings.schema, '"', ".") : NULL;
    status = home->schema ? KECS_OK : KECS_E_NOMEM;
  }
  if (status) {
    kecs_pg__detach(out_place, allocator);
    return status;
  }
  home->dialect = kecs_pg__dialect;
  home->dialect.schema = home->schema;
  home->dialect.tenant = home->tenant;
  out_place->dialect = &home->dialect;
  out_place->shown = home->settings.shown;
  kecs_pg__attach_pool(&home->settings, out_place);
  return KECS_OK;
}

/* ---- transactions ---- */

static void kecs_pg__rollback(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  bool begun = !connection->begin_waits && kecs_pg__in_transaction(connection);
  kecs_pg__forget(connection);
  if (begun && kecs_pg__command(connection, "ROLLBACK", KECS_PG__PATIENT, "roll back", NULL)) {
    kecs_pg__hang_up(connection); /* which rolls back, too */
  }
  if (connection->doomed) {
    kecs_pg__hang_up(connection);
  }
}

/* Where the session is not ours alone the settings hold for this transaction: behind a pooler the next one is somebody
 * else's. A session that is settled leaves them out, but who knows where the statement will be sent in the end. */
static kecs_status kecs_pg__begin_write(kecs_pg__connection *connection) {
  char wait[KECS_PG__WAITING_SIZE];
  snprintf(wait, sizeof wait, "SET LOCAL lock_timeout=%d", kecs_pg__lock_timeout(connection));
  kecs_status status = kecs_pg__defer(connection, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  status = status ? status : kecs_pg__defer(connection, wait);
  if (!status && connection->full_durability) {
    status = kecs_pg__defer(connection, "SET LOCAL synchronous_commit=on");
  }
  connection->settings_wait = connection->waiting_count - 1;
  connection->only_begins = !status && !connection->no_foreign_keys;
  if (!status && connection->no_foreign_keys) {
    status = kecs_pg__defer(connection, "SET LOCAL session_replication_role=replica");
  }
  return status;
}

/* Nothing is sent yet. */
static kecs_status kecs_pg__begin(kecs_connection *shared, bool write) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__rollback(shared); /* of a transaction whose own rollback failed; does nothing otherwise */
  bool good = kecs_pg__alive(connection) && !kecs_pg__should_move(connection);
  connection->committed = false;
  kecs_status status = good ? KECS_OK : kecs_pg__dial(connection);
  if (!status) {
    status = write ? kecs_pg__begin_write(connection)
                   : kecs_pg__defer(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }
  connection->begin_waits = !status;
  connection->transaction = 0;
  return status;
}

/* A query with texts as parameters; its result is the caller's. */
static kecs_status kecs_pg__ask(kecs_pg__connection *connection, const char *sql, const char *const *texts, int count,
                                PGresult **out_result) {
  kecs_pg__message message = {0};
  message.sql = sql;
  message.count = count;
  message.values = texts;
  *out_result = NULL;
  kecs_status status = kecs_pg__in_transaction(connection) ? KECS_OK : kecs_pg__ready(connection);
  return status ? status : kecs_pg__exchange(connection, &message, KECS_PG__STOPS, "read the schema", out_result);
}

static kecs_status kecs_pg__outcome_once(kecs_pg__connection *connection, const char *number, kecs_outcome *out) {
  static const struct {
    const char *word;
    kecs_outcome outcome;
  } words[] = {{"committed", KECS_OUTCOME_STORED},
               {"aborted", KECS_OUTCOME_NOT_STORED},
               {"in progress", KECS_OUTCOME_RUNNING}};
  PGresult *result = NULL;
  *out = KECS_OUTCOME_UNKNOWN; /* also of one that the server has forgotten */
  kecs_status status = kecs_pg__ask(connection, "SELECT txid_status($1::bigint)", &number, 1, &result);
  if (status == KECS_E_INVALID) {
    *out = KECS_OUTCOME_NOT_STORED; /* the number has not been given yet: it went with a server that failed */
    return KECS_OK;
  }
  for (size_t i = 0; !status && i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(PQgetvalue(result, 0, 0), words[i].word) == 0) {
      *out = words[i].outcome;
    }
  }
  PQclear(result);
  return status;
}

/* The server that lost the connection may still be working at the COMMIT. */
static kecs_status kecs_pg__outcome(kecs_connection *shared, const char *transaction, kecs_outcome *out) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  char number[24];
  const char *at = strchr(transaction, '@');
  size_t len = at ? (size_t)(at - transaction) : 0;
  if (len == 0 || len >= sizeof number || strspn(transaction, "0123456789") != len) {
    return kecs_pg__fail(KECS_E_INVALID, "\"%.40s\" names no transaction of PostgreSQL", transaction);
  }
  memcpy(number, transaction, len);
  number[len] = '\0';
  int64_t until = kecs_pg__now_ms() + connection->busy_timeout_ms;
  for (;;) {
    kecs_status status = kecs_pg__outcome_once(connection, number, out);
    bool other = strcmp(at + 1, connection->timeline) != 0;
    if (!status && other && *out != KECS_OUTCOME_NOT_STORED) {
      *out = KECS_OUTCOME_UNKNOWN; /* another server has taken over, and may have given the number to another write */
    }
    if (status || *out != KECS_OUTCOME_RUNNING || kecs_pg__now_ms() > until || kecs_pg__stopped(connection)) {
      return status;
    }
    kecs_pg__sleep_ms(KECS_PG__OUTCOME_MS);
  }
}

static kecs_status kecs_pg__commit(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__message message = {0};
  PGresult *result = NULL;
  message.sql = "COMMIT";
  if (connection->begin_waits || connection->committed) {
    kecs_pg__forget(connection); /* nothing was done, or all of it */
    connection->committed = false;
    return KECS_OK;
  }
  if (!kecs_pg__alive(connection)) {
    kecs_status lost = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "commit");
    kecs_pg__hang_up(connection);
    return lost;
  }
  kecs_status status = kecs_pg__exchange(connection, &message, KECS_PG__PATIENT, "commit", &result);
  bool undone = !status && strcmp(PQcmdStatus(result), "ROLLBACK") == 0;
  PQclear(result);
  if (status == KECS_E_OFFLINE) {
    kecs_pg__forget(connection);
    return kecs_pg__fail_unknown(connection);
  }
  if (undone) {
    return kecs_pg__fail(KECS_E_CONFLICT, "the transaction was rolled back after an earlier error; nothing was stored");
  }
  return status;
}

static bool kecs_pg__has_transaction(kecs_connection *shared) {
  return kecs_pg__in_transaction(kecs_pg__of(shared));
}

static kecs_status kecs_pg__execute(kecs_connection *shared, const char *sql) {
  return kecs_pg__command(kecs_pg__of(shared), sql, KECS_PG__STOPS, "run a statement", NULL);
}

static int64_t kecs_pg__changes(kecs_connection *shared) {
  return kecs_pg__of(shared)->changes;
}

static int64_t kecs_pg__last_rid(kecs_connection *shared) {
  return kecs_pg__of(shared)->last_rid;
}

/* ---- the schema ---- */

static kecs_status kecs_pg__settle(kecs_connection *shared) {
  (void)shared; /* nothing lasts beyond a transaction */
  return KECS_OK;
}

static kecs_status kecs_pg__names(kecs_pg__connection *connection, const char *sql, const char *const *texts, int count,
                                  kecs_status (*visit)(const char *name, void *user), void *user) {
  PGresult *result = NULL;
  kecs_status status = kecs_pg__ask(connection, sql, texts, count, &result);
  for (int i = 0; !status && i < PQntuples(result); i++) {
    status = visit(PQgetvalue(result, i, 0), user);
  }
  PQclear(result);
  return status;
}

static kecs_status kecs_pg__table_columns(kecs_connection *shared, const char *table,
                                          kecs_status (*visit)(const char *column, void *user), void *user) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema, table};
  return kecs_pg__names(connection,
                        "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid=a.attrelid "
                        "JOIN pg_namespace n ON n.oid=c.relnamespace "
                        "WHERE n.nspname=$1 AND c.relname=$2 AND a.attnum>0 AND NOT a.attisdropped",
                        texts, 2, visit, user);
}

static kecs_status kecs_pg__table_names(kecs_connection *shared, kecs_status (*visit)(const char *table, void *user),
                                        void *user) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema};
  return kecs_pg__names(connection,
                        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace "
                        "WHERE n.nspname=$1 AND c.relkind IN('r','p')",
                        texts, 1, visit, user);
}

/* A lock of the transaction, never of the session, which behind a pooler is not ours. CREATE ... IF NOT EXISTS alone
 * does not keep two sessions from creating at once. */
static kecs_status kecs_pg__keep_out(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema};
  char sql[KECS_PG__TENANT_MAX + 64];
  PGresult *result = NULL;
  kecs_status status = kecs_pg__ask(connection, "SELECT pg_advisory_xact_lock(hashtextextended('kecs_store '||$1,0))",
                                    texts, 1, &result);
  PQclear(result);
  if (!status) {
    status = kecs_pg__ask(connection, "SELECT 1 FROM pg_namespace WHERE nspname=$1", texts, 1, &result);
  }
  /* Only a missing schema is made: IF NOT EXISTS would ask for the right to make one all the same. */
  bool missing = !status && PQntuples(result) == 0;
  if (!status) {
    PQclear(result);
  }
  if (missing) {
    snprintf(sql, sizeof sql, "CREATE SCHEMA %.*s", (int)strlen(connection->home->schema) - 1,
             connection->home->schema);
    status = kecs_pg__command(connection, sql, KECS_PG__STOPS, "create the schema", NULL);
  }
  return status;
}

static kecs_status kecs_pg__describe(kecs_connection *shared, kecs_info *out_info) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema};
  PGresult *result = NULL;
  kecs_status status = kecs_pg__ask(connection,
                                    "SELECT coalesce(sum(pg_total_relation_size(c.oid)),0)::bigint FROM pg_class c "
                                    "JOIN pg_namespace n ON n.oid=c.relnamespace "
                                    "WHERE n.nspname=$1 AND c.relkind IN('r','p')",
                                    texts, 1, &result);
  if (!status) {
    out_info->size_bytes = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
  }
  out_info->journal_mode = "server";
  out_info->wal_bytes = 0;
  return status;
}

static const kecs_backend_log kecs_pg__log_table = {
    .make = kecs_pg__log_make,
    .turn = kecs_pg__log_turn,
    .number = kecs_pg__log_number,
    .hear = kecs_pg__log_hear,
    .trim = kecs_pg__log_trim,
    .say = kecs_pg__log_say,
    .settle = kecs_pg__log_settle,
    .keep = kecs_pg__log_keep,
};

static const kecs_backend kecs_pg__table = {
    .abi = KECS_BACKEND_ABI,
    .name = "postgresql",
    .answers_to = kecs_pg__answers_to,
    .shares = kecs_pg__shares,
    .attach = kecs_pg__attach,
    .detach = kecs_pg__detach,
    .connect = kecs_pg__connect,
    .disconnect = kecs_pg__disconnect,
    .settle = kecs_pg__settle,
    .keep_out = kecs_pg__keep_out,
    .begin = kecs_pg__begin,
    .commit = kecs_pg__commit,
    .rollback = kecs_pg__rollback,
    .outcome = kecs_pg__outcome,
    .in_transaction = kecs_pg__has_transaction,
    .execute = kecs_pg__execute,
    .prepare = kecs_pg__prepare,
    .start = kecs_pg__start,
    .step = kecs_pg__step,
    .columns = kecs_pg__columns,
    .reset = kecs_pg__reset,
    .finish = kecs_pg__finish,
    .changes = kecs_pg__changes,
    .last_rid = kecs_pg__last_rid,
    .table_columns = kecs_pg__table_columns,
    .table_names = kecs_pg__table_names,
    .describe = kecs_pg__describe,
    .start_last = kecs_pg__start_last,
    .insert_many = kecs_pg__insert_many,
    .repeat = kecs_pg__repeat,
    .load = kecs_pg__load,
    .log = &kecs_pg__log_table,
    .start_many = kecs_pg__start_many,
    .lend_answer = kecs_pg__lend_answer,
    .drop_answer = kecs_pg__drop_answer,
};

KECS_STORE_API const kecs_backend *kecs_pg_backend(void) {
  return &kecs_pg__table;
}

KECS_STORE_API const kecs_backend *const *kecs_pg_backends(void) {
  static const kecs_backend *const list[] = {&kecs_pg__table, NULL};
  return list;
}

/* ---- sync/columns.c ---------------------------------------------------------------------------------------------- */
/* sync/columns.c -- what the texts of sync say of columns: keys, defaults, which of them travel. */

/* ---- sync/hub_sql.h ---------------------------------------------------------------------------------------------- */
/* sync/hub_sql.h -- the texts of what a hub has beyond the backend's schema: tables, and functions by kind. */
#ifndef KECS_SYNC_HUB_SQL_H
#define KECS_SYNC_HUB_SQL_H

/* Tables, made where they are missing, and the functions that are no kind's. */
KECS_PG__FN void kecs_sync__hub_common(kecs_pg__text *out, const kecs_pg__connection *connection, const char *version);

/* sync_put_TABLE, sync_load_TABLE and sync_bury_TABLE; in the place of earlier ones. */
KECS_PG__FN void kecs_sync__hub_kind(kecs_pg__text *out, const kecs_pg__connection *connection,
                                     const kecs_kind_info *info);

/* sync_stage_TABLE, which makes the table that a kind's rows are copied to; and the beginning of sync_load_TABLE, with
 * variables of its body (hub_load.c). */
#define KECS_SYNC__COPIED "pg_temp.sync_sent_{t}"
KECS_PG__FN void kecs_sync__hub_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                     const char *variables);

/* The columns of that table before and behind the kind's own. */
#define KECS_SYNC__COPIED_FIRST "s_key,s_mask,stamp_life,site_life,stamp_spec,site_spec,stamp_status,site_status"
#define KECS_SYNC__COPIED_LAST "s_place"

/* sync_append_TABLE, for a kind that only grows (hub_append.c). */
KECS_PG__FN void kecs_sync__hub_append(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info);

/* What is special to a kind (hub_kinds.c), as forms for the places of sync_put_TABLE and sync_bury_TABLE. */
enum {
  KECS_SYNC__CLAIM,   /* before conflicts are noted: takes places out of `every` */
  KECS_SYNC__KNOWN,   /* what else must hold where a later life takes a row */
  KECS_SYNC__AGAIN,   /* tried after the rows could not be merged together: empties `every` where it has done it */
  KECS_SYNC__CROSSED, /* after rows were merged by themselves: what else can be done for those in `crossed` */
  KECS_SYNC__MERGED,  /* after all */
  KECS_SYNC__GONE,    /* after a deletion */
  KECS_SYNC__SPECIALS
};
KECS_PG__FN const char *kecs_sync__hub_part(kecs_kind kind, int part);

/* An expression over `u` for a local column that says what others say; NULL for any other. */
KECS_PG__FN const char *kecs_sync__hub_derived(const kecs_kind_info *info, const kecs_column_info *column);

/* Whether a rule refuses what came for a group, as "|CASE ...": 0 is spec, 1 status. `other`: the kind has both groups.
 * And the functions for that (hub_policy.c). */
KECS_PG__FN void kecs_sync__hub_rules(kecs_pg__text *out, int group, bool other);
KECS_PG__FN void kecs_sync__hub_policies(kecs_pg__text *out, const kecs_pg__connection *connection);

/* Functions that these forms call. */
KECS_PG__FN void kecs_sync__hub_helpers(kecs_pg__text *out, const kecs_pg__connection *connection);

/* A natural key's text (kecs_change.key) over the columns of a row `alias`. */
KECS_PG__FN void kecs_sync__key_text(kecs_pg__text *out, const kecs_kind_info *info, const char *alias);

/* The retention of tombstones, unless it is set already; what tells that the history is another one. */
KECS_PG__FN void kecs_sync__hub_retention(kecs_pg__text *out, const kecs_pg__connection *connection);

/* sync_bucket; sync_digest_TABLE and sync_compare_TABLE (hub_repair.c). */
KECS_PG__FN void kecs_sync__hub_buckets(kecs_pg__text *out, const kecs_pg__connection *connection);
KECS_PG__FN void kecs_sync__hub_repair(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info);

/* sync_scope, with {S} as it is (hub_owner.c). */
KECS_PG__FN void kecs_sync__hub_owner(kecs_pg__text *out);

/* Grants and what follows from them; what a site reads of a kind (hub_scope.c). */
KECS_PG__FN void kecs_sync__hub_scopes(kecs_pg__text *out, const kecs_pg__connection *connection);
KECS_PG__FN void kecs_sync__hub_reads(kecs_pg__text *out, const kecs_pg__connection *connection,
                                      const kecs_kind_info *info);

/* Tokens; and gate_X for each function that an edge calls, once these are there (hub_gate.c). */
KECS_PG__FN void kecs_sync__hub_tokens(kecs_pg__text *out, const kecs_pg__connection *connection);
KECS_PG__FN void kecs_sync__hub_gates(kecs_pg__text *out, const kecs_pg__connection *connection);

/* The beginning of sync_put_TABLE and sync_bury_TABLE: what is outside of the site's scope is refused, and taken out of
 * the arguments. `sent` and `buried` are the rows that came, as `u`. */
KECS_PG__FN void kecs_sync__scope_put(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                      const char *sent);
KECS_PG__FN void kecs_sync__scope_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info);
KECS_PG__FN void kecs_sync__scope_bury(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                       const char *buried);
KECS_PG__FN void kecs_sync__scope_append(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                         const char *sent);

/* A column's type at the hub. */
KECS_PG__FN const char *kecs_sync__type(const kecs_column_info *column);

/* Whether a column travels; whether it came after the first release, so that sites may not know it; and its default, as
 * SQL. */
KECS_PG__FN bool kecs_sync__travels(const kecs_column_info *column);
KECS_PG__FN bool kecs_sync__later_column(const kecs_column_info *column);
KECS_PG__FN void kecs_sync__default(kecs_pg__text *out, const kecs_column_info *column);

/* What the functions must be made for: their own format, and the kinds' columns. */
enum { KECS_SYNC__VERSION_SIZE = 160, KECS_SYNC__FORMAT = 9 };
KECS_PG__FN void kecs_sync__version(char out[KECS_SYNC__VERSION_SIZE]);

#endif

/* ---- sync/columns.c, continued ----------------------------------------------------------------------------------- */
KECS_PG__FN bool kecs_sync__travels(const kecs_column_info *column) {
  return column->group != KECS_GROUP_LOCAL;
}

KECS_PG__FN bool kecs_sync__later_column(const kecs_column_info *column) {
  return column->since > 1;
}

KECS_PG__FN void kecs_sync__default(kecs_pg__text *out, const kecs_column_info *column) {
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  const char *value = column->default_text;
  if (!value && !(column->flags & KECS_COLUMN_NOT_NULL)) {
    kecs_pg__text_adds(out, "NULL");
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_pg__text_adds(out, value && value[0] == '1' ? "true" : "false");
  } else { /* defaults come from the kind files and hold no quote */
    kecs_pg__text_adds(out, text ? "'" : "");
    kecs_pg__text_adds(out, value ? value : text ? "" : "0");
    kecs_pg__text_adds(out, text ? "'" : "");
  }
}

KECS_PG__FN void kecs_sync__key_text(kecs_pg__text *out, const kecs_kind_info *info, const char *alias) {
  const kecs_column_list *key = &info->keys[0];
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &info->columns[key->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    const kecs_pg__mark marks[] = {{"a", alias}, {"c", column->name}, {NULL, NULL}};
    kecs_pg__text_adds(out, i > 0 ? "||','||" : "");
    kecs_pg__text_fill(out,
                       text && i < key->count - 1 ? "replace(replace({a}.{c},E'\\\\',E'\\\\\\\\'),',',E'\\\\,')"
                       : key->count == 1          ? "{a}.{c}"
                                                  : "{a}.{c}::text",
                       marks);
  }
}

/* ---- sync/hub_common.c ------------------------------------------------------------------------------------------- */
/* sync/hub_common.c -- the texts of what a hub has for no kind alone: tables, handshake, and a push's begin and end. */

#include <stdio.h>
#include <string.h>

static const char kecs_sync__tables_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_hubs(tenant {text} NOT NULL PRIMARY KEY,id uuid NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_sites(tenant {text} NOT NULL,site bigint NOT NULL,name {text} NOT NULL,"
    "pushes bigint NOT NULL DEFAULT 0,push {text} NOT NULL DEFAULT '',previous {text} NOT NULL DEFAULT '',"
    "acked bigint NOT NULL DEFAULT 0,seen timestamptz NOT NULL DEFAULT now(),PRIMARY KEY(tenant,site),"
    "UNIQUE(tenant,name));\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_refused(tenant {text} NOT NULL,site bigint NOT NULL,kind bigint NOT NULL,"
    "key {text} NOT NULL,code {text} NOT NULL,PRIMARY KEY(tenant,site,kind,key));\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_conflicts(tenant {text} NOT NULL,id bigint GENERATED ALWAYS AS IDENTITY,"
    "kind bigint NOT NULL,key {text} NOT NULL,groups bigint NOT NULL,reason {text} NOT NULL,kept_stamp bigint NOT NULL,"
    "kept_site bigint NOT NULL,lost_stamp bigint NOT NULL,lost_site bigint NOT NULL,lost {text} NOT NULL,"
    "site bigint NOT NULL,at bigint NOT NULL,PRIMARY KEY(tenant,id));\n"
    /* Each push asks for deletions that have no number yet, among all that wait for one. */
    "CREATE INDEX IF NOT EXISTS change_queue_graves ON {S}change_queue(tenant,kind) WHERE op=3;\n";

/* The clock is never behind what was merged. As its owner, since the clock is everybody's. */
static const char kecs_sync__clock_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_clock(top bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER\n"
    "SET search_path=pg_catalog,pg_temp AS $kecs_sync$\n"
    "DECLARE\n"
    "  wall bigint := (date_part('epoch',clock_timestamp())*65536000)::bigint;\n"
    "BEGIN\n"
    "  IF top>wall+300::bigint*65536000 THEN\n"
    "    RAISE EXCEPTION 'the clock of the site is % seconds ahead of the hub''s; set it, and sync again',\n"
    "      (top-wall)/65536000 USING ERRCODE='KS002';\n"
    "  END IF;\n"
    "  IF top>nextval({clock}) THEN\n"
    "    PERFORM setval({clock},top);\n"
    "  END IF;\n"
    "END $kecs_sync$;\n";

/* For a site's name, or for all of the tenant: ''. The stricter one holds; NULL: nobody has said anything. */
static const char kecs_sync__limits_form[] =
    "ALTER TABLE {S}sync_sites ADD COLUMN IF NOT EXISTS cursor bigint NOT NULL DEFAULT 0;\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_limits(tenant {text} NOT NULL,site {text} NOT NULL,\n"
    "every_ms bigint NOT NULL DEFAULT 0,batch bigint NOT NULL DEFAULT 0,pause {text},PRIMARY KEY(tenant,site));\n"
    "DROP FUNCTION IF EXISTS {S}sync_limits_of;\n"
    "CREATE FUNCTION {S}sync_limits_of(whose text,who text,OUT every_ms bigint,OUT batch bigint,OUT pause text)\n"
    "LANGUAGE plpgsql STABLE AS $kecs_sync$\n" /* in SQL it would be planned anew with each handshake */
    "#variable_conflict use_column\n"
    "BEGIN\n"
    "  SELECT max(l.every_ms),coalesce(min(nullif(l.batch,0)),CASE WHEN count(*)>0 THEN 0 END),\n"
    "    coalesce(string_agg(l.pause,'; ' ORDER BY l.site),CASE WHEN count(*)>0 THEN '' END)\n"
    "    INTO every_ms,batch,pause FROM {S}sync_limits l WHERE l.tenant=whose AND l.site IN ('',{S}sync_base(who));\n"
    "END $kecs_sync$;\n";

static const char kecs_sync__hello_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_version() RETURNS text LANGUAGE sql AS $kecs_sync$ SELECT '{version}'::text "
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_hello;\n"
    "CREATE FUNCTION {S}sync_hello(whose text,who text,since bigint,since_id text,number bigint,OUT hub text,\n"
    "OUT site bigint,OUT push text,OUT now_us bigint,OUT head bigint,OUT head_id text,OUT floor bigint,\n"
    "OUT fits boolean,OUT pushes bigint,OUT retention bigint,OUT changed bigint,\n"
    "OUT limits text) LANGUAGE plpgsql AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "BEGIN\n"
    "  INSERT INTO {S}sync_hubs(tenant,id) VALUES(whose,{uuid}) ON CONFLICT DO NOTHING;\n"
    "  PERFORM {S}sync_history(whose);\n"
    "  UPDATE {S}sync_sites s SET seen=now(),cursor=since WHERE s.tenant=whose AND s.name=who RETURNING "
    "s.site,s.push,s.pushes\n"
    "    INTO site,push,pushes;\n"
    "  IF NOT FOUND THEN\n"
    "    PERFORM 1 FROM {S}sync_hubs h WHERE h.tenant=whose FOR UPDATE;\n"
    /* The number that it had before the hub went back, if that is free; else a new one, some way above the others, so
     * that it is not one of a site that the hub has forgotten. */
    "    INSERT INTO {S}sync_sites(tenant,site,name) SELECT whose,CASE WHEN number>0 AND NOT EXISTS(SELECT FROM\n"
    "      {S}sync_sites s WHERE s.tenant=whose AND s.site=number) THEN number ELSE 1+coalesce((SELECT max(s.site)\n"
    "      FROM {S}sync_sites s WHERE s.tenant=whose),0)+floor(random()*1048576)::bigint END,who\n"
    "      RETURNING sync_sites.site,sync_sites.push,sync_sites.pushes INTO site,push,pushes;\n"
    "  END IF;\n"
    "  SELECT h.id::text INTO hub FROM {S}sync_hubs h WHERE h.tenant=whose;\n"
    "  SELECT h.seq INTO head FROM {S}change_heads h WHERE h.tenant=whose AND h.tracked;\n"
    "  IF head IS NULL THEN\n"
    "    RAISE EXCEPTION 'the tenant is not a hub: run kecs hub init' USING ERRCODE='KS003';\n"
    "  END IF;\n"
    "  head_id := coalesce((SELECT b.id::text FROM {S}change_batches b WHERE b.tenant=whose AND b.seq>=head\n"
    "    ORDER BY b.seq LIMIT 1),'');\n"
    "  floor := coalesce((SELECT s.value FROM {S}change_state s WHERE s.tenant=whose AND s.id=1),0);\n"
    "  retention := (SELECT s.value FROM {S}change_state s WHERE s.tenant=whose AND s.id=10);\n"
    "  changed := (SELECT s.value FROM {S}change_state s WHERE s.tenant=whose AND s.id=11);\n"
    "  limits := (SELECT x.every_ms||' '||x.batch||' '||x.pause FROM {S}sync_limits_of(whose,who) x);\n"
    "  now_us := (date_part('epoch',clock_timestamp())*1000000)::bigint;\n"
    "  fits := since<=head AND (since_id='' OR since_id=coalesce((SELECT b.id::text FROM {S}change_batches b\n"
    "    WHERE b.tenant=whose AND b.seq>=since ORDER BY b.seq LIMIT 1),''));\n"
    "END $kecs_sync$;\n"
    /* Up to a batch's end, where that is not too far; with the batch that the last entry is in. */
    "DROP FUNCTION IF EXISTS {S}sync_window;\n"
    "CREATE FUNCTION {S}sync_window(whose text,since bigint,page bigint,OUT until bigint,OUT until_id text,\n"
    "OUT kinds bigint) LANGUAGE plpgsql STABLE AS $kecs_sync$\n"
    "DECLARE\n"
    "  head bigint := coalesce((SELECT h.seq FROM {S}change_heads h WHERE h.tenant=whose),0);\n"
    "BEGIN\n"
    "  until := greatest(since,least(head,since+10*page,coalesce((SELECT b.seq FROM {S}change_batches b\n"
    "    WHERE b.tenant=whose AND b.seq>=since+page ORDER BY b.seq LIMIT 1),head)));\n"
    "  until_id := coalesce((SELECT b.id::text FROM {S}change_batches b WHERE b.tenant=whose AND b.seq>=until\n"
    "    ORDER BY b.seq LIMIT 1),'');\n"
    "  kinds := coalesce((SELECT bit_or(1::bigint<<c.kind::integer) FROM {S}changes c WHERE c.tenant=whose AND "
    "c.seq>since\n"
    "    AND c.seq<=until),0);\n"
    "END $kecs_sync$;\n";

/* The compare-and-swap, and with it the note of the push, which the COMMIT makes true. What follows in the transaction
 * asks kecs_store.push whether it is to do anything. */
static const char kecs_sync__push_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_begin;\n"
    "CREATE FUNCTION {S}sync_begin(whose text,me bigint,id text,before text,buries boolean,upto bigint) RETURNS void\n"
    "LANGUAGE plpgsql AS $kecs_sync$\n"
    "BEGIN\n"
    "  UPDATE {S}sync_sites s SET pushes=s.pushes+1,push=id,previous=s.push,acked=greatest(s.acked,upto),seen=now()\n"
    "    WHERE s.tenant=whose AND s.site=me AND s.push=before AND s.push<>id;\n"
    "  IF NOT FOUND THEN\n"
    "    IF NOT EXISTS(SELECT FROM {S}sync_sites s WHERE s.tenant=whose AND s.site=me AND s.push=id) THEN\n"
    "      RAISE EXCEPTION 'the site''s last push is another one' USING ERRCODE='KS001';\n"
    "    END IF;\n"
    "    PERFORM set_config('kecs_store.sender',me::text,true),set_config('kecs_store.push','known',true);\n"
    "    RETURN;\n"
    "  END IF;\n"
    "  PERFORM set_config('kecs_store.sender',me::text,true),set_config('kecs_store.push','open',true),\n"
    "    set_config('kecs_store.site',me::text,true),CASE WHEN buries THEN\n"
    "    pg_advisory_xact_lock(hashtextextended('kecs_sync '||{tables}||'/'||whose,0)) ELSE\n"
    "    pg_advisory_xact_lock_shared(hashtextextended('kecs_sync '||{tables}||'/'||whose,0)) END;\n"
    "  DELETE FROM {S}sync_refused r WHERE r.tenant=whose AND r.site=me;\n"
    "END $kecs_sync$;\n"
    /* What was refused, as kind, key, code, kind, ...: by this push, or by the one that was here before. */
    "DROP FUNCTION IF EXISTS {S}sync_end;\n"
    "CREATE FUNCTION {S}sync_end(whose text,me bigint) RETURNS text[] LANGUAGE plpgsql AS\n"
    "$kecs_sync$\n"
    "BEGIN\n"
    "  PERFORM set_config('kecs_store.push','',true),set_config('kecs_store.site','',true);\n"
    "  RETURN (SELECT array_agg(x.part ORDER BY r.kind,r.key,x.place) FROM {S}sync_refused r CROSS JOIN LATERAL\n"
    "    (VALUES(1,r.kind::text),(2,r.key::text),(3,r.code::text)) AS x(place,part)\n"
    "    WHERE r.tenant=whose AND r.site=me);\n"
    "END $kecs_sync$;\n";

KECS_PG__FN void kecs_sync__hub_common(kecs_pg__text *out, const kecs_pg__connection *connection, const char *version) {
  kecs_pg__text hello = {connection->allocator, NULL, 0, 0, KECS_OK};
  const char *at = strstr(kecs_sync__hello_form, "{version}");
  kecs_pg__text_add(&hello, kecs_sync__hello_form, (size_t)(at - kecs_sync__hello_form));
  kecs_pg__text_adds(&hello, version);
  kecs_pg__text_adds(&hello, at + strlen("{version}"));
  kecs_pg__log_text(out, connection, kecs_sync__tables_form);
  kecs_pg__log_text(out, connection, kecs_sync__limits_form);
  kecs_pg__log_text(out, connection, kecs_sync__clock_form);
  if (!hello.status) {
    kecs_pg__log_text(out, connection, hello.data);
  }
  kecs_pg__log_text(out, connection, kecs_sync__push_form);
  kecs_sync__hub_helpers(out, connection);
  kecs_sync__hub_policies(out, connection);
  out->status = out->status ? out->status : hello.status;
  kecs_pg__text_free(&hello);
}

/* ---- sync/hub_kinds.c -------------------------------------------------------------------------------------------- */
/* sync/hub_kinds.c -- what is special to a kind in its functions at the hub: texts that hub_sql.c puts into its forms.
 *
 * Task definitions: a revision keeps its number for whoever was here first. What a site sends under a number that
 * another one has given, and that the site has not seen, is refused with KS004: the site finds the other definition
 * when it pulls, and registers its own anew (store/replica_revision.c). Rules: two may have swapped their priorities.
 * Target groups and listeners: elbv2_associations is made anew from their documents. */

#include <string.h>

/* ---- task definitions ---- */

/* The other one must not have been seen, and a row that comes in just now is not known either: {known} holds its place
 * against a later life. */
static const char kecs_sync__claim_form[] =
    "  known := ARRAY(SELECT t.rid FROM {sent} JOIN {S}{t} t ON {same});\n"
    "  claimed := ARRAY(SELECT u.s_place FROM {sent} JOIN {S}{t} t ON {same} JOIN {unseen} n ON n.rid=t.rid\n"
    "    WHERE u.s_place=ANY(every) AND ({u_life})<>({t_life}) AND (n.groups&1)<>0);\n"
    "  every := ARRAY(SELECT e FROM unnest(every) AS e WHERE e<>ALL(claimed));\n";

static const char kecs_sync__claimed_form[] =
    "  claimed := claimed||ARRAY(SELECT u.s_place FROM {sent} JOIN {S}{t} t ON {same} WHERE u.s_place=ANY(every) AND\n"
    "    ({u_life})<>({t_life}) AND t.rid<>ALL(known));\n"
    "  INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT whose,me,{kind},a_key[c],'KS004'\n"
    "    FROM unnest(claimed) AS c ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "  INSERT INTO {S}task_definition_families AS f(tenant,account_id,region,family,last_revision)\n"
    "    SELECT whose,u.account_id,u.region,u.family,max(u.revision) FROM {sent} WHERE u.s_mask&8=0\n"
    "    GROUP BY 2,3,4 ORDER BY 2,3,4\n"
    "    ON CONFLICT(tenant,account_id,region,family) DO UPDATE SET last_revision=excluded.last_revision\n"
    "    WHERE f.last_revision<excluded.last_revision;\n";

static const char kecs_sync__number_seen_form[] =
    "  INSERT INTO {S}task_definition_families AS f(tenant,account_id,region,family,last_revision)\n"
    "    SELECT whose,k.part[2],k.part[1],k.part[3],max(k.part[4]::bigint) FROM (SELECT regexp_matches(x,\n"
    "    '^arn:[^:]*:ecs:([^:]+):([^:]+):task-definition/(.+):([0-9]+)$') AS part FROM unnest(a_key) AS x) k\n"
    "    WHERE length(k.part[4])<10 GROUP BY 2,3,4 ORDER BY 2,3,4\n"
    "    ON CONFLICT(tenant,account_id,region,family) DO UPDATE SET last_revision=excluded.last_revision\n"
    "    WHERE f.last_revision<excluded.last_revision;\n";

/* ---- rules ---- */

/* Rows that get another number have none that could be in the way. */
#define KECS_SYNC__PARK(places)                                                                                       \
  "UPDATE {S}{t} t SET priority=-4611686018427387904-t.rid FROM {sent} WHERE {same} AND u.s_place=ANY(" places ")\n" \
  "            AND t.priority<>u.priority AND (({u_life})>({t_life}) OR (({u_life})=({t_life}) AND\n"                \
  "            (u.stamp_spec,u.site_spec)>(coalesce(t.stamp_spec,0),coalesce(t.site_spec,0))));\n"

/* Once, when all of them together did not do: none has its old one while they get their new ones. */
static const char kecs_sync__swap_form[] =
    "      IF depth=1 AND starts[1]=1 THEN\n"
    "        BEGIN\n"
    "          " KECS_SYNC__PARK("every")
    "          {merge}\n"
    "          depth := 0;\n"
    "        EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR\n"
    "          insufficient_privilege THEN\n"
    "          NULL;\n" /* by halves, then */
    "        END;\n"
    "      END IF;\n";

/* Halves have taken rows apart that have swapped their numbers, for the sake of another one that is refused. Each that
 * was refused for its number is tried together with who has that number, and so on: a ring of them goes together, a
 * queue behind a number that is free does, and nothing does behind a row that stays. */
static const char kecs_sync__crossed_form[] =
    "  LOOP\n"
    "    able := ARRAY(SELECT u.s_place FROM {sent} LEFT JOIN {S}{t} t ON {same} LEFT JOIN {S}{t} h ON\n"
    "      h.tenant=whose AND h.listener_arn=coalesce(u.listener_arn,t.listener_arn) AND h.priority=u.priority\n"
    "      WHERE u.s_place=ANY(crossed) AND (h.rid IS NULL OR h.arn IN(SELECT a_key[c] FROM unnest(crossed) AS c)));\n"
    "    EXIT WHEN cardinality(able)=0;\n"
    "    middle := cardinality(crossed);\n"
    "    FOREACH one IN ARRAY able LOOP\n"
    "      CONTINUE WHEN one<>ALL(crossed);\n"
    "      these := ARRAY(WITH RECURSIVE u AS MATERIALIZED (SELECT * FROM {sent} WHERE u.s_place=ANY(crossed)),\n"
    "        behind(place) AS (SELECT one UNION SELECT o.s_place FROM behind b JOIN u ON u.s_place=b.place\n"
    "        LEFT JOIN {S}{t} t ON {same} JOIN {S}{t} h ON h.tenant=whose AND\n"
    "        h.listener_arn=coalesce(u.listener_arn,t.listener_arn) AND h.priority=u.priority\n"
    "        JOIN u AS o ON o.arn=h.arn) SELECT place FROM behind);\n"
    "      BEGIN\n"
    "          " KECS_SYNC__PARK("these")
    "        {merge}\n"
    "        DELETE FROM {S}sync_refused r WHERE r.tenant=whose AND r.site=me AND r.kind={kind} AND\n"
    "          r.key IN(SELECT a_key[c] FROM unnest(these) AS c);\n"
    "        crossed := ARRAY(SELECT c FROM unnest(crossed) AS c WHERE c<>ALL(these));\n"
    "      EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR\n"
    "        insufficient_privilege THEN\n"
    "        NULL;\n" /* it stays refused */
    "      END;\n"
    "    END LOOP;\n"
    "    EXIT WHEN cardinality(crossed)=middle;\n"
    "  END LOOP;\n";

/* ---- load balancing ---- */

static const char kecs_sync__group_links_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.target_group_arn=ANY(a_key) AND\n"
    "    a.listener_arn='';\n"
    "  INSERT INTO {S}elbv2_associations(tenant,target_group_arn,load_balancer_arn,listener_arn)\n"
    "    SELECT DISTINCT whose,t.arn,l.arn,'' FROM {S}{t} t CROSS JOIN LATERAL unnest({S}sync_links(\n"
    "    t.load_balancer_arns,'')) AS l(arn) WHERE t.tenant=whose AND t.arn=ANY(a_key) ORDER BY 2,3\n"
    "    ON CONFLICT DO NOTHING;\n";

static const char kecs_sync__listener_links_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.listener_arn=ANY(a_key) AND a.listener_arn<>'';\n"
    "  INSERT INTO {S}elbv2_associations(tenant,target_group_arn,load_balancer_arn,listener_arn)\n"
    "    SELECT DISTINCT whose,l.arn,t.load_balancer_arn,t.arn FROM {S}{t} t CROSS JOIN LATERAL unnest({S}sync_links(\n"
    "    t.default_actions,'TargetGroupArn')) AS l(arn) WHERE t.tenant=whose AND t.arn=ANY(a_key) ORDER BY 2,4\n"
    "    ON CONFLICT DO NOTHING;\n";

/* Listeners go with it; a group that still names it says what it says. */
static const char kecs_sync__balancer_gone_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.load_balancer_arn=ANY(a_key) AND\n"
    "    a.listener_arn<>'' AND NOT EXISTS(SELECT FROM {S}elbv2_listeners l WHERE l.tenant=whose AND "
    "l.arn=a.listener_arn);\n";

static const char kecs_sync__group_gone_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.target_group_arn=ANY(a_key) AND\n"
    "    a.listener_arn='' AND NOT EXISTS(SELECT FROM {S}{t} t WHERE t.tenant=whose AND t.arn=a.target_group_arn);\n";

static const char kecs_sync__listener_gone_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.listener_arn=ANY(a_key) AND a.listener_arn<>''\n"
    "    AND NOT EXISTS(SELECT FROM {S}{t} t WHERE t.tenant=whose AND t.arn=a.listener_arn);\n";

/* The strings of an array, or those of all members of a name at any depth. A text that is no JSON has none. */
static const char kecs_sync__links_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_links(document text,name text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS\n"
    "$kecs_sync$\n"
    "BEGIN\n"
    "  IF coalesce(document,'')='' THEN\n"
    "    RETURN '{none}';\n"
    "  END IF;\n"
    "  RETURN ARRAY(WITH RECURSIVE w(depth,name,v) AS (SELECT 0,''::text,document::json UNION ALL\n"
    "    SELECT w.depth+1,x.name,x.v FROM w CROSS JOIN LATERAL (\n"
    "      SELECT e.key AS name,e.value AS v FROM json_each(CASE json_typeof(w.v) WHEN 'object' THEN w.v ELSE\n"
    "      '{none}' END) e UNION ALL SELECT '',a FROM json_array_elements(CASE json_typeof(w.v) WHEN 'array' THEN w.v\n"
    "      ELSE '[]' END) a) x)\n"
    "    SELECT w.v#>>'{none}' FROM w WHERE json_typeof(w.v)='string' AND w.name=sync_links.name AND (w.name<>'' OR\n"
    "    (w.depth=1 AND json_typeof(document::json)='array')));\n"
    "EXCEPTION WHEN data_exception OR statement_too_complex THEN\n"
    "  RETURN '{none}';\n"
    "END $kecs_sync$;\n";

/* ---- the table ---- */

typedef struct kecs_sync__hub_special {
  kecs_kind kind;
  const char *text[KECS_SYNC__SPECIALS];
} kecs_sync__hub_special;

static const kecs_sync__hub_special kecs_sync__hub_specials[] = {
    {KECS_KIND_TASK_DEFINITION,
     {kecs_sync__claim_form, " AND t.rid=ANY(known)", "", "", kecs_sync__claimed_form, kecs_sync__number_seen_form}},
    {KECS_KIND_RULE, {"", "", kecs_sync__swap_form, kecs_sync__crossed_form, "", ""}},
    {KECS_KIND_LOAD_BALANCER, {"", "", "", "", "", kecs_sync__balancer_gone_form}},
    {KECS_KIND_TARGET_GROUP, {"", "", "", "", kecs_sync__group_links_form, kecs_sync__group_gone_form}},
    {KECS_KIND_LISTENER, {"", "", "", "", kecs_sync__listener_links_form, kecs_sync__listener_gone_form}},
};

KECS_PG__FN const char *kecs_sync__hub_part(kecs_kind kind, int part) {
  for (size_t i = 0; i < sizeof kecs_sync__hub_specials / sizeof kecs_sync__hub_specials[0]; i++) {
    if (kecs_sync__hub_specials[i].kind == kind) {
      return kecs_sync__hub_specials[i].text[part];
    }
  }
  return "";
}

/* A task's family is what its reference says, without the revision; see kecs__family_of. By functions of strings: one
 * that takes patterns costs a tenth of what writing the row does. */
static const char kecs_sync__family_form[] =
    "(SELECT CASE WHEN f.name NOT LIKE 'arn:%' THEN f.name WHEN f.name LIKE 'arn:%:task-definition/%'\n"
    "    THEN substr(f.name,strpos(f.name,':task-definition/')+17) ELSE '' END FROM (SELECT CASE WHEN\n"
    "    r.bare<>r.whole AND right(r.bare,1)=':' THEN left(r.bare,-1) ELSE r.whole END AS name FROM (SELECT\n"
    "    u.task_definition_arn AS whole,rtrim(u.task_definition_arn,'0123456789') AS bare OFFSET 0) r OFFSET 0) f)";

KECS_PG__FN const char *kecs_sync__hub_derived(const kecs_kind_info *info, const kecs_column_info *column) {
  return info->kind == KECS_KIND_TASK && column == &info->columns[KECS_TASK_FAMILY] ? kecs_sync__family_form : NULL;
}

KECS_PG__FN void kecs_sync__hub_helpers(kecs_pg__text *out, const kecs_pg__connection *connection) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema}, {"text", connection->home->dialect.type_text}, {"none", "{}"}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__links_form, marks);
  kecs_pg__text_fill(
      out,
      "CREATE OR REPLACE FUNCTION {S}sync_families(whose text,accounts text[],regions text[],families text[],\n"
      "revisions bigint[]) RETURNS void LANGUAGE sql AS $kecs_sync$\n"
      "  INSERT INTO {S}task_definition_families AS f(tenant,account_id,region,family,last_revision)\n"
      "  SELECT whose,x.a,x.b,x.c,x.d FROM unnest(accounts,regions,families,revisions) AS x(a,b,c,d)\n"
      "  WHERE current_setting('kecs_store.push',true)='open' AND {S}sync_sees(whose,\n"
      "  current_setting('kecs_store.sender')::bigint,0,'-') ORDER BY 2,3,4\n"
      "  ON CONFLICT(tenant,account_id,region,family) DO UPDATE SET last_revision=excluded.last_revision\n"
      "  WHERE f.last_revision<excluded.last_revision\n"
      "$kecs_sync$;\n",
      marks);
}

/* ---- sync/hub_append.c ------------------------------------------------------------------------------------------- */
/* sync/hub_append.c -- the text of sync_append_TABLE, of a kind that only grows: rows come as arrays, one a column, and
 * are there once by their key. */

#include <string.h>

/* A row that the table refuses does not keep the others; it is what the function gives. */
static const char kecs_sync__append_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_append_{t};\n"
    "CREATE FUNCTION {S}sync_append_{t}(whose text,me bigint{arguments}) RETURNS TABLE(key text,code text,line text)\n"
    "LANGUAGE plpgsql AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n"
    "  one bigint;\n"
    "BEGIN\n"
    "{scope}"
    "  PERFORM set_config('kecs_store.site',me::text,true);\n"
    "  BEGIN\n"
    "    INSERT INTO {S}{t}(tenant,{names}{locals}) SELECT whose,{u_names}{local_values} FROM unnest({arrays})\n"
    "      AS u({names}) ORDER BY u.{key} ON CONFLICT DO NOTHING;\n"
    "  EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR "
    "insufficient_privilege THEN\n"
    "    FOR one IN SELECT generate_subscripts(c_{key},1) LOOP\n"
    "      BEGIN\n"
    "        INSERT INTO {S}{t}(tenant,{names}{locals}) SELECT whose,{u_names}{local_values} FROM unnest({arrays})\n"
    "          WITH ORDINALITY AS u({names},s_place) WHERE u.s_place=one ON CONFLICT DO NOTHING;\n"
    "      EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR "
    "insufficient_privilege THEN\n"
    "        RETURN QUERY SELECT u.{key}::text,SQLSTATE::text,row_to_json(u)::text FROM unnest({arrays}) WITH\n"
    "          ORDINALITY AS u({names},s_place) WHERE u.s_place=one;\n"
    "      END;\n"
    "    END LOOP;\n"
    "  END;\n"
    "  PERFORM set_config('kecs_store.site','',true);\n"
    "END $kecs_sync$;\n";

enum {
  KECS_SYNC__A_ARGUMENTS,
  KECS_SYNC__A_NAMES,
  KECS_SYNC__A_U_NAMES,
  KECS_SYNC__A_ARRAYS,
  KECS_SYNC__A_LOCALS,
  KECS_SYNC__A_LOCAL_VALUES,
  KECS_SYNC__A_SENT,
  KECS_SYNC__A_SCOPE,
  KECS_SYNC__A_PARTS
};

static void kecs_sync__append_add(kecs_pg__text *part, bool first, const char *form, const char *column,
                                  const char *type) {
  const kecs_pg__mark marks[] = {{"c", column}, {"type", type}, {NULL, NULL}};
  kecs_pg__text_adds(part, first ? "" : ",");
  kecs_pg__text_fill(part, form, marks);
}

KECS_PG__FN void kecs_sync__hub_append(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info) {
  kecs_pg__text part[KECS_SYNC__A_PARTS];
  bool first = true;
  memset(part, 0, sizeof part);
  for (int i = 0; i < KECS_SYNC__A_PARTS; i++) {
    part[i].allocator = connection->allocator;
  }
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    if (kecs_sync__travels(column)) {
      kecs_sync__append_add(&part[KECS_SYNC__A_ARGUMENTS], false,
                            column->since > 1 ? "c_{c} {type}[] DEFAULT NULL" : "c_{c} {type}[]", column->name,
                            text                             ? "text"
                            : column->type == KECS_TYPE_BOOL ? "boolean"
                                                             : "bigint");
      kecs_sync__append_add(&part[KECS_SYNC__A_NAMES], first, "{c}", column->name, "");
      kecs_sync__append_add(&part[KECS_SYNC__A_U_NAMES], first,
                            !(column->flags & KECS_COLUMN_NOT_NULL) || column->since <= 1 ? "u.{c}"
                            : text                                                        ? "coalesce(u.{c},'{type}')"
                                                                                          : "coalesce(u.{c},{type})",
                            column->name,
                            column->default_text ? column->default_text
                            : text               ? ""
                                                 : "0");
      kecs_sync__append_add(&part[KECS_SYNC__A_ARRAYS], first, "c_{c}", column->name, "");
      first = false;
    } else if (column->flags & KECS_COLUMN_NOT_NULL) {
      kecs_sync__append_add(&part[KECS_SYNC__A_LOCALS], false, "{c}", column->name, "");
      kecs_sync__append_add(&part[KECS_SYNC__A_LOCAL_VALUES], false, text ? "''" : "0", "", "");
    }
  }
  const kecs_pg__mark rows[] = {
      {"arrays", part[KECS_SYNC__A_ARRAYS].data}, {"names", part[KECS_SYNC__A_NAMES].data}, {NULL, NULL}};
  kecs_pg__text_fill(&part[KECS_SYNC__A_SENT], "unnest({arrays}) AS u({names})", rows);
  kecs_sync__scope_append(&part[KECS_SYNC__A_SCOPE], connection->home->schema, info, part[KECS_SYNC__A_SENT].data);
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema},
      {"t", info->table},
      {"scope", part[KECS_SYNC__A_SCOPE].data},
      {"key", info->columns[info->keys[0].columns[0]].name},
      {"arguments", part[KECS_SYNC__A_ARGUMENTS].data},
      {"names", part[KECS_SYNC__A_NAMES].data},
      {"u_names", part[KECS_SYNC__A_U_NAMES].data},
      {"arrays", part[KECS_SYNC__A_ARRAYS].data},
      {"locals", part[KECS_SYNC__A_LOCALS].len ? part[KECS_SYNC__A_LOCALS].data : ""},
      {"local_values", part[KECS_SYNC__A_LOCAL_VALUES].len ? part[KECS_SYNC__A_LOCAL_VALUES].data : ""},
      {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__append_form, marks);
  for (int i = 0; i < KECS_SYNC__A_PARTS; i++) {
    out->status = out->status ? out->status : part[i].status;
    kecs_pg__text_free(&part[i]);
  }
}

/* ---- sync/hub_policy.c ------------------------------------------------------------------------------------------- */
/* sync/hub_policy.c -- the rules of who may write, at the hub: texts.
 *
 * A push says by sync_policy which rules its site goes by for a kind, and what they need of its rows: the stamps that
 * edits are based on, and the fences that they were written under. The hub may have rules of its own, in sync_policies;
 * they come first. A row with a group that is refused is left alone as a whole, and stands in sync_refused with the
 * groups; the site takes the hub's, and sends what is left. */

static const char kecs_sync__policies_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_policies(tenant {text} NOT NULL,kind bigint NOT NULL,rules jsonb NOT NULL,"
    "PRIMARY KEY(tenant,kind));\n"
    "CREATE OR REPLACE FUNCTION {S}sync_rules(whose text,what bigint) RETURNS jsonb LANGUAGE plpgsql STABLE\n"
    "AS $kecs_sync$\n" /* in SQL it would be planned anew with each call */
    "BEGIN\n"
    "  RETURN nullif(coalesce(nullif(current_setting('kecs_store.policy_'||what,true),'')::jsonb,'{none}')||coalesce(\n"
    "    (SELECT p.rules FROM {S}sync_policies p WHERE p.tenant=whose AND p.kind=what),'{none}'),'{none}');\n"
    "END $kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_policy(what bigint,life text,spec text,status text,spec_fence text,\n"
    "status_fence text,keys text[],specs bigint[],statuses bigint[],spec_fences text[],status_fences text[])\n"
    "RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "BEGIN\n"
    "  PERFORM set_config('kecs_store.policy_'||what,jsonb_strip_nulls(jsonb_build_object('life',life,'spec',spec,\n"
    "    'status',status,'spec_fence',spec_fence,'status_fence',status_fence,'rows',(SELECT jsonb_object_agg(x.k,\n"
    "    jsonb_build_array(x.a,x.b,x.c,x.d)) FROM unnest(keys,specs,statuses,spec_fences,status_fences)\n"
    "    AS x(k,a,b,c,d))))::text,true);\n"
    "END $kecs_sync$;\n";

KECS_PG__FN void kecs_sync__hub_policies(kecs_pg__text *out, const kecs_pg__connection *connection) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema}, {"text", connection->home->dialect.type_text}, {"none", "{}"}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__policies_form, marks);
}

/* {g} the group, {bit} of it, {n} its place in the rows' arrays, {f} its fence's there; {moves}: what came moves the
 * fence itself. */
static const char kecs_sync__rules_form[] =
    "|CASE WHEN (u.s_mask&{bit})=0 OR (u.stamp_{g},u.site_{g})=(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0)) THEN "
    "0\n"
    "      WHEN policy->>'{g}' IN('hub','append') THEN {bit}\n"
    "      WHEN policy->>'{g}'='compare' AND coalesce((policy->'rows'->u.s_key->>{n})::bigint,0)<>\n"
    "      coalesce(t.stamp_{g},0) THEN {bit}\n"
    "      WHEN policy->>'{g}'='owner' AND (policy->'rows'->u.s_key->>{f}) IS DISTINCT FROM (row_to_json(t)->>\n"
    "      (policy->>'{g}_fence')){moves} THEN {bit} ELSE 0 END";

KECS_PG__FN void kecs_sync__hub_rules(kecs_pg__text *out, int group, bool other) {
  static const char *const moves[] = {
      " AND NOT((u.s_mask&4)<>0 AND (u.stamp_status,u.site_status)>(coalesce(t.stamp_status,0),"
      "coalesce(t.site_status,0)))",
      " AND NOT((u.s_mask&2)<>0 AND (u.stamp_spec,u.site_spec)>(coalesce(t.stamp_spec,0),coalesce(t.site_spec,0)))"};
  const kecs_pg__mark marks[] = {
      {"g", group ? "status" : "spec"}, {"bit", group ? "4" : "2"},           {"n", group ? "1" : "0"},
      {"f", group ? "3" : "2"},         {"moves", other ? moves[group] : ""}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__rules_form, marks);
}

/* ---- sync/hub_load.c --------------------------------------------------------------------------------------------- */
/* sync/hub_load.c -- the texts for rows that come by COPY: the table that they are copied to, and how sync_load_TABLE
 * begins, whose body is that of sync_put_TABLE.
 *
 * The table is the transaction's own. For edges that share a login it is made, and read, by functions that run as
 * their owner: what such a function reads must have been made by its like, for a view or a table of the caller's could
 * run the caller's code there. So sync_load_TABLE takes no table but a plain one of whom it runs as. */

#include <stdio.h>
#include <string.h>

/* Who sends may only add rows. */
static const char kecs_sync__stage_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_stage_{t};\n"
    "CREATE FUNCTION {S}sync_stage_{t}(whose text,me bigint) RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "BEGIN\n"
    "  CREATE TEMPORARY TABLE sync_sent_{t}({columns}) ON COMMIT DROP;\n"
    "  GRANT INSERT ON " KECS_SYNC__COPIED " TO PUBLIC;\n"
    "END $kecs_sync$;\n";

static const char kecs_sync__load_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_load_{t};\n"
    "CREATE FUNCTION {S}sync_load_{t}(whose text,me bigint,since bigint) RETURNS void LANGUAGE plpgsql SET jit=off\n"
    "AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n"
    "{variables}"
    "  a_key text[];\n"
    "  a_mask bigint[];\n"
    "  a_life bigint[];\n"
    "  a_spec bigint[];\n"
    "  a_status bigint[];\n"
    "{later}"
    "BEGIN\n"
    "  IF current_setting('kecs_store.push',true) IS DISTINCT FROM 'open' THEN\n"
    "    RETURN;\n"
    "  END IF;\n"
    "  IF NOT EXISTS(SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid=c.relowner WHERE\n"
    "      c.relname='sync_sent_{t}' AND c.relnamespace=pg_catalog.pg_my_temp_schema() AND c.relkind='r' AND\n"
    "      r.rolname=current_user AND NOT (c.relhasrules OR c.relhastriggers OR c.relrowsecurity)) THEN\n"
    "    RAISE EXCEPTION 'the table sync_sent_{t} is not what sync_stage_{t} makes' USING ERRCODE='KS007';\n"
    "  END IF;\n"
    "{scope}"
    "  SELECT array_agg(u.s_key),array_agg(u.s_mask),array_agg(u.stamp_life),array_agg(u.stamp_spec),\n"
    "    array_agg(u.stamp_status) INTO a_key,a_mask,a_life,a_spec,a_status FROM (SELECT s.s_key,s.s_mask,\n"
    "    s.stamp_life,s.stamp_spec,s.stamp_status FROM " KECS_SYNC__COPIED " s ORDER BY s.s_place) u;\n"
    "  IF a_key IS NULL THEN\n"
    "    RETURN;\n"
    "  END IF;\n"
    "{known}";

enum { KECS_SYNC__L_COLUMNS, KECS_SYNC__L_LATER, KECS_SYNC__L_KNOWN, KECS_SYNC__L_SCOPE, KECS_SYNC__L_PARTS };

static void kecs_sync__load_columns(kecs_pg__text *part, const kecs_kind_info *info) {
  static const char first[] = KECS_SYNC__COPIED_FIRST ",";
  kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], "s_key text COLLATE \"C\"");
  for (const char *at = strchr(first, ',') + 1; *at; at += strcspn(at, ",") + 1) {
    kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], ",");
    kecs_pg__text_add(&part[KECS_SYNC__L_COLUMNS], at, strcspn(at, ","));
    kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], " bigint");
  }
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    const char *type = kecs_sync__type(column);
    const kecs_pg__mark marks[] = {{"c", column->name},
                                   {"t", info->table},
                                   {"type", strcmp(type, "text") == 0 ? "text COLLATE \"C\"" : type},
                                   {NULL, NULL}};
    if (kecs_sync__travels(column)) {
      kecs_pg__text_fill(&part[KECS_SYNC__L_COLUMNS], ",\"{c}\" {type}", marks);
    }
    /* Whether the site knows it: as for arrays, none has a value otherwise. */
    if (kecs_sync__travels(column) && kecs_sync__later_column(column)) {
      kecs_pg__text_fill(&part[KECS_SYNC__L_LATER], "  c_{c} boolean;\n", marks);
      kecs_pg__text_fill(&part[KECS_SYNC__L_KNOWN],
                         "  c_{c} := (SELECT true FROM " KECS_SYNC__COPIED " u WHERE u.\"{c}\" IS NOT NULL LIMIT 1);\n",
                         marks);
    }
  }
  kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], "," KECS_SYNC__COPIED_LAST " bigint");
}

static const char *kecs_sync__load_part(const kecs_pg__text *part) {
  return part->len ? part->data : "";
}

KECS_PG__FN void kecs_sync__hub_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                     const char *variables) {
  kecs_pg__text part[KECS_SYNC__L_PARTS];
  kecs_pg__text declared = {out->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark empty[] = {{"none", "{}"}, {NULL, NULL}};
  memset(part, 0, sizeof part);
  for (int i = 0; i < KECS_SYNC__L_PARTS; i++) {
    part[i].allocator = out->allocator;
  }
  kecs_sync__load_columns(part, info);
  kecs_sync__scope_load(&part[KECS_SYNC__L_SCOPE], schema, info);
  kecs_pg__text_fill(&declared, variables, empty);
  const kecs_pg__mark marks[] = {{"S", schema},
                                 {"t", info->table},
                                 {"variables", kecs_sync__load_part(&declared)},
                                 {"columns", kecs_sync__load_part(&part[KECS_SYNC__L_COLUMNS])},
                                 {"later", kecs_sync__load_part(&part[KECS_SYNC__L_LATER])},
                                 {"known", kecs_sync__load_part(&part[KECS_SYNC__L_KNOWN])},
                                 {"scope", kecs_sync__load_part(&part[KECS_SYNC__L_SCOPE])},
                                 {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__stage_form, marks);
  kecs_pg__text_fill(out, kecs_sync__load_form, marks);
  out->status = out->status ? out->status : declared.status;
  kecs_pg__text_free(&declared);
  for (int i = 0; i < KECS_SYNC__L_PARTS; i++) {
    out->status = out->status ? out->status : part[i].status;
    kecs_pg__text_free(&part[i]);
  }
}

/* ---- sync/hub_sql.c ---------------------------------------------------------------------------------------------- */
/* sync/hub_sql.c -- the texts of a kind's functions at the hub.
 *
 * A push is one transaction: sync_begin, sync_bury_TABLE for what was deleted, sync_put_TABLE for rows, sync_end. Each
 * function takes a kind's rows as arrays, one a column, and merges them as a set; sync_load_TABLE is sync_put_TABLE for
 * rows that were copied (hub_load.c). docs/sync.md has the rules. Texts
 * with marks: {S} is the schema with its dot; {sent} the rows that came, as `u`. */

/* ---- sync/hub_forms.h -------------------------------------------------------------------------------------------- */
/* sync/hub_forms.h -- what hub_sql.c makes a kind's two functions of: texts with marks. */
#ifndef KECS_SYNC_HUB_FORMS_H
#define KECS_SYNC_HUB_FORMS_H

/* A push may have been here before. */
#define KECS_SYNC__OPEN                                                         \
  "  IF current_setting('kecs_store.push',true) IS DISTINCT FROM 'open' THEN\n" \
  "    RETURN;\n"                                                               \
  "  END IF;\n"

/* The tombstones of keys in `keys`, numbered or not. */
#define KECS_SYNC__GRAVES(keys)                                                                            \
  "(SELECT x.key,x.stamp,coalesce(x.site,0) AS site FROM {S}change_tombstones x WHERE x.tenant=whose AND " \
  "x.kind={kind} "                                                                                         \
  "AND x.key=ANY(" keys                                                                                    \
  ") UNION ALL SELECT q.key,q.stamp,coalesce(q.site,0) FROM {S}change_queue q WHERE "                      \
  "q.tenant=whose AND q.kind={kind} AND q.op=3 AND q.key=ANY(" keys "))"

/* Rows that others have written since the site last pulled, with their groups. */
#define KECS_SYNC__UNSEEN                                                                                            \
  "(SELECT w.rid,bit_or(w.groups) AS groups FROM (SELECT c.rid,c.groups FROM {S}changes c WHERE c.tenant=whose AND " \
  "c.seq>since AND c.kind={kind} AND (SELECT b.site FROM {S}change_batches b WHERE b.tenant=whose AND b.seq>=c.seq " \
  "ORDER BY b.seq LIMIT 1) IS DISTINCT FROM me UNION ALL SELECT q.rid,q.groups FROM {S}change_queue q WHERE "        \
  "q.tenant=whose AND q.kind={kind} AND q.site IS DISTINCT FROM me) w GROUP BY w.rid)"

#define KECS_SYNC__NOTE \
  "INSERT INTO "        \
  "{S}sync_conflicts(tenant,kind,key,groups,reason,kept_stamp,kept_site,lost_stamp,lost_site,lost,site,at) "

/* What the rules of who may write refuse: see hub_policy.c. */
#define KECS_SYNC__POLICY                                                                                           \
  "  policy := {S}sync_rules(whose,{kind});\n"                                                                      \
  "  IF policy IS NOT NULL THEN\n"                                                                                  \
  "    WITH held AS (SELECT u.s_place,u.s_key,CASE WHEN t.rid IS NULL OR (" KECS_SYNC__U_LIFE ")<>("                \
  KECS_SYNC__T_LIFE ") THEN CASE WHEN policy->>'life'='hub' AND (t.rid IS NULL OR (" KECS_SYNC__U_LIFE ")>("        \
  KECS_SYNC__T_LIFE ")) THEN 1 ELSE 0 END ELSE 0{group_rules} END AS mask\n"                                        \
  "      FROM {sent} LEFT JOIN {S}{t} t ON {same} WHERE u.s_place=ANY(every)),\n"                                   \
  "    told AS (INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT whose,me,{kind},h.s_key,'policy:'||"  \
  "h.mask\n"                                                                                                        \
  "      FROM held h WHERE h.mask<>0 ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code)\n"         \
  "    SELECT coalesce(array_agg(h.s_place),'{none}') INTO every FROM held h WHERE h.mask=0;\n"                     \
  "  END IF;\n"

#define KECS_SYNC__T_LIFE "coalesce(t.stamp_life,0),coalesce(t.site_life,0)"
#define KECS_SYNC__U_LIFE "u.stamp_life,u.site_life"

/* What both have that take a kind's rows: as arrays, or out of the table that they were copied to (hub_load.c). */
#define KECS_SYNC__PUT_VARIABLES                                                 \
  "  these bigint[];\n" /* places that are merged now; NULL: all */              \
  "  every bigint[];\n"                                                          \
  "  suspects bigint[];\n"                                                       \
  "  met bigint := 0;\n" /* rows that are there already, as far as is known */   \
  "  fresh bigint;\n"                                                            \
  "  parts boolean;\n" /* of some rows only some groups came */                  \
  "  starts bigint[];\n"                                                         \
  "  ends bigint[];\n"                                                           \
  "  depth integer := 1;\n"                                                      \
  "  middle bigint;\n"                                                           \
  "  known bigint[] := '{none}';\n"                                              \
  "  crossed bigint[] := '{none}';\n" /* places whose unique keys others have */ \
  "  able bigint[];\n"                                                           \
  "  one bigint;\n"                                                              \
  "  policy jsonb;\n"                                                            \
  "  claimed bigint[] := '{none}';\n"                                            \
  "  now_us bigint := (date_part('epoch',clock_timestamp())*1000000)::bigint;\n"

static const char kecs_sync__put_arrays_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_put_{t};\n"
    "CREATE FUNCTION {S}sync_put_{t}(whose text,me bigint,since bigint,a_key text[],a_mask bigint[],a_life bigint[],\n"
    "a_life_site bigint[],a_spec bigint[],a_spec_site bigint[],a_status bigint[],a_status_site bigint[]{arguments})\n"
    /* Compiling a plan takes longer than any of these runs, and so does planning the search for suspects. */
    "RETURNS void LANGUAGE plpgsql SET jit=off SET plan_cache_mode=force_generic_plan AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n" KECS_SYNC__PUT_VARIABLES "BEGIN\n" KECS_SYNC__OPEN "{scope_put}";

static const char kecs_sync__put_form[] =
    "  PERFORM {S}sync_clock((SELECT max(greatest(a,b,c)) FROM unnest(a_life,a_spec,a_status) AS x(a,b,c)));\n"
    "  every := ARRAY(SELECT generate_series(1,cardinality(a_life)));\n"
    /* A plan that was made while the table was empty may go by an index of the tenant alone: few rows bear that, many
     * are planned for by what the table is now. */
    "  IF cardinality(a_life)>50 THEN PERFORM set_config('plan_cache_mode','force_custom_plan',true); END IF;\n"
    /* Locks in the order of keys. LATERAL: row by row through the index. A join would read the whole tenant where
     * nothing has counted the table yet. Most batches are all new, and then nothing is compared. */
    "  SELECT count(*) INTO met FROM (SELECT u.* FROM {keys} ORDER BY {u_key}) u CROSS JOIN LATERAL (SELECT FROM\n"
    "    {S}{t} t WHERE {same} FOR NO KEY UPDATE) t;\n"
    "  parts := EXISTS(SELECT FROM unnest(a_mask) m WHERE m&8<>0);\n"
    /* Which rows meet more than what their site has seen or written itself. */
    "  IF met>0 THEN\n"
    "  SELECT array_agg(u.s_place) INTO suspects FROM (SELECT u.* FROM {keys}) u CROSS JOIN LATERAL (SELECT t.* FROM\n"
    "    {S}{t} t WHERE {same}) t WHERE (" KECS_SYNC__U_LIFE ")<>(" KECS_SYNC__T_LIFE "){suspect_groups};\n"
    "  END IF;\n"
    "  PERFORM set_config('plan_cache_mode','auto',true);\n" /* what follows goes by the numbers */
    "  IF EXISTS(SELECT FROM {S}change_tombstones x WHERE x.tenant=whose AND x.kind={kind}) OR EXISTS(SELECT FROM\n"
    "    {S}change_queue q WHERE q.tenant=whose AND q.kind={kind} AND q.op=3) THEN\n"
    "  WITH u AS MATERIALIZED (SELECT * FROM {sent}),\n"
    "  beaten AS (SELECT DISTINCT ON (u.s_place) u.s_place,g.stamp AS g_stamp,g.site AS g_site FROM u JOIN "
    KECS_SYNC__GRAVES("a_key") " g\n"
    "    ON g.key=u.s_key WHERE (g.stamp,g.site)>(" KECS_SYNC__U_LIFE ")\n"
    "    ORDER BY u.s_place,g.stamp DESC,g.site DESC),\n"
    "  noted AS (" KECS_SYNC__NOTE "SELECT whose,{kind},u.s_key,u.s_mask&7,'delete',b.g_stamp,b.g_site,\n"
    "    greatest(u.stamp_life,u.stamp_spec,u.stamp_status),me,row_to_json(u)::text,me,now_us\n"
    "    FROM beaten b JOIN u USING(s_place))\n"
    "  SELECT coalesce(array_agg(u.s_place),'{none}') INTO every FROM u WHERE u.s_place NOT\n"
    "    IN (SELECT s_place FROM beaten);\n"
    "  END IF;\n";

/* Then: what is refused, and what loses. */
static const char kecs_sync__put_notes_form[] =
    "{claim}" KECS_SYNC__POLICY
    "  IF suspects IS NOT NULL THEN\n"
    "  WITH u AS MATERIALIZED (SELECT * FROM {sent}),\n"
    "  meets AS (SELECT t.rid,u.s_place FROM u JOIN {S}{t} t ON {same} WHERE u.s_place=ANY(suspects) AND\n"
    "    u.s_place=ANY(every)),\n"
    "  unseen AS MATERIALIZED " KECS_SYNC__UNSEEN "\n"
    "  " KECS_SYNC__NOTE "\n"
    "  SELECT whose,{kind},u.s_key,1,'create'," KECS_SYNC__U_LIFE "," KECS_SYNC__T_LIFE ",row_to_json(t)::text,me,\n"
    "    now_us FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid\n"
    "    JOIN unseen n ON n.rid=t.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")>(" KECS_SYNC__T_LIFE ")\n"
    "  UNION ALL SELECT whose,{kind},u.s_key,1,'create'," KECS_SYNC__T_LIFE "," KECS_SYNC__U_LIFE
    ",row_to_json(u)::text,me,now_us\n"
    "    FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")<(" KECS_SYNC__T_LIFE ")\n"
    "{group_conflicts};\n"
    "  END IF;\n"
    "{partly}";

/* Last the merge. What the database refuses is found by halves. */
static const char kecs_sync__put_merge_form[] =
    "  PERFORM set_config('kecs_store.merge','on',true);\n"
    "  starts := ARRAY[1];\n"
    "  ends := ARRAY[cardinality(every)];\n"
    "  these := CASE WHEN cardinality(every)<cardinality(a_life) THEN every END;\n"
    "  WHILE depth>0 LOOP\n"
    "    BEGIN\n"
    /* What an update would do need not be prepared for rows that are new. A row that somebody brings meanwhile is left
     * out, and merged after that. */
    "      IF met=0 AND NOT parts THEN\n"
    "        {insert}\n"
    "        GET DIAGNOSTICS fresh=ROW_COUNT;\n"
    "        met := coalesce(cardinality(these),cardinality(a_life))-fresh;\n"
    "      END IF;\n"
    "      IF met>0 OR parts THEN\n"
    "      {merge}\n"
    "      END IF;\n"
    "      depth := depth-1;\n"
    "    EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR "
    "insufficient_privilege THEN\n"
    "{again}"
    "      IF depth>0 AND starts[depth]=ends[depth] THEN\n"
    "        INSERT INTO {S}sync_refused(tenant,site,kind,key,code) VALUES(whose,me,{kind},\n"
    "          a_key[every[starts[depth]]],SQLSTATE)\n"
    "          ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "        IF SQLSTATE='23505' THEN\n"
    "          crossed := crossed||every[starts[depth]];\n"
    "        END IF;\n"
    "        depth := depth-1;\n"
    "      ELSIF depth>0 THEN\n"
    "        middle := (starts[depth]+ends[depth])/2;\n"
    "        starts[depth+1] := starts[depth];\n"
    "        ends[depth+1] := middle;\n"
    "        starts[depth] := middle+1;\n"
    "        depth := depth+1;\n"
    "      END IF;\n"
    "    END;\n"
    "    IF depth>0 THEN\n"
    "      these := every[starts[depth]:ends[depth]];\n"
    "    END IF;\n"
    "  END LOOP;\n"
    "{crossed}"
    "  PERFORM set_config('kecs_store.merge','off',true);\n"
    "{merged}"
    "END $kecs_sync$;\n";

/* Whether two rows of one life meet with something to tell: {g} is the group, {bit} its bit in masks. */
static const char kecs_sync__suspect_form[] =
    " OR ((u.stamp_{g},u.site_{g})>(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0)) AND coalesce(t.site_{g},0)<>me) OR "
    "((u.stamp_{g},u.site_{g})<(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0)) AND (u.s_mask&{bit})<>0)";

/* Two rows of one life: {g} is the group, {bit} its bit in masks, {log} in the log's groups. */
static const char kecs_sync__group_form[] =
    "  UNION ALL SELECT whose,{kind},u.s_key,{bit},'update',u.stamp_{g},u.site_{g},coalesce(t.stamp_{g},0),"
    "coalesce(t.site_{g},0),row_to_json(t)::text,me,now_us\n"
    "    FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid JOIN unseen n ON "
    "n.rid=t.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")=(" KECS_SYNC__T_LIFE
    ") AND (u.stamp_{g},u.site_{g})>(coalesce(t.stamp_{g},0),"
    "coalesce(t.site_{g},0)) AND coalesce(t.site_{g},0)<>me AND (n.groups&{log})<>0\n"
    "  UNION ALL SELECT whose,{kind},u.s_key,{bit},'update',coalesce(t.stamp_{g},0),coalesce(t.site_{g},0),u.stamp_{g},"
    "u.site_{g},row_to_json(u)::text,me,now_us\n"
    "    FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")=(" KECS_SYNC__T_LIFE
    ") AND (u.stamp_{g},u.site_{g})<(coalesce(t.stamp_{g},0),"
    "coalesce(t.site_{g},0)) AND (u.s_mask&{bit})<>0\n";

#define KECS_SYNC__LATER \
  "(excluded.stamp_life,coalesce(excluded.site_life,0))>(coalesce(t.stamp_life,0),coalesce(t.site_life,0))"
#define KECS_SYNC__SAME \
  "(excluded.stamp_life,coalesce(excluded.site_life,0))=(coalesce(t.stamp_life,0),coalesce(t.site_life,0))"
#define KECS_SYNC__GROUP_LATER \
  "(coalesce(excluded.stamp_{g},0),coalesce(excluded.site_{g},0))>(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0))"

static const char kecs_sync__insert_form[] =
    "INSERT INTO {S}{t} AS t(tenant,{names}{local_names},{stamp_names})\n"
    "        SELECT whose,{u_names}{local_values},{stamp_values} FROM {sent} WHERE these IS NULL OR\n"
    "        u.s_place=ANY(these){order} ON CONFLICT(tenant,{key}) DO NOTHING;";

static const char kecs_sync__merge_form[] =
    "INSERT INTO {S}{t} AS t(tenant,{names}{local_names},{stamp_names})\n"
    "    SELECT whose,{u_names}{local_values},{stamp_values} FROM {sent} WHERE (these IS NULL OR\n"
    "    u.s_place=ANY(these)) AND u.s_mask&8=0{order}\n"
    "    ON CONFLICT(tenant,{key}) DO UPDATE SET {sets}\n"
    "    WHERE (" KECS_SYNC__LATER "{known}){or_groups};{merge_partly}";

/* Rows of which only some groups came (a mask with 8): those that meet a row of their life. Where there is none, they
 * are refused with KS010, and the edge sends the row whole. */
static const char kecs_sync__partly_form[] =
    "  IF parts THEN\n"
    "    INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT whose,me,{kind},u.s_key,'KS010' FROM {sent}\n"
    "      WHERE u.s_mask&8<>0 AND u.s_place=ANY(every) AND NOT EXISTS(SELECT FROM {S}{t} t WHERE {same} AND\n"
    "      (" KECS_SYNC__T_LIFE ")>=(" KECS_SYNC__U_LIFE ")) ON CONFLICT(tenant,site,kind,key) DO UPDATE SET "
    "code=excluded.code;\n"
    "  END IF;\n";

static const char kecs_sync__merge_partly_form[] =
    "\n      IF parts THEN\n"
    "        UPDATE {S}{t} AS t SET {part_sets} FROM {sent} WHERE {same} AND u.s_mask&8<>0 AND (these IS NULL OR\n"
    "          u.s_place=ANY(these)) AND (" KECS_SYNC__T_LIFE ")=(" KECS_SYNC__U_LIFE ") AND ({part_later});\n"
    "      END IF;";

#define KECS_SYNC__PART_LATER "(u.stamp_{g},u.site_{g})>(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0))"

static const char kecs_sync__bury_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_bury_{t};\n"
    "CREATE FUNCTION {S}sync_bury_{t}(whose text,me bigint,since bigint,a_key text[],a_stamp bigint[]{key_arguments})\n"
    "RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n"
    "  these text[];\n"
    "  one text;\n"
    "  last bigint;\n"
    "  now_us bigint := (date_part('epoch',clock_timestamp())*1000000)::bigint;\n"
    "BEGIN\n" KECS_SYNC__OPEN "{scope_bury}"
    "  these := a_key;\n"
    "  IF {S}sync_rules(whose,{kind})->>'life'='hub' THEN\n"
    "    INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,me,{kind},k,'policy:1'\n"
    "      FROM unnest(a_key) AS k ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "    RETURN;\n"
    "  END IF;\n"
    "  PERFORM {S}sync_clock((SELECT max(x) FROM unnest(a_stamp) AS x));\n"
    "  PERFORM 1 FROM (SELECT * FROM {buried}) u JOIN {S}{t} t ON {same} ORDER BY {t_key} FOR UPDATE OF t;\n"
    "  " KECS_SYNC__NOTE "\n"
    "    SELECT whose,{kind},u.s_key,n.groups&7,'delete',u.s_stamp,me," KECS_SYNC__T_LIFE ",row_to_json(t)::text,me,\n"
    "    now_us FROM {buried} JOIN {S}{t} t ON {same} JOIN " KECS_SYNC__UNSEEN " n ON n.rid=t.rid\n"
    "    WHERE (u.s_stamp,me)>(" KECS_SYNC__T_LIFE ");\n"
    "  BEGIN\n"
    "    {delete}\n"
    "  EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege THEN\n"
    "    FOREACH one IN ARRAY a_key LOOP\n"
    "      these := ARRAY[one];\n"
    "      BEGIN\n"
    "        {delete}\n"
    "      EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege THEN\n"
    "        INSERT INTO {S}sync_refused(tenant,site,kind,key,code) VALUES(whose,me,{kind},one,SQLSTATE)\n"
    "          ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "      END;\n"
    "    END LOOP;\n"
    "  END;\n"
    "  UPDATE {S}change_queue q SET stamp=u.s_stamp FROM (SELECT s_key,max(s_stamp) AS s_stamp FROM {buried}\n"
    "    GROUP BY s_key) u WHERE q.tenant=whose AND q.batch=txid_current() AND q.kind={kind} AND q.op=3 AND\n"
    "    q.key=u.s_key;\n"
    "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp,key)\n"
    "    SELECT DISTINCT ON (u.s_key) whose,{kind},0,15,3,u.s_stamp,u.s_key FROM {buried}\n"
    "    WHERE NOT EXISTS(SELECT FROM {S}{t} t WHERE {same}) AND NOT EXISTS(SELECT FROM "
    KECS_SYNC__GRAVES("a_key") " g\n"
    "    WHERE g.key=u.s_key AND (g.stamp,g.site)>=(u.s_stamp,me)) ORDER BY u.s_key,u.s_stamp DESC;\n"
    "{gone}"
    "END $kecs_sync$;\n";

/* What refers to a row that goes, or to one that goes with it, and stays itself: it is cleared first, and stamped by
 * the hub. {joins} leads from the row to the one that is referred to, {last}. */
static const char kecs_sync__release_form[] =
    "UPDATE {S}{child} c SET {c}=NULL FROM {buried} JOIN {S}{t} t ON {same}{joins} WHERE u.s_key=ANY(these) AND "
    "(u.s_stamp,me)>(" KECS_SYNC__T_LIFE ") AND c.tenant=whose AND c.{c}={last}.{parent};\n    ";

/* What goes with a row that goes. What the site knew of when it deleted the row it has deleted itself, and that was
 * done before; whatever is left it had not seen, so all of it is kept. {next} is a row of the kind {kind}, {key_text}
 * its key. */
static const char kecs_sync__along_form[] =
    "SELECT whose,{kind},{key_text},1,'parent',u.s_stamp,me,coalesce({next}.stamp_life,0),\n"
    "      coalesce({next}.site_life,0),row_to_json({next})::text,me,now_us FROM {buried} JOIN {S}{t} t ON "
    "{same}{joins}\n"
    "      WHERE u.s_key=ANY(these) AND (u.s_stamp,me)>(" KECS_SYNC__T_LIFE ")";

static const char kecs_sync__join_form[] =
    " JOIN {S}{child} {next} ON {next}.tenant=whose AND {next}.{c}={last}.{parent}";

static const char kecs_sync__delete_form[] =
    "DELETE FROM {S}{t} t USING {buried} WHERE {same} AND u.s_key=ANY(these) AND (u.s_stamp,me)>(" KECS_SYNC__T_LIFE
    ");";

/* Before the deletion, in its subtransaction. The stamps of what goes along are this hub's, so the tombstones bear its
 * number and not the site's, which may give the same stamp at any time. */
static const char kecs_sync__keep_along_form[] =
    KECS_SYNC__NOTE "\n      {along};\n"
    "    last := coalesce((SELECT max(q.id) FROM {S}change_queue q WHERE q.tenant=whose),0);\n    ";

static const char kecs_sync__own_along_form[] =
    "\n    UPDATE {S}change_queue q SET site=NULL WHERE q.tenant=whose AND q.id>last AND q.batch=txid_current() AND\n"
    "      q.op=3 AND q.kind<>{kind};";

#endif

/* ---- sync/hub_sql.c, continued ----------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

/* The parts of a kind's texts. */
enum {
  KECS_SYNC__ARGUMENTS,
  KECS_SYNC__KEY_ARGUMENTS,
  KECS_SYNC__SENT,
  KECS_SYNC__SENT_KEYS,
  KECS_SYNC__BURIED,
  KECS_SYNC__SAME_KEY,
  KECS_SYNC__T_KEY,
  KECS_SYNC__U_KEY,
  KECS_SYNC__ORDER,
  KECS_SYNC__KEY,
  KECS_SYNC__NAMES,
  KECS_SYNC__U_NAMES,
  KECS_SYNC__LOCAL_NAMES,
  KECS_SYNC__LOCAL_VALUES,
  KECS_SYNC__STAMP_NAMES,
  KECS_SYNC__STAMP_VALUES,
  KECS_SYNC__SETS,
  KECS_SYNC__PART_SETS,
  KECS_SYNC__PART_LATERS,
  KECS_SYNC__MERGE_PARTLY,
  KECS_SYNC__PARTLY_REFUSED,
  KECS_SYNC__OR_GROUPS,
  KECS_SYNC__GROUP_CONFLICTS,
  KECS_SYNC__SUSPECT_GROUPS,
  KECS_SYNC__UNSEEN_ROWS,
  KECS_SYNC__GROUP_RULES,
  KECS_SYNC__INSERT,
  KECS_SYNC__MERGE,
  KECS_SYNC__DELETE,
  KECS_SYNC__RELEASES,
  KECS_SYNC__ALONG,
  KECS_SYNC__SCOPE_PUT,
  KECS_SYNC__SCOPE_BURY,
  KECS_SYNC__SPECIAL, /* and the ones after it */
  KECS_SYNC__PARTS = KECS_SYNC__SPECIAL + KECS_SYNC__SPECIALS
};

typedef struct kecs_sync__parts {
  const kecs_kind_info *info;
  const char *schema;
  char kind[16];
  kecs_pg__text part[KECS_SYNC__PARTS];
} kecs_sync__parts;

KECS_PG__FN const char *kecs_sync__type(const kecs_column_info *column) {
  switch (column->type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      return "text";
    case KECS_TYPE_BOOL:
      return "boolean";
    default:
      return "bigint";
  }
}

static bool kecs_sync__in_key(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return false;
}

static bool kecs_sync__has(const kecs_kind_info *info, kecs_column_group group) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == group) {
      return true;
    }
  }
  return false;
}

/* Adds a form to a part, with {c} the column, {type} its type. */
static void kecs_sync__add(kecs_sync__parts *parts, int part, const char *between, const char *form, const char *column,
                           const char *type) {
  kecs_pg__text *text = &parts->part[part];
  const kecs_pg__mark marks[] = {{"c", column}, {"type", type}, {NULL, NULL}};
  kecs_pg__text_adds(text, text->len > 0 ? between : "");
  kecs_pg__text_fill(text, form, marks);
}

/* What a local column has in a new row. */
static void kecs_sync__local(kecs_sync__parts *parts, const kecs_column_info *column) {
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  bool needed = column->flags & KECS_COLUMN_NOT_NULL;
  const char *value = column->default_text;
  kecs_pg__text *out = &parts->part[KECS_SYNC__LOCAL_VALUES];
  kecs_sync__add(parts, KECS_SYNC__LOCAL_NAMES, "", ",{c}", column->name, "");
  const char *derived = kecs_sync__hub_derived(parts->info, column);
  if (derived) {
    kecs_pg__text_adds(out, ",");
    kecs_pg__text_adds(out, derived);
    kecs_sync__add(parts, KECS_SYNC__SETS, ",",
                   "{c}=CASE WHEN " KECS_SYNC__LATER " THEN excluded.{c} ELSE t.{c} END", column->name, "");
  } else if (strcmp(column->name, "updated_at") == 0) {
    kecs_pg__text_adds(out, ",now_us");
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_pg__text_adds(out, !needed ? ",NULL::boolean" : value && strcmp(value, "1") == 0 ? ",true" : ",false");
  } else if (!needed && !value) {
    kecs_pg__text_adds(out, text ? ",NULL" : ",NULL::bigint");
  } else {
    kecs_pg__text_adds(out, text ? ",'" : ","); /* defaults come from the kind files and hold no quote */
    kecs_pg__text_adds(out, value ? value : text ? "" : "0");
    kecs_pg__text_adds(out, text ? "'" : "");
  }
}

static void kecs_sync__set(kecs_sync__parts *parts, int number) {
  static const char spec[] = "{c}=CASE WHEN " KECS_SYNC__LATER " OR (" KECS_SYNC__SAME
                             " AND (coalesce(excluded.stamp_spec,0),coalesce(excluded.site_spec,0))>(coalesce("
                             "t.stamp_spec,0),coalesce(t.site_spec,0))) THEN excluded.{c} ELSE t.{c} END";
  static const char status[] = "{c}=CASE WHEN " KECS_SYNC__LATER " OR (" KECS_SYNC__SAME
                               " AND (coalesce(excluded.stamp_status,0),coalesce(excluded.site_status,0))>(coalesce("
                               "t.stamp_status,0),coalesce(t.site_status,0))) THEN excluded.{c} ELSE t.{c} END";
  static const char life[] = "{c}=CASE WHEN " KECS_SYNC__LATER " THEN excluded.{c} ELSE t.{c} END";
  static const char unknown[] = "{c}=CASE WHEN c_{c} IS NULL AND " KECS_SYNC__SAME " THEN t.{c} ";
  const kecs_column_info *column = &parts->info->columns[number];
  const char *form = column->group == KECS_GROUP_SPEC ? spec : column->group == KECS_GROUP_STATUS ? status : life;
  if (kecs_sync__later_column(column)) {
    kecs_sync__add(parts, KECS_SYNC__SETS, ",", unknown, column->name, "");
    kecs_sync__add(parts, KECS_SYNC__SETS, "", form + strlen("{c}=CASE "), column->name, "");
  } else if (!kecs_sync__in_key(parts->info, number)) {
    kecs_sync__add(parts, KECS_SYNC__SETS, ",", form, column->name, "");
  }
  if (column->group == KECS_GROUP_SPEC || column->group == KECS_GROUP_STATUS) {
    const char *group = column->group == KECS_GROUP_SPEC ? "spec" : "status";
    const kecs_pg__mark marks[] = {{"c", column->name}, {"g", group}, {NULL, NULL}};
    kecs_pg__text *out = &parts->part[KECS_SYNC__PART_SETS];
    kecs_pg__text_adds(out, out->len ? "," : "");
    kecs_pg__text_fill(out, "{c}=CASE WHEN ", marks);
    kecs_pg__text_fill(out, kecs_sync__later_column(column) ? "c_{c} IS NOT NULL AND " : "", marks);
    kecs_pg__text_fill(out, KECS_SYNC__PART_LATER " THEN u.{c} ELSE t.{c} END", marks);
  }
}

/* What a row has in a column that its site does not know. */
static void kecs_sync__unknown(kecs_sync__parts *parts, const kecs_column_info *column) {
  kecs_pg__text *out = &parts->part[KECS_SYNC__U_NAMES];
  const kecs_pg__mark marks[] = {{"c", column->name}, {NULL, NULL}};
  kecs_pg__text_fill(out, ",CASE WHEN c_{c} IS NULL THEN ", marks);
  kecs_sync__default(out, column);
  kecs_pg__text_fill(out, " ELSE u.{c} END", marks);
}

static void kecs_sync__columns(kecs_sync__parts *parts) {
  const kecs_kind_info *info = parts->info;
  bool later = false; /* what follows a parameter with a default has one, too */
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (kecs_sync__travels(column)) {
      later = later || kecs_sync__later_column(column);
      kecs_sync__add(parts, KECS_SYNC__ARGUMENTS, "", later ? ",c_{c} {type}[] DEFAULT NULL" : ",c_{c} {type}[]",
                     column->name, kecs_sync__type(column));
      kecs_sync__add(parts, KECS_SYNC__NAMES, ",", "{c}", column->name, "");
      if (kecs_sync__later_column(column)) {
        kecs_sync__unknown(parts, column);
      } else {
        kecs_sync__add(parts, KECS_SYNC__U_NAMES, ",", "u.{c}", column->name, "");
      }
      kecs_sync__set(parts, i);
    } else {
      kecs_sync__local(parts, column);
    }
  }
  for (int i = 0; i < info->keys[0].count; i++) {
    const kecs_column_info *column = &info->columns[info->keys[0].columns[i]];
    kecs_sync__add(parts, KECS_SYNC__KEY_ARGUMENTS, "", ",c_{c} {type}[]", column->name, kecs_sync__type(column));
    kecs_sync__add(parts, KECS_SYNC__SAME_KEY, "", " AND t.{c}=u.{c}", column->name, "");
    kecs_sync__add(parts, KECS_SYNC__T_KEY, ",", "t.{c}", column->name, "");
    bool text = strcmp(kecs_sync__type(column), "text") == 0; /* in the table's order, which is that of bytes */
    kecs_sync__add(parts, KECS_SYNC__U_KEY, ",", text ? "u.{c} COLLATE \"C\"" : "u.{c}", column->name, "");
    kecs_sync__add(parts, KECS_SYNC__KEY, ",", "{c}", column->name, "");
  }
}

/* The rows that came: the arrays, and what their columns are called. */
static void kecs_sync__rows(kecs_sync__parts *parts) {
  const kecs_kind_info *info = parts->info;
  kecs_pg__text *sent = &parts->part[KECS_SYNC__SENT];
  kecs_pg__text *keys = &parts->part[KECS_SYNC__SENT_KEYS];
  kecs_pg__text *buried = &parts->part[KECS_SYNC__BURIED];
  kecs_pg__text_adds(sent, "unnest(a_key,a_mask,a_life,a_life_site,a_spec,a_spec_site,a_status,a_status_site");
  kecs_pg__text_adds(keys, "unnest(a_mask,a_life,a_life_site,a_spec,a_spec_site,a_status,a_status_site");
  kecs_pg__text_adds(buried, "unnest(a_key,a_stamp");
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < info->column_count; i++) {
      const char *form = pass == 0 ? ",c_{c}" : ",{c}";
      if (kecs_sync__travels(&info->columns[i])) {
        kecs_sync__add(parts, KECS_SYNC__SENT, "", form, info->columns[i].name, "");
      }
    }
    for (int i = 0; i < info->keys[0].count; i++) {
      const char *name = info->columns[info->keys[0].columns[i]].name;
      kecs_sync__add(parts, KECS_SYNC__BURIED, "", pass == 0 ? ",c_{c}" : ",{c}", name, "");
      kecs_sync__add(parts, KECS_SYNC__SENT_KEYS, "", pass == 0 ? ",c_{c}" : ",{c}", name, "");
    }
    kecs_pg__text_adds(sent, pass == 0
                                 ? ") WITH ORDINALITY AS u(s_key,s_mask,stamp_life,site_life,stamp_spec,site_spec,"
                                   "stamp_status,site_status"
                                 : ",s_place)");
    kecs_pg__text_adds(keys, pass == 0 ? ") WITH ORDINALITY AS u(s_mask,stamp_life,site_life,stamp_spec,site_spec,"
                                         "stamp_status,site_status"
                                       : ",s_place)");
    kecs_pg__text_adds(buried, pass == 0 ? ") AS u(s_key,s_stamp" : ")");
  }
}

static void kecs_sync__stamp_partly(kecs_sync__parts *parts, const kecs_pg__mark *marks) {
  kecs_pg__text *later = &parts->part[KECS_SYNC__PART_LATERS];
  kecs_pg__text_adds(later, later->len ? " OR " : "");
  kecs_pg__text_fill(later, KECS_SYNC__PART_LATER, marks);
  kecs_pg__text_fill(&parts->part[KECS_SYNC__PART_SETS],
                     ",stamp_{g}=CASE WHEN " KECS_SYNC__PART_LATER
                     " THEN u.stamp_{g} ELSE t.stamp_{g} END,site_{g}=CASE WHEN " KECS_SYNC__PART_LATER
                     " THEN nullif(u.site_{g},0) ELSE t.site_{g} END",
                     marks);
}

static void kecs_sync__stamps(kecs_sync__parts *parts) {
  static const char *const sets =
      ",stamp_{c}=CASE WHEN " KECS_SYNC__LATER
      " THEN excluded.stamp_{c} WHEN "
      "(coalesce(excluded.stamp_{c},0),coalesce(excluded.site_{c},0))>(coalesce(t.stamp_{c},0),coalesce(t.site_{c},0)) "
      "THEN excluded.stamp_{c} ELSE t.stamp_{c} END,"
      "site_{c}=CASE WHEN " KECS_SYNC__LATER
      " THEN excluded.site_{c} WHEN "
      "(coalesce(excluded.stamp_{c},0),coalesce(excluded.site_{c},0))>(coalesce(t.stamp_{c},0),coalesce(t.site_{c},0)) "
      "THEN excluded.site_{c} ELSE t.site_{c} END";
  static const struct {
    const char *name;
    const char *bit;
    const char *log;
    kecs_column_group group;
  } groups[] = {{"spec", "2", "2", KECS_GROUP_SPEC}, {"status", "4", "4", KECS_GROUP_STATUS}};
  kecs_pg__text_adds(&parts->part[KECS_SYNC__STAMP_NAMES], "stamp_life,site_life");
  kecs_pg__text_adds(&parts->part[KECS_SYNC__STAMP_VALUES], "u.stamp_life,nullif(u.site_life,0)");
  kecs_sync__add(parts, KECS_SYNC__SETS, ",",
                 "stamp_life=greatest(excluded.stamp_life,t.stamp_life),site_life=CASE WHEN " KECS_SYNC__LATER
                 " THEN excluded.site_life ELSE t.site_life END",
                 "", "");
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    const char *name = groups[i].name;
    const kecs_pg__mark marks[] = {{"S", parts->schema}, {"t", parts->info->table}, {"kind", parts->kind},
                                   {"g", name},          {"bit", groups[i].bit},    {"log", groups[i].log},
                                   {NULL, NULL}};
    if (kecs_sync__has(parts->info, groups[i].group)) {
      kecs_sync__add(parts, KECS_SYNC__STAMP_NAMES, "", ",stamp_{c},site_{c}", name, "");
      kecs_sync__add(parts, KECS_SYNC__STAMP_VALUES, "", ",nullif(u.stamp_{c},0),nullif(u.site_{c},0)", name, "");
      kecs_sync__add(parts, KECS_SYNC__SETS, "", sets, name, "");
      kecs_pg__text_fill(&parts->part[KECS_SYNC__OR_GROUPS], " OR (" KECS_SYNC__SAME " AND " KECS_SYNC__GROUP_LATER ")",
                         marks);
      kecs_pg__text_fill(&parts->part[KECS_SYNC__GROUP_CONFLICTS], kecs_sync__group_form, marks);
      kecs_sync__hub_rules(&parts->part[KECS_SYNC__GROUP_RULES], (int)i,
                           kecs_sync__has(parts->info, groups[1 - i].group));
      kecs_pg__text_fill(&parts->part[KECS_SYNC__SUSPECT_GROUPS], kecs_sync__suspect_form, marks);
      kecs_sync__stamp_partly(parts, marks);
    }
  }
  if (!(parts->info->flags & KECS_KIND_PLAIN)) {
    kecs_pg__text_adds(&parts->part[KECS_SYNC__SETS], ",version=t.version+1,updated_at=now_us");
    kecs_pg__text_adds(&parts->part[KECS_SYNC__PART_SETS], ",version=t.version+1,updated_at=now_us");
  }
}

static const char *kecs_sync__special_text(const kecs_sync__parts *parts, int special) {
  const kecs_pg__text *text = &parts->part[KECS_SYNC__SPECIAL + special];
  return text->len ? text->data : "";
}

static void kecs_sync__fill(kecs_pg__text *out, const kecs_sync__parts *parts, const char *form) {
  const kecs_pg__mark marks[] = {
      {"S", parts->schema},
      {"t", parts->info->table},
      {"kind", parts->kind},
      {"none", "{}"},
      {"arguments", parts->part[KECS_SYNC__ARGUMENTS].data},
      {"key_arguments", parts->part[KECS_SYNC__KEY_ARGUMENTS].data},
      {"sent", parts->part[KECS_SYNC__SENT].data},
      {"keys", parts->part[KECS_SYNC__SENT_KEYS].data},
      {"buried", parts->part[KECS_SYNC__BURIED].data},
      {"same", parts->part[KECS_SYNC__SAME_KEY].data},
      {"t_key", parts->part[KECS_SYNC__T_KEY].data},
      {"order", parts->part[KECS_SYNC__ORDER].len ? parts->part[KECS_SYNC__ORDER].data : ""},
      {"u_key", parts->part[KECS_SYNC__U_KEY].data},
      {"key", parts->part[KECS_SYNC__KEY].data},
      {"names", parts->part[KECS_SYNC__NAMES].data},
      {"u_names", parts->part[KECS_SYNC__U_NAMES].data},
      {"local_names", parts->part[KECS_SYNC__LOCAL_NAMES].len ? parts->part[KECS_SYNC__LOCAL_NAMES].data : ""},
      {"local_values", parts->part[KECS_SYNC__LOCAL_VALUES].len ? parts->part[KECS_SYNC__LOCAL_VALUES].data : ""},
      {"stamp_names", parts->part[KECS_SYNC__STAMP_NAMES].data},
      {"stamp_values", parts->part[KECS_SYNC__STAMP_VALUES].data},
      {"sets", parts->part[KECS_SYNC__SETS].data},
      {"or_groups", parts->part[KECS_SYNC__OR_GROUPS].len ? parts->part[KECS_SYNC__OR_GROUPS].data : ""},
      {"group_conflicts",
       parts->part[KECS_SYNC__GROUP_CONFLICTS].len ? parts->part[KECS_SYNC__GROUP_CONFLICTS].data : ""},
      {"part_sets", parts->part[KECS_SYNC__PART_SETS].len ? parts->part[KECS_SYNC__PART_SETS].data : ""},
      {"part_later", parts->part[KECS_SYNC__PART_LATERS].len ? parts->part[KECS_SYNC__PART_LATERS].data : ""},
      {"merge_partly", parts->part[KECS_SYNC__MERGE_PARTLY].len ? parts->part[KECS_SYNC__MERGE_PARTLY].data : ""},
      {"partly", parts->part[KECS_SYNC__PARTLY_REFUSED].len ? parts->part[KECS_SYNC__PARTLY_REFUSED].data : ""},
      {"suspect_groups",
       parts->part[KECS_SYNC__SUSPECT_GROUPS].len ? parts->part[KECS_SYNC__SUSPECT_GROUPS].data : ""},
      {"delete", parts->part[KECS_SYNC__DELETE].len ? parts->part[KECS_SYNC__DELETE].data : ""},
      {"releases", parts->part[KECS_SYNC__RELEASES].len ? parts->part[KECS_SYNC__RELEASES].data : ""},
      {"along", parts->part[KECS_SYNC__ALONG].len ? parts->part[KECS_SYNC__ALONG].data : ""},
      {"insert", parts->part[KECS_SYNC__INSERT].len ? parts->part[KECS_SYNC__INSERT].data : ""},
      {"merge", parts->part[KECS_SYNC__MERGE].len ? parts->part[KECS_SYNC__MERGE].data : ""},
      {"scope_put", parts->part[KECS_SYNC__SCOPE_PUT].len ? parts->part[KECS_SYNC__SCOPE_PUT].data : ""},
      {"scope_bury", parts->part[KECS_SYNC__SCOPE_BURY].len ? parts->part[KECS_SYNC__SCOPE_BURY].data : ""},
      {"unseen", parts->part[KECS_SYNC__UNSEEN_ROWS].data},
      {"group_rules", parts->part[KECS_SYNC__GROUP_RULES].len ? parts->part[KECS_SYNC__GROUP_RULES].data : ""},
      {"u_life", KECS_SYNC__U_LIFE},
      {"t_life", KECS_SYNC__T_LIFE},
      {"claim", kecs_sync__special_text(parts, KECS_SYNC__CLAIM)},
      {"known", kecs_sync__special_text(parts, KECS_SYNC__KNOWN)},
      {"again", kecs_sync__special_text(parts, KECS_SYNC__AGAIN)},
      {"crossed", kecs_sync__special_text(parts, KECS_SYNC__CROSSED)},
      {"merged", kecs_sync__special_text(parts, KECS_SYNC__MERGED)},
      {"gone", kecs_sync__special_text(parts, KECS_SYNC__GONE)},
      {NULL, NULL}};
  kecs_pg__text_fill(out, form, marks);
}

/* Rows of `child` that go with those of the kind: `joins` has led to them, as `next`. */
static void kecs_sync__along(kecs_sync__parts *parts, const kecs_kind_info *child, const char *joins,
                             const char *next) {
  char kind[16];
  kecs_pg__text key = {parts->part[0].allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text *along = &parts->part[KECS_SYNC__ALONG];
  snprintf(kind, sizeof kind, "%d", (int)child->kind);
  kecs_sync__key_text(&key, child, next);
  if (!key.status) {
    const kecs_pg__mark marks[] = {{"S", parts->schema},
                                   {"t", parts->info->table},
                                   {"kind", kind},
                                   {"key_text", key.data},
                                   {"buried", parts->part[KECS_SYNC__BURIED].data},
                                   {"same", parts->part[KECS_SYNC__SAME_KEY].data},
                                   {"joins", joins},
                                   {"next", next},
                                   {NULL, NULL}};
    kecs_pg__text_adds(along, along->len ? "\n    UNION " : "");
    kecs_pg__text_fill(along, kecs_sync__along_form, marks);
  }
  along->status = key.status ? key.status : along->status;
  kecs_pg__text_free(&key);
}

/* From a kind along what goes with it. `joins` has led to `last`. */
static void kecs_sync__releases(kecs_sync__parts *parts, const kecs_kind_info *from, const char *joins,
                                const char *last, int depth) {
  char next[16];
  snprintf(next, sizeof next, "d%d", depth);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *child = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < child->reference_count; i++) {
      const kecs_reference *reference = &child->references[i];
      const kecs_pg__mark marks[] = {{"S", parts->schema},
                                     {"t", parts->info->table},
                                     {"child", child->table},
                                     {"c", child->columns[reference->column].name},
                                     {"parent", from->columns[reference->parent_column].name},
                                     {"buried", parts->part[KECS_SYNC__BURIED].data},
                                     {"same", parts->part[KECS_SYNC__SAME_KEY].data},
                                     {"joins", joins},
                                     {"last", last},
                                     {"next", next},
                                     {NULL, NULL}};
      if (reference->parent == from->kind && reference->on_delete == KECS_ON_DELETE_SET_NULL) {
        kecs_pg__text_fill(&parts->part[KECS_SYNC__RELEASES], kecs_sync__release_form, marks);
      } else if (reference->parent == from->kind && child->kind != from->kind) {
        kecs_pg__text longer = {parts->part[0].allocator, NULL, 0, 0, KECS_OK};
        kecs_pg__text_adds(&longer, joins);
        kecs_pg__text_fill(&longer, kecs_sync__join_form, marks);
        if (!longer.status) {
          kecs_sync__along(parts, child, longer.data, next);
          kecs_sync__releases(parts, child, longer.data, next, depth + 1);
        }
        kecs_pg__text *releases = &parts->part[KECS_SYNC__RELEASES];
        releases->status = longer.status ? longer.status : releases->status;
        kecs_pg__text_free(&longer);
      }
    }
  }
}

/* What is said of the rows that came, wherever they are. */
static void kecs_sync__over_sent(kecs_sync__parts *parts) {
  static const int over[] = {KECS_SYNC__PARTLY_REFUSED, KECS_SYNC__MERGE_PARTLY, KECS_SYNC__INSERT, KECS_SYNC__MERGE};
  for (size_t i = 0; i < sizeof over / sizeof over[0]; i++) {
    kecs_pg__text_free(&parts->part[over[i]]);
  }
  for (int i = 0; i < KECS_SYNC__SPECIALS; i++) {
    kecs_pg__text_free(&parts->part[KECS_SYNC__SPECIAL + i]);
  }
  if (parts->part[KECS_SYNC__PART_LATERS].len > 0) {
    kecs_sync__fill(&parts->part[KECS_SYNC__PARTLY_REFUSED], parts, kecs_sync__partly_form);
    kecs_sync__fill(&parts->part[KECS_SYNC__MERGE_PARTLY], parts, kecs_sync__merge_partly_form);
  }
  kecs_sync__fill(&parts->part[KECS_SYNC__SPECIAL + KECS_SYNC__KNOWN], parts,
                  kecs_sync__hub_part(parts->info->kind, KECS_SYNC__KNOWN));
  kecs_sync__fill(&parts->part[KECS_SYNC__INSERT], parts, kecs_sync__insert_form);
  kecs_sync__fill(&parts->part[KECS_SYNC__MERGE], parts, kecs_sync__merge_form);
  for (int i = 0; i < KECS_SYNC__SPECIALS; i++) {
    if (i != KECS_SYNC__KNOWN) {
      kecs_sync__fill(&parts->part[KECS_SYNC__SPECIAL + i], parts, kecs_sync__hub_part(parts->info->kind, i));
    }
  }
}

static void kecs_sync__put_body(kecs_pg__text *out, const kecs_sync__parts *parts) {
  kecs_sync__fill(out, parts, kecs_sync__put_form);
  kecs_sync__fill(out, parts, kecs_sync__put_notes_form);
  kecs_sync__fill(out, parts, kecs_sync__put_merge_form);
}

/* The same over the table that the rows were copied to. New ones are written as they lie there, in the order in which
 * they were made: most indexes grow at their ends then, which is a fifth of what it takes. Rows that are there already
 * have been locked in the order of their keys. */
static void kecs_sync__put_copied(kecs_pg__text *out, kecs_sync__parts *parts) {
  const int changed[] = {KECS_SYNC__SENT, KECS_SYNC__SENT_KEYS, KECS_SYNC__ORDER};
  const kecs_pg__mark marks[] = {
      {"t", parts->info->table}, {"key", parts->part[KECS_SYNC__KEY].data}, {NULL, NULL}};
  for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
    kecs_pg__text_free(&parts->part[changed[i]]);
  }
  kecs_pg__text_fill(&parts->part[KECS_SYNC__SENT], KECS_SYNC__COPIED " AS u", marks);
  kecs_pg__text_fill(&parts->part[KECS_SYNC__SENT_KEYS],
                     "(SELECT s_mask,stamp_life,site_life,stamp_spec,site_spec,stamp_status,site_status,s_place,{key} "
                     "FROM " KECS_SYNC__COPIED ") AS u",
                     marks);
  kecs_sync__over_sent(parts);
  kecs_sync__hub_load(out, parts->schema, parts->info, KECS_SYNC__PUT_VARIABLES);
  kecs_sync__put_body(out, parts);
}

KECS_PG__FN void kecs_sync__hub_kind(kecs_pg__text *out, const kecs_pg__connection *connection,
                                     const kecs_kind_info *info) {
  kecs_sync__parts parts;
  memset(&parts, 0, sizeof parts);
  parts.info = info;
  parts.schema = connection->home->schema;
  snprintf(parts.kind, sizeof parts.kind, "%d", (int)info->kind);
  for (int i = 0; i < KECS_SYNC__PARTS; i++) {
    parts.part[i].allocator = connection->allocator;
  }
  kecs_pg__text_adds(&parts.part[KECS_SYNC__SAME_KEY], "t.tenant=whose");
  kecs_sync__columns(&parts);
  kecs_sync__rows(&parts);
  kecs_sync__stamps(&parts);
  kecs_sync__releases(&parts, info, "", "t", 1);
  kecs_sync__fill(&parts.part[KECS_SYNC__UNSEEN_ROWS], &parts, KECS_SYNC__UNSEEN);
  const bool along = parts.part[KECS_SYNC__ALONG].len > 0;
  const char *const deletes[] = {along ? kecs_sync__keep_along_form : "", "{releases}", kecs_sync__delete_form,
                                 along ? kecs_sync__own_along_form : ""};
  for (size_t i = 0; i < sizeof deletes / sizeof deletes[0]; i++) {
    kecs_sync__fill(&parts.part[KECS_SYNC__DELETE], &parts, deletes[i]);
  }
  kecs_sync__fill(&parts.part[KECS_SYNC__ORDER], &parts, " ORDER BY {u_key}");
  kecs_sync__over_sent(&parts);
  kecs_sync__scope_put(&parts.part[KECS_SYNC__SCOPE_PUT], parts.schema, info, parts.part[KECS_SYNC__SENT].data);
  kecs_sync__scope_bury(&parts.part[KECS_SYNC__SCOPE_BURY], parts.schema, info, parts.part[KECS_SYNC__BURIED].data);
  kecs_sync__fill(out, &parts, kecs_sync__put_arrays_form);
  kecs_sync__put_body(out, &parts);
  kecs_sync__fill(out, &parts, kecs_sync__bury_form);
  kecs_sync__put_copied(out, &parts);
  for (int i = 0; i < KECS_SYNC__PARTS; i++) {
    out->status = out->status ? out->status : parts.part[i].status;
    kecs_pg__text_free(&parts.part[i]);
  }
}

/* ---- sync/hub_repair.c ------------------------------------------------------------------------------------------- */
/* sync/hub_repair.c -- what a hub answers when all is compared: digests by kind and bucket, and what it has of a key.
 *
 * A row's bucket is hash(key) mod 1024; a bucket's digest is the sum of hash(key, stamps) of its rows. Every server and
 * every edge reckons them alike: the hash is MD5 over UTF-8, of which a bucket takes the first 3 hexadecimal digits and
 * a row the first 15, so that the sums go as whole numbers modulo 2^60 (digest.c is the other side). Sums, since only
 * newer servers have an aggregate for XOR. */

#include <stdio.h>
#include <string.h>

static const char kecs_sync__bucket_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_bucket(key text) RETURNS integer LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT ('x'||substr(md5(convert_to(key,'UTF8')),1,3))::bit(12)::integer&1023\n"
    "$kecs_sync$;\n";

static const char kecs_sync__digest_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_digest_{t};\n"
    "CREATE FUNCTION {S}sync_digest_{t}(whose text,me bigint) RETURNS TABLE(bucket integer,digest bigint)\n"
    "LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT y.b,mod(sum(y.h),1152921504606846976)::bigint FROM (SELECT {S}sync_bucket(x.k) AS b,\n"
    "    ('x'||substr(md5(convert_to(x.k||x.s,'UTF8')),1,15))::bit(60)::bigint AS h\n"
    "    FROM (SELECT {key} AS k,{stamps} AS s FROM {S}{t} t WHERE t.tenant=whose) x WHERE {S}sync_sees(whose,me,\n"
    "    {kind},x.k)) y GROUP BY y.b\n"
    "$kecs_sync$;\n";

/* For each key, in their order: the row's stamps, the latest tombstone, numbered or not, and up to which stamp the site
 * that began the life has brought all of its own. */
static const char kecs_sync__compare_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_compare_{t};\n"
    "CREATE FUNCTION {S}sync_compare_{t}(whose text,me bigint,a_key text[],a_site bigint[]{arguments})\n"
    "RETURNS TABLE(here boolean,life bigint,life_site bigint,spec bigint,spec_site bigint,status bigint,\n"
    "status_site bigint,grave bigint,grave_site bigint,brought bigint) LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  WITH u AS (SELECT * FROM unnest(a_key,a_site{arrays}) WITH ORDINALITY AS v(s_key,s_site{names},s_place)),\n"
    "  graves AS (SELECT x.key,x.stamp,coalesce(x.site,0) AS site FROM {S}change_tombstones x WHERE x.tenant=whose\n"
    "    AND x.kind={kind} AND x.key=ANY(a_key) UNION ALL SELECT q.key,q.stamp,coalesce(q.site,0)\n"
    "    FROM {S}change_queue q WHERE q.tenant=whose AND q.kind={kind} AND q.op=3 AND q.key=ANY(a_key)),\n"
    "  latest AS (SELECT DISTINCT ON (d.key) d.key,d.stamp,d.site FROM graves d ORDER BY d.key,d.stamp DESC,d.site "
    "DESC)\n"
    "  SELECT t.rid IS NOT NULL,{columns},coalesce(g.stamp,0),coalesce(g.site,0),coalesce(s.acked,0)\n"
    "    FROM (SELECT u.*,{S}sync_sees(whose,me,{kind},u.s_key) AS s_seen FROM u) u\n"
    "    LEFT JOIN {S}{t} t ON t.tenant=whose{same} AND u.s_seen LEFT JOIN latest g ON g.key=u.s_key AND "
    "u.s_seen\n"
    "    LEFT JOIN {S}sync_sites s ON s.tenant=whose AND s.site=u.s_site AND u.s_seen ORDER BY u.s_place\n"
    "$kecs_sync$;\n";

/* 10 and 11 are rows of change_state (store/feed.h). Which server and timeline it is: a promoted standby and a restored
 * one have another. Where that can't be told, edges do when they find their cursor on another history. */
static const char kecs_sync__retention_form[] =
    "INSERT INTO {S}change_state(tenant,id,value) VALUES({T},10,7776000000000) ON CONFLICT DO NOTHING;\n"
    "ALTER TABLE {S}sync_hubs ADD COLUMN IF NOT EXISTS history text;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_changed(whose text) RETURNS void LANGUAGE sql AS $kecs_sync$\n"
    "  INSERT INTO {S}change_state(tenant,id,value) VALUES(whose,11,\n"
    "    (date_part('epoch',clock_timestamp())*1000000)::bigint)\n"
    "    ON CONFLICT(tenant,id) DO UPDATE SET value=excluded.value\n"
    "$kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_history(whose text) RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "DECLARE\n"
    "  present text;\n"
    "  known text;\n"
    "BEGIN\n"
    "  BEGIN\n"
    "    SELECT system_identifier||'/'||substr(pg_walfile_name(pg_current_wal_lsn()),1,8) INTO present\n"
    "      FROM pg_control_system();\n"
    "  EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_function OR\n"
    "    object_not_in_prerequisite_state THEN\n"
    "    RETURN;\n"
    "  END;\n"
    "  SELECT h.history INTO known FROM {S}sync_hubs h WHERE h.tenant=whose;\n"
    "  IF known IS DISTINCT FROM present THEN\n"
    "    UPDATE {S}sync_hubs h SET history=present WHERE h.tenant=whose;\n"
    "    IF known IS NOT NULL THEN\n"
    "      PERFORM {S}sync_changed(whose);\n"
    "    END IF;\n"
    "  END IF;\n"
    "END $kecs_sync$;\n";

enum {
  KECS_SYNC__REPAIR_KEY,
  KECS_SYNC__REPAIR_STAMPS,
  KECS_SYNC__REPAIR_COLUMNS,
  KECS_SYNC__REPAIR_ARGUMENTS,
  KECS_SYNC__REPAIR_ARRAYS,
  KECS_SYNC__REPAIR_NAMES,
  KECS_SYNC__REPAIR_SAME,
  KECS_SYNC__REPAIR_PARTS
};

/* "'|'||life||','||site||..." and "life,site,...": 0 where the kind has no such group, or nothing was written. */
static void kecs_sync__repair_stamps(kecs_pg__text *parts, const kecs_kind_info *info) {
  static const struct {
    const char *name;
    kecs_column_group group;
  } stamps[] = {{"life", KECS_GROUP_KEY}, {"spec", KECS_GROUP_SPEC}, {"status", KECS_GROUP_STATUS}};
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
    bool has = i == 0;
    for (int c = 0; c < info->column_count; c++) {
      has = has || info->columns[c].group == stamps[i].group;
    }
    const kecs_pg__mark marks[] = {{"n", stamps[i].name}, {NULL, NULL}};
    kecs_pg__text_adds(&parts[KECS_SYNC__REPAIR_STAMPS], i > 0 ? "||" : "");
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_STAMPS],
                       has ? "'|'||coalesce(t.stamp_{n},0)||','||coalesce(t.site_{n},0)" : "'|0,0'", marks);
    kecs_pg__text_adds(&parts[KECS_SYNC__REPAIR_COLUMNS], i > 0 ? "," : "");
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_COLUMNS],
                       has ? "coalesce(t.stamp_{n},0),coalesce(t.site_{n},0)" : "0::bigint,0::bigint", marks);
  }
}

static void kecs_sync__repair_keys(kecs_pg__text *parts, const kecs_kind_info *info) {
  for (int i = 0; i < info->keys[0].count; i++) {
    const kecs_column_info *column = &info->columns[info->keys[0].columns[i]];
    const kecs_pg__mark marks[] = {{"c", column->name}, {"type", kecs_sync__type(column)}, {NULL, NULL}};
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_ARGUMENTS], ",c_{c} {type}[]", marks);
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_ARRAYS], ",c_{c}", marks);
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_NAMES], ",{c}", marks);
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_SAME], " AND t.{c}=u.{c}", marks);
  }
}

KECS_PG__FN void kecs_sync__hub_buckets(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__bucket_form);
}

KECS_PG__FN void kecs_sync__hub_retention(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__retention_form);
}

KECS_PG__FN void kecs_sync__hub_repair(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info) {
  kecs_pg__text parts[KECS_SYNC__REPAIR_PARTS];
  char kind[16];
  memset(parts, 0, sizeof parts);
  for (int i = 0; i < KECS_SYNC__REPAIR_PARTS; i++) {
    parts[i].allocator = connection->allocator;
  }
  snprintf(kind, sizeof kind, "%d", (int)info->kind);
  kecs_sync__key_text(&parts[KECS_SYNC__REPAIR_KEY], info, "t");
  kecs_sync__repair_stamps(parts, info);
  kecs_sync__repair_keys(parts, info);
  const kecs_pg__mark marks[] = {{"S", connection->home->schema},
                                 {"t", info->table},
                                 {"kind", kind},
                                 {"key", parts[KECS_SYNC__REPAIR_KEY].data},
                                 {"stamps", parts[KECS_SYNC__REPAIR_STAMPS].data},
                                 {"columns", parts[KECS_SYNC__REPAIR_COLUMNS].data},
                                 {"arguments", parts[KECS_SYNC__REPAIR_ARGUMENTS].data},
                                 {"arrays", parts[KECS_SYNC__REPAIR_ARRAYS].data},
                                 {"names", parts[KECS_SYNC__REPAIR_NAMES].data},
                                 {"same", parts[KECS_SYNC__REPAIR_SAME].data},
                                 {NULL, NULL}};
  for (int i = 0; i < KECS_SYNC__REPAIR_PARTS; i++) {
    out->status = out->status ? out->status : parts[i].status;
  }
  if (!out->status) {
    kecs_pg__text_fill(out, kecs_sync__digest_form, marks);
    kecs_pg__text_fill(out, kecs_sync__compare_form, marks);
  }
  for (int i = 0; i < KECS_SYNC__REPAIR_PARTS; i++) {
    kecs_pg__text_free(&parts[i]);
  }
}

/* ---- sync/hub_owner.c -------------------------------------------------------------------------------------------- */
/* sync/hub_owner.c -- the text of sync_scope: which cluster a key belongs to, or "-". kecs_sync__in_scope is the same
 * rule at the edge. */

#include <stdio.h>

/* Of a `key` that is an ARN. Simple functions in the place of regular expressions: they run for each row that is read,
 * several times, and take a quarter of the time. */
#define KECS_SYNC__ARN_HEAD "split_part(key,'/',1)"
#define KECS_SYNC__ARN_TYPE "split_part(" KECS_SYNC__ARN_HEAD ",':',6)"
#define KECS_SYNC__ARN_CLUSTER "split_part(substr(key,length(" KECS_SYNC__ARN_HEAD ")+2),',',1)"
#define KECS_SYNC__IS_NAME(text)                                                                              \
  text "<>'' AND translate(" text ",'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-','')=''"

/* What stands before the first '/' must be an ARN's head with a type that has clusters. An attribute may name its
 * cluster without an ARN. */
static const char kecs_sync__owner_of_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_scope(kind bigint,key text) RETURNS text LANGUAGE sql IMMUTABLE AS\n"
    "$kecs_sync$\n"
    "  SELECT coalesce(CASE WHEN key LIKE 'arn:%' THEN CASE WHEN strpos(" KECS_SYNC__ARN_HEAD ",',')=0 AND\n"
    "    " KECS_SYNC__ARN_HEAD "='arn:'||split_part(key,':',2)||':ecs:'||split_part(key,':',4)||':'||\n"
    "    split_part(key,':',5)||':'||" KECS_SYNC__ARN_TYPE " THEN CASE\n"
    "    WHEN " KECS_SYNC__ARN_TYPE "='cluster' THEN CASE WHEN " KECS_SYNC__IS_NAME(KECS_SYNC__ARN_CLUSTER) "\n"
    "      THEN split_part(key,',',1) END\n"
    "    WHEN " KECS_SYNC__ARN_TYPE " IN('service','task','task-set','container-instance') THEN\n"
    "      CASE WHEN " KECS_SYNC__IS_NAME("split_part(key,'/',2)") " AND\n"
    "      length(key)>length(" KECS_SYNC__ARN_HEAD ")+1+length(split_part(key,'/',2)) THEN\n"
    "      left(" KECS_SYNC__ARN_HEAD ",-length(" KECS_SYNC__ARN_TYPE "))||'cluster/'||split_part(key,'/',2)\n"
    "      END END END\n"
    "    WHEN kind={attribute} THEN 'cluster/'||substring(key from '^([A-Za-z0-9_-]+),') END,'-')\n"
    "$kecs_sync$;\n";

KECS_PG__FN void kecs_sync__hub_owner(kecs_pg__text *out) {
  char attribute[16];
  snprintf(attribute, sizeof attribute, "%d", (int)KECS_KIND_ATTRIBUTE);
  const kecs_pg__mark marks[] = {{"attribute", attribute}, {"S", "{S}"}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__owner_of_form, marks);
}

/* ---- sync/hub_scope.c -------------------------------------------------------------------------------------------- */
/* sync/hub_scope.c -- the texts of scopes at the hub: whom a site may exchange rows of, and what a site reads.
 *
 * A key says what its row belongs to, so a row never moves and a tombstone needs nothing beside its key: sync_scope
 * gives the cluster that an ARN names, or "-" where there is none. What a site sends is looked at before anything else
 * is; what it reads, it reads by functions that leave out the rest. Where a site has the whole tenant, neither costs
 * anything. */

/* ---- sync/internal.h --------------------------------------------------------------------------------------------- */
/* sync/internal.h -- what the modules of sync share: the handle, exchanges with the hub, the edge's own notes. */
#ifndef KECS_SYNC_INTERNAL_H
#define KECS_SYNC_INTERNAL_H

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

/* ---- sync/hub_scope.c, continued --------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

static const char kecs_sync__grants_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_grants(tenant {text} NOT NULL,site {text} NOT NULL,cluster {text} NOT NULL,\n"
    "PRIMARY KEY(tenant,site,cluster));\n"
    "ALTER TABLE {S}sync_sites ADD COLUMN IF NOT EXISTS wanted text[];\n"
    /* A site's name without what a copied file puts behind it: grants and tokens hold for both. */
    "CREATE OR REPLACE FUNCTION {S}sync_base(who text) RETURNS text LANGUAGE sql IMMUTABLE AS $kecs_sync$\n"
    "  SELECT CASE WHEN who ~ '#[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]$'\n"
    "    THEN left(who,-9) ELSE who END\n"
    "$kecs_sync$;\n"
    /* NULL: the whole tenant. */
    "CREATE OR REPLACE FUNCTION {S}sync_granted(whose text,site_name text) RETURNS text[] LANGUAGE plpgsql STABLE\n"
    "AS $kecs_sync$\n" /* in SQL it would be planned anew with each call */
    "BEGIN\n"
    "  RETURN (SELECT array_agg(g.cluster::text) FROM {S}sync_grants g WHERE g.tenant=whose AND g.site=site_name);\n"
    "END $kecs_sync$;\n"
    /* Clusters by their ARNs and by their bare names. */
    "CREATE OR REPLACE FUNCTION {S}sync_named(scopes text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS $kecs_sync$\n"
    "  SELECT scopes||ARRAY(SELECT substring(x from 'cluster/.*$') FROM unnest(scopes) AS x WHERE x LIKE "
    "'%:cluster/%')\n"
    "$kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_allowed(whose text,me bigint) RETURNS text[] LANGUAGE plpgsql STABLE\n"
    "AS $kecs_sync$\n"
    "DECLARE\n"
    "  site_name text;\n"
    "  asked text[];\n"
    "  scopes text[];\n"
    "BEGIN\n"
    "  SELECT {S}sync_base(s.name),s.wanted INTO site_name,asked FROM {S}sync_sites s WHERE s.tenant=whose AND "
    "s.site=me;\n"
    "  IF site_name IS NULL THEN\n"
    "    RETURN ARRAY[]::text[];\n"
    "  END IF;\n"
    "  scopes := {S}sync_granted(whose,site_name);\n"
    "  IF scopes IS NULL THEN\n"
    "    scopes := asked;\n"
    "  ELSIF asked IS NOT NULL THEN\n"
    "    scopes := ARRAY(SELECT unnest(scopes) INTERSECT SELECT unnest(asked));\n"
    "  END IF;\n"
    "  RETURN CASE WHEN scopes IS NOT NULL THEN {S}sync_named(scopes) END;\n"
    "END $kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_sees(whose text,me bigint,kind bigint,key text) RETURNS boolean LANGUAGE sql\n"
    "STABLE AS $kecs_sync$\n"
    "  SELECT (SELECT {S}sync_allowed(whose,me)) IS NULL OR\n"
    "    {S}sync_scope(kind,key)=ANY((SELECT {S}sync_allowed(whose,me))::text[])\n"
    "$kecs_sync$;\n"
    /* What the site narrows itself to is kept; the answer is what it has from now on: "*", or names in their order. */
    "CREATE OR REPLACE FUNCTION {S}sync_scopes(whose text,who text,asked text[]) RETURNS text LANGUAGE plpgsql\n"
    "AS $kecs_sync$\n"
    "DECLARE\n"
    "  number bigint;\n"
    "  scopes text[];\n"
    "BEGIN\n"
    "  UPDATE {S}sync_sites s SET wanted=asked WHERE s.tenant=whose AND s.name=who AND s.wanted IS DISTINCT FROM "
    "asked;\n"
    "  SELECT s.site INTO number FROM {S}sync_sites s WHERE s.tenant=whose AND s.name=who;\n"
    "  scopes := {S}sync_allowed(whose,number);\n"
    "  RETURN CASE WHEN scopes IS NULL THEN '*' ELSE coalesce((SELECT string_agg(x,' ' ORDER BY x COLLATE \"C\")\n"
    "    FROM unnest(scopes) AS x WHERE x<>'' AND x NOT LIKE 'cluster/%'),'') END;\n"
    "END $kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_number(whose text,who text) RETURNS bigint LANGUAGE sql AS $kecs_sync$\n"
    "  SELECT {S}change_number(whose)\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_told;\n"
    "CREATE FUNCTION {S}sync_told(whose text,who text) RETURNS TABLE(r_kind bigint,r_key text,r_code text)\n"
    "LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT r.kind,r.key,r.code FROM {S}sync_refused r JOIN {S}sync_sites s ON s.tenant=r.tenant AND s.site=r.site\n"
    "  WHERE r.tenant=whose AND s.name=who\n"
    "$kecs_sync$;\n";

/* ---- what a site reads ---- */

#define KECS_SYNC__ALL "(SELECT {S}sync_allowed(whose,me)) IS NULL"
#define KECS_SYNC__IN(kind, key) "{S}sync_scope(" kind "," key ")=ANY((SELECT {S}sync_allowed(whose,me))::text[])"
#define KECS_SYNC__SEEN "(" KECS_SYNC__ALL " OR (" KECS_SYNC__IN("{kind}", "{owner}") "{parents}))"
#define KECS_SYNC__SEEN_GRAVE "(" KECS_SYNC__ALL " OR " KECS_SYNC__IN("x.kind", "x.key") ")"

#define KECS_SYNC__WINDOW                                                                                  \
  "t.rid IN(SELECT c.rid FROM {S}changes c WHERE c.tenant=whose AND c.seq>since AND c.seq<=upto AND c.kind={kind})"

/* Of rows that were not created in a window only the groups that were written. */
#define KECS_SYNC__WRITTEN                                                                                           \
  "TABLE({columns},r_groups bigint) LANGUAGE sql STABLE AS $kecs_sync$\n  SELECT {written},t.rid,w.g FROM (SELECT "   \
  "c.rid,bit_or(c.groups) AS g FROM {S}changes c\n  WHERE c.tenant=whose AND c.seq>since AND c.seq<=upto AND c.kind=" \
  "{kind} GROUP BY c.rid) w,{S}{t} t\n  WHERE t.tenant=whose AND t.rid=w.rid AND "

#define KECS_SYNC__ROWS                                                                                       \
  "TABLE({columns}) LANGUAGE sql STABLE AS $kecs_sync$\n  SELECT {list} FROM {S}{t} t WHERE t.tenant=whose AND "

#define KECS_SYNC__GRAVES_OF                                                                                   \
  "TABLE(r_key text,r_stamp bigint,r_site bigint) LANGUAGE sql STABLE AS $kecs_sync$\n"                        \
  "  SELECT g.key,g.stamp,g.site FROM (SELECT DISTINCT ON(x.key) x.key,x.stamp,coalesce(x.site,0) AS site\n"   \
  "    FROM {S}change_tombstones x WHERE x.tenant=whose AND x.kind={kind} AND "                               \
  KECS_SYNC__SEEN_GRAVE " AND NOT EXISTS(\n"                                                                   \
  "    SELECT FROM {S}{t} t WHERE t.tenant=whose AND {key}=x.key) AND "

#define KECS_SYNC__LATEST " ORDER BY x.key,x.stamp DESC,coalesce(x.site,0) DESC) g"

static const char kecs_sync__read_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_rows_{t};\n"
    "CREATE FUNCTION {S}sync_rows_{t}(whose text,me bigint,since bigint,upto bigint) RETURNS " KECS_SYNC__WRITTEN
    KECS_SYNC__SEEN "\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_found_{t};\n"
    "CREATE FUNCTION {S}sync_found_{t}(whose text,me bigint,a_key text[]) RETURNS " KECS_SYNC__ROWS
    "{key}=ANY(a_key) AND " KECS_SYNC__SEEN "\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_page_{t};\n"
    "CREATE FUNCTION {S}sync_page_{t}(whose text,me bigint,since bigint,room bigint,buckets bigint[],scopes text[])\n"
    "RETURNS " KECS_SYNC__ROWS "t.rid>since AND " KECS_SYNC__SEEN
    "\n  AND (buckets IS NULL OR {S}sync_bucket({key})=ANY(buckets))\n"
    "  AND (scopes IS NULL OR {S}sync_scope({kind},{owner})=ANY(scopes)) ORDER BY t.rid LIMIT room\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_graves_{t};\n"
    "CREATE FUNCTION {S}sync_graves_{t}(whose text,me bigint,since bigint,upto bigint) RETURNS " KECS_SYNC__GRAVES_OF
    "x.seq>since AND x.seq<=upto" KECS_SYNC__LATEST "{moved}\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_buried_{t};\n"
    "CREATE FUNCTION {S}sync_buried_{t}(whose text,me bigint,a_key text[]) RETURNS " KECS_SYNC__GRAVES_OF
    "x.key=ANY(a_key)" KECS_SYNC__LATEST "\n"
    "$kecs_sync$;\n";

/* A row whose key is the site's and that refers to what is not, is none of the site's: its life ends the one before. */
static const char kecs_sync__moved_form[] =
    "\n  UNION ALL SELECT {key},t.stamp_life,coalesce(t.site_life,0) FROM {S}{t} t WHERE t.tenant=whose AND\n"
    "    NOT (" KECS_SYNC__ALL ") AND " KECS_SYNC__WINDOW " AND " KECS_SYNC__IN("{kind}", "{owner}") "\n"
    "    AND NOT (true{parents})";

/* What a row belongs to, for policies (docs/postgresql/sync_roles.sql): they hold on to these functions, so these are
 * replaced and not made anew. */
static const char kecs_sync__owner_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_owner_{t}(t {S}{t}) RETURNS text LANGUAGE sql IMMUTABLE AS $kecs_sync$\n"
    "  SELECT {S}sync_scope({kind},{owner})\n"
    "$kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_inside_{t}(t {S}{t},scopes text[]) RETURNS boolean LANGUAGE sql IMMUTABLE\n"
    "AS $kecs_sync$\n"
    "  SELECT {S}sync_scope({kind},{owner})=ANY(scopes){parents}\n"
    "$kecs_sync$;\n";

/* What is no kind's alone. `pairs`: kind*1024+bucket, or NULL. */
static const char kecs_sync__tombs_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_counters;\n"
    "CREATE FUNCTION {S}sync_counters(whose text,me bigint) RETURNS TABLE(r_account_id text,r_region text,\n"
    "r_family text,r_last_revision bigint) LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT f.account_id,f.region,f.family,f.last_revision FROM {S}task_definition_families f\n"
    "  WHERE f.tenant=whose AND {S}sync_sees(whose,me,0,'-') AND f.last_revision>coalesce((SELECT d.revision\n"
    "  FROM {S}task_definitions d WHERE\n"
    "  d.tenant=whose AND d.account_id=f.account_id AND d.region=f.region AND d.family=f.family\n"
    "  ORDER BY d.revision DESC LIMIT 1),0)\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_tombs;\n"
    "CREATE FUNCTION {S}sync_tombs(whose text,me bigint,since bigint,room bigint,pairs bigint[],scopes text[])\n"
    "RETURNS TABLE(r_key text,r_stamp bigint,r_site bigint,r_kind bigint,r_seq bigint) LANGUAGE sql STABLE\n"
    "AS $kecs_sync$\n"
    "  SELECT x.key,x.stamp,coalesce(x.site,0),x.kind,x.seq FROM {S}change_tombstones x WHERE x.tenant=whose AND\n"
    "  x.seq>since AND " KECS_SYNC__SEEN_GRAVE " AND (scopes IS NULL OR {S}sync_scope(x.kind,x.key)=ANY(scopes))\n"
    "  AND (pairs IS NULL OR x.kind*1024+{S}sync_bucket(x.key)=ANY(pairs)) ORDER BY x.seq LIMIT room\n"
    "$kecs_sync$;\n";

/* ---- what a site sends ---- */

/* What is outside is refused, and nothing of it goes further. */
static const char kecs_sync__put_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,me);\n"
    "    outside bigint[];\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      outside := ARRAY(SELECT u.s_place FROM {sent} WHERE NOT coalesce(u.s_key={key} AND\n"
    "        {S}sync_scope({kind},{key})=ANY(allowed){parents},false));\n"
    "      INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,me,{kind},a_key[o],'KS005'\n"
    "        FROM unnest(outside) AS o ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "    END IF;\n"
    "    IF cardinality(outside)>0 THEN\n"
    "      SELECT {kept} INTO {arrays} FROM {sent} WHERE u.s_place<>ALL(outside);\n"
    "      IF a_key IS NULL THEN\n"
    "        RETURN;\n"
    "      END IF;\n"
    "    END IF;\n"
    "  END;\n";

/* The same for rows that were copied: what is left has places without gaps. */
static const char kecs_sync__load_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,me);\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      WITH outside AS (DELETE FROM {sent} u WHERE NOT coalesce(u.s_key={key} AND\n"
    "        {S}sync_scope({kind},{key})=ANY(allowed){parents},false) RETURNING u.s_key)\n"
    "      INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,me,{kind},o.s_key,'KS005'\n"
    "        FROM outside o ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "      IF FOUND THEN\n"
    "        UPDATE {sent} u SET s_place=n.place FROM (SELECT s.ctid AS at,row_number() OVER (ORDER BY s.s_place)\n"
    "          AS place FROM {sent} s) n WHERE u.ctid=n.at;\n"
    "      END IF;\n"
    "    END IF;\n"
    "  END;\n";

/* A deletion may bear another site's number: who sends it is said apart. */
static const char kecs_sync__bury_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,current_setting('kecs_store.sender')::bigint);\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,\n"
    "        current_setting('kecs_store.sender')::bigint,{kind},u.s_key,'KS005'\n"
    "        FROM {sent} WHERE NOT coalesce(u.s_key={key} AND {S}sync_scope({kind},{key})=ANY(allowed),false)\n"
    "        ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "      SELECT {kept} INTO {arrays} FROM {sent} WHERE u.s_key={key} AND "
    "{S}sync_scope({kind},{key})=ANY(allowed);\n"
    "      IF a_key IS NULL THEN\n"
    "        RETURN;\n"
    "      END IF;\n"
    "    END IF;\n"
    "  END;\n";

static const char kecs_sync__append_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,me);\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      RETURN QUERY SELECT {key}::text,'KS005'::text,row_to_json(u)::text FROM {sent} WHERE\n"
    "        NOT coalesce({S}sync_scope({kind},{owner})=ANY(allowed),false);\n"
    "      SELECT {kept} INTO {arrays} FROM {sent} WHERE {S}sync_scope({kind},{owner})=ANY(allowed);\n"
    "    END IF;\n"
    "  END;\n";

enum { KECS_SYNC__SCOPE_NAME = 72 /* bytes of an argument's name */ };

enum {
  KECS_SYNC__SCOPE_KEY,
  KECS_SYNC__SCOPE_OWNER,
  KECS_SYNC__SCOPE_PARENTS,
  KECS_SYNC__SCOPE_LIST,
  KECS_SYNC__SCOPE_WRITTEN,
  KECS_SYNC__SCOPE_COLUMNS,
  KECS_SYNC__SCOPE_MOVED,
  KECS_SYNC__SCOPE_KEPT,
  KECS_SYNC__SCOPE_ARRAYS,
  KECS_SYNC__SCOPE_PARTS
};

typedef struct kecs_sync__scope_sql {
  const kecs_kind_info *info;
  const char *schema;
  const char *sent;
  char kind[16];
  kecs_pg__text part[KECS_SYNC__SCOPE_PARTS];
} kecs_sync__scope_sql;

/* What says what a row belongs to: its key. What only grows has a key that says nothing, and names what it is about. */
static void kecs_sync__scope_owner(kecs_sync__scope_sql *sql, const char *alias) {
  const char *name = NULL;
  for (int i = 0; kecs_sync__only_grows(sql->info) && i < sql->info->column_count; i++) {
    const char *column = sql->info->columns[i].name;
    name = strcmp(column, "task_arn") == 0 || strcmp(column, "resource_arn") == 0 ? column : name;
  }
  const kecs_pg__mark marks[] = {{"a", alias}, {"c", name ? name : ""}, {NULL, NULL}};
  if (name) {
    kecs_pg__text_fill(&sql->part[KECS_SYNC__SCOPE_OWNER], "{a}.{c}", marks);
  } else {
    kecs_sync__key_text(&sql->part[KECS_SYNC__SCOPE_OWNER], sql->info, alias);
  }
}

static void kecs_sync__scope_begin(kecs_sync__scope_sql *sql, const kecs_allocator *allocator, const char *schema,
                                   const kecs_kind_info *info, const char *alias) {
  memset(sql, 0, sizeof *sql);
  sql->info = info;
  sql->schema = schema;
  sql->sent = "";
  snprintf(sql->kind, sizeof sql->kind, "%d", (int)info->kind);
  for (int i = 0; i < KECS_SYNC__SCOPE_PARTS; i++) {
    sql->part[i].allocator = allocator;
  }
  kecs_sync__key_text(&sql->part[KECS_SYNC__SCOPE_KEY], info, alias);
  kecs_sync__scope_owner(sql, alias);
}

static const char *kecs_sync__scope_part(const kecs_sync__scope_sql *sql, int part) {
  return sql->part[part].data ? sql->part[part].data : "";
}

static void kecs_sync__scope_fill(kecs_pg__text *out, const kecs_sync__scope_sql *sql, const char *form) {
  const kecs_pg__mark marks[] = {{"S", sql->schema},
                                 {"t", sql->info->table},
                                 {"kind", sql->kind},
                                 {"sent", sql->sent},
                                 {"key", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEY)},
                                 {"owner", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_OWNER)},
                                 {"parents", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_PARENTS)},
                                 {"list", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_LIST)},
                                 {"written", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_WRITTEN)},
                                 {"columns", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_COLUMNS)},
                                 {"moved", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_MOVED)},
                                 {"kept", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEPT)},
                                 {"arrays", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_ARRAYS)},
                                 {NULL, NULL}};
  for (int i = 0; i < KECS_SYNC__SCOPE_PARTS; i++) {
    out->status = out->status ? out->status : sql->part[i].status;
  }
  kecs_pg__text_fill(out, form, marks);
}

static void kecs_sync__scope_end(kecs_sync__scope_sql *sql) {
  for (int i = 0; i < KECS_SYNC__SCOPE_PARTS; i++) {
    kecs_pg__text_free(&sql->part[i]);
  }
}

/* Whether a column's value is the key of a row that this one belongs to. */
static bool kecs_sync__refers(const kecs_kind_info *info, int column) {
  bool refers = strcmp(info->columns[column].name, "cluster_arn") == 0 ||
                strcmp(info->columns[column].name, "service_arn") == 0;
  for (int i = 0; i < info->reference_count; i++) {
    refers = refers || info->references[i].column == column;
  }
  return refers && kecs_sync__travels(&info->columns[column]);
}

/* " AND (...)" for each reference: what is referred to must be in the scope, too. {allowed} is an array. */
static void kecs_sync__scope_parents(kecs_sync__scope_sql *sql, const char *alias, const char *allowed) {
  for (int i = 0; i < sql->info->column_count; i++) {
    const kecs_pg__mark marks[] = {
        {"S", sql->schema}, {"a", alias}, {"c", sql->info->columns[i].name}, {"allowed", allowed}, {NULL, NULL}};
    if (kecs_sync__refers(sql->info, i)) {
      kecs_pg__text_fill(&sql->part[KECS_SYNC__SCOPE_PARENTS],
                         " AND (coalesce({a}.{c},'')='' OR {S}sync_scope(0,{a}.{c})=ANY({allowed}))", marks);
    }
  }
}

/* Key, stamps with their sites, columns, rid: as kecs_sync__apply_rows reads them. `bits` are those of the log's groups
 * that a value goes with in a window: of the life, and its own. */
static void kecs_sync__scope_list(kecs_sync__scope_sql *sql) {
  static const struct {
    const char *name;
    const char *bits;
    kecs_column_group group;
  } stamps[] = {{"life", "15", KECS_GROUP_KEY}, {"spec", "3", KECS_GROUP_SPEC}, {"status", "5", KECS_GROUP_STATUS}};
  kecs_pg__text *list = &sql->part[KECS_SYNC__SCOPE_LIST];
  kecs_pg__text *written = &sql->part[KECS_SYNC__SCOPE_WRITTEN];
  kecs_pg__text *columns = &sql->part[KECS_SYNC__SCOPE_COLUMNS];
  kecs_pg__text_adds(list, kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEY));
  kecs_pg__text_adds(written, kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEY));
  kecs_pg__text_adds(columns, "r_key text");
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
    const kecs_pg__mark marks[] = {{"n", stamps[i].name}, {"bits", stamps[i].bits}, {NULL, NULL}};
    bool has = false;
    for (int c = 0; !kecs_sync__only_grows(sql->info) && c < sql->info->column_count; c++) {
      has = has || sql->info->columns[c].group == (unsigned)stamps[i].group;
    }
    kecs_pg__text_fill(list,
                       has ? ",coalesce(t.stamp_{n},0),coalesce(t.site_{n},0)" : ",0::bigint,0::bigint", marks);
    kecs_pg__text_fill(written,
                       has ? ",CASE WHEN w.g&{bits}<>0 THEN coalesce(t.stamp_{n},0) ELSE 0 END,CASE WHEN w.g&{bits}<>0 "
                             "THEN coalesce(t.site_{n},0) ELSE 0 END"
                           : ",0::bigint,0::bigint",
                       marks);
    kecs_pg__text_fill(columns, ",r_{n} bigint,r_{n}_site bigint", marks);
  }
  for (int i = 0; i < sql->info->column_count; i++) {
    const kecs_column_info *column = &sql->info->columns[i];
    const char *bits = column->group == KECS_GROUP_SPEC ? "3" : column->group == KECS_GROUP_STATUS ? "5" : "1";
    const kecs_pg__mark marks[] = {
        {"c", column->name}, {"type", kecs_sync__type(column)}, {"bits", bits}, {NULL, NULL}};
    if (kecs_sync__travels(column)) {
      kecs_pg__text_fill(list, ",t.{c}", marks);
      kecs_pg__text_fill(written, ",CASE WHEN w.g&{bits}<>0 THEN t.{c} END", marks);
      kecs_pg__text_fill(columns, ",\"{c}\" {type}", marks);
    }
  }
  kecs_pg__text_adds(list, ",t.rid");
  kecs_pg__text_adds(columns, ",r_rid bigint");
}

KECS_PG__FN void kecs_sync__hub_scopes(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__text form = {connection->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"S", "{S}"}, {"text", "{text}"}, {NULL, NULL}};
  kecs_sync__hub_owner(&form);
  kecs_pg__text_fill(&form, kecs_sync__grants_form, marks);
  kecs_pg__text_adds(&form, kecs_sync__tombs_form);
  if (!form.status) {
    kecs_pg__log_text(out, connection, form.data);
  }
  out->status = out->status ? out->status : form.status;
  kecs_pg__text_free(&form);
}

KECS_PG__FN void kecs_sync__hub_reads(kecs_pg__text *out, const kecs_pg__connection *connection,
                                      const kecs_kind_info *info) {
  kecs_sync__scope_sql sql;
  kecs_pg__text allowed = {connection->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {NULL, NULL}};
  kecs_sync__scope_begin(&sql, connection->allocator, connection->home->schema, info, "t");
  kecs_pg__text_fill(&allowed, "(SELECT {S}sync_allowed(whose,me))::text[]", marks);
  out->status = out->status ? out->status : allowed.status;
  if (!out->status) {
    kecs_sync__scope_parents(&sql, "t", allowed.data);
    kecs_sync__scope_list(&sql);
    if (sql.part[KECS_SYNC__SCOPE_PARENTS].len > 0) {
      kecs_sync__scope_fill(&sql.part[KECS_SYNC__SCOPE_MOVED], &sql, kecs_sync__moved_form);
    }
    kecs_sync__scope_fill(out, &sql, kecs_sync__read_form);
    kecs_pg__text_free(&sql.part[KECS_SYNC__SCOPE_PARENTS]);
    kecs_sync__scope_parents(&sql, "t", "scopes");
    kecs_sync__scope_fill(out, &sql, kecs_sync__owner_form);
  }
  kecs_pg__text_free(&allowed);
  kecs_sync__scope_end(&sql);
}

/* One of the arguments that are arrays, with the name that its elements have. */
static void kecs_sync__scope_keep(kecs_sync__scope_sql *sql, const char *array, const char *element,
                                  const char *order) {
  kecs_pg__text *arrays = &sql->part[KECS_SYNC__SCOPE_ARRAYS];
  const char *between = arrays->len > 0 ? "," : "";
  const kecs_pg__mark marks[] = {
      {"b", between}, {"a", array}, {"e", element}, {"order", order}, {NULL, NULL}};
  kecs_pg__text_fill(&sql->part[KECS_SYNC__SCOPE_KEPT], "{b}array_agg(u.{e}{order})", marks);
  kecs_pg__text_fill(arrays, "{b}{a}", marks);
}

KECS_PG__FN void kecs_sync__scope_put(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                      const char *sent) {
  static const char *const fixed[][2] = {{"a_key", "s_key"},         {"a_mask", "s_mask"},
                                         {"a_life", "stamp_life"},   {"a_life_site", "site_life"},
                                         {"a_spec", "stamp_spec"},   {"a_spec_site", "site_spec"},
                                         {"a_status", "stamp_status"}, {"a_status_site", "site_status"}};
  kecs_sync__scope_sql sql;
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  sql.sent = sent;
  kecs_sync__scope_parents(&sql, "u", "allowed");
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
    kecs_sync__scope_keep(&sql, fixed[i][0], fixed[i][1], " ORDER BY u.s_place");
  }
  for (int i = 0; i < info->column_count; i++) {
    char array[KECS_SYNC__SCOPE_NAME];
    snprintf(array, sizeof array, "c_%s", info->columns[i].name);
    if (kecs_sync__travels(&info->columns[i])) {
      kecs_sync__scope_keep(&sql, array, info->columns[i].name, " ORDER BY u.s_place");
    }
  }
  kecs_sync__scope_fill(out, &sql, kecs_sync__put_scope_form);
  kecs_sync__scope_end(&sql);
}

KECS_PG__FN void kecs_sync__scope_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info) {
  kecs_sync__scope_sql sql;
  kecs_pg__text copied = {out->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"t", info->table}, {NULL, NULL}};
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  kecs_sync__scope_parents(&sql, "u", "allowed");
  kecs_pg__text_fill(&copied, KECS_SYNC__COPIED, marks);
  out->status = out->status ? out->status : copied.status;
  if (!out->status) {
    sql.sent = copied.data;
    kecs_sync__scope_fill(out, &sql, kecs_sync__load_scope_form);
  }
  kecs_pg__text_free(&copied);
  kecs_sync__scope_end(&sql);
}

KECS_PG__FN void kecs_sync__scope_bury(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                       const char *buried) {
  kecs_sync__scope_sql sql;
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  sql.sent = buried;
  kecs_sync__scope_keep(&sql, "a_key", "s_key", "");
  kecs_sync__scope_keep(&sql, "a_stamp", "s_stamp", "");
  for (int i = 0; i < info->keys[0].count; i++) {
    const char *name = info->columns[info->keys[0].columns[i]].name;
    char array[KECS_SYNC__SCOPE_NAME];
    snprintf(array, sizeof array, "c_%s", name);
    kecs_sync__scope_keep(&sql, array, name, "");
  }
  kecs_sync__scope_fill(out, &sql, kecs_sync__bury_scope_form);
  kecs_sync__scope_end(&sql);
}

KECS_PG__FN void kecs_sync__scope_append(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                         const char *sent) {
  kecs_sync__scope_sql sql;
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  sql.sent = sent;
  for (int i = 0; i < info->column_count; i++) {
    char array[KECS_SYNC__SCOPE_NAME];
    snprintf(array, sizeof array, "c_%s", info->columns[i].name);
    if (kecs_sync__travels(&info->columns[i])) {
      kecs_sync__scope_keep(&sql, array, info->columns[i].name, "");
    }
  }
  kecs_sync__scope_fill(out, &sql, kecs_sync__append_scope_form);
  kecs_sync__scope_end(&sql);
}

/* ---- sync/hub_gate.c --------------------------------------------------------------------------------------------- */
/* sync/hub_gate.c -- the texts of the gate: for edges that share a login without any right on tables.
 *
 * Each function that an edge calls has a twin, gate_X(token, site, ...) for sync_X(...), which runs as its owner: it
 * compares the token with what is kept of it, sees to it that the call is about the token's own site, and calls the
 * other. The token comes with every call, so no setting, table or transaction says who somebody is. Twins are made from
 * the catalogue, of the functions that are named here and of no others. */

/* A token is kept as its hash. A site that has none costs as much time as one that has another. */
static const char kecs_sync__token_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_tokens(tenant {text} NOT NULL,site {text} NOT NULL,hash bytea NOT NULL,\n"
    "made timestamptz NOT NULL DEFAULT now(),PRIMARY KEY(tenant,site));\n"
    "CREATE OR REPLACE FUNCTION {S}sync_check(whose text,who text,token text) RETURNS bigint LANGUAGE plpgsql STABLE\n"
    "SET search_path=pg_catalog,pg_temp AS $kecs_sync$\n"
    "DECLARE\n"
    "  given bytea := sha256(convert_to(coalesce(token,''),'UTF8'));\n"
    "  kept bytea;\n"
    "  differs integer := 0;\n"
    "BEGIN\n"
    "  SELECT t.hash INTO kept FROM {S}sync_tokens t WHERE t.tenant=whose AND t.site={S}sync_base(who);\n"
    "  IF kept IS NULL THEN\n"
    "    differs := 1;\n"
    "    kept := given;\n"
    "  END IF;\n"
    "  FOR i IN 0..31 LOOP\n"
    "    differs := differs|(get_byte(given,i)#get_byte(kept,i));\n"
    "  END LOOP;\n"
    "  IF differs<>0 THEN\n"
    "    RAISE EXCEPTION 'the token is not that of the site' USING ERRCODE='KS006';\n"
    "  END IF;\n"
    "  RETURN (SELECT s.site FROM {S}sync_sites s WHERE s.tenant=whose AND s.name=who);\n"
    "END $kecs_sync$;\n";

/* $1 is the token, $2 the site's name, and from $3 on come the other's arguments, of which the first is the tenant. A
 * deletion may bear another site's number. */
static const char kecs_sync__gate_form[] =
    "DO $kecs_gate$\n"
    "DECLARE\n"
    "  f record;\n"
    "  calls text;\n"
    "  gives text;\n"
    "  does text;\n"
    "BEGIN\n"
    "  FOR f IN SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid=p.pronamespace\n"
    "      WHERE n.nspname={tables} AND p.proname ~ '^gate_' LOOP\n"
    "    EXECUTE 'DROP FUNCTION '||f.name;\n"
    "  END LOOP;\n"
    "  FOR f IN SELECT p.proname,p.proretset,p.prorettype,p.proallargtypes,p.proargmodes,p.proargnames,\n"
    "      (SELECT string_agg(format_type(x.type,NULL),',' ORDER BY x.place) FROM unnest(p.proargtypes::oid[]) WITH\n"
    "      ORDINALITY AS x(type,place)) AS types,p.pronargs\n"
    "      FROM pg_proc p JOIN pg_namespace n ON n.oid=p.pronamespace WHERE n.nspname={tables} AND p.proname ~\n"
    "      '^sync_(hello|number|told|scopes|window|begin|end|tombs|counters|families|changed|"
    "(append|put|load|stage|bury|rows|found|page|graves|buried|digest|compare)_.*)$'\n"
    "  LOOP\n"
    "    calls := format('%I.%I(%s)',{tables}::text,f.proname,\n"
    "      (SELECT string_agg('$'||x+2,',' ORDER BY x) FROM generate_series(1,f.pronargs) AS x));\n"
    "    SELECT string_agg(format('%I %s',coalesce(nullif(f.proargnames[x],''),'c'||x),\n"
    "      format_type(f.proallargtypes[x],NULL)),',' ORDER BY x) INTO gives\n"
    "      FROM generate_subscripts(f.proargmodes,1) AS x WHERE f.proargmodes[x] IN ('o','t');\n"
    "    does := CASE WHEN f.prorettype='void'::regtype THEN 'PERFORM '||calls\n"
    "      WHEN gives IS NULL THEN 'RETURN '||calls ELSE 'RETURN QUERY SELECT * FROM '||calls END;\n"
    "    EXECUTE format('CREATE FUNCTION %I.%I(text,text,%s) RETURNS %s LANGUAGE plpgsql SECURITY DEFINER '||\n"
    "      'SET search_path=pg_catalog,pg_temp AS %L',{tables}::text,'gate_'||substr(f.proname,6),f.types,\n"
    "      CASE WHEN gives IS NULL THEN format_type(f.prorettype,NULL) ELSE 'TABLE('||gives||')' END,\n"
    "      format('#variable_conflict use_column%sDECLARE number bigint := %I.sync_check($3,$2,$1);%sBEGIN%s',\n"
    "      chr(10),{tables}::text,chr(10),chr(10))||\n"
    "      CASE WHEN f.proargnames[2]='me' AND f.proname !~ '^sync_bury_' THEN\n"
    "        'IF $4 IS DISTINCT FROM number'\n"
    "      WHEN f.proargnames[2]='who' THEN 'IF $4 IS DISTINCT FROM $2' ELSE 'IF number IS NULL' END||\n"
    "      ' THEN RAISE EXCEPTION ''the token is not that of the site'' USING ERRCODE=''KS006''; END IF;'||\n"
    "      chr(10)||\n"
    "      'PERFORM set_config(''kecs_store.sender'',number::text,true),'||\n"
    "      'set_config(''kecs_store.merge'',''off'',true)'||\n"
    "      CASE WHEN f.proname ~ '^sync_(put|load)_' THEN\n"
    "        ',set_config(''kecs_store.site'',number::text,true)' ELSE '' END||';'||chr(10)||does||';'||\n"
    "        chr(10)||'END');\n"
    "  END LOOP;\n"
    "END $kecs_gate$;\n";

KECS_PG__FN void kecs_sync__hub_tokens(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__token_form);
}

KECS_PG__FN void kecs_sync__hub_gates(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__gate_form);
}

/* ---- sync/hub_open.c --------------------------------------------------------------------------------------------- */
/* sync/hub_open.c -- a hub for somebody who is no edge: the store is opened first, for its checks (that the schema is
 * there, and is not a newer one), and what is beyond the store goes over a connection of its own. */

#include <string.h>

/* Whoever switches tracking on makes the hub; for all others it must be there. */
static kecs_status kecs_sync__check_tenant(kecs_store *store, const kecs_sync__visit *visit) {
  kecs_changes_info info;
  kecs_status status = visit->track == KECS_TRACK_ON ? KECS_OK : kecs_changes_describe(store, &info);
  return status || visit->track == KECS_TRACK_ON || info.tracked
             ? status
             : kecs_pg__fail(KECS_E_UNSUPPORTED, "the tenant of the URL is no hub: make one of it by kecs hub init");
}

KECS_PG__FN kecs_status kecs_sync__at_hub(const char *hub, const kecs_sync__visit *visit, void *user) {
  kecs_options options;
  kecs_store *store = NULL;
  if (!hub || !kecs_pg_backend()->answers_to(hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "hub must be the URL of a PostgreSQL database");
  }
  memset(&options, 0, sizeof options);
  options.path = hub;
  options.backends = kecs_pg_backends();
  options.track = visit->track;
  options.read_only = visit->read_only;
  kecs_status status = kecs_open(&options, &store);
  if (status) {
    return status;
  }
  status = kecs_sync__check_tenant(store, visit);
  status = status ? status : visit->work(store, hub, user);
  kecs_error error = *kecs_last_error();
  kecs_status closed = kecs_close(store);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status ? status : closed;
}

KECS_PG__FN kecs_status kecs_sync__over_link(kecs_store *store, const char *hub, bool read_only, int busy_timeout_ms,
                                             kecs_status (*work)(kecs_connection *link, const kecs_place *place,
                                                                 void *user),
                                             void *user) {
  const kecs_backend *backend = kecs_pg_backend();
  const kecs_allocator *allocator = kecs_replica_allocator(store);
  kecs_connect_options options;
  kecs_connection *link = NULL;
  kecs_place place;
  memset(&place, 0, sizeof place);
  memset(&options, 0, sizeof options);
  kecs_status status = backend->attach(hub, allocator, &place);
  options.path = hub;
  options.place = &place;
  options.allocator = allocator;
  options.read_only = read_only;
  options.busy_timeout_ms = busy_timeout_ms;
  status = status ? status : backend->connect(&options, &link);
  status = status ? status : work(link, &place, user);
  kecs_error error = *kecs_last_error();
  if (link) {
    backend->disconnect(link);
  }
  backend->detach(&place, allocator);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status;
}

/* ---- sync/hub_grants.c ------------------------------------------------------------------------------------------- */
/* sync/hub_grants.c -- what an administrator gives sites and takes from them: clusters, tokens, and limits. */

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__GRANT_VALUES = 4, KECS_SYNC__TOKEN_BYTES = (KECS_SYNC_TOKEN_SIZE - 1) / 2 };

/* Statements of one transaction at a hub; the first one's number may be asked for. */
typedef struct kecs_sync__grant {
  const char *site;
  const char *statements[2];
  const char *second; /* the second value of each; NULL: there is none */
  int64_t number;
  const char *more[KECS_SYNC__GRANT_VALUES - 2]; /* the rest of them, where `whole` */
  bool whole;
} kecs_sync__grant;

static kecs_status kecs_sync__grant_send(kecs_sync *sync, kecs_sync__grant *grant) {
  const char *values[KECS_SYNC__GRANT_VALUES] = {grant->site, grant->second, grant->more[0], grant->more[1]};
  int count = grant->whole ? KECS_SYNC__GRANT_VALUES : grant->second ? 2 : 1;
  kecs_sync__exchange exchange;
  kecs_sync__begin(&exchange, sync, true);
  int first = exchange.count;
  for (size_t i = 0; i < sizeof grant->statements / sizeof grant->statements[0]; i++) {
    if (grant->statements[i]) {
      (void)kecs_sync__add_item(&exchange, grant->statements[i], "", values, count);
    }
  }
  kecs_status status = kecs_sync__send(&exchange, "write grants");
  grant->number = status ? 0 : kecs_sync__number(exchange.item[first].result, 0, 0);
  kecs_sync__end(&exchange);
  return status;
}

/* By a handle that is no edge's: only its connection is used. */
static kecs_status kecs_sync__grant_work(kecs_store *store, const char *hub, void *user) {
  kecs_sync__grant *grant = user;
  const kecs_allocator *allocator = kecs_replica_allocator(store);
  kecs_sync *sync = kecs_pg__alloc(allocator, sizeof *sync);
  if (!sync) {
    return KECS_E_NOMEM;
  }
#if !defined(KECS_STORE_NO_THREADS)
  if (pthread_mutex_init(&sync->mutex, NULL) != 0) {
    kecs_pg__release(allocator, sync, sizeof *sync);
    return kecs_pg__fail(KECS_E_NOMEM, "there is no mutex for the connection to the hub");
  }
#endif
  sync->allocator = *allocator;
  sync->store = store;
  sync->clusters.allocator = &sync->allocator;
  sync->hub = kecs_pg__copy(allocator, hub, strlen(hub));
  kecs_status status = sync->hub ? kecs_pg_backend()->attach(sync->hub, &sync->allocator, &sync->place) : KECS_E_NOMEM;
  status = status ? status : kecs_sync__grant_send(sync, grant);
  kecs_error error = *kecs_last_error();
  kecs_sync_close(sync);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status;
}

static kecs_status kecs_sync__grant_do(const char *hub, kecs_sync__grant *grant) {
  static const kecs_sync__visit visit = {KECS_TRACK_KEEP, false, kecs_sync__grant_work};
  return kecs_sync__at_hub(hub, &visit, grant);
}

static kecs_status kecs_sync__grant_check(const char *hub, const char *site) {
  size_t len = site ? strlen(site) : 0;
  if (!hub || !kecs_pg_backend()->answers_to(hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "hub must be the URL of a PostgreSQL database");
  }
  return len > 0 && len <= KECS_SYNC__NAME_MAX
             ? KECS_OK
             : kecs_pg__fail(KECS_E_INVALID, "site must be a name of 1 to %d bytes", (int)KECS_SYNC__NAME_MAX);
}

static kecs_status kecs_sync__grant_cluster(const char *cluster, char out[KECS_SYNC__SCOPE_MAX]) {
  return cluster ? kecs_sync__scope_name(cluster, out)
                 : kecs_pg__fail(KECS_E_INVALID, "cluster is NULL: give its name, its ARN, - or *");
}

KECS_STORE_API kecs_status kecs_sync_hub_grant(const char *hub, const char *site, const char *cluster) {
  static const char all[] = "DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1)";
  static const char one[] =
      "INSERT INTO {S}sync_grants(tenant,site,cluster) VALUES({T},{S}sync_base($1),$2) ON CONFLICT DO NOTHING";
  static const char nothing[] =
      "DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1) AND cluster='' AND $2<>''";
  char name[KECS_SYNC__SCOPE_MAX];
  bool tenant = cluster && strcmp(cluster, "*") == 0;
  kecs_sync__grant grant = {
      .site = site, .statements = {tenant ? all : one, tenant ? NULL : nothing}, .second = tenant ? NULL : name};
  kecs_status status = kecs_sync__grant_check(hub, site);
  status = status || tenant ? status : kecs_sync__grant_cluster(cluster, name);
  return status ? status : kecs_sync__grant_do(hub, &grant);
}

/* The last one leaves an empty name behind: a site without a line has the whole tenant. */
KECS_STORE_API kecs_status kecs_sync_hub_revoke(const char *hub, const char *site, const char *cluster) {
  static const char all[] = "DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1)";
  static const char nothing[] = "INSERT INTO {S}sync_grants(tenant,site,cluster) VALUES({T},{S}sync_base($1),'')";
  static const char one[] =
      "WITH gone AS (DELETE FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1) AND cluster=$2 RETURNING 1),"
      "kept AS (INSERT INTO {S}sync_grants(tenant,site,cluster) SELECT {T},{S}sync_base($1),'' WHERE EXISTS(SELECT "
      "FROM gone) AND (SELECT count(*) FROM {S}sync_grants WHERE tenant={T} AND site={S}sync_base($1))=1) "
      "SELECT count(*) FROM gone";
  char name[KECS_SYNC__SCOPE_MAX];
  bool tenant = cluster && strcmp(cluster, "*") == 0;
  kecs_sync__grant grant = {
      .site = site, .statements = {tenant ? all : one, tenant ? nothing : NULL}, .second = tenant ? NULL : name};
  kecs_status status = kecs_sync__grant_check(hub, site);
  status = status || tenant ? status : kecs_sync__grant_cluster(cluster, name);
  status = status ? status : kecs_sync__grant_do(hub, &grant);
  return status || tenant || grant.number > 0
             ? status
             : kecs_pg__fail(KECS_E_NOT_FOUND,
                             "the site \"%s\" has no grant of %s: one without any has the whole tenant; grant what it "
                             "is to have, or revoke *",
                             site, name);
}

/* ---- tokens ---- */

static kecs_status kecs_sync__token_make(char out_token[KECS_SYNC_TOKEN_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[KECS_SYNC__TOKEN_BYTES];
  FILE *file = fopen("/dev/urandom", "rb");
  size_t count = file ? fread(bytes, 1, sizeof bytes, file) : 0;
  if (file) {
    (void)fclose(file);
  }
  if (count != sizeof bytes) {
    return kecs_pg__fail(KECS_E_IO, "there are no random bits for a token: /dev/urandom can't be read");
  }
  for (size_t i = 0; i < sizeof bytes; i++) {
    out_token[2 * i] = digits[bytes[i] >> 4];
    out_token[2 * i + 1] = digits[bytes[i] & 15];
  }
  out_token[KECS_SYNC_TOKEN_SIZE - 1] = '\0';
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_sync_hub_token(const char *hub, const char *site,
                                               char out_token[KECS_SYNC_TOKEN_SIZE]) {
  static const char make[] =
      "INSERT INTO {S}sync_tokens(tenant,site,hash) VALUES({T},{S}sync_base($1),sha256(convert_to($2,'UTF8'))) "
      "ON CONFLICT(tenant,site) DO UPDATE SET hash=excluded.hash,made=excluded.made";
  static const char take[] = "DELETE FROM {S}sync_tokens WHERE tenant={T} AND site={S}sync_base($1)";
  char token[KECS_SYNC_TOKEN_SIZE] = "";
  kecs_sync__grant grant = {
      .site = site, .statements = {out_token ? make : take, NULL}, .second = out_token ? token : NULL};
  kecs_status status = kecs_sync__grant_check(hub, site);
  status = status || !out_token ? status : kecs_sync__token_make(token);
  status = status ? status : kecs_sync__grant_do(hub, &grant);
  if (out_token) {
    memcpy(out_token, status ? "" : token, status ? 1 : sizeof token);
  }
  return status;
}

/* ---- limits ---- */

KECS_STORE_API kecs_status kecs_sync_hub_limit(const char *hub, const char *site, const kecs_sync_limits *limits) {
  static const char say[] =
      "INSERT INTO {S}sync_limits(tenant,site,every_ms,batch,pause) VALUES({T},{S}sync_base($1),$2,$3,$4) "
      "ON CONFLICT(tenant,site) DO UPDATE SET every_ms=excluded.every_ms,batch=excluded.batch,pause=excluded.pause";
  static const char take[] = "DELETE FROM {S}sync_limits WHERE tenant={T} AND site={S}sync_base($1)";
  char every[24] = "";
  char batch[24] = "";
  kecs_sync__grant grant = {
      .site = site ? site : "", .statements = {limits ? say : take, NULL}, .whole = limits != NULL};
  kecs_status status = kecs_sync__grant_check(hub, site ? site : "*");
  status = status || !limits ? status : kecs_sync__limits_check(limits);
  if (!status && limits) {
    snprintf(every, sizeof every, "%lld", (long long)limits->every_ms);
    snprintf(batch, sizeof batch, "%lld", (long long)limits->batch);
    grant.second = every;
    grant.more[0] = batch;
    grant.more[1] = limits->pause;
  }
  return status ? status : kecs_sync__grant_do(hub, &grant);
}

/* ---- sync/hub.c -------------------------------------------------------------------------------------------------- */
/* sync/hub.c -- making a hub of a tenant: the backend's schema with its change log, and what sync has beyond it. */

#include <string.h>

/* Rows from before the log was switched on have no stamps. */
static void kecs_sync__hub_stamps(kecs_pg__text *out, const kecs_pg__connection *connection,
                                  const kecs_kind_info *info) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema}, {"T", connection->home->tenant}, {"t", info->table}, {NULL, NULL}};
  kecs_pg__text_fill(out, "UPDATE {S}{t} SET stamp_life={S}change_stamp() WHERE tenant={T} AND stamp_life IS NULL;\n",
                     marks);
}

static kecs_status kecs_sync__hub_make(kecs_connection *shared, uint64_t kinds) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const kecs_backend *backend = kecs_pg_backend();
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  char version[KECS_SYNC__VERSION_SIZE];
  kecs_sync__version(version);
  /* Functions call each other, in whatever order they are made. */
  kecs_pg__text_adds(&text, "SET LOCAL client_min_messages=warning;\nSET LOCAL check_function_bodies=off;\n");
  kecs_sync__hub_common(&text, connection, version);
  kecs_sync__hub_buckets(&text, connection);
  kecs_sync__hub_scopes(&text, connection);
  kecs_sync__hub_tokens(&text, connection);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_pg__log_triggers(&text, connection, info); /* an earlier version's may tell of other groups */
    if (kecs_sync__only_grows(info)) {
      kecs_sync__hub_append(&text, connection, info);
      kecs_sync__hub_reads(&text, connection, info);
    } else if (kinds & KECS_BIT(kind)) {
      kecs_sync__hub_kind(&text, connection, info);
      kecs_sync__hub_repair(&text, connection, info);
      kecs_sync__hub_reads(&text, connection, info);
      kecs_sync__hub_stamps(&text, connection, info);
    }
  }
  kecs_sync__hub_retention(&text, connection);
  kecs_sync__hub_gates(&text, connection);
  kecs_status status = text.status ? text.status : backend->begin(shared, true);
  status = status ? status : backend->keep_out(shared);
  status = status ? status : kecs_pg__command(connection, text.data, KECS_PG__STOPS, "make a hub", NULL);
  status = status ? status : backend->commit(shared);
  if (status) {
    kecs_error error = *kecs_last_error();
    backend->rollback(shared);
    kecs_pg__restore(&error);
  }
  kecs_pg__text_free(&text);
  return status;
}

static kecs_status kecs_sync__init_link(kecs_connection *link, const kecs_place *place, void *user) {
  (void)place;
  return kecs_sync__hub_make(link, *(const uint64_t *)user);
}

static kecs_status kecs_sync__init_work(kecs_store *store, const char *hub, void *user) {
  uint64_t kinds = kecs_replica_kinds(store);
  (void)user;
  return kecs_sync__over_link(store, hub, false, 60000, kecs_sync__init_link, &kinds);
}

KECS_STORE_API kecs_status kecs_sync_hub_init(const char *hub) {
  static const kecs_sync__visit visit = {KECS_TRACK_ON, false, kecs_sync__init_work};
  return kecs_sync__at_hub(hub, &visit, NULL);
}

static kecs_status kecs_sync__hub_retain_work(kecs_store *store, const char *hub, void *user) {
  (void)hub;
  return kecs_replica_retain(store, *(const int64_t *)user);
}

KECS_STORE_API kecs_status kecs_sync_hub_retain(const char *hub, int64_t retention_us) {
  static const kecs_sync__visit visit = {KECS_TRACK_KEEP, false, kecs_sync__hub_retain_work};
  return kecs_sync__at_hub(hub, &visit, &retention_us);
}

/* ---- sync/hub_state.c -------------------------------------------------------------------------------------------- */
/* sync/hub_state.c -- how a hub stands: its sites, its feed, and what it asks of its edges. */

#include <string.h>

/* One statement, and its answer. */
typedef struct kecs_sync__question {
  const char *form;
  PGresult *result;
} kecs_sync__question;

static kecs_status kecs_sync__ask_link(kecs_connection *shared, const kecs_place *place, void *user) {
  kecs_sync__question *question = user;
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"T", connection->home->tenant}, {NULL, NULL}};
  kecs_pg__text text = {connection->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text_fill(&text, question->form, marks);
  kecs_status status = text.status ? text.status
                                   : kecs_pg__command(connection, text.data, KECS_PG__STOPS, "ask the hub",
                                                      &question->result);
  if (status && strcmp(kecs_last_error()->sqlstate, "42P01") == 0) {
    status = kecs_pg__fail(KECS_E_UNSUPPORTED, "%s: the database is no hub: run kecs hub init",
                           place->shown);
  }
  kecs_pg__text_free(&text);
  return status;
}

static kecs_status kecs_sync__ask_work(kecs_store *store, const char *hub, void *user) {
  return kecs_sync__over_link(store, hub, true, 10000, kecs_sync__ask_link, user);
}

static kecs_status kecs_sync__ask_hub(const char *hub, const char *form, PGresult **out_result) {
  static const kecs_sync__visit visit = {KECS_TRACK_KEEP, true, kecs_sync__ask_work};
  kecs_sync__question question = {form, NULL};
  kecs_status status = kecs_sync__at_hub(hub, &visit, &question);
  *out_result = question.result;
  return status;
}

KECS_STORE_API kecs_status kecs_sync_hub_sites(const char *hub,
                                               kecs_status (*visit)(const kecs_sync_site *site, void *user),
                                               void *user) {
  PGresult *result = NULL;
  if (!visit) {
    return kecs_pg__fail(KECS_E_INVALID, "visit is NULL");
  }
  kecs_status status = kecs_sync__ask_hub(
      hub,
      "SELECT s.name,s.site,(extract(epoch FROM s.seen)*1000000)::bigint,(extract(epoch FROM "
      "clock_timestamp()-s.seen)*1000000)::bigint,s.acked,s.pushes,(SELECT count(*) FROM {S}sync_refused r WHERE "
      "r.tenant=s.tenant AND r.site=s.site),s.cursor,l.every_ms,l.batch,l.pause FROM {S}sync_sites s CROSS JOIN "
      "LATERAL {S}sync_limits_of(s.tenant,s.name) l WHERE s.tenant={T} ORDER BY s.site",
      &result);
  for (int row = 0; !status && row < PQntuples(result); row++) {
    kecs_sync_site site = {kecs_sync__text(result, row, 0),   kecs_sync__number(result, row, 1),
                           kecs_sync__number(result, row, 2), kecs_sync__number(result, row, 3),
                           kecs_sync__number(result, row, 4), kecs_sync__number(result, row, 5),
                           kecs_sync__number(result, row, 6), kecs_sync__number(result, row, 7),
                           {kecs_sync__number(result, row, 8), kecs_sync__number(result, row, 9), NULL}};
    const char *pause = kecs_sync__text(result, row, 10);
    site.limits.pause = pause[0] ? pause : NULL;
    status = visit(&site, user);
  }
  PQclear(result);
  return status;
}

KECS_STORE_API kecs_status kecs_sync_hub_status(const char *hub, kecs_sync_hub_info *out_info) {
  PGresult *result = NULL;
  if (!out_info) {
    return kecs_pg__fail(KECS_E_INVALID, "out_info is NULL");
  }
  memset(out_info, 0, sizeof *out_info);
  kecs_status status = kecs_sync__ask_hub(
      hub,
      "SELECT (SELECT count(*) FROM {S}sync_sites WHERE tenant={T}),coalesce((SELECT seq FROM {S}change_heads WHERE "
      "tenant={T}),0),coalesce((SELECT value FROM {S}change_state WHERE tenant={T} AND id=1),0),(SELECT count(*) FROM "
      "{S}change_queue WHERE tenant={T}),(SELECT count(*) FROM {S}change_tombstones WHERE tenant={T}),(SELECT count(*) "
      "FROM {S}sync_conflicts WHERE tenant={T}),(SELECT count(*) FROM {S}sync_refused WHERE tenant={T}),"
      "pg_database_size(current_database())",
      &result);
  if (!status) {
    int64_t *const numbers[] = {&out_info->sites,      &out_info->head,      &out_info->floor,   &out_info->queued,
                                &out_info->tombstones, &out_info->conflicts, &out_info->refused, &out_info->bytes};
    for (int i = 0; i < 8; i++) {
      *numbers[i] = kecs_sync__number(result, 0, i);
    }
  }
  PQclear(result);
  return status;
}

/* ---- sync/pack.c ------------------------------------------------------------------------------------------------- */
/* sync/pack.c -- an exchange as it goes over the wire: few statements and few bytes, with the same meaning.
 *
 * - Calls that follow each other and give nothing back are one statement: SELECT f(...),g(...). They run in that order.
 * - A value that is there twice is sent once, one that is NULL not at all, an array of one element as the element.
 *   "$1::bigint" in a call says what a value is, so that it is known for the same one as such an element.
 * - A small page is one statement, whose rows come back as texts: that spares the names of all their columns.
 *
 * The texts that come of it are few, so that they can be prepared, and only their values travel from then on. */

/* ---- sync/pack.h ------------------------------------------------------------------------------------------------- */
/* sync/pack.h -- an exchange as it goes over the wire. */
#ifndef KECS_SYNC_PACK_H
#define KECS_SYNC_PACK_H

/* A value that is sent. */
typedef struct kecs_sync__sent {
  const char *from; /* as the exchange has it */
  const char *type; /* its own, or "{" of an array; NULL: it is not known */
  const char *text; /* what is sent: an array's only element in its place */
  kecs_pg__text element;
} kecs_sync__sent;

/* One statement, for the items from `first` to `last`. */
typedef struct kecs_sync__statement {
  kecs_pg__text sql;
  int first;
  int last;
  bool rows; /* what comes back are rows as texts, which the number of their item leads */
  bool keep; /* worth to be prepared */
  bool parsed; /* it is prepared with this exchange */
  int count;
  kecs_sync__sent *sent; /* the packet's */
  const char **values;
} kecs_sync__statement;

/* Begins zeroed but for the allocator. */
typedef struct kecs_sync__packet {
  const kecs_allocator *allocator;
  bool bare; /* each exchange is a transaction as it is: BEGIN and COMMIT need not be sent */
  int count;
  kecs_sync__statement statement[KECS_SYNC__ITEMS];
  size_t room; /* of both */
  kecs_sync__sent *sent;
  const char **values;
  kecs_status status;
} kecs_sync__packet;

KECS_PG__FN kecs_status kecs_sync__pack(kecs_sync__packet *packet, const kecs_sync__exchange *exchange);
KECS_PG__FN void kecs_sync__pack_free(kecs_sync__packet *packet);

/* Gives each item of a page the rows that are its own. */
KECS_PG__FN kecs_status kecs_sync__unpack(const kecs_sync__statement *packed, kecs_sync__exchange *exchange,
                                          const PGresult *result);

/* The elements of an array of texts as rows of `width` (at most 8) values; "" has none. NULL: there is no memory. */
KECS_PG__FN PGresult *kecs_sync__array_rows(const kecs_allocator *allocator, const char *array, int width);

#endif

/* ---- sync/pack.c, continued -------------------------------------------------------------------------------------- */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KECS_SYNC__PREPARED_SIZE = 32768 /* bytes of values: beyond it a text does not matter */ };

/* ---- values ---- */

/* "{NULL,NULL}" */
static bool kecs_sync__all_null(const char *value) {
  const char *at = value;
  do {
    if (strncmp(at + 1, "NULL", 4) != 0) {
      return false;
    }
    at += 5;
  } while (*at == ',');
  return value[0] == '{' && *at == '}';
}

/* Where an element of an array ends. */
static const char *kecs_sync__element_end(const char *at) {
  if (*at == '"') {
    for (at++; *at && *at != '"'; at++) {
      at += *at == '\\' && at[1] ? 1 : 0;
    }
    return *at ? at + 1 : at;
  }
  return at + strcspn(at, ",}");
}

/* Adds the element of an array that begins at `at`; gives its end. */
static const char *kecs_sync__element(kecs_pg__text *out, const char *at) {
  const char *end = kecs_sync__element_end(at);
  if (*at != '"') {
    kecs_pg__text_add(out, at, (size_t)(end - at));
    return end;
  }
  for (at++; at < end - 1; at++) {
    at += *at == '\\' ? 1 : 0;
    kecs_pg__text_add(out, at, 1);
  }
  return end;
}

/* The element of an array of one, as it is written; its type's name. */
static const char *kecs_sync__only_element(kecs_pg__text *out, const char *array) {
  const char *end = array[0] == '{' && array[1] != '}' ? kecs_sync__element_end(array + 1) : NULL;
  if (!end || end[0] != '}' || end[1] != '\0') {
    return NULL;
  }
  (void)kecs_sync__element(out, array + 1);
  return array[1] == '"' ? "text" : array[1] == 't' || array[1] == 'f' ? "boolean" : "bigint";
}

/* The number of a value among those that are sent: the same as an earlier one's, or a new one. Of values without a type
 * only the same variable is known to have the same one. Takes the element. */
static int kecs_sync__pack_value(kecs_sync__statement *packed, const char *value, const char *type,
                                 kecs_pg__text *element) {
  const char *text = !element ? value : element->data ? element->data : "";
  for (int i = 0; i < packed->count; i++) {
    const kecs_sync__sent *sent = &packed->sent[i];
    bool alike = type && sent->type && strcmp(sent->type, type) == 0 && strcmp(sent->text, text) == 0;
    if (alike || sent->from == value) {
      if (element) {
        kecs_pg__text_free(element);
      }
      return i + 1;
    }
  }
  kecs_sync__sent *sent = &packed->sent[packed->count++];
  sent->from = value;
  sent->type = type;
  sent->text = text;
  if (element) {
    sent->element = *element;
  }
  return packed->count;
}

/* `type`: what the text of the call says of it, or NULL. What begins with a brace is an array. */
static void kecs_sync__pack_argument(kecs_sync__statement *packed, const char *value, const char *type) {
  kecs_pg__text element = {packed->sql.allocator, NULL, 0, 0, KECS_OK};
  char number[48];
  const char *single = kecs_sync__only_element(&element, value);
  packed->sql.status = packed->sql.status ? packed->sql.status : element.status;
  int at = single ? kecs_sync__pack_value(packed, value, single, &element)
                  : kecs_sync__pack_value(packed, value, type ? type : value[0] == '{' ? "{" : NULL, NULL);
  type = single ? single : type;
  snprintf(number, sizeof number, "%s$%d%s%s%s", single ? "ARRAY[" : "", at, type ? "::" : "", type ? type : "",
           single ? "]" : "");
  kecs_pg__text_adds(&packed->sql, number);
}

/* `call`: of a function that takes arrays and numbers. */
static void kecs_sync__pack_parameter(kecs_sync__statement *packed, const char *value, const char *type, bool call) {
  char number[16];
  if (!value || (call && kecs_sync__all_null(value))) {
    kecs_pg__text_adds(&packed->sql, "NULL");
  } else if (call && strcmp(value, "{}") == 0) { /* of any type */
    kecs_pg__text_adds(&packed->sql, "'{}'");
  } else if (call) {
    kecs_sync__pack_argument(packed, value, type);
  } else {
    snprintf(number, sizeof number, "$%d", kecs_sync__pack_value(packed, value, NULL, NULL));
    kecs_pg__text_adds(&packed->sql, number);
  }
}

/* ---- texts ---- */

/* The end of a quoted part: '...', E'...' or "...". */
static const char *kecs_sync__quoted_end(const char *at, bool escapes) {
  char quote = *at++;
  while (*at && (*at != quote || at[1] == quote)) {
    at += (escapes && *at == '\\') || *at == quote ? 1 : 0;
    at += *at ? 1 : 0;
  }
  return *at ? at + 1 : at;
}

/* A statement's text, with its parameters at their new places. */
static void kecs_sync__pack_text(kecs_sync__statement *packed, const char *sql, const char *const *values,
                                 bool call) {
  static const char bigint[] = "::bigint";
  const char *at = sql;
  while (*at) {
    size_t plain = strcspn(at, "'\"$");
    kecs_pg__text_add(&packed->sql, at, plain);
    at += plain;
    if (*at == '$') {
      int number = 0;
      for (at++; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (*at - '0');
      }
      bool cast = call && strncmp(at, bigint, sizeof bigint - 1) == 0;
      at += cast ? sizeof bigint - 1 : 0;
      kecs_sync__pack_parameter(packed, values[number - 1], cast ? "bigint" : NULL, call);
    } else if (*at) {
      const char *end = kecs_sync__quoted_end(at, at > sql && at[-1] == 'E');
      kecs_pg__text_add(&packed->sql, at, (size_t)(end - at));
      at = end;
    }
  }
}

/* Its values come behind those of the one before. */
static kecs_sync__statement *kecs_sync__pack_next(kecs_sync__packet *packet, int item) {
  kecs_sync__statement *packed = &packet->statement[packet->count];
  int used = packet->count ? (int)(packed[-1].sent - packet->sent) + packed[-1].count : 0;
  packet->count++;
  packed->sql.allocator = packet->allocator;
  packed->first = item;
  packed->last = item;
  packed->sent = packet->sent + used;
  packed->values = packet->values + used;
  return packed;
}

static void kecs_sync__pack_calls(kecs_sync__packet *packet, const kecs_sync__exchange *exchange, bool bare) {
  static const char select[] = "SELECT ";
  kecs_sync__statement *packed = NULL;
  for (int i = 0; i < exchange->count; i++) {
    const kecs_sync__item *item = &exchange->item[i];
    if (item->frame && bare) {
      continue;
    }
    if (packed && item->call && exchange->item[i - 1].call) {
      kecs_pg__text_adds(&packed->sql, ",");
      kecs_sync__pack_text(packed, item->sql + strlen(select), item->values, true);
      packed->last = i;
    } else {
      packed = kecs_sync__pack_next(packet, i);
      kecs_sync__pack_text(packed, item->sql, item->values, item->call);
    }
    kecs_pg__text_adds(&packed->sql, item->call ? " c" : ""); /* a column's name travels each time */
  }
}

/* All of a page as one statement: a read of one moment without a transaction around it. */
static void kecs_sync__pack_page(kecs_sync__packet *packet, const kecs_sync__exchange *exchange) {
  kecs_sync__statement *packed = kecs_sync__pack_next(packet, 0);
  char text[64];
  packed->rows = true;
  packed->last = exchange->count - 1;
  for (int i = 0; i < exchange->count; i++) {
    if (!exchange->item[i].frame) {
      snprintf(text, sizeof text, "%sSELECT ROW(%d,x.*)::text r FROM(", packed->sql.len ? " UNION ALL " : "", i);
      kecs_pg__text_adds(&packed->sql, text);
      kecs_sync__pack_text(packed, exchange->item[i].sql, exchange->item[i].values, false);
      kecs_pg__text_adds(&packed->sql, ")x");
    }
  }
}

static kecs_status kecs_sync__pack_room(kecs_sync__packet *packet, const kecs_sync__exchange *exchange) {
  packet->room = 1;
  for (int i = 0; i < exchange->count; i++) {
    packet->room += (size_t)exchange->item[i].count;
  }
  packet->sent = kecs_pg__alloc(packet->allocator, packet->room * sizeof *packet->sent);
  packet->values = kecs_pg__alloc(packet->allocator, packet->room * sizeof *packet->values);
  return packet->sent && packet->values ? KECS_OK : KECS_E_NOMEM;
}

KECS_PG__FN kecs_status kecs_sync__pack(kecs_sync__packet *packet, const kecs_sync__exchange *exchange) {
  kecs_status status = kecs_sync__pack_room(packet, exchange);
  if (status) {
    return status;
  }
  if (exchange->small) {
    kecs_sync__pack_page(packet, exchange);
  } else {
    kecs_sync__pack_calls(packet, exchange, packet->bare && exchange->write);
  }
  for (int s = 0; s < packet->count; s++) {
    kecs_sync__statement *packed = &packet->statement[s];
    size_t bytes = 0;
    for (int i = 0; i < packed->count; i++) {
      packed->values[i] = packed->sent[i].text;
      bytes += strlen(packed->values[i]);
    }
    packed->keep = bytes < KECS_SYNC__PREPARED_SIZE;
    status = status ? status : packed->sql.status;
  }
  return status;
}

KECS_PG__FN void kecs_sync__pack_free(kecs_sync__packet *packet) {
  for (int s = 0; s < packet->count; s++) {
    kecs_sync__statement *packed = &packet->statement[s];
    for (int i = 0; i < packed->count; i++) {
      if (packed->sent[i].element.allocator) {
        kecs_pg__text_free(&packed->sent[i].element);
      }
    }
    kecs_pg__text_free(&packed->sql);
  }
  kecs_pg__release(packet->allocator, packet->sent, packet->room * sizeof *packet->sent);
  kecs_pg__release(packet->allocator, (void *)packet->values, packet->room * sizeof *packet->values);
}

/* ---- rows that came as texts ---- */

/* The next field of "(a,"b ""c""",,)"; false: it is NULL. *at goes to its end. */
static bool kecs_sync__row_field(const char **at, kecs_pg__text *out) {
  const char *from = *at;
  bool quoted = false;
  out->len = 0;
  while (**at && (quoted || (**at != ',' && **at != ')'))) {
    if (**at == '"' && quoted && (*at)[1] == '"') {
      kecs_pg__text_add(out, (*at)++, 1);
    } else if (**at == '"') {
      quoted = !quoted;
    } else {
      *at += **at == '\\' ? 1 : 0;
      kecs_pg__text_add(out, *at, 1);
    }
    (*at)++;
  }
  return *at > from;
}

/* `row` is behind the parenthesis, or the comma of the field before. */
static int kecs_sync__row_width(const char *row) {
  int width = 1;
  bool quoted = false;
  for (const char *at = row; *at; at++) {
    quoted = *at == '"' ? !quoted : quoted;
    width += *at == ',' && !quoted;
    at += *at == '\\' ? 1 : 0;
  }
  return width;
}

enum { KECS_SYNC__WIDTH_MAX = 128 };

static bool kecs_sync__set_width(PGresult *result, int width) {
  char name[] = "c";
  PGresAttDesc columns[KECS_SYNC__WIDTH_MAX];
  memset(columns, 0, sizeof columns);
  for (int i = 0; i < width && i < KECS_SYNC__WIDTH_MAX; i++) {
    columns[i].name = name;
  }
  return width <= KECS_SYNC__WIDTH_MAX && PQsetResultAttrs(result, width, columns);
}

static bool kecs_sync__set_field(PGresult *result, int row, int column, const kecs_pg__text *field, bool set) {
  char empty[] = "";
  return !field->status && PQsetvalue(result, row, column, !set ? NULL : field->len ? field->data : empty,
                                      set ? (int)field->len : -1);
}

static bool kecs_sync__row_set(PGresult *result, const char *row, kecs_pg__text *field) {
  int width = kecs_sync__row_width(row);
  int number = PQntuples(result);
  if (number == 0 && !kecs_sync__set_width(result, width)) {
    return false;
  }
  for (int i = 0; i < width; i++, row++) {
    bool set = kecs_sync__row_field(&row, field);
    if (!kecs_sync__set_field(result, number, i, field, set)) {
      return false;
    }
  }
  return true;
}

KECS_PG__FN kecs_status kecs_sync__unpack(const kecs_sync__statement *packed, kecs_sync__exchange *exchange,
                                          const PGresult *result) {
  kecs_pg__text field = {packed->sql.allocator, NULL, 0, 0, KECS_OK};
  bool good = true;
  for (int i = packed->first; good && i <= packed->last; i++) {
    exchange->item[i].result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    good = exchange->item[i].result != NULL;
  }
  for (int row = 0; good && row < PQntuples(result); row++) {
    char *fields = NULL;
    long item = strtol(kecs_sync__text(result, row, 0) + 1, &fields, 10); /* "(1,..." */
    good = *fields == ',' && item >= packed->first && item <= packed->last &&
           kecs_sync__row_set(exchange->item[item].result, fields + 1, &field);
  }
  kecs_pg__text_free(&field);
  return good ? KECS_OK : KECS_E_NOMEM;
}

KECS_PG__FN PGresult *kecs_sync__array_rows(const kecs_allocator *allocator, const char *array, int width) {
  kecs_pg__text field = {allocator, NULL, 0, 0, KECS_OK};
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  bool good = result && kecs_sync__set_width(result, width);
  const char *at = array[0] == '{' && array[1] != '}' ? array + 1 : "";
  for (int place = 0; good && *at; place++) {
    field.len = 0;
    at = kecs_sync__element(&field, at);
    good = kecs_sync__set_field(result, place / width, place % width, &field, true);
    at += *at ? 1 : 0; /* the comma, or the brace */
  }
  kecs_pg__text_free(&field);
  if (!good) {
    PQclear(result);
    return NULL;
  }
  return result;
}

/* ---- sync/link.c ------------------------------------------------------------------------------------------------- */
/* sync/link.c -- exchanges with the hub: a transaction that is sent whole, in libpq's pipeline mode. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kecs_sync__write_begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
static const char kecs_sync__read_begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/* A form that calls the hub's functions by their twins: "{S}sync_X(" is "{S}gate_X($N,$M,", N the token and M the
 * site's name, which come behind the `count` values. What is about no tenant is everybody's. */
static void kecs_sync__gate(kecs_pg__text *out, const char *form, int count) {
  static const char call[] = "{S}sync_";
  char arguments[48];
  snprintf(arguments, sizeof arguments, "($%d,$%d,", count + 1, count + 2);
  for (const char *at = strstr(form, call); at; at = strstr(form, call)) {
    const char *name = at + sizeof call - 1;
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz_{}");
    bool twin = strncmp(name + len, "({T}", 4) == 0;
    kecs_pg__text_add(out, form, (size_t)((twin ? at : name) - form));
    kecs_pg__text_adds(out, twin ? "{S}gate_" : "");
    kecs_pg__text_add(out, name, len);
    kecs_pg__text_adds(out, twin ? arguments : "");
    form = name + len + twin;
  }
  kecs_pg__text_adds(out, form);
}

/* An item's values with what a twin takes beside them. */
static kecs_status kecs_sync__gate_values(kecs_sync *sync, kecs_sync__item *item) {
  item->with_token = kecs_pg__alloc(&sync->allocator, ((size_t)item->count + 2) * sizeof *item->with_token);
  if (!item->with_token) {
    return KECS_E_NOMEM;
  }
  for (int i = 0; i < item->count; i++) {
    item->with_token[i] = item->values[i];
  }
  item->with_token[item->count++] = sync->token;
  item->with_token[item->count++] = sync->known_as;
  item->values = item->with_token;
  return KECS_OK;
}

KECS_PG__FN int kecs_sync__add_item(kecs_sync__exchange *exchange, const char *form, const char *table,
                                    const char *const *values, int count) {
  kecs_sync *sync = exchange->sync;
  const kecs_pg__home *home = sync->place.own;
  const kecs_pg__mark marks[] = {{"S", home->schema}, {"T", home->tenant}, {"t", table}, {NULL, NULL}};
  kecs_pg__text text = {&sync->allocator, NULL, 0, 0, KECS_OK};
  if (exchange->status || exchange->count == KECS_SYNC__ITEMS) {
    exchange->status = exchange->status ? exchange->status : kecs_pg__fail(KECS_E_MISUSE, "an exchange is too long");
    return 0;
  }
  kecs_pg__text gated = {&sync->allocator, NULL, 0, 0, KECS_OK};
  if (sync->token) {
    kecs_sync__gate(&gated, form, count);
  }
  kecs_pg__text_fill(&text, gated.data ? gated.data : form, marks);
  text.status = text.status ? text.status : gated.status;
  bool twin = gated.data && strcmp(gated.data, form) != 0;
  kecs_pg__text_free(&gated);
  kecs_sync__item *item = &exchange->item[exchange->count];
  item->sql = text.status ? NULL : kecs_pg__copy(&sync->allocator, text.data, text.len);
  item->count = count;
  item->values = values;
  item->result = NULL;
  item->with_token = NULL;
  item->call = false;
  item->frame = false;
  exchange->status = text.status ? text.status : item->sql ? KECS_OK : KECS_E_NOMEM;
  kecs_pg__text_free(&text);
  if (twin && !exchange->status) {
    exchange->status = kecs_sync__gate_values(sync, item);
  }
  return exchange->count++;
}

KECS_PG__FN int kecs_sync__add_call(kecs_sync__exchange *exchange, const char *form, const char *table,
                                    const char *const *values, int count) {
  int at = kecs_sync__add_item(exchange, form, table, values, count);
  exchange->item[at].call = !exchange->status;
  return at;
}

static void kecs_sync__add_frame(kecs_sync__exchange *exchange, const char *form) {
  int at = kecs_sync__add_item(exchange, form, "", NULL, 0);
  exchange->item[at].frame = !exchange->status;
}

KECS_PG__FN void kecs_sync__begin(kecs_sync__exchange *exchange, kecs_sync *sync, bool write) {
  memset(exchange, 0, sizeof *exchange);
  exchange->sync = sync;
  exchange->write = write;
  kecs_sync__add_frame(exchange, write ? kecs_sync__write_begin : kecs_sync__read_begin);
  if (write) {
    kecs_sync__add_frame(exchange, "SET LOCAL lock_timeout=10000");
  }
}

/* Where nothing has counted the table yet, a page would be planned as a sort of all that is left of it. */
KECS_PG__FN void kecs_sync__begin_page(kecs_sync__exchange *exchange, kecs_sync *sync) {
  kecs_sync__begin(exchange, sync, false);
  kecs_sync__add_frame(exchange, "SET LOCAL enable_sort=off");
}

KECS_PG__FN void kecs_sync__go_on(kecs_sync__exchange *exchange, kecs_sync *sync) {
  memset(exchange, 0, sizeof *exchange);
  exchange->sync = sync;
  exchange->write = true;
  exchange->goes_on = true;
}

KECS_PG__FN void kecs_sync__end(kecs_sync__exchange *exchange) {
  for (int i = 0; i < exchange->count; i++) {
    kecs_sync__item *item = &exchange->item[i];
    if (item->with_token) {
      kecs_pg__release(&exchange->sync->allocator, item->with_token, (size_t)item->count * sizeof *item->with_token);
    }
    PQclear(exchange->item[i].result);
    kecs_pg__release_text(&exchange->sync->allocator, exchange->item[i].sql);
  }
  exchange->count = 0;
}

KECS_PG__FN void kecs_sync__hang_up(kecs_sync *sync) {
  if (sync->link) {
    kecs_pg__disconnect((kecs_connection *)(void *)sync->link);
    sync->link = NULL;
  }
}

KECS_PG__FN void kecs_sync__flag_set(int *flag, int value) {
  __atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

KECS_PG__FN int kecs_sync__flag_get(const int *flag) {
  return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static bool kecs_sync__should_stop(void *user) {
  kecs_sync *sync = user;
  return kecs_sync__flag_get(&sync->stopped) != 0 || kecs_sync__flag_get(&sync->ending) != 0;
}

static kecs_status kecs_sync__connect(kecs_sync *sync) {
  kecs_connect_options options;
  kecs_connection *connection = NULL;
  if (sync->link && kecs_pg__alive(sync->link)) {
    return KECS_OK;
  }
  kecs_sync__hang_up(sync);
  memset(&options, 0, sizeof options);
  options.path = sync->hub;
  options.place = &sync->place;
  options.allocator = &sync->allocator;
  options.busy_timeout_ms = 10000;
  options.should_stop = kecs_sync__should_stop;
  options.should_stop_user = sync;
  kecs_status status = kecs_pg__connect(&options, &connection);
  if (status == KECS_E_READONLY) {
    status = kecs_pg__fail(KECS_E_READONLY,
                           "%s: the server is a standby, which takes nothing; name the primary in the hub's URL, too "
                           "(host1,host2), or promote it: nothing was lost, and the next round goes on",
                           sync->place.shown);
  }
  sync->link = status ? NULL : kecs_pg__of(connection);
  sync->prepared_count = 0;
  kecs_sync__lock(sync);
  sync->told.connects += status ? 0 : 1;
  kecs_sync__unlock(sync);
  return status;
}

/* States of the hub's functions. */
static kecs_status kecs_sync__refusal(kecs_sync *sync, const PGresult *result, const char *doing, bool begins) {
  static const struct {
    const char *state;
    kecs_status status;
    const char *advice;
  } states[] = {
      {"KS001", KECS_E_CONFLICT,
       "two devices have this site's name, or the file was copied or restored. Nothing was written; docs/sync.md 9"},
      {"KS002", KECS_E_CONFLICT, "nothing was pushed"},
      {"KS006", KECS_E_DENIED,
       "nothing was lost. Give the site the token that kecs hub token has made for it: options.token, or KECS_TOKEN"},
      {"KS003", KECS_E_UNSUPPORTED, "nothing was written"},
      {"42883", KECS_E_UNSUPPORTED, "make a hub of it: kecs hub init"},
      {"42P01", KECS_E_UNSUPPORTED, "make a hub of it: kecs hub init"},
  };
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  for (size_t i = 0; state && said && i < sizeof states / sizeof states[0]; i++) {
    if (strcmp(states[i].state, state) == 0) {
      char text[sizeof kecs_last_error()->text];
      snprintf(text, sizeof text, "%s: could not %s: %.200s; %s", sync->place.shown, doing, said, states[i].advice);
      return kecs_backend_fail(states[i].status, 0, state, text);
    }
  }
  return begins ? kecs_pg__fail_begin(sync->place.shown, result, doing)
                : kecs_pg__fail_result(sync->place.shown, result, doing);
}

/* ---- bytes ---- */

/* The sizes of messages in PostgreSQL's protocol, version 3: one byte, a length of four, and what is in it. */
enum {
  KECS_SYNC__SYNC_BYTES = 5,
  KECS_SYNC__READY_BYTES = 6,
  KECS_SYNC__PARSED_BYTES = 5,
  KECS_SYNC__BOUND_BYTES = 5,
  KECS_SYNC__NO_DATA_BYTES = 5,
  KECS_SYNC__FIELD_BYTES = 19,   /* of a column's description, with its name's terminator */
  KECS_SYNC__EXECUTE_BYTES = 17  /* Describe and Execute of the portal without a name */
};

static int64_t kecs_sync__parse_bytes(const char *name, const kecs_sync__statement *packed) {
  return 5 + (int64_t)strlen(name) + 1 + (int64_t)packed->sql.len + 1 + 2;
}

static int64_t kecs_sync__bind_bytes(const char *name, const kecs_sync__statement *packed) {
  int64_t bytes = 5 + 1 + (int64_t)strlen(name) + 1 + 2 + 2 + 4;
  for (int i = 0; i < packed->count; i++) {
    bytes += 4 + (packed->values[i] ? (int64_t)strlen(packed->values[i]) : 0);
  }
  return bytes + KECS_SYNC__EXECUTE_BYTES;
}

static int64_t kecs_sync__result_bytes(const PGresult *result) {
  int fields = PQnfields(result);
  int64_t bytes = KECS_SYNC__BOUND_BYTES + 5 + (int64_t)strlen(PQcmdStatus((PGresult *)(void *)(uintptr_t)result)) + 1;
  bytes += PQresultStatus(result) == PGRES_TUPLES_OK ? 7 : KECS_SYNC__NO_DATA_BYTES;
  for (int column = 0; column < fields; column++) {
    bytes += KECS_SYNC__FIELD_BYTES + (int64_t)strlen(PQfname(result, column));
  }
  for (int row = 0; row < PQntuples(result); row++) {
    bytes += 7 + 4 * (int64_t)fields;
    for (int column = 0; column < fields; column++) {
      bytes += PQgetlength(result, row, column);
    }
  }
  return bytes;
}

/* ---- sending ---- */

/* The number of a text that is prepared on the link, or will be with this exchange; 0: it is not. */
static int kecs_sync__prepared(kecs_sync *sync, const kecs_sync__statement *packed, bool *out_anew) {
  kecs_pg__name text = kecs_pg__name_of(packed->sql.data, packed->sql.len);
  *out_anew = false;
  if (!packed->keep || !sync->link->named) {
    return 0;
  }
  for (int i = 0; i < sync->prepared_count; i++) {
    if (sync->prepared[i].low == text.low && sync->prepared[i].high == text.high) {
      return i + 1;
    }
  }
  if (sync->prepared_count == KECS_SYNC__PREPARED) {
    return 0;
  }
  *out_anew = true;
  sync->prepared[sync->prepared_count++] = text;
  return sync->prepared_count;
}

static bool kecs_sync__send_statement(kecs_sync *sync, kecs_sync__statement *packed) {
  PGconn *pg = sync->link->pg;
  char name[16] = "";
  bool anew = false;
  int number = kecs_sync__prepared(sync, packed, &anew);
  if (number == 0) {
    sync->report.bytes_out += kecs_sync__parse_bytes("", packed) + kecs_sync__bind_bytes("", packed);
    sync->report.bytes_in += KECS_SYNC__PARSED_BYTES;
    return PQsendQueryParams(pg, packed->sql.data, packed->count, NULL, packed->values, NULL, NULL, 0);
  }
  snprintf(name, sizeof name, "k%d", number);
  packed->parsed = anew;
  if (anew) {
    sync->report.bytes_out += kecs_sync__parse_bytes(name, packed);
    sync->report.bytes_in += KECS_SYNC__PARSED_BYTES;
  }
  sync->report.bytes_out += kecs_sync__bind_bytes(name, packed);
  return (!anew || PQsendPrepare(pg, name, packed->sql.data, 0, NULL)) &&
         PQsendQueryPrepared(pg, name, packed->count, packed->values, NULL, NULL, 0);
}

static bool kecs_sync__send_packet(kecs_sync *sync, kecs_sync__packet *packet) {
  bool sent = PQenterPipelineMode(sync->link->pg);
  for (int i = 0; sent && i < packet->count; i++) {
    sent = kecs_sync__send_statement(sync, &packet->statement[i]);
  }
  sync->report.bytes_out += KECS_SYNC__SYNC_BYTES;
  return sent && PQpipelineSync(sync->link->pg);
}

/* One result; NULL: the connection is lost, or given up since the round is to end. */
static PGresult *kecs_sync__receive(kecs_sync *sync, int64_t *stopped_at) {
  if (!kecs_pg__await(sync->link, KECS_PG__STOPS, stopped_at)) {
    return NULL;
  }
  PGresult *result = PQgetResult(sync->link->pg);
  if (result && PQresultStatus(result) == PGRES_FATAL_ERROR && !PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
    PQclear(result);
    return NULL;
  }
  if (result && (!kecs_pg__await(sync->link, KECS_PG__STOPS, stopped_at) || PQgetResult(sync->link->pg))) {
    PQclear(result);
    return NULL;
  }
  return result;
}

/* The answer to one statement; false: the connection is lost. */
static bool kecs_sync__receive_statement(kecs_sync__exchange *exchange, const kecs_sync__statement *packed,
                                         const char *doing, kecs_status *status, int64_t *stopped_at) {
  kecs_sync *sync = exchange->sync;
  PGresult *result = NULL;
  for (int answers = packed->parsed ? 2 : 1; answers > 0; answers--) { /* to Parse, and to the rest */
    PQclear(result);
    result = kecs_sync__receive(sync, stopped_at);
    if (!result) {
      return false;
    }
    if (!*status && PQresultStatus(result) == PGRES_FATAL_ERROR) {
      *status = kecs_sync__refusal(sync, result, doing, exchange->item[packed->first].frame);
    }
  }
  sync->report.bytes_in += kecs_sync__result_bytes(result);
  if (packed->rows) {
    *status = *status ? *status : kecs_sync__unpack(packed, exchange, result);
    PQclear(result);
  } else {
    exchange->item[packed->last].result = result; /* of calls that went together, the last one's is the last value */
  }
  return true;
}

KECS_PG__FN kecs_status kecs_sync__fail_stopped(const kecs_sync *sync, const char *doing) {
  return kecs_pg__fail(KECS_E_CANCELLED, "%s: stopped when it was to %s; the next round goes on", sync->place.shown,
                       doing);
}

KECS_PG__FN kecs_status kecs_sync__fail_link(kecs_sync *sync, const char *doing) {
  if (kecs_sync__should_stop(sync)) {
    return kecs_sync__fail_stopped(sync, doing);
  }
  return sync->link ? kecs_pg__fail_lost(sync->place.shown, sync->link->pg, doing)
                    : kecs_pg__fail(KECS_E_OFFLINE, "%s: the connection was lost when it was to %s", sync->place.shown,
                                    doing);
}

static kecs_status kecs_sync__send_over(kecs_sync__exchange *exchange, kecs_sync__packet *packet, const char *doing) {
  kecs_sync *sync = exchange->sync;
  kecs_status status = KECS_OK;
  int64_t stopped_at = 0;
  sync->report.round_trips++;
  sync->sent_us = kecs_replica_now(sync->store); /* a new connection has been made by now */
  bool good = kecs_sync__send_packet(sync, packet);
  if (good && exchange->meanwhile) {
    exchange->meanwhile(exchange->user);
  }
  for (int i = 0; good && i < packet->count; i++) {
    good = kecs_sync__receive_statement(exchange, &packet->statement[i], doing, &status, &stopped_at);
  }
  if ((!good && !status) || (status && kecs_sync__should_stop(sync))) {
    status = kecs_sync__fail_link(sync, doing);
  }
  PGresult *synced = good && !status && kecs_pg__await(sync->link, KECS_PG__STOPS, &stopped_at)
                         ? PQgetResult(sync->link->pg)
                         : NULL;
  if (!status && (!synced || PQresultStatus(synced) != PGRES_PIPELINE_SYNC || !PQexitPipelineMode(sync->link->pg))) {
    status = kecs_sync__fail_link(sync, doing);
  }
  sync->report.bytes_in += synced ? KECS_SYNC__READY_BYTES : 0;
  PQclear(synced);
  return status;
}

/* What goes on in a transaction has no other connection. */
static kecs_status kecs_sync__link(const kecs_sync__exchange *exchange, const char *doing) {
  kecs_sync *sync = exchange->sync;
  if (!exchange->goes_on) {
    return kecs_sync__connect(sync);
  }
  return sync->link && kecs_pg__alive(sync->link) ? KECS_OK : kecs_sync__fail_link(sync, doing);
}

static kecs_status kecs_sync__send_packed(kecs_sync__exchange *exchange, const char *doing) {
  kecs_sync *sync = exchange->sync;
  if (kecs_sync__should_stop(sync)) {
    return kecs_sync__fail_stopped(sync, doing);
  }
  kecs_status status = exchange->status ? exchange->status : kecs_sync__link(exchange, doing);
  if (status) {
    return kecs_sync__should_stop(sync) ? kecs_sync__fail_stopped(sync, doing) : status;
  }
  kecs_sync__packet *packet = kecs_pg__alloc(&sync->allocator, sizeof *packet);
  if (!packet) {
    return KECS_E_NOMEM;
  }
  packet->allocator = &sync->allocator;
  packet->bare = sync->link->settled && !exchange->stays && !exchange->goes_on;
  status = kecs_sync__pack(packet, exchange);
  status = status ? status : kecs_sync__send_over(exchange, packet, doing);
  kecs_sync__pack_free(packet);
  kecs_pg__release(&sync->allocator, packet, sizeof *packet);
  return status;
}

/* After a failure nothing of the exchange may be left on the connection: an answer, or a transaction that another
 * exchange has begun and this one was to end. What came next would be done in that, and never committed. */
KECS_PG__FN kecs_status kecs_sync__send(kecs_sync__exchange *exchange, const char *doing) {
  if (!exchange->stays) {
    kecs_sync__add_frame(exchange, "COMMIT");
  }
  kecs_status status = kecs_sync__send_packed(exchange, doing);
  if (status) {
    kecs_error error = *kecs_last_error();
    kecs_sync__hang_up(exchange->sync);
    kecs_pg__restore(&error);
  }
  return status;
}

KECS_PG__FN const char *kecs_sync__text(const PGresult *result, int row, int column) {
  return row < PQntuples(result) && column < PQnfields(result) ? PQgetvalue(result, row, column) : "";
}

KECS_PG__FN int64_t kecs_sync__number(const PGresult *result, int row, int column) {
  return strtoll(kecs_sync__text(result, row, column), NULL, 10);
}

/* ---- sync/notes.c ------------------------------------------------------------------------------------------------ */
/* sync/notes.c -- what the edge knows between rounds, in its own file. */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

KECS_PG__FN kecs_value kecs_sync__value_int(int64_t number) {
  kecs_value value = {KECS_VALUE_INT, 0, NULL, number};
  return value;
}

KECS_PG__FN kecs_value kecs_sync__value_text(const char *text) {
  kecs_value value = {text ? KECS_VALUE_TEXT : KECS_VALUE_NULL, text ? strlen(text) : 0, text, 0};
  return value;
}

/* The names in sync_state, and where their values go: a text, or a number. */
typedef struct kecs_sync__note_place {
  const char *name;
  size_t offset;
  size_t size; /* of a text; 0: a number */
} kecs_sync__note_place;

#define KECS_SYNC__NUMBER(name, member) \
  { name, offsetof(kecs_sync__notes, member), 0 }
#define KECS_SYNC__TEXT(name, member) \
  { name, offsetof(kecs_sync__notes, member), sizeof(((kecs_sync__notes *)NULL)->member) }

static const kecs_sync__note_place kecs_sync__note_places[] = {
    KECS_SYNC__TEXT("hub", hub),
    KECS_SYNC__TEXT("push", push),
    KECS_SYNC__TEXT("alias", alias),
    KECS_SYNC__NUMBER("pushes", pushes),
    KECS_SYNC__NUMBER("former", former),
    KECS_SYNC__NUMBER("repair", repair),
    KECS_SYNC__NUMBER("repair_cause", repair_cause),
    KECS_SYNC__NUMBER("repair_kind", repair_kind),
    KECS_SYNC__NUMBER("repair_rid", repair_rid),
    KECS_SYNC__NUMBER("offset", offset),
    KECS_SYNC__NUMBER("offset_trip", offset_trip),
    KECS_SYNC__NUMBER("offset_at", offset_at),
    KECS_SYNC__NUMBER("retention", retention),
    KECS_SYNC__NUMBER("site", site),
    KECS_SYNC__NUMBER("acked", acked),
    KECS_SYNC__NUMBER("adopted", adopted),
    KECS_SYNC__NUMBER("cursor", cursor),
    KECS_SYNC__TEXT("cursor_id", cursor_id),
    KECS_SYNC__NUMBER("seen", seen),
    KECS_SYNC__TEXT("seen_id", seen_id),
    KECS_SYNC__NUMBER("seen_us", seen_us),
    KECS_SYNC__NUMBER("boot_kind", boot_kind),
    KECS_SYNC__NUMBER("boot_rid", boot_rid),
    KECS_SYNC__NUMBER("last", last_us),
    KECS_SYNC__TEXT("intent_id", intent.id),
    KECS_SYNC__NUMBER("intent_seq", intent.seq),
    KECS_SYNC__NUMBER("intent_stamp", intent.stamp),
    KECS_SYNC__NUMBER("intent_tries", intent.tries),
};

static kecs_status kecs_sync__note_visit(const kecs_value *values, void *user) {
  kecs_sync__notes *notes = user;
  for (size_t i = 0; i < sizeof kecs_sync__note_places / sizeof kecs_sync__note_places[0]; i++) {
    const kecs_sync__note_place *place = &kecs_sync__note_places[i];
    char *at = (char *)notes + place->offset;
    if (strcmp(values[0].text, place->name) != 0) {
      continue;
    }
    if (place->size > 0) {
      snprintf(at, place->size, "%s", values[1].text);
    } else {
      int64_t number = strtoll(values[1].text, NULL, 10);
      memcpy(at, &number, sizeof number);
    }
  }
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__notes_of(kecs_store *store, kecs_sync__notes *out_notes) {
  memset(out_notes, 0, sizeof *out_notes);
  kecs_status status = kecs_replica_sql(store, "SELECT name,value FROM {sync_state} WHERE {own}true", NULL, 0, 2,
                                        kecs_sync__note_visit, out_notes);
  out_notes->booted = out_notes->boot_kind >= KECS_KIND_COUNT + 1;
  return status;
}

KECS_PG__FN kecs_status kecs_sync__notes_read(kecs_sync *sync) {
  return kecs_sync__notes_of(sync->store, &sync->notes);
}

KECS_PG__FN kecs_status kecs_sync__note(kecs_store *tx, const char *name, const char *value) {
  kecs_value values[] = {kecs_sync__value_text(name), kecs_sync__value_text(value)};
  return kecs_replica_sql(
      tx,
      "INSERT INTO {sync_state}({tenant}name,value) VALUES({ours}?1,?2) ON CONFLICT(name) DO UPDATE SET "
      "value=excluded.value",
      values, 2, 0, NULL, NULL);
}

KECS_PG__FN kecs_status kecs_sync__note_number(kecs_store *tx, const char *name, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  return kecs_sync__note(tx, name, text);
}

static kecs_status kecs_sync__count_visit(const kecs_value *values, void *user) {
  *(int64_t *)user = values[0].number;
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__count(kecs_store *store, const char *sql, int64_t *out_count) {
  *out_count = 0;
  return kecs_replica_sql(store, sql, NULL, 0, 1, kecs_sync__count_visit, out_count);
}

KECS_PG__FN kecs_status kecs_sync__transact(kecs_sync *sync, kecs_status (*work)(kecs_store *tx, void *user),
                                            void *user) {
  return kecs_transact(sync->store, work, user, 0);
}

KECS_PG__FN kecs_replica kecs_sync__side(const kecs_sync *sync) {
  bool went_back = sync->notes.repair && (sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST));
  kecs_replica side;
  memset(&side, 0, sizeof side);
  side.site = sync->notes.site;
  side.acked = sync->notes.acked;
  side.kinds = sync->kinds;
  side.former = sync->notes.former;
  side.policies = sync->policies;
  side.policy_count = sync->policy_count;
  side.merge = sync->merge;
  side.user = sync->user;
  side.doubts = went_back;
  return side;
}

KECS_PG__FN void kecs_sync__array_add(kecs_pg__text *array, const char *text) {
  kecs_pg__text_adds(array, array->len == 0 ? "{" : ",");
  if (!text) {
    kecs_pg__text_adds(array, "NULL");
    return;
  }
  kecs_pg__text_adds(array, "\"");
  while (*text) {
    size_t plain = strcspn(text, "\"\\");
    kecs_pg__text_add(array, text, plain);
    text += plain;
    if (*text) {
      kecs_pg__text_adds(array, "\\");
      kecs_pg__text_add(array, text++, 1);
    }
  }
  kecs_pg__text_adds(array, "\"");
}

KECS_PG__FN void kecs_sync__array_int(kecs_pg__text *array, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%s%lld", array->len == 0 ? "{" : ",", (long long)number);
  kecs_pg__text_adds(array, text);
}

KECS_PG__FN void kecs_sync__array_bool(kecs_pg__text *array, bool value) {
  kecs_pg__text_adds(array, array->len == 0 ? "{" : ",");
  kecs_pg__text_adds(array, value ? "t" : "f");
}

KECS_PG__FN void kecs_sync__array_end(kecs_pg__text *array) {
  kecs_pg__text_adds(array, array->len == 0 ? "{}" : "}");
}

/* ---- sync/collect.c ---------------------------------------------------------------------------------------------- */
/* sync/collect.c -- states are put together for a push: as arrays, one a column, or as what a COPY takes. */

/* ---- sync/push.h ------------------------------------------------------------------------------------------------- */
/* sync/push.h -- states that go to the hub: how they are collected as arrays, and sent as one push. */
#ifndef KECS_SYNC_PUSH_H
#define KECS_SYNC_PUSH_H

enum {
  KECS_SYNC__PUT_FIXED = 8,  /* key, mask, three stamps with their sites */
  KECS_SYNC__BURY_FIXED = 2, /* key, stamp */
  KECS_SYNC__PARTLY = 8,     /* in a mask: what is not pending did not come along */
  KECS_SYNC__ARRAYS = 64 + KECS_SYNC__PUT_FIXED
};

/* What an intent is of, in the place of a sequence of the log. */
enum { KECS_SYNC__OF_REFUSED = 0, KECS_SYNC__OF_REPUSH = -1 };

/* A kind's rows, as arrays, or as what a COPY takes. */
typedef struct kecs_sync__arrays {
  bool copied; /* the first of the texts is what a COPY takes, and there is no other */
  kecs_pg__text array[KECS_SYNC__ARRAYS];
  const char *values[KECS_SYNC__ARRAYS + 2]; /* site and cursor before them */
  int count;
  int64_t rows;
} kecs_sync__arrays;

typedef struct kecs_sync__load {
  kecs_sync *sync;
  kecs_sync__arrays *put[KECS_KIND_COUNT];
  kecs_sync__arrays *bury[KECS_KIND_COUNT];
  int64_t rows;
  bool buries;
  bool copies;                 /* rows of it go by COPY */
  const kecs_replica_end *end; /* with how many entries it is made of, before the first state comes; NULL: few */
  kecs_sync__policy_rows *policy[KECS_KIND_COUNT]; /* what rules need of the rows */

  void (*meanwhile)(void *user); /* done while the hub merges it; NULL: nothing */
  void *user;
  bool partly;    /* rows go without the groups that are not pending, where the hub has the row */
  int64_t origin; /* the site that made the tombstones: those of one go together */
} kecs_sync__load;

/* Keys of rows that are sent beside the log. */
typedef struct kecs_sync__key {
  kecs_kind kind;
  char *key;
  bool sent;
  struct kecs_sync__key *next;
} kecs_sync__key;

typedef struct kecs_sync__keys {
  kecs_sync *sync;
  kecs_sync__key *first;
} kecs_sync__keys;

/* A site's number as it travels. */
KECS_PG__FN int64_t kecs_sync__wire_site(const kecs_sync *sync, int64_t site);

KECS_PG__FN kecs_sync__arrays *kecs_sync__arrays_of(kecs_sync *sync, kecs_sync__arrays **slot);

/* Adds a row to those of a COPY: its key, then each value, in their order (load.c). */
KECS_PG__FN void kecs_sync__copied_key(kecs_sync__arrays *put, const kecs_sync *sync, const kecs_replica_row *row);
KECS_PG__FN void kecs_sync__copied_int(kecs_sync__arrays *put, int64_t number);
KECS_PG__FN void kecs_sync__copied_value(kecs_sync__arrays *put, const kecs_column_info *column,
                                         const kecs_value *value);

/* Begins a transaction at the hub and copies a load's rows. The exchange that goes on there ends it. Where this login
 * may make no table, sync->no_stage is set: the same goes as arrays. */
KECS_PG__FN kecs_status kecs_sync__load_copies(kecs_sync *sync, kecs_sync__load *load, const char *site);

/* Adds a key's parts to the arrays from KECS_SYNC__BURY_FIXED on. */
KECS_PG__FN void kecs_sync__load_key(kecs_sync__arrays *bury, const kecs_kind_info *info, const char *key);

/* Adds a state to a load (`user`). */
KECS_PG__FN kecs_status kecs_sync__load_visit(const kecs_replica_row *row, void *user);
/* The same for a row or a deletion that was refused. */
KECS_PG__FN kecs_status kecs_sync__load_again(const kecs_replica_row *row, void *user);
KECS_PG__FN void kecs_sync__load_begin(kecs_sync__load *load, kecs_sync *sync);
KECS_PG__FN void kecs_sync__load_free(kecs_sync__load *load);

/* Adds a line (kind, key) to kecs_sync__keys (`user`), before those that are there. */
KECS_PG__FN kecs_status kecs_sync__key_visit(const kecs_value *values, void *user);
KECS_PG__FN void kecs_sync__keys_free(kecs_sync__keys *keys);

/* Notes a push, durably: one with a new id, or again the one that was left over. And sends what the intent is of: one
 * exchange, whose result is noted. */
KECS_PG__FN kecs_status kecs_sync__intend(kecs_sync *sync, int64_t seq, int64_t stamp);
KECS_PG__FN kecs_status kecs_sync__push_send(kecs_sync *sync, kecs_sync__load *load);

/* Sends what a repair has found missing at the hub (repush.c). */
KECS_PG__FN kecs_status kecs_sync__repush(kecs_sync *sync);

/* Forgets the keys that were sent, in the transaction of their acknowledgement. */
KECS_PG__FN kecs_status kecs_sync__repushed(kecs_store *tx, const kecs_sync *sync);

#endif

/* ---- sync/collect.c, continued ----------------------------------------------------------------------------------- */
#include <stdlib.h>
#include <string.h>

KECS_PG__FN kecs_sync__arrays *kecs_sync__arrays_of(kecs_sync *sync, kecs_sync__arrays **slot) {
  if (!*slot) {
    *slot = kecs_pg__alloc(&sync->allocator, sizeof **slot);
    for (int i = 0; *slot && i < KECS_SYNC__ARRAYS; i++) {
      (*slot)->array[i].allocator = &sync->allocator;
    }
  }
  return *slot;
}

static void kecs_sync__array_value(kecs_pg__text *array, const kecs_column_info *column, const kecs_value *value) {
  if (value->type == KECS_VALUE_NULL) {
    kecs_sync__array_add(array, NULL);
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs_sync__array_add(array, value->text);
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_sync__array_bool(array, value->number != 0);
  } else {
    kecs_sync__array_int(array, value->number);
  }
}

KECS_PG__FN int64_t kecs_sync__wire_site(const kecs_sync *sync, int64_t site) {
  return site == KECS_REPLICA_HERE ? sync->notes.site : site;
}

/* `row` is NULL for a deletion. */
static kecs_status kecs_sync__load_policy(kecs_sync__load *load, kecs_kind kind, const kecs_replica_row *row) {
  kecs_sync__policy_rows **slot = &load->policy[kind];
  if (!kecs_sync__policy_any(load->sync, kind)) {
    return KECS_OK;
  }
  *slot = *slot ? *slot : kecs_pg__alloc(&load->sync->allocator, sizeof **slot);
  if (*slot && row) {
    kecs_sync__policy_row(load->sync, *slot, row);
  }
  return *slot ? KECS_OK : KECS_E_NOMEM;
}

/* Whether a column goes with a row of which only some groups do: these, and the key. */
static bool kecs_sync__goes(const kecs_kind_info *info, int column, unsigned pending) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return (info->columns[column].group == KECS_GROUP_SPEC && (pending & 1U << KECS_REPLICA_SPEC)) ||
         (info->columns[column].group == KECS_GROUP_STATUS && (pending & 1U << KECS_REPLICA_STATUS));
}

static void kecs_sync__put_int(kecs_sync__arrays *put, int at, int64_t number) {
  if (put->copied) {
    kecs_sync__copied_int(put, number);
  } else {
    kecs_sync__array_int(&put->array[at], number);
  }
}

static void kecs_sync__put_value(kecs_sync__arrays *put, int at, const kecs_column_info *column,
                                 const kecs_value *value) {
  if (put->copied) {
    kecs_sync__copied_value(put, column, value);
  } else {
    kecs_sync__array_value(&put->array[at], column, value);
  }
}

/* Begins a row with its key. Many rows are put together for a COPY. */
static kecs_sync__arrays *kecs_sync__put_begin(kecs_sync__load *load, const kecs_replica_row *row) {
  kecs_sync__arrays *put = kecs_sync__arrays_of(load->sync, &load->put[row->kind]);
  if (put && put->rows == 0) {
    put->copied = load->end && load->end->read > load->sync->arrays_most && !load->sync->no_stage;
    load->copies = load->copies || put->copied;
  }
  if (put && put->copied) {
    kecs_sync__copied_key(put, load->sync, row);
  } else if (put) {
    kecs_sync__array_add(&put->array[0], row->key);
  }
  return put;
}

static kecs_status kecs_sync__load_row(kecs_sync__load *load, const kecs_replica_row *row) {
  static const kecs_value nothing = {KECS_VALUE_NULL, 0, NULL, 0};
  kecs_sync__arrays *put = kecs_sync__put_begin(load, row);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  bool partly = load->partly && !(row->pending & 1U << KECS_REPLICA_LIFE);
  int at = 2;
  if (!put) {
    return KECS_E_NOMEM;
  }
  kecs_sync__put_int(put, 1, (int64_t)row->pending | (partly ? KECS_SYNC__PARTLY : 0));
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    bool goes = !partly || i == KECS_REPLICA_LIFE || (row->pending & 1U << i);
    kecs_sync__put_int(put, at++, goes ? row->stamp[i] : 0);
    kecs_sync__put_int(put, at++, goes ? kecs_sync__wire_site(load->sync, row->site[i]) : 0);
  }
  for (int i = 0; i < info->column_count; i++) {
    if (kecs_sync__known(load->sync, info, i)) {
      bool goes = !partly || kecs_sync__goes(info, i, row->pending);
      kecs_sync__put_value(put, at++, &info->columns[i], goes ? &row->values[i] : &nothing);
    }
  }
  put->count = put->copied ? 0 : at;
  put->rows++;
  load->rows++;
  if (put->copied) {
    kecs_sync__copied_int(put, put->rows);
  }
  return kecs_sync__load_policy(load, row->kind, row);
}

/* In all parts but the last a comma is written \, and a backslash \\. */
KECS_PG__FN void kecs_sync__load_key(kecs_sync__arrays *bury, const kecs_kind_info *info, const char *key) {
  const kecs_column_list *list = &info->keys[0];
  for (int i = 0; i < list->count; i++) {
    kecs_pg__text part = {bury->array[0].allocator, NULL, 0, 0, KECS_OK};
    bool last = i == list->count - 1;
    while (*key && (last || *key != ',')) {
      key += !last && *key == '\\' && key[1] ? 1 : 0;
      kecs_pg__text_add(&part, key++, 1);
    }
    key += !last && *key == ',' ? 1 : 0;
    const kecs_column_info *column = &info->columns[list->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    if (text) {
      kecs_sync__array_add(&bury->array[KECS_SYNC__BURY_FIXED + i], part.len ? part.data : "");
    } else {
      kecs_sync__array_int(&bury->array[KECS_SYNC__BURY_FIXED + i], part.len ? strtoll(part.data, NULL, 10) : 0);
    }
    bury->array[0].status = bury->array[0].status ? bury->array[0].status : part.status;
    kecs_pg__text_free(&part);
  }
}

KECS_PG__FN kecs_status kecs_sync__load_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__load *load = user;
  if (!row->dead) {
    return kecs_sync__load_row(load, row);
  }
  kecs_sync__arrays *bury = kecs_sync__arrays_of(load->sync, &load->bury[row->kind]);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  if (!bury) {
    return KECS_E_NOMEM;
  }
  kecs_sync__array_add(&bury->array[0], row->key);
  kecs_sync__array_int(&bury->array[1], row->stamp[0]);
  kecs_sync__load_key(bury, info, row->key);
  bury->count = KECS_SYNC__BURY_FIXED + info->keys[0].count;
  bury->rows++;
  load->rows++;
  load->buries = true;
  return kecs_sync__load_policy(load, row->kind, NULL);
}

/* A row or a deletion that was refused. */
KECS_PG__FN kecs_status kecs_sync__load_again(const kecs_replica_row *row, void *user) {
  kecs_replica_row all = *row;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    all.pending |= row->stamp[i] && row->site[i] == KECS_REPLICA_HERE ? 1U << i : 0;
  }
  bool theirs = row->dead && row->site[0] != KECS_REPLICA_HERE;
  return theirs ? KECS_OK : kecs_sync__load_visit(&all, user);
}

KECS_PG__FN void kecs_sync__load_begin(kecs_sync__load *load, kecs_sync *sync) {
  memset(load, 0, sizeof *load);
  load->sync = sync;
  load->origin = KECS_REPLICA_HERE;
}

KECS_PG__FN void kecs_sync__load_free(kecs_sync__load *load) {
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    kecs_sync__arrays *const all[] = {load->put[kind], load->bury[kind]};
    for (size_t a = 0; a < 2; a++) {
      for (int i = 0; all[a] && i < KECS_SYNC__ARRAYS; i++) {
        kecs_pg__text_free(&all[a]->array[i]);
      }
      kecs_pg__release(&load->sync->allocator, all[a], sizeof *all[a]);
    }
    if (load->policy[kind]) {
      kecs_sync__policy_rows_free(load->policy[kind]);
      kecs_pg__release(&load->sync->allocator, load->policy[kind], sizeof *load->policy[kind]);
    }
  }
}

/* ---- sync/load.c ------------------------------------------------------------------------------------------------- */
/* sync/load.c -- a push of many rows: they go by binary COPY into tables of the transaction's own, and are merged from
 * there (hub_load.c).
 *
 * COPY has no place in a pipeline, so such a push is some exchanges within one transaction: the tables are made, the
 * rows are copied, and what follows is the exchange that any push is, with its COMMIT. Nothing is locked at the hub
 * before all rows are there, however slow the link. */

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__CHUNK = 65536, KECS_SYNC__CHUNK_HEAD = 5, KECS_SYNC__LOOK_MS = 100 };

/* ---- collecting ---- */

KECS_PG__FN void kecs_sync__copied_int(kecs_sync__arrays *put, int64_t number) {
  kecs_value value = {KECS_VALUE_INT, 0, NULL, 0};
  value.number = number;
  kecs_pg__copy_value(&put->array[0], &value);
}

KECS_PG__FN void kecs_sync__copied_value(kecs_sync__arrays *put, const kecs_column_info *column,
                                         const kecs_value *value) {
  kecs_value same = *value;
  if (value->type != KECS_VALUE_NULL && value->type != KECS_VALUE_TEXT) {
    same.type = column->type == KECS_TYPE_BOOL ? KECS_VALUE_BOOL : KECS_VALUE_INT;
  }
  kecs_pg__copy_value(&put->array[0], &same);
}

KECS_PG__FN void kecs_sync__copied_key(kecs_sync__arrays *put, const kecs_sync *sync, const kecs_replica_row *row) {
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  int count = KECS_SYNC__PUT_FIXED + 1; /* its place */
  for (int i = 0; i < info->column_count; i++) {
    count += kecs_sync__known(sync, info, i);
  }
  if (put->rows == 0) {
    kecs_pg__copy_begin(&put->array[0]);
  }
  kecs_pg__copy_row(&put->array[0], count);
  kecs_pg__copy_text(&put->array[0], row->key, strlen(row->key));
}

/* ---- sending ---- */

/* Not a failure of the push: it goes as arrays then, where whoever sends may make no tables. */
static void kecs_sync__note_stage(kecs_sync *sync, kecs_status status) {
  const char *state = kecs_last_error()->sqlstate;
  sync->no_stage = sync->no_stage || status == KECS_E_DENIED || (status && strcmp(state, "0A000") == 0);
}

static kecs_status kecs_sync__stage(kecs_sync *sync, const kecs_sync__load *load, const char *const *site) {
  kecs_sync__exchange exchange;
  kecs_sync__begin(&exchange, sync, true);
  exchange.stays = true;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (load->put[kind] && load->put[kind]->copied) {
      (void)kecs_sync__add_call(&exchange, "SELECT {S}sync_stage_{t}({T},$1::bigint)",
                                kecs_kind_describe((kecs_kind)kind)->table, site, 1);
    }
  }
  kecs_status status = kecs_sync__send(&exchange, "push");
  kecs_sync__note_stage(sync, status);
  kecs_sync__end(&exchange);
  return status;
}

/* Without waiting for longer than the stop hook is to wait. False: the connection is lost, or to be given up. */
static bool kecs_sync__copy_bytes(kecs_pg__connection *link, const kecs_pg__text *rows) {
  bool good = PQsetnonblocking(link->pg, 1) == 0;
  for (size_t at = 0; good && at < rows->len; at += KECS_SYNC__CHUNK) {
    size_t len = rows->len - at < KECS_SYNC__CHUNK ? rows->len - at : KECS_SYNC__CHUNK;
    int left = PQputCopyData(link->pg, rows->data + at, (int)len) == 1 ? PQflush(link->pg) : -1;
    while (left > 0 && !kecs_pg__stopped(link)) {
      kecs_pg__wait(link->pg, true, KECS_SYNC__LOOK_MS);
      left = PQflush(link->pg);
    }
    good = left == 0 && !kecs_pg__stopped(link);
  }
  return good && PQsetnonblocking(link->pg, 0) == 0;
}

static void kecs_sync__copy_text(kecs_pg__text *out, const kecs_sync *sync, const kecs_kind_info *info) {
  const kecs_pg__mark marks[] = {{"t", info->table}, {NULL, NULL}};
  kecs_pg__text_fill(out, "COPY " KECS_SYNC__COPIED "(" KECS_SYNC__COPIED_FIRST, marks);
  for (int i = 0; i < info->column_count; i++) {
    const kecs_pg__mark column[] = {{"c", info->columns[i].name}, {NULL, NULL}};
    if (kecs_sync__known(sync, info, i)) {
      kecs_pg__text_fill(out, ",\"{c}\"", column);
    }
  }
  kecs_pg__text_adds(out, "," KECS_SYNC__COPIED_LAST ") FROM STDIN (FORMAT binary)");
}

static kecs_status kecs_sync__copy(kecs_sync *sync, const kecs_kind_info *info, kecs_sync__arrays *put) {
  kecs_pg__text sql = {&sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text *rows = &put->array[0];
  PGresult *begun = NULL;
  kecs_pg__copy_end_rows(rows);
  kecs_sync__copy_text(&sql, sync, info);
  kecs_status status = rows->status ? rows->status : sql.status;
  status = status ? status : kecs_pg__command(sync->link, sql.data, KECS_PG__STOPS, "push", &begun);
  PQclear(begun);
  if (!status) {
    int64_t chunks = (int64_t)(rows->len / KECS_SYNC__CHUNK) + 1;
    sync->report.round_trips += 2;
    sync->report.bytes_out += (int64_t)sql.len + (int64_t)rows->len + KECS_SYNC__CHUNK_HEAD * (chunks + 2);
    status = kecs_sync__copy_bytes(sync->link, rows) ? kecs_pg__copy_end(sync->link, NULL)
                                                      : kecs_sync__fail_link(sync, "push");
  }
  kecs_pg__text_free(&sql);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__load_copies(kecs_sync *sync, kecs_sync__load *load, const char *site) {
  kecs_status status = kecs_sync__stage(sync, load, &site);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (load->put[kind] && load->put[kind]->copied) {
      status = kecs_sync__copy(sync, kecs_kind_describe((kecs_kind)kind), load->put[kind]);
    }
  }
  if (status) {
    kecs_error error = *kecs_last_error();
    bool stopped = sync->link && kecs_pg__stopped(sync->link);
    kecs_sync__hang_up(sync);
    kecs_pg__restore(&error);
    status = stopped && status != KECS_E_CANCELLED ? kecs_sync__fail_stopped(sync, "push") : status;
  }
  return status;
}

/* ---- sync/push.c ------------------------------------------------------------------------------------------------- */
/* sync/push.c -- what is pending goes to the hub: the intent is noted, one exchange merges it there, the result is
 * noted.
 *
 * An intent says up to where the log goes with a push, not what is in it: states are read anew when it is sent again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sending ---- */

typedef struct kecs_sync__numbers {
  char site[24];
  char cursor[24];
  char stamp[24];
  char origin[24];
} kecs_sync__numbers;

static void kecs_sync__add_arrays(kecs_sync__exchange *exchange, kecs_sync__arrays *arrays, bool buries, int kind,
                                  const kecs_sync__numbers *numbers) {
  kecs_pg__text form = {&exchange->sync->allocator, NULL, 0, 0, KECS_OK};
  char number[24];
  kecs_pg__text_adds(&form, "SELECT {S}");
  kecs_pg__text_adds(&form, buries ? "sync_bury" : arrays->copied ? "sync_load" : "sync_put");
  kecs_pg__text_adds(&form, "_{t}({T}");
  arrays->values[0] = buries ? numbers->origin : numbers->site;
  arrays->values[1] = numbers->cursor;
  for (int i = 0; i < arrays->count + 2; i++) {
    snprintf(number, sizeof number, i < 2 ? ",$%d::bigint" : ",$%d", i + 1);
    kecs_pg__text_adds(&form, number);
    if (i >= 2) {
      kecs_sync__array_end(&arrays->array[i - 2]);
      exchange->status = exchange->status ? exchange->status : arrays->array[i - 2].status;
      arrays->values[i] = arrays->array[i - 2].data;
    }
  }
  kecs_pg__text_adds(&form, ")");
  exchange->status = exchange->status ? exchange->status : form.status;
  if (!exchange->status) {
    (void)kecs_sync__add_call(exchange, form.data, kecs_kind_describe((kecs_kind)kind)->table, arrays->values,
                              arrays->count + 2);
  }
  kecs_pg__text_free(&form);
}

/* The deletions of a push, children before parents. Those that another site has made bear its number: as far as they
 * go, the transaction is that site's. */
static void kecs_sync__add_buries(kecs_sync__exchange *exchange, kecs_sync__load *load,
                                  const kecs_sync__numbers *numbers, const char *const *as_origin,
                                  const char *const *as_me) {
  static const char set[] =
      "SELECT set_config('kecs_store.site',$1,true) WHERE current_setting('kecs_store.push',true)='open'";
  bool foreign = load->buries && load->origin != KECS_REPLICA_HERE;
  if (foreign) {
    (void)kecs_sync__add_item(exchange, set, "", as_origin, 1);
  }
  for (int kind = KECS_KIND_COUNT - 1; kind > 0; kind--) {
    if (load->bury[kind]) {
      kecs_sync__add_arrays(exchange, load->bury[kind], true, kind, numbers);
    }
  }
  if (foreign) {
    (void)kecs_sync__add_item(exchange, set, "", as_me, 1);
  }
}

/* `said`: what sync_end gives, behind what else went with it. */
static kecs_status kecs_sync__pushed(kecs_sync *sync, const kecs_sync__load *load, const PGresult *said) {
  PGresult *refused = kecs_sync__array_rows(&sync->allocator, kecs_sync__text(said, 0, PQnfields(said) - 1), 3);
  if (!refused) {
    return KECS_E_NOMEM;
  }
  sync->report.pushed += load->rows - PQntuples(refused);
  kecs_status status = kecs_sync__acknowledge(sync, refused);
  PQclear(refused);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__push_send(kecs_sync *sync, kecs_sync__load *load) {
  kecs_sync__exchange exchange;
  kecs_sync__numbers numbers;
  const kecs_sync__intent *intent = &sync->notes.intent;
  snprintf(numbers.site, sizeof numbers.site, "%lld", (long long)sync->notes.site);
  snprintf(numbers.cursor, sizeof numbers.cursor, "%lld", (long long)sync->notes.cursor);
  snprintf(numbers.stamp, sizeof numbers.stamp, "%lld", (long long)intent->stamp);
  snprintf(numbers.origin, sizeof numbers.origin, "%lld", (long long)kecs_sync__wire_site(sync, load->origin));
  const char *as_origin[] = {load->origin == 0 ? "" : numbers.origin}; /* the hub's own bear none */
  const char *begin[] = {numbers.site, intent->id, sync->notes.push, numbers.stamp};
  kecs_sync__counters counters;
  bool numbered = load->put[KECS_KIND_TASK_DEFINITION] || load->bury[KECS_KIND_TASK_DEFINITION];
  memset(&counters, 0, sizeof counters);
  kecs_status status = numbered ? kecs_sync__counters_read(sync, &counters) : KECS_OK;
  status = status || !load->copies ? status : kecs_sync__load_copies(sync, load, numbers.site);
  if (load->copies) {
    kecs_sync__go_on(&exchange, sync);
  } else {
    kecs_sync__begin(&exchange, sync, true);
  }
  exchange.meanwhile = load->meanwhile;
  exchange.user = load->user;
  (void)kecs_sync__add_call(&exchange,
                            load->buries ? "SELECT {S}sync_begin({T},$1::bigint,$2,$3,true,$4::bigint)"
                                         : "SELECT {S}sync_begin({T},$1::bigint,$2,$3,false,$4::bigint)",
                            "", begin, 4);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (load->policy[kind]) {
      kecs_sync__policy_send(&exchange, (kecs_kind)kind, load->policy[kind]);
    }
  }
  kecs_sync__add_buries(&exchange, load, &numbers, as_origin, begin);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (load->put[kind]) {
      kecs_sync__add_arrays(&exchange, load->put[kind], false, kind, &numbers);
    }
  }
  if (numbered) {
    (void)kecs_sync__add_call(&exchange, "SELECT {S}sync_families({T},$1,$2,$3,$4)", "", counters.values, 4);
  }
  int ended = kecs_sync__add_call(&exchange, "SELECT {S}sync_end({T},$1::bigint)", "", begin, 1);
  status = status ? status : kecs_sync__send(&exchange, "push");
  status = status ? status : kecs_sync__pushed(sync, load, exchange.item[ended].result);
  kecs_sync__end(&exchange);
  kecs_sync__counters_free(&counters);
  return status;
}

/* ---- noting ---- */

typedef struct kecs_sync__acknowledgement {
  kecs_sync *sync;
  const PGresult *refused;
} kecs_sync__acknowledgement;

static kecs_status kecs_sync__note_refused(kecs_sync *sync, kecs_store *tx, const PGresult *refused) {
  kecs_status status = KECS_OK;
  for (int row = 0; !status && row < PQntuples(refused); row++) {
    kecs_value values[] = {kecs_sync__value_int(kecs_sync__number(refused, row, 0)),
                           kecs_sync__value_text(kecs_sync__text(refused, row, 1)),
                           kecs_sync__value_text(kecs_sync__text(refused, row, 2))};
    status = kecs_replica_sql(tx,
                              "INSERT INTO {sync_refused}({tenant}kind,key,code) VALUES({ours}?1,?2,?3) ON "
                              "CONFLICT(kind,key) DO UPDATE SET code=excluded.code",
                              values, 3, 0, NULL, NULL);
    status = status ? status
                    : kecs_sync__policy_refused(sync, tx, (kecs_kind)values[0].number, values[1].text, values[2].text);
  }
  return status;
}

static kecs_status kecs_sync__mark(kecs_store *tx, const kecs_sync__notes *notes, int64_t seq, int64_t stamp) {
  kecs_status status = kecs_changes_pushed(tx, seq);
  /* Stamps ascend with the log only above what was adopted. */
  return status || seq < notes->adopted ? status : kecs_sync__note_number(tx, "acked", stamp);
}

static kecs_status kecs_sync__acknowledge_work(kecs_store *tx, void *user) {
  const kecs_sync__acknowledgement *done = user;
  const kecs_sync__notes *notes = &done->sync->notes;
  const kecs_sync__intent *intent = &notes->intent;
  kecs_status status = kecs_sync__note(tx, "push", intent->id);
  status = status ? status : kecs_sync__note_number(tx, "pushes", notes->pushes + 1);
  status = status ? status : kecs_sync__note(tx, "intent_id", "");
  if (!status && intent->seq == KECS_SYNC__OF_REPUSH) {
    status = kecs_sync__repushed(tx, done->sync);
  } else if (!status && intent->seq == KECS_SYNC__OF_REFUSED) { /* all that had been refused before was sent */
    status = kecs_replica_sql(tx, "DELETE FROM {sync_refused} WHERE {own}true", NULL, 0, 0, NULL, NULL);
  } else if (!status) {
    status = kecs_sync__mark(tx, notes, intent->seq, intent->stamp);
  }
  return status ? status : kecs_sync__note_refused(done->sync, tx, done->refused);
}

KECS_PG__FN kecs_status kecs_sync__acknowledge(kecs_sync *sync, const PGresult *refused) {
  kecs_sync__acknowledgement done = {sync, refused};
  kecs_status status = kecs_sync__transact(sync, kecs_sync__acknowledge_work, &done);
  sync->report.refused += PQntuples(refused);
  return status ? status : kecs_sync__notes_read(sync);
}

static kecs_status kecs_sync__intent_work(kecs_store *tx, void *user) {
  const kecs_sync__intent *intent = user;
  kecs_status status = kecs_sync__note(tx, "intent_id", intent->id);
  status = status ? status : kecs_sync__note_number(tx, "intent_seq", intent->seq);
  status = status ? status : kecs_sync__note_number(tx, "intent_stamp", intent->stamp);
  /* Each time another number: SQLite writes nothing where nothing changes, and then nothing reaches the disk. */
  return status ? status : kecs_sync__note_number(tx, "intent_tries", intent->tries);
}

static kecs_status kecs_sync__id_visit(const kecs_value *values, void *user) {
  snprintf(user, KECS_SYNC__ID_SIZE, "%s", values[0].text);
  return KECS_OK;
}

/* A push that was sent must be known after a power cut, too; and so must what it says. Therefore an intent that was
 * left over is stored again: rows may have changed since. If a row that was to go with it had been deleted meanwhile,
 * and the deletion were lost here, the row would be back, and count as pushed. */
KECS_PG__FN kecs_status kecs_sync__intend(kecs_sync *sync, int64_t seq, int64_t stamp) {
  kecs_sync__intent *intent = &sync->notes.intent;
  bool again = intent->id[0] != '\0';
  kecs_status status = again ? KECS_OK
                             : kecs_replica_sql(sync->store, "SELECT lower(hex(randomblob(8)))", NULL, 0, 1,
                                                kecs_sync__id_visit, intent->id);
  intent->seq = again ? intent->seq : seq;
  intent->stamp = again ? intent->stamp : stamp;
  intent->tries = again ? intent->tries + 1 : 1;
  status = status ? status : kecs_replica_durable(sync->store, true);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__intent_work, intent);
  kecs_error error = *kecs_last_error();
  kecs_status after = kecs_replica_durable(sync->store, false);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status ? status : after;
}

/* ---- batches ---- */

typedef struct kecs_sync__skip {
  kecs_sync *sync;
  kecs_replica_end end;
} kecs_sync__skip;

static kecs_status kecs_sync__skip_work(kecs_store *tx, void *user) {
  const kecs_sync__skip *skip = user;
  return kecs_sync__mark(tx, &skip->sync->notes, skip->end.seq, skip->end.stamp);
}

/* Entries that leave nothing to push: merges, and changes that were undone. */
static kecs_status kecs_sync__pass_over(kecs_sync *sync, const kecs_replica_end *end) {
  kecs_sync__skip skip = {sync, *end};
  kecs_status status = kecs_sync__transact(sync, kecs_sync__skip_work, &skip);
  return status ? status : kecs_sync__notes_read(sync);
}

/* Whether a load by COPY would be done in time, at the rate of a batch. */
static bool kecs_sync__may_load(const kecs_sync *sync, int64_t rows, int64_t ms) {
  return sync->load == 0 && rows >= KECS_SYNC__BATCH / 2 && ms * KECS_SYNC__LOAD <= rows * KECS_SYNC__LOAD_MS;
}

/* Batches grow while a push takes less than 200 ms: twofold until one has taken longer than 500, which halves them, and
 * from then on by little. Where the link and the hub are fast enough for loads by COPY, which may take four times as
 * long, these come next. */
static void kecs_sync__adapt(kecs_sync *sync, int64_t rows, int64_t ms) {
  if (!sync->adapts || rows * 2 < sync->batch) {
    return;
  }
  if (rows > sync->arrays_most) {
    sync->load = ms <= KECS_SYNC__LOAD_MS ? sync->load : sync->load / 2;
    sync->load = sync->load > sync->arrays_most ? sync->load : -1;
  } else if (kecs_sync__may_load(sync, rows, ms)) {
    sync->load = KECS_SYNC__LOAD;
  } else if (ms > KECS_SYNC__LONG_MS) {
    sync->steady = true;
    sync->batch = sync->batch / 2 > KECS_SYNC__BATCH_LEAST ? sync->batch / 2 : KECS_SYNC__BATCH_LEAST;
  } else if (ms < KECS_SYNC__SHORT_MS) {
    sync->batch += sync->steady ? KECS_SYNC__BATCH_LEAST : sync->batch;
    sync->batch = kecs_sync__bounded(sync, sync->batch < KECS_SYNC__BATCH_MOST ? sync->batch : KECS_SYNC__BATCH_MOST);
  }
}

/* What is between two places of the log, as it is pushed. */
typedef struct kecs_sync__batch {
  kecs_sync *sync;
  kecs_sync__load load;
  kecs_replica_end end;
  int most; /* entries */
} kecs_sync__batch;

static void kecs_sync__batch_free(kecs_sync *sync, kecs_sync__batch *batch) {
  if (batch) {
    kecs_sync__load_free(&batch->load);
    kecs_pg__release(&sync->allocator, batch, sizeof *batch);
  }
}

/* Entries that go with the next push. */
static int kecs_sync__push_most(const kecs_sync *sync) {
  return kecs_sync__bounded(sync, sync->load > 0 ? sync->load : sync->batch);
}

/* Reads the entries above the push mark, or above `after` where that is higher, or up to `upto`. */
static kecs_status kecs_sync__batch_read(kecs_sync *sync, int64_t after, const kecs_replica_end *upto,
                                         kecs_sync__batch **out_batch) {
  kecs_replica side = kecs_sync__side(sync);
  kecs_sync__batch *batch = kecs_pg__alloc(&sync->allocator, sizeof *batch);
  *out_batch = batch;
  if (!batch) {
    return KECS_E_NOMEM;
  }
  side.after = after;
  batch->sync = sync;
  batch->most = kecs_sync__push_most(sync);
  kecs_sync__load_begin(&batch->load, sync);
  batch->load.partly = true;
  batch->load.end = &batch->end;
  return kecs_replica_pending(sync->store, &side, batch->most, upto, kecs_sync__load_visit, &batch->load, &batch->end);
}

/* While the hub merges a load, the next one is read. What is changed after that has an entry above both. Where this
 * fails, it is read again when its turn comes. */
static void kecs_sync__read_ahead(void *user) {
  const kecs_sync__batch *batch = user;
  kecs_sync *sync = batch->sync;
  if (kecs_sync__batch_read(sync, batch->end.seq, NULL, &sync->next)) {
    kecs_sync__batch_free(sync, sync->next);
    sync->next = NULL;
  }
}

/* Not where what the hub says of this one has a part in what the next one says: rules are about the stamps that edits
 * were based on, and refused rows may change. */
static bool kecs_sync__may_read_ahead(const kecs_sync *sync, const kecs_sync__batch *batch) {
  return batch->load.copies && batch->end.read == batch->most && sync->policy_count == 0;
}

static kecs_status kecs_sync__push_batch(kecs_sync *sync, kecs_sync__batch *batch) {
  int64_t begun = kecs_pg__now_ms();
  int64_t refused = sync->report.refused;
  kecs_status status = kecs_sync__intend(sync, batch->end.seq, batch->end.stamp);
  status = status ? status : kecs_sync__push_send(sync, &batch->load);
  if (!status) {
    kecs_sync__adapt(sync, batch->load.rows, kecs_pg__now_ms() - begun);
  }
  if (status || sync->report.refused > refused) {
    kecs_sync__batch_free(sync, sync->next);
    sync->next = NULL;
  }
  return status;
}

static kecs_status kecs_sync__push_entries(kecs_sync *sync, bool *out_more) {
  bool again = sync->notes.intent.id[0] != '\0';
  kecs_replica_end upto = {sync->notes.intent.seq, sync->notes.intent.stamp, 0};
  kecs_sync__batch *batch = sync->next;
  kecs_status status = batch ? KECS_OK : kecs_sync__batch_read(sync, 0, again ? &upto : NULL, &batch);
  sync->next = NULL;
  *out_more = !status && (again || batch->end.read == batch->most);
  if (!status && !again && batch->load.rows == 0) {
    status = batch->end.read ? kecs_sync__pass_over(sync, &batch->end) : KECS_OK;
  } else if (!status) {
    batch->load.meanwhile = !again && kecs_sync__may_read_ahead(sync, batch) ? kecs_sync__read_ahead : NULL;
    batch->load.user = batch;
    status = kecs_sync__push_batch(sync, batch);
  }
  kecs_sync__batch_free(sync, batch);
  return status;
}

static kecs_status kecs_sync__push_log(kecs_sync *sync, bool *out_more) {
  bool stages = !sync->no_stage;
  kecs_status status = kecs_sync__push_entries(sync, out_more);
  return status && stages && sync->no_stage ? kecs_sync__push_entries(sync, out_more) : status;
}

/* ---- what was refused ---- */

KECS_PG__FN void kecs_sync__keys_free(kecs_sync__keys *keys) {
  for (kecs_sync__key *key = keys->first; key; key = keys->first) {
    keys->first = key->next;
    kecs_pg__release_text(&keys->sync->allocator, key->key);
    kecs_pg__release(&keys->sync->allocator, key, sizeof *key);
  }
}

KECS_PG__FN kecs_status kecs_sync__key_visit(const kecs_value *values, void *user) {
  kecs_sync__keys *keys = user;
  kecs_sync__key *key = kecs_pg__alloc(&keys->sync->allocator, sizeof *key);
  if (!key) {
    return KECS_E_NOMEM;
  }
  key->kind = (kecs_kind)values[0].number;
  key->next = keys->first;
  keys->first = key;
  key->key = kecs_pg__copy(&keys->sync->allocator, values[1].text, values[1].len);
  return key->key ? KECS_OK : KECS_E_NOMEM;
}

static kecs_status kecs_sync__push_refused(kecs_sync *sync) {
  kecs_sync__load load;
  kecs_sync__keys keys = {sync, NULL};
  kecs_replica side = kecs_sync__side(sync);
  bool again = sync->notes.intent.id[0] != '\0';
  kecs_sync__load_begin(&load, sync);
  kecs_status status = kecs_replica_sql(sync->store, "SELECT kind,key FROM {sync_refused} WHERE {own}true", NULL, 0, 2,
                                        kecs_sync__key_visit, &keys);
  bool any = keys.first != NULL;
  for (const kecs_sync__key *key = keys.first; !status && key; key = key->next) {
    status = kecs_replica_find(sync->store, &side, key->kind, key->key, kecs_sync__load_again, &load);
  }
  kecs_sync__keys_free(&keys);
  if (!status && (any || again)) {
    status = kecs_sync__intend(sync, KECS_SYNC__OF_REFUSED, 0);
    status = status ? status : kecs_sync__push_send(sync, &load);
  }
  kecs_sync__load_free(&load);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__push(kecs_sync *sync) {
  bool again = sync->notes.intent.id[0] != '\0';
  bool more = true;
  kecs_status status = KECS_OK;
  if (again && sync->notes.intent.seq == KECS_SYNC__OF_REFUSED) {
    status = kecs_sync__push_refused(sync);
  } else if (again && sync->notes.intent.seq > 0) {
    status = kecs_sync__push_log(sync, &more);
  }
  status = status ? status : kecs_sync__repush(sync); /* before the log: what it acknowledges must be there */
  status = status ? status : kecs_sync__push_refused(sync);
  more = true;
  while (!status && more) {
    status = kecs_sync__push_log(sync, &more);
  }
  return status;
}

/* ---- sync/append.c ----------------------------------------------------------------------------------------------- */
/* sync/append.c -- kinds that only grow: events and lines of logs.
 *
 * They have no stamps, and nothing to merge: a row is there or not, by its id, which is random. Each round pushes what
 * lies above a watermark in the table's own rids, after all state and within a budget of bytes, so that a device with
 * much to tell still tells its state first. A push that is repeated changes nothing at the hub. What the hub refuses is
 * passed over, and stands in the log of conflicts. */

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__APPEND_COLUMNS = 16, KECS_SYNC__NUMBER = 24 };

/* Rows of a kind on their way. */
typedef struct kecs_sync__tail {
  kecs_sync *sync;
  const kecs_kind_info *info;
  kecs_pg__text array[KECS_SYNC__APPEND_COLUMNS];
  const char *values[KECS_SYNC__APPEND_COLUMNS + 1];
  int count; /* columns */
  int64_t rows;
  int64_t bytes;
  int64_t room; /* of the round's budget */
  int64_t mark; /* the watermark, and where it will be */
  int64_t read; /* rows, with those that were pulled from the hub */
  const PGresult *refused;
} kecs_sync__tail;

KECS_PG__FN bool kecs_sync__only_grows(const kecs_kind_info *info) {
  return info->flags & KECS_KIND_APPEND;
}

/* ---- reading ---- */

static void kecs_sync__tail_name(const kecs_kind_info *info, char out[48]) {
  snprintf(out, 48, "append_%s", info->name);
}

static kecs_status kecs_sync__tail_mark_visit(const kecs_value *values, void *user) {
  *(int64_t *)user = values[0].number;
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__append_mark(kecs_store *store, const kecs_kind_info *info, int64_t *out_mark) {
  char name[48];
  kecs_sync__tail_name(info, name);
  kecs_value value = kecs_sync__value_text(name);
  *out_mark = 0;
  return kecs_replica_sql(store, "SELECT CAST(value AS INTEGER) FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                          kecs_sync__tail_mark_visit, out_mark);
}

/* "SELECT rid,whether it came from the hub,columns..." above the watermark. */
static kecs_status kecs_sync__tail_sql(kecs_sync__tail *tail, kecs_pg__text *out) {
  const kecs_pg__mark marks[] = {{"t", tail->info->table}, {"open", "{"}, {"close", "}"}, {NULL, NULL}};
  kecs_pg__text_adds(out, "SELECT rid,");
  kecs_pg__text_fill(out,
                     "EXISTS(SELECT 1 FROM {open}sync_echoes e{close} WHERE {open}own e{close}e.kind=?3 AND e.first<="
                     "{t}.rid AND e.last>={t}.rid)",
                     marks);
  tail->count = 0;
  for (int i = 0; i < tail->info->column_count; i++) {
    if (kecs_sync__known(tail->sync, tail->info, i)) {
      kecs_pg__text_adds(out, ",");
      kecs_pg__text_adds(out, tail->info->columns[i].name);
      tail->array[tail->count++].allocator = &tail->sync->allocator;
    }
  }
  kecs_pg__text_fill(out, " FROM {open}{t}{close} WHERE {open}own{close}rid>?1 ORDER BY rid LIMIT ?2", marks);
  return out->status;
}

/* FULL is only said to end the walk: the budget is used up. */
static kecs_status kecs_sync__tail_visit(const kecs_value *values, void *user) {
  kecs_sync__tail *tail = user;
  int64_t bytes = 0;
  for (int i = 0; i < tail->count; i++) {
    bytes += values[i + 2].type == KECS_VALUE_TEXT ? (int64_t)values[i + 2].len : 8;
  }
  bool echo = values[1].number != 0;
  if (!echo && tail->bytes + bytes > tail->room && tail->rows + tail->sync->report.appended > 0) {
    return KECS_E_FULL;
  }
  tail->mark = values[0].number;
  tail->read++;
  for (int i = 0; !echo && i < tail->count; i++) {
    if (values[i + 2].type == KECS_VALUE_NULL) {
      kecs_sync__array_add(&tail->array[i], NULL);
    } else if (values[i + 2].type == KECS_VALUE_TEXT) {
      kecs_sync__array_add(&tail->array[i], values[i + 2].text);
    } else {
      kecs_sync__array_int(&tail->array[i], values[i + 2].number);
    }
  }
  tail->bytes += echo ? 0 : bytes;
  tail->rows += echo ? 0 : 1;
  return KECS_OK;
}

static kecs_status kecs_sync__tail_read(kecs_sync__tail *tail, bool *out_full) {
  kecs_pg__text sql = {&tail->sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_value values[] = {kecs_sync__value_int(tail->mark), kecs_sync__value_int(tail->sync->batch),
                         kecs_sync__value_int((int64_t)tail->info->kind)};
  kecs_status status = kecs_sync__tail_sql(tail, &sql);
  status = status
               ? status
               : kecs_replica_sql(tail->sync->store, sql.data, values, 3, tail->count + 2, kecs_sync__tail_visit, tail);
  *out_full = status == KECS_E_FULL;
  kecs_pg__text_free(&sql);
  return *out_full ? KECS_OK : status;
}

/* ---- sending ---- */

/* What the hub has refused stays in the table, and is told: the watermark is above it. */
static kecs_status kecs_sync__tail_refused(kecs_store *tx, const kecs_sync__tail *tail) {
  kecs_status status = KECS_OK;
  for (int row = 0; !status && row < PQntuples(tail->refused); row++) {
    kecs_value values[] = {kecs_sync__value_int((int64_t)tail->info->kind),
                           kecs_sync__value_text(kecs_sync__text(tail->refused, row, 0)),
                           kecs_sync__value_text(kecs_sync__text(tail->refused, row, 1)),
                           kecs_sync__value_text(kecs_sync__text(tail->refused, row, 2)),
                           kecs_sync__value_int(kecs_replica_now(tail->sync->store))};
    status = kecs_replica_sql(tx,
                              "INSERT INTO {sync_conflicts}({tenant}kind,key,groups,reason,kept_stamp,kept_site,"
                              "lost_stamp,lost_site,lost,at) VALUES({ours}?1,?2,1,'refused ' || ?3,0,0,0,-1,?4,?5) "
                              "ON CONFLICT DO NOTHING",
                              values, 5, 0, NULL, NULL);
  }
  return status;
}

static kecs_status kecs_sync__tail_work(kecs_store *tx, void *user) {
  const kecs_sync__tail *tail = user;
  char name[48];
  kecs_value values[] = {kecs_sync__value_int((int64_t)tail->info->kind), kecs_sync__value_int(tail->mark)};
  kecs_sync__tail_name(tail->info, name);
  kecs_status status = kecs_sync__note_number(tx, name, tail->mark);
  status = status ? status
                  : kecs_replica_sql(tx, "DELETE FROM {sync_echoes} WHERE {own}kind=?1 AND last<=?2", values, 2, 0,
                                     NULL, NULL);
  return status || !tail->refused ? status : kecs_sync__tail_refused(tx, tail);
}

static kecs_status kecs_sync__tail_send(kecs_sync__tail *tail) {
  kecs_sync *sync = tail->sync;
  kecs_sync__exchange exchange;
  kecs_pg__text form = {&sync->allocator, NULL, 0, 0, KECS_OK};
  char site[KECS_SYNC__NUMBER];
  char number[16];
  snprintf(site, sizeof site, "%lld", (long long)sync->notes.site);
  tail->values[0] = site;
  kecs_pg__text_adds(&form, "SELECT * FROM {S}sync_append_{t}({T},$1");
  for (int i = 0; i < tail->count; i++) {
    kecs_sync__array_end(&tail->array[i]);
    form.status = form.status ? form.status : tail->array[i].status;
    tail->values[i + 1] = tail->array[i].data;
    snprintf(number, sizeof number, ",$%d", i + 2);
    kecs_pg__text_adds(&form, number);
  }
  kecs_pg__text_adds(&form, ")");
  kecs_sync__begin(&exchange, sync, true);
  exchange.status = exchange.status ? exchange.status : form.status;
  int item =
      exchange.status ? 0 : kecs_sync__add_item(&exchange, form.data, tail->info->table, tail->values, tail->count + 1);
  kecs_status status = kecs_sync__send(&exchange, "push what only grows");
  if (!status) {
    tail->refused = exchange.item[item].result;
    sync->report.appended += tail->rows - PQntuples(tail->refused);
    sync->report.conflicts += PQntuples(tail->refused);
    status = kecs_sync__transact(sync, kecs_sync__tail_work, tail);
  }
  kecs_sync__end(&exchange);
  kecs_pg__text_free(&form);
  return status;
}

/* One batch of a kind. */
static kecs_status kecs_sync__tail_push(kecs_sync *sync, const kecs_kind_info *info, int64_t *room, bool *out_more) {
  kecs_sync__tail tail;
  bool full = false;
  memset(&tail, 0, sizeof tail);
  tail.sync = sync;
  tail.info = info;
  tail.room = *room;
  kecs_status status = kecs_sync__append_mark(sync->store, info, &tail.mark);
  status = status ? status : kecs_sync__tail_read(&tail, &full);
  if (!status && tail.rows > 0) {
    status = kecs_sync__tail_send(&tail);
  } else if (!status && tail.read > 0) {
    status = kecs_sync__transact(sync, kecs_sync__tail_work, &tail);
  }
  *room -= tail.bytes;
  *out_more = !status && !full && tail.read == sync->batch;
  for (int i = 0; i < KECS_SYNC__APPEND_COLUMNS; i++) {
    if (tail.array[i].allocator) {
      kecs_pg__text_free(&tail.array[i]);
    }
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__append(kecs_sync *sync) {
  int64_t room = sync->append_bytes;
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT && room > 0; kind++) {
    bool more = (sync->append & KECS_BIT(kind)) != 0;
    while (!status && more && room > 0) {
      status = kecs_sync__tail_push(sync, kecs_kind_describe((kecs_kind)kind), &room, &more);
    }
  }
  return status ? status : kecs_sync__append_trim(sync);
}

/* ---- what the hub has ---- */

KECS_PG__FN kecs_status kecs_sync__append_pulled(kecs_store *tx, const kecs_kind_info *info, int64_t first,
                                                 int64_t last) {
  kecs_value values[] = {kecs_sync__value_int((int64_t)info->kind), kecs_sync__value_int(first),
                         kecs_sync__value_int(last)};
  return kecs_replica_sql(tx, "INSERT INTO {sync_echoes}({tenant}kind,first,last) VALUES({ours}?1,?2,?3)", values, 3, 0,
                          NULL, NULL);
}

KECS_PG__FN kecs_status kecs_sync__append_waiting(kecs_sync *sync, int64_t *out_rows) {
  kecs_status status = KECS_OK;
  *out_rows = 0;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    if (sync->append & KECS_BIT(kind)) {
      char sql[160];
      int64_t mark = 0;
      int64_t rows = 0;
      status = kecs_sync__append_mark(sync->store, info, &mark);
      kecs_value value = kecs_sync__value_int(mark);
      snprintf(sql, sizeof sql, "SELECT count(*) FROM {%s} WHERE {own}rid>?1", info->table);
      status = status ? status : kecs_replica_sql(sync->store, sql, &value, 1, 1, kecs_sync__tail_mark_visit, &rows);
      *out_rows += rows;
    }
  }
  return status;
}

/* ---- sync/append_trim.c ------------------------------------------------------------------------------------------ */
/* sync/append_trim.c -- the bound of what the kinds that only grow may take in an edge's file.
 *
 * The oldest rows that are at the hub go first, then the oldest that are not; for those an event says what is missing,
 * which is pushed like any other. */

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__TRIM_STEP = 1000 };

/* A walk through the oldest rows of a kind. */
typedef struct kecs_sync__trim {
  kecs_sync *sync;
  const kecs_kind_info *info;
  int64_t mark;   /* rows above it were never pushed */
  bool unpushed;  /* they may go, too */
  int64_t excess; /* bytes that are still to go */
  int count;
  char *key[KECS_SYNC__TRIM_STEP];
  int64_t lost; /* of those, rows that nobody else has; and their bytes */
  int64_t lost_bytes;
  int64_t bytes;
} kecs_sync__trim;

static void kecs_sync__trim_size(kecs_pg__text *out, const kecs_kind_info *info) {
  kecs_pg__text_adds(out, "0");
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    const kecs_pg__mark marks[] = {{"c", column->name}, {NULL, NULL}};
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    kecs_pg__text_fill(out, text ? "+coalesce(length(CAST({c} AS BLOB)),0)" : "+8", marks);
  }
}

static kecs_status kecs_sync__trim_sum(kecs_sync *sync, const kecs_kind_info *info, int64_t *out_bytes) {
  kecs_pg__text sql = {&sync->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"t", info->table}, {"open", "{"}, {"close", "}"}, {NULL, NULL}};
  kecs_pg__text_adds(&sql, "SELECT coalesce(sum(");
  kecs_sync__trim_size(&sql, info);
  kecs_pg__text_fill(&sql, "),0) FROM {open}{t}{close} WHERE {open}own{close}true", marks);
  kecs_status status = sql.status ? sql.status : kecs_sync__count(sync->store, sql.data, out_bytes);
  kecs_pg__text_free(&sql);
  return status;
}

static kecs_status kecs_sync__trim_visit(const kecs_value *values, void *user) {
  kecs_sync__trim *trim = user;
  if (trim->excess <= 0 || trim->count == KECS_SYNC__TRIM_STEP) {
    return KECS_OK;
  }
  char *key = kecs_pg__copy(&trim->sync->allocator, values[1].text, values[1].len);
  if (!key) {
    return KECS_E_NOMEM;
  }
  bool lost = values[0].number > trim->mark;
  trim->key[trim->count++] = key;
  trim->excess -= values[2].number;
  trim->bytes += values[2].number;
  trim->lost += lost;
  trim->lost_bytes += lost ? values[2].number : 0;
  return KECS_OK;
}

/* Events that tell of a gap stay until they are at the hub. */
static kecs_status kecs_sync__trim_find(kecs_sync__trim *trim) {
  kecs_pg__text sql = {&trim->sync->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"t", trim->info->table},
                                 {"key", trim->info->columns[trim->info->keys[0].columns[0]].name},
                                 {"open", "{"},
                                 {"close", "}"},
                                 {NULL, NULL}};
  kecs_value values[] = {kecs_sync__value_int(trim->unpushed ? INT64_MAX : trim->mark),
                         kecs_sync__value_int(KECS_SYNC__TRIM_STEP), kecs_sync__value_int(trim->mark)};
  bool events = trim->info->kind == KECS_KIND_EVENT;
  kecs_pg__text_fill(&sql, "SELECT rid,{key},", marks);
  kecs_sync__trim_size(&sql, trim->info);
  kecs_pg__text_fill(&sql, " FROM {open}{t}{close} WHERE {open}own{close}rid<=?1", marks);
  kecs_pg__text_adds(&sql, events ? " AND (rid<=?3 OR event_type<>'kecs.sync.gap')" : "");
  kecs_pg__text_adds(&sql, " ORDER BY rid LIMIT ?2");
  kecs_status status = sql.status ? sql.status
                                  : kecs_replica_sql(trim->sync->store, sql.data, values, events ? 3 : 2, 3,
                                                     kecs_sync__trim_visit, trim);
  kecs_pg__text_free(&sql);
  return status;
}

static kecs_status kecs_sync__trim_gap(kecs_store *tx, const kecs_sync__trim *trim) {
  kecs_event event;
  char data[160];
  memset(&event, 0, sizeof event);
  snprintf(data, sizeof data, "{\"kind\":\"%s\",\"rows\":%lld,\"bytes\":%lld}", trim->info->name, (long long)trim->lost,
           (long long)trim->lost_bytes);
  event.event_type = "kecs.sync.gap";
  event.resource_type = trim->info->name;
  event.resource_arn = trim->sync->site;
  event.action = "DROP";
  event.data = data;
  return kecs_event_create(tx, &event, NULL);
}

static kecs_status kecs_sync__trim_work(kecs_store *tx, void *user) {
  const kecs_sync__trim *trim = user;
  kecs_status status = trim->lost ? kecs_sync__trim_gap(tx, trim) : KECS_OK;
  for (int i = 0; !status && i < trim->count; i++) {
    status = kecs_record_delete(tx, trim->info->kind, trim->key[i]);
    status = status == KECS_E_NOT_FOUND ? KECS_OK : status;
  }
  return status;
}

/* One step, in one transaction: at most 1000 rows. */
static kecs_status kecs_sync__trim_step(kecs_sync *sync, const kecs_kind_info *info, bool unpushed, int64_t *excess,
                                        bool *out_more) {
  kecs_sync__trim *trim = kecs_pg__alloc(&sync->allocator, sizeof *trim);
  if (!trim) {
    return KECS_E_NOMEM;
  }
  trim->sync = sync;
  trim->info = info;
  trim->unpushed = unpushed;
  trim->excess = *excess;
  kecs_status status = kecs_sync__append_mark(sync->store, info, &trim->mark);
  status = status ? status : kecs_sync__trim_find(trim);
  status = status || !trim->count ? status : kecs_sync__transact(sync, kecs_sync__trim_work, trim);
  *excess -= status ? 0 : trim->bytes;
  *out_more = !status && trim->count == KECS_SYNC__TRIM_STEP && *excess > 0;
  sync->report.dropped += status ? 0 : trim->lost;
  for (int i = 0; i < trim->count; i++) {
    kecs_pg__release_text(&sync->allocator, trim->key[i]);
  }
  kecs_pg__release(&sync->allocator, trim, sizeof *trim);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__append_trim(kecs_sync *sync) {
  kecs_status status = KECS_OK;
  int64_t excess = -sync->append_keep_bytes;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT && sync->append_keep_bytes > 0; kind++) {
    int64_t bytes = 0;
    if (sync->append & KECS_BIT(kind)) {
      status = kecs_sync__trim_sum(sync, kecs_kind_describe((kecs_kind)kind), &bytes);
      excess += bytes;
    }
  }
  for (int pass = 0; !status && pass < 2; pass++) {
    for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
      bool more = (sync->append & KECS_BIT(kind)) && sync->append_keep_bytes > 0 && excess > 0;
      while (!status && more) {
        status = kecs_sync__trim_step(sync, kecs_kind_describe((kecs_kind)kind), pass > 0, &excess, &more);
      }
    }
  }
  return status;
}

/* ---- sync/policy.c ----------------------------------------------------------------------------------------------- */
/* sync/policy.c -- the rules of who may write, as an edge has them: checked, kept, told to the hub with what they need
 * of the rows that are pushed, and what follows where the hub has refused by one. */

#include <string.h>

#include <stdio.h>
#include <stdlib.h>

static const char *const kecs_sync__rule_names[] = {NULL, "owner", "hub", "compare", "append"};

/* ---- options ---- */

static bool kecs_sync__policy_has(const kecs_kind_info *info, kecs_column_group group) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == group) {
      return true;
    }
  }
  return false;
}

static kecs_status kecs_sync__policy_fence(const kecs_replica_policy *policy, const kecs_kind_info *info) {
  int column = policy->fence ? kecs_column_find(info, policy->fence) : -1;
  bool own = column >= 0 &&
             ((info->columns[column].group == KECS_GROUP_SPEC && (policy->groups & KECS_BIT(KECS_REPLICA_SPEC))) ||
              (info->columns[column].group == KECS_GROUP_STATUS && (policy->groups & KECS_BIT(KECS_REPLICA_STATUS))));
  if (policy->rule != KECS_REPLICA_OWNER) {
    return policy->fence ? kecs_pg__fail(KECS_E_INVALID,
                                         "options.policies: only an owner has a fence, of %s there is one", info->name)
                         : KECS_OK;
  }
  if (column < 0 || own || info->columns[column].group == KECS_GROUP_LOCAL) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "options.policies: the fence of %s must be a column of its key or of another group, not %s",
                         info->name, policy->fence ? policy->fence : "NULL");
  }
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__policy_check(const kecs_replica_policy *policies, size_t count) {
  const unsigned life = KECS_BIT(KECS_REPLICA_LIFE);
  const unsigned groups = KECS_BIT(KECS_REPLICA_SPEC) | KECS_BIT(KECS_REPLICA_STATUS);
  for (size_t i = 0; i < count; i++) {
    const kecs_replica_policy *policy = &policies[i];
    const kecs_kind_info *info = kecs_kind_describe(policy->kind);
    if (!info || kecs_sync__only_grows(info)) {
      return kecs_pg__fail(KECS_E_INVALID, "options.policies: %d is no kind that has policies", (int)policy->kind);
    }
    bool spec = kecs_sync__policy_has(info, KECS_GROUP_SPEC);
    bool status = kecs_sync__policy_has(info, KECS_GROUP_STATUS);
    if (policy->rule < KECS_REPLICA_LAST_WRITER || policy->rule > KECS_REPLICA_APPEND) {
      return kecs_pg__fail(KECS_E_INVALID, "options.policies: %d is no rule", (int)policy->rule);
    }
    if (!policy->groups || (policy->groups & ~(groups | life)) ||
        ((policy->groups & life) && policy->rule != KECS_REPLICA_HUB) ||
        (!spec && (policy->groups & KECS_BIT(KECS_REPLICA_SPEC))) ||
        (!status && (policy->groups & KECS_BIT(KECS_REPLICA_STATUS)))) {
      return kecs_pg__fail(KECS_E_INVALID, "options.policies: %u are no groups of %s for that rule", policy->groups,
                           info->name);
    }
    kecs_status fence = kecs_sync__policy_fence(policy, info);
    if (fence) {
      return fence;
    }
    for (size_t before = 0; before < i; before++) {
      if (policies[before].kind == policy->kind && (policies[before].groups & policy->groups)) {
        return kecs_pg__fail(KECS_E_INVALID, "options.policies has two rules for one group of %s", info->name);
      }
    }
  }
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__policy_keep(kecs_sync *sync, const kecs_replica_policy *policies, size_t count) {
  if (count == 0) {
    return KECS_OK;
  }
  sync->policies = kecs_pg__alloc(&sync->allocator, count * sizeof policies[0]);
  if (!sync->policies) {
    return KECS_E_NOMEM;
  }
  sync->policy_count = count;
  for (size_t i = 0; i < count; i++) {
    sync->policies[i] = policies[i];
    sync->policies[i].fence = NULL;
  }
  for (size_t i = 0; i < count; i++) { /* the description's own name lives for ever */
    const kecs_kind_info *info = kecs_kind_describe(policies[i].kind);
    int column = policies[i].fence ? kecs_column_find(info, policies[i].fence) : -1;
    sync->policies[i].fence = column < 0 ? NULL : info->columns[column].name;
  }
  return KECS_OK;
}

KECS_PG__FN void kecs_sync__policy_free(kecs_sync *sync) {
  kecs_pg__release(&sync->allocator, sync->policies, sync->policy_count * sizeof sync->policies[0]);
}

/* ---- what a push tells ---- */

static const kecs_replica_policy *kecs_sync__policy_of(const kecs_sync *sync, kecs_kind kind, int group) {
  for (size_t i = 0; i < sync->policy_count; i++) {
    if (sync->policies[i].kind == kind && (sync->policies[i].groups & KECS_BIT(group))) {
      return &sync->policies[i];
    }
  }
  return NULL;
}

KECS_PG__FN bool kecs_sync__policy_any(const kecs_sync *sync, kecs_kind kind) {
  return kecs_sync__policy_of(sync, kind, KECS_REPLICA_LIFE) || kecs_sync__policy_of(sync, kind, KECS_REPLICA_SPEC) ||
         kecs_sync__policy_of(sync, kind, KECS_REPLICA_STATUS);
}

/* A column's value as row_to_json shows it at the hub. */
static void kecs_sync__policy_value(kecs_pg__text *array, const kecs_replica_policy *policy,
                                    const kecs_replica_row *row) {
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  int column = policy && policy->fence ? kecs_column_find(info, policy->fence) : -1;
  const kecs_value *value = column < 0 ? NULL : &row->values[column];
  char number[24];
  if (!value || value->type == KECS_VALUE_NULL) {
    kecs_sync__array_add(array, NULL);
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs_sync__array_add(array, value->text);
  } else if (info->columns[column].type == KECS_TYPE_BOOL) {
    kecs_sync__array_add(array, value->number ? "true" : "false");
  } else {
    snprintf(number, sizeof number, "%lld", (long long)value->number);
    kecs_sync__array_add(array, number);
  }
}

KECS_PG__FN void kecs_sync__policy_row(const kecs_sync *sync, kecs_sync__policy_rows *rows,
                                       const kecs_replica_row *row) {
  for (int i = 0; i < KECS_SYNC__POLICY_ARRAYS; i++) {
    rows->array[i].allocator = &sync->allocator;
  }
  kecs_sync__array_add(&rows->array[0], row->key);
  kecs_sync__array_int(&rows->array[1], row->base[KECS_REPLICA_SPEC]);
  kecs_sync__array_int(&rows->array[2], row->base[KECS_REPLICA_STATUS]);
  kecs_sync__policy_value(&rows->array[3], kecs_sync__policy_of(sync, row->kind, KECS_REPLICA_SPEC), row);
  kecs_sync__policy_value(&rows->array[4], kecs_sync__policy_of(sync, row->kind, KECS_REPLICA_STATUS), row);
}

KECS_PG__FN void kecs_sync__policy_send(kecs_sync__exchange *exchange, kecs_kind kind, kecs_sync__policy_rows *rows) {
  const kecs_sync *sync = exchange->sync;
  snprintf(rows->kind, sizeof rows->kind, "%d", (int)kind);
  rows->values[0] = rows->kind;
  for (int group = 0; group < KECS_REPLICA_STAMPS; group++) {
    const kecs_replica_policy *policy = kecs_sync__policy_of(sync, kind, group);
    rows->values[1 + group] = policy ? kecs_sync__rule_names[policy->rule] : NULL;
    if (group > 0) {
      rows->values[3 + group] = policy ? policy->fence : NULL;
    }
  }
  for (int i = 0; i < KECS_SYNC__POLICY_ARRAYS; i++) {
    rows->array[i].allocator = &sync->allocator;
    kecs_sync__array_end(&rows->array[i]);
    exchange->status = exchange->status ? exchange->status : rows->array[i].status;
    rows->values[6 + i] = rows->array[i].data;
  }
  if (!exchange->status) {
    (void)kecs_sync__add_item(exchange, "SELECT {S}sync_policy($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)", "", rows->values,
                              6 + KECS_SYNC__POLICY_ARRAYS);
  }
}

KECS_PG__FN void kecs_sync__policy_rows_free(kecs_sync__policy_rows *rows) {
  for (int i = 0; i < KECS_SYNC__POLICY_ARRAYS; i++) {
    if (rows->array[i].allocator) {
      kecs_pg__text_free(&rows->array[i]);
    }
  }
}

/* ---- what was refused ---- */

typedef struct kecs_sync__dismissal {
  kecs_sync *sync;
  kecs_store *tx;
} kecs_sync__dismissal;

/* A row that may only come and go at the hub: one that was made here goes, into the log; of one that was deleted here
 * the deletion goes, and the hub's comes back. */
static kecs_status kecs_sync__dismiss(const kecs_replica_row *row, void *user) {
  const kecs_sync__dismissal *dismissal = user;
  kecs_replica side = kecs_sync__side(dismissal->sync);
  kecs_replica_row dead;
  kecs_value values[] = {kecs_sync__value_int((int64_t)row->kind), kecs_sync__value_text(row->key)};
  if (row->dead) {
    return kecs_replica_sql(dismissal->tx,
                            "DELETE FROM {change_tombstones} WHERE {own}kind=?1 AND key=?2 AND site IS NULL", values, 2,
                            0, NULL, NULL);
  }
  memset(&dead, 0, sizeof dead);
  dead.kind = row->kind;
  dead.key = row->key;
  dead.dead = true;
  dead.reason = "policy";
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    dead.stamp[0] = row->stamp[i] >= dead.stamp[0] ? row->stamp[i] + 1 : dead.stamp[0];
  }
  dead.site[0] = 0;
  kecs_status status = kecs_replica_sql(dismissal->tx, "DELETE FROM {sync_refused} WHERE {own}kind=?1 AND key=?2",
                                        values, 2, 0, NULL, NULL);
  dismissal->sync->report.conflicts++;
  return status ? status : kecs_replica_merge(dismissal->tx, &side, &dead, NULL);
}

KECS_PG__FN kecs_status kecs_sync__policy_refused(kecs_sync *sync, kecs_store *tx, kecs_kind kind, const char *key,
                                                  const char *code) {
  kecs_sync__dismissal dismissal = {sync, tx};
  kecs_replica side = kecs_sync__side(sync);
  kecs_value values[] = {kecs_sync__value_int((int64_t)kind), kecs_sync__value_text(key)};
  if (strncmp(code, "policy:", strlen("policy:")) != 0 && strcmp(code, "KS004") != 0) {
    return KECS_OK;
  }
  sync->held = true;
  kecs_status status =
      kecs_replica_sql(tx, "INSERT INTO {sync_wanted}({tenant}kind,key) VALUES({ours}?1,?2) ON CONFLICT DO NOTHING",
                       values, 2, 0, NULL, NULL);
  return status || strtol(code + strlen("policy:"), NULL, 10) != (long)KECS_BIT(KECS_REPLICA_LIFE)
             ? status
             : kecs_replica_find(tx, &side, kind, key, kecs_sync__dismiss, &dismissal);
}

/* ---- sync/schema.c ----------------------------------------------------------------------------------------------- */
/* sync/schema.c -- hub and edge of different versions: what both know travels, and what one of them comes to know later
 * is caught up with.
 *
 * Columns are only ever added, at the end of a kind's, and so are kinds. So a version is how many columns each kind
 * has, and what two have in common is the lesser number. An edge notes it; where it has grown, the edge has been
 * upgraded or the hub has: rows of the hub whose new columns say something are read once more, and rows that were
 * written here and say something there are sent once more. */

/* ---- sync/pull.h ------------------------------------------------------------------------------------------------- */
/* sync/pull.h -- a page of the hub's rows and tombstones: how it is asked for, and how it is merged here. */
#ifndef KECS_SYNC_PULL_H
#define KECS_SYNC_PULL_H

/* Where a bootstrap is, beside the kinds. */
enum { KECS_SYNC__BOOT_GRAVES = KECS_KIND_COUNT, KECS_SYNC__BOOT_DONE = KECS_KIND_COUNT + 1 };

enum { KECS_SYNC__ROW_FIXED = 7 /* key, three stamps with their sites */ };

/* A page: for each kind the items of the exchange that have its tombstones and rows; 0: none. */
typedef struct kecs_sync__page {
  kecs_sync *sync;
  kecs_sync__exchange exchange;
  int graves[KECS_KIND_COUNT][2]; /* of the window; of what is wanted */
  int rows[KECS_KIND_COUNT][2];
  int window;
  int counters; /* of families, where definitions are in the page */
  kecs_pg__text wanted[KECS_KIND_COUNT];
  const char *wanted_values[KECS_KIND_COUNT][2];
  char site[24];
  bool wants;
  int64_t asked; /* for so many keys */
  kecs_replica side;
  /* While it is applied. */
  bool force;
  uint64_t fill;
  int64_t pulled;
  int64_t conflicts;
  int64_t wished;   /* rows that have to wait for others, which will be asked for */
  uint64_t blocked; /* kinds, as bits, with rows that wait for a number of another row */
  /* A bootstrap's. */
  int size;     /* rows that were asked for */
  size_t bytes; /* that it takes */
  /* Where it begins, and where the next one does. */
  int64_t from_kind;
  int64_t boot_kind;
  int64_t boot_rid;
  bool ahead; /* the next one is on its way while this one is applied */
  bool tried; /* to apply it: with this status, */
  kecs_status status;
  kecs_error error; /* and, while the next one was on its way, for this reason */
} kecs_sync__page;

/* Adds a statement that was put together, and frees its text. */
KECS_PG__FN int kecs_sync__add_text(kecs_sync__exchange *exchange, kecs_pg__text *form, const char *table,
                                    const char *const *values, int count);

/* Adds "SELECT * FROM sync_FUNCTION(tenant, values...)"; the first value is the site's number. */
KECS_PG__FN int kecs_sync__add_read(kecs_sync__exchange *exchange, const char *function, const char *table,
                                    const char *const *values, int count);

/* The same for rows: columns that hub and edge both know. */
KECS_PG__FN int kecs_sync__add_rows(kecs_sync__exchange *exchange, const char *function, const kecs_kind_info *info,
                                    const char *const *values, int count);

/* "SELECT key,stamps...,columns...,rid" of what such a function gives. */
KECS_PG__FN void kecs_sync__select(kecs_pg__text *out, const kecs_sync *sync, const kecs_kind_info *info);

/* Merges what the page has; counts it in the page. */
KECS_PG__FN kecs_status kecs_sync__apply(kecs_sync__page *page, kecs_store *tx);

/* The same for tombstones of several kinds: key, stamp, site, kind. */
KECS_PG__FN kecs_status kecs_sync__apply_mixed_graves(kecs_sync__page *page, kecs_store *tx, const PGresult *result);

/* Runs one page, adds what it has done to the report, and reads the notes anew. */
KECS_PG__FN kecs_status kecs_sync__page_run(kecs_sync *sync,
                                            kecs_status (*run)(kecs_sync *sync, kecs_sync__page *page));

/* Merges the rows of a kind that are in the page. */
KECS_PG__FN kecs_status kecs_sync__apply_kind(kecs_sync__page *page, kecs_store *tx, kecs_kind kind);

/* Rows that had to wait for each other, as where two have swapped a number (blocked.c). */
KECS_PG__FN kecs_status kecs_sync__apply_blocked(kecs_sync__page *page, kecs_store *tx);

#endif

/* ---- sync/schema.c, continued ------------------------------------------------------------------------------------ */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

KECS_PG__FN void kecs_sync__version(char out[KECS_SYNC__VERSION_SIZE]) {
  size_t used = (size_t)snprintf(out, KECS_SYNC__VERSION_SIZE, "%d", KECS_SYNC__FORMAT);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    used += (size_t)snprintf(out + used, KECS_SYNC__VERSION_SIZE - used, ".%d",
                             kecs_kind_describe((kecs_kind)kind)->column_count);
  }
}

KECS_PG__FN bool kecs_sync__known(const kecs_sync *sync, const kecs_kind_info *info, int column) {
  return column < sync->columns[info->kind] && kecs_sync__travels(&info->columns[column]);
}

KECS_PG__FN uint64_t kecs_sync__known_mask(const kecs_sync *sync, const kecs_kind_info *info) {
  int count = sync->columns[info->kind];
  return count >= info->column_count ? 0 : KECS_BIT(count) - 1; /* 0 is all */
}

/* How many columns of each kind a version's text says. */
static void kecs_sync__schema_counts(const char *text, int out[KECS_KIND_COUNT]) {
  const char *at = strchr(text, '.');
  memset(out, 0, KECS_KIND_COUNT * sizeof out[0]);
  for (int kind = 1; at && kind < KECS_KIND_COUNT; kind++) {
    out[kind] = (int)strtol(at + 1, NULL, 10);
    at = strchr(at + 1, '.');
  }
}

KECS_PG__FN kecs_status kecs_sync__schema_read(kecs_sync *sync, const char *version) {
  int counts[KECS_KIND_COUNT];
  if (strtol(version, NULL, 10) != KECS_SYNC__FORMAT) {
    return kecs_pg__fail(
        KECS_E_UNSUPPORTED,
        "%s: the hub's functions have format %.8s, this program's %d: run kecs hub init with the newer "
        "program; the older one can't sync with it",
        sync->place.shown, version, KECS_SYNC__FORMAT);
  }
  kecs_sync__schema_counts(version, counts);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    sync->columns[kind] = counts[kind] < info->column_count ? counts[kind] : info->column_count;
    if (!counts[kind] && ((sync->kinds | sync->append) & KECS_BIT(kind))) {
      return kecs_pg__fail(KECS_E_UNSUPPORTED,
                           "%s: the hub does not know %s: run kecs hub init with this program, or leave the kind out",
                           sync->place.shown, info->name);
    }
  }
  return KECS_OK;
}

/* ---- catching up ---- */

/* A page of the rows of a kind whose new columns say something. */
typedef struct kecs_sync__catch_up {
  kecs_sync *sync;
  const kecs_kind_info *info;
  int from; /* the first of the new columns */
} kecs_sync__catch_up;

static void kecs_sync__catch_up_where(kecs_pg__text *out, const kecs_sync__catch_up *job) {
  kecs_pg__text_adds(out,
                     " FROM {S}sync_page_{t}({T},$1,$2,9223372036854775807,NULL,NULL) t WHERE false");
  for (int i = job->from; i < job->sync->columns[job->info->kind]; i++) {
    if (kecs_sync__travels(&job->info->columns[i])) {
      kecs_pg__text_adds(out, " OR t.\"");
      kecs_pg__text_adds(out, job->info->columns[i].name);
      kecs_pg__text_adds(out, "\" IS DISTINCT FROM ");
      kecs_sync__default(out, &job->info->columns[i]);
    }
  }
  kecs_pg__text_adds(out, " ORDER BY t.r_rid LIMIT $3");
}

static kecs_status kecs_sync__catch_up_work(kecs_store *tx, void *user) {
  return kecs_sync__apply(user, tx);
}

static kecs_status kecs_sync__catch_up_page(kecs_sync *sync, kecs_sync__page *page) {
  kecs_sync__catch_up job = {sync, kecs_kind_describe((kecs_kind)sync->catch_up_kind), sync->catch_up_from};
  kecs_pg__text form = {&sync->allocator, NULL, 0, 0, KECS_OK};
  char rid[24];
  char size[24];
  snprintf(rid, sizeof rid, "%lld", (long long)sync->catch_up_rid);
  snprintf(size, sizeof size, "%d", sync->batch);
  const char *values[] = {page->site, rid, size};
  for (int i = job.from; i < sync->columns[job.info->kind]; i++) {
    page->fill |= KECS_BIT(i);
  }
  kecs_sync__begin(&page->exchange, sync, false);
  kecs_sync__select(&form, sync, job.info);
  kecs_sync__catch_up_where(&form, &job);
  int item = kecs_sync__add_text(&page->exchange, &form, job.info->table, values, 3);
  kecs_status status = kecs_sync__send(&page->exchange, "pull");
  const PGresult *result = status ? NULL : page->exchange.item[item].result;
  int count = result ? PQntuples(result) : 0;
  page->rows[job.info->kind][0] = item;
  sync->catch_up_rid = count < sync->batch ? -1 : kecs_sync__number(result, count - 1, PQnfields(result) - 1);
  return status ? status : kecs_sync__transact(sync, kecs_sync__catch_up_work, page);
}

static kecs_status kecs_sync__catch_up_kind(kecs_sync *sync, int kind, int from) {
  uint64_t fresh = 0;
  kecs_status status = KECS_OK;
  for (int i = from; i < sync->columns[kind]; i++) {
    fresh |= KECS_BIT(i);
  }
  sync->catch_up_kind = kind;
  sync->catch_up_from = from;
  sync->catch_up_rid = 0;
  while (!status && sync->catch_up_rid >= 0) {
    status = kecs_sync__page_run(sync, kecs_sync__catch_up_page);
  }
  return status ? status : kecs_replica_touch(sync->store, (kecs_kind)kind, fresh);
}

static kecs_status kecs_sync__schema_note(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  char text[KECS_SYNC__VERSION_SIZE] = "";
  size_t used = 0;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    used += (size_t)snprintf(text + used, sizeof text - used, ".%d", sync->columns[kind]);
  }
  return kecs_sync__note(tx, "columns", text);
}

static kecs_status kecs_sync__schema_visit(const kecs_value *values, void *user) {
  kecs_sync__schema_counts(values[0].text, user);
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__schema_catch_up(kecs_sync *sync) {
  int noted[KECS_KIND_COUNT];
  bool differs = false;
  memset(noted, 0, sizeof noted);
  kecs_status status = kecs_replica_sql(sync->store, "SELECT value FROM {sync_state} WHERE {own}name='columns'", NULL,
                                        0, 1, kecs_sync__schema_visit, noted);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    bool grown = noted[kind] > 0 && sync->columns[kind] > noted[kind];
    differs = differs || noted[kind] != sync->columns[kind];
    if (grown && (sync->kinds & KECS_BIT(kind))) {
      status = kecs_sync__catch_up_kind(sync, kind, noted[kind]);
    }
  }
  return status || !differs ? status : kecs_sync__transact(sync, kecs_sync__schema_note, sync);
}

/* ---- sync/counters.c --------------------------------------------------------------------------------------------- */
/* sync/counters.c -- how far the revisions of families have been given out.
 *
 * Rows tell most of it: whoever stores a revision has the family's counter at it or above. What no row tells is how far
 * a family had come whose newest revisions were deleted; that is sent along, in both directions, whenever definitions
 * are. So no number comes to mean a second thing. */

#include <string.h>

KECS_PG__FN int kecs_sync__add_counters(kecs_sync__exchange *exchange, const char *const *site) {
  return kecs_sync__add_item(exchange, "SELECT * FROM {S}sync_counters({T},$1)", "", site, 1);
}

static kecs_status kecs_sync__raise(kecs_store *tx, const char *const *names, int64_t revision) {
  kecs_family_counter counter;
  memset(&counter, 0, sizeof counter);
  counter.account_id = names[0];
  counter.region = names[1];
  counter.family = names[2];
  counter.last_revision = revision;
  return revision > 0 ? kecs_task_definition_counter_raise(tx, &counter) : KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__raise_counters(kecs_store *tx, const PGresult *counters) {
  kecs_status status = KECS_OK;
  for (int r = 0; !status && r < PQntuples(counters); r++) {
    const char *names[] = {kecs_sync__text(counters, r, 0), kecs_sync__text(counters, r, 1),
                           kecs_sync__text(counters, r, 2)};
    status = kecs_sync__raise(tx, names, kecs_sync__number(counters, r, 3));
  }
  return status;
}

/* Where a column of a task definition is in a page's rows. */
static int kecs_sync__place(int column) {
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK_DEFINITION);
  int place = KECS_SYNC__ROW_FIXED;
  for (int i = 0; i < column; i++) {
    place += kecs_sync__travels(&info->columns[i]);
  }
  return place;
}

KECS_PG__FN kecs_status kecs_sync__raise_rows(kecs_store *tx, const PGresult *rows) {
  int account = kecs_sync__place(KECS_TASK_DEFINITION_ACCOUNT_ID);
  int region = kecs_sync__place(KECS_TASK_DEFINITION_REGION);
  int family = kecs_sync__place(KECS_TASK_DEFINITION_FAMILY);
  int revision = kecs_sync__place(KECS_TASK_DEFINITION_REVISION);
  kecs_status status = KECS_OK;
  for (int r = 0; !status && r < PQntuples(rows); r++) {
    const char *names[] = {kecs_sync__text(rows, r, account), kecs_sync__text(rows, r, region),
                           kecs_sync__text(rows, r, family)};
    bool whole = !PQgetisnull(rows, r, revision); /* a row that comes partly has been counted before */
    status = whole ? kecs_sync__raise(tx, names, kecs_sync__number(rows, r, revision)) : KECS_OK;
  }
  return status;
}

/* ---- ours ---- */

static void kecs_sync__counters_add(kecs_sync__counters *out, const kecs_family_counter *counter) {
  kecs_sync__array_add(&out->array[0], counter->account_id);
  kecs_sync__array_add(&out->array[1], counter->region);
  kecs_sync__array_add(&out->array[2], counter->family);
  kecs_sync__array_int(&out->array[3], counter->last_revision);
}

KECS_PG__FN kecs_status kecs_sync__counters_read(kecs_sync *sync, kecs_sync__counters *out) {
  kecs_status status = KECS_OK;
  kecs_result *page = NULL;
  bool more = true;
  memset(out, 0, sizeof *out);
  for (int i = 0; i < 4; i++) {
    out->array[i].allocator = &sync->allocator;
  }
  while (!status && more) {
    kecs_result *before = page;
    page = NULL;
    status = kecs_task_definition_counters(sync->store, 1000, before ? kecs_result_page_token(before) : NULL, &page);
    kecs_result_free(before);
    for (size_t i = 0; !status && i < kecs_result_count(page); i++) {
      kecs_sync__counters_add(out, kecs_family_counter_at(page, i));
    }
    more = !status && kecs_result_page_token(page) != NULL;
  }
  kecs_result_free(page);
  for (int i = 0; !status && i < 4; i++) {
    kecs_sync__array_end(&out->array[i]);
    status = out->array[i].status;
    out->values[i] = out->array[i].data;
  }
  return status;
}

KECS_PG__FN void kecs_sync__counters_free(kecs_sync__counters *counters) {
  for (int i = 0; i < 4; i++) {
    if (counters->array[i].allocator) {
      kecs_pg__text_free(&counters->array[i]);
    }
  }
}

/* ---- sync/blocked.c ---------------------------------------------------------------------------------------------- */
/* sync/blocked.c -- rows of a page that wait for a number which another row has here, and has given up at the hub.
 *
 * At the hub no two rows have one number, and a page is one snapshot of it: where all the rows that are concerned are
 * in the page, each of them finds its place. So they are merged again, since others may have left; then, in a
 * transaction inside the page's, with what is in the way moved aside. A row that is aside in the end is not in the
 * page: all is undone, and both stand in sync_wanted, so that the next page has them. */

typedef struct kecs_sync__blocked {
  kecs_sync__page *page;
  kecs_kind kind;
  int64_t aside;
} kecs_sync__blocked;

/* Twice: a row of the page may be moved aside after its turn. */
static kecs_status kecs_sync__force_work(kecs_store *tx, void *user) {
  kecs_sync__blocked *blocked = user;
  kecs_status status = KECS_OK;
  for (int pass = 0; !status && pass < 2; pass++) {
    status = kecs_sync__apply_kind(blocked->page, tx, blocked->kind);
  }
  status = status ? status : kecs_replica_aside(tx, blocked->kind, &blocked->aside);
  return status           ? status
         : blocked->aside ? kecs_pg__fail(KECS_E_CONFLICT, "rows wait for others that are not in the page")
                          : KECS_OK;
}

static kecs_status kecs_sync__force(kecs_sync__page *page, kecs_store *tx, kecs_kind kind) {
  kecs_sync__blocked blocked = {page, kind, 0};
  int64_t pulled = page->pulled;
  int64_t conflicts = page->conflicts;
  page->force = true;
  kecs_status status = kecs_transact(tx, kecs_sync__force_work, &blocked, 0);
  page->force = false;
  if (status && blocked.aside) {
    page->pulled = pulled;
    page->conflicts = conflicts;
    status = KECS_OK;
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__apply_blocked(kecs_sync__page *page, kecs_store *tx) {
  uint64_t kinds = page->blocked;
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (kinds & KECS_BIT(kind)) {
      page->blocked = 0;
      status = kecs_sync__apply_kind(page, tx, (kecs_kind)kind);
      status = status || !page->blocked ? status : kecs_sync__force(page, tx, (kecs_kind)kind);
    }
  }
  return status;
}

/* ---- sync/repush.c ----------------------------------------------------------------------------------------------- */
/* sync/repush.c -- what a repair has found missing at the hub goes there again: with the stamps and the sites that it
 * has, whoever wrote it.
 *
 * The keys stand in sync_repush until the push that brought them is acknowledged. Where only the next handshake tells
 * that it arrived, they are sent once more, which changes nothing. */

#include <stdio.h>
#include <string.h>

typedef struct kecs_sync__gather {
  kecs_sync__load *load;
  kecs_sync__key *key;
} kecs_sync__gather;

/* Tombstones of another site than the first one's wait for the next push. */
static kecs_status kecs_sync__gather_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__gather *gather = user;
  kecs_sync__load *load = gather->load;
  if (row->dead && load->buries && row->site[0] != load->origin) {
    gather->key->sent = false;
    return KECS_OK;
  }
  load->origin = row->dead ? row->site[0] : load->origin;
  return kecs_sync__load_visit(row, load);
}

/* The next keys, children first, as deletions want it; rows are sorted by their kinds anyway. */
static kecs_status kecs_sync__gather_keys(kecs_sync *sync, kecs_sync__keys *keys) {
  kecs_value limit = kecs_sync__value_int(sync->batch);
  return kecs_replica_sql(sync->store, "SELECT kind,key FROM {sync_repush} WHERE {own}true ORDER BY kind,key LIMIT ?1",
                          &limit, 1, 2, kecs_sync__key_visit, keys);
}

static kecs_status kecs_sync__repush_batch(kecs_sync *sync, bool *out_more) {
  kecs_sync__load load;
  kecs_sync__keys keys = {sync, NULL};
  kecs_replica side = kecs_sync__side(sync);
  bool again = sync->notes.intent.id[0] != '\0';
  kecs_sync__load_begin(&load, sync);
  kecs_status status = kecs_sync__gather_keys(sync, &keys);
  for (kecs_sync__key *key = keys.first; !status && key; key = key->next) {
    kecs_sync__gather gather = {&load, key};
    key->sent = true; /* also where nothing is left of it */
    status = kecs_replica_find(sync->store, &side, key->kind, key->key, kecs_sync__gather_visit, &gather);
  }
  *out_more = keys.first != NULL;
  if (!status && (keys.first || again)) {
    sync->sent = keys.first;
    status = kecs_sync__intend(sync, KECS_SYNC__OF_REPUSH, 0);
    status = status ? status : kecs_sync__push_send(sync, &load);
    sync->sent = NULL;
    sync->report.resent += status ? 0 : load.rows;
  }
  kecs_sync__keys_free(&keys);
  kecs_sync__load_free(&load);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__repush(kecs_sync *sync) {
  bool more = true;
  kecs_status status = KECS_OK;
  while (!status && more) {
    status = kecs_sync__repush_batch(sync, &more);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__repushed(kecs_store *tx, const kecs_sync *sync) {
  kecs_status status = KECS_OK;
  for (const kecs_sync__key *key = sync->sent; !status && key; key = key->next) {
    kecs_value values[] = {kecs_sync__value_int((int64_t)key->kind), kecs_sync__value_text(key->key)};
    if (key->sent) {
      status =
          kecs_replica_sql(tx, "DELETE FROM {sync_repush} WHERE {own}kind=?1 AND key=?2", values, 2, 0, NULL, NULL);
    }
  }
  return status;
}

/* ---- sync/limits.c ----------------------------------------------------------------------------------------------- */
/* sync/limits.c -- what a hub asks of its sites: rounds no more often, batches no larger, or no rounds for a while.
 *
 * An administrator writes a line for one site, or for all (the empty name); the stricter of the two holds. The
 * handshake tells it, and an edge obeys: it is no lock, but a way to take load off a hub whose edges are many. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- at the edge ---- */

/* "EVERY BATCH REASON"; "" where nobody has asked for anything. */
KECS_PG__FN kecs_status kecs_sync__limits_read(kecs_sync *sync, const char *text) {
  kecs_sync__limits *limits = &sync->limits;
  char *at = NULL;
  memset(limits, 0, sizeof *limits);
  limits->every_ms = strtoll(text, &at, 10);
  limits->batch = strtoll(at, &at, 10);
  snprintf(limits->pause, sizeof limits->pause, "%s", *at == ' ' ? at + 1 : "");
  sync->report.hub_every_ms = limits->every_ms;
  sync->report.hub_batch = limits->batch;
  if (limits->pause[0]) {
    return kecs_pg__fail(KECS_E_BUSY,
                         "%s: the hub takes no rounds now: %.200s; nothing was lost, try again later, or end the pause "
                         "by kecs hub limit",
                         sync->place.shown, limits->pause);
  }
  int batch = kecs_sync__bounded(sync, sync->wanted_batch ? sync->wanted_batch : sync->batch);
  sync->moved = sync->moved || batch < sync->batch; /* the window that was told is too large */
  sync->batch = batch;
  return KECS_OK;
}

KECS_PG__FN int kecs_sync__bounded(const kecs_sync *sync, int batch) {
  return sync->limits.batch > 0 && sync->limits.batch < batch ? (int)sync->limits.batch : batch;
}

/* ---- at the hub ---- */

/* A reason stands in messages, which are one line. */
static bool kecs_sync__limits_reason(const char *reason) {
  size_t len = strlen(reason);
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)reason[i] < 0x20 || reason[i] == 0x7f) {
      return false;
    }
  }
  return len > 0 && len <= KECS_SYNC_PAUSE_MAX;
}

KECS_PG__FN kecs_status kecs_sync__limits_check(const kecs_sync_limits *limits) {
  if (limits->every_ms < 0 || limits->every_ms > KECS_SYNC__EVERY_MOST_MS) {
    return kecs_pg__fail(KECS_E_INVALID, "limits.every_ms is %lld; 1 to %lld, which is a day, or 0",
                         (long long)limits->every_ms, (long long)KECS_SYNC__EVERY_MOST_MS);
  }
  if (limits->batch < 0 || limits->batch > KECS_SYNC__BATCH_MAX) {
    return kecs_pg__fail(KECS_E_INVALID, "limits.batch is %lld; 1 to %d, or 0", (long long)limits->batch,
                         (int)KECS_SYNC__BATCH_MAX);
  }
  if (limits->pause && !kecs_sync__limits_reason(limits->pause)) {
    return kecs_pg__fail(KECS_E_INVALID, "limits.pause must be a line of 1 to %d bytes, which says why, or NULL",
                         (int)KECS_SYNC_PAUSE_MAX);
  }
  return KECS_OK;
}

/* ---- sync/pull.c ------------------------------------------------------------------------------------------------- */
/* sync/pull.c -- what the hub has comes to the edge: once as a whole, then by its feed, window by window. */

#include <stdio.h>
#include <string.h>

enum {
  KECS_SYNC__SMALL = 64, /* entries of a window that comes as one statement */
  KECS_SYNC__SIP = 32,   /* rows between two looks at what has come for the next page */
  KECS_SYNC__BOOT_MS = 100,
  KECS_SYNC__BOOT_BYTES = 4194304, /* of a page: a larger one does not grow */
  KECS_SYNC__ASKS = 16   /* for what pages wait for, one after the other */
};

/* ---- statements ---- */

KECS_PG__FN int kecs_sync__add_text(kecs_sync__exchange *exchange, kecs_pg__text *form, const char *table,
                                    const char *const *values, int count) {
  int item = 0;
  exchange->status = exchange->status ? exchange->status : form->status;
  if (!exchange->status) {
    item = kecs_sync__add_item(exchange, form->data, table, values, count);
  }
  kecs_pg__text_free(form);
  return item;
}

/* "sync_FUNCTION(tenant,$1,...)" */
static void kecs_sync__call_text(kecs_pg__text *out, const char *function, int count) {
  kecs_pg__text_adds(out, "{S}sync_");
  kecs_pg__text_adds(out, function);
  for (int i = 0; i < count; i++) {
    char number[16];
    snprintf(number, sizeof number, ",$%d", i + 1);
    kecs_pg__text_adds(out, i == 0 ? "({T}" : "");
    kecs_pg__text_adds(out, number);
  }
  kecs_pg__text_adds(out, ")");
}

KECS_PG__FN int kecs_sync__add_read(kecs_sync__exchange *exchange, const char *function, const char *table,
                                    const char *const *values, int count) {
  kecs_pg__text form = {&exchange->sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text_adds(&form, "SELECT * FROM ");
  kecs_sync__call_text(&form, function, count);
  return kecs_sync__add_text(exchange, &form, table, values, count);
}

KECS_PG__FN void kecs_sync__select(kecs_pg__text *out, const kecs_sync *sync, const kecs_kind_info *info) {
  kecs_pg__text_adds(out, "SELECT r_key,r_life,r_life_site,r_spec,r_spec_site,r_status,r_status_site");
  for (int i = 0; i < info->column_count; i++) {
    const kecs_pg__mark marks[] = {{"c", info->columns[i].name}, {NULL, NULL}};
    if (kecs_sync__known(sync, info, i)) {
      kecs_pg__text_fill(out, ",\"{c}\"", marks);
    }
  }
  kecs_pg__text_adds(out, ",r_rid");
}

KECS_PG__FN int kecs_sync__add_rows(kecs_sync__exchange *exchange, const char *function, const kecs_kind_info *info,
                                    const char *const *values, int count) {
  kecs_pg__text form = {&exchange->sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_sync__select(&form, exchange->sync, info);
  kecs_pg__text_adds(&form, strcmp(function, "rows_{t}") == 0 ? ",r_groups FROM " : " FROM ");
  kecs_sync__call_text(&form, function, count);
  return kecs_sync__add_text(exchange, &form, info->table, values, count);
}

/* ---- applying ---- */

static kecs_value kecs_sync__value(const kecs_column_info *column, const PGresult *result, int row, int at) {
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  if (PQgetisnull(result, row, at)) {
    return value;
  }
  switch (column->type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      value.type = KECS_VALUE_TEXT;
      value.text = PQgetvalue(result, row, at);
      value.len = (size_t)PQgetlength(result, row, at);
      break;
    case KECS_TYPE_BOOL:
      value.type = KECS_VALUE_BOOL;
      value.number = PQgetvalue(result, row, at)[0] == 't';
      break;
    case KECS_TYPE_TIME:
      value.type = KECS_VALUE_TIME;
      value.number = kecs_sync__number(result, row, at);
      break;
    default:
      value.type = KECS_VALUE_INT;
      value.number = kecs_sync__number(result, row, at);
      break;
  }
  return value;
}

static kecs_status kecs_sync__merge(kecs_sync__page *page, kecs_store *tx, const kecs_replica_row *row) {
  kecs_replica_merged merged;
  kecs_status status = kecs_replica_merge(tx, &page->side, row, &merged);
  if (status) {
    return status;
  }
  page->pulled += merged.outcome == KECS_REPLICA_TAKEN;
  page->conflicts += merged.conflicts;
  page->wished += merged.outcome == KECS_REPLICA_ORPHAN || merged.outcome == KECS_REPLICA_BLOCKED;
  page->blocked |= merged.outcome == KECS_REPLICA_BLOCKED ? KECS_BIT(row->kind) : 0;
  return KECS_OK;
}

/* A row of a kind that only grows. Those of a page have rids that follow each other. */
static kecs_status kecs_sync__arrive(kecs_sync__page *page, kecs_store *tx, const kecs_replica_row *row,
                                     int64_t rids[2]) {
  int64_t rid = 0;
  kecs_status status = kecs_replica_insert(tx, row, &rid);
  page->pulled += rid != 0;
  rids[0] = rids[0] || status ? rids[0] : rid;
  rids[1] = rid ? rid : rids[1];
  return status;
}

static kecs_status kecs_sync__apply_rows(kecs_sync__page *page, kecs_store *tx, const kecs_kind_info *info,
                                         const PGresult *result) {
  kecs_status status = KECS_OK;
  int64_t rids[2] = {0, 0};
  for (int r = 0; !status && r < PQntuples(result); r++) {
    kecs_value values[64];
    kecs_replica_row row;
    int at = KECS_SYNC__ROW_FIXED;
    memset(values, 0, sizeof values);
    memset(&row, 0, sizeof row);
    row.kind = info->kind;
    row.key = kecs_sync__text(result, r, 0);
    row.values = values;
    row.force = page->force;
    row.fill = page->fill;
    row.given = kecs_sync__known_mask(page->sync, info);
    for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
      row.stamp[i] = kecs_sync__number(result, r, 1 + 2 * i);
      row.site[i] = kecs_sync__number(result, r, 2 + 2 * i);
    }
    for (int i = 0; i < info->column_count; i++) {
      if (kecs_sync__known(page->sync, info, i)) {
        values[i] = kecs_sync__value(&info->columns[i], result, r, at++);
      }
    }
    int64_t groups = kecs_sync__number(result, r, at + 1); /* behind rid; 0: no window has asked for the row */
    row.partly = groups != 0 && (groups & 1) == 0;
    status = kecs_sync__only_grows(info) ? kecs_sync__arrive(page, tx, &row, rids)
                                         : kecs_sync__merge(page, tx, &row);
    if (page->ahead && page->sync->link && r % KECS_SYNC__SIP == 0) {
      (void)PQconsumeInput(page->sync->link->pg); /* whether the link is lost is told when the page is received */
    }
  }
  return status || !rids[0] ? status : kecs_sync__append_pulled(tx, info, rids[0], rids[1]);
}

static kecs_status kecs_sync__apply_graves(kecs_sync__page *page, kecs_store *tx, kecs_kind kind,
                                           const PGresult *result) {
  kecs_status status = KECS_OK;
  for (int r = 0; !status && r < PQntuples(result); r++) {
    kecs_replica_row row;
    memset(&row, 0, sizeof row);
    row.kind = kind;
    row.dead = true;
    row.key = kecs_sync__text(result, r, 0);
    row.stamp[0] = kecs_sync__number(result, r, 1);
    row.site[0] = kecs_sync__number(result, r, 2);
    status = kecs_sync__merge(page, tx, &row);
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__apply_kind(kecs_sync__page *page, kecs_store *tx, kecs_kind kind) {
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < 2; i++) {
    int item = page->rows[kind][i];
    status = item ? kecs_sync__apply_rows(page, tx, kecs_kind_describe(kind), page->exchange.item[item].result)
                  : KECS_OK;
  }
  return status;
}

/* Deletions children first, rows parents first. */
KECS_PG__FN kecs_status kecs_sync__apply(kecs_sync__page *page, kecs_store *tx) {
  kecs_status status = KECS_OK;
  page->pulled = 0;
  page->conflicts = 0;
  page->wished = 0;
  page->blocked = 0;
  if (page->wants) {
    status = kecs_replica_sql(tx, "DELETE FROM {sync_wanted} WHERE {own}true", NULL, 0, 0, NULL, NULL);
  }
  for (int kind = KECS_KIND_COUNT - 1; !status && kind > 0; kind--) {
    for (int i = 0; !status && i < 2; i++) {
      int item = page->graves[kind][i];
      status = item ? kecs_sync__apply_graves(page, tx, (kecs_kind)kind, page->exchange.item[item].result) : KECS_OK;
    }
  }
  if (!status && page->counters) {
    status = kecs_sync__raise_counters(tx, page->exchange.item[page->counters].result);
  }
  for (int i = 0; i < 2; i++) {
    int item = page->rows[KECS_KIND_TASK_DEFINITION][i];
    status = status || !item ? status : kecs_sync__raise_rows(tx, page->exchange.item[item].result);
  }
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    status = kecs_sync__apply_kind(page, tx, (kecs_kind)kind);
  }
  return status || !page->blocked ? status : kecs_sync__apply_blocked(page, tx);
}

static kecs_status kecs_sync__apply_window(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply(page, tx);
  status = status ? status : kecs_sync__note_number(tx, "cursor", page->sync->until);
  return status ? status : kecs_sync__note(tx, "cursor_id", page->sync->until_id);
}

/* ---- what is looked at ---- */

static kecs_status kecs_sync__look_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_sync__note_number(tx, "seen", sync->head);
  status = status ? status : kecs_sync__note(tx, "seen_id", sync->head_id);
  return status ? status : kecs_sync__note_number(tx, "seen_us", sync->head_us);
}

KECS_PG__FN kecs_status kecs_sync__look(kecs_sync *sync) {
  const kecs_sync__notes *notes = &sync->notes;
  bool reads = !notes->booted || notes->repair || sync->head > notes->cursor;
  bool noted = notes->seen == sync->head && strcmp(notes->seen_id, sync->head_id) == 0;
  kecs_status status = reads && !noted ? kecs_sync__transact(sync, kecs_sync__look_work, sync) : KECS_OK;
  return status || !reads || noted ? status : kecs_sync__notes_read(sync);
}

/* ---- what is wanted ---- */

static kecs_status kecs_sync__wanted_visit(const kecs_value *values, void *user) {
  kecs_sync__page *page = user;
  if (values[0].number > 0 && values[0].number < KECS_KIND_COUNT) {
    kecs_sync__array_add(&page->wanted[values[0].number], values[1].text);
    page->wants = true;
    page->asked++;
  }
  return KECS_OK;
}

static kecs_status kecs_sync__page_wanted(kecs_sync__page *page) {
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    page->wanted[kind].allocator = &page->sync->allocator;
  }
  kecs_status status = kecs_replica_sql(page->sync->store, "SELECT kind,key FROM {sync_wanted} WHERE {own}true", NULL,
                                        0, 2, kecs_sync__wanted_visit, page);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (page->wanted[kind].len > 0) {
      const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
      kecs_sync__array_end(&page->wanted[kind]);
      status = page->wanted[kind].status;
      page->wanted_values[kind][0] = page->site;
      page->wanted_values[kind][1] = page->wanted[kind].data;
      page->graves[kind][1] =
          kecs_sync__add_read(&page->exchange, "buried_{t}", info->table, page->wanted_values[kind], 2);
      page->rows[kind][1] =
          kecs_sync__add_rows(&page->exchange, "found_{t}", info, page->wanted_values[kind], 2);
    }
  }
  return status;
}

/* ---- windows ---- */

static uint64_t kecs_sync__pulls(const kecs_sync *sync) {
  return sync->kinds | (sync->append_pull ? sync->append : 0);
}

static void kecs_sync__window_read(kecs_sync *sync, const PGresult *result) {
  sync->until = kecs_sync__number(result, 0, 0);
  snprintf(sync->until_id, sizeof sync->until_id, "%s", kecs_sync__text(result, 0, 1));
  sync->until_kinds = kecs_sync__number(result, 0, 2);
}

static kecs_status kecs_sync__pull_window(kecs_sync *sync, kecs_sync__page *page) {
  char from[24];
  char until[24];
  char size[24];
  snprintf(from, sizeof from, "%lld", (long long)sync->notes.cursor);
  snprintf(until, sizeof until, "%lld", (long long)sync->until);
  snprintf(size, sizeof size, "%d", sync->batch);
  const char *values[] = {page->site, from, until};
  const char *next[] = {until, size};
  kecs_sync__begin(&page->exchange, sync, false);
  page->exchange.small = sync->until - sync->notes.cursor <= KECS_SYNC__SMALL;
  kecs_status status = kecs_sync__page_wanted(page);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if ((uint64_t)sync->until_kinds & kecs_sync__pulls(sync) & KECS_BIT(kind)) {
      const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
      bool graves = !kecs_sync__only_grows(info);
      page->graves[kind][0] = graves ? kecs_sync__add_read(&page->exchange, "graves_{t}", info->table, values, 3) : 0;
      page->rows[kind][0] = kecs_sync__add_rows(&page->exchange, "rows_{t}", info, values, 3);
    }
  }
  if ((uint64_t)sync->until_kinds & sync->kinds & KECS_BIT(KECS_KIND_TASK_DEFINITION)) {
    page->counters = kecs_sync__add_counters(&page->exchange, values);
  }
  page->window = kecs_sync__add_item(&page->exchange, "SELECT * FROM {S}sync_window({T},$1,$2)", "", next, 2);
  status = status ? status : kecs_sync__send(&page->exchange, "pull");
  status = status ? status : kecs_sync__transact(sync, kecs_sync__apply_window, page);
  if (!status) {
    kecs_sync__window_read(sync, page->exchange.item[page->window].result);
  }
  return status;
}

/* ---- pages ---- */

static kecs_sync__page *kecs_sync__page_new(kecs_sync *sync) {
  kecs_sync__page *page = kecs_pg__alloc(&sync->allocator, sizeof *page);
  if (page) {
    page->sync = sync;
    page->exchange.sync = sync;
    page->side = kecs_sync__side(sync);
    page->side.as_one = true;
    snprintf(page->site, sizeof page->site, "%lld", (long long)sync->notes.site);
  }
  return page;
}

/* With what it has done, where it was applied. NULL is fine. */
static void kecs_sync__page_end(kecs_sync *sync, kecs_sync__page *page, bool applied) {
  if (!page) {
    return;
  }
  if (applied) {
    sync->report.pulled += page->pulled;
    sync->report.conflicts += page->conflicts;
    sync->ask_again = page->wished > page->asked || (page->wished > 0 && page->pulled > 0);
  }
  kecs_sync__end(&page->exchange);
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    if (page->wanted[kind].allocator) {
      kecs_pg__text_free(&page->wanted[kind]);
    }
  }
  kecs_pg__release(&sync->allocator, page, sizeof *page);
}

KECS_PG__FN kecs_status kecs_sync__page_run(kecs_sync *sync,
                                            kecs_status (*run)(kecs_sync *sync, kecs_sync__page *page)) {
  kecs_sync__page *page = kecs_sync__page_new(sync);
  kecs_status status = page ? run(sync, page) : KECS_E_NOMEM;
  kecs_sync__page_end(sync, page, !status);
  return status ? status : kecs_sync__notes_read(sync);
}

/* ---- the first time ---- */

static kecs_status kecs_sync__apply_boot(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply(page, tx);
  status = status ? status : kecs_sync__note_number(tx, "boot_kind", page->boot_kind);
  return status ? status : kecs_sync__note_number(tx, "boot_rid", page->boot_rid);
}

static kecs_status kecs_sync__apply_head(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_sync__note_number(tx, "cursor", sync->head);
  status = status ? status : kecs_sync__note(tx, "cursor_id", sync->head_id);
  return status ? status : kecs_sync__note_number(tx, "boot_kind", 1);
}

/* All tombstones, by their sequence; the merge finds out which of them still say something. */
static kecs_status kecs_sync__boot_graves(kecs_sync__page *page, const char *const *values) {
  page->window = kecs_sync__add_read(&page->exchange, "tombs", "", values, 5);
  kecs_status status = kecs_sync__send(&page->exchange, "pull");
  const PGresult *result = status ? NULL : page->exchange.item[page->window].result;
  int count = result ? PQntuples(result) : 0;
  page->boot_kind = count < page->size ? KECS_SYNC__BOOT_DONE : KECS_SYNC__BOOT_GRAVES;
  page->boot_rid = count > 0 ? kecs_sync__number(result, count - 1, 4) : 0;
  page->bytes = result ? PQresultMemorySize(result) : 0;
  return status;
}

static kecs_status kecs_sync__boot_rows(kecs_sync__page *page, const char *const *values) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)page->from_kind);
  int item = kecs_sync__add_rows(&page->exchange, "page_{t}", info, values, 5);
  int counters = info->kind == KECS_KIND_TASK_DEFINITION ? kecs_sync__add_counters(&page->exchange, values) : 0;
  kecs_status status = kecs_sync__send(&page->exchange, "pull");
  const PGresult *result = status ? NULL : page->exchange.item[item].result;
  int count = result ? PQntuples(result) : 0;
  page->rows[info->kind][0] = item;
  page->counters = counters;
  page->boot_kind = page->from_kind + (count < page->size);
  page->boot_rid = count < page->size ? 0 : kecs_sync__number(result, count - 1, PQnfields(result) - 1);
  page->bytes = result ? PQresultMemorySize(result) : 0;
  return status;
}

KECS_PG__FN kecs_status kecs_sync__apply_mixed_graves(kecs_sync__page *page, kecs_store *tx, const PGresult *result) {
  kecs_status status = KECS_OK;
  page->pulled = 0;
  page->conflicts = 0;
  for (int r = 0; !status && r < PQntuples(result); r++) {
    kecs_replica_row row;
    memset(&row, 0, sizeof row);
    row.kind = (kecs_kind)kecs_sync__number(result, r, 3);
    row.dead = true;
    row.key = kecs_sync__text(result, r, 0);
    row.stamp[0] = kecs_sync__number(result, r, 1);
    row.site[0] = kecs_sync__number(result, r, 2);
    status = page->sync->kinds & KECS_BIT(row.kind) ? kecs_sync__merge(page, tx, &row) : KECS_OK;
  }
  return status;
}

static kecs_status kecs_sync__apply_boot_graves(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply_mixed_graves(page, tx, page->exchange.item[page->window].result);
  status = status ? status : kecs_sync__note_number(tx, "boot_kind", page->boot_kind);
  return status ? status : kecs_sync__note_number(tx, "boot_rid", page->boot_rid);
}

/* Asks for the page that begins at a place. */
static kecs_status kecs_sync__boot_ask(kecs_sync *sync, kecs_sync__page *page, int64_t kind, int64_t rid) {
  char from[24];
  char size[24];
  while (kind < KECS_SYNC__BOOT_GRAVES && !(kecs_sync__pulls(sync) & KECS_BIT(kind))) {
    kind++;
    rid = 0;
  }
  page->from_kind = kind;
  page->size = kecs_sync__bounded(sync, sync->boot_batch > sync->batch ? sync->boot_batch : sync->batch);
  snprintf(from, sizeof from, "%lld", (long long)rid);
  snprintf(size, sizeof size, "%d", page->size);
  kecs_pg__text scopes = {&sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_status status = kecs_sync__boot_scopes(sync, &scopes);
  const char *values[] = {page->site, from, size, NULL, scopes.data};
  page->exchange.status = page->exchange.status ? page->exchange.status : status;
  status = kind == KECS_SYNC__BOOT_GRAVES ? kecs_sync__boot_graves(page, values)
                                          : kecs_sync__boot_rows(page, values);
  kecs_pg__text_free(&scopes);
  return status;
}

/* The larger pages are, the less is written for each row; but as long as one is merged, other writers wait. */
static void kecs_sync__boot_adapt(kecs_sync *sync, const kecs_sync__page *page, int64_t ms) {
  bool whole = page->boot_kind == page->from_kind;
  if (sync->adapts && whole && ms < KECS_SYNC__BOOT_MS && page->bytes < KECS_SYNC__BOOT_BYTES) {
    sync->boot_batch = page->size * 2 < KECS_SYNC__BATCH_MOST ? page->size * 2 : KECS_SYNC__BATCH_MOST;
  }
}

static kecs_status kecs_sync__boot_apply(kecs_sync__page *page) {
  bool graves = page->from_kind == KECS_SYNC__BOOT_GRAVES;
  int64_t begun = kecs_pg__now_ms();
  kecs_status status =
      kecs_sync__transact(page->sync, graves ? kecs_sync__apply_boot_graves : kecs_sync__apply_boot, page);
  page->tried = true;
  page->status = status;
  kecs_sync__boot_adapt(page->sync, page, kecs_pg__now_ms() - begun);
  return status;
}

/* While the hub puts the next page together. */
static void kecs_sync__boot_meanwhile(void *user) {
  kecs_sync__page *page = user;
  page->ahead = true;
  if (kecs_sync__boot_apply(page)) {
    page->error = *kecs_last_error();
  }
  page->ahead = false;
}

/* Asks for the page behind one, which is applied meanwhile. */
static kecs_status kecs_sync__boot_next(kecs_sync *sync, kecs_sync__page *page, kecs_sync__page **out_next) {
  kecs_sync__page *next = kecs_sync__page_new(sync);
  *out_next = next;
  if (!next) {
    return KECS_E_NOMEM;
  }
  kecs_sync__begin_page(&next->exchange, sync);
  next->exchange.meanwhile = kecs_sync__boot_meanwhile;
  next->exchange.user = page;
  kecs_status status = kecs_sync__boot_ask(sync, next, page->boot_kind, page->boot_rid);
  if (page->tried && page->status) {
    kecs_pg__restore(&page->error);
  }
  return page->tried && page->status ? page->status : status;
}

/* The next page can't be asked for; what is here is not to be fetched again. */
static void kecs_sync__boot_keep(kecs_sync__page *page) {
  kecs_error error = *kecs_last_error();
  (void)kecs_sync__boot_apply(page);
  kecs_pg__restore(&error);
}

static kecs_status kecs_sync__boot_pages(kecs_sync *sync) {
  kecs_sync__page *page = kecs_sync__page_new(sync);
  kecs_status status = page ? KECS_OK : KECS_E_NOMEM;
  sync->boot_batch = 0;
  if (!status) {
    kecs_sync__begin_page(&page->exchange, sync);
    status = kecs_sync__boot_ask(sync, page, sync->notes.boot_kind, sync->notes.boot_rid);
  }
  while (!status && page) {
    kecs_sync__page *next = NULL;
    bool last = page->boot_kind == KECS_SYNC__BOOT_DONE;
    status = last ? kecs_sync__boot_apply(page) : kecs_sync__boot_next(sync, page, &next);
    if (status && !page->tried) {
      kecs_sync__boot_keep(page);
    }
    kecs_sync__page_end(sync, page, page->tried && !page->status);
    page = next;
  }
  kecs_sync__page_end(sync, page, false);
  return status ? status : kecs_sync__notes_read(sync);
}

static kecs_status kecs_sync__boot(kecs_sync *sync) {
  kecs_status status = KECS_OK;
  if (sync->notes.boot_kind == 0) {
    status = kecs_sync__transact(sync, kecs_sync__apply_head, sync);
    status = status ? status : kecs_sync__notes_read(sync);
  }
  return status || sync->notes.booted ? status : kecs_sync__boot_pages(sync);
}

KECS_PG__FN kecs_status kecs_sync__pull(kecs_sync *sync) {
  int64_t wanted = 0;
  kecs_status status = KECS_OK;
  sync->ask_again = false;
  if (!sync->notes.booted || sync->moved) {
    status = kecs_sync__boot(sync);
    sync->moved = false;
    sync->until = sync->notes.cursor; /* a page without rows tells the next window */
    snprintf(sync->until_id, sizeof sync->until_id, "%s", sync->notes.cursor_id);
    sync->until_kinds = 0;
    status = status ? status : kecs_sync__page_run(sync, kecs_sync__pull_window);
  }
  status =
      status ? status : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_wanted} WHERE {own}true", &wanted);
  int times = 0; /* that what is wanted was asked for, since the cursor has moved: the rest is for the next round */
  while (!status && (sync->until > sync->notes.cursor || wanted > 0 || (sync->ask_again && times < KECS_SYNC__ASKS))) {
    times = sync->until > sync->notes.cursor ? 0 : times + 1;
    wanted = 0;
    status = kecs_sync__page_run(sync, kecs_sync__pull_window);
  }
  return status;
}

/* ---- sync/scope.c ------------------------------------------------------------------------------------------------ */
/* sync/scope.c -- what an edge may exchange, as the handshake tells it: clusters that it has from now on are read as a
 * whole, rows of those that it has no longer leave this file.
 *
 * Scopes are names in one text with spaces between: ARNs of clusters, "-" for what belongs to none, or "*" for the
 * whole tenant. sync_scope at the hub (hub_owner.c) and kecs_sync__in_scope here say alike what a key belongs to. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_SYNC__BARE_ARN "arn:aws:ecs:us-east-1:000000000000:cluster/"

/* ---- names ---- */

static bool kecs_sync__cluster_name(const char *name, size_t len) {
  size_t good = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
  return len > 0 && good >= len;
}

/* "arn:PARTITION:ecs:REGION:ACCOUNT:" at the beginning of a text: its length; 0 where there is none. */
static size_t kecs_sync__arn_len(const char *text) {
  const char *at = strncmp(text, "arn:", 4) == 0 ? text + 4 : NULL;
  for (int part = 1; at && part < 5; part++) {
    size_t len = strcspn(at, ":,/");
    bool good = at[len] == ':' && (part != 2 || (len == 3 && strncmp(at, "ecs", 3) == 0));
    at = good ? at + len + 1 : NULL;
  }
  return at ? (size_t)(at - text) : 0;
}

KECS_PG__FN kecs_status kecs_sync__scope_name(const char *name, char out[KECS_SYNC__SCOPE_MAX]) {
  size_t arn = kecs_sync__arn_len(name);
  bool whole = arn > 0 && strncmp(name + arn, "cluster/", 8) == 0;
  const char *bare = whole ? name + arn + 8 : name;
  size_t len = strlen(bare);
  bool cluster = kecs_sync__cluster_name(bare, len) && len <= 255 && strlen(name) < KECS_SYNC__SCOPE_MAX - 64;
  if (strcmp(name, "-") != 0 && !cluster) {
    return kecs_pg__fail(KECS_E_INVALID, "\"%.200s\" is no cluster: give its name, its ARN, or - for rows of none",
                         name);
  }
  snprintf(out, KECS_SYNC__SCOPE_MAX, "%s%s", whole || strcmp(name, "-") == 0 ? "" : KECS_SYNC__BARE_ARN, name);
  return KECS_OK;
}

/* ---- what a key belongs to ---- */

/* A cluster, by its ARN's beginning and its name. Both are empty for what belongs to none. */
typedef struct kecs_sync__owner {
  const char *arn;
  size_t arn_len;
  const char *name;
  size_t name_len;
} kecs_sync__owner;

static kecs_sync__owner kecs_sync__owner_of(kecs_kind kind, const char *key) {
  static const struct {
    const char *begin;
    bool more; /* something comes behind the cluster's name */
  } resources[] = {
      {"cluster/", false}, {"service/", true}, {"task/", true}, {"task-set/", true}, {"container-instance/", true}};
  kecs_sync__owner owner = {key, kecs_sync__arn_len(key), NULL, 0};
  const char *rest = key + owner.arn_len;
  for (size_t i = 0; owner.arn_len > 0 && i < sizeof resources / sizeof resources[0]; i++) {
    size_t len = strlen(resources[i].begin);
    if (strncmp(rest, resources[i].begin, len) == 0) {
      const char *end = rest + len + strcspn(rest + len, ",/");
      bool ends = resources[i].more ? *end == '/' : *end == '\0' || *end == ',';
      owner.name = ends && kecs_sync__cluster_name(rest + len, (size_t)(end - rest) - len) ? rest + len : NULL;
      owner.name_len = owner.name ? (size_t)(end - owner.name) : 0;
    }
  }
  if (kind == KECS_KIND_ATTRIBUTE && strncmp(key, "arn:", 4) != 0) {
    size_t len = strcspn(key, ",");
    owner.name = key[len] == ',' && kecs_sync__cluster_name(key, len) ? key : NULL;
    owner.name_len = owner.name ? len : 0;
  }
  return owner;
}

/* Whether one name among scopes is what owns a row. An attribute may name its cluster without an ARN. */
static bool kecs_sync__owns(const char *scope, size_t len, const kecs_sync__owner *owner) {
  static const char cluster[] = "cluster/";
  size_t tail = owner->name_len + sizeof cluster - 1;
  if (!owner->name) {
    return len == 1 && *scope == '-';
  }
  return len > tail && scope[len - tail - 1] == ':' && strncmp(scope + len - tail, cluster, sizeof cluster - 1) == 0 &&
         strncmp(scope + len - owner->name_len, owner->name, owner->name_len) == 0 &&
         (owner->arn_len == 0 || (owner->arn_len == len - tail && strncmp(scope, owner->arn, owner->arn_len) == 0));
}

KECS_PG__FN bool kecs_sync__in_scope(const char *scopes, kecs_kind kind, const char *key) {
  kecs_sync__owner owner = kecs_sync__owner_of(kind, key);
  bool in = strcmp(scopes, "*") == 0;
  while (!in && *scopes) {
    size_t len = strcspn(scopes, " ");
    in = kecs_sync__owns(scopes, len, &owner);
    scopes += len + (scopes[len] == ' ');
  }
  return in;
}

/* ---- the notes ---- */

typedef struct kecs_sync__scope_note {
  kecs_pg__text text;
  bool there;
} kecs_sync__scope_note;

static kecs_status kecs_sync__scope_visit(const kecs_value *values, void *user) {
  kecs_sync__scope_note *note = user;
  note->there = true;
  kecs_pg__text_adds(&note->text, values[0].text ? values[0].text : "");
  return note->text.status;
}

/* A note that may be long. "" where there is none. */
static kecs_status kecs_sync__scope_read(kecs_sync *sync, const char *name, kecs_sync__scope_note *out) {
  kecs_value value = kecs_sync__value_text(name);
  memset(out, 0, sizeof *out);
  out->text.allocator = &sync->allocator;
  kecs_status status = kecs_replica_sql(sync->store, "SELECT value FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                                        kecs_sync__scope_visit, out);
  if (!status && !out->text.data) {
    kecs_pg__text_adds(&out->text, "");
  }
  return status ? status : out->text.status;
}

KECS_PG__FN kecs_status kecs_sync__boot_scopes(kecs_sync *sync, kecs_pg__text *out) {
  kecs_sync__scope_note note;
  kecs_status status = kecs_sync__scope_read(sync, "boot_scopes", &note);
  for (const char *at = status ? "" : note.text.data; *at;) {
    size_t len = strcspn(at, " ");
    kecs_pg__text one = {&sync->allocator, NULL, 0, 0, KECS_OK};
    kecs_pg__text_add(&one, at, len);
    const char *cluster = one.data ? strstr(one.data, ":cluster/") : NULL;
    if (one.data) {
      kecs_sync__array_add(out, one.data);
    }
    if (cluster) {
      kecs_sync__array_add(out, cluster + 1); /* as attributes may have it */
    }
    status = status ? status : one.status;
    kecs_pg__text_free(&one);
    at += len + (at[len] == ' ');
  }
  if (out->len > 0) {
    kecs_sync__array_end(out);
  }
  kecs_pg__text_free(&note.text);
  return status ? status : out->status;
}

/* ---- leaving ---- */

typedef struct kecs_sync__leaver {
  kecs_kind kind;
  char *key;
  struct kecs_sync__leaver *next;
} kecs_sync__leaver;

typedef struct kecs_sync__rescoping {
  kecs_sync *sync;
  const char *before;
  const char *after;
  kecs_pg__text added;
  bool boots;
  kecs_sync__leaver *first;
  int64_t left;
  int64_t conflicts;
} kecs_sync__rescoping;

static kecs_status kecs_sync__leaver_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__rescoping *rescoping = user;
  if (kecs_sync__in_scope(rescoping->after, row->kind, row->key) ||
      !kecs_sync__in_scope(rescoping->before, row->kind, row->key)) {
    return KECS_OK;
  }
  kecs_sync__leaver *leaver = kecs_pg__alloc(&rescoping->sync->allocator, sizeof *leaver);
  if (!leaver) {
    return KECS_E_NOMEM;
  }
  leaver->kind = row->kind;
  leaver->next = rescoping->first;
  rescoping->first = leaver;
  leaver->key = kecs_pg__copy(&rescoping->sync->allocator, row->key, strlen(row->key));
  return leaver->key ? KECS_OK : KECS_E_NOMEM;
}

static kecs_status kecs_sync__leave(kecs_sync__rescoping *rescoping, kecs_store *tx, const kecs_sync__leaver *leaver) {
  kecs_replica side = kecs_sync__side(rescoping->sync);
  kecs_replica_merged merged = {KECS_REPLICA_SAME, 0};
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  row.kind = leaver->kind;
  row.key = leaver->key;
  row.dead = true;
  row.leaves = true;
  kecs_status status = kecs_replica_merge(tx, &side, &row, &merged);
  rescoping->left += merged.outcome == KECS_REPLICA_TAKEN;
  rescoping->conflicts += merged.conflicts;
  return status;
}

static void kecs_sync__leavers_free(kecs_sync__rescoping *rescoping) {
  const kecs_allocator *allocator = &rescoping->sync->allocator;
  for (kecs_sync__leaver *leaver = rescoping->first; leaver; leaver = rescoping->first) {
    rescoping->first = leaver->next;
    kecs_pg__release_text(allocator, leaver->key);
    kecs_pg__release(allocator, leaver, sizeof *leaver);
  }
}

/* Children before parents, a page of keys at a time. */
static kecs_status kecs_sync__leave_kind(kecs_sync__rescoping *rescoping, kecs_store *tx, kecs_kind kind) {
  kecs_sync *sync = rescoping->sync;
  kecs_replica side = kecs_sync__side(sync);
  int64_t after = 0;
  int64_t last = 0;
  kecs_status status = KECS_OK;
  do {
    after = last;
    last = 0;
    status = kecs_replica_walk(tx, &side, kind, after, sync->batch, kecs_sync__leaver_visit, rescoping, &last);
    for (const kecs_sync__leaver *leaver = rescoping->first; !status && leaver; leaver = leaver->next) {
      status = kecs_sync__leave(rescoping, tx, leaver);
    }
    kecs_sync__leavers_free(rescoping);
  } while (!status && last > after);
  return status;
}

/* ---- joining ---- */

static bool kecs_sync__named(const char *scopes, const char *name, size_t len) {
  bool found = false;
  while (!found && *scopes) {
    size_t one = strcspn(scopes, " ");
    found = one == len && strncmp(scopes, name, len) == 0;
    scopes += one + (scopes[one] == ' ');
  }
  return found;
}

/* What is new is read as a whole. Where that cannot be told apart, everything is: it is only merged. */
static void kecs_sync__added(kecs_sync__rescoping *rescoping) {
  const kecs_sync__notes *notes = &rescoping->sync->notes;
  if (strcmp(rescoping->before, "*") == 0) {
    return;
  }
  rescoping->boots = strcmp(rescoping->after, "*") == 0;
  for (const char *at = rescoping->boots ? "" : rescoping->after; *at;) {
    size_t len = strcspn(at, " ");
    if (!kecs_sync__named(rescoping->before, at, len)) {
      kecs_pg__text_adds(&rescoping->added, rescoping->added.len > 0 ? " " : "");
      kecs_pg__text_add(&rescoping->added, at, len);
      rescoping->boots = true;
    }
    at += len + (at[len] == ' ');
  }
  if (!notes->booted) { /* the one under way begins anew, with all */
    kecs_pg__text_free(&rescoping->added);
  }
}

static kecs_status kecs_sync__rescope_work(kecs_store *tx, void *user) {
  kecs_sync__rescoping *rescoping = user;
  const char *added = rescoping->added.data ? rescoping->added.data : "";
  kecs_status status = rescoping->added.status;
  rescoping->left = 0;
  rescoping->conflicts = 0;
  for (int kind = KECS_KIND_COUNT - 1; !status && kind > 0; kind--) {
    if (rescoping->sync->kinds & KECS_BIT(kind)) {
      status = kecs_sync__leave_kind(rescoping, tx, (kecs_kind)kind);
    }
  }
  if (!status && rescoping->boots && rescoping->sync->notes.boot_kind != 0) {
    status = kecs_sync__note_number(tx, "boot_kind", 1);
    status = status ? status : kecs_sync__note_number(tx, "boot_rid", 0);
    status = status ? status : kecs_sync__note(tx, "boot_scopes", added);
  }
  return status ? status : kecs_sync__note(tx, "scopes", rescoping->after);
}

KECS_PG__FN kecs_status kecs_sync__rescope(kecs_sync *sync, const PGresult *said) {
  kecs_sync__rescoping rescoping;
  kecs_sync__scope_note before;
  kecs_status status = kecs_sync__scope_read(sync, "scopes", &before);
  memset(&rescoping, 0, sizeof rescoping);
  rescoping.sync = sync;
  rescoping.added.allocator = &sync->allocator;
  rescoping.after = kecs_sync__text(said, 0, 0);
  /* A file that has read nothing yet has nothing to give back; one from before there were scopes had the tenant. */
  bool began = before.there || sync->notes.boot_kind != 0;
  rescoping.before = before.there ? before.text.data : began ? "*" : rescoping.after;
  if (!status && (!before.there || strcmp(rescoping.before, rescoping.after) != 0)) {
    kecs_sync__added(&rescoping);
    status = kecs_sync__transact(sync, kecs_sync__rescope_work, &rescoping);
    sync->report.left += status ? 0 : rescoping.left;
    sync->report.conflicts += status ? 0 : rescoping.conflicts;
    status = status ? status : kecs_sync__notes_read(sync);
  }
  kecs_sync__leavers_free(&rescoping);
  kecs_pg__text_free(&rescoping.added);
  kecs_pg__text_free(&before.text);
  return status;
}

/* ---- an edge's own bounds ---- */

KECS_PG__FN kecs_status kecs_sync__clusters(kecs_sync *sync, const char *const *clusters, size_t count) {
  kecs_status status = KECS_OK;
  sync->clusters.allocator = &sync->allocator;
  for (size_t i = 0; !status && i < count; i++) {
    char name[KECS_SYNC__SCOPE_MAX] = "";
    status = clusters[i] ? kecs_sync__scope_name(clusters[i], name)
                         : kecs_pg__fail(KECS_E_INVALID, "options.clusters[%d] is NULL", (int)i);
    if (!status) {
      kecs_sync__array_add(&sync->clusters, name);
    }
  }
  if (count > 0) {
    kecs_sync__array_end(&sync->clusters);
  }
  return status ? status : sync->clusters.status;
}

/* ---- sync/md5.c -------------------------------------------------------------------------------------------------- */
/* sync/md5.c -- MD5 as RFC 1321 has it. */

/* ---- sync/md5.h -------------------------------------------------------------------------------------------------- */
/* sync/md5.h -- MD5, which every PostgreSQL can reckon, too: to compare tables, not to keep a secret. */
#ifndef KECS_SYNC_MD5_H
#define KECS_SYNC_MD5_H

enum { KECS_SYNC__MD5_SIZE = 16 };

KECS_PG__FN void kecs_sync__md5(const char *bytes, size_t len, unsigned char out[KECS_SYNC__MD5_SIZE]);

#endif

/* ---- sync/md5.c, continued --------------------------------------------------------------------------------------- */
#include <string.h>

enum { KECS_SYNC__MD5_BLOCK = 64, KECS_SYNC__MD5_LENGTH = 8 /* bytes of the length, at the end */ };

/* floor(2^32 * |sin(i + 1)|) */
static const uint32_t kecs_sync__md5_sines[KECS_SYNC__MD5_BLOCK] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static uint32_t kecs_sync__md5_word(const unsigned char *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void kecs_sync__md5_block(uint32_t state[4], const unsigned char *block) {
  static const int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t a = state[0];
  uint32_t b = state[1];
  uint32_t c = state[2];
  uint32_t d = state[3];
  for (int i = 0; i < KECS_SYNC__MD5_BLOCK; i++) {
    int round = i / 16;
    int at = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;
    uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                     : round == 1 ? (d & b) | (~d & c)
                     : round == 2 ? b ^ c ^ d
                                  : c ^ (b | ~d);
    uint32_t sum = a + mixed + kecs_sync__md5_sines[i] + kecs_sync__md5_word(block + (size_t)(at % 16) * 4);
    int turn = turns[round][i % 4];
    a = d;
    d = c;
    c = b;
    b += sum << turn | sum >> (32 - turn);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

KECS_PG__FN void kecs_sync__md5(const char *bytes, size_t len, unsigned char out[KECS_SYNC__MD5_SIZE]) {
  uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  unsigned char last[2 * KECS_SYNC__MD5_BLOCK] = {0};
  size_t whole = len / KECS_SYNC__MD5_BLOCK * KECS_SYNC__MD5_BLOCK;
  size_t rest = len - whole;
  size_t end = rest + 1 + KECS_SYNC__MD5_LENGTH <= KECS_SYNC__MD5_BLOCK ? KECS_SYNC__MD5_BLOCK
                                                                       : 2 * KECS_SYNC__MD5_BLOCK;
  for (size_t i = 0; i < whole; i += KECS_SYNC__MD5_BLOCK) {
    kecs_sync__md5_block(state, (const unsigned char *)bytes + i);
  }
  memcpy(last, bytes + whole, rest);
  last[rest] = 0x80;
  for (int i = 0; i < KECS_SYNC__MD5_LENGTH; i++) {
    last[end - KECS_SYNC__MD5_LENGTH + (size_t)i] = (unsigned char)((uint64_t)len * 8 >> 8 * i);
  }
  for (size_t i = 0; i < end; i += KECS_SYNC__MD5_BLOCK) {
    kecs_sync__md5_block(state, last + i);
  }
  for (int i = 0; i < KECS_SYNC__MD5_SIZE; i++) {
    out[i] = (unsigned char)(state[i / 4] >> 8 * (i % 4));
  }
}

/* ---- sync/digest.c ----------------------------------------------------------------------------------------------- */
/* sync/digest.c -- the edge's side of digests by kind and bucket, and sets of buckets. */

/* ---- sync/digest.h ----------------------------------------------------------------------------------------------- */
/* sync/digest.h -- the edge's side of digests by kind and bucket (hub_repair.c), and sets of buckets. */
#ifndef KECS_SYNC_DIGEST_H
#define KECS_SYNC_DIGEST_H

enum { KECS_SYNC__BUCKETS = 1024, KECS_SYNC__BUCKETS_TEXT = KECS_SYNC__BUCKETS / 4 + 1 };

typedef struct kecs_sync__buckets {
  bool in[KECS_SYNC__BUCKETS];
  int count;
} kecs_sync__buckets;

KECS_PG__FN int kecs_sync__bucket(const char *key);

/* The buckets in which the hub's digests (bucket, digest) differ from those of this file. */
KECS_PG__FN kecs_status kecs_sync__digest(kecs_sync *sync, kecs_kind kind, const PGresult *theirs,
                                          kecs_sync__buckets *out_differing);

/* A set as hexadecimal digits, and as an array of the server's. */
KECS_PG__FN void kecs_sync__buckets_text(const kecs_sync__buckets *buckets, char out[KECS_SYNC__BUCKETS_TEXT]);
KECS_PG__FN void kecs_sync__buckets_read(kecs_sync__buckets *out_buckets, const char *text);
KECS_PG__FN void kecs_sync__buckets_array(const kecs_sync__buckets *buckets, kecs_pg__text *out);

#endif

/* ---- sync/digest.c, continued ------------------------------------------------------------------------------------ */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_SYNC__DIGEST_MASK ((UINT64_C(1) << 60) - 1)

/* ---- hashes ---- */

KECS_PG__FN int kecs_sync__bucket(const char *key) {
  unsigned char hash[KECS_SYNC__MD5_SIZE];
  kecs_sync__md5(key, strlen(key), hash);
  return (hash[0] << 4 | hash[1] >> 4) & (KECS_SYNC__BUCKETS - 1);
}

typedef struct kecs_sync__sums {
  const kecs_sync *sync;
  uint64_t sum[KECS_SYNC__BUCKETS];
  kecs_pg__text text;
} kecs_sync__sums;

static kecs_status kecs_sync__sum_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__sums *sums = user;
  unsigned char hash[KECS_SYNC__MD5_SIZE];
  uint64_t number = 0;
  char stamps[160];
  int64_t site[KECS_REPLICA_STAMPS];
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    site[i] = row->site[i] == KECS_REPLICA_HERE ? sums->sync->notes.site : row->site[i];
  }
  snprintf(stamps, sizeof stamps, "|%lld,%lld|%lld,%lld|%lld,%lld", (long long)row->stamp[0], (long long)site[0],
           (long long)row->stamp[1], (long long)site[1], (long long)row->stamp[2], (long long)site[2]);
  sums->text.len = 0;
  kecs_pg__text_adds(&sums->text, row->key);
  kecs_pg__text_adds(&sums->text, stamps);
  if (!sums->text.status) {
    kecs_sync__md5(sums->text.data, sums->text.len, hash);
    for (int i = 0; i < 8; i++) {
      number = number << 8 | hash[i];
    }
    sums->sum[kecs_sync__bucket(row->key)] += number >> 4;
  }
  return sums->text.status;
}

KECS_PG__FN kecs_status kecs_sync__digest(kecs_sync *sync, kecs_kind kind, const PGresult *theirs,
                                          kecs_sync__buckets *out_differing) {
  kecs_sync__sums *sums = kecs_pg__alloc(&sync->allocator, sizeof *sums);
  kecs_replica side = kecs_sync__side(sync);
  int64_t last = 0;
  memset(out_differing, 0, sizeof *out_differing);
  if (!sums) {
    return KECS_E_NOMEM;
  }
  sums->sync = sync;
  sums->text.allocator = &sync->allocator;
  kecs_status status = kecs_replica_walk(sync->store, &side, kind, 0, 0, kecs_sync__sum_visit, sums, &last);
  for (int r = 0; r < PQntuples(theirs); r++) {
    int64_t bucket = kecs_sync__number(theirs, r, 0);
    if (bucket >= 0 && bucket < KECS_SYNC__BUCKETS) {
      sums->sum[bucket] -= (uint64_t)kecs_sync__number(theirs, r, 1);
    }
  }
  for (int i = 0; i < KECS_SYNC__BUCKETS; i++) {
    out_differing->in[i] = (sums->sum[i] & KECS_SYNC__DIGEST_MASK) != 0;
    out_differing->count += out_differing->in[i];
  }
  kecs_pg__text_free(&sums->text);
  kecs_pg__release(&sync->allocator, sums, sizeof *sums);
  return status;
}

/* ---- sets ---- */

KECS_PG__FN void kecs_sync__buckets_text(const kecs_sync__buckets *buckets, char out[KECS_SYNC__BUCKETS_TEXT]) {
  for (int i = 0; i < KECS_SYNC__BUCKETS / 4; i++) {
    const bool *in = &buckets->in[(size_t)i * 4];
    out[i] = "0123456789abcdef"[in[0] << 3 | in[1] << 2 | in[2] << 1 | (int)in[3]];
  }
  out[KECS_SYNC__BUCKETS / 4] = '\0';
}

KECS_PG__FN void kecs_sync__buckets_read(kecs_sync__buckets *out_buckets, const char *text) {
  memset(out_buckets, 0, sizeof *out_buckets);
  for (int i = 0; i < KECS_SYNC__BUCKETS && text[i / 4]; i++) {
    const char digit[] = {text[i / 4], '\0'};
    out_buckets->in[i] = strtol(digit, NULL, 16) >> (3 - i % 4) & 1;
    out_buckets->count += out_buckets->in[i];
  }
}

KECS_PG__FN void kecs_sync__buckets_array(const kecs_sync__buckets *buckets, kecs_pg__text *out) {
  for (int i = 0; i < KECS_SYNC__BUCKETS; i++) {
    if (buckets->in[i]) {
      kecs_sync__array_int(out, i);
    }
  }
  kecs_sync__array_end(out);
}

/* ---- sync/identity.c --------------------------------------------------------------------------------------------- */
/* sync/identity.c -- whether hub and edge still are who they were to each other: the hub's id, the site's number, the
 * chain of pushes, the cursor. What does not fit any more is told apart, noted, and repaired in the same round.
 *
 * The hub counts a site's pushes, and so does the edge. Only the site itself can raise the hub's count. So where the
 * last push is not the one that is known here: a lower count says that the hub went back; any other, that somebody else
 * has pushed under this site's name. That is a copy of this file, or the file that this one was a backup of, or another
 * device that was given the same name: nobody can tell these apart, so they are one case. This file becomes a site of
 * its own under a name that is derived, "NAME#1a2b3c4d", and keeps all that it has. */

#include <stdio.h>
#include <string.h>

static const char *kecs_sync__name(const kecs_sync *sync) {
  return sync->notes.alias[0] ? sync->notes.alias : sync->site;
}

static void kecs_sync__tell(kecs_sync *sync, kecs_log_level level, const char *what) {
  char line[600];
  snprintf(line, sizeof line, "sync of the site \"%s\": %s", kecs_sync__name(sync), what);
  kecs_replica_log(sync->store, level, line);
}

/* ---- hub and number ---- */

static kecs_status kecs_sync__number_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_sync__note(tx, "hub", sync->notes.hub);
  return status ? status : kecs_sync__note_number(tx, "site", sync->notes.site);
}

/* The number went to another site after the hub had forgotten it. */
static kecs_status kecs_sync__renumber_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_replica_renumber(tx, sync->notes.former, sync->notes.acked);
  status = status ? status : kecs_sync__note_number(tx, "former", sync->notes.former);
  return status ? status : kecs_sync__number_work(tx, user);
}

/* The hub that answers first is ours from then on. */
static kecs_status kecs_sync__check_hub(kecs_sync *sync, const PGresult *hello) {
  const char *hub = kecs_sync__text(hello, 0, KECS_SYNC__HUB);
  int64_t site = kecs_sync__number(hello, 0, KECS_SYNC__SITE);
  if (sync->notes.hub[0] && strcmp(hub, sync->notes.hub) != 0) {
    return kecs_pg__fail(KECS_E_CONFLICT,
                         "%s is another hub than the one that this file began with; nothing was written. Sync with the "
                         "first one, or begin with a new file",
                         sync->place.shown);
  }
  if (site == sync->notes.site) {
    return KECS_OK;
  }
  bool known = sync->notes.site != 0;
  snprintf(sync->notes.hub, sizeof sync->notes.hub, "%s", hub);
  sync->notes.former = known ? sync->notes.site : sync->notes.former;
  sync->notes.site = site;
  return kecs_sync__transact(sync, known ? kecs_sync__renumber_work : kecs_sync__number_work, sync);
}

/* ---- the chain ---- */

static kecs_status kecs_sync__alias_visit(const kecs_value *values, void *user) {
  kecs_sync *sync = user;
  snprintf(sync->notes.alias, sizeof sync->notes.alias, "%s#%.8s", sync->site, values[0].text);
  return KECS_OK;
}

static kecs_status kecs_sync__rename_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_replica_renumber(tx, sync->notes.site, sync->notes.acked);
  status = status ? status : kecs_sync__note_number(tx, "former", sync->notes.site);
  status = status ? status : kecs_sync__note_number(tx, "site", 0);
  status = status ? status : kecs_sync__note_number(tx, "pushes", 0);
  status = status ? status : kecs_sync__note(tx, "push", "");
  status = status ? status : kecs_sync__note(tx, "intent_id", "");
  return status ? status : kecs_sync__note(tx, "alias", sync->notes.alias);
}

/* The name is noted before it is told, so that a round that is cut off here goes on under the same one. */
static kecs_status kecs_sync__rename(kecs_sync *sync) {
  char line[400];
  kecs_status status =
      kecs_replica_sql(sync->store, "SELECT lower(hex(randomblob(4)))", NULL, 0, 1, kecs_sync__alias_visit, sync);
  snprintf(line, sizeof line,
           "somebody else has pushed under this name: the file was copied or restored, or two devices have one name. "
           "It is another site from now on, \"%.200s\", and keeps what it has",
           sync->notes.alias);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__rename_work, sync);
  status = status ? status : kecs_sync__notes_read(sync);
  if (!status) {
    sync->report.reconciled |= KECS_SYNC_COPIED;
    kecs_sync__tell(sync, KECS_LOG_WARNING, line);
  }
  return status;
}

static kecs_status kecs_sync__pushes_work(kecs_store *tx, void *user) {
  return kecs_sync__note_number(tx, "pushes", *(const int64_t *)user);
}

static kecs_status kecs_sync__check_chain(kecs_sync *sync, const PGresult *hello, const PGresult *refused,
                                          unsigned *cause, bool *out_again) {
  const char *push = kecs_sync__text(hello, 0, KECS_SYNC__PUSH);
  int64_t pushes = kecs_sync__number(hello, 0, KECS_SYNC__PUSHES);
  if (sync->notes.intent.id[0] && strcmp(push, sync->notes.intent.id) == 0) {
    return kecs_sync__acknowledge(sync, refused);
  }
  if (strcmp(push, sync->notes.push) == 0) {
    sync->notes.pushes = pushes == sync->notes.pushes ? pushes : -1;
    return sync->notes.pushes >= 0 ? KECS_OK : kecs_sync__transact(sync, kecs_sync__pushes_work, &pushes);
  }
  if (pushes < sync->notes.pushes) {
    snprintf(sync->notes.push, sizeof sync->notes.push, "%s", push);
    sync->notes.pushes = pushes;
    *cause |= KECS_SYNC_LOST;
    return KECS_OK;
  }
  *out_again = true;
  return kecs_sync__rename(sync);
}

/* ---- the cursor ---- */

/* Below the floor nothing tells which history it was: one that has changed since the last round counts as another. Nor
 * does anything tell it of rows that were read in a pull which was cut off, where they were written while it ran. */
static void kecs_sync__check_cursor(const kecs_sync *sync, const PGresult *hello, unsigned *cause) {
  bool read = sync->notes.boot_kind != 0;
  int64_t changed = kecs_sync__number(hello, 0, KECS_SYNC__CHANGED);
  bool cut_off = !sync->notes.repair && (!sync->notes.booted || sync->notes.seen > sync->notes.cursor);
  bool fits = kecs_sync__text(hello, 0, KECS_SYNC__FITS)[0] == 't';
  if (read && sync->notes.cursor < kecs_sync__number(hello, 0, KECS_SYNC__FLOOR)) {
    *cause |= KECS_SYNC_AWAY;
    *cause |= changed && changed > sync->notes.last_us + sync->notes.offset ? KECS_SYNC_HISTORY : 0;
  } else if (read && (!fits || (cut_off && changed > sync->notes.seen_us))) {
    *cause |= KECS_SYNC_HISTORY;
  }
}

/* ---- retention ---- */

static kecs_status kecs_sync__retain_work(kecs_store *tx, void *user) {
  int64_t retention = *(const int64_t *)user;
  kecs_status status = kecs_replica_retain(tx, retention);
  return status ? status : kecs_sync__note_number(tx, "retention", retention);
}

/* Tombstones live longer at the hub than here, or a row could come back from there that was deleted here. */
static kecs_status kecs_sync__check_retention(kecs_sync *sync, const PGresult *hello) {
  int64_t half = kecs_sync__number(hello, 0, KECS_SYNC__RETENTION) / 2;
  int64_t retention = half > 0 && half < sync->tombstones_us ? half : sync->tombstones_us;
  return retention == sync->notes.retention ? KECS_OK : kecs_sync__transact(sync, kecs_sync__retain_work, &retention);
}

/* ---- all of it ---- */

typedef struct kecs_sync__cause {
  const kecs_sync *sync;
  unsigned cause;
} kecs_sync__cause;

static kecs_status kecs_sync__cause_work(kecs_store *tx, void *user) {
  const kecs_sync__cause *found = user;
  kecs_status status = kecs_sync__note(tx, "push", found->sync->notes.push);
  status = status ? status : kecs_sync__note_number(tx, "pushes", found->sync->notes.pushes);
  return status ? status : kecs_sync__reconcile_begin(tx, found->sync, found->cause);
}

KECS_PG__FN kecs_status kecs_sync__identify(kecs_sync *sync, const PGresult *hello, const PGresult *refused,
                                            bool *out_again) {
  static const struct {
    unsigned cause;
    const char *what;
  } causes[] = {
      {KECS_SYNC_AWAY, "it was away for longer than the hub keeps its log: all is compared and merged"},
      {KECS_SYNC_HISTORY,
       "the hub's history is not the one that was read here, after a failover or from a backup: all is compared and "
       "merged"},
      {KECS_SYNC_LOST, "the hub has lost pushes that it had acknowledged: all is compared, and sent again"},
  };
  kecs_sync__cause found = {sync, 0};
  *out_again = false;
  kecs_status status = kecs_sync__check_hub(sync, hello);
  status = status ? status : kecs_sync__check_chain(sync, hello, refused, &found.cause, out_again);
  if (status || *out_again) {
    return status;
  }
  kecs_sync__check_cursor(sync, hello, &found.cause);
  status = kecs_sync__check_retention(sync, hello);
  if (status || found.cause == 0) {
    return status;
  }
  status = kecs_sync__transact(sync, kecs_sync__cause_work, &found);
  for (size_t i = 0; !status && i < sizeof causes / sizeof causes[0]; i++) {
    if (found.cause & causes[i].cause) {
      kecs_sync__tell(sync, KECS_LOG_WARNING, causes[i].what);
    }
  }
  sync->moved = true;
  return status ? status : kecs_sync__notes_read(sync);
}

/* ---- sync/reconcile.c -------------------------------------------------------------------------------------------- */
/* sync/reconcile.c -- a repair: all is compared with the hub by digests, and merged where it differs.
 *
 * The cursor is set to the head that the handshake told, first of all, as in a bootstrap: what changes from then on
 * comes by the feed. Then, stage by stage, each page with its place in one transaction, so that a round that was cut
 * off goes on there. No table is replaced; nothing is taken away but what the hub is known to have had and to have
 * deleted. */

/* ---- sync/reconcile.h -------------------------------------------------------------------------------------------- */
/* sync/reconcile.h -- the stages of a repair, and what it notes of them. */
#ifndef KECS_SYNC_RECONCILE_H
#define KECS_SYNC_RECONCILE_H

/* sync_state.repair. Each stage goes on from repair_kind and repair_rid. */
enum {
  KECS_SYNC__REPAIR_NONE,
  KECS_SYNC__REPAIR_DIGEST,        /* which buckets differ */
  KECS_SYNC__REPAIR_ROWS,          /* the hub's rows in them come here, */
  KECS_SYNC__REPAIR_GRAVES,        /* and its tombstones */
  KECS_SYNC__REPAIR_COMPARE,       /* rows of this file in them: what the hub has of them (compare.c) */
  KECS_SYNC__REPAIR_COMPARE_GRAVES /* its tombstones */
};

/* The differing buckets of a kind, as they were noted. */
KECS_PG__FN kecs_status kecs_sync__repair_buckets(kecs_sync *sync, int kind, kecs_sync__buckets *out_buckets);

KECS_PG__FN kecs_status kecs_sync__repair_note(kecs_store *tx, int64_t stage, int64_t kind, int64_t rid);

/* One page of the last two stages. */
KECS_PG__FN kecs_status kecs_sync__compare_rows(kecs_sync *sync);
KECS_PG__FN kecs_status kecs_sync__compare_graves(kecs_sync *sync);

#endif

/* ---- sync/reconcile.c, continued --------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

#define KECS_SYNC__BUCKETS_NOTE "repair_buckets_%d"

/* ---- notes ---- */

KECS_PG__FN kecs_status kecs_sync__repair_note(kecs_store *tx, int64_t stage, int64_t kind, int64_t rid) {
  kecs_status status = kecs_sync__note_number(tx, "repair", stage);
  status = status ? status : kecs_sync__note_number(tx, "repair_kind", kind);
  return status ? status : kecs_sync__note_number(tx, "repair_rid", rid);
}

static kecs_status kecs_sync__forget_buckets(kecs_store *tx) {
  return kecs_replica_sql(tx, "DELETE FROM {sync_state} WHERE {own}substr(name,1,15)='repair_buckets_'", NULL, 0, 0,
                          NULL, NULL);
}

KECS_PG__FN kecs_status kecs_sync__reconcile_begin(kecs_store *tx, const kecs_sync *sync, unsigned cause) {
  int64_t causes = (int64_t)cause | (sync->notes.repair ? sync->notes.repair_cause : 0);
  kecs_status status = kecs_sync__forget_buckets(tx);
  status = status ? status : kecs_sync__repair_note(tx, KECS_SYNC__REPAIR_DIGEST, 1, 0);
  status = status ? status : kecs_sync__note_number(tx, "repair_cause", causes);
  status = status ? status : kecs_sync__note_number(tx, "cursor", sync->head);
  status = status ? status : kecs_sync__note(tx, "cursor_id", sync->head_id);
  status = status ? status : kecs_sync__note_number(tx, "seen", 0); /* it was of a history that is no more */
  if (!status && (cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST))) { /* events and logs, as far as they are here */
    status = kecs_replica_sql(tx, "UPDATE {sync_state} SET value='0' WHERE {own}substr(name,1,7)='append_'", NULL, 0, 0,
                              NULL, NULL);
  }
  /* A bootstrap that was under way is a part of it. */
  return status ? status : kecs_sync__note_number(tx, "boot_kind", KECS_SYNC__BOOT_DONE);
}

static kecs_status kecs_sync__buckets_visit(const kecs_value *values, void *user) {
  kecs_sync__buckets_read(user, values[0].text);
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__repair_buckets(kecs_sync *sync, int kind, kecs_sync__buckets *out_buckets) {
  char name[32];
  snprintf(name, sizeof name, KECS_SYNC__BUCKETS_NOTE, kind);
  kecs_value value = kecs_sync__value_text(name);
  memset(out_buckets, 0, sizeof *out_buckets);
  return kecs_replica_sql(sync->store, "SELECT value FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                          kecs_sync__buckets_visit, out_buckets);
}

typedef struct kecs_sync__step {
  int64_t stage;
  int64_t kind;
  int64_t rid;
} kecs_sync__step;

static kecs_status kecs_sync__step_work(kecs_store *tx, void *user) {
  const kecs_sync__step *step = user;
  kecs_status status = kecs_sync__repair_note(tx, step->stage, step->kind, step->rid);
  return status || step->stage != KECS_SYNC__REPAIR_NONE ? status : kecs_sync__forget_buckets(tx);
}

static kecs_status kecs_sync__step_to(kecs_sync *sync, int64_t stage, int64_t kind) {
  kecs_sync__step step = {stage, kind, 0};
  kecs_status status = kecs_sync__transact(sync, kecs_sync__step_work, &step);
  return status ? status : kecs_sync__notes_read(sync);
}

/* ---- digests ---- */

typedef struct kecs_sync__digests {
  kecs_sync__exchange exchange;
  int item[KECS_KIND_COUNT];
  char text[KECS_KIND_COUNT][KECS_SYNC__BUCKETS_TEXT];
  kecs_sync__buckets buckets;
} kecs_sync__digests;

static kecs_status kecs_sync__digests_work(kecs_store *tx, void *user) {
  const kecs_sync__digests *digests = user;
  kecs_status status = kecs_sync__repair_note(tx, KECS_SYNC__REPAIR_ROWS, 1, 0);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    char name[32];
    snprintf(name, sizeof name, KECS_SYNC__BUCKETS_NOTE, kind);
    status = digests->text[kind][0] ? kecs_sync__note(tx, name, digests->text[kind]) : KECS_OK;
  }
  return status;
}

static kecs_status kecs_sync__digests_run(kecs_sync *sync, kecs_sync__digests *digests) {
  char number[24];
  const char *site = number;
  snprintf(number, sizeof number, "%lld", (long long)sync->notes.site);
  bool went_back = sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST);
  kecs_sync__begin(&digests->exchange, sync, went_back);
  if (went_back) { /* no tombstone goes there for a while */
    (void)kecs_sync__add_item(&digests->exchange, "SELECT {S}sync_changed({T})", "", NULL, 0);
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (sync->kinds & KECS_BIT(kind)) {
      digests->item[kind] =
          kecs_sync__add_read(&digests->exchange, "digest_{t}", kecs_kind_describe((kecs_kind)kind)->table, &site, 1);
    }
  }
  kecs_status status = kecs_sync__send(&digests->exchange, "compare");
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (digests->item[kind]) {
      status = kecs_sync__digest(sync, (kecs_kind)kind, digests->exchange.item[digests->item[kind]].result,
                                 &digests->buckets);
      if (!status && digests->buckets.count > 0) {
        kecs_sync__buckets_text(&digests->buckets, digests->text[kind]);
      }
    }
  }
  kecs_sync__end(&digests->exchange);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__digests_work, digests);
  return status ? status : kecs_sync__notes_read(sync);
}

static kecs_status kecs_sync__compare_digests(kecs_sync *sync) {
  kecs_sync__digests *digests = kecs_pg__alloc(&sync->allocator, sizeof *digests);
  kecs_status status = digests ? kecs_sync__digests_run(sync, digests) : KECS_E_NOMEM;
  kecs_pg__release(&sync->allocator, digests, sizeof *digests);
  return status;
}

/* ---- the hub's rows ---- */

static kecs_status kecs_sync__apply_rows_page(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply(page, tx);
  return status ? status : kecs_sync__repair_note(tx, KECS_SYNC__REPAIR_ROWS, page->boot_kind, page->boot_rid);
}

static kecs_status kecs_sync__rows_page(kecs_sync *sync, kecs_sync__page *page, const char *buckets) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)sync->notes.repair_kind);
  char rid[24];
  char size[24];
  snprintf(rid, sizeof rid, "%lld", (long long)sync->notes.repair_rid);
  snprintf(size, sizeof size, "%d", sync->batch);
  const char *values[] = {page->site, rid, size, buckets, NULL};
  kecs_sync__begin_page(&page->exchange, sync);
  int item = kecs_sync__add_rows(&page->exchange, "page_{t}", info, values, 5);
  kecs_status status = kecs_sync__send(&page->exchange, "compare");
  const PGresult *result = status ? NULL : page->exchange.item[item].result;
  int count = result ? PQntuples(result) : 0;
  page->rows[info->kind][0] = item;
  page->boot_kind = sync->notes.repair_kind + (count < sync->batch);
  page->boot_rid = count < sync->batch ? 0 : kecs_sync__number(result, count - 1, PQnfields(result) - 1);
  return status ? status : kecs_sync__transact(sync, kecs_sync__apply_rows_page, page);
}

static kecs_status kecs_sync__repair_rows(kecs_sync *sync, kecs_sync__page *page) {
  kecs_sync__buckets buckets;
  kecs_pg__text array = {&sync->allocator, NULL, 0, 0, KECS_OK};
  kecs_status status = kecs_sync__repair_buckets(sync, (int)sync->notes.repair_kind, &buckets);
  kecs_sync__buckets_array(&buckets, &array);
  status = status ? status : array.status;
  if (!status && buckets.count > 0) {
    status = kecs_sync__rows_page(sync, page, array.data);
  } else if (!status) {
    kecs_sync__step step = {KECS_SYNC__REPAIR_ROWS, sync->notes.repair_kind + 1, 0};
    status = kecs_sync__transact(sync, kecs_sync__step_work, &step);
  }
  kecs_pg__text_free(&array);
  return status;
}

/* ---- the hub's tombstones ---- */

static kecs_status kecs_sync__apply_graves_page(kecs_store *tx, void *user) {
  kecs_sync__page *page = user;
  kecs_status status = kecs_sync__apply_mixed_graves(page, tx, page->exchange.item[page->window].result);
  return status ? status : kecs_sync__repair_note(tx, page->boot_kind, 1, page->boot_rid);
}

/* kind*1024+bucket of all that differ; empty where none does. */
static kecs_status kecs_sync__grave_pairs(kecs_sync *sync, kecs_pg__text *out) {
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    kecs_sync__buckets buckets;
    status = kecs_sync__repair_buckets(sync, kind, &buckets);
    for (int bucket = 0; !status && bucket < KECS_SYNC__BUCKETS; bucket++) {
      if (buckets.in[bucket]) {
        kecs_sync__array_int(out, (int64_t)kind * KECS_SYNC__BUCKETS + bucket);
      }
    }
  }
  return status;
}

static kecs_status kecs_sync__graves_send(kecs_sync *sync, kecs_sync__page *page, const char *const *values) {
  kecs_sync__begin_page(&page->exchange, sync);
  page->window = kecs_sync__add_read(&page->exchange, "tombs", "", values, 5);
  kecs_status status = kecs_sync__send(&page->exchange, "compare");
  const PGresult *result = status ? NULL : page->exchange.item[page->window].result;
  int count = result ? PQntuples(result) : 0;
  page->boot_kind = count < sync->batch ? KECS_SYNC__REPAIR_COMPARE : KECS_SYNC__REPAIR_GRAVES;
  page->boot_rid = count < sync->batch ? 0 : kecs_sync__number(result, count - 1, 4);
  return status ? status : kecs_sync__transact(sync, kecs_sync__apply_graves_page, page);
}

static kecs_status kecs_sync__repair_graves(kecs_sync *sync, kecs_sync__page *page) {
  kecs_pg__text pairs = {&sync->allocator, NULL, 0, 0, KECS_OK};
  char seq[24];
  char size[24];
  snprintf(seq, sizeof seq, "%lld", (long long)sync->notes.repair_rid);
  snprintf(size, sizeof size, "%d", sync->batch);
  kecs_status status = kecs_sync__grave_pairs(sync, &pairs);
  bool any = pairs.len > 0;
  kecs_sync__array_end(&pairs);
  const char *values[] = {page->site, seq, size, pairs.data, NULL};
  status = status ? status : pairs.status;
  if (!status && any) {
    status = kecs_sync__graves_send(sync, page, values);
  } else if (!status) {
    kecs_sync__step step = {KECS_SYNC__REPAIR_COMPARE, 1, 0};
    status = kecs_sync__transact(sync, kecs_sync__step_work, &step);
  }
  kecs_pg__text_free(&pairs);
  return status;
}

/* ---- all of it ---- */

static kecs_status kecs_sync__repair_step(kecs_sync *sync) {
  switch (sync->notes.repair) {
    case KECS_SYNC__REPAIR_DIGEST:
      return kecs_sync__compare_digests(sync);
    case KECS_SYNC__REPAIR_ROWS:
      return sync->notes.repair_kind < KECS_KIND_COUNT ? kecs_sync__page_run(sync, kecs_sync__repair_rows)
                                                       : kecs_sync__step_to(sync, KECS_SYNC__REPAIR_GRAVES, 1);
    case KECS_SYNC__REPAIR_GRAVES:
      return kecs_sync__page_run(sync, kecs_sync__repair_graves);
    case KECS_SYNC__REPAIR_COMPARE:
      return sync->notes.repair_kind < KECS_KIND_COUNT ? kecs_sync__compare_rows(sync)
                                                       : kecs_sync__step_to(sync, KECS_SYNC__REPAIR_COMPARE_GRAVES, 1);
    case KECS_SYNC__REPAIR_COMPARE_GRAVES:
      return kecs_sync__compare_graves(sync);
    default:
      return kecs_sync__step_to(sync, KECS_SYNC__REPAIR_NONE, 1);
  }
}

KECS_PG__FN kecs_status kecs_sync__reconcile(kecs_sync *sync) {
  kecs_status status = KECS_OK;
  if (sync->notes.repair) {
    sync->report.reconciled |= (unsigned)sync->notes.repair_cause;
  }
  while (!status && sync->notes.repair) {
    status = kecs_sync__repair_step(sync);
  }
  return status;
}

/* ---- sync/compare.c ---------------------------------------------------------------------------------------------- */
/* sync/compare.c -- what this file has in differing buckets against what the hub has of it: what the hub lacks is sent
 * again, what it has deleted and forgotten goes here, too.
 *
 * What the hub lacks, and has no tombstone of, it never had, or had and collected. The version vector tells: all stamps
 * of a site up to `acked` are there, or were. A life above that of its site never arrived, so it is sent, with its own
 * stamps and sites, whoever wrote it. The hub's own stamps have no such bound; where it went back in its history, what
 * this file has of them is sent: where nobody can know, a row too many is better than one too few. */

#include <stdio.h>
#include <string.h>

/* Columns of sync_compare_TABLE. */
enum {
  KECS_SYNC__HERE,
  KECS_SYNC__STAMPS, /* three, each with its site */
  KECS_SYNC__GRAVE = KECS_SYNC__STAMPS + 2 * KECS_REPLICA_STAMPS,
  KECS_SYNC__GRAVE_SITE,
  KECS_SYNC__BROUGHT
};

/* What is to be done with a state. */
typedef enum kecs_sync__verdict { KECS_SYNC__LEAVE, KECS_SYNC__RESEND, KECS_SYNC__DROP } kecs_sync__verdict;

/* A row or tombstone of this file. */
typedef struct kecs_sync__state {
  kecs_replica_row row; /* its key is `key` */
  char *key;
  kecs_sync__verdict verdict;
  struct kecs_sync__state *next;
} kecs_sync__state;

typedef struct kecs_sync__comparison {
  kecs_sync *sync;
  kecs_sync__buckets buckets; /* of the rows' kind */
  kecs_sync__state *first;
  kecs_sync__state **end;
  kecs_sync__load load; /* the keys, by kind, where a push has its tombstones */
  kecs_sync__exchange exchange;
  int item[KECS_KIND_COUNT];
  char site[24];
  int64_t stage; /* where the repair is after this page */
  int64_t kind;
  int64_t rid;
  int64_t forgotten;
  int64_t conflicts;
} kecs_sync__comparison;

/* ---- collecting ---- */

static kecs_status kecs_sync__local_add(kecs_sync__comparison *comparison, const kecs_replica_row *row) {
  kecs_sync *sync = comparison->sync;
  kecs_sync__state *local = kecs_pg__alloc(&sync->allocator, sizeof *local);
  if (!local) {
    return KECS_E_NOMEM;
  }
  local->row = *row;
  local->key = kecs_pg__copy(&sync->allocator, row->key, strlen(row->key));
  local->row.key = local->key;
  *comparison->end = local;
  comparison->end = &local->next;
  if (!local->key) {
    return KECS_E_NOMEM;
  }
  kecs_sync__arrays *keys = kecs_sync__arrays_of(sync, &comparison->load.bury[row->kind]);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  if (!keys) {
    return KECS_E_NOMEM;
  }
  kecs_sync__array_add(&keys->array[0], row->key);
  kecs_sync__array_int(&keys->array[1], row->site[0] == KECS_REPLICA_HERE ? sync->notes.site : row->site[0]);
  kecs_sync__load_key(keys, info, row->key);
  keys->count = KECS_SYNC__BURY_FIXED + info->keys[0].count;
  keys->rows++;
  return KECS_OK;
}

static kecs_status kecs_sync__local_row(const kecs_replica_row *row, void *user) {
  kecs_sync__comparison *comparison = user;
  return comparison->buckets.in[kecs_sync__bucket(row->key)] ? kecs_sync__local_add(comparison, row) : KECS_OK;
}

/* What is pending goes with the next push anyway. */
static kecs_status kecs_sync__local_grave(const kecs_replica_row *row, void *user) {
  return row->pending ? KECS_OK : kecs_sync__local_add(user, row);
}

/* ---- asking ---- */

static void kecs_sync__ask_kind(kecs_sync__comparison *comparison, int kind) {
  kecs_sync__exchange *exchange = &comparison->exchange;
  kecs_sync__arrays *keys = comparison->load.bury[kind];
  keys->values[0] = comparison->site;
  for (int i = 0; i < keys->count; i++) {
    kecs_sync__array_end(&keys->array[i]);
    exchange->status = exchange->status ? exchange->status : keys->array[i].status;
    keys->values[i + 1] = keys->array[i].data;
  }
  comparison->item[kind] = kecs_sync__add_read(exchange, "compare_{t}", kecs_kind_describe((kecs_kind)kind)->table,
                                               keys->values, keys->count + 1);
}

static kecs_status kecs_sync__ask(kecs_sync__comparison *comparison) {
  snprintf(comparison->site, sizeof comparison->site, "%lld", (long long)comparison->sync->notes.site);
  kecs_sync__begin(&comparison->exchange, comparison->sync, false);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (comparison->load.bury[kind]) {
      kecs_sync__ask_kind(comparison, kind);
    }
  }
  return kecs_sync__send(&comparison->exchange, "compare");
}

/* ---- judging ---- */

static int64_t kecs_sync__at(const kecs_sync *sync, int64_t site) {
  return site == KECS_REPLICA_HERE ? sync->notes.site : site;
}

static bool kecs_sync__later(const kecs_sync *sync, int64_t stamp, int64_t site, int64_t other, int64_t other_site) {
  return stamp > other || (stamp == other && kecs_sync__at(sync, site) > other_site);
}

/* Whether the hub had the life. Where it went back, but has collected nothing that this edge has not read, a tombstone
 * would say so: without one it never had it, whatever its sites have brought since. */
static bool kecs_sync__had(const kecs_sync *sync, const kecs_replica_row *row, int64_t brought) {
  bool went_back = sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST);
  bool away = sync->notes.repair_cause & KECS_SYNC_AWAY;
  return (away || !went_back) && (row->site[0] == 0 ? !went_back : row->stamp[0] <= brought);
}

/* A row of one key on both sides: something of it is later here, and no push is to bring it anyway. */
static kecs_sync__verdict kecs_sync__judge_both(const kecs_sync *sync, const kecs_replica_row *row,
                                                const PGresult *theirs, int line) {
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    int64_t stamp = kecs_sync__number(theirs, line, KECS_SYNC__STAMPS + 2 * i);
    int64_t site = kecs_sync__number(theirs, line, KECS_SYNC__STAMPS + 2 * i + 1);
    bool later = kecs_sync__later(sync, row->stamp[i], row->site[i], stamp, site);
    bool same = !later && !kecs_sync__later(sync, stamp, site, row->stamp[i], kecs_sync__at(sync, row->site[i]));
    if (later && !(row->pending & 1U << i)) {
      return KECS_SYNC__RESEND;
    }
    if (i == KECS_REPLICA_LIFE && (later || row->dead || !same)) {
      return KECS_SYNC__LEAVE; /* another life: its groups are no matter */
    }
  }
  return KECS_SYNC__LEAVE;
}

static kecs_sync__verdict kecs_sync__judge(const kecs_sync *sync, const kecs_replica_row *row, const PGresult *theirs,
                                           int line) {
  int64_t grave = kecs_sync__number(theirs, line, KECS_SYNC__GRAVE);
  int64_t grave_site = kecs_sync__number(theirs, line, KECS_SYNC__GRAVE_SITE);
  bool copied = sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST | KECS_SYNC_COPIED);
  if (kecs_sync__text(theirs, line, KECS_SYNC__HERE)[0] == 't') {
    return kecs_sync__judge_both(sync, row, theirs, line);
  }
  if (!kecs_sync__later(sync, row->stamp[0], row->site[0], grave, grave_site) ||
      (row->pending & 1U << KECS_REPLICA_LIFE)) {
    return KECS_SYNC__LEAVE; /* the tombstone was merged, or comes by the feed; or the next push brings the life */
  }
  if (!kecs_sync__had(sync, row, kecs_sync__number(theirs, line, KECS_SYNC__BROUGHT))) {
    return KECS_SYNC__RESEND;
  }
  return row->dead ? KECS_SYNC__LEAVE : copied && row->pending ? KECS_SYNC__RESEND : KECS_SYNC__DROP;
}

static kecs_status kecs_sync__judge_all(kecs_sync__comparison *comparison) {
  int line[KECS_KIND_COUNT] = {0};
  for (kecs_sync__state *local = comparison->first; local; local = local->next) {
    const PGresult *theirs = comparison->exchange.item[comparison->item[local->row.kind]].result;
    if (line[local->row.kind] >= PQntuples(theirs)) {
      return kecs_pg__fail(KECS_E_CORRUPT, "%s: sync_compare has answered for fewer keys than it was asked for",
                           comparison->sync->place.shown);
    }
    local->verdict = kecs_sync__judge(comparison->sync, &local->row, theirs, line[local->row.kind]++);
  }
  return KECS_OK;
}

/* ---- doing ---- */

static kecs_status kecs_sync__found_visit(const kecs_value *values, void *user) {
  *(bool *)user = values[0].number != 0;
  return KECS_OK;
}

/* The hub has deleted it, and no longer knows when: at the earliest right after it was created. What is refused, or to
 * be sent again, the hub never had. */
static kecs_status kecs_sync__drop(kecs_sync__comparison *comparison, kecs_store *tx, const kecs_replica_row *row) {
  kecs_replica side = kecs_sync__side(comparison->sync);
  kecs_value values[] = {kecs_sync__value_int((int64_t)row->kind), kecs_sync__value_text(row->key)};
  kecs_replica_merged merged = {KECS_REPLICA_SAME, 0};
  kecs_replica_row dead;
  bool waits = false;
  kecs_status status = kecs_replica_sql(tx,
                                        "SELECT 1 FROM {sync_refused} WHERE {own}kind=?1 AND key=?2 UNION ALL SELECT 1 "
                                        "FROM {sync_repush} WHERE {own}kind=?1 AND key=?2",
                                        values, 2, 1, kecs_sync__found_visit, &waits);
  memset(&dead, 0, sizeof dead);
  dead.kind = row->kind;
  dead.dead = true;
  dead.key = row->key;
  dead.stamp[0] = row->stamp[0] + 1;
  status = status || waits ? status : kecs_replica_merge(tx, &side, &dead, &merged);
  comparison->forgotten += merged.outcome == KECS_REPLICA_TAKEN;
  comparison->conflicts += merged.conflicts;
  return status;
}

static kecs_status kecs_sync__judged_work(kecs_store *tx, void *user) {
  kecs_sync__comparison *comparison = user;
  kecs_status status = kecs_sync__repair_note(tx, comparison->stage, comparison->kind, comparison->rid);
  comparison->forgotten = 0;
  comparison->conflicts = 0;
  for (const kecs_sync__state *local = comparison->first; !status && local; local = local->next) {
    kecs_value values[] = {kecs_sync__value_int((int64_t)local->row.kind), kecs_sync__value_text(local->key)};
    if (local->verdict == KECS_SYNC__RESEND) {
      status = kecs_replica_sql(tx,
                                "INSERT INTO {sync_repush}({tenant}kind,key) VALUES({ours}?1,?2) ON CONFLICT DO "
                                "NOTHING",
                                values, 2, 0, NULL, NULL);
    } else if (local->verdict == KECS_SYNC__DROP) {
      status = kecs_sync__drop(comparison, tx, &local->row);
    }
  }
  return status;
}

static void kecs_sync__comparison_free(kecs_sync__comparison *comparison) {
  const kecs_allocator *allocator = &comparison->sync->allocator;
  for (kecs_sync__state *local = comparison->first; local; local = comparison->first) {
    comparison->first = local->next;
    kecs_pg__release_text(allocator, local->key);
    kecs_pg__release(allocator, local, sizeof *local);
  }
  kecs_sync__end(&comparison->exchange);
  kecs_sync__load_free(&comparison->load);
  kecs_pg__release(allocator, comparison, sizeof *comparison);
}

/* ---- pages ---- */

static kecs_sync__comparison *kecs_sync__comparison_begin(kecs_sync *sync) {
  kecs_sync__comparison *comparison = kecs_pg__alloc(&sync->allocator, sizeof *comparison);
  if (comparison) {
    comparison->sync = sync;
    comparison->end = &comparison->first;
    comparison->exchange.sync = sync;
    kecs_sync__load_begin(&comparison->load, sync);
  }
  return comparison;
}

/* What was collected is compared, and done. */
static kecs_status kecs_sync__comparison_run(kecs_sync__comparison *comparison) {
  kecs_sync *sync = comparison->sync;
  kecs_status status = KECS_OK;
  if (comparison->first) {
    status = kecs_sync__ask(comparison);
    status = status ? status : kecs_sync__judge_all(comparison);
  }
  status = status ? status : kecs_sync__transact(sync, kecs_sync__judged_work, comparison);
  if (!status) {
    sync->report.forgotten += comparison->forgotten;
    sync->report.conflicts += comparison->conflicts;
  }
  return status ? status : kecs_sync__notes_read(sync);
}

KECS_PG__FN kecs_status kecs_sync__compare_rows(kecs_sync *sync) {
  kecs_sync__comparison *comparison = kecs_sync__comparison_begin(sync);
  kecs_replica side = kecs_sync__side(sync);
  int kind = (int)sync->notes.repair_kind;
  int64_t rid = sync->notes.repair_rid;
  if (!comparison) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs_sync__repair_buckets(sync, kind, &comparison->buckets);
  bool any = !status && comparison->buckets.count > 0;
  while (any && !comparison->first) { /* rows of other buckets are passed over */
    status = kecs_replica_walk(sync->store, &side, (kecs_kind)kind, rid, sync->batch, kecs_sync__local_row, comparison,
                               &rid);
    any = !status && rid != 0;
  }
  comparison->stage = KECS_SYNC__REPAIR_COMPARE;
  comparison->kind = any ? kind : kind + 1;
  comparison->rid = any ? rid : 0;
  status = status ? status : kecs_sync__comparison_run(comparison);
  kecs_sync__comparison_free(comparison);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__compare_graves(kecs_sync *sync) {
  kecs_sync__comparison *comparison = kecs_sync__comparison_begin(sync);
  kecs_replica side = kecs_sync__side(sync);
  int64_t seq = 0;
  if (!comparison) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs_replica_graves(sync->store, &side, sync->notes.repair_rid, sync->batch,
                                           kecs_sync__local_grave, comparison, &seq);
  /* After the last one there is one more step, which forgets the repair. */
  comparison->stage = seq ? KECS_SYNC__REPAIR_COMPARE_GRAVES : KECS_SYNC__REPAIR_COMPARE_GRAVES + 1;
  comparison->kind = 1;
  comparison->rid = seq;
  status = status ? status : kecs_sync__comparison_run(comparison);
  kecs_sync__comparison_free(comparison);
  return status;
}

/* ---- sync/restamp.c ---------------------------------------------------------------------------------------------- */
/* sync/restamp.c -- the hub's clock, which all go by: how far this one is off, and stamps of a time when it was wrong.
 *
 * Each handshake is a measurement: the hub's time lies somewhere within the exchange, so half of what the exchange took
 * is the error. The best one of the last hour is kept, unless a later one contradicts it: then a clock was set. A clock
 * that is right but for a second is left alone: whoever sets it does better than that measurement.
 *
 * A stamp that is further ahead of the hub's time than the hub's bound was never taken by it, whatever became of the
 * push that it was in, since the hub's time only goes up. So these are given anew without asking. Below that bound, for
 * a smaller one of the options', an intent that is not settled yet stops it. */

#include <stdio.h>
#include <string.h>

#define KECS_SYNC__OFFSET_AGE_US INT64_C(3600000000)
#define KECS_SYNC__OFFSET_NEWS_US 50000 /* a change of the offset that is worth a write */

#define KECS_SYNC__OFFSET_LEAST_US 1000000

static int64_t kecs_sync__distance(int64_t a, int64_t b) {
  return a > b ? a - b : b - a;
}

static kecs_status kecs_sync__offset_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  int64_t offset = sync->notes.offset;
  bool right = kecs_sync__distance(offset, 0) < KECS_SYNC__OFFSET_LEAST_US + sync->notes.offset_trip;
  kecs_status status = kecs_replica_offset(tx, right ? 0 : offset);
  status = status ? status : kecs_sync__note_number(tx, "offset", sync->notes.offset);
  status = status ? status : kecs_sync__note_number(tx, "offset_trip", sync->notes.offset_trip);
  return status ? status : kecs_sync__note_number(tx, "offset_at", sync->notes.offset_at);
}

/* `hub_us` was told in the exchange that ends now. */
KECS_PG__FN kecs_status kecs_sync__measure(kecs_sync *sync, int64_t hub_us) {
  kecs_sync__notes *notes = &sync->notes;
  int64_t now = kecs_replica_now(sync->store);
  int64_t trip = now > sync->sent_us ? now - sync->sent_us : 0;
  int64_t offset = hub_us - sync->sent_us - trip / 2;
  int64_t before = notes->offset;
  bool first = notes->offset_at == 0;
  bool old = now < notes->offset_at || now - notes->offset_at > KECS_SYNC__OFFSET_AGE_US;
  bool contradicts = kecs_sync__distance(offset, notes->offset) > (trip + notes->offset_trip) / 2;
  sync->report.hub_offset_us = notes->offset;
  if (!first && !old && !contradicts && trip >= notes->offset_trip) {
    return KECS_OK;
  }
  notes->offset = offset;
  notes->offset_trip = trip;
  notes->offset_at = now;
  sync->report.hub_offset_us = offset;
  bool news = first || kecs_sync__distance(offset, before) > KECS_SYNC__OFFSET_NEWS_US;
  return news ? kecs_sync__transact(sync, kecs_sync__offset_work, sync) : KECS_OK;
}

static kecs_status kecs_sync__restamp_work(kecs_store *tx, void *user) {
  kecs_restamp *restamp = user;
  kecs_status status = kecs_replica_restamp(tx, restamp);
  if (status || restamp->changed == 0) {
    return status;
  }
  status = kecs_sync__note_number(tx, "acked", restamp->acked);
  return status ? status : kecs_sync__note_number(tx, "intent_stamp", restamp->intent);
}

KECS_PG__FN kecs_status kecs_sync__restamp(kecs_sync *sync, int64_t hub_us) {
  kecs_restamp work;
  int64_t ahead = sync->notes.intent.id[0] ? KECS_SYNC__AHEAD_US : sync->max_offset_us;
  int64_t newest = 0;
  char line[160];
  memset(&work, 0, sizeof work);
  work.limit_us = hub_us + ahead;
  work.now_us = hub_us;
  work.offset_us = sync->notes.offset;
  work.acked = sync->notes.acked;
  work.intent = sync->notes.intent.id[0] ? sync->notes.intent.stamp : 0;
  kecs_status status = kecs_sync__count(
      sync->store, "SELECT stamp FROM {changes} WHERE {own}true ORDER BY seq DESC LIMIT 1", &newest);
  if (status || kecs_stamp_time(newest) <= work.limit_us) {
    return status;
  }
  status = kecs_sync__transact(sync, kecs_sync__restamp_work, &work);
  if (status || work.changed == 0) {
    return status;
  }
  sync->report.restamped += work.changed;
  snprintf(line, sizeof line, "sync: the clock was ahead of the hub's; %lld stamps were given anew",
           (long long)work.changed);
  kecs_replica_log(sync->store, KECS_LOG_WARNING, line);
  return kecs_sync__notes_read(sync);
}

/* ---- sync/round.c ------------------------------------------------------------------------------------------------ */
/* sync/round.c -- the handle, the handshake, and a round. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_SYNC__TOMBSTONES_US INT64_C(604800000000) /* a week */
#define KECS_SYNC__NOTED_US INT64_C(3600000000)        /* an hour: an idle round notes its time no more often */

enum { KECS_SYNC__GREETINGS = 3 /* in one round: under its name, and under another one */ };

/* ---- the handshake ---- */

static kecs_status kecs_sync__hello(kecs_sync *sync, bool *out_again) {
  kecs_sync__exchange exchange;
  char cursor[24];
  char seen[24];
  char size[24];
  char number[24];
  const bool ahead = sync->notes.seen > sync->notes.cursor;
  snprintf(cursor, sizeof cursor, "%lld", (long long)sync->notes.cursor);
  snprintf(seen, sizeof seen, "%lld", (long long)(ahead ? sync->notes.seen : sync->notes.cursor));
  snprintf(size, sizeof size, "%d", sync->batch);
  snprintf(number, sizeof number, "%lld", (long long)sync->notes.site);
  snprintf(sync->known_as, sizeof sync->known_as, "%s", sync->notes.alias[0] ? sync->notes.alias : sync->site);
  const char *who[] = {sync->known_as, seen, ahead ? sync->notes.seen_id : sync->notes.cursor_id, number};
  const char *window[] = {cursor, size};
  const char *wanted[] = {sync->known_as, sync->clusters.data};
  kecs_sync__begin(&exchange, sync, true);
  int version = kecs_sync__add_item(&exchange, "SELECT {S}sync_version()", "", NULL, 0);
  (void)kecs_sync__add_item(&exchange, "SELECT {S}sync_number({T},$1)", "", who, 1);
  int hello = kecs_sync__add_item(&exchange, "SELECT * FROM {S}sync_hello({T},$1,$2,$3,$4)", "", who, 4);
  int next = kecs_sync__add_item(&exchange, "SELECT * FROM {S}sync_window({T},$1,$2)", "", window, 2);
  int refused = kecs_sync__add_item(&exchange, "SELECT * FROM {S}sync_told({T},$1)", "", who, 1);
  int scopes = kecs_sync__add_item(&exchange, "SELECT {S}sync_scopes({T},$1,$2)", "", wanted, 2);
  kecs_status status = kecs_sync__send(&exchange, "greet the hub");
  const PGresult *said = status ? NULL : exchange.item[hello].result;
  if (said) {
    int64_t hub_us = kecs_sync__number(said, 0, KECS_SYNC__NOW);
    sync->head = kecs_sync__number(said, 0, KECS_SYNC__HEAD);
    sync->head_us = hub_us;
    snprintf(sync->head_id, sizeof sync->head_id, "%s", kecs_sync__text(said, 0, KECS_SYNC__HEAD_ID));
    sync->until = kecs_sync__number(exchange.item[next].result, 0, 0);
    snprintf(sync->until_id, sizeof sync->until_id, "%s", kecs_sync__text(exchange.item[next].result, 0, 1));
    sync->until_kinds = kecs_sync__number(exchange.item[next].result, 0, 2);
    status = kecs_sync__schema_read(sync, kecs_sync__text(exchange.item[version].result, 0, 0));
    status = status ? status : kecs_sync__measure(sync, hub_us);
    status = status ? status : kecs_sync__limits_read(sync, kecs_sync__text(said, 0, KECS_SYNC__LIMITS));
    status = status ? status : kecs_sync__identify(sync, said, exchange.item[refused].result, out_again);
    status = status || *out_again ? status : kecs_sync__restamp(sync, hub_us);
    status = status || *out_again ? status : kecs_sync__rescope(sync, exchange.item[scopes].result);
  }
  kecs_sync__end(&exchange);
  return status;
}

/* ---- a round ---- */

static kecs_status kecs_sync__last_work(kecs_store *tx, void *user) {
  return kecs_sync__note_number(tx, "last", *(const int64_t *)user);
}

static void kecs_sync__remember(kecs_sync *sync, kecs_status status, int64_t now) {
  kecs_sync__told *told = &sync->told;
  kecs_sync__lock(sync);
  told->rounds++;
  told->offset_us = sync->report.hub_offset_us ? sync->report.hub_offset_us : told->offset_us;
  told->limits = sync->limits;
  if (status) {
    told->failures++;
    told->failed_us = now;
    told->error = *kecs_last_error();
  } else {
    told->failures = 0;
    told->last_us = now;
  }
  kecs_sync__unlock(sync);
}

static kecs_status kecs_sync__steps(kecs_sync *sync) {
  bool again = true;
  kecs_status status = kecs_sync__notes_read(sync);
  sync->moved = false;
  for (int times = 0; !status && again; times++) {
    again = false;
    status = times < KECS_SYNC__GREETINGS
                 ? kecs_sync__hello(sync, &again)
                 : kecs_pg__fail(KECS_E_CONFLICT, "others go on pushing under this site's name; try again later");
  }
  status = status ? status : kecs_sync__look(sync);
  status = status ? status : kecs_sync__reconcile(sync);
  status = status ? status : kecs_sync__pull(sync);
  status = status ? status : kecs_sync__schema_catch_up(sync);
  status = status ? status : kecs_sync__push(sync);
  if (!status && sync->held) { /* what the hub has instead; once, or two who never agree would keep the round */
    status = kecs_sync__pull(sync);
    status = status ? status : kecs_sync__push(sync);
  }
  return status ? status : kecs_sync__append(sync);
}

KECS_PG__FN kecs_status kecs_sync__round(kecs_sync *sync, kecs_sync_report *out_report) {
  memset(&sync->report, 0, sizeof sync->report);
  sync->held = false;
  kecs_sync__flag_set(&sync->stopped, 0);
  kecs_status status = kecs_sync__steps(sync);
  if (status == KECS_E_CONFLICT && strcmp(kecs_last_error()->sqlstate, "KS001") == 0) {
    status = kecs_sync__steps(sync); /* another push under this name came in between: the handshake sees it now */
  }
  int64_t now = kecs_replica_now(sync->store);
  bool idle = sync->report.pushed + sync->report.pulled == 0 && now - sync->notes.last_us < KECS_SYNC__NOTED_US;
  if (!status && !idle) { /* an idle edge does not wear its disk */
    status = kecs_sync__transact(sync, kecs_sync__last_work, &now);
  }
  kecs_sync__remember(sync, status, now);
  if (out_report) {
    *out_report = sync->report;
  }
  return status;
}

KECS_STORE_API kecs_status kecs_sync_once(kecs_sync *sync, kecs_sync_report *out_report) {
  if (out_report) {
    memset(out_report, 0, sizeof *out_report);
  }
  if (!sync) {
    return kecs_pg__fail(KECS_E_INVALID, "sync is NULL");
  }
  return sync->running ? kecs_pg__fail(KECS_E_MISUSE, "the thread of this edge runs its rounds: kecs_sync_stop first")
                       : kecs_sync__round(sync, out_report);
}

/* When the oldest change was made that is not pushed. */
static kecs_status kecs_sync__lag(kecs_sync *sync, int64_t *out_lag_us) {
  int64_t stamp = 0;
  kecs_status status = kecs_sync__count(
      sync->store,
      "SELECT coalesce((SELECT c.stamp FROM {changes c} WHERE {own c}c.seq>(SELECT s.value FROM {change_state s} WHERE "
      "{own s}s.id=2) ORDER BY c.seq LIMIT 1),0)",
      &stamp);
  int64_t oldest = 0;
  status = status ? status
                  : kecs_sync__count(sync->store,
                                     "SELECT coalesce(min(f.oldest),0) FROM {change_folds f} WHERE {own f}f.seq>("
                                     "SELECT s.value FROM {change_state s} WHERE {own s}s.id=2)",
                                     &oldest);
  stamp = oldest && (!stamp || oldest < stamp) ? oldest : stamp;
  int64_t lag = stamp ? kecs_replica_now(sync->store) - kecs_stamp_time(stamp) : 0;
  *out_lag_us = lag > 0 ? lag : 0;
  return status;
}

/* What the handle has seen; the error's text is copied, since a round may be under way. */
static void kecs_sync__status_told(kecs_sync *sync, kecs_sync_status_info *out_info) {
  kecs_sync__lock(sync);
  const kecs_sync__told *told = &sync->told;
  out_info->rounds = told->rounds;
  out_info->failures = told->failures;
  out_info->reconnects = told->connects > 0 ? told->connects - 1 : 0;
  out_info->hub_offset_us = told->offset_us;
  out_info->last_us = told->last_us > out_info->last_us ? told->last_us : out_info->last_us;
  out_info->failed_us = told->failed_us;
  out_info->failed = told->error.status;
  out_info->hub_every_ms = told->limits.every_ms;
  out_info->hub_batch = told->limits.batch;
  snprintf(sync->said, sizeof sync->said, "%s", told->error.text);
  snprintf(sync->said_pause, sizeof sync->said_pause, "%s", told->limits.pause);
  kecs_sync__unlock(sync);
  out_info->failed_text = sync->said;
  out_info->hub_pause = sync->said_pause;
  out_info->running = sync->running;
  out_info->batch = sync->batch;
}

KECS_STORE_API kecs_status kecs_sync_status(kecs_sync *sync, kecs_sync_status_info *out_info) {
  if (!sync || !out_info) {
    return kecs_pg__fail(KECS_E_INVALID, "%s is NULL", sync ? "out_info" : "sync");
  }
  memset(out_info, 0, sizeof *out_info);
  kecs_sync__notes notes;
  kecs_status status = kecs_sync__notes_of(sync->store, &notes);
  snprintf(sync->known_as, sizeof sync->known_as, "%s", notes.alias[0] ? notes.alias : sync->site);
  out_info->site = sync->site;
  out_info->known_as = sync->known_as;
  out_info->number = notes.site;
  out_info->cursor = notes.cursor;
  out_info->last_us = notes.last_us;
  kecs_sync__status_told(sync, out_info);
  status = status ? status : kecs_sync__lag(sync, &out_info->lag_us);
  status =
      status ? status
             : kecs_sync__count(sync->store,
                                "SELECT (SELECT count(*) FROM {changes c} WHERE {own c}c.seq>s.value)+(SELECT count(*) "
                                "FROM {change_folds f} WHERE {own f}f.seq>s.value) FROM {change_state s} WHERE {own s}"
                                "s.id=2",
                                &out_info->pending);
  status =
      status ? status
             : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_refused} WHERE {own}true", &out_info->refused);
  status = status
               ? status
               : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_wanted} WHERE {own}true", &out_info->wanted);
  status = status ? status : kecs_sync__append_waiting(sync, &out_info->append_pending);
  return status ? status
                : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_conflicts} WHERE {own}resolved=0",
                                   &out_info->conflicts);
}

/* ---- conflicts ---- */

typedef struct kecs_sync__lost {
  kecs_status (*visit)(const kecs_sync_conflict *conflict, void *user);
  void *user;
} kecs_sync__lost;

static kecs_status kecs_sync__lost_visit(const kecs_value *values, void *user) {
  const kecs_sync__lost *lost = user;
  kecs_sync_conflict conflict = {values[0].number,
                                 (kecs_kind)values[1].number,
                                 values[2].text,
                                 values[3].text,
                                 (unsigned)values[4].number,
                                 values[5].number,
                                 values[6].number,
                                 values[7].number,
                                 values[8].number,
                                 values[9].text,
                                 values[10].number,
                                 values[11].number};
  return lost->visit(&conflict, lost->user);
}

KECS_STORE_API kecs_status kecs_sync_conflicts(kecs_store *store, int64_t after_id,
                                               kecs_status (*visit)(const kecs_sync_conflict *conflict, void *user),
                                               void *user) {
  kecs_sync__lost lost = {visit, user};
  kecs_value value = kecs_sync__value_int(after_id);
  bool there = false;
  if (!visit) {
    return kecs_pg__fail(KECS_E_INVALID, "visit is NULL");
  }
  kecs_status status = kecs_replica_made(store, &there);
  return status || !there
             ? status
             : kecs_replica_sql(store,
                                "SELECT id,kind,key,reason,groups,kept_stamp,kept_site,lost_stamp,lost_site,"
                                "lost,at,resolved FROM {sync_conflicts} WHERE {own}id>?1 ORDER BY id",
                                &value, 1, 12, kecs_sync__lost_visit, &lost);
}

KECS_STORE_API kecs_status kecs_sync_resolve(kecs_store *store, int64_t id, kecs_sync_take take) {
  if (take != KECS_SYNC_TAKE_KEPT && take != KECS_SYNC_TAKE_LOST) {
    return kecs_pg__fail(KECS_E_INVALID, "take is %d; KECS_SYNC_TAKE_KEPT or KECS_SYNC_TAKE_LOST", (int)take);
  }
  return kecs_replica_resolve(store, id, take == KECS_SYNC_TAKE_LOST);
}

/* ---- the handle ---- */

static kecs_status kecs_sync__check_options(const kecs_sync_options *options) {
  if (!options || !options->hub || !kecs_pg_backend()->answers_to(options->hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "options.hub must be the URL of a PostgreSQL database");
  }
  size_t len = options->site ? strlen(options->site) : 0;
  if (len == 0 || len > KECS_SYNC__NAME_MAX) {
    return kecs_pg__fail(KECS_E_INVALID, "options.site must be a name of 1 to %d bytes", (int)KECS_SYNC__NAME_MAX);
  }
  if (options->token && strlen(options->token) != KECS_SYNC_TOKEN_SIZE - 1) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "options.token is no token: it has %d digits, and is printed by kecs hub token",
                         KECS_SYNC_TOKEN_SIZE - 1);
  }
  if (options->batch < 0 || options->batch > KECS_SYNC__BATCH_MAX) {
    return kecs_pg__fail(KECS_E_INVALID, "options.batch is %d; 1 to %d, or 0", options->batch,
                         (int)KECS_SYNC__BATCH_MAX);
  }
  if (options->tombstones_us < 0) {
    return kecs_pg__fail(KECS_E_INVALID, "options.tombstones_us is %lld; above 0, or 0 for 7 days",
                         (long long)options->tombstones_us);
  }
  if (options->max_offset_us < 0 || options->max_offset_us > KECS_SYNC__AHEAD_US) {
    return kecs_pg__fail(KECS_E_INVALID, "options.max_offset_us is %lld; 1 to %lld, or 0",
                         (long long)options->max_offset_us, (long long)KECS_SYNC__AHEAD_US);
  }
  const struct {
    const char *name;
    const void *list;
    size_t count;
  } lists[] = {{"kind", options->kinds, options->kind_count},
               {"cluster", options->clusters, options->cluster_count},
               {"policy", options->policies, options->policy_count}};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    if (lists[i].count && !lists[i].list) {
      return kecs_pg__fail(KECS_E_INVALID, "options.%s_count is %lld, and there is no list: give it, or leave both 0",
                           lists[i].name, (long long)lists[i].count);
    }
  }
  kecs_status status = kecs_sync__policy_check(options->policies, options->policy_count);
  if (status) {
    return status;
  }
  if (options->append_bytes < -1 || options->append_keep_bytes < 0) {
    return kecs_pg__fail(KECS_E_INVALID, "options.append_bytes is -1 or more, options.append_keep_bytes 0 or more");
  }
  return KECS_OK;
}

static kecs_status kecs_sync__choose_kinds(kecs_sync *sync, const kecs_sync_options *options) {
  uint64_t append = kecs_replica_append_kinds(sync->store);
  sync->kinds = options->kind_count ? 0 : kecs_replica_kinds(sync->store) | append;
  for (size_t i = 0; i < options->kind_count; i++) {
    if (!kecs_kind_describe(options->kinds[i])) {
      return kecs_pg__fail(KECS_E_INVALID, "options.kinds: %d is no kind", (int)options->kinds[i]);
    }
    sync->kinds |= KECS_BIT(options->kinds[i]);
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; (sync->kinds & KECS_BIT(kind)) && i < info->reference_count; i++) {
      if (!(sync->kinds & KECS_BIT(info->references[i].parent))) {
        return kecs_pg__fail(KECS_E_INVALID, "options.kinds has %s without its parent %s", info->name,
                             kecs_kind_describe(info->references[i].parent)->name);
      }
    }
  }
  sync->append = sync->kinds & append;
  sync->kinds &= ~append;
  return KECS_OK;
}

/* What a file began with: a name, or the kinds. */
static kecs_status kecs_sync__fixed_visit(const kecs_value *values, void *user) {
  snprintf(user, KECS_SYNC__NAME_MAX + 1, "%s", values[0].text);
  return KECS_OK;
}

static kecs_status kecs_sync__fix(kecs_store *tx, const char *name, const char *wanted) {
  char found[KECS_SYNC__NAME_MAX + 1] = "";
  kecs_value value = kecs_sync__value_text(name);
  kecs_status status = kecs_replica_sql(tx, "SELECT value FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                                        kecs_sync__fixed_visit, found);
  if (!status && found[0] && strcmp(found, wanted) != 0) {
    return kecs_pg__fail(KECS_E_INVALID, "this file began to sync with the %s %s, not %s", name, found, wanted);
  }
  return status || found[0] ? status : kecs_sync__note(tx, name, wanted);
}

static kecs_status kecs_sync__fix_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  char kinds[24];
  snprintf(kinds, sizeof kinds, "%llu", (unsigned long long)(sync->kinds | sync->append));
  kecs_status status = kecs_sync__fix(tx, "name", sync->site);
  return status ? status : kecs_sync__fix(tx, "kinds", kinds);
}

KECS_STORE_API kecs_status kecs_sync_open(kecs_store *store, const kecs_sync_options *options, kecs_sync **out_sync) {
  if (out_sync) {
    *out_sync = NULL;
  }
  if (!store || !out_sync) {
    return kecs_pg__fail(KECS_E_INVALID, "%s is NULL", out_sync ? "store" : "out_sync");
  }
  kecs_status status = kecs_sync__check_options(options);
  if (status) {
    return status;
  }
  const kecs_allocator *allocator = kecs_replica_allocator(store);
  kecs_sync *sync = kecs_pg__alloc(allocator, sizeof *sync);
  if (!sync) {
    return KECS_E_NOMEM;
  }
  sync->allocator = *allocator;
  sync->clusters.allocator = &sync->allocator;
  sync->store = store;
  sync->tombstones_us = options->tombstones_us ? options->tombstones_us : KECS_SYNC__TOMBSTONES_US;
  sync->max_offset_us = options->max_offset_us ? options->max_offset_us : KECS_SYNC__AHEAD_US;
  sync->wanted_batch = options->batch;
  sync->batch = options->batch ? options->batch : KECS_SYNC__BATCH;
  sync->adapts = options->batch == 0;
  sync->arrays_most = KECS_SYNC__BATCH_MOST;
#if !defined(KECS_STORE_NO_THREADS)
  if (pthread_mutex_init(&sync->mutex, NULL) != 0) {
    kecs_pg__release(allocator, sync, sizeof *sync);
    return KECS_E_NOMEM;
  }
#endif
  sync->append_pull = options->append_pull;
  sync->merge = options->merge;
  sync->user = options->user;
  sync->append_bytes = options->append_bytes ? options->append_bytes : KECS_SYNC__APPEND_BYTES;
  sync->append_keep_bytes = options->append_keep_bytes;
  snprintf(sync->site, sizeof sync->site, "%s", options->site);
  sync->hub = kecs_pg__copy(allocator, options->hub, strlen(options->hub));
  sync->token = options->token ? kecs_pg__copy(allocator, options->token, strlen(options->token)) : NULL;
  status = sync->hub && (sync->token || !options->token)
               ? kecs_pg_backend()->attach(sync->hub, &sync->allocator, &sync->place)
               : KECS_E_NOMEM;
  status = status ? status : kecs_sync__policy_keep(sync, options->policies, options->policy_count);
  status = status ? status : kecs_sync__choose_kinds(sync, options);
  status = status ? status : kecs_sync__clusters(sync, options->clusters, options->cluster_count);
  status = status ? status : kecs_replica_open(store, sync->kinds, NULL);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__fix_work, sync);
  status = status ? status : kecs_sync__notes_read(sync);
  if (status) {
    kecs_error error = *kecs_last_error();
    kecs_sync_close(sync);
    kecs_pg__restore(&error);
    return status;
  }
  *out_sync = sync;
  return KECS_OK;
}

KECS_STORE_API void kecs_sync_close(kecs_sync *sync) {
  if (sync) {
    kecs_allocator allocator = sync->allocator;
    (void)kecs_sync_stop(sync);
#if !defined(KECS_STORE_NO_THREADS)
    (void)pthread_mutex_destroy(&sync->mutex);
#endif
    kecs_sync__hang_up(sync);
    kecs_pg_backend()->detach(&sync->place, &sync->allocator);
    kecs_pg__release_text(&allocator, sync->hub);
    kecs_pg__release_text(&allocator, sync->token);
    kecs_pg__text_free(&sync->clusters);
    kecs_sync__policy_free(sync);
    kecs_pg__release(&allocator, sync, sizeof *sync);
  }
}

/* ---- sync/thread.c ----------------------------------------------------------------------------------------------- */
/* sync/thread.c -- rounds by themselves: a thread that waits for its time or for a change, and knows when to leave a
 * hub in peace. */

#include <string.h>

enum {
  KECS_SYNC__EVERY_MS = 5000,
  KECS_SYNC__BACKOFF_MS = 1000,      /* the first pause after a failure is up to twice as long */
  KECS_SYNC__BACKOFF_MAX_MS = 60000,
  KECS_SYNC__NAP_MS = 50,            /* between two looks at whether it is to end */
  KECS_SYNC__GATHER_MS = 20          /* after a change: what is written together goes together */
};

KECS_PG__FN void kecs_sync__lock(kecs_sync *sync) {
#if defined(KECS_STORE_NO_THREADS)
  (void)sync;
#else
  (void)pthread_mutex_lock(&sync->mutex);
#endif
}

KECS_PG__FN void kecs_sync__unlock(kecs_sync *sync) {
#if defined(KECS_STORE_NO_THREADS)
  (void)sync;
#else
  (void)pthread_mutex_unlock(&sync->mutex);
#endif
}

KECS_STORE_API void kecs_sync_cancel(kecs_sync *sync) {
  if (sync) {
    kecs_sync__flag_set(&sync->stopped, 1);
  }
}

#if defined(KECS_STORE_NO_THREADS)

KECS_STORE_API kecs_status kecs_sync_start(kecs_sync *sync, const kecs_sync_pace *pace) {
  (void)sync;
  (void)pace;
  return kecs_pg__fail(KECS_E_UNSUPPORTED, "this build has no threads: call kecs_sync_once now and then");
}

KECS_STORE_API kecs_status kecs_sync_stop(kecs_sync *sync) {
  (void)sync;
  return KECS_OK;
}

#else

/* ---- pauses ---- */

/* Below `most`; not the same for two edges. */
static int64_t kecs_sync__chance(kecs_sync *sync, int64_t most) {
  uint64_t mixed = sync->chance;
  for (const char *at = sync->site; *at; at++) {
    mixed = (mixed ^ (unsigned char)*at) * UINT64_C(0x100000001B3);
  }
  mixed = (mixed ^ (uint64_t)kecs_pg__now_ms()) * UINT64_C(0x9E3779B97F4A7C15);
  sync->chance = mixed ^ (mixed >> 29);
  return most > 0 ? (int64_t)((sync->chance >> 11) % (uint64_t)most) : 0;
}

/* Between two rounds: a fifth more or less than asked for; after failures anything up to a bound that doubles, so that
 * edges that have lost their hub together do not come back together. */
static int64_t kecs_sync__pause(kecs_sync *sync) {
  int64_t every = sync->pace.every_ms ? sync->pace.every_ms : KECS_SYNC__EVERY_MS;
  int64_t most = sync->pace.backoff_max_ms ? sync->pace.backoff_max_ms : KECS_SYNC__BACKOFF_MAX_MS;
  int64_t bound = KECS_SYNC__BACKOFF_MS;
  if (sync->told.failures == 0) {
    return every - every / 5 + kecs_sync__chance(sync, every * 2 / 5);
  }
  for (int64_t n = 0; n < sync->told.failures && bound < most; n++) {
    bound *= 2;
  }
  return 1 + kecs_sync__chance(sync, bound < most ? bound : most);
}

static bool kecs_sync__ends(const kecs_sync *sync) {
  return kecs_sync__flag_get(&sync->ending) != 0;
}

static void kecs_sync__nap(kecs_sync *sync, int64_t until) {
  for (int64_t now = kecs_pg__now_ms(); now < until && !kecs_sync__ends(sync); now = kecs_pg__now_ms()) {
    int64_t ms = until - now < KECS_SYNC__NAP_MS ? until - now : KECS_SYNC__NAP_MS;
    kecs_pg__sleep_ms((int)ms);
  }
}

/* Until the time has come, or the log has entries that are not pushed. What goes wrong with the log is the next round's
 * to tell. */
static void kecs_sync__wait(kecs_sync *sync, int64_t until) {
  kecs_watch_options options;
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  int64_t mark = 0;
  memset(&options, 0, sizeof options);
  if (kecs_sync__count(sync->store, "SELECT value FROM {change_state} WHERE {own}id=2", &mark) == KECS_OK) {
    options.from_seq = mark > 0 ? mark : KECS_WATCH_OLDEST;
    (void)kecs_watch_open(sync->store, &options, &watch);
  }
  kecs_status status = watch ? KECS_OK : KECS_E_UNSUPPORTED;
  for (int64_t now = kecs_pg__now_ms(); !status && !change && now < until && !kecs_sync__ends(sync);
       now = kecs_pg__now_ms()) {
    status = kecs_watch_next(watch, (int)(until - now < KECS_SYNC__NAP_MS ? until - now : KECS_SYNC__NAP_MS), &change);
  }
  bool woken = change != NULL || status == KECS_E_COMPACTED;
  kecs_watch_close(watch);
  kecs_sync__nap(sync, woken ? kecs_pg__now_ms() + KECS_SYNC__GATHER_MS : until);
}

/* ---- the thread ---- */

/* When the hub lets the next round begin. Those of many edges are spread. */
static int64_t kecs_sync__earliest(kecs_sync *sync, int64_t begun) {
  int64_t every = sync->limits.every_ms;
  return begun + every + kecs_sync__chance(sync, every / 5);
}

static void *kecs_sync__work(void *user) {
  kecs_sync *sync = user;
  while (!kecs_sync__ends(sync)) {
    kecs_sync_report report;
    int64_t begun = kecs_pg__now_ms();
    kecs_status status = kecs_sync__round(sync, &report);
    if (sync->pace.after && !kecs_sync__ends(sync)) {
      sync->pace.after(status, &report, kecs_last_error(), sync->pace.user);
    }
    int64_t until = kecs_pg__now_ms() + kecs_sync__pause(sync);
    kecs_sync__nap(sync, kecs_sync__earliest(sync, begun)); /* also where changes are waiting */
    if (status || sync->pace.timed) {
      kecs_sync__nap(sync, until);
    } else {
      kecs_sync__wait(sync, until);
    }
  }
  return NULL;
}

KECS_STORE_API kecs_status kecs_sync_start(kecs_sync *sync, const kecs_sync_pace *pace) {
  if (!sync) {
    return kecs_pg__fail(KECS_E_INVALID, "sync is NULL");
  }
  if (pace && (pace->every_ms < 0 || pace->backoff_max_ms < 0)) {
    return kecs_pg__fail(KECS_E_INVALID, "pace.%s is below 0", pace->every_ms < 0 ? "every_ms" : "backoff_max_ms");
  }
  if (sync->running) {
    return kecs_pg__fail(KECS_E_MISUSE, "the thread of this edge runs already");
  }
  memset(&sync->pace, 0, sizeof sync->pace);
  if (pace) {
    sync->pace = *pace;
  }
  kecs_sync__flag_set(&sync->ending, 0);
  if (pthread_create(&sync->thread, NULL, kecs_sync__work, sync) != 0) {
    return kecs_pg__fail(KECS_E_FULL, "no thread can be made for sync: the process has too many");
  }
  sync->running = true;
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_sync_stop(kecs_sync *sync) {
  if (!sync) {
    return kecs_pg__fail(KECS_E_INVALID, "sync is NULL");
  }
  if (sync->running) {
    if (pthread_equal(sync->thread, pthread_self())) {
      return kecs_pg__fail(KECS_E_MISUSE, "the thread can't wait for its own end: call kecs_sync_stop elsewhere");
    }
    kecs_sync__flag_set(&sync->ending, 1);
    (void)pthread_join(sync->thread, NULL);
    kecs_sync__flag_set(&sync->ending, 0);
    sync->running = false;
  }
  return KECS_OK;
}

#endif
#endif

/* ---- doc/licence.h ----------------------------------------------------------------------------------------------- */
/* LICENCE
 *
 * This software is available under two licenses; choose the one that you prefer.
 *
 * ------------------------------------------------------------------------------
 * ALTERNATIVE A - MIT No Attribution License (MIT-0)
 *
 * Copyright (c) 2026 The kecs_store authors
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of
 * this software and associated documentation files (the "Software"), to deal in
 * the Software without restriction, including without limitation the rights to
 * use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies
 * of the Software, and to permit persons to whom the Software is furnished to do
 * so.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 * SOFTWARE.
 *
 * ------------------------------------------------------------------------------
 * ALTERNATIVE B - Public Domain (www.unlicense.org)
 *
 * This is free and unencumbered software released into the public domain.
 *
 * Anyone is free to copy, modify, publish, use, compile, sell, or distribute this
 * software, either in source code form or as a compiled binary, for any purpose,
 * commercial or non-commercial, and by any means.
 *
 * In jurisdictions that recognize copyright laws, the author or authors of this
 * software dedicate any and all copyright interest in the software to the public
 * domain. We make this dedication for the benefit of the public at large and to
 * the detriment of our heirs and successors. We intend this dedication to be an
 * overt act of relinquishment in perpetuity of all present and future rights to
 * this software under copyright law.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN
 * ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
 * WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 *
 * ------------------------------------------------------------------------------
 * SQLite, which the one-file release in dist/ carries, is in the public domain
 * (https://www.sqlite.org/copyright.html).
 */
