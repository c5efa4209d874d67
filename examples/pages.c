/* pages -- filters, order, pages with tokens, and the walk without pages.
 *
 *   pages [FILE]     ":memory:" unless a file is given
 *
 * A token says where its page ended, not how many rows came before: rows that are written between two pages make none
 * come twice or be left out. It belongs to its query; another query refuses it. */
#include "kecs_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(kecs_status status, const char *doing) {
  if (status) {
    fprintf(stderr, "could not %s: %s\n", doing, kecs_last_error()->text);
    exit(1);
  }
}

static void fill(kecs_store *store) {
  static const char *const statuses[] = {"RUNNING", "PENDING", "STOPPED"};
  kecs_cluster cluster = {0};
  kecs_task tasks[25];
  char groups[25][32];
  cluster.name = "shop";
  check(kecs_cluster_ensure(store, &cluster, NULL, NULL), "create the cluster");
  memset(tasks, 0, sizeof tasks);
  for (int i = 0; i < 25; i++) {
    snprintf(groups[i], sizeof groups[i], "service:%s", i % 2 == 0 ? "web" : "api");
    tasks[i].cluster_arn = "shop";
    tasks[i].task_definition_arn = "web:1";
    tasks[i].task_group = groups[i];
    tasks[i].last_status = statuses[i % 3];
  }
  check(kecs_task_create_many(store, tasks, 25, NULL), "create the tasks"); /* all, or none */
}

static kecs_status count_stopped(const kecs_task *task, void *user) {
  int *stopped = user;
  *stopped += strcmp(task->last_status, "STOPPED") == 0;
  return KECS_OK; /* anything else ends the walk */
}

int main(int argc, char **argv) {
  static const char *const alive[] = {"RUNNING", "PENDING"};
  kecs_store *store = NULL;
  kecs_result *page = NULL;
  kecs_options options = {0};
  kecs_filter where[2];
  kecs_query query = {0};
  int64_t matching = 0;
  options.path = argc > 1 ? argv[1] : ":memory:";
  check(kecs_open(&options, &store), "open the store");
  fill(store);

  memset(where, 0, sizeof where);
  where[0].column = KECS_TASK_LAST_STATUS; /* both must hold */
  where[0].op = KECS_IN;
  where[0].texts = alive;
  where[0].count = 2;
  where[1].column = KECS_TASK_TASK_GROUP;
  where[1].op = KECS_EQ;
  where[1].text = "service:web";
  query.where = where;
  query.where_count = 2;
  query.direction = KECS_ORDER_ASCENDING;
  query.order_by = KECS_TASK_CREATED_AT;
  query.limit = 4;
  check(kecs_task_count(store, &query, &matching), "count");
  printf("%lld tasks of service web are alive\n", (long long)matching);

  char token[512];
  do {
    check(kecs_task_list(store, &query, &page), "read a page");
    printf("  a page of %zu, from %.8s...\n", kecs_result_count(page), kecs_task_at(page, 0)->id);
    const char *next = kecs_result_page_token(page); /* NULL: this was the last page */
    snprintf(token, sizeof token, "%s", next ? next : "");
    query.page_token = token;
    kecs_result_free(page);
  } while (token[0]);

  query.page_token = "not a token";
  printf("a wrong token: %s\n", kecs_status_name(kecs_task_list(store, &query, &page)));

  int stopped = 0; /* row by row, in constant memory */
  check(kecs_task_each(store, NULL, count_stopped, &stopped), "walk over all tasks");
  printf("%d tasks are stopped\n", stopped);
  check(kecs_close(store), "close the store");
  return 0;
}
