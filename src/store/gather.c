/* store/gather.c -- statements that are remembered first, and asked together. */
#include "base/prologue.h"

#include "store/gather.h"

#include <string.h>

KECS__FN void kecs__gather_init(kecs__gather *gather, kecs__arena *arena) {
  memset(gather, 0, sizeof *gather);
  gather->arena = arena;
}

KECS__FN void kecs__gather_begin(kecs__session *session, kecs__gather *gather) {
  gather->at = &gather->first;
  gather->guesses = 0;
  gather->waits = false;
  session->gather = gather;
}

KECS__FN void kecs__gather_end(kecs__session *session) {
  session->gather = NULL;
}

KECS__FN void kecs__gather_guess(kecs__session *session, bool guess) {
  if (session->gather) {
    session->gather->guesses += guess ? 1 : -1;
  }
}

static bool kecs__value_equal(const kecs_value *a, const kecs_value *b) {
  bool text = a->type == KECS_VALUE_TEXT;
  return a->type == b->type && (text ? a->len == b->len && memcmp(a->text, b->text, a->len) == 0
                                     : a->type == KECS_VALUE_NULL || a->number == b->number);
}

static bool kecs__asked_is(const kecs__asked *asked, const kecs__cached *cached, const kecs_value *parameters,
                           int count) {
  bool same = asked->cached == cached && asked->start.count == count;
  for (int i = 0; same && i < count; i++) {
    same = kecs__value_equal(&asked->start.parameters[i], &parameters[i]);
  }
  return same;
}

/* A copy that outlives the run of the read: the next run has values of its own. */
static kecs_status kecs__gather_add(kecs__gather *gather, kecs__cached *cached, const kecs_value *parameters,
                                    int count) {
  kecs__asked *asked = kecs__arena_take(gather->arena, sizeof *asked);
  kecs_value *values = asked ? kecs__arena_take(gather->arena, ((size_t)count + 1) * sizeof *values) : NULL;
  if (!values) {
    return KECS_E_NOMEM;
  }
  memset(asked, 0, sizeof *asked);
  for (int i = 0; i < count; i++) {
    values[i] = parameters[i];
    if (values[i].type == KECS_VALUE_TEXT) {
      values[i].text = kecs__arena_text(gather->arena, parameters[i].text, parameters[i].len);
      if (!values[i].text) {
        return KECS_E_NOMEM;
      }
    }
  }
  asked->cached = cached;
  asked->start.statement = cached->statement;
  asked->start.parameters = values;
  asked->start.count = count;
  *gather->at = asked;
  gather->at = &asked->next;
  gather->waits = true;
  return KECS_OK;
}

static void kecs__gather_drop(kecs__session *session, kecs__asked *asked) {
  for (; asked; asked = asked->next) {
    session->engine->backend->drop_answer(asked->start.answer);
    asked->start.answer = NULL;
  }
}

KECS__FN kecs_status kecs__gather_start(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                        int count, bool *out_row) {
  kecs__gather *gather = session->gather;
  kecs__asked *asked = *gather->at;
  *out_row = false;
  if (asked && !kecs__asked_is(asked, cached, parameters, count)) {
    kecs__gather_drop(session, asked); /* a guess was wrong: what followed from it was asked in vain */
    *gather->at = asked = NULL;
  }
  if (!asked) {
    kecs_status status = kecs__gather_add(gather, cached, parameters, count);
    return status || gather->guesses > 0 ? status : KECS_E_BUSY; /* told to nobody: the read runs again */
  }
  gather->at = &asked->next;
  if (asked->start.status) {
    return kecs__error_restore(&asked->start.error);
  }
  session->engine->backend->lend_answer(cached->statement, asked->start.answer);
  return session->engine->backend->step(cached->statement, out_row);
}

KECS__FN kecs_status kecs__gather_send(kecs__session *session, kecs__gather *gathers, size_t count) {
  size_t open = 0;
  for (size_t i = 0; i < count; i++) {
    for (const kecs__asked *asked = gathers[i].first; asked; asked = asked->next) {
      open += !asked->start.answer && !asked->start.status;
    }
  }
  kecs_start **starts = kecs__alloc(&session->engine->allocator, (open + 1) * sizeof *starts);
  if (!starts) {
    return KECS_E_NOMEM;
  }
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    for (kecs__asked *asked = gathers[i].first; asked; asked = asked->next) {
      if (!asked->start.answer && !asked->start.status) {
        starts[used++] = &asked->start;
      }
    }
  }
  kecs_status status = session->engine->backend->start_many(session->connection, starts, used);
  kecs__release(&session->engine->allocator, starts, (open + 1) * sizeof *starts);
  return status;
}

KECS__FN void kecs__gather_free(kecs__session *session, kecs__gather *gather) {
  kecs__gather_drop(session, gather->first);
  gather->first = NULL;
}
