/* store/turns.h -- whose turn it is to use the writing session, and which writes share a commit. Where each write takes
 * a session from the pool, that is done here, too. */
#ifndef KECS_STORE_TURNS_H
#define KECS_STORE_TURNS_H
#include "store/engine.h"

/* Takes the writing session, waiting for it at most the busy timeout; leaves it taken. No transaction is open then. */
KECS__FN kecs_status kecs__writer_take(kecs_store *store, int64_t deadline, kecs__session **out_session);
/* The same without a wait, for nobody's call: false when somebody has it. */
KECS__FN bool kecs__writer_try(kecs__engine *engine);
KECS__FN void kecs__writer_release(kecs__session *session);

/* The same for a write of its own. Where *out_joined is true the session comes with the open transaction of the writes
 * before it: this one works in a savepoint. */
KECS__FN kecs_status kecs__writer_join(kecs_store *store, int64_t deadline, kecs__session **out_session,
                                       bool *out_joined);

/* Ends what kecs__writer_join began, and gives the session away. `status` is what came of the write: after KECS_OK it
 * is part of the transaction, and KECS_OK comes back once that is committed; after a failure nothing of it is, and the
 * failure comes back. */
KECS__FN kecs_status kecs__writer_leave(kecs__session *session, kecs_status status);

/* MISUSE: the call would wait for what its own thread holds. */
KECS__FN kecs_status kecs__fail_own_writer(void);

/* How long a wait may still take, in milliseconds: until then by the monotonic clock, and no longer than the deadline.
 */
KECS__FN int64_t kecs__wait_left(const kecs__engine *engine, int64_t until_ms, int64_t deadline);

#endif
