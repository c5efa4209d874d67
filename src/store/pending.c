/* store/pending.c -- rows with changes that are still to be pushed, each once.
 *
 * Folds come first, then the log's entries above the push mark, both joined with the rows by rid: an integer join in
 * the order of the log. An entry is a row's latest when its stamp is the highest in the row, or when it deletes it.
 * Earlier ones are laid aside by rid until the latest comes, since groups, bases and the oldest stamp are theirs to
 * tell: the memory that this takes grows with the rows that have several entries, not with the log. */
#include "base/prologue.h"

#include "store/changes.h"
#include "store/feed.h"
#include "store/write.h"

#include <string.h>

enum {
  KECS__PENDING_COLUMNS = 9,
  KECS__PENDING_SLOTS = 256,
  KECS__PENDING_SQL = 16384,
  KECS__PENDING_PAGE = 1000, /* entries, where all rows of a result are in memory at once */
  KECS__PENDING_TRIES = 50   /* for a moment at which all that is committed is numbered */
};

/* What the entries of a row have in common. rid 0: a free slot. */
typedef struct kecs__aside {
  int64_t rid;
  uint64_t groups;
  int64_t op;
  int64_t oldest;
  int64_t base[KECS__STAMPS];
} kecs__aside;

typedef struct kecs__pend {
  const kecs__meta *meta;
  kecs__session *session;
  kecs_allocator *allocator;
  kecs__aside *slots; /* open addressing */
  size_t slot_count;  /* a power of two */
  size_t used;
  int64_t pushed;
  int64_t read_seq; /* of the last entry that was read */
  int read;         /* entries of this page */
  int64_t count;
  int limit;
  void *row;
  kecs__arena texts;
  kecs_status (*visit)(const kecs_pending *pending, void *user);
  void *user;
} kecs__pend;

/* ---- what is laid aside ---- */

static kecs__aside *kecs__aside_slot(kecs__aside *slots, size_t count, int64_t rid) {
  size_t at = (size_t)(((uint64_t)rid * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (count - 1);
  while (slots[at].rid != 0 && slots[at].rid != rid) {
    at = (at + 1) & (count - 1);
  }
  return &slots[at];
}

static kecs_status kecs__aside_grow(kecs__pend *pend) {
  size_t count = pend->slot_count ? pend->slot_count * 2 : KECS__PENDING_SLOTS;
  kecs__aside *slots = kecs__alloc_zero(pend->allocator, count * sizeof *slots);
  if (!slots) {
    return KECS_E_NOMEM;
  }
  for (size_t i = 0; i < pend->slot_count; i++) {
    if (pend->slots[i].rid != 0) {
      *kecs__aside_slot(slots, count, pend->slots[i].rid) = pend->slots[i];
    }
  }
  kecs__release(pend->allocator, pend->slots, pend->slot_count * sizeof *pend->slots);
  pend->slots = slots;
  pend->slot_count = count;
  return KECS_OK;
}

/* Joins an earlier entry and a later one. */
static void kecs__aside_join(kecs__aside *all, const kecs__aside *later) {
  static const uint64_t groups[KECS__STAMPS] = {0, KECS_BIT(KECS_GROUP_SPEC), KECS_BIT(KECS_GROUP_STATUS)};
  for (int i = 0; i < KECS__STAMPS; i++) {
    if (i > 0 && !(all->groups & groups[i])) {
      all->base[i] = later->base[i];
    }
  }
  all->groups |= later->groups;
  all->op = all->op == KECS__FEED_CREATED && later->op == KECS__FEED_UPDATED ? all->op : later->op;
}

/* Adds an entry to what is known of its row. *out_all is the sum. */
static kecs_status kecs__aside_add(kecs__pend *pend, const kecs__aside *entry, bool last, kecs__aside *out_all) {
  *out_all = *entry;
  if (last && pend->used == 0) {
    return KECS_OK;
  }
  if ((pend->used + 1) * 2 > pend->slot_count) {
    kecs_status status = kecs__aside_grow(pend);
    if (status) {
      return status;
    }
  }
  kecs__aside *slot = kecs__aside_slot(pend->slots, pend->slot_count, entry->rid);
  if (slot->rid != 0) {
    kecs__aside_join(slot, entry);
    *out_all = *slot;
  } else if (!last) {
    *slot = *entry;
    pend->used++;
  }
  return KECS_OK;
}

/* ---- rows ---- */

static kecs_status kecs__pend_tell(kecs__pend *pend, const kecs_value *values, const kecs__aside *all) {
  kecs_pending pending;
  memset(&pending, 0, sizeof pending);
  pending.kind = pend->meta->info->kind;
  pending.op = (kecs_change_op)all->op;
  pending.groups = (unsigned)all->groups;
  pending.seq = values[0].number;
  pending.stamp = values[4].number;
  pending.oldest_stamp = all->oldest;
  pending.base_life = all->base[KECS__STAMP_LIFE];
  pending.base_spec = all->base[KECS__STAMP_SPEC];
  pending.base_status = all->base[KECS__STAMP_STATUS];
  kecs_status status = KECS_OK;
  kecs__arena_reset(&pend->texts);
  if (pending.op == KECS_CHANGE_DELETED) {
    kecs_value key = values[KECS__PENDING_COLUMNS];
    pending.key = key.text ? kecs__arena_text(&pend->texts, key.text, key.len) : NULL;
    status = pending.key
                 ? KECS_OK
                 : kecs__fail(KECS_E_CORRUPT, "entry %lld of the change log has no tombstone", (long long)pending.seq);
  } else {
    kecs_value row[64];
    const kecs_value *columns = values + KECS__PENDING_COLUMNS + 2;
    memcpy(row, columns, (size_t)pend->meta->info->column_count * sizeof row[0]);
    status = kecs__row_read(pend->meta, row, &pend->texts, pend->row);
    pending.row = pend->row;
  }
  pend->count++;
  return status ? status : pend->visit(&pending, pend->user);
}

static kecs_status kecs__pend_entry(kecs__pend *pend, kecs__cached *cached) {
  kecs_value values[KECS__PENDING_COLUMNS + 2 + 64];
  kecs__aside all;
  memset(values, 0, sizeof values);
  kecs__statement_columns(pend->session, cached, values, KECS__PENDING_COLUMNS + 2 + pend->meta->info->column_count);
  kecs__aside entry = {values[1].number, (uint64_t)values[2].number, values[3].number, values[5].number, {0}};
  for (int i = 0; i < KECS__STAMPS; i++) {
    entry.base[i] = values[6 + i].type == KECS_VALUE_NULL ? 0 : values[6 + i].number;
  }
  /* The column after the key: the row's highest stamp, NULL when the row is gone. */
  kecs_value highest = values[KECS__PENDING_COLUMNS + 1];
  bool there = highest.type != KECS_VALUE_NULL;
  pend->read_seq = values[0].number;
  pend->read++;
  bool last = entry.op == KECS__FEED_DELETED || (there && highest.number <= values[4].number);
  kecs_status status = kecs__aside_add(pend, &entry, last, &all);
  return status || !last ? status : kecs__pend_tell(pend, values, &all);
}

/* "SELECT c.seq,...,x.key,<highest stamp>,t.a,t.b... FROM {changes c} LEFT JOIN ..." */
static void kecs__pend_sql(kecs__text *sql, const kecs__meta *meta, const char *table, const char *oldest) {
  static const char *const groups[] = {"life", "spec", "status"};
  static const kecs_column_group columns[] = {KECS_GROUP_KEY, KECS_GROUP_SPEC, KECS_GROUP_STATUS};
  const kecs_kind_info *info = meta->info;
  kecs__text_addf(sql,
                  "SELECT c.seq,c.rid,c.groups,c.op,c.stamp,c.%s,c.base_life,c.base_spec,c.base_status,"
                  "CASE WHEN c.op=3 THEN (SELECT x.key FROM {change_tombstones x} WHERE {own x}x.seq=c.seq) END,"
                  "CASE WHEN t.rid IS NOT NULL THEN {highest}(0",
                  oldest);
  for (int i = 0; kecs__feed_stamped(info) && i < KECS__STAMPS; i++) {
    if (kecs__feed_has_group(info, columns[i])) {
      kecs__text_addf(sql, ",coalesce(t.stamp_%s,0)", groups[i]);
    }
  }
  kecs__text_adds(sql, ",0) END");
  for (int i = 0; i < info->column_count; i++) {
    kecs__text_addf(sql, ",t.%s", info->columns[i].name);
  }
  kecs__text_addf(sql,
                  " FROM {%s c} LEFT JOIN {%s t} ON {own t}t.rid=c.rid WHERE {own c}c.seq>?1 AND c.kind=%d AND "
                  "(c.op<>2 OR c.groups&6<>0) ORDER BY c.seq LIMIT ?2",
                  table, info->table, (int)info->kind);
}

static bool kecs__pend_goes_on(const kecs__pend *pend) {
  return pend->limit <= 0 || pend->count < pend->limit;
}

/* Some entries of a table, or all of them. */
static kecs_status kecs__pend_page(kecs__pend *pend, const char *table, const char *oldest, int64_t most) {
  kecs__text sql;
  kecs__cached *cached = NULL;
  bool row = false;
  kecs_value values[] = {kecs__value_int(pend->read_seq), kecs__value_int(most)};
  pend->read = 0;
  kecs__text_init(&sql, pend->allocator, KECS__PENDING_SQL);
  kecs__pend_sql(&sql, pend->meta, table, oldest);
  kecs_status status = sql.status;
  if (!status) {
    status = kecs__feed_statement(pend->session, sql.data, &cached);
  }
  kecs__text_free(&sql);
  if (!status) {
    status = kecs__statement_start(pend->session, cached, values, 2, &row);
  }
  while (!status && row && kecs__pend_goes_on(pend)) {
    status = kecs__pend_entry(pend, cached);
    if (!status) {
      status = kecs__statement_step(pend->session, cached, &row);
    }
  }
  kecs__statement_done(pend->session, cached);
  return status;
}

static kecs_status kecs__pend_walk(kecs__pend *pend, const char *table, const char *oldest) {
  int64_t most = pend->session->engine->dialect->whole_results ? KECS__PENDING_PAGE : INT64_MAX;
  kecs_status status = KECS_OK;
  pend->read_seq = pend->pushed;
  do {
    status = kecs__pend_page(pend, table, oldest, most);
  } while (!status && pend->read == most && kecs__pend_goes_on(pend));
  return status;
}

static kecs_status kecs__pend_all(kecs__pend *pend) {
  kecs__feed_end end;
  kecs_status status = kecs__feed_read_end(pend->session, &end);
  if (!status) {
    status = kecs__feed_check(pend->session->engine, &end);
  }
  if (!status) {
    status = kecs__feed_state(pend->session, KECS__FEED_PUSHED, &pend->pushed);
  }
  if (!status) {
    status = kecs__pend_walk(pend, "change_folds", "oldest");
  }
  return status ? status : kecs__pend_walk(pend, "changes", "stamp");
}

/* A read of one moment. Where entries are numbered after their commit, it is one at which none waits for its number: a
 * row that shows a change without its entry could not be told apart from one whose latest entry was read. */
static kecs_status kecs__pend_begin(kecs__pend *pend, kecs_store *store, bool *out_begun) {
  const kecs_backend *backend = store->engine->backend;
  int64_t waiting = 1;
  kecs_status status = KECS_OK;
  for (int i = 0; !status && waiting && i < KECS__PENDING_TRIES; i++) {
    if (pend->session) {
      backend->rollback(pend->session->connection);
      kecs__read_close(store, pend->session);
      pend->session = NULL;
      *out_begun = false;
    }
    status = kecs__feed_number_new(store);
    status = status ? status : kecs__read_open(store, &pend->session);
    if (!status && store->depth == 0) {
      status = backend->begin(pend->session->connection, false);
      *out_begun = !status;
    }
    waiting = 0;
    if (!status && backend->log && store->depth == 0) {
      status = kecs__feed_number(pend->session,
                                 "SELECT 1 FROM {change_heads h} WHERE {own h}h.tracked AND EXISTS(SELECT 1 FROM "
                                 "{change_queue q} WHERE {own q}true)",
                                 NULL, 0, &waiting);
    }
  }
  return status || !waiting
             ? status
             : kecs__fail(KECS_E_BUSY, "others write so much just now that their changes could not be numbered; try "
                                       "again");
}

KECS_STORE_API kecs_status kecs_changes_pending(kecs_store *store, kecs_kind kind, int limit,
                                                kecs_status (*visit)(const kecs_pending *pending, void *user),
                                                void *user) {
  kecs__pend pend;
  memset(&pend, 0, sizeof pend);
  pend.meta = kecs__meta_checked(store, kind);
  if (!pend.meta) {
    return kecs_last_error()->status;
  }
  if (!visit) {
    return kecs__check_pointer(NULL, "visit");
  }
  pend.allocator = &store->engine->allocator;
  pend.limit = limit;
  pend.visit = visit;
  pend.user = user;
  kecs__arena_init(&pend.texts, pend.allocator);
  pend.row = kecs__alloc(pend.allocator, pend.meta->info->row_size);
  bool begun = false;
  kecs_status status = pend.row ? kecs__pend_begin(&pend, store, &begun) : KECS_E_NOMEM;
  if (!status) {
    status = kecs__pend_all(&pend);
  }
  if (begun) {
    kecs__read_end(store->engine->backend, pend.session->connection, &status);
  }
  kecs__read_close(store, pend.session);
  kecs__release(pend.allocator, pend.slots, pend.slot_count * sizeof *pend.slots);
  kecs__release(pend.allocator, pend.row, pend.meta->info->row_size);
  kecs__arena_free(&pend.texts);
  return status;
}
