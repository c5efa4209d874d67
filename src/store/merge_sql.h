/* store/merge_sql.h -- the statements that merge rows: into the rows of a kind, from a table of the transaction's own
 * or one by one. */
#ifndef KECS_STORE_MERGE_SQL_H
#define KECS_STORE_MERGE_SQL_H
#include "store/rows.h"

#define KECS__STAGED "kecs_staged" /* the table; temporary, and gone with the transaction at the latest */

/* Its columns: those of the kind, and then */
enum { KECS__STAGED_AT /* the row's number */, KECS__STAGED_FORM, KECS__STAGED_VERSION, KECS__STAGED_COLUMNS };
#define KECS__STAGED_NAMES "staged_at,staged_form,staged_version"

/* How an update of a row differs from an insert of it: masks of columns. */
typedef struct kecs__form {
  uint64_t emptied; /* become NULL, 0 or false, whatever an insert writes */
  uint64_t kept;    /* stay as they are stored */
} kecs__form;

/* Statements that insert what is new and change what differs, but leave alone rows whose tags would change. */
typedef enum kecs__merge_op {
  KECS__MERGE_ONE, /* one row; parameters: its columns */
  KECS__MERGE_ALL, /* the staged ones of a form; parameter: its number */
  KECS__MERGE_TOLD /* the same, and gives the numbers of the rows that were inserted and have tags, and -1 less the
                    * number of all that were written */
} kecs__merge_op;
KECS__FN kecs_status kecs__merge_prepare(kecs__session *session, const kecs__meta *meta, const kecs__form *form,
                                         kecs__merge_op op, kecs__cached **out_cached);

/* Makes the table, empty. */
KECS__FN kecs_status kecs__merge_create(kecs__session *session, const kecs__meta *meta);

/* Questions that a number answers. */
typedef enum kecs__merge_question {
  KECS__MERGE_LOCK,     /* locks the stored rows of staged ones that have a version, and counts them */
  KECS__MERGE_DIFFERENT /* how many of these are not stored with that version */
} kecs__merge_question;
KECS__FN kecs_status kecs__merge_ask(kecs__session *session, const kecs__meta *meta, kecs__merge_question question,
                                     int64_t *out_number);

/* The numbers of staged rows whose tags are not the stored ones, ascending; at most `room`. */
KECS__FN kecs_status kecs__merge_list_left(kecs__session *session, const kecs__meta *meta, size_t *out, size_t room,
                                           size_t *out_count);

/* The stored rows of all staged ones, in the order of their numbers. */
KECS__FN kecs_status kecs__merge_give_back(kecs__session *session, const kecs__meta *meta, kecs_result *result);

#endif
