/* base/json_text.c -- what a JSON value says: strings decoded and written, numbers read exactly.
 *
 * A number is never turned into a double: its decimal digits and its exponent give the integer, or tell that there
 * is none. So 9223372036854775807 and 1479775400.123456 seconds come out as they were written. */
#include "base/prologue.h"

#include "base/json_bytes.h"

#include <string.h>

/* ---- strings ---- */

/* The inside of a string: what stands between its quotes. */
typedef struct kecs__json_inside {
  const char *at;
  const char *end;
} kecs__json_inside;

static bool kecs__json_open_string(kecs__json string, kecs__json_inside *inside) {
  if (string.type != KECS__JSON_STRING || string.len < 2) {
    return false;
  }
  inside->at = string.text + 1;
  inside->end = string.text + string.len - 1;
  return true;
}

/* The four digits of a \u escape at `at`, or 0x110000, which is no character, when they are not there. */
static uint32_t kecs__json_unit(const char *at, const char *end) {
  uint32_t unit = 0;
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
    return 0x110000;
  }
  for (int i = 2; i < 6; i++) {
    uint32_t c = (unsigned char)at[i];
    if (!(kecs__json_class((unsigned char)at[i]) & KECS__JSON_HEX)) {
      return 0x110000;
    }
    unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return unit;
}

static size_t kecs__json_encode(uint32_t character, char out[4]) {
  if (character < 0x80) {
    out[0] = (char)character;
    return 1;
  }
  if (character < 0x800) {
    out[0] = (char)(0xC0 | character >> 6);
    out[1] = (char)(0x80 | (character & 0x3F));
    return 2;
  }
  if (character < 0x10000) {
    out[0] = (char)(0xE0 | character >> 12);
    out[1] = (char)(0x80 | (character >> 6 & 0x3F));
    out[2] = (char)(0x80 | (character & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | character >> 18);
  out[1] = (char)(0x80 | (character >> 12 & 0x3F));
  out[2] = (char)(0x80 | (character >> 6 & 0x3F));
  out[3] = (char)(0x80 | (character & 0x3F));
  return 4;
}

/* Passes the escape that `inside` stands on and gives its character in UTF-8: 1 to 4 bytes. 0 when it is no text: a
 * lone surrogate, U+0000 (it would end a C string), or no escape at all. */
static size_t kecs__json_unescape(kecs__json_inside *inside, char out[4]) {
  static const char from[] = "\"\\/bfnrt";
  static const char to[] = "\"\\/\b\f\n\r\t";
  if (inside->end - inside->at < 2) {
    return 0;
  }
  if (inside->at[1] != 'u') {
    const char *found = inside->at[1] ? strchr(from, inside->at[1]) : NULL;
    inside->at += 2;
    out[0] = found ? to[found - from] : '\0';
    return found ? 1 : 0;
  }
  uint32_t character = kecs__json_unit(inside->at, inside->end);
  inside->at += 6;
  if (character >= 0xD800 && character <= 0xDBFF) {
    uint32_t low = kecs__json_unit(inside->at, inside->end);
    if (low < 0xDC00 || low > 0xDFFF) {
      return 0;
    }
    inside->at += 6;
    character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
  } else if (character == 0 || character > 0x10FFFF || (character >= 0xDC00 && character <= 0xDFFF)) {
    return 0;
  }
  return kecs__json_encode(character, out);
}

/* The next piece of decoded text: a run of the string itself, or one character in `buffer`. 0 when the rest is no
 * text; must not be called at the end. */
static size_t kecs__json_piece(kecs__json_inside *inside, char buffer[4], const char **piece) {
  size_t left = (size_t)(inside->end - inside->at);
  const char *escape = memchr(inside->at, '\\', left);
  size_t run = escape ? (size_t)(escape - inside->at) : left;
  if (run == 0) {
    *piece = buffer;
    return kecs__json_unescape(inside, buffer);
  }
  *piece = inside->at;
  inside->at += run;
  return run;
}

KECS__FN bool kecs__json_equals(kecs__json string, const char *text) {
  kecs__json_inside inside;
  size_t left = strlen(text);
  if (!kecs__json_open_string(string, &inside)) {
    return false;
  }
  while (inside.at < inside.end) {
    char buffer[4];
    const char *piece;
    size_t len = kecs__json_piece(&inside, buffer, &piece);
    if (len == 0 || len > left || memcmp(piece, text, len) != 0) {
      return false;
    }
    text += len;
    left -= len;
  }
  return left == 0;
}

KECS__FN bool kecs__json_string_into(kecs__json string, char *out, size_t size, size_t *out_len) {
  kecs__json_inside inside;
  size_t used = 0;
  if (size == 0 || !kecs__json_open_string(string, &inside)) {
    return false;
  }
  while (inside.at < inside.end) {
    char buffer[4];
    const char *piece;
    size_t len = kecs__json_piece(&inside, buffer, &piece);
    if (len == 0 || len >= size - used) {
      return false;
    }
    memcpy(out + used, piece, len);
    used += len;
  }
  out[used] = '\0';
  if (out_len) {
    *out_len = used;
  }
  return true;
}

KECS__FN char *kecs__json_string(kecs__json string, kecs__arena *arena, size_t *out_len) {
  if (string.type != KECS__JSON_STRING || string.len < 2) {
    (void)kecs__fail(KECS_E_INVALID, "a JSON string is expected");
    return NULL;
  }
  /* No escape is shorter than its character, so the two quotes leave room for the terminator. */
  char *out = kecs__arena_bytes(arena, string.len);
  if (out && !kecs__json_string_into(string, out, string.len, out_len)) {
    (void)kecs__fail(KECS_E_INVALID, "a string holds \\u0000 or half of a surrogate pair, which no text can hold");
    return NULL;
  }
  return out;
}

KECS__FN void kecs__json_quote(kecs__text *out, const char *text, size_t len) {
  static const char hex[] = "0123456789abcdef";
  static const char from[] = "\"\\\b\f\n\r\t";
  static const char to[] = "\"\\bfnrt";
  kecs__text_addc(out, '"');
  size_t begin = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    const char *found = c ? strchr(from, c) : NULL;
    if (found) {
      escape[1] = to[found - from];
    }
    kecs__text_add(out, text + begin, i - begin);
    kecs__text_add(out, escape, found ? 2 : sizeof escape);
    begin = i + 1;
  }
  if (begin < len) {
    kecs__text_add(out, text + begin, len - begin);
  }
  kecs__text_addc(out, '"');
}

/* ---- numbers ---- */

/* A number's digits and the place of its decimal point among them, the exponent already counted in: 12.5e1 is the
 * digits 1 2 5 with the point after the third. The point may lie far outside the digits, on either side. */
typedef struct kecs__json_decimal {
  bool negative;
  const char *digits; /* one '.' may stand between them */
  const char *end;
  int64_t point;
} kecs__json_decimal;

/* Beyond any place that a number can need whose digits fit into memory, and far enough from overflow. */
#define KECS__JSON_POINT_MAX (INT64_C(1) << 60)

/* The exponent's value; it stops to grow where nothing but zero or "too large" can come of it. */
static int64_t kecs__json_exponent(const char *at, const char *end) {
  int64_t value = 0;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) {
    at++;
  }
  for (; at < end && *at >= '0' && *at <= '9'; at++) {
    value = value < KECS__JSON_POINT_MAX / 10 ? value * 10 + (*at - '0') : KECS__JSON_POINT_MAX;
  }
  return negative ? -value : value;
}

#undef KECS__JSON_POINT_MAX

static kecs__json_decimal kecs__json_decimal_of(kecs__json number) {
  kecs__json_decimal decimal = {false, number.text, number.text + number.len, -1};
  const char *end = decimal.end;
  if (decimal.digits < end && *decimal.digits == '-') {
    decimal.negative = true;
    decimal.digits++;
  }
  const char *at = decimal.digits;
  for (; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.') {
      decimal.point = at - decimal.digits;
    }
  }
  if (decimal.point < 0) {
    decimal.point = at - decimal.digits;
  }
  decimal.end = at;
  if (at < end) {
    decimal.point += kecs__json_exponent(at + 1, end);
  }
  return decimal;
}

static bool kecs__json_shift_in(uint64_t *value, unsigned digit) {
  if (*value > (UINT64_MAX - digit) / 10) {
    return false;
  }
  *value = *value * 10 + digit;
  return true;
}

KECS__FN bool kecs__json_scaled(kecs__json number, int power, int64_t *out, bool *exact) {
  if (number.type != KECS__JSON_NUMBER) {
    return false;
  }
  kecs__json_decimal decimal = kecs__json_decimal_of(number);
  int64_t point = decimal.point + power;
  int64_t place = 0;
  uint64_t value = 0;
  bool cut = false;
  for (const char *at = decimal.digits; at < decimal.end; at++) {
    unsigned digit = (unsigned)((unsigned char)*at - '0');
    if (digit > 9) {
      continue; /* the decimal point */
    }
    if (place >= point) {
      cut = cut || digit != 0;
    } else if (!kecs__json_shift_in(&value, digit)) {
      return false;
    }
    place++;
  }
  for (; place < point && value != 0; place++) {
    if (!kecs__json_shift_in(&value, 0)) {
      return false;
    }
  }
  uint64_t limit = (uint64_t)INT64_MAX + (decimal.negative ? 1 : 0);
  if (decimal.negative && cut) {
    value += value < UINT64_MAX; /* down, not toward zero */
  }
  if (value > limit) {
    return false;
  }
  /* Two steps, because the magnitude of INT64_MIN is no int64_t. */
  *out = !decimal.negative || value == 0 ? (int64_t)value : -(int64_t)(value - 1) - 1;
  *exact = !cut;
  return true;
}

KECS__FN bool kecs__json_int64(kecs__json number, int64_t *out) {
  int64_t value = 0;
  bool exact = false;
  if (!kecs__json_scaled(number, 0, &value, &exact) || !exact) {
    return false;
  }
  *out = value;
  return true;
}
