/* store/history_diff.c -- in what two versions of a row differ: their documents, member by member. */
#include "base/prologue.h"

#include "store/history_ask.h"

#include "base/json.h"
#include "store/feed.h"
#include "store/history.h"

#include <stdio.h>
#include <string.h>

#if !defined(KECS_STORE_NO_HISTORY)

#define KECS__DIFF_DEPTH 32 /* each level of nesting is a level of calls */

static const char kecs__diff_shape[] = "diff"; /* what such a result is told by */

typedef struct kecs__diff {
  kecs_result *result;
  kecs__text path;
  kecs__arena scratch; /* decoded texts */
  kecs_status status;
} kecs__diff;

static const kecs__json kecs__diff_none = {KECS__JSON_NONE, NULL, 0};

static bool kecs__diff_same_bytes(kecs__json a, kecs__json b) {
  return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* Strings may be written in several ways. What can't be decoded is what its bytes are. */
static bool kecs__diff_same_string(kecs__diff *diff, kecs__json a, kecs__json b) {
  if (kecs__diff_same_bytes(a, b)) {
    return true;
  }
  if (!memchr(a.text, '\\', a.len) && !memchr(b.text, '\\', b.len)) {
    return false;
  }
  kecs_error before = kecs__error_save();
  const char *left = kecs__json_string(a, &diff->scratch, NULL);
  const char *right = left ? kecs__json_string(b, &diff->scratch, NULL) : NULL;
  bool same = right && strcmp(left, right) == 0;
  if (!right) {
    diff->status = diff->scratch.failed ? KECS_E_NOMEM : diff->status;
    (void)kecs__error_restore(&before);
  }
  kecs__arena_reset(&diff->scratch);
  return same;
}

static const char *kecs__diff_text(kecs__diff *diff, kecs__json value) {
  return value.type == KECS__JSON_NONE ? NULL : kecs__arena_text(&diff->result->arena, value.text, value.len);
}

static void kecs__diff_add(kecs__diff *diff, kecs__json a, kecs__json b) {
  kecs_difference *one = diff->path.status ? NULL : kecs__result_add(diff->result);
  if (one) {
    one->path = kecs__arena_text(&diff->result->arena, diff->path.data ? diff->path.data : "", diff->path.len);
    one->old_text = kecs__diff_text(diff, a);
    one->new_text = kecs__diff_text(diff, b);
  }
  if (!one || diff->result->arena.failed) {
    diff->status = KECS_E_NOMEM;
  }
}

/* "/name" after the path, by the rules of RFC 6901. */
static void kecs__diff_step(kecs__diff *diff, kecs__json name) {
  kecs_error before = kecs__error_save();
  size_t len = name.len >= 2 ? name.len - 2 : 0;
  const char *text = kecs__json_string(name, &diff->scratch, &len);
  if (!text) {
    (void)kecs__error_restore(&before);
    text = name.text + 1;
  }
  kecs__text_addc(&diff->path, '/');
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '~' || text[i] == '/') {
      kecs__text_adds(&diff->path, text[i] == '~' ? "~0" : "~1");
    } else {
      kecs__text_addc(&diff->path, text[i]);
    }
  }
  kecs__arena_reset(&diff->scratch);
}

static void kecs__diff_back(kecs__diff *diff, size_t len) {
  diff->path.len = diff->path.data ? len : 0;
  if (diff->path.data) {
    diff->path.data[len] = '\0';
  }
}

static void kecs__diff_values(kecs__diff *diff, kecs__json a, kecs__json b, int depth);

/* The member of this name. Documents of one row have their members in one order, so it is mostly the next one. */
static kecs__json kecs__diff_member(kecs__diff *diff, kecs__json object, kecs__json name, kecs__json_walk *next) {
  kecs__json_walk ahead = *next;
  kecs__json found;
  kecs__json value;
  if (kecs__json_next_member(object, &ahead, &found, &value) && kecs__diff_same_bytes(found, name)) {
    *next = ahead;
    return value;
  }
  kecs__json_walk walk = {NULL};
  while (kecs__json_next_member(object, &walk, &found, &value)) {
    if (kecs__diff_same_string(diff, found, name)) {
      *next = walk;
      return value;
    }
  }
  return kecs__diff_none;
}

static void kecs__diff_objects(kecs__diff *diff, kecs__json a, kecs__json b, int depth) {
  size_t len = diff->path.len;
  kecs__json_walk walk = {NULL};
  kecs__json_walk next = {NULL};
  kecs__json name;
  kecs__json value;
  while (!diff->status && kecs__json_next_member(a, &walk, &name, &value)) {
    kecs__json other = kecs__diff_member(diff, b, name, &next);
    kecs__diff_step(diff, name);
    kecs__diff_values(diff, value, other, depth);
    kecs__diff_back(diff, len);
  }
  walk.at = NULL;
  next.at = NULL;
  while (!diff->status && kecs__json_next_member(b, &walk, &name, &value)) {
    if (kecs__diff_member(diff, a, name, &next).type == KECS__JSON_NONE) {
      kecs__diff_step(diff, name);
      kecs__diff_add(diff, kecs__diff_none, value);
      kecs__diff_back(diff, len);
    }
  }
}

static void kecs__diff_arrays(kecs__diff *diff, kecs__json a, kecs__json b, int depth) {
  size_t len = diff->path.len;
  kecs__json_walk left = {NULL};
  kecs__json_walk right = {NULL};
  kecs__json one = kecs__diff_none;
  kecs__json other = kecs__diff_none;
  bool more_left = kecs__json_next_element(a, &left, &one);
  bool more_right = kecs__json_next_element(b, &right, &other);
  for (int at = 0; !diff->status && (more_left || more_right); at++) {
    kecs__text_addf(&diff->path, "/%d", at);
    kecs__diff_values(diff, more_left ? one : kecs__diff_none, more_right ? other : kecs__diff_none, depth);
    kecs__diff_back(diff, len);
    more_left = more_left && kecs__json_next_element(a, &left, &one);
    more_right = more_right && kecs__json_next_element(b, &right, &other);
  }
}

static void kecs__diff_values(kecs__diff *diff, kecs__json a, kecs__json b, int depth) {
  bool both = a.type == b.type;
  if (diff->status || diff->path.status) {
    diff->status = diff->status ? diff->status : diff->path.status;
    return;
  }
  if (both && kecs__diff_same_bytes(a, b)) {
    return;
  }
  if (both && a.type == KECS__JSON_OBJECT && depth < KECS__DIFF_DEPTH) {
    kecs__diff_objects(diff, a, b, depth + 1);
  } else if (both && a.type == KECS__JSON_ARRAY && depth < KECS__DIFF_DEPTH) {
    kecs__diff_arrays(diff, a, b, depth + 1);
  } else if (!both || a.type != KECS__JSON_STRING || !kecs__diff_same_string(diff, a, b)) {
    kecs__diff_add(diff, a, b);
  }
}

/* ---- the two documents ---- */

/* "{}" for a row that is not there. */
static kecs_status kecs__diff_document(kecs__inquiry *asked, int64_t seq, unsigned flags, kecs_result *result,
                                       const char **out_text, bool *out_there) {
  void *row = kecs__arena_take(&result->arena, asked->meta->info->row_size);
  kecs_status status = row ? kecs__inquiry_row(asked, seq, &result->arena, row, out_there) : KECS_E_NOMEM;
  *out_text = "{}";
  if (!status && *out_there) {
    status = kecs_record_json(result, asked->meta->info, row, flags, out_text);
  }
  return status;
}

static kecs_status kecs__diff_moments(kecs__inquiry *asked, int64_t *from, int64_t *to) {
  int64_t latest = 0;
  kecs_status status = *to ? kecs__moment_check(asked->session, *to) : KECS_OK;
  *to = *to ? *to : INT64_MAX;
  if (!status && *from) {
    return kecs__moment_check(asked->session, *from);
  }
  if (!status) {
    status = kecs__inquiry_latest(asked, *to, &latest);
  }
  *from = latest ? latest - 1 : *to;
  return status;
}

static kecs_status kecs__diff_run(kecs__inquiry *asked, int64_t from, int64_t to, unsigned flags, kecs_result *result) {
  const char *texts[2];
  bool there[2] = {false, false};
  kecs_status status = kecs__diff_moments(asked, &from, &to);
  if (!status) {
    status = kecs__diff_document(asked, from, flags, result, &texts[0], &there[0]);
  }
  if (!status) {
    status = kecs__diff_document(asked, to, flags, result, &texts[1], &there[1]);
  }
  if (!status && !there[0] && !there[1]) {
    status = kecs__fail_probe(asked->meta, &asked->probe);
  }
  if (status) {
    return status;
  }
  kecs__diff diff;
  memset(&diff, 0, sizeof diff);
  diff.result = result;
  kecs__text_init(&diff.path, &result->allocator, KECS__HISTORY_MAX);
  kecs__arena_init(&diff.scratch, &result->allocator);
  kecs__diff_values(&diff, kecs__json_check(texts[0], strlen(texts[0]), NULL),
                    kecs__json_check(texts[1], strlen(texts[1]), NULL), 0);
  kecs__text_free(&diff.path);
  kecs__arena_free(&diff.scratch);
  return diff.status;
}

KECS_STORE_API kecs_status kecs_diff(kecs_store *store, kecs_kind kind, const char *key, int64_t from_seq,
                                     int64_t to_seq, unsigned flags, kecs_result **out_result) {
  kecs__inquiry asked;
  kecs_result *result = NULL;
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  status = kecs__inquiry_open(store, kind, key, &asked);
  if (!status) {
    status = kecs__result_new(&store->engine->allocator, (kecs_kind)0, sizeof(kecs_difference), &result);
  }
  if (!status) {
    result->shape = kecs__diff_shape;
    status = kecs__diff_run(&asked, from_seq, to_seq, flags, result);
  }
  status = kecs__inquiry_close(store, &asked, status);
  return kecs__result_end(status, result, out_result);
}

KECS_STORE_API const kecs_difference *kecs_diff_at(const kecs_result *result, size_t index) {
  bool differences = result && result->shape == kecs__diff_shape && index < result->count;
  return differences ? (const kecs_difference *)(const void *)result->rows + index : NULL;
}

#endif
