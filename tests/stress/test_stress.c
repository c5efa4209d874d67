/* test_stress.c -- everything at once for KECS_STRESS_SECONDS (20): threads that write whatever comes into their heads,
 * another process that does the same on the same file, watches, an informer, compaction, the row cache. At the end
 * every promise is looked at: the log has no gap; what was told makes up the tables; history agrees with what was told;
 * nothing that was acknowledged is lost; no number was given twice; the file is sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kecs_store.h"

enum { WRITERS = 3, CLUSTERS = 3, SERVICES = 8, TASKS = 12, NAME_MAX_BYTES = 200, LOG_MAX = 4000000, SAMPLES = 4000 };

static char folder[200];
static char path[260];
static const char *self;
static int stop;
static int broken; /* a thread has seen what must not be */

static void wrong(const char *what, const char *more) {
  fprintf(stderr, "stress: %s (%s)\n", what, more ? more : "");
  __atomic_store_n(&broken, 1, __ATOMIC_SEQ_CST);
}

enum { STOP_WRITERS = 1, STOP_READERS = 2 };

static bool stopped(int whom) {
  return __atomic_load_n(&stop, __ATOMIC_SEQ_CST) >= whom;
}

static int seconds(void) {
  const char *text = getenv("KECS_STRESS_SECONDS");
  int number = text && text[0] ? atoi(text) : 20;
  return number > 0 ? number : 20;
}

static kecs_store *open_store(const char *actor) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = path;
  options.track = KECS_TRACK_ON;
  options.history.track = KECS_TRACK_ON;
  options.history.rows_max = -1;
  options.history.age_us = -1;
  options.actor = actor;
  options.busy_timeout_ms = 120000;
  if (kecs_open(&options, &store)) {
    wrong("open", kecs_last_error()->text);
    exit(1);
  }
  return store;
}

/* ---- writers ---- */

typedef struct writer {
  kecs_store *store;
  char name[16];
  uint64_t seed;
  int64_t acknowledged; /* the port of its own node, as it was last told to be stored */
  int64_t writes;
  FILE *revisions; /* that it was given */
} writer;

static unsigned chance(writer *one, unsigned most) {
  one->seed = one->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (unsigned)(one->seed >> 33) % most;
}

/* What may well happen when others write the same rows. */
static kecs_status expected(writer *one, kecs_status status) {
  bool fine = status == KECS_OK || status == KECS_E_NOT_FOUND || status == KECS_E_EXISTS ||
              status == KECS_E_REFERENCE || status == KECS_E_CONFLICT;
  if (!fine) {
    wrong(one->name, kecs_last_error()->text);
  }
  return status;
}

static void write_service(writer *one, kecs_store *store) {
  char cluster[16];
  char name[16];
  char extra[64];
  snprintf(cluster, sizeof cluster, "c%u", chance(one, CLUSTERS));
  snprintf(name, sizeof name, "s%u", chance(one, SERVICES));
  snprintf(extra, sizeof extra, "{\"turn\":%u}", chance(one, 1000));
  kecs_service service = {0};
  service.cluster_arn = cluster;
  service.name = name;
  service.desired_count = (int64_t)chance(one, 100);
  service.extra = chance(one, 3) ? extra : NULL;
  if (chance(one, 6) == 0) {
    (void)expected(one, kecs_service_delete(store, cluster, name));
  } else {
    (void)expected(one, kecs_service_upsert(store, &service, NULL));
  }
}

static void write_task(writer *one, kecs_store *store) {
  char cluster[16];
  char id[16];
  snprintf(cluster, sizeof cluster, "c%u", chance(one, CLUSTERS));
  snprintf(id, sizeof id, "t%u", chance(one, TASKS));
  kecs_task task = {0};
  task.cluster_arn = cluster;
  task.id = id;
  task.last_status = chance(one, 2) ? "RUNNING" : "PENDING";
  task.cpu = chance(one, 2) ? "256" : NULL;
  unsigned what = chance(one, 5);
  if (what == 0) {
    (void)expected(one, kecs_task_delete(store, cluster, id));
  } else if (what == 1) {
    (void)expected(one, kecs_task_create(store, &task, NULL));
  } else {
    (void)expected(one, kecs_task_upsert(store, &task, NULL));
  }
}

static void write_cluster(writer *one, kecs_store *store) {
  char name[16];
  snprintf(name, sizeof name, "c%u", chance(one, CLUSTERS));
  kecs_cluster cluster = {0};
  cluster.name = name;
  if (chance(one, 8) == 0) {
    (void)expected(one, kecs_cluster_delete(store, name));
  } else {
    (void)expected(one, kecs_cluster_upsert(store, &cluster, NULL));
  }
}

/* Revisions of one family, of which the newest is deleted now and then. */
static void write_definition(writer *one, kecs_store *store) {
  kecs_result *result = NULL;
  kecs_task_definition definition = {0};
  definition.family = "shared";
  definition.container_definitions = "[{\"name\":\"web\",\"image\":\"web\"}]";
  if (expected(one, kecs_task_definition_register(store, &definition, &result)) || !result) {
    return;
  }
  const kecs_task_definition *made = kecs_task_definition_at(result, 0);
  fprintf(one->revisions, "%lld\n", (long long)made->revision);
  if (chance(one, 2)) {
    (void)expected(one, kecs_record_delete(store, KECS_KIND_TASK_DEFINITION, made->arn));
  }
  kecs_result_free(result);
}

/* Its own node goes up by one with each write, and is read back at once, from the row cache where that has it. */
static void write_node(writer *one) {
  kecs_result *result = NULL;
  kecs_node node = {0};
  node.id = one->name;
  node.hostname = one->name;
  node.port = one->acknowledged + 1;
  if (expected(one, kecs_node_upsert(one->store, &node, NULL))) {
    wrong("a node was not written", one->name);
    return;
  }
  one->acknowledged++;
  if (kecs_node_get(one->store, one->name, &result) || kecs_node_at(result, 0)->port != one->acknowledged) {
    wrong("a write was not read back", one->name);
  }
  kecs_result_free(result);
}

/* Several writes in one transaction, every third of which is undone. */
static void write_together(writer *one) {
  kecs_store *tx = NULL;
  if (expected(one, kecs_begin(one->store, &tx))) {
    return;
  }
  (void)kecs_set_actor(tx, one->name, "together");
  for (unsigned i = 0; i < 4; i++) {
    if (chance(one, 2)) {
      write_service(one, tx);
    } else {
      write_task(one, tx);
    }
  }
  (void)expected(one, chance(one, 3) == 0 ? kecs_rollback(tx) : kecs_commit(tx));
}

static void write_something(writer *one) {
  unsigned what = chance(one, 20);
  if (what < 7) {
    write_service(one, one->store);
  } else if (what < 12) {
    write_task(one, one->store);
  } else if (what < 13) {
    write_cluster(one, one->store);
  } else if (what < 14) {
    write_definition(one, one->store);
  } else if (what < 16) {
    write_together(one);
  } else {
    write_node(one);
  }
  one->writes++;
}

static void writer_open(writer *one, kecs_store *store, const char *prefix, int number) {
  char file[300];
  memset(one, 0, sizeof *one);
  one->store = store;
  snprintf(one->name, sizeof one->name, "%s%d", prefix, number);
  one->seed = (uint64_t)time(NULL) * 1000 + (uint64_t)number + (uint64_t)prefix[0] * 77;
  snprintf(file, sizeof file, "%s/revisions-%s", folder, one->name);
  one->revisions = fopen(file, "w");
  if (!one->revisions) {
    wrong("no file for revisions", file);
    exit(1);
  }
}

static void *writer_thread(void *user) {
  writer *one = user;
  while (!stopped(STOP_WRITERS)) {
    write_something(one);
  }
  return NULL;
}

/* The other process: says at the end what was acknowledged. */
static int write_alone(const char *where, int number) {
  writer one;
  snprintf(folder, sizeof folder, "%s", where);
  snprintf(path, sizeof path, "%s/stress.db", where);
  kecs_store *store = open_store("process");
  writer_open(&one, store, "p", number);
  time_t until = time(NULL) + seconds();
  while (time(NULL) < until) {
    write_something(&one);
  }
  fclose(one.revisions);
  char file[300];
  snprintf(file, sizeof file, "%s/acknowledged", folder);
  FILE *out = fopen(file, "w");
  if (out) {
    fprintf(out, "%lld\n", (long long)one.acknowledged);
    fclose(out);
  }
  return kecs_close(store) || broken || !out ? 1 : 0;
}

/* ---- what was told ---- */

typedef struct told {
  int64_t seq;
  kecs_kind kind;
  kecs_change_op op;
  size_t slot;   /* of the row in the model */
  uint64_t old;  /* the row before, 0: there was none */
} told;

typedef struct entry {
  char *key; /* NULL: free */
  kecs_kind kind;
  uint64_t now;     /* 0: it is not there */
  uint64_t exact;   /* as the last change left it; 0: it was changed again before it was read */
  int64_t version;  /* after the last change, by counting */
  uint64_t counted; /* in the table, at the end */
} entry;

/* Rows by kind and key; a watch or an informer keeps one. */
typedef struct model {
  entry *entries;
  size_t size;
  size_t used;
} model;

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < len; i++) {
    hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
  }
  return hash;
}

static uint64_t hash_row(const kecs_kind_info *info, const void *row) {
  uint64_t hash = UINT64_C(0xCBF29CE484222325);
  char text[2048];
  for (int i = 0; row && i < info->column_count; i++) {
    bool set = kecs_record_text(info, row, i, text, sizeof text, NULL);
    hash = hash_bytes(hash, set ? "=" : "-", 1);
    hash = set ? hash_bytes(hash, text, strlen(text)) : hash;
  }
  return row ? hash | 1 : 0;
}

static size_t model_slot(model *one, kecs_kind kind, const char *key) {
  if (one->used * 2 >= one->size) {
    model larger = {calloc(one->size ? one->size * 2 : 1024, sizeof(entry)), one->size ? one->size * 2 : 1024, 0};
    if (!larger.entries || one->size > 0) {
      wrong("the model is full: more rows than were thought of", key);
      exit(1);
    }
    *one = larger;
  }
  size_t at = (size_t)hash_bytes((uint64_t)kind + 7, key, strlen(key)) & (one->size - 1);
  while (one->entries[at].key && (one->entries[at].kind != kind || strcmp(one->entries[at].key, key) != 0)) {
    at = (at + 1) & (one->size - 1);
  }
  if (!one->entries[at].key) {
    one->entries[at].key = strdup(key);
    one->entries[at].kind = kind;
    one->used++;
  }
  return at;
}

static void model_init(model *one, size_t size) {
  one->entries = calloc(size, sizeof(entry));
  one->size = size;
  one->used = 0;
}

static void model_free(model *one) {
  for (size_t i = 0; i < one->size; i++) {
    free(one->entries[i].key);
  }
  free(one->entries);
}

typedef struct watcher {
  kecs_store *store;
  kecs_watch *watch;
  model rows;
  told *log;
  size_t count;
  int64_t seq; /* told up to here; by other threads */
} watcher;

static int64_t version_of(const kecs_kind_info *info, const void *row) {
  int column = kecs_column_find(info, "version");
  char text[32] = "";
  bool set = row && column >= 0 && kecs_record_text(info, row, column, text, sizeof text, NULL);
  return set ? atoll(text) : 0;
}

/* Each change makes a version more, and what it left is what the next one found. */
static void watcher_compare(entry *row, const kecs_kind_info *info, const kecs_change *change) {
  bool counts = kecs_column_find(info, "version") >= 0;
  if (change->old_row && counts && version_of(info, change->old_row) != row->version) {
    wrong("an old row is not the version before", change->key);
  }
  if (change->old_row && row->exact && hash_row(info, change->old_row) != row->exact) {
    wrong("an old row is not what the change before had left", change->key);
  }
  row->version = change->op == KECS_CHANGE_CREATED ? 1 : row->version + 1;
  row->exact = counts && version_of(info, change->row) == row->version ? hash_row(info, change->row) : 0;
}

static void watcher_take(watcher *one, const kecs_change *change) {
  if (change->seq != one->seq + 1) {
    wrong("the log has a gap, or went back", change->key);
  }
  const kecs_kind_info *info = kecs_kind_describe(change->kind);
  size_t slot = model_slot(&one->rows, change->kind, change->key);
  one->rows.entries[slot].now = hash_row(info, change->row);
  watcher_compare(&one->rows.entries[slot], info, change);
  if (one->count < LOG_MAX) {
    told *entry_of = &one->log[one->count++];
    *entry_of = (told){change->seq, change->kind, change->op, slot, hash_row(info, change->old_row)};
  }
  bool created = change->op == KECS_CHANGE_CREATED;
  if (created == (change->old_row != NULL)) {
    wrong("an old row where there was none, or none where there was one", change->key);
  }
  __atomic_store_n(&one->seq, change->seq, __ATOMIC_SEQ_CST);
}

/* Until it has told everything that there is after the others have stopped. */
static void *watcher_thread(void *user) {
  watcher *one = user;
  const kecs_change *change = NULL;
  for (;;) {
    bool last = stopped(STOP_READERS);
    if (kecs_watch_next(one->watch, last ? 200 : 50, &change)) {
      wrong("watch", kecs_last_error()->text);
      return NULL;
    }
    if (change) {
      watcher_take(one, change);
    } else if (last) {
      return NULL;
    }
  }
}

/* ---- informer ---- */

static kecs_status informer_set(const void *row, void *user) {
  const kecs_service *service = row;
  model *rows = user;
  rows->entries[model_slot(rows, KECS_KIND_SERVICE, service->arn)].now =
      hash_row(kecs_kind_describe(KECS_KIND_SERVICE), row);
  return KECS_OK;
}

static kecs_status informer_remove(kecs_kind kind, const char *key, void *user) {
  model *rows = user;
  rows->entries[model_slot(rows, kind, key)].now = 0;
  return KECS_OK;
}

static kecs_status informer_reset(void *user) {
  model *rows = user;
  for (size_t i = 0; i < rows->size; i++) {
    rows->entries[i].now = 0;
  }
  return KECS_OK;
}

typedef struct informed {
  kecs_store *store;
  model rows;
} informed;

static void *informer_thread(void *user) {
  informed *one = user;
  const kecs_informer informer = {informer_set, informer_remove, informer_reset, NULL, &one->rows};
  bool last = false;
  while (!last) {
    last = stopped(STOP_READERS);
    if (kecs_informer_run(one->store, KECS_KIND_SERVICE, NULL, 0, 300, &informer)) {
      wrong("informer", kecs_last_error()->text);
      return NULL;
    }
  }
  return NULL;
}

/* Removes what the watch has told; the informer lists anew when that was too much for it. */
static void *compactor_thread(void *user) {
  watcher *one = user;
  while (!stopped(STOP_WRITERS)) {
    kecs_compaction what = {0};
    what.upto_seq = __atomic_load_n(&one->seq, __ATOMIC_SEQ_CST) - 50;
    what.tombstones_us = -1;
    if (what.upto_seq > 0 && kecs_changes_compact(one->store, &what, NULL)) {
      wrong("compact", kecs_last_error()->text);
    }
    nanosleep(&(struct timespec){0, 100000000}, NULL);
  }
  return NULL;
}

/* ---- the end ---- */

typedef struct counting {
  model *rows;
  const kecs_kind_info *info;
  int64_t count;
} counting;

static void key_of(const kecs_kind_info *info, const void *row, char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (int i = 0; i < info->keys[0].count; i++) {
    char part[NAME_MAX_BYTES];
    (void)kecs_record_text(info, row, info->keys[0].columns[i], part, sizeof part, NULL);
    used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "," : "", part);
  }
}

static kecs_status count_row(const void *row, void *user) {
  counting *one = user;
  char key[NAME_MAX_BYTES * 4];
  key_of(one->info, row, key, sizeof key);
  one->rows->entries[model_slot(one->rows, one->info->kind, key)].counted = hash_row(one->info, row);
  one->count++;
  return KECS_OK;
}

/* The model is the tables, of one kind or of all. */
static void check_model(kecs_store *store, model *rows, kecs_kind only) {
  int64_t total = 0;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    counting one = {rows, kecs_kind_describe((kecs_kind)kind), 0};
    if (only && (int)only != kind) {
      continue;
    }
    assert_int_equal(kecs_record_each(store, one.info->kind, NULL, count_row, &one), KECS_OK);
    total += one.count;
  }
  for (size_t i = 0; i < rows->size; i++) {
    if (rows->entries[i].key && rows->entries[i].now != rows->entries[i].counted) {
      fail_msg("%s \"%s\" is not as it was told", kecs_kind_describe(rows->entries[i].kind)->name,
               rows->entries[i].key);
    }
  }
  assert_true(total > 0);
}

static uint64_t hash_at(kecs_store *store, kecs_kind kind, const char *key, int64_t seq) {
  kecs_result *result = NULL;
  kecs_status status = kecs_get_at(store, kind, key, seq, 0, &result);
  if (status && status != KECS_E_NOT_FOUND) {
    fail_msg("%s as of %lld: %s", key, (long long)seq, kecs_last_error()->text);
  }
  uint64_t hash = status ? 0 : hash_row(kecs_kind_describe(kind), kecs_record_at(result, kind, 0));
  kecs_result_free(result);
  return hash;
}

/* What the watch told as the row before a change is the row as of the change before, and of the last change of that row
 * before. */
static void check_history(kecs_store *store, const watcher *one) {
  size_t step = one->count / SAMPLES + 1;
  for (size_t i = 0; i < one->count; i += step) {
    const told *change = &one->log[i];
    const char *key = one->rows.entries[change->slot].key;
    if (hash_at(store, change->kind, key, change->seq - 1) != change->old) {
      fail_msg("%s before %lld is not as the watch told it", key, (long long)change->seq);
    }
    for (size_t next = i + 1; next < one->count && next < i + 2000; next++) {
      if (one->log[next].slot == change->slot) {
        uint64_t after = hash_at(store, change->kind, key, change->seq);
        if (after != one->log[next].old || (change->op == KECS_CHANGE_DELETED) != (after == 0)) {
          fail_msg("%s after %lld is not as the watch told it", key, (long long)change->seq);
        }
        break;
      }
    }
  }
}

static void check_acknowledged(kecs_store *store, const char *name, int64_t port) {
  kecs_result *result = NULL;
  if (port > 0) {
    assert_int_equal(kecs_node_get(store, name, &result), KECS_OK);
    assert_int_equal(kecs_node_at(result, 0)->port, port);
    kecs_result_free(result);
  }
}

static int compare_numbers(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a;
  int64_t right = *(const int64_t *)b;
  return left < right ? -1 : left > right ? 1 : 0;
}

static void check_revisions(void) {
  static int64_t given[1000000];
  size_t count = 0;
  DIR *listing = opendir(folder);
  struct dirent *file;
  assert_non_null(listing);
  while ((file = readdir(listing)) != NULL) {
    char name[600];
    char line[64];
    snprintf(name, sizeof name, "%s/%s", folder, file->d_name);
    FILE *in = strncmp(file->d_name, "revisions-", 10) == 0 ? fopen(name, "r") : NULL;
    while (in && count < sizeof given / sizeof given[0] && fgets(line, sizeof line, in)) {
      given[count++] = atoll(line);
    }
    if (in) {
      fclose(in);
    }
  }
  closedir(listing);
  qsort(given, count, sizeof given[0], compare_numbers);
  for (size_t i = 1; i < count; i++) {
    if (given[i] == given[i - 1]) {
      fail_msg("revision %lld was given twice", (long long)given[i]);
    }
  }
  assert_true(count > 0);
}

static int64_t ask_sqlite(const char *sql, char *out, size_t size) {
  sqlite3 *db = NULL;
  sqlite3_stmt *handle = NULL;
  int64_t rows = 0;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &handle, NULL), SQLITE_OK);
  while (sqlite3_step(handle) == SQLITE_ROW) {
    rows++;
    snprintf(out, size, "%s", (const char *)sqlite3_column_text(handle, 0));
  }
  sqlite3_finalize(handle);
  sqlite3_close(db);
  return rows;
}

static void check_file(void) {
  char text[200] = "";
  assert_int_equal(ask_sqlite("PRAGMA integrity_check", text, sizeof text), 1);
  assert_string_equal(text, "ok");
  assert_int_equal(ask_sqlite("PRAGMA foreign_key_check", text, sizeof text), 0);
  /* Every entry of the log has its row before, and no two have one number. */
  char sql[200];
  snprintf(sql, sizeof sql,
           "SELECT seq FROM changes WHERE kind NOT IN(0,%d,%d) AND seq NOT IN(SELECT seq FROM history)",
           (int)KECS_KIND_TASK_LOG, (int)KECS_KIND_EVENT);
  assert_int_equal(ask_sqlite(sql, text, sizeof text), 0);
}

static pid_t start_process(void) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    execl(self, self, "--write", folder, "1", (char *)NULL);
    _exit(127);
  }
  return child;
}

static int64_t end_process(pid_t child) {
  int status = -1;
  char file[300];
  long long acknowledged = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  snprintf(file, sizeof file, "%s/acknowledged", folder);
  FILE *in = fopen(file, "r");
  assert_non_null(in);
  assert_int_equal(fscanf(in, "%lld", &acknowledged), 1);
  fclose(in);
  return acknowledged;
}

static void run_threads(kecs_store *store, writer *writers, watcher *all, informed *services) {
  pthread_t threads[WRITERS + 3];
  for (int i = 0; i < WRITERS; i++) {
    writer_open(&writers[i], store, "w", i);
    assert_int_equal(pthread_create(&threads[i], NULL, writer_thread, &writers[i]), 0);
  }
  assert_int_equal(pthread_create(&threads[WRITERS], NULL, watcher_thread, all), 0);
  assert_int_equal(pthread_create(&threads[WRITERS + 1], NULL, informer_thread, services), 0);
  assert_int_equal(pthread_create(&threads[WRITERS + 2], NULL, compactor_thread, all), 0);
  pid_t child = start_process();
  int64_t theirs = end_process(child);
  __atomic_store_n(&stop, STOP_WRITERS, __ATOMIC_SEQ_CST);
  for (int i = 0; i < WRITERS; i++) {
    pthread_join(threads[i], NULL);
  }
  __atomic_store_n(&stop, STOP_READERS, __ATOMIC_SEQ_CST); /* who watches sees the last write */
  for (int i = WRITERS; i < WRITERS + 3; i++) {
    pthread_join(threads[i], NULL);
  }
  check_acknowledged(store, "p1", theirs);
}

static void promises_hold(void **state) {
  (void)state;
  writer writers[WRITERS];
  kecs_store *store = open_store("thread");
  watcher all = {0};
  informed services = {0};
  kecs_watch_options options = {0};
  kecs_changes_info info;
  options.rows = true;
  options.old_rows = true;
  all.store = store;
  all.log = calloc(LOG_MAX, sizeof *all.log);
  model_init(&all.rows, (size_t)1 << 20);
  model_init(&services.rows, 4096);
  services.store = store;
  assert_non_null(all.log);
  assert_int_equal(kecs_watch_open(store, &options, &all.watch), KECS_OK);
  all.seq = kecs_watch_seq(all.watch);
  run_threads(store, writers, &all, &services);
  assert_int_equal(broken, 0);
  assert_int_equal(kecs_changes_describe(store, &info), KECS_OK);
  assert_int_equal(all.seq, info.last_seq);
  check_model(store, &all.rows, (kecs_kind)0);
  check_model(store, &services.rows, KECS_KIND_SERVICE);
  check_history(store, &all);
  int64_t writes = 0;
  for (int i = 0; i < WRITERS; i++) {
    fclose(writers[i].revisions);
    check_acknowledged(store, writers[i].name, writers[i].acknowledged);
    writes += writers[i].writes;
  }
  check_revisions();
  printf("# %d s: %lld writes by threads, %lld changes told\n", seconds(), (long long)writes, (long long)all.count);
  kecs_watch_close(all.watch);
  assert_int_equal(kecs_close(store), KECS_OK);
  check_file();
  model_free(&all.rows);
  model_free(&services.rows);
  free(all.log);
}

static int make_folder(void **state) {
  (void)state;
  const char *root = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.150s/kecs_stress_XXXXXX", root && root[0] ? root : "/tmp");
  if (!mkdtemp(folder)) {
    return -1;
  }
  snprintf(path, sizeof path, "%s/stress.db", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  DIR *listing = opendir(folder);
  struct dirent *file;
  while (listing && (file = readdir(listing)) != NULL) {
    char name[600];
    snprintf(name, sizeof name, "%s/%s", folder, file->d_name);
    unlink(name);
  }
  if (listing) {
    closedir(listing);
  }
  return rmdir(folder);
}

int main(int argc, char **argv) {
  self = argv[0];
  if (argc == 4 && strcmp(argv[1], "--write") == 0) {
    return write_alone(argv[2], atoi(argv[3]));
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(promises_hold, make_folder, remove_folder)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
