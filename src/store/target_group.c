/* store/target_group.c -- target groups, and the load balancers that they are linked to. */
#include "base/prologue.h"

#include "store/arn.h"
#include "store/elb_internal.h"

#include "base/json_edit.h"

#include <string.h>

KECS__FN kecs_status kecs__target_group_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_target_group *group = row;
  (void)meta;
  bool named = group->name && group->name[0];
  if (group->arn && group->arn[0]) {
    const char *name = group->name;
    kecs_status status = named ? KECS_OK : kecs__elb_arn_part(group->arn, 1, &write->arena, &name); /* TYPE/NAME/ID */
    group->name = name ? name : kecs__arn_tail(group->arn);
    return status;
  }
  if (!fresh) {
    return KECS_OK;
  }
  if (!named) {
    return kecs__fail(KECS_E_INVALID, "a target_group has neither arn nor name; set its name");
  }
  char id[17];
  kecs_status status = kecs__elb_id(write, id);
  if (!status) {
    group->arn = kecs__arn_format(write, KECS__ELB_SERVICE, group->region, group->account_id, "targetgroup/%s/%s",
                                  group->name, id);
    status = group->arn ? KECS_OK : kecs_last_error()->status;
  }
  return status;
}

/* ---- links ---- */

static kecs__json kecs__target_group_links(const char *document) {
  kecs__json none = {KECS__JSON_NONE, NULL, 0};
  return document && document[0] ? kecs__json_check(document, strlen(document), NULL) : none;
}

/* A row for each load balancer that the array names. */
static kecs_status kecs__target_group_link_rows(kecs__write *write, const kecs_target_group *group) {
  kecs__json links = kecs__target_group_links(group->load_balancer_arns);
  kecs__json_walk walk = {NULL};
  kecs__json element;
  kecs__arena arena;
  kecs_status status = KECS_OK;
  kecs__arena_init(&arena, &write->engine->allocator);
  while (!status && kecs__json_next_element(links, &walk, &element)) {
    char *arn = kecs__arena_bytes(&arena, element.len + 1);
    if (!arn) {
      status = KECS_E_NOMEM;
    } else if (kecs__json_string_into(element, arn, element.len + 1, NULL)) { /* what is no string names nothing */
      status = kecs__association_add(write, group->arn, arn, "");
    }
  }
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__target_group_follow(kecs__write *write, const kecs__meta *meta, const void *before,
                                               const void *after, uint64_t changed) {
  const kecs_target_group *old = before;
  const kecs_target_group *group = after;
  kecs_status status = kecs__tags_follow(write, meta, before, after, changed);
  if (status || !(changed & KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS))) {
    return status;
  }
  if (old && old->load_balancer_arns) {
    status = kecs__association_remove(write, KECS__ASSOCIATION_GROUP, old->arn);
  }
  if (!status && group && group->load_balancer_arns) {
    status = kecs__target_group_link_rows(write, group);
  }
  return status;
}

static bool kecs__target_group_is(kecs__json name, kecs__json value, const void *user) {
  (void)name;
  return value.type == KECS__JSON_STRING && kecs__json_equals(value, user);
}

static bool kecs__target_group_has(kecs__json links, const char *load_balancer_arn) {
  kecs__json_walk walk = {NULL};
  kecs__json element;
  while (kecs__json_next_element(links, &walk, &element)) {
    if (kecs__target_group_is(element, element, load_balancer_arn)) {
      return true;
    }
  }
  return false;
}

/* The array with the load balancer in it, or without it, becomes the row's. *out_mask is 0 when it is so already. */
static kecs_status kecs__target_group_edit(kecs__write *write, kecs_target_group *group, const char *load_balancer_arn,
                                           bool linked, uint64_t *out_mask) {
  const char *document = group->load_balancer_arns;
  kecs__json links = kecs__target_group_links(document);
  bool fresh = !document || !document[0] || links.type == KECS__JSON_NULL;
  *out_mask = 0;
  if (!fresh && links.type != KECS__JSON_ARRAY) {
    return kecs__fail(KECS_E_INVALID, "target_group \"%s\": load_balancer_arns is no JSON array; set it to one first",
                      group->arn);
  }
  if (kecs__target_group_has(links, load_balancer_arn) == linked) {
    return KECS_OK;
  }
  kecs__text edited;
  kecs__text item;
  kecs__text_init(&edited, &write->engine->allocator, write->engine->document_bytes_max);
  kecs__text_init(&item, &write->engine->allocator, write->engine->document_bytes_max);
  kecs__json_quote(&item, load_balancer_arn, strlen(load_balancer_arn));
  if (!linked) {
    kecs__json_drop(&edited, document, links, kecs__target_group_is, load_balancer_arn);
  } else if (fresh) {
    kecs__text_addf(&edited, "[%s]", item.data ? item.data : "");
  } else {
    kecs__json_append(&edited, document, links, item.data ? item.data : "", item.len);
  }
  kecs_status status = item.status ? item.status : edited.status;
  if (!status) {
    group->load_balancer_arns = kecs__arena_text(&write->arena, edited.data, edited.len);
    status = group->load_balancer_arns ? KECS_OK : KECS_E_NOMEM;
    *out_mask = KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS);
  }
  kecs__text_free(&item);
  kecs__text_free(&edited);
  return status;
}

KECS__FN kecs_status kecs__target_group_unlink(kecs__write *write, const char *target_group_arn,
                                               const char *load_balancer_arn) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET_GROUP);
  kecs_target_group group;
  kecs__probe probe = {0};
  kecs__change change = {0};
  bool found = false;
  probe.count = 1;
  probe.values[0] = kecs__value_text(target_group_arn);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, &change.rid);
  if (!status && change.rid) {
    memset(&group, 0, sizeof group);
    status = kecs__row_by_rid(write->session, meta, change.rid, &write->arena, &group, &found);
  }
  if (status || !found) {
    return status;
  }
  status = kecs__target_group_edit(write, &group, load_balancer_arn, false, &change.mask);
  change.row = &group;
  return status ? status : kecs__row_change(write, meta, &change);
}

/* ---- operations ---- */

typedef struct kecs__target_group_link {
  const char *load_balancer_arn;
  bool linked;
} kecs__target_group_link;

static kecs_status kecs__target_group_link_edit(kecs__write *write, void *row, void *user, uint64_t *out_mask) {
  const kecs__target_group_link *link = user;
  return kecs__target_group_edit(write, row, link->load_balancer_arn, link->linked, out_mask);
}

static kecs_status kecs__target_group_set_link(kecs_store *store, const char *target_group_arn,
                                               const char *load_balancer_arn, bool linked) {
  kecs__target_group_link link = {load_balancer_arn, linked};
  kecs_value address = kecs__value_text(target_group_arn);
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status) {
    status = kecs__check_pointer(load_balancer_arn, "load_balancer_arn");
  }
  if (!status && (!load_balancer_arn[0] || !kecs__utf8_valid(load_balancer_arn, strlen(load_balancer_arn)))) {
    status = kecs__fail(KECS_E_INVALID, "target_group \"%s\": the load balancer's ARN is empty or not UTF-8",
                        target_group_arn);
  }
  return status ? status
                : kecs__edit_one(store, KECS_KIND_TARGET_GROUP, &address, 1, kecs__target_group_link_edit, &link, NULL);
}

KECS_STORE_API kecs_status kecs_target_group_associate(kecs_store *store, const char *target_group_arn,
                                                       const char *load_balancer_arn) {
  return kecs__target_group_set_link(store, target_group_arn, load_balancer_arn, true);
}

KECS_STORE_API kecs_status kecs_target_group_disassociate(kecs_store *store, const char *target_group_arn,
                                                          const char *load_balancer_arn) {
  return kecs__target_group_set_link(store, target_group_arn, load_balancer_arn, false);
}

KECS_STORE_API kecs_status kecs_target_group_load_balancers(kecs_store *store, const char *target_group_arn,
                                                            kecs_result **out_result) {
  return kecs__association_list(store, KECS_KIND_LOAD_BALANCER, target_group_arn, out_result);
}
