/* test_sync_memory.c -- rounds with a real hub, while the edge's n-th allocation fails: what is tried here and not in
 * tests/syncfault is the link, which is made anew in each round. The code is NOMEM, the same handle's next round brings
 * both together, nothing leaks. */
#include "contract/contract.h"

enum { EVERY = 40 }; /* n, and then fewer and fewer; with KECS_FULL=1 all */

/* ---- memory that fails ---- */

typedef struct block {
  size_t size;
  size_t unused; /* so that what follows is aligned as malloc's is */
} block;

static struct {
  unsigned long at; /* 0: none fails */
  bool stays;
  unsigned long seen;
  bool fired;
  long blocks;
} memory;

static bool fails(void) {
  if (memory.at == 0) {
    return false;
  }
  memory.seen++;
  bool now = memory.stays ? memory.seen >= memory.at : memory.seen == memory.at;
  memory.fired = memory.fired || now;
  return now;
}

static void *take(size_t size, void *user) {
  (void)user;
  block *made = fails() ? NULL : malloc(sizeof *made + size);
  if (!made) {
    return NULL;
  }
  made->size = size;
  memory.blocks++;
  memset(made + 1, 0xa5, size);
  return made + 1;
}

static void give(void *pointer, size_t size, void *user) {
  (void)user;
  assert_int_equal(((block *)pointer - 1)->size, size);
  memory.blocks--;
  free((block *)pointer - 1);
}

static void *move(void *pointer, size_t old_size, size_t size, void *user) {
  void *moved = take(size, user);
  if (moved) {
    memcpy(moved, pointer, old_size < size ? old_size : size);
    give(pointer, old_size, user);
  }
  return moved;
}

static void arm(unsigned long n, bool stays) {
  memory.at = n;
  memory.stays = stays;
  memory.seen = 0;
  memory.fired = false;
}

static unsigned long next_n(unsigned long n) {
  const char *full = getenv("KECS_FULL");
  return n + 1 + (n > EVERY && !(full && full[0]) ? n / 6 : 0);
}

/* ---- rounds ---- */

typedef struct rounds {
  const char *hub;
  const char *token;
  kecs_store *store;
  kecs_store *there;
  kecs_sync *sync;
} rounds;

static void open_edge(rounds *r) {
  kecs_sync_options options = {.hub = r->hub, .site = "cellar", .token = r->token, .append_pull = true};
  CONTRACT_OK(kecs_sync_open(r->store, &options, &r->sync));
}

static void make(kecs_store *store, const char *form, unsigned long n) {
  char name[32];
  snprintf(name, sizeof name, form, n);
  kecs_cluster cluster = {.name = name};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
}

static void need(kecs_store *store, const char *form, unsigned long n) {
  char name[32];
  kecs_result *result = NULL;
  snprintf(name, sizeof name, form, n);
  CONTRACT_OK(kecs_cluster_get(store, name, &result));
  kecs_result_free(result);
}

/* A round over a new connection, with something to push and something to pull. Whether the fault met it. */
static bool try_round(rounds *r, unsigned long n, bool stays) {
  const char *mine = stays ? "mine-on-%lu" : "mine-%lu";
  const char *theirs = stays ? "theirs-on-%lu" : "theirs-%lu";
  make(r->store, mine, n);
  make(r->there, theirs, n);
  kecs_event event = {.event_type = "t", .resource_arn = "r", .resource_type = "t", .action = "a"};
  CONTRACT_OK(kecs_event_create(r->store, &event, NULL));
  open_edge(r);
  arm(n, stays);
  kecs_status status = kecs_sync_once(r->sync, NULL);
  memory.at = 0;
  if (status) {
    CONTRACT_FAILS(status, memory.fired ? KECS_E_NOMEM : KECS_OK);
  }
  CONTRACT_OK(kecs_sync_once(r->sync, NULL));
  need(r->there, mine, n);
  need(r->store, theirs, n);
  kecs_sync_close(r->sync);
  r->sync = NULL;
  return memory.fired;
}

static void run(const char *token, const char *hub) {
  kecs_options options = {.path = contract_file("edge.db"), .track = KECS_TRACK_ON};
  kecs_options at_hub = {.path = hub};
  options.allocator = (kecs_allocator){take, move, give, NULL};
  options.row_cache.entries = -1; /* it keeps what it can get */
  rounds r = {.hub = hub, .token = token};
  r.store = contract_open_with(&options);
  r.there = contract_open_with(&at_hub);
  open_edge(&r);
  CONTRACT_OK(kecs_sync_once(r.sync, NULL));
  kecs_sync_close(r.sync);
  for (int stays = 0; stays < 2; stays++) {
    unsigned long n = 1;
    while (try_round(&r, n, stays)) {
      n = next_n(n);
    }
    assert_true(n > 100);
  }
  contract_close(r.store);
  contract_close(r.there);
  CONTRACT_NUMBER(memory.blocks, 0);
}

static const char *fresh_hub(void) {
  static char url[CONTRACT_PATH_MAX];
  contract_fresh_url(url, sizeof url);
  CONTRACT_OK(kecs_sync_hub_init(url));
  return url;
}

static void rounds_without_memory(void **state) {
  (void)state;
  run(NULL, fresh_hub());
}

/* The same by the functions that ask for a token. */
static void rounds_with_a_token(void **state) {
  char token[KECS_SYNC_TOKEN_SIZE];
  (void)state;
  const char *hub = fresh_hub();
  CONTRACT_OK(kecs_sync_hub_token(hub, "cellar", token));
  run(token, hub);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(rounds_without_memory),
    CONTRACT_TEST(rounds_with_a_token),
};

CONTRACT_MAIN("sync_memory", tests)
