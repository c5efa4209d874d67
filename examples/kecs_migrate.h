/* kecs_migrate.h -- migrate: every row of one store into another, and the proof that both are equal.
 *
 * Rows travel as their store documents, a page at a time, each page in one transaction, parents before children. What
 * the target has already is found by its digest and not written again, so a run that was broken off is simply run
 * again: no cursor is kept that could be lost or be wrong. At the end both stores are read, and the sums of the digests
 * of all rows are compared; a sum does not depend on the order of rows.
 *
 * The counters of families, which are no rows of a kind, are treated as the kind 0. */

enum { MIGRATE_PAGE = 500 };

/* ---- digests ---- */

/* Of one row; or, added up, of many. */
typedef struct digest {
  uint64_t a;
  uint64_t b;
} digest;

static uint64_t mix(uint64_t word) {
  word ^= word >> 32;
  word *= UINT64_C(0xD6E8FEB86659FD93);
  word ^= word >> 32;
  word *= UINT64_C(0xD6E8FEB86659FD93);
  return word ^ (word >> 32);
}

static void digest_bytes(digest *sum, const char *bytes, size_t len) {
  while (len > 0) {
    uint64_t word = 0;
    size_t part = len < sizeof word ? len : sizeof word;
    memcpy(&word, bytes, part);
    sum->a = mix(sum->a ^ word) + UINT64_C(0x9E3779B97F4A7C15);
    sum->b = mix(sum->b + word) ^ (sum->b << 7 | sum->b >> 57);
    bytes += part;
    len -= part;
  }
}

/* Of a row: its kind and its document with their lengths, so that no two rows look like another two. */
static digest digest_of(int kind, const char *document) {
  digest sum = {UINT64_C(0x243F6A8885A308D3) + (uint64_t)kind, UINT64_C(0x13198A2E03707344) + strlen(document)};
  digest_bytes(&sum, document, strlen(document));
  sum.a = mix(sum.a);
  sum.b = mix(sum.b ^ sum.a);
  return sum;
}

static void digest_add(digest *sum, digest one) {
  sum->a += one.a;
  sum->b += one.b + (sum->a < one.a ? 1 : 0);
}

static bool digest_same(digest one, digest other) {
  return one.a == other.a && one.b == other.b;
}

static int digest_compare(const void *a, const void *b) {
  const digest *one = a;
  const digest *other = b;
  int order = (one->a > other->a) - (one->a < other->a);
  return order ? order : (one->b > other->b) - (one->b < other->b);
}

typedef struct digests {
  digest *list;
  size_t count;
  size_t room;
  digest sum;
} digests;

static void digests_add(digests *all, digest one) {
  if (all->count == all->room) {
    all->room = all->room * 2 + 64;
    all->list = need(realloc(all->list, all->room * sizeof *all->list));
  }
  all->list[all->count++] = one;
}

static void digests_sort(digests *all) {
  if (all->count > 1) {
    qsort(all->list, all->count, sizeof *all->list, digest_compare);
  }
}

static bool digests_have(const digests *all, digest one) {
  return all->count > 0 && bsearch(&one, all->list, all->count, sizeof one, digest_compare) != NULL;
}

/* ---- rows ---- */

typedef struct moved_row {
  const char *document;
  const kecs_family_counter *counter; /* of the kind 0 */
  digest mark;
} moved_row;

typedef struct moved_page {
  int kind;
  moved_row rows[MIGRATE_PAGE];
  size_t count;
  buffer texts; /* documents of counters */
} moved_page;

typedef struct migration {
  const arguments *args;
  const char *from_name; /* as messages may show them */
  const char *to_name;
  kecs_store *from;
  kecs_store *to;
  int kinds[KECS_KIND_COUNT + 1]; /* in the order in which they are copied */
  int kind_count;
  int64_t from_rows[KECS_KIND_COUNT]; /* as counted before */
  int64_t to_rows[KECS_KIND_COUNT];
  digests held[KECS_KIND_COUNT]; /* what the target has */
  int64_t there;                 /* rows that both have */
  int64_t strange[KECS_KIND_COUNT];
  int64_t copied;
  int64_t done; /* of what the bar shows */
  progress bar;
  const char *doing;
} migration;

static const char *moved_name(int kind) {
  return kind == 0 ? "task_definition_family" : kecs_kind_describe((kecs_kind)kind)->name;
}

static kecs_status read_moved(kecs_store *store, int kind, const char *token, kecs_result **out_page) {
  kecs_query query = {0};
  *out_page = NULL;
  if (kind == 0) {
    return kecs_task_definition_counters(store, MIGRATE_PAGE, token, out_page);
  }
  query.direction = KECS_ORDER_ASCENDING;
  query.order_by = kecs_kind_describe((kecs_kind)kind)->order.columns[0];
  query.limit = MIGRATE_PAGE;
  query.page_token = token;
  return kecs_record_list(store, (kecs_kind)kind, &query, out_page);
}

/* Documents and digests of the rows of a result. */
static kecs_status fill_page(kecs_result *result, moved_page *page) {
  const kecs_kind_info *info = page->kind ? kecs_kind_describe((kecs_kind)page->kind) : NULL;
  size_t starts[MIGRATE_PAGE];
  page->texts.len = 0;
  page->count = kecs_result_count(result);
  for (size_t i = 0; i < page->count; i++) {
    moved_row *row = &page->rows[i];
    if (info) {
      const void *stored = kecs_record_at(result, info->kind, i);
      kecs_status status = kecs_record_json(result, info, stored, KECS_JSON_STORE, &row->document);
      if (status) {
        return status;
      }
    } else {
      row->counter = kecs_family_counter_at(result, i);
      starts[i] = page->texts.len;
      add_counter(&page->texts, row->counter);
      add_bytes(&page->texts, "", 1);
    }
  }
  for (size_t i = 0; i < page->count; i++) {
    moved_row *row = &page->rows[i];
    row->document = info ? row->document : page->texts.data + starts[i];
    row->mark = digest_of(page->kind, row->document);
  }
  return KECS_OK;
}

/* Calls `visit` with all rows of a kind, page by page. */
static kecs_status each_page(migration *all, kecs_store *store, int kind,
                             kecs_status (*visit)(migration *all, moved_page *page)) {
  kecs_result *result = NULL;
  moved_page *page = need(calloc(1, sizeof *page));
  page->kind = kind;
  kecs_status status = read_moved(store, kind, NULL, &result);
  while (!status && result) {
    kecs_result *next = NULL;
    status = fill_page(result, page);
    if (!status) {
      status = visit(all, page);
    }
    all->done += (int64_t)page->count;
    draw_progress(&all->bar, all->done, all->done, all->doing);
    if (!status && kecs_result_page_token(result)) {
      status = read_moved(store, kind, kecs_result_page_token(result), &next);
    }
    kecs_result_free(result);
    result = next;
  }
  kecs_result_free(result);
  free(page->texts.data);
  free(page);
  return status;
}

/* ---- counting ---- */

static kecs_status visit_count(migration *all, moved_page *page) {
  all->there += (int64_t)page->count;
  return KECS_OK;
}

static kecs_status count_rows(migration *all, kecs_store *store, int64_t rows[KECS_KIND_COUNT], int64_t *out_total) {
  kecs_status status = KECS_OK;
  *out_total = 0;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    status = kecs_record_count(store, (kecs_kind)kind, NULL, &rows[kind]);
    *out_total += rows[kind];
  }
  if (!status) { /* there are few */
    all->there = 0;
    status = each_page(all, store, 0, visit_count);
    rows[0] = all->there;
    *out_total += rows[0];
  }
  all->there = 0;
  all->done = 0;
  return status;
}

static void print_counts(const migration *all) {
  buffer out = {NULL, 0, 0};
  if (!all->args->json && !all->args->jsonl) {
    printf("%-22s %12s %12s\n", "KIND", "FROM", "TO");
  }
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    if (!all->args->json && !all->args->jsonl) {
      printf("%-22s %12lld %12lld\n", moved_name(kind), (long long)all->from_rows[kind], (long long)all->to_rows[kind]);
    } else {
      add_text(&out, all->args->jsonl ? "{\"kind\":" : kind > 0 ? ",{\"kind\":" : "[{\"kind\":");
      add_quoted(&out, moved_name(kind));
      add_text(&out, ",\"from\":");
      add_number(&out, (long long)all->from_rows[kind]);
      add_text(&out, ",\"to\":");
      add_number(&out, (long long)all->to_rows[kind]);
      add_text(&out, all->args->jsonl ? "}\n" : "}");
    }
  }
  add_text(&out, all->args->json ? "]\n" : "");
  print_buffer(&out);
  free(out.data);
}

/* ---- what is there already ---- */

static void begin_phase(migration *all, const char *doing, int64_t total) {
  clear_progress(&all->bar);
  all->doing = doing;
  all->done = 0;
  begin_progress(&all->bar, total);
}

static kecs_status visit_hold(migration *all, moved_page *page) {
  for (size_t i = 0; i < page->count; i++) {
    digests_add(&all->held[page->kind], page->rows[i].mark);
  }
  return KECS_OK;
}

static kecs_status visit_match(migration *all, moved_page *page) {
  for (size_t i = 0; i < page->count; i++) {
    if (digests_have(&all->held[page->kind], page->rows[i].mark)) {
      all->there++;
      all->strange[page->kind]--;
    }
  }
  return KECS_OK;
}

/* Finds out which rows the target has, and how many of them are not the source's. */
static kecs_status compare_stores(migration *all, int64_t *out_strange) {
  kecs_status status = KECS_OK;
  *out_strange = 0;
  all->there = 0;
  for (int i = 0; !status && i < all->kind_count; i++) {
    int kind = all->kinds[i];
    all->held[kind].count = 0;
    status = each_page(all, all->to, kind, visit_hold);
    digests_sort(&all->held[kind]);
    all->strange[kind] = (int64_t)all->held[kind].count;
    if (!status) {
      status = each_page(all, all->from, kind, visit_match);
    }
    *out_strange += all->strange[kind];
  }
  return status;
}

static exit_code refuse_target(const migration *all, int64_t strange) {
  buffer list = {NULL, 0, 0};
  add_text(&list, "");
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    if (all->strange[kind] > 0) {
      add_text(&list, list.len > 0 ? ", " : "");
      add_number(&list, (long long)all->strange[kind]);
      add_text(&list, " ");
      add_text(&list, moved_name(kind));
    }
  }
  complain("%s is not empty: %lld of its rows are not in %s (%s). Give an empty target; or --merge, and rows that both "
           "have become those of the source. Nothing was changed",
           all->to_name, (long long)strange, all->from_name, list.data);
  free(list.data);
  return EXIT_CONFLICT;
}

/* ---- copying ---- */

typedef struct moved_batch {
  const migration *all;
  const moved_page *page;
} moved_batch;

static kecs_status put_batch(kecs_store *tx, void *user) {
  const moved_batch *batch = user;
  const digests *held = &batch->all->held[batch->page->kind];
  const char *documents[MIGRATE_PAGE];
  size_t count = 0;
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < batch->page->count; i++) {
    const moved_row *row = &batch->page->rows[i];
    if (digests_have(held, row->mark)) {
      continue;
    }
    if (row->counter) {
      status = kecs_task_definition_counter_raise(tx, row->counter);
    } else {
      documents[count++] = row->document;
    }
  }
  return status || count == 0
             ? status
             : kecs_put_json_many(tx, (kecs_kind)batch->page->kind, documents, count, KECS_JSON_STORE);
}

static kecs_status visit_copy(migration *all, moved_page *page) {
  moved_batch batch = {all, page};
  int64_t missing = 0;
  for (size_t i = 0; i < page->count; i++) {
    missing += digests_have(&all->held[page->kind], page->rows[i].mark) ? 0 : 1;
  }
  kecs_status status = missing > 0 ? kecs_transact(all->to, put_batch, &batch, 0) : KECS_OK;
  all->copied += status ? 0 : missing;
  return status;
}

static kecs_status copy_stores(migration *all) {
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < all->kind_count; i++) {
    status = each_page(all, all->from, all->kinds[i], visit_copy);
  }
  return status;
}

/* ---- the proof ---- */

static kecs_status visit_sum(migration *all, moved_page *page) {
  for (size_t i = 0; i < page->count; i++) {
    digest_add(&all->held[page->kind].sum, page->rows[i].mark);
  }
  all->there += (int64_t)page->count;
  return KECS_OK;
}

/* The digest of a store, and how many rows it is of. */
static kecs_status sum_store(migration *all, kecs_store *store, digest *out, int64_t *out_rows) {
  kecs_status status = KECS_OK;
  memset(out, 0, sizeof *out);
  all->there = 0;
  for (int i = 0; !status && i < all->kind_count; i++) {
    digests *one = &all->held[all->kinds[i]];
    memset(&one->sum, 0, sizeof one->sum);
    status = each_page(all, store, all->kinds[i], visit_sum);
    digest_add(out, one->sum);
  }
  *out_rows = all->there;
  return status;
}

static void tell_equal(const migration *all, int64_t rows, int64_t before, digest sum) {
  if (all->args->json || all->args->jsonl) {
    printf("{\"rows\":%lld,\"copied\":%lld,\"there\":%lld,\"digest\":\"%016llx%016llx\"}\n", (long long)rows,
           (long long)all->copied, (long long)before, (unsigned long long)sum.b, (unsigned long long)sum.a);
  } else {
    printf("%lld rows copied, %lld were there\nverified: %lld rows, digest %016llx%016llx\n", (long long)all->copied,
           (long long)before, (long long)rows, (unsigned long long)sum.b, (unsigned long long)sum.a);
  }
}

/* Both stores are read once more. With --merge the target may have more; then each row of the source is looked up. */
static exit_code verify_stores(migration *all, int64_t before) {
  digest from = {0, 0};
  digest to = {0, 0};
  int64_t rows = 0;
  int64_t to_rows = 0;
  kecs_status status = sum_store(all, all->from, &from, &rows);
  if (!status && all->args->values[OPTION_MERGE]) {
    int64_t strange = 0;
    status = compare_stores(all, &strange);
    to_rows = all->there;
    to = from;
  } else if (!status) {
    status = sum_store(all, all->to, &to, &to_rows);
  }
  clear_progress(&all->bar);
  if (status) {
    return fail(status);
  }
  if (rows != to_rows || !digest_same(from, to)) {
    complain("%s is not equal to %s: %lld rows, %lld rows. One of them was written meanwhile, or the target had rows "
             "of a higher version; run it again when both are at rest",
             all->to_name, all->from_name, (long long)to_rows, (long long)rows);
    return EXIT_FAILED;
  }
  tell_equal(all, rows, before, from);
  return EXIT_GOOD;
}

/* ---- the command ---- */

static exit_code migrate_rows(migration *all) {
  int64_t from_total = 0;
  int64_t to_total = 0;
  int64_t strange = 0;
  kecs_status status = count_rows(all, all->from, all->from_rows, &from_total);
  if (!status && all->to) {
    status = count_rows(all, all->to, all->to_rows, &to_total);
  }
  if (status) {
    return fail(status);
  }
  if (all->args->values[OPTION_DRY_RUN]) {
    print_counts(all);
    return EXIT_GOOD;
  }
  if (to_total > 0) {
    begin_phase(all, "rows compared", from_total + to_total);
    status = compare_stores(all, &strange);
  }
  int64_t before = all->there;
  if (!status && strange > 0 && !all->args->values[OPTION_MERGE]) {
    clear_progress(&all->bar);
    return refuse_target(all, strange);
  }
  if (!status) {
    begin_phase(all, "rows copied", from_total);
    status = copy_stores(all);
  }
  if (status) {
    clear_progress(&all->bar);
    return fail(status);
  }
  begin_phase(all, "rows verified", 2 * from_total);
  return verify_stores(all, before);
}

static const char *shown_store(kecs_store *store) {
  kecs_info info;
  return kecs_store_info(store, &info) ? "the store" : info.path;
}

/* The target; NULL with EXIT_GOOD when it does not exist and is not to be made. */
static kecs_store *open_target(const arguments *args, exit_code *code) {
  const char *path = args->values[OPTION_TO];
  bool dry = args->values[OPTION_DRY_RUN] != NULL;
  if (dry && storage_at(path) == STORAGE_FILE && access(path, F_OK) != 0) {
    *code = EXIT_GOOD;
    return NULL;
  }
  return open_path(args, path, dry ? ACCESS_LOOK : ACCESS_CREATE, code);
}

static exit_code check_ends(const arguments *args) {
  const char *from = args->values[OPTION_FROM];
  const char *to = args->values[OPTION_TO];
  if (!from || !from[0] || !to || !to[0]) {
    return usage_error(args, "migrate needs --from and --to: a file or a URL each");
  }
  if (args->db || args->values[OPTION_POSTGRES_URL] || args->values[OPTION_STORAGE]) {
    return usage_error(args, "migrate takes its two stores from --from and --to alone");
  }
  return strcmp(from, to) == 0 ? usage_error(args, "--from and --to are the same store") : EXIT_GOOD;
}

static exit_code run_migrate(const arguments *args) {
  exit_code code = check_ends(args);
  migration *all = need(calloc(1, sizeof *all));
  bool every[KECS_KIND_COUNT];
  kecs_kind order[KECS_KIND_COUNT];
  memset(every, true, sizeof every);
  int count = export_order(every, order);
  for (int i = 0; i < count; i++) {
    if (order[i] == KECS_KIND_TASK_DEFINITION) {
      all->kinds[all->kind_count++] = 0;
    }
    all->kinds[all->kind_count++] = (int)order[i];
  }
  all->args = args;
  all->from = code ? NULL : open_path(args, args->values[OPTION_FROM], ACCESS_READ, &code);
  all->to = code ? NULL : open_target(args, &code);
  if (!code) {
    all->from_name = shown_store(all->from);
    all->to_name = all->to ? shown_store(all->to) : "the target";
    code = migrate_rows(all);
  }
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    free(all->held[kind].list);
  }
  kecs_close(all->to);
  kecs_close(all->from);
  free(all);
  return code;
}
