/* store/replica_state.h -- the state of a natural key as this file has it: row, stamps, tombstone. */
#ifndef KECS_STORE_REPLICA_STATE_H
#define KECS_STORE_REPLICA_STATE_H
#include "store/feed.h"
#include "store/replica.h"

/* What a number is that was moved aside: this, less the rid. No row of a program has such a one. */
#define KECS_REPLICA_ASIDE (INT64_MIN / 2)

/* A row with its stamps. Texts lie in the arena that it was read into. */
typedef struct kecs__state {
  int64_t rid; /* 0: there is none */
  int64_t stamp[KECS_REPLICA_STAMPS];
  int64_t site[KECS_REPLICA_STAMPS];
  kecs_value values[64];
} kecs__state;

/* A key's latest deletion. */
typedef struct kecs__grave {
  int64_t seq; /* of its entry; 0: there is none */
  int64_t stamp;
  int64_t site;
} kecs__grave;

/* Reads a row; rid is 0 when it is gone. */
KECS__FN kecs_status kecs__state_read(kecs__session *session, const kecs__meta *meta, int64_t rid, kecs__arena *arena,
                                      kecs__state *out_state);

/* The rid of the row with these values of a unique key, or 0. */
KECS__FN kecs_status kecs__state_rid(kecs__session *session, const kecs__meta *meta, int key, const kecs_value *values,
                                     int count, int64_t *out_rid);

/* A natural key's text as the values of its columns. INVALID when it is none. */
KECS__FN kecs_status kecs__state_key(const kecs__meta *meta, const char *key, kecs__arena *arena,
                                     kecs_value *out_values);

KECS__FN kecs_status kecs__grave_read(kecs__session *session, kecs_kind kind, const char *key, kecs__grave *out_grave);

/* Which of the stamps are local and not acknowledged, as bits. */
KECS__FN unsigned kecs__state_pending(const kecs_replica *side, const int64_t *stamp, const int64_t *site);

/* The same for a row that the other side has refused: nothing of it is there, whatever was acknowledged since. */
KECS__FN kecs_status kecs__state_unpushed(kecs__session *session, const kecs_replica *side, kecs_kind kind,
                                          const char *key, const kecs__state *state, unsigned *out_pending);

/* Whether a row is to be sent again, since the other side has lost it. */
KECS__FN kecs_status kecs__state_resent(kecs__session *session, kecs_kind kind, const char *key, bool *out_resent);

/* The stamp of a group before the first change that is not acknowledged, which a pending one is based on, and that
 * change's place in the log. */
KECS__FN kecs_status kecs__state_base(kecs__session *session, const kecs_replica *side, kecs_kind kind, int64_t rid,
                                      int at, int64_t *out_base, int64_t *out_seq);

/* The order of stamps: below 0, 0, above 0. */
KECS__FN int kecs__stamp_compare(const kecs_replica *side, int64_t stamp, int64_t site, int64_t other,
                                 int64_t other_site);

/* Whether the kind's rows can be merged: they have stamps, and so have those of its parents. */
KECS__FN bool kecs__replica_can(const kecs__engine *engine, kecs_kind kind);

/* What another copy of this file has pushed under their common number is not somebody else's write: such stamps of ours
 * get that number. */
KECS__FN kecs_status kecs__replica_same_write(kecs__write *write, const kecs_replica *side, const kecs_replica_row *row,
                                              kecs__state *ours);

/* The other side has a row whose deletion it knew once: it has collected the tombstone, or lost it. It is told again.
 * Another life than the one that was deleted is kept in the conflict log, and counted. */
KECS__FN kecs_status kecs__replica_retell(kecs__write *write, const kecs_replica_row *row, const kecs__grave *grave,
                                          int *conflicts);

/* A merge under way. */
typedef struct kecs__join {
  kecs__write *write;
  const kecs__meta *meta;
  const kecs_replica *side;
  const kecs_replica_row *came;
  const kecs_replica_row *row; /* what came, made whole where only a part did */
  kecs__state ours;
  unsigned pending; /* of ours */
  unsigned yields;  /* of that, what the other side has refused by a policy: it gives way */
  kecs_replica_merged done;
} kecs__join;

/* The entry that keeps what has lost. */
KECS__FN kecs_status kecs__replica_lost(kecs__write *write, const kecs_replica_row *row, const char *reason,
                                        unsigned groups, int64_t kept_stamp, int64_t kept_site, int64_t lost_stamp,
                                        int64_t lost_site);

/* ---- the parts of a merge ---- */

/* Our row in the shape of what came, for the log. (replica_lost.c) */
KECS__FN const kecs_replica_row *kecs__merge_ours(const kecs__join *merge, kecs_replica_row *out);

/* Notes what loses at one place, the life or a group: ours, or what came. (replica_lost.c) */
KECS__FN kecs_status kecs__merge_lost(kecs__join *merge, bool ours, const char *reason, unsigned groups, int at);

/* Deletes a row in the name of another store, with what belongs to it. (replica_lost.c) */
KECS__FN kecs_status kecs__merge_bury(kecs__join *merge, const kecs__meta *meta, int64_t rid, int64_t stamp,
                                      int64_t site);

/* Local stamps go on above what was merged: also above deletions, or a key that is created again here would begin a
 * life that has ended already. (replica_rows.c) */
KECS__FN void kecs__merge_passed(kecs__join *merge);

/* A stamp for what the merge writes. (replica_rows.c) */
KECS__FN kecs_status kecs__merge_stamp(kecs__join *merge, int64_t *out_stamp);

/* Takes what `groups` says of the row that came; or notes in sync_wanted what is missing for that, or in the way.
 * (replica_rows.c) */
KECS__FN kecs_status kecs__merge_take(kecs__join *merge, unsigned groups);

/* Two rows of one life, group by group, by the policies. (replica_policy.c) */
KECS__FN kecs_status kecs__merge_life(kecs__join *merge);

/* What a column has that did not come: its default, in a row that is new. (replica_rows.c) */
KECS__FN kecs_value kecs__merge_default(const kecs__meta *meta, int column);

/* Fills in columns of kecs_replica_row.fill but those of the groups that were taken. (replica_schema.c) */
KECS__FN kecs_status kecs__merged_fill(kecs__join *merge, unsigned taken);

/* Asks for a key's state in the next page. (replica_rows.c) */
KECS__FN kecs_status kecs__merge_want(kecs__write *write, kecs_kind kind, const char *key);

/* A row's natural key as one text, from its values. NULL means NOMEM. */
KECS__FN const char *kecs__state_name(kecs__write *write, const kecs__meta *meta, const kecs_value *values);

/* The column of a kind that rows may swap, or -1. (replica_rows.c) */
KECS__FN int kecs__merge_swaps(const kecs__meta *meta);

/* What has to follow a row that a merge has written, besides tags: counters and look-ups of the kind. `before` has the
 * row as it was; NULL where it is new. (replica_rows.c) */
KECS__FN kecs_status kecs__merged_follow(kecs__join *merge, const void *before);

/* Of a deletion: its number was given once, and is not given again. (replica_revision.c) */
KECS__FN kecs_status kecs__merge_seen(kecs__join *merge);

/* A number that two files have given twice: the row that came keeps it, ours gets another one, and what refers to it
 * follows. Then there is no row of ours with the key. *out_done is false where it is not that case.
 * (replica_revision.c) */
KECS__FN kecs_status kecs__merge_renumber(kecs__join *merge, bool *out_done);

#endif
