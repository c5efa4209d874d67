/* kind: rule -- an ELBv2 rule: what a listener does with requests that meet its conditions. */
#ifndef KECS_KINDS_RULE_H
#define KECS_KINDS_RULE_H
#include "kinds/shared.h"

#define KECS_RULE_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "RuleArn", "arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/LB-ID/LISTENER-ID/ID; made when empty.") \
  X(K, listener_arn, TEXT, KEY, NN | SERVER, NONE, "kecs.listenerArn|ListenerArn", "Listener that owns the rule. From the ARN when empty: AWS takes it as input and does not show it.") \
  X(K, priority, RANK, SPEC, NN, NONE, "Priority", "1 to 49999, the lowest first, unique within the listener; the default rule comes last (AWS CreateRule).") \
  X(K, conditions, JSON, SPEC, NN, "[]", "Conditions", "Array of conditions, all of which must hold; empty for the default rule.") \
  X(K, actions, JSON, SPEC, NN, "[]", "Actions", "Array of actions.") \
  X(K, transforms, JSON, SPEC, 0, NONE, "Transforms", "Array of rewrites done before forwarding.") \
  X(K, is_default, BOOL, KEY, NN, "0", "IsDefault", "Whether it is the listener's default rule.") \
  X(K, tags, JSON, SPEC, 0, NONE, "Tags", "Array of {Key, Value}; kept byte for byte, and in step with the kind tag.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_RULE_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, priority, ALWAYS, listener_arn, priority)

#define KECS_RULE_REFS(X, K) \
  X(K, listener_arn, listener, arn, CASCADE)

#define KECS_RULE_INDEXES(X, K)

#define KECS_RULE_ORDER(X, K) X(K, priority)
#define KECS_RULE_ADDRESS(X, K) X(K, arn)

#endif
