/* base/time.c -- the calendar, the shapes of a time in text, and the clocks.
 *
 * Integers only. A time is a count of microseconds since 1970-01-01T00:00:00Z on the proleptic Gregorian calendar
 * without leap seconds, as POSIX, SQLite and PostgreSQL count. A second of 60 is refused rather than moved: it is
 * more often a wrong field than a leap second. */
#include "base/prologue.h"

#include "base/time.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define KECS__TIME_MICROS INT64_C(1000000)          /* in a second */
#define KECS__TIME_DAY INT64_C(86400)               /* seconds */
#define KECS__TIME_MIN (INT64_C(-62135596800) * KECS__TIME_MICROS)    /* 0001-01-01T00:00:00Z */
#define KECS__TIME_MAX (INT64_C(253402300800) * KECS__TIME_MICROS - 1) /* the end of the year 9999 */

/* ---- calendar ---- */

enum {
  KECS__TIME_YEAR,
  KECS__TIME_MONTH,
  KECS__TIME_MDAY,
  KECS__TIME_HOUR,
  KECS__TIME_MINUTE,
  KECS__TIME_SECOND,
  KECS__TIME_MICRO,
  KECS__TIME_FIELDS
};

/* Days from 1970-01-01 to a date. The year is counted from March, so the leap day is its last day and the months
 * have the lengths 31 30 31 30 31, which (153 * month + 2) / 5 sums up; an era is 400 years (H. Hinnant). */
static int64_t kecs__time_days(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/* The date of a day: the inverse of the above. */
static void kecs__time_date(int64_t days, int64_t fields[KECS__TIME_FIELDS]) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t day_of_era = days - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  fields[KECS__TIME_MDAY] = day_of_year - (153 * month + 2) / 5 + 1;
  fields[KECS__TIME_MONTH] = month < 10 ? month + 3 : month - 9;
  fields[KECS__TIME_YEAR] = year_of_era + era * 400 + (fields[KECS__TIME_MONTH] <= 2);
}

static int64_t kecs__time_month_days(int64_t year, int64_t month) {
  static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

static bool kecs__time_in_range(int64_t micros) {
  return micros >= KECS__TIME_MIN && micros <= KECS__TIME_MAX;
}

/* The time of a date and a clock that is `offset` seconds ahead of UTC. False when a field is outside its range. */
static bool kecs__time_compose(const int64_t fields[KECS__TIME_FIELDS], int64_t offset, int64_t *out) {
  static const int64_t lowest[KECS__TIME_FIELDS] = {1, 1, 1, 0, 0, 0, 0};
  static const int64_t highest[KECS__TIME_FIELDS] = {9999, 12, 31, 23, 59, 59, 999999};
  for (int i = 0; i < KECS__TIME_FIELDS; i++) {
    if (fields[i] < lowest[i] || fields[i] > highest[i]) {
      return false;
    }
  }
  if (fields[KECS__TIME_MDAY] > kecs__time_month_days(fields[KECS__TIME_YEAR], fields[KECS__TIME_MONTH])) {
    return false;
  }
  int64_t days = kecs__time_days(fields[KECS__TIME_YEAR], fields[KECS__TIME_MONTH], fields[KECS__TIME_MDAY]);
  int64_t minutes = fields[KECS__TIME_HOUR] * 60 + fields[KECS__TIME_MINUTE];
  int64_t seconds = days * KECS__TIME_DAY + minutes * 60 + fields[KECS__TIME_SECOND] - offset;
  int64_t micros = seconds * KECS__TIME_MICROS + fields[KECS__TIME_MICRO];
  if (!kecs__time_in_range(micros)) {
    return false; /* the offset has led out of the years 1 to 9999 */
  }
  *out = micros;
  return true;
}

/* ---- reading ---- */

typedef struct kecs__time_cursor {
  const char *at;
  const char *end;
} kecs__time_cursor;

/* Takes exactly `count` digits. */
static bool kecs__time_digits(kecs__time_cursor *cursor, int count, int64_t *out) {
  *out = 0;
  for (int i = 0; i < count; i++) {
    if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9') {
      return false;
    }
    *out = *out * 10 + (*cursor->at - '0');
    cursor->at++;
  }
  return true;
}

/* Takes the next character when it is one of `any`. */
static bool kecs__time_take(kecs__time_cursor *cursor, const char *any) {
  if (cursor->at == cursor->end || *cursor->at == '\0' || !strchr(any, *cursor->at)) {
    return false;
  }
  cursor->at++;
  return true;
}

/* Takes 1 to 9 digits of a fraction; what is smaller than a microsecond only decides whether it was exact. */
static bool kecs__time_fraction(kecs__time_cursor *cursor, int64_t *micro, bool *exact) {
  int count = 0;
  int64_t digit = 0;
  *micro = 0;
  for (; count < 9 && kecs__time_digits(cursor, 1, &digit); count++) {
    if (count < 6) {
      *micro = *micro * 10 + digit;
    } else if (digit != 0) {
      *exact = false;
    }
  }
  for (int i = count; i < 6; i++) {
    *micro *= 10;
  }
  return count > 0;
}

/* Takes Z, +hh:mm, +hhmm or +hh. */
static bool kecs__time_offset(kecs__time_cursor *cursor, int64_t *offset) {
  *offset = 0;
  if (kecs__time_take(cursor, "Zz")) {
    return true;
  }
  bool west = kecs__time_take(cursor, "-");
  int64_t hours = 0;
  int64_t minutes = 0;
  if ((!west && !kecs__time_take(cursor, "+")) || !kecs__time_digits(cursor, 2, &hours)) {
    return false;
  }
  if (kecs__time_take(cursor, ":") || cursor->at < cursor->end) {
    if (!kecs__time_digits(cursor, 2, &minutes)) {
      return false;
    }
  }
  *offset = (hours * 60 + minutes) * (west ? -60 : 60);
  return hours <= 23 && minutes <= 59;
}

static bool kecs__time_read_iso(const char *text, size_t len, int64_t *out, bool *exact) {
  /* What stands before the year, the month and so on; "" is nothing. */
  static const char *const before[] = {"", "-", "-", "Tt ", ":", ":"};
  kecs__time_cursor cursor = {text, text + len};
  int64_t fields[KECS__TIME_FIELDS] = {0};
  int64_t offset = 0;
  *exact = true;
  for (int i = KECS__TIME_YEAR; i <= KECS__TIME_SECOND; i++) {
    if (before[i][0] && !kecs__time_take(&cursor, before[i])) {
      return false;
    }
    if (!kecs__time_digits(&cursor, i == KECS__TIME_YEAR ? 4 : 2, &fields[i])) {
      return false;
    }
  }
  if (kecs__time_take(&cursor, ".") && !kecs__time_fraction(&cursor, &fields[KECS__TIME_MICRO], exact)) {
    return false;
  }
  if (!kecs__time_offset(&cursor, &offset) || cursor.at != cursor.end) {
    return false;
  }
  return kecs__time_compose(fields, offset, out);
}

static bool kecs__time_read_epoch(kecs__json number, int64_t *out, bool *exact) {
  int64_t micros = 0;
  if (!kecs__json_scaled(number, 6, &micros, exact) || !kecs__time_in_range(micros)) {
    return false;
  }
  *out = micros;
  return true;
}

/* The recorded form. A member that we do not know could change the time (a zone, a fold), so it is refused; the
 * clock's fields default to 0, as in the constructor that the form was made for. */
static bool kecs__time_read_recorded(kecs__json object, int64_t *out) {
  static const char *const names[KECS__TIME_FIELDS] = {"year", "month", "day", "hour", "minute", "second",
                                                       "microsecond"};
  int64_t fields[KECS__TIME_FIELDS] = {0};
  bool is_datetime = false;
  unsigned seen = 0;
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  while (kecs__json_next_member(object, &walk, &name, &value)) {
    if (kecs__json_equals(name, "__class__")) {
      is_datetime = kecs__json_equals(value, "datetime");
      continue;
    }
    unsigned i = 0;
    while (i < KECS__TIME_FIELDS && !kecs__json_equals(name, names[i])) {
      i++;
    }
    if (i == KECS__TIME_FIELDS || (seen & 1u << i) || !kecs__json_int64(value, &fields[i])) {
      return false;
    }
    seen |= 1u << i;
  }
  const unsigned date = 1u << KECS__TIME_YEAR | 1u << KECS__TIME_MONTH | 1u << KECS__TIME_MDAY;
  return is_datetime && (seen & date) == date && kecs__time_compose(fields, 0, out);
}

KECS__FN bool kecs__time_read(kecs__json value, int64_t *out, bool *exact) {
  char text[64]; /* the longest form has 35 characters */
  size_t len = 0;
  *exact = true;
  switch (value.type) {
    case KECS__JSON_NUMBER:
      return kecs__time_read_epoch(value, out, exact);
    case KECS__JSON_STRING:
      return kecs__json_string_into(value, text, sizeof text, &len) && kecs__time_read_iso(text, len, out, exact);
    case KECS__JSON_OBJECT:
      return kecs__time_read_recorded(value, out);
    default:
      return false;
  }
}

KECS__FN bool kecs__time_parse(const char *text, size_t len, int64_t *out, bool *exact) {
  kecs__json value = kecs__json_check(text, len, NULL);
  *exact = true;
  if (value.type == KECS__JSON_NUMBER && value.len == len) {
    return kecs__time_read_epoch(value, out, exact);
  }
  return len > 0 && kecs__time_read_iso(text, len, out, exact);
}

/* ---- writing ---- */

/* The digits of a value, filled up with zeros to `width`. Returns the end. */
static char *kecs__time_put(char *at, uint64_t value, int width) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (int i = count; i < width; i++) {
    *at++ = '0';
  }
  while (count > 0) {
    *at++ = digits[--count];
  }
  return at;
}

KECS__FN void kecs__time_iso(int64_t micros, char out[32]) {
  static const char after[KECS__TIME_MICRO] = {'-', '-', 'T', ':', ':', '\0'};
  int64_t fields[KECS__TIME_FIELDS];
  int64_t seconds = micros / KECS__TIME_MICROS - (micros % KECS__TIME_MICROS < 0);
  int64_t days = seconds / KECS__TIME_DAY - (seconds % KECS__TIME_DAY < 0);
  int64_t second_of_day = seconds - days * KECS__TIME_DAY;
  kecs__time_date(days, fields);
  fields[KECS__TIME_HOUR] = second_of_day / 3600;
  fields[KECS__TIME_MINUTE] = second_of_day / 60 % 60;
  fields[KECS__TIME_SECOND] = second_of_day % 60;
  fields[KECS__TIME_MICRO] = (micros % KECS__TIME_MICROS + KECS__TIME_MICROS) % KECS__TIME_MICROS;

  char *at = out;
  bool expanded = fields[KECS__TIME_YEAR] < 0 || fields[KECS__TIME_YEAR] > 9999;
  if (expanded) {
    *at++ = fields[KECS__TIME_YEAR] < 0 ? '-' : '+';
    fields[KECS__TIME_YEAR] *= fields[KECS__TIME_YEAR] < 0 ? -1 : 1;
  }
  for (int i = KECS__TIME_YEAR; i <= KECS__TIME_SECOND; i++) {
    int width = i == KECS__TIME_YEAR ? (expanded ? 6 : 4) : 2;
    at = kecs__time_put(at, (uint64_t)fields[i], width);
    if (after[i]) {
      *at++ = after[i];
    }
  }
  int64_t micro = fields[KECS__TIME_MICRO];
  if (micro != 0) {
    bool whole_millis = micro % 1000 == 0;
    *at++ = '.';
    at = kecs__time_put(at, (uint64_t)(whole_millis ? micro / 1000 : micro), whole_millis ? 3 : 6);
  }
  *at++ = 'Z';
  *at = '\0';
}

KECS__FN void kecs__time_epoch(int64_t micros, char out[32]) {
  char *at = out;
  uint64_t magnitude = micros < 0 ? (uint64_t)0 - (uint64_t)micros : (uint64_t)micros;
  if (micros < 0) {
    *at++ = '-';
  }
  at = kecs__time_put(at, magnitude / (uint64_t)KECS__TIME_MICROS, 1);
  uint64_t micro = magnitude % (uint64_t)KECS__TIME_MICROS;
  if (micro != 0) {
    *at++ = '.';
    at = kecs__time_put(at, micro, 6);
    while (at[-1] == '0') {
      at--;
    }
  }
  *at = '\0';
}

/* ---- clocks ---- */

KECS__FN int64_t kecs__clock_now(const kecs_clock *clock) {
  if (clock && clock->now) {
    return clock->now(clock->user);
  }
  struct timespec now = {0, 0};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * KECS__TIME_MICROS + (int64_t)now.tv_nsec / 1000;
}

#if !defined(KECS_STORE_NO_CACHE)
KECS__FN int64_t kecs__clock_coarse(const kecs_clock *clock) {
#if defined(CLOCK_REALTIME_COARSE)
  if (!clock || !clock->now) {
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (int64_t)now.tv_sec * KECS__TIME_MICROS + (int64_t)now.tv_nsec / 1000;
  }
#endif
  return kecs__clock_now(clock);
}
#endif

KECS__FN int64_t kecs__monotonic_us(void) {
  struct timespec now = {0, 0};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + (int64_t)now.tv_nsec / 1000;
}

KECS__FN int64_t kecs__monotonic_ms(void) {
  return kecs__monotonic_us() / 1000;
}

KECS__FN void kecs__sleep_us(int64_t us) {
  if (us <= 0) {
    return;
  }
  int64_t seconds = us / 1000000;
  struct timespec left = {0, 0};
  left.tv_sec = (time_t)(seconds < INT32_MAX ? seconds : INT32_MAX); /* a time_t may have 32 bits */
  left.tv_nsec = (long)(us % 1000000) * 1000;
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    continue; /* a signal is no reason to wake up early */
  }
}

KECS__FN void kecs__sleep_ms(int64_t ms) {
  kecs__sleep_us(ms > INT64_MAX / 1000 ? INT64_MAX : ms * 1000);
}

#undef KECS__TIME_MICROS
#undef KECS__TIME_DAY
#undef KECS__TIME_MIN
#undef KECS__TIME_MAX
