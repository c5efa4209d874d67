/* sync/hub_sql.h -- the texts of what a hub has beyond the backend's schema: tables, and functions by kind. */
#ifndef KECS_SYNC_HUB_SQL_H
#define KECS_SYNC_HUB_SQL_H
#include "pg/text.h"
#include "pg/wire.h"

/* Tables, made where they are missing, and the functions that are no kind's. */
KECS_PG__FN void kecs_sync__hub_common(kecs_pg__text *out, const kecs_pg__connection *connection, const char *version);

/* sync_put_TABLE, sync_load_TABLE and sync_bury_TABLE; in the place of earlier ones. */
KECS_PG__FN void kecs_sync__hub_kind(kecs_pg__text *out, const kecs_pg__connection *connection,
                                     const kecs_kind_info *info);

/* sync_stage_TABLE, which makes the table that a kind's rows are copied to; and the beginning of sync_load_TABLE, with
 * variables of its body (hub_load.c). */
#define KECS_SYNC__COPIED "pg_temp.sync_sent_{t}"
KECS_PG__FN void kecs_sync__hub_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                     const char *variables);

/* The columns of that table before and behind the kind's own. */
#define KECS_SYNC__COPIED_FIRST "s_key,s_mask,stamp_life,site_life,stamp_spec,site_spec,stamp_status,site_status"
#define KECS_SYNC__COPIED_LAST "s_place"

/* sync_append_TABLE, for a kind that only grows (hub_append.c). */
KECS_PG__FN void kecs_sync__hub_append(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info);

/* What is special to a kind (hub_kinds.c), as forms for the places of sync_put_TABLE and sync_bury_TABLE. */
enum {
  KECS_SYNC__CLAIM,   /* before conflicts are noted: takes places out of `every` */
  KECS_SYNC__KNOWN,   /* what else must hold where a later life takes a row */
  KECS_SYNC__AGAIN,   /* tried after the rows could not be merged together: empties `every` where it has done it */
  KECS_SYNC__CROSSED, /* after rows were merged by themselves: what else can be done for those in `crossed` */
  KECS_SYNC__MERGED,  /* after all */
  KECS_SYNC__GONE,    /* after a deletion */
  KECS_SYNC__SPECIALS
};
KECS_PG__FN const char *kecs_sync__hub_part(kecs_kind kind, int part);

/* An expression over `u` for a local column that says what others say; NULL for any other. */
KECS_PG__FN const char *kecs_sync__hub_derived(const kecs_kind_info *info, const kecs_column_info *column);

/* Whether a rule refuses what came for a group, as "|CASE ...": 0 is spec, 1 status. `other`: the kind has both groups.
 * And the functions for that (hub_policy.c). */
KECS_PG__FN void kecs_sync__hub_rules(kecs_pg__text *out, int group, bool other);
KECS_PG__FN void kecs_sync__hub_policies(kecs_pg__text *out, const kecs_pg__connection *connection);

/* Functions that these forms call. */
KECS_PG__FN void kecs_sync__hub_helpers(kecs_pg__text *out, const kecs_pg__connection *connection);

/* A natural key's text (kecs_change.key) over the columns of a row `alias`. */
KECS_PG__FN void kecs_sync__key_text(kecs_pg__text *out, const kecs_kind_info *info, const char *alias);

/* The retention of tombstones, unless it is set already; what tells that the history is another one. */
KECS_PG__FN void kecs_sync__hub_retention(kecs_pg__text *out, const kecs_pg__connection *connection);

/* sync_bucket; sync_digest_TABLE and sync_compare_TABLE (hub_repair.c). */
KECS_PG__FN void kecs_sync__hub_buckets(kecs_pg__text *out, const kecs_pg__connection *connection);
KECS_PG__FN void kecs_sync__hub_repair(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info);

/* sync_scope, with {S} as it is (hub_owner.c). */
KECS_PG__FN void kecs_sync__hub_owner(kecs_pg__text *out);

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
KECS_PG__FN void kecs_sync__scope_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info);
KECS_PG__FN void kecs_sync__scope_bury(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                       const char *buried);
KECS_PG__FN void kecs_sync__scope_append(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                         const char *sent);

/* A column's type at the hub. */
KECS_PG__FN const char *kecs_sync__type(const kecs_column_info *column);

/* Whether a column travels; whether it came after the first release, so that sites may not know it; and its default, as
 * SQL. */
KECS_PG__FN bool kecs_sync__travels(const kecs_column_info *column);
KECS_PG__FN bool kecs_sync__later_column(const kecs_column_info *column);
KECS_PG__FN void kecs_sync__default(kecs_pg__text *out, const kecs_column_info *column);

/* What the functions must be made for: their own format, and the kinds' columns. */
enum { KECS_SYNC__VERSION_SIZE = 160, KECS_SYNC__FORMAT = 9 };
KECS_PG__FN void kecs_sync__version(char out[KECS_SYNC__VERSION_SIZE]);

#endif
