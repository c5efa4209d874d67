/* ---- PostgreSQL ---------------------------------------------------------------------------------------------- */
#ifndef KECS_PG_PUBLIC_H
#define KECS_PG_PUBLIC_H
#include "store/backend.h"

/* The backend of PostgreSQL, alone in a list as kecs_options.backends takes it: with it, kecs_open also takes
 * "postgres://" and "postgresql://" URLs and libpq's keyword strings ("host=... dbname=..."). The list is static. */
KECS_STORE_API const kecs_backend *const *kecs_pg_backends(void);

/* The backend by itself, for programs that make a list of their own. Static. */
KECS_STORE_API const kecs_backend *kecs_pg_backend(void);

#endif
