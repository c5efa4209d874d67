/* base/json_bytes.c -- classes of bytes, skips, UTF-8. */
#include "base/prologue.h"

#include "base/json_bytes.h"

#include <string.h>

/* Sums of the KECS__JSON_ classes; a row for every sixteen bytes. */
static const unsigned char kecs__json_classes[256] = {
     1,  1,  1,  1,  1,  1,  1,  1,  1,  3,  3,  1,  1,  3,  1,  1, /* 00: tab, LF, CR are space */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* 10 */
     2,  0, 33,  0,  0,  0,  0,  0,  0,  0,  0, 16,  0, 16, 16,  0, /* 20: blank, quote, + - . */
    28, 28, 28, 28, 28, 28, 28, 28, 28, 28,  0,  0,  0,  0,  0,  0, /* 30: digits */
     0, 24, 24, 24, 24, 24, 24, 16, 16, 16, 16, 16, 16, 16, 16, 16, /* 40: A to F, letters */
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32,  1, 32,  0,  0, /* 50: letters, bracket, backslash, bracket */
     0, 24, 24, 24, 24, 24, 24, 16, 16, 16, 16, 16, 16, 16, 16, 16, /* 60: a to f, letters */
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32,  0, 32,  0,  0, /* 70: letters, braces */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* 80: parts of UTF-8 sequences from here on */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* 90 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* A0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* B0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* C0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* D0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* E0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1  /* F0 */
};

KECS__FN unsigned kecs__json_class(unsigned char byte) {
  return kecs__json_classes[byte];
}

KECS__FN const unsigned char *kecs__json_space(const unsigned char *at, const unsigned char *end) {
  while (at < end && (kecs__json_classes[*at] & KECS__JSON_SPACE)) {
    at++;
  }
  return at;
}

KECS__FN const unsigned char *kecs__json_digits(const unsigned char *at, const unsigned char *end) {
  while (at < end && (kecs__json_classes[*at] & KECS__JSON_DIGIT)) {
    at++;
  }
  return at;
}

KECS__FN const unsigned char *kecs__json_word(const unsigned char *at, const unsigned char *end) {
  while (at < end && (kecs__json_classes[*at] & KECS__JSON_WORD)) {
    at++;
  }
  return at;
}

KECS__FN const unsigned char *kecs__json_mark(const unsigned char *at, const unsigned char *end) {
  while (at < end && !(kecs__json_classes[*at] & KECS__JSON_MARK)) {
    at++;
  }
  return at;
}

/* Eight bytes at once: a subtraction borrows into a byte's high bit when the byte is below 0x20 or, after the
 * exclusive or, is zero. The lowest such byte is exact and only "is there any" is asked, so the order of bytes does
 * not matter. */
KECS__FN const unsigned char *kecs__json_plain(const unsigned char *at, const unsigned char *end) {
  const uint64_t each = UINT64_C(0x0101010101010101);
  uint64_t word;
  while ((size_t)(end - at) >= sizeof word) {
    memcpy(&word, at, sizeof word);
    uint64_t below_space = word - each * 0x20;
    uint64_t quote = (word ^ (each * 0x22)) - each;
    uint64_t backslash = (word ^ (each * 0x5C)) - each;
    if ((word | below_space | quote | backslash) & (each * 0x80)) {
      break;
    }
    at += sizeof word;
  }
  while (at < end && !(kecs__json_classes[*at] & KECS__JSON_STOP)) {
    at++;
  }
  return at;
}

static kecs__json_type kecs__json_type_of(unsigned char first) {
  switch (first) {
    case '{':
      return KECS__JSON_OBJECT;
    case '[':
      return KECS__JSON_ARRAY;
    case '"':
      return KECS__JSON_STRING;
    case 't':
      return KECS__JSON_TRUE;
    case 'f':
      return KECS__JSON_FALSE;
    case 'n':
      return KECS__JSON_NULL;
    default:
      return KECS__JSON_NUMBER;
  }
}

KECS__FN kecs__json kecs__json_span(const unsigned char *begin, const unsigned char *end) {
  return (kecs__json){kecs__json_type_of(*begin), (const char *)begin, (size_t)(end - begin)};
}

/* ---- UTF-8 ---- */

static bool kecs__json_continues(const unsigned char *at, size_t count) {
  for (size_t i = 1; i <= count; i++) {
    if ((at[i] & 0xC0) != 0x80) {
      return false;
    }
  }
  return true;
}

/* Length of the well-formed sequence at `at`, or 0. The bounds of the second byte keep out overlong forms (after E0
 * and F0), surrogates (after ED) and what lies above U+10FFFF (after F4); RFC 3629, section 4. */
KECS__FN size_t kecs__json_sequence(const unsigned char *at, const unsigned char *end) {
  size_t left = (size_t)(end - at);
  unsigned char first = at[0];
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2) {
    return 0;
  }
  if (first < 0xE0) {
    return left >= 2 && kecs__json_continues(at, 1) ? 2 : 0;
  }
  if (first < 0xF0) {
    bool outside = left < 3 || (first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F);
    return !outside && kecs__json_continues(at, 2) ? 3 : 0;
  }
  bool outside = left < 4 || first > 0xF4 || (first == 0xF0 && at[1] < 0x90) || (first == 0xF4 && at[1] > 0x8F);
  return !outside && kecs__json_continues(at, 3) ? 4 : 0;
}

KECS__FN bool kecs__utf8_valid(const char *text, size_t len) {
  const uint64_t high_bits = UINT64_C(0x8080808080808080);
  size_t at = 0;
  while (at < len) {
    uint64_t word;
    if (len - at >= sizeof word) {
      memcpy(&word, text + at, sizeof word);
      if ((word & high_bits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    size_t step = kecs__json_sequence((const unsigned char *)text + at, (const unsigned char *)text + len);
    if (step == 0) {
      return false;
    }
    at += step;
  }
  return true;
}
