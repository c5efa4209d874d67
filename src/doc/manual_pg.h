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
