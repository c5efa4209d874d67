/* sync/hub_sql.h -- the texts of what a hub has beyond the backend's schema: tables, and functions by kind. */
#ifndef KECS_SYNC_HUB_SQL_H
#define KECS_SYNC_HUB_SQL_H
#include "pg/text.h"
#include "pg/wire.h"

/* Tables, made where they are missing, and the functions that are no kind's. */
KECS_PG__FN void kecs_sync__hub_common(kecs_pg__text *out, const kecs_pg__connection *connection, const char *version);

/* sync_put_TABLE and sync_bury_TABLE; in the place of earlier ones. */
KECS_PG__FN void kecs_sync__hub_kind(kecs_pg__text *out, const kecs_pg__connection *connection,
                                     const kecs_kind_info *info);

/* A natural key's text (kecs_change.key) over the columns of a row `alias`. */
KECS_PG__FN void kecs_sync__key_text(kecs_pg__text *out, const kecs_kind_info *info, const char *alias);

/* sync_bucket; sync_digest_TABLE and sync_compare_TABLE (hub_repair.c). */
KECS_PG__FN void kecs_sync__hub_buckets(kecs_pg__text *out, const kecs_pg__connection *connection);
KECS_PG__FN void kecs_sync__hub_repair(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info);

/* Grants and what follows from them; what a site reads of a kind (hub_scope.c). */
KECS_PG__FN void kecs_sync__hub_scopes(kecs_pg__text *out, const kecs_pg__connection *connection);
KECS_PG__FN void kecs_sync__hub_reads(kecs_pg__text *out, const kecs_pg__connection *connection,
                                      const kecs_kind_info *info);

/* Tokens; and gate_X for each function that an edge calls, once these are there (hub_gate.c). */
KECS_PG__FN void kecs_sync__hub_tokens(kecs_pg__text *out, const kecs_pg__connection *connection);
KECS_PG__FN void kecs_sync__hub_gates(kecs_pg__text *out, const kecs_pg__connection *connection);

/* The beginning of sync_put_TABLE and sync_bury_TABLE: what is outside of the site's scope is refused, and taken out of
 * the arguments. `sent` and `buried` are the rows that came, as `u`. */
KECS_PG__FN void kecs_sync__scope_put(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                      const char *sent);
KECS_PG__FN void kecs_sync__scope_bury(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                       const char *buried);

/* A column's type at the hub. */
KECS_PG__FN const char *kecs_sync__type(const kecs_column_info *column);

/* Whether a column travels. */
KECS_PG__FN bool kecs_sync__travels(const kecs_column_info *column);

/* What the functions must be made for: their own format, and the kinds' columns. */
enum { KECS_SYNC__VERSION_SIZE = 32 };
KECS_PG__FN void kecs_sync__version(char out[KECS_SYNC__VERSION_SIZE]);

#endif
