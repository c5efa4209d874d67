/* test_upserts.c -- upsert_many: a backend may merge rows as it likes, what is stored is what upserting them one by one
 * stores. Each case is done twice, together and one by one, in two stores, which are then compared. */
#include "contract.h"

enum { UPSERTS_MANY = 1300, UPSERTS_TEXT = 96 };

typedef struct upserts {
  int64_t now;
  uint32_t seeds[2];
  kecs_store *together;
  kecs_store *singly;
  kecs_task tasks[UPSERTS_MANY];
  char ids[UPSERTS_MANY][16];
  char arns[UPSERTS_MANY][UPSERTS_TEXT];
  char texts[UPSERTS_MANY][UPSERTS_TEXT];
} upserts;

static upserts upserts_rows; /* too large for a stack */

#define UPSERTS_CLUSTER "arn:aws:ecs:us-east-1:000000000000:cluster/parent"

/* The same ids for the parents of both stores. */
static bool upserts_random(void *bytes, size_t len, void *user) {
  uint32_t *state = user;
  for (size_t i = 0; i < len; i++) {
    *state = *state * 1664525U + 1013904223U;
    ((unsigned char *)bytes)[i] = (unsigned char)(*state >> 24);
  }
  return true;
}

static upserts *upserts_open(void) {
  upserts *rows = &upserts_rows;
  memset(rows, 0, sizeof *rows);
  rows->now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&rows->now)};
  options.random.fill = upserts_random;
  options.random.user = &rows->seeds[0];
  rows->together = contract_open_with(&options);
  options.random.user = &rows->seeds[1];
  rows->singly = contract_open_with(&options);
  contract_parents(rows->together);
  contract_parents(rows->singly);
  for (int i = 0; i < UPSERTS_MANY; i++) {
    int scattered = i * 7919 % UPSERTS_MANY; /* not in the order of their keys */
    snprintf(rows->ids[i], sizeof rows->ids[i], "t%05d", scattered);
    snprintf(rows->arns[i], UPSERTS_TEXT, "arn:aws:ecs:us-east-1:000000000000:task/parent/t%05d", scattered);
    rows->tasks[i].arn = rows->arns[i];
    rows->tasks[i].id = rows->ids[i];
    rows->tasks[i].cluster_arn = UPSERTS_CLUSTER;
    rows->tasks[i].created_at = CONTRACT_NOW - i;
  }
  return rows;
}

static void upserts_close(upserts *rows) {
  contract_close(rows->together);
  contract_close(rows->singly);
}

/* Every row of a kind, one document a line. Free it. */
static char *upserts_dump(kecs_store *store, kecs_kind kind) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_query query = {.direction = KECS_ORDER_ASCENDING, .order_by = info->keys[0].columns[0], .limit = 1000};
  kecs_result *result = NULL;
  char token[4096];
  char *text = calloc(1, 1);
  size_t used = 0;
  do {
    CONTRACT_OK(kecs_record_list(store, kind, &query, &result));
    for (size_t i = 0; i < kecs_result_count(result); i++) {
      const char *document = NULL;
      CONTRACT_OK(kecs_record_json(result, info, kecs_record_at(result, kind, i), KECS_JSON_STORE, &document));
      size_t len = strlen(document);
      text = realloc(text, used + len + 2);
      assert_non_null(text);
      memcpy(text + used, document, len);
      used += len;
      text[used++] = '\n';
      text[used] = '\0';
    }
    query.page_token = NULL;
    if (kecs_result_page_token(result)) {
      snprintf(token, sizeof token, "%s", kecs_result_page_token(result));
      query.page_token = token;
    }
    kecs_result_free(result);
  } while (query.page_token);
  return text;
}

static void upserts_equal(const upserts *rows, kecs_kind kind) {
  char *one = upserts_dump(rows->together, kind);
  char *other = upserts_dump(rows->singly, kind);
  size_t at = 0;
  while (one[at] && one[at] == other[at]) {
    at++;
  }
  while (at > 0 && one[at - 1] != '\n') {
    at--;
  }
  if (strcmp(one, other) != 0) {
    print_error("together: %.*s\nsingly:   %.*s\n", (int)strcspn(one + at, "\n"), one + at,
                (int)strcspn(other + at, "\n"), other + at);
    fail_msg("rows of %s differ", kecs_kind_describe(kind)->name);
  }
  free(one);
  free(other);
}

static void upserts_singly(kecs_store *store, kecs_kind kind, const void *rows, size_t count) {
  size_t size = kecs_kind_describe(kind)->row_size;
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  for (size_t i = 0; i < count; i++) {
    CONTRACT_OK(kecs_record_upsert(tx, kind, (const char *)rows + i * size, NULL));
  }
  CONTRACT_OK(kecs_commit(tx));
}

/* The same rows both ways; without a result, and then once more with one. */
static void upserts_both(upserts *rows, size_t count) {
  rows->now += 1000000;
  CONTRACT_OK(kecs_task_upsert_many(rows->together, rows->tasks, count, NULL));
  upserts_singly(rows->singly, KECS_KIND_TASK, rows->tasks, count);
  upserts_equal(rows, KECS_KIND_TASK);
  upserts_equal(rows, KECS_KIND_TAG);
  rows->now += 1000000;
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_upsert_many(rows->together, rows->tasks, count, &result)); /* mostly changes nothing */
  upserts_singly(rows->singly, KECS_KIND_TASK, rows->tasks, count);
  upserts_equal(rows, KECS_KIND_TASK);
  upserts_equal(rows, KECS_KIND_TAG);
  CONTRACT_NUMBER(kecs_result_count(result), count);
  for (size_t i = 0; i < count; i++) {
    CONTRACT_TEXT(kecs_task_at(result, i)->id, rows->ids[i]);
    CONTRACT_TEXT(kecs_task_at(result, i)->stopped_reason, rows->tasks[i].stopped_reason);
    CONTRACT_TEXT(kecs_task_at(result, i)->tags, rows->tasks[i].tags);
  }
  kecs_result_free(result);
}

/* Another value for some columns of every third row; `round` says which. */
static void upserts_change(upserts *rows, size_t count, int round) {
  for (size_t i = 0; i < count; i++) {
    kecs_task *task = &rows->tasks[i];
    if ((int)i % 3 != round % 3) {
      continue;
    }
    snprintf(rows->texts[i], UPSERTS_TEXT, "round %d of \"%d\"", round, (int)i);
    task->stopped_reason = i % 4 ? rows->texts[i] : NULL;
    task->last_status = i % 5 ? "RUNNING" : NULL; /* takes its default */
    task->enable_execute_command = i % 2;
    task->started_at = i % 7 ? CONTRACT_NOW + round : 0;
    task->service_arn = i % 11 ? NULL : CONTRACT_SERVICE;
    task->containers = i % 13 ? NULL : "[{\"name\": \"a\"}]";
    task->task_definition_arn = i % 3 ? NULL : "arn:aws:ecs:us-east-1:000000000000:task-definition/web:3";
  }
}

static void rows_are_as_one_by_one(size_t count) {
  upserts *rows = upserts_open();
  upserts_both(rows, count / 2); /* all new */
  upserts_both(rows, count);     /* half of them are */
  for (int round = 0; round < 4; round++) {
    upserts_change(rows, count, round);
    upserts_both(rows, count);
  }
  upserts_close(rows);
}

static void many_rows(void **state) {
  (void)state;
  rows_are_as_one_by_one(UPSERTS_MANY);
}

static void a_hundred_rows(void **state) {
  (void)state;
  rows_are_as_one_by_one(100);
}

static void few_rows(void **state) {
  (void)state;
  rows_are_as_one_by_one(20);
  rows_are_as_one_by_one(2);
}

static void tags_follow(void **state) {
  (void)state;
  static const char *const tags[] = {NULL, "[{\"key\":\"a\",\"value\":\"1\"}]", "[]",
                                     "[{\"key\":\"a\",\"value\":\"2\"},{\"key\":\"b\",\"value\":\"\"}]"};
  static const size_t counts[] = {12, 200};
  for (size_t c = 0; c < CONTRACT_COUNT(counts); c++) {
    upserts *rows = upserts_open();
    upserts_both(rows, counts[c] / 3);
    for (size_t round = 0; round < 5; round++) {
      for (size_t i = 0; i < counts[c]; i++) {
        rows->tasks[i].tags = i % 3 ? tags[(i + round) % CONTRACT_COUNT(tags)] : tags[i % 2];
        rows->tasks[i].started_by = i % 5 == round ? "changed as well" : NULL;
      }
      upserts_both(rows, counts[c]);
    }
    upserts_close(rows);
  }
}

/* Names in place of ARNs, no ARN at all, a row twice, members that a document has left. */
static void rows_that_need_a_closer_look(void **state) {
  (void)state;
  static const char document[] =
      "{\"taskArn\":\"arn:aws:ecs:us-east-1:000000000000:task/parent/t00000\",\"clusterArn\":\"" UPSERTS_CLUSTER
      "\",\"unknownMember\":[1],\"startedBy\":{\"not\":\"a text\"}}";
  for (int i = 0; i < 5; i++) {
    upserts *rows = upserts_open();
    size_t count = i % 2 ? 50 : 10;
    CONTRACT_OK(kecs_put_json(rows->together, KECS_KIND_TASK, document, SIZE_MAX, 0, NULL));
    CONTRACT_OK(kecs_put_json(rows->singly, KECS_KIND_TASK, document, SIZE_MAX, 0, NULL));
    if (i == 1) {
      upserts_both(rows, count); /* its members go, and what it left out is told */
      upserts_close(rows);
      continue;
    }
    rows->tasks[3].cluster_arn = i == 2 ? "parent" : rows->tasks[3].cluster_arn;
    rows->tasks[4].arn = i == 2 ? NULL : rows->tasks[4].arn;
    rows->tasks[0].extra = i == 3 ? "{\"unknownMember\":[1],\"startedBy\":{\"not\":\"a text\"}}" : NULL;
    rows->tasks[0].started_by = i == 3 ? "a text" : NULL;
    rows->tasks[1].extra = i == 4 ? "{\"kept\":1}" : NULL;
    upserts_both(rows, count);
    upserts_close(rows);
  }
  upserts *rows = upserts_open();
  rows->tasks[7] = rows->tasks[2];
  rows->tasks[7].stopped_reason = "the second one counts";
  rows->now++;
  CONTRACT_OK(kecs_task_upsert_many(rows->together, rows->tasks, 50, NULL));
  upserts_singly(rows->singly, KECS_KIND_TASK, rows->tasks, 50);
  upserts_equal(rows, KECS_KIND_TASK);
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_task_get(rows->together, "parent", rows->ids[2], &result));
  CONTRACT_NUMBER(kecs_task_at(result, 0)->version, 2);
  CONTRACT_TEXT(kecs_task_at(result, 0)->stopped_reason, "the second one counts");
  kecs_result_free(result);
  upserts_close(rows);
}

static void every_kind(void **state) {
  (void)state;
  static contract_row made[60];
  static char block[60 * sizeof(contract_any)];
  static char ids[60][16];
  static char changed[60][32];
  for (int number = 1; number < KECS_KIND_COUNT; number++) {
    kecs_kind kind = (kecs_kind)number;
    const kecs_kind_info *info = kecs_kind_describe(kind);
    static const size_t counts[] = {5, 60};
    for (size_t c = 0; c < CONTRACT_COUNT(counts); c++) {
      upserts *rows = upserts_open();
      for (size_t i = 0; i < counts[c]; i++) {
        int id = kecs_column_find(info, "id");
        memcpy(block + i * info->row_size, contract_make_row(kind, (int)i, &made[i]), info->row_size);
        if (id >= 0 && !contract_get_text(info, &made[i].row, id)) {
          snprintf(ids[i], sizeof ids[i], "id-%d", (int)i); /* else it is random */
          contract_set_text(info, block + i * info->row_size, id, ids[i]);
        }
      }
      if (info->flags & KECS_KIND_APPEND) {
        CONTRACT_FAILS(kecs_record_upsert_many(rows->together, kind, block, counts[c], NULL), KECS_E_UNSUPPORTED);
        upserts_close(rows);
        continue;
      }
      for (int round = 0; round < 3; round++) { /* new; equal; changed in every column that an update may write */
        for (size_t i = 0; round == 2 && i < counts[c]; i += 2) {
          snprintf(changed[i], sizeof changed[i], "changed %d", (int)i); /* some are unique */
          char *row = block + i * info->row_size;
          for (int column = 0; column < info->column_count; column++) {
            const kecs_column_info *one = &info->columns[column];
            bool free_text = one->type == KECS_TYPE_TEXT && !strstr(one->name, "arn");
            if (contract_column_changes(info, column) && free_text) {
              contract_set_text(info, row, column, changed[i]);
            } else if (contract_column_changes(info, column) && !contract_column_is_text(info, column)) {
              contract_set_number(info, row, column, 1);
            }
          }
          if (kind == KECS_KIND_RULE || kind == KECS_KIND_TARGET) {
            contract_make_row(kind, (int)i, &made[i]); /* their numbers are theirs */
            memcpy(row, &made[i].row, info->row_size);
          }
        }
        rows->now += 5;
        CONTRACT_OK(kecs_record_upsert_many(rows->together, kind, block, counts[c], NULL));
        upserts_singly(rows->singly, kind, block, counts[c]);
        upserts_equal(rows, kind);
        assert_true(contract_count_rows(rows->together, kind) >= (int64_t)counts[c]);
      }
      upserts_close(rows);
    }
  }
}

/* ---- versions ---- */

static void versions_are_compared(void **state) {
  (void)state;
  static const size_t counts[] = {6, 100};
  for (size_t c = 0; c < CONTRACT_COUNT(counts); c++) {
    upserts *rows = upserts_open();
    kecs_result *result = NULL;
    upserts_both(rows, counts[c]);
    for (size_t i = 0; i < counts[c]; i++) {
      rows->tasks[i].version = i % 2;
      rows->tasks[i].started_by = "a reader";
    }
    rows->now++;
    CONTRACT_OK(kecs_task_upsert_many(rows->together, rows->tasks, counts[c], &result));
    upserts_singly(rows->singly, KECS_KIND_TASK, rows->tasks, counts[c]);
    upserts_equal(rows, KECS_KIND_TASK);
    for (size_t i = 0; i < counts[c]; i++) {
      CONTRACT_NUMBER(kecs_task_at(result, i)->version, 2);
      rows->tasks[i].version = 2;
    }
    kecs_result_free(result);
    rows->tasks[3].version = 1; /* somebody has changed it */
    rows->tasks[4].started_by = "lost";
    CONTRACT_FAILS(kecs_task_upsert_many(rows->together, rows->tasks, counts[c], NULL), KECS_E_CONFLICT);
    CONTRACT_SAYS("row 4 of");
    CONTRACT_SAYS("has version 2, not 1");
    upserts_equal(rows, KECS_KIND_TASK);
    rows->tasks[3].version = 2;
    CONTRACT_OK(kecs_task_delete(rows->together, "parent", rows->ids[5]));
    CONTRACT_FAILS(kecs_task_upsert_many(rows->together, rows->tasks, counts[c], NULL), KECS_E_CONFLICT);
    CONTRACT_SAYS("row 6 of");
    CONTRACT_SAYS("is gone");
    upserts_close(rows);
  }
}

/* ---- refusals ---- */

static void upserts_refused(upserts *rows, size_t count, kecs_status code, const char *place, const char *says) {
  kecs_result *result = (kecs_result *)rows;
  kecs_store *tx = NULL;
  CONTRACT_FAILS(kecs_task_upsert_many(rows->together, rows->tasks, count, &result), code);
  CONTRACT_SAYS(place);
  CONTRACT_SAYS(says);
  assert_null(result);
  upserts_equal(rows, KECS_KIND_TASK);
  CONTRACT_OK(kecs_begin(rows->together, &tx)); /* which goes on */
  CONTRACT_FAILS(kecs_task_upsert_many(tx, rows->tasks, count, NULL), code);
  CONTRACT_SAYS(place);
  CONTRACT_OK(kecs_cluster_upsert(tx, &(kecs_cluster){.name = "after"}, NULL));
  CONTRACT_OK(kecs_rollback(tx));
  upserts_equal(rows, KECS_KIND_TASK);
}

static void a_refused_row_is_named_and_nothing_stays(void **state) {
  (void)state;
  static const size_t counts[] = {9, 60};
  for (size_t c = 0; c < CONTRACT_COUNT(counts); c++) {
    upserts *rows = upserts_open();
    size_t count = counts[c];
    char place[32];
    upserts_both(rows, count / 2);
    upserts_change(rows, count, 1);
    rows->tasks[4].service_arn = "arn:aws:ecs:us-east-1:000000000000:service/parent/none";
    upserts_refused(rows, count, KECS_E_REFERENCE, "row 5 of", "service/parent/none");
    rows->tasks[4].service_arn = NULL;
    snprintf(place, sizeof place, "row %zu of", count);
    rows->tasks[count - 1].cluster_arn = "arn:aws:ecs:us-east-1:000000000000:cluster/none";
    upserts_refused(rows, count, KECS_E_REFERENCE, place, "cluster/none");
    rows->tasks[count - 1].cluster_arn = UPSERTS_CLUSTER;
    rows->tasks[7].stopped_reason = "\xC3";
    upserts_refused(rows, count, KECS_E_INVALID, "row 8 of", "UTF-8");
    rows->tasks[7].stopped_reason = NULL;
    rows->tasks[count - 1].id = rows->ids[1]; /* unique, too */
    upserts_refused(rows, count, KECS_E_EXISTS, place, "id");
    upserts_close(rows);
  }
}

static void bad_calls(void **state) {
  (void)state;
  upserts *rows = upserts_open();
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_task_upsert_many(NULL, rows->tasks, 3, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_task_upsert_many(rows->together, NULL, 3, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_record_upsert_many(rows->together, (kecs_kind)99, rows->tasks, 3, &result), KECS_E_INVALID);
  CONTRACT_OK(kecs_task_upsert_many(rows->together, NULL, 0, &result));
  CONTRACT_NUMBER(kecs_result_count(result), 0);
  kecs_result_free(result);
  CONTRACT_OK(kecs_set_cancelled(rows->together, true));
  CONTRACT_FAILS(kecs_task_upsert_many(rows->together, rows->tasks, 300, NULL), KECS_E_CANCELLED);
  CONTRACT_OK(kecs_set_cancelled(rows->together, false));
  CONTRACT_NUMBER(contract_count_rows(rows->together, KECS_KIND_TASK), 0);
  upserts_close(rows);
}

static void strict_stores_validate_each_row(void **state) {
  (void)state;
  kecs_options options = {.strict = true};
  kecs_store *store = contract_open_with(&options);
  static kecs_cluster clusters[40];
  static char names[40][16];
  for (int i = 0; i < 40; i++) {
    snprintf(names[i], sizeof names[i], "cluster-%d", i);
    clusters[i].name = names[i];
  }
  CONTRACT_OK(kecs_cluster_upsert_many(store, clusters, 40, NULL));
  clusters[30].name = "no blanks please";
  CONTRACT_FAILS(kecs_cluster_upsert_many(store, clusters, 40, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("row 31 of 40");
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 40);
  contract_close(store);
}

static void rows_join_their_transaction(void **state) {
  (void)state;
  upserts *rows = upserts_open();
  kecs_store *tx = NULL;
  for (int commits = 0; commits < 2; commits++) {
    CONTRACT_OK(kecs_begin(rows->together, &tx));
    CONTRACT_OK(kecs_task_upsert_many(tx, rows->tasks, 100, NULL));
    CONTRACT_OK(kecs_task_upsert_many(tx, rows->tasks + 50, 100, NULL)); /* a second table of the same name */
    CONTRACT_OK(kecs_task_upsert_many(tx, rows->tasks + 140, 20, NULL));
    CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_TASK), 160);
    CONTRACT_OK(commits ? kecs_commit(tx) : kecs_rollback(tx));
    CONTRACT_NUMBER(contract_count_rows(rows->together, KECS_KIND_TASK), commits ? 160 : 0);
  }
  upserts_close(rows);
}

/* ---- what others see of it ---- */

static int upserts_told(kecs_watch *watch) {
  const kecs_change *change = NULL;
  int count = 0;
  while (kecs_watch_next(watch, 1000, &change) == KECS_OK && change) {
    CONTRACT_NUMBER(change->kind, KECS_KIND_TASK);
    count++;
  }
  return count;
}

static void changes_are_logged(void **state) {
  (void)state;
  static const size_t counts[] = {12, 90};
  for (size_t c = 0; c < CONTRACT_COUNT(counts); c++) {
    upserts *rows = upserts_open();
    kecs_options options = {.track = KECS_TRACK_ON};
    kecs_store *store = contract_open_with(&options);
    contract_parents(store);
    kecs_kind kinds[] = {KECS_KIND_TASK};
    kecs_watch_options from = {.kinds = kinds, .kind_count = 1};
    kecs_watch *watch = NULL;
    CONTRACT_OK(kecs_watch_open(store, &from, &watch));
    CONTRACT_OK(kecs_task_upsert_many(store, rows->tasks, counts[c], NULL));
    CONTRACT_NUMBER(upserts_told(watch), counts[c]);
    rows->tasks[2].started_by = "changed";
    rows->tasks[7].started_by = "changed";
    CONTRACT_OK(kecs_task_upsert_many(store, rows->tasks, counts[c], NULL));
    CONTRACT_NUMBER(upserts_told(watch), 2); /* equal rows are not written */
    kecs_watch_close(watch);
    contract_close(store);
    upserts_close(rows);
  }
}

static void a_row_cache_follows(void **state) {
  (void)state;
  static const size_t counts[] = {12, 90};
  for (size_t c = 0; c < CONTRACT_COUNT(counts); c++) {
    upserts *rows = upserts_open();
    kecs_options options = {.row_cache = {.entries = 1000}};
    kecs_store *store = contract_open_with(&options);
    contract_parents(store);
    CONTRACT_OK(kecs_task_upsert_many(store, rows->tasks, counts[c], NULL));
    for (int round = 0; round < 3; round++) {
      char text[32];
      kecs_result *result = NULL;
      snprintf(text, sizeof text, "round %d", round);
      rows->tasks[5].started_by = text;
      CONTRACT_OK(kecs_task_upsert_many(store, rows->tasks, counts[c], NULL));
      for (int again = 0; again < 2; again++) {
        CONTRACT_OK(kecs_task_get(store, NULL, rows->tasks[5].arn, &result));
        CONTRACT_TEXT(kecs_task_at(result, 0)->started_by, text);
        kecs_result_free(result);
      }
    }
    contract_close(store);
    upserts_close(rows);
  }
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(changes_are_logged),
    CONTRACT_TEST(a_row_cache_follows),
    CONTRACT_TEST(many_rows),
    CONTRACT_TEST(a_hundred_rows),
    CONTRACT_TEST(few_rows),
    CONTRACT_TEST(tags_follow),
    CONTRACT_TEST(rows_that_need_a_closer_look),
    CONTRACT_TEST(every_kind),
    CONTRACT_TEST(versions_are_compared),
    CONTRACT_TEST(a_refused_row_is_named_and_nothing_stays),
    CONTRACT_TEST(bad_calls),
    CONTRACT_TEST(strict_stores_validate_each_row),
    CONTRACT_TEST(rows_join_their_transaction),
};

CONTRACT_MAIN("upserts", tests)
