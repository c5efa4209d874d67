/* test_tags.c -- tags: documents and rows that say the same, whichever of the two was written. */
#include "contract.h"

#define CLUSTER "arn:aws:ecs:us-east-1:000000000000:cluster/tagged"
#define BALANCER "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/tagged/0123456789abcdef"

/* ---- looking ---- */

/* The rows of a resource as "key=value;..." in the order of their keys; a NULL value is "key;". */
static const char *rows_of(kecs_store *store, const char *arn) {
  static char out[16384];
  kecs_result *result = NULL;
  size_t used = 0;
  CONTRACT_OK(kecs_tags_describe(store, &arn, 1, &result));
  out[0] = '\0';
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    const kecs_tag *tag = kecs_tag_at(result, i);
    assert_string_equal(tag->resource_arn, arn);
    assert_true(tag->created_at != 0);
    int len = snprintf(out + used, sizeof out - used, "%s%s%s;", tag->key, tag->value ? "=" : "",
                       tag->value ? tag->value : "");
    used += (size_t)len;
    assert_true(used < sizeof out);
  }
  kecs_result_free(result);
  return out;
}

/* The document of a resource of any kind; "NULL" for NULL. */
static const char *document_of(kecs_store *store, kecs_kind kind, const char *arn) {
  static char out[16384];
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_record_get(store, kind, arn, &result));
  const char *text = contract_get_text(info, kecs_record_at(result, kind, 0), kecs_column_find(info, "tags"));
  snprintf(out, sizeof out, "%s", text ? text : "NULL");
  kecs_result_free(result);
  return out;
}

static int64_t version_of(kecs_store *store, const char *cluster) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_get(store, cluster, &result));
  int64_t version = kecs_cluster_at(result, 0)->version;
  kecs_result_free(result);
  return version;
}

static void make_cluster(kecs_store *store, const char *tags) {
  kecs_cluster row = {.arn = CLUSTER, .name = "tagged", .tags = tags};
  CONTRACT_OK(kecs_cluster_create(store, &row, NULL));
}

static void make_balancer(kecs_store *store, const char *tags) {
  kecs_load_balancer row = {.arn = BALANCER, .name = "tagged", .tags = tags};
  CONTRACT_OK(kecs_load_balancer_create(store, &row, NULL));
}

static void set_tags(kecs_store *store, const char *tags) {
  kecs_cluster row = {.arn = CLUSTER, .tags = tags};
  CONTRACT_OK(kecs_cluster_update_fields(store, &row, KECS_BIT(KECS_CLUSTER_TAGS), NULL));
}

static kecs_status add_one(kecs_store *store, const char *arn, const char *key, const char *value) {
  kecs_key_value tag = {key, value};
  return kecs_tags_add(store, arn, &tag, 1);
}

static kecs_status remove_one(kecs_store *store, const char *arn, const char *key) {
  return kecs_tags_remove(store, arn, &key, 1);
}

/* ---- rows after documents ---- */

static const struct {
  const char *document;
  const char *rows;
} shapes[] = {
    {NULL, ""},
    {"", ""},
    {"[]", ""},
    {"{}", ""},
    {" [ ] ", ""},
    {"null", ""},
    {"[{\"key\":\"b\",\"value\":\"2\"},{\"key\":\"a\",\"value\":\"1\"}]", "a=1;b=2;"},
    {"[{\"Key\":\"b\",\"Value\":\"2\"},{\"Key\":\"a\",\"Value\":\"1\"}]", "a=1;b=2;"},
    {"{\"b\":\"2\",\"a\":\"1\"}", "a=1;b=2;"},
    {" [ { \"value\" : \"1\" , \"key\" : \"a\" } ] \n", "a=1;"},
    {"[{\"key\":\"a\"},{\"key\":\"b\",\"value\":null},{\"key\":\"c\",\"value\":\"\"}]", "a;b;c=;"},
    {"{\"a\":null,\"b\":\"\"}", "a;b=;"},
    {"[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"a\",\"value\":\"2\"}]", "a=2;"},
    {"{\"a\":\"1\",\"a\":\"2\",\"b\":\"3\"}", "a=2;b=3;"},
    {"[{\"key\":\"a\",\"value\":\"1\"},{\"Key\":\"B\",\"Value\":\"2\"}]", "B=2;a=1;"},
    {"[{\"key\":\"caf\\u00e9\",\"value\":\"\\ud83d\\ude00\"}]", "caf\xc3\xa9=\xf0\x9f\x98\x80;"},
    {"[{\"key\":\"\",\"value\":\"\"}]", "=;"},
    {"{\"n\":5,\"t\":true,\"o\":{\"x\":[1]}}", "n=5;o={\"x\":[1]};t=true;"},
    {"[{\"key\":\"a\",\"value\":\"1\",\"extra\":{\"key\":\"no\"}}]", "a=1;"},
    {"[1,\"a\",null,[],{},{\"value\":\"1\"},{\"key\":5,\"value\":\"1\"},{\"key\":\"a\",\"value\":\"1\"}]", "a=1;"},
    {"[{\"key\":\"\\u0000\",\"value\":\"1\"},{\"key\":\"a\",\"value\":\"\\ud800\"},{\"key\":\"b\"}]", "b;"},
    {"\"text\"", ""},
    {"5", ""},
    {"no JSON", ""},
    {"[{\"key\":\"a\",\"value\":\"1\"}", ""},
};

static void documents_of_every_shape(void **state) {
  (void)state;
  for (size_t i = 0; i < CONTRACT_COUNT(shapes); i++) {
    kecs_store *store = contract_open();
    make_cluster(store, shapes[i].document);
    CONTRACT_TEXT(rows_of(store, CLUSTER), shapes[i].rows);
    CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), shapes[i].document ? shapes[i].document : "NULL");
    contract_close(store);
  }
}

static void documents_that_change_their_shape(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, NULL);
  for (size_t i = 0; i < CONTRACT_COUNT(shapes); i++) {
    for (size_t k = 0; k < CONTRACT_COUNT(shapes); k++) {
      set_tags(store, shapes[k].document);
      CONTRACT_TEXT(rows_of(store, CLUSTER), shapes[k].rows);
      set_tags(store, shapes[i].document);
      CONTRACT_TEXT(rows_of(store, CLUSTER), shapes[i].rows);
    }
  }
  contract_close(store);
}

static void naughty_texts(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "{}");
  for (size_t i = 0; i < CONTRACT_COUNT(contract_naughty); i++) {
    if (contract_naughty[i][0]) {
      char expected[1024];
      snprintf(expected, sizeof expected, "%s=%s;", contract_naughty[i], contract_naughty[i]);
      CONTRACT_OK(add_one(store, CLUSTER, contract_naughty[i], contract_naughty[i]));
      CONTRACT_TEXT(rows_of(store, CLUSTER), expected);
      CONTRACT_OK(kecs_json_check(document_of(store, KECS_KIND_CLUSTER, CLUSTER), SIZE_MAX));
      CONTRACT_OK(remove_one(store, CLUSTER, contract_naughty[i]));
      CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "{}");
      set_tags(store, contract_naughty[i]);
      set_tags(store, "{}");
    }
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 0);
  contract_close(store);
}

/* Insert, update, upsert and delete, for all that carry tags. */
static void every_kind_that_has_tags(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  int kinds = 0;
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    int tags = kecs_column_find(info, "tags");
    int arn = kecs_column_find(info, "arn");
    contract_row row;
    if (tags < 0) {
      continue;
    }
    kinds++;
    contract_make_row((kecs_kind)kind, 1, &row);
    contract_set_text(info, &row.row, tags, "[{\"key\":\"a\",\"value\":\"1\"}]");
    CONTRACT_OK(kecs_record_create(store, (kecs_kind)kind, &row.row, NULL));
    const char *name = contract_get_text(info, &row.row, arn);
    CONTRACT_TEXT(rows_of(store, name), "a=1;");
    contract_set_text(info, &row.row, tags, "[{\"key\":\"b\",\"value\":\"2\"},{\"key\":\"a\",\"value\":\"3\"}]");
    CONTRACT_OK(kecs_record_update(store, (kecs_kind)kind, &row.row, KECS_BIT(tags), NULL));
    CONTRACT_TEXT(rows_of(store, name), "a=3;b=2;");
    contract_set_text(info, &row.row, tags, "[{\"key\":\"b\",\"value\":\"2\"}]");
    CONTRACT_OK(kecs_record_upsert(store, (kecs_kind)kind, &row.row, NULL));
    CONTRACT_TEXT(rows_of(store, name), "b=2;");
    CONTRACT_OK(add_one(store, name, "c", "4"));
    CONTRACT_TEXT(rows_of(store, name), "b=2;c=4;");
    CONTRACT_OK(kecs_record_delete(store, (kecs_kind)kind, name));
    CONTRACT_TEXT(rows_of(store, name), "");
    CONTRACT_FAILS(add_one(store, name, "c", "4"), KECS_E_NOT_FOUND);
  }
  CONTRACT_NUMBER(kinds, 10);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 0);
  contract_close(store);
}

static int64_t created_at(kecs_store *store, const char *key) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_tag_get(store, CLUSTER, key, &result));
  int64_t time = kecs_tag_at(result, 0)->created_at;
  kecs_result_free(result);
  return time;
}

static void rows_that_stay_keep_their_time(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {0};
  options.clock = contract_clock(&now);
  kecs_store *store = contract_open_with(&options);
  make_cluster(store, "{\"kept\":\"1\",\"changed\":\"1\",\"gone\":\"1\"}");
  now += 1000000;
  set_tags(store, "{\"changed\":\"2\",\"new\":\"1\",\"kept\":\"1\"}");
  CONTRACT_TEXT(rows_of(store, CLUSTER), "changed=2;kept=1;new=1;");
  CONTRACT_NUMBER(created_at(store, "kept"), CONTRACT_NOW);
  CONTRACT_NUMBER(created_at(store, "changed"), CONTRACT_NOW);
  CONTRACT_NUMBER(created_at(store, "new"), CONTRACT_NOW + 1000000);
  CONTRACT_OK(add_one(store, CLUSTER, "kept", "2"));
  CONTRACT_NUMBER(created_at(store, "kept"), CONTRACT_NOW);
  contract_close(store);
}

static void tags_go_with_what_is_deleted_below(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int i = 0; i < 20; i++) {
    contract_row row;
    kecs_task *task = contract_make_row(KECS_KIND_TASK, i, &row);
    task->tags = "[{\"key\":\"a\",\"value\":\"1\"}]";
    CONTRACT_OK(kecs_task_create(store, task, NULL));
    kecs_rule *rule = contract_make_row(KECS_KIND_RULE, i, &row);
    rule->tags = "[{\"Key\":\"a\",\"Value\":\"1\"}]";
    CONTRACT_OK(kecs_rule_create(store, rule, NULL));
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 40);
  CONTRACT_OK(kecs_cluster_delete(store, CONTRACT_CLUSTER));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 20);
  CONTRACT_OK(kecs_load_balancer_delete(store, CONTRACT_BALANCER));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 0);
  contract_close(store);
}

/* ---- adding and removing ---- */

/* What adding a=1 and then x=9, and removing a and b, leaves of a document. */
static const struct {
  const char *document;
  const char *added;
  const char *removed;
} edits[] = {
    {NULL, "[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"x\",\"value\":\"9\"}]", "[{\"key\":\"x\",\"value\":\"9\"}]"},
    {"", "[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"x\",\"value\":\"9\"}]", "[{\"key\":\"x\",\"value\":\"9\"}]"},
    {"null", "[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"x\",\"value\":\"9\"}]", "[{\"key\":\"x\",\"value\":\"9\"}]"},
    {"[]", "[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"x\",\"value\":\"9\"}]", "[{\"key\":\"x\",\"value\":\"9\"}]"},
    {"{}", "{\"a\":\"1\",\"x\":\"9\"}", "{\"x\":\"9\"}"},
    {"[{\"key\":\"a\",\"value\":\"0\"}]", "[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"x\",\"value\":\"9\"}]",
     "[{\"key\":\"x\",\"value\":\"9\"}]"},
    {"[{\"Key\":\"b\",\"Value\":\"0\"}]",
     "[{\"Key\":\"b\",\"Value\":\"0\"},{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"x\",\"Value\":\"9\"}]",
     "[{\"Key\":\"x\",\"Value\":\"9\"}]"},
    {"{ \"b\" : \"0\" , \"a\" : \"0\" }", "{ \"b\" : \"0\" , \"a\" : \"1\" , \"x\":\"9\" }", "{ \"x\":\"9\" }"},
    {"[\n  {\"key\": \"b\"},\n  {\"key\": \"c\", \"more\": [1, 2]}\n]\n",
     "[\n  {\"key\": \"b\"},\n  {\"key\": \"c\", \"more\": [1, 2]},\n  {\"key\":\"a\",\"value\":\"1\"},\n  "
     "{\"key\":\"x\",\"value\":\"9\"}\n]\n",
     "[\n  {\"key\": \"c\", \"more\": [1, 2]},\n  {\"key\":\"x\",\"value\":\"9\"}\n]\n"},
    {"[{\"key\":\"a\"},{\"key\":\"\\u0061\",\"value\":\"\\u0031\"}]",
     "[{\"key\":\"a\"},{\"key\":\"\\u0061\",\"value\":\"\\u0031\"},{\"key\":\"x\",\"value\":\"9\"}]",
     "[{\"key\":\"x\",\"value\":\"9\"}]"},
    {"[{\"key\":\"a\"}]", "[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"x\",\"value\":\"9\"}]",
     "[{\"key\":\"x\",\"value\":\"9\"}]"},
    {"[7,{\"key\":\"a\",\"value\":{}}]", "[7,{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"x\",\"value\":\"9\"}]",
     "[7,{\"key\":\"x\",\"value\":\"9\"}]"},
};

static void edits_keep_the_style(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, NULL);
  for (size_t i = 0; i < CONTRACT_COUNT(edits); i++) {
    const kecs_key_value tags[] = {{"a", "1"}, {"x", "9"}};
    const char *const keys[] = {"a", "absent", "b"};
    set_tags(store, edits[i].document);
    CONTRACT_OK(kecs_tags_add(store, CLUSTER, tags, 2));
    CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), edits[i].added);
    CONTRACT_OK(kecs_tags_remove(store, CLUSTER, keys, 3));
    CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), edits[i].removed);
    CONTRACT_OK(remove_one(store, CLUSTER, "x"));
    CONTRACT_OK(remove_one(store, CLUSTER, "c"));
    CONTRACT_TEXT(rows_of(store, CLUSTER), "");
  }
  contract_close(store);
}

static void new_documents_have_the_case_of_their_service(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, NULL);
  make_balancer(store, NULL);
  CONTRACT_OK(add_one(store, CLUSTER, "k", NULL));
  CONTRACT_OK(add_one(store, BALANCER, "k", "v \"1\""));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "[{\"key\":\"k\",\"value\":\"\"}]");
  CONTRACT_TEXT(document_of(store, KECS_KIND_LOAD_BALANCER, BALANCER), "[{\"Key\":\"k\",\"Value\":\"v \\\"1\\\"\"}]");
  CONTRACT_OK(remove_one(store, BALANCER, "k"));
  CONTRACT_TEXT(document_of(store, KECS_KIND_LOAD_BALANCER, BALANCER), "[]");
  contract_close(store);
}

static void only_what_changes_is_written(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, "[{\"key\":\"a\",\"value\":\"1\"}]");
  CONTRACT_NUMBER(version_of(store, "tagged"), 1);
  CONTRACT_OK(add_one(store, CLUSTER, "a", "1"));
  CONTRACT_OK(remove_one(store, CLUSTER, "absent"));
  CONTRACT_OK(kecs_tags_add(store, CLUSTER, NULL, 0));
  CONTRACT_OK(kecs_tags_remove(store, CLUSTER, NULL, 0));
  CONTRACT_NUMBER(version_of(store, "tagged"), 1);
  CONTRACT_OK(add_one(store, CLUSTER, "a", "2"));
  CONTRACT_NUMBER(version_of(store, "tagged"), 2);
  set_tags(store, NULL);
  CONTRACT_OK(remove_one(store, CLUSTER, "a"));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "NULL");
  contract_close(store);
}

static void unknown_resources(void **state) {
  (void)state;
  static const char *const unknown[] = {
      "arn:aws:ecs:us-east-1:000000000000:cluster/nobody",
      "arn:aws:ecs:us-east-1:000000000000:task/nobody/0",
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/nobody/0",
      "arn:aws:s3:::bucket",
      "nobody",
      "",
  };
  kecs_store *store = contract_open();
  make_cluster(store, NULL);
  for (size_t i = 0; i < CONTRACT_COUNT(unknown); i++) {
    CONTRACT_FAILS(add_one(store, unknown[i], "a", "1"), KECS_E_NOT_FOUND);
    CONTRACT_SAYS(unknown[i]);
    CONTRACT_SAYS("not found");
    CONTRACT_FAILS(remove_one(store, unknown[i], "a"), KECS_E_NOT_FOUND);
    CONTRACT_FAILS(kecs_tags_add(store, unknown[i], NULL, 0), KECS_E_NOT_FOUND);
    CONTRACT_TEXT(rows_of(store, unknown[i]), "");
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 0);
  contract_close(store);
}

/* Rows may have ARNs of any shape: nothing but the text counts. */
static void resources_with_odd_arns(void **state) {
  (void)state;
  static const char *const arns[] = {"odd", "arn:x", "arn:aws:eks:us-east-1:000000000000:nodegroup/a",
                                     "arn:aws-cn:ecs:cn-north-1:000000000000:cluster/c"};
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(arns); i++) {
    char name[16];
    snprintf(name, sizeof name, "odd-%zu", i);
    kecs_cluster row = {.arn = arns[i], .name = name, .tags = "{\"a\":\"1\"}"};
    CONTRACT_OK(kecs_cluster_create(store, &row, NULL));
    CONTRACT_OK(add_one(store, arns[i], "b", "2"));
    CONTRACT_TEXT(rows_of(store, arns[i]), "a=1;b=2;");
  }
  contract_close(store);
}

static void what_is_no_document_of_tags_is_left_alone(void **state) {
  (void)state;
  static const char *const documents[] = {"\"text\"", "5", "true", "no JSON", "[{\"key\":\"a\"}", " "};
  kecs_store *store = contract_open();
  make_cluster(store, NULL);
  for (size_t i = 0; i < CONTRACT_COUNT(documents); i++) {
    kecs_tag row = {.resource_arn = CLUSTER, .key = "a", .value = "1"};
    set_tags(store, documents[i]);
    CONTRACT_FAILS(add_one(store, CLUSTER, "a", "1"), KECS_E_INVALID);
    CONTRACT_SAYS(CLUSTER);
    CONTRACT_FAILS(kecs_tag_create(store, &row, NULL), KECS_E_INVALID);
    CONTRACT_OK(remove_one(store, CLUSTER, "a"));
    CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), documents[i]);
    CONTRACT_TEXT(rows_of(store, CLUSTER), "");
  }
  contract_close(store);
}

/* ---- limits ---- */

static void fill_text(char *out, size_t characters, const char *character) {
  size_t len = strlen(character);
  for (size_t i = 0; i < characters; i++) {
    memcpy(out + i * len, character, len);
  }
  out[characters * len] = '\0';
}

static void keys_and_values_have_limits(void **state) {
  (void)state;
  static const char *const characters[] = {"x", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x98\x80"};
  kecs_store *store = contract_open();
  make_cluster(store, NULL);
  for (size_t i = 0; i < CONTRACT_COUNT(characters); i++) {
    char key[129 * 4 + 1];
    char value[257 * 4 + 1];
    fill_text(key, 128, characters[i]);
    fill_text(value, 256, characters[i]);
    CONTRACT_OK(add_one(store, CLUSTER, key, value));
    fill_text(key, 129, characters[i]);
    CONTRACT_FAILS(add_one(store, CLUSTER, key, "v"), KECS_E_INVALID);
    CONTRACT_SAYS("129");
    fill_text(value, 257, characters[i]);
    CONTRACT_FAILS(add_one(store, CLUSTER, "k", value), KECS_E_INVALID);
    CONTRACT_SAYS("257");
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 4);
  CONTRACT_FAILS(add_one(store, CLUSTER, "", "v"), KECS_E_INVALID);
  CONTRACT_FAILS(add_one(store, CLUSTER, NULL, "v"), KECS_E_INVALID);
  CONTRACT_FAILS(add_one(store, CLUSTER, "\xff", "v"), KECS_E_INVALID);
  CONTRACT_FAILS(add_one(store, CLUSTER, "k", "\xc3"), KECS_E_INVALID);
  contract_close(store);
}

static void at_most_fifty_tags(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_key_value tags[60];
  char keys[60][16];
  make_cluster(store, NULL);
  for (size_t i = 0; i < CONTRACT_COUNT(tags); i++) {
    snprintf(keys[i], sizeof keys[i], "key%02zu", i);
    tags[i].key = keys[i];
    tags[i].value = "v";
  }
  CONTRACT_FAILS(kecs_tags_add(store, CLUSTER, tags, 51), KECS_E_INVALID);
  CONTRACT_SAYS("51");
  CONTRACT_SAYS("50");
  CONTRACT_TEXT(rows_of(store, CLUSTER), "");
  CONTRACT_OK(kecs_tags_add(store, CLUSTER, tags, 50));
  CONTRACT_OK(kecs_tags_add(store, CLUSTER, tags, 50));
  CONTRACT_FAILS(kecs_tags_add(store, CLUSTER, tags + 50, 1), KECS_E_INVALID);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 50);
  CONTRACT_OK(add_one(store, CLUSTER, "aws:cloudformation:stack-name", "AWS's own do not count"));
  CONTRACT_OK(remove_one(store, CLUSTER, "key07"));
  CONTRACT_OK(kecs_tags_add(store, CLUSTER, tags + 50, 1));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 51);
  contract_close(store);
}

static void a_key_twice_in_one_call(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_key_value tags[200];
  make_cluster(store, "{}");
  for (size_t i = 0; i < CONTRACT_COUNT(tags); i++) {
    tags[i].key = i % 2 ? "odd" : "even";
    tags[i].value = i + 2 < CONTRACT_COUNT(tags) ? "early" : "late";
  }
  CONTRACT_OK(kecs_tags_add(store, CLUSTER, tags, CONTRACT_COUNT(tags)));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "{\"even\":\"late\",\"odd\":\"late\"}");
  contract_close(store);
}

/* ---- describing and finding ---- */

static void describe_keeps_the_order_of_the_arns(void **state) {
  (void)state;
  const char *const arns[] = {BALANCER, "arn:aws:ecs:us-east-1:000000000000:cluster/nobody", CLUSTER, BALANCER};
  static const char *const expected[] = {"y", "z", "a", "b", "y", "z"};
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  make_cluster(store, "{\"b\":\"2\",\"a\":\"1\"}");
  make_balancer(store, "{\"z\":\"2\",\"y\":\"1\"}");
  CONTRACT_OK(kecs_tags_describe(store, arns, CONTRACT_COUNT(arns), &result));
  CONTRACT_NUMBER(kecs_result_count(result), CONTRACT_COUNT(expected));
  CONTRACT_NUMBER(kecs_result_kind(result), KECS_KIND_TAG);
  for (size_t i = 0; i < CONTRACT_COUNT(expected); i++) {
    CONTRACT_TEXT(kecs_tag_at(result, i)->key, expected[i]);
  }
  kecs_result_free(result);
  CONTRACT_OK(kecs_tags_describe(store, NULL, 0, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  kecs_result_free(result);
  contract_close(store);
}

static void resources_are_found_by_tag(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_filter by_value[] = {{.column = KECS_TAG_KEY, .op = KECS_EQ, .text = "team"},
                            {.column = KECS_TAG_VALUE, .op = KECS_EQ, .text = "red"}};
  kecs_query query = {.where = by_value, .where_count = 2};
  kecs_result *result = NULL;
  make_cluster(store, "{\"team\":\"red\"}");
  make_balancer(store, "[{\"Key\":\"team\",\"Value\":\"blue\"}]");
  CONTRACT_OK(kecs_tag_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  CONTRACT_TEXT(kecs_tag_at(result, 0)->resource_arn, CLUSTER);
  kecs_result_free(result);
  query.where_count = 1;
  CONTRACT_OK(kecs_tag_list(store, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 2);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- documents after rows ---- */

static void rows_are_written_to_the_document(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  make_cluster(store, NULL);
  make_balancer(store, "[{\"Key\":\"a\",\"Value\":\"1\"}]");
  kecs_tag row = {.resource_arn = CLUSTER, .key = "a", .value = "1"};
  CONTRACT_OK(kecs_tag_create(store, &row, NULL));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "[{\"key\":\"a\",\"value\":\"1\"}]");
  CONTRACT_NUMBER(version_of(store, "tagged"), 2);
  CONTRACT_FAILS(kecs_tag_create(store, &row, NULL), KECS_E_EXISTS);
  row.value = "2";
  CONTRACT_OK(kecs_tag_upsert(store, &row, NULL));
  row.key = "b";
  row.value = NULL;
  CONTRACT_OK(kecs_tag_upsert(store, &row, NULL));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "[{\"key\":\"a\",\"value\":\"2\"},{\"key\":\"b\"}]");
  CONTRACT_TEXT(rows_of(store, CLUSTER), "a=2;b;");
  row.key = "a";
  CONTRACT_OK(kecs_tag_update(store, &row, NULL));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "[{\"key\":\"a\",\"value\":null},{\"key\":\"b\"}]");
  CONTRACT_OK(kecs_tag_delete(store, CLUSTER, "a"));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "[{\"key\":\"b\"}]");
  CONTRACT_FAILS(kecs_tag_delete(store, CLUSTER, "a"), KECS_E_NOT_FOUND);
  row.resource_arn = BALANCER;
  row.key = "b";
  row.value = "2";
  CONTRACT_OK(kecs_tag_create(store, &row, NULL));
  CONTRACT_TEXT(document_of(store, KECS_KIND_LOAD_BALANCER, BALANCER),
                "[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"b\",\"Value\":\"2\"}]");
  contract_close(store);
}

static void rows_that_come_together(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_tag rows[] = {{.resource_arn = CLUSTER, .key = "a", .value = "1"},
                     {.resource_arn = CLUSTER, .key = "b", .value = "2"},
                     {.resource_arn = CLUSTER, .key = "a", .value = "3"}};
  make_cluster(store, "{}");
  CONTRACT_FAILS(kecs_tag_create_many(store, rows, 3, NULL), KECS_E_EXISTS);
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "{}");
  CONTRACT_TEXT(rows_of(store, CLUSTER), "");
  CONTRACT_OK(kecs_tag_create_many(store, rows, 2, NULL));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "{\"a\":\"1\",\"b\":\"2\"}");
  contract_close(store);
}

static void rows_of_a_resource_that_is_elsewhere(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_tag row = {.resource_arn = CLUSTER, .key = "a", .value = "1"};
  CONTRACT_OK(kecs_tag_create(store, &row, NULL));
  row.value = "2";
  CONTRACT_OK(kecs_tag_upsert(store, &row, NULL));
  CONTRACT_TEXT(rows_of(store, CLUSTER), "a=2;");
  make_cluster(store, "{\"b\":\"1\"}");
  CONTRACT_TEXT(rows_of(store, CLUSTER), "b=1;"); /* its document is what counts */
  contract_close(store);
}

static void a_transaction_keeps_or_undoes_both(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  make_cluster(store, "{\"a\":\"1\"}");
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(add_one(tx, CLUSTER, "b", "2"));
  CONTRACT_TEXT(rows_of(tx, CLUSTER), "a=1;b=2;");
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_TEXT(rows_of(store, CLUSTER), "a=1;");
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "{\"a\":\"1\"}");
  CONTRACT_OK(kecs_begin(store, &tx));
  kecs_tag row = {.resource_arn = CLUSTER, .key = "c", .value = "3"};
  CONTRACT_OK(kecs_tag_create(tx, &row, NULL));
  CONTRACT_FAILS(kecs_tag_create(tx, &row, NULL), KECS_E_EXISTS);
  CONTRACT_FAILS(add_one(tx, CLUSTER, "", "x"), KECS_E_INVALID);
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_TEXT(document_of(store, KECS_KIND_CLUSTER, CLUSTER), "{\"a\":\"1\",\"c\":\"3\"}");
  CONTRACT_TEXT(rows_of(store, CLUSTER), "a=1;c=3;");
  contract_close(store);
}

/* ---- many random edits against a table in memory ---- */

static uint64_t random_next(uint64_t *seed) {
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return *seed >> 33;
}

enum { MODEL_KEYS = 8 };

static void model_expect(kecs_store *store, const int *model) {
  char expected[256];
  size_t used = 0;
  expected[0] = '\0';
  for (int i = 0; i < MODEL_KEYS; i++) {
    if (model[i] > 0) {
      used += (size_t)snprintf(expected + used, sizeof expected - used, "k%d=%d;", i, model[i]);
    }
  }
  CONTRACT_TEXT(rows_of(store, CLUSTER), expected);
  CONTRACT_OK(kecs_json_check(document_of(store, KECS_KIND_CLUSTER, CLUSTER), SIZE_MAX));
}

static void random_edits(void **state) {
  (void)state;
  static const char *const starts[] = {"[]", "{}", " [ \n ] ", "[{\"Key\":\"k0\",\"Value\":\"7\"}]"};
  uint64_t seed = 20240229;
  for (size_t run = 0; run < CONTRACT_COUNT(starts); run++) {
    kecs_store *store = contract_open();
    int model[MODEL_KEYS] = {run == 3 ? 7 : 0};
    make_cluster(store, starts[run]);
    for (int step = 0; step < 150; step++) {
      int which = (int)(random_next(&seed) % MODEL_KEYS);
      int value = 1 + (int)(random_next(&seed) % 5);
      char key[8];
      char text[8];
      snprintf(key, sizeof key, "k%d", which);
      snprintf(text, sizeof text, "%d", value);
      kecs_tag row = {.resource_arn = CLUSTER, .key = key, .value = text};
      switch (random_next(&seed) % 4) {
        case 0:
          CONTRACT_OK(add_one(store, CLUSTER, key, text));
          model[which] = value;
          break;
        case 1:
          CONTRACT_OK(remove_one(store, CLUSTER, key));
          model[which] = 0;
          break;
        case 2:
          CONTRACT_OK(kecs_tag_upsert(store, &row, NULL));
          model[which] = value;
          break;
        default:
          assert_int_equal(kecs_tag_delete(store, CLUSTER, key), model[which] ? KECS_OK : KECS_E_NOT_FOUND);
          model[which] = 0;
          break;
      }
      model_expect(store, model);
    }
    contract_close(store);
  }
}

static void missing_arguments(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  const char *const no_key[] = {"a", NULL};
  kecs_result *result = NULL;
  make_cluster(store, NULL);
  CONTRACT_FAILS(kecs_tags_add(store, NULL, NULL, 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_tags_add(store, CLUSTER, NULL, 1), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_tags_remove(store, NULL, NULL, 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_tags_remove(store, CLUSTER, NULL, 1), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_tags_remove(store, CLUSTER, no_key, 2), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_tags_describe(store, NULL, 1, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_tags_describe(store, no_key, 2, &result), KECS_E_MISUSE);
  assert_null(result);
  CONTRACT_FAILS(kecs_tags_describe(store, no_key, 1, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(add_one(NULL, CLUSTER, "a", "1"), KECS_E_MISUSE);
  CONTRACT_FAILS(remove_one(NULL, CLUSTER, "a"), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_tags_describe(NULL, no_key, 1, &result), KECS_E_MISUSE);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(documents_of_every_shape),
    CONTRACT_TEST(documents_that_change_their_shape),
    CONTRACT_TEST(naughty_texts),
    CONTRACT_TEST(every_kind_that_has_tags),
    CONTRACT_TEST(rows_that_stay_keep_their_time),
    CONTRACT_TEST(tags_go_with_what_is_deleted_below),
    CONTRACT_TEST(edits_keep_the_style),
    CONTRACT_TEST(new_documents_have_the_case_of_their_service),
    CONTRACT_TEST(only_what_changes_is_written),
    CONTRACT_TEST(unknown_resources),
    CONTRACT_TEST(resources_with_odd_arns),
    CONTRACT_TEST(what_is_no_document_of_tags_is_left_alone),
    CONTRACT_TEST(keys_and_values_have_limits),
    CONTRACT_TEST(at_most_fifty_tags),
    CONTRACT_TEST(a_key_twice_in_one_call),
    CONTRACT_TEST(describe_keeps_the_order_of_the_arns),
    CONTRACT_TEST(resources_are_found_by_tag),
    CONTRACT_TEST(rows_are_written_to_the_document),
    CONTRACT_TEST(rows_that_come_together),
    CONTRACT_TEST(rows_of_a_resource_that_is_elsewhere),
    CONTRACT_TEST(a_transaction_keeps_or_undoes_both),
    CONTRACT_TEST(random_edits),
    CONTRACT_TEST(missing_arguments),
};

CONTRACT_MAIN("tags", tests)
