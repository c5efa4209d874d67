/* kecs_store.h -- a durable, typed store for the state of a container orchestrator, in one SQLite file.
 *
 * WHAT IT IS
 *   Clusters, services, tasks, task definitions and the rest of ECS; load balancers, target groups, listeners, rules
 *   and targets of ELBv2; worker nodes and their tasks; logs, tags and audit events: each a plain C struct, created,
 *   read, listed, updated and deleted through functions named after it. AWS API documents go in and come out whole.
 *   Nothing else has to run: the store lives in your process, on SQLite.
 *
 * QUICK START
 *   In ONE C file, which is best a file of its own:
 *
 *     #define KECS_STORE_IMPLEMENTATION
 *     #include "kecs_store.h"
 *
 *   Everywhere else only #include "kecs_store.h". Then:
 *
 *     kecs_store *store = NULL;
 *     kecs_options options = {0};
 *     options.path = "edge.db";
 *     if (kecs_open(&options, &store)) {
 *       fprintf(stderr, "%s\n", kecs_last_error()->text);
 *       return 1;
 *     }
 *     kecs_cluster cluster = {0};
 *     cluster.name = "default";
 *     kecs_cluster_create(store, &cluster, NULL);
 *     kecs_result *page = NULL;
 *     kecs_cluster_list(store, NULL, &page);
 *     for (size_t i = 0; i < kecs_result_count(page); i++) {
 *       puts(kecs_cluster_at(page, i)->arn);
 *     }
 *     kecs_result_free(page);
 *     kecs_close(store);
 *
 *   Build with SQLite's library:    cc app.c kecs_store_impl.c -lsqlite3 -lpthread -lm
 *   or with SQLite inside (dist/):  cc app.c kecs_store_impl.c -lpthread -lm
 *
 * PROMISES
 *   Ownership   What you pass in is borrowed for the call. What comes back lives in one kecs_result that you free with
 *               one call; it survives later calls and kecs_close.
 *   Threads     A store may be used from any number of threads, a transaction by one at a time. Results are
 *               immutable. There is no global state but the thread's last error and SQLite's own.
 *   Errors      Every function that can fail returns a kecs_status; kecs_last_error() has one English line that names
 *               the thing and says what to do. After a failure the store is usable and nothing is half-written; out
 *               pointers are NULL.
 *   Durability  After KECS_OK a write survives the crash of the process. With KECS_DURABILITY_FULL it survives a power
 *               cut, with the default the last commits before a power cut may be lost, but the file is never damaged.
 *   Source      Struct members are only ever appended, enum values never change within a major version. There is no
 *               binary compatibility between releases: the header is compiled into your program.
 *
 * IT DOES NOT
 *   serve other machines (it is a library), encrypt, merge two stores that were written apart, or work on a network
 *   file system. Do not open one file through two copies of SQLite in one process: their locks do not see each other.
 *
 * COMPILE-TIME OPTIONS (define before the implementation is included; only the linkage ones change the
 * public part)
 *   KECS_STORE_IMPLEMENTATION     build the bodies, in one C file
 *   KECS_STORE_STATIC             every function static, private to that file        (define it everywhere)
 *   KECS_STORE_API                linkage of the public functions; default `extern`   (define it everywhere)
 *   KECS_STORE_SQLITE_HEADER      SQLite's header; default <sqlite3.h>, 3.38 or newer
 *   KECS_STORE_SYSTEM_SQLITE      in the one-file release: use <sqlite3.h> and link SQLite, not the bundled one
 *   KECS_STORE_MALLOC(size), KECS_STORE_REALLOC(pointer, size), KECS_STORE_FREE(pointer)
 *                                 default memory functions; all three or none; options.allocator wins over them
 *   KECS_STORE_NO_THREADS         no mutexes: the store is used by one thread
 *   KECS_STORE_SQLITE_ONLY        leave out what only other backends use, and options.backends: saves 8 KB
 *   KECS_STORE_NO_CACHE           leave the row cache out: saves 10 KB. options.row_cache is KECS_E_UNSUPPORTED then
 *   KECS_STORE_NO_MEANINGS        leave the columns' descriptions out of kecs_kind_describe: saves 12 KB
 *   KECS_STORE_NO_VALIDATION      leave kecs_validate... and options.strict out (they say UNSUPPORTED): saves 10 KB
 *   KECS_STORE_NO_IMPORT          leave kecs_import out: saves 9 KB
 *   KECS_STORE_NO_HISTORY         leave kecs_history... and options.history out: saves 16 KB
 *   KECS_STORE_NO_WATCH           leave kecs_watch..., kecs_informer_run, kecs_changes_pending and what sync needs
 *                                 (kecs_replica_...) out: saves 19 KB. A store that is tracked goes on logging
 *   SQLITE_...                    any option of SQLite, for the bundled one; ours are only defaults
 *
 * LICENCE
 *   MIT No Attribution, or public domain, as you like. See the end of this file. */
