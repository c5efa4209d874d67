/* store/listener.c -- listeners, and the target groups that their default actions forward to. */
#include "base/prologue.h"

#include "store/elb_internal.h"

#include "base/json.h"

#include <string.h>

KECS__FN kecs_status kecs__listener_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_listener *listener = row;
  bool balanced = listener->load_balancer_arn && listener->load_balancer_arn[0];
  if (listener->arn && listener->arn[0]) {
    return balanced ? KECS_OK
                    : kecs__elb_parent_arn(write, meta, listener->arn, "listener/", "loadbalancer/",
                                           KECS_LISTENER_LOAD_BALANCER_ARN, &listener->load_balancer_arn);
  }
  if (!fresh) {
    return KECS_OK;
  }
  if (!balanced) {
    return kecs__fail(KECS_E_INVALID, "a listener has neither arn nor load_balancer_arn; set load_balancer_arn");
  }
  return kecs__elb_child_arn(write, meta, row, listener->load_balancer_arn, "loadbalancer/", "listener/",
                             &listener->arn);
}

/* ---- links ---- */

/* The byte after a string's closing quote. The text is JSON, so there is one. */
static const char *kecs__listener_string_end(const char *at) {
  at++;
  while (*at != '"') {
    at += *at == '\\' ? 2 : 1;
  }
  return at + 1;
}

static const char *kecs__listener_space(const char *at) {
  return at + strspn(at, " \t\r\n");
}

/* The string that the next member "TargetGroupArn" has, at any depth: actions name groups by themselves, and in
 * ForwardConfig.TargetGroups. One pass over the bytes, however deep they nest. *at goes on; false at the end. */
static bool kecs__listener_next_group(const char **at, kecs__json *out) {
  while (**at) {
    if (**at != '"') {
      *at += strcspn(*at, "\"");
      continue;
    }
    kecs__json name = {KECS__JSON_STRING, *at, 0};
    *at = kecs__listener_string_end(*at);
    name.len = (size_t)(*at - name.text);
    const char *value = kecs__listener_space(*at);
    if (*value != ':' || !kecs__json_equals(name, "TargetGroupArn")) {
      continue;
    }
    value = kecs__listener_space(value + 1);
    if (*value == '"') {
      *at = kecs__listener_string_end(value);
      *out = (kecs__json){KECS__JSON_STRING, value, (size_t)(*at - value)};
      return true;
    }
  }
  return false;
}

static kecs_status kecs__listener_link_rows(kecs__write *write, const kecs_listener *listener) {
  const char *at = listener->default_actions;
  kecs__json found;
  kecs__arena arena;
  kecs_status status = KECS_OK;
  if (kecs__json_check(at, strlen(at), NULL).type == KECS__JSON_NONE) {
    return KECS_OK;
  }
  kecs__arena_init(&arena, &write->engine->allocator);
  while (!status && kecs__listener_next_group(&at, &found)) {
    char *arn = kecs__arena_bytes(&arena, found.len + 1);
    if (!arn) {
      status = KECS_E_NOMEM;
    } else if (kecs__json_string_into(found, arn, found.len + 1, NULL)) {
      status = kecs__association_add(write, arn, listener->load_balancer_arn, listener->arn);
    }
  }
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__listener_follow(kecs__write *write, const kecs__meta *meta, const void *before,
                                           const void *after, uint64_t changed) {
  const kecs_listener *old = before;
  const kecs_listener *listener = after;
  kecs_status status = kecs__tags_follow(write, meta, before, after, changed);
  if (status || !(changed & KECS_BIT(KECS_LISTENER_DEFAULT_ACTIONS))) {
    return status;
  }
  if (old && old->default_actions) {
    status = kecs__association_remove(write, KECS__ASSOCIATION_LISTENER, old->arn);
  }
  if (!status && listener && listener->default_actions) {
    status = kecs__listener_link_rows(write, listener);
  }
  return status;
}
