/* store/turns.h -- whose turn it is to use the writing session. */
#ifndef KECS_STORE_TURNS_H
#define KECS_STORE_TURNS_H
#include "store/engine.h"

struct kecs__turn {
  kecs__turn *next;
  kecs__condition called;
  kecs__mutex mutex; /* of a member: guards `told` and `error`, so that those who are told don't meet at the engine's */
  kecs__thread_id thread;
  int64_t since_us; /* when it came */
  bool joins;       /* a write of its own: it may go on in the transaction of the one before it */
  bool given;       /* the session is its own now */
  bool told;        /* what became of the shared transaction is known */
  kecs_error error; /* why it was not committed; its status is KECS_OK where it was */
};

/* Takes the writing session, waiting for it at most the busy timeout; leaves it taken. Where it `joins`, the
 * transaction of the one before may be open. */
KECS__FN kecs_status kecs__turn_take(kecs_store *store, int64_t deadline, bool joins, kecs__session **out_session);

/* The same without a wait, for nobody's call: false when somebody has it. */
KECS__FN bool kecs__turn_try(kecs__engine *engine);

/* Gives it to the first in the queue, and tells those who watch when something was written. */
KECS__FN void kecs__turn_end(kecs__session *session);

/* The two parts of it, each with the engine's mutex held: those who watch are woken once the writer's transaction has
 * ended, be it one write's or that of many. */
KECS__FN void kecs__watches_tell(kecs__engine *engine);
KECS__FN void kecs__turn_pass(kecs__engine *engine);

/* As kecs__watches_tell where the database logs and each writer has a session of the pool, which it gives back now. */
KECS__FN void kecs__watches_tell_of(kecs__session *session);

#endif
