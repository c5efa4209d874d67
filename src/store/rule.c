/* store/rule.c -- rules, and the order in which a listener goes through them. */
#include "base/prologue.h"

#include "store/elb_internal.h"

#include <stdlib.h>
#include <string.h>

/* What AWS allows; the default rule is beyond it (KECS_RANK_DEFAULT). */
enum { KECS__PRIORITY_MIN = 1, KECS__PRIORITY_MAX = 49999 };

KECS__FN kecs_status kecs__rule_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_rule *rule = row;
  kecs_status status = KECS_OK;
  bool named = rule->arn && rule->arn[0];
  bool owned = rule->listener_arn && rule->listener_arn[0];
  if (rule->is_default && rule->priority == 0) {
    rule->priority = KECS_RANK_DEFAULT;
  }
  if (named && !owned) {
    status = kecs__elb_parent_arn(write, meta, rule->arn, "listener-rule/", "listener/", KECS_RULE_LISTENER_ARN,
                                  &rule->listener_arn);
  } else if (!named && !owned && fresh) {
    status = kecs__fail(KECS_E_INVALID, "a rule has neither arn nor listener_arn; set listener_arn");
  } else if (!named && fresh) {
    status = kecs__elb_child_arn(write, meta, row, rule->listener_arn, "listener/", "listener-rule/", &rule->arn);
  }
  return status;
}

/* The default rule has KECS_RANK_DEFAULT for ever, every other rule one of AWS's priorities. */
KECS__FN kecs_status kecs__rule_judge(const kecs__meta *meta, const void *row, const kecs_value *stored,
                                      uint64_t *mask) {
  const kecs_rule *rule = row;
  bool last = stored ? stored[KECS_RULE_IS_DEFAULT].number != 0 : rule->is_default;
  bool whole = !stored || (*mask & meta->updatable) == meta->updatable;
  bool unset = whole && rule->is_default && rule->priority == 0; /* which is filled, see above */
  char name[160];
  if (!(*mask & KECS_BIT(KECS_RULE_PRIORITY))) {
    return KECS_OK;
  }
  if (last && (unset || rule->priority == KECS_RANK_DEFAULT)) {
    *mask &= ~KECS_BIT(KECS_RULE_PRIORITY);
    return KECS_OK;
  }
  if (!last && rule->priority >= KECS__PRIORITY_MIN && rule->priority <= KECS__PRIORITY_MAX) {
    return KECS_OK;
  }
  kecs__row_name(meta->info, row, name);
  if (last) {
    return kecs__fail(KECS_E_INVALID, "rule \"%s\" is its listener's default rule, which always comes last: its "
                                      "priority can't be %lld",
                      name, (long long)rule->priority);
  }
  if (rule->priority == 0) {
    return kecs__fail(KECS_E_INVALID, "rule \"%s\" has no priority; give it one from %d to %d, such as "
                                      "kecs_rule_next_priority finds%s",
                      name, KECS__PRIORITY_MIN, KECS__PRIORITY_MAX, stored ? "" : ", or set is_default");
  }
  return kecs__fail(KECS_E_INVALID, "rule \"%s\": priority %lld is not allowed: it must be between %d and %d", name,
                    (long long)rule->priority, KECS__PRIORITY_MIN, KECS__PRIORITY_MAX);
}

/* ---- priorities ---- */

static kecs_status kecs__priority_check(int64_t priority) {
  if (priority < KECS__PRIORITY_MIN || priority > KECS__PRIORITY_MAX) {
    return kecs__fail(KECS_E_INVALID, "priority %lld is not allowed: it must be between %d and %d", (long long)priority,
                      KECS__PRIORITY_MIN, KECS__PRIORITY_MAX);
  }
  return KECS_OK;
}

/* EXISTS, naming it, when a rule of the listener other than `except` (may be NULL) has the priority. */
static kecs_status kecs__priority_free(kecs__session *session, const char *listener_arn, int64_t priority,
                                       const char *except, kecs__arena *arena) {
  const kecs__meta *meta = kecs__meta_of(session->engine, KECS_KIND_RULE);
  kecs__probe probe = {0};
  int64_t rid = 0;
  bool found = false;
  kecs_rule rule = {0};
  probe.key = 1; /* (listener_arn, priority), see kinds/rule.h */
  probe.count = 2;
  probe.values[0] = kecs__value_text(listener_arn);
  probe.values[1] = kecs__value_int(priority);
  kecs_status status = kecs__probe_rid(session, meta, &probe, &rid);
  if (!status && rid) {
    status = kecs__row_by_rid(session, meta, rid, arena, &rule, &found);
  }
  if (status || !found || (except && strcmp(except, rule.arn) == 0)) {
    return status;
  }
  return kecs__fail(KECS_E_EXISTS, "priority %lld is already in use by rule \"%s\"; choose another one",
                    (long long)priority, rule.arn);
}

KECS_STORE_API kecs_status kecs_rule_check_priority(kecs_store *store, const char *listener_arn, int64_t priority,
                                                    const char *rule_arn) {
  kecs__session *session = NULL;
  kecs__arena arena;
  kecs_status status = kecs__check_handle(store);
  if (!status) {
    status = kecs__check_pointer(listener_arn, "listener_arn");
  }
  if (!status) {
    status = kecs__priority_check(priority);
  }
  if (status) {
    return status;
  }
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__priority_free(session, listener_arn, priority, rule_arn, &arena);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return status;
}

/* The first number of a band that the sorted priorities of the listener leave out. */
static kecs_status kecs__priority_gap(kecs__session *session, const char *listener_arn, int64_t low, int64_t high,
                                      kecs__arena *arena, int64_t *out_priority) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool more = false;
  int64_t next = low;
  kecs_value values[] = {kecs__value_text(listener_arn), kecs__value_int(low), kecs__value_int(high)};
  kecs__plan_init(&plan, session, kecs__meta_of(session->engine, KECS_KIND_RULE), arena);
  kecs__plan_where(&plan, "listener_arn=? AND priority>=? AND priority<=?", values, 3);
  plan.order.columns[0] = KECS_RULE_PRIORITY; /* unique within the listener, so that the index alone gives the order */
  plan.order.count = 1;
  kecs_status status = kecs__plan_start(&plan, "priority", true, 0, &cached, &more);
  while (!status && more) {
    kecs_value priority;
    kecs__statement_columns(session, cached, &priority, 1);
    if (priority.number != next) {
      break;
    }
    next++;
    status = kecs__statement_step(session, cached, &more);
  }
  kecs__statement_done(session, cached);
  kecs__plan_free(&plan);
  *out_priority = next;
  return status;
}

KECS_STORE_API kecs_status kecs_rule_next_priority(kecs_store *store, const char *listener_arn, kecs_rule_band band,
                                                   int64_t *out_priority) {
  static const int64_t bands[][2] = {{1, 99}, {100, 999}, {1000, 9999}, {10000, 49999}};
  kecs__session *session = NULL;
  kecs__arena arena;
  int64_t priority = 0;
  kecs_status status = kecs__check_pointer(out_priority, "out_priority");
  if (status) {
    return status;
  }
  *out_priority = 0;
  status = kecs__check_handle(store);
  if (!status) {
    status = kecs__check_pointer(listener_arn, "listener_arn");
  }
  if (!status && ((int)band < (int)KECS_RULE_BAND_CRITICAL || (int)band > (int)KECS_RULE_BAND_CATCH_ALL)) {
    status = kecs__fail(KECS_E_INVALID, "there is no band number %d; give a KECS_RULE_BAND_ constant", (int)band);
  }
  if (status) {
    return status;
  }
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__priority_gap(session, listener_arn, bands[band][0], bands[band][1], &arena, &priority);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  if (!status && priority > bands[band][1]) {
    return kecs__fail(KECS_E_FULL, "listener \"%s\" has no free priority from %lld to %lld; use another band or remove "
                                   "rules",
                      listener_arn, (long long)bands[band][0], (long long)bands[band][1]);
  }
  *out_priority = priority;
  return status;
}

/* ---- several at once ---- */

typedef struct kecs__rule_move {
  kecs_rule row; /* as stored */
  int64_t rid;
  int64_t priority; /* as wanted */
} kecs__rule_move;

typedef struct kecs__rule_moves {
  const kecs_rule_priority *wanted;
  kecs__rule_move *moves;
  size_t count;
} kecs__rule_moves;

static int kecs__rule_by_rid(const void *a, const void *b) {
  const kecs__rule_move *left = a;
  const kecs__rule_move *right = b;
  return (left->rid > right->rid) - (left->rid < right->rid);
}

static int kecs__rule_by_priority(const void *a, const void *b) {
  const kecs__rule_move *left = a;
  const kecs__rule_move *right = b;
  int order = strcmp(left->row.listener_arn, right->row.listener_arn);
  return order ? order : (left->priority > right->priority) - (left->priority < right->priority);
}

static kecs_status kecs__rule_moves_read(kecs__write *write, kecs__rule_moves *moves) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_RULE);
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < moves->count; i++) {
    kecs__rule_move *move = &moves->moves[i];
    kecs_value arn = kecs__value_text(moves->wanted[i].rule_arn);
    kecs__probe probe;
    memset(move, 0, sizeof *move);
    move->priority = moves->wanted[i].priority;
    status = kecs__probe_address(write->session, meta, &arn, 1, &write->arena, &probe);
    if (!status) {
      status = kecs__probe_read(write->session, meta, &probe, &write->arena, &move->row, &move->rid);
    }
    if (!status && move->row.is_default) {
      status = kecs__fail(KECS_E_INVALID, "rule \"%s\" is its listener's default rule, which always comes last",
                          move->row.arn);
    }
  }
  return status;
}

/* No rule twice, no priority of a listener twice. */
static kecs_status kecs__rule_moves_check(kecs__rule_moves *moves) {
  kecs__rule_move *all = moves->moves;
  if (moves->count < 2) {
    return KECS_OK;
  }
  qsort(all, moves->count, sizeof *all, kecs__rule_by_rid);
  for (size_t i = 1; i < moves->count; i++) {
    if (all[i].rid == all[i - 1].rid) {
      return kecs__fail(KECS_E_INVALID, "rule \"%s\" is in the request twice", all[i].row.arn);
    }
  }
  qsort(all, moves->count, sizeof *all, kecs__rule_by_priority);
  for (size_t i = 1; i < moves->count; i++) {
    if (kecs__rule_by_priority(&all[i], &all[i - 1]) == 0) {
      return kecs__fail(KECS_E_INVALID, "priority %lld is in the request twice, for rules \"%s\" and \"%s\"",
                        (long long)all[i].priority, all[i - 1].row.arn, all[i].row.arn);
    }
  }
  return KECS_OK;
}

/* Out of everyone's way: the key (listener_arn, priority) is checked at every statement, so that swapping two needs a
 * place to swap by. Nobody sees these values, so they are no change of the row: version and updated_at stay. */
static kecs_status kecs__rule_move_aside(kecs__write *write, const kecs__rule_move *move) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_RULE);
  kecs_value values[] = {kecs__value_int(INT64_MIN + move->rid), kecs__value_int(move->rid)};
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement(write->session, meta, KECS__OP_UPDATE, KECS_BIT(KECS_RULE_PRIORITY), &cached);
  return status ? status : kecs__statement_run(write->session, cached, values, 2);
}

static kecs_status kecs__rule_move_to(kecs__write *write, kecs__rule_move *move) {
  kecs_status status =
      kecs__priority_free(write->session, move->row.listener_arn, move->priority, move->row.arn, &write->arena);
  kecs__change change = {0};
  move->row.priority = move->priority;
  change.row = &move->row;
  change.mask = KECS_BIT(KECS_RULE_PRIORITY);
  change.rid = move->rid;
  return status ? status : kecs__row_change(write, kecs__meta_of(write->engine, KECS_KIND_RULE), &change);
}

static kecs_status kecs__rule_moves_work(kecs__write *write, void *user) {
  kecs__rule_moves *moves = user;
  kecs_status status = kecs__write_guard(write);
  if (!status && moves->count > 0) {
    moves->moves = kecs__arena_take(&write->arena, moves->count * sizeof moves->moves[0]);
    status = moves->moves ? kecs__rule_moves_read(write, moves) : KECS_E_NOMEM;
  }
  if (!status) {
    status = kecs__rule_moves_check(moves);
  }
  /* Rules that are where they shall be stay untouched. */
  for (size_t i = 0; !status && i < moves->count; i++) {
    bool there = moves->moves[i].row.priority == moves->moves[i].priority;
    status = there ? KECS_OK : kecs__rule_move_aside(write, &moves->moves[i]);
  }
  for (size_t i = 0; !status && i < moves->count; i++) {
    bool there = moves->moves[i].row.priority == moves->moves[i].priority;
    status = there ? KECS_OK : kecs__rule_move_to(write, &moves->moves[i]);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_rule_set_priorities(kecs_store *store, const kecs_rule_priority *priorities,
                                                    size_t count) {
  kecs__rule_moves moves = {priorities, NULL, count};
  kecs_status status = count > 0 ? kecs__check_pointer(priorities, "priorities") : KECS_OK;
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__check_pointer(priorities[i].rule_arn, "priorities[i].rule_arn");
    if (!status) {
      status = kecs__priority_check(priorities[i].priority);
    }
  }
  return status ? status : kecs__with_write(store, kecs__rule_moves_work, &moves);
}
