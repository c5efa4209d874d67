/* conflict -- two writers and one row: the version decides, and the loser reads again.
 *
 *   conflict [FILE]     ":memory:" unless a file is given
 *
 * Every row has a version, one more with every change. An update of a row that was read carries the version that was
 * read, so it can't undo what somebody else wrote meanwhile: it fails with KECS_E_CONFLICT and changes nothing. */
#include "kecs_store.h"

#include <stdio.h>
#include <stdlib.h>

enum { ATTEMPTS = 10 };

static void check(kecs_status status, const char *doing) {
  if (status) {
    fprintf(stderr, "could not %s: %s\n", doing, kecs_last_error()->text);
    exit(1);
  }
}

/* Somebody else, in another process perhaps, who is faster the first two times. */
static void rival(kecs_store *store, int attempt) {
  kecs_result *read = NULL;
  if (attempt < 2) {
    check(kecs_service_get(store, "shop", "web", &read), "read as the rival");
    kecs_service theirs = *kecs_service_at(read, 0);
    theirs.desired_count += 10;
    check(kecs_service_update(store, &theirs, NULL), "write as the rival");
    printf("  the rival adds 10 meanwhile\n");
    kecs_result_free(read);
  }
}

/* Adds to a count that others change, too: read, change, write, and again while it was changed in between. */
static kecs_status add_tasks(kecs_store *store, int64_t more) {
  kecs_status status = KECS_E_CONFLICT;
  for (int attempt = 0; attempt < ATTEMPTS && status == KECS_E_CONFLICT; attempt++) {
    kecs_result *read = NULL;
    status = kecs_service_get(store, "shop", "web", &read);
    if (!status) {
      kecs_service mine = *kecs_service_at(read, 0); /* a copy: rows of a result are const */
      printf("read %lld, version %lld\n", (long long)mine.desired_count, (long long)mine.version);
      rival(store, attempt);
      mine.desired_count += more;
      status = kecs_service_update(store, &mine, NULL);
      printf("  write %lld: %s\n", (long long)mine.desired_count, kecs_status_name(status));
    }
    kecs_result_free(read);
  }
  return status;
}

int main(int argc, char **argv) {
  kecs_store *store = NULL;
  kecs_result *read = NULL;
  kecs_options options = {0};
  options.path = argc > 1 ? argv[1] : ":memory:";
  check(kecs_open(&options, &store), "open the store");
  kecs_cluster cluster = {0};
  cluster.name = "shop";
  check(kecs_cluster_ensure(store, &cluster, NULL, NULL), "create the cluster");
  kecs_service service = {0};
  service.cluster_arn = "shop";
  service.name = "web";
  service.desired_count = 1;
  check(kecs_service_upsert(store, &service, NULL), "create the service");

  check(add_tasks(store, 5), "add tasks");
  check(kecs_service_get(store, "shop", "web", &read), "read the service");
  printf("in the end %lld: nobody's change is lost\n", (long long)kecs_service_at(read, 0)->desired_count);
  kecs_result_free(read);

  /* Where only one column matters and whatever is there may be overwritten, no version is needed. */
  kecs_service count = {0};
  count.cluster_arn = "shop";
  count.name = "web";
  count.desired_count = 3;
  check(kecs_service_update_fields(store, &count, KECS_BIT(KECS_SERVICE_DESIRED_COUNT), NULL), "set the count");
  printf("set to 3, whatever it was\n");
  check(kecs_close(store), "close the store");
  return 0;
}
