/* pg/backend.c -- PostgreSQL behind the table of functions: the dialect, transactions, the schema.
 *
 * Writers side by side. SQLite's writers follow one another; here they run at once, in READ COMMITTED, and a write
 * locks each row that it reads in order to change it (kecs_dialect.lock_rows). A second writer of that row waits, and
 * then sees what the first one stored: what was compared is what is changed, no update is lost, and a version that is
 * given is compared with the last one. SERIALIZABLE would also do, but it fails writers of different rows whose index
 * entries share a page, so that heartbeats of a few hundred nodes would be retried again and again. Unique keys and
 * foreign keys guard what is more than one row. Locks are FOR NO KEY UPDATE: they let others insert children of a
 * locked parent. */
#include "pg/prologue.h"

#include "pg/public.h"

#include "pg/bulk.h"
#include "pg/dial.h"
#include "pg/log.h"
#include "pg/gather.h"
#include "pg/statement.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__TENANT_MAX 128 /* bytes of a tenant's name */
#define KECS_PG__SCHEMA_MAX 63  /* bytes of an identifier */
#define KECS_PG__OUTCOME_MS 20  /* between two questions for a transaction that is still running */

/* ---- the place ---- */

static const kecs_dialect kecs_pg__dialect = {
    .type_text = "text COLLATE \"C\"",
    .type_int = "bigint",
    .type_bool = "boolean",
    .type_time = "bigint",
    .type_rid = "bigint GENERATED ALWAYS AS IDENTITY NOT NULL",
    .table_options = "",
    .placeholder = '$',
    .schema = NULL, /* of the URL, as the tenant */
    .tenant = NULL,
    .lock_rows = " FOR NO KEY UPDATE",
    .returning_rid = " RETURNING rid," KECS_PG__TELLS_ID,
    .returning_own = " RETURNING " KECS_PG__TELLS_ID,
    .find_text = "strpos",
    .highest = "greatest",
    .bytewise = " COLLATE \"C\"", /* of a parameter: columns have it from their type */
    /* SET NULL would also take the tenant away. The store lets go of children before it deletes their parent. */
    .on_delete_null = "NO ACTION",
    .own_place = "a schema of its own: put schema=NAME into the URL",
    .failure_ends_transaction = true,
    .whole_results = true,
    .plain_limits = true,
};

static bool kecs_pg__starts(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static bool kecs_pg__answers_to(const char *path) {
  static const char *const beginnings[] = {"postgres://", "postgresql://", "host=",    "hostaddr=", "port=",
                                           "dbname=",     "user=",         "service=", "password=", "passfile="};
  for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
    if (kecs_pg__starts(path, beginnings[i])) {
      return true;
    }
  }
  return false;
}

static bool kecs_pg__shares(const char *path) {
  (void)path;
  return true;
}

/* The text between two quotes, each quote in it twice, and `after` behind it. */
static char *kecs_pg__quoted(const kecs_allocator *allocator, const char *text, char quote, const char *after) {
  char quoted[2 * KECS_PG__TENANT_MAX + 8];
  size_t used = 0;
  quoted[used++] = quote;
  for (; *text; text++) {
    if (*text == quote) {
      quoted[used++] = quote;
    }
    quoted[used++] = *text;
  }
  quoted[used++] = quote;
  memcpy(quoted + used, after, strlen(after));
  return kecs_pg__copy(allocator, quoted, used + strlen(after));
}

/* Printable ASCII: the name becomes a part of every statement, and is read by people. */
static kecs_status kecs_pg__check_name(const char *what, const char *name, size_t max) {
  size_t len = strlen(name);
  bool good = len > 0 && len <= max;
  for (size_t i = 0; good && i < len; i++) {
    good = name[i] > ' ' && name[i] < 0x7f && name[i] != '\\';
  }
  return good ? KECS_OK
              : kecs_pg__fail(KECS_E_INVALID,
                              "%s=\"%.60s\" of the URL is no name: give 1 to %d printable ASCII characters without "
                              "blanks and backslashes",
                              what, name, (int)max);
}

static void kecs_pg__detach(kecs_place *place, const kecs_allocator *allocator) {
  kecs_pg__home *home = place->own;
  if (home) {
    kecs_pg__settings_free(&home->settings, allocator);
    kecs_pg__release_text(allocator, home->schema);
    kecs_pg__release_text(allocator, home->tenant);
    kecs_pg__release(allocator, home, sizeof *home);
  }
  memset(place, 0, sizeof *place);
}

/* A time of the URL as a store takes it: negative means none. What is longer than an int can say lasts for ever. */
static int kecs_pg__pool_time(int64_t ms) {
  return ms > 0 && ms <= INT_MAX ? (int)ms : -1;
}

static void kecs_pg__attach_pool(const kecs_pg__settings *settings, kecs_place *out_place) {
  int64_t acquire = settings->acquire_timeout_ms;
  out_place->pool_max = settings->max_connections;
  out_place->pool_min = settings->min_connections;
  out_place->splits_reads = settings->reads == 1 && settings->host_count > 1;
  out_place->pool.acquire_ms = acquire > INT_MAX ? INT_MAX : kecs_pg__pool_time(acquire);
  out_place->pool.idle_ms = kecs_pg__pool_time(settings->idle_timeout_ms);
  out_place->pool.lifetime_ms = kecs_pg__pool_time(settings->max_lifetime_ms);
  out_place->pool.check_ms = kecs_pg__pool_time(settings->check_interval_ms);
}

static kecs_status kecs_pg__attach(const char *path, const kecs_allocator *allocator, kecs_place *out_place) {
  kecs_pg__home *home = kecs_pg__alloc(allocator, sizeof *home);
  if (!home) {
    return KECS_E_NOMEM;
  }
  out_place->own = home;
  kecs_status status = kecs_pg__settings_read(path, allocator, &home->settings);
  if (!status) {
    status = kecs_pg__check_name("tenant", home->settings.tenant, KECS_PG__TENANT_MAX);
  }
  if (!status) {
    status = kecs_pg__check_name("schema", home->settings.schema, KECS_PG__SCHEMA_MAX);
  }
  if (!status) {
    home->tenant = kecs_pg__quoted(allocator, home->settings.tenant, '\'', "");
    home->schema = home->tenant ? kecs_pg__quoted(allocator, home->settings.schema, '"', ".") : NULL;
    status = home->schema ? KECS_OK : KECS_E_NOMEM;
  }
  if (status) {
    kecs_pg__detach(out_place, allocator);
    return status;
  }
  home->dialect = kecs_pg__dialect;
  home->dialect.schema = home->schema;
  home->dialect.tenant = home->tenant;
  out_place->dialect = &home->dialect;
  out_place->shown = home->settings.shown;
  kecs_pg__attach_pool(&home->settings, out_place);
  return KECS_OK;
}

/* ---- transactions ---- */

static void kecs_pg__rollback(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  bool begun = !connection->begin_waits && kecs_pg__in_transaction(connection);
  kecs_pg__forget(connection);
  if (begun && kecs_pg__command(connection, "ROLLBACK", KECS_PG__PATIENT, "roll back", NULL)) {
    kecs_pg__hang_up(connection); /* which rolls back, too */
  }
  if (connection->doomed) {
    kecs_pg__hang_up(connection);
  }
}

/* Where the session is not ours alone the settings hold for this transaction: behind a pooler the next one is somebody
 * else's. A session that is settled leaves them out, but who knows where the statement will be sent in the end. */
static kecs_status kecs_pg__begin_write(kecs_pg__connection *connection) {
  char wait[KECS_PG__WAITING_SIZE];
  snprintf(wait, sizeof wait, "SET LOCAL lock_timeout=%d", kecs_pg__lock_timeout(connection));
  kecs_status status = kecs_pg__defer(connection, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  status = status ? status : kecs_pg__defer(connection, wait);
  if (!status && connection->full_durability) {
    status = kecs_pg__defer(connection, "SET LOCAL synchronous_commit=on");
  }
  connection->settings_wait = connection->waiting_count - 1;
  connection->only_begins = !status && !connection->no_foreign_keys;
  if (!status && connection->no_foreign_keys) {
    status = kecs_pg__defer(connection, "SET LOCAL session_replication_role=replica");
  }
  return status;
}

/* Nothing is sent yet. */
static kecs_status kecs_pg__begin(kecs_connection *shared, bool write) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__rollback(shared); /* of a transaction whose own rollback failed; does nothing otherwise */
  bool good = kecs_pg__alive(connection) && !kecs_pg__should_move(connection);
  connection->committed = false;
  kecs_status status = good ? KECS_OK : kecs_pg__dial(connection);
  if (!status) {
    status = write ? kecs_pg__begin_write(connection)
                   : kecs_pg__defer(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }
  connection->begin_waits = !status;
  connection->transaction = 0;
  return status;
}

/* A query with texts as parameters; its result is the caller's. */
static kecs_status kecs_pg__ask(kecs_pg__connection *connection, const char *sql, const char *const *texts, int count,
                                PGresult **out_result) {
  kecs_pg__message message = {0};
  message.sql = sql;
  message.count = count;
  message.values = texts;
  *out_result = NULL;
  kecs_status status = kecs_pg__in_transaction(connection) ? KECS_OK : kecs_pg__ready(connection);
  return status ? status : kecs_pg__exchange(connection, &message, KECS_PG__STOPS, "read the schema", out_result);
}

static kecs_status kecs_pg__outcome_once(kecs_pg__connection *connection, const char *number, kecs_outcome *out) {
  static const struct {
    const char *word;
    kecs_outcome outcome;
  } words[] = {{"committed", KECS_OUTCOME_STORED},
               {"aborted", KECS_OUTCOME_NOT_STORED},
               {"in progress", KECS_OUTCOME_RUNNING}};
  PGresult *result = NULL;
  *out = KECS_OUTCOME_UNKNOWN; /* also of one that the server has forgotten */
  kecs_status status = kecs_pg__ask(connection, "SELECT txid_status($1::bigint)", &number, 1, &result);
  if (status == KECS_E_INVALID) {
    *out = KECS_OUTCOME_NOT_STORED; /* the number has not been given yet: it went with a server that failed */
    return KECS_OK;
  }
  for (size_t i = 0; !status && i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(PQgetvalue(result, 0, 0), words[i].word) == 0) {
      *out = words[i].outcome;
    }
  }
  PQclear(result);
  return status;
}

/* The server that lost the connection may still be working at the COMMIT. */
static kecs_status kecs_pg__outcome(kecs_connection *shared, const char *transaction, kecs_outcome *out) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  char number[24];
  const char *at = strchr(transaction, '@');
  size_t len = at ? (size_t)(at - transaction) : 0;
  if (len == 0 || len >= sizeof number || strspn(transaction, "0123456789") != len) {
    return kecs_pg__fail(KECS_E_INVALID, "\"%.40s\" names no transaction of PostgreSQL", transaction);
  }
  memcpy(number, transaction, len);
  number[len] = '\0';
  int64_t until = kecs_pg__now_ms() + connection->busy_timeout_ms;
  for (;;) {
    kecs_status status = kecs_pg__outcome_once(connection, number, out);
    bool other = strcmp(at + 1, connection->timeline) != 0;
    if (!status && other && *out != KECS_OUTCOME_NOT_STORED) {
      *out = KECS_OUTCOME_UNKNOWN; /* another server has taken over, and may have given the number to another write */
    }
    if (status || *out != KECS_OUTCOME_RUNNING || kecs_pg__now_ms() > until || kecs_pg__stopped(connection)) {
      return status;
    }
    kecs_pg__sleep_ms(KECS_PG__OUTCOME_MS);
  }
}

static kecs_status kecs_pg__commit(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  kecs_pg__message message = {0};
  PGresult *result = NULL;
  message.sql = "COMMIT";
  if (connection->begin_waits || connection->committed) {
    kecs_pg__forget(connection); /* nothing was done, or all of it */
    connection->committed = false;
    return KECS_OK;
  }
  if (!kecs_pg__alive(connection)) {
    kecs_status lost = kecs_pg__fail_lost(kecs_pg__shown(connection), connection->pg, "commit");
    kecs_pg__hang_up(connection);
    return lost;
  }
  kecs_status status = kecs_pg__exchange(connection, &message, KECS_PG__PATIENT, "commit", &result);
  bool undone = !status && strcmp(PQcmdStatus(result), "ROLLBACK") == 0;
  PQclear(result);
  if (status == KECS_E_OFFLINE) {
    kecs_pg__forget(connection);
    return kecs_pg__fail_unknown(connection);
  }
  if (undone) {
    return kecs_pg__fail(KECS_E_CONFLICT, "the transaction was rolled back after an earlier error; nothing was stored");
  }
  return status;
}

static bool kecs_pg__has_transaction(kecs_connection *shared) {
  return kecs_pg__in_transaction(kecs_pg__of(shared));
}

static kecs_status kecs_pg__execute(kecs_connection *shared, const char *sql) {
  return kecs_pg__command(kecs_pg__of(shared), sql, KECS_PG__STOPS, "run a statement", NULL);
}

static int64_t kecs_pg__changes(kecs_connection *shared) {
  return kecs_pg__of(shared)->changes;
}

static int64_t kecs_pg__last_rid(kecs_connection *shared) {
  return kecs_pg__of(shared)->last_rid;
}

/* ---- the schema ---- */

static kecs_status kecs_pg__settle(kecs_connection *shared) {
  (void)shared; /* nothing lasts beyond a transaction */
  return KECS_OK;
}

static kecs_status kecs_pg__names(kecs_pg__connection *connection, const char *sql, const char *const *texts, int count,
                                  kecs_status (*visit)(const char *name, void *user), void *user) {
  PGresult *result = NULL;
  kecs_status status = kecs_pg__ask(connection, sql, texts, count, &result);
  for (int i = 0; !status && i < PQntuples(result); i++) {
    status = visit(PQgetvalue(result, i, 0), user);
  }
  PQclear(result);
  return status;
}

static kecs_status kecs_pg__table_columns(kecs_connection *shared, const char *table,
                                          kecs_status (*visit)(const char *column, void *user), void *user) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema, table};
  return kecs_pg__names(connection,
                        "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid=a.attrelid "
                        "JOIN pg_namespace n ON n.oid=c.relnamespace "
                        "WHERE n.nspname=$1 AND c.relname=$2 AND a.attnum>0 AND NOT a.attisdropped",
                        texts, 2, visit, user);
}

static kecs_status kecs_pg__table_names(kecs_connection *shared, kecs_status (*visit)(const char *table, void *user),
                                        void *user) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema};
  return kecs_pg__names(connection,
                        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace "
                        "WHERE n.nspname=$1 AND c.relkind IN('r','p')",
                        texts, 1, visit, user);
}

/* A lock of the transaction, never of the session, which behind a pooler is not ours. CREATE ... IF NOT EXISTS alone
 * does not keep two sessions from creating at once. */
static kecs_status kecs_pg__keep_out(kecs_connection *shared) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema};
  char sql[KECS_PG__TENANT_MAX + 64];
  PGresult *result = NULL;
  kecs_status status = kecs_pg__ask(connection, "SELECT pg_advisory_xact_lock(hashtextextended('kecs_store '||$1,0))",
                                    texts, 1, &result);
  PQclear(result);
  if (!status) {
    status = kecs_pg__ask(connection, "SELECT 1 FROM pg_namespace WHERE nspname=$1", texts, 1, &result);
  }
  /* Only a missing schema is made: IF NOT EXISTS would ask for the right to make one all the same. */
  bool missing = !status && PQntuples(result) == 0;
  if (!status) {
    PQclear(result);
  }
  if (missing) {
    snprintf(sql, sizeof sql, "CREATE SCHEMA %.*s", (int)strlen(connection->home->schema) - 1,
             connection->home->schema);
    status = kecs_pg__command(connection, sql, KECS_PG__STOPS, "create the schema", NULL);
  }
  return status;
}

static kecs_status kecs_pg__describe(kecs_connection *shared, kecs_info *out_info) {
  kecs_pg__connection *connection = kecs_pg__of(shared);
  const char *texts[] = {connection->home->settings.schema};
  PGresult *result = NULL;
  kecs_status status = kecs_pg__ask(connection,
                                    "SELECT coalesce(sum(pg_total_relation_size(c.oid)),0)::bigint FROM pg_class c "
                                    "JOIN pg_namespace n ON n.oid=c.relnamespace "
                                    "WHERE n.nspname=$1 AND c.relkind IN('r','p')",
                                    texts, 1, &result);
  if (!status) {
    out_info->size_bytes = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
  }
  out_info->journal_mode = "server";
  out_info->wal_bytes = 0;
  return status;
}

static const kecs_backend_log kecs_pg__log_table = {
    .make = kecs_pg__log_make,
    .turn = kecs_pg__log_turn,
    .number = kecs_pg__log_number,
    .hear = kecs_pg__log_hear,
    .trim = kecs_pg__log_trim,
    .say = kecs_pg__log_say,
    .settle = kecs_pg__log_settle,
    .keep = kecs_pg__log_keep,
};

static const kecs_backend kecs_pg__table = {
    .abi = KECS_BACKEND_ABI,
    .name = "postgresql",
    .answers_to = kecs_pg__answers_to,
    .shares = kecs_pg__shares,
    .attach = kecs_pg__attach,
    .detach = kecs_pg__detach,
    .connect = kecs_pg__connect,
    .disconnect = kecs_pg__disconnect,
    .settle = kecs_pg__settle,
    .keep_out = kecs_pg__keep_out,
    .begin = kecs_pg__begin,
    .commit = kecs_pg__commit,
    .rollback = kecs_pg__rollback,
    .outcome = kecs_pg__outcome,
    .in_transaction = kecs_pg__has_transaction,
    .execute = kecs_pg__execute,
    .prepare = kecs_pg__prepare,
    .start = kecs_pg__start,
    .step = kecs_pg__step,
    .columns = kecs_pg__columns,
    .reset = kecs_pg__reset,
    .finish = kecs_pg__finish,
    .changes = kecs_pg__changes,
    .last_rid = kecs_pg__last_rid,
    .table_columns = kecs_pg__table_columns,
    .table_names = kecs_pg__table_names,
    .describe = kecs_pg__describe,
    .start_last = kecs_pg__start_last,
    .insert_many = kecs_pg__insert_many,
    .repeat = kecs_pg__repeat,
    .load = kecs_pg__load,
    .log = &kecs_pg__log_table,
    .start_many = kecs_pg__start_many,
    .lend_answer = kecs_pg__lend_answer,
    .drop_answer = kecs_pg__drop_answer,
};

KECS_STORE_API const kecs_backend *kecs_pg_backend(void) {
  return &kecs_pg__table;
}

KECS_STORE_API const kecs_backend *const *kecs_pg_backends(void) {
  static const kecs_backend *const list[] = {&kecs_pg__table, NULL};
  return list;
}
