/* store/open.c -- kecs_open and kecs_close: options to an engine, and everything given back in reverse. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/handle.h"
#include "store/meta.h"
#include "store/migrate.h"
#include "store/statements.h"

#include <stdio.h>
#include <string.h>

#define KECS__BUSY_MS 30000
#define KECS__READERS 4
#define KECS__READERS_MAX 64
#define KECS__CACHE_KIB 65536
#define KECS__DOCUMENT_BYTES ((size_t)64 << 20)

KECS_STORE_API const char *kecs_version(void) {
  return KECS_STORE_VERSION;
}

/* Every backend gets the first look at the path in the order given; SQLite takes what is no URL. */
static kecs_status kecs__open_backend(const kecs_options *options, const kecs_backend **out_backend) {
  for (const kecs_backend *const *at = options->backends; at && *at; at++) {
    if ((*at)->abi != KECS_BACKEND_ABI) {
      return kecs__fail(KECS_E_UNSUPPORTED,
                        "backend \"%s\" has interface version %d, this library %d; rebuild both from one "
                        "release",
                        (*at)->name, (*at)->abi, KECS_BACKEND_ABI);
    }
    if ((*at)->answers_to(options->path)) {
      *out_backend = *at;
      return KECS_OK;
    }
  }
  *out_backend = kecs_sqlite_backend();
  if ((*out_backend)->answers_to(options->path)) {
    return KECS_OK;
  }
  int scheme = (int)(strstr(options->path, "://") - options->path);
  return kecs__fail(KECS_E_UNSUPPORTED, "no backend opens URLs that begin with \"%.*s://\"; for PostgreSQL set "
                                        "options.backends, for SQLite give a plain path",
                    scheme < 32 ? scheme : 32, options->path);
}

static bool kecs__digits(const char *text, size_t count) {
  size_t i = 0;
  while (text[i] >= '0' && text[i] <= '9') {
    i++;
  }
  return i == count && text[i] == '\0';
}

static kecs_status kecs__open_validate(const kecs_options *options) {
  if (!options->path || !options->path[0]) {
    return kecs__fail(KECS_E_INVALID, "options.path is empty; give a file, \":memory:\" or a URL");
  }
  if (options->account_id && !kecs__digits(options->account_id, 12)) {
    return kecs__fail(KECS_E_INVALID, "options.account_id \"%s\" is not 12 digits", options->account_id);
  }
  if (options->region && !options->region[0]) {
    return kecs__fail(KECS_E_INVALID, "options.region is empty; leave it NULL for us-east-1");
  }
  if (options->readers < 0 || options->readers > KECS__READERS_MAX) {
    return kecs__fail(KECS_E_INVALID, "options.readers is %d; give 1 to %d, or 0 for %d", options->readers,
                      KECS__READERS_MAX, KECS__READERS);
  }
  if (options->cache_kib < 0) {
    return kecs__fail(KECS_E_INVALID, "options.cache_kib is %d; give a size, or 0 for %d", options->cache_kib,
                      KECS__CACHE_KIB);
  }
  if (options->durability != KECS_DURABILITY_NORMAL && options->durability != KECS_DURABILITY_FULL) {
    return kecs__fail(KECS_E_INVALID, "options.durability is %d; give KECS_DURABILITY_NORMAL or _FULL",
                      (int)options->durability);
  }
  if (options->track != KECS_TRACK_KEEP && options->track != KECS_TRACK_ON && options->track != KECS_TRACK_OFF) {
    return kecs__fail(KECS_E_INVALID, "options.track is %d; give KECS_TRACK_KEEP, _ON or _OFF", (int)options->track);
  }
  return KECS_OK;
}

static kecs_status kecs__open_texts(kecs__engine *engine, const kecs_options *options) {
  const char *account = options->account_id ? options->account_id : "000000000000";
  const char *region = options->region ? options->region : "us-east-1";
  engine->path = kecs__copy_text(&engine->allocator, options->path);
  engine->shown_path = engine->path ? kecs__copy_text(&engine->allocator, options->path) : NULL;
  engine->account_id = engine->shown_path ? kecs__copy_text(&engine->allocator, account) : NULL;
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
  engine->durability = options->durability;
  engine->stamps = options->track == KECS_TRACK_ON;
  engine->busy_timeout_ms = options->busy_timeout_ms == 0 ? KECS__BUSY_MS : options->busy_timeout_ms;
  engine->busy_timeout_ms = engine->busy_timeout_ms < 0 ? 0 : engine->busy_timeout_ms;
  engine->reader_max = options->readers ? options->readers : KECS__READERS;
  engine->cache_kib = options->cache_kib ? options->cache_kib : KECS__CACHE_KIB;
  engine->document_bytes_max = options->document_bytes_max ? options->document_bytes_max : KECS__DOCUMENT_BYTES;
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
  while (engine->idle_readers) {
    kecs__session *next = engine->idle_readers->next;
    kecs__session_close(engine->idle_readers);
    engine->idle_readers = next;
  }
  kecs__session_close(engine->writer);
  kecs__release_handles(engine, engine->spare_handles);
  kecs__meta_free(engine);
  kecs__release_text(&engine->allocator, engine->path);
  kecs__release_text(&engine->allocator, engine->shown_path);
  kecs__release_text(&engine->allocator, engine->account_id);
  kecs__release_text(&engine->allocator, engine->region);
  kecs__condition_destroy(&engine->changed);
  kecs__condition_destroy(&engine->released);
  kecs__mutex_destroy(&engine->mutex);
  kecs_allocator allocator = engine->allocator;
  kecs__release(&allocator, engine, sizeof *engine);
}

static kecs_status kecs__engine_new(const kecs_options *options, kecs__engine **out_engine) {
  kecs_allocator allocator;
  kecs_status status = kecs__allocator_resolve(&options->allocator, &allocator);
  if (status) {
    return status;
  }
  kecs__engine *engine = kecs__alloc_zero(&allocator, sizeof *engine);
  if (!engine) {
    return KECS_E_NOMEM;
  }
  engine->allocator = allocator;
  status = kecs__mutex_init(&engine->mutex);
  if (status) {
    kecs__release(&allocator, engine, sizeof *engine);
    return status;
  }
  status = kecs__condition_init(&engine->released);
  if (!status) {
    status = kecs__condition_init(&engine->changed);
    if (status) {
      kecs__condition_destroy(&engine->released);
    }
  }
  if (status) {
    kecs__mutex_destroy(&engine->mutex);
    kecs__release(&allocator, engine, sizeof *engine);
    return status;
  }
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
    status = kecs__meta_init(engine);
  }
  if (!status) {
    engine->shared = engine->backend->shares(engine->path);
    status = kecs__session_open(engine, false, !options->must_exist && !options->read_only, &engine->writer);
  }
  if (!status) {
    status = kecs__migrate(store);
  }
  return status ? status : kecs__feed_open(store, options->track);
}

KECS_STORE_API kecs_status kecs_open(const kecs_options *options, kecs_store **out_store) {
  kecs_status status = kecs__check_pointer(out_store, "out_store");
  if (status) {
    return status;
  }
  *out_store = NULL;
  status = kecs__check_pointer(options, "options");
  if (!status) {
    status = kecs__open_validate(options);
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
  kecs_store *outermost = engine->transactions;
  while (outermost && outermost->depth > 1) {
    outermost = outermost->parent;
  }
  if (outermost) {
    kecs__log(engine, KECS_LOG_WARNING, "%s: closed with an open transaction; it was rolled back", engine->shown_path);
    (void)kecs__transaction_abandon(outermost);
  }
  store->magic = KECS__MAGIC_ENDED;
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
  const kecs__engine *engine = store->engine;
  out_info->backend = engine->backend->name;
  out_info->path = engine->shown_path;
  out_info->schema_version = engine->schema_version;
  out_info->read_only = engine->read_only;
  out_info->account_id = engine->account_id;
  out_info->region = engine->region;
  status = engine->backend->describe(session->connection, out_info);
  kecs__read_close(store, session);
  return status;
}
