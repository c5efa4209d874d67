/* test_changes.c -- the change log: what is logged, in which order, its clock, compaction, foreign SQL, switching. */
#include "contract.h"

#include <sqlite3.h>

enum { CHANGES_MAX = 4000 };

/* A change as a test keeps it. */
typedef struct kept {
  int64_t seq;
  kecs_kind kind;
  kecs_change_op op;
  unsigned groups;
  int64_t stamp;
  char key[256];
} kept;

static kept changes[CHANGES_MAX];

#define SPEC ((unsigned)KECS_BIT(KECS_GROUP_SPEC))
#define STATUS ((unsigned)KECS_BIT(KECS_GROUP_STATUS))
#define LOCAL ((unsigned)KECS_BIT(KECS_GROUP_LOCAL))

static kecs_store *open_tracked(void) {
  kecs_options options = {.track = KECS_TRACK_ON};
  return contract_open_with(&options);
}

/* The changes after `seq`, in `changes`. */
static int changes_after(kecs_store *store, int64_t seq) {
  kecs_watch_options options = {.from_seq = seq};
  kecs_watch *watch = NULL;
  const kecs_change *change = NULL;
  int count = 0;
  CONTRACT_OK(kecs_watch_open(store, &options, &watch));
  for (;;) {
    CONTRACT_OK(kecs_watch_next(watch, 0, &change));
    if (!change) {
      break;
    }
    assert_true(count < CHANGES_MAX);
    kept *one = &changes[count++];
    *one = (kept){change->seq, change->kind, change->op, change->groups, change->stamp, ""};
    snprintf(one->key, sizeof one->key, "%s", change->key);
  }
  kecs_watch_close(watch);
  return count;
}

static kecs_changes_info log_of(kecs_store *store) {
  kecs_changes_info info;
  CONTRACT_OK(kecs_changes_describe(store, &info));
  return info;
}

static void make_cluster(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
}

static void make_service(kecs_store *store, const char *cluster, const char *name) {
  kecs_service service = {.cluster_arn = cluster, .name = name};
  CONTRACT_OK(kecs_service_upsert(store, &service, NULL));
}

static void make_node(kecs_store *store, const char *id) {
  kecs_node node = {.id = id, .hostname = id};
  CONTRACT_OK(kecs_node_create(store, &node, NULL));
}

static void set_node(kecs_store *store, const char *id, int64_t port, const char *status) {
  kecs_node node = {.id = id, .port = port, .status = status};
  uint64_t mask = (port ? KECS_BIT(KECS_NODE_PORT) : 0) | (status ? KECS_BIT(KECS_NODE_STATUS) : 0);
  CONTRACT_OK(kecs_node_update_fields(store, &node, mask, NULL));
}

static void run_sql(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  char *message = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
    fail_msg("%s: %s", sql, message);
  }
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t sql_number(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  sqlite3_stmt *handle = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &handle, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(handle), SQLITE_ROW);
  int64_t number = sqlite3_column_int64(handle, 0);
  assert_int_equal(sqlite3_finalize(handle), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  return number;
}

#define CHANGE(at, wanted_kind, wanted_op, wanted_groups, wanted_key) \
  do {                                                                \
    CONTRACT_NUMBER(changes[at].kind, wanted_kind);                   \
    CONTRACT_NUMBER(changes[at].op, wanted_op);                       \
    CONTRACT_NUMBER(changes[at].groups, wanted_groups);               \
    CONTRACT_TEXT(changes[at].key, wanted_key);                       \
  } while (0)

#define ALL (SPEC | STATUS | LOCAL | (unsigned)KECS_BIT(KECS_GROUP_KEY))
#define WEB "arn:aws:ecs:us-east-1:000000000000:cluster/web"
#define SHOP "arn:aws:ecs:us-east-1:000000000000:service/web/shop"

/* ---- what is logged ---- */

static void without_the_option_nothing_is_logged(void **state) {
  (void)state;
  kecs_options options = {.track = KECS_TRACK_OFF};
  kecs_store *store = contract_open_with(&options);
  kecs_watch *watch = NULL;
  kecs_result *result = NULL;
  make_cluster(store, "web");
  kecs_changes_info info = log_of(store);
  assert_false(info.tracked);
  CONTRACT_NUMBER(info.last_seq, 0);
  CONTRACT_OK(kecs_cluster_list(store, NULL, &result));
  CONTRACT_NUMBER(kecs_result_seq(result), 0);
  kecs_result_free(result);
  CONTRACT_FAILS(kecs_watch_open(store, NULL, &watch), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("options.track");
  assert_null(watch);
  CONTRACT_FAILS(kecs_changes_compact(store, NULL, NULL), KECS_E_UNSUPPORTED);
  CONTRACT_FAILS(kecs_changes_pushed(store, 0), KECS_E_UNSUPPORTED);
  options.track = (kecs_track)7;
  kecs_store *none = NULL;
  options.path = ":memory:";
  CONTRACT_FAILS(kecs_open(&options, &none), KECS_E_INVALID);
  contract_close(store);
}

static void every_write_has_its_entry(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  int64_t start = log_of(store).last_seq;
  assert_true(log_of(store).tracked);
  make_cluster(store, "web");
  make_service(store, "web", "shop");
  kecs_service service = {.cluster_arn = "web", .name = "shop", .desired_count = 3};
  uint64_t wanted = KECS_BIT(KECS_SERVICE_DESIRED_COUNT);
  service.arn = SHOP;
  CONTRACT_OK(kecs_service_update_fields(store, &service, wanted, NULL));
  CONTRACT_OK(kecs_service_update_fields(store, &service, wanted, NULL)); /* changes nothing */
  service.status = "DRAINING";
  service.desired_count = 4;
  CONTRACT_OK(kecs_service_update_fields(store, &service, wanted | KECS_BIT(KECS_SERVICE_STATUS), NULL));
  CONTRACT_NUMBER(changes_after(store, start), 4);
  CHANGE(0, KECS_KIND_CLUSTER, KECS_CHANGE_CREATED, ALL, WEB);
  CHANGE(1, KECS_KIND_SERVICE, KECS_CHANGE_CREATED, ALL, SHOP);
  CHANGE(2, KECS_KIND_SERVICE, KECS_CHANGE_UPDATED, SPEC, SHOP);
  CHANGE(3, KECS_KIND_SERVICE, KECS_CHANGE_UPDATED, SPEC | STATUS, SHOP);
  for (int i = 1; i < 4; i++) {
    CONTRACT_NUMBER(changes[i].seq, changes[i - 1].seq + 1);
    assert_true(changes[i].stamp > changes[i - 1].stamp);
  }
  CONTRACT_NUMBER(log_of(store).last_seq, changes[3].seq);
  CONTRACT_NUMBER(log_of(store).last_stamp, changes[3].stamp);
  contract_close(store);
}

/* Every kind: create, change whatever can be changed, delete. */
static void rows_of_every_kind_are_logged(void **state) {
  (void)state;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    kecs_store *store = open_tracked();
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    contract_row row;
    contract_parents(store);
    int64_t start = log_of(store).last_seq;
    CONTRACT_OK(kecs_record_create(store, info->kind, contract_make_row(info->kind, 1, &row), NULL));
    int count = changes_after(store, start);
    bool found = false;
    char key[256] = "";
    for (int i = 0; i < count; i++) {
      if (changes[i].kind == info->kind && changes[i].op == KECS_CHANGE_CREATED) {
        found = true;
        memcpy(key, changes[i].key, sizeof key);
      }
    }
    if (!found) {
      fail_msg("no entry for a new %s", info->name);
    }
    start = log_of(store).last_seq;
    CONTRACT_OK(kecs_record_delete(store, info->kind, key));
    count = changes_after(store, start);
    assert_true(count >= 1);
    CHANGE(count - 1, info->kind, KECS_CHANGE_DELETED, ALL, key);
    contract_close(store);
  }
}

static void what_goes_with_a_parent_goes_first(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  make_cluster(store, "web");
  make_service(store, "web", "shop");
  kecs_task task = {.cluster_arn = "web", .id = "t1", .service_arn = SHOP};
  CONTRACT_OK(kecs_task_create(store, &task, NULL));
  int64_t start = log_of(store).last_seq;
  CONTRACT_OK(kecs_service_delete(store, "web", "shop"));
  CONTRACT_NUMBER(changes_after(store, start), 2);
  CHANGE(0, KECS_KIND_TASK, KECS_CHANGE_UPDATED, SPEC, "arn:aws:ecs:us-east-1:000000000000:task/web/t1");
  CHANGE(1, KECS_KIND_SERVICE, KECS_CHANGE_DELETED, ALL, SHOP);
  make_service(store, "web", "shop");
  start = log_of(store).last_seq;
  CONTRACT_OK(kecs_cluster_delete(store, "web"));
  int count = changes_after(store, start);
  CONTRACT_NUMBER(count, 3);
  for (int i = 0; i < count; i++) {
    CONTRACT_NUMBER(changes[i].op, KECS_CHANGE_DELETED);
  }
  CHANGE(2, KECS_KIND_CLUSTER, KECS_CHANGE_DELETED, ALL, WEB);
  contract_close(store);
}

static void a_key_of_parts_is_one_text(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  int64_t start = log_of(store).last_seq;
  kecs_tag tag = {.resource_arn = "a,b\\c", .key = "x,y", .value = "1"};
  CONTRACT_OK(kecs_tag_create(store, &tag, NULL));
  CONTRACT_NUMBER(changes_after(store, start), 1);
  CONTRACT_TEXT(changes[0].key, "a\\,b\\\\c,x,y");
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_record_get(store, KECS_KIND_TAG, changes[0].key, &result));
  CONTRACT_TEXT(kecs_tag_at(result, 0)->value, "1");
  kecs_result_free(result);
  CONTRACT_OK(kecs_record_delete(store, KECS_KIND_TAG, changes[0].key));
  CONTRACT_NUMBER(changes_after(store, start), 2);
  CONTRACT_TEXT(changes[0].key, "a\\,b\\\\c,x,y");
  contract_close(store);
}

/* ---- with the transaction ---- */

static void entries_come_and_go_with_the_transaction(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  int64_t start = log_of(store).last_seq;
  CONTRACT_OK(kecs_begin(store, &tx));
  make_cluster(tx, "undone");
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_NUMBER(changes_after(store, start), 0);
  CONTRACT_OK(kecs_begin(store, &tx));
  make_cluster(tx, "first");
  CONTRACT_OK(kecs_begin(tx, &inner));
  make_cluster(inner, "undone");
  CONTRACT_OK(kecs_rollback(inner));
  make_cluster(tx, "second");
  kecs_cluster again = {.name = "second"};
  CONTRACT_FAILS(kecs_cluster_create(tx, &again, NULL), KECS_E_EXISTS);
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(changes_after(store, start), 2);
  assert_non_null(strstr(changes[0].key, "first"));
  assert_non_null(strstr(changes[1].key, "second"));
  assert_true(changes[1].stamp > changes[0].stamp);
  contract_close(store);
}

static void a_list_tells_where_it_was_read(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_result *result = NULL;
  make_cluster(store, "web");
  CONTRACT_OK(kecs_cluster_list(store, NULL, &result));
  CONTRACT_NUMBER(kecs_result_seq(result), log_of(store).last_seq);
  int64_t seq = kecs_result_seq(result);
  kecs_result_free(result);
  make_cluster(store, "more");
  CONTRACT_NUMBER(changes_after(store, seq), 1);
  CONTRACT_NUMBER(kecs_result_seq(NULL), 0);
  contract_close(store);
}

/* ---- never again ---- */

static void numbers_are_never_given_twice(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  int64_t last_seq = 0;
  int64_t last_rid = 0;
  for (int round = 0; round < 6; round++) {
    make_node(store, "one");
    CONTRACT_OK(kecs_node_delete(store, "one"));
    if (round >= 2) {
      kecs_compaction all = {.tombstones_us = -1};
      CONTRACT_OK(kecs_changes_compact(store, &all, NULL));
    }
    int64_t seq = log_of(store).last_seq;
    assert_true(seq == last_seq + 2 || round == 0);
    last_seq = seq;
    store = contract_reopen(store);
    if (contract_is_file()) {
      int64_t rid = sql_number(contract_path(store), "SELECT rid FROM changes ORDER BY seq DESC LIMIT 1");
      assert_true(rid == last_rid + 1);
      last_rid = rid;
    }
  }
  contract_close(store);
}

/* An undone insert must not leave a rid behind that the next one gets although it was deleted before. */
static void rids_hold_across_savepoints(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = open_tracked();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  make_node(store, "gone");
  CONTRACT_OK(kecs_node_delete(store, "gone"));
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_begin(tx, &inner));
  make_node(inner, "undone");
  CONTRACT_OK(kecs_rollback(inner));
  make_node(tx, "kept");
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(sql_number(contract_path(store), "SELECT rid FROM nodes"), 2);
  contract_close(store);
}

static void the_clock_never_goes_back(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.track = KECS_TRACK_ON, .clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  static const int64_t jumps[] = {0, 0, -3600000000, -CONTRACT_NOW, 1000, INT64_C(86400000000), 5, -7};
  int64_t last = log_of(store).last_stamp;
  int64_t start = log_of(store).last_seq;
  for (size_t i = 0; i < CONTRACT_COUNT(jumps); i++) {
    char id[16];
    snprintf(id, sizeof id, "n%zu", i);
    contract_set_clock(&now, CONTRACT_NOW + jumps[i]);
    make_node(store, id);
    int64_t stamp = log_of(store).last_stamp;
    assert_true(stamp > last);
    last = stamp;
    store = contract_reopen(store);
  }
  CONTRACT_NUMBER(changes_after(store, start), (int)CONTRACT_COUNT(jumps));
  if (contract_is_sqlite()) { /* a server has a clock of its own: tests/postgres/test_feed.py */
    CONTRACT_NUMBER(kecs_stamp_time(changes[5].stamp), (CONTRACT_NOW + INT64_C(86400000000)) / 1000 * 1000);
  }
  CONTRACT_NUMBER(kecs_stamp_time(0), 0);
  contract_close(store);
}

/* ---- compaction ---- */

static void compaction_removes_and_says_so(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  kecs_watch *watch = NULL;
  kecs_compacted done;
  make_node(store, "one");
  int64_t start = log_of(store).last_seq;
  for (int i = 0; i < 2500; i++) {
    set_node(store, "one", i + 1, NULL);
  }
  kecs_compaction half = {.upto_seq = start + 1500, .steps = 1};
  CONTRACT_OK(kecs_changes_compact(store, &half, &done));
  assert_true(done.removed == 1000 && done.floor < start + 1500);
  half.steps = 0;
  CONTRACT_OK(kecs_changes_compact(store, &half, &done));
  CONTRACT_NUMBER(done.floor, start + 1500);
  CONTRACT_NUMBER(log_of(store).floor, start + 1500);
  CONTRACT_NUMBER(changes_after(store, start + 1500), 1000);
  CONTRACT_NUMBER(changes_after(store, KECS_WATCH_OLDEST), 1000);
  kecs_watch_options options = {.from_seq = start + 1499};
  CONTRACT_FAILS(kecs_watch_open(store, &options, &watch), KECS_E_COMPACTED);
  CONTRACT_NUMBER(kecs_last_error()->floor, start + 1500);
  char floor[32];
  snprintf(floor, sizeof floor, "%lld", (long long)(start + 1500));
  CONTRACT_SAYS(floor);
  CONTRACT_OK(kecs_changes_compact(store, NULL, &done));
  CONTRACT_NUMBER(done.removed, 999);
  CONTRACT_NUMBER(changes_after(store, KECS_WATCH_OLDEST), 1);
  CONTRACT_OK(kecs_changes_compact(store, NULL, &done));
  CONTRACT_NUMBER(done.removed, 0);
  make_node(store, "two");
  CONTRACT_NUMBER(log_of(store).last_seq, start + 2501);
  contract_close(store);
}

static void compaction_goes_by_age(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return; /* by the server's clock: tests/postgres/test_feed.py */
  }
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.track = KECS_TRACK_ON, .clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  make_node(store, "old");
  CONTRACT_OK(kecs_node_delete(store, "old"));
  contract_set_clock(&now, CONTRACT_NOW + INT64_C(3600000000));
  make_node(store, "young");
  make_node(store, "younger");
  kecs_compaction aged = {.older_than_us = INT64_C(1800000000)};
  kecs_compacted done;
  CONTRACT_OK(kecs_changes_compact(store, &aged, &done));
  CONTRACT_NUMBER(changes_after(store, KECS_WATCH_OLDEST), 2);
  CONTRACT_NUMBER(done.tombstones, 0);
  contract_set_clock(&now, CONTRACT_NOW + INT64_C(8) * 86400 * 1000000);
  CONTRACT_OK(kecs_changes_compact(store, &aged, &done));
  CONTRACT_NUMBER(done.tombstones, 1);
  contract_close(store);
}

/* ---- what is to be pushed ---- */

typedef struct pushes {
  int count;
  kecs_pending all[64];
  char names[64][64];
} pushes;

static kecs_status keep_push(const kecs_pending *pending, void *user) {
  pushes *kept_ones = user;
  assert_true(kept_ones->count < 64);
  const kecs_node *node = pending->row;
  snprintf(kept_ones->names[kept_ones->count], sizeof kept_ones->names[0], "%s", node ? node->id : pending->key);
  kept_ones->all[kept_ones->count++] = *pending;
  return KECS_OK;
}

static pushes pending_of(kecs_store *store) {
  pushes found = {0};
  CONTRACT_OK(kecs_changes_pending(store, KECS_KIND_NODE, 0, keep_push, &found));
  return found;
}

static void check_pending(kecs_store *store, const kept *first_of_two) {
  pushes found = pending_of(store);
  CONTRACT_NUMBER(found.count, 3);
  CONTRACT_TEXT(found.names[0], "gone");
  CONTRACT_NUMBER(found.all[0].op, KECS_CHANGE_DELETED);
  assert_true(found.all[0].base_life > 0);
  CONTRACT_TEXT(found.names[1], "new");
  CONTRACT_NUMBER(found.all[1].op, KECS_CHANGE_CREATED);
  CONTRACT_TEXT(found.names[2], "two");
  CONTRACT_NUMBER(found.all[2].op, KECS_CHANGE_UPDATED);
  CONTRACT_NUMBER(found.all[2].groups & (SPEC | STATUS), SPEC | STATUS);
  CONTRACT_NUMBER(found.all[2].oldest_stamp, first_of_two->stamp);
  assert_true(found.all[2].stamp > found.all[2].oldest_stamp);
}

static void pending_rows_come_once_folded_or_not(void **state) {
  (void)state;
  kecs_store *store = open_tracked();
  make_node(store, "gone");
  make_node(store, "two");
  make_node(store, "untouched");
  CONTRACT_OK(kecs_changes_pushed(store, log_of(store).last_seq));
  CONTRACT_NUMBER(pending_of(store).count, 0);
  int64_t start = log_of(store).last_seq;
  set_node(store, "two", 7, NULL);
  set_node(store, "gone", 8, NULL);
  CONTRACT_OK(kecs_node_delete(store, "gone"));
  make_node(store, "new");
  set_node(store, "new", 9, NULL);
  set_node(store, "two", 0, "NotReady");
  changes_after(store, start);
  kept first_of_two = changes[0];
  check_pending(store, &first_of_two);
  for (int steps = 1; steps <= 7; steps++) {
    kecs_compaction some = {.upto_seq = start + steps};
    CONTRACT_OK(kecs_changes_compact(store, &some, NULL));
    check_pending(store, &first_of_two);
  }
  store = contract_reopen(store);
  check_pending(store, &first_of_two);
  pushes found = pending_of(store);
  CONTRACT_OK(kecs_changes_pushed(store, found.all[1].seq));
  found = pending_of(store);
  CONTRACT_NUMBER(found.count, 1);
  set_node(store, "two", 8, NULL);
  CONTRACT_NUMBER(pending_of(store).count, 1);
  CONTRACT_FAILS(kecs_changes_pushed(store, log_of(store).last_seq + 1), KECS_E_INVALID);
  CONTRACT_OK(kecs_changes_pushed(store, log_of(store).last_seq));
  CONTRACT_NUMBER(pending_of(store).count, 0);
  CONTRACT_OK(kecs_changes_pushed(store, -1));
  contract_close(store);
}

/* ---- other programs ---- */

static void foreign_sql_is_logged(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = open_tracked();
  const char *path = contract_path(store);
  make_node(store, "ours");
  make_node(store, "gone");
  CONTRACT_OK(kecs_node_delete(store, "gone"));
  int64_t start = log_of(store).last_seq;
  run_sql(path, "UPDATE nodes SET port=99 WHERE id='ours'");
  run_sql(path, "UPDATE nodes SET status='NotReady',port=98 WHERE id='ours'");
  run_sql(path,
          "INSERT INTO nodes(id,hostname,port,status,running_tasks,last_heartbeat,created_at,updated_at,version,"
          "omitted) SELECT 'theirs',hostname,port,status,running_tasks,last_heartbeat,created_at,updated_at,"
          "version,omitted FROM nodes WHERE id='ours'");
  run_sql(path, "DELETE FROM nodes WHERE id='theirs'");
  CONTRACT_NUMBER(changes_after(store, start), 5);
  CHANGE(0, KECS_KIND_NODE, KECS_CHANGE_UPDATED, SPEC, "ours");
  CHANGE(3, KECS_KIND_NODE, KECS_CHANGE_CREATED, ALL, "theirs");
  CHANGE(4, KECS_KIND_NODE, KECS_CHANGE_DELETED, ALL, "theirs");
  for (int i = 1; i < 5; i++) {
    assert_true(changes[i].stamp > changes[i - 1].stamp);
  }
  CONTRACT_NUMBER(sql_number(path, "SELECT rid FROM change_tombstones WHERE key='theirs'"), 3);
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_not_equal(sqlite3_exec(db, "UPDATE nodes SET id='other' WHERE id='ours'", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  make_node(store, "next");
  CONTRACT_NUMBER(sql_number(path, "SELECT rid FROM nodes WHERE id='next'"), 4);
  contract_close(store);
}

/* The row that is replaced goes without a trace; what took its place is told. */
static void foreign_replacement_does_not_stop_a_watch(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = open_tracked();
  int64_t start = log_of(store).last_seq;
  make_node(store, "one");
  run_sql(contract_path(store),
          "INSERT OR REPLACE INTO nodes(id,hostname,port,status,running_tasks,last_heartbeat,created_at,updated_at,"
          "version,omitted) SELECT 'one','theirs',port,status,running_tasks,last_heartbeat,created_at,updated_at,"
          "version,omitted FROM nodes WHERE id='one'");
  make_node(store, "two");
  CONTRACT_NUMBER(changes_after(store, start), 2);
  CHANGE(0, KECS_KIND_NODE, KECS_CHANGE_CREATED, ALL, "one");
  CHANGE(1, KECS_KIND_NODE, KECS_CHANGE_CREATED, ALL, "two");
  CONTRACT_NUMBER(pending_of(store).count, 2);
  contract_close(store);
}

/* A store that was open before another one switched tracking on or off. */
static void switching_is_seen_by_open_stores(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options plain = {.track = KECS_TRACK_OFF};
  kecs_options tracking = {.track = KECS_TRACK_ON};
  kecs_options keeping = {0};
  kecs_store *early = contract_open_with(&plain);
  make_node(early, "before");
  kecs_store *switched = contract_open_again(early, &tracking);
  int64_t start = log_of(switched).last_seq;
  make_node(early, "early");
  make_node(switched, "late");
  CONTRACT_OK(kecs_node_delete(early, "late"));
  CONTRACT_NUMBER(changes_after(switched, start), 3);
  CHANGE(0, KECS_KIND_NODE, KECS_CHANGE_CREATED, ALL, "early");
  CHANGE(1, KECS_KIND_NODE, KECS_CHANGE_CREATED, ALL, "late");
  CHANGE(2, KECS_KIND_NODE, KECS_CHANGE_DELETED, ALL, "late");
  kecs_store *kept_on = contract_open_again(early, &keeping);
  assert_true(log_of(kept_on).tracked);
  int64_t before = log_of(kept_on).last_seq;
  kecs_store *off = contract_open_again(early, &plain);
  assert_false(log_of(kept_on).tracked);
  make_node(switched, "unlogged");
  kecs_watch *watch = NULL;
  CONTRACT_FAILS(kecs_watch_open(switched, NULL, &watch), KECS_E_UNSUPPORTED);
  kecs_store *on = contract_open_again(early, &tracking);
  assert_true(log_of(on).last_seq > before);
  kecs_watch_options options = {.from_seq = before};
  CONTRACT_FAILS(kecs_watch_open(on, &options, &watch), KECS_E_COMPACTED);
  start = log_of(on).last_seq;
  CONTRACT_NUMBER(log_of(on).since, start);
  make_node(switched, "caught");
  make_node(kept_on, "logged");
  CONTRACT_NUMBER(changes_after(on, start), 2);
  contract_close(on);
  contract_close(off);
  contract_close(kept_on);
  contract_close(switched);
  contract_close(early);
}

/* A file of schema version 1: what this version adds is taken away. */
static void a_file_of_the_first_schema_is_migrated(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options plain = {.track = KECS_TRACK_OFF};
  kecs_options tracking = {.track = KECS_TRACK_ON};
  kecs_store *store = contract_open_with(&plain);
  make_cluster(store, "web");
  CONTRACT_OK(kecs_close(store));
  contract_slot *slot = contract_slot_of(store);
  slot->store = NULL;
  char sql[512];
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    static const char *const names[] = {"life", "spec", "status"};
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
      snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('%s') WHERE name='stamp_%s'", info->table,
               names[i]);
      if (sql_number(slot->path, sql)) {
        snprintf(sql, sizeof sql, "ALTER TABLE %s DROP COLUMN stamp_%s; ALTER TABLE %s DROP COLUMN site_%s",
                 info->table, names[i], info->table, names[i]);
        run_sql(slot->path, sql);
      }
    }
  }
  run_sql(slot->path,
          "DROP TABLE changes; DROP TABLE change_folds; DROP TABLE change_tombstones;"
          "DROP TABLE change_state; DROP TABLE history; DROP TABLE history_keys;"
          "DELETE FROM schema_version WHERE version>1");
  slot->options.track = tracking.track;
  CONTRACT_OK(kecs_open(&slot->options, &slot->store));
  store = slot->store;
  int64_t start = log_of(store).last_seq;
  kecs_cluster cluster = {.name = "web", .settings = "[]"};
  CONTRACT_OK(kecs_cluster_upsert(store, &cluster, NULL));
  CONTRACT_NUMBER(changes_after(store, start), 1);
  CHANGE(0, KECS_KIND_CLUSTER, KECS_CHANGE_UPDATED, SPEC, WEB);
  CONTRACT_NUMBER(sql_number(contract_path(store), "SELECT max(version) FROM schema_version"), 5);
  contract_close(store);
}

static kecs_status never(const kecs_pending *pending, void *user) {
  (void)pending;
  (void)user;
  return KECS_E_IO;
}

static kecs_backend bare;

static bool bare_answers(const char *path) {
  (void)path;
  return true;
}

static void a_backend_without_a_log_says_so(void **state) {
  (void)state;
  static const kecs_backend *const list[] = {&bare, NULL};
  bare = *contract_real_backend();
  bare.answers_to = bare_answers;
  bare.guard = NULL;
  bare.log = NULL;
  kecs_options options = {.backends = list, .track = KECS_TRACK_OFF};
  kecs_store *store = contract_open_with(&options);
  kecs_store *tracked = NULL;
  kecs_watch *watch = NULL;
  kecs_result *list_of = NULL;
  options = contract_slot_of(store)->options;
  options.track = KECS_TRACK_ON;
  CONTRACT_FAILS(kecs_open(&options, &tracked), KECS_E_UNSUPPORTED);
  options.track = KECS_TRACK_OFF;
  CONTRACT_OK(kecs_open(&options, &tracked));
  CONTRACT_OK(kecs_close(tracked));
  make_cluster(store, "web");
  kecs_changes_info info = log_of(store);
  assert_false(info.tracked);
  CONTRACT_NUMBER(info.last_seq + info.floor + info.since + info.last_stamp, 0);
  CONTRACT_OK(kecs_cluster_list(store, NULL, &list_of));
  CONTRACT_NUMBER(kecs_result_seq(list_of), 0);
  kecs_result_free(list_of);
  CONTRACT_FAILS(kecs_watch_open(store, NULL, &watch), KECS_E_UNSUPPORTED);
  CONTRACT_FAILS(kecs_changes_compact(store, NULL, NULL), KECS_E_UNSUPPORTED);
  CONTRACT_FAILS(kecs_changes_pushed(store, 1), KECS_E_UNSUPPORTED);
  CONTRACT_FAILS(kecs_changes_pending(store, KECS_KIND_CLUSTER, 0, never, NULL), KECS_E_UNSUPPORTED);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(without_the_option_nothing_is_logged), CONTRACT_TEST(every_write_has_its_entry),
    CONTRACT_TEST(rows_of_every_kind_are_logged),        CONTRACT_TEST(what_goes_with_a_parent_goes_first),
    CONTRACT_TEST(a_key_of_parts_is_one_text),           CONTRACT_TEST(entries_come_and_go_with_the_transaction),
    CONTRACT_TEST(a_list_tells_where_it_was_read),       CONTRACT_TEST(numbers_are_never_given_twice),
    CONTRACT_TEST(rids_hold_across_savepoints),          CONTRACT_TEST(the_clock_never_goes_back),
    CONTRACT_TEST(compaction_removes_and_says_so),       CONTRACT_TEST(compaction_goes_by_age),
    CONTRACT_TEST(pending_rows_come_once_folded_or_not), CONTRACT_TEST(foreign_sql_is_logged),
    CONTRACT_TEST(foreign_replacement_does_not_stop_a_watch),
    CONTRACT_TEST(switching_is_seen_by_open_stores),     CONTRACT_TEST(a_file_of_the_first_schema_is_migrated),
    CONTRACT_TEST(a_backend_without_a_log_says_so),
};

CONTRACT_MAIN("changes", tests)
