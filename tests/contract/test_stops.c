/* test_stops.c -- cancels and deadlines that strike while a call runs: what is told as stopped is not stored, and what
 * is stored is not told as stopped. */
#include "contract.h"

/* ---- a backend that strikes ---- */

/* Around the real backend: something happens when a running statement asks whether it is to stop, or right before
 * COMMIT. */
static const kecs_backend *real_backend;
static kecs_backend striking_backend;
static const kecs_backend *const striking_backends[] = {&striking_backend, NULL};

enum { CONNECTIONS_MAX = 16 };
typedef struct asker {
  bool (*should_stop)(void *user);
  void *user;
} asker;
static asker askers[CONNECTIONS_MAX];
static size_t asker_count;

static void (*strike)(void);
static int strike_at_ask; /* the how manyth question brings it; 0: none */
static bool strike_at_commit;
static int strikes;
static int64_t clock_now;
static kecs_store *struck;

static void strike_once(void) {
  strikes++;
  strike_at_ask = 0;
  strike();
}

static bool asked(void *user) {
  const asker *one = user;
  if (strike_at_ask > 0 && --strike_at_ask == 0) {
    strike_once();
  }
  return one->should_stop(one->user);
}

static kecs_status connect_asking(const kecs_connect_options *options, kecs_connection **out_connection) {
  kecs_connect_options copy = *options;
  assert_true(asker_count < CONNECTIONS_MAX);
  asker *one = &askers[asker_count++];
  one->should_stop = options->should_stop;
  one->user = options->should_stop_user;
  copy.should_stop = asked;
  copy.should_stop_user = one;
  return real_backend->connect(&copy, out_connection);
}

static kecs_status commit_struck(kecs_connection *connection) {
  if (strike_at_commit) {
    strike_once();
  }
  return real_backend->commit(connection);
}

static void strike_with_cancel(void) {
  (void)kecs_set_cancelled(struck, true);
}

static void strike_with_clock(void) {
  contract_set_clock(&clock_now, CONTRACT_NOW + 10);
}

static const struct {
  void (*strike)(void);
  kecs_status status;
} weapons[] = {{strike_with_cancel, KECS_E_CANCELLED}, {strike_with_clock, KECS_E_TIMEOUT}};

static kecs_store *open_striking(void) {
  kecs_options options = {.clock = contract_clock(&clock_now), .backends = striking_backends};
  real_backend = kecs_sqlite_backend();
  striking_backend = *real_backend;
  striking_backend.connect = connect_asking;
  striking_backend.commit = commit_struck;
  asker_count = 0;
  strike_at_ask = 0;
  strike_at_commit = false;
  strikes = 0;
  clock_now = CONTRACT_NOW;
  struck = contract_open_with(&options);
  return struck;
}

/* A deadline that only the strike reaches; without one, a clock that strikes does nothing. */
static void arm(size_t weapon, kecs_store *handle) {
  strike = weapons[weapon].strike;
  CONTRACT_OK(kecs_set_deadline(handle, weapons[weapon].status == KECS_E_TIMEOUT ? CONTRACT_NOW + 10 : 0));
}

static void disarm(kecs_store *handle) {
  strike_at_ask = 0;
  strike_at_commit = false;
  contract_set_clock(&clock_now, CONTRACT_NOW);
  CONTRACT_OK(kecs_set_cancelled(struck, false));
  CONTRACT_OK(kecs_set_deadline(handle, 0));
}

/* ---- what is stored, as one number ---- */

static kecs_status add_cluster(const void *row, void *user) {
  const kecs_cluster *cluster = row;
  char text[512];
  uint64_t *digest = user;
  snprintf(text, sizeof text, "%s|%s|%lld|%s|%s", cluster->name, cluster->status, (long long)cluster->version,
           cluster->tags ? cluster->tags : "", cluster->settings ? cluster->settings : "");
  for (const char *at = text; *at; at++) {
    *digest = (*digest ^ (unsigned char)*at) * UINT64_C(1099511628211);
  }
  return KECS_OK;
}

static kecs_status add_tag(const void *row, void *user) {
  const kecs_tag *tag = row;
  uint64_t *digest = user;
  for (const char *at = tag->key; *at; at++) {
    *digest = (*digest ^ (unsigned char)*at) * UINT64_C(1099511628211);
  }
  return KECS_OK;
}

static uint64_t digest_of(kecs_store *store) {
  uint64_t digest = UINT64_C(14695981039346656037);
  CONTRACT_OK(kecs_record_each(store, KECS_KIND_CLUSTER, NULL, add_cluster, &digest));
  CONTRACT_OK(kecs_record_each(store, KECS_KIND_TAG, NULL, add_tag, &digest));
  return digest;
}

/* ---- writes of every sort, each of which changes something whenever it is called ---- */

enum { WRITES = 14 };

static kecs_status write_with(kecs_store *store, int call, int n, bool want, kecs_result **result) {
  static char texts[4][64];
  static char document[160];
  kecs_result **back = want ? result : NULL;
  for (int i = 0; i < 4; i++) {
    snprintf(texts[i], sizeof texts[i], "new-%d-%d-%d", call, n, i);
  }
  kecs_cluster fresh = {.name = texts[0]};
  kecs_cluster many[] = {{.name = texts[0]}, {.name = texts[1]}, {.name = texts[2]}};
  kecs_cluster change = {.name = "kept", .status = texts[3]};
  kecs_cluster doomed = {.name = "doomed", .status = texts[3]};
  kecs_assignment assignment = {"status", texts[3]};
  kecs_key_value tag = {texts[0], "x"};
  switch (call) {
    case 0: return kecs_cluster_create(store, &fresh, back);
    case 1: return kecs_cluster_create_many(store, many, 3, back);
    case 2: return kecs_cluster_update(store, &change, back);
    case 3: return kecs_cluster_update_fields(store, &change, KECS_BIT(KECS_CLUSTER_STATUS), back);
    case 4: return kecs_cluster_upsert(store, &fresh, back);
    case 5: return kecs_cluster_upsert(store, &change, back);
    case 6:
      snprintf(document, sizeof document, "{\"clusterName\":\"%s\",\"tags\":[{\"key\":\"%s\",\"value\":\"\"}]}",
               texts[0], texts[1]);
      return kecs_put_json(store, KECS_KIND_CLUSTER, document, SIZE_MAX, 0, back);
    case 7:
      snprintf(document, sizeof document, "{\"clusterName\":\"kept\",\"status\":\"%s\"}", texts[3]);
      return kecs_put_json(store, KECS_KIND_CLUSTER, document, SIZE_MAX, 0, back);
    case 8: return kecs_record_assign(store, KECS_KIND_CLUSTER, "kept", &assignment, 1, 0, back);
    case 9: return kecs_tags_add(store, CONTRACT_ARN_ECS "cluster/tagged", &tag, 1);
    case 10: return kecs_cluster_ensure(store, &fresh, NULL, back);
    case 11: return kecs_cluster_delete(store, "doomed");
    case 12: return kecs_record_delete(store, KECS_KIND_CLUSTER, "doomed");
    default: return kecs_cluster_upsert(store, &doomed, back);
  }
}

static void make_targets(kecs_store *store, int call) {
  kecs_cluster rows[] = {{.name = "kept"}, {.name = "tagged"}, {.name = "doomed"}};
  for (size_t i = 0; i < CONTRACT_COUNT(rows); i++) {
    kecs_status status = kecs_cluster_ensure(store, &rows[i], NULL, NULL);
    CONTRACT_OK(status);
  }
  if (call == 9) { /* a resource has room for fifty */
    kecs_cluster bare = {.name = "tagged"};
    CONTRACT_OK(kecs_cluster_update_fields(store, &bare, KECS_BIT(KECS_CLUSTER_TAGS), NULL));
  }
}

/* A statement asks after so many steps of all its runs: repeating a call moves the question through it. */
static int rounds(void) {
  return getenv("KECS_FULL") ? 120 : 80;
}

/* The long run tries every call, the short one every fourth. */
static int stride(void) {
  return getenv("KECS_FULL") ? 1 : 4;
}

static void stopped_writes_store_nothing(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  for (size_t weapon = 0; weapon < CONTRACT_COUNT(weapons); weapon++) {
    kecs_store *store = open_striking();
    int stopped = 0;
    for (int call = 0; call < WRITES; call += stride()) {
      for (int n = 0; n < rounds(); n++) {
        kecs_result *result = (kecs_result *)&stopped;
        make_targets(store, call);
        uint64_t before = digest_of(store);
        arm(weapon, store);
        strike_at_ask = 1;
        kecs_status status = write_with(store, call, n, true, &result);
        disarm(store);
        if (status == KECS_OK) {
          assert_true(digest_of(store) != before);
          if (result != (kecs_result *)&stopped) {
            kecs_result_free(result);
          }
          continue;
        }
        stopped++;
        CONTRACT_FAILS(status, weapons[weapon].status);
        assert_true(result == NULL || result == (kecs_result *)&stopped);
        if (digest_of(store) != before) {
          fail_msg("call %d, round %d: %s, but something is stored", call, n, kecs_status_name(status));
        }
      }
    }
    assert_true(strikes > 0);
    assert_true(stopped > 0);
    contract_close(store);
  }
}

/* Stops inside a transaction: the call has stored nothing, and the transaction goes on; or the transaction is lost,
 * which each later call says until it is rolled back. */
static void check_stops_inside(bool want, bool nested) {
  for (size_t weapon = 0; weapon < CONTRACT_COUNT(weapons); weapon++) {
    kecs_store *store = open_striking();
    int stopped = 0;
    for (int call = 0; call < WRITES; call += stride()) {
      kecs_store *outer = NULL;
      kecs_store *tx = NULL;
      for (int n = 0; n < rounds(); n++) {
        kecs_result *result = NULL;
        if (!tx) {
          CONTRACT_OK(kecs_begin(store, &tx));
          if (nested) {
            outer = tx;
            CONTRACT_OK(kecs_begin(outer, &tx));
          }
        }
        make_targets(tx, call);
        uint64_t before = digest_of(tx);
        arm(weapon, tx);
        strike_at_ask = 1;
        kecs_status status = write_with(tx, call, n, want, &result);
        disarm(tx);
        kecs_result_free(result);
        if (status == KECS_OK) {
          assert_true(digest_of(tx) != before);
          continue;
        }
        stopped++;
        CONTRACT_FAILS(status, weapons[weapon].status);
        kecs_cluster row = {.name = "goes-on"};
        kecs_status later = kecs_cluster_create(tx, &row, NULL);
        if (later == KECS_OK) {
          CONTRACT_OK(kecs_cluster_delete(tx, "goes-on"));
          if (digest_of(tx) != before) {
            fail_msg("call %d, round %d: %s, but something is in the transaction", call, n, kecs_status_name(status));
          }
        } else {
          CONTRACT_FAILS(later, KECS_E_MISUSE);
          CONTRACT_FAILS(kecs_cluster_get(tx, "kept", &result), KECS_E_MISUSE);
          (void)kecs_rollback(tx);
          tx = outer;
          if (nested) {
            CONTRACT_FAILS(kecs_cluster_get(tx, "kept", &result), KECS_E_MISUSE);
            CONTRACT_OK(kecs_rollback(tx));
          }
          tx = outer = NULL;
        }
      }
      if (tx && nested) {
        CONTRACT_OK(kecs_commit(tx));
        tx = outer;
      }
      if (tx) {
        uint64_t inside = digest_of(tx);
        CONTRACT_OK(kecs_commit(tx));
        assert_true(digest_of(store) == inside);
      }
    }
    assert_true(strikes > 0);
    assert_true(stopped > 0);
    contract_close(store);
  }
}

static void stopped_inside_a_transaction(void **state) {
  (void)state;
  if (contract_is_sqlite()) {
    check_stops_inside(false, false);
  }
}

static void stopped_inside_a_transaction_with_results(void **state) {
  (void)state;
  if (contract_is_sqlite()) {
    check_stops_inside(true, false);
  }
}

static void stopped_inside_a_savepoint(void **state) {
  (void)state;
  if (contract_is_sqlite()) {
    check_stops_inside(false, true);
  }
}

/* A stop that comes when COMMIT has begun comes too late: the call says OK, and everything is stored. */
static void commit_is_deaf(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  for (size_t weapon = 0; weapon < CONTRACT_COUNT(weapons); weapon++) {
    kecs_store *store = open_striking();
    for (int call = 0; call < WRITES; call++) {
      kecs_result *result = NULL;
      make_targets(store, call);
      uint64_t before = digest_of(store);
      arm(weapon, store);
      strike_at_commit = true;
      kecs_status status = write_with(store, call, 0, true, &result);
      disarm(store);
      CONTRACT_OK(status);
      assert_true(digest_of(store) != before);
      kecs_result_free(result);
    }
    for (int n = 0; n < rounds(); n++) { /* a statement asks now and then, and so may COMMIT's own */
      kecs_store *tx = NULL;
      kecs_result *result = NULL;
      CONTRACT_OK(kecs_begin(store, &tx));
      make_targets(tx, 0);
      CONTRACT_OK(write_with(tx, 1, 1000 + n, true, &result));
      kecs_result_free(result);
      uint64_t inside = digest_of(tx);
      arm(weapon, tx);
      strike_at_commit = true;
      kecs_status status = kecs_commit(tx);
      disarm(store);
      CONTRACT_OK(status);
      assert_true(digest_of(store) == inside);
    }
    assert_true(strikes >= WRITES + rounds());
    contract_close(store);
  }
}

/* A cancel before kecs_commit is heard, and the transaction is gone with everything in it; so for a savepoint, whose
 * outer transaction goes on. */
static void a_stop_before_commit_is_heard(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_options options = {.clock = contract_clock(&now)};
  kecs_store *store = contract_open_with(&options);
  for (int weapon = 0; weapon < 2; weapon++) {
    kecs_store *tx = NULL;
    kecs_store *inner = NULL;
    kecs_cluster outside = {.name = weapon ? "outside-b" : "outside-a"};
    kecs_cluster inside = {.name = "inside"};
    kecs_result *result = NULL;
    CONTRACT_OK(kecs_begin(store, &tx));
    CONTRACT_OK(kecs_cluster_create(tx, &outside, NULL));
    CONTRACT_OK(kecs_begin(tx, &inner));
    CONTRACT_OK(kecs_cluster_create(inner, &inside, NULL));
    if (weapon) {
      CONTRACT_OK(kecs_set_deadline(inner, now));
    } else {
      CONTRACT_OK(kecs_set_cancelled(inner, true));
    }
    CONTRACT_FAILS(kecs_commit(inner), weapon ? KECS_E_TIMEOUT : KECS_E_CANCELLED);
    CONTRACT_FAILS(kecs_commit(inner), KECS_E_MISUSE);
    CONTRACT_FAILS(kecs_cluster_get(tx, "inside", &result), KECS_E_NOT_FOUND);
    CONTRACT_OK(kecs_cluster_get(tx, outside.name, &result));
    kecs_result_free(result);
    CONTRACT_OK(kecs_commit(tx));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), weapon + 1);
  }
  contract_close(store);
}

/* A read that is stopped leaves the transaction and the next read whole. */
static void stopped_reads_change_nothing(void **state) {
  (void)state;
  if (!contract_is_sqlite()) {
    return;
  }
  for (size_t weapon = 0; weapon < CONTRACT_COUNT(weapons); weapon++) {
    kecs_store *store = open_striking();
    kecs_store *tx = NULL;
    int stopped = 0;
    for (int n = 0; n < 50; n++) {
      kecs_result *result = NULL;
      CONTRACT_OK(write_with(store, 1, n, true, &result));
      kecs_result_free(result);
    }
    CONTRACT_OK(kecs_begin(store, &tx));
    make_targets(tx, 0);
    uint64_t before = digest_of(tx);
    kecs_filter filter = {.column = KECS_CLUSTER_NAME, .op = KECS_CONTAINS_NOCASE, .text = "NEW"};
    kecs_query query = {.where = &filter, .where_count = 1};
    for (int n = 0; n < rounds(); n++) {
      kecs_result *result = (kecs_result *)&query;
      int64_t count = -1;
      arm(weapon, tx);
      strike_at_ask = 1;
      kecs_status status = n % 2 ? kecs_cluster_count(tx, &query, &count) : kecs_cluster_list(tx, &query, &result);
      disarm(tx);
      if (status) {
        stopped++;
        CONTRACT_FAILS(status, weapons[weapon].status);
        assert_true(n % 2 || result == NULL);
      } else if (n % 2) {
        CONTRACT_NUMBER(count, 150);
      } else {
        CONTRACT_NUMBER(kecs_result_count(result), 100);
        kecs_result_free(result);
      }
      assert_true(digest_of(tx) == before);
    }
    assert_true(stopped > 0);
    CONTRACT_OK(kecs_commit(tx));
    assert_true(digest_of(store) == before);
    contract_close(store);
  }
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(stopped_writes_store_nothing),
    CONTRACT_TEST(stopped_inside_a_transaction),
    CONTRACT_TEST(stopped_inside_a_transaction_with_results),
    CONTRACT_TEST(stopped_inside_a_savepoint),
    CONTRACT_TEST(commit_is_deaf),
    CONTRACT_TEST(a_stop_before_commit_is_heard),
    CONTRACT_TEST(stopped_reads_change_nothing),
};

CONTRACT_MAIN("stops", tests)
