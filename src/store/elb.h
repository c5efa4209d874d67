/* ---- Operations of ELBv2 kinds ---------------------------------------------------------------------------- */
#ifndef KECS_STORE_ELB_H
#define KECS_STORE_ELB_H
#include "store/store.h"

/* -- rules -- */

typedef struct kecs_rule_priority {
  const char *rule_arn;
  int64_t priority; /* 1 to 49999 */
} kecs_rule_priority;

/* Gives several rules new priorities at once; swapping two is fine. INVALID for a priority out of range, for the
 * default rule or a duplicate in the request; NOT_FOUND; EXISTS when another rule of the listener has it. All or
 * nothing. */
KECS_STORE_API kecs_status kecs_rule_set_priorities(kecs_store *store, const kecs_rule_priority *priorities,
                                                    size_t count);

/* Whether a priority may be given to `rule_arn` (NULL: to a new rule): INVALID "must be between 1 and 49999", EXISTS
 * "already in use". */
KECS_STORE_API kecs_status kecs_rule_check_priority(kecs_store *store, const char *listener_arn, int64_t priority,
                                                    const char *rule_arn);

/* Bands of priorities that callers use. */
typedef enum kecs_rule_band {
  KECS_RULE_BAND_CRITICAL, /* 1 to 99 */
  KECS_RULE_BAND_SPECIFIC, /* 100 to 999 */
  KECS_RULE_BAND_GENERAL,  /* 1000 to 9999 */
  KECS_RULE_BAND_CATCH_ALL /* 10000 to 49999 */
} kecs_rule_band;

/* The lowest free priority of a band; FULL when there is none. */
KECS_STORE_API kecs_status kecs_rule_next_priority(kecs_store *store, const char *listener_arn, kecs_rule_band band,
                                                   int64_t *out_priority);

/* -- targets -- */

/* Upserts targets of a group by (id, port), registered now; health_state "registering" where it is NULL. */
KECS_STORE_API kecs_status kecs_target_register(kecs_store *store, const char *target_group_arn,
                                                const kecs_target *targets, size_t count);

/* Removes targets by id, on every port; absent ones are no error. */
KECS_STORE_API kecs_status kecs_target_deregister(kecs_store *store, const char *target_group_arn,
                                                  const char *const *ids, size_t count, int64_t *out_count);

/* Sets state, reason and description of a target (port 0: on every port of the id). NOT_FOUND. */
KECS_STORE_API kecs_status kecs_target_update_health(kecs_store *store, const char *target_group_arn, const char *id,
                                                     int64_t port, const char *state, const char *reason,
                                                     const char *description);

/* -- load balancers and target groups -- */

/* Links or unlinks a target group and a load balancer; both are idempotent. The group must be there (NOT_FOUND); its
 * load_balancer_arns says the same afterwards. */
KECS_STORE_API kecs_status kecs_target_group_associate(kecs_store *store, const char *target_group_arn,
                                                       const char *load_balancer_arn);
KECS_STORE_API kecs_status kecs_target_group_disassociate(kecs_store *store, const char *target_group_arn,
                                                          const char *load_balancer_arn);

/* The load balancers of a target group, and the target groups of a load balancer: linked as above, or through a
 * listener whose default actions forward to the group. Ordered by ARN. */
KECS_STORE_API kecs_status kecs_target_group_load_balancers(kecs_store *store, const char *target_group_arn,
                                                            kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_target_groups(kecs_store *store, const char *load_balancer_arn,
                                                            kecs_result **out_result);

#endif
