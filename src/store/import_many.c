/* store/import_many.c -- documents of one kind that follow each other are put together, as long as all of them are
 * new: the first import of many. Where one of them can't be put so, each is put by itself: what is wrong with it, and
 * whether it only changes a row that is there, is found out then. */
#include "base/prologue.h"

#include "store/bulk.h"
#include "store/document.h"
#include "store/import_put.h"

#include <string.h>

enum {
  KECS__TOGETHER_MAX = 500,
  KECS__TOGETHER_PAUSE = 2000 /* documents that are put by themselves after some could not be put together */
};

/* A document that waits: it stands in the text as it is to be put. */
typedef struct kecs__waiting {
  const char *at;
  const char *what;
  char name[KECS__IMPORT_NAME];
} kecs__waiting;

typedef struct kecs__together {
  kecs_kind kind; /* of all of them */
  unsigned flags;
  int count;
  int pause;
  kecs__json documents[KECS__TOGETHER_MAX];
  kecs__waiting waiting[KECS__TOGETHER_MAX];
} kecs__together;

KECS__FN size_t kecs__together_size(void) {
  return sizeof(kecs__together);
}

static bool kecs__import_fits(const kecs__import *import, const kecs__item *item, const char *name) {
  const kecs__engine *engine = import->store->engine;
  const kecs__meta *meta = kecs__meta_of(engine, item->kind);
  return !import->status && meta->arn >= 0 && name[0] && import->extra.len == 0 && item->body.text == item->at &&
         !engine->read_only && kecs__bulk_fits(engine, meta);
}

KECS__FN bool kecs__import_wait(kecs__import *import, const kecs__item *item, unsigned flags, const char *name) {
  if (!kecs__import_fits(import, item, name)) {
    return false;
  }
  if (!import->together) {
    import->together = kecs__alloc_zero(&import->store->engine->allocator, sizeof *import->together);
    if (!import->together) {
      import->status = KECS_E_NOMEM;
      return false;
    }
  }
  kecs__together *together = import->together;
  if (together->pause > 0) {
    together->pause--;
    return false;
  }
  if (together->count == KECS__TOGETHER_MAX ||
      (together->count > 0 && (together->kind != item->kind || together->flags != flags))) {
    kecs__import_flush(import);
  }
  kecs__waiting *waiting = &together->waiting[together->count];
  together->documents[together->count++] = item->body;
  together->kind = item->kind;
  together->flags = flags;
  waiting->at = item->at;
  waiting->what = item->what;
  memcpy(waiting->name, name, strlen(name) + 1);
  return true;
}

/* All of them in one savepoint; false when nothing of that has happened. */
static bool kecs__import_together(kecs__import *import, const kecs__together *together, int count) {
  char reason[KECS__REASON_SIZE];
  kecs_error before = kecs__error_save();
  kecs_store *tx = kecs__import_begin(import);
  if (!tx) {
    return false;
  }
  kecs_status status = kecs__put_together(tx, together->kind, together->documents, (size_t)count, together->flags);
  status = kecs__import_settle(import, tx, status, reason);
  import->batch_count += count - 1;
  if (status && !import->status) {
    (void)kecs__error_restore(&before);
  }
  return !status;
}

KECS__FN void kecs__import_flush(kecs__import *import) {
  kecs__together *together = import->together;
  int count = together ? together->count : 0;
  if (count == 0) {
    return;
  }
  together->count = 0; /* what is told below flushes, too */
  bool done = count > 1 && !import->status && kecs__import_together(import, together, count);
  together->pause = done || count == 1 ? 0 : KECS__TOGETHER_PAUSE;
  for (int i = 0; i < count && !import->status; i++) {
    const kecs__waiting *waiting = &together->waiting[i];
    if (done) {
      kecs_import_note note = {0};
      note.kind = together->kind;
      note.what = waiting->what;
      note.name = waiting->name;
      kecs__import_tell(import, &note, waiting->at);
    } else {
      kecs__item item = {together->documents[i], waiting->at, NULL, together->kind, waiting->what};
      kecs__import_put(import, &item, item.body, together->flags, waiting->name);
    }
  }
}
