/* transaction -- several changes that belong together: all of them are stored, or none.
 *
 *   transaction [FILE]     ":memory:" unless a file is given
 *
 * A transaction is a store handle: the same functions work on it. Others see nothing of it before the commit. Inside a
 * transaction kecs_begin makes a savepoint, a part that can be undone alone. */
#include "kecs_store.h"

#include <stdio.h>
#include <stdlib.h>

static void check(kecs_status status, const char *doing) {
  if (status) {
    fprintf(stderr, "could not %s: %s\n", doing, kecs_last_error()->text);
    exit(1);
  }
}

/* A new revision, and the service that runs it. kecs_transact commits when this returns KECS_OK and rolls back
 * otherwise; it may call it again when another writer was in the way, so it does nothing but write through `tx`. */
static kecs_status deploy(kecs_store *tx, void *user) {
  kecs_result *registered = NULL;
  kecs_task_definition web = {0};
  web.family = "web";
  web.container_definitions = user;
  kecs_status status = kecs_task_definition_register(tx, &web, &registered);
  if (!status) {
    kecs_service service = {0};
    service.cluster_arn = "shop";
    service.name = "web";
    service.task_definition = kecs_task_definition_at(registered, 0)->arn;
    status = kecs_service_update_fields(tx, &service, KECS_BIT(KECS_SERVICE_TASK_DEFINITION), NULL);
  }
  kecs_result_free(registered);
  return status;
}

static void show(kecs_store *store, const char *when) {
  kecs_result *read = NULL;
  int64_t revisions = 0;
  check(kecs_task_definition_count(store, NULL, &revisions), "count revisions");
  check(kecs_service_get(store, "shop", "web", &read), "read the service");
  printf("%-28s %lld revisions, the service runs \"%s\"\n", when, (long long)revisions,
         kecs_service_at(read, 0)->task_definition);
  kecs_result_free(read);
}

int main(int argc, char **argv) {
  kecs_store *store = NULL;
  kecs_store *tx = NULL;
  kecs_store *part = NULL;
  kecs_options options = {0};
  char image[] = "[{\"name\": \"nginx\", \"image\": \"nginx:1.27\"}]";
  options.path = argc > 1 ? argv[1] : ":memory:";
  check(kecs_open(&options, &store), "open the store");
  kecs_cluster cluster = {0};
  cluster.name = "shop";
  check(kecs_cluster_ensure(store, &cluster, NULL, NULL), "create the cluster");
  kecs_service service = {0};
  service.cluster_arn = "shop";
  service.name = "web";
  check(kecs_service_upsert(store, &service, NULL), "create the service");
  show(store, "at first:");

  check(kecs_transact(store, deploy, image, 0), "deploy");
  show(store, "after a deployment:");

  check(kecs_begin(store, &tx), "begin");
  check(deploy(tx, image), "deploy in the transaction");
  show(tx, "inside a transaction:");
  check(kecs_begin(tx, &part), "begin a part");
  check(kecs_cluster_delete(part, "shop"), "delete the cluster");
  check(kecs_rollback(part), "undo the part"); /* the cluster is back, the deployment stays */
  show(tx, "after its part was undone:");
  check(kecs_rollback(tx), "undo all");
  show(store, "after it was rolled back:");

  /* After a failed commit nothing is stored, but for one status: a connection to a server that broke during COMMIT. */
  kecs_status status = kecs_transact(store, deploy, image, 1000);
  if (kecs_status_class(status) == KECS_CLASS_VERIFY) {
    printf("read first whether it was stored, before it is repeated\n");
  }
  check(status, "deploy again");
  show(store, "after one more deployment:");
  check(kecs_close(store), "close the store");
  return 0;
}
