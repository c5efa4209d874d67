/* tests/unit/test_pg_settings.c -- PostgreSQL URLs: what is ours, what libpq gets, and that no password is shown. */
#include "base/prologue.h"

#include "pg/settings.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- An allocator that counts, and fails at the n-th call ----------------------------------------------------- */

typedef struct memory {
  size_t in_use;
  long calls;
  long fail_at; /* 0: never */
} memory;

static void *take(size_t size, void *user) {
  memory *counts = user;
  counts->calls++;
  if (counts->calls == counts->fail_at) {
    return NULL;
  }
  counts->in_use += size;
  return malloc(size);
}

static void *resize(void *pointer, size_t old_size, size_t size, void *user) {
  memory *counts = user;
  counts->calls++;
  if (counts->calls == counts->fail_at) {
    return NULL;
  }
  counts->in_use += size - old_size;
  return realloc(pointer, size);
}

static void give_back(void *pointer, size_t size, void *user) {
  memory *counts = user;
  counts->in_use -= size;
  free(pointer);
}

static memory counts;
static const kecs_allocator counting = {take, resize, give_back, &counts};

static kecs_pg__settings read_good(const char *url) {
  kecs_pg__settings settings;
  kecs_status status = kecs_pg__settings_read(url, &counting, &settings);
  if (status) {
    fail_msg("%s: %s", url, kecs_last_error()->text);
  }
  return settings;
}

static void done(kecs_pg__settings *settings) {
  kecs_pg__settings_free(settings, &counting);
  assert_null(settings->conninfo);
  assert_int_equal(counts.in_use, 0);
}

/* What libpq makes of a text, in `room`. */
static const char *libpq_says(const char *conninfo, const char *keyword, char *room, size_t size) {
  char *message = NULL;
  PQconninfoOption *options = PQconninfoParse(conninfo, &message);
  if (!options) {
    fail_msg("libpq: %s", message);
  }
  room[0] = '\0';
  for (PQconninfoOption *option = options; option->keyword; option++) {
    if (strcmp(option->keyword, keyword) == 0 && option->val) {
      snprintf(room, size, "%s", option->val);
    }
  }
  PQconninfoFree(options);
  return room;
}

/* ---- What is read ---------------------------------------------------------------------------------------------- */

static void test_defaults(void **state) {
  (void)state;
  kecs_pg__settings s = read_good("postgres://kecs:secret@localhost:5432/kecs?sslmode=disable");
  assert_string_equal(s.conninfo,
                      "postgres://kecs:secret@localhost:5432/kecs?sslmode=disable&"
                      "fallback_application_name=kecs_store");
  assert_string_equal(s.shown, "postgres://kecs:***@localhost:5432/kecs");
  assert_string_equal(s.tenant, "default");
  assert_string_equal(s.schema, "public");
  assert_int_equal(s.statements, 0);
  assert_int_equal(s.min_connections, 1);
  assert_int_equal(s.max_connections, 10);
  assert_int_equal(s.acquire_timeout_ms, 30 * 1000);
  assert_int_equal(s.idle_timeout_ms, 10 * 60 * 1000);
  assert_int_equal(s.max_lifetime_ms, 60 * 60 * 1000);
  assert_int_equal(s.check_interval_ms, 60 * 1000);
  assert_int_equal(s.reads, 0);
  assert_int_equal(s.max_staleness_ms, 0);
  done(&s);
}

static void test_all_of_ours(void **state) {
  (void)state;
  static const char *const texts[] = {
      "postgresql://h/d?max_connections=20&min_connections=0&acquire_timeout=500ms&idle_timeout=7&max_lifetime=2h"
      "&check_interval=15min&max_staleness=3s&statements=unnamed&reads=standby&tenant=eu%2Dwest%2f1:a.b_C&schema=s_1",
      "max_connections=20 min_connections = 0 acquire_timeout='500ms'idle_timeout=7 max_lifetime=2h dbname=d "
      "check_interval=15min max_staleness=3s statements=unnamed reads=standby tenant=eu\\-west/1:a.b_C schema='s_1' "
      "host=h"};
  static const char *const left[] = {"postgresql://h/d?fallback_application_name=kecs_store",
                                     "dbname=d host=h fallback_application_name=kecs_store"};
  for (int i = 0; i < 2; i++) {
    kecs_pg__settings s = read_good(texts[i]);
    assert_string_equal(s.conninfo, left[i]);
    assert_string_equal(s.shown, "postgres://h/d");
    assert_int_equal(s.max_connections, 20);
    assert_int_equal(s.min_connections, 0);
    assert_int_equal(s.acquire_timeout_ms, 500);
    assert_int_equal(s.idle_timeout_ms, 7000);
    assert_int_equal(s.max_lifetime_ms, 7200000);
    assert_int_equal(s.check_interval_ms, 900000);
    assert_int_equal(s.max_staleness_ms, 3000);
    assert_int_equal(s.statements, 2);
    assert_int_equal(s.reads, 1);
    assert_string_equal(s.tenant, "eu-west/1:a.b_C");
    assert_string_equal(s.schema, "s_1");
    done(&s);
  }
}

/* The text, what libpq gets of it, what is shown. */
static void test_left_to_libpq(void **state) {
  (void)state;
#define APP "fallback_application_name=kecs_store"
  static const char *const rows[][3] = {
      {"postgres://", "postgres://?" APP, "postgres://"},
      {"postgres://h", "postgres://h?" APP, "postgres://h"},
      {"postgres://h/", "postgres://h/?" APP, "postgres://h"},
      {"postgres://h?", "postgres://h?" APP, "postgres://h"},
      {"postgres://h/d?tenant=t", "postgres://h/d?" APP, "postgres://h/d"},
      {"postgres://h/d?tenant=t&sslmode=require", "postgres://h/d?sslmode=require&" APP, "postgres://h/d"},
      {"postgres://h/d?sslmode=require&tenant=t&", "postgres://h/d?sslmode=require&" APP, "postgres://h/d"},
      {"postgres://u@h/d?tenant=a&schema=b&tenant=c", "postgres://u@h/d?" APP, "postgres://u@h/d"},
      {"postgres://u:@h/d", "postgres://u:@h/d?" APP, "postgres://u@h/d"},
      {"postgres://:p@h/d", "postgres://:p@h/d?" APP, "postgres://:***@h/d"},
      {"postgres://u:p@[::1]:5433/d", "postgres://u:p@[::1]:5433/d?" APP, "postgres://u:***@[::1]:5433/d"},
      {"postgres://u:p@a:1,b:2,c/d?target_session_attrs=read-write",
       "postgres://u:p@a:1,b:2,c/d?target_session_attrs=read-write&" APP, "postgres://u:***@a:1,b:2,c/d"},
      {"postgres://u:p@%2Fvar%2Frun/d", "postgres://u:p@%2Fvar%2Frun/d?" APP, "postgres://u:***@%2Fvar%2Frun/d"},
      {"postgres:///d?host=/tmp/s&port=5433&user=u", "postgres:///d?host=/tmp/s&port=5433&user=u&" APP,
       "postgres://u@%2Ftmp%2Fs:5433/d"},
      {"postgres://u:p?q#r@h/d", "postgres://u:p?q#r@h/d?" APP, "postgres://u:***@h/d"},
      {"postgres://u:p:q@h/d", "postgres://u:p:q@h/d?" APP, "postgres://u:***@h/d"},
      {"postgres://h/d?user=u&password=p%26q&tenant=t", "postgres://h/d?user=u&password=p%26q&" APP,
       "postgres://u:***@h/d"},
      {"postgres://h/d?sslpassword=p%40", "postgres://h/d?sslpassword=p%40&" APP, "postgres://h/d"},
      {"postgres://h/d?ssl=true", "postgres://h/d?ssl=true&" APP, "postgres://h/d"},
      {"postgres://h/d?application_name=x&connect_timeout=3&keepalives=1&passfile=/p&options=-c%20a%3Db",
       "postgres://h/d?application_name=x&connect_timeout=3&keepalives=1&passfile=/p&options=-c%20a%3Db&" APP,
       "postgres://h/d"},
      {"postgres://h/d?fallback_application_name=mine", "postgres://h/d?fallback_application_name=mine",
       "postgres://h/d"},
      {"postgres:///?service=prod", "postgres:///?service=prod&" APP, "postgres:///?service=prod"},
      {"service=prod", "service=prod " APP, "postgres:///?service=prod"},
      {"tenant=t", APP, "postgres://"},
      {"host=a,b port=5 user=u password='it\\'s \\\\' dbname=d",
       "host=a,b port=5 user=u password='it\\'s \\\\' dbname=d " APP, "postgres://u:***@a:5,b:5/d"},
      {" host = h  user=''dbname='d'sslpassword=\\'x ", "host = h user='' dbname='d' sslpassword=\\'x " APP,
       "postgres://h/d"},
      {"hostaddr=10.0.0.1 dbname=d", "hostaddr=10.0.0.1 dbname=d " APP, "postgres://10.0.0.1/d"},
      {"host=h dbname='my data'", "host=h dbname='my data' " APP, "postgres://h/***"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    kecs_pg__settings s = read_good(rows[i][0]);
    assert_string_equal(s.conninfo, rows[i][1]);
    assert_string_equal(s.shown, rows[i][2]);
    done(&s);
  }
#undef APP
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

/* The text, and what the error says; the second word may be NULL. */
static void test_refusals(void **state) {
  (void)state;
  static const char *const rows[][3] = {
      {"", "postgres://user:password@host", NULL},
      {"mysql://h/d", "postgres://user:password@host", NULL},
      {"postgres://h/d?max_connections=abc", "max_connections cannot be \"abc\"", "1 to 10000"},
      {"postgres://h/d?max_connections=0", "max_connections cannot be \"0\"", "1 to 10000"},
      {"postgres://h/d?max_connections=10001", "max_connections", "\"10001\""},
      {"postgres://h/d?max_connections=99999999999999999999", "max_connections", "99999999999999999999"},
      {"postgres://h/d?max_connections=", "max_connections cannot be \"\"", NULL},
      {"postgres://h/d?max_connections=-1", "max_connections cannot be \"-1\"", NULL},
      {"postgres://h/d?max_connections=5x", "max_connections cannot be \"5x\"", NULL},
      {"postgres://h/d?min_connections=20", "min_connections (20) is more than max_connections (10)", NULL},
      {"postgres://h/d?acquire_timeout=5 s", "acquire_timeout cannot be \"5 s\"", "30s, 10min"},
      {"postgres://h/d?idle_timeout=1d", "idle_timeout cannot be \"1d\"", NULL},
      {"postgres://h/d?idle_timeout=1.5h", "idle_timeout cannot be \"1.5h\"", NULL},
      {"postgres://h/d?max_lifetime=h", "max_lifetime cannot be \"h\"", NULL},
      {"postgres://h/d?max_lifetime=87601h", "max_lifetime cannot be \"87601h\"", "ten years"},
      {"postgres://h/d?statements=prepared", "statements cannot be \"prepared\"", "auto, named or unnamed"},
      {"postgres://h/d?reads=any", "reads cannot be \"any\"", "primary or standby"},
      {"postgres://h/d?tenant=", "tenant cannot be \"\"", "1 to 128"},
      {"postgres://h/d?tenant=a%20b", "tenant cannot be \"a b\"", NULL},
      {"postgres://h/d?schema=Main", "schema cannot be \"Main\"", "1 to 63"},
      {"postgres://h/d?schema=A2345678901234567890123456", "schema cannot be what it says (not shown)", NULL},
      {"postgres://h/d?schema=1a", "schema cannot be \"1a\"", NULL},
      {"postgres://h/d?schema=a-b", "schema cannot be \"a-b\"", NULL},
      {"postgres://h/d?max_conections=5", "no option \"max_conections\"", "\"max_connections\" is the nearest"},
      {"postgres://h/d?SSLMODE=require", "no option \"SSLMODE\"", "\"sslmode\""},
      {"postgres://h/d?passwd=x", "no option \"passwd\"", "\"password\""},
      {"postgres://h/d?pool_size=5", "no option \"pool_size\"", "\"max_connections\""},
      {"postgres://h/d?database=x", "no option \"database\"", "\"dbname\""},
      {"postgres://h/d?colour=red", "no option \"colour\"", "neither of kecs_store nor of libpq"},
      {"host=h colour=red", "no option \"colour\"", NULL},
      {"postgres://h/d?tenant", "tenant has no value", NULL},
      {"postgres://h/d?tenant=a&&schema=b", "an option has no value", NULL},
      {"postgres://h/d?tenant=a=b", "tenant has two equal signs", "%3D"},
      {"postgres://h/d?tenant=%zz", "tenant has a %", "%25"},
      {"postgres://h/d?tenant=a%0", "tenant has a %", NULL},
      {"postgres://h/d?tenant=a%00", "tenant has a %", NULL},
      {"postgres://u:p%zz@h/d", "before its query is a %", "%25"},
      {"postgres://u:p%4@h/d", "before its query is a %", NULL},
      {"postgres://u:p@q@h/d", "it has an @", "%40"},
      {"postgres://u:1/p@h/d", "it has an @", "%2F"},
      {"postgres://u:p/q", "its port is no number", NULL},
      {"postgres://h:0/d", "its port is no number", NULL},
      {"postgres://h:65536/d", "its port is no number", NULL},
      {"postgres://h:1,h:x/d", "its port is no number", NULL},
      {"postgres://[::1/d", "libpq cannot read it", NULL},
      {"postgres://h/d?password=a&b=c", "what follows the password", "%26"},
      {"host=h password=a b=c", "what follows the password", "quote"},
      {"host=h dbname", "dbname has no value", NULL},
      {"host=h dbname = 'x", "dbname has a quote that is not closed", NULL},
      {"postgres:/h/d?sslmode=disable", "an option's name is none of", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    kecs_pg__settings s;
    memset(&s, 0x55, sizeof s);
    if (kecs_pg__settings_read(rows[i][0], &counting, &s) != KECS_E_INVALID) {
      fail_msg("%s was taken", rows[i][0]);
    }
    const char *text = kecs_last_error()->text;
    if (!strstr(text, rows[i][1]) || (rows[i][2] && !strstr(text, rows[i][2]))) {
      fail_msg("%s: %s", rows[i][0], text);
    }
    assert_null(s.conninfo);
    assert_null(s.tenant);
    assert_int_equal(counts.in_use, 0);
  }
  kecs_pg__settings s;
  assert_int_equal(kecs_pg__settings_read(NULL, &counting, &s), KECS_E_INVALID);
}

static void test_name_lengths(void **state) {
  (void)state;
  for (int len = 1; len <= 129; len++) {
    char url[256];
    kecs_pg__settings s;
    snprintf(url, sizeof url, "postgres://h/d?tenant=%0*d", len, 7);
    assert_int_equal(kecs_pg__settings_read(url, &counting, &s), len <= 128 ? KECS_OK : KECS_E_INVALID);
    assert_true(len > 128 || strlen(s.tenant) == (size_t)len);
    kecs_pg__settings_free(&s, &counting);
    snprintf(url, sizeof url, "postgres://h/d?schema=_%0*d", len, 7);
    assert_int_equal(kecs_pg__settings_read(url, &counting, &s), len <= 62 ? KECS_OK : KECS_E_INVALID);
    done(&s);
  }
}

/* What does not fit is left out; a lot of hosts is not a lot of stack. */
static void test_long_texts(void **state) {
  (void)state;
  char url[9000] = "postgres://u:p@h:5432";
  for (size_t len = strlen(url); len < 8900; len = strlen(url)) {
    snprintf(url + len, sizeof url - len, ",host%zu:5432", len);
  }
  kecs_pg__settings s = read_good(url);
  assert_true(strlen(s.shown) < 512);
  assert_memory_equal(s.shown, "postgres://u:***@h:5432,", 24);
  done(&s);
  for (size_t len = 0; len < 8900; len += 7) {
    memcpy(url + len, "user=''", 8);
  }
  s = read_good(url);
  done(&s);
}

/* ---- Passwords -----------------------------------------------------------------------------------------------------
 */

static void encode(const char *text, char *out) {
  static const char digits[] = "0123456789aBcDeF";
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    *out++ = '%';
    *out++ = digits[c >> 4];
    *out++ = digits[c & 15];
  }
  *out = '\0';
}

static void quote(const char *text, char *out) {
  *out++ = '\'';
  for (; *text; text++) {
    if (*text == '\'' || *text == '\\') {
      *out++ = '\\';
    }
    *out++ = *text;
  }
  memcpy(out, "'", 2);
}

static void test_nasty_passwords(void **state) {
  (void)state;
  static const char *const passwords[] = {"p@ss:w/rd?#%25",
                                          " leading and trailing ",
                                          "a=b&c=d",
                                          "it's \\ \"quoted\"",
                                          "%40%00",
                                          "\x01\x7f\xff\xc3\xa4",
                                          "+",
                                          "&password=x",
                                          "@",
                                          "' host=evil '"};
  for (size_t i = 0; i < sizeof passwords / sizeof passwords[0]; i++) {
    char encoded[100], quoted[100], text[300], room[100];
    encode(passwords[i], encoded);
    quote(passwords[i], quoted);
    for (int form = 0; form < 3; form++) {
      snprintf(text, sizeof text,
               form == 0   ? "postgres://kecs:%s@localhost:5432/kecs?tenant=t"
               : form == 1 ? "postgres://kecs@localhost:5432/kecs?tenant=t&password=%s&schema=s"
                           : "user=kecs tenant=t password=%s host=localhost port=5432 dbname=kecs",
               form == 2 ? quoted : encoded);
      kecs_pg__settings s = read_good(text);
      assert_string_equal(libpq_says(s.conninfo, "password", room, sizeof room), passwords[i]);
      assert_string_equal(libpq_says(s.conninfo, "host", room, sizeof room), "localhost");
      assert_string_equal(s.shown, "postgres://kecs:***@localhost:5432/kecs");
      assert_string_equal(s.tenant, "t");
      done(&s);
    }
  }
}

/* Whether `window` bytes of the secret stand in a text. */
static bool leaks(const char *text, const char *secret, size_t window) {
  for (size_t i = 0; text && i + window <= strlen(secret); i++) {
    char part[32];
    snprintf(part, sizeof part, "%.*s", (int)window, secret + i);
    if (strstr(text, part)) {
      return true;
    }
  }
  return false;
}

static uint32_t next_random(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

/* Cuts, drops, doubles and changes bytes, mostly into those that mean something. */
static void mutate(char *text, uint32_t *seed) {
  static const char marks[] = ":@/?#&=%,[]'\\ \"+;.x0";
  for (uint32_t edits = 1 + next_random(seed) % 3; edits > 0; edits--) {
    size_t len = strlen(text);
    size_t at = len ? next_random(seed) % len : 0;
    switch (next_random(seed) % 5) {
      case 0:
        text[at] = next_random(seed) % 4 ? text[at] : '\0';
        break;
      case 1:
        memmove(text + at, text + at + 1, len - at);
        break;
      case 2:
        memmove(text + at + 1, text + at, len - at + 1);
        break;
      default:
        text[at] = marks[next_random(seed) % (sizeof marks - 1)];
        break;
    }
  }
}

/* Some mistakes make a name of the password, for libpq as well: "kecs:secret@" without its colon is a user. A plain
 * word cannot be told from a user's name then, and is shown as one. */
static bool is_a_name(const char *text, const char *secret, size_t window) {
  static const char *const names[] = {"user", "host", "dbname", "service", "hostaddr"};
  bool found = false;
  PQconninfoOption *options = PQconninfoParse(text, NULL);
  for (PQconninfoOption *option = options; option && option->keyword; option++) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
      found = found || (strcmp(option->keyword, names[i]) == 0 && leaks(option->val, secret, window));
    }
  }
  PQconninfoFree(options);
  return found;
}

static void test_mutations_show_nothing(void **state) {
  (void)state;
  static const char *const secrets[] = {"zQ!9x~Kw$7p*Ty", "zq7kw3xpty5v"};
  static const char *const forms[] = {
      "postgres://kecs:%s@localhost:5432/kecs?sslmode=disable",
      "postgresql://kecs:%s@a:1,b:2/kecs?max_connections=5&tenant=t1&schema=s&statements=auto",
      "postgres://kecs@localhost/kecs?acquire_timeout=5s&password=%s&sslmode=require&tenant=t&idle_timeout=10min",
      "postgres://localhost/kecs?tenant=t&sslpassword=%s&schema=kecs&user=kecs",
      "host=localhost user=kecs password=%s dbname=kecs tenant=t1 max_connections=5",
      "schema=s password='%s' host=localhost sslpassword = '%s' reads=primary",
  };
  uint32_t seed = 20240229;
  long taken = 0, refused = 0;
  for (int round = 0; round < 20000; round++) {
    const char *secret = secrets[round % 2];
    const char *form = forms[(round / 2) % 6];
    char url[400];
    snprintf(url, sizeof url - 8, form, secret, secret);
    mutate(url, &seed);
    kecs_pg__settings s;
    kecs_status status = kecs_pg__settings_read(url, &counting, &s);
    const char *told = status ? kecs_last_error()->text : s.shown;
    if (leaks(told, secret, 6) && !(!status && round % 2 && is_a_name(s.conninfo, secret, 6))) {
      fail_msg("round %d: %s: %s", round, url, told);
    }
    taken += status == KECS_OK;
    refused += status == KECS_E_INVALID;
    done(&s);
  }
  assert_int_equal(taken + refused, 20000);
  assert_true(taken > 2000 && refused > 2000);
}

/* ---- Memory
 * ----------------------------------------------------------------------------------------------------------- */

static void test_no_memory(void **state) {
  (void)state;
  static const char *const urls[] = {"postgres://kecs:secret@localhost/kecs?tenant=a&schema=b&tenant=c&sslmode=disable",
                                     "host=h", "postgres://h/d?tenant=a&max_connections=x"};
  for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    kecs_status status = KECS_E_NOMEM;
    for (long n = 1; status == KECS_E_NOMEM; n++) {
      kecs_pg__settings s;
      counts = (memory){0, 0, n};
      status = kecs_pg__settings_read(urls[i], &counting, &s);
      assert_true(status != KECS_E_NOMEM || kecs_last_error()->status == KECS_E_NOMEM);
      assert_true(status == KECS_E_NOMEM || counts.calls < n);
      done(&s);
    }
    assert_int_equal(status, i == 2 ? KECS_E_INVALID : KECS_OK);
    counts.fail_at = 0;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),        cmocka_unit_test(test_all_of_ours),
      cmocka_unit_test(test_left_to_libpq),   cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_name_lengths),    cmocka_unit_test(test_long_texts),
      cmocka_unit_test(test_nasty_passwords), cmocka_unit_test(test_mutations_show_nothing),
      cmocka_unit_test(test_no_memory),
  };
  return cmocka_run_group_tests_name("pg_settings", tests, NULL, NULL);
}
