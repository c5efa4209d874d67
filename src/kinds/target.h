/* kind: target -- an ELBv2 target: one address and port of a target group, and its health. */
#ifndef KECS_KINDS_TARGET_H
#define KECS_KINDS_TARGET_H
#include "kinds/shared.h"

#define KECS_TARGET_COLUMNS(X, K) \
  X(K, target_group_arn, TEXT, KEY, NN, NONE, "TargetGroupArn", "Target group that owns the target; beside the AWS shape.") \
  X(K, id, TEXT, KEY, NN, NONE, "Target.Id", "Instance id, IP address, function ARN or load balancer ARN, by the group's target type.") \
  X(K, port, INT, KEY, NN, "0", "Target.Port", "Port, so that one id may serve on several; 0 for none, as for lambda.") \
  X(K, availability_zone, TEXT, SPEC, 0, NONE, "Target.AvailabilityZone", "Zone of an address outside the network, or all.") \
  X(K, health_check_port, TEXT, STATUS, 0, NONE, "HealthCheckPort", "Port that is checked, in digits, or traffic-port.") \
  X(K, health_state, TEXT, STATUS, NN | SERVER, "registering", "TargetHealth.State", "registering, initial, healthy, unhealthy, unused, deregistering, draining or unavailable; free text.") \
  X(K, health_reason, TEXT, STATUS, 0, NONE, "TargetHealth.Reason", "Why it has this state, as a code such as Target.Timeout.") \
  X(K, health_description, TEXT, STATUS, 0, NONE, "TargetHealth.Description", "Why it has this state, in words.") \
  X(K, anomaly_detection, JSON, STATUS, 0, NONE, "AnomalyDetection", "{Result, MitigationInEffect}.") \
  X(K, administrative_override, JSON, STATUS, 0, NONE, "AdministrativeOverride", "{State, Reason, Description}.") \
  X(K, registered_at, TIME, SPEC, NN | SERVER, NONE, "kecs.registeredAt", "When it was last registered; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TARGET_KEYS(X, K) \
  X(K, natural, ALWAYS, target_group_arn, id, port)

#define KECS_TARGET_REFS(X, K) \
  X(K, target_group_arn, target_group, arn, CASCADE)

#define KECS_TARGET_INDEXES(X, K) \
  X(K, newest, ALWAYS, registered_at, target_group_arn, id, port) \
  X(K, target_group, ALWAYS, target_group_arn, registered_at, id, port)

#define KECS_TARGET_ORDER(X, K) X(K, registered_at)
#define KECS_TARGET_ADDRESS(X, K) X(K, target_group_arn, id, port)

#endif
