/* store/document.h -- what documents and columns have in common: member names, and values from JSON and from text. */
#ifndef KECS_STORE_DOCUMENT_H
#define KECS_STORE_DOCUMENT_H
#include "base/json.h"
#include "store/result.h"

/* One name under which a column stands in a document. */
typedef struct kecs__name {
  int column;
  bool alias;        /* read, but not written */
  const char *outer; /* the top-level member */
  size_t outer_len;
  const char *inner; /* a member of that member; NULL when the member itself is the column */
  size_t inner_len;
} kecs__name;

enum { KECS__NAMES_MAX = 128 };

/* All names of a kind's columns; returns how many. */
KECS__FN int kecs__names(const kecs_kind_info *info, kecs__name out[KECS__NAMES_MAX]);

/* Whether a member's name (a JSON string) is this text. */
KECS__FN bool kecs__name_is(kecs__json name, const char *text, size_t len);

/* Whether a name belongs to the member "kecs", which only the store writes. */
KECS__FN bool kecs__name_ours(const kecs__name *name);

/* Whether the member "kecs" tells a column of the document's own when that is null there: the store has filled it, and
 * it belongs to what the row is. */
KECS__FN bool kecs__name_filled(const kecs_kind_info *info, const kecs__name *name);

/* What a JSON value means to a column. *exact is false where writing the column back would not give an equal value
 * (null, a number for a text, digits below a microsecond ...): then the document keeps the value in `extra`. A value
 * that the column can't hold at all becomes NULL and is not exact. INVALID for \u0000 and lone surrogates in a text. */
KECS__FN kecs_status kecs__value_from_json(const kecs_column_info *column, kecs__json json, kecs__arena *arena,
                                           kecs_value *out, bool *exact);

/* The same from plain text, as command lines give it. INVALID names the column. */
KECS__FN kecs_status kecs__value_from_text(const kecs_kind_info *info, int column, const char *text, kecs__arena *arena,
                                           kecs_value *out);

/* Appends a column's value as JSON. */
KECS__FN void kecs__value_to_json(const kecs_column_info *column, const kecs_value *value, unsigned flags,
                                  kecs__text *out);

/* `extra` without what it keeps of the columns in `mask` that doesn't say what the row holds there: such a member would
 * come back for a value that was written later. *out_text is `extra` itself when nothing leaves, NULL when nothing is
 * left, else the arena's. */
KECS__FN kecs_status kecs__extra_prune(const kecs_kind_info *info, const void *row, uint64_t mask, const char *extra,
                                       kecs__arena *arena, const char **out_text);

/* The column's default as a value; NULL where it has none. */
KECS__FN kecs_value kecs__column_default(const kecs_column_info *column);

#if !defined(KECS_STORE_NO_IMPORT)
/* Puts documents of a kind that fits (bulk.h), none of which is in the store yet; one that is fails all of them, and
 * so does any other failure. Each has been found to be a JSON object. `flags` as for kecs_put_json. */
KECS__FN kecs_status kecs__put_together(kecs_store *store, kecs_kind kind, const kecs__json *documents, size_t count,
                                        unsigned flags);
#endif

#endif
