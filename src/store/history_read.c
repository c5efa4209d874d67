/* store/history_read.c -- a row as it was, put together from what was kept of it as history_log.h says. */
#include "base/prologue.h"

#include "store/history_log.h"

#include "base/json.h"
#include "store/document.h"
#include "store/feed.h"
#include "store/write.h"

#include <string.h>

#if !defined(KECS_STORE_NO_HISTORY)

/* ---- whether it is kept ---- */

KECS__FN kecs_status kecs__history_kinds(kecs__session *session, uint64_t *out_kinds) {
  int64_t kinds = 0;
  kecs_status status =
      kecs__feed_can(session->engine) ? kecs__feed_state(session, KECS__FEED_HISTORY, &kinds) : KECS_OK;
  *out_kinds = (uint64_t)kinds;
  return status;
}

KECS__FN kecs_status kecs__history_check(kecs__session *session, uint64_t kinds) {
  uint64_t kept = 0;
  kecs_status status = kecs__history_kinds(session, &kept);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (kinds & ~kept & KECS_BIT(kind)) {
      const kecs__engine *engine = session->engine;
      const char *name = kecs_kind_describe((kecs_kind)kind)->name;
      return kecs__feed_can(engine)
                 ? kecs__fail(KECS_E_UNSUPPORTED, "%s keeps no history of the kind %s; open it once with "
                                                  "options.history",
                              engine->place.shown, name)
                 : kecs__fail(KECS_E_UNSUPPORTED, "%s: the %s backend keeps no history", engine->place.shown,
                              engine->backend->name);
    }
  }
  return status;
}

KECS__FN kecs_status kecs__fail_before_history(int64_t floor) {
  (void)kecs__fail(KECS_E_COMPACTED,
                   "the history begins after %lld; what was before is not kept, see rows_max and age_us of "
                   "options.history",
                   (long long)floor);
  kecs_error error = kecs__error_save();
  error.floor = floor;
  return kecs__error_restore(&error);
}

KECS__FN kecs_status kecs__history_check_floor(kecs__session *session, uint64_t kinds, int64_t seq) {
  int64_t floor = 0;
  kecs_status status = kecs__feed_state(session, KECS__FEED_HISTORY_FLOOR, &floor);
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    int64_t since = 0;
    if (kinds & KECS_BIT(kind)) {
      status = kecs__feed_state(session, KECS__FEED_HISTORY_SINCE + kind, &since);
      floor = since > floor ? since : floor;
    }
  }
  return status || seq >= floor ? status : kecs__fail_before_history(floor);
}

/* ---- one row ---- */

static int kecs__history_column(const kecs_kind_info *info, kecs__json name) {
  for (int i = 0; i < info->column_count; i++) {
    if (kecs__json_equals(name, info->columns[i].name)) {
      return i;
    }
  }
  return -1;
}

static kecs_status kecs__history_damaged(const kecs__meta *meta, int64_t rid) {
  return kecs__fail(KECS_E_CORRUPT, "the history of %s number %lld is damaged; switch the history off and on again",
                    meta->info->name, (long long)rid);
}

/* Sets the columns that `old` mentions and that are not known yet. */
static kecs_status kecs__history_apply(const kecs__meta *meta, const kecs_value *old, uint64_t *known,
                                       kecs__arena *arena, void *row) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  kecs__json all = {KECS__JSON_NONE, NULL, 0};
  if (old->type == KECS_VALUE_TEXT && old->text) {
    all = kecs__json_check(old->text, old->len, NULL);
  }
  if (all.type != KECS__JSON_OBJECT) {
    return KECS_E_CORRUPT;
  }
  while (kecs__json_next_member(all, &walk, &name, &value)) {
    int column = kecs__history_column(meta->info, name);
    kecs_value set = {KECS_VALUE_NULL, 0, NULL, 0};
    if (column < 0 || (*known & KECS_BIT(column))) {
      continue; /* of a later schema; or a later change has said it already */
    }
    if (value.type == KECS__JSON_STRING) {
      size_t len = 0;
      const char *text = kecs__json_string(value, arena, &len);
      if (!text) {
        return kecs_last_error()->status == KECS_E_NOMEM ? KECS_E_NOMEM : KECS_E_CORRUPT;
      }
      set = kecs__value_bytes(text, len);
    } else if (value.type == KECS__JSON_NUMBER && kecs__json_int64(value, &set.number)) {
      set.type = KECS_VALUE_INT;
    } else if (value.type != KECS__JSON_NULL) {
      return KECS_E_CORRUPT;
    }
    kecs_column_type type = meta->info->columns[column].type;
    bool text = type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON;
    if (set.type != KECS_VALUE_NULL && text != (set.type == KECS_VALUE_TEXT)) {
      return KECS_E_CORRUPT;
    }
    kecs__row_set(meta->info, row, column, &set);
    *known |= KECS_BIT(column);
  }
  return KECS_OK;
}

/* What a whole row says nothing of is NULL, or came with a later schema. */
static void kecs__history_rest(const kecs__meta *meta, uint64_t known, void *row) {
  for (int i = 0; i < meta->info->column_count; i++) {
    const kecs_column_info *column = &meta->info->columns[i];
    if (!(known & KECS_BIT(i))) {
      kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
      value = column->flags & KECS_COLUMN_NOT_NULL ? kecs__column_default(column) : value;
      kecs__row_set(meta->info, row, i, &value);
    }
  }
}

static void kecs__history_fill(const kecs_kind_info *info, const void *from, uint64_t known, void *row) {
  for (int i = 0; i < info->column_count; i++) {
    if (!(known & KECS_BIT(i))) {
      kecs_value value = kecs__row_value(info, from, i);
      kecs__row_set(info, row, i, &value);
    }
  }
}

/* How far the entries after a sequence have told what a row was. */
typedef struct kecs__rebuild {
  uint64_t known;
  bool done; /* an entry has told all of it */
  bool there;
} kecs__rebuild;

static kecs_status kecs__history_entry_apply(const kecs__meta *meta, const kecs_value *entry, kecs__rebuild *rebuild,
                                             kecs__arena *arena, void *row) {
  int64_t op = entry[1].number;
  if (op == KECS__HISTORY_CUT) {
    return kecs__fail_before_history(entry[0].number);
  }
  rebuild->done = op == KECS__FEED_CREATED || entry[2].number != 0;
  rebuild->there = op != KECS__FEED_CREATED;
  kecs_status status =
      op == KECS__FEED_CREATED ? KECS_OK : kecs__history_apply(meta, &entry[3], &rebuild->known, arena, row);
  if (!status && rebuild->done) {
    kecs__history_rest(meta, rebuild->known, row);
  }
  return status;
}

/* The row that is there now. */
typedef struct kecs__present_row {
  void *row; /* NULL: it has not been read */
  bool there;
} kecs__present_row;

static kecs_status kecs__history_now(kecs__session *session, const kecs__meta *meta, int64_t rid, kecs__arena *arena,
                                     kecs__present_row *now) {
  if (now->row) {
    return KECS_OK;
  }
  now->row = kecs__arena_take(arena, meta->info->row_size);
  return now->row ? kecs__row_by_rid(session, meta, rid, arena, now->row, &now->there) : KECS_E_NOMEM;
}

KECS__FN kecs_status kecs__history_row(kecs__session *session, const kecs__meta *meta, int64_t rid, int64_t seq,
                                       kecs__arena *arena, void *row, bool *out_there) {
  kecs__cached *cached = NULL;
  bool more = false;
  kecs__rebuild rebuild = {0, false, false};
  kecs__present_row now = {NULL, false};
  kecs_value parameters[] = {kecs__value_int((int64_t)meta->info->kind), kecs__value_int(rid), kecs__value_int(seq)};
  kecs_status status = KECS_OK;
  memset(row, 0, meta->info->row_size);
  /* In a transaction whose statements do not all see one moment the row comes first: what is committed in between is
   * then taken back by its entry. */
  if (session->engine->backend->log && session->user && session->user->depth > 0) {
    status = kecs__history_now(session, meta, rid, arena, &now);
  }
  if (!status) {
    status = kecs__feed_statement(
        session, KECS__HISTORY_SQL(session, "SELECT seq,op,whole,old", , "kind=?1 AND rid=?2 AND seq>?3 ORDER BY seq"),
        &cached);
  }
  if (!status) {
    status = kecs__statement_start(session, cached, parameters, 3, &more);
  }
  while (!status && more && !rebuild.done) {
    kecs_value entry[4];
    kecs__statement_columns(session, cached, entry, 4);
    status = kecs__history_entry_apply(meta, entry, &rebuild, arena, row);
    if (!status && !rebuild.done) {
      status = kecs__statement_step(session, cached, &more);
    }
  }
  kecs__statement_done(session, cached);
  if (!status && !rebuild.done) {
    status = kecs__history_now(session, meta, rid, arena, &now);
    rebuild.there = now.there;
    if (!status && rebuild.there) {
      kecs__history_fill(meta->info, now.row, rebuild.known, row);
    }
  }
  *out_there = rebuild.there;
  return status == KECS_E_CORRUPT ? kecs__history_damaged(meta, rid) : status;
}

#endif
