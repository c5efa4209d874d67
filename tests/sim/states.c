/* states.c -- states of natural keys: lists of them, their order, and what an edge's file has. */
#include "sim.h"

#include "sqlite/connection.h"
#include "store/access.h"

/* ---- lists ---- */

sim_state *sim_states_add(sim_states *states, int kind, char *key, char *values) {
  if (states->count == states->room) {
    states->room = states->room ? states->room * 2 : 32;
    states->list = sim_grow(states->list, states->room * sizeof *states->list);
  }
  sim_state *state = &states->list[states->count++];
  memset(state, 0, sizeof *state);
  state->kind = kind;
  state->key = key;
  state->values = values;
  return state;
}

static int compare(const void *left, const void *right) {
  const sim_state *a = left;
  const sim_state *b = right;
  return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->key, b->key);
}

void sim_states_sort(sim_states *states) {
  if (states->count > 0) {
    qsort(states->list, states->count, sizeof *states->list, compare);
  }
}

sim_state *sim_states_find(const sim_states *states, int kind, const char *key) {
  sim_state wanted = {kind, false, NULL, {0}, {0}, NULL};
  char copy[SIM_TEXT];
  snprintf(copy, sizeof copy, "%s", key);
  wanted.key = copy;
  return states->count ? bsearch(&wanted, states->list, states->count, sizeof *states->list, compare) : NULL;
}

void sim_states_free(sim_states *states) {
  for (size_t i = 0; i < states->count; i++) {
    free(states->list[i].key);
    free(states->list[i].values);
  }
  free(states->list);
  memset(states, 0, sizeof *states);
}

/* ---- order ---- */

int sim_stamp_order(int64_t stamp, int64_t site, int64_t other, int64_t other_site) {
  if (stamp != other) {
    return stamp < other ? -1 : 1;
  }
  return site < other_site ? -1 : site > other_site;
}

bool sim_state_covers(const sim_state *a, const sim_state *b) {
  int life = sim_stamp_order(a->stamp[0], a->site[0], b->stamp[0], b->site[0]);
  bool groups = true;
  for (int i = 1; i < KECS_REPLICA_STAMPS; i++) {
    groups = groups && sim_stamp_order(a->stamp[i], a->site[i], b->stamp[i], b->site[i]) >= 0;
  }
  return life > 0 || (life == 0 && a->dead == b->dead && (a->dead || groups));
}

void sim_state_text(const sim_state *state, char *out, size_t size) {
  snprintf(out, size, "%s %s%s life %lld/%lld spec %lld/%lld status %lld/%lld [%.200s]",
           kecs_kind_describe((kecs_kind)state->kind)->name, state->key, state->dead ? " (dead)" : "",
           (long long)state->stamp[0], (long long)state->site[0], (long long)state->stamp[1], (long long)state->site[1],
           (long long)state->stamp[2], (long long)state->site[2], state->values ? state->values : "");
}

/* ---- an edge's ---- */

static void add_text(char **text, size_t *len, const char *more) {
  size_t size = strlen(more);
  *text = sim_grow(*text, *len + size + 1);
  memcpy(*text + *len, more, size + 1);
  *len += size;
}

/* The key as one text, as kecs_change.key. */
static char *key_of(const kecs_kind_info *info, sqlite3_stmt *statement) {
  char *text = NULL;
  size_t len = 0;
  add_text(&text, &len, "");
  for (int i = 0; i < info->keys[0].count; i++) {
    const char *part = (const char *)sqlite3_column_text(statement, info->keys[0].columns[i]);
    bool last = i == info->keys[0].count - 1;
    add_text(&text, &len, i ? "," : "");
    for (; part && *part; part++) {
      char one[3] = {*part, '\0', '\0'};
      if (!last && (*part == ',' || *part == '\\')) {
        one[0] = '\\';
        one[1] = *part;
      }
      add_text(&text, &len, one);
    }
  }
  return text;
}

static char *values_of(const kecs_kind_info *info, sqlite3_stmt *statement) {
  char *text = NULL;
  size_t len = 0;
  add_text(&text, &len, "");
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group != KECS_GROUP_LOCAL) {
      const char *value = (const char *)sqlite3_column_text(statement, i);
      add_text(&text, &len, info->columns[i].name);
      add_text(&text, &len, value ? "=" : "~");
      add_text(&text, &len, value ? value : "");
      add_text(&text, &len, "\x1f");
    }
  }
  return text;
}

static bool has_group(const kecs_kind_info *info, kecs_column_group group) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == (unsigned)group) {
      return true;
    }
  }
  return group == KECS_GROUP_KEY;
}

/* A stamp and its site; what the file itself has written is of its number. */
static void stamp_of(sqlite3_stmt *statement, int column, int64_t own, int64_t *stamp, int64_t *site) {
  *stamp = sqlite3_column_int64(statement, column);
  *site = *stamp == 0                                                 ? 0
          : sqlite3_column_type(statement, column + 1) == SQLITE_NULL ? own
                                                                      : sqlite3_column_int64(statement, column + 1);
}

/* Made once for a connection; NULL where that fails. */
static sqlite3_stmt *reader_of(sim_edge *edge, sqlite3 *db, const kecs_kind_info *info) {
  static const char *const names[KECS_REPLICA_STAMPS] = {"life", "spec", "status"};
  static const kecs_column_group groups[KECS_REPLICA_STAMPS] = {KECS_GROUP_KEY, KECS_GROUP_SPEC, KECS_GROUP_STATUS};
  sqlite3_stmt **reader = &edge->readers[info->kind];
  char sql[8192];
  size_t used = (size_t)snprintf(sql, sizeof sql, "SELECT ");
  if (*reader && sqlite3_db_handle(*reader) == db) {
    return *reader;
  }
  for (int i = 0; i < info->column_count; i++) {
    used += (size_t)snprintf(sql + used, sizeof sql - used, "%s%s", i ? "," : "", info->columns[i].name);
  }
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    bool has = has_group(info, groups[i]);
    used += has ? (size_t)snprintf(sql + used, sizeof sql - used, ",stamp_%s,site_%s", names[i], names[i])
                : (size_t)snprintf(sql + used, sizeof sql - used, ",NULL,NULL");
  }
  snprintf(sql + used, sizeof sql - used, " FROM %s", info->table);
  (void)sqlite3_finalize(*reader);
  *reader = NULL;
  (void)sqlite3_prepare_v2(db, sql, -1, reader, NULL);
  return *reader;
}

void sim_edge_forget(sim_edge *edge) {
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    (void)sqlite3_finalize(edge->readers[kind]);
    edge->readers[kind] = NULL;
  }
}

static bool read_rows(sim_edge *edge, sqlite3 *db, const kecs_kind_info *info, int64_t own, sim_states *out) {
  sqlite3_stmt *statement = reader_of(edge, db, info);
  while (statement && sqlite3_step(statement) == SQLITE_ROW) {
    sim_state *state = sim_states_add(out, (int)info->kind, key_of(info, statement), values_of(info, statement));
    for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
      stamp_of(statement, info->column_count + 2 * i, own, &state->stamp[i], &state->site[i]);
    }
  }
  return statement && sqlite3_reset(statement) == SQLITE_OK;
}

/* The latest tombstone of each key that has no row. */
static bool read_graves(sqlite3 *db, int64_t own, sim_states *out) {
  size_t rows = out->count;
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db, "SELECT kind,key,stamp,site FROM change_tombstones", -1, &statement, NULL);
  sim_states living = *out;
  while (rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
    int kind = sqlite3_column_int(statement, 0);
    const char *key = (const char *)sqlite3_column_text(statement, 1);
    sim_state *known = NULL;
    int64_t stamp = 0;
    int64_t site = 0;
    stamp_of(statement, 2, own, &stamp, &site);
    living.list = out->list;
    living.count = rows;
    if (sim_states_find(&living, kind, key)) {
      continue;
    }
    for (size_t i = rows; !known && i < out->count; i++) {
      known = out->list[i].kind == kind && strcmp(out->list[i].key, key) == 0 ? &out->list[i] : NULL;
    }
    known = known ? known : sim_states_add(out, kind, sim_copy(key), NULL);
    known->dead = true;
    if (sim_stamp_order(stamp, site, known->stamp[0], known->site[0]) > 0) {
      known->stamp[0] = stamp;
      known->site[0] = site;
    }
  }
  (void)sqlite3_finalize(statement);
  return rc == SQLITE_OK;
}

bool sim_edge_read(sim_edge *edge, bool graves, sim_states *out) {
  kecs_sync_status_info info;
  kecs__session *session = NULL;
  memset(out, 0, sizeof *out);
  memset(&info, 0, sizeof info);
  int64_t own = kecs_sync_status(edge->sync, &info) || !info.number ? KECS_REPLICA_HERE : info.number;
  bool good = kecs__read_open(edge->store, &session) == KECS_OK;
  sqlite3 *db = good ? session->connection->db : NULL;
  for (int kind = 1; good && kind < KECS_KIND_COUNT; kind++) {
    if (edge->kinds & KECS_BIT(kind)) {
      good = read_rows(edge, db, kecs_kind_describe((kecs_kind)kind), own, out);
    }
  }
  sim_states_sort(out);
  if (good && graves) {
    good = read_graves(db, own, out);
    sim_states_sort(out);
  }
  if (!good) {
    sim_fail(edge->world, "%s can't be read: %s", edge->path, db ? sqlite3_errmsg(db) : kecs_last_error()->text);
  }
  if (session) {
    kecs__read_close(edge->store, session);
  }
  return good;
}

int64_t sim_edge_ask(sim_edge *edge, const char *sql) {
  kecs__session *session = NULL;
  sqlite3_stmt *statement = NULL;
  int64_t number = -1;
  if (kecs__read_open(edge->store, &session) == KECS_OK) {
    if (sqlite3_prepare_v2(session->connection->db, sql, -1, &statement, NULL) == SQLITE_OK) {
      number = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    }
    (void)sqlite3_finalize(statement);
    kecs__read_close(edge->store, session);
  }
  return number;
}

int64_t sim_edge_version(sim_edge *edge) {
  return sim_edge_ask(edge, "PRAGMA data_version");
}

void sim_edge_grown(sim_edge *edge, sim_states *out) {
  kecs__session *session = NULL;
  memset(out, 0, sizeof *out);
  if (kecs__read_open(edge->store, &session) != KECS_OK) {
    return;
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    char sql[256];
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, "SELECT %s FROM %s", info->columns[info->keys[0].columns[0]].name, info->table);
    if (edge->world->growing & KECS_BIT(kind) &&
        sqlite3_prepare_v2(session->connection->db, sql, -1, &statement, NULL) == SQLITE_OK) {
      while (sqlite3_step(statement) == SQLITE_ROW) {
        (void)sim_states_add(out, kind, sim_copy((const char *)sqlite3_column_text(statement, 0)), NULL);
      }
    }
    (void)sqlite3_finalize(statement);
  }
  kecs__read_close(edge->store, session);
}
