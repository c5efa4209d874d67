/* world.c -- a world's life: edges that work, are killed and away; then rounds until nothing moves; then the checks. */
#include "sim.h"

#include "pg/public.h"
#include "sqlite/sqlite_header.h"
#include "store/changes.h"

#define START_US INT64_C(1700000000000000)
#define MINUTE_US INT64_C(60000000)

enum { COPIED_ABOVE = 3 /* entries */ };

sim_world *sim_this;

/* ---- telling ---- */

void sim_fail(sim_world *world, const char *form, ...) {
  if (!world->failure[0]) {
    va_list list;
    int used = snprintf(world->failure, sizeof world->failure, "step %d: ", world->step);
    va_start(list, form);
    vsnprintf(world->failure + used, sizeof world->failure - (size_t)used, form, list);
    va_end(list);
  }
}

void sim_trace(const sim_world *world, const char *form, ...) {
  if (world->trace) {
    va_list list;
    va_start(list, form);
    fprintf(stderr, "%4d ", world->step);
    vfprintf(stderr, form, list);
    fprintf(stderr, "\n");
    va_end(list);
  }
}

/* ---- edges ---- */

int64_t sim_edge_now(const sim_edge *edge) {
  return edge->world->now_us + edge->skew_us;
}

static int64_t clock_of(void *user) {
  return sim_edge_now(user);
}

static bool random_of(void *bytes, size_t size, void *user) {
  sim_edge *edge = user;
  for (size_t i = 0; i < size; i++) {
    ((unsigned char *)bytes)[i] = (unsigned char)sim_draw(&edge->world->chance);
  }
  return true;
}

static bool closed_under_parents(uint64_t kinds) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; (kinds & KECS_BIT(kind)) && i < info->reference_count; i++) {
      if (!(kinds & KECS_BIT(info->references[i].parent))) {
        return false;
      }
    }
  }
  return true;
}

/* The kinds that an edge syncs: all, or now and then only some. */
static uint64_t choose_kinds(sim_world *world) {
  uint64_t kinds = world->kinds;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    uint64_t fewer = kinds & ~KECS_BIT(kind);
    if (sim_percent(&world->chance, 30) && fewer && closed_under_parents(fewer)) {
      kinds = fewer;
    }
  }
  return kinds;
}

static kecs_status open_store(sim_edge *edge, const char *path) {
  kecs_options options;
  memset(&options, 0, sizeof options);
  options.path = path;
  options.track = KECS_TRACK_ON;
  options.clock.now = clock_of;
  options.clock.user = edge;
  options.random.fill = random_of;
  options.random.user = edge;
  options.cache_kib = 2048;
  options.row_cache.entries = -1;
  return kecs_open(&options, &edge->store);
}

/* SQLite reads all triggers whenever a file is opened: they are left out where no other program writes. */
static void drop_triggers(const char *path) {
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  char sql[16384] = "";
  size_t used = 0;
  int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
  rc = rc ? rc : sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type='trigger'", -1, &statement, NULL);
  while (rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW && used < sizeof sql) {
    used += (size_t)snprintf(sql + used, sizeof sql - used, "DROP TRIGGER %s;", sqlite3_column_text(statement, 0));
  }
  (void)sqlite3_finalize(statement);
  rc = rc ? rc : used < sizeof sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_TOOBIG;
  (void)sqlite3_close(db);
  if (rc) {
    sim_fail(sim_this, "%s: its triggers can't be dropped", path);
  }
}

/* Files with their tables, of which each edge gets a copy. */
void sim_world_prepare(sim_world *world) {
  sim_edge *edge = &world->edge[0];
  memset(world, 0, sizeof *world);
  sim_this = world;
  world->now_us = START_US;
  edge->world = world;
  kecs_status status = open_store(edge, "full.db");
  status = status ? status : kecs_replica_open(edge->store, kecs_replica_kinds(edge->store), NULL);
  status = status ? status : kecs_close(edge->store);
  if (status) {
    fprintf(stderr, "no file can be made: %s\n", kecs_last_error()->text);
    abort();
  }
  sim_disk_copy("full.db", "bare.db");
  drop_triggers("bare.db");
}

bool sim_edge_open(sim_edge *edge) {
  sim_world *world = edge->world;
  kecs_sync_options options;
  kecs_kind kinds[KECS_KIND_COUNT];
  kecs_status status = open_store(edge, edge->path);
  edge->seen_version = 0;
  memset(&options, 0, sizeof options);
  options.hub = world->hub_url;
  options.site = edge->site;
  options.batch = world->batch;
  options.kinds = kinds;
  if (!status && !edge->kinds) {
    world->kinds = kecs_replica_kinds(edge->store) & world->allowed;
    world->growing = world->faults & SIM_GROWS ? kecs_replica_append_kinds(edge->store) : 0;
    edge->kinds = sim_percent(&world->chance, 15) ? choose_kinds(world) : world->kinds;
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if ((edge->kinds | world->growing) & KECS_BIT(kind)) {
      kinds[options.kind_count++] = (kecs_kind)kind;
    }
  }
  status = status ? status : kecs_sync_open(edge->store, &options, &edge->sync);
  if (status && !sim_disk_killed(edge->path)) {
    sim_fail(world, "%s can't be opened: %s", edge->site, kecs_last_error()->text);
  }
  if (!status && world->copies) {
    edge->sync->arrays_most = COPIED_ABOVE;
  }
  return status == KECS_OK;
}

void sim_edge_close(sim_edge *edge) {
  sim_edge_forget(edge);
  kecs_sync_close(edge->sync);
  edge->sync = NULL;
  kecs_status status = kecs_close(edge->store);
  edge->store = NULL;
  if (status && !sim_disk_killed(edge->path)) {
    sim_fail(edge->world, "%s can't be closed: %s", edge->site, kecs_last_error()->text);
  }
}

void sim_edge_restart(sim_edge *edge, bool power_cut) {
  sim_trace(edge->world, "%s starts again%s", edge->site, power_cut ? " after a power cut" : "");
  sim_edge_close(edge);
  sim_disk_revive(edge->path, power_cut);
  if (power_cut) { /* what was not synced was seen, and is gone */
    sim_states_free(&edge->seen);
  }
  (void)sim_edge_open(edge);
}

kecs_status sim_round(sim_edge *edge) {
  kecs_sync_report report;
  sim_world *world = edge->world;
  kecs_status status = kecs_sync_once(edge->sync, &report);
  const kecs_error *error = kecs_last_error();
  bool ahead = status == KECS_E_CONFLICT && strcmp(error->sqlstate, "KS002") == 0 && world->faults & SIM_SKEW;
  bool killed = sim_disk_killed(edge->path);
  sim_trace(world, "%s round: %s pushed %lld pulled %lld refused %lld", edge->site,
            status ? error->text : kecs_status_name(status), (long long)report.pushed, (long long)report.pulled,
            (long long)report.refused);
  if (status && status != KECS_E_OFFLINE && !ahead && !killed) {
    sim_fail(world, "%s: a round: %s: %s", edge->site, kecs_status_name(status), error->text);
  }
  if (!status && !killed) {
    sim_check_round(edge);
  }
  return status ? status : report.pushed + report.pulled + report.refused > 0 ? KECS_E_BUSY : KECS_OK;
}

void sim_compact(sim_edge *edge) {
  kecs_compaction compaction;
  memset(&compaction, 0, sizeof compaction);
  kecs_status status = kecs_changes_compact(edge->store, &compaction, NULL);
  if (status && !sim_disk_killed(edge->path)) {
    sim_fail(edge->world, "%s: compaction: %s", edge->site, kecs_last_error()->text);
  }
}

/* ---- steps ---- */

static void skew(sim_edge *edge) {
  static const int64_t jumps[] = {0,
                                  0,
                                  1000,
                                  -1000,
                                  5000000,
                                  -5000000,
                                  200000000,
                                  -3600000000,
                                  900000000,
                                  -START_US + 1,
                                  INT64_C(2200000000000000)};
  sim_chance *chance = &edge->world->chance;
  edge->skew_us = jumps[sim_below(chance, (int)(sizeof jumps / sizeof jumps[0]) - (sim_percent(chance, 80) ? 2 : 0))];
  edge->world->ahead_us = edge->skew_us > edge->world->ahead_us ? edge->skew_us : edge->world->ahead_us;
  sim_trace(edge->world, "%s: its clock is off by %lld us", edge->site, (long long)edge->skew_us);
}

/* The hub goes back to what it was some time ago: after a failover that has lost its tail, or a restored backup. */
static void lose(sim_world *world) {
  if (!world->hub) {
    return;
  }
  if (!world->earlier || sim_percent(&world->chance, 50)) {
    sim_hub_free(world->earlier);
    world->earlier = sim_hub_copy(world->hub);
    return;
  }
  sim_trace(world, "the hub goes back");
  sim_hub_go_back(world->hub, world->earlier);
  world->earlier = NULL;
  memset(world->pushes, 0, sizeof world->pushes);
}

static void backup_name(const sim_edge *edge, char *out, size_t size) {
  snprintf(out, size, "backup%d.db", edge->number);
}

/* The file is kept, or comes back from what was kept, or becomes a copy of another edge's. */
static void restore(sim_edge *edge) {
  sim_world *world = edge->world;
  sim_edge *other = &world->edge[sim_below(&world->chance, world->edge_count)];
  char name[32];
  char *site = world->backup[other->number - 1];
  bool keeps = !site[0] || sim_percent(&world->chance, 50);
  backup_name(other, name, sizeof name);
  if (sim_disk_armed(other->path) || sim_disk_armed(edge->path)) {
    return; /* it is about to be killed */
  }
  sim_edge_close(keeps ? other : edge);
  if (keeps) {
    sim_disk_copy(other->path, name);
    memcpy(site, other->site, sizeof world->backup[0]);
    world->backup_kinds[other->number - 1] = other->kinds;
    (void)sim_edge_open(other);
    return;
  }
  sim_trace(world, "%s comes from a copy of %s, as %s", edge->path, other->path, site);
  sim_disk_copy(name, edge->path);
  snprintf(edge->site, sizeof edge->site, "%s", site);
  edge->kinds = world->backup_kinds[other->number - 1];
  sim_states_free(&edge->seen);
  (void)sim_edge_open(edge);
}

/* The hub collects what is old, also what some edge has not read. */
static void collect(sim_world *world) {
  if (world->hub) {
    sim_hub_collect(world->hub, sim_below(&world->chance, 100), &world->collected);
  }
}

static void step(sim_world *world) {
  sim_chance *chance = &world->chance;
  sim_edge *edge = &world->edge[sim_below(chance, world->edge_count)];
  int choice = sim_below(chance, 1000);
  int ticks = sim_below(chance, 4);
  world->now_us += ticks == 0 ? 0 : ticks == 1 ? sim_below(chance, 900) : sim_below(chance, 2000000);
  sim_disk_now_us = world->now_us;
  edge->away -= edge->away > 0;
  if (choice < 300) {
    (void)sim_round(edge);
  } else if (choice < 330 && world->faults & SIM_CRASH) {
    sim_disk_kill(edge->path, 1 + sim_below(chance, 40));
  } else if (choice < 340) {
    sim_edge_restart(edge, false);
  } else if (choice < 355 && world->faults & SIM_PARTITION) {
    edge->away = 5 + sim_below(chance, 30);
  } else if (choice < 375 && world->faults & SIM_SKEW) {
    skew(edge);
  } else if (choice < 395 && world->faults & SIM_COMPACT) {
    sim_compact(edge);
  } else if (choice < 415 && world->faults & SIM_SHELL) {
    sim_shell(edge);
  } else if (choice < 425) {
    sim_link_deliver(world, false);
  } else if (choice < 440 && world->faults & SIM_HUB_WRITES) {
    sim_hub_write(world);
  } else if (choice < 443 && world->faults & SIM_LINK) {
    if (!world->hub) { /* a model has no connections */
      sim_postgres_restart(world);
    }
  } else if (choice < 453 && world->faults & SIM_HUB_LOSS) {
    lose(world);
  } else if (choice < 463 && world->faults & SIM_RESTORE) {
    restore(edge);
  } else if (choice < 471 && world->faults & SIM_ABSENCE) {
    collect(world);
  } else if (choice < 500 && world->faults & SIM_GROWS) {
    sim_grow_log(edge);
  } else {
    sim_operation(edge);
  }
  if (sim_disk_killed(edge->path)) {
    sim_edge_restart(edge, sim_percent(chance, 50));
  } else if (sim_percent(chance, 10)) {
    sim_check_monotone(edge);
  }
}

/* Healthy links and right clocks: it must come to rest. */
static void settle(sim_world *world) {
  bool rest = false;
  world->quiet = true;
  for (int i = 0; i < world->edge_count; i++) {
    sim_edge *edge = &world->edge[i];
    edge->away = 0;
    edge->skew_us = 0;
    if (sim_disk_armed(edge->path)) {
      sim_edge_restart(edge, false);
    }
  }
  sim_link_deliver(world, true);
  for (int round = 0; round < 30 && !rest && !world->failure[0]; round++) {
    rest = true;
    world->step++;
    world->now_us += 1000000;
    sim_disk_now_us = world->now_us;
    for (int i = 0; i < world->edge_count && !world->failure[0]; i++) {
      kecs_status status = sim_round(&world->edge[i]);
      rest = rest && status == KECS_OK;
    }
  }
  if (!rest) {
    sim_fail(world, "I13: it does not come to rest");
  }
}

static void begin(sim_world *world) {
  sim_chance *chance = &world->chance;
  static const int batches[] = {1, 2, 3, 7, 20, 1000};
  sim_disk_now_us = world->now_us;
  world->edge_count = sim_percent(chance, 10) ? 1 + sim_below(chance, SIM_EDGES) : 1 + sim_below(chance, 4);
  world->batch = batches[sim_below(chance, 6)];
  for (unsigned bit = 1; bit <= SIM_ABSENCE; bit <<= 1) {
    int percent = bit == SIM_SHELL ? 20 : bit >= SIM_HUB_LOSS ? 25 : 60; /* the first is slow */
    world->faults &= sim_percent(chance, percent) ? world->faults : ~bit;
  }
  if (world->faults & SIM_GROWS && sim_percent(chance, 50)) {
    world->faults &= ~(unsigned)SIM_GROWS;
  }
  for (int i = 0; i < world->edge_count && !world->failure[0]; i++) {
    sim_edge *edge = &world->edge[i];
    edge->world = world;
    edge->number = i + 1;
    snprintf(edge->site, sizeof edge->site, "edge%d", i + 1);
    snprintf(edge->path, sizeof edge->path, "edge%d.db", i + 1);
    sim_disk_copy(world->faults & SIM_SHELL ? "full.db" : "bare.db", edge->path);
    (void)sim_edge_open(edge);
  }
}

/* What everybody has, where it did not come out well. */
static void tell(sim_world *world, const char *who, sim_states *states) {
  char text[SIM_TEXT];
  for (size_t i = 0; i < states->count; i++) {
    sim_state_text(&states->list[i], text, sizeof text);
    sim_trace(world, "%s has %s", who, text);
  }
  sim_states_free(states);
}

static void tell_all(sim_world *world) {
  sim_states states;
  for (int i = 0; i < world->edge_count; i++) {
    if (world->edge[i].store && sim_edge_read(&world->edge[i], true, &states)) {
      tell(world, world->edge[i].site, &states);
    }
  }
  sim_hub_states(world, &states);
  tell(world, "the hub", &states);
}

static void end(sim_world *world) {
  if (world->failure[0] && world->trace) {
    tell_all(world);
  }
  sim_link_clear(world);
  for (int i = 0; i < world->edge_count; i++) {
    sim_edge_close(&world->edge[i]);
    sim_disk_revive(world->edge[i].path, false);
    sim_disk_remove(world->edge[i].path);
    sim_states_free(&world->edge[i].seen);
  }
  sim_disk_remove("backup");
  sim_hub_free(world->earlier);
  sim_states_free(&world->collected);
  sim_states_free(&world->acked);
  sim_hub_free(world->hub);
}

bool sim_world_run(sim_world *world, const sim_order *order) {
  memset(world, 0, sizeof *world);
  sim_this = world;
  world->seed = order->seed;
  world->chance.state = order->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
  world->faults = order->faults;
  world->allowed = order->kinds;
  world->trace = order->trace;
  world->copies = order->copies;
  world->now_us = START_US;
  world->hub = order->postgres ? NULL : sim_hub_new();
  snprintf(world->hub_url, sizeof world->hub_url, "postgres://model@model.invalid/model?tenant=model");
  if (world->hub || sim_postgres_begin(world, order->postgres)) {
    begin(world);
  }
  int steps = 10 + sim_below(&world->chance, sim_percent(&world->chance, 10) ? 300 : 90);
  for (world->step = 1; world->step <= steps && !world->failure[0]; world->step++) {
    step(world);
  }
  if (!world->failure[0]) {
    settle(world);
  }
  if (!world->failure[0]) {
    sim_check_end(world);
  }
  if (!world->failure[0] && order->outcome) {
    sim_hub_states(world, order->outcome);
    sim_hub_notes(world, order->outcome);
    sim_states_sort(order->outcome);
  }
  end(world);
  return !world->failure[0];
}
