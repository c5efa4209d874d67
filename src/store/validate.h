/* ---- Validation ------------------------------------------------------------------------------------------- */
/* Rules of AWS and of the store's own operations. Off by default, since real data breaks some of them: they are applied
 * by these functions, and to every create, update and put of a store that was opened with options.strict. Each failure
 * is INVALID with a line that begins with the field by path, such as `containerDefinitions[1].image`. */
#ifndef KECS_STORE_VALIDATE_H
#define KECS_STORE_VALIDATE_H
#include "store/record.h"

/* All rules of the row's kind (docs/kinds.md lists them): names, settings, capacity providers, priorities, account ids,
 * and for task definitions the fields, the containers and the Fargate cpu and memory table. */
KECS_STORE_API kecs_status kecs_validate(kecs_kind kind, const void *row);

/* A cluster name: 1 to 255 letters, digits, - and _ (AWS CreateCluster). */
KECS_STORE_API kecs_status kecs_validate_cluster_name(const char *name);

/* An account id: 12 digits. */
KECS_STORE_API kecs_status kecs_validate_account_id(const char *account_id);

/* Cluster settings: a JSON array of {name, value} with name containerInsights, value enabled, enhanced or disabled. */
KECS_STORE_API kecs_status kecs_validate_cluster_settings(const char *settings);

/* A strategy: array of {capacityProvider, weight 0 to 1000, base >= 0}. `providers` (may be NULL) is the array of names
 * that it may use; a provider is FARGATE, FARGATE_SPOT, EC2, or any name of `providers`. */
KECS_STORE_API kecs_status kecs_validate_capacity_strategy(const char *strategy, const char *providers);

/* The pair of cpu and memory of a Fargate task, in every accepted spelling: "256", "1024", ".25 vCPU", "1 vCPU"; "512",
 * "0.5 GB", "1GB". NULL for either is a failure (AWS: No Fargate configuration exists for given values). */
KECS_STORE_API kecs_status kecs_validate_fargate_size(const char *cpu, const char *memory);

/* The priority of a rule: 1 to 49999 (AWS), or KECS_RANK_DEFAULT. */
KECS_STORE_API kecs_status kecs_validate_priority(int64_t priority);

#endif
