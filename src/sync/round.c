/* sync/round.c -- the handle, the handshake, and a round. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include "pg/public.h"
#include "sync/hub_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_SYNC__TOMBSTONES_US INT64_C(604800000000) /* a week */
#define KECS_SYNC__NOTED_US INT64_C(3600000000)        /* an hour: an idle round notes its time no more often */

enum { KECS_SYNC__GREETINGS = 3 /* in one round: under its name, and under another one */ };

/* ---- the handshake ---- */

static kecs_status kecs_sync__hello(kecs_sync *sync, bool *out_again) {
  kecs_sync__exchange exchange;
  char cursor[24];
  char seen[24];
  char size[24];
  char number[24];
  const bool ahead = sync->notes.seen > sync->notes.cursor;
  snprintf(cursor, sizeof cursor, "%lld", (long long)sync->notes.cursor);
  snprintf(seen, sizeof seen, "%lld", (long long)(ahead ? sync->notes.seen : sync->notes.cursor));
  snprintf(size, sizeof size, "%d", sync->batch);
  snprintf(number, sizeof number, "%lld", (long long)sync->notes.site);
  snprintf(sync->known_as, sizeof sync->known_as, "%s", sync->notes.alias[0] ? sync->notes.alias : sync->site);
  const char *who[] = {sync->known_as, seen, ahead ? sync->notes.seen_id : sync->notes.cursor_id, number};
  const char *window[] = {cursor, size};
  const char *wanted[] = {sync->known_as, sync->clusters.data};
  kecs_sync__begin(&exchange, sync, true);
  int version = kecs_sync__add_item(&exchange, "SELECT {S}sync_version()", "", NULL, 0);
  (void)kecs_sync__add_item(&exchange, "SELECT {S}sync_number({T},$1)", "", who, 1);
  int hello = kecs_sync__add_item(&exchange, "SELECT * FROM {S}sync_hello({T},$1,$2,$3,$4)", "", who, 4);
  int next = kecs_sync__add_item(&exchange, "SELECT * FROM {S}sync_window({T},$1,$2)", "", window, 2);
  int refused = kecs_sync__add_item(&exchange, "SELECT * FROM {S}sync_told({T},$1)", "", who, 1);
  int scopes = kecs_sync__add_item(&exchange, "SELECT {S}sync_scopes({T},$1,$2)", "", wanted, 2);
  kecs_status status = kecs_sync__send(&exchange, "greet the hub");
  const PGresult *said = status ? NULL : exchange.item[hello].result;
  if (said) {
    int64_t hub_us = kecs_sync__number(said, 0, KECS_SYNC__NOW);
    sync->head = kecs_sync__number(said, 0, KECS_SYNC__HEAD);
    sync->head_us = hub_us;
    snprintf(sync->head_id, sizeof sync->head_id, "%s", kecs_sync__text(said, 0, KECS_SYNC__HEAD_ID));
    sync->until = kecs_sync__number(exchange.item[next].result, 0, 0);
    snprintf(sync->until_id, sizeof sync->until_id, "%s", kecs_sync__text(exchange.item[next].result, 0, 1));
    sync->until_kinds = kecs_sync__number(exchange.item[next].result, 0, 2);
    status = kecs_sync__schema_read(sync, kecs_sync__text(exchange.item[version].result, 0, 0));
    status = status ? status : kecs_sync__measure(sync, hub_us);
    status = status ? status : kecs_sync__limits_read(sync, kecs_sync__text(said, 0, KECS_SYNC__LIMITS));
    status = status ? status : kecs_sync__identify(sync, said, exchange.item[refused].result, out_again);
    status = status || *out_again ? status : kecs_sync__restamp(sync, hub_us);
    status = status || *out_again ? status : kecs_sync__rescope(sync, exchange.item[scopes].result);
  }
  kecs_sync__end(&exchange);
  return status;
}

/* ---- a round ---- */

static kecs_status kecs_sync__last_work(kecs_store *tx, void *user) {
  return kecs_sync__note_number(tx, "last", *(const int64_t *)user);
}

static void kecs_sync__remember(kecs_sync *sync, kecs_status status, int64_t now) {
  kecs_sync__told *told = &sync->told;
  kecs_sync__lock(sync);
  told->rounds++;
  told->offset_us = sync->report.hub_offset_us ? sync->report.hub_offset_us : told->offset_us;
  told->limits = sync->limits;
  if (status) {
    told->failures++;
    told->failed_us = now;
    told->error = *kecs_last_error();
  } else {
    told->failures = 0;
    told->last_us = now;
  }
  kecs_sync__unlock(sync);
}

static kecs_status kecs_sync__steps(kecs_sync *sync) {
  bool again = true;
  kecs_status status = kecs_sync__notes_read(sync);
  sync->moved = false;
  for (int times = 0; !status && again; times++) {
    again = false;
    status = times < KECS_SYNC__GREETINGS
                 ? kecs_sync__hello(sync, &again)
                 : kecs_pg__fail(KECS_E_CONFLICT, "others go on pushing under this site's name; try again later");
  }
  status = status ? status : kecs_sync__look(sync);
  status = status ? status : kecs_sync__reconcile(sync);
  status = status ? status : kecs_sync__pull(sync);
  status = status ? status : kecs_sync__schema_catch_up(sync);
  status = status ? status : kecs_sync__push(sync);
  if (!status && sync->held) { /* what the hub has instead; once, or two who never agree would keep the round */
    status = kecs_sync__pull(sync);
    status = status ? status : kecs_sync__push(sync);
  }
  return status ? status : kecs_sync__append(sync);
}

KECS_PG__FN kecs_status kecs_sync__round(kecs_sync *sync, kecs_sync_report *out_report) {
  memset(&sync->report, 0, sizeof sync->report);
  sync->held = false;
  kecs_sync__flag_set(&sync->stopped, 0);
  kecs_status status = kecs_sync__steps(sync);
  if (status == KECS_E_CONFLICT && strcmp(kecs_last_error()->sqlstate, "KS001") == 0) {
    status = kecs_sync__steps(sync); /* another push under this name came in between: the handshake sees it now */
  }
  int64_t now = kecs_replica_now(sync->store);
  bool idle = sync->report.pushed + sync->report.pulled == 0 && now - sync->notes.last_us < KECS_SYNC__NOTED_US;
  if (!status && !idle) { /* an idle edge does not wear its disk */
    status = kecs_sync__transact(sync, kecs_sync__last_work, &now);
  }
  kecs_sync__remember(sync, status, now);
  if (out_report) {
    *out_report = sync->report;
  }
  return status;
}

KECS_STORE_API kecs_status kecs_sync_once(kecs_sync *sync, kecs_sync_report *out_report) {
  if (out_report) {
    memset(out_report, 0, sizeof *out_report);
  }
  if (!sync) {
    return kecs_pg__fail(KECS_E_INVALID, "sync is NULL");
  }
  return sync->running ? kecs_pg__fail(KECS_E_MISUSE, "the thread of this edge runs its rounds: kecs_sync_stop first")
                       : kecs_sync__round(sync, out_report);
}

/* When the oldest change was made that is not pushed. */
static kecs_status kecs_sync__lag(kecs_sync *sync, int64_t *out_lag_us) {
  int64_t stamp = 0;
  kecs_status status = kecs_sync__count(
      sync->store,
      "SELECT coalesce((SELECT c.stamp FROM {changes c} WHERE {own c}c.seq>(SELECT s.value FROM {change_state s} WHERE "
      "{own s}s.id=2) ORDER BY c.seq LIMIT 1),0)",
      &stamp);
  int64_t oldest = 0;
  status = status ? status
                  : kecs_sync__count(sync->store,
                                     "SELECT coalesce(min(f.oldest),0) FROM {change_folds f} WHERE {own f}f.seq>("
                                     "SELECT s.value FROM {change_state s} WHERE {own s}s.id=2)",
                                     &oldest);
  stamp = oldest && (!stamp || oldest < stamp) ? oldest : stamp;
  int64_t lag = stamp ? kecs_replica_now(sync->store) - kecs_stamp_time(stamp) : 0;
  *out_lag_us = lag > 0 ? lag : 0;
  return status;
}

/* What the handle has seen; the error's text is copied, since a round may be under way. */
static void kecs_sync__status_told(kecs_sync *sync, kecs_sync_status_info *out_info) {
  kecs_sync__lock(sync);
  const kecs_sync__told *told = &sync->told;
  out_info->rounds = told->rounds;
  out_info->failures = told->failures;
  out_info->reconnects = told->connects > 0 ? told->connects - 1 : 0;
  out_info->hub_offset_us = told->offset_us;
  out_info->last_us = told->last_us > out_info->last_us ? told->last_us : out_info->last_us;
  out_info->failed_us = told->failed_us;
  out_info->failed = told->error.status;
  out_info->hub_every_ms = told->limits.every_ms;
  out_info->hub_batch = told->limits.batch;
  snprintf(sync->said, sizeof sync->said, "%s", told->error.text);
  snprintf(sync->said_pause, sizeof sync->said_pause, "%s", told->limits.pause);
  kecs_sync__unlock(sync);
  out_info->failed_text = sync->said;
  out_info->hub_pause = sync->said_pause;
  out_info->running = sync->running;
  out_info->batch = sync->batch;
}

KECS_STORE_API kecs_status kecs_sync_status(kecs_sync *sync, kecs_sync_status_info *out_info) {
  if (!sync || !out_info) {
    return kecs_pg__fail(KECS_E_INVALID, "%s is NULL", sync ? "out_info" : "sync");
  }
  memset(out_info, 0, sizeof *out_info);
  kecs_sync__notes notes;
  kecs_status status = kecs_sync__notes_of(sync->store, &notes);
  snprintf(sync->known_as, sizeof sync->known_as, "%s", notes.alias[0] ? notes.alias : sync->site);
  out_info->site = sync->site;
  out_info->known_as = sync->known_as;
  out_info->number = notes.site;
  out_info->cursor = notes.cursor;
  out_info->last_us = notes.last_us;
  kecs_sync__status_told(sync, out_info);
  status = status ? status : kecs_sync__lag(sync, &out_info->lag_us);
  status =
      status ? status
             : kecs_sync__count(sync->store,
                                "SELECT (SELECT count(*) FROM {changes c} WHERE {own c}c.seq>s.value)+(SELECT count(*) "
                                "FROM {change_folds f} WHERE {own f}f.seq>s.value) FROM {change_state s} WHERE {own s}"
                                "s.id=2",
                                &out_info->pending);
  status =
      status ? status
             : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_refused} WHERE {own}true", &out_info->refused);
  status = status
               ? status
               : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_wanted} WHERE {own}true", &out_info->wanted);
  status = status ? status : kecs_sync__append_waiting(sync, &out_info->append_pending);
  return status ? status
                : kecs_sync__count(sync->store, "SELECT count(*) FROM {sync_conflicts} WHERE {own}resolved=0",
                                   &out_info->conflicts);
}

/* ---- conflicts ---- */

typedef struct kecs_sync__lost {
  kecs_status (*visit)(const kecs_sync_conflict *conflict, void *user);
  void *user;
} kecs_sync__lost;

static kecs_status kecs_sync__lost_visit(const kecs_value *values, void *user) {
  const kecs_sync__lost *lost = user;
  kecs_sync_conflict conflict = {values[0].number,
                                 (kecs_kind)values[1].number,
                                 values[2].text,
                                 values[3].text,
                                 (unsigned)values[4].number,
                                 values[5].number,
                                 values[6].number,
                                 values[7].number,
                                 values[8].number,
                                 values[9].text,
                                 values[10].number,
                                 values[11].number};
  return lost->visit(&conflict, lost->user);
}

KECS_STORE_API kecs_status kecs_sync_conflicts(kecs_store *store, int64_t after_id,
                                               kecs_status (*visit)(const kecs_sync_conflict *conflict, void *user),
                                               void *user) {
  kecs_sync__lost lost = {visit, user};
  kecs_value value = kecs_sync__value_int(after_id);
  bool there = false;
  if (!visit) {
    return kecs_pg__fail(KECS_E_INVALID, "visit is NULL");
  }
  kecs_status status = kecs_replica_made(store, &there);
  return status || !there
             ? status
             : kecs_replica_sql(store,
                                "SELECT id,kind,key,reason,groups,kept_stamp,kept_site,lost_stamp,lost_site,"
                                "lost,at,resolved FROM {sync_conflicts} WHERE {own}id>?1 ORDER BY id",
                                &value, 1, 12, kecs_sync__lost_visit, &lost);
}

KECS_STORE_API kecs_status kecs_sync_resolve(kecs_store *store, int64_t id, kecs_sync_take take) {
  if (take != KECS_SYNC_TAKE_KEPT && take != KECS_SYNC_TAKE_LOST) {
    return kecs_pg__fail(KECS_E_INVALID, "take is %d; KECS_SYNC_TAKE_KEPT or KECS_SYNC_TAKE_LOST", (int)take);
  }
  return kecs_replica_resolve(store, id, take == KECS_SYNC_TAKE_LOST);
}

/* ---- the handle ---- */

static kecs_status kecs_sync__check_options(const kecs_sync_options *options) {
  if (!options || !options->hub || !kecs_pg_backend()->answers_to(options->hub)) {
    return kecs_pg__fail(KECS_E_INVALID, "options.hub must be the URL of a PostgreSQL database");
  }
  size_t len = options->site ? strlen(options->site) : 0;
  if (len == 0 || len > KECS_SYNC__NAME_MAX) {
    return kecs_pg__fail(KECS_E_INVALID, "options.site must be a name of 1 to %d bytes", (int)KECS_SYNC__NAME_MAX);
  }
  if (options->token && strlen(options->token) != KECS_SYNC_TOKEN_SIZE - 1) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "options.token is no token: it has %d digits, and is printed by kecs hub token",
                         KECS_SYNC_TOKEN_SIZE - 1);
  }
  if (options->batch < 0 || options->batch > KECS_SYNC__BATCH_MAX) {
    return kecs_pg__fail(KECS_E_INVALID, "options.batch is %d; 1 to %d, or 0", options->batch,
                         (int)KECS_SYNC__BATCH_MAX);
  }
  if (options->tombstones_us < 0) {
    return kecs_pg__fail(KECS_E_INVALID, "options.tombstones_us is %lld; above 0, or 0 for 7 days",
                         (long long)options->tombstones_us);
  }
  if (options->max_offset_us < 0 || options->max_offset_us > KECS_SYNC__AHEAD_US) {
    return kecs_pg__fail(KECS_E_INVALID, "options.max_offset_us is %lld; 1 to %lld, or 0",
                         (long long)options->max_offset_us, (long long)KECS_SYNC__AHEAD_US);
  }
  const struct {
    const char *name;
    const void *list;
    size_t count;
  } lists[] = {{"kind", options->kinds, options->kind_count},
               {"cluster", options->clusters, options->cluster_count},
               {"policy", options->policies, options->policy_count}};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    if (lists[i].count && !lists[i].list) {
      return kecs_pg__fail(KECS_E_INVALID, "options.%s_count is %lld, and there is no list: give it, or leave both 0",
                           lists[i].name, (long long)lists[i].count);
    }
  }
  kecs_status status = kecs_sync__policy_check(options->policies, options->policy_count);
  if (status) {
    return status;
  }
  if (options->append_bytes < -1 || options->append_keep_bytes < 0) {
    return kecs_pg__fail(KECS_E_INVALID, "options.append_bytes is -1 or more, options.append_keep_bytes 0 or more");
  }
  return KECS_OK;
}

static kecs_status kecs_sync__choose_kinds(kecs_sync *sync, const kecs_sync_options *options) {
  uint64_t append = kecs_replica_append_kinds(sync->store);
  sync->kinds = options->kind_count ? 0 : kecs_replica_kinds(sync->store) | append;
  for (size_t i = 0; i < options->kind_count; i++) {
    if (!kecs_kind_describe(options->kinds[i])) {
      return kecs_pg__fail(KECS_E_INVALID, "options.kinds: %d is no kind", (int)options->kinds[i]);
    }
    sync->kinds |= KECS_BIT(options->kinds[i]);
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; (sync->kinds & KECS_BIT(kind)) && i < info->reference_count; i++) {
      if (!(sync->kinds & KECS_BIT(info->references[i].parent))) {
        return kecs_pg__fail(KECS_E_INVALID, "options.kinds has %s without its parent %s", info->name,
                             kecs_kind_describe(info->references[i].parent)->name);
      }
    }
  }
  sync->append = sync->kinds & append;
  sync->kinds &= ~append;
  return KECS_OK;
}

/* What a file began with: a name, or the kinds. */
static kecs_status kecs_sync__fixed_visit(const kecs_value *values, void *user) {
  snprintf(user, KECS_SYNC__NAME_MAX + 1, "%s", values[0].text);
  return KECS_OK;
}

static kecs_status kecs_sync__fix(kecs_store *tx, const char *name, const char *wanted) {
  char found[KECS_SYNC__NAME_MAX + 1] = "";
  kecs_value value = kecs_sync__value_text(name);
  kecs_status status = kecs_replica_sql(tx, "SELECT value FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                                        kecs_sync__fixed_visit, found);
  if (!status && found[0] && strcmp(found, wanted) != 0) {
    return kecs_pg__fail(KECS_E_INVALID, "this file began to sync with the %s %s, not %s", name, found, wanted);
  }
  return status || found[0] ? status : kecs_sync__note(tx, name, wanted);
}

static kecs_status kecs_sync__fix_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  char kinds[24];
  snprintf(kinds, sizeof kinds, "%llu", (unsigned long long)(sync->kinds | sync->append));
  kecs_status status = kecs_sync__fix(tx, "name", sync->site);
  return status ? status : kecs_sync__fix(tx, "kinds", kinds);
}

KECS_STORE_API kecs_status kecs_sync_open(kecs_store *store, const kecs_sync_options *options, kecs_sync **out_sync) {
  if (out_sync) {
    *out_sync = NULL;
  }
  if (!store || !out_sync) {
    return kecs_pg__fail(KECS_E_INVALID, "%s is NULL", out_sync ? "store" : "out_sync");
  }
  kecs_status status = kecs_sync__check_options(options);
  if (status) {
    return status;
  }
  const kecs_allocator *allocator = kecs_replica_allocator(store);
  kecs_sync *sync = kecs_pg__alloc(allocator, sizeof *sync);
  if (!sync) {
    return KECS_E_NOMEM;
  }
  sync->allocator = *allocator;
  sync->clusters.allocator = &sync->allocator;
  sync->store = store;
  sync->tombstones_us = options->tombstones_us ? options->tombstones_us : KECS_SYNC__TOMBSTONES_US;
  sync->max_offset_us = options->max_offset_us ? options->max_offset_us : KECS_SYNC__AHEAD_US;
  sync->wanted_batch = options->batch;
  sync->batch = options->batch ? options->batch : KECS_SYNC__BATCH;
  sync->adapts = options->batch == 0;
  sync->arrays_most = KECS_SYNC__BATCH_MOST;
#if !defined(KECS_STORE_NO_THREADS)
  if (pthread_mutex_init(&sync->mutex, NULL) != 0) {
    kecs_pg__release(allocator, sync, sizeof *sync);
    return KECS_E_NOMEM;
  }
#endif
  sync->append_pull = options->append_pull;
  sync->merge = options->merge;
  sync->user = options->user;
  sync->append_bytes = options->append_bytes ? options->append_bytes : KECS_SYNC__APPEND_BYTES;
  sync->append_keep_bytes = options->append_keep_bytes;
  snprintf(sync->site, sizeof sync->site, "%s", options->site);
  sync->hub = kecs_pg__copy(allocator, options->hub, strlen(options->hub));
  sync->token = options->token ? kecs_pg__copy(allocator, options->token, strlen(options->token)) : NULL;
  status = sync->hub && (sync->token || !options->token)
               ? kecs_pg_backend()->attach(sync->hub, &sync->allocator, &sync->place)
               : KECS_E_NOMEM;
  status = status ? status : kecs_sync__policy_keep(sync, options->policies, options->policy_count);
  status = status ? status : kecs_sync__choose_kinds(sync, options);
  status = status ? status : kecs_sync__clusters(sync, options->clusters, options->cluster_count);
  status = status ? status : kecs_replica_open(store, sync->kinds, NULL);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__fix_work, sync);
  status = status ? status : kecs_sync__notes_read(sync);
  if (status) {
    kecs_error error = *kecs_last_error();
    kecs_sync_close(sync);
    kecs_pg__restore(&error);
    return status;
  }
  *out_sync = sync;
  return KECS_OK;
}

KECS_STORE_API void kecs_sync_close(kecs_sync *sync) {
  if (sync) {
    kecs_allocator allocator = sync->allocator;
    (void)kecs_sync_stop(sync);
#if !defined(KECS_STORE_NO_THREADS)
    (void)pthread_mutex_destroy(&sync->mutex);
#endif
    kecs_sync__hang_up(sync);
    kecs_pg_backend()->detach(&sync->place, &sync->allocator);
    kecs_pg__release_text(&allocator, sync->hub);
    kecs_pg__release_text(&allocator, sync->token);
    kecs_pg__text_free(&sync->clusters);
    kecs_sync__policy_free(sync);
    kecs_pg__release(&allocator, sync, sizeof *sync);
  }
}
