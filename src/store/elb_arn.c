/* store/elb_arn.c -- the ARNs that the ELBv2 kinds make of one another. */
#include "base/prologue.h"

#include "store/arn.h"
#include "store/elb_internal.h"

#include "base/id.h"

#include <string.h>

KECS__FN kecs_status kecs__elb_id(kecs__write *write, char out[17]) {
  return kecs__random_hex(&write->engine->random, out, 16);
}

/* What follows the type in an ARN's resource, or NULL when it is of another type. */
static const char *kecs__elb_arn_rest(const char *arn, const char *type) {
  const char *resource = kecs__arn_resource(arn);
  return resource && strncmp(resource, type, strlen(type)) == 0 ? resource + strlen(type) : NULL;
}

KECS__FN kecs_status kecs__elb_child_arn(kecs__write *write, const kecs__meta *meta, const void *row,
                                         const char *parent_arn, const char *parent_type, const char *type,
                                         const char **out_arn) {
  const char *rest = kecs__elb_arn_rest(parent_arn, parent_type);
  char id[17];
  kecs_status status = kecs__elb_id(write, id);
  *out_arn = NULL;
  if (status) {
    return status;
  }
  if (rest) {
    *out_arn = kecs__arn_beside(&write->arena, parent_arn, "%s%s/%s", type, rest, id);
  } else {
    const char *region = kecs__row_text(meta->info, row, meta->region);
    const char *account = kecs__row_text(meta->info, row, meta->account_id);
    *out_arn = kecs__arn_format(write, KECS__ELB_SERVICE, region, account, "%sapp/%s/%s", type,
                                kecs__arn_tail(parent_arn), id);
  }
  return *out_arn ? KECS_OK : kecs_last_error()->status;
}

KECS__FN kecs_status kecs__elb_parent_arn(kecs__write *write, const kecs__meta *meta, const char *arn, const char *type,
                                          const char *parent_type, int column, const char **out_parent_arn) {
  const char *rest = kecs__elb_arn_rest(arn, type);
  const char *last = rest ? strrchr(rest, '/') : NULL; /* the child's own id follows it */
  *out_parent_arn = NULL;
  if (!last) {
    return kecs__fail(KECS_E_INVALID, "%s \"%s\": %s is empty, and the ARN does not say it; set it", meta->info->name,
                      arn, meta->info->columns[column].name);
  }
  *out_parent_arn = kecs__arn_beside(&write->arena, arn, "%s%.*s", parent_type, (int)(last - rest), rest);
  return *out_parent_arn ? KECS_OK : KECS_E_NOMEM;
}

KECS__FN kecs_status kecs__elb_arn_part(const char *arn, int number, kecs__arena *arena, const char **out_part) {
  const char *part = kecs__arn_resource(arn);
  for (int i = 0; part && i < number; i++) {
    part = strchr(part, '/');
    part = part ? part + 1 : NULL;
  }
  *out_part = part ? kecs__arena_text(arena, part, strcspn(part, "/")) : NULL;
  return part && !*out_part ? KECS_E_NOMEM : KECS_OK;
}
