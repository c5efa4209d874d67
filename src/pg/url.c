/* pg/url.c -- options as libpq would read them, so that ours can be taken out and the rest left as it is written. */
#include "pg/prologue.h"

#include "pg/url.h"

#include <string.h>

KECS_PG__FN char kecs_pg__lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

KECS_PG__FN int kecs_pg__hex_digit(char c) {
  char lower = kecs_pg__lower(c);
  return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

KECS_PG__FN bool kecs_pg__percent_decode(const char *text, size_t len, char *out) {
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (c == '%') {
      int high = i + 2 < len ? kecs_pg__hex_digit(text[i + 1]) : -1;
      int low = high >= 0 ? kecs_pg__hex_digit(text[i + 2]) : -1;
      if (low < 0 || high * 16 + low == 0) {
        return false;
      }
      c = (char)(high * 16 + low);
      i += 2;
    }
    *out++ = c;
  }
  *out = '\0';
  return true;
}

/* name=value of a URL's query, up to the next & */
KECS_PG__FN const char *kecs_pg__option_of_url(const char **at, kecs_pg__option *option) {
  const char *text = *at;
  size_t len = strcspn(text, "&");
  size_t name_len = strcspn(text, "=&");
  option->text = text;
  option->len = len;
  *at = text + len + (text[len] == '&');
  /* The value's room has space for a name of any length. */
  if (!kecs_pg__percent_decode(text, name_len, option->value) || strlen(option->value) > KECS_PG__NAME_MAX) {
    option->value[0] = '\0';
  }
  memcpy(option->name, option->value, strlen(option->value) + 1);
  if (name_len == len) {
    return "has no value; write name=value, and & in a value as %26";
  }
  if (memchr(text + name_len + 1, '=', len - name_len - 1)) {
    return "has two equal signs; write = in a value as %3D, and & between options";
  }
  if (!kecs_pg__percent_decode(text + name_len + 1, len - name_len - 1, option->value)) {
    return "has a % that no character's two hexadecimal digits follow; write % as %25";
  }
  return NULL;
}

static bool kecs_pg__blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

KECS_PG__FN const char *kecs_pg__skip_blanks(const char *at) {
  while (kecs_pg__blank(*at)) {
    at++;
  }
  return at;
}

/* A keyword's value as libpq reads it: up to a blank, or within single quotes; a backslash takes the next character as
 * it is. Returns what follows, or NULL when a quote is not closed. */
static const char *kecs_pg__keyword_value(const char *at, char *out) {
  bool quoted = *at == '\'';
  at += quoted;
  while (*at && (quoted ? *at != '\'' : !kecs_pg__blank(*at))) {
    at += *at == '\\';
    if (*at) {
      *out++ = *at++;
    }
  }
  *out = '\0';
  return !quoted ? at : *at ? at + 1 : NULL;
}

/* name = value of a keyword string */
KECS_PG__FN const char *kecs_pg__option_of_keywords(const char **at, kecs_pg__option *option) {
  const char *text = *at;
  size_t name_len = 0;
  while (text[name_len] && text[name_len] != '=' && !kecs_pg__blank(text[name_len])) {
    name_len++;
  }
  size_t kept = name_len <= KECS_PG__NAME_MAX ? name_len : 0;
  memcpy(option->name, text, kept);
  option->name[kept] = '\0';
  const char *equals = kecs_pg__skip_blanks(text + name_len);
  if (*equals != '=') {
    return "has no value; write name=value, and quote a value that has spaces";
  }
  const char *end = kecs_pg__keyword_value(kecs_pg__skip_blanks(equals + 1), option->value);
  if (!end) {
    return "has a quote that is not closed; write ' in a value as \\'";
  }
  option->text = text;
  option->len = (size_t)(end - text);
  *at = kecs_pg__skip_blanks(end);
  return NULL;
}
