/* store/replica_lost.c -- what a merge takes away: the log of conflicts, which keeps it whole, and deletions in another
 * store's name. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "base/json.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <string.h>

/* ---- what has lost ---- */

static void kecs__lost_json(kecs__text *out, const kecs_kind_info *info, const kecs_value *values) {
  const char *between = "{";
  for (int i = 0; i < info->column_count; i++) {
    const kecs_value *value = &values[i];
    if (value->type != KECS_VALUE_NULL && info->columns[i].group != KECS_GROUP_LOCAL) {
      kecs__text_addf(out, "%s\"%s\":", between, info->columns[i].name);
      between = ",";
      if (value->type == KECS_VALUE_TEXT) {
        kecs__json_quote(out, value->text, value->len);
      } else if (info->columns[i].type == KECS_TYPE_BOOL) {
        kecs__text_adds(out, value->number ? "true" : "false");
      } else {
        kecs__text_addf(out, "%lld", (long long)value->number);
      }
    }
  }
  kecs__text_adds(out, between[0] == '{' ? "{}" : "}");
}

KECS__FN kecs_status kecs__replica_lost(kecs__write *write, const kecs_replica_row *row, const char *reason,
                                        unsigned groups, int64_t kept_stamp, int64_t kept_site, int64_t lost_stamp,
                                        int64_t lost_site) {
  kecs__text lost;
  kecs__text_init(&lost, &write->engine->allocator, (size_t)1 << 30);
  kecs__lost_json(&lost, kecs_kind_describe(row->kind), row->values);
  kecs_status status = lost.status;
  if (!status) {
    kecs_value values[] = {kecs__value_int((int64_t)row->kind),
                           kecs__value_text(row->key),
                           kecs__value_int((int64_t)groups),
                           kecs__value_text(reason),
                           kecs__value_int(kept_stamp),
                           kecs__value_int(kept_site),
                           kecs__value_int(lost_stamp),
                           kecs__value_int(lost_site),
                           kecs__value_bytes(lost.data, lost.len),
                           kecs__value_int(write->now)};
    status = kecs__run(write->session,
                       "INSERT INTO {sync_conflicts}({tenant}kind,key,groups,reason,kept_stamp,kept_site,lost_stamp,"
                       "lost_site,lost,at) VALUES({ours}?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT DO NOTHING",
                       values, 10, NULL);
  }
  kecs__text_free(&lost);
  return status;
}

KECS__FN const kecs_replica_row *kecs__merge_ours(const kecs__join *merge, kecs_replica_row *out) {
  *out = *merge->row; /* the key is the same */
  out->values = merge->ours.values;
  return out;
}

/* Notes what loses at one place (life or group). */
KECS__FN kecs_status kecs__merge_lost(kecs__join *merge, bool ours, const char *reason, unsigned groups, int at) {
  kecs_replica_row row;
  const kecs_replica_row *lost = ours ? kecs__merge_ours(merge, &row) : merge->row;
  const kecs__state *mine = &merge->ours;
  const kecs_replica_row *theirs = merge->row;
  reason = theirs->reason ? theirs->reason : reason;
  merge->done.conflicts++;
  return ours ? kecs__replica_lost(merge->write, lost, reason, groups, theirs->stamp[at], theirs->site[at],
                                   mine->stamp[at], mine->site[at])
              : kecs__replica_lost(merge->write, lost, reason, groups, mine->stamp[at], mine->site[at],
                                   theirs->stamp[at], theirs->site[at]);
}

/* ---- deleting ---- */

/* Whether the other side may lack what it has acknowledged of a row. */
static kecs_status kecs__burial_doubts(kecs__write *write, kecs_kind kind, const char *key, unsigned *out_lost) {
  bool lost = write->burial->side->doubts;
  kecs_status status = lost ? KECS_OK : kecs__state_resent(write->session, kind, key, &lost);
  *out_lost = lost ? 1U << KECS_REPLICA_LIFE : 0;
  return status;
}

/* Before a row goes in another store's name: unpushed work in it is kept. The row that was deleted itself has been
 * looked at. */
static kecs_status kecs__burial_lose(kecs__write *write, const kecs__meta *meta, int64_t rid) {
  kecs__burial *burial = write->burial;
  kecs__state state;
  if (rid == burial->rid && (int)meta->info->kind == burial->kind) {
    return KECS_OK;
  }
  kecs_status status = kecs__state_read(write->session, meta, rid, &write->arena, &state);
  unsigned pending = 0;
  if (status) {
    return status;
  }
  const char *key = kecs__state_name(write, meta, state.values);
  if (!key) {
    return KECS_E_NOMEM;
  }
  status = kecs__state_unpushed(write->session, burial->side, meta->info->kind, key, &state, &pending);
  status = status || pending ? status : kecs__burial_doubts(write, meta->info->kind, key, &pending);
  if (status || !pending) {
    return status;
  }
  kecs_replica_row lost;
  memset(&lost, 0, sizeof lost);
  lost.kind = meta->info->kind;
  lost.key = key;
  lost.values = state.values;
  burial->conflicts++;
  return kecs__replica_lost(write, &lost, "parent", pending, burial->stamp, burial->site, state.stamp[0],
                            state.site[0]);
}

KECS__FN kecs_status kecs__merge_bury(kecs__join *merge, const kecs__meta *meta, int64_t rid, int64_t stamp,
                                      int64_t site) {
  kecs__write *write = merge->write;
  kecs__burial burial = {stamp, site, kecs__burial_lose, merge->side, 0, (int)meta->info->kind, rid};
  bool found = false;
  char *row = kecs__arena_take(&write->arena, meta->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, meta, rid, &write->arena, row, &found) : KECS_E_NOMEM;
  write->burial = &burial;
  write->quiet++;
  status = status || !found ? status : kecs__row_delete(write, meta, rid, row);
  write->quiet--;
  write->burial = NULL;
  merge->done.conflicts += burial.conflicts;
  return status;
}

KECS__FN kecs_status kecs__replica_retell(kecs__write *write, const kecs_replica_row *row, const kecs__grave *grave,
                                          int *conflicts) {
  kecs_value values[] = {kecs__value_int((int64_t)row->kind), kecs__value_text(row->key)};
  kecs_value seq = kecs__value_int(grave->seq);
  int64_t life = 0;
  kecs_status status =
      kecs__feed_number(write->session, "SELECT life FROM {change_tombstones} WHERE {own}seq=?1", &seq, 1, &life);
  status = status ? status
                  : kecs__run(write->session,
                              "INSERT INTO {sync_repush}({tenant}kind,key) VALUES({ours}?1,?2) ON CONFLICT DO NOTHING",
                              values, 2, NULL);
  if (status || life == row->stamp[0]) {
    return status;
  }
  ++*conflicts;
  return kecs__replica_lost(write, row, "delete", 1U << KECS_REPLICA_LIFE, grave->stamp, grave->site, row->stamp[0],
                            row->site[0]);
}
