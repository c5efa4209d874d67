/* sync/hub_append.c -- the text of sync_append_TABLE, of a kind that only grows: rows come as arrays, one a column, and
 * are there once by their key. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include <string.h>

/* A row that the table refuses does not keep the others; it is what the function gives. */
static const char kecs_sync__append_form[] =
    "DROP FUNCTION IF EXISTS {S}sync_append_{t};\n"
    "CREATE FUNCTION {S}sync_append_{t}(whose text,me bigint{arguments}) RETURNS TABLE(key text,code text,line text)\n"
    "LANGUAGE plpgsql AS $kecs_sync$\n"
    "#variable_conflict use_column\n"
    "DECLARE\n"
    "  one bigint;\n"
    "BEGIN\n"
    "{scope}"
    "  PERFORM set_config('kecs_store.site',me::text,true);\n"
    "  BEGIN\n"
    "    INSERT INTO {S}{t}(tenant,{names}{locals}) SELECT whose,{u_names}{local_values} FROM unnest({arrays})\n"
    "      AS u({names}) ORDER BY u.{key} ON CONFLICT DO NOTHING;\n"
    "  EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR "
    "insufficient_privilege THEN\n"
    "    FOR one IN SELECT generate_subscripts(c_{key},1) LOOP\n"
    "      BEGIN\n"
    "        INSERT INTO {S}{t}(tenant,{names}{locals}) SELECT whose,{u_names}{local_values} FROM unnest({arrays})\n"
    "          WITH ORDINALITY AS u({names},s_place) WHERE u.s_place=one ON CONFLICT DO NOTHING;\n"
    "      EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded OR "
    "insufficient_privilege THEN\n"
    "        RETURN QUERY SELECT u.{key}::text,SQLSTATE::text,row_to_json(u)::text FROM unnest({arrays}) WITH\n"
    "          ORDINALITY AS u({names},s_place) WHERE u.s_place=one;\n"
    "      END;\n"
    "    END LOOP;\n"
    "  END;\n"
    "  PERFORM set_config('kecs_store.site','',true);\n"
    "END $kecs_sync$;\n";

enum {
  KECS_SYNC__A_ARGUMENTS,
  KECS_SYNC__A_NAMES,
  KECS_SYNC__A_U_NAMES,
  KECS_SYNC__A_ARRAYS,
  KECS_SYNC__A_LOCALS,
  KECS_SYNC__A_LOCAL_VALUES,
  KECS_SYNC__A_SENT,
  KECS_SYNC__A_SCOPE,
  KECS_SYNC__A_PARTS
};

static void kecs_sync__append_add(kecs_pg__text *part, bool first, const char *form, const char *column,
                                  const char *type) {
  const kecs_pg__mark marks[] = {{"c", column}, {"type", type}, {NULL, NULL}};
  kecs_pg__text_adds(part, first ? "" : ",");
  kecs_pg__text_fill(part, form, marks);
}

KECS_PG__FN void kecs_sync__hub_append(kecs_pg__text *out, const kecs_pg__connection *connection,
                                       const kecs_kind_info *info) {
  kecs_pg__text part[KECS_SYNC__A_PARTS];
  bool first = true;
  memset(part, 0, sizeof part);
  for (int i = 0; i < KECS_SYNC__A_PARTS; i++) {
    part[i].allocator = connection->allocator;
  }
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    if (kecs_sync__travels(column)) {
      kecs_sync__append_add(&part[KECS_SYNC__A_ARGUMENTS], false,
                            column->since > 1 ? "c_{c} {type}[] DEFAULT NULL" : "c_{c} {type}[]", column->name,
                            text                             ? "text"
                            : column->type == KECS_TYPE_BOOL ? "boolean"
                                                             : "bigint");
      kecs_sync__append_add(&part[KECS_SYNC__A_NAMES], first, "{c}", column->name, "");
      kecs_sync__append_add(&part[KECS_SYNC__A_U_NAMES], first,
                            !(column->flags & KECS_COLUMN_NOT_NULL) || column->since <= 1 ? "u.{c}"
                            : text                                                        ? "coalesce(u.{c},'{type}')"
                                                                                          : "coalesce(u.{c},{type})",
                            column->name,
                            column->default_text ? column->default_text
                            : text               ? ""
                                                 : "0");
      kecs_sync__append_add(&part[KECS_SYNC__A_ARRAYS], first, "c_{c}", column->name, "");
      first = false;
    } else if (column->flags & KECS_COLUMN_NOT_NULL) {
      kecs_sync__append_add(&part[KECS_SYNC__A_LOCALS], false, "{c}", column->name, "");
      kecs_sync__append_add(&part[KECS_SYNC__A_LOCAL_VALUES], false, text ? "''" : "0", "", "");
    }
  }
  const kecs_pg__mark rows[] = {
      {"arrays", part[KECS_SYNC__A_ARRAYS].data}, {"names", part[KECS_SYNC__A_NAMES].data}, {NULL, NULL}};
  kecs_pg__text_fill(&part[KECS_SYNC__A_SENT], "unnest({arrays}) AS u({names})", rows);
  kecs_sync__scope_append(&part[KECS_SYNC__A_SCOPE], connection->home->schema, info, part[KECS_SYNC__A_SENT].data);
  const kecs_pg__mark marks[] = {
      {"S", connection->home->schema},
      {"t", info->table},
      {"scope", part[KECS_SYNC__A_SCOPE].data},
      {"key", info->columns[info->keys[0].columns[0]].name},
      {"arguments", part[KECS_SYNC__A_ARGUMENTS].data},
      {"names", part[KECS_SYNC__A_NAMES].data},
      {"u_names", part[KECS_SYNC__A_U_NAMES].data},
      {"arrays", part[KECS_SYNC__A_ARRAYS].data},
      {"locals", part[KECS_SYNC__A_LOCALS].len ? part[KECS_SYNC__A_LOCALS].data : ""},
      {"local_values", part[KECS_SYNC__A_LOCAL_VALUES].len ? part[KECS_SYNC__A_LOCAL_VALUES].data : ""},
      {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__append_form, marks);
  for (int i = 0; i < KECS_SYNC__A_PARTS; i++) {
    out->status = out->status ? out->status : part[i].status;
    kecs_pg__text_free(&part[i]);
  }
}
