/* pg/settings.h -- what a PostgreSQL URL or keyword string says, for the backend. */
#ifndef KECS_PG_SETTINGS_H
#define KECS_PG_SETTINGS_H
#include "pg/internal.h"

/* Which of several servers will do. */
typedef enum kecs_pg__target {
  KECS_PG__ANY,
  KECS_PG__PRIMARY,
  KECS_PG__STANDBY,
  KECS_PG__PREFER_STANDBY
} kecs_pg__target;

/* Each text is the allocator's, with strlen + 1 bytes. */
typedef struct kecs_pg__settings {
  char *conninfo; /* what libpq gets, ours taken out */
  char *shown;    /* masked for messages and logs: postgres://kecs:***@localhost:5432/kecs */
  char *tenant;
  char *schema;
  int statements; /* 0 auto, 1 named, 2 unnamed */
  int max_connections, min_connections;
  int64_t acquire_timeout_ms;                                  /* 0: do not wait */
  int64_t idle_timeout_ms, max_lifetime_ms, check_interval_ms; /* 0: never */
  char *hosts, *addresses, *ports; /* lists with commas, as the URL has them; NULL where it has none */
  int host_count;                  /* 0: the environment's, or libpq's own */
  kecs_pg__target target;          /* target_session_attrs, where there are several */
  int connect_timeout_ms;          /* for one of them; 0: the URL says nothing */
  int reads;                                                   /* 0 the primary, 1 a standby */
  int64_t max_staleness_ms;                                    /* of a standby that is read; 0: any */
} kecs_pg__settings;

/* Reads a URL (postgres://, postgresql://) or a keyword string (host=.. dbname=..). INVALID names the option and its
 * value, but nothing that may be part of a password; on failure `out` is zeroed. The allocator has all its functions.
 */
KECS_PG__FN kecs_status kecs_pg__settings_read(const char *url, const kecs_allocator *allocator,
                                               kecs_pg__settings *out);

/* Releases the texts; zeroed settings are fine. */
KECS_PG__FN void kecs_pg__settings_free(kecs_pg__settings *settings, const kecs_allocator *allocator);

#endif
