/* cases.c -- the ready store and the table of calls. */
#include "fault/cases.h"

#define ECS "arn:aws:ecs:us-east-1:000000000000:"
#define ELB "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
#define CLUSTER ECS "cluster/main"
#define SERVICE ECS "service/main/web"
#define INSTANCE ECS "container-instance/main/00000000000000000000000000000001"
#define BALANCER ELB "loadbalancer/app/front/00000000000000aa"
#define GROUP ELB "targetgroup/blue/00000000000000bb"
#define LISTENER ELB "listener/app/front/00000000000000aa/00000000000000cc"
#define RULE_A ELB "listener-rule/app/front/00000000000000aa/00000000000000cc/00000000000000d1"
#define RULE_B ELB "listener-rule/app/front/00000000000000aa/00000000000000cc/00000000000000d2"
#define TAGS "[{\"key\":\"team\",\"value\":\"red\"},{\"key\":\"stage\",\"value\":\"test\"}]"
#define CONTAINERS "[{\"name\":\"web\",\"image\":\"nginx:1.25\",\"cpu\":256,\"memory\":512}]"

/* Long before and long after what the clock of these tests shows. */
#define LONG_AGO INT64_C(1577836800000000)
#define FAR_AHEAD INT64_C(1893456000000000)

/* ---- the ready store ---- */

#define SEED(call)                                                                                      \
  do {                                                                                                  \
    kecs_status seed_status = (call);                                                                   \
    if (seed_status) {                                                                                  \
      fail_msg("%s: %s: %s", #call, kecs_status_name(seed_status), kecs_last_error()->text);            \
    }                                                                                                   \
  } while (0)

static void seed_ecs(kecs_store *store) {
  kecs_cluster clusters[] = {{.name = "main", .tags = TAGS}, {.name = "default"}, {.name = "idle", .status = "ACTIVE"}};
  kecs_service services[] = {
      {.name = "web", .cluster_arn = CLUSTER, .desired_count = 2, .task_definition = "web:1", .tags = TAGS},
      {.name = "old", .cluster_arn = CLUSTER, .status = "INACTIVE"},
      {.name = "gone", .cluster_arn = CLUSTER},
  };
  kecs_task tasks[] = {
      {.id = "00000000000000000000000000000001", .cluster_arn = CLUSTER, .service_arn = SERVICE,
       .task_definition_arn = ECS "task-definition/web:1", .last_status = "RUNNING", .started_by = "ecs-svc/web"},
      {.id = "00000000000000000000000000000002", .cluster_arn = CLUSTER, .service_arn = SERVICE,
       .task_definition_arn = ECS "task-definition/web:1", .last_status = "STOPPED", .stopped_at = LONG_AGO},
      {.id = "00000000000000000000000000000003", .cluster_arn = CLUSTER, .last_status = "RUNNING", .tags = TAGS},
  };
  kecs_task_definition definition = {
      .family = "web", .container_definitions = CONTAINERS, .cpu = "256", .memory = "512"};
  kecs_task_set sets[] = {
      {.id = "ecs-svc/1", .service_arn = SERVICE, .cluster_arn = CLUSTER, .status = "PRIMARY"},
      {.id = "ecs-svc/2", .service_arn = SERVICE, .cluster_arn = CLUSTER},
      {.id = "ecs-svc/3", .service_arn = ECS "service/main/gone", .cluster_arn = CLUSTER},
  };
  kecs_container_instance instances[] = {
      {.arn = INSTANCE, .cluster_arn = CLUSTER, .ec2_instance_id = "i-1", .attributes = "[{\"name\":\"zone\"}]"},
      {.id = "00000000000000000000000000000002", .cluster_arn = CLUSTER, .status = "INACTIVE",
       .deregistered_at = LONG_AGO},
  };
  kecs_attribute attribute = {.name = "stack", .value = "blue", .target_id = INSTANCE, .cluster = "main"};
  SEED(kecs_cluster_create_many(store, clusters, FAULT_COUNT(clusters), NULL));
  SEED(kecs_service_create_many(store, services, FAULT_COUNT(services), NULL));
  SEED(kecs_task_create_many(store, tasks, FAULT_COUNT(tasks), NULL));
  for (int i = 0; i < 3; i++) {
    SEED(kecs_task_definition_register(store, &definition, NULL));
  }
  SEED(kecs_task_set_create_many(store, sets, FAULT_COUNT(sets), NULL));
  SEED(kecs_service_delete(store, "main", "gone"));
  SEED(kecs_container_instance_create_many(store, instances, FAULT_COUNT(instances), NULL));
  SEED(kecs_attribute_create(store, &attribute, NULL));
}

static void seed_elb(kecs_store *store) {
  kecs_load_balancer balancer = {.arn = BALANCER, .name = "front", .tags = TAGS};
  kecs_target_group groups[] = {{.arn = GROUP, .name = "blue", .port = 80}, {.name = "green", .port = 81}};
  kecs_listener listener = {.arn = LISTENER, .load_balancer_arn = BALANCER, .port = 80,
                            .default_actions = "[{\"Type\":\"forward\",\"TargetGroupArn\":\"" GROUP "\"}]"};
  kecs_rule rules[] = {{.arn = RULE_A, .listener_arn = LISTENER, .priority = 1},
                       {.arn = RULE_B, .listener_arn = LISTENER, .priority = 2}};
  kecs_target target = {.target_group_arn = GROUP, .id = "i-1", .port = 80};
  SEED(kecs_load_balancer_create(store, &balancer, NULL));
  SEED(kecs_target_group_create_many(store, groups, FAULT_COUNT(groups), NULL));
  SEED(kecs_listener_create(store, &listener, NULL));
  SEED(kecs_rule_create_many(store, rules, FAULT_COUNT(rules), NULL));
  SEED(kecs_target_create(store, &target, NULL));
}

static void seed_others(kecs_store *store) {
  kecs_account_setting setting = {.name = "containerInsights", .value = "enabled", .principal_arn = "default",
                                  .is_default = true};
  kecs_task_log logs[] = {
      {.task_arn = ECS "task/main/1", .container_name = "web", .log_line = "GET /", .log_level = "INFO"},
      {.task_arn = ECS "task/main/1", .container_name = "web", .log_line = "oops", .created_at = LONG_AGO},
  };
  kecs_event events[] = {
      {.event_type = "api", .resource_arn = CLUSTER, .resource_type = "cluster", .action = "CREATE"},
      {.event_type = "api",
       .resource_arn = CLUSTER,
       .resource_type = "cluster",
       .action = "GET",
       .timestamp = LONG_AGO},
  };
  kecs_node nodes[] = {
      {.id = "node-1", .hostname = "one", .status = "online", .last_heartbeat = LONG_AGO},
      {.id = "node-2", .hostname = "two", .status = "offline", .last_heartbeat = LONG_AGO},
  };
  kecs_node_task task = {.id = "job-1", .name = "job", .image = "busybox"};
  SEED(kecs_account_setting_create(store, &setting, NULL));
  SEED(kecs_task_log_create_many(store, logs, FAULT_COUNT(logs), NULL));
  SEED(kecs_event_create_many(store, events, FAULT_COUNT(events), NULL));
  SEED(kecs_node_create_many(store, nodes, FAULT_COUNT(nodes), NULL));
  SEED(kecs_node_task_create(store, &task, NULL));
}

void fault_seed(kecs_store *store) {
  seed_ecs(store);
  seed_elb(store);
  seed_others(store);
}

kecs_status fault_small_read(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_cluster_get(store, "default", &result), &result);
}

kecs_status fault_small_write(kecs_store *store) {
  kecs_cluster cluster = {.name = "default", .status = "small write"};
  return kecs_cluster_update_fields(store, &cluster, KECS_BIT(KECS_CLUSTER_STATUS), NULL);
}

/* ---- create ---- */

static kecs_status create(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_cluster cluster = {.name = "new", .settings = "[{\"name\":\"containerInsights\",\"value\":\"enabled\"}]"};
  return fault_take(kecs_cluster_create(store, &cluster, &result), &result);
}

static kecs_status create_with_tags(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_service service = {.name = "api", .cluster_arn = "main", .tags = TAGS};
  return fault_take(kecs_service_create(store, &service, &result), &result);
}

static kecs_status create_no_result(kecs_store *store) {
  kecs_task task = {.cluster_arn = "main", .task_definition_arn = "web:3"};
  return kecs_task_create(store, &task, NULL);
}

static kecs_status create_many(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_cluster clusters[] = {{.name = "c1", .tags = TAGS}, {.name = "c2"}, {.name = "c3", .tags = TAGS}};
  return fault_take(kecs_cluster_create_many(store, clusters, FAULT_COUNT(clusters), &result), &result);
}

/* More pages than the cache holds, so that some are written before the commit. */
static kecs_status create_large(kecs_store *store) {
  enum { ROWS = 60 };
  static char line[9000];
  kecs_task_log logs[ROWS];
  memset(logs, 0, sizeof logs);
  memset(line, 'x', sizeof line - 1);
  for (int i = 0; i < ROWS; i++) {
    logs[i] = (kecs_task_log){.task_arn = ECS "task/main/2", .container_name = "web", .log_line = line};
  }
  return kecs_task_log_create_many(store, logs, ROWS, NULL);
}

static kecs_status create_strict(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_task_definition definition = {.family = "strict", .container_definitions = CONTAINERS, .cpu = "256",
                                     .memory = "512", .requires_compatibilities = "[\"FARGATE\"]",
                                     .network_mode = "awsvpc", .tags = TAGS};
  return fault_take(kecs_task_definition_create(store, &definition, &result), &result);
}

static kecs_status ensure(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_cluster cluster = {.name = "ensured", .tags = TAGS};
  bool created = false;
  kecs_status status = fault_take(kecs_cluster_ensure(store, &cluster, &created, &result), &result);
  fault_output_number(created);
  return status;
}

/* ---- read ---- */

static kecs_status get(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_status status = fault_take(kecs_service_get(store, "main", "web", &result), &result);
  if (!status) {
    result = FAULT_POISON;
    status = fault_take(kecs_task_get(store, NULL, ECS "task/main/00000000000000000000000000000001", &result), &result);
  }
  return status;
}

/* From the database, then from the row cache. */
static kecs_status get_again(kecs_store *store) {
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < 3; i++) {
    kecs_result *result = FAULT_POISON;
    status = fault_take(kecs_service_get(store, i == 1 ? "main" : CLUSTER, "web", &result), &result);
    if (!status) {
      result = FAULT_POISON;
      status = fault_take(kecs_cluster_list(store, NULL, &result), &result);
    }
  }
  return status;
}

static kecs_status get_many(kecs_store *store) {
  static const char *const keys[] = {"idle", "unknown", CLUSTER};
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_cluster_get_many(store, keys, FAULT_COUNT(keys), &result), &result);
}

static kecs_status pipeline(kecs_store *store) {
  const kecs_read reads[] = {{KECS_KIND_CLUSTER, "main", NULL},
                             {KECS_KIND_CLUSTER, "unknown", NULL},
                             {(kecs_kind)0, NULL, NULL},
                             {KECS_KIND_TASK, NULL, NULL}};
  kecs_answers *answers = (kecs_answers *)(void *)FAULT_POISON;
  kecs_status status = kecs_pipeline(store, reads, FAULT_COUNT(reads), &answers);
  if (status) {
    return answers == NULL ? status : KECS_E_MISUSE;
  }
  for (size_t i = 0; i < FAULT_COUNT(reads); i++) {
    static const kecs_status expected[] = {KECS_OK, KECS_E_NOT_FOUND, KECS_E_INVALID, KECS_OK};
    kecs_result *result = FAULT_POISON;
    status = kecs_answers_at(answers, i, &result) == expected[i] ? status : KECS_E_MISUSE;
  }
  kecs_answers_free(answers);
  return status;
}

static kecs_status list(kecs_store *store) {
  kecs_filter filters[] = {{.column = KECS_TASK_CLUSTER_ARN, .op = KECS_EQ, .text = "main"},
                           {.column = KECS_TASK_ID, .op = KECS_PREFIX, .text = "0000"}};
  kecs_query query = {.where = filters, .where_count = 2, .direction = KECS_ORDER_ASCENDING,
                      .order_by = KECS_TASK_LAST_STATUS, .limit = 2};
  char token[2000];
  kecs_result *result = FAULT_POISON;
  kecs_status status = kecs_task_list(store, &query, &result);
  snprintf(token, sizeof token, "%s", status ? "" : kecs_result_page_token(result));
  status = fault_take(status, &result);
  if (!status) {
    result = FAULT_POISON;
    query.page_token = token;
    status = fault_take(kecs_task_list(store, &query, &result), &result);
  }
  return status;
}

static kecs_status each_visit(const kecs_task *row, void *user) {
  ++*(int *)user;
  fault_output_text(row->arn);
  fault_output_text(row->tags);
  return KECS_OK;
}

static kecs_status each(kecs_store *store) {
  int seen = 0;
  kecs_status status = kecs_task_each(store, NULL, each_visit, &seen);
  fault_output_number(seen);
  return status;
}

static kecs_status count(kecs_store *store) {
  kecs_filter filter = {.column = KECS_TASK_LAST_STATUS, .op = KECS_EQ, .text = "RUNNING"};
  kecs_query query = {.where = &filter, .where_count = 1};
  int64_t rows = -1;
  return fault_take_count(kecs_task_count(store, &query, &rows), &rows);
}

static kecs_status info(kecs_store *store) {
  kecs_info about;
  kecs_status status = kecs_store_info(store, &about);
  if (!status) {
    fault_output_text(about.journal_mode);
    fault_output_number(about.size_bytes);
  }
  return status;
}

/* ---- update ---- */

static kecs_status update(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_cluster cluster = {.arn = CLUSTER, .name = "main", .status = "DRAINING", .tags = TAGS, .version = 1};
  return fault_take(kecs_cluster_update(store, &cluster, &result), &result);
}

static kecs_status update_tags(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_service service = {.arn = SERVICE, .name = "web", .cluster_arn = CLUSTER, .version = 1,
                          .tags = "[{\"key\":\"team\",\"value\":\"blue\"},{\"key\":\"more\"}]"};
  return fault_take(kecs_service_update(store, &service, &result), &result);
}

static kecs_status update_fields(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_task task = {.id = "00000000000000000000000000000001", .cluster_arn = "main", .last_status = "STOPPED",
                    .stopped_at = FAR_AHEAD};
  uint64_t mask = KECS_BIT(KECS_TASK_LAST_STATUS) | KECS_BIT(KECS_TASK_STOPPED_AT);
  return fault_take(kecs_task_update_fields(store, &task, mask, &result), &result);
}

static kecs_status update_nothing(kecs_store *store) {
  kecs_cluster cluster = {.name = "main", .tags = TAGS};
  return kecs_cluster_update_fields(store, &cluster, KECS_BIT(KECS_CLUSTER_TAGS), NULL);
}

static kecs_status upsert_new(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_container_instance instance = {.id = "00000000000000000000000000000009", .cluster_arn = CLUSTER, .tags = TAGS};
  return fault_take(kecs_container_instance_upsert(store, &instance, &result), &result);
}

static kecs_status upsert_old(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_service service = {.name = "web", .cluster_arn = CLUSTER, .desired_count = 9,
                          .tags = "[{\"key\":\"team\",\"value\":\"green\"}]"};
  return fault_take(kecs_service_upsert(store, &service, &result), &result);
}

static kecs_status upsert_many(kecs_store *store) {
  kecs_cluster rows[] = {{.name = "main", .status = "INACTIVE"}, {.name = "fresh"},
                         {.name = "fresh", .status = "TWICE"}};
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_cluster_upsert_many(store, rows, FAULT_COUNT(rows), &result), &result);
}

static kecs_status put_json_many(kecs_store *store) {
  static const char *const texts[] = {"{\"clusterName\":\"main\",\"status\":\"PUT\"}", "{\"clusterName\":\"put\"}"};
  return kecs_put_json_many(store, KECS_KIND_CLUSTER, texts, FAULT_COUNT(texts), 0);
}

static kecs_status assign(kecs_store *store) {
  static const kecs_assignment assignments[] = {{"desired_count", "7"}, {"tags", "[]"}, {"launch_type", NULL}};
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_record_assign(store, KECS_KIND_SERVICE, "main,web", assignments, FAULT_COUNT(assignments), 1,
                                       &result),
                    &result);
}

/* ---- delete ---- */

static kecs_status delete_all(kecs_store *store) {
  return kecs_cluster_delete(store, "main");
}

static kecs_status delete_service(kecs_store *store) {
  return kecs_record_delete(store, KECS_KIND_SERVICE, "main,web");
}

static kecs_status delete_balancer(kecs_store *store) {
  return kecs_load_balancer_delete(store, BALANCER);
}

static kecs_status delete_idle(kecs_store *store) {
  return kecs_cluster_delete_idle(store, "idle");
}

/* What clean-ups have done when they fail stays done, and is counted. */
static kecs_status prune(kecs_store *store) {
  int64_t done = -1;
  kecs_status status = kecs_task_delete_older(store, "main", FAR_AHEAD, NULL, &done);
  fault_output_number(done);
  return status;
}

static kecs_status prune_all(kecs_store *store) {
  int64_t done[6] = {0};
  kecs_status status = kecs_service_delete_marked(store, NULL, FAR_AHEAD, &done[0]);
  status = status ? status : kecs_task_log_delete_older(store, LONG_AGO + 1, &done[1]);
  status = status ? status : kecs_event_prune(store, LONG_AGO + 1, &done[2]);
  status = status ? status : kecs_node_prune(store, FAR_AHEAD, &done[3]);
  status = status ? status : kecs_container_instance_delete_stale(store, "main", FAR_AHEAD, &done[4]);
  status = status ? status : kecs_task_set_delete_orphaned(store, "main", &done[5]);
  for (size_t i = 0; i < FAULT_COUNT(done); i++) {
    fault_output_number(done[i]);
  }
  return status;
}

/* ---- transactions ---- */

static kecs_status transaction_work(kecs_store *tx) {
  kecs_cluster cluster = {.name = "tx", .tags = TAGS};
  kecs_status status = kecs_cluster_create(tx, &cluster, NULL);
  return status ? status : update(tx);
}

static kecs_status begin(kecs_store *store, kecs_store **out_tx) {
  *out_tx = (kecs_store *)(void *)FAULT_POISON;
  kecs_status status = kecs_begin(store, out_tx);
  if (status && *out_tx) {
    fault_complain("kecs_begin gives %p after %s", (void *)*out_tx, kecs_status_name(status));
  }
  return status;
}

static kecs_status transaction(kecs_store *store) {
  kecs_store *tx = NULL;
  kecs_status status = begin(store, &tx);
  if (status) {
    return status;
  }
  status = transaction_work(tx);
  if (status) {
    (void)kecs_rollback(tx);
    return status;
  }
  return kecs_commit(tx);
}

static kecs_status rolled_back(kecs_store *store) {
  kecs_store *tx = NULL;
  kecs_status status = begin(store, &tx);
  if (!status) {
    status = transaction_work(tx);
    kecs_status ended = kecs_rollback(tx);
    status = status ? status : ended;
  }
  return status;
}

static kecs_status savepoint(kecs_store *store) {
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  kecs_cluster kept = {.name = "kept"};
  kecs_status status = begin(store, &tx);
  if (status) {
    return status;
  }
  status = kecs_cluster_create(tx, &kept, NULL);
  if (!status) {
    status = begin(tx, &inner);
  }
  if (!status) {
    status = delete_all(inner);
    kecs_status ended = kecs_rollback(inner);
    status = status ? status : ended;
  }
  if (!status) {
    status = transaction(tx);
  }
  if (status) {
    (void)kecs_rollback(tx);
    return status;
  }
  return kecs_commit(tx);
}

static kecs_status transact_work(kecs_store *tx, void *user) {
  (void)user;
  return transaction_work(tx);
}

static kecs_status transact(kecs_store *store) {
  return kecs_transact(store, transact_work, NULL, 1000);
}

/* ---- documents ---- */

static kecs_status put_json(kecs_store *store) {
  static const char text[] = "{\"family\":\"doc\",\"revision\":4,\"taskDefinitionArn\":\"" ECS
                             "task-definition/doc:4\",\"cpu\":\"256\","
                             "\"containerDefinitions\":[{\"name\":\"a\\u00e9\",\"image\":\"b\"}],\"tags\":" TAGS
                             ",\"unknownMember\":{\"x\":[1,2]},"
                             "\"registeredAt\":1709208000.5}";
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_put_json(store, KECS_KIND_TASK_DEFINITION, text, SIZE_MAX, 0, &result), &result);
}

static kecs_status put_json_parents(kecs_store *store) {
  static const char text[] =
      "{\"taskArn\":\"" ECS "task/orphanage/11111111111111111111111111111111\",\"clusterArn\":\"" ECS
      "cluster/orphanage\",\"lastStatus\":\"RUNNING\",\"containers\":[{\"name\":\"a\"}],\"startedAt\":"
      "\"2024-02-29T12:00:00Z\"}";
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_put_json(store, KECS_KIND_TASK, text, SIZE_MAX, KECS_JSON_PARENTS, &result), &result);
}

static kecs_status put_json_old(kecs_store *store) {
  static const char text[] = "{\"clusterName\":\"main\",\"clusterArn\":\"" CLUSTER
                             "\",\"status\":\"INACTIVE\",\"more\":1,"
                             "\"tags\":[{\"key\":\"team\",\"value\":\"yellow\"}]}";
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_put_json(store, KECS_KIND_CLUSTER, text, SIZE_MAX, 0, &result), &result);
}

static kecs_status get_json(kecs_store *store) {
  const char *text = NULL;
  kecs_result *result = FAULT_POISON;
  kecs_status status = kecs_get_json(store, KECS_KIND_SERVICE, "main,web", KECS_JSON_STORE, &result, &text);
  if (!status) {
    fault_output_text(text);
  } else if (text) {
    fault_complain("kecs_get_json gives a text after a failure");
  }
  return fault_take(status, &result);
}

static kecs_status record_json(kecs_store *store) {
  const char *text = NULL;
  kecs_result *result = FAULT_POISON;
  kecs_status status = kecs_record_get(store, KECS_KIND_TASK_DEFINITION, "web", &result);
  if (status) {
    return fault_take(status, &result);
  }
  const kecs_kind_info *about = kecs_kind_describe(KECS_KIND_TASK_DEFINITION);
  status = kecs_record_json(result, about, kecs_record_at(result, about->kind, 0), KECS_JSON_EPOCH, &text);
  if (!status) {
    fault_output_text(text);
  } else if (text) {
    fault_complain("kecs_record_json gives a text after a failure");
  }
  kecs_result_free(result);
  return status;
}

static kecs_status import_some(kecs_store *store) {
  static const char text[] =
      "{\"cluster\":{\"clusterName\":\"imported\",\"clusterArn\":\"" ECS "cluster/imported\",\"tags\":" TAGS "}}\n"
      "{\"services\":[{\"serviceName\":\"s\",\"serviceArn\":\"" ECS "service/imported/s\",\"clusterArn\":\"" ECS
      "cluster/imported\",\"desiredCount\":1}],\"failures\":[]}\n";
  int64_t put = -1;
  int64_t refused = -1;
  kecs_status status = kecs_import(store, text, SIZE_MAX, NULL, &put, &refused);
  fault_output_number(put);
  fault_output_number(refused);
  return status;
}

/* ---- ECS ---- */

static kecs_status definition_register(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_task_definition definition = {.family = "web", .container_definitions = CONTAINERS, .tags = TAGS};
  return fault_take(kecs_task_definition_register(store, &definition, &result), &result);
}

static kecs_status definition_deregister(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_task_definition_deregister(store, "web:2", &result), &result);
}

static kecs_status definition_read(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_status status = fault_take(kecs_task_definition_latest(store, "web", &result), &result);
  if (!status) {
    result = FAULT_POISON;
    status = fault_take(kecs_task_definition_revisions(store, "web", "ACTIVE", 2, NULL, &result), &result);
  }
  return status;
}

static kecs_status families(kecs_store *store) {
  kecs_family_query query = {.prefix = "w", .status = "ACTIVE"};
  kecs_result *result = FAULT_POISON;
  kecs_status status = kecs_task_definition_families(store, &query, &result);
  const kecs_family *family = status ? NULL : kecs_family_at(result, 0);
  if (family) {
    fault_output_text(family->family);
    fault_output_number(family->latest_revision);
    fault_output_number(family->active_revisions);
  }
  return fault_take(status, &result);
}

static kecs_status counter_raise(kecs_store *store) {
  kecs_family_counter counter = {.family = "gone", .last_revision = 7};
  return kecs_task_definition_counter_raise(store, &counter);
}

static kecs_status counters(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_status status = kecs_task_definition_counters(store, 1, NULL, &result);
  const kecs_family_counter *counter = status ? NULL : kecs_family_counter_at(result, 0);
  if (counter) {
    fault_output_text(counter->family);
    fault_output_number(counter->last_revision);
  }
  return fault_take(status, &result);
}

static kecs_status task_find(kecs_store *store) {
  kecs_task_filter filter = {.cluster = "main", .service = "web", .last_status = "RUNNING"};
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_task_find(store, &filter, NULL, &result), &result);
}

static kecs_status task_set_primary(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_task_set_update_primary(store, SERVICE, "ecs-svc/2", &result), &result);
}

static kecs_status instance_search(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_container_instance_search(store, "main", "zone", NULL, &result), &result);
}

static kecs_status instance_deregister(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_container_instance_deregister(store, "main", INSTANCE, &result), &result);
}

static kecs_status attribute_put(kecs_store *store) {
  kecs_attribute attributes[] = {{.name = "stack", .value = "green", .target_id = INSTANCE, .cluster = "main"},
                                 {.name = "zone", .target_id = INSTANCE, .cluster = "main"}};
  return kecs_attribute_put(store, attributes, FAULT_COUNT(attributes));
}

static kecs_status attribute_remove(kecs_store *store) {
  kecs_attribute attributes[] = {{.name = "stack", .target_id = INSTANCE, .cluster = "main"}};
  return kecs_attribute_remove(store, "main", attributes, FAULT_COUNT(attributes));
}

static kecs_status setting_set(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_account_setting_set_default(store, "containerInsights", "disabled", &result), &result);
}

static kecs_status setting_effective(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_account_setting_effective(store, "arn:aws:iam::000000000000:root", NULL, &result), &result);
}

static kecs_status log_find(kecs_store *store) {
  kecs_log_filter filter = {.task_arn = ECS "task/main/1", .search = "get"};
  int64_t rows = -1;
  kecs_result *result = FAULT_POISON;
  kecs_status status = fault_take(kecs_task_log_find(store, &filter, true, 10, NULL, &result), &result);
  return status ? status : fault_take_count(kecs_task_log_count_matching(store, &filter, &rows), &rows);
}

/* ---- ELBv2 ---- */

static kecs_status set_priorities(kecs_store *store) {
  static const kecs_rule_priority priorities[] = {{RULE_A, 2}, {RULE_B, 1}};
  return kecs_rule_set_priorities(store, priorities, FAULT_COUNT(priorities));
}

static kecs_status next_priority(kecs_store *store) {
  int64_t priority = 0;
  kecs_status status = kecs_rule_next_priority(store, LISTENER, KECS_RULE_BAND_CRITICAL, &priority);
  fault_output_number(priority);
  return status ? status : kecs_rule_check_priority(store, LISTENER, priority, NULL);
}

static kecs_status target_register(kecs_store *store) {
  kecs_target targets[] = {{.id = "i-1", .port = 80}, {.id = "i-2", .port = 80}};
  return kecs_target_register(store, GROUP, targets, FAULT_COUNT(targets));
}

static kecs_status target_deregister(kecs_store *store) {
  static const char *const ids[] = {"i-1", "i-7"};
  int64_t done = -1;
  return fault_take_count(kecs_target_deregister(store, GROUP, ids, FAULT_COUNT(ids), &done), &done);
}

static kecs_status target_health(kecs_store *store) {
  return kecs_target_update_health(store, GROUP, "i-1", 0, "healthy", NULL, NULL);
}

static kecs_status associate(kecs_store *store) {
  return kecs_target_group_associate(store, GROUP, BALANCER);
}

static kecs_status associated(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  kecs_status status = fault_take(kecs_target_group_load_balancers(store, GROUP, &result), &result);
  if (!status) {
    result = FAULT_POISON;
    status = fault_take(kecs_load_balancer_target_groups(store, BALANCER, &result), &result);
  }
  return status;
}

static kecs_status associate_and_back(kecs_store *store) {
  kecs_status status = associate(store);
  return status ? status : kecs_target_group_disassociate(store, GROUP, BALANCER);
}

/* ---- tags and nodes ---- */

static kecs_status tags_add(kecs_store *store) {
  static const kecs_key_value tags[] = {{"team", "white"}, {"added", NULL}};
  return kecs_tags_add(store, SERVICE, tags, FAULT_COUNT(tags));
}

static kecs_status tags_remove(kecs_store *store) {
  static const char *const keys[] = {"team", "none"};
  return kecs_tags_remove(store, CLUSTER, keys, FAULT_COUNT(keys));
}

static kecs_status tags_describe(kecs_store *store) {
  static const char *const arns[] = {SERVICE, CLUSTER};
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_tags_describe(store, arns, FAULT_COUNT(arns), &result), &result);
}

static kecs_status heartbeat(kecs_store *store) {
  return kecs_node_heartbeat(store, "node-2", 3);
}

static kecs_status mark_stale(kecs_store *store) {
  int64_t done = -1;
  return fault_take_count(kecs_node_mark_stale(store, FAR_AHEAD, &done), &done);
}

static kecs_status node_available(kecs_store *store) {
  kecs_result *result = FAULT_POISON;
  return fault_take(kecs_node_available(store, &result), &result);
}

/* ---- history ---- */

/* A write with its actor, and everything that can be asked of it. */
static kecs_status history(kecs_store *store) {
  static const char key[] = "main,00000000000000000000000000000001";
  kecs_history_query query = {.rows = true};
  kecs_result *result = FAULT_POISON;
  kecs_changes_info info;
  kecs_status status = kecs_set_actor(store, "fault", "because");
  status = status ? status : update_fields(store);
  status = status ? status : kecs_changes_describe(store, &info);
  if (!status) {
    status = fault_take(kecs_history(store, KECS_KIND_TASK, key, &query, &result), &result);
  }
  if (!status) {
    result = FAULT_POISON;
    status = fault_take(kecs_diff(store, KECS_KIND_TASK, key, 0, 0, KECS_JSON_STORE, &result), &result);
  }
  if (!status) {
    result = FAULT_POISON;
    status = fault_take(kecs_get_at(store, KECS_KIND_TASK, key, info.last_seq - 1, 0, &result), &result);
  }
  return status;
}

static kecs_status history_deleted(kecs_store *store) {
  kecs_status status = kecs_service_delete(store, "main", "web");
  kecs_result *result = FAULT_POISON;
  if (status && status != KECS_E_NOT_FOUND) {
    return status; /* not there: the run before had come so far */
  }
  return fault_take(kecs_history(store, KECS_KIND_SERVICE, "main,web", NULL, &result), &result);
}

/* ---- the table ---- */

const fault_case fault_cases[] = {
    {"create", create, 0},
    {"create with tags", create_with_tags, 0},
    {"create without a result", create_no_result, 0},
    {"create many", create_many, 0},
    {"create more than the cache holds", create_large, 0},
    {"create, validated", create_strict, FAULT_STRICT},
    {"ensure", ensure, 0},
    {"get", get, FAULT_READS},
    {"get again", get_again, FAULT_READS},
    {"get many", get_many, FAULT_READS},
    {"pipeline", pipeline, FAULT_READS},
    {"list", list, FAULT_READS},
    {"each", each, FAULT_READS},
    {"count", count, FAULT_READS},
    {"info", info, FAULT_READS},
    {"history of a task", history, FAULT_HISTORY | FAULT_STEPS},
    {"history of a deleted service", history_deleted, FAULT_HISTORY | FAULT_STEPS},
    {"update", update, 0},
    {"update tags", update_tags, 0},
    {"update fields", update_fields, 0},
    {"update that changes nothing", update_nothing, 0},
    {"upsert of a new row", upsert_new, 0},
    {"upsert of an old row", upsert_old, 0},
    {"upsert many", upsert_many, 0},
    {"put many documents", put_json_many, 0},
    {"assign", assign, 0},
    {"delete a cluster and all in it", delete_all, 0},
    {"delete a service", delete_service, 0},
    {"delete a load balancer", delete_balancer, 0},
    {"delete when idle", delete_idle, 0},
    {"prune tasks", prune, FAULT_STEPS},
    {"prune the others", prune_all, FAULT_STEPS},
    {"transaction", transaction, 0},
    {"transaction rolled back", rolled_back, FAULT_READS},
    {"savepoint", savepoint, 0},
    {"transact", transact, 0},
    {"put json", put_json, 0},
    {"put json with parents", put_json_parents, 0},
    {"put json over a row", put_json_old, 0},
    {"get json", get_json, FAULT_READS},
    {"record json", record_json, FAULT_READS},
    {"import", import_some, FAULT_STEPS},
    {"register", definition_register, 0},
    {"deregister", definition_deregister, 0},
    {"latest and revisions", definition_read, FAULT_READS},
    {"families", families, FAULT_READS},
    {"family counter raised", counter_raise, 0},
    {"family counters", counters, FAULT_READS},
    {"task find", task_find, FAULT_READS},
    {"task set made primary", task_set_primary, 0},
    {"instance search", instance_search, FAULT_READS},
    {"instance deregister", instance_deregister, 0},
    {"attribute put", attribute_put, 0},
    {"attribute remove", attribute_remove, 0},
    {"setting set", setting_set, 0},
    {"setting effective", setting_effective, FAULT_READS},
    {"log find", log_find, FAULT_READS},
    {"rule priorities swapped", set_priorities, 0},
    {"rule next priority", next_priority, FAULT_READS},
    {"target register", target_register, 0},
    {"target deregister", target_deregister, 0},
    {"target health", target_health, 0},
    {"associate", associate, 0},
    {"associate and back", associate_and_back, FAULT_STEPS},
    {"associated", associated, FAULT_READS},
    {"tags add", tags_add, 0},
    {"tags remove", tags_remove, 0},
    {"tags describe", tags_describe, FAULT_READS},
    {"heartbeat", heartbeat, 0},
    {"mark stale", mark_stale, 0},
    {"nodes available", node_available, FAULT_READS},
};

const size_t fault_case_count = FAULT_COUNT(fault_cases);
