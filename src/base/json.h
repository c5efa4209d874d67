/* base/json.h -- a small scanner for RFC 8259 text: check once with positions, then walk without copying.
 *
 * kecs__json_check decides whether a text is JSON and where it is not. Everything else assumes a text that has
 * passed the check and only walks it: values are spans of the original bytes, so a nested document is kept byte
 * for byte. No recursion: depth costs a bit an open bracket. Nothing here reads outside the given bytes, not even
 * when a text was never checked; the answers are then meaningless, that is all. */
#ifndef KECS_BASE_JSON_H
#define KECS_BASE_JSON_H
#include "base/memory.h"

/* Brackets that may be open at once. A plain number: it is printed into the fault's reason. */
#define KECS__JSON_DEPTH_MAX 1000

typedef enum kecs__json_type {
  KECS__JSON_NONE, /* no value here */
  KECS__JSON_NULL,
  KECS__JSON_FALSE,
  KECS__JSON_TRUE,
  KECS__JSON_NUMBER,
  KECS__JSON_STRING,
  KECS__JSON_ARRAY,
  KECS__JSON_OBJECT
} kecs__json_type;

/* A value: its kind and its exact bytes (a string's quotes included), inside the checked text. */
typedef struct kecs__json {
  kecs__json_type type;
  const char *text;
  size_t len;
} kecs__json;

/* Where a text stops being JSON: line and column count from 1, columns in characters (not bytes), and a CR LF pair, a
 * lone LF and a lone CR each end a line. */
typedef struct kecs__json_fault {
  size_t offset;
  size_t line;
  size_t column;
  const char *reason; /* constant English, such as "a string must not hold a raw control character" */
} kecs__json_fault;

/* The one value that `text` is, white space around it ignored. Type NONE means it is not JSON: invalid syntax,
 * invalid UTF-8, a byte order mark, deeper than KECS__JSON_DEPTH_MAX, or empty; then *fault says where and why
 * (fault may be NULL; it is untouched when the text is JSON). The offset is that of the first byte that can't stand
 * where it stands, the first byte of a malformed UTF-8 sequence, or `len` when the text ends too early.
 * Accepts exactly what RFC 8259 accepts: duplicate members, \u0000 and lone surrogate escapes are fine here. */
KECS__FN kecs__json kecs__json_check(const char *text, size_t len, kecs__json_fault *fault);

#if !defined(KECS_STORE_NO_IMPORT)
/* As kecs__json_check, but stops after the first value: *used is the number of bytes read, white space after the
 * value included, and 0 when there is no value. For streams of documents (JSON lines, documents one after another):
 * call it again on the rest until nothing is left. */
KECS__FN kecs__json kecs__json_check_first(const char *text, size_t len, size_t *used, kecs__json_fault *fault);
#endif

/* Line and column of a byte inside a text, counted as in kecs__json_fault. Reads only the bytes before `offset`. */
KECS__FN void kecs__json_position(const char *text, size_t offset, size_t *line, size_t *column);

/* Walks an object's members or an array's elements, in order, duplicates included. Start with a zeroed walk. False
 * at the end, and at once for a value of another type; the out values then have type NONE. */
typedef struct kecs__json_walk {
  const char *at; /* NULL before the first step */
} kecs__json_walk;
KECS__FN bool kecs__json_next_member(kecs__json object, kecs__json_walk *walk, kecs__json *name, kecs__json *value);
KECS__FN bool kecs__json_next_element(kecs__json array, kecs__json_walk *walk, kecs__json *element);

/* The first member with this name (escapes in the member's name are understood), or type NONE; also NONE when
 * `object` is not an object. */
KECS__FN kecs__json kecs__json_member(kecs__json object, const char *name);

/* Whether a string value, decoded, equals a C string. A string with \u0000 or a lone surrogate equals none. */
KECS__FN bool kecs__json_equals(kecs__json string, const char *text);

/* A string value decoded to UTF-8 and terminated, in the arena. NULL with the failure recorded: INVALID when it
 * is no string or holds \u0000 or a lone surrogate (neither can be a column's text), NOMEM. out_len may be NULL. */
KECS__FN char *kecs__json_string(kecs__json string, kecs__arena *arena, size_t *out_len);

/* The same into a caller's buffer, terminated, for short texts such as times and numbers. False, with nothing
 * recorded, when kecs__json_string would fail or `size` bytes are not enough. */
KECS__FN bool kecs__json_string_into(kecs__json string, char *out, size_t size, size_t *out_len);

/* A number that is an integer in the range of int64_t, written in any way (1, 1.0, 10e-1). False otherwise. */
KECS__FN bool kecs__json_int64(kecs__json number, int64_t *out);

/* A number times ten to the `power`, rounded down (toward minus infinity), exactly from its decimal digits: with
 * power 6, seconds become microseconds. *exact says whether nothing was cut off. False when it is no number or the
 * result is outside int64_t. */
KECS__FN bool kecs__json_scaled(kecs__json number, int power, int64_t *out, bool *exact);

/* Appends text as a JSON string, quotes included: escapes only what RFC 8259 demands. The text must be UTF-8. */
KECS__FN void kecs__json_quote(kecs__text *out, const char *text, size_t len);

/* Whether bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF). */
KECS__FN bool kecs__utf8_valid(const char *text, size_t len);

#endif
