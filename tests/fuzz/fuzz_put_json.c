/* fuzz_put_json.c -- any bytes as a document of any kind.
 *
 * The first byte chooses the kind and whether missing parents are made. What is refused leaves nothing behind and is
 * told in one line. What is accepted comes back as JSON, and putting that back changes nothing. */
#include "fuzz/fuzz.h"

/* The document of a row, copied. Free it. */
static char *document(kecs_store *tx, kecs_kind kind, const char *key, unsigned flags, int64_t *out_version) {
  kecs_result *result = NULL;
  const char *text = NULL;
  const kecs_kind_info *info = kecs_kind_describe(kind);
  REQUIRE_OK(kecs_get_json(tx, kind, key, flags, &result, &text));
  REQUIRE(kecs_result_count(result) == 1 && text);
  REQUIRE_OK(kecs_json_check(text, SIZE_MAX));
  *out_version = fuzz_number_of(info, kecs_record_at(result, kind, 0), "version");
  char *copy = malloc(strlen(text) + 1);
  REQUIRE(copy);
  memcpy(copy, text, strlen(text) + 1);
  kecs_result_free(result);
  return copy;
}

/* An append-only row can't be put again. */
static bool can_repeat(const kecs_kind_info *info) {
  return !(info->flags & KECS_KIND_APPEND);
}

/* The row itself. */
static const void *row_of(kecs_store *tx, const kecs_kind_info *info, const char *key, kecs_result **out_result) {
  REQUIRE_OK(kecs_record_get(tx, info->kind, key, out_result));
  return kecs_record_at(*out_result, info->kind, 0);
}

/* What a document gives when it is put once more: the same row, the same version, the same document. */
static void put_again(kecs_store *tx, kecs_kind kind, const char *key, unsigned flags) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_result *first = NULL;
  kecs_result *second = NULL;
  int64_t version = 0;
  int64_t later = 0;
  char *text = document(tx, kind, key, flags, &version);
  const void *before = row_of(tx, info, key, &first);
  REQUIRE_OK(kecs_put_json(tx, kind, text, strlen(text), 0, NULL));
  char *again = document(tx, kind, key, flags, &later);
  const void *after = row_of(tx, info, key, &second);
  if (strcmp(text, again) != 0 || later != version) {
    fprintf(stderr, "version %lld: %s\nversion %lld: %s\n", (long long)version, text, (long long)later, again);
    for (int i = 0; i < info->column_count; i++) {
      char old_text[300];
      char new_text[300];
      (void)kecs_record_text(info, before, i, old_text, sizeof old_text, NULL);
      (void)kecs_record_text(info, after, i, new_text, sizeof new_text, NULL);
      if (strcmp(old_text, new_text) != 0) {
        fprintf(stderr, "  %s: \"%s\" becomes \"%s\"\n", info->columns[i].name, old_text, new_text);
      }
    }
    abort();
  }
  kecs_result_free(first);
  kecs_result_free(second);
  free(text);
  free(again);
}

static void accepted(kecs_store *tx, kecs_kind kind, kecs_result *result) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  const void *row = kecs_record_at(result, kind, 0);
  const char *text = NULL;
  int64_t version = 0;
  REQUIRE(row && kecs_result_count(result) == 1);
  char *key = fuzz_key(info, row);
  free(document(tx, kind, key, KECS_JSON_EPOCH, &version));
  if (can_repeat(info)) {
    put_again(tx, kind, key, KECS_JSON_STORE);
    put_again(tx, kind, key, 0);
    put_again(tx, kind, key, KECS_JSON_EPOCH | KECS_JSON_STORE);
  }
  REQUIRE_OK(kecs_record_json(result, info, row, KECS_JSON_STORE, &text));
  REQUIRE_OK(kecs_json_check(text, SIZE_MAX));
  free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  kecs_store *tx = NULL;
  kecs_result *result = NULL;
  if (size < 1) {
    return 0;
  }
  kecs_kind kind = (kecs_kind)(1 + (data[0] & 0x7f) % (KECS_KIND_COUNT - 1));
  unsigned flags = data[0] & 0x80 ? 0 : KECS_JSON_PARENTS;
  REQUIRE_OK(kecs_begin(fuzz_store(), &tx));
  kecs_status status = kecs_put_json(tx, kind, (const char *)data + 1, size - 1, flags, &result);
  if (status) {
    int64_t rows = -1;
    fuzz_require_refusal(status);
    REQUIRE(!result);
    REQUIRE_OK(kecs_record_count(tx, kind, NULL, &rows));
    REQUIRE(rows == 0);
  } else {
    accepted(tx, kind, result);
  }
  kecs_result_free(result);
  REQUIRE_OK(kecs_rollback(tx));
  return 0;
}
