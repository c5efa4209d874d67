/* pg/log_sql.c -- the texts of the change log on PostgreSQL.
 *
 * Triggers log, so that it does not matter who writes: this library by a single statement or by COPY, psql, a foreign
 * key that deletes children. For one row a trigger of the statement costs what one of the row costs, for many rows half
 * of it, so all that log are of the statement. Only the stamps are set row by row, before the row is written.
 *
 * A writer appends to change_queue, unnumbered: no counter, no lock, no NOTIFY is in its transaction. change_number
 * gives committed entries their numbers and moves them into `changes`. Its rules:
 *   - One at a time for a tenant, and nobody waits: it locks the tenant's row of change_heads, and gives up when that
 * is locked already.
 *   - Locking and reading are two statements, so that what is read is what is there once the lock is held.
 *   - A transaction's entries are one batch, and stay together. Batches are ordered by their last entry's id. One that
 *     has seen what another one committed has drawn its last id later, so it comes later; and whoever sees it sees the
 *     other one, too. No transaction's number is ever compared with another one's, so what is open elsewhere, for
 *     however long, holds nothing back.
 *   - Out of a long queue the first entries are taken, and of these the batches that are in there as a whole: what they
 *     have seen is in there as well.
 *
 * The clock is a sequence that is never behind the last stamp: a stamp is the time in milliseconds, shifted left by 16,
 * with fractions of a millisecond below, or one more than the last where the clock went back. */
#include "pg/prologue.h"

#include "pg/log_sql.h"

#include <stdio.h>
#include <string.h>

/* ---- fixed texts ---- */

/* The tables are those of store/feed.h, with the tenant before every key, and three more: change_heads has a tenant's
 * last number and whether it is tracked; change_queue what is not numbered yet; change_batches, by the number of its
 * last entry, a name for each transaction that nobody can guess: with it a cursor names a history, not only a place in
 * it. `site` is where a batch comes from: NULL for this database, else kecs_store.site of the session that brings it.
 */
static const char kecs_pg__log_tables_form[] =
    "CREATE TABLE IF NOT EXISTS {S}change_heads(tenant {text} NOT NULL PRIMARY KEY,seq bigint NOT NULL,"
    "tracked boolean NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS {S}change_queue(tenant {text} NOT NULL,id bigint GENERATED ALWAYS AS IDENTITY,"
    "batch bigint NOT NULL DEFAULT txid_current(),"
    "site bigint DEFAULT nullif(current_setting('kecs_store.site',true),'')::bigint,"
    "kind bigint NOT NULL,rid bigint NOT NULL,groups bigint NOT NULL,op bigint NOT NULL,stamp bigint NOT NULL,"
    "base_life bigint,base_spec bigint,base_status bigint,life_site bigint,key {text},PRIMARY KEY(tenant,id));\n"
    "CREATE TABLE IF NOT EXISTS {S}changes(tenant {text} NOT NULL,seq bigint NOT NULL,kind bigint NOT NULL,"
    "rid bigint NOT NULL,groups bigint NOT NULL,op bigint NOT NULL,stamp bigint NOT NULL,base_life bigint,"
    "base_spec bigint,base_status bigint,PRIMARY KEY(tenant,seq));\n"
    "CREATE TABLE IF NOT EXISTS {S}change_batches(tenant {text} NOT NULL,seq bigint NOT NULL,id uuid NOT NULL,"
    "site bigint,PRIMARY KEY(tenant,seq));\n"
    "CREATE TABLE IF NOT EXISTS {S}change_folds(tenant {text} NOT NULL,kind bigint NOT NULL,rid bigint NOT NULL,"
    "seq bigint NOT NULL,groups bigint NOT NULL,op bigint NOT NULL,stamp bigint NOT NULL,oldest bigint NOT NULL,"
    "base_life bigint,base_spec bigint,base_status bigint,PRIMARY KEY(tenant,kind,rid));\n"
    "CREATE UNIQUE INDEX IF NOT EXISTS change_folds_seq ON {S}change_folds(tenant,seq);\n"
    "CREATE TABLE IF NOT EXISTS {S}change_tombstones(tenant {text} NOT NULL,seq bigint NOT NULL,kind bigint NOT NULL,"
    "rid bigint NOT NULL,key {text} NOT NULL,stamp bigint NOT NULL,site bigint,life bigint,life_site bigint,"
    "PRIMARY KEY(tenant,seq));\n"
    "CREATE INDEX IF NOT EXISTS change_tombstones_rid ON {S}change_tombstones(tenant,kind,rid);\n"
    "CREATE INDEX IF NOT EXISTS change_tombstones_key ON {S}change_tombstones(tenant,kind,key);\n"
    "CREATE TABLE IF NOT EXISTS {S}change_state(tenant {text} NOT NULL,id bigint NOT NULL,value bigint NOT NULL,"
    "PRIMARY KEY(tenant,id));\n"
    "CREATE SEQUENCE IF NOT EXISTS {S}change_clock;\n";

/* The history (store/history_log.h). What a row was waits in the queue with its entry: `whole` is NULL where nothing of
 * the kind is kept. A deleted row's `keys` are all that it was found by; change_heads.history has the kinds, as the
 * tenant's change_state says them. */
static const char kecs_pg__log_history_form[] =
    "ALTER TABLE {S}change_heads ADD COLUMN IF NOT EXISTS history bigint NOT NULL DEFAULT 0;\n"
    "ALTER TABLE {S}change_queue ADD COLUMN IF NOT EXISTS whole bigint,ADD COLUMN IF NOT EXISTS actor {text},"
    "ADD COLUMN IF NOT EXISTS reason {text},ADD COLUMN IF NOT EXISTS past {text},"
    "ADD COLUMN IF NOT EXISTS keys text[] COLLATE \"C\";\n"
    "CREATE TABLE IF NOT EXISTS {S}history(tenant {text} NOT NULL,seq bigint NOT NULL,kind bigint NOT NULL,"
    "rid bigint NOT NULL,op bigint NOT NULL,whole bigint NOT NULL,stamp bigint NOT NULL,actor {text},reason {text},"
    "old {text},PRIMARY KEY(tenant,seq));\n"
    "CREATE INDEX IF NOT EXISTS history_row ON {S}history(tenant,kind,rid,seq);\n"
    "CREATE TABLE IF NOT EXISTS {S}history_keys(tenant {text} NOT NULL,seq bigint NOT NULL,number bigint NOT NULL,"
    "kind bigint NOT NULL,rid bigint NOT NULL,key {text} NOT NULL,PRIMARY KEY(tenant,seq,number));\n"
    /* No more than a unique index has, so that no key is too long for it that was not for that. */
    "CREATE INDEX IF NOT EXISTS history_keys_key ON {S}history_keys(tenant,key);\n";

/* It runs as its owner, so that nobody else may set the clock that all tenants share; it names its operators in full,
 * since the caller's search_path counts. */
static const char kecs_pg__log_clock_form[] =
    "CREATE OR REPLACE FUNCTION {S}change_stamp() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $kecs_log$\n"
    "DECLARE\n"
    "  wall bigint := (pg_catalog.date_part('epoch',pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 65536000)"
    "::pg_catalog.int8;\n"
    "  stamp bigint := pg_catalog.nextval({clock});\n"
    "BEGIN\n"
    "  IF stamp OPERATOR(pg_catalog.<) wall THEN\n"
    "    stamp := pg_catalog.setval({clock},wall);\n"
    "  END IF;\n"
    "  RETURN stamp;\n"
    "END $kecs_log$;\n";

/* As its owner, too: who may only read can number all the same. */
static const char kecs_pg__log_number_form[] =
    "CREATE OR REPLACE FUNCTION {S}change_channel(whose text) RETURNS text LANGUAGE sql IMMUTABLE AS $kecs_log$\n"
    "  SELECT 'kecs_'||pg_catalog.md5({tables}||'/'||whose)\n"
    "$kecs_log$;\n"
    "CREATE OR REPLACE FUNCTION {S}change_number(whose text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER\n"
    "SET search_path=pg_catalog,pg_temp AS $kecs_log$\n"
    "DECLARE\n"
    "  room bigint := 100000;\n"
    "  until bigint;\n"
    "  waiting bigint;\n"
    "  given bigint := 0;\n"
    "BEGIN\n"
    "  IF NOT EXISTS (SELECT FROM {S}change_queue q WHERE q.tenant=whose) THEN\n"
    "    RETURN 0;\n"
    "  END IF;\n"
    "  PERFORM FROM {S}change_heads h WHERE h.tenant=whose AND h.tracked FOR NO KEY UPDATE SKIP LOCKED;\n"
    "  IF NOT FOUND THEN\n"
    "    RETURN 0;\n"
    "  END IF;\n"
    "  LOOP\n"
    "    SELECT max(w.id),count(*) INTO until,waiting FROM (SELECT q.id FROM {S}change_queue q WHERE q.tenant=whose\n"
    "      ORDER BY q.id LIMIT room) w;\n"
    "    IF waiting<room THEN\n"
    "    WITH taken AS (DELETE FROM {S}change_queue q WHERE q.tenant=whose AND q.id<=until RETURNING q.*),\n";

/* Moves what is taken out of the queue into the log, and what it tells of rows into the history. The head is locked, so
 * its number stays what it is. */
static const char kecs_pg__log_move_form[] =
    "    placed AS (SELECT t.*,max(t.id) OVER (PARTITION BY t.batch) AS last_id FROM taken t),\n"
    "    numbered AS (SELECT p.*,(SELECT h.seq FROM {S}change_heads h WHERE h.tenant=p.tenant)+row_number() OVER (\n"
    "      ORDER BY p.last_id,p.id) AS seq FROM placed p),\n"
    "    logged AS (\n"
    "      INSERT INTO {S}changes(tenant,seq,kind,rid,groups,op,stamp,base_life,base_spec,base_status)\n"
    "      SELECT n.tenant,n.seq,n.kind,n.rid,n.groups,n.op,n.stamp,n.base_life,n.base_spec,n.base_status\n"
    "      FROM numbered n ORDER BY n.seq),\n"
    "    buried AS (\n"
    "      INSERT INTO {S}change_tombstones(tenant,seq,kind,rid,key,stamp,site,life,life_site)\n"
    "      SELECT n.tenant,n.seq,n.kind,n.rid,n.key,n.stamp,n.site,n.base_life,n.life_site FROM numbered n\n"
    "      WHERE n.op=3),\n"
    "    named AS (\n"
    "      INSERT INTO {S}change_batches(tenant,seq,id,site)\n"
    "      SELECT n.tenant,max(n.seq),{uuid},max(n.site) FROM numbered n GROUP BY n.tenant,n.batch),\n"
    "    kept AS (\n"
    "      INSERT INTO {S}history(tenant,seq,kind,rid,op,whole,stamp,actor,reason,old)\n"
    "      SELECT n.tenant,n.seq,n.kind,n.rid,n.op,n.whole,n.stamp,n.actor,n.reason,n.past FROM numbered n\n"
    "      WHERE n.whole IS NOT NULL ORDER BY n.seq),\n"
    "    keyed AS (\n"
    "      INSERT INTO {S}history_keys(tenant,seq,number,kind,rid,key)\n"
    "      SELECT n.tenant,n.seq,k.number-1,n.kind,n.rid,k.key FROM numbered n\n"
    "      CROSS JOIN LATERAL unnest(n.keys) WITH ORDINALITY AS k(key,number) WHERE n.keys IS NOT NULL)\n";

/* A long queue is planned for anew, since a plan that was made for a short one would compare every entry with every
 * other. */
static const char kecs_pg__log_number_long_form[] =
    "    SELECT count(*) INTO given FROM numbered;\n"
    "      EXIT;\n"
    "    END IF;\n"
    "    PERFORM set_config('enable_nestloop','off',true);\n"
    "    EXECUTE $kecs_long$"
    "WITH later AS (SELECT DISTINCT r.batch FROM {S}change_queue r WHERE r.tenant=$1 AND r.id>$2),\n"
    "    taken AS (DELETE FROM {S}change_queue q WHERE q.tenant=$1 AND q.id<=$2 AND NOT EXISTS (SELECT FROM later l\n"
    "      WHERE l.batch=q.batch) RETURNING q.*),\n";

static const char kecs_pg__log_number_end_form[] =
    "    SELECT count(*) FROM numbered$kecs_long$\n"
    "      INTO given USING whose,until;\n"
    "    EXIT WHEN given>0;\n"
    "    room := room*4;\n" /* one batch alone is longer than that */
    "  END LOOP;\n"
    "  IF given>0 THEN\n"
    "    IF current_setting('synchronous_commit')='off' THEN\n" /* a number that was told is never given again */
    "      PERFORM set_config('synchronous_commit','local',true);\n"
    "    END IF;\n"
    "    UPDATE {S}change_heads h SET seq=h.seq+given WHERE h.tenant=whose;\n"
    "    PERFORM pg_notify('kecs_'||md5({tables}||'/'||whose),'');\n"
    "  END IF;\n"
    "  RETURN given;\n"
    "END $kecs_log$;\n";

static const char kecs_pg__log_refuse_form[] =
    "CREATE OR REPLACE FUNCTION {S}change_refuse() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n"
    "BEGIN\n"
    "  IF TG_OP='TRUNCATE' THEN\n"
    "    RAISE EXCEPTION 'kecs_store logs changes of %, and TRUNCATE tells of no row: use DELETE',TG_TABLE_NAME\n"
    "      USING ERRCODE='restrict_violation';\n"
    "  END IF;\n"
    "  RAISE EXCEPTION 'kecs_store logs changes of %, and a row has another key after this one: delete it and insert "
    "it "
    "anew',TG_TABLE_NAME USING ERRCODE='restrict_violation';\n"
    "END $kecs_log$;\n";

/* A literal with its quotes: `text`, and `more` behind it. False where it has no room. */
static bool kecs_pg__log_literal(char *out, size_t size, const char *text, const char *more) {
  size_t used = 0;
  const char *parts[] = {text, more};
  out[used++] = '\'';
  for (size_t i = 0; i < 2; i++) {
    for (const char *at = parts[i]; *at; at++) {
      if (used + 4 > size) {
        return false;
      }
      if (*at == '\'') {
        out[used++] = '\'';
      }
      out[used++] = *at;
    }
  }
  out[used++] = '\'';
  out[used] = '\0';
  return true;
}

KECS_PG__FN void kecs_pg__log_text(kecs_pg__text *out, const kecs_pg__connection *connection, const char *form) {
  char clock[512];
  char tables[256];
  if (!kecs_pg__log_literal(clock, sizeof clock, connection->home->schema, "change_clock") ||
      !kecs_pg__log_literal(tables, sizeof tables, connection->home->settings.schema, "")) {
    out->status = kecs_pg__fail(KECS_E_INVALID, "the schema's name is too long");
    return;
  }
  /* gen_random_uuid() came with version 13; before, two md5 of what nobody can see. */
  const kecs_pg__mark marks[] = {{"S", connection->home->schema},
                                 {"T", connection->home->tenant},
                                 {"text", connection->home->dialect.type_text},
                                 {"clock", clock},
                                 {"tables", tables},
                                 {"uuid", PQserverVersion(connection->pg) < 130000
                                              ? "md5(random()::text||clock_timestamp()::text||random()::text)::uuid"
                                              : "gen_random_uuid()"},
                                 {NULL, NULL}};
  kecs_pg__text_fill(out, form, marks);
}

KECS_PG__FN void kecs_pg__log_tables(kecs_pg__text *out, const kecs_pg__connection *connection) {
  const char *const forms[] = {kecs_pg__log_tables_form,      kecs_pg__log_history_form, kecs_pg__log_clock_form,
                               kecs_pg__log_number_form,      kecs_pg__log_move_form,
                               kecs_pg__log_number_long_form, kecs_pg__log_move_form,
                               kecs_pg__log_number_end_form,  kecs_pg__log_refuse_form};
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    kecs_pg__log_text(out, connection, forms[i]);
  }
}

KECS_PG__FN void kecs_pg__log_lock(kecs_pg__text *out, const kecs_pg__connection *connection) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    kecs_pg__text_adds(out, kind == 1 ? "LOCK TABLE " : ",");
    kecs_pg__text_adds(out, connection->home->schema);
    kecs_pg__text_adds(out, kecs_kind_describe((kecs_kind)kind)->table);
  }
  kecs_pg__text_adds(out, " IN SHARE MODE");
}
