/* test_bulk.c -- many rows at once: a backend may send them together; nobody is to see that. */
#include "contract.h"

enum { BULK_MANY = 2300, BULK_FEW = 12, BULK_ID = 24 };

typedef struct bulk {
  kecs_store *store;
  kecs_task tasks[BULK_MANY];
  char ids[BULK_MANY][BULK_ID];
} bulk;

static bulk bulk_rows; /* too large for a stack */

static bulk *bulk_open(void) {
  bulk *rows = &bulk_rows;
  kecs_cluster cluster = {.name = "web"};
  memset(rows, 0, sizeof *rows);
  rows->store = contract_open();
  CONTRACT_OK(kecs_cluster_create(rows->store, &cluster, NULL));
  for (int i = 0; i < BULK_MANY; i++) {
    snprintf(rows->ids[i], BULK_ID, "t%05d", i);
    rows->tasks[i].cluster_arn = "web";
    rows->tasks[i].id = rows->ids[i];
    rows->tasks[i].started_by = i % 3 ? "a \"quoted\" \\N\ttext" : NULL;
    rows->tasks[i].enable_execute_command = i % 2;
    rows->tasks[i].started_at = i % 5 ? i : 0;
    rows->tasks[i].tags = i % 100 == 7 ? "[{\"key\":\"team\",\"value\":\"blue\"}]" : NULL;
  }
  return rows;
}

static int64_t bulk_stored(const bulk *rows) {
  return contract_count_rows(rows->store, KECS_KIND_TASK);
}

/* ---- what is stored ---- */

static void bulk_same(const kecs_task *row, const kecs_task *given) {
  CONTRACT_TEXT(row->id, given->id);
  CONTRACT_TEXT(row->cluster_arn, "arn:aws:ecs:us-east-1:000000000000:cluster/web");
  CONTRACT_TEXT(strrchr(row->arn, '/') + 1, given->id);
  CONTRACT_TEXT(row->started_by, given->started_by);
  CONTRACT_TEXT(row->tags, given->tags);
  CONTRACT_TEXT(row->last_status, "PROVISIONING");
  CONTRACT_NUMBER(row->enable_execute_command, given->enable_execute_command);
  CONTRACT_NUMBER(row->started_at, given->started_at);
  CONTRACT_NUMBER(row->version, 1);
  assert_true(row->created_at > 0);
}

static void every_row_is_stored(size_t count, size_t tagged) {
  bulk *rows = bulk_open();
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_create_many(rows->store, rows->tasks, count, &result));
  CONTRACT_NUMBER(kecs_result_count(result), count);
  CONTRACT_NUMBER(bulk_stored(rows), count);
  CONTRACT_NUMBER(contract_count_rows(rows->store, KECS_KIND_TAG), tagged);
  for (size_t i = 0; i < count; i++) {
    bulk_same(kecs_task_at(result, i), &rows->tasks[i]);
  }
  kecs_result_free(result);
  for (size_t i = 0; i < count; i += count / 11) {
    CONTRACT_OK(kecs_task_get(rows->store, "web", rows->ids[i], &result));
    bulk_same(kecs_task_at(result, 0), &rows->tasks[i]);
    kecs_result_free(result);
  }
  contract_close(rows->store);
}

static void many_rows_are_stored(void **state) {
  (void)state;
  every_row_is_stored(BULK_MANY, BULK_MANY / 100);
}

static void few_rows_are_stored(void **state) {
  (void)state;
  every_row_is_stored(BULK_FEW, 1);
}

static void rows_join_their_transaction(void **state) {
  (void)state;
  bulk *rows = bulk_open();
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(rows->store, &tx));
  CONTRACT_OK(kecs_task_create_many(tx, rows->tasks, BULK_FEW, NULL));
  CONTRACT_OK(kecs_task_create_many(tx, rows->tasks + BULK_FEW, 200, NULL));
  CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_TASK), BULK_FEW + 200);
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_NUMBER(bulk_stored(rows), 0);
  CONTRACT_OK(kecs_begin(rows->store, &tx));
  CONTRACT_OK(kecs_task_create_many(tx, rows->tasks, 200, NULL));
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(bulk_stored(rows), 200);
  contract_close(rows->store);
}

/* ---- what is refused ---- */

/* Row `at` is refused as it would be by itself, and nothing of the call stays. */
static void bulk_refused(bulk *rows, size_t count, size_t at, kecs_status code, const char *says) {
  char place[64];
  kecs_store *tx = NULL;
  kecs_task before = {.cluster_arn = "web"};
  snprintf(place, sizeof place, "row %zu of %zu", at + 1, count);
  CONTRACT_FAILS(kecs_task_create_many(rows->store, rows->tasks, count, NULL), code);
  CONTRACT_SAYS(place);
  CONTRACT_SAYS(says);
  CONTRACT_NUMBER(bulk_stored(rows), 0);
  CONTRACT_OK(kecs_begin(rows->store, &tx));
  CONTRACT_OK(kecs_task_create(tx, &before, NULL));
  CONTRACT_FAILS(kecs_task_create_many(tx, rows->tasks, count, NULL), code);
  CONTRACT_SAYS(place);
  CONTRACT_OK(kecs_task_create(tx, &before, NULL));
  CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_TASK), 2);
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_NUMBER(bulk_stored(rows), 0);
}

static void a_taken_key_names_its_row(void **state) {
  (void)state;
  bulk *rows = bulk_open();
  rows->tasks[7].id = rows->ids[2];
  bulk_refused(rows, BULK_FEW, 7, KECS_E_EXISTS, "t00002");
  rows->tasks[7].id = rows->ids[7];
  rows->tasks[1500].id = rows->ids[1200];
  bulk_refused(rows, BULK_MANY, 1500, KECS_E_EXISTS, "t01200");
  rows->tasks[1500].id = rows->ids[3]; /* of another piece */
  bulk_refused(rows, BULK_MANY, 1500, KECS_E_EXISTS, "t00003");
  contract_close(rows->store);
}

static void a_missing_parent_names_its_row(void **state) {
  (void)state;
  bulk *rows = bulk_open();
  rows->tasks[3].service_arn = "arn:aws:ecs:us-east-1:000000000000:service/web/none";
  bulk_refused(rows, BULK_FEW, 3, KECS_E_REFERENCE, "service/web/none");
  bulk_refused(rows, 100, 3, KECS_E_REFERENCE, "service/web/none");
  contract_close(rows->store);
}

static void a_bad_row_is_told_before_later_ones(void **state) {
  (void)state;
  bulk *rows = bulk_open();
  rows->tasks[40].started_by = "\xFF";
  rows->tasks[60].id = rows->ids[59];
  bulk_refused(rows, 100, 40, KECS_E_INVALID, "started_by");
  rows->tasks[20].id = rows->ids[19];
  bulk_refused(rows, 100, 20, KECS_E_EXISTS, "t00019");
  contract_close(rows->store);
}

/* ---- one statement that compares and writes ---- */

static void an_update_tells_why_it_changes_nothing(void **state) {
  (void)state;
  bulk *rows = bulk_open();
  kecs_task task = {.cluster_arn = "web", .id = "one", .stopped_reason = "first"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_create(rows->store, &task, &result));
  task = *kecs_task_at(result, 0);
  task.stopped_reason = "second";
  task.version = 5;
  CONTRACT_FAILS(kecs_task_update_fields(rows->store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL),
                 KECS_E_CONFLICT);
  for (int i = 0; i < 2; i++) { /* the second one has nothing to do */
    kecs_result *stored = NULL;
    task.version = 0;
    CONTRACT_OK(kecs_task_update_fields(rows->store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL));
    CONTRACT_OK(kecs_task_get(rows->store, "web", "one", &stored));
    CONTRACT_TEXT(kecs_task_at(stored, 0)->stopped_reason, "second");
    CONTRACT_NUMBER(kecs_task_at(stored, 0)->version, 2);
    kecs_result_free(stored);
  }
  task.version = 2;
  task.stopped_reason = NULL;
  CONTRACT_OK(kecs_task_update_fields(rows->store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL));
  task.version = 0;
  task.service_arn = "arn:aws:ecs:us-east-1:000000000000:service/web/none";
  CONTRACT_FAILS(kecs_task_update_fields(rows->store, &task, KECS_BIT(KECS_TASK_SERVICE_ARN), NULL),
                 KECS_E_REFERENCE);
  CONTRACT_SAYS("service/web/none");
  task.arn = "arn:aws:ecs:us-east-1:000000000000:task/web/none";
  CONTRACT_FAILS(kecs_task_update_fields(rows->store, &task, KECS_BIT(KECS_TASK_STOPPED_REASON), NULL),
                 KECS_E_NOT_FOUND);
  kecs_result_free(result);
  contract_close(rows->store);
}

/* ---- imports ---- */

enum { BULK_DOCUMENTS = 700, BULK_DOCUMENT = 256 };

typedef struct bulk_notes {
  int count;
  int refused; /* number of the only refused one, from 1; -1: there are several */
  size_t offset;
  bool ordered;
  bool named;
} bulk_notes;

static void bulk_note(const kecs_import_note *note, void *user) {
  bulk_notes *notes = user;
  notes->count++;
  if (note->refused) {
    notes->refused = notes->refused ? -1 : notes->count;
  }
  notes->ordered = notes->ordered && (notes->count == 1 || note->offset > notes->offset);
  notes->named = notes->named && note->name[0];
  notes->offset = note->offset;
}

/* Tasks of a cluster and a service that are not there yet; number `bad` (if it is not 0) can't be stored. */
static char *bulk_documents(const char *status, int bad) {
  static char text[BULK_DOCUMENTS * BULK_DOCUMENT];
  size_t used = 0;
  for (int i = 1; i <= BULK_DOCUMENTS; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "{\"taskArn\":\"arn:aws:ecs:us-east-1:000000000000:task/made/d%04d\",\"clusterArn\":"
                             "\"arn:aws:ecs:us-east-1:000000000000:cluster/made\",\"lastStatus\":\"%s\",%s\"cpu\":"
                             "\"%s\"}\n",
                             i, status, i == 9 ? "\"tags\":[{\"key\":\"a\",\"value\":\"b\"}]," : "",
                             i == bad ? "\\u0000" : "256");
  }
  return text;
}

static void bulk_import(kecs_store *store, const char *status, int bad) {
  bulk_notes notes = {.ordered = true, .named = true};
  kecs_import_options options = {.note = bulk_note, .user = &notes};
  int64_t put = 0;
  int64_t refused = 0;
  CONTRACT_OK(kecs_import(store, bulk_documents(status, bad), SIZE_MAX, &options, &put, &refused));
  CONTRACT_NUMBER(put, BULK_DOCUMENTS - (bad > 0));
  CONTRACT_NUMBER(refused, bad > 0);
  CONTRACT_NUMBER(notes.count, BULK_DOCUMENTS);
  CONTRACT_NUMBER(notes.refused, bad);
  assert_true(notes.ordered);
  assert_true(notes.named);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TASK), BULK_DOCUMENTS - (bad > 0));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_TAG), 1);
}

static void imports_are_as_one_by_one(void **state) {
  (void)state;
  kecs_result *result = NULL;
  kecs_store *store = contract_open();
  bulk_import(store, "PENDING", 613); /* refused in the middle */
  bulk_import(store, "RUNNING", 0);   /* all but one are there */
  CONTRACT_OK(kecs_task_get(store, "made", "d0009", &result));
  CONTRACT_TEXT(kecs_task_at(result, 0)->last_status, "RUNNING");
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 2);
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_get(store, "made", "d0613", &result));
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 1);
  kecs_result_free(result);
  contract_close(store);
  store = contract_open();
  bulk_import(store, "PENDING", 0); /* all are new */
  contract_close(store);
}

/* ---- documents ---- */

enum { BULK_PUTS = 620 };

static char bulk_texts[BULK_PUTS][512];
static const char *bulk_list[BULK_PUTS];

static void bulk_document(int i, const char *status, int version) {
  snprintf(bulk_texts[i], sizeof bulk_texts[i],
           "{\"taskArn\":\"arn:aws:ecs:us-east-1:000000000000:task/web/p%04d\",\"clusterArn\":\"arn:aws:ecs:us-east-1:"
           "000000000000:cluster/web\",\"lastStatus\":\"%s\",\"unknown\":[%d],%s\"version\":%d,\"kecs\":{\"id\":"
           "\"p%04d\",\"updatedAt\":\"2024-02-29T12:00:00Z\"}}",
           i, status, i, i % 50 ? "" : "\"tags\":[{\"key\":\"a\",\"value\":\"b\"}],", version, i);
  bulk_list[i] = bulk_texts[i];
}

static void bulk_put_same(kecs_store *store, int count) {
  for (int i = 0; i < count; i++) {
    char key[32];
    kecs_result *result = NULL;
    const char *text = NULL;
    snprintf(key, sizeof key, "web,p%04d", i);
    CONTRACT_OK(kecs_get_json(store, KECS_KIND_TASK, key, KECS_JSON_STORE, &result, &text));
    assert_non_null(strstr(text, "\"lastStatus\":\"RUNNING\""));
    assert_non_null(strstr(text, "\"unknown\":["));
    CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 1 + i % 9);
    CONTRACT_NUMBER(kecs_task_at(result, 0)->updated_at, CONTRACT_NOW);
    kecs_result_free(result);
  }
}

static void documents_are_put_together(void **state) {
  (void)state;
  static const int counts[] = {0, 1, 7, BULK_PUTS};
  for (size_t c = 0; c < CONTRACT_COUNT(counts); c++) {
    bulk *rows = bulk_open();
    for (int i = 0; i < counts[c]; i++) {
      bulk_document(i, "RUNNING", 1 + i % 9);
    }
    for (int round = 0; round < 2; round++) { /* the second one finds them all */
      CONTRACT_OK(kecs_put_json_many(rows->store, KECS_KIND_TASK, bulk_list, (size_t)counts[c], KECS_JSON_STORE));
      CONTRACT_NUMBER(bulk_stored(rows), counts[c]);
      CONTRACT_NUMBER(contract_count_rows(rows->store, KECS_KIND_TAG), (counts[c] + 49) / 50);
      bulk_put_same(rows->store, counts[c]);
    }
    contract_close(rows->store);
  }
}

static void a_refused_document_is_named(void **state) {
  (void)state;
  bulk *rows = bulk_open();
  for (int i = 0; i < BULK_PUTS; i++) {
    bulk_document(i, "RUNNING", 1);
  }
  bulk_list[600] = "{\"taskArn\":";
  CONTRACT_FAILS(kecs_put_json_many(rows->store, KECS_KIND_TASK, bulk_list, BULK_PUTS, 0), KECS_E_INVALID);
  CONTRACT_SAYS("document 601 of 620");
  CONTRACT_NUMBER(bulk_stored(rows), 0);
  CONTRACT_FAILS(kecs_put_json_many(rows->store, KECS_KIND_TASK, NULL, 3, 0), KECS_E_MISUSE);
  bulk_list[600] = NULL;
  CONTRACT_FAILS(kecs_put_json_many(rows->store, KECS_KIND_TASK, bulk_list, BULK_PUTS, 0), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_put_json_many(rows->store, KECS_KIND_COUNT, bulk_list, 1, 0), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_put_json_many(NULL, KECS_KIND_TASK, bulk_list, 1, 0), KECS_E_MISUSE);
  contract_close(rows->store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(documents_are_put_together),
    CONTRACT_TEST(a_refused_document_is_named),
    CONTRACT_TEST(imports_are_as_one_by_one),
    CONTRACT_TEST(many_rows_are_stored),
    CONTRACT_TEST(few_rows_are_stored),
    CONTRACT_TEST(rows_join_their_transaction),
    CONTRACT_TEST(a_taken_key_names_its_row),
    CONTRACT_TEST(a_missing_parent_names_its_row),
    CONTRACT_TEST(a_bad_row_is_told_before_later_ones),
    CONTRACT_TEST(an_update_tells_why_it_changes_nothing),
};

CONTRACT_MAIN("bulk", tests)
