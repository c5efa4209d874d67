/* test_sync_input.c -- what the functions of sync answer to what they should not be given: a typed code, and one line
 * that names the thing and what to do. Nothing is left behind, and the store goes on. */
#include "contract/contract.h"

#include <libpq-fe.h>
#include <limits.h>

#define NOBODY "postgres://nobody@127.0.0.1:1/nothing"

/* ---- helpers ---- */

/* A tenant that is a hub, of the test's own; the text lasts for some calls. */
static const char *tenant_url(void) {
  static char urls[8][CONTRACT_PATH_MAX];
  static size_t next;
  char *url = urls[next++ % CONTRACT_COUNT(urls)];
  contract_fresh_url(url, CONTRACT_PATH_MAX);
  return url;
}

static const char *fresh_hub(void) {
  const char *url = tenant_url();
  CONTRACT_OK(kecs_sync_hub_init(url));
  return url;
}

/* Another database of the server. */
static void database_url(const char *name, char *out, size_t size) {
  PGconn *pg = PQconnectdb(getenv("KECS_TEST_POSTGRES"));
  snprintf(out, size, "postgresql://%s@127.0.0.1:%s/%s", PQuser(pg), PQport(pg), name);
  PQfinish(pg);
}

/* A file that is tracked. */
static kecs_store *edge_file(void) {
  kecs_options options = {.path = contract_file("edge.db"), .track = KECS_TRACK_ON};
  return contract_open_with(&options);
}

static kecs_sync_options edge_options(const char *hub) {
  kecs_sync_options options = {.hub = hub, .site = "cellar"};
  return options;
}

static void make_cluster(kecs_store *store, const char *name) {
  kecs_cluster cluster = {.name = name};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
}

/* That the options are refused, in words that have `says` in them; and that no handle is given. */
static void refuse(kecs_store *store, const kecs_sync_options *options, kecs_status code, const char *says) {
  kecs_sync *sync = (kecs_sync *)(uintptr_t)0x5a5a;
  CONTRACT_FAILS(kecs_sync_open(store, options, &sync), code);
  CONTRACT_SAYS(says);
  assert_null(sync);
}

static kecs_status count_sites(const kecs_sync_site *site, void *user) {
  assert_non_null(site->name);
  ++*(int *)user;
  return KECS_OK;
}

static kecs_status stop_sites(const kecs_sync_site *site, void *user) {
  (void)site;
  ++*(int *)user;
  return KECS_E_CANCELLED;
}

static kecs_status count_conflicts(const kecs_sync_conflict *conflict, void *user) {
  (void)conflict;
  ++*(int *)user;
  return KECS_OK;
}

/* ---- at the hub ---- */

/* All functions that take a hub's URL, with one that can't be used. */
static void every_hub_function(const char *hub, kecs_status code, const char *says) {
  kecs_sync_hub_info info;
  char token[KECS_SYNC_TOKEN_SIZE] = "before";
  int seen = 0;
  CONTRACT_FAILS(kecs_sync_hub_grant(hub, "cellar", "web"), code);
  CONTRACT_SAYS(says);
  CONTRACT_FAILS(kecs_sync_hub_revoke(hub, "cellar", "web"), code);
  CONTRACT_SAYS(says);
  CONTRACT_FAILS(kecs_sync_hub_token(hub, "cellar", token), code);
  CONTRACT_SAYS(says);
  CONTRACT_TEXT(token, "");
  CONTRACT_FAILS(kecs_sync_hub_token(hub, "cellar", NULL), code);
  CONTRACT_FAILS(kecs_sync_hub_sites(hub, count_sites, &seen), code);
  CONTRACT_SAYS(says);
  CONTRACT_NUMBER(seen, 0);
  memset(&info, 0xff, sizeof info);
  CONTRACT_FAILS(kecs_sync_hub_status(hub, &info), code);
  CONTRACT_SAYS(says);
  CONTRACT_NUMBER(info.sites, 0);
  CONTRACT_NUMBER(info.bytes, 0);
  CONTRACT_FAILS(kecs_sync_hub_retain(hub, 1000000), code);
  CONTRACT_SAYS(says);
  CONTRACT_FAILS(kecs_sync_hub_limit(hub, NULL, &(kecs_sync_limits){.batch = 5}), code);
  CONTRACT_SAYS(says);
  CONTRACT_FAILS(kecs_sync_hub_limit(hub, "cellar", NULL), code);
  CONTRACT_SAYS(says);
}

static void urls_that_name_no_hub(void **state) {
  (void)state;
  static const char *const none[] = {NULL, "", "edge.db", "/var/lib/edge.db", ":memory:", "mysql://db.example/kecs"};
  for (size_t i = 0; i < CONTRACT_COUNT(none); i++) {
    every_hub_function(none[i], KECS_E_INVALID, "PostgreSQL");
    CONTRACT_FAILS(kecs_sync_hub_init(none[i]), KECS_E_INVALID);
    CONTRACT_SAYS("PostgreSQL");
  }
}

static void hubs_that_are_not_there(void **state) {
  char url[CONTRACT_PATH_MAX];
  (void)state;
  database_url("nothing", url, sizeof url);
  every_hub_function(url, KECS_E_NOT_FOUND, "create the database");
  CONTRACT_FAILS(kecs_sync_hub_init(url), KECS_E_NOT_FOUND);
  contract_url("tenant=a%20b", url, sizeof url);
  every_hub_function(url, KECS_E_INVALID, "tenant");
  CONTRACT_FAILS(kecs_sync_hub_init(url), KECS_E_INVALID);
}

/* The database is there, and the tables are; nobody has made a hub of it. */
static void databases_that_are_no_hub(void **state) {
  char bare[CONTRACT_PATH_MAX];
  kecs_sync *sync = NULL;
  kecs_sync_report report;
  (void)state;
  contract_url("schema=no_hub", bare, sizeof bare);
  kecs_options options = {.path = bare};
  kecs_store *there = contract_open_with(&options);
  every_hub_function(bare, KECS_E_UNSUPPORTED, "hub");
  kecs_store *store = edge_file();
  kecs_sync_options wanted = edge_options(bare);
  CONTRACT_OK(kecs_sync_open(store, &wanted, &sync));
  make_cluster(store, "waits");
  memset(&report, 0xff, sizeof report);
  CONTRACT_FAILS(kecs_sync_once(sync, &report), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("kecs hub init");
  CONTRACT_NUMBER(report.pushed, 0);
  CONTRACT_OK(kecs_sync_hub_init(bare)); /* what the line says is what helps */
  CONTRACT_OK(kecs_sync_once(sync, &report));
  CONTRACT_NUMBER(report.pushed, 1);
  kecs_sync_close(sync);
  contract_close(store);
  contract_close(there);
}

/* Functions are there, of another tenant; this one is none. */
static void tenants_that_are_no_hub(void **state) {
  kecs_sync *sync = NULL;
  (void)state;
  (void)fresh_hub();
  const char *other = tenant_url();
  kecs_store *store = edge_file();
  kecs_sync_options options = edge_options(other);
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  CONTRACT_FAILS(kecs_sync_once(sync, NULL), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("kecs hub init");
  CONTRACT_FAILS(kecs_sync_hub_retain(other, 1000000), KECS_E_UNSUPPORTED);
  kecs_sync_close(sync);
  contract_close(store);
}

static void sites_and_clusters(void **state) {
  static const char *const clusters[] = {NULL, "", "a b", "a/b", "arn:aws:ecs:us-east-1:000000000000:service/a/b",
                                         "arn:aws:ecs:us-east-1:000000000000:cluster/", "caf\xc3\xa9"};
  char longest[129];
  char longer[130];
  char token[KECS_SYNC_TOKEN_SIZE];
  (void)state;
  const char *hub = fresh_hub();
  const char *const sites[] = {NULL, "", longer};
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  for (size_t i = 0; i < CONTRACT_COUNT(sites); i++) {
    CONTRACT_FAILS(kecs_sync_hub_grant(hub, sites[i], "web"), KECS_E_INVALID);
    CONTRACT_SAYS("site must be a name of 1 to 128 bytes");
    CONTRACT_FAILS(kecs_sync_hub_revoke(hub, sites[i], "web"), KECS_E_INVALID);
    CONTRACT_FAILS(kecs_sync_hub_token(hub, sites[i], token), KECS_E_INVALID);
    CONTRACT_TEXT(token, "");
  }
  for (size_t i = 0; i < CONTRACT_COUNT(clusters); i++) {
    CONTRACT_FAILS(kecs_sync_hub_grant(hub, "cellar", clusters[i]), KECS_E_INVALID);
    CONTRACT_SAYS("ARN");
    CONTRACT_FAILS(kecs_sync_hub_revoke(hub, "cellar", clusters[i]), KECS_E_INVALID);
  }
  CONTRACT_OK(kecs_sync_hub_grant(hub, longest, "web"));
  CONTRACT_OK(kecs_sync_hub_grant(hub, longest, "web")); /* given already */
  CONTRACT_FAILS(kecs_sync_hub_revoke(hub, longest, "shop"), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("has no grant of");
  CONTRACT_OK(kecs_sync_hub_revoke(hub, longest, "web"));
  CONTRACT_OK(kecs_sync_hub_token(hub, "nobody has seen it", NULL)); /* there was none to take */
}

static void questions_to_a_hub(void **state) {
  int seen = 0;
  kecs_sync *sync = NULL;
  (void)state;
  const char *hub = fresh_hub();
  CONTRACT_FAILS(kecs_sync_hub_sites(hub, NULL, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("visit");
  CONTRACT_FAILS(kecs_sync_hub_status(hub, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("out_info");
  CONTRACT_OK(kecs_sync_hub_sites(hub, count_sites, &seen));
  CONTRACT_NUMBER(seen, 0);
  for (int i = 0; i < 2; i++) {
    kecs_store *store = edge_file();
    kecs_sync_options options = edge_options(hub);
    options.site = i == 0 ? "one" : "two";
    CONTRACT_OK(kecs_sync_open(store, &options, &sync));
    CONTRACT_OK(kecs_sync_once(sync, NULL));
    kecs_sync_close(sync);
    contract_close(store);
  }
  assert_int_equal(kecs_sync_hub_sites(hub, stop_sites, &seen), KECS_E_CANCELLED);
  CONTRACT_NUMBER(seen, 1);
  CONTRACT_OK(kecs_sync_hub_sites(hub, count_sites, &seen));
  CONTRACT_NUMBER(seen, 3);
}

static void retentions(void **state) {
  static const int64_t wrong[] = {0, -1, INT64_MIN};
  (void)state;
  const char *hub = fresh_hub();
  for (size_t i = 0; i < CONTRACT_COUNT(wrong); i++) {
    CONTRACT_FAILS(kecs_sync_hub_retain(hub, wrong[i]), KECS_E_INVALID);
    CONTRACT_SAYS("above 0");
  }
  CONTRACT_OK(kecs_sync_hub_retain(hub, 1));
  CONTRACT_OK(kecs_sync_hub_retain(hub, INT64_MAX));
}

static void limits_of_sites(void **state) {
  char longest[KECS_SYNC_PAUSE_MAX + 2];
  char site[130];
  (void)state;
  const char *hub = fresh_hub();
  const struct {
    kecs_sync_limits limits;
    const char *says;
  } wrong[] = {{{.every_ms = -1}, "limits.every_ms"},        {{.every_ms = INT64_MIN}, "limits.every_ms"},
               {{.every_ms = 86400001}, "limits.every_ms"},  {{.batch = -1}, "limits.batch"},
               {{.batch = 100001}, "limits.batch"},          {{.batch = INT64_MAX}, "limits.batch"},
               {{.pause = ""}, "limits.pause"},              {{.pause = "two\nlines"}, "limits.pause"},
               {{.pause = "a\ttab"}, "limits.pause"},        {{.pause = longest}, "limits.pause"}};
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  memset(site, 'x', sizeof site);
  site[sizeof site - 1] = '\0';
  for (size_t i = 0; i < CONTRACT_COUNT(wrong); i++) {
    CONTRACT_FAILS(kecs_sync_hub_limit(hub, NULL, &wrong[i].limits), KECS_E_INVALID);
    CONTRACT_SAYS(wrong[i].says);
  }
  const kecs_sync_limits nothing = {0};
  CONTRACT_FAILS(kecs_sync_hub_limit(hub, "", &nothing), KECS_E_INVALID);
  CONTRACT_SAYS("site must be");
  CONTRACT_FAILS(kecs_sync_hub_limit(hub, site, &nothing), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_sync_hub_limit(hub, NULL, &(kecs_sync_limits){.pause = "\xff\xfe"}), KECS_E_INVALID);
  longest[sizeof longest - 2] = '\0';
  CONTRACT_OK(kecs_sync_hub_limit(hub, NULL, &(kecs_sync_limits){86400000, 100000, longest}));
  CONTRACT_OK(kecs_sync_hub_limit(hub, NULL, &(kecs_sync_limits){1, 1, "it's \"quoted\", {and} \\ more"}));
  kecs_store *store = edge_file();
  kecs_sync *sync = NULL;
  kecs_sync_status_info info;
  kecs_sync_options options = edge_options(hub);
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  CONTRACT_FAILS(kecs_sync_once(sync, NULL), KECS_E_BUSY);
  CONTRACT_SAYS("it's \"quoted\", {and} \\ more");
  CONTRACT_OK(kecs_sync_status(sync, &info));
  CONTRACT_TEXT(info.hub_pause, "it's \"quoted\", {and} \\ more");
  CONTRACT_NUMBER(info.hub_batch, 1);
  CONTRACT_OK(kecs_sync_hub_limit(hub, NULL, NULL));
  CONTRACT_OK(kecs_sync_hub_limit(hub, NULL, NULL));
  CONTRACT_OK(kecs_sync_once(sync, NULL));
  CONTRACT_OK(kecs_sync_status(sync, &info));
  CONTRACT_TEXT(info.hub_pause, "");
  kecs_sync_close(sync);
  contract_close(store);
}

/* ---- opening ---- */

static void nothing_at_all(void **state) {
  kecs_sync *sync = NULL;
  kecs_sync_status_info info;
  kecs_sync_options options = edge_options(NOBODY);
  (void)state;
  kecs_store *store = edge_file();
  refuse(NULL, &options, KECS_E_INVALID, "store");
  CONTRACT_FAILS(kecs_sync_open(store, &options, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("out_sync");
  refuse(store, NULL, KECS_E_INVALID, "options");
  CONTRACT_FAILS(kecs_sync_once(NULL, NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_sync_start(NULL, NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_sync_stop(NULL), KECS_E_INVALID);
  CONTRACT_FAILS(kecs_sync_status(NULL, &info), KECS_E_INVALID);
  CONTRACT_SAYS("sync is NULL");
  kecs_sync_cancel(NULL);
  kecs_sync_close(NULL);
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  CONTRACT_FAILS(kecs_sync_status(sync, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("out_info");
  kecs_sync_close(sync);
  contract_close(store);
}

static void hubs_and_sites_of_options(void **state) {
  static const char *const hubs[] = {NULL, "", "edge.db", "http://db.example"};
  char longer[130];
  (void)state;
  kecs_store *store = edge_file();
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  for (size_t i = 0; i < CONTRACT_COUNT(hubs); i++) {
    kecs_sync_options options = edge_options(hubs[i]);
    refuse(store, &options, KECS_E_INVALID, "options.hub must be the URL");
  }
  const char *const sites[] = {NULL, "", longer};
  for (size_t i = 0; i < CONTRACT_COUNT(sites); i++) {
    kecs_sync_options options = edge_options(NOBODY);
    options.site = sites[i];
    refuse(store, &options, KECS_E_INVALID, "options.site must be a name of 1 to 128 bytes");
  }
  kecs_sync_options options = edge_options("postgres://db.example/kecs?tenant=a%20b");
  refuse(store, &options, KECS_E_INVALID, "tenant");
  options = edge_options("postgres://db.example:port/kecs");
  refuse(store, &options, KECS_E_INVALID, "port");
  make_cluster(store, "goes-on");
  contract_close(store);
}

static void numbers_of_options(void **state) {
  (void)state;
  kecs_store *store = edge_file();
  for (int i = 0; i < 9; i++) {
    kecs_sync_options options = edge_options(NOBODY);
    const char *says = "";
    switch (i) {
      case 0: options.batch = -1, says = "options.batch"; break;
      case 1: options.batch = 100001, says = "options.batch"; break;
      case 2: options.batch = INT_MIN, says = "options.batch"; break;
      case 3: options.tombstones_us = -1, says = "options.tombstones_us"; break;
      case 4: options.max_offset_us = -1, says = "options.max_offset_us"; break;
      case 5: options.max_offset_us = 300000001, says = "options.max_offset_us"; break;
      case 6: options.append_bytes = -2, says = "options.append_bytes"; break;
      case 7: options.append_keep_bytes = -1, says = "options.append_keep_bytes"; break;
      default: options.token = "0123456789abcdef", says = "options.token"; break;
    }
    refuse(store, &options, KECS_E_INVALID, says);
  }
  contract_close(store);
}

/* What a list's count promises must be there. */
static void lists_of_options(void **state) {
  static const kecs_kind unknown[] = {(kecs_kind)99};
  static const kecs_kind zero[] = {(kecs_kind)0};
  static const kecs_kind orphan[] = {KECS_KIND_SERVICE};
  static const char *const bad[] = {"web", "a b"};
  static const char *const hole[] = {NULL};
  (void)state;
  kecs_store *store = edge_file();
  kecs_sync_options options = edge_options(NOBODY);
  options.kind_count = 1;
  refuse(store, &options, KECS_E_INVALID, "options.kind_count");
  options.kinds = unknown;
  refuse(store, &options, KECS_E_INVALID, "99 is no kind");
  options.kinds = zero;
  refuse(store, &options, KECS_E_INVALID, "0 is no kind");
  options.kinds = orphan;
  refuse(store, &options, KECS_E_INVALID, "without its parent cluster");
  options = edge_options(NOBODY);
  options.cluster_count = 1;
  refuse(store, &options, KECS_E_INVALID, "options.cluster_count");
  options.clusters = hole;
  refuse(store, &options, KECS_E_INVALID, "options.clusters[0]");
  options.clusters = bad;
  options.cluster_count = 2;
  refuse(store, &options, KECS_E_INVALID, "a b");
  options = edge_options(NOBODY);
  options.policy_count = 1;
  refuse(store, &options, KECS_E_INVALID, "options.policy_count");
  contract_close(store);
}

static void policies_of_options(void **state) {
  static const struct {
    kecs_replica_policy policy;
    const char *says;
  } wrong[] = {
      {{.kind = (kecs_kind)99, .groups = 2, .rule = KECS_REPLICA_HUB}, "no kind that has policies"},
      {{.kind = KECS_KIND_EVENT, .groups = 2, .rule = KECS_REPLICA_HUB}, "no kind that has policies"},
      {{.kind = KECS_KIND_SERVICE, .groups = 2, .rule = (kecs_replica_rule)99}, "no rule"},
      {{.kind = KECS_KIND_SERVICE, .groups = 2, .rule = (kecs_replica_rule)-1}, "no rule"},
      {{.kind = KECS_KIND_SERVICE, .groups = 0, .rule = KECS_REPLICA_HUB}, "no groups"},
      {{.kind = KECS_KIND_SERVICE, .groups = 8, .rule = KECS_REPLICA_HUB}, "no groups"},
      {{.kind = KECS_KIND_SERVICE, .groups = 1, .rule = KECS_REPLICA_COMPARE}, "no groups"},
      {{.kind = KECS_KIND_TASK, .groups = 4, .rule = KECS_REPLICA_OWNER}, "fence"},
      {{.kind = KECS_KIND_TASK, .groups = 4, .rule = KECS_REPLICA_OWNER, .fence = "no_such_column"}, "fence"},
  };
  static const kecs_replica_policy twice[] = {{.kind = KECS_KIND_SERVICE, .groups = 2, .rule = KECS_REPLICA_HUB},
                                              {.kind = KECS_KIND_SERVICE, .groups = 2, .rule = KECS_REPLICA_COMPARE}};
  (void)state;
  kecs_store *store = edge_file();
  for (size_t i = 0; i < CONTRACT_COUNT(wrong); i++) {
    kecs_sync_options options = edge_options(NOBODY);
    options.policies = &wrong[i].policy;
    options.policy_count = 1;
    refuse(store, &options, KECS_E_INVALID, wrong[i].says);
  }
  kecs_sync_options options = edge_options(NOBODY);
  options.policies = twice;
  options.policy_count = 2;
  refuse(store, &options, KECS_E_INVALID, "two rules");
  contract_close(store);
}

static void stores_that_are_no_edges(void **state) {
  kecs_sync_options wanted = edge_options(NOBODY);
  kecs_store *tx = NULL;
  (void)state;
  kecs_store *hub = contract_open();
  refuse(hub, &wanted, KECS_E_UNSUPPORTED, "SQLite");
  contract_close(hub);
  const char *path = contract_file("plain.db");
  kecs_options options = {.path = path, .track = KECS_TRACK_OFF};
  kecs_store *plain = contract_open_with(&options);
  refuse(plain, &wanted, KECS_E_UNSUPPORTED, "track");
  make_cluster(plain, "goes-on");
  contract_close(plain);
  options.track = KECS_TRACK_KEEP;
  options.read_only = true;
  kecs_store *read_only = contract_open_with(&options);
  refuse(read_only, &wanted, KECS_E_READONLY, "reading only");
  contract_close(read_only);
  kecs_store *store = edge_file();
  CONTRACT_OK(kecs_begin(store, &tx));
  refuse(tx, &wanted, KECS_E_MISUSE, "transaction");
  CONTRACT_OK(kecs_rollback(tx));
  contract_close(store);
}

/* What a file has begun with stays. */
static void what_is_fixed(void **state) {
  static const kecs_kind clusters[] = {KECS_KIND_CLUSTER};
  kecs_sync *sync = NULL;
  (void)state;
  kecs_store *store = edge_file();
  kecs_sync_options options = edge_options(NOBODY);
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  kecs_sync_close(sync);
  options.site = "attic";
  refuse(store, &options, KECS_E_INVALID, "cellar");
  options.site = "cellar";
  options.kinds = clusters;
  options.kind_count = 1;
  refuse(store, &options, KECS_E_INVALID, "kinds");
  options.kind_count = 0;
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  kecs_sync_close(sync);
  contract_close(store);
}

/* ---- rounds ---- */

static void a_hub_that_nobody_reaches(void **state) {
  kecs_sync *sync = NULL;
  kecs_sync_report report;
  kecs_sync_status_info info;
  kecs_sync_options options = edge_options(NOBODY);
  (void)state;
  kecs_store *store = edge_file();
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  make_cluster(store, "waits");
  memset(&report, 0xff, sizeof report);
  CONTRACT_FAILS(kecs_sync_once(sync, &report), KECS_E_OFFLINE);
  CONTRACT_SAYS("127.0.0.1");
  CONTRACT_NUMBER(report.pushed, 0);
  CONTRACT_NUMBER(report.round_trips, 0);
  CONTRACT_OK(kecs_sync_status(sync, &info));
  CONTRACT_TEXT(info.site, "cellar");
  CONTRACT_NUMBER(info.number, 0);
  assert_true(info.pending > 0);
  CONTRACT_NUMBER(info.failures, 1);
  CONTRACT_NUMBER(info.failed, KECS_E_OFFLINE);
  assert_non_null(strstr(info.failed_text, "127.0.0.1"));
  make_cluster(store, "goes-on");
  kecs_sync_close(sync);
  contract_close(store);
}

/* Options that are all 0 but for the two that must be given, and a round each way. */
static void options_left_zero(void **state) {
  kecs_sync *sync = NULL;
  kecs_sync_report report;
  (void)state;
  const char *hub = fresh_hub();
  kecs_options at_hub = {.path = hub};
  kecs_store *other = contract_open_with(&at_hub);
  kecs_store *store = edge_file();
  kecs_sync_options options = edge_options(hub);
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  make_cluster(store, "mine");
  make_cluster(other, "theirs");
  CONTRACT_OK(kecs_sync_once(sync, &report));
  CONTRACT_NUMBER(report.pushed, 1);
  CONTRACT_NUMBER(report.pulled, 1);
  CONTRACT_OK(kecs_sync_once(sync, NULL));
  kecs_sync_close(sync);
  contract_close(store);
  contract_close(other);
}

static void another_hub(void **state) {
  kecs_sync *sync = NULL;
  (void)state;
  kecs_store *store = edge_file();
  kecs_sync_options options = edge_options(fresh_hub());
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  CONTRACT_OK(kecs_sync_once(sync, NULL));
  kecs_sync_close(sync);
  options.hub = fresh_hub();
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  make_cluster(store, "waits");
  CONTRACT_FAILS(kecs_sync_once(sync, NULL), KECS_E_CONFLICT);
  CONTRACT_SAYS("another hub");
  kecs_sync_close(sync);
  contract_close(store);
}

static void a_token_that_is_none(void **state) {
  kecs_sync *sync = NULL;
  char zeros[KECS_SYNC_TOKEN_SIZE];
  (void)state;
  memset(zeros, '0', sizeof zeros);
  zeros[sizeof zeros - 1] = '\0';
  kecs_store *store = edge_file();
  kecs_sync_options options = edge_options(fresh_hub());
  options.token = zeros;
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  CONTRACT_FAILS(kecs_sync_once(sync, NULL), KECS_E_DENIED);
  CONTRACT_SAYS("kecs hub token");
  assert_null(strstr(kecs_last_error()->text, "0000000000000000"));
  kecs_sync_close(sync);
  contract_close(store);
}

/* ---- the thread ---- */

static kecs_sync *stopping;
static int stopped_itself;

static void stop_within(kecs_status status, const kecs_sync_report *report, const kecs_error *error, void *user) {
  (void)report;
  (void)error;
  (void)user;
  if (status != KECS_OK) {
    __atomic_store_n(&stopped_itself, (int)kecs_sync_stop(stopping), __ATOMIC_SEQ_CST);
  }
}

static void threads(void **state) {
  kecs_sync *sync = NULL;
  kecs_sync_report report;
  kecs_sync_options options = edge_options(NOBODY);
  (void)state;
  kecs_store *store = edge_file();
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  kecs_sync_pace pace = {.every_ms = -1};
  CONTRACT_FAILS(kecs_sync_start(sync, &pace), KECS_E_INVALID);
  CONTRACT_SAYS("pace.every_ms");
  pace = (kecs_sync_pace){.backoff_max_ms = -1};
  CONTRACT_FAILS(kecs_sync_start(sync, &pace), KECS_E_INVALID);
  CONTRACT_SAYS("pace.backoff_max_ms");
  CONTRACT_OK(kecs_sync_stop(sync)); /* none runs */
  stopping = sync;
  stopped_itself = 0;
  pace = (kecs_sync_pace){.every_ms = 10, .backoff_max_ms = 10, .after = stop_within};
  CONTRACT_OK(kecs_sync_start(sync, &pace));
  CONTRACT_FAILS(kecs_sync_start(sync, NULL), KECS_E_MISUSE);
  memset(&report, 0xff, sizeof report);
  CONTRACT_FAILS(kecs_sync_once(sync, &report), KECS_E_MISUSE);
  CONTRACT_SAYS("kecs_sync_stop");
  CONTRACT_NUMBER(report.pushed, 0);
  for (int i = 0; i < 60000 && __atomic_load_n(&stopped_itself, __ATOMIC_SEQ_CST) == 0; i++) {
    usleep(1000);
  }
  CONTRACT_NUMBER(__atomic_load_n(&stopped_itself, __ATOMIC_SEQ_CST), KECS_E_MISUSE);
  CONTRACT_OK(kecs_sync_stop(sync));
  CONTRACT_OK(kecs_sync_start(sync, NULL)); /* every default; and closing ends it */
  kecs_sync_close(sync);
  contract_close(store);
}

/* ---- what has lost ---- */

static void conflicts_and_decisions(void **state) {
  kecs_sync *sync = NULL;
  kecs_sync_options options = edge_options(NOBODY);
  int seen = 0;
  (void)state;
  kecs_store *store = edge_file();
  CONTRACT_FAILS(kecs_sync_conflicts(NULL, 0, count_conflicts, &seen), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_sync_conflicts(store, 0, NULL, NULL), KECS_E_INVALID);
  CONTRACT_SAYS("visit");
  CONTRACT_FAILS(kecs_sync_resolve(NULL, 1, KECS_SYNC_TAKE_KEPT), KECS_E_MISUSE);
  CONTRACT_FAILS(kecs_sync_resolve(store, 1, (kecs_sync_take)7), KECS_E_INVALID);
  CONTRACT_SAYS("take is 7");
  CONTRACT_OK(kecs_sync_conflicts(store, 0, count_conflicts, &seen)); /* it never was an edge */
  CONTRACT_FAILS(kecs_sync_resolve(store, 1, KECS_SYNC_TAKE_KEPT), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("never an edge");
  CONTRACT_OK(kecs_sync_open(store, &options, &sync));
  CONTRACT_OK(kecs_sync_conflicts(store, -5, count_conflicts, &seen));
  CONTRACT_OK(kecs_sync_conflicts(store, INT64_MAX, count_conflicts, &seen));
  CONTRACT_NUMBER(seen, 0);
  CONTRACT_FAILS(kecs_sync_resolve(store, 1, KECS_SYNC_TAKE_LOST), KECS_E_NOT_FOUND);
  CONTRACT_FAILS(kecs_sync_resolve(store, -1, KECS_SYNC_TAKE_KEPT), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("-1");
  kecs_sync_close(sync);
  contract_close(store);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(urls_that_name_no_hub),
    CONTRACT_TEST(hubs_that_are_not_there),
    CONTRACT_TEST(databases_that_are_no_hub),
    CONTRACT_TEST(tenants_that_are_no_hub),
    CONTRACT_TEST(sites_and_clusters),
    CONTRACT_TEST(questions_to_a_hub),
    CONTRACT_TEST(retentions),
    CONTRACT_TEST(limits_of_sites),
    CONTRACT_TEST(nothing_at_all),
    CONTRACT_TEST(hubs_and_sites_of_options),
    CONTRACT_TEST(numbers_of_options),
    CONTRACT_TEST(lists_of_options),
    CONTRACT_TEST(policies_of_options),
    CONTRACT_TEST(stores_that_are_no_edges),
    CONTRACT_TEST(what_is_fixed),
    CONTRACT_TEST(a_hub_that_nobody_reaches),
    CONTRACT_TEST(options_left_zero),
    CONTRACT_TEST(another_hub),
    CONTRACT_TEST(a_token_that_is_none),
    CONTRACT_TEST(threads),
    CONTRACT_TEST(conflicts_and_decisions),
};

CONTRACT_MAIN("sync_input", tests)
