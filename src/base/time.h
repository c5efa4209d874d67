/* base/time.h -- microseconds since 1970 UTC, and the shapes in which the AWS API writes a time. */
#ifndef KECS_BASE_TIME_H
#define KECS_BASE_TIME_H
#include "base/json.h"

/* Reads a time from a JSON value:
 * - a number is epoch seconds: integer, decimal or with an exponent, exact from its digits (1479775400.123456).
 * - a string is ISO 8601 with a zone, Z, z, +hh:mm, +hhmm or +hh, and 0 to 9 fractional digits
 *   ("2024-05-01T10:00:00.123456789+02:00", also with t or a blank in place of T). A string of digits is no time: it
 *   could be a date or seconds.
 * - an object is the recorded form {"__class__":"datetime","year":..,"month":..,"day":..,"hour":..,"minute":..,
 *   "second":..,"microsecond":..} in UTC, with no other member; the clock's four may be missing.
 * *exact is false when digits below a microsecond were cut off (they are truncated toward minus infinity). False,
 * with nothing recorded, when it is no time in the years 1 to 9999; a leap second (60) is none.
 * 0 means NULL in the store, so exactly 1970-01-01T00:00:00Z is read as such and *out is 0. */
KECS__FN bool kecs__time_read(kecs__json value, int64_t *out, bool *exact);

/* The same for a plain text, ISO 8601 or epoch seconds spelled as a JSON number: command lines and filters. */
KECS__FN bool kecs__time_parse(const char *text, size_t len, int64_t *out, bool *exact);

/* "2024-05-01T10:00:00Z", with 3 or 6 fractional digits when they are not zero. Needs 28 bytes in the years 0 to
 * 9999; any other int64_t gets ISO's expanded year ("+294247-01-10T04:00:54.775807Z"), which is not read back. */
KECS__FN void kecs__time_iso(int64_t micros, char out[32]);

/* Epoch seconds as the ECS wire form writes them: "1714557600", "1714557600.123", up to 6 digits. A JSON number. */
KECS__FN void kecs__time_epoch(int64_t micros, char out[32]);

/* The clock behind a hook: the system's when the hook is empty or NULL. */
KECS__FN int64_t kecs__clock_now(const kecs_clock *clock);

#if !defined(KECS_STORE_NO_CACHE)
/* The same, some milliseconds late, where the system's then is cheaper: for ages, never for rows. */
KECS__FN int64_t kecs__clock_coarse(const kecs_clock *clock);
#endif

/* Milliseconds and microseconds of a clock that never goes back: for waiting, never for rows. */
KECS__FN int64_t kecs__monotonic_ms(void);
KECS__FN int64_t kecs__monotonic_us(void);

/* Sleeps at least that long; a signal does not shorten it. At once for 0 and less. */
KECS__FN void kecs__sleep_ms(int64_t ms);
KECS__FN void kecs__sleep_us(int64_t us);

#endif
