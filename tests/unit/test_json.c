/* tests/unit/test_json.c -- the JSON scanner, the walk, strings and numbers.
 *
 * KECS_CORPUS names the folder of real and hostile payloads; without it ../shared/corpus is tried. The cases in this
 * file always run. */
#include "base/prologue.h"

#include "base/json.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static kecs_allocator allocator;

static int set_up(void **state) {
  (void)state;
  return kecs__allocator_resolve(&allocator, &allocator);
}

/* Checks a copy that ends where its block ends, so that a sanitizer sees every read behind the text. */
static bool accepts(const char *text, size_t len) {
  char *copy = malloc(len ? len : 1);
  assert_non_null(copy);
  memcpy(copy, text, len);
  kecs__json_fault fault = {0, 0, 0, NULL};
  kecs__json value = kecs__json_check(copy, len, &fault);
  bool accepted = value.type != KECS__JSON_NONE;
  if (accepted) {
    assert_null(fault.reason);
    assert_true(value.text >= copy && value.text + value.len <= copy + len);
  } else {
    assert_non_null(fault.reason);
    assert_true(fault.offset <= len && fault.line >= 1 && fault.column >= 1);
  }
  free(copy);
  return accepted;
}

static kecs__json json_of(const char *text) {
  kecs__json value = kecs__json_check(text, strlen(text), NULL);
  assert_int_not_equal(value.type, KECS__JSON_NONE);
  return value;
}

static void assert_span(kecs__json value, kecs__json_type type, const char *text) {
  assert_int_equal(value.type, type);
  assert_int_equal(value.len, strlen(text));
  assert_memory_equal(value.text, text, value.len);
}

/* ---- the check ---- */

#define TEXT(literal) {literal, sizeof(literal) - 1}
typedef struct bytes {
  const char *text;
  size_t len;
} bytes;

static void test_accepted(void **state) {
  (void)state;
  static const bytes cases[] = {
      TEXT("null"), TEXT("true"), TEXT("false"), TEXT("0"), TEXT("-0"), TEXT("-1.5e+10"), TEXT("1E2"), TEXT("\"\""),
      TEXT("[]"), TEXT("{}"), TEXT(" \t\r\n[ ] \n"), TEXT("[1,2]"), TEXT("{\"a\":{}}"), TEXT("{\"a\":1,\"a\":2}"),
      TEXT("{\"\":[]}"), TEXT("[[],{},[{}]]"), TEXT("\"\\u0000\""), TEXT("\"\\ud800\""), TEXT("\"\\uD83D\\uDE00\""),
      TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), TEXT("\"\x7f\""), TEXT("\"\xC2\x80\xE2\x82\xAC\xF0\x9F\x98\x80\""),
      TEXT("\"\xEF\xBB\xBF\""), TEXT("\"\xF4\x8F\xBF\xBF\""), TEXT("123456789012345678901234567890"), TEXT("1e99999"),
      TEXT("[1 , 2\n,\t3 ]"), TEXT("\"plain text of more than eight bytes, then \\n and more plain text\""),
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    if (!accepts(cases[i].text, cases[i].len)) {
      fail_msg("case %zu must be accepted: %s", i, cases[i].text);
    }
  }
}

static void test_refused(void **state) {
  (void)state;
  static const bytes cases[] = {
      TEXT(""), TEXT(" \n"), TEXT("nul"), TEXT("nulL"), TEXT("True"), TEXT("NaN"), TEXT("Infinity"), TEXT("-"),
      TEXT("-a"), TEXT("+1"), TEXT("01"), TEXT("-01"), TEXT("1."), TEXT(".5"), TEXT("1.e1"), TEXT("1e"), TEXT("1e+"),
      TEXT("0x10"), TEXT("1 2"), TEXT("\""), TEXT("\"\\"), TEXT("\"\\u"), TEXT("\"\\u12"), TEXT("\"\\u12G4\""),
      TEXT("\"\\x\""), TEXT("\"\\\0\""), TEXT("\"\n\""), TEXT("\"\x1f\""), TEXT("\"\0\""), TEXT("'a'"), TEXT("["),
      TEXT("[1"), TEXT("[1,"), TEXT("[1,]"), TEXT("[,1]"), TEXT("[1 2]"), TEXT("[1}"), TEXT("]"), TEXT("[]]"),
      TEXT("{"), TEXT("{a:1}"), TEXT("{\"a\""), TEXT("{\"a\":"), TEXT("{\"a\":}"), TEXT("{\"a\":1"), TEXT("{\"a\":1,"),
      TEXT("{\"a\":1,}"), TEXT("{\"a\":1]"), TEXT("{\"a\" 1}"), TEXT("{1:1}"), TEXT("{,}"), TEXT("{}{}"),
      TEXT("// c\n1"), TEXT("1 /* c */"), TEXT("\xEF\xBB\xBF{}"), TEXT("[\xC2\xA0]"), TEXT("[\f1]"), TEXT("1\0"),
      TEXT("\"\xFF\""), TEXT("\"\xC2\""), TEXT("\xFF\xFE{\0}\0"), TEXT("{\0}\0"), TEXT("\"\xED\xA0\x80\""),
      TEXT("\"eight bytes and more\x01\""), TEXT("\"eight bytes\xC0\x80\""), TEXT("[1]\0"), TEXT("[\"a\",\n4\n,1,"),
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    if (accepts(cases[i].text, cases[i].len)) {
      fail_msg("case %zu must be refused: %s", i, cases[i].text);
    }
  }
  assert_false(kecs__json_check(NULL, 0, NULL).type);
}

/* A stop byte must be found at every place of the eight-byte step, and nothing else may stop it. */
static void test_plain_runs(void **state) {
  (void)state;
  for (size_t place = 1; place <= 20; place++) {
    for (int byte = 0; byte < 256; byte++) {
      char text[23];
      memset(text, 'x', sizeof text);
      text[0] = '"';
      text[sizeof text - 1] = '"';
      text[place] = (char)byte;
      bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
      if (accepts(text, sizeof text) != plain) {
        fail_msg("byte %02x at %zu", (unsigned)byte, place);
      }
    }
  }
}

typedef struct fault_case {
  bytes input;
  size_t offset;
  size_t line;
  size_t column;
  const char *reason; /* a part of it */
} fault_case;

static void test_faults(void **state) {
  (void)state;
  static const fault_case cases[] = {
      {TEXT(""), 0, 1, 1, "empty"},
      {TEXT("  "), 2, 1, 3, "empty"},
      {TEXT("{\"a\": 1,\n  \"b\": }"), 16, 2, 8, "before the closing bracket"},
      {TEXT("[1,]"), 3, 1, 4, "comma too many"},
      {TEXT("{\"a\":1,\r\n}"), 9, 2, 1, "comma too many"},
      {TEXT("[\r\n\r\n1\r\n2]"), 8, 4, 1, "a comma or ]"},
      {TEXT("{\"a\":1\n\n \"b\":2}"), 9, 3, 2, "a comma or }"},
      {TEXT("[\r\r\n\n  x]"), 7, 4, 3, "a value is expected"},
      {TEXT("[\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\" x]"), 13, 1, 8, "a comma or ]"},
      {TEXT("[\n\"\xC3\xA4\xFF\"]"), 5, 2, 3, "not UTF-8"},
      {TEXT("[\"a\0\"]"), 3, 1, 4, "NUL"},
      {TEXT("[\0]"), 1, 1, 2, "NUL"},
      {TEXT("{}\0"), 2, 1, 3, "NUL"},
      {TEXT("[\x80]"), 1, 1, 2, "not UTF-8"},
      {TEXT("{} \xC3"), 3, 1, 4, "not UTF-8"},
      {TEXT("\xEF\xBB\xBF{}"), 0, 1, 1, "byte order mark"},
      {TEXT("\xFF\xFE{"), 0, 1, 1, "not UTF-8"},
      {TEXT("[\"a\nb\"]"), 3, 1, 4, "raw control character"},
      {TEXT("[\"abc"), 5, 1, 6, "ends inside a string"},
      {TEXT("[\"a\\"), 4, 1, 5, "ends inside a string"},
      {TEXT("[\"a\\q\"]"), 4, 1, 5, "backslash"},
      {TEXT("[\"\\u12z4\"]"), 6, 1, 7, "four hexadecimal"},
      {TEXT("[012]"), 2, 1, 3, "leading zeros"},
      {TEXT("[1.]"), 3, 1, 4, "decimal point"},
      {TEXT("[1e]"), 3, 1, 4, "exponent"},
      {TEXT("[-]"), 2, 1, 3, "minus"},
      {TEXT("[-"), 2, 1, 3, "ends inside a number"},
      {TEXT("[nule]"), 4, 1, 5, "true, false and null"},
      {TEXT("{} {}"), 3, 1, 4, "more text"},
      {TEXT("{\"cpu\": $CPU$}"), 8, 1, 9, "placeholder"},
      {TEXT("{'a':1}"), 1, 1, 2, "double quotes"},
      {TEXT("{\"a\":'b'}"), 5, 1, 6, "double quotes"},
      {TEXT("{\"a\" 1}"), 5, 1, 6, "colon"},
      {TEXT("{\"a\":1"), 6, 1, 7, "closing }"},
      {TEXT("[1"), 2, 1, 3, "closing ]"},
      {TEXT("{\"a\":"), 5, 1, 6, "where a value is expected"},
      {TEXT("{"), 1, 1, 2, "member's name"},
      {TEXT("[// no"), 1, 1, 2, "comments"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const fault_case *c = &cases[i];
    kecs__json_fault fault = {99, 99, 99, NULL};
    assert_int_equal(kecs__json_check(c->input.text, c->input.len, &fault).type, KECS__JSON_NONE);
    if (fault.offset != c->offset || fault.line != c->line || fault.column != c->column ||
        !strstr(fault.reason, c->reason)) {
      fail_msg("case %zu: %zu at %zu:%zu: %s", i, fault.offset, fault.line, fault.column, fault.reason);
    }
  }
}

static void test_depth(void **state) {
  (void)state;
  enum { deep = 100000 };
  static char text[deep];
  kecs__json_fault fault;
  memset(text, '[', deep);
  assert_int_equal(kecs__json_check(text, deep, &fault).type, KECS__JSON_NONE);
  assert_int_equal(fault.offset, KECS__JSON_DEPTH_MAX);
  assert_int_equal(fault.column, KECS__JSON_DEPTH_MAX + 1);
  assert_non_null(strstr(fault.reason, "limit of 1000 levels"));

  memset(text + KECS__JSON_DEPTH_MAX, ']', KECS__JSON_DEPTH_MAX);
  assert_true(accepts(text, 2 * KECS__JSON_DEPTH_MAX));
  assert_false(accepts(text, 2 * KECS__JSON_DEPTH_MAX - 1));
  assert_false(accepts(text, 2 * KECS__JSON_DEPTH_MAX + 1));

  /* Objects and arrays alternate, so every bit of the stack is needed to tell the right closing bracket. */
  size_t len = 0;
  for (int i = 0; i < KECS__JSON_DEPTH_MAX; i++) {
    len += (size_t)snprintf(text + len, sizeof text - len, "%s", i % 3 ? "{\"k\":" : "[");
  }
  len += (size_t)snprintf(text + len, sizeof text - len, "0");
  for (int i = KECS__JSON_DEPTH_MAX - 1; i >= 0; i--) {
    len += (size_t)snprintf(text + len, sizeof text - len, "%s", i % 3 ? "}" : "]");
  }
  assert_true(accepts(text, len));
  text[len - 1] = '}';
  assert_false(accepts(text, len));
}

static void test_first(void **state) {
  (void)state;
  static const char stream[] = "{\"a\":1}\n[2] \"x\"3 \r\n";
  static const char *const values[] = {"{\"a\":1}", "[2]", "\"x\"", "3"};
  size_t at = 0;
  size_t used = 0;
  kecs__json_fault fault;
  for (size_t i = 0; i < COUNT_OF(values); i++) {
    kecs__json value = kecs__json_check_first(stream + at, sizeof stream - 1 - at, &used, &fault);
    assert_span(value, value.type, values[i]);
    at += used;
  }
  assert_int_equal(at, sizeof stream - 1);
  used = 9;
  assert_int_equal(kecs__json_check_first("[1] ]", 5, &used, &fault).type, KECS__JSON_ARRAY);
  assert_int_equal(used, 4);
  assert_int_equal(kecs__json_check_first(" ]", 2, &used, &fault).type, KECS__JSON_NONE);
  assert_int_equal(used, 0);
  assert_int_equal(fault.offset, 1);
}

static void test_position(void **state) {
  (void)state;
  static const char text[] = "a\xC3\xA4\n\r\n\rb\n\nc";
  static const size_t expected[][3] = {{0, 1, 1}, {1, 1, 2}, {3, 1, 3}, {4, 2, 1}, {6, 3, 1},
                                       {7, 4, 1}, {8, 4, 2}, {9, 5, 1}, {10, 6, 1}, {11, 6, 2}};
  for (size_t i = 0; i < COUNT_OF(expected); i++) {
    size_t line = 0;
    size_t column = 0;
    kecs__json_position(text, expected[i][0], &line, &column);
    assert_int_equal(line, expected[i][1]);
    assert_int_equal(column, expected[i][2]);
  }
}

/* ---- the walk ---- */

static void test_members(void **state) {
  (void)state;
  static const char text[] =
      " {\"a\" : 1 ,\"b\":[1,{\"c\":\"}\"}],\"\\u0063\":\"\\\\\\\"]\",\"a\":-1.5e3,\"t\":true , \"n\":null\n}";
  static const char *const names[] = {"\"a\"", "\"b\"", "\"\\u0063\"", "\"a\"", "\"t\"", "\"n\""};
  static const char *const values[] = {"1", "[1,{\"c\":\"}\"}]", "\"\\\\\\\"]\"", "-1.5e3", "true", "null"};
  static const kecs__json_type types[] = {KECS__JSON_NUMBER, KECS__JSON_ARRAY, KECS__JSON_STRING,
                                          KECS__JSON_NUMBER, KECS__JSON_TRUE,  KECS__JSON_NULL};
  kecs__json object = json_of(text);
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    assert_true(kecs__json_next_member(object, &walk, &name, &value));
    assert_span(name, KECS__JSON_STRING, names[i]);
    assert_span(value, types[i], values[i]);
  }
  assert_false(kecs__json_next_member(object, &walk, &name, &value));
  assert_false(kecs__json_next_member(object, &walk, &name, &value));
  assert_int_equal(name.type, KECS__JSON_NONE);
  assert_int_equal(value.type, KECS__JSON_NONE);

  assert_span(kecs__json_member(object, "a"), KECS__JSON_NUMBER, "1");
  assert_span(kecs__json_member(object, "c"), KECS__JSON_STRING, "\"\\\\\\\"]\"");
  assert_int_equal(kecs__json_member(object, "").type, KECS__JSON_NONE);
  assert_int_equal(kecs__json_member(object, "\\u0063").type, KECS__JSON_NONE);
  assert_int_equal(kecs__json_member(value, "a").type, KECS__JSON_NONE);
  assert_int_equal(kecs__json_member(kecs__json_member(object, "b"), "c").type, KECS__JSON_NONE);
}

static void test_elements(void **state) {
  (void)state;
  static const char *const texts[] = {"null", "false", "[[]]", "{\"x\":[\"]\"]}", "\"\xC3\xA4,\"", "0"};
  kecs__json array = json_of("[null,false ,\n[[]],{\"x\":[\"]\"]},\"\xC3\xA4,\",0]");
  kecs__json_walk walk = {NULL};
  kecs__json element;
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    assert_true(kecs__json_next_element(array, &walk, &element));
    assert_span(element, element.type, texts[i]);
  }
  assert_false(kecs__json_next_element(array, &walk, &element));
  assert_int_equal(element.type, KECS__JSON_NONE);

  static const char *const empty[] = {"[]", "[ \n]", "{}", "{ }", "\"[1]\"", "12", "null"};
  for (size_t i = 0; i < COUNT_OF(empty); i++) {
    kecs__json name;
    walk.at = NULL;
    assert_false(kecs__json_next_element(json_of(empty[i]), &walk, &element));
    assert_false(kecs__json_next_member(json_of(empty[i]), &walk, &name, &element));
  }
}

/* ---- strings ---- */

typedef struct string_case {
  const char *json;
  const char *text; /* NULL: it has none */
} string_case;

static const string_case strings[] = {
    {"\"\"", ""},
    {"\"plain\"", "plain"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"\"a\\u0041z\"", "aAz"},
    {"\"\\u007f\\u0080\\u07FF\\u0800\\uffff\"", "\x7f\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"},
    {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
    {"\"\xF0\x9F\x98\x80\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80\xF0\x9F\x98\x80"},
    {"\"\\u0000\"", NULL},
    {"\"a\\u0000b\"", NULL},
    {"\"\\ud800\"", NULL},
    {"\"\\ud800x\"", NULL},
    {"\"\\ud800\\n\"", NULL},
    {"\"\\ud800\\u0041\"", NULL},
    {"\"\\ud800\\ud800\"", NULL},
    {"\"\\udc00\"", NULL},
    {"\"\\udc00\\ud800\"", NULL},
};

static void test_strings(void **state) {
  (void)state;
  kecs__arena arena;
  kecs__arena_init(&arena, &allocator);
  for (size_t i = 0; i < COUNT_OF(strings); i++) {
    kecs__json value = json_of(strings[i].json);
    char buffer[64];
    size_t len = 99;
    char *text = kecs__json_string(value, &arena, &len);
    if (!strings[i].text) {
      assert_null(text);
      assert_int_equal(kecs_last_error()->status, KECS_E_INVALID);
      assert_false(kecs__json_string_into(value, buffer, sizeof buffer, &len));
      assert_false(kecs__json_equals(value, ""));
      continue;
    }
    size_t right = strlen(strings[i].text);
    assert_string_equal(text, strings[i].text);
    assert_int_equal(len, right);
    assert_non_null(kecs__json_string(value, &arena, NULL));
    assert_true(kecs__json_string_into(value, buffer, right + 1, &len));
    assert_string_equal(buffer, strings[i].text);
    assert_int_equal(len, right);
    assert_false(kecs__json_string_into(value, buffer, right, &len));
    assert_true(kecs__json_equals(value, strings[i].text));
    memcpy(buffer, strings[i].text, right);
    memcpy(buffer + right, "x", 2);
    assert_false(kecs__json_equals(value, buffer));
    if (right > 0) {
      buffer[right - 1] = '\0';
      assert_false(kecs__json_equals(value, buffer));
    }
  }
  assert_null(kecs__json_string(json_of("12"), &arena, NULL));
  assert_int_equal(kecs_last_error()->status, KECS_E_INVALID);
  assert_false(kecs__json_equals(json_of("12"), "12"));
  assert_false(kecs__json_equals(json_of("\"a\\u0000b\""), "a"));
  kecs__arena_free(&arena);
}

static size_t put_utf8(uint32_t character, char *out) {
  unsigned char *at = (unsigned char *)out;
  if (character < 0x80) {
    at[0] = (unsigned char)character;
    return 1;
  }
  size_t more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
  for (size_t i = more; i > 0; i--) {
    at[i] = (unsigned char)(0x80 | (character & 0x3F));
    character >>= 6;
  }
  at[0] = (unsigned char)(first[more] | character);
  return more + 1;
}

/* Every character there is, quoted, checked and read back; U+0000 is quoted but can't be read back as text. */
static void test_quote_round_trip(void **state) {
  (void)state;
  kecs__text out;
  kecs__text_init(&out, &allocator, 1000);
  for (uint32_t character = 0; character <= 0x10FFFF; character++) {
    if (character >= 0xD800 && character <= 0xDFFF) {
      continue;
    }
    char text[6] = {'a'};
    size_t len = 1 + put_utf8(character, text + 1);
    text[len++] = 'z';
    char back[sizeof text + 1];
    size_t back_len = 0;
    kecs__text_clear(&out);
    kecs__json_quote(&out, text, len);
    kecs__json value = kecs__json_check(out.data, out.len, NULL);
    bool read_back = kecs__json_string_into(value, back, sizeof back, &back_len);
    bool escaped = character < 0x20 || character == '"' || character == '\\';
    if (out.status || value.len != out.len || read_back != (character != 0) || escaped != (out.len > len + 2) ||
        (read_back && (back_len != len || memcmp(back, text, len) != 0))) {
      fail_msg("U+%04X became %s", (unsigned)character, out.data);
    }
  }
  kecs__text_clear(&out);
  kecs__json_quote(&out, "\x01\x1f\b\f\n\r\t\"\\/\x7f", 11);
  assert_string_equal(out.data, "\"\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\"");
  kecs__text_clear(&out);
  kecs__json_quote(&out, "a\0b", 3);
  kecs__json_quote(&out, NULL, 0);
  assert_string_equal(out.data, "\"a\\u0000b\"\"\"");
  kecs__text_free(&out);
}

static void test_utf8(void **state) {
  (void)state;
  static const bytes valid[] = {
      TEXT(""), TEXT("ascii only, longer than a word"), TEXT("\0"), TEXT("\x7f"), TEXT("\xC2\x80"), TEXT("\xDF\xBF"),
      TEXT("\xE0\xA0\x80"), TEXT("\xEC\x80\x80"), TEXT("\xED\x9F\xBF"), TEXT("\xEE\x80\x80"), TEXT("\xEF\xBF\xBF"),
      TEXT("\xF0\x90\x80\x80"), TEXT("\xF1\x80\x80\x80"), TEXT("\xF4\x8F\xBF\xBF"), TEXT("12345678\xC3\xA4" "12345678"),
  };
  static const bytes invalid[] = {
      TEXT("\x80"), TEXT("\xBF"), TEXT("\xC0\x80"), TEXT("\xC1\xBF"), TEXT("\xC2"), TEXT("\xC2\x7F"), TEXT("\xC2\xC0"),
      TEXT("\xE0\x9F\xBF"), TEXT("\xE0\xA0"), TEXT("\xE0\xA0\x7F"), TEXT("\xE1\x80\xC0"), TEXT("\xED\xA0\x80"),
      TEXT("\xED\xBF\xBF"), TEXT("\xF0\x8F\xBF\xBF"), TEXT("\xF0\x90\x80"), TEXT("\xF1\x80\x80\x7F"),
      TEXT("\xF4\x90\x80\x80"), TEXT("\xF5\x80\x80\x80"), TEXT("\xFE"), TEXT("\xFF"), TEXT("12345678\xC3"),
      TEXT("1234567\x80"), TEXT("\xF8\x88\x80\x80\x80"), TEXT("\xE2\x28\xA1"),
  };
  for (size_t i = 0; i < COUNT_OF(valid); i++) {
    assert_true(kecs__utf8_valid(valid[i].text, valid[i].len));
  }
  for (size_t i = 0; i < COUNT_OF(invalid); i++) {
    if (kecs__utf8_valid(invalid[i].text, invalid[i].len)) {
      fail_msg("case %zu", i);
    }
  }
  assert_true(kecs__utf8_valid(NULL, 0));
}

/* ---- numbers ---- */

static void assert_int64(const char *text, int64_t expected) {
  int64_t value = expected == 77 ? 78 : 77;
  if (!kecs__json_int64(json_of(text), &value) || value != expected) {
    fail_msg("%s", text);
  }
}

static void test_int64(void **state) {
  (void)state;
  assert_int64("0", 0);
  assert_int64("-0", 0);
  assert_int64("-0.0e-5", 0);
  assert_int64("0e999999999999999999999999", 0);
  assert_int64("1.0", 1);
  assert_int64("10e-1", 1);
  assert_int64("1e2", 100);
  assert_int64("1E+2", 100);
  assert_int64("-1.5e1", -15);
  assert_int64("1.25e2", 125);
  assert_int64("0.001e3", 1);
  assert_int64("120000000000000000000000e-22", 12);
  assert_int64("9223372036854775807", INT64_MAX);
  assert_int64("-9223372036854775808", INT64_MIN);
  assert_int64("-9223372036854775807", -INT64_MAX);
  assert_int64("-922337203685477580.8e1", INT64_MIN);
  assert_int64("9223372036854775807.000", INT64_MAX);
  assert_int64("0.9223372036854775807e19", INT64_MAX);
  static const char *const refused[] = {
      "1.5", "1e400", "1e-1", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e19", "0.1",
      "1e999999999999999999999999", "1e-999999999999999999999999", "9223372036854775807.5", "-9223372036854775808.5",
      "-9223372036854775808.00000000001", "99999999999999999999999999999999999999", "\"1\"", "true", "[1]", "10e-2",
  };
  for (size_t i = 0; i < COUNT_OF(refused); i++) {
    int64_t value = 77;
    if (kecs__json_int64(json_of(refused[i]), &value)) {
      fail_msg("%s", refused[i]);
    }
    assert_int_equal(value, 77);
  }
}

static void assert_scaled(const char *text, int power, int64_t expected, bool expected_exact) {
  int64_t value = 0;
  bool exact = !expected_exact;
  if (!kecs__json_scaled(json_of(text), power, &value, &exact) || value != expected || exact != expected_exact) {
    fail_msg("%s became %lld", text, (long long)value);
  }
}

static void test_scaled(void **state) {
  (void)state;
  assert_scaled("1.5", 0, 1, false);
  assert_scaled("-1.5", 0, -2, false);
  assert_scaled("-0.5", 0, -1, false);
  assert_scaled("-1e-400", 0, -1, false);
  assert_scaled("1e-400", 0, 0, false);
  assert_scaled("1479775400.123456", 6, INT64_C(1479775400123456), true);
  assert_scaled("1.4797754E9", 6, INT64_C(1479775400000000), true);
  assert_scaled("-0.0000001", 6, -1, false);
  assert_scaled("-9223372036854775807.5", 0, INT64_MIN, false);
  assert_scaled("1234", -2, 12, false);
  assert_scaled("1200", -2, 12, true);
  int64_t value = 0;
  bool exact = false;
  assert_false(kecs__json_scaled(json_of("9223372036854.775808"), 6, &value, &exact));
  assert_false(kecs__json_scaled(json_of("-18446744073709551615.5"), 0, &value, &exact));
  assert_false(kecs__json_scaled(json_of("null"), 6, &value, &exact));

  /* A million digits and an exponent that brings them back. */
  enum { digits = 1000000 };
  char *text = malloc(digits + 32);
  assert_non_null(text);
  memset(text, '0', digits);
  memcpy(text, "0.", 2);
  snprintf(text + digits, 32, "123e%d", digits + 1);
  assert_scaled(text, 0, 123, true);
  free(text);
}

/* ---- the public test suite ---- */

static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    return NULL;
  }
  size_t capacity = 1 << 16;
  char *data = malloc(capacity);
  assert_non_null(data);
  *len = 0;
  for (;;) {
    *len += fread(data + *len, 1, capacity - *len, file);
    if (*len < capacity) {
      break;
    }
    capacity *= 2;
    data = realloc(data, capacity);
    assert_non_null(data);
  }
  fclose(file);
  return data;
}

static void test_suite(void **state) {
  (void)state;
  const char *corpus = getenv("KECS_CORPUS");
  char folder[1024];
  snprintf(folder, sizeof folder, "%s/hostile/JSONTestSuite", corpus ? corpus : "../shared/corpus");
  DIR *directory = opendir(folder);
  if (!directory) {
    print_error("*** %s is not there: JSONTestSuite is NOT RUN (set KECS_CORPUS) ***\n", folder);
    skip();
  }
  size_t counts[256] = {0};
  size_t wrong = 0;
  for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
    char path[2048];
    size_t len = 0;
    size_t name_len = strlen(entry->d_name);
    if (name_len < 5 || strcmp(entry->d_name + name_len - 5, ".json") != 0) {
      continue;
    }
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    char *data = read_file(path, &len);
    assert_non_null(data);
    bool accepted = accepts(data, len);
    unsigned char kind = (unsigned char)entry->d_name[0];
    if ((kind == 'y' && !accepted) || (kind == 'n' && accepted)) {
      print_error("%s: %s\n", entry->d_name, accepted ? "accepted" : "refused");
      wrong++;
    }
    counts[kind]++;
    free(data);
  }
  closedir(directory);
  print_message("JSONTestSuite: %zu y_, %zu n_, %zu i_\n", counts['y'], counts['n'], counts['i']);
  assert_true(counts['y'] > 50 && counts['n'] > 100);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accepted),    cmocka_unit_test(test_refused),  cmocka_unit_test(test_plain_runs),
      cmocka_unit_test(test_faults),      cmocka_unit_test(test_depth),    cmocka_unit_test(test_first),
      cmocka_unit_test(test_position),    cmocka_unit_test(test_members),  cmocka_unit_test(test_elements),
      cmocka_unit_test(test_strings),     cmocka_unit_test(test_quote_round_trip),
      cmocka_unit_test(test_utf8),        cmocka_unit_test(test_int64),    cmocka_unit_test(test_scaled),
      cmocka_unit_test(test_suite),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
