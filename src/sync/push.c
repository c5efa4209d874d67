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
  const char *begin[] = {numbers.site, intent->id, sync->notes.push, numbers.stamp};
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
  exchange.meanwhile = load->meanwhile;
  exchange.user = load->user;
  (void)kecs_sync__add_call(&exchange,
                            load->buries ? "SELECT {S}sync_begin({T},$1::bigint,$2,$3,true,$4::bigint)"
                                         : "SELECT {S}sync_begin({T},$1::bigint,$2,$3,false,$4::bigint)",
                            "", begin, 4);
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
  int ended = kecs_sync__add_call(&exchange, "SELECT {S}sync_end({T},$1::bigint)", "", begin, 1);
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

/* Whether a load by COPY would be done in time, at the rate of a batch. */
static bool kecs_sync__may_load(const kecs_sync *sync, int64_t rows, int64_t ms) {
  return sync->load == 0 && rows >= KECS_SYNC__BATCH / 2 && ms * KECS_SYNC__LOAD <= rows * KECS_SYNC__LOAD_MS;
}

/* Batches grow while a push takes less than 200 ms: twofold until one has taken longer than 500, which halves them, and
 * from then on by little. Where the link and the hub are fast enough for loads by COPY, which may take four times as
 * long, these come next. */
static void kecs_sync__adapt(kecs_sync *sync, int64_t rows, int64_t ms) {
  if (!sync->adapts || rows * 2 < sync->batch) {
    return;
  }
  if (rows > sync->arrays_most) {
    sync->load = ms <= KECS_SYNC__LOAD_MS ? sync->load : sync->load / 2;
    sync->load = sync->load > sync->arrays_most ? sync->load : -1;
  } else if (kecs_sync__may_load(sync, rows, ms)) {
    sync->load = KECS_SYNC__LOAD;
  } else if (ms > KECS_SYNC__LONG_MS) {
    sync->steady = true;
    sync->batch = sync->batch / 2 > KECS_SYNC__BATCH_LEAST ? sync->batch / 2 : KECS_SYNC__BATCH_LEAST;
  } else if (ms < KECS_SYNC__SHORT_MS) {
    sync->batch += sync->steady ? KECS_SYNC__BATCH_LEAST : sync->batch;
    sync->batch = kecs_sync__bounded(sync, sync->batch < KECS_SYNC__BATCH_MOST ? sync->batch : KECS_SYNC__BATCH_MOST);
  }
}

/* What is between two places of the log, as it is pushed. */
typedef struct kecs_sync__batch {
  kecs_sync *sync;
  kecs_sync__load load;
  kecs_replica_end end;
  int most; /* entries */
} kecs_sync__batch;

static void kecs_sync__batch_free(kecs_sync *sync, kecs_sync__batch *batch) {
  if (batch) {
    kecs_sync__load_free(&batch->load);
    kecs_pg__release(&sync->allocator, batch, sizeof *batch);
  }
}

/* Entries that go with the next push. */
static int kecs_sync__push_most(const kecs_sync *sync) {
  return kecs_sync__bounded(sync, sync->load > 0 ? sync->load : sync->batch);
}

/* Reads the entries above the push mark, or above `after` where that is higher, or up to `upto`. */
static kecs_status kecs_sync__batch_read(kecs_sync *sync, int64_t after, const kecs_replica_end *upto,
                                         kecs_sync__batch **out_batch) {
  kecs_replica side = kecs_sync__side(sync);
  kecs_sync__batch *batch = kecs_pg__alloc(&sync->allocator, sizeof *batch);
  *out_batch = batch;
  if (!batch) {
    return KECS_E_NOMEM;
  }
  side.after = after;
  batch->sync = sync;
  batch->most = kecs_sync__push_most(sync);
  kecs_sync__load_begin(&batch->load, sync);
  batch->load.partly = true;
  batch->load.end = &batch->end;
  return kecs_replica_pending(sync->store, &side, batch->most, upto, kecs_sync__load_visit, &batch->load, &batch->end);
}

/* While the hub merges a load, the next one is read. What is changed after that has an entry above both. Where this
 * fails, it is read again when its turn comes. */
static void kecs_sync__read_ahead(void *user) {
  const kecs_sync__batch *batch = user;
  kecs_sync *sync = batch->sync;
  if (kecs_sync__batch_read(sync, batch->end.seq, NULL, &sync->next)) {
    kecs_sync__batch_free(sync, sync->next);
    sync->next = NULL;
  }
}

/* Not where what the hub says of this one has a part in what the next one says: rules are about the stamps that edits
 * were based on, and refused rows may change. */
static bool kecs_sync__may_read_ahead(const kecs_sync *sync, const kecs_sync__batch *batch) {
  return batch->load.copies && batch->end.read == batch->most && sync->policy_count == 0;
}

static kecs_status kecs_sync__push_batch(kecs_sync *sync, kecs_sync__batch *batch) {
  int64_t begun = kecs_pg__now_ms();
  int64_t refused = sync->report.refused;
  kecs_status status = kecs_sync__intend(sync, batch->end.seq, batch->end.stamp);
  status = status ? status : kecs_sync__push_send(sync, &batch->load);
  if (!status) {
    kecs_sync__adapt(sync, batch->load.rows, kecs_pg__now_ms() - begun);
  }
  if (status || sync->report.refused > refused) {
    kecs_sync__batch_free(sync, sync->next);
    sync->next = NULL;
  }
  return status;
}

static kecs_status kecs_sync__push_entries(kecs_sync *sync, bool *out_more) {
  bool again = sync->notes.intent.id[0] != '\0';
  kecs_replica_end upto = {sync->notes.intent.seq, sync->notes.intent.stamp, 0};
  kecs_sync__batch *batch = sync->next;
  kecs_status status = batch ? KECS_OK : kecs_sync__batch_read(sync, 0, again ? &upto : NULL, &batch);
  sync->next = NULL;
  *out_more = !status && (again || batch->end.read == batch->most);
  if (!status && !again && batch->load.rows == 0) {
    status = batch->end.read ? kecs_sync__pass_over(sync, &batch->end) : KECS_OK;
  } else if (!status) {
    batch->load.meanwhile = !again && kecs_sync__may_read_ahead(sync, batch) ? kecs_sync__read_ahead : NULL;
    batch->load.user = batch;
    status = kecs_sync__push_batch(sync, batch);
  }
  kecs_sync__batch_free(sync, batch);
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
