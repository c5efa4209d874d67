/* runner.c -- one case after another: n = 1, 2, 3 ... until the fault no longer meets a call.
 *
 * What must hold each time. The call fails with the code of the fault, or has its whole effect and gives all that it
 * gives without a fault (SQLite can do without some of its allocations). After a failure the file holds what it held
 * before, out pointers are NULL, and with the fault gone the same call succeeds on the same handle. A transaction goes
 * on with what it had before the call; or it is lost, every later call on it fails, and so does its commit. Nothing
 * leaks, the file is whole. */
#include "fault/runner.h"

/* With KECS_FULL=1 every n is tried, but of SQLite's own allocations, of which a case has thousands: every n up to one,
 * then a fiftieth further each time, cases beginning differently. KECS_FULL=2 tries all of those, too, for hours.
 *
 * Else every n up to one and then fewer and fewer, a fifth further each time. SQLite's allocations, and faults that
 * stay, are thinned out sooner and more. */
#define EVERY_N 50
#define EVERY_N_THIN 8
#define EVERY_N_SQLITE 300

static const fault_kind *all_kinds;
static size_t kind_count;
static bool full;       /* every n of the calls that are ours to answer for */
static bool exhaustive; /* of SQLite's, too */
static fault_image seed;
static char work[512];
static uint64_t seed_digest;
static uint64_t kept_digest; /* of the seed once its history is switched on */
static uint64_t begun_digest; /* of the seed with the small write that a transaction begins with */

typedef struct fault_test {
  const fault_case *what;
  bool in_transaction;
  unsigned long salt; /* its number among the tests */
} fault_test;

/* What a case gives and leaves behind when nothing fails. */
typedef struct outcome {
  uint64_t output;
  uint64_t digest;
} outcome;

typedef struct attempt {
  const fault_test *test;
  fault_kind kind;
  unsigned long n;
  outcome expected;
  kecs_store *store;
  kecs_store *handle; /* the store or a transaction on it */
  fault_usage before;
} attempt;

static bool is_sqlites(fault_kind kind) {
  return kind == FAULT_SQLITE || kind == FAULT_SQLITE_ON;
}

static bool is_thin(fault_kind kind) {
  return !full && (kind == FAULT_MEMORY_ON || kind == FAULT_SQLITE || kind == FAULT_SQLITE_ON || kind == FAULT_DISK_ON);
}

static unsigned long first_n(const attempt *a) {
  return is_thin(a->kind) ? 1 + a->test->salt % 3 : 1;
}

static unsigned long next_n(const attempt *a) {
  bool thin = is_thin(a->kind);
  if (full) {
    bool sampled = is_sqlites(a->kind) && !exhaustive && a->n >= EVERY_N_SQLITE + a->test->salt % 6;
    return a->n + 1 + (sampled ? a->n / 50 : 0);
  }
  if (a->n < (thin ? EVERY_N_THIN : EVERY_N)) {
    return a->n + 1;
  }
  return a->n + 1 + a->n / (thin ? 3 : 5);
}

/* ---- what is wrong ---- */

static int failures;

/* Tells what was complained of in this attempt. */
static void judge(const attempt *a) {
  const char *complaint = fault_complaint();
  if (complaint && ++failures <= 3) {
    print_error("%s%s, %s, n=%lu: %s\n", a->test->what->name, a->test->in_transaction ? " in a transaction" : "",
                fault_name(a->kind), a->n, complaint);
  }
}

static void need_ok(kecs_status status, const char *what) {
  if (status) {
    fault_complain("%s gives %s: %s", what, kecs_status_name(status), kecs_last_error()->text);
  }
}

static void need_digest(uint64_t expected, const char *what) {
  if (fault_digest(work) != expected) {
    fault_complain("the file is not %s", what);
  }
}

static void need_code(kecs_status status, fault_kind kind, bool fired) {
  const kecs_error *error = kecs_last_error();
  if (!fired) {
    fault_complain("fails without a fault: %s: %s", kecs_status_name(status), error->text);
  } else if (status == KECS_E_OUTCOME_UNKNOWN && fault_sync_failed()) {
    return; /* the sync of a commit: in doubt until the next write */
  } else if (status != fault_expected(kind)) {
    fault_complain("gives %s, not %s: %s", kecs_status_name(status), kecs_status_name(fault_expected(kind)),
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

/* What the file is like before the call. */
static uint64_t digest_before(const attempt *a) {
  return a->test->what->flags & FAULT_HISTORY ? kept_digest : seed_digest;
}

static bool start(attempt *a) {
  kecs_options options = fault_options(work);
  options.strict = (a->test->what->flags & FAULT_STRICT) != 0;
  if (a->test->what->flags & FAULT_HISTORY) {
    options.track = KECS_TRACK_ON;
    options.history.track = KECS_TRACK_ON;
  }
  fault_save(&seed, work);
  a->before = fault_used();
  fault_chance(1);
  kecs_status status = kecs_open(&options, &a->store);
  a->handle = a->store;
  need_ok(status, "kecs_open");
  if (!status && options.history.track && kept_digest == 0) {
    kept_digest = fault_digest(work);
  }
  if (!status && a->test->in_transaction) {
    status = kecs_begin(a->store, &a->handle);
    status = status ? status : fault_small_write(a->handle);
    need_ok(status, "the transaction's beginning");
  }
  return !status;
}

static void end(attempt *a) {
  need_ok(fault_small_read(a->store), "a later read");
  need_ok(fault_small_write(a->store), "a later write");
  if (exhaustive || a->n % 4 == 0 || fault_expected(a->kind) != KECS_E_NOMEM) {
    fault_check_file(work);
  }
  fault_look_away();
  need_ok(kecs_close(a->store), "kecs_close");
  need_no_leak(a->before);
}

static kecs_status run(const attempt *a, uint64_t *out_output) {
  fault_output = 0;
  fault_chance(2);
  kecs_status status = a->test->what->run(a->handle);
  *out_output = fault_output;
  return status;
}

/* The case once more, with nothing failing. */
static void run_again(const attempt *a) {
  uint64_t output = 0;
  kecs_status status = run(a, &output);
  bool steps = (a->test->what->flags & FAULT_STEPS) != 0;
  need_ok(status, "the same call, once the fault is gone,");
  if (!status && !steps && output != a->expected.output) {
    fault_complain("the same call, once the fault is gone, gives something else");
  }
}

/* What failed is not there after a crash, either. */
static void need_digest_after_crash(const attempt *a) {
  char copy[600];
  snprintf(copy, sizeof copy, "%s/crash.db", fault_folder());
  fault_look_away();
  fault_crash(work, copy);
  if (fault_digest(copy) != digest_before(a)) {
    fault_complain("after a crash the file is not as before the call");
  }
  fault_look_away();
}

static void after_failure(const attempt *a) {
  bool steps = (a->test->what->flags & FAULT_STEPS) != 0;
  bool reads = (a->test->what->flags & FAULT_READS) != 0; /* one look is enough */
  if (!steps && !reads) {
    need_digest(digest_before(a), "as before the call");
  }
  if (!steps && fault_expected(a->kind) != KECS_E_NOMEM && !fault_sync_failed()) {
    need_digest_after_crash(a);
  }
  run_again(a);
  if (!steps) {
    need_digest(a->expected.digest, "as after the call");
  }
}

/* The transaction either goes on as if the call had not been made, or is lost for good. */
static void after_failure_in_transaction(const attempt *a) {
  bool steps = (a->test->what->flags & FAULT_STEPS) != 0;
  if (!fault_small_read(a->handle)) {
    bool again = a->n % 2 == 0;
    if (again) {
      run_again(a);
    }
    need_ok(kecs_commit(a->handle), "the commit of a transaction that goes on");
    if (again) {
      need_digest(a->expected.digest, "as after the repeated call");
    } else if (!steps) {
      need_digest(begun_digest, "as before the call");
    }
    return;
  }
  if (!fault_small_write(a->handle)) {
    fault_complain("a write succeeds where a read fails");
  }
  if (!kecs_commit(a->handle)) {
    fault_complain("a lost transaction is committed");
  }
  need_digest(digest_before(a), "as before the lost transaction");
}

static void after_success(const attempt *a, uint64_t output) {
  if (output != a->expected.output) {
    fault_complain("gives something else than without a fault");
  }
  if (a->test->in_transaction) {
    need_ok(kecs_commit(a->handle), "the commit");
  }
  need_digest(a->expected.digest, "as after the call");
}

/* Whether the fault met a call. */
static bool attempt_once(attempt *a) {
  uint64_t output = 0;
  if (!start(a)) {
    judge(a);
    return false;
  }
  fault_arm(a->kind, a->n);
  kecs_status status = run(a, &output);
  if (status && a->kind == FAULT_FULL && !a->test->in_transaction) {
    need_ok(fault_small_read(a->store), "a read on a full disk");
  }
  kecs_error error = *kecs_last_error();
  bool fired = fault_disarm();
  if (!status) {
    after_success(a, output);
  } else if (error.status == status || !fired) {
    need_code(status, a->kind, fired);
    (a->test->in_transaction ? after_failure_in_transaction : after_failure)(a);
  } else {
    need_code(status, a->kind, fired);
  }
  end(a);
  judge(a);
  return fired;
}

/* What the case does when nothing fails. */
static bool learn(attempt *a) {
  uint64_t output = 0;
  if (start(a)) {
    need_ok(run(a, &output), "the call");
    a->expected.output = output;
    if (a->test->in_transaction) {
      need_ok(kecs_commit(a->handle), "the commit");
    }
    a->expected.digest = fault_digest(work);
    if ((a->test->what->flags & FAULT_READS) &&
        a->expected.digest != (a->test->in_transaction ? begun_digest : seed_digest)) {
      fault_complain("changes something");
    }
    if (!a->test->in_transaction && !(a->test->what->flags & FAULT_READS) && a->expected.digest == digest_before(a) &&
        !strstr(a->test->what->name, "nothing")) {
      fault_complain("changes nothing");
    }
    end(a);
  }
  int before = failures;
  judge(a);
  return failures == before;
}

static void test_case(void **state) {
  attempt a = {.test = *state, .kind = FAULT_NONE};
  failures = 0;
  bool good = learn(&a);
  for (size_t i = 0; good && i < kind_count; i++) {
    a.kind = all_kinds[i];
    a.n = first_n(&a);
    while (attempt_once(&a)) {
      a.n = next_n(&a);
    }
  }
  assert_int_equal(failures, 0);
}

/* ---- opening and closing ---- */

static kecs_options options_of(const fault_case *what) {
  kecs_options options = fault_options(work);
  options.read_only = strstr(what->name, "read only") != NULL;
  return options;
}

/* Opening a file that is to be made, or that is there: after a failure the next try succeeds, and nothing is lost. */
static bool open_once(attempt *a, bool fresh) {
  kecs_options options = options_of(a->test->what);
  if (fresh) {
    fault_remove(work);
  } else {
    fault_save(&seed, work);
  }
  a->before = fault_used();
  a->store = (kecs_store *)(void *)FAULT_POISON;
  fault_chance(1);
  fault_arm(a->kind, a->n);
  kecs_status status = kecs_open(&options, &a->store);
  bool fired = fault_disarm();
  if (status) {
    need_code(status, a->kind, fired);
    if (a->store) {
      fault_complain("kecs_open gives %p after %s", (void *)a->store, kecs_status_name(status));
    }
    need_no_leak(a->before);
    if (!fresh) {
      need_digest(seed_digest, "as before");
      fault_look_away();
    }
    status = kecs_open(&options, &a->store);
    need_ok(status, "the next kecs_open");
  }
  if (!status) {
    need_ok(kecs_close(a->store), "kecs_close");
    need_no_leak(a->before);
  }
  if (a->kind == FAULT_NONE) {
    a->expected.digest = fault_digest(work);
  }
  need_digest(a->expected.digest, "as it should be");
  fault_check_file(work);
  fault_look_away();
  judge(a);
  return fired;
}

/* A store that is closed while things fail gives everything back, and loses nothing. */
static bool close_once(attempt *a, bool fresh) {
  kecs_options options = options_of(a->test->what);
  kecs_store *tx = NULL;
  (void)fresh;
  fault_save(&seed, work);
  a->before = fault_used();
  fault_chance(1);
  need_ok(kecs_open(&options, &a->store), "kecs_open");
  need_ok(fault_small_read(a->store), "a read");
  need_ok(fault_small_write(a->store), "a write");
  if (strstr(a->test->what->name, "transaction")) {
    kecs_cluster cluster = {.name = "lost"};
    need_ok(kecs_begin(a->store, &tx), "kecs_begin");
    need_ok(kecs_cluster_create(tx, &cluster, NULL), "a write");
  }
  fault_arm(a->kind, a->n);
  need_ok(kecs_close(a->store), "kecs_close");
  bool fired = fault_disarm();
  need_no_leak(a->before);
  need_digest(begun_digest, "as before it was closed");
  fault_check_file(work);
  fault_look_away();
  judge(a);
  return fired;
}

typedef struct open_test {
  fault_test test; /* first: a test's state is either */
  fault_case what;
  bool (*once)(attempt *a, bool fresh);
  bool fresh;
} open_test;

static open_test open_tests[] = {
    {.what.name = "open a fresh file", .once = open_once, .fresh = true},
    {.what.name = "open a file", .once = open_once},
    {.what.name = "open a file read only", .once = open_once},
    {.what.name = "close", .once = close_once},
    {.what.name = "close with an open transaction", .once = close_once},
};

static void test_open(void **state) {
  open_test *test = *state;
  attempt a = {.test = &test->test, .kind = FAULT_NONE};
  test->test.what = &test->what;
  failures = 0;
  (void)test->once(&a, test->fresh);
  for (size_t i = 0; i < kind_count; i++) {
    a.kind = all_kinds[i];
    a.n = first_n(&a);
    while (test->once(&a, test->fresh)) {
      a.n = next_n(&a);
    }
  }
  assert_int_equal(failures, 0);
}

/* ---- the program ---- */

/* The file that every attempt begins with, closed, so that it is whole without a -wal. */
static void make_seed(void) {
  char path[512];
  kecs_store *store = NULL;
  snprintf(path, sizeof path, "%s/seed.db", fault_folder());
  snprintf(work, sizeof work, "%s/work.db", fault_folder());
  kecs_options options = fault_options(path);
  fault_chance(0);
  need_ok(kecs_open(&options, &store), "kecs_open");
  fault_seed(store);
  need_ok(kecs_close(store), "kecs_close");
  seed = fault_load(path);
  fault_save(&seed, work);
  seed_digest = fault_digest(work);
  fault_look_away();
  options.path = work;
  need_ok(kecs_open(&options, &store), "kecs_open");
  need_ok(fault_small_write(store), "the small write");
  need_ok(kecs_close(store), "kecs_close");
  begun_digest = fault_digest(work);
  fault_look_away();
  if (begun_digest == seed_digest) {
    fault_complain("the small write changes nothing");
  }
}

static int set_up(void **state) {
  (void)state;
  make_seed();
  const char *complaint = fault_complaint();
  if (complaint) {
    print_error("the ready store: %s\n", complaint);
  }
  return complaint ? -1 : 0;
}

static int tear_down(void **state) {
  (void)state;
  free(seed.bytes);
  return 0;
}

int fault_main(const char *group, const fault_kind *kinds, size_t count) {
  const char *asked = getenv("KECS_FULL");
  const char *only = getenv("KECS_FAULT_CASE"); /* a part of the names of the cases to run */
  size_t used = 0;
  size_t room = fault_case_count * 2 + FAULT_COUNT(open_tests);
  struct CMUnitTest *tests = calloc(room, sizeof *tests);
  fault_test *states = calloc(room, sizeof *states);
  char(*names)[100] = calloc(room, sizeof *names);
  if (!tests || !states || !names) {
    return 2;
  }
  exhaustive = asked && strcmp(asked, "2") == 0;
  full = exhaustive || (asked && strcmp(asked, "1") == 0);
  all_kinds = kinds;
  kind_count = count;
  fault_install();
  for (size_t i = 0; i < fault_case_count * 2; i++) {
    const fault_case *what = &fault_cases[i / 2];
    states[used] = (fault_test){what, i % 2 == 1, i};
    snprintf(names[used], sizeof *names, "%s%s", what->name, i % 2 ? ", in a transaction" : "");
    tests[used] = (struct CMUnitTest){names[used], test_case, NULL, NULL, &states[used]};
    used += !only || strstr(names[used], only) ? 1 : 0;
  }
  for (size_t i = 0; i < FAULT_COUNT(open_tests); i++) {
    tests[used] = (struct CMUnitTest){open_tests[i].what.name, test_open, NULL, NULL, &open_tests[i]};
    used += !only || strstr(open_tests[i].what.name, only) ? 1 : 0;
  }
  int failed = _cmocka_run_group_tests(group, tests, used, set_up, tear_down);
  free(tests);
  free(states);
  free(names);
  return failed ? 1 : 0;
}
