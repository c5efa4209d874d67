/* test_environment.c -- where the store is, from environment variables. */
#include "contract.h"

static const char *const names[] = {
    "KECS_STORAGE_TYPE",
    "KECS_STORAGE",
    "STORE_TYPE",
    "KECS_DATABASE_URL",
    "KECS_POSTGRES_URL",
    "DATABASE_URL",
    "KECS_STORAGE_PATH",
    "KECS_DATA_DIR",
    "KECS_PROFILE",
    "HOME",
    "KECS_POSTGRES_HOST",
    "KECS_POSTGRES_PORT",
    "KECS_POSTGRES_USER",
    "KECS_POSTGRES_PASSWORD",
    "KECS_POSTGRES_DATABASE",
    "KECS_POSTGRES_SSLMODE",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "PGSSLMODE",
};

/* ---- a backend that only notes what it was asked to open ---- */

static char asked[1024];
static char logged[256];

static bool notes_path(const char *path) {
  if (strncmp(path, "postgres", 8) != 0) {
    return false;
  }
  snprintf(asked, sizeof asked, "%s", path);
  return true;
}

static bool shares_nothing(const char *path) {
  (void)path;
  return false;
}

static kecs_status connects_never(const kecs_connect_options *options, kecs_connection **out_connection) {
  (void)options;
  *out_connection = NULL;
  return kecs_backend_fail(KECS_E_OFFLINE, 0, NULL, "nobody is there");
}

static void note_line(kecs_log_level level, const char *line, void *user) {
  (void)level;
  (void)user;
  snprintf(logged, sizeof logged, "%s", line);
}

/* Opens with just the variables "NAME=VALUE" that are given. */
static kecs_status open_with(const char *const *variables, const char *path, kecs_store **out_store) {
  static kecs_backend noting;
  static const kecs_backend *const backends[] = {&noting, NULL};
  kecs_options options = {0};
  noting = *kecs_sqlite_backend();
  noting.answers_to = notes_path;
  noting.shares = shares_nothing;
  noting.connect = connects_never;
  options.backends = backends;
  options.path = path;
  options.logger.write = note_line;
  asked[0] = '\0';
  logged[0] = '\0';
  for (size_t i = 0; i < CONTRACT_COUNT(names); i++) {
    unsetenv(names[i]);
  }
  for (size_t i = 0; variables[i]; i++) {
    char name[64];
    const char *equals = strchr(variables[i], '=');
    snprintf(name, sizeof name, "%.*s", (int)(equals - variables[i]), variables[i]);
    assert_int_equal(setenv(name, equals + 1, 1), 0);
  }
  return kecs_open_env(&options, out_store);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void goes_to(const char *const *variables, const char *url) {
  kecs_store *store = NULL;
  CONTRACT_FAILS(open_with(variables, NULL, &store), KECS_E_OFFLINE);
  assert_null(store);
  CONTRACT_TEXT(asked, url);
}

static void opens(const char *const *variables, const char *path) {
  kecs_store *store = NULL;
  kecs_info info;
  CONTRACT_OK(open_with(variables, NULL, &store));
  CONTRACT_OK(kecs_store_info(store, &info));
  CONTRACT_TEXT(info.path, path);
  CONTRACT_OK(kecs_close(store));
}

static void refused(const char *const *variables, const char *first, const char *second) {
  kecs_store *store = NULL;
  CONTRACT_FAILS(open_with(variables, NULL, &store), KECS_E_INVALID);
  assert_null(store);
  CONTRACT_SAYS(first);
  CONTRACT_SAYS(second);
  assert_null(strstr(kecs_last_error()->text, "secret"));
}

/* ---- cases ---- */

static void urls(void **state) {
  (void)state;
  static const char url[] = "postgres://kecs:secret@db:5432/kecs?sslmode=disable";
  static const char given[] = "KECS_DATABASE_URL=postgres://kecs:secret@db:5432/kecs?sslmode=disable";
  goes_to(LIST("KECS_STORAGE_TYPE=postgresql", given), url);
  goes_to(LIST("KECS_STORAGE_TYPE=POSTGRES", given), url);
  goes_to(LIST("KECS_STORAGE=pg", "KECS_POSTGRES_URL=postgres://kecs:secret@db:5432/kecs?sslmode=disable"), url);
  goes_to(LIST("STORE_TYPE=postgres", "DATABASE_URL=postgres://kecs:secret@db:5432/kecs?sslmode=disable"), url);
  goes_to(LIST(given), url);
  goes_to(LIST(given, "KECS_POSTGRES_HOST=elsewhere"), url);
  goes_to(LIST(given, "DATABASE_URL=postgres://other/other"), url);
  goes_to(LIST("KECS_STORAGE_TYPE=postgresql", "STORE_TYPE=postgres", given, "DATABASE_URL="), url);
}

static void parts(void **state) {
  (void)state;
  goes_to(LIST("KECS_STORAGE_TYPE=postgresql"),
          "postgresql://?host=localhost&port=5432&user=kecs&password=kecs&dbname=kecs&sslmode=disable");
  goes_to(LIST("KECS_STORAGE_TYPE=postgresql", "KECS_POSTGRES_HOST=db.example", "KECS_POSTGRES_PORT=6432",
               "KECS_POSTGRES_USER=us er", "KECS_POSTGRES_PASSWORD=p@:/?#%&=w", "KECS_POSTGRES_DATABASE=d/b",
               "KECS_POSTGRES_SSLMODE=verify-full"),
          "postgresql://?host=db.example&port=6432&user=us%20er&password=p%40%3A%2F%3F%23%25%26%3Dw&dbname=d%2Fb"
          "&sslmode=verify-full");
  goes_to(LIST("KECS_STORAGE_TYPE=postgresql", "PGHOST=pg", "PGPASSWORD=secret", "KECS_POSTGRES_USER=me"),
          "postgresql://?port=5432&user=me&dbname=kecs&sslmode=disable");
  goes_to(LIST("KECS_STORAGE_TYPE=pg", "KECS_POSTGRES_PASSWORD="),
          "postgresql://?host=localhost&port=5432&user=kecs&dbname=kecs&sslmode=disable");
}

static void files(void **state) {
  (void)state;
  char path[512];
  char variable[640];
  char other[640];
  const char *folder = contract_folder();
  snprintf(path, sizeof path, "%s/kecs.db", folder);
  snprintf(variable, sizeof variable, "KECS_DATA_DIR=%s", folder);
  opens(LIST(variable), path);
  opens(LIST("STORE_TYPE=sqlite", variable, "DATABASE_URL=postgres://somebody/elses"), path);
  assert_string_equal(logged, "");
  opens(LIST("KECS_STORAGE_TYPE=duckdb", variable), path);
  assert_non_null(strstr(logged, "duckdb"));
  snprintf(other, sizeof other, "KECS_STORAGE_PATH=%s", path);
  opens(LIST(other), path);
  refused(LIST(variable, other), "KECS_DATA_DIR", "KECS_STORAGE_PATH");
  refused(LIST("KECS_STORAGE=sqlite"), "KECS_DATA_DIR", "set");
  opens(LIST("STORE_TYPE=memory"), ":memory:");
  kecs_store *store = NULL;
  CONTRACT_FAILS(open_with(LIST("HOME=/nowhere/at/all"), NULL, &store), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("/nowhere/at/all/.kecs/data");
  CONTRACT_OK(open_with(LIST("KECS_STORAGE_TYPE=nonsense"), ":memory:", &store));
  CONTRACT_OK(kecs_close(store));
  CONTRACT_FAILS(kecs_open_env(NULL, NULL), KECS_E_MISUSE);
}

static void disagreements(void **state) {
  (void)state;
  static const char url[] = "KECS_DATABASE_URL=postgres://kecs:secret@db/kecs";
  refused(LIST("KECS_STORAGE_TYPE=memory", "STORE_TYPE=postgres"), "KECS_STORAGE_TYPE", "STORE_TYPE");
  refused(LIST("KECS_STORAGE_TYPE=mysql"), "KECS_STORAGE_TYPE: mysql", "memory");
  refused(LIST("STORE_TYPE=mongo"), "unknown STORE_TYPE: mongo", "postgres");
  refused(LIST(url, "KECS_POSTGRES_URL=postgres://kecs:secret@db/other"), "KECS_DATABASE_URL", "KECS_POSTGRES_URL");
  refused(LIST(url, "KECS_STORAGE_TYPE=sqlite"), "KECS_STORAGE_TYPE", "KECS_DATABASE_URL");
  refused(LIST("KECS_DATABASE_URL=/data/kecs.db", "KECS_STORAGE_TYPE=postgresql"), "KECS_STORAGE_TYPE",
          "KECS_DATABASE_URL");
  refused(LIST("STORE_TYPE=postgres"), "DATABASE_URL is required", "STORE_TYPE");
}

/* What the profile has set shows which it was. */
static void has_profile(const char *const *variables, const char *path, int64_t page_bytes, const char *synchronous) {
  kecs_store *store = NULL;
  kecs_info info;
  CONTRACT_OK(open_with(variables, path, &store));
  CONTRACT_OK(kecs_store_info(store, &info));
  CONTRACT_NUMBER(info.page_bytes, page_bytes);
  CONTRACT_TEXT(info.synchronous, synchronous);
  CONTRACT_OK(kecs_close(store));
}

static void profiles(void **state) {
  (void)state;
  char edge[640];
  char durable[640];
  snprintf(edge, sizeof edge, "KECS_DATA_DIR=%s", contract_folder());
  snprintf(durable, sizeof durable, "KECS_DATA_DIR=%s", contract_folder());
  has_profile(LIST("KECS_PROFILE=edge", edge), NULL, 1024, "normal");
  has_profile(LIST("KECS_PROFILE=Durable", durable), NULL, 4096, "full");
  has_profile(LIST("KECS_PROFILE=default", durable), NULL, 4096, "normal");
  has_profile(LIST("KECS_PROFILE=edge"), contract_file("given.db"), 1024, "normal");
  opens(LIST("KECS_PROFILE=memory"), ":memory:");
  opens(LIST("KECS_PROFILE=memory", "KECS_STORAGE_TYPE=memory"), ":memory:");
  opens(LIST("KECS_PROFILE=", "KECS_STORAGE_TYPE=memory"), ":memory:");
  refused(LIST("KECS_PROFILE=fast", edge), "KECS_PROFILE: fast", "edge");
  refused(LIST("KECS_PROFILE=memory", "STORE_TYPE=sqlite", edge), "KECS_PROFILE", "STORE_TYPE");
  refused(LIST("KECS_PROFILE=memory", "KECS_DATABASE_URL=postgres://kecs:secret@db/kecs"), "KECS_PROFILE",
          "KECS_DATABASE_URL");
  kecs_store *store = NULL;
  kecs_options options = {.path = contract_file("own.db"), .profile = KECS_PROFILE_DURABLE};
  kecs_info info;
  assert_int_equal(setenv("KECS_PROFILE", "edge", 1), 0);
  CONTRACT_OK(kecs_open_env(&options, &store)); /* the program has said it itself */
  CONTRACT_OK(kecs_store_info(store, &info));
  CONTRACT_TEXT(info.synchronous, "full");
  CONTRACT_OK(kecs_close(store));
  CONTRACT_FAILS(open_with(LIST("KECS_PROFILE=memory"), contract_file("own.db"), &store), KECS_E_INVALID);
  CONTRACT_SAYS("KECS_PROFILE");
  assert_int_equal(unsetenv("KECS_PROFILE"), 0);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(profiles),
    CONTRACT_TEST(urls),
    CONTRACT_TEST(parts),
    CONTRACT_TEST(files),
    CONTRACT_TEST(disagreements),
};

CONTRACT_MAIN("environment", tests)
