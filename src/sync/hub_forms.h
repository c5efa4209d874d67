/* sync/hub_forms.h -- what hub_sql.c makes a kind's two functions of: texts with marks. */
#ifndef KECS_SYNC_HUB_FORMS_H
#define KECS_SYNC_HUB_FORMS_H
#include "pg/internal.h"

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

/* What both have that take a kind's rows: as arrays, or out of the table that they were copied to (hub_load.c). */
#define KECS_SYNC__PUT_VARIABLES                                                 \
  "  these bigint[];\n" /* places that are merged now; NULL: all */              \
  "  every bigint[];\n"                                                          \
  "  suspects bigint[];\n"                                                       \
  "  met bigint := 0;\n" /* rows that are there already, as far as is known */   \
  "  fresh bigint;\n"                                                            \
  "  parts boolean;\n" /* of some rows only some groups came */                  \
  "  starts bigint[];\n"                                                         \
  "  ends bigint[];\n"                                                           \
  "  depth integer := 1;\n"                                                      \
  "  middle bigint;\n"                                                           \
  "  known bigint[] := '{none}';\n"                                              \
  "  crossed bigint[] := '{none}';\n" /* places whose unique keys others have */ \
  "  able bigint[];\n"                                                           \
  "  one bigint;\n"                                                              \
  "  policy jsonb;\n"                                                            \
  "  claimed bigint[] := '{none}';\n"                                            \
  "  now_us bigint := (date_part('epoch',clock_timestamp())*1000000)::bigint;\n"

static const char kecs_sync__put_arrays_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_put_{t};\n"
    "CREATE FUNCTION {S}sync_put_{t}(whose text,me bigint,since bigint,a_key text[],a_mask bigint[],a_life bigint[],\n"
    "a_life_site bigint[],a_spec bigint[],a_spec_site bigint[],a_status bigint[],a_status_site bigint[]{arguments})\n"
    /* Compiling a plan takes longer than any of these runs, and so does planning the search for suspects. */
    "RETURNS void LANGUAGE plpgsql SET jit=off SET plan_cache_mode=force_generic_plan AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n" KECS_SYNC__PUT_VARIABLES "BEGIN\n" KECS_SYNC__OPEN "{scope_put}";

static const char kecs_sync__put_form[] =
    "  PERFORM {S}sync_clock((SELECT max(greatest(a,b,c)) FROM unnest(a_life,a_spec,a_status) AS x(a,b,c)));\n"
    "  every := ARRAY(SELECT generate_series(1,cardinality(a_life)));\n"
    /* A plan that was made while the table was empty may go by an index of the tenant alone: few rows bear that, many
     * are planned for by what the table is now. */
    "  IF cardinality(a_life)>50 THEN PERFORM set_config('plan_cache_mode','force_custom_plan',true); END IF;\n"
    /* Locks in the order of keys. LATERAL: row by row through the index. A join would read the whole tenant where
     * nothing has counted the table yet. Most batches are all new, and then nothing is compared. */
    "  SELECT count(*) INTO met FROM (SELECT u.* FROM {keys} ORDER BY {u_key}) u CROSS JOIN LATERAL (SELECT FROM\n"
    "    {S}{t} t WHERE {same} FOR NO KEY UPDATE) t;\n"
    "  parts := EXISTS(SELECT FROM unnest(a_mask) m WHERE m&8<>0);\n"
    /* Which rows meet more than what their site has seen or written itself. */
    "  IF met>0 THEN\n"
    "  SELECT array_agg(u.s_place) INTO suspects FROM (SELECT u.* FROM {keys}) u CROSS JOIN LATERAL (SELECT t.* FROM\n"
    "    {S}{t} t WHERE {same}) t WHERE (" KECS_SYNC__U_LIFE ")<>(" KECS_SYNC__T_LIFE "){suspect_groups};\n"
    "  END IF;\n"
    "  PERFORM set_config('plan_cache_mode','auto',true);\n" /* what follows goes by the numbers */
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
    /* What an update would do need not be prepared for rows that are new. A row that somebody brings meanwhile is left
     * out, and merged after that. */
    "      IF met=0 AND NOT parts THEN\n"
    "        {insert}\n"
    "        GET DIAGNOSTICS fresh=ROW_COUNT;\n"
    "        met := coalesce(cardinality(these),cardinality(a_life))-fresh;\n"
    "      END IF;\n"
    "      IF met>0 OR parts THEN\n"
    "      {merge}\n"
    "      END IF;\n"
    "      depth := depth-1;\n"
    "    EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR "
    "insufficient_privilege THEN\n"
    "{again}"
    "      IF depth>0 AND starts[depth]=ends[depth] THEN\n"
    "        INSERT INTO {S}sync_refused(tenant,site,kind,key,code) VALUES(whose,me,{kind},\n"
    "          a_key[every[starts[depth]]],SQLSTATE)\n"
    "          ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "        IF SQLSTATE='23505' THEN\n"
    "          crossed := crossed||every[starts[depth]];\n"
    "        END IF;\n"
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
    "{crossed}"
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

static const char kecs_sync__insert_form[] =
    "INSERT INTO {S}{t} AS t(tenant,{names}{local_names},{stamp_names})\n"
    "        SELECT whose,{u_names}{local_values},{stamp_values} FROM {sent} WHERE these IS NULL OR\n"
    "        u.s_place=ANY(these){order} ON CONFLICT(tenant,{key}) DO NOTHING;";

static const char kecs_sync__merge_form[] =
    "INSERT INTO {S}{t} AS t(tenant,{names}{local_names},{stamp_names})\n"
    "    SELECT whose,{u_names}{local_values},{stamp_values} FROM {sent} WHERE (these IS NULL OR\n"
    "    u.s_place=ANY(these)) AND u.s_mask&8=0{order}\n"
    "    ON CONFLICT(tenant,{key}) DO UPDATE SET {sets}\n"
    "    WHERE (" KECS_SYNC__LATER "{known}){or_groups};{merge_partly}";

/* Rows of which only some groups came (a mask with 8): those that meet a row of their life. Where there is none, they
 * are refused with KS010, and the edge sends the row whole. */
static const char kecs_sync__partly_form[] =
    "  IF parts THEN\n"
    "    INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT whose,me,{kind},u.s_key,'KS010' FROM {sent}\n"
    "      WHERE u.s_mask&8<>0 AND u.s_place=ANY(every) AND NOT EXISTS(SELECT FROM {S}{t} t WHERE {same} AND\n"
    "      (" KECS_SYNC__T_LIFE ")>=(" KECS_SYNC__U_LIFE ")) ON CONFLICT(tenant,site,kind,key) DO UPDATE SET "
    "code=excluded.code;\n"
    "  END IF;\n";

static const char kecs_sync__merge_partly_form[] =
    "\n      IF parts THEN\n"
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
    "  last bigint;\n"
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

/* What goes with a row that goes. What the site knew of when it deleted the row it has deleted itself, and that was
 * done before; whatever is left it had not seen, so all of it is kept. {next} is a row of the kind {kind}, {key_text}
 * its key. */
static const char kecs_sync__along_form[] =
    "SELECT whose,{kind},{key_text},1,'parent',u.s_stamp,me,coalesce({next}.stamp_life,0),\n"
    "      coalesce({next}.site_life,0),row_to_json({next})::text,me,now_us FROM {buried} JOIN {S}{t} t ON "
    "{same}{joins}\n"
    "      WHERE u.s_key=ANY(these) AND (u.s_stamp,me)>(" KECS_SYNC__T_LIFE ")";

static const char kecs_sync__join_form[] =
    " JOIN {S}{child} {next} ON {next}.tenant=whose AND {next}.{c}={last}.{parent}";

static const char kecs_sync__delete_form[] =
    "DELETE FROM {S}{t} t USING {buried} WHERE {same} AND u.s_key=ANY(these) AND (u.s_stamp,me)>(" KECS_SYNC__T_LIFE
    ");";

/* Before the deletion, in its subtransaction. The stamps of what goes along are this hub's, so the tombstones bear its
 * number and not the site's, which may give the same stamp at any time. */
static const char kecs_sync__keep_along_form[] =
    KECS_SYNC__NOTE "\n      {along};\n"
    "    last := coalesce((SELECT max(q.id) FROM {S}change_queue q WHERE q.tenant=whose),0);\n    ";

static const char kecs_sync__own_along_form[] =
    "\n    UPDATE {S}change_queue q SET site=NULL WHERE q.tenant=whose AND q.id>last AND q.batch=txid_current() AND\n"
    "      q.op=3 AND q.kind<>{kind};";

#endif
