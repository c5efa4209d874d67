/* pg/settings.c -- takes our options out of a URL or keyword string, and masks passwords for messages. */
#include "pg/prologue.h"

#include "pg/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets an option of ours; false when the name is not ours. */
static bool kecs_pg__setting(kecs_pg__settings *out, const kecs_allocator *allocator, const char *name,
                             const char *value, kecs_status *status) {
  char **text = strcmp(name, "tenant") == 0 ? &out->tenant : strcmp(name, "schema") == 0 ? &out->schema : NULL;
  if (text) {
    kecs_pg__release_text(allocator, *text);
    *text = kecs_pg__copy(allocator, value, strlen(value));
    *status = *text ? KECS_OK : KECS_E_NOMEM;
    return true;
  }
  if (strcmp(name, "statements") == 0) {
    static const char *const modes[] = {"auto", "named", "unnamed"};
    for (int i = 0; i < 3; i++) {
      if (strcmp(value, modes[i]) == 0) {
        out->statements = i;
        return true;
      }
    }
    *status = kecs_pg__fail(KECS_E_INVALID, "statements=%.40s is not one of auto, named, unnamed", value);
    return true;
  }
  if (strcmp(name, "max_connections") == 0) {
    out->max_connections = (int)strtol(value, NULL, 10);
    return true;
  }
  return false;
}

static int kecs_pg__hex(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

static void kecs_pg__decode(char *text) {
  char *to = text;
  for (; *text; text++) {
    if (text[0] == '%' && kecs_pg__hex(text[1]) >= 0 && kecs_pg__hex(text[2]) >= 0) {
      *to++ = (char)(kecs_pg__hex(text[1]) * 16 + kecs_pg__hex(text[2]));
      text += 2;
    } else {
      *to++ = *text;
    }
  }
  *to = '\0';
}

/* One "name=value" of `len` bytes: ours is set, the rest appended to `to` behind `between`. */
static kecs_status kecs_pg__pair(kecs_pg__settings *out, const kecs_allocator *allocator, const char *pair, size_t len,
                                 char *to, char between) {
  kecs_status status = KECS_OK;
  char *copy = kecs_pg__copy(allocator, pair, len);
  char *equals = copy ? strchr(copy, '=') : NULL;
  bool ours = false;
  if (!copy) {
    return KECS_E_NOMEM;
  }
  if (equals) {
    *equals = '\0';
    if (between == '&') {
      kecs_pg__decode(equals + 1);
    }
    ours = kecs_pg__setting(out, allocator, copy, equals + 1, &status);
  }
  kecs_pg__release(allocator, copy, len + 1);
  if (!ours) {
    size_t used = strlen(to);
    bool first = used == 0 || to[used - 1] == '?';
    snprintf(to + used, len + 2, "%s%.*s", first ? "" : between == '&' ? "&" : " ", (int)len, pair);
  }
  return status;
}

/* Copies the text up to its query, masking what stands between the user's colon and the at sign. */
static kecs_status kecs_pg__shown_url(const char *url, const kecs_allocator *allocator, char **out) {
  size_t len = strcspn(url, "?");
  const char *user = strstr(url, "://") + 3;
  size_t authority = strcspn(user, "/?");
  const char *at = NULL;
  for (size_t i = 0; i < authority; i++) {
    at = user[i] == '@' ? user + i : at;
  }
  const char *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
  *out = kecs_pg__alloc(allocator, len + 8);
  if (!*out) {
    return KECS_E_NOMEM;
  }
  if (colon) {
    snprintf(*out, len + 8, "%.*s:***%.*s", (int)(colon - url), url, (int)(url + len - at), at);
  } else {
    snprintf(*out, len + 8, "%.*s", (int)len, url);
  }
  char *exact = kecs_pg__copy(allocator, *out, strlen(*out));
  kecs_pg__release(allocator, *out, len + 8);
  *out = exact;
  return exact ? KECS_OK : KECS_E_NOMEM;
}

static kecs_status kecs_pg__read_url(const char *url, const kecs_allocator *allocator, kecs_pg__settings *out,
                                     char *conninfo) {
  size_t head = strcspn(url, "?");
  memcpy(conninfo, url, head);
  kecs_status status = kecs_pg__shown_url(url, allocator, &out->shown);
  const char *at = url[head] ? url + head + 1 : url + head;
  if (*at) {
    conninfo[head] = '?';
  }
  while (!status && *at) {
    size_t len = strcspn(at, "&");
    status = kecs_pg__pair(out, allocator, at, len, conninfo, '&');
    at += len + (at[len] == '&');
  }
  size_t used = strlen(conninfo);
  if (used > 0 && conninfo[used - 1] == '?') {
    conninfo[used - 1] = '\0';
  }
  return status;
}

/* Keyword strings are shown without their values: they may hold a password anywhere. */
static kecs_status kecs_pg__read_words(const char *words, const kecs_allocator *allocator, kecs_pg__settings *out,
                                       char *conninfo) {
  kecs_status status = KECS_OK;
  out->shown = kecs_pg__copy(allocator, "postgresql", strlen("postgresql"));
  while (!status && *(words += strspn(words, " "))) {
    size_t len = strcspn(words, "= ");
    if (words[len] == '=' && words[len + 1] == '\'') {
      for (len += 2; words[len] && words[len] != '\''; len++) {
        len += words[len] == '\\' && words[len + 1] ? 1 : 0;
      }
      len += words[len] ? 1 : 0;
    } else {
      len = strcspn(words, " ");
    }
    status = kecs_pg__pair(out, allocator, words, len, conninfo, ' ');
    words += len;
  }
  return status ? status : out->shown ? KECS_OK : KECS_E_NOMEM;
}

static kecs_status kecs_pg__settings_default(char **text, const char *value, const kecs_allocator *allocator) {
  if (!*text) {
    *text = kecs_pg__copy(allocator, value, strlen(value));
  }
  return *text ? KECS_OK : KECS_E_NOMEM;
}

KECS_PG__FN kecs_status kecs_pg__settings_read(const char *url, const kecs_allocator *allocator,
                                               kecs_pg__settings *out) {
  memset(out, 0, sizeof *out);
  out->max_connections = 10;
  out->min_connections = 1;
  out->acquire_timeout_ms = 30000;
  out->idle_timeout_ms = 600000;
  out->max_lifetime_ms = 3600000;
  out->check_interval_ms = 60000;
  size_t size = strlen(url) + 2;
  char *conninfo = kecs_pg__alloc(allocator, size);
  if (!conninfo) {
    return KECS_E_NOMEM;
  }
  bool is_url = strstr(url, "://") != NULL;
  kecs_status status =
      is_url ? kecs_pg__read_url(url, allocator, out, conninfo) : kecs_pg__read_words(url, allocator, out, conninfo);
  if (!status) {
    out->conninfo = kecs_pg__copy(allocator, conninfo, strlen(conninfo));
    status = out->conninfo ? KECS_OK : KECS_E_NOMEM;
  }
  kecs_pg__release(allocator, conninfo, size);
  status = status ? status : kecs_pg__settings_default(&out->tenant, "default", allocator);
  status = status ? status : kecs_pg__settings_default(&out->schema, "public", allocator);
  if (status) {
    kecs_pg__settings_free(out, allocator);
  }
  return status;
}

KECS_PG__FN void kecs_pg__settings_free(kecs_pg__settings *settings, const kecs_allocator *allocator) {
  kecs_pg__release_text(allocator, settings->conninfo);
  kecs_pg__release_text(allocator, settings->shown);
  kecs_pg__release_text(allocator, settings->tenant);
  kecs_pg__release_text(allocator, settings->schema);
  memset(settings, 0, sizeof *settings);
}
