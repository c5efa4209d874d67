/* test_puts.c -- a document that is put again is no change, whatever its members hold. */
#include "contract.h"

/* The least that a document of each kind needs, without its closing brace. */
static const struct {
  kecs_kind kind;
  const char *document;
} bases[] = {
    {KECS_KIND_CLUSTER, "{\"clusterName\":\"c\""},
    {KECS_KIND_TASK_DEFINITION, "{\"family\":\"f\",\"revision\":3,\"containerDefinitions\":[],\"taskDefinitionArn\":"
                                "\"" CONTRACT_ARN_ECS "task-definition/f:3\""},
    {KECS_KIND_SERVICE, "{\"serviceName\":\"s\",\"clusterArn\":\"" CONTRACT_CLUSTER "\""},
    {KECS_KIND_TASK, "{\"taskArn\":\"" CONTRACT_ARN_ECS "task/parent/00\",\"clusterArn\":\"" CONTRACT_CLUSTER "\""},
    {KECS_KIND_TASK_SET, "{\"id\":\"ecs-svc/1\",\"serviceArn\":\"" CONTRACT_SERVICE "\",\"clusterArn\":"
                         "\"" CONTRACT_CLUSTER "\""},
    {KECS_KIND_CONTAINER_INSTANCE, "{\"containerInstanceArn\":\"" CONTRACT_ARN_ECS "container-instance/parent/00\","
                                   "\"clusterArn\":\"" CONTRACT_CLUSTER "\""},
    {KECS_KIND_ATTRIBUTE, "{\"name\":\"a\",\"targetId\":\"t\""},
    {KECS_KIND_ACCOUNT_SETTING, "{\"name\":\"n\",\"principalArn\":\"p\""},
    {KECS_KIND_LOAD_BALANCER, "{\"LoadBalancerName\":\"b\""},
    {KECS_KIND_TARGET_GROUP, "{\"TargetGroupName\":\"g\""},
    {KECS_KIND_LISTENER, "{\"ListenerArn\":\"" CONTRACT_ARN_ELB "listener/app/parent/00000000000000aa/1\","
                         "\"LoadBalancerArn\":\"" CONTRACT_BALANCER "\""},
    {KECS_KIND_RULE, "{\"RuleArn\":\"" CONTRACT_ARN_ELB "listener-rule/app/parent/00000000000000aa/00000000000000cc/1"
                     "\",\"ListenerArn\":\"" CONTRACT_LISTENER "\",\"Priority\":\"7\""},
    {KECS_KIND_NODE, "{\"nodeId\":\"n\",\"hostname\":\"h\""},
    {KECS_KIND_NODE_TASK, "{\"taskId\":\"t\",\"name\":\"n\",\"image\":\"i\""},
};

/* Values of every sort; each column takes some of them and keeps the others as they are. */
static const char *const values[] = {
    "[]",   "{}",    "{\"a\":[1]}", "[7]",    "null",  "true",    "false",       "0",
    "7",    "-7",    "1.0",         "1.5",    "1e400", "2024.5",  "9223372036854775808",
    "\"\"", "\"x\"", "\"7\"",       "\"true\"", "\"2024-02-29T12:00:00Z\"",
};

/* NULL when the document is refused the first time: then it is no case. */
static kecs_result *put(kecs_store *store, kecs_kind kind, const char *document) {
  kecs_result *result = NULL;
  kecs_status status = kecs_put_json(store, kind, document, SIZE_MAX, 0, &result);
  assert_true(status == KECS_OK || status == KECS_E_INVALID || status == KECS_E_REFERENCE);
  return result;
}

static void check_twice(kecs_store *store, kecs_kind kind, const char *document) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_result *first = put(store, kind, document);
  if (!first) {
    return;
  }
  const void *row = kecs_record_at(first, kind, 0);
  const char *text = NULL;
  char key[1024];
  contract_row_key(info, row, key, sizeof key);
  CONTRACT_OK(kecs_record_json(first, info, row, 0, &text));
  const char *again[] = {document, text};
  for (int i = 0; i < 2; i++) { /* as it was given, and as it comes back */
    kecs_result *second = put(store, kind, again[i]);
    if (!second) {
      fail_msg("%s is refused the second time: %s", again[i], kecs_last_error()->text);
    }
    const void *now = kecs_record_at(second, kind, 0);
    uint64_t ignored = 0;
    if (i == 1) { /* what is kept may stand in another order, and that is a change */
      ignored = KECS_BIT(kecs_column_find(info, "extra")) | KECS_BIT(kecs_column_find(info, "updated_at")) |
                KECS_BIT(kecs_column_find(info, "version"));
    }
    for (int column = 0; column < info->column_count; column++) {
      if (!(ignored & KECS_BIT(column)) && !contract_column_same(info, now, row, column)) {
        print_error("%s\n  put again%s:\n", document, i ? " as it comes back" : "");
        break;
      }
    }
    CONTRACT_SAME_ROWS(info, now, row, ignored);
    if (i == 0) {
      const char *same = NULL;
      CONTRACT_OK(kecs_record_json(second, info, now, 0, &same));
      CONTRACT_TEXT(same, text);
    }
    kecs_result_free(second);
  }
  kecs_result_free(first);
  CONTRACT_OK(kecs_record_delete(store, kind, key));
}

/* The member of a column: "Outer", "Outer.Inner" or "First|Second". False where it has none of its own. */
static bool member_of(const kecs_column_info *column, const char *value, char *out, size_t size) {
  char name[64];
  if (!column->json || strncmp(column->json, "kecs.", 5) == 0 || strcmp(column->json, "kecs") == 0) {
    return false;
  }
  snprintf(name, sizeof name, "%.*s", (int)strcspn(column->json, "|"), column->json);
  char *dot = strchr(name, '.');
  if (dot) {
    *dot = '\0';
    snprintf(out, size, "\"%s\":{\"%s\":%s}", name, dot + 1, value);
  } else {
    snprintf(out, size, "\"%s\":%s", name, value);
  }
  return true;
}

static void each_member_twice(void **state) {
  (void)state;
  for (size_t b = 0; b < CONTRACT_COUNT(bases); b++) {
    const kecs_kind_info *info = kecs_kind_describe(bases[b].kind);
    kecs_store *store = contract_open();
    kecs_store *tx = NULL;
    contract_parents(store);
    CONTRACT_OK(kecs_begin(store, &tx));
    for (int column = 0; column < info->column_count; column++) {
      for (size_t v = 0; v < CONTRACT_COUNT(values); v++) {
        char member[256];
        char document[1024];
        if (!member_of(&info->columns[column], values[v], member, sizeof member)) {
          break;
        }
        snprintf(document, sizeof document, "%.*s\":", (int)strcspn(member + 1, "\"") + 1, member);
        if (strstr(bases[b].document, document)) {
          break; /* one of those that it needs */
        }
        snprintf(document, sizeof document, "%s,%s}", bases[b].document, member);
        check_twice(tx, info->kind, document);
      }
    }
    CONTRACT_OK(kecs_rollback(tx));
    contract_close(store);
  }
}

/* The same in short: a port that is no number. */
static void a_port_that_is_none_twice(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  check_twice(store, KECS_KIND_TARGET_GROUP, "{\"TargetGroupName\":\"g\",\"Port\":[]}");
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(each_member_twice),
    CONTRACT_TEST(a_port_that_is_none_twice),
};

CONTRACT_MAIN("puts", tests)
