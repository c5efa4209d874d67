/* store/special.h -- what is special to a kind: the few functions that the general code calls for it. A kind's file in
 * store/ implements them; a kind that is not in the table needs none. */
#ifndef KECS_STORE_SPECIAL_H
#define KECS_STORE_SPECIAL_H
#include "store/result.h"

typedef struct kecs__probe kecs__probe; /* store/locate.h */

struct kecs__special {
  kecs_kind kind;

  /* Fills what only this kind knows into a row on its way in (a copy that may be changed; texts go to write->arena):
   * names from an ARN, an ARN from names, parents. `fresh` is false for a row that is only updated. */
  kecs_status (*fill)(kecs__write *write, const kecs__meta *meta, void *row, bool fresh);

  /* Turns an address that is not an ARN into a unique key, where the general rule does not do. */
  kecs_status (*probe)(kecs__session *session, const kecs__meta *meta, const kecs_value *address, kecs__arena *arena,
                       kecs__probe *out_probe);

  /* Called after a row was inserted, changed (columns in `changed`) or before it is deleted: keeps look-up tables in
   * step. `before` is NULL for an insert, `after` for a delete. */
  kecs_status (*follow)(kecs__write *write, const kecs__meta *meta, const void *before, const void *after,
                        uint64_t changed);

  /* Whether a row that is put without its ARN is always a new one: a task definition is registered, not replaced. NULL:
   * no. */
  bool (*is_new)(const kecs__meta *meta, const void *row);

  /* Refuses what a row of the kind must not hold, before it is inserted (`stored` is NULL) or the columns in *mask are
   * changed. A column may be taken out of the mask when it is to stay as it is. `stored` has the columns of the mask,
   * and those in `judged`. NULL: everything is taken. */
  kecs_status (*judge)(const kecs__meta *meta, const void *row, const kecs_value *stored, uint64_t *mask);

  /* What follows from a row that a merge has written, as `follow` does for our own writes; tags do not, for their rows
   * travel by themselves. `before` is NULL for a new row. NULL: nothing. */
  kecs_status (*merged)(kecs__write *write, const kecs__meta *meta, const void *before, const void *after);

  /* Sets LOCAL columns that say what others say, in the values of a merged row, and *out_mask. NULL: there are none. */
  kecs_status (*derive)(kecs_value *values, kecs__arena *arena, uint64_t *out_mask);

  uint64_t followed; /* the columns whose change `follow` wants to see */
  bool tags_alone;   /* `follow` does nothing for a row without tags */
  bool numbered;     /* its natural key has a number that is given here: two files may have given it twice */
  uint64_t judged;   /* the columns that `judge` looks at */
};

/* Gives each kind's kecs__meta its row of the table, or one whose functions are all NULL. */
KECS__FN void kecs__specials_set(kecs__engine *engine);

#endif
