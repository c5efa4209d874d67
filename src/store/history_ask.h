/* store/history_ask.h -- what the calls that ask the history have in common. */
#ifndef KECS_STORE_HISTORY_ASK_H
#define KECS_STORE_HISTORY_ASK_H
#include "store/history_log.h"
#include "store/locate.h"
#include "store/write.h"

#if !defined(KECS_STORE_NO_HISTORY)

/* What a call asks about: the rows of a key, the one that is there and those before it. */
typedef struct kecs__inquiry {
  kecs__session *session;
  const kecs__meta *meta;
  kecs__probe probe;
  int number;      /* the unique key by which deleted rows are found, and what it was */
  const char *key;
  int64_t live;    /* the row that is there, or 0 */
  kecs__arena arena;
} kecs__inquiry;

/* A call reads all that it reads at one moment. To be closed whatever comes of it. */
KECS__FN kecs_status kecs__inquiry_open(kecs_store *store, kecs_kind kind, const char *key, kecs__inquiry *asked);
KECS__FN kecs_status kecs__inquiry_close(kecs_store *store, kecs__inquiry *asked, kecs_status status);

/* The row of the key as it was after `seq`: that of the first deletion since, or the one that is there. */
KECS__FN kecs_status kecs__inquiry_row(kecs__inquiry *asked, int64_t seq, kecs__arena *arena, void *row,
                                       bool *out_there);

/* The latest change of the key's rows up to `seq`; 0 when none is kept. */
KECS__FN kecs_status kecs__inquiry_latest(kecs__inquiry *asked, int64_t seq, int64_t *out_seq);

/* INVALID when the log has no such sequence. */
KECS__FN kecs_status kecs__moment_check(kecs__session *session, int64_t seq);

#endif
#endif
