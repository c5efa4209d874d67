/* store/migrate.c -- schema versions.
 *
 * The table schema_version holds one row per version that the database went through. A database is ours when it has
 * that table and the kinds', or no table at all (it is fresh). Version n to n+1 is: new kinds' tables, columns marked
 * SINCE(n+1), new indexes; then a step's own statements, if it has any (kecs__steps). Everything happens in one write
 * transaction, and the version is read again inside it, so processes that open one file at once migrate it once. */
#include "base/prologue.h"

#include "store/migrate.h"

#include "store/access.h"
#include "store/feed.h"
#include "store/history_log.h"
#include "store/sql.h"
#include "store/statements.h"

#include <limits.h>
#include <string.h>

#define KECS__DDL_MAX ((size_t)1 << 20)

/* What a version needs beyond new columns: SQL that converts what is there. */
typedef struct kecs__step {
  int version;
  const char *sql;
} kecs__step;

/* A step without SQL is for a version that brings nothing but indexes. */
static const kecs__step kecs__steps[] = {
    {1, ""},
    {2, ""}, /* the tables of the change log (feed_sql.c), where the store writes it */
    {3, ""}, /* those of one that the database writes (kecs_backend_log) */
    {4, ""}, /* those of the history (history_sql.c) */
    {5, ""}, /* those of one that the database keeps */
};

#define KECS__STEP_COUNT (sizeof kecs__steps / sizeof kecs__steps[0])

KECS__FN int kecs__schema_version(void) {
  int version = 1;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < info->column_count; i++) {
      version = info->columns[i].since > version ? info->columns[i].since : version;
    }
  }
  int step = kecs__steps[KECS__STEP_COUNT - 1].version;
  return step > version ? step : version;
}

/* Which tables there are: bit n for kind n's, bit 0 for schema_version. */
typedef struct kecs__tables {
  uint64_t ours;
  int strangers;
  char stranger[64];
} kecs__tables;

static kecs_status kecs__tables_visit(const char *table, void *user) {
  kecs__tables *tables = user;
  if (strcmp(table, "schema_version") == 0) {
    tables->ours |= 1;
    return KECS_OK;
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (strcmp(kecs_kind_describe((kecs_kind)kind)->table, table) == 0) {
      tables->ours |= KECS_BIT(kind);
      return KECS_OK;
    }
  }
  if (strcmp(table, "task_definition_families") != 0 && strcmp(table, "elbv2_associations") != 0 &&
      !kecs__feed_is_side_table(table)) {
    tables->strangers++;
    strncpy(tables->stranger, table, sizeof tables->stranger - 1);
  }
  return KECS_OK;
}

/* The database's version; 0 for a fresh one. */
static kecs_status kecs__version_read(kecs__session *session, kecs__tables *out_tables, int *out_version) {
  const kecs__engine *engine = session->engine;
  memset(out_tables, 0, sizeof *out_tables);
  *out_version = 0;
  kecs_status status = engine->backend->table_names(session->connection, kecs__tables_visit, out_tables);
  if (status) {
    return status;
  }
  bool versioned = (out_tables->ours & 1) && (out_tables->ours & KECS_BIT(KECS_KIND_CLUSTER));
  if (!versioned) {
    if (out_tables->strangers || out_tables->ours) {
      return kecs__fail(KECS_E_CORRUPT,
                        "%s is a database of something else (it has %s%s, but not the tables of kecs_store); "
                        "give kecs_store %s. Nothing was changed",
                        engine->place.shown, out_tables->strangers ? "a table " : "tables of the same names",
                        out_tables->stranger, engine->dialect->own_place);
    }
    return KECS_OK;
  }
  static const char sql[] = "SELECT max(version) FROM {shared schema_version}";
  kecs__cached *cached = NULL;
  bool row = false;
  status = kecs__statement_text(session, sql, sizeof sql - 1, &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, NULL, 0, &row);
  }
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    int64_t version = value.type == KECS_VALUE_INT && value.number > 0 ? value.number : 0;
    *out_version = version < INT_MAX ? (int)version : INT_MAX;
  }
  kecs__statement_done(session, cached);
  if (!status && *out_version == 0) {
    status = kecs__fail(KECS_E_CORRUPT,
                        "%s: its table schema_version says no version; it is damaged, or a database of "
                        "something else. Nothing was changed",
                        engine->place.shown);
  }
  return status;
}

/* ---- every column that this version needs is there ---- */

typedef struct kecs__present {
  const kecs_kind_info *info;
  uint64_t columns;
  bool rid;
} kecs__present;

static kecs_status kecs__present_visit(const char *name, void *user) {
  kecs__present *present = user;
  int column = kecs_column_find(present->info, name);
  if (column >= 0) {
    present->columns |= KECS_BIT(column);
  }
  present->rid = present->rid || strcmp(name, "rid") == 0;
  return KECS_OK;
}

static kecs_status kecs__present_read(kecs__session *session, const kecs_kind_info *info, kecs__present *out_present) {
  memset(out_present, 0, sizeof *out_present);
  out_present->info = info;
  return session->engine->backend->table_columns(session->connection, info->table, kecs__present_visit, out_present);
}

static kecs_status kecs__schema_assert(kecs__session *session) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs__present present;
    kecs_status status = kecs__present_read(session, info, &present);
    if (status) {
      return status;
    }
    for (int i = 0; present.rid && i < info->column_count; i++) {
      if (!(present.columns & KECS_BIT(i))) {
        return kecs__fail(KECS_E_CORRUPT,
                          "%s: the table %s lacks the column \"%s\"; restore a backup, or add the column",
                          session->engine->place.shown, info->table, info->columns[i].name);
      }
    }
    if (!present.rid) {
      return kecs__fail(KECS_E_CORRUPT, "%s: the table \"%s\" does not exist or has no rid; restore a backup",
                        session->engine->place.shown, info->table);
    }
  }
  return KECS_OK;
}

/* ---- making and migrating ---- */

static void kecs__migrate_kind(kecs__text *out, const kecs__engine *engine, const kecs_kind_info *info,
                               const kecs__present *present) {
  const kecs_dialect *dialect = engine->dialect;
  if (!present->rid) {
    kecs__ddl_table(out, dialect, info, engine->stamps);
  }
  for (int i = 0; present->rid && i < info->column_count; i++) {
    if (!(present->columns & KECS_BIT(i))) {
      kecs__ddl_add_column(out, dialect, info, i);
    }
  }
  kecs__ddl_indexes(out, info);
}

static kecs_status kecs__migrate_apply(kecs__write *write, int from) {
  kecs__engine *engine = write->engine;
  kecs__text text;
  kecs__text_init(&text, &engine->allocator, KECS__DDL_MAX);
  kecs__ddl_side_tables(&text, engine->dialect);
  if (engine->backend->guard) { /* a log that the database writes has tables of the backend's making */
    kecs__feed_ddl_tables(&text, engine->dialect);
    kecs__history_ddl_tables(&text, engine->dialect);
  }
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs__present present;
    status = kecs__present_read(write->session, info, &present);
    if (!status) {
      kecs__migrate_kind(&text, engine, info, &present);
    }
  }
  for (size_t i = 0; i < KECS__STEP_COUNT; i++) {
    if (kecs__steps[i].version > from) {
      kecs__text_adds(&text, kecs__steps[i].sql);
    }
  }
  for (int version = from + 1; version <= kecs__schema_version(); version++) {
    kecs__text_addf(&text, "INSERT INTO {shared schema_version}(version,applied_at) VALUES(%d,%lld);\n", version,
                    (long long)write->now);
  }
  kecs__text sql;
  kecs__text_init(&sql, &engine->allocator, KECS__DDL_MAX);
  if (!status && !text.status) {
    kecs__sql_expand_ddl(&sql, engine->dialect, text.data, text.len);
  }
  if (!status) {
    status = text.status ? text.status : sql.status;
  }
  if (!status) {
    status = engine->backend->execute(write->session->connection, sql.data);
  }
  kecs__text_free(&sql);
  kecs__text_free(&text);
  return status ? status : kecs__feed_migrated(write);
}

static kecs_status kecs__version_check(const kecs__engine *engine, int found) {
  if (found <= kecs__schema_version()) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_SCHEMA_NEWER,
                    "%s has schema version %d, this library knows %d; use a newer kecs_store. "
                    "Nothing was changed",
                    engine->place.shown, found, kecs__schema_version());
}

static kecs_status kecs__migrate_write(kecs_store *store) {
  kecs__write write;
  kecs_status status = kecs__write_open(store, &write);
  kecs__tables tables;
  int version = 0;
  if (!status && store->engine->backend->keep_out) {
    status = store->engine->backend->keep_out(write.session->connection);
  }
  if (!status) {
    status = kecs__version_read(write.session, &tables, &version);
  }
  if (!status) {
    status = kecs__version_check(store->engine, version);
  }
  if (!status && version < kecs__schema_version()) {
    status = kecs__migrate_apply(&write, version);
  }
  status = kecs__write_close(&write, status);
  if (!status && version < kecs__schema_version()) {
    kecs__log(store->engine, KECS_LOG_INFO, "%s: schema version %d -> %d", store->engine->place.shown, version,
              kecs__schema_version());
  }
  return status;
}

KECS__FN kecs_status kecs__migrate(kecs_store *store) {
  kecs__engine *engine = store->engine;
  kecs__session *session = engine->writer;
  kecs__tables tables;
  int version = 0;
  kecs_status status = kecs__version_read(session, &tables, &version);
  if (!status) {
    status = kecs__version_check(engine, version);
  }
  if (!status && engine->read_only && version == 0) {
    return kecs__fail(KECS_E_NOT_FOUND, "%s is empty: it holds no store yet. Nothing was changed", engine->place.shown);
  }
  if (!status && engine->read_only && version < kecs__schema_version()) {
    return kecs__fail(KECS_E_READONLY, "%s has schema version %d and must be migrated to %d: open it for writing once",
                      engine->place.shown, version, kecs__schema_version());
  }
  bool older = version < kecs__schema_version();
  if (!status && !older) {
    status = kecs__schema_assert(session); /* before anything lasting is done to the file */
  }
  if (!status && !engine->read_only) {
    status = engine->backend->settle(session->connection);
  }
  if (!status && older) {
    status = kecs__migrate_write(store);
    status = status ? status : kecs__schema_assert(session);
  }
  engine->schema_version = status ? 0 : kecs__schema_version();
  return status;
}
