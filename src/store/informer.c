/* store/informer.c -- list, watch, and list again when the log has moved on: what every cache needs. */
#include "base/prologue.h"

#include "store/changes.h"
#include "store/feed.h"
#include "store/watch.h"

#define KECS__INFORMER_PAGE 1000

typedef struct kecs__informing {
  kecs_store *store;
  const kecs_kind_info *info;
  const kecs_informer *informer;
  kecs_query query;
  kecs_watch_options options;
  int timeout_ms;
} kecs__informing;

static kecs_status kecs__inform_page(const kecs__informing *run, const kecs_result *page) {
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && run->informer->set && i < kecs_result_count(page); i++) {
    status = run->informer->set(kecs_record_at(page, run->info->kind, i), run->informer->user);
  }
  return status;
}

/* The pages need not be of one moment: what changes meanwhile is watched from a sequence before the first. */
static kecs_status kecs__inform_list(kecs__informing *run) {
  kecs_changes_info info;
  kecs_result *page = NULL;
  kecs_status status = kecs_changes_describe(run->store, &info);
  run->options.from_seq = info.last_seq;
  if (!status && !info.tracked) {
    return kecs__fail_no_feed(run->store->engine);
  }
  if (!status && run->informer->reset) {
    status = run->informer->reset(run->informer->user);
  }
  run->query.page_token = NULL;
  bool more = !status;
  while (more) {
    kecs_result *next = NULL;
    status = kecs_record_list(run->store, run->info->kind, &run->query, &next);
    kecs_result_free(page); /* its token was read until now */
    page = next;
    status = status ? status : kecs__inform_page(run, page);
    run->query.page_token = kecs_result_page_token(page);
    more = !status && run->query.page_token;
  }
  kecs_result_free(page);
  if (!status && run->informer->synced) {
    status = run->informer->synced(run->informer->user);
  }
  return status;
}

/* Until the time is up (*out_done) or a failure, COMPACTED among them. */
static kecs_status kecs__inform_watch(kecs__informing *run, bool *out_done) {
  const kecs_informer *informer = run->informer;
  const kecs_change *change = NULL;
  kecs_watch *watch = NULL;
  kecs_status status = kecs_watch_open(run->store, &run->options, &watch);
  *out_done = false;
  while (!status && !*out_done) {
    status = kecs_watch_next(watch, run->timeout_ms, &change);
    if (status) {
      break;
    }
    if (!change) {
      *out_done = true;
    } else if (change->row) {
      status = informer->set ? informer->set(change->row, informer->user) : KECS_OK;
    } else {
      status = informer->remove ? informer->remove(change->kind, change->key, informer->user) : KECS_OK;
    }
    *out_done = *out_done || status; /* a failure of theirs is no reason to begin anew, whatever its code */
  }
  kecs_watch_close(watch);
  return status;
}

KECS_STORE_API kecs_status kecs_informer_run(kecs_store *store, kecs_kind kind, const kecs_filter *where,
                                             size_t where_count, int timeout_ms, const kecs_informer *informer) {
  kecs_status status = kecs__check_pointer(informer, "informer");
  if (!status) {
    status = kecs__check_handle(store);
  }
  if (!status && !kecs_kind_describe(kind)) {
    status = kecs__fail(KECS_E_INVALID, "there is no kind number %d", (int)kind);
  }
  if (status) {
    return status;
  }
  kecs__informing run = {store, kecs_kind_describe(kind), informer, {0}, {0}, timeout_ms};
  run.query.where = where;
  run.query.where_count = where_count;
  run.query.limit = KECS__INFORMER_PAGE;
  run.options.kinds = &kind;
  run.options.kind_count = 1;
  run.options.where = where;
  run.options.where_count = where_count;
  run.options.rows = true;
  bool done = false;
  do {
    status = kecs__inform_list(&run);
    if (!status) {
      status = kecs__inform_watch(&run, &done);
    }
  } while (status == KECS_E_COMPACTED && !done);
  return status;
}
