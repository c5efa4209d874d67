/* kecs_files.h -- put, import and export: documents from files and folders, and back.
 *
 * What became of each document is told by the library, document by document; here it is counted and told on: refusals
 * on stderr as PATH:LINE:COLUMN, the sum on stdout. */

/* ---- which files ---- */

typedef struct file_list {
  char **paths;
  size_t count;
  size_t room;
} file_list;

static void add_path(file_list *list, const char *path) {
  if (list->count == list->room) {
    list->room = list->room * 2 + 16;
    list->paths = need(realloc(list->paths, list->room * sizeof *list->paths));
  }
  list->paths[list->count++] = need(strdup(path));
}

static void free_paths(file_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    free(list->paths[i]);
  }
  free(list->paths);
}

static int compare_paths(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The *.json and *.jsonl files of a folder and of the folders in it, sorted. Links to folders are not followed: they
 * may lead in circles. */
static bool add_folder(file_list *list, const char *folder) {
  struct dirent *entry;
  file_list names = {NULL, 0, 0};
  bool good = true;
  DIR *open = opendir(folder);
  if (!open) {
    complain("cannot read %s: %s", folder, strerror(errno));
    return false;
  }
  while ((entry = readdir(open)) != NULL) {
    if (entry->d_name[0] != '.') {
      add_path(&names, entry->d_name);
    }
  }
  closedir(open);
  if (names.count > 0) {
    qsort(names.paths, names.count, sizeof *names.paths, compare_paths);
  }
  for (size_t i = 0; i < names.count; i++) {
    struct stat about;
    buffer path = {NULL, 0, 0};
    add_text(&path, folder);
    add_text(&path, ends_with(folder, "/") ? "" : "/");
    add_text(&path, names.paths[i]);
    if (lstat(path.data, &about) == 0 && S_ISDIR(about.st_mode)) {
      good = add_folder(list, path.data) && good;
    } else if (ends_with(path.data, ".json") || ends_with(path.data, ".jsonl")) {
      add_path(list, path.data);
    }
    free(path.data);
  }
  free_paths(&names);
  return good;
}

/* What is neither a file nor a folder, such as a pipe that nobody writes to, might be waited for without end. */
static bool is_readable(const char *path, const struct stat *about) {
  if (S_ISREG(about->st_mode) || S_ISDIR(about->st_mode)) {
    return true;
  }
  complain("%s is not a regular file; pipe it in and give - instead", path);
  return false;
}

/* Everything that the command line names; nothing is imported when some of it is not there. */
static bool add_operand(file_list *list, const char *path) {
  struct stat about;
  if (strcmp(path, "-") == 0) {
    add_path(list, path);
    return true;
  }
  if (stat(path, &about) != 0) {
    complain("cannot read %s: %s", path, strerror(errno));
    return false;
  }
  if (!is_readable(path, &about)) {
    return false;
  }
  if (!S_ISDIR(about.st_mode)) {
    add_path(list, path);
    return true;
  }
  size_t before = list->count;
  if (!add_folder(list, path)) {
    return false;
  }
  if (list->count == before) {
    complain("there are no *.json and *.jsonl files in %s", path);
  }
  return true; /* the others go on */
}

static int64_t size_of(const char *path) {
  struct stat about;
  return strcmp(path, "-") != 0 && stat(path, &about) == 0 ? (int64_t)about.st_size : 0;
}

/* The whole of a file; false when it can't be read, and errno says why. */
static bool read_file(const char *path, buffer *out) {
  char piece[65536];
  size_t got = 0;
  bool in = strcmp(path, "-") == 0;
  FILE *file = in ? stdin : fopen(path, "rb");
  if (!file) {
    return false;
  }
  add_text(out, "");
  while ((got = fread(piece, 1, sizeof piece, file)) > 0) {
    add_bytes(out, piece, got);
  }
  bool good = !ferror(file);
  int error = errno;
  if (!in) {
    fclose(file);
  }
  errno = error;
  return good;
}

/* ---- what became of it ---- */

typedef struct report {
  const arguments *args;
  const char *path;
  int64_t stored[KECS_KIND_COUNT];
  int64_t refused;
  int64_t file_stored[KECS_KIND_COUNT];
  int64_t file_refused;
  kecs_status first; /* why the first one was refused */
  bool each;         /* tell of each document that was stored */
  buffer json;       /* of what was refused, with --json */
  progress bar;
  int64_t bytes_before; /* of the files before this one */
} report;

static int64_t sum(const int64_t counts[KECS_KIND_COUNT]) {
  int64_t total = 0;
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    total += counts[kind];
  }
  return total;
}

static const char *shown_path(const char *path) {
  return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

/* {"path":..,"line":..,"column":..,"what":..,...} */
static void add_note(buffer *out, const char *path, const kecs_import_note *note) {
  add_text(out, "{\"path\":");
  add_quoted(out, path);
  add_text(out, ",\"line\":");
  add_number(out, (long long)note->line);
  add_text(out, ",\"column\":");
  add_number(out, (long long)note->column);
  add_text(out, ",\"what\":");
  add_quoted(out, note->what);
  if (note->kind) {
    add_text(out, ",\"kind\":");
    add_quoted(out, kecs_kind_describe(note->kind)->name);
  }
  if (note->name[0]) {
    add_text(out, ",\"name\":");
    add_quoted(out, note->name);
  }
  if (note->refused) {
    add_text(out, ",\"reason\":");
    add_quoted(out, note->reason);
  }
  add_text(out, "}");
}

static void tell_refused(report *all, const kecs_import_note *note) {
  buffer text = {NULL, 0, 0};
  buffer place = {NULL, 0, 0};
  size_t width = 0;
  add_text(&text, "");
  add_shown(&place, all->path, &width);
  if (note->name[0] && !strstr(note->reason, note->name)) {
    add_shown(&text, note->name, &width);
    add_text(&text, ": ");
  }
  add_shown(&text, note->reason, &width);
  clear_progress(&all->bar);
  if (note->line > 0) {
    fprintf(stderr, "%s:%zu:%zu: %s: %s\n", place.data, note->line, note->column, note->what, text.data);
  } else {
    fprintf(stderr, "%s: %s: %s\n", place.data, note->what, text.data);
  }
  free(place.data);
  free(text.data);
}

static void on_note(const kecs_import_note *note, void *user) {
  report *all = user;
  if (note->refused) {
    all->first = all->refused + all->file_refused == 0 ? note->status : all->first;
    all->file_refused++;
  } else {
    all->file_stored[note->kind]++;
  }
  if (all->args->jsonl) {
    buffer line = {NULL, 0, 0};
    add_note(&line, all->path, note);
    add_text(&line, "\n");
    print_buffer(&line);
    free(line.data);
  } else if (all->args->json && note->refused) {
    add_text(&all->json, all->json.len > 0 ? "," : "");
    add_note(&all->json, all->path, note);
  } else if (note->refused) {
    tell_refused(all, note);
  } else if (all->each && !all->args->json) {
    buffer name = {NULL, 0, 0};
    size_t width = 0;
    add_shown(&name, note->name, &width);
    printf("%s %s\n", kecs_kind_describe(note->kind)->name, width > 0 ? name.data : "");
    free(name.data);
  }
  int64_t count = sum(all->stored) + sum(all->file_stored) + all->refused + all->file_refused;
  draw_progress(&all->bar, all->bytes_before + (int64_t)note->offset, count, "documents");
}

/* A file that could not be read at all counts as one document that was refused. */
static void on_unreadable(report *all, const char *reason) {
  kecs_import_note note = {0};
  note.refused = true;
  note.what = "file";
  note.name = "";
  note.reason = reason;
  note.status = KECS_E_IO;
  on_note(&note, all);
}

/* What is counted at 0 are the counters of families. */
static const char *counted_name(int kind) {
  return kind == 0 ? "task_definition_family" : kecs_kind_describe((kecs_kind)kind)->name;
}

/* "PATH: 2 cluster, 1 refused" */
static void tell_file(report *all) {
  const char *comma = " ";
  if (!all->args->json && !all->args->jsonl && !all->each) {
    clear_progress(&all->bar);
    buffer place = {NULL, 0, 0};
    size_t width = 0;
    add_shown(&place, all->path, &width);
    printf("%s:", place.data);
    free(place.data);
    for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
      if (all->file_stored[kind] > 0) {
        printf("%s%lld %s", comma, (long long)all->file_stored[kind], counted_name(kind));
        comma = ", ";
      }
    }
    if (all->file_refused > 0 || comma[0] == ' ') {
      printf("%s%lld refused", comma, (long long)all->file_refused);
    }
    putchar('\n');
  }
}

static void tell_all(report *all, size_t files) {
  if (all->args->jsonl) {
    return;
  }
  if (!all->args->json) {
    if (files > 1) {
      printf("%zu files: %lld stored, %lld refused\n", files, (long long)sum(all->stored), (long long)all->refused);
    }
    return;
  }
  buffer out = {NULL, 0, 0};
  const char *comma = "";
  add_text(&out, "{\"imported\":{");
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    if (all->stored[kind] > 0) {
      add_text(&out, comma);
      add_quoted(&out, counted_name(kind));
      add_text(&out, ":");
      add_number(&out, (long long)all->stored[kind]);
      comma = ",";
    }
  }
  add_text(&out, "},\"refused\":[");
  add_text(&out, all->json.len > 0 ? all->json.data : "");
  add_text(&out, "]}\n");
  print_buffer(&out);
  free(out.data);
}

/* ---- put and import ---- */

/* The file's name without folder and ending: what a service is called that has no name. */
static char *plain_name(const char *path) {
  const char *slash = strrchr(path, '/');
  char *name = need(strdup(strcmp(path, "-") == 0 ? "stdin" : slash ? slash + 1 : path));
  char *dot = strrchr(name, '.');
  if (dot && dot != name) {
    *dot = '\0';
  }
  return name;
}

/* One file into the store. A failure that concerns the whole is returned; what was noted of the file does not count
 * then, as it may not be stored. */
static kecs_status import_file(kecs_store *store, const char *path, kecs_kind kind, report *all) {
  buffer text = {NULL, 0, 0};
  kecs_import_options options = {0};
  kecs_status status = KECS_OK;
  struct stat about;
  all->path = shown_path(path);
  if (strcmp(path, "-") != 0 && stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
    on_unreadable(all, "it is not a regular file");
  } else if (!read_file(path, &text)) {
    on_unreadable(all, strerror(errno));
  } else {
    char *name = plain_name(path);
    options.kind = kind;
    options.name = name;
    options.note = on_note;
    options.user = all;
    status = kecs_import(store, text.data, text.len, &options, NULL, NULL);
    free(name);
  }
  if (!status) {
    tell_file(all);
    for (int i = 0; i < KECS_KIND_COUNT; i++) {
      all->stored[i] += all->file_stored[i];
    }
    all->refused += all->file_refused;
  }
  memset(all->file_stored, 0, sizeof all->file_stored);
  all->file_refused = 0;
  all->bytes_before += size_of(path);
  free(text.data);
  return status;
}

static exit_code import_files(const arguments *args, const file_list *list, kecs_kind kind, report *all) {
  exit_code code = EXIT_GOOD;
  int64_t bytes = 0;
  memset(all, 0, sizeof *all);
  all->args = args;
  all->each = kind != 0;
  kecs_store *store = open_store(args, ACCESS_CREATE, &code);
  if (!store) {
    return code;
  }
  for (size_t i = 0; i < list->count; i++) {
    bytes += size_of(list->paths[i]);
  }
  begin_progress(&all->bar, bytes);
  for (size_t i = 0; !code && i < list->count; i++) {
    kecs_status status = import_file(store, list->paths[i], kind, all);
    if (status) {
      clear_progress(&all->bar);
      code = fail(status);
    }
  }
  clear_progress(&all->bar);
  tell_all(all, list->count);
  free(all->json.data);
  kecs_close(store);
  return code;
}

/* A put is about its documents: the first that is refused decides. An import takes what it finds: it has failed only
 * when nothing was stored. */
static exit_code run_put(const arguments *args) {
  exit_code code = EXIT_GOOD;
  file_list list = {NULL, 0, 0};
  report all;
  struct stat about;
  const char *path = args->operand_count > 1 ? args->operands[1] : "-";
  const kecs_kind_info *info = read_kind(args, args->operands[0], &code);
  if (!code && strcmp(path, "-") != 0 && stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
    code = usage_error(args, "%s is a folder; `kecs import` reads folders", path);
  }
  if (!code && !add_operand(&list, path)) {
    code = EXIT_FAILED;
  }
  if (!code) {
    code = import_files(args, &list, info->kind, &all);
    code = code || all.refused == 0 ? code : exit_of(all.first);
  }
  free_paths(&list);
  return code;
}

static exit_code run_import(const arguments *args) {
  exit_code code = EXIT_GOOD;
  file_list list = {NULL, 0, 0};
  report all;
  for (int i = 0; !code && i < args->operand_count; i++) {
    code = add_operand(&list, args->operands[i]) ? EXIT_GOOD : EXIT_FAILED;
  }
  code = code || list.count > 0 ? code : EXIT_FAILED;
  if (!code) {
    code = import_files(args, &list, (kecs_kind)0, &all);
    code = code || sum(all.stored) > 0 ? code : EXIT_FAILED;
  }
  free_paths(&list);
  return code;
}

/* ---- export ---- */

enum { EXPORT_PAGE = 1000 };

/* All rows of a kind, page by page, oldest first, so that they are imported in the order in which they were made. */
static kecs_status export_kind(kecs_store *store, const kecs_kind_info *info, unsigned flags, progress *bar,
                               int64_t *done) {
  kecs_query query = {0};
  kecs_result *page = NULL;
  buffer out = {NULL, 0, 0};
  query.direction = KECS_ORDER_ASCENDING;
  query.order_by = info->order.columns[0];
  query.limit = EXPORT_PAGE;
  kecs_status status = kecs_record_list(store, info->kind, &query, &page);
  while (!status && page) {
    kecs_result *next = NULL;
    for (size_t i = 0; !status && i < kecs_result_count(page); i++) {
      const char *document = NULL;
      status = kecs_record_json(page, info, kecs_record_at(page, info->kind, i), flags, &document);
      if (!status) {
        add_text(&out, "{\"kind\":\"");
        add_text(&out, info->name);
        add_text(&out, "\",\"document\":");
        add_folded(&out, document);
        add_text(&out, "}\n");
      }
      ++*done;
      draw_progress(bar, *done, *done, "rows");
    }
    print_buffer(&out);
    query.page_token = kecs_result_page_token(page);
    if (!status && query.page_token && !ferror(stdout)) {
      status = kecs_record_list(store, info->kind, &query, &next);
    }
    kecs_result_free(page);
    page = next;
  }
  kecs_result_free(page);
  free(out.data);
  return status;
}

static void add_counter(buffer *out, const kecs_family_counter *counter) {
  add_text(out, "{\"kind\":\"task_definition_family\",\"document\":{\"accountId\":");
  add_quoted(out, counter->account_id);
  add_text(out, ",\"region\":");
  add_quoted(out, counter->region);
  add_text(out, ",\"family\":");
  add_quoted(out, counter->family);
  add_text(out, ",\"lastRevision\":");
  add_number(out, (long long)counter->last_revision);
  add_text(out, "}}\n");
}

/* The counters of families that stand above their stored revisions: a copy would give deleted ones again. */
static kecs_status export_counters(kecs_store *store) {
  kecs_result *page = NULL;
  buffer out = {NULL, 0, 0};
  kecs_status status = kecs_task_definition_counters(store, EXPORT_PAGE, NULL, &page);
  while (!status && page) {
    kecs_result *next = NULL;
    for (size_t i = 0; i < kecs_result_count(page); i++) {
      add_counter(&out, kecs_family_counter_at(page, i));
    }
    print_buffer(&out);
    if (kecs_result_page_token(page) && !ferror(stdout)) {
      status = kecs_task_definition_counters(store, EXPORT_PAGE, kecs_result_page_token(page), &next);
    }
    kecs_result_free(page);
    page = next;
  }
  free(out.data);
  return status;
}

/* Parents come before their children, as the kinds are numbered. Before all of them come the rows that are mere
 * look-ups (PLAIN): a resource that is imported later finds them there and leaves them as they were. */
static int export_order(bool wanted[KECS_KIND_COUNT], kecs_kind out[KECS_KIND_COUNT]) {
  int count = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
      bool plain = (kecs_kind_describe((kecs_kind)kind)->flags & KECS_KIND_PLAIN) != 0;
      if (wanted[kind] && plain == (pass == 0)) {
        out[count++] = (kecs_kind)kind;
      }
    }
  }
  return count;
}

static exit_code run_export(const arguments *args) {
  bool wanted[KECS_KIND_COUNT] = {false};
  kecs_kind order[KECS_KIND_COUNT];
  exit_code code = EXIT_GOOD;
  int64_t total = 0;
  int64_t done = 0;
  progress bar;
  for (int kind = 1; args->operand_count == 0 && kind < KECS_KIND_COUNT; kind++) {
    wanted[kind] = true;
  }
  for (int i = 0; i < args->operand_count; i++) {
    const kecs_kind_info *info = read_kind(args, args->operands[i], &code);
    if (code) {
      return code;
    }
    wanted[info->kind] = true;
  }
  kecs_store *store = open_store(args, ACCESS_READ, &code);
  if (!store) {
    return code;
  }
  kecs_status status = KECS_OK;
  int count = export_order(wanted, order);
  for (int i = 0; !status && i < count; i++) {
    int64_t rows = 0;
    status = kecs_record_count(store, order[i], NULL, &rows);
    total += rows;
  }
  begin_progress(&bar, total);
  for (int i = 0; !status && i < count; i++) {
    status = order[i] == KECS_KIND_TASK_DEFINITION ? export_counters(store) : KECS_OK;
    if (status) {
      break;
    }
    status = export_kind(store, kecs_kind_describe(order[i]), args->flags | KECS_JSON_STORE, &bar, &done);
  }
  clear_progress(&bar);
  code = status ? fail(status) : EXIT_GOOD;
  kecs_close(store);
  return code;
}
