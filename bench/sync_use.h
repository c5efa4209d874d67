/* bench/sync_use.h -- what a server, a pooler and this process have used: CPU time, WAL, rows, bytes. Linux's /proc
 * tells it. */
#ifndef BENCH_SYNC_USE_H
#define BENCH_SYNC_USE_H
#include "sync_world.h"

#include <dirent.h>
#include <sys/resource.h>

/* Up to some moment. */
typedef struct sync_use {
  double clock;   /* seconds */
  double own;     /* seconds of CPU of this process */
  double hub;     /* of the server's processes, those that have ended too */
  double pooler;  /* of PgBouncer; 0: there is none */
  double wal;     /* bytes of the server's log */
  double commits; /* that wrote something */
} sync_use;

static double sync_ask(const sync_world *world, const char *sql) {
  PGresult *result = PQexec(world->hand.pg, sql);
  bench_check(PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1, "%.200s: %s", sql,
              PQerrorMessage(world->hand.pg));
  double number = strtod(PQgetvalue(result, 0, 0), NULL);
  PQclear(result);
  return number;
}

/* ---- processes ---- */

static bool sync_proc_text(long pid, const char *name, char *out, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
  FILE *file = fopen(path, "r");
  size_t len = file ? fread(out, 1, size - 1, file) : 0;
  out[len] = '\0';
  if (file) {
    fclose(file);
  }
  return len > 0;
}

/* A field of /proc/PID/stat, counted as proc(5) does, from 4 on. */
static long long sync_proc_field(const char *stat, int number) {
  const char *at = strrchr(stat, ')');
  for (int field = 2; at && field < number; field++) {
    at = strchr(at + 1, ' ');
  }
  return at ? strtoll(at, NULL, 10) : 0;
}

/* Seconds that it has run; 0 where it is gone. */
static double sync_proc_cpu(long pid) {
  char text[1024];
  if (sync_proc_text(pid, "schedstat", text, sizeof text) && strtod(text, NULL) > 0) {
    return strtod(text, NULL) * 1e-9;
  }
  if (!sync_proc_text(pid, "stat", text, sizeof text)) {
    return 0;
  }
  return (double)(sync_proc_field(text, 14) + sync_proc_field(text, 15)) / (double)sysconf(_SC_CLK_TCK);
}

/* The process that all of a server's have been made by, from one of them. */
static long sync_postmaster(const sync_world *world) {
  char text[1024];
  bench_check(sync_proc_text(PQbackendPID(world->hand.pg), "stat", text, sizeof text),
              "the server is not on this machine");
  return (long)sync_proc_field(text, 4);
}

static double sync_hub_cpu(const sync_world *world) {
  char text[1024];
  long parent = sync_postmaster(world);
  DIR *folder = opendir("/proc");
  bench_check(folder && sync_proc_text(parent, "stat", text, sizeof text), "/proc can't be read");
  double cpu = sync_proc_cpu(parent);
  cpu += (double)(sync_proc_field(text, 16) + sync_proc_field(text, 17)) / (double)sysconf(_SC_CLK_TCK);
  for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
    long pid = strtol(entry->d_name, NULL, 10);
    if (pid > 0 && sync_proc_text(pid, "stat", text, sizeof text) && sync_proc_field(text, 4) == parent) {
      cpu += sync_proc_cpu(pid);
    }
  }
  closedir(folder);
  return cpu;
}

/* ---- all of it ---- */

static sync_use sync_use_now(const sync_world *world) {
  const char *pooler = getenv("KECS_BENCH_POOLER_PID");
  sync_use use;
  use.wal = sync_ask(world, "SELECT pg_current_wal_insert_lsn()-'0/0'");
  use.commits = sync_ask(world, "SELECT txid_snapshot_xmax(txid_current_snapshot())");
  use.hub = sync_hub_cpu(world);
  use.pooler = pooler ? sync_proc_cpu(strtol(pooler, NULL, 10)) : 0;
  use.own = bench_cpu();
  use.clock = sync_clock();
  return use;
}

static sync_use sync_use_since(const sync_world *world, const sync_use *before) {
  sync_use use = sync_use_now(world);
  use.clock -= before->clock;
  use.own -= before->own;
  use.hub -= before->hub;
  use.pooler -= before->pooler;
  use.wal -= before->wal;
  use.commits -= before->commits;
  return use;
}

/* Rows that were written in the hub's tables. A server's process tells of its own once a second, and when it ends. */
static double sync_rows_written(const sync_world *world) {
  char sql[256];
  snprintf(sql, sizeof sql,
           "SELECT coalesce(sum(n_tup_ins+n_tup_upd+n_tup_del),0) FROM pg_stat_user_tables WHERE schemaname='%s'",
           world->schema);
  struct timespec nap = {1, 200000000};
  nanosleep(&nap, NULL);
  return sync_ask(world, sql);
}

/* Bytes that this process has written to files; what goes over sockets by send() is not in it. */
static double sync_bytes_written(void) {
  char text[1024];
  bench_check(sync_proc_text((long)getpid(), "io", text, sizeof text), "/proc/self/io can't be read");
  const char *at = strstr(text, "wchar: ");
  return at ? strtod(at + strlen("wchar: "), NULL) : -1;
}

/* ---- figures ---- */

/* What is told as it is: no baseline stands beside it. */
static void sync_tell(FILE *out, const char *name, double value, const char *unit) {
  printf("%-34s %12.2f %s\n", name, value, unit);
  fprintf(out, "%s\t%.3f\t%s\n", name, value, unit);
  fflush(stdout);
}

static void sync_tell_of(FILE *out, const char *name, const char *what, double value, const char *unit) {
  char whole[64];
  snprintf(whole, sizeof whole, "%s.%s", name, what);
  sync_tell(out, whole, value, unit);
}

#endif
