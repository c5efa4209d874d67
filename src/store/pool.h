/* store/pool.h -- the pool of connections: how many, how long one is kept, how long one waits for one. */
#ifndef KECS_STORE_POOL_H
#define KECS_STORE_POOL_H
#include "store/engine.h"

/* A session: an idle one, a new one while there may be more, or the first that is given back. `writes` only where the
 * engine is `pooled`. No transaction is open then. */
KECS__FN kecs_status kecs__pool_take(kecs_store *store, int64_t deadline, bool writes, kecs__session **out_session);
KECS__FN void kecs__pool_give_back(kecs__session *session);

/* While the store is being opened: adds a session that is idle; makes those that are kept in any case. */
KECS__FN void kecs__pool_add(kecs__engine *engine, kecs__session *session);
KECS__FN void kecs__pool_fill(kecs__engine *engine);

/* Empties the write-ahead log, when nobody writes just now. */
KECS__FN kecs_status kecs__engine_tidy(kecs__engine *engine);

/* Closes the idle connections that are too old or were not needed for long. */
KECS__FN void kecs__pool_tidy(kecs__engine *engine);

KECS__FN void kecs__pool_describe(kecs__engine *engine, kecs_pool_info *out_info);
KECS__FN void kecs__pool_free(kecs__engine *engine);

#endif
