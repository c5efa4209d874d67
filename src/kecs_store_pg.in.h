/* kecs_store_pg.h -- PostgreSQL for kecs_store: not a part of this release. */
#ifndef KECS_STORE_PG_H
#define KECS_STORE_PG_H
#error "kecs_store_pg.h: the PostgreSQL companion is not part of this release; use kecs_store.h with a SQLite file"
#endif
