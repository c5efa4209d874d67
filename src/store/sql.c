/* store/sql.c -- the statements that read and write one row. */
#include "base/prologue.h"

#include "store/sql.h"

#include "store/feed.h"

#include <string.h>

/* ---- marks ---- */

typedef struct kecs__sql_marks {
  kecs__text *out;
  const kecs_dialect *dialect;
  bool writing;
  int tables; /* mentioned */
  int scopes; /* conditions and values that say whose rows */
} kecs__sql_marks;

/* Whether the mark is `word`, alone or with an argument, which is then given. */
static bool kecs__sql_mark_is(const char *mark, size_t len, const char *word, const char **out_rest, size_t *out_len) {
  size_t word_len = strlen(word);
  if (len < word_len || memcmp(mark, word, word_len) != 0 || (len > word_len && mark[word_len] != ' ')) {
    return false;
  }
  *out_rest = len > word_len ? mark + word_len + 1 : "";
  *out_len = len > word_len ? len - word_len - 1 : 0;
  return true;
}

/* "d.tenant='default'" */
static void kecs__sql_scope(kecs__sql_marks *marks, const char *alias, size_t len) {
  marks->scopes++;
  if (marks->dialect->tenant) {
    kecs__text_add(marks->out, alias, len);
    kecs__text_adds(marks->out, len > 0 ? ".tenant=" : "tenant=");
    kecs__text_adds(marks->out, marks->dialect->tenant);
  }
}

static void kecs__sql_table(kecs__sql_marks *marks, const char *table, size_t len) {
  kecs__text_adds(marks->out, marks->dialect->schema);
  kecs__text_add(marks->out, table, len);
}

/* Tenants' marks; false when it is none of them. */
static bool kecs__sql_mark_tenant(kecs__sql_marks *marks, const char *mark, size_t len) {
  const char *tenant = marks->dialect->tenant;
  const char *rest = NULL;
  size_t rest_len = 0;
  if (kecs__sql_mark_is(mark, len, "own", &rest, &rest_len)) {
    kecs__sql_scope(marks, rest, rest_len);
    kecs__text_adds(marks->out, tenant ? " AND " : "");
  } else if (kecs__sql_mark_is(mark, len, "whole", &rest, &rest_len)) {
    kecs__text_adds(marks->out, tenant ? " WHERE " : "");
    kecs__sql_scope(marks, rest, rest_len);
  } else if (kecs__sql_mark_is(mark, len, "tenant", &rest, &rest_len)) {
    kecs__text_adds(marks->out, tenant ? "tenant," : "");
  } else if (kecs__sql_mark_is(mark, len, "ours", &rest, &rest_len)) {
    marks->scopes++;
    kecs__text_adds(marks->out, tenant ? tenant : "");
    kecs__text_adds(marks->out, tenant ? "," : "");
  } else {
    return false;
  }
  return true;
}

static void kecs__sql_mark(kecs__sql_marks *marks, const char *mark, size_t len) {
  const kecs_dialect *dialect = marks->dialect;
  const char *rest = NULL;
  size_t rest_len = 0;
  if (kecs__sql_mark_tenant(marks, mark, len)) {
    return;
  }
  if (kecs__sql_mark_is(mark, len, "lock", &rest, &rest_len)) {
    kecs__text_adds(marks->out, marks->writing ? dialect->lock_rows : "");
  } else if (kecs__sql_mark_is(mark, len, "rid", &rest, &rest_len)) {
    kecs__text_adds(marks->out, dialect->returning_rid);
  } else if (kecs__sql_mark_is(mark, len, "told", &rest, &rest_len)) {
    kecs__text_adds(marks->out, dialect->returning_own ? dialect->returning_own : "");
  } else if (kecs__sql_mark_is(mark, len, "find", &rest, &rest_len)) {
    kecs__text_adds(marks->out, dialect->find_text);
  } else if (kecs__sql_mark_is(mark, len, "highest", &rest, &rest_len)) {
    kecs__text_adds(marks->out, dialect->highest);
  } else if (kecs__sql_mark_is(mark, len, "bytes", &rest, &rest_len)) {
    kecs__text_adds(marks->out, dialect->bytewise);
  } else if (kecs__sql_mark_is(mark, len, "shared", &rest, &rest_len)) {
    kecs__sql_table(marks, rest, rest_len);
  } else {
    marks->tables++;
    kecs__sql_table(marks, mark, len);
  }
}

static void kecs__sql_marks_fill(kecs__sql_marks *marks, const char *sql, size_t len) {
  const char *end = sql + len;
  while (sql < end) {
    const char *at = sql;
    while (at < end && *at != '{' && *at != '?') {
      at++;
    }
    kecs__text_add(marks->out, sql, (size_t)(at - sql));
    if (at < end && *at == '?') {
      kecs__text_addc(marks->out, marks->dialect->placeholder);
    } else if (at < end) {
      const char *mark = at + 1;
      const char *close = memchr(mark, '}', (size_t)(end - mark));
      at = close ? close : end;
      kecs__sql_mark(marks, mark, (size_t)(at - mark));
    }
    sql = at < end ? at + 1 : end;
  }
}

KECS__FN void kecs__sql_expand(kecs__text *out, const kecs_dialect *dialect, bool writing, const char *sql,
                               size_t len) {
  kecs__sql_marks marks = {out, dialect, writing, 0, 0};
  kecs__sql_marks_fill(&marks, sql, len);
  if (!out->status && marks.tables != marks.scopes) {
    out->status = kecs__fail(KECS_E_MISUSE, "a statement has %d tables and says %d times whose rows are meant: %.300s",
                             marks.tables, marks.scopes, sql);
  }
}

KECS__FN void kecs__sql_expand_ddl(kecs__text *out, const kecs_dialect *dialect, const char *sql, size_t len) {
  kecs__sql_marks marks = {out, dialect, false, 0, 0};
  kecs__sql_marks_fill(&marks, sql, len);
}

/* ---- rows ---- */

/* "a=?1 AND b=?2" */
static void kecs__sql_key(kecs__text *out, const kecs_kind_info *info, const kecs_column_list *key) {
  for (int i = 0; i < key->count; i++) {
    kecs__text_adds(out, i > 0 ? " AND " : "");
    kecs__text_adds(out, info->columns[key->columns[i]].name);
    kecs__text_addc(out, '=');
    kecs__sql_placeholder(out, i + 1);
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

static void kecs__sql_insert(kecs__text *out, const kecs__meta *meta) {
  kecs__text_addf(out, "INSERT INTO {%s}({tenant}%s) VALUES({ours}", meta->info->table, meta->columns);
  for (int i = 0; i < meta->info->column_count; i++) {
    if (i > 0) {
      kecs__text_addc(out, ',');
    }
    kecs__sql_placeholder(out, i + 1);
  }
  kecs__text_adds(out, "){rid}");
}

static void kecs__sql_update(kecs__text *out, const kecs_kind_info *info, kecs__op op, uint64_t mask) {
  kecs__text_addf(out, "UPDATE {%s} SET ", info->table);
  int number = 0;
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_adds(out, number > 0 ? "," : "");
      kecs__text_adds(out, info->columns[i].name);
      kecs__text_addc(out, '=');
      kecs__sql_placeholder(out, ++number);
    }
  }
  if (op != KECS__OP_UPDATE) {
    kecs__feed_sql_update(out, op, ++number);
  }
  kecs__text_adds(out, " WHERE {own}rid=");
  kecs__sql_placeholder(out, number + 1);
  kecs__text_adds(out, "{told}");
}

/* What follows a change by itself follows here, too. A column that stands for a default that a document left out is not
 * for this statement. */
static void kecs__sql_update_if(kecs__text *out, const kecs__meta *meta, uint64_t mask) {
  const kecs_kind_info *info = meta->info;
  int number = info->keys[0].count;
  kecs__text differs;
  kecs__text_init(&differs, out->allocator, out->max);
  kecs__text_addf(out, "UPDATE {%s} SET ", info->table);
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_addf(out, "%s%s=", differs.len > 0 ? "," : "", info->columns[i].name);
      kecs__text_addf(&differs, "%s%s IS DISTINCT FROM ", differs.len > 0 ? " OR " : "", info->columns[i].name);
      kecs__sql_placeholder(out, ++number);
      kecs__sql_placeholder(&differs, number);
    }
  }
  kecs__text_adds(out, ",updated_at=");
  kecs__sql_placeholder(out, ++number);
  kecs__text_adds(out, ",version=version+1 WHERE {own}");
  kecs__sql_key(out, info, &info->keys[0]);
  kecs__text_adds(out, " AND (version=");
  kecs__sql_placeholder(out, ++number);
  kecs__text_adds(out, " OR ");
  kecs__sql_placeholder(out, number);
  /* What extra keeps may have to go with the change: such a row is changed the longer way. */
  kecs__text_addf(out, "=0) AND (omitted&%llu)=0%s AND (", (unsigned long long)mask,
                  meta->extra >= 0 ? " AND extra IS NULL" : "");
  kecs__text_add(out, differs.data, differs.len);
  kecs__text_adds(out, "){told}");
  out->status = out->status ? out->status : differs.status;
  kecs__text_free(&differs);
}

static void kecs__sql_read(kecs__text *out, const kecs_kind_info *info, kecs__op op, uint64_t mask) {
  kecs__text_adds(out, "SELECT rid");
  kecs__sql_masked(out, info, mask);
  if (op == KECS__OP_READ_FIELDS_LOGGED || op == KECS__OP_READ_RID_LOGGED) {
    kecs__feed_sql_read(out, info);
  }
  kecs__text_addf(out, " FROM {%s} WHERE {own}", info->table);
  if (op == KECS__OP_READ_FIELDS || op == KECS__OP_READ_FIELDS_LOGGED) {
    kecs__sql_key(out, info, &info->keys[0]);
  } else {
    kecs__text_adds(out, "rid=");
    kecs__sql_placeholder(out, 1);
  }
  kecs__text_adds(out, "{lock}");
}

KECS__FN void kecs__sql_build(kecs__text *out, const kecs__meta *meta, kecs__op op, uint64_t mask) {
  const kecs_kind_info *info = meta->info;
  switch (op) {
    case KECS__OP_SELECT_KEY:
    case KECS__OP_LOOK_KEY:
      kecs__text_addf(out, "SELECT %s%s FROM {%s} WHERE {own}", meta->columns,
                      op == KECS__OP_SELECT_KEY ? ",rid" : "", info->table);
      kecs__sql_key(out, info, &info->keys[mask]);
      kecs__text_adds(out, op == KECS__OP_SELECT_KEY ? "{lock}" : "");
      break;
    case KECS__OP_FIND_KEY:
      kecs__text_addf(out, "SELECT rid FROM {%s} WHERE {own}", info->table);
      kecs__sql_key(out, info, &info->keys[mask]);
      break;
    case KECS__OP_SELECT_RID:
      kecs__text_addf(out, "SELECT %s FROM {%s} WHERE {own}rid=", meta->columns, info->table);
      kecs__sql_placeholder(out, 1);
      kecs__text_adds(out, "{lock}");
      break;
    case KECS__OP_READ_FIELDS:
    case KECS__OP_READ_FIELDS_LOGGED:
    case KECS__OP_READ_RID:
    case KECS__OP_READ_RID_LOGGED:
      kecs__sql_read(out, info, op, mask);
      break;
    case KECS__OP_READ_STATE:
      kecs__text_addf(out, "SELECT %s", meta->columns);
      kecs__feed_sql_state(out, info);
      kecs__text_addf(out, " FROM {%s} WHERE {own}rid=", info->table);
      kecs__sql_placeholder(out, 1);
      break;
    case KECS__OP_INSERT:
      kecs__sql_insert(out, meta);
      break;
    case KECS__OP_INSERT_LOGGED:
      kecs__feed_sql_insert(out, meta);
      break;
    case KECS__OP_UPDATE:
    case KECS__OP_UPDATE_SPEC:
    case KECS__OP_UPDATE_STATUS:
    case KECS__OP_UPDATE_BOTH:
      kecs__sql_update(out, info, op, mask);
      break;
    case KECS__OP_UPDATE_IF:
      kecs__sql_update_if(out, meta, mask);
      break;
    case KECS__OP_DELETE:
      kecs__text_addf(out, "DELETE FROM {%s} WHERE {own}rid=", info->table);
      kecs__sql_placeholder(out, 1);
      kecs__text_adds(out, "{told}");
      break;
    case KECS__OP_MERGE_INSERT:
      kecs__feed_sql_merge_insert(out, info, mask);
      break;
    case KECS__OP_MERGE_LIFE:
    case KECS__OP_MERGE_SPEC:
    case KECS__OP_MERGE_STATUS:
    case KECS__OP_MERGE_BOTH:
      kecs__feed_sql_merge_update(out, info, op, mask);
      break;
    case KECS__OP_TEXT:
      break; /* the caller has the text */
  }
}
