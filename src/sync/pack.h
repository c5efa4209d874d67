/* sync/pack.h -- an exchange as it goes over the wire. */
#ifndef KECS_SYNC_PACK_H
#define KECS_SYNC_PACK_H
#include "sync/internal.h"

/* A value that is sent. */
typedef struct kecs_sync__sent {
  const char *from; /* as the exchange has it */
  const char *type; /* its own, or "{" of an array; NULL: it is not known */
  const char *text; /* what is sent: an array's only element in its place */
  kecs_pg__text element;
} kecs_sync__sent;

/* One statement, for the items from `first` to `last`. */
typedef struct kecs_sync__statement {
  kecs_pg__text sql;
  int first;
  int last;
  bool rows; /* what comes back are rows as texts, which the number of their item leads */
  bool keep; /* worth to be prepared */
  bool parsed; /* it is prepared with this exchange */
  int count;
  kecs_sync__sent *sent; /* the packet's */
  const char **values;
} kecs_sync__statement;

/* Begins zeroed but for the allocator. */
typedef struct kecs_sync__packet {
  const kecs_allocator *allocator;
  bool bare; /* each exchange is a transaction as it is: BEGIN and COMMIT need not be sent */
  int count;
  kecs_sync__statement statement[KECS_SYNC__ITEMS];
  size_t room; /* of both */
  kecs_sync__sent *sent;
  const char **values;
  kecs_status status;
} kecs_sync__packet;

KECS_PG__FN kecs_status kecs_sync__pack(kecs_sync__packet *packet, const kecs_sync__exchange *exchange);
KECS_PG__FN void kecs_sync__pack_free(kecs_sync__packet *packet);

/* Gives each item of a page the rows that are its own. */
KECS_PG__FN kecs_status kecs_sync__unpack(const kecs_sync__statement *packed, kecs_sync__exchange *exchange,
                                          const PGresult *result);

/* The elements of an array of texts as rows of `width` (at most 8) values; "" has none. NULL: there is no memory. */
KECS_PG__FN PGresult *kecs_sync__array_rows(const kecs_allocator *allocator, const char *array, int width);

#endif
