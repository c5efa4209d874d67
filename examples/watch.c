/* watch -- a list that stays up to date: what is there, then every change, in commit order and without gaps.
 *
 *   watch [FILE]     ":memory:" unless a file is given; with a file, change it from another program meanwhile
 *
 * The store is opened with options.track, so it keeps a log of its changes. A real program would watch in a thread of
 * its own; this one makes its changes first and then reads what the log tells of them. */
#include "kecs_store.h"

#include <stdio.h>
#include <stdlib.h>

static void check(kecs_status status, const char *doing) {
  if (status) {
    fprintf(stderr, "could not %s: %s\n", doing, kecs_last_error()->text);
    exit(1);
  }
}

static void deploy(kecs_store *store, long long count) {
  kecs_service service = {0};
  service.cluster_arn = "shop";
  service.name = "web";
  service.desired_count = count;
  check(kecs_service_upsert(store, &service, NULL), "store the service");
}

/* Tells changes until none has come for `timeout_ms`. False when the log no longer has what comes next. */
static bool follow(kecs_watch *watch, int timeout_ms) {
  static const char *const names[] = {"?", "created", "updated", "deleted"};
  const kecs_change *change = NULL;
  kecs_status status;
  while ((status = kecs_watch_next(watch, timeout_ms, &change)) == KECS_OK && change) {
    const kecs_service *service = change->row; /* as it is now; NULL once it is deleted */
    printf("%4lld  %s  %s", (long long)change->seq, names[change->op], change->key);
    if (service) {
      printf(", wants %lld", (long long)service->desired_count);
    }
    printf("\n");
  }
  if (status == KECS_E_COMPACTED) {
    return false;
  }
  check(status, "read the next change");
  return true;
}

int main(int argc, char **argv) {
  kecs_store *store = NULL;
  kecs_result *list = NULL;
  kecs_watch *watch = NULL;
  kecs_options options = {0};
  options.path = argc > 1 ? argv[1] : ":memory:";
  options.track = KECS_TRACK_ON;
  check(kecs_open(&options, &store), "open the store");
  kecs_cluster shop = {0};
  shop.name = "shop";
  check(kecs_cluster_ensure(store, &shop, NULL, NULL), "create the cluster");

  /* The list says at which sequence it was read; a watch from there tells everything that came later. */
  check(kecs_service_list(store, NULL, &list), "list the services");
  printf("%lld services at sequence %lld\n", (long long)kecs_result_count(list), (long long)kecs_result_seq(list));
  const kecs_kind kinds[] = {KECS_KIND_SERVICE};
  kecs_watch_options from = {0};
  from.kinds = kinds;
  from.kind_count = 1;
  from.from_seq = kecs_result_seq(list);
  from.rows = true;
  kecs_result_free(list);
  check(kecs_watch_open(store, &from, &watch), "watch the services");

  deploy(store, 2);
  deploy(store, 3);
  follow(watch, 0);
  check(kecs_service_delete(store, "shop", "web"), "delete the service");
  follow(watch, 200);

  /* Where the watch stands can be kept, and watched on from after a restart. Whoever stays away for longer than the
   * log is kept is told so, and lists anew. */
  from.from_seq = kecs_watch_seq(watch);
  kecs_watch_close(watch);
  deploy(store, 4);
  deploy(store, 5);
  check(kecs_changes_compact(store, NULL, NULL), "compact the log");
  kecs_status status = kecs_watch_open(store, &from, &watch);
  printf("from %lld: %s\n", (long long)from.from_seq, status ? kecs_last_error()->text : "nothing was missed");
  kecs_watch_close(watch);
  check(kecs_close(store), "close the store");
  return status == KECS_E_COMPACTED ? 0 : 1;
}
