/* sync_driver.c -- edges and stores in one process that do what is read, line by line, for tests/sync. Each line is
 * answered by one: the status, and a text. Stores are named by a letter.
 *
 *   init URL                        kecs_sync_hub_init
 *   open NAME PATH                  a store: a file, which is tracked, or a URL
 *   edge NAME SITE BATCH URL [token=TOKEN] [CLUSTER...]   kecs_sync_open on it
 *   grant URL SITE CLUSTER | revoke URL SITE [CLUSTER] | token URL SITE
 *   limit URL SITE|* none | limit URL SITE|* MILLISECONDS BATCH [PAUSE]     kecs_sync_hub_limit
 *   sites URL                       NAME|CURSOR|MILLISECONDS|BATCH|PAUSE of each
 *   option NAME=NUMBER              append_bytes, append_keep_bytes, append_pull of the next edges
 *   policy KIND GROUPS RULE [FENCE] of the next edges: groups as bits, the rule by its number
 *   merger NAME                     of the next edges: none, sum (of desired counts, from the base), or fresh
 *   merged NAME                     how often it was called
 *   resolve NAME NUMBER lost|kept
 *   close NAME
 *   start NAME MILLISECONDS | stop NAME | cancel NAME | told NAME: rounds failures reconnects lag_us batch running
 *   sync NAME | status NAME | conflicts NAME | limits NAME: MILLISECONDS BATCH PAUSE
 *   put NAME KIND JSON | set NAME KIND KEY COLUMN=VALUE | del NAME KIND KEY | get NAME KIND KEY
 *   puts NAME KIND PATH             documents of a file, one a line, in one transaction
 *   raise NAME FAMILY REVISION      the counter of a family
 *   prioritize NAME RULE=N,RULE=N   all at once
 *   columns KIND                    those that travel
 *   compact NAME OLDER TOMBSTONES   kecs_changes_compact, microseconds
 *   retain MICROSECONDS URL         kecs_sync_hub_retain
 *   clock MICROSECONDS              what is added to the clock from now on */
#include "kecs_store_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_SIZE 1048576

typedef struct place {
  kecs_store *store;
  kecs_sync *sync;
} place;

static place places[128];
static char line[LINE_SIZE];
static char said[LINE_SIZE];
static int64_t shift;
static kecs_sync_options extra; /* of the next edges */

static int64_t now(void *user) {
  struct timespec at;
  (void)user;
  clock_gettime(CLOCK_REALTIME, &at);
  return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000 + shift;
}

static place *place_of(const char *name) {
  return &places[(unsigned char)name[0] % 128];
}

static const kecs_kind history[] = {KECS_KIND_SERVICE};
static bool keep_history; /* in the next stores */

static kecs_status open_store(place *at, const char *path) {
  kecs_options options = {0};
  options.path = path;
  options.backends = kecs_pg_backends();
  options.track = KECS_TRACK_ON;
  if (keep_history) {
    options.history.track = KECS_TRACK_ON;
    options.history.kinds = history;
    options.history.kind_count = 1;
  }
  options.clock.now = now;
  return kecs_open(&options, &at->store);
}

static kecs_replica_policy policies[8];
static char fences[8][64];
static int merged;

static kecs_status add_policy(char *rest) {
  const kecs_kind_info *info = kecs_kind_find(strtok(rest, " "));
  kecs_replica_policy *policy = &policies[extra.policy_count];
  policy->kind = info ? info->kind : (kecs_kind)99;
  policy->groups = (unsigned)strtol(strtok(NULL, " "), NULL, 10);
  policy->rule = (kecs_replica_rule)strtol(strtok(NULL, " "), NULL, 10);
  char *fence = strtok(NULL, " ");
  policy->fence = NULL;
  if (fence) {
    snprintf(fences[extra.policy_count], sizeof fences[0], "%s", fence);
    policy->fence = fences[extra.policy_count];
  }
  extra.policies = policies;
  extra.policy_count++;
  return KECS_OK;
}

/* What two have wanted more or less than before, together. */
static kecs_status merge_sum(kecs_replica_dispute *dispute, void *user) {
  const kecs_service *base = dispute->base;
  const kecs_service *local = dispute->local;
  const kecs_service *remote = dispute->remote;
  kecs_service *out = dispute->out;
  (void)user;
  merged++;
  if (dispute->kind != KECS_KIND_SERVICE || !(dispute->groups & KECS_BIT(KECS_REPLICA_SPEC))) {
    dispute->decline = true;
    return KECS_OK;
  }
  out->desired_count = local->desired_count + remote->desired_count - (base ? base->desired_count : 0);
  return KECS_OK;
}

static kecs_status merge_fresh(kecs_replica_dispute *dispute, void *user) {
  (void)user;
  merged++;
  if (dispute->kind == KECS_KIND_SERVICE) {
    ((kecs_service *)dispute->out)->desired_count = 1000 + merged;
  }
  return KECS_OK;
}

static kecs_status merge_fails(kecs_replica_dispute *dispute, void *user) {
  (void)dispute;
  (void)user;
  return KECS_E_CANCELLED;
}

static kecs_status set_merger(const char *name) {
  extra.merge = strcmp(name, "sum") == 0     ? merge_sum
                : strcmp(name, "fresh") == 0 ? merge_fresh
                : strcmp(name, "fails") == 0 ? merge_fails
                                             : NULL;
  return KECS_OK;
}

static kecs_status resolve(place *at, char *rest) {
  int64_t id = strtoll(strtok(rest, " "), NULL, 10);
  char *take = strtok(NULL, " ");
  return kecs_sync_resolve(at->store, id,
                           strcmp(take, "lost") == 0   ? KECS_SYNC_TAKE_LOST
                           : strcmp(take, "kept") == 0 ? KECS_SYNC_TAKE_KEPT
                                                       : (kecs_sync_take)7);
}

static kecs_status open_edge(place *at, char *rest) {
  kecs_sync_options options = extra;
  char *site = strtok(rest, " ");
  char *batch = strtok(NULL, " ");
  const char *clusters[8];
  options.hub = strtok(NULL, " ");
  options.site = site;
  options.clusters = clusters;
  for (const char *word = strtok(NULL, " "); word; word = strtok(NULL, " ")) {
    if (strncmp(word, "token=", 6) == 0) {
      options.token = word + 6;
    } else if (options.cluster_count < sizeof clusters / sizeof clusters[0]) {
      clusters[options.cluster_count++] = word;
    }
  }
  options.batch = batch ? (int)strtol(batch, NULL, 10) : 0;
  return kecs_sync_open(at->store, &options, &at->sync);
}

/* Of the hub: what a site gets, and what it loses. */
static kecs_status run_grants(const char *verb, char *rest) {
  char token[KECS_SYNC_TOKEN_SIZE];
  const char *url = strtok(rest, " ");
  const char *site = strtok(NULL, " ");
  const char *cluster = strtok(NULL, " ");
  if (strcmp(verb, "grant") == 0) {
    return kecs_sync_hub_grant(url, site, cluster);
  }
  if (strcmp(verb, "revoke") == 0) {
    return cluster ? kecs_sync_hub_revoke(url, site, cluster) : kecs_sync_hub_token(url, site, NULL);
  }
  kecs_status status = kecs_sync_hub_token(url, site, token);
  snprintf(said, sizeof said, "%s", token);
  return status;
}

static kecs_status run_limit(char *rest) {
  kecs_sync_limits limits = {0};
  const char *url = strtok(rest, " ");
  const char *site = strtok(NULL, " ");
  const char *every = strtok(NULL, " ");
  const char *batch = strtok(NULL, " ");
  limits.every_ms = strtoll(every, NULL, 10);
  limits.batch = batch ? strtoll(batch, NULL, 10) : 0;
  limits.pause = strtok(NULL, "");
  return kecs_sync_hub_limit(url, strcmp(site, "*") == 0 ? NULL : site, strcmp(every, "none") == 0 ? NULL : &limits);
}

static kecs_status site_visit(const kecs_sync_site *site, void *user) {
  size_t used = strlen(said);
  (void)user;
  snprintf(said + used, sizeof said - used, "%s|%lld|%lld|%lld|%s\x1f", site->name, (long long)site->cursor,
           (long long)site->limits.every_ms, (long long)site->limits.batch,
           site->limits.pause ? site->limits.pause : "");
  return KECS_OK;
}

static kecs_status limits_of(place *at) {
  kecs_sync_status_info info;
  kecs_status status = kecs_sync_status(at->sync, &info);
  snprintf(said, sizeof said, "%lld %lld %s", (long long)info.hub_every_ms, (long long)info.hub_batch, info.hub_pause);
  return status;
}

static kecs_status set_option(char *text) {
  char *value = strchr(text, '=');
  int64_t number = 0;
  if (!value) {
    return KECS_E_INVALID;
  }
  *value++ = '\0';
  number = strtoll(value, NULL, 10);
  if (strcmp(text, "append_bytes") == 0) {
    extra.append_bytes = number;
  } else if (strcmp(text, "append_keep_bytes") == 0) {
    extra.append_keep_bytes = number;
  } else if (strcmp(text, "history") == 0) {
    keep_history = number != 0;
  } else if (strcmp(text, "append_pull") == 0) {
    extra.append_pull = number != 0;
  } else {
    return KECS_E_INVALID;
  }
  return KECS_OK;
}

static kecs_status close_store(place *at) {
  kecs_sync_close(at->sync);
  kecs_status status = at->store ? kecs_close(at->store) : KECS_OK;
  memset(at, 0, sizeof *at);
  return status;
}

static kecs_status round_of(place *at) {
  kecs_sync_report report;
  kecs_status status = kecs_sync_once(at->sync, &report);
  snprintf(said, sizeof said, "%lld %lld %lld %lld %lld %lld %lld %lld %lld %u %lld %lld %lld %lld",
           (long long)report.pushed, (long long)report.refused, (long long)report.pulled, (long long)report.conflicts,
           (long long)report.round_trips, (long long)report.bytes_out, (long long)report.bytes_in,
           (long long)report.appended, (long long)report.dropped, report.reconciled, (long long)report.resent,
           (long long)report.forgotten, (long long)report.restamped, (long long)report.left);
  return status;
}

static kecs_status state_of(place *at) {
  kecs_sync_status_info info;
  kecs_status status = kecs_sync_status(at->sync, &info);
  snprintf(said, sizeof said, "%lld %lld %lld %lld %lld %lld", (long long)info.number, (long long)info.pending,
           (long long)info.refused, (long long)info.wanted, (long long)info.conflicts,
           (long long)info.append_pending);
  return status;
}

static kecs_status start_thread(place *at, const char *every) {
  kecs_sync_pace pace = {0};
  pace.every_ms = (int)strtol(every ? every : "", NULL, 10);
  pace.backoff_max_ms = 200;
  return kecs_sync_start(at->sync, &pace);
}

static kecs_status told_of(place *at) {
  kecs_sync_status_info info;
  kecs_status status = kecs_sync_status(at->sync, &info);
  snprintf(said, sizeof said, "%lld %lld %lld %lld %d %d", (long long)info.rounds, (long long)info.failures,
           (long long)info.reconnects, (long long)info.lag_us, info.batch, (int)info.running);
  return status;
}

static kecs_status conflict_visit(const kecs_sync_conflict *conflict, void *user) {
  size_t used = strlen(said);
  (void)user;
  snprintf(said + used, sizeof said - used, "%s|%s|%s|%u|%lld|%lld|%s\x1f",
           kecs_kind_describe(conflict->kind)->name, conflict->key, conflict->reason, conflict->groups,
           (long long)conflict->id, (long long)conflict->resolved, conflict->lost);
  return KECS_OK;
}

static kecs_status columns_of(const kecs_kind_info *info) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group != KECS_GROUP_LOCAL) {
      size_t used = strlen(said);
      snprintf(said + used, sizeof said - used, "%s%s", used ? "," : "", info->columns[i].name);
    }
  }
  return KECS_OK;
}

static kecs_status set_column(place *at, const kecs_kind_info *info, char *rest) {
  char *key = strtok(rest, " ");
  char *column = strtok(NULL, "=");
  char *value = strtok(NULL, "");
  kecs_assignment assignment = {column, value};
  return kecs_record_assign(at->store, info->kind, key, &assignment, 1, 0, NULL);
}

static kecs_status get_row(place *at, const kecs_kind_info *info, const char *key) {
  kecs_result *result = NULL;
  const char *text = NULL;
  kecs_status status = kecs_get_json(at->store, info->kind, key, KECS_JSON_STORE, &result, &text);
  snprintf(said, sizeof said, "%s", text ? text : "");
  for (char *c = said; *c; c++) {
    *c = *c == '\n' ? ' ' : *c;
  }
  kecs_result_free(result);
  return status;
}

static kecs_status raise_counter(place *at, char *rest) {
  kecs_family_counter counter = {0};
  counter.family = strtok(rest, " ");
  counter.last_revision = strtoll(strtok(NULL, ""), NULL, 10);
  return kecs_task_definition_counter_raise(at->store, &counter);
}

static kecs_status prioritize(place *at, char *rest) {
  kecs_rule_priority wanted[16];
  size_t count = 0;
  for (char *part = strtok(rest, ","); part && count < 16; part = strtok(NULL, ",")) {
    char *number = strchr(part, '=');
    *number++ = '\0';
    wanted[count].rule_arn = part;
    wanted[count++].priority = strtoll(number, NULL, 10);
  }
  return kecs_rule_set_priorities(at->store, wanted, count);
}

static kecs_status compact_log(place *at, char *rest) {
  kecs_compaction options = {0};
  kecs_compacted done;
  options.older_than_us = strtoll(rest ? rest : "0", &rest, 10);
  options.tombstones_us = rest ? strtoll(rest, NULL, 10) : 0;
  kecs_status status = kecs_changes_compact(at->store, &options, &done);
  snprintf(said, sizeof said, "%lld %lld %lld", (long long)done.removed, (long long)done.tombstones,
           (long long)done.floor);
  return status;
}

/* Documents, one a line, in one transaction. */
static kecs_status put_file(place *at, const kecs_kind_info *info, const char *path) {
  static char document[65536];
  kecs_store *tx = NULL;
  FILE *file = fopen(path, "r");
  kecs_status status = file ? kecs_begin(at->store, &tx) : KECS_E_NOT_FOUND;
  while (!status && fgets(document, sizeof document, file)) {
    status = kecs_put_json(tx, info->kind, document, SIZE_MAX, 0, NULL);
  }
  if (file) {
    fclose(file);
  }
  if (tx && status) {
    (void)kecs_rollback(tx);
  }
  return tx && !status ? kecs_commit(tx) : status;
}

static kecs_status run_rows(const char *verb, place *at, char *rest) {
  char *kind = strtok(rest, " ");
  char *more = strtok(NULL, "");
  const kecs_kind_info *info = kecs_kind_find(kind ? kind : "");
  if (!info || !more) {
    return KECS_E_INVALID;
  }
  if (strcmp(verb, "put") == 0) {
    return kecs_put_json(at->store, info->kind, more, SIZE_MAX, 0, NULL);
  }
  if (strcmp(verb, "puts") == 0) {
    return put_file(at, info, more);
  }
  if (strcmp(verb, "set") == 0) {
    return set_column(at, info, more);
  }
  return strcmp(verb, "del") == 0 ? kecs_record_delete(at->store, info->kind, more) : get_row(at, info, more);
}

static kecs_status run(char *verb, char *rest) {
  if (strcmp(verb, "init") == 0) {
    return kecs_sync_hub_init(rest);
  }
  if (strcmp(verb, "grant") == 0 || strcmp(verb, "revoke") == 0 || strcmp(verb, "token") == 0) {
    return run_grants(verb, rest);
  }
  if (strcmp(verb, "limit") == 0) {
    return run_limit(rest);
  }
  if (strcmp(verb, "sites") == 0) {
    return kecs_sync_hub_sites(rest, site_visit, NULL);
  }
  if (strcmp(verb, "columns") == 0) {
    return columns_of(kecs_kind_find(rest));
  }
  if (strcmp(verb, "option") == 0) {
    return set_option(rest);
  }
  if (strcmp(verb, "retain") == 0) {
    int64_t retention = strtoll(rest, &rest, 10);
    return kecs_sync_hub_retain(*rest ? rest + 1 : rest, retention);
  }
  if (strcmp(verb, "policy") == 0) {
    return add_policy(rest);
  }
  if (strcmp(verb, "merger") == 0) {
    return set_merger(rest);
  }
  if (strcmp(verb, "clock") == 0) {
    shift = strtoll(rest, NULL, 10);
    return KECS_OK;
  }
  char *name = strtok(rest, " ");
  char *more = strtok(NULL, "");
  place *at = place_of(name ? name : "?");
  if (strcmp(verb, "open") == 0) {
    return open_store(at, more);
  }
  if (strcmp(verb, "edge") == 0) {
    return open_edge(at, more);
  }
  if (strcmp(verb, "close") == 0) {
    return close_store(at);
  }
  if (strcmp(verb, "sync") == 0) {
    return round_of(at);
  }
  if (strcmp(verb, "compact") == 0) {
    return compact_log(at, more);
  }
  if (strcmp(verb, "status") == 0) {
    return state_of(at);
  }
  if (strcmp(verb, "start") == 0) {
    return start_thread(at, more);
  }
  if (strcmp(verb, "stop") == 0) {
    return kecs_sync_stop(at->sync);
  }
  if (strcmp(verb, "cancel") == 0) {
    kecs_sync_cancel(at->sync);
    return KECS_OK;
  }
  if (strcmp(verb, "limits") == 0) {
    return limits_of(at);
  }
  if (strcmp(verb, "told") == 0) {
    return told_of(at);
  }
  if (strcmp(verb, "resolve") == 0) {
    return resolve(at, more);
  }
  if (strcmp(verb, "merged") == 0) {
    snprintf(said, sizeof said, "%d", merged);
    return KECS_OK;
  }
  if (strcmp(verb, "raise") == 0) {
    return raise_counter(at, more);
  }
  if (strcmp(verb, "prioritize") == 0) {
    return prioritize(at, more);
  }
  if (strcmp(verb, "conflicts") == 0) {
    return kecs_sync_conflicts(at->store, 0, conflict_visit, NULL);
  }
  return run_rows(verb, at, more);
}

int main(void) {
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = '\0';
    char *rest = strchr(line, ' ');
    said[0] = '\0';
    if (rest) {
      *rest++ = '\0';
    }
    kecs_status status = run(line, rest ? rest : line + strlen(line));
    printf("%s %s\n", kecs_status_name(status), status ? kecs_last_error()->text : said);
    fflush(stdout);
  }
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    (void)close_store(&places[i]);
  }
  return 0;
}
