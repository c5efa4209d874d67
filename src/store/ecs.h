/* ---- Operations of ECS kinds ------------------------------------------------------------------------------ */
/* What a kind can do beyond the functions that all kinds have. A `cluster` is a name or an ARN. Times are microseconds
 * since 1970 UTC. Every out_result and out_count may be NULL unless it is all that the function is for. */
#ifndef KECS_STORE_ECS_H
#define KECS_STORE_ECS_H
#include "store/store.h"

/* -- clusters -- */

/* The cluster of this name or ARN; created when there is none (AWS CreateCluster is idempotent). *out_created (may be
 * NULL) tells which. */
KECS_STORE_API kecs_status kecs_cluster_ensure(kecs_store *store, const kecs_cluster *row, bool *out_created,
                                               kecs_result **out_result);

/* Deletes a cluster only when it is idle: REFERENCE, naming a count, while a service is not INACTIVE or a task is not
 * STOPPED (AWS DeleteCluster). kecs_cluster_delete takes everything with it instead. */
KECS_STORE_API kecs_status kecs_cluster_delete_idle(kecs_store *store, const char *cluster);

/* -- task definitions -- */

/* Registers the next revision of row->family: revision and ARN of `row` are not read. Revisions count up from 1 within
 * (account, region, family), INACTIVE and deleted ones included, and none is ever given twice.
 * kecs_task_definition_create does the same when revision and ARN are empty, and keeps them otherwise (imports). */
KECS_STORE_API kecs_status kecs_task_definition_register(kecs_store *store, const kecs_task_definition *row,
                                                         kecs_result **out_result);

/* The highest ACTIVE revision of a family; NOT_FOUND when none is ACTIVE. kecs_task_definition_get does the same for a
 * bare family name, and takes "family:revision" and ARNs as well, whatever their status. */
KECS_STORE_API kecs_status kecs_task_definition_latest(kecs_store *store, const char *family, kecs_result **out_result);

/* Makes a revision INACTIVE; the first call sets deregistered_at, later ones change nothing. */
KECS_STORE_API kecs_status kecs_task_definition_deregister(kecs_store *store, const char *definition,
                                                           kecs_result **out_result);

/* One page of families, ordered by name. */
typedef struct kecs_family {
  const char *family;
  int64_t latest_revision;  /* highest that is stored, whatever its status */
  int64_t active_revisions; /* how many are ACTIVE */
} kecs_family;
typedef struct kecs_family_query {
  const char *prefix;     /* of the name, literal; NULL: all */
  const char *status;     /* only families with a revision of this status; NULL: all */
  int limit;              /* 0: 100, at most 1000 */
  const char *page_token;
} kecs_family_query;
KECS_STORE_API kecs_status kecs_task_definition_families(kecs_store *store, const kecs_family_query *query,
                                                         kecs_result **out_result);
KECS_STORE_API const kecs_family *kecs_family_at(const kecs_result *result, size_t index);

/* The revisions of a family, newest first, optionally of one status. An unknown family gives an empty page. */
KECS_STORE_API kecs_status kecs_task_definition_revisions(kecs_store *store, const char *family, const char *status,
                                                          int limit, const char *page_token, kecs_result **out_result);

/* A family's counter: the last revision that was given, by which the next one is. */
typedef struct kecs_family_counter {
  const char *account_id; /* raise: NULL or "" means the store's */
  const char *region;     /* likewise */
  const char *family;
  int64_t last_revision;
} kecs_family_counter;

/* One page (limit 0: 100, at most 1000) of the counters that no stored row tells, because they are above the highest
 * revision of their family that is stored: what a copy of the rows would lose. Of all accounts and regions, ordered by
 * them and the family's name. */
KECS_STORE_API kecs_status kecs_task_definition_counters(kecs_store *store, int limit, const char *page_token,
                                                         kecs_result **out_result);
KECS_STORE_API const kecs_family_counter *kecs_family_counter_at(const kecs_result *result, size_t index);

/* Raises a counter, so that no revision up to last_revision is given any more; never lowers one. The family need not
 * have a row. */
KECS_STORE_API kecs_status kecs_task_definition_counter_raise(kecs_store *store, const kecs_family_counter *counter);

/* -- services -- */

/* Deletes services whose end was decided before `before`: status INACTIVE or DELETE_IN_PROGRESS, or DRAINING with
 * desired_count and running_count 0; and updated_at < before. cluster NULL or "": all. */
KECS_STORE_API kecs_status kecs_service_delete_marked(kecs_store *store, const char *cluster, int64_t before,
                                                      int64_t *out_count);

/* -- tasks -- */

/* All that is set must match. */
typedef struct kecs_task_filter {
  const char *cluster;            /* name or ARN */
  const char *service;            /* name or ARN: its service_arn, group "service:NAME" or startedBy "ecs-svc/NAME" */
  const char *family;             /* of the task definition */
  const char *container_instance; /* ARN or id */
  const char *desired_status;
  const char *last_status;
  const char *launch_type;
  const char *started_by;
} kecs_task_filter;

/* The filter, and the filters, order and page of `query` (may be NULL) besides. */
KECS_STORE_API kecs_status kecs_task_find(kecs_store *store, const kecs_task_filter *filter, const kecs_query *query,
                                          kecs_result **out_result);

/* Deletes tasks that ended before `before`, by the first of stopped_at, execution_stopped_at, updated_at that is set.
 * status NULL or "": STOPPED and DEPROVISIONING ones; RUNNING tasks go only when asked for by status. */
KECS_STORE_API kecs_status kecs_task_delete_older(kecs_store *store, const char *cluster, int64_t before,
                                                  const char *status, int64_t *out_count);

/* -- task sets -- */

/* Makes one task set of a service PRIMARY and every other PRIMARY one ACTIVE, in one transaction. NOT_FOUND changes
 * nothing. `task_set` is an id or an ARN. */
KECS_STORE_API kecs_status kecs_task_set_update_primary(kecs_store *store, const char *service_arn,
                                                        const char *task_set, kecs_result **out_result);

/* Deletes the task sets of a cluster whose service is not in the store. */
KECS_STORE_API kecs_status kecs_task_set_delete_orphaned(kecs_store *store, const char *cluster, int64_t *out_count);

/* -- container instances -- */

/* Instances of a cluster (NULL: all) whose EC2 id equals `text`, or whose ARN or attributes contain it; case counts.
 * The filters, order and page of `query` apply besides. */
KECS_STORE_API kecs_status kecs_container_instance_search(kecs_store *store, const char *cluster, const char *text,
                                                          const kecs_query *query, kecs_result **out_result);

/* Status INACTIVE and deregistered_at now; the row stays. */
KECS_STORE_API kecs_status kecs_container_instance_deregister(kecs_store *store, const char *cluster,
                                                              const char *instance, kecs_result **out_result);

/* Deletes INACTIVE instances whose deregistered_at, or else updated_at, is before `before`. */
KECS_STORE_API kecs_status kecs_container_instance_delete_stale(kecs_store *store, const char *cluster, int64_t before,
                                                                int64_t *out_count);

/* -- attributes -- */

/* Upserts all of them in one transaction; none is a success. */
KECS_STORE_API kecs_status kecs_attribute_put(kecs_store *store, const kecs_attribute *rows, size_t count);

/* Deletes those of a cluster with the rows' name, target_type and target_id; absent ones are no error. */
KECS_STORE_API kecs_status kecs_attribute_remove(kecs_store *store, const char *cluster, const kecs_attribute *rows,
                                                 size_t count);

/* -- account settings -- */

/* The default of a setting (principal_arn "default"): get, set. */
KECS_STORE_API kecs_status kecs_account_setting_get_default(kecs_store *store, const char *name,
                                                            kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_set_default(kecs_store *store, const char *name, const char *value,
                                                            kecs_result **out_result);

/* What holds for a principal: the defaults with its own settings in their place, ordered by name; is_default is false
 * in every row. `name` NULL: all. */
KECS_STORE_API kecs_status kecs_account_setting_effective(kecs_store *store, const char *principal_arn,
                                                          const char *name, kecs_result **out_result);

/* -- task logs -- */

/* All that is set must match. */
typedef struct kecs_log_filter {
  const char *task_arn;
  const char *container_name;
  const char *level;
  const char *search;      /* anywhere in the line, literal, A to Z and a to z alike */
  int64_t from;            /* inclusive; 0: none */
  int64_t to;              /* inclusive; 0: none */
} kecs_log_filter;

/* One page (limit at most 10000), newest first, or oldest first. kecs_task_log_create_many saves. */
KECS_STORE_API kecs_status kecs_task_log_find(kecs_store *store, const kecs_log_filter *filter, bool oldest_first,
                                              int limit, const char *page_token, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_log_count_matching(kecs_store *store, const kecs_log_filter *filter,
                                                        int64_t *out_count);

/* Deletes lines that were saved (created_at) before `before`; or all of one task, none being a success. */
KECS_STORE_API kecs_status kecs_task_log_delete_older(kecs_store *store, int64_t before, int64_t *out_count);
KECS_STORE_API kecs_status kecs_task_log_delete_task(kecs_store *store, const char *task_arn, int64_t *out_count);

/* -- events -- */

/* Deletes audit events older than `before` (timestamp). kecs_event_create appends, kecs_event_list finds. */
KECS_STORE_API kecs_status kecs_event_prune(kecs_store *store, int64_t before, int64_t *out_count);

#endif
