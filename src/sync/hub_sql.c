/* sync/hub_sql.c -- the texts of a kind's two functions at the hub.
 *
 * A push is one transaction: sync_begin, sync_bury_TABLE for what was deleted, sync_put_TABLE for rows, sync_end. Each
 * function takes a kind's rows as arrays, one a column, and merges them as a set; docs/sync.md has the rules. Texts
 * with marks: {S} is the schema with its dot; {sent} the rows that came, as `u`. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include <stdio.h>
#include <string.h>

/* ---- a kind's ---- */

/* A push may have been here before. */
#define KECS_SYNC__OPEN                                                         \
  "  IF current_setting('kecs_store.push',true) IS DISTINCT FROM 'open' THEN\n" \
  "    RETURN;\n"                                                               \
  "  END IF;\n"

/* The tombstones of keys in `keys`, numbered or not. */
#define KECS_SYNC__GRAVES(keys)                                                                            \
  "(SELECT x.key,x.stamp,coalesce(x.site,0) AS site FROM {S}change_tombstones x WHERE x.tenant=whose AND " \
  "x.kind={kind} "                                                                                         \
  "AND x.key=ANY(" keys                                                                                    \
  ") UNION ALL SELECT q.key,q.stamp,coalesce(q.site,0) FROM {S}change_queue q WHERE "                      \
  "q.tenant=whose AND q.kind={kind} AND q.op=3 AND q.key=ANY(" keys "))"

/* Rows that others have written since the site last pulled, with their groups. */
#define KECS_SYNC__UNSEEN                                                                                            \
  "(SELECT w.rid,bit_or(w.groups) AS groups FROM (SELECT c.rid,c.groups FROM {S}changes c WHERE c.tenant=whose AND " \
  "c.seq>since AND c.kind={kind} AND (SELECT b.site FROM {S}change_batches b WHERE b.tenant=whose AND b.seq>=c.seq " \
  "ORDER BY b.seq LIMIT 1) IS DISTINCT FROM me UNION ALL SELECT q.rid,q.groups FROM {S}change_queue q WHERE "        \
  "q.tenant=whose AND q.kind={kind} AND q.site IS DISTINCT FROM me) w GROUP BY w.rid)"

#define KECS_SYNC__NOTE \
  "INSERT INTO "        \
  "{S}sync_conflicts(tenant,kind,key,groups,reason,kept_stamp,kept_site,lost_stamp,lost_site,lost,site,at) "

/* What the rules of who may write refuse: see hub_policy.c. */
#define KECS_SYNC__POLICY                                                                                           \
  "  policy := {S}sync_rules(whose,{kind});\n"                                                                      \
  "  IF policy IS NOT NULL THEN\n"                                                                                  \
  "    WITH held AS (SELECT u.s_place,u.s_key,CASE WHEN t.rid IS NULL OR (" KECS_SYNC__U_LIFE ")<>("                \
  KECS_SYNC__T_LIFE ") THEN CASE WHEN policy->>'life'='hub' AND (t.rid IS NULL OR (" KECS_SYNC__U_LIFE ")>("        \
  KECS_SYNC__T_LIFE ")) THEN 1 ELSE 0 END ELSE 0{group_rules} END AS mask\n"                                        \
  "      FROM {sent} LEFT JOIN {S}{t} t ON {same} WHERE u.s_place=ANY(every)),\n"                                   \
  "    told AS (INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT whose,me,{kind},h.s_key,'policy:'||"  \
  "h.mask\n"                                                                                                        \
  "      FROM held h WHERE h.mask<>0 ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code)\n"         \
  "    SELECT coalesce(array_agg(h.s_place),'{none}') INTO every FROM held h WHERE h.mask=0;\n"                     \
  "  END IF;\n"

#define KECS_SYNC__T_LIFE "coalesce(t.stamp_life,0),coalesce(t.site_life,0)"
#define KECS_SYNC__U_LIFE "u.stamp_life,u.site_life"

static const char kecs_sync__put_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_put_{t};\n"
    "CREATE FUNCTION {S}sync_put_{t}(whose text,me bigint,since bigint,a_key text[],a_mask bigint[],a_life bigint[],\n"
    "a_life_site bigint[],a_spec bigint[],a_spec_site bigint[],a_status bigint[],a_status_site bigint[]{arguments})\n"
    /* Compiling a plan takes longer than any of these runs. */
    "RETURNS void LANGUAGE plpgsql SET jit=off AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n"
    "  these bigint[];\n" /* places that are merged now; NULL: all */
    "  every bigint[];\n"
    "  suspects bigint[];\n"
    "  starts bigint[];\n"
    "  ends bigint[];\n"
    "  depth integer := 1;\n"
    "  middle bigint;\n"
    "  known bigint[] := '{none}';\n"
    "  policy jsonb;\n"
    "  claimed bigint[] := '{none}';\n"
    "  now_us bigint := (date_part('epoch',clock_timestamp())*1000000)::bigint;\n"
    "BEGIN\n" KECS_SYNC__OPEN "{scope_put}"
    "  PERFORM {S}sync_clock((SELECT max(greatest(a,b,c)) FROM unnest(a_life,a_spec,a_status) AS x(a,b,c)));\n"
    "  every := ARRAY(SELECT generate_series(1,cardinality(a_life)));\n"
    /* Locks in the order of keys; and which rows meet more than what their site has seen or written itself. */
    "  SELECT array_agg(x.s_place) INTO suspects FROM (SELECT u.s_place,\n"
    "    (" KECS_SYNC__U_LIFE ")<>(" KECS_SYNC__T_LIFE "){suspect_groups} AS suspect\n"
    "    FROM {keys} JOIN {S}{t} t ON {same} ORDER BY {t_key} FOR NO KEY UPDATE OF t) x WHERE x.suspect;\n"
    "  IF EXISTS(SELECT FROM {S}change_tombstones x WHERE x.tenant=whose AND x.kind={kind}) OR EXISTS(SELECT FROM\n"
    "    {S}change_queue q WHERE q.tenant=whose AND q.kind={kind} AND q.op=3) THEN\n"
    "  WITH u AS MATERIALIZED (SELECT * FROM {sent}),\n"
    "  beaten AS (SELECT DISTINCT ON (u.s_place) u.s_place,g.stamp AS g_stamp,g.site AS g_site FROM u JOIN "
    KECS_SYNC__GRAVES("a_key") " g\n"
    "    ON g.key=u.s_key WHERE (g.stamp,g.site)>(" KECS_SYNC__U_LIFE ")\n"
    "    ORDER BY u.s_place,g.stamp DESC,g.site DESC),\n"
    "  noted AS (" KECS_SYNC__NOTE "SELECT whose,{kind},u.s_key,u.s_mask&7,'delete',b.g_stamp,b.g_site,\n"
    "    greatest(u.stamp_life,u.stamp_spec,u.stamp_status),me,row_to_json(u)::text,me,now_us\n"
    "    FROM beaten b JOIN u USING(s_place))\n"
    "  SELECT coalesce(array_agg(u.s_place),'{none}') INTO every FROM u WHERE u.s_place NOT\n"
    "    IN (SELECT s_place FROM beaten);\n"
    "  END IF;\n";

/* Then: what is refused, and what loses. */
static const char kecs_sync__put_notes_form[] =
    "{claim}" KECS_SYNC__POLICY
    "  IF suspects IS NOT NULL THEN\n"
    "  WITH u AS MATERIALIZED (SELECT * FROM {sent}),\n"
    "  meets AS (SELECT t.rid,u.s_place FROM u JOIN {S}{t} t ON {same} WHERE u.s_place=ANY(suspects) AND\n"
    "    u.s_place=ANY(every)),\n"
    "  unseen AS MATERIALIZED " KECS_SYNC__UNSEEN "\n"
    "  " KECS_SYNC__NOTE "\n"
    "  SELECT whose,{kind},u.s_key,1,'create'," KECS_SYNC__U_LIFE "," KECS_SYNC__T_LIFE ",row_to_json(t)::text,me,\n"
    "    now_us FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid\n"
    "    JOIN unseen n ON n.rid=t.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")>(" KECS_SYNC__T_LIFE ")\n"
    "  UNION ALL SELECT whose,{kind},u.s_key,1,'create'," KECS_SYNC__T_LIFE "," KECS_SYNC__U_LIFE
    ",row_to_json(u)::text,me,now_us\n"
    "    FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")<(" KECS_SYNC__T_LIFE ")\n"
    "{group_conflicts};\n"
    "  END IF;\n"
    "{partly}";

/* Last the merge. What the database refuses is found by halves. */
static const char kecs_sync__put_merge_form[] =
    "  PERFORM set_config('kecs_store.merge','on',true);\n"
    "  starts := ARRAY[1];\n"
    "  ends := ARRAY[cardinality(every)];\n"
    "  these := CASE WHEN cardinality(every)<cardinality(a_life) THEN every END;\n"
    "  WHILE depth>0 LOOP\n"
    "    BEGIN\n"
    "      {merge}\n"
    "      depth := depth-1;\n"
    "    EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR "
    "insufficient_privilege THEN\n"
    "{again}"
    "      IF depth>0 AND starts[depth]=ends[depth] THEN\n"
    "        INSERT INTO {S}sync_refused(tenant,site,kind,key,code) VALUES(whose,me,{kind},\n"
    "          a_key[every[starts[depth]]],SQLSTATE)\n"
    "          ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "        depth := depth-1;\n"
    "      ELSIF depth>0 THEN\n"
    "        middle := (starts[depth]+ends[depth])/2;\n"
    "        starts[depth+1] := starts[depth];\n"
    "        ends[depth+1] := middle;\n"
    "        starts[depth] := middle+1;\n"
    "        depth := depth+1;\n"
    "      END IF;\n"
    "    END;\n"
    "    IF depth>0 THEN\n"
    "      these := every[starts[depth]:ends[depth]];\n"
    "    END IF;\n"
    "  END LOOP;\n"
    "  PERFORM set_config('kecs_store.merge','off',true);\n"
    "{merged}"
    "END $kecs_sync$;\n";

/* Whether two rows of one life meet with something to tell: {g} is the group, {bit} its bit in masks. */
static const char kecs_sync__suspect_form[] =
    " OR ((u.stamp_{g},u.site_{g})>(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0)) AND coalesce(t.site_{g},0)<>me) OR "
    "((u.stamp_{g},u.site_{g})<(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0)) AND (u.s_mask&{bit})<>0)";

/* Two rows of one life: {g} is the group, {bit} its bit in masks, {log} in the log's groups. */
static const char kecs_sync__group_form[] =
    "  UNION ALL SELECT whose,{kind},u.s_key,{bit},'update',u.stamp_{g},u.site_{g},coalesce(t.stamp_{g},0),"
    "coalesce(t.site_{g},0),row_to_json(t)::text,me,now_us\n"
    "    FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid JOIN unseen n ON "
    "n.rid=t.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")=(" KECS_SYNC__T_LIFE
    ") AND (u.stamp_{g},u.site_{g})>(coalesce(t.stamp_{g},0),"
    "coalesce(t.site_{g},0)) AND coalesce(t.site_{g},0)<>me AND (n.groups&{log})<>0\n"
    "  UNION ALL SELECT whose,{kind},u.s_key,{bit},'update',coalesce(t.stamp_{g},0),coalesce(t.site_{g},0),u.stamp_{g},"
    "u.site_{g},row_to_json(u)::text,me,now_us\n"
    "    FROM meets m JOIN u USING(s_place) JOIN {S}{t} t ON t.tenant=whose AND t.rid=m.rid\n"
    "    WHERE (" KECS_SYNC__U_LIFE ")=(" KECS_SYNC__T_LIFE
    ") AND (u.stamp_{g},u.site_{g})<(coalesce(t.stamp_{g},0),"
    "coalesce(t.site_{g},0)) AND (u.s_mask&{bit})<>0\n";

#define KECS_SYNC__LATER \
  "(excluded.stamp_life,coalesce(excluded.site_life,0))>(coalesce(t.stamp_life,0),coalesce(t.site_life,0))"
#define KECS_SYNC__SAME \
  "(excluded.stamp_life,coalesce(excluded.site_life,0))=(coalesce(t.stamp_life,0),coalesce(t.site_life,0))"
#define KECS_SYNC__GROUP_LATER \
  "(coalesce(excluded.stamp_{g},0),coalesce(excluded.site_{g},0))>(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0))"

static const char kecs_sync__merge_form[] =
    "INSERT INTO {S}{t} AS t(tenant,{names}{local_names},{stamp_names})\n"
    "    SELECT whose,{u_names}{local_values},{stamp_values} FROM {sent} WHERE (these IS NULL OR u.s_place=ANY(these)) AND "
    "u.s_mask&8=0 ORDER BY {u_key}\n"
    "    ON CONFLICT(tenant,{key}) DO UPDATE SET {sets}\n"
    "    WHERE (" KECS_SYNC__LATER "{known}){or_groups};{merge_partly}";

/* Rows of which only some groups came (a mask with 8): those that meet a row of their life. Where there is none, they
 * are refused with KS010, and the edge sends the row whole. */
static const char kecs_sync__partly_form[] =
    "  INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT whose,me,{kind},u.s_key,'KS010' FROM {sent}\n"
    "    WHERE u.s_mask&8<>0 AND u.s_place=ANY(every) AND NOT EXISTS(SELECT FROM {S}{t} t WHERE {same} AND\n"
    "    (" KECS_SYNC__T_LIFE ")>=(" KECS_SYNC__U_LIFE ")) ON CONFLICT(tenant,site,kind,key) DO UPDATE SET "
    "code=excluded.code;\n";

static const char kecs_sync__merge_partly_form[] =
    "\n      IF EXISTS(SELECT FROM unnest(a_mask) m WHERE m&8<>0) THEN\n"
    "        UPDATE {S}{t} AS t SET {part_sets} FROM {sent} WHERE {same} AND u.s_mask&8<>0 AND (these IS NULL OR\n"
    "          u.s_place=ANY(these)) AND (" KECS_SYNC__T_LIFE ")=(" KECS_SYNC__U_LIFE ") AND ({part_later});\n"
    "      END IF;";

#define KECS_SYNC__PART_LATER "(u.stamp_{g},u.site_{g})>(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0))"

static const char kecs_sync__bury_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_bury_{t};\n"
    "CREATE FUNCTION {S}sync_bury_{t}(whose text,me bigint,since bigint,a_key text[],a_stamp bigint[]{key_arguments})\n"
    "RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n"
    "  these text[];\n"
    "  one text;\n"
    "  now_us bigint := (date_part('epoch',clock_timestamp())*1000000)::bigint;\n"
    "BEGIN\n" KECS_SYNC__OPEN "{scope_bury}"
    "  these := a_key;\n"
    "  IF {S}sync_rules(whose,{kind})->>'life'='hub' THEN\n"
    "    INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT DISTINCT whose,me,{kind},k,'policy:1'\n"
    "      FROM unnest(a_key) AS k ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "    RETURN;\n"
    "  END IF;\n"
    "  PERFORM {S}sync_clock((SELECT max(x) FROM unnest(a_stamp) AS x));\n"
    "  PERFORM 1 FROM (SELECT * FROM {buried}) u JOIN {S}{t} t ON {same} ORDER BY {t_key} FOR UPDATE OF t;\n"
    "  " KECS_SYNC__NOTE "\n"
    "    SELECT whose,{kind},u.s_key,n.groups&7,'delete',u.s_stamp,me," KECS_SYNC__T_LIFE ",row_to_json(t)::text,me,\n"
    "    now_us FROM {buried} JOIN {S}{t} t ON {same} JOIN " KECS_SYNC__UNSEEN " n ON n.rid=t.rid\n"
    "    WHERE (u.s_stamp,me)>(" KECS_SYNC__T_LIFE ");\n"
    "  BEGIN\n"
    "    {delete}\n"
    "  EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege THEN\n"
    "    FOREACH one IN ARRAY a_key LOOP\n"
    "      these := ARRAY[one];\n"
    "      BEGIN\n"
    "        {delete}\n"
    "      EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege THEN\n"
    "        INSERT INTO {S}sync_refused(tenant,site,kind,key,code) VALUES(whose,me,{kind},one,SQLSTATE)\n"
    "          ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "      END;\n"
    "    END LOOP;\n"
    "  END;\n"
    "  UPDATE {S}change_queue q SET stamp=u.s_stamp FROM (SELECT s_key,max(s_stamp) AS s_stamp FROM {buried}\n"
    "    GROUP BY s_key) u WHERE q.tenant=whose AND q.batch=txid_current() AND q.kind={kind} AND q.op=3 AND\n"
    "    q.key=u.s_key;\n"
    "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp,key)\n"
    "    SELECT DISTINCT ON (u.s_key) whose,{kind},0,15,3,u.s_stamp,u.s_key FROM {buried}\n"
    "    WHERE NOT EXISTS(SELECT FROM {S}{t} t WHERE {same}) AND NOT EXISTS(SELECT FROM "
    KECS_SYNC__GRAVES("a_key") " g\n"
    "    WHERE g.key=u.s_key AND (g.stamp,g.site)>=(u.s_stamp,me)) ORDER BY u.s_key,u.s_stamp DESC;\n"
    "{gone}"
    "END $kecs_sync$;\n";

/* What refers to a row that goes, or to one that goes with it, and stays itself: it is cleared first, and stamped by
 * the hub. {joins} leads from the row to the one that is referred to, {last}. */
static const char kecs_sync__release_form[] =
    "UPDATE {S}{child} c SET {c}=NULL FROM {buried} JOIN {S}{t} t ON {same}{joins} WHERE u.s_key=ANY(these) AND "
    "(u.s_stamp,me)>(" KECS_SYNC__T_LIFE ") AND c.tenant=whose AND c.{c}={last}.{parent};\n    ";

static const char kecs_sync__join_form[] =
    " JOIN {S}{child} {next} ON {next}.tenant=whose AND {next}.{c}={last}.{parent}";

static const char kecs_sync__delete_form[] =
    "DELETE FROM {S}{t} t USING {buried} WHERE {same} AND u.s_key=ANY(these) AND (u.s_stamp,me)>(" KECS_SYNC__T_LIFE
    ");";

/* The parts of a kind's texts. */
enum {
  KECS_SYNC__ARGUMENTS,
  KECS_SYNC__KEY_ARGUMENTS,
  KECS_SYNC__SENT,
  KECS_SYNC__SENT_KEYS,
  KECS_SYNC__BURIED,
  KECS_SYNC__SAME_KEY,
  KECS_SYNC__T_KEY,
  KECS_SYNC__U_KEY,
  KECS_SYNC__KEY,
  KECS_SYNC__NAMES,
  KECS_SYNC__U_NAMES,
  KECS_SYNC__LOCAL_NAMES,
  KECS_SYNC__LOCAL_VALUES,
  KECS_SYNC__STAMP_NAMES,
  KECS_SYNC__STAMP_VALUES,
  KECS_SYNC__SETS,
  KECS_SYNC__PART_SETS,
  KECS_SYNC__PART_LATERS,
  KECS_SYNC__MERGE_PARTLY,
  KECS_SYNC__PARTLY_REFUSED,
  KECS_SYNC__OR_GROUPS,
  KECS_SYNC__GROUP_CONFLICTS,
  KECS_SYNC__SUSPECT_GROUPS,
  KECS_SYNC__UNSEEN_ROWS,
  KECS_SYNC__GROUP_RULES,
  KECS_SYNC__MERGE,
  KECS_SYNC__DELETE,
  KECS_SYNC__SCOPE_PUT,
  KECS_SYNC__SCOPE_BURY,
  KECS_SYNC__SPECIAL, /* and the ones after it */
  KECS_SYNC__PARTS = KECS_SYNC__SPECIAL + KECS_SYNC__SPECIALS
};

typedef struct kecs_sync__parts {
  const kecs_kind_info *info;
  const char *schema;
  char kind[16];
  kecs_pg__text part[KECS_SYNC__PARTS];
} kecs_sync__parts;

KECS_PG__FN const char *kecs_sync__type(const kecs_column_info *column) {
  switch (column->type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      return "text";
    case KECS_TYPE_BOOL:
      return "boolean";
    default:
      return "bigint";
  }
}

static bool kecs_sync__in_key(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return false;
}

static bool kecs_sync__has(const kecs_kind_info *info, kecs_column_group group) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == group) {
      return true;
    }
  }
  return false;
}

/* Adds a form to a part, with {c} the column, {type} its type. */
static void kecs_sync__add(kecs_sync__parts *parts, int part, const char *between, const char *form, const char *column,
                           const char *type) {
  kecs_pg__text *text = &parts->part[part];
  const kecs_pg__mark marks[] = {{"c", column}, {"type", type}, {NULL, NULL}};
  kecs_pg__text_adds(text, text->len > 0 ? between : "");
  kecs_pg__text_fill(text, form, marks);
}

/* What a local column has in a new row. */
static void kecs_sync__local(kecs_sync__parts *parts, const kecs_column_info *column) {
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  bool needed = column->flags & KECS_COLUMN_NOT_NULL;
  const char *value = column->default_text;
  kecs_pg__text *out = &parts->part[KECS_SYNC__LOCAL_VALUES];
  kecs_sync__add(parts, KECS_SYNC__LOCAL_NAMES, "", ",{c}", column->name, "");
  const char *derived = kecs_sync__hub_derived(parts->info, column);
  if (derived) {
    kecs_pg__text_adds(out, ",");
    kecs_pg__text_adds(out, derived);
    kecs_sync__add(parts, KECS_SYNC__SETS, ",",
                   "{c}=CASE WHEN " KECS_SYNC__LATER " THEN excluded.{c} ELSE t.{c} END", column->name, "");
  } else if (strcmp(column->name, "updated_at") == 0) {
    kecs_pg__text_adds(out, ",now_us");
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_pg__text_adds(out, !needed ? ",NULL::boolean" : value && strcmp(value, "1") == 0 ? ",true" : ",false");
  } else if (!needed && !value) {
    kecs_pg__text_adds(out, text ? ",NULL" : ",NULL::bigint");
  } else {
    kecs_pg__text_adds(out, text ? ",'" : ","); /* defaults come from the kind files and hold no quote */
    kecs_pg__text_adds(out, value ? value : text ? "" : "0");
    kecs_pg__text_adds(out, text ? "'" : "");
  }
}

static void kecs_sync__set(kecs_sync__parts *parts, int number) {
  static const char spec[] = "{c}=CASE WHEN " KECS_SYNC__LATER " OR (" KECS_SYNC__SAME
                             " AND (coalesce(excluded.stamp_spec,0),coalesce(excluded.site_spec,0))>(coalesce("
                             "t.stamp_spec,0),coalesce(t.site_spec,0))) THEN excluded.{c} ELSE t.{c} END";
  static const char status[] = "{c}=CASE WHEN " KECS_SYNC__LATER " OR (" KECS_SYNC__SAME
                               " AND (coalesce(excluded.stamp_status,0),coalesce(excluded.site_status,0))>(coalesce("
                               "t.stamp_status,0),coalesce(t.site_status,0))) THEN excluded.{c} ELSE t.{c} END";
  static const char life[] = "{c}=CASE WHEN " KECS_SYNC__LATER " THEN excluded.{c} ELSE t.{c} END";
  static const char unknown[] = "{c}=CASE WHEN c_{c} IS NULL AND " KECS_SYNC__SAME " THEN t.{c} ";
  const kecs_column_info *column = &parts->info->columns[number];
  const char *form = column->group == KECS_GROUP_SPEC ? spec : column->group == KECS_GROUP_STATUS ? status : life;
  if (kecs_sync__later_column(column)) {
    kecs_sync__add(parts, KECS_SYNC__SETS, ",", unknown, column->name, "");
    kecs_sync__add(parts, KECS_SYNC__SETS, "", form + strlen("{c}=CASE "), column->name, "");
  } else if (!kecs_sync__in_key(parts->info, number)) {
    kecs_sync__add(parts, KECS_SYNC__SETS, ",", form, column->name, "");
  }
  if (column->group == KECS_GROUP_SPEC || column->group == KECS_GROUP_STATUS) {
    const char *group = column->group == KECS_GROUP_SPEC ? "spec" : "status";
    const kecs_pg__mark marks[] = {{"c", column->name}, {"g", group}, {NULL, NULL}};
    kecs_pg__text *out = &parts->part[KECS_SYNC__PART_SETS];
    kecs_pg__text_adds(out, out->len ? "," : "");
    kecs_pg__text_fill(out, "{c}=CASE WHEN " KECS_SYNC__PART_LATER " THEN u.{c} ELSE t.{c} END", marks);
  }
}

/* What a row has in a column that its site does not know. */
static void kecs_sync__unknown(kecs_sync__parts *parts, const kecs_column_info *column) {
  kecs_pg__text *out = &parts->part[KECS_SYNC__U_NAMES];
  const kecs_pg__mark marks[] = {{"c", column->name}, {NULL, NULL}};
  kecs_pg__text_fill(out, ",CASE WHEN c_{c} IS NULL THEN ", marks);
  kecs_sync__default(out, column);
  kecs_pg__text_fill(out, " ELSE u.{c} END", marks);
}

static void kecs_sync__columns(kecs_sync__parts *parts) {
  const kecs_kind_info *info = parts->info;
  bool later = false; /* what follows a parameter with a default has one, too */
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (kecs_sync__travels(column)) {
      later = later || kecs_sync__later_column(column);
      kecs_sync__add(parts, KECS_SYNC__ARGUMENTS, "", later ? ",c_{c} {type}[] DEFAULT NULL" : ",c_{c} {type}[]",
                     column->name, kecs_sync__type(column));
      kecs_sync__add(parts, KECS_SYNC__NAMES, ",", "{c}", column->name, "");
      if (kecs_sync__later_column(column)) {
        kecs_sync__unknown(parts, column);
      } else {
        kecs_sync__add(parts, KECS_SYNC__U_NAMES, ",", "u.{c}", column->name, "");
      }
      kecs_sync__set(parts, i);
    } else {
      kecs_sync__local(parts, column);
    }
  }
  for (int i = 0; i < info->keys[0].count; i++) {
    const kecs_column_info *column = &info->columns[info->keys[0].columns[i]];
    kecs_sync__add(parts, KECS_SYNC__KEY_ARGUMENTS, "", ",c_{c} {type}[]", column->name, kecs_sync__type(column));
    kecs_sync__add(parts, KECS_SYNC__SAME_KEY, "", " AND t.{c}=u.{c}", column->name, "");
    kecs_sync__add(parts, KECS_SYNC__T_KEY, ",", "t.{c}", column->name, "");
    kecs_sync__add(parts, KECS_SYNC__U_KEY, ",", "u.{c}", column->name, "");
    kecs_sync__add(parts, KECS_SYNC__KEY, ",", "{c}", column->name, "");
  }
}

/* The rows that came: the arrays, and what their columns are called. */
static void kecs_sync__rows(kecs_sync__parts *parts) {
  const kecs_kind_info *info = parts->info;
  kecs_pg__text *sent = &parts->part[KECS_SYNC__SENT];
  kecs_pg__text *keys = &parts->part[KECS_SYNC__SENT_KEYS];
  kecs_pg__text *buried = &parts->part[KECS_SYNC__BURIED];
  kecs_pg__text_adds(sent, "unnest(a_key,a_mask,a_life,a_life_site,a_spec,a_spec_site,a_status,a_status_site");
  kecs_pg__text_adds(keys, "unnest(a_mask,a_life,a_life_site,a_spec,a_spec_site,a_status,a_status_site");
  kecs_pg__text_adds(buried, "unnest(a_key,a_stamp");
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < info->column_count; i++) {
      const char *form = pass == 0 ? ",c_{c}" : ",{c}";
      if (kecs_sync__travels(&info->columns[i])) {
        kecs_sync__add(parts, KECS_SYNC__SENT, "", form, info->columns[i].name, "");
      }
    }
    for (int i = 0; i < info->keys[0].count; i++) {
      const char *name = info->columns[info->keys[0].columns[i]].name;
      kecs_sync__add(parts, KECS_SYNC__BURIED, "", pass == 0 ? ",c_{c}" : ",{c}", name, "");
      kecs_sync__add(parts, KECS_SYNC__SENT_KEYS, "", pass == 0 ? ",c_{c}" : ",{c}", name, "");
    }
    kecs_pg__text_adds(sent, pass == 0
                                 ? ") WITH ORDINALITY AS u(s_key,s_mask,stamp_life,site_life,stamp_spec,site_spec,"
                                   "stamp_status,site_status"
                                 : ",s_place)");
    kecs_pg__text_adds(keys, pass == 0 ? ") WITH ORDINALITY AS u(s_mask,stamp_life,site_life,stamp_spec,site_spec,"
                                         "stamp_status,site_status"
                                       : ",s_place)");
    kecs_pg__text_adds(buried, pass == 0 ? ") AS u(s_key,s_stamp" : ")");
  }
}

static void kecs_sync__stamp_partly(kecs_sync__parts *parts, const kecs_pg__mark *marks) {
  kecs_pg__text *later = &parts->part[KECS_SYNC__PART_LATERS];
  kecs_pg__text_adds(later, later->len ? " OR " : "");
  kecs_pg__text_fill(later, KECS_SYNC__PART_LATER, marks);
  kecs_pg__text_fill(&parts->part[KECS_SYNC__PART_SETS],
                     ",stamp_{g}=CASE WHEN " KECS_SYNC__PART_LATER
                     " THEN u.stamp_{g} ELSE t.stamp_{g} END,site_{g}=CASE WHEN " KECS_SYNC__PART_LATER
                     " THEN nullif(u.site_{g},0) ELSE t.site_{g} END",
                     marks);
}

static void kecs_sync__stamps(kecs_sync__parts *parts) {
  static const char *const sets =
      ",stamp_{c}=CASE WHEN " KECS_SYNC__LATER
      " THEN excluded.stamp_{c} WHEN "
      "(coalesce(excluded.stamp_{c},0),coalesce(excluded.site_{c},0))>(coalesce(t.stamp_{c},0),coalesce(t.site_{c},0)) "
      "THEN excluded.stamp_{c} ELSE t.stamp_{c} END,"
      "site_{c}=CASE WHEN " KECS_SYNC__LATER
      " THEN excluded.site_{c} WHEN "
      "(coalesce(excluded.stamp_{c},0),coalesce(excluded.site_{c},0))>(coalesce(t.stamp_{c},0),coalesce(t.site_{c},0)) "
      "THEN excluded.site_{c} ELSE t.site_{c} END";
  static const struct {
    const char *name;
    const char *bit;
    const char *log;
    kecs_column_group group;
  } groups[] = {{"spec", "2", "2", KECS_GROUP_SPEC}, {"status", "4", "4", KECS_GROUP_STATUS}};
  kecs_pg__text_adds(&parts->part[KECS_SYNC__STAMP_NAMES], "stamp_life,site_life");
  kecs_pg__text_adds(&parts->part[KECS_SYNC__STAMP_VALUES], "u.stamp_life,nullif(u.site_life,0)");
  kecs_sync__add(parts, KECS_SYNC__SETS, ",",
                 "stamp_life=greatest(excluded.stamp_life,t.stamp_life),site_life=CASE WHEN " KECS_SYNC__LATER
                 " THEN excluded.site_life ELSE t.site_life END",
                 "", "");
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    const char *name = groups[i].name;
    const kecs_pg__mark marks[] = {{"S", parts->schema}, {"t", parts->info->table}, {"kind", parts->kind},
                                   {"g", name},          {"bit", groups[i].bit},    {"log", groups[i].log},
                                   {NULL, NULL}};
    if (kecs_sync__has(parts->info, groups[i].group)) {
      kecs_sync__add(parts, KECS_SYNC__STAMP_NAMES, "", ",stamp_{c},site_{c}", name, "");
      kecs_sync__add(parts, KECS_SYNC__STAMP_VALUES, "", ",nullif(u.stamp_{c},0),nullif(u.site_{c},0)", name, "");
      kecs_sync__add(parts, KECS_SYNC__SETS, "", sets, name, "");
      kecs_pg__text_fill(&parts->part[KECS_SYNC__OR_GROUPS], " OR (" KECS_SYNC__SAME " AND " KECS_SYNC__GROUP_LATER ")",
                         marks);
      kecs_pg__text_fill(&parts->part[KECS_SYNC__GROUP_CONFLICTS], kecs_sync__group_form, marks);
      kecs_sync__hub_rules(&parts->part[KECS_SYNC__GROUP_RULES], (int)i,
                           kecs_sync__has(parts->info, groups[1 - i].group));
      kecs_pg__text_fill(&parts->part[KECS_SYNC__SUSPECT_GROUPS], kecs_sync__suspect_form, marks);
      kecs_sync__stamp_partly(parts, marks);
    }
  }
  if (!(parts->info->flags & KECS_KIND_PLAIN)) {
    kecs_pg__text_adds(&parts->part[KECS_SYNC__SETS], ",version=t.version+1,updated_at=now_us");
    kecs_pg__text_adds(&parts->part[KECS_SYNC__PART_SETS], ",version=t.version+1,updated_at=now_us");
  }
}

static const char *kecs_sync__special_text(const kecs_sync__parts *parts, int special) {
  const kecs_pg__text *text = &parts->part[KECS_SYNC__SPECIAL + special];
  return text->len ? text->data : "";
}

static void kecs_sync__fill(kecs_pg__text *out, const kecs_sync__parts *parts, const char *form) {
  const kecs_pg__mark marks[] = {
      {"S", parts->schema},
      {"t", parts->info->table},
      {"kind", parts->kind},
      {"none", "{}"},
      {"arguments", parts->part[KECS_SYNC__ARGUMENTS].data},
      {"key_arguments", parts->part[KECS_SYNC__KEY_ARGUMENTS].data},
      {"sent", parts->part[KECS_SYNC__SENT].data},
      {"keys", parts->part[KECS_SYNC__SENT_KEYS].data},
      {"buried", parts->part[KECS_SYNC__BURIED].data},
      {"same", parts->part[KECS_SYNC__SAME_KEY].data},
      {"t_key", parts->part[KECS_SYNC__T_KEY].data},
      {"u_key", parts->part[KECS_SYNC__U_KEY].data},
      {"key", parts->part[KECS_SYNC__KEY].data},
      {"names", parts->part[KECS_SYNC__NAMES].data},
      {"u_names", parts->part[KECS_SYNC__U_NAMES].data},
      {"local_names", parts->part[KECS_SYNC__LOCAL_NAMES].len ? parts->part[KECS_SYNC__LOCAL_NAMES].data : ""},
      {"local_values", parts->part[KECS_SYNC__LOCAL_VALUES].len ? parts->part[KECS_SYNC__LOCAL_VALUES].data : ""},
      {"stamp_names", parts->part[KECS_SYNC__STAMP_NAMES].data},
      {"stamp_values", parts->part[KECS_SYNC__STAMP_VALUES].data},
      {"sets", parts->part[KECS_SYNC__SETS].data},
      {"or_groups", parts->part[KECS_SYNC__OR_GROUPS].len ? parts->part[KECS_SYNC__OR_GROUPS].data : ""},
      {"group_conflicts",
       parts->part[KECS_SYNC__GROUP_CONFLICTS].len ? parts->part[KECS_SYNC__GROUP_CONFLICTS].data : ""},
      {"part_sets", parts->part[KECS_SYNC__PART_SETS].len ? parts->part[KECS_SYNC__PART_SETS].data : ""},
      {"part_later", parts->part[KECS_SYNC__PART_LATERS].len ? parts->part[KECS_SYNC__PART_LATERS].data : ""},
      {"merge_partly", parts->part[KECS_SYNC__MERGE_PARTLY].len ? parts->part[KECS_SYNC__MERGE_PARTLY].data : ""},
      {"partly", parts->part[KECS_SYNC__PARTLY_REFUSED].len ? parts->part[KECS_SYNC__PARTLY_REFUSED].data : ""},
      {"suspect_groups",
       parts->part[KECS_SYNC__SUSPECT_GROUPS].len ? parts->part[KECS_SYNC__SUSPECT_GROUPS].data : ""},
      {"delete", parts->part[KECS_SYNC__DELETE].len ? parts->part[KECS_SYNC__DELETE].data : ""},
      {"merge", parts->part[KECS_SYNC__MERGE].len ? parts->part[KECS_SYNC__MERGE].data : ""},
      {"scope_put", parts->part[KECS_SYNC__SCOPE_PUT].len ? parts->part[KECS_SYNC__SCOPE_PUT].data : ""},
      {"scope_bury", parts->part[KECS_SYNC__SCOPE_BURY].len ? parts->part[KECS_SYNC__SCOPE_BURY].data : ""},
      {"unseen", parts->part[KECS_SYNC__UNSEEN_ROWS].data},
      {"group_rules", parts->part[KECS_SYNC__GROUP_RULES].len ? parts->part[KECS_SYNC__GROUP_RULES].data : ""},
      {"u_life", KECS_SYNC__U_LIFE},
      {"t_life", KECS_SYNC__T_LIFE},
      {"claim", kecs_sync__special_text(parts, KECS_SYNC__CLAIM)},
      {"known", kecs_sync__special_text(parts, KECS_SYNC__KNOWN)},
      {"again", kecs_sync__special_text(parts, KECS_SYNC__AGAIN)},
      {"merged", kecs_sync__special_text(parts, KECS_SYNC__MERGED)},
      {"gone", kecs_sync__special_text(parts, KECS_SYNC__GONE)},
      {NULL, NULL}};
  kecs_pg__text_fill(out, form, marks);
}

/* From a kind along what goes with it. `joins` has led to `last`. */
static void kecs_sync__releases(kecs_sync__parts *parts, const kecs_kind_info *from, const char *joins,
                                const char *last, int depth) {
  char next[16];
  snprintf(next, sizeof next, "d%d", depth);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *child = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < child->reference_count; i++) {
      const kecs_reference *reference = &child->references[i];
      const kecs_pg__mark marks[] = {{"S", parts->schema},
                                     {"t", parts->info->table},
                                     {"child", child->table},
                                     {"c", child->columns[reference->column].name},
                                     {"parent", from->columns[reference->parent_column].name},
                                     {"buried", parts->part[KECS_SYNC__BURIED].data},
                                     {"same", parts->part[KECS_SYNC__SAME_KEY].data},
                                     {"joins", joins},
                                     {"last", last},
                                     {"next", next},
                                     {NULL, NULL}};
      if (reference->parent == from->kind && reference->on_delete == KECS_ON_DELETE_SET_NULL) {
        kecs_pg__text_fill(&parts->part[KECS_SYNC__DELETE], kecs_sync__release_form, marks);
      } else if (reference->parent == from->kind && child->kind != from->kind) {
        kecs_pg__text longer = {parts->part[0].allocator, NULL, 0, 0, KECS_OK};
        kecs_pg__text_adds(&longer, joins);
        kecs_pg__text_fill(&longer, kecs_sync__join_form, marks);
        if (!longer.status) {
          kecs_sync__releases(parts, child, longer.data, next, depth + 1);
        }
        parts->part[KECS_SYNC__DELETE].status = longer.status ? longer.status : parts->part[KECS_SYNC__DELETE].status;
        kecs_pg__text_free(&longer);
      }
    }
  }
}

KECS_PG__FN void kecs_sync__hub_kind(kecs_pg__text *out, const kecs_pg__connection *connection,
                                     const kecs_kind_info *info) {
  kecs_sync__parts parts;
  memset(&parts, 0, sizeof parts);
  parts.info = info;
  parts.schema = connection->home->schema;
  snprintf(parts.kind, sizeof parts.kind, "%d", (int)info->kind);
  for (int i = 0; i < KECS_SYNC__PARTS; i++) {
    parts.part[i].allocator = connection->allocator;
  }
  kecs_pg__text_adds(&parts.part[KECS_SYNC__SAME_KEY], "t.tenant=whose");
  kecs_sync__columns(&parts);
  kecs_sync__rows(&parts);
  kecs_sync__stamps(&parts);
  kecs_sync__releases(&parts, info, "", "t", 1);
  kecs_sync__fill(&parts.part[KECS_SYNC__UNSEEN_ROWS], &parts, KECS_SYNC__UNSEEN);
  kecs_sync__fill(&parts.part[KECS_SYNC__DELETE], &parts, kecs_sync__delete_form);
  if (parts.part[KECS_SYNC__PART_LATERS].len > 0) {
    kecs_sync__fill(&parts.part[KECS_SYNC__PARTLY_REFUSED], &parts, kecs_sync__partly_form);
    kecs_sync__fill(&parts.part[KECS_SYNC__MERGE_PARTLY], &parts, kecs_sync__merge_partly_form);
  }
  kecs_sync__fill(&parts.part[KECS_SYNC__SPECIAL + KECS_SYNC__KNOWN], &parts,
                  kecs_sync__hub_part(info->kind, KECS_SYNC__KNOWN));
  kecs_sync__fill(&parts.part[KECS_SYNC__MERGE], &parts, kecs_sync__merge_form);
  kecs_sync__scope_put(&parts.part[KECS_SYNC__SCOPE_PUT], parts.schema, info, parts.part[KECS_SYNC__SENT].data);
  kecs_sync__scope_bury(&parts.part[KECS_SYNC__SCOPE_BURY], parts.schema, info, parts.part[KECS_SYNC__BURIED].data);
  for (int i = 0; i < KECS_SYNC__SPECIALS; i++) {
    if (i != KECS_SYNC__KNOWN) {
      kecs_sync__fill(&parts.part[KECS_SYNC__SPECIAL + i], &parts, kecs_sync__hub_part(info->kind, i));
    }
  }
  kecs_sync__fill(out, &parts, kecs_sync__put_form);
  kecs_sync__fill(out, &parts, kecs_sync__put_notes_form);
  kecs_sync__fill(out, &parts, kecs_sync__put_merge_form);
  kecs_sync__fill(out, &parts, kecs_sync__bury_form);
  for (int i = 0; i < KECS_SYNC__PARTS; i++) {
    out->status = out->status ? out->status : parts.part[i].status;
    kecs_pg__text_free(&parts.part[i]);
  }
}
