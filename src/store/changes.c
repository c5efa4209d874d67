/* store/changes.c -- what is done with the log as a whole: where it is, removing its old end, what is to be pushed.
 *
 * Compaction takes entries from the old end, at most 1000 in one transaction. Where nobody pushes they are deleted.
 * Where a push mark is set, entries above it go into change_folds first, which has one row a row: after weeks without
 * a link it is as long as the list of changed rows, not as the list of changes. The floor goes up with each step, so
 * what a watch can still read is never folded. */
#include "base/prologue.h"

#include "store/changes.h"

#include "store/feed.h"
#include "store/history_log.h"
#include "store/write.h"

#include <string.h>

#define KECS__COMPACT_ROWS 1000
#define KECS__TOMBSTONE_US (INT64_C(7) * 24 * 3600 * 1000000)

KECS_STORE_API kecs_status kecs_changes_describe(kecs_store *store, kecs_changes_info *out_info) {
  kecs_status status = kecs__check_pointer(out_info, "out_info");
  if (status) {
    return status;
  }
  memset(out_info, 0, sizeof *out_info);
  kecs__session *session = NULL;
  kecs__feed_end end = {0, 0, 0};
  status = kecs__check_handle(store);
  status = status ? status : kecs__feed_number_new(store);
  status = status ? status : kecs__read_open(store, &session);
  bool can = !status && kecs__feed_can(session->engine);
  if (can) {
    status = kecs__feed_state(session, KECS__FEED_FLOOR, &out_info->floor);
  }
  if (!status && can) {
    status = kecs__feed_state(session, KECS__FEED_SINCE, &out_info->since);
  }
  if (!status) {
    status = kecs__feed_read_end(session, &end);
  }
  kecs__read_close(store, session);
  out_info->tracked = !status && end.seq != 0 && end.op != KECS__FEED_OFF;
  out_info->last_seq = end.seq;
  out_info->last_stamp = end.stamp;
  return status;
}

/* ---- compaction ---- */

typedef struct kecs__compact {
  const kecs_compaction *options;
  kecs_compacted *done;
  bool more;
  int64_t retention; /* what sync wants of tombstones; 0: nothing */
  bool held;         /* the history has changed since: none of them goes */
} kecs__compact;

/* Above the times of `age` ago no stamp is that old. */
static int64_t kecs__compact_stamp(const kecs__write *write, int64_t age_us) {
  int64_t last = 0;
  (void)kecs__clock_next(&last, write->now - age_us);
  return last;
}

/* An edge that comes back must find what was deleted while it was away; and after a failover what was deleted before,
 * too, as long as somebody may come who has read another history. */
static kecs_status kecs__compact_bounds(kecs__write *write, kecs__compact *compact) {
  int64_t changed = 0;
  if (!kecs__feed_can(write->engine)) {
    return kecs__fail_no_feed(write->engine);
  }
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_RETENTION, &compact->retention);
  status = status ? status : kecs__feed_state(write->session, KECS__FEED_CHANGED, &changed);
  compact->held = changed > 0 && write->now - changed < compact->retention;
  return status;
}

/* The last entry of this step; 0 when there is none. The newest entry of the log always stays. */
static kecs_status kecs__compact_end(kecs__write *write, const kecs__compact *compact, int64_t *out_seq) {
  kecs__feed_end end;
  kecs_status status = kecs__feed_read_end(write->session, &end);
  if (!status) {
    status = kecs__feed_check(write->engine, &end);
  }
  int64_t upto = compact->options->upto_seq;
  upto = upto <= 0 || upto >= end.seq ? end.seq - 1 : upto;
  int64_t age = compact->options->older_than_us;
  if (age <= 0 && compact->retention > 0 && write->engine->backend->log) { /* a hub: edges read its log */
    age = compact->retention;
    upto = compact->held ? 0 : upto;
  }
  kecs_value values[] = {kecs__value_int(upto), kecs__value_int(age > 0 ? kecs__compact_stamp(write, age) : INT64_MAX),
                         kecs__value_int(KECS__COMPACT_ROWS)};
  if (!status) {
    status = kecs__feed_number(write->session,
                               "SELECT max(seq) FROM (SELECT seq FROM {changes} WHERE {own}seq<=?1 AND stamp<=?2 "
                               "ORDER BY seq LIMIT ?3) AS step",
                               values, 3, out_seq);
  }
  return status;
}

/* What of the step is still to be pushed. Entries of local columns are for watches alone. */
#define KECS__FOLDED "{own}seq>?1 AND seq<=?2 AND kind<>0 AND (op<>2 OR groups&6<>0)"

/* A row's entries become one: the last one's place, the groups of all, and of each group the stamp before its first
 * change. What was folded before is earlier than all of them. */
static kecs_status kecs__compact_fold(kecs__write *write, int64_t upto, int64_t pushed, int64_t *out_count) {
  kecs_value values[] = {kecs__value_int(pushed), kecs__value_int(upto)};
  static const char counted[] = "SELECT count(*) FROM {changes} WHERE " KECS__FOLDED;
  kecs_status status = kecs__feed_number(write->session, counted, values, 2, out_count);
  if (status || *out_count == 0) {
    return status;
  }
  return kecs__run(
      write->session,
      "INSERT INTO {change_folds}({tenant}kind,rid,seq,groups,op,stamp,oldest,base_life,base_spec,base_status) "
      "SELECT {ours}g.kind,g.rid,g.last_seq,g.groups,CASE WHEN f.op=1 AND l.op=2 THEN 1 ELSE l.op END,l.stamp,f.stamp,"
      "f.base_life,s.base_spec,u.base_status FROM (SELECT kind,rid,max(seq) AS last_seq,min(seq) AS first_seq,"
      "max(groups&1)|max(groups&2)|max(groups&4)|max(groups&8) AS groups,"
      "min(CASE WHEN groups&2<>0 THEN seq END) AS spec_seq,min(CASE WHEN groups&4<>0 THEN seq END) AS status_seq "
      "FROM {changes} WHERE " KECS__FOLDED
      " GROUP BY kind,rid) AS g "
      "JOIN {changes l} ON {own l}l.seq=g.last_seq JOIN {changes f} ON {own f}f.seq=g.first_seq "
      "LEFT JOIN {changes s} ON {own s}s.seq=g.spec_seq LEFT JOIN {changes u} ON {own u}u.seq=g.status_seq WHERE true "
      "ON CONFLICT({tenant}kind,rid) DO UPDATE SET seq=excluded.seq,groups=change_folds.groups|excluded.groups,"
      "stamp=excluded.stamp,op=CASE WHEN change_folds.op=1 AND excluded.op=2 THEN 1 ELSE excluded.op END,"
      "base_spec=CASE WHEN change_folds.groups&2<>0 THEN change_folds.base_spec ELSE excluded.base_spec END,"
      "base_status=CASE WHEN change_folds.groups&4<>0 THEN change_folds.base_status ELSE excluded.base_status END",
      values, 2, NULL);
}

static kecs_status kecs__compact_entries(kecs__write *write, kecs__compact *compact, int64_t upto) {
  kecs_value id = kecs__value_int(KECS__FEED_PUSHED);
  kecs_value until = kecs__value_int(upto);
  int64_t pushed = 0;
  int64_t folded = 0;
  int64_t removed = 0;
  kecs_status status = kecs__feed_number(write->session, "SELECT value+1 FROM {change_state} WHERE {own}id=?1", &id, 1,
                                         &pushed); /* 0: nobody pushes */
  if (!status && pushed > 0) {
    status = kecs__compact_fold(write, upto, pushed - 1, &folded);
  }
  if (!status) {
    status = kecs__run(write->session, "DELETE FROM {changes} WHERE {own}seq<=?1", &until, 1, &removed);
  }
  if (!status) {
    status = kecs__feed_state_raise(write->session, KECS__FEED_FLOOR, upto);
  }
  if (!status && write->engine->backend->log) {
    status = write->engine->backend->log->trim(write->session->connection, upto);
  }
  compact->done->folded += folded;
  compact->done->removed += removed;
  compact->more = removed == KECS__COMPACT_ROWS;
  return status;
}

/* Tombstones whose entry is gone from log and folds. They hold the highest rids: the state remembers those. */
static kecs_status kecs__compact_tombstones(kecs__write *write, kecs__compact *compact) {
#define KECS__TOMBSTONES_OLD                                                                          \
  "(SELECT t.seq FROM {change_tombstones t} WHERE {own t}t.seq<=?1 AND t.stamp<=?2 AND NOT EXISTS(" \
  "SELECT 1 FROM {change_folds f} WHERE {own f}f.seq=t.seq) ORDER BY t.seq LIMIT ?3)"
  int64_t age = compact->options->tombstones_us;
  int64_t floor = 0;
  int64_t removed = 0;
  kecs_status status = kecs__feed_state(write->session, KECS__FEED_FLOOR, &floor);
  age = age < compact->retention ? compact->retention : age;
  int64_t stamp = age < 0 ? INT64_MAX : kecs__compact_stamp(write, age ? age : KECS__TOMBSTONE_US);
  stamp = compact->held ? 0 : stamp;
  kecs_value values[] = {kecs__value_int(floor), kecs__value_int(stamp), kecs__value_int(KECS__COMPACT_ROWS)};
  if (!status) {
    status = kecs__run(write->session,
                            "INSERT INTO {change_state}({tenant}id,value) SELECT {ours}1000+kind,max(rid) FROM "
                            "{change_tombstones} WHERE {own}seq IN " KECS__TOMBSTONES_OLD
                            " GROUP BY kind ON CONFLICT({tenant}id) DO UPDATE SET "
                            "value={highest}(change_state.value,excluded.value)",
                            values, 3, NULL);
  }
  if (!status) {
    status = kecs__run(write->session, "DELETE FROM {change_tombstones} WHERE {own}seq IN " KECS__TOMBSTONES_OLD,
                       values, 3, &removed);
  }
#undef KECS__TOMBSTONES_OLD
  compact->done->tombstones += removed;
  compact->done->floor = floor;
  compact->more = compact->more || removed == KECS__COMPACT_ROWS;
  return status;
}

/* The history goes first: what it may lose is told by the entries that are about to go. The floor is raised before, so
 * that no watch still wants the old rows. */
static kecs_status kecs__compact_history(kecs__write *write, kecs__compact *compact, int64_t upto) {
  int64_t removed = 0;
  int64_t floor = 0;
  kecs_status status = upto > 0 ? kecs__feed_state_raise(write->session, KECS__FEED_FLOOR, upto) : KECS_OK;
  if (!status) {
    status = kecs__feed_state(write->session, KECS__FEED_FLOOR, &floor);
  }
  if (!status) {
    status = kecs__history_trim(write, floor, KECS__COMPACT_ROWS, &removed);
  }
  compact->done->history += removed;
  compact->more = removed >= KECS__COMPACT_ROWS;
  return status;
}

static kecs_status kecs__compact_step(kecs__write *write, void *user) {
  kecs__compact *compact = user;
  int64_t upto = 0;
  compact->more = false;
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__compact_bounds(write, compact);
  }
  if (!status) {
    status = kecs__compact_end(write, compact, &upto);
  }
  if (!status) {
    status = kecs__compact_history(write, compact, upto);
  }
  if (!status && upto > 0 && !compact->more) {
    status = kecs__compact_entries(write, compact, upto);
  }
  return status ? status : kecs__compact_tombstones(write, compact);
}

KECS_STORE_API kecs_status kecs_changes_compact(kecs_store *store, const kecs_compaction *options,
                                                kecs_compacted *out_done) {
  static const kecs_compaction all;
  kecs_compacted done;
  kecs_compacted unused = {0, 0, 0, 0, 0};
  kecs__compact compact = {options ? options : &all, &done, false, 0, false};
  out_done = out_done ? out_done : &unused;
  memset(out_done, 0, sizeof *out_done);
  kecs_status status = kecs__check_handle(store);
  status = status ? status : kecs__feed_number_new(store);
  int steps = 0;
  do {
    done = *out_done;
    if (!status) {
      status = kecs__with_write(store, kecs__compact_step, &compact);
    }
    if (!status) {
      *out_done = done;
    }
    steps++;
  } while (!status && compact.more && (compact.options->steps <= 0 || steps < compact.options->steps));
  return status;
}

/* ---- the push mark ---- */

static kecs_status kecs__pushed_work(kecs__write *write, void *user) {
  kecs_value seq = kecs__value_int(*(const int64_t *)user);
  kecs_value id = kecs__value_int(KECS__FEED_PUSHED);
  kecs__feed_end end = {0, 0, 0};
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__feed_read_end(write->session, &end);
  }
  if (!status) {
    status = kecs__feed_check(write->engine, &end);
  }
  if (!status && seq.number > end.seq) {
    return kecs__fail(KECS_E_INVALID, "the log ends at %lld; %lld can't have been pushed", (long long)end.seq,
                      (long long)seq.number);
  }
  if (!status && seq.number < 0) {
    status = kecs__run(write->session, "DELETE FROM {change_state} WHERE {own}id=?1", &id, 1, NULL);
    return status ? status : kecs__run(write->session, "DELETE FROM {change_folds}{whole}", NULL, 0, NULL);
  }
  if (!status) {
    status = kecs__feed_state_raise(write->session, KECS__FEED_PUSHED, seq.number);
  }
  return status ? status : kecs__run(write->session, "DELETE FROM {change_folds} WHERE {own}seq<=?1", &seq, 1, NULL);
}

KECS_STORE_API kecs_status kecs_changes_pushed(kecs_store *store, int64_t seq) {
  kecs_status status = kecs__check_handle(store);
  status = status ? status : kecs__feed_number_new(store);
  return status ? status : kecs__with_write(store, kecs__pushed_work, &seq);
}
