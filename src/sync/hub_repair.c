/* sync/hub_repair.c -- what a hub answers when all is compared: digests by kind and bucket, and what it has of a key.
 *
 * A row's bucket is hash(key) mod 1024; a bucket's digest is the sum of hash(key, stamps) of its rows. Every server and
 * every edge reckons them alike: the hash is MD5 over UTF-8, of which a bucket takes the first 3 hexadecimal digits and
 * a row the first 15, so that the sums go as whole numbers modulo 2^60 (digest.c is the other side). Sums, since only
 * newer servers have an aggregate for XOR. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include "pg/log_sql.h"

#include <stdio.h>
#include <string.h>

static const char kecs_sync__bucket_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_bucket(key text) RETURNS integer LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT ('x'||substr(md5(convert_to(key,'UTF8')),1,3))::bit(12)::integer&1023\n"
    "$kecs_sync$;\n";

static const char kecs_sync__digest_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_digest_{t};\n"
    "CREATE FUNCTION {S}sync_digest_{t}(whose text,me bigint) RETURNS TABLE(bucket integer,digest bigint)\n"
    "LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  SELECT y.b,mod(sum(y.h),1152921504606846976)::bigint FROM (SELECT {S}sync_bucket(x.k) AS b,\n"
    "    ('x'||substr(md5(convert_to(x.k||x.s,'UTF8')),1,15))::bit(60)::bigint AS h\n"
    "    FROM (SELECT {key} AS k,{stamps} AS s FROM {S}{t} t WHERE t.tenant=whose) x WHERE {S}sync_sees(whose,me,\n"
    "    {kind},x.k)) y GROUP BY y.b\n"
    "$kecs_sync$;\n";

/* For each key, in their order: the row's stamps, the latest tombstone, numbered or not, and up to which stamp the site
 * that began the life has brought all of its own. */
static const char kecs_sync__compare_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_compare_{t};\n"
    "CREATE FUNCTION {S}sync_compare_{t}(whose text,me bigint,a_key text[],a_site bigint[]{arguments})\n"
    "RETURNS TABLE(here boolean,life bigint,life_site bigint,spec bigint,spec_site bigint,status bigint,\n"
    "status_site bigint,grave bigint,grave_site bigint,brought bigint) LANGUAGE sql STABLE AS $kecs_sync$\n"
    "  WITH u AS (SELECT * FROM unnest(a_key,a_site{arrays}) WITH ORDINALITY AS v(s_key,s_site{names},s_place)),\n"
    "  graves AS (SELECT x.key,x.stamp,coalesce(x.site,0) AS site FROM {S}change_tombstones x WHERE x.tenant=whose\n"
    "    AND x.kind={kind} AND x.key=ANY(a_key) UNION ALL SELECT q.key,q.stamp,coalesce(q.site,0)\n"
    "    FROM {S}change_queue q WHERE q.tenant=whose AND q.kind={kind} AND q.op=3 AND q.key=ANY(a_key)),\n"
    "  latest AS (SELECT DISTINCT ON (d.key) d.key,d.stamp,d.site FROM graves d ORDER BY d.key,d.stamp DESC,d.site "
    "DESC)\n"
    "  SELECT t.rid IS NOT NULL,{columns},coalesce(g.stamp,0),coalesce(g.site,0),coalesce(s.acked,0)\n"
    "    FROM (SELECT u.*,{S}sync_sees(whose,me,{kind},u.s_key) AS s_seen FROM u) u\n"
    "    LEFT JOIN {S}{t} t ON t.tenant=whose{same} AND u.s_seen LEFT JOIN latest g ON g.key=u.s_key AND "
    "u.s_seen\n"
    "    LEFT JOIN {S}sync_sites s ON s.tenant=whose AND s.site=u.s_site AND u.s_seen ORDER BY u.s_place\n"
    "$kecs_sync$;\n";

/* 10 and 11 are rows of change_state (store/feed.h). Which server and timeline it is: a promoted standby and a restored
 * one have another. Where that can't be told, edges do when they find their cursor on another history. */
static const char kecs_sync__retention_form[] =
    "INSERT INTO {S}change_state(tenant,id,value) VALUES({T},10,7776000000000) ON CONFLICT DO NOTHING;\n"
    "ALTER TABLE {S}sync_hubs ADD COLUMN IF NOT EXISTS history text;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_changed(whose text) RETURNS void LANGUAGE sql AS $kecs_sync$\n"
    "  INSERT INTO {S}change_state(tenant,id,value) VALUES(whose,11,\n"
    "    (date_part('epoch',clock_timestamp())*1000000)::bigint)\n"
    "    ON CONFLICT(tenant,id) DO UPDATE SET value=excluded.value\n"
    "$kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_history(whose text) RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "DECLARE\n"
    "  present text;\n"
    "  known text;\n"
    "BEGIN\n"
    "  BEGIN\n"
    "    SELECT system_identifier||'/'||substr(pg_walfile_name(pg_current_wal_lsn()),1,8) INTO present\n"
    "      FROM pg_control_system();\n"
    "  EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_function OR\n"
    "    object_not_in_prerequisite_state THEN\n"
    "    RETURN;\n"
    "  END;\n"
    "  SELECT h.history INTO known FROM {S}sync_hubs h WHERE h.tenant=whose;\n"
    "  IF known IS DISTINCT FROM present THEN\n"
    "    UPDATE {S}sync_hubs h SET history=present WHERE h.tenant=whose;\n"
    "    IF known IS NOT NULL THEN\n"
    "      PERFORM {S}sync_changed(whose);\n"
    "    END IF;\n"
    "  END IF;\n"
    "END $kecs_sync$;\n";

enum {
  KECS_SYNC__REPAIR_KEY,
  KECS_SYNC__REPAIR_STAMPS,
  KECS_SYNC__REPAIR_COLUMNS,
  KECS_SYNC__REPAIR_ARGUMENTS,
  KECS_SYNC__REPAIR_ARRAYS,
  KECS_SYNC__REPAIR_NAMES,
  KECS_SYNC__REPAIR_SAME,
  KECS_SYNC__REPAIR_PARTS
};

/* "'|'||life||','||site||..." and "life,site,...": 0 where the kind has no such group, or nothing was written. */
static void kecs_sync__repair_stamps(kecs_pg__text *parts, const kecs_kind_info *info) {
  static const struct {
    const char *name;
    kecs_column_group group;
  } stamps[] = {{"life", KECS_GROUP_KEY}, {"spec", KECS_GROUP_SPEC}, {"status", KECS_GROUP_STATUS}};
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
    bool has = i == 0;
    for (int c = 0; c < info->column_count; c++) {
      has = has || info->columns[c].group == stamps[i].group;
    }
    const kecs_pg__mark marks[] = {{"n", stamps[i].name}, {NULL, NULL}};
    kecs_pg__text_adds(&parts[KECS_SYNC__REPAIR_STAMPS], i > 0 ? "||" : "");
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_STAMPS],
                       has ? "'|'||coalesce(t.stamp_{n},0)||','||coalesce(t.site_{n},0)" : "'|0,0'", marks);
    kecs_pg__text_adds(&parts[KECS_SYNC__REPAIR_COLUMNS], i > 0 ? "," : "");
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_COLUMNS],
                       has ? "coalesce(t.stamp_{n},0),coalesce(t.site_{n},0)" : "0::bigint,0::bigint", marks);
  }
}

static void kecs_sync__repair_keys(kecs_pg__text *parts, const kecs_kind_info *info) {
  for (int i = 0; i < info->keys[0].count; i++) {
    const kecs_column_info *column = &info->columns[info->keys[0].columns[i]];
    const kecs_pg__mark marks[] = {{"c", column->name}, {"type", kecs_sync__type(column)}, {NULL, NULL}};
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_ARGUMENTS], ",c_{c} {type}[]", marks);
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_ARRAYS], ",c_{c}", marks);
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_NAMES], ",{c}", marks);
    kecs_pg__text_fill(&parts[KECS_SYNC__REPAIR_SAME], " AND t.{c}=u.{c}", marks);
  }
}

KECS_PG__FN void kecs_sync__hub_buckets(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__bucket_form);
}

KECS_PG__FN void kecs_sync__hub_retention(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__retention_form);
}

KECS_PG__FN void kecs_sync__hub_repair(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info) {
  kecs_pg__text parts[KECS_SYNC__REPAIR_PARTS];
  char kind[16];
  memset(parts, 0, sizeof parts);
  for (int i = 0; i < KECS_SYNC__REPAIR_PARTS; i++) {
    parts[i].allocator = connection->allocator;
  }
  snprintf(kind, sizeof kind, "%d", (int)info->kind);
  kecs_sync__key_text(&parts[KECS_SYNC__REPAIR_KEY], info, "t");
  kecs_sync__repair_stamps(parts, info);
  kecs_sync__repair_keys(parts, info);
  const kecs_pg__mark marks[] = {{"S", connection->home->schema},
                                 {"t", info->table},
                                 {"kind", kind},
                                 {"key", parts[KECS_SYNC__REPAIR_KEY].data},
                                 {"stamps", parts[KECS_SYNC__REPAIR_STAMPS].data},
                                 {"columns", parts[KECS_SYNC__REPAIR_COLUMNS].data},
                                 {"arguments", parts[KECS_SYNC__REPAIR_ARGUMENTS].data},
                                 {"arrays", parts[KECS_SYNC__REPAIR_ARRAYS].data},
                                 {"names", parts[KECS_SYNC__REPAIR_NAMES].data},
                                 {"same", parts[KECS_SYNC__REPAIR_SAME].data},
                                 {NULL, NULL}};
  for (int i = 0; i < KECS_SYNC__REPAIR_PARTS; i++) {
    out->status = out->status ? out->status : parts[i].status;
  }
  if (!out->status) {
    kecs_pg__text_fill(out, kecs_sync__digest_form, marks);
    kecs_pg__text_fill(out, kecs_sync__compare_form, marks);
  }
  for (int i = 0; i < KECS_SYNC__REPAIR_PARTS; i++) {
    kecs_pg__text_free(&parts[i]);
  }
}
