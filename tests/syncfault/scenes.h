/* scenes.h -- what an edge finds when its memory or its disk fails: what is in its file, and what the hub has. */
#ifndef SYNCFAULT_SCENES_H
#define SYNCFAULT_SCENES_H

#include "fault/fault.h"

#include "kecs_store_pg.h"

/* An edge of a scene: its file, which is open while `store` is not NULL. */
typedef struct scene_edge {
  int place; /* in the bridge: 0 is the one whose memory fails */
  char path[512];
  char site[16];
  kecs_store *store;
  kecs_sync *sync;
  int64_t ahead_us; /* its clock */
} scene_edge;

typedef struct scene {
  const char *name;
  void (*prepare)(scene_edge *mine, scene_edge *other); /* both are open before and after */
  kecs_status (*run)(scene_edge *mine);                 /* what fails; `mine` has its store, and no more */
  int64_t ahead_us;
  int64_t keep_bytes;                                   /* options.append_keep_bytes */
} scene;

extern const scene scenes[];
extern const size_t scene_count;

/* Opens a store, and the edge on it. What goes wrong is complained of by scene_must alone. */
kecs_status scene_open_store(scene_edge *edge);
kecs_status scene_open_sync(scene_edge *edge);
void scene_close(scene_edge *edge);

/* Rounds until nothing moves. */
kecs_status scene_settle(scene_edge *edge);

/* A round with all that a program asks of an edge around it. */
kecs_status scene_round(scene_edge *edge);

/* A number made of what is in the edge's conflict log, whatever the order. */
kecs_status scene_conflicts(const scene_edge *edge, uint64_t *out_sum);

void scene_must(kecs_status status, const char *what);

/* The scene under way. */
extern const scene *scene_now;

#endif
