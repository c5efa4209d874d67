/* ---- Rows of every kind, by number ------------------------------------------------------------------------ */
/* For programs that handle kinds as data: command lines, importers, bindings. A row is a pointer to the kind's
 * struct. Everything said of the typed functions holds. */
#ifndef KECS_STORE_RECORD_H
#define KECS_STORE_RECORD_H
#include "kinds/describe.h"
#include "store/store.h"

/* The value of a column of a row as text: numbers in decimal, booleans as true or false, times as ISO 8601. False when
 * it is NULL, or there is no such column. `out` is cut to `size` and always terminated; *out_len (may be NULL) is the
 * full length. */
KECS_STORE_API bool kecs_record_text(const kecs_kind_info *info, const void *row, int column, char *out, size_t size,
                                     size_t *out_len);

/* A key as one text: the address parts joined by commas ("CLUSTER,ID"); in all parts but the last a comma is written
 * \, and a backslash \\. The ARN alone, or the last part alone where it says enough, will do. */
KECS_STORE_API kecs_status kecs_record_get(kecs_store *store, kecs_kind kind, const char *key,
                                           kecs_result **out_result);

/* delete by such a key: NOT_FOUND when there is no such row; children go with it. */
KECS_STORE_API kecs_status kecs_record_delete(kecs_store *store, kecs_kind kind, const char *key);

/* create: `row` points to the kind's struct. */
KECS_STORE_API kecs_status kecs_record_create(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result);

/* update_fields; a mask of UINT64_MAX is update. */
KECS_STORE_API kecs_status kecs_record_update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                              kecs_result **out_result);

/* upsert. */
KECS_STORE_API kecs_status kecs_record_upsert(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result);

/* upsert_many: `rows` points to an array of the kind's struct. */
KECS_STORE_API kecs_status kecs_record_upsert_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                                   kecs_result **out_result);

/* list: one page. */
KECS_STORE_API kecs_status kecs_record_list(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_result **out_result);

/* each: `visit` gets a pointer to the kind's struct. */
KECS_STORE_API kecs_status kecs_record_each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_status (*visit)(const void *row, void *user), void *user);

/* count. */
KECS_STORE_API kecs_status kecs_record_count(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                             int64_t *out_count);

/* The row at an index of a result of this kind, or NULL. */
KECS_STORE_API const void *kecs_record_at(const kecs_result *result, kecs_kind kind, size_t index);

/* A column and its new value as text: how a command line says an update. NULL sets NULL. */
typedef struct kecs_assignment {
  const char *column;
  const char *text;
} kecs_assignment;

/* Updates the named columns of one row. Numbers in decimal, booleans as true/false/1/0, times as ISO 8601 or epoch
 * seconds, documents as JSON (checked). version as in update. INVALID names the column. */
KECS_STORE_API kecs_status kecs_record_assign(kecs_store *store, kecs_kind kind, const char *key,
                                              const kecs_assignment *assignments, size_t count, int64_t version,
                                              kecs_result **out_result);

/* A filter from text: COLUMN=VALUE as command lines say it. *out is filled; its texts point to `value`. INVALID names
 * the column. */
KECS_STORE_API kecs_status kecs_filter_parse(kecs_kind kind, const char *column, kecs_op op, const char *value,
                                             kecs_filter *out);

/* ---- AWS documents ---------------------------------------------------------------------------------------- */

enum {
  KECS_JSON_EPOCH = 1,   /* times as epoch seconds, the ECS wire form, instead of ISO 8601 with Z */
  KECS_JSON_STORE = 2,   /* with the member "kecs": ids, versions and other columns that AWS does not show */
  KECS_JSON_PARENTS = 4  /* put: a missing parent is made, bare, from the ARN that refers to it */
};

/* Creates the row that an AWS API document describes, or replaces what the stored one says. Members that no column
 * holds are kept in `extra`; nested documents are kept byte for byte; kecs_get_json gives an equal document back.
 * Refused with INVALID, line and column: what is not JSON (RFC 8259, UTF-8), a duplicated member that is a column,
 * \u0000 in a column, a document larger than options.document_bytes_max, deeper than 1000. `len` is in bytes;
 * SIZE_MAX means strlen. `flags` is a sum of KECS_JSON_...; other errors as create and update. */
KECS_STORE_API kecs_status kecs_put_json(kecs_store *store, kecs_kind kind, const char *text, size_t len,
                                         unsigned flags, kecs_result **out_result);

/* kecs_put_json of `count` documents of one kind, in one transaction: all are put, in their order, or none, and a
 * failure names the document ("document 3 of 500"). Each is a text that ends with a 0. Made for moving stores: on
 * PostgreSQL rows that are all new go together, 500 by a COPY. */
KECS_STORE_API kecs_status kecs_put_json_many(kecs_store *store, kecs_kind kind, const char *const *texts, size_t count,
                                              unsigned flags);

/* The document of one row. *out_text lives as long as *out_result, which also holds the row. */
KECS_STORE_API kecs_status kecs_get_json(kecs_store *store, kecs_kind kind, const char *key, unsigned flags,
                                         kecs_result **out_result, const char **out_text);

/* The document of a row that is at hand, such as one of a list. It is made in `result`'s memory and lives as long, so
 * two threads must not do this on one result at once. */
KECS_STORE_API kecs_status kecs_record_json(kecs_result *result, const kecs_kind_info *info, const void *row,
                                            unsigned flags, const char **out_text);

/* Whether a text is one JSON value. INVALID gives line, column and reason. */
KECS_STORE_API kecs_status kecs_json_check(const char *text, size_t len);

#endif
