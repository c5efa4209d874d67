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

/* The columns that differ, but for version and updated_at. */
static uint64_t differences(const kecs_kind_info *info, const void *a, const void *b) {
  uint64_t mask = 0;
  for (int i = 0; i < info->column_count; i++) {
    size_t a_len = 0;
    size_t b_len = 0;
    bool a_has = kecs_record_text(info, a, i, NULL, 0, &a_len);
    bool b_has = kecs_record_text(info, b, i, NULL, 0, &b_len);
    char *a_text = malloc(a_len + 1);
    char *b_text = malloc(b_len + 1);
    REQUIRE(a_text && b_text);
    (void)kecs_record_text(info, a, i, a_text, a_len + 1, NULL);
    (void)kecs_record_text(info, b, i, b_text, b_len + 1, NULL);
    mask |= a_has != b_has || strcmp(a_text, b_text) != 0 ? KECS_BIT(i) : 0;
    free(a_text);
    free(b_text);
  }
  int version = kecs_column_find(info, "version");
  int updated = kecs_column_find(info, "updated_at");
  mask &= version >= 0 ? ~KECS_BIT(version) : UINT64_MAX;
  return mask & (updated >= 0 ? ~KECS_BIT(updated) : UINT64_MAX);
}

/* Puts the row's own document once more: the same document, the same version. What `extra` keeps of members that were
 * never of their column's type may be put in order once: `settles` is then set, and the caller tries again. */
static void put_again(kecs_store *tx, kecs_kind kind, const char *key, unsigned flags, bool *settles) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_result *first = NULL;
  kecs_result *second = NULL;
  int64_t version = 0;
  int64_t later = 0;
  char *text = document(tx, kind, key, flags, &version);
  REQUIRE_OK(kecs_record_get(tx, kind, key, &first));
  REQUIRE_OK(kecs_put_json(tx, kind, text, strlen(text), 0, NULL));
  char *again = document(tx, kind, key, flags, &later);
  REQUIRE_OK(kecs_record_get(tx, kind, key, &second));
  int extra = kecs_column_find(info, "extra");
  uint64_t mask = differences(info, kecs_record_at(first, kind, 0), kecs_record_at(second, kind, 0));
  bool order = settles && extra >= 0 && mask == KECS_BIT(extra) && later == version + 1;
  if (settles) {
    *settles = order;
  }
  if (!order && (strcmp(text, again) != 0 || later != version || mask)) {
    fprintf(stderr, "version %lld: %s\nversion %lld: %s\n", (long long)version, text, (long long)later, again);
    for (int i = 0; i < info->column_count; i++) {
      if (mask & KECS_BIT(i)) {
        fprintf(stderr, "  %s has changed\n", info->columns[i].name);
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
  const char *arn = row ? fuzz_text_of(info, row, "arn") : NULL;
  int64_t version = 0;
  REQUIRE(row && kecs_result_count(result) == 1);
  REQUIRE_OK(kecs_record_json(result, info, row, KECS_JSON_STORE, &text));
  REQUIRE_OK(kecs_json_check(text, SIZE_MAX));
  if (arn && strncmp(arn, "arn:", 4) != 0) {
    return; /* what is no ARN is no address: its tail may look like one */
  }
  char *key = fuzz_key(info, row);
  free(document(tx, kind, key, KECS_JSON_EPOCH, &version));
  if (can_repeat(info)) {
    bool settles = false;
    put_again(tx, kind, key, KECS_JSON_STORE, &settles);
    if (settles) {
      put_again(tx, kind, key, KECS_JSON_STORE, NULL);
    }
    put_again(tx, kind, key, 0, NULL);
    put_again(tx, kind, key, KECS_JSON_EPOCH | KECS_JSON_STORE, NULL);
  }
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
