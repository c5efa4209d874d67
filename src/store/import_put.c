/* store/import_put.c -- one document into the store: transactions, notes, members that come from its surroundings. */
#include "base/prologue.h"

#include "store/import_put.h"

#include "store/ecs.h"
#include "store/result.h"
#include "store/tags.h"

#include <stdlib.h>
#include <string.h>

#define KECS__IMPORT_BATCH 1000    /* documents in one transaction */
#define KECS__IMPORT_TAGS_MAX 1000 /* of one tag description; AWS allows 50 */

KECS__FN void kecs__import_init(kecs__import *import, kecs_store *store, const char *text, size_t len,
                                const kecs_import_options *options) {
  const kecs_allocator *allocator = &store->engine->allocator;
  memset(import, 0, sizeof *import);
  import->store = store;
  import->text = text;
  import->len = len;
  import->seen_line = 1;
  import->seen_column = 1;
  if (options) {
    import->options = *options;
  }
  kecs__text_init(&import->extra, allocator, SIZE_MAX / 4);
  kecs__text_init(&import->copy, allocator, SIZE_MAX / 4);
  kecs__arena_init(&import->arena, allocator);
}

/* ---- transactions ---- */

static void kecs__import_commit(kecs__import *import) {
  kecs_store *batch = import->batch;
  import->batch = NULL;
  if (batch && import->status) {
    (void)kecs_rollback(batch);
  } else if (batch) {
    import->status = kecs_commit(batch);
    import->put += import->status ? 0 : import->batch_put;
  }
  import->batch_put = 0;
  import->batch_count = 0;
}

KECS__FN void kecs__import_end(kecs__import *import) {
  kecs__import_flush(import);
  kecs__release(&import->store->engine->allocator, import->together, kecs__together_size());
  kecs__import_commit(import);
  kecs__text_free(&import->extra);
  kecs__text_free(&import->copy);
  kecs__arena_free(&import->arena);
}

KECS__FN kecs_store *kecs__import_begin(kecs__import *import) {
  kecs_store *document = NULL;
  if (import->batch_count >= KECS__IMPORT_BATCH) {
    kecs__import_commit(import);
  }
  if (!import->status && !import->batch) {
    import->status = kecs_begin(import->store, &import->batch);
  }
  if (!import->status) {
    import->status = kecs_begin(import->batch, &document);
    import->batch_count++;
  }
  return document;
}

/* Whether a failure is about the document alone, so that the next one may well do. */
static bool kecs__import_goes_on(kecs_status status) {
  return kecs_status_class(status) == KECS_CLASS_CALLER && status != KECS_E_READONLY && status != KECS_E_DENIED;
}

/* Ends a document's savepoint. A failure that concerns the whole ends the import: the batch goes with the savepoint. */
KECS__FN kecs_status kecs__import_settle(kecs__import *import, kecs_store *tx, kecs_status status, char *reason) {
  if (!status) {
    status = kecs_commit(tx);
    tx = NULL;
  }
  reason[0] = '\0';
  if (status) {
    memcpy(reason, kecs_last_error()->text, KECS__REASON_SIZE);
    import->status = kecs__import_goes_on(status) ? KECS_OK : status;
    (void)kecs_rollback(tx);
  }
  return status;
}

/* ---- notes ---- */

KECS__FN void kecs__import_position(kecs__import *import, const char *at, size_t *line, size_t *column) {
  size_t offset = (size_t)(at - import->text);
  if (offset < import->seen) {
    import->seen = 0;
    import->seen_line = 1;
    import->seen_column = 1;
  }
  kecs__json_position(import->text + import->seen, offset - import->seen, line, column);
  *column += *line == 1 ? import->seen_column - 1 : 0;
  *line += import->seen_line - 1;
  import->seen = offset;
  import->seen_line = *line;
  import->seen_column = *column;
}

KECS__FN void kecs__import_tell(kecs__import *import, kecs_import_note *note, const char *at) {
  size_t line = note->line;
  size_t column = note->column;
  import->refused += note->refused ? 1 : 0;
  import->batch_put += note->refused ? 0 : 1;
  if (!import->options.note) {
    return;
  }
  note->offset = (size_t)(at - import->text);
  kecs__import_position(import, at, &note->line, &note->column);
  if (line > 0) {
    note->column = line == 1 ? note->column + column - 1 : column;
    note->line += line - 1;
  }
  note->name = note->name ? note->name : "";
  note->reason = note->reason ? note->reason : "";
  import->options.note(note, import->options.user);
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

/* ---- the text to put ---- */

KECS__FN void kecs__import_extra_member(kecs__import *import, kecs__json name, kecs__json value) {
  kecs__text_add(&import->extra, name.text, name.len);
  kecs__text_addc(&import->extra, ':');
  kecs__text_add(&import->extra, value.text, value.len);
  kecs__text_addc(&import->extra, ',');
}

KECS__FN void kecs__import_extra(kecs__import *import, const char *name, kecs__json value) {
  kecs__text_addf(&import->extra, "\"%s\":", name);
  kecs__text_add(&import->extra, value.text, value.len);
  kecs__text_addc(&import->extra, ',');
}

KECS__FN void kecs__import_extra_text(kecs__import *import, const char *name, const char *value) {
  kecs__text_addf(&import->extra, "\"%s\":", name);
  kecs__json_quote(&import->extra, value, strlen(value));
  kecs__text_addc(&import->extra, ',');
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

/* "line 3, column 5: reason", as kecs_put_json says it of the text that it was given: the note's place and reason. */
static void kecs__import_place(kecs_import_note *note, const char *reason, kecs__json put, const kecs__item *item) {
  static const char line_word[] = "line ";
  static const char column_word[] = ", column ";
  char *end = NULL;
  note->reason = reason;
  unsigned long line = 0;
  unsigned long column = 0;
  if (strncmp(reason, line_word, sizeof line_word - 1) == 0) {
    line = strtoul(reason + sizeof line_word - 1, &end, 10);
  }
  if (line > 0 && strncmp(end, column_word, sizeof column_word - 1) == 0) {
    column = strtoul(end + sizeof column_word - 1, &end, 10);
  }
  if (column == 0 || strncmp(end, ": ", 2) != 0) {
    return;
  }
  /* The byte after the brace is the first that both texts have in common. */
  size_t first_line = 0;
  size_t first_column = 0;
  kecs__json_position(put.text, 1 + put.len - item->body.len, &first_line, &first_column);
  note->reason = end + 2;
  if (item->body.text != item->at) {
    return; /* a text of our own making: its places say nothing about the one that was given */
  }
  if (line > first_line || (line == first_line && column >= first_column)) {
    note->line = line - first_line + 1;
    note->column = line == first_line ? column - first_column + 2 : column;
  }
}

KECS__FN void kecs__import_put(kecs__import *import, const kecs__item *item, kecs__json put, unsigned flags,
                               const char *given) {
  char name[KECS__IMPORT_NAME] = "";
  char reason[KECS__REASON_SIZE];
  kecs_import_note note = {0};
  kecs_result *result = NULL;
  kecs_store *tx = import->status ? NULL : kecs__import_begin(import);
  if (!tx) {
    return;
  }
  memcpy(name, given, strlen(given) + 1);
  bool read = import->options.note && !name[0]; /* the store names the row: it must be read to be told */
  kecs_status status = kecs_put_json(tx, item->kind, put.text, put.len, flags, read ? &result : NULL);
  status = kecs__import_settle(import, tx, status, reason);
  note.refused = status != KECS_OK;
  note.status = status;
  note.kind = item->kind;
  note.what = item->what;
  note.name = name;
  if (status) {
    kecs__import_place(&note, reason, put, item);
  } else if (kecs_result_count(result) > 0) {
    kecs__row_name(kecs_kind_describe(item->kind), kecs_record_at(result, item->kind, 0), name);
  }
  if (!import->status) {
    kecs__import_tell(import, &note, item->at);
  }
  kecs_result_free(result);
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
