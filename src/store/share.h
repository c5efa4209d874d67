/* store/share.h -- a session to write with, and which writes share a commit. */
#ifndef KECS_STORE_SHARE_H
#define KECS_STORE_SHARE_H
#include "store/engine.h"

/* A session to write with, waiting for it at most the busy timeout. No transaction is open then. */
KECS__FN kecs_status kecs__writer_take(kecs_store *store, int64_t deadline, kecs__session **out_session);
KECS__FN void kecs__writer_release(kecs__session *session);

/* The same for a write of its own. Where *out_joined is true the session comes with the open transaction of the writes
 * before it: this one works in a savepoint. */
KECS__FN kecs_status kecs__writer_join(kecs_store *store, int64_t deadline, kecs__session **out_session,
                                       bool *out_joined);

/* Ends what kecs__writer_join began, and gives the session away. `status` is what came of the write: after KECS_OK it
 * is part of the transaction, and KECS_OK comes back once that is committed; after a failure nothing of it is, and the
 * failure comes back. */
KECS__FN kecs_status kecs__writer_leave(kecs__session *session, kecs_status status);

#endif
