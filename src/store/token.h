/* store/token.h -- page tokens: where a page ended, as opaque text.
 *
 * Bytes: version 1, kind, hash of the query (8, little-endian), then each order value as a type byte and 8 bytes of
 * number or a 4-byte length and the text; last a check sum (8). The whole is written in the URL-safe base 64 alphabet
 * without padding. */
#ifndef KECS_STORE_TOKEN_H
#define KECS_STORE_TOKEN_H
#include "store/engine.h"

KECS__FN kecs_status kecs__token_write(kecs_kind kind, uint64_t hash, const kecs_value *values, int count,
                                       kecs__arena *arena, const char **out_token);

/* INVALID when it is no token, was changed, or belongs to another query. Texts go to the arena. */
KECS__FN kecs_status kecs__token_read(const char *token, kecs_kind kind, uint64_t hash, kecs__arena *arena,
                                      kecs_value *values, int count);

/* Takes bytes into a hash; start with KECS__HASH_START. */
#define KECS__HASH_START UINT64_C(0xCBF29CE484222325)
KECS__FN uint64_t kecs__hash(uint64_t hash, const void *bytes, size_t len);

#endif
