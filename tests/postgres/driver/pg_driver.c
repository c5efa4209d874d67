/* pg_driver.c -- a program with one store that does what it reads, line by line, for scripts that stop servers and cut
 * connections meanwhile. It answers each line with one of its own: the status, the SQLSTATE or "-", and a text.
 *
 *   open URL | close | put NAME | count | get NAME | begin | txput NAME | commit | rollback | pool | outcome
 *   pipeline KIND=KEY ...
 *   many COUNT NAME | set NAME | watch SEQUENCE | next MILLISECONDS | unwatch
 *
 * count and get answer with the number of clusters; pool with total, active, idle and retired connections; outcome says
 * what became of the transaction of the last failure. pipeline reads rows by their keys (a list where there is none),
 * and answers with the number of rows of each, or its status. many creates nodes NAME-0, NAME-1 ...; set updates a
 * node's port. next answers with "SEQUENCE OP KEY", or nothing when no change came. */
#include "kecs_store_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static kecs_store *store;
static kecs_store *tx;
static kecs_watch *watch;
static kecs_error failure;
static char said[256];

static kecs_status put(kecs_store *into, const char *name) {
  kecs_cluster cluster = {.name = name};
  return kecs_cluster_create(into, &cluster, NULL);
}

static kecs_status get(const char *name) {
  kecs_result *result = NULL;
  kecs_status status = kecs_cluster_get(store, name, &result);
  snprintf(said, sizeof said, "%d", (int)kecs_result_count(result));
  kecs_result_free(result);
  return status;
}

static kecs_status count(void) {
  int64_t rows = 0;
  kecs_status status = kecs_cluster_count(store, NULL, &rows);
  snprintf(said, sizeof said, "%lld", (long long)rows);
  return status;
}

static kecs_status pool(void) {
  kecs_info info;
  kecs_status status = kecs_store_info(store, &info);
  snprintf(said, sizeof said, "%d %d %d %lld", info.pool.total, info.pool.active, info.pool.idle,
           (long long)info.pool.retired);
  return status;
}

static kecs_status pipeline(char *words) {
  kecs_read reads[16];
  kecs_answers *answers = NULL;
  size_t count = 0;
  for (char *word = strtok(words, " "); word && count < sizeof reads / sizeof reads[0]; word = strtok(NULL, " ")) {
    char *equals = strchr(word, '=');
    *equals = '\0';
    const kecs_kind_info *info = kecs_kind_find(word);
    reads[count++] = (kecs_read){info ? info->kind : (kecs_kind)0, equals[1] ? equals + 1 : NULL, NULL};
  }
  kecs_status status = kecs_pipeline(store, reads, count, &answers);
  size_t used = 0;
  for (size_t i = 0; i < kecs_answers_count(answers); i++) {
    kecs_result *result = NULL;
    kecs_status one = kecs_answers_at(answers, i, &result);
    used += (size_t)snprintf(said + used, sizeof said - used, "%s%d", i > 0 ? " " : "",
                             one ? (int)one : (int)kecs_result_count(result));
  }
  kecs_answers_free(answers);
  return status;
}

static kecs_status outcome(void) {
  static const char *const words[] = {"unknown", "stored", "not stored", "running"};
  kecs_outcome what = KECS_OUTCOME_UNKNOWN;
  kecs_status status = kecs_find_outcome(store, &failure, &what);
  snprintf(said, sizeof said, "%s", words[what]);
  return status;
}

static kecs_status many(const char *rest) {
  enum { MANY_MAX = 2000 };
  static kecs_node nodes[MANY_MAX];
  static char ids[MANY_MAX][64];
  char name[48] = "";
  int rows = 0;
  if (sscanf(rest, "%d %47s", &rows, name) != 2 || rows < 0 || rows > MANY_MAX) {
    return KECS_E_MISUSE;
  }
  for (int i = 0; i < rows; i++) {
    snprintf(ids[i], sizeof ids[i], "%s-%d", name, i);
    nodes[i] = (kecs_node){.id = ids[i], .hostname = "host"};
  }
  return kecs_node_create_many(store, nodes, (size_t)rows, NULL);
}

static kecs_status set(const char *id) {
  static int64_t port;
  kecs_node node = {.id = id, .port = ++port};
  return kecs_node_update_fields(store, &node, KECS_BIT(KECS_NODE_PORT), NULL);
}

static kecs_status open_watch(const char *seq) {
  kecs_watch_options options = {.from_seq = strtoll(seq, NULL, 10)};
  return kecs_watch_open(store, &options, &watch);
}

static kecs_status next(const char *timeout) {
  const kecs_change *change = NULL;
  kecs_status status = kecs_watch_next(watch, (int)strtol(timeout, NULL, 10), &change);
  if (!status && change) {
    snprintf(said, sizeof said, "%lld %d %s", (long long)change->seq, (int)change->op, change->key);
  }
  return status;
}

static kecs_status unwatch(void) {
  kecs_watch_close(watch);
  watch = NULL;
  return KECS_OK;
}

static kecs_status end(kecs_status (*how)(kecs_store *handle), kecs_store **handle) {
  kecs_store *ended = *handle;
  *handle = NULL;
  return how(ended);
}

static kecs_status obey(const char *verb, char *rest) {
  kecs_options options = {.path = rest, .backends = kecs_pg_backends()};
  said[0] = '\0';
  if (strcmp(verb, "open") == 0) {
    return kecs_open(&options, &store);
  }
  if (strcmp(verb, "put") == 0 || strcmp(verb, "txput") == 0) {
    return put(verb[0] == 'p' ? store : tx, rest);
  }
  if (strcmp(verb, "begin") == 0) {
    return kecs_begin(store, &tx);
  }
  return strcmp(verb, "close") == 0      ? end(kecs_close, &store)
         : strcmp(verb, "commit") == 0   ? end(kecs_commit, &tx)
         : strcmp(verb, "rollback") == 0 ? end(kecs_rollback, &tx)
         : strcmp(verb, "count") == 0    ? count()
         : strcmp(verb, "get") == 0      ? get(rest)
         : strcmp(verb, "pool") == 0     ? pool()
         : strcmp(verb, "pipeline") == 0 ? pipeline(rest)
         : strcmp(verb, "outcome") == 0  ? outcome()
         : strcmp(verb, "many") == 0     ? many(rest)
         : strcmp(verb, "set") == 0      ? set(rest)
         : strcmp(verb, "watch") == 0    ? open_watch(rest)
         : strcmp(verb, "next") == 0     ? next(rest)
         : strcmp(verb, "unwatch") == 0  ? unwatch()
                                         : KECS_E_MISUSE;
}

int main(void) {
  char line[2048];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = '\0';
    char *rest = strchr(line, ' ');
    if (rest) {
      *rest++ = '\0';
    }
    kecs_status status = obey(line, rest ? rest : line + strlen(line));
    kecs_error now = *kecs_last_error();
    if (status && strcmp(line, "outcome") != 0) {
      failure = now;
    }
    printf("%s %s %s\n", kecs_status_name(status), status && now.sqlstate[0] ? now.sqlstate : "-",
           status ? now.text : said);
    fflush(stdout);
  }
  kecs_watch_close(watch);
  return kecs_close(store) == KECS_OK ? 0 : 1;
}
