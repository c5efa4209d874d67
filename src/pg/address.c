/* pg/address.c -- puts together what is shown of an address: never a piece of the text as it was given. */
#include "pg/prologue.h"

#include "pg/address.h"
#include "pg/url.h"

#include <string.h>

KECS_PG__FN const PQconninfoOption *kecs_pg__libpq_find(const PQconninfoOption *options, const char *name) {
  for (; options->keyword; options++) {
    if (strcmp(options->keyword, name) == 0) {
      return options;
    }
  }
  return NULL;
}

/* Appends; what is too long is cut off, and never in the midst of the stars. */
static void kecs_pg__show(kecs_pg__address *shown, const char *text, size_t len) {
  if (len < sizeof shown->text - shown->len) {
    memcpy(shown->text + shown->len, text, len);
    shown->len += len;
    shown->text[shown->len] = '\0';
  }
}

/* A part that looks like a name, or stars. */
static void kecs_pg__show_name(kecs_pg__address *shown, const char *text, size_t len) {
  size_t good = 0;
  while (good < len && strchr(KECS_PG__NAME_CHARS, text[good])) {
    good++;
  }
  bool is_name = good == len && len <= 63;
  kecs_pg__show(shown, is_name ? text : "***", is_name ? len : 3);
}

/* A host's name, its address (in brackets when it has colons), or the folder of a socket (its slashes encoded). */
static void kecs_pg__show_host(kecs_pg__address *shown, const char *text, size_t len) {
  if (memchr(text, ':', len)) {
    bool is_address = true;
    for (size_t i = 0; i < len; i++) {
      is_address = is_address && (kecs_pg__hex_digit(text[i]) >= 0 || text[i] == ':' || text[i] == '.');
    }
    kecs_pg__show(shown, is_address ? "[" : "***", is_address ? 1 : 3);
    kecs_pg__show(shown, text, is_address ? len : 0);
    kecs_pg__show(shown, "]", is_address ? 1 : 0);
    return;
  }
  size_t start = 0;
  for (size_t i = 0; i <= len; i++) {
    if (i == len || text[i] == '/') {
      kecs_pg__show_name(shown, text + start, i - start);
      kecs_pg__show(shown, "%2F", i < len ? 3 : 0);
      start = i + 1;
    }
  }
}

KECS_PG__FN const char *kecs_pg__value_of(const PQconninfoOption *options, const char *name) {
  const PQconninfoOption *option = kecs_pg__libpq_find(options, name);
  return option && option->val ? option->val : "";
}

/* Each host with its port; one port serves all hosts. */
static void kecs_pg__show_hosts(kecs_pg__address *shown, const char *hosts, const char *ports) {
  bool one_port = !strchr(ports, ',');
  for (bool first = true; first || *hosts; first = false) {
    size_t host_len = strcspn(hosts, ",");
    size_t port_len = strcspn(ports, ",");
    kecs_pg__show(shown, ",", first ? 0 : 1);
    kecs_pg__show_host(shown, hosts, host_len);
    kecs_pg__show(shown, ":", port_len ? 1 : 0);
    kecs_pg__show(shown, ports, port_len);
    hosts += host_len + (hosts[host_len] == ',');
    ports += one_port ? 0 : port_len + (ports[port_len] == ',');
  }
}

KECS_PG__FN void kecs_pg__address_show(kecs_pg__address *shown, const PQconninfoOption *options) {
  const char *user = kecs_pg__value_of(options, "user");
  const char *hosts = kecs_pg__value_of(options, "host");
  const char *database = kecs_pg__value_of(options, "dbname");
  const char *service = kecs_pg__value_of(options, "service");
  bool has_password = kecs_pg__value_of(options, "password")[0] != '\0';
  kecs_pg__show(shown, "postgres://", 11);
  kecs_pg__show_name(shown, user, strlen(user));
  kecs_pg__show(shown, ":***", has_password ? 4 : 0);
  kecs_pg__show(shown, "@", *user || has_password ? 1 : 0);
  kecs_pg__show_hosts(shown, *hosts ? hosts : kecs_pg__value_of(options, "hostaddr"),
                      kecs_pg__value_of(options, "port"));
  kecs_pg__show(shown, "/", *database || *service ? 1 : 0);
  kecs_pg__show_name(shown, database, strlen(database));
  kecs_pg__show(shown, "?service=", *service ? 9 : 0);
  kecs_pg__show_name(shown, service, strlen(service));
}
