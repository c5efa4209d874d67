/* store/replica_policy.c -- two states of one life: which group is whose, by stamps and by the rules of who may write.
 *
 * Rules are about edits that are still to be pushed. What gives way to them is taken from the row that came, with its
 * stamps, whichever is later: the other side has it, and will have nothing else. So whatever the rules are, this file
 * ends with what the other side has, or with an edit that it has not refused yet. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/history_log.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/write.h"

#include <stdlib.h>
#include <string.h>

/* ---- rules ---- */

/* NULL: the last writer. */
static const kecs_replica_policy *kecs__policy_of(const kecs_replica *side, kecs_kind kind, int group) {
  for (size_t i = 0; i < side->policy_count; i++) {
    if (side->policies[i].kind == kind && (side->policies[i].groups & 1U << group)) {
      return &side->policies[i];
    }
  }
  return NULL;
}

static kecs_replica_rule kecs__policy_rule(const kecs__join *merge, int group) {
  const kecs_replica_policy *policy = kecs__policy_of(merge->side, merge->row->kind, group);
  return policy ? policy->rule : KECS_REPLICA_LAST_WRITER;
}

/* An edit was written under a fence that the row that came has moved on from. Who moves the fence here is not behind.
 */
static bool kecs__policy_fenced(const kecs__join *merge, int group, const int order[KECS_REPLICA_STAMPS]) {
  const kecs_replica_policy *policy = kecs__policy_of(merge->side, merge->row->kind, group);
  int column = policy && policy->fence ? kecs_column_find(merge->meta->info, policy->fence) : -1;
  if (column < 0 || policy->rule != KECS_REPLICA_OWNER) {
    return false;
  }
  kecs_column_group fence = (kecs_column_group)merge->meta->info->columns[column].group;
  int at = fence == KECS_GROUP_SPEC ? KECS_REPLICA_SPEC : fence == KECS_GROUP_STATUS ? KECS_REPLICA_STATUS : -1;
  bool comes = at >= 0 && order[at] > 0;
  return comes && !kecs__value_same(&merge->ours.values[column], &merge->row->values[column]);
}

/* ---- comparing ---- */

/* What becomes of the groups. */
typedef struct kecs__verdict {
  unsigned take;     /* from the row that came */
  unsigned disputed; /* edits on both sides that have not seen each other */
  unsigned held;     /* ours gives way by a rule */
  int64_t seq;       /* of the first edit among the disputed */
  int order[KECS_REPLICA_STAMPS];
} kecs__verdict;

static kecs_status kecs__verdict_pending(kecs__join *merge, int at, kecs__verdict *out) {
  const unsigned bit = 1U << at;
  int64_t theirs = merge->row->stamp[at];
  int64_t base = theirs;
  int64_t seq = 0;
  /* An earlier write of this file that comes back is what ours was based on, or older: the log need not be asked. */
  bool echo = merge->row->site[at] == merge->side->site && out->order[at] < 0 &&
              kecs__policy_rule(merge, at) != KECS_REPLICA_COMPARE;
  kecs_status status = echo ? KECS_OK
                            : kecs__state_base(merge->write->session, merge->side, merge->row->kind, merge->ours.rid,
                                               at, &base, &seq);
  bool unseen = theirs != 0 && theirs != base && (out->order[at] > 0 || base < theirs);
  bool compares = kecs__policy_rule(merge, at) == KECS_REPLICA_COMPARE && theirs != base;
  if ((merge->yields & bit) || compares || kecs__policy_fenced(merge, at, out->order)) {
    out->held |= bit;
    out->take |= bit;
  } else if (unseen) {
    out->disputed |= bit;
    out->seq = out->seq == 0 || seq < out->seq ? seq : out->seq;
  }
  return status;
}

static kecs_status kecs__verdict_of(kecs__join *merge, kecs__verdict *out) {
  const kecs_replica_row *row = merge->row;
  kecs_status status = KECS_OK;
  int number = row->force ? kecs__merge_swaps(merge->meta) : -1;
  bool aside = number >= 0 && merge->ours.values[number].number < KECS_REPLICA_ASIDE;
  memset(out, 0, sizeof *out);
  for (int i = KECS_REPLICA_SPEC; i < KECS_REPLICA_STAMPS; i++) {
    out->order[i] =
        kecs__stamp_compare(merge->side, row->stamp[i], row->site[i], merge->ours.stamp[i], merge->ours.site[i]);
  }
  for (int i = KECS_REPLICA_SPEC; !status && i < KECS_REPLICA_STAMPS; i++) {
    kecs_column_group group = i == KECS_REPLICA_SPEC ? KECS_GROUP_SPEC : KECS_GROUP_STATUS;
    if (aside && merge->meta->info->columns[number].group == group) {
      out->take |= 1U << i; /* what was pending of it was noted when it was moved */
      continue;
    }
    out->take |= out->order[i] > 0 ? 1U << i : 0;
    if ((merge->pending & 1U << i) && out->order[i] != 0) {
      status = kecs__verdict_pending(merge, i, out);
    }
  }
  return status;
}

/* ---- the callback ---- */

static kecs_status kecs__dispute_base(kecs__join *merge, int64_t seq, void *row, bool *out_there) {
  kecs__session *session = merge->write->session;
  uint64_t kinds = 0;
  kecs_status status = kecs__history_kinds(session, &kinds);
  *out_there = false;
  if (status || seq <= 1 || !(kinds & KECS_BIT(merge->row->kind))) {
    return status;
  }
  kecs_error before = kecs__error_save();
  status = kecs__history_check_floor(session, KECS_BIT(merge->row->kind), seq - 1);
  status =
      status ? status
             : kecs__history_row(session, merge->meta, merge->ours.rid, seq - 1, &merge->write->arena, row, out_there);
  if (status == KECS_E_COMPACTED) { /* it was cut off */
    (void)kecs__error_restore(&before);
    *out_there = false;
    status = KECS_OK;
  }
  return status;
}

/* The rows as structs: ours, theirs, and theirs once more to be changed. */
static kecs_status kecs__dispute_rows(kecs__join *merge, const kecs__verdict *verdict, kecs_replica_dispute *out) {
  kecs__write *write = merge->write;
  const kecs__meta *meta = merge->meta;
  kecs_value theirs[64];
  char *rows[4];
  bool there = false;
  for (int i = 0; i < meta->info->column_count; i++) {
    bool local = meta->info->columns[i].group == KECS_GROUP_LOCAL;
    bool given = !merge->row->given || merge->row->given & KECS_BIT(i);
    theirs[i] = local || !given ? merge->ours.values[i] : merge->row->values[i];
  }
  for (int i = 0; i < 4; i++) {
    rows[i] = kecs__arena_take(&write->arena, meta->info->row_size);
    if (!rows[i]) {
      return KECS_E_NOMEM;
    }
  }
  kecs_status status = kecs__row_read(meta, merge->ours.values, &write->arena, rows[0]);
  status = status ? status : kecs__row_read(meta, theirs, &write->arena, rows[1]);
  status = status ? status : kecs__row_read(meta, theirs, &write->arena, rows[2]);
  status = status ? status : kecs__dispute_base(merge, verdict->seq, rows[3], &there);
  out->kind = merge->row->kind;
  out->key = merge->row->key;
  out->groups = verdict->disputed;
  out->local = rows[0];
  out->remote = rows[1];
  out->out = rows[2];
  out->base = there ? rows[3] : NULL;
  return status;
}

/* What came is taken, and what the callback has made of the two is written as an edit of that. */
static kecs_status kecs__dispute_settle(kecs__join *merge, kecs__verdict *verdict,
                                        const kecs_replica_dispute *dispute) {
  const kecs_kind_info *info = merge->meta->info;
  kecs__change change = {0};
  for (int i = 0; i < info->column_count; i++) {
    bool spec = info->columns[i].group == KECS_GROUP_SPEC && (dispute->groups & 1U << KECS_REPLICA_SPEC);
    bool observed = info->columns[i].group == KECS_GROUP_STATUS && (dispute->groups & 1U << KECS_REPLICA_STATUS);
    change.mask |= spec || observed ? KECS_BIT(i) : 0;
  }
  verdict->take |= dispute->groups;
  kecs_status status = kecs__merge_take(merge, verdict->take);
  if (status || merge->done.outcome != KECS_REPLICA_TAKEN) {
    return status;
  }
  change.document = true; /* the callback has made the whole group, what no column holds among it */
  change.row = dispute->out;
  change.rid = merge->ours.rid;
  return kecs__row_change(merge->write, merge->meta, &change);
}

/* ---- taking ---- */

static kecs_status kecs__life_notes(kecs__join *merge, const kecs__verdict *verdict) {
  kecs_status status = KECS_OK;
  for (int i = KECS_REPLICA_SPEC; !status && i < KECS_REPLICA_STAMPS; i++) {
    if (verdict->held & 1U << i) {
      status = kecs__merge_lost(merge, true, "policy", 1U << i, i);
    } else if ((verdict->disputed & 1U << i)) {
      status = kecs__merge_lost(merge, verdict->order[i] > 0, "update", 1U << i, i);
    }
  }
  return status;
}

/* What was refused by a policy has given way; what else was in the row is sent again. */
static kecs_status kecs__life_yielded(kecs__join *merge, const kecs__verdict *verdict) {
  kecs_value values[] = {kecs__value_int((int64_t)merge->row->kind), kecs__value_text(merge->row->key)};
  bool left = false;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    bool own = merge->ours.stamp[i] && merge->ours.site[i] == KECS_REPLICA_HERE;
    left = left || (own && !(verdict->take & 1U << i));
  }
  if (!merge->yields) {
    return KECS_OK;
  }
  return kecs__run(merge->write->session,
                   left ? "UPDATE {sync_refused} SET code='again' WHERE {own}kind=?1 AND key=?2"
                        : "DELETE FROM {sync_refused} WHERE {own}kind=?1 AND key=?2",
                   values, 2, NULL);
}

static kecs_status kecs__life_yields(kecs__join *merge) {
  kecs_value values[] = {kecs__value_int((int64_t)merge->row->kind), kecs__value_text(merge->row->key)};
  int64_t yields = 0;
  merge->yields = 0;
  if (!merge->pending) {
    return KECS_OK;
  }
  kecs_status status =
      kecs__feed_number(merge->write->session,
                        "SELECT CAST(substr(code,8) AS INTEGER) FROM {sync_refused} WHERE {own}kind=?1 "
                        "AND key=?2 AND code LIKE 'policy:%'",
                        values, 2, &yields);
  merge->yields = (unsigned)yields & merge->pending;
  return status;
}

KECS__FN kecs_status kecs__merge_life(kecs__join *merge) {
  kecs__verdict verdict;
  kecs_replica_dispute dispute;
  memset(&dispute, 0, sizeof dispute);
  kecs_status status = kecs__life_yields(merge);
  status = status ? status : kecs__verdict_of(merge, &verdict);
  if (!status && verdict.disputed && merge->side->merge) {
    status = kecs__dispute_rows(merge, &verdict, &dispute);
    kecs_status said = status ? KECS_OK : merge->side->merge(&dispute, merge->side->user);
    status = !said ? status
                   : kecs__fail(said, "the callback has made no row of the two of %s \"%.100s\": it has failed",
                                merge->meta->info->name, merge->row->key);
    if (!status && !dispute.decline) {
      return kecs__dispute_settle(merge, &verdict, &dispute);
    }
  }
  status = status ? status : kecs__life_notes(merge, &verdict);
  status = status ? status : kecs__life_yielded(merge, &verdict);
  status = status || !merge->row->fill ? status : kecs__merged_fill(merge, verdict.take);
  return status || !verdict.take ? status : kecs__merge_take(merge, verdict.take);
}
