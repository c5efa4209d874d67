/* bench/documents.h -- two cases of their own: importing documents, and opening a large file. */
#ifndef BENCH_DOCUMENTS_H
#define BENCH_DOCUMENTS_H
#include "files.h"

#include <glob.h>

enum {
  DOCUMENTS_MAX = 8192,
  DOCUMENTS_TASKS = 5000,
  DOCUMENTS_SQL = 16384,
  BENCH_IMPORTS = 4, /* in a round, each into a new file */
  BENCH_OPENS = 20,
  BENCH_OPEN_BYTES_MAX = 1048576
};

/* ---- documents ---- */

typedef struct document {
  char *text;
  size_t start; /* in `joined` */
  kecs_kind kind;
  bool refused;
} document;

typedef struct documents {
  document list[DOCUMENTS_MAX];
  int count;
  char *joined;    /* all of them, one behind the other */
  sqlite3 *reader; /* takes documents apart before anything is measured */
  sqlite3_stmt *unwrap;
  sqlite3_stmt *classify;
} documents;

/* Which member tells the kind; the first that is there decides. */
static const struct {
  const char *member;
  kecs_kind kind;
} document_kinds[] = {
    {"taskSetArn", KECS_KIND_TASK_SET},
    {"taskArn", KECS_KIND_TASK},
    {"serviceArn", KECS_KIND_SERVICE},
    {"containerInstanceArn", KECS_KIND_CONTAINER_INSTANCE},
    {"clusterArn", KECS_KIND_CLUSTER},
    {"taskDefinitionArn", KECS_KIND_TASK_DEFINITION},
    {"containerDefinitions", KECS_KIND_TASK_DEFINITION},
    {"RuleArn", KECS_KIND_RULE},
    {"ListenerArn", KECS_KIND_LISTENER},
    {"TargetGroupArn", KECS_KIND_TARGET_GROUP},
    {"LoadBalancerArn", KECS_KIND_LOAD_BALANCER},
};

static void documents_prepare(documents *set) {
  char sql[2048] = "SELECT CASE";
  size_t used = strlen(sql);
  bench_check(sqlite3_open(":memory:", &set->reader) == SQLITE_OK, "open a database in memory");
  for (size_t i = 0; i < sizeof document_kinds / sizeof document_kinds[0]; i++) {
    used += (size_t)snprintf(sql + used, sizeof sql - used, " WHEN json_type(?1,'$.%s') IS NOT NULL THEN %d",
                             document_kinds[i].member, (int)document_kinds[i].kind);
  }
  snprintf(sql + used, sizeof sql - used, " END WHERE json_valid(?1)");
  set->classify = baseline_prepare(set->reader, sql);
  set->unwrap = baseline_prepare(set->reader,
                                 "SELECT CASE json_type(?1,'$.taskDefinition') WHEN 'object' "
                                 "THEN json_extract(?1,'$.taskDefinition') ELSE ?1 END WHERE json_valid(?1)");
}

/* Keeps a document that is JSON and of a kind that can be told; a DescribeTaskDefinition answer gives its content. */
static void documents_add(documents *set, const char *text, size_t len) {
  sqlite3_bind_text(set->unwrap, 1, text, (int)len, SQLITE_STATIC);
  if (sqlite3_step(set->unwrap) == SQLITE_ROW && set->count < DOCUMENTS_MAX) {
    document *added = &set->list[set->count];
    added->text = strdup((const char *)sqlite3_column_text(set->unwrap, 0));
    sqlite3_bind_text(set->classify, 1, added->text, -1, SQLITE_STATIC);
    bench_check(sqlite3_step(set->classify) == SQLITE_ROW, "classify: %s", sqlite3_errmsg(set->reader));
    added->kind = (kecs_kind)sqlite3_column_int(set->classify, 0);
    (void)sqlite3_reset(set->classify);
    if (added->kind) {
      set->count++;
    } else {
      free(added->text);
    }
  }
  (void)sqlite3_reset(set->unwrap);
}

static char *file_read(const char *path, size_t *out_len) {
  FILE *file = fopen(path, "rb");
  bench_check(file && fseek(file, 0, SEEK_END) == 0, "can't read %s", path);
  *out_len = (size_t)ftell(file);
  rewind(file);
  char *text = malloc(*out_len + 1);
  bench_check(text && fread(text, 1, *out_len, file) == *out_len, "can't read %s", path);
  text[*out_len] = '\0';
  (void)fclose(file);
  return text;
}

/* A file whose name ends in l has a document on each line. */
static void documents_file(documents *set, const char *path) {
  size_t len;
  char *text = file_read(path, &len);
  const char *at = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
  if (path[strlen(path) - 1] != 'l') {
    documents_add(set, at, strlen(at));
  }
  while (path[strlen(path) - 1] == 'l' && *at) {
    size_t line = strcspn(at, "\n");
    documents_add(set, at, line);
    at += line + (at[line] ? 1 : 0);
  }
  free(text);
}

static void documents_folder(documents *set, const char *folder, const char *pattern) {
  char path[BENCH_PATH];
  glob_t found;
  snprintf(path, sizeof path, "%s/%s", folder, pattern);
  if (glob(path, 0, NULL, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; i++) {
      documents_file(set, found.gl_pathv[i]);
    }
    globfree(&found);
  }
}

static void documents_join(documents *set) {
  size_t size = 1;
  for (int i = 0; i < set->count; i++) {
    size += strlen(set->list[i].text) + 1;
  }
  free(set->joined);
  set->joined = malloc(size);
  bench_check(set->joined != NULL, "out of memory");
  char *at = set->joined;
  for (int i = 0; i < set->count; i++) {
    size_t len = strlen(set->list[i].text);
    set->list[i].start = (size_t)(at - set->joined);
    memcpy(at, set->list[i].text, len);
    at[len] = '\n';
    at += len + 1;
  }
  *at = '\0';
}

static void documents_note(const kecs_import_note *note, void *user) {
  documents *set = user;
  for (int i = set->count - 1; note->refused && i >= 0; i--) {
    if (set->list[i].start <= note->offset) {
      set->list[i].refused = true;
      break;
    }
  }
}

/* Takes out what the store refuses, such as a second load balancer of one name: by hand it would be stored. */
static void documents_sift(documents *set) {
  kecs_import_options options = {0};
  kecs_store *store = bench_open(":memory:", 0);
  documents_join(set);
  options.note = documents_note;
  options.user = set;
  bench_ok(kecs_import(store, set->joined, SIZE_MAX, &options, NULL, NULL), "import");
  bench_ok(kecs_close(store), "close");
  int kept = 0;
  for (int i = 0; i < set->count; i++) {
    if (set->list[i].refused) {
      free(set->list[i].text);
    } else {
      set->list[kept++] = set->list[i];
    }
  }
  set->count = kept;
  documents_join(set);
}

/* Recorded documents: of KECS_CORPUS, else those of the examples. */
static void documents_load(documents *set) {
  const char *corpus = getenv("KECS_CORPUS");
  documents_prepare(set);
  if (corpus && *corpus) {
    documents_folder(set, corpus, "moto-recorded/objects/*.jsonl");
    documents_folder(set, corpus, "taskdef/*/*.json");
  }
  if (set->count == 0) {
    documents_folder(set, "examples/data", "*.json");
    documents_folder(set, "examples/data", "*.jsonl");
  }
  documents_sift(set);
}

/* The first tasks of a file, as documents. */
static void documents_of_tasks(documents *set, const char *path) {
  char arn[BENCH_ARN];
  kecs_store *store = bench_open(path, 0);
  for (int i = 0; i < DOCUMENTS_TASKS; i++) {
    kecs_result *result;
    const char *text;
    bench_arn(arn, (uint64_t)i);
    bench_ok(kecs_get_json(store, KECS_KIND_TASK, arn, 0, &result, &text), "get_json");
    set->list[i].text = strdup(text);
    set->list[i].kind = KECS_KIND_TASK;
    kecs_result_free(result);
  }
  set->count = DOCUMENTS_TASKS;
  bench_ok(kecs_close(store), "close");
  documents_join(set);
}

static void documents_free(documents *set) {
  for (int i = 0; i < set->count; i++) {
    free(set->list[i].text);
  }
  free(set->joined);
  (void)sqlite3_finalize(set->unwrap);
  (void)sqlite3_finalize(set->classify);
  (void)sqlite3_close(set->reader);
}

/* ---- import by hand: one json_extract for each column ---- */

/* "a|b" is read as a, or else b; what stands under "kecs." comes from no document. */
static void member_sql(const char *json, char *out, size_t size) {
  const char *bar = strchr(json, '|');
  if (!*json || strncmp(json, "kecs.", 5) == 0) {
    snprintf(out, size, "NULL");
  } else if (bar) {
    snprintf(out, size, "coalesce(json_extract(?1,'$.%.*s'),json_extract(?1,'$.%s'))", (int)(bar - json), json,
             bar + 1);
  } else {
    snprintf(out, size, "json_extract(?1,'$.%s')", json);
  }
}

/* The value of a column: ?1 is the document, ?2 its number, ?3 the time now. */
static void column_sql(const kecs_column_info *column, char *out, size_t size) {
  char member[256];
  char value[1024];
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  member_sql(column->json, member, sizeof member);
  snprintf(value, sizeof value, "%s", member);
  if (column->type == KECS_TYPE_TIME && strcmp(member, "NULL") != 0) {
    snprintf(value, sizeof value, "CAST(1000000*iif(typeof(%s)='text',strftime('%%s',%s),%s) AS INTEGER)", member,
             member, member);
  } else if (!text && strcmp(member, "NULL") != 0) {
    snprintf(value, sizeof value, "CAST(%s AS INTEGER)", member);
  }
  if (!(column->flags & KECS_COLUMN_NOT_NULL)) {
    snprintf(out, size, "%s", value);
  } else if (column->default_text) {
    snprintf(out, size, text ? "coalesce(%s,'%s')" : "coalesce(%s,%s)", value, column->default_text);
  } else {
    snprintf(out, size, "coalesce(%s,%s)", value, text ? "'made-'||?2" : column->type == KECS_TYPE_TIME ? "?3" : "?2");
  }
}

static sqlite3_stmt *import_statement(sqlite3 *db, kecs_kind kind) {
  static char sql[DOCUMENTS_SQL];
  static char values[DOCUMENTS_SQL];
  char value[1280];
  const kecs_kind_info *info = kecs_kind_describe(kind);
  size_t used = (size_t)snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO %s(", info->table);
  size_t values_used = 0;
  for (int i = 0; i < info->column_count; i++) {
    const char *comma = i > 0 ? "," : "";
    column_sql(&info->columns[i], value, sizeof value);
    used += (size_t)snprintf(sql + used, sizeof sql - used, "%s%s", comma, info->columns[i].name);
    values_used += (size_t)snprintf(values + values_used, sizeof values - values_used, "%s%s", comma, value);
    bench_check(used < sizeof sql - 16 && values_used < sizeof values - 1024, "DOCUMENTS_SQL is too small");
  }
  bench_check(used + values_used + 16 < sizeof sql, "DOCUMENTS_SQL is too small");
  snprintf(sql + used, sizeof sql - used, ") SELECT %s", values);
  return baseline_prepare(db, sql);
}

static double import_by_hand(const documents *set, const char *path) {
  sqlite3_stmt *statements[KECS_KIND_COUNT] = {NULL};
  sqlite3 *db = baseline_connect(path, 65536);
  baseline_run(db, "PRAGMA foreign_keys=OFF"); /* a document may come before its parent, or have none */
  double since = bench_cpu();
  baseline_run(db, "BEGIN IMMEDIATE");
  for (int i = 0; i < set->count; i++) {
    sqlite3_stmt **statement = &statements[set->list[i].kind];
    *statement = *statement ? *statement : import_statement(db, set->list[i].kind);
    sqlite3_bind_text(*statement, 1, set->list[i].text, -1, SQLITE_STATIC);
    sqlite3_bind_int(*statement, 2, i + 1);
    sqlite3_bind_int64(*statement, 3, bench_now_us());
    baseline_step(*statement);
  }
  baseline_run(db, "COMMIT");
  double seconds = bench_cpu() - since;
  for (int i = 0; i < KECS_KIND_COUNT; i++) {
    (void)sqlite3_finalize(statements[i]);
  }
  bench_check(sqlite3_close(db) == SQLITE_OK, "close %s", path);
  return seconds / set->count;
}

static double import_by_store(const documents *set, const char *path, int64_t *out_put, int64_t *out_refused) {
  kecs_store *store = bench_open(path, 0);
  double since = bench_cpu();
  bench_ok(kecs_import(store, set->joined, SIZE_MAX, NULL, out_put, out_refused), "import");
  double seconds = bench_cpu() - since;
  bench_ok(kecs_close(store), "close");
  return seconds / set->count;
}

static void run_import_set(const documents *set, const char *name, const char *dir, int rounds, bench_table *table) {
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  char fresh[BENCH_PATH];
  char path[BENCH_PATH];
  int64_t put = 0;
  int64_t refused = 0;
  snprintf(fresh, sizeof fresh, "%s/fresh.db", dir);
  snprintf(path, sizeof path, "%s/import.db", dir);
  bench_remove(fresh);
  bench_ok(kecs_close(bench_open(fresh, 0)), "close");
  for (int round = -1; round < rounds; round++) {
    int at = round < 0 ? 0 : round;
    ours[at] = 0;
    theirs[at] = 0;
    for (int i = 0; i < BENCH_IMPORTS; i++) {
      bench_copy(fresh, path);
      ours[at] += import_by_store(set, path, &put, &refused) / BENCH_IMPORTS;
      bench_copy(fresh, path);
      theirs[at] += import_by_hand(set, path) / BENCH_IMPORTS;
    }
  }
  bench_check(put >= set->count, "%s: only %lld of %d documents were imported", name, (long long)put, set->count);
  bench_add(table, name, 0, ours, theirs, rounds);
  printf("%-34s %d documents, %zu KiB\n", "", set->count, strlen(set->joined) / 1024);
  bench_remove(path);
  bench_remove(fresh);
}

static void run_import_tasks(const char *small, const char *dir, int rounds, bench_table *table) {
  static documents set;
  documents_of_tasks(&set, small);
  run_import_set(&set, "import.tasks", dir, rounds, table);
  documents_free(&set);
}

static void run_import_recorded(const char *dir, int rounds, bench_table *table) {
  static documents set;
  documents_load(&set);
  if (set.count > 0) {
    run_import_set(&set, "import.recorded", dir, rounds, table);
  } else {
    printf("%-34s no documents; KECS_CORPUS names a folder of them\n", "import.recorded");
  }
  documents_free(&set);
}

/* ---- opening ---- */

/* Bytes that this process has read so far; -1 where the system does not tell. */
static int64_t bytes_read(void) {
  char line[128];
  long long bytes = -1;
  FILE *file = fopen("/proc/self/io", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "rchar: %lld", &bytes) == 1) {
      break;
    }
  }
  if (file) {
    (void)fclose(file);
  }
  return bytes;
}

static void open_by_hand(const char *path) {
  sqlite3 *db = NULL;
  bench_check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK, "open %s",
              path);
  baseline_run(db, "SELECT 1 FROM tasks LIMIT 1");
  bench_check(sqlite3_close(db) == SQLITE_OK, "close %s", path);
}

static void run_open(const char *path, int rounds, bench_table *table) {
  double ours[BENCH_ROUNDS_MAX];
  double theirs[BENCH_ROUNDS_MAX];
  int64_t before = bytes_read();
  bench_ok(kecs_close(bench_open(path, 0)), "close");
  int64_t read = bytes_read() - before;
  for (int round = -1; round < rounds; round++) {
    int at = round < 0 ? 0 : round;
    double since = bench_cpu();
    for (int i = 0; i < BENCH_OPENS; i++) {
      bench_ok(kecs_close(bench_open(path, 0)), "close");
    }
    double until = bench_cpu();
    for (int i = 0; i < BENCH_OPENS; i++) {
      open_by_hand(path);
    }
    ours[at] = (until - since) / BENCH_OPENS;
    theirs[at] = (bench_cpu() - until) / BENCH_OPENS;
  }
  bench_add(table, "open.existing", 0, ours, theirs, rounds);
  if (before >= 0) {
    struct stat info;
    bench_check(stat(path, &info) == 0, "can't look at %s", path);
    printf("%-34s %lld KiB read of a file of %lld MiB\n", "", (long long)read / 1024,
           (long long)info.st_size / 1048576);
    bench_check(read < BENCH_OPEN_BYTES_MAX, "opening has read %lld bytes: something scans the file", (long long)read);
  }
}

#endif
