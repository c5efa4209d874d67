/* bench/columns.h -- the columns of tasks, for programs that are written by hand. */
#ifndef BENCH_COLUMNS_H
#define BENCH_COLUMNS_H

/* The columns of tasks behind `arn`, in the struct's order. TIME is NULL for 0; STAMP and NUMBER are never NULL. */
/* clang-format off */
#define BASELINE_COLUMNS(TEXT, TIME, STAMP, FLAG, NUMBER)                                                          \
  TEXT(id) TEXT(cluster_arn) TEXT(task_definition_arn) TEXT(service_arn) TEXT(container_instance_arn)              \
  TEXT(containers) TEXT(last_status) TEXT(desired_status) TEXT(cpu) TEXT(memory) TEXT(launch_type)                 \
  TEXT(capacity_provider_name) TEXT(platform_version) TEXT(platform_family) TEXT(availability_zone)                \
  TEXT(task_group) TEXT(started_by) TIME(started_at) TIME(stopping_at) TIME(stopped_at) TEXT(stop_code)            \
  TEXT(stopped_reason) TEXT(connectivity) TIME(connectivity_at) TIME(pull_started_at) TIME(pull_stopped_at)        \
  TIME(execution_stopped_at) TEXT(health_status) TEXT(overrides) TEXT(attachments) TEXT(attributes)                \
  TEXT(inference_accelerators) TEXT(ephemeral_storage) TEXT(service_registries) FLAG(enable_execute_command)       \
  TEXT(tags) TEXT(pod_name) TEXT(k8s_namespace) TEXT(family) STAMP(created_at) STAMP(updated_at) NUMBER(version)   \
  TEXT(region) TEXT(account_id) TEXT(extra) NUMBER(omitted)
/* clang-format on */

#define BASELINE_NAME(name) "," #name
#define BASELINE_MARK(name) ",?"
#define BASELINE_ONE(name) +1
#define BASELINE_ALL(X) BASELINE_COLUMNS(X, X, X, X, X)
#define BASELINE_NAMES "arn" BASELINE_ALL(BASELINE_NAME)

enum { BASELINE_COLUMN_COUNT = 1 BASELINE_ALL(BASELINE_ONE) };

#endif
