/* store/environment.c -- kecs_open_env: where the store is, from the environment.
 *
 * The names come from three programs whose users should not have to learn new ones. They are looked at in the order of
 * the tables below; two of one table that say different things are an error, since nobody can tell which was meant. */
#include "base/prologue.h"

#include "store/engine.h"


#include <stdlib.h>
#include <string.h>

typedef enum kecs__storage {
  KECS__STORAGE_UNSAID,
  KECS__STORAGE_SQLITE,
  KECS__STORAGE_MEMORY,
  KECS__STORAGE_PG
} kecs__storage;

static const struct {
  const char *word;
  kecs__storage storage;
} kecs__storage_words[] = {
    {"sqlite", KECS__STORAGE_SQLITE}, {"duckdb", KECS__STORAGE_SQLITE}, {"memory", KECS__STORAGE_MEMORY},
    {"postgresql", KECS__STORAGE_PG}, {"postgres", KECS__STORAGE_PG},   {"pg", KECS__STORAGE_PG},
};

static const char *const kecs__type_names[] = {"KECS_STORAGE_TYPE", "KECS_STORAGE", "STORE_TYPE", NULL};
static const char *const kecs__url_names[] = {"KECS_DATABASE_URL", "KECS_POSTGRES_URL", NULL};
/* DATABASE_URL is every program's name: it is ours only where STORE_TYPE says postgres. */
static const char *const kecs__shared_url_names[] = {"KECS_DATABASE_URL", "KECS_POSTGRES_URL", "DATABASE_URL", NULL};

static const struct {
  const char *word;
  kecs_profile profile;
} kecs__profile_words[] = {
    {"default", KECS_PROFILE_DEFAULT},
    {"durable", KECS_PROFILE_DURABLE},
    {"edge", KECS_PROFILE_EDGE},
    {"memory", KECS_PROFILE_MEMORY},
};

typedef struct kecs__environment {
  kecs_options options;
  bool in_memory; /* KECS_PROFILE says memory */
  kecs__storage storage;
  const char *type_name; /* the variable that said so */
  const char *url_name;
  const char *url;
  kecs__text path;
} kecs__environment;

/* A variable's value; NULL when it is unset or empty, which is the same in a shell's ${NAME:-}. */
static const char *kecs__variable(const char *name) {
  const char *value = getenv(name);
  return value && value[0] ? value : NULL;
}

static bool kecs__word_is(const char *text, const char *word) {
  while (*word && ((*text >= 'A' && *text <= 'Z') ? *text + ('a' - 'A') : *text) == *word) {
    text++;
    word++;
  }
  return !*text && !*word;
}

static kecs_status kecs__environment_word(kecs__environment *environment, const char *name, const char *value) {
  for (size_t i = 0; i < sizeof kecs__storage_words / sizeof kecs__storage_words[0]; i++) {
    kecs__storage storage = kecs__storage_words[i].storage;
    if (!kecs__word_is(value, kecs__storage_words[i].word)) {
      continue;
    }
    if (environment->type_name && environment->storage != storage) {
      return kecs__fail(KECS_E_INVALID, "%s and %s ask for different kinds of storage; unset one of them",
                        environment->type_name, name);
    }
    if (kecs__word_is(value, "duckdb") && environment->options.logger.write) {
      environment->options.logger.write(KECS_LOG_WARNING,
                                        "storage type duckdb: opened as SQLite, which takes its place",
                                        environment->options.logger.user);
    }
    environment->type_name = environment->type_name ? environment->type_name : name;
    environment->storage = storage;
    return KECS_OK;
  }
  return kecs__fail(KECS_E_INVALID, "unknown %s: %.40s (valid: sqlite, memory, postgresql, postgres, pg, duckdb)", name,
                    value);
}

static kecs_status kecs__environment_type(kecs__environment *environment) {
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && kecs__type_names[i]; i++) {
    const char *value = kecs__variable(kecs__type_names[i]);
    status = value ? kecs__environment_word(environment, kecs__type_names[i], value) : KECS_OK;
  }
  return status;
}

static kecs_status kecs__environment_url(kecs__environment *environment) {
  const char *type = kecs__variable("STORE_TYPE");
  bool shared = type && environment->storage == KECS__STORAGE_PG;
  const char *const *names = shared ? kecs__shared_url_names : kecs__url_names;
  for (size_t i = 0; names[i]; i++) {
    const char *value = kecs__variable(names[i]);
    if (value && environment->url && strcmp(value, environment->url) != 0) {
      return kecs__fail(KECS_E_INVALID, "%s and %s name different databases; unset one of them", environment->url_name,
                        names[i]);
    }
    if (value && !environment->url) {
      environment->url = value;
      environment->url_name = names[i];
    }
  }
  return KECS_OK;
}

static bool kecs__url_is_postgres(const char *url) {
  return strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0;
}

/* A URL alone says what it is; beside a type the two must agree. */
static kecs_status kecs__environment_agree(kecs__environment *environment) {
  bool postgres = environment->url && kecs__url_is_postgres(environment->url);
  if (environment->storage == KECS__STORAGE_UNSAID) {
    environment->storage = postgres ? KECS__STORAGE_PG : KECS__STORAGE_SQLITE;
  } else if (environment->url && postgres != (environment->storage == KECS__STORAGE_PG)) {
    return kecs__fail(KECS_E_INVALID,
                      "%s and %s disagree: one is about PostgreSQL, the other is not; unset one of them",
                      environment->type_name, environment->url_name);
  }
  return KECS_OK;
}

/* ---- PostgreSQL in parts ---- */

typedef struct kecs__url_part {
  const char *option;
  const char *name;
  const char *libpq; /* where this one is set, and ours is not, the part is left to libpq */
  const char *standard;
} kecs__url_part;

enum { KECS__URL_PASSWORD = 3 };
static const kecs__url_part kecs__url_parts[] = {
    {"host=", "KECS_POSTGRES_HOST", "PGHOST", "localhost"},
    {"port=", "KECS_POSTGRES_PORT", "PGPORT", "5432"},
    {"user=", "KECS_POSTGRES_USER", "PGUSER", "kecs"},
    {"password=", "KECS_POSTGRES_PASSWORD", "PGPASSWORD", "kecs"},
    {"dbname=", "KECS_POSTGRES_DATABASE", "PGDATABASE", "kecs"},
    {"sslmode=", "KECS_POSTGRES_SSLMODE", "PGSSLMODE", "disable"},
};

static void kecs__add_encoded(kecs__text *out, const char *text) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (; *text; text++) {
    if (strchr(plain, *text)) {
      kecs__text_addc(out, *text);
    } else {
      kecs__text_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
  }
}

static kecs_status kecs__environment_parts(kecs__environment *environment) {
  bool given = false;
  int parts = 0;
  kecs__text_adds(&environment->path, "postgresql://");
  for (size_t i = 0; i < sizeof kecs__url_parts / sizeof kecs__url_parts[0]; i++) {
    const kecs__url_part *part = &kecs__url_parts[i];
    const char *value = kecs__variable(part->name);
    given = given || value || kecs__variable(part->libpq);
    bool emptied = !value && i == KECS__URL_PASSWORD && getenv(part->name); /* none: the password file counts */
    if (emptied || (!value && kecs__variable(part->libpq))) {
      continue;
    }
    kecs__text_addc(&environment->path, parts++ == 0 ? '?' : '&');
    kecs__text_adds(&environment->path, part->option);
    kecs__add_encoded(&environment->path, value ? value : part->standard);
  }
  if (!given && strcmp(environment->type_name, "STORE_TYPE") == 0) {
    return kecs__fail(KECS_E_INVALID,
                      "DATABASE_URL is required when STORE_TYPE is postgres; set it to "
                      "postgres://USER:PASSWORD@HOST:PORT/DATABASE");
  }
  return environment->path.status;
}

/* ---- files ---- */

static kecs_status kecs__environment_file(kecs__environment *environment) {
  const char *file = kecs__variable("KECS_STORAGE_PATH");
  const char *folder = kecs__variable("KECS_DATA_DIR");
  const char *home = kecs__variable("HOME");
  if (environment->url) {
    kecs__text_adds(&environment->path, environment->url);
  } else if (file && folder) {
    return kecs__fail(KECS_E_INVALID,
                      "KECS_STORAGE_PATH and KECS_DATA_DIR both say where the file is; unset one of them");
  } else if (file) {
    kecs__text_adds(&environment->path, file);
  } else if (folder) {
    kecs__text_addf(&environment->path, "%s/kecs.db", folder);
  } else if (home) {
    kecs__text_addf(&environment->path, "%s/.kecs/data/kecs.db", home);
  } else {
    return kecs__fail(KECS_E_INVALID, "the environment does not say where the store is; set KECS_DATA_DIR to a folder");
  }
  return environment->path.status;
}

/* KECS_PROFILE, where the options leave the profile open. */
static kecs_status kecs__environment_profile(kecs__environment *environment) {
  const char *value = kecs__variable("KECS_PROFILE");
  if (!value || environment->options.profile != KECS_PROFILE_DEFAULT) {
    return KECS_OK;
  }
  for (size_t i = 0; i < sizeof kecs__profile_words / sizeof kecs__profile_words[0]; i++) {
    if (kecs__word_is(value, kecs__profile_words[i].word)) {
      environment->options.profile = kecs__profile_words[i].profile;
      environment->in_memory = environment->options.profile == KECS_PROFILE_MEMORY;
      const char *path = environment->options.path;
      if (environment->in_memory && path && strcmp(path, ":memory:") != 0) {
        return kecs__fail(KECS_E_INVALID, "KECS_PROFILE says memory, options.path \"%s\"; leave one out", path);
      }
      return KECS_OK;
    }
  }
  return kecs__fail(KECS_E_INVALID, "unknown KECS_PROFILE: %.40s (valid: default, durable, edge, memory)", value);
}

/* The profile for memory is a kind of storage, too. */
static kecs_status kecs__environment_memory(kecs__environment *environment) {
  const char *other = environment->type_name ? environment->type_name : environment->url_name;
  if (!environment->in_memory || environment->storage == KECS__STORAGE_MEMORY) {
    return KECS_OK;
  }
  if (other) {
    return kecs__fail(KECS_E_INVALID, "KECS_PROFILE says memory, %s another place; unset one of them", other);
  }
  environment->storage = KECS__STORAGE_MEMORY;
  return KECS_OK;
}

static kecs_status kecs__environment_path(kecs__environment *environment) {
  kecs_status status = kecs__environment_type(environment);
  if (!status) {
    status = kecs__environment_url(environment);
  }
  if (!status) {
    status = kecs__environment_memory(environment);
  }
  if (!status) {
    status = kecs__environment_agree(environment);
  }
  if (status) {
    return status;
  }
  if (environment->storage == KECS__STORAGE_MEMORY) {
    kecs__text_adds(&environment->path, ":memory:");
  } else if (environment->storage == KECS__STORAGE_SQLITE) {
    return kecs__environment_file(environment);
  } else if (environment->url) {
    kecs__text_adds(&environment->path, environment->url);
  } else {
    return kecs__environment_parts(environment);
  }
  return environment->path.status;
}

KECS_STORE_API kecs_status kecs_open_env(const kecs_options *options, kecs_store **out_store) {
  kecs__environment environment;
  kecs_allocator allocator;
  kecs_status status = kecs__check_pointer(out_store, "out_store");
  if (status) {
    return status;
  }
  *out_store = NULL;
  memset(&environment, 0, sizeof environment);
  if (options) {
    environment.options = *options;
  }
  status = kecs__environment_profile(&environment);
  if (status) {
    return status;
  }
  if (environment.options.path) {
    return kecs_open(&environment.options, out_store);
  }
  status = kecs__allocator_resolve(&environment.options.allocator, &allocator);
  if (status) {
    return status;
  }
  kecs__text_init(&environment.path, &allocator, SIZE_MAX);
  status = kecs__environment_path(&environment);
  if (!status) {
    environment.options.path = environment.path.data;
    status = kecs_open(&environment.options, out_store);
  }
  if (environment.path.data) {
    memset(environment.path.data, 0, environment.path.len); /* it may hold a password */
  }
  kecs__text_free(&environment.path);
  return status;
}
