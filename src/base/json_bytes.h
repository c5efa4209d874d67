/* base/json_bytes.h -- what the JSON modules share: classes of bytes, and the skips that every one of them makes.
 *
 * All skips take the end of the text and never read there. */
#ifndef KECS_BASE_JSON_BYTES_H
#define KECS_BASE_JSON_BYTES_H
#include "base/json.h"

enum {
  KECS__JSON_STOP = 1,  /* ends a plain run inside a string: quote, backslash, control, not ASCII */
  KECS__JSON_SPACE = 2, /* white space between tokens */
  KECS__JSON_DIGIT = 4,
  KECS__JSON_HEX = 8,
  KECS__JSON_WORD = 16, /* may stand in a number or in true, false, null */
  KECS__JSON_MARK = 32  /* a bracket of either kind, or a quote: what decides where a value ends */
};

/* The classes of a byte, as bits. */
KECS__FN unsigned kecs__json_class(unsigned char byte);

/* The first byte that is no white space; no digit; not part of a word; a mark; not plain inside a string. */
KECS__FN const unsigned char *kecs__json_space(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_digits(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_word(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_mark(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_plain(const unsigned char *at, const unsigned char *end);

/* Length of the well-formed UTF-8 sequence at `at`, or 0. There must be at least one byte. */
KECS__FN size_t kecs__json_sequence(const unsigned char *at, const unsigned char *end);

/* A value whose bytes are known: its first byte tells its type. */
KECS__FN kecs__json kecs__json_span(const unsigned char *begin, const unsigned char *end);

#endif
