/* laws.c -- I2: the merge of the library is commutative, associative and idempotent, and is what the model's is; on
 * generated states of one key. Then what a local write begins after a merge. */
#include "hub.h"

#include "gen/api_public.h"
#include "store/changes.h"

enum { LIVES = 4, STATES = 3, ORDERS = 6, TRIES = 60 };

/* A file with what tries the laws. */
typedef struct court {
  sim_world world;
  sim_edge edge;
  kecs_replica side;
  const kecs_kind_info *info;
  int keys; /* that were used */
} court;

static int64_t court_now(void *user) {
  (void)user;
  return INT64_C(1700000000000000);
}

static bool court_open(court *own, uint64_t seed, const char *kind) {
  kecs_options options;
  memset(own, 0, sizeof *own);
  memset(&options, 0, sizeof options);
  sim_this = &own->world;
  own->world.chance.state = seed;
  own->info = kecs_kind_find(kind);
  own->side.site = 1;
  options.path = "laws.db";
  options.track = KECS_TRACK_ON;
  options.clock.now = court_now;
  options.cache_kib = 2048;
  kecs_status status = kecs_open(&options, &own->edge.store);
  own->side.kinds = status ? 0 : kecs_replica_kinds(own->edge.store);
  status = status ? status : kecs_replica_open(own->edge.store, own->side.kinds, NULL);
  if (status) {
    sim_fail(&own->world, "%s", kecs_last_error()->text);
  }
  return status == KECS_OK;
}

static void court_close(court *own) {
  if (kecs_close(own->edge.store) != KECS_OK) {
    sim_fail(&own->world, "%s", kecs_last_error()->text);
  }
  sim_disk_remove("laws.db");
}

/* ---- states ---- */

/* Whatever is said of one life, or of one group's stamp, is the same everywhere. */
static void draw_state(court *own, const uint64_t *lives, sim_state *out) {
  sim_chance *chance = &own->world.chance;
  uint64_t life = lives[sim_below(chance, LIVES)];
  memset(out, 0, sizeof *out);
  out->kind = (int)own->info->kind;
  out->dead = life & 1;
  out->stamp[0] = (int64_t)(1000 + life % 5);
  out->site[0] = (int64_t)(life / 5 % 4); /* one of several, with few stamps: ties */
  for (int i = 1; !out->dead && i < KECS_REPLICA_STAMPS; i++) {
    out->stamp[i] = sim_percent(chance, 30) ? 0 : 1010 + sim_below(chance, 3);
    out->site[i] = out->stamp[i] ? sim_below(chance, 4) : 0;
  }
}

/* What a column holds follows from the stamp of its group. */
static kecs_value value_of(const court *own, const sim_state *state, int column, const char *key, char *text,
                           size_t size) {
  const kecs_column_info *info = &own->info->columns[column];
  int place = info->group == KECS_GROUP_SPEC ? 1 : info->group == KECS_GROUP_STATUS ? 2 : 0;
  int64_t seed = state->stamp[0] * 16 + state->site[0] + (state->stamp[place] * 16 + state->site[place]) * 7 * place;
  kecs_value value = {KECS_VALUE_INT, 0, NULL, seed};
  bool named = strcmp(info->name, own->info->columns[own->info->keys[0].columns[0]].name) == 0;
  if (info->type == KECS_TYPE_TEXT || info->type == KECS_TYPE_JSON) {
    snprintf(text, size, info->type == KECS_TYPE_JSON ? "[%lld]" : "v%lld", (long long)seed);
    value.type = KECS_VALUE_TEXT;
    value.text = named ? key : text;
    value.len = strlen(value.text);
  } else if (info->type == KECS_TYPE_BOOL) {
    value.type = KECS_VALUE_BOOL;
    value.number = seed & 1;
  } else if (info->type == KECS_TYPE_TIME) {
    value.type = KECS_VALUE_TIME;
  }
  return value;
}

static void merge(court *own, const sim_state *state, const char *key) {
  static char texts[64][32];
  kecs_value values[64];
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  row.kind = own->info->kind;
  row.dead = state->dead;
  row.key = key;
  memcpy(row.stamp, state->stamp, sizeof row.stamp);
  memcpy(row.site, state->site, sizeof row.site);
  for (int i = 0; i < own->info->column_count; i++) {
    values[i] = value_of(own, state, i, key, texts[i], sizeof texts[i]);
  }
  row.values = values;
  if (kecs_replica_merge(own->edge.store, &own->side, &row, NULL) != KECS_OK) {
    sim_fail(&own->world, "merge: %s", kecs_last_error()->text);
  }
}

/* ---- what came out ---- */

typedef struct outcome {
  sim_state state;
  bool found;
  char values[4096];
} outcome;

static kecs_status outcome_visit(const kecs_replica_row *row, void *user) {
  outcome *out = user;
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  size_t used = 0;
  out->found = true;
  out->state.dead = row->dead;
  for (int i = 0; i < (row->dead ? 1 : KECS_REPLICA_STAMPS); i++) {
    out->state.stamp[i] = row->stamp[i];
    out->state.site[i] = row->stamp[i] ? row->site[i] : 0;
  }
  for (int i = 0; !row->dead && i < info->column_count; i++) {
    const kecs_value *value = &row->values[i];
    bool key = info->keys[0].columns[0] == i;
    if (info->columns[i].group != KECS_GROUP_LOCAL && !key) {
      used += value->type == KECS_VALUE_TEXT
                  ? (size_t)snprintf(out->values + used, sizeof out->values - used, "%s,", value->text)
                  : (size_t)snprintf(out->values + used, sizeof out->values - used, "%lld,", (long long)value->number);
    }
  }
  return KECS_OK;
}

static void find(court *own, const char *key, outcome *out) {
  memset(out, 0, sizeof *out);
  out->state.kind = (int)own->info->kind;
  out->state.key = (char *)(uintptr_t)key;
  if (kecs_replica_find(own->edge.store, &own->side, own->info->kind, key, outcome_visit, out) != KECS_OK) {
    sim_fail(&own->world, "find: %s", kecs_last_error()->text);
  }
}

static bool same(const outcome *a, const outcome *b) {
  return a->found == b->found && a->state.dead == b->state.dead && strcmp(a->values, b->values) == 0 &&
         memcmp(a->state.stamp, b->state.stamp, sizeof a->state.stamp) == 0 &&
         memcmp(a->state.site, b->state.site, sizeof a->state.site) == 0;
}

/* ---- trying ---- */

static void new_key(court *own, char *key, size_t size) {
  snprintf(key, size, "k%d", ++own->keys);
}

/* The states in one order, `twice` all again. */
static void fold(court *own, const sim_state *states, const int *order, bool twice, outcome *out) {
  static char key[32];
  new_key(own, key, sizeof key);
  for (int pass = 0; pass <= (int)twice; pass++) {
    for (int i = 0; i < STATES; i++) {
      merge(own, &states[order[i]], key);
    }
  }
  find(own, key, out);
}

static void differ(court *own, const char *law, const sim_state *states, const outcome *a, const outcome *b) {
  char texts[STATES + 2][SIM_TEXT];
  for (int i = 0; i < STATES; i++) {
    sim_state copy = states[i];
    copy.key = a->state.key;
    sim_state_text(&copy, texts[i], sizeof texts[i]);
  }
  sim_state_text(&a->state, texts[STATES], sizeof texts[0]);
  sim_state_text(&b->state, texts[STATES + 1], sizeof texts[0]);
  sim_fail(&own->world, "I2: %s: of\n  %s\n  %s\n  %s\n  comes\n  %s\n  and\n  %s", law, texts[0], texts[1], texts[2],
           texts[STATES], texts[STATES + 1]);
}

/* What the hub's model makes of them, by the stamps. */
static void fold_model(const sim_state *states, const kecs_kind_info *info, outcome *out) {
  sim_hub *hub = sim_hub_new();
  char *values[64] = {NULL};
  char any[] = "1";
  memset(out, 0, sizeof *out);
  for (int i = 0; i < info->column_count; i++) {
    values[i] = any;
  }
  for (int i = 0; i < STATES; i++) {
    if (states[i].dead) {
      hub_bury(hub, (int)info->kind, "key", states[i].stamp[0], states[i].site[0], 0, false);
    } else {
      (void)hub_put(hub, (int)info->kind, "key", states[i].stamp, states[i].site, values);
    }
  }
  const hub_row *row = hub_find(hub, (int)info->kind, "key");
  out->found = row != NULL;
  out->state.dead = row && !row->alive;
  for (int i = 0; row && i < KECS_REPLICA_STAMPS; i++) {
    out->state.stamp[i] = row->stamp[i];
    out->state.site[i] = row->stamp[i] ? row->site[i] : 0;
  }
  sim_hub_free(hub);
}

static void try_once(court *own) {
  static const int orders[ORDERS][STATES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  uint64_t lives[LIVES];
  sim_state states[STATES];
  outcome first;
  outcome other;
  for (int i = 0; i < LIVES; i++) {
    lives[i] = sim_draw(&own->world.chance) >> 8;
    for (int j = 0; j < i; j++) { /* a stamp and its site are of one life */
      bool one = lives[j] % 5 == lives[i] % 5 && lives[j] / 5 % 4 == lives[i] / 5 % 4;
      lives[i] = one ? lives[j] : lives[i];
    }
  }
  for (int i = 0; i < STATES; i++) {
    draw_state(own, lives, &states[i]);
  }
  fold(own, states, orders[0], false, &first);
  for (int i = 0; i < ORDERS && !own->world.failure[0]; i++) {
    fold(own, states, orders[i], i & 1, &other);
    if (!same(&first, &other)) {
      differ(own, i & 1 ? "redelivery" : "order", states, &first, &other);
    }
  }
  /* No group's stamp where the kind has no such group: the model keeps what it is told. */
  fold_model(states, own->info, &other);
  memcpy(other.values, first.values, sizeof other.values);
  if (!own->world.failure[0] && !same(&first, &other)) {
    differ(own, "the model", states, &first, &other);
  }
}

/* a joined with (b joined with c) is (a joined with b) joined with c: what is read of one key is merged into another.
 */
static kecs_status carry_visit(const kecs_replica_row *row, void *user) {
  *(sim_state *)user = (sim_state){(int)row->kind, row->dead, NULL, {0}, {0}, NULL};
  for (int i = 0; i < (row->dead ? 1 : KECS_REPLICA_STAMPS); i++) {
    ((sim_state *)user)->stamp[i] = row->stamp[i];
    ((sim_state *)user)->site[i] = row->stamp[i] ? row->site[i] : 0;
  }
  return KECS_OK;
}

static void try_grouping(court *own) {
  uint64_t lives[LIVES] = {10, 11, 17, 23};
  sim_state states[STATES];
  sim_state joined;
  outcome left;
  outcome right;
  char one[32];
  char two[32];
  for (int i = 0; i < STATES; i++) {
    draw_state(own, lives, &states[i]);
  }
  fold(own, states, (const int[]){0, 1, 2}, false, &left);
  new_key(own, one, sizeof one);
  merge(own, &states[1], one);
  merge(own, &states[2], one);
  (void)kecs_replica_find(own->edge.store, &own->side, own->info->kind, one, carry_visit, &joined);
  new_key(own, two, sizeof two);
  merge(own, &states[0], two);
  merge(own, &joined, two);
  find(own, two, &right);
  if (!own->world.failure[0] && !same(&left, &right)) {
    differ(own, "grouping", states, &left, &right);
  }
}

bool sim_laws(uint64_t seed, char *problem, size_t size) {
  static court own;
  static const char *const kinds[] = {"node", "node_task"};
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    bool good = court_open(&own, seed, kinds[k]);
    for (int i = 0; good && i < TRIES && !own.world.failure[0]; i++) {
      try_once(&own);
      try_grouping(&own);
    }
    court_close(&own);
    if (own.world.failure[0]) {
      snprintf(problem, size, "%s: %s", kinds[k], own.world.failure);
      return false;
    }
  }
  return true;
}

/* ---- what the simulation has found, by itself ---- */

static kecs_status stamp_visit(const kecs_replica_row *row, void *user) {
  *(int64_t *)user = row->stamp[0];
  return KECS_OK;
}

/* A key that is created again after another store's deletion of it, whose clock is ahead, begins a later life. */
static void try_new_life(court *own) {
  sim_state dead = {(int)own->info->kind, true, NULL, {INT64_C(1) << 60}, {2}, NULL};
  kecs_node node;
  int64_t life = 0;
  memset(&node, 0, sizeof node);
  node.id = "again";
  node.hostname = "host";
  merge(own, &dead, "again");
  kecs_status status = kecs_node_create(own->edge.store, &node, NULL);
  status =
      status ? status : kecs_replica_find(own->edge.store, &own->side, KECS_KIND_NODE, "again", stamp_visit, &life);
  if (status || life <= dead.stamp[0]) {
    sim_fail(&own->world, "a new life begins at %lld, before the end of the last one", (long long)life);
  }
}

static kecs_status name_visit(const kecs_replica_row *row, void *user) {
  *(bool *)user = *(bool *)user || strcmp(row->key, "folded") == 0;
  return KECS_OK;
}

/* A change that was folded to a merge's place goes with the walk that its stamp belongs to. */
static void try_fold(court *own) {
  sim_state theirs = {(int)own->info->kind, false, NULL, {5000, 0, INT64_C(1) << 60}, {2, 0, 2}, NULL};
  kecs_assignment change = {"hostname", "mine"};
  kecs_node node;
  kecs_compaction compaction;
  kecs_replica_end end;
  bool visited = false;
  memset(&node, 0, sizeof node);
  memset(&compaction, 0, sizeof compaction);
  node.id = "between";
  node.hostname = "host";
  theirs.stamp[2] = 0;
  theirs.site[2] = 0;
  merge(own, &theirs, "folded");
  kecs_status status = kecs_replica_pending(own->edge.store, &own->side, 100000, NULL, name_visit, &visited, &end);
  status = status ? status : kecs_changes_pushed(own->edge.store, end.seq);
  own->side.acked = end.stamp;
  status = status ? status : kecs_record_assign(own->edge.store, KECS_KIND_NODE, "folded", &change, 1, 0, NULL);
  status = status ? status : kecs_node_create(own->edge.store, &node, NULL);
  theirs.stamp[2] = 6000;
  theirs.site[2] = 2;
  merge(own, &theirs, "folded");
  status = status ? status : kecs_node_create(own->edge.store, (node.id = "after", &node), NULL);
  status = status ? status : kecs_changes_compact(own->edge.store, &compaction, NULL);
  visited = false;
  status = status ? status : kecs_replica_pending(own->edge.store, &own->side, 1, NULL, name_visit, &visited, &end);
  if (status || !visited) {
    sim_fail(&own->world, "a walk of one entry acknowledges a change that it has not visited (%s)",
             kecs_status_name(status));
  }
}

bool sim_cases(int number, char *problem, size_t size) {
  static court own;
  static void (*const cases[])(court *) = {try_new_life, try_fold};
  if (number >= (int)(sizeof cases / sizeof cases[0])) {
    return false;
  }
  if (court_open(&own, 1, "node")) {
    cases[number](&own);
  }
  court_close(&own);
  snprintf(problem, size, "%s", own.world.failure);
  return true;
}
