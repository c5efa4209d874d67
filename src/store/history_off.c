/* store/history_off.c -- what stands in place of the history in a build with KECS_STORE_NO_HISTORY: refusals. A file
 * that keeps one may be read, and tracking may be switched off with all that belongs to it. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/history.h"
#include "store/history_log.h"
#include "store/write.h"

#include <string.h>

#if defined(KECS_STORE_NO_HISTORY)

static kecs_status kecs__fail_no_history(void) {
  return kecs__fail(KECS_E_UNSUPPORTED, "this build leaves the history of rows out (KECS_STORE_NO_HISTORY)");
}

/* What this build wrote would be missing in a history that others keep. */
KECS__FN kecs_status kecs__history_begin(kecs__write *write) {
  int64_t kinds = 0;
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_HISTORY, &kinds);
  if (status || !kinds) {
    return status;
  }
  return kecs__fail(KECS_E_UNSUPPORTED,
                    "%s keeps a history of its rows, which this build leaves out (KECS_STORE_NO_HISTORY); open "
                    "it with read_only, or with another build",
                    write->engine->place.shown);
}

/* Who writes by such a build is not told to a database that keeps a history by itself. */
KECS__FN kecs_status kecs__history_say(kecs__write *write) {
  (void)write;
  return KECS_OK;
}

/* Not reached: kecs__history_kept says no. */
KECS__FN kecs_status kecs__history_values(const kecs_kind_info *info, const kecs_value *values, uint64_t mask,
                                          kecs__text *out) {
  (void)info, (void)values, (void)mask;
  return out->status;
}

KECS__FN kecs_status kecs__history_whole(kecs__write *write, const kecs__meta *meta, int64_t rid, kecs__text *out) {
  (void)write, (void)meta, (void)rid;
  return out->status;
}

KECS__FN kecs_status kecs__history_add(kecs__write *write, const kecs__meta *meta, int op, int64_t rid, int64_t stamp,
                                       const kecs__past *past) {
  (void)write, (void)meta, (void)op, (void)rid, (void)stamp;
  return past->text.status;
}

KECS__FN kecs_status kecs__history_deleted(kecs__write *write, const kecs__meta *meta, int64_t seq, int64_t rid,
                                           int64_t stamp, const void *row) {
  (void)write, (void)meta, (void)seq, (void)rid, (void)stamp, (void)row;
  return KECS_OK;
}

KECS__FN kecs_status kecs__history_open(kecs_store *store, const kecs_history_options *options) {
  (void)store;
  return options->track == KECS_TRACK_ON ? kecs__fail_no_history() : KECS_OK;
}

KECS__FN kecs_status kecs__history_clear(kecs__write *write, uint64_t kinds) {
  static const char *const texts[] = {"DELETE FROM {history_keys}{whole}", "DELETE FROM {history}{whole}"};
  (void)kinds;
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < sizeof texts / sizeof texts[0]; i++) {
    status = kecs__run(write->session, texts[i], NULL, 0, NULL);
  }
  return status ? status : kecs__feed_state_set(write->session, KECS__FEED_HISTORY, 0);
}

/* Only what a build with history makes beyond the bounds goes, when that compacts. */
KECS__FN kecs_status kecs__history_trim(kecs__write *write, int64_t upto, int limit, int64_t *out_count) {
  (void)upto, (void)limit;
  *out_count = 0;
  return kecs__history_begin(write);
}

#if !defined(KECS_STORE_NO_WATCH)
KECS__FN kecs_status kecs__history_kinds(kecs__session *session, uint64_t *out_kinds) {
  (void)session;
  *out_kinds = 0;
  return KECS_OK;
}

KECS__FN kecs_status kecs__history_check(kecs__session *session, uint64_t kinds) {
  (void)session, (void)kinds;
  return kecs__fail_no_history();
}

KECS__FN kecs_status kecs__history_check_floor(kecs__session *session, uint64_t kinds, int64_t seq) {
  (void)session, (void)kinds, (void)seq;
  return kecs__fail_no_history();
}

KECS__FN kecs_status kecs__history_row(kecs__session *session, const kecs__meta *meta, int64_t rid, int64_t seq,
                                       kecs__arena *arena, void *row, bool *out_there) {
  (void)session, (void)meta, (void)rid, (void)seq, (void)arena, (void)row;
  *out_there = false;
  return kecs__fail_no_history();
}
#endif

/* ---- the public calls ---- */

KECS_STORE_API kecs_status kecs_history_describe(kecs_store *store, kecs_history_info *out_info) {
  kecs_status status = kecs__check_handle(store);
  status = status ? status : kecs__check_pointer(out_info, "out_info");
  if (!status) {
    memset(out_info, 0, sizeof *out_info);
  }
  return status;
}

static kecs_status kecs__history_refuse(kecs_store *store, kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (!status) {
    *out_result = NULL;
    status = kecs__check_handle(store);
  }
  return status ? status : kecs__fail_no_history();
}

KECS_STORE_API kecs_status kecs_history(kecs_store *store, kecs_kind kind, const char *key,
                                        const kecs_history_query *query, kecs_result **out_result) {
  (void)kind, (void)key, (void)query;
  return kecs__history_refuse(store, out_result);
}

KECS_STORE_API kecs_status kecs_get_at(kecs_store *store, kecs_kind kind, const char *key, int64_t seq, int64_t time_us,
                                       kecs_result **out_result) {
  (void)kind, (void)key, (void)seq, (void)time_us;
  return kecs__history_refuse(store, out_result);
}

KECS_STORE_API kecs_status kecs_diff(kecs_store *store, kecs_kind kind, const char *key, int64_t from_seq,
                                     int64_t to_seq, unsigned flags, kecs_result **out_result) {
  (void)kind, (void)key, (void)from_seq, (void)to_seq, (void)flags;
  return kecs__history_refuse(store, out_result);
}

KECS_STORE_API const kecs_history_entry *kecs_history_at(const kecs_result *result, size_t index) {
  (void)result, (void)index;
  return NULL;
}

KECS_STORE_API const kecs_difference *kecs_diff_at(const kecs_result *result, size_t index) {
  (void)result, (void)index;
  return NULL;
}

#endif
