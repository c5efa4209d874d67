/* sync/pack.c -- an exchange as it goes over the wire: few statements and few bytes, with the same meaning.
 *
 * - Calls that follow each other and give nothing back are one statement: SELECT f(...),g(...). They run in that order.
 * - A value that is there twice is sent once, one that is NULL not at all, an array of one element as the element.
 * - A small page is one statement, whose rows come back as texts: that spares the names of all their columns.
 *
 * The texts that come of it are few, so that they can be prepared, and only their values travel from then on. */
#include "pg/prologue.h"

#include "sync/pack.h"

#include <stdio.h>
#include <string.h>

enum { KECS_SYNC__PREPARED_SIZE = 32768 /* bytes of values: beyond it a text does not matter */ };

/* ---- values ---- */

/* "{NULL,NULL}" */
static bool kecs_sync__all_null(const char *value) {
  const char *at = value;
  do {
    if (strncmp(at + 1, "NULL", 4) != 0) {
      return false;
    }
    at += 5;
  } while (*at == ',');
  return value[0] == '{' && *at == '}';
}

/* Where an array's first element ends, or NULL where that is all of the array. */
static const char *kecs_sync__element_end(const char *array) {
  const char *at = array + 1;
  if (*at == '"') {
    for (at++; *at != '"'; at++) {
      at += *at == '\\' ? 1 : 0;
    }
    return at + 1;
  }
  return at + strcspn(at, ",}");
}

/* The element of an array of one, as it is written; its type's name. */
static const char *kecs_sync__only_element(kecs_pg__text *out, const char *array) {
  const char *end = array[0] == '{' && array[1] != '}' ? kecs_sync__element_end(array) : NULL;
  const char *at = array + 1;
  bool quoted = *at == '"';
  if (!end || end[0] != '}' || end[1] != '\0') {
    return NULL;
  }
  if (!quoted) {
    kecs_pg__text_add(out, at, (size_t)(end - at));
    return *at == 't' || *at == 'f' ? "boolean" : "bigint";
  }
  for (at++; at < end - 1; at++) {
    at += *at == '\\' ? 1 : 0;
    kecs_pg__text_add(out, at, 1);
  }
  return "text";
}

/* The number of a value among those that are sent: the same as an earlier one's, or a new one. Texts of arrays tell
 * their type; of others only the same variable is known to have the same one. */
static int kecs_sync__pack_value(kecs_sync__statement *packed, const char *value, const char *type) {
  for (int i = 0; i < packed->count; i++) {
    const kecs_sync__sent *sent = &packed->sent[i];
    bool alike = type && sent->type && strcmp(sent->type, type) == 0 && strcmp(sent->from, value) == 0;
    if (alike || (value && sent->from == value)) {
      return i + 1;
    }
  }
  kecs_sync__sent *sent = &packed->sent[packed->count++];
  sent->from = value;
  sent->type = type;
  return packed->count;
}

/* `call`: of a function that takes arrays and numbers, so that what begins with a brace is an array. */
static void kecs_sync__pack_parameter(kecs_sync__statement *packed, const char *value, bool call) {
  kecs_pg__text element = {packed->sql.allocator, NULL, 0, 0, KECS_OK};
  char number[48];
  if (!value) {
    kecs_pg__text_adds(&packed->sql, "NULL");
    return;
  }
  if (!call) {
    snprintf(number, sizeof number, "$%d", kecs_sync__pack_value(packed, value, NULL));
    kecs_pg__text_adds(&packed->sql, number);
    return;
  }
  if (kecs_sync__all_null(value)) {
    kecs_pg__text_adds(&packed->sql, "NULL");
    return;
  }
  if (strcmp(value, "{}") == 0) { /* of any type */
    kecs_pg__text_adds(&packed->sql, "'{}'");
    return;
  }
  const char *type = kecs_sync__only_element(&element, value);
  int at = kecs_sync__pack_value(packed, value, type ? type : value[0] == '{' ? "{" : NULL);
  snprintf(number, sizeof number, "%s$%d%s%s%s", type ? "ARRAY[" : "", at, type ? "::" : "", type ? type : "",
           type ? "]" : "");
  kecs_pg__text_adds(&packed->sql, number);
  kecs_sync__sent *sent = &packed->sent[at - 1];
  packed->sql.status = packed->sql.status ? packed->sql.status : element.status;
  if (type && !sent->single) {
    sent->single = true;
    sent->element = element;
  } else {
    kecs_pg__text_free(&element);
  }
}

/* ---- texts ---- */

/* The end of a quoted part: '...', E'...' or "...". */
static const char *kecs_sync__quoted_end(const char *at, bool escapes) {
  char quote = *at++;
  while (*at && (*at != quote || at[1] == quote)) {
    at += (escapes && *at == '\\') || *at == quote ? 1 : 0;
    at += *at ? 1 : 0;
  }
  return *at ? at + 1 : at;
}

/* A statement's text, with its parameters at their new places. */
static void kecs_sync__pack_text(kecs_sync__statement *packed, const char *sql, const char *const *values,
                                 bool call) {
  const char *at = sql;
  while (*at) {
    size_t plain = strcspn(at, "'\"$");
    kecs_pg__text_add(&packed->sql, at, plain);
    at += plain;
    if (*at == '$') {
      int number = 0;
      for (at++; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (*at - '0');
      }
      kecs_sync__pack_parameter(packed, values[number - 1], call);
    } else if (*at) {
      const char *end = kecs_sync__quoted_end(at, at > sql && at[-1] == 'E');
      kecs_pg__text_add(&packed->sql, at, (size_t)(end - at));
      at = end;
    }
  }
}

/* Its values come behind those of the one before. */
static kecs_sync__statement *kecs_sync__pack_next(kecs_sync__packet *packet, int item) {
  kecs_sync__statement *packed = &packet->statement[packet->count];
  int used = packet->count ? (int)(packed[-1].sent - packet->sent) + packed[-1].count : 0;
  packet->count++;
  packed->sql.allocator = packet->allocator;
  packed->first = item;
  packed->last = item;
  packed->sent = packet->sent + used;
  packed->values = packet->values + used;
  return packed;
}

static void kecs_sync__pack_calls(kecs_sync__packet *packet, const kecs_sync__exchange *exchange, bool bare) {
  static const char select[] = "SELECT ";
  kecs_sync__statement *packed = NULL;
  for (int i = 0; i < exchange->count; i++) {
    const kecs_sync__item *item = &exchange->item[i];
    if (item->frame && bare) {
      continue;
    }
    if (packed && item->call && exchange->item[i - 1].call) {
      kecs_pg__text_adds(&packed->sql, ",");
      kecs_sync__pack_text(packed, item->sql + strlen(select), item->values, true);
      packed->last = i;
    } else {
      packed = kecs_sync__pack_next(packet, i);
      kecs_sync__pack_text(packed, item->sql, item->values, item->call);
    }
  }
}

/* All of a page as one statement: a read of one moment without a transaction around it. */
static void kecs_sync__pack_page(kecs_sync__packet *packet, const kecs_sync__exchange *exchange) {
  kecs_sync__statement *packed = kecs_sync__pack_next(packet, 0);
  char text[64];
  packed->rows = true;
  packed->last = exchange->count - 1;
  for (int i = 0; i < exchange->count; i++) {
    if (!exchange->item[i].frame) {
      snprintf(text, sizeof text, "%sSELECT %d i,ROW(x.*)::text r FROM(", packed->sql.len ? " UNION ALL " : "", i);
      kecs_pg__text_adds(&packed->sql, text);
      kecs_sync__pack_text(packed, exchange->item[i].sql, exchange->item[i].values, false);
      kecs_pg__text_adds(&packed->sql, ")x");
    }
  }
}

static kecs_status kecs_sync__pack_room(kecs_sync__packet *packet, const kecs_sync__exchange *exchange) {
  packet->room = 1;
  for (int i = 0; i < exchange->count; i++) {
    packet->room += (size_t)exchange->item[i].count;
  }
  packet->sent = kecs_pg__alloc(packet->allocator, packet->room * sizeof *packet->sent);
  packet->values = kecs_pg__alloc(packet->allocator, packet->room * sizeof *packet->values);
  return packet->sent && packet->values ? KECS_OK : KECS_E_NOMEM;
}

KECS_PG__FN kecs_status kecs_sync__pack(kecs_sync__packet *packet, const kecs_sync__exchange *exchange) {
  kecs_status status = kecs_sync__pack_room(packet, exchange);
  if (status) {
    return status;
  }
  if (exchange->small) {
    kecs_sync__pack_page(packet, exchange);
  } else {
    kecs_sync__pack_calls(packet, exchange, packet->bare && exchange->write);
  }
  for (int s = 0; s < packet->count; s++) {
    kecs_sync__statement *packed = &packet->statement[s];
    size_t bytes = 0;
    for (int i = 0; i < packed->count; i++) {
      const kecs_sync__sent *sent = &packed->sent[i];
      packed->values[i] = !sent->single ? sent->from : sent->element.data ? sent->element.data : "";
      bytes += packed->values[i] ? strlen(packed->values[i]) : 0;
    }
    packed->keep = bytes < KECS_SYNC__PREPARED_SIZE;
    status = status ? status : packed->sql.status;
  }
  return status;
}

KECS_PG__FN void kecs_sync__pack_free(kecs_sync__packet *packet) {
  for (int s = 0; s < packet->count; s++) {
    kecs_sync__statement *packed = &packet->statement[s];
    for (int i = 0; i < packed->count; i++) {
      if (packed->sent[i].single) {
        kecs_pg__text_free(&packed->sent[i].element);
      }
    }
    kecs_pg__text_free(&packed->sql);
  }
  kecs_pg__release(packet->allocator, packet->sent, packet->room * sizeof *packet->sent);
  kecs_pg__release(packet->allocator, (void *)packet->values, packet->room * sizeof *packet->values);
}

/* ---- rows that came as texts ---- */

/* The next field of "(a,"b ""c""",,)"; false: it is NULL. *at goes to its end. */
static bool kecs_sync__row_field(const char **at, kecs_pg__text *out) {
  const char *from = *at;
  bool quoted = false;
  out->len = 0;
  while (**at && (quoted || (**at != ',' && **at != ')'))) {
    if (**at == '"' && quoted && (*at)[1] == '"') {
      kecs_pg__text_add(out, (*at)++, 1);
    } else if (**at == '"') {
      quoted = !quoted;
    } else {
      *at += **at == '\\' ? 1 : 0;
      kecs_pg__text_add(out, *at, 1);
    }
    (*at)++;
  }
  return *at > from;
}

static int kecs_sync__row_width(const char *row) {
  int width = 1;
  bool quoted = false;
  for (const char *at = row; *at; at++) {
    quoted = *at == '"' ? !quoted : quoted;
    width += *at == ',' && !quoted;
    at += *at == '\\' ? 1 : 0;
  }
  return width;
}

static bool kecs_sync__row_set(PGresult *result, const char *row, kecs_pg__text *field) {
  char name[] = "c";
  PGresAttDesc columns[128];
  int width = kecs_sync__row_width(row);
  int number = PQntuples(result);
  const char *at = row + 1;
  memset(columns, 0, sizeof columns);
  for (int i = 0; i < width && i < 128; i++) {
    columns[i].name = name;
  }
  if (width > 128 || (number == 0 && !PQsetResultAttrs(result, width, columns))) {
    return false;
  }
  for (int i = 0; i < width; i++, at++) {
    char empty[] = "";
    bool set = kecs_sync__row_field(&at, field);
    if (field->status || !PQsetvalue(result, number, i, !set ? NULL : field->len ? field->data : empty,
                                     set ? (int)field->len : -1)) {
      return false;
    }
  }
  return true;
}

KECS_PG__FN kecs_status kecs_sync__unpack(const kecs_sync__statement *packed, kecs_sync__exchange *exchange,
                                          const PGresult *result) {
  kecs_pg__text field = {packed->sql.allocator, NULL, 0, 0, KECS_OK};
  bool good = true;
  for (int i = packed->first; good && i <= packed->last; i++) {
    exchange->item[i].result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    good = exchange->item[i].result != NULL;
  }
  for (int row = 0; good && row < PQntuples(result); row++) {
    int64_t item = kecs_sync__number(result, row, 0);
    good = item >= packed->first && item <= packed->last &&
           kecs_sync__row_set(exchange->item[item].result, kecs_sync__text(result, row, 1), &field);
  }
  kecs_pg__text_free(&field);
  return good ? KECS_OK : KECS_E_NOMEM;
}
