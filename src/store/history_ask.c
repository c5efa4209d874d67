/* store/history_ask.c -- what callers ask of the history: a row at a moment, the list of its changes.
 *
 * A key names one row after the other: the one that is there, and those that were deleted since (history_keys). They
 * never lived at the same time. */
#include "base/prologue.h"

#include "store/history_ask.h"

#include "store/feed.h"
#include "store/history.h"
#include "store/token.h"

#include <string.h>

#if !defined(KECS_STORE_NO_HISTORY)

#define KECS__HISTORY_LIMIT 100
#define KECS__HISTORY_LIMIT_MAX 1000

static const char kecs__history_shape[] = "history"; /* what such a result is told by */

/* ---- the rows of a key ---- */

/* A deletion of a row with this key. */
typedef struct kecs__deletion {
  int64_t seq;
  int64_t rid; /* 0: there is none */
} kecs__deletion;

static kecs_status kecs__inquiry_find_deletion(const kecs__inquiry *asked, const char *sql, const kecs_value *bounds,
                                               int count, kecs__deletion *out) {
  kecs__cached *cached = NULL;
  bool row = false;
  kecs_value parameters[5] = {kecs__value_int((int64_t)asked->meta->info->kind), kecs__value_int(asked->number),
                              kecs__value_text(asked->key)};
  memcpy(parameters + 3, bounds, (size_t)count * sizeof *bounds);
  out->rid = 0;
  kecs_status status = kecs__feed_statement(asked->session, sql, &cached);
  if (!status) {
    status = kecs__statement_start(asked->session, cached, parameters, 3 + count, &row);
  }
  if (!status && row) {
    kecs_value values[2];
    kecs__statement_columns(asked->session, cached, values, 2);
    out->rid = values[0].number;
    out->seq = values[1].number;
  }
  kecs__statement_done(asked->session, cached);
  return status;
}

#define KECS__DELETED "kind=?1 AND number=?2 AND key=?3 AND seq"

/* The last one before `seq`. */
static kecs_status kecs__inquiry_deleted_before(const kecs__inquiry *asked, int64_t seq, kecs__deletion *out) {
  kecs_value bound = kecs__value_int(seq);
  return kecs__inquiry_find_deletion(asked,
                                     KECS__HISTORY_SQL(asked->session, "SELECT rid,seq", KEYS_,
                                                       KECS__DELETED "<?4 ORDER BY seq DESC LIMIT 1"),
                                     &bound, 1, out);
}

/* The first one after `seq` whose stamp is above `stamp`, as far as that is known. */
static kecs_status kecs__inquiry_deleted_after(const kecs__inquiry *asked, int64_t seq, int64_t stamp,
                                               kecs__deletion *out) {
  kecs_value bounds[] = {kecs__value_int(seq), kecs__value_int(stamp)};
  return kecs__inquiry_find_deletion(
      asked,
      KECS__HISTORY_SQL(asked->session, "SELECT rid,seq", KEYS_,
                        KECS__DELETED ">?4 AND NOT EXISTS(SELECT 1 FROM {history d} WHERE {own d}"
                                      "d.seq=history_keys.seq AND d.stamp<=?5) ORDER BY seq LIMIT 1"),
      bounds, 2, out);
}

/* The row that is there, read from the database; those before it had its natural key. */
static kecs_status kecs__inquiry_live(kecs__inquiry *asked) {
  kecs_error before = kecs__error_save();
  void *row = kecs__arena_take(&asked->arena, asked->meta->info->row_size);
  if (!row) {
    return KECS_E_NOMEM;
  }
  kecs_status status =
      kecs__probe_read(asked->session, asked->meta, &asked->probe, &asked->arena, row, &asked->live);
  if (status == KECS_E_NOT_FOUND) {
    (void)kecs__error_restore(&before);
    asked->live = 0;
    return KECS_OK;
  }
  if (!status) {
    asked->key = kecs__feed_key(asked->meta, row, &asked->arena);
    asked->number = 0;
  }
  return status || asked->key ? status : KECS_E_NOMEM;
}

/* Short forms of an ARN are tried last: what is there by such a form may be another row than the one that had the whole
 * ARN and is deleted. */
static kecs_status kecs__inquiry_find(kecs__inquiry *asked, const char *key) {
  kecs__deletion deleted = {0, 0};
  kecs_status status = kecs__history_check(asked->session, KECS_BIT(asked->meta->info->kind));
  if (!status) {
    status = kecs__probe_text(asked->session, asked->meta, key, &asked->arena, &asked->probe);
  }
  if (!status) {
    asked->number = asked->probe.key;
    asked->key = kecs__feed_key_text(asked->probe.values, asked->probe.count, &asked->arena);
    status = asked->key ? kecs__probe_find(asked->session, asked->meta, &asked->probe, &asked->arena, &asked->live)
                        : KECS_E_NOMEM;
  }
  if (!status && !asked->live) {
    status = kecs__inquiry_deleted_after(asked, 0, INT64_MIN, &deleted);
  }
  return status || (!asked->live && deleted.rid) ? status : kecs__inquiry_live(asked);
}

static bool kecs__inquiry_passes(const kecs__inquiry *asked, const void *row) {
  for (int i = 0; asked->live == 0 && i < asked->probe.check_count; i++) {
    kecs_value value = kecs__row_value(asked->meta->info, row, asked->probe.check_columns[i]);
    if (!kecs__value_same(&value, &asked->probe.check_values[i])) {
      return false;
    }
  }
  return true;
}

/* One row as it was after `seq`; or, where a stamp is given, after the last of its changes up to that. Of one row the
 * stamps ascend with the sequence; of different rows they need not, where writers write side by side. */
static kecs_status kecs__inquiry_life(kecs__inquiry *asked, int64_t rid, int64_t seq, const int64_t *stamp,
                                      kecs__arena *arena, void *row, bool *out_there) {
  kecs_value values[] = {kecs__value_int((int64_t)asked->meta->info->kind), kecs__value_int(rid),
                         kecs__value_int(stamp ? *stamp : 0)};
  int64_t last = 0;
  kecs_status status = KECS_OK;
  if (stamp) {
    status = kecs__feed_number(asked->session,
                               KECS__HISTORY_SQL(asked->session, "SELECT seq", ,
                                                 "kind=?1 AND rid=?2 AND stamp<=?3 ORDER BY seq DESC LIMIT 1"),
                               values, 3, &last);
  }
  return status ? status
                : kecs__history_row(asked->session, asked->meta, rid, last > seq ? last : seq, arena, row, out_there);
}

/* The row of the key as it was: that of the first deletion since, or the one that is there. */
static kecs_status kecs__inquiry_search(kecs__inquiry *asked, int64_t seq, const int64_t *stamp, kecs__arena *arena,
                                        void *row, bool *out_there) {
  kecs__deletion deleted = {seq, 0};
  *out_there = false;
  kecs_status status = kecs__history_check_floor(asked->session, KECS_BIT(asked->meta->info->kind), seq);
  bool more = !status;
  while (more) {
    status = kecs__inquiry_deleted_after(asked, deleted.seq, stamp ? *stamp : INT64_MIN, &deleted);
    if (status || deleted.rid == 0) {
      break;
    }
    status = kecs__inquiry_life(asked, deleted.rid, seq, stamp, arena, row, out_there);
    *out_there = *out_there && kecs__inquiry_passes(asked, row);
    more = !status && !*out_there;
  }
  if (!status && !*out_there && asked->live) {
    status = kecs__inquiry_life(asked, asked->live, seq, stamp, arena, row, out_there);
  }
  return status;
}

KECS__FN kecs_status kecs__inquiry_row(kecs__inquiry *asked, int64_t seq, kecs__arena *arena, void *row,
                                       bool *out_there) {
  return kecs__inquiry_search(asked, seq, NULL, arena, row, out_there);
}

/* The latest entry of one row up to `seq`, if it is later than *io_seq. */
static kecs_status kecs__inquiry_later(const kecs__inquiry *asked, int64_t rid, int64_t seq, int64_t *io_seq) {
  kecs_value values[] = {kecs__value_int((int64_t)asked->meta->info->kind), kecs__value_int(rid), kecs__value_int(seq)};
  int64_t found = 0;
  kecs_status status = kecs__feed_number(asked->session,
                                         KECS__HISTORY_SQL(asked->session, "SELECT max(seq)", ,
                                                           "kind=?1 AND rid=?2 AND seq<=?3 AND op<>0"),
                                         values, 3, &found);
  *io_seq = found > *io_seq ? found : *io_seq;
  return status;
}

KECS__FN kecs_status kecs__inquiry_latest(kecs__inquiry *asked, int64_t seq, int64_t *out_seq) {
  kecs__deletion deleted = {0, 0};
  *out_seq = 0;
  kecs_status status = kecs__inquiry_deleted_after(asked, seq, INT64_MIN, &deleted);
  if (!status && deleted.rid) {
    status = kecs__inquiry_later(asked, deleted.rid, seq, out_seq);
  }
  if (!status && asked->live) {
    status = kecs__inquiry_later(asked, asked->live, seq, out_seq);
  }
  if (!status && *out_seq == 0) {
    status = kecs__inquiry_deleted_before(asked, seq < INT64_MAX ? seq + 1 : seq, &deleted);
    *out_seq = status || deleted.rid == 0 ? *out_seq : deleted.seq;
  }
  return status;
}

/* ---- a moment ---- */

/* The first stamp of a millisecond, or the last. */
static int64_t kecs__moment_stamp(int64_t time_us, bool end) {
  int64_t ms = time_us / 1000;
  return ms < 0 ? -1 : ms >= INT64_MAX >> 17 ? INT64_MAX : ms * 65536 + (end ? 65535 : 0);
}

/* A time as a stamp, and the sequence at which what is kept begins: every change up to that was before. */
static kecs_status kecs__moment_stamped(kecs__session *session, const kecs__meta *meta, int64_t time_us,
                                        int64_t *out_stamp, int64_t *out_seq) {
  int kind = (int)meta->info->kind;
  const int ids[][2] = {{KECS__FEED_HISTORY_FLOOR_STAMP, KECS__FEED_HISTORY_FLOOR},
                        {KECS__FEED_HISTORY_SINCE_STAMP + kind, KECS__FEED_HISTORY_SINCE + kind}};
  int64_t stamp = kecs__moment_stamp(time_us, true);
  kecs_status status = KECS_OK;
  *out_stamp = stamp;
  *out_seq = 0;
  for (int i = 0; !status && i < 2; i++) {
    int64_t floor_stamp = 0;
    int64_t floor = 0;
    status = kecs__feed_state(session, ids[i][0], &floor_stamp);
    if (!status) {
      status = kecs__feed_state(session, ids[i][1], &floor);
    }
    if (!status && stamp < floor_stamp) {
      status = kecs__fail_before_history(floor);
    }
    *out_seq = floor > *out_seq ? floor : *out_seq;
  }
  return status;
}

KECS__FN kecs_status kecs__moment_check(kecs__session *session, int64_t seq) {
  kecs__feed_end end;
  kecs_status status = kecs__feed_read_end(session, &end);
  if (!status && (seq > end.seq || seq < 0)) {
    status = kecs__fail(KECS_E_INVALID, "the change log of %s ends at %lld; there is no sequence %lld",
                        session->engine->place.shown, (long long)end.seq, (long long)seq);
  }
  return status;
}

/* ---- the calls ---- */

/* A call reads all that it reads at one moment. */
KECS__FN kecs_status kecs__inquiry_open(kecs_store *store, kecs_kind kind, const char *key, kecs__inquiry *asked) {
  memset(asked, 0, sizeof *asked);
  asked->meta = kecs__meta_checked(store, kind);
  if (!asked->meta) {
    return kecs_last_error()->status;
  }
  kecs__arena_init(&asked->arena, &store->engine->allocator);
  kecs_status status = kecs__feed_number_new(store);
  status = status ? status : kecs__read_open(store, &asked->session);
  if (!status && store->depth == 0) {
    status = store->engine->backend->begin(asked->session->connection, false);
    if (status) {
      kecs__read_close(store, asked->session);
      asked->session = NULL;
    }
  } else if (status) {
    asked->session = NULL;
  }
  return status ? status : kecs__inquiry_find(asked, key);
}

KECS__FN kecs_status kecs__inquiry_close(kecs_store *store, kecs__inquiry *asked, kecs_status status) {
  if (asked->session) {
    if (store->depth == 0) {
      kecs__read_end(store->engine->backend, asked->session->connection, &status);
    }
    kecs__read_close(store, asked->session);
  }
  if (asked->meta) {
    kecs__arena_free(&asked->arena);
  }
  return status;
}

static kecs_status kecs__inquiry_at(kecs__inquiry *asked, int64_t seq, int64_t time_us, kecs_result *result) {
  bool there = false;
  bool timed = seq == 0;
  int64_t stamp = 0;
  void *row = kecs__result_add(result);
  kecs_status status = row ? KECS_OK : KECS_E_NOMEM;
  if (!status) {
    status = timed ? kecs__moment_stamped(asked->session, asked->meta, time_us, &stamp, &seq)
                   : kecs__moment_check(asked->session, seq);
  }
  if (!status) {
    status = kecs__inquiry_search(asked, seq, timed ? &stamp : NULL, &result->arena, row, &there);
  }
  return status || there ? status : kecs__fail_probe(asked->meta, &asked->probe);
}

KECS_STORE_API kecs_status kecs_get_at(kecs_store *store, kecs_kind kind, const char *key, int64_t seq, int64_t time_us,
                                       kecs_result **out_result) {
  kecs__inquiry asked;
  kecs_result *result = NULL;
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  if ((seq != 0) == (time_us != 0)) {
    return kecs__fail(KECS_E_INVALID, "give either a sequence or a time");
  }
  status = kecs__inquiry_open(store, kind, key, &asked);
  if (!status) {
    status = kecs__result_begin(store, asked.meta, &result);
  }
  if (!status) {
    status = kecs__inquiry_at(&asked, seq, time_us, result);
  }
  status = kecs__inquiry_close(store, &asked, status);
  return kecs__result_end(status, result, out_result);
}

/* ---- the list ---- */

typedef struct kecs__history_page {
  kecs__inquiry *asked;
  kecs_result *result;
  int64_t from; /* stamps */
  int64_t to;
  size_t limit;
  bool rows;
  bool more;
} kecs__history_page;

static kecs_status kecs__page_row(const kecs__history_page *page, int64_t rid, int64_t seq, const void **out_row) {
  bool there = false;
  kecs__arena *arena = &page->result->arena;
  void *row = kecs__arena_take(arena, page->asked->meta->info->row_size);
  kecs_status status =
      row ? kecs__history_row(page->asked->session, page->asked->meta, rid, seq, arena, row, &there) : KECS_E_NOMEM;
  *out_row = there ? row : NULL;
  return status;
}

static kecs_status kecs__page_text(kecs__history_page *page, const kecs_value *value, const char **out_text) {
  bool said = value->type == KECS_VALUE_TEXT;
  *out_text = said ? kecs__arena_text(&page->result->arena, value->text, value->len) : NULL;
  return said && !*out_text ? KECS_E_NOMEM : KECS_OK;
}

static kecs_status kecs__page_entry(kecs__history_page *page, int64_t rid, const kecs_value *values) {
  kecs_history_entry *entry = kecs__result_add(page->result);
  if (!entry) {
    return KECS_E_NOMEM;
  }
  entry->seq = values[0].number;
  entry->op = (kecs_change_op)values[1].number;
  entry->stamp = values[2].number;
  entry->time_us = kecs_stamp_time(entry->stamp);
  kecs_status status = kecs__page_text(page, &values[3], &entry->actor);
  if (!status) {
    status = kecs__page_text(page, &values[4], &entry->reason);
  }
  if (!status && page->rows) {
    status = kecs__page_row(page, rid, entry->seq - 1, &entry->old_row);
  }
  if (!status && page->rows) {
    status = kecs__page_row(page, rid, entry->seq, &entry->row);
  }
  return status;
}

/* The entries of one row before `seq`, newest first, until the page is full and one more is seen. */
static kecs_status kecs__page_life(kecs__history_page *page, int64_t rid, int64_t seq) {
  kecs__session *session = page->asked->session;
  kecs__cached *cached = NULL;
  bool row = false;
  kecs_value parameters[] = {kecs__value_int((int64_t)page->asked->meta->info->kind),
                             kecs__value_int(rid),
                             kecs__value_int(seq),
                             kecs__value_int(page->from),
                             kecs__value_int(page->to),
                             kecs__value_int((int64_t)(page->limit - page->result->count) + 1)};
  kecs_status status = kecs__feed_statement(session,
                                            "SELECT seq,op,stamp,actor,reason FROM {history} WHERE {own}kind=?1 AND "
                                            "rid=?2 AND seq<?3 AND stamp>=?4 AND stamp<=?5 AND op<>0 ORDER BY seq DESC "
                                            "LIMIT ?6",
                                            &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, parameters, 6, &row);
  }
  while (!status && row && !page->more) {
    kecs_value values[5];
    kecs__statement_columns(session, cached, values, 5);
    page->more = page->result->count == page->limit;
    status = page->more ? KECS_OK : kecs__page_entry(page, rid, values);
    if (!status && !page->more) {
      status = kecs__statement_step(session, cached, &row);
    }
  }
  kecs__statement_done(session, cached);
  return status;
}

/* Whether a deleted row is one that was asked for, where the key alone does not say. */
static kecs_status kecs__page_is(kecs__history_page *page, int64_t rid, int64_t deleted, bool *out_is) {
  kecs__inquiry *asked = page->asked;
  *out_is = true;
  if (asked->live || asked->probe.check_count == 0) {
    return KECS_OK;
  }
  void *row = kecs__arena_take(&asked->arena, asked->meta->info->row_size);
  kecs_status status = KECS_E_NOMEM;
  if (row) {
    status = kecs__history_row(asked->session, asked->meta, rid, deleted - 1, &asked->arena, row, out_is);
  }
  *out_is = !status && *out_is && kecs__inquiry_passes(asked, row);
  return status;
}

/* One row after the other, from the newest. `seq`: the page before ended there. */
static kecs_status kecs__page_fill(kecs__history_page *page, int64_t seq, bool *out_known) {
  kecs__inquiry *asked = page->asked;
  kecs__deletion deleted = {INT64_MAX, 0};
  kecs_status status = asked->live ? kecs__page_life(page, asked->live, seq) : KECS_OK;
  *out_known = asked->live != 0;
  while (!status && !page->more) {
    bool is = false;
    status = kecs__inquiry_deleted_before(asked, deleted.seq, &deleted);
    if (status || deleted.rid == 0) {
      break;
    }
    status = kecs__page_is(page, deleted.rid, deleted.seq, &is);
    if (!status && is) {
      *out_known = true;
      status = kecs__page_life(page, deleted.rid, seq);
    }
  }
  return status;
}

static kecs_status kecs__page_run(kecs__history_page *page, const kecs_history_query *query) {
  kecs_result *result = page->result;
  uint64_t hash = kecs__hash(KECS__HASH_START, page->asked->key, strlen(page->asked->key));
  hash = kecs__hash(hash, &page->from, sizeof page->from);
  hash = kecs__hash(hash, &page->to, sizeof page->to);
  kecs_kind kind = page->asked->meta->info->kind;
  kecs_value after = kecs__value_int(INT64_MAX);
  bool known = false;
  kecs_status status = KECS_OK;
  if (query->page_token) {
    status = kecs__token_read(query->page_token, kind, hash, &page->asked->arena, &after, 1);
  }
  if (!status) {
    status = kecs__page_fill(page, after.number, &known);
  }
  if (!status && !known) {
    status = kecs__fail_probe(page->asked->meta, &page->asked->probe);
  }
  if (!status && page->more) {
    const kecs_history_entry *last = kecs_history_at(result, result->count - 1);
    after = kecs__value_int(last->seq);
    status = kecs__token_write(kind, hash, &after, 1, &result->arena, &result->page_token);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_history(kecs_store *store, kecs_kind kind, const char *key,
                                        const kecs_history_query *query, kecs_result **out_result) {
  static const kecs_history_query newest;
  kecs__inquiry asked;
  kecs__history_page page;
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  query = query ? query : &newest;
  memset(&page, 0, sizeof page);
  if (query->limit < 0 || query->limit > KECS__HISTORY_LIMIT_MAX) {
    return kecs__fail(KECS_E_INVALID, "query.limit is %d; give 1 to %d, or 0 for %d", query->limit,
                      KECS__HISTORY_LIMIT_MAX, KECS__HISTORY_LIMIT);
  }
  page.asked = &asked;
  page.rows = query->rows;
  page.limit = (size_t)(query->limit ? query->limit : KECS__HISTORY_LIMIT);
  page.from = kecs__moment_stamp(query->from_us, false);
  page.to = query->to_us ? kecs__moment_stamp(query->to_us, true) : INT64_MAX;
  status = kecs__inquiry_open(store, kind, key, &asked);
  if (!status) {
    status = kecs__result_new(&store->engine->allocator, (kecs_kind)0, sizeof(kecs_history_entry), &page.result);
  }
  if (!status) {
    page.result->shape = kecs__history_shape;
    status = kecs__page_run(&page, query);
  }
  status = kecs__inquiry_close(store, &asked, status);
  return kecs__result_end(status, page.result, out_result);
}

KECS_STORE_API const kecs_history_entry *kecs_history_at(const kecs_result *result, size_t index) {
  bool entries = result && result->shape == kecs__history_shape && index < result->count;
  return entries ? (const kecs_history_entry *)(const void *)result->rows + index : NULL;
}

#endif
