/* kind: target_group -- the ELBv2 targets that a listener forwards to, and how their health is checked.
 *
 * The defaults of the numbers are those of the KECS API. AWS's own differ by protocol and target type, so a group that
 * came without one keeps the default in the row and its document stays without it. */
#ifndef KECS_KINDS_TARGET_GROUP_H
#define KECS_KINDS_TARGET_GROUP_H
#include "kinds/shared.h"

#define KECS_TARGET_GROUP_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "TargetGroupArn", "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID; made when empty.") \
  X(K, name, TEXT, KEY, NN, NONE, "TargetGroupName|Name", "Name, unique in (account, region): 1 to 32 letters, digits and - (AWS CreateTargetGroup).") \
  X(K, protocol, TEXT, SPEC, NN, "HTTP", "Protocol", "HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE ...; AWS has none for lambda.") \
  X(K, protocol_version, TEXT, SPEC, 0, NONE, "ProtocolVersion", "HTTP1, HTTP2 or GRPC.") \
  X(K, port, INT, SPEC, NN, "80", "Port", "Port of targets that name none, 1 to 65535; AWS has none for lambda.") \
  X(K, target_type, TEXT, SPEC, NN, "instance", "TargetType", "instance, ip, lambda or alb.") \
  X(K, vpc_id, TEXT, SPEC, 0, NONE, "VpcId", "Network of the targets; AWS has none for lambda.") \
  X(K, ip_address_type, TEXT, SPEC, 0, NONE, "IpAddressType", "ipv4 or ipv6.") \
  X(K, health_check_enabled, BOOL, SPEC, NN, "1", "HealthCheckEnabled", "Whether health is checked; true in a document that does not say, while a zeroed struct says false.") \
  X(K, health_check_protocol, TEXT, SPEC, 0, NONE, "HealthCheckProtocol", "Protocol of the checks.") \
  X(K, health_check_port, TEXT, SPEC, NN, "traffic-port", "HealthCheckPort", "Port of the checks in digits, or traffic-port for the target's own.") \
  X(K, health_check_path, TEXT, SPEC, NN, "/", "HealthCheckPath", "Path that HTTP checks ask for.") \
  X(K, health_check_interval_seconds, INT, SPEC, NN, "30", "HealthCheckIntervalSeconds", "Seconds between two checks of a target; AWS allows 5 to 300.") \
  X(K, health_check_timeout_seconds, INT, SPEC, NN, "5", "HealthCheckTimeoutSeconds", "Seconds without an answer that make a check fail; AWS allows 2 to 120.") \
  X(K, healthy_threshold_count, INT, SPEC, NN, "2", "HealthyThresholdCount", "Successes in a row that make a target healthy; AWS allows 2 to 10.") \
  X(K, unhealthy_threshold_count, INT, SPEC, NN, "5", "UnhealthyThresholdCount", "Failures in a row that make a target unhealthy; AWS allows 2 to 10.") \
  X(K, matcher, TEXT, SPEC, NN, "200", "Matcher.HttpCode", "HTTP codes that count as success, such as 200 or 200-399.") \
  X(K, matcher_grpc_code, TEXT, SPEC, 0, NONE, "Matcher.GrpcCode", "gRPC codes that count as success, such as 0 or 0-99.") \
  X(K, load_balancer_arns, JSON, STATUS, 0, NONE, "LoadBalancerArns", "Array of the load balancers whose listeners forward here.") \
  X(K, tags, JSON, SPEC, 0, NONE, "Tags", "Array of {Key, Value}; kept byte for byte, and in step with the kind tag.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TARGET_GROUP_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, name, ALWAYS, account_id, region, name)

#define KECS_TARGET_GROUP_REFS(X, K)

#define KECS_TARGET_GROUP_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, region, ALWAYS, region, created_at, arn)

#define KECS_TARGET_GROUP_ORDER(X, K) X(K, created_at)
#define KECS_TARGET_GROUP_ADDRESS(X, K) X(K, name)

#endif
