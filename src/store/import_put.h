/* store/import_put.h -- an import under way, and how one document of it is put and noted. */
#ifndef KECS_STORE_IMPORT_PUT_H
#define KECS_STORE_IMPORT_PUT_H
#include "store/engine.h"
#include "store/import.h"
#include "store/import_shapes.h"

enum { KECS__IMPORT_NAME = 512 }; /* bytes of a name in a note */

typedef struct kecs__import {
  kecs_store *store;
  kecs_import_options options;
  const char *text;
  size_t len;
  size_t seen;        /* where line and column were counted last: counting goes on from there */
  size_t seen_line;
  size_t seen_column;
  kecs_store *batch;  /* the open transaction, or NULL */
  int batch_count;
  int64_t batch_put;
  int64_t put;        /* committed */
  int64_t refused;
  bool lines;         /* documents stand one a line */
  kecs__json group;   /* what the request beside a response says of the target group; or NONE */
  kecs__text extra;   /* members to put in front of the next document: "name":value, ... */
  kecs__text copy;    /* the document with them */
  kecs__arena arena;  /* for one document */
  kecs_status status; /* of the whole; sticks */
  struct kecs__together *together; /* documents that wait to be put together (import_many.c), or NULL */
} kecs__import;

/* One resource on its way in. */
typedef struct kecs__item {
  kecs__json body; /* the object to put */
  const char *at;  /* where it stands in the text */
  const kecs__members *own;
  kecs_kind kind;
  const char *what;
} kecs__item;

KECS__FN void kecs__import_init(kecs__import *import, kecs_store *store, const char *text, size_t len,
                                const kecs_import_options *options);

/* Commits what is open, or rolls it back when the import has failed. */
KECS__FN void kecs__import_commit(kecs__import *import);

/* The same for what waits, too; gives the memory back. */
KECS__FN void kecs__import_end(kecs__import *import);

/* Line and column of a place in the text. */
KECS__FN void kecs__import_position(kecs__import *import, const char *at, size_t *line, size_t *column);

/* Notes what is not put: the place is where it stands, or where the fault in it is, counted from there. */
KECS__FN void kecs__import_refuse(kecs__import *import, const char *at, const char *what, kecs_status status,
                                  const char *reason);
KECS__FN void kecs__import_fault(kecs__import *import, const char *at, const char *what, const char *reason,
                                 size_t line, size_t column);

/* A member to put in front of the next document: as it stands elsewhere, or with a name of ours, or with a text. */
KECS__FN void kecs__import_extra_member(kecs__import *import, kecs__json name, kecs__json value);
KECS__FN void kecs__import_extra(kecs__import *import, const char *name, kecs__json value);
KECS__FN void kecs__import_extra_text(kecs__import *import, const char *name, const char *value);

/* Puts a document in a savepoint of its own and notes what became of it; what was to go in front of it is used up. */
KECS__FN void kecs__import_item(kecs__import *import, const kecs__item *item);

/* The same at once, in its place behind those that wait. */
KECS__FN void kecs__import_put(kecs__import *import, const kecs__item *item, kecs__json put, unsigned flags,
                               const char *name);

/* Completes a note and hands it over. Its line and column are those in the document, or 0 for the document itself. */
KECS__FN void kecs__import_tell(kecs__import *import, kecs_import_note *note, const char *at);

/* A savepoint for one document, or several, in the transaction of its batch; and its end, after a failure too. NULL:
 * the import has failed. */
KECS__FN kecs_store *kecs__import_begin(kecs__import *import);
KECS__FN kecs_status kecs__import_settle(kecs__import *import, kecs_store *tx, kecs_status status, char *reason);
enum { KECS__REASON_SIZE = sizeof((kecs_error *)0)->text };

/* Where a backend takes rows together, a document may wait for others like it: true when it does. */
KECS__FN bool kecs__import_wait(kecs__import *import, const kecs__item *item, unsigned flags, const char *name);

/* The size of what `together` points to, or 0 when it is NULL. */
KECS__FN size_t kecs__together_size(void);

/* Puts what waits. To be called before anything else is put, told or read. */
KECS__FN void kecs__import_flush(kecs__import *import);

/* Likewise a tag description: its tags go into the resource, when that is in the store. */
KECS__FN void kecs__import_tags(kecs__import *import, const kecs__item *item);

/* What an exported counter of a family calls itself in place of a kind, and such a line: the counter is raised. */
#define KECS__IMPORT_COUNTER "task_definition_family"
KECS__FN void kecs__import_counter(kecs__import *import, const kecs__item *item);

#endif
