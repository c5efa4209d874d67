/* store/pipeline.c -- independent reads together: each keeps its own outcome. */
#include "base/prologue.h"

#include "store/pipeline.h"

#include "store/access.h"
#include "store/feed.h"
#include "store/gather.h"
#include "store/locate.h"
#include "store/rows.h"

#include <string.h>

typedef struct kecs__answer {
  kecs_status status;
  kecs_error *error; /* of a failure */
  kecs_result *result;
  bool done;
} kecs__answer;

struct kecs_answers {
  kecs_allocator allocator; /* a copy: the answers outlive the store */
  kecs__arena arena;        /* they lie in it themselves */
  kecs__answer *list;
  size_t count;
};

static kecs_status kecs__answers_new(const kecs_allocator *allocator, size_t count, kecs_answers **out_answers) {
  kecs__arena arena;
  kecs__arena_init(&arena, allocator);
  kecs_answers *answers = kecs__arena_take(&arena, sizeof *answers);
  kecs__answer *list = answers ? kecs__arena_take(&arena, (count + 1) * sizeof *list) : NULL;
  if (!list) {
    kecs__arena_free(&arena);
    return KECS_E_NOMEM;
  }
  memset(list, 0, (count + 1) * sizeof *list);
  answers->allocator = *allocator;
  answers->arena = arena;
  answers->arena.allocator = &answers->allocator;
  answers->list = list;
  answers->count = count;
  *out_answers = answers;
  return KECS_OK;
}

KECS_STORE_API void kecs_answers_free(kecs_answers *answers) {
  if (!answers) {
    return;
  }
  for (size_t i = 0; i < answers->count; i++) {
    kecs_result_free(answers->list[i].result);
  }
  kecs_allocator allocator = answers->allocator;
  kecs__arena arena = answers->arena;
  arena.allocator = &allocator;
  kecs__arena_free(&arena);
}

KECS_STORE_API size_t kecs_answers_count(const kecs_answers *answers) {
  return answers ? answers->count : 0;
}

KECS_STORE_API kecs_status kecs_answers_at(const kecs_answers *answers, size_t index, kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  if (index >= kecs_answers_count(answers)) {
    return kecs__fail(KECS_E_INVALID, "there is no answer number %zu; there are %zu, from 0", index,
                      kecs_answers_count(answers));
  }
  const kecs__answer *answer = &answers->list[index];
  *out_result = answer->result;
  return answer->error ? kecs__error_restore(answer->error) : answer->status;
}

/* Whether a failure is the read's own: the others have their answers all the same. */
static bool kecs__answer_is_own(kecs_status status) {
  return kecs_status_class(status) == KECS_CLASS_CALLER;
}

/* Keeps what a read came to; a failure that is not its own is given back. */
static kecs_status kecs__answer_keep(kecs_answers *answers, size_t index, kecs_status status, kecs_result *result) {
  kecs__answer *answer = &answers->list[index];
  answer->done = true;
  answer->status = status;
  answer->result = result;
  if (!status || !kecs__answer_is_own(status)) {
    return status;
  }
  kecs_error error = kecs__error_save();
  answer->error = kecs__arena_take(&answers->arena, sizeof error);
  if (!answer->error) {
    return KECS_E_NOMEM;
  }
  *answer->error = error;
  return KECS_OK;
}

/* ---- one read ---- */

static kecs_status kecs__read_check(const kecs_store *store, const kecs_read *read, const kecs__meta **out_meta) {
  *out_meta = kecs__meta_checked(store, read->kind);
  if (!*out_meta) {
    return kecs_last_error()->status;
  }
  if (read->key && read->query) {
    return kecs__fail(KECS_E_INVALID, "%s: a read has a key or a query, not both", (*out_meta)->info->name);
  }
  return KECS_OK;
}

static kecs_status kecs__read_one(kecs_store *store, kecs__session *session, const kecs_read *read,
                                  kecs_result **out_result) {
  const kecs__meta *meta = NULL;
  kecs_result *result = NULL;
  kecs_status status = kecs__read_check(store, read, &meta);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status && read->key) {
    status = kecs__read_keys(session, meta, &read->key, 1, result);
    if (!status && kecs_result_count(result) == 0) {
      status = kecs__fail_not_found(meta, read->key);
    }
  } else if (!status) {
    status = kecs__read_page(store, session, meta, read->query, NULL, NULL, result);
  }
  return kecs__result_end(status, result, out_result);
}

/* ---- all reads ---- */

/* Those that are not done yet run, each as far as it comes. False: none of them waits for an answer. */
static kecs_status kecs__pipeline_run(kecs_store *store, kecs__session *session, const kecs_read *reads,
                                      kecs__gather *gathers, kecs_answers *answers, bool *out_waits) {
  kecs_status status = KECS_OK;
  *out_waits = false;
  for (size_t i = 0; !status && i < answers->count; i++) {
    if (answers->list[i].done) {
      continue;
    }
    kecs_result *result = NULL;
    kecs__gather_begin(session, &gathers[i]);
    kecs_status one = kecs__read_one(store, session, &reads[i], &result);
    kecs__gather_end(session);
    if (gathers[i].waits && one != KECS_E_NOMEM) {
      kecs_result_free(result);
      *out_waits = true;
    } else {
      status = kecs__answer_keep(answers, i, one, result);
    }
  }
  return status;
}

/* One exchange is enough for most: see store/gather.h. */
static kecs_status kecs__pipeline_gather(kecs_store *store, kecs__session *session, const kecs_read *reads,
                                         kecs_answers *answers) {
  const kecs_allocator *allocator = &store->engine->allocator;
  size_t count = answers->count;
  kecs__arena arena;
  bool waits = true;
  kecs__arena_init(&arena, allocator);
  kecs__gather *gathers = kecs__arena_take(&arena, (count + 1) * sizeof *gathers);
  kecs_status status = gathers ? KECS_OK : KECS_E_NOMEM;
  kecs_error before = kecs__error_save();
  for (size_t i = 0; !status && i < count; i++) {
    kecs__gather_init(&gathers[i], &arena);
  }
  while (!status && waits) {
    status = kecs__pipeline_run(store, session, reads, gathers, answers, &waits);
    if (!status && waits) {
      status = kecs__statement_outcome(session, kecs__gather_send(session, gathers, count));
    }
  }
  for (size_t i = 0; gathers && i < count; i++) {
    kecs__gather_free(session, &gathers[i]);
  }
  if (!status) {
    (void)kecs__error_restore(&before); /* a read's own failure is told by kecs_answers_at */
  }
  kecs__arena_free(&arena);
  return status;
}

/* One after the other. */
static kecs_status kecs__pipeline_serially(kecs_store *store, kecs__session *session, const kecs_read *reads,
                                           kecs_answers *answers) {
  kecs_error before = kecs__error_save();
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < answers->count; i++) {
    kecs_result *result = NULL;
    kecs_status one = kecs__read_one(store, session, &reads[i], &result);
    status = kecs__answer_keep(answers, i, one, result);
  }
  if (!status) {
    (void)kecs__error_restore(&before);
  }
  return status;
}

/* A list of a store that is tracked says which place of the change log it was read at: it needs its own snapshot. */
static bool kecs__pipeline_gathers(const kecs_store *store, const kecs_read *reads, size_t count) {
  bool lists = false;
  for (size_t i = 0; i < count; i++) {
    lists = lists || !reads[i].key;
  }
  return store->engine->backend->start_many && !(lists && kecs__flag_get(&store->engine->tracked));
}

KECS_STORE_API kecs_status kecs_pipeline(kecs_store *store, const kecs_read *reads, size_t count,
                                         kecs_answers **out_answers) {
  kecs__session *session = NULL;
  kecs_answers *answers = NULL;
  kecs_status status = kecs__check_pointer(out_answers, "out_answers");
  if (status) {
    return status;
  }
  *out_answers = NULL;
  status = kecs__check_handle(store);
  if (!status && count > KECS_PIPELINE_MAX) {
    status = kecs__fail(KECS_E_INVALID, "%zu reads are too many for one pipeline; give at most %d", count,
                        KECS_PIPELINE_MAX);
  }
  if (!status && count > 0) {
    status = kecs__check_pointer(reads, "reads");
  }
  if (!status && kecs__flag_get(&store->engine->tracked)) {
    status = kecs__feed_number_new(store);
  }
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__answers_new(&store->engine->allocator, count, &answers);
  }
  if (!status) {
    status = kecs__pipeline_gathers(store, reads, count) ? kecs__pipeline_gather(store, session, reads, answers)
                                                         : kecs__pipeline_serially(store, session, reads, answers);
  }
  kecs__read_close(store, session);
  if (status) {
    kecs_error error = kecs__error_save();
    kecs_answers_free(answers);
    return kecs__error_restore(&error);
  }
  *out_answers = answers;
  return KECS_OK;
}
