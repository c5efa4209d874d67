/* store/access.h -- how a call gets a session to read or to write with, and a write as a whole. */
#ifndef KECS_STORE_ACCESS_H
#define KECS_STORE_ACCESS_H
#include "store/engine.h"

/* A session to read with, until kecs__read_close. */
KECS__FN kecs_status kecs__read_open(kecs_store *store, kecs__session **out_session);
KECS__FN void kecs__read_close(kecs_store *store, kecs__session *session);

/* Ends a read transaction; its failure counts when nothing failed before. */
KECS__FN void kecs__read_end(const kecs_backend *backend, kecs_connection *connection, kecs_status *status);

/* A write, until kecs__write_close. */
KECS__FN kecs_status kecs__write_open(kecs_store *store, kecs__write *write);

/* Whether writers write side by side, so that what a write did not find may be there a moment later. */
KECS__FN bool kecs__writers_meet(const kecs__write *write);

/* BUSY: the row was not there when this write looked for it, and another writer has made it since. */
KECS__FN kecs_status kecs__fail_raced(const kecs__meta *meta);

/* To be called before the second statement of a write that changes rows: from here on all or nothing. */
KECS__FN kecs_status kecs__write_guard(kecs__write *write);

/* After a failed statement, before others look into what was wrong: where the database refuses everything until a
 * rollback, the write is undone now. It must end with that failure. */
KECS__FN void kecs__write_revive(kecs__write *write);

/* Commits when `status` is KECS_OK and the deadline has not passed, rolls back otherwise; returns what came of it. */
KECS__FN kecs_status kecs__write_close(kecs__write *write, kecs_status status);

/* BEGIN IMMEDIATE; a wait for another process that the deadline or a cancel ended is told as such. */
KECS__FN kecs_status kecs__begin_write(kecs_store *store, kecs__session *session);

/* Runs `work` in a write: opens it, closes it with what `work` returned. `work` may run again (kecs__retry), so it
 * begins with nothing that an earlier run left in `user`. */
KECS__FN kecs_status kecs__with_write(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                      void *user);

#if !defined(KECS_STORE_NO_WATCH)
/* The same without a savepoint where the store is a transaction's handle: a failure leaves that to be rolled back. */
KECS__FN kecs_status kecs__with_write_as_one(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                             void *user);
#endif

#endif
