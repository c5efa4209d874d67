/* hello -- the first program: open a store, put a cluster, a task definition, a service and a task into it, read them.
 *
 *   hello [FILE]     ":memory:" unless a file is given */
#include "kecs_store.h"

#include <stdio.h>
#include <stdlib.h>

/* Every call that can fail returns a status; the last error says in one line what happened and what to do. */
static void check(kecs_status status, const char *doing) {
  if (status) {
    fprintf(stderr, "could not %s: %s\n", doing, kecs_last_error()->text);
    exit(1);
  }
}

int main(int argc, char **argv) {
  kecs_store *store = NULL;
  kecs_result *result = NULL;
  kecs_options options = {0};
  options.path = argc > 1 ? argv[1] : ":memory:";
  check(kecs_open(&options, &store), "open the store");

  /* A zeroed row has nothing set; what is left empty, the store fills. */
  kecs_cluster cluster = {0};
  cluster.name = "shop";
  check(kecs_cluster_ensure(store, &cluster, NULL, NULL), "create the cluster");

  /* Each registration is a new revision of its family. The row comes back filled in when a result is asked for. */
  kecs_task_definition web = {0};
  web.family = "web";
  web.container_definitions = "[{\"name\": \"nginx\", \"image\": \"nginx:1.27\", \"memory\": 128}]";
  check(kecs_task_definition_register(store, &web, &result), "register the task definition");
  printf("registered  %s\n", kecs_task_definition_at(result, 0)->arn);
  kecs_result_free(result);

  kecs_service service = {0};
  service.cluster_arn = "shop"; /* a name or an ARN */
  service.name = "web";
  service.task_definition = "web";
  service.desired_count = 1;
  check(kecs_service_upsert(store, &service, &result), "create the service");
  const kecs_service *created = kecs_service_at(result, 0);
  printf("created     %s, wants %lld\n", created->arn, (long long)created->desired_count);

  kecs_task task = {0};
  task.cluster_arn = "shop";
  task.service_arn = created->arn; /* texts are borrowed for the call and live as long as the result */
  task.task_definition_arn = "web:1";
  task.last_status = "RUNNING";
  check(kecs_task_create(store, &task, NULL), "create the task");
  kecs_result_free(result);

  check(kecs_service_get(store, "shop", "web", &result), "read the service");
  printf("read back   %s, version %lld\n", kecs_service_at(result, 0)->name,
         (long long)kecs_service_at(result, 0)->version);
  kecs_result_free(result);

  check(kecs_task_list(store, NULL, &result), "list the tasks");
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    printf("task        %s %s\n", kecs_task_at(result, i)->id, kecs_task_at(result, i)->last_status);
  }
  kecs_result_free(result);
  check(kecs_close(store), "close the store");
  return 0;
}
