/* store/arn.c -- ARNs taken apart and made. */
#include "base/prologue.h"

#include "store/arn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

KECS__FN bool kecs__is_arn(const char *text) {
  return text && strncmp(text, "arn:", 4) == 0;
}

KECS__FN const char *kecs__arn_tail(const char *arn) {
  const char *tail = strrchr(arn, '/');
  tail = tail ? tail : strrchr(arn, ':');
  return tail ? tail + 1 : arn;
}

KECS__FN const char *kecs__arn_resource(const char *arn) {
  if (!kecs__is_arn(arn)) {
    return NULL;
  }
  for (int i = 0; i < 5; i++) {
    arn = strchr(arn, ':');
    if (!arn) {
      return NULL;
    }
    arn++;
  }
  return arn;
}

KECS__FN bool kecs__arn_same_place(const char *a, const char *b) {
  const char *slash = strchr(a, '/');
  return slash && strncmp(a, b, (size_t)(slash - a) + 1) == 0;
}

KECS__FN bool kecs__arn_parse(const char *arn, const char *service, kecs__arena *arena, char **out_region,
                              char **out_account, char **out_rest) {
  /* arn:PARTITION:SERVICE:REGION:ACCOUNT:REST */
  const char *at[6] = {arn, NULL, NULL, NULL, NULL, NULL};
  if (!kecs__is_arn(arn)) {
    return false;
  }
  for (int i = 1; i < 6; i++) {
    const char *colon = strchr(at[i - 1], ':');
    if (!colon) {
      return false;
    }
    at[i] = colon + 1;
  }
  if (service && (strncmp(at[2], service, strlen(service)) != 0 || at[2][strlen(service)] != ':')) {
    return false;
  }
  char *region = kecs__arena_text(arena, at[3], (size_t)(at[4] - at[3]) - 1);
  char *account = kecs__arena_text(arena, at[4], (size_t)(at[5] - at[4]) - 1);
  char *rest = kecs__arena_text(arena, at[5], strlen(at[5]));
  if (out_region) {
    *out_region = region;
  }
  if (out_account) {
    *out_account = account;
  }
  if (out_rest) {
    *out_rest = rest;
  }
  return region && account && rest;
}

KECS__FN char *kecs__arn_format(kecs__write *write, const char *service, const char *region, const char *account,
                                const char *format, ...) {
  char head[256];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  int head_len = snprintf(head, sizeof head, "arn:aws:%s:%s:%s:", service, region, account);
  if (len < 0 || head_len < 0 || (size_t)head_len >= sizeof head) {
    (void)kecs__fail(KECS_E_INVALID, "region \"%.40s\" and account \"%.40s\" are too long for an ARN", region, account);
    return NULL;
  }
  char *arn = kecs__arena_bytes(&write->arena, (size_t)head_len + (size_t)len + 1);
  if (arn) {
    memcpy(arn, head, (size_t)head_len);
    va_start(args, format);
    vsnprintf(arn + head_len, (size_t)len + 1, format, args);
    va_end(args);
  }
  return arn;
}

KECS__FN char *kecs__arn_beside(kecs__arena *arena, const char *arn, const char *format, ...) {
  size_t head = (size_t)(kecs__arn_resource(arn) - arn);
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *out = len < 0 ? NULL : kecs__arena_bytes(arena, head + (size_t)len + 1);
  if (out) {
    memcpy(out, arn, head);
    va_start(args, format);
    vsnprintf(out + head, (size_t)len + 1, format, args);
    va_end(args);
  }
  return out;
}
