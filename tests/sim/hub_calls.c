/* hub_calls.c -- an exchange's statements, done on the model: which function of the hub one calls, with what, and the
 * answer as libpq would have it. A statement that is not known fails the world: then the protocol has one more. */
#include "hub.h"

#include "sync/hub_sql.h"

#define RETENTION_US INT64_C(7776000000000)

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
  const kecs_allocator *allocator;
} call;

/* ---- answers ---- */

static PGresult *answer_with(const char *const *names, int columns) {
  PGresAttDesc descriptions[80];
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  memset(descriptions, 0, sizeof descriptions);
  for (int i = 0; i < columns; i++) {
    descriptions[i].name = (char *)(uintptr_t)(names && names[i] ? names[i] : "value");
  }
  if (!result || !PQsetResultAttrs(result, columns, descriptions)) {
    abort();
  }
  return result;
}

static PGresult *answer(int columns) {
  return answer_with(NULL, columns);
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

/* Each site has the whole tenant. */
static bool do_scopes(call *at) {
  at->result = answer(1);
  say(at->result, 0, 0, "*");
  return true;
}

static bool do_hello(call *at) {
  sim_hub *hub = at->hub;
  hub_site *site = hub_site_greets(hub, at->values[0], number_of(at, 3));
  int64_t since = number_of(at, 1);
  bool fits = since <= hub->head && (!at->values[2][0] || strcmp(at->values[2], hub_batch_at(hub, since)) == 0);
  at->result = answer(12);
  say(at->result, 0, 0, hub->id);
  say_number(at->result, 0, 1, site->number);
  say(at->result, 0, 2, site->push);
  say_number(at->result, 0, 3, at->now_us);
  say_number(at->result, 0, 4, hub->head);
  say(at->result, 0, 5, hub_batch_at(hub, hub->head));
  say_number(at->result, 0, 6, hub->floor);
  say(at->result, 0, 7, fits ? "t" : "f");
  say_number(at->result, 0, 8, site->pushes);
  say_number(at->result, 0, 9, RETENTION_US);
  say_number(at->result, 0, 10, hub->changed_us);
  say(at->result, 0, 11, ""); /* it asks for nothing */
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

/* What the last push of a site was refused, by its name. */
static bool do_refused(call *at) {
  const hub_site *site = hub_site_named(at->hub, at->values[0]);
  at->result = answer(3);
  for (int i = 0; site && i < site->refused_count; i++) {
    say_number(at->result, i, 0, site->refused[i].kind);
    say(at->result, i, 1, site->refused[i].key);
    say(at->result, i, 2, site->refused[i].code);
  }
  return true;
}

/* ---- pushes ---- */

static bool do_begin(call *at) {
  hub_site *site = hub_site_numbered(at->hub, number_of(at, 0));
  *at->known = strcmp(site->push, at->values[1]) == 0;
  if (!*at->known) {
    hub_forget_refused(site);
    at->hub->from = number_of(at, 0);
    snprintf(site->push, sizeof site->push, "%s", at->values[1]);
    site->pushes++;
    site->acked = number_of(at, 3) > site->acked ? number_of(at, 3) : site->acked;
  }
  at->result = answer(1);
  return true;
}

/* What was refused: kind, key, code, kind, ... as an array. */
static void say_refused(call *at, const hub_site *site) {
  kecs_pg__text array = {at->allocator, NULL, 0, 0, KECS_OK};
  char kind[16];
  for (int i = 0; i < site->refused_count; i++) {
    snprintf(kind, sizeof kind, "%d", (int)site->refused[i].kind);
    kecs_sync__array_add(&array, kind);
    kecs_sync__array_add(&array, site->refused[i].key);
    kecs_sync__array_add(&array, site->refused[i].code);
  }
  kecs_sync__array_end(&array);
  say(at->result, 0, 0, array.data);
  kecs_pg__text_free(&array);
}

static bool do_end(call *at) {
  hub_site *site = hub_site_numbered(at->hub, number_of(at, 0));
  at->result = answer(1);
  say_refused(at, site);
  return true;
}

static void raise_clock(sim_hub *hub, int64_t top) {
  hub->clock++;
  hub->clock = top > hub->clock ? top : hub->clock;
}

/* A row of a push, taken apart. */
typedef struct sent {
  const char *key;
  int64_t stamp[KECS_REPLICA_STAMPS];
  int64_t site[KECS_REPLICA_STAMPS];
  char *values[64];
  bool partly; /* only the groups that have a stamp came */
} sent;

static void read_sent(const kecs_kind_info *info, const sim_array *arrays, int row, sent *out) {
  int next = PUT_FIXED;
  memset(out, 0, sizeof *out);
  out->key = arrays[2].list[row];
  out->partly = array_number(&arrays[3], row) & 8;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    out->stamp[i] = array_number(&arrays[4 + 2 * i], row);
    out->site[i] = array_number(&arrays[5 + 2 * i], row);
  }
  for (int i = 0; i < info->column_count; i++) {
    out->values[i] = kecs_sync__travels(&info->columns[i]) ? arrays[next++].list[row] : NULL;
  }
}

/* Those rows whose place is marked, one after the other; those that were refused are marked, by a code. */
static bool put_rows(call *at, const kecs_kind_info *info, const sim_array *arrays, const bool *chosen,
                     const char **codes) {
  int64_t number = number_of(at, 0);
  int64_t since = number_of(at, 1);
  bool good = true;
  sent row;
  for (int i = 0; i < arrays[2].count; i++) {
    if (chosen && !chosen[i]) {
      continue;
    }
    read_sent(info, arrays, i, &row);
    bool claimed = hub_claimed(at->hub, (int)info->kind, row.key, row.stamp, row.site, number, since);
    bool lacks = row.partly && hub_lacks(at->hub, (int)info->kind, row.key, row.stamp[0], row.site[0]);
    codes[i] = claimed ? "KS004"
               : lacks ? "KS010"
                       : hub_put(at->hub, (int)info->kind, row.key, row.stamp, row.site, row.values);
    good = good && !codes[i];
  }
  return good;
}

static void park(call *at, const kecs_kind_info *info, const sim_array *arrays, const bool *chosen) {
  for (int i = 0; i < arrays[2].count; i++) {
    sent row;
    read_sent(info, arrays, i, &row);
    if (!chosen || chosen[i]) {
      hub_aside(at->hub, (int)info->kind, row.key, row.stamp, row.site, row.values);
    }
  }
}

/* The row, and of the others that want a number whoever has the one that it wants, and so on. */
static void queue_from(call *at, const kecs_kind_info *info, const sim_array *arrays, const char **codes, int first,
                       bool *chosen) {
  for (int next = first; next >= 0;) {
    sent row;
    chosen[next] = true;
    read_sent(info, arrays, next, &row);
    const hub_row *holder = hub_holder(at->hub, (int)info->kind, row.key, row.values);
    next = -1;
    for (int i = 0; holder && i < arrays[2].count; i++) {
      bool waits = codes[i] && strcmp(codes[i], "23505") == 0 && !chosen[i];
      next = waits && strcmp(arrays[2].list[i], holder->key) == 0 ? i : next;
    }
  }
}

/* Tries the row together with those that have to move with it; nothing is done where that does not do either. */
static bool put_queue(call *at, const kecs_kind_info *info, const sim_array *arrays, const char **codes, int first) {
  size_t count = (size_t)arrays[2].count;
  bool *chosen = sim_alloc(count * sizeof *chosen);
  const char **tried = sim_alloc(count * sizeof *tried);
  sim_hub *before = sim_hub_copy(at->hub);
  queue_from(at, info, arrays, codes, first, chosen);
  park(at, info, arrays, chosen);
  bool good = put_rows(at, info, arrays, chosen, tried);
  for (size_t i = 0; good && i < count; i++) {
    codes[i] = chosen[i] ? NULL : codes[i];
  }
  if (good) {
    sim_hub_free(before);
  } else {
    hub_restore(at->hub, before);
  }
  free(tried);
  free(chosen);
  return good;
}

/* Where a number may change, rows of one push may have swapped theirs: then all of them do, or each by itself, and
 * those that want a number of another one with it. */
static void put_swapped(call *at, const kecs_kind_info *info, const sim_array *arrays, const char **codes) {
  sim_hub *before = sim_hub_copy(at->hub);
  bool good = put_rows(at, info, arrays, NULL, codes);
  for (int pass = 0; !good && pass < 2; pass++) {
    sim_hub *again = sim_hub_copy(before);
    hub_restore(at->hub, before);
    before = again;
    if (pass == 0) {
      park(at, info, arrays, NULL);
    }
    good = put_rows(at, info, arrays, NULL, codes);
  }
  for (bool more = !good; more;) {
    more = false;
    for (int i = 0; i < arrays[2].count; i++) {
      bool waits = codes[i] && strcmp(codes[i], "23505") == 0;
      more = (waits && put_queue(at, info, arrays, codes, i)) || more;
    }
  }
  sim_hub_free(before);
}

static void put_all(call *at, const kecs_kind_info *info, const sim_array *arrays) {
  const char **codes = sim_alloc((size_t)arrays[2].count * sizeof *codes);
  sent row;
  for (int i = 0; i < arrays[2].count; i++) {
    read_sent(info, arrays, i, &row);
    if (!hub_claimed(at->hub, (int)info->kind, row.key, row.stamp, row.site, number_of(at, 0), number_of(at, 1))) {
      hub_note_put(at->hub, (int)info->kind, row.key, row.stamp, row.site, (int)array_number(&arrays[3], i),
                   number_of(at, 0), number_of(at, 1));
    }
  }
  if (hub_swaps(info)) {
    put_swapped(at, info, arrays, codes);
  } else {
    (void)put_rows(at, info, arrays, NULL, codes);
  }
  for (int i = 0; i < arrays[2].count; i++) {
    read_sent(info, arrays, i, &row);
    if (codes[i]) {
      hub_refuse(hub_site_numbered(at->hub, number_of(at, 0)), (int)info->kind, row.key, codes[i]);
    }
    if (!row.partly) {
      hub_families_of(at->hub, info, row.values);
    }
  }
  free(codes);
}

static int64_t highest(const sim_array *arrays, int first, int last, int by) {
  int64_t top = 0;
  for (int a = first; a < last; a += by) {
    for (int i = 0; i < arrays[a].count; i++) {
      int64_t stamp = array_number(&arrays[a], i);
      top = stamp > top ? stamp : top;
    }
  }
  return top;
}

static bool do_put(call *at) {
  const kecs_kind_info *info = kind_at(strstr(at->sql, "sync_put_") + strlen("sync_put_"));
  sim_array arrays[80];
  if (!info || at->count > (int)(sizeof arrays / sizeof arrays[0])) {
    return false;
  }
  at->result = answer(1);
  for (int i = 2; i < at->count; i++) {
    arrays[i] = sim_array_read(at->values[i]);
  }
  if (!*at->known) {
    raise_clock(at->hub, highest(arrays, 4, PUT_FIXED, 2));
    put_all(at, info, arrays);
  }
  for (int i = 2; i < at->count; i++) {
    sim_array_free(&arrays[i]);
  }
  return true;
}

/* ---- families ---- */

static bool do_families(call *at) {
  sim_array arrays[4];
  for (int i = 0; i < 4; i++) {
    arrays[i] = sim_array_read(at->values[i]);
  }
  for (int i = 0; i < arrays[0].count && !*at->known; i++) {
    hub_family_raise(at->hub, arrays[0].list[i], arrays[1].list[i], arrays[2].list[i], array_number(&arrays[3], i));
  }
  for (int i = 0; i < 4; i++) {
    sim_array_free(&arrays[i]);
  }
  at->result = answer(1);
  return true;
}

/* The newest revision of a family that is there. */
static int64_t newest(const sim_hub *hub, const hub_family *family) {
  static const char *const names[] = {"account_id", "region", "family"};
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK_DEFINITION);
  int64_t found = 0;
  for (int i = 0; i < hub->row_count; i++) {
    const hub_row *row = &hub->rows[i];
    bool own = row->kind == (int)KECS_KIND_TASK_DEFINITION && row->alive;
    for (int part = 0; part < 3 && own; part++) {
      own = strcmp(row->values[kecs_column_find(info, names[part])], family->name[part]) == 0;
    }
    int64_t revision = own ? strtoll(row->values[kecs_column_find(info, "revision")], NULL, 10) : 0;
    found = revision > found ? revision : found;
  }
  return found;
}

static bool do_counters(call *at) {
  at->result = answer(4);
  for (int i = 0; i < at->hub->family_count; i++) {
    const hub_family *family = &at->hub->families[i];
    int line = PQntuples(at->result);
    if (family->last > newest(at->hub, family)) {
      for (int part = 0; part < 3; part++) {
        say(at->result, line, part, family->name[part]);
      }
      say_number(at->result, line, 3, family->last);
    }
  }
  return true;
}

static bool do_bury(call *at) {
  const kecs_kind_info *info = kind_at(strstr(at->sql, "sync_bury_") + strlen("sync_bury_"));
  sim_array keys = sim_array_read(at->values[2]);
  sim_array stamps = sim_array_read(at->values[3]);
  at->result = answer(1);
  if (!*at->known) {
    raise_clock(at->hub, highest(&stamps, 0, 1, 1));
  }
  for (int i = 0; i < keys.count && info && !*at->known; i++) {
    hub_note_bury(at->hub, (int)info->kind, keys.list[i], array_number(&stamps, i), number_of(at, 0), number_of(at, 1));
  }
  for (int i = 0; i < keys.count && info && !*at->known; i++) {
    hub_bury(at->hub, (int)info->kind, keys.list[i], array_number(&stamps, i), number_of(at, 0), at->now_us, true);
    hub_family_of_key(at->hub, (int)info->kind, keys.list[i]);
  }
  sim_array_free(&keys);
  sim_array_free(&stamps);
  return info != NULL;
}

/* ---- pulls ---- */

/* Of a window only the groups that were written in it, and the life's stamp. */
static void say_row(PGresult *result, const kecs_kind_info *info, const hub_row *row, int groups) {
  int line = PQntuples(result);
  int column = ROW_FIXED;
  bool told[KECS_REPLICA_STAMPS] = {true, groups & 3, groups & 5};
  say(result, line, 0, row->key);
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    say_number(result, line, 1 + 2 * i, told[i] ? row->stamp[i] : 0);
    say_number(result, line, 2 + 2 * i, told[i] ? row->site[i] : 0);
  }
  for (int i = 0; i < info->column_count; i++) {
    kecs_column_group group = (kecs_column_group)info->columns[i].group;
    bool goes = group == KECS_GROUP_SPEC ? told[1] : group == KECS_GROUP_STATUS ? told[2] : groups & 1;
    if (kecs_sync__travels(&info->columns[i])) {
      say(result, line, column++, goes ? row->values[i] : NULL);
    }
  }
  say_number(result, line, column, row->rid);
  if (column + 1 < PQnfields(result)) {
    say_number(result, line, column + 1, groups);
  }
}

/* Key, stamps, what travels, rid; and of a window the groups. */
static PGresult *answer_rows(const kecs_kind_info *info, bool window) {
  const char *names[80] = {NULL};
  int count = ROW_FIXED;
  for (int i = 0; i < info->column_count; i++) {
    if (kecs_sync__travels(&info->columns[i])) {
      names[count++] = info->columns[i].name;
    }
  }
  return answer_with(names, count + 1 + window);
}

/* What was written of a row in a window: groups as bits. */
static int written_in(const sim_hub *hub, const hub_row *row, int64_t from, int64_t until) {
  int groups = 0;
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *entry = &hub->entries[i];
    bool own = entry->kind == row->kind && entry->rid == row->rid;
    groups |= own && entry->seq > from && entry->seq <= until ? entry->groups : 0;
  }
  return groups;
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

static bool in_bucket(const sim_array *buckets, const char *key) {
  char number[16];
  snprintf(number, sizeof number, "%d", hub_bucket(key));
  return listed(buckets, number);
}

/* The kind that a function of the hub is of: "sync_rows_" and a table. NULL: the statement calls another one. */
static const kecs_kind_info *kind_of(const call *at, const char *function) {
  const char *name = strstr(at->sql, function);
  return name ? kind_at(name + strlen(function)) : NULL;
}

/* Rows of a window, by their keys, or a page of all, or of those in some buckets. The first value is the site. */
static bool do_rows(call *at) {
  const kecs_kind_info *found_info = kind_of(at, "sync_found_");
  const kecs_kind_info *page_info = kind_of(at, "sync_page_");
  const kecs_kind_info *info = found_info ? found_info : page_info ? page_info : kind_of(at, "sync_rows_");
  bool by_key = found_info != NULL;
  bool by_page = page_info != NULL;
  if (!info) {
    return false;
  }
  sim_hub *hub = at->hub;
  bool bucketed = by_page && at->values[3];
  sim_array buckets = bucketed ? sim_array_read(at->values[3]) : (sim_array){NULL, 0};
  sim_array keys = by_key ? sim_array_read(at->values[1]) : (sim_array){NULL, 0};
  const hub_row **found = sim_alloc(((size_t)hub->row_count + 1) * sizeof *found);
  int count = 0;
  for (int i = 0; i < hub->row_count; i++) {
    const hub_row *row = &hub->rows[i];
    bool chosen = row->kind == (int)info->kind && row->alive &&
                  (by_key    ? listed(&keys, row->key)
                   : by_page ? row->rid > number_of(at, 1) && (!bucketed || in_bucket(&buckets, row->key))
                             : written_in(hub, row, number_of(at, 1), number_of(at, 2)));
    found[count] = row;
    count += chosen;
  }
  qsort(found, (size_t)count, sizeof *found, compare_rids);
  bool window = !by_key && !by_page;
  at->result = answer_rows(info, window);
  for (int i = 0; i < count && (!by_page || i < number_of(at, 2)); i++) {
    say_row(at->result, info, found[i], window ? written_in(hub, found[i], number_of(at, 1), number_of(at, 2)) : 15);
  }
  free(found);
  sim_array_free(&buckets);
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
  const kecs_kind_info *info = kind_of(at, "sync_buried_");
  bool by_key = info != NULL;
  info = info ? info : kind_of(at, "sync_graves_");
  if (!info) {
    return false;
  }
  sim_array keys = by_key ? sim_array_read(at->values[1]) : (sim_array){NULL, 0};
  int64_t from = by_key ? 0 : number_of(at, 1);
  int64_t until = by_key ? 0 : number_of(at, 2);
  at->result = answer(3);
  for (int i = 0; i < at->hub->entry_count; i++) {
    const hub_entry *entry = &at->hub->entries[i];
    bool in = entry->death && entry->seq && entry->kind == (int)info->kind &&
              (by_key ? listed(&keys, entry->key) : entry->seq > from && entry->seq <= until);
    const hub_row *row = in ? hub_find(at->hub, entry->kind, entry->key) : NULL;
    if (row && !row->alive) {
      say_grave(at, entry, by_key ? &keys : NULL, from, until);
    }
  }
  sim_array_free(&keys);
  return true;
}

/* Of all kinds, or of the pairs of a kind and a bucket that are asked for. */
static bool do_all_graves(call *at) {
  sim_array pairs = at->values[3] ? sim_array_read(at->values[3]) : (sim_array){NULL, 0};
  at->result = answer(5);
  for (int i = 0; i < at->hub->entry_count; i++) {
    const hub_entry *entry = &at->hub->entries[i];
    int line = PQntuples(at->result);
    char pair[24];
    snprintf(pair, sizeof pair, "%d", entry->death ? entry->kind * HUB_BUCKETS + hub_bucket(entry->key) : 0);
    if (entry->death && entry->seq > number_of(at, 1) && line < number_of(at, 2) &&
        (!at->values[3] || listed(&pairs, pair))) {
      say(at->result, line, 0, entry->key);
      say_number(at->result, line, 1, entry->stamp);
      say_number(at->result, line, 2, entry->site);
      say_number(at->result, line, 3, entry->kind);
      say_number(at->result, line, 4, entry->seq);
    }
  }
  sim_array_free(&pairs);
  return true;
}

/* ---- comparing ---- */

static bool do_digest(call *at) {
  const kecs_kind_info *info = kind_at(strstr(at->sql, "sync_digest_") + strlen("sync_digest_"));
  int64_t sums[HUB_BUCKETS];
  at->result = answer(2);
  if (info) {
    hub_digest(at->hub, (int)info->kind, sums);
  }
  for (int i = 0; info && i < HUB_BUCKETS; i++) {
    if (sums[i] >= 0) {
      int line = PQntuples(at->result);
      say_number(at->result, line, 0, i);
      say_number(at->result, line, 1, sums[i]);
    }
  }
  return info != NULL;
}

static void say_compared(call *at, int kind, const char *key, int64_t site) {
  const hub_row *row = hub_find(at->hub, kind, key);
  const hub_site *author = hub_site_numbered(at->hub, site);
  int line = PQntuples(at->result);
  bool here = row && row->alive;
  int64_t grave[2] = {0, 0};
  say(at->result, line, 0, here ? "t" : "f");
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    say_number(at->result, line, 1 + 2 * i, here ? row->stamp[i] : 0);
    say_number(at->result, line, 2 + 2 * i, here ? row->site[i] : 0);
  }
  for (int i = 0; i < at->hub->entry_count; i++) {
    const hub_entry *entry = &at->hub->entries[i];
    if (entry->death && entry->kind == kind && strcmp(entry->key, key) == 0 &&
        sim_stamp_order(entry->stamp, entry->site, grave[0], grave[1]) > 0) {
      grave[0] = entry->stamp;
      grave[1] = entry->site;
    }
  }
  say_number(at->result, line, 7, grave[0]);
  say_number(at->result, line, 8, grave[1]);
  say_number(at->result, line, 9, author ? author->acked : 0);
}

static bool do_compare(call *at) {
  const kecs_kind_info *info = kind_at(strstr(at->sql, "sync_compare_") + strlen("sync_compare_"));
  sim_array keys = sim_array_read(at->values[1]);
  sim_array sites = sim_array_read(at->values[2]);
  at->result = answer(10);
  for (int i = 0; info && i < keys.count; i++) {
    say_compared(at, (int)info->kind, keys.list[i], array_number(&sites, i));
  }
  sim_array_free(&keys);
  sim_array_free(&sites);
  return info != NULL;
}

/* Rows by their ids; nothing is refused. */
static bool do_append(call *at) {
  const kecs_kind_info *info = kind_at(strstr(at->sql, "sync_append_") + strlen("sync_append_"));
  int place = 1;
  for (int i = 0; info && i < info->keys[0].columns[0]; i++) {
    place += kecs_sync__travels(&info->columns[i]);
  }
  sim_array keys = sim_array_read(at->values[place]);
  for (int i = 0; info && i < keys.count; i++) {
    hub_append(at->hub, (int)info->kind, keys.list[i]);
  }
  sim_array_free(&keys);
  at->result = answer(3);
  return info != NULL;
}

/* An edge has found that the hub went back. */
static bool do_changed(call *at) {
  at->hub->changed_us = at->now_us;
  at->result = answer(1);
  return true;
}

/* In whose name deletions are. */
static bool do_origin(call *at) {
  at->hub->from = number_of(at, 0);
  at->result = answer(1);
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
             {"sync_number(", do_number},
             {"sync_scopes(", do_scopes},
             {"sync_hello(", do_hello},
             {"sync_window(", do_window},
             {"sync_begin(", do_begin},
             {"sync_end(", do_end},
             {"set_config('kecs_store.site'", do_origin},
             {"sync_families(", do_families},
             {"sync_append_", do_append},
             {"sync_changed(", do_changed},
             {"sync_digest_", do_digest},
             {"sync_compare_", do_compare},
             {"sync_counters(", do_counters},
             {"sync_put_", do_put},
             {"sync_bury_", do_bury},
             {"sync_told(", do_refused},
             {"sync_graves_", do_graves},
             {"sync_buried_", do_graves},
             {"sync_tombs(", do_all_graves},
             {"sync_rows_", do_rows},
             {"sync_found_", do_rows},
             {"sync_page_", do_rows}};

/* What stops a push before anything is done: another chain, or stamps from the future. */
static kecs_status refusal(sim_hub *hub, const kecs_sync__exchange *exchange, int64_t now_us) {
  for (int i = 0; i < exchange->count; i++) {
    const kecs_sync__item *item = &exchange->item[i];
    bool put = strstr(item->sql, "sync_put_") != NULL;
    if (strstr(item->sql, "sync_begin(")) {
      const hub_site *site = hub_site_numbered(hub, strtoll(item->values[0], NULL, 10));
      if (!site) {
        return kecs_backend_fail(KECS_E_CONFLICT, 0, "KS001", "the site is not known");
      }
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
  hub->from = 0;
  for (int i = 0; !status && i < exchange->count; i++) {
    kecs_sync__item *item = &exchange->item[i];
    call at = {hub, item->sql, item->values, item->count, now_us, &known, NULL, &exchange->sync->allocator};
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
