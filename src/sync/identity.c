/* sync/identity.c -- whether hub and edge still are who they were to each other: the hub's id, the site's number, the
 * chain of pushes, the cursor. What does not fit any more is told apart, noted, and repaired in the same round.
 *
 * The hub counts a site's pushes, and so does the edge. Only the site itself can raise the hub's count. So where the
 * last push is not the one that is known here: a lower count says that the hub went back; any other, that somebody else
 * has pushed under this site's name. That is a copy of this file, or the file that this one was a backup of, or another
 * device that was given the same name: nobody can tell these apart, so they are one case. This file becomes a site of
 * its own under a name that is derived, "NAME#1a2b3c4d", and keeps all that it has. */
#include "pg/prologue.h"

#include "sync/pull.h"

#include <stdio.h>
#include <string.h>

static const char *kecs_sync__name(const kecs_sync *sync) {
  return sync->notes.alias[0] ? sync->notes.alias : sync->site;
}

static void kecs_sync__tell(kecs_sync *sync, kecs_log_level level, const char *what) {
  char line[600];
  snprintf(line, sizeof line, "sync of the site \"%s\": %s", kecs_sync__name(sync), what);
  kecs_replica_log(sync->store, level, line);
}

/* ---- hub and number ---- */

static kecs_status kecs_sync__number_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_sync__note(tx, "hub", sync->notes.hub);
  return status ? status : kecs_sync__note_number(tx, "site", sync->notes.site);
}

/* The number went to another site after the hub had forgotten it. */
static kecs_status kecs_sync__renumber_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_replica_renumber(tx, sync->notes.former, sync->notes.acked);
  status = status ? status : kecs_sync__note_number(tx, "former", sync->notes.former);
  return status ? status : kecs_sync__number_work(tx, user);
}

/* The hub that answers first is ours from then on. */
static kecs_status kecs_sync__check_hub(kecs_sync *sync, const PGresult *hello) {
  const char *hub = kecs_sync__text(hello, 0, KECS_SYNC__HUB);
  int64_t site = kecs_sync__number(hello, 0, KECS_SYNC__SITE);
  if (sync->notes.hub[0] && strcmp(hub, sync->notes.hub) != 0) {
    return kecs_pg__fail(KECS_E_CONFLICT,
                         "%s is another hub than the one that this file began with; nothing was written. Sync with the "
                         "first one, or begin with a new file",
                         sync->place.shown);
  }
  if (site == sync->notes.site) {
    return KECS_OK;
  }
  bool known = sync->notes.site != 0;
  snprintf(sync->notes.hub, sizeof sync->notes.hub, "%s", hub);
  sync->notes.former = known ? sync->notes.site : sync->notes.former;
  sync->notes.site = site;
  return kecs_sync__transact(sync, known ? kecs_sync__renumber_work : kecs_sync__number_work, sync);
}

/* ---- the chain ---- */

static kecs_status kecs_sync__alias_visit(const kecs_value *values, void *user) {
  kecs_sync *sync = user;
  snprintf(sync->notes.alias, sizeof sync->notes.alias, "%s#%.8s", sync->site, values[0].text);
  return KECS_OK;
}

static kecs_status kecs_sync__rename_work(kecs_store *tx, void *user) {
  const kecs_sync *sync = user;
  kecs_status status = kecs_replica_renumber(tx, sync->notes.site, sync->notes.acked);
  status = status ? status : kecs_sync__note_number(tx, "former", sync->notes.site);
  status = status ? status : kecs_sync__note_number(tx, "site", 0);
  status = status ? status : kecs_sync__note_number(tx, "pushes", 0);
  status = status ? status : kecs_sync__note(tx, "push", "");
  status = status ? status : kecs_sync__note(tx, "intent_id", "");
  return status ? status : kecs_sync__note(tx, "alias", sync->notes.alias);
}

/* The name is noted before it is told, so that a round that is cut off here goes on under the same one. */
static kecs_status kecs_sync__rename(kecs_sync *sync) {
  char line[400];
  kecs_status status =
      kecs_replica_sql(sync->store, "SELECT lower(hex(randomblob(4)))", NULL, 0, 1, kecs_sync__alias_visit, sync);
  snprintf(line, sizeof line,
           "somebody else has pushed under this name: the file was copied or restored, or two devices have one name. "
           "It is another site from now on, \"%.200s\", and keeps what it has",
           sync->notes.alias);
  status = status ? status : kecs_sync__transact(sync, kecs_sync__rename_work, sync);
  status = status ? status : kecs_sync__notes_read(sync);
  if (!status) {
    sync->report.reconciled |= KECS_SYNC_COPIED;
    kecs_sync__tell(sync, KECS_LOG_WARNING, line);
  }
  return status;
}

static kecs_status kecs_sync__pushes_work(kecs_store *tx, void *user) {
  return kecs_sync__note_number(tx, "pushes", *(const int64_t *)user);
}

static kecs_status kecs_sync__check_chain(kecs_sync *sync, const PGresult *hello, const PGresult *refused,
                                          unsigned *cause, bool *out_again) {
  const char *push = kecs_sync__text(hello, 0, KECS_SYNC__PUSH);
  int64_t pushes = kecs_sync__number(hello, 0, KECS_SYNC__PUSHES);
  if (sync->notes.intent.id[0] && strcmp(push, sync->notes.intent.id) == 0) {
    return kecs_sync__acknowledge(sync, refused);
  }
  if (strcmp(push, sync->notes.push) == 0) {
    sync->notes.pushes = pushes == sync->notes.pushes ? pushes : -1;
    return sync->notes.pushes >= 0 ? KECS_OK : kecs_sync__transact(sync, kecs_sync__pushes_work, &pushes);
  }
  if (pushes < sync->notes.pushes) {
    snprintf(sync->notes.push, sizeof sync->notes.push, "%s", push);
    sync->notes.pushes = pushes;
    *cause |= KECS_SYNC_LOST;
    return KECS_OK;
  }
  *out_again = true;
  return kecs_sync__rename(sync);
}

/* ---- the cursor ---- */

/* Below the floor nothing tells which history it was: one that has changed since the last round counts as another. Nor
 * does anything tell it of rows that were read in a pull which was cut off, where they were written while it ran. */
static void kecs_sync__check_cursor(const kecs_sync *sync, const PGresult *hello, unsigned *cause) {
  bool read = sync->notes.boot_kind != 0;
  int64_t changed = kecs_sync__number(hello, 0, KECS_SYNC__CHANGED);
  bool cut_off = !sync->notes.repair && (!sync->notes.booted || sync->notes.seen > sync->notes.cursor);
  bool fits = kecs_sync__text(hello, 0, KECS_SYNC__FITS)[0] == 't';
  if (read && sync->notes.cursor < kecs_sync__number(hello, 0, KECS_SYNC__FLOOR)) {
    *cause |= KECS_SYNC_AWAY;
    *cause |= changed && changed > sync->notes.last_us + sync->notes.offset ? KECS_SYNC_HISTORY : 0;
  } else if (read && (!fits || (cut_off && changed > sync->notes.seen_us))) {
    *cause |= KECS_SYNC_HISTORY;
  }
}

/* ---- retention ---- */

static kecs_status kecs_sync__retain_work(kecs_store *tx, void *user) {
  int64_t retention = *(const int64_t *)user;
  kecs_status status = kecs_replica_retain(tx, retention);
  return status ? status : kecs_sync__note_number(tx, "retention", retention);
}

/* Tombstones live longer at the hub than here, or a row could come back from there that was deleted here. */
static kecs_status kecs_sync__check_retention(kecs_sync *sync, const PGresult *hello) {
  int64_t half = kecs_sync__number(hello, 0, KECS_SYNC__RETENTION) / 2;
  int64_t retention = half > 0 && half < sync->tombstones_us ? half : sync->tombstones_us;
  return retention == sync->notes.retention ? KECS_OK : kecs_sync__transact(sync, kecs_sync__retain_work, &retention);
}

/* ---- all of it ---- */

typedef struct kecs_sync__cause {
  const kecs_sync *sync;
  unsigned cause;
} kecs_sync__cause;

static kecs_status kecs_sync__cause_work(kecs_store *tx, void *user) {
  const kecs_sync__cause *found = user;
  kecs_status status = kecs_sync__note(tx, "push", found->sync->notes.push);
  status = status ? status : kecs_sync__note_number(tx, "pushes", found->sync->notes.pushes);
  return status ? status : kecs_sync__reconcile_begin(tx, found->sync, found->cause);
}

KECS_PG__FN kecs_status kecs_sync__identify(kecs_sync *sync, const PGresult *hello, const PGresult *refused,
                                            bool *out_again) {
  static const struct {
    unsigned cause;
    const char *what;
  } causes[] = {
      {KECS_SYNC_AWAY, "it was away for longer than the hub keeps its log: all is compared and merged"},
      {KECS_SYNC_HISTORY,
       "the hub's history is not the one that was read here, after a failover or from a backup: all is compared and "
       "merged"},
      {KECS_SYNC_LOST, "the hub has lost pushes that it had acknowledged: all is compared, and sent again"},
  };
  kecs_sync__cause found = {sync, 0};
  *out_again = false;
  kecs_status status = kecs_sync__check_hub(sync, hello);
  status = status ? status : kecs_sync__check_chain(sync, hello, refused, &found.cause, out_again);
  if (status || *out_again) {
    return status;
  }
  kecs_sync__check_cursor(sync, hello, &found.cause);
  status = kecs_sync__check_retention(sync, hello);
  if (status || found.cause == 0) {
    return status;
  }
  status = kecs_sync__transact(sync, kecs_sync__cause_work, &found);
  for (size_t i = 0; !status && i < sizeof causes / sizeof causes[0]; i++) {
    if (found.cause & causes[i].cause) {
      kecs_sync__tell(sync, KECS_LOG_WARNING, causes[i].what);
    }
  }
  sync->moved = true;
  return status ? status : kecs_sync__notes_read(sync);
}
