/* test_every_kind.c -- what holds for every column of every kind, driven by the descriptors: a new column or kind is
 * tested here without a line of its own. */
#include "contract.h"

#include <dirent.h>

enum { NAUGHTY = (int)CONTRACT_COUNT(contract_naughty), ROWS = NAUGHTY, DOCUMENT_MAX = 256 };

/* A row with every column set, and its documents. */
typedef struct full_row {
  contract_row made;
  char documents[64][DOCUMENT_MAX];
} full_row;

static size_t quote(const char *text, char *out, size_t size) {
  size_t used = 0;
  for (; *text && used + 8 < size; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20 || c == '"' || c == '\\') {
      used += (size_t)snprintf(out + used, size - used, "\\u%04x", c);
    } else {
      out[used++] = (char)c;
    }
  }
  out[used] = '\0';
  return used;
}

/* Texts of row n: the same column has another one in each row, and the next column the next one. */
static const char *text_of(int n, int column) {
  return contract_naughty[(n + column) % NAUGHTY];
}

static bool is_key(const kecs_kind_info *info, int column) {
  for (size_t i = 0; i < CONTRACT_COUNT(contract_keys); i++) {
    if (contract_keys[i].kind == info->kind && contract_keys[i].column == column) {
      return true;
    }
  }
  return false;
}

static bool named(const kecs_kind_info *info, int column, const char *name) {
  return strcmp(info->columns[column].name, name) == 0;
}

/* Columns that say where a row lives or hangs, or that the store alone writes: they keep what contract_make_row and the
 * store give them. */
static bool is_fixed(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->reference_count; i++) {
    if (info->references[i].column == column) {
      return true;
    }
  }
  return is_key(info, column) || named(info, column, "region") || named(info, column, "account_id") ||
         named(info, column, "is_default") || (info->columns[column].flags & KECS_COLUMN_AUTO);
}

static void make_document(const kecs_kind_info *info, int n, int column, char out[DOCUMENT_MAX]) {
  char quoted[DOCUMENT_MAX / 2];
  quote(text_of(n, column), quoted, sizeof quoted);
  if (named(info, column, "tags")) {
    const char *format = info->columns[column].json[0] == 'T' ? "[ {\"Key\":\"k\" ,\t\"Value\":\"%s\"} ]"
                                                              : "[ {\"key\":\"k\" ,\t\"value\":\"%s\"} ]";
    snprintf(out, DOCUMENT_MAX, format, quoted);
  } else if (named(info, column, "extra")) {
    snprintf(out, DOCUMENT_MAX, "{\"unknown%d\":\"%s\"}", column, quoted);
  } else if (named(info, column, "load_balancer_arns")) {
    snprintf(out, DOCUMENT_MAX, "[ \"arn:x%d%s\" ]", n, quoted);
  } else {
    snprintf(out, DOCUMENT_MAX, "[ { \"%d\" :\t\"%s\",\n\"a\":1.0e2 } ]", column, quoted);
  }
}

static void set_column(const kecs_kind_info *info, void *row, int n, int column, char document[DOCUMENT_MAX]) {
  if (info->columns[column].type == KECS_TYPE_JSON) {
    make_document(info, n, column, document);
    contract_set_text(info, row, column, document);
  } else if (info->columns[column].type == KECS_TYPE_TEXT) {
    contract_set_text(info, row, column, text_of(n, column));
  } else if (info->columns[column].type == KECS_TYPE_TIME) {
    contract_set_number(info, row, column, CONTRACT_NOW + n * 1000 + column);
  } else if (info->columns[column].type == KECS_TYPE_BOOL) {
    contract_set_number(info, row, column, (n + column) % 2);
  } else {
    contract_set_number(info, row, column, n * 100 + column + 1);
  }
}

static void *make_full(const kecs_kind_info *info, int n, full_row *out) {
  void *row = contract_make_row(info->kind, n, &out->made);
  for (int i = 0; i < info->column_count; i++) {
    if (!is_fixed(info, i)) {
      set_column(info, row, n, i, out->documents[i]);
    }
  }
  return row;
}

/* What create may have filled: columns that the row left out, and "" where the store fills what is empty. */
static uint64_t filled_columns(const kecs_kind_info *info, const void *row) {
  uint64_t mask = 0;
  for (int i = 0; i < info->column_count; i++) {
    const char *text = contract_column_is_text(info, i) ? contract_get_text(info, row, i) : "x";
    bool server = info->columns[i].flags & (KECS_COLUMN_SERVER | KECS_COLUMN_AUTO);
    if (!text || (server && !text[0]) || (info->columns[i].flags & KECS_COLUMN_AUTO)) {
      mask |= KECS_BIT(i);
    }
  }
  return mask;
}

static kecs_store *open_ticking(int64_t *now) {
  kecs_options options = {.clock = contract_ticking(now)};
  kecs_store *store = contract_open_with(&options);
  contract_parents(store);
  return store;
}

#define FOR_EVERY_KIND(info)                                                                                  \
  for (const kecs_kind_info *info = kecs_kind_describe((kecs_kind)1); info; \
       info = kecs_kind_describe((kecs_kind)(info->kind + 1)))

/* ---- one row, from its creation to its end ---- */

static const void *find_in_list(kecs_result *list, const kecs_kind_info *info, const void *row) {
  for (size_t i = 0; i < kecs_result_count(list); i++) {
    const void *other = kecs_record_at(list, info->kind, i);
    bool same = true;
    for (int k = 0; k < info->keys[0].count; k++) {
      same = same && contract_column_same(info, row, other, info->keys[0].columns[k]);
    }
    if (same) {
      return other;
    }
  }
  return NULL;
}

static void every_column_comes_back(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_ticking(&now);
  FOR_EVERY_KIND(info) {
    for (int n = 0; n < ROWS; n++) {
      static full_row full;
      void *row = make_full(info, n, &full);
      uint64_t filled = filled_columns(info, row);
      kecs_result *created = NULL;
      kecs_result *read = NULL;
      CONTRACT_OK(kecs_record_create(store, info->kind, row, &created));
      CONTRACT_SAME_ROWS(info, kecs_record_at(created, info->kind, 0), row, filled);
      CONTRACT_SAME_ROWS(info, contract_read_row(store, info, row, &read), kecs_record_at(created, info->kind, 0), 0);
      kecs_result_free(created);
      kecs_result_free(read);
    }
    kecs_query query = {.limit = 1000};
    kecs_result *list = NULL;
    CONTRACT_OK(kecs_record_list(store, info->kind, &query, &list));
    for (int n = 0; n < ROWS; n++) {
      static full_row full;
      void *row = make_full(info, n, &full);
      const void *listed = find_in_list(list, info, row);
      assert_non_null(listed);
      CONTRACT_SAME_ROWS(info, listed, row, filled_columns(info, row));
    }
    kecs_result_free(list);
  }
  contract_close(store);
}

/* A new value for a column of a stored row; false for those that have but one choice. */
static bool change_column(const kecs_kind_info *info, void *row, int column, char document[DOCUMENT_MAX]) {
  if (info->columns[column].type == KECS_TYPE_BOOL) {
    contract_set_number(info, row, column, !contract_get_number(info, row, column, NULL));
    return true;
  }
  for (int i = 0; i < info->reference_count; i++) {
    if (info->references[i].column == column) {
      contract_set_text(info, row, column, info->references[i].parent == KECS_KIND_SERVICE ? CONTRACT_SERVICE : NULL);
      return info->references[i].parent == KECS_KIND_SERVICE;
    }
  }
  set_column(info, row, ROWS + 7, column, document);
  return true;
}

static void check_one_change(kecs_store *store, const kecs_kind_info *info, const void *key_row, int column) {
  static full_row scratch;
  int version = kecs_column_find(info, "version");
  int updated_at = kecs_column_find(info, "updated_at");
  kecs_result *before = NULL;
  kecs_result *after = NULL;
  kecs_result *read = NULL;
  contract_any row;
  const void *old = contract_read_row(store, info, key_row, &before);
  memcpy(&row, old, info->row_size);
  if (change_column(info, &row, column, scratch.documents[0])) {
    uint64_t own = KECS_BIT(column);
    own |= version >= 0 ? KECS_BIT(version) : 0;
    own |= updated_at >= 0 ? KECS_BIT(updated_at) : 0;
    CONTRACT_OK(kecs_record_update(store, info->kind, &row, KECS_BIT(column), &after));
    const void *new = kecs_record_at(after, info->kind, 0);
    CONTRACT_SAME_ROWS(info, new, old, own);
    if (!contract_column_same(info, new, &row, column) || contract_column_same(info, new, old, column)) {
      fail_msg("%s.%s was not changed", info->name, info->columns[column].name);
    }
    if (version >= 0) {
      CONTRACT_NUMBER(contract_get_number(info, new, version, NULL), contract_get_number(info, old, version, NULL) + 1);
      assert_true(contract_get_number(info, new, updated_at, NULL) > contract_get_number(info, old, updated_at, NULL));
    }
    CONTRACT_SAME_ROWS(info, contract_read_row(store, info, key_row, &read), new, 0);
  }
  kecs_result_free(before);
  kecs_result_free(after);
  kecs_result_free(read);
}

static void each_column_changes_alone(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_ticking(&now);
  FOR_EVERY_KIND(info) {
    static full_row full;
    void *row = make_full(info, 3, &full);
    static full_row neighbour;
    void *other = make_full(info, 4, &neighbour);
    kecs_result *before = NULL;
    kecs_result *after = NULL;
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
    CONTRACT_OK(kecs_record_create(store, info->kind, other, NULL));
    const void *untouched = contract_read_row(store, info, other, &before);
    for (int i = 0; i < info->column_count && !(info->flags & KECS_KIND_APPEND); i++) {
      if (contract_column_changes(info, i)) {
        check_one_change(store, info, row, i);
      }
    }
    CONTRACT_SAME_ROWS(info, contract_read_row(store, info, other, &after), untouched, 0);
    kecs_result_free(before);
    kecs_result_free(after);
  }
  contract_close(store);
}

/* NULL, and back to a value: for every column that may be NULL. */
static void each_column_can_be_emptied(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_ticking(&now);
  FOR_EVERY_KIND(info) {
    static full_row full;
    void *row = make_full(info, 5, &full);
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
    for (int i = 0; i < info->column_count && !(info->flags & KECS_KIND_APPEND); i++) {
      kecs_result *result = NULL;
      contract_any changed;
      if (!contract_column_changes(info, i) || (info->columns[i].flags & KECS_COLUMN_NOT_NULL)) {
        continue;
      }
      memcpy(&changed, row, info->row_size);
      memset(changed.bytes + info->columns[i].offset, 0,
             contract_column_is_text(info, i) ? sizeof(char *)
                                              : (info->columns[i].type == KECS_TYPE_OPTI ? sizeof(kecs_opt_int) : 8));
      CONTRACT_OK(kecs_record_update(store, info->kind, &changed, KECS_BIT(i), &result));
      char text[8];
      if (kecs_record_text(info, kecs_record_at(result, info->kind, 0), i, text, sizeof text, NULL)) {
        fail_msg("%s.%s is not NULL", info->name, info->columns[i].name);
      }
      kecs_result_free(result);
      CONTRACT_OK(kecs_record_update(store, info->kind, row, KECS_BIT(i), &result));
      assert_true(contract_column_same(info, kecs_record_at(result, info->kind, 0), row, i));
      kecs_result_free(result);
    }
  }
  contract_close(store);
}

static void an_update_without_a_change_writes_nothing(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_ticking(&now);
  FOR_EVERY_KIND(info) {
    static full_row full;
    void *row = make_full(info, 6, &full);
    kecs_result *stored = NULL;
    kecs_info before;
    kecs_info after;
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
    if (info->flags & KECS_KIND_APPEND) {
      continue;
    }
    const void *old = contract_read_row(store, info, row, &stored);
    CONTRACT_OK(kecs_store_info(store, &before));
    for (int i = 0; i < 4; i++) {
      kecs_result *result = NULL;
      CONTRACT_OK(i % 2 ? kecs_record_update(store, info->kind, old, UINT64_MAX, &result)
                        : kecs_record_upsert(store, info->kind, old, &result));
      CONTRACT_SAME_ROWS(info, kecs_record_at(result, info->kind, 0), old, 0);
      kecs_result_free(result);
    }
    CONTRACT_OK(kecs_store_info(store, &after));
    CONTRACT_NUMBER(after.wal_bytes, before.wal_bytes);
    CONTRACT_NUMBER(after.size_bytes, before.size_bytes);
    kecs_result_free(stored);
  }
  contract_close(store);
}

static void upsert_replaces_what_can_change(void **state) {
  (void)state;
  int64_t now = CONTRACT_NOW;
  kecs_store *store = open_ticking(&now);
  FOR_EVERY_KIND(info) {
    static full_row first;
    static full_row second;
    contract_any row;
    kecs_result *result = NULL;
    if (info->flags & KECS_KIND_APPEND) {
      continue;
    }
    void *old = make_full(info, 8, &first);
    CONTRACT_OK(kecs_record_upsert(store, info->kind, old, &result));
    CONTRACT_SAME_ROWS(info, kecs_record_at(result, info->kind, 0), old, filled_columns(info, old));
    kecs_result_free(result);
    memcpy(&row, make_full(info, 9, &second), info->row_size);
    uint64_t kept = 0;
    for (int i = 0; i < info->column_count; i++) {
      if (is_key(info, i)) { /* found by its key; the rest comes from the second row */
        size_t size = contract_column_is_text(info, i) ? sizeof(char *) : 8;
        memcpy(row.bytes + info->columns[i].offset, (char *)old + info->columns[i].offset, size);
      }
      kept |= contract_column_changes(info, i) ? 0 : KECS_BIT(i);
    }
    CONTRACT_OK(kecs_record_upsert(store, info->kind, &row, &result));
    const void *now_there = kecs_record_at(result, info->kind, 0);
    CONTRACT_SAME_ROWS(info, now_there, &row, kept);
    CONTRACT_SAME_ROWS(info, now_there, old, ~kept | filled_columns(info, old));
    kecs_result_free(result);
  }
  contract_close(store);
}

static void deleted_rows_are_gone(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  FOR_EVERY_KIND(info) {
    static full_row full;
    int64_t before = contract_count_rows(store, info->kind);
    for (int n = 0; n < 4; n++) {
      CONTRACT_OK(kecs_record_create(store, info->kind, make_full(info, n, &full), NULL));
    }
    for (int n = 0; n < 4; n += 2) {
      char key[1024];
      kecs_result *result = NULL;
      void *row = make_full(info, n, &full);
      contract_row_key(info, row, key, sizeof key);
      CONTRACT_OK(kecs_record_delete(store, info->kind, key));
      CONTRACT_FAILS(kecs_record_delete(store, info->kind, key), KECS_E_NOT_FOUND);
      CONTRACT_FAILS(kecs_record_get(store, info->kind, key, &result), KECS_E_NOT_FOUND);
      if (!(info->flags & KECS_KIND_APPEND)) {
        CONTRACT_FAILS(kecs_record_update(store, info->kind, row, UINT64_MAX, NULL), KECS_E_NOT_FOUND);
      }
    }
    CONTRACT_NUMBER(contract_count_rows(store, info->kind), before + 2);
    CONTRACT_OK(kecs_record_create(store, info->kind, make_full(info, 0, &full), NULL)); /* its keys are free again */
    CONTRACT_FAILS(kecs_record_create(store, info->kind, make_full(info, 1, &full), NULL), KECS_E_EXISTS);
  }
  contract_close(store);
}

/* ---- what is required ---- */

static bool is_required(const kecs_kind_info *info, int column) {
  const kecs_column_info *one = &info->columns[column];
  if (info->kind == KECS_KIND_TASK_SET && column == KECS_TASK_SET_CLUSTER_ARN) {
    return false; /* its service says it */
  }
  return contract_column_is_text(info, column) && (one->flags & KECS_COLUMN_NOT_NULL) && !one->default_text &&
         !(one->flags & (KECS_COLUMN_SERVER | KECS_COLUMN_AUTO));
}

static void required_columns_are_named(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  FOR_EVERY_KIND(info) {
    static full_row full;
    int64_t before = contract_count_rows(store, info->kind);
    for (int i = 0; i < info->column_count; i++) {
      void *row = make_full(info, 2, &full);
      int arn = kecs_column_find(info, "arn");
      if (!is_required(info, i)) {
        continue;
      }
      contract_set_text(info, row, i, NULL);
      if (arn >= 0) {
        contract_set_text(info, row, arn, NULL); /* or it could be taken from there */
      }
      kecs_status status = kecs_record_create(store, info->kind, row, NULL);
      if (status == KECS_E_REFERENCE && named(info, i, "cluster_arn")) {
        CONTRACT_SAYS("cluster/default"); /* as AWS has it where no cluster is named; there is none here */
        continue;
      }
      if (status != KECS_E_INVALID || !strstr(kecs_last_error()->text, info->columns[i].name)) {
        fail_msg("%s without %s gave %s: %s", info->name, info->columns[i].name, kecs_status_name(status),
                 status ? kecs_last_error()->text : "");
      }
    }
    CONTRACT_NUMBER(contract_count_rows(store, info->kind), before);
  }
  contract_close(store);
}

/* An update can't take away what create demands. */
static void required_columns_stay_set(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  FOR_EVERY_KIND(info) {
    static full_row full;
    void *row = make_full(info, 2, &full);
    kecs_result *before = NULL;
    kecs_result *after = NULL;
    CONTRACT_OK(kecs_record_create(store, info->kind, row, NULL));
    const void *old = contract_read_row(store, info, row, &before);
    for (int i = 0; i < info->column_count && !(info->flags & KECS_KIND_APPEND); i++) {
      contract_any changed;
      if (!is_required(info, i) || !contract_column_changes(info, i)) {
        continue;
      }
      memcpy(&changed, old, info->row_size);
      contract_set_text(info, &changed, i, NULL);
      kecs_status one = kecs_record_update(store, info->kind, &changed, KECS_BIT(i), NULL);
      if (one != KECS_E_INVALID || !strstr(kecs_last_error()->text, info->columns[i].name)) {
        fail_msg("%s.%s set to NULL gave %s", info->name, info->columns[i].name, kecs_status_name(one));
      }
      CONTRACT_FAILS(kecs_record_update(store, info->kind, &changed, UINT64_MAX, NULL), KECS_E_INVALID);
    }
    CONTRACT_SAME_ROWS(info, contract_read_row(store, info, row, &after), old, 0);
    kecs_result_free(before);
    kecs_result_free(after);
  }
  contract_close(store);
}

/* ---- filters ---- */

static bool filter_matches(const char *value, kecs_op op, const char *text) {
  if (!value) {
    return false;
  }
  return op == KECS_EQ ? strcmp(value, text) == 0
                       : op == KECS_PREFIX ? strncmp(value, text, strlen(text)) == 0 : strstr(value, text) != NULL;
}

static void check_filters_of(kecs_store *store, const kecs_kind_info *info, kecs_result *all, int column) {
  static const kecs_op ops[] = {KECS_EQ, KECS_PREFIX, KECS_CONTAINS};
  for (int n = 0; n < NAUGHTY; n++) {
    for (size_t op = 0; op < CONTRACT_COUNT(ops); op++) {
      kecs_filter filter = {.column = column, .op = ops[op], .text = contract_naughty[n]};
      kecs_query query = {.where = &filter, .where_count = 1};
      int64_t expected = 0;
      int64_t count = -1;
      for (size_t i = 0; i < kecs_result_count(all); i++) {
        const void *row = kecs_record_at(all, info->kind, i);
        expected += filter_matches(contract_get_text(info, row, column), ops[op], filter.text);
      }
      CONTRACT_OK(kecs_record_count(store, info->kind, &query, &count));
      if (count != expected) {
        fail_msg("%s.%s op %d \"%s\": %lld rows, not %lld", info->name, info->columns[column].name, (int)ops[op],
                 filter.text, (long long)count, (long long)expected);
      }
    }
  }
}

static void filters_on_every_text_column(void **state) {
  (void)state;
  kecs_store *store = contract_open();
  contract_parents(store);
  FOR_EVERY_KIND(info) {
    kecs_query query = {.limit = 1000};
    kecs_result *all = NULL;
    kecs_store *tx = NULL;
    CONTRACT_OK(kecs_begin(store, &tx));
    for (int n = 0; n < ROWS; n++) {
      static full_row full;
      CONTRACT_OK(kecs_record_create(tx, info->kind, make_full(info, n, &full), NULL));
    }
    CONTRACT_OK(kecs_commit(tx));
    CONTRACT_OK(kecs_record_list(store, info->kind, &query, &all));
    for (int i = 0; i < info->column_count; i++) {
      if (contract_column_is_text(info, i) && !is_fixed(info, i)) {
        check_filters_of(store, info, all, i);
      }
    }
    kecs_result_free(all);
  }
  contract_close(store);
}

/* Exactly the row with the value, by its value. */
static void filters_find_the_very_row(void **state) {
  (void)state;
  FOR_EVERY_KIND(info) {
    static full_row full;
    kecs_store *store = contract_open(); /* each kind for itself: tags of other kinds are rows of the kind tag */
    contract_parents(store);
    for (int n = 0; n < ROWS; n++) {
      CONTRACT_OK(kecs_record_create(store, info->kind, make_full(info, n, &full), NULL));
    }
    for (int n = 0; n < ROWS; n++) {
      void *row = make_full(info, n, &full);
      for (int i = 0; i < info->column_count; i++) {
        kecs_filter filter = {.column = i, .op = KECS_EQ};
        kecs_query query = {.where = &filter, .where_count = 1};
        kecs_result *result = NULL;
        filter.text = contract_column_is_text(info, i) ? contract_get_text(info, row, i) : NULL;
        if (is_fixed(info, i) || !filter.text || !filter.text[0]) { /* "": parents have that, too */
          continue;
        }
        CONTRACT_OK(kecs_record_list(store, info->kind, &query, &result));
        if (kecs_result_count(result) != 1) {
          fail_msg("%s.%s = \"%s\": %zu rows", info->name, info->columns[i].name, filter.text,
                   kecs_result_count(result));
        }
        assert_true(contract_column_same(info, kecs_record_at(result, info->kind, 0), row, info->keys[0].columns[0]));
        kecs_result_free(result);
      }
    }
    contract_close(store);
  }
}

/* ---- the corpus of hostile texts ---- */

typedef struct text_list {
  char **texts;
  size_t count;
} text_list;

static void add_text(text_list *list, const char *text, size_t len) {
  if (len > 0) {
    list->texts = realloc(list->texts, (list->count + 1) * sizeof *list->texts);
    assert_non_null(list->texts);
    list->texts[list->count++] = strndup(text, len);
  }
}

static char *read_whole(const char *path, size_t *out_len) {
  FILE *file = fopen(path, "rb");
  *out_len = 0;
  if (!file) {
    return NULL;
  }
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  *out_len = fread(text, 1, (size_t)size, file);
  text[*out_len] = '\0';
  fclose(file);
  return text;
}

static void add_lines(text_list *list, const char *path) {
  size_t len = 0;
  char *text = read_whole(path, &len);
  for (char *at = text; at && at < text + len;) {
    size_t line = strcspn(at, "\r\n");
    char kept = at[line];
    at[line] = '\0';
    if (contract_is_utf8(at)) {
      add_text(list, at, line);
    }
    at += line + (kept || at + line < text + len ? 1 : 0);
  }
  free(text);
}

/* The naughty strings are read through the store itself: as tags of one document, and back as rows. */
static void add_naughty_strings(text_list *list, const char *path) {
  size_t len = 0;
  char *text = read_whole(path, &len);
  bool inside = false;
  assert_non_null(text);
  char *out = malloc(len + 1);
  size_t used = 0;
  for (const char *at = text; *at; at++) {
    if (*at == '"') {
      if (inside) {
        out[used] = '\0';
        add_text(list, out, strlen(out));
      }
      inside = !inside;
      used = 0;
    } else if (inside && *at == '\\') {
      static const char from[] = "bfnrt";
      static const char to[] = "\b\f\n\r\t";
      at++;
      const char *found = strchr(from, *at);
      if (*at == 'u') { /* below U+0800 is enough: what the file has of others is written as it is */
        char digits[5] = {at[1], at[2], at[3], at[4], 0};
        long code = strtol(digits, NULL, 16);
        at += 4;
        if (code > 0 && code < 0x80) {
          out[used++] = (char)code;
        } else if (code >= 0x80 && code < 0x800) {
          out[used++] = (char)(0xC0 | (code >> 6));
          out[used++] = (char)(0x80 | (code & 0x3F));
        }
      } else {
        out[used++] = found ? to[found - from] : *at;
      }
    } else if (inside) {
      out[used++] = *at;
    }
  }
  free(out);
  free(text);
}

static text_list load_corpus(const char *folder) {
  text_list list = {NULL, 0};
  char path[1024];
  snprintf(path, sizeof path, "%s/hostile/blns.json", folder);
  add_naughty_strings(&list, path);
  snprintf(path, sizeof path, "%s/hostile/sqli", folder);
  DIR *listing = opendir(path);
  assert_non_null(listing);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    if (strstr(entry->d_name, ".txt")) {
      char file[1400];
      snprintf(file, sizeof file, "%s/hostile/sqli/%s", folder, entry->d_name);
      add_lines(&list, file);
    }
  }
  closedir(listing);
  assert_true(list.count > 1000);
  return list;
}

static void store_corpus(kecs_store *store, const text_list *list) {
  kecs_store *tx = NULL;
  CONTRACT_OK(kecs_begin(store, &tx));
  for (size_t i = 0; i < list->count; i++) {
    char id[32];
    snprintf(id, sizeof id, "t%zu", i);
    const char *text = list->texts[i];
    kecs_node_task row = {.id = id, .name = text, .image = text, .node_id = text, .error = text, .status = text};
    CONTRACT_OK(kecs_node_task_create(tx, &row, NULL));
  }
  CONTRACT_OK(kecs_commit(tx));
}

static int64_t copies_of(const text_list *list, const char *text) {
  int64_t count = 0;
  for (size_t i = 0; i < list->count; i++) {
    count += strcmp(list->texts[i], text) == 0;
  }
  return count;
}

static void hostile_texts_of_the_corpus(void **state) {
  (void)state;
  const char *folder = contract_corpus();
  if (!folder) {
    return;
  }
  text_list list = load_corpus(folder);
  kecs_store *store = contract_open();
  store_corpus(store, &list);
  store = contract_reopen(store);
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), list.count);
  for (size_t i = 0; i < list.count; i++) {
    char id[32];
    kecs_result *result = NULL;
    kecs_filter filter = {.column = KECS_NODE_TASK_NODE_ID, .op = KECS_EQ, .text = list.texts[i]};
    kecs_query query = {.where = &filter, .where_count = 1};
    int64_t count = -1;
    snprintf(id, sizeof id, "t%zu", i);
    CONTRACT_OK(kecs_node_task_get(store, id, &result));
    const kecs_node_task *row = kecs_node_task_at(result, 0);
    CONTRACT_TEXT(row->name, list.texts[i]);
    CONTRACT_TEXT(row->error, list.texts[i]);
    CONTRACT_TEXT(row->status, list.texts[i]);
    kecs_result_free(result);
    CONTRACT_OK(kecs_node_task_count(store, &query, &count));
    CONTRACT_NUMBER(count, copies_of(&list, list.texts[i]));
    if (i % 16 == 0) {
      filter.op = KECS_CONTAINS;
      filter.column = KECS_NODE_TASK_ERROR;
      CONTRACT_OK(kecs_node_task_count(store, &query, &count));
      assert_true(count >= copies_of(&list, list.texts[i]));
    }
    /* as a name, an address, a key and a token */
    CONTRACT_FAILS(kecs_node_get(store, list.texts[i], &result), KECS_E_NOT_FOUND);
    kecs_status status = kecs_record_get(store, KECS_KIND_ATTRIBUTE, list.texts[i], &result);
    assert_true(status == KECS_E_NOT_FOUND || status == KECS_E_MISUSE || status == KECS_E_INVALID);
    query = (kecs_query){.page_token = list.texts[i]};
    CONTRACT_FAILS(kecs_node_task_list(store, &query, &result), KECS_E_INVALID);
  }
  CONTRACT_NUMBER(contract_count_rows(store, KECS_KIND_NODE_TASK), list.count);
  contract_close(store);
  for (size_t i = 0; i < list.count; i++) {
    free(list.texts[i]);
  }
  free(list.texts);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(every_column_comes_back),
    CONTRACT_TEST(each_column_changes_alone),
    CONTRACT_TEST(each_column_can_be_emptied),
    CONTRACT_TEST(an_update_without_a_change_writes_nothing),
    CONTRACT_TEST(upsert_replaces_what_can_change),
    CONTRACT_TEST(deleted_rows_are_gone),
    CONTRACT_TEST(required_columns_are_named),
    CONTRACT_TEST(required_columns_stay_set),
    CONTRACT_TEST(filters_on_every_text_column),
    CONTRACT_TEST(filters_find_the_very_row),
    CONTRACT_TEST(hostile_texts_of_the_corpus),
};

CONTRACT_MAIN("every_kind", tests)
