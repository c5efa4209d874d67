/* scenes.c -- the scenes: what an edge whose memory or disk fails, another one, and the model of a hub have done. */
#include "syncfault/scenes.h"

#include "syncfault/bridge.h"

enum { SCENE_BATCH = 4, SCENE_ROUNDS = 12 };

const scene *scene_now;

void scene_must(kecs_status status, const char *what) {
  if (status) {
    fault_complain("%s: %s: %s gives %s: %s", scene_now ? scene_now->name : "", "the scene", what,
                   kecs_status_name(status), kecs_last_error()->text);
  }
}

/* ---- edges ---- */

static int64_t clock_of(void *user) {
  return BRIDGE_NOW + ((const scene_edge *)user)->ahead_us;
}

kecs_status scene_open_store(scene_edge *edge) {
  kecs_options options = fault_options(edge->path);
  options.track = KECS_TRACK_ON;
  options.clock.now = clock_of;
  options.clock.user = edge;
  return kecs_open(&options, &edge->store);
}

kecs_status scene_open_sync(scene_edge *edge) {
  kecs_sync_options options = {.hub = BRIDGE_HUB, .site = edge->site, .batch = SCENE_BATCH, .append_pull = true};
  options.append_keep_bytes = scene_now ? scene_now->keep_bytes : 0;
  kecs_status status = kecs_sync_open(edge->store, &options, &edge->sync);
  if (status && edge->sync) {
    fault_complain("kecs_sync_open gives a handle after %s", kecs_status_name(status));
    edge->sync = NULL;
  }
  bridge_edge(edge->place, edge->store, edge->sync);
  return status;
}

void scene_close(scene_edge *edge) {
  kecs_sync_close(edge->sync);
  edge->sync = NULL;
  bridge_edge(edge->place, NULL, NULL);
  scene_must(kecs_close(edge->store), "kecs_close");
  edge->store = NULL;
}

kecs_status scene_settle(scene_edge *edge) {
  kecs_sync_report report;
  kecs_status status = KECS_OK;
  bool moves = true;
  for (int i = 0; !status && moves; i++) {
    status = kecs_sync_once(edge->sync, &report);
    moves = report.pushed + report.pulled + report.refused > 0;
    if (i == SCENE_ROUNDS) {
      fault_complain("it does not come to rest");
      return status;
    }
  }
  return status;
}

kecs_status scene_round(scene_edge *edge) {
  kecs_sync_report report;
  kecs_sync_status_info info;
  kecs_status status = scene_open_sync(edge);
  status = status ? status : kecs_sync_once(edge->sync, &report);
  return status ? status : kecs_sync_status(edge->sync, &info);
}

static uint64_t sum_text(uint64_t sum, const char *text) {
  for (; *text; text++) {
    sum = (sum ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  }
  return sum * 31 + 1;
}

static kecs_status conflict_visit(const kecs_sync_conflict *conflict, void *user) {
  uint64_t sum = sum_text(sum_text((uint64_t)conflict->kind, conflict->key), conflict->reason);
  *(uint64_t *)user += sum_text(sum, conflict->lost);
  return KECS_OK;
}

kecs_status scene_conflicts(const scene_edge *edge, uint64_t *out_sum) {
  *out_sum = 0;
  return kecs_sync_conflicts(edge->store, 0, conflict_visit, out_sum);
}

/* ---- what is written ---- */

static void put(scene_edge *edge, kecs_kind kind, const char *document) {
  scene_must(kecs_put_json(edge->store, kind, document, SIZE_MAX, 0, NULL), document);
}

static void set(scene_edge *edge, kecs_kind kind, const char *key, const char *column, const char *value) {
  kecs_assignment assignment = {column, value};
  scene_must(kecs_record_assign(edge->store, kind, key, &assignment, 1, 0, NULL), key);
}

static void drop(scene_edge *edge, kecs_kind kind, const char *key) {
  scene_must(kecs_record_delete(edge->store, kind, key), key);
}

static void both_settle(scene_edge *mine, scene_edge *other) {
  for (int i = 0; i < 2; i++) {
    scene_must(scene_settle(mine), "a round");
    scene_must(scene_settle(other), "a round of the other edge");
  }
}

/* Rows of most kinds, which both have. */
static void settled(scene_edge *mine, scene_edge *other) {
  char document[256];
  put(mine, KECS_KIND_CLUSTER, "{\"clusterName\":\"shop\"}");
  put(mine, KECS_KIND_CLUSTER, "{\"clusterName\":\"old\"}");
  put(mine, KECS_KIND_SERVICE, "{\"serviceName\":\"last\",\"cluster\":\"old\",\"desiredCount\":1}");
  for (int i = 0; i < 6; i++) {
    snprintf(document, sizeof document, "{\"serviceName\":\"s%d\",\"cluster\":\"shop\",\"desiredCount\":%d}", i, i);
    put(mine, KECS_KIND_SERVICE, document);
  }
  put(mine, KECS_KIND_TASK_DEFINITION,
      "{\"family\":\"web\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":\"web:1\"}]}");
  put(mine, KECS_KIND_EVENT,
      "{\"eventType\":\"test\",\"resourceArn\":\"shop\",\"resourceType\":\"cluster\",\"action\":\"made\"}");
  both_settle(mine, other);
}

/* An edit of each kind: of both groups, a creation, deletions with and without children, a revision, an event. */
static void edits(scene_edge *edge, const char *word) {
  char document[256];
  set(edge, KECS_KIND_SERVICE, "shop,s0", "desired_count", word);
  set(edge, KECS_KIND_SERVICE, "shop,s1", "running_count", word);
  drop(edge, KECS_KIND_SERVICE, "shop,s2");
  drop(edge, KECS_KIND_CLUSTER, "old");
  snprintf(document, sizeof document, "{\"serviceName\":\"new%s\",\"cluster\":\"shop\",\"desiredCount\":%s}", word,
           word);
  put(edge, KECS_KIND_SERVICE, document);
  snprintf(document, sizeof document,
           "{\"family\":\"web\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":\"web:%s\"}]}", word);
  put(edge, KECS_KIND_TASK_DEFINITION, document);
  snprintf(document, sizeof document,
           "{\"eventType\":\"test\",\"resourceArn\":\"shop\",\"resourceType\":\"cluster\",\"action\":\"%s\"}", word);
  put(edge, KECS_KIND_EVENT, document);
}

/* ---- the scenes ---- */

/* A file that never was an edge, with rows of its own; the hub has some of the same names. */
static void first_round(scene_edge *mine, scene_edge *other) {
  settled(other, other);
  edits(other, "11");
  scene_must(scene_settle(other), "a round of the other edge");
  scene_close(mine);
  fault_remove(mine->path);
  scene_must(scene_open_store(mine), "kecs_open");
  put(mine, KECS_KIND_CLUSTER, "{\"clusterName\":\"shop\"}");
  put(mine, KECS_KIND_SERVICE, "{\"serviceName\":\"mine\",\"cluster\":\"shop\",\"desiredCount\":7}");
  put(mine, KECS_KIND_CLUSTER, "{\"clusterName\":\"mine\"}");
}

static void push(scene_edge *mine, scene_edge *other) {
  settled(mine, other);
  edits(mine, "21");
}

static void pull(scene_edge *mine, scene_edge *other) {
  settled(mine, other);
  edits(other, "31");
  scene_must(scene_settle(other), "a round of the other edge");
}

/* Both have changed the same rows, given the same revision, and one has taken away what the other one builds on. */
static void disputes(scene_edge *mine, scene_edge *other) {
  settled(mine, other);
  edits(other, "41");
  drop(other, KECS_KIND_SERVICE, "shop,s3");
  scene_must(scene_settle(other), "a round of the other edge");
  set(mine, KECS_KIND_SERVICE, "shop,s0", "desired_count", "42");
  set(mine, KECS_KIND_SERVICE, "shop,s2", "desired_count", "43");
  set(mine, KECS_KIND_SERVICE, "shop,s3", "running_count", "44");
  put(mine, KECS_KIND_SERVICE, "{\"serviceName\":\"child\",\"cluster\":\"old\",\"desiredCount\":45}");
  put(mine, KECS_KIND_SERVICE, "{\"serviceName\":\"new41\",\"cluster\":\"shop\",\"desiredCount\":46}");
  put(mine, KECS_KIND_TASK_DEFINITION,
      "{\"family\":\"web\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":\"web:mine\"}]}");
}

static void hub_went_back(scene_edge *mine, scene_edge *other) {
  settled(mine, other);
  bridge_remember();
  edits(mine, "51");
  both_settle(mine, other);
  set(other, KECS_KIND_SERVICE, "shop,s4", "desired_count", "52");
  both_settle(mine, other);
  bridge_go_back();
  set(mine, KECS_KIND_SERVICE, "shop,s5", "desired_count", "53");
}

static void away(scene_edge *mine, scene_edge *other) {
  settled(mine, other);
  edits(other, "61");
  scene_must(scene_settle(other), "a round of the other edge");
  bridge_collect();
  set(other, KECS_KIND_SERVICE, "shop,s4", "desired_count", "62");
  scene_must(scene_settle(other), "a round of the other edge");
  set(mine, KECS_KIND_SERVICE, "shop,s2", "desired_count", "63"); /* which is gone */
  set(mine, KECS_KIND_SERVICE, "shop,s5", "desired_count", "64");
}

/* A copy of the file has pushed. */
static void copied(scene_edge *mine, scene_edge *other) {
  scene_edge copy = {.place = 2};
  settled(mine, other);
  set(mine, KECS_KIND_SERVICE, "shop,s4", "desired_count", "71"); /* pending in both */
  scene_close(mine);
  fault_image image = fault_load(mine->path);
  snprintf(copy.path, sizeof copy.path, "%s/crash.db", fault_folder());
  memcpy(copy.site, mine->site, sizeof copy.site);
  fault_save(&image, copy.path);
  free(image.bytes);
  scene_must(scene_open_store(&copy), "kecs_open");
  scene_must(scene_open_sync(&copy), "kecs_sync_open");
  set(&copy, KECS_KIND_SERVICE, "shop,s5", "desired_count", "72");
  scene_must(scene_settle(&copy), "a round of the copy");
  scene_close(&copy);
  scene_must(scene_open_store(mine), "kecs_open");
  set(mine, KECS_KIND_SERVICE, "shop,s1", "desired_count", "73");
}

static void clock_was_ahead(scene_edge *mine, scene_edge *other) {
  settled(mine, other);
  mine->ahead_us = scene_now->ahead_us;
  edits(mine, "81");
}

static void too_many_events(scene_edge *mine, scene_edge *other) {
  char document[256];
  settled(mine, other);
  for (int i = 0; i < 12; i++) {
    snprintf(document, sizeof document,
             "{\"eventType\":\"test\",\"resourceArn\":\"shop\",\"resourceType\":\"cluster\",\"action\":\"%d\"}", i);
    put(i % 2 ? mine : other, KECS_KIND_EVENT, document);
  }
  scene_must(scene_settle(other), "a round of the other edge");
}

/* ---- what is run ---- */

static kecs_status first_conflict(const kecs_sync_conflict *conflict, void *user) {
  kecs_sync_conflict *first = user;
  if (first->id == 0 && strcmp(conflict->reason, "update") == 0) {
    *first = *conflict;
  }
  return KECS_OK;
}

/* A round, and what has lost in it is written once more. */
static kecs_status run_decision(scene_edge *edge) {
  uint64_t sum = 0;
  kecs_sync_conflict first = {.id = 0};
  kecs_status status = scene_round(edge);
  status = status ? status : scene_conflicts(edge, &sum);
  status = status ? status : kecs_sync_conflicts(edge->store, 0, first_conflict, &first);
  return status || first.resolved ? status : kecs_sync_resolve(edge->store, first.id, KECS_SYNC_TAKE_LOST);
}

const scene scenes[] = {
    {.name = "the first round", .prepare = first_round, .run = scene_round},
    {.name = "a push", .prepare = push, .run = scene_round},
    {.name = "a pull", .prepare = pull, .run = scene_round},
    {.name = "disputes, and a decision", .prepare = disputes, .run = run_decision},
    {.name = "a hub that went back", .prepare = hub_went_back, .run = scene_round},
    {.name = "away for too long", .prepare = away, .run = scene_round},
    {.name = "a file that was copied", .prepare = copied, .run = scene_round},
    {.name = "a clock that was ahead", .prepare = clock_was_ahead, .run = scene_round, .ahead_us = INT64_C(1200000000)},
    {.name = "too many events", .prepare = too_many_events, .run = scene_round, .keep_bytes = 1500},
};

const size_t scene_count = FAULT_COUNT(scenes);
