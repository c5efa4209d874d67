/* tests/contract/test_validate.c -- validation: each rule once kept and once broken, with the path that the refusal
 * begins with; the whole of Fargate's table; and strict stores. */
#include "contract.h"

/* A valid row of a kind, with what its rules require and nothing else. */
static void *base_row(kecs_kind kind, contract_any *out) {
  static const struct {
    kecs_kind kind;
    int column;
    const char *text;
  } required[] = {
      {KECS_KIND_CLUSTER, KECS_CLUSTER_NAME, "web"},
      {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_FAMILY, "web"},
      {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_CONTAINER_DEFINITIONS, "[{\"name\":\"a\",\"image\":\"nginx\"}]"},
      {KECS_KIND_SERVICE, KECS_SERVICE_NAME, "web"},
      {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_NAME, "stack"},
      {KECS_KIND_ACCOUNT_SETTING, KECS_ACCOUNT_SETTING_NAME, "containerInsights"},
      {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_NAME, "web"},
      {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_NAME, "web"},
      {KECS_KIND_TAG, KECS_TAG_KEY, "stage"},
  };
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < CONTRACT_COUNT(required); i++) {
    if (required[i].kind == kind) {
      contract_set_text(kecs_kind_describe(kind), out, required[i].column, required[i].text);
    }
  }
  if (kind == KECS_KIND_RULE) {
    contract_set_number(kecs_kind_describe(kind), out, KECS_RULE_PRIORITY, 1);
  }
  return out;
}

/* The last error's text begins with this. */
static void begins(const char *text) {
  if (strncmp(kecs_last_error()->text, text, strlen(text)) != 0) {
    print_error("the error does not begin with \"%s\": %s\n", text, kecs_last_error()->text);
    fail();
  }
}

/* Kept when `says` is NULL, else refused with a text that begins with it. */
static void judge(kecs_kind kind, const void *row, const char *shown, const char *says) {
  kecs_status status = kecs_validate(kind, row);
  if ((status == KECS_OK) != (says == NULL)) {
    const char *why = status ? kecs_last_error()->text : "was accepted";
    print_error("%s %s: %s\n", kecs_kind_describe(kind)->name, shown, why);
    fail();
  }
  if (says) {
    CONTRACT_FAILS(status, KECS_E_INVALID);
    begins(says);
  }
}

/* One column of a valid row set to a text. */
typedef struct text_case {
  int column;
  const char *text;
  const char *says; /* NULL: accepted */
} text_case;

static void check_texts(kecs_kind kind, const text_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    contract_any row;
    base_row(kind, &row);
    contract_set_text(kecs_kind_describe(kind), &row, cases[i].column, cases[i].text);
    judge(kind, &row, cases[i].text ? cases[i].text : "NULL", cases[i].says);
  }
}

static const char *repeat(char *out, const char *piece, size_t times) {
  out[0] = '\0';
  for (size_t i = 0; i < times; i++) {
    memcpy(out + i * strlen(piece), piece, strlen(piece) + 1);
  }
  return out;
}

/* ---- what holds for every kind ---- */

static void test_nothing_set(void **state) {
  (void)state;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    contract_any row;
    judge((kecs_kind)kind, base_row((kecs_kind)kind, &row), "with nothing but what is required", NULL);
    CONTRACT_FAILS(kecs_validate((kecs_kind)kind, NULL), KECS_E_INVALID);
    begins("row: ");
  }
  contract_any row;
  memset(&row, 0, sizeof row);
  CONTRACT_FAILS(kecs_validate((kecs_kind)0, &row), KECS_E_INVALID);
  begins("kind: ");
  CONTRACT_FAILS(kecs_validate((kecs_kind)KECS_KIND_COUNT, &row), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_validate((kecs_kind)-1, NULL), KECS_E_INVALID);
}

/* A JSON column by the name that a refusal begins with. */
static void path_of(const kecs_column_info *column, char *out, size_t size) {
  const char *name = column->json[0] ? column->json : column->name;
  snprintf(out, size, "%.*s: ", (int)strcspn(name, "|"), name);
}

static void test_json_columns(void **state) {
  (void)state;
  int checked = 0;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int column = 0; column < info->column_count; column++) {
      contract_any row;
      char path[128];
      if (info->columns[column].type != KECS_TYPE_JSON) {
        continue;
      }
      path_of(&info->columns[column], path, sizeof path);
      contract_set_text(info, base_row(info->kind, &row), column, "[\n  {\"a\": ?}]");
      judge(info->kind, &row, "with broken JSON", path);
      CONTRACT_SAYS("line 2, column 9: ");
      contract_set_text(info, &row, column, "[]]");
      judge(info->kind, &row, "with JSON that goes on", path);
      CONTRACT_SAYS("line 1, column 3: ");
      bool required = info->kind == KECS_KIND_TASK_DEFINITION && column == KECS_TASK_DEFINITION_CONTAINER_DEFINITIONS;
      contract_set_text(info, &row, column, "");
      judge(info->kind, &row, "with an empty text for JSON", required ? "containerDefinitions: At least one" : NULL);
      contract_set_text(info, &row, column, " null ");
      judge(info->kind, &row, "with null for JSON", required ? "containerDefinitions: At least one" : NULL);
      checked++;
    }
  }
  assert_in_range(checked, 60, 200);
}

static void test_account_ids(void **state) {
  (void)state;
  static const char *const refused[] = {"1",             "12345678901",  "1234567890123", "12345678901a",
                                        "123456789012a", "12345 789012", "-12345678901",
                                        "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6"};
  int kinds = 0;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    int column = kecs_column_find(info, "account_id");
    contract_any row;
    if (column < 0) {
      continue;
    }
    kinds++;
    contract_set_text(info, base_row(info->kind, &row), column, "123456789012");
    judge(info->kind, &row, "with an account", NULL);
    contract_set_text(info, &row, column, "");
    judge(info->kind, &row, "without an account", NULL);
    for (size_t i = 0; i < CONTRACT_COUNT(refused); i++) {
      contract_set_text(info, &row, column, refused[i]);
      judge(info->kind, &row, refused[i], "kecs.accountId: ");
    }
  }
  assert_in_range(kinds, 10, KECS_KIND_COUNT);
  CONTRACT_OK(kecs_validate_account_id("000000000000"));
  CONTRACT_FAILS(kecs_validate_account_id(NULL), KECS_E_INVALID);
  begins("accountId: ");
  CONTRACT_FAILS(kecs_validate_account_id(""), KECS_E_INVALID);
  for (size_t i = 0; i < CONTRACT_COUNT(refused); i++) {
    CONTRACT_FAILS(kecs_validate_account_id(refused[i]), KECS_E_INVALID);
  }
}

static void test_names(void **state) {
  (void)state;
  static const struct {
    kecs_kind kind;
    int column;
    const char *path;
    const char *punctuation; /* allowed */
    size_t max;
  } names[] = {
      {KECS_KIND_CLUSTER, KECS_CLUSTER_NAME, "clusterName: ", "-_", 255},
      {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_FAMILY, "family: ", "-_", 255},
      {KECS_KIND_SERVICE, KECS_SERVICE_NAME, "serviceName: ", "-_", 255},
      {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_NAME, "name: ", "-_./\\", 128},
      {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_NAME, "LoadBalancerName: ", "-", 32},
      {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_NAME, "TargetGroupName: ", "-", 32},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
    char text[300];
    const kecs_kind_info *info = kecs_kind_describe(names[i].kind);
    contract_any row;
    base_row(names[i].kind, &row);
    for (int c = 1; c < 256; c++) {
      snprintf(text, sizeof text, "a%cZ0", c);
      bool fits = (c < 128 && (strchr(names[i].punctuation, c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z')));
      contract_set_text(info, &row, names[i].column, text);
      judge(names[i].kind, &row, text, fits ? NULL : names[i].path);
    }
    contract_set_text(info, &row, names[i].column, repeat(text, "n", names[i].max));
    judge(names[i].kind, &row, text, NULL);
    contract_set_text(info, &row, names[i].column, repeat(text, "n", names[i].max + 1));
    judge(names[i].kind, &row, text, names[i].path);
    contract_set_text(info, &row, names[i].column, "");
    judge(names[i].kind, &row, "an empty name", names[i].path);
    contract_set_text(info, &row, names[i].column, NULL);
    judge(names[i].kind, &row, "no name", names[i].path);
  }
  for (size_t i = 0; i < CONTRACT_COUNT(contract_naughty); i++) {
    bool fits = contract_naughty[i][0] && !strpbrk(contract_naughty[i], " \t\r\n%\\'\"`?$:@{}[]/*,;.\x01\x7f");
    for (const char *at = contract_naughty[i]; *at; at++) {
      fits = fits && (unsigned char)*at < 128;
    }
    assert_int_equal(kecs_validate_cluster_name(contract_naughty[i]), fits ? KECS_OK : KECS_E_INVALID);
  }
  CONTRACT_FAILS(kecs_validate_cluster_name(NULL), KECS_E_INVALID);
  begins("clusterName: ");
}

/* ---- clusters ---- */

static void test_cluster(void **state) {
  (void)state;
  static const text_case cases[] = {
      {KECS_CLUSTER_STATUS, "whatever", NULL},
      {KECS_CLUSTER_SETTINGS, "[]", NULL},
      {KECS_CLUSTER_SETTINGS, "[{\"name\":\"containerInsights\",\"value\":\"enabled\"}]", NULL},
      {KECS_CLUSTER_SETTINGS, "[{\"name\":\"containerInsights\",\"value\":\"enhanced\"}]", NULL},
      {KECS_CLUSTER_SETTINGS, "[{\"name\":\"container\\u0049nsights\",\"value\":\"disabled\"}]", NULL},
      {KECS_CLUSTER_SETTINGS, "{}", "settings: "},
      {KECS_CLUSTER_SETTINGS, "[1]", "settings[0]: "},
      {KECS_CLUSTER_SETTINGS, "[{\"name\":\"other\",\"value\":\"enabled\"}]", "settings[0].name: \"other\""},
      {KECS_CLUSTER_SETTINGS, "[{\"value\":\"enabled\"}]", "settings[0].name: "},
      {KECS_CLUSTER_SETTINGS, "[{\"name\":\"containerInsights\",\"value\":\"Enabled\"}]", "settings[0].value: "},
      {KECS_CLUSTER_SETTINGS, "[{\"name\":\"containerInsights\",\"value\":true}]", "settings[0].value: true"},
      {KECS_CLUSTER_SETTINGS, "[{\"name\":\"containerInsights\"}]", "settings[0].value: "},
      {KECS_CLUSTER_CAPACITY_PROVIDERS, "[\"FARGATE\",\"FARGATE_SPOT\",\"my-provider_1\"]", NULL},
      {KECS_CLUSTER_CAPACITY_PROVIDERS, "\"FARGATE\"", "capacityProviders: "},
      {KECS_CLUSTER_CAPACITY_PROVIDERS, "[\"FARGATE\",\"\"]", "capacityProviders[1]: "},
      {KECS_CLUSTER_CAPACITY_PROVIDERS, "[\"FARGATE\",7]", "capacityProviders[1]: "},
      {KECS_CLUSTER_CAPACITY_PROVIDERS, "[\"a b\"]", "capacityProviders[0]: "},
      {KECS_CLUSTER_CAPACITY_PROVIDERS, "[\"a\\u0000\"]", "capacityProviders[0]: "},
  };
  check_texts(KECS_KIND_CLUSTER, cases, CONTRACT_COUNT(cases));
  CONTRACT_OK(kecs_validate_cluster_settings(NULL));
  CONTRACT_OK(kecs_validate_cluster_settings(""));
  CONTRACT_OK(kecs_validate_cluster_settings("[{\"name\":\"containerInsights\",\"value\":\"enabled\"}]"));
  CONTRACT_FAILS(kecs_validate_cluster_settings("[{\"name\":\"x\",\"value\":\"enabled\"}]"), KECS_E_INVALID);
  begins("settings[0].name: ");
  CONTRACT_FAILS(kecs_validate_cluster_settings("[\n"), KECS_E_INVALID);
  begins("settings: line 2, column 1: ");
}

#define PROVIDER(rest) "[{\"capacityProvider\":\"FARGATE\"" rest "}]"

/* Of clusters, services and task sets. */
static void test_strategies(void **state) {
  (void)state;
  static const struct {
    kecs_kind kind;
    int column;
    const char *name;
  } columns[] = {
      {KECS_KIND_CLUSTER, KECS_CLUSTER_DEFAULT_CAPACITY_PROVIDER_STRATEGY, "defaultCapacityProviderStrategy"},
      {KECS_KIND_SERVICE, KECS_SERVICE_CAPACITY_PROVIDER_STRATEGY, "capacityProviderStrategy"},
      {KECS_KIND_TASK_SET, KECS_TASK_SET_CAPACITY_PROVIDER_STRATEGY, "capacityProviderStrategy"},
  };
  static const struct {
    const char *text;
    const char *says;
  } cases[] = {
      {"[]", NULL},
      {PROVIDER(""), NULL},
      {PROVIDER(",\"weight\":0,\"base\":0"), NULL},
      {PROVIDER(",\"weight\":1000,\"base\":100000"), NULL},
      {PROVIDER(",\"weight\":1e3,\"base\":1.0"), NULL},
      {PROVIDER(",\"weight\":null,\"base\":null"), NULL},
      {"[{\"capacityProvider\":\"FARGATE_SPOT\"},{\"capacityProvider\":\"EC2\",\"base\":1}]", NULL},
      {PROVIDER(",\"weight\":1001"), "[0].weight: "},
      {PROVIDER(",\"weight\":-1"), "[0].weight: "},
      {PROVIDER(",\"weight\":0.5"), "[0].weight: "},
      {PROVIDER(",\"weight\":\"1\""), "[0].weight: "},
      {PROVIDER(",\"base\":-1"), "[0].base: "},
      {PROVIDER(",\"base\":100001"), "[0].base: "},
      {"[{\"capacityProvider\":\"FARGATE\"},{\"capacityProvider\":\"EC2\"},{\"capacityProvider\":\"FARGATE_SPOT\","
       "\"weight\":9999999999999999999999}]", "[2].weight: "},
      {"[{\"capacityProvider\":\"FARGATE\",\"base\":1},{\"capacityProvider\":\"FARGATE_SPOT\",\"base\":2}]",
       "[1].base: "},
      {"[{\"weight\":1}]", "[0].capacityProvider: "},
      {"[{\"capacityProvider\":\"\"}]", "[0].capacityProvider: "},
      {"[{\"capacityProvider\":5}]", "[0].capacityProvider: "},
      {"[\"FARGATE\"]", "[0]: "},
      {"{}", ": "},
  };
  for (size_t c = 0; c < CONTRACT_COUNT(columns); c++) {
    for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
      char says[128];
      text_case one = {columns[c].column, cases[i].text, cases[i].says ? says : NULL};
      snprintf(says, sizeof says, "%s%s", columns[c].name, cases[i].says ? cases[i].says : "");
      check_texts(columns[c].kind, &one, 1);
      assert_int_equal(kecs_validate_capacity_strategy(cases[i].text, NULL), cases[i].says ? KECS_E_INVALID : KECS_OK);
    }
  }
  CONTRACT_OK(kecs_validate_capacity_strategy(NULL, NULL));
}

/* A provider of one's own must be listed where the list is known: in the cluster. */
static void test_listed_providers(void **state) {
  (void)state;
  static const char own[] = "[{\"capacityProvider\":\"FARGATE\"},{\"capacityProvider\":\"own\",\"weight\":1}]";
  kecs_cluster cluster = {.name = "web", .default_capacity_provider_strategy = own};
  judge(KECS_KIND_CLUSTER, &cluster, own, "defaultCapacityProviderStrategy[1].capacityProvider: own");
  cluster.capacity_providers = "[\"other\"]";
  judge(KECS_KIND_CLUSTER, &cluster, own, "defaultCapacityProviderStrategy[1].capacityProvider: own");
  cluster.capacity_providers = "[\"zone\",\"\\u006fwn\",\"other\",\"FARGATE\"]";
  judge(KECS_KIND_CLUSTER, &cluster, own, NULL);

  CONTRACT_FAILS(kecs_validate_capacity_strategy(own, NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_validate_capacity_strategy(own, "[\"FARGATE\"]"), KECS_E_INVALID);
  begins("capacityProviderStrategy[1].capacityProvider: ");
  CONTRACT_OK(kecs_validate_capacity_strategy(own, "[\"own\"]"));
  CONTRACT_FAILS(kecs_validate_capacity_strategy(own, "{}"), KECS_E_INVALID);
  begins("capacityProviders: ");
  CONTRACT_FAILS(kecs_validate_capacity_strategy("[", "[]"), KECS_E_INVALID);
  begins("capacityProviderStrategy: line 1, column 2: ");
  kecs_service service = {.name = "web", .capacity_provider_strategy = own};
  judge(KECS_KIND_SERVICE, &service, own, NULL);
}

/* ---- tags ---- */

static const char *many_tags(char *out, size_t size, const char *key, const char *prefix, int count) {
  size_t used = (size_t)snprintf(out, size, "[");
  for (int i = 0; i < count; i++) {
    used += (size_t)snprintf(out + used, size - used, "%s{\"%s\":\"%s%d\"}", i ? "," : "", key, prefix, i);
  }
  snprintf(out + used, size - used, "]");
  return out;
}

static const char *one_tag(char *out, size_t size, const char *key, const char *piece, size_t keys, const char *value,
                           size_t values) {
  char first[1100];
  char second[1100];
  snprintf(out, size, "[{\"%s\":\"%s\",\"%s\":\"%s\"}]", key, repeat(first, piece, keys), value,
           repeat(second, piece, values));
  return out;
}

static void test_tags(void **state) {
  (void)state;
  static const struct {
    kecs_kind kind;
    int column;
    const char *tags;
    const char *key;
    const char *value;
  } columns[] = {
      {KECS_KIND_CLUSTER, KECS_CLUSTER_TAGS, "tags", "key", "value"},
      {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_TAGS, "tags", "key", "value"},
      {KECS_KIND_SERVICE, KECS_SERVICE_TAGS, "tags", "key", "value"},
      {KECS_KIND_TASK_SET, KECS_TASK_SET_TAGS, "tags", "key", "value"},
      {KECS_KIND_CONTAINER_INSTANCE, KECS_CONTAINER_INSTANCE_TAGS, "tags", "key", "value"},
      {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_TAGS, "Tags", "Key", "Value"},
      {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_TAGS, "Tags", "Key", "Value"},
      {KECS_KIND_LISTENER, KECS_LISTENER_TAGS, "Tags", "Key", "Value"},
      {KECS_KIND_RULE, KECS_RULE_TAGS, "Tags", "Key", "Value"},
  };
  static char text[8192];
  for (size_t i = 0; i < CONTRACT_COUNT(columns); i++) {
    const char *key = columns[i].key;
    const char *value = columns[i].value;
    char says[64];
    text_case one = {columns[i].column, text, NULL};
    many_tags(text, sizeof text, key, "key", 50);
    check_texts(columns[i].kind, &one, 1);
    many_tags(text, sizeof text, key, "AWS:", 60); /* those of AWS itself count for nothing */
    check_texts(columns[i].kind, &one, 1);
    one_tag(text, sizeof text, key, "\xc3\xa9", 128, value, 256);
    check_texts(columns[i].kind, &one, 1);
    one_tag(text, sizeof text, key, "\\u00e9", 1, value, 0);
    check_texts(columns[i].kind, &one, 1);
    snprintf(text, sizeof text, "[{\"%s\":\"a\",\"%s\":null}]", key, value);
    check_texts(columns[i].kind, &one, 1);

    one.says = says;
    snprintf(says, sizeof says, "%s[50]: ", columns[i].tags);
    many_tags(text, sizeof text, key, "key", 51);
    check_texts(columns[i].kind, &one, 1);
    snprintf(says, sizeof says, "%s[0].%s: ", columns[i].tags, key);
    one_tag(text, sizeof text, key, "a", 129, value, 0);
    check_texts(columns[i].kind, &one, 1);
    one_tag(text, sizeof text, key, "a", 0, value, 1);
    check_texts(columns[i].kind, &one, 1);
    snprintf(text, sizeof text, "[{\"%s\":\"a\"}]", value);
    check_texts(columns[i].kind, &one, 1);
    snprintf(text, sizeof text, "[{\"%s\":1}]", key);
    check_texts(columns[i].kind, &one, 1);
    snprintf(says, sizeof says, "%s[0].%s: ", columns[i].tags, value);
    one_tag(text, sizeof text, key, "\xf0\x9f\x98\x80", 1, value, 257);
    check_texts(columns[i].kind, &one, 1);
    snprintf(says, sizeof says, "%s[3].%s: \"a\"", columns[i].tags, key);
    snprintf(text, sizeof text, "[{\"%s\":\"b\"},{\"%s\":\"a\"},{\"%s\":\"A\"},{\"%s\":\"\\u0061\"},{\"%s\":\"a\"}]",
             key, key, key, key, key);
    check_texts(columns[i].kind, &one, 1);
    snprintf(says, sizeof says, "%s: ", columns[i].tags);
    snprintf(text, sizeof text, "{\"a\":\"b\"}");
    check_texts(columns[i].kind, &one, 1);
  }
}

static void test_tag_rows(void **state) {
  (void)state;
  static char text[1100];
  text_case one = {KECS_TAG_KEY, text, NULL};
  repeat(text, "\xc3\xa9", 128);
  check_texts(KECS_KIND_TAG, &one, 1);
  one.says = "key: ";
  repeat(text, "\xc3\xa9", 129);
  check_texts(KECS_KIND_TAG, &one, 1);
  repeat(text, "", 1);
  check_texts(KECS_KIND_TAG, &one, 1);
  one.text = NULL;
  check_texts(KECS_KIND_TAG, &one, 1);
  text_case value = {KECS_TAG_VALUE, repeat(text, "\xf0\x9f\x98\x80", 256), NULL};
  check_texts(KECS_KIND_TAG, &value, 1);
  value.says = "value: ";
  repeat(text, "v", 257);
  check_texts(KECS_KIND_TAG, &value, 1);
}

/* ---- services and the rest ---- */

static void test_words(void **state) {
  (void)state;
  static const text_case service[] = {
      {KECS_SERVICE_LAUNCH_TYPE, "EC2", NULL},
      {KECS_SERVICE_LAUNCH_TYPE, "FARGATE", NULL},
      {KECS_SERVICE_LAUNCH_TYPE, "EXTERNAL", NULL},
      {KECS_SERVICE_LAUNCH_TYPE, "MANAGED_INSTANCES", NULL},
      {KECS_SERVICE_LAUNCH_TYPE, "", NULL},
      {KECS_SERVICE_LAUNCH_TYPE, "fargate", "launchType: \"fargate\""},
      {KECS_SERVICE_LAUNCH_TYPE, "EC2 FARGATE", "launchType: "},
      {KECS_SERVICE_LAUNCH_TYPE, "EC", "launchType: "},
      {KECS_SERVICE_LAUNCH_TYPE, " ", "launchType: "},
      {KECS_SERVICE_SCHEDULING_STRATEGY, "REPLICA", NULL},
      {KECS_SERVICE_SCHEDULING_STRATEGY, "DAEMON", NULL},
      {KECS_SERVICE_SCHEDULING_STRATEGY, "daemon", "schedulingStrategy: \"daemon\" is not accepted; use REPLICA or "
                                                   "DAEMON"},
      {KECS_SERVICE_DEPLOYMENT_CONFIGURATION, "{\"maximumPercent\":200}", NULL},
      {KECS_SERVICE_DEPLOYMENT_CONFIGURATION, "[]", "deploymentConfiguration: "},
      {KECS_SERVICE_DEPLOYMENT_CONFIGURATION, "\"x\"", "deploymentConfiguration: "},
  };
  static const text_case definition[] = {
      {KECS_TASK_DEFINITION_NETWORK_MODE, "none", NULL},
      {KECS_TASK_DEFINITION_NETWORK_MODE, "bridge", NULL},
      {KECS_TASK_DEFINITION_NETWORK_MODE, "awsvpc", NULL},
      {KECS_TASK_DEFINITION_NETWORK_MODE, "host", NULL},
      {KECS_TASK_DEFINITION_NETWORK_MODE, "nat",
       "networkMode: \"nat\" is not accepted; use none, bridge, awsvpc or host"},
      {KECS_TASK_DEFINITION_PID_MODE, "host", NULL},
      {KECS_TASK_DEFINITION_PID_MODE, "task", NULL},
      {KECS_TASK_DEFINITION_PID_MODE, "none", "pidMode: "},
      {KECS_TASK_DEFINITION_IPC_MODE, "host", NULL},
      {KECS_TASK_DEFINITION_IPC_MODE, "task", NULL},
      {KECS_TASK_DEFINITION_IPC_MODE, "none", NULL},
      {KECS_TASK_DEFINITION_IPC_MODE, "private", "ipcMode: "},
      {KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES, "[\"EC2\",\"EXTERNAL\",\"MANAGED_INSTANCES\"]", NULL},
      {KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES, "[]", NULL},
      {KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES, "[\"EC2\",\"LAMBDA\"]", "requiresCompatibilities[1]: \"LAMBDA\""},
      {KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES, "\"EC2\"", "requiresCompatibilities: "},
      {KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES, "[null]", "requiresCompatibilities[0]: "},
  };
  static const text_case task_set[] = {
      {KECS_TASK_SET_LAUNCH_TYPE, "EC2", NULL},
      {KECS_TASK_SET_LAUNCH_TYPE, "ec2", "launchType: "},
  };
  static const text_case setting[] = {
      {KECS_ACCOUNT_SETTING_NAME, "awsvpcTrunking", NULL},
      {KECS_ACCOUNT_SETTING_NAME, "", "name: "},
      {KECS_ACCOUNT_SETTING_NAME, NULL, "name: "},
  };
  check_texts(KECS_KIND_SERVICE, service, CONTRACT_COUNT(service));
  check_texts(KECS_KIND_TASK_DEFINITION, definition, CONTRACT_COUNT(definition));
  check_texts(KECS_KIND_TASK_SET, task_set, CONTRACT_COUNT(task_set));
  check_texts(KECS_KIND_ACCOUNT_SETTING, setting, CONTRACT_COUNT(setting));
}

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    kecs_kind kind;
    int column;
    int64_t number;
    const char *says;
  } cases[] = {
      {KECS_KIND_SERVICE, KECS_SERVICE_DESIRED_COUNT, 0, NULL},
      {KECS_KIND_SERVICE, KECS_SERVICE_DESIRED_COUNT, INT64_MAX, NULL},
      {KECS_KIND_SERVICE, KECS_SERVICE_DESIRED_COUNT, -1, "desiredCount: -1"},
      {KECS_KIND_LISTENER, KECS_LISTENER_PORT, 0, NULL},
      {KECS_KIND_LISTENER, KECS_LISTENER_PORT, 1, NULL},
      {KECS_KIND_LISTENER, KECS_LISTENER_PORT, 65535, NULL},
      {KECS_KIND_LISTENER, KECS_LISTENER_PORT, 65536, "Port: 65536"},
      {KECS_KIND_LISTENER, KECS_LISTENER_PORT, -1, "Port: "},
      {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_PORT, 65535, NULL},
      {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_PORT, 65536, "Port: "},
      {KECS_KIND_TARGET, KECS_TARGET_PORT, 65535, NULL},
      {KECS_KIND_TARGET, KECS_TARGET_PORT, 65536, "Target.Port: "},
      {KECS_KIND_NODE, KECS_NODE_PORT, 8080, NULL},
      {KECS_KIND_NODE, KECS_NODE_PORT, 0, NULL},
      {KECS_KIND_NODE, KECS_NODE_PORT, 70000, "port: "},
      {KECS_KIND_RULE, KECS_RULE_PRIORITY, 1, NULL},
      {KECS_KIND_RULE, KECS_RULE_PRIORITY, 49999, NULL},
      {KECS_KIND_RULE, KECS_RULE_PRIORITY, KECS_RANK_DEFAULT, NULL},
      {KECS_KIND_RULE, KECS_RULE_PRIORITY, 0, "Priority: 0 must be between 1 and 49999"},
      {KECS_KIND_RULE, KECS_RULE_PRIORITY, 50001, "Priority: 50001 must be between 1 and 49999"},
      {KECS_KIND_RULE, KECS_RULE_PRIORITY, -5, "Priority: "},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    contract_any row;
    char shown[64];
    snprintf(shown, sizeof shown, "%lld", (long long)cases[i].number);
    contract_set_number(kecs_kind_describe(cases[i].kind), base_row(cases[i].kind, &row), cases[i].column,
                        cases[i].number);
    judge(cases[i].kind, &row, shown, cases[i].says);
    if (cases[i].kind == KECS_KIND_RULE) {
      assert_int_equal(kecs_validate_priority(cases[i].number), cases[i].says ? KECS_E_INVALID : KECS_OK);
    }
  }
  kecs_rule rule = {.is_default = true};
  judge(KECS_KIND_RULE, &rule, "a default rule without a priority", NULL);
}

/* A task has no rules but that of its documents. */
static void test_task(void **state) {
  (void)state;
  kecs_task task = {.launch_type = "moon", .last_status = "?", .cpu = "x", .tags = "{\"a\":1}", .overrides = "7"};
  judge(KECS_KIND_TASK, &task, "with anything", NULL);
  task.overrides = "{";
  judge(KECS_KIND_TASK, &task, "with broken JSON", "overrides: line 1, column 2: ");
}

/* ---- task definitions ---- */

#define CONTAINER(rest) "[{\"name\":\"a\",\"image\":\"nginx\"" rest "}]"

static void test_containers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *says;
  } cases[] = {
      {CONTAINER(""), NULL},
      {CONTAINER(",\"cpu\":0,\"memory\":128,\"memoryReservation\":128,\"essential\":true,\"extra\":[{}]"), NULL},
      {CONTAINER(",\"cpu\":null,\"memory\":null,\"portMappings\":null,\"essential\":null,\"mountPoints\":[]"), NULL},
      {CONTAINER("},{\"name\":\"A\",\"image\":\"b\",\"essential\":false"), NULL},
      {NULL, "containerDefinitions: At least one container required"},
      {"", "containerDefinitions: At least one container required"},
      {"[]", "containerDefinitions: At least one container required"},
      {"{}", "containerDefinitions: "},
      {"[{}]", "containerDefinitions[0].name: Container name is required"},
      {"[[]]", "containerDefinitions[0]: "},
      {"[{\"name\":\"\",\"image\":\"b\"}]", "containerDefinitions[0].name: Container name is required"},
      {"[{\"name\":null,\"image\":\"b\"}]", "containerDefinitions[0].name: Container name is required"},
      {"[{\"name\":1,\"image\":\"b\"}]", "containerDefinitions[0].name: "},
      {"[{\"name\":\"a\\u0000\",\"image\":\"b\"}]", "containerDefinitions[0].name: "},
      {"[{\"name\":\"a\"}]", "containerDefinitions[0].image: Container image is required"},
      {CONTAINER("},{\"name\":\"b\",\"image\":\"\""), "containerDefinitions[1].image: Container image is required"},
      {CONTAINER("},{\"name\":\"b\",\"image\":[]"), "containerDefinitions[1].image: "},
      {CONTAINER("},{\"name\":\"b\",\"image\":\"x\"},{\"name\":\"\\u0061\",\"image\":\"x\""),
       "containerDefinitions[2].name: \"a\" is used by element 0"},
      {CONTAINER(",\"essential\":false"), "containerDefinitions: at least one container must be essential"},
      {CONTAINER(",\"essential\":\"true\""), "containerDefinitions[0].essential: "},
      {CONTAINER(",\"cpu\":-1"), "containerDefinitions[0].cpu: -1"},
      {CONTAINER(",\"cpu\":\"256\""), "containerDefinitions[0].cpu: "},
      {CONTAINER(",\"memory\":-1"), "containerDefinitions[0].memory: "},
      {CONTAINER(",\"memory\":1.5"), "containerDefinitions[0].memory: "},
      {CONTAINER(",\"memoryReservation\":-1"), "containerDefinitions[0].memoryReservation: "},
      {CONTAINER(",\"memory\":127,\"memoryReservation\":128"), "containerDefinitions[0].memory: 127 is below"},
      {CONTAINER(",\"portMappings\":[{\"containerPort\":80}]"), NULL},
      {CONTAINER(",\"portMappings\":[{\"containerPort\":0,\"hostPort\":65535,\"protocol\":\"udp\"}]"), NULL},
      {CONTAINER(",\"portMappings\":[{\"containerPortRange\":\"80-90\",\"protocol\":\"tcp\"}]"), NULL},
      {CONTAINER(",\"portMappings\":{}"), "containerDefinitions[0].portMappings: "},
      {CONTAINER(",\"portMappings\":[80]"), "containerDefinitions[0].portMappings[0]: "},
      {CONTAINER(",\"portMappings\":[{},{\"containerPort\":65536}]"),
       "containerDefinitions[0].portMappings[1].containerPort: 65536"},
      {CONTAINER(",\"portMappings\":[{\"hostPort\":-1}]"), "containerDefinitions[0].portMappings[0].hostPort: "},
      {CONTAINER(",\"portMappings\":[{\"protocol\":\"TCP\"}]"), "containerDefinitions[0].portMappings[0].protocol: "},
      {CONTAINER(",\"portMappings\":[{\"protocol\":6}]"), "containerDefinitions[0].portMappings[0].protocol: 6"},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    text_case one = {KECS_TASK_DEFINITION_CONTAINER_DEFINITIONS, cases[i].text, cases[i].says};
    check_texts(KECS_KIND_TASK_DEFINITION, &one, 1);
  }
  text_case family = {KECS_TASK_DEFINITION_FAMILY, NULL, "family: Family is required"};
  check_texts(KECS_KIND_TASK_DEFINITION, &family, 1);
}

static void test_volumes(void **state) {
  (void)state;
  static const char mounts[] =
      CONTAINER("},{\"name\":\"b\",\"image\":\"x\",\"mountPoints\":[{\"containerPath\":\"/x\"},"
                "{\"sourceVolume\":\"data\"},{\"sourceVolume\":\"c\\u0061che\"}]");
  static const struct {
    const char *containers;
    const char *volumes;
    const char *says;
  } cases[] = {
      {CONTAINER(""), "[{\"name\":\"data\"},{\"name\":\"Data\",\"host\":{}}]", NULL},
      {mounts, "[{\"name\":\"x\"},{\"name\":\"cache\"},{\"name\":\"data\"}]", NULL},
      {CONTAINER(""), "[{\"name\":\"data\"},{\"name\":\"b\"},{\"name\":\"data\"}]",
       "volumes[2].name: \"data\" is used by element 0"},
      {CONTAINER(""), "[{\"name\":\"\"}]", "volumes[0].name: "},
      {CONTAINER(""), "[{\"host\":{}}]", "volumes[0].name: "},
      {CONTAINER(""), "[{\"name\":3}]", "volumes[0].name: "},
      {CONTAINER(""), "{}", "volumes: "},
      {CONTAINER(""), "[\"data\"]", "volumes[0]: "},
      {mounts, NULL, "containerDefinitions[1].mountPoints[1].sourceVolume: Unknown volume 'data'"},
      {mounts, "[{\"name\":\"data\"}]", "containerDefinitions[1].mountPoints[2].sourceVolume: Unknown volume 'cache'"},
      {CONTAINER(",\"mountPoints\":{}"), NULL, "containerDefinitions[0].mountPoints: "},
      {CONTAINER(",\"mountPoints\":[1]"), NULL, "containerDefinitions[0].mountPoints[0]: "},
      {CONTAINER(",\"mountPoints\":[{\"sourceVolume\":1}]"), NULL,
       "containerDefinitions[0].mountPoints[0].sourceVolume: "},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_task_definition row = {.family = "web"};
    row.container_definitions = cases[i].containers;
    row.volumes = cases[i].volumes;
    judge(KECS_KIND_TASK_DEFINITION, &row, cases[i].containers, cases[i].says);
  }
}

/* ---- sizes ---- */

/* AWS's table, in its own words: memory in MiB for each cpu. */
static bool fargate_has(int64_t cpu, int64_t mib) {
  static const int64_t small[] = {512, 1024, 2048};
  int64_t gb = mib / 1024;
  bool whole = mib % 1024 == 0;
  switch (cpu) {
    case 256:
      return mib == small[0] || mib == small[1] || mib == small[2];
    case 512:
      return whole && gb >= 1 && gb <= 4;
    case 1024:
      return whole && gb >= 2 && gb <= 8;
    case 2048:
      return whole && gb >= 4 && gb <= 16;
    case 4096:
      return whole && gb >= 8 && gb <= 30;
    case 8192:
      return whole && gb >= 16 && gb <= 60 && gb % 4 == 0;
    case 16384:
      return whole && gb >= 32 && gb <= 120 && gb % 8 == 0;
    default:
      return false;
  }
}

static void check_pair(int64_t cpu, int64_t mib) {
  char left[32];
  char right[32];
  snprintf(left, sizeof left, "%lld", (long long)cpu);
  snprintf(right, sizeof right, "%lld", (long long)mib);
  kecs_status status = kecs_validate_fargate_size(left, right);
  if ((status == KECS_OK) != fargate_has(cpu, mib)) {
    fail_msg("cpu %s with memory %s: %s", left, right, status ? kecs_last_error()->text : "was accepted");
  }
}

static void test_fargate_table(void **state) {
  (void)state;
  static const int64_t cpus[] = {0,    1,    128,  255,  256,  257,  511,   512,   513,   768,  1023, 1024, 1025,
                                 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16383, 16384, 32768};
  int accepted = 0;
  for (size_t i = 0; i < CONTRACT_COUNT(cpus); i++) {
    for (int64_t mib = 0; mib <= 262144; mib += 256) {
      check_pair(cpus[i], mib);
      accepted += fargate_has(cpus[i], mib);
      if (fargate_has(cpus[i], mib)) {
        check_pair(cpus[i], mib - 1);
        check_pair(cpus[i], mib + 1);
      }
    }
  }
  CONTRACT_NUMBER(accepted, 3 + 4 + 7 + 13 + 23 + 12 + 12);
  CONTRACT_FAILS(kecs_validate_fargate_size("300", "512"), KECS_E_INVALID);
  begins("cpu: Invalid 'cpu' setting for task. No Fargate configuration exists for given values.");
  CONTRACT_FAILS(kecs_validate_fargate_size("256", "4096"), KECS_E_INVALID);
  begins("memory: No Fargate configuration exists for given values. With cpu 256 use 512 to 1024 MiB in steps of 512 "
         "or 2048 MiB, ");
  CONTRACT_FAILS(kecs_validate_fargate_size(NULL, "512"), KECS_E_INVALID);
  begins("cpu: ");
  CONTRACT_FAILS(kecs_validate_fargate_size("256", NULL), KECS_E_INVALID);
  begins("memory: No Fargate configuration exists for given values.");
  CONTRACT_FAILS(kecs_validate_fargate_size(NULL, NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_validate_fargate_size("", ""), KECS_E_INVALID);
}

static void test_spellings(void **state) {
  (void)state;
  static const char *const quarter[] = {"256",         " 256 ",     "0000000000000256", ".25 vCPU",      "0.25vCPU",
                                        "0.25 vcpu",   ".25VCPU",   "00.2500 vCPU", "  .25   vCPU  ", ".25\tvCpu",
                                        ".250000000000000000000000000000 vCPU"};
  static const char *const half[] = {"512", " 512", "0512", "0.5 GB", ".5GB", "0.50 gb", " 0.5Gb ",
                                     "0.500000000000000000000000000000GB"};
  static const char *const no_cpu[] = {
      "x",          "-256",      "+256",       "256.0",     "256.5",         "2 56",        "0x100",   "1e2",
      ".25",        "256 vCPU",  ".25 vCPUs",  ".25 v CPU", ".25 CPU",       "1/4 vCPU",    ".",       ". vCPU",
      "vCPU",       "1. vCPU",   "0.25.0vCPU", "0,25 vCPU", "256 MiB",       ".2500001 vCPU", " ",     "0.3 vCPU",
      "0.2499999999999 vCPU",    "18446744073709551872",    "25600000000000000000000 vCPU", "\xc2\xa0",   "256\n"};
  static const char *const no_memory[] = {
      "x",         "-512",    "512.0",   "0.5",      "512 MB",  "512MiB",   "0.5 GiB", "0.5 G",    "0.5 vCPU", "5e2",
      "0.5001 GB", ".5 . GB", "0.5 GBs", "GB",       "0..5 GB", "0x200",    "512 512", "18446744073709552128",
      "1.5 GB",    "0.50000000000000001 GB"};
  for (size_t i = 0; i < CONTRACT_COUNT(quarter); i++) {
    for (size_t j = 0; j < CONTRACT_COUNT(half); j++) {
      CONTRACT_OK(kecs_validate_fargate_size(quarter[i], half[j]));
    }
  }
  for (size_t i = 0; i < CONTRACT_COUNT(no_cpu); i++) {
    CONTRACT_FAILS(kecs_validate_fargate_size(no_cpu[i], "512"), KECS_E_INVALID);
    begins("cpu: Invalid 'cpu' setting for task.");
  }
  for (size_t i = 0; i < CONTRACT_COUNT(no_memory); i++) {
    CONTRACT_FAILS(kecs_validate_fargate_size("256", no_memory[i]), KECS_E_INVALID);
    begins("memory: No Fargate configuration exists for given values.");
  }
  CONTRACT_OK(kecs_validate_fargate_size("1 vCPU", " 2 GB"));
  CONTRACT_OK(kecs_validate_fargate_size("16 vcpu", "120gb"));
  CONTRACT_FAILS(kecs_validate_fargate_size("16 vcpu", "121gb"), KECS_E_INVALID);
}

static void test_task_sizes(void **state) {
  (void)state;
  static const struct {
    const char *requires;
    const char *network;
    const char *cpu;
    const char *memory;
    const char *says;
  } cases[] = {
      {"[\"FARGATE\"]", "awsvpc", "256", "512", NULL},
      {"[\"EC2\",\"FARGATE\"]", "awsvpc", "1 vCPU", "8 GB", NULL},
      {"[\"FARGATE\"]", "bridge", "256", "512", "networkMode: must be awsvpc"},
      {"[\"FARGATE\"]", "host", "256", "512", "networkMode: "},
      {"[\"FARGATE\"]", NULL, "256", "512", "networkMode: "},
      {"[\"EC2\",\"FARGATE\"]", "awsvpc", "256", "4096", "memory: No Fargate configuration exists for given values."},
      {"[\"FARGATE\"]", "awsvpc", "300", "512", "cpu: Invalid 'cpu' setting for task."},
      {"[\"FARGATE\"]", "awsvpc", NULL, "512", "cpu: "},
      {"[\"FARGATE\"]", "awsvpc", "256", NULL, "memory: "},
      {"[\"FARGATE\"]", "awsvpc", "", "", "cpu: "},
      {"[\"EC2\"]", NULL, NULL, NULL, NULL},
      {"[\"EXTERNAL\"]", NULL, "10240", "100", NULL},
      {NULL, "host", "128", "1", NULL},
      {NULL, NULL, "0.125 vCPU", "0.001 GB", NULL},
      {NULL, NULL, "192vCPU", "999999", NULL},
      {NULL, NULL, "196608", NULL, NULL},
      {NULL, NULL, ".3 vCPU", NULL, NULL},
      {"[]", NULL, "127", NULL, "cpu: Invalid 'cpu' setting for task."},
      {NULL, NULL, "196609", NULL, "cpu: Invalid 'cpu' setting for task."},
      {NULL, NULL, "192.0001 vCPU", NULL, "cpu: "},
      {NULL, NULL, "0.1249 vCPU", NULL, "cpu: "},
      {NULL, NULL, "lots", NULL, "cpu: "},
      {NULL, NULL, NULL, "0", "memory: Invalid 'memory' setting for task."},
      {NULL, NULL, NULL, "lots", "memory: "},
      {NULL, NULL, NULL, "0 GB", "memory: "},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_task_definition row = {.family = "web", .container_definitions = CONTAINER("")};
    char shown[32];
    snprintf(shown, sizeof shown, "case %zu", i);
    row.requires_compatibilities = cases[i].requires;
    row.network_mode = cases[i].network;
    row.cpu = cases[i].cpu;
    row.memory = cases[i].memory;
    judge(KECS_KIND_TASK_DEFINITION, &row, shown, cases[i].says);
  }
}

/* Ten thousand names: neither the search for twins nor that for volumes may take them pair by pair. */
static void test_long_lists(void **state) {
  (void)state;
  enum { count = 10000, size = count * 40 };
  char *volumes = malloc(size);
  char *containers = malloc(size);
  assert_true(volumes && containers);
  size_t used = (size_t)snprintf(volumes, size, "[");
  size_t mounted = (size_t)snprintf(containers, size, "[{\"name\":\"a\",\"image\":\"b\",\"mountPoints\":[");
  for (int i = 0; i < count; i++) {
    used += (size_t)snprintf(volumes + used, size - used, "%s{\"name\":\"v%d\"}", i ? "," : "", i * 7919 % count);
    mounted += (size_t)snprintf(containers + mounted, size - mounted, "%s{\"sourceVolume\":\"v%d\"}", i ? "," : "", i);
  }
  snprintf(volumes + used, size - used, "]");
  snprintf(containers + mounted, size - mounted, "]}]");
  kecs_task_definition row = {.family = "web", .container_definitions = containers, .volumes = volumes};
  judge(KECS_KIND_TASK_DEFINITION, &row, "with long lists", NULL);
  snprintf(volumes + used, size - used, ",{\"name\":\"v1\"}]");
  judge(KECS_KIND_TASK_DEFINITION, &row, "with a late twin", "volumes[10000].name: \"v1\"");
  free(volumes);
  free(containers);
}

/* ---- strict stores ---- */

static kecs_store *open_strict(void) {
  kecs_options options;
  memset(&options, 0, sizeof options);
  options.path = ":memory:";
  options.strict = true;
  return contract_open_with(&options);
}

static void test_strict_create(void **state) {
  (void)state;
  kecs_store *strict = open_strict();
  kecs_store *plain = contract_open();
  kecs_cluster rows[] = {{.name = "fine"}, {.name = "not fine"}};
  kecs_result *result = (kecs_result *)&rows;
  CONTRACT_FAILS(kecs_cluster_create(strict, &rows[1], &result), KECS_E_INVALID);
  begins("clusterName: ");
  assert_null(result);
  CONTRACT_NUMBER(contract_count_rows(strict, KECS_KIND_CLUSTER), 0);
  CONTRACT_FAILS(kecs_cluster_upsert(strict, &rows[1], NULL), KECS_E_INVALID);
  begins("clusterName: ");
  CONTRACT_FAILS(kecs_cluster_create_many(strict, rows, 2, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("clusterName: ");
  CONTRACT_NUMBER(contract_count_rows(strict, KECS_KIND_CLUSTER), 0);

  CONTRACT_OK(kecs_cluster_create_many(plain, rows, 2, NULL));
  CONTRACT_NUMBER(contract_count_rows(plain, KECS_KIND_CLUSTER), 2);
  CONTRACT_OK(kecs_cluster_create(strict, &rows[0], NULL));
  CONTRACT_NUMBER(contract_count_rows(strict, KECS_KIND_CLUSTER), 1);

  kecs_task_definition definition = {.family = "web", .container_definitions = CONTAINER("},{\"name\":\"b\"")};
  CONTRACT_FAILS(kecs_task_definition_create(strict, &definition, NULL), KECS_E_INVALID);
  begins("containerDefinitions[1].image: Container image is required");
  CONTRACT_NUMBER(contract_count_rows(strict, KECS_KIND_TASK_DEFINITION), 0);
  CONTRACT_OK(kecs_task_definition_create(plain, &definition, NULL));
  definition.container_definitions = CONTAINER("");
  CONTRACT_OK(kecs_task_definition_create(strict, &definition, NULL));
  contract_close(strict);
  contract_close(plain);
}

static void test_strict_update(void **state) {
  (void)state;
  static const char bad[] = "[{\"name\":\"containerInsights\",\"value\":\"loud\"}]";
  kecs_store *strict = open_strict();
  kecs_store *plain = contract_open();
  kecs_cluster row = {.name = "web", .status = "ACTIVE"};
  CONTRACT_OK(kecs_cluster_create(strict, &row, NULL));
  CONTRACT_OK(kecs_cluster_create(plain, &row, NULL));
  row.settings = bad;
  CONTRACT_FAILS(kecs_cluster_update(strict, &row, NULL), KECS_E_INVALID);
  begins("settings[0].value: \"loud\"");
  CONTRACT_FAILS(kecs_cluster_update_fields(strict, &row, KECS_BIT(KECS_CLUSTER_SETTINGS), NULL), KECS_E_INVALID);
  begins("settings[0].value: ");
  CONTRACT_FAILS(kecs_cluster_upsert(strict, &row, NULL), KECS_E_INVALID);
  CONTRACT_OK(kecs_cluster_update(plain, &row, NULL));

  /* Columns that an update does not write are not judged. */
  row.status = "DRAINING";
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_update_fields(strict, &row, KECS_BIT(KECS_CLUSTER_STATUS), &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "DRAINING");
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->settings, NULL);
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 2);
  kecs_result_free(result);

  /* Neither is a strategy held to a list that this update does not know; its form is. */
  row.default_capacity_provider_strategy = "[{\"capacityProvider\":\"own\"}]";
  uint64_t strategy = KECS_BIT(KECS_CLUSTER_DEFAULT_CAPACITY_PROVIDER_STRATEGY);
  CONTRACT_OK(kecs_cluster_update_fields(strict, &row, strategy, NULL));
  CONTRACT_FAILS(kecs_cluster_update_fields(strict, &row, strategy | KECS_BIT(KECS_CLUSTER_CAPACITY_PROVIDERS), NULL),
                 KECS_E_INVALID);
  begins("defaultCapacityProviderStrategy[0].capacityProvider: ");
  row.default_capacity_provider_strategy = "[{\"capacityProvider\":\"own\",\"weight\":-1}]";
  CONTRACT_FAILS(kecs_cluster_update_fields(strict, &row, strategy, NULL), KECS_E_INVALID);
  begins("defaultCapacityProviderStrategy[0].weight: ");
  contract_close(strict);
  contract_close(plain);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(test_nothing_set),   CONTRACT_TEST(test_json_columns),     CONTRACT_TEST(test_account_ids),
    CONTRACT_TEST(test_names),         CONTRACT_TEST(test_cluster),          CONTRACT_TEST(test_strategies),
    CONTRACT_TEST(test_listed_providers), CONTRACT_TEST(test_tags),          CONTRACT_TEST(test_tag_rows),
    CONTRACT_TEST(test_words),         CONTRACT_TEST(test_numbers),          CONTRACT_TEST(test_task),
    CONTRACT_TEST(test_containers),    CONTRACT_TEST(test_volumes),          CONTRACT_TEST(test_fargate_table),
    CONTRACT_TEST(test_spellings),     CONTRACT_TEST(test_task_sizes),       CONTRACT_TEST(test_long_lists),
    CONTRACT_TEST(test_strict_create), CONTRACT_TEST(test_strict_update),
};

CONTRACT_MAIN("validate", tests)
