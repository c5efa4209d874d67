/* bridge.h -- the model of a hub (tests/sim) as the scenes see it: edges that exchange with it, what it was, whether
 * all is well. Nothing of the library's inside is in here. */
#ifndef SYNCFAULT_BRIDGE_H
#define SYNCFAULT_BRIDGE_H
#include <stdbool.h>
#include <stdint.h>

struct kecs_store;
struct kecs_sync;

/* A URL that reaches the model, and the time of all clocks, microseconds. */
#define BRIDGE_HUB "postgres://model@model.invalid/model?tenant=model"
#define BRIDGE_NOW INT64_C(1709208000000000)

enum { BRIDGE_EDGES = 4 };

/* A fresh hub, and no edges. */
void bridge_begin(void);
void bridge_end(void);

/* An edge from now on, at one of BRIDGE_EDGES places; `sync` NULL: no more. */
void bridge_edge(int place, struct kecs_store *store, struct kecs_sync *sync);

/* What the hub is now is kept; it becomes that again. */
void bridge_keep(void);
void bridge_reset(void);

/* The same, as the hub itself would: after a failover, under other names of its batches. */
void bridge_remember(void);
void bridge_go_back(void);

/* It forgets its feed, and the tombstones in that. */
void bridge_collect(void);

/* A number made of the living rows of the hub, without their stamps. */
uint64_t bridge_rows(void);

/* What is wrong: the edges do not agree with the hub, what it has acknowledged is gone, something waits for ever. NULL:
 * nothing is. It compacts the edges' logs. */
const char *bridge_check(void);

#endif
