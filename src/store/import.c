/* store/import.c -- every resource that a text holds, put into the store.
 *
 * A text is a row of JSON values. Each is taken apart down to objects that are one resource, told by their members
 * (import_shapes.c), and these go to kecs_put_json as the exact bytes that stand in the text (import_put.c). Where a
 * resource lacks what the text around it says (a wrapper's tags, a target's group), a copy with that member goes there.
 *
 * What is no resource is noted as refused, never passed over in silence: each object of the text that is not a wrapper
 * ends up in one note. */
#include "base/prologue.h"

#include "store/import.h"

#include "gen/api_public.h"
#include "store/import_put.h"

#include <stdio.h>
#include <string.h>

#define KECS__IMPORT_DEPTH 8 /* wrappers and arrays around a resource */

static void kecs__import_value(kecs__import *import, kecs__json value, kecs_kind kind, int depth);

/* ---- resources ---- */

/* What a bare target health description belongs to: AWS does not say it in there. */
static void kecs__import_group(kecs__import *import, const kecs__members *around) {
  const kecs__engine *engine = import->store->engine;
  char unattached[320];
  kecs__json given = import->group;
  if (around && kecs__members_have(around, KECS__MEMBER_ELB_TARGET_GROUP_ARN)) {
    given = around->at[KECS__MEMBER_ELB_TARGET_GROUP_ARN];
  }
  if (given.type == KECS__JSON_STRING) {
    kecs__import_extra(import, "TargetGroupArn", given);
  } else if (import->options.target_group_arn) {
    kecs__import_extra_text(import, "TargetGroupArn", import->options.target_group_arn);
  } else {
    snprintf(unattached, sizeof unattached, "arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s", engine->region,
             engine->account_id, "unattached/0000000000000000");
    kecs__import_extra_text(import, "TargetGroupArn", unattached);
  }
}

/* A member of the wrapper that the document itself has not. */
static void kecs__import_inherit(kecs__import *import, const kecs__item *item, const kecs__members *around,
                                 kecs__member member, const char *name) {
  if (around && kecs__members_have(around, member) && !kecs__members_have(item->own, member)) {
    kecs__import_extra(import, name, around->at[member]);
  }
}

/* Puts an object whose kind is known; `around` is the wrapper that it stands in, or NULL. */
static void kecs__import_resource(kecs__import *import, kecs__item *item, const kecs__members *around) {
  switch (item->kind) {
    case KECS_KIND_TASK_DEFINITION:
      kecs__import_inherit(import, item, around, KECS__MEMBER_TAGS, "tags");
      break;
    case KECS_KIND_ATTRIBUTE:
      kecs__import_inherit(import, item, around, KECS__MEMBER_CLUSTER, "cluster");
      break;
    case KECS_KIND_TARGET:
      if (!kecs__members_have(item->own, KECS__MEMBER_ELB_TARGET_GROUP_ARN)) {
        kecs__import_group(import, around);
      }
      break;
    case KECS_KIND_TAG:
      if (!kecs__members_have(item->own, KECS__MEMBER_KEY)) {
        kecs__import_tags(import, item);
        return;
      }
      break;
    default:
      break;
  }
  kecs__import_item(import, item);
}

/* An update says what changes: what the stored service says besides goes in front of it. */
static void kecs__import_update(kecs__import *import, kecs__json update, const kecs__members *own) {
  char cluster[512];
  char name[512];
  const char *text = NULL;
  kecs_result *stored = NULL;
  kecs__json_walk walk = {NULL};
  kecs__json member;
  kecs__json value;
  bool in = kecs__json_string_into(own->at[KECS__MEMBER_CLUSTER], cluster, sizeof cluster, NULL);
  if (!kecs__json_string_into(own->at[KECS__MEMBER_SERVICE], name, sizeof name, NULL)) {
    return;
  }
  kecs__import_flush(import);
  kecs_store *store = import->batch ? import->batch : import->store;
  kecs_status status = kecs_service_get(store, in ? cluster : NULL, name, &stored);
  if (!status) {
    status = kecs_record_json(stored, kecs_kind_describe(KECS_KIND_SERVICE), kecs_service_at(stored, 0), 0, &text);
  }
  kecs__json document = {KECS__JSON_NONE, NULL, 0};
  if (!status) {
    document = kecs__json_check(text, strlen(text), NULL);
  }
  while (kecs__json_next_member(document, &walk, &member, &value)) {
    char plain[128]; /* long and odd names are nobody's but the stored document's */
    if (!kecs__json_string_into(member, plain, sizeof plain, NULL) || !kecs__json_member(update, plain).type) {
      kecs__import_extra_member(import, member, value);
    }
  }
  import->status = kecs_status_class(status) == KECS_CLASS_CALLER ? KECS_OK : status;
  kecs_result_free(stored);
}

static void kecs__import_bare(kecs__import *import, kecs__json object, const kecs__members *own,
                              const kecs__shape *shape, kecs_kind kind) {
  kecs__item item = {object, object.text, own, kind, shape ? shape->what : kecs_kind_describe(kind)->name};
  if (shape && shape->nameless && !import->options.name) {
    kecs__import_refuse(import, object.text, shape->what, KECS_E_INVALID, "the service has no name; give it one");
    return;
  }
  if (shape && shape->nameless) {
    kecs__import_extra_text(import, "serviceName", import->options.name);
  }
  if (shape && shape->update) {
    kecs__import_update(import, object, own);
  }
  kecs__import_resource(import, &item, NULL);
}

/* ---- responses ---- */

/* What stands in a response's member: an object of its kind, or a name. */
static void kecs__import_held(kecs__import *import, kecs__json value, const kecs__holder *holder,
                              const kecs__members *around) {
  kecs__members own;
  kecs__item item = {value, value.text, &own, holder->kind, holder->what};
  if (value.type != KECS__JSON_OBJECT) {
    kecs__import_refuse(import, value.text, holder->what, KECS_E_UNSUPPORTED, "a name, not a resource");
    return;
  }
  if (!holder->kind) {
    kecs__import_refuse(import, value.text, holder->what, KECS_E_UNSUPPORTED, "the store has no such kind");
    return;
  }
  kecs__members_read(value, &own);
  kecs__import_resource(import, &item, around);
}

/* All resources of a response. `only` limits it to members of that kind. False when it holds none. */
static bool kecs__import_response(kecs__import *import, kecs__json object, const kecs__members *around,
                                  kecs_kind only) {
  bool held = false;
  const kecs__holder *holder = NULL;
  for (size_t i = 0; (holder = kecs__holder_at(i)) != NULL; i++) {
    kecs__json value = around->at[holder->member];
    kecs__json_walk walk = {NULL};
    kecs__json element;
    size_t count = 0;
    if (value.type == KECS__JSON_NONE || (only && holder->kind != only)) {
      continue;
    }
    held = true;
    if (value.type == KECS__JSON_OBJECT) {
      kecs__import_held(import, value, holder, around);
      continue;
    }
    while (!import->status && kecs__json_next_element(value, &walk, &element)) {
      if (count++ == 0 && element.type != KECS__JSON_OBJECT) {
        kecs__import_refuse(import, object.text, holder->what, KECS_E_UNSUPPORTED, "a list of names, nothing to store");
        break;
      }
      kecs__import_held(import, element, holder, around);
    }
    if (count == 0) {
      kecs__import_refuse(import, object.text, holder->what, KECS_E_UNSUPPORTED, "an empty list, nothing to store");
    }
  }
  return held;
}

/* ---- values ---- */

/* An exported document stands on one line, and what it holds is kept byte for byte, so white space is written folded:
 * tab as tab tab, newline as tab blank tab, carriage return as tab blank blank. None of these can stand in a string, so
 * this is the same JSON for everybody else. Gives the text as it was; a text that is not folded as it is. */
static kecs__json kecs__import_unfold(kecs__import *import, kecs__json document) {
  kecs__text *copy = &import->copy;
  const char *end = document.text + document.len;
  const char *at = memchr(document.text, '\t', document.len);
  const char *done = document.text;
  if (!at || memchr(document.text, '\n', document.len) || memchr(document.text, '\r', document.len)) {
    return document;
  }
  kecs__text_clear(copy);
  for (; at; at = memchr(done, '\t', (size_t)(end - done))) {
    /* The document ends with a bracket, so there are two more bytes after a tab, or it is not folded. */
    bool blank = end - at > 2 && at[1] == ' ';
    if (end - at < 3 || (at[1] != '\t' && !(blank && (at[2] == '\t' || at[2] == ' ')))) {
      return document;
    }
    kecs__text_add(copy, done, (size_t)(at - done));
    kecs__text_addc(copy, !blank ? '\t' : at[2] == '\t' ? '\n' : '\r');
    done = at + (blank ? 3 : 2);
  }
  kecs__text_add(copy, done, (size_t)(end - done));
  import->status = copy->status;
  return copy->status ? document : (kecs__json){KECS__JSON_OBJECT, copy->data, copy->len};
}

/* {"kind":..,"document":..}: what the command line exports. */
static void kecs__import_exported(kecs__import *import, const kecs__members *members, kecs_kind kind) {
  char name[64];
  kecs__json document = members->at[KECS__MEMBER_DOCUMENT];
  const kecs_kind_info *info = NULL;
  kecs__members own;
  if (kecs__json_string_into(members->at[KECS__MEMBER_KIND], name, sizeof name, NULL)) {
    info = kecs_kind_find(name);
  }
  kecs__item item = {kecs__import_unfold(import, document), document.text, &own, (kecs_kind)0, "exported document"};
  if (!info && !kind && kecs__json_equals(members->at[KECS__MEMBER_KIND], KECS__IMPORT_COUNTER)) {
    item.what = "exported counter";
    kecs__import_counter(import, &item);
  } else if (!info) {
    kecs__import_refuse(import, members->at[KECS__MEMBER_KIND].text, "exported document", KECS_E_UNSUPPORTED,
                        "the store has no such kind");
  } else if (kind && kind != info->kind) {
    kecs__import_refuse(import, members->at[KECS__MEMBER_KIND].text, "exported document", KECS_E_INVALID,
                        "it is of another kind than asked for");
  } else {
    kecs__members_read(document, &own);
    item.kind = info->kind;
    kecs__import_item(import, &item);
  }
}

static void kecs__import_unknown(kecs__import *import, kecs__json object, const kecs__members *members,
                                 const kecs__shape *shape) {
  if (shape) {
    kecs__import_refuse(import, object.text, shape->what, KECS_E_UNSUPPORTED, shape->reason);
  } else if (members->arns) {
    kecs__import_refuse(import, object.text, "list response", KECS_E_UNSUPPORTED, "a list of ARNs, nothing to store");
  } else if (members->count == 0) {
    kecs__import_refuse(import, object.text, "empty object", KECS_E_UNSUPPORTED, "an empty object, nothing to store");
  } else {
    kecs__import_refuse(import, object.text, "unknown document", KECS_E_UNSUPPORTED,
                        "no resource of ECS or ELBv2 that the store knows");
  }
}

/* A call that was recorded: what was answered, or else what was asked for. */
static void kecs__import_call(kecs__import *import, kecs__json asked, kecs__json answered, kecs_kind kind, int depth) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  kecs__json before = import->group;
  bool answer = kecs__json_next_member(answered, &walk, &name, &value);
  import->group = kecs__json_member(asked, "TargetGroupArn");
  kecs__import_value(import, answer ? answered : asked, kind, depth + 1);
  import->group = before;
}

/* What stands around documents. False when the object is nothing of the sort. */
static bool kecs__import_wrapper(kecs__import *import, const kecs__members *members, kecs_kind kind, int depth) {
  const kecs__json *at = members->at;
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  if (kecs__members_have(members, KECS__MEMBER_DATA) && kecs__members_have(members, KECS__MEMBER_STATUS_CODE)) {
    kecs__import_value(import, at[KECS__MEMBER_DATA], kind, depth + 1);
  } else if (kecs__members_have(members, KECS__MEMBER_IN)) {
    kecs__import_call(import, at[KECS__MEMBER_IN], at[KECS__MEMBER_OUT], kind, depth);
  } else if (kecs__members_have(members, KECS__MEMBER_INPUT)) {
    kecs__import_call(import, at[KECS__MEMBER_INPUT], at[KECS__MEMBER_OUTPUT], kind, depth);
  } else if (kecs__members_have(members, KECS__MEMBER_KIND) && kecs__members_have(members, KECS__MEMBER_DOCUMENT)) {
    kecs__import_exported(import, members, kind);
  } else if (kecs__members_have(members, KECS__MEMBER_ITEMS)) {
    kecs__import_value(import, at[KECS__MEMBER_ITEMS], kind, depth + 1);
  } else if (kecs__members_have(members, KECS__MEMBER_EXAMPLES)) {
    while (!import->status && kecs__json_next_member(at[KECS__MEMBER_EXAMPLES], &walk, &name, &value)) {
      kecs__import_value(import, value, kind, depth + 1);
    }
  } else {
    return false;
  }
  return true;
}

static void kecs__import_object(kecs__import *import, kecs__json object, kecs_kind kind, int depth) {
  kecs__members members;
  kecs__members_read(object, &members);
  const kecs__shape *shape = kecs__shape_of(&members);
  if (kind && shape && shape->kind != kind) {
    shape = NULL;
  }
  if (shape && shape->kind) {
    kecs__import_bare(import, object, &members, shape, shape->kind);
  } else if (kecs__import_wrapper(import, &members, kind, depth)) {
    return;
  } else if (kind) {
    if (!kecs__import_response(import, object, &members, kind)) {
      kecs__import_bare(import, object, &members, NULL, kind);
    }
  } else if (shape || !kecs__import_response(import, object, &members, (kecs_kind)0)) {
    kecs__import_unknown(import, object, &members, shape);
  }
}

static void kecs__import_value(kecs__import *import, kecs__json value, kecs_kind kind, int depth) {
  kecs__json_walk walk = {NULL};
  kecs__json element;
  size_t count = 0;
  if (depth > KECS__IMPORT_DEPTH) {
    kecs__import_refuse(import, value.text, "nested document", KECS_E_UNSUPPORTED, "more than 8 wrappers around it");
    return;
  }
  if (value.type == KECS__JSON_OBJECT) {
    kecs__import_object(import, value, kind, depth);
    return;
  }
  if (value.type != KECS__JSON_ARRAY) {
    kecs__import_refuse(import, value.text, "plain value", KECS_E_UNSUPPORTED, "neither an object nor an array");
    return;
  }
  while (!import->status && kecs__json_next_element(value, &walk, &element)) {
    count++;
    if (element.type != KECS__JSON_OBJECT && element.type != KECS__JSON_ARRAY) {
      kecs__import_refuse(import, value.text, "list", KECS_E_UNSUPPORTED, "a list of plain values, nothing to store");
      return;
    }
    kecs__import_value(import, element, kind, depth + 1);
  }
  if (count == 0) {
    kecs__import_refuse(import, value.text, "empty list", KECS_E_UNSUPPORTED, "an empty list, nothing to store");
  }
}

/* ---- texts ---- */

static size_t kecs__import_blank(const kecs__import *import, size_t at) {
  while (at < import->len && strchr(" \t\r\n", import->text[at]) && import->text[at]) {
    at++;
  }
  return at;
}

static size_t kecs__import_line_end(const kecs__import *import, size_t at) {
  while (at < import->len && import->text[at] != '\n' && import->text[at] != '\r') {
    at++;
  }
  return at;
}

/* Where to read on after a text that is not JSON: the next line, where documents stand one a line, else nowhere
 * (`len`). That they do is told by the documents before, and by a next line that begins with a document. */
static size_t kecs__import_resume(const kecs__import *import, size_t at, size_t fault) {
  size_t end = kecs__import_line_end(import, at);
  size_t next = kecs__import_blank(import, end);
  if (next >= import->len) {
    return import->len;
  }
  bool here = fault <= end || fault == next; /* a document that is cut off is found out where the next one begins */
  bool flush = import->text[next - 1] == '\n' || import->text[next - 1] == '\r';
  bool begins = flush && (import->text[next] == '{' || import->text[next] == '[');
  bool more = begins ? here || import->lines : here && flush && import->lines;
  return more ? next : import->len;
}

static void kecs__import_texts(kecs__import *import) {
  static const char mark[] = "\xEF\xBB\xBF";
  size_t at = import->len >= 3 && memcmp(import->text, mark, 3) == 0 ? 3 : 0;
  at = kecs__import_blank(import, at);
  if (at >= import->len) {
    kecs__import_fault(import, import->text, "empty text", "there is no document in it", 1, 1);
  }
  while (!import->status && at < import->len) {
    size_t used = 0;
    kecs__json_fault fault = {0, 0, 0, NULL};
    kecs__json value = kecs__json_check_first(import->text + at, import->len - at, &used, &fault);
    if (value.type == KECS__JSON_NONE) {
      kecs__import_fault(import, import->text + at, "text that is not JSON", fault.reason, fault.line, fault.column);
      at = kecs__import_resume(import, at, at + fault.offset);
      continue;
    }
    size_t end = (size_t)(value.text - import->text) + value.len;
    size_t line_end = kecs__import_line_end(import, at);
    import->lines = end <= line_end && kecs__import_blank(import, end) > line_end;
    kecs__import_value(import, value, import->options.kind, 0);
    at = kecs__import_blank(import, at + used);
  }
}

KECS_STORE_API kecs_status kecs_import(kecs_store *store, const char *text, size_t len,
                                       const kecs_import_options *options, int64_t *out_put, int64_t *out_refused) {
  kecs__import import;
  kecs_status status = kecs__check_handle(store);
  if (out_put) {
    *out_put = 0;
  }
  if (out_refused) {
    *out_refused = 0;
  }
  if (!status) {
    status = kecs__check_pointer(text, "text");
  }
  if (!status && options && options->kind && !kecs_kind_describe(options->kind)) {
    status = kecs__fail(KECS_E_INVALID, "there is no kind number %d", (int)options->kind);
  }
  if (status) {
    return status;
  }
  kecs__import_init(&import, store, text, len == SIZE_MAX ? strlen(text) : len, options);
  kecs__import_texts(&import);
  kecs__import_end(&import);
  if (out_put) {
    *out_put = import.put;
  }
  if (out_refused) {
    *out_refused = import.refused;
  }
  return import.status;
}
