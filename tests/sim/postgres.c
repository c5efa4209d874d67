/* postgres.c -- a real hub for a world: a tenant of its own in a database whose clock is the world's, so that what a
 * seed comes to is the same as on the model. */
#include "hub.h"

#include "pg/public.h"
#include "sync/hub_sql.h"

static PGconn *admin;
static int64_t told_us; /* the clock */

/* Replaces the time in every function that asks for it, and chance in the numbers of sites. */
static const char clock_sql[] =
    "CREATE TABLE IF NOT EXISTS sim_clock(us bigint);\n"
    "TRUNCATE sim_clock; INSERT INTO sim_clock VALUES(0);\n"
    "CREATE OR REPLACE FUNCTION sim_now() RETURNS timestamptz LANGUAGE sql AS\n"
    "$$ SELECT pg_catalog.to_timestamp(us/1000000)+(us%1000000)*interval '1 microsecond' FROM public.sim_clock $$;\n"
    "DO $$ DECLARE f record; BEGIN\n"
    "  FOR f IN SELECT replace(pg_get_functiondef(p.oid),'floor(random()*1048576)','0') AS text FROM pg_proc p WHERE\n"
    "      p.pronamespace='public'::regnamespace\n"
    "      AND p.prosrc LIKE '%clock_timestamp()%' LOOP\n"
    "    EXECUTE replace(replace(f.text,'pg_catalog.clock_timestamp()','public.sim_now()'),'clock_timestamp()',\n"
    "      'public.sim_now()');\n"
    "  END LOOP;\n"
    "END $$;\n";

static PGresult *run(const char *sql, int count, const char *const *values) {
  PGresult *result = count ? PQexecParams(admin, sql, count, NULL, values, NULL, NULL, 0) : PQexec(admin, sql);
  ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    sim_fail(sim_this, "PostgreSQL: %s: %.200s", PQerrorMessage(admin), sql);
  }
  return result;
}

/* The functions once; then each world has a tenant. */
bool sim_postgres_begin(sim_world *world, const char *url) {
  static int tenants;
  kecs_options options;
  kecs_store *store = NULL;
  kecs_status status = KECS_OK;
  snprintf(world->hub_url, sizeof world->hub_url, "%s%ctenant=sim%s%d", url, strchr(url, '?') ? '&' : '?',
           world->copies ? "_copies" : "", ++tenants);
  if (!admin) {
    status = kecs_sync_hub_init(world->hub_url);
    admin = PQconnectdb(url);
    PQclear(run("SET client_min_messages=warning", 0, NULL));
    PQclear(run(clock_sql, 0, NULL));
  }
  memset(&options, 0, sizeof options);
  options.path = world->hub_url;
  options.backends = kecs_pg_backends();
  options.track = KECS_TRACK_ON;
  status = status ? status : kecs_open(&options, &store);
  status = status ? status : kecs_close(store);
  if (status) {
    sim_fail(world, "the hub can't be made: %s", kecs_last_error()->text);
  }
  PQclear(run("SELECT setval('change_clock',1)", 0, NULL));
  told_us = 0;
  snprintf(world->tenant, sizeof world->tenant, "sim%s%d", world->copies ? "_copies" : "", tenants);
  return !world->failure[0];
}

void sim_postgres_end(void) {
  PQfinish(admin);
  admin = NULL;
  sim_pool_end();
}

void sim_postgres_time(const sim_world *world) {
  char number[24];
  const char *values[] = {number};
  if (world->now_us != told_us) {
    told_us = world->now_us;
    snprintf(number, sizeof number, "%lld", (long long)told_us);
    PQclear(run("UPDATE sim_clock SET us=$1", 1, values));
  }
}

/* ---- what is there ---- */

static const char *const stamp_names[KECS_REPLICA_STAMPS] = {"life", "spec", "status"};

static bool has_group(const kecs_kind_info *info, int place) {
  kecs_column_group group = place == 1 ? KECS_GROUP_SPEC : KECS_GROUP_STATUS;
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == (unsigned)group) {
      return true;
    }
  }
  return place == 0;
}

static void add_row(const PGresult *result, int line, const kecs_kind_info *info, sim_states *out) {
  size_t size = 1;
  size_t used = 0;
  int column = 1 + 2 * KECS_REPLICA_STAMPS;
  for (int i = column; i < PQnfields(result); i++) {
    size += (size_t)PQgetlength(result, line, i) + 80;
  }
  char *values = sim_alloc(size);
  for (int i = 0; i < info->column_count; i++) {
    if (kecs_sync__travels(&info->columns[i])) {
      const char *value = PQgetisnull(result, line, column) ? NULL : PQgetvalue(result, line, column);
      bool flag = value && info->columns[i].type == KECS_TYPE_BOOL;
      value = flag ? value[0] == 't' ? "1" : "0" : value;
      used += (size_t)snprintf(values + used, size - used, "%s%s%s\x1f", info->columns[i].name, value ? "=" : "~",
                               value ? value : "");
      column++;
    }
  }
  sim_state *state = sim_states_add(out, (int)info->kind, sim_copy(PQgetvalue(result, line, 0)), values);
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    state->stamp[i] = strtoll(PQgetvalue(result, line, 1 + 2 * i), NULL, 10);
    state->site[i] = strtoll(PQgetvalue(result, line, 2 + 2 * i), NULL, 10);
  }
}

static void read_kind(const sim_world *world, const kecs_kind_info *info, sim_states *out) {
  const char *values[] = {world->tenant};
  kecs_allocator allocator = {NULL, NULL, NULL, NULL};
  allocator = *kecs_replica_allocator(world->edge[0].store);
  kecs_pg__text sql = {&allocator, NULL, 0, 0, KECS_OK};
  char part[200];
  kecs_pg__text_adds(&sql, "SELECT ");
  kecs_sync__key_text(&sql, info, "t");
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    snprintf(part, sizeof part, has_group(info, i) ? ",coalesce(t.stamp_%s,0),coalesce(t.site_%s,0)" : ",0,0%.0s%.0s",
             stamp_names[i], stamp_names[i]);
    kecs_pg__text_adds(&sql, part);
  }
  for (int i = 0; i < info->column_count; i++) {
    if (kecs_sync__travels(&info->columns[i])) {
      kecs_pg__text_adds(&sql, ",t.");
      kecs_pg__text_adds(&sql, info->columns[i].name);
    }
  }
  snprintf(part, sizeof part, " FROM %s t WHERE t.tenant=$1", info->table);
  kecs_pg__text_adds(&sql, part);
  PGresult *result = run(sql.data, 1, values);
  for (int line = 0; line < PQntuples(result); line++) {
    add_row(result, line, info, out);
  }
  PQclear(result);
  kecs_pg__text_free(&sql);
}

/* The latest deletion of each key without a row. */
static void read_graves(const sim_world *world, sim_states *out) {
  static const char sql[] =
      "SELECT DISTINCT ON(kind,key) kind,key,stamp,coalesce(site,0) FROM (SELECT kind,key,stamp,site FROM "
      "change_tombstones WHERE tenant=$1 UNION ALL SELECT kind,key,stamp,site FROM change_queue WHERE tenant=$1 AND "
      "op=3) x ORDER BY kind,key,stamp DESC,coalesce(site,0) DESC";
  const char *values[] = {world->tenant};
  PGresult *result = run(sql, 1, values);
  sim_states living = *out;
  for (int line = 0; line < PQntuples(result); line++) {
    int kind = (int)strtol(PQgetvalue(result, line, 0), NULL, 10);
    const char *key = PQgetvalue(result, line, 1);
    living.list = out->list;
    if (!sim_states_find(&living, kind, key)) {
      sim_state *state = sim_states_add(out, kind, sim_copy(key), NULL);
      state->dead = true;
      state->stamp[0] = strtoll(PQgetvalue(result, line, 2), NULL, 10);
      state->site[0] = strtoll(PQgetvalue(result, line, 3), NULL, 10);
    }
  }
  PQclear(result);
}

void sim_postgres_states(sim_world *world, sim_states *out) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (world->kinds & KECS_BIT(kind)) {
      read_kind(world, kecs_kind_describe((kecs_kind)kind), out);
    }
  }
  sim_states_sort(out);
  read_graves(world, out);
}

void sim_postgres_notes(sim_world *world, sim_states *out) {
  const char *values[] = {world->tenant};
  PGresult *result =
      run("SELECT kind,key||' lost by '||reason||': groups '||groups||' of '||lost_site||' to '||kept_site FROM "
          "sync_conflicts WHERE tenant=$1",
          1, values);
  for (int line = 0; line < PQntuples(result); line++) {
    int kind = (int)strtol(PQgetvalue(result, line, 0), NULL, 10);
    sim_states_add(out, kind, sim_copy(PQgetvalue(result, line, 1)), NULL)->dead = true;
  }
  PQclear(result);
}

/* Of the feed, numbered or not. Numbers are dense, and none is there twice. */
int64_t sim_postgres_entries(sim_world *world) {
  const char *values[] = {world->tenant};
  PGresult *result =
      run("SELECT (SELECT count(*) FROM changes WHERE tenant=$1)+(SELECT count(*) FROM change_queue "
          "WHERE tenant=$1),(SELECT count(*)=max(seq)-min(seq)+1 FROM changes WHERE tenant=$1)",
          1, values);
  int64_t count = PQntuples(result) ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : -1;
  if (PQntuples(result) && PQgetvalue(result, 0, 1)[0] != 't') {
    sim_fail(world, "I6: the feed's numbers have gaps");
  }
  PQclear(result);
  return count;
}

bool sim_postgres_has(sim_world *world, int kind, const char *key) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
  const char *values[] = {world->tenant, key};
  char sql[200];
  snprintf(sql, sizeof sql, "SELECT 1 FROM %s WHERE tenant=$1 AND %s=$2", info->table,
           info->columns[info->keys[0].columns[0]].name);
  PGresult *result = run(sql, 2, values);
  bool there = PQntuples(result) == 1;
  PQclear(result);
  return there;
}

/* ---- what others write ---- */

/* "... WHERE tenant AND key": by the natural key's text. */
static void write_row(sim_world *world, const kecs_kind_info *info, const char *begin, const char *key,
                      const char *value) {
  kecs_pg__text sql = {kecs_replica_allocator(world->edge[0].store), NULL, 0, 0, KECS_OK};
  const char *values[] = {world->tenant, key, value};
  sim_postgres_time(world);
  kecs_pg__text_adds(&sql, begin);
  kecs_pg__text_adds(&sql, " WHERE t.tenant=$1 AND ");
  kecs_sync__key_text(&sql, info, "t");
  kecs_pg__text_adds(&sql, "=$2");
  PQclear(run(sql.data, value ? 3 : 2, values));
  kecs_pg__text_free(&sql);
}

void sim_postgres_change(sim_world *world, int kind, const char *key, int column, const char *value) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
  char begin[200];
  snprintf(begin, sizeof begin, "UPDATE %s t SET %s=$3", info->table, info->columns[column].name);
  write_row(world, info, begin, key, value);
}

void sim_postgres_erase(sim_world *world, int kind, const char *key) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
  char begin[200];
  snprintf(begin, sizeof begin, "DELETE FROM %s t", info->table);
  write_row(world, info, begin, key, NULL);
}

/* Waits until they have ended, so that each edge finds out before it sends: what a seed comes to stays the same. */
void sim_postgres_restart(sim_world *world) {
  int64_t left = 1;
  PQclear(
      run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid<>pg_backend_pid() AND "
          "usename=current_user",
          0, NULL));
  for (int tries = 0; left > 0 && tries < 2000; tries++) {
    PGresult *result =
        run("SELECT count(*),pg_sleep(0.002) FROM pg_stat_activity WHERE pid<>pg_backend_pid() AND "
            "usename=current_user",
            0, NULL);
    left = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
  }
  if (left > 0) {
    sim_fail(world, "PostgreSQL does not end its connections");
  }
}
