/* store/load_balancer.c -- load balancers. */
#include "base/prologue.h"

#include "store/arn.h"
#include "store/elb_internal.h"

#include "base/id.h"
#include "store/cluster.h"

#include <string.h>

/* The type, and the word that stands for it in ARNs. */
static const struct {
  const char *type;
  const char *word;
} kecs__load_balancer_types[] = {{"application", "app"}, {"network", "net"}, {"gateway", "gwy"}};

enum { KECS__LOAD_BALANCER_TYPES = sizeof kecs__load_balancer_types / sizeof kecs__load_balancer_types[0] };

/* loadbalancer/app/NAME/ID says type and name; any other ARN at least ends with something to call it. */
static kecs_status kecs__load_balancer_from_arn(kecs__write *write, kecs_load_balancer *balancer) {
  const char *type = NULL;
  const char *name = NULL;
  kecs_status status = kecs__elb_arn_part(balancer->arn, 1, &write->arena, &type);
  if (!status) {
    status = kecs__elb_arn_part(balancer->arn, 2, &write->arena, &name);
  }
  if (!balancer->name || !balancer->name[0]) {
    balancer->name = name ? name : kecs__arn_tail(balancer->arn);
  }
  for (int i = 0; type && !balancer->type && i < KECS__LOAD_BALANCER_TYPES; i++) {
    if (strcmp(type, kecs__load_balancer_types[i].word) == 0) {
      balancer->type = kecs__load_balancer_types[i].type;
    }
  }
  return status;
}

KECS__FN kecs_status kecs__load_balancer_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_load_balancer *balancer = row;
  (void)meta;
  if (balancer->arn && balancer->arn[0]) {
    return kecs__load_balancer_from_arn(write, balancer);
  }
  if (!fresh) {
    return KECS_OK;
  }
  if (!balancer->name || !balancer->name[0]) {
    return kecs__fail(KECS_E_INVALID, "a load_balancer has neither arn nor name; set its name");
  }
  const char *word = kecs__load_balancer_types[0].word;
  for (int i = 0; balancer->type && i < KECS__LOAD_BALANCER_TYPES; i++) {
    if (strcmp(balancer->type, kecs__load_balancer_types[i].type) == 0) {
      word = kecs__load_balancer_types[i].word;
    }
  }
  char id[17];
  kecs_status status = kecs__elb_id(write, id);
  if (!status) {
    balancer->arn = kecs__arn_format(write, KECS__ELB_SERVICE, balancer->region, balancer->account_id,
                                     "loadbalancer/%s/%s/%s", word, balancer->name, id);
    status = balancer->arn ? KECS_OK : kecs_last_error()->status;
  }
  return status;
}

KECS__FN kecs_status kecs__load_balancer_follow(kecs__write *write, const kecs__meta *meta, const void *before,
                                                const void *after, uint64_t changed) {
  /* Where another store has deleted it, groups that still name it say what they say there, too. */
  const kecs_load_balancer *gone = after || write->burial ? NULL : before;
  kecs_status status = kecs__tags_follow(write, meta, before, after, changed);
  if (!status && gone) {
    status = kecs__association_each_group(write, gone->arn, kecs__target_group_unlink);
  }
  if (!status && gone) {
    status = kecs__association_remove(write, KECS__ASSOCIATION_BALANCER, gone->arn);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_load_balancer_target_groups(kecs_store *store, const char *load_balancer_arn,
                                                            kecs_result **out_result) {
  return kecs__association_list(store, KECS_KIND_TARGET_GROUP, load_balancer_arn, out_result);
}
