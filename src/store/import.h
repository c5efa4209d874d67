/* ---- Import ------------------------------------------------------------------------------------------------- */
#ifndef KECS_STORE_IMPORT_H
#define KECS_STORE_IMPORT_H
#include "store/record.h"

/* What became of one document. Texts live during the call only. */
typedef struct kecs_import_note {
  bool refused;
  kecs_kind kind;         /* of what was put; 0 when no kind was recognised */
  const char *what;       /* what the document was: "DescribeServices response", "task definition" ... */
  const char *name;       /* the row's key, or "" */
  const char *reason;     /* why it was refused, or "" */
  kecs_status status;
  size_t line;            /* of the document, or of the fault in it; from 1 */
  size_t column;
} kecs_import_note;

typedef struct kecs_import_options {
  const char *name;             /* what a service without a name of its own is called, such as its file's name; NULL: none */
  const char *target_group_arn; /* what bare target health descriptions belong to; NULL: a group "unattached" */
  void (*note)(const kecs_import_note *note, void *user); /* called for each document; may be NULL */
  void *user;
} kecs_import_options;

/* Puts every ECS and ELBv2 resource that a text holds: task definition inputs, create, describe and list requests and
 * responses, recorded wrappers ({"status_code":..,"data":{..}}), {"in":..,"out":..} pairs, arrays, documents one after
 * another or one a line. A UTF-8 byte order mark is skipped. Parents that are missing are made, bare. What can't be put is
 * noted and the import goes on. *out_put and *out_refused (may be NULL) count documents. Fails only for what concerns the
 * whole: NOMEM, FULL, IO, READONLY, CANCELLED, TIMEOUT, BUSY ... `len` SIZE_MAX means strlen. */
KECS_STORE_API kecs_status kecs_import(kecs_store *store, const char *text, size_t len, const kecs_import_options *options,
                                       int64_t *out_put, int64_t *out_refused);

#endif
