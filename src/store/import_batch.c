/* store/import_batch.c -- one document into the store: transactions, notes, members that come from its surroundings. */
#include "base/prologue.h"

#include "store/import_put.h"

#include "store/ecs.h"
#include "store/result.h"

#include <stdlib.h>
#include <string.h>

#define KECS__IMPORT_BATCH 1000 /* documents in one transaction */

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

KECS__FN void kecs__import_commit(kecs__import *import) {
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
