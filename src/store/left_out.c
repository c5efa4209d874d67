/* store/left_out.c -- what stands in for the parts that a KECS_STORE_NO_... leaves out: each call says so. */
#include "base/prologue.h"

#include "store/changes.h"
#include "store/engine.h"
#include "store/import.h"
#include "store/replica.h"
#include "store/validate_row.h"
#include "store/watch.h"

#if defined(KECS_STORE_NO_IMPORT) || defined(KECS_STORE_NO_VALIDATION) || defined(KECS_STORE_NO_WATCH)
static kecs_status kecs__fail_left_out(const char *what, const char *option) {
  return kecs__fail(KECS_E_UNSUPPORTED, "this build leaves %s out; compile the implementation without %s", what,
                    option);
}
#endif

#if defined(KECS_STORE_NO_IMPORT)

KECS_STORE_API kecs_status kecs_import(kecs_store *store, const char *text, size_t len,
                                       const kecs_import_options *options, int64_t *out_put, int64_t *out_refused) {
  (void)store;
  (void)text;
  (void)len;
  (void)options;
  if (out_put) {
    *out_put = 0;
  }
  if (out_refused) {
    *out_refused = 0;
  }
  return kecs__fail_left_out("kecs_import", "KECS_STORE_NO_IMPORT");
}

#endif

#if defined(KECS_STORE_NO_VALIDATION)

static kecs_status kecs__fail_no_validation(void) {
  return kecs__fail_left_out("validation", "KECS_STORE_NO_VALIDATION");
}

KECS__FN kecs_status kecs__validate_row(const kecs_kind_info *info, const void *row) {
  (void)info;
  (void)row;
  return kecs__fail_no_validation();
}

KECS__FN kecs_status kecs__validate_update(const kecs_kind_info *info, const void *row, uint64_t mask) {
  (void)mask;
  return kecs__validate_row(info, row);
}

KECS_STORE_API kecs_status kecs_validate(kecs_kind kind, const void *row) {
  (void)kind;
  (void)row;
  return kecs__fail_no_validation();
}

KECS_STORE_API kecs_status kecs_validate_cluster_name(const char *name) {
  (void)name;
  return kecs__fail_no_validation();
}

KECS_STORE_API kecs_status kecs_validate_account_id(const char *account_id) {
  (void)account_id;
  return kecs__fail_no_validation();
}

KECS_STORE_API kecs_status kecs_validate_cluster_settings(const char *settings) {
  (void)settings;
  return kecs__fail_no_validation();
}

KECS_STORE_API kecs_status kecs_validate_capacity_strategy(const char *strategy, const char *providers) {
  (void)strategy;
  (void)providers;
  return kecs__fail_no_validation();
}

KECS_STORE_API kecs_status kecs_validate_fargate_size(const char *cpu, const char *memory) {
  (void)cpu;
  (void)memory;
  return kecs__fail_no_validation();
}

KECS_STORE_API kecs_status kecs_validate_priority(int64_t priority) {
  (void)priority;
  return kecs__fail_no_validation();
}

#endif

#if defined(KECS_STORE_NO_WATCH)

static kecs_status kecs__fail_no_watch(void) {
  return kecs__fail_left_out("watches", "KECS_STORE_NO_WATCH");
}

KECS_STORE_API kecs_status kecs_watch_open(kecs_store *store, const kecs_watch_options *options,
                                           kecs_watch **out_watch) {
  (void)store;
  (void)options;
  if (out_watch) {
    *out_watch = NULL;
  }
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_watch_next(kecs_watch *watch, int timeout_ms, const kecs_change **out_change) {
  (void)watch;
  (void)timeout_ms;
  if (out_change) {
    *out_change = NULL;
  }
  return kecs__fail_no_watch();
}

KECS_STORE_API int64_t kecs_watch_seq(const kecs_watch *watch) {
  (void)watch;
  return 0;
}

KECS_STORE_API void kecs_watch_close(kecs_watch *watch) {
  (void)watch;
}

KECS_STORE_API kecs_status kecs_informer_run(kecs_store *store, kecs_kind kind, const kecs_filter *where,
                                             size_t where_count, int timeout_ms, const kecs_informer *informer) {
  (void)store;
  (void)kind;
  (void)where;
  (void)where_count;
  (void)timeout_ms;
  (void)informer;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_changes_pending(kecs_store *store, kecs_kind kind, int limit,
                                                kecs_status (*visit)(const kecs_pending *pending, void *user),
                                                void *user) {
  (void)store;
  (void)kind;
  (void)limit;
  (void)visit;
  (void)user;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_open(kecs_store *store, uint64_t kinds, int64_t *out_adopted) {
  (void)store, (void)kinds, (void)out_adopted;
  return kecs__fail_no_watch();
}

KECS_STORE_API uint64_t kecs_replica_kinds(kecs_store *store) {
  (void)store;
  return 0;
}

KECS_STORE_API uint64_t kecs_replica_append_kinds(kecs_store *store) {
  (void)store;
  return 0;
}

KECS_STORE_API kecs_status kecs_replica_insert(kecs_store *store, const kecs_replica_row *row, int64_t *out_rid) {
  (void)store, (void)row, (void)out_rid;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_resolve(kecs_store *store, int64_t id, bool lost) {
  (void)store, (void)id, (void)lost;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_touch(kecs_store *store, kecs_kind kind, uint64_t columns) {
  (void)store, (void)kind, (void)columns;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_aside(kecs_store *store, kecs_kind kind, int64_t *out_count) {
  (void)store, (void)kind, (void)out_count;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_pending(kecs_store *store, const kecs_replica *side, int limit,
                                                const kecs_replica_end *upto,
                                                kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                                void *user, kecs_replica_end *out_end) {
  (void)store, (void)side, (void)limit, (void)upto, (void)visit, (void)user, (void)out_end;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_find(kecs_store *store, const kecs_replica *side, kecs_kind kind,
                                             const char *key,
                                             kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                             void *user) {
  (void)store, (void)side, (void)kind, (void)key, (void)visit, (void)user;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_merge(kecs_store *store, const kecs_replica *side, const kecs_replica_row *row,
                                              kecs_replica_merged *out_merged) {
  (void)store, (void)side, (void)row, (void)out_merged;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_walk(kecs_store *store, const kecs_replica *side, kecs_kind kind,
                                             int64_t after_rid, int limit,
                                             kecs_status (*visit)(const kecs_replica_row *row, void *user), void *user,
                                             int64_t *out_rid) {
  (void)store, (void)side, (void)kind, (void)after_rid, (void)limit, (void)visit, (void)user, (void)out_rid;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_graves(kecs_store *store, const kecs_replica *side, int64_t after_seq,
                                               int limit,
                                               kecs_status (*visit)(const kecs_replica_row *row, void *user),
                                               void *user, int64_t *out_seq) {
  (void)store, (void)side, (void)after_seq, (void)limit, (void)visit, (void)user, (void)out_seq;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_renumber(kecs_store *store, int64_t number, int64_t acked) {
  (void)store, (void)number, (void)acked;
  return kecs__fail_no_watch();
}

KECS_STORE_API int64_t kecs_replica_now(kecs_store *store) {
  (void)store;
  return 0;
}

KECS_STORE_API kecs_status kecs_replica_retain(kecs_store *store, int64_t retention_us) {
  (void)store, (void)retention_us;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_offset(kecs_store *store, int64_t offset_us) {
  (void)store, (void)offset_us;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_restamp(kecs_store *store, kecs_restamp *restamp) {
  (void)store, (void)restamp;
  return kecs__fail_no_watch();
}

KECS_STORE_API void kecs_replica_log(kecs_store *store, kecs_log_level level, const char *line) {
  (void)store, (void)level, (void)line;
}

KECS_STORE_API kecs_status kecs_replica_made(kecs_store *store, bool *out_made) {
  (void)store, (void)out_made;
  return kecs__fail_no_watch();
}

KECS_STORE_API const kecs_allocator *kecs_replica_allocator(kecs_store *store) {
  return &store->engine->allocator;
}

KECS_STORE_API kecs_status kecs_replica_durable(kecs_store *store, bool on) {
  (void)store, (void)on;
  return kecs__fail_no_watch();
}

KECS_STORE_API kecs_status kecs_replica_sql(kecs_store *store, const char *sql, const kecs_value *parameters, int count,
                                            int columns, kecs_status (*visit)(const kecs_value *values, void *user),
                                            void *user) {
  (void)store, (void)sql, (void)parameters, (void)count, (void)columns, (void)visit, (void)user;
  return kecs__fail_no_watch();
}

#endif
