/* bench/rows.h -- tasks to measure with: row n is always the same, some 34 of its columns are set, 950 bytes.
 *
 * There are 16 clusters, half of the tasks are in the first; each cluster has 12 services. Ids are random, so that new
 * rows fall anywhere in the indexes on id and ARN; created_at grows with n, as it does in life. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H
#include "measure.h"

enum {
  BENCH_CLUSTERS = 16,
  BENCH_SERVICES = 12, /* of each cluster */
  BENCH_TEXT = 3072,   /* bytes that all texts of one row may take */
  BENCH_ARN = 128
};

#define BENCH_REGION "eu-central-1"
#define BENCH_ACCOUNT "000000000000"
#define BENCH_ARN_HEAD "arn:aws:ecs:" BENCH_REGION ":" BENCH_ACCOUNT ":"

/* Rows next to each other, as create_many takes them. */
typedef struct bench_batch {
  kecs_task *tasks;
  char *texts; /* BENCH_TEXT bytes for each */
  int count;
  int room;
} bench_batch;

/* A number that looks random, the same for the same arguments. */
static uint64_t bench_scramble(uint64_t number, uint64_t stream) {
  uint64_t value = number * UINT64_C(0xD1342543DE82EF95) + stream * UINT64_C(0x9E3779B97F4A7C15) + 1;
  value = (value ^ (value >> 32)) * UINT64_C(0xDABA0B6EB09322E3);
  value = (value ^ (value >> 29)) * UINT64_C(0xDABA0B6EB09322E3);
  return value ^ (value >> 32);
}

static int bench_cluster_of(uint64_t number) {
  uint64_t random = bench_scramble(number, 1);
  return random & 1 ? 0 : 1 + (int)((random >> 1) % (BENCH_CLUSTERS - 1));
}

static int bench_service_of(uint64_t number) {
  return (int)(bench_scramble(number, 2) % BENCH_SERVICES);
}

static void bench_arn(char out[BENCH_ARN], uint64_t number) {
  snprintf(out, BENCH_ARN, BENCH_ARN_HEAD "task/fleet-%02d/%016llx%016llx", bench_cluster_of(number),
           (unsigned long long)bench_scramble(number, 3), (unsigned long long)bench_scramble(number, 4));
}

/* Formats a text behind the one before. */
static const char *bench_text(char **at, const char *end, const char *format, ...) KECS_STORE_PRINTF(3, 4);
static const char *bench_text(char **at, const char *end, const char *format, ...) {
  char *text = *at;
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, (size_t)(end - text), format, args);
  va_end(args);
  bench_check(len >= 0 && len < end - text, "BENCH_TEXT is too small for a row");
  *at = text + len + 1;
  return text;
}

static void bench_row_state(kecs_task *task, uint64_t random, char **at, const char *end) {
  static const char *const statuses[] = {"RUNNING", "RUNNING", "RUNNING", "RUNNING",
                                         "RUNNING", "STOPPED", "STOPPED", "PENDING"};
  task->last_status = statuses[random % 8];
  bool stopped = strcmp(task->last_status, "STOPPED") == 0;
  task->desired_status = stopped ? "STOPPED" : "RUNNING";
  task->health_status = stopped ? "UNKNOWN" : "HEALTHY";
  if (strcmp(task->last_status, "PENDING") == 0) {
    return;
  }
  task->connectivity = "CONNECTED";
  task->connectivity_at = task->created_at + 1500000;
  task->pull_started_at = task->created_at + 1700000;
  task->pull_stopped_at = task->created_at + 4200000;
  task->started_at = task->created_at + 5000000;
  if (stopped) {
    task->stopping_at = task->created_at + 300000000;
    task->execution_stopped_at = task->created_at + 330000000;
    task->stopped_at = task->created_at + 331000000;
    task->stop_code = "ServiceSchedulerInitiated";
    task->stopped_reason = bench_text(at, end, "Scaling activity initiated by (deployment ecs-svc/%llu)",
                                      (unsigned long long)(random >> 40));
  }
}

/* Row `number`; its texts are written to `text`. */
static void bench_row(kecs_task *task, char *text, uint64_t number) {
  char *at = text;
  const char *end = text + BENCH_TEXT;
  uint64_t random = bench_scramble(number, 5);
  int cluster = bench_cluster_of(number);
  int service = bench_service_of(number);
  memset(task, 0, sizeof *task);
  bench_arn(text, number);
  task->arn = text;
  at += strlen(text) + 1;
  task->id = bench_text(&at, end, "%s", strrchr(task->arn, '/') + 1);
  task->cluster_arn = bench_text(&at, end, BENCH_ARN_HEAD "cluster/fleet-%02d", cluster);
  task->family = bench_text(&at, end, "worker-%02d", service);
  task->task_definition_arn =
      bench_text(&at, end, BENCH_ARN_HEAD "task-definition/worker-%02d:%d", service, 1 + (int)(random >> 8 & 15));
  task->created_at = INT64_C(1700000000000000) + (int64_t)number * 977000;
  if (random >> 12 & 7) { /* one of eight is a task of its own */
    task->service_arn = bench_text(&at, end, BENCH_ARN_HEAD "service/fleet-%02d/worker-%02d", cluster, service);
    task->task_group = bench_text(&at, end, "service:worker-%02d", service);
    task->started_by =
        bench_text(&at, end, "ecs-svc/%019llu", (unsigned long long)bench_scramble((uint64_t)service, 6) >> 1);
  }
  bench_row_state(task, random, &at, end);
  task->containers = bench_text(
      &at, end,
      "[{\"containerArn\":\"" BENCH_ARN_HEAD
      "container/fleet-%02d/%s/app\",\"name\":\"app\",\"image\":\"registry.example/"
      "worker-%02d:1.%d\",\"runtimeId\":\"%016llx\",\"lastStatus\":\"%s\",\"networkBindings\":[],\"networkInterfaces\":"
      "[{\"privateIpv4Address\":\"10.%d.%d.%d\"}],\"healthStatus\":\"%s\",\"cpu\":\"256\",\"memory\":\"512\"}]",
      cluster, task->id, service, (int)(random >> 8 & 15), (unsigned long long)random, task->last_status,
      (int)(random >> 16 & 255), (int)(random >> 24 & 255), (int)(random >> 32 & 255), task->health_status);
  task->cpu = "256";
  task->memory = "512";
  task->launch_type = "FARGATE";
  task->platform_version = "1.4.0";
  task->platform_family = "Linux";
  task->availability_zone = bench_text(&at, end, BENCH_REGION "%c", 'a' + (int)(random % 3));
  task->attributes = random >> 48 & 1 ? "[{\"name\":\"ecs.cpu-architecture\",\"value\":\"x86_64\"}]" : NULL;
  task->ephemeral_storage = "{\"sizeInGiB\":20}";
  task->enable_execute_command = (random >> 50 & 1) != 0;
  task->pod_name = bench_text(&at, end, "worker-%02d-%.12s", service, task->id);
  task->k8s_namespace = bench_text(&at, end, "fleet-%02d", cluster);
  task->region = BENCH_REGION;
  task->account_id = BENCH_ACCOUNT;
}

/* Makes room once, then fills it with `count` rows from `first` on. */
static void bench_batch_fill(bench_batch *batch, uint64_t first, int count) {
  if (batch->room < count) {
    free(batch->tasks);
    free(batch->texts);
    batch->tasks = malloc((size_t)count * sizeof *batch->tasks);
    batch->texts = malloc((size_t)count * BENCH_TEXT);
    bench_check(batch->tasks && batch->texts, "out of memory");
    batch->room = count;
  }
  batch->count = count;
  for (int i = 0; i < count; i++) {
    bench_row(&batch->tasks[i], batch->texts + (size_t)i * BENCH_TEXT, first + (uint64_t)i);
  }
}

/* The clusters and services that the tasks refer to. */
static void bench_parents(kecs_store *store) {
  char name[32];
  char arn[BENCH_ARN];
  char cluster_arn[BENCH_ARN];
  char definition[32];
  for (int c = 0; c < BENCH_CLUSTERS; c++) {
    kecs_cluster cluster = {0};
    snprintf(name, sizeof name, "fleet-%02d", c);
    snprintf(cluster_arn, sizeof cluster_arn, BENCH_ARN_HEAD "cluster/%s", name);
    cluster.arn = cluster_arn;
    cluster.name = name;
    bench_ok(kecs_cluster_create(store, &cluster, NULL), "create a cluster");
    for (int s = 0; s < BENCH_SERVICES; s++) {
      kecs_service service = {0};
      snprintf(name, sizeof name, "worker-%02d", s);
      snprintf(arn, sizeof arn, BENCH_ARN_HEAD "service/fleet-%02d/%s", c, name);
      snprintf(definition, sizeof definition, "worker-%02d:1", s);
      service.arn = arn;
      service.cluster_arn = cluster_arn;
      service.name = name;
      service.task_definition = definition;
      bench_ok(kecs_service_create(store, &service, NULL), "create a service");
    }
  }
}

#endif
