/* hub.c -- the model of a hub: states, the feed, references. */
#include "hub.h"

/* ---- making ---- */

sim_hub *sim_hub_new(void) {
  static int hubs;
  sim_hub *hub = sim_alloc(sizeof *hub);
  snprintf(hub->id, sizeof hub->id, "hub %d", ++hubs);
  hub->head = 1; /* the mark of the log that was switched on */
  hub->floor = 1;
  return hub;
}

static void row_free(hub_row *row) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)row->kind);
  for (int i = 0; row->values && i < info->column_count; i++) {
    free(row->values[i]);
  }
  free(row->values);
  row->values = NULL;
}

void hub_forget_refused(hub_site *site) {
  for (int i = 0; i < site->refused_count; i++) {
    free(site->refused[i].key);
  }
  free(site->refused);
  site->refused = NULL;
  site->refused_count = 0;
}

void sim_hub_free(sim_hub *hub) {
  for (int i = 0; hub && i < hub->row_count; i++) {
    row_free(&hub->rows[i]);
    free(hub->rows[i].key);
  }
  for (int i = 0; hub && i < hub->entry_count; i++) {
    free(hub->entries[i].key);
  }
  for (int i = 0; hub && i < hub->line_count; i++) {
    free(hub->lines[i].key);
  }
  for (int i = 0; hub && i < hub->site_count; i++) {
    hub_forget_refused(&hub->sites[i]);
  }
  if (hub) {
    for (int i = 0; i < hub->family_count; i++) {
      for (int part = 0; part < 3; part++) {
        free(hub->families[i].name[part]);
      }
    }
    hub_notes_free(hub);
    free(hub->families);
    free(hub->lines);
    free(hub->rows);
    free(hub->entries);
    free(hub->batches);
    free(hub);
  }
}

sim_hub *sim_hub_copy(const sim_hub *hub) {
  sim_hub *copy = sim_alloc(sizeof *copy);
  *copy = *hub;
  copy->rows = sim_alloc((size_t)hub->row_count * sizeof *copy->rows);
  copy->entries = sim_alloc((size_t)hub->entry_count * sizeof *copy->entries);
  copy->batches = sim_alloc((size_t)hub->batch_count * sizeof *copy->batches);
  copy->lines = sim_alloc((size_t)hub->line_count * sizeof *copy->lines);
  for (int i = 0; i < hub->line_count; i++) {
    copy->lines[i].kind = hub->lines[i].kind;
    copy->lines[i].key = sim_copy(hub->lines[i].key);
  }
  hub_notes_copy(copy, hub);
  copy->families = sim_alloc((size_t)hub->family_count * sizeof *copy->families);
  for (int i = 0; i < hub->family_count; i++) {
    copy->families[i].last = hub->families[i].last;
    for (int part = 0; part < 3; part++) {
      copy->families[i].name[part] = sim_copy(hub->families[i].name[part]);
    }
  }
  for (int i = 0; i < hub->batch_count; i++) {
    copy->batches[i] = hub->batches[i];
  }
  for (int i = 0; i < hub->entry_count; i++) {
    copy->entries[i] = hub->entries[i];
    copy->entries[i].key = sim_copy(hub->entries[i].key);
  }
  for (int i = 0; i < hub->row_count; i++) {
    hub_row *row = &copy->rows[i];
    int columns = kecs_kind_describe((kecs_kind)hub->rows[i].kind)->column_count;
    *row = hub->rows[i];
    row->key = sim_copy(row->key);
    row->values = row->values ? sim_alloc((size_t)columns * sizeof *row->values) : NULL;
    for (int c = 0; row->values && c < columns; c++) {
      row->values[c] = sim_copy(hub->rows[i].values[c]);
    }
  }
  for (int i = 0; i < hub->site_count; i++) {
    copy->sites[i].refused = NULL;
    copy->sites[i].refused_count = 0;
    for (int r = 0; r < hub->sites[i].refused_count; r++) {
      const hub_refused *refused = &hub->sites[i].refused[r];
      hub_refuse(&copy->sites[i], refused->kind, refused->key, refused->code);
    }
  }
  return copy;
}

void hub_restore(sim_hub *hub, sim_hub *copy) {
  sim_hub old = *hub;
  *hub = *copy;
  *copy = old;
  sim_hub_free(copy);
}

/* ---- the clock and the feed ---- */

int64_t hub_wall(int64_t now_us) {
  return now_us / 125 * 8192 + now_us % 125 * 8192 / 125; /* milliseconds << 16, with fractions */
}

int64_t hub_stamp(sim_hub *hub, int64_t now_us) {
  int64_t wall = hub_wall(now_us);
  hub->clock = hub->clock + 1 < wall ? wall : hub->clock + 1;
  return hub->clock;
}

static void append(sim_hub *hub, const hub_row *row, int groups, bool birth, bool death) {
  hub->entries = sim_grow(hub->entries, ((size_t)hub->entry_count + 1) * sizeof *hub->entries);
  hub_entry *entry = &hub->entries[hub->entry_count++];
  memset(entry, 0, sizeof *entry);
  entry->batch = hub->batch;
  entry->kind = row->kind;
  entry->rid = row->rid;
  entry->from = hub->from;
  entry->groups = groups;
  entry->birth = birth;
  entry->death = death;
  entry->key = sim_copy(death ? row->key : NULL);
  entry->stamp = row->stamp[0];
  entry->site = row->site[0];
}

void hub_number(sim_hub *hub) {
  for (int i = 0; i < hub->entry_count; i++) {
    hub_entry *entry = &hub->entries[i];
    if (entry->seq) {
      continue;
    }
    entry->seq = ++hub->head;
    bool last = i + 1 == hub->entry_count || hub->entries[i + 1].batch != entry->batch;
    if (last) {
      hub->batches = sim_grow(hub->batches, ((size_t)hub->batch_count + 1) * sizeof *hub->batches);
      hub_batch *batch = &hub->batches[hub->batch_count++];
      batch->seq = entry->seq;
      snprintf(batch->id, sizeof batch->id, "batch %d", ++hub->names);
    }
  }
}

const char *hub_batch_at(const sim_hub *hub, int64_t seq) {
  for (int i = 0; i < hub->batch_count; i++) {
    if (hub->batches[i].seq >= seq) {
      return hub->batches[i].id;
    }
  }
  return "";
}

/* ---- finding ---- */

hub_row *hub_find(sim_hub *hub, int kind, const char *key) {
  for (int i = 0; i < hub->row_count; i++) {
    if (hub->rows[i].kind == kind && strcmp(hub->rows[i].key, key) == 0) {
      return &hub->rows[i];
    }
  }
  return NULL;
}

hub_site *hub_site_named(sim_hub *hub, const char *name) {
  for (int i = 0; i < hub->site_count; i++) {
    if (strcmp(hub->sites[i].name, name) == 0) {
      return &hub->sites[i];
    }
  }
  return NULL;
}

hub_site *hub_site_numbered(sim_hub *hub, int64_t number) {
  for (int i = 0; i < hub->site_count; i++) {
    if (hub->sites[i].number == number) {
      return &hub->sites[i];
    }
  }
  return NULL;
}

/* Numbers that were given before the hub went back are not given again. */
hub_site *hub_site_greets(sim_hub *hub, const char *name, int64_t number) {
  hub_site *site = hub_site_named(hub, name);
  int64_t highest = 0;
  if (site || hub->site_count == HUB_SITES) {
    return site;
  }
  for (int i = 0; i < hub->site_count; i++) {
    highest = hub->sites[i].number > highest ? hub->sites[i].number : highest;
  }
  bool known = number > 0 && !hub_site_numbered(hub, number);
  site = &hub->sites[hub->site_count++];
  memset(site, 0, sizeof *site);
  site->number = known ? number : highest + 1 + 1000 * hub->losses;
  snprintf(site->name, sizeof site->name, "%s", name);
  return site;
}

void hub_refuse(hub_site *site, int kind, const char *key, const char *code) {
  site->refused = sim_grow(site->refused, ((size_t)site->refused_count + 1) * sizeof *site->refused);
  hub_refused *refused = &site->refused[site->refused_count++];
  refused->kind = kind;
  refused->key = sim_copy(key);
  snprintf(refused->code, sizeof refused->code, "%s", code);
}

/* ---- references and keys ---- */

static bool holds(const hub_row *row, int column, const char *value) {
  return row->alive && row->values[column] && strcmp(row->values[column], value) == 0;
}

/* Whether what a row would be refers to nothing that is missing. */
static bool parents_there(const sim_hub *hub, const kecs_kind_info *info, char **values) {
  for (int i = 0; i < info->reference_count; i++) {
    const kecs_reference *reference = &info->references[i];
    const char *value = values[reference->column];
    bool there = value == NULL;
    for (int r = 0; !there && r < hub->row_count; r++) {
      there = hub->rows[r].kind == (int)reference->parent && holds(&hub->rows[r], reference->parent_column, value);
    }
    if (!there) {
      return false;
    }
  }
  return true;
}

static bool same_key(const kecs_column_list *key, char **values, const hub_row *other) {
  for (int i = 0; i < key->count; i++) {
    const char *value = values[key->columns[i]];
    if (!value || (key->when_set && value[0] == '\0') || !holds(other, key->columns[i], value)) {
      return false;
    }
  }
  return true;
}

/* Whether no other row has one of its unique keys. */
static bool keys_free(const sim_hub *hub, const kecs_kind_info *info, const char *name, char **values) {
  for (int k = 1; k < info->key_count; k++) {
    for (int r = 0; r < hub->row_count; r++) {
      const hub_row *other = &hub->rows[r];
      if (other->kind == (int)info->kind && other->alive && strcmp(other->key, name) != 0 &&
          same_key(&info->keys[k], values, other)) {
        return false;
      }
    }
  }
  return true;
}

/* ---- merging ---- */

/* Which places of `row` the other state takes: bits; the life stands for all. */
static unsigned taken(const hub_row *row, const int64_t *stamp, const int64_t *site) {
  unsigned places = 0;
  int life = row ? sim_stamp_order(stamp[0], site[0], row->stamp[0], row->site[0]) : 1;
  if (life != 0) {
    return life > 0 ? 1 : 0;
  }
  for (int i = 1; row->alive && i < KECS_REPLICA_STAMPS; i++) {
    places |= sim_stamp_order(stamp[i], site[i], row->stamp[i], row->site[i]) > 0 ? 1U << i : 0;
  }
  return places;
}

static int place_of(const kecs_column_info *column) {
  return column->group == KECS_GROUP_SPEC ? 1 : column->group == KECS_GROUP_STATUS ? 2 : 0;
}

static hub_row *row_new(sim_hub *hub, int kind, const char *key) {
  hub->rows = sim_grow(hub->rows, ((size_t)hub->row_count + 1) * sizeof *hub->rows);
  hub_row *row = &hub->rows[hub->row_count++];
  memset(row, 0, sizeof *row);
  row->kind = kind;
  row->key = sim_copy(key);
  return row;
}

const char *hub_put(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, char **values) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
  hub_row *row = hub_find(hub, kind, key);
  unsigned places = taken(row, stamp, site);
  char **result = sim_alloc((size_t)info->column_count * sizeof *result);
  for (int c = 0; c < info->column_count; c++) {
    bool theirs = places & 1 || places & 1U << place_of(&info->columns[c]);
    bool kept = row && row->alive && !theirs;
    result[c] = sim_copy(kept ? row->values[c] : values[c]);
  }
  const char *code = !places                              ? NULL
                     : !parents_there(hub, info, result)  ? "23503"
                     : !keys_free(hub, info, key, result) ? "23505"
                                                          : NULL;
  if (!places || code) {
    hub_row loser = {kind, NULL, false, 0, {0}, {0}, result};
    row_free(&loser);
    return code;
  }
  row = row ? row : row_new(hub, kind, key);
  row_free(row);
  row->values = result;
  bool birth = !row->alive;
  row->rid = birth ? ++hub->rids[kind] : row->rid;
  row->alive = true;
  int groups = 0;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    if (places & 1 || places & 1U << i) {
      groups |= i > 0 && (row->stamp[i] != stamp[i] || row->site[i] != site[i]) ? 1 << i : 0;
      row->stamp[i] = stamp[i];
      row->site[i] = site[i];
    }
  }
  append(hub, row, birth ? 15 : groups ? groups : 8, birth, false);
  return NULL;
}

/* ---- deleting ---- */

static int64_t later_than(const sim_hub *hub, const hub_row *row) {
  int64_t stamp = hub->clock;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    stamp = row->stamp[i] + 1 > stamp ? row->stamp[i] + 1 : stamp;
  }
  return stamp;
}

/* What refers to a row that goes. */
typedef struct going {
  sim_hub *hub;
  int64_t now_us;
  int64_t site;
  bool noted;
  bool clears; /* what stays is cleared by the hub; otherwise what goes along goes */
} going;

static void let_go(const going *how, const kecs_kind_info *info, char **values);

static void go_along(const going *how, const kecs_kind_info *child, int at) {
  sim_hub *hub = how->hub;
  hub_row *row = &hub->rows[at];
  if (how->noted) {
    hub_note_add(hub, row->kind, row->key, "parent", 1, how->site, row->site[0]);
  }
  row->alive = false;
  (void)hub_stamp(hub, how->now_us);
  row->stamp[0] = later_than(hub, row);
  row->site[0] = 0; /* the stamp is the hub's */
  row->stamp[1] = row->stamp[2] = row->site[1] = row->site[2] = 0;
  append(hub, row, 15, false, true);
  let_go(how, child, row->values);
  row_free(&hub->rows[at]);
}

static void let_go(const going *how, const kecs_kind_info *info, char **values) {
  sim_hub *hub = how->hub;
  for (int r = 0; r < hub->row_count; r++) {
    const kecs_kind_info *child = kecs_kind_describe((kecs_kind)hub->rows[r].kind);
    for (int i = 0; i < child->reference_count; i++) {
      const kecs_reference *reference = &child->references[i];
      const char *value = reference->parent == info->kind ? values[reference->parent_column] : NULL;
      hub_row *row = &hub->rows[r];
      if (!value || !holds(row, reference->column, value)) {
        continue;
      }
      bool cascades = reference->on_delete == KECS_ON_DELETE_CASCADE;
      if (cascades && how->clears) {
        let_go(how, child, row->values);
      } else if (cascades) {
        go_along(how, child, r);
      } else if (how->clears) {
        int place = place_of(&child->columns[reference->column]);
        free(row->values[reference->column]);
        row->values[reference->column] = NULL;
        (void)hub_stamp(hub, how->now_us);
        row->stamp[place] = later_than(hub, row);
        row->site[place] = 0;
        append(hub, row, 1 << place, false, false);
      }
    }
  }
}

void hub_bury(sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t site, int64_t now_us, bool noted) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
  hub_row *row = hub_find(hub, kind, key);
  going how = {hub, now_us, site, noted, true};
  if (row && sim_stamp_order(stamp, site, row->stamp[0], row->site[0]) <= 0) {
    return;
  }
  row = row ? row : row_new(hub, kind, key);
  if (row->alive) {
    let_go(&how, info, row->values);
  } else {
    row->rid = 0;
  }
  row->alive = false;
  row->stamp[0] = stamp;
  row->site[0] = site;
  row->stamp[1] = row->stamp[2] = row->site[1] = row->site[2] = 0;
  append(hub, row, 15, false, true);
  if (row->values) {
    how.clears = false;
    let_go(&how, info, row->values);
    row_free(row);
  }
}

/* ---- what others write ---- */

void hub_change(sim_hub *hub, int kind, const char *key, int column, const char *value, int64_t now_us) {
  hub_row *row = hub_find(hub, kind, key);
  int place = place_of(&kecs_kind_describe((kecs_kind)kind)->columns[column]);
  hub->batch++;
  hub->from = 0;
  free(row->values[column]);
  row->values[column] = sim_copy(value);
  (void)hub_stamp(hub, now_us);
  row->stamp[place] = later_than(hub, row);
  row->site[place] = 0;
  append(hub, row, 1 << place, false, false);
}

void hub_erase(sim_hub *hub, int kind, const char *key, int64_t now_us) {
  hub->batch++;
  hub->from = 0;
  (void)hub_stamp(hub, now_us);
  hub_bury(hub, kind, key, later_than(hub, hub_find(hub, kind, key)), 0, now_us, false);
}

/* ---- collecting ---- */

void hub_compact(sim_hub *hub, int64_t upto, sim_states *gone) {
  int kept = 0;
  for (int i = 0; i < hub->entry_count; i++) {
    hub_entry *entry = &hub->entries[i];
    if (entry->seq == 0 || entry->seq > upto) {
      hub->entries[kept++] = *entry;
      continue;
    }
    if (entry->death) {
      sim_state *state = sim_states_add(gone, entry->kind, sim_copy(entry->key), NULL);
      state->dead = true;
      state->stamp[0] = entry->stamp;
      state->site[0] = entry->site;
    }
    free(entry->key);
  }
  hub->entry_count = kept;
  kept = 0;
  for (int i = 0; i < hub->batch_count; i++) {
    if (hub->batches[i].seq >= upto) {
      hub->batches[kept++] = hub->batches[i];
    }
  }
  hub->batch_count = kept;
  hub->floor = upto > hub->floor ? upto : hub->floor;
  kept = 0;
  for (int i = 0; i < hub->row_count; i++) {
    hub_row *row = &hub->rows[i];
    bool told = row->alive;
    for (int e = 0; e < hub->entry_count && !told; e++) {
      const hub_entry *entry = &hub->entries[e];
      told = entry->death && entry->kind == row->kind && strcmp(entry->key, row->key) == 0;
    }
    if (told) {
      hub->rows[kept++] = *row;
    } else {
      row_free(row);
      free(row->key);
    }
  }
  hub->row_count = kept;
}

void sim_hub_collect(sim_hub *hub, int percent, sim_states *gone) {
  hub_number(hub);
  hub_compact(hub, hub->floor + (hub->head - hub->floor) * percent / 100, gone);
}

/* Names are not given again: nobody can guess a batch's. */
void sim_hub_go_back(sim_hub *hub, sim_hub *earlier) {
  int names = hub->names;
  int losses = hub->losses + 1;
  hub_restore(hub, earlier);
  hub->names = names;
  hub->losses = losses;
}

/* ---- what only grows ---- */

bool sim_hub_has(const sim_hub *hub, int kind, const char *key) {
  for (int i = 0; i < hub->line_count; i++) {
    if (hub->lines[i].kind == kind && strcmp(hub->lines[i].key, key) == 0) {
      return true;
    }
  }
  return false;
}

void hub_append(sim_hub *hub, int kind, const char *key) {
  hub_row row = {kind, NULL, true, 0, {0}, {0}, NULL};
  if (!sim_hub_has(hub, kind, key)) {
    hub->lines = sim_grow(hub->lines, ((size_t)hub->line_count + 1) * sizeof *hub->lines);
    hub->lines[hub->line_count].kind = kind;
    hub->lines[hub->line_count++].key = sim_copy(key);
    row.rid = ++hub->rids[kind];
    append(hub, &row, 15, true, false);
  }
}
