/* run -- a tour of kecs_store on real documents: import, update with compare-and-set, filters, pages, transactions.
 *
 *   kecs-demo [DATA [DATABASE]]     examples/data and a fresh build/run/demo.db, unless they are given
 *
 * DATA is a file or a folder of AWS documents. Whatever is in it, the tour finds something to show. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1 /* scandir, clock_gettime */
#endif

#include "kecs_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REASONS_MAX = 64, REASONS_SHOWN = 12, TEXT_MAX = 400 };

/* Refused documents with the same reason. */
typedef struct reason_group {
  char text[TEXT_MAX];
  char example[TEXT_MAX];
  int64_t count;
} reason_group;

typedef struct tour {
  kecs_store *store;
  const char *file; /* being imported */
  int64_t files;
  int64_t put;
  int64_t refused;
  int64_t by_kind[KECS_KIND_COUNT];
  reason_group reasons[REASONS_MAX];
  int reason_count;
} tour;

/* Every failure that the tour does not ask for ends it. */
static void check(kecs_status status, const char *doing) {
  if (status) {
    fprintf(stderr, "kecs-demo: %s: %s\n", doing, kecs_last_error()->text);
    exit(1);
  }
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void heading(int number, const char *title, const char *about) {
  printf("\n%d. %s -- %s\n", number, title, about);
}

/* An ARN without its head: "task/shop/5a0e..." */
static const char *shorter(const char *arn) {
  const char *at = arn;
  for (int i = 0; at && i < 5; i++) {
    at = strchr(at, ':');
    at = at ? at + 1 : NULL;
  }
  return at ? at : arn;
}

/* ---- import ---- */

/* Reasons that differ only in names are one reason: what stands in quotes is left out. */
static void without_names(const char *text, char *out, size_t size) {
  size_t len = 0;
  bool quoted = false;
  for (; *text && len + 5 < size; text++) {
    if (*text == '"') {
      quoted = !quoted;
      len += (size_t)snprintf(out + len, size - len, "%s", quoted ? "\"..\"" : "");
    } else if (!quoted) {
      out[len++] = *text;
    }
  }
  out[len] = '\0';
}

static void on_note(const kecs_import_note *note, void *user) {
  tour *all = user;
  char reason[TEXT_MAX];
  char text[TEXT_MAX];
  if (!note->refused) {
    all->by_kind[note->kind]++;
    return;
  }
  without_names(note->reason, reason, sizeof reason);
  snprintf(text, sizeof text, "%.80s: %.300s", note->what, reason);
  int at = 0;
  while (at < all->reason_count && strcmp(all->reasons[at].text, text) != 0) {
    at++;
  }
  if (at == REASONS_MAX) {
    at--; /* the last group takes the rest */
  } else if (at == all->reason_count) {
    all->reason_count++;
    memcpy(all->reasons[at].text, text, sizeof text);
    snprintf(all->reasons[at].example, TEXT_MAX, "%.300s:%zu:%zu", all->file, note->line, note->column);
  }
  all->reasons[at].count++;
}

static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  *len = 0;
  for (size_t room = 0; file && !ferror(file) && !feof(file);) {
    if (room - *len < 65536) {
      room = room * 2 + 65536;
      text = realloc(text, room);
      if (!text) {
        fprintf(stderr, "kecs-demo: out of memory\n");
        exit(1);
      }
    }
    *len += fread(text + *len, 1, room - *len, file);
  }
  if (file) {
    fclose(file);
  } else {
    printf("   %s: %s\n", path, strerror(errno));
  }
  return text;
}

static void import_file(tour *all, const char *path) {
  kecs_import_options options = {0};
  size_t len = 0;
  int64_t put = 0;
  int64_t refused = 0;
  char name[256];
  char *text = read_file(path, &len);
  if (!text) {
    return;
  }
  const char *slash = strrchr(path, '/');
  snprintf(name, sizeof name, "%s", slash ? slash + 1 : path);
  name[strcspn(name, ".")] = '\0';
  all->file = path;
  options.name = name;
  options.note = on_note;
  options.user = all;
  check(kecs_import(all->store, text, len, &options, &put, &refused), path);
  all->files++;
  all->put += put;
  all->refused += refused;
  free(text);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static void import_path(tour *all, const char *path) {
  struct dirent **entries = NULL;
  struct stat about;
  if (lstat(path, &about) != 0) {
    fprintf(stderr, "kecs-demo: cannot read %s: %s\n", path, strerror(errno));
    exit(1);
  }
  const char *dot = strrchr(path, '.');
  if (!S_ISDIR(about.st_mode)) {
    if (dot && (strcmp(dot, ".json") == 0 || strcmp(dot, ".jsonl") == 0)) {
      import_file(all, path);
    }
    return;
  }
  int count = scandir(path, &entries, NULL, by_name);
  for (int i = 0; i < count; i++) {
    char inner[4096];
    int len = snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && len > 0 && (size_t)len < sizeof inner) {
      import_path(all, inner);
    }
    free(entries[i]);
  }
  free(entries);
}

static int by_count(const void *a, const void *b) {
  const reason_group *left = a;
  const reason_group *right = b;
  return left->count < right->count ? 1 : left->count > right->count ? -1 : strcmp(left->text, right->text);
}

static void show_import(tour *all, const char *data) {
  heading(1, "Import", "AWS documents, recognised by their members");
  double begun = seconds();
  import_path(all, data);
  double took = seconds() - begun;
  printf("   %lld files of %s: %lld resources stored, %lld documents refused; %.3f s, %.0f documents/s\n",
         (long long)all->files, data, (long long)all->put, (long long)all->refused, took,
         (double)(all->put + all->refused) / (took > 0 ? took : 1));
  int shown = 0;
  const char *before = "";
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    int64_t rows = 0;
    check(kecs_record_count(all->store, (kecs_kind)kind, NULL, &rows), "count");
    if (rows > 0) {
      int pad = shown % 4 == 0 ? 3 : 20 - (int)strlen(before);
      before = kecs_kind_describe((kecs_kind)kind)->name;
      printf("%s%*s%6lld %s", shown > 0 && shown % 4 == 0 ? "\n" : "", pad, "", (long long)rows, before);
      shown++;
    }
  }
  printf("\n");
  qsort(all->reasons, (size_t)all->reason_count, sizeof all->reasons[0], by_count);
  for (int i = 0; i < all->reason_count && i < REASONS_SHOWN; i++) {
    printf("   refused %lld x %.110s\n     such as %s\n", (long long)all->reasons[i].count, all->reasons[i].text,
           all->reasons[i].example);
  }
  if (all->reason_count > REASONS_SHOWN) {
    printf("   ... and %d more reasons\n", all->reason_count - REASONS_SHOWN);
  }
}

/* ---- update ---- */

/* Data without a task get one. */
static void make_task(kecs_store *store) {
  kecs_cluster cluster = {0};
  kecs_task task = {0};
  cluster.name = "demo";
  task.cluster_arn = "demo";
  task.task_definition_arn = "web:1";
  task.last_status = "RUNNING";
  check(kecs_cluster_ensure(store, &cluster, NULL, NULL), "make a cluster");
  check(kecs_task_create(store, &task, NULL), "make a task");
}

/* A running task, or any, or one that is made for the purpose. */
static kecs_result *some_task(kecs_store *store) {
  kecs_result *found = NULL;
  kecs_query query = {0};
  kecs_filter running = {0};
  running.column = KECS_TASK_LAST_STATUS;
  running.op = KECS_EQ;
  running.text = "RUNNING";
  query.where = &running;
  for (int try = 0; kecs_result_count(found) == 0; try++) {
    kecs_result_free(found);
    query.where_count = try == 0 ? 1 : 0;
    query.limit = 1;
    if (try == 2) {
      make_task(store);
    }
    check(kecs_task_list(store, &query, &found), "find a task");
  }
  return found;
}

static void show_update(kecs_store *store) {
  char told[TEXT_MAX];
  kecs_result *theirs = NULL;
  kecs_result *stored = NULL;
  heading(2, "Update", "compare-and-set by version");
  kecs_result *mine = some_task(store);
  kecs_task task = *kecs_task_at(mine, 0);
  printf("   two writers read %s: %s, version %lld\n", shorter(task.arn), task.last_status, (long long)task.version);

  kecs_task other = task;
  other.last_status = strcmp(task.last_status, "STOPPING") == 0 ? "DEPROVISIONING" : "STOPPING";
  check(kecs_task_update(store, &other, &stored), "update a task");
  printf("   one sets lastStatus %s: version %lld\n", other.last_status, (long long)kecs_task_at(stored, 0)->version);
  kecs_result_free(stored);

  task.last_status = "STOPPED";
  task.stopped_reason = "the tour is over";
  kecs_status status = kecs_task_update(store, &task, NULL);
  without_names(kecs_last_error()->text, told, sizeof told);
  printf("   the other sets STOPPED and is told %s:\n     %s\n", kecs_status_name(status), told);

  check(kecs_task_get(store, NULL, task.arn, &theirs), "read it again");
  kecs_task again = *kecs_task_at(theirs, 0);
  again.last_status = task.last_status;
  again.stopped_reason = task.stopped_reason;
  check(kecs_task_update(store, &again, &stored), "update it again");
  printf("   it reads again and repeats: %s, version %lld\n", kecs_task_at(stored, 0)->last_status,
         (long long)kecs_task_at(stored, 0)->version);
  kecs_result_free(stored);
  kecs_result_free(theirs);
  kecs_result_free(mine);
}

/* ---- queries ---- */

static void show_query(kecs_store *store) {
  kecs_result *page = NULL;
  kecs_query query = {0};
  kecs_filter where[2];
  memset(where, 0, sizeof where);
  where[0].column = KECS_TASK_DESIRED_STATUS;
  where[0].op = KECS_EQ;
  where[0].text = "RUNNING";
  where[1].column = KECS_TASK_LAST_STATUS;
  where[1].op = KECS_NE;
  where[1].text = "RUNNING";
  query.where = where;
  query.where_count = 2;
  query.limit = 5;
  heading(3, "Filter", "tasks that should run and do not");
  double begun = seconds();
  check(kecs_task_list(store, &query, &page), "list tasks");
  double took = seconds() - begun;
  for (size_t i = 0; i < kecs_result_count(page); i++) {
    const kecs_task *task = kecs_task_at(page, i);
    printf("   %-12s %-28.28s %s\n", task->last_status, task->task_group ? task->task_group : "-", shorter(task->arn));
  }
  printf("   %zu row%s%s, newest first, in %.0f microseconds\n", kecs_result_count(page),
         kecs_result_count(page) == 1 ? "" : "s", kecs_result_page_token(page) ? " (more follow)" : "", took * 1e6);
  kecs_result_free(page);
}

/* ---- pages ---- */

/* Pages of the kind with most rows: by number, through the functions that work for every kind. */
static void show_pages(kecs_store *store) {
  kecs_kind largest = KECS_KIND_TASK;
  int64_t most = 0;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    int64_t rows = 0;
    check(kecs_record_count(store, (kecs_kind)kind, NULL, &rows), "count");
    if (rows > most) {
      most = rows;
      largest = (kecs_kind)kind;
    }
  }
  kecs_query query = {0};
  char token[1024] = "";
  int64_t seen = 0;
  int64_t pages = 0;
  query.limit = most > 30 ? 50 : 3;
  heading(4, "Pages", "every row once, whatever is written meanwhile");
  printf("   %s by %d:", kecs_kind_describe(largest)->name, query.limit);
  double begun = seconds();
  do {
    kecs_result *page = NULL;
    query.page_token = token[0] ? token : NULL;
    check(kecs_record_list(store, largest, &query, &page), "read a page");
    seen += (int64_t)kecs_result_count(page);
    printf("%s%zu", pages > 0 ? "+" : " ", kecs_result_count(page));
    pages++;
    snprintf(token, sizeof token, "%s", kecs_result_page_token(page) ? kecs_result_page_token(page) : "");
    kecs_result_free(page);
  } while (token[0]);
  printf(" = %lld of %lld rows, %.0f microseconds a page\n", (long long)seen, (long long)most,
         (seconds() - begun) * 1e6 / (double)pages);
}

/* ---- transactions ---- */

/* What runs in the transaction: the cluster is drained, and the audit log says so. Both, or neither. */
static kecs_status drain(kecs_store *tx, void *user) {
  kecs_cluster cluster = {0};
  kecs_event event = {0};
  cluster.arn = user;
  cluster.status = "DRAINING";
  event.event_type = "cluster";
  event.resource_arn = user;
  event.resource_type = "cluster";
  event.action = "DRAIN";
  kecs_status status = kecs_cluster_update_fields(tx, &cluster, KECS_BIT(KECS_CLUSTER_STATUS), NULL);
  return status ? status : kecs_event_create(tx, &event, NULL);
}

static void show_transaction(kecs_store *store) {
  kecs_result *clusters = NULL;
  kecs_store *tx = NULL;
  int64_t before = 0;
  int64_t inside = 0;
  int64_t outside = 0;
  heading(5, "Transaction", "all or nothing, invisible to others until it is committed");
  check(kecs_cluster_list(store, NULL, &clusters), "list clusters");
  check(kecs_task_count(store, NULL, &before), "count tasks");
  check(kecs_begin(store, &tx), "begin");
  for (size_t i = 0; i < kecs_result_count(clusters); i++) {
    check(kecs_cluster_delete(tx, kecs_cluster_at(clusters, i)->arn), "delete a cluster");
  }
  check(kecs_task_count(tx, NULL, &inside), "count tasks");
  check(kecs_task_count(store, NULL, &outside), "count tasks");
  check(kecs_rollback(tx), "roll back");
  printf("   %zu clusters deleted with all that is in them: %lld tasks inside, still %lld for everybody else; undone\n",
         kecs_result_count(clusters), (long long)inside, (long long)outside);
  check(kecs_task_count(store, NULL, &inside), "count tasks");
  printf("   after the rollback %lld of %lld tasks\n", (long long)inside, (long long)before);
  char arn[512];
  snprintf(arn, sizeof arn, "%s", kecs_cluster_at(clusters, 0)->arn);
  check(kecs_transact(store, drain, arn, 0), "drain a cluster");
  printf("   %s is DRAINING and the audit log says so: one commit\n", shorter(arn));
  kecs_result_free(clusters);
}

/* ---- the whole ---- */

static void remove_database(const char *path) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    char name[4096];
    snprintf(name, sizeof name, "%s%s", path, ends[i]);
    (void)remove(name);
  }
}

int main(int argc, char **argv) {
  static tour all;
  kecs_options options = {0};
  kecs_info about;
  const char *data = argc > 1 ? argv[1] : "examples/data";
  options.path = argc > 2 ? argv[2] : "build/run/demo.db";
  double begun = seconds();
  if (argc <= 2) {
    (void)mkdir("build", 0777);
    (void)mkdir("build/run", 0777);
    remove_database(options.path);
  }
  printf("%s\n", kecs_build_info());
  check(kecs_open(&options, &all.store), "open");
  show_import(&all, data);
  show_update(all.store);
  show_query(all.store);
  show_pages(all.store);
  show_transaction(all.store);
  check(kecs_store_info(all.store, &about), "look at the file");
  printf("\n%s: %lld KiB, %lld KiB write-ahead log; all of this took %.3f s\n", about.path,
         (long long)about.size_bytes / 1024, (long long)about.wal_bytes / 1024, seconds() - begun);
  check(kecs_close(all.store), "close");
  return 0;
}
