/* fuzz_import.c -- any bytes to the importer.
 *
 * The first byte chooses the options. The import as a whole succeeds; what it notes is counted right and points into
 * the text; and what it stored comes back as JSON. */
#include "fuzz/fuzz.h"

typedef struct notes {
  int64_t put;
  int64_t refused;
  size_t len;
} notes;

static void note(const kecs_import_note *one, void *user) {
  notes *seen = user;
  REQUIRE(one->what && one->name && one->reason && one->line >= 1 && one->column >= 1 && one->offset <= seen->len);
  REQUIRE((int)one->kind >= 0 && (int)one->kind < KECS_KIND_COUNT);
  if (one->refused) {
    REQUIRE(one->status != KECS_OK && one->reason[0] && !strpbrk(one->reason, "\r\n"));
    REQUIRE(kecs_status_class(one->status) == KECS_CLASS_CALLER);
    seen->refused++;
  } else {
    REQUIRE(one->status == KECS_OK && one->kind != 0);
    seen->put++;
  }
}

/* Every row of the transaction is a document of its own. */
static void check_rows(kecs_store *tx) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_result *result = NULL;
    REQUIRE_OK(kecs_record_list(tx, (kecs_kind)kind, NULL, &result));
    for (size_t i = 0; i < kecs_result_count(result); i++) {
      const char *text = NULL;
      REQUIRE_OK(kecs_record_json(result, info, kecs_record_at(result, (kecs_kind)kind, i), KECS_JSON_STORE, &text));
      REQUIRE_OK(kecs_json_check(text, SIZE_MAX));
    }
    kecs_result_free(result);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  kecs_store *tx = NULL;
  kecs_import_options options;
  notes seen = {0, 0, 0};
  int64_t put = -1;
  int64_t refused = -1;
  if (size < 1) {
    return 0;
  }
  memset(&options, 0, sizeof options);
  seen.len = size - 1;
  options.note = note;
  options.user = &seen;
  options.name = data[0] & 0x80 ? "file" : NULL;
  options.kind = (data[0] & 0x7f) < KECS_KIND_COUNT ? (kecs_kind)(data[0] & 0x7f) : (kecs_kind)0;
  REQUIRE_OK(kecs_begin(fuzz_store(), &tx));
  REQUIRE_OK(kecs_import(tx, (const char *)data + 1, size - 1, &options, &put, &refused));
  REQUIRE(put == seen.put && refused == seen.refused);
  check_rows(tx);
  REQUIRE_OK(kecs_rollback(tx));
  return 0;
}
