/* pg/environment.c -- the environment variables of the systems that this store takes the place of. */
#include "pg/prologue.h"

#include "pg/environment.h"
#include "pg/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A variable's value; NULL when it is absent or empty. */
static const char *kecs_pg__variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static bool kecs_pg__says_postgres(const char *value) {
  static const char *const names[] = {"postgresql", "postgres", "pg"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    size_t k = 0;
    while (value[k] && kecs_pg__lower(value[k]) == names[i][k]) {
      k++;
    }
    if (!value[k] && !names[i][k]) {
      return true;
    }
  }
  return false;
}

static kecs_status kecs_pg__disagree(const char *first, const char *second) {
  char text[160];
  snprintf(text, sizeof text, "environment: %s and %s disagree; unset one of them", first, second);
  return kecs_backend_fail(KECS_E_INVALID, 0, NULL, text);
}

/* Which of the variables asks for PostgreSQL; NULL when none does. One that names another storage beside it is an
 * error; alone it means that PostgreSQL is not asked for. */
static kecs_status kecs_pg__asked_by(const char **out_asked, bool *out_other) {
  static const char *const names[] = {"KECS_STORAGE_TYPE", "KECS_STORAGE", "STORE_TYPE"};
  const char *other = NULL;
  *out_asked = NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const char *value = kecs_pg__variable(names[i]);
    const char **kind = value && kecs_pg__says_postgres(value) ? out_asked : &other;
    *kind = value && !*kind ? names[i] : *kind;
  }
  *out_other = other != NULL;
  return *out_asked && other ? kecs_pg__disagree(*out_asked, other) : KECS_OK;
}

/* The variable that holds the URL; NULL when there is none. */
static kecs_status kecs_pg__url_variable(bool database_url_counts, const char **out_name) {
  static const char *const names[] = {"KECS_DATABASE_URL", "KECS_POSTGRES_URL", "DATABASE_URL"};
  size_t count = database_url_counts ? 3 : 2;
  *out_name = NULL;
  for (size_t i = 0; i < count; i++) {
    const char *value = kecs_pg__variable(names[i]);
    if (value && *out_name && strcmp(value, kecs_pg__variable(*out_name)) != 0) {
      return kecs_pg__disagree(*out_name, names[i]);
    }
    *out_name = value && !*out_name ? names[i] : *out_name;
  }
  return KECS_OK;
}

typedef struct kecs_pg__url_text {
  char *data;
  size_t size;
  size_t len; /* also of what did not fit */
} kecs_pg__url_text;

static void kecs_pg__url_add(kecs_pg__url_text *url, const char *text, size_t len) {
  if (url->len + len < url->size) {
    memcpy(url->data + url->len, text, len);
    url->data[url->len + len] = '\0';
  }
  url->len += len;
}

/* Adds a mark and a value, each byte that means something in a URL encoded. */
static void kecs_pg__url_add_part(kecs_pg__url_text *url, const char *mark, const char *value) {
  kecs_pg__url_add(url, mark, strlen(mark));
  for (; *value; value++) {
    char encoded[4];
    snprintf(encoded, sizeof encoded, "%%%02X", (unsigned)(unsigned char)*value);
    bool plain = strchr(KECS_PG__NAME_CHARS, *value) != NULL;
    kecs_pg__url_add(url, plain ? value : encoded, plain ? 1 : 3);
  }
}

static const char *kecs_pg__or(const char *name, const char *otherwise) {
  const char *value = kecs_pg__variable(name);
  return value ? value : otherwise;
}

static void kecs_pg__url_from_parts(kecs_pg__url_text *url) {
  const char *password = getenv("KECS_POSTGRES_PASSWORD");
  kecs_pg__url_add_part(url, "postgres://", kecs_pg__or("KECS_POSTGRES_USER", "kecs"));
  if (!password || *password) {
    kecs_pg__url_add_part(url, ":", password ? password : "kecs");
  }
  kecs_pg__url_add_part(url, "@", kecs_pg__or("KECS_POSTGRES_HOST", "localhost"));
  kecs_pg__url_add_part(url, ":", kecs_pg__or("KECS_POSTGRES_PORT", "5432"));
  kecs_pg__url_add_part(url, "/", kecs_pg__or("KECS_POSTGRES_DATABASE", "kecs"));
  kecs_pg__url_add_part(url, "?sslmode=", kecs_pg__or("KECS_POSTGRES_SSLMODE", "disable"));
}

KECS_STORE_API kecs_status kecs_pg_url_from_environment(char *out_url, size_t size) {
  const char *asked = NULL;
  const char *name = NULL;
  bool other = false;
  if (!out_url || size == 0) {
    return kecs_backend_fail(KECS_E_MISUSE, 0, NULL, "kecs_pg_url_from_environment: out_url has no room");
  }
  out_url[0] = '\0';
  kecs_status status = kecs_pg__asked_by(&asked, &other);
  if (status) {
    return status;
  }
  const char *store_type = kecs_pg__variable("STORE_TYPE");
  bool database_url_counts = store_type && kecs_pg__says_postgres(store_type);
  status = other ? KECS_OK : kecs_pg__url_variable(database_url_counts, &name);
  if (status) {
    return status;
  }
  if (!asked && !name) {
    return kecs_backend_fail(KECS_E_NOT_FOUND, 0, NULL,
                             "environment: PostgreSQL is not asked for; set KECS_STORAGE_TYPE=postgresql, or "
                             "KECS_DATABASE_URL");
  }
  kecs_pg__url_text url = {out_url, size, 0};
  if (name) {
    const char *value = kecs_pg__variable(name);
    kecs_pg__url_add(&url, value, strlen(value));
  } else if (strcmp(asked, "STORE_TYPE") == 0) {
    return kecs_backend_fail(KECS_E_INVALID, 0, NULL, "environment: STORE_TYPE asks for PostgreSQL; set DATABASE_URL");
  } else {
    kecs_pg__url_from_parts(&url);
  }
  if (url.len >= size) {
    out_url[0] = '\0';
    return kecs_backend_fail(KECS_E_INVALID, 0, NULL, "environment: the PostgreSQL URL is too long");
  }
  return KECS_OK;
}
