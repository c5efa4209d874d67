/* checks.c -- the invariants of docs/sync.md 14, looked at during a run and at its end. */
#include "hub.h"

#include "sqlite/sqlite_header.h"

#include "store/changes.h"

static void show(sim_world *world, const char *what, const char *who, const sim_state *mine, const sim_state *other) {
  char a[SIM_TEXT * 2] = "nothing";
  char b[SIM_TEXT * 2] = "nothing";
  if (mine) {
    sim_state_text(mine, a, sizeof a);
  }
  if (other) {
    sim_state_text(other, b, sizeof b);
  }
  sim_fail(world, "%s: %s has\n    %s\n  and there is\n    %s", what, who, a, b);
}

/* ---- the hub's states ---- */

static char *values_of(const hub_row *row) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)row->kind);
  size_t size = 1;
  for (int i = 0; i < info->column_count; i++) {
    size += strlen(info->columns[i].name) + 3 + (row->values[i] ? strlen(row->values[i]) : 0);
  }
  char *text = sim_alloc(size);
  size_t used = 0;
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group != KECS_GROUP_LOCAL) {
      const char *value = row->values[i];
      if (value && info->columns[i].type == KECS_TYPE_BOOL) {
        value = value[0] == 't' ? "1" : "0";
      }
      used += (size_t)snprintf(text + used, size - used, "%s%s%s\x1f", info->columns[i].name, value ? "=" : "~",
                               value ? value : "");
    }
  }
  return text;
}

static void model_states(const sim_hub *hub, sim_states *out) {
  for (int i = 0; i < hub->row_count; i++) {
    const hub_row *row = &hub->rows[i];
    sim_state *state = sim_states_add(out, row->kind, sim_copy(row->key), row->alive ? values_of(row) : NULL);
    state->dead = !row->alive;
    memcpy(state->stamp, row->stamp, sizeof state->stamp);
    memcpy(state->site, row->site, sizeof state->site);
  }
}

void sim_hub_states(sim_world *world, sim_states *out) {
  memset(out, 0, sizeof *out);
  if (world->hub) {
    model_states(world->hub, out);
  } else {
    sim_postgres_states(world, out);
  }
  sim_states_sort(out);
}

void sim_hub_notes(sim_world *world, sim_states *out) {
  if (!world->hub) {
    sim_postgres_notes(world, out);
  }
  for (int i = 0; world->hub && i < world->hub->note_count; i++) {
    const hub_note *note = &world->hub->notes[i];
    char text[SIM_TEXT];
    snprintf(text, sizeof text, "%s lost by %s: groups %d of %lld to %lld", note->key, note->reason, note->groups,
             (long long)note->lost_site, (long long)note->kept_site);
    sim_states_add(out, note->kind, sim_copy(text), NULL)->dead = true;
  }
}

/* ---- I10, I12: what a push brings ---- */

void sim_check_taken(sim_world *world, const sim_state *state) {
  const hub_row *row = world->hub ? hub_find(world->hub, state->kind, state->key) : NULL;
  sim_state there;
  memset(&there, 0, sizeof there);
  if (!world->hub) {
    return;
  }
  if (row) {
    there.kind = row->kind;
    there.key = row->key;
    there.dead = !row->alive;
    memcpy(there.stamp, row->stamp, sizeof there.stamp);
    memcpy(there.site, row->site, sizeof there.site);
  }
  if (!row || !sim_state_covers(&there, state)) {
    show(world, "I12: a push was taken and refused nothing", "the hub", row ? &there : NULL, state);
  }
  for (int i = 0; row && i < KECS_REPLICA_STAMPS; i++) {
    if (row->stamp[i] > hub_wall(world->now_us) + INT64_C(300) * 65536000 + 65536) {
      show(world, "I10: a stamp is too far ahead", "the hub", &there, state);
    }
  }
}

/* ---- I7: a request that comes twice ---- */

static uint64_t hash(uint64_t sum, const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < size; i++) {
    sum = (sum ^ at[i]) * UINT64_C(1099511628211);
  }
  return sum;
}

static uint64_t print_of(sim_world *world) {
  sim_states states;
  uint64_t sum = 14695981039346656037ULL;
  sim_hub_states(world, &states);
  for (size_t i = 0; i < states.count; i++) {
    const sim_state *state = &states.list[i];
    sum = hash(sum, &state->kind, sizeof state->kind);
    sum = hash(sum, state->key, strlen(state->key));
    sum = hash(sum, state->stamp, sizeof state->stamp);
    sum = hash(sum, state->site, sizeof state->site);
    sum = hash(sum, state->values, state->values ? strlen(state->values) : 0);
  }
  sim_states_free(&states);
  int64_t entries = world->hub ? world->hub->entry_count : sim_postgres_entries(world);
  return hash(sum, &entries, sizeof entries);
}

void sim_check_twice(sim_world *world) {
  uint64_t before = print_of(world);
  sim_late first = world->late[world->late_count - 1];
  memmove(world->late + 1, world->late, (size_t)(world->late_count - 1) * sizeof first);
  world->late[0] = first;
  sim_link_deliver(world, false);
  if (before != print_of(world)) {
    sim_fail(world, "I7: a request that came twice has changed the hub");
  }
}

/* ---- I5: reads are monotone ---- */

/* A column's value in a state's text; false where it is NULL. */
static bool value_in(const sim_state *state, const char *column, char *out, size_t size) {
  char name[80];
  snprintf(name, sizeof name, "%s=", column);
  size_t len = strlen(name);
  for (const char *at = state->values; at && *at; at += strcspn(at, "\x1f") + 1) {
    if (strncmp(at, name, len) == 0) {
      snprintf(out, size, "%.*s", (int)strcspn(at + len, "\x1f"), at + len);
      return true;
    }
  }
  return false;
}

/* The row that a value of a reference names. */
static const sim_state *parent_in(const sim_states *states, const kecs_reference *reference, const char *value) {
  const char *column = kecs_kind_describe(reference->parent)->columns[reference->parent_column].name;
  char other[SIM_TEXT];
  for (size_t i = 0; i < states->count; i++) {
    const sim_state *state = &states->list[i];
    if (state->kind == (int)reference->parent && !state->dead && value_in(state, column, other, sizeof other) &&
        strcmp(value, other) == 0) {
      return state;
    }
  }
  return NULL;
}

/* A row goes with its parent under the stamp of the parent's deletion, also where its own are later: it was pushed
 * nowhere, or the hub tells of its end as well. The parent may have a new life by now. */
static bool went_with_parent(const sim_states *now, const sim_states *before, const sim_state *old) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)old->kind);
  char value[SIM_TEXT];
  for (int i = 0; i < info->reference_count; i++) {
    const kecs_reference *reference = &info->references[i];
    if (reference->on_delete != KECS_ON_DELETE_CASCADE ||
        !value_in(old, info->columns[reference->column].name, value, sizeof value)) {
      continue;
    }
    const sim_state *is = parent_in(now, reference, value);
    const sim_state *was = parent_in(before, reference, value);
    if (!is || !was || is->stamp[0] != was->stamp[0] || went_with_parent(now, before, was)) {
      return true;
    }
  }
  return false;
}

static bool covers_under_another_name(const sim_state *new, const sim_state *old) {
  sim_state copy = *old;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    copy.site[i] = new->stamp[i] == old->stamp[i] ? new->site[i] : old->site[i];
  }
  return sim_state_covers(new, &copy);
}

/* A clock that was ahead has stamped it, further than any hub takes: its own edge has given such a stamp anew. */
static bool given_anew(const sim_edge *edge, const sim_state *new, const sim_state *old) {
  bool anew = false;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    anew = anew || old->stamp[i] - new->stamp[i] > INT64_C(240) * 65536000; /* it takes 300 s, a round ago */
  }
  return anew && edge->world->faults & SIM_SKEW;
}

/* A tag of a definition that was registered anew, or of the one that has its number now. */
static bool tags_another(const sim_states *now, const sim_states *before, const sim_state *old) {
  char arn[SIM_TEXT];
  const char *end = strrchr(old->key, ',');
  if (old->kind != (int)KECS_KIND_TAG || !end || !strstr(old->key, ":task-definition/")) {
    return false;
  }
  snprintf(arn, sizeof arn, "%.*s", (int)(end - old->key), old->key);
  const sim_state *is = sim_states_find(now, (int)KECS_KIND_TASK_DEFINITION, arn);
  const sim_state *was = sim_states_find(before, (int)KECS_KIND_TASK_DEFINITION, arn);
  return !is || !was || is->stamp[0] != was->stamp[0] || is->site[0] != was->site[0];
}

/* Whether a state may be as it is after it was `old`. */
static bool may_follow(const sim_edge *edge, const sim_states *now, const sim_state *new, const sim_state *old) {
  const int64_t week_us = INT64_C(604800000000);
  bool is_void = old->dead && old->stamp[0] == 1 && old->site[0] == 0;
  if (!new && (is_void || edge->world->faults & SIM_ABSENCE)) { /* it was deleted at the hub, and collected */
    return true;
  }
  if (!new) { /* compaction takes tombstones of a week ago, by the edge's own clock */
    return old->dead && edge->world->ahead_us > week_us && edge->world->faults & SIM_COMPACT;
  }
  /* What hung on a definition that is registered anew is void: nobody else has seen it under the old number. */
  bool withdrawn = new->dead && new->stamp[0] == 1 && new->site[0] == 0;
  /* A number that another one has given before: the definition is registered anew under the next one. */
  bool renumbered = new->kind == (int)KECS_KIND_TASK_DEFINITION &&
                    (new->site[0] != old->site[0] || new->stamp[0] != old->stamp[0]);
  renumbered = renumbered || tags_another(now, &edge->seen, old);
  /* What a copy had not pushed is of another site, until it meets the same write under the first one's number. */
  bool renamed = edge->world->faults & SIM_RESTORE && covers_under_another_name(new, old);
  bool excused = renumbered || renamed || withdrawn || went_with_parent(now, &edge->seen, old);
  return excused || given_anew(edge, new, old) || sim_state_covers(new, old);
}

void sim_check_monotone(sim_edge *edge) {
  sim_states now;
  int64_t version = sim_edge_version(edge);
  if ((version > 0 && version == edge->seen_version) || !sim_edge_read(edge, true, &now)) {
    return;
  }
  edge->seen_version = version;
  for (size_t i = 0; i < edge->seen.count; i++) {
    const sim_state *old = &edge->seen.list[i];
    const sim_state *new = sim_states_find(&now, old->kind, old->key);
    if (!may_follow(edge, &now, new, old)) {
      show(edge->world, "I5: a state has gone back", edge->site, new, old);
      break;
    }
  }
  sim_states_free(&edge->seen);
  edge->seen = now;
}

/* ---- I6: all up to the cursor is here ---- */

static int64_t last_entry(const sim_hub *hub, const hub_row *row) {
  int64_t last = 0;
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *entry = &hub->entries[i];
    bool own = entry->kind == row->kind && (entry->death ? strcmp(entry->key, row->key) == 0 : entry->rid == row->rid);
    last = !own ? last : entry->seq ? entry->seq : INT64_MAX;
  }
  return last;
}

void sim_check_round(sim_edge *edge) {
  kecs_sync_status_info info;
  sim_world *world = edge->world;
  sim_check_monotone(edge);
  if (!world->hub || world->failure[0] || kecs_sync_status(edge->sync, &info) || info.wanted > 0) {
    return;
  }
  for (int i = 0; i < world->hub->row_count; i++) {
    const hub_row *row = &world->hub->rows[i];
    const sim_state *mine = sim_states_find(&edge->seen, row->kind, row->key);
    if (!(edge->kinds & KECS_BIT(row->kind)) || last_entry(world->hub, row) > info.cursor) {
      continue;
    }
    sim_state there = {row->kind, !row->alive, row->key, {0}, {0}, NULL};
    memcpy(there.stamp, row->stamp, sizeof there.stamp);
    memcpy(there.site, row->site, sizeof there.site);
    bool both_dead = mine && mine->dead && there.dead; /* under whichever deletion came first here */
    /* A comparison of everything brings tombstones only where rows differ. */
    bool repaired = world->faults & (SIM_HUB_LOSS | SIM_RESTORE | SIM_ABSENCE);
    bool collected = !mine && there.dead && (world->ahead_us > 0 || repaired);
    if (!both_dead && !collected && (!mine || !sim_state_covers(mine, &there))) {
      show(world, "I6: the cursor has passed over a state", edge->site, mine, &there);
      return;
    }
  }
}

/* ---- at the end ---- */

/* I1: row by row, stamp by stamp. */
static void check_equal(sim_edge *edge, const sim_states *hub) {
  sim_states mine;
  if (!sim_edge_read(edge, true, &mine)) {
    return;
  }
  for (size_t i = 0; i < hub->count; i++) {
    const sim_state *there = &hub->list[i];
    const sim_state *here = sim_states_find(&mine, there->kind, there->key);
    bool same = here && !here->dead && memcmp(here->stamp, there->stamp, sizeof here->stamp) == 0 &&
                memcmp(here->site, there->site, sizeof here->site) == 0 && strcmp(here->values, there->values) == 0;
    if (there->dead || !(edge->kinds & KECS_BIT(there->kind))) {
      continue;
    }
    if (!same) {
      show(edge->world, "I1: a row differs from the hub's", edge->site, here, there);
      break;
    }
  }
  for (size_t i = 0; i < mine.count && !edge->world->failure[0]; i++) {
    const sim_state *there = sim_states_find(hub, mine.list[i].kind, mine.list[i].key);
    if (!mine.list[i].dead && (!there || there->dead)) {
      show(edge->world, "I1: a row is not at the hub", edge->site, &mine.list[i], there);
    }
  }
  sim_states_free(&mine);
}

static void check_tables(sim_edge *edge) {
  static const struct {
    const char *sql;
    const char *what;
  } empty[] = {{"SELECT count(*) FROM sync_wanted", "I13: rows are wanted still"},
               {"SELECT count(*) FROM sync_refused", "I13: rows are refused still"},
               {"SELECT count(*) FROM sync_state WHERE name='intent_id' AND value<>''", "I11: an intent is left"},
               {"SELECT count(*) FROM pragma_foreign_key_check", "a reference is broken"}};
  for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
    int64_t count = sim_edge_ask(edge, empty[i].sql);
    if (count != 0) {
      sim_fail(edge->world, "%s: %s (%lld)", edge->site, empty[i].what, (long long)count);
    }
  }
}

/* What only grows is all at the hub, unless that went back: it is not sent again. */
static void check_grown(sim_edge *edge) {
  sim_world *world = edge->world;
  sim_states mine;
  sim_edge_grown(edge, &mine);
  for (size_t i = 0; i < mine.count && !(world->faults & SIM_HUB_LOSS); i++) {
    const sim_state *line = &mine.list[i];
    if (!(world->hub ? sim_hub_has(world->hub, line->kind, line->key)
                     : sim_postgres_has(world, line->kind, line->key))) {
      sim_fail(world, "I3: %s: the hub lacks the %s %s", edge->site, kecs_kind_describe((kecs_kind)line->kind)->name,
               line->key);
    }
  }
  sim_states_free(&mine);
}

/* I8: what a settled edge keeps beside its rows is one entry, once it is compacted. */
static void check_bounds(sim_edge *edge) {
  kecs_compaction compaction;
  memset(&compaction, 0, sizeof compaction);
  kecs_status status = kecs_changes_compact(edge->store, &compaction, NULL);
  int64_t entries = sim_edge_ask(edge, "SELECT count(*) FROM changes");
  int64_t folds = sim_edge_ask(edge, "SELECT count(*) FROM change_folds");
  if (status || entries > 1 || folds > 0) {
    sim_fail(edge->world, "I8: %s: %lld entries and %lld folds are left (%s)", edge->site, (long long)entries,
             (long long)folds, kecs_status_name(status));
  }
}

/* Whether a tombstone that the hub has no more covers it. */
static bool was_collected(const sim_world *world, const sim_state *taken) {
  for (size_t i = 0; i < world->collected.count; i++) {
    const sim_state *grave = &world->collected.list[i];
    if (grave->kind == taken->kind && strcmp(grave->key, taken->key) == 0 && sim_state_covers(grave, taken)) {
      return true;
    }
  }
  return false;
}

/* Whether somebody's log of conflicts has a row. */
static bool was_kept(sim_world *world, const sim_state *taken) {
  char sql[SIM_TEXT * 2];
  bool kept = false;
  sqlite3_snprintf((int)sizeof sql, sql, "SELECT count(*) FROM sync_conflicts WHERE kind=%d AND key=%Q", taken->kind,
                   taken->key);
  for (int i = 0; i < world->edge_count && !kept; i++) {
    kept = sim_edge_ask(&world->edge[i], sql) > 0;
  }
  for (int i = 0; world->hub && i < world->hub->note_count && !kept; i++) {
    const hub_note *note = &world->hub->notes[i];
    kept = note->kind == taken->kind && strcmp(note->key, taken->key) == 0;
  }
  return kept;
}

/* I3, I4: what the hub has taken is there, or something later: while somebody holds it. A row that the hub has lost,
 * and that went with its parent before it could be sent again, is in a log of conflicts. */
static void check_acked(sim_world *world, const sim_states *hub) {
  if (world->faults & SIM_HUB_LOSS && world->faults & (SIM_RESTORE | SIM_ABSENCE)) {
    return; /* both holders may have gone back, and tombstones with them */
  }
  for (size_t i = 0; i < world->acked.count && !world->failure[0]; i++) {
    const sim_state *taken = &world->acked.list[i];
    const sim_state *there = sim_states_find(hub, taken->kind, taken->key);
    bool kept = world->faults & SIM_HUB_LOSS && !taken->dead && was_kept(world, taken);
    if ((!there || !sim_state_covers(there, taken)) && !was_collected(world, taken) && !kept) {
      show(world, taken->dead ? "I4: a deletion was undone" : "I3: a write was lost", "the hub", there, taken);
    }
  }
}

void sim_check_end(sim_world *world) {
  sim_states hub;
  sim_hub_states(world, &hub);
  check_acked(world, &hub);
  for (int i = 0; i < world->edge_count && !world->failure[0]; i++) {
    check_equal(&world->edge[i], &hub);
    check_tables(&world->edge[i]);
    check_grown(&world->edge[i]);
    check_bounds(&world->edge[i]);
  }
  sim_states_free(&hub);
}

/* ---- the model against PostgreSQL ---- */

/* An edge's clock goes on from what the hub's gave, which counts other things within its millisecond than the model. */
static bool same_stamps(const sim_state *a, const sim_state *b) {
  bool same = a->dead == b->dead;
  for (int i = 0; same && !a->dead && i < KECS_REPLICA_STAMPS; i++) {
    bool hubs = a->site[i] == 0 && (a->stamp[i] == 0) == (b->stamp[i] == 0);
    int64_t apart = a->stamp[i] - b->stamp[i];
    same = a->site[i] == b->site[i] && (hubs || (apart > -65536 && apart < 65536));
  }
  return same;
}

bool sim_same_outcome(const sim_states *a, const sim_states *b, char *problem, size_t size) {
  const sim_states *const lists[] = {a, b};
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; i < lists[side]->count; i++) {
      const sim_state *one = &lists[side]->list[i];
      const sim_state *two = sim_states_find(lists[!side], one->kind, one->key);
      char texts[2][SIM_TEXT] = {"nothing", "nothing"};
      if (two && same_stamps(one, two) && (one->dead || strcmp(one->values, two->values) == 0)) {
        continue;
      }
      sim_state_text(one, texts[0], sizeof texts[0]);
      if (two) {
        sim_state_text(two, texts[1], sizeof texts[1]);
      }
      snprintf(problem, size, "the model differs: %s has\n    %s\n  and %s\n    %s", side ? "the model" : "PostgreSQL",
               texts[0], side ? "PostgreSQL" : "the model", texts[1]);
      return false;
    }
  }
  return true;
}
