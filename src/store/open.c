/* store/open.c -- kecs_open and kecs_close: options to an engine, and everything given back in reverse. */
#include "base/prologue.h"

#include "base/quota.h"
#include "base/time.h"
#include "store/access.h"
#include "store/cache.h"
#include "store/feed.h"
#include "store/history_log.h"
#include "store/transaction.h"
#include "store/meta.h"
#include "store/migrate.h"
#include "store/pool.h"
#include "store/profile.h"
#include "store/session.h"
#include "store/special.h"
#include "store/statements.h"

#include <stdio.h>
#include <string.h>

KECS_STORE_API const char *kecs_version(void) {
  return KECS_STORE_VERSION;
}

/* Every backend gets the first look at the path in the order given; SQLite takes what is no URL. */
static kecs_status kecs__open_backend(const kecs_options *options, const kecs_backend **out_backend) {
  const char *path = kecs__profile_path(options);
  for (const kecs_backend *const *at = options->backends; at && *at; at++) {
    if ((*at)->abi != KECS_BACKEND_ABI) {
      return kecs__fail(KECS_E_UNSUPPORTED,
                        "backend \"%s\" has interface version %d, this library %d; rebuild both from one "
                        "release",
                        (*at)->name, (*at)->abi, KECS_BACKEND_ABI);
    }
    if ((*at)->answers_to(path)) {
      *out_backend = *at;
      return KECS_OK;
    }
  }
  *out_backend = kecs_sqlite_backend();
  if ((*out_backend)->answers_to(path)) {
    return KECS_OK;
  }
  int scheme = (int)(strstr(path, "://") - path);
  return kecs__fail(KECS_E_UNSUPPORTED, "no backend opens URLs that begin with \"%.*s://\"; for PostgreSQL set "
                                        "options.backends, for SQLite give a plain path",
                    scheme < 32 ? scheme : 32, path);
}

static kecs_status kecs__open_texts(kecs__engine *engine, const kecs_options *options) {
  const char *account = options->account_id ? options->account_id : "000000000000";
  const char *region = options->region ? options->region : "us-east-1";
  engine->path = kecs__copy_text(&engine->allocator, kecs__profile_path(options));
  engine->account_id = engine->path ? kecs__copy_text(&engine->allocator, account) : NULL;
  engine->region = engine->account_id ? kecs__copy_text(&engine->allocator, region) : NULL;
  return engine->region ? KECS_OK : KECS_E_NOMEM;
}

static void kecs__open_defaults(kecs__engine *engine, const kecs_options *options) {
  engine->logger = options->logger;
  engine->clock = options->clock;
  engine->random = options->random;
  engine->read_only = options->read_only;
  engine->strict = options->strict;
  engine->no_foreign_keys = options->no_foreign_keys;
  engine->stamps = options->track == KECS_TRACK_ON;
  kecs__profile_apply(engine, options);
}

static void kecs__release_text(const kecs_allocator *allocator, char *text) {
  kecs__release(allocator, text, text ? strlen(text) + 1 : 0);
}

static void kecs__release_handles(kecs__engine *engine, kecs_store *list) {
  while (list) {
    kecs_store *next = list->next;
    kecs__release(&engine->allocator, list, sizeof *list);
    list = next;
  }
}

/* Gives everything back; works on an engine that was opened only in part. */
static void kecs__engine_free(kecs__engine *engine) {
  kecs__session_close(engine->ear);
  kecs__cache_close(engine);
  kecs__pool_free(engine);
  kecs__session_close(engine->writer);
  kecs__release_handles(engine, engine->spare_handles);
  kecs__meta_free(engine);
  if (engine->backend) {
    engine->backend->detach(&engine->place, &engine->allocator);
  }
  kecs__release_text(&engine->allocator, engine->path);
  kecs__release_text(&engine->allocator, engine->account_id);
  kecs__release_text(&engine->allocator, engine->region);
  kecs__condition_destroy(&engine->changed);
  kecs__condition_destroy(&engine->arrival);
  kecs__mutex_destroy(&engine->mutex);
  kecs_allocator allocator = engine->allocator;
  kecs__release(&allocator, engine, sizeof *engine);
  kecs__quota_close(&allocator);
}

/* The mutex and the condition, or none of them. */
static kecs_status kecs__engine_locks(kecs__engine *engine) {
  kecs_status status = kecs__mutex_init(&engine->mutex);
  if (status) {
    return status;
  }
  kecs__condition *const conditions[] = {&engine->arrival, &engine->changed};
  int made = 0;
  for (; !status && made < 2; made += status ? 0 : 1) {
    status = kecs__condition_init(conditions[made]);
  }
  if (!status) {
    return KECS_OK;
  }
  while (made > 0) {
    kecs__condition_destroy(conditions[--made]);
  }
  kecs__mutex_destroy(&engine->mutex);
  return status;
}

static kecs_status kecs__engine_new(const kecs_options *options, kecs__engine **out_engine) {
  kecs_allocator allocator;
  size_t most = kecs__profile_memory(options);
  kecs_status status = kecs__allocator_resolve(&options->allocator, &allocator);
  if (!status && most > 0) {
    status = kecs__quota_open(&allocator, most);
  }
  if (status) {
    return status;
  }
  kecs__engine *engine = kecs__alloc_zero(&allocator, sizeof *engine);
  status = engine ? kecs__engine_locks(engine) : KECS_E_NOMEM;
  if (status) {
    kecs__release(&allocator, engine, sizeof *engine);
    kecs__quota_close(&allocator);
    return status;
  }
  engine->allocator = allocator;
  engine->queue_end = &engine->queue;
  engine->last_writer = kecs__thread_self();
  *out_engine = engine;
  return KECS_OK;
}

static kecs_status kecs__engine_start(kecs_store *store, const kecs_options *options) {
  kecs__engine *engine = store->engine;
  kecs__open_defaults(engine, options);
  kecs_status status = kecs__open_backend(options, &engine->backend);
  if (!status) {
    status = kecs__open_texts(engine, options);
  }
  if (!status) {
    status = engine->backend->attach(engine->path, &engine->allocator, &engine->place);
    engine->dialect = engine->place.dialect;
  }
  if (!status && strcmp(engine->backend->name, "postgresql") == 0) {
    kecs__log(engine, KECS_LOG_INFO, "Using PostgreSQL storage url=%s", engine->place.shown);
  }
  if (!status) {
    status = kecs__meta_init(engine);
    kecs__specials_set(engine);
  }
  if (!status) {
    kecs__profile_place(engine, options);
    engine->shared = engine->backend->shares(engine->path);
    engine->pool_checked_ms = kecs__monotonic_ms();
    engine->shares_commits = engine->shared && engine->backend->one_writer;
    status = kecs__session_open(engine, false, !options->must_exist && !options->read_only, &engine->writer);
  }
  if (!status) {
    status = kecs__migrate(store);
  }
  if (!status) {
    status = kecs__feed_open(store, options->track);
  }
  if (!status) {
    status = kecs__history_open(store, &options->history);
  }
  if (!status) {
    status = kecs__actor_set(store, options->actor, options->reason);
  }
  status = status ? status : engine->backend->describe(engine->writer->connection, &engine->settings);
#if !defined(KECS_STORE_NO_CACHE)
  status = status ? status : kecs__cache_open(store);
#endif
  if (!status && engine->shared && engine->place.pool_max > 0) {
    kecs__pool_add(engine, engine->writer);
    engine->writer = NULL;
    engine->pooled = true;
    kecs__pool_fill(engine);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_open(const kecs_options *options, kecs_store **out_store) {
  kecs_status status = kecs__check_pointer(out_store, "out_store");
  if (status) {
    return status;
  }
  *out_store = NULL;
  status = kecs__check_pointer(options, "options");
  if (!status) {
    status = kecs__profile_check(options);
  }
  kecs__engine *engine = NULL;
  if (!status) {
    status = kecs__engine_new(options, &engine);
  }
  if (status) {
    return status;
  }
  kecs_store *store = kecs__alloc_zero(&engine->allocator, sizeof *store);
  if (!store) {
    kecs__engine_free(engine);
    return KECS_E_NOMEM;
  }
  store->engine = engine;
  store->magic = KECS__MAGIC_OPEN;
  status = kecs__engine_start(store, options);
  if (status) {
    kecs_error error = kecs__error_save();
    kecs__actor_free(store);
    kecs__release(&engine->allocator, store, sizeof *store);
    kecs__engine_free(engine);
    return kecs__error_restore(&error);
  }
  *out_store = store;
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_close(kecs_store *store) {
  if (!store) {
    return KECS_OK;
  }
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  if (store->depth > 0) {
    return kecs__fail(KECS_E_MISUSE, "the handle is a transaction; end it with kecs_commit or kecs_rollback");
  }
  kecs__engine *engine = store->engine;
  while (engine->transactions) {
    kecs_store *outermost = engine->transactions;
    while (outermost->depth > 1) {
      outermost = outermost->parent;
    }
    kecs__log(engine, KECS_LOG_WARNING, "%s: closed with an open transaction; it was rolled back", engine->place.shown);
    (void)kecs__transaction_abandon(outermost);
  }
  store->magic = KECS__MAGIC_ENDED;
  kecs__actor_free(store);
  kecs__release(&engine->allocator, store, sizeof *store);
  kecs__engine_free(engine);
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_store_info(kecs_store *store, kecs_info *out_info) {
  kecs_status status = kecs__check_pointer(out_info, "out_info");
  if (status) {
    return status;
  }
  memset(out_info, 0, sizeof *out_info);
  kecs__session *session = NULL;
  status = kecs__read_open(store, &session);
  if (status) {
    return status;
  }
  kecs__engine *engine = store->engine;
  kecs__pool_describe(engine, &out_info->pool);
  kecs__cache_describe(engine, &out_info->cache);
  out_info->backend = engine->backend->name;
  out_info->path = engine->place.shown;
  out_info->schema_version = engine->schema_version;
  out_info->read_only = engine->read_only;
  out_info->account_id = engine->account_id;
  out_info->region = engine->region;
  status = engine->backend->describe(session->connection, out_info);
  /* These are the writing connection's own, and only it changes the file. */
  out_info->synchronous = engine->settings.synchronous;
  out_info->cache_bytes = engine->settings.cache_bytes;
  out_info->wal_checkpoint_bytes = engine->read_only ? 0 : engine->settings.wal_checkpoint_bytes;
  out_info->wal_limit_bytes = engine->read_only ? 0 : engine->settings.wal_limit_bytes;
  kecs__read_close(store, session);
  return status;
}
