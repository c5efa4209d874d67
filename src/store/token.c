/* store/token.c -- see token.h for the bytes. */
#include "base/prologue.h"

#include "store/token.h"

#include <string.h>

#define KECS__TOKEN_VERSION 1
#define KECS__TOKEN_MAX ((size_t)1 << 20)

static const char kecs__token_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* FNV-1a: the token is no secret, the sum only tells an accident or a careless hand. */
KECS__FN uint64_t kecs__hash(uint64_t hash, const void *bytes, size_t len) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < len; i++) {
    hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
  }
  return hash;
}

static void kecs__token_number(kecs__text *out, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; i++) {
    kecs__text_addc(out, (char)(unsigned char)(number >> (8 * i)));
  }
}

static const char *kecs__token_encode(const kecs__text *bytes, kecs__arena *arena) {
  char *out = kecs__arena_bytes(arena, bytes->len * 4 / 3 + 4);
  char *at = out;
  if (!out) {
    return NULL;
  }
  for (size_t i = 0; i < bytes->len; i += 3) {
    size_t left = bytes->len - i;
    uint32_t group = 0;
    for (size_t b = 0; b < 3; b++) {
      group = (group << 8) | (b < left ? (unsigned char)bytes->data[i + b] : 0);
    }
    for (size_t c = 0; c < (left < 3 ? left + 1 : 4); c++) {
      *at++ = kecs__token_alphabet[(group >> (18 - 6 * c)) & 63];
    }
  }
  *at = '\0';
  return out;
}

KECS__FN kecs_status kecs__token_write(kecs_kind kind, uint64_t hash, const kecs_value *values, int count,
                                       kecs__arena *arena, const char **out_token) {
  kecs__text bytes;
  kecs__text_init(&bytes, arena->allocator, KECS__TOKEN_MAX);
  kecs__text_addc(&bytes, KECS__TOKEN_VERSION);
  kecs__text_addc(&bytes, (char)(unsigned char)kind);
  kecs__token_number(&bytes, hash, 8);
  for (int i = 0; i < count; i++) {
    kecs__text_addc(&bytes, (char)values[i].type);
    if (values[i].type == KECS_VALUE_TEXT) {
      kecs__token_number(&bytes, values[i].len, 4);
      kecs__text_add(&bytes, values[i].text, values[i].len);
    } else {
      kecs__token_number(&bytes, (uint64_t)values[i].number, 8);
    }
  }
  uint64_t sum = kecs__hash(KECS__HASH_START, bytes.data, bytes.len);
  kecs__token_number(&bytes, sum, 8);
  kecs_status status = bytes.status;
  *out_token = status ? NULL : kecs__token_encode(&bytes, arena);
  kecs__text_free(&bytes);
  return status ? status : (*out_token ? KECS_OK : KECS_E_NOMEM);
}

static kecs_status kecs__token_bad(void) {
  return kecs__fail(KECS_E_INVALID, "invalid next token: it is not one of this query's page tokens; "
                                    "start again without a token");
}

/* Decoded bytes with a cursor. */
typedef struct kecs__token_bytes {
  const unsigned char *at;
  const unsigned char *end;
} kecs__token_bytes;

static bool kecs__token_decode(const char *token, kecs__arena *arena, kecs__token_bytes *out) {
  size_t len = strlen(token);
  unsigned char *bytes =
      len > KECS__TOKEN_MAX || len % 4 == 1 ? NULL : (unsigned char *)kecs__arena_bytes(arena, len + 3);
  size_t count = 0;
  for (size_t i = 0; bytes && i < len; i += 4) {
    size_t left = len - i < 4 ? len - i : 4;
    uint32_t group = 0;
    for (size_t c = 0; c < 4; c++) {
      const char *found = c < left ? strchr(kecs__token_alphabet, token[i + c]) : kecs__token_alphabet;
      if (!found) {
        return false;
      }
      group = (group << 6) | (uint32_t)(found - kecs__token_alphabet);
    }
    for (size_t b = 0; b + 1 < left; b++) {
      bytes[count++] = (unsigned char)(group >> (16 - 8 * b));
    }
  }
  out->at = bytes;
  out->end = bytes ? bytes + count : NULL;
  return bytes != NULL;
}

static uint64_t kecs__token_take(kecs__token_bytes *bytes, int count) {
  uint64_t number = 0;
  if (bytes->end - bytes->at < count) {
    bytes->at = bytes->end;
    return 0;
  }
  for (int i = 0; i < count; i++) {
    number |= (uint64_t)*bytes->at++ << (8 * i);
  }
  return number;
}

static bool kecs__token_value(kecs__token_bytes *bytes, kecs__arena *arena, kecs_value *out) {
  if (bytes->at == bytes->end) {
    return false;
  }
  memset(out, 0, sizeof *out);
  out->type = (kecs_value_type)*bytes->at++;
  if (out->type != KECS_VALUE_TEXT) {
    out->number = (int64_t)kecs__token_take(bytes, 8);
    return out->type == KECS_VALUE_INT || out->type == KECS_VALUE_TIME || out->type == KECS_VALUE_BOOL;
  }
  out->len = (size_t)kecs__token_take(bytes, 4);
  if (out->len > (size_t)(bytes->end - bytes->at)) {
    return false;
  }
  out->text = kecs__arena_text(arena, (const char *)bytes->at, out->len);
  bytes->at += out->len;
  return out->text != NULL;
}

KECS__FN kecs_status kecs__token_read(const char *token, kecs_kind kind, uint64_t hash, kecs__arena *arena,
                                      kecs_value *values, int count) {
  kecs__token_bytes bytes;
  if (!kecs__token_decode(token, arena, &bytes) || bytes.end - bytes.at < 18) {
    return kecs__token_bad();
  }
  kecs__token_bytes sum = {bytes.end - 8, bytes.end};
  bytes.end -= 8;
  if (kecs__token_take(&sum, 8) != kecs__hash(KECS__HASH_START, bytes.at, (size_t)(bytes.end - bytes.at))) {
    return kecs__token_bad();
  }
  if (kecs__token_take(&bytes, 1) != KECS__TOKEN_VERSION || kecs__token_take(&bytes, 1) != (uint64_t)kind ||
      kecs__token_take(&bytes, 8) != hash) {
    return kecs__token_bad();
  }
  for (int i = 0; i < count; i++) {
    if (!kecs__token_value(&bytes, arena, &values[i])) {
      return kecs__token_bad();
    }
  }
  return bytes.at == bytes.end ? KECS_OK : kecs__token_bad();
}
