/* kecs_args.h -- the command line of kecs: options in any position, "--" ends them, --option=value as well as
 * --option value. The table below says all about an option: its help, and which commands take it. */

typedef struct command command;

typedef enum option_id {
  OPTION_DB,
  OPTION_STORAGE,
  OPTION_POSTGRES_URL,
  OPTION_PROFILE,
  OPTION_ACCOUNT,
  OPTION_REGION,
  OPTION_STRICT,
  OPTION_READ_ONLY,
  OPTION_WAIT,
  OPTION_JSON,
  OPTION_JSONL,
  OPTION_EPOCH,
  OPTION_FULL,
  OPTION_COLUMNS,
  OPTION_WHERE,
  OPTION_LIMIT,
  OPTION_PAGE_TOKEN,
  OPTION_SET,
  OPTION_UNSET,
  OPTION_VERSION,
  OPTION_FROM,
  OPTION_TO,
  OPTION_MERGE,
  OPTION_DRY_RUN,
  OPTION_VERBOSE,
  OPTION_FOR,
  OPTION_OLDER,
  OPTION_HUB,
  OPTION_SITE,
  OPTION_EVERY,
  OPTION_BATCH,
  OPTION_PAUSE,
  OPTION_TAKE,
  OPTION_AS_OF,
  OPTION_ACTOR,
  OPTION_REASON,
  OPTION_HISTORY,
  OPTION_ROWS,
  OPTION_DAYS,
  OPTION_HELP,
  OPTION_COUNT
} option_id;

typedef struct option {
  option_id id;
  const char *name;
  const char *value;    /* what its argument is called; NULL: it takes none */
  const char *commands; /* " get list "; NULL: all */
  const char *help;
} option;

static const option options_known[OPTION_COUNT] = {
    {OPTION_DB, "--db", "FILE", NULL, "the database: a file or a URL; or set KECS_DB"},
    {OPTION_STORAGE, "--storage", "TYPE", NULL, "sqlite, memory or postgresql; else what --db or the environment says"},
    {OPTION_POSTGRES_URL, "--postgres-url", "URL", NULL, "the database, on PostgreSQL; as --db URL"},
    {OPTION_PROFILE, "--profile", "NAME", NULL, "default, durable, edge or memory; else what KECS_PROFILE says"},
    {OPTION_ACCOUNT, "--account", "ID", NULL, "the account that bare names belong to; else 000000000000"},
    {OPTION_REGION, "--region", "NAME", NULL, "the region that bare names belong to; else us-east-1"},
    {OPTION_STRICT, "--strict", NULL, " put import update ", "refuse what AWS would refuse"},
    {OPTION_READ_ONLY, "--read-only", NULL, NULL, "open the database for reading only"},
    {OPTION_WAIT, "--wait", "SECONDS", NULL, "how long to wait for another writer (else 30), or for a server (3)"},
    {OPTION_JSON, "--json", NULL, NULL, "print one JSON document; of a row its AWS document"},
    {OPTION_JSONL, "--jsonl", NULL, NULL, "print one JSON document a line"},
    {OPTION_EPOCH, "--epoch", NULL, " get list export watch history diff ",
     "times as epoch seconds, as AWS sends them"},
    {OPTION_FULL, "--full", NULL, " get list history diff ",
     "documents with the member kecs: id, version, times"},
    {OPTION_COLUMNS, "--columns", "A,B,...", " get list ", "the columns of the table"},
    {OPTION_WHERE, "--where", "COLUMN=VALUE", " list watch ", "only rows where it holds: = != < <= > >= ~ ^="},
    {OPTION_LIMIT, "--limit", "N", " list history ", "rows of a page, 1 or more; else 100"},
    {OPTION_PAGE_TOKEN, "--page-token", "T", " list history ", "go on after the page that gave this token"},
    {OPTION_SET, "--set", "COLUMN=VALUE", " update ", "write a column; may be repeated"},
    {OPTION_UNSET, "--unset", "COLUMN", " update ", "make a column NULL; may be repeated"},
    {OPTION_VERSION, "--version", "N", " update ", "change the row only while this is its version"},
    {OPTION_FROM, "--from", "FROM", " migrate watch history diff ",
     "the store to copy, a file or a URL; of a watch the change to begin after, or oldest, else from now on; of a\n"
     "                         history a time; of a diff a change, else the one before --to"},
    {OPTION_TO, "--to", "TO", " migrate history diff ",
     "the store to copy it into: a file or a URL; of a history a time; of a diff a change, else now"},
    {OPTION_MERGE, "--merge", NULL, " migrate ", "other rows of the target may stay"},
    {OPTION_DRY_RUN, "--dry-run", NULL, " migrate ", "count the rows of both and change nothing"},
    {OPTION_VERBOSE, "--verbose", NULL, NULL, "tell on stderr what the library logs"},
    {OPTION_FOR, "--for", "SECONDS", " watch ", "end when so long nothing has changed; 0: do not wait"},
    {OPTION_OLDER, "--older", "HOURS", " compact ", "only entries that are at least so old"},
    {OPTION_HUB, "--hub", "URL", " sync ", "the hub, with its tenant; or set KECS_HUB"},
    {OPTION_SITE, "--site", "NAME", " sync ", "this edge's name at the hub; or set KECS_SITE"},
    {OPTION_EVERY, "--every", "SECONDS", " sync hub ",
     "of sync: go on until interrupted, a round so often, and after changes here; of hub limit: no more often"},
    {OPTION_BATCH, "--batch", "N", " hub ", "of hub limit: so many entries go at once, at most"},
    {OPTION_PAUSE, "--pause", "REASON", " hub ", "of hub limit: no rounds are wanted; what the sites are told"},
    {OPTION_TAKE, "--take", "lost|kept", " conflicts ", "what `conflicts resolve` decides for"},
    {OPTION_AS_OF, "--as-of", "SEQ|TIME", " get ", "the row as it was after this change, or at this time"},
    {OPTION_ACTOR, "--actor", "NAME", " put import update delete migrate ", "who writes, for the history"},
    {OPTION_REASON, "--reason", "TEXT", " put import update delete migrate ", "and why"},
    {OPTION_HISTORY, "--history", "KINDS", " track ", "keep what rows of these kinds were: A,B,..., all or none"},
    {OPTION_ROWS, "--rows", "N", " track ", "so many changes of a row stay in the history; else 100"},
    {OPTION_DAYS, "--days", "N", " track ", "for so many days; else 30"},
    {OPTION_HELP, "--help", NULL, NULL, "this help; after a command, that command's"},
};

typedef struct arguments {
  const command *command;
  const char *values[OPTION_COUNT]; /* the last value of each option; "" where it takes none; NULL: not given */
  const char *db;
  const char *account;
  const char *region;
  bool strict;
  bool read_only;
  bool json;
  bool jsonl;
  bool help;
  kecs_track track; /* what `track` asks for */
  kecs_history_options history;
  unsigned flags; /* KECS_JSON_..., for documents */
  char **operands;
  int operand_count;
  const char **where; /* in the order given */
  int where_count;
  kecs_assignment *set; /* column still with "=VALUE" behind it; text NULL: --unset */
  int set_count;
  char **memory;
} arguments;

struct command {
  const char *name;
  const char *operands;
  const char *summary;
  int operands_min;
  int operands_max; /* 0: any number */
  exit_code (*run)(const arguments *args);
  const char *details;
  const char *examples;
};

/* ---- messages ---- */

static void complain(const char *format, ...) KECS_STORE_PRINTF(1, 2);
static exit_code usage_error(const arguments *args, const char *format, ...) KECS_STORE_PRINTF(2, 3);

/* A terminal obeys control characters, and names of files or of what is asked for may hold any: none gets there. */
static void tell(const char *format, va_list list) {
  va_list again;
  va_copy(again, list);
  int len = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *text = len < 0 ? NULL : malloc((size_t)len + 1);
  if (text) {
    vsnprintf(text, (size_t)len + 1, format, list);
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
      bool c1 = *at == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0;
      if (*at < 0x20 || *at == 0x7F) {
        *at = *at == '\n' || *at == '\r' || *at == '\t' ? ' ' : '?';
      } else if (c1) {
        at[0] = at[1] = '?';
      }
    }
    fprintf(stderr, "kecs: %s\n", text);
  }
  free(text);
}

static void complain(const char *format, ...) {
  va_list list;
  va_start(list, format);
  tell(format, list);
  va_end(list);
}

static exit_code usage_error(const arguments *args, const char *format, ...) {
  va_list list;
  va_start(list, format);
  tell(format, list);
  va_end(list);
  fprintf(stderr, "Try `kecs%s%s --help`.\n", args->command ? " " : "", args->command ? args->command->name : "");
  return EXIT_USAGE;
}

/* ---- suggestions ---- */

/* The best of the words offered so far for a word that is not known; `word` stays NULL while none is near. */
typedef struct suggestion {
  const char *wanted;
  const char *word;
  int distance;
} suggestion;

enum { WORD_MAX = 64 };

/* How many letters must be changed, added, left out or swapped with their neighbour. */
static int edit_distance(const char *a, const char *b) {
  int rows[3][WORD_MAX + 1];
  int a_len = (int)strlen(a);
  int b_len = (int)strlen(b);
  if (a_len > WORD_MAX || b_len > WORD_MAX) {
    return WORD_MAX;
  }
  for (int j = 0; j <= b_len; j++) {
    rows[0][j] = j;
  }
  for (int i = 1; i <= a_len; i++) {
    int *now = rows[i % 3];
    const int *before = rows[(i + 2) % 3];
    const int *earlier = rows[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= b_len; j++) {
      int best = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      best = before[j] + 1 < best ? before[j] + 1 : best;
      best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && earlier[j - 2] + 1 < best) {
        best = earlier[j - 2] + 1;
      }
      now[j] = best;
    }
  }
  return rows[a_len % 3][b_len];
}

static void suggest(suggestion *best, const char *word) {
  size_t len = strlen(best->wanted);
  int distance = edit_distance(best->wanted, word);
  if (len >= 3 && strncmp(word, best->wanted, len) == 0) {
    distance = 1; /* the beginning of a long word */
  }
  int far = len < 4 ? 1 : len < 8 ? 2 : 3;
  if (distance <= far && (!best->word || distance < best->distance)) {
    best->word = word;
    best->distance = distance;
  }
}

/* ---- reading ---- */

static const option *find_option(const char *text, size_t len) {
  for (int i = 0; i < OPTION_COUNT; i++) {
    if (strlen(options_known[i].name) == len && memcmp(options_known[i].name, text, len) == 0) {
      return &options_known[i];
    }
  }
  return NULL;
}

static exit_code unknown_option(const arguments *args, const char *text, size_t len) {
  char name[WORD_MAX + 1];
  snprintf(name, sizeof name, "%.*s", (int)len, text);
  suggestion best = {name, NULL, 0};
  for (int i = 0; i < OPTION_COUNT; i++) {
    suggest(&best, options_known[i].name);
  }
  return best.word ? usage_error(args, "unknown option \"%s\"; did you mean \"%s\"?", name, best.word)
                   : usage_error(args, "unknown option \"%s\"", name);
}

static void keep_option(arguments *args, const option *known, const char *value) {
  args->values[known->id] = value ? value : "";
  if (known->id == OPTION_WHERE) {
    args->where[args->where_count++] = value;
  } else if (known->id == OPTION_SET) {
    args->set[args->set_count].column = value;
    args->set[args->set_count++].text = "";
  } else if (known->id == OPTION_UNSET) {
    args->set[args->set_count].column = value;
    args->set[args->set_count++].text = NULL;
  }
}

static void settle_options(arguments *args) {
  args->db = args->values[OPTION_DB];
  args->account = args->values[OPTION_ACCOUNT];
  args->region = args->values[OPTION_REGION];
  args->strict = args->values[OPTION_STRICT] != NULL;
  args->read_only = args->values[OPTION_READ_ONLY] != NULL;
  args->json = args->values[OPTION_JSON] != NULL;
  args->jsonl = args->values[OPTION_JSONL] != NULL;
  args->help = args->values[OPTION_HELP] != NULL;
  args->flags = args->values[OPTION_EPOCH] ? KECS_JSON_EPOCH : 0U;
  args->flags |= args->values[OPTION_FULL] ? KECS_JSON_STORE : 0U;
}

/* One argument that begins with "-". *taken counts the arguments that it takes with it. */
static exit_code read_option(arguments *args, char **argv, int left, int *taken) {
  const char *text = argv[0];
  size_t len = strcspn(text, "=");
  const char *value = text[len] == '=' ? text + len + 1 : NULL;
  *taken = 1;
  if (strcmp(text, "-h") == 0) {
    text = "--help";
    len = 6;
  }
  const option *known = find_option(text, len);
  if (!known) {
    return unknown_option(args, text, len);
  }
  if (!known->value && value) {
    return usage_error(args, "%s takes no value", known->name);
  }
  if (known->value && !value) {
    if (left < 2) {
      return usage_error(args, "%s needs a value: %s", known->name, known->value);
    }
    value = argv[1];
    *taken = 2;
  }
  keep_option(args, known, value);
  return EXIT_GOOD;
}

static exit_code read_arguments(int argc, char **argv, arguments *args) {
  bool ended = false;
  memset(args, 0, sizeof *args);
  size_t room = (size_t)argc + 1;
  args->memory = calloc(room, sizeof *args->memory);
  args->where = calloc(room, sizeof *args->where);
  args->set = calloc(room, sizeof *args->set);
  if (!args->memory || !args->where || !args->set) {
    complain("out of memory");
    return EXIT_FAILED;
  }
  args->operands = args->memory;
  if (argc == 2 && strcmp(argv[1], "--version") == 0) { /* habit; with a value it belongs to update */
    argv[1] += 2;
  }
  for (int i = 1; i < argc;) {
    int taken = 1;
    if (!ended && strcmp(argv[i], "--") == 0) {
      ended = true;
    } else if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
      args->operands[args->operand_count++] = argv[i];
    } else {
      exit_code code = read_option(args, argv + i, argc - i, &taken);
      if (code) {
        return code;
      }
    }
    i += taken;
  }
  settle_options(args);
  return EXIT_GOOD;
}

static void free_arguments(arguments *args) {
  free(args->memory);
  free((void *)args->where);
  free(args->set);
}

static bool option_fits(const option *known, const command *one) {
  char name[WORD_MAX + 2];
  snprintf(name, sizeof name, " %s ", one->name);
  return !known->commands || strstr(known->commands, name);
}

/* Options that the command does not take; output forms that exclude each other. */
static exit_code check_options(const arguments *args) {
  for (int i = 0; i < OPTION_COUNT; i++) {
    if (args->values[i] && !option_fits(&options_known[i], args->command)) {
      return usage_error(args, "%s takes no option %s", args->command->name, options_known[i].name);
    }
  }
  if (args->json && args->jsonl) {
    return usage_error(args, "--json and --jsonl exclude each other");
  }
  return EXIT_GOOD;
}

static void print_options(const command *one) {
  for (int i = 0; i < OPTION_COUNT; i++) {
    const option *known = &options_known[i];
    char shown[64];
    snprintf(shown, sizeof shown, "%s%s%s", known->name, known->value ? " " : "", known->value ? known->value : "");
    bool document = known->id == OPTION_JSON && one && strcmp(one->name, "export") == 0;
    if (!one || option_fits(known, one)) {
      printf("  %-22s %s\n", shown, document ? "says nothing: an export is JSON lines" : known->help);
    }
  }
}

/* ---- values ---- */

/* A whole number; false when the text is none. */
static bool read_number(const char *text, int64_t *out) {
  char *end = NULL;
  errno = 0;
  long long number = strtoll(text, &end, 10);
  *out = (int64_t)number;
  return errno == 0 && end != text && *end == '\0' && !isspace((unsigned char)text[0]);
}

/* The kind of this name; NULL when there is none, and that was told. */
static const kecs_kind_info *read_kind(const arguments *args, const char *name, exit_code *code) {
  const kecs_kind_info *info = kecs_kind_find(name);
  suggestion best = {name, NULL, 0};
  *code = EXIT_GOOD;
  if (info) {
    return info;
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    suggest(&best, kecs_kind_describe((kecs_kind)kind)->name);
  }
  *code = best.word ? usage_error(args, "there is no kind \"%s\"; did you mean \"%s\"?", name, best.word)
                    : usage_error(args, "there is no kind \"%s\"; `kecs describe-kind` lists them", name);
  return NULL;
}

/* Whether a column's member in documents, "clusterArn|cluster", is known by this name. */
static bool member_is(const char *members, const char *name, size_t len) {
  while (*members) {
    size_t one = strcspn(members, "|");
    if (one == len && memcmp(members, name, len) == 0) {
      return true;
    }
    members += one + (members[one] ? 1 : 0);
  }
  return false;
}

/* A column by its own name or by that of its member in documents; -1 when there is none, and that was told. */
static int read_column(const arguments *args, const kecs_kind_info *info, const char *text, size_t len,
                       exit_code *code) {
  char name[WORD_MAX + 1];
  snprintf(name, sizeof name, "%.*s", (int)len, text);
  suggestion best = {name, NULL, 0};
  *code = EXIT_GOOD;
  for (int i = 0; len <= WORD_MAX && i < info->column_count; i++) {
    if (strcmp(info->columns[i].name, name) == 0 || member_is(info->columns[i].json, name, len)) {
      return i;
    }
    suggest(&best, info->columns[i].name);
  }
  *code = best.word ? usage_error(args, "%s has no column \"%s\"; did you mean \"%s\"?", info->name, name, best.word)
                    : usage_error(args, "%s has no column \"%s\"; `kecs describe-kind %s` lists them", info->name, name,
                                  info->name);
  return -1;
}
