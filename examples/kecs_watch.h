/* kecs_watch.h -- track, watch and compact: the log of changes. */

/* What `--for` and `--from` say. Seconds are given to the library in milliseconds. */
static exit_code read_watch(const arguments *args, kecs_watch_options *options, int *timeout_ms) {
  const char *from = args->values[OPTION_FROM];
  const char *wait = args->values[OPTION_FOR];
  int64_t seconds = 0;
  *timeout_ms = -1;
  if (from && strcmp(from, "oldest") == 0) {
    options->from_seq = KECS_WATCH_OLDEST;
  } else if (from && (!read_number(from, &options->from_seq) || options->from_seq < 1)) {
    return usage_error(args, "--from \"%s\" is no sequence; give a number from 1 on, or oldest", from);
  }
  if (wait && (!read_number(wait, &seconds) || seconds < 0 || seconds > 86400)) {
    return usage_error(args, "--for \"%s\" is not a number of seconds, 0 to 86400", wait);
  }
  *timeout_ms = wait ? (int)seconds * 1000 : -1;
  return EXIT_GOOD;
}

/* The groups that were written, but for those of a new or deleted row, which are all. */
static void add_groups(buffer *out, const kecs_change *change, const char *between) {
  bool more = false;
  for (int group = KECS_GROUP_SPEC; group <= KECS_GROUP_LOCAL; group++) {
    if (change->op == KECS_CHANGE_UPDATED && (change->groups & KECS_BIT(group))) {
      add_text(out, more ? between : "");
      add_text(out, group_names[group]);
      more = true;
    }
  }
}

/* One line: "117  2024-05-01T10:00:00.123Z  updated  service  arn:...  spec". */
static void add_change(buffer *out, const kecs_change *change) {
  size_t width = 0;
  add_number(out, (long long)change->seq);
  add_text(out, "  ");
  add_time(out, change->stamp);
  add_text(out, "  ");
  add_text(out, op_name(change->op));
  add_text(out, "  ");
  add_text(out, kecs_kind_describe(change->kind)->name);
  add_text(out, "  ");
  add_shown(out, change->key, &width);
  if (change->op == KECS_CHANGE_UPDATED) {
    add_text(out, "  ");
    add_groups(out, change, ",");
  }
  add_text(out, "\n");
}

/* One JSON document a line, with the row's own document as it is now; a row that is gone has none. */
static kecs_status add_change_json(const arguments *args, kecs_store *store, buffer *out, const kecs_change *change) {
  const char *document = NULL;
  kecs_result *result = NULL;
  kecs_status status = KECS_OK;
  add_text(out, "{\"seq\":");
  add_number(out, (long long)change->seq);
  add_text(out, ",\"time\":\"");
  add_time(out, change->stamp);
  add_text(out, "\",\"op\":");
  add_quoted(out, op_name(change->op));
  add_text(out, ",\"kind\":");
  add_quoted(out, kecs_kind_describe(change->kind)->name);
  add_text(out, ",\"key\":");
  add_quoted(out, change->key);
  if (change->op == KECS_CHANGE_UPDATED) {
    add_text(out, ",\"groups\":[\"");
    add_groups(out, change, "\",\"");
    add_text(out, "\"]");
  }
  if (change->op != KECS_CHANGE_DELETED) {
    status = kecs_get_json(store, change->kind, change->key, args->flags, &result, &document);
  }
  if (!status && document) {
    add_text(out, ",\"document\":");
    add_line(out, document);
  }
  kecs_result_free(result);
  add_text(out, "}\n");
  return status == KECS_E_NOT_FOUND ? KECS_OK : status;
}

static kecs_status print_changes(const arguments *args, kecs_store *store, kecs_watch *watch, int timeout_ms) {
  kecs_status status = KECS_OK;
  const kecs_change *change = NULL;
  buffer out = {NULL, 0, 0};
  while (!status && !ferror(stdout)) {
    status = kecs_watch_next(watch, timeout_ms, &change);
    if (status || !change) {
      break;
    }
    if (args->json || args->jsonl) {
      status = add_change_json(args, store, &out, change);
    } else {
      add_change(&out, change);
    }
    print_buffer(&out);
    out.len = 0;
    (void)fflush(stdout); /* whoever reads along waits for it; a failure is told at the end */
  }
  free(out.data);
  return status;
}

static exit_code run_watch(const arguments *args) {
  exit_code code = EXIT_GOOD;
  int timeout_ms = -1;
  kecs_kind kinds[KECS_KIND_COUNT];
  kecs_watch_options options = {0};
  kecs_watch *watch = NULL;
  if (args->operand_count >= KECS_KIND_COUNT) {
    return usage_error(args, "there are not that many kinds");
  }
  for (int i = 0; !code && i < args->operand_count; i++) {
    const kecs_kind_info *info = read_kind(args, args->operands[i], &code);
    kinds[i] = info ? info->kind : (kecs_kind)0;
  }
  options.kinds = kinds;
  options.kind_count = (size_t)args->operand_count;
  kecs_filter *filters = need(calloc((size_t)args->where_count + 1, sizeof *filters));
  if (!code && args->where_count > 0 && args->operand_count != 1) {
    code = usage_error(args, "--where needs exactly one kind");
  }
  for (int i = 0; !code && i < args->where_count; i++) {
    code = read_where(args, kecs_kind_describe(kinds[0]), args->where[i], &filters[i]);
  }
  options.where = filters;
  options.where_count = (size_t)args->where_count;
  code = code ? code : read_watch(args, &options, &timeout_ms);
  kecs_store *store = code ? NULL : open_store(args, ACCESS_READ, &code);
  if (store) {
    kecs_status status = kecs_watch_open(store, &options, &watch);
    status = status ? status : print_changes(args, store, watch, timeout_ms);
    code = status ? fail_asked(status) : EXIT_GOOD;
    kecs_watch_close(watch);
    kecs_close(store);
  }
  free(filters);
  return code;
}

static exit_code print_log(const arguments *args, kecs_store *store) {
  kecs_changes_info info;
  kecs_status status = kecs_changes_describe(store, &info);
  if (status) {
    return fail(status);
  }
  if (args->json || args->jsonl) {
    printf("{\"tracked\":%s,\"lastSeq\":%lld,\"floor\":%lld,\"since\":%lld", info.tracked ? "true" : "false",
           (long long)info.last_seq, (long long)info.floor, (long long)info.since);
  } else if (info.tracked) {
    printf("changes are logged since %lld, from %lld to %lld\n", (long long)info.since, (long long)info.floor,
           (long long)info.last_seq);
  } else {
    printf("changes are not logged\n");
  }
  status = print_kept(args, store);
  return status ? fail(status) : EXIT_GOOD;
}

static exit_code run_track(const arguments *args) {
  exit_code code = EXIT_GOOD;
  const char *word = args->operand_count > 0 ? args->operands[0] : "status";
  arguments asked = *args;
  access_mode mode = ACCESS_WRITE;
  if (strcmp(word, "on") == 0) {
    asked.track = KECS_TRACK_ON;
    mode = ACCESS_CREATE;
  } else if (strcmp(word, "off") == 0) {
    asked.track = KECS_TRACK_OFF;
  } else if (strcmp(word, "status") == 0) {
    mode = ACCESS_READ;
  } else {
    return usage_error(args, "track takes on, off or status, not \"%s\"", word);
  }
  kecs_kind kinds[KECS_KIND_COUNT];
  code = read_kept(args, kinds, &asked.history);
  if (!code && asked.history.track && asked.track != KECS_TRACK_ON) {
    code = usage_error(args, "--history goes with track on");
  }
  if (code) {
    return code;
  }
  kecs_store *store = open_store(&asked, mode, &code);
  code = store ? print_log(args, store) : code;
  kecs_close(store);
  return code;
}

static exit_code run_compact(const arguments *args) {
  exit_code code = EXIT_GOOD;
  kecs_compaction what = {0};
  kecs_compacted done;
  int64_t hours = 0;
  const char *older = args->values[OPTION_OLDER];
  if (older && (!read_number(older, &hours) || hours < 0 || hours > 87600)) {
    return usage_error(args, "--older \"%s\" is not a number of hours, 0 to 87600", older);
  }
  what.older_than_us = hours * 3600 * 1000000;
  kecs_store *store = open_store(args, ACCESS_WRITE, &code);
  if (!store) {
    return code;
  }
  kecs_status status = kecs_changes_compact(store, &what, &done);
  if (!status && (args->json || args->jsonl)) {
    printf("{\"removed\":%lld,\"folded\":%lld,\"tombstones\":%lld,\"floor\":%lld,\"history\":%lld}\n",
           (long long)done.removed, (long long)done.folded, (long long)done.tombstones, (long long)done.floor,
           (long long)done.history);
  } else if (!status) {
    printf("%lld entries and %lld tombstones removed; the log begins after %lld\n", (long long)done.removed,
           (long long)done.tombstones, (long long)done.floor);
  }
  code = status ? fail(status) : EXIT_GOOD;
  kecs_close(store);
  return code;
}
