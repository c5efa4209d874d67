/* kind: load_balancer -- an ELBv2 load balancer: application, network or gateway. */
#ifndef KECS_KINDS_LOAD_BALANCER_H
#define KECS_KINDS_LOAD_BALANCER_H
#include "kinds/shared.h"

#define KECS_LOAD_BALANCER_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "LoadBalancerArn", "arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID; made when empty.") \
  X(K, name, TEXT, KEY, NN, NONE, "LoadBalancerName|Name", "Name, unique in (account, region): 1 to 32 letters, digits and - (AWS CreateLoadBalancer).") \
  X(K, type, TEXT, SPEC, NN, "application", "Type", "application, network or gateway.") \
  X(K, scheme, TEXT, SPEC, NN, "internet-facing", "Scheme", "internet-facing or internal; AWS has none for a gateway.") \
  X(K, state, TEXT, STATUS, NN | SERVER, "provisioning", "State.Code", "provisioning, active, active_impaired or failed; free text.") \
  X(K, state_reason, TEXT, STATUS, 0, NONE, "State.Reason", "Why it has this state, in words.") \
  X(K, dns_name, TEXT, STATUS, 0, NONE, "DNSName", "Public name; from whoever runs the load balancer.") \
  X(K, canonical_hosted_zone_id, TEXT, STATUS, 0, NONE, "CanonicalHostedZoneId", "Route 53 zone of the public name.") \
  X(K, vpc_id, TEXT, SPEC, 0, NONE, "VpcId", "Network that it stands in.") \
  X(K, subnets, JSON, SPEC, 0, NONE, "Subnets", "Array of subnet ids, as CreateLoadBalancer takes them.") \
  X(K, availability_zones, JSON, SPEC, 0, NONE, "AvailabilityZones", "Array of {ZoneName, SubnetId, LoadBalancerAddresses}.") \
  X(K, security_groups, JSON, SPEC, 0, NONE, "SecurityGroups", "Array of security group ids.") \
  X(K, ip_address_type, TEXT, SPEC, NN, "ipv4", "IpAddressType", "ipv4, dualstack or dualstack-without-public-ipv4.") \
  X(K, enable_prefix_for_ipv6_source_nat, TEXT, SPEC, 0, NONE, "EnablePrefixForIpv6SourceNat", "on or off, for a network load balancer with UDP on IPv6.") \
  X(K, tags, JSON, SPEC, 0, NONE, "Tags", "Array of {Key, Value}; kept byte for byte, and in step with the kind tag.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "CreatedTime", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_LOAD_BALANCER_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, name, ALWAYS, account_id, region, name)

#define KECS_LOAD_BALANCER_REFS(X, K)

#define KECS_LOAD_BALANCER_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, region, ALWAYS, region, created_at, arn)

#define KECS_LOAD_BALANCER_ORDER(X, K) X(K, created_at)
#define KECS_LOAD_BALANCER_ADDRESS(X, K) X(K, name)

#endif
