/* kind: account_setting -- an ECS account setting of one principal, or the default for all. */
#ifndef KECS_KINDS_ACCOUNT_SETTING_H
#define KECS_KINDS_ACCOUNT_SETTING_H
#include "kinds/shared.h"

#define KECS_ACCOUNT_SETTING_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty. An upsert keeps the first one.") \
  X(K, name, TEXT, KEY, NN, NONE, "name", "Setting, such as containerInsights or awsvpcTrunking.") \
  X(K, value, TEXT, SPEC, NN, "", "value", "Usually enabled or disabled; free text.") \
  X(K, principal_arn, TEXT, KEY, NN, NONE, "principalArn", "User, role or root that the value is for; the word default for a default.") \
  X(K, type, TEXT, SPEC, 0, NONE, "type", "user or aws_managed.") \
  X(K, is_default, BOOL, SPEC, NN, "0", "kecs.isDefault", "Whether it holds for principals without a setting of their own.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_ACCOUNT_SETTING_KEYS(X, K) \
  X(K, natural, ALWAYS, principal_arn, name) \
  X(K, id, ALWAYS, id)

#define KECS_ACCOUNT_SETTING_REFS(X, K)

#define KECS_ACCOUNT_SETTING_INDEXES(X, K) \
  X(K, ordered, ALWAYS, name, principal_arn) \
  X(K, defaults, ALWAYS, is_default, name)

#define KECS_ACCOUNT_SETTING_ORDER(X, K) X(K, name, principal_arn)
#define KECS_ACCOUNT_SETTING_ADDRESS(X, K) X(K, principal_arn, name)

#endif
