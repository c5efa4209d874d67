/* test_refusals.c -- what is refused with a typed error before anything is stored: versions and revisions out of range,
 * rows that could not be addressed again, limits, orders, missing arguments. */
#include "contract.h"

static kecs_status visit_nothing(const void *row, void *user) {
  (void)row;
  (void)user;
  return KECS_OK;
}

/* ---- versions ---- */

static int version_of(const kecs_kind_info *info) {
  return kecs_column_find(info, "version");
}

/* A row that was read and is gone since is not made anew by an upsert that says which version it had. */
static void an_upsert_with_a_version_makes_no_row(void **state) {
  (void)state;
  static const int64_t versions[] = {1, 2, -1, INT64_MAX, INT64_MIN};
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row made;
    void *row = contract_make_row(info->kind, 3, &made);
    int64_t before = contract_count_rows(store, info->kind);
    if (version_of(info) < 0 || (info->flags & KECS_KIND_APPEND)) {
      continue;
    }
    for (size_t i = 0; i < CONTRACT_COUNT(versions); i++) {
      kecs_result *result = (kecs_result *)&made;
      contract_set_number(info, row, version_of(info), versions[i]);
      kecs_status status = kecs_record_upsert(store, info->kind, row, &result);
      if (status != KECS_E_CONFLICT) {
        fail_msg("%s, version %lld: %s", info->name, (long long)versions[i], kecs_status_name(status));
      }
      CONTRACT_SAYS(info->name);
      assert_null(result);
      CONTRACT_NUMBER(contract_count_rows(store, info->kind), before);
    }
    contract_set_number(info, row, version_of(info), 0);
    CONTRACT_OK(kecs_record_upsert(store, info->kind, row, NULL));
    for (size_t i = 1; i < CONTRACT_COUNT(versions); i++) { /* and none of these is the stored one */
      contract_set_number(info, row, version_of(info), versions[i]);
      CONTRACT_FAILS(kecs_record_upsert(store, info->kind, row, NULL), KECS_E_CONFLICT);
      CONTRACT_FAILS(kecs_record_update(store, info->kind, row, UINT64_MAX, NULL), KECS_E_CONFLICT);
      CONTRACT_FAILS(kecs_record_update(store, info->kind, row, 0, NULL), KECS_E_CONFLICT);
    }
    contract_set_number(info, row, version_of(info), 1);
    CONTRACT_OK(kecs_record_upsert(store, info->kind, row, NULL));
    CONTRACT_NUMBER(contract_count_rows(store, info->kind), before + 1);
  }
  contract_close(store);
}

/* A document may bring its version; one that could not be counted up any more is refused. */
static void versions_of_documents_have_a_range(void **state) {
  (void)state;
  static const struct {
    const char *version;
    bool taken;
  } cases[] = {{"-1", false}, {"-9223372036854775808", false}, {"9223372036854775807", false},
               {"4611686018427387904", false}, {"4611686018427387903", true}, {"7", true}};
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    char document[160];
    char name[16];
    kecs_result *result = (kecs_result *)&document;
    snprintf(name, sizeof name, "v%zu", i);
    snprintf(document, sizeof document, "{\"clusterName\":\"%s\",\"kecs\":{\"version\":%s}}", name, cases[i].version);
    if (!cases[i].taken) {
      CONTRACT_FAILS(kecs_put_json(store, KECS_KIND_CLUSTER, document, SIZE_MAX, 0, &result), KECS_E_INVALID);
      CONTRACT_SAYS("version");
      assert_null(result);
      CONTRACT_FAILS(kecs_cluster_get(store, name, &result), KECS_E_NOT_FOUND);
      continue;
    }
    kecs_cluster change = {.name = name, .status = "CHANGED"};
    CONTRACT_OK(kecs_put_json(store, KECS_KIND_CLUSTER, document, SIZE_MAX, 0, NULL));
    CONTRACT_OK(kecs_cluster_update_fields(store, &change, KECS_BIT(KECS_CLUSTER_STATUS), &result));
    CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, strtoll(cases[i].version, NULL, 10) + 1);
    kecs_result_free(result);
  }
  kecs_cluster row = {.name = "created", .version = -5}; /* create does not read it */
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_create(store, &row, &result));
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 1);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- revisions ---- */

static void revisions_have_a_range(void **state) {
  (void)state;
  static const int64_t bad[] = {(int64_t)INT32_MAX + 1, INT64_MAX, -1, INT64_MIN};
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    kecs_task_definition row = {.family = "f", .revision = bad[i], .container_definitions = "[]"};
    CONTRACT_FAILS(kecs_task_definition_create(store, &row, NULL), KECS_E_INVALID);
    CONTRACT_SAYS("revision");
    CONTRACT_FAILS(kecs_task_definition_upsert(store, &row, NULL), KECS_E_INVALID);
    CONTRACT_SAYS("revision");
  }
  static const char *const documents[] = {
      "{\"family\":\"f\",\"revision\":2147483648,\"containerDefinitions\":[]}",
      "{\"family\":\"f\",\"revision\":-1,\"containerDefinitions\":[]}",
      "{\"taskDefinitionArn\":\"" CONTRACT_ARN_ECS "task-definition/f:2147483648\",\"containerDefinitions\":[]}",
  };
  for (size_t i = 0; i < CONTRACT_COUNT(documents); i++) {
    CONTRACT_FAILS(kecs_put_json(store, KECS_KIND_TASK_DEFINITION, documents[i], SIZE_MAX, 0, NULL), KECS_E_INVALID);
    CONTRACT_SAYS("revision");
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK_DEFINITION), 0);
  /* nothing has raised the family's counter: the next is the first */
  kecs_task_definition next = {.family = "f", .container_definitions = "[]"};
  CONTRACT_OK(kecs_task_definition_register(store, &next, &result));
  CONTRACT_NUMBER(kecs_task_definition_at(result, 0)->revision, 1);
  kecs_result_free(result);
  kecs_task_definition last = {.family = "f", .revision = INT32_MAX, .container_definitions = "[]"};
  CONTRACT_OK(kecs_task_definition_create(store, &last, NULL));
  /* the last one there can be is taken: no register stores one that create would refuse */
  kecs_status status = kecs_task_definition_register(store, &next, NULL);
  CONTRACT_NUMBER(status, KECS_E_INVALID);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK_DEFINITION), 2);
  contract_close(store);
}

/* ---- extra ---- */

static void extra_is_an_object(void **state) {
  (void)state;
  static const char *const bad[] = {"", " ", "[]", "7", "null", "\"text\"", "{", "{}x", "{\"a\":}", "\xff"};
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    int extra = kecs_column_find(info, "extra");
    contract_row made;
    contract_row stored;
    char key[1024];
    if (extra < 0) {
      continue;
    }
    void *row = contract_make_row(info->kind, 4, &made);
    void *other = contract_make_row(info->kind, 5, &stored);
    int64_t before = contract_count_rows(store, info->kind);
    CONTRACT_OK(kecs_record_create(store, info->kind, other, NULL));
    contract_row_key(info, other, key, sizeof key);
    for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
      kecs_result *result = NULL;
      kecs_assignment assignment = {"extra", bad[i]};
      contract_set_text(info, row, extra, bad[i]);
      CONTRACT_FAILS(kecs_record_create(store, info->kind, row, NULL), KECS_E_INVALID);
      CONTRACT_SAYS("extra");
      CONTRACT_NUMBER(contract_count_rows(store, info->kind), before + 1);
      if (info->flags & KECS_KIND_APPEND) {
        continue;
      }
      CONTRACT_FAILS(kecs_record_upsert(store, info->kind, row, NULL), KECS_E_INVALID);
      contract_set_text(info, other, extra, bad[i]);
      CONTRACT_FAILS(kecs_record_update(store, info->kind, other, UINT64_MAX, NULL), KECS_E_INVALID);
      CONTRACT_FAILS(kecs_record_update(store, info->kind, other, KECS_BIT(extra), NULL), KECS_E_INVALID);
      CONTRACT_SAYS("extra");
      CONTRACT_FAILS(kecs_record_upsert(store, info->kind, other, NULL), KECS_E_INVALID);
      kecs_status status = kecs_record_assign(store, info->kind, key, &assignment, 1, 0, NULL);
      if (status != KECS_E_INVALID) {
        fail_msg("%s: extra assigned \"%s\": %s", info->name, bad[i], kecs_status_name(status));
      }
      const void *kept = contract_read_row(store, info, other, &result);
      assert_null(contract_get_text(info, kept, extra));
      if (version_of(info) >= 0) {
        CONTRACT_NUMBER(contract_get_number(info, kept, version_of(info), NULL), 1);
      }
      kecs_result_free(result);
    }
    contract_set_text(info, row, extra, "{\"mine\":[1]}");
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
  }
  contract_close(store);
}

/* ---- rows that could not be addressed again ---- */

/* The parts of the address as one text; a revision by its family and number. */
static void address_of(const kecs_kind_info *info, const void *row, char *out, size_t size) {
  contract_row_key(info, row, out, size);
  if (info->kind == KECS_KIND_TASK_DEFINITION) {
    const kecs_task_definition *definition = row;
    snprintf(out, size, "%s:%lld", definition->family, (long long)definition->revision);
  }
}

static bool reachable(kecs_store *store, const kecs_kind_info *info, const void *row) {
  char key[4096];
  kecs_result *result = NULL;
  address_of(info, row, key, sizeof key);
  kecs_status status = kecs_record_get(store, info->kind, key, &result);
  kecs_result_free(result);
  int arn = kecs_column_find(info, "arn");
  if (status && arn >= 0 && contract_get_text(info, row, arn)) {
    status = kecs_record_get(store, info->kind, contract_get_text(info, row, arn), &result);
    kecs_result_free(result);
  }
  return status == KECS_OK;
}

/* Whatever part of a row's address is missing, or is no ARN where one belongs: it is refused and nothing is stored, or
 * the row that is stored can be read and deleted by what it says of itself. */
static void what_is_stored_can_be_addressed(void **state) {
  (void)state;
  static const char *const parts[] = {NULL, "", "x"};
  static const char *const arns[] = {"as it is", NULL, "", "no-arn", "arn:"};
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    int arn = kecs_column_find(info, "arn");
    for (int part = 0; part < info->address.count; part++) {
      int column = info->address.columns[part];
      for (size_t p = 0; p < CONTRACT_COUNT(parts) && contract_column_is_text(info, column); p++) {
        for (size_t a = 0; a < (arn >= 0 ? CONTRACT_COUNT(arns) : 1); a++) {
          for (int upsert = 0; upsert < 2; upsert++) {
            contract_row made;
            kecs_result *result = NULL;
            void *row = contract_make_row(info->kind, 6, &made);
            int64_t before = contract_count_rows(store, info->kind);
            contract_set_text(info, row, column, parts[p]);
            if (a > 0) {
              contract_set_text(info, row, arn, arns[a]);
            }
            if (upsert && (info->flags & KECS_KIND_APPEND)) {
              continue;
            }
            kecs_status status = upsert ? kecs_record_upsert(store, info->kind, row, &result)
                                        : kecs_record_create(store, info->kind, row, &result);
            if (status) {
              if (status != KECS_E_INVALID && status != KECS_E_REFERENCE) {
                fail_msg("%s: %s %s: %s", info->name, info->columns[column].name, parts[p] ? parts[p] : "NULL",
                         kecs_last_error()->text);
              }
              CONTRACT_NUMBER(contract_count_rows(store, info->kind), before);
              continue;
            }
            const void *stored = kecs_record_at(result, info->kind, 0);
            if (!reachable(store, info, stored)) {
              fail_msg("%s with %s \"%s\" (arn: %s) is stored, but can't be read: %s", info->name,
                       info->columns[column].name, parts[p] ? parts[p] : "NULL",
                       arn < 0 || !arns[a] ? "none" : arns[a], kecs_last_error()->text);
            }
            char key[4096];
            address_of(info, stored, key, sizeof key);
            status = kecs_record_delete(store, info->kind, key);
            if (status && arn >= 0) {
              status = kecs_record_delete(store, info->kind, contract_get_text(info, stored, arn));
            }
            CONTRACT_OK(status);
            CONTRACT_NUMBER(contract_count_rows(store, info->kind), before);
            kecs_result_free(result);
          }
        }
      }
    }
  }
  contract_close(store);
}

/* ---- limits, orders, filters ---- */

static void limits_of_every_list(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    int most = info->flags & KECS_KIND_APPEND ? 10000 : 1000;
    const int limits[] = {most, most + 1, INT32_MAX, -1, INT32_MIN};
    for (size_t i = 0; i < CONTRACT_COUNT(limits); i++) {
      kecs_query query = {.limit = limits[i]};
      kecs_result *result = (kecs_result *)&query;
      if (i == 0) {
        CONTRACT_OK(kecs_record_list(store, info->kind, &query, &result));
        kecs_result_free(result);
        continue;
      }
      CONTRACT_FAILS(kecs_record_list(store, info->kind, &query, &result), KECS_E_INVALID);
      CONTRACT_SAYS("limit");
      assert_null(result);
      if (limits[i] < 0) {
        CONTRACT_FAILS(kecs_record_each(store, info->kind, &query, visit_nothing, NULL), KECS_E_INVALID);
        CONTRACT_SAYS("limit");
      } else {
        CONTRACT_OK(kecs_record_each(store, info->kind, &query, visit_nothing, NULL));
      }
    }
  }
  static const int bad[] = {1001, INT32_MAX, -1, INT32_MIN};
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    kecs_query query = {.limit = bad[i]};
    kecs_family_query families = {.limit = bad[i]};
    kecs_result *result = NULL;
    CONTRACT_FAILS(kecs_task_definition_families(store, &families, &result), KECS_E_INVALID);
    CONTRACT_SAYS("limit");
    CONTRACT_FAILS(kecs_task_definition_revisions(store, "f", NULL, bad[i], NULL, &result), KECS_E_INVALID);
    CONTRACT_SAYS("limit");
    CONTRACT_FAILS(kecs_task_find(store, NULL, &query, &result), KECS_E_INVALID);
    CONTRACT_SAYS("limit");
    CONTRACT_FAILS(kecs_container_instance_search(store, NULL, "x", &query, &result), KECS_E_INVALID);
    CONTRACT_SAYS("limit");
    if (i > 0) {
      CONTRACT_FAILS(kecs_task_log_find(store, NULL, false, bad[i], NULL, &result), KECS_E_INVALID);
      CONTRACT_SAYS("limit");
    }
  }
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_log_find(store, NULL, false, 10000, NULL, &result));
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_task_log_find(store, NULL, false, 10001, NULL, &result), KECS_E_INVALID);
  contract_close(store);
}

static void columns_that_are_none_are_named(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    const int columns[] = {-1, info->column_count, 63, 64, 4711, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < CONTRACT_COUNT(columns); i++) {
      char shown[16];
      int64_t count = 0;
      kecs_result *result = NULL;
      kecs_filter filter = {.column = columns[i], .op = KECS_IS_NULL};
      kecs_query filtered = {.where = &filter, .where_count = 1};
      kecs_query ordered = {.order_by = columns[i], .direction = KECS_ORDER_DESCENDING};
      if (columns[i] >= 0 && columns[i] < info->column_count) {
        continue;
      }
      snprintf(shown, sizeof shown, "%d", columns[i]);
      CONTRACT_FAILS(kecs_record_list(store, info->kind, &filtered, &result), KECS_E_INVALID);
      CONTRACT_SAYS(shown);
      CONTRACT_SAYS(info->name);
      CONTRACT_FAILS(kecs_record_count(store, info->kind, &filtered, &count), KECS_E_INVALID);
      CONTRACT_SAYS(shown);
      CONTRACT_FAILS(kecs_record_list(store, info->kind, &ordered, &result), KECS_E_INVALID);
      CONTRACT_SAYS(shown);
      CONTRACT_SAYS(info->name);
      CONTRACT_FAILS(kecs_record_each(store, info->kind, &ordered, visit_nothing, NULL), KECS_E_INVALID);
      CONTRACT_SAYS(shown);
    }
    for (int column = 0; column < info->column_count; column++) { /* and each that is one does or says why not */
      kecs_result *result = NULL;
      kecs_query query = {.order_by = column, .direction = KECS_ORDER_ASCENDING};
      if (info->columns[column].flags & KECS_COLUMN_NOT_NULL) {
        CONTRACT_OK(kecs_record_list(store, info->kind, &query, &result));
        kecs_result_free(result);
      } else {
        CONTRACT_FAILS(kecs_record_list(store, info->kind, &query, &result), KECS_E_UNSUPPORTED);
        CONTRACT_SAYS(info->columns[column].name);
      }
    }
    kecs_filter many[33];
    kecs_result *result = NULL;
    memset(many, 0, sizeof many);
    for (size_t i = 0; i < CONTRACT_COUNT(many); i++) {
      many[i].op = KECS_NOT_NULL;
    }
    kecs_query query = {.where = many, .where_count = 33};
    CONTRACT_FAILS(kecs_record_list(store, info->kind, &query, &result), KECS_E_INVALID);
    CONTRACT_SAYS("33");
    query.where_count = SIZE_MAX;
    CONTRACT_FAILS(kecs_record_list(store, info->kind, &query, &result), KECS_E_INVALID);
    query.where_count = 32;
    CONTRACT_OK(kecs_record_list(store, info->kind, &query, &result));
    kecs_result_free(result);
    query.where = NULL;
    CONTRACT_FAILS(kecs_record_list(store, info->kind, &query, &result), KECS_E_INVALID);
  }
  contract_close(store);
}

/* ---- missing arguments of the typed functions of every kind ---- */

#define REFUSED(call) check_refused((call), #call, __LINE__)

static void check_refused(kecs_status status, const char *call, int line) {
  const kecs_error *error = kecs_last_error();
  if ((status != KECS_E_MISUSE && status != KECS_E_INVALID) || error->status != status || !error->text[0]) {
    print_error("%s\n  gave %s: %s\n", call, kecs_status_name(status), error->text);
    _fail(__FILE__, line);
  }
}

/* For each kind: its functions that take one row, many rows, keys, a query. */
#define KINDS(X) \
  X(cluster) X(task_definition) X(service) X(task) X(task_set) X(container_instance) X(attribute) X(account_setting) \
  X(load_balancer) X(target_group) X(listener) X(rule) X(target) X(tag) X(node) X(node_task)

#define CHECK_KIND(kind)                                                                      \
  static void check_##kind(kecs_store *store) {                                               \
    static const char *const holes[] = {NULL, "x"};                                           \
    kecs_##kind row;                                                                          \
    kecs_result *result = (kecs_result *)&row;                                                \
    int64_t count = 0;                                                                        \
    memset(&row, 0, sizeof row);                                                              \
    REFUSED(kecs_##kind##_create(store, NULL, &result));                                      \
    assert_null(result);                                                                      \
    REFUSED(kecs_##kind##_create(store, NULL, NULL));                                         \
    REFUSED(kecs_##kind##_create(NULL, &row, &result));                                       \
    REFUSED(kecs_##kind##_create_many(store, NULL, 1, &result));                              \
    REFUSED(kecs_##kind##_create_many(NULL, &row, 1, &result));                               \
    REFUSED(kecs_##kind##_get_many(store, NULL, 1, &result));                                 \
    REFUSED(kecs_##kind##_get_many(store, holes, 2, &result));                                \
    REFUSED(kecs_##kind##_get_many(store, holes, 2, NULL));                                   \
    REFUSED(kecs_##kind##_get_many(NULL, holes, 2, &result));                                 \
    REFUSED(kecs_##kind##_list(store, NULL, NULL));                                           \
    REFUSED(kecs_##kind##_list(NULL, NULL, &result));                                         \
    REFUSED(kecs_##kind##_each(store, NULL, NULL, NULL));                                     \
    REFUSED(kecs_##kind##_each(NULL, NULL, NULL, NULL));                                      \
    REFUSED(kecs_##kind##_count(store, NULL, NULL));                                          \
    REFUSED(kecs_##kind##_count(NULL, NULL, &count));                                         \
    REFUSED(kecs_##kind##_update(store, NULL, &result));                                      \
    REFUSED(kecs_##kind##_update(NULL, &row, &result));                                       \
    REFUSED(kecs_##kind##_update_fields(store, NULL, 0, &result));                            \
    REFUSED(kecs_##kind##_upsert(store, NULL, &result));                                      \
    REFUSED(kecs_##kind##_upsert(NULL, &row, &result));                                       \
    CONTRACT_OK(kecs_##kind##_create_many(store, NULL, 0, NULL));                             \
    CONTRACT_OK(kecs_##kind##_get_many(store, NULL, 0, &result));                             \
    CONTRACT_NUMBER(kecs_result_count(result), 0);                                            \
    assert_null(kecs_##kind##_at(result, 0));                                                 \
    assert_null(kecs_##kind##_at(NULL, 0));                                                   \
    kecs_result_free(result);                                                                 \
    CONTRACT_OK(kecs_##kind##_count(store, NULL, &count));                                    \
    CONTRACT_NUMBER(count, 0);                                                                \
  }
KINDS(CHECK_KIND)

static void missing_arguments_of_every_kind(void **state) {
  (void)state;
#define CALL_KIND(kind) check_##kind,
  static void (*const checks[])(kecs_store *) = {KINDS(CALL_KIND)};
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(checks); i++) {
    checks[i](store);
  }
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(an_upsert_with_a_version_makes_no_row),
    CONTRACT_TEST(versions_of_documents_have_a_range),
    CONTRACT_TEST(revisions_have_a_range),
    CONTRACT_TEST(extra_is_an_object),
    CONTRACT_TEST(what_is_stored_can_be_addressed),
    CONTRACT_TEST(limits_of_every_list),
    CONTRACT_TEST(columns_that_are_none_are_named),
    CONTRACT_TEST(missing_arguments_of_every_kind),
};

CONTRACT_MAIN("refusals", tests)
