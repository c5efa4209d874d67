/* store/import_put.c -- what an import has found, into the store: resources, tags, counters, refusals. */
#include "base/prologue.h"

#include "store/import_put.h"

#include "store/ecs.h"
#include "store/result.h"
#include "store/tags.h"

#include <stdlib.h>
#include <string.h>

#define KECS__IMPORT_TAGS_MAX 1000 /* of one tag description; AWS allows 50 */

KECS__FN void kecs__import_end(kecs__import *import) {
  kecs__import_flush(import);
  kecs__release(&import->store->engine->allocator, import->together, kecs__together_size());
  kecs__import_commit(import);
  kecs__text_free(&import->extra);
  kecs__text_free(&import->copy);
  kecs__arena_free(&import->arena);
}

KECS__FN void kecs__import_refuse(kecs__import *import, const char *at, const char *what, kecs_status status,
                                  const char *reason) {
  kecs_import_note note = {0};
  kecs__import_flush(import);
  note.refused = true;
  note.what = what;
  note.reason = reason;
  note.status = status;
  kecs__import_tell(import, &note, at);
}

KECS__FN void kecs__import_fault(kecs__import *import, const char *at, const char *what, const char *reason,
                                 size_t line, size_t column) {
  kecs_import_note note = {0};
  kecs__import_flush(import);
  note.refused = true;
  note.what = what;
  note.reason = reason;
  note.status = KECS_E_INVALID;
  note.line = line;
  note.column = column;
  kecs__import_tell(import, &note, at);
}

/* The document's own bytes, or a copy with the extra members in front. */
static kecs__json kecs__import_text(kecs__import *import, kecs__json body) {
  kecs__text *copy = &import->copy;
  size_t extra = import->extra.len;
  if (extra == 0 || import->extra.status) {
    import->status = import->extra.status;
    return body;
  }
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  bool empty = !kecs__json_next_member(body, &walk, &name, &value);
  kecs__text_clear(copy);
  kecs__text_addc(copy, '{');
  kecs__text_add(copy, import->extra.data, empty ? extra - 1 : extra);
  kecs__text_add(copy, body.text + 1, body.len - 1);
  import->status = copy->status;
  return (kecs__json){KECS__JSON_OBJECT, copy->data, copy->len};
}

KECS__FN void kecs__import_item(kecs__import *import, const kecs__item *item) {
  char name[KECS__IMPORT_NAME] = "";
  unsigned flags = KECS_JSON_PARENTS | (kecs__members_have(item->own, KECS__MEMBER_KECS) ? KECS_JSON_STORE : 0U);
  kecs__member identity = kecs__identity_of(item->kind);
  if (!kecs__json_string_into(item->own->at[identity], name, sizeof name, NULL)) {
    name[0] = '\0';
  }
  if (kecs__import_wait(import, item, flags, name)) {
    return;
  }
  kecs__import_flush(import);
  kecs__json put = kecs__import_text(import, item->body);
  kecs__text_clear(&import->extra);
  kecs__import_put(import, item, put, flags, name);
}

/* ---- tags of resources ---- */

/* {Key, Value} of ELBv2, or {key, value} of ECS. */
static bool kecs__import_tag(kecs__import *import, kecs__json tag, kecs_key_value *out) {
  kecs__json key = kecs__json_member(tag, "Key");
  kecs__json value = kecs__json_member(tag, "Value");
  key = key.type ? key : kecs__json_member(tag, "key");
  value = value.type ? value : kecs__json_member(tag, "value");
  out->key = kecs__json_string(key, &import->arena, NULL);
  out->value = value.type == KECS__JSON_STRING ? kecs__json_string(value, &import->arena, NULL) : NULL;
  return out->key && (out->value || value.type != KECS__JSON_STRING);
}

static kecs_status kecs__import_tags_add(kecs__import *import, kecs_store *tx, kecs__json arn, kecs__json tags,
                                         char **out_arn) {
  kecs__json_walk walk = {NULL};
  kecs__json tag;
  size_t count = 0;
  *out_arn = kecs__json_string(arn, &import->arena, NULL);
  kecs_key_value *list = *out_arn ? kecs__arena_take(&import->arena, KECS__IMPORT_TAGS_MAX * sizeof *list) : NULL;
  if (!list) {
    return kecs_last_error()->status;
  }
  while (kecs__json_next_element(tags, &walk, &tag)) {
    if (count == KECS__IMPORT_TAGS_MAX) {
      return kecs__fail(KECS_E_INVALID, "more than %d tags", KECS__IMPORT_TAGS_MAX);
    }
    if (!kecs__import_tag(import, tag, &list[count++])) {
      return kecs_last_error()->status;
    }
  }
  return kecs_tags_add(tx, *out_arn, list, count);
}

KECS__FN void kecs__import_tags(kecs__import *import, const kecs__item *item) {
  const kecs__json *at = item->own->at;
  bool elb = at[KECS__MEMBER_ELB_RESOURCE_ARN].type != KECS__JSON_NONE;
  char reason[KECS__REASON_SIZE];
  char *name = NULL;
  kecs_import_note note = {0};
  kecs__import_flush(import);
  kecs_store *tx = kecs__import_begin(import);
  if (!tx) {
    return;
  }
  kecs__arena_reset(&import->arena);
  kecs_status status = elb ? kecs__import_tags_add(import, tx, at[KECS__MEMBER_ELB_RESOURCE_ARN],
                                                   at[KECS__MEMBER_ELB_RESOURCE_TAGS], &name)
                           : kecs__import_tags_add(import, tx, at[KECS__MEMBER_RESOURCE_ARN], at[KECS__MEMBER_TAGS],
                                                   &name);
  status = kecs__import_settle(import, tx, status, reason);
  note.refused = status != KECS_OK;
  note.status = status;
  note.kind = KECS_KIND_TAG;
  note.what = item->what;
  note.name = name;
  note.reason = reason;
  if (!import->status) {
    kecs__import_tell(import, &note, item->at);
  }
}

/* ---- counters of families ---- */

/* An optional text member; false, with the failure recorded, when it is something else. */
static bool kecs__import_text_member(kecs__import *import, kecs__json body, const char *name, const char **out) {
  kecs__json value = kecs__json_member(body, name);
  *out = value.type == KECS__JSON_NONE ? NULL : kecs__json_string(value, &import->arena, NULL);
  return *out || value.type == KECS__JSON_NONE;
}

static kecs_status kecs__import_counter_put(kecs__import *import, kecs_store *tx, kecs__json body,
                                            kecs_family_counter *counter) {
  bool texts = kecs__import_text_member(import, body, "family", &counter->family) &&
               kecs__import_text_member(import, body, "accountId", &counter->account_id) &&
               kecs__import_text_member(import, body, "region", &counter->region);
  if (!texts) {
    return kecs_last_error()->status;
  }
  if (!kecs__json_int64(kecs__json_member(body, "lastRevision"), &counter->last_revision)) {
    return kecs__fail(KECS_E_INVALID, "lastRevision is no whole number; it is the last revision that was given");
  }
  return kecs_task_definition_counter_raise(tx, counter);
}

KECS__FN void kecs__import_counter(kecs__import *import, const kecs__item *item) {
  char reason[KECS__REASON_SIZE];
  kecs_family_counter counter = {0};
  kecs_import_note note = {0};
  kecs_store *tx = kecs__import_begin(import);
  if (!tx) {
    return;
  }
  kecs__arena_reset(&import->arena);
  kecs_status status = kecs__import_counter_put(import, tx, item->body, &counter);
  status = kecs__import_settle(import, tx, status, reason);
  note.refused = status != KECS_OK;
  note.status = status;
  note.what = item->what;
  note.name = counter.family;
  note.reason = reason;
  if (!import->status) {
    kecs__import_tell(import, &note, item->at);
  }
}
