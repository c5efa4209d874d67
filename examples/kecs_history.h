/* kecs_history.h -- history, diff and get --as-of: what rows were, and who changed them. */

/* ---- moments ---- */

/* A time as the library reads times: any column of that type says how. */
static bool read_time(const char *text, int64_t *out_us) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < info->column_count; i++) {
      kecs_filter filter;
      if (info->columns[i].type == KECS_TYPE_TIME) {
        kecs_status status = kecs_filter_parse(info->kind, info->columns[i].name, KECS_EQ, text, &filter);
        *out_us = status ? 0 : filter.number;
        return !status && filter.number != 0;
      }
    }
  }
  return false;
}

/* "117" is a sequence, all else a time. */
static exit_code read_moment(const arguments *args, const char *name, const char *text, int64_t *seq,
                             int64_t *time_us) {
  bool number = text[0] && text[strspn(text, "0123456789")] == '\0';
  if (number ? !read_number(text, seq) || *seq < 1 : !read_time(text, time_us)) {
    return usage_error(args, "%s \"%s\" is neither a sequence of the change log nor a time, such as "
                             "2024-05-01T10:00:00Z",
                       name, text);
  }
  return EXIT_GOOD;
}

/* get --as-of */
static kecs_status get_as_of(const arguments *args, kecs_store *store, const kecs_kind_info *info, const char *key,
                             exit_code *code, kecs_result **out_result) {
  int64_t seq = 0;
  int64_t time_us = 0;
  *code = read_moment(args, "--as-of", args->values[OPTION_AS_OF], &seq, &time_us);
  return *code ? KECS_E_INVALID : kecs_get_at(store, info->kind, key, seq, time_us, out_result);
}

/* ---- tables of texts ---- */

typedef struct sheet {
  int columns;
  cell *cells; /* row by row, the heading first */
  size_t count;
} sheet;

static void add_sheet_cell(sheet *out, buffer *text) {
  out->cells = need(realloc(out->cells, (out->count + 1) * sizeof *out->cells));
  out->cells[out->count++] = make_cell(text);
}

static void add_sheet_text(sheet *out, const char *text) {
  buffer copy = {NULL, 0, 0};
  add_text(&copy, text ? text : "");
  add_sheet_cell(out, &copy);
}

/* Prints it and gives its memory back. */
static void end_sheet(sheet *out) {
  for (size_t i = 0; i < out->count; i++) {
    int column = (int)(i % (size_t)out->columns);
    size_t width = 0;
    for (size_t at = (size_t)column; at < out->count; at += (size_t)out->columns) {
      width = out->cells[at].width > width ? out->cells[at].width : width;
    }
    print_cell(&out->cells[i], width, false, column == out->columns - 1);
  }
  for (size_t i = 0; i < out->count; i++) {
    free(out->cells[i].text);
  }
  free(out->cells);
}

/* ---- history ---- */

static bool same_value(const kecs_kind_info *info, const void *a, const void *b, int column) {
  buffer one = {NULL, 0, 0};
  buffer other = {NULL, 0, 0};
  add_text(&one, "");
  add_text(&other, "");
  add_value(&one, info, a, column, 0);
  add_value(&other, info, b, column, 0);
  bool null = kecs_record_text(info, a, column, NULL, 0, NULL) != kecs_record_text(info, b, column, NULL, 0, NULL);
  bool same = !null && strcmp(one.data, other.data) == 0;
  free(one.data);
  free(other.data);
  return same;
}

/* The columns that an update has changed, but for those that every update does. */
static void add_changed(buffer *out, const kecs_kind_info *info, const kecs_history_entry *entry, const char *between) {
  bool more = false;
  add_text(out, "");
  for (int i = 0; entry->row && entry->old_row && i < info->column_count; i++) {
    if (!(info->columns[i].flags & KECS_COLUMN_AUTO) && !same_value(info, entry->row, entry->old_row, i)) {
      add_text(out, more ? between : "");
      add_text(out, info->columns[i].name);
      more = true;
    }
  }
}

static void add_member(buffer *out, const char *name, const char *text) {
  if (text) {
    add_text(out, ",\"");
    add_text(out, name);
    add_text(out, "\":");
    add_quoted(out, text);
  }
}

/* With --full the row as it was before, as well. */
static kecs_status add_entry_json(const arguments *args, buffer *out, kecs_result *result, const kecs_kind_info *info,
                                  const kecs_history_entry *entry) {
  const char *document = NULL;
  kecs_status status = KECS_OK;
  add_text(out, "{\"seq\":");
  add_number(out, (long long)entry->seq);
  add_text(out, ",\"time\":\"");
  add_time(out, entry->stamp);
  add_text(out, "\",\"op\":");
  add_quoted(out, op_name(entry->op));
  add_member(out, "actor", entry->actor);
  add_member(out, "reason", entry->reason);
  if (entry->op == KECS_CHANGE_UPDATED) {
    buffer names = {NULL, 0, 0};
    add_changed(&names, info, entry, "\",\"");
    add_text(out, names.len ? ",\"changed\":[\"" : ",\"changed\":[");
    add_text(out, names.data);
    add_text(out, names.len ? "\"]" : "]");
    free(names.data);
  }
  if (args->values[OPTION_FULL] && entry->old_row) {
    status = kecs_record_json(result, info, entry->old_row, args->flags, &document);
    add_text(out, ",\"before\":");
    add_line(out, status ? "null" : document);
  }
  add_text(out, "}");
  return status;
}

static kecs_status print_entries_json(const arguments *args, kecs_result *result, const kecs_kind_info *info) {
  buffer out = {NULL, 0, 0};
  kecs_status status = KECS_OK;
  add_text(&out, args->json ? "{\"items\":[" : "");
  for (size_t i = 0; !status && i < kecs_result_count(result); i++) {
    add_text(&out, args->json && i > 0 ? "," : "");
    status = add_entry_json(args, &out, result, info, kecs_history_at(result, i));
    add_text(&out, args->json ? "" : "\n");
  }
  if (args->json) {
    add_text(&out, "],\"nextToken\":");
    if (kecs_result_page_token(result)) {
      add_quoted(&out, kecs_result_page_token(result));
    } else {
      add_text(&out, "null");
    }
    add_text(&out, "}\n");
  }
  if (!status) {
    print_buffer(&out);
  }
  free(out.data);
  return status;
}

static void print_entries(const kecs_result *result, const kecs_kind_info *info) {
  static const char *const headings[] = {"SEQ", "TIME", "CHANGE", "ACTOR", "REASON", "COLUMNS"};
  sheet page = {6, NULL, 0};
  for (int i = 0; i < page.columns; i++) {
    add_sheet_text(&page, headings[i]);
  }
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    const kecs_history_entry *entry = kecs_history_at(result, i);
    buffer seq = {NULL, 0, 0};
    buffer time = {NULL, 0, 0};
    buffer changed = {NULL, 0, 0};
    add_number(&seq, (long long)entry->seq);
    add_time(&time, entry->stamp);
    add_changed(&changed, info, entry, ",");
    add_sheet_cell(&page, &seq);
    add_sheet_cell(&page, &time);
    add_sheet_text(&page, op_name(entry->op));
    add_sheet_text(&page, entry->actor);
    add_sheet_text(&page, entry->reason);
    add_sheet_cell(&page, &changed);
  }
  end_sheet(&page);
}

static exit_code read_history_query(const arguments *args, kecs_history_query *query) {
  const char *limit = args->values[OPTION_LIMIT];
  const char *from = args->values[OPTION_FROM];
  const char *to = args->values[OPTION_TO];
  int64_t number = 0;
  memset(query, 0, sizeof *query);
  if (limit && (!read_number(limit, &number) || number < 1 || number > INT32_MAX)) {
    return usage_error(args, "--limit \"%s\" is not a number from 1", limit);
  }
  if (from && !read_time(from, &query->from_us)) {
    return usage_error(args, "--from \"%s\" is not a time, such as 2024-05-01T10:00:00Z", from);
  }
  if (to && !read_time(to, &query->to_us)) {
    return usage_error(args, "--to \"%s\" is not a time, such as 2024-05-01T10:00:00Z", to);
  }
  query->limit = (int)number;
  query->page_token = args->values[OPTION_PAGE_TOKEN];
  query->rows = true;
  return EXIT_GOOD;
}

static exit_code run_history(const arguments *args) {
  exit_code code = EXIT_GOOD;
  kecs_result *result = NULL;
  kecs_history_query query;
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  code = code ? code : read_history_query(args, &query);
  kecs_store *store = code ? NULL : open_store(args, ACCESS_READ, &code);
  if (!store) {
    return code;
  }
  kecs_status status = kecs_history(store, info->kind, args->operands[1], &query, &result);
  if (!status && (args->json || args->jsonl)) {
    status = print_entries_json(args, result, info);
  } else if (!status) {
    print_entries(result, info);
  }
  if (status) {
    code = fail_asked(status);
  } else if (kecs_result_page_token(result) && !args->json) {
    fprintf(stderr, "more changes follow: --page-token %s\n", kecs_result_page_token(result));
  }
  kecs_result_free(result);
  kecs_close(store);
  return code;
}

/* ---- diff ---- */

static void add_difference_json(buffer *out, const kecs_difference *one) {
  add_text(out, "{\"path\":");
  add_quoted(out, one->path);
  if (one->old_text) {
    add_text(out, ",\"old\":");
    add_line(out, one->old_text);
  }
  if (one->new_text) {
    add_text(out, ",\"new\":");
    add_line(out, one->new_text);
  }
  add_text(out, "}");
}

static void print_differences(const arguments *args, const kecs_result *result) {
  buffer out = {NULL, 0, 0};
  sheet page = {3, NULL, 0};
  bool documents = args->json || args->jsonl;
  add_text(&out, args->json ? "{\"items\":[" : "");
  add_sheet_text(&page, "PATH");
  add_sheet_text(&page, "OLD");
  add_sheet_text(&page, "NEW");
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    const kecs_difference *one = kecs_diff_at(result, i);
    add_text(&out, args->json && i > 0 ? "," : "");
    if (documents) {
      add_difference_json(&out, one);
      add_text(&out, args->json ? "" : "\n");
    } else {
      add_sheet_text(&page, one->path);
      add_sheet_text(&page, one->old_text ? one->old_text : "-");
      add_sheet_text(&page, one->new_text ? one->new_text : "-");
    }
  }
  add_text(&out, args->json ? "]}\n" : "");
  print_buffer(&out);
  free(out.data);
  page.count = documents ? 0 : page.count;
  end_sheet(&page);
}

static exit_code read_version(const arguments *args, option_id id, int64_t *out_seq) {
  const char *text = args->values[id];
  if (text && (!read_number(text, out_seq) || *out_seq < 1)) {
    return usage_error(args, "%s \"%s\" is no sequence; `kecs history` tells them",
                       id == OPTION_FROM ? "--from" : "--to", text);
  }
  return EXIT_GOOD;
}

static exit_code run_diff(const arguments *args) {
  exit_code code = EXIT_GOOD;
  kecs_result *result = NULL;
  int64_t from = 0;
  int64_t to = 0;
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  code = code ? code : read_version(args, OPTION_FROM, &from);
  code = code ? code : read_version(args, OPTION_TO, &to);
  kecs_store *store = code ? NULL : open_store(args, ACCESS_READ, &code);
  if (!store) {
    return code;
  }
  kecs_status status = kecs_diff(store, info->kind, args->operands[1], from, to, args->flags, &result);
  if (status) {
    code = fail_asked(status);
  } else {
    print_differences(args, result);
  }
  kecs_result_free(result);
  kecs_close(store);
  return code;
}

/* ---- what `track` says of it ---- */

/* "all", "none", or names of kinds joined by commas. `kinds` has room for all of them. */
static exit_code read_kept(const arguments *args, kecs_kind *kinds, kecs_history_options *out) {
  const char *text = args->values[OPTION_HISTORY];
  const char *rows = args->values[OPTION_ROWS];
  const char *days = args->values[OPTION_DAYS];
  int64_t number = 0;
  exit_code code = EXIT_GOOD;
  memset(out, 0, sizeof *out);
  if ((rows || days) && (!text || strcmp(text, "none") == 0)) {
    return usage_error(args, "--rows and --days say how much --history keeps");
  }
  if (!text) {
    return EXIT_GOOD;
  }
  out->track = strcmp(text, "none") == 0 ? KECS_TRACK_OFF : KECS_TRACK_ON;
  out->kinds = kinds;
  while (out->track == KECS_TRACK_ON && strcmp(text, "all") != 0 && *text && !code) {
    char name[WORD_MAX + 1];
    size_t len = strcspn(text, ",");
    snprintf(name, sizeof name, "%.*s", (int)len, text);
    const kecs_kind_info *info = read_kind(args, name, &code);
    if (!code && out->kind_count < KECS_KIND_COUNT) {
      kinds[out->kind_count++] = info->kind;
    }
    text += len + (text[len] ? 1 : 0);
    text = *text ? text : "all";
  }
  if (!code && rows && (!read_number(rows, &number) || number < 1 || number > INT32_MAX)) {
    return usage_error(args, "--rows \"%s\" is not a number from 1", rows);
  }
  out->rows_max = (int)number;
  number = 0;
  if (!code && days && (!read_number(days, &number) || number < 1 || number > 36500)) {
    return usage_error(args, "--days \"%s\" is not a number from 1 to 36500", days);
  }
  out->age_us = number * 24 * 3600 * 1000000;
  return code;
}

static kecs_status print_kept(const arguments *args, kecs_store *store) {
  kecs_history_info info;
  kecs_status status = kecs_history_describe(store, &info);
  bool more = false;
  bool json = args->json || args->jsonl;
  printf(json ? ",\"history\":[" : info.kinds ? "history is kept of " : "history is not kept");
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (info.kinds & KECS_BIT(kind)) {
      const char *quote = json ? "\"" : "";
      printf("%s%s%s%s", more ? (json ? "," : ", ") : "", quote, kecs_kind_describe((kecs_kind)kind)->name, quote);
      more = true;
    }
  }
  long long days = (long long)(info.age_us / 1000000 / 3600 / 24);
  if (json) {
    printf("],\"historyRows\":%d,\"historyDays\":%lld}\n", info.rows_max, days);
  } else if (info.kinds) {
    printf(": %d changes of a row, of %lld days (0: without bound)\n", info.rows_max, days);
  } else {
    printf("\n");
  }
  return status;
}
