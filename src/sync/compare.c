/* sync/compare.c -- what this file has in differing buckets against what the hub has of it: what the hub lacks is sent
 * again, what it has deleted and forgotten goes here, too.
 *
 * What the hub lacks, and has no tombstone of, it never had, or had and collected. The version vector tells: all stamps
 * of a site up to `acked` are there, or were. A life above that of its site never arrived, so it is sent, with its own
 * stamps and sites, whoever wrote it. The hub's own stamps have no such bound; where it went back in its history, what
 * this file has of them is sent: where nobody can know, a row too many is better than one too few. */
#include "pg/prologue.h"

#include "sync/pull.h"
#include "sync/push.h"
#include "sync/reconcile.h"

#include <stdio.h>
#include <string.h>

/* Columns of sync_compare_TABLE. */
enum {
  KECS_SYNC__HERE,
  KECS_SYNC__STAMPS, /* three, each with its site */
  KECS_SYNC__GRAVE = KECS_SYNC__STAMPS + 2 * KECS_REPLICA_STAMPS,
  KECS_SYNC__GRAVE_SITE,
  KECS_SYNC__BROUGHT
};

/* What is to be done with a state. */
typedef enum kecs_sync__verdict { KECS_SYNC__LEAVE, KECS_SYNC__RESEND, KECS_SYNC__DROP } kecs_sync__verdict;

/* A row or tombstone of this file. */
typedef struct kecs_sync__state {
  kecs_replica_row row; /* its key is `key` */
  char *key;
  kecs_sync__verdict verdict;
  struct kecs_sync__state *next;
} kecs_sync__state;

typedef struct kecs_sync__comparison {
  kecs_sync *sync;
  kecs_sync__buckets buckets; /* of the rows' kind */
  kecs_sync__state *first;
  kecs_sync__state **end;
  kecs_sync__load load; /* the keys, by kind, where a push has its tombstones */
  kecs_sync__exchange exchange;
  int item[KECS_KIND_COUNT];
  char site[24];
  int64_t stage; /* where the repair is after this page */
  int64_t kind;
  int64_t rid;
  int64_t forgotten;
  int64_t conflicts;
} kecs_sync__comparison;

/* ---- collecting ---- */

static kecs_status kecs_sync__local_add(kecs_sync__comparison *comparison, const kecs_replica_row *row) {
  kecs_sync *sync = comparison->sync;
  kecs_sync__state *local = kecs_pg__alloc(&sync->allocator, sizeof *local);
  if (!local) {
    return KECS_E_NOMEM;
  }
  local->row = *row;
  local->key = kecs_pg__copy(&sync->allocator, row->key, strlen(row->key));
  local->row.key = local->key;
  *comparison->end = local;
  comparison->end = &local->next;
  if (!local->key) {
    return KECS_E_NOMEM;
  }
  kecs_sync__arrays *keys = kecs_sync__arrays_of(sync, &comparison->load.bury[row->kind]);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  if (!keys) {
    return KECS_E_NOMEM;
  }
  kecs_sync__array_add(&keys->array[0], row->key);
  kecs_sync__array_int(&keys->array[1], row->site[0] == KECS_REPLICA_HERE ? sync->notes.site : row->site[0]);
  kecs_sync__load_key(keys, info, row->key);
  keys->count = KECS_SYNC__BURY_FIXED + info->keys[0].count;
  keys->rows++;
  return KECS_OK;
}

static kecs_status kecs_sync__local_row(const kecs_replica_row *row, void *user) {
  kecs_sync__comparison *comparison = user;
  return comparison->buckets.in[kecs_sync__bucket(row->key)] ? kecs_sync__local_add(comparison, row) : KECS_OK;
}

/* What is pending goes with the next push anyway. */
static kecs_status kecs_sync__local_grave(const kecs_replica_row *row, void *user) {
  return row->pending ? KECS_OK : kecs_sync__local_add(user, row);
}

/* ---- asking ---- */

static void kecs_sync__ask_kind(kecs_sync__comparison *comparison, int kind) {
  kecs_sync__exchange *exchange = &comparison->exchange;
  kecs_sync__arrays *keys = comparison->load.bury[kind];
  keys->values[0] = comparison->site;
  for (int i = 0; i < keys->count; i++) {
    kecs_sync__array_end(&keys->array[i]);
    exchange->status = exchange->status ? exchange->status : keys->array[i].status;
    keys->values[i + 1] = keys->array[i].data;
  }
  comparison->item[kind] = kecs_sync__add_read(exchange, "compare_{t}", kecs_kind_describe((kecs_kind)kind)->table,
                                               keys->values, keys->count + 1);
}

static kecs_status kecs_sync__ask(kecs_sync__comparison *comparison) {
  snprintf(comparison->site, sizeof comparison->site, "%lld", (long long)comparison->sync->notes.site);
  kecs_sync__begin(&comparison->exchange, comparison->sync, false);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (comparison->load.bury[kind]) {
      kecs_sync__ask_kind(comparison, kind);
    }
  }
  return kecs_sync__send(&comparison->exchange, "compare");
}

/* ---- judging ---- */

static int64_t kecs_sync__at(const kecs_sync *sync, int64_t site) {
  return site == KECS_REPLICA_HERE ? sync->notes.site : site;
}

static bool kecs_sync__later(const kecs_sync *sync, int64_t stamp, int64_t site, int64_t other, int64_t other_site) {
  return stamp > other || (stamp == other && kecs_sync__at(sync, site) > other_site);
}

/* Whether the hub had the life. Where it went back, but has collected nothing that this edge has not read, a tombstone
 * would say so: without one it never had it, whatever its sites have brought since. */
static bool kecs_sync__had(const kecs_sync *sync, const kecs_replica_row *row, int64_t brought) {
  bool went_back = sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST);
  bool away = sync->notes.repair_cause & KECS_SYNC_AWAY;
  return (away || !went_back) && (row->site[0] == 0 ? !went_back : row->stamp[0] <= brought);
}

/* A row of one key on both sides: something of it is later here, and no push is to bring it anyway. */
static kecs_sync__verdict kecs_sync__judge_both(const kecs_sync *sync, const kecs_replica_row *row,
                                                const PGresult *theirs, int line) {
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    int64_t stamp = kecs_sync__number(theirs, line, KECS_SYNC__STAMPS + 2 * i);
    int64_t site = kecs_sync__number(theirs, line, KECS_SYNC__STAMPS + 2 * i + 1);
    bool later = kecs_sync__later(sync, row->stamp[i], row->site[i], stamp, site);
    bool same = !later && !kecs_sync__later(sync, stamp, site, row->stamp[i], kecs_sync__at(sync, row->site[i]));
    if (later && !(row->pending & 1U << i)) {
      return KECS_SYNC__RESEND;
    }
    if (i == KECS_REPLICA_LIFE && (later || row->dead || !same)) {
      return KECS_SYNC__LEAVE; /* another life: its groups are no matter */
    }
  }
  return KECS_SYNC__LEAVE;
}

static kecs_sync__verdict kecs_sync__judge(const kecs_sync *sync, const kecs_replica_row *row, const PGresult *theirs,
                                           int line) {
  int64_t grave = kecs_sync__number(theirs, line, KECS_SYNC__GRAVE);
  int64_t grave_site = kecs_sync__number(theirs, line, KECS_SYNC__GRAVE_SITE);
  bool copied = sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST | KECS_SYNC_COPIED);
  if (kecs_sync__text(theirs, line, KECS_SYNC__HERE)[0] == 't') {
    return kecs_sync__judge_both(sync, row, theirs, line);
  }
  if (!kecs_sync__later(sync, row->stamp[0], row->site[0], grave, grave_site) ||
      (row->pending & 1U << KECS_REPLICA_LIFE)) {
    return KECS_SYNC__LEAVE; /* the tombstone was merged, or comes by the feed; or the next push brings the life */
  }
  if (!kecs_sync__had(sync, row, kecs_sync__number(theirs, line, KECS_SYNC__BROUGHT))) {
    return KECS_SYNC__RESEND;
  }
  return row->dead ? KECS_SYNC__LEAVE : copied && row->pending ? KECS_SYNC__RESEND : KECS_SYNC__DROP;
}

static kecs_status kecs_sync__judge_all(kecs_sync__comparison *comparison) {
  int line[KECS_KIND_COUNT] = {0};
  for (kecs_sync__state *local = comparison->first; local; local = local->next) {
    const PGresult *theirs = comparison->exchange.item[comparison->item[local->row.kind]].result;
    if (line[local->row.kind] >= PQntuples(theirs)) {
      return kecs_pg__fail(KECS_E_CORRUPT, "%s: sync_compare has answered for fewer keys than it was asked for",
                           comparison->sync->place.shown);
    }
    local->verdict = kecs_sync__judge(comparison->sync, &local->row, theirs, line[local->row.kind]++);
  }
  return KECS_OK;
}

/* ---- doing ---- */

static kecs_status kecs_sync__found_visit(const kecs_value *values, void *user) {
  *(bool *)user = values[0].number != 0;
  return KECS_OK;
}

/* The hub has deleted it, and no longer knows when: at the earliest right after it was created. What is refused, or to
 * be sent again, the hub never had. */
static kecs_status kecs_sync__drop(kecs_sync__comparison *comparison, kecs_store *tx, const kecs_replica_row *row) {
  kecs_replica side = kecs_sync__side(comparison->sync);
  kecs_value values[] = {kecs_sync__value_int((int64_t)row->kind), kecs_sync__value_text(row->key)};
  kecs_replica_merged merged = {KECS_REPLICA_SAME, 0};
  kecs_replica_row dead;
  bool waits = false;
  kecs_status status = kecs_replica_sql(tx,
                                        "SELECT 1 FROM {sync_refused} WHERE {own}kind=?1 AND key=?2 UNION ALL SELECT 1 "
                                        "FROM {sync_repush} WHERE {own}kind=?1 AND key=?2",
                                        values, 2, 1, kecs_sync__found_visit, &waits);
  memset(&dead, 0, sizeof dead);
  dead.kind = row->kind;
  dead.dead = true;
  dead.key = row->key;
  dead.stamp[0] = row->stamp[0] + 1;
  status = status || waits ? status : kecs_replica_merge(tx, &side, &dead, &merged);
  comparison->forgotten += merged.outcome == KECS_REPLICA_TAKEN;
  comparison->conflicts += merged.conflicts;
  return status;
}

static kecs_status kecs_sync__judged_work(kecs_store *tx, void *user) {
  kecs_sync__comparison *comparison = user;
  kecs_status status = kecs_sync__repair_note(tx, comparison->stage, comparison->kind, comparison->rid);
  comparison->forgotten = 0;
  comparison->conflicts = 0;
  for (const kecs_sync__state *local = comparison->first; !status && local; local = local->next) {
    kecs_value values[] = {kecs_sync__value_int((int64_t)local->row.kind), kecs_sync__value_text(local->key)};
    if (local->verdict == KECS_SYNC__RESEND) {
      status = kecs_replica_sql(tx,
                                "INSERT INTO {sync_repush}({tenant}kind,key) VALUES({ours}?1,?2) ON CONFLICT DO "
                                "NOTHING",
                                values, 2, 0, NULL, NULL);
    } else if (local->verdict == KECS_SYNC__DROP) {
      status = kecs_sync__drop(comparison, tx, &local->row);
    }
  }
  return status;
}

static void kecs_sync__comparison_free(kecs_sync__comparison *comparison) {
  const kecs_allocator *allocator = &comparison->sync->allocator;
  for (kecs_sync__state *local = comparison->first; local; local = comparison->first) {
    comparison->first = local->next;
    kecs_pg__release_text(allocator, local->key);
    kecs_pg__release(allocator, local, sizeof *local);
  }
  kecs_sync__end(&comparison->exchange);
  kecs_sync__load_free(&comparison->load);
  kecs_pg__release(allocator, comparison, sizeof *comparison);
}

/* ---- pages ---- */

static kecs_sync__comparison *kecs_sync__comparison_begin(kecs_sync *sync) {
  kecs_sync__comparison *comparison = kecs_pg__alloc(&sync->allocator, sizeof *comparison);
  if (comparison) {
    comparison->sync = sync;
    comparison->end = &comparison->first;
    comparison->exchange.sync = sync;
    kecs_sync__load_begin(&comparison->load, sync);
  }
  return comparison;
}

/* What was collected is compared, and done. */
static kecs_status kecs_sync__comparison_run(kecs_sync__comparison *comparison) {
  kecs_sync *sync = comparison->sync;
  kecs_status status = KECS_OK;
  if (comparison->first) {
    status = kecs_sync__ask(comparison);
    status = status ? status : kecs_sync__judge_all(comparison);
  }
  status = status ? status : kecs_sync__transact(sync, kecs_sync__judged_work, comparison);
  if (!status) {
    sync->report.forgotten += comparison->forgotten;
    sync->report.conflicts += comparison->conflicts;
  }
  return status ? status : kecs_sync__notes_read(sync);
}

KECS_PG__FN kecs_status kecs_sync__compare_rows(kecs_sync *sync) {
  kecs_sync__comparison *comparison = kecs_sync__comparison_begin(sync);
  kecs_replica side = kecs_sync__side(sync);
  int kind = (int)sync->notes.repair_kind;
  int64_t rid = sync->notes.repair_rid;
  if (!comparison) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs_sync__repair_buckets(sync, kind, &comparison->buckets);
  bool any = !status && comparison->buckets.count > 0;
  while (any && !comparison->first) { /* rows of other buckets are passed over */
    status = kecs_replica_walk(sync->store, &side, (kecs_kind)kind, rid, sync->batch, kecs_sync__local_row, comparison,
                               &rid);
    any = !status && rid != 0;
  }
  comparison->stage = KECS_SYNC__REPAIR_COMPARE;
  comparison->kind = any ? kind : kind + 1;
  comparison->rid = any ? rid : 0;
  status = status ? status : kecs_sync__comparison_run(comparison);
  kecs_sync__comparison_free(comparison);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__compare_graves(kecs_sync *sync) {
  kecs_sync__comparison *comparison = kecs_sync__comparison_begin(sync);
  kecs_replica side = kecs_sync__side(sync);
  int64_t seq = 0;
  if (!comparison) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs_replica_graves(sync->store, &side, sync->notes.repair_rid, sync->batch,
                                           kecs_sync__local_grave, comparison, &seq);
  /* After the last one there is one more step, which forgets the repair. */
  comparison->stage = seq ? KECS_SYNC__REPAIR_COMPARE_GRAVES : KECS_SYNC__REPAIR_COMPARE_GRAVES + 1;
  comparison->kind = 1;
  comparison->rid = seq;
  status = status ? status : kecs_sync__comparison_run(comparison);
  kecs_sync__comparison_free(comparison);
  return status;
}
