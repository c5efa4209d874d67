/* store/write.h -- the one way in which rows change: insert, update, delete of one row, in the transaction of a write.
 * Whatever has to follow a change (look-up tables, children, the change log) follows here and nowhere else. */
#ifndef KECS_STORE_WRITE_H
#define KECS_STORE_WRITE_H
#include "store/access.h"
#include "store/history_log.h"
#include "store/locate.h"
#include "store/rows.h"

/* Fills a new row in and asks whether its kind takes it so: all that comes before it is sent to the database. */
KECS__FN kecs_status kecs__row_ready(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given);

/* Fills what is empty in `row` (a copy; texts go to write->arena) and inserts it. Columns in `given` were set on
 * purpose: AUTO ones among them keep their value, numbers among them may be 0. EXISTS and REFERENCE name the row and
 * what is in the way. */
KECS__FN kecs_status kecs__row_insert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given);

/* Inserts the parents of a filled row that are missing, with nothing but what their ARN says. */
KECS__FN kecs_status kecs__parents_make(kecs__write *write, const kecs__meta *meta, const void *row);

/* The values of a filled row, as INSERT takes them. INVALID for a text that can't be stored. */
KECS__FN kecs_status kecs__row_values(const kecs__meta *meta, const void *row, kecs_value *out);

/* Whether look-ups have something to follow in a new row. Most rows have no tags. */
KECS__FN bool kecs__insert_follows(const kecs__meta *meta, const void *row);

/* A change of one row. */
struct kecs__change {
  const void *row;      /* the new values */
  uint64_t mask;        /* the columns to write where they differ. An AUTO column among them takes the row's value, a
                         * version only when it is higher than the stored one: documents that bring their own. */
  int64_t version;      /* 0: unconditional; else CONFLICT unless it is the stored one */
  int64_t rid;          /* of the row, or 0: found by its natural key in `probe` */
  const kecs__probe *probe;
  bool document;        /* the row is a document's: its extra belongs to its columns */
  bool bare;            /* the stored row only held the place: a version in the mask is taken as it is */
  uint64_t changed;     /* out: the columns that did differ */
  int64_t base[3];      /* out: the stamps before the change, where it is logged (feed.h) */
  const kecs__past *past; /* what the history keeps of the row; NULL: nothing (history_log.h) */
};

/* NOT_FOUND, CONFLICT. Fills in change->rid and change->changed. Writes nothing when nothing differs. */
KECS__FN kecs_status kecs__row_change(kecs__write *write, const kecs__meta *meta, kecs__change *change);

/* The same in one statement that ends the write, where that can be; *out_done is false where it could not, or has
 * found nothing to change: then nothing has happened. */
KECS__FN kecs_status kecs__row_change_brief(kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                            bool *out_done);

/* Deletes a row and what belongs to it: children by their references, look-ups. `row` is the stored row. */
KECS__FN kecs_status kecs__row_delete(kecs__write *write, const kecs__meta *meta, int64_t rid, const void *row);

/* The same for work that makes a result through `out_result` (may be NULL): a failure, COMMIT's too, frees it. */
KECS__FN kecs_status kecs__with_write_result(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                             void *user, kecs_result **out_result);

enum { KECS__STEP_ROWS = 1000 }; /* rows in one transaction of a clean-up */

/* Deletes every row that `narrow` selects, at most 1000 in one transaction (all in the handle's when it is one), and
 * counts them. A deadline or a failure ends it between two steps: what was deleted is counted and stays deleted. */
KECS__FN kecs_status kecs__prune(kecs_store *store, kecs_kind kind,
                                 kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                 int64_t *out_count);

/* Calls `edit` with every row that `narrow` selects, at most 1000 in one transaction; `edit` sets columns of the row
 * and returns their mask. Edited rows must no longer be selected. Counts the rows that changed. */
KECS__FN kecs_status kecs__edit_where(kecs_store *store, kecs_kind kind,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user),
                                      uint64_t (*edit)(kecs__write *write, void *row, const void *user),
                                      const void *user, int64_t *out_count);

/* For operations that change one addressed row: reads it into memory of the write, lets `edit` set columns, writes what
 * differs, and gives the stored row back. */
KECS__FN kecs_status kecs__edit_one(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                                    kecs_status (*edit)(kecs__write *write, void *row, void *user, uint64_t *out_mask),
                                    void *user, kecs_result **out_result);

/* Inserts the row, or changes the stored one to it, as upsert does. `row` is a copy; AUTO columns in `given` count. */
KECS__FN kecs_status kecs__row_upsert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given,
                                      kecs_result **out_result);

/* What calls that modify begin with: the kind's meta, or NULL with the failure recorded; out_result (may be NULL) and
 * the write are emptied. And how they end: the write is closed, a result that was made goes with a failure. */
KECS__FN const kecs__meta *kecs__modify_begin(kecs_store *store, kecs_kind kind, kecs_result **out_result,
                                              kecs__write *write);
KECS__FN kecs_status kecs__modify_end(kecs__write *write, kecs_status status, kecs_result **out_result);

/* Of the columns that are asked for, those that an update writes; UINT64_MAX asks for every one that can be changed. */
KECS__FN kecs_status kecs__update_mask(const kecs__meta *meta, uint64_t asked, uint64_t *out_mask);

/* The stored row of a rid as a result; NULL out_result does nothing. */
KECS__FN kecs_status kecs__give_back(kecs__write *write, const kecs__meta *meta, int64_t rid, kecs_result **out_result);

#endif
