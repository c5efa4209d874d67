/* tests/unit/test_time.c -- every shape of a time, the calendar, the clocks. */
#include "base/prologue.h"

#include "base/time.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define RECORDED(fields) "{\"__class__\":\"datetime\"," fields "}"

/* 2016-11-22T00:43:20Z, a second of a real DescribeServices answer. */
#define SECOND INT64_C(1479775400)

typedef struct time_case {
  const char *json;
  int64_t micros;
  bool exact;
} time_case;

static bool read_json(const char *text, int64_t *micros, bool *exact) {
  kecs__json value = kecs__json_check(text, strlen(text), NULL);
  if (value.type == KECS__JSON_NONE) {
    fail_msg("no JSON: %s", text);
  }
  return kecs__time_read(value, micros, exact);
}

static void assert_reads(const time_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int64_t micros = 77;
    bool exact = !cases[i].exact;
    if (!read_json(cases[i].json, &micros, &exact) || micros != cases[i].micros || exact != cases[i].exact) {
      fail_msg("%s became %lld", cases[i].json, (long long)micros);
    }
  }
}

static void test_shapes(void **state) {
  (void)state;
  static const time_case cases[] = {
      /* The nine shapes of the corpus: float and integer seconds, Z with 0, 3, 6, 7, 8, 9 digits, an offset. */
      {"1479775400.123456", SECOND * 1000000 + 123456, true},
      {"1479775400", SECOND * 1000000, true},
      {"\"2016-11-22T00:43:20Z\"", SECOND * 1000000, true},
      {"\"2016-11-22T00:43:20.123Z\"", SECOND * 1000000 + 123000, true},
      {"\"2016-11-22T00:43:20.123456Z\"", SECOND * 1000000 + 123456, true},
      {"\"2016-11-22T00:43:20.1234560Z\"", SECOND * 1000000 + 123456, true},
      {"\"2016-11-22T00:43:20.12345678Z\"", SECOND * 1000000 + 123456, false},
      {"\"2016-11-22T00:43:20.123456789Z\"", SECOND * 1000000 + 123456, false},
      {"\"2016-11-22T02:43:20.123456+02:00\"", SECOND * 1000000 + 123456, true},
      /* The recorded form, in both member orders that recordings have. */
      {RECORDED("\"year\":2016,\"month\":11,\"day\":22,\"hour\":0,\"minute\":43,\"second\":20,\"microsecond\":796000"),
       SECOND * 1000000 + 796000, true},
      {"{\"hour\": 0, \"__class__\": \"datetime\", \"month\": 11, \"second\": 20, \"microsecond\": 5, \"year\": 2016,"
       " \"day\": 22, \"minute\": 43}",
       SECOND * 1000000 + 5, true},
      {RECORDED("\"year\":2016,\"month\":11,\"day\":22"), INT64_C(1479772800000000), true},
      {RECORDED("\"year\":2016.0,\"month\":1.1e1,\"day\":220e-1"), INT64_C(1479772800000000), true},
      /* Other spellings of the same. */
      {"1.4797754E9", SECOND * 1000000, true},
      {"1479775400.0", SECOND * 1000000, true},
      {"14797754001234560e-7", INT64_C(1479775400123456), true},
      {"1479775400.12345600000000000000000000000000000000", SECOND * 1000000 + 123456, true},
      {"1479775400.1234569", SECOND * 1000000 + 123456, false},
      {"\"2016-11-22t00:43:20z\"", SECOND * 1000000, true},
      {"\"2016-11-22 00:43:20.5Z\"", SECOND * 1000000 + 500000, true},
      {"\"2016-11-21T17:13:20-0730\"", SECOND * 1000000, true},
      {"\"2016-11-22 01:43:20+01\"", SECOND * 1000000, true},
      {"\"2016-11-22T00:43:20-00:00\"", SECOND * 1000000, true},
      {"\"2016-11-23T00:42:20+23:59\"", SECOND * 1000000, true},
      {"\"2016-11-22T02:43:20\\u002B02:00\"", SECOND * 1000000, true},
  };
  assert_reads(cases, COUNT_OF(cases));
}

static void test_bounds(void **state) {
  (void)state;
  static const time_case cases[] = {
      {"0", 0, true},
      {"-0.0", 0, true},
      {"\"1970-01-01T00:00:00Z\"", 0, true},
      {"\"1970-01-01T01:00:00+01:00\"", 0, true},
      {"\"1969-12-31T23:59:59.999999Z\"", -1, true},
      {"\"1969-12-31T23:59:59.9999999Z\"", -1, false},
      {"-0.000001", -1, true},
      {"-0.0000001", -1, false},
      {"-1.5", -1500000, true},
      {"\"0001-01-01T00:00:00Z\"", INT64_C(-62135596800000000), true},
      {"-62135596800", INT64_C(-62135596800000000), true},
      {"\"9999-12-31T23:59:59.999999Z\"", INT64_C(253402300799999999), true},
      {"253402300799.999999", INT64_C(253402300799999999), true},
      {"\"2000-02-29T00:00:00Z\"", INT64_C(951782400000000), true},
      {"\"1900-02-28T00:00:00Z\"", INT64_C(-2203977600000000), true},
      {"\"2024-02-29T23:59:59Z\"", INT64_C(1709251199000000), true},
      {"\"2038-01-19T03:14:08Z\"", INT64_C(2147483648000000), true},
      {"\"0400-02-29T12:00:00Z\"", INT64_C(-49539297600000000), true},
  };
  assert_reads(cases, COUNT_OF(cases));
}

static void test_refused(void **state) {
  (void)state;
  static const char *const cases[] = {
      "null", "true", "[]", "{}", "\"\"", "\"now\"", "\"1479775400\"", "\"2016-11-22\"", "\"2016-11-22T00:43:20\"",
      "\"2016-11-22T00:43Z\"", "\"2016-11-22T00:43:20.Z\"", "\"2016-11-22T00:43:20.1234567890Z\"",
      "\"2016-11-22T00:43:20,5Z\"", "\"2016-11-22T00:43:60Z\"", "\"2016-11-22T24:00:00Z\"", "\"2016-11-22T00:60:00Z\"",
      "\"2016-13-01T00:00:00Z\"", "\"2016-00-01T00:00:00Z\"", "\"2016-01-00T00:00:00Z\"", "\"2016-01-32T00:00:00Z\"",
      "\"2016-04-31T00:00:00Z\"", "\"2015-02-29T00:00:00Z\"", "\"1900-02-29T00:00:00Z\"", "\"0000-01-01T00:00:00Z\"",
      "\"0001-01-01T00:00:00+00:01\"", "\"9999-12-31T23:59:59-00:01\"", "\"10000-01-01T00:00:00Z\"",
      "\"2016-11-22T00:43:20Zx\"", "\"2016-11-22T00:43:20+24:00\"", "\"2016-11-22T00:43:20+02:60\"",
      "\"2016-11-22T00:43:20+2:00\"", "\"2016-11-22T00:43:20+02:\"", "\"2016-11-22T00:43:20+020\"",
      "\"2016-11-22T00:43:20+\"", "\" 2016-11-22T00:43:20Z\"", "\"2016-11-22T00:43:20 Z\"", "\"2016-1-22T00:43:20Z\"",
      "\"2016-11-22T00:43:20\\u0000Z\"", "\"-016-11-22T00:43:20Z\"", "\"2016/11/22T00:43:20Z\"",
      "\"2016-11-22T00:43:20.123456789+02:00 and more text than any time has, far too much\"",
      "253402300800", "-62135596800.000001", "1e400", "1479775400123456789", "-1e12",
      RECORDED("\"year\":2016,\"month\":11"), RECORDED("\"year\":2016,\"month\":2,\"day\":30"),
      RECORDED("\"year\":2016,\"month\":11,\"day\":22,\"second\":60"), RECORDED("\"year\":0,\"month\":1,\"day\":1"),
      RECORDED("\"year\":2016,\"month\":11,\"day\":22,\"microsecond\":1000000"),
      RECORDED("\"year\":2016,\"month\":11,\"day\":22,\"microsecond\":1.5"),
      RECORDED("\"year\":2016,\"month\":11,\"day\":22,\"hour\":-1"),
      RECORDED("\"year\":2016,\"month\":11,\"day\":22,\"day\":23"),
      RECORDED("\"year\":2016,\"month\":11,\"day\":22,\"tzinfo\":\"x\""),
      RECORDED("\"year\":\"2016\",\"month\":11,\"day\":22"),
      "{\"year\":2016,\"month\":11,\"day\":22}", "{\"__class__\":\"date\",\"year\":2016,\"month\":11,\"day\":22}",
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t micros = 77;
    bool exact;
    if (read_json(cases[i], &micros, &exact)) {
      fail_msg("%s became %lld", cases[i], (long long)micros);
    }
    assert_int_equal(micros, 77);
  }
}

static void test_parse(void **state) {
  (void)state;
  static const char *const good[] = {"1479775400", "1.4797754e9", "2016-11-22T00:43:20Z", "2016-11-22 02:43:20+02"};
  static const char *const bad[] = {"", " ", "1479775400 ", " 1479775400", "+1", "01", "x", "null", "1e12x",
                                    "\"2016-11-22T00:43:20Z\"", "2016-11-22", "253402300800"};
  int64_t micros = 0;
  bool exact = false;
  for (size_t i = 0; i < COUNT_OF(good); i++) {
    assert_true(kecs__time_parse(good[i], strlen(good[i]), &micros, &exact));
    assert_int_equal(micros, SECOND * 1000000);
    assert_true(exact);
  }
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    if (kecs__time_parse(bad[i], strlen(bad[i]), &micros, &exact)) {
      fail_msg("\"%s\" became %lld", bad[i], (long long)micros);
    }
  }
  assert_true(kecs__time_parse("2016", 4, &micros, &exact));
  assert_int_equal(micros, 2016000000); /* seconds, not a year */
  assert_false(kecs__time_parse(NULL, 0, &micros, &exact));
  assert_true(kecs__time_parse("1479775400.9999999", 18, &micros, &exact));
  assert_int_equal(micros, SECOND * 1000000 + 999999);
  assert_false(exact);
}

static void test_iso(void **state) {
  (void)state;
  static const struct {
    int64_t micros;
    const char *iso;
    const char *epoch;
  } cases[] = {
      {0, "1970-01-01T00:00:00Z", "0"},
      {1, "1970-01-01T00:00:00.000001Z", "0.000001"},
      {-1, "1969-12-31T23:59:59.999999Z", "-0.000001"},
      {-1500000, "1969-12-31T23:59:58.500Z", "-1.5"},
      {INT64_C(1714557600000000), "2024-05-01T10:00:00Z", "1714557600"},
      {INT64_C(1714557600123000), "2024-05-01T10:00:00.123Z", "1714557600.123"},
      {INT64_C(1714557600120000), "2024-05-01T10:00:00.120Z", "1714557600.12"},
      {INT64_C(1714557600123450), "2024-05-01T10:00:00.123450Z", "1714557600.12345"},
      {INT64_C(951782399000000), "2000-02-28T23:59:59Z", "951782399"},
      {INT64_C(-62135596800000000), "0001-01-01T00:00:00Z", "-62135596800"},
      {INT64_C(-62135596800000001), "0000-12-31T23:59:59.999999Z", "-62135596800.000001"},
      {INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z", "253402300799.999999"},
      {INT64_C(253402300800000000), "+010000-01-01T00:00:00Z", "253402300800"},
      {INT64_MAX, "+294247-01-10T04:00:54.775807Z", "9223372036854.775807"},
      {INT64_MIN, "-290308-12-21T19:59:05.224192Z", "-9223372036854.775808"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char text[32];
    kecs__time_iso(cases[i].micros, text);
    assert_string_equal(text, cases[i].iso);
    kecs__time_epoch(cases[i].micros, text);
    assert_string_equal(text, cases[i].epoch);
  }
}

/* Every day of the years 1 to 9999, against a calendar that only counts. */
static void test_calendar(void **state) {
  (void)state;
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t micros = INT64_C(-62135596800000000);
  for (int year = 1; year <= 9999; year++) {
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    for (int month = 1; month <= 12; month++) {
      int days = lengths[month - 1] + (month == 2 && leap);
      for (int day = 1; day <= days; day++) {
        char expected[64];
        char text[32];
        int64_t back = 0;
        bool exact = false;
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT00:00:00Z", year, month, day);
        kecs__time_iso(micros, text);
        if (strcmp(text, expected) != 0 || !kecs__time_parse(text, strlen(text), &back, &exact) || back != micros) {
          fail_msg("%s is not %s", text, expected);
        }
        micros += INT64_C(86400000000);
      }
    }
  }
  assert_int_equal(micros, INT64_C(253402300800000000));
}

/* What is written is read back, from a simple generator over the whole range. */
static void test_round_trip(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (int i = 0; i < 200000; i++) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    int64_t micros = (int64_t)((seed >> 5) % UINT64_C(315537897600000000)) - INT64_C(62135596800000000);
    micros -= i % 3 == 0 ? micros % 1000000 : i % 3 == 1 ? micros % 1000 : 0;
    char text[32];
    int64_t back = 0;
    bool exact = false;
    kecs__time_iso(micros, text);
    assert_true(strlen(text) < 28);
    assert_true(kecs__time_parse(text, strlen(text), &back, &exact));
    assert_true(exact && back == micros);
    kecs__time_epoch(micros, text);
    assert_true(kecs__time_parse(text, strlen(text), &back, &exact));
    assert_true(exact && back == micros);
  }
}

/* ---- clocks ---- */

static int64_t fixed_now(void *user) {
  return *(int64_t *)user;
}

static void on_alarm(int signal_number) {
  (void)signal_number;
}

static void test_clocks(void **state) {
  (void)state;
  int64_t fixed = 42;
  kecs_clock clock = {fixed_now, &fixed};
  assert_int_equal(kecs__clock_now(&clock), 42);
  clock.now = NULL;
  int64_t now = kecs__clock_now(&clock);
  assert_true(now > INT64_C(1700000000000000));
  assert_true(kecs__clock_now(NULL) - now < INT64_C(60000000));

  /* The signal comes in the middle of the sleep and must not end it. */
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
  struct itimerval timer = {{0, 5000}, {0, 5000}};
  struct itimerval off = {{0, 0}, {0, 0}};
  assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
  int64_t before = kecs__monotonic_ms();
  kecs__sleep_ms(30);
  int64_t slept = kecs__monotonic_ms() - before;
  assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
  assert_true(slept >= 29 && slept < 5000);
  kecs__sleep_ms(0);
  kecs__sleep_ms(-5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),   cmocka_unit_test(test_bounds),     cmocka_unit_test(test_refused),
      cmocka_unit_test(test_parse),    cmocka_unit_test(test_iso),        cmocka_unit_test(test_calendar),
      cmocka_unit_test(test_round_trip), cmocka_unit_test(test_clocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
