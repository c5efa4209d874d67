/* store/statements.h -- the prepared statements of a session, made from the descriptors when they are first needed. */
#ifndef KECS_STORE_STATEMENTS_H
#define KECS_STORE_STATEMENTS_H
#include "store/engine.h"
#include "store/value.h"

/* What a cached statement does; its text follows from kind, operation and mask (store/sql.c). */
typedef enum kecs__op {
  KECS__OP_SELECT_KEY,  /* every column, and rid, by unique key number `mask` */
  KECS__OP_LOOK_KEY,    /* every column likewise, of a row that is only looked at, whatever else the session writes */
  KECS__OP_FIND_KEY,    /* rid by unique key number `mask` */
  KECS__OP_SELECT_RID,  /* every column by rid */
  KECS__OP_READ_FIELDS, /* the columns in `mask` by natural key, rid first: what an update compares with */
  KECS__OP_READ_RID,    /* the columns in `mask` by rid */
  KECS__OP_INSERT,      /* every column */
  KECS__OP_UPDATE,      /* the columns in `mask` by rid */
  KECS__OP_UPDATE_IF,   /* the columns in `mask` by natural key, where one of them differs (store/brief.c) */
  KECS__OP_DELETE,      /* by rid */
  KECS__OP_INSERT_LOGGED,      /* these seven for tracked stores: INSERT, with the life's stamp last */
  KECS__OP_READ_FIELDS_LOGGED, /* READ_FIELDS, with the three stamps last */
  KECS__OP_READ_RID_LOGGED,    /* READ_RID, likewise */
  KECS__OP_READ_STATE,         /* every column by rid, then each stamp and its site; NULL where the kind has none */
  KECS__OP_UPDATE_SPEC,        /* UPDATE, with the stamp of a group before rid */
  KECS__OP_UPDATE_STATUS,
  KECS__OP_UPDATE_BOTH,        /* likewise, one stamp for both groups */
  KECS__OP_MERGE_INSERT, /* these five for merges of what another store has: INSERT of the columns in `mask`, */
  KECS__OP_MERGE_LIFE,   /* and UPDATE of them by rid, with each stamp and its site behind them; */
  KECS__OP_MERGE_SPEC,   /* likewise with those of a group */
  KECS__OP_MERGE_STATUS,
  KECS__OP_MERGE_BOTH,
  KECS__OP_TEXT         /* any text: the text itself is the key */
} kecs__op;

KECS__FN kecs_status kecs__statement(kecs__session *session, const kecs__meta *meta, kecs__op op, uint64_t mask,
                                     kecs__cached **out_cached);
/* A text with marks (store/sql.h). */
KECS__FN kecs_status kecs__statement_text(kecs__session *session, const char *sql, size_t len,
                                          kecs__cached **out_cached);

/* Ends the use of a statement; NULL is fine. Its columns' texts die. */
KECS__FN void kecs__statement_done(kecs__session *session, kecs__cached *cached);

/* Starts a statement and makes its first step. */
KECS__FN kecs_status kecs__statement_start(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                           int count, bool *out_row);
KECS__FN kecs_status kecs__statement_step(kecs__session *session, kecs__cached *cached, bool *out_row);
KECS__FN void kecs__statement_columns(kecs__session *session, kecs__cached *cached, kecs_value *out, int count);

/* An interrupted statement is told as what interrupted it. */
KECS__FN kecs_status kecs__statement_outcome(kecs__session *session, kecs_status status);

/* Runs a statement that gives no rows, and ends its use, whatever came of it. */
KECS__FN kecs_status kecs__statement_run(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                         int count);

/* The same for the last statement of a write: with the commit, where write->last and the backend allow that. */
KECS__FN kecs_status kecs__statement_run_last(kecs__write *write, kecs__cached *cached, const kecs_value *parameters,
                                              int count);

/* The two in one for fixed texts: prepares (or finds) the text and runs it. *out_changes may be NULL. */
KECS__FN kecs_status kecs__run(kecs__session *session, const char *sql, const kecs_value *parameters, int count,
                               int64_t *out_changes);

KECS__FN void kecs__statements_free(kecs__session *session);

#endif
