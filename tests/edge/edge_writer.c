/* edge_writer.c -- what the edge profile costs: bytes that reach a block device, and memory.
 *
 *   edge_writer disk FOLDER DEVICE IDLE_SECONDS   FOLDER lies on the block device DEVICE ("loop3"), and nothing else
 * does edge_writer heap FOLDER
 *
 * Prints "ok NAME (figures)" and "not ok NAME reason" lines. tests/edge/test_edge.py runs it. */
#include "kecs_store.h"

#include <sqlite3.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 500, BATCH = 100, BATCHES = 20, SINGLE = 100, PATH = 1024, SECTOR = 512 };
enum { BYTES_MOST = 4096, HEAP_MOST = 512 * 1024 };

static const char *device;

static void die(const char *what, const char *why) {
  printf("not ok edge %s: %s\n", what, why);
  exit(1);
}

static void must(kecs_status status, const char *what) {
  if (status) {
    die(what, kecs_last_error()->text);
  }
}

static void judge(bool good, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void judge(bool good, const char *name, const char *format, ...) {
  va_list args;
  va_start(args, format);
  printf(good ? "ok %s (" : "not ok %s ", name);
  vprintf(format, args);
  printf(good ? ")\n" : "\n");
  va_end(args);
}

/* ---- the device ---- */

/* Bytes that the device was told to write since it is there, all caches emptied. */
static int64_t device_bytes(void) {
  char path[PATH];
  long long fields[7] = {0};
  sync();
  snprintf(path, sizeof path, "/sys/block/%s/stat", device);
  FILE *file = fopen(path, "r");
  if (!file) {
    die("device", path);
  }
  for (int i = 0; i < 7; i++) {
    if (fscanf(file, "%lld", &fields[i]) != 1) {
      die("device", path);
    }
  }
  (void)fclose(file);
  return (int64_t)fields[6] * SECTOR;
}

/* ---- the store ---- */

static void task_id(char id[33], int number) {
  snprintf(id, 33, "%032x", (unsigned)number * 2654435761U);
}

static kecs_store *open_filled(const char *path, const kecs_allocator *allocator) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  options.path = path;
  options.profile = KECS_PROFILE_EDGE;
  if (allocator) {
    options.allocator = *allocator;
  }
  must(kecs_open(&options, &store), "open");
  kecs_cluster cluster = {.name = "edge"};
  kecs_task_definition definition = {.family = "web",
                                     .container_definitions = "[{\"name\":\"web\",\"image\":\"web:1\"}]"};
  kecs_node node = {.id = "node", .hostname = "node", .status = "online"};
  must(kecs_cluster_create(store, &cluster, NULL), "cluster");
  must(kecs_task_definition_register(store, &definition, NULL), "definition");
  must(kecs_node_create(store, &node, NULL), "node");
  for (int i = 0; i < TASKS; i++) {
    char id[33];
    task_id(id, i);
    kecs_task task = {.id = id, .cluster_arn = "edge", .task_definition_arn = "web:1", .last_status = "PENDING"};
    task.containers =
        "[{\"name\":\"web\",\"lastStatus\":\"PENDING\",\"networkInterfaces\":[{\"attachmentId\":\"a\"}]}]";
    task.overrides = "{\"containerOverrides\":[{\"name\":\"web\",\"environment\":[{\"name\":\"A\",\"value\":\"B\"}]}]}";
    task.desired_status = "RUNNING";
    task.launch_type = "EC2";
    task.started_by = "ecs-svc/0123456789012345678";
    task.task_group = "service:web";
    must(kecs_task_create(store, &task, NULL), "task");
  }
  return store;
}

static void status_of(char status[24], int round) {
  snprintf(status, 24, "STATUS-%d", round);
}

static void update_batch(kecs_store *store, int batch) {
  kecs_store *tx = NULL;
  char status[24];
  status_of(status, batch);
  must(kecs_begin(store, &tx), "begin");
  for (int i = 0; i < BATCH; i++) {
    char id[33];
    task_id(id, (batch * BATCH + i) % TASKS);
    kecs_task task = {.id = id, .cluster_arn = "edge", .last_status = status};
    must(kecs_task_update_fields(tx, &task, KECS_BIT(KECS_TASK_LAST_STATUS), NULL), "update");
  }
  must(kecs_commit(tx), "commit");
}

/* ---- the same by hand, as programs do that never thought of it: a rollback journal, six indexes, each by itself ----
 */

static void by_hand(sqlite3 *db, const char *sql) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
    die("by hand", sqlite3_errmsg(db));
  }
}

static sqlite3 *open_by_hand(const char *path, const char *ours) {
  char sql[PATH + 64];
  sqlite3 *db = NULL;
  if (sqlite3_open(path, &db) != SQLITE_OK) {
    die("by hand", sqlite3_errmsg(db));
  }
  snprintf(sql, sizeof sql, "ATTACH '%s' AS ours", ours);
  by_hand(db, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL");
  by_hand(db, sql);
  by_hand(db,
          "CREATE TABLE tasks AS SELECT * FROM ours.tasks; CREATE UNIQUE INDEX k ON tasks(arn);"
          "CREATE INDEX i1 ON tasks(cluster_arn,last_status,created_at); CREATE INDEX i2 ON tasks(last_status);"
          "CREATE INDEX i3 ON tasks(desired_status,last_status); CREATE INDEX i4 ON tasks(service_arn,last_status);"
          "CREATE INDEX i5 ON tasks(started_by,updated_at); CREATE INDEX i6 ON tasks(task_group,last_status);"
          "DETACH ours");
  return db;
}

static void update_by_hand(sqlite3 *db, int number) {
  sqlite3_stmt *update = NULL;
  char id[40];
  char status[24];
  id[0] = '%';
  task_id(id + 1, number % TASKS);
  status_of(status, number / TASKS + 1000);
  int rc = sqlite3_prepare_v2(
      db, "UPDATE tasks SET last_status=?1,version=version+1,updated_at=updated_at+1 WHERE id=?2", -1, &update, NULL);
  sqlite3_bind_text(update, 1, status, -1, SQLITE_STATIC);
  sqlite3_bind_text(update, 2, id + 1, -1, SQLITE_STATIC);
  rc = rc == SQLITE_OK ? sqlite3_step(update) : rc;
  if (rc != SQLITE_DONE || sqlite3_changes(db) != 1) {
    die("by hand", sqlite3_errmsg(db));
  }
  (void)sqlite3_finalize(update);
}

static int64_t bytes_by_hand(const char *folder, const char *ours) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/hand.db", folder);
  sqlite3 *db = open_by_hand(path, ours);
  int64_t before = device_bytes();
  for (int i = 0; i < SINGLE; i++) {
    update_by_hand(db, i);
  }
  int64_t bytes = (device_bytes() - before) / SINGLE;
  (void)sqlite3_close(db);
  return bytes;
}

static void test_idle(kecs_store *store, int seconds) {
  int64_t count = 0;
  must(kecs_task_count(store, NULL, &count),
       "count"); /* the first read after a write notes in the -shm how far it sees */
  int64_t before = device_bytes();
  for (int i = 0; i < seconds; i++) {
    struct timespec second = {1, 0};
    if (i < 8) { /* the stored one is not ten seconds old */
      must(kecs_node_heartbeat(store, "node", -1), "heartbeat");
    }
    must(kecs_task_count(store, NULL, &count), "count");
    (void)nanosleep(&second, NULL);
  }
  int64_t bytes = device_bytes() - before;
  judge(bytes == 0, "idle", "%lld bytes in %d s with a read each second and early heartbeats", (long long)bytes,
        seconds);
}

static void test_disk(const char *folder, int idle_seconds) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/store.db", folder);
  kecs_store *store = open_filled(path, NULL);
  int64_t before = device_bytes();
  for (int i = 0; i < BATCHES; i++) {
    update_batch(store, i);
  }
  int64_t ours = (device_bytes() - before) / (BATCH * BATCHES);
  must(kecs_node_heartbeat(store, "node", 3), "heartbeat"); /* changes the number of tasks: stored */
  must(kecs_node_heartbeat(store, "node", 3), "heartbeat");
  test_idle(store, idle_seconds);
  must(kecs_close(store), "close");
  int64_t hand = bytes_by_hand(folder, path);
  judge(ours <= BYTES_MOST, "bytes", "%lld bytes on the device for a status update in batches of %d, at most %d",
        (long long)ours, BATCH, BYTES_MOST);
  judge(ours * 10 <= hand, "tenth", "%lld bytes, %lld with a rollback journal and six indexes", (long long)ours,
        (long long)hand);
}

/* ---- memory: SQLite's and ours, counted byte by byte ---- */

typedef union head {
  size_t size;
  long double widest;
  void *pointer;
} head;

static size_t used;
static size_t most;

static void *count_alloc(size_t size) {
  head *block = malloc(sizeof *block + size);
  if (!block) {
    return NULL;
  }
  block->size = size;
  used += size;
  most = used > most ? used : most;
  return block + 1;
}

static void count_free(void *pointer) {
  if (pointer) {
    head *block = (head *)pointer - 1;
    used -= block->size;
    free(block);
  }
}

static void *count_resize(void *pointer, size_t size) {
  void *moved = count_alloc(size);
  if (moved && pointer) {
    size_t old = ((head *)pointer - 1)->size;
    memcpy(moved, pointer, old < size ? old : size);
    count_free(pointer);
  }
  return moved;
}

static void *sqlite_alloc(int size) {
  return count_alloc((size_t)size);
}
static void *sqlite_resize(void *pointer, int size) {
  return count_resize(pointer, (size_t)size);
}
static int sqlite_size(void *pointer) {
  return pointer ? (int)((head *)pointer - 1)->size : 0;
}
static int sqlite_round(int size) {
  return (size + 7) & ~7;
}
static int sqlite_begin(void *user) {
  (void)user;
  return SQLITE_OK;
}
static void sqlite_end(void *user) {
  (void)user;
}

static void *ours_alloc(size_t size, void *user) {
  (void)user;
  return count_alloc(size);
}
static void *ours_resize(void *pointer, size_t old_size, size_t size, void *user) {
  (void)old_size;
  (void)user;
  return count_resize(pointer, size);
}
static void ours_release(void *pointer, size_t size, void *user) {
  (void)size;
  (void)user;
  count_free(pointer);
}

static void test_heap(const char *folder) {
  static sqlite3_mem_methods methods = {sqlite_alloc, count_free,   sqlite_resize, sqlite_size,
                                        sqlite_round, sqlite_begin, sqlite_end,    NULL};
  static const kecs_allocator allocator = {ours_alloc, ours_resize, ours_release, NULL};
  char path[PATH];
  snprintf(path, sizeof path, "%s/heap.db", folder);
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) {
    die("heap", "SQLite takes no allocator");
  }
  kecs_store *store = open_filled(path, &allocator);
  for (int i = 0; i < BATCHES; i++) {
    kecs_result *result = NULL;
    kecs_query query = {.limit = BATCH};
    kecs_info info;
    update_batch(store, i);
    must(kecs_task_list(store, &query, &result), "list");
    kecs_result_free(result);
    must(kecs_node_heartbeat(store, "node", i), "heartbeat");
    must(kecs_store_info(store, &info), "info");
  }
  must(kecs_close(store), "close");
  judge(most <= HEAP_MOST, "heap", "%zu KiB at most, SQLite's and ours; the limit is %d KiB", most / 1024,
        HEAP_MOST / 1024);
  judge(used == 0, "heap_given_back", "%zu bytes are left after closing", used);
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 5 && strcmp(argv[1], "disk") == 0) {
    device = argv[3];
    test_disk(argv[2], atoi(argv[4]));
  } else if (argc == 3 && strcmp(argv[1], "heap") == 0) {
    test_heap(argv[2]);
  } else {
    fprintf(stderr, "edge_writer disk FOLDER DEVICE IDLE_SECONDS | edge_writer heap FOLDER\n");
    return 2;
  }
  return 0;
}
