/* sync/push.c -- what is pending goes to the hub: the intent is noted, one exchange merges it there, the result is
 * noted.
 *
 * An intent says up to where the log goes with a push, not what is in it: states are read anew when it is sent again.
 */
#include "pg/prologue.h"

#include "sync/push.h"

#include "sync/hub_sql.h"
#include "sync/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- collecting ---- */

KECS_PG__FN kecs_sync__arrays *kecs_sync__arrays_of(kecs_sync *sync, kecs_sync__arrays **slot) {
  if (!*slot) {
    *slot = kecs_pg__alloc(&sync->allocator, sizeof **slot);
    for (int i = 0; *slot && i < KECS_SYNC__ARRAYS; i++) {
      (*slot)->array[i].allocator = &sync->allocator;
    }
  }
  return *slot;
}

static void kecs_sync__array_value(kecs_pg__text *array, const kecs_column_info *column, const kecs_value *value) {
  if (value->type == KECS_VALUE_NULL) {
    kecs_sync__array_add(array, NULL);
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs_sync__array_add(array, value->text);
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_sync__array_bool(array, value->number != 0);
  } else {
    kecs_sync__array_int(array, value->number);
  }
}

static int64_t kecs_sync__wire_site(const kecs_sync *sync, int64_t site) {
  return site == KECS_REPLICA_HERE ? sync->notes.site : site;
}

/* `row` is NULL for a deletion. */
static kecs_status kecs_sync__load_policy(kecs_sync__load *load, kecs_kind kind, const kecs_replica_row *row) {
  kecs_sync__policy_rows **slot = &load->policy[kind];
  if (!kecs_sync__policy_any(load->sync, kind)) {
    return KECS_OK;
  }
  *slot = *slot ? *slot : kecs_pg__alloc(&load->sync->allocator, sizeof **slot);
  if (*slot && row) {
    kecs_sync__policy_row(load->sync, *slot, row);
  }
  return *slot ? KECS_OK : KECS_E_NOMEM;
}

/* Whether a column goes with a row of which only some groups do: these, and the key. */
static bool kecs_sync__goes(const kecs_kind_info *info, int column, unsigned pending) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return (info->columns[column].group == KECS_GROUP_SPEC && (pending & 1U << KECS_REPLICA_SPEC)) ||
         (info->columns[column].group == KECS_GROUP_STATUS && (pending & 1U << KECS_REPLICA_STATUS));
}

static void kecs_sync__put_int(kecs_sync__arrays *put, int at, int64_t number) {
  if (put->copied) {
    kecs_sync__copied_int(put, number);
  } else {
    kecs_sync__array_int(&put->array[at], number);
  }
}

static void kecs_sync__put_value(kecs_sync__arrays *put, int at, const kecs_column_info *column,
                                 const kecs_value *value) {
  if (put->copied) {
    kecs_sync__copied_value(put, column, value);
  } else {
    kecs_sync__array_value(&put->array[at], column, value);
  }
}

/* Begins a row with its key. Many rows are put together for a COPY. */
static kecs_sync__arrays *kecs_sync__put_begin(kecs_sync__load *load, const kecs_replica_row *row) {
  kecs_sync__arrays *put = kecs_sync__arrays_of(load->sync, &load->put[row->kind]);
  if (put && put->rows == 0) {
    put->copied = load->end && load->end->read > KECS_SYNC__BATCH_MOST && !load->sync->no_stage;
    load->copies = load->copies || put->copied;
  }
  if (put && put->copied) {
    kecs_sync__copied_key(put, load->sync, row);
  } else if (put) {
    kecs_sync__array_add(&put->array[0], row->key);
  }
  return put;
}

static kecs_status kecs_sync__load_row(kecs_sync__load *load, const kecs_replica_row *row) {
  static const kecs_value nothing = {KECS_VALUE_NULL, 0, NULL, 0};
  kecs_sync__arrays *put = kecs_sync__put_begin(load, row);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  bool partly = load->partly && !(row->pending & 1U << KECS_REPLICA_LIFE);
  int at = 2;
  if (!put) {
    return KECS_E_NOMEM;
  }
  kecs_sync__put_int(put, 1, (int64_t)row->pending | (partly ? KECS_SYNC__PARTLY : 0));
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    bool goes = !partly || i == KECS_REPLICA_LIFE || (row->pending & 1U << i);
    kecs_sync__put_int(put, at++, goes ? row->stamp[i] : 0);
    kecs_sync__put_int(put, at++, goes ? kecs_sync__wire_site(load->sync, row->site[i]) : 0);
  }
  for (int i = 0; i < info->column_count; i++) {
    if (kecs_sync__known(load->sync, info, i)) {
      bool goes = !partly || kecs_sync__goes(info, i, row->pending);
      kecs_sync__put_value(put, at++, &info->columns[i], goes ? &row->values[i] : &nothing);
    }
  }
  put->count = put->copied ? 0 : at;
  put->rows++;
  load->rows++;
  if (put->copied) {
    kecs_sync__copied_int(put, put->rows);
  }
  return kecs_sync__load_policy(load, row->kind, row);
}

/* In all parts but the last a comma is written \, and a backslash \\. */
KECS_PG__FN void kecs_sync__load_key(kecs_sync__arrays *bury, const kecs_kind_info *info, const char *key) {
  const kecs_column_list *list = &info->keys[0];
  for (int i = 0; i < list->count; i++) {
    kecs_pg__text part = {bury->array[0].allocator, NULL, 0, 0, KECS_OK};
    bool last = i == list->count - 1;
    while (*key && (last || *key != ',')) {
      key += !last && *key == '\\' && key[1] ? 1 : 0;
      kecs_pg__text_add(&part, key++, 1);
    }
    key += !last && *key == ',' ? 1 : 0;
    const kecs_column_info *column = &info->columns[list->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    if (text) {
      kecs_sync__array_add(&bury->array[KECS_SYNC__BURY_FIXED + i], part.len ? part.data : "");
    } else {
      kecs_sync__array_int(&bury->array[KECS_SYNC__BURY_FIXED + i], part.len ? strtoll(part.data, NULL, 10) : 0);
    }
    bury->array[0].status = bury->array[0].status ? bury->array[0].status : part.status;
    kecs_pg__text_free(&part);
  }
}

KECS_PG__FN kecs_status kecs_sync__load_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__load *load = user;
  if (!row->dead) {
    return kecs_sync__load_row(load, row);
  }
  kecs_sync__arrays *bury = kecs_sync__arrays_of(load->sync, &load->bury[row->kind]);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  if (!bury) {
    return KECS_E_NOMEM;
  }
  kecs_sync__array_add(&bury->array[0], row->key);
  kecs_sync__array_int(&bury->array[1], row->stamp[0]);
  kecs_sync__load_key(bury, info, row->key);
  bury->count = KECS_SYNC__BURY_FIXED + info->keys[0].count;
  bury->rows++;
  load->rows++;
  load->buries = true;
  return kecs_sync__load_policy(load, row->kind, NULL);
}

/* A row or a deletion that was refused. */
static kecs_status kecs_sync__load_again(const kecs_replica_row *row, void *user) {
  kecs_replica_row all = *row;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    all.pending |= row->stamp[i] && row->site[i] == KECS_REPLICA_HERE ? 1U << i : 0;
  }
  bool theirs = row->dead && row->site[0] != KECS_REPLICA_HERE;
  return theirs ? KECS_OK : kecs_sync__load_visit(&all, user);
}

KECS_PG__FN void kecs_sync__load_begin(kecs_sync__load *load, kecs_sync *sync) {
  memset(load, 0, sizeof *load);
  load->sync = sync;
  load->origin = KECS_REPLICA_HERE;
}

KECS_PG__FN void kecs_sync__load_free(kecs_sync__load *load) {
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    kecs_sync__arrays *const all[] = {load->put[kind], load->bury[kind]};
    for (size_t a = 0; a < 2; a++) {
      for (int i = 0; all[a] && i < KECS_SYNC__ARRAYS; i++) {
        kecs_pg__text_free(&all[a]->array[i]);
      }
      kecs_pg__release(&load->sync->allocator, all[a], sizeof *all[a]);
    }
    if (load->policy[kind]) {
      kecs_sync__policy_rows_free(load->policy[kind]);
      kecs_pg__release(&load->sync->allocator, load->policy[kind], sizeof *load->policy[kind]);
    }
  }
}

/* ---- sending ---- */

typedef struct kecs_sync__numbers {
  char site[24];
  char cursor[24];
  char stamp[24];
  char origin[24];
} kecs_sync__numbers;

static void kecs_sync__add_arrays(kecs_sync__exchange *exchange, kecs_sync__arrays *arrays, bool buries, int kind,
                                  const kecs_sync__numbers *numbers) {
  kecs_pg__text form = {&exchange->sync->allocator, NULL, 0, 0, KECS_OK};
  char number[24];
  kecs_pg__text_adds(&form, "SELECT {S}");
  kecs_pg__text_adds(&form, buries ? "sync_bury" : arrays->copied ? "sync_load" : "sync_put");
  kecs_pg__text_adds(&form, "_{t}({T}");
  arrays->values[0] = buries ? numbers->origin : numbers->site;
  arrays->values[1] = numbers->cursor;
  for (int i = 0; i < arrays->count + 2; i++) {
    snprintf(number, sizeof number, i < 2 ? ",$%d::bigint" : ",$%d", i + 1);
    kecs_pg__text_adds(&form, number);
    if (i >= 2) {
      kecs_sync__array_end(&arrays->array[i - 2]);
      exchange->status = exchange->status ? exchange->status : arrays->array[i - 2].status;
      arrays->values[i] = arrays->array[i - 2].data;
    }
  }
  kecs_pg__text_adds(&form, ")");
  exchange->status = exchange->status ? exchange->status : form.status;
  if (!exchange->status) {
    (void)kecs_sync__add_call(exchange, form.data, kecs_kind_describe((kecs_kind)kind)->table, arrays->values,
                              arrays->count + 2);
  }
  kecs_pg__text_free(&form);
}

/* The deletions of a push, children before parents. Those that another site has made bear its number: as far as they
 * go, the transaction is that site's. */
static void kecs_sync__add_buries(kecs_sync__exchange *exchange, kecs_sync__load *load,
                                  const kecs_sync__numbers *numbers, const char *const *as_origin,
                                  const char *const *as_me) {
  static const char set[] =
      "SELECT set_config('kecs_store.site',$1,true) WHERE current_setting('kecs_store.push',true)='open'";
  bool foreign = load->buries && load->origin != KECS_REPLICA_HERE;
  if (foreign) {
    (void)kecs_sync__add_item(exchange, set, "", as_origin, 1);
  }
  for (int kind = KECS_KIND_COUNT - 1; kind > 0; kind--) {
    if (load->bury[kind]) {
      kecs_sync__add_arrays(exchange, load->bury[kind], true, kind, numbers);
    }
  }
  if (foreign) {
    (void)kecs_sync__add_item(exchange, set, "", as_me, 1);
  }
}

/* `said`: what sync_end gives, behind what else went with it. */
static kecs_status kecs_sync__pushed(kecs_sync *sync, const kecs_sync__load *load, const PGresult *said) {
  PGresult *refused = kecs_sync__array_rows(&sync->allocator, kecs_sync__text(said, 0, PQnfields(said) - 1), 3);
  if (!refused) {
    return KECS_E_NOMEM;
  }
  sync->report.pushed += load->rows - PQntuples(refused);
  kecs_status status = kecs_sync__acknowledge(sync, refused);
  PQclear(refused);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__push_send(kecs_sync *sync, kecs_sync__load *load) {
  kecs_sync__exchange exchange;
  kecs_sync__numbers numbers;
  const kecs_sync__intent *intent = &sync->notes.intent;
  snprintf(numbers.site, sizeof numbers.site, "%lld", (long long)sync->notes.site);
  snprintf(numbers.cursor, sizeof numbers.cursor, "%lld", (long long)sync->notes.cursor);
  snprintf(numbers.stamp, sizeof numbers.stamp, "%lld", (long long)intent->stamp);
  snprintf(numbers.origin, sizeof numbers.origin, "%lld", (long long)kecs_sync__wire_site(sync, load->origin));
  const char *as_origin[] = {load->origin == 0 ? "" : numbers.origin}; /* the hub's own bear none */
  const char *begin[] = {numbers.site, intent->id, sync->notes.push};
  const char *end[] = {numbers.site, intent->id, numbers.stamp};
  kecs_sync__counters counters;
  bool numbered = load->put[KECS_KIND_TASK_DEFINITION] || load->bury[KECS_KIND_TASK_DEFINITION];
  memset(&counters, 0, sizeof counters);
  kecs_status status = numbered ? kecs_sync__counters_read(sync, &counters) : KECS_OK;
  status = status || !load->copies ? status : kecs_sync__load_copies(sync, load, numbers.site);
  if (load->copies) {
    kecs_sync__go_on(&exchange, sync);
  } else {
    kecs_sync__begin(&exchange, sync, true);
  }
  (void)kecs_sync__add_call(&exchange,
                            load->buries ? "SELECT {S}sync_begin({T},$1::bigint,$2,$3,true)"
                                         : "SELECT {S}sync_begin({T},$1::bigint,$2,$3,false)",
                            "", begin, 3);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (load->policy[kind]) {
      kecs_sync__policy_send(&exchange, (kecs_kind)kind, load->policy[kind]);
    }
  }
  kecs_sync__add_buries(&exchange, load, &numbers, as_origin, begin);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (load->put[kind]) {
      kecs_sync__add_arrays(&exchange, load->put[kind], false, kind, &numbers);
    }
  }
  if (numbered) {
    (void)kecs_sync__add_call(&exchange, "SELECT {S}sync_families({T},$1,$2,$3,$4)", "", counters.values, 4);
  }
  int ended = kecs_sync__add_call(&exchange, "SELECT {S}sync_end({T},$1::bigint,$2,$3::bigint)", "", end, 3);
  status = status ? status : kecs_sync__send(&exchange, "push");
  status = status ? status : kecs_sync__pushed(sync, load, exchange.item[ended].result);
  kecs_sync__end(&exchange);
  kecs_sync__counters_free(&counters);
  return status;
}

/* ---- noting ---- */

typedef struct kecs_sync__acknowledgement {
  kecs_sync *sync;
  const PGresult *refused;
} kecs_sync__acknowledgement;

static kecs_status kecs_sync__note_refused(kecs_sync *sync, kecs_store *tx, const PGresult *refused) {
  kecs_status status = KECS_OK;
  for (int row = 0; !status && row < PQntuples(refused); row++) {
    kecs_value values[] = {kecs_sync__value_int(kecs_sync__number(refused, row, 0)),
                           kecs_sync__value_text(kecs_sync__text(refused, row, 1)),
                           kecs_sync__value_text(kecs_sync__text(refused, row, 2))};
    status = kecs_replica_sql(tx,
                              "INSERT INTO {sync_refused}({tenant}kind,key,code) VALUES({ours}?1,?2,?3) ON "
                              "CONFLICT(kind,key) DO UPDATE SET code=excluded.code",
                              values, 3, 0, NULL, NULL);
    status = status ? status
                    : kecs_sync__policy_refused(sync, tx, (kecs_kind)values[0].number, values[1].text, values[2].text);
  }
  return status;
}

static kecs_status kecs_sync__mark(kecs_store *tx, const kecs_sync__notes *notes, int64_t seq, int64_t stamp) {
  kecs_status status = kecs_changes_pushed(tx, seq);
  /* Stamps ascend with the log only above what was adopted. */
  return status || seq < notes->adopted ? status : kecs_sync__note_number(tx, "acked", stamp);
}

static kecs_status kecs_sync__acknowledge_work(kecs_store *tx, void *user) {
  const kecs_sync__acknowledgement *done = user;
  const kecs_sync__notes *notes = &done->sync->notes;
  const kecs_sync__intent *intent = &notes->intent;
  kecs_status status = kecs_sync__note(tx, "push", intent->id);
  status = status ? status : kecs_sync__note_number(tx, "pushes", notes->pushes + 1);
  status = status ? status : kecs_sync__note(tx, "intent_id", "");
  if (!status && intent->seq == KECS_SYNC__OF_REPUSH) {
    status = kecs_sync__repushed(tx, done->sync);
  } else if (!status && intent->seq == KECS_SYNC__OF_REFUSED) { /* all that had been refused before was sent */
    status = kecs_replica_sql(tx, "DELETE FROM {sync_refused} WHERE {own}true", NULL, 0, 0, NULL, NULL);
  } else if (!status) {
    status = kecs_sync__mark(tx, notes, intent->seq, intent->stamp);
  }
  return status ? status : kecs_sync__note_refused(done->sync, tx, done->refused);
}

KECS_PG__FN kecs_status kecs_sync__acknowledge(kecs_sync *sync, const PGresult *refused) {
  kecs_sync__acknowledgement done = {sync, refused};
  kecs_status status = kecs_sync__transact(sync, kecs_sync__acknowledge_work, &done);
  sync->report.refused += PQntuples(refused);
  return status ? status : kecs_sync__notes_read(sync);
}

static kecs_status kecs_sync__intent_work(kecs_store *tx, void *user) {
  const kecs_sync__intent *intent = user;
  kecs_status status = kecs_sync__note(tx, "intent_id", intent->id);
  status = status ? status : kecs_sync__note_number(tx, "intent_seq", intent->seq);
  status = status ? status : kecs_sync__note_number(tx, "intent_stamp", intent->stamp);
  /* Each time another number: SQLite writes nothing where nothing changes, and then nothing reaches the disk. */
  return status ? status : kecs_sync__note_number(tx, "intent_tries", intent->tries);
}

static kecs_status kecs_sync__id_visit(const kecs_value *values, void *user) {
  snprintf(user, KECS_SYNC__ID_SIZE, "%s", values[0].text);
  return KECS_OK;
}

/* A push that was sent must be known after a power cut, too; and so must what it says. Therefore an intent that was
 * left over is stored again: rows may have changed since. If a row that was to go with it had been deleted meanwhile,
 * and the deletion were lost here, the row would be back, and count as pushed. */
KECS_PG__FN kecs_status kecs_sync__intend(kecs_sync *sync, int64_t seq, int64_t stamp) {
  kecs_sync__intent *intent = &sync->notes.intent;
  bool again = intent->id[0] != '\0';
  kecs_status status = again ? KECS_OK
                             : kecs_replica_sql(sync->store, "SELECT lower(hex(randomblob(8)))", NULL, 0, 1,
                                                kecs_sync__id_visit, intent->id);
  intent->seq = again ? intent->seq : seq;
  intent->stamp = again ? intent->stamp : stamp;
  intent->tries = again ? intent->tries + 1 : 1;
  status = status ? status : kecs_replica_durable(sync->store, true);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__intent_work, intent);
  kecs_error error = *kecs_last_error();
  kecs_status after = kecs_replica_durable(sync->store, false);
  if (status) {
    kecs_pg__restore(&error);
  }
  return status ? status : after;
}

/* ---- batches ---- */

typedef struct kecs_sync__skip {
  kecs_sync *sync;
  kecs_replica_end end;
} kecs_sync__skip;

static kecs_status kecs_sync__skip_work(kecs_store *tx, void *user) {
  const kecs_sync__skip *skip = user;
  return kecs_sync__mark(tx, &skip->sync->notes, skip->end.seq, skip->end.stamp);
}

/* Entries that leave nothing to push: merges, and changes that were undone. */
static kecs_status kecs_sync__pass_over(kecs_sync *sync, const kecs_replica_end *end) {
  kecs_sync__skip skip = {sync, *end};
  kecs_status status = kecs_sync__transact(sync, kecs_sync__skip_work, &skip);
  return status ? status : kecs_sync__notes_read(sync);
}

/* Batches grow while a push takes less than 200 ms: twofold until one has taken longer than 500, which halves them, and
 * from then on by little. Where the longest take less than 500, the link is fast enough for loads by COPY, which may
 * take four times as long. */
static void kecs_sync__adapt(kecs_sync *sync, int64_t rows, int64_t ms) {
  if (!sync->adapts || rows * 2 < sync->batch) {
    return;
  }
  if (rows > KECS_SYNC__BATCH_MOST) {
    sync->load = ms <= KECS_SYNC__LOAD_MS ? sync->load : sync->load / 2;
    sync->load = sync->load > KECS_SYNC__BATCH_MOST ? sync->load : -1;
  } else if (ms > KECS_SYNC__LONG_MS) {
    sync->steady = true;
    sync->batch = sync->batch / 2 > KECS_SYNC__BATCH_LEAST ? sync->batch / 2 : KECS_SYNC__BATCH_LEAST;
  } else if (sync->load == 0 && sync->batch == KECS_SYNC__BATCH_MOST) {
    sync->load = KECS_SYNC__LOAD;
  } else if (ms < KECS_SYNC__SHORT_MS) {
    sync->batch += sync->steady ? KECS_SYNC__BATCH_LEAST : sync->batch;
    sync->batch = sync->batch < kecs_sync__batch_most(sync) ? sync->batch : kecs_sync__batch_most(sync);
  }
}

static kecs_status kecs_sync__push_entries(kecs_sync *sync, bool *out_more) {
  kecs_sync__load load;
  kecs_replica side = kecs_sync__side(sync);
  kecs_replica_end end;
  bool again = sync->notes.intent.id[0] != '\0';
  kecs_replica_end upto = {sync->notes.intent.seq, sync->notes.intent.stamp, 0};
  int batch = sync->load > 0 ? sync->load : sync->batch;
  memset(&end, 0, sizeof end);
  kecs_sync__load_begin(&load, sync);
  load.partly = true;
  load.end = &end;
  kecs_status status = kecs_replica_pending(sync->store, &side, batch, again ? &upto : NULL,
                                            kecs_sync__load_visit, &load, &end);
  *out_more = !status && (again || end.read == batch);
  if (!status && !again && load.rows == 0) {
    status = end.read ? kecs_sync__pass_over(sync, &end) : KECS_OK;
  } else if (!status) {
    int64_t begun = kecs_pg__now_ms();
    status = kecs_sync__intend(sync, end.seq, end.stamp);
    status = status ? status : kecs_sync__push_send(sync, &load);
    if (!status) {
      kecs_sync__adapt(sync, load.rows, kecs_pg__now_ms() - begun);
    }
  }
  kecs_sync__load_free(&load);
  return status;
}

static kecs_status kecs_sync__push_log(kecs_sync *sync, bool *out_more) {
  bool stages = !sync->no_stage;
  kecs_status status = kecs_sync__push_entries(sync, out_more);
  return status && stages && sync->no_stage ? kecs_sync__push_entries(sync, out_more) : status;
}

/* ---- what was refused ---- */

KECS_PG__FN void kecs_sync__keys_free(kecs_sync__keys *keys) {
  for (kecs_sync__key *key = keys->first; key; key = keys->first) {
    keys->first = key->next;
    kecs_pg__release_text(&keys->sync->allocator, key->key);
    kecs_pg__release(&keys->sync->allocator, key, sizeof *key);
  }
}

KECS_PG__FN kecs_status kecs_sync__key_visit(const kecs_value *values, void *user) {
  kecs_sync__keys *keys = user;
  kecs_sync__key *key = kecs_pg__alloc(&keys->sync->allocator, sizeof *key);
  if (!key) {
    return KECS_E_NOMEM;
  }
  key->kind = (kecs_kind)values[0].number;
  key->next = keys->first;
  keys->first = key;
  key->key = kecs_pg__copy(&keys->sync->allocator, values[1].text, values[1].len);
  return key->key ? KECS_OK : KECS_E_NOMEM;
}

static kecs_status kecs_sync__push_refused(kecs_sync *sync) {
  kecs_sync__load load;
  kecs_sync__keys keys = {sync, NULL};
  kecs_replica side = kecs_sync__side(sync);
  bool again = sync->notes.intent.id[0] != '\0';
  kecs_sync__load_begin(&load, sync);
  kecs_status status = kecs_replica_sql(sync->store, "SELECT kind,key FROM {sync_refused} WHERE {own}true", NULL, 0, 2,
                                        kecs_sync__key_visit, &keys);
  bool any = keys.first != NULL;
  for (const kecs_sync__key *key = keys.first; !status && key; key = key->next) {
    status = kecs_replica_find(sync->store, &side, key->kind, key->key, kecs_sync__load_again, &load);
  }
  kecs_sync__keys_free(&keys);
  if (!status && (any || again)) {
    status = kecs_sync__intend(sync, KECS_SYNC__OF_REFUSED, 0);
    status = status ? status : kecs_sync__push_send(sync, &load);
  }
  kecs_sync__load_free(&load);
  return status;
}

KECS_PG__FN kecs_status kecs_sync__push(kecs_sync *sync) {
  bool again = sync->notes.intent.id[0] != '\0';
  bool more = true;
  kecs_status status = KECS_OK;
  if (again && sync->notes.intent.seq == KECS_SYNC__OF_REFUSED) {
    status = kecs_sync__push_refused(sync);
  } else if (again && sync->notes.intent.seq > 0) {
    status = kecs_sync__push_log(sync, &more);
  }
  status = status ? status : kecs_sync__repush(sync); /* before the log: what it acknowledges must be there */
  status = status ? status : kecs_sync__push_refused(sync);
  more = true;
  while (!status && more) {
    status = kecs_sync__push_log(sync, &more);
  }
  return status;
}
