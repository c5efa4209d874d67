/* test_lifecycle.c -- opening: what is made, what is refused and left as it is, what is seen again. Files of SQLite. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- files ---- */

typedef struct bytes {
  char *data;
  size_t len;
} bytes;

static bytes read_bytes(const char *path) {
  bytes all = {NULL, 0};
  FILE *file = fopen(path, "rb");
  if (file) {
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    all.data = malloc((size_t)size + 1);
    all.len = fread(all.data, 1, (size_t)size, file);
    fclose(file);
  }
  return all;
}

static void write_bytes(const char *path, const char *data, size_t len) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, len, file), len);
  fclose(file);
}

static bool exists(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0;
}

static const char *path_in(const char *folder, const char *name) {
  static char paths[8][CONTRACT_PATH_MAX + 64];
  static int next;
  next = (next + 1) % 8;
  if (snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name) >= (int)sizeof paths[next]) {
    fail_msg("the path is too long: %s", name);
  }
  return paths[next];
}

/* Runs SQL on a file with nothing of kecs_store about it. */
static void run_sql(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  char *message = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
    fail_msg("%s: %s", sql, message);
  }
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A closed store's file with a cluster in it, its -wal folded in. */
static void make_file(const char *path) {
  kecs_options options = {.path = path};
  kecs_store *store = NULL;
  kecs_cluster cluster = {.name = "web"};
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  CONTRACT_OK(kecs_close(store));
}

/* The store is refused, with this code and these words, and the file is what it was, byte for byte; nothing is left
 * beside it. */
static void refuse_untouched(const kecs_options *options, kecs_status status, const char *says) {
  bytes before = read_bytes(options->path);
  kecs_store *store = (kecs_store *)&before;
  CONTRACT_FAILS(kecs_open(options, &store), status);
  assert_null(store);
  CONTRACT_SAYS(says);
  bytes after = read_bytes(options->path);
  CONTRACT_NUMBER(after.len, before.len);
  assert_int_equal(memcmp(after.data ? after.data : "", before.data ? before.data : "", before.len), 0);
  char beside[CONTRACT_PATH_MAX + 16];
  static const char *const endings[] = {"-journal", "-wal", "-shm"};
  for (size_t i = 0; i < CONTRACT_COUNT(endings); i++) {
    struct stat info;
    snprintf(beside, sizeof beside, "%s%s", options->path, endings[i]);
    if (stat(beside, &info) == 0 && info.st_size > 0 && i < 2) {
      fail_msg("%s was left behind", beside);
    }
  }
  free(before.data);
  free(after.data);
}

/* ---- paths ---- */

static void a_file_is_made_with_its_schema(void **state) {
  (void)state;
  const char *folder = contract_folder();
  static const char *const names[] = {"plain.db", "with space", "quote'\"quote", "percent%20%s", "question?mode=ro",
                                      "hash#1", "\xc3\xa4\xf0\x9f\x98\x80", "semi;colon", "back\\slash", "-dash"};
  for (size_t i = 0; contract_is_file() && i < CONTRACT_COUNT(names); i++) {
    kecs_options options = {.path = path_in(folder, names[i])};
    kecs_store *store = NULL;
    kecs_info info;
    CONTRACT_OK(kecs_open(&options, &store));
    CONTRACT_OK(kecs_store_info(store, &info));
    CONTRACT_TEXT(info.backend, "sqlite");
    CONTRACT_TEXT(info.path, options.path);
    CONTRACT_TEXT(info.journal_mode, "wal");
    CONTRACT_TEXT(info.account_id, "000000000000");
    CONTRACT_TEXT(info.region, "us-east-1");
    assert_true(info.schema_version >= 1);
    assert_false(info.read_only);
    assert_true(info.size_bytes > 0);
    CONTRACT_OK(kecs_close(store));
    assert_true(exists(options.path));
  }
}

static void memory_is_empty_each_time(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    kecs_options options = {.path = ":memory:"};
    kecs_store *store = NULL;
    kecs_store *other = NULL;
    kecs_info info;
    kecs_cluster cluster = {.name = "web"};
    CONTRACT_OK(kecs_open(&options, &store));
    CONTRACT_OK(kecs_open(&options, &other));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
    CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
    CONTRACT_NUMBER(contract_count_rows(other, KECS_KIND_CLUSTER), 0);
    CONTRACT_OK(kecs_store_info(store, &info));
    CONTRACT_TEXT(info.journal_mode, "memory");
    CONTRACT_NUMBER(info.wal_bytes, 0);
    CONTRACT_OK(kecs_close(store));
    CONTRACT_OK(kecs_close(other));
  }
  assert_false(exists(":memory:"));
}

static void paths_that_do_not_do(void **state) {
  (void)state;
  const char *folder = contract_folder();
  kecs_options options = {.path = path_in(folder, "missing/store.db")};
  kecs_store *store = NULL;
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("missing");
  assert_false(exists(path_in(folder, "missing")));
  options.path = folder;
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_INVALID);
  CONTRACT_SAYS("directory");
  write_bytes(path_in(folder, "file"), "", 0);
  options.path = path_in(folder, "file/store.db");
  kecs_status status = kecs_open(&options, &store);
  assert_true(status == KECS_E_INVALID || status == KECS_E_NOT_FOUND);
  assert_null(store);
  options.path = path_in(folder, "absent.db");
  options.must_exist = true;
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_NOT_FOUND);
  CONTRACT_SAYS("absent.db");
  options.must_exist = false;
  options.read_only = true;
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_NOT_FOUND);
  assert_false(exists(options.path));
  static const char *const urls[] = {"mysql://x/y", "postgres://kecs:secret@localhost/kecs", "http://", "://"};
  for (size_t i = 0; i < CONTRACT_COUNT(urls); i++) {
    options = (kecs_options){.path = urls[i]};
    CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_UNSUPPORTED);
    assert_null(strstr(kecs_last_error()->text, "secret"));
    assert_null(store);
  }
}

/* What opening gives to a process that is not root, which nothing is denied to. Runs in a child. */
static kecs_status open_as_nobody(const char *path, bool read_only) {
  kecs_options options = {.path = path, .read_only = read_only};
  kecs_store *store = NULL;
  kecs_status status = kecs_open(&options, &store);
  int64_t count = 0;
  if (!status) {
    status = kecs_cluster_count(store, NULL, &count);
    kecs_close(store);
  }
  return status ? status : count == 1 ? KECS_OK : KECS_E_CORRUPT;
}

static void check_as_nobody(const char *path, bool read_only, kecs_status expected) {
  int result = -1;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    if (geteuid() == 0 && (setgid(65534) || setuid(65534))) {
      _exit(100);
    }
    kecs_status status = open_as_nobody(path, read_only);
    if (status != expected) {
      fprintf(stderr, "%s gave %s: %s\n", path, kecs_status_name(status), kecs_last_error()->text);
    }
    _exit(status == expected ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_true(WIFEXITED(result));
  CONTRACT_NUMBER(WEXITSTATUS(result), 0);
}

/* A log that nobody has an index of can't be read where none can be made; without a log the file itself is enough. */
static void a_log_in_a_directory_that_is_read_only(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *folder = contract_folder();
  const char *path = path_in(folder, "store.db");
  char log[CONTRACT_PATH_MAX + 80];
  make_file(path);
  snprintf(log, sizeof log, "%s-wal", path_in(folder, "store.db"));
  for (int file = 0444; file <= 0644; file += 0200) {
    chmod(path_in(folder, "store.db"), (mode_t)file);
    chmod(folder, 0555);
    check_as_nobody(path_in(folder, "store.db"), true, KECS_OK);
    chmod(folder, 0755);
    write_bytes(log, "", 0);
    chmod(log, 0444);
    chmod(folder, 0555);
    check_as_nobody(path_in(folder, "store.db"), true, KECS_E_DENIED);
    chmod(folder, 0755);
    unlink(log);
  }
}

static void permissions(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *folder = contract_folder();
  const char *path = path_in(folder, "store.db");
  make_file(path);
  bytes before = read_bytes(path);
  chmod(folder, 0777);
  chmod(path, 0000);
  check_as_nobody(path, false, KECS_E_DENIED);
  check_as_nobody(path, true, KECS_E_DENIED);
  chmod(path, 0444);
  check_as_nobody(path, false, KECS_E_READONLY);
  check_as_nobody(path, true, KECS_OK);
  chmod(folder, 0555); /* and nothing can be put beside it */
  check_as_nobody(path, true, KECS_OK);
  check_as_nobody(path_in(folder, "new.db"), false, KECS_E_DENIED);
  chmod(folder, 0000);
  check_as_nobody(path, true, KECS_E_DENIED);
  chmod(folder, 0700);
  bytes after = read_bytes(path);
  CONTRACT_NUMBER(after.len, before.len);
  assert_memory_equal(after.data, before.data, before.len);
  free(before.data);
  free(after.data);
}

static void symbolic_links(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *folder = contract_folder();
  const char *real = path_in(folder, "real.db");
  const char *link = path_in(folder, "link.db");
  kecs_options options = {.path = link};
  kecs_store *store = NULL;
  make_file(real);
  assert_int_equal(symlink(real, link), 0);
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  kecs_cluster cluster = {.name = "through the link"};
  CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
  CONTRACT_OK(kecs_close(store));
  struct stat info;
  assert_int_equal(lstat(link, &info), 0);
  assert_true(S_ISLNK(info.st_mode));
  options.path = real;
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 2);
  CONTRACT_OK(kecs_close(store));
  const char *dangling = path_in(folder, "dangling.db");
  assert_int_equal(symlink(path_in(folder, "nowhere.db"), dangling), 0);
  options = (kecs_options){.path = dangling, .must_exist = true};
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_NOT_FOUND);
}

/* ---- options ---- */

static void options_are_checked(void **state) {
  (void)state;
  static const struct {
    kecs_options options;
    const char *says;
  } cases[] = {
      {{.path = NULL}, "path"},
      {{.path = ""}, "path"},
      {{.path = ":memory:", .account_id = "12345678901"}, "account_id"},
      {{.path = ":memory:", .account_id = "1234567890123"}, "account_id"},
      {{.path = ":memory:", .account_id = "12345678901x"}, "account_id"},
      {{.path = ":memory:", .account_id = ""}, "account_id"},
      {{.path = ":memory:", .region = ""}, "region"},
      {{.path = ":memory:", .readers = -1}, "readers"},
      {{.path = ":memory:", .readers = 65}, "readers"},
      {{.path = ":memory:", .cache_kib = -1}, "cache_kib"},
      {{.path = ":memory:", .durability = (kecs_durability)7}, "durability"},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_store *store = (kecs_store *)&i;
    kecs_status status = kecs_open(&cases[i].options, &store);
    if (status == KECS_OK) {
      kecs_close(store);
      fail_msg("case %zu (%s) was opened", i, cases[i].says);
    }
    CONTRACT_FAILS(status, KECS_E_INVALID);
    CONTRACT_SAYS(cases[i].says);
    assert_null(store);
  }
}

static void *half_alloc(size_t size, void *user) {
  (void)user;
  return malloc(size);
}

static void options_that_are_half(void **state) {
  (void)state;
  kecs_options options = {.path = ":memory:", .allocator = {.alloc = half_alloc}};
  kecs_store *store = NULL;
  kecs_status status = kecs_open(&options, &store);
  assert_true(status == KECS_E_INVALID || status == KECS_E_MISUSE);
  assert_null(store);
  kecs_backend old = *kecs_sqlite_backend();
  old.abi = KECS_BACKEND_ABI + 1;
  const kecs_backend *const backends[] = {&old, NULL};
  options = (kecs_options){.path = ":memory:", .backends = backends};
  CONTRACT_FAILS(kecs_open(&options, &store), KECS_E_UNSUPPORTED);
  CONTRACT_SAYS("version");
}

static void options_of_every_size_work(void **state) {
  (void)state;
  static const kecs_options cases[] = {
      {.readers = 1},
      {.readers = 64},
      {.cache_kib = 1},
      {.durability = KECS_DURABILITY_FULL},
      {.busy_timeout_ms = -1},
      {.document_bytes_max = 1},
      {.strict = true},
  };
  for (size_t i = 0; i < CONTRACT_COUNT(cases); i++) {
    kecs_store *store = contract_open_with(&cases[i]);
    kecs_cluster cluster = {.name = "web"};
    CONTRACT_OK(kecs_cluster_create(store, &cluster, NULL));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
    contract_close(store);
  }
}

static void texts_of_options_are_copied(void **state) {
  (void)state;
  char path[CONTRACT_PATH_MAX];
  char account[16] = "123456789012";
  char region[16] = "eu-west-1";
  snprintf(path, sizeof path, "%s", contract_is_memory() ? ":memory:" : path_in(contract_folder(), "store.db"));
  if (!contract_is_sqlite()) {
    contract_fresh_url(path, sizeof path);
  }
  kecs_options options = {.path = path, .account_id = account, .region = region, .backends = contract_backends()};
  kecs_store *store = NULL;
  kecs_info info;
  kecs_cluster cluster = {.name = "web"};
  kecs_result *result = NULL;
  CONTRACT_OK(kecs_open(&options, &store));
  memset(path, 'x', 5);
  memset(account, 'x', 12);
  memset(region, 'x', 9);
  memset(&options, 0xff, sizeof options);
  CONTRACT_OK(kecs_cluster_create(store, &cluster, &result));
  CONTRACT_TEXT(kecs_cluster_at(result, 0)->arn, "arn:aws:ecs:eu-west-1:123456789012:cluster/web");
  kecs_result_free(result);
  CONTRACT_OK(kecs_store_info(store, &info));
  CONTRACT_TEXT(info.region, "eu-west-1");
  CONTRACT_OK(kecs_close(store));
}

typedef struct log_lines {
  int count;
  bool bad;
} log_lines;

static void take_line(kecs_log_level level, const char *line, void *user) {
  log_lines *lines = user;
  lines->count++;
  lines->bad = lines->bad || strpbrk(line, "\r\n") || !line[0] || level < KECS_LOG_DEBUG || level > KECS_LOG_ERROR;
}

static void the_log_hears_of_the_migration(void **state) {
  (void)state;
  log_lines lines = {0, false};
  kecs_options options = {.logger = {take_line, &lines}};
  char url[CONTRACT_PATH_MAX];
  if (!contract_is_sqlite()) { /* a tenant is no new schema */
    contract_url("schema=heard", url, sizeof url);
    options.path = url;
  }
  kecs_store *store = contract_open_with(&options);
  assert_true(lines.count >= 1);
  assert_false(lines.bad);
  contract_close(store);
}

/* ---- again ---- */

static void reopening_sees_everything(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_store *store = contract_open();
  int64_t counts[KECS_KIND_COUNT];
  contract_parents(store);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    contract_row made;
    CONTRACT_OK(kecs_record_create(store, (kecs_kind)kind, contract_make_row((kecs_kind)kind, 0, &made), NULL));
    counts[kind] = contract_count_rows(store, (kecs_kind)kind);
  }
  for (int round = 0; round < 3; round++) {
    kecs_info info;
    store = contract_reopen(store);
    CONTRACT_OK(kecs_store_info(store, &info));
    assert_true(info.schema_version >= 1);
    for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
      CONTRACT_NUMBER(contract_count_rows(store, (kecs_kind)kind), counts[kind]);
    }
  }
  contract_close(store);
}

/* As a crash leaves it: copied while it is open, with its write-ahead log. */
static void a_copy_with_its_log_is_whole(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *folder = contract_folder();
  kecs_store *store = contract_open();
  kecs_store *copy = NULL;
  contract_parents(store);
  char path[CONTRACT_PATH_MAX + 16];
  static const char *const endings[] = {"", "-wal"};
  for (size_t i = 0; i < CONTRACT_COUNT(endings); i++) {
    const char *to = path_in(folder, i ? "copy.db-wal" : "copy.db");
    snprintf(path, sizeof path, "%s%s", contract_path(store), endings[i]);
    bytes all = read_bytes(path);
    assert_non_null(all.data);
    write_bytes(to, all.data, all.len);
    free(all.data);
  }
  kecs_options options = {.path = path_in(folder, "copy.db"), .must_exist = true};
  CONTRACT_OK(kecs_open(&options, &copy));
  CONTRACT_NUMBER(contract_count_rows(copy, KECS_KIND_SERVICE), 1);
  CONTRACT_OK(kecs_close(copy));
  contract_close(store);
}

static void a_read_only_file_system_of_one_file(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.path = path_in(contract_folder(), "store.db")};
  make_file(options.path);
  bytes before = read_bytes(options.path);
  kecs_store *store = NULL;
  options.read_only = true;
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  CONTRACT_OK(kecs_close(store));
  bytes after = read_bytes(options.path);
  CONTRACT_NUMBER(after.len, before.len);
  assert_memory_equal(after.data, before.data, before.len);
  free(before.data);
  free(after.data);
}

/* ---- what is no store ---- */

static void files_that_are_no_database(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  static const char text[] = "This is a text, and no database at all. It is long enough to hold a header, which it "
                             "has not; so it must be refused, and left as it is.";
  kecs_options options = {.path = path_in(contract_folder(), "text.txt")};
  write_bytes(options.path, text, sizeof text - 1);
  refuse_untouched(&options, KECS_E_CORRUPT, "text.txt");
  options.read_only = true;
  refuse_untouched(&options, KECS_E_CORRUPT, "text.txt");
  options = (kecs_options){.path = path_in(contract_folder(), "short")};
  write_bytes(options.path, "xy", 2); /* SQLite takes a file of one byte for an empty one */
  refuse_untouched(&options, KECS_E_CORRUPT, "short");
  char noise[8192];
  for (size_t i = 0; i < sizeof noise; i++) {
    noise[i] = (char)(i * 2654435761u >> 13);
  }
  memcpy(noise, "SQLite format 3", 16);
  options = (kecs_options){.path = path_in(contract_folder(), "noise")};
  write_bytes(options.path, noise, sizeof noise);
  refuse_untouched(&options, KECS_E_CORRUPT, "noise");
}

/* An empty file is a database without tables to SQLite, and becomes a store. */
static void an_empty_file_becomes_a_store(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  kecs_options options = {.path = path_in(contract_folder(), "empty")};
  kecs_store *store = NULL;
  write_bytes(options.path, "", 0);
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 0);
  CONTRACT_OK(kecs_close(store));
}

static void truncated_files(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *whole = path_in(contract_folder(), "whole.db");
  make_file(whole);
  bytes all = read_bytes(whole);
  static const size_t parts[] = {2, 3, 10, 100};
  for (size_t i = 0; i < CONTRACT_COUNT(parts); i++) {
    kecs_options options = {.path = path_in(contract_folder(), "cut.db")};
    kecs_store *store = NULL;
    size_t len = all.len / parts[i];
    write_bytes(options.path, all.data, len);
    kecs_status status = kecs_open(&options, &store);
    if (status == KECS_OK) { /* a fault that shows later only */
      kecs_result *result = NULL;
      status = kecs_cluster_get(store, "web", &result);
      kecs_result_free(result);
      CONTRACT_OK(kecs_close(store));
    }
    CONTRACT_FAILS(status, KECS_E_CORRUPT);
    unlink(options.path);
  }
  free(all.data);
}

/* Every page in turn is overwritten: CORRUPT, sooner or later, and never a crash. */
static void damaged_pages(void **state) {
  (void)state;
  enum { PAGE = 4096 };
  if (!contract_is_file()) {
    return;
  }
  const char *folder = contract_folder();
  const char *whole = path_in(folder, "whole.db");
  kecs_options options = {.path = whole};
  kecs_store *store = NULL;
  int corrupt = 0;
  CONTRACT_OK(kecs_open(&options, &store));
  contract_parents(store);
  CONTRACT_OK(kecs_close(store));
  bytes all = read_bytes(whole);
  for (size_t page = 0; (page + 1) * PAGE <= all.len; page++) {
    const char *path = path_in(folder, "damaged.db");
    char kept[PAGE];
    memcpy(kept, all.data + page * PAGE, PAGE);
    memset(all.data + page * PAGE + (page ? 0 : 100), 0xA5, PAGE - (page ? 0 : 100)); /* the header stays */
    write_bytes(path, all.data, all.len);
    memcpy(all.data + page * PAGE, kept, PAGE);
    options.path = path;
    kecs_status status = kecs_open(&options, &store);
    for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
      kecs_result *result = NULL;
      kecs_status one = kecs_record_list(store, (kecs_kind)kind, NULL, &result);
      assert_true(one == KECS_OK || one == KECS_E_CORRUPT);
      corrupt += one == KECS_E_CORRUPT;
      kecs_result_free(result);
    }
    assert_true(status == KECS_OK || status == KECS_E_CORRUPT);
    corrupt += status == KECS_E_CORRUPT;
    kecs_close(store);
    unlink(path);
  }
  assert_true(corrupt >= 5);
  free(all.data);
}

/* A database of another program, whatever its tables: refused, not a byte of it changed. */
static void databases_of_something_else(void **state) {
  (void)state;
  static const char *const schemas[] = {
      "CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES(1,'x')",
      "CREATE TABLE tasks(id TEXT)", /* a name that we have, too */
      "CREATE TABLE clusters(a); CREATE TABLE events(b); CREATE TABLE nodes(c)",
      "CREATE TABLE customers(id); PRAGMA journal_mode=WAL; INSERT INTO customers VALUES(1)",
  };
  for (size_t i = 0; contract_is_file() && i < CONTRACT_COUNT(schemas); i++) {
    char name[16];
    snprintf(name, sizeof name, "other%zu.db", i);
    kecs_options options = {.path = path_in(contract_folder(), name)};
    run_sql(options.path, schemas[i]);
    refuse_untouched(&options, KECS_E_CORRUPT, name);
    CONTRACT_SAYS("something else");
    options.must_exist = true;
    refuse_untouched(&options, KECS_E_CORRUPT, name);
  }
}

/* Another program's database that happens to have a table schema_version of its own. */
static void a_schema_version_that_is_not_ours(void **state) {
  (void)state;
  static const char *const schemas[] = {
      ("CREATE TABLE schema_version(version INTEGER, applied_at TEXT); CREATE TABLE hosts(ip TEXT);"
       "INSERT INTO schema_version VALUES(1,'x')"),
      "CREATE TABLE schema_version(version TEXT); INSERT INTO schema_version VALUES('one')",
      "CREATE TABLE schema_version(something TEXT)",
  };
  for (size_t i = 0; contract_is_file() && i < CONTRACT_COUNT(schemas); i++) {
    char name[16];
    snprintf(name, sizeof name, "other%zu.db", i);
    kecs_options options = {.path = path_in(contract_folder(), name), .read_only = true};
    run_sql(options.path, schemas[i]);
    kecs_store *store = NULL;
    kecs_status status = kecs_open(&options, &store);
    if (status == KECS_OK) {
      kecs_close(store);
      fail_msg("schema %zu was opened", i);
    }
    options.read_only = false;
    refuse_untouched(&options, KECS_E_CORRUPT, name);
  }
}

static void a_newer_schema_is_left_alone(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *path = path_in(contract_folder(), "newer.db");
  kecs_options options = {.path = path};
  make_file(path);
  run_sql(path, "UPDATE schema_version SET version=version+1; PRAGMA wal_checkpoint(TRUNCATE)");
  refuse_untouched(&options, KECS_E_SCHEMA_NEWER, "newer");
  CONTRACT_SAYS(path);
  options.read_only = true;
  refuse_untouched(&options, KECS_E_SCHEMA_NEWER, "newer");
  static const char *const versions[] = {"1000000000", "2147483648", "4294967297", "9223372036854775807"};
  for (size_t i = 0; i < CONTRACT_COUNT(versions); i++) {
    char sql[128];
    snprintf(sql, sizeof sql, "UPDATE schema_version SET version=%s; PRAGMA wal_checkpoint(TRUNCATE)", versions[i]);
    run_sql(path, sql);
    options.read_only = true;
    refuse_untouched(&options, KECS_E_SCHEMA_NEWER, "newer");
    options.read_only = false;
    refuse_untouched(&options, KECS_E_SCHEMA_NEWER, "newer");
  }
  run_sql(path, "UPDATE schema_version SET version=1; PRAGMA wal_checkpoint(TRUNCATE)");
  kecs_store *store = NULL;
  CONTRACT_OK(kecs_open(&options, &store));
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), 1);
  CONTRACT_OK(kecs_close(store));
}

static void a_missing_column_is_named(void **state) {
  (void)state;
  static const struct {
    const char *sql;
    const char *table;
    const char *column;
  } cases[] = {
      {"ALTER TABLE clusters DROP COLUMN localstack_state", "clusters", "localstack_state"},
      {"ALTER TABLE node_tasks DROP COLUMN error", "node_tasks", "error"},
      {"ALTER TABLE resource_tags RENAME COLUMN created_at TO made_at", "resource_tags", "created_at"},
      {"DROP TABLE task_logs", "task_logs", "task_logs"},
  };
  for (size_t i = 0; contract_is_file() && i < CONTRACT_COUNT(cases); i++) {
    char name[16];
    snprintf(name, sizeof name, "lacks%zu.db", i);
    const char *path = path_in(contract_folder(), name);
    kecs_options options = {.path = path};
    make_file(path);
    run_sql(path, cases[i].sql);
    run_sql(path, "PRAGMA wal_checkpoint(TRUNCATE)");
    refuse_untouched(&options, KECS_E_CORRUPT, cases[i].column);
    CONTRACT_SAYS(cases[i].table);
  }
}

/* ---- two at once ---- */

static void open_in_child(const char *path, int start) {
  char byte;
  kecs_options options = {.path = path};
  kecs_store *store = NULL;
  kecs_cluster cluster = {0};
  char name[32];
  snprintf(name, sizeof name, "p%d", (int)getpid());
  cluster.name = name;
  if (read(start, &byte, 1) < 0) { /* all wait for one end of file */
    _exit(9);
  }
  if (kecs_open(&options, &store)) {
    fprintf(stderr, "open: %s\n", kecs_last_error()->text);
    _exit(1);
  }
  if (kecs_cluster_create(store, &cluster, NULL)) {
    fprintf(stderr, "create: %s\n", kecs_last_error()->text);
    _exit(2);
  }
  _exit(kecs_close(store) ? 3 : 0);
}

static void processes_open_a_fresh_file_at_once(void **state) {
  (void)state;
  enum { ROUNDS = 20, PROCESSES = 2 };
  const char *folder = contract_folder();
  for (int round = 0; contract_is_file() && round < ROUNDS; round++) {
    char name[32];
    int start[2];
    pid_t children[PROCESSES];
    snprintf(name, sizeof name, "fresh%d.db", round);
    const char *path = path_in(folder, name);
    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < PROCESSES; i++) {
      children[i] = fork();
      assert_true(children[i] >= 0);
      if (children[i] == 0) {
        close(start[1]);
        open_in_child(path, start[0]);
      }
    }
    close(start[0]);
    close(start[1]);
    for (int i = 0; i < PROCESSES; i++) {
      int status = -1;
      assert_int_equal(waitpid(children[i], &status, 0), children[i]);
      assert_true(WIFEXITED(status));
      CONTRACT_NUMBER(WEXITSTATUS(status), 0);
    }
    kecs_options options = {.path = path, .must_exist = true};
    kecs_store *store = NULL;
    CONTRACT_OK(kecs_open(&options, &store));
    CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_CLUSTER), PROCESSES);
    CONTRACT_OK(kecs_close(store));
  }
}

/* The migration ran once, though two ran for it. */
static void the_schema_is_recorded_once(void **state) {
  (void)state;
  if (!contract_is_file()) {
    return;
  }
  const char *path = path_in(contract_folder(), "store.db");
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  for (int i = 0; i < 3; i++) {
    kecs_options options = {.path = path};
    kecs_store *store = NULL;
    CONTRACT_OK(kecs_open(&options, &store));
    CONTRACT_OK(kecs_close(store));
  }
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  static const char sql[] = "SELECT count(*), count(DISTINCT version) FROM schema_version";
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  CONTRACT_NUMBER(sqlite3_column_int(statement, 0), sqlite3_column_int(statement, 1));
  sqlite3_finalize(statement);
  assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  CONTRACT_TEXT((const char *)sqlite3_column_text(statement, 0), "ok");
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(a_file_is_made_with_its_schema),
    CONTRACT_TEST(memory_is_empty_each_time),
    CONTRACT_TEST(paths_that_do_not_do),
    CONTRACT_TEST(permissions),
    CONTRACT_TEST(a_log_in_a_directory_that_is_read_only),
    CONTRACT_TEST(symbolic_links),
    CONTRACT_TEST(options_are_checked),
    CONTRACT_TEST(options_that_are_half),
    CONTRACT_TEST(options_of_every_size_work),
    CONTRACT_TEST(texts_of_options_are_copied),
    CONTRACT_TEST(the_log_hears_of_the_migration),
    CONTRACT_TEST(reopening_sees_everything),
    CONTRACT_TEST(a_copy_with_its_log_is_whole),
    CONTRACT_TEST(a_read_only_file_system_of_one_file),
    CONTRACT_TEST(files_that_are_no_database),
    CONTRACT_TEST(an_empty_file_becomes_a_store),
    CONTRACT_TEST(truncated_files),
    CONTRACT_TEST(damaged_pages),
    CONTRACT_TEST(databases_of_something_else),
    CONTRACT_TEST(a_schema_version_that_is_not_ours),
    CONTRACT_TEST(a_newer_schema_is_left_alone),
    CONTRACT_TEST(a_missing_column_is_named),
    CONTRACT_TEST(processes_open_a_fresh_file_at_once),
    CONTRACT_TEST(the_schema_is_recorded_once),
};

CONTRACT_MAIN("lifecycle", tests)
