/* sync/hub_gate.c -- the texts of the gate: for edges that share a login without any right on tables.
 *
 * Each function that an edge calls has a twin, gate_X(token, site, ...) for sync_X(...), which runs as its owner: it
 * compares the token with what is kept of it, sees to it that the call is about the token's own site, and calls the
 * other. The token comes with every call, so no setting, table or transaction says who somebody is. Twins are made from
 * the catalogue, of the functions that are named here and of no others. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include "pg/log_sql.h"

/* A token is kept as its hash. A site that has none costs as much time as one that has another. */
static const char kecs_sync__token_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_tokens(tenant {text} NOT NULL,site {text} NOT NULL,hash bytea NOT NULL,\n"
    "made timestamptz NOT NULL DEFAULT now(),PRIMARY KEY(tenant,site));\n"
    "CREATE OR REPLACE FUNCTION {S}sync_check(whose text,who text,token text) RETURNS bigint LANGUAGE plpgsql STABLE\n"
    "SET search_path=pg_catalog,pg_temp AS $kecs_sync$\n"
    "DECLARE\n"
    "  given bytea := sha256(convert_to(coalesce(token,''),'UTF8'));\n"
    "  kept bytea;\n"
    "  differs integer := 0;\n"
    "BEGIN\n"
    "  SELECT t.hash INTO kept FROM {S}sync_tokens t WHERE t.tenant=whose AND t.site={S}sync_base(who);\n"
    "  IF kept IS NULL THEN\n"
    "    differs := 1;\n"
    "    kept := given;\n"
    "  END IF;\n"
    "  FOR i IN 0..31 LOOP\n"
    "    differs := differs|(get_byte(given,i)#get_byte(kept,i));\n"
    "  END LOOP;\n"
    "  IF differs<>0 THEN\n"
    "    RAISE EXCEPTION 'the token is not that of the site' USING ERRCODE='KS006';\n"
    "  END IF;\n"
    "  RETURN (SELECT s.site FROM {S}sync_sites s WHERE s.tenant=whose AND s.name=who);\n"
    "END $kecs_sync$;\n";

/* $1 is the token, $2 the site's name, and from $3 on come the other's arguments, of which the first is the tenant. A
 * deletion may bear another site's number. */
static const char kecs_sync__gate_form[] =
    "DO $kecs_gate$\n"
    "DECLARE\n"
    "  f record;\n"
    "  calls text;\n"
    "  gives text;\n"
    "  does text;\n"
    "BEGIN\n"
    "  FOR f IN SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid=p.pronamespace\n"
    "      WHERE n.nspname={tables} AND p.proname ~ '^gate_' LOOP\n"
    "    EXECUTE 'DROP FUNCTION '||f.name;\n"
    "  END LOOP;\n"
    "  FOR f IN SELECT p.proname,p.proretset,p.prorettype,p.proallargtypes,p.proargmodes,p.proargnames,\n"
    "      (SELECT string_agg(format_type(x.type,NULL),',' ORDER BY x.place) FROM unnest(p.proargtypes::oid[]) WITH\n"
    "      ORDINALITY AS x(type,place)) AS types,p.pronargs\n"
    "      FROM pg_proc p JOIN pg_namespace n ON n.oid=p.pronamespace WHERE n.nspname={tables} AND p.proname ~\n"
    "      '^sync_(hello|number|told|scopes|window|begin|end|tombs|counters|families|changed|"
    "(append|put|load|stage|bury|rows|found|page|graves|buried|digest|compare)_.*)$'\n"
    "  LOOP\n"
    "    calls := format('%I.%I(%s)',{tables}::text,f.proname,\n"
    "      (SELECT string_agg('$'||x+2,',' ORDER BY x) FROM generate_series(1,f.pronargs) AS x));\n"
    "    SELECT string_agg(format('%I %s',coalesce(nullif(f.proargnames[x],''),'c'||x),\n"
    "      format_type(f.proallargtypes[x],NULL)),',' ORDER BY x) INTO gives\n"
    "      FROM generate_subscripts(f.proargmodes,1) AS x WHERE f.proargmodes[x] IN ('o','t');\n"
    "    does := CASE WHEN f.prorettype='void'::regtype THEN 'PERFORM '||calls\n"
    "      WHEN gives IS NULL THEN 'RETURN '||calls ELSE 'RETURN QUERY SELECT * FROM '||calls END;\n"
    "    EXECUTE format('CREATE FUNCTION %I.%I(text,text,%s) RETURNS %s LANGUAGE plpgsql SECURITY DEFINER '||\n"
    "      'SET search_path=pg_catalog,pg_temp AS %L',{tables}::text,'gate_'||substr(f.proname,6),f.types,\n"
    "      CASE WHEN gives IS NULL THEN format_type(f.prorettype,NULL) ELSE 'TABLE('||gives||')' END,\n"
    "      format('#variable_conflict use_column%sDECLARE number bigint := %I.sync_check($3,$2,$1);%sBEGIN%s',\n"
    "      chr(10),{tables}::text,chr(10),chr(10))||\n"
    "      CASE WHEN f.proargnames[2]='me' AND f.proname !~ '^sync_bury_' THEN\n"
    "        'IF $4 IS DISTINCT FROM number'\n"
    "      WHEN f.proargnames[2]='who' THEN 'IF $4 IS DISTINCT FROM $2' ELSE 'IF number IS NULL' END||\n"
    "      ' THEN RAISE EXCEPTION ''the token is not that of the site'' USING ERRCODE=''KS006''; END IF;'||\n"
    "      chr(10)||\n"
    "      'PERFORM set_config(''kecs_store.sender'',number::text,true),'||\n"
    "      'set_config(''kecs_store.merge'',''off'',true)'||\n"
    "      CASE WHEN f.proname ~ '^sync_(put|load)_' THEN\n"
    "        ',set_config(''kecs_store.site'',number::text,true)' ELSE '' END||';'||chr(10)||does||';'||\n"
    "        chr(10)||'END');\n"
    "  END LOOP;\n"
    "END $kecs_gate$;\n";

KECS_PG__FN void kecs_sync__hub_tokens(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__token_form);
}

KECS_PG__FN void kecs_sync__hub_gates(kecs_pg__text *out, const kecs_pg__connection *connection) {
  kecs_pg__log_text(out, connection, kecs_sync__gate_form);
}
