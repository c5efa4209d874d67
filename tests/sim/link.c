/* link.c -- the seam to the hub: the linker puts this in the way of kecs_sync__send (src/sync/link.c). An exchange goes
 * to the model, or to a real PostgreSQL; and it may be lost, come late, come twice, or be the last thing that the
 * process does. */
#include "sim.h"

#include "sync/hub_sql.h"
#include "sync/pack.h"

kecs_status __real_kecs_sync__send(kecs_sync__exchange *exchange, const char *doing);
kecs_status __wrap_kecs_sync__send(kecs_sync__exchange *exchange, const char *doing);

enum { ASKS = 8 };

typedef enum fault {
  FAULT_NONE,
  FAULT_LOST,  /* the request never arrives */
  FAULT_LATE,  /* it arrives later, when nobody waits any more */
  FAULT_DEAF,  /* it arrives, the answer does not */
  FAULT_TWICE, /* it arrives twice */
  FAULT_KILLED_BEFORE,
  FAULT_KILLED_AFTER,
  FAULT_KILLED_SOON
} fault;

static sim_edge *edge_of(const kecs_sync *sync) {
  for (int i = 0; i < sim_this->edge_count; i++) {
    if (sim_this->edge[i].sync == sync) {
      return &sim_this->edge[i];
    }
  }
  return NULL;
}

static fault choose(sim_edge *edge) {
  sim_world *world = edge->world;
  int percent = sim_below(&world->chance, 100);
  if (world->quiet) {
    return FAULT_NONE;
  }
  if (world->faults & SIM_LINK) {
    if (percent < 15) {
      return percent < 5 ? FAULT_LOST : percent < 10 ? FAULT_DEAF : percent < 13 ? FAULT_LATE : FAULT_TWICE;
    }
  }
  if ((world->faults & SIM_CRASH) && percent >= 90) {
    return percent < 93 ? FAULT_KILLED_BEFORE : percent < 96 ? FAULT_KILLED_AFTER : FAULT_KILLED_SOON;
  }
  return FAULT_NONE;
}

static kecs_status lost(const char *doing) {
  return kecs_pg__fail(KECS_E_OFFLINE, "could not %s: the simulated link was lost", doing);
}

static void forget_answers(kecs_sync__exchange *exchange) {
  for (int i = 0; i < exchange->count; i++) {
    PQclear(exchange->item[i].result);
    exchange->item[i].result = NULL;
  }
}

/* ---- what a push has brought ---- */

/* What a push was refused: kind, key, code. */
static PGresult *refusals(const kecs_sync__exchange *exchange) {
  const char *said = "";
  for (int i = 0; i < exchange->count; i++) {
    const kecs_sync__item *item = &exchange->item[i];
    if (strstr(item->sql, "sync_end(")) {
      said = kecs_sync__text(item->result, 0, PQnfields(item->result) - 1);
    }
  }
  return kecs_sync__array_rows(&exchange->sync->allocator, said, 3);
}

static bool refused(const PGresult *told, int kind, const char *key) {
  for (int row = 0; row < PQntuples(told); row++) {
    if (kecs_sync__number(told, row, 0) == kind && strcmp(kecs_sync__text(told, row, 1), key) == 0) {
      return true;
    }
  }
  return false;
}

static const kecs_kind_info *kind_of(const char *sql, const char *function) {
  const char *at = strstr(sql, function);
  for (int kind = 1; at && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    size_t len = strlen(info->table);
    if (strncmp(at + strlen(function), info->table, len) == 0 && at[strlen(function) + len] == '(') {
      return info;
    }
  }
  return NULL;
}

static int64_t number_at(const sim_array *array, int at) {
  return array->list[at] ? strtoll(array->list[at], NULL, 10) : 0;
}

/* Every state that a push brings has been taken, or refused: none vanishes. */
static void note_item(sim_edge *edge, const PGresult *told, const kecs_sync__item *item) {
  const kecs_kind_info *put = kind_of(item->sql, "sync_put_");
  const kecs_kind_info *info = put ? put : kind_of(item->sql, "sync_bury_");
  int count = put ? 10 : 4;
  sim_array arrays[10];
  if (!info) {
    return;
  }
  for (int i = 2; i < count; i++) {
    arrays[i] = sim_array_read(item->values[i]);
  }
  for (int row = 0; row < arrays[2].count; row++) {
    const char *key = arrays[2].list[row];
    if (!refused(told, (int)info->kind, key)) {
      sim_state *state = sim_states_add(&edge->world->acked, (int)info->kind, sim_copy(key), NULL);
      state->dead = !put;
      state->stamp[0] = number_at(&arrays[put ? 4 : 3], row);
      state->site[0] = put ? number_at(&arrays[5], row) : strtoll(item->values[0], NULL, 10);
      for (int i = 1; put && i < KECS_REPLICA_STAMPS; i++) {
        state->stamp[i] = number_at(&arrays[4 + 2 * i], row);
        state->site[i] = number_at(&arrays[5 + 2 * i], row);
      }
      sim_check_taken(edge->world, state);
    }
  }
  for (int i = 2; i < count; i++) {
    sim_array_free(&arrays[i]);
  }
}

/* The statement that begins a push: with the site's number, and the push's id. NULL: it is none. */
static const kecs_sync__item *push_of(const kecs_sync__exchange *exchange) {
  for (int i = 0; i < exchange->count; i++) {
    if (strstr(exchange->item[i].sql, "sync_begin(")) {
      return &exchange->item[i];
    }
  }
  return NULL;
}

/* Whether this was the last push of the site already; it is from now on. */
static bool already(sim_world *world, const char *number, const char *id) {
  int free_place = -1;
  for (int i = 0; i < SIM_PUSHES; i++) {
    sim_push *push = &world->pushes[i];
    if (strcmp(push->number, number) == 0) {
      bool same = strcmp(push->id, id) == 0;
      snprintf(push->id, sizeof push->id, "%s", id);
      return same;
    }
    free_place = free_place < 0 && !push->number[0] ? i : free_place;
  }
  if (free_place >= 0) {
    snprintf(world->pushes[free_place].number, sizeof world->pushes[0].number, "%s", number);
    snprintf(world->pushes[free_place].id, sizeof world->pushes[0].id, "%s", id);
  }
  return false;
}

/* What the edge does while it waits. */
static void wait_for(const kecs_sync__exchange *exchange) {
  if (exchange->meanwhile) {
    exchange->meanwhile(exchange->user);
  }
}

/* A push that was done before does nothing, whatever it brings now. */
static kecs_status execute(sim_edge *edge, kecs_sync__exchange *exchange, const char *doing) {
  sim_world *world = edge->world;
  if (world->hub) {
    wait_for(exchange);
  } else {
    sim_postgres_time(world);
  }
  kecs_status status =
      world->hub ? sim_hub_run(world->hub, exchange, world->now_us, doing) : __real_kecs_sync__send(exchange, doing);
  const kecs_sync__item *push = status ? NULL : push_of(exchange);
  PGresult *told = push && !already(world, push->values[0], push->values[1]) ? refusals(exchange) : NULL;
  for (int i = 0; told && i < exchange->count; i++) {
    note_item(edge, told, &exchange->item[i]);
  }
  PQclear(told);
  return status;
}

/* ---- requests under way ---- */

static void keep(sim_edge *edge, const kecs_sync__exchange *exchange) {
  sim_world *world = edge->world;
  world->late = sim_grow(world->late, ((size_t)world->late_count + 1) * sizeof *world->late);
  sim_late *late = &world->late[world->late_count++];
  late->exchange = *exchange;
  late->exchange.meanwhile = NULL;
  late->edge = edge;
  for (int i = 0; i < exchange->count; i++) {
    kecs_sync__item *item = &late->exchange.item[i];
    char **values = sim_alloc(((size_t)item->count + 1) * sizeof *values);
    for (int v = 0; v < item->count; v++) {
      values[v] = sim_copy(item->values[v]);
    }
    item->sql = sim_copy(item->sql);
    item->values = (const char *const *)values;
    item->result = NULL;
  }
}

static void late_free(sim_late *late) {
  for (int i = 0; i < late->exchange.count; i++) {
    kecs_sync__item *item = &late->exchange.item[i];
    char **values = (char **)(uintptr_t)item->values;
    for (int v = 0; i < late->own && v < item->count; v++) {
      free(values[v]);
    }
    if (i < late->own) {
      free(values);
      free(item->sql);
    }
    PQclear(item->result);
  }
}

/* Over a connection of its own: the edge's has gone. */
static void deliver(sim_late *late) {
  sim_edge *edge = late->edge;
  kecs_sync *shadow = sim_alloc(sizeof *shadow);
  *shadow = *edge->sync;
  shadow->link = NULL;
  late->exchange.sync = shadow;
  late->own = late->exchange.count;
  kecs_status status = execute(edge, &late->exchange, "deliver a late request");
  sim_trace(edge->world, "%s: a late request arrives: %s", edge->site, kecs_status_name(status));
  kecs_sync__hang_up(shadow);
  for (int i = late->own; i < late->exchange.count; i++) {
    kecs_pg__release_text(&shadow->allocator, late->exchange.item[i].sql);
  }
  late_free(late);
  free(shadow);
}

void sim_link_deliver(sim_world *world, bool all) {
  while (world->late_count > 0) {
    sim_late late = world->late[0];
    memmove(world->late, world->late + 1, (size_t)--world->late_count * sizeof late);
    deliver(&late);
    if (!all) {
      break;
    }
  }
}

void sim_link_clear(sim_world *world) {
  for (int i = 0; i < world->late_count; i++) {
    world->late[i].own = world->late[i].exchange.count;
    late_free(&world->late[i]);
  }
  free(world->late);
  world->late = NULL;
  world->late_count = 0;
}

/* I13: rows that wait for each other settle, instead of being asked for as often as a round does. */
static void count_asks(sim_edge *edge, const kecs_sync__exchange *exchange) {
  const char *end = NULL;
  for (int i = 0; i < exchange->count; i++) {
    const kecs_sync__item *item = &exchange->item[i];
    end = strstr(item->sql, "sync_window(") ? item->values[0] : end;
  }
  bool same = end && strcmp(end, edge->asked) == 0 && !exchange->write;
  edge->asks = same ? edge->asks + 1 : 0;
  snprintf(edge->asked, sizeof edge->asked, "%s", end ? end : "");
  if (edge->asks > ASKS) {
    sim_fail(edge->world, "I13: %s asks for the same rows again and again", edge->site);
  }
}

/* ---- the seam ---- */

static kecs_status pass(sim_edge *edge, kecs_sync__exchange *exchange, const char *doing, fault what) {
  kecs_status status = KECS_OK;
  if (what == FAULT_LOST || what == FAULT_LATE || what == FAULT_KILLED_BEFORE) {
    if (what == FAULT_LATE) {
      keep(edge, exchange);
    }
    if (what == FAULT_KILLED_BEFORE) {
      sim_disk_kill(edge->path, 0);
    } else {
      wait_for(exchange);
    }
    kecs_sync__hang_up(exchange->sync); /* and with it a transaction that the exchange was to go on in */
    return lost(doing);
  }
  if (what == FAULT_TWICE) {
    keep(edge, exchange);
  }
  status = execute(edge, exchange, doing);
  if (what == FAULT_TWICE) {
    sim_check_twice(edge->world);
  } else if (what == FAULT_DEAF) {
    forget_answers(exchange);
    kecs_sync__hang_up(exchange->sync);
    return lost(doing);
  } else if ((what == FAULT_KILLED_AFTER || what == FAULT_KILLED_SOON) && !sim_disk_killed(edge->path)) {
    sim_disk_kill(edge->path, what == FAULT_KILLED_SOON ? 1 + sim_below(&edge->world->chance, 30) : 0);
  }
  return status;
}

kecs_status __wrap_kecs_sync__send(kecs_sync__exchange *exchange, const char *doing) {
  sim_edge *edge = edge_of(exchange->sync);
  if (exchange->status || !edge) {
    return exchange->status ? exchange->status : kecs_pg__fail(KECS_E_MISUSE, "no edge of the world");
  }
  if (sim_disk_killed(edge->path) || edge->away > 0) {
    return lost(doing);
  }
  exchange->sync->report.round_trips += edge->world->hub != NULL;
  exchange->sync->sent_us = kecs_replica_now(edge->store);
  count_asks(edge, exchange);
  fault what = choose(edge);
  kecs_status status = pass(edge, exchange, doing, what);
  sim_trace(edge->world, "%s: %s: fault %d: %s", edge->site, doing, (int)what, kecs_status_name(status));
  return status;
}
