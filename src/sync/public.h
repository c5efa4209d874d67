/* ---- Sync ---------------------------------------------------------------------------------------------------- */
/* An edge, which is a store in a SQLite file that was opened with options.track, and a hub, which is a tenant of a
 * PostgreSQL database: each works alone, and a round brings them into agreement. docs/sync.md is the protocol, and says
 * which kinds take part. Reads and writes of the application go on during a round. */
#ifndef KECS_SYNC_PUBLIC_H
#define KECS_SYNC_PUBLIC_H
#include "store/replica.h"

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
