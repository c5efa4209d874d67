/* test_postgres.c -- what PostgreSQL alone can show: tenants, writers side by side, lost connections, errors of servers
 * and users. Each test has a schema of its own where it touches more than rows. */
#include "contract/contract.h"

#include <libpq-fe.h>
#include <pthread.h>

/* ---- helpers ---- */

/* A connection of the test's own, beside the store's. */
static PGconn *direct(void) {
  PGconn *pg = PQconnectdb(getenv("KECS_TEST_POSTGRES"));
  if (PQstatus(pg) != CONNECTION_OK) {
    fail_msg("%s", PQerrorMessage(pg));
  }
  return pg;
}

/* Runs SQL; the first field of the result as text. */
static const char *ask(PGconn *pg, const char *sql) {
  static char text[512];
  PGresult *result = PQexec(pg, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
    fail_msg("%s: %s", sql, PQerrorMessage(pg));
  }
  snprintf(text, sizeof text, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
  PQclear(result);
  return text;
}

static kecs_store *open_url(const char *option) {
  static char urls[64][CONTRACT_PATH_MAX];
  static size_t next;
  char *url = urls[next++ % CONTRACT_COUNT(urls)];
  contract_url(option, url, CONTRACT_PATH_MAX);
  kecs_options options = {.path = url};
  return contract_open_with(&options);
}

static kecs_status try_url(const char *url) {
  kecs_options options = {.path = url, .backends = kecs_pg_backends()};
  kecs_store *store = NULL;
  kecs_status status = kecs_open(&options, &store);
  assert_true((status == KECS_OK) == (store != NULL));
  (void)kecs_close(store);
  return status;
}

/* The test's URL with another user, password, database or port put into its libpq form. */
static void url_with(const char *user, const char *database, const char *port, char *out, size_t size) {
  PGconn *pg = direct();
  snprintf(out, size, "postgresql://%s@127.0.0.1:%s/%s", user ? user : PQuser(pg), port ? port : PQport(pg),
           database ? database : PQdb(pg));
  PQfinish(pg);
}

static void make_cluster(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
}

/* ---- tenants ---- */

static void two_tenants_never_meet(void **state) {
  (void)state;
  kecs_store *stores[] = {open_url("tenant=one"), open_url("tenant=two")};
  for (int i = 0; i < 2; i++) { /* the same names, ARNs and keys in both */
    contract_parents(stores[i]);
    for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
      contract_row made;
      CONTRACT_OK(
          kecs_record_create(stores[i], (kecs_kind)kind, contract_make_row((kecs_kind)kind, 1, &made), NULL));
    }
  }
  kecs_cluster change = {.arn = CONTRACT_CLUSTER, .status = "CHANGED"};
  CONTRACT_OK(kecs_cluster_update_fields(stores[0], &change, KECS_BIT(KECS_CLUSTER_STATUS), NULL));
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_get(stores[1], "parent", &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "ACTIVE");
  kecs_result_free(result);
  int64_t before[KECS_KIND_COUNT];
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    before[kind] = contract_count_rows(stores[1], (kecs_kind)kind);
    CONTRACT_NUMBER(contract_count_rows(stores[0], (kecs_kind)kind), before[kind]);
  }
  CONTRACT_OK(kecs_cluster_delete(stores[0], "parent")); /* with everything in it */
  CONTRACT_OK(kecs_load_balancer_delete(stores[0], "parent"));
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    CONTRACT_NUMBER(contract_count_rows(stores[1], (kecs_kind)kind), before[kind]);
  }
  assert_true(contract_count_rows(stores[0], KECS_KIND_SERVICE) < before[KECS_KIND_SERVICE]);
  contract_close(stores[0]);
  contract_close(stores[1]);
}

static void names_of_tenants_are_checked(void **state) {
  (void)state;
  static const char *const bad[] = {"tenant=", "tenant=a%20b", "tenant=a%5Cb", "tenant=caf%C3%A9", "tenant=o'neil--",
                                    "schema=", "schema=a%22b'c", "schema=Main",
                                    "schema=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
  char url[CONTRACT_PATH_MAX];
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    contract_url(bad[i], url, sizeof url);
    CONTRACT_FAILS(try_url(url), KECS_E_INVALID);
  }
  kecs_store *store = open_url("tenant=eu-west/1:shop.2_b&schema=_a1");
  make_cluster(store, "web");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

/* ---- many at once ---- */

enum { THREADS = 24, ROUNDS = 10, FAMILY_ROUNDS = 5 };

typedef struct worker {
  int number;
  const char *option;
  void (*work)(kecs_store *store, int number);
  kecs_status status;
  char text[512];
} worker;

static void note(worker *one, kecs_status status) {
  if (status && !one->status) {
    one->status = status;
    snprintf(one->text, sizeof one->text, "%s", kecs_last_error()->text);
  }
}

static worker *current[THREADS];

static void *work(void *user) {
  worker *one = user;
  char url[CONTRACT_PATH_MAX];
  contract_url(one->option, url, sizeof url);
  kecs_options options = {.path = url, .backends = kecs_pg_backends(), .readers = 1};
  kecs_store *store = NULL;
  note(one, kecs_open(&options, &store));
  if (store && one->work) {
    one->work(store, one->number);
  }
  note(one, kecs_close(store));
  return NULL;
}

/* Each thread with a store of its own, as so many processes would have. */
static void run_workers(const char *option, int count, void (*run)(kecs_store *store, int number)) {
  static worker workers[THREADS];
  pthread_t threads[THREADS];
  for (int i = 0; i < count; i++) {
    workers[i] = (worker){.number = i, .option = option, .work = run};
    current[i] = &workers[i];
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < count; i++) {
    pthread_join(threads[i], NULL);
  }
  for (int i = 0; i < count; i++) {
    if (workers[i].status) {
      fail_msg("%s: %s", kecs_status_name(workers[i].status), workers[i].text);
    }
  }
}

static void a_schema_is_made_once(void **state) {
  (void)state;
  run_workers("schema=fresh", THREADS, NULL);
  PGconn *pg = direct();
  CONTRACT_TEXT(ask(pg, "SELECT count(*)=max(version) FROM fresh.schema_version"), "t");
  PQfinish(pg);
}

static void beat(kecs_store *store, int number) {
  for (int i = 0; i < ROUNDS; i++) {
    kecs_result *result = NULL;
    kecs_status status = kecs_node_get(store, "counted", &result);
    while (!status) {
      kecs_node node = *kecs_node_at(result, 0);
      node.running_tasks++;
      kecs_status written = kecs_node_update_fields(store, &node, KECS_BIT(KECS_NODE_RUNNING_TASKS), NULL);
      kecs_result_free(result);
      result = NULL;
      if (written != KECS_E_CONFLICT) {
        status = written ? written : KECS_E_NOT_FOUND;
        note(current[number], written);
        break;
      }
      status = kecs_node_get(store, "counted", &result);
    }
  }
}

static void no_update_is_lost(void **state) {
  (void)state;
  kecs_store *store = open_url("tenant=counters");
  kecs_node node = {.id = "counted", .hostname = "h"};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  run_workers("tenant=counters", 8, beat);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_node_get(store, "counted", &result));
  CONTRACT_NUMBER(kecs_node_at(result, 0)->running_tasks, 8 * ROUNDS);
  CONTRACT_NUMBER(kecs_node_at(result, 0)->version, 8 * ROUNDS + 1);
  kecs_result_free(result);
  contract_close(store);
}

static kecs_status count_up(kecs_store *tx, void *user) {
  kecs_result *result = NULL;
  (void)user;
  kecs_status status = kecs_node_get(tx, "counted", &result);
  if (!status) {
    kecs_node node = *kecs_node_at(result, 0);
    node.running_tasks++;
    node.version = 0;
    status = kecs_node_update_fields(tx, &node, KECS_BIT(KECS_NODE_RUNNING_TASKS), NULL);
  }
  kecs_result_free(result);
  return status;
}

static void count_in_transactions(kecs_store *store, int number) {
  for (int i = 0; i < ROUNDS; i++) {
    note(current[number], kecs_transact(store, count_up, NULL, 0));
  }
}

/* What a transaction reads by its key stays as it is until the transaction ends. */
static void a_transaction_keeps_what_it_read(void **state) {
  (void)state;
  kecs_store *store = open_url("tenant=transactions");
  kecs_node node = {.id = "counted", .hostname = "h"};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  run_workers("tenant=transactions", 8, count_in_transactions);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_node_get(store, "counted", &result));
  CONTRACT_NUMBER(kecs_node_at(result, 0)->running_tasks, 8 * ROUNDS);
  kecs_result_free(result);
  contract_close(store);
}

static void upsert_same(kecs_store *store, int number) {
  for (int i = 0; i < ROUNDS; i++) {
    char name[32];
    char value[32];
    snprintf(name, sizeof name, "c%d", i);
    snprintf(value, sizeof value, "v%d", number);
    kecs_cluster cluster = {.name = name, .k8s_cluster_name = value};
    kecs_task_definition definition = {.family = "web", .container_definitions = "[]"};
    note(current[number], kecs_cluster_upsert(store, &cluster, NULL));
    note(current[number], kecs_cluster_ensure(store, &cluster, NULL, NULL));
    note(current[number], kecs_account_setting_set_default(store, name, value, NULL));
    if (i < FAMILY_ROUNDS) {
      note(current[number], kecs_task_definition_register(store, &definition, NULL));
    }
  }
}

static void everybody_makes_the_same_rows(void **state) {
  (void)state;
  kecs_store *store = open_url("tenant=upserts");
  run_workers("tenant=upserts", 8, upsert_same);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), ROUNDS);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_ACCOUNT_SETTING), ROUNDS);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK_DEFINITION), 8 * FAMILY_ROUNDS);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_definition_get(store, "web", &result)); /* dense: no revision is skipped or given twice */
  CONTRACT_NUMBER(kecs_task_definition_at(result, 0)->revision, 8 * FAMILY_ROUNDS);
  kecs_result_free(result);
  contract_close(store);
}

static void promote(kecs_store *store, int number) {
  char id[64];
  snprintf(id, sizeof id, "ecs-svc/%04d", number);
  for (int i = 0; i < ROUNDS; i++) {
    note(current[number], kecs_task_set_update_primary(store, CONTRACT_SERVICE, id, NULL));
  }
}

static void there_is_one_primary_set(void **state) {
  (void)state;
  kecs_store *store = open_url("tenant=primaries");
  contract_parents(store);
  for (int i = 0; i < 8; i++) {
    contract_row made;
    CONTRACT_OK(kecs_record_create(store, KECS_KIND_TASK_SET, contract_make_row(KECS_KIND_TASK_SET, i, &made), NULL));
  }
  run_workers("tenant=primaries", 8, promote);
  kecs_filter filter = {.column = KECS_TASK_SET_STATUS, .op = KECS_EQ, .text = "PRIMARY"};
  kecs_query query = {.where = &filter, .where_count = 1};
  int64_t count = 0;
  CONTRACT_OK(kecs_task_set_count(store, &query, &count));
  CONTRACT_NUMBER(count, 1);
  contract_close(store);
}

/* ---- lost connections ---- */

/* Ends every connection of stores to this database, but the test's own. */
static void kill_connections(PGconn *pg) {
  (void)ask(pg, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname=current_database() AND pid<>pg_backend_pid()");
  for (int i = 0; i < 200; i++) {
    if (strcmp(ask(pg, "SELECT count(*) FROM pg_stat_activity WHERE datname=current_database() AND "
                       "pid<>pg_backend_pid() AND backend_type='client backend'"),
               "0") == 0) {
      return;
    }
    usleep(10000);
  }
  fail_msg("connections do not end");
}

static void a_store_outlives_its_connections(void **state) {
  (void)state;
  PGconn *pg = direct();
  kecs_store *store = open_url("tenant=outlives");
  kecs_result *result = NULL;
  make_cluster(store, "a");
  CONTRACT_OK(kecs_cluster_get(store, "a", &result));
  kecs_result_free(result);
  kill_connections(pg);
  CONTRACT_OK(kecs_cluster_get(store, "a", &result));
  kecs_result_free(result);
  kill_connections(pg);
  make_cluster(store, "b");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  contract_close(store);
  PQfinish(pg);
}

static void a_connection_lost_in_a_transaction(void **state) {
  (void)state;
  PGconn *pg = direct();
  kecs_store *store = open_url("tenant=lost");
  kecs_cluster cluster = {.name = "second"};
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  make_cluster(tx, "first");
  kill_connections(pg);
  CONTRACT_FAILS(kecs_cluster_create(tx, &cluster, NULL), KECS_E_OFFLINE);
  (void)kecs_rollback(tx);
  CONTRACT_OK(kecs_begin(store, &tx));
  make_cluster(tx, "first");
  kill_connections(pg);
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_OFFLINE); /* COMMIT was never sent */
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  make_cluster(store, "third");
  contract_close(store);
  PQfinish(pg);
}

static void *kill_soon(void *user) {
  PGconn *pg = user;
  for (int i = 0; i < 500; i++) {
    if (strcmp(ask(pg, "SELECT count(*) FROM pg_stat_activity WHERE query='COMMIT' AND state='active'"), "1") == 0) {
      kill_connections(pg);
      return NULL;
    }
    usleep(10000);
  }
  return NULL;
}

static void a_connection_lost_in_commit(void **state) {
  (void)state;
  PGconn *pg = direct();
  pthread_t killer;
  kecs_store *store = open_url("schema=committing");
  (void)ask(pg, "CREATE FUNCTION committing.nap() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_sleep(10); RETURN NULL; END'");
  (void)ask(pg, "CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON committing.clusters DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION committing.nap()");
  kecs_cluster cluster = {.name = "who knows"};
  kecs_result *result = NULL;
  assert_int_equal(pthread_create(&killer, NULL, kill_soon, pg), 0);
  kecs_status status = kecs_cluster_create(store, &cluster, &result);
  pthread_join(killer, NULL);
  CONTRACT_FAILS(status, KECS_E_OUTCOME_UNKNOWN);
  assert_null(result);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  contract_close(store);
  PQfinish(pg);
}

/* ---- waiting ---- */

static void a_locked_row_is_waited_for_in_time(void **state) {
  (void)state;
  char url[CONTRACT_PATH_MAX];
  contract_url("tenant=locked", url, sizeof url);
  kecs_options options = {.path = url, .busy_timeout_ms = 300};
  kecs_store *holder = contract_open_with(&options);
  kecs_store *waiter = contract_open_with(&options);
  kecs_node node = {.id = "n", .hostname = "h"};
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_node_create(holder, &node, NULL));
  CONTRACT_OK(kecs_begin(holder, &tx));
  CONTRACT_OK(kecs_node_heartbeat(tx, "n", 1));
  CONTRACT_FAILS(kecs_node_heartbeat(waiter, "n", 2), KECS_E_BUSY);
  kecs_node other = {.id = "other", .hostname = "h"};
  CONTRACT_OK(kecs_node_create(waiter, &other, NULL)); /* other rows are nobody's */
  contract_close(waiter);
  options.busy_timeout_ms = 20000;
  waiter = contract_open_with(&options);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  CONTRACT_OK(kecs_set_deadline(waiter, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + 200000));
  CONTRACT_FAILS(kecs_node_heartbeat(waiter, "n", 2), KECS_E_TIMEOUT);
  CONTRACT_OK(kecs_set_deadline(waiter, 0));
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_OK(kecs_node_heartbeat(waiter, "n", 3));
  contract_close(waiter);
  contract_close(holder);
}

/* ---- what servers and users are told ---- */

static void servers_that_do_not_let_us_in(void **state) {
  (void)state;
  char url[CONTRACT_PATH_MAX];
  url_with(NULL, "nowhere", NULL, url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_NOT_FOUND);
  CONTRACT_TEXT(kecs_last_error()->sqlstate, "3D000");
  CONTRACT_SAYS("create the database");
  url_with("nobody:geheim", NULL, NULL, url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_DENIED);
  assert_null(strstr(kecs_last_error()->text, "geheim"));
  CONTRACT_SAYS(":***@");
  url_with(NULL, NULL, "1", url, sizeof url);
  snprintf(url + strlen(url), sizeof url - strlen(url), "?acquire_timeout=200ms"); /* it might be starting */
  CONTRACT_FAILS(try_url(url), KECS_E_OFFLINE);
  CONTRACT_SAYS("check host and port");
}

static void a_wrong_password(void **state) {
  (void)state;
  PGconn *pg = direct();
  char sql[1024];
  char hba[512];
  char url[CONTRACT_PATH_MAX];
  (void)ask(pg, "SET password_encryption='scram-sha-256'; CREATE ROLE locked LOGIN SUPERUSER PASSWORD 'right'");
  snprintf(hba, sizeof hba, "%s", ask(pg, "SHOW hba_file"));
  snprintf(sql, sizeof sql,
           "COPY (SELECT line FROM (VALUES(1,'host all locked all scram-sha-256'),(2,'local all all trust'),"
           "(3,'host all all all trust')) t(n,line) ORDER BY n) TO '%s'",
           hba);
  (void)ask(pg, sql);
  (void)ask(pg, "SELECT pg_reload_conf()");
  usleep(200000);
  url_with("locked:wr0ng", NULL, NULL, url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_DENIED);
  CONTRACT_TEXT(kecs_last_error()->sqlstate, "28P01");
  assert_null(strstr(kecs_last_error()->text, "wr0ng"));
  url_with("locked", NULL, NULL, url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_DENIED);
  url_with("locked:right", NULL, NULL, url, sizeof url);
  CONTRACT_OK(try_url(url));
  PQfinish(pg);
}

static void missing_rights(void **state) {
  (void)state;
  PGconn *pg = direct();
  char url[CONTRACT_PATH_MAX];
  kecs_store *owner = open_url("schema=owned");
  contract_close(owner);
  (void)ask(pg, "CREATE ROLE guest LOGIN");
  url_with("guest", NULL, NULL, url, sizeof url);
  snprintf(url + strlen(url), sizeof url - strlen(url), "?schema=owned");
  CONTRACT_FAILS(try_url(url), KECS_E_DENIED);
  CONTRACT_SAYS("GRANT");
  CONTRACT_TEXT(kecs_last_error()->sqlstate, "42501");
  (void)ask(pg, "GRANT USAGE ON SCHEMA owned TO guest; "
                "GRANT SELECT,INSERT,UPDATE,DELETE ON ALL TABLES IN SCHEMA owned TO guest");
  CONTRACT_OK(try_url(url));
  PQfinish(pg);
}

static void schemas_that_are_not_ours(void **state) {
  (void)state;
  PGconn *pg = direct();
  char url[CONTRACT_PATH_MAX];
  (void)ask(pg, "CREATE SCHEMA theirs; CREATE TABLE theirs.customers(id int)");
  contract_url("schema=theirs", url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_CORRUPT);
  CONTRACT_SAYS("schema=NAME");
  CONTRACT_TEXT(ask(pg, "SELECT count(*) FROM pg_tables WHERE schemaname='theirs'"), "1");
  kecs_store *store = open_url("schema=newer");
  contract_close(store);
  (void)ask(pg, "UPDATE newer.schema_version SET version=version+1");
  contract_url("schema=newer", url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_SCHEMA_NEWER);
  (void)ask(pg, "UPDATE newer.schema_version SET version=version-1");
  (void)ask(pg, "ALTER TABLE newer.tasks DROP COLUMN started_by");
  CONTRACT_FAILS(try_url(url), KECS_E_CORRUPT);
  CONTRACT_SAYS("started_by");
  PQfinish(pg);
}

static void a_database_in_another_encoding(void **state) {
  (void)state;
  PGconn *pg = direct();
  char url[CONTRACT_PATH_MAX];
  (void)ask(pg, "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
  url_with(NULL, "latin", NULL, url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("UTF8");
  PQfinish(pg);
}

static void read_only_writes_nothing(void **state) {
  (void)state;
  char url[CONTRACT_PATH_MAX];
  kecs_store *store = open_url("schema=looked_at");
  make_cluster(store, "web");
  contract_close(store);
  contract_url("schema=looked_at", url, sizeof url);
  kecs_options options = {.path = url, .read_only = true};
  store = contract_open_with(&options);
  kecs_cluster cluster = {.name = "no"};
  CONTRACT_FAILS(kecs_cluster_create(store, &cluster, NULL), KECS_E_READONLY);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
  contract_url("schema=absent", url, sizeof url);
  options.backends = kecs_pg_backends();
  kecs_store *none = NULL;
  CONTRACT_FAILS(kecs_open(&options, &none), KECS_E_NOT_FOUND);
}

/* ---- walks ---- */

enum { WALKED = 2500 };

static char walked_last[16];
static int walked;

static kecs_status walk_node(const kecs_node *node, void *user) {
  (void)user;
  if (strcmp(node->id, walked_last) <= 0) {
    return KECS_E_CORRUPT; /* twice, or out of order */
  }
  snprintf(walked_last, sizeof walked_last, "%s", node->id);
  walked++;
  return KECS_OK;
}

static void long_walks_come_in_pages(void **state) {
  (void)state;
  static const int limits[] = {0, 1, 999, 1000, 1001, 2000, 2499, 2500, 2501};
  kecs_store *store = open_url("tenant=walks");
  kecs_node *nodes = calloc(WALKED, sizeof *nodes);
  char(*ids)[16] = calloc(WALKED, sizeof *ids);
  for (int i = 0; i < WALKED; i++) {
    snprintf(ids[i], sizeof ids[i], "n%05d", i);
    nodes[i].id = ids[i];
    nodes[i].hostname = "host";
  }
  CONTRACT_OK(kecs_node_create_many(store, nodes, WALKED, NULL));
  for (size_t i = 0; i < CONTRACT_COUNT(limits); i++) {
    kecs_query query = {.direction = KECS_ORDER_ASCENDING, .order_by = KECS_NODE_ID, .limit = limits[i]};
    walked = 0;
    walked_last[0] = '\0';
    CONTRACT_OK(kecs_node_each(store, &query, walk_node, NULL));
    CONTRACT_NUMBER(walked, limits[i] && limits[i] < WALKED ? limits[i] : WALKED);
  }
  free(ids);
  free(nodes);
  contract_close(store);
}

/* Behind a pooler statements have no names. */
static void unnamed_statements(void **state) {
  (void)state;
  PGconn *pg = direct();
  kecs_store *store = open_url("tenant=unnamed&statements=unnamed");
  make_cluster(store, "web");
  make_cluster(store, "db");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  contract_close(store);
  char url[CONTRACT_PATH_MAX];
  contract_url("statements=sometimes", url, sizeof url);
  CONTRACT_FAILS(try_url(url), KECS_E_INVALID);
  PQfinish(pg);
}

static void keyword_strings(void **state) {
  (void)state;
  char url[CONTRACT_PATH_MAX];
  PGconn *pg = direct();
  snprintf(url, sizeof url, "host=127.0.0.1 port=%s user=%s dbname='%s' tenant=words", PQport(pg), PQuser(pg),
           PQdb(pg));
  PQfinish(pg);
  kecs_options options = {.path = url};
  kecs_store *store = contract_open_with(&options);
  kecs_info info;
  CONTRACT_OK(kecs_store_info(store, &info));
  CONTRACT_TEXT(info.backend, "postgresql");
  assert_true(info.size_bytes > 0);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(two_tenants_never_meet),
    CONTRACT_TEST(names_of_tenants_are_checked),
    CONTRACT_TEST(a_schema_is_made_once),
    CONTRACT_TEST(no_update_is_lost),
    CONTRACT_TEST(a_transaction_keeps_what_it_read),
    CONTRACT_TEST(everybody_makes_the_same_rows),
    CONTRACT_TEST(there_is_one_primary_set),
    CONTRACT_TEST(a_store_outlives_its_connections),
    CONTRACT_TEST(a_connection_lost_in_a_transaction),
    CONTRACT_TEST(a_connection_lost_in_commit),
    CONTRACT_TEST(a_locked_row_is_waited_for_in_time),
    CONTRACT_TEST(servers_that_do_not_let_us_in),
    CONTRACT_TEST(a_wrong_password),
    CONTRACT_TEST(missing_rights),
    CONTRACT_TEST(schemas_that_are_not_ours),
    CONTRACT_TEST(a_database_in_another_encoding),
    CONTRACT_TEST(read_only_writes_nothing),
    CONTRACT_TEST(long_walks_come_in_pages),
    CONTRACT_TEST(unnamed_statements),
    CONTRACT_TEST(keyword_strings),
};

CONTRACT_MAIN("postgres", tests)
