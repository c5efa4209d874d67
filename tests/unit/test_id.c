/* tests/unit/test_id.c -- random bytes, UUIDs and hexadecimal text. */
#include "base/prologue.h"

#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A source that counts up, and fails when `user` is NULL. */
static bool counting(void *bytes, size_t size, void *user) {
  unsigned char *at = bytes;
  unsigned char *next = user;
  for (size_t i = 0; next && i < size; i++) {
    at[i] = (*next)++;
  }
  return next != NULL;
}

static void test_hook(void **state) {
  (void)state;
  unsigned char next = 0;
  kecs_random random = {counting, &next};
  char uuid[37];
  assert_int_equal(kecs__uuid(&random, uuid), KECS_OK);
  assert_string_equal(uuid, "00010203-0405-4607-8809-0a0b0c0d0e0f");
  next = 0xF0;
  assert_int_equal(kecs__uuid(&random, uuid), KECS_OK);
  assert_string_equal(uuid, "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff");

  char hex[65];
  next = 0xFE;
  assert_int_equal(kecs__random_hex(&random, hex, 6), KECS_OK);
  assert_string_equal(hex, "feff00");
  assert_int_equal(kecs__random_hex(&random, hex, 0), KECS_OK);
  assert_string_equal(hex, "");
}

static void test_failures(void **state) {
  (void)state;
  kecs_random broken = {counting, NULL};
  char uuid[37] = "x";
  char hex[65] = "x";
  assert_int_equal(kecs__random_fill(&broken, hex, 1), KECS_E_IO);
  assert_int_equal(kecs_last_error()->status, KECS_E_IO);
  assert_int_equal(kecs__random_fill(&broken, hex, 0), KECS_OK);
  assert_int_equal(kecs__uuid(&broken, uuid), KECS_E_IO);
  assert_string_equal(uuid, "");
  assert_int_equal(kecs__random_hex(&broken, hex, 2), KECS_E_IO);
  assert_string_equal(hex, "");
  assert_int_equal(kecs__random_hex(NULL, hex, 3), KECS_E_MISUSE);
  assert_int_equal(kecs__random_hex(NULL, hex, 66), KECS_E_MISUSE);
}

/* More than one getentropy call gives; every byte must be written, so no place stays zero in all the tries. */
static void test_system(void **state) {
  (void)state;
  enum { size = 1000 };
  unsigned char seen[size] = {0};
  kecs_random none = {NULL, NULL};
  for (int i = 0; i < 20; i++) {
    unsigned char bytes[size + 1] = {0};
    assert_int_equal(kecs__random_fill(i % 2 ? &none : NULL, bytes, size), KECS_OK);
    assert_int_equal(bytes[size], 0);
    for (size_t k = 0; k < size; k++) {
      seen[k] |= bytes[k];
    }
  }
  for (size_t k = 0; k < size; k++) {
    assert_int_not_equal(seen[k], 0);
  }
}

static void test_uuid_form(void **state) {
  (void)state;
  char last[37] = "";
  for (int i = 0; i < 1000; i++) {
    char uuid[37];
    assert_int_equal(kecs__uuid(NULL, uuid), KECS_OK);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
    assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
    assert_string_not_equal(uuid, last);
    memcpy(last, uuid, sizeof last);
  }
  char hex[65];
  assert_int_equal(kecs__random_hex(NULL, hex, 64), KECS_OK);
  assert_int_equal(strspn(hex, "0123456789abcdef"), 64);
  assert_int_equal(hex[64], '\0');
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hook),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_system),
      cmocka_unit_test(test_uuid_form),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
