/* store/migrate.h -- the schema of the open database, brought to this version or refused. */
#ifndef KECS_STORE_MIGRATE_H
#define KECS_STORE_MIGRATE_H
#include "store/engine.h"

/* The schema version of this library: the highest SINCE of any column, or the last step of migrate.c. */
KECS__FN int kecs__schema_version(void);

/* Creates or migrates the schema through the writing session, in one transaction, or only checks it when the store is
 * read-only. Refused untouched: a newer schema (SCHEMA_NEWER), a database of something else or one that lacks a table
 * or column (CORRUPT). */
KECS__FN kecs_status kecs__migrate(kecs_store *store);

#endif
