/* store/replica_walk.c -- what replication reads: which kinds take part, which rows are pending, and its tables. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <stdlib.h>
#include <string.h>

#define KECS__REPLICA_FIRST 256 /* entries that there is room for at first */

/* ---- which kinds ---- */

KECS__FN bool kecs__replica_can(const kecs__engine *engine, kecs_kind kind) {
  const kecs_kind_info *info = kecs__meta_of(engine, kind)->info;
  bool can = kecs__feed_stamped(info);
  for (int i = 0; can && i < info->reference_count; i++) {
    kecs_kind parent = info->references[i].parent;
    can = parent == kind || kecs__replica_can(engine, parent);
  }
  return can;
}

KECS_STORE_API uint64_t kecs_replica_kinds(kecs_store *store) {
  uint64_t kinds = 0;
  for (int kind = 1; store && kind < KECS_KIND_COUNT; kind++) {
    kinds |= kecs__replica_can(store->engine, (kecs_kind)kind) ? KECS_BIT(kind) : 0;
  }
  return kinds;
}

KECS_STORE_API uint64_t kecs_replica_append_kinds(kecs_store *store) {
  uint64_t kinds = 0;
  for (int kind = 1; store && kind < KECS_KIND_COUNT; kind++) {
    kinds |= kecs__feed_stamped(kecs_kind_describe((kecs_kind)kind)) ? 0 : KECS_BIT(kind);
  }
  return kinds;
}

/* ---- pending rows ---- */

typedef struct kecs__candidate {
  int64_t seq;
  int64_t rid;
  int kind;
  bool dead;
} kecs__candidate;

typedef struct kecs__roam {
  kecs__session *session;
  const kecs_replica *side;
  kecs_status (*visit)(const kecs_replica_row *row, void *user);
  void *user;
  kecs__candidate *list;
  size_t count;
  size_t room;
  kecs__arena texts;
} kecs__roam;

static kecs_status kecs__roam_add(kecs__roam *walk, const kecs_value *entry) {
  if (walk->count == walk->room) {
    const kecs_allocator *allocator = &walk->session->engine->allocator;
    size_t room = walk->room ? walk->room * 2 : KECS__REPLICA_FIRST;
    kecs__candidate *list = kecs__resize(allocator, walk->list, walk->room * sizeof *list, room * sizeof *list);
    if (!list) {
      return KECS_E_NOMEM;
    }
    walk->list = list;
    walk->room = room;
  }
  kecs__candidate candidate = {entry[0].number, entry[2].number, (int)entry[1].number,
                               entry[3].number == KECS__FEED_DELETED};
  if (candidate.kind > 0 && candidate.kind < KECS_KIND_COUNT && (walk->side->kinds & KECS_BIT(candidate.kind))) {
    walk->list[walk->count++] = candidate;
  }
  return KECS_OK;
}

/* What a statement finds: seq, kind, rid, op, stamp. */
static kecs_status kecs__roam_read(kecs__roam *walk, const char *sql, const kecs_value *values, int count,
                                   kecs_replica_end *out_end) {
  kecs__cached *cached = NULL;
  kecs_value entry[5];
  bool row = false;
  kecs_status status = kecs__feed_statement(walk->session, sql, &cached);
  status = status ? status : kecs__statement_start(walk->session, cached, values, count, &row);
  while (!status && row) {
    kecs__statement_columns(walk->session, cached, entry, 5);
    if (out_end) {
      out_end->seq = entry[0].number;
      out_end->stamp = entry[4].number;
      out_end->read++;
    }
    status = kecs__roam_add(walk, entry);
    status = status ? status : kecs__statement_step(walk->session, cached, &row);
  }
  kecs__statement_done(walk->session, cached);
  return status;
}

/* The entries above the mark, folded ones among them, in their order; then folds that stand later, but began before the
 * end: another entry, such as a merge's, has moved them there. Without them the end's stamp would be acknowledged, and
 * a change with an earlier one would never be pushed. */
static kecs_status kecs__roam_entries(kecs__roam *walk, int limit, const kecs_replica_end *upto,
                                      kecs_replica_end *out_end) {
  int64_t pushed = 0;
  kecs_status status = kecs__feed_state(walk->session, KECS__FEED_PUSHED, &pushed);
  pushed = walk->side->after > pushed ? walk->side->after : pushed;
  kecs_value values[] = {kecs__value_int(pushed), kecs__value_int(upto ? upto->seq : INT64_MAX),
                         kecs__value_int(upto ? -1 : limit)};
  status = status ? status
                  : kecs__roam_read(walk,
                                    "SELECT seq,kind,rid,op,stamp FROM {change_folds} WHERE {own}seq>?1 AND seq<=?2 "
                                    "UNION ALL SELECT seq,kind,rid,op,stamp FROM {changes} WHERE {own}seq>?1 AND "
                                    "seq<=?2 ORDER BY 1 LIMIT ?3",
                                    values, 3, out_end);
  const kecs_replica_end *end = upto ? upto : out_end;
  kecs_value after[] = {kecs__value_int(end->seq), kecs__value_int(end->stamp),
                        kecs__value_int((int64_t)KECS__FEED_DELETED)};
  return status || end->seq == 0
             ? status
             : kecs__roam_read(walk,
                               "SELECT seq,kind,rid,op,stamp FROM {change_folds} WHERE {own}seq>?1 AND oldest<=?2 AND "
                               "op<>?3",
                               after, 3, NULL);
}

/* Dead ones first, children before parents; then rows, parents before children. */
static int kecs__candidate_order(const void *left, const void *right) {
  const kecs__candidate *a = left;
  const kecs__candidate *b = right;
  if (a->dead != b->dead) {
    return a->dead ? -1 : 1;
  }
  if (a->kind != b->kind) {
    return (a->kind < b->kind) == a->dead ? 1 : -1;
  }
  if (!a->dead && a->rid != b->rid) {
    return a->rid < b->rid ? -1 : 1;
  }
  return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static kecs_status kecs__roam_dead(kecs__roam *walk, const kecs__candidate *candidate) {
  kecs_value value = kecs__value_int(candidate->seq);
  kecs_replica_row row;
  kecs__cached *cached = NULL;
  kecs_value read[3];
  bool found = false;
  memset(&row, 0, sizeof row);
  kecs_status status = kecs__feed_statement(
      walk->session, "SELECT key,stamp,site FROM {change_tombstones} WHERE {own}seq=?1 AND site IS NULL", &cached);
  status = status ? status : kecs__statement_start(walk->session, cached, &value, 1, &found);
  if (!status && found) {
    kecs__statement_columns(walk->session, cached, read, 3);
    row.kind = (kecs_kind)candidate->kind;
    row.dead = true;
    row.key = kecs__arena_text(&walk->texts, read[0].text, read[0].len);
    row.stamp[0] = read[1].number;
    row.site[0] = KECS_REPLICA_HERE;
    row.pending = 1U << KECS_REPLICA_LIFE;
    status = row.key ? KECS_OK : KECS_E_NOMEM;
  }
  kecs__statement_done(walk->session, cached);
  return status || !found ? status : walk->visit(&row, walk->user);
}

static kecs_status kecs__roam_bases(kecs__roam *walk, int64_t rid, kecs_replica_row *row) {
  const kecs_replica *side = walk->side;
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < side->policy_count; i++) {
    const kecs_replica_policy *policy = &side->policies[i];
    for (int at = KECS_REPLICA_SPEC; !status && at < KECS_REPLICA_STAMPS; at++) {
      if (policy->kind == row->kind && policy->rule == KECS_REPLICA_COMPARE && (policy->groups & 1U << at)) {
        int64_t seq = 0;
        status = kecs__state_base(walk->session, side, row->kind, rid, at, &row->base[at], &seq);
      }
    }
  }
  return status;
}

static kecs_status kecs__roam_row(kecs__roam *walk, int kind, int64_t rid, bool always) {
  const kecs__meta *meta = kecs__meta_of(walk->session->engine, (kecs_kind)kind);
  kecs__state state;
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  kecs_status status = kecs__state_read(walk->session, meta, rid, &walk->texts, &state);
  if (status || state.rid == 0) {
    return status;
  }
  row.kind = (kecs_kind)kind;
  row.pending = kecs__state_pending(walk->side, state.stamp, state.site);
  memcpy(row.stamp, state.stamp, sizeof row.stamp);
  memcpy(row.site, state.site, sizeof row.site);
  row.values = state.values;
  if (!row.pending && !always) {
    return KECS_OK;
  }
  status = kecs__roam_bases(walk, rid, &row);
  if (status) {
    return status;
  }
  char *struct_row = kecs__arena_take(&walk->texts, meta->info->row_size);
  if (!struct_row) {
    return KECS_E_NOMEM;
  }
  status = kecs__row_read(meta, state.values, &walk->texts, struct_row);
  row.key = status ? NULL : kecs__feed_key(meta, struct_row, &walk->texts);
  return status ? status : row.key ? walk->visit(&row, walk->user) : KECS_E_NOMEM;
}

static kecs_status kecs__roam_all(kecs__roam *walk) {
  kecs_status status = KECS_OK;
  if (walk->count > 0) {
    qsort(walk->list, walk->count, sizeof walk->list[0], kecs__candidate_order);
  }
  for (size_t i = 0; !status && i < walk->count; i++) {
    const kecs__candidate *at = &walk->list[i];
    bool again = i > 0 && !at->dead && !at[-1].dead && at[-1].kind == at->kind && at[-1].rid == at->rid;
    kecs__arena_reset(&walk->texts);
    if (at->dead) {
      status = kecs__roam_dead(walk, at);
    } else if (!again) {
      status = kecs__roam_row(walk, at->kind, at->rid, false);
    }
  }
  return status;
}

/* Runs `work` in a read of one moment. */
static kecs_status kecs__roam_run(kecs_store *store, kecs__roam *walk, kecs_status (*work)(kecs__roam *walk, void *job),
                                  void *job) {
  kecs_status status = kecs__read_open(store, &walk->session);
  bool begun = false;
  if (status) {
    return status;
  }
  kecs__arena_init(&walk->texts, &store->engine->allocator);
  if (store->depth == 0) {
    status = store->engine->backend->begin(walk->session->connection, false);
    begun = !status;
  }
  status = status ? status : work(walk, job);
  if (begun) {
    kecs__read_end(store->engine->backend, walk->session->connection, &status);
  }
  kecs__release(&store->engine->allocator, walk->list, walk->room * sizeof walk->list[0]);
  kecs__arena_free(&walk->texts);
  kecs__read_close(store, walk->session);
  return status;
}

typedef struct kecs__pending_job {
  int limit;
  const kecs_replica_end *upto;
  kecs_replica_end *end;
} kecs__pending_job;

static kecs_status kecs__pending_work(kecs__roam *walk, void *user) {
  const kecs__pending_job *job = user;
  kecs_status status = kecs__roam_entries(walk, job->limit, job->upto, job->end);
  return status ? status : kecs__roam_all(walk);
}

KECS_STORE_API kecs_status kecs_replica_pending(kecs_store *store, const kecs_replica *side, int limit,
                                                const kecs_replica_end *upto,
                                                kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                                void *user, kecs_replica_end *out_end) {
  kecs__roam walk = {NULL, side, visit, user, NULL, 0, 0, {NULL, NULL, false}};
  kecs__pending_job job = {limit, upto, out_end};
  kecs_status status = kecs__check_pointer(side, "side");
  status = status ? status : kecs__check_pointer(out_end, "out_end");
  if (status) {
    return status;
  }
  memset(out_end, 0, sizeof *out_end);
  return kecs__roam_run(store, &walk, kecs__pending_work, &job);
}

typedef struct kecs__find_job {
  const kecs__meta *meta;
  const char *key;
} kecs__find_job;

static kecs_status kecs__find_work(kecs__roam *walk, void *user) {
  const kecs__find_job *job = user;
  kecs_value key[KECS_KEY_COLUMNS_MAX];
  kecs__grave grave;
  int64_t rid = 0;
  kecs_status status = kecs__state_key(job->meta, job->key, &walk->texts, key);
  status = status ? status : kecs__state_rid(walk->session, job->meta, 0, key, job->meta->info->keys[0].count, &rid);
  if (status || rid) {
    return status ? status : kecs__roam_row(walk, (int)job->meta->info->kind, rid, true);
  }
  status = kecs__grave_read(walk->session, job->meta->info->kind, job->key, &grave);
  if (status || grave.seq == 0) {
    return status;
  }
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  row.kind = job->meta->info->kind;
  row.dead = true;
  row.key = job->key;
  row.stamp[0] = grave.stamp;
  row.site[0] = grave.site;
  return walk->visit(&row, walk->user);
}

KECS_STORE_API kecs_status kecs_replica_find(kecs_store *store, const kecs_replica *side, kecs_kind kind,
                                             const char *key,
                                             kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                             void *user) {
  kecs__roam walk = {NULL, side, visit, user, NULL, 0, 0, {NULL, NULL, false}};
  kecs__find_job job = {kecs__meta_checked(store, kind), key};
  if (!job.meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__check_pointer(side, "side");
  status = status ? status : kecs__check_pointer(key, "key");
  return status ? status : kecs__roam_run(store, &walk, kecs__find_work, &job);
}

/* ---- the tables of replication ---- */

typedef struct kecs__side_query {
  const char *sql;
  const kecs_value *parameters;
  int count;
  int columns;
  kecs_status (*visit)(const kecs_value *values, void *user);
  void *user;
} kecs__side_query;

static kecs_status kecs__side_query_run(kecs__session *session, const kecs__side_query *query) {
  kecs__cached *cached = NULL;
  kecs_value values[16];
  bool row = false;
  kecs_status status = kecs__feed_statement(session, query->sql, &cached);
  status = status ? status : kecs__statement_start(session, cached, query->parameters, query->count, &row);
  while (!status && row) {
    if (query->visit) {
      kecs__statement_columns(session, cached, values, query->columns);
      status = query->visit(values, query->user);
    }
    status = status ? status : kecs__statement_step(session, cached, &row);
  }
  kecs__statement_done(session, cached);
  return status;
}

static kecs_status kecs__side_query_work(kecs__write *write, void *user) {
  return kecs__side_query_run(write->session, user);
}

KECS_STORE_API kecs_status kecs_replica_sql(kecs_store *store, const char *sql, const kecs_value *parameters, int count,
                                            int columns, kecs_status (*visit)(const kecs_value *values, void *user),
                                            void *user) {
  kecs__side_query query = {sql, parameters, count, columns, visit, user};
  kecs__session *session = NULL;
  kecs_status status = kecs__check_pointer(sql, "sql");
  if (status || columns > 16) {
    return status ? status : kecs__fail(KECS_E_INVALID, "columns: at most 16 are read");
  }
  if (strncmp(sql, "SELECT", 6) != 0) {
    return kecs__with_write(store, kecs__side_query_work, &query);
  }
  status = kecs__read_open(store, &session);
  status = status ? status : kecs__side_query_run(session, &query);
  kecs__read_close(store, session);
  return status;
}
