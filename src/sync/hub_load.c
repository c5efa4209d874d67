/* sync/hub_load.c -- the texts for rows that come by COPY: the table that they are copied to, and how sync_load_TABLE
 * begins, whose body is that of sync_put_TABLE.
 *
 * The table is the transaction's own. For edges that share a login it is made, and read, by functions that run as
 * their owner: what such a function reads must have been made by its like, for a view or a table of the caller's could
 * run the caller's code there. So sync_load_TABLE takes no table but a plain one of whom it runs as. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include <stdio.h>
#include <string.h>

/* Who sends may only add rows. */
static const char kecs_sync__stage_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_stage_{t};\n"
    "CREATE FUNCTION {S}sync_stage_{t}(whose text,me bigint) RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "BEGIN\n"
    "  CREATE TEMPORARY TABLE sync_sent_{t}({columns}) ON COMMIT DROP;\n"
    "  GRANT INSERT ON " KECS_SYNC__COPIED " TO PUBLIC;\n"
    "END $kecs_sync$;\n";

static const char kecs_sync__load_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_load_{t};\n"
    "CREATE FUNCTION {S}sync_load_{t}(whose text,me bigint,since bigint) RETURNS void LANGUAGE plpgsql SET jit=off\n"
    "AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n"
    "{variables}"
    "  a_key text[];\n"
    "  a_mask bigint[];\n"
    "  a_life bigint[];\n"
    "  a_spec bigint[];\n"
    "  a_status bigint[];\n"
    "{later}"
    "BEGIN\n"
    "  IF current_setting('kecs_store.push',true) IS DISTINCT FROM 'open' THEN\n"
    "    RETURN;\n"
    "  END IF;\n"
    "  IF NOT EXISTS(SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid=c.relowner WHERE\n"
    "      c.relname='sync_sent_{t}' AND c.relnamespace=pg_catalog.pg_my_temp_schema() AND c.relkind='r' AND\n"
    "      r.rolname=current_user AND NOT (c.relhasrules OR c.relhastriggers OR c.relrowsecurity)) THEN\n"
    "    RAISE EXCEPTION 'the table sync_sent_{t} is not what sync_stage_{t} makes' USING ERRCODE='KS007';\n"
    "  END IF;\n"
    "{scope}"
    "  SELECT array_agg(u.s_key),array_agg(u.s_mask),array_agg(u.stamp_life),array_agg(u.stamp_spec),\n"
    "    array_agg(u.stamp_status) INTO a_key,a_mask,a_life,a_spec,a_status FROM (SELECT s.s_key,s.s_mask,\n"
    "    s.stamp_life,s.stamp_spec,s.stamp_status FROM " KECS_SYNC__COPIED " s ORDER BY s.s_place) u;\n"
    "  IF a_key IS NULL THEN\n"
    "    RETURN;\n"
    "  END IF;\n"
    "{known}";

enum { KECS_SYNC__L_COLUMNS, KECS_SYNC__L_LATER, KECS_SYNC__L_KNOWN, KECS_SYNC__L_SCOPE, KECS_SYNC__L_PARTS };

static void kecs_sync__load_columns(kecs_pg__text *part, const kecs_kind_info *info) {
  static const char first[] = KECS_SYNC__COPIED_FIRST ",";
  kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], "s_key text COLLATE \"C\"");
  for (const char *at = strchr(first, ',') + 1; *at; at += strcspn(at, ",") + 1) {
    kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], ",");
    kecs_pg__text_add(&part[KECS_SYNC__L_COLUMNS], at, strcspn(at, ","));
    kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], " bigint");
  }
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    const char *type = kecs_sync__type(column);
    const kecs_pg__mark marks[] = {{"c", column->name},
                                   {"t", info->table},
                                   {"type", strcmp(type, "text") == 0 ? "text COLLATE \"C\"" : type},
                                   {NULL, NULL}};
    if (kecs_sync__travels(column)) {
      kecs_pg__text_fill(&part[KECS_SYNC__L_COLUMNS], ",\"{c}\" {type}", marks);
    }
    /* Whether the site knows it: as for arrays, none has a value otherwise. */
    if (kecs_sync__travels(column) && kecs_sync__later_column(column)) {
      kecs_pg__text_fill(&part[KECS_SYNC__L_LATER], "  c_{c} boolean;\n", marks);
      kecs_pg__text_fill(&part[KECS_SYNC__L_KNOWN],
                         "  c_{c} := (SELECT true FROM " KECS_SYNC__COPIED " u WHERE u.\"{c}\" IS NOT NULL LIMIT 1);\n",
                         marks);
    }
  }
  kecs_pg__text_adds(&part[KECS_SYNC__L_COLUMNS], "," KECS_SYNC__COPIED_LAST " bigint");
}

static const char *kecs_sync__load_part(const kecs_pg__text *part) {
  return part->len ? part->data : "";
}

KECS_PG__FN void kecs_sync__hub_load(kecs_pg__text *out, const char *schema, const kecs_kind_info *info,
                                     const char *variables) {
  kecs_pg__text part[KECS_SYNC__L_PARTS];
  kecs_pg__text declared = {out->allocator, NULL, 0, 0, KECS_OK};
  const kecs_pg__mark empty[] = {{"none", "{}"}, {NULL, NULL}};
  memset(part, 0, sizeof part);
  for (int i = 0; i < KECS_SYNC__L_PARTS; i++) {
    part[i].allocator = out->allocator;
  }
  kecs_sync__load_columns(part, info);
  kecs_sync__scope_load(&part[KECS_SYNC__L_SCOPE], schema, info);
  kecs_pg__text_fill(&declared, variables, empty);
  const kecs_pg__mark marks[] = {{"S", schema},
                                 {"t", info->table},
                                 {"variables", kecs_sync__load_part(&declared)},
                                 {"columns", kecs_sync__load_part(&part[KECS_SYNC__L_COLUMNS])},
                                 {"later", kecs_sync__load_part(&part[KECS_SYNC__L_LATER])},
                                 {"known", kecs_sync__load_part(&part[KECS_SYNC__L_KNOWN])},
                                 {"scope", kecs_sync__load_part(&part[KECS_SYNC__L_SCOPE])},
                                 {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__stage_form, marks);
  kecs_pg__text_fill(out, kecs_sync__load_form, marks);
  out->status = out->status ? out->status : declared.status;
  kecs_pg__text_free(&declared);
  for (int i = 0; i < KECS_SYNC__L_PARTS; i++) {
    out->status = out->status ? out->status : part[i].status;
    kecs_pg__text_free(&part[i]);
  }
}
