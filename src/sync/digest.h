/* sync/digest.h -- the edge's side of digests by kind and bucket (hub_repair.c), and sets of buckets. */
#ifndef KECS_SYNC_DIGEST_H
#define KECS_SYNC_DIGEST_H
#include "sync/internal.h"

enum { KECS_SYNC__BUCKETS = 1024, KECS_SYNC__BUCKETS_TEXT = KECS_SYNC__BUCKETS / 4 + 1 };

typedef struct kecs_sync__buckets {
  bool in[KECS_SYNC__BUCKETS];
  int count;
} kecs_sync__buckets;

KECS_PG__FN int kecs_sync__bucket(const char *key);

/* The buckets in which the hub's digests (bucket, digest) differ from those of this file. */
KECS_PG__FN kecs_status kecs_sync__digest(kecs_sync *sync, kecs_kind kind, const PGresult *theirs,
                                          kecs_sync__buckets *out_differing);

/* A set as hexadecimal digits, and as an array of the server's. */
KECS_PG__FN void kecs_sync__buckets_text(const kecs_sync__buckets *buckets, char out[KECS_SYNC__BUCKETS_TEXT]);
KECS_PG__FN void kecs_sync__buckets_read(kecs_sync__buckets *out_buckets, const char *text);
KECS_PG__FN void kecs_sync__buckets_array(const kecs_sync__buckets *buckets, kecs_pg__text *out);

#endif
