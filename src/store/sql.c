/* store/sql.c -- the statements that read and write one row. */
#include "base/prologue.h"

#include "store/sql.h"

#include "store/feed.h"

#include <stdio.h>
#include <string.h>

KECS__FN void kecs__sql_placeholder(kecs__text *out, const kecs_dialect *dialect, int number) {
  char text[16];
  int len = snprintf(text, sizeof text, "%c%d", dialect->placeholder, number);
  kecs__text_add(out, text, (size_t)len);
}

/* "a=?1 AND b=?2" */
static void kecs__sql_key(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                          const kecs_column_list *key) {
  for (int i = 0; i < key->count; i++) {
    kecs__text_adds(out, i > 0 ? " AND " : "");
    kecs__text_adds(out, info->columns[key->columns[i]].name);
    kecs__text_addc(out, '=');
    kecs__sql_placeholder(out, dialect, i + 1);
  }
  /* The words that make SQLite use the partial index of such a key. */
  for (int i = 0; key->when_set && i < key->count; i++) {
    kecs__text_addf(out, " AND %s<>''", info->columns[key->columns[i]].name);
  }
}

static void kecs__sql_masked(kecs__text *out, const kecs_kind_info *info, uint64_t mask) {
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_addc(out, ',');
      kecs__text_adds(out, info->columns[i].name);
    }
  }
}

static void kecs__sql_insert(kecs__text *out, const kecs_dialect *dialect, const kecs__meta *meta) {
  kecs__text_addf(out, "INSERT INTO %s(%s) VALUES(", meta->info->table, meta->columns);
  for (int i = 0; i < meta->info->column_count; i++) {
    if (i > 0) {
      kecs__text_addc(out, ',');
    }
    kecs__sql_placeholder(out, dialect, i + 1);
  }
  kecs__text_addc(out, ')');
}

static void kecs__sql_update(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info, kecs__op op,
                             uint64_t mask) {
  kecs__text_addf(out, "UPDATE %s SET ", info->table);
  int number = 0;
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_adds(out, number > 0 ? "," : "");
      kecs__text_adds(out, info->columns[i].name);
      kecs__text_addc(out, '=');
      kecs__sql_placeholder(out, dialect, ++number);
    }
  }
  if (op != KECS__OP_UPDATE) {
    kecs__feed_sql_update(out, dialect, op, ++number);
  }
  kecs__text_adds(out, " WHERE rid=");
  kecs__sql_placeholder(out, dialect, number + 1);
}

KECS__FN void kecs__sql_build(kecs__text *out, const kecs_dialect *dialect, const kecs__meta *meta, kecs__op op,
                              uint64_t mask) {
  const kecs_kind_info *info = meta->info;
  switch (op) {
    case KECS__OP_SELECT_KEY:
      kecs__text_addf(out, "SELECT %s FROM %s WHERE ", meta->columns, info->table);
      kecs__sql_key(out, dialect, info, &info->keys[mask]);
      break;
    case KECS__OP_FIND_KEY:
      kecs__text_addf(out, "SELECT rid FROM %s WHERE ", info->table);
      kecs__sql_key(out, dialect, info, &info->keys[mask]);
      break;
    case KECS__OP_SELECT_RID:
      kecs__text_addf(out, "SELECT %s FROM %s WHERE rid=", meta->columns, info->table);
      kecs__sql_placeholder(out, dialect, 1);
      break;
    case KECS__OP_READ_FIELDS:
    case KECS__OP_READ_FIELDS_LOGGED:
      kecs__text_adds(out, "SELECT rid");
      kecs__sql_masked(out, info, mask);
      if (op == KECS__OP_READ_FIELDS_LOGGED) {
        kecs__feed_sql_read(out, info);
      }
      kecs__text_addf(out, " FROM %s WHERE ", info->table);
      kecs__sql_key(out, dialect, info, &info->keys[0]);
      break;
    case KECS__OP_READ_RID:
    case KECS__OP_READ_RID_LOGGED:
      kecs__text_adds(out, "SELECT rid");
      kecs__sql_masked(out, info, mask);
      if (op == KECS__OP_READ_RID_LOGGED) {
        kecs__feed_sql_read(out, info);
      }
      kecs__text_addf(out, " FROM %s WHERE rid=", info->table);
      kecs__sql_placeholder(out, dialect, 1);
      break;
    case KECS__OP_INSERT:
      kecs__sql_insert(out, dialect, meta);
      break;
    case KECS__OP_INSERT_LOGGED:
      kecs__feed_sql_insert(out, dialect, meta);
      break;
    case KECS__OP_UPDATE:
    case KECS__OP_UPDATE_SPEC:
    case KECS__OP_UPDATE_STATUS:
    case KECS__OP_UPDATE_BOTH:
      kecs__sql_update(out, dialect, info, op, mask);
      break;
    case KECS__OP_DELETE:
      kecs__text_addf(out, "DELETE FROM %s WHERE rid=", info->table);
      kecs__sql_placeholder(out, dialect, 1);
      break;
    case KECS__OP_TEXT:
      break; /* the caller has the text */
  }
}
