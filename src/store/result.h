/* store/result.h -- results: rows and their texts in one arena. */
#ifndef KECS_STORE_RESULT_H
#define KECS_STORE_RESULT_H
#include "store/engine.h"

struct kecs_result {
  kecs_allocator allocator; /* a copy: the result outlives the store */
  kecs__arena arena;
  kecs_kind kind;           /* 0: rows of no kind */
  const void *shape;        /* of rows of no kind: what they are */
  size_t row_size;
  char *rows;
  size_t count;
  size_t capacity;
  size_t first_rows;        /* room to begin with */
  const char *page_token;
  int64_t seq;              /* of the change log, when it was read */
};

/* An empty result for rows of this size. */
KECS__FN kecs_status kecs__result_new(const kecs_allocator *allocator, kecs_kind kind, size_t row_size,
                                      kecs_result **out_result);

#if !defined(KECS_STORE_NO_CACHE)
/* A result of so many rows in one piece of memory, with `size` bytes for the rows and what they point to. The rows are
 * the caller's to fill. */
KECS__FN kecs_status kecs__result_whole(const kecs_allocator *allocator, kecs_kind kind, size_t row_size, size_t count,
                                        size_t size, kecs_result **out_result);
#endif

/* Room for one more row, zeroed; NULL means NOMEM. Rows may move, their texts do not. */
KECS__FN void *kecs__result_add(kecs_result *result);

/* The same, not zeroed: for a row that kecs__row_fetch fills. */
KECS__FN void *kecs__result_room(kecs_result *result);

/* Reads a row of a kind from column values (every column in order) into `row`, texts into the arena. CORRUPT when a
 * value is not of its column's type. */
KECS__FN kecs_status kecs__row_read(const kecs__meta *meta, const kecs_value *values, kecs__arena *arena, void *row);

/* The current row of a statement that selects every column, read into `row`. Where it selects rid behind them, out_rid
 * is not NULL. */
KECS__FN kecs_status kecs__row_fetch(kecs__session *session, kecs__cached *cached, const kecs__meta *meta,
                                     kecs__arena *arena, void *row, int64_t *out_rid);

/* One column of a row as a value; texts are borrowed from the row. */
KECS__FN kecs_value kecs__row_value(const kecs_kind_info *info, const void *row, int column);

/* Sets one column; texts are borrowed by the row. */
KECS__FN void kecs__row_set(const kecs_kind_info *info, void *row, int column, const kecs_value *value);

/* Shorthands for TEXT columns by number; column -1 reads NULL and sets nothing. */
KECS__FN const char *kecs__row_text(const kecs_kind_info *info, const void *row, int column);
KECS__FN void kecs__row_set_text(const kecs_kind_info *info, void *row, int column, const char *text);
KECS__FN int64_t kecs__row_number(const kecs_kind_info *info, const void *row, int column);
KECS__FN void kecs__row_set_number(const kecs_kind_info *info, void *row, int column, int64_t number);

/* Whether two values of a column are the same content. */
KECS__FN bool kecs__value_same(const kecs_value *a, const kecs_value *b);

/* What names a row in a message: its ARN, or its natural key's columns. */
KECS__FN void kecs__row_name(const kecs_kind_info *info, const void *row, char out[160]);

/* The stored row as a result has it: the filled copy, its texts copied once more. */
KECS__FN kecs_status kecs__row_keep(const kecs__meta *meta, const void *row, kecs_result *result);

#endif
