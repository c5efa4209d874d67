/* test_savepoints.c -- handles inside handles: which may be used when, what kecs_transact lends, what is walked
 * through, and transactions that the database itself has rolled back. */
#include "contract.h"

static kecs_status make(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  return kecs_cluster_create(store, &cluster, NULL);
}

static bool is_there(kecs_store *store, const char *name) {
  kecs_result *result = NULL;
  kecs_status status = kecs_cluster_get(store, name, &result);
  kecs_result_free(result);
  assert_true(status == KECS_OK || status == KECS_E_NOT_FOUND);
  return status == KECS_OK;
}

/* ---- which handle may be used ---- */

/* While a savepoint is open, every write through an outer handle is refused, and reads are not. */
static void outer_handles_only_read(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *levels[4] = {store, NULL, NULL, NULL};
  CONTRACT_OK(kecs_begin(store, &levels[1]));
  CONTRACT_OK(make(levels[1], "one"));
  CONTRACT_OK(kecs_begin(levels[1], &levels[2]));
  CONTRACT_OK(kecs_begin(levels[2], &levels[3]));
  CONTRACT_OK(make(levels[3], "three"));
  for (int i = 1; i < 3; i++) {
    kecs_store *tx = levels[i];
    kecs_store *none = store;
    kecs_result *result = (kecs_result *)store;
    kecs_cluster row = {.name = "one", .status = "CHANGED"};
    kecs_cluster rows[] = {{.name = "x"}, {.name = "y"}};
    kecs_key_value tag = {"k", "v"};
    kecs_assignment assignment = {"status", "CHANGED"};
    int64_t count = 0;
    CONTRACT_FAILS(make(tx, "late"), KECS_E_MISUSE);
    CONTRACT_SAYS("savepoint");
    CONTRACT_FAILS(kecs_cluster_create_many(tx, rows, 2, &result), KECS_E_MISUSE);
    assert_null(result);
    CONTRACT_FAILS(kecs_cluster_update(tx, &row, NULL), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_cluster_upsert(tx, &row, NULL), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_cluster_ensure(tx, &rows[0], NULL, NULL), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_cluster_delete(tx, "one"), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_record_assign(tx, KECS_KIND_CLUSTER, "one", &assignment, 1, 0, NULL), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_put_json(tx, KECS_KIND_CLUSTER, "{\"clusterName\":\"x\"}", SIZE_MAX, 0, NULL), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_tags_add(tx, CONTRACT_ARN_ECS "cluster/one", &tag, 1), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_node_prune(tx, INT64_MAX, &count), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_import(tx, "{\"clusterName\":\"x\"}", SIZE_MAX, NULL, NULL, NULL), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_begin(tx, &none), KECS_E_MISUSE);
    assert_null(none);
    assert_true(is_there(tx, "one"));
    assert_true(is_there(tx, "three"));
    CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_CLUSTER), 2);
  }
  CONTRACT_OK(make(levels[3], "still"));
  CONTRACT_OK(kecs_commit(levels[3]));
  CONTRACT_FAILS(make(levels[1], "late"), KECS_E_MISUSE);
  CONTRACT_OK(make(levels[2], "two"));
  CONTRACT_OK(kecs_commit(levels[2]));
  CONTRACT_OK(make(levels[1], "late"));
  CONTRACT_OK(kecs_commit(levels[1]));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 5);
  contract_close(store);
}

/* An outer handle that ends takes all that is inside with it; none of those handles ends anything afterwards. */
static void ending_an_outer_handle_ends_the_inner_ones(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  for (int how = 0; how < 4; how++) {
    bool commit_middle = how & 1;
    bool commit_outer = how & 2;
    kecs_store *outer = NULL;
    kecs_store *middle = NULL;
    kecs_store *inner = NULL;
    int64_t before = contract_count_rows(store, KECS_KIND_CLUSTER);
    char names[3][16];
    for (int i = 0; i < 3; i++) {
      snprintf(names[i], sizeof names[i], "h%d-%d", how, i);
    }
    CONTRACT_OK(kecs_begin(store, &outer));
    CONTRACT_OK(make(outer, names[0]));
    CONTRACT_OK(kecs_begin(outer, &middle));
    CONTRACT_OK(make(middle, names[1]));
    CONTRACT_OK(kecs_begin(middle, &inner));
    CONTRACT_OK(make(inner, names[2]));
    CONTRACT_OK(commit_middle ? kecs_commit(middle) : kecs_rollback(middle));
    kecs_store *ended[] = {inner, middle};
    for (int i = 0; i < 2; i++) {
      CONTRACT_FAILS(make(ended[i], "late"), KECS_E_MISUSE);
      CONTRACT_FAILS(kecs_commit(ended[i]), KECS_E_MISUSE);
      CONTRACT_FAILS(kecs_rollback(ended[i]), KECS_E_MISUSE);
    }
    CONTRACT_NUMBER(contract_count_rows(outer, KECS_KIND_CLUSTER), before + (commit_middle ? 3 : 1));
    CONTRACT_OK(make(outer, "goes-on"));
    CONTRACT_OK(kecs_cluster_delete(outer, "goes-on"));
    CONTRACT_OK(commit_outer ? kecs_commit(outer) : kecs_rollback(outer));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER),
                    before + (!commit_outer ? 0 : commit_middle ? 3 : 1));
  }
  contract_close(store);
}

static void siblings_one_after_another(void **state) {
  (void)state;
  enum { SIBLINGS = 200 };
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_store *last = NULL;
  int64_t kept = 0;
  CONTRACT_OK(kecs_begin(store, &tx));
  for (int i = 0; i < SIBLINGS; i++) {
    kecs_store *inner = NULL;
    char name[16];
    snprintf(name, sizeof name, "s%d", i);
    CONTRACT_OK(kecs_begin(tx, &inner));
    if (last && last != inner) {
      CONTRACT_FAILS(make(last, "late"), KECS_E_MISUSE);
    }
    CONTRACT_OK(make(inner, name));
    if (i % 3 == 0) {
      CONTRACT_FAILS(make(inner, name), KECS_E_EXISTS); /* a failed call undoes itself alone */
    }
    CONTRACT_OK(i % 2 ? kecs_rollback(inner) : kecs_commit(inner));
    kept += i % 2 ? 0 : 1;
    assert_true(is_there(tx, name) == (i % 2 == 0));
    CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_CLUSTER), kept);
    last = inner;
  }
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), kept);
  contract_close(store);
}

/* What a savepoint changed of the rows of an outer one is undone row by row: updates, deletes with children, tags,
 * revisions. */
static void rolling_back_a_savepoint_restores_the_rest(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  kecs_result *result = NULL;
  kecs_cluster web = {.name = "web", .status = "BEFORE", .tags = "[{\"key\":\"a\",\"value\":\"1\"}]"};
  kecs_service service = {.cluster_arn = "web", .name = "svc"};
  kecs_task_definition definition = {.family = "f", .container_definitions = "[]"};
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(kecs_cluster_create(tx, &web, NULL));
  CONTRACT_OK(kecs_service_create(tx, &service, NULL));
  CONTRACT_OK(kecs_task_definition_register(tx, &definition, NULL));
  for (int round = 0; round < 3; round++) {
    CONTRACT_OK(kecs_begin(tx, &inner));
    web.status = "AFTER";
    web.tags = NULL;
    CONTRACT_OK(kecs_cluster_update(inner, &web, NULL));
    CONTRACT_OK(kecs_task_definition_register(inner, &definition, NULL));
    CONTRACT_OK(kecs_cluster_delete(inner, "web"));
    CONTRACT_NUMBER(contract_count_rows(inner, KECS_KIND_SERVICE), 0);
    CONTRACT_NUMBER(contract_count_rows(inner, KECS_KIND_TASK_DEFINITION), 2);
    CONTRACT_OK(kecs_rollback(inner));
    CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_SERVICE), 1);
    CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_TAG), 1);
    CONTRACT_NUMBER(contract_count_rows(tx, KECS_KIND_TASK_DEFINITION), 1);
  }
  CONTRACT_OK(kecs_commit(tx));
  CONTRACT_OK(kecs_cluster_get(store, "web", &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->status, "BEFORE");
  CONTRACT_NUMBER(kecs_cluster_at(result, 0)->version, 1);
  kecs_result_free(result);
  CONTRACT_OK(kecs_task_definition_register(store, &definition, &result));
  CONTRACT_NUMBER(kecs_task_definition_at(result, 0)->revision, 2);
  kecs_result_free(result);
  contract_close(store);
}

/* ---- kecs_transact ---- */

typedef struct borrower {
  kecs_store *outer; /* a handle outside, or NULL */
  int how;
  int runs;
  kecs_status then;
} borrower;

static kecs_status end_what_was_lent(kecs_store *tx, void *user) {
  borrower *one = user;
  one->runs++;
  CONTRACT_OK(make(tx, "lent"));
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_MISUSE);
  CONTRACT_SAYS("kecs_transact");
  CONTRACT_FAILS(kecs_rollback(tx), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_close(tx), KECS_E_MISUSE);
  assert_true(is_there(tx, "lent"));
  return one->then;
}

static void a_lent_transaction_is_not_the_borrowers_to_end(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  borrower one = {.then = KECS_E_NOT_FOUND};
  CONTRACT_NUMBER(kecs_transact(store, end_what_was_lent, &one, 0), KECS_E_NOT_FOUND);
  assert_false(is_there(store, "lent"));
  one.then = KECS_OK;
  CONTRACT_OK(kecs_transact(store, end_what_was_lent, &one, 0));
  assert_true(is_there(store, "lent"));
  CONTRACT_NUMBER(one.runs, 2);
  contract_close(store);
}

/* Nor may the handles around it be ended from within. */
static kecs_status end_what_is_around(kecs_store *tx, void *user) {
  borrower *one = user;
  CONTRACT_OK(make(tx, "inside"));
  CONTRACT_FAILS(one->how ? kecs_commit(one->outer) : kecs_rollback(one->outer), KECS_E_MISUSE);
  assert_true(is_there(tx, "inside"));
  CONTRACT_OK(make(tx, "inside-too"));
  return one->then;
}

static void handles_around_a_lent_one_stay(void **state) {
  (void)state;
  for (int how = 0; how < 4; how++) {
    kecs_store *store = contract_open();
    kecs_store *outer = NULL;
    kecs_store *middle = NULL;
    CONTRACT_OK(kecs_begin(store, &outer));
    CONTRACT_OK(make(outer, "outer"));
    CONTRACT_OK(kecs_begin(outer, &middle));
    borrower one = {.outer = how & 2 ? outer : middle, .how = how & 1, .then = KECS_E_CONFLICT};
    CONTRACT_NUMBER(kecs_transact(middle, end_what_is_around, &one, 0), KECS_E_CONFLICT);
    CONTRACT_NUMBER(contract_count_rows(middle, KECS_KIND_CLUSTER), 1);
    one.then = KECS_OK;
    CONTRACT_OK(kecs_transact(middle, end_what_is_around, &one, 0));
    CONTRACT_OK(make(middle, "middle"));
    CONTRACT_OK(kecs_commit(middle));
    CONTRACT_OK(kecs_commit(outer));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 4);
    contract_close(store);
  }
}

/* An error comes back as it was, whatever the rollback does in between. */
static kecs_status fail_with_a_text(kecs_store *tx, void *user) {
  kecs_result *result = NULL;
  kecs_status *status = user;
  CONTRACT_OK(make(tx, "undone"));
  switch (*status) {
    case KECS_E_NOT_FOUND: return kecs_cluster_get(tx, "the-missing-one", &result);
    case KECS_E_EXISTS: return make(tx, "undone");
    case KECS_E_FULL: return kecs_backend_fail(KECS_E_FULL, 4711, "53100", "a text of the work's own");
    default: return kecs_cluster_delete(tx, "");
  }
}

static void an_error_of_the_work_comes_back_unchanged(void **state) {
  (void)state;
  static const struct {
    kecs_status status;
    const char *says;
  } cases[] = {{KECS_E_NOT_FOUND, "the-missing-one"}, {KECS_E_EXISTS, "undone"},
               {KECS_E_FULL, "a text of the work's own"}, {KECS_E_INVALID, "cluster"}};
  kecs_store *store = contract_open();
  kecs_store *tx = NULL;
  for (int nested = 0; nested < 2; nested++) {
    if (nested) {
      CONTRACT_OK(kecs_begin(store, &tx));
    }
    for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
      kecs_status status = cases[i].status;
      CONTRACT_FAILS(kecs_transact(nested ? tx : store, fail_with_a_text, &status, 0), cases[i].status);
      CONTRACT_SAYS(cases[i].says);
      if (cases[i].status == KECS_E_FULL) {
        CONTRACT_NUMBER(kecs_last_error()->native_code, 4711);
        CONTRACT_TEXT(kecs_last_error()->sqlstate, "53100");
      }
      CONTRACT_NUMBER(contract_count_rows(nested ? tx : store, KECS_KIND_CLUSTER), 0);
    }
  }
  CONTRACT_OK(kecs_commit(tx));
  contract_close(store);
}

static kecs_status leave_a_savepoint_open(kecs_store *tx, void *user) {
  borrower *one = user;
  kecs_store *inner = NULL;
  CONTRACT_OK(make(tx, "a"));
  CONTRACT_OK(kecs_begin(tx, &inner));
  CONTRACT_OK(make(inner, "b"));
  return one->then;
}

static void savepoints_that_the_work_left_open(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  borrower one = {.then = KECS_E_INVALID};
  CONTRACT_NUMBER(kecs_transact(store, leave_a_savepoint_open, &one, 0), KECS_E_INVALID);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  one.then = KECS_OK;
  CONTRACT_OK(kecs_transact(store, leave_a_savepoint_open, &one, 0));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  CONTRACT_OK(make(store, "after"));
  contract_close(store);
}

/* Each level makes a row and calls the next; a level whose bit is set in `fails` fails, which undoes what is below. */
typedef struct tower {
  int level;
  unsigned fails;
} tower;

static kecs_status climb(kecs_store *tx, void *user) {
  enum { LEVELS = 4 };
  tower *one = user;
  tower next = {one->level + 1, one->fails};
  char name[16];
  snprintf(name, sizeof name, "level%d", one->level);
  CONTRACT_OK(make(tx, name));
  if (next.level < LEVELS) {
    kecs_status status = kecs_transact(tx, climb, &next, 0);
    assert_true(status == ((one->fails >> next.level) & 1 ? KECS_E_BUSY : KECS_OK));
  }
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_MISUSE); /* still lent when the inner one has ended */
  return (one->fails >> one->level) & 1 ? KECS_E_BUSY : KECS_OK; /* BUSY is not tried again inside */
}

static void transact_inside_transact(void **state) {
  (void)state;
  for (unsigned fails = 0; fails < 16; fails += 2) { /* the outermost succeeds */
    kecs_store *store = contract_open();
    tower one = {0, fails};
    int64_t expected = 1;
    for (int level = 1; level < 4 && !((fails >> level) & 1); level++) {
      expected++;
    }
    CONTRACT_OK(kecs_transact(store, climb, &one, 0));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), expected);
    contract_close(store);
  }
}

/* ---- walks ---- */

typedef struct walker {
  kecs_store *walked;
  kecs_store *outer;
  int how;
  int seen;
} walker;

static kecs_status use_what_is_walked(const kecs_cluster *row, void *user) {
  walker *one = user;
  kecs_store *inner = NULL;
  kecs_cluster taken = {.name = "c0"};
  kecs_result *result = (kecs_result *)user;
  char name[16];
  one->seen++;
  snprintf(name, sizeof name, "w%d", one->seen);
  switch (one->how) {
    case 0: /* ended through itself or from around */
      CONTRACT_FAILS(kecs_commit(one->walked), KECS_E_MISUSE);
      CONTRACT_SAYS("walk");
      CONTRACT_FAILS(kecs_rollback(one->walked), KECS_E_MISUSE);
      CONTRACT_FAILS(kecs_commit(one->outer), KECS_E_MISUSE);
      CONTRACT_FAILS(kecs_rollback(one->outer), KECS_E_MISUSE);
      break;
    case 1: /* a call that undoes itself */
      CONTRACT_FAILS(kecs_cluster_create(one->walked, &taken, &result), KECS_E_EXISTS);
      assert_null(result);
      break;
    case 2: /* a savepoint that is undone, with what it did to the row that is walked over */
      CONTRACT_OK(kecs_begin(one->walked, &inner));
      CONTRACT_OK(make(inner, name));
      CONTRACT_OK(kecs_cluster_delete(inner, row->name));
      CONTRACT_OK(kecs_rollback(inner));
      break;
    case 3: /* a walk inside the walk, of the same query */
      if (one->outer) {
        walker again = {one->walked, NULL, 3, 0};
        CONTRACT_OK(kecs_cluster_each(one->walked, NULL, use_what_is_walked, &again));
        CONTRACT_NUMBER(again.seen, 5);
        CONTRACT_FAILS(kecs_commit(one->walked), KECS_E_MISUSE); /* the outer walk is not over */
      }
      break;
    case 4: /* heard at the next row, whatever was written in between */
      CONTRACT_OK(make(one->walked, "written"));
      CONTRACT_OK(kecs_set_cancelled(one->walked, true));
      break;
    default:
      CONTRACT_OK(kecs_set_deadline(one->walked, 1));
      break;
  }
  return KECS_OK;
}

static void walks_through_a_transaction(void **state) {
  (void)state;
  for (int how = 0; how < 6; how++) {
    kecs_store *store = contract_open();
    kecs_store *outer = NULL;
    kecs_store *tx = NULL;
    CONTRACT_OK(kecs_begin(store, &outer));
    for (int i = 0; i < 5; i++) {
      char name[8];
      snprintf(name, sizeof name, "c%d", i);
      CONTRACT_OK(make(outer, name));
    }
    CONTRACT_OK(kecs_begin(outer, &tx));
    walker one = {tx, outer, how, 0};
    kecs_status status = kecs_cluster_each(tx, NULL, use_what_is_walked, &one);
    if (how < 4) {
      CONTRACT_OK(status);
      CONTRACT_NUMBER(one.seen, 5);
    } else { /* a deadline that is set meanwhile is one for later calls */
      CONTRACT_NUMBER(status, how == 4 ? KECS_E_CANCELLED : KECS_OK);
      CONTRACT_NUMBER(one.seen, how == 4 ? 1 : 5);
      CONTRACT_OK(kecs_set_cancelled(tx, false));
      CONTRACT_OK(kecs_set_deadline(tx, 0));
    }
    CONTRACT_OK(kecs_commit(tx));
    CONTRACT_OK(kecs_commit(outer));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), how == 4 ? 6 : 5);
    contract_close(store);
  }
}

/* ---- transactions that are lost ---- */

/* A backend whose next write finds that the database has rolled everything back, as it does when the disk is full. */
static const kecs_backend *real_backend;
static kecs_backend losing_backend;
static const kecs_backend *const losing_backends[] = {&losing_backend, NULL};
static kecs_connection *writer;
static bool lose_next;
static int busy_begins;

static kecs_status connect_noting(const kecs_connect_options *options, kecs_connection **out_connection) {
  kecs_status status = real_backend->connect(options, out_connection);
  if (!status && !options->reader) {
    writer = *out_connection;
  }
  return status;
}

static kecs_status step_losing(kecs_statement *statement, bool *out_row) {
  if (lose_next) {
    lose_next = false;
    real_backend->rollback(writer);
    *out_row = false;
    return kecs_backend_fail(KECS_E_FULL, 13, NULL, "the disk is full");
  }
  return real_backend->step(statement, out_row);
}

static kecs_status begin_busy(kecs_connection *connection, bool write) {
  if (write && busy_begins > 0) {
    busy_begins--;
    return kecs_backend_fail(KECS_E_BUSY, 5, NULL, "another process holds the database");
  }
  return real_backend->begin(connection, write);
}

static kecs_store *open_losing(void) {
  kecs_options options = {.backends = losing_backends};
  real_backend = kecs_sqlite_backend();
  losing_backend = *real_backend;
  losing_backend.connect = connect_noting;
  losing_backend.step = step_losing;
  losing_backend.begin = begin_busy;
  lose_next = false;
  busy_begins = 0;
  return contract_open_with(&options);
}

/* Every sort of call on a handle of a lost transaction. */
static void check_lost(kecs_store *tx) {
  kecs_result *result = (kecs_result *)tx;
  kecs_store *inner = tx;
  int64_t count = 0;
  const char *text = "";
  kecs_cluster row = {.name = "kept"};
  CONTRACT_FAILS(make(tx, "late"), KECS_E_MISUSE);
  CONTRACT_SAYS("rolled");
  CONTRACT_FAILS(kecs_cluster_get(tx, "kept", &result), KECS_E_MISUSE);
  assert_null(result);
  CONTRACT_FAILS(kecs_cluster_list(tx, NULL, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_cluster_count(tx, NULL, &count), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_get_json(tx, KECS_KIND_CLUSTER, "kept", 0, &result, &text), KECS_E_MISUSE);
  assert_null(text);
  CONTRACT_FAILS(kecs_cluster_update(tx, &row, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_cluster_upsert(tx, &row, &result), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_cluster_delete(tx, "kept"), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_put_json(tx, KECS_KIND_CLUSTER, "{\"clusterName\":\"late\"}", SIZE_MAX, 0, NULL), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_begin(tx, &inner), KECS_E_MISUSE);
  assert_null(inner);
}

static void a_lost_transaction_is_refused_until_it_is_rolled_back(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_losing();
  CONTRACT_OK(make(store, "kept"));
  for (int how = 0; how < 4; how++) { /* alone or in savepoints; found by a plain write, or by one with a result */
    kecs_store *levels[3] = {NULL, NULL, NULL};
    int depth = how & 1 ? 3 : 1;
    kecs_store *above = store;
    kecs_result *result = NULL;
    kecs_cluster row = {.name = "lost"};
    for (int i = 0; i < depth; i++) {
      CONTRACT_OK(kecs_begin(above, &levels[i]));
      above = levels[i];
    }
    CONTRACT_OK(make(above, "undone"));
    lose_next = true;
    CONTRACT_FAILS(kecs_cluster_create(above, &row, how & 2 ? &result : NULL), KECS_E_FULL);
    assert_null(result);
    CONTRACT_SAYS("full");
    for (int i = depth - 1; i >= 0; i--) {
      check_lost(levels[i]);
      kecs_status status = kecs_rollback(levels[i]);
      CONTRACT_NUMBER(status, KECS_OK);
      CONTRACT_FAILS(kecs_rollback(levels[i]), KECS_E_MISUSE);
    }
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1 + how);
    char name[16];
    snprintf(name, sizeof name, "after%d", how);
    CONTRACT_OK(kecs_begin(store, &levels[0]));
    CONTRACT_OK(make(levels[0], name));
    CONTRACT_OK(kecs_commit(levels[0]));
  }
  contract_close(store);
}

/* A commit of what is lost fails, stores nothing and ends the handle; so does one of a savepoint in it, after which the
 * outer transaction is as lost as before. */
static void a_lost_transaction_is_not_committed(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_losing();
  kecs_store *tx = NULL;
  kecs_store *inner = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  CONTRACT_OK(make(tx, "undone"));
  CONTRACT_OK(kecs_begin(tx, &inner));
  lose_next = true;
  CONTRACT_FAILS(make(inner, "lost"), KECS_E_FULL);
  CONTRACT_FAILS(kecs_commit(inner), KECS_E_CONFLICT);
  CONTRACT_FAILS(kecs_commit(inner), KECS_E_MISUSE);
  check_lost(tx);
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_CONFLICT);
  CONTRACT_FAILS(kecs_commit(tx), KECS_E_MISUSE);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(kecs_begin(store, &tx)); /* the outer one ends what is open in it */
  CONTRACT_OK(kecs_begin(tx, &inner));
  lose_next = true;
  CONTRACT_FAILS(make(inner, "lost"), KECS_E_FULL);
  CONTRACT_OK(kecs_rollback(tx));
  CONTRACT_FAILS(make(inner, "late"), KECS_E_MISUSE);
  CONTRACT_OK(make(store, "after"));
  contract_close(store);
}

static kecs_status lose_it(kecs_store *tx, void *user) {
  borrower *one = user;
  one->runs++;
  CONTRACT_OK(make(tx, "undone"));
  lose_next = true;
  CONTRACT_FAILS(make(tx, "lost"), KECS_E_FULL);
  return one->then; /* a work that does not look */
}

static void a_work_that_loses_its_transaction(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_losing();
  borrower one = {.then = KECS_OK};
  CONTRACT_FAILS(kecs_transact(store, lose_it, &one, 0), KECS_E_CONFLICT);
  one.then = KECS_E_FULL;
  CONTRACT_FAILS(kecs_transact(store, lose_it, &one, 0), KECS_E_FULL);
  CONTRACT_NUMBER(one.runs, 2);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(make(store, "after"));
  contract_close(store);
}

/* ---- retries ---- */

static kecs_status just_make(kecs_store *tx, void *user) {
  borrower *one = user;
  one->runs++;
  return make(tx, "made");
}

/* A begin that is busy is tried again; the call that succeeds in the end leaves no error behind. */
static void a_busy_begin_is_tried_again(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  kecs_store *store = open_losing();
  borrower one = {.then = KECS_OK};
  kecs_result *result = NULL;
  CONTRACT_FAILS(kecs_cluster_get(store, "the-error-before", &result), KECS_E_NOT_FOUND);
  busy_begins = 3;
  CONTRACT_OK(kecs_transact(store, just_make, &one, 10000));
  CONTRACT_NUMBER(one.runs, 1);
  CONTRACT_NUMBER(busy_begins, 0);
  CONTRACT_SAYS("the-error-before");
  busy_begins = 1000000;
  CONTRACT_FAILS(kecs_transact(store, just_make, &one, 50), KECS_E_BUSY);
  assert_true(busy_begins < 1000000 - 1);
  assert_true(busy_begins > 1000000 - 100); /* with pauses in between */
  CONTRACT_NUMBER(one.runs, 1);
  busy_begins = 0;
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(outer_handles_only_read),
    CONTRACT_TEST(ending_an_outer_handle_ends_the_inner_ones),
    CONTRACT_TEST(siblings_one_after_another),
    CONTRACT_TEST(rolling_back_a_savepoint_restores_the_rest),
    CONTRACT_TEST(a_lent_transaction_is_not_the_borrowers_to_end),
    CONTRACT_TEST(handles_around_a_lent_one_stay),
    CONTRACT_TEST(an_error_of_the_work_comes_back_unchanged),
    CONTRACT_TEST(savepoints_that_the_work_left_open),
    CONTRACT_TEST(transact_inside_transact),
    CONTRACT_TEST(walks_through_a_transaction),
    CONTRACT_TEST(a_lost_transaction_is_refused_until_it_is_rolled_back),
    CONTRACT_TEST(a_lost_transaction_is_not_committed),
    CONTRACT_TEST(a_work_that_loses_its_transaction),
    CONTRACT_TEST(a_busy_begin_is_tried_again),
};

CONTRACT_MAIN("savepoints", tests)
