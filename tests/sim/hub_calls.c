/* hub_calls.c -- an exchange's statements, done on the model: which function of the hub one calls, with what, and the
 * answer as libpq would have it. A statement that is not known fails the world: then the protocol has one more. */
#include "hub.h"

#include "sync/hub_sql.h"

enum { ROW_FIXED = 7, PUT_FIXED = 10, BURY_FIXED = 4 };

/* A statement under way. */
typedef struct call {
  sim_hub *hub;
  const char *sql;
  const char *const *values;
  int count;
  int64_t now_us;
  bool *known; /* the push was here before */
  PGresult *result;
} call;

/* ---- answers ---- */

static PGresult *answer(int columns) {
  PGresAttDesc descriptions[80];
  static char name[] = "value";
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  memset(descriptions, 0, sizeof descriptions);
  for (int i = 0; i < columns; i++) {
    descriptions[i].name = name;
  }
  if (!result || !PQsetResultAttrs(result, columns, descriptions)) {
    abort();
  }
  return result;
}

static void say(PGresult *result, int row, int column, const char *text) {
  char *copy = sim_copy(text);
  if (!PQsetvalue(result, row, column, copy, copy ? (int)strlen(copy) : -1)) {
    abort();
  }
  free(copy);
}

static void say_number(PGresult *result, int row, int column, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)number);
  say(result, row, column, text);
}

static int64_t number_of(const call *at, int value) {
  return strtoll(at->values[value], NULL, 10);
}

/* ---- arrays ---- */

sim_array sim_array_read(const char *text) {
  sim_array array = {NULL, 0};
  char *part = sim_alloc(strlen(text) + 1);
  const char *at = text + 1; /* the brace */
  while (*at && *at != '}') {
    size_t len = 0;
    bool quoted = *at == '"';
    at += quoted;
    while (*at && (quoted ? *at != '"' : *at != ',' && *at != '}')) {
      at += *at == '\\' && at[1] ? 1 : 0;
      part[len++] = *at++;
    }
    at += quoted && *at ? 1 : 0;
    part[len] = '\0';
    array.list = sim_grow(array.list, ((size_t)array.count + 1) * sizeof *array.list);
    array.list[array.count++] = !quoted && strcmp(part, "NULL") == 0 ? NULL : sim_copy(part);
    at += *at == ',' ? 1 : 0;
  }
  free(part);
  return array;
}

void sim_array_free(sim_array *array) {
  for (int i = 0; i < array->count; i++) {
    free(array->list[i]);
  }
  free(array->list);
  array->list = NULL;
  array->count = 0;
}

static int64_t array_number(const sim_array *array, int at) {
  return at < array->count && array->list[at] ? strtoll(array->list[at], NULL, 10) : 0;
}

/* ---- which kind ---- */

/* The kind whose table's name begins at `at`. */
static const kecs_kind_info *kind_at(const char *at) {
  size_t len = strcspn(at, "( ");
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    if (strlen(info->table) == len && strncmp(info->table, at, len) == 0) {
      return info;
    }
  }
  return NULL;
}

/* ---- the handshake ---- */

static bool do_version(call *at) {
  char version[KECS_SYNC__VERSION_SIZE];
  kecs_sync__version(version);
  at->result = answer(1);
  say(at->result, 0, 0, version);
  return true;
}

static bool do_number(call *at) {
  hub_number(at->hub);
  at->result = answer(1);
  say_number(at->result, 0, 0, 0);
  return true;
}

static bool do_hello(call *at) {
  sim_hub *hub = at->hub;
  hub_site *site = hub_site_named(hub, at->values[0]);
  int64_t since = number_of(at, 1);
  bool fits = since <= hub->head && (!at->values[2][0] || strcmp(at->values[2], hub_batch_at(hub, since)) == 0);
  at->result = answer(9);
  say(at->result, 0, 0, hub->id);
  say_number(at->result, 0, 1, site - hub->sites + 1);
  say(at->result, 0, 2, site->push);
  say_number(at->result, 0, 3, at->now_us);
  say_number(at->result, 0, 4, hub->head);
  say(at->result, 0, 5, hub_batch_at(hub, hub->head));
  say_number(at->result, 0, 6, hub->floor);
  say(at->result, 0, 7, fits ? "t" : "f");
  say_number(at->result, 0, 8, site->pushes);
  return true;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static bool do_window(call *at) {
  const sim_hub *hub = at->hub;
  int64_t since = number_of(at, 0);
  int64_t page = number_of(at, 1);
  int64_t end = hub->head;
  int64_t kinds = 0;
  for (int i = hub->batch_count - 1; i >= 0; i--) {
    end = hub->batches[i].seq >= since + page ? hub->batches[i].seq : end;
  }
  int64_t until = least(least(hub->head, since + 10 * page), end);
  until = until > since ? until : since;
  for (int i = 0; i < hub->entry_count; i++) {
    bool in = hub->entries[i].seq > since && hub->entries[i].seq <= until;
    kinds |= in ? INT64_C(1) << hub->entries[i].kind : 0;
  }
  at->result = answer(3);
  say_number(at->result, 0, 0, until);
  say(at->result, 0, 1, hub_batch_at(hub, until));
  say_number(at->result, 0, 2, kinds);
  return true;
}

/* By a site's name, or by its number. */
static bool do_refused(call *at) {
  const hub_site *site =
      strstr(at->sql, "s.name=$1") ? hub_site_named(at->hub, at->values[0]) : &at->hub->sites[number_of(at, 0) - 1];
  at->result = answer(3);
  for (int i = 0; i < site->refused_count; i++) {
    say_number(at->result, i, 0, site->refused[i].kind);
    say(at->result, i, 1, site->refused[i].key);
    say(at->result, i, 2, site->refused[i].code);
  }
  return true;
}

/* ---- pushes ---- */

static bool do_begin(call *at) {
  hub_site *site = &at->hub->sites[number_of(at, 0) - 1];
  *at->known = strcmp(site->push, at->values[1]) == 0;
  if (!*at->known) {
    hub_forget_refused(site);
  }
  at->result = answer(1);
  return true;
}

static bool do_end(call *at) {
  hub_site *site = &at->hub->sites[number_of(at, 0) - 1];
  if (!*at->known) {
    snprintf(site->push, sizeof site->push, "%s", at->values[1]);
    site->pushes++;
    site->acked = number_of(at, 2) > site->acked ? number_of(at, 2) : site->acked;
  }
  at->result = answer(1);
  return true;
}

static void raise_clock(sim_hub *hub, int64_t top) {
  hub->clock++;
  hub->clock = top > hub->clock ? top : hub->clock;
}

static void put_row(call *at, const kecs_kind_info *info, const sim_array *arrays, int row) {
  int64_t number = number_of(at, 0);
  int64_t stamp[KECS_REPLICA_STAMPS];
  int64_t site[KECS_REPLICA_STAMPS];
  char *values[64] = {NULL};
  int next = PUT_FIXED;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    stamp[i] = array_number(&arrays[4 + 2 * i], row);
    site[i] = array_number(&arrays[5 + 2 * i], row);
  }
  for (int i = 0; i < info->column_count; i++) {
    values[i] = kecs_sync__travels(&info->columns[i]) ? arrays[next++].list[row] : NULL;
  }
  const hub_row *there = hub_find(at->hub, (int)info->kind, arrays[2].list[row]);
  bool partly = array_number(&arrays[3], row) & 8;
  bool known = there && sim_stamp_order(there->stamp[0], there->site[0], stamp[0], site[0]) >= 0;
  const char *code = partly && !known
                         ? "KS010"
                         : hub_put(at->hub, (int)info->kind, arrays[2].list[row], stamp, site, values);
  if (code) {
    hub_refuse(&at->hub->sites[number - 1], (int)info->kind, arrays[2].list[row], code);
  }
}

static bool do_put(call *at) {
  const kecs_kind_info *info = kind_at(strstr(at->sql, "sync_put_") + strlen("sync_put_"));
  sim_array arrays[80];
  int64_t top = 0;
  if (!info || at->count > (int)(sizeof arrays / sizeof arrays[0])) {
    return false;
  }
  at->result = answer(1);
  for (int i = 2; i < at->count; i++) {
    arrays[i] = sim_array_read(at->values[i]);
  }
  for (int row = 0; row < arrays[2].count; row++) {
    for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
      int64_t stamp = array_number(&arrays[4 + 2 * i], row);
      top = stamp > top ? stamp : top;
    }
  }
  if (!*at->known) {
    raise_clock(at->hub, top);
  }
  for (int row = 0; row < arrays[2].count && !*at->known; row++) {
    put_row(at, info, arrays, row);
  }
  for (int i = 2; i < at->count; i++) {
    sim_array_free(&arrays[i]);
  }
  return true;
}

static bool do_bury(call *at) {
  const kecs_kind_info *info = kind_at(strstr(at->sql, "sync_bury_") + strlen("sync_bury_"));
  sim_array keys = sim_array_read(at->values[2]);
  sim_array stamps = sim_array_read(at->values[3]);
  int64_t top = 0;
  at->result = answer(1);
  for (int i = 0; i < stamps.count; i++) {
    top = array_number(&stamps, i) > top ? array_number(&stamps, i) : top;
  }
  if (!*at->known) {
    raise_clock(at->hub, top);
  }
  for (int i = 0; i < keys.count && info && !*at->known; i++) {
    hub_bury(at->hub, (int)info->kind, keys.list[i], array_number(&stamps, i), number_of(at, 0), at->now_us);
  }
  sim_array_free(&keys);
  sim_array_free(&stamps);
  return info != NULL;
}

/* ---- pulls ---- */

static void say_row(PGresult *result, const kecs_kind_info *info, const hub_row *row) {
  int line = PQntuples(result);
  int column = ROW_FIXED;
  say(result, line, 0, row->key);
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    say_number(result, line, 1 + 2 * i, row->stamp[i]);
    say_number(result, line, 2 + 2 * i, row->site[i]);
  }
  for (int i = 0; i < info->column_count; i++) {
    if (kecs_sync__travels(&info->columns[i])) {
      say(result, line, column++, row->values[i]);
    }
  }
  say_number(result, line, column, row->rid);
}

static int columns_of(const kecs_kind_info *info) {
  int count = ROW_FIXED + 1;
  for (int i = 0; i < info->column_count; i++) {
    count += kecs_sync__travels(&info->columns[i]);
  }
  return count;
}

static bool entry_in(const sim_hub *hub, int kind, int64_t rid, int64_t from, int64_t until) {
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *entry = &hub->entries[i];
    if (entry->kind == kind && entry->rid == rid && entry->seq > from && entry->seq <= until) {
      return true;
    }
  }
  return false;
}

static int compare_rids(const void *left, const void *right) {
  const hub_row *const *a = left;
  const hub_row *const *b = right;
  return (*a)->rid < (*b)->rid ? -1 : (*a)->rid > (*b)->rid;
}

static bool listed(const sim_array *keys, const char *key) {
  for (int i = 0; i < keys->count; i++) {
    if (strcmp(keys->list[i], key) == 0) {
      return true;
    }
  }
  return false;
}

/* Rows of a window, by their keys, or a page of all. */
static bool do_rows(call *at) {
  const char *from = strstr(at->sql, " t WHERE t.tenant=");
  const kecs_kind_info *info = NULL;
  while (from && from > at->sql && from[-1] != '.' && from[-1] != ' ') {
    from--;
  }
  info = from ? kind_at(from) : NULL;
  bool by_key = strstr(at->sql, "=ANY($1)") != NULL;
  bool by_page = strstr(at->sql, "ORDER BY t.rid LIMIT $2") != NULL;
  if (!info || (!by_key && !by_page && !strstr(at->sql, "c.seq>$1 AND c.seq<=$2"))) {
    return false;
  }
  sim_hub *hub = at->hub;
  sim_array keys = by_key ? sim_array_read(at->values[0]) : (sim_array){NULL, 0};
  const hub_row **found = sim_alloc(((size_t)hub->row_count + 1) * sizeof *found);
  int count = 0;
  for (int i = 0; i < hub->row_count; i++) {
    const hub_row *row = &hub->rows[i];
    bool chosen = row->kind == (int)info->kind && row->alive &&
                  (by_key    ? listed(&keys, row->key)
                   : by_page ? row->rid > number_of(at, 0)
                             : entry_in(hub, row->kind, row->rid, number_of(at, 0), number_of(at, 1)));
    found[count] = row;
    count += chosen;
  }
  qsort(found, (size_t)count, sizeof *found, compare_rids);
  at->result = answer(columns_of(info));
  for (int i = 0; i < count && (!by_page || i < number_of(at, 1)); i++) {
    say_row(at->result, info, found[i]);
  }
  free(found);
  sim_array_free(&keys);
  return true;
}

/* A key's latest death among those of the window, where it is dead still. */
static void say_grave(call *at, const hub_entry *entry, const sim_array *keys, int64_t from, int64_t until) {
  const sim_hub *hub = at->hub;
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *other = &hub->entries[i];
    bool in = other->seq && (keys || (other->seq > from && other->seq <= until));
    if (in && other->death && other->kind == entry->kind && strcmp(other->key, entry->key) == 0 &&
        sim_stamp_order(other->stamp, other->site, entry->stamp, entry->site) > 0) {
      return; /* that one is told */
    }
  }
  int line = PQntuples(at->result);
  say(at->result, line, 0, entry->key);
  say_number(at->result, line, 1, entry->stamp);
  say_number(at->result, line, 2, entry->site);
}

static bool do_graves(call *at) {
  const char *kind = strstr(at->sql, "x.kind=");
  bool by_key = strstr(at->sql, "x.key=ANY($1)") != NULL;
  if (!kind || (!by_key && !strstr(at->sql, "x.seq>$1 AND x.seq<=$2"))) {
    return false;
  }
  sim_array keys = by_key ? sim_array_read(at->values[0]) : (sim_array){NULL, 0};
  int64_t from = by_key ? 0 : number_of(at, 0);
  int64_t until = by_key ? 0 : number_of(at, 1);
  at->result = answer(3);
  for (int i = 0; i < at->hub->entry_count; i++) {
    const hub_entry *entry = &at->hub->entries[i];
    bool in = entry->death && entry->seq && entry->kind == (int)strtol(kind + strlen("x.kind="), NULL, 10) &&
              (by_key ? listed(&keys, entry->key) : entry->seq > from && entry->seq <= until);
    const hub_row *row = in ? hub_find(at->hub, entry->kind, entry->key) : NULL;
    if (row && !row->alive) {
      say_grave(at, entry, by_key ? &keys : NULL, from, until);
    }
  }
  sim_array_free(&keys);
  return true;
}

static bool do_all_graves(call *at) {
  at->result = answer(5);
  for (int i = 0; i < at->hub->entry_count; i++) {
    const hub_entry *entry = &at->hub->entries[i];
    int line = PQntuples(at->result);
    if (entry->death && entry->seq > number_of(at, 0) && line < number_of(at, 1)) {
      say(at->result, line, 0, entry->key);
      say_number(at->result, line, 1, entry->stamp);
      say_number(at->result, line, 2, entry->site);
      say_number(at->result, line, 3, entry->kind);
      say_number(at->result, line, 4, entry->seq);
    }
  }
  return true;
}

/* ---- exchanges ---- */

static bool do_nothing(call *at) {
  at->result = PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK);
  return true;
}

static const struct {
  const char *sign;
  bool (*run)(call *at);
} calls[] = {{"BEGIN ", do_nothing},
             {"SET LOCAL ", do_nothing},
             {"sync_version(", do_version},
             {"change_number(", do_number},
             {"sync_hello(", do_hello},
             {"sync_window(", do_window},
             {"sync_begin(", do_begin},
             {"sync_end(", do_end},
             {"sync_put_", do_put},
             {"sync_bury_", do_bury},
             {"sync_refused", do_refused},
             {"DISTINCT ON(x.key)", do_graves},
             {"change_tombstones x WHERE", do_all_graves},
             {" t WHERE t.tenant=", do_rows}};

/* What stops a push before anything is done: another chain, or stamps from the future. */
static kecs_status refusal(sim_hub *hub, const kecs_sync__exchange *exchange, int64_t now_us) {
  for (int i = 0; i < exchange->count; i++) {
    const kecs_sync__item *item = &exchange->item[i];
    bool put = strstr(item->sql, "sync_put_") != NULL;
    if (strstr(item->sql, "sync_begin(")) {
      const hub_site *site = &hub->sites[strtoll(item->values[0], NULL, 10) - 1];
      if (strcmp(site->push, item->values[1]) == 0) {
        return KECS_OK;
      }
      if (strcmp(site->push, item->values[2]) != 0) {
        return kecs_backend_fail(KECS_E_CONFLICT, 0, "KS001", "the site's last push is another one");
      }
    }
    for (int v = put ? 4 : 3; (put && v < PUT_FIXED) || (strstr(item->sql, "sync_bury_") && v < BURY_FIXED);
         v += put ? 2 : 1) {
      sim_array stamps = sim_array_read(item->values[v]);
      bool ahead = false;
      for (int s = 0; s < stamps.count; s++) {
        ahead = ahead || array_number(&stamps, s) > hub_wall(now_us) + INT64_C(300) * 65536000;
      }
      sim_array_free(&stamps);
      if (ahead) {
        return kecs_backend_fail(KECS_E_CONFLICT, 0, "KS002", "the clock of the site is ahead of the hub's");
      }
    }
  }
  return KECS_OK;
}

kecs_status sim_hub_run(sim_hub *hub, kecs_sync__exchange *exchange, int64_t now_us, const char *doing) {
  bool known = false;
  kecs_status status = refusal(hub, exchange, now_us);
  hub->batch++;
  for (int i = 0; !status && i < exchange->count; i++) {
    kecs_sync__item *item = &exchange->item[i];
    call at = {hub, item->sql, item->values, item->count, now_us, &known, NULL};
    bool done = false;
    for (size_t c = 0; !done && c < sizeof calls / sizeof calls[0]; c++) {
      if (strstr(item->sql, calls[c].sign)) {
        done = calls[c].run(&at);
        break;
      }
    }
    item->result = at.result;
    if (!done) {
      sim_fail(sim_this, "the model does not know the statement (%s): %.300s", doing, item->sql);
      return KECS_E_MISUSE;
    }
  }
  return status;
}
