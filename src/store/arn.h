/* store/arn.h -- ARNs taken apart and made: "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE". */
#ifndef KECS_STORE_ARN_H
#define KECS_STORE_ARN_H
#include "store/engine.h"

/* "arn:aws:SERVICE:REGION:ACCOUNT:REST" taken apart. Texts go to the
 * arena. False when it is no ARN of that service; out pointers may be NULL. */
KECS__FN bool kecs__arn_parse(const char *arn, const char *service, kecs__arena *arena, char **out_region,
                              char **out_account, char **out_rest);
KECS__FN char *kecs__arn_format(kecs__write *write, const char *service, const char *region, const char *account,
                                const char *format, ...) KECS_STORE_PRINTF(5, 6);

/* The last part of an ARN's resource: after the last slash, or the last colon. Points into `arn`. */
KECS__FN const char *kecs__arn_tail(const char *arn);

KECS__FN bool kecs__is_arn(const char *text);

/* The resource of an ARN: what follows the fifth colon. NULL when it has not that many. Points into `arn`. */
KECS__FN const char *kecs__arn_resource(const char *arn);

/* An ARN of the same partition, service, region and account, with another resource. NULL means NOMEM. `arn` must
 * have a resource. */
KECS__FN char *kecs__arn_beside(kecs__arena *arena, const char *arn, const char *format, ...) KECS_STORE_PRINTF(3, 4);

/* Two ARNs of one resource agree up to the resource's own part: partition, service, region, account, type. */
KECS__FN bool kecs__arn_same_place(const char *a, const char *b);

#endif
