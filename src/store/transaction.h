/* store/transaction.h -- ending what a handle has begun. */
#ifndef KECS_STORE_TRANSACTION_H
#define KECS_STORE_TRANSACTION_H
#include "store/engine.h"

/* Undoes everything since the handle's BEGIN or SAVEPOINT and ends the handle and those inside it. A failure means that
 * a savepoint could not be undone, and that the transaction around it is lost. */
KECS__FN kecs_status kecs__transaction_abandon(kecs_store *tx);

#endif
