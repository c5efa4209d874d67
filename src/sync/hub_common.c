/* sync/hub_common.c -- the texts of what a hub has for no kind alone: tables, handshake, and a push's begin and end. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include "pg/log_sql.h"

#include <stdio.h>
#include <string.h>

static const char kecs_sync__tables_form[] =
    "CREATE TABLE IF NOT EXISTS {S}sync_hubs(tenant {text} NOT NULL PRIMARY KEY,id uuid NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_sites(tenant {text} NOT NULL,site bigint NOT NULL,name {text} NOT NULL,"
    "pushes bigint NOT NULL DEFAULT 0,push {text} NOT NULL DEFAULT '',previous {text} NOT NULL DEFAULT '',"
    "acked bigint NOT NULL DEFAULT 0,seen timestamptz NOT NULL DEFAULT now(),PRIMARY KEY(tenant,site),"
    "UNIQUE(tenant,name));\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_refused(tenant {text} NOT NULL,site bigint NOT NULL,kind bigint NOT NULL,"
    "key {text} NOT NULL,code {text} NOT NULL,PRIMARY KEY(tenant,site,kind,key));\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_conflicts(tenant {text} NOT NULL,id bigint GENERATED ALWAYS AS IDENTITY,"
    "kind bigint NOT NULL,key {text} NOT NULL,groups bigint NOT NULL,reason {text} NOT NULL,kept_stamp bigint NOT NULL,"
    "kept_site bigint NOT NULL,lost_stamp bigint NOT NULL,lost_site bigint NOT NULL,lost {text} NOT NULL,"
    "site bigint NOT NULL,at bigint NOT NULL,PRIMARY KEY(tenant,id));\n"
    /* Each push asks for deletions that have no number yet, among all that wait for one. */
    "CREATE INDEX IF NOT EXISTS change_queue_graves ON {S}change_queue(tenant,kind) WHERE op=3;\n";

/* The clock is never behind what was merged. As its owner, since the clock is everybody's. */
static const char kecs_sync__clock_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_clock(top bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER\n"
    "SET search_path=pg_catalog,pg_temp AS $kecs_sync$\n"
    "DECLARE\n"
    "  wall bigint := (date_part('epoch',clock_timestamp())*65536000)::bigint;\n"
    "BEGIN\n"
    "  IF top>wall+300::bigint*65536000 THEN\n"
    "    RAISE EXCEPTION 'the clock of the site is % seconds ahead of the hub''s; set it, and sync again',\n"
    "      (top-wall)/65536000 USING ERRCODE='KS002';\n"
    "  END IF;\n"
    "  IF top>nextval({clock}) THEN\n"
    "    PERFORM setval({clock},top);\n"
    "  END IF;\n"
    "END $kecs_sync$;\n";

/* For a site's name, or for all of the tenant: ''. The stricter one holds; NULL: nobody has said anything. */
static const char kecs_sync__limits_form[] =
    "ALTER TABLE {S}sync_sites ADD COLUMN IF NOT EXISTS cursor bigint NOT NULL DEFAULT 0;\n"
    "CREATE TABLE IF NOT EXISTS {S}sync_limits(tenant {text} NOT NULL,site {text} NOT NULL,\n"
    "every_ms bigint NOT NULL DEFAULT 0,batch bigint NOT NULL DEFAULT 0,pause {text},PRIMARY KEY(tenant,site));\n"
    "DROP FUNCTION IF EXISTS {S}sync_limits_of;\n"
    "CREATE FUNCTION {S}sync_limits_of(whose text,who text,OUT every_ms bigint,OUT batch bigint,OUT pause text)\n"
    "LANGUAGE plpgsql STABLE AS $kecs_sync$\n" /* in SQL it would be planned anew with each handshake */
    "#variable_conflict use_column\n"
    "BEGIN\n"
    "  SELECT max(l.every_ms),coalesce(min(nullif(l.batch,0)),CASE WHEN count(*)>0 THEN 0 END),\n"
    "    coalesce(string_agg(l.pause,'; ' ORDER BY l.site),CASE WHEN count(*)>0 THEN '' END)\n"
    "    INTO every_ms,batch,pause FROM {S}sync_limits l WHERE l.tenant=whose AND l.site IN ('',{S}sync_base(who));\n"
    "END $kecs_sync$;\n";

static const char kecs_sync__hello_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_version() RETURNS text LANGUAGE sql AS $kecs_sync$ SELECT '{version}'::text "
    "$kecs_sync$;\n"
    "DROP FUNCTION IF EXISTS {S}sync_hello;\n"
    "CREATE FUNCTION {S}sync_hello(whose text,who text,since bigint,since_id text,number bigint,OUT hub text,\n"
    "OUT site bigint,OUT push text,OUT now_us bigint,OUT head bigint,OUT head_id text,OUT floor bigint,\n"
    "OUT fits boolean,OUT pushes bigint,OUT retention bigint,OUT changed bigint,\n"
    "OUT limits text) LANGUAGE plpgsql AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "BEGIN\n"
    "  INSERT INTO {S}sync_hubs(tenant,id) VALUES(whose,{uuid}) ON CONFLICT DO NOTHING;\n"
    "  PERFORM {S}sync_history(whose);\n"
    "  UPDATE {S}sync_sites s SET seen=now(),cursor=since WHERE s.tenant=whose AND s.name=who RETURNING "
    "s.site,s.push,s.pushes\n"
    "    INTO site,push,pushes;\n"
    "  IF NOT FOUND THEN\n"
    "    PERFORM 1 FROM {S}sync_hubs h WHERE h.tenant=whose FOR UPDATE;\n"
    /* The number that it had before the hub went back, if that is free; else a new one, some way above the others, so
     * that it is not one of a site that the hub has forgotten. */
    "    INSERT INTO {S}sync_sites(tenant,site,name) SELECT whose,CASE WHEN number>0 AND NOT EXISTS(SELECT FROM\n"
    "      {S}sync_sites s WHERE s.tenant=whose AND s.site=number) THEN number ELSE 1+coalesce((SELECT max(s.site)\n"
    "      FROM {S}sync_sites s WHERE s.tenant=whose),0)+floor(random()*1048576)::bigint END,who\n"
    "      RETURNING sync_sites.site,sync_sites.push,sync_sites.pushes INTO site,push,pushes;\n"
    "  END IF;\n"
    "  SELECT h.id::text INTO hub FROM {S}sync_hubs h WHERE h.tenant=whose;\n"
    "  SELECT h.seq INTO head FROM {S}change_heads h WHERE h.tenant=whose AND h.tracked;\n"
    "  IF head IS NULL THEN\n"
    "    RAISE EXCEPTION 'the tenant is not a hub: run kecs hub init' USING ERRCODE='KS003';\n"
    "  END IF;\n"
    "  head_id := coalesce((SELECT b.id::text FROM {S}change_batches b WHERE b.tenant=whose AND b.seq>=head\n"
    "    ORDER BY b.seq LIMIT 1),'');\n"
    "  floor := coalesce((SELECT s.value FROM {S}change_state s WHERE s.tenant=whose AND s.id=1),0);\n"
    "  retention := (SELECT s.value FROM {S}change_state s WHERE s.tenant=whose AND s.id=10);\n"
    "  changed := (SELECT s.value FROM {S}change_state s WHERE s.tenant=whose AND s.id=11);\n"
    "  limits := (SELECT x.every_ms||' '||x.batch||' '||x.pause FROM {S}sync_limits_of(whose,who) x);\n"
    "  now_us := (date_part('epoch',clock_timestamp())*1000000)::bigint;\n"
    "  fits := since<=head AND (since_id='' OR since_id=coalesce((SELECT b.id::text FROM {S}change_batches b\n"
    "    WHERE b.tenant=whose AND b.seq>=since ORDER BY b.seq LIMIT 1),''));\n"
    "END $kecs_sync$;\n"
    /* Up to a batch's end, where that is not too far; with the batch that the last entry is in. */
    "DROP FUNCTION IF EXISTS {S}sync_window;\n"
    "CREATE FUNCTION {S}sync_window(whose text,since bigint,page bigint,OUT until bigint,OUT until_id text,\n"
    "OUT kinds bigint) LANGUAGE plpgsql STABLE AS $kecs_sync$\n"
    "DECLARE\n"
    "  head bigint := coalesce((SELECT h.seq FROM {S}change_heads h WHERE h.tenant=whose),0);\n"
    "BEGIN\n"
    "  until := greatest(since,least(head,since+10*page,coalesce((SELECT b.seq FROM {S}change_batches b\n"
    "    WHERE b.tenant=whose AND b.seq>=since+page ORDER BY b.seq LIMIT 1),head)));\n"
    "  until_id := coalesce((SELECT b.id::text FROM {S}change_batches b WHERE b.tenant=whose AND b.seq>=until\n"
    "    ORDER BY b.seq LIMIT 1),'');\n"
    "  kinds := coalesce((SELECT bit_or(1::bigint<<c.kind::integer) FROM {S}changes c WHERE c.tenant=whose AND "
    "c.seq>since\n"
    "    AND c.seq<=until),0);\n"
    "END $kecs_sync$;\n";

/* The compare-and-swap, and with it the note of the push, which the COMMIT makes true. What follows in the transaction
 * asks kecs_store.push whether it is to do anything. */
static const char kecs_sync__push_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_begin;\n"
    "CREATE FUNCTION {S}sync_begin(whose text,me bigint,id text,before text,buries boolean,upto bigint) RETURNS void\n"
    "LANGUAGE plpgsql AS $kecs_sync$\n"
    "BEGIN\n"
    "  UPDATE {S}sync_sites s SET pushes=s.pushes+1,push=id,previous=s.push,acked=greatest(s.acked,upto),seen=now()\n"
    "    WHERE s.tenant=whose AND s.site=me AND s.push=before AND s.push<>id;\n"
    "  IF NOT FOUND THEN\n"
    "    IF NOT EXISTS(SELECT FROM {S}sync_sites s WHERE s.tenant=whose AND s.site=me AND s.push=id) THEN\n"
    "      RAISE EXCEPTION 'the site''s last push is another one' USING ERRCODE='KS001';\n"
    "    END IF;\n"
    "    PERFORM set_config('kecs_store.sender',me::text,true),set_config('kecs_store.push','known',true);\n"
    "    RETURN;\n"
    "  END IF;\n"
    "  PERFORM set_config('kecs_store.sender',me::text,true),set_config('kecs_store.push','open',true),\n"
    "    set_config('kecs_store.site',me::text,true),CASE WHEN buries THEN\n"
    "    pg_advisory_xact_lock(hashtextextended('kecs_sync '||{tables}||'/'||whose,0)) ELSE\n"
    "    pg_advisory_xact_lock_shared(hashtextextended('kecs_sync '||{tables}||'/'||whose,0)) END;\n"
    "  DELETE FROM {S}sync_refused r WHERE r.tenant=whose AND r.site=me;\n"
    "END $kecs_sync$;\n"
    /* What was refused, as kind, key, code, kind, ...: by this push, or by the one that was here before. */
    "DROP FUNCTION IF EXISTS {S}sync_end;\n"
    "CREATE FUNCTION {S}sync_end(whose text,me bigint) RETURNS text[] LANGUAGE plpgsql AS\n"
    "$kecs_sync$\n"
    "BEGIN\n"
    "  PERFORM set_config('kecs_store.push','',true),set_config('kecs_store.site','',true);\n"
    "  RETURN (SELECT array_agg(x.part ORDER BY r.kind,r.key,x.place) FROM {S}sync_refused r CROSS JOIN LATERAL\n"
    "    (VALUES(1,r.kind::text),(2,r.key::text),(3,r.code::text)) AS x(place,part)\n"
    "    WHERE r.tenant=whose AND r.site=me);\n"
    "END $kecs_sync$;\n";

KECS_PG__FN void kecs_sync__hub_common(kecs_pg__text *out, const kecs_pg__connection *connection, const char *version) {
  kecs_pg__text hello = {connection->allocator, NULL, 0, 0, KECS_OK};
  const char *at = strstr(kecs_sync__hello_form, "{version}");
  kecs_pg__text_add(&hello, kecs_sync__hello_form, (size_t)(at - kecs_sync__hello_form));
  kecs_pg__text_adds(&hello, version);
  kecs_pg__text_adds(&hello, at + strlen("{version}"));
  kecs_pg__log_text(out, connection, kecs_sync__tables_form);
  kecs_pg__log_text(out, connection, kecs_sync__limits_form);
  kecs_pg__log_text(out, connection, kecs_sync__clock_form);
  if (!hello.status) {
    kecs_pg__log_text(out, connection, hello.data);
  }
  kecs_pg__log_text(out, connection, kecs_sync__push_form);
  kecs_sync__hub_helpers(out, connection);
  kecs_sync__hub_policies(out, connection);
  out->status = out->status ? out->status : hello.status;
  kecs_pg__text_free(&hello);
}
