/* store/merge_sql.c -- INSERT ... ON CONFLICT DO UPDATE with what an update of the store does: equal rows are not
 * written, versions count up, updated_at and omitted follow. */
#include "base/prologue.h"

#include "store/merge_sql.h"

#include "store/special.h"

#include <string.h>

#define KECS__MERGE_SQL_MAX ((size_t)256 * 1024)

/* Where a staged row and a stored one are the same: "t.arn=s.arn". */
static void kecs__merge_key(kecs__text *out, const kecs_kind_info *info) {
  for (int i = 0; i < info->keys[0].count; i++) {
    const char *name = info->columns[info->keys[0].columns[i]].name;
    kecs__text_addf(out, "%st.%s=s.%s", i > 0 ? " AND " : "", name, name);
  }
}

/* What an update writes into a column. */
static void kecs__merge_value(kecs__text *out, const kecs_kind_info *info, const kecs__form *form, int column) {
  kecs_column_type type = info->columns[column].type;
  if (!(form->emptied & KECS_BIT(column))) {
    kecs__text_addf(out, "EXCLUDED.%s", info->columns[column].name);
  } else {
    bool number = type == KECS_TYPE_INT || type == KECS_TYPE_RANK;
    kecs__text_adds(out, number ? "0" : type == KECS_TYPE_BOOL ? "false" : "NULL");
  }
}

static void kecs__merge_differs(kecs__text *out, const kecs_kind_info *info, const kecs__form *form, int column) {
  kecs__text_addf(out, "t.%s IS DISTINCT FROM ", info->columns[column].name);
  kecs__merge_value(out, info, form, column);
}

/* A column that stands for a default that a document left out is told from now on, once it changes. */
static void kecs__merge_omitted(kecs__text *out, const kecs_kind_info *info, const kecs__form *form, uint64_t mask) {
  kecs__text_adds(out, ",omitted=CASE WHEN t.omitted=0 THEN 0 ELSE t.omitted & ~(0::bigint");
  for (int i = 0; i < info->column_count; i++) {
    if ((mask & KECS_BIT(i)) && info->columns[i].default_text) {
      kecs__text_adds(out, "|CASE WHEN ");
      kecs__merge_differs(out, info, form, i);
      kecs__text_addf(out, " THEN 1::bigint<<%d ELSE 0 END", i);
    }
  }
  kecs__text_adds(out, ") END");
}

static void kecs__merge_conflict(kecs__text *out, const kecs__meta *meta, const kecs__form *form) {
  const kecs_kind_info *info = meta->info;
  uint64_t mask = meta->updatable & ~form->kept;
  bool tags = meta->special->follow != NULL;
  kecs__text_adds(out, " ON CONFLICT({tenant}");
  for (int i = 0; i < info->keys[0].count; i++) {
    kecs__text_addf(out, "%s%s", i > 0 ? "," : "", info->columns[info->keys[0].columns[i]].name);
  }
  kecs__text_adds(out, ") DO UPDATE SET version=t.version+1,updated_at=EXCLUDED.updated_at");
  kecs__merge_omitted(out, info, form, mask);
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_addf(out, ",%s=", info->columns[i].name);
      kecs__merge_value(out, info, form, i);
    }
  }
  kecs__text_adds(out, tags ? " WHERE t.tags IS NOT DISTINCT FROM EXCLUDED.tags AND (false" : " WHERE (false");
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_adds(out, " OR ");
      kecs__merge_differs(out, info, form, i);
    }
  }
  kecs__text_addc(out, ')');
}

static void kecs__merge_write(kecs__text *out, const kecs__meta *meta, const kecs__form *form, kecs__merge_op op) {
  const kecs_kind_info *info = meta->info;
  kecs__text_adds(out, op == KECS__MERGE_TOLD ? "WITH s AS (SELECT * FROM " KECS__STAGED "),merged AS (" : "");
  kecs__text_addf(out, "INSERT INTO {%s} AS t({tenant}%s) ", info->table, meta->columns);
  if (op == KECS__MERGE_ONE) {
    for (int i = 0; i < info->column_count; i++) {
      kecs__text_adds(out, i > 0 ? "," : "VALUES({ours}");
      kecs__sql_placeholder(out, i + 1);
    }
    kecs__text_addc(out, ')');
  } else {
    kecs__text_addf(out, "SELECT {ours}%s FROM " KECS__STAGED " WHERE staged_form=?1", meta->columns);
  }
  kecs__merge_conflict(out, meta, form);
  if (op == KECS__MERGE_TOLD) { /* a row that was inserted has never been locked */
    kecs__text_adds(out, " RETURNING arn,xmax=0 AS fresh) SELECT -1-count(*) FROM merged UNION ALL SELECT s.staged_at "
                         "FROM merged t JOIN s ON t.arn=s.arn WHERE t.fresh AND s.tags<>''");
  }
}

KECS__FN kecs_status kecs__merge_prepare(kecs__session *session, const kecs__meta *meta, const kecs__form *form,
                                         kecs__merge_op op, kecs__cached **out_cached) {
  kecs__text sql;
  *out_cached = NULL;
  kecs__text_init(&sql, &session->engine->allocator, KECS__MERGE_SQL_MAX);
  kecs__merge_write(&sql, meta, form, op);
  kecs_status status = sql.status ? sql.status : kecs__statement_text(session, sql.data, sql.len, out_cached);
  kecs__text_free(&sql);
  return status;
}

KECS__FN kecs_status kecs__merge_create(kecs__session *session, const kecs__meta *meta) {
  kecs__text sql;
  kecs__text_init(&sql, &session->engine->allocator, KECS__MERGE_SQL_MAX);
  kecs__text_addf(&sql, "CREATE TEMPORARY TABLE " KECS__STAGED " ON COMMIT DROP AS SELECT %s,0::bigint AS staged_at,"
                        "0::bigint AS staged_form,0::bigint AS staged_version FROM {%s}{whole} LIMIT 0",
                  meta->columns, meta->info->table);
  kecs_status status = sql.status ? sql.status : kecs__run(session, sql.data, NULL, 0, NULL);
  kecs__text_free(&sql);
  return status;
}

/* The statement is run to its first row, or its end. */
static kecs_status kecs__merge_start(kecs__session *session, kecs__text *sql, kecs__cached **out_cached,
                                     bool *out_row) {
  *out_cached = NULL;
  *out_row = false;
  kecs_status status = sql->status ? sql->status : kecs__statement_text(session, sql->data, sql->len, out_cached);
  if (!status) {
    status = kecs__statement_start(session, *out_cached, NULL, 0, out_row);
  }
  kecs__text_free(sql);
  return status;
}

KECS__FN kecs_status kecs__merge_ask(kecs__session *session, const kecs__meta *meta, kecs__merge_question question,
                                     int64_t *out_number) {
  kecs__text sql;
  kecs__cached *cached = NULL;
  bool row = false;
  bool locks = question == KECS__MERGE_LOCK;
  *out_number = 0;
  kecs__text_init(&sql, &session->engine->allocator, KECS__MERGE_SQL_MAX);
  kecs__text_addf(&sql, "SELECT count(*) FROM (SELECT s.staged_at FROM " KECS__STAGED " s %sJOIN {%s} t ON {own t}",
                  locks ? "" : "LEFT ", meta->info->table);
  kecs__merge_key(&sql, meta->info);
  kecs__text_adds(&sql, " WHERE s.staged_version<>0");
  kecs__text_adds(&sql, locks ? " ORDER BY t.rid FOR NO KEY UPDATE OF t) l"
                              : " AND t.version IS DISTINCT FROM s.staged_version) l");
  kecs_status status = kecs__merge_start(session, &sql, &cached, &row);
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    *out_number = value.number;
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__merge_list_left(kecs__session *session, const kecs__meta *meta, size_t *out, size_t room,
                                           size_t *out_count) {
  kecs__text sql;
  kecs__cached *cached = NULL;
  bool row = false;
  *out_count = 0;
  kecs__text_init(&sql, &session->engine->allocator, KECS__MERGE_SQL_MAX);
  kecs__text_addf(&sql, "SELECT s.staged_at FROM " KECS__STAGED " s JOIN {%s} t ON {own t}", meta->info->table);
  kecs__merge_key(&sql, meta->info);
  kecs__text_adds(&sql, " WHERE t.tags IS DISTINCT FROM s.tags ORDER BY s.staged_at");
  kecs_status status = kecs__merge_start(session, &sql, &cached, &row);
  while (!status && row && *out_count < room) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    out[(*out_count)++] = (size_t)value.number;
    status = kecs__statement_step(session, cached, &row);
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__merge_give_back(kecs__session *session, const kecs__meta *meta, kecs_result *result) {
  kecs__text sql;
  kecs__cached *cached = NULL;
  bool row = false;
  kecs__text_init(&sql, &session->engine->allocator, KECS__MERGE_SQL_MAX);
  for (int i = 0; i < meta->info->column_count; i++) {
    kecs__text_addf(&sql, "%st.%s", i > 0 ? "," : "SELECT ", meta->info->columns[i].name);
  }
  kecs__text_addf(&sql, " FROM " KECS__STAGED " s JOIN {%s} t ON {own t}", meta->info->table);
  kecs__merge_key(&sql, meta->info);
  kecs__text_adds(&sql, " ORDER BY s.staged_at");
  kecs_status status = kecs__merge_start(session, &sql, &cached, &row);
  while (!status && row) {
    void *kept = kecs__result_room(result);
    status = kept ? kecs__row_fetch(session, cached, meta, &result->arena, kept, NULL) : KECS_E_NOMEM;
    if (!status) {
      status = kecs__statement_step(session, cached, &row);
    }
  }
  kecs__statement_done(session, cached);
  return status;
}
