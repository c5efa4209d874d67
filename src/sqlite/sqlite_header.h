/* sqlite/sqlite_header.h -- the one place that names SQLite's header: the build's own, or the bundled one. */
#ifndef KECS_SQLITE_SQLITE_HEADER_H
#define KECS_SQLITE_SQLITE_HEADER_H
#if defined(KECS_STORE_SQLITE_HEADER)
#include KECS_STORE_SQLITE_HEADER
#else
#include <sqlite3.h> /* amalgamate: sqlite-head */
#endif
#if SQLITE_VERSION_NUMBER < 3038000
#error "kecs_store.h needs SQLite 3.38 or newer (STRICT tables, and the planner that its queries were checked with)"
#endif
#endif
