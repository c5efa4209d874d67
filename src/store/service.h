/* store/service.h -- services that are given by name. */
#ifndef KECS_STORE_SERVICE_H
#define KECS_STORE_SERVICE_H
#include "store/engine.h"

/* The ARN of a service of a cluster: the stored one's, else as AWS would make it. An ARN is given back as it is. */
KECS__FN kecs_status kecs__service_arn(kecs__session *session, const char *cluster_arn, const char *service,
                                       kecs__arena *arena, const char **out_arn);

#endif
