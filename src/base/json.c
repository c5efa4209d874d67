/* base/json.c -- is it JSON, where is it not, and the walk over what it holds.
 *
 * The check is one pass with no recursion: a bit for each open bracket says whether it is an object. It alternates
 * between two steps: `open` enters brackets until a scalar or an empty bracket ends a value, `close` leaves brackets
 * and passes commas until the next value is due. The inside of strings, most of a document's bytes, is skipped eight
 * bytes at a time.
 *
 * A refusal names the first byte that can't stand where it stands. Whatever the grammar expected there, a NUL byte
 * and malformed UTF-8 get their own reason: they tell the user that the file is no text at all. */
#include "base/prologue.h"

#include "base/json_bytes.h"

#include <string.h>

typedef struct kecs__json_scan {
  const unsigned char *begin;
  const unsigned char *at;
  const unsigned char *end;
  const char *reason;                                 /* set when the scan was refused at `at` */
  size_t depth;                                       /* open brackets */
  uint32_t objects[(KECS__JSON_DEPTH_MAX + 31) / 32]; /* bit set: the bracket opened at this depth is an object */
} kecs__json_scan;

/* Ends the scan at `at`: with `at_end` when the text is over, else with `reason`, unless the byte is worse than
 * misplaced. Always false, so a caller can return it. */
static bool kecs__json_refuse(kecs__json_scan *scan, const unsigned char *at, const char *at_end, const char *reason) {
  scan->at = at;
  if (at == scan->end) {
    scan->reason = at_end;
  } else if (*at == 0) {
    scan->reason = "a NUL byte must not stand in JSON text (is this a binary or UTF-16 file?)";
  } else if (kecs__json_sequence(at, scan->end) == 0) {
    scan->reason = "these bytes are not UTF-8, the only encoding of JSON text";
  } else {
    scan->reason = reason;
  }
  return false;
}

/* Passes the escape whose backslash is at `at`; NULL when it is refused. */
static const unsigned char *kecs__json_scan_escape(kecs__json_scan *scan, const unsigned char *at) {
  static const char at_end[] = "the text ends inside a string";
  at++;
  if (at == scan->end || *at == 0 || !strchr("\"\\/bfnrtu", *at)) {
    (void)kecs__json_refuse(scan, at, at_end, "a backslash must be followed by one of \" \\ / b f n r t u");
    return NULL;
  }
  if (*at != 'u') {
    return at + 1;
  }
  for (int i = 0; i < 4; i++) {
    at++;
    if (at == scan->end || !(kecs__json_class(*at) & KECS__JSON_HEX)) {
      (void)kecs__json_refuse(scan, at, at_end, "\\u must be followed by four hexadecimal digits");
      return NULL;
    }
  }
  return at + 1;
}

static bool kecs__json_scan_string(kecs__json_scan *scan) {
  const unsigned char *end = scan->end;
  const unsigned char *at = scan->at + 1;
  for (;;) {
    at = kecs__json_plain(at, end);
    if (at < end && *at == '"') {
      scan->at = at + 1;
      return true;
    }
    if (at < end && *at == '\\') {
      at = kecs__json_scan_escape(scan, at);
      if (!at) {
        return false;
      }
      continue;
    }
    size_t step = at < end && *at >= 0x80 ? kecs__json_sequence(at, end) : 0;
    if (step == 0) {
      return kecs__json_refuse(scan, at, "the text ends inside a string",
                               "a string must not hold a raw control character (is a closing quote missing?)");
    }
    at += step;
  }
}

static bool kecs__json_scan_number(kecs__json_scan *scan) {
  static const char at_end[] = "the text ends inside a number";
  const unsigned char *end = scan->end;
  const unsigned char *at = scan->at + (*scan->at == '-');
  const unsigned char *digits = at;
  at = kecs__json_digits(at, end);
  if (at == digits) {
    return kecs__json_refuse(scan, at, at_end, "a digit must follow the minus sign");
  }
  if (*digits == '0' && at > digits + 1) {
    return kecs__json_refuse(scan, digits + 1, at_end, "a number must not have leading zeros");
  }
  if (at < end && *at == '.') {
    digits = at + 1;
    at = kecs__json_digits(digits, end);
    if (at == digits) {
      return kecs__json_refuse(scan, at, at_end, "a digit must follow the decimal point");
    }
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    digits = at + 1;
    if (digits < end && (*digits == '+' || *digits == '-')) {
      digits++;
    }
    at = kecs__json_digits(digits, end);
    if (at == digits) {
      return kecs__json_refuse(scan, at, at_end, "a digit must follow in the exponent");
    }
  }
  scan->at = at;
  return true;
}

static bool kecs__json_scan_word(kecs__json_scan *scan, const char *word) {
  const unsigned char *at = scan->at;
  for (; *word; word++, at++) {
    if (at == scan->end || *at != (unsigned char)*word) {
      return kecs__json_refuse(scan, at, "the text ends inside a word",
                               "the only words in JSON are true, false and null");
    }
  }
  scan->at = at;
  return true;
}

/* Refuses what stands in a value's place; the usual mistakes get their own advice. */
static bool kecs__json_no_value(kecs__json_scan *scan) {
  const unsigned char *at = scan->at;
  const char *at_end = scan->depth ? "the text ends where a value is expected" : "the text is empty: there is no value";
  const char *reason = "a value is expected here";
  if (at == scan->begin && scan->end - at >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
    return kecs__json_refuse(scan, at, at_end, "a byte order mark must not stand before JSON text");
  }
  switch (at < scan->end ? *at : 0) {
    case ']':
    case '}':
      reason = "a value is expected before the closing bracket (is there a comma too many?)";
      break;
    case ',':
      reason = "a value is expected before the comma";
      break;
    case '\'':
      reason = "strings stand in double quotes";
      break;
    case '/':
    case '#':
      reason = "a value is expected here; JSON has no comments";
      break;
    case '+':
    case '.':
      reason = "a number starts with a digit or a minus sign";
      break;
    case '$':
    case '%':
    case '<':
    case '@':
      reason = "a value is expected here (is this an unfilled placeholder of a template?)";
      break;
    case 'F':
    case 'I':
    case 'N':
    case 'T':
    case 'u':
      reason = "the only words in JSON are true, false and null, in lower case; there is no NaN and no Infinity";
      break;
    default:
      break;
  }
  return kecs__json_refuse(scan, at, at_end, reason);
}

static bool kecs__json_scan_scalar(kecs__json_scan *scan) {
  switch (scan->at < scan->end ? *scan->at : 0) {
    case '"':
      return kecs__json_scan_string(scan);
    case 't':
      return kecs__json_scan_word(scan, "true");
    case 'f':
      return kecs__json_scan_word(scan, "false");
    case 'n':
      return kecs__json_scan_word(scan, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return kecs__json_scan_number(scan);
    default:
      return kecs__json_no_value(scan);
  }
}

/* A member's name and its colon. */
static bool kecs__json_scan_name(kecs__json_scan *scan) {
  scan->at = kecs__json_space(scan->at, scan->end);
  if (scan->at == scan->end || *scan->at != '"') {
    bool closes = scan->at < scan->end && *scan->at == '}';
    return kecs__json_refuse(scan, scan->at, "the text ends where a member's name is expected",
                             closes ? "a member is expected before the closing } (is there a comma too many?)"
                                    : "a member's name in double quotes is expected here");
  }
  if (!kecs__json_scan_string(scan)) {
    return false;
  }
  scan->at = kecs__json_space(scan->at, scan->end);
  if (scan->at == scan->end || *scan->at != ':') {
    return kecs__json_refuse(scan, scan->at, "the text ends where a colon is expected",
                             "a colon is expected after a member's name");
  }
  scan->at++;
  return true;
}

#define KECS__JSON_DIGITS_OF(number) #number
#define KECS__JSON_TEXT_OF(number) KECS__JSON_DIGITS_OF(number)

static bool kecs__json_push(kecs__json_scan *scan, bool is_object) {
  if (scan->depth == KECS__JSON_DEPTH_MAX) {
    scan->reason =
        "arrays and objects are nested deeper than the limit of " KECS__JSON_TEXT_OF(KECS__JSON_DEPTH_MAX) " levels";
    return false;
  }
  uint32_t bit = UINT32_C(1) << (scan->depth % 32);
  uint32_t *word = &scan->objects[scan->depth / 32];
  *word = is_object ? *word | bit : *word & ~bit;
  scan->depth++;
  scan->at++;
  return true;
}

#undef KECS__JSON_DIGITS_OF
#undef KECS__JSON_TEXT_OF

static bool kecs__json_in_object(const kecs__json_scan *scan) {
  size_t top = scan->depth - 1;
  return (scan->objects[top / 32] >> (top % 32)) & 1;
}

/* Enters brackets until a value has ended: a scalar or an empty bracket. */
static bool kecs__json_scan_open(kecs__json_scan *scan) {
  for (;;) {
    scan->at = kecs__json_space(scan->at, scan->end);
    unsigned char c = scan->at < scan->end ? *scan->at : 0;
    if (c != '{' && c != '[') {
      return kecs__json_scan_scalar(scan);
    }
    if (!kecs__json_push(scan, c == '{')) {
      return false;
    }
    scan->at = kecs__json_space(scan->at, scan->end);
    if (scan->at < scan->end && *scan->at == (c == '{' ? '}' : ']')) {
      scan->depth--;
      scan->at++;
      return true;
    }
    if (c == '{' && !kecs__json_scan_name(scan)) {
      return false;
    }
  }
}

/* After a value: leaves brackets until a comma announces the next value, or until depth is 0. */
static bool kecs__json_scan_close(kecs__json_scan *scan) {
  while (scan->depth > 0) {
    bool in_object = kecs__json_in_object(scan);
    scan->at = kecs__json_space(scan->at, scan->end);
    unsigned char c = scan->at < scan->end ? *scan->at : 0;
    if (c == ',') {
      scan->at++;
      return in_object ? kecs__json_scan_name(scan) : true;
    }
    if (in_object && c != '}') {
      return kecs__json_refuse(scan, scan->at, "the text ends before an object's closing }",
                               "a comma or } is expected after a member");
    }
    if (!in_object && c != ']') {
      return kecs__json_refuse(scan, scan->at, "the text ends before an array's closing ]",
                               "a comma or ] is expected after an element");
    }
    scan->depth--;
    scan->at++;
  }
  return true;
}

/* Scans the first value and the white space after it; NONE when it is refused. */
static kecs__json kecs__json_scan_first(kecs__json_scan *scan, const char *text, size_t len) {
  memset(scan, 0, sizeof *scan);
  scan->begin = (const unsigned char *)(text ? text : "");
  scan->at = scan->begin;
  scan->end = scan->begin + len;
  const unsigned char *begin = kecs__json_space(scan->begin, scan->end);
  do {
    if (!kecs__json_scan_open(scan) || !kecs__json_scan_close(scan)) {
      return (kecs__json){KECS__JSON_NONE, NULL, 0};
    }
  } while (scan->depth > 0);
  kecs__json value = kecs__json_span(begin, scan->at);
  scan->at = kecs__json_space(scan->at, scan->end);
  return value;
}

static void kecs__json_report(const kecs__json_scan *scan, kecs__json_fault *fault) {
  if (fault) {
    fault->offset = (size_t)(scan->at - scan->begin);
    fault->reason = scan->reason;
    kecs__json_position((const char *)scan->begin, fault->offset, &fault->line, &fault->column);
  }
}

KECS__FN kecs__json kecs__json_check(const char *text, size_t len, kecs__json_fault *fault) {
  kecs__json_scan scan;
  kecs__json value = kecs__json_scan_first(&scan, text, len);
  if (value.type != KECS__JSON_NONE && scan.at < scan.end) {
    (void)kecs__json_refuse(&scan, scan.at, "", "there is more text after the end of the value");
    value = (kecs__json){KECS__JSON_NONE, NULL, 0};
  }
  if (value.type == KECS__JSON_NONE) {
    kecs__json_report(&scan, fault);
  }
  return value;
}

#if !defined(KECS_STORE_NO_IMPORT)
KECS__FN kecs__json kecs__json_check_first(const char *text, size_t len, size_t *used, kecs__json_fault *fault) {
  kecs__json_scan scan;
  kecs__json value = kecs__json_scan_first(&scan, text, len);
  *used = 0;
  if (value.type == KECS__JSON_NONE) {
    kecs__json_report(&scan, fault);
  } else {
    *used = (size_t)(scan.at - scan.begin);
  }
  return value;
}
#endif

KECS__FN void kecs__json_position(const char *text, size_t offset, size_t *line, size_t *column) {
  *line = 1;
  *column = 1;
  for (size_t i = 0; i < offset; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '\n' && i > 0 && text[i - 1] == '\r') {
      continue; /* the CR has ended this line already */
    }
    if (c == '\n' || c == '\r') {
      *line += 1;
      *column = 1;
    } else if ((c & 0xC0) != 0x80) {
      *column += 1;
    }
  }
}
