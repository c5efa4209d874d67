/* sync/hub_kinds.c -- what is special to a kind in its functions at the hub: texts that hub_sql.c puts into its forms.
 *
 * Task definitions: a revision keeps its number for whoever was here first. What a site sends under a number that
 * another one has given, and that the site has not seen, is refused with KS004: the site finds the other definition
 * when it pulls, and registers its own anew (store/replica_revision.c). Rules: two may have swapped their priorities.
 * Target groups and listeners: elbv2_associations is made anew from their documents. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include <string.h>

/* ---- task definitions ---- */

/* The other one must not have been seen, and a row that comes in just now is not known either: {known} holds its place
 * against a later life. */
static const char kecs_sync__claim_form[] =
    "  known := ARRAY(SELECT t.rid FROM {sent} JOIN {S}{t} t ON {same});\n"
    "  claimed := ARRAY(SELECT u.s_place FROM {sent} JOIN {S}{t} t ON {same} JOIN {unseen} n ON n.rid=t.rid\n"
    "    WHERE u.s_place=ANY(every) AND ({u_life})<>({t_life}) AND (n.groups&1)<>0);\n"
    "  every := ARRAY(SELECT e FROM unnest(every) AS e WHERE e<>ALL(claimed));\n";

static const char kecs_sync__claimed_form[] =
    "  claimed := claimed||ARRAY(SELECT u.s_place FROM {sent} JOIN {S}{t} t ON {same} WHERE u.s_place=ANY(every) AND\n"
    "    ({u_life})<>({t_life}) AND t.rid<>ALL(known));\n"
    "  INSERT INTO {S}sync_refused(tenant,site,kind,key,code) SELECT whose,me,{kind},a_key[c],'KS004'\n"
    "    FROM unnest(claimed) AS c ON CONFLICT(tenant,site,kind,key) DO UPDATE SET code=excluded.code;\n"
    "  INSERT INTO {S}task_definition_families AS f(tenant,account_id,region,family,last_revision)\n"
    "    SELECT whose,u.account_id,u.region,u.family,max(u.revision) FROM {sent} WHERE u.s_mask&8=0\n"
    "    GROUP BY 2,3,4 ORDER BY 2,3,4\n"
    "    ON CONFLICT(tenant,account_id,region,family) DO UPDATE SET last_revision=excluded.last_revision\n"
    "    WHERE f.last_revision<excluded.last_revision;\n";

static const char kecs_sync__number_seen_form[] =
    "  INSERT INTO {S}task_definition_families AS f(tenant,account_id,region,family,last_revision)\n"
    "    SELECT whose,k.part[2],k.part[1],k.part[3],max(k.part[4]::bigint) FROM (SELECT regexp_matches(x,\n"
    "    '^arn:[^:]*:ecs:([^:]+):([^:]+):task-definition/(.+):([0-9]+)$') AS part FROM unnest(a_key) AS x) k\n"
    "    WHERE length(k.part[4])<10 GROUP BY 2,3,4 ORDER BY 2,3,4\n"
    "    ON CONFLICT(tenant,account_id,region,family) DO UPDATE SET last_revision=excluded.last_revision\n"
    "    WHERE f.last_revision<excluded.last_revision;\n";

/* ---- rules ---- */

/* Rows that get another number have none that could be in the way. */
#define KECS_SYNC__PARK(places)                                                                                       \
  "UPDATE {S}{t} t SET priority=-4611686018427387904-t.rid FROM {sent} WHERE {same} AND u.s_place=ANY(" places ")\n" \
  "            AND t.priority<>u.priority AND (({u_life})>({t_life}) OR (({u_life})=({t_life}) AND\n"                \
  "            (u.stamp_spec,u.site_spec)>(coalesce(t.stamp_spec,0),coalesce(t.site_spec,0))));\n"

/* Once, when all of them together did not do: none has its old one while they get their new ones. */
static const char kecs_sync__swap_form[] =
    "      IF depth=1 AND starts[1]=1 THEN\n"
    "        BEGIN\n"
    "          " KECS_SYNC__PARK("every")
    "          {merge}\n"
    "          depth := 0;\n"
    "        EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR\n"
    "          insufficient_privilege THEN\n"
    "          NULL;\n" /* by halves, then */
    "        END;\n"
    "      END IF;\n";

/* Halves have taken rows apart that have swapped their numbers, for the sake of another one that is refused. Each that
 * was refused for its number is tried together with who has that number, and so on: a ring of them goes together, a
 * queue behind a number that is free does, and nothing does behind a row that stays. */
static const char kecs_sync__crossed_form[] =
    "  LOOP\n"
    "    able := ARRAY(SELECT u.s_place FROM {sent} LEFT JOIN {S}{t} t ON {same} LEFT JOIN {S}{t} h ON\n"
    "      h.tenant=whose AND h.listener_arn=coalesce(u.listener_arn,t.listener_arn) AND h.priority=u.priority\n"
    "      WHERE u.s_place=ANY(crossed) AND (h.rid IS NULL OR h.arn IN(SELECT a_key[c] FROM unnest(crossed) AS c)));\n"
    "    EXIT WHEN cardinality(able)=0;\n"
    "    middle := cardinality(crossed);\n"
    "    FOREACH one IN ARRAY able LOOP\n"
    "      CONTINUE WHEN one<>ALL(crossed);\n"
    "      these := ARRAY(WITH RECURSIVE u AS MATERIALIZED (SELECT * FROM {sent} WHERE u.s_place=ANY(crossed)),\n"
    "        behind(place) AS (SELECT one UNION SELECT o.s_place FROM behind b JOIN u ON u.s_place=b.place\n"
    "        LEFT JOIN {S}{t} t ON {same} JOIN {S}{t} h ON h.tenant=whose AND\n"
    "        h.listener_arn=coalesce(u.listener_arn,t.listener_arn) AND h.priority=u.priority\n"
    "        JOIN u AS o ON o.arn=h.arn) SELECT place FROM behind);\n"
    "      BEGIN\n"
    "          " KECS_SYNC__PARK("these")
    "        {merge}\n"
    "        DELETE FROM {S}sync_refused r WHERE r.tenant=whose AND r.site=me AND r.kind={kind} AND\n"
    "          r.key IN(SELECT a_key[c] FROM unnest(these) AS c);\n"
    "        crossed := ARRAY(SELECT c FROM unnest(crossed) AS c WHERE c<>ALL(these));\n"
    "      EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR\n"
    "        insufficient_privilege THEN\n"
    "        NULL;\n" /* it stays refused */
    "      END;\n"
    "    END LOOP;\n"
    "    EXIT WHEN cardinality(crossed)=middle;\n"
    "  END LOOP;\n";

/* ---- load balancing ---- */

static const char kecs_sync__group_links_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.target_group_arn=ANY(a_key) AND\n"
    "    a.listener_arn='';\n"
    "  INSERT INTO {S}elbv2_associations(tenant,target_group_arn,load_balancer_arn,listener_arn)\n"
    "    SELECT DISTINCT whose,t.arn,l.arn,'' FROM {S}{t} t CROSS JOIN LATERAL unnest({S}sync_links(\n"
    "    t.load_balancer_arns,'')) AS l(arn) WHERE t.tenant=whose AND t.arn=ANY(a_key) ORDER BY 2,3\n"
    "    ON CONFLICT DO NOTHING;\n";

static const char kecs_sync__listener_links_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.listener_arn=ANY(a_key) AND a.listener_arn<>'';\n"
    "  INSERT INTO {S}elbv2_associations(tenant,target_group_arn,load_balancer_arn,listener_arn)\n"
    "    SELECT DISTINCT whose,l.arn,t.load_balancer_arn,t.arn FROM {S}{t} t CROSS JOIN LATERAL unnest({S}sync_links(\n"
    "    t.default_actions,'TargetGroupArn')) AS l(arn) WHERE t.tenant=whose AND t.arn=ANY(a_key) ORDER BY 2,4\n"
    "    ON CONFLICT DO NOTHING;\n";

/* Listeners go with it; a group that still names it says what it says. */
static const char kecs_sync__balancer_gone_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.load_balancer_arn=ANY(a_key) AND\n"
    "    a.listener_arn<>'' AND NOT EXISTS(SELECT FROM {S}elbv2_listeners l WHERE l.tenant=whose AND "
    "l.arn=a.listener_arn);\n";

static const char kecs_sync__group_gone_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.target_group_arn=ANY(a_key) AND\n"
    "    a.listener_arn='' AND NOT EXISTS(SELECT FROM {S}{t} t WHERE t.tenant=whose AND t.arn=a.target_group_arn);\n";

static const char kecs_sync__listener_gone_form[] =
    "  DELETE FROM {S}elbv2_associations a WHERE a.tenant=whose AND a.listener_arn=ANY(a_key) AND a.listener_arn<>''\n"
    "    AND NOT EXISTS(SELECT FROM {S}{t} t WHERE t.tenant=whose AND t.arn=a.listener_arn);\n";

/* The strings of an array, or those of all members of a name at any depth. A text that is no JSON has none. */
static const char kecs_sync__links_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_links(document text,name text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS\n"
    "$kecs_sync$\n"
    "BEGIN\n"
    "  IF coalesce(document,'')='' THEN\n"
    "    RETURN '{none}';\n"
    "  END IF;\n"
    "  RETURN ARRAY(WITH RECURSIVE w(depth,name,v) AS (SELECT 0,''::text,document::json UNION ALL\n"
    "    SELECT w.depth+1,x.name,x.v FROM w CROSS JOIN LATERAL (\n"
    "      SELECT e.key AS name,e.value AS v FROM json_each(CASE json_typeof(w.v) WHEN 'object' THEN w.v ELSE\n"
    "      '{none}' END) e UNION ALL SELECT '',a FROM json_array_elements(CASE json_typeof(w.v) WHEN 'array' THEN w.v\n"
    "      ELSE '[]' END) a) x)\n"
    "    SELECT w.v#>>'{none}' FROM w WHERE json_typeof(w.v)='string' AND w.name=sync_links.name AND (w.name<>'' OR\n"
    "    (w.depth=1 AND json_typeof(document::json)='array')));\n"
    "EXCEPTION WHEN data_exception OR statement_too_complex THEN\n"
    "  RETURN '{none}';\n"
    "END $kecs_sync$;\n";

/* ---- the table ---- */

typedef struct kecs_sync__hub_special {
  kecs_kind kind;
  const char *text[KECS_SYNC__SPECIALS];
} kecs_sync__hub_special;

static const kecs_sync__hub_special kecs_sync__hub_specials[] = {
    {KECS_KIND_TASK_DEFINITION,
     {kecs_sync__claim_form, " AND t.rid=ANY(known)", "", "", kecs_sync__claimed_form, kecs_sync__number_seen_form}},
    {KECS_KIND_RULE, {"", "", kecs_sync__swap_form, kecs_sync__crossed_form, "", ""}},
    {KECS_KIND_LOAD_BALANCER, {"", "", "", "", "", kecs_sync__balancer_gone_form}},
    {KECS_KIND_TARGET_GROUP, {"", "", "", "", kecs_sync__group_links_form, kecs_sync__group_gone_form}},
    {KECS_KIND_LISTENER, {"", "", "", "", kecs_sync__listener_links_form, kecs_sync__listener_gone_form}},
};

KECS_PG__FN const char *kecs_sync__hub_part(kecs_kind kind, int part) {
  for (size_t i = 0; i < sizeof kecs_sync__hub_specials / sizeof kecs_sync__hub_specials[0]; i++) {
    if (kecs_sync__hub_specials[i].kind == kind) {
      return kecs_sync__hub_specials[i].text[part];
    }
  }
  return "";
}

/* A task's family is what its reference says, without the revision; see kecs__family_of. By functions of strings: one
 * that takes patterns costs a tenth of what writing the row does. */
static const char kecs_sync__family_form[] =
    "(SELECT CASE WHEN f.name NOT LIKE 'arn:%' THEN f.name WHEN f.name LIKE 'arn:%:task-definition/%'\n"
    "    THEN substr(f.name,strpos(f.name,':task-definition/')+17) ELSE '' END FROM (SELECT CASE WHEN\n"
    "    r.bare<>r.whole AND right(r.bare,1)=':' THEN left(r.bare,-1) ELSE r.whole END AS name FROM (SELECT\n"
    "    u.task_definition_arn AS whole,rtrim(u.task_definition_arn,'0123456789') AS bare OFFSET 0) r OFFSET 0) f)";

KECS_PG__FN const char *kecs_sync__hub_derived(const kecs_kind_info *info, const kecs_column_info *column) {
  return info->kind == KECS_KIND_TASK && column == &info->columns[KECS_TASK_FAMILY] ? kecs_sync__family_form : NULL;
}

KECS_PG__FN void kecs_sync__hub_helpers(kecs_pg__text *out, const kecs_pg__connection *connection) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema}, {"text", connection->home->dialect.type_text}, {"none", "{}"}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__links_form, marks);
  kecs_pg__text_fill(
      out,
      "CREATE OR REPLACE FUNCTION {S}sync_families(whose text,accounts text[],regions text[],families text[],\n"
      "revisions bigint[]) RETURNS void LANGUAGE sql AS $kecs_sync$\n"
      "  INSERT INTO {S}task_definition_families AS f(tenant,account_id,region,family,last_revision)\n"
      "  SELECT whose,x.a,x.b,x.c,x.d FROM unnest(accounts,regions,families,revisions) AS x(a,b,c,d)\n"
      "  WHERE current_setting('kecs_store.push',true)='open' AND {S}sync_sees(whose,\n"
      "  current_setting('kecs_store.sender')::bigint,0,'-') ORDER BY 2,3,4\n"
      "  ON CONFLICT(tenant,account_id,region,family) DO UPDATE SET last_revision=excluded.last_revision\n"
      "  WHERE f.last_revision<excluded.last_revision\n"
      "$kecs_sync$;\n",
      marks);
}
