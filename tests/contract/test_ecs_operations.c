/* test_ecs_operations.c -- what ECS kinds can do beyond rows: ensure, register, families, find, promote, deregister,
 * put, effective settings, log search, and every clean-up; and what each kind fills in by itself. */
#include "contract.h"

#include <pthread.h>

#define ARN_ECS CONTRACT_ARN_ECS
#define HOUR INT64_C(3600000000)
#define MINUTE INT64_C(60000000)

static kecs_store *open_at(int64_t *now) {
  kecs_options options = {.clock = contract_clock(now)};
  return contract_open_with(&options);
}

static void make_cluster(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
}

static void make_service(kecs_store *store, const char *cluster, const char *name) {
  kecs_service service = {.cluster_arn = cluster, .name = name};
  CONTRACT_OK(kecs_service_create(store, &service, NULL));
}

static void make_task(kecs_store *store, const kecs_task *task) {
  CONTRACT_OK(kecs_task_create(store, task, NULL));
}

/* The only row of a result, which stays with the caller. */
#define ONLY(kind, result) (CONTRACT_NUMBER(kecs_result_count(result), 1), kecs_##kind##_at((result), 0))

static int64_t count_of(kecs_store *store, kecs_kind kind) {
  return contract_count_rows(store, kind);
}

/* Texts of all rows of a result, one column, joined by blanks. */
static const char *joined(const kecs_result *result, int column, char out[1024]) {
  kecs_kind kind = kecs_result_kind(result);
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    char text[200];
    kecs_record_text(kecs_kind_describe(kind), kecs_record_at(result, kind, i), column, text, sizeof text, NULL);
    used += (size_t)snprintf(out + used, 1024 - used, "%s%s", i > 0 ? " " : "", text);
    assert_true(used < 1024);
  }
  return out;
}

/* ---- clusters ---- */

static void ensure_creates_once(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_cluster wanted = {.name = "web", .tags = "[{\"key\":\"a\",\"value\":\"b\"}]"};
  kecs_result *first = NULL;
  kecs_result *second = NULL;
  bool created = false;
  CONTRACT_OK(kecs_cluster_ensure(store, &wanted, &created, &first));
  assert_true(created);
  CONTRACT_TEXT(ONLY(cluster, first)->arn, ARN_ECS "cluster/web");
  now += HOUR;
  wanted.tags = NULL;
  wanted.settings = "[]";
  CONTRACT_OK(kecs_cluster_ensure(store, &wanted, &created, &second));
  assert_false(created);
  CONTRACT_SAME_ROWS(kecs_kind_describe(KECS_KIND_CLUSTER), ONLY(cluster, second), ONLY(cluster, first), 0);
  kecs_result_free(first);
  kecs_result_free(second);

  kecs_cluster by_arn = {.arn = ARN_ECS "cluster/web"};
  CONTRACT_OK(kecs_cluster_ensure(store, &by_arn, &created, NULL));
  assert_false(created);
  by_arn.arn = "arn:aws:ecs:eu-west-1:111122223333:cluster/web";
  CONTRACT_OK(kecs_cluster_ensure(store, &by_arn, &created, &first));
  assert_true(created);
  CONTRACT_TEXT(ONLY(cluster, first)->name, "web");
  CONTRACT_TEXT(ONLY(cluster, first)->region, "eu-west-1");
  CONTRACT_TEXT(ONLY(cluster, first)->account_id, "111122223333");
  kecs_result_free(first);
  kecs_cluster elsewhere = {.name = "web", .region = "eu-west-1", .account_id = "111122223333"};
  CONTRACT_OK(kecs_cluster_ensure(store, &elsewhere, &created, NULL));
  assert_false(created);
  CONTRACT_OK(kecs_cluster_ensure(store, &elsewhere, NULL, NULL));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_CLUSTER), 2);
  contract_close(store);
}

static void ensure_refuses_what_it_cannot_name(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster nothing = {.status = "ACTIVE"};
  kecs_cluster empty = {.name = ""};
  kecs_result *result = (kecs_result *)&nothing;
  bool created = true;
  CONTRACT_FAILS(kecs_cluster_ensure(store, &nothing, &created, &result), KECS_E_INVALID);
  CONTRACT_SAYS("cluster.name");
  assert_false(created);
  assert_null(result);
  CONTRACT_FAILS(kecs_cluster_ensure(store, &empty, NULL, NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_cluster_create(store, &empty, NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_cluster_ensure(store, NULL, NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_cluster_ensure(NULL, &empty, NULL, &result), KECS_E_MISUSE);
  kecs_cluster first = {.name = "one", .id = "same"};
  kecs_cluster second = {.name = "two", .id = "same"};
  CONTRACT_OK(kecs_cluster_ensure(store, &first, NULL, NULL));
  CONTRACT_FAILS(kecs_cluster_ensure(store, &second, &created, NULL), KECS_E_EXISTS);
  assert_false(created);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

static void *ensure_run(void *user) {
  kecs_cluster cluster = {.name = "shared"};
  bool created = false;
  kecs_status status = kecs_cluster_ensure(user, &cluster, &created, NULL);
  return (void *)(intptr_t)(status ? -1 : created ? 1 : 0);
}

static void ensure_from_many_threads(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  pthread_t threads[8];
  int created = 0;
  for (size_t i = 0; i < CONTRACT_COUNT(threads); i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, ensure_run, store), 0);
  }
  for (size_t i = 0; i < CONTRACT_COUNT(threads); i++) {
    void *told = NULL;
    assert_int_equal(pthread_join(threads[i], &told), 0);
    assert_true((intptr_t)told >= 0);
    created += (int)(intptr_t)told;
  }
  CONTRACT_NUMBER(created, 1);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

static void a_cluster_in_use_is_not_deleted(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_cluster(store, "other");
  kecs_service live = {.cluster_arn = "web", .name = "live"};
  kecs_service draining = {.cluster_arn = "web", .name = "draining", .status = "DRAINING"};
  kecs_service ended = {.cluster_arn = "web", .name = "ended", .status = "INACTIVE"};
  kecs_task running = {.cluster_arn = "web", .id = "1", .last_status = "RUNNING"};
  kecs_task odd = {.cluster_arn = "web", .id = "2", .last_status = "Unheard of"};
  kecs_task stopped = {.cluster_arn = "web", .id = "3", .last_status = "STOPPED"};
  kecs_task foreign = {.cluster_arn = "other", .id = "4", .last_status = "RUNNING"};
  CONTRACT_OK(kecs_service_create(store, &live, NULL));
  CONTRACT_OK(kecs_service_create(store, &draining, NULL));
  CONTRACT_OK(kecs_service_create(store, &ended, NULL));
  make_task(store, &running);
  make_task(store, &odd);
  make_task(store, &stopped);
  make_task(store, &foreign);

  CONTRACT_FAILS(kecs_cluster_delete_idle(store, "web"), KECS_E_REFERENCE);
  CONTRACT_SAYS("2 services");
  CONTRACT_SAYS("2 tasks");
  CONTRACT_SAYS("\"web\"");
  CONTRACT_OK(kecs_service_delete(store, "web", "live"));
  CONTRACT_OK(kecs_service_delete(store, "web", "draining"));
  CONTRACT_FAILS(kecs_cluster_delete_idle(store, "web"), KECS_E_REFERENCE);
  CONTRACT_SAYS("0 services");
  CONTRACT_OK(kecs_task_delete(store, "web", "1"));
  CONTRACT_FAILS(kecs_cluster_delete_idle(store, ARN_ECS "cluster/web"), KECS_E_REFERENCE);
  CONTRACT_OK(kecs_task_delete(store, "web", "2"));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK), 2);
  CONTRACT_OK(kecs_cluster_delete_idle(store, ARN_ECS "cluster/web"));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_CLUSTER), 1);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_SERVICE), 0);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK), 1);

  CONTRACT_FAILS(kecs_cluster_delete_idle(store, "web"), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("web");
  CONTRACT_FAILS(kecs_cluster_delete_idle(store, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_cluster_delete_idle(store, ""), KECS_E_INVALID);
  contract_close(store);
}

/* ---- task definitions ---- */

static kecs_status register_one(kecs_store *store, const char *family, kecs_result **out_result) {
  kecs_task_definition row = {.family = family, .container_definitions = "[{\"name\":\"app\",\"image\":\"nginx\"}]"};
  return kecs_task_definition_register(store, &row, out_result);
}

static void register_many(kecs_store *store, const char *family, int count) {
  for (int i = 0; i < count; i++) {
    CONTRACT_OK(register_one(store, family, NULL));
  }
}

static int64_t revision_of(kecs_store *store, const char *definition) {
  kecs_result *result = NULL;
  kecs_status status = kecs_task_definition_get(store, definition, &result);
  int64_t revision = status ? (int64_t)status : kecs_task_definition_at(result, 0)->revision;
  kecs_result_free(result);
  return revision;
}

static void revisions_count_up(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_task_definition row = {.family = "revision-test", .container_definitions = "[ 1 ]", .revision = 77,
                              .arn = ARN_ECS "task-definition/other:9"};
  for (int i = 1; i <= 3; i++) {
    char arn[200];
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_task_definition_register(store, &row, &result));
    const kecs_task_definition *stored = ONLY(task_definition, result);
    snprintf(arn, sizeof arn, "arn:aws:ecs:us-east-1:000000000000:task-definition/revision-test:%d", i);
    CONTRACT_TEXT(stored->arn, arn);
    CONTRACT_NUMBER(stored->revision, i);
    CONTRACT_TEXT(stored->status, "ACTIVE");
    CONTRACT_TEXT(stored->network_mode, "bridge");
    CONTRACT_NUMBER(stored->registered_at, CONTRACT_NOW);
    kecs_result_free(result);
  }
  CONTRACT_NUMBER(row.revision, 77);
  CONTRACT_OK(register_one(store, "another", NULL));
  CONTRACT_NUMBER(revision_of(store, "another"), 1);

  kecs_task_definition nameless = {.container_definitions = "[]"};
  kecs_task_definition empty = {.family = "f"};
  CONTRACT_FAILS(kecs_task_definition_register(store, &nameless, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("task_definition.family");
  CONTRACT_FAILS(kecs_task_definition_register(store, &empty, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("container_definitions");
  CONTRACT_OK(register_one(store, "f", NULL));
  CONTRACT_NUMBER(revision_of(store, "f"), 1); /* a refused one takes no number */
  CONTRACT_FAILS(kecs_task_definition_register(store, NULL, NULL), KECS_E_MISUSE);
  contract_close(store);
}

static void no_revision_is_given_twice(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  register_many(store, "app", 3);
  CONTRACT_OK(kecs_task_definition_delete(store, "app:3"));
  CONTRACT_OK(kecs_task_definition_delete(store, "app:1"));
  CONTRACT_OK(register_one(store, "app", NULL));
  CONTRACT_NUMBER(revision_of(store, "app"), 4);
  CONTRACT_OK(kecs_task_definition_delete(store, "app:2"));
  CONTRACT_OK(kecs_task_definition_delete(store, "app"));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK_DEFINITION), 0);
  store = contract_reopen(store);
  CONTRACT_OK(register_one(store, "app", NULL));
  CONTRACT_NUMBER(revision_of(store, "app"), 5);

  /* A given revision is kept, and counted on from when it is the highest. */
  kecs_task_definition given = {.family = "app", .revision = 9, .container_definitions = "[]"};
  CONTRACT_OK(kecs_task_definition_create(store, &given, NULL));
  CONTRACT_FAILS(kecs_task_definition_create(store, &given, NULL), KECS_E_EXISTS);
  given.revision = 7;
  CONTRACT_OK(kecs_task_definition_create(store, &given, NULL));
  given.revision = 0;
  CONTRACT_OK(kecs_task_definition_create(store, &given, NULL));
  CONTRACT_NUMBER(revision_of(store, "app"), 10);
  given.revision = -1;
  CONTRACT_FAILS(kecs_task_definition_create(store, &given, NULL), KECS_E_INVALID);

  /* So is one that only the ARN tells, in its own account and region. */
  kecs_task_definition from_arn = {.arn = "arn:aws:ecs:eu-west-1:111122223333:task-definition/app:20",
                                   .container_definitions = "[]"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_definition_create(store, &from_arn, &result));
  CONTRACT_TEXT(ONLY(task_definition, result)->family, "app");
  CONTRACT_NUMBER(ONLY(task_definition, result)->revision, 20);
  kecs_result_free(result);
  CONTRACT_OK(register_one(store, "app", NULL));
  CONTRACT_NUMBER(revision_of(store, "app"), 11);
  kecs_task_definition there = {.family = "app", .region = "eu-west-1", .account_id = "111122223333",
                                .container_definitions = "[]"};
  CONTRACT_OK(kecs_task_definition_register(store, &there, &result));
  CONTRACT_NUMBER(ONLY(task_definition, result)->revision, 21);
  kecs_result_free(result);
  contract_close(store);
}

/* What is rolled back was never given. */
/* "FAMILY=LAST ..." of one page. */
static const char *counters(kecs_store *store, int limit, const char *token, kecs_result **out, char text[1024]) {
  size_t used = 0;
  text[0] = '\0';
  CONTRACT_OK(kecs_task_definition_counters(store, limit, token, out));
  assert_true(kecs_result_kind(*out) == 0);
  assert_null(kecs_family_at(*out, 0));
  for (size_t i = 0; i < kecs_result_count(*out); i++) {
    const kecs_family_counter *one = kecs_family_counter_at(*out, i);
    used += (size_t)snprintf(text + used, 1024 - used, "%s%s/%s=%lld", i > 0 ? " " : "", one->region, one->family,
                             (long long)one->last_revision);
  }
  assert_null(kecs_family_counter_at(*out, kecs_result_count(*out)));
  return text;
}

static void counters_tell_what_rows_do_not(void **state) {
  (void)state;
  char text[1024];
  kecs_result *page = NULL;
  kecs_result *next = NULL;
  kecs_store *store = contract_open();
  kecs_task_definition row = {.family = "app", .container_definitions = "[]"};
  for (int i = 0; i < 3; i++) {
    CONTRACT_OK(kecs_task_definition_register(store, &row, NULL));
  }
  CONTRACT_TEXT(counters(store, 0, NULL, &page, text), "");
  kecs_result_free(page);
  CONTRACT_OK(kecs_task_definition_delete(store, "app:2"));
  CONTRACT_TEXT(counters(store, 0, NULL, &page, text), ""); /* the highest is stored */
  kecs_result_free(page);
  CONTRACT_OK(kecs_task_definition_delete(store, "app:3"));
  kecs_family_counter gone = {.region = "eu-west-1", .family = "gone", .last_revision = 7};
  CONTRACT_OK(kecs_task_definition_counter_raise(store, &gone));
  gone.last_revision = 6;
  CONTRACT_OK(kecs_task_definition_counter_raise(store, &gone)); /* never lower */
  CONTRACT_TEXT(counters(store, 1, NULL, &page, text), "eu-west-1/gone=7");
  CONTRACT_TEXT(counters(store, 1, kecs_result_page_token(page), &next, text), "us-east-1/app=3");
  assert_null(kecs_result_page_token(next));
  kecs_result_free(page);
  kecs_result_free(next);
  kecs_family_counter app = {.family = "app", .last_revision = 40};
  CONTRACT_OK(kecs_task_definition_counter_raise(store, &app));
  CONTRACT_OK(kecs_task_definition_register(store, &row, &page));
  CONTRACT_NUMBER(ONLY(task_definition, page)->revision, 41);
  kecs_result_free(page);
  contract_close(store);
}

static void counters_refuse_what_is_no_counter(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *page = NULL;
  kecs_family_counter counter = {.family = "", .last_revision = 1};
  CONTRACT_FAILS(kecs_task_definition_counter_raise(store, &counter), KECS_E_INVALID);
  CONTRACT_SAYS("family");
  counter.family = "app";
  for (int i = 0; i < 3; i++) {
    counter.last_revision = i == 0 ? 0 : i == 1 ? -1 : (int64_t)INT32_MAX + 1;
    CONTRACT_FAILS(kecs_task_definition_counter_raise(store, &counter), KECS_E_INVALID);
    CONTRACT_SAYS("last_revision");
  }
  CONTRACT_FAILS(kecs_task_definition_counters(store, -1, NULL, &page), KECS_E_INVALID);
  CONTRACT_SAYS("limit");
  CONTRACT_FAILS(kecs_task_definition_counters(store, 1, "nonsense", &page), KECS_E_INVALID);
  CONTRACT_SAYS("token");
  assert_null(page);
  contract_close(store);
}

static void a_rolled_back_revision_is_free(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_task_definition rows[] = {{.family = "app", .container_definitions = "[]"},
                                 {.family = "app", .container_definitions = "[]"},
                                 {.family = "app"}};
  CONTRACT_FAILS(kecs_task_definition_create_many(store, rows, 3, NULL), KECS_E_INVALID);
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_task_definition_create_many(tx, rows, 2, NULL));
  CONTRACT_FAILS(kecs_task_definition_create(tx, &rows[2], NULL), KECS_E_INVALID);
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_FAILS(kecs_task_definition_create(tx, &rows[2], NULL), KECS_E_INVALID);
  CONTRACT_OK(kecs_task_definition_create_many(tx, rows, 2, NULL));
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(revision_of(store, "app"), 2);
  contract_close(store);
}

typedef struct racer {
  kecs_store *store;
  kecs_status status;
  int64_t revision;
} racer;

static void *race_register(void *user) {
  racer *one = user;
  kecs_result *result = NULL;
  one->status = register_one(one->store, "race", &result);
  one->revision = one->status ? 0 : kecs_task_definition_at(result, 0)->revision;
  kecs_result_free(result);
  return NULL;
}

static void twenty_threads_get_twenty_revisions(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  racer racers[20];
  pthread_t threads[20];
  uint32_t seen = 0;
  for (size_t i = 0; i < 20; i++) {
    racers[i].store = store;
    assert_int_equal(pthread_create(&threads[i], NULL, race_register, &racers[i]), 0);
  }
  for (size_t i = 0; i < 20; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(racers[i].status, KECS_OK);
    assert_true(racers[i].revision >= 1 && racers[i].revision <= 20);
    seen |= UINT32_C(1) << racers[i].revision;
  }
  CONTRACT_NUMBER(seen, UINT32_C(0x1FFFFE));
  contract_close(store);
}

static void definitions_by_family_revision_and_arn(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  register_many(store, "app", 3);
  register_many(store, "other", 1);
  CONTRACT_NUMBER(revision_of(store, "app"), 3);
  CONTRACT_NUMBER(revision_of(store, "app:2"), 2);
  CONTRACT_NUMBER(revision_of(store, ARN_ECS "task-definition/app:1"), 1);
  CONTRACT_NUMBER(revision_of(store, "app:4"), KECS_E_NOT_FOUND);
  CONTRACT_NUMBER(revision_of(store, "app:x"), KECS_E_NOT_FOUND);
  CONTRACT_NUMBER(revision_of(store, "app:99999999999999999999999"), KECS_E_NOT_FOUND);
  CONTRACT_NUMBER(revision_of(store, "ap"), KECS_E_NOT_FOUND);
  CONTRACT_NUMBER(revision_of(store, ":1"), KECS_E_NOT_FOUND);
  CONTRACT_NUMBER(revision_of(store, "app:0"), KECS_E_NOT_FOUND);

  CONTRACT_OK(kecs_task_definition_deregister(store, "app:3", NULL));
  CONTRACT_NUMBER(revision_of(store, "app"), 2);
  CONTRACT_NUMBER(revision_of(store, "app:3"), 3);
  CONTRACT_OK(kecs_task_definition_latest(store, "app", &result));
  CONTRACT_NUMBER(ONLY(task_definition, result)->revision, 2);
  assert_null(kecs_result_page_token(result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_definition_deregister(store, "app", NULL));
  CONTRACT_OK(kecs_task_definition_deregister(store, "app", NULL));
  CONTRACT_FAILS(kecs_task_definition_deregister(store, "app", NULL), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_task_definition_latest(store, "app", &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("no ACTIVE revision");
  assert_null(result);
  CONTRACT_FAILS(kecs_task_definition_latest(store, "app:3", &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_task_definition_get(store, "app", &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("no ACTIVE revision");
  CONTRACT_FAILS(kecs_task_definition_latest(store, NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_definition_latest(store, "app", NULL), KECS_E_MISUSE);
  CONTRACT_NUMBER(revision_of(store, "other"), 1);
  contract_close(store);
}

static void the_first_deregistration_counts(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  register_many(store, "app", 1);
  now += HOUR;
  CONTRACT_OK(kecs_task_definition_deregister(store, ARN_ECS "task-definition/app:1", &result));
  CONTRACT_TEXT(ONLY(task_definition, result)->status, "INACTIVE");
  CONTRACT_NUMBER(ONLY(task_definition, result)->deregistered_at, CONTRACT_NOW + HOUR);
  CONTRACT_NUMBER(ONLY(task_definition, result)->version, 2);
  kecs_result_free(result);
  now += HOUR;
  CONTRACT_OK(kecs_task_definition_deregister(store, "app:1", &result));
  CONTRACT_NUMBER(ONLY(task_definition, result)->deregistered_at, CONTRACT_NOW + HOUR);
  CONTRACT_NUMBER(ONLY(task_definition, result)->version, 2);
  kecs_result_free(result);

  kecs_task_definition leaving = {.arn = ARN_ECS "task-definition/app:1", .status = "DELETE_IN_PROGRESS"};
  CONTRACT_OK(kecs_task_definition_update_fields(store, &leaving, KECS_BIT(KECS_TASK_DEFINITION_STATUS), NULL));
  CONTRACT_OK(kecs_task_definition_deregister(store, "app:1", &result));
  CONTRACT_TEXT(ONLY(task_definition, result)->status, "DELETE_IN_PROGRESS");
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_task_definition_deregister(store, "app:2", &result), KECS_E_NOT_FOUND);
  assert_null(result);
  CONTRACT_FAILS(kecs_task_definition_deregister(store, NULL, NULL), KECS_E_MISUSE);
  contract_close(store);
}

/* A row without ARN and revision is a new one; with a revision it means that one. */
static void upsert_registers_or_replaces(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_task_definition row = {.family = "app", .container_definitions = "[1]"};
  CONTRACT_OK(kecs_task_definition_upsert(store, &row, NULL));
  CONTRACT_OK(kecs_task_definition_upsert(store, &row, NULL));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK_DEFINITION), 2);
  row.revision = 1;
  row.cpu = "256";
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_definition_upsert(store, &row, &result));
  CONTRACT_NUMBER(ONLY(task_definition, result)->revision, 1);
  CONTRACT_TEXT(ONLY(task_definition, result)->cpu, "256");
  kecs_result_free(result);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK_DEFINITION), 2);
  CONTRACT_NUMBER(revision_of(store, "app"), 2);
  contract_close(store);
}

static void check_family(const kecs_result *result, size_t index, const char *family, int64_t latest, int64_t active) {
  const kecs_family *row = kecs_family_at(result, index);
  assert_non_null(row);
  CONTRACT_TEXT(row->family, family);
  CONTRACT_NUMBER(row->latest_revision, latest);
  CONTRACT_NUMBER(row->active_revisions, active);
}

static void families_are_listed(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_family_query query = {0};
  CONTRACT_OK(kecs_task_definition_families(store, NULL, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  assert_null(kecs_family_at(result, 0));
  kecs_result_free(result);
  register_many(store, "alpha", 2);
  register_many(store, "test_1", 3);
  register_many(store, "test-2", 1);
  register_many(store, "test%", 1);
  register_many(store, "gone", 2);
  CONTRACT_OK(kecs_task_definition_deregister(store, "test_1:3", NULL));
  CONTRACT_OK(kecs_task_definition_deregister(store, "test-2", NULL));
  CONTRACT_OK(kecs_task_definition_delete(store, "gone:1"));
  CONTRACT_OK(kecs_task_definition_delete(store, "gone:2"));

  CONTRACT_OK(kecs_task_definition_families(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 4);
  CONTRACT_NUMBER(kecs_result_kind(result), 0);
  check_family(result, 0, "alpha", 2, 2);
  check_family(result, 1, "test%", 1, 1);
  check_family(result, 2, "test-2", 1, 0);
  check_family(result, 3, "test_1", 3, 2);
  assert_null(kecs_family_at(result, 4));
  assert_null(kecs_family_at(NULL, 0));
  assert_null(kecs_task_definition_at(result, 0));
  assert_null(kecs_result_page_token(result));
  kecs_result_free(result);

  query.prefix = "test_";
  CONTRACT_OK(kecs_task_definition_families(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  kecs_result_free(result);
  query.prefix = "test";
  query.status = "INACTIVE";
  CONTRACT_OK(kecs_task_definition_families(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 2);
  check_family(result, 0, "test-2", 1, 0);
  kecs_result_free(result);
  query.status = "ACTIVE";
  CONTRACT_OK(kecs_task_definition_families(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 2);
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_definition_list(store, NULL, &result));
  assert_null(kecs_family_at(result, 0));
  kecs_result_free(result);
  contract_close(store);
}

static void families_come_in_pages(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static const char *const names[] = {"a", "b", "c", "d", "e"};
  static const size_t sizes[] = {2, 2, 1};
  for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
    register_many(store, names[4 - i], 1);
  }
  kecs_result *result = NULL;
  kecs_result *page = NULL;
  kecs_family_query query = {.limit = 2};
  size_t seen = 0;
  for (size_t i = 0; i < CONTRACT_COUNT(sizes); i++) {
    CONTRACT_OK(kecs_task_definition_families(store, &query, &page));
    CONTRACT_NUMBER(kecs_result_count(page), sizes[i]);
    for (size_t k = 0; k < sizes[i]; k++) {
      CONTRACT_TEXT(kecs_family_at(page, k)->family, names[seen++]);
    }
    assert_true((kecs_result_page_token(page) != NULL) == (i < 2));
    kecs_result_free(result);
    result = page;
    query.page_token = kecs_result_page_token(page);
  }
  kecs_result_free(result);

  CONTRACT_OK(kecs_task_definition_families(store, &(kecs_family_query){.limit = 2}, &result));
  query = (kecs_family_query){.limit = 2, .status = "ACTIVE", .page_token = kecs_result_page_token(result)};
  CONTRACT_FAILS(kecs_task_definition_families(store, &query, &page), KECS_E_INVALID);
  CONTRACT_SAYS("invalid next token");
  assert_null(page);
  query = (kecs_family_query){.page_token = "garbage"};
  CONTRACT_FAILS(kecs_task_definition_families(store, &query, &page), KECS_E_INVALID);
  query = (kecs_family_query){.limit = -1};
  CONTRACT_FAILS(kecs_task_definition_families(store, &query, &page), KECS_E_INVALID);
  query = (kecs_family_query){.limit = 1001};
  CONTRACT_FAILS(kecs_task_definition_families(store, &query, &page), KECS_E_INVALID);
  query = (kecs_family_query){.limit = 5};
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_definition_families(store, &query, &result));
  assert_null(kecs_result_page_token(result)); /* exactly the limit: no empty page follows */
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_task_definition_families(store, NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_definition_families(NULL, NULL, &result), KECS_E_MISUSE);
  contract_close(store);
}

static void revisions_are_listed_newest_first(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_result *next = NULL;
  char texts[1024];
  register_many(store, "app", 12);
  register_many(store, "app-2", 1);
  kecs_task_definition elsewhere = {.arn = "arn:aws:ecs:eu-west-1:000000000000:task-definition/app:99",
                                    .container_definitions = "[]"};
  CONTRACT_OK(kecs_task_definition_create(store, &elsewhere, NULL));
  CONTRACT_OK(kecs_task_definition_deregister(store, "app:11", NULL));
  CONTRACT_OK(kecs_task_definition_revisions(store, "app", NULL, 0, NULL, &result));
  CONTRACT_TEXT(joined(result, KECS_TASK_DEFINITION_REVISION, texts), "12 11 10 9 8 7 6 5 4 3 2 1");
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_definition_revisions(store, "app", "ACTIVE", 3, NULL, &result));
  CONTRACT_TEXT(joined(result, KECS_TASK_DEFINITION_REVISION, texts), "12 10 9");
  CONTRACT_OK(kecs_task_definition_revisions(store, "app", "ACTIVE", 3, kecs_result_page_token(result), &next));
  CONTRACT_TEXT(joined(next, KECS_TASK_DEFINITION_REVISION, texts), "8 7 6");
  kecs_result_free(next);
  CONTRACT_FAILS(kecs_task_definition_revisions(store, "app", NULL, 3, kecs_result_page_token(result), &next),
                 KECS_E_INVALID);
  CONTRACT_FAILS(kecs_task_definition_revisions(store, "app-2", "ACTIVE", 3, kecs_result_page_token(result), &next),
                 KECS_E_INVALID);
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_definition_revisions(store, "app", "INACTIVE", 0, NULL, &result));
  CONTRACT_TEXT(joined(result, KECS_TASK_DEFINITION_REVISION, texts), "11");
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_definition_revisions(store, "unknown", NULL, 0, NULL, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_task_definition_revisions(store, NULL, NULL, 0, NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_definition_revisions(store, "app", NULL, -1, NULL, &result), KECS_E_INVALID);
  contract_close(store);
}

/* ---- services ---- */

static void services_fill_themselves(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_cluster chinese = {.arn = "arn:aws-cn:ecs:cn-north-1:111122223333:cluster/web"};
  make_cluster(store, "default");
  CONTRACT_OK(kecs_cluster_create(store, &chinese, NULL));
  kecs_service from_arn = {.arn = "arn:aws-cn:ecs:cn-north-1:111122223333:service/web/front"};
  CONTRACT_OK(kecs_service_create(store, &from_arn, &result));
  CONTRACT_TEXT(ONLY(service, result)->name, "front");
  CONTRACT_TEXT(ONLY(service, result)->cluster_arn, chinese.arn);
  CONTRACT_TEXT(ONLY(service, result)->region, "cn-north-1");
  kecs_result_free(result);
  kecs_service there = {.cluster_arn = chinese.arn, .name = "back"};
  CONTRACT_OK(kecs_service_create(store, &there, &result));
  CONTRACT_TEXT(ONLY(service, result)->arn, "arn:aws-cn:ecs:cn-north-1:111122223333:service/web/back");
  CONTRACT_TEXT(ONLY(service, result)->region, "cn-north-1");
  CONTRACT_TEXT(ONLY(service, result)->account_id, "111122223333");
  kecs_result_free(result);
  kecs_service homeless = {.name = "api"};
  CONTRACT_OK(kecs_service_create(store, &homeless, &result));
  CONTRACT_TEXT(ONLY(service, result)->arn, ARN_ECS "service/default/api");
  kecs_result_free(result);
  kecs_service brief = {.arn = ARN_ECS "service/old"};
  CONTRACT_OK(kecs_service_create(store, &brief, &result));
  CONTRACT_TEXT(ONLY(service, result)->cluster_arn, ARN_ECS "cluster/default");
  kecs_result_free(result);

  kecs_service nameless = {.cluster_arn = "default"};
  CONTRACT_FAILS(kecs_service_create(store, &nameless, &result), KECS_E_INVALID);
  CONTRACT_SAYS("service.name");
  kecs_service orphan = {.cluster_arn = "nowhere", .name = "api"};
  CONTRACT_FAILS(kecs_service_create(store, &orphan, &result), KECS_E_REFERENCE);
  CONTRACT_SAYS("cluster/nowhere");
  kecs_service again = {.cluster_arn = "default", .name = "api", .id = "fresh"};
  CONTRACT_FAILS(kecs_service_create(store, &again, NULL), KECS_E_EXISTS);
  contract_close(store);
}

static void marked_services_are_deleted(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  make_cluster(store, "web");
  make_cluster(store, "other");
  const kecs_service rows[] = {
      {.cluster_arn = "web", .name = "live"},
      {.cluster_arn = "web", .name = "scaled-to-zero"},
      {.cluster_arn = "web", .name = "inactive", .status = "INACTIVE", .desired_count = 3},
      {.cluster_arn = "web", .name = "deleting", .status = "DELETE_IN_PROGRESS"},
      {.cluster_arn = "web", .name = "drained", .status = "DRAINING"},
      {.cluster_arn = "web", .name = "wanted", .status = "DRAINING", .desired_count = 1},
      {.cluster_arn = "web", .name = "running", .status = "DRAINING", .running_count = 1},
      {.cluster_arn = "other", .name = "inactive", .status = "INACTIVE"},
  };
  CONTRACT_OK(kecs_service_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
  now += HOUR;
  kecs_service late = {.cluster_arn = "web", .name = "late", .status = "INACTIVE"};
  CONTRACT_OK(kecs_service_create(store, &late, NULL));
  int64_t count = -1;
  CONTRACT_OK(kecs_service_delete_marked(store, "web", CONTRACT_NOW, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_service_delete_marked(store, "web", CONTRACT_NOW + HOUR, &count));
  CONTRACT_NUMBER(count, 3);
  char texts[1024];
  kecs_result *result = NULL;
  kecs_query query = {.direction = KECS_ORDER_ASCENDING, .order_by = KECS_SERVICE_NAME};
  CONTRACT_OK(kecs_service_list(store, &query, &result));
  CONTRACT_TEXT(joined(result, KECS_SERVICE_NAME, texts), "inactive late live running scaled-to-zero wanted");
  kecs_result_free(result);
  CONTRACT_OK(kecs_service_delete_marked(store, NULL, CONTRACT_NOW + 2 * HOUR, &count));
  CONTRACT_NUMBER(count, 2);
  CONTRACT_OK(kecs_service_delete_marked(store, "", CONTRACT_NOW + 2 * HOUR, NULL));
  CONTRACT_OK(kecs_service_delete_marked(store, "unknown", CONTRACT_NOW + 2 * HOUR, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_FAILS(kecs_service_delete_marked(NULL, NULL, 0, &count), KECS_E_MISUSE);
  contract_close(store);
}

static void services_in_pages_and_by_launch_type(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  for (int i = 0; i < 5; i++) {
    char name[20];
    snprintf(name, sizeof name, "ec2-%d", i);
    kecs_service service = {.cluster_arn = "web", .name = name, .launch_type = "EC2"};
    CONTRACT_OK(kecs_service_create(store, &service, NULL));
  }
  kecs_service fargate = {.cluster_arn = "web", .name = "fargate", .launch_type = "FARGATE", .desired_count = 3};
  CONTRACT_OK(kecs_service_create(store, &fargate, NULL));
  kecs_filter filter = {.column = KECS_SERVICE_LAUNCH_TYPE, .text = "FARGATE"};
  kecs_query query = {.where = &filter, .where_count = 1};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_service_list(store, &query, &result));
  CONTRACT_TEXT(ONLY(service, result)->name, "fargate");
  kecs_result_free(result);
  kecs_service update = {.cluster_arn = "web", .name = "fargate", .desired_count = 5, .running_count = 4,
                         .status = "UPDATING"};
  uint64_t mask = KECS_BIT(KECS_SERVICE_DESIRED_COUNT) | KECS_BIT(KECS_SERVICE_RUNNING_COUNT) |
                  KECS_BIT(KECS_SERVICE_STATUS);
  CONTRACT_OK(kecs_service_update_fields(store, &update, mask, &result));
  CONTRACT_TEXT(ONLY(service, result)->status, "UPDATING");
  CONTRACT_NUMBER(ONLY(service, result)->desired_count, 5);
  CONTRACT_TEXT(ONLY(service, result)->launch_type, "FARGATE");
  kecs_result_free(result);
  contract_close(store);
}

/* ---- tasks ---- */

static void tasks_fill_themselves(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  make_cluster(store, "default");
  make_cluster(store, "web");
  kecs_task from_arn = {.arn = ARN_ECS "task/web/0123", .task_definition_arn = ARN_ECS "task-definition/app:7"};
  CONTRACT_OK(kecs_task_create(store, &from_arn, &result));
  CONTRACT_TEXT(ONLY(task, result)->id, "0123");
  CONTRACT_TEXT(ONLY(task, result)->cluster_arn, ARN_ECS "cluster/web");
  CONTRACT_TEXT(ONLY(task, result)->family, "app");
  kecs_result_free(result);
  kecs_task brief = {.arn = ARN_ECS "task/4567", .task_definition_arn = "app:12", .family = "never read"};
  CONTRACT_OK(kecs_task_create(store, &brief, &result));
  CONTRACT_TEXT(ONLY(task, result)->id, "4567");
  CONTRACT_TEXT(ONLY(task, result)->cluster_arn, ARN_ECS "cluster/default");
  CONTRACT_TEXT(ONLY(task, result)->family, "app");
  kecs_result_free(result);
  kecs_task bare = {.task_definition_arn = "just-a-family"};
  CONTRACT_OK(kecs_task_create(store, &bare, &result));
  CONTRACT_NUMBER(strlen(ONLY(task, result)->id), 32);
  CONTRACT_TEXT(ONLY(task, result)->family, "just-a-family");
  kecs_result_free(result);
  kecs_task unknown = {.id = "89ab"};
  CONTRACT_OK(kecs_task_create(store, &unknown, &result));
  CONTRACT_TEXT(ONLY(task, result)->arn, ARN_ECS "task/default/89ab");
  CONTRACT_TEXT(ONLY(task, result)->family, "");
  kecs_result_free(result);

  /* An id that only stands in the ARN gives way when another row has it; one that was given does not. */
  kecs_task same_tail = {.arn = "arn:aws:ecs:us-east-1:000000000000:task/default/0123"};
  CONTRACT_OK(kecs_task_create(store, &same_tail, &result));
  CONTRACT_NUMBER(strlen(ONLY(task, result)->id), 36);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_task_create(store, &same_tail, NULL), KECS_E_EXISTS);
  kecs_task same_id = {.cluster_arn = "default", .id = "0123"};
  CONTRACT_FAILS(kecs_task_create(store, &same_id, NULL), KECS_E_EXISTS);
  kecs_task fresh_id = {.arn = ARN_ECS "task/web/0123", .id = "fresh"};
  CONTRACT_FAILS(kecs_task_create(store, &fresh_id, NULL), KECS_E_EXISTS);
  contract_close(store);
}

/* The ids of the tasks that a filter finds, oldest first. */
static void check_found(kecs_store *store, const kecs_task_filter *filter, const char *ids) {
  char texts[1024];
  kecs_result *result = NULL;
  kecs_query query = {.direction = KECS_ORDER_ASCENDING, .order_by = KECS_TASK_ID};
  CONTRACT_OK(kecs_task_find(store, filter, &query, &result));
  CONTRACT_TEXT(joined(result, KECS_TASK_ID, texts), ids);
  kecs_result_free(result);
}

static void make_found(kecs_store *store) {
  make_cluster(store, "web");
  make_cluster(store, "other");
  make_service(store, "web", "front");
  make_service(store, "other", "front");
  kecs_container_instance instance = {.cluster_arn = "web", .id = "i1"};
  CONTRACT_OK(kecs_container_instance_create(store, &instance, NULL));
  const kecs_task rows[] = {
      {.cluster_arn = "web", .id = "1", .service_arn = ARN_ECS "service/web/front", .desired_status = "RUNNING"},
      {.cluster_arn = "web", .id = "2", .task_group = "service:front", .desired_status = "STOPPED"},
      {.cluster_arn = "web", .id = "3", .started_by = "ecs-svc/front", .launch_type = "FARGATE"},
      {.cluster_arn = "web", .id = "4", .task_group = "service:front_", .last_status = "STOPPED"},
      {.cluster_arn = "other", .id = "5", .service_arn = ARN_ECS "service/other/front", .launch_type = "FARGATE"},
      {.cluster_arn = "other", .id = "6", .task_group = "service:front"},
      {.cluster_arn = "web", .id = "7", .task_definition_arn = "special-family:3", .started_by = "me"},
      {.cluster_arn = "other", .id = "8", .task_definition_arn = ARN_ECS "task-definition/special-family:4"},
      {.cluster_arn = "web", .id = "9", .container_instance_arn = ARN_ECS "container-instance/web/i1"},
      {.cluster_arn = "web", .id = "a", .container_instance_arn = ARN_ECS "container-instance/web/i2"},
      {.cluster_arn = "web", .id = "b", .container_instance_arn = ARN_ECS "container-instance/i2"},
  };
  CONTRACT_OK(kecs_task_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
}

static void tasks_are_found_by_service(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_found(store);
  check_found(store, &(kecs_task_filter){.service = "front"}, "1 2 3 5 6");
  check_found(store, &(kecs_task_filter){.service = "front", .cluster = "web"}, "1 2 3");
  check_found(store, &(kecs_task_filter){.service = "front", .cluster = ARN_ECS "cluster/other"}, "5 6");
  check_found(store, &(kecs_task_filter){.service = ARN_ECS "service/web/front"}, "1 2 3");
  check_found(store, &(kecs_task_filter){.service = ARN_ECS "service/other/front"}, "5 6");
  check_found(store, &(kecs_task_filter){.service = ARN_ECS "service/front", .cluster = "web"}, "2 3");
  check_found(store, &(kecs_task_filter){.service = ARN_ECS "service/web/front", .cluster = "other"}, "");
  check_found(store, &(kecs_task_filter){.service = "front", .desired_status = "STOPPED"}, "2");
  check_found(store, &(kecs_task_filter){.service = "fron"}, "");
  check_found(store, &(kecs_task_filter){.service = "%"}, "");
  check_found(store, &(kecs_task_filter){.service = "front", .cluster = "unknown"}, "");
  CONTRACT_OK(kecs_service_delete(store, "web", "front"));
  check_found(store, &(kecs_task_filter){.service = "front", .cluster = "web"}, "2 3");
  contract_close(store);
}

static void tasks_are_found_by_everything_else(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_found(store);
  check_found(store, NULL, "1 2 3 4 5 6 7 8 9 a b");
  check_found(store, &(kecs_task_filter){.cluster = "", .service = "", .family = ""}, "1 2 3 4 5 6 7 8 9 a b");
  check_found(store, &(kecs_task_filter){.cluster = "other"}, "5 6 8");
  check_found(store, &(kecs_task_filter){.family = "special-family"}, "7 8");
  check_found(store, &(kecs_task_filter){.family = "special-family", .cluster = "other"}, "8");
  check_found(store, &(kecs_task_filter){.started_by = "me"}, "7");
  check_found(store, &(kecs_task_filter){.started_by = "me", .cluster = "other"}, "");
  check_found(store, &(kecs_task_filter){.desired_status = "STOPPED"}, "2");
  check_found(store, &(kecs_task_filter){.desired_status = "RUNNING", .cluster = "web"}, "1 3 4 7 9 a b");
  check_found(store, &(kecs_task_filter){.last_status = "STOPPED", .cluster = "web"}, "4");
  check_found(store, &(kecs_task_filter){.launch_type = "FARGATE"}, "3 5");
  check_found(store, &(kecs_task_filter){.container_instance = ARN_ECS "container-instance/web/i1"}, "9");
  check_found(store, &(kecs_task_filter){.container_instance = "i1"}, "9");
  check_found(store, &(kecs_task_filter){.container_instance = "i2", .cluster = "web"}, "a b");
  check_found(store, &(kecs_task_filter){.container_instance = "i3"}, "");

  kecs_result *result = NULL;
  kecs_result *next = NULL;
  kecs_filter filter = {.column = KECS_TASK_ID, .op = KECS_GE, .text = "3"};
  kecs_query query = {.where = &filter, .where_count = 1, .limit = 2, .direction = KECS_ORDER_DESCENDING,
                      .order_by = KECS_TASK_ID};
  char texts[1024];
  CONTRACT_OK(kecs_task_find(store, &(kecs_task_filter){.cluster = "web"}, &query, &result));
  CONTRACT_TEXT(joined(result, KECS_TASK_ID, texts), "b a");
  query.page_token = kecs_result_page_token(result);
  CONTRACT_OK(kecs_task_find(store, &(kecs_task_filter){.cluster = "web"}, &query, &next));
  CONTRACT_TEXT(joined(next, KECS_TASK_ID, texts), "9 7");
  kecs_result_free(next);
  CONTRACT_FAILS(kecs_task_find(store, &(kecs_task_filter){.cluster = "other"}, &query, &next), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_task_find(store, NULL, &query, &next), KECS_E_INVALID);
  assert_null(next);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_task_find(store, NULL, NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_find(NULL, NULL, NULL, &result), KECS_E_MISUSE);
  contract_close(store);
}

/* Ends, in hours before CONTRACT_NOW. */
#define AGO(hours) (CONTRACT_NOW - (hours) * HOUR)

static void make_ended(kecs_store *store) {
  const kecs_task rows[] = {
      {.cluster_arn = "web", .id = "long-lived", .last_status = "STOPPED", .created_at = AGO(3),
       .stopped_at = CONTRACT_NOW - MINUTE},
      {.cluster_arn = "web", .id = "old", .last_status = "STOPPED", .stopped_at = AGO(2)},
      {.cluster_arn = "web", .id = "leaving", .last_status = "DEPROVISIONING", .stopped_at = AGO(2)},
      {.cluster_arn = "web", .id = "executed", .last_status = "STOPPED", .execution_stopped_at = AGO(2)},
      {.cluster_arn = "web", .id = "unsaid", .last_status = "STOPPED"},
      {.cluster_arn = "web", .id = "running", .last_status = "RUNNING", .stopped_at = AGO(2)},
      {.cluster_arn = "web", .id = "pending", .last_status = "PENDING"},
      {.cluster_arn = "other", .id = "other", .last_status = "STOPPED", .stopped_at = AGO(2)},
  };
  make_cluster(store, "web");
  make_cluster(store, "other");
  CONTRACT_OK(kecs_task_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
}

static void ended_tasks_are_deleted_by_their_end(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  int64_t count = -1;
  kecs_store *store = open_at(&now);
  make_ended(store);
  CONTRACT_OK(kecs_task_delete_older(store, "web", AGO(2), NULL, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_task_delete_older(store, "web", AGO(1), NULL, &count));
  CONTRACT_NUMBER(count, 3);
  check_found(store, NULL, "long-lived other pending running unsaid");
  CONTRACT_OK(kecs_task_delete_older(store, "web", CONTRACT_NOW + 1, "STOPPED", &count));
  CONTRACT_NUMBER(count, 2);
  check_found(store, NULL, "other pending running");
  CONTRACT_OK(kecs_task_delete_older(store, NULL, CONTRACT_NOW + HOUR, "", &count));
  CONTRACT_NUMBER(count, 1);
  CONTRACT_OK(kecs_task_delete_older(store, "web", CONTRACT_NOW + HOUR, "RUNNING", &count));
  CONTRACT_NUMBER(count, 1);
  check_found(store, NULL, "pending");
  CONTRACT_OK(kecs_task_delete_older(store, "web", CONTRACT_NOW + HOUR, NULL, NULL));
  CONTRACT_FAILS(kecs_task_delete_older(NULL, NULL, 0, NULL, &count), KECS_E_MISUSE);
  contract_close(store);
}

/* More rows than one step takes, in and out of a transaction. */
static void a_large_clean_up(void **state) {
  (void)state;
  enum { rows = 2500 };
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_task *tasks = calloc(rows, sizeof *tasks);
  int64_t count = -1;
  assert_non_null(tasks);
  make_cluster(store, "web");
  for (int i = 0; i < rows; i++) {
    tasks[i].cluster_arn = ARN_ECS "cluster/web";
    tasks[i].last_status = "STOPPED";
    tasks[i].stopped_at = i % 2 ? AGO(2) : 0;
    tasks[i].execution_stopped_at = AGO(2);
  }
  CONTRACT_OK(kecs_task_create_many(store, tasks, rows, NULL));
  free(tasks);
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_task_delete_older(tx, "web", AGO(1), NULL, &count));
  CONTRACT_NUMBER(count, rows);
  CONTRACT_NUMBER(count_of(tx, KECS_KIND_TASK), 0);
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK), rows);
  CONTRACT_OK(kecs_task_delete_older(store, "web", AGO(1), NULL, &count));
  CONTRACT_NUMBER(count, rows);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK), 0);
  contract_close(store);
}

/* ---- task sets ---- */

static void task_sets_fill_themselves(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_cluster(store, "default");
  make_service(store, "web", "front");
  make_service(store, "default", "api");
  kecs_task_set by_arn = {.service_arn = ARN_ECS "service/web/front"};
  CONTRACT_OK(kecs_task_set_create(store, &by_arn, &result));
  const kecs_task_set *row = ONLY(task_set, result);
  CONTRACT_TEXT(row->cluster_arn, ARN_ECS "cluster/web");
  CONTRACT_TEXT(row->scale, "{\"value\":100.0,\"unit\":\"PERCENT\"}");
  CONTRACT_TEXT(row->status, "ACTIVE");
  assert_int_equal(strncmp(row->id, "ecs-svc/", 8), 0);
  CONTRACT_NUMBER(strspn(row->id + 8, "0123456789"), 19);
  CONTRACT_NUMBER(strlen(row->id), 27);
  assert_int_equal(strncmp(row->arn, ARN_ECS "task-set/web/front/", strlen(ARN_ECS "task-set/web/front/")), 0);
  CONTRACT_TEXT(row->arn + strlen(ARN_ECS "task-set/web/front/"), row->id);
  kecs_result_free(result);

  kecs_task_set by_name = {.service_arn = "front", .cluster_arn = "web", .id = "one", .scale = "{\"value\": 50}"};
  CONTRACT_OK(kecs_task_set_create(store, &by_name, &result));
  CONTRACT_TEXT(ONLY(task_set, result)->arn, ARN_ECS "task-set/web/front/one");
  CONTRACT_TEXT(ONLY(task_set, result)->service_arn, ARN_ECS "service/web/front");
  CONTRACT_TEXT(ONLY(task_set, result)->scale, "{\"value\": 50}");
  kecs_result_free(result);
  kecs_task_set homeless = {.service_arn = "api", .id = "two"};
  CONTRACT_OK(kecs_task_set_create(store, &homeless, &result));
  CONTRACT_TEXT(ONLY(task_set, result)->arn, ARN_ECS "task-set/default/api/two");
  kecs_result_free(result);
  kecs_task_set own_arn = {.arn = ARN_ECS "task-set/web/front/ecs-svc/4201323268728819917"};
  CONTRACT_OK(kecs_task_set_create(store, &own_arn, &result));
  CONTRACT_TEXT(ONLY(task_set, result)->id, "ecs-svc/4201323268728819917");
  CONTRACT_TEXT(ONLY(task_set, result)->service_arn, ARN_ECS "service/web/front");
  CONTRACT_TEXT(ONLY(task_set, result)->cluster_arn, ARN_ECS "cluster/web");
  kecs_result_free(result);

  kecs_task_set again = {.arn = ARN_ECS "task-set/web/front/one", .id = "fresh", .service_arn = "front",
                         .cluster_arn = "web"};
  CONTRACT_FAILS(kecs_task_set_create(store, &again, NULL), KECS_E_EXISTS);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK_SET), 4);
  contract_close(store);
}

static void a_task_set_needs_its_service(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  kecs_task_set orphan = {.service_arn = "front", .cluster_arn = "web"};
  kecs_task_set nothing = {.cluster_arn = "web"};
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_task_set_create(store, &orphan, &result), KECS_E_REFERENCE);
  CONTRACT_SAYS(ARN_ECS "service/web/front");
  CONTRACT_FAILS(kecs_task_set_create(store, &nothing, &result), KECS_E_INVALID);
  CONTRACT_SAYS("task_set.service_arn");
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK_SET), 0);

  static const char document[] = "{\"id\":\"one\",\"serviceArn\":\"" ARN_ECS "service/new/back\","
                                 "\"clusterArn\":\"" ARN_ECS "cluster/new\",\"status\":\"PRIMARY\"}";
  CONTRACT_FAILS(kecs_put_json(store, KECS_KIND_TASK_SET, document, SIZE_MAX, 0, NULL), KECS_E_REFERENCE);
  CONTRACT_OK(kecs_put_json(store, KECS_KIND_TASK_SET, document, SIZE_MAX, KECS_JSON_PARENTS, &result));
  CONTRACT_TEXT(ONLY(task_set, result)->status, "PRIMARY");
  kecs_result_free(result);
  CONTRACT_OK(kecs_service_get(store, "new", "back", &result));
  kecs_result_free(result);
  contract_close(store);

  kecs_options options = {.no_foreign_keys = true};
  store = contract_open_with(&options);
  CONTRACT_OK(kecs_task_set_create(store, &orphan, NULL));
  contract_close(store);
}

static const char *status_of(kecs_store *store, const char *service, const char *id, char out[64]) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_set_get(store, service, id, &result));
  snprintf(out, 64, "%s", ONLY(task_set, result)->status);
  kecs_result_free(result);
  return out;
}

static void one_task_set_is_primary(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  static const char front[] = ARN_ECS "service/web/front";
  static const char back[] = ARN_ECS "service/web/back";
  make_cluster(store, "web");
  make_service(store, "web", "front");
  make_service(store, "web", "back");
  const kecs_task_set rows[] = {{.service_arn = front, .id = "a", .status = "PRIMARY"},
                                {.service_arn = front, .id = "b", .status = "PRIMARY"},
                                {.service_arn = front, .id = "c"},
                                {.service_arn = front, .id = "d", .status = "DRAINING"},
                                {.service_arn = back, .id = "a", .status = "PRIMARY"}};
  CONTRACT_OK(kecs_task_set_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
  char text[64];
  kecs_result *result = NULL;
  now += HOUR;
  CONTRACT_OK(kecs_task_set_update_primary(store, front, "c", &result));
  CONTRACT_TEXT(ONLY(task_set, result)->status, "PRIMARY");
  CONTRACT_NUMBER(ONLY(task_set, result)->updated_at, CONTRACT_NOW + HOUR);
  CONTRACT_NUMBER(ONLY(task_set, result)->version, 2);
  kecs_result_free(result);
  CONTRACT_TEXT(status_of(store, front, "a", text), "ACTIVE");
  CONTRACT_TEXT(status_of(store, front, "b", text), "ACTIVE");
  CONTRACT_TEXT(status_of(store, front, "d", text), "DRAINING");
  CONTRACT_TEXT(status_of(store, back, "a", text), "PRIMARY");

  CONTRACT_FAILS(kecs_task_set_update_primary(store, front, "unknown", &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("unknown");
  assert_null(result);
  CONTRACT_FAILS(kecs_task_set_update_primary(store, back, ARN_ECS "task-set/web/front/a", NULL), KECS_E_NOT_FOUND);
  CONTRACT_TEXT(status_of(store, front, "c", text), "PRIMARY");
  CONTRACT_OK(kecs_task_set_update_primary(store, front, "c", NULL));
  CONTRACT_TEXT(status_of(store, front, "c", text), "PRIMARY");
  CONTRACT_OK(kecs_task_set_update_primary(store, front, ARN_ECS "task-set/web/front/a", NULL));
  CONTRACT_TEXT(status_of(store, front, "a", text), "PRIMARY");
  CONTRACT_TEXT(status_of(store, front, "c", text), "ACTIVE");
  CONTRACT_FAILS(kecs_task_set_update_primary(store, front, NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_set_update_primary(store, NULL, "a", NULL), KECS_E_MISUSE);
  contract_close(store);
}

static void many_primaries_become_one(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static const char front[] = ARN_ECS "service/web/front";
  make_cluster(store, "web");
  make_service(store, "web", "front");
  for (int i = 0; i < 40; i++) {
    char id[20];
    snprintf(id, sizeof id, "%d", i);
    kecs_task_set row = {.service_arn = front, .id = id, .status = "PRIMARY"};
    CONTRACT_OK(kecs_task_set_create(store, &row, NULL));
  }
  kecs_filter filter = {.column = KECS_TASK_SET_STATUS, .text = "PRIMARY"};
  kecs_query query = {.where = &filter, .where_count = 1};
  kecs_store *tx = NULL;
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_task_set_update_primary(tx, front, "17", NULL));
  CONTRACT_OK(kecs_task_set_list(tx, &query, &result));
  CONTRACT_TEXT(ONLY(task_set, result)->id, "17");
  kecs_result_free(result);
  CONTRACT_OK(kecs_rollback(tx));
  int64_t count = 0;
  CONTRACT_OK(kecs_task_set_count(store, &query, &count));
  CONTRACT_NUMBER(count, 40);
  contract_close(store);
}

static void orphaned_task_sets_are_deleted(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_cluster(store, "other");
  make_service(store, "web", "front");
  make_service(store, "web", "back");
  make_service(store, "other", "front");
  const kecs_task_set rows[] = {{.service_arn = ARN_ECS "service/web/front", .id = "a"},
                                {.service_arn = ARN_ECS "service/web/front", .id = "b"},
                                {.service_arn = ARN_ECS "service/web/back", .id = "c"},
                                {.service_arn = ARN_ECS "service/other/front", .id = "d"}};
  CONTRACT_OK(kecs_task_set_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
  CONTRACT_OK(kecs_service_delete(store, "web", "front"));
  CONTRACT_OK(kecs_service_delete(store, "other", "front"));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_TASK_SET), 4);
  int64_t count = -1;
  CONTRACT_OK(kecs_task_set_delete_orphaned(store, "web", &count));
  CONTRACT_NUMBER(count, 2);
  CONTRACT_OK(kecs_task_set_delete_orphaned(store, ARN_ECS "cluster/web", &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_task_set_delete_orphaned(store, NULL, &count));
  CONTRACT_NUMBER(count, 1);
  char text[64];
  CONTRACT_TEXT(status_of(store, ARN_ECS "service/web/back", "c", text), "ACTIVE");
  contract_close(store);
}

static void task_sets_by_id(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_service(store, "web", "front");
  static const char *const ids[] = {"1", "2", "3", "4", "5", "6", "7"};
  static const char *const wanted[] = {"2", "6", "unknown"};
  for (size_t i = 0; i < CONTRACT_COUNT(ids); i++) {
    kecs_task_set row = {.service_arn = ARN_ECS "service/web/front", .id = ids[i]};
    CONTRACT_OK(kecs_task_set_create(store, &row, NULL));
  }
  const kecs_filter filters[] = {{.column = KECS_TASK_SET_SERVICE_ARN, .text = ARN_ECS "service/web/front"},
                                 {.column = KECS_TASK_SET_ID, .op = KECS_IN, .texts = wanted, .count = 3}};
  kecs_query query = {.where = filters, .where_count = 2, .direction = KECS_ORDER_ASCENDING,
                      .order_by = KECS_TASK_SET_ID};
  kecs_result *result = NULL;
  char texts[1024];
  CONTRACT_OK(kecs_task_set_list(store, &query, &result));
  CONTRACT_TEXT(joined(result, KECS_TASK_SET_ID, texts), "2 6");
  kecs_result_free(result);
  contract_close(store);
}

/* ---- container instances ---- */

static void instances_fill_themselves(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  make_cluster(store, "default");
  make_cluster(store, "web");
  kecs_container_instance from_arn = {.arn = ARN_ECS "container-instance/web/0123"};
  CONTRACT_OK(kecs_container_instance_create(store, &from_arn, &result));
  CONTRACT_TEXT(ONLY(container_instance, result)->id, "0123");
  CONTRACT_TEXT(ONLY(container_instance, result)->cluster_arn, ARN_ECS "cluster/web");
  kecs_result_free(result);
  kecs_container_instance bare = {.ec2_instance_id = "i-1"};
  CONTRACT_OK(kecs_container_instance_create(store, &bare, &result));
  CONTRACT_NUMBER(strlen(ONLY(container_instance, result)->id), 32);
  CONTRACT_TEXT(ONLY(container_instance, result)->cluster_arn, ARN_ECS "cluster/default");
  CONTRACT_TEXT(ONLY(container_instance, result)->status, "ACTIVE");
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_container_instance_create(store, &from_arn, NULL), KECS_E_EXISTS);
  contract_close(store);
}

static void check_searched(kecs_store *store, const char *cluster, const char *text, const char *ids) {
  char texts[1024];
  kecs_result *result = NULL;
  kecs_query query = {.direction = KECS_ORDER_ASCENDING, .order_by = KECS_CONTAINER_INSTANCE_ID};
  CONTRACT_OK(kecs_container_instance_search(store, cluster, text, &query, &result));
  CONTRACT_TEXT(joined(result, KECS_CONTAINER_INSTANCE_ID, texts), ids);
  kecs_result_free(result);
}

static void instances_are_searched(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_cluster(store, "other");
  const kecs_container_instance rows[] = {
      {.cluster_arn = "web", .id = "aa", .ec2_instance_id = "i-100", .attributes = "[{\"name\":\"stack\"}]"},
      {.cluster_arn = "web", .id = "bb", .ec2_instance_id = "i-1001", .status = "DRAINING"},
      {.cluster_arn = "web", .id = "cc_%", .attributes = "[{\"name\":\"i-100\"}]"},
      {.cluster_arn = "other", .id = "dd", .ec2_instance_id = "i-100"},
  };
  CONTRACT_OK(kecs_container_instance_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
  check_searched(store, NULL, NULL, "aa bb cc_% dd");
  check_searched(store, "web", "", "aa bb cc_%");
  check_searched(store, "web", "i-100", "aa cc_%");
  check_searched(store, NULL, "i-100", "aa cc_% dd");
  check_searched(store, "", "i-1001", "bb");
  check_searched(store, "web", "stack", "aa");
  check_searched(store, "web", "STACK", "");
  check_searched(store, ARN_ECS "cluster/other", "instance/other/", "dd");
  check_searched(store, NULL, "_", "cc_%");
  check_searched(store, NULL, "%", "cc_%");
  check_searched(store, "unknown", NULL, "");

  kecs_filter filter = {.column = KECS_CONTAINER_INSTANCE_STATUS, .text = "ACTIVE"};
  kecs_query query = {.where = &filter, .where_count = 1, .limit = 1};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_container_instance_search(store, "web", "i-1", &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_container_instance_search(store, "web", "i-1", &query, NULL), KECS_E_MISUSE);
  contract_close(store);
}

static void deregistered_instances_stay_until_stale(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  int64_t count = -1;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_cluster(store, "other");
  const kecs_container_instance rows[] = {{.cluster_arn = "web", .id = "a"},
                                          {.cluster_arn = "web", .id = "b"},
                                          {.cluster_arn = "web", .id = "unsaid", .status = "INACTIVE"},
                                          {.cluster_arn = "other", .id = "c", .status = "INACTIVE"}};
  CONTRACT_OK(kecs_container_instance_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
  now += HOUR;
  CONTRACT_OK(kecs_container_instance_deregister(store, "web", "a", &result));
  CONTRACT_TEXT(ONLY(container_instance, result)->status, "INACTIVE");
  CONTRACT_NUMBER(ONLY(container_instance, result)->deregistered_at, CONTRACT_NOW + HOUR);
  kecs_result_free(result);
  now += HOUR;
  CONTRACT_OK(kecs_container_instance_deregister(store, "web", ARN_ECS "container-instance/web/a", &result));
  CONTRACT_NUMBER(ONLY(container_instance, result)->deregistered_at, CONTRACT_NOW + HOUR);
  CONTRACT_NUMBER(ONLY(container_instance, result)->version, 2);
  kecs_result_free(result);
  kecs_container_instance back = {.arn = ARN_ECS "container-instance/web/a", .status = "ACTIVE"};
  CONTRACT_OK(kecs_container_instance_update_fields(store, &back, KECS_BIT(KECS_CONTAINER_INSTANCE_STATUS), NULL));
  CONTRACT_OK(kecs_container_instance_deregister(store, "", ARN_ECS "container-instance/web/a", &result));
  CONTRACT_NUMBER(ONLY(container_instance, result)->deregistered_at, CONTRACT_NOW + 2 * HOUR);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_container_instance_deregister(store, "web", "unknown", &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_container_instance_deregister(store, "other", "b", &result), KECS_E_NOT_FOUND);

  CONTRACT_OK(kecs_container_instance_delete_stale(store, "web", CONTRACT_NOW, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_container_instance_delete_stale(store, "web", CONTRACT_NOW + 2 * HOUR, &count));
  CONTRACT_NUMBER(count, 1); /* "unsaid", by updated_at */
  CONTRACT_OK(kecs_container_instance_delete_stale(store, "web", CONTRACT_NOW + 2 * HOUR + 1, &count));
  CONTRACT_NUMBER(count, 1);
  CONTRACT_OK(kecs_container_instance_delete_stale(store, NULL, CONTRACT_NOW + 9 * HOUR, &count));
  CONTRACT_NUMBER(count, 1);
  check_searched(store, NULL, NULL, "b");
  contract_close(store);
}

/* ---- attributes ---- */

static void attributes_are_put_and_removed(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  char texts[1024];
  kecs_attribute rows[] = {{.name = "stack", .value = "prod", .target_id = "i1", .cluster = "web"},
                           {.name = "ssd", .target_id = "i1", .cluster = "web"},
                           {.name = "stack", .value = "test", .target_id = "i2", .cluster = "other"},
                           {.name = "bare", .target_id = "i1"}};
  CONTRACT_OK(kecs_attribute_put(store, NULL, 0));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_ATTRIBUTE), 0);
  CONTRACT_OK(kecs_attribute_put(store, rows, CONTRACT_COUNT(rows)));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_ATTRIBUTE), 4);
  now += HOUR;
  rows[0].value = "canary";
  rows[0].id = "another id";
  CONTRACT_OK(kecs_attribute_put(store, rows, CONTRACT_COUNT(rows)));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_ATTRIBUTE), 4);
  CONTRACT_OK(kecs_attribute_get(store, "web", "container-instance", "i1", "stack", &result));
  CONTRACT_TEXT(ONLY(attribute, result)->value, "canary");
  CONTRACT_NUMBER(ONLY(attribute, result)->version, 2);
  CONTRACT_NUMBER(ONLY(attribute, result)->created_at, CONTRACT_NOW);
  CONTRACT_NUMBER(ONLY(attribute, result)->updated_at, CONTRACT_NOW + HOUR);
  kecs_result_free(result);
  CONTRACT_OK(kecs_attribute_get(store, "web", "container-instance", "i1", "ssd", &result));
  CONTRACT_NUMBER(ONLY(attribute, result)->version, 1);
  kecs_result_free(result);

  const kecs_filter filters[] = {{.column = KECS_ATTRIBUTE_CLUSTER, .text = "web"},
                                 {.column = KECS_ATTRIBUTE_TARGET_TYPE, .text = "container-instance"}};
  kecs_query query = {.where = filters, .where_count = 2};
  CONTRACT_OK(kecs_attribute_list(store, &query, &result));
  CONTRACT_TEXT(joined(result, KECS_ATTRIBUTE_NAME, texts), "ssd stack");
  kecs_result_free(result);

  kecs_attribute gone[] = {{.name = "stack", .target_id = "i1"}, {.name = "absent", .target_id = "i1"}};
  CONTRACT_OK(kecs_attribute_remove(store, "web", NULL, 0));
  CONTRACT_OK(kecs_attribute_remove(store, "web", gone, 2));
  CONTRACT_OK(kecs_attribute_remove(store, "web", gone, 2));
  CONTRACT_OK(kecs_attribute_remove(store, NULL, &rows[3], 1));
  CONTRACT_OK(kecs_attribute_list(store, NULL, &result));
  CONTRACT_TEXT(joined(result, KECS_ATTRIBUTE_NAME, texts), "ssd stack");
  CONTRACT_TEXT(joined(result, KECS_ATTRIBUTE_CLUSTER, texts), "web other");
  kecs_result_free(result);
  CONTRACT_OK(kecs_attribute_remove(store, NULL, &rows[2], 1));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_ATTRIBUTE), 1);
  CONTRACT_FAILS(kecs_attribute_put(store, NULL, 1), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_attribute_remove(store, "web", NULL, 1), KECS_E_MISUSE);
  contract_close(store);
}

static void attributes_are_put_all_or_none(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  const kecs_attribute rows[] = {{.name = "a", .target_id = "i1"}, {.name = "b", .target_id = "i1"}, {.name = "c"}};
  CONTRACT_FAILS(kecs_attribute_put(store, rows, 3), KECS_E_INVALID);
  CONTRACT_SAYS("attribute 3 of 3");
  CONTRACT_SAYS("attribute.target_id");
  CONTRACT_NUMBER(count_of(store, KECS_KIND_ATTRIBUTE), 0);
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_attribute_put(tx, rows, 1));
  CONTRACT_FAILS(kecs_attribute_put(tx, rows + 1, 2), KECS_E_INVALID);
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_ATTRIBUTE), 1);
  contract_close(store);
}

static void attributes_in_pages(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_attribute rows[7] = {{.name = NULL}};
  char names[7][16];
  for (int i = 0; i < 7; i++) {
    snprintf(names[i], sizeof names[i], "a%d", i);
    rows[i].name = names[i];
    rows[i].target_id = "i1";
    rows[i].cluster = "web";
  }
  CONTRACT_OK(kecs_attribute_put(store, rows, 7));
  kecs_query query = {.limit = 3};
  kecs_result *last = NULL;
  size_t seen = 0;
  do {
    kecs_result *page = NULL;
    CONTRACT_OK(kecs_attribute_list(store, &query, &page));
    for (size_t i = 0; i < kecs_result_count(page); i++) {
      CONTRACT_TEXT(kecs_attribute_at(page, i)->name, names[seen++]);
    }
    kecs_result_free(last);
    last = page;
    query.page_token = kecs_result_page_token(page);
  } while (query.page_token);
  CONTRACT_NUMBER(seen, 7);
  kecs_result_free(last);
  contract_close(store);
}

/* ---- account settings ---- */

static void default_settings(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_account_setting_get_default(store, "containerInsights", &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("containerInsights");
  CONTRACT_OK(kecs_account_setting_set_default(store, "containerInsights", "disabled", &result));
  CONTRACT_TEXT(ONLY(account_setting, result)->principal_arn, "default");
  CONTRACT_TEXT(ONLY(account_setting, result)->value, "disabled");
  assert_true(ONLY(account_setting, result)->is_default);
  CONTRACT_NUMBER(ONLY(account_setting, result)->version, 1);
  kecs_result_free(result);

  kecs_account_setting typed = {.principal_arn = "default", .name = "containerInsights", .type = "aws_managed"};
  CONTRACT_OK(kecs_account_setting_update_fields(store, &typed, KECS_BIT(KECS_ACCOUNT_SETTING_TYPE), NULL));
  CONTRACT_OK(kecs_account_setting_set_default(store, "containerInsights", "enabled", &result));
  CONTRACT_TEXT(ONLY(account_setting, result)->type, "aws_managed");
  CONTRACT_NUMBER(ONLY(account_setting, result)->version, 3);
  kecs_result_free(result);
  CONTRACT_OK(kecs_account_setting_set_default(store, "containerInsights", "enabled", NULL));
  CONTRACT_OK(kecs_account_setting_get_default(store, "containerInsights", &result));
  CONTRACT_TEXT(ONLY(account_setting, result)->value, "enabled");
  CONTRACT_NUMBER(ONLY(account_setting, result)->version, 3);
  kecs_result_free(result);
  CONTRACT_NUMBER(count_of(store, KECS_KIND_ACCOUNT_SETTING), 1);
  CONTRACT_FAILS(kecs_account_setting_set_default(store, NULL, "x", &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_account_setting_set_default(store, "x", NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_account_setting_get_default(store, NULL, &result), KECS_E_MISUSE);
  contract_close(store);
}

static void check_effective(kecs_store *store, const char *principal, const char *name, const char *values) {
  char texts[1024];
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_account_setting_effective(store, principal, name, &result));
  CONTRACT_TEXT(joined(result, KECS_ACCOUNT_SETTING_VALUE, texts), values);
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    assert_false(kecs_account_setting_at(result, i)->is_default);
  }
  assert_null(kecs_result_page_token(result));
  kecs_result_free(result);
}

static void own_settings_come_before_defaults(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static const char root[] = "arn:aws:iam::000000000000:root";
  const kecs_account_setting rows[] = {{.principal_arn = root, .name = "b", .value = "own-b"},
                                       {.principal_arn = root, .name = "d", .value = "own-d"},
                                       {.principal_arn = "zz", .name = "a", .value = "zz-a"},
                                       {.principal_arn = "zz", .name = "b", .value = "zz-b"}};
  check_effective(store, root, NULL, "");
  CONTRACT_OK(kecs_account_setting_set_default(store, "c", "default-c", NULL));
  CONTRACT_OK(kecs_account_setting_set_default(store, "b", "default-b", NULL));
  CONTRACT_OK(kecs_account_setting_set_default(store, "a", "default-a", NULL));
  CONTRACT_OK(kecs_account_setting_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
  check_effective(store, root, NULL, "default-a own-b default-c own-d");
  check_effective(store, root, "", "default-a own-b default-c own-d");
  check_effective(store, "zz", NULL, "zz-a zz-b default-c");
  check_effective(store, "nobody", NULL, "default-a default-b default-c");
  check_effective(store, "default", NULL, "default-a default-b default-c");
  check_effective(store, root, "b", "own-b");
  check_effective(store, root, "a", "default-a");
  check_effective(store, root, "unknown", "");
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_account_setting_effective(store, NULL, NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_account_setting_effective(store, root, NULL, NULL), KECS_E_MISUSE);
  contract_close(store);
}

static void settings_are_upserted(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static const char user[] = "arn:aws:iam::000000000000:user/a";
  kecs_account_setting row = {.id = "first", .principal_arn = user, .name = "x", .value = "enabled"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_account_setting_upsert(store, &row, NULL));
  row.id = "second";
  row.value = "disabled";
  CONTRACT_OK(kecs_account_setting_upsert(store, &row, NULL));
  CONTRACT_OK(kecs_account_setting_get(store, user, "x", &result));
  CONTRACT_TEXT(ONLY(account_setting, result)->value, "disabled");
  CONTRACT_TEXT(ONLY(account_setting, result)->id, "first");
  kecs_result_free(result);
  kecs_filter filter = {.column = KECS_ACCOUNT_SETTING_PRINCIPAL_ARN, .text = "unknown"};
  kecs_query query = {.where = &filter, .where_count = 1};
  CONTRACT_OK(kecs_account_setting_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  kecs_result_free(result);
  CONTRACT_OK(kecs_account_setting_delete(store, user, "x"));
  CONTRACT_FAILS(kecs_account_setting_delete(store, user, "x"), KECS_E_NOT_FOUND);
  contract_close(store);
}

/* ---- task logs ---- */

static void make_logs(kecs_store *store) {
  const kecs_task_log rows[] = {
      {.id = "1", .task_arn = "task-1", .container_name = "web", .timestamp = AGO(2), .log_line = "Started 100%"},
      {.id = "2", .task_arn = "task-1", .container_name = "web", .timestamp = AGO(1), .log_line = "It BROKE",
       .log_level = "ERROR"},
      {.id = "3", .task_arn = "task-1", .container_name = "db", .timestamp = CONTRACT_NOW - 30 * MINUTE,
       .log_line = "broken_pipe", .log_level = "INFO"},
      {.id = "4", .task_arn = "task-2", .container_name = "web", .timestamp = AGO(1), .log_line = ""},
      {.id = "5", .task_arn = "task-2", .container_name = "web", .timestamp = AGO(1), .log_line = "100x"},
  };
  CONTRACT_OK(kecs_task_log_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
}

static void check_logs(kecs_store *store, const kecs_log_filter *filter, bool oldest_first, const char *ids) {
  char texts[1024];
  kecs_result *result = NULL;
  int64_t count = -1;
  CONTRACT_OK(kecs_task_log_find(store, filter, oldest_first, 0, NULL, &result));
  CONTRACT_TEXT(joined(result, KECS_TASK_LOG_ID, texts), ids);
  CONTRACT_OK(kecs_task_log_count_matching(store, filter, &count));
  CONTRACT_NUMBER(count, kecs_result_count(result));
  kecs_result_free(result);
}

static void logs_are_found(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  CONTRACT_OK(kecs_task_log_create_many(store, NULL, 0, NULL));
  check_logs(store, NULL, false, "");
  make_logs(store);
  check_logs(store, NULL, false, "3 2 4 5 1");
  check_logs(store, NULL, true, "1 2 4 5 3");
  check_logs(store, &(kecs_log_filter){.task_arn = "task-2"}, false, "4 5");
  check_logs(store, &(kecs_log_filter){.level = "ERROR"}, false, "2");
  check_logs(store, &(kecs_log_filter){.level = "error"}, false, "");
  check_logs(store, &(kecs_log_filter){.container_name = "db"}, false, "3");
  check_logs(store, &(kecs_log_filter){.search = "broke"}, false, "3 2");
  check_logs(store, &(kecs_log_filter){.search = "100%"}, false, "1");
  check_logs(store, &(kecs_log_filter){.search = "_"}, false, "3");
  check_logs(store, &(kecs_log_filter){.search = "", .level = "", .task_arn = ""}, true, "1 2 4 5 3");
  check_logs(store, &(kecs_log_filter){.from = AGO(1), .to = AGO(1)}, false, "2 4 5");
  check_logs(store, &(kecs_log_filter){.from = AGO(1) + 1}, false, "3");
  check_logs(store, &(kecs_log_filter){.to = AGO(1) - 1}, false, "1");
  kecs_log_filter window = {.task_arn = "task-1", .from = CONTRACT_NOW - 90 * MINUTE, .to = CONTRACT_NOW - 31 * MINUTE};
  check_logs(store, &window, false, "2");
  check_logs(store, &(kecs_log_filter){.task_arn = "task-3"}, false, "");
  contract_close(store);
}

static void logs_in_pages(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int i = 0; i < 10; i++) {
    char id[16];
    snprintf(id, sizeof id, "%d", i);
    kecs_task_log row = {.id = id, .task_arn = "t", .container_name = "c", .timestamp = CONTRACT_NOW + i / 4};
    CONTRACT_OK(kecs_task_log_create(store, &row, NULL));
  }
  static const char *const pages[2][3] = {{"8 9 4 5", "6 7 0 1", "2 3"}, {"0 1 2 3", "4 5 6 7", "8 9"}};
  kecs_log_filter filter = {.task_arn = "t"};
  kecs_result *result = NULL;
  kecs_result *page = NULL;
  char texts[1024];
  for (int oldest_first = 0; oldest_first < 2; oldest_first++) {
    const char *token = NULL;
    for (int i = 0; i < 3; i++) {
      CONTRACT_OK(kecs_task_log_find(store, &filter, oldest_first, 4, token, &page));
      CONTRACT_TEXT(joined(page, KECS_TASK_LOG_ID, texts), pages[oldest_first][i]);
      kecs_result_free(result);
      result = page;
      token = kecs_result_page_token(page);
      assert_true((token != NULL) == (i < 2));
    }
  }
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_log_find(store, &filter, false, 4, NULL, &result));
  CONTRACT_FAILS(kecs_task_log_find(store, &filter, true, 4, kecs_result_page_token(result), &page), KECS_E_INVALID);
  filter.search = "x";
  CONTRACT_FAILS(kecs_task_log_find(store, &filter, false, 4, kecs_result_page_token(result), &page), KECS_E_INVALID);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_task_log_find(store, NULL, false, 10001, NULL, &page), KECS_E_INVALID);
  CONTRACT_OK(kecs_task_log_find(store, NULL, false, 10000, NULL, &page));
  kecs_result_free(page);
  CONTRACT_FAILS(kecs_task_log_find(store, NULL, false, -1, NULL, &page), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_task_log_find(store, NULL, false, 0, NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_log_count_matching(store, NULL, NULL), KECS_E_MISUSE);
  contract_close(store);
}

static void old_logs_are_deleted(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  int64_t count = -1;
  kecs_store *store = open_at(&now);
  make_logs(store);
  now += HOUR;
  kecs_task_log late = {.id = "late", .task_arn = "task-1", .container_name = "web", .timestamp = AGO(9)};
  CONTRACT_OK(kecs_task_log_create(store, &late, NULL));
  CONTRACT_OK(kecs_task_log_delete_older(store, CONTRACT_NOW, &count));
  CONTRACT_NUMBER(count, 0); /* by when they were saved, not by their own time */
  CONTRACT_OK(kecs_task_log_delete_task(store, "task-2", &count));
  CONTRACT_NUMBER(count, 2);
  CONTRACT_OK(kecs_task_log_delete_task(store, "task-2", &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_task_log_delete_older(store, CONTRACT_NOW + 1, &count));
  CONTRACT_NUMBER(count, 3);
  check_logs(store, NULL, false, "late");
  CONTRACT_FAILS(kecs_task_log_delete_task(store, NULL, &count), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_log_delete_task(store, "", &count), KECS_E_INVALID);
  CONTRACT_NUMBER(count, 0);
  check_logs(store, NULL, false, "late");
  CONTRACT_OK(kecs_task_log_delete_task(store, "task-1", NULL));
  check_logs(store, NULL, false, "");
  contract_close(store);
}

/* ---- events ---- */

static void events_are_listed_and_pruned(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  const kecs_event rows[] = {
      {.id = "1", .event_type = "change", .resource_arn = "a", .resource_type = "cluster", .action = "CREATE",
       .timestamp = AGO(3), .correlation_id = "x"},
      {.id = "2", .event_type = "change", .resource_arn = "b", .resource_type = "service", .action = "CREATE",
       .timestamp = AGO(2), .correlation_id = "x"},
      {.id = "3", .event_type = "alarm", .resource_arn = "a", .resource_type = "cluster", .action = "FAIL",
       .timestamp = AGO(1), .data = "{ \"why\" : 1 }"},
  };
  CONTRACT_OK(kecs_event_create_many(store, rows, CONTRACT_COUNT(rows), NULL));
  const struct {
    kecs_filter filter;
    const char *ids;
  } cases[] = {
      {{.column = KECS_EVENT_RESOURCE_ARN, .text = "a"}, "3 1"},
      {{.column = KECS_EVENT_EVENT_TYPE, .text = "change"}, "2 1"},
      {{.column = KECS_EVENT_CORRELATION_ID, .text = "x"}, "2 1"},
      {{.column = KECS_EVENT_TIMESTAMP, .op = KECS_GE, .number = AGO(2)}, "3 2"},
  };
  char texts[1024];
  kecs_result *result = NULL;
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_query query = {.where = &cases[i].filter, .where_count = 1};
    CONTRACT_OK(kecs_event_list(store, &query, &result));
    CONTRACT_TEXT(joined(result, KECS_EVENT_ID, texts), cases[i].ids);
    kecs_result_free(result);
  }
  int64_t count = -1;
  CONTRACT_OK(kecs_event_prune(store, AGO(3), &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_event_prune(store, AGO(1), &count));
  CONTRACT_NUMBER(count, 2);
  CONTRACT_OK(kecs_event_get(store, "3", &result));
  CONTRACT_TEXT(ONLY(event, result)->data, "{ \"why\" : 1 }");
  kecs_result_free(result);
  CONTRACT_OK(kecs_event_prune(store, CONTRACT_NOW, NULL));
  CONTRACT_NUMBER(count_of(store, KECS_KIND_EVENT), 0);
  CONTRACT_FAILS(kecs_event_prune(NULL, 0, &count), KECS_E_MISUSE);
  contract_close(store);
}

/* ---- what all of them keep to ---- */

static void a_read_only_store_refuses_writes(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return;
  }
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  register_many(store, "app", 1);
  kecs_options options = {.read_only = true};
  kecs_store *reader = contract_open_again(store, &options);
  kecs_cluster cluster = {.name = "web"};
  kecs_attribute attribute = {.name = "a", .target_id = "b"};
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_cluster_ensure(reader, &cluster, NULL, &result), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_cluster_delete_idle(reader, "web"), KECS_E_READONLY);
  CONTRACT_FAILS(register_one(reader, "app", &result), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_task_definition_deregister(reader, "app", &result), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_service_delete_marked(reader, NULL, 1, NULL), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_task_delete_older(reader, NULL, 1, NULL, NULL), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_task_set_update_primary(reader, "a", "b", &result), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_task_set_delete_orphaned(reader, NULL, NULL), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_container_instance_deregister(reader, "a", "b", &result), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_container_instance_delete_stale(reader, NULL, 1, NULL), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_attribute_put(reader, &attribute, 1), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_attribute_remove(reader, NULL, &attribute, 1), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_account_setting_set_default(reader, "a", "b", &result), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_task_log_delete_older(reader, 1, NULL), KECS_E_READONLY);
  CONTRACT_FAILS(kecs_event_prune(reader, 1, NULL), KECS_E_READONLY);
  assert_null(result);
  CONTRACT_OK(kecs_task_definition_families(reader, NULL, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  kecs_result_free(result);
  contract_close(reader);
  contract_close(store);
}

static void a_strict_store_validates(void **state) {
  (void)state;
  kecs_options options = {.strict = true};
  kecs_store *store = contract_open_with(&options);
  kecs_cluster bad = {.name = "not a name"};
  kecs_cluster good = {.name = "web"};
  kecs_task_definition hollow = {.family = "app", .container_definitions = "[]"};
  CONTRACT_FAILS(kecs_cluster_ensure(store, &bad, NULL, NULL), KECS_E_INVALID);
  CONTRACT_OK(kecs_cluster_ensure(store, &good, NULL, NULL));
  CONTRACT_FAILS(kecs_task_definition_register(store, &hollow, NULL), KECS_E_INVALID);
  CONTRACT_OK(register_one(store, "app", NULL));
  CONTRACT_OK(kecs_task_definition_deregister(store, "app", NULL));
  contract_close(store);
}

/* Nothing of a value is SQL, a pattern or an end of text. */
static void naughty_texts(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "default");
  for (size_t i = 0; i < CONTRACT_COUNT(contract_naughty); i++) {
    const char *text = contract_naughty[i];
    kecs_result *result = NULL;
    kecs_family_query query = {.prefix = text};
    kecs_log_filter search = {.search = text};
    kecs_task_log line = {.task_arn = "t", .container_name = "c", .log_line = text};
    if (!text[0]) {
      continue;
    }
    CONTRACT_OK(kecs_task_log_create(store, &line, NULL));
    CONTRACT_OK(kecs_task_log_find(store, &search, false, 0, NULL, &result));
    assert_true(kecs_result_count(result) >= 1);
    kecs_result_free(result);
    if (strchr(text, ':')) {
      continue; /* a family with a revision, or an ARN */
    }
    CONTRACT_OK(register_one(store, text, NULL));
    CONTRACT_OK(register_one(store, text, &result));
    CONTRACT_NUMBER(ONLY(task_definition, result)->revision, 2);
    kecs_result_free(result);
    CONTRACT_OK(kecs_task_definition_families(store, &query, &result));
    CONTRACT_TEXT(kecs_family_at(result, 0)->family, text);
    CONTRACT_NUMBER(kecs_family_at(result, 0)->latest_revision, 2);
    kecs_result_free(result);
    CONTRACT_OK(kecs_task_definition_latest(store, text, &result));
    CONTRACT_TEXT(ONLY(task_definition, result)->family, text);
    kecs_result_free(result);
    kecs_task_filter filter = {.service = text, .container_instance = text, .started_by = text, .cluster = text};
    CONTRACT_OK(kecs_task_find(store, &filter, NULL, &result));
    CONTRACT_NUMBER(kecs_result_count(result), 0);
    kecs_result_free(result);
    CONTRACT_OK(kecs_account_setting_set_default(store, text, text, NULL));
    CONTRACT_OK(kecs_account_setting_effective(store, text, text, &result));
    CONTRACT_TEXT(ONLY(account_setting, result)->value, text);
    kecs_result_free(result);
  }
  contract_close(store);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      CONTRACT_TEST(ensure_creates_once),
      CONTRACT_TEST(ensure_refuses_what_it_cannot_name),
      CONTRACT_TEST(ensure_from_many_threads),
      CONTRACT_TEST(a_cluster_in_use_is_not_deleted),
      CONTRACT_TEST(revisions_count_up),
      CONTRACT_TEST(no_revision_is_given_twice),
      CONTRACT_TEST(counters_tell_what_rows_do_not),
      CONTRACT_TEST(counters_refuse_what_is_no_counter),
      CONTRACT_TEST(a_rolled_back_revision_is_free),
      CONTRACT_TEST(twenty_threads_get_twenty_revisions),
      CONTRACT_TEST(definitions_by_family_revision_and_arn),
      CONTRACT_TEST(the_first_deregistration_counts),
      CONTRACT_TEST(upsert_registers_or_replaces),
      CONTRACT_TEST(families_are_listed),
      CONTRACT_TEST(families_come_in_pages),
      CONTRACT_TEST(revisions_are_listed_newest_first),
      CONTRACT_TEST(services_fill_themselves),
      CONTRACT_TEST(marked_services_are_deleted),
      CONTRACT_TEST(services_in_pages_and_by_launch_type),
      CONTRACT_TEST(tasks_fill_themselves),
      CONTRACT_TEST(tasks_are_found_by_service),
      CONTRACT_TEST(tasks_are_found_by_everything_else),
      CONTRACT_TEST(ended_tasks_are_deleted_by_their_end),
      CONTRACT_TEST(a_large_clean_up),
      CONTRACT_TEST(task_sets_fill_themselves),
      CONTRACT_TEST(a_task_set_needs_its_service),
      CONTRACT_TEST(one_task_set_is_primary),
      CONTRACT_TEST(many_primaries_become_one),
      CONTRACT_TEST(orphaned_task_sets_are_deleted),
      CONTRACT_TEST(task_sets_by_id),
      CONTRACT_TEST(instances_fill_themselves),
      CONTRACT_TEST(instances_are_searched),
      CONTRACT_TEST(deregistered_instances_stay_until_stale),
      CONTRACT_TEST(attributes_are_put_and_removed),
      CONTRACT_TEST(attributes_are_put_all_or_none),
      CONTRACT_TEST(attributes_in_pages),
      CONTRACT_TEST(default_settings),
      CONTRACT_TEST(own_settings_come_before_defaults),
      CONTRACT_TEST(settings_are_upserted),
      CONTRACT_TEST(logs_are_found),
      CONTRACT_TEST(logs_in_pages),
      CONTRACT_TEST(old_logs_are_deleted),
      CONTRACT_TEST(events_are_listed_and_pruned),
      CONTRACT_TEST(a_read_only_store_refuses_writes),
      CONTRACT_TEST(a_strict_store_validates),
      CONTRACT_TEST(naughty_texts),
  };
  return contract_run("operations of ECS kinds", tests, CONTRACT_COUNT(tests));
}
