/* runner.c -- one scene after another: n = 1, 2, 3 ... until the fault no longer meets a call.
 *
 * What must hold each time. The call fails with the code of the fault, or has its whole effect (SQLite can do without
 * some of its allocations). Afterwards the store is read and written, the same handle makes its round, and once nothing
 * moves, file and hub have what they have where nothing fails: every row, and every entry of the conflict log. What the
 * hub has acknowledged is there, nothing waits, nothing leaks, the file is whole. Closing while things fail loses
 * nothing either. */
#include "syncfault/runner.h"

#include "syncfault/bridge.h"
#include "syncfault/scenes.h"

/* With KECS_FULL=1 every n, but of SQLite's own allocations, of which a round has tens of thousands: every n up to one,
 * then a fiftieth further each time. Else every n up to one, and then a part further each time; faults that stay, and
 * SQLite's, sooner and more. */
#define EVERY_N 6
#define EVERY_N_THIN 3
#define EVERY_N_SQLITE 300

static const fault_kind *all_kinds;
static size_t kind_count;
static bool full;
static fault_image seed;
static scene_edge mine;
static scene_edge other;

typedef struct attempt {
  const scene *what;
  fault_kind kind;
  unsigned long n;
  uint64_t rows;      /* of the hub, where nothing fails */
  uint64_t conflicts;
  bool closes; /* what fails is the closing */
  fault_usage before;
} attempt;

static bool is_sqlites(fault_kind kind) {
  return kind == FAULT_SQLITE || kind == FAULT_SQLITE_ON;
}

static unsigned long next_n(const attempt *a) {
  bool thin = is_sqlites(a->kind) || a->kind == FAULT_MEMORY_ON || a->kind == FAULT_DISK_ON;
  if (full) {
    return a->n + 1 + (is_sqlites(a->kind) && a->n >= EVERY_N_SQLITE ? a->n / 50 : 0);
  }
  if (a->n < (thin ? EVERY_N_THIN : EVERY_N)) {
    return a->n + 1;
  }
  return a->n + 1 + a->n / (thin ? 2 : 5);
}

/* ---- what is wrong ---- */

static int failures;

static void judge(const attempt *a) {
  const char *complaint = fault_complaint();
  if (complaint && ++failures <= 3) {
    print_error("%s%s, %s, n=%lu: %s\n", a->what->name, a->closes ? ", closing" : "", fault_name(a->kind), a->n,
                complaint);
  }
}

static void need_ok(kecs_status status, const char *what) {
  if (status) {
    fault_complain("%s gives %s: %s", what, kecs_status_name(status), kecs_last_error()->text);
  }
}

static void need_code(kecs_status status, const kecs_error *error, const attempt *a, bool fired) {
  bool in_doubt = status == KECS_E_OUTCOME_UNKNOWN && fault_sync_failed();
  if (!fired) {
    fault_complain("fails without a fault: %s: %s", kecs_status_name(status), error->text);
  } else if (status != fault_expected(a->kind) && !in_doubt) {
    fault_complain("gives %s, not %s: %s", kecs_status_name(status), kecs_status_name(fault_expected(a->kind)),
                   error->text);
  } else if (error->status != status || !error->text[0]) {
    fault_complain("gives %s, the last error is %s \"%s\"", kecs_status_name(status), kecs_status_name(error->status),
                   error->text);
  }
}

static void need_no_leak(fault_usage before) {
  fault_usage after = fault_used();
  if (after.blocks != before.blocks || after.sqlite_blocks != before.sqlite_blocks || after.files != before.files) {
    fault_complain("leaks %ld blocks, %ld of SQLite's, %ld files", after.blocks - before.blocks,
                   after.sqlite_blocks - before.sqlite_blocks, after.files - before.files);
  }
}

/* ---- one attempt ---- */

static void start(attempt *a) {
  scene_now = a->what;
  bridge_reset();
  fault_save(&seed, mine.path);
  a->before = fault_used();
  fault_chance(1);
  need_ok(scene_open_store(&mine), "kecs_open");
  fault_chance(2);
}

static void use_store(void) {
  kecs_cluster cluster = {.name = "later"};
  int64_t count = 0;
  need_ok(kecs_cluster_count(mine.store, NULL, &count), "a read");
  need_ok(kecs_cluster_create(mine.store, &cluster, NULL), "a write");
}

/* Without faults all comes about: on the same handle, where there is one, and on a fresh one. */
static void recover(kecs_status status) {
  if (mine.sync) {
    need_ok(kecs_sync_once(mine.sync, NULL), "the next round");
  }
  if (status) {
    kecs_sync_close(mine.sync);
    mine.sync = NULL;
    need_ok(scene_now->run(&mine), "the same once more");
  }
  if (mine.sync) {
    need_ok(scene_settle(&mine), "a later round");
  }
}

static void compare(attempt *a, bool learns) {
  uint64_t conflicts = 0;
  uint64_t rows = bridge_rows();
  need_ok(scene_conflicts(&mine, &conflicts), "the conflict log");
  const char *wrong = bridge_check();
  if (wrong) {
    fault_complain("%s", wrong);
  } else if (learns) {
    a->rows = rows;
    a->conflicts = conflicts;
  } else if (rows != a->rows) {
    fault_complain("the hub has other rows than without a fault");
  } else if (conflicts != a->conflicts) {
    fault_complain("the conflict log has other entries than without a fault");
  }
}

static void end(const attempt *a) {
  scene_close(&mine);
  need_no_leak(a->before);
  fault_check_file(mine.path);
  fault_look_away();
}

/* Whether the fault met a call. */
static bool attempt_once(attempt *a) {
  start(a);
  fault_arm(a->kind, a->n);
  kecs_status status = mine.store ? a->what->run(&mine) : KECS_OK;
  kecs_error error = *kecs_last_error();
  bool fired = fault_disarm();
  if (status) {
    need_code(status, &error, a, fired);
  }
  if (mine.store) {
    use_store();
    recover(status);
    compare(a, a->kind == FAULT_NONE);
    end(a);
  }
  judge(a);
  return fired;
}

/* An edge that is closed while things fail: all is given back, and the next one that opens the file goes on. */
static bool close_once(attempt *a) {
  start(a);
  need_ok(a->what->run(&mine), "the scene");
  use_store();
  fault_arm(a->kind, a->n);
  scene_close(&mine);
  bool fired = fault_disarm();
  need_no_leak(a->before);
  need_ok(scene_open_store(&mine), "kecs_open");
  need_ok(scene_open_sync(&mine), "kecs_sync_open");
  if (mine.sync) {
    need_ok(scene_settle(&mine), "a later round");
  }
  compare(a, a->kind == FAULT_NONE);
  end(a);
  judge(a);
  return fired;
}

static void run_all(attempt *a, bool (*once)(attempt *a)) {
  a->kind = FAULT_NONE;
  (void)once(a);
  for (size_t i = 0; failures == 0 && i < kind_count; i++) {
    a->kind = all_kinds[i];
    a->n = full ? 1 : 1 + (unsigned long)(a->what - scenes) % 3; /* scenes differ in which calls are tried */
    while (once(a) && failures < 3) {
      a->n = next_n(a);
    }
  }
}

/* ---- scenes ---- */

static void place_edge(scene_edge *edge, int place, const char *file, const char *site) {
  memset(edge, 0, sizeof *edge);
  edge->place = place;
  snprintf(edge->path, sizeof edge->path, "%s/%s", fault_folder(), file);
  snprintf(edge->site, sizeof edge->site, "%s", site);
  fault_remove(edge->path);
}

static void prepare(const scene *what) {
  scene_now = what;
  bridge_begin();
  place_edge(&mine, 0, "work.db", "mine");
  place_edge(&other, 1, "seed.db", "other");
  fault_chance(3);
  scene_edge *const edges[] = {&mine, &other};
  for (int i = 0; i < 2; i++) {
    scene_must(scene_open_store(edges[i]), "kecs_open");
    scene_must(scene_open_sync(edges[i]), "kecs_sync_open");
  }
  what->prepare(&mine, &other);
  scene_close(&mine);
  scene_close(&other);
  seed = fault_load(mine.path);
  bridge_keep();
}

static void test_scene(void **state) {
  attempt a = {.what = *state};
  failures = 0;
  prepare(a.what);
  const char *complaint = fault_complaint();
  if (complaint) {
    print_error("%s: %s\n", a.what->name, complaint);
    failures++;
  } else {
    run_all(&a, attempt_once);
    a.closes = true;
    run_all(&a, close_once);
  }
  free(seed.bytes);
  bridge_end();
  assert_int_equal(failures, 0);
}

int syncfault_main(const char *group, const fault_kind *kinds, size_t count) {
  const char *asked = getenv("KECS_FULL");
  const char *only = getenv("KECS_FAULT_CASE"); /* a part of the names of the scenes to run */
  struct CMUnitTest *tests = calloc(scene_count, sizeof *tests);
  size_t used = 0;
  if (!tests) {
    return 2;
  }
  full = asked && asked[0] && strcmp(asked, "0") != 0;
  all_kinds = kinds;
  kind_count = count;
  fault_install();
  for (size_t i = 0; i < scene_count; i++) {
    tests[used] = (struct CMUnitTest){scenes[i].name, test_scene, NULL, NULL, (void *)(uintptr_t)&scenes[i]};
    used += !only || strstr(scenes[i].name, only) ? 1 : 0;
  }
  int failed = _cmocka_run_group_tests(group, tests, used, NULL, NULL);
  free(tests);
  return failed ? 1 : 0;
}
