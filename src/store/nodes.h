/* ---- Worker nodes ------------------------------------------------------------------------------------------ */
#ifndef KECS_STORE_NODES_H
#define KECS_STORE_NODES_H
#include "store/store.h"

/* CPU in millicores, memory in bytes. */
typedef struct kecs_resources {
  int64_t cpu;
  int64_t memory;
} kecs_resources;

/* A node is alive: last_heartbeat now, status online, running_tasks as given (below 0: unchanged). One row, in place.
 * With options.heartbeat_ms (the edge profile's is 10000) one that changes nothing but the time is stored at most so
 * often: the stored time may be that much older. */
KECS_STORE_API kecs_status kecs_node_heartbeat(kecs_store *store, const char *id, int64_t running_tasks);

/* Sets nodes offline that are online and whose last heartbeat is before `before`. */
KECS_STORE_API kecs_status kecs_node_mark_stale(kecs_store *store, int64_t before, int64_t *out_count);

/* Nodes that are online and run fewer tasks than they have slots, the least busy first. Slots: capacity, or the lesser
 * of cpu/1000 and memory/GiB of resources.capacity, or 10. */
KECS_STORE_API kecs_status kecs_node_available(kecs_store *store, kecs_result **out_result);
KECS_STORE_API int64_t kecs_node_slots(const kecs_node *node);

/* Deletes offline nodes with a last heartbeat before `before`; and tasks that are completed or failed, finished before
 * it. */
KECS_STORE_API kecs_status kecs_node_prune(kecs_store *store, int64_t before, int64_t *out_count);
KECS_STORE_API kecs_status kecs_node_task_prune(kecs_store *store, int64_t before, int64_t *out_count);

/* "500m" 500, "1" 1000, "0.5" 500, "" 0. INVALID otherwise. */
KECS_STORE_API kecs_status kecs_cpu_parse(const char *text, int64_t *out_millicores);

/* "1Ki" 1024, "256Mi", "1K" 1000, "1.5Mi", "1024", "" 0; Ki Mi Gi Ti binary, K M G T decimal. INVALID otherwise. */
KECS_STORE_API kecs_status kecs_memory_parse(const char *text, int64_t *out_bytes);

/* The shortest spelling that parses to the same number: "500m", "2"; "256Mi", "1000". Cut to `size`, terminated. */
KECS_STORE_API void kecs_cpu_format(int64_t millicores, char *out, size_t size);
KECS_STORE_API void kecs_memory_format(int64_t bytes, char *out, size_t size);

/* allocatable - used; whether a request fits (equal does); used + request; used - request, never below 0. */
KECS_STORE_API kecs_resources kecs_resources_available(kecs_resources allocatable, kecs_resources used);
KECS_STORE_API bool kecs_resources_fit(kecs_resources available, kecs_resources request);
KECS_STORE_API kecs_resources kecs_resources_allocate(kecs_resources used, kecs_resources request);
KECS_STORE_API kecs_resources kecs_resources_release(kecs_resources used, kecs_resources request);

#endif
