/* pg/address.h -- a PostgreSQL address as messages and logs may show it. */
#ifndef KECS_PG_ADDRESS_H
#define KECS_PG_ADDRESS_H
#include "pg/internal.h"

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
