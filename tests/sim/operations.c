/* operations.c -- what applications do with an edge, chosen by chance from what the kinds' descriptions say. Names come
 * from small pools, so that edges meet. */
#include "hub.h"

#include "sqlite/sqlite_header.h"
#include "store/record.h"

enum { POOL = 3, TEXTS = 64, ROWS = 20 };

/* The texts of a row under construction. */
typedef struct maker {
  sim_edge *edge;
  const kecs_kind_info *info;
  char *row;
  char texts[TEXTS][SIM_TEXT];
  int count;
} maker;

/* ---- values ---- */

static void set_text(maker *make, int column, const char *text) {
  const char *own = NULL;
  if (make->count < TEXTS) {
    own = make->texts[make->count];
    snprintf(make->texts[make->count++], SIM_TEXT, "%s", text);
  }
  memcpy(make->row + make->info->columns[column].offset, &own, sizeof own);
}

/* Any row of a kind that the edge has: a column of it; false where there is none. */
static bool any_value(sim_edge *edge, kecs_kind kind, int column, char *out, size_t size) {
  kecs_query query;
  kecs_result *result = NULL;
  int count = 0;
  memset(&query, 0, sizeof query);
  query.limit = ROWS;
  if (kecs_record_list(edge->store, kind, &query, &result) == KECS_OK) {
    while (kecs_record_at(result, kind, (size_t)count)) {
      count++;
    }
  }
  const void *row = count > 0 ? kecs_record_at(result, kind, (size_t)sim_below(&edge->world->chance, count)) : NULL;
  bool found = row && kecs_record_text(kecs_kind_describe(kind), row, column, out, size, NULL);
  kecs_result_free(result);
  return found;
}

/* The kind that a column's name speaks of: "service_arn" of services; "resource_arn" of any. */
static kecs_kind named_kind(sim_edge *edge, const char *column) {
  size_t len = strlen(column);
  char name[64];
  if (len < 5 || len >= sizeof name || strcmp(column + len - 4, "_arn") != 0) {
    return (kecs_kind)0;
  }
  snprintf(name, sizeof name, "%.*s", (int)(len - 4), column);
  const kecs_kind_info *info = kecs_kind_find(
      strcmp(name, "resource") == 0 ? sim_percent(&edge->world->chance, 50) ? "cluster" : "service" : name);
  return info && kecs_column_find(info, "arn") >= 0 ? info->kind : (kecs_kind)0;
}

static void make_text(maker *make, int column) {
  const kecs_column_info *info = &make->info->columns[column];
  sim_chance *chance = &make->edge->world->chance;
  char text[SIM_TEXT];
  kecs_kind kind = named_kind(make->edge, info->name);
  if (info->type == KECS_TYPE_JSON) {
    snprintf(text, sizeof text,
             strcmp(info->name, "tags") == 0    ? "[{\"key\":\"k%d\",\"value\":\"v%d\"}]"
             : strcmp(info->name, "extra") == 0 ? "{\"more%d\":%d}"
                                                : "[{\"name\":\"a%d\",\"value\":\"%d\"}]",
             sim_below(chance, POOL), sim_below(chance, 100));
  } else if (kind &&
             any_value(make->edge, kind, kecs_column_find(kecs_kind_describe(kind), "arn"), text, sizeof text)) {
    text[SIM_TEXT - 1] = '\0';
  } else if (info->group == KECS_GROUP_KEY) {
    snprintf(text, sizeof text, "%c%d", info->name[0], sim_below(chance, POOL));
  } else {
    static const char *const odd[] = {"", "a,b\\c", "{\"x\"}", "NULL", "\xc3\xa4\xe2\x82\xac", "it's \"so\"\n"};
    char copy[16];
    snprintf(copy, sizeof copy, "v%d", sim_below(chance, 100));
    snprintf(text, sizeof text, "%s", sim_percent(chance, 10) ? odd[sim_below(chance, 6)] : copy);
  }
  set_text(make, column, text);
}

static void make_number(maker *make, int column) {
  const kecs_column_info *info = &make->info->columns[column];
  sim_chance *chance = &make->edge->world->chance;
  char *at = make->row + info->offset;
  int64_t number = sim_percent(chance, 5) ? INT64_MAX : sim_below(chance, 1000);
  bool yes = number & 1;
  kecs_opt_int optional = {number, sim_percent(chance, 80)};
  switch (info->type) {
    case KECS_TYPE_BOOL:
      memcpy(at, &yes, sizeof yes);
      break;
    case KECS_TYPE_OPTI:
      memcpy(at, &optional, sizeof optional);
      break;
    case KECS_TYPE_TIME:
      number = make->edge->world->now_us / 1000000 * 1000000 + number % 1000;
      memcpy(at, &number, sizeof number);
      break;
    default:
      memcpy(at, &number, sizeof number);
      break;
  }
}

static const kecs_reference *reference_of(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->reference_count; i++) {
    if (info->references[i].column == column) {
      return &info->references[i];
    }
  }
  return NULL;
}

static void make_column(maker *make, int column) {
  const kecs_column_info *info = &make->info->columns[column];
  const kecs_reference *reference = reference_of(make->info, column);
  char text[SIM_TEXT];
  if (reference) {
    if (any_value(make->edge, reference->parent, reference->parent_column, text, sizeof text)) {
      set_text(make, column, text);
    }
  } else if (info->type == KECS_TYPE_TEXT || info->type == KECS_TYPE_JSON) {
    make_text(make, column);
  } else {
    make_number(make, column);
  }
}

/* ---- operations ---- */

/* What names a new row: its name, or its id where it has none. */
static bool names_it(const kecs_kind_info *info, const kecs_column_info *column) {
  int name = kecs_column_find(info, "name");
  bool named = name >= 0 && info->columns[name].group == KECS_GROUP_KEY;
  return strcmp(column->name, "id") == 0 && !named && kecs_column_find(info, "arn") >= 0;
}

static void make_row(maker *make, int percent) {
  for (int i = 0; i < make->info->column_count; i++) {
    const kecs_column_info *column = &make->info->columns[i];
    bool needed =
        (column->flags & KECS_COLUMN_NOT_NULL) && !(column->flags & KECS_COLUMN_SERVER) && !column->default_text;
    bool synced = column->group == KECS_GROUP_SPEC || column->group == KECS_GROUP_STATUS;
    if (column->group != KECS_GROUP_LOCAL && (needed || names_it(make->info, column) || reference_of(make->info, i) ||
                                              (synced && sim_percent(&make->edge->world->chance, percent)))) {
      make_column(make, i);
    }
  }
}

static kecs_status put(maker *make) {
  make_row(make, 15);
  return sim_percent(&make->edge->world->chance, 50)
             ? kecs_record_create(make->edge->store, make->info->kind, make->row, NULL)
             : kecs_record_upsert(make->edge->store, make->info->kind, make->row, NULL);
}

/* Changes columns of `row`, some of one group, or of both. */
static kecs_status update(maker *make, const void *row) {
  sim_chance *chance = &make->edge->world->chance;
  uint64_t mask = 0;
  int groups = sim_below(chance, 3);
  memcpy(make->row, row, make->info->row_size);
  for (int i = 0; i < make->info->column_count; i++) {
    const kecs_column_info *column = &make->info->columns[i];
    bool chosen = (column->group == KECS_GROUP_SPEC && groups != 1) || (column->group == KECS_GROUP_STATUS && groups);
    if (chosen && sim_percent(chance, 15)) {
      make_column(make, i);
      mask |= KECS_BIT(i);
    }
  }
  int version = kecs_column_find(make->info, "version");
  if (version >= 0) {
    memset(make->row + make->info->columns[version].offset, 0, sizeof(int64_t));
  }
  return mask ? kecs_record_update(make->edge->store, make->info->kind, make->row, mask, NULL) : KECS_OK;
}

/* By the natural key as one text. */
static kecs_status erase(maker *make, const void *row) {
  const kecs_column_list *key = &make->info->keys[0];
  char text[SIM_TEXT] = "";
  size_t used = 0;
  for (int i = 0; i < key->count; i++) {
    char part[SIM_TEXT] = "";
    (void)kecs_record_text(make->info, row, key->columns[i], part, sizeof part, NULL);
    for (const char *at = part; *at && used + 4 < sizeof text; at++) {
      if (i < key->count - 1 && (*at == ',' || *at == '\\')) {
        text[used++] = '\\';
      }
      text[used++] = *at;
    }
    if (i < key->count - 1 && used + 4 < sizeof text) {
      text[used++] = ',';
    }
    text[used] = '\0';
  }
  return kecs_record_delete(make->edge->store, make->info->kind, text);
}

static const kecs_kind_info *any_kind(sim_edge *edge) {
  const kecs_kind_info *found = NULL;
  for (int seen = 0, kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if ((edge->world->kinds & KECS_BIT(kind)) && sim_below(&edge->world->chance, ++seen) == 0) {
      found = kecs_kind_describe((kecs_kind)kind);
    }
  }
  return found;
}

/* What an operation may come to in a store that works. */
static bool expected(kecs_status status) {
  return status == KECS_OK || status == KECS_E_NOT_FOUND || status == KECS_E_EXISTS || status == KECS_E_REFERENCE ||
         status == KECS_E_INVALID;
}

void sim_operation(sim_edge *edge) {
  maker *make = sim_alloc(sizeof *make);
  sim_chance *chance = &edge->world->chance;
  kecs_query query;
  kecs_result *result = NULL;
  kecs_status status = KECS_OK;
  const char *verb = "put";
  int choice = sim_below(chance, 100);
  make->edge = edge;
  make->info = any_kind(edge);
  make->row = sim_alloc(make->info->row_size);
  memset(&query, 0, sizeof query);
  query.limit = ROWS;
  int count = 0;
  if (choice >= 35 && kecs_record_list(edge->store, make->info->kind, &query, &result) == KECS_OK) {
    while (kecs_record_at(result, make->info->kind, (size_t)count)) {
      count++;
    }
  }
  const void *row = count > 0 ? kecs_record_at(result, make->info->kind, (size_t)sim_below(chance, count)) : NULL;
  if (!row) {
    status = put(make);
  } else if (choice < 80) {
    verb = "update";
    status = update(make, row);
  } else {
    verb = "delete";
    status = erase(make, row);
  }
  sim_trace(edge->world, "%s %s %s: %s", edge->site, verb, make->info->name,
            status ? kecs_last_error()->text : kecs_status_name(status));
  edge->world->done[make->info->kind] += status == KECS_OK;
  if (!expected(status) && !sim_disk_killed(edge->path)) {
    sim_fail(edge->world, "%s: %s of a %s: %s", edge->site, verb, make->info->name, kecs_last_error()->text);
  }
  kecs_result_free(result);
  free(make->row);
  free(make);
}

/* A column that another program can write: a text, of no meaning to others. */
static int free_column(sim_chance *chance, const kecs_kind_info *info) {
  int column = -1;
  for (int seen = 0, i = 0; i < info->column_count; i++) {
    bool good = info->columns[i].type == KECS_TYPE_TEXT && !reference_of(info, i) &&
                (info->columns[i].group == KECS_GROUP_SPEC || info->columns[i].group == KECS_GROUP_STATUS);
    column = good && sim_below(chance, ++seen) == 0 ? i : column;
  }
  return column;
}

void sim_grow_log(sim_edge *edge) {
  maker *make = sim_alloc(sizeof *make);
  make->edge = edge;
  for (int seen = 0, kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if ((edge->world->growing & KECS_BIT(kind)) && sim_below(&edge->world->chance, ++seen) == 0) {
      make->info = kecs_kind_describe((kecs_kind)kind);
    }
  }
  make->row = sim_alloc(make->info->row_size);
  make_row(make, 15);
  kecs_status status = kecs_record_create(edge->store, make->info->kind, make->row, NULL);
  sim_trace(edge->world, "%s writes a %s: %s", edge->site, make->info->name,
            status ? kecs_last_error()->text : kecs_status_name(status));
  edge->world->done[make->info->kind] += status == KECS_OK;
  if (!expected(status) && !sim_disk_killed(edge->path)) {
    sim_fail(edge->world, "%s: a %s: %s", edge->site, make->info->name, kecs_last_error()->text);
  }
  free(make->row);
  free(make);
}

/* Another program writes to the file, without the library. */
void sim_shell(sim_edge *edge) {
  sim_chance *chance = &edge->world->chance;
  const kecs_kind_info *info = any_kind(edge);
  char sql[512];
  sqlite3 *db = NULL;
  char *problem = NULL;
  int column = free_column(chance, info);
  if (column < 0 || sqlite3_open_v2(edge->path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    (void)sqlite3_close(db);
    return;
  }
  if (sim_percent(chance, 70)) {
    snprintf(sql, sizeof sql, "UPDATE %s SET %s='s%d' WHERE rid=(SELECT max(rid) FROM %s)", info->table,
             info->columns[column].name, sim_below(chance, 100), info->table);
  } else {
    snprintf(sql, sizeof sql, "PRAGMA foreign_keys=ON;DELETE FROM %s WHERE rid=(SELECT min(rid) FROM %s)", info->table,
             info->table);
  }
  int rc = sqlite3_exec(db, sql, NULL, NULL, &problem);
  sim_trace(edge->world, "%s shell %s: %s", edge->site, sql, problem ? problem : "done");
  if (rc != SQLITE_OK && rc != SQLITE_CONSTRAINT && !sim_disk_killed(edge->path)) {
    sim_fail(edge->world, "%s: shell: %s: %s", edge->site, sql, problem ? problem : "?");
  }
  sqlite3_free(problem);
  (void)sqlite3_close(db);
}

/* ---- at the hub ---- */

void sim_hub_write(sim_world *world) {
  sim_states states;
  char value[16];
  int living = 0;
  const sim_state *chosen = NULL;
  sim_hub_states(world, &states);
  for (size_t i = 0; i < states.count; i++) {
    if (!states.list[i].dead && sim_below(&world->chance, ++living) == 0) {
      chosen = &states.list[i];
    }
  }
  int column = chosen ? free_column(&world->chance, kecs_kind_describe((kecs_kind)chosen->kind)) : -1;
  bool erases = sim_percent(&world->chance, 20);
  snprintf(value, sizeof value, "h%d", sim_below(&world->chance, 100));
  if (chosen && (erases || column >= 0)) {
    sim_trace(world, "at the hub: %s %s", erases ? "delete" : "update", chosen->key);
    if (erases && world->hub) {
      hub_erase(world->hub, chosen->kind, chosen->key, world->now_us);
    } else if (erases) {
      sim_postgres_erase(world, chosen->kind, chosen->key);
    } else if (world->hub) {
      hub_change(world->hub, chosen->kind, chosen->key, column, value, world->now_us);
    } else {
      sim_postgres_change(world, chosen->kind, chosen->key, column, value);
    }
  }
  sim_states_free(&states);
}
