/* test_ecs_operations.c -- what ECS kinds can do beyond rows: ensure, register, families, find, promote, deregister, put,
 * effective settings, log search, and every clean-up; and what each kind fills in by itself. */
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
