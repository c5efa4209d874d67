/* pg/settings.h -- a URL or keyword string: what is libpq's, and what is ours. */
#ifndef KECS_PG_SETTINGS_H
#define KECS_PG_SETTINGS_H
#include "pg/internal.h"

typedef struct kecs_pg__settings {
  char *conninfo; /* what libpq gets, ours taken out */
  char *shown;    /* masked, for messages */
  char *tenant;
  char *schema;
  int statements; /* 0 auto, 1 named, 2 unnamed */
  int max_connections;
  int min_connections;
  int64_t acquire_timeout_ms;
  int64_t idle_timeout_ms;
  int64_t max_lifetime_ms;
  int64_t check_interval_ms;
} kecs_pg__settings;

/* INVALID where the text does not parse or an option is unknown or out of range; NOMEM. Nothing is kept then. */
KECS_PG__FN kecs_status kecs_pg__settings_read(const char *url, const kecs_allocator *allocator,
                                               kecs_pg__settings *out);

/* Works on zeroed settings. */
KECS_PG__FN void kecs_pg__settings_free(kecs_pg__settings *settings, const kecs_allocator *allocator);

#endif
