/* store/replica_open.c -- what a file keeps for replication, and rows from before it was tracked. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "base/time.h"
#include "store/access.h"
#include "store/share.h"
#include "store/sql.h"
#include "store/statements.h"

#include <string.h>

#define KECS__REPLICA_DDL 8192

static const char kecs__replica_tables[] =
    "CREATE TABLE IF NOT EXISTS {sync_state}(name TEXT NOT NULL PRIMARY KEY,value TEXT NOT NULL) STRICT,WITHOUT "
    "ROWID;\n"
    "CREATE TABLE IF NOT EXISTS {sync_conflicts}(id INTEGER PRIMARY KEY,kind INTEGER NOT NULL,key TEXT NOT NULL,"
    "groups INTEGER NOT NULL,reason TEXT NOT NULL,kept_stamp INTEGER NOT NULL,kept_site INTEGER NOT NULL,"
    "lost_stamp INTEGER NOT NULL,lost_site INTEGER NOT NULL,lost TEXT NOT NULL,at INTEGER NOT NULL,"
    "resolved INTEGER NOT NULL DEFAULT 0,"
    "UNIQUE(kind,key,groups,lost_stamp,lost_site,kept_stamp,kept_site)) STRICT;\n"
    "CREATE TABLE IF NOT EXISTS {sync_wanted}(kind INTEGER NOT NULL,key TEXT NOT NULL,PRIMARY KEY(kind,key)) "
    "STRICT,WITHOUT ROWID;\n"
    "CREATE TABLE IF NOT EXISTS {sync_refused}(kind INTEGER NOT NULL,key TEXT NOT NULL,code TEXT NOT NULL,"
    "PRIMARY KEY(kind,key)) STRICT,WITHOUT ROWID;\n"
    "CREATE TABLE IF NOT EXISTS {sync_echoes}(kind INTEGER NOT NULL,first INTEGER NOT NULL,last INTEGER NOT NULL,"
    "PRIMARY KEY(kind,first)) STRICT,WITHOUT ROWID;\n"
    "CREATE TABLE IF NOT EXISTS {sync_repush}(kind INTEGER NOT NULL,key TEXT NOT NULL,PRIMARY KEY(kind,key)) "
    "STRICT,WITHOUT ROWID;\n"
    "CREATE TABLE IF NOT EXISTS {sync_restamp}(old INTEGER PRIMARY KEY,new INTEGER) STRICT;\n";

typedef struct kecs__adoption {
  uint64_t kinds;
  int64_t seq;
} kecs__adoption;

static kecs_status kecs__adopt_column_visit(const char *column, void *user) {
  *(bool *)user = *(bool *)user || strcmp(column, "resolved") == 0;
  return KECS_OK;
}

static kecs_status kecs__adopt_tables(kecs__write *write) {
  kecs__engine *engine = write->engine;
  kecs__text sql;
  kecs__text_init(&sql, &engine->allocator, KECS__REPLICA_DDL);
  kecs__sql_expand_ddl(&sql, engine->dialect, kecs__replica_tables, strlen(kecs__replica_tables));
  kecs_status status = sql.status ? sql.status : engine->backend->execute(write->session->connection, sql.data);
  bool found = false;
  kecs__text_clear(&sql);
  status = status ? status
                  : engine->backend->table_columns(write->session->connection, "sync_conflicts",
                                                   kecs__adopt_column_visit, &found);
  if (!status && !found) { /* of a file whose log knew no decisions */
    static const char alter[] = "ALTER TABLE {sync_conflicts} ADD COLUMN resolved INTEGER NOT NULL DEFAULT 0";
    kecs__sql_expand_ddl(&sql, engine->dialect, alter, strlen(alter));
    status = sql.status ? sql.status : engine->backend->execute(write->session->connection, sql.data);
  }
  kecs__text_free(&sql);
  return status;
}

/* Each row of a kind that the log does not know gets an entry, and a stamp where it has none; no two have the same. */
static kecs_status kecs__adopt_kind(kecs__write *write, const kecs_kind_info *info, bool *out_any) {
  kecs__text sql;
  int64_t stamp = 0;
  int64_t entries = 0;
  kecs__feed_end end;
  kecs_status status = kecs__feed_stamp(write, &stamp);
  kecs_value values[] = {kecs__value_int(stamp), kecs__value_int((int64_t)info->kind)};
  kecs__text_init(&sql, &write->engine->allocator, KECS__REPLICA_DDL);
  kecs__text_addf(&sql, "UPDATE {%s} SET stamp_life=?1+rid WHERE {own}stamp_life IS NULL", info->table);
  status = status ? status : sql.status ? sql.status : kecs__run(write->session, sql.data, values, 1, NULL);
  kecs__text_clear(&sql);
  kecs__text_addf(&sql,
                  "INSERT INTO {changes}({tenant}kind,rid,groups,op,stamp) SELECT {ours}?2,rid,15,2,?1+rid FROM {%s} "
                  "WHERE {own}(stamp_life=?1+rid OR (rid NOT IN(SELECT rid FROM {changes c} WHERE {own c}c.kind=?2) "
                  "AND rid NOT IN(SELECT rid FROM {change_folds f} WHERE {own f}f.kind=?2))) ORDER BY rid",
                  info->table);
  status = status ? status : sql.status ? sql.status : kecs__run(write->session, sql.data, values, 2, &entries);
  *out_any = *out_any || entries > 0;
  kecs__text_free(&sql);
  status = status ? status : kecs__feed_read_end(write->session, &end);
  if (!status) {
    write->session->place.stamp = end.stamp > stamp ? end.stamp : stamp;
    write->session->place.seq = end.seq;
    write->session->place.appended = true;
  }
  return status;
}

static kecs_status kecs__adopt_work(kecs__write *write, void *user) {
  kecs__adoption *adoption = user;
  kecs__feed_end end;
  int64_t known = 0;
  bool any = false;
  adoption->seq = 0;
  kecs_status status = kecs__write_guard(write);
  status = status ? status : kecs__feed_begin(write);
  if (!status && !write->session->place.on) {
    return kecs__fail_no_feed(write->engine);
  }
  status = status ? status : kecs__adopt_tables(write);
  status = status ? status
                  : kecs__feed_number(write->session, "SELECT 1 FROM {sync_state} WHERE {own}name='adopted'", NULL, 0,
                                      &known);
  if (status || known) {
    return status;
  }
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (adoption->kinds & KECS_BIT(kind)) {
      status = kecs__adopt_kind(write, kecs_kind_describe((kecs_kind)kind), &any);
    }
  }
  status = status ? status : kecs__feed_read_end(write->session, &end);
  status = status ? status : kecs__feed_state_raise(write->session, KECS__FEED_PUSHED, 0);
  if (status) {
    return status;
  }
  adoption->seq = any ? end.seq : 0;
  kecs_value seq = kecs__value_int(adoption->seq);
  return kecs__run(write->session,
                   "INSERT INTO {sync_state}({tenant}name,value) VALUES({ours}'adopted',CAST(?1 AS TEXT))", &seq, 1,
                   NULL);
}

KECS_STORE_API kecs_status kecs_replica_open(kecs_store *store, uint64_t kinds, int64_t *out_adopted) {
  kecs__adoption adoption = {kinds, 0};
  kecs_status status = kecs__check_handle(store);
  if (!status && store->depth > 0) {
    status = kecs__fail(KECS_E_MISUSE, "a transaction is no edge: give the store that it was begun on");
  }
  if (!status && !store->engine->backend->guard) {
    status = kecs__fail(KECS_E_UNSUPPORTED, "%s: only SQLite files are edges", store->engine->place.shown);
  }
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if ((kinds & KECS_BIT(kind)) && !kecs__replica_can(store->engine, (kecs_kind)kind)) {
      status = kecs__fail(KECS_E_UNSUPPORTED, "the kind %s can't be replicated; docs/sync.md lists those that can",
                          kecs_kind_describe((kecs_kind)kind)->name);
    }
  }
  status = status ? status : kecs__with_write(store, kecs__adopt_work, &adoption);
  if (out_adopted) {
    *out_adopted = adoption.seq;
  }
  return status;
}

KECS_STORE_API kecs_status kecs_replica_durable(kecs_store *store, bool on) {
  kecs__session *session = NULL;
  kecs_status status = kecs__check_handle(store);
  if (status || store->engine->durability == KECS_DURABILITY_FULL) {
    return status;
  }
  status = kecs__writer_take(store, kecs__handle_deadline(store), &session);
  if (status) {
    return status;
  }
  status = store->engine->backend->execute(session->connection,
                                           on ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  kecs__writer_release(session);
  return status;
}

static kecs_status kecs__replica_made_visit(const char *column, void *user) {
  (void)column;
  *(bool *)user = true;
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_replica_made(kecs_store *store, bool *out_made) {
  kecs__session *session = NULL;
  *out_made = false;
  kecs_status status = kecs__read_open(store, &session);
  status = status ? status
                  : store->engine->backend->table_columns(session->connection, "sync_state", kecs__replica_made_visit,
                                                          out_made);
  kecs__read_close(store, session);
  return status;
}

KECS_STORE_API const kecs_allocator *kecs_replica_allocator(kecs_store *store) {
  return &store->engine->allocator;
}

KECS_STORE_API int64_t kecs_replica_now(kecs_store *store) {
  return kecs__clock_now(&store->engine->clock);
}
