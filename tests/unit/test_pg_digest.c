/* tests/unit/test_pg_digest.c -- hashes and buckets by which an edge and its hub compare what they have: the same
 * numbers on both sides, whatever is hashed. */
#include "base/prologue.h"

#include "sync/digest.h"
#include "sync/md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What md5sum says of the characters from ! on, 90 of them over and over. */
static void test_md5_of_every_kind_of_length(void **state) {
  static const struct {
    size_t len;
    const char *hash;
  } cases[] = {
      {0, "d41d8cd98f00b204e9800998ecf8427e"},
      {1, "9033e0e305f247c0c3c80d0c7848c8b3"},
      {3, "41bee5c74f0e160da4776eb4143813e1"},
      {55, "dfa7d7a4195c9dcf581c28b9bd9da8b2"},
      {56, "fa24e227263127308f3b11557e140119"},
      {57, "ae9bec6aeaa7000ad340b645c115fef3"},
      {63, "dbdb9c08a4c821016525f9d3a6c70903"},
      {64, "5cdce4305447981768a83ebf68e751db"},
      {65, "2b7c4d615a98818db4bfb925fa8ad65a"},
      {119, "7fd16625dcd983997e8fad1154b25d6d"},
      {120, "c24a78722841c51e40480ccf97128168"},
      {121, "ffc943191596bead53b9d9e1d884aefd"},
      {128, "5e9ef8f4e5158aeac3031363d0883477"},
      {1000, "975897408d5721374c924c09ec19758d"},
  };
  char text[1000];
  (void)state;
  for (size_t i = 0; i < sizeof text; i++) {
    text[i] = (char)('!' + i % 90);
  }
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    unsigned char hash[KECS_SYNC__MD5_SIZE];
    char shown[2 * KECS_SYNC__MD5_SIZE + 1];
    kecs_sync__md5(text, cases[i].len, hash);
    for (int b = 0; b < KECS_SYNC__MD5_SIZE; b++) {
      snprintf(shown + 2 * b, 3, "%02x", hash[b]);
    }
    assert_string_equal(shown, cases[i].hash);
  }
}

/* What the server says: ('x'||substr(md5(key),1,3))::bit(12)::integer&1023. */
static void test_buckets_as_the_server_has_them(void **state) {
  (void)state;
  assert_int_equal(kecs_sync__bucket(""), 321);
  assert_int_equal(kecs_sync__bucket("shop"), 949);
  assert_int_equal(kecs_sync__bucket("arn:aws:ecs:us-east-1:000000000000:cluster/shop"), 319);
  assert_int_equal(kecs_sync__bucket("a,b"), 820);
  assert_int_equal(kecs_sync__bucket("ä€"), 798);
}

static void test_sets_of_buckets_are_kept_as_text(void **state) {
  kecs_sync__buckets buckets;
  kecs_sync__buckets read;
  char text[KECS_SYNC__BUCKETS_TEXT];
  (void)state;
  memset(&buckets, 0, sizeof buckets);
  for (int i = 0; i < KECS_SYNC__BUCKETS; i += 1 + i % 7) {
    buckets.in[i] = true;
    buckets.count++;
  }
  kecs_sync__buckets_text(&buckets, text);
  assert_int_equal(strlen(text), KECS_SYNC__BUCKETS / 4);
  kecs_sync__buckets_read(&read, text);
  assert_memory_equal(read.in, buckets.in, sizeof read.in);
  assert_int_equal(read.count, buckets.count);
  kecs_sync__buckets_read(&read, "8"); /* a text that was cut off says what it says */
  assert_true(read.in[0] && read.count == 1);
  kecs_sync__buckets_read(&read, "");
  assert_int_equal(read.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_md5_of_every_kind_of_length),
      cmocka_unit_test(test_buckets_as_the_server_has_them),
      cmocka_unit_test(test_sets_of_buckets_are_kept_as_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
