/* pg/log_kind.c -- one kind's triggers of the change log, and what they keep for the history. */
#include "pg/prologue.h"

#include "pg/log_sql.h"

#include <stdio.h>
#include <string.h>

enum { KECS_PG__LOG_NUMBER = 24 /* bytes of a number as text */ };

/* What is put together for one kind: lists of columns, and expressions over them. */
typedef struct kecs_pg__kind_sql {
  const kecs_kind_info *info;
  const kecs_allocator *allocator;
  bool stamped; /* kinds that only grow have no stamps */
  bool spec;    /* it has columns of the group */
  bool status;
  char number[KECS_PG__LOG_NUMBER];
  kecs_pg__text spec_columns; /* "a,b": an update of one of them stamps the group */
  kecs_pg__text status_columns;
  kecs_pg__text key_columns;   /* "tenant,rid,arn": no update may change them */
  kecs_pg__text key_differs;   /* "OLD.arn IS DISTINCT FROM NEW.arn OR ..." */
  kecs_pg__text key_text;      /* a deleted row's key as one text */
  kecs_pg__text local_differs; /* "n.a IS DISTINCT FROM o.a OR ...": what is neither stamped nor the store's own */
  kecs_pg__text keys;          /* a deleted row's unique keys, each as one text: "a,b" */
  kecs_pg__text old;           /* members of a JSON object with all that a row `o` was */
  kecs_pg__text old_changed;   /* and with what `n` has changed in it */
  char bit[KECS_PG__LOG_NUMBER]; /* of change_heads.history */
  const char *whole;             /* whether an update keeps all of the row */
} kecs_pg__kind_sql;

enum { KECS_PG__KIND_TEXTS = 9 };

static kecs_pg__text *kecs_pg__kind_text(kecs_pg__kind_sql *sql, int at) {
  kecs_pg__text *const texts[KECS_PG__KIND_TEXTS] = {
      &sql->spec_columns,  &sql->status_columns, &sql->key_columns, &sql->key_differs, &sql->key_text,
      &sql->local_differs, &sql->keys,           &sql->old,         &sql->old_changed};
  return texts[at];
}

static bool kecs_pg__in_key(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return false;
}

/* Adds `more`, with `between` before it unless it is the first. */
static void kecs_pg__join(kecs_pg__text *text, const char *between, const char *form, const char *column) {
  const kecs_pg__mark marks[] = {{"c", column}, {NULL, NULL}};
  kecs_pg__text_adds(text, text->len > 0 ? between : "");
  kecs_pg__text_fill(text, form, marks);
}

/* In all parts of a key but the last a comma is written \, and a backslash \\ (kecs__feed_key). */
static void kecs_pg__key_text(kecs_pg__text *out, const kecs_kind_info *info, const kecs_column_list *key) {
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &info->columns[key->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    kecs_pg__text_adds(out, i > 0 ? "||','||" : "");
    kecs_pg__join(out, "",
                  text && i < key->count - 1 ? "replace(replace(o.{c},E'\\\\',E'\\\\\\\\'),',',E'\\\\,')"
                                             : "o.{c}::text",
                  column->name);
  }
}

static void kecs_pg__kind_keys(kecs_pg__kind_sql *sql) {
  for (int number = 0; number < sql->info->key_count; number++) {
    kecs_pg__text_adds(&sql->keys, number > 0 ? ",coalesce(" : "coalesce(");
    kecs_pg__key_text(&sql->keys, sql->info, &sql->info->keys[number]);
    kecs_pg__text_adds(&sql->keys, ",'')");
  }
}

/* Texts as strings, all else as integers. */
static void kecs_pg__kind_old(kecs_pg__kind_sql *sql) {
  sql->whole = "false";
  for (int i = 0; i < sql->info->column_count; i++) {
    const kecs_column_info *column = &sql->info->columns[i];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    const char *value = text                              ? "'\"{c}\":'||coalesce(to_json(o.{c})::text,'null')"
                        : column->type == KECS_TYPE_BOOL ? "'\"{c}\":'||coalesce(o.{c}::int::text,'null')"
                                                         : "'\"{c}\":'||coalesce(o.{c}::text,'null')";
    kecs_pg__join(&sql->old, ",", value, column->name);
    kecs_pg__join(&sql->old_changed, ",", "CASE WHEN n.{c} IS DISTINCT FROM o.{c} THEN ", column->name);
    kecs_pg__join(&sql->old_changed, "", value, column->name);
    kecs_pg__text_adds(&sql->old_changed, " END");
    sql->whole = strcmp(column->name, "version") == 0 ? "o.version%64=0" : sql->whole;
  }
}

static void kecs_pg__kind_key(kecs_pg__kind_sql *sql) {
  const kecs_column_list *key = &sql->info->keys[0];
  kecs_pg__text_adds(&sql->key_columns, "tenant,rid");
  kecs_pg__text_adds(&sql->key_differs, "OLD.tenant IS DISTINCT FROM NEW.tenant OR OLD.rid IS DISTINCT FROM NEW.rid");
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &sql->info->columns[key->columns[i]];
    kecs_pg__join(&sql->key_columns, ",", "{c}", column->name);
    kecs_pg__join(&sql->key_differs, " OR ", "OLD.{c} IS DISTINCT FROM NEW.{c}", column->name);
  }
  kecs_pg__key_text(&sql->key_text, sql->info, key);
  kecs_pg__kind_keys(sql);
}

static void kecs_pg__kind_begin(kecs_pg__kind_sql *sql, const kecs_allocator *allocator, const kecs_kind_info *info) {
  memset(sql, 0, sizeof *sql);
  sql->info = info;
  sql->allocator = allocator;
  sql->stamped = !(info->flags & KECS_KIND_APPEND);
  for (int i = 0; i < KECS_PG__KIND_TEXTS; i++) {
    kecs_pg__kind_text(sql, i)->allocator = allocator;
  }
  snprintf(sql->number, sizeof sql->number, "%d", (int)info->kind);
  snprintf(sql->bit, sizeof sql->bit, "%lld", (long long)KECS_BIT(info->kind));
  kecs_pg__kind_key(sql);
  kecs_pg__kind_old(sql);
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (column->group == KECS_GROUP_SPEC) {
      kecs_pg__join(&sql->spec_columns, ",", "{c}", column->name);
    } else if (column->group == KECS_GROUP_STATUS) {
      kecs_pg__join(&sql->status_columns, ",", "{c}", column->name);
    } else if (!kecs_pg__in_key(info, i) && !(column->flags & KECS_COLUMN_AUTO)) {
      kecs_pg__join(&sql->local_differs, " OR ", "n.{c} IS DISTINCT FROM o.{c}", column->name);
    }
  }
  sql->spec = sql->stamped && sql->spec_columns.len > 0;
  sql->status = sql->stamped && sql->status_columns.len > 0;
  if (sql->local_differs.len == 0) {
    kecs_pg__text_adds(&sql->local_differs, "false");
  }
}

static kecs_status kecs_pg__kind_end(kecs_pg__kind_sql *sql) {
  kecs_status status = KECS_OK;
  for (int i = 0; i < KECS_PG__KIND_TEXTS; i++) {
    kecs_pg__text *text = kecs_pg__kind_text(sql, i);
    status = status ? status : text->status;
    kecs_pg__text_free(text);
  }
  return status;
}

static void kecs_pg__kind_fill(kecs_pg__text *out, const kecs_pg__connection *connection, const kecs_pg__kind_sql *sql,
                               const char *form) {
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema},
      {"t", sql->info->table},
      {"kind", sql->number},
      {"spec_columns", sql->spec_columns.data},
      {"status_columns", sql->status_columns.data},
      {"key_columns", sql->key_columns.data},
      {"key_differs", sql->key_differs.data},
      {"key_text", sql->key_text.data},
      {"local_differs", sql->local_differs.data},
      {"keys", sql->keys.data},
      {"old", sql->old.data},
      {"old_changed", sql->old_changed.data},
      {"bit", sql->bit},
      {"whole", sql->whole},
      {"open", "{"}, /* of JSON */
      {"close", "}"},
      /* Of `n`, the row after the change, and `o`, the one before; NULL where the kind has no such stamp. */
      {"n_life", sql->stamped ? "n.stamp_life" : "NULL::bigint"},
      {"o_life", sql->stamped ? "o.stamp_life" : "NULL::bigint"},
      {"o_site", sql->stamped ? "o.site_life" : "NULL::bigint"},
      /* Two sites may have written in one millisecond: then the number of the site alone is another one. */
      {"spec_differs", sql->spec ? "(n.stamp_spec,n.site_spec) IS DISTINCT FROM (o.stamp_spec,o.site_spec)" : "false"},
      {"status_differs",
       sql->status ? "(n.stamp_status,n.site_status) IS DISTINCT FROM (o.stamp_status,o.site_status)" : "false"},
      {"n_spec", sql->spec ? "n.stamp_spec" : "NULL::bigint"},
      {"o_spec", sql->spec ? "o.stamp_spec" : "NULL::bigint"},
      {"n_status", sql->status ? "n.stamp_status" : "NULL::bigint"},
      {"o_status", sql->status ? "o.stamp_status" : "NULL::bigint"},
      {"old_spec", sql->spec ? "OLD.stamp_spec" : "NULL::bigint"},
      {"new_spec", sql->spec ? "NEW.stamp_spec" : "NULL::bigint"},
      {"old_status", sql->status ? "OLD.stamp_status" : "NULL::bigint"},
      {NULL, NULL}};
  kecs_pg__text_fill(out, form, marks);
}

/* A trigger, whoever writes: also in a session that has foreign keys switched off, which switches ordinary triggers off
 * as well. */
#define KECS_PG__TRIGGER(name, when, how, function)                                           \
  "CREATE TRIGGER feed_{t}_" name " " when " ON {S}{t} " how " EXECUTE FUNCTION {S}" function \
  ";\nALTER TABLE {S}{t} ENABLE ALWAYS TRIGGER feed_{t}_" name ";\n"

#define KECS_PG__TRACKED "JOIN {S}change_heads h ON h.tenant="

/* Where the kind has a history. Programs that say nothing of who they are, as psql, are known by the role that they
 * work as: also in a foreign key's own statements, which run as the table's owner. */
#define KECS_PG__KEPT(value) "CASE WHEN h.history&{bit}<>0 THEN " value " END"
#define KECS_PG__ACTOR                                                                                   \
  KECS_PG__KEPT("coalesce(nullif(current_setting('kecs_store.actor',true),''),CASE WHEN "                \
                "coalesce(current_setting('kecs_store.says',true),'')='' THEN coalesce(nullif("          \
                "current_setting('role'),'none'),session_user::text) END)")
#define KECS_PG__REASON KECS_PG__KEPT("nullif(current_setting('kecs_store.reason',true),'')")

/* Nearly always nobody keeps the kind's history, and then its expressions, one a column, are not even made ready. */
#define KECS_PG__IF_KEPT(insert, columns, values)                                                              \
  "BEGIN\n"                                                                                                    \
  "  IF EXISTS (SELECT FROM {S}change_heads h WHERE h.history<>0 AND h.history&{bit}<>0) THEN\n" insert("," columns, \
                                                                                                       "," values)   \
  "  ELSE\n" insert("", "")                                                                                    \
  "  END IF;\n"                                                                                                \
  "  RETURN NULL;\n"                                                                                           \
  "END $kecs_log$;\n"

#define KECS_PG__INSERTED(columns, values)                                                                   \
  "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp" columns ")\n"                               \
  "  SELECT n.tenant,{kind},n.rid,15,1,coalesce({n_life},{S}change_stamp())" values                          \
  " FROM new_rows n " KECS_PG__TRACKED "n.tenant AND h.tracked ORDER BY n.rid;\n"

static const char kecs_pg__log_insert_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_insert() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n" KECS_PG__IF_KEPT(
        KECS_PG__INSERTED, "whole,actor,reason", KECS_PG__KEPT("0") "," KECS_PG__ACTOR "," KECS_PG__REASON)
        KECS_PG__TRIGGER("insert", "AFTER INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                         "feed_{t}_insert()");

/* An update that stamps nothing is of local columns, whatever else it did. What is kept is read where the rows are, and
 * named by its columns outside. */
#define KECS_PG__UPDATED(columns, values)                                                                       \
  "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp,base_life,base_spec,base_status" columns ")\n" \
  "  SELECT c.tenant,{kind},c.rid,CASE WHEN c.synced=0 OR c.locals THEN c.synced|8 ELSE c.synced END,2,\n"      \
  "  CASE WHEN c.synced=0 THEN {S}change_stamp() ELSE c.stamp END,c.base_life,c.base_spec,c.base_status" columns \
  " FROM (\n"                                                                                                   \
  "    SELECT n.tenant,n.rid,CASE WHEN {spec_differs} THEN 2 ELSE 0 END|\n"                                    \
  "    CASE WHEN {status_differs} THEN 4 ELSE 0 END AS synced,({local_differs}) AS locals,\n"                  \
  "    coalesce(greatest({n_spec},{n_status}),{n_life}) AS stamp,\n" /* a later life may have neither */        \
  "    {o_life} AS base_life,{o_spec} AS base_spec,{o_status} AS base_status" values "\n"                       \
  "    FROM new_rows n JOIN old_rows o ON o.tenant=n.tenant AND o.rid=n.rid " KECS_PG__TRACKED                  \
  "n.tenant AND h.tracked) c ORDER BY c.rid;\n"

static const char kecs_pg__log_update_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_update() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n" KECS_PG__IF_KEPT(
        KECS_PG__UPDATED, "whole,actor,reason,past",
        "\n    " KECS_PG__KEPT("({whole})::int") " AS whole," KECS_PG__ACTOR " AS actor," KECS_PG__REASON
        " AS reason,\n"
        "    " KECS_PG__KEPT("CASE WHEN {whole} THEN '{open}'||concat_ws(',',{old})||'{close}'\n"
                             "    ELSE '{open}'||concat_ws(',',{old_changed})||'{close}' END") " AS past")
        KECS_PG__TRIGGER("update", "AFTER UPDATE",
                         "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT",
                         "feed_{t}_update()");

#define KECS_PG__DELETED(columns, values)                                                                     \
  "  INSERT INTO {S}change_queue(tenant,kind,rid,groups,op,stamp,base_life,base_spec,base_status,life_site,"  \
  "key" columns ")\n"                                                                                         \
  "  SELECT o.tenant,{kind},o.rid,15,3,greatest({S}change_stamp(),{o_life}+1,{o_spec}+1,{o_status}+1),"       \
  "{o_life},\n"                                                                                               \
  "  {o_spec},{o_status},{o_site},{key_text}" values " FROM old_rows o " KECS_PG__TRACKED                     \
  "o.tenant AND h.tracked ORDER BY o.rid;\n"

static const char kecs_pg__log_delete_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_delete() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n" KECS_PG__IF_KEPT(
        KECS_PG__DELETED, "whole,actor,reason,past,keys",
        KECS_PG__KEPT("1") "," KECS_PG__ACTOR "," KECS_PG__REASON ",\n"
        "  " KECS_PG__KEPT("'{open}'||concat_ws(',',{old})||'{close}'") "," KECS_PG__KEPT("ARRAY[{keys}]") "\n ")
        KECS_PG__TRIGGER("delete", "AFTER DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
                         "feed_{t}_delete()")
        KECS_PG__TRIGGER("empty", "BEFORE TRUNCATE", "FOR EACH STATEMENT", "change_refuse()");

/* Not of kinds that only grow: their tables may be partitioned, which before version 13 have no such triggers. */
static const char kecs_pg__log_key_form[] =
    KECS_PG__TRIGGER("key", "BEFORE UPDATE OF {key_columns}", "FOR EACH ROW WHEN ({key_differs})", "change_refuse()");

/* A row's stamp is above all that it has, wherever those came from. */
#define KECS_PG__NEXT_STAMP "greatest({S}change_stamp(),OLD.stamp_life+1,{old_spec}+1,{old_status}+1)"

/* The statement that merges what a site has pushed brings stamps along (sync/hub_sql.c). */
#define KECS_PG__MERGES                                            \
  "  IF current_setting('kecs_store.merge',true)='on' THEN\n" \
  "    RETURN NEW;\n"                                              \
  "  END IF;\n"

static const char kecs_pg__log_spec_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_spec() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n"
    "BEGIN\n" KECS_PG__MERGES
    "  NEW.stamp_spec := " KECS_PG__NEXT_STAMP
    ";\n"
    "  NEW.site_spec := NULL;\n"
    "  RETURN NEW;\n"
    "END $kecs_log$;\n" KECS_PG__TRIGGER("spec", "BEFORE UPDATE OF {spec_columns}", "FOR EACH ROW", "feed_{t}_spec()");

/* It comes after the other one, by its name: what writes both groups gives them one stamp. */
static const char kecs_pg__log_status_form[] =
    "CREATE OR REPLACE FUNCTION {S}feed_{t}_status() RETURNS trigger LANGUAGE plpgsql AS $kecs_log$\n"
    "BEGIN\n" KECS_PG__MERGES
    "  NEW.stamp_status := CASE WHEN {new_spec} IS DISTINCT FROM {old_spec} THEN {new_spec} ELSE " KECS_PG__NEXT_STAMP
    " END;\n"
    "  NEW.site_status := NULL;\n"
    "  RETURN NEW;\n"
    "END $kecs_log$;\n" KECS_PG__TRIGGER("status", "BEFORE UPDATE OF {status_columns}", "FOR EACH ROW",
                                         "feed_{t}_status()");

static const char kecs_pg__log_stamp_form[] =
    "ALTER TABLE {S}{t} ADD COLUMN IF NOT EXISTS stamp_{c} bigint,ADD COLUMN IF NOT EXISTS site_{c} bigint;\n";

static void kecs_pg__kind_stamp(kecs_pg__text *out, const kecs_pg__connection *connection, const kecs_kind_info *info,
                                const char *name) {
  const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"t", info->table}, {"c", name}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_pg__log_stamp_form, marks);
}

KECS_PG__FN void kecs_pg__log_triggers(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info) {
  kecs_pg__kind_sql sql;
  kecs_pg__kind_begin(&sql, connection->allocator, info);
  if (sql.stamped) {
    kecs_pg__kind_stamp(out, connection, info, "life");
  }
  kecs_pg__log_no_triggers(out, connection, info);
  if (sql.stamped) {
    kecs_pg__kind_fill(out, connection, &sql,
                       "ALTER TABLE {S}{t} ALTER COLUMN stamp_life SET DEFAULT {S}change_stamp();\n");
    kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_key_form);
  }
  if (sql.spec) {
    kecs_pg__kind_stamp(out, connection, info, "spec");
    kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_spec_form);
  }
  if (sql.status) {
    kecs_pg__kind_stamp(out, connection, info, "status");
    kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_status_form);
  }
  kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_insert_form);
  kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_update_form);
  kecs_pg__kind_fill(out, connection, &sql, kecs_pg__log_delete_form);
  kecs_status status = kecs_pg__kind_end(&sql);
  out->status = out->status ? out->status : status;
}

KECS_PG__FN void kecs_pg__log_no_triggers(kecs_pg__text *out, const kecs_pg__connection *connection,
                                          const kecs_kind_info *info) {
  static const char *const names[] = {"insert", "update", "delete", "empty", "key", "spec", "status"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"t", info->table}, {"n", names[i]}, {NULL, NULL}};
    kecs_pg__text_fill(out, "DROP TRIGGER IF EXISTS feed_{t}_{n} ON {S}{t};\n", marks);
  }
  if (!(info->flags & KECS_KIND_APPEND)) {
    const kecs_pg__mark marks[] = {{"S", connection->home->schema}, {"t", info->table}, {NULL, NULL}};
    kecs_pg__text_fill(out, "ALTER TABLE {S}{t} ALTER COLUMN stamp_life DROP DEFAULT;\n", marks);
  }
}
