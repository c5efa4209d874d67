/* ---- Import ------------------------------------------------------------------------------------------------- */
#ifndef KECS_STORE_IMPORT_H
#define KECS_STORE_IMPORT_H
#include "store/record.h"

/* What became of one document. Texts live during the call only. */
typedef struct kecs_import_note {
  bool refused;
  kecs_kind kind;         /* of what was put; 0 when it is no kind of the store: a family's counter */
  const char *what;       /* what the document was: "DescribeServices response", "task definition" ... */
  const char *name;       /* the row's ARN or key; where it was refused, the ARN that it has or "" */
  const char *reason;     /* why it was refused, or "" */
  kecs_status status;     /* UNSUPPORTED: there is nothing in it that the store keeps */
  size_t line;            /* of the document, or of the fault in it; from 1 */
  size_t column;
  size_t offset;          /* of the document in the text, in bytes */
} kecs_import_note;

typedef struct kecs_import_options {
  kecs_kind kind;               /* what every object is; 0: what it is by its members */
  const char *name;             /* of a service that has none of its own, such as its file's; NULL: it is refused */
  const char *target_group_arn; /* what bare target health descriptions belong to; NULL: a group "unattached" */
  void (*note)(const kecs_import_note *note, void *user); /* called for each document; may be NULL. It must not write */
  void *user;
} kecs_import_options;

/* Puts every ECS and ELBv2 resource that a text holds: task definition inputs, create, describe and list requests and
 * responses, recorded wrappers ({"status_code":..,"data":{..}}), {"in":..,"out":..} and {"input":..,"output":..} pairs,
 * {"kind":..,"document":..} as the command line exports (also of the kind "task_definition_family", whose document
 * {"accountId","region","family","lastRevision"} raises a counter), arrays, documents one after another or one a line.
 * A byte order mark is skipped. Parents that are missing are made, bare. A document with a member "kecs" brings its id,
 * version and times. An UpdateService request changes what it names of a service that is there.
 * Each document is put whole or not at all; what can't be put is noted and the import goes on. A text that is not JSON
 * is refused with the place; what stands after it is read where documents stand one a line.
 * *out_put and *out_refused (may be NULL) count what is stored and what is not. Fails only for what concerns the whole:
 * NOMEM, FULL, IO, READONLY, CANCELLED, TIMEOUT, BUSY ... Documents are committed a thousand at a time, so after a
 * failure up to that many are not stored though they were noted. `len` is in bytes; SIZE_MAX means strlen. `options`
 * may be NULL. */
KECS_STORE_API kecs_status kecs_import(kecs_store *store, const char *text, size_t len,
                                       const kecs_import_options *options, int64_t *out_put, int64_t *out_refused);

#endif
