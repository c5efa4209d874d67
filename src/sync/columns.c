/* sync/columns.c -- what the texts of sync say of columns: keys, defaults, which of them travel. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

KECS_PG__FN bool kecs_sync__travels(const kecs_column_info *column) {
  return column->group != KECS_GROUP_LOCAL;
}

KECS_PG__FN bool kecs_sync__later_column(const kecs_column_info *column) {
  return column->since > 1;
}

KECS_PG__FN void kecs_sync__default(kecs_pg__text *out, const kecs_column_info *column) {
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  const char *value = column->default_text;
  if (!value && !(column->flags & KECS_COLUMN_NOT_NULL)) {
    kecs_pg__text_adds(out, "NULL");
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_pg__text_adds(out, value && value[0] == '1' ? "true" : "false");
  } else { /* defaults come from the kind files and hold no quote */
    kecs_pg__text_adds(out, text ? "'" : "");
    kecs_pg__text_adds(out, value ? value : text ? "" : "0");
    kecs_pg__text_adds(out, text ? "'" : "");
  }
}

KECS_PG__FN void kecs_sync__key_text(kecs_pg__text *out, const kecs_kind_info *info, const char *alias) {
  const kecs_column_list *key = &info->keys[0];
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &info->columns[key->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    const kecs_pg__mark marks[] = {{"a", alias}, {"c", column->name}, {NULL, NULL}};
    kecs_pg__text_adds(out, i > 0 ? "||','||" : "");
    kecs_pg__text_fill(out,
                       text && i < key->count - 1 ? "replace(replace({a}.{c},E'\\\\',E'\\\\\\\\'),',',E'\\\\,')"
                       : key->count == 1          ? "{a}.{c}"
                                                  : "{a}.{c}::text",
                       marks);
  }
}
