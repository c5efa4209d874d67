/* kill_writer.c -- the process that test_kill.py kills.
 *
 *   kill_writer write PATH PREFIX SEED    writes for ever, clusters whose names begin with PREFIX
 *   kill_writer dump PATH                 "row NAME VERSION STATUS" for each cluster, then "checked ok" or what is
 * wrong
 *
 * Of every write it says before what it is going to do, and after KECS_OK that it is done:
 *   try NUMBER NAME VERSION STATUS ...    what rows will be like; version 0: gone
 *   ack NUMBER
 * Each line is one write(2), so a kill never cuts one. */
#include "kecs_store.h"

#include <sqlite3.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_MAX = 60, MANY = 4, LINE = 2000 };

typedef struct row {
  char name[40];
  char status[40];
  int64_t version; /* 0: not there */
} row;

static row rows[ROWS_MAX];
static const char *prefix;
static unsigned long long chance;
static int64_t number;
static char line[LINE];
static size_t used;

static int die(const char *what) {
  printf("error %s: %s: %s\n", what, kecs_status_name(kecs_last_error()->status), kecs_last_error()->text);
  fflush(stdout);
  exit(1);
}

static unsigned dice(unsigned sides) {
  chance ^= chance << 13;
  chance ^= chance >> 7;
  chance ^= chance << 17;
  return (unsigned)(chance >> 33) % sides;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line + used, sizeof line - used, format, args);
  va_end(args);
  used += len > 0 ? (size_t)len : 0;
}

static void send_line(void) {
  say("\n");
  if (used >= sizeof line || write(STDOUT_FILENO, line, used) != (ssize_t)used) {
    exit(1);
  }
  used = 0;
}

static row *pick(bool there) {
  unsigned from = dice(ROWS_MAX);
  for (unsigned i = 0; i < ROWS_MAX; i++) {
    row *one = &rows[(from + i) % ROWS_MAX];
    if ((one->version > 0) == there) {
      return one;
    }
  }
  return NULL;
}

/* What a row will be like; the table is changed at once, since a failed write ends the process. */
static void plan(row *one, int64_t version) {
  one->version = version;
  snprintf(one->status, sizeof one->status, "%s", version ? "" : "-");
  if (version) {
    snprintf(one->status, sizeof one->status, "s%lld-%u", (long long)number, dice(1000));
  }
  say(" %s %lld %s", one->name, (long long)one->version, one->status);
}

static void begin_try(void) {
  say("try %lld", (long long)++number);
}

static void acknowledge(void) {
  say("ack %lld", (long long)number);
  send_line();
}

static kecs_cluster cluster_of(const row *one) {
  static const char tags[] = "[{\"key\":\"a\",\"value\":\"b\"}]"; /* so that two tables change */
  kecs_cluster cluster = {0};
  cluster.name = one->name;
  cluster.status = one->status;
  cluster.tags = tags;
  return cluster;
}

static void create(kecs_store *store, row *one) {
  kecs_cluster cluster = cluster_of(one);
  if (kecs_cluster_create(store, &cluster, NULL)) {
    die("create");
  }
}

static void update(kecs_store *store, const row *one) {
  kecs_cluster cluster = cluster_of(one);
  cluster.version = one->version - 1;
  uint64_t mask = KECS_BIT(KECS_CLUSTER_STATUS);
  if (kecs_cluster_update_fields(store, &cluster, mask, NULL)) {
    die("update");
  }
}

static void write_many(kecs_store *store) {
  kecs_cluster clusters[MANY];
  size_t count = 0;
  begin_try();
  for (row *one = pick(false); one && count < MANY; one = pick(false)) {
    plan(one, 1);
    clusters[count++] = cluster_of(one);
  }
  send_line();
  if (kecs_cluster_create_many(store, clusters, count, NULL)) {
    die("create_many");
  }
  acknowledge();
}

/* A new row, two changed ones and one that goes: all or none. */
static void write_transaction(kecs_store *store) {
  kecs_store *tx = NULL;
  row *made = pick(false);
  row *changed = pick(true);
  row *other = pick(true);
  row *gone = pick(true);
  begin_try();
  plan(made, 1);
  plan(changed, changed->version + 1);
  if (other != changed) {
    plan(other, other->version + 1);
  }
  bool deletes = gone != changed && gone != other;
  if (deletes) {
    plan(gone, 0);
  }
  send_line();
  if (kecs_begin(store, &tx)) {
    die("begin");
  }
  create(tx, made);
  update(tx, changed);
  if (other != changed) {
    update(tx, other);
  }
  if (deletes && kecs_cluster_delete(tx, gone->name)) {
    die("delete");
  }
  if (kecs_commit(tx)) {
    die("commit");
  }
  acknowledge();
}

static void write_one(kecs_store *store) {
  row *free_row = pick(false);
  row *old = pick(true);
  unsigned what = dice(10);
  if (!free_row || (old && what < 2)) {
    begin_try();
    plan(old, 0);
    send_line();
    if (kecs_cluster_delete(store, old->name)) {
      die("delete");
    }
    acknowledge();
  } else if (old && what < 5) {
    begin_try();
    plan(old, old->version + 1);
    send_line();
    update(store, old);
    acknowledge();
  } else if (old && what < 7) {
    write_transaction(store);
  } else if (what < 8) {
    write_many(store);
  } else {
    begin_try();
    plan(free_row, 1);
    send_line();
    create(store, free_row);
    acknowledge();
  }
}

static kecs_status load(const kecs_cluster *cluster, void *user) {
  (void)user;
  for (int i = 0; i < ROWS_MAX; i++) {
    if (strcmp(rows[i].name, cluster->name) == 0) {
      rows[i].version = cluster->version;
      snprintf(rows[i].status, sizeof rows[i].status, "%s", cluster->status);
    }
  }
  return KECS_OK;
}

static int do_write(kecs_store *store, const char *seed) {
  chance = strtoull(seed, NULL, 10) * 2654435761ULL + 88172645463325252ULL;
  for (int i = 0; i < ROWS_MAX; i++) {
    snprintf(rows[i].name, sizeof rows[i].name, "%s%d", prefix, i);
  }
  if (kecs_cluster_each(store, NULL, load, NULL)) {
    return die("each");
  }
  for (;;) {
    write_one(store);
  }
}

static kecs_status dump(const kecs_cluster *cluster, void *user) {
  (void)user;
  printf("row %s %lld %s\n", cluster->name, (long long)cluster->version, cluster->status);
  return KECS_OK;
}

/* The file is whole, and each cluster has its tag: a write is never there in part. Each cluster's latest stamp is that
 * of an entry in the change log, there are no more new ones than the log says, and each deletion has kept its key. */
static int check(const char *path) {
  static const char *const sqls[] = {
      "PRAGMA integrity_check",
      "SELECT CASE WHEN (SELECT count(*) FROM clusters)=(SELECT count(*) FROM resource_tags) THEN 'ok' ELSE 'tags' END",
      "SELECT CASE WHEN EXISTS(SELECT 1 FROM clusters WHERE max(stamp_life,coalesce(stamp_spec,0),"
      "coalesce(stamp_status,0)) NOT IN(SELECT stamp FROM changes WHERE kind=1)) THEN 'a change is not logged' "
      "WHEN (SELECT count(*) FROM changes WHERE kind=1 AND op=1)-(SELECT count(*) FROM changes WHERE kind=1 AND op=3)"
      "<>(SELECT count(*) FROM clusters) THEN 'the log has other rows' "
      "WHEN (SELECT count(*) FROM changes WHERE op=3)<>(SELECT count(*) FROM change_tombstones) THEN 'tombstones' "
      "WHEN (SELECT max(seq) FROM changes)<>(SELECT count(*) FROM changes) THEN 'a gap in the log' ELSE 'ok' END",
  };
  enum { CHECKS = sizeof sqls / sizeof sqls[0] };
  sqlite3 *db = NULL;
  char found[CHECKS][200];
  bool good = true;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    printf("checked %s\n", sqlite3_errmsg(db));
    sqlite3_close(db);
    return 1;
  }
  sqlite3_busy_timeout(db, 10000);
  for (int i = 0; i < CHECKS; i++) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sqls[i], -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
      snprintf(found[i], sizeof found[i], "%s", (const char *)sqlite3_column_text(statement, 0));
    } else {
      snprintf(found[i], sizeof found[i], "%s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(statement);
    good = good && strcmp(found[i], "ok") == 0;
  }
  printf(good ? "checked ok\n" : "checked %s, %s, %s\n", found[0], found[1], found[2]);
  sqlite3_close(db);
  return 0;
}

int main(int argc, char **argv) {
  kecs_store *store = NULL;
  kecs_options options = {0};
  bool writes = argc == 5 && strcmp(argv[1], "write") == 0;
  if (!writes && !(argc == 3 && strcmp(argv[1], "dump") == 0)) {
    fprintf(stderr, "kill_writer write PATH PREFIX SEED | kill_writer dump PATH\n");
    return 2;
  }
  options.path = argv[2];
  if (writes) {
    /* The second of two writers may be there first; then it logs by the guards. */
    prefix = argv[3];
    options.track = strcmp(prefix, "a") == 0 ? KECS_TRACK_ON : KECS_TRACK_KEEP;
  }
  if (kecs_open(&options, &store)) {
    return die("open");
  }
  if (writes) {
    return do_write(store, argv[4]);
  }
  if (kecs_cluster_each(store, NULL, dump, NULL) || kecs_close(store)) {
    return die("each");
  }
  return check(argv[2]);
}
