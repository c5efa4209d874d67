/* tests/unit/test_replica.c -- what a repair asks of a file: walks by stamps, another number, stamps given anew, and
 * how long tombstones live. tests/sync has the same in the large, with a hub. */
#include "base/prologue.h"

#include "gen/api_public.h"
#include "store/replica.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_US INT64_C(1700000000000000)
#define HOUR_US INT64_C(3600000000)
#define KINDS KECS_BIT(KECS_KIND_CLUSTER)

static int64_t now_us;

static int64_t tell_time(void *user) {
  (void)user;
  return now_us += 1000;
}

static const kecs_replica side = {.site = 7, .kinds = KINDS};

typedef struct file {
  char path[256];
  kecs_store *store;
} file;

static file *fresh(void) {
  static file made;
  static int count;
  const char *folder = getenv("TMPDIR");
  kecs_options options = {0};
  snprintf(made.path, sizeof made.path, "%s/replica%d.db", folder ? folder : "/tmp", count++);
  (void)unlink(made.path);
  now_us = NOW_US;
  options.path = made.path;
  options.track = KECS_TRACK_ON;
  options.clock.now = tell_time;
  assert_int_equal(kecs_open(&options, &made.store), KECS_OK);
  assert_int_equal(kecs_replica_open(made.store, KINDS, NULL), KECS_OK);
  return &made;
}

static void done(file *at) {
  assert_int_equal(kecs_close(at->store), KECS_OK);
  assert_int_equal(unlink(at->path), 0);
}

static void put(file *at, const char *name) {
  kecs_cluster cluster = {0};
  cluster.name = name;
  assert_int_equal(kecs_cluster_create(at->store, &cluster, NULL), KECS_OK);
}

static void rename_status(file *at, const char *name, const char *status) {
  kecs_cluster cluster = {0};
  cluster.name = name;
  cluster.status = status;
  assert_int_equal(kecs_cluster_update_fields(at->store, &cluster, KECS_BIT(KECS_CLUSTER_STATUS), NULL), KECS_OK);
}

/* What a walk has found. */
typedef struct found {
  int count;
  int64_t stamp[16][KECS_REPLICA_STAMPS];
  int64_t site[16][KECS_REPLICA_STAMPS];
  unsigned pending[16];
  char key[16][256];
} found;

static kecs_status look(const kecs_replica_row *row, void *user) {
  found *all = user;
  assert_true(all->count < 16 && !row->values);
  memcpy(all->stamp[all->count], row->stamp, sizeof row->stamp);
  memcpy(all->site[all->count], row->site, sizeof row->site);
  all->pending[all->count] = row->pending;
  snprintf(all->key[all->count++], sizeof all->key[0], "%s", row->key);
  return KECS_OK;
}

static found rows_of(file *at, const kecs_replica *as) {
  found all;
  int64_t last = 0;
  memset(&all, 0, sizeof all);
  assert_int_equal(kecs_replica_walk(at->store, as, KECS_KIND_CLUSTER, 0, 0, look, &all, &last), KECS_OK);
  return all;
}

static found graves_of(file *at) {
  found all;
  int64_t last = 0;
  memset(&all, 0, sizeof all);
  assert_int_equal(kecs_replica_graves(at->store, &side, 0, 0, look, &all, &last), KECS_OK);
  return all;
}

static void test_walks_go_page_by_page(void **state) {
  file *at = fresh();
  int64_t last = 0;
  int pages = 0;
  found all;
  (void)state;
  memset(&all, 0, sizeof all);
  put(at, "a");
  put(at, "b");
  put(at, "c");
  assert_int_equal(kecs_cluster_delete(at->store, "b"), KECS_OK);
  do {
    assert_int_equal(kecs_replica_walk(at->store, &side, KECS_KIND_CLUSTER, last, 1, look, &all, &last), KECS_OK);
    pages += last != 0;
  } while (last != 0);
  assert_int_equal(pages, 2);
  assert_int_equal(all.count, 2);
  assert_non_null(strstr(all.key[1], "cluster/c"));
  assert_int_equal(all.site[0][KECS_REPLICA_LIFE], KECS_REPLICA_HERE);
  assert_int_equal(graves_of(at).count, 1);
  done(at);
}

static void test_another_number(void **state) {
  file *at = fresh();
  kecs_replica later = side;
  (void)state;
  put(at, "a");
  later.acked = rows_of(at, &side).stamp[0][KECS_REPLICA_LIFE];
  put(at, "b");
  rename_status(at, "a", "FAILED");
  assert_int_equal(kecs_replica_renumber(at->store, 7, later.acked), KECS_OK);
  found all = rows_of(at, &later);
  assert_int_equal(all.site[0][KECS_REPLICA_LIFE], 7);
  assert_int_equal(all.site[0][KECS_REPLICA_STATUS], KECS_REPLICA_HERE);
  assert_int_equal(all.pending[0], KECS_BIT(KECS_REPLICA_STATUS));
  assert_int_equal(all.site[1][KECS_REPLICA_LIFE], KECS_REPLICA_HERE);
  assert_int_equal(kecs_replica_renumber(at->store, 0, later.acked), KECS_E_INVALID);
  assert_int_equal(kecs_replica_renumber(NULL, 7, 0), KECS_E_MISUSE);
  done(at);
}

static void test_stamps_given_anew_keep_their_order(void **state) {
  file *at = fresh();
  kecs_restamp restamp = {0};
  (void)state;
  put(at, "before");
  now_us = NOW_US + 20 * HOUR_US;
  put(at, "a");
  put(at, "b");
  rename_status(at, "before", "FAILED");
  assert_int_equal(kecs_cluster_delete(at->store, "a"), KECS_OK);
  now_us = NOW_US + 60000000;
  restamp.limit_us = now_us + 300000000;
  restamp.now_us = now_us;
  restamp.offset_us = -20 * HOUR_US;
  restamp.acked = rows_of(at, &side).stamp[0][KECS_REPLICA_LIFE];
  assert_int_equal(kecs_replica_restamp(at->store, &restamp), KECS_OK);
  assert_int_equal(restamp.changed, 4);
  found all = rows_of(at, &side);
  int64_t dead = graves_of(at).stamp[0][KECS_REPLICA_LIFE];
  int64_t born = all.stamp[1][KECS_REPLICA_LIFE];
  int64_t changed = all.stamp[0][KECS_REPLICA_STATUS];
  assert_int_equal(all.stamp[0][KECS_REPLICA_LIFE], restamp.acked);
  assert_true(restamp.acked < born && born < changed && changed < dead);
  assert_true(kecs_stamp_time(dead) <= restamp.now_us);
  assert_int_equal(kecs_replica_restamp(at->store, &restamp), KECS_OK); /* there is nothing left to do */
  assert_int_equal(restamp.changed, 0);
  put(at, "after"); /* the clock has gone back with them */
  all = rows_of(at, &side);
  assert_true(all.stamp[2][KECS_REPLICA_LIFE] > dead);
  assert_true(kecs_stamp_time(all.stamp[2][KECS_REPLICA_LIFE]) < NOW_US + HOUR_US);
  assert_int_equal(kecs_replica_restamp(at->store, NULL), KECS_E_MISUSE);
  done(at);
}

static void test_others_stamps_stay(void **state) {
  file *at = fresh();
  kecs_restamp restamp = {0};
  kecs_replica_row row;
  kecs_replica_merged merged;
  int64_t theirs = (NOW_US / 1000 + 600000) * 65536; /* ten minutes ahead */
  (void)state;
  put(at, "a");
  memset(&row, 0, sizeof row);
  row.kind = KECS_KIND_CLUSTER;
  row.dead = true;
  row.key = "arn:aws:ecs:us-east-1:000000000000:cluster/x";
  row.stamp[0] = theirs;
  row.site[0] = 3;
  assert_int_equal(kecs_replica_merge(at->store, &side, &row, &merged), KECS_OK);
  put(at, "b"); /* above what was merged, and close to it */
  restamp.limit_us = NOW_US + 300000000;
  restamp.now_us = NOW_US;
  assert_int_equal(kecs_replica_restamp(at->store, &restamp), KECS_OK);
  assert_int_equal(restamp.changed, 0);
  assert_int_equal(graves_of(at).stamp[0][0], theirs);
  assert_true(rows_of(at, &side).stamp[1][KECS_REPLICA_LIFE] > theirs);
  done(at);
}

static void test_an_offset_moves_stamps_alone(void **state) {
  file *at = fresh();
  kecs_options options = {0};
  (void)state;
  assert_int_equal(kecs_replica_offset(at->store, HOUR_US), KECS_OK);
  put(at, "a");
  assert_true(kecs_stamp_time(rows_of(at, &side).stamp[0][KECS_REPLICA_LIFE]) >= NOW_US + HOUR_US);
  assert_int_equal(kecs_close(at->store), KECS_OK);
  options.path = at->path; /* and is in the file */
  options.clock.now = tell_time;
  assert_int_equal(kecs_open(&options, &at->store), KECS_OK);
  now_us += 600000000;
  put(at, "b");
  assert_true(kecs_stamp_time(rows_of(at, &side).stamp[1][KECS_REPLICA_LIFE]) >= NOW_US + HOUR_US + 600000000);
  assert_int_equal(kecs_replica_offset(NULL, 0), KECS_E_MISUSE);
  done(at);
}

static void test_tombstones_live_as_long_as_they_are_to(void **state) {
  file *at = fresh();
  kecs_compaction all = {0};
  kecs_compacted gone;
  (void)state;
  all.tombstones_us = -1;
  assert_int_equal(kecs_replica_retain(at->store, 0), KECS_E_INVALID);
  assert_int_equal(kecs_replica_retain(at->store, 2 * HOUR_US), KECS_OK);
  put(at, "a");
  assert_int_equal(kecs_cluster_delete(at->store, "a"), KECS_OK);
  put(at, "b");
  assert_int_equal(kecs_changes_pushed(at->store, 3), KECS_OK);
  now_us += HOUR_US;
  assert_int_equal(kecs_changes_compact(at->store, &all, &gone), KECS_OK);
  assert_int_equal(gone.tombstones, 0);
  now_us += 2 * HOUR_US;
  assert_int_equal(kecs_changes_compact(at->store, &all, &gone), KECS_OK);
  assert_int_equal(gone.tombstones, 1);
  done(at);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_walks_go_page_by_page),
      cmocka_unit_test(test_another_number),
      cmocka_unit_test(test_stamps_given_anew_keep_their_order),
      cmocka_unit_test(test_others_stamps_stay),
      cmocka_unit_test(test_an_offset_moves_stamps_alone),
      cmocka_unit_test(test_tombstones_live_as_long_as_they_are_to),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
