/* test_together.c -- what PostgreSQL alone can show of reads and rows that travel together: refusals of the server,
 * lost connections. */
#include "contract/contract.h"

#include <libpq-fe.h>

/* Runs SQL on a connection of the test's own; the first field of the result as text. */
static const char *ask(const char *sql) {
  static char text[512];
  PGconn *pg = PQconnectdb(getenv("KECS_TEST_POSTGRES"));
  PGresult *result = PQexec(pg, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
    fail_msg("%s: %s", sql, PQerrorMessage(pg));
  }
  snprintf(text, sizeof text, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
  PQclear(result);
  PQfinish(pg);
  return text;
}

/* A store in a schema of its own, as the owner, and as a role that may use all of it. */
static kecs_store *open_schema(const char *schema, const char *role) {
  static char url[CONTRACT_PATH_MAX];
  char sql[512];
  PGconn *pg = PQconnectdb(getenv("KECS_TEST_POSTGRES"));
  if (role) {
    snprintf(sql, sizeof sql,
             "DROP ROLE IF EXISTS %s; CREATE ROLE %s LOGIN; GRANT USAGE ON SCHEMA %s TO %s; "
             "GRANT SELECT,INSERT,UPDATE,DELETE ON ALL TABLES IN SCHEMA %s TO %s",
             role, role, schema, role, schema, role);
    (void)ask(sql);
  }
  snprintf(url, sizeof url, "postgresql://%s@127.0.0.1:%s/%s?schema=%s", role ? role : PQuser(pg), PQport(pg), PQdb(pg),
           schema);
  PQfinish(pg);
  kecs_options options = {.path = url};
  return contract_open_with(&options);
}

static void end_connections(void) {
  (void)ask("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname=current_database() AND "
            "application_name='kecs_store'");
}

/* ---- pipelines ---- */

static const kecs_read reads[] = {{KECS_KIND_CLUSTER, "web", NULL},
                                  {KECS_KIND_NODE, NULL, NULL},
                                  {KECS_KIND_CLUSTER, NULL, NULL},
                                  {KECS_KIND_NODE, "n1", NULL},
                                  {KECS_KIND_CLUSTER, "web", NULL}};

static void a_refused_read_spoils_no_other(void **state) {
  (void)state;
  kecs_store *owner = open_schema("refused", NULL);
  kecs_cluster cluster = {.name = "web"};
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_cluster_create(owner, &cluster, NULL));
  kecs_store *guest = open_schema("refused", "refused_guest");
  (void)ask("REVOKE SELECT ON refused.nodes FROM refused_guest");
  for (int round = 0; round < 3; round++) { /* the first one prepares */
    kecs_answers *answers = NULL;
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_pipeline(guest, reads, CONTRACT_COUNT(reads), &answers));
    for (size_t i = 0; i < CONTRACT_COUNT(reads); i++) {
      if (reads[i].kind == KECS_KIND_NODE) {
        CONTRACT_FAILS(kecs_answers_at(answers, i, &result), KECS_E_DENIED);
        CONTRACT_SAYS("GRANT");
        CONTRACT_TEXT(kecs_last_error()->sqlstate, "42501");
      } else {
        CONTRACT_OK(kecs_answers_at(answers, i, &result));
        CONTRACT_TEXT(kecs_cluster_at(result, 0)->name, "web");
      }
    }
    kecs_answers_free(answers);
    CONTRACT_OK(kecs_begin(guest, &tx)); /* there it is the whole call's failure, as a single read's is */
    CONTRACT_FAILS(kecs_pipeline(tx, reads, CONTRACT_COUNT(reads), &answers), KECS_E_DENIED);
    assert_null(answers);
    CONTRACT_OK(kecs_rollback(tx));
  }
  contract_close(guest);
  contract_close(owner);
}

static void a_pipeline_outlives_its_connections(void **state) {
  (void)state;
  kecs_store *store = open_schema("outlived", NULL);
  kecs_cluster cluster = {.name = "web"};
  kecs_store *tx = NULL;
  kecs_answers *answers = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  for (int round = 0; round < 3; round++) {
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_pipeline(store, reads, 3, &answers));
    CONTRACT_OK(kecs_answers_at(answers, 2, &result));
    CONTRACT_NUMBER(kecs_result_count(result), 1);
    kecs_answers_free(answers);
    CONTRACT_OK(kecs_begin(store, &tx));
    end_connections();
    CONTRACT_OK(kecs_pipeline(tx, reads, 3, &answers)); /* nothing had been sent of it */
    kecs_answers_free(answers);
    end_connections();
    CONTRACT_FAILS(kecs_pipeline(tx, reads, 3, &answers), KECS_E_OFFLINE);
    assert_null(answers);
    CONTRACT_OK(kecs_rollback(tx));
    end_connections();
  }
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(a_refused_read_spoils_no_other),
    CONTRACT_TEST(a_pipeline_outlives_its_connections),
};

CONTRACT_MAIN("together", tests)
