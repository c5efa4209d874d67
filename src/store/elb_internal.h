/* store/elb_internal.h -- what the ELBv2 kinds share: ARNs made of one another, and the table elbv2_associations.
 *
 * A row of that table is (target group, load balancer, listener): the two belong together. Each row mirrors one
 * document. Without a listener ('') it is the target group's load_balancer_arns that names the load balancer; otherwise
 * the default actions of that listener, which belongs to the load balancer, forward to the group. Whoever owns the
 * document writes its rows, so neither of the two needs to be in the store. */
#ifndef KECS_STORE_ELB_INTERNAL_H
#define KECS_STORE_ELB_INTERNAL_H
#include "store/elb.h"
#include "store/special_kinds.h"
#include "store/write.h"

#define KECS__ELB_SERVICE "elasticloadbalancing"

/* ---- ARNs (load_balancer.c) ---- */

/* 16 hexadecimal digits, as AWS ends its ARNs with. */
KECS__FN kecs_status kecs__elb_id(kecs__write *write, char out[17]);

/* The ARN of a child, a row on its way in: that of its parent with another resource type and a random id at the end.
 * Types end with a slash: "loadbalancer/", "listener/". Where the parent's ARN is of another type, region and account
 * are the row's. */
KECS__FN kecs_status kecs__elb_child_arn(kecs__write *write, const kecs__meta *meta, const void *row,
                                         const char *parent_arn, const char *parent_type, const char *type,
                                         const char **out_arn);

/* The ARN of the parent, from its child's; INVALID, naming `column`, when the child's does not say it. */
KECS__FN kecs_status kecs__elb_parent_arn(kecs__write *write, const kecs__meta *meta, const char *arn, const char *type,
                                          const char *parent_type, int column, const char **out_parent_arn);

/* The part of "TYPE/a/b/c" with this number, from 0, in the arena; *out_part is NULL when there is none. */
KECS__FN kecs_status kecs__elb_arn_part(const char *arn, int number, kecs__arena *arena, const char **out_part);

/* ---- elbv2_associations (associations.c) ---- */

typedef enum kecs__association_owner {
  KECS__ASSOCIATION_GROUP,    /* the rows of a target group's load_balancer_arns */
  KECS__ASSOCIATION_LISTENER, /* the rows of a listener's default actions */
  KECS__ASSOCIATION_BALANCER  /* every row of a load balancer */
} kecs__association_owner;

/* Adds a row; one that is there already is no error. `listener_arn` is "" for a target group's own. */
KECS__FN kecs_status kecs__association_add(kecs__write *write, const char *target_group_arn,
                                           const char *load_balancer_arn, const char *listener_arn);
KECS__FN kecs_status kecs__association_remove(kecs__write *write, kecs__association_owner owner, const char *arn);

/* Target groups (or load balancers) that are associated with this ARN, as a result ordered by ARN. */
KECS__FN kecs_status kecs__association_list(kecs_store *store, kecs_kind kind, const char *arn,
                                            kecs_result **out_result);

/* Calls `visit` with each target group whose own array names the load balancer. It may change rows. */
KECS__FN kecs_status kecs__association_each_group(kecs__write *write, const char *load_balancer_arn,
                                                  kecs_status (*visit)(kecs__write *write, const char *target_group_arn,
                                                                       const char *load_balancer_arn));

/* Takes a load balancer out of a target group's load_balancer_arns (target_group.c). */
KECS__FN kecs_status kecs__target_group_unlink(kecs__write *write, const char *target_group_arn,
                                               const char *load_balancer_arn);

#endif
