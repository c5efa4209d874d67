/* sync/digest.c -- the edge's side of digests by kind and bucket, and sets of buckets. */
#include "pg/prologue.h"

#include "sync/digest.h"

#include "sync/md5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_SYNC__DIGEST_MASK ((UINT64_C(1) << 60) - 1)

/* ---- hashes ---- */

KECS_PG__FN int kecs_sync__bucket(const char *key) {
  unsigned char hash[KECS_SYNC__MD5_SIZE];
  kecs_sync__md5(key, strlen(key), hash);
  return (hash[0] << 4 | hash[1] >> 4) & (KECS_SYNC__BUCKETS - 1);
}

typedef struct kecs_sync__sums {
  const kecs_sync *sync;
  uint64_t sum[KECS_SYNC__BUCKETS];
  kecs_pg__text text;
} kecs_sync__sums;

static kecs_status kecs_sync__sum_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__sums *sums = user;
  unsigned char hash[KECS_SYNC__MD5_SIZE];
  uint64_t number = 0;
  char stamps[160];
  int64_t site[KECS_REPLICA_STAMPS];
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    site[i] = row->site[i] == KECS_REPLICA_HERE ? sums->sync->notes.site : row->site[i];
  }
  snprintf(stamps, sizeof stamps, "|%lld,%lld|%lld,%lld|%lld,%lld", (long long)row->stamp[0], (long long)site[0],
           (long long)row->stamp[1], (long long)site[1], (long long)row->stamp[2], (long long)site[2]);
  sums->text.len = 0;
  kecs_pg__text_adds(&sums->text, row->key);
  kecs_pg__text_adds(&sums->text, stamps);
  if (!sums->text.status) {
    kecs_sync__md5(sums->text.data, sums->text.len, hash);
    for (int i = 0; i < 8; i++) {
      number = number << 8 | hash[i];
    }
    sums->sum[kecs_sync__bucket(row->key)] += number >> 4;
  }
  return sums->text.status;
}

KECS_PG__FN kecs_status kecs_sync__digest(kecs_sync *sync, kecs_kind kind, const PGresult *theirs,
                                          kecs_sync__buckets *out_differing) {
  kecs_sync__sums *sums = kecs_pg__alloc(&sync->allocator, sizeof *sums);
  kecs_replica side = kecs_sync__side(sync);
  int64_t last = 0;
  memset(out_differing, 0, sizeof *out_differing);
  if (!sums) {
    return KECS_E_NOMEM;
  }
  sums->sync = sync;
  sums->text.allocator = &sync->allocator;
  kecs_status status = kecs_replica_walk(sync->store, &side, kind, 0, 0, kecs_sync__sum_visit, sums, &last);
  for (int r = 0; r < PQntuples(theirs); r++) {
    int64_t bucket = kecs_sync__number(theirs, r, 0);
    if (bucket >= 0 && bucket < KECS_SYNC__BUCKETS) {
      sums->sum[bucket] -= (uint64_t)kecs_sync__number(theirs, r, 1);
    }
  }
  for (int i = 0; i < KECS_SYNC__BUCKETS; i++) {
    out_differing->in[i] = (sums->sum[i] & KECS_SYNC__DIGEST_MASK) != 0;
    out_differing->count += out_differing->in[i];
  }
  kecs_pg__text_free(&sums->text);
  kecs_pg__release(&sync->allocator, sums, sizeof *sums);
  return status;
}

/* ---- sets ---- */

KECS_PG__FN void kecs_sync__buckets_text(const kecs_sync__buckets *buckets, char out[KECS_SYNC__BUCKETS_TEXT]) {
  for (int i = 0; i < KECS_SYNC__BUCKETS / 4; i++) {
    const bool *in = &buckets->in[(size_t)i * 4];
    out[i] = "0123456789abcdef"[in[0] << 3 | in[1] << 2 | in[2] << 1 | (int)in[3]];
  }
  out[KECS_SYNC__BUCKETS / 4] = '\0';
}

KECS_PG__FN void kecs_sync__buckets_read(kecs_sync__buckets *out_buckets, const char *text) {
  memset(out_buckets, 0, sizeof *out_buckets);
  for (int i = 0; i < KECS_SYNC__BUCKETS && text[i / 4]; i++) {
    const char digit[] = {text[i / 4], '\0'};
    out_buckets->in[i] = strtol(digit, NULL, 16) >> (3 - i % 4) & 1;
    out_buckets->count += out_buckets->in[i];
  }
}

KECS_PG__FN void kecs_sync__buckets_array(const kecs_sync__buckets *buckets, kecs_pg__text *out) {
  for (int i = 0; i < KECS_SYNC__BUCKETS; i++) {
    if (buckets->in[i]) {
      kecs_sync__array_int(out, i);
    }
  }
  kecs_sync__array_end(out);
}
