/* kecs_open.h -- which database a command is about, and opening it. What the command line says wins over KECS_DB, and
 * that over the variables that kecs_open_env reads. No message has a URL as it was given: it may hold a password. */

typedef enum access_mode {
  ACCESS_LOOK,  /* nothing is changed, not even an older schema */
  ACCESS_READ,  /* the rows stay as they are */
  ACCESS_WRITE, /* the file must be there */
  ACCESS_CREATE
} access_mode;

typedef enum storage_type { STORAGE_ANY, STORAGE_FILE, STORAGE_MEMORY, STORAGE_POSTGRES } storage_type;

/* ---- which database ---- */

static bool word_is(const char *text, const char *word) {
  while (*word && tolower((unsigned char)*text) == *word) {
    text++;
    word++;
  }
  return !*text && !*word;
}

/* The type that a word means; ANY when it means none. */
static storage_type storage_of(const char *text) {
  static const struct {
    const char *word;
    storage_type type;
  } words[] = {{"sqlite", STORAGE_FILE},         {"duckdb", STORAGE_FILE},       {"memory", STORAGE_MEMORY},
               {"postgresql", STORAGE_POSTGRES}, {"postgres", STORAGE_POSTGRES}, {"pg", STORAGE_POSTGRES}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (word_is(text, words[i].word)) {
      return words[i].type;
    }
  }
  return STORAGE_ANY;
}

/* The type that a path is of: a URL, a keyword string, ":memory:", a file. */
static storage_type storage_at(const char *path) {
  static const char *const beginnings[] = {"postgres://", "postgresql://", "host=",    "hostaddr=", "port=",
                                           "dbname=",     "user=",         "service=", "password=", "passfile="};
  for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
    if (strncmp(path, beginnings[i], strlen(beginnings[i])) == 0) {
      return STORAGE_POSTGRES;
    }
  }
  return strcmp(path, ":memory:") == 0 ? STORAGE_MEMORY : STORAGE_FILE;
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && value[0] ? value : NULL;
}

/* The number of the profile that a word means; -1 when it means none. */
static int profile_of(const char *text) {
  static const char *const words[] = {"default", "durable", "edge", "memory"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (word_is(text, words[i])) {
      return (int)i;
    }
  }
  return -1;
}

/* The profile that is asked for; -1 when none is. */
static int profile_asked(const arguments *args) {
  const char *text = args->values[OPTION_PROFILE] ? args->values[OPTION_PROFILE] : variable("KECS_PROFILE");
  return text ? profile_of(text) : -1;
}

/* The kind of storage that the environment asks for; ANY when it says nothing that kecs_open_env reads. */
static storage_type storage_of_environment(void) {
  static const char *const types[] = {"KECS_STORAGE_TYPE", "KECS_STORAGE", "STORE_TYPE"};
  static const char *const others[] = {"KECS_DATABASE_URL", "KECS_POSTGRES_URL", "KECS_STORAGE_PATH", "KECS_DATA_DIR"};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (variable(types[i])) { /* an unknown word is for kecs_open_env to refuse */
      return storage_of(variable(types[i])) == STORAGE_MEMORY ? STORAGE_MEMORY : STORAGE_FILE;
    }
  }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (variable(others[i])) {
      return STORAGE_FILE;
    }
  }
  return STORAGE_ANY;
}

/* --storage without a database: the environment has the rest. Variables that say another type are put right, since the
 * command line wins; URLs and folders that do not fit are for kecs_open_env to refuse. */
static void storage_to_environment(const char *type) {
  bool shared = variable("STORE_TYPE") != NULL;
  (void)setenv("KECS_STORAGE_TYPE", type, 1);
  (void)unsetenv("KECS_STORAGE");
  if (shared) {
    (void)setenv("STORE_TYPE", type, 1);
  }
}

static exit_code check_storage(const arguments *args, storage_type type, const char *path) {
  const char *given = args->values[OPTION_STORAGE];
  if (given && type == STORAGE_ANY) {
    return usage_error(args, "unknown --storage \"%s\" (valid: sqlite, memory, postgresql, postgres, pg, duckdb)",
                       given);
  }
  if (args->values[OPTION_PROFILE] && profile_of(args->values[OPTION_PROFILE]) < 0) {
    return usage_error(args, "unknown --profile \"%s\" (valid: default, durable, edge, memory)",
                       args->values[OPTION_PROFILE]);
  }
  if (args->values[OPTION_POSTGRES_URL] && args->db) {
    return usage_error(args, "--db and --postgres-url both say which database; give one of them");
  }
  if (args->values[OPTION_POSTGRES_URL] && storage_at(path) != STORAGE_POSTGRES) {
    return usage_error(args, "--postgres-url is no PostgreSQL URL: it begins with postgres:// or postgresql://");
  }
  if (given && path && storage_at(path) != type) {
    return usage_error(args, "--storage %s does not fit the database that %s names", given,
                       args->db ? "--db" : "--postgres-url");
  }
  return EXIT_GOOD;
}

/* The database's path; NULL when the environment says where it is. */
static exit_code choose_database(const arguments *args, const char **out_path) {
  const char *given = args->values[OPTION_STORAGE];
  const char *url = args->values[OPTION_POSTGRES_URL];
  const char *usual = variable("KECS_DB");
  storage_type type = given ? storage_of(given) : STORAGE_ANY;
  const char *path = args->db ? args->db : url;
  exit_code code = check_storage(args, type, path);
  if (code) {
    return code;
  }
  if (!path && usual && (!given || storage_at(usual) == type)) {
    path = usual;
  }
  bool in_memory = !given && storage_of_environment() == STORAGE_ANY && profile_asked(args) == KECS_PROFILE_MEMORY;
  if (!path && (type == STORAGE_MEMORY || in_memory)) {
    path = ":memory:";
  }
  if (!path && given) {
    storage_to_environment(given);
  }
  if (path ? !path[0] : storage_of_environment() == STORAGE_ANY) {
    return usage_error(args, "which database? Give --db FILE, or set KECS_DB");
  }
  *out_path = path;
  return EXIT_GOOD;
}

/* ---- opening it ---- */

static void tell_log(kecs_log_level level, const char *text, void *user) {
  (void)user;
  if (level != KECS_LOG_DEBUG) {
    complain("%s", text);
  }
}

enum { SERVER_MS = 3000 /* a person waits: a server that is not there is told soon */ };

/* How long a server is waited for, in milliseconds; 0: as the URL says, which knows its server better. */
static int server_wait(const arguments *args, const char *path, int64_t wait) {
  const char *const urls[] = {path ? path : variable("KECS_DATABASE_URL"), variable("KECS_POSTGRES_URL"),
                              variable("DATABASE_URL")};
  for (size_t i = 0; i < (path ? 1U : sizeof urls / sizeof urls[0]); i++) {
    if (urls[i] && strstr(urls[i], "acquire_timeout=")) {
      return 0;
    }
  }
  return !args->values[OPTION_WAIT] ? SERVER_MS : wait > 0 ? (int)wait * 1000 : 1;
}

/* Opens a database, or with NULL that of the environment. On failure *code says why, and that was told; ACCESS_LOOK
 * gives NULL with EXIT_GOOD where there is no schema of this version. */
static kecs_store *open_path(const arguments *args, const char *path, access_mode mode, exit_code *code) {
  kecs_options options = {0};
  kecs_store *store = NULL;
  int64_t wait = 30;
  if (args->values[OPTION_WAIT] && (!read_number(args->values[OPTION_WAIT], &wait) || wait < 0 || wait > 86400)) {
    *code = usage_error(args, "--wait \"%s\" is not a number of seconds, 0 to 86400", args->values[OPTION_WAIT]);
    return NULL;
  }
#if defined(KECS_POSTGRES)
  options.backends = kecs_pg_backends();
#endif
  storage_type type = path ? storage_at(path) : storage_of_environment();
  bool file = type != STORAGE_MEMORY;
  options.path = path;
  options.account_id = args->account;
  options.region = args->region;
  options.strict = args->strict;
  options.track = args->track;
  if (args->values[OPTION_PROFILE]) { /* which wins over KECS_PROFILE, default as well */
    (void)setenv("KECS_PROFILE", args->values[OPTION_PROFILE], 1);
  }
  options.history = args->history;
  options.actor = args->values[OPTION_ACTOR];
  options.reason = args->values[OPTION_REASON];
  options.busy_timeout_ms = wait > 0 ? (int)wait * 1000 : -1;
  if (type == STORAGE_POSTGRES || (!path && type != STORAGE_MEMORY)) {
    options.pool.acquire_ms = server_wait(args, path, wait);
  }
  options.must_exist = file && mode != ACCESS_CREATE;
  options.read_only = args->read_only || (file && mode <= ACCESS_READ);
  options.logger.write = args->values[OPTION_VERBOSE] ? tell_log : NULL;
  kecs_status status = kecs_open_env(&options, &store);
  /* A server's database without tables; one that is not there has the server's own code. */
  bool bare = status == KECS_E_NOT_FOUND && (!path || type == STORAGE_POSTGRES) && !kecs_last_error()->sqlstate[0];
  if ((status == KECS_E_READONLY || bare) && mode == ACCESS_READ && !args->read_only) {
    options.read_only = false; /* an older schema: reading it takes a migration first */
    status = kecs_open_env(&options, &store);
  }
  bool there = path && type == STORAGE_FILE && access(path, F_OK) == 0; /* but empty */
  if ((status == KECS_E_READONLY || bare || (status == KECS_E_NOT_FOUND && there)) && mode == ACCESS_LOOK) {
    complain("%s; it counts as empty", kecs_last_error()->text);
    *code = EXIT_GOOD;
  } else if (status == KECS_E_NOT_FOUND && mode != ACCESS_CREATE && path && type == STORAGE_FILE && !there) {
    complain("%s does not exist; `kecs import` and `kecs put` create a database", path);
    *code = EXIT_NOT_FOUND;
  } else {
    *code = status ? fail_asked(status) : EXIT_GOOD;
  }
  return store;
}

/* Opens the database that the command line or the environment names. */
static kecs_store *open_store(const arguments *args, access_mode mode, exit_code *code) {
  const char *path = NULL;
  *code = choose_database(args, &path);
  return *code ? NULL : open_path(args, path, mode, code);
}
