/* store/session.h -- making and ending sessions, and committing what was written in one. */
#ifndef KECS_STORE_SESSION_H
#define KECS_STORE_SESSION_H
#include "store/engine.h"

/* A connection to the engine's database, for reading alone or for both. */
KECS__FN kecs_status kecs__session_open(kecs__engine *engine, bool reader, bool may_create,
                                        kecs__session **out_session);
KECS__FN void kecs__session_close(kecs__session *session);

/* backend->commit; the row cache wants to know that it was done. */
KECS__FN kecs_status kecs__session_commit(kecs__session *session);

#endif
