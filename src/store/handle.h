/* store/handle.h -- making and ending handles: what open, begin, commit and close share. */
#ifndef KECS_STORE_HANDLE_H
#define KECS_STORE_HANDLE_H
#include "store/engine.h"

enum { KECS__MAGIC_OPEN = 0x6b656373, KECS__MAGIC_ENDED = 0x64656164 };

/* Takes the writing session, waiting for it at most the busy timeout; leaves it taken. */
KECS__FN kecs_status kecs__writer_take(kecs_store *store, int64_t deadline, kecs__session **out_session);
KECS__FN void kecs__writer_release(kecs__engine *engine);

/* BEGIN IMMEDIATE; a wait for another process that the deadline or a cancel ended is told as such. */
KECS__FN kecs_status kecs__begin_write(kecs_store *store, kecs__session *session);

/* MISUSE while a savepoint inside the transaction is open: what is written meanwhile would be undone with it. */
KECS__FN kecs_status kecs__check_innermost(const kecs_store *store);

/* MISUSE when the transaction, or one around it, is lost. */
KECS__FN kecs_status kecs__check_transaction(const kecs_store *tx);

/* Undoes everything since the handle's BEGIN or SAVEPOINT and ends the handle and those inside it. A failure means that
 * a savepoint could not be undone, and that the transaction around it is lost. */
KECS__FN kecs_status kecs__transaction_abandon(kecs_store *tx);

#endif
