/* bridge.c -- a world of the simulation that has no chance in it. */
#include "sim.h"

#include "syncfault/bridge.h"

static sim_world world;
static sim_hub *kept;
static sim_hub *remembered;

static void hub_free(sim_hub **hub) {
  sim_hub_free(*hub);
  *hub = NULL;
}

void bridge_end(void) {
  sim_states_free(&world.acked);
  sim_states_free(&world.collected);
  hub_free(&world.hub);
  hub_free(&kept);
  hub_free(&remembered);
}

void bridge_begin(void) {
  bridge_end();
  memset(&world, 0, sizeof world);
  world.quiet = true; /* the faults are the scenes' */
  world.faults = SIM_GROWS;
  world.now_us = BRIDGE_NOW;
  world.hub = sim_hub_new();
  sim_this = &world;
}

void bridge_edge(int place, struct kecs_store *store, struct kecs_sync *sync) {
  sim_edge *edge = &world.edge[place];
  sim_edge_forget(edge);
  memset(edge, 0, sizeof *edge);
  world.edge_count = world.edge_count > place ? world.edge_count : place + 1;
  edge->world = &world;
  edge->number = place + 1;
  edge->store = store;
  edge->sync = sync;
  edge->kinds = store ? kecs_replica_kinds(store) : 0;
  world.growing = store ? kecs_replica_append_kinds(store) : world.growing;
  snprintf(edge->site, sizeof edge->site, "edge%d", place + 1);
  snprintf(edge->path, sizeof edge->path, "edge%d", place + 1);
  while (world.edge_count > 0 && !world.edge[world.edge_count - 1].sync) {
    world.edge_count--;
  }
}

void bridge_keep(void) {
  hub_free(&kept);
  kept = sim_hub_copy(world.hub);
}

void bridge_reset(void) {
  hub_free(&world.hub);
  world.hub = sim_hub_copy(kept);
  sim_states_free(&world.acked);
  memset(world.pushes, 0, sizeof world.pushes);
  world.failure[0] = '\0';
}

void bridge_remember(void) {
  hub_free(&remembered);
  remembered = sim_hub_copy(world.hub);
}

void bridge_go_back(void) {
  sim_hub_go_back(world.hub, remembered);
  remembered = NULL;
  sim_states_free(&world.acked);
  memset(world.pushes, 0, sizeof world.pushes);
}

void bridge_collect(void) {
  sim_hub_collect(world.hub, 100, &world.collected);
}

uint64_t bridge_rows(void) {
  sim_states states;
  uint64_t sum = 1;
  sim_hub_states(&world, &states);
  for (size_t i = 0; i < states.count; i++) {
    const sim_state *state = &states.list[i];
    const char *const texts[] = {state->key, state->values ? state->values : ""};
    for (int t = 0; !state->dead && t < 2; t++) {
      for (const char *at = texts[t]; *at; at++) {
        sum = (sum ^ (unsigned char)*at) * UINT64_C(1099511628211);
      }
      sum = sum * 31 + (uint64_t)state->kind;
    }
  }
  sim_states_free(&states);
  return sum;
}

const char *bridge_check(void) {
  if (!world.failure[0]) {
    sim_check_end(&world);
  }
  return world.failure[0] ? world.failure : NULL;
}
