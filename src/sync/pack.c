/* sync/pack.c -- an exchange as it goes over the wire: few statements and few bytes, with the same meaning.
 *
 * - Calls that follow each other and give nothing back are one statement: SELECT f(...),g(...). They run in that order.
 * - A value that is there twice is sent once, one that is NULL not at all, an array of one element as the element.
 *   "$1::bigint" in a call says what a value is, so that it is known for the same one as such an element.
 * - A small page is one statement, whose rows come back as texts: that spares the names of all their columns.
 *
 * The texts that come of it are few, so that they can be prepared, and only their values travel from then on. */
#include "pg/prologue.h"

#include "sync/pack.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Where an element of an array ends. */
static const char *kecs_sync__element_end(const char *at) {
  if (*at == '"') {
    for (at++; *at && *at != '"'; at++) {
      at += *at == '\\' && at[1] ? 1 : 0;
    }
    return *at ? at + 1 : at;
  }
  return at + strcspn(at, ",}");
}

/* Adds the element of an array that begins at `at`; gives its end. */
static const char *kecs_sync__element(kecs_pg__text *out, const char *at) {
  const char *end = kecs_sync__element_end(at);
  if (*at != '"') {
    kecs_pg__text_add(out, at, (size_t)(end - at));
    return end;
  }
  for (at++; at < end - 1; at++) {
    at += *at == '\\' ? 1 : 0;
    kecs_pg__text_add(out, at, 1);
  }
  return end;
}

/* The element of an array of one, as it is written; its type's name. */
static const char *kecs_sync__only_element(kecs_pg__text *out, const char *array) {
  const char *end = array[0] == '{' && array[1] != '}' ? kecs_sync__element_end(array + 1) : NULL;
  if (!end || end[0] != '}' || end[1] != '\0') {
    return NULL;
  }
  (void)kecs_sync__element(out, array + 1);
  return array[1] == '"' ? "text" : array[1] == 't' || array[1] == 'f' ? "boolean" : "bigint";
}

/* The number of a value among those that are sent: the same as an earlier one's, or a new one. Of values without a type
 * only the same variable is known to have the same one. Takes the element. */
static int kecs_sync__pack_value(kecs_sync__statement *packed, const char *value, const char *type,
                                 kecs_pg__text *element) {
  const char *text = !element ? value : element->data ? element->data : "";
  for (int i = 0; i < packed->count; i++) {
    const kecs_sync__sent *sent = &packed->sent[i];
    bool alike = type && sent->type && strcmp(sent->type, type) == 0 && strcmp(sent->text, text) == 0;
    if (alike || sent->from == value) {
      if (element) {
        kecs_pg__text_free(element);
      }
      return i + 1;
    }
  }
  kecs_sync__sent *sent = &packed->sent[packed->count++];
  sent->from = value;
  sent->type = type;
  sent->text = text;
  if (element) {
    sent->element = *element;
  }
  return packed->count;
}

/* `type`: what the text of the call says of it, or NULL. What begins with a brace is an array. */
static void kecs_sync__pack_argument(kecs_sync__statement *packed, const char *value, const char *type) {
  kecs_pg__text element = {packed->sql.allocator, NULL, 0, 0, KECS_OK};
  char number[48];
  const char *single = kecs_sync__only_element(&element, value);
  packed->sql.status = packed->sql.status ? packed->sql.status : element.status;
  int at = single ? kecs_sync__pack_value(packed, value, single, &element)
                  : kecs_sync__pack_value(packed, value, type ? type : value[0] == '{' ? "{" : NULL, NULL);
  type = single ? single : type;
  snprintf(number, sizeof number, "%s$%d%s%s%s", single ? "ARRAY[" : "", at, type ? "::" : "", type ? type : "",
           single ? "]" : "");
  kecs_pg__text_adds(&packed->sql, number);
}

/* `call`: of a function that takes arrays and numbers. */
static void kecs_sync__pack_parameter(kecs_sync__statement *packed, const char *value, const char *type, bool call) {
  char number[16];
  if (!value || (call && kecs_sync__all_null(value))) {
    kecs_pg__text_adds(&packed->sql, "NULL");
  } else if (call && strcmp(value, "{}") == 0) { /* of any type */
    kecs_pg__text_adds(&packed->sql, "'{}'");
  } else if (call) {
    kecs_sync__pack_argument(packed, value, type);
  } else {
    snprintf(number, sizeof number, "$%d", kecs_sync__pack_value(packed, value, NULL, NULL));
    kecs_pg__text_adds(&packed->sql, number);
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
  static const char bigint[] = "::bigint";
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
      bool cast = call && strncmp(at, bigint, sizeof bigint - 1) == 0;
      at += cast ? sizeof bigint - 1 : 0;
      kecs_sync__pack_parameter(packed, values[number - 1], cast ? "bigint" : NULL, call);
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
    kecs_pg__text_adds(&packed->sql, item->call ? " c" : ""); /* a column's name travels each time */
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
      snprintf(text, sizeof text, "%sSELECT ROW(%d,x.*)::text r FROM(", packed->sql.len ? " UNION ALL " : "", i);
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
      packed->values[i] = packed->sent[i].text;
      bytes += strlen(packed->values[i]);
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
      if (packed->sent[i].element.allocator) {
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

/* `row` is behind the parenthesis, or the comma of the field before. */
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

enum { KECS_SYNC__WIDTH_MAX = 128 };

static bool kecs_sync__set_width(PGresult *result, int width) {
  char name[] = "c";
  PGresAttDesc columns[KECS_SYNC__WIDTH_MAX];
  memset(columns, 0, sizeof columns);
  for (int i = 0; i < width && i < KECS_SYNC__WIDTH_MAX; i++) {
    columns[i].name = name;
  }
  return width <= KECS_SYNC__WIDTH_MAX && PQsetResultAttrs(result, width, columns);
}

static bool kecs_sync__set_field(PGresult *result, int row, int column, const kecs_pg__text *field, bool set) {
  char empty[] = "";
  return !field->status && PQsetvalue(result, row, column, !set ? NULL : field->len ? field->data : empty,
                                      set ? (int)field->len : -1);
}

static bool kecs_sync__row_set(PGresult *result, const char *row, kecs_pg__text *field) {
  int width = kecs_sync__row_width(row);
  int number = PQntuples(result);
  if (number == 0 && !kecs_sync__set_width(result, width)) {
    return false;
  }
  for (int i = 0; i < width; i++, row++) {
    bool set = kecs_sync__row_field(&row, field);
    if (!kecs_sync__set_field(result, number, i, field, set)) {
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
    char *fields = NULL;
    long item = strtol(kecs_sync__text(result, row, 0) + 1, &fields, 10); /* "(1,..." */
    good = *fields == ',' && item >= packed->first && item <= packed->last &&
           kecs_sync__row_set(exchange->item[item].result, fields + 1, &field);
  }
  kecs_pg__text_free(&field);
  return good ? KECS_OK : KECS_E_NOMEM;
}

KECS_PG__FN PGresult *kecs_sync__array_rows(const kecs_allocator *allocator, const char *array, int width) {
  kecs_pg__text field = {allocator, NULL, 0, 0, KECS_OK};
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  bool good = result && kecs_sync__set_width(result, width);
  const char *at = array[0] == '{' && array[1] != '}' ? array + 1 : "";
  for (int place = 0; good && *at; place++) {
    field.len = 0;
    at = kecs_sync__element(&field, at);
    good = kecs_sync__set_field(result, place / width, place % width, &field, true);
    at += *at ? 1 : 0; /* the comma, or the brace */
  }
  kecs_pg__text_free(&field);
  if (!good) {
    PQclear(result);
    return NULL;
  }
  return result;
}
