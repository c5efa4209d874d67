/* ---- Validation ------------------------------------------------------------------------------------------- */
/* Rules of AWS and of the store's own operations. Off by default, since real data breaks some of them: they are applied
 * by these functions, and to every create, update and put of a store that was opened with options.strict, before
 * anything is written.
 *
 * Each failure is INVALID, and its text begins with the field by its path in the AWS document and a colon:
 *
 *   containerDefinitions[1].image: Container image is required
 *
 * A column that no AWS document has goes by its name there ("kecs.nodePorts") or, without one, by its own ("extra").
 * None of the functions needs a store, keeps a pointer, or changes a row. KECS_E_NOMEM is the only other failure.
 * docs/validation.md lists every rule with its source. */
#ifndef KECS_STORE_VALIDATE_H
#define KECS_STORE_VALIDATE_H
#include "store/record.h"

/* All rules of the row's kind: names, settings, capacity providers, tags, ports, priorities, account ids, and for task
 * definitions the containers, the volumes and the Fargate cpu and memory table; and every JSON column is JSON, else the
 * text gives line and column. What create fills or has a default for may be empty. `row` is the kind's struct; NULL and
 * a number that is no kind are INVALID.
 *
 * An update of a strict store is held to the rules of the columns that it writes. A rule on several columns (Fargate's
 * table; a mount point and its volume; a strategy and the providers) is applied when all of them are written. */
KECS_STORE_API kecs_status kecs_validate(kecs_kind kind, const void *row);

/* A cluster name: 1 to 255 letters, digits, - and _ (AWS CreateCluster). NULL is INVALID. */
KECS_STORE_API kecs_status kecs_validate_cluster_name(const char *name);

/* An account id: 12 digits. NULL is INVALID. */
KECS_STORE_API kecs_status kecs_validate_account_id(const char *account_id);

/* Cluster settings: a JSON array of {name, value} with name containerInsights, value enabled, enhanced or disabled.
 * NULL and "" are no settings, and fine. */
KECS_STORE_API kecs_status kecs_validate_cluster_settings(const char *settings);

/* A strategy: JSON array of {capacityProvider, weight 0 to 1000, base 0 to 100000}, of which one at most has a base
 * above 0. `providers` (may be NULL) is the JSON array of names that it may use; a provider is FARGATE, FARGATE_SPOT,
 * EC2, or any name of `providers`. A strategy of NULL or "" is none, and fine. */
KECS_STORE_API kecs_status kecs_validate_capacity_strategy(const char *strategy, const char *providers);

/* The pair of cpu and memory of a Fargate task, in every accepted spelling: "256", "1024", ".25 vCPU", "1 vCPU"; "512",
 * "0.5 GB", "1GB". NULL for either is a failure (AWS: No Fargate configuration exists for given values). */
KECS_STORE_API kecs_status kecs_validate_fargate_size(const char *cpu, const char *memory);

/* The priority of a rule: 1 to 49999 (AWS), or KECS_RANK_DEFAULT. */
KECS_STORE_API kecs_status kecs_validate_priority(int64_t priority);

#endif
