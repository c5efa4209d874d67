/* kecs_about.h -- describe-kind, stat and version: what there is to know without reading a row. */

static const char *const type_names[] = {"text", "document", "number", "number or none", "boolean", "time", "rank"};
static const char *const group_names[] = {"key", "spec", "status", "local"};

static void add_columns(buffer *out, const kecs_kind_info *info, const kecs_column_list *list) {
  for (int i = 0; i < list->count; i++) {
    add_text(out, i > 0 ? "," : "");
    add_text(out, info->columns[list->columns[i]].name);
  }
}

static void add_column_names(buffer *out, const kecs_kind_info *info, const kecs_column_list *list) {
  add_text(out, "[");
  for (int i = 0; i < list->count; i++) {
    add_text(out, i > 0 ? "," : "");
    add_quoted(out, info->columns[list->columns[i]].name);
  }
  add_text(out, "]");
}

static void add_kind(buffer *out, const kecs_kind_info *info) {
  add_text(out, "{\"kind\":");
  add_quoted(out, info->name);
  add_text(out, ",\"table\":");
  add_quoted(out, info->table);
  add_text(out, ",\"address\":");
  add_column_names(out, info, &info->address);
  add_text(out, ",\"order\":");
  add_column_names(out, info, &info->order);
  add_text(out, ",\"keys\":[");
  for (int i = 0; i < info->key_count; i++) {
    add_text(out, i > 0 ? "," : "");
    add_column_names(out, info, &info->keys[i]);
  }
  add_text(out, "],\"references\":[");
  for (int i = 0; i < info->reference_count; i++) {
    add_text(out, i > 0 ? ",{\"column\":" : "{\"column\":");
    add_quoted(out, info->columns[info->references[i].column].name);
    add_text(out, ",\"kind\":");
    add_quoted(out, kecs_kind_describe(info->references[i].parent)->name);
    add_text(out, "}");
  }
  add_text(out, "],\"columns\":[");
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    add_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
    add_quoted(out, column->name);
    add_text(out, ",\"type\":");
    add_quoted(out, type_names[column->type]);
    add_text(out, ",\"group\":");
    add_quoted(out, group_names[column->group]);
    add_text(out, column->flags & KECS_COLUMN_NOT_NULL ? ",\"required\":true" : ",\"required\":false");
    add_text(out, ",\"member\":");
    add_quoted(out, column->json);
    add_text(out, ",\"meaning\":");
    add_quoted(out, column->meaning);
    add_text(out, "}");
  }
  add_text(out, "]}");
}

static void describe_all(const arguments *args) {
  buffer out = {NULL, 0, 0};
  add_text(&out, args->json ? "[" : "");
  if (!args->json && !args->jsonl) {
    printf("%-20s %-24s %s\n", "KIND", "TABLE", "ADDRESS");
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    if (args->json || args->jsonl) {
      add_text(&out, args->json && kind > 1 ? "," : "");
      add_kind(&out, info);
      add_text(&out, args->jsonl ? "\n" : "");
    } else {
      buffer address = {NULL, 0, 0};
      add_columns(&address, info, &info->address);
      printf("%-20s %-24s %s\n", info->name, info->table, address.data);
      free(address.data);
    }
  }
  add_text(&out, args->json ? "]\n" : "");
  print_buffer(&out);
  free(out.data);
}

static void describe_one(const kecs_kind_info *info) {
  buffer text = {NULL, 0, 0};
  add_text(&text, "address     ");
  add_columns(&text, info, &info->address);
  add_text(&text, "\nlisted by   ");
  add_columns(&text, info, &info->order);
  for (int i = 0; i < info->key_count; i++) {
    add_text(&text, "\nunique      ");
    add_columns(&text, info, &info->keys[i]);
  }
  for (int i = 0; i < info->reference_count; i++) {
    add_text(&text, "\nbelongs to  ");
    add_text(&text, kecs_kind_describe(info->references[i].parent)->name);
    add_text(&text, " by ");
    add_text(&text, info->columns[info->references[i].column].name);
  }
  printf("%s, table %s\n\n%s\n\n", info->name, info->table, text.data);
  free(text.data);
  int name = 6;
  int member = 6;
  for (int i = 0; i < info->column_count; i++) {
    int one = (int)strlen(info->columns[i].name);
    int other = (int)strlen(info->columns[i].json);
    name = one > name ? one : name;
    member = other > member ? other : member;
  }
  printf("%-*s  %-14s  %-6s  %-*s  %s\n", name, "COLUMN", "TYPE", "GROUP", member, "MEMBER", "MEANING");
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    printf("%-*s  %-14s  %-6s  %-*s  %s\n", name, column->name, type_names[column->type], group_names[column->group],
           member, column->json, column->meaning);
  }
}

static exit_code run_describe(const arguments *args) {
  exit_code code = EXIT_GOOD;
  if (args->operand_count == 0) {
    describe_all(args);
    return EXIT_GOOD;
  }
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  if (!code && (args->json || args->jsonl)) {
    buffer out = {NULL, 0, 0};
    add_kind(&out, info);
    add_text(&out, "\n");
    print_buffer(&out);
    free(out.data);
  } else if (!code) {
    describe_one(info);
  }
  return code;
}

/* ---- stat ---- */

static void print_info(const kecs_info *info) {
  printf("database   %s (%s%s)\n", info->path, info->backend, info->read_only ? ", read-only" : "");
  printf("schema     version %d, journal %s\n", info->schema_version, info->journal_mode ? info->journal_mode : "-");
  printf("size       %lld bytes in pages of %lld, write-ahead log %lld bytes\n", (long long)info->size_bytes,
         (long long)info->page_bytes, (long long)info->wal_bytes);
  printf("settings   synchronous %s, cache %lld KiB", info->synchronous ? info->synchronous : "-",
         (long long)info->cache_bytes / 1024);
  if (!info->read_only) {
    printf(", log emptied beyond %lld KiB, cut to %lld KiB", (long long)info->wal_checkpoint_bytes / 1024,
           (long long)info->wal_limit_bytes / 1024);
  }
  printf("\nreaders    %d of %d, %lld waits, %lld us\n", info->pool.total, info->pool.max, (long long)info->pool.waits,
         (long long)info->pool.wait_us);
  if (info->cache.on) {
    const kecs_cache_info *cache = &info->cache;
    printf("row cache  %lld of %lld entries, %lld of %lld KiB, %lld hits, %lld misses\n", (long long)cache->entries,
           (long long)cache->entries_max, (long long)cache->bytes / 1024, (long long)cache->bytes_max / 1024,
           (long long)cache->hits, (long long)cache->misses);
  } else {
    printf("row cache  off\n");
  }
  printf("names in   account %s, region %s\n\n", info->account_id, info->region);
}

static void add_cache(buffer *out, const kecs_cache_info *cache) {
  const struct {
    const char *name;
    int64_t number;
  } members[] = {{"entries", cache->entries},
                 {"entriesMax", cache->entries_max},
                 {"bytes", cache->bytes},
                 {"bytesMax", cache->bytes_max},
                 {"hits", cache->hits},
                 {"misses", cache->misses},
                 {"evictions", cache->evictions},
                 {"expirations", cache->expirations},
                 {"invalidations", cache->invalidations},
                 {"flushes", cache->flushes}};
  add_text(out, cache->on ? "{\"on\":true" : "{\"on\":false");
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    add_text(out, ",");
    add_quoted(out, members[i].name);
    add_text(out, ":");
    add_number(out, (long long)members[i].number);
  }
  add_text(out, "}");
}

static void add_info(buffer *out, const kecs_info *info) {
  add_text(out, "{\"path\":");
  add_quoted(out, info->path);
  add_text(out, ",\"backend\":");
  add_quoted(out, info->backend);
  add_text(out, ",\"schemaVersion\":");
  add_number(out, info->schema_version);
  add_text(out, ",\"journalMode\":");
  add_quoted(out, info->journal_mode ? info->journal_mode : "");
  add_text(out, ",\"sizeBytes\":");
  add_number(out, (long long)info->size_bytes);
  add_text(out, ",\"walBytes\":");
  add_number(out, (long long)info->wal_bytes);
  add_text(out, ",\"pageBytes\":");
  add_number(out, (long long)info->page_bytes);
  add_text(out, ",\"synchronous\":");
  add_quoted(out, info->synchronous ? info->synchronous : "");
  add_text(out, ",\"cacheBytes\":");
  add_number(out, (long long)info->cache_bytes);
  add_text(out, ",\"walCheckpointBytes\":");
  add_number(out, (long long)info->wal_checkpoint_bytes);
  add_text(out, ",\"walLimitBytes\":");
  add_number(out, (long long)info->wal_limit_bytes);
  add_text(out, ",\"sqliteBytes\":");
  add_number(out, (long long)info->sqlite_bytes);
  add_text(out, ",\"rowCache\":");
  add_cache(out, &info->cache);
  add_text(out, ",\"accountId\":");
  add_quoted(out, info->account_id);
  add_text(out, ",\"region\":");
  add_quoted(out, info->region);
  add_text(out, ",\"rows\":{");
}

static exit_code run_stat(const arguments *args) {
  exit_code code = EXIT_GOOD;
  kecs_info about;
  buffer out = {NULL, 0, 0};
  bool json = args->json || args->jsonl;
  kecs_store *store = open_store(args, ACCESS_READ, &code);
  if (!store) {
    return code;
  }
  kecs_status status = kecs_store_info(store, &about);
  if (!status && json) {
    add_info(&out, &about);
  } else if (!status) {
    print_info(&about);
  }
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    int64_t rows = 0;
    const char *name = kecs_kind_describe((kecs_kind)kind)->name;
    status = kecs_record_count(store, (kecs_kind)kind, NULL, &rows);
    if (!status && json) {
      add_text(&out, kind > 1 ? "," : "");
      add_quoted(&out, name);
      add_text(&out, ":");
      add_number(&out, (long long)rows);
    } else if (!status && rows > 0) {
      printf("%10lld %s\n", (long long)rows, name);
    }
  }
  if (!status && json) {
    add_text(&out, "}}\n");
    print_buffer(&out);
  }
  code = status ? fail(status) : EXIT_GOOD;
  free(out.data);
  kecs_close(store);
  return code;
}

static exit_code run_version(const arguments *args) {
  buffer out = {NULL, 0, 0};
  if (args->json || args->jsonl) {
    add_text(&out, "{\"version\":");
    add_quoted(&out, kecs_version());
    add_text(&out, ",\"build\":");
    add_quoted(&out, kecs_build_info());
    add_text(&out, "}\n");
  } else {
    add_text(&out, kecs_build_info());
    add_text(&out, "\n");
  }
  print_buffer(&out);
  free(out.data);
  return EXIT_GOOD;
}
