/* test_rows.c -- create, get, update, upsert and delete: what each does to a row, and to the rows that hang on it. */
#include "contract.h"

#include <pthread.h>

#define ARN_ECS CONTRACT_ARN_ECS

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

static void make_task(kecs_store *store, const char *cluster, const char *id, const char *service_arn) {
  kecs_task task = {.cluster_arn = cluster, .id = id, .service_arn = service_arn};
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
}

/* ---- create ---- */

static void create_fills_what_is_empty(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_cluster cluster = {.name = "web", .tags = "[ {\"key\":\"a\",  \"value\":\"b\"} ]"};
  kecs_cluster copy = cluster;
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &cluster, &result));
  assert_memory_equal(&cluster, &copy, sizeof cluster);
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  CONTRACT_NUMBER(kecs_result_kind(result), KECS_KIND_CLUSTER);
  assert_null(kecs_result_page_token(result));
  const kecs_cluster *row = kecs_cluster_at(result, 0);
  CONTRACT_TEXT(row->arn, ARN_ECS "cluster/web");
  CONTRACT_NUMBER(strlen(row->id), 36);
  CONTRACT_TEXT(row->status, "ACTIVE");
  CONTRACT_TEXT(row->account_id, "000000000000");
  CONTRACT_TEXT(row->region, "us-east-1");
  CONTRACT_TEXT(row->tags, cluster.tags);
  CONTRACT_TEXT(row->settings, NULL);
  CONTRACT_NUMBER(row->created_at, CONTRACT_NOW);
  CONTRACT_NUMBER(row->updated_at, CONTRACT_NOW);
  CONTRACT_NUMBER(row->version, 1);

  kecs_result *read = NULL;
  CONTRACT_OK(kecs_cluster_get(store, "web", &read));
  CONTRACT_SAME_ROWS(kecs_kind_describe(KECS_KIND_CLUSTER), kecs_cluster_at(read, 0), row, 0);
  kecs_result_free(read);
  kecs_result_free(result);
  contract_close(store);
}

static void create_makes_ids_from_arns_and_arns_from_ids(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  kecs_result *result = NULL;
  kecs_task task = {.cluster_arn = "web"};
  CONTRACT_OK(kecs_task_create(store, &task, &result));
  const kecs_task *row = kecs_task_at(result, 0);
  CONTRACT_NUMBER(strlen(row->id), 32);
  CONTRACT_NUMBER(strspn(row->id, "0123456789abcdef"), 32);
  CONTRACT_TEXT(row->cluster_arn, ARN_ECS "cluster/web");
  assert_int_equal(strncmp(row->arn, ARN_ECS "task/web/", strlen(ARN_ECS "task/web/")), 0);
  CONTRACT_TEXT(row->arn + strlen(ARN_ECS "task/web/"), row->id);
  CONTRACT_TEXT(row->last_status, "PROVISIONING");
  CONTRACT_TEXT(row->desired_status, "RUNNING");
  CONTRACT_TEXT(row->containers, "");
  kecs_result_free(result);

  kecs_task from_arn = {.cluster_arn = "web", .arn = "arn:aws:ecs:eu-west-3:210987654321:task/web/abc"};
  CONTRACT_OK(kecs_task_create(store, &from_arn, &result));
  row = kecs_task_at(result, 0);
  CONTRACT_TEXT(row->id, "abc");
  CONTRACT_TEXT(row->region, "eu-west-3");
  CONTRACT_TEXT(row->account_id, "210987654321");
  kecs_result_free(result);
  contract_close(store);
}

static void create_refuses_each_taken_key(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster first = {.name = "duplicate", .id = "one", .arn = ARN_ECS "cluster/duplicate"};
  CONTRACT_OK(kecs_cluster_create(store, &first, NULL));
  kecs_cluster same_name = {.name = "duplicate"};
  kecs_cluster same_id = {.name = "other", .id = "one"};
  kecs_cluster same_arn = {.name = "another", .id = "two", .arn = ARN_ECS "cluster/duplicate"};
  const kecs_cluster *const rows[] = {&first, &same_name, &same_id, &same_arn};
  for (size_t i = 0; i < CONTRACT_COUNT(rows); i++) {
    kecs_result *result = (kecs_result *)&first;
    CONTRACT_FAILS(kecs_cluster_create(store, rows[i], &result), KECS_E_EXISTS);
    CONTRACT_SAYS(rows[i]->arn ? rows[i]->arn : rows[i]->name);
    assert_null(result);
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

static void a_pod_carries_one_task(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  kecs_task task = {.cluster_arn = "web", .pod_name = "pod", .k8s_namespace = "space"};
  kecs_task nameless = {.cluster_arn = "web", .k8s_namespace = "space"};
  kecs_task empty = {.cluster_arn = "web", .pod_name = "", .k8s_namespace = "space"};
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
  CONTRACT_FAILS(kecs_task_create(store, &task, NULL), KECS_E_EXISTS);
  for (int i = 0; i < 2; i++) {
    CONTRACT_OK(kecs_task_create(store, &nameless, NULL));
    CONTRACT_OK(kecs_task_create(store, &empty, NULL));
  }
  contract_close(store);
}

static void names_are_unique_in_account_and_region(void **state) {
  (void)state;
  kecs_options options = {.account_id = "123456789012", .region = "eu-central-1"};
  kecs_store *store = contract_open_with(&options);
  kecs_cluster ours = {.name = "web"};
  kecs_cluster elsewhere = {.name = "web", .region = "us-west-2"};
  kecs_cluster theirs = {.name = "web", .account_id = "999999999999"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &elsewhere, NULL));
  CONTRACT_OK(kecs_cluster_create(store, &theirs, NULL));
  CONTRACT_FAILS(kecs_cluster_get(store, "web", &result), KECS_E_NOT_FOUND);
  CONTRACT_OK(kecs_cluster_create(store, &ours, NULL));
  CONTRACT_OK(kecs_cluster_get(store, "web", &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->arn, "arn:aws:ecs:eu-central-1:123456789012:cluster/web");
  kecs_result_free(result);
  CONTRACT_OK(kecs_cluster_get(store, "arn:aws:ecs:us-west-2:123456789012:cluster/web", &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->region, "us-west-2");
  kecs_result_free(result);
  kecs_info info;
  CONTRACT_OK(kecs_store_info(store, &info));
  CONTRACT_TEXT(info.account_id, "123456789012");
  CONTRACT_TEXT(info.region, "eu-central-1");
  contract_close(store);
}

/* Texts are UTF-8: what is not would come back from no other database, and would make documents that are no JSON. */
static void texts_are_utf8(void **state) {
  (void)state;
  static const char *const bad[] = {"\x80", "a\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"};
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    kecs_cluster name = {.name = bad[i]};
    kecs_cluster text = {.name = "new", .attachments_status = bad[i]};
    kecs_cluster document = {.name = "new", .settings = bad[i]};
    kecs_cluster change = {.name = "web", .attachments_status = bad[i]};
    CONTRACT_FAILS(kecs_cluster_create(store, &name, NULL), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_cluster_create(store, &text, NULL), KECS_E_INVALID);
    CONTRACT_SAYS("attachments_status");
    CONTRACT_FAILS(kecs_cluster_create(store, &document, NULL), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_cluster_update(store, &change, NULL), KECS_E_INVALID);
    CONTRACT_SAYS("attachments_status");
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

/* ---- get ---- */

static void get_takes_every_address(void **state) {
  (void)state;
  static const char task_arn[] = ARN_ECS "task/web/0123456789abcdef0123456789abcdef";
  static const char short_arn[] = ARN_ECS "task/0123456789abcdef0123456789abcdef";
  static const char id[] = "0123456789abcdef0123456789abcdef";
  static const char cluster_arn[] = ARN_ECS "cluster/web";
  static const struct {
    const char *cluster;
    const char *key;
    kecs_status status;
  } cases[] = {
      {"web", id, KECS_OK},         {cluster_arn, id, KECS_OK},        {NULL, id, KECS_OK},
      {"", id, KECS_OK},            {"web", task_arn, KECS_OK},        {cluster_arn, task_arn, KECS_OK},
      {NULL, task_arn, KECS_OK},    {"", task_arn, KECS_OK},           {"web", short_arn, KECS_OK},
      {NULL, short_arn, KECS_OK},   {"other", id, KECS_E_NOT_FOUND},   {"nowhere", id, KECS_E_NOT_FOUND},
      {"web", "f", KECS_E_NOT_FOUND}, {"web", "%", KECS_E_NOT_FOUND},
      {NULL, "arn:aws:ecs:us-east-1:999999999999:task/0123456789abcdef0123456789abcdef", KECS_E_NOT_FOUND},
      {NULL, ARN_ECS "task/web/f", KECS_E_NOT_FOUND},
  };
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_cluster(store, "other");
  make_task(store, "web", id, NULL);
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_result *result = NULL;
    kecs_status status = kecs_task_get(store, cases[i].cluster, cases[i].key, &result);
    if (status != cases[i].status) {
      fail_msg("case %zu gave %s", i, kecs_status_name(status));
    }
    if (status == KECS_OK) {
      CONTRACT_TEXT(kecs_task_at(result, 0)->arn, task_arn);
    }
    kecs_result_free(result);
  }
  contract_close(store);
}

static void get_takes_names_and_arns_of_parents(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  kecs_task_set set = {.service_arn = CONTRACT_SERVICE, .cluster_arn = "parent", .id = "ecs-svc/7"};
  kecs_container_instance instance = {.cluster_arn = "parent", .id = "00aa"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_set_create(store, &set, &result));
  char *arn = strdup(kecs_task_set_at(result, 0)->arn);
  kecs_result_free(result);
  CONTRACT_OK(kecs_container_instance_create(store, &instance, NULL));
  CONTRACT_OK(kecs_service_get(store, "parent", "parent-svc", &result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_service_get(store, CONTRACT_CLUSTER, "parent-svc", &result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_service_get(store, NULL, CONTRACT_SERVICE, &result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_service_get(store, "", CONTRACT_SERVICE, &result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_set_get(store, CONTRACT_SERVICE, "ecs-svc/7", &result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_set_get(store, NULL, arn, &result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_container_instance_get(store, "parent", "00aa", &result));
  kecs_result_free(result);
  CONTRACT_OK(kecs_container_instance_get(store, NULL, ARN_ECS "container-instance/00aa", &result));
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_service_get(store, "parent", "nothing", &result), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("nothing");
  CONTRACT_FAILS(kecs_task_set_get(store, CONTRACT_SERVICE, "ecs-svc/8", &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_container_instance_get(store, "parent", "00ab", &result), KECS_E_NOT_FOUND);
  free(arn);
  contract_close(store);
}

static void get_many_keeps_order_and_skips(void **state) {
  (void)state;
  static const char *const keys[] = {"web,c", "web,missing", ARN_ECS "task/web/a", "b", ARN_ECS "cluster/web,a",
                                     "nowhere,a", ARN_ECS "task/b", "c"};
  static const char *const expected[] = {"c", "a", "b", "a", "b", "c"};
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_task(store, "web", "a", NULL);
  make_task(store, "web", "b", NULL);
  make_task(store, "web", "c", NULL);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_get_many(store, keys, CONTRACT_COUNT(keys), &result));
  CONTRACT_NUMBER(kecs_result_count(result), CONTRACT_COUNT(expected));
  for (size_t i = 0; i < CONTRACT_COUNT(expected); i++) {
    CONTRACT_TEXT(kecs_task_at(result, i)->id, expected[i]);
  }
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_get_many(store, keys, 0, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_get_many(store, NULL, 0, &result));
  kecs_result_free(result);
  static const char *const unknown[] = {"x", "y"};
  CONTRACT_OK(kecs_task_get_many(store, unknown, 2, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  assert_null(kecs_task_at(result, 0));
  kecs_result_free(result);
  contract_close(store);
}

static void keys_with_commas_and_backslashes(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_tag tags[] = {{.resource_arn = "a,b\\c", .key = "d,e\\f", .value = "1"},
                     {.resource_arn = "a", .key = "b\\\\c,d,e\\f", .value = "2"},
                     {.resource_arn = "\\", .key = "\\", .value = "3"}};
  static const char *const keys[] = {"a\\,b\\\\c,d,e\\f", "a,b\\\\c,d,e\\f", "\\\\,\\"};
  CONTRACT_OK(kecs_tag_create_many(store, tags, 3, NULL));
  for (size_t i = 0; i < 3; i++) {
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_tag_get(store, tags[i].resource_arn, tags[i].key, &result));
    CONTRACT_TEXT(kecs_tag_at(result, 0)->value, tags[i].value);
    kecs_result_free(result);
    CONTRACT_OK(kecs_record_get(store, KECS_KIND_TAG, keys[i], &result));
    CONTRACT_TEXT(kecs_tag_at(result, 0)->value, tags[i].value);
    kecs_result_free(result);
  }
  for (size_t i = 0; i < 3; i++) {
    CONTRACT_OK(kecs_record_delete(store, KECS_KIND_TAG, keys[i]));
    CONTRACT_FAILS(kecs_record_delete(store, KECS_KIND_TAG, keys[i]), KECS_E_NOT_FOUND);
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 0);
  contract_close(store);
}

/* What is not there is NOT_FOUND, whatever the kind and the call, and nothing comes of it. */
static void not_found_for_every_kind(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row made;
    void *row = contract_make_row(info->kind, 9, &made);
    char key[1024];
    int64_t before = contract_count_rows(store, info->kind);
    kecs_result *result = (kecs_result *)&made;
    contract_row_key(info, row, key, sizeof key);
    CONTRACT_FAILS(kecs_record_get(store, info->kind, key, &result), KECS_E_NOT_FOUND);
    assert_null(result);
    CONTRACT_FAILS(kecs_record_delete(store, info->kind, key), KECS_E_NOT_FOUND);
    if (!(info->flags & KECS_KIND_APPEND)) {
      CONTRACT_FAILS(kecs_record_update(store, info->kind, row, UINT64_MAX, &result), KECS_E_NOT_FOUND);
      CONTRACT_SAYS(info->name);
      CONTRACT_FAILS(kecs_record_update(store, info->kind, row, 0, NULL), KECS_E_NOT_FOUND);
    }
    CONTRACT_NUMBER(contract_count_rows(store, info->kind), before);
  }
  contract_close(store);
}

/* ---- update ---- */

static void update_leaves_identity_alone(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_cluster cluster = {.name = "web", .id = "one", .settings = "[]", .running_tasks_count = 3};
  kecs_result *created = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &cluster, &created));
  now += 5;
  kecs_cluster changed = *kecs_cluster_at(created, 0);
  changed.name = "renamed";
  changed.id = "two";
  changed.account_id = "999999999999";
  changed.region = "nowhere";
  changed.created_at = 1;
  changed.updated_at = 1;
  changed.omitted = 7;
  changed.settings = NULL;
  changed.status = "PROVISIONING";
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_update(store, &changed, &result));
  const kecs_cluster *row = kecs_cluster_at(result, 0);
  CONTRACT_TEXT(row->name, "web");
  CONTRACT_TEXT(row->id, "one");
  CONTRACT_TEXT(row->account_id, "000000000000");
  CONTRACT_TEXT(row->region, "us-east-1");
  CONTRACT_NUMBER(row->created_at, CONTRACT_NOW);
  CONTRACT_NUMBER(row->updated_at, CONTRACT_NOW + 5);
  CONTRACT_NUMBER(row->omitted, 0);
  CONTRACT_TEXT(row->settings, NULL);
  CONTRACT_TEXT(row->status, "PROVISIONING");
  CONTRACT_NUMBER(row->running_tasks_count, 3);
  CONTRACT_NUMBER(row->version, 2);
  kecs_result_free(created);
  kecs_result_free(result);
  contract_close(store);
}

static void update_finds_the_row_by_name(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  kecs_cluster cluster = {.name = "parent", .status = "FAILED", .running_tasks_count = 1};
  kecs_service service = {.cluster_arn = "parent", .name = "parent-svc", .status = "UPDATING", .desired_count = 5};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_update(store, &cluster, &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->arn, CONTRACT_CLUSTER);
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "FAILED");
  kecs_result_free(result);
  CONTRACT_OK(kecs_service_update_fields(
      store, &service, KECS_BIT(KECS_SERVICE_STATUS) | KECS_BIT(KECS_SERVICE_DESIRED_COUNT), &result));
  CONTRACT_TEXT(kecs_service_at(result, 0)->status, "UPDATING");
  CONTRACT_NUMBER(kecs_service_at(result, 0)->desired_count, 5);
  CONTRACT_NUMBER(kecs_service_at(result, 0)->version, 2);
  kecs_result_free(result);
  kecs_cluster nameless = {.status = "FAILED"};
  CONTRACT_FAILS(kecs_cluster_update(store, &nameless, NULL), KECS_E_INVALID);
  contract_close(store);
}

static void update_fields_writes_the_mask_alone(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster cluster = {.name = "web", .settings = "[1]", .status = "ACTIVE"};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  kecs_cluster change = {.name = "web", .settings = "[2]", .status = "FAILED", .running_tasks_count = 9};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_update_fields(store, &change, KECS_BIT(KECS_CLUSTER_SETTINGS), &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->settings, "[2]");
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "ACTIVE");
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->running_tasks_count, 0);
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 2);
  kecs_result_free(result);
  CONTRACT_OK(kecs_cluster_update_fields(store, &change, 0, &result));
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 2);
  kecs_result_free(result);
  kecs_cluster absent = {.name = "absent"};
  CONTRACT_FAILS(kecs_cluster_update_fields(store, &absent, 0, NULL), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("absent");
  contract_close(store);
}

/* A mask of all bits names what can't be changed, too. */
static void a_mask_of_every_bit_is_refused(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_cluster row = {.name = "a"};
  kecs_node node = {.id = "n"};
  CONTRACT_OK(kecs_cluster_create(store, &row, NULL));
  row.status = "INACTIVE";
  CONTRACT_FAILS(kecs_cluster_update_fields(store, &row, UINT64_MAX, &result), KECS_E_INVALID);
  CONTRACT_SAYS("cluster.arn");
  assert_null(result);
  CONTRACT_FAILS(kecs_node_update_fields(store, &node, UINT64_MAX, NULL), KECS_E_INVALID);
  CONTRACT_OK(kecs_cluster_get(store, "a", &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "ACTIVE");
  kecs_result_free(result);
  contract_close(store);
}

/* Each column that can't be changed is refused by name, and nothing is written, not even what else the mask names. */
static void update_fields_refuses_what_cannot_change(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row made;
    void *row = contract_make_row(info->kind, 1, &made);
    uint64_t changeable = 0;
    if (info->flags & KECS_KIND_APPEND) {
      CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
      CONTRACT_FAILS(kecs_record_update(store, info->kind, row, UINT64_MAX, NULL), KECS_E_UNSUPPORTED);
      CONTRACT_FAILS(kecs_record_upsert(store, info->kind, row, NULL), KECS_E_UNSUPPORTED);
      continue;
    }
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
    for (int i = 0; i < info->column_count; i++) {
      changeable |= contract_column_changes(info, i) ? KECS_BIT(i) : 0;
    }
    for (int i = 0; i < info->column_count; i++) {
      if (!contract_column_changes(info, i)) {
        CONTRACT_FAILS(kecs_record_update(store, info->kind, row, changeable | KECS_BIT(i), NULL), KECS_E_INVALID);
        CONTRACT_SAYS(info->columns[i].name);
      }
    }
    if (info->column_count < 63) {
      CONTRACT_FAILS(kecs_record_update(store, info->kind, row, KECS_BIT(info->column_count), NULL), KECS_E_INVALID);
    }
    kecs_result *result = NULL;
    const void *stored = contract_read_row(store, info, row, &result);
    int version = kecs_column_find(info, "version");
    CONTRACT_NUMBER(version < 0 ? 1 : contract_get_number(info, stored, version, NULL), 1);
    kecs_result_free(result);
  }
  contract_close(store);
}

static void a_stale_version_conflicts(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  make_task(store, "web", "a", NULL);
  kecs_result *read = NULL;
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_get(store, "web", "a", &read));
  kecs_task task = *kecs_task_at(read, 0);
  task.last_status = "RUNNING";
  CONTRACT_OK(kecs_task_update(store, &task, &result));
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 2);
  kecs_result_free(result);
  task.last_status = "STOPPED";
  result = (kecs_result *)&task;
  CONTRACT_FAILS(kecs_task_update(store, &task, &result), KECS_E_CONFLICT);
  assert_null(result);
  CONTRACT_SAYS("version");
  CONTRACT_FAILS(kecs_task_update_fields(store, &task, KECS_BIT(KECS_TASK_LAST_STATUS), NULL), KECS_E_CONFLICT);
  CONTRACT_FAILS(kecs_task_update_fields(store, &task, 0, NULL), KECS_E_CONFLICT);
  CONTRACT_FAILS(kecs_task_upsert(store, &task, NULL), KECS_E_CONFLICT);
  CONTRACT_OK(kecs_task_get(store, "web", "a", &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "RUNNING");
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 2);
  kecs_result_free(result);
  task.version = 0;
  CONTRACT_OK(kecs_task_update(store, &task, &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "STOPPED");
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 3);
  kecs_result_free(result);
  kecs_result_free(read);
  contract_close(store);
}

static void an_equal_row_is_not_written(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  make_cluster(store, "web");
  kecs_result *read = NULL;
  kecs_info before;
  CONTRACT_OK(kecs_cluster_get(store, "web", &read));
  CONTRACT_OK(kecs_store_info(store, &before));
  for (int i = 0; i < 1000; i++) {
    kecs_result *result = NULL;
    now++;
    CONTRACT_OK(i % 2 ? kecs_cluster_update(store, kecs_cluster_at(read, 0), &result)
                      : kecs_cluster_upsert(store, kecs_cluster_at(read, 0), &result));
    CONTRACT_SAME_ROWS(kecs_kind_describe(KECS_KIND_CLUSTER), kecs_cluster_at(result, 0), kecs_cluster_at(read, 0), 0);
    kecs_result_free(result);
  }
  kecs_info after;
  CONTRACT_OK(kecs_store_info(store, &after));
  CONTRACT_NUMBER(after.wal_bytes, before.wal_bytes);
  CONTRACT_NUMBER(after.size_bytes, before.size_bytes);
  kecs_result_free(read);
  contract_close(store);
}

enum { RACERS = 8, RACES = 25 };

typedef struct race {
  kecs_store *store;
  int conflicts;
  kecs_status status;
} race;

static kecs_status race_once(kecs_store *store) {
  kecs_result *read = NULL;
  kecs_status status = kecs_cluster_get(store, "web", &read);
  if (!status) {
    kecs_cluster row = *kecs_cluster_at(read, 0);
    row.running_tasks_count++;
    status = kecs_cluster_update(store, &row, NULL);
  }
  kecs_result_free(read);
  return status;
}

static void *race_run(void *user) {
  race *one = user;
  for (int done = 0; done < RACES && !one->status;) {
    kecs_status status = race_once(one->store);
    if (status == KECS_E_CONFLICT) {
      one->conflicts++;
    } else {
      one->status = status;
      done++;
    }
  }
  return NULL;
}

static void racing_updates_lose_nothing(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  pthread_t threads[RACERS];
  race races[RACERS];
  make_cluster(store, "web");
  for (int i = 0; i < RACERS; i++) {
    races[i] = (race){store, 0, KECS_OK};
    assert_int_equal(pthread_create(&threads[i], NULL, race_run, &races[i]), 0);
  }
  for (int i = 0; i < RACERS; i++) {
    pthread_join(threads[i], NULL);
    CONTRACT_NUMBER(races[i].status, KECS_OK);
  }
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_get(store, "web", &result));
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->running_tasks_count, RACERS * RACES);
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, RACERS * RACES + 1);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- upsert ---- */

static void upsert_creates_then_updates(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  kecs_account_setting setting = {.principal_arn = "p", .name = "n", .value = "enabled", .id = "first"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_account_setting_upsert(store, &setting, &result));
  CONTRACT_NUMBER(kecs_account_setting_at(result, 0)->version, 1);
  kecs_result_free(result);
  now++;
  setting.id = "second";
  setting.value = "disabled";
  CONTRACT_OK(kecs_account_setting_upsert(store, &setting, &result));
  CONTRACT_TEXT(kecs_account_setting_at(result, 0)->id, "first");
  CONTRACT_TEXT(kecs_account_setting_at(result, 0)->value, "disabled");
  CONTRACT_NUMBER(kecs_account_setting_at(result, 0)->version, 2);
  CONTRACT_NUMBER(kecs_account_setting_at(result, 0)->created_at, CONTRACT_NOW);
  CONTRACT_NUMBER(kecs_account_setting_at(result, 0)->updated_at, CONTRACT_NOW + 1);
  kecs_result_free(result);

  kecs_cluster by_name = {.name = "web", .status = "A"};
  CONTRACT_OK(kecs_cluster_upsert(store, &by_name, &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->arn, ARN_ECS "cluster/web");
  kecs_result_free(result);
  by_name.status = "B";
  CONTRACT_OK(kecs_cluster_upsert(store, &by_name, &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "B");
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 2);
  kecs_result_free(result);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  contract_close(store);
}

static void upsert_of_nothing_useful_is_invalid(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster nothing = {0};
  kecs_account_setting nameless = {.principal_arn = "p"};
  kecs_service orphan = {.cluster_arn = "nowhere", .name = "svc"};
  CONTRACT_FAILS(kecs_cluster_upsert(store, &nothing, NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_account_setting_upsert(store, &nameless, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("name");
  CONTRACT_FAILS(kecs_service_upsert(store, &orphan, NULL), KECS_E_REFERENCE);
  CONTRACT_SAYS("nowhere");
  contract_close(store);
}

/* ---- many ---- */

enum { MANY = 100 };

static void create_many_is_all_or_nothing(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_task tasks[MANY];
  char ids[MANY][16];
  make_cluster(store, "web");
  memset(tasks, 0, sizeof tasks);
  for (int i = 0; i < MANY; i++) {
    snprintf(ids[i], sizeof ids[i], "t%03d", i);
    tasks[i].cluster_arn = "web";
    tasks[i].id = ids[i];
  }
  tasks[57].id = ids[12];
  kecs_result *result = (kecs_result *)&tasks;
  CONTRACT_FAILS(kecs_task_create_many(store, tasks, MANY, &result), KECS_E_EXISTS);
  CONTRACT_SAYS("58"); /* of 100 */
  CONTRACT_SAYS("t012");
  assert_null(result);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK), 0);

  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  make_task(tx, "web", "before", NULL);
  CONTRACT_FAILS(kecs_task_create_many(tx, tasks, MANY, NULL), KECS_E_EXISTS);
  make_task(tx, "web", "after", NULL);
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK), 2);

  tasks[57].id = ids[57];
  CONTRACT_OK(kecs_task_create_many(store, tasks, MANY, &result));
  CONTRACT_NUMBER(kecs_result_count(result), MANY);
  for (size_t i = 0; i < MANY; i++) {
    CONTRACT_TEXT(kecs_task_at(result, i)->id, ids[i]);
    CONTRACT_NUMBER(kecs_task_at(result, i)->version, 1);
  }
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_create_many(store, tasks, 0, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_create_many(store, NULL, 0, NULL));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK), MANY + 2);
  contract_close(store);
}

/* ---- parents and children ---- */

static void deleting_a_cluster_takes_what_is_in_it(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "gone");
  make_cluster(store, "stays");
  for (int i = 0; i < 2; i++) {
    const char *cluster = i ? "stays" : "gone";
    make_service(store, cluster, "svc");
    make_task(store, cluster, i ? "a" : "b", NULL);
    kecs_container_instance instance = {.cluster_arn = cluster};
    CONTRACT_OK(kecs_container_instance_create(store, &instance, NULL));
  }
  CONTRACT_OK(kecs_cluster_delete(store, "gone"));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_SERVICE), 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK), 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CONTAINER_INSTANCE), 1);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_get(store, "stays", "a", &result));
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_cluster_delete(store, "gone"), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("gone");
  contract_close(store);
}

static void deleting_a_cluster_with_thousands_of_tasks(void **state) {
  (void)state;
  enum { TASKS = 2500 };
  kecs_store *store = contract_open();
  kecs_task *tasks = calloc(TASKS, sizeof *tasks);
  make_cluster(store, "big");
  for (int i = 0; i < TASKS; i++) {
    tasks[i].cluster_arn = "big";
  }
  CONTRACT_OK(kecs_task_create_many(store, tasks, TASKS, NULL));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK), TASKS);
  CONTRACT_OK(kecs_cluster_delete(store, ARN_ECS "cluster/big"));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK), 0);
  free(tasks);
  contract_close(store);
}

static void deleting_a_service_leaves_its_tasks(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_at(&now);
  contract_parents(store);
  make_task(store, "parent", "a", CONTRACT_SERVICE);
  make_task(store, "parent", "b", NULL);
  now += 10;
  CONTRACT_OK(kecs_service_delete(store, "parent", "parent-svc"));
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_get(store, "parent", "a", &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->service_arn, NULL);
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 2);
  CONTRACT_NUMBER(kecs_task_at(result, 0)->updated_at, CONTRACT_NOW + 10);
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_get(store, "parent", "b", &result));
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 1);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_service_delete(store, "parent", "parent-svc"), KECS_E_NOT_FOUND);
  contract_close(store);
}

static void deleting_a_load_balancer_takes_listeners_and_rules(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  contract_row made;
  CONTRACT_OK(kecs_record_create(store, KECS_KIND_RULE, contract_make_row(KECS_KIND_RULE, 1, &made), NULL));
  CONTRACT_OK(kecs_record_create(store, KECS_KIND_TARGET, contract_make_row(KECS_KIND_TARGET, 1, &made), NULL));
  CONTRACT_OK(kecs_load_balancer_delete(store, "parent"));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_LISTENER), 0);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_RULE), 0);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TARGET_GROUP), 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TARGET), 1);
  CONTRACT_OK(kecs_target_group_delete(store, CONTRACT_GROUP));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TARGET), 0);
  contract_close(store);
}

/* Every reference of every kind: a row whose parent is missing is refused, the parent is named, nothing is stored. */
static void a_missing_parent_is_named(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < info->reference_count; i++) {
      contract_row made;
      void *row = contract_make_row(info->kind, 5, &made);
      int64_t before = contract_count_rows(store, info->kind);
      contract_set_text(info, row, info->references[i].column, "arn:aws:x:us-east-1:000000000000:what/absent");
      CONTRACT_FAILS(kecs_record_create(store, info->kind, row, NULL), KECS_E_REFERENCE);
      CONTRACT_SAYS("arn:aws:x:us-east-1:000000000000:what/absent");
      CONTRACT_SAYS(kecs_kind_describe(info->references[i].parent)->name);
      CONTRACT_NUMBER(contract_count_rows(store, info->kind), before);
    }
  }
  make_task(store, "parent", "a", NULL);
  kecs_task task = {.cluster_arn = "parent", .id = "a", .service_arn = ARN_ECS "service/parent/absent"};
  CONTRACT_FAILS(kecs_task_update_fields(store, &task, KECS_BIT(KECS_TASK_SERVICE_ARN), NULL), KECS_E_REFERENCE);
  CONTRACT_SAYS("service/parent/absent");
  contract_close(store);
}

static void without_foreign_keys_orphans_are_taken(void **state) {
  (void)state;
  kecs_options options = {.no_foreign_keys = true};
  kecs_store *store = contract_open_with(&options);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row made;
    void *row = contract_make_row(info->kind, 5, &made);
    for (int i = 0; i < info->reference_count; i++) {
      contract_set_text(info, row, info->references[i].column, "arn:aws:x:us-east-1:000000000000:what/absent");
    }
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
    CONTRACT_NUMBER(contract_count_rows(store, info->kind), 1);
  }
  contract_close(store);
}

static void rows_of_clusters_given_by_name(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_cluster odd = {.name = "web", .arn = "arn:aws-cn:ecs:cn-north-1:1:cluster/odd", .account_id = "000000000000",
                      .region = "us-east-1"};
  kecs_service service = {.cluster_arn = "web", .name = "svc"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &odd, NULL));
  CONTRACT_OK(kecs_service_create(store, &service, &result));
  CONTRACT_TEXT(kecs_service_at(result, 0)->cluster_arn, odd.arn);
  kecs_result_free(result);
  CONTRACT_OK(kecs_service_get(store, "web", "svc", &result));
  kecs_result_free(result);
  service.cluster_arn = "unknown";
  CONTRACT_FAILS(kecs_service_create(store, &service, NULL), KECS_E_REFERENCE);
  CONTRACT_SAYS("unknown");
  contract_close(store);
}

/* ---- rows as text ---- */

static void record_text_of_every_type(void **state) {
  (void)state;
  const kecs_kind_info *service = kecs_kind_describe(KECS_KIND_SERVICE);
  kecs_service row = {.name = "svc", .desired_count = -7, .enable_execute_command = true,
                      .health_check_grace_period_seconds = {60, true}, .created_at = CONTRACT_NOW + 5};
  char text[64] = "?";
  size_t len = 99;
  assert_true(kecs_record_text(service, &row, KECS_SERVICE_NAME, text, sizeof text, &len));
  CONTRACT_TEXT(text, "svc");
  CONTRACT_NUMBER(len, 3);
  assert_true(kecs_record_text(service, &row, KECS_SERVICE_DESIRED_COUNT, text, sizeof text, NULL));
  CONTRACT_TEXT(text, "-7");
  assert_true(kecs_record_text(service, &row, KECS_SERVICE_ENABLE_EXECUTE_COMMAND, text, sizeof text, NULL));
  CONTRACT_TEXT(text, "true");
  assert_true(kecs_record_text(service, &row, KECS_SERVICE_ASSIGN_PUBLIC_IP, text, sizeof text, NULL));
  CONTRACT_TEXT(text, "false");
  assert_true(kecs_record_text(service, &row, KECS_SERVICE_HEALTH_CHECK_GRACE_PERIOD_SECONDS, text, sizeof text, NULL));
  CONTRACT_TEXT(text, "60");
  assert_true(kecs_record_text(service, &row, KECS_SERVICE_CREATED_AT, text, sizeof text, &len));
  CONTRACT_TEXT(text, "2024-02-29T12:00:00.000005Z");
  assert_false(kecs_record_text(service, &row, KECS_SERVICE_UPDATED_AT, text, sizeof text, NULL));
  assert_false(kecs_record_text(service, &row, KECS_SERVICE_TAGS, text, sizeof text, NULL));
  row.health_check_grace_period_seconds.has = false;
  assert_false(
      kecs_record_text(service, &row, KECS_SERVICE_HEALTH_CHECK_GRACE_PERIOD_SECONDS, text, sizeof text, NULL));
  assert_true(kecs_record_text(service, &row, KECS_SERVICE_CREATED_AT, text, 5, &len));
  CONTRACT_TEXT(text, "2024");
  CONTRACT_NUMBER(len, strlen("2024-02-29T12:00:00.000005Z"));
  assert_false(kecs_record_text(service, &row, -1, text, sizeof text, NULL));
  assert_false(kecs_record_text(service, &row, service->column_count, text, sizeof text, NULL));
}

static void assign_takes_texts(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  static const kecs_assignment changes[] = {
      {"desired_count", "7"},        {"enable_execute_command", "1"}, {"tags", " [ ] "},
      {"status", "it's \"odd\""},    {"health_check_grace_period_seconds", "30"},
      {"launch_type", NULL},         {"task_definition", ""},
  };
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_record_assign(store, KECS_KIND_SERVICE, "parent,parent-svc", changes, CONTRACT_COUNT(changes), 1,
                                 &result));
  const kecs_service *row = kecs_service_at(result, 0);
  CONTRACT_NUMBER(row->desired_count, 7);
  assert_true(row->enable_execute_command);
  CONTRACT_TEXT(row->tags, " [ ] ");
  CONTRACT_TEXT(row->status, "it's \"odd\"");
  assert_true(row->health_check_grace_period_seconds.has);
  CONTRACT_NUMBER(row->health_check_grace_period_seconds.value, 30);
  CONTRACT_NUMBER(row->version, 2);
  kecs_result_free(result);
  static const kecs_assignment time[] = {{"started_at", "2024-02-29T12:00:00Z"}, {"stopped_at", "1709208000.25"}};
  make_task(store, "parent", "a", NULL);
  CONTRACT_OK(kecs_record_assign(store, KECS_KIND_TASK, "a", time, 2, 0, &result));
  CONTRACT_NUMBER(kecs_task_at(result, 0)->started_at, CONTRACT_NOW);
  CONTRACT_NUMBER(kecs_task_at(result, 0)->stopped_at, CONTRACT_NOW + 250000);
  kecs_result_free(result);
  static const char key[] = "parent,parent-svc";
  CONTRACT_FAILS(kecs_record_assign(store, KECS_KIND_SERVICE, key, changes, 1, 1, NULL), KECS_E_CONFLICT);
  CONTRACT_FAILS(kecs_record_assign(store, KECS_KIND_SERVICE, "parent,no", changes, 1, 0, NULL), KECS_E_NOT_FOUND);
  contract_close(store);
}

static void assign_refuses_and_names_the_column(void **state) {
  (void)state;
  static const kecs_assignment bad[] = {
      {"desired_count", "seven"}, {"desired_count", "7x"},  {"desired_count", ""},     {"desired_count", NULL},
      {"desired_count", "9223372036854775808"},             {"desired_count", "1.5"},
      {"enable_execute_command", "yes"},
      {"tags", "[}"},             {"tags", "[] x"},         {"name", "renamed"},       {"version", "9"},
      {"arn", "x"},               {"no_such_column", "1"},  {"status", NULL},
  };
  kecs_store *store = contract_open();
  contract_parents(store);
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    kecs_assignment both[] = {{"running_count", "5"}, bad[i]};
    kecs_status status = kecs_record_assign(store, KECS_KIND_SERVICE, "parent,parent-svc", both, 2, 0, NULL);
    if (status != KECS_E_INVALID || !strstr(kecs_last_error()->text, bad[i].column)) {
      fail_msg("%s=%s gave %s: %s", bad[i].column, bad[i].text ? bad[i].text : "NULL", kecs_status_name(status),
               kecs_last_error()->text);
    }
  }
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_service_get(store, "parent", "parent-svc", &result));
  CONTRACT_NUMBER(kecs_service_at(result, 0)->running_count, 0);
  CONTRACT_NUMBER(kecs_service_at(result, 0)->version, 1);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- results ---- */

static void results_outlive_the_store(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "web");
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_list(store, NULL, &result));
  contract_close(store);
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->name, "web");
  assert_null(kecs_cluster_at(result, 1));
  assert_null(kecs_cluster_at(result, SIZE_MAX));
  assert_null(kecs_task_at(result, 0));
  assert_null(kecs_record_at(result, KECS_KIND_TASK, 0));
  kecs_result_free(result);
  kecs_result_free(NULL);
  CONTRACT_NUMBER(kecs_result_count(NULL), 0);
  CONTRACT_NUMBER(kecs_result_kind(NULL), 0);
  assert_null(kecs_result_page_token(NULL));
  assert_null(kecs_cluster_at(NULL, 0));
}

static void kinds_describe_themselves(void **state) {
  (void)state;
  assert_null(kecs_kind_describe((kecs_kind)0));
  assert_null(kecs_kind_describe((kecs_kind)KECS_KIND_COUNT));
  assert_null(kecs_kind_describe((kecs_kind)-1));
  assert_null(kecs_kind_find("no_such_kind"));
  assert_null(kecs_kind_find(""));
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    assert_non_null(info);
    CONTRACT_NUMBER(info->kind, kind);
    assert_ptr_equal(kecs_kind_find(info->name), info);
    for (int i = 0; i < info->column_count; i++) {
      CONTRACT_NUMBER(kecs_column_find(info, info->columns[i].name), i);
      assert_true(info->columns[i].offset < info->row_size);
    }
    CONTRACT_NUMBER(kecs_column_find(info, "no_such_column"), -1);
    for (int i = 0; i < info->reference_count; i++) {
      assert_true(info->references[i].parent < info->kind);
    }
  }
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(create_fills_what_is_empty),
    CONTRACT_TEST(create_makes_ids_from_arns_and_arns_from_ids),
    CONTRACT_TEST(create_refuses_each_taken_key),
    CONTRACT_TEST(a_pod_carries_one_task),
    CONTRACT_TEST(names_are_unique_in_account_and_region),
    CONTRACT_TEST(texts_are_utf8),
    CONTRACT_TEST(get_takes_every_address),
    CONTRACT_TEST(get_takes_names_and_arns_of_parents),
    CONTRACT_TEST(get_many_keeps_order_and_skips),
    CONTRACT_TEST(keys_with_commas_and_backslashes),
    CONTRACT_TEST(not_found_for_every_kind),
    CONTRACT_TEST(update_leaves_identity_alone),
    CONTRACT_TEST(update_finds_the_row_by_name),
    CONTRACT_TEST(update_fields_writes_the_mask_alone),
    CONTRACT_TEST(update_fields_refuses_what_cannot_change),
    CONTRACT_TEST(a_mask_of_every_bit_is_refused),
    CONTRACT_TEST(a_stale_version_conflicts),
    CONTRACT_TEST(an_equal_row_is_not_written),
    CONTRACT_TEST(racing_updates_lose_nothing),
    CONTRACT_TEST(upsert_creates_then_updates),
    CONTRACT_TEST(upsert_of_nothing_useful_is_invalid),
    CONTRACT_TEST(create_many_is_all_or_nothing),
    CONTRACT_TEST(deleting_a_cluster_takes_what_is_in_it),
    CONTRACT_TEST(deleting_a_cluster_with_thousands_of_tasks),
    CONTRACT_TEST(deleting_a_service_leaves_its_tasks),
    CONTRACT_TEST(deleting_a_load_balancer_takes_listeners_and_rules),
    CONTRACT_TEST(a_missing_parent_is_named),
    CONTRACT_TEST(without_foreign_keys_orphans_are_taken),
    CONTRACT_TEST(rows_of_clusters_given_by_name),
    CONTRACT_TEST(record_text_of_every_type),
    CONTRACT_TEST(assign_takes_texts),
    CONTRACT_TEST(assign_refuses_and_names_the_column),
    CONTRACT_TEST(results_outlive_the_store),
    CONTRACT_TEST(kinds_describe_themselves),
};

CONTRACT_MAIN("rows", tests)
