/* store/cluster.h -- what the kinds that live in a cluster have in common: ARNs that name it ("task/CLUSTER/ID"), ids
 * that such ARNs end with, and conditions on the cluster. */
#ifndef KECS_STORE_CLUSTER_H
#define KECS_STORE_CLUSTER_H
#include "store/query.h"

/* The cluster that an ARN such as "TYPE/CLUSTER/..." is in. The default cluster where it names none (the short form of
 * old ARNs), or where there is no ARN. */
KECS__FN kecs_status kecs__cluster_of(kecs__session *session, const char *arn, const char *type, kecs__arena *arena,
                                      const char **out_cluster_arn);

/* The ARN of something in a cluster, "TYPE/CLUSTER/NAME". */
KECS__FN kecs_status kecs__cluster_member(kecs__arena *arena, const char *cluster_arn, const char *type,
                                          const char *name, const char **out_arn);

/* For a kind with the columns arn, id and cluster_arn: fills what is empty of them from each other. An id that has to
 * be made is 32 hexadecimal digits. */
KECS__FN kecs_status kecs__cluster_member_fill(kecs__write *write, const kecs__meta *meta, void *row,
                                               const char *type);

/* Adds cluster_arn=? for a cluster's name or ARN; nothing for NULL and "". */
KECS__FN void kecs__plan_cluster(kecs__plan *plan, const char *cluster);

/* The same where the plan has a condition that selects fewer rows: this one is then not taken for the index. SQLite
 * knows nothing of how many rows a value has and would as soon walk through a whole cluster. */
KECS__FN void kecs__plan_cluster_late(kecs__plan *plan, const char *cluster);

#endif
