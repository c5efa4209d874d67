/* store/gather.h -- reads that are sent together. A read that gathers runs twice, or more often: what its statements
 * ask is only remembered at first, and the read is broken off; once all reads have been asked, in one exchange, each
 * runs again, finds its answers, and goes on to what it asks next. So the code of a read is the same whether it gathers
 * or not. */
#ifndef KECS_STORE_GATHER_H
#define KECS_STORE_GATHER_H
#include "store/statements.h"

/* A statement that a read has started. */
typedef struct kecs__asked {
  kecs_start start;
  kecs__cached *cached;
  struct kecs__asked *next;
} kecs__asked;

/* What one read has asked, in its order. */
struct kecs__gather {
  kecs__arena *arena;
  kecs__asked *first;
  kecs__asked **at; /* where the next one is expected */
  int guesses;      /* above 0: what is not answered yet is taken to find nothing, and the read goes on */
  bool waits;       /* the read was broken off, or has guessed: it is to run again */
};

KECS__FN void kecs__gather_init(kecs__gather *gather, kecs__arena *arena);

/* The session's reads gather until kecs__gather_end; from the first statement on. */
KECS__FN void kecs__gather_begin(kecs__session *session, kecs__gather *gather);
KECS__FN void kecs__gather_end(kecs__session *session);

/* Between the two, a statement may find nothing as far as the read can know yet, and mostly will not change what it
 * asks next: then both travel together, and where the guess was wrong the read asks anew. Does nothing elsewhere. */
KECS__FN void kecs__gather_guess(kecs__session *session, bool guess);

/* kecs__statement_start of a session that gathers. */
KECS__FN kecs_status kecs__gather_start(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                        int count, bool *out_row);

/* Asks what `count` reads have asked so far, in one exchange. A failure of one statement is told to its read. */
KECS__FN kecs_status kecs__gather_send(kecs__session *session, kecs__gather *gathers, size_t count);

/* The answers go. */
KECS__FN void kecs__gather_free(kecs__session *session, kecs__gather *gather);

#endif
