/* store/feed_guards.c -- the guard triggers of a tracked file.
 *
 * They log what other programs write (the sqlite3 shell). Our own connections have triggers switched off, since
 * the write path logs at a fraction of the cost; a connection of ours that was opened before another process switched
 * tracking on has not, so its writes are caught, too. A guard stamps as the library does and uses nothing but SQLite's
 * own functions. It refuses to change a natural key: that would be another row. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/history_log.h"

#include <stdio.h>
#include <string.h>

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
