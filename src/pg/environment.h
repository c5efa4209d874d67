/* ---- PostgreSQL: the URL that the environment names ---------------------------------------------------------- */
#ifndef KECS_PG_ENVIRONMENT_H
#define KECS_PG_ENVIRONMENT_H
#include "store/backend.h"

/* Writes the URL that the environment asks for into `out_url`, terminated; it holds the password. An empty variable is
 * an absent one. PostgreSQL is asked for when KECS_STORAGE_TYPE, KECS_STORAGE or STORE_TYPE is "postgresql",
 * "postgres" or "pg" in any letter case; or when none of them is set and KECS_DATABASE_URL or KECS_POSTGRES_URL is.
 *
 *   the URL is  KECS_DATABASE_URL or KECS_POSTGRES_URL;
 *   else        DATABASE_URL, which is read only when STORE_TYPE asks for PostgreSQL, and is then needed;
 *   else        put together from KECS_POSTGRES_HOST (localhost), _PORT (5432), _USER (kecs), _PASSWORD (kecs),
 *               _DATABASE (kecs) and _SSLMODE (disable), percent-encoded. A password that is set and empty is none.
 *
 * KECS_E_NOT_FOUND when the environment does not ask for PostgreSQL; KECS_E_INVALID when two variables disagree, the
 * error naming both, or when the URL is longer than `size`. What libpq reads by itself (PGPASSWORD, PGSSLROOTCERT and
 * the like) counts where the URL says nothing. Do not call it while another thread changes the environment. */
KECS_STORE_API kecs_status kecs_pg_url_from_environment(char *out_url, size_t size);

#endif
