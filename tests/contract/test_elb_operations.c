/* test_elb_operations.c -- ELBv2: names and ARNs of one another, priorities, targets, links. */
#include "contract.h"

#define ELB "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
#define BALANCER_A ELB "loadbalancer/app/a/00000000000000a1"
#define BALANCER_B ELB "loadbalancer/net/b/00000000000000b1"
#define GROUP_1 ELB "targetgroup/g1/00000000000000c1"
#define GROUP_2 ELB "targetgroup/g2/00000000000000c2"
#define LISTENER_A ELB "listener/app/a/00000000000000a1/00000000000000d1"
#define LISTENER_B ELB "listener/net/b/00000000000000b1/00000000000000d2"

#define FORWARD(group) "{\"Type\":\"forward\",\"TargetGroupArn\":\"" group "\"}"

/* ---- making rows ---- */

static void make_balancer(kecs_store *store, const char *arn) {
  kecs_load_balancer row = {.arn = arn};
  CONTRACT_OK(kecs_load_balancer_create(store, &row, NULL));
}

static void make_group(kecs_store *store, const char *arn) {
  kecs_target_group row = {.arn = arn};
  CONTRACT_OK(kecs_target_group_create(store, &row, NULL));
}

static void make_listener(kecs_store *store, const char *arn, const char *actions) {
  kecs_listener row = {.arn = arn, .port = 80, .protocol = "HTTP", .default_actions = actions};
  CONTRACT_OK(kecs_listener_create(store, &row, NULL));
}

static void make_all(kecs_store *store) {
  make_balancer(store, BALANCER_A);
  make_balancer(store, BALANCER_B);
  make_group(store, GROUP_1);
  make_group(store, GROUP_2);
  make_listener(store, LISTENER_A, NULL);
  make_listener(store, LISTENER_B, NULL);
}

/* The ARN of rule number n of a listener. */
static const char *rule_arn(const char *listener, int n) {
  static char out[16][256];
  static int next = 0;
  char *arn = out[next++ % 16];
  snprintf(arn, sizeof out[0], ELB "listener-rule%s/%016d", listener + strlen(ELB "listener"), n);
  return arn;
}

static void make_rule(kecs_store *store, const char *listener, int n, int64_t priority) {
  kecs_rule row = {.arn = rule_arn(listener, n), .priority = priority};
  CONTRACT_OK(kecs_rule_create(store, &row, NULL));
}

/* Whether `arn` is `head` and 16 hexadecimal digits. */
static void check_made_arn(const char *arn, const char *head) {
  size_t len = strlen(head);
  if (strncmp(arn, head, len) != 0 || strlen(arn + len) != 16 || strspn(arn + len, "0123456789abcdef") != 16) {
    fail_msg("\"%s\" is not \"%s\" and 16 digits", arn, head);
  }
}

/* ---- load balancers and target groups ---- */

static void load_balancers_get_arns(void **state) {
  (void)state;
  static const char *const types[][2] = {
      {NULL, "app"}, {"application", "app"}, {"network", "net"}, {"gateway", "gwy"}, {"other", "app"}};
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(types); i++) {
    char name[16];
    char head[256];
    kecs_result *result = NULL;
    snprintf(name, sizeof name, "lb-%zu", i);
    snprintf(head, sizeof head, ELB "loadbalancer/%s/%s/", types[i][1], name);
    kecs_load_balancer row = {.name = name, .type = types[i][0]};
    CONTRACT_OK(kecs_load_balancer_create(store, &row, &result));
    const kecs_load_balancer *made = kecs_load_balancer_at(result, 0);
    check_made_arn(made->arn, head);
    CONTRACT_TEXT(made->type, types[i][0] ? types[i][0] : "application");
    CONTRACT_TEXT(made->scheme, "internet-facing");
    CONTRACT_TEXT(made->state, "provisioning");
    CONTRACT_TEXT(made->ip_address_type, "ipv4");
    kecs_result_free(result);
    CONTRACT_FAILS(kecs_load_balancer_create(store, &row, &result), KECS_E_EXISTS);
    CONTRACT_OK(kecs_load_balancer_get(store, name, &result));
    kecs_result_free(result);
  }
  kecs_load_balancer nameless = {.region = "eu-west-1"};
  CONTRACT_FAILS(kecs_load_balancer_create(store, &nameless, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("name");
  nameless.name = "";
  CONTRACT_FAILS(kecs_load_balancer_create(store, &nameless, NULL), KECS_E_INVALID);
  contract_close(store);
}

static void load_balancers_get_names(void **state) {
  (void)state;
  static const char *const cases[][4] = {
      {ELB "loadbalancer/app/one/01", "one", "application", "us-east-1"},
      {"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/two/01", "two", "network", "eu-west-1"},
      {"arn:aws-cn:elasticloadbalancing:cn-north-1:1:loadbalancer/gwy/three/01", "three", "gateway", "cn-north-1"},
      {ELB "loadbalancer/app", "app", "application", "us-east-1"},
      {"odd-arn", "odd-arn", "application", "us-east-1"},
  };
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_result *result = NULL;
    kecs_load_balancer row = {.arn = cases[i][0]};
    CONTRACT_OK(kecs_load_balancer_create(store, &row, &result));
    const kecs_load_balancer *made = kecs_load_balancer_at(result, 0);
    CONTRACT_TEXT(made->arn, cases[i][0]);
    CONTRACT_TEXT(made->name, cases[i][1]);
    CONTRACT_TEXT(made->type, cases[i][2]);
    CONTRACT_TEXT(made->region, cases[i][3]);
    kecs_result_free(result);
  }
  kecs_load_balancer given = {.arn = ELB "loadbalancer/net/not-this/01", .name = "this", .type = "gateway"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_load_balancer_create(store, &given, &result));
  CONTRACT_TEXT(kecs_load_balancer_at(result, 0)->name, "this");
  CONTRACT_TEXT(kecs_load_balancer_at(result, 0)->type, "gateway");
  kecs_result_free(result);
  contract_close(store);
}

static void a_load_balancer_comes_back_as_it_was(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_load_balancer row = {.name = "whole", .vpc_id = "vpc-1", .dns_name = "whole.example", .state = "active"};
  row.subnets = "[\"subnet-1\", \"subnet-2\"]";
  row.availability_zones = "[{\"ZoneName\": \"us-east-1a\"}]";
  row.security_groups = "[\"sg-1\"]";
  row.tags = "[{\"Key\": \"a\", \"Value\": \"1\"}]";
  CONTRACT_OK(kecs_load_balancer_create(store, &row, NULL));
  CONTRACT_OK(kecs_load_balancer_get(store, "whole", &result));
  const kecs_load_balancer *read = kecs_load_balancer_at(result, 0);
  CONTRACT_TEXT(read->subnets, row.subnets);
  CONTRACT_TEXT(read->availability_zones, row.availability_zones);
  CONTRACT_TEXT(read->security_groups, row.security_groups);
  CONTRACT_TEXT(read->tags, row.tags);
  CONTRACT_TEXT(read->dns_name, row.dns_name);
  kecs_load_balancer change = {.arn = read->arn, .dns_name = "new.example"};
  CONTRACT_OK(kecs_load_balancer_update_fields(store, &change, KECS_BIT(KECS_LOAD_BALANCER_DNS_NAME), NULL));
  CONTRACT_OK(kecs_load_balancer_delete(store, read->arn));
  CONTRACT_FAILS(kecs_load_balancer_delete(store, read->arn), KECS_E_NOT_FOUND);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_load_balancer_get(store, "whole", &result), KECS_E_NOT_FOUND);
  contract_close(store);
}

static void regions_are_apart(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_filter in_region = {.column = KECS_LOAD_BALANCER_REGION, .op = KECS_EQ, .text = "eu-west-1"};
  kecs_query query = {.where = &in_region, .where_count = 1};
  const kecs_load_balancer rows[] = {{.name = "same"}, {.name = "same", .region = "eu-west-1"}};
  CONTRACT_OK(kecs_load_balancer_create_many(store, rows, 2, NULL));
  CONTRACT_OK(kecs_load_balancer_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  check_made_arn(kecs_load_balancer_at(result, 0)->arn,
                 "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/same/");
  kecs_result_free(result);
  contract_close(store);
}

static void target_groups_get_arns_names_and_defaults(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_target_group row = {.name = "made", .health_check_interval_seconds = 7, .tags = "[]"};
  CONTRACT_OK(kecs_target_group_create(store, &row, &result));
  const kecs_target_group *made = kecs_target_group_at(result, 0);
  check_made_arn(made->arn, ELB "targetgroup/made/");
  CONTRACT_TEXT(made->protocol, "HTTP");
  CONTRACT_NUMBER(made->port, 80);
  CONTRACT_TEXT(made->target_type, "instance");
  CONTRACT_TEXT(made->health_check_port, "traffic-port");
  CONTRACT_NUMBER(made->health_check_interval_seconds, 7);
  CONTRACT_NUMBER(made->health_check_timeout_seconds, 5);
  CONTRACT_TEXT(made->matcher, "200");
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_target_group_create(store, &row, NULL), KECS_E_EXISTS);
  kecs_target_group from_arn = {.arn = GROUP_1};
  CONTRACT_OK(kecs_target_group_create(store, &from_arn, &result));
  CONTRACT_TEXT(kecs_target_group_at(result, 0)->name, "g1");
  kecs_result_free(result);
  kecs_target_group odd = {.arn = "odd/arn"};
  CONTRACT_OK(kecs_target_group_create(store, &odd, &result));
  CONTRACT_TEXT(kecs_target_group_at(result, 0)->name, "arn");
  kecs_result_free(result);
  kecs_target_group nameless = {.port = 1};
  CONTRACT_FAILS(kecs_target_group_create(store, &nameless, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("name");
  contract_close(store);
}

static void modifying_what_is_not_there(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_target_group group = {.arn = GROUP_1, .matcher = "200-399", .port = 1};
  kecs_listener listener = {.arn = LISTENER_A, .port = 443};
  CONTRACT_FAILS(kecs_target_group_update_fields(store, &group, KECS_BIT(KECS_TARGET_GROUP_MATCHER), NULL),
                 KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_listener_update_fields(store, &listener, KECS_BIT(KECS_LISTENER_PORT), NULL), KECS_E_NOT_FOUND);
  make_all(store);
  CONTRACT_OK(kecs_target_group_update_fields(store, &group, KECS_BIT(KECS_TARGET_GROUP_MATCHER), &result));
  CONTRACT_TEXT(kecs_target_group_at(result, 0)->matcher, "200-399");
  CONTRACT_NUMBER(kecs_target_group_at(result, 0)->port, 80);
  kecs_result_free(result);
  CONTRACT_OK(kecs_listener_update_fields(store, &listener, KECS_BIT(KECS_LISTENER_PORT), &result));
  CONTRACT_NUMBER(kecs_listener_at(result, 0)->port, 443);
  CONTRACT_TEXT(kecs_listener_at(result, 0)->protocol, "HTTP");
  kecs_result_free(result);
  contract_close(store);
}

/* ---- listeners and rules ---- */

static void listeners_know_their_load_balancer(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_listener row = {.load_balancer_arn = BALANCER_B, .port = 80};
  CONTRACT_FAILS(kecs_listener_create(store, &row, NULL), KECS_E_REFERENCE);
  make_balancer(store, BALANCER_B);
  CONTRACT_OK(kecs_listener_create(store, &row, &result));
  check_made_arn(kecs_listener_at(result, 0)->arn, ELB "listener/net/b/00000000000000b1/");
  kecs_result_free(result);
  row = (kecs_listener){.arn = LISTENER_B, .port = 81};
  CONTRACT_OK(kecs_listener_create(store, &row, &result));
  CONTRACT_TEXT(kecs_listener_at(result, 0)->load_balancer_arn, BALANCER_B);
  kecs_result_free(result);
  row = (kecs_listener){.port = 82};
  CONTRACT_FAILS(kecs_listener_create(store, &row, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("load_balancer_arn");
  row.arn = "odd/arn";
  CONTRACT_FAILS(kecs_listener_create(store, &row, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("load_balancer_arn");
  contract_close(store);
}

static void children_live_where_their_parents_do(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_result *ruled = NULL;
  make_balancer(store, "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/app/far/01");
  kecs_listener row = {.load_balancer_arn =
                           "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/app/far/01"};
  CONTRACT_OK(kecs_listener_create(store, &row, &result));
  const kecs_listener *listener = kecs_listener_at(result, 0);
  check_made_arn(listener->arn, "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:listener/app/far/01/");
  CONTRACT_TEXT(listener->region, "cn-north-1");
  CONTRACT_TEXT(listener->account_id, "123456789012");
  kecs_rule rule = {.listener_arn = listener->arn, .priority = 1};
  CONTRACT_OK(kecs_rule_create(store, &rule, &ruled));
  CONTRACT_TEXT(kecs_rule_at(ruled, 0)->region, "cn-north-1");
  CONTRACT_TEXT(kecs_rule_at(ruled, 0)->account_id, "123456789012");
  kecs_result_free(ruled);
  kecs_result_free(result);
  contract_close(store);
}

static void odd_parents_have_children_too(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  kecs_load_balancer balancer = {.arn = "odd:lb", .name = "odd"};
  kecs_listener listener = {.load_balancer_arn = "odd:lb", .port = 80};
  CONTRACT_OK(kecs_load_balancer_create(store, &balancer, NULL));
  CONTRACT_OK(kecs_listener_create(store, &listener, &result));
  check_made_arn(kecs_listener_at(result, 0)->arn, ELB "listener/app/lb/");
  kecs_result_free(result);
  contract_close(store);
}

static void rules_know_their_listener(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  make_all(store);
  kecs_rule row = {.listener_arn = LISTENER_A, .priority = 100};
  row.conditions = "[{\"Field\": \"path-pattern\", \"Values\": [\"/x*\"]}]";
  row.actions = "[" FORWARD(ELB "targetgroup/nobody/01") "]";
  CONTRACT_OK(kecs_rule_create(store, &row, &result));
  const kecs_rule *made = kecs_rule_at(result, 0);
  check_made_arn(made->arn, ELB "listener-rule/app/a/00000000000000a1/00000000000000d1/");
  CONTRACT_TEXT(made->conditions, row.conditions);
  CONTRACT_TEXT(made->actions, row.actions);
  CONTRACT_NUMBER(made->priority, 100);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_rule_create(store, &row, NULL), KECS_E_EXISTS);
  row = (kecs_rule){.arn = rule_arn(LISTENER_B, 1), .priority = 100};
  CONTRACT_OK(kecs_rule_create(store, &row, &result));
  CONTRACT_TEXT(kecs_rule_at(result, 0)->listener_arn, LISTENER_B);
  CONTRACT_TEXT(kecs_rule_at(result, 0)->conditions, "[]");
  kecs_result_free(result);
  row = (kecs_rule){.priority = 5};
  CONTRACT_FAILS(kecs_rule_create(store, &row, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("listener_arn");
  row.arn = "odd";
  CONTRACT_FAILS(kecs_rule_create(store, &row, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("listener_arn");
  contract_close(store);
}

static void a_default_rule_comes_last(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  make_all(store);
  kecs_rule last = {.listener_arn = LISTENER_A, .is_default = true};
  CONTRACT_OK(kecs_rule_create(store, &last, &result));
  CONTRACT_NUMBER(kecs_rule_at(result, 0)->priority, KECS_RANK_DEFAULT);
  kecs_result_free(result);
  kecs_rule unsaid = {.listener_arn = LISTENER_A};
  CONTRACT_FAILS(kecs_rule_create(store, &unsaid, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("priority");
  make_rule(store, LISTENER_A, 1, 102);
  make_rule(store, LISTENER_A, 2, 100);
  make_rule(store, LISTENER_A, 3, 101);
  kecs_filter of = {.column = KECS_RULE_LISTENER_ARN, .op = KECS_EQ, .text = LISTENER_A};
  kecs_query query = {.where = &of, .where_count = 1};
  CONTRACT_OK(kecs_rule_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 4);
  CONTRACT_NUMBER(kecs_rule_at(result, 0)->priority, 100);
  CONTRACT_NUMBER(kecs_rule_at(result, 1)->priority, 101);
  CONTRACT_NUMBER(kecs_rule_at(result, 2)->priority, 102);
  assert_true(kecs_rule_at(result, 3)->is_default);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- priorities ---- */

static kecs_status put_rule(kecs_store *store, const char *arn, const char *members) {
  char text[512];
  snprintf(text, sizeof text, "{\"RuleArn\":\"%s\"%s}", arn, members);
  return kecs_put_json(store, KECS_KIND_RULE, text, SIZE_MAX, 0, NULL);
}

static kecs_status set_priority(kecs_store *store, const char *arn, int64_t priority, const char *text) {
  kecs_rule row = {.arn = arn, .priority = priority};
  kecs_assignment one = {"priority", text};
  kecs_status status = kecs_rule_update_fields(store, &row, KECS_BIT(KECS_RULE_PRIORITY), NULL);
  kecs_status assigned = kecs_record_assign(store, KECS_KIND_RULE, arn, &one, 1, 0, NULL);
  CONTRACT_NUMBER(assigned, status);
  return status;
}

static void check_rule(kecs_store *store, const char *arn, int64_t priority, int64_t version, const char *member) {
  kecs_result *result = NULL;
  const char *text = NULL;
  CONTRACT_OK(kecs_get_json(store, KECS_KIND_RULE, arn, 0, &result, &text));
  CONTRACT_NUMBER(kecs_rule_at(result, 0)->priority, priority);
  CONTRACT_NUMBER(kecs_rule_at(result, 0)->version, version);
  if (!strstr(text, member)) {
    fail_msg("%s does not have %s", text, member);
  }
  kecs_result_free(result);
}

/* A document that has none leaves the priority alone; what is out of range is refused on every way in. */
static void a_priority_stays_in_its_range(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_all(store);
  const char *arn = rule_arn(LISTENER_A, 1);
  CONTRACT_OK(put_rule(store, arn, ",\"Priority\":\"5\""));
  CONTRACT_OK(put_rule(store, arn, ",\"Actions\":[]"));
  check_rule(store, arn, 5, 2, "\"Priority\":\"5\"");
  CONTRACT_OK(put_rule(store, arn, ",\"Actions\":[],\"Priority\":null"));
  check_rule(store, arn, 5, 3, "\"Priority\":\"5\"");
  CONTRACT_OK(put_rule(store, arn, ",\"Priority\":\"6\""));
  check_rule(store, arn, 6, 4, "\"Priority\":\"6\"");
  static const struct {
    int64_t priority;
    const char *text;
  } refused[] = {{0, "0"}, {-4, "-4"}, {50000, "50000"}, {50000, "default"}, {60000, "60000"}};
  for (size_t i = 0; i < CONTRACT_COUNT(refused); i++) {
    char member[64];
    kecs_rule row = {.arn = arn, .listener_arn = LISTENER_A, .priority = refused[i].priority, .actions = "[]"};
    snprintf(member, sizeof member, ",\"Priority\":\"%s\"", refused[i].text);
    CONTRACT_FAILS(set_priority(store, arn, refused[i].priority, refused[i].text), KECS_E_INVALID);
    CONTRACT_SAYS(arn);
    CONTRACT_FAILS(put_rule(store, arn, member), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_rule_update(store, &row, NULL), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_rule_upsert(store, &row, NULL), KECS_E_INVALID);
    row.arn = rule_arn(LISTENER_A, 2);
    CONTRACT_FAILS(put_rule(store, row.arn, member), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_rule_create(store, &row, NULL), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_rule_upsert(store, &row, NULL), KECS_E_INVALID);
  }
  CONTRACT_FAILS(put_rule(store, arn, ",\"Priority\":\"x\""), KECS_E_INVALID);
  CONTRACT_SAYS("Priority");
  check_rule(store, arn, 6, 4, "\"Priority\":\"6\"");
  CONTRACT_OK(set_priority(store, arn, 49999, "49999"));
  CONTRACT_OK(set_priority(store, arn, 1, "1"));
  check_rule(store, arn, 1, 6, "\"Priority\":\"1\"");
  contract_close(store);
}

static void a_default_rule_stays_last(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_all(store);
  const char *arn = rule_arn(LISTENER_A, 1);
  static const char *const same[] = {",\"IsDefault\":true", "", ",\"IsDefault\":true,\"Priority\":null"};
  for (int round = 0; round < 2; round++) {
    CONTRACT_OK(put_rule(store, arn, same[0]));
    check_rule(store, arn, KECS_RANK_DEFAULT, 1, "\"Priority\":\"default\"");
  }
  for (size_t i = 0; i < CONTRACT_COUNT(same); i++) {
    CONTRACT_OK(put_rule(store, arn, same[i]));
    check_rule(store, arn, KECS_RANK_DEFAULT, 1 + (int64_t)i, i < 2 ? "\"default\"" : "\"Priority\":null");
  }
  CONTRACT_OK(put_rule(store, arn, ",\"IsDefault\":true,\"Priority\":\"0\""));
  CONTRACT_OK(put_rule(store, arn, ",\"IsDefault\":true,\"Priority\":\"0\""));
  check_rule(store, arn, KECS_RANK_DEFAULT, 4, "\"Priority\":\"0\"");
  CONTRACT_OK(put_rule(store, arn, ",\"IsDefault\":true,\"Priority\":\"50000\""));
  check_rule(store, arn, KECS_RANK_DEFAULT, 5, "\"Priority\":\"50000\"");
  CONTRACT_OK(put_rule(store, arn, ",\"IsDefault\":true,\"Priority\":\"default\""));
  check_rule(store, arn, KECS_RANK_DEFAULT, 6, "\"Priority\":\"default\"");

  static const struct {
    int64_t priority;
    const char *text;
  } refused[] = {{0, "0"}, {-4, "-4"}, {7, "7"}, {60000, "60000"}};
  for (size_t i = 0; i < CONTRACT_COUNT(refused); i++) {
    char member[64];
    kecs_rule row = {.arn = arn, .is_default = true, .priority = refused[i].priority, .actions = "[]"};
    snprintf(member, sizeof member, ",\"IsDefault\":true,\"Priority\":\"%s\"", refused[i].text);
    CONTRACT_FAILS(set_priority(store, arn, refused[i].priority, refused[i].text), KECS_E_INVALID);
    CONTRACT_SAYS(arn);
    if (refused[i].priority != 0) { /* which is not set: filled */
      CONTRACT_FAILS(put_rule(store, arn, member), KECS_E_INVALID);
      CONTRACT_FAILS(kecs_rule_update(store, &row, NULL), KECS_E_INVALID);
      CONTRACT_FAILS(kecs_rule_upsert(store, &row, NULL), KECS_E_INVALID);
      row.arn = rule_arn(LISTENER_B, 1);
      CONTRACT_FAILS(kecs_rule_create(store, &row, NULL), KECS_E_INVALID);
      CONTRACT_FAILS(put_rule(store, row.arn, member), KECS_E_INVALID);
    }
  }
  CONTRACT_OK(set_priority(store, arn, KECS_RANK_DEFAULT, "default"));
  kecs_rule whole = {.arn = arn, .listener_arn = LISTENER_A, .is_default = true, .actions = "[{}]"};
  CONTRACT_OK(kecs_rule_update(store, &whole, NULL));
  check_rule(store, arn, KECS_RANK_DEFAULT, 7, "\"default\"");
  whole.actions = "[]";
  CONTRACT_OK(kecs_rule_upsert(store, &whole, NULL));
  CONTRACT_OK(kecs_rule_upsert(store, &whole, NULL));
  check_rule(store, arn, KECS_RANK_DEFAULT, 8, "\"default\"");
  contract_close(store);
}

static int64_t priority_of(kecs_store *store, const char *arn, int64_t *out_version) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_rule_get(store, arn, &result));
  int64_t priority = kecs_rule_at(result, 0)->priority;
  if (out_version) {
    *out_version = kecs_rule_at(result, 0)->version;
  }
  kecs_result_free(result);
  return priority;
}

static void check_priorities(kecs_store *store, int64_t first, int64_t second, int64_t third) {
  CONTRACT_NUMBER(priority_of(store, rule_arn(LISTENER_A, 1), NULL), first);
  CONTRACT_NUMBER(priority_of(store, rule_arn(LISTENER_A, 2), NULL), second);
  CONTRACT_NUMBER(priority_of(store, rule_arn(LISTENER_A, 3), NULL), third);
}

static kecs_store *open_with_rules(void) {
  kecs_store *store = contract_open();
  make_all(store);
  make_rule(store, LISTENER_A, 1, 100);
  make_rule(store, LISTENER_A, 2, 200);
  make_rule(store, LISTENER_A, 3, 300);
  return store;
}

static kecs_status set_two(kecs_store *store, int a, int64_t priority_a, int b, int64_t priority_b) {
  const kecs_rule_priority wanted[] = {{rule_arn(LISTENER_A, a), priority_a}, {rule_arn(LISTENER_A, b), priority_b}};
  return kecs_rule_set_priorities(store, wanted, 2);
}

static void priorities_move_together(void **state) {
  (void)state;
  kecs_store *store = open_with_rules();
  int64_t version = 0;
  CONTRACT_OK(set_two(store, 1, 150, 2, 250));
  check_priorities(store, 150, 250, 300);
  CONTRACT_OK(set_two(store, 1, 250, 2, 150));
  check_priorities(store, 250, 150, 300);
  CONTRACT_NUMBER(priority_of(store, rule_arn(LISTENER_A, 1), &version), 250);
  CONTRACT_NUMBER(version, 3);
  const kecs_rule_priority round[] = {
      {rule_arn(LISTENER_A, 1), 300}, {rule_arn(LISTENER_A, 2), 250}, {rule_arn(LISTENER_A, 3), 150}};
  CONTRACT_OK(kecs_rule_set_priorities(store, round, 3));
  check_priorities(store, 300, 250, 150);
  CONTRACT_OK(kecs_rule_set_priorities(store, round, 3)); /* nothing differs: nothing is written */
  priority_of(store, rule_arn(LISTENER_A, 3), &version);
  CONTRACT_NUMBER(version, 2);
  CONTRACT_OK(kecs_rule_set_priorities(store, NULL, 0));
  contract_close(store);
}

static void priorities_are_set_all_or_none(void **state) {
  (void)state;
  kecs_store *store = open_with_rules();
  int64_t version = 0;
  CONTRACT_FAILS(set_two(store, 1, 200, 3, 301), KECS_E_EXISTS);
  CONTRACT_SAYS("200");
  CONTRACT_SAYS("already in use");
  CONTRACT_SAYS(rule_arn(LISTENER_A, 2));
  check_priorities(store, 100, 200, 300);
  CONTRACT_FAILS(set_two(store, 1, 5, 9, 6), KECS_E_NOT_FOUND);
  CONTRACT_SAYS(rule_arn(LISTENER_A, 9));
  CONTRACT_FAILS(set_two(store, 1, 5, 2, 5), KECS_E_INVALID);
  CONTRACT_SAYS("twice");
  CONTRACT_FAILS(set_two(store, 1, 5, 1, 6), KECS_E_INVALID);
  CONTRACT_SAYS("twice");
  CONTRACT_FAILS(set_two(store, 1, 0, 2, 6), KECS_E_INVALID);
  CONTRACT_SAYS("must be between 1 and 49999");
  CONTRACT_FAILS(set_two(store, 1, 5, 2, 50000), KECS_E_INVALID);
  CONTRACT_FAILS(set_two(store, 1, 5, 2, -1), KECS_E_INVALID);
  kecs_rule last = {.arn = rule_arn(LISTENER_A, 4), .is_default = true};
  CONTRACT_OK(kecs_rule_create(store, &last, NULL));
  CONTRACT_FAILS(set_two(store, 1, 5, 4, 6), KECS_E_INVALID);
  CONTRACT_SAYS("default");
  check_priorities(store, 100, 200, 300);
  CONTRACT_NUMBER(priority_of(store, rule_arn(LISTENER_A, 4), &version), KECS_RANK_DEFAULT);
  CONTRACT_NUMBER(version, 1);
  contract_close(store);
}

static void listeners_count_for_themselves(void **state) {
  (void)state;
  kecs_store *store = open_with_rules();
  make_rule(store, LISTENER_B, 1, 100);
  const kecs_rule_priority wanted[] = {{rule_arn(LISTENER_A, 1), 7}, {rule_arn(LISTENER_B, 1), 7}};
  CONTRACT_OK(kecs_rule_set_priorities(store, wanted, 2));
  CONTRACT_NUMBER(priority_of(store, rule_arn(LISTENER_A, 1), NULL), 7);
  CONTRACT_NUMBER(priority_of(store, rule_arn(LISTENER_B, 1), NULL), 7);
  contract_close(store);
}

static void priorities_in_a_transaction(void **state) {
  (void)state;
  kecs_store *store = open_with_rules();
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(set_two(tx, 1, 200, 2, 100));
  CONTRACT_FAILS(set_two(tx, 1, 300, 2, 101), KECS_E_EXISTS);
  check_priorities(tx, 200, 100, 300);
  CONTRACT_OK(kecs_rollback(tx));
  check_priorities(store, 100, 200, 300);
  contract_close(store);
}

static void many_priorities_are_shuffled(void **state) {
  (void)state;
  enum { rules = 100 };
  kecs_store *store = contract_open();
  static char arns[rules][256];
  kecs_rule_priority wanted[rules];
  make_all(store);
  for (int i = 0; i < rules; i++) {
    snprintf(arns[i], sizeof arns[i], "%s", rule_arn(LISTENER_A, i));
    make_rule(store, LISTENER_A, i, i + 1);
    wanted[i].rule_arn = arns[i];
  }
  for (int round = 1; round <= 3; round++) {
    for (int i = 0; i < rules; i++) {
      wanted[i].priority = 1 + (i * 37 + round * 11) % rules;
    }
    CONTRACT_OK(kecs_rule_set_priorities(store, wanted, rules));
    for (int i = 0; i < rules; i++) {
      CONTRACT_NUMBER(priority_of(store, arns[i], NULL), wanted[i].priority);
    }
  }
  contract_close(store);
}

static void priorities_are_checked(void **state) {
  (void)state;
  kecs_store *store = open_with_rules();
  CONTRACT_OK(kecs_rule_check_priority(store, LISTENER_A, 101, NULL));
  CONTRACT_OK(kecs_rule_check_priority(store, LISTENER_A, 100, rule_arn(LISTENER_A, 1)));
  CONTRACT_OK(kecs_rule_check_priority(store, LISTENER_B, 100, NULL));
  CONTRACT_OK(kecs_rule_check_priority(store, LISTENER_A, 1, NULL));
  CONTRACT_OK(kecs_rule_check_priority(store, LISTENER_A, 49999, NULL));
  CONTRACT_OK(kecs_rule_check_priority(store, "nobody", 100, NULL));
  CONTRACT_FAILS(kecs_rule_check_priority(store, LISTENER_A, 100, NULL), KECS_E_EXISTS);
  CONTRACT_SAYS("already in use");
  CONTRACT_FAILS(kecs_rule_check_priority(store, LISTENER_A, 100, rule_arn(LISTENER_A, 2)), KECS_E_EXISTS);
  static const int64_t outside[] = {0, -1, 50000, 50001, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < CONTRACT_COUNT(outside); i++) {
    CONTRACT_FAILS(kecs_rule_check_priority(store, LISTENER_A, outside[i], NULL), KECS_E_INVALID);
    CONTRACT_SAYS("must be between 1 and 49999");
  }
  contract_close(store);
}

static void the_lowest_free_priority(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static const int64_t first[] = {1, 100, 1000, 10000};
  int64_t priority = -1;
  make_all(store);
  for (int band = KECS_RULE_BAND_CRITICAL; band <= KECS_RULE_BAND_CATCH_ALL; band++) {
    CONTRACT_OK(kecs_rule_next_priority(store, LISTENER_A, (kecs_rule_band)band, &priority));
    CONTRACT_NUMBER(priority, first[band]);
  }
  for (int i = 1; i <= 99; i++) {
    CONTRACT_OK(kecs_rule_next_priority(store, LISTENER_A, KECS_RULE_BAND_CRITICAL, &priority));
    CONTRACT_NUMBER(priority, i);
    make_rule(store, LISTENER_A, i, priority);
  }
  CONTRACT_FAILS(kecs_rule_next_priority(store, LISTENER_A, KECS_RULE_BAND_CRITICAL, &priority), KECS_E_FULL);
  CONTRACT_SAYS("1 to 99");
  CONTRACT_NUMBER(priority, 0);
  CONTRACT_OK(kecs_rule_next_priority(store, LISTENER_A, KECS_RULE_BAND_SPECIFIC, &priority));
  CONTRACT_NUMBER(priority, 100);
  CONTRACT_OK(kecs_rule_next_priority(store, LISTENER_B, KECS_RULE_BAND_CRITICAL, &priority));
  CONTRACT_NUMBER(priority, 1);
  CONTRACT_OK(kecs_rule_delete(store, rule_arn(LISTENER_A, 42)));
  CONTRACT_OK(kecs_rule_next_priority(store, LISTENER_A, KECS_RULE_BAND_CRITICAL, &priority));
  CONTRACT_NUMBER(priority, 42);
  make_rule(store, LISTENER_A, 200, 49999);
  CONTRACT_OK(kecs_rule_next_priority(store, LISTENER_A, KECS_RULE_BAND_CATCH_ALL, &priority));
  CONTRACT_NUMBER(priority, 10000);
  CONTRACT_FAILS(kecs_rule_next_priority(store, LISTENER_A, (kecs_rule_band)4, &priority), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_rule_next_priority(store, LISTENER_A, (kecs_rule_band)-1, &priority), KECS_E_INVALID);
  contract_close(store);
}

/* ---- targets ---- */

/* The targets of a group as "id:port:state;..." by id and port. */
static const char *targets_of(kecs_store *store, const char *group) {
  static char out[4096];
  kecs_filter of = {.column = KECS_TARGET_TARGET_GROUP_ARN, .op = KECS_EQ, .text = group};
  kecs_query query = {.where = &of, .where_count = 1, .direction = KECS_ORDER_ASCENDING, .order_by = KECS_TARGET_ID};
  kecs_result *result = NULL;
  size_t used = 0;
  CONTRACT_OK(kecs_target_list(store, &query, &result));
  out[0] = '\0';
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    const kecs_target *target = kecs_target_at(result, i);
    used += (size_t)snprintf(out + used, sizeof out - used, "%s:%lld:%s;", target->id, (long long)target->port,
                             target->health_state);
  }
  kecs_result_free(result);
  return out;
}

static kecs_store *open_with_targets(int64_t *now) {
  static const kecs_target targets[] = {
      {.id = "i-1", .port = 80}, {.id = "i-1", .port = 81}, {.id = "i-2", .port = 80, .health_state = "healthy"}};
  kecs_options options = {0};
  options.clock = contract_clock(now);
  kecs_store *store = contract_open_with(&options);
  make_all(store);
  CONTRACT_OK(kecs_target_register(store, GROUP_1, targets, 3));
  return store;
}

static void targets_are_registered(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_with_targets(&now);
  kecs_result *result = NULL;
  CONTRACT_TEXT(targets_of(store, GROUP_1), "i-1:80:registering;i-1:81:registering;i-2:80:healthy;");
  CONTRACT_TEXT(targets_of(store, GROUP_2), "");
  now += 5;
  kecs_target again = {.target_group_arn = "another", .id = "i-2", .port = 80, .registered_at = 1, .version = 77};
  again.availability_zone = "us-east-1a";
  CONTRACT_OK(kecs_target_register(store, GROUP_1, &again, 1));
  CONTRACT_OK(kecs_target_get(store, GROUP_1, "i-2", 80, &result));
  const kecs_target *target = kecs_target_at(result, 0);
  CONTRACT_NUMBER(target->registered_at, CONTRACT_NOW + 5);
  CONTRACT_TEXT(target->health_state, "registering");
  CONTRACT_TEXT(target->availability_zone, "us-east-1a");
  CONTRACT_NUMBER(target->version, 2);
  kecs_result_free(result);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TARGET), 3);
  CONTRACT_OK(kecs_target_register(store, GROUP_1, NULL, 0));
  contract_close(store);
}

static void registering_is_all_or_nothing(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_with_targets(&now);
  const kecs_target targets[] = {{.id = "i-8", .port = 80}, {.port = 80}};
  CONTRACT_FAILS(kecs_target_register(store, GROUP_2, targets, 2), KECS_E_MISUSE);
  CONTRACT_SAYS("2 of 2");
  const kecs_target empty[] = {{.id = "i-8", .port = 80}, {.id = ""}};
  CONTRACT_FAILS(kecs_target_register(store, GROUP_2, empty, 2), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_target_register(store, ELB "targetgroup/nobody/01", targets, 1), KECS_E_REFERENCE);
  CONTRACT_SAYS("targetgroup/nobody/01");
  CONTRACT_TEXT(targets_of(store, GROUP_2), "");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TARGET), 3);
  contract_close(store);
}

static void targets_are_deregistered(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_with_targets(&now);
  const char *const ids[] = {"i-1", "absent", "i-1"};
  int64_t count = -1;
  CONTRACT_OK(kecs_target_deregister(store, GROUP_2, ids, 3, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_target_deregister(store, GROUP_1, ids, 3, &count));
  CONTRACT_NUMBER(count, 2);
  CONTRACT_TEXT(targets_of(store, GROUP_1), "i-2:80:healthy;");
  CONTRACT_OK(kecs_target_deregister(store, GROUP_1, NULL, 0, &count));
  CONTRACT_NUMBER(count, 0);
  CONTRACT_OK(kecs_target_deregister(store, "nobody", ids, 3, NULL));
  contract_close(store);
}

static void the_health_of_targets(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_with_targets(&now);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_target_update_health(store, GROUP_1, "i-1", 81, "unhealthy", "Target.Timeout", "no answer"));
  CONTRACT_TEXT(targets_of(store, GROUP_1), "i-1:80:registering;i-1:81:unhealthy;i-2:80:healthy;");
  CONTRACT_OK(kecs_target_get(store, GROUP_1, "i-1", 81, &result));
  CONTRACT_TEXT(kecs_target_at(result, 0)->health_reason, "Target.Timeout");
  CONTRACT_TEXT(kecs_target_at(result, 0)->health_description, "no answer");
  CONTRACT_NUMBER(kecs_target_at(result, 0)->registered_at, CONTRACT_NOW);
  kecs_result_free(result);
  CONTRACT_OK(kecs_target_update_health(store, GROUP_1, "i-1", 0, "draining", NULL, NULL));
  CONTRACT_TEXT(targets_of(store, GROUP_1), "i-1:80:draining;i-1:81:draining;i-2:80:healthy;");
  CONTRACT_OK(kecs_target_get(store, GROUP_1, "i-1", 81, &result));
  assert_null(kecs_target_at(result, 0)->health_reason);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_target_update_health(store, GROUP_1, "i-1", 82, "healthy", NULL, NULL), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("i-1,82");
  CONTRACT_FAILS(kecs_target_update_health(store, GROUP_1, "i-3", 0, "healthy", NULL, NULL), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_target_update_health(store, GROUP_2, "i-1", 0, "healthy", NULL, NULL), KECS_E_NOT_FOUND);
  contract_close(store);
}

static void targets_without_a_port(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_target target = {.id = "arn:aws:lambda:us-east-1:000000000000:function:f"};
  make_all(store);
  CONTRACT_OK(kecs_target_register(store, GROUP_1, &target, 1));
  CONTRACT_OK(kecs_target_update_health(store, GROUP_1, target.id, 0, "healthy", NULL, NULL));
  CONTRACT_TEXT(targets_of(store, GROUP_1), "arn:aws:lambda:us-east-1:000000000000:function:f:0:healthy;");
  CONTRACT_OK(kecs_target_group_delete(store, "g1"));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TARGET), 0);
  contract_close(store);
}

/* An id may have as many ports as there are. */
static void one_id_on_thousands_of_ports(void **state) {
  (void)state;
  enum { ports = 2300 };
  static kecs_target targets[ports];
  const char *const id = "ip";
  kecs_store *store = contract_open();
  int64_t count = 0;
  make_all(store);
  for (int i = 0; i < ports; i++) {
    targets[i] = (kecs_target){.id = id, .port = i + 1};
  }
  CONTRACT_OK(kecs_target_register(store, GROUP_1, targets, ports));
  CONTRACT_OK(kecs_target_update_health(store, GROUP_1, id, 0, "healthy", NULL, NULL));
  kecs_filter healthy = {.column = KECS_TARGET_HEALTH_STATE, .op = KECS_EQ, .text = "healthy"};
  kecs_query query = {.where = &healthy, .where_count = 1};
  CONTRACT_OK(kecs_target_count(store, &query, &count));
  CONTRACT_NUMBER(count, ports);
  CONTRACT_OK(kecs_target_deregister(store, GROUP_1, &id, 1, &count));
  CONTRACT_NUMBER(count, ports);
  contract_close(store);
}

/* ---- links ---- */

/* The last parts of ARNs of a result, joined by commas; frees it. */
static const char *tails(kecs_result *result, kecs_kind kind) {
  static char out[1024];
  const kecs_kind_info *info = kecs_kind_describe(kind);
  size_t used = 0;
  assert_int_equal(kecs_result_kind(result), kind);
  out[0] = '\0';
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    const char *arn = contract_get_text(info, kecs_record_at(result, kind, i), kecs_column_find(info, "arn"));
    used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", i > 0 ? "," : "", strrchr(arn, '/') + 1 + 14);
  }
  kecs_result_free(result);
  return out;
}

static const char *groups_of(kecs_store *store, const char *balancer) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_load_balancer_target_groups(store, balancer, &result));
  return tails(result, KECS_KIND_TARGET_GROUP);
}

static const char *balancers_of(kecs_store *store, const char *group) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_target_group_load_balancers(store, group, &result));
  return tails(result, KECS_KIND_LOAD_BALANCER);
}

static const char *array_of(kecs_store *store, const char *group) {
  static char out[2048];
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_target_group_get(store, group, &result));
  const char *array = kecs_target_group_at(result, 0)->load_balancer_arns;
  snprintf(out, sizeof out, "%s", array ? array : "NULL");
  kecs_result_free(result);
  return out;
}

static void set_array(kecs_store *store, const char *group, const char *array) {
  kecs_target_group row = {.arn = group, .load_balancer_arns = array};
  CONTRACT_OK(kecs_target_group_update_fields(store, &row, KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS), NULL));
}

static void set_actions(kecs_store *store, const char *listener, const char *actions) {
  kecs_listener row = {.arn = listener, .default_actions = actions};
  CONTRACT_OK(kecs_listener_update_fields(store, &row, KECS_BIT(KECS_LISTENER_DEFAULT_ACTIONS), NULL));
}

static void groups_are_associated(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_all(store);
  CONTRACT_FAILS(kecs_target_group_associate(store, ELB "targetgroup/nobody/01", BALANCER_A), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("not found");
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "");
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_B));
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "b1");
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_A));
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_A));
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "a1,b1");
  CONTRACT_TEXT(array_of(store, GROUP_1), "[\"" BALANCER_B "\",\"" BALANCER_A "\"]");
  CONTRACT_OK(kecs_target_group_associate(store, "g2", BALANCER_A));
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c1,c2");
  CONTRACT_OK(kecs_target_group_disassociate(store, GROUP_1, BALANCER_B));
  CONTRACT_OK(kecs_target_group_disassociate(store, GROUP_1, BALANCER_B));
  CONTRACT_TEXT(array_of(store, GROUP_1), "[\"" BALANCER_A "\"]");
  CONTRACT_TEXT(groups_of(store, BALANCER_B), "");
  CONTRACT_OK(kecs_target_group_disassociate(store, GROUP_1, BALANCER_A));
  CONTRACT_TEXT(array_of(store, GROUP_1), "[]");
  CONTRACT_FAILS(kecs_target_group_disassociate(store, "nobody", BALANCER_B), KECS_E_NOT_FOUND);
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, ELB "loadbalancer/app/later/01"));
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "");
  contract_close(store);
}

static void an_array_is_edited_in_its_own_style(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_all(store);
  set_array(store, GROUP_1, "[\n  \"x\",\n  \"" ELB "loadbalancer\\/app\\/a\\/00000000000000a1\"\n]\n");
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "a1");
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_A));
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_B));
  CONTRACT_TEXT(array_of(store, GROUP_1),
                "[\n  \"x\",\n  \"" ELB "loadbalancer\\/app\\/a\\/00000000000000a1\",\n  \"" BALANCER_B "\"\n]\n");
  CONTRACT_OK(kecs_target_group_disassociate(store, GROUP_1, BALANCER_A));
  CONTRACT_TEXT(array_of(store, GROUP_1), "[\n  \"x\",\n  \"" BALANCER_B "\"\n]\n");
  set_array(store, GROUP_1, "null");
  CONTRACT_OK(kecs_target_group_disassociate(store, GROUP_1, BALANCER_A));
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_A));
  CONTRACT_TEXT(array_of(store, GROUP_1), "[\"" BALANCER_A "\"]");
  set_array(store, GROUP_1, "[5,{},\"\\u0000\",\"" BALANCER_B "\",\"" BALANCER_B "\"]");
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "b1");
  CONTRACT_OK(kecs_target_group_disassociate(store, GROUP_1, BALANCER_B));
  CONTRACT_TEXT(array_of(store, GROUP_1), "[5,{},\"\\u0000\"]");
  static const char *const no_arrays[] = {"{}", "no JSON", "\"text\"", "5"};
  for (size_t i = 0; i < CONTRACT_COUNT(no_arrays); i++) {
    set_array(store, GROUP_1, no_arrays[i]);
    CONTRACT_FAILS(kecs_target_group_associate(store, GROUP_1, BALANCER_A), KECS_E_INVALID);
    CONTRACT_SAYS("load_balancer_arns");
    CONTRACT_TEXT(balancers_of(store, GROUP_1), "");
    CONTRACT_TEXT(array_of(store, GROUP_1), no_arrays[i]);
  }
  contract_close(store);
}

static void listeners_link_groups(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_all(store);
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "");
  set_actions(store, LISTENER_A, "[" FORWARD(GROUP_1) "]");
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c1");
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "a1");
  CONTRACT_TEXT(array_of(store, GROUP_1), "NULL");
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_A));
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c1");
  set_actions(store, LISTENER_A,
              "[ { \"Type\" : \"forward\" , \"ForwardConfig\" : { \"TargetGroups\" : [ { \"Weight\" : 1 , "
              "\"TargetGroupArn\" : \"" GROUP_2 "\" } , { \"TargetGroupArn\" : \"" ELB
              "targetgroup\\/g3\\/01\" } ] } } ]");
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c1,c2");
  CONTRACT_OK(kecs_target_group_disassociate(store, GROUP_1, BALANCER_A));
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c2");
  make_listener(store, ELB "listener/app/a/00000000000000a1/00000000000000d3", "[" FORWARD(GROUP_2) "]");
  CONTRACT_OK(kecs_listener_delete(store, LISTENER_A));
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c2");
  CONTRACT_OK(kecs_listener_delete(store, ELB "listener/app/a/00000000000000a1/00000000000000d3"));
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "");
  contract_close(store);
}

static void actions_that_link_nothing(void **state) {
  (void)state;
  static const char *const actions[] = {
      "", "no JSON", "null", "[]", "{}", "\"TargetGroupArn\"", "[\"TargetGroupArn\",\"" GROUP_1 "\"]",
      "[{\"Type\":\"TargetGroupArn\",\"Other\":\"" GROUP_1 "\"}]", "[{\"TargetGroupArn\":5}]",
      "[{\"TargetGroupArn\":null,\"x\":\"" GROUP_1 "\"}]", "[{\"TargetGroupArn\":[\"" GROUP_1 "\"]}]",
      "[{\"TargetGroupArn\":\"\\u0000\"}]", "[{\"targetgrouparn\":\"" GROUP_1 "\"}]",
      "[{\"x\":\"\\\"TargetGroupArn\\\":\\\"" GROUP_1 "\\\"\"}]", "[{\"TargetGroupArn\":\"" GROUP_1 "\"}",
  };
  kecs_store *store = contract_open();
  make_all(store);
  for (size_t i = 0; i < CONTRACT_COUNT(actions); i++) {
    set_actions(store, LISTENER_A, actions[i]);
    CONTRACT_TEXT(groups_of(store, BALANCER_A), "");
  }
  set_actions(store, LISTENER_A, "[{\"TargetGroupArn\":\"" GROUP_1 "\"},{" FORWARD(GROUP_2) ":1}]"); /* no JSON */
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "");
  set_actions(store, LISTENER_A, "[{\"TargetGroup\\u0041rn\":\"" GROUP_1 "\"},{\"a\":[{\"b\":" FORWARD(GROUP_2) "}]}]");
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c1,c2");
  set_actions(store, LISTENER_A, NULL);
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "");
  contract_close(store);
}

static void a_deleted_load_balancer_leaves_no_link(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_all(store);
  set_actions(store, LISTENER_A, "[" FORWARD(GROUP_2) "]");
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_A));
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_B));
  CONTRACT_OK(kecs_load_balancer_delete(store, "a"));
  CONTRACT_TEXT(balancers_of(store, GROUP_1), "b1");
  CONTRACT_TEXT(balancers_of(store, GROUP_2), "");
  CONTRACT_TEXT(array_of(store, GROUP_1), "[\"" BALANCER_B "\"]");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_LISTENER), 1);
  make_balancer(store, BALANCER_A);
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "");
  contract_close(store);
}

static void a_deleted_group_is_listed_no_more(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_all(store);
  set_actions(store, LISTENER_A, "[" FORWARD(GROUP_1) "]");
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_B));
  CONTRACT_OK(kecs_target_group_delete(store, GROUP_1));
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "");
  CONTRACT_TEXT(groups_of(store, BALANCER_B), "");
  make_group(store, GROUP_1);
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c1"); /* the listener still forwards to it */
  CONTRACT_TEXT(groups_of(store, BALANCER_B), "");
  contract_close(store);
}

static void links_are_undone_with_their_transaction(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  make_all(store);
  CONTRACT_OK(kecs_target_group_associate(store, GROUP_1, BALANCER_A));
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_load_balancer_delete(tx, BALANCER_A));
  CONTRACT_OK(kecs_target_group_associate(tx, GROUP_2, BALANCER_B));
  CONTRACT_TEXT(balancers_of(tx, GROUP_2), "b1");
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_TEXT(groups_of(store, BALANCER_A), "c1");
  CONTRACT_TEXT(balancers_of(store, GROUP_2), "");
  contract_close(store);
}

static void missing_arguments(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  const kecs_rule_priority no_rule = {NULL, 5};
  const char *const no_id[] = {NULL};
  int64_t number = 0;
  make_all(store);
  CONTRACT_FAILS(kecs_rule_set_priorities(store, NULL, 1), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rule_set_priorities(store, &no_rule, 1), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rule_set_priorities(NULL, NULL, 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rule_check_priority(NULL, LISTENER_A, 1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rule_check_priority(store, NULL, 1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rule_next_priority(NULL, LISTENER_A, KECS_RULE_BAND_GENERAL, &number), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rule_next_priority(store, NULL, KECS_RULE_BAND_GENERAL, &number), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_rule_next_priority(store, LISTENER_A, KECS_RULE_BAND_GENERAL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_register(store, NULL, NULL, 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_register(store, GROUP_1, NULL, 1), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_deregister(store, NULL, NULL, 0, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_deregister(store, GROUP_1, NULL, 1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_deregister(store, GROUP_1, no_id, 1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_update_health(store, NULL, "i", 0, "healthy", NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_update_health(store, GROUP_1, NULL, 0, "healthy", NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_update_health(store, GROUP_1, "i", 0, NULL, NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_group_associate(store, NULL, BALANCER_A), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_group_associate(store, GROUP_1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_group_associate(store, GROUP_1, ""), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_target_group_disassociate(NULL, GROUP_1, BALANCER_A), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_group_load_balancers(store, NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_target_group_load_balancers(store, GROUP_1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_load_balancer_target_groups(NULL, BALANCER_A, &result), KECS_E_MISUSE);
  assert_null(result);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(load_balancers_get_arns),
    CONTRACT_TEST(load_balancers_get_names),
    CONTRACT_TEST(a_load_balancer_comes_back_as_it_was),
    CONTRACT_TEST(regions_are_apart),
    CONTRACT_TEST(target_groups_get_arns_names_and_defaults),
    CONTRACT_TEST(modifying_what_is_not_there),
    CONTRACT_TEST(listeners_know_their_load_balancer),
    CONTRACT_TEST(children_live_where_their_parents_do),
    CONTRACT_TEST(odd_parents_have_children_too),
    CONTRACT_TEST(rules_know_their_listener),
    CONTRACT_TEST(a_default_rule_comes_last),
    CONTRACT_TEST(a_priority_stays_in_its_range),
    CONTRACT_TEST(a_default_rule_stays_last),
    CONTRACT_TEST(priorities_move_together),
    CONTRACT_TEST(priorities_are_set_all_or_none),
    CONTRACT_TEST(listeners_count_for_themselves),
    CONTRACT_TEST(priorities_in_a_transaction),
    CONTRACT_TEST(many_priorities_are_shuffled),
    CONTRACT_TEST(priorities_are_checked),
    CONTRACT_TEST(the_lowest_free_priority),
    CONTRACT_TEST(targets_are_registered),
    CONTRACT_TEST(registering_is_all_or_nothing),
    CONTRACT_TEST(targets_are_deregistered),
    CONTRACT_TEST(the_health_of_targets),
    CONTRACT_TEST(targets_without_a_port),
    CONTRACT_TEST(one_id_on_thousands_of_ports),
    CONTRACT_TEST(groups_are_associated),
    CONTRACT_TEST(an_array_is_edited_in_its_own_style),
    CONTRACT_TEST(listeners_link_groups),
    CONTRACT_TEST(actions_that_link_nothing),
    CONTRACT_TEST(a_deleted_load_balancer_leaves_no_link),
    CONTRACT_TEST(a_deleted_group_is_listed_no_more),
    CONTRACT_TEST(links_are_undone_with_their_transaction),
    CONTRACT_TEST(missing_arguments),
};

CONTRACT_MAIN("elb operations", tests)
