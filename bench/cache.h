/* bench/cache.h -- the row cache beside a hash table under a mutex, and a heartbeat in memory beside a struct there.
 *
 * By hand, a cached row is what a careful program would keep: one block with the struct and all its texts, with
 * relative pointers; a get copies it into memory of the caller's own, under the lock, and puts the pointers right. It
 * knows of no time, order of use, invalidation or other process. */
#ifndef BENCH_CACHE_H
#define BENCH_CACHE_H
#include "columns.h"
#include "rows.h"

#include <pthread.h>
#include <stddef.h>

enum {
  CACHE_GETS = 100000, /* in a round, on each side */
  CACHE_KEYS = 1000,   /* asked for at a stretch: a caller has its key at hand, it need not be fetched from afar */
  CACHE_NODES = 1000,
  CACHE_BEATS = 10000
};

typedef struct cache_block {
  size_t size;
  size_t key_len;
  kecs_task task; /* texts are offsets from here; 0 is NULL */
} cache_block;

typedef struct cache_place {
  uint64_t hash;
  cache_block *block;
} cache_place;

typedef struct cache_hand {
  pthread_mutex_t mutex;
  cache_place *places;
  size_t room;
} cache_hand;

#define CACHE_TEXT(name) offsetof(kecs_task, name),
#define CACHE_OTHER(name)
static const size_t cache_texts[] = {
    offsetof(kecs_task, arn),
    BASELINE_COLUMNS(CACHE_TEXT, CACHE_OTHER, CACHE_OTHER, CACHE_OTHER, CACHE_OTHER)};

enum { CACHE_TEXTS = sizeof cache_texts / sizeof cache_texts[0] };

static uint64_t cache_hash(const char *text, size_t len) {
  uint64_t hash = len;
  for (; len >= 8; len -= 8, text += 8) {
    uint64_t word;
    memcpy(&word, text, sizeof word);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 32;
  }
  for (; len > 0; len--, text++) {
    hash = (hash ^ (unsigned char)*text) * UINT64_C(0x9E3779B97F4A7C15);
  }
  return hash ^ hash >> 29;
}

static cache_place *cache_find(cache_hand *hand, const char *arn, size_t len, uint64_t hash) {
  size_t at = (size_t)hash & (hand->room - 1);
  for (; hand->places[at].block; at = (at + 1) & (hand->room - 1)) {
    cache_block *block = hand->places[at].block;
    if (hand->places[at].hash == hash && block->key_len == len &&
        memcmp((char *)&block->task + (uintptr_t)block->task.arn, arn, len) == 0) {
      break;
    }
  }
  return &hand->places[at];
}

static void cache_hand_put(cache_hand *hand, const kecs_task *task) {
  size_t size = sizeof(cache_block);
  for (size_t i = 0; i < CACHE_TEXTS; i++) {
    const char *text;
    memcpy(&text, (const char *)task + cache_texts[i], sizeof text);
    size += text ? strlen(text) + 1 : 0;
  }
  cache_block *block = malloc(size);
  bench_check(block != NULL, "out of memory");
  block->size = size;
  block->key_len = strlen(task->arn);
  block->task = *task;
  size_t used = sizeof(kecs_task);
  for (size_t i = 0; i < CACHE_TEXTS; i++) {
    char *field = (char *)&block->task + cache_texts[i];
    const char *text;
    memcpy(&text, field, sizeof text);
    uintptr_t place = text ? used : 0;
    memcpy(field, &place, sizeof place);
    if (text) {
      memcpy((char *)&block->task + used, text, strlen(text) + 1);
      used += strlen(text) + 1;
    }
  }
  uint64_t hash = cache_hash(task->arn, block->key_len);
  cache_place *place = cache_find(hand, task->arn, block->key_len, hash);
  place->hash = hash;
  place->block = block;
}

static kecs_task *cache_hand_get(cache_hand *hand, const char *arn) {
  size_t len = strlen(arn);
  uint64_t hash = cache_hash(arn, len);
  kecs_task *task = NULL;
  pthread_mutex_lock(&hand->mutex);
  const cache_block *block = cache_find(hand, arn, len, hash)->block;
  if (block) {
    size_t size = block->size - offsetof(cache_block, task);
    task = malloc(size);
    bench_check(task != NULL, "out of memory");
    memcpy(task, &block->task, size);
  }
  pthread_mutex_unlock(&hand->mutex);
  for (size_t i = 0; task && i < CACHE_TEXTS; i++) {
    char *field = (char *)task + cache_texts[i];
    uintptr_t place;
    memcpy(&place, field, sizeof place);
    char *text = place ? (char *)task + place : NULL;
    memcpy(field, &text, sizeof text);
  }
  return task;
}

static void cache_hand_free(cache_hand *hand) {
  for (size_t i = 0; i < hand->room; i++) {
    free(hand->places[i].block);
  }
  free(hand->places);
  pthread_mutex_destroy(&hand->mutex);
}

/* ---- cache.get_... ---- */

static void cache_print_ns(const bench_table *table) {
  const bench_result *result = &table->results[table->count - 1];
  printf("  %.0f ns, by hand %.0f ns\n", result->ours * 1000, result->baseline * 1000);
}

/* Both sides have all rows before the first round. */
static kecs_store *cache_fill(cache_hand *hand, int entries) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  bench_batch batch = {0};
  options.profile = KECS_PROFILE_MEMORY;
  options.region = BENCH_REGION;
  options.account_id = BENCH_ACCOUNT;
  options.row_cache.entries = entries;
  options.row_cache.kib = 1 << 20;
  bench_ok(kecs_open(&options, &store), "open");
  bench_parents(store);
  pthread_mutex_init(&hand->mutex, NULL);
  for (hand->room = 1; hand->room < (size_t)entries * 2; hand->room *= 2) {
  }
  hand->places = calloc(hand->room, sizeof *hand->places);
  bench_check(hand->places != NULL, "out of memory");
  for (int i = 0; i < entries; i += 1000) {
    bench_batch_fill(&batch, (uint64_t)i, 1000);
    bench_ok(kecs_task_create_many(store, batch.tasks, 1000, NULL), "create_many");
    for (int k = 0; k < 1000; k++) {
      kecs_result *result;
      bench_ok(kecs_task_get(store, NULL, batch.tasks[k].arn, &result), "get");
      cache_hand_put(hand, kecs_task_at(result, 0));
      kecs_result_free(result);
    }
  }
  free(batch.tasks);
  free(batch.texts);
  return store;
}

static int64_t cache_ours(kecs_store *store, char (*keys)[BENCH_ARN]) {
  int64_t sum = 0;
  for (int i = 0; i < CACHE_KEYS; i++) {
    kecs_result *result;
    bench_ok(kecs_task_get(store, NULL, keys[i], &result), "get");
    sum += kecs_task_at(result, 0)->created_at + kecs_task_at(result, 0)->containers[5];
    kecs_result_free(result);
  }
  return sum;
}

static int64_t cache_theirs(cache_hand *hand, char (*keys)[BENCH_ARN]) {
  int64_t sum = 0;
  for (int i = 0; i < CACHE_KEYS; i++) {
    kecs_task *task = cache_hand_get(hand, keys[i]);
    bench_check(task != NULL, "by hand: no task %s", keys[i]);
    sum += task->created_at + task->containers[5];
    free(task);
  }
  return sum;
}

static void run_cache(const char *name, int entries, int rounds, bench_table *table) {
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  cache_hand hand;
  kecs_info info;
  char(*keys)[BENCH_ARN] = malloc(CACHE_KEYS * sizeof *keys);
  bench_check(keys != NULL, "out of memory");
  kecs_store *store = cache_fill(&hand, entries);
  for (int round = -1; round < rounds; round++) {
    int at = round < 0 ? 0 : round;
    int64_t sums[2] = {0, 0};
    ours[at] = 0;
    theirs[at] = 0;
    /* One side after the other: each has the processor's own caches for its rows, as a program that has one cache. */
    for (int turn = 0; turn < 2; turn++) {
      bool own = (turn + round) % 2 == 0;
      for (int done = 0; done < CACHE_GETS; done += CACHE_KEYS) {
        for (int i = 0; i < CACHE_KEYS; i++) {
          bench_arn(keys[i], bench_scramble((uint64_t)(done + i), 300 + (uint64_t)at) % (uint64_t)entries);
        }
        double since = bench_cpu();
        sums[own] += own ? cache_ours(store, keys) : cache_theirs(&hand, keys);
        *(own ? &ours[at] : &theirs[at]) += (bench_cpu() - since) / CACHE_GETS;
      }
    }
    bench_check(sums[0] == sums[1], "%s: the two sides have read different rows", name);
  }
  bench_ok(kecs_store_info(store, &info), "kecs_store_info");
  bench_check(info.cache.hits == (int64_t)CACHE_GETS * (rounds + 1), "%s: %lld hits", name, (long long)info.cache.hits);
  bench_ok(kecs_close(store), "close");
  cache_hand_free(&hand);
  free(keys);
  bench_add(table, name, 0, ours, theirs, rounds);
  cache_print_ns(table);
}

/* ---- memory.heartbeat ---- */

typedef struct cache_node {
  char id[32];
  int64_t last_heartbeat;
  int64_t updated_at;
  int64_t running_tasks;
  int64_t version;
} cache_node;

typedef struct cache_nodes {
  pthread_mutex_t mutex;
  cache_node nodes[CACHE_NODES * 2 + 48]; /* 2048: a hash table, a third of it free */
} cache_nodes;

static cache_node *cache_node_find(cache_nodes *nodes, const char *id) {
  size_t at = (size_t)cache_hash(id, strlen(id)) & 2047;
  while (nodes->nodes[at].id[0] && strcmp(nodes->nodes[at].id, id) != 0) {
    at = (at + 1) & 2047;
  }
  return &nodes->nodes[at];
}

static void cache_beat_by_hand(cache_nodes *nodes, const char *id, int64_t running) {
  pthread_mutex_lock(&nodes->mutex);
  cache_node *node = cache_node_find(nodes, id);
  node->last_heartbeat = bench_now_us();
  node->updated_at = node->last_heartbeat;
  node->running_tasks = running;
  node->version++;
  pthread_mutex_unlock(&nodes->mutex);
}

static void run_heartbeat(int rounds, bench_table *table) {
  static cache_nodes nodes;
  static char ids[CACHE_NODES][32];
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  kecs_options options = {0};
  kecs_store *store = NULL;
  kecs_result *result = NULL;
  options.profile = KECS_PROFILE_MEMORY;
  bench_ok(kecs_open(&options, &store), "open");
  pthread_mutex_init(&nodes.mutex, NULL);
  for (int i = 0; i < CACHE_NODES; i++) {
    snprintf(ids[i], sizeof ids[i], "node-%04d", i);
    kecs_node node = {0};
    node.id = ids[i];
    node.hostname = "host";
    bench_ok(kecs_node_create(store, &node, NULL), "create a node");
    memcpy(cache_node_find(&nodes, ids[i])->id, ids[i], sizeof ids[i]);
    cache_node_find(&nodes, ids[i])->version = 1;
  }
  for (int round = -1; round < rounds; round++) {
    int at = round < 0 ? 0 : round;
    double since = bench_cpu();
    for (int i = 0; i < CACHE_BEATS; i++) {
      bench_ok(kecs_node_heartbeat(store, ids[i * 7 % CACHE_NODES], (round + i) & 7), "heartbeat");
    }
    double until = bench_cpu();
    for (int i = 0; i < CACHE_BEATS; i++) {
      cache_beat_by_hand(&nodes, ids[i * 7 % CACHE_NODES], (round + i) & 7);
    }
    theirs[at] = (bench_cpu() - until) / CACHE_BEATS;
    ours[at] = (until - since) / CACHE_BEATS;
  }
  bench_ok(kecs_node_get(store, ids[7], &result), "get");
  bench_check(kecs_node_at(result, 0)->version == cache_node_find(&nodes, ids[7])->version, "heartbeats are missing");
  kecs_result_free(result);
  bench_ok(kecs_close(store), "close");
  pthread_mutex_destroy(&nodes.mutex);
  bench_add(table, "memory.heartbeat", 0, ours, theirs, rounds);
  cache_print_ns(table);
}

#endif
