/* store/feed_sql.c -- the texts of the change log: its tables, the stamps in the kinds' tables, and the guard triggers.
 *
 * The guards log what other programs write (the sqlite3 shell). Our own connections have triggers switched off, since
 * the write path logs at a fraction of the cost; a connection of ours that was opened before another process switched
 * tracking on has not, so its writes are caught, too. A guard stamps as the library does and uses nothing but SQLite's
 * own functions. It refuses to change a natural key: that would be another row. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/history_log.h"
#include "store/sql.h"

#include <stdio.h>
#include <string.h>

static const char *const kecs__stamp_names[KECS__STAMPS] = {"life", "spec", "status"};

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

/* ---- tables ---- */

/* change_heads, change_queue and change_batches are of logs that the database writes; sync_* are of replication. */
static const char *const kecs__feed_tables[] = {
    "changes",        "change_folds", "change_tombstones", "change_state", "change_heads", "change_queue",
    "change_batches", "history",      "history_keys",      "sync_state",   "sync_conflicts", "sync_wanted",
    "sync_refused",   "sync_repush",  "sync_hubs",    "sync_sites"};

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
  kecs__history_ddl_tables(out, dialect);
}

/* Only in files that were tracked once. stamp_x is the time of the write, site_x the site that wrote it: NULL for this
 * one. */
static void kecs__feed_ddl_stamps(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                                  const char *before, const char *after) {
  for (int i = 0; kecs__feed_stamped(info) && i < KECS__STAMPS; i++) {
    if (kecs__feed_has_group(info, kecs__stamp_group(i))) {
      const char *name = kecs__stamp_names[i];
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
    bool has = kecs__feed_stamped(info) && kecs__feed_has_group(info, kecs__stamp_group(i));
    kecs__text_addf(out, ",%s%s", has ? "stamp_" : "", has ? kecs__stamp_names[i] : "NULL");
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

/* ---- guards ---- */

#define KECS__GUARD_STAMP                                                    \
  "max(coalesce((SELECT stamp FROM changes ORDER BY seq DESC LIMIT 1),0)+1," \
  "CAST((julianday('now')-2440587.5)*86400000 AS INTEGER)<<16)"
#define KECS__GUARD_LAST "(SELECT stamp FROM changes ORDER BY seq DESC LIMIT 1)"

static const char *const kecs__guard_names[] = {"insert", "delete", "spec", "status", "local", "key"};

/* "a=new.a AND b=new.b" over the natural key. */
static void kecs__guard_where(kecs__text *out, const kecs_kind_info *info) {
  for (int i = 0; i < info->keys[0].count; i++) {
    const char *name = info->columns[info->keys[0].columns[i]].name;
    kecs__text_addf(out, "%s%s=new.%s", i > 0 ? " AND " : " WHERE ", name, name);
  }
}

static void kecs__guard_insert(kecs__text *out, const kecs_kind_info *info, bool history) {
  int kind = (int)info->kind;
  char mark[256];
  snprintf(mark, sizeof mark,
           "max(coalesce((SELECT max(rid) FROM change_tombstones WHERE kind=%d),0),"
           "coalesce((SELECT value FROM change_state WHERE id=%d),0))",
           kind, KECS__FEED_RID + kind);
  kecs__text_addf(out, "CREATE TRIGGER feed_%s_insert AFTER INSERT ON %s BEGIN\n", info->table, info->table);
  kecs__text_addf(out, "  UPDATE %s SET rid=%s+1 WHERE rid=new.rid AND rid<=%s;\n", info->table, mark, mark);
  kecs__text_addf(out,
                  "  INSERT INTO changes(kind,rid,groups,op,stamp) SELECT %d,rid,%d,%d," KECS__GUARD_STAMP " FROM %s",
                  kind, (int)KECS__GROUPS_ALL, (int)KECS__FEED_CREATED, info->table);
  kecs__guard_where(out, info);
  kecs__text_adds(out, ";\n");
  if (history) {
    kecs__history_guard_insert(out);
  }
  if (kecs__feed_stamped(info)) {
    kecs__text_addf(out, "  UPDATE %s SET stamp_life=" KECS__GUARD_LAST, info->table);
    kecs__guard_where(out, info);
    kecs__text_adds(out, ";\n");
  }
  kecs__text_adds(out, "END;\n");
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

static void kecs__guard_delete(kecs__text *out, const kecs_kind_info *info, bool history) {
  bool stamped = kecs__feed_stamped(info);
  kecs__text_addf(out, "CREATE TRIGGER feed_%s_delete AFTER DELETE ON %s BEGIN\n", info->table, info->table);
  kecs__text_addf(out,
                  "  INSERT INTO changes(kind,rid,groups,op,stamp,base_life) VALUES(%d,old.rid,%d,%d," KECS__GUARD_STAMP
                  ",%s);\n",
                  (int)info->kind, (int)KECS__GROUPS_ALL, (int)KECS__FEED_DELETED, stamped ? "old.stamp_life" : "NULL");
  kecs__text_addf(out,
                  "  INSERT INTO change_tombstones(seq,kind,rid,stamp,life,life_site,key) "
                  "SELECT seq,kind,rid,stamp,%s,",
                  stamped ? "old.stamp_life,old.site_life" : "NULL,NULL");
  kecs__feed_guard_key(out, info, 0);
  kecs__text_adds(out, " FROM changes ORDER BY seq DESC LIMIT 1;\n");
  if (history) {
    kecs__history_guard_delete(out, info);
  }
  kecs__text_adds(out, "END;\n");
}

static bool kecs__guard_in_key(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return false;
}

/* The columns of a group; what identifies a row without being its natural key goes with the local ones. */
static int kecs__guard_columns(kecs__text *out, const kecs_kind_info *info, kecs_column_group group) {
  int count = 0;
  for (int i = 0; i < info->column_count; i++) {
    kecs_column_group own = info->columns[i].group;
    own = own == KECS_GROUP_KEY && !kecs__guard_in_key(info, i) ? KECS_GROUP_LOCAL : own;
    if (own == group) {
      kecs__text_addf(out, "%s%s", count++ > 0 ? "," : "", info->columns[i].name);
    }
  }
  return count;
}

static void kecs__guard_update(kecs__text *out, const kecs_kind_info *info, kecs_column_group group, const char *name,
                               bool history) {
  kecs__text columns;
  kecs__text_init(&columns, out->allocator, (size_t)1 << 16);
  bool stamped = kecs__feed_stamped(info) && (group == KECS_GROUP_SPEC || group == KECS_GROUP_STATUS);
  if (kecs__guard_columns(&columns, info, group) > 0 && !columns.status) {
    kecs__text_addf(out, "CREATE TRIGGER feed_%s_%s AFTER UPDATE OF %s ON %s BEGIN\n", info->table, name, columns.data,
                    info->table);
    kecs__text_addf(out,
                    "  INSERT INTO changes(kind,rid,groups,op,stamp%s%s) VALUES(%d,new.rid,%d,%d," KECS__GUARD_STAMP,
                    stamped ? ",base_life,base_" : "", stamped ? name : "", (int)info->kind, 1 << (int)group,
                    (int)KECS__FEED_UPDATED);
    if (stamped) {
      kecs__text_addf(out, ",old.stamp_life,old.stamp_%s);\n", name);
      kecs__text_addf(out, "  UPDATE %s SET site_%s=NULL,stamp_%s=" KECS__GUARD_LAST " WHERE rid=new.rid", info->table,
                      name, name);
    }
    kecs__text_adds(out, stamped ? ";\n" : ");\n");
    if (history) {
      kecs__history_guard_update(out, columns.data);
    }
    kecs__text_adds(out, "END;\n");
  }
  out->status = out->status ? out->status : columns.status;
  kecs__text_free(&columns);
}

KECS__FN void kecs__feed_ddl_guards(kecs__text *out, const kecs_kind_info *info, bool history) {
  kecs__guard_insert(out, info, history);
  kecs__guard_delete(out, info, history);
  kecs__guard_update(out, info, KECS_GROUP_SPEC, "spec", history);
  kecs__guard_update(out, info, KECS_GROUP_STATUS, "status", history);
  kecs__guard_update(out, info, KECS_GROUP_LOCAL, "local", history);
  kecs__text_addf(out, "CREATE TRIGGER feed_%s_key BEFORE UPDATE OF ", info->table);
  (void)kecs__guard_columns(out, info, KECS_GROUP_KEY);
  kecs__text_addf(out, " ON %s WHEN ", info->table);
  for (int i = 0; i < info->keys[0].count; i++) {
    const char *column = info->columns[info->keys[0].columns[i]].name;
    kecs__text_addf(out, "%sold.%s IS NOT new.%s", i > 0 ? " OR " : "", column, column);
  }
  kecs__text_addf(out,
                  " BEGIN\n  SELECT RAISE(ABORT,'kecs_store logs changes of this file, and %s has another key after "
                  "this one: delete the row and insert it anew');\nEND;\n",
                  info->name);
}

KECS__FN void kecs__feed_ddl_no_guards(kecs__text *out, const kecs_kind_info *info) {
  for (size_t i = 0; i < sizeof kecs__guard_names / sizeof kecs__guard_names[0]; i++) {
    kecs__text_addf(out, "DROP TRIGGER IF EXISTS feed_%s_%s;\n", info->table, kecs__guard_names[i]);
  }
}
