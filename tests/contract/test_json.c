/* test_json.c -- AWS documents in and out: what comes back is equal, member for member; what is wrong is refused with
 * line and column. Documents are compared by a parser of the test's own. */
#include "contract.h"

#include <dirent.h>

/* ---- a small JSON tree: trusts that its text is JSON ---- */

typedef struct node {
  char type; /* { [ " 0 t f n */
  const char *text;
  size_t len;
  char *name; /* of a member, decoded */
  char *string;
  struct node *child;
  struct node *next;
} node;

static const char *spaces(const char *at) {
  return at + strspn(at, " \t\r\n");
}

static long hex4(const char *at) {
  char digits[5] = {at[0], at[1], at[2], at[3], 0};
  return strtol(digits, NULL, 16);
}

static size_t encode(char *out, long code) {
  if (code == 0 || (code >= 0xD800 && code < 0xE000)) { /* no text of C has it: an escape again */
    return (size_t)snprintf(out, 7, "\\u%04lx", (unsigned long)code);
  }
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char heads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  out[0] = (char)(heads[len] | (code >> (6 * (len - 1))));
  for (size_t i = 1; i < len; i++) {
    out[i] = (char)(0x80 | ((code >> (6 * (len - 1 - i))) & 0x3F));
  }
  return len;
}

/* A string decoded. */
static char *decode(const char **io_at) {
  const char *at = *io_at + 1;
  char *out = malloc(strlen(at) * 2 + 8);
  size_t used = 0;
  for (; *at != '"'; at++) {
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (*at != '\\') {
      out[used++] = *at;
      continue;
    }
    at++;
    if (*at != 'u') {
      out[used++] = to[strchr(from, *at) - from];
      continue;
    }
    long code = hex4(at + 1);
    at += 4;
    if (code >= 0xD800 && code < 0xDC00 && at[1] == '\\' && at[2] == 'u') {
      long low = hex4(at + 3);
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        at += 6;
      }
    }
    used += encode(out + used, code);
  }
  out[used] = '\0';
  *io_at = at + 1;
  return out;
}

static node *parse(const char **io_at) {
  node *one = calloc(1, sizeof *one);
  const char *at = spaces(*io_at);
  one->text = at;
  one->type = strchr("{[\"tfn", *at) ? *at : '0';
  if (one->type == '"') {
    one->string = decode(&at);
  } else if (one->type == '{' || one->type == '[') {
    node **tail = &one->child;
    char end = one->type == '{' ? '}' : ']';
    for (at = spaces(at + 1); *at != end; at = spaces(at + (*at == ','))) {
      char *name = NULL;
      if (end == '}') {
        name = decode(&at);
        at = spaces(at) + 1;
      }
      *tail = parse(&at);
      (*tail)->name = name;
      tail = &(*tail)->next;
      at = spaces(at);
    }
    at++;
  } else {
    at += strcspn(at, " \t\r\n,]}");
  }
  one->len = (size_t)(at - one->text);
  *io_at = at;
  return one;
}

static node *parse_text(const char *text) {
  return parse(&text);
}

static void release(node *one) {
  while (one) {
    node *next = one->next;
    release(one->child);
    free(one->name);
    free(one->string);
    free(one);
    one = next;
  }
}

static node *member(const node *object, const char *name) {
  for (node *at = object->child; at; at = at->next) {
    if (at->name && strcmp(at->name, name) == 0) {
      return at;
    }
  }
  return NULL;
}

static size_t children(const node *one) {
  size_t count = 0;
  for (const node *at = one->child; at; at = at->next) {
    count++;
  }
  return count;
}

/* Of several members with one name, the one that stands for `one` of `object` in `other`. */
static const node *counterpart(const node *object, const node *one, const node *other) {
  int nth = 0;
  for (const node *at = object->child; at != one; at = at->next) {
    nth += strcmp(at->name, one->name) == 0;
  }
  for (const node *at = other->child; at; at = at->next) {
    if (strcmp(at->name, one->name) == 0 && nth-- == 0) {
      return at;
    }
  }
  return NULL;
}

/* Members in any order, but those of one name in theirs; elements in order; numbers by value. */
static bool equal(const node *a, const node *b) {
  if (a->type != b->type) {
    return false;
  }
  if (a->type == '"') {
    return strcmp(a->string, b->string) == 0;
  }
  if (a->type == '0') {
    bool same = a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
    return same || strtold(a->text, NULL) == strtold(b->text, NULL);
  }
  if (children(a) != children(b)) {
    return false;
  }
  const node *right = b->child;
  for (const node *left = a->child; left; left = left->next) {
    const node *other = a->type == '[' ? right : counterpart(a, left, b);
    right = a->type == '[' ? right->next : right;
    if (!other || !equal(left, other)) {
      return false;
    }
  }
  return true;
}

static bool equal_texts(const char *a, const char *b) {
  node *left = parse_text(a);
  node *right = parse_text(b);
  bool same = equal(left, right);
  release(left);
  release(right);
  return same;
}

/* ---- putting and getting ---- */

static kecs_status put(kecs_store *store, kecs_kind kind, const char *text, kecs_result **out_result) {
  return kecs_put_json(store, kind, text, SIZE_MAX, 0, out_result);
}

static char *get_flags(kecs_store *store, kecs_kind kind, const char *key, unsigned flags) {
  kecs_result *result = NULL;
  const char *text = NULL;
  CONTRACT_OK(kecs_get_json(store, kind, key, flags, &result, &text));
  CONTRACT_OK(kecs_json_check(text, SIZE_MAX));
  char *copy = strdup(text);
  kecs_result_free(result);
  return copy;
}

static char *get(kecs_store *store, kecs_kind kind, const char *key) {
  return get_flags(store, kind, key, 0);
}

#define SAME_DOCUMENT(actual, expected) check_document((actual), (expected), __LINE__)

static void check_document(const char *actual, const char *expected, int line) {
  if (!equal_texts(actual, expected)) {
    print_error("got  %s\nnot  %s\n", actual, expected);
    _fail(__FILE__, line);
  }
}

/* Every member that was put is there and equal. More may be: what the store fills. */
static void check_kept(const char *actual, const char *put_text, int line) {
  node *got = parse_text(actual);
  node *given = parse_text(put_text);
  for (const node *at = given->child; at; at = at->next) {
    const node *back = counterpart(given, at, got);
    if (!back || !equal(back, at)) {
      print_error("member %s: got  %s\nput  %s\n", at->name, actual, put_text);
      _fail(__FILE__, line);
    }
  }
  release(got);
  release(given);
}

#define KEPT(actual, put_text) check_kept((actual), (put_text), __LINE__)

/* ---- a complete document of every kind, made from the descriptors ---- */

typedef struct builder {
  char text[65536];
  size_t len;
} builder;

static void add(builder *out, const char *format, ...) {
  va_list args;
  va_start(args, format);
  out->len += (size_t)vsnprintf(out->text + out->len, sizeof out->text - out->len, format, args);
  va_end(args);
  assert_true(out->len < sizeof out->text);
}

/* Odd spacing, escapes, duplicate members, \u0000, numbers that no double holds, depth: all that must survive. */
#define OPAQUE                                                                                                \
  " { \"a\" :\t1.0E+2 ,\n  \"a\":2, \"\\u0041\\u0000\\/\\ud800\" : [ ] ,\r\n\"\xc3\xa9\":\"\\u00e9\\n\"," \
  "\"n\":123456789012345678901234567890.5e-3, \"e\":{ }, \"x\" : [[[[null , true]]]] } "

static const char *opaque_trimmed(void) {
  static char text[sizeof OPAQUE];
  size_t len = strlen(OPAQUE) - 2;
  memcpy(text, &OPAQUE[1], len);
  text[len] = '\0';
  return text;
}

static void add_value(builder *out, const kecs_kind_info *info, const void *row, int column) {
  const kecs_column_info *one = &info->columns[column];
  const char *text = contract_column_is_text(info, column) ? contract_get_text(info, row, column) : NULL;
  if (one->type == KECS_TYPE_JSON) {
    if (strcmp(one->name, "tags") == 0) {
      add(out, one->json[0] == 'T' ? "[ {\"Key\" : \"k\",\"Value\":\"v\"} ]" : "[ {\"key\" : \"k\",\"value\":\"v\"} ]");
    } else {
      add(out, "%s", text ? text : opaque_trimmed());
    }
  } else if (one->type == KECS_TYPE_TEXT && text) {
    add(out, "\"%s\"", text);
  } else if (one->type == KECS_TYPE_TEXT) {
    add(out, "\"text \\\"%d\\\" \\u00e9\\t\xf0\x9f\x98\x80\"", column);
  } else if (one->type == KECS_TYPE_TIME) {
    add(out, "\"2024-02-29T12:00:%02dZ\"", column % 60);
  } else if (one->type == KECS_TYPE_BOOL) {
    add(out, column % 2 ? "true" : "false");
  } else if (one->type == KECS_TYPE_RANK) {
    add(out, "\"%d\"", column + 7);
  } else {
    int64_t number = contract_get_number(info, row, column, NULL);
    add(out, "%lld", (long long)(number ? number : column + 100));
  }
}

/* The first name of a column: its outer and inner member. False when the document does not show it. */
static bool member_names(const kecs_column_info *column, char outer[64], char inner[64]) {
  size_t len = strcspn(column->json, "|");
  const char *dot = memchr(column->json, '.', len);
  snprintf(outer, 64, "%.*s", (int)(dot ? dot - column->json : (long)len), column->json);
  snprintf(inner, 64, "%.*s", (int)(dot ? (long)len - (dot - column->json) - 1 : 0), dot ? dot + 1 : "");
  return len > 0 && strcmp(outer, "kecs") != 0;
}

static void make_document(const kecs_kind_info *info, int n, builder *out) {
  contract_row made;
  void *row = contract_make_row(info->kind, n, &made);
  char done[64][64];
  size_t done_count = 0;
  out->len = 0;
  add(out, "{");
  for (int i = 0; i < info->column_count; i++) {
    char outer[64];
    char inner[64];
    bool again = false;
    if (!member_names(&info->columns[i], outer, inner)) {
      continue;
    }
    for (size_t d = 0; d < done_count; d++) {
      again = again || strcmp(done[d], outer) == 0;
    }
    if (again) {
      continue;
    }
    snprintf(done[done_count++], 64, "%s", outer);
    add(out, "%s\"%s\" : ", out->len > 1 ? " ,\n" : "", outer);
    if (!inner[0]) {
      add_value(out, info, row, i);
      continue;
    }
    add(out, "{");
    bool first = true;
    for (int k = i; k < info->column_count; k++) {
      char same[64];
      if (member_names(&info->columns[k], same, inner) && strcmp(same, outer) == 0) {
        add(out, "%s\"%s\":", first ? "" : ",", inner);
        add_value(out, info, row, k);
        first = false;
      }
    }
    add(out, "}");
  }
  if (kecs_column_find(info, "extra") >= 0) {
    add(out, ",\"unknownMember\":%s,\"unknownNull\":null,\"\\u0065scaped\":1,\"unknownTwice\":1,\"unknownTwice\":[ 2 ]",
        opaque_trimmed());
  }
  add(out, "}");
}

static void documents_of_every_kind_come_back(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static builder document;
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_result *first = NULL;
    kecs_result *second = NULL;
    contract_row made;
    char key[1024];
    if (info->flags & KECS_KIND_APPEND) {
      continue; /* below */
    }
    void *row = contract_make_row(info->kind, 1, &made);
    if (info->kind == KECS_KIND_TASK_DEFINITION) {
      kecs_task_definition *definition = row;
      definition->revision = 1;
    }
    contract_row_key(info, row, key, sizeof key);
    make_document(info, 1, &document);
    CONTRACT_OK(put(store, info->kind, document.text, &first));
    char *text = get(store, info->kind, key);
    SAME_DOCUMENT(text, document.text);
    CONTRACT_OK(put(store, info->kind, document.text, &second)); /* again: nothing changes, nothing is written */
    CONTRACT_SAME_ROWS(info, kecs_record_at(second, info->kind, 0), kecs_record_at(first, info->kind, 0), 0);
    kecs_result_free(second);
    CONTRACT_OK(put(store, info->kind, text, &second)); /* and what came out goes in again */
    free(text);
    text = get(store, info->kind, key);
    SAME_DOCUMENT(text, document.text);
    free(text);
    kecs_result_free(first);
    kecs_result_free(second);
  }
  contract_close(store);
}

static void documents_of_logs_and_events(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  static builder document;
  static const kecs_kind kinds[] = {KECS_KIND_TASK_LOG, KECS_KIND_EVENT};
  static const char *const keys[] = {"log-0001", "event-0001"};
  for (size_t i = 0; i < CONTRACT_COUNT(kinds); i++) {
    make_document(kecs_kind_describe(kinds[i]), 1, &document);
    CONTRACT_OK(put(store, kinds[i], document.text, NULL));
    char *text = get(store, kinds[i], keys[i]);
    SAME_DOCUMENT(text, document.text);
    free(text);
    kecs_status again = put(store, kinds[i], document.text, NULL); /* it is there, and as it says */
    assert_true(again == KECS_OK || again == KECS_E_UNSUPPORTED || again == KECS_E_EXISTS);
    CONTRACT_NUMBER(contract_count_rows(store, kinds[i]), 1);
  }
  contract_close(store);
}

/* With KECS_JSON_STORE a document says all that the row says: put into another store it gives the same row. */
static void store_documents_carry_whole_rows(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *other = contract_open();
  static builder document;
  contract_parents(store);
  contract_parents(other);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_result *first = NULL;
    kecs_result *second = NULL;
    contract_row made;
    char key[1024];
    void *row = contract_make_row(info->kind, 1, &made);
    contract_row_key(info, row, key, sizeof key);
    make_document(info, 1, &document);
    CONTRACT_OK(put(store, info->kind, document.text, NULL));
    char *text = get_flags(store, info->kind, key, KECS_JSON_STORE);
    KEPT(text, document.text);
    CONTRACT_OK(put(other, info->kind, text, NULL));
    char *copied = get_flags(other, info->kind, key, KECS_JSON_STORE);
    SAME_DOCUMENT(copied, text);
    CONTRACT_OK(kecs_record_get(store, info->kind, key, &first));
    CONTRACT_OK(kecs_record_get(other, info->kind, key, &second));
    CONTRACT_SAME_ROWS(info, kecs_record_at(second, info->kind, 0), kecs_record_at(first, info->kind, 0), 0);
    kecs_result_free(first);
    kecs_result_free(second);
    free(text);
    free(copied);
  }
  contract_close(other);
  contract_close(store);
}

/* ---- bytes ---- */

static void nested_documents_stay_byte_for_byte(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  char text[2048];
  snprintf(text, sizeof text, "\n{ \"clusterName\":\"web\" , \"settings\" :%s, \"tags\":[ ],\"unknown\":%s}\n", OPAQUE,
           OPAQUE);
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, text, &result));
  const kecs_cluster *row = kecs_cluster_at(result, 0);
  CONTRACT_TEXT(row->name, "web");
  CONTRACT_TEXT(row->settings, opaque_trimmed());
  CONTRACT_TEXT(row->tags, "[ ]");
  CONTRACT_TEXT(row->arn, CONTRACT_ARN_ECS "cluster/web");
  assert_non_null(strstr(row->extra, opaque_trimmed()));
  kecs_result_free(result);
  char *back = get(store, KECS_KIND_CLUSTER, "web");
  const char *first = strstr(back, opaque_trimmed());
  assert_non_null(first);
  assert_non_null(strstr(first + 1, opaque_trimmed()));
  KEPT(back, text);
  free(back);
  contract_close(store);
}

static void null_members_stay_null(void **state) {
  (void)state;
  static const char text[] =
      "{\"clusterArn\":\"arn:aws:ecs:us-east-1:000000000000:cluster/parent\",\"serviceName\":\"svc\","
      "\"serviceArn\":null,\"launchType\":null,"
      "\"tags\":null,\"desiredCount\":null,\"healthCheckGracePeriodSeconds\":null,"
      "\"enableExecuteCommand\":null,\"createdAt\":null,\"unknown\":null}";
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  contract_parents(store);
  CONTRACT_OK(put(store, KECS_KIND_SERVICE, text, &result));
  const kecs_service *row = kecs_service_at(result, 0);
  CONTRACT_TEXT(row->launch_type, NULL);
  CONTRACT_TEXT(row->tags, NULL);
  CONTRACT_NUMBER(row->desired_count, 0);
  assert_false(row->health_check_grace_period_seconds.has);
  assert_false(row->enable_execute_command);
  assert_true(row->created_at != 0);
  kecs_result_free(result);
  node *got = NULL;
  char *back = get(store, KECS_KIND_SERVICE, "parent,svc");
  got = parse_text(back);
  static const char *const names[] = {"launchType", "tags", "desiredCount", "healthCheckGracePeriodSeconds",
                                      "enableExecuteCommand", "unknown"};
  for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
    const node *one = member(got, names[i]);
    if (!one || one->type != 'n') {
      fail_msg("%s is not null in %s", names[i], back);
    }
  }
  release(got);
  free(back);
  contract_close(store);
}

static void wrongly_typed_members(void **state) {
  (void)state;
  static const char text[] =
      "{\"family\":\"odd\",\"cpu\":256,\"memory\":true,\"pidMode\":[\"x\"],\"ipcMode\":{\"a\":1},"
      "\"containerDefinitions\":\"not an array\",\"enableFaultInjection\":\"yes\",\"volumes\":7,"
      "\"networkMode\":1.50,\"deregisteredAt\":\"yesterday\",\"revision\":\"3\"}";
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  CONTRACT_OK(put(store, KECS_KIND_TASK_DEFINITION, text, &result));
  const kecs_task_definition *row = kecs_task_definition_at(result, 0);
  CONTRACT_TEXT(row->cpu, "256");
  CONTRACT_TEXT(row->volumes, "7");
  CONTRACT_NUMBER(row->deregistered_at, 0);
  assert_false(row->enable_fault_injection);
  char *key = strdup(row->arn);
  kecs_result_free(result);
  char *back = get(store, KECS_KIND_TASK_DEFINITION, key);
  KEPT(back, text);
  free(back);
  CONTRACT_OK(put(store, KECS_KIND_TASK_DEFINITION, text, NULL));
  free(key);
  contract_close(store);
}

static void truths_in_any_spelling(void **state) {
  (void)state;
  static const struct {
    const char *written;
    bool value;
  } cases[] = {{"true", true}, {"false", false}, {"\"true\"", true}, {"\"false\"", false}, {"\"TRUE\"", false},
               {"1", false}};
  kecs_store *store = contract_open();
  contract_parents(store);
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    char text[128];
    char key[32];
    kecs_result *result = NULL;
    snprintf(text, sizeof text, "{\"cluster\":\"parent\",\"serviceName\":\"s%zu\",\"enableExecuteCommand\":%s}", i,
             cases[i].written);
    snprintf(key, sizeof key, "parent,s%zu", i);
    CONTRACT_OK(put(store, KECS_KIND_SERVICE, text, &result));
    CONTRACT_NUMBER(kecs_service_at(result, 0)->enable_execute_command, cases[i].value);
    kecs_result_free(result);
    char *back = get(store, KECS_KIND_SERVICE, key);
    KEPT(back, text);
    free(back);
  }
  contract_close(store);
}

static void numbers_in_any_spelling(void **state) {
  (void)state;
  static const struct {
    const char *written;
    int64_t value;
  } cases[] = {{"1", 1},       {"1.0", 1},    {"1e2", 100},    {"1E+2", 100},  {"1.50e1", 15}, {"100e-2", 1},
               {"-0", 0},      {"-5", -5},    {"0.0", 0},      {"9007199254740993", INT64_C(9007199254740993)},
               {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}};
  kecs_store *store = contract_open();
  contract_parents(store);
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    char text[256];
    kecs_result *result = NULL;
    snprintf(text, sizeof text,
             "{\"cluster\":\"parent\",\"serviceName\":\"s%zu\",\"desiredCount\":%s,"
             "\"healthCheckGracePeriodSeconds\":%s}",
             i, cases[i].written, cases[i].written);
    CONTRACT_OK(put(store, KECS_KIND_SERVICE, text, &result));
    CONTRACT_NUMBER(kecs_service_at(result, 0)->desired_count, cases[i].value);
    CONTRACT_NUMBER(kecs_service_at(result, 0)->health_check_grace_period_seconds.value, cases[i].value);
    kecs_result_free(result);
    snprintf(text, sizeof text, "parent,s%zu", i);
    char *back = get(store, KECS_KIND_SERVICE, text);
    node *tree = parse_text(back);
    const node *count = member(tree, "desiredCount");
    assert_non_null(count);
    if (strpbrk(count->text, ".eE")) {
      assert_true(strtod(count->text, NULL) == (double)cases[i].value);
    } else {
      CONTRACT_NUMBER(strtoll(count->text, NULL, 10), cases[i].value);
    }
    release(tree);
    free(back);
  }
  static const char *const not_whole[] = {"1.5", "1e400", "9223372036854775808", "1e-1", "\"3\"", "\"many\"", "[]"};
  for (size_t i = 0; i < CONTRACT_COUNT(not_whole); i++) {
    char text[256];
    snprintf(text, sizeof text, "{\"cluster\":\"parent\",\"serviceName\":\"w%zu\",\"desiredCount\":%s}", i,
             not_whole[i]);
    CONTRACT_OK(put(store, KECS_KIND_SERVICE, text, NULL));
    char key[32];
    snprintf(key, sizeof key, "parent,w%zu", i);
    char *back = get(store, KECS_KIND_SERVICE, key);
    KEPT(back, text);
    free(back);
  }
  contract_close(store);
}

static void ranks_are_strings(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  static const struct {
    const char *written;
    int64_t value;
  } cases[] = {{"\"10\"", 10}, {"\"default\"", KECS_RANK_DEFAULT}, {"11", 11}};
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    char text[512];
    kecs_result *result = NULL;
    snprintf(text, sizeof text, "{\"RuleArn\":\"%slistener-rule/app/parent/00000000000000aa/00000000000000cc/%zu\","
                                "\"Priority\":%s,\"IsDefault\":%s,\"Actions\":[]}",
             CONTRACT_ARN_ELB, i, cases[i].written, cases[i].value == KECS_RANK_DEFAULT ? "true" : "false");
    CONTRACT_OK(put(store, KECS_KIND_RULE, text, &result));
    CONTRACT_NUMBER(kecs_rule_at(result, 0)->priority, cases[i].value);
    CONTRACT_TEXT(kecs_rule_at(result, 0)->listener_arn, CONTRACT_LISTENER);
    char *back = get(store, KECS_KIND_RULE, kecs_rule_at(result, 0)->arn);
    KEPT(back, text);
    free(back);
    kecs_result_free(result);
  }
  contract_close(store);
}

/* ---- times ---- */

static void all_shapes_of_times(void **state) {
  (void)state;
  static const struct {
    const char *written;
    int64_t after; /* CONTRACT_NOW, in microseconds */
    const char *iso;
  } cases[] = {
      {"1709208000", 0, "2024-02-29T12:00:00Z"},
      {"1709208000.5", 500000, "2024-02-29T12:00:00.500Z"},
      {"1709208000.123456", 123456, "2024-02-29T12:00:00.123456Z"},
      {"1.709208e9", 0, "2024-02-29T12:00:00Z"},
      {"\"2024-02-29T12:00:00Z\"", 0, "2024-02-29T12:00:00Z"},
      {"\"2024-02-29T12:00:00.250Z\"", 250000, "2024-02-29T12:00:00.250Z"},
      {"\"2024-02-29T12:00:00.000001Z\"", 1, "2024-02-29T12:00:00.000001Z"},
      {"\"2024-02-29T13:30:00+01:30\"", 0, "2024-02-29T12:00:00Z"},
      {"\"2024-02-29T07:00:00.000-05:00\"", 0, "2024-02-29T12:00:00Z"},
      {"{\"__class__\":\"datetime\",\"year\":2024,\"month\":2,\"day\":29,\"hour\":12,\"minute\":0,\"second\":0,"
       "\"microsecond\":7}", 7, "2024-02-29T12:00:00.000007Z"},
  };
  kecs_store *store = contract_open();
  contract_parents(store);
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    char text[512];
    char key[32];
    kecs_result *result = NULL;
    snprintf(text, sizeof text, "{\"clusterArn\":\"parent\",\"taskArn\":\"%stask/parent/t%zu\",\"startedAt\":%s}",
             CONTRACT_ARN_ECS, i, cases[i].written);
    CONTRACT_OK(put(store, KECS_KIND_TASK, text, &result));
    CONTRACT_NUMBER(kecs_task_at(result, 0)->started_at, CONTRACT_NOW + cases[i].after);
    kecs_result_free(result);
    snprintf(key, sizeof key, "t%zu", i);
    char *back = get(store, KECS_KIND_TASK, key);
    node *tree = parse_text(back);
    CONTRACT_TEXT(member(tree, "startedAt")->string, cases[i].iso);
    release(tree);
    free(back);
    back = get_flags(store, KECS_KIND_TASK, key, KECS_JSON_EPOCH);
    tree = parse_text(back);
    assert_int_equal(member(tree, "startedAt")->type, '0');
    long double seconds = strtold(member(tree, "startedAt")->text, NULL);
    CONTRACT_NUMBER(seconds * 1000000.0L + 0.5L, CONTRACT_NOW + cases[i].after);
    release(tree);
    free(back);
  }
  contract_close(store);
}

/* Digits below a microsecond, and what is no time at all, come back as they were written. */
static void times_that_no_column_holds(void **state) {
  (void)state;
  static const struct {
    const char *written;
    int64_t column;
  } cases[] = {
      {"\"2024-02-29T12:00:00.123456789Z\"", CONTRACT_NOW + 123456},
      {"1709208000.1234567", CONTRACT_NOW + 123456},
      {"\"yesterday\"", 0},
      {"\"2023-02-29T12:00:00Z\"", 0},
      {"\"2024-02-29\"", 0},
      {"\"2024-02-29T12:00:00\"", 0},
      {"\"1709208000\"", 0},
      {"1e300", 0},
      {"true", 0},
      {"[]", 0},
      {"{\"year\":2024}", 0},
      {"\"\"", 0},
      {"0", 0},
  };
  kecs_store *store = contract_open();
  contract_parents(store);
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    char text[512];
    char key[32];
    kecs_result *result = NULL;
    snprintf(text, sizeof text, "{\"clusterArn\":\"parent\",\"taskArn\":\"%stask/parent/t%zu\",\"startedAt\":%s}",
             CONTRACT_ARN_ECS, i, cases[i].written);
    CONTRACT_OK(put(store, KECS_KIND_TASK, text, &result));
    CONTRACT_NUMBER(kecs_task_at(result, 0)->started_at, cases[i].column);
    kecs_result_free(result);
    snprintf(key, sizeof key, "t%zu", i);
    char *back = get(store, KECS_KIND_TASK, key);
    node *tree = parse_text(back);
    node *given = parse_text(cases[i].written);
    if (!member(tree, "startedAt") || !equal(member(tree, "startedAt"), given)) {
      fail_msg("%s came back in %s", cases[i].written, back);
    }
    release(tree);
    release(given);
    free(back);
  }
  contract_close(store);
}

/* ---- absent, and what changes later ---- */

static void absent_members_stay_absent(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  static const char absent[] = "{\"cluster\":\"parent\",\"serviceName\":\"a\"}";
  static const char stated[] = "{\"cluster\":\"parent\",\"serviceName\":\"b\",\"enableExecuteCommand\":false,"
                               "\"desiredCount\":0,\"schedulingStrategy\":\"REPLICA\"}";
  static const char *const names[] = {"enableExecuteCommand", "desiredCount", "schedulingStrategy"};
  CONTRACT_OK(put(store, KECS_KIND_SERVICE, absent, NULL));
  CONTRACT_OK(put(store, KECS_KIND_SERVICE, stated, NULL));
  char *a = get(store, KECS_KIND_SERVICE, "parent,a");
  char *b = get(store, KECS_KIND_SERVICE, "parent,b");
  node *tree_a = parse_text(a);
  node *tree_b = parse_text(b);
  for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
    assert_null(member(tree_a, names[i]));
    assert_non_null(member(tree_b, names[i]));
  }
  assert_non_null(member(tree_a, "status")); /* what the store fills is shown */
  assert_non_null(member(tree_a, "serviceArn"));
  KEPT(b, stated);
  release(tree_a);
  release(tree_b);
  free(a);
  free(b);

  kecs_service change = {.cluster_arn = "parent", .name = "a", .desired_count = 3};
  CONTRACT_OK(kecs_service_update_fields(store, &change, KECS_BIT(KECS_SERVICE_DESIRED_COUNT), NULL));
  a = get(store, KECS_KIND_SERVICE, "parent,a");
  tree_a = parse_text(a);
  assert_non_null(member(tree_a, "desiredCount"));
  assert_int_equal(strtol(member(tree_a, "desiredCount")->text, NULL, 10), 3);
  assert_null(member(tree_a, "enableExecuteCommand"));
  release(tree_a);
  free(a);
  change.desired_count = 0; /* the default again, but now it was said */
  CONTRACT_OK(kecs_service_update_fields(store, &change, KECS_BIT(KECS_SERVICE_DESIRED_COUNT), NULL));
  a = get(store, KECS_KIND_SERVICE, "parent,a");
  tree_a = parse_text(a);
  assert_non_null(member(tree_a, "desiredCount"));
  release(tree_a);
  free(a);
  contract_close(store);
}

static void a_second_document_replaces_the_first(void **state) {
  (void)state;
  static const char first[] = "{\"clusterName\":\"web\",\"settings\":[1],\"status\":\"FAILED\",\"runningTasksCount\":7,"
                              "\"unknown\":1,\"tags\":[{\"key\":\"a\",\"value\":\"1\"}]}";
  static const char second[] = "{\"clusterName\":\"web\",\"configuration\":{},\"other\":2}";
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, first, &result));
  char *arn = strdup(kecs_cluster_at(result, 0)->arn);
  char *id = strdup(kecs_cluster_at(result, 0)->id);
  kecs_result_free(result);
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, second, &result));
  const kecs_cluster *row = kecs_cluster_at(result, 0);
  CONTRACT_TEXT(row->arn, arn);
  CONTRACT_TEXT(row->id, id);
  CONTRACT_TEXT(row->settings, NULL);
  CONTRACT_TEXT(row->configuration, "{}");
  CONTRACT_TEXT(row->tags, NULL);
  CONTRACT_NUMBER(row->running_tasks_count, 0);
  CONTRACT_NUMBER(row->version, 2);
  kecs_result_free(result);
  char *back = get(store, KECS_KIND_CLUSTER, "web");
  node *tree = parse_text(back);
  assert_null(member(tree, "unknown"));
  assert_null(member(tree, "settings"));
  assert_null(member(tree, "tags"));
  KEPT(back, second);
  release(tree);
  free(back);
  free(arn);
  free(id);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 0);
  contract_close(store);
}

/* A column that changed after the document shows its new value, whatever the document had in its place. */
static void changed_columns_win_over_raw_members(void **state) {
  (void)state;
  static const char text[] = "{\"family\":\"f\",\"containerDefinitions\":[],\"cpu\":256,\"memory\":\"512\",\"x\":[1]}";
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  CONTRACT_OK(put(store, KECS_KIND_TASK_DEFINITION, text, &result));
  kecs_task_definition change = *kecs_task_definition_at(result, 0);
  change.cpu = "1024";
  change.version = 0;
  CONTRACT_OK(kecs_task_definition_update_fields(store, &change, KECS_BIT(KECS_TASK_DEFINITION_CPU), NULL));
  char *back = get(store, KECS_KIND_TASK_DEFINITION, change.arn);
  node *tree = parse_text(back);
  CONTRACT_TEXT(member(tree, "cpu")->string, "1024");
  assert_int_equal(children(member(tree, "x")), 1);
  release(tree);
  free(back);
  change.cpu = NULL;
  CONTRACT_OK(kecs_task_definition_update_fields(store, &change, KECS_BIT(KECS_TASK_DEFINITION_CPU), NULL));
  back = get(store, KECS_KIND_TASK_DEFINITION, change.arn);
  tree = parse_text(back);
  assert_null(member(tree, "cpu"));
  CONTRACT_TEXT(member(tree, "memory")->string, "512");
  release(tree);
  free(back);
  kecs_result_free(result);
  contract_close(store);
}

#define WEB_GROUP CONTRACT_ARN_ELB "targetgroup/web/1"
#define WEB_TARGET WEB_GROUP ",10.0.0.1,80"

static void check_target(kecs_store *store, const char *part, int line) {
  char *document = get(store, KECS_KIND_TARGET, WEB_TARGET);
  if (!strstr(document, part)) {
    fail_msg("line %d: %s does not have %s", line, document, part);
  }
  free(document);
}

/* What a document left in place of a column is gone once the column is written, by name or with a whole row, and does
 * not come back. */
static void a_written_column_forgets_its_raw_member(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  static const char text[] = "{\"clusterName\":\"a\",\"runningTasksCount\":1.5,\"pendingTasksCount\":\"2\","
                             "\"odd\":1.5,\"settings\":null}";
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, text, NULL));
  kecs_cluster row = {.name = "a", .pending_tasks_count = 2};
  uint64_t counts = KECS_BIT(KECS_CLUSTER_RUNNING_TASKS_COUNT) | KECS_BIT(KECS_CLUSTER_PENDING_TASKS_COUNT);
  for (int round = 0; round < 2; round++) { /* the second one changes nothing */
    CONTRACT_OK(kecs_cluster_update_fields(store, &row, counts | KECS_BIT(KECS_CLUSTER_SETTINGS), &result));
    CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 2);
    CONTRACT_TEXT(kecs_cluster_at(result, 0)->extra, "{\"odd\":1.5,\"pendingTasksCount\":\"2\",\"settings\":null}");
    kecs_result_free(result);
  }
  char *document = get(store, KECS_KIND_CLUSTER, "a");
  assert_non_null(strstr(document, "\"runningTasksCount\":0"));
  free(document);

  /* A row that is read, changed and written: the extra that came with it loses what was changed, and nothing else. */
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, text, NULL));
  CONTRACT_OK(kecs_cluster_get(store, "a", &result));
  kecs_cluster read = *kecs_cluster_at(result, 0);
  int64_t version = read.version;
  CONTRACT_OK(kecs_cluster_update(store, &read, NULL));
  document = get(store, KECS_KIND_CLUSTER, "a");
  assert_non_null(strstr(document, "\"runningTasksCount\":1.5"));
  free(document);
  for (int64_t count = 5; count >= 0; count -= 5) {
    read.running_tasks_count = count;
    read.version = 0;
    kecs_result *written = NULL;
    CONTRACT_OK(count ? kecs_cluster_update(store, &read, &written) : kecs_cluster_upsert(store, &read, &written));
    CONTRACT_NUMBER(kecs_cluster_at(written, 0)->version, count ? version + 1 : version + 2);
    CONTRACT_TEXT(kecs_cluster_at(written, 0)->extra, "{\"odd\":1.5,\"pendingTasksCount\":\"2\",\"settings\":null}");
    kecs_result_free(written);
  }
  kecs_result_free(result);

  /* A document brings its own. */
  CONTRACT_OK(kecs_cluster_update_fields(store, &(kecs_cluster){.name = "a", .running_tasks_count = 7}, counts, NULL));
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, text, NULL));
  document = get(store, KECS_KIND_CLUSTER, "a");
  assert_non_null(strstr(document, "\"runningTasksCount\":1.5"));
  free(document);

  /* In a member of a member. */
  kecs_target_group group = {.arn = WEB_GROUP};
  CONTRACT_OK(kecs_target_group_create(store, &group, &result));
  char target[512];
  snprintf(target, sizeof target, "{\"TargetGroupArn\":\"%s\",\"Target\":{\"Id\":\"10.0.0.1\",\"Port\":80},"
                                  "\"TargetHealth\":{\"State\":\"healthy\",\"Reason\":7,\"New\":[1]}}",
           kecs_target_group_at(result, 0)->arn);
  CONTRACT_OK(put(store, KECS_KIND_TARGET, target, NULL));
  check_target(store, "\"Reason\":7", __LINE__);
  kecs_assignment other = {"health_reason", "x"};
  kecs_assignment none = {"health_reason", "7"};
  CONTRACT_OK(kecs_record_assign(store, KECS_KIND_TARGET, WEB_TARGET, &other, 1, 0, NULL));
  check_target(store, "\"Reason\":\"x\"", __LINE__);
  CONTRACT_OK(kecs_record_assign(store, KECS_KIND_TARGET, WEB_TARGET, &none, 1, 0, NULL));
  check_target(store, "\"Reason\":\"7\"", __LINE__);
  check_target(store, "\"New\":[1]", __LINE__);
  kecs_result_free(result);
  contract_close(store);
}

/* The last of several members of one name counts: they stay in order, however the name is spelled. */
static void spellings_of_a_name_stay_in_order(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER,
                  "{\"clusterName\":\"a\",\"x\":1,\"\\u0078\":2,\"b\\u0000\":1,\"\\u0062\":3,\"x\":4}", &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->extra,
                "{\"\\u0062\":3,\"b\\u0000\":1,\"x\":1,\"\\u0078\":2,\"x\":4}");
  kecs_result_free(result);
  contract_close(store);
}

/* What the store fills in place of null is told by the store's own member, so that a copy has it, too. */
static void filled_columns_are_carried(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *copy = contract_open();
  static const struct {
    kecs_kind kind;
    const char *text;
  } rows[] = {
      {KECS_KIND_CLUSTER, "{\"clusterArn\":null,\"clusterName\":\"a\"}"},
      {KECS_KIND_TASK, "{\"clusterArn\":\"" CONTRACT_ARN_ECS "cluster/a\",\"createdAt\":null,\"taskArn\":null}"},
      {KECS_KIND_LOAD_BALANCER, "{\"LoadBalancerName\":\"l\",\"LoadBalancerArn\":null,\"CreatedTime\":null}"},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(rows); i++) {
    kecs_result *made = NULL;
    kecs_result *copied = NULL;
    const char *full = NULL;
    const char *again = NULL;
    CONTRACT_OK(put(store, rows[i].kind, rows[i].text, &made));
    const kecs_kind_info *info = kecs_kind_describe(rows[i].kind);
    CONTRACT_OK(kecs_record_json(made, info, kecs_record_at(made, info->kind, 0), KECS_JSON_STORE, &full));
    CONTRACT_OK(put(copy, rows[i].kind, full, &copied));
    CONTRACT_OK(kecs_record_json(copied, info, kecs_record_at(copied, info->kind, 0), KECS_JSON_STORE, &again));
    CONTRACT_TEXT(again, full);
    CONTRACT_OK(kecs_record_json(copied, info, kecs_record_at(copied, info->kind, 0), 0, &again));
    check_kept(again, rows[i].text, __LINE__);
    kecs_result_free(made);
    kecs_result_free(copied);
  }
  CONTRACT_FAILS(put(store, KECS_KIND_TASK,
                     "{\"clusterArn\":\"a\",\"createdAt\":1,\"kecs\":{\"createdAt\":2}}", NULL), KECS_E_INVALID);
  CONTRACT_SAYS("twice");
  CONTRACT_FAILS(put(store, KECS_KIND_TASK,
                     "{\"kecs\":{\"createdAt\":2},\"clusterArn\":\"a\",\"createdAt\":1}", NULL), KECS_E_INVALID);
  CONTRACT_SAYS("twice");
  contract_close(copy);
  contract_close(store);
}

static void members_of_members(void **state) {
  (void)state;
  static const char text[] =
      "{\"LoadBalancerName\":\"lb\",\"State\":{\"Code\":\"active\",\"Reason\":\"r\",\"More\":[ 1 ]},"
      "\"Type\":\"network\"}";
  static const char odd[] = "{\"LoadBalancerName\":\"odd\",\"State\":\"active\"}";
  static const char empty[] = "{\"LoadBalancerName\":\"empty\",\"State\":{}}";
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  CONTRACT_OK(put(store, KECS_KIND_LOAD_BALANCER, text, &result));
  CONTRACT_TEXT(kecs_load_balancer_at(result, 0)->state, "active");
  CONTRACT_TEXT(kecs_load_balancer_at(result, 0)->state_reason, "r");
  kecs_load_balancer change = *kecs_load_balancer_at(result, 0);
  char *back = get(store, KECS_KIND_LOAD_BALANCER, "lb");
  KEPT(back, text);
  free(back);
  change.state = "failed";
  CONTRACT_OK(kecs_load_balancer_update(store, &change, NULL));
  back = get(store, KECS_KIND_LOAD_BALANCER, "lb");
  node *tree = parse_text(back);
  SAME_DOCUMENT(member(tree, "State")->text, "{\"Code\":\"failed\",\"Reason\":\"r\",\"More\":[ 1 ]}");
  release(tree);
  free(back);
  kecs_result_free(result);
  CONTRACT_OK(put(store, KECS_KIND_LOAD_BALANCER, odd, NULL));
  CONTRACT_OK(put(store, KECS_KIND_LOAD_BALANCER, empty, NULL));
  contract_close(store);
}

static void aliases_are_read(void **state) {
  (void)state;
  static const char text[] = "{\"cluster\":\"parent\",\"service\":\"svc\",\"role\":\"r\"}";
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  contract_parents(store);
  CONTRACT_OK(put(store, KECS_KIND_SERVICE, text, &result));
  CONTRACT_TEXT(kecs_service_at(result, 0)->name, "svc");
  CONTRACT_TEXT(kecs_service_at(result, 0)->cluster_arn, CONTRACT_CLUSTER);
  CONTRACT_TEXT(kecs_service_at(result, 0)->role_arn, "r");
  kecs_result_free(result);
  char *back = get(store, KECS_KIND_SERVICE, "parent,svc");
  KEPT(back, text);
  free(back);
  CONTRACT_OK(put(store, KECS_KIND_SERVICE, text, &result));
  CONTRACT_NUMBER(kecs_service_at(result, 0)->version, 1);
  kecs_result_free(result);
  contract_close(store);
}

static void documents_of_rows_at_hand(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_CLUSTER);
  kecs_result *list = NULL;
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, "{\"clusterName\":\"a\",\"x\":1}", NULL));
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, "{\"clusterName\":\"b\",\"x\":2}", NULL));
  CONTRACT_OK(kecs_cluster_list(store, NULL, &list));
  for (size_t i = 0; i < 2; i++) {
    const char *text = NULL;
    const char *whole = NULL;
    char *alone = get(store, KECS_KIND_CLUSTER, kecs_cluster_at(list, i)->name);
    CONTRACT_OK(kecs_record_json(list, info, kecs_cluster_at(list, i), 0, &text));
    CONTRACT_OK(kecs_record_json(list, info, kecs_cluster_at(list, i), KECS_JSON_STORE | KECS_JSON_EPOCH, &whole));
    SAME_DOCUMENT(text, alone);
    node *tree = parse_text(whole);
    const node *ours = member(tree, "kecs");
    assert_non_null(ours);
    CONTRACT_TEXT(member(ours, "id")->string, kecs_cluster_at(list, i)->id);
    CONTRACT_TEXT(member(ours, "accountId")->string, "000000000000");
    assert_int_equal(member(ours, "createdAt")->type, '0');
    assert_null(strstr(text, "\"kecs\""));
    release(tree);
    free(alone);
  }
  kecs_result_free(list);
  contract_close(store);
}

/* A program may have put into a JSON column what is none: the document is JSON all the same. */
static void columns_that_hold_no_json(void **state) {
  (void)state;
  static const char *const texts[] = {"", " ", "{", "[}", "not json", "\"", "\\", "\n", "{\"a\":1} x",
                                      "\"\\u12\"", "NaN"};
  kecs_store *store = contract_open();
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (size_t i = 0; i < CONTRACT_COUNT(texts); i++) {
      contract_row made;
      char key[1024];
      void *row = contract_make_row(info->kind, (int)i, &made);
      for (int column = 0; column < info->column_count; column++) {
        if (info->columns[column].type == KECS_TYPE_JSON && strcmp(info->columns[column].name, "extra") != 0) {
          contract_set_text(info, row, column, texts[i]);
        }
      }
      contract_row_key(info, row, key, sizeof key);
      CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
      free(get(store, info->kind, key)); /* which checks that it is JSON */
      free(get_flags(store, info->kind, key, KECS_JSON_STORE | KECS_JSON_EPOCH));
    }
  }
  contract_close(store);
}

/* ---- what is refused ---- */

#define REFUSED_AT(text, len, line, column) check_refused((text), (len), (line), (column), __LINE__)

static kecs_store *refusing;

/* INVALID with this place, and nothing is stored. A column of 0 is not looked at. */
static void check_refused(const char *text, size_t len, int line, int column, int at) {
  char place[64];
  kecs_result *result = (kecs_result *)&place;
  kecs_status status = kecs_put_json(refusing, KECS_KIND_CLUSTER, text, len, 0, &result);
  snprintf(place, sizeof place, "line %d, column %d", line, column);
  if (status != KECS_E_INVALID || result || (column && !strstr(kecs_last_error()->text, place))) {
    print_error("%.200s\n  gave %s: %s\n", text, kecs_status_name(status), kecs_last_error()->text);
    _fail(__FILE__, at);
  }
  assert_null(strpbrk(kecs_last_error()->text, "\r\n"));
  CONTRACT_NUMBER(contract_count_rows(refusing, KECS_KIND_CLUSTER), 0);
}

static void what_is_not_json(void **state) {
  (void)state;
  refusing = contract_open();
  REFUSED_AT("", SIZE_MAX, 1, 1);
  REFUSED_AT("  \n ", SIZE_MAX, 2, 2);
  REFUSED_AT("[]", SIZE_MAX, 1, 1);
  REFUSED_AT("null", SIZE_MAX, 1, 1);
  REFUSED_AT("\"x\"", SIZE_MAX, 1, 1);
  REFUSED_AT("{\"clusterName\":\"x\"", SIZE_MAX, 1, 19);
  REFUSED_AT("{\"clusterName\":\"x\"}}", SIZE_MAX, 1, 20);
  REFUSED_AT("{\"clusterName\":\"x\",}", SIZE_MAX, 1, 20);
  REFUSED_AT("{\n \"clusterName\":\"x\"\n \"y\":1}", SIZE_MAX, 3, 2);
  REFUSED_AT("{\"clusterName\":'x'}", SIZE_MAX, 1, 16);
  REFUSED_AT("{clusterName:1}", SIZE_MAX, 1, 2);
  REFUSED_AT("{\"clusterName\":\"x\",\"n\":01}", SIZE_MAX, 1, 0);
  REFUSED_AT("{\"clusterName\":\"x\",\"n\":NaN}", SIZE_MAX, 1, 24);
  REFUSED_AT("{\"clusterName\":\"x\"} // comment", SIZE_MAX, 1, 21);
  REFUSED_AT("{\"clusterName\":\"a\nb\"}", SIZE_MAX, 1, 18);
  REFUSED_AT("\xef\xbb\xbf{\"clusterName\":\"x\"}", SIZE_MAX, 1, 1);
  REFUSED_AT("{\"clusterName\":\"x\"}", 0, 1, 1);
  REFUSED_AT("{\"clusterName\":\"x\"}", 5, 1, 6);
  /* a raw NUL: within the length, and so within the document */
  REFUSED_AT("{\"clusterName\":\"a\0b\"}", 21, 1, 18);
  REFUSED_AT("{\"clusterName\":\"x\"}\0", 20, 1, 20);
  static const char *const bad_utf8[] = {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80",
                                         "\xed\xbf\xbf", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                         "\xff", "\xfe\xff"};
  for (size_t i = 0; i < CONTRACT_COUNT(bad_utf8); i++) {
    char text[64];
    snprintf(text, sizeof text, "{\"clusterName\":\"%s\"}", bad_utf8[i]);
    REFUSED_AT(text, SIZE_MAX, 1, 17);
    snprintf(text, sizeof text, "{\"clusterName\":\"x\",\"%s\":1}", bad_utf8[i]);
    REFUSED_AT(text, SIZE_MAX, 1, 21);
  }
  contract_close(refusing);
}

static void columns_that_appear_twice(void **state) {
  (void)state;
  refusing = contract_open();
  REFUSED_AT("{\"clusterName\":\"x\",\"clusterName\":\"x\"}", SIZE_MAX, 1, 34);
  CONTRACT_SAYS("clusterName");
  REFUSED_AT("{\"clusterName\":\"x\",\n\"tags\":[],\n \"t\\u0061gs\":[]}", SIZE_MAX, 3, 14);
  CONTRACT_SAYS("tags");
  REFUSED_AT("{\"clusterName\":\"x\",\"status\":null,\"status\":\"y\"}", SIZE_MAX, 1, 0);
  kecs_status status = put(refusing, KECS_KIND_LOAD_BALANCER,
                           "{\"LoadBalancerName\":\"x\",\"State\":{\"Code\":\"a\",\"Code\":\"b\"}}", NULL);
  CONTRACT_FAILS(status, KECS_E_INVALID);
  CONTRACT_SAYS("line 1, column 52");
  status = put(refusing, KECS_KIND_LOAD_BALANCER,
               "{\"LoadBalancerName\":\"x\",\"State\":{\"Code\":\"a\"},\"State\":{\"Reason\":\"b\"}}", NULL);
  CONTRACT_FAILS(status, KECS_E_INVALID);
  CONTRACT_SAYS("State");
  contract_close(refusing);
}

/* Equal documents are no change, in whatever order their members stand. */
static void order_of_members_is_nothing(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{\"clusterName\":\"web\",\"zone\":1,\"alpha\":{\"b\":1,\"a\":2},\"tags\":null,\"settings\":null}",
      "{\"settings\":null,\"alpha\":{\"b\":1,\"a\":2},\"tags\":null,\"zone\":1,\"clusterName\":\"web\"}",
  };
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  for (size_t i = 0; i < CONTRACT_COUNT(texts); i++) {
    CONTRACT_OK(put(store, KECS_KIND_CLUSTER, texts[i], &result));
    CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 1);
    CONTRACT_TEXT(kecs_cluster_at(result, 0)->extra,
                  "{\"alpha\":{\"b\":1,\"a\":2},\"settings\":null,\"tags\":null,\"zone\":1}");
    kecs_result_free(result);
  }
  /* What no column can hold stands for its default, at the first put as at the second. */
  for (int i = 0; i < 2; i++) {
    CONTRACT_OK(put(store, KECS_KIND_TARGET_GROUP, "{\"TargetGroupName\":\"t\",\"Port\":[]}", &result));
    CONTRACT_NUMBER(kecs_target_group_at(result, 0)->version, 1);
    kecs_result_free(result);
  }
  contract_close(store);
}

static void values_that_name_no_row(void **state) {
  (void)state;
  static const struct {
    kecs_kind kind;
    const char *text;
    const char *says;
  } bad[] = {
      {KECS_KIND_TASK_DEFINITION, "{\"family\":\"f\",\"revision\":1.5,\"containerDefinitions\":[]}", "revision"},
      {KECS_KIND_TASK_DEFINITION, "{\"family\":{},\"containerDefinitions\":[]}", "family"},
      {KECS_KIND_CLUSTER, "{\"clusterName\":[\"web\"]}", "clusterName"},
      {KECS_KIND_CLUSTER, "{\"clusterName\":\"web\",\"kecs\":5}", "kecs"},
      {KECS_KIND_CLUSTER, "{\"clusterName\":\"web\",\"kecs\":{\"colour\":5}}", "kecs"},
  };
  kecs_store *store = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    CONTRACT_FAILS(put(store, bad[i].kind, bad[i].text, NULL), KECS_E_INVALID);
    CONTRACT_SAYS(bad[i].says);
  }
  contract_close(store);
}

static void texts_that_no_column_holds(void **state) {
  (void)state;
  refusing = contract_open();
  static const char *const bad[] = {"\\u0000", "a\\u0000b", "\\ud800", "\\udfff", "\\ud800x", "\\ud800\\ud800",
                                    "\\udc00\\ud800"};
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    char text[128];
    snprintf(text, sizeof text, "{\"clusterName\":\"%s\"}", bad[i]);
    REFUSED_AT(text, SIZE_MAX, 1, 16);
    CONTRACT_SAYS("clusterName");
    snprintf(text, sizeof text, "{\n\"clusterName\":\"x\",\n\"status\" : \"%s\"}", bad[i]);
    REFUSED_AT(text, SIZE_MAX, 3, 12);
    CONTRACT_SAYS("status");
  }
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) { /* in what stays opaque they may stand */
    char text[256];
    char name[16];
    snprintf(name, sizeof name, "c%zu", i);
    snprintf(text, sizeof text, "{\"clusterName\":\"%s\",\"settings\":[\"%s\"],\"%s\":\"%s\"}", name, bad[i],
             bad[i], bad[i]);
    CONTRACT_OK(put(refusing, KECS_KIND_CLUSTER, text, NULL));
    char *back = get(refusing, KECS_KIND_CLUSTER, name);
    KEPT(back, text);
    free(back);
  }
  contract_close(refusing);
}

static char *nested(int depth, char open, char close) {
  char *text = malloc((size_t)depth * 2 + 64);
  int len = sprintf(text, "{\"clusterName\":\"deep\",\"settings\":");
  memset(text + len, open, (size_t)depth);
  memset(text + len + depth, close, (size_t)depth);
  memcpy(text + len + 2 * depth, "}", 2);
  return text;
}

static void depth_has_a_limit(void **state) {
  (void)state;
  static const int too_deep[] = {1000, 1001, 10000, 1000000};
  refusing = contract_open();
  for (size_t i = 0; i < CONTRACT_COUNT(too_deep); i++) {
    char *text = nested(too_deep[i], '[', ']');
    REFUSED_AT(text, SIZE_MAX, 0, 0);
    CONTRACT_FAILS(kecs_json_check(text, SIZE_MAX), KECS_E_INVALID);
    text[strlen(text) / 2] = '\0'; /* and never closed */
    REFUSED_AT(text, SIZE_MAX, 0, 0);
    free(text);
  }
  char *text = nested(999, '[', ']'); /* with the document's own brace, 1000 */
  CONTRACT_OK(put(refusing, KECS_KIND_CLUSTER, text, NULL));
  char *back = get(refusing, KECS_KIND_CLUSTER, "deep");
  KEPT(back, text);
  free(back);
  free(text);
  contract_close(refusing);
}

static void size_has_a_limit(void **state) {
  (void)state;
  static const char text[] = "{\"clusterName\":\"web\"}";
  kecs_options options = {.document_bytes_max = sizeof text - 1};
  refusing = contract_open_with(&options);
  char longer[sizeof text + 1];
  snprintf(longer, sizeof longer, "%s ", text);
  REFUSED_AT(longer, SIZE_MAX, 0, 0);
  CONTRACT_SAYS("document_bytes_max");
  CONTRACT_OK(put(refusing, KECS_KIND_CLUSTER, text, NULL));
  CONTRACT_OK(kecs_put_json(refusing, KECS_KIND_CLUSTER, longer, sizeof text - 1, 0, NULL));
  contract_close(refusing);

  enum { MEGABYTES = 8 << 20 };
  char *big = malloc(MEGABYTES + 64);
  int len = sprintf(big, "{\"clusterName\":\"big\",\"settings\":\"");
  memset(big + len, 'x', MEGABYTES);
  memcpy(big + len + MEGABYTES, "\"}", 3);
  kecs_store *store = contract_open();
  CONTRACT_OK(put(store, KECS_KIND_CLUSTER, big, NULL));
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_cluster_get(store, "big", &result));
  CONTRACT_NUMBER(strlen(kecs_cluster_at(result, 0)->settings), MEGABYTES + 2);
  kecs_result_free(result);
  free(big);
  contract_close(store);
}

static void required_members(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  CONTRACT_FAILS(put(store, KECS_KIND_CLUSTER, "{}", NULL), KECS_E_INVALID);
  CONTRACT_SAYS("name");
  CONTRACT_FAILS(put(store, KECS_KIND_NODE_TASK, "{\"taskId\":\"x\",\"name\":\"n\"}", NULL), KECS_E_INVALID);
  CONTRACT_SAYS("image");
  static const char nameless[] = "{\"taskId\":null,\"name\":\"n\",\"image\":\"i\"}";
  CONTRACT_FAILS(put(store, KECS_KIND_NODE_TASK, nameless, NULL), KECS_E_INVALID);
  contract_close(store);
}

static void parents_on_request(void **state) {
  (void)state;
  static const char service[] = "{\"serviceArn\":\"arn:aws:ecs:us-east-1:000000000000:service/made/svc\","
                                "\"clusterArn\":\"arn:aws:ecs:us-east-1:000000000000:cluster/made\"}";
  kecs_store *store = contract_open();
  kecs_result *result = NULL;
  CONTRACT_FAILS(put(store, KECS_KIND_SERVICE, service, NULL), KECS_E_REFERENCE);
  CONTRACT_SAYS("cluster/made");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(kecs_put_json(store, KECS_KIND_SERVICE, service, SIZE_MAX, KECS_JSON_PARENTS, &result));
  CONTRACT_TEXT(kecs_service_at(result, 0)->name, "svc");
  kecs_result_free(result);
  CONTRACT_OK(kecs_cluster_get(store, "made", &result));
  kecs_result_free(result);
  static builder document;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) { /* every kind into an empty store: its ancestors are made */
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_store *empty = contract_open();
    make_document(info, 1, &document);
    CONTRACT_OK(kecs_put_json(empty, info->kind, document.text, SIZE_MAX, KECS_JSON_PARENTS, NULL));
    assert_true(contract_count_rows(empty, info->kind) >= 1);
    for (int i = 0; i < info->reference_count; i++) {
      if (info->columns[info->references[i].column].flags & KECS_COLUMN_NOT_NULL) {
        CONTRACT_NUMBER(contract_count_rows(empty, info->references[i].parent), 1);
      }
    }
    contract_close(empty);
  }
  contract_close(store);
}

/* ---- JSON itself ---- */

/* A parent that was made for its child takes all of its own document when that comes, as if it had come first. */
static void bare_parents_give_way(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *copy = contract_open();
  static const struct {
    kecs_kind kind;
    const char *text;
  } rows[] = {
      {KECS_KIND_CLUSTER, "{\"clusterName\":\"a\",\"tags\":[{\"key\":\"k\",\"value\":\"v\"}]}"},
      {KECS_KIND_CLUSTER, "{\"clusterName\":\"a\",\"tags\":[]}"},
      {KECS_KIND_SERVICE, "{\"serviceName\":\"s\",\"clusterArn\":\"" CONTRACT_ARN_ECS "cluster/b\","
                          "\"createdAt\":\"2020-01-02T03:04:05Z\",\"createdBy\":\"me\"}"},
      {KECS_KIND_LOAD_BALANCER, "{\"LoadBalancerArn\":\"" CONTRACT_ARN_ELB "loadbalancer/app/l/1\","
                                "\"CreatedTime\":\"2020-01-02T03:04:05Z\"}"},
      {KECS_KIND_LISTENER, "{\"ListenerArn\":\"" CONTRACT_ARN_ELB "listener/app/l/1/2\"}"},
  };
  static const struct {
    kecs_kind kind;
    const char *text;
  } children[] = {
      {KECS_KIND_TASK, "{\"clusterArn\":\"a\"}"},
      {KECS_KIND_TASK, "{\"clusterArn\":\"b\",\"kecs\":{\"serviceArn\":\"" CONTRACT_ARN_ECS "service/b/s\"}}"},
      {KECS_KIND_RULE, "{\"RuleArn\":\"" CONTRACT_ARN_ELB "listener-rule/app/l/1/2/3\",\"Priority\":\"1\"}"},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(children); i++) {
    CONTRACT_OK(kecs_put_json(copy, children[i].kind, children[i].text, SIZE_MAX, KECS_JSON_PARENTS, NULL));
  }
  for (size_t i = 0; i < CONTRACT_COUNT(rows); i++) {
    kecs_result *made = NULL;
    kecs_result *copied = NULL;
    const char *full = NULL;
    const char *again = NULL;
    const kecs_kind_info *info = kecs_kind_describe(rows[i].kind);
    CONTRACT_OK(kecs_put_json(store, rows[i].kind, rows[i].text, SIZE_MAX, KECS_JSON_PARENTS, &made));
    if (i == 0) { /* the second row is this one, with version 2 */
      kecs_result_free(made);
      continue;
    }
    CONTRACT_OK(kecs_record_json(made, info, kecs_record_at(made, info->kind, 0), KECS_JSON_STORE, &full));
    for (int round = 0; round < 2; round++) {
      CONTRACT_OK(kecs_put_json(copy, rows[i].kind, full, SIZE_MAX, 0, &copied));
      CONTRACT_OK(kecs_record_json(copied, info, kecs_record_at(copied, info->kind, 0), KECS_JSON_STORE, &again));
      CONTRACT_TEXT(again, full);
      kecs_result_free(copied);
    }
    kecs_result_free(made);
  }

  /* What somebody has written since is no bare row. */
  kecs_result *result = NULL;
  kecs_cluster bare = {.name = "c"};
  CONTRACT_OK(kecs_cluster_create(copy, &bare, NULL));
  bare.status = "INACTIVE";
  CONTRACT_OK(kecs_cluster_update(copy, &bare, NULL));
  CONTRACT_OK(put(copy, KECS_KIND_CLUSTER,
                  "{\"clusterArn\":\"" CONTRACT_ARN_ECS "cluster/c\",\"kecs\":{\"id\":\"other\",\"version\":1}}",
                  &result));
  assert_string_not_equal(kecs_cluster_at(result, 0)->id, "other");
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 3);
  kecs_result_free(result);
  contract_close(copy);
  contract_close(store);
}

static void json_checked(void **state) {
  (void)state;
  static const char *const good[] = {"0", "-0.0e-0", "\"\"", "[]", "{}", " null ", "true", "\"\\ud800\"", "\"\\u0000\"",
                                     "{\"a\":1,\"a\":2}", "[1e999]", "\r\n\t [ 1 , 2 ] "};
  static const char *const bad[] = {"", " ", "01", "1.", ".1", "+1", "1e", "--1", "tru", "nul", "'a'", "[1,]", "[,1]",
                                    "{", "{\"a\"}", "{\"a\":}", "{1:2}", "\"\\x\"", "\"\\u12\"", "\"\t\"", "1 2",
                                    "[1}", "\xff"};
  for (size_t i = 0; i < CONTRACT_COUNT(good); i++) {
    CONTRACT_OK(kecs_json_check(good[i], SIZE_MAX));
  }
  for (size_t i = 0; i < CONTRACT_COUNT(bad); i++) {
    CONTRACT_FAILS(kecs_json_check(bad[i], SIZE_MAX), KECS_E_INVALID);
    CONTRACT_SAYS("line ");
    CONTRACT_SAYS("column ");
  }
  CONTRACT_OK(kecs_json_check("1 2", 1));
}

static char *read_file(const char *path, size_t *out_len) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  *out_len = fread(text, 1, (size_t)size, file);
  text[*out_len] = '\0';
  fclose(file);
  return text;
}

/* Of JSONTestSuite, y_ must be taken, n_ refused; i_ may be either, as long as nothing breaks. */
static void json_test_suite(void **state) {
  (void)state;
  const char *folder = contract_corpus();
  if (!folder) {
    return;
  }
  char path[1024];
  int counts[2] = {0, 0};
  snprintf(path, sizeof path, "%s/hostile/JSONTestSuite", folder);
  DIR *listing = opendir(path);
  assert_non_null(listing);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    char file[1400];
    size_t len = 0;
    if (!strstr(entry->d_name, ".json")) {
      continue;
    }
    snprintf(file, sizeof file, "%s/hostile/JSONTestSuite/%s", folder, entry->d_name);
    char *text = read_file(file, &len);
    kecs_status status = kecs_json_check(text, len);
    if ((entry->d_name[0] == 'y' && status) || (entry->d_name[0] == 'n' && status != KECS_E_INVALID)) {
      fail_msg("%s gave %s", entry->d_name, kecs_status_name(status));
    }
    counts[0] += entry->d_name[0] == 'y';
    counts[1] += entry->d_name[0] == 'n';
    free(text);
  }
  closedir(listing);
  assert_true(counts[0] > 50 && counts[1] > 100);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(documents_of_every_kind_come_back),
    CONTRACT_TEST(documents_of_logs_and_events),
    CONTRACT_TEST(store_documents_carry_whole_rows),
    CONTRACT_TEST(nested_documents_stay_byte_for_byte),
    CONTRACT_TEST(null_members_stay_null),
    CONTRACT_TEST(wrongly_typed_members),
    CONTRACT_TEST(truths_in_any_spelling),
    CONTRACT_TEST(numbers_in_any_spelling),
    CONTRACT_TEST(ranks_are_strings),
    CONTRACT_TEST(all_shapes_of_times),
    CONTRACT_TEST(times_that_no_column_holds),
    CONTRACT_TEST(absent_members_stay_absent),
    CONTRACT_TEST(a_second_document_replaces_the_first),
    CONTRACT_TEST(changed_columns_win_over_raw_members),
    CONTRACT_TEST(a_written_column_forgets_its_raw_member),
    CONTRACT_TEST(spellings_of_a_name_stay_in_order),
    CONTRACT_TEST(filled_columns_are_carried),
    CONTRACT_TEST(members_of_members),
    CONTRACT_TEST(aliases_are_read),
    CONTRACT_TEST(documents_of_rows_at_hand),
    CONTRACT_TEST(columns_that_hold_no_json),
    CONTRACT_TEST(what_is_not_json),
    CONTRACT_TEST(columns_that_appear_twice),
    CONTRACT_TEST(order_of_members_is_nothing),
    CONTRACT_TEST(values_that_name_no_row),
    CONTRACT_TEST(texts_that_no_column_holds),
    CONTRACT_TEST(depth_has_a_limit),
    CONTRACT_TEST(size_has_a_limit),
    CONTRACT_TEST(required_members),
    CONTRACT_TEST(parents_on_request),
    CONTRACT_TEST(bare_parents_give_way),
    CONTRACT_TEST(json_checked),
    CONTRACT_TEST(json_test_suite),
};

CONTRACT_MAIN("json", tests)
