/* kecs_store_pg.h 0.1.0 -- generated from src/ by amalgamate.py, do not edit. sha256 of what follows:
 * a2f49fc39605c4f959e82575b6fb714da888d2ffd07e0cb1478eabf9eeb08359 */
/* kecs_store_pg.h -- PostgreSQL for kecs_store: not a part of this release. */
#ifndef KECS_STORE_PG_H
#define KECS_STORE_PG_H
#error "kecs_store_pg.h: the PostgreSQL companion is not part of this release; use kecs_store.h with a SQLite file"
#endif
