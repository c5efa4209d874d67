/* pg/text.c -- a text that grows. */
#include "pg/prologue.h"

#include "pg/text.h"

#include <string.h>

#define KECS_PG__TEXT_FIRST 1024

KECS_PG__FN void kecs_pg__text_add(kecs_pg__text *text, const char *bytes, size_t len) {
  if (text->status) {
    return;
  }
  if (text->len + len + 1 > text->room) {
    size_t room = text->room ? text->room : KECS_PG__TEXT_FIRST;
    while (room < text->len + len + 1) {
      room *= 2;
    }
    char *data = kecs_pg__alloc(text->allocator, room);
    if (!data) {
      text->status = KECS_E_NOMEM;
      return;
    }
    if (text->len > 0) {
      memcpy(data, text->data, text->len);
    }
    kecs_pg__release(text->allocator, text->data, text->room);
    text->data = data;
    text->room = room;
  }
  memcpy(text->data + text->len, bytes, len);
  text->len += len;
  text->data[text->len] = '\0';
}

KECS_PG__FN void kecs_pg__text_adds(kecs_pg__text *text, const char *more) {
  kecs_pg__text_add(text, more, strlen(more));
}

KECS_PG__FN void kecs_pg__text_free(kecs_pg__text *text) {
  kecs_pg__release(text->allocator, text->data, text->room);
  text->data = NULL;
  text->len = 0;
  text->room = 0;
}

KECS_PG__FN void kecs_pg__text_fill(kecs_pg__text *text, const char *form, const kecs_pg__mark *marks) {
  while (*form) {
    size_t plain = strcspn(form, "{");
    kecs_pg__text_add(text, form, plain);
    form += plain;
    if (*form == '\0') {
      return;
    }
    size_t len = strcspn(++form, "}");
    const kecs_pg__mark *mark = marks;
    while (mark->name && (strlen(mark->name) != len || memcmp(mark->name, form, len) != 0)) {
      mark++;
    }
    if (!mark->name) {
      text->status = kecs_pg__fail(KECS_E_MISUSE, "a template has the unknown mark {%.*s}", (int)len, form);
      return;
    }
    kecs_pg__text_adds(text, mark->value);
    form += len + (form[len] == '}');
  }
}
