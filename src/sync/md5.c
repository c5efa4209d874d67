/* sync/md5.c -- MD5 as RFC 1321 has it. */
#include "pg/prologue.h"

#include "sync/md5.h"

#include <string.h>

enum { KECS_SYNC__MD5_BLOCK = 64, KECS_SYNC__MD5_LENGTH = 8 /* bytes of the length, at the end */ };

/* floor(2^32 * |sin(i + 1)|) */
static const uint32_t kecs_sync__md5_sines[KECS_SYNC__MD5_BLOCK] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static uint32_t kecs_sync__md5_word(const unsigned char *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void kecs_sync__md5_block(uint32_t state[4], const unsigned char *block) {
  static const int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t a = state[0];
  uint32_t b = state[1];
  uint32_t c = state[2];
  uint32_t d = state[3];
  for (int i = 0; i < KECS_SYNC__MD5_BLOCK; i++) {
    int round = i / 16;
    int at = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;
    uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                     : round == 1 ? (d & b) | (~d & c)
                     : round == 2 ? b ^ c ^ d
                                  : c ^ (b | ~d);
    uint32_t sum = a + mixed + kecs_sync__md5_sines[i] + kecs_sync__md5_word(block + (size_t)(at % 16) * 4);
    int turn = turns[round][i % 4];
    a = d;
    d = c;
    c = b;
    b += sum << turn | sum >> (32 - turn);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

KECS_PG__FN void kecs_sync__md5(const char *bytes, size_t len, unsigned char out[KECS_SYNC__MD5_SIZE]) {
  uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  unsigned char last[2 * KECS_SYNC__MD5_BLOCK] = {0};
  size_t whole = len / KECS_SYNC__MD5_BLOCK * KECS_SYNC__MD5_BLOCK;
  size_t rest = len - whole;
  size_t end = rest + 1 + KECS_SYNC__MD5_LENGTH <= KECS_SYNC__MD5_BLOCK ? KECS_SYNC__MD5_BLOCK
                                                                       : 2 * KECS_SYNC__MD5_BLOCK;
  for (size_t i = 0; i < whole; i += KECS_SYNC__MD5_BLOCK) {
    kecs_sync__md5_block(state, (const unsigned char *)bytes + i);
  }
  memcpy(last, bytes + whole, rest);
  last[rest] = 0x80;
  for (int i = 0; i < KECS_SYNC__MD5_LENGTH; i++) {
    last[end - KECS_SYNC__MD5_LENGTH + (size_t)i] = (unsigned char)((uint64_t)len * 8 >> 8 * i);
  }
  for (size_t i = 0; i < end; i += KECS_SYNC__MD5_BLOCK) {
    kecs_sync__md5_block(state, last + i);
  }
  for (int i = 0; i < KECS_SYNC__MD5_SIZE; i++) {
    out[i] = (unsigned char)(state[i / 4] >> 8 * (i % 4));
  }
}
