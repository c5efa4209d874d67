/* store/ddl.c -- tables and indexes from the descriptors.
 *
 * Layout (SQLite): rid INTEGER PRIMARY KEY, the natural key UNIQUE, STRICT. rid is what the change log refers to, whose
 * stamps come after the kind's columns; parents are referred to by their natural key. A unique key WHEN_SET becomes a
 * partial unique index. TIME columns in indexes are kept newest first, because that is how they are listed. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/sql.h"

#include <string.h>

static const char *kecs__ddl_type(const kecs_dialect *dialect, kecs_column_type type) {
  switch (type) {
    case KECS_TYPE_INT:
    case KECS_TYPE_OPTI:
    case KECS_TYPE_RANK:
      return dialect->type_int;
    case KECS_TYPE_BOOL:
      return dialect->type_bool;
    case KECS_TYPE_TIME:
      return dialect->type_time;
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      break;
  }
  return dialect->type_text;
}

static void kecs__ddl_names(kecs__text *out, const kecs_kind_info *info, const kecs_column_list *list, bool direction) {
  for (int i = 0; i < list->count; i++) {
    const kecs_column_info *column = &info->columns[list->columns[i]];
    kecs__text_addf(out, "%s%s%s", i > 0 ? "," : "", column->name,
                    direction && column->type == KECS_TYPE_TIME ? " DESC" : "");
  }
}

static void kecs__ddl_column(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info, int number) {
  const kecs_column_info *column = &info->columns[number];
  kecs__text_addf(out, "%s %s", column->name, kecs__ddl_type(dialect, column->type));
  if (column->flags & KECS_COLUMN_NOT_NULL) {
    kecs__text_adds(out, " NOT NULL");
  }
}

/* The first column of every table, where there are tenants. */
static void kecs__ddl_tenant(kecs__text *out, const kecs_dialect *dialect) {
  if (dialect->tenant) {
    kecs__text_addf(out, "tenant %s NOT NULL, ", dialect->type_text);
  }
}

KECS__FN void kecs__ddl_table(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info, bool stamps) {
  kecs__text_addf(out, "CREATE TABLE IF NOT EXISTS {%s}(\n  ", info->table);
  kecs__ddl_tenant(out, dialect);
  kecs__text_addf(out, "rid %s", dialect->type_rid);
  for (int i = 0; i < info->column_count; i++) {
    kecs__text_adds(out, ",\n  ");
    kecs__ddl_column(out, dialect, info, i);
  }
  if (stamps) {
    kecs__feed_ddl_columns(out, dialect, info);
  }
  for (int i = 0; i < info->key_count; i++) {
    if (!info->keys[i].when_set) {
      kecs__text_adds(out, ",\n  UNIQUE({tenant}");
      kecs__ddl_names(out, info, &info->keys[i], false);
      kecs__text_addc(out, ')');
    }
  }
  for (int i = 0; i < info->reference_count; i++) {
    const kecs_reference *reference = &info->references[i];
    const kecs_kind_info *parent = kecs_kind_describe(reference->parent);
    kecs__text_addf(out, ",\n  FOREIGN KEY({tenant}%s) REFERENCES {%s}({tenant}%s) ON DELETE %s",
                    info->columns[reference->column].name, parent->table,
                    parent->columns[reference->parent_column].name,
                    reference->on_delete == KECS_ON_DELETE_CASCADE ? "CASCADE" : dialect->on_delete_null);
  }
  if (dialect->tenant) {
    kecs__text_adds(out, ",\n  PRIMARY KEY(tenant,rid)");
  }
  kecs__text_addf(out, "\n)%s;\n", dialect->table_options);
}

KECS__FN void kecs__ddl_indexes(kecs__text *out, const kecs_kind_info *info) {
  for (int i = 0; i < info->key_count; i++) {
    const kecs_column_list *key = &info->keys[i];
    if (key->when_set) {
      kecs__text_addf(out, "CREATE UNIQUE INDEX IF NOT EXISTS %s_%s_key ON {%s}({tenant}", info->table, key->name,
                      info->table);
      kecs__ddl_names(out, info, key, false);
      for (int c = 0; c < key->count; c++) {
        const char *name = info->columns[key->columns[c]].name;
        kecs__text_addf(out, "%s %s<>''", c > 0 ? " AND" : ") WHERE", name);
      }
      kecs__text_adds(out, ";\n");
    }
  }
  for (int i = 0; i < info->index_count; i++) {
    const kecs_column_list *index = &info->indexes[i];
    kecs__text_addf(out, "CREATE INDEX IF NOT EXISTS %s_%s ON {%s}({tenant}", info->table, index->name, info->table);
    kecs__ddl_names(out, info, index, true);
    kecs__text_addc(out, ')');
    if (index->when_set) {
      kecs__text_addf(out, " WHERE %s IS NOT NULL", info->columns[index->columns[0]].name);
    }
    kecs__text_adds(out, ";\n");
  }
}

KECS__FN void kecs__ddl_side_tables(kecs__text *out, const kecs_dialect *dialect) {
  const char *text = dialect->type_text;
  kecs__text_addf(
      out, "CREATE TABLE IF NOT EXISTS {shared schema_version}(version %s NOT NULL, applied_at %s NOT NULL)%s;\n",
      dialect->type_int, dialect->type_time, dialect->table_options);
  kecs__text_adds(out, "CREATE TABLE IF NOT EXISTS {task_definition_families}(");
  kecs__ddl_tenant(out, dialect);
  kecs__text_addf(out,
                  "account_id %s NOT NULL, region %s NOT NULL, family %s NOT NULL, last_revision %s NOT NULL, "
                  "PRIMARY KEY({tenant}account_id,region,family))%s;\n",
                  text, text, text, dialect->type_int, dialect->table_options);
  kecs__text_adds(out, "CREATE TABLE IF NOT EXISTS {elbv2_associations}(");
  kecs__ddl_tenant(out, dialect);
  kecs__text_addf(out,
                  "target_group_arn %s NOT NULL, load_balancer_arn %s NOT NULL, listener_arn %s NOT NULL, "
                  "PRIMARY KEY({tenant}target_group_arn,load_balancer_arn,listener_arn))%s;\n",
                  text, text, text, dialect->table_options);
  kecs__text_adds(out,
                  "CREATE INDEX IF NOT EXISTS elbv2_associations_load_balancer ON "
                  "{elbv2_associations}({tenant}load_balancer_arn,target_group_arn);\n"
                  "CREATE INDEX IF NOT EXISTS elbv2_associations_listener ON "
                  "{elbv2_associations}({tenant}listener_arn) "
                  "WHERE listener_arn<>'';\n");
}

KECS__FN void kecs__ddl_add_column(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                                   int column) {
  kecs__text_addf(out, "ALTER TABLE {%s} ADD COLUMN ", info->table);
  kecs__ddl_column(out, dialect, info, column);
  if (info->columns[column].flags & KECS_COLUMN_NOT_NULL) {
    const char *value = info->columns[column].default_text;
    /* Rows that are there already need a value at once. Defaults come from the kind files and hold no quote. */
    bool text = info->columns[column].type == KECS_TYPE_TEXT || info->columns[column].type == KECS_TYPE_JSON;
    kecs__text_addf(out, text ? " DEFAULT '%s'" : " DEFAULT %s", value ? value : (text ? "" : "0"));
  }
  kecs__text_adds(out, ";\n");
}
