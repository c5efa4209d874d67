/* sync/policy.c -- the rules of who may write, as an edge has them: checked, kept, told to the hub with what they need
 * of the rows that are pushed, and what follows where the hub has refused by one. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "sync/hub_sql.h"

#include <string.h>

#include <stdio.h>
#include <stdlib.h>

static const char *const kecs_sync__rule_names[] = {NULL, "owner", "hub", "compare", "append"};

/* ---- options ---- */

static bool kecs_sync__policy_has(const kecs_kind_info *info, kecs_column_group group) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == group) {
      return true;
    }
  }
  return false;
}

static kecs_status kecs_sync__policy_fence(const kecs_replica_policy *policy, const kecs_kind_info *info) {
  int column = policy->fence ? kecs_column_find(info, policy->fence) : -1;
  bool own = column >= 0 &&
             ((info->columns[column].group == KECS_GROUP_SPEC && (policy->groups & KECS_BIT(KECS_REPLICA_SPEC))) ||
              (info->columns[column].group == KECS_GROUP_STATUS && (policy->groups & KECS_BIT(KECS_REPLICA_STATUS))));
  if (policy->rule != KECS_REPLICA_OWNER) {
    return policy->fence ? kecs_pg__fail(KECS_E_INVALID,
                                         "options.policies: only an owner has a fence, of %s there is one", info->name)
                         : KECS_OK;
  }
  if (column < 0 || own || info->columns[column].group == KECS_GROUP_LOCAL) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "options.policies: the fence of %s must be a column of its key or of another group, not %s",
                         info->name, policy->fence ? policy->fence : "NULL");
  }
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__policy_check(const kecs_replica_policy *policies, size_t count) {
  const unsigned life = KECS_BIT(KECS_REPLICA_LIFE);
  const unsigned groups = KECS_BIT(KECS_REPLICA_SPEC) | KECS_BIT(KECS_REPLICA_STATUS);
  for (size_t i = 0; i < count; i++) {
    const kecs_replica_policy *policy = &policies[i];
    const kecs_kind_info *info = kecs_kind_describe(policy->kind);
    if (!info || kecs_sync__only_grows(info)) {
      return kecs_pg__fail(KECS_E_INVALID, "options.policies: %d is no kind that has policies", (int)policy->kind);
    }
    bool spec = kecs_sync__policy_has(info, KECS_GROUP_SPEC);
    bool status = kecs_sync__policy_has(info, KECS_GROUP_STATUS);
    if (policy->rule < KECS_REPLICA_LAST_WRITER || policy->rule > KECS_REPLICA_APPEND) {
      return kecs_pg__fail(KECS_E_INVALID, "options.policies: %d is no rule", (int)policy->rule);
    }
    if (!policy->groups || (policy->groups & ~(groups | life)) ||
        ((policy->groups & life) && policy->rule != KECS_REPLICA_HUB) ||
        (!spec && (policy->groups & KECS_BIT(KECS_REPLICA_SPEC))) ||
        (!status && (policy->groups & KECS_BIT(KECS_REPLICA_STATUS)))) {
      return kecs_pg__fail(KECS_E_INVALID, "options.policies: %u are no groups of %s for that rule", policy->groups,
                           info->name);
    }
    kecs_status fence = kecs_sync__policy_fence(policy, info);
    if (fence) {
      return fence;
    }
    for (size_t before = 0; before < i; before++) {
      if (policies[before].kind == policy->kind && (policies[before].groups & policy->groups)) {
        return kecs_pg__fail(KECS_E_INVALID, "options.policies has two rules for one group of %s", info->name);
      }
    }
  }
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__policy_keep(kecs_sync *sync, const kecs_replica_policy *policies, size_t count) {
  if (count == 0) {
    return KECS_OK;
  }
  sync->policies = kecs_pg__alloc(&sync->allocator, count * sizeof policies[0]);
  if (!sync->policies) {
    return KECS_E_NOMEM;
  }
  sync->policy_count = count;
  for (size_t i = 0; i < count; i++) {
    sync->policies[i] = policies[i];
    sync->policies[i].fence = NULL;
  }
  for (size_t i = 0; i < count; i++) { /* the description's own name lives for ever */
    const kecs_kind_info *info = kecs_kind_describe(policies[i].kind);
    int column = policies[i].fence ? kecs_column_find(info, policies[i].fence) : -1;
    sync->policies[i].fence = column < 0 ? NULL : info->columns[column].name;
  }
  return KECS_OK;
}

KECS_PG__FN void kecs_sync__policy_free(kecs_sync *sync) {
  kecs_pg__release(&sync->allocator, sync->policies, sync->policy_count * sizeof sync->policies[0]);
}

/* ---- what a push tells ---- */

static const kecs_replica_policy *kecs_sync__policy_of(const kecs_sync *sync, kecs_kind kind, int group) {
  for (size_t i = 0; i < sync->policy_count; i++) {
    if (sync->policies[i].kind == kind && (sync->policies[i].groups & KECS_BIT(group))) {
      return &sync->policies[i];
    }
  }
  return NULL;
}

KECS_PG__FN bool kecs_sync__policy_any(const kecs_sync *sync, kecs_kind kind) {
  return kecs_sync__policy_of(sync, kind, KECS_REPLICA_LIFE) || kecs_sync__policy_of(sync, kind, KECS_REPLICA_SPEC) ||
         kecs_sync__policy_of(sync, kind, KECS_REPLICA_STATUS);
}

/* A column's value as row_to_json shows it at the hub. */
static void kecs_sync__policy_value(kecs_pg__text *array, const kecs_replica_policy *policy,
                                    const kecs_replica_row *row) {
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  int column = policy && policy->fence ? kecs_column_find(info, policy->fence) : -1;
  const kecs_value *value = column < 0 ? NULL : &row->values[column];
  char number[24];
  if (!value || value->type == KECS_VALUE_NULL) {
    kecs_sync__array_add(array, NULL);
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs_sync__array_add(array, value->text);
  } else if (info->columns[column].type == KECS_TYPE_BOOL) {
    kecs_sync__array_add(array, value->number ? "true" : "false");
  } else {
    snprintf(number, sizeof number, "%lld", (long long)value->number);
    kecs_sync__array_add(array, number);
  }
}

KECS_PG__FN void kecs_sync__policy_row(const kecs_sync *sync, kecs_sync__policy_rows *rows,
                                       const kecs_replica_row *row) {
  for (int i = 0; i < KECS_SYNC__POLICY_ARRAYS; i++) {
    rows->array[i].allocator = &sync->allocator;
  }
  kecs_sync__array_add(&rows->array[0], row->key);
  kecs_sync__array_int(&rows->array[1], row->base[KECS_REPLICA_SPEC]);
  kecs_sync__array_int(&rows->array[2], row->base[KECS_REPLICA_STATUS]);
  kecs_sync__policy_value(&rows->array[3], kecs_sync__policy_of(sync, row->kind, KECS_REPLICA_SPEC), row);
  kecs_sync__policy_value(&rows->array[4], kecs_sync__policy_of(sync, row->kind, KECS_REPLICA_STATUS), row);
}

KECS_PG__FN void kecs_sync__policy_send(kecs_sync__exchange *exchange, kecs_kind kind, kecs_sync__policy_rows *rows) {
  const kecs_sync *sync = exchange->sync;
  snprintf(rows->kind, sizeof rows->kind, "%d", (int)kind);
  rows->values[0] = rows->kind;
  for (int group = 0; group < KECS_REPLICA_STAMPS; group++) {
    const kecs_replica_policy *policy = kecs_sync__policy_of(sync, kind, group);
    rows->values[1 + group] = policy ? kecs_sync__rule_names[policy->rule] : NULL;
    if (group > 0) {
      rows->values[3 + group] = policy ? policy->fence : NULL;
    }
  }
  for (int i = 0; i < KECS_SYNC__POLICY_ARRAYS; i++) {
    rows->array[i].allocator = &sync->allocator;
    kecs_sync__array_end(&rows->array[i]);
    exchange->status = exchange->status ? exchange->status : rows->array[i].status;
    rows->values[6 + i] = rows->array[i].data;
  }
  if (!exchange->status) {
    (void)kecs_sync__add_item(exchange, "SELECT {S}sync_policy($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)", "", rows->values,
                              6 + KECS_SYNC__POLICY_ARRAYS);
  }
}

KECS_PG__FN void kecs_sync__policy_rows_free(kecs_sync__policy_rows *rows) {
  for (int i = 0; i < KECS_SYNC__POLICY_ARRAYS; i++) {
    if (rows->array[i].allocator) {
      kecs_pg__text_free(&rows->array[i]);
    }
  }
}

/* ---- what was refused ---- */

typedef struct kecs_sync__dismissal {
  kecs_sync *sync;
  kecs_store *tx;
} kecs_sync__dismissal;

/* A row that may only come and go at the hub: one that was made here goes, into the log; of one that was deleted here
 * the deletion goes, and the hub's comes back. */
static kecs_status kecs_sync__dismiss(const kecs_replica_row *row, void *user) {
  const kecs_sync__dismissal *dismissal = user;
  kecs_replica side = kecs_sync__side(dismissal->sync);
  kecs_replica_row dead;
  kecs_value values[] = {kecs_sync__value_int((int64_t)row->kind), kecs_sync__value_text(row->key)};
  if (row->dead) {
    return kecs_replica_sql(dismissal->tx,
                            "DELETE FROM {change_tombstones} WHERE {own}kind=?1 AND key=?2 AND site IS NULL", values, 2,
                            0, NULL, NULL);
  }
  memset(&dead, 0, sizeof dead);
  dead.kind = row->kind;
  dead.key = row->key;
  dead.dead = true;
  dead.reason = "policy";
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    dead.stamp[0] = row->stamp[i] >= dead.stamp[0] ? row->stamp[i] + 1 : dead.stamp[0];
  }
  dead.site[0] = 0;
  kecs_status status = kecs_replica_sql(dismissal->tx, "DELETE FROM {sync_refused} WHERE {own}kind=?1 AND key=?2",
                                        values, 2, 0, NULL, NULL);
  dismissal->sync->report.conflicts++;
  return status ? status : kecs_replica_merge(dismissal->tx, &side, &dead, NULL);
}

KECS_PG__FN kecs_status kecs_sync__policy_refused(kecs_sync *sync, kecs_store *tx, kecs_kind kind, const char *key,
                                                  const char *code) {
  kecs_sync__dismissal dismissal = {sync, tx};
  kecs_replica side = kecs_sync__side(sync);
  kecs_value values[] = {kecs_sync__value_int((int64_t)kind), kecs_sync__value_text(key)};
  if (strncmp(code, "policy:", strlen("policy:")) != 0 && strcmp(code, "KS004") != 0) {
    return KECS_OK;
  }
  sync->held = true;
  kecs_status status =
      kecs_replica_sql(tx, "INSERT INTO {sync_wanted}({tenant}kind,key) VALUES({ours}?1,?2) ON CONFLICT DO NOTHING",
                       values, 2, 0, NULL, NULL);
  return status || strtol(code + strlen("policy:"), NULL, 10) != (long)KECS_BIT(KECS_REPLICA_LIFE)
             ? status
             : kecs_replica_find(tx, &side, kind, key, kecs_sync__dismiss, &dismissal);
}
