/* sync/hub_policy.c -- the rules of who may write, at the hub: texts.
 *
 * A push says by sync_policy which rules its site goes by for a kind, and what they need of its rows: the stamps that
 * edits are based on, and the fences that they were written under. The hub may have rules of its own, in sync_policies;
 * they come first. A row with a group that is refused is left alone as a whole, and stands in sync_refused with the
 * groups; the site takes the hub's, and sends what is left. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

static const char kecs_sync__policies_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_policies(tenant {text} NOT NULL,kind bigint NOT NULL,rules jsonb NOT NULL,"
    "PRIMARY KEY(tenant,kind));\n"
    "CREATE OR REPLACE FUNCTION {S}sync_rules(whose text,what bigint) RETURNS jsonb LANGUAGE plpgsql STABLE\n"
    "AS $kecs_sync$\n" /* in SQL it would be planned anew with each call */
    "BEGIN\n"
    "  RETURN nullif(coalesce(nullif(current_setting('kecs_store.policy_'||what,true),'')::jsonb,'{none}')||coalesce(\n"
    "    (SELECT p.rules FROM {S}sync_policies p WHERE p.tenant=whose AND p.kind=what),'{none}'),'{none}');\n"
    "END $kecs_sync$;\n"
    "CREATE OR REPLACE FUNCTION {S}sync_policy(what bigint,life text,spec text,status text,spec_fence text,\n"
    "status_fence text,keys text[],specs bigint[],statuses bigint[],spec_fences text[],status_fences text[])\n"
    "RETURNS void LANGUAGE plpgsql AS $kecs_sync$\n"
    "BEGIN\n"
    "  PERFORM set_config('kecs_store.policy_'||what,jsonb_strip_nulls(jsonb_build_object('life',life,'spec',spec,\n"
    "    'status',status,'spec_fence',spec_fence,'status_fence',status_fence,'rows',(SELECT jsonb_object_agg(x.k,\n"
    "    jsonb_build_array(x.a,x.b,x.c,x.d)) FROM unnest(keys,specs,statuses,spec_fences,status_fences)\n"
    "    AS x(k,a,b,c,d))))::text,true);\n"
    "END $kecs_sync$;\n";

KECS_PG__FN void kecs_sync__hub_policies(kecs_pg__text *out, const kecs_pg__connection *connection) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema}, {"text", connection->home->dialect.type_text}, {"none", "{}"}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__policies_form, marks);
}

/* {g} the group, {bit} of it, {n} its place in the rows' arrays, {f} its fence's there; {moves}: what came moves the
 * fence itself. */
static const char kecs_sync__rules_form[] =
    "|CASE WHEN (u.s_mask&{bit})=0 OR (u.stamp_{g},u.site_{g})=(coalesce(t.stamp_{g},0),coalesce(t.site_{g},0)) THEN "
    "0\n"
    "      WHEN policy->>'{g}' IN('hub','append') THEN {bit}\n"
    "      WHEN policy->>'{g}'='compare' AND coalesce((policy->'rows'->u.s_key->>{n})::bigint,0)<>\n"
    "      coalesce(t.stamp_{g},0) THEN {bit}\n"
    "      WHEN policy->>'{g}'='owner' AND (policy->'rows'->u.s_key->>{f}) IS DISTINCT FROM (row_to_json(t)->>\n"
    "      (policy->>'{g}_fence')){moves} THEN {bit} ELSE 0 END";

KECS_PG__FN void kecs_sync__hub_rules(kecs_pg__text *out, int group, bool other) {
  static const char *const moves[] = {
      " AND NOT((u.s_mask&4)<>0 AND (u.stamp_status,u.site_status)>(coalesce(t.stamp_status,0),"
      "coalesce(t.site_status,0)))",
      " AND NOT((u.s_mask&2)<>0 AND (u.stamp_spec,u.site_spec)>(coalesce(t.stamp_spec,0),coalesce(t.site_spec,0)))"};
  const kecs_pg__mark marks[] = {
      {"g", group ? "status" : "spec"}, {"bit", group ? "4" : "2"},           {"n", group ? "1" : "0"},
      {"f", group ? "3" : "2"},         {"moves", other ? moves[group] : ""}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__rules_form, marks);
}
