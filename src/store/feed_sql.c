/* store/feed_sql.c -- the texts of the change log: its tables, the stamps in the kinds' tables, keys as texts. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/sql.h"

#include <stdio.h>
#include <string.h>

static kecs_column_group kecs__stamp_group(int stamp) {
  return stamp == KECS__STAMP_SPEC ? KECS_GROUP_SPEC : stamp == KECS__STAMP_STATUS ? KECS_GROUP_STATUS : KECS_GROUP_KEY;
}

KECS__FN bool kecs__feed_stamped(const kecs_kind_info *info) {
  return !(info->flags & KECS_KIND_APPEND);
}

KECS__FN bool kecs__feed_has_group(const kecs_kind_info *info, kecs_column_group group) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == group) {
      return true;
    }
  }
  return false;
}

KECS__FN const char *kecs__stamp_name(int stamp) {
  static const char *const names[KECS__STAMPS] = {"life", "spec", "status"};
  return names[stamp];
}

KECS__FN bool kecs__stamp_has(const kecs_kind_info *info, int stamp) {
  return kecs__feed_stamped(info) && kecs__feed_has_group(info, kecs__stamp_group(stamp));
}

/* ---- tables ---- */

/* change_heads, change_queue and change_batches are of logs that the database writes; sync_* are of replication. */
static const char *const kecs__feed_tables[] = {
    "changes",        "change_folds", "change_tombstones", "change_state", "change_heads", "change_queue",
    "change_batches", "history",      "history_keys",      "sync_state",   "sync_conflicts", "sync_wanted",
    "sync_refused",   "sync_repush",  "sync_restamp",      "sync_hubs",    "sync_sites",   "sync_echoes",
    "sync_policies"};

KECS__FN bool kecs__feed_is_side_table(const char *name) {
  for (size_t i = 0; i < sizeof kecs__feed_tables / sizeof kecs__feed_tables[0]; i++) {
    if (strcmp(name, kecs__feed_tables[i]) == 0) {
      return true;
    }
  }
  return false;
}

/* "CREATE TABLE name(seq INTEGER PRIMARY KEY,a INTEGER NOT NULL,b INTEGER,..." */
static void kecs__feed_ddl_numbers(kecs__text *out, const kecs_dialect *dialect, const char *const *names, size_t count,
                                   const char *after) {
  for (size_t i = 0; i < count; i++) {
    kecs__text_addf(out, ",%s %s%s", names[i], dialect->type_int, after);
  }
}

KECS__FN void kecs__feed_ddl_tables(kecs__text *out, const kecs_dialect *dialect) {
  static const char *const entry[] = {"kind", "rid", "groups", "op", "stamp"};
  static const char *const base[] = {"base_life", "base_spec", "base_status"};
  static const char *const fold[] = {"rid", "seq", "groups", "op", "stamp", "oldest"};
  static const char *const life[] = {"site", "life", "life_site"};
  kecs__text_addf(out, "CREATE TABLE IF NOT EXISTS {changes}(seq %s", dialect->type_rid);
  kecs__feed_ddl_numbers(out, dialect, entry, sizeof entry / sizeof entry[0], " NOT NULL");
  kecs__feed_ddl_numbers(out, dialect, base, sizeof base / sizeof base[0], "");
  kecs__text_addf(out, ")%s;\nCREATE TABLE IF NOT EXISTS {change_folds}(kind %s NOT NULL", dialect->table_options,
                  dialect->type_int);
  kecs__feed_ddl_numbers(out, dialect, fold, sizeof fold / sizeof fold[0], " NOT NULL");
  kecs__feed_ddl_numbers(out, dialect, base, sizeof base / sizeof base[0], "");
  kecs__text_addf(
      out,
      ",PRIMARY KEY(kind,rid))%s;\n"
      "CREATE UNIQUE INDEX IF NOT EXISTS change_folds_seq ON {change_folds}(seq);\n"
      "CREATE TABLE IF NOT EXISTS {change_tombstones}(seq %s,kind %s NOT NULL,rid %s NOT NULL,key %s NOT NULL,"
      "stamp %s NOT NULL",
      dialect->table_options, dialect->type_rid, dialect->type_int, dialect->type_int, dialect->type_text,
      dialect->type_int);
  kecs__feed_ddl_numbers(out, dialect, life, sizeof life / sizeof life[0], "");
  kecs__text_addf(out,
                  ")%s;\n"
                  "CREATE INDEX IF NOT EXISTS change_tombstones_rid ON {change_tombstones}(kind,rid);\n"
                  "CREATE INDEX IF NOT EXISTS change_tombstones_key ON {change_tombstones}(kind,key);\n"
                  "CREATE TABLE IF NOT EXISTS {change_state}(id %s NOT NULL PRIMARY KEY,value %s NOT NULL)%s;\n",
                  dialect->table_options, dialect->type_int, dialect->type_int, dialect->table_options);
}

/* Only in files that were tracked once. stamp_x is the time of the write, site_x the site that wrote it: NULL for this
 * one. */
static void kecs__feed_ddl_stamps(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                                  const char *before, const char *after) {
  for (int i = 0; i < KECS__STAMPS; i++) {
    if (kecs__stamp_has(info, i)) {
      const char *name = kecs__stamp_name(i);
      kecs__text_addf(out, "%sstamp_%s %s%s%ssite_%s %s%s", before, name, dialect->type_int, after, before, name,
                      dialect->type_int, after);
    }
  }
}

KECS__FN void kecs__feed_ddl_columns(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info) {
  kecs__feed_ddl_stamps(out, dialect, info, ",\n  ", "");
}

KECS__FN void kecs__feed_ddl_add_columns(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info) {
  char before[128];
  snprintf(before, sizeof before, "ALTER TABLE {%s} ADD COLUMN ", info->table);
  kecs__feed_ddl_stamps(out, dialect, info, before, ";\n");
}

/* ---- the logged forms of the fixed statements ---- */

KECS__FN void kecs__feed_sql_insert(kecs__text *out, const kecs__meta *meta) {
  kecs__text_addf(out, "INSERT INTO {%s}({tenant}%s,stamp_life) VALUES({ours}", meta->info->table, meta->columns);
  for (int i = 0; i <= meta->info->column_count; i++) {
    kecs__text_adds(out, i > 0 ? "," : "");
    kecs__sql_placeholder(out, i + 1);
  }
  kecs__text_adds(out, "){rid}");
}

KECS__FN void kecs__feed_sql_read(kecs__text *out, const kecs_kind_info *info) {
  for (int i = 0; i < KECS__STAMPS; i++) {
    bool has = kecs__stamp_has(info, i);
    kecs__text_addf(out, ",%s%s", has ? "stamp_" : "", has ? kecs__stamp_name(i) : "NULL");
  }
}

KECS__FN void kecs__feed_sql_state(kecs__text *out, const kecs_kind_info *info) {
  for (int i = 0; i < KECS__STAMPS; i++) {
    kecs__text_addf(out, kecs__stamp_has(info, i) ? ",stamp_%s,site_%s" : ",NULL,NULL", kecs__stamp_name(i),
                    kecs__stamp_name(i));
  }
}

KECS__FN void kecs__feed_sql_update(kecs__text *out, kecs__op op, int number) {
  static const char *const names[] = {"spec", "status"};
  for (int i = 0; i < 2; i++) {
    if (op == KECS__OP_UPDATE_BOTH || op == (i == 0 ? KECS__OP_UPDATE_SPEC : KECS__OP_UPDATE_STATUS)) {
      kecs__text_addf(out, ",site_%s=NULL,stamp_%s=", names[i], names[i]);
      kecs__sql_placeholder(out, number);
    }
  }
}

/* Whether a merge writes a stamp: all for a life, and else those of its groups. */
static bool kecs__merge_op_stamps(kecs__op op, int stamp) {
  return op == KECS__OP_MERGE_INSERT || op == KECS__OP_MERGE_LIFE || (op == KECS__OP_MERGE_BOTH && stamp > 0) ||
         (op == KECS__OP_MERGE_SPEC && stamp == 1) || (op == KECS__OP_MERGE_STATUS && stamp == 2);
}

/* "a,b" or, where `sets`, "a=?1,b=?2". */
static void kecs__feed_sql_item(kecs__text *out, int number, const char *prefix, const char *name, bool sets) {
  kecs__text_addf(out, "%s%s%s", number > 1 ? "," : "", prefix, name);
  if (sets) {
    kecs__text_addc(out, '=');
    kecs__sql_placeholder(out, number);
  }
}

/* The columns in `mask`, then the stamps. Gives how many. */
static int kecs__feed_sql_merged(kecs__text *out, const kecs_kind_info *info, kecs__op op, uint64_t mask, bool sets) {
  int number = 0;
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__feed_sql_item(out, ++number, "", info->columns[i].name, sets);
    }
  }
  for (int i = 0; i < KECS__STAMPS; i++) {
    if (kecs__merge_op_stamps(op, i) && kecs__stamp_has(info, i)) {
      kecs__feed_sql_item(out, ++number, "stamp_", kecs__stamp_name(i), sets);
      kecs__feed_sql_item(out, ++number, "site_", kecs__stamp_name(i), sets);
    }
  }
  return number;
}

KECS__FN void kecs__feed_sql_merge_insert(kecs__text *out, const kecs_kind_info *info, uint64_t mask) {
  kecs__text_addf(out, "INSERT INTO {%s}({tenant}", info->table);
  int count = kecs__feed_sql_merged(out, info, KECS__OP_MERGE_INSERT, mask, false);
  kecs__text_adds(out, ") VALUES({ours}");
  for (int i = 1; i <= count; i++) {
    kecs__text_adds(out, i > 1 ? "," : "");
    kecs__sql_placeholder(out, i);
  }
  kecs__text_addc(out, ')');
}

KECS__FN void kecs__feed_sql_merge_update(kecs__text *out, const kecs_kind_info *info, kecs__op op, uint64_t mask) {
  kecs__text_addf(out, "UPDATE {%s} SET ", info->table);
  int count = kecs__feed_sql_merged(out, info, op, mask, true);
  kecs__text_adds(out, " WHERE {own}rid=");
  kecs__sql_placeholder(out, count + 1);
}

/* ---- keys ---- */

/* In all parts but the last a comma is written \, and a backslash \\. */
static void kecs__feed_key_part(kecs__text *out, const kecs_value *value, bool last) {
  if (value->type != KECS_VALUE_TEXT) {
    kecs__text_addf(out, "%lld", (long long)value->number);
    return;
  }
  for (size_t i = 0; i < value->len; i++) {
    if (!last && (value->text[i] == ',' || value->text[i] == '\\')) {
      kecs__text_addc(out, '\\');
    }
    kecs__text_addc(out, value->text[i]);
  }
}

KECS__FN const char *kecs__feed_key(const kecs__meta *meta, const void *row, kecs__arena *arena) {
  const kecs_column_list *key = &meta->info->keys[0];
  kecs_value values[KECS_KEY_COLUMNS_MAX];
  for (int i = 0; i < key->count; i++) {
    values[i] = kecs__row_value(meta->info, row, key->columns[i]);
  }
  return kecs__feed_key_text(values, key->count, arena);
}

KECS__FN const char *kecs__feed_key_text(const kecs_value *values, int count, kecs__arena *arena) {
  kecs__text text;
  kecs__text_init(&text, arena->allocator, (size_t)1 << 30);
  for (int i = 0; i < count; i++) {
    kecs__text_adds(&text, i > 0 ? "," : "");
    kecs__feed_key_part(&text, &values[i], i == count - 1);
  }
  const char *copy = text.status ? NULL : kecs__arena_text(arena, text.data, text.len);
  kecs__text_free(&text);
  return copy;
}

KECS__FN void kecs__feed_guard_key(kecs__text *out, const kecs_kind_info *info, int number) {
  const kecs_column_list *key = &info->keys[number];
  for (int i = 0; i < key->count; i++) {
    const kecs_column_info *column = &info->columns[key->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT;
    kecs__text_adds(out, i > 0 ? "||','||" : "");
    kecs__text_addf(out, text && i < key->count - 1 ? "replace(replace(old.%s,'\\','\\\\'),',','\\,')" : "old.%s",
                    column->name);
  }
}
