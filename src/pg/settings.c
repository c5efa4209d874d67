/* pg/settings.c -- takes our options out of a PostgreSQL URL, checks them, and leaves the rest to libpq.
 *
 * A URL that is mistyped may have its password anywhere: an unencoded "/" or "@" makes it a port, a host or a
 * database. So nothing is ever echoed because of where it stands. What is shown is put together from the parts that
 * libpq found, and only from those that look like what they should be; libpq's own messages quote the URL and are
 * never passed on. */
#include "pg/prologue.h"

#include "pg/settings.h"
#include "pg/address.h"
#include "pg/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_PG__TOLD_MAX 24                    /* bytes of a value in a message */
#define KECS_PG__TIME_MAX INT64_C(315360000000) /* ten years in milliseconds */

static const char kecs_pg__fallback[] = "fallback_application_name=kecs_store";

typedef enum kecs_pg__own_kind {
  KECS_PG__COUNT,
  KECS_PG__TIME,
  KECS_PG__WORD,
  KECS_PG__TENANT,
  KECS_PG__SCHEMA
} kecs_pg__own_kind;

typedef struct kecs_pg__own {
  const char *name;
  kecs_pg__own_kind kind;
  size_t offset;        /* in kecs_pg__settings */
  int min, max;         /* of a count */
  const char *words[4]; /* the stored number is the word's place */
} kecs_pg__own;

#define KECS_PG__AT(field) offsetof(kecs_pg__settings, field)
static const kecs_pg__own kecs_pg__owns[] = {
    {"max_connections", KECS_PG__COUNT, KECS_PG__AT(max_connections), 1, 10000, {NULL}},
    {"min_connections", KECS_PG__COUNT, KECS_PG__AT(min_connections), 0, 10000, {NULL}},
    {"acquire_timeout", KECS_PG__TIME, KECS_PG__AT(acquire_timeout_ms), 0, 0, {NULL}},
    {"idle_timeout", KECS_PG__TIME, KECS_PG__AT(idle_timeout_ms), 0, 0, {NULL}},
    {"max_lifetime", KECS_PG__TIME, KECS_PG__AT(max_lifetime_ms), 0, 0, {NULL}},
    {"check_interval", KECS_PG__TIME, KECS_PG__AT(check_interval_ms), 0, 0, {NULL}},
    {"max_staleness", KECS_PG__TIME, KECS_PG__AT(max_staleness_ms), 0, 0, {NULL}},
    {"statements", KECS_PG__WORD, KECS_PG__AT(statements), 0, 0, {"auto", "named", "unnamed", NULL}},
    {"reads", KECS_PG__WORD, KECS_PG__AT(reads), 0, 0, {"primary", "standby", NULL}},
    {"tenant", KECS_PG__TENANT, KECS_PG__AT(tenant), 0, 0, {NULL}},
    {"schema", KECS_PG__SCHEMA, KECS_PG__AT(schema), 0, 0, {NULL}},
};
#undef KECS_PG__AT
enum { KECS_PG__OWNS = sizeof kecs_pg__owns / sizeof kecs_pg__owns[0] };

/* What other libraries call an option that we or libpq have. */
static const char *const kecs_pg__other_names[][2] = {
    {"database", "dbname"}, {"username", "user"}, {"hostname", "host"}, {"pool_size", "max_connections"}};

/* One text being read, option by option. */
typedef struct kecs_pg__reader {
  const kecs_allocator *allocator;
  kecs_pg__settings *out;
  PQconninfoOption *known; /* libpq's options, without values */
  const char *at;          /* what is still to be read */
  kecs_pg__option option;  /* in hand */
  char *rest;              /* what libpq gets */
  size_t rest_len;
  bool after_secret; /* the option before this one was a password: this one may be its tail */
  bool has_fallback;
} kecs_pg__reader;

/* Puts a copy into *slot, in the place of what is there. */
static kecs_status kecs_pg__settings_keep(const kecs_allocator *allocator, char **slot, const char *text) {
  char *copy = kecs_pg__copy(allocator, text, strlen(text));
  if (!copy) {
    return KECS_E_NOMEM;
  }
  kecs_pg__release_text(allocator, *slot);
  *slot = copy;
  return KECS_OK;
}

/* ---- Names -------------------------------------------------------------------------------------------------- */

static const kecs_pg__own *kecs_pg__own_find(const char *name) {
  for (int i = 0; i < KECS_PG__OWNS; i++) {
    if (strcmp(kecs_pg__owns[i].name, name) == 0) {
      return &kecs_pg__owns[i];
    }
  }
  return NULL;
}

/* Names that libpq takes and does not list. */
static bool kecs_pg__libpq_takes(const char *name) {
  return strcmp(name, "ssl") == 0 || strcmp(name, "requiressl") == 0;
}

/* How many letters must be put in, left out or changed to make one name of the other, letter case aside. */
static int kecs_pg__distance(const char *left, const char *right) {
  int row[KECS_PG__NAME_MAX + 1];
  int len = (int)strlen(right);
  if (len > KECS_PG__NAME_MAX) {
    return KECS_PG__NAME_MAX;
  }
  for (int k = 0; k <= len; k++) {
    row[k] = k;
  }
  for (int i = 1; left[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int k = 1; k <= len; k++) {
      int best = diagonal + (kecs_pg__lower(left[i - 1]) != kecs_pg__lower(right[k - 1]));
      diagonal = row[k];
      best = row[k] + 1 < best ? row[k] + 1 : best;
      row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
    }
  }
  return row[len];
}

/* The known name that was meant, when that is obvious; NULL when it is not. */
static const char *kecs_pg__nearest(const kecs_pg__reader *reader) {
  for (size_t i = 0; i < sizeof kecs_pg__other_names / sizeof kecs_pg__other_names[0]; i++) {
    if (strcmp(kecs_pg__other_names[i][0], reader->option.name) == 0) {
      return kecs_pg__other_names[i][1];
    }
  }
  const char *nearest = NULL;
  int least = strlen(reader->option.name) > 4 ? 3 : 2; /* one more than may differ */
  for (int i = 0; i < KECS_PG__OWNS; i++) {
    int distance = kecs_pg__distance(reader->option.name, kecs_pg__owns[i].name);
    if (distance < least) {
      least = distance;
      nearest = kecs_pg__owns[i].name;
    }
  }
  for (const PQconninfoOption *option = reader->known; option->keyword; option++) {
    int distance = kecs_pg__distance(reader->option.name, option->keyword);
    if (distance < least) {
      least = distance;
      nearest = option->keyword;
    }
  }
  return nearest;
}

/* ---- What may be told ---------------------------------------------------------------------------------------- */

/* Whether a value or a name may be told. A password is in none of ours, unless a separator before it was lost: then
 * the value goes on, and is long or has pieces of the word. */
static bool kecs_pg__harmless(const char *text) {
  char lower[KECS_PG__TOLD_MAX + 1];
  size_t len = strlen(text);
  if (len > KECS_PG__TOLD_MAX || strpbrk(text, "=@&?")) {
    return false;
  }
  for (size_t i = 0; i <= len; i++) {
    lower[i] = kecs_pg__lower(text[i]);
  }
  return !strstr(lower, "pass") && !strstr(lower, "word");
}

/* The value in hand, quoted, for a message about one of our options. */
static const char *kecs_pg__option_told(const kecs_pg__reader *reader, char *room, size_t size) {
  if (!kecs_pg__harmless(reader->option.value) || snprintf(room, size, "\"%s\"", reader->option.value) < 0) {
    return "what it says (not shown)";
  }
  return room;
}

/* The option in hand, for a message about how it is written. */
static const char *kecs_pg__told_name(const kecs_pg__reader *reader) {
  bool known = kecs_pg__own_find(reader->option.name) || kecs_pg__libpq_find(reader->known, reader->option.name);
  return known ? reader->option.name : "an option";
}

static kecs_status kecs_pg__refuse_unknown(const kecs_pg__reader *reader) {
  if (reader->after_secret) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: what follows the password is no option; if it is a part of the password, "
                         "write & as %%26 in a URL, or quote the password in a keyword string");
  }
  const char *nearest = reader->option.name[0] ? kecs_pg__nearest(reader) : NULL;
  if (nearest) {
    return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: there is no option \"%s\"; \"%s\" is the nearest",
                         reader->option.name, nearest);
  }
  bool is_name = reader->option.name[0] &&
                 !reader->option.name[strspn(reader->option.name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
  if (is_name && kecs_pg__harmless(reader->option.name)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: there is no option \"%s\", neither of kecs_store nor of libpq %d",
                         reader->option.name, PQlibVersion() / 10000);
  }
  return kecs_pg__fail(KECS_E_INVALID,
                       "PostgreSQL URL: an option's name is none of kecs_store or libpq; it is not shown, since it may "
                       "be a part of a password: percent-encode the password's @ : / ? # & %% and spaces");
}

/* ---- Our options -------------------------------------------------------------------------------------------- */

/* Digits at the beginning of `text`; -1 when there are none or the number is above KECS_PG__TIME_MAX. */
static int64_t kecs_pg__digits(const char *text, const char **end) {
  int64_t number = 0;
  const char *at = text;
  for (; *at >= '0' && *at <= '9'; at++) {
    number = number * 10 + (*at - '0');
    if (number > KECS_PG__TIME_MAX) {
      return -1;
    }
  }
  *end = at;
  return at == text ? -1 : number;
}

static kecs_status kecs_pg__read_count(kecs_pg__reader *reader, const kecs_pg__own *own, int *out) {
  const char *end = NULL;
  char room[KECS_PG__TOLD_MAX + 3];
  int64_t number = kecs_pg__digits(reader->option.value, &end);
  if (number < own->min || number > own->max || *end) {
    return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: %s cannot be %s; give a number from %d to %d", own->name,
                         kecs_pg__option_told(reader, room, sizeof room), own->min, own->max);
  }
  *out = (int)number;
  return KECS_OK;
}

static kecs_status kecs_pg__read_time(kecs_pg__reader *reader, const kecs_pg__own *own, int64_t *out_ms) {
  static const struct {
    const char *name;
    int64_t ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"min", 60000}, {"h", 3600000}};
  const char *end = NULL;
  char room[KECS_PG__TOLD_MAX + 3];
  int64_t number = kecs_pg__digits(reader->option.value, &end);
  for (size_t i = 0; number >= 0 && i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(end, units[i].name) == 0 && number <= KECS_PG__TIME_MAX / units[i].ms) {
      *out_ms = number * units[i].ms;
      return KECS_OK;
    }
  }
  return kecs_pg__fail(KECS_E_INVALID,
                       "PostgreSQL URL: %s cannot be %s; give a time of up to ten years, such as 500ms, 30s, 10min or "
                       "1h (a plain number counts seconds)",
                       own->name, kecs_pg__option_told(reader, room, sizeof room));
}

static kecs_status kecs_pg__read_word(kecs_pg__reader *reader, const kecs_pg__own *own, int *out) {
  char room[KECS_PG__TOLD_MAX + 3];
  int count = 0;
  for (; own->words[count]; count++) {
    if (strcmp(own->words[count], reader->option.value) == 0) {
      *out = count;
      return KECS_OK;
    }
  }
  return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: %s cannot be %s; give %s%s%s or %s", own->name,
                       kecs_pg__option_told(reader, room, sizeof room), count > 2 ? own->words[0] : "",
                       count > 2 ? ", " : "", own->words[count - 2], own->words[count - 1]);
}

static kecs_status kecs_pg__read_name(kecs_pg__reader *reader, const kecs_pg__own *own, char **out) {
  const char *value = reader->option.value;
  char room[KECS_PG__TOLD_MAX + 3];
  size_t len = strlen(value);
  if (own->kind == KECS_PG__TENANT) {
    size_t good = 0;
    while (value[good] && (strchr(KECS_PG__NAME_CHARS, value[good]) || value[good] == ':' || value[good] == '/')) {
      good++;
    }
    if (len < 1 || len > 128 || good != len) {
      return kecs_pg__fail(KECS_E_INVALID,
                           "PostgreSQL URL: %s cannot be %s; give 1 to 128 characters of A-Z a-z 0-9 . _ : / -",
                           own->name, kecs_pg__option_told(reader, room, sizeof room));
    }
  } else if (len < 1 || len > 63 || (value[0] >= '0' && value[0] <= '9') ||
             value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_")]) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: %s cannot be %s; give 1 to 63 characters of a-z 0-9 _, no digit first",
                         own->name, kecs_pg__option_told(reader, room, sizeof room));
  }
  return kecs_pg__settings_keep(reader->allocator, out, value);
}

static kecs_status kecs_pg__read_own(kecs_pg__reader *reader, const kecs_pg__own *own) {
  void *field = (char *)reader->out + own->offset;
  switch (own->kind) {
    case KECS_PG__COUNT:
      return kecs_pg__read_count(reader, own, field);
    case KECS_PG__TIME:
      return kecs_pg__read_time(reader, own, field);
    case KECS_PG__WORD:
      return kecs_pg__read_word(reader, own, field);
    case KECS_PG__TENANT:
    case KECS_PG__SCHEMA:
      break;
  }
  return kecs_pg__read_name(reader, own, field);
}

/* ---- The text, option by option ------------------------------------------------------------------------------ */

static void kecs_pg__rest_add(kecs_pg__reader *reader, const char *text, size_t len) {
  memcpy(reader->rest + reader->rest_len, text, len);
  reader->rest_len += len;
  reader->rest[reader->rest_len] = '\0';
}

/* The option in hand is one of ours, one of libpq's, or a mistake. */
static kecs_status kecs_pg__option_take(kecs_pg__reader *reader, const char *separator) {
  const kecs_pg__own *own = kecs_pg__own_find(reader->option.name);
  const PQconninfoOption *known = kecs_pg__libpq_find(reader->known, reader->option.name);
  if (!own && !known && !kecs_pg__libpq_takes(reader->option.name)) {
    return kecs_pg__refuse_unknown(reader);
  }
  reader->after_secret = known && known->dispchar && known->dispchar[0] == '*';
  if (own) {
    return kecs_pg__read_own(reader, own);
  }
  reader->has_fallback = reader->has_fallback || strcmp(reader->option.name, "fallback_application_name") == 0;
  kecs_pg__rest_add(reader, separator, strlen(separator));
  kecs_pg__rest_add(reader, reader->option.text, reader->option.len);
  return KECS_OK;
}

static kecs_status kecs_pg__settings_of_keywords(kecs_pg__reader *reader) {
  kecs_status status = KECS_OK;
  reader->at = kecs_pg__skip_blanks(reader->at);
  while (!status && *reader->at) {
    const char *problem = kecs_pg__option_of_keywords(&reader->at, &reader->option);
    status =
        problem ? kecs_pg__fail(KECS_E_INVALID, "PostgreSQL keyword string: %s %s", kecs_pg__told_name(reader), problem)
                : kecs_pg__option_take(reader, reader->rest_len ? " " : "");
  }
  if (!status && !reader->has_fallback) {
    kecs_pg__rest_add(reader, " ", reader->rest_len ? 1 : 0);
    kecs_pg__rest_add(reader, kecs_pg__fallback, sizeof kecs_pg__fallback - 1);
  }
  return status;
}

/* The URL's address: what stands before its query. libpq ends the user and password at the first @, if no / is before
 * it; a further @ means that the password holds one of the two. */
static kecs_status kecs_pg__read_address(kecs_pg__reader *reader) {
  const char *address = strstr(reader->at, "//") + 2;
  size_t user_len = strcspn(address, "@/");
  const char *hosts = address[user_len] == '@' ? address + user_len + 1 : address;
  size_t len = strcspn(hosts, "?");
  if (memchr(hosts, '@', len)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: it has an @ where a host or database belongs; in a password write @ as %%40 "
                         "and / as %%2F");
  }
  if (!kecs_pg__percent_decode(reader->at, (size_t)(hosts - reader->at) + len, reader->option.value)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: before its query is a %% that no character's two hexadecimal digits follow; "
                         "write %% as %%25");
  }
  kecs_pg__rest_add(reader, reader->at, (size_t)(hosts - reader->at) + len);
  reader->at = hosts + len + (hosts[len] == '?');
  return KECS_OK;
}

static kecs_status kecs_pg__settings_of_url(kecs_pg__reader *reader) {
  kecs_status status = kecs_pg__read_address(reader);
  const char *separator = "?";
  while (!status && *reader->at) {
    size_t before = reader->rest_len;
    const char *problem = kecs_pg__option_of_url(&reader->at, &reader->option);
    status = problem ? kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: in its query %s %s", kecs_pg__told_name(reader),
                                     problem)
                     : kecs_pg__option_take(reader, separator);
    separator = reader->rest_len > before ? "&" : separator;
  }
  if (!status && !reader->has_fallback) {
    kecs_pg__rest_add(reader, separator, 1);
    kecs_pg__rest_add(reader, kecs_pg__fallback, sizeof kecs_pg__fallback - 1);
  }
  return status;
}

/* ---- All of it ---------------------------------------------------------------------------------------------- */

/* libpq looks at ports when it connects, and quotes what is no number; it may be a password. */
static kecs_status kecs_pg__check_ports(const char *ports) {
  while (*ports) {
    const char *end = ports;
    int64_t port = *ports == ',' ? 1 : kecs_pg__digits(ports, &end);
    if (port < 1 || port > 65535 || (*end && *end != ',')) {
      return kecs_pg__fail(KECS_E_INVALID,
                           "PostgreSQL URL: its port is no number from 1 to 65535; if that is a part of a password, "
                           "write its / as %%2F and its @ as %%40, and end it with @");
    }
    ports = end + (*end == ',');
  }
  return KECS_OK;
}

static int kecs_pg__parts_of(const char *list) {
  int count = list && list[0] ? 1 : 0;
  for (; list && *list; list++) {
    count += *list == ',';
  }
  return count;
}

/* What libpq can't be left alone with when there are several servers (dial.c). */
static kecs_status kecs_pg__settings_servers(kecs_pg__reader *reader, const PQconninfoOption *options) {
  static const struct {
    const char *name;
    kecs_pg__target target;
  } targets[] = {{"read-write", KECS_PG__PRIMARY}, {"primary", KECS_PG__PRIMARY},
                 {"read-only", KECS_PG__STANDBY},  {"standby", KECS_PG__STANDBY},
                 {"prefer-standby", KECS_PG__PREFER_STANDBY}};
  kecs_pg__settings *out = reader->out;
  kecs_status status = kecs_pg__settings_keep(reader->allocator, &out->hosts, kecs_pg__value_of(options, "host"));
  status = status ? status
                  : kecs_pg__settings_keep(reader->allocator, &out->addresses, kecs_pg__value_of(options, "hostaddr"));
  status = status ? status : kecs_pg__settings_keep(reader->allocator, &out->ports, kecs_pg__value_of(options, "port"));
  if (status) {
    return status;
  }
  int hosts = kecs_pg__parts_of(out->hosts);
  int addresses = kecs_pg__parts_of(out->addresses);
  int ports = kecs_pg__parts_of(out->ports);
  out->host_count = addresses > hosts ? addresses : hosts;
  if ((hosts && addresses && hosts != addresses) || (ports > 1 && ports != out->host_count)) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: it has %d hosts, %d addresses (hostaddr) and %d ports; give one port, or as "
                         "many of each",
                         hosts, addresses, ports);
  }
  const char *wanted = kecs_pg__value_of(options, "target_session_attrs");
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
    if (out->host_count > 1 && strcmp(targets[i].name, wanted) == 0) {
      out->target = targets[i].target;
    }
  }
  int64_t seconds = strtoll(kecs_pg__value_of(options, "connect_timeout"), NULL, 10);
  out->connect_timeout_ms = seconds <= 0 ? 0 : seconds > 3600 ? 3600000 : (int)seconds * 1000;
  return KECS_OK;
}

/* Has libpq read what is left, and makes what is shown from what it found. */
static kecs_status kecs_pg__settings_check(kecs_pg__reader *reader) {
  char *message = NULL; /* quotes the text: never shown */
  PQconninfoOption *options = PQconninfoParse(reader->rest, &message);
  bool no_memory = !options && !message;
  PQfreemem(message);
  if (!options) {
    return no_memory ? kecs_pg__fail(KECS_E_NOMEM, "out of memory: libpq had none for the PostgreSQL URL")
                     : kecs_pg__fail(KECS_E_INVALID,
                                     "PostgreSQL URL: libpq cannot read it; see to its brackets, spaces and percent "
                                     "signs (it is not shown, since it may hold a password)");
  }
  kecs_pg__address shown = {{0}, 0};
  kecs_status status = kecs_pg__check_ports(kecs_pg__value_of(options, "port"));
  kecs_pg__address_show(&shown, options);
  status = status ? status : kecs_pg__settings_servers(reader, options);
  PQconninfoFree(options);
  status = status ? status : kecs_pg__settings_keep(reader->allocator, &reader->out->shown, shown.text);
  return status ? status : kecs_pg__settings_keep(reader->allocator, &reader->out->conninfo, reader->rest);
}

static kecs_status kecs_pg__settings_fill(kecs_pg__reader *reader) {
  kecs_pg__settings *out = reader->out;
  bool is_url = strncmp(reader->at, "postgres://", 11) == 0 || strncmp(reader->at, "postgresql://", 13) == 0;
  if (!is_url && !strchr(reader->at, '=')) {
    return kecs_pg__fail(KECS_E_INVALID,
                         "PostgreSQL URL: write postgres://user:password@host:5432/database, or keywords such as "
                         "host=localhost dbname=kecs");
  }
  kecs_status status = is_url ? kecs_pg__settings_of_url(reader) : kecs_pg__settings_of_keywords(reader);
  if (!status && out->min_connections > out->max_connections) {
    return kecs_pg__fail(KECS_E_INVALID, "PostgreSQL URL: min_connections (%d) is more than max_connections (%d)",
                         out->min_connections, out->max_connections);
  }
  if (!status && !out->tenant) {
    status = kecs_pg__settings_keep(reader->allocator, &out->tenant, "default");
  }
  if (!status && !out->schema) {
    status = kecs_pg__settings_keep(reader->allocator, &out->schema, "public");
  }
  return status ? status : kecs_pg__settings_check(reader);
}

KECS_PG__FN kecs_status kecs_pg__settings_read(const char *url, const kecs_allocator *allocator,
                                               kecs_pg__settings *out) {
  *out = (kecs_pg__settings){.max_connections = 10,
                             .min_connections = 1,
                             .acquire_timeout_ms = 30000,
                             .idle_timeout_ms = 600000,
                             .max_lifetime_ms = 3600000,
                             .check_interval_ms = 60000};
  kecs_pg__reader reader = {.allocator = allocator, .out = out, .at = url ? url : ""};
  reader.known = PQconninfoParse("", NULL);
  /* One block: the value in hand; and the rest with the fallback name. The rest may be longer than the text: blanks
   * come between keywords where a closing quote was enough. */
  size_t value_size = strlen(reader.at) + 1;
  size_t size = 3 * value_size + sizeof kecs_pg__fallback + 1;
  kecs_status status = KECS_E_NOMEM;
  if (!reader.known) {
    (void)kecs_pg__fail(KECS_E_NOMEM, "out of memory: libpq had none for the PostgreSQL URL");
  } else if ((reader.option.value = kecs_pg__alloc(allocator, size))) {
    reader.rest = reader.option.value + value_size;
    status = kecs_pg__settings_fill(&reader);
    kecs_pg__release(allocator, reader.option.value, size);
  }
  PQconninfoFree(reader.known);
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
  kecs_pg__release_text(allocator, settings->hosts);
  kecs_pg__release_text(allocator, settings->addresses);
  kecs_pg__release_text(allocator, settings->ports);
  *settings = (kecs_pg__settings){0};
}
