/* test_history.c -- what rows were: each change once with its actor, rows at any moment, differences, bounds. */
#include "contract.h"

#include <sqlite3.h>

#define WEB "arn:aws:ecs:us-east-1:000000000000:cluster/web"
#define SHOP "arn:aws:ecs:us-east-1:000000000000:service/web/shop"

static kecs_options with_history(void) {
  kecs_options options = {.track = KECS_TRACK_ON, .history = {.track = KECS_TRACK_ON}};
  return options;
}

static kecs_store *open_history(void) {
  kecs_options options = with_history();
  return contract_open_with(&options);
}

static int64_t last_seq(kecs_store *store) {
  kecs_changes_info info;
  CONTRACT_OK(kecs_changes_describe(store, &info));
  return info.last_seq;
}

static void make_cluster(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
}

static void make_service(kecs_store *store, const char *name, int64_t desired) {
  kecs_service service = {.cluster_arn = "web", .name = name, .desired_count = desired};
  CONTRACT_OK(kecs_service_create(store, &service, NULL));
}

static void set_desired(kecs_store *store, int64_t desired) {
  kecs_service service = {.arn = SHOP, .desired_count = desired};
  CONTRACT_OK(kecs_service_update_fields(store, &service, KECS_BIT(KECS_SERVICE_DESIRED_COUNT), NULL));
}

static int64_t desired_at(kecs_store *store, const char *key, int64_t seq, int64_t time_us) {
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_get_at(store, KECS_KIND_SERVICE, key, seq, time_us, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  int64_t desired = kecs_service_at(result, 0)->desired_count;
  kecs_result_free(result);
  return desired;
}

static size_t count_entries(kecs_store *store, kecs_kind kind, const char *key) {
  kecs_result *result = NULL;
  kecs_history_query query = {.limit = 1000};
  CONTRACT_OK(kecs_history(store, kind, key, &query, &result));
  size_t count = kecs_result_count(result);
  assert_null(kecs_result_page_token(result));
  kecs_result_free(result);
  return count;
}

static void run_sql(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  char *message = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
    fail_msg("%s: %s", sql, message);
  }
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t sql_number(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  sqlite3_stmt *handle = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_prepare_v2(db, sql, -1, &handle, NULL) != SQLITE_OK) {
    fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  }
  assert_int_equal(sqlite3_step(handle), SQLITE_ROW);
  int64_t number = sqlite3_column_int64(handle, 0);
  assert_int_equal(sqlite3_finalize(handle), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  return number;
}

/* ---- a journal that the test keeps itself ---- */

enum { JOURNAL_MAX = 400 };

/* A row's document, with all that the store knows, after a change; NULL when it was not there. */
typedef struct moment {
  int64_t seq;
  char *document;
} moment;

static moment journal[JOURNAL_MAX];
static int journal_count;

static char *document_now(kecs_store *store, kecs_kind kind, const char *key) {
  kecs_result *result = NULL;
  const char *text = NULL;
  kecs_status status = kecs_get_json(store, kind, key, KECS_JSON_STORE, &result, &text);
  char *copy = status ? NULL : strdup(text);
  assert_true(status == KECS_OK || status == KECS_E_NOT_FOUND);
  kecs_result_free(result);
  return copy;
}

static void journal_add(kecs_store *store, kecs_kind kind, const char *key) {
  assert_true(journal_count < JOURNAL_MAX);
  journal[journal_count].seq = last_seq(store);
  journal[journal_count++].document = document_now(store, kind, key);
}

static void journal_free(void) {
  while (journal_count > 0) {
    free(journal[--journal_count].document);
  }
}

static void document_is(kecs_store *store, kecs_kind kind, const char *key, int64_t seq, const char *expected) {
  kecs_result *result = NULL;
  const char *text = NULL;
  kecs_status status = kecs_get_at(store, kind, key, seq, 0, &result);
  if (!expected) {
    CONTRACT_NUMBER(status, KECS_E_NOT_FOUND);
    return;
  }
  CONTRACT_OK(status);
  CONTRACT_OK(kecs_record_json(result, kecs_kind_describe(kind), kecs_record_at(result, kind, 0), KECS_JSON_STORE,
                               &text));
  CONTRACT_TEXT(text, expected);
  kecs_result_free(result);
}

/* Every moment from `first` on is as it was. */
static void journal_check(kecs_store *store, kecs_kind kind, const char *key, int first) {
  for (int i = first; i < journal_count; i++) {
    document_is(store, kind, key, journal[i].seq, journal[i].document);
  }
}

/* ---- switching ---- */

static void without_the_option_there_is_none(void **state) {
  (void)state;
  kecs_result *result = NULL;
  kecs_history_info info;
  if (getenv("KECS_TEST_HISTORY")) {
    return;
  }
  kecs_options options = {0};
  kecs_store *store = contract_open_with(&options);
  make_cluster(store, "web");
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_CLUSTER, "web", NULL, &result), KECS_E_UNSUPPORTED);
  assert_null(result);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_CLUSTER, "web", 1, 0, &result), KECS_E_UNSUPPORTED);
  CONTRACT_FAILS(kecs_diff(store, KECS_KIND_CLUSTER, "web", 0, 0, 0, &result), KECS_E_UNSUPPORTED);
  CONTRACT_OK(kecs_set_actor(store, "somebody", "because"));
  make_cluster(store, "next");
  CONTRACT_OK(kecs_history_describe(store, &info));
  CONTRACT_NUMBER(info.kinds, 0);
  contract_close(store);
}

static void it_needs_the_log(void **state) {
  (void)state;
  char url[512];
  contract_fresh_url(url, sizeof url);
  const char *path = contract_is_memory() ? ":memory:" : contract_is_sqlite() ? contract_file("h.db") : url;
  kecs_options options = {.path = path,
                          .backends = contract_backends(),
                          .history = {.track = KECS_TRACK_ON}};
  kecs_store *store = NULL;
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  CONTRACT_SAYS("options.track");
  assert_null(store);
  options.track = KECS_TRACK_ON;
  options.history.track = (kecs_track)7;
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  options.history.track = KECS_TRACK_ON;
  options.history.kinds = (const kecs_kind[]){(kecs_kind)99};
  options.history.kind_count = 1;
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  options.history.kind_count = 0;
  options.actor = "\xff";
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  CONTRACT_SAYS("actor");
}

static void it_is_a_property_of_the_file(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return;
  }
  const kecs_kind kinds[] = {KECS_KIND_CLUSTER};
  kecs_options some = {.track = KECS_TRACK_ON,
                       .history = {KECS_TRACK_ON, kinds, 1, 7, -1}};
  kecs_options keep = {.track = KECS_TRACK_KEEP, .backends = contract_backends()};
  kecs_history_info info;
  kecs_result *result = NULL;
  kecs_store *first = contract_open_with(&some);
  keep.path = contract_path(first);
  kecs_store *second = NULL;
  CONTRACT_OK(kecs_open(&keep, &second));
  CONTRACT_OK(kecs_history_describe(second, &info));
  CONTRACT_NUMBER(info.kinds, KECS_BIT(KECS_KIND_CLUSTER));
  CONTRACT_NUMBER(info.rows_max, 7);
  CONTRACT_NUMBER(info.age_us, 0);
  make_cluster(second, "web");
  make_service(second, "shop", 1);
  CONTRACT_NUMBER(count_entries(first, KECS_KIND_CLUSTER, "web"), 1);
  CONTRACT_FAILS(kecs_history(first, KECS_KIND_SERVICE, SHOP, NULL, &result), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("service");
  /* Switched by another store while this one is open: the next write knows. */
  kecs_options all = with_history();
  all.path = keep.path;
  all.backends = keep.backends;
  kecs_store *third = NULL;
  CONTRACT_OK(kecs_open(&all, &third));
  int64_t since = last_seq(third);
  set_desired(first, 2);
  set_desired(second, 3);
  CONTRACT_NUMBER(count_entries(first, KECS_KIND_SERVICE, SHOP), 2);
  CONTRACT_NUMBER(desired_at(first, SHOP, since, 0), 1);
  CONTRACT_NUMBER(desired_at(first, SHOP, since + 1, 0), 2);
  CONTRACT_FAILS(kecs_get_at(first, KECS_KIND_SERVICE, SHOP, since - 1, 0, &result), KECS_E_COMPACTED);
  CONTRACT_NUMBER(kecs_last_error()->floor, since);
  CONTRACT_OK(kecs_history_describe(first, &info));
  CONTRACT_NUMBER(info.since[KECS_KIND_SERVICE], since);
  CONTRACT_NUMBER(info.rows_max, 100);
  CONTRACT_OK(kecs_close(third));
  all.history.track = KECS_TRACK_OFF;
  CONTRACT_OK(kecs_open(&all, &third));
  CONTRACT_FAILS(kecs_history(first, KECS_KIND_CLUSTER, "web", NULL, &result), KECS_E_UNSUPPORTED);
  set_desired(first, 4);
  if (contract_is_file()) {
    CONTRACT_NUMBER(sql_number(keep.path, "SELECT count(*) FROM history"), 0);
    CONTRACT_NUMBER(sql_number(keep.path, "SELECT count(*) FROM history_keys"), 0);
  }
  CONTRACT_OK(kecs_close(third));
  CONTRACT_OK(kecs_close(second));
  contract_close(first);
}

static void it_goes_with_the_log(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return;
  }
  kecs_store *store = open_history();
  kecs_options off = {.path = contract_path(store), .track = KECS_TRACK_OFF, .backends = contract_backends()};
  kecs_store *other = NULL;
  make_cluster(store, "web");
  CONTRACT_OK(kecs_open(&off, &other));
  if (contract_is_file()) {
    CONTRACT_NUMBER(sql_number(off.path, "SELECT count(*) FROM history"), 0);
  }
  CONTRACT_OK(kecs_close(other));
  off.track = KECS_TRACK_ON;
  CONTRACT_OK(kecs_open(&off, &other));
  kecs_history_info info;
  CONTRACT_OK(kecs_history_describe(other, &info));
  CONTRACT_NUMBER(info.kinds, 0);
  CONTRACT_OK(kecs_close(other));
  contract_close(store);
}

/* ---- entries ---- */

static void each_change_is_there_once(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  kecs_history_query query = {.rows = true};
  make_cluster(store, "web");
  make_service(store, "shop", 1);
  int64_t created = last_seq(store);
  set_desired(store, 2);
  set_desired(store, 2); /* changes nothing */
  CONTRACT_NUMBER(last_seq(store), created + 1);
  kecs_service same = {.cluster_arn = "web", .name = "shop", .desired_count = 2};
  CONTRACT_OK(kecs_service_upsert(store, &same, NULL));
  CONTRACT_NUMBER(last_seq(store), created + 1);
  same.desired_count = 5;
  CONTRACT_OK(kecs_service_upsert(store, &same, NULL));
  CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
  CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 4);
  static const kecs_change_op ops[] = {KECS_CHANGE_DELETED, KECS_CHANGE_UPDATED, KECS_CHANGE_UPDATED,
                                       KECS_CHANGE_CREATED};
  static const int64_t before[] = {5, 2, 1, -1};
  static const int64_t after[] = {-1, 5, 2, 1};
  for (size_t i = 0; i < 4; i++) {
    const kecs_history_entry *entry = kecs_history_at(result, i);
    const kecs_service *old = entry->old_row;
    const kecs_service *row = entry->row;
    CONTRACT_NUMBER(entry->op, ops[i]);
    CONTRACT_NUMBER(entry->seq, created + 3 - (int64_t)i);
    CONTRACT_NUMBER(entry->time_us, kecs_stamp_time(entry->stamp));
    CONTRACT_NUMBER(old ? old->desired_count : -1, before[i]);
    CONTRACT_NUMBER(row ? row->desired_count : -1, after[i]);
    CONTRACT_TEXT(row ? row->arn : SHOP, SHOP);
    CONTRACT_TEXT(old ? old->name : "shop", "shop");
    assert_null(entry->actor);
    assert_null(entry->reason);
  }
  assert_null(kecs_history_at(result, 4));
  assert_null(kecs_diff_at(result, 0));
  CONTRACT_NUMBER(kecs_result_kind(result), 0);
  kecs_result_free(result);
  CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, "web,shop", NULL, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 4);
  assert_null(kecs_history_at(result, 1)->row);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, "web,never", NULL, &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_history(store, (kecs_kind)77, "web", NULL, &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, NULL, NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, SHOP, NULL, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_history(NULL, KECS_KIND_SERVICE, SHOP, NULL, &result), KECS_E_MISUSE);
  query.limit = 1001;
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &result), KECS_E_INVALID);
  query.limit = -1;
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &result), KECS_E_INVALID);
  contract_close(store);
}

/* A cluster takes its services and tasks along; a service that goes leaves its tasks without one. */
static void cascades_are_in_it(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  kecs_history_query query = {.rows = true};
  make_cluster(store, "web");
  make_service(store, "shop", 3);
  make_service(store, "till", 4);
  kecs_task task = {.cluster_arn = "web", .id = "t1", .service_arn = SHOP, .last_status = "RUNNING"};
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
  int64_t before = last_seq(store);
  CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
  CONTRACT_OK(kecs_set_actor(store, "cleaner", "the end"));
  CONTRACT_OK(kecs_cluster_delete(store, "web"));
  static const struct {
    kecs_kind kind;
    const char *key;
    size_t entries;
  } rows[] = {{KECS_KIND_CLUSTER, "web", 2},
              {KECS_KIND_SERVICE, "web,till", 2},
              {KECS_KIND_SERVICE, "web,shop", 2},
              {KECS_KIND_TASK, "web,t1", 3}};
  for (size_t i = 0; i < CONTRACT_COUNT(rows); i++) {
    CONTRACT_OK(kecs_history(store, rows[i].kind, rows[i].key, &query, &result));
    CONTRACT_NUMBER(kecs_result_count(result), rows[i].entries);
    const kecs_history_entry *last = kecs_history_at(result, 0);
    CONTRACT_NUMBER(last->op, KECS_CHANGE_DELETED);
    CONTRACT_TEXT(last->actor, i == 2 ? NULL : "cleaner");
    CONTRACT_TEXT(last->reason, i == 2 ? NULL : "the end");
    assert_non_null(last->old_row);
    kecs_result_free(result);
  }
  CONTRACT_OK(kecs_history(store, KECS_KIND_TASK, "web,t1", &query, &result));
  CONTRACT_TEXT(((const kecs_task *)kecs_history_at(result, 0)->old_row)->service_arn, NULL);
  CONTRACT_TEXT(((const kecs_task *)kecs_history_at(result, 1)->old_row)->service_arn, SHOP);
  kecs_result_free(result);
  /* All of it, as it was before. */
  CONTRACT_NUMBER(desired_at(store, "web,till", before, 0), 4);
  CONTRACT_NUMBER(desired_at(store, "web,shop", before, 0), 3);
  CONTRACT_OK(kecs_get_at(store, KECS_KIND_TASK, "t1", before, 0, &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->service_arn, SHOP);
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "RUNNING");
  kecs_result_free(result);
  contract_close(store);
}

static kecs_status rename_target(kecs_store *tx, void *user) {
  (void)user;
  kecs_set_actor(tx, "inner", NULL);
  kecs_service service = {.arn = SHOP, .desired_count = 9};
  return kecs_service_update_fields(tx, &service, KECS_BIT(KECS_SERVICE_DESIRED_COUNT), NULL);
}

static void who_and_why(void **state) {
  (void)state;
  kecs_options options = with_history();
  options.actor = "deployer";
  options.reason = "nightly";
  kecs_store *store = contract_open_with(&options);
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_service(store, "shop", 1); /* deployer, nightly */
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_set_actor(tx, "alice", NULL));
  set_desired(tx, 2); /* alice, nightly */
  CONTRACT_OK(kecs_begin(tx, &inner));
  CONTRACT_OK(kecs_set_actor(inner, NULL, "hotfix"));
  set_desired(inner, 3); /* alice, hotfix */
  CONTRACT_OK(kecs_commit(inner));
  set_desired(tx, 4); /* alice, nightly */
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_OK(kecs_set_actor(store, "", "f\xc3\xbcr"));
  set_desired(store, 5); /* nobody, with a reason */
  CONTRACT_OK(kecs_transact(store, rename_target, NULL, 0)); /* inner, with the same */
  CONTRACT_OK(kecs_set_actor(store, NULL, NULL));
  set_desired(store, 10); /* nobody has said anything */
  static const char *const actors[] = {NULL, "inner", NULL, "alice", "alice", "alice", "deployer"};
  static const char *const reasons[] = {NULL,     "f\xc3\xbcr", "f\xc3\xbcr", "nightly",
                                        "hotfix", "nightly",    "nightly"};
  CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, SHOP, NULL, &result));
  CONTRACT_NUMBER(kecs_result_count(result), CONTRACT_COUNT(actors));
  for (size_t i = 0; i < CONTRACT_COUNT(actors); i++) {
    CONTRACT_TEXT(kecs_history_at(result, i)->actor, actors[i]);
    CONTRACT_TEXT(kecs_history_at(result, i)->reason, reasons[i]);
  }
  kecs_result_free(result);
  char longer[1100];
  memset(longer, 'x', sizeof longer);
  longer[256] = '\0';
  CONTRACT_OK(kecs_set_actor(store, longer, NULL));
  longer[256] = 'x';
  longer[257] = '\0';
  CONTRACT_FAILS(kecs_set_actor(store, longer, NULL), KECS_E_INVALID);
  longer[257] = 'x';
  longer[1024] = '\0';
  CONTRACT_OK(kecs_set_actor(store, NULL, longer));
  longer[1024] = 'x';
  longer[1025] = '\0';
  CONTRACT_FAILS(kecs_set_actor(store, "kept", longer), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_set_actor(store, "kept", "\xff"), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_set_actor(NULL, "nobody", NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_set_actor(tx, "nobody", NULL), KECS_E_MISUSE);
  contract_close(store);
}

static void what_is_undone_leaves_nothing(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  make_cluster(store, "web");
  make_service(store, "shop", 1);
  CONTRACT_OK(kecs_begin(store, &tx));
  set_desired(tx, 2);
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 1);
  int64_t before = last_seq(store);
  CONTRACT_OK(kecs_begin(store, &tx));
  set_desired(tx, 3);
  CONTRACT_OK(kecs_begin(tx, &inner));
  set_desired(inner, 4);
  CONTRACT_OK(kecs_service_delete(inner, "web", "shop"));
  CONTRACT_OK(kecs_rollback(inner));
  /* What is not committed yet is seen through the transaction alone; on PostgreSQL it has no sequence yet. */
  CONTRACT_NUMBER(count_entries(tx, KECS_KIND_SERVICE, SHOP), contract_is_sqlite() ? 2 : 1);
  CONTRACT_NUMBER(desired_at(tx, SHOP, before, 0), 1);
  CONTRACT_NUMBER(desired_at(tx, SHOP, 0, INT64_MAX), 3);
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 2);
  /* A write that fails in the middle. */
  kecs_service rows[] = {{.cluster_arn = "web", .name = "one"}, {.cluster_arn = "web", .name = "shop"}};
  CONTRACT_FAILS(kecs_service_create_many(store, rows, 2, NULL), KECS_E_EXISTS);
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, "web,one", NULL, &result), KECS_E_NOT_FOUND);
  contract_close(store);
}

static void many_rows_at_once(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_service rows[20];
  char names[20][16];
  memset(rows, 0, sizeof rows);
  make_cluster(store, "web");
  for (int i = 0; i < 20; i++) {
    snprintf(names[i], sizeof names[i], "s%02d", i);
    rows[i].cluster_arn = "web";
    rows[i].name = names[i];
  }
  CONTRACT_OK(kecs_service_create_many(store, rows, 20, NULL));
  for (int i = 0; i < 20; i++) {
    char key[32];
    snprintf(key, sizeof key, "web,%s", names[i]);
    CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, key), 1);
  }
  /* Imported: a new one, a changed one, an equal one. */
  static const char lines[] =
      "{\"kind\":\"service\",\"document\":{\"serviceName\":\"s00\",\"clusterArn\":\"" WEB "\",\"serviceArn\":"
      "\"arn:aws:ecs:us-east-1:000000000000:service/web/s00\",\"desiredCount\":7,\"unknownMember\":{\"a\":[1,2]}}}\n"
      "{\"kind\":\"service\",\"document\":{\"serviceName\":\"new\",\"clusterArn\":\"" WEB "\",\"serviceArn\":"
      "\"arn:aws:ecs:us-east-1:000000000000:service/web/new\",\"desiredCount\":1}}\n";
  CONTRACT_OK(kecs_import(store, lines, SIZE_MAX, NULL, NULL, NULL));
  CONTRACT_OK(kecs_import(store, lines, SIZE_MAX, NULL, NULL, NULL));
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, "web,s00"), 2);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, "web,new"), 1);
  contract_close(store);
}

/* ---- rows as they were ---- */

static void set_column(const kecs_kind_info *info, void *row, int column, int turn, char *text, size_t size) {
  bool document = info->columns[column].type == KECS_TYPE_JSON;
  switch (info->columns[column].type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      snprintf(text, size, document ? "[{\"n\": %d, \"t\":\"\\u00fc\"}]" : "text %d \"\xc3\xbc\" \\ \t/", turn);
      if (column == kecs_column_find(info, "extra")) {
        snprintf(text, size, "{\"unknown\":{\"turn\":[%d,null,\"x\"]}}", turn);
      }
      contract_set_text(info, row, column, turn % 4 == 3 ? NULL : text);
      break;
    case KECS_TYPE_OPTI: {
      kecs_opt_int number = {turn, turn % 4 != 3};
      memcpy((char *)row + info->columns[column].offset, &number, sizeof number);
      break;
    }
    case KECS_TYPE_BOOL: {
      bool truth = turn % 2 == 0;
      memcpy((char *)row + info->columns[column].offset, &truth, sizeof truth);
      break;
    }
    case KECS_TYPE_INT:
    case KECS_TYPE_RANK:
    case KECS_TYPE_TIME: {
      int64_t number = info->columns[column].type == KECS_TYPE_TIME ? CONTRACT_NOW + turn : 1 + turn;
      memcpy((char *)row + info->columns[column].offset, &number, sizeof number);
      break;
    }
  }
}

/* Every column of every kind: changed by itself, three times over, then the row is deleted. */
static void every_column_comes_back(void **state) {
  (void)state;
  static char texts[200][64];
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    if (info->flags & KECS_KIND_APPEND) {
      continue;
    }
    kecs_store *store = open_history();
    contract_row row;
    char key[4096];
    contract_parents(store);
    CONTRACT_OK(kecs_record_create(store, info->kind, contract_make_row(info->kind, 1, &row), NULL));
    contract_row_key(info, &row.row, key, sizeof key);
    journal_add(store, info->kind, key);
    int changed = 0;
    for (int turn = 0; turn < 3; turn++) {
      for (int column = 0; column < info->column_count; column++) {
        const kecs_column_info *about = &info->columns[column];
        if (about->group == KECS_GROUP_KEY || (about->flags & KECS_COLUMN_AUTO)) {
          continue;
        }
        bool required = (about->flags & KECS_COLUMN_NOT_NULL) != 0;
        set_column(info, &row.row, column, required ? turn * 4 : turn + 1, texts[column], sizeof texts[column]);
        int64_t before = last_seq(store);
        kecs_status status = kecs_record_update(store, info->kind, &row.row, KECS_BIT(column), NULL);
        if (!status && last_seq(store) > before) { /* a kind may refuse a value */
          changed++;
          journal_add(store, info->kind, key);
        }
      }
    }
    assert_true(changed > 0);
    CONTRACT_OK(kecs_record_delete(store, info->kind, key));
    journal_add(store, info->kind, key);
    journal_check(store, info->kind, key, 0);
    journal_free();
    contract_close(store);
  }
}

/* More changes than there are between two whole rows, of a document with members that no column has. */
static void long_histories_hold(void **state) {
  (void)state;
  kecs_store *store = open_history();
  make_cluster(store, "web");
  for (int i = 0; i < 150; i++) {
    char document[512];
    snprintf(document, sizeof document,
             "{\"serviceName\":\"shop\",\"clusterArn\":\"" WEB "\",\"serviceArn\":\"" SHOP "\",\"desiredCount\":%d,"
             "\"strange\":%s%d%s,\"tags\":[{\"key\":\"turn\",\"value\":\"%d\"}]}",
             i / 3, i % 2 ? "\"" : "[1.50,", i / 2, i % 2 ? "\"" : "]", i / 5);
    CONTRACT_OK(kecs_put_json(store, KECS_KIND_SERVICE, document, SIZE_MAX, 0, NULL));
    journal_add(store, KECS_KIND_SERVICE, SHOP);
  }
  journal_check(store, KECS_KIND_SERVICE, SHOP, 0);
  CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
  journal_add(store, KECS_KIND_SERVICE, SHOP);
  journal_check(store, KECS_KIND_SERVICE, SHOP, 0);
  journal_free();
  contract_close(store);
}

/* One key, three rows one after the other. */
static void a_key_has_had_several_rows(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  make_cluster(store, "web");
  journal_add(store, KECS_KIND_SERVICE, SHOP);
  for (int life = 1; life <= 3; life++) {
    make_service(store, "shop", life);
    journal_add(store, KECS_KIND_SERVICE, SHOP);
    set_desired(store, 10 * life);
    journal_add(store, KECS_KIND_SERVICE, SHOP);
    if (life < 3) {
      CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
      journal_add(store, KECS_KIND_SERVICE, SHOP);
      make_service(store, "till", life);
      CONTRACT_OK(kecs_service_delete(store, "web", "till"));
      journal_add(store, KECS_KIND_SERVICE, SHOP);
    }
  }
  journal_check(store, KECS_KIND_SERVICE, SHOP, 0);
  journal_check(store, KECS_KIND_SERVICE, "web,shop", 0);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 8);
  CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
  journal_check(store, KECS_KIND_SERVICE, "web,shop", 0);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, "web,shop"), 9);
  /* A cluster of another name has no such service, and never had. */
  make_cluster(store, "other");
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, "other,shop", last_seq(store), 0, &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, "other,shop", NULL, &result), KECS_E_NOT_FOUND);
  journal_free();
  contract_close(store);
}

/* The short form of a task's ARN names the one that has the id now; the whole ARN the one that had it. */
static void an_id_has_moved(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  make_cluster(store, "web");
  make_cluster(store, "shop");
  kecs_task task = {.cluster_arn = "web", .id = "t1", .last_status = "OLD"};
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
  int64_t seq = last_seq(store);
  CONTRACT_OK(kecs_task_delete(store, "web", "t1"));
  task.cluster_arn = "shop";
  task.last_status = "NEW";
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
#define TASK "arn:aws:ecs:us-east-1:000000000000:task/"
  CONTRACT_OK(kecs_get_at(store, KECS_KIND_TASK, TASK "web/t1", seq, 0, &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "OLD");
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_TASK, TASK "web/t1", last_seq(store), 0, &result), KECS_E_NOT_FOUND);
  CONTRACT_OK(kecs_get_at(store, KECS_KIND_TASK, TASK "t1", last_seq(store), 0, &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "NEW");
  kecs_result_free(result);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_TASK, TASK "web/t1"), 2);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_TASK, TASK "shop/t1"), 1);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_TASK, TASK "t1"), 1);
  contract_close(store);
}

static void by_time_the_sequence_decides_ties(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  int64_t now = CONTRACT_NOW;
  kecs_options options = with_history();
  options.clock = (kecs_clock){contract_clock_now, &now};
  kecs_store *store = contract_open_with(&options);
  kecs_result *result = NULL;
  now += 1000000;
  make_cluster(store, "web");
  now += 1000000;
  make_service(store, "shop", 1);
  now += 1000000;
  int64_t tie = now;
  set_desired(store, 2);
  set_desired(store, 3); /* in the same millisecond */
  now -= 3600000000; /* the clock is set back: stamps go on */
  set_desired(store, 4);
  now += 2 * INT64_C(3600000000);
  set_desired(store, 5);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, tie - 1000), 1);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, tie), 4);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, tie + 999), 4);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, now - 1000), 4);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, now), 5);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, now + INT64_C(86400000000)), 5);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, INT64_MAX), 5);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, 0, tie - 1000001, &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, 0, 1, &result), KECS_E_COMPACTED);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, 0, -5, &result), KECS_E_COMPACTED);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, 0, 0, &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, 5, 5, &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, last_seq(store) + 1, 0, &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, -1, 0, &result), KECS_E_INVALID);
  /* The list by time. */
  kecs_history_query query = {.from_us = tie, .to_us = tie};
  CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 3);
  kecs_result_free(result);
  query.from_us = tie + 1000;
  query.to_us = 0;
  CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  kecs_result_free(result);
  query.from_us = 0;
  query.to_us = tie - 1;
  CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  CONTRACT_NUMBER(kecs_history_at(result, 0)->op, KECS_CHANGE_CREATED);
  kecs_result_free(result);
  contract_close(store);
}

static void a_list_has_pages(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *page = NULL;
  make_cluster(store, "web");
  for (int life = 0; life < 2; life++) {
    make_service(store, "shop", 0);
    for (int i = 1; i <= 10; i++) {
      set_desired(store, i);
    }
    if (life == 0) {
      CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
    }
  }
  kecs_history_query query = {.limit = 4};
  char token[512] = "";
  int64_t seq = INT64_MAX;
  size_t count = 0;
  for (int pages = 1;; pages++) {
    CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &page));
    for (size_t i = 0; i < kecs_result_count(page); i++) {
      assert_true(kecs_history_at(page, i)->seq < seq);
      seq = kecs_history_at(page, i)->seq;
      count++;
    }
    if (!kecs_result_page_token(page)) {
      CONTRACT_NUMBER(pages, 6);
      break;
    }
    CONTRACT_NUMBER(kecs_result_count(page), 4);
    snprintf(token, sizeof token, "%s", kecs_result_page_token(page));
    query.page_token = token;
    kecs_result_free(page);
    set_desired(store, 100 + pages); /* what is new meanwhile moves no page */
  }
  kecs_result_free(page);
  CONTRACT_NUMBER(count, 23);
  query.from_us = 5000;
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &page), KECS_E_INVALID);
  query.from_us = 0;
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_CLUSTER, "web", &query, &page), KECS_E_INVALID);
  query.page_token = "nonsense";
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, SHOP, &query, &page), KECS_E_INVALID);
  contract_close(store);
}

/* ---- differences ---- */

static const char *difference(const kecs_result *result, const char *path, bool old) {
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    const kecs_difference *one = kecs_diff_at(result, i);
    if (strcmp(one->path, path) == 0) {
      return old ? one->old_text : one->new_text;
    }
  }
  fail_msg("no difference at %s", path);
  return NULL;
}

#define DIFFERENCE(path, before, after)                    \
  do {                                                     \
    CONTRACT_TEXT(difference(result, path, true), before); \
    CONTRACT_TEXT(difference(result, path, false), after); \
  } while (0)

static void put_service(kecs_store *store, const char *members) {
  char document[4096];
  snprintf(document, sizeof document,
           "{\"serviceName\":\"shop\",\"clusterArn\":\"" WEB "\",\"serviceArn\":\"" SHOP "\",%s}", members);
  CONTRACT_OK(kecs_put_json(store, KECS_KIND_SERVICE, document, SIZE_MAX, 0, NULL));
}

static void differences_are_told_member_by_member(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  make_cluster(store, "web");
  int64_t before = last_seq(store);
  put_service(store, "\"desiredCount\":1,\"status\":\"ACTIVE\",\"enableECSManagedTags\":true,"
                     "\"x/y~z\":{\"a\":1,\"b\":[1,{\"c\":\"d\"},3]},"
                     "\"loadBalancers\":[{\"containerName\":\"web\",\"containerPort\":80}],\"gone\":null");
  int64_t first = last_seq(store);
  put_service(store, "\"desiredCount\":2,\"status\":\"DRAINING\",\"enableECSManagedTags\":false,"
                     "\"x/y~z\":{\"b\":[1,{\"c\":\"\\u0064\"},4,5],\"a\":1},"
                     "\"loadBalancers\":[ {\"containerPort\":80, \"containerName\":\"shop\"} ],\"fresh\":\"\\u00fc\"");
  int64_t second = last_seq(store);
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, first, second, 0, &result));
  DIFFERENCE("/desiredCount", "1", "2");
  DIFFERENCE("/status", "\"ACTIVE\"", "\"DRAINING\"");
  DIFFERENCE("/enableECSManagedTags", "true", "false");
  DIFFERENCE("/x~1y~0z/b/2", "3", "4");
  DIFFERENCE("/x~1y~0z/b/3", NULL, "5");
  DIFFERENCE("/loadBalancers/0/containerName", "\"web\"", "\"shop\"");
  DIFFERENCE("/gone", "null", NULL);
  DIFFERENCE("/fresh", NULL, "\"\\u00fc\"");
  CONTRACT_NUMBER(kecs_result_count(result), 8);
  assert_null(kecs_diff_at(result, 8));
  assert_null(kecs_history_at(result, 0));
  kecs_result_free(result);
  /* The other way round, and what the defaults mean. */
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, second, first, 0, &result));
  DIFFERENCE("/desiredCount", "2", "1");
  kecs_result_free(result);
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, "web,shop", 0, 0, 0, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 8);
  kecs_result_free(result);
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, 0, 0, KECS_JSON_STORE, &result));
  DIFFERENCE("/kecs/version", "1", "2");
  kecs_result_free(result);
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, second, second, 0, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  kecs_result_free(result);
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, 0, first, 0, &result));
  DIFFERENCE("/serviceName", NULL, "\"shop\"");
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_diff(store, KECS_KIND_SERVICE, SHOP, before, before, 0, &result), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_diff(store, KECS_KIND_SERVICE, SHOP, second + 9, 0, 0, &result), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_diff(store, KECS_KIND_SERVICE, SHOP, -1, 0, 0, &result), KECS_E_INVALID);
  CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, 0, 0, 0, &result));
  DIFFERENCE("/desiredCount", "2", NULL);
  kecs_result_free(result);
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, 0, second, 0, &result));
  DIFFERENCE("/desiredCount", "1", "2");
  kecs_result_free(result);
  contract_close(store);
}

static void times_and_empty_numbers_differ(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  make_cluster(store, "web");
  kecs_task task = {.cluster_arn = "web", .id = "t1", .started_at = CONTRACT_NOW};
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
  task.started_at = CONTRACT_NOW + 500000;
  task.stopped_at = CONTRACT_NOW + 1000000;
  uint64_t mask = KECS_BIT(KECS_TASK_STARTED_AT) | KECS_BIT(KECS_TASK_STOPPED_AT);
  task.arn = "arn:aws:ecs:us-east-1:000000000000:task/web/t1";
  CONTRACT_OK(kecs_task_update_fields(store, &task, mask, NULL));
  CONTRACT_OK(kecs_diff(store, KECS_KIND_TASK, "web,t1", 0, 0, 0, &result));
  DIFFERENCE("/startedAt", "\"2024-02-29T12:00:00Z\"", "\"2024-02-29T12:00:00.500Z\"");
  DIFFERENCE("/stoppedAt", NULL, "\"2024-02-29T12:00:01Z\"");
  kecs_result_free(result);
  CONTRACT_OK(kecs_diff(store, KECS_KIND_TASK, "web,t1", 0, 0, KECS_JSON_EPOCH, &result));
  DIFFERENCE("/startedAt", "1709208000", "1709208000.5");
  kecs_result_free(result);
  contract_close(store);
}

/* Beyond 32 levels the value as a whole is told, however deep it is. */
static void deep_documents_are_compared(void **state) {
  (void)state;
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  char members[2][4000];
  make_cluster(store, "web");
  for (int turn = 0; turn < 2; turn++) {
    size_t len = (size_t)snprintf(members[turn], sizeof members[turn], "\"deep\":");
    for (int i = 0; i < 800; i++) {
      members[turn][len++] = '[';
    }
    members[turn][len++] = (char)('1' + turn);
    for (int i = 0; i < 800; i++) {
      members[turn][len++] = ']';
    }
    members[turn][len] = '\0';
    put_service(store, members[turn]);
  }
  CONTRACT_OK(kecs_diff(store, KECS_KIND_SERVICE, SHOP, 0, 0, 0, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 1);
  assert_true(strncmp(kecs_diff_at(result, 0)->path, "/deep/0/0/", 10) == 0);
  assert_true(strlen(kecs_diff_at(result, 0)->old_text) > 1000);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- bounds ---- */

static void only_so_many_changes_of_a_row_stay(void **state) {
  (void)state;
  kecs_options options = with_history();
  options.history.rows_max = 5;
  kecs_store *store = contract_open_with(&options);
  kecs_result *result = NULL;
  kecs_compacted done;
  make_cluster(store, "web");
  make_service(store, "shop", 0);
  for (int i = 1; i <= 20; i++) {
    set_desired(store, i);
    journal_add(store, KECS_KIND_SERVICE, SHOP);
  }
  /* As long as the log has the entries, so has the history. */
  CONTRACT_OK(kecs_changes_compact(store, &(kecs_compaction){.upto_seq = journal[9].seq}, &done));
  CONTRACT_NUMBER(done.history, 10);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 10);
  journal_check(store, KECS_KIND_SERVICE, SHOP, 9);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, journal[8].seq, 0, &result), KECS_E_COMPACTED);
  CONTRACT_NUMBER(kecs_last_error()->floor, journal[9].seq);
  make_cluster(store, "last");
  CONTRACT_OK(kecs_changes_compact(store, NULL, &done));
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 5);
  journal_check(store, KECS_KIND_SERVICE, SHOP, 14);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, journal[13].seq, 0, &result), KECS_E_COMPACTED);
  CONTRACT_NUMBER(kecs_last_error()->floor, journal[14].seq);
  CONTRACT_FAILS(kecs_diff(store, KECS_KIND_SERVICE, SHOP, journal[3].seq, 0, 0, &result), KECS_E_COMPACTED);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_CLUSTER, "web"), 1);
  set_desired(store, 50);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 6);
  journal_check(store, KECS_KIND_SERVICE, SHOP, 14);
  journal_free();
  contract_close(store);
}

static void changes_of_an_age_go(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  int64_t now = CONTRACT_NOW;
  kecs_options options = with_history();
  options.clock = (kecs_clock){contract_clock_now, &now};
  options.history.age_us = INT64_C(3600) * 1000000;
  kecs_store *store = contract_open_with(&options);
  kecs_result *result = NULL;
  kecs_history_info info;
  kecs_compacted done;
  make_cluster(store, "web");
  make_service(store, "old", 1);
  CONTRACT_OK(kecs_service_delete(store, "web", "old"));
  make_service(store, "shop", 1);
  int64_t early = last_seq(store);
  now += INT64_C(3600) * 1000000;
  set_desired(store, 2);
  now += 1000000;
  CONTRACT_OK(kecs_changes_compact(store, NULL, &done));
  CONTRACT_NUMBER(done.history, 4);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 1);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_CLUSTER, "web"), 0);
  CONTRACT_OK(kecs_history_describe(store, &info));
  CONTRACT_NUMBER(info.floor, early);
  CONTRACT_NUMBER(desired_at(store, SHOP, early, 0), 1);
  CONTRACT_NUMBER(desired_at(store, SHOP, 0, now - 2000000), 1);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, early - 1, 0, &result), KECS_E_COMPACTED);
  CONTRACT_NUMBER(kecs_last_error()->floor, early);
  CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, 0, CONTRACT_NOW - 1000, &result), KECS_E_COMPACTED);
  CONTRACT_FAILS(kecs_history(store, KECS_KIND_SERVICE, "web,old", NULL, &result), KECS_E_NOT_FOUND);
  /* Nothing is written for a while: the rest goes without an entry of the log that could remind of it. */
  now += INT64_C(7200) * 1000000;
  make_cluster(store, "next");
  CONTRACT_OK(kecs_changes_compact(store, NULL, &done));
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 0);
  CONTRACT_NUMBER(desired_at(store, SHOP, last_seq(store), 0), 2);
  contract_close(store);
}

/* Bounds that were made narrower, over many rows: in steps, and every answer in between is right or COMPACTED. */
static void cutting_goes_step_by_step(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return;
  }
  kecs_options options = with_history();
  options.history.rows_max = -1;
  kecs_store *store = contract_open_with(&options);
  make_cluster(store, "web");
  make_service(store, "shop", 0);
  kecs_store *tx = NULL;
  int64_t first = last_seq(store);
  CONTRACT_OK(kecs_begin(store, &tx));
  for (int i = 1; i <= 2500; i++) {
    set_desired(tx, i);
  }
  CONTRACT_OK(kecs_commit(tx));
  contract_slot_of(store)->options.history.rows_max = 3;
  store = contract_reopen(store);
  kecs_compacted done;
  int steps = 0;
  do {
    CONTRACT_OK(kecs_changes_compact(store, &(kecs_compaction){.steps = 1}, &done));
    for (int i = 0; i <= 2500; i += 50) {
      kecs_result *result = NULL;
      kecs_status status = kecs_get_at(store, KECS_KIND_SERVICE, SHOP, first + i, 0, &result);
      assert_true(status == KECS_OK || status == KECS_E_COMPACTED);
      if (!status) {
        CONTRACT_NUMBER(kecs_service_at(result, 0)->desired_count, i);
      }
      kecs_result_free(result);
    }
    assert_true(done.history <= 1000);
    assert_true(++steps < 20);
  } while (done.removed > 0 || done.history > 0);
  assert_true(steps > 3);
  set_desired(store, 9999);
  CONTRACT_OK(kecs_changes_compact(store, NULL, &done));
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_SERVICE, SHOP), 3);
  contract_close(store);
}

/* ---- watches ---- */

static void a_watch_tells_old_rows(void **state) {
  (void)state;
  kecs_store *store = open_history();
  const kecs_kind kinds[] = {KECS_KIND_SERVICE};
  kecs_watch_options options = {.kinds = kinds, .kind_count = 1, .old_rows = true, .rows = true};
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  make_cluster(store, "web");
  options.from_seq = last_seq(store);
  make_service(store, "shop", 0);
  for (int i = 1; i <= 130; i++) {
    set_desired(store, i);
  }
  CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
  CONTRACT_OK(kecs_watch_open(store, &options, &watch));
  for (int i = 0; i <= 131; i++) {
    CONTRACT_OK(kecs_watch_next(watch, 0, &change));
    assert_non_null(change);
    const kecs_service *old = change->old_row;
    CONTRACT_NUMBER(old ? old->desired_count : -1, i - 1);
    CONTRACT_TEXT(old ? old->arn : SHOP, SHOP);
  }
  CONTRACT_NUMBER(change->op, KECS_CHANGE_DELETED);
  kecs_watch_close(watch);
  /* Compaction leaves a watch what it still wants, and tells it otherwise. */
  CONTRACT_OK(kecs_watch_open(store, &options, &watch));
  CONTRACT_OK(kecs_changes_compact(store, NULL, NULL));
  CONTRACT_FAILS(kecs_watch_next(watch, 0, &change), KECS_E_COMPACTED);
  kecs_watch_close(watch);
  /* Kinds without a history: named they are refused, otherwise told without old rows. */
  const kecs_kind logs[] = {KECS_KIND_EVENT};
  options.kinds = logs;
  options.from_seq = 0;
  CONTRACT_FAILS(kecs_watch_open(store, &options, &watch), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("event");
  options.kind_count = 0;
  CONTRACT_OK(kecs_watch_open(store, &options, &watch));
  kecs_event event = {.event_type = "t", .resource_arn = WEB, .resource_type = "cluster", .action = "CREATE"};
  CONTRACT_OK(kecs_event_create(store, &event, NULL));
  CONTRACT_OK(kecs_watch_next(watch, 0, &change));
  CONTRACT_NUMBER(change->kind, KECS_KIND_EVENT);
  assert_null(change->old_row);
  kecs_watch_close(watch);
  contract_close(store);
}

static void a_watch_from_before_the_history_is_told(void **state) {
  (void)state;
  if (contract_is_memory()) {
    return;
  }
  kecs_options plain = {.track = KECS_TRACK_ON, .history = {.track = KECS_TRACK_OFF}};
  kecs_store *store = contract_open_with(&plain);
  kecs_watch *watch = NULL;
  make_cluster(store, "web");
  int64_t before = last_seq(store);
  CONTRACT_FAILS(kecs_watch_open(store, &(kecs_watch_options){.old_rows = true}, &watch), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("history");
  make_service(store, "shop", 1);
  contract_slot_of(store)->options.history.track = KECS_TRACK_ON;
  store = contract_reopen(store);
  CONTRACT_FAILS(kecs_watch_open(store, &(kecs_watch_options){.old_rows = true, .from_seq = before}, &watch),
                 KECS_E_COMPACTED);
  CONTRACT_NUMBER(kecs_last_error()->floor, last_seq(store));
  CONTRACT_OK(kecs_watch_open(store, &(kecs_watch_options){.old_rows = true}, &watch));
  kecs_watch_close(watch);
  contract_close(store);
}

/* ---- other programs ---- */

static void foreign_sql_is_kept(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = open_history();
  const char *path = contract_path(store);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_set_actor(store, "ours", NULL));
  make_cluster(store, "web");
  put_service(store, "\"desiredCount\":1,\"strange\":\"quoted \\\" and \\\\ and \\u00fc\","
                     "\"platformVersion\":\"a\\nb\"");
  journal_add(store, KECS_KIND_SERVICE, SHOP);
  static const char *const texts[] = {
      "UPDATE services SET desired_count=2",
      "UPDATE services SET desired_count=3, status='DRAINING', version=version+1",
      "UPDATE services SET platform_version=NULL, extra=NULL", "UPDATE services SET desired_count=desired_count+1",
      "DELETE FROM services"};
  for (size_t i = 0; i < CONTRACT_COUNT(texts); i++) {
    run_sql(path, texts[i]);
    journal_add(store, KECS_KIND_SERVICE, SHOP);
  }
  make_service(store, "shop", 8);
  journal_add(store, KECS_KIND_SERVICE, SHOP);
  kecs_node node = {.id = "n1", .hostname = "n1"};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
  run_sql(path,
          "INSERT INTO nodes(id,hostname,port,status,running_tasks,last_heartbeat,created_at,updated_at,version,"
          "omitted) SELECT 'n2',hostname,port,status,running_tasks,last_heartbeat,created_at,updated_at,"
          "version,omitted FROM nodes");
  journal_check(store, KECS_KIND_SERVICE, SHOP, 0);
  journal_check(store, KECS_KIND_SERVICE, "web,shop", 0);
  CONTRACT_OK(kecs_history(store, KECS_KIND_SERVICE, SHOP, NULL, &result));
  CONTRACT_TEXT(kecs_history_at(result, 0)->actor, "ours");
  CONTRACT_TEXT(kecs_history_at(result, 1)->actor, NULL);
  CONTRACT_NUMBER(kecs_history_at(result, 1)->op, KECS_CHANGE_DELETED);
  kecs_result_free(result);
  CONTRACT_NUMBER(count_entries(store, KECS_KIND_NODE, "n2"), 1);
  journal_free();
  contract_close(store);
}

static void what_is_damaged_is_told(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  static const char *const old[] = {"'{'", "NULL", "'[]'", "'{\"desired_count\":\"x\"}'", "'{\"status\":7}'",
                                    "'{\"desired_count\":1.5}'", "'{\"status\":\"\\u0000\"}'"};
  kecs_store *store = open_history();
  kecs_result *result = NULL;
  char sql[200];
  make_cluster(store, "web");
  make_service(store, "shop", 1);
  int64_t seq = last_seq(store);
  set_desired(store, 2);
  for (size_t i = 0; i < CONTRACT_COUNT(old); i++) {
    snprintf(sql, sizeof sql, "UPDATE history SET old=%s WHERE op=2", old[i]);
    run_sql(contract_path(store), sql);
    CONTRACT_FAILS(kecs_get_at(store, KECS_KIND_SERVICE, SHOP, seq, 0, &result), KECS_E_CORRUPT);
    CONTRACT_SAYS("history");
  }
  run_sql(contract_path(store), "UPDATE history SET old='{\"desired_count\":77,\"of_tomorrow\":[1]}' WHERE op=2");
  CONTRACT_NUMBER(desired_at(store, SHOP, seq, 0), 77);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(without_the_option_there_is_none),
    CONTRACT_TEST(it_needs_the_log),
    CONTRACT_TEST(it_is_a_property_of_the_file),
    CONTRACT_TEST(it_goes_with_the_log),
    CONTRACT_TEST(each_change_is_there_once),
    CONTRACT_TEST(cascades_are_in_it),
    CONTRACT_TEST(who_and_why),
    CONTRACT_TEST(what_is_undone_leaves_nothing),
    CONTRACT_TEST(many_rows_at_once),
    CONTRACT_TEST(every_column_comes_back),
    CONTRACT_TEST(long_histories_hold),
    CONTRACT_TEST(a_key_has_had_several_rows),
    CONTRACT_TEST(an_id_has_moved),
    CONTRACT_TEST(by_time_the_sequence_decides_ties),
    CONTRACT_TEST(a_list_has_pages),
    CONTRACT_TEST(differences_are_told_member_by_member),
    CONTRACT_TEST(times_and_empty_numbers_differ),
    CONTRACT_TEST(deep_documents_are_compared),
    CONTRACT_TEST(only_so_many_changes_of_a_row_stay),
    CONTRACT_TEST(changes_of_an_age_go),
    CONTRACT_TEST(cutting_goes_step_by_step),
    CONTRACT_TEST(a_watch_tells_old_rows),
    CONTRACT_TEST(a_watch_from_before_the_history_is_told),
    CONTRACT_TEST(foreign_sql_is_kept),
    CONTRACT_TEST(what_is_damaged_is_told),
};

CONTRACT_MAIN("history", tests)
