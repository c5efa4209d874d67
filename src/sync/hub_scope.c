/* sync/hub_scope.c -- the texts of scopes at the hub: whom a site may exchange rows of, and what a site reads.
 *
 * A key says what its row belongs to, so a row never moves and a tombstone needs nothing beside its key: sync_scope
 * gives the cluster that an ARN names, or "-" where there is none. What a site sends is looked at before anything else
 * is; what it reads, it reads by functions that leave out the rest. Where a site has the whole tenant, neither costs
 * anything. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"
#include "sync/internal.h"

#include "pg/log_sql.h"

#include <stdio.h>
#include <string.h>

static const char kecs_sync__grants_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_grants(tenant {text} NOT NULL,site {text} NOT NULL,cluster {text} NOT NULL,\n"
    "PRIMARY KEY(tenant,site,cluster));\n"
    "ALTER TABLE {S}sync_sites ADD COLUMN IF NOT EXISTS wanted text[];\n"
    /* A site's name without what a copied file puts behind it: grants and tokens hold for both. */
    "CREATE OR REPLACE FUNCTION {S}sync_base(who text) RETURNS text LANGUAGE sql IMMUTABLE AS $kecs_sync$\n"
    "  SELECT CASE WHEN who ~ '#[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]$'\n"
    "    THEN left(who,-9) ELSE who END\n"
    "$kecs_sync$;\n"
    /* NULL: the whole tenant. */
    "CREATE OR REPLACE FUNCTION {S}sync_granted(whose text,site_name text) RETURNS text[] LANGUAGE plpgsql STABLE\n"
    "AS $kecs_sync$\n" /* in SQL it would be planned anew with each call */
    "BEGIN\n"
    "  RETURN (SELECT array_agg(g.cluster::text) FROM {S}sync_grants g WHERE g.tenant=whose AND g.site=site_name);\n"
    "END $kecs_sync$;\n"
    /* Clusters by their ARNs and by their bare names. */
    "CREATE OR REPLACE FUNCTION {S}sync_named(scopes text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS $kecs_sync$\n"
    "  SELECT scopes||ARRAY(SELECT substring(x from 'cluster/.*$') FROM unnest(scopes) AS x WHERE x LIKE "
    "'%:cluster/%')\n"
    "$kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_allowed(whose text,me bigint) RETURNS text[] LANGUAGE plpgsql STABLE\n"
    "AS $kecs_sync$\n"
    "DECLARE\n"
    "  site_name text;\n"
    "  asked text[];\n"
    "  scopes text[];\n"
    "BEGIN\n"
    "  SELECT {S}sync_base(s.name),s.wanted INTO site_name,asked FROM {S}sync_sites s WHERE s.tenant=whose AND "
    "s.site=me;\n"
    "  IF site_name IS NULL THEN\n"
    "    RETURN ARRAY[]::text[];\n"
    "  END IF;\n"
    "  scopes := {S}sync_granted(whose,site_name);\n"
    "  IF scopes IS NULL THEN\n"
    "    scopes := asked;\n"
    "  ELSIF asked IS NOT NULL THEN\n"
    "    scopes := ARRAY(SELECT unnest(scopes) INTERSECT SELECT unnest(asked));\n"
    "  END IF;\n"
    "  RETURN CASE WHEN scopes IS NOT NULL THEN {S}sync_named(scopes) END;\n"
    "END $kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_sees(whose text,me bigint,kind bigint,key text) RETURNS boolean LANGUAGE sql\n"
    "STABLE AS $kecs_sync$\n"
    "  SELECT (SELECT {S}sync_allowed(whose,me)) IS NULL OR\n"
    "    {S}sync_scope(kind,key)=ANY((SELECT {S}sync_allowed(whose,me))::text[])\n"
    "$kecs_sync$;\n"
    /* What the site narrows itself to is kept; the answer is what it has from now on: "*", or names in their order. */
    "CREATE OR REPLACE FUNCTION {S}sync_scopes(whose text,who text,asked text[]) RETURNS text LANGUAGE plpgsql\n"
    "AS $kecs_sync$\n"
    "DECLARE\n"
    "  number bigint;\n"
    "  scopes text[];\n"
    "BEGIN\n"
    "  UPDATE {S}sync_sites s SET wanted=asked WHERE s.tenant=whose AND s.name=who AND s.wanted IS DISTINCT FROM "
    "asked;\n"
    "  SELECT s.site INTO number FROM {S}sync_sites s WHERE s.tenant=whose AND s.name=who;\n"
    "  scopes := {S}sync_allowed(whose,number);\n"
    "  RETURN CASE WHEN scopes IS NULL THEN '*' ELSE coalesce((SELECT string_agg(x,' ' ORDER BY x COLLATE \"C\")\n"
    "    FROM unnest(scopes) AS x WHERE x<>'' AND x NOT LIKE 'cluster/%'),'') END;\n"
    "END $kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_number(whose text,who text) RETURNS bigint LANGUAGE sql AS $kecs_sync$\n"
    "  SELECT {S}change_number(whose)\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_told;\n"
    "CREATE FUNCTION {S}sync_told(whose text,who text) RETURNS TABLE(r_kind bigint,r_key text,r_code text)\n"
    "LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT r.kind,r.key,r.code FROM {S}sync_refused r JOIN {S}sync_sites s ON s.tenant=r.tenant AND s.site=r.site\n"
    "  WHERE r.tenant=whose AND s.name=who\n"
    "$kecs_sync$;\n";

/* ---- what a site reads ---- */

#define KECS_SYNC__ALL "(SELECT {S}sync_allowed(whose,me)) IS NULL"
#define KECS_SYNC__IN(kind, key) "{S}sync_scope(" kind "," key ")=ANY((SELECT {S}sync_allowed(whose,me))::text[])"
#define KECS_SYNC__SEEN "(" KECS_SYNC__ALL " OR (" KECS_SYNC__IN("{kind}", "{owner}") "{parents}))"
#define KECS_SYNC__SEEN_GRAVE "(" KECS_SYNC__ALL " OR " KECS_SYNC__IN("x.kind", "x.key") ")"

#define KECS_SYNC__WINDOW                                                                                  \
  "t.rid IN(SELECT c.rid FROM {S}changes c WHERE c.tenant=whose AND c.seq>since AND c.seq<=upto AND c.kind={kind})"

/* Of rows that were not created in a window only the groups that were written. */
#define KECS_SYNC__WRITTEN                                                                                           \
  "TABLE({columns},r_groups bigint) LANGUAGE sql STABLE AS $kecs_sync$\n  SELECT {written},t.rid,w.g FROM (SELECT "   \
  "c.rid,bit_or(c.groups) AS g FROM {S}changes c\n  WHERE c.tenant=whose AND c.seq>since AND c.seq<=upto AND c.kind=" \
  "{kind} GROUP BY c.rid) w,{S}{t} t\n  WHERE t.tenant=whose AND t.rid=w.rid AND "

#define KECS_SYNC__ROWS                                                                                       \
  "TABLE({columns}) LANGUAGE sql STABLE AS $kecs_sync$\n  SELECT {list} FROM {S}{t} t WHERE t.tenant=whose AND "

#define KECS_SYNC__GRAVES_OF                                                                                   \
  "TABLE(r_key text,r_stamp bigint,r_site bigint) LANGUAGE sql STABLE AS $kecs_sync$\n"                        \
  "  SELECT g.key,g.stamp,g.site FROM (SELECT DISTINCT ON(x.key) x.key,x.stamp,coalesce(x.site,0) AS site\n"   \
  "    FROM {S}change_tombstones x WHERE x.tenant=whose AND x.kind={kind} AND "                               \
  KECS_SYNC__SEEN_GRAVE " AND NOT EXISTS(\n"                                                                   \
  "    SELECT FROM {S}{t} t WHERE t.tenant=whose AND {key}=x.key) AND "

#define KECS_SYNC__LATEST " ORDER BY x.key,x.stamp DESC,coalesce(x.site,0) DESC) g"

static const char kecs_sync__read_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_rows_{t};\n"
    "CREATE FUNCTION {S}sync_rows_{t}(whose text,me bigint,since bigint,upto bigint) RETURNS " KECS_SYNC__WRITTEN
    KECS_SYNC__SEEN "\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_found_{t};\n"
    "CREATE FUNCTION {S}sync_found_{t}(whose text,me bigint,a_key text[]) RETURNS " KECS_SYNC__ROWS
    "{key}=ANY(a_key) AND " KECS_SYNC__SEEN "\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_page_{t};\n"
    "CREATE FUNCTION {S}sync_page_{t}(whose text,me bigint,since bigint,room bigint,buckets bigint[],scopes text[])\n"
    "RETURNS " KECS_SYNC__ROWS "t.rid>since AND " KECS_SYNC__SEEN
    "\n  AND (buckets IS NULL OR {S}sync_bucket({key})=ANY(buckets))\n"
    "  AND (scopes IS NULL OR {S}sync_scope({kind},{owner})=ANY(scopes)) ORDER BY t.rid LIMIT room\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_graves_{t};\n"
    "CREATE FUNCTION {S}sync_graves_{t}(whose text,me bigint,since bigint,upto bigint) RETURNS " KECS_SYNC__GRAVES_OF
    "x.seq>since AND x.seq<=upto" KECS_SYNC__LATEST "{moved}\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_buried_{t};\n"
    "CREATE FUNCTION {S}sync_buried_{t}(whose text,me bigint,a_key text[]) RETURNS " KECS_SYNC__GRAVES_OF
    "x.key=ANY(a_key)" KECS_SYNC__LATEST "\n"
    "$kecs_sync$;\n";

/* A row whose key is the site's and that refers to what is not, is none of the site's: its life ends the one before. */
static const char kecs_sync__moved_form[] =
    "\n  UNION ALL SELECT {key},t.stamp_life,coalesce(t.site_life,0) FROM {S}{t} t WHERE t.tenant=whose AND\n"
    "    NOT (" KECS_SYNC__ALL ") AND " KECS_SYNC__WINDOW " AND " KECS_SYNC__IN("{kind}", "{owner}") "\n"
    "    AND NOT (true{parents})";

/* What a row belongs to, for policies (docs/postgresql/sync_roles.sql): they hold on to these functions, so these are
 * replaced and not made anew. */
static const char kecs_sync__owner_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_owner_{t}(t {S}{t}) RETURNS text LANGUAGE sql IMMUTABLE AS $kecs_sync$\n"
    "  SELECT {S}sync_scope({kind},{owner})\n"
    "$kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_inside_{t}(t {S}{t},scopes text[]) RETURNS boolean LANGUAGE sql IMMUTABLE\n"
    "AS $kecs_sync$\n"
    "  SELECT {S}sync_scope({kind},{owner})=ANY(scopes){parents}\n"
    "$kecs_sync$;\n";

/* What is no kind's alone. `pairs`: kind*1024+bucket, or NULL. */
static const char kecs_sync__tombs_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_counters;\n"
    "CREATE FUNCTION {S}sync_counters(whose text,me bigint) RETURNS TABLE(r_account_id text,r_region text,\n"
    "r_family text,r_last_revision bigint) LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT f.account_id,f.region,f.family,f.last_revision FROM {S}task_definition_families f\n"
    "  WHERE f.tenant=whose AND {S}sync_sees(whose,me,0,'-') AND f.last_revision>coalesce((SELECT d.revision\n"
    "  FROM {S}task_definitions d WHERE\n"
    "  d.tenant=whose AND d.account_id=f.account_id AND d.region=f.region AND d.family=f.family\n"
    "  ORDER BY d.revision DESC LIMIT 1),0)\n"
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_tombs;\n"
    "CREATE FUNCTION {S}sync_tombs(whose text,me bigint,since bigint,room bigint,pairs bigint[],scopes text[])\n"
    "RETURNS TABLE(r_key text,r_stamp bigint,r_site bigint,r_kind bigint,r_seq bigint) LANGUAGE sql STABLE\n"
    "AS $kecs_sync$\n"
    "  SELECT x.key,x.stamp,coalesce(x.site,0),x.kind,x.seq FROM {S}change_tombstones x WHERE x.tenant=whose AND\n"
    "  x.seq>since AND " KECS_SYNC__SEEN_GRAVE " AND (scopes IS NULL OR {S}sync_scope(x.kind,x.key)=ANY(scopes))\n"
    "  AND (pairs IS NULL OR x.kind*1024+{S}sync_bucket(x.key)=ANY(pairs)) ORDER BY x.seq LIMIT room\n"
    "$kecs_sync$;\n";

/* ---- what a site sends ---- */

/* What is outside is refused, and nothing of it goes further. */
static const char kecs_sync__put_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,me);\n"
    "    outside bigint[];\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      outside := ARRAY(SELECT u.s_place FROM {sent} WHERE NOT coalesce(u.s_key={key} AND\n"
    "        {S}sync_scope({kind},{key})=ANY(allowed){parents},false));\n"
    "      INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,me,{kind},a_key[o],'KS005'\n"
    "        FROM unnest(outside) AS o ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "    END IF;\n"
    "    IF cardinality(outside)>0 THEN\n"
    "      SELECT {kept} INTO {arrays} FROM {sent} WHERE u.s_place<>ALL(outside);\n"
    "      IF a_key IS NULL THEN\n"
    "        RETURN;\n"
    "      END IF;\n"
    "    END IF;\n"
    "  END;\n";

/* The same for rows that were copied: what is left has places without gaps. */
static const char kecs_sync__load_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,me);\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      WITH outside AS (DELETE FROM {sent} u WHERE NOT coalesce(u.s_key={key} AND\n"
    "        {S}sync_scope({kind},{key})=ANY(allowed){parents},false) RETURNING u.s_key)\n"
    "      INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,me,{kind},o.s_key,'KS005'\n"
    "        FROM outside o ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "      IF FOUND THEN\n"
    "        UPDATE {sent} u SET s_place=n.place FROM (SELECT s.ctid AS at,row_number() OVER (ORDER BY s.s_place)\n"
    "          AS place FROM {sent} s) n WHERE u.ctid=n.at;\n"
    "      END IF;\n"
    "    END IF;\n"
    "  END;\n";

/* A deletion may bear another site's number: who sends it is said apart. */
static const char kecs_sync__bury_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,current_setting('kecs_store.sender')::bigint);\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,\n"
    "        current_setting('kecs_store.sender')::bigint,{kind},u.s_key,'KS005'\n"
    "        FROM {sent} WHERE NOT coalesce(u.s_key={key} AND {S}sync_scope({kind},{key})=ANY(allowed),false)\n"
    "        ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "      SELECT {kept} INTO {arrays} FROM {sent} WHERE u.s_key={key} AND "
    "{S}sync_scope({kind},{key})=ANY(allowed);\n"
    "      IF a_key IS NULL THEN\n"
    "        RETURN;\n"
    "      END IF;\n"
    "    END IF;\n"
    "  END;\n";

static const char kecs_sync__append_scope_form[] =
    "  DECLARE\n"
    "    allowed text[] := {S}sync_allowed(whose,me);\n"
    "  BEGIN\n"
    "    IF allowed IS NOT NULL THEN\n"
    "      RETURN QUERY SELECT {key}::text,'KS005'::text,row_to_json(u)::text FROM {sent} WHERE\n"
    "        NOT coalesce({S}sync_scope({kind},{owner})=ANY(allowed),false);\n"
    "      SELECT {kept} INTO {arrays} FROM {sent} WHERE {S}sync_scope({kind},{owner})=ANY(allowed);\n"
    "    END IF;\n"
    "  END;\n";

enum { KECS_SYNC__SCOPE_NAME = 72 /* bytes of an argument's name */ };

enum {
  KECS_SYNC__SCOPE_KEY,
  KECS_SYNC__SCOPE_OWNER,
  KECS_SYNC__SCOPE_PARENTS,
  KECS_SYNC__SCOPE_LIST,
  KECS_SYNC__SCOPE_WRITTEN,
  KECS_SYNC__SCOPE_COLUMNS,
  KECS_SYNC__SCOPE_MOVED,
  KECS_SYNC__SCOPE_KEPT,
  KECS_SYNC__SCOPE_ARRAYS,
  KECS_SYNC__SCOPE_PARTS
};

typedef struct kecs_sync__scope_sql {
  const kecs_kind_info *info;
  const char *schema;
  const char *sent;
  char kind[16];
  kecs_pg__text part[KECS_SYNC__SCOPE_PARTS];
} kecs_sync__scope_sql;

/* What says what a row belongs to: its key. What only grows has a key that says nothing, and names what it is about. */
static void kecs_sync__scope_owner(kecs_sync__scope_sql *sql, const char *alias) {
  const char *name = NULL;
  for (int i = 0; kecs_sync__only_grows(sql->info) && i < sql->info->column_count; i++) {
    const char *column = sql->info->columns[i].name;
    name = strcmp(column, "task_arn") == 0 || strcmp(column, "resource_arn") == 0 ? column : name;
  }
  const kecs_pg__mark marks[] = {{"a", alias}, {"c", name ? name : ""}, {NULL, NULL}};
  if (name) {
    kecs_pg__text_fill(&sql->part[KECS_SYNC__SCOPE_OWNER], "{a}.{c}", marks);
  } else {
    kecs_sync__key_text(&sql->part[KECS_SYNC__SCOPE_OWNER], sql->info, alias);
  }
}

static void kecs_sync__scope_begin(kecs_sync__scope_sql *sql, const kecs_allocator *allocator, const char *schema,
                                   const kecs_kind_info *info, const char *alias) {
  memset(sql, 0, sizeof *sql);
  sql->info = info;
  sql->schema = schema;
  sql->sent = "";
  snprintf(sql->kind, sizeof sql->kind, "%d", (int)info->kind);
  for (int i = 0; i < KECS_SYNC__SCOPE_PARTS; i++) {
    sql->part[i].allocator = allocator;
  }
  kecs_sync__key_text(&sql->part[KECS_SYNC__SCOPE_KEY], info, alias);
  kecs_sync__scope_owner(sql, alias);
}

static const char *kecs_sync__scope_part(const kecs_sync__scope_sql *sql, int part) {
  return sql->part[part].data ? sql->part[part].data : "";
}

static void kecs_sync__scope_fill(kecs_pg__text *out, const kecs_sync__scope_sql *sql, const char *form) {
  const kecs_pg__mark marks[] = {{"S", sql->schema},
                                 {"t", sql->info->table},
                                 {"kind", sql->kind},
                                 {"sent", sql->sent},
                                 {"key", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEY)},
                                 {"owner", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_OWNER)},
                                 {"parents", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_PARENTS)},
                                 {"list", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_LIST)},
                                 {"written", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_WRITTEN)},
                                 {"columns", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_COLUMNS)},
                                 {"moved", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_MOVED)},
                                 {"kept", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEPT)},
                                 {"arrays", kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_ARRAYS)},
                                 {NULL, NULL}};
  for (int i = 0; i < KECS_SYNC__SCOPE_PARTS; i++) {
    out->status = out->status ? out->status : sql->part[i].status;
  }
  kecs_pg__text_fill(out, form, marks);
}

static void kecs_sync__scope_end(kecs_sync__scope_sql *sql) {
  for (int i = 0; i < KECS_SYNC__SCOPE_PARTS; i++) {
    kecs_pg__text_free(&sql->part[i]);
  }
}

/* Whether a column's value is the key of a row that this one belongs to. */
static bool kecs_sync__refers(const kecs_kind_info *info, int column) {
  bool refers = strcmp(info->columns[column].name, "cluster_arn") == 0 ||
                strcmp(info->columns[column].name, "service_arn") == 0;
  for (int i = 0; i < info->reference_count; i++) {
    refers = refers || info->references[i].column == column;
  }
  return refers && kecs_sync__travels(&info->columns[column]);
}

/* " AND (...)" for each reference: what is referred to must be in the scope, too. {allowed} is an array. */
static void kecs_sync__scope_parents(kecs_sync__scope_sql *sql, const char *alias, const char *allowed) {
  for (int i = 0; i < sql->info->column_count; i++) {
    const kecs_pg__mark marks[] = {
        {"S", sql->schema}, {"a", alias}, {"c", sql->info->columns[i].name}, {"allowed", allowed}, {NULL, NULL}};
    if (kecs_sync__refers(sql->info, i)) {
      kecs_pg__text_fill(&sql->part[KECS_SYNC__SCOPE_PARENTS],
                         " AND (coalesce({a}.{c},'')='' OR {S}sync_scope(0,{a}.{c})=ANY({allowed}))", marks);
    }
  }
}

/* Key, stamps with their sites, columns, rid: as kecs_sync__apply_rows reads them. `bits` are those of the log's groups
 * that a value goes with in a window: of the life, and its own. */
static void kecs_sync__scope_list(kecs_sync__scope_sql *sql) {
  static const struct {
    const char *name;
    const char *bits;
    kecs_column_group group;
  } stamps[] = {{"life", "15", KECS_GROUP_KEY}, {"spec", "3", KECS_GROUP_SPEC}, {"status", "5", KECS_GROUP_STATUS}};
  kecs_pg__text *list = &sql->part[KECS_SYNC__SCOPE_LIST];
  kecs_pg__text *written = &sql->part[KECS_SYNC__SCOPE_WRITTEN];
  kecs_pg__text *columns = &sql->part[KECS_SYNC__SCOPE_COLUMNS];
  kecs_pg__text_adds(list, kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEY));
  kecs_pg__text_adds(written, kecs_sync__scope_part(sql, KECS_SYNC__SCOPE_KEY));
  kecs_pg__text_adds(columns, "r_key text");
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
    const kecs_pg__mark marks[] = {{"n", stamps[i].name}, {"bits", stamps[i].bits}, {NULL, NULL}};
    bool has = false;
    for (int c = 0; !kecs_sync__only_grows(sql->info) && c < sql->info->column_count; c++) {
      has = has || sql->info->columns[c].group == (unsigned)stamps[i].group;
    }
    kecs_pg__text_fill(list,
                       has ? ",coalesce(t.stamp_{n},0),coalesce(t.site_{n},0)" : ",0::bigint,0::bigint", marks);
    kecs_pg__text_fill(written,
                       has ? ",CASE WHEN w.g&{bits}<>0 THEN coalesce(t.stamp_{n},0) ELSE 0 END,CASE WHEN w.g&{bits}<>0 "
                             "THEN coalesce(t.site_{n},0) ELSE 0 END"
                           : ",0::bigint,0::bigint",
                       marks);
    kecs_pg__text_fill(columns, ",r_{n} bigint,r_{n}_site bigint", marks);
  }
  for (int i = 0; i < sql->info->column_count; i++) {
    const kecs_column_info *column = &sql->info->columns[i];
    const char *bits = column->group == KECS_GROUP_SPEC ? "3" : column->group == KECS_GROUP_STATUS ? "5" : "1";
    const kecs_pg__mark marks[] = {
        {"c", column->name}, {"type", kecs_sync__type(column)}, {"bits", bits}, {NULL, NULL}};
    if (kecs_sync__travels(column)) {
      kecs_pg__text_fill(list, ",t.{c}", marks);
      kecs_pg__text_fill(written, ",CASE WHEN w.g&{bits}<>0 THEN t.{c} END", marks);
      kecs_pg__text_fill(columns, ",\"{c}\" {type}", marks);
    }
  }
  kecs_pg__text_adds(list, ",t.rid");
  kecs_pg__text_adds(columns, ",r_rid bigint");
}

KECS_PG__FN void kecs_sync__hub_scopes(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__text form = {connection->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"S", "{S}"}, {"text", "{text}"}, {NULL, NULL}};
  kecs_sync__hub_owner(&form);
  kecs_pg__text_fill(&form, kecs_sync__grants_form, marks);
  kecs_pg__text_adds(&form, kecs_sync__tombs_form);
  if (!form.status) {
    kecs_pg__log_text(out, connection, form.data);
  }
  out->status = out->status ? out->status : form.status;
  kecs_pg__text_free(&form);
}

KECS_PG__FN void kecs_sync__hub_reads(kecs_pg__text *out, const kecs_pg__connection *connection,
                                      const kecs_kind_info *info) {
  kecs_sync__scope_sql sql;
  kecs_pg__text allowed = {connection->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {NULL, NULL}};
  kecs_sync__scope_begin(&sql, connection->allocator, connection->home->schema, info, "t");
  kecs_pg__text_fill(&allowed, "(SELECT {S}sync_allowed(whose,me))::text[]", marks);
  out->status = out->status ? out->status : allowed.status;
  if (!out->status) {
    kecs_sync__scope_parents(&sql, "t", allowed.data);
    kecs_sync__scope_list(&sql);
    if (sql.part[KECS_SYNC__SCOPE_PARENTS].len > 0) {
      kecs_sync__scope_fill(&sql.part[KECS_SYNC__SCOPE_MOVED], &sql, kecs_sync__moved_form);
    }
    kecs_sync__scope_fill(out, &sql, kecs_sync__read_form);
    kecs_pg__text_free(&sql.part[KECS_SYNC__SCOPE_PARENTS]);
    kecs_sync__scope_parents(&sql, "t", "scopes");
    kecs_sync__scope_fill(out, &sql, kecs_sync__owner_form);
  }
  kecs_pg__text_free(&allowed);
  kecs_sync__scope_end(&sql);
}

/* One of the arguments that are arrays, with the name that its elements have. */
static void kecs_sync__scope_keep(kecs_sync__scope_sql *sql, const char *array, const char *element,
                                  const char *order) {
  kecs_pg__text *arrays = &sql->part[KECS_SYNC__SCOPE_ARRAYS];
  const char *between = arrays->len > 0 ? "," : "";
  const kecs_pg__mark marks[] = {
      {"b", between}, {"a", array}, {"e", element}, {"order", order}, {NULL, NULL}};
  kecs_pg__text_fill(&sql->part[KECS_SYNC__SCOPE_KEPT], "{b}array_agg(u.{e}{order})", marks);
  kecs_pg__text_fill(arrays, "{b}{a}", marks);
}

KECS_PG__FN void kecs_sync__scope_put(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                      const char *sent) {
  static const char *const fixed[][2] = {{"a_key", "s_key"},         {"a_mask", "s_mask"},
                                         {"a_life", "stamp_life"},   {"a_life_site", "site_life"},
                                         {"a_spec", "stamp_spec"},   {"a_spec_site", "site_spec"},
                                         {"a_status", "stamp_status"}, {"a_status_site", "site_status"}};
  kecs_sync__scope_sql sql;
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  sql.sent = sent;
  kecs_sync__scope_parents(&sql, "u", "allowed");
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
    kecs_sync__scope_keep(&sql, fixed[i][0], fixed[i][1], " ORDER BY u.s_place");
  }
  for (int i = 0; i < info->column_count; i++) {
    char array[KECS_SYNC__SCOPE_NAME];
    snprintf(array, sizeof array, "c_%s", info->columns[i].name);
    if (kecs_sync__travels(&info->columns[i])) {
      kecs_sync__scope_keep(&sql, array, info->columns[i].name, " ORDER BY u.s_place");
    }
  }
  kecs_sync__scope_fill(out, &sql, kecs_sync__put_scope_form);
  kecs_sync__scope_end(&sql);
}

KECS_PG__FN void kecs_sync__scope_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info) {
  kecs_sync__scope_sql sql;
  kecs_pg__text copied = {out->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark marks[] = {{"t", info->table}, {NULL, NULL}};
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  kecs_sync__scope_parents(&sql, "u", "allowed");
  kecs_pg__text_fill(&copied, KECS_SYNC__COPIED, marks);
  out->status = out->status ? out->status : copied.status;
  if (!out->status) {
    sql.sent = copied.data;
    kecs_sync__scope_fill(out, &sql, kecs_sync__load_scope_form);
  }
  kecs_pg__text_free(&copied);
  kecs_sync__scope_end(&sql);
}

KECS_PG__FN void kecs_sync__scope_bury(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                       const char *buried) {
  kecs_sync__scope_sql sql;
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  sql.sent = buried;
  kecs_sync__scope_keep(&sql, "a_key", "s_key", "");
  kecs_sync__scope_keep(&sql, "a_stamp", "s_stamp", "");
  for (int i = 0; i < info->keys[0].count; i++) {
    const char *name = info->columns[info->keys[0].columns[i]].name;
    char array[KECS_SYNC__SCOPE_NAME];
    snprintf(array, sizeof array, "c_%s", name);
    kecs_sync__scope_keep(&sql, array, name, "");
  }
  kecs_sync__scope_fill(out, &sql, kecs_sync__bury_scope_form);
  kecs_sync__scope_end(&sql);
}

KECS_PG__FN void kecs_sync__scope_append(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                         const char *sent) {
  kecs_sync__scope_sql sql;
  kecs_sync__scope_begin(&sql, out->allocator, schema, info, "u");
  sql.sent = sent;
  for (int i = 0; i < info->column_count; i++) {
    char array[KECS_SYNC__SCOPE_NAME];
    snprintf(array, sizeof array, "c_%s", info->columns[i].name);
    if (kecs_sync__travels(&info->columns[i])) {
      kecs_sync__scope_keep(&sql, array, info->columns[i].name, "");
    }
  }
  kecs_sync__scope_fill(out, &sql, kecs_sync__append_scope_form);
  kecs_sync__scope_end(&sql);
}
