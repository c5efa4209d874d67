/* pg/url.h -- the grammar of PostgreSQL URLs and keyword strings: one option after the other. */
#ifndef KECS_PG_URL_H
#define KECS_PG_URL_H
#include "pg/internal.h"

#define KECS_PG__NAME_MAX 40 /* longer than any option's name */

/* What a plain name is made of. */
#define KECS_PG__NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

/* One option of a text. */
typedef struct kecs_pg__option {
  const char *text; /* as it is written, `len` bytes */
  size_t len;
  char name[KECS_PG__NAME_MAX + 1]; /* decoded; "" when it cannot be one */
  char *value;                      /* decoded; the caller gives it room for the whole text */
} kecs_pg__option;

/* Both read the option at *at and move *at to the next one. NULL, or what is wrong with how it is written. */
KECS_PG__FN const char *kecs_pg__option_of_url(const char **at, kecs_pg__option *option);
KECS_PG__FN const char *kecs_pg__option_of_keywords(const char **at, kecs_pg__option *option);

KECS_PG__FN const char *kecs_pg__skip_blanks(const char *at);

/* Decodes percent signs; false when one is not followed by two hexadecimal digits, or stands for the byte 0. */
KECS_PG__FN bool kecs_pg__percent_decode(const char *text, size_t len, char *out);

KECS_PG__FN int kecs_pg__hex_digit(char c); /* -1: none */
KECS_PG__FN char kecs_pg__lower(char c);

#endif
