/* kecs_rows.h -- get, list, update and delete: one row, or a page of them. */

/* --columns, or what `fallback` chose. */
static exit_code choose_columns(const arguments *args, const kecs_kind_info *info, choice *chosen) {
  const char *text = args->values[OPTION_COLUMNS];
  if (!text) {
    return EXIT_GOOD;
  }
  memset(chosen, 0, sizeof *chosen);
  while (*text) {
    size_t len = strcspn(text, ",");
    exit_code code = EXIT_GOOD;
    int column = read_column(args, info, text, len, &code);
    if (code) {
      return code;
    }
    choose(chosen, column);
    text += len + (text[len] ? 1 : 0);
  }
  return chosen->count > 0 ? EXIT_GOOD : usage_error(args, "--columns names no column");
}

static exit_code print_document(const arguments *args, kecs_result *result, const kecs_kind_info *info,
                                const void *row) {
  const char *document = NULL;
  buffer out = {NULL, 0, 0};
  kecs_status status = kecs_record_json(result, info, row, args->flags, &document);
  if (status) {
    return fail(status);
  }
  if (args->jsonl) {
    add_line(&out, document);
  } else {
    add_text(&out, document);
  }
  add_text(&out, "\n");
  print_buffer(&out);
  free(out.data);
  return EXIT_GOOD;
}

static exit_code run_get(const arguments *args) {
  exit_code code = EXIT_GOOD;
  kecs_result *result = NULL;
  choice chosen = {{0}, 0, 0, 0};
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  for (int i = 0; !code && i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (column->json[0] || !is_number(column)) { /* a number that no document shows is the store's own business */
      choose(&chosen, i);
    }
  }
  code = code ? code : choose_columns(args, info, &chosen);
  kecs_store *store = code ? NULL : open_store(args, ACCESS_READ, &code);
  if (!store) {
    return code;
  }
  kecs_status status = args->values[OPTION_AS_OF]
                           ? get_as_of(args, store, info, args->operands[1], &code, &result)
                           : kecs_record_get(store, info->kind, args->operands[1], &result);
  const void *row = status ? NULL : kecs_record_at(result, info->kind, 0);
  if (status) {
    code = code ? code : fail_asked(status);
  } else if (args->json || args->jsonl) {
    code = print_document(args, result, info, row);
  } else {
    print_row(info, row, &chosen, args->flags);
  }
  kecs_result_free(result);
  kecs_close(store);
  return code;
}

/* ---- list ---- */

/* "name^=web": column, operator, value. */
static exit_code read_where(const arguments *args, const kecs_kind_info *info, const char *text, kecs_filter *out) {
  static const struct {
    const char *sign;
    kecs_op op;
  } operators[] = {{"!=", KECS_NE}, {"<=", KECS_LE}, {">=", KECS_GE}, {"^=", KECS_PREFIX},
                   {"=", KECS_EQ},  {"<", KECS_LT},  {">", KECS_GT},  {"~", KECS_CONTAINS}};
  exit_code code = EXIT_GOOD;
  size_t len = strcspn(text, "!<>^=~");
  for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
    size_t sign = strlen(operators[i].sign);
    if (len == 0 || strncmp(text + len, operators[i].sign, sign) != 0) {
      continue;
    }
    int column = read_column(args, info, text, len, &code);
    if (code) {
      return code;
    }
    const char *name = info->columns[column].name;
    kecs_status status = kecs_filter_parse(info->kind, name, operators[i].op, text + len + sign, out);
    return status ? fail_asked(status) : EXIT_GOOD;
  }
  return usage_error(args, "--where \"%s\" is not COLUMN OPERATOR VALUE, such as status=ACTIVE", text);
}

static exit_code read_query(const arguments *args, const kecs_kind_info *info, kecs_filter *filters,
                            kecs_query *query) {
  const char *limit = args->values[OPTION_LIMIT];
  int64_t number = 0;
  memset(query, 0, sizeof *query);
  for (int i = 0; i < args->where_count; i++) {
    exit_code code = read_where(args, info, args->where[i], &filters[i]);
    if (code) {
      return code;
    }
  }
  if (limit && (!read_number(limit, &number) || number < 1 || number > INT32_MAX)) {
    return usage_error(args, "--limit \"%s\" is not a number from 1", limit);
  }
  query->where = filters;
  query->where_count = (size_t)args->where_count;
  query->limit = (int)number;
  query->page_token = args->values[OPTION_PAGE_TOKEN];
  return EXIT_GOOD;
}

static kecs_status print_items(const arguments *args, const kecs_kind_info *info, kecs_result *result) {
  buffer out = {NULL, 0, 0};
  kecs_status status = KECS_OK;
  add_text(&out, args->json ? "{\"items\":[" : "");
  for (size_t i = 0; !status && i < kecs_result_count(result); i++) {
    const char *document = NULL;
    status = kecs_record_json(result, info, kecs_record_at(result, info->kind, i), args->flags, &document);
    if (!status && args->json) {
      add_text(&out, i > 0 ? "," : "");
      add_text(&out, document);
    } else if (!status) {
      add_line(&out, document);
      add_text(&out, "\n");
    }
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

static exit_code run_list(const arguments *args) {
  exit_code code = EXIT_GOOD;
  kecs_result *result = NULL;
  kecs_query query;
  choice chosen = {{0}, 0, 0, 0};
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  kecs_filter *filters = need(calloc((size_t)args->where_count + 1, sizeof *filters));
  if (!code) {
    choose_default(info, &chosen);
    code = choose_columns(args, info, &chosen);
  }
  code = code ? code : read_query(args, info, filters, &query);
  kecs_store *store = code ? NULL : open_store(args, ACCESS_READ, &code);
  if (!store) {
    free(filters);
    return code;
  }
  kecs_status status = kecs_record_list(store, info->kind, &query, &result);
  if (!status && (args->json || args->jsonl)) {
    status = print_items(args, info, result);
  } else if (!status) {
    table page;
    begin_table(&page, info, &chosen, args->flags);
    for (size_t i = 0; i < kecs_result_count(result); i++) {
      add_row(&page, kecs_record_at(result, info->kind, i));
    }
    end_table(&page);
  }
  if (status) {
    code = fail_asked(status);
  } else if (kecs_result_page_token(result) && !args->json) {
    fprintf(stderr, "more rows follow: --page-token %s\n", kecs_result_page_token(result));
  }
  kecs_result_free(result);
  kecs_close(store);
  free(filters);
  return code;
}

/* ---- update and delete ---- */

/* Cuts "COLUMN=VALUE" at its sign. */
static exit_code read_set(const arguments *args, const kecs_kind_info *info, kecs_assignment *one) {
  exit_code code = EXIT_GOOD;
  bool unset = !one->text;
  size_t len = unset ? strlen(one->column) : strcspn(one->column, "=");
  if (!unset && one->column[len] != '=') {
    return usage_error(args, "--set \"%s\" is not COLUMN=VALUE", one->column);
  }
  int column = read_column(args, info, one->column, len, &code);
  if (code) {
    return code;
  }
  one->text = unset ? NULL : one->column + len + 1;
  one->column = info->columns[column].name;
  return EXIT_GOOD;
}

static exit_code run_update(const arguments *args) {
  exit_code code = EXIT_GOOD;
  kecs_result *result = NULL;
  int64_t version = 0;
  const char *given = args->values[OPTION_VERSION];
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  for (int i = 0; !code && i < args->set_count; i++) {
    code = read_set(args, info, &args->set[i]);
  }
  if (!code && args->set_count == 0) {
    code = usage_error(args, "update needs --set COLUMN=VALUE or --unset COLUMN");
  }
  if (!code && given && (!read_number(given, &version) || version < 1)) {
    code = usage_error(args, "--version \"%s\" is not a number from 1", given);
  }
  kecs_store *store = code ? NULL : open_store(args, ACCESS_WRITE, &code);
  if (!store) {
    return code;
  }
  kecs_status status = kecs_record_assign(store, info->kind, args->operands[1], args->set, (size_t)args->set_count,
                                          version, &result);
  const void *row = status ? NULL : kecs_record_at(result, info->kind, 0);
  if (status) {
    code = fail_asked(status);
  } else if (args->json || args->jsonl) {
    code = print_document(args, result, info, row);
  } else {
    int column = kecs_column_find(info, "version");
    buffer text = {NULL, 0, 0};
    add_text(&text, column < 0 ? "" : ": version ");
    if (column >= 0) {
      add_value(&text, info, row, column, 0);
    }
    fprintf(stderr, "%s %s updated%s\n", info->name, args->operands[1], text.data);
    free(text.data);
  }
  kecs_result_free(result);
  kecs_close(store);
  return code;
}

static exit_code run_delete(const arguments *args) {
  exit_code code = EXIT_GOOD;
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  kecs_store *store = code ? NULL : open_store(args, ACCESS_WRITE, &code);
  if (!store) {
    return code;
  }
  kecs_status status = kecs_record_delete(store, info->kind, args->operands[1]);
  if (status) {
    code = fail_asked(status);
  } else {
    fprintf(stderr, "%s %s deleted\n", info->name, args->operands[1]);
  }
  kecs_close(store);
  return code;
}
