/* kind: listener -- an ELBv2 listener: the port on which a load balancer takes connections. */
#ifndef KECS_KINDS_LISTENER_H
#define KECS_KINDS_LISTENER_H
#include "kinds/shared.h"

#define KECS_LISTENER_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "ListenerArn", "arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/LB-ID/ID; made when empty.") \
  X(K, load_balancer_arn, TEXT, KEY, NN, NONE, "LoadBalancerArn", "Load balancer that owns the listener.") \
  X(K, port, INT, SPEC, NN, "0", "Port", "Port, 1 to 65535; 0 for a gateway load balancer, which has none.") \
  X(K, protocol, TEXT, SPEC, NN, "", "Protocol", "HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP ...; empty for a gateway load balancer.") \
  X(K, ssl_policy, TEXT, SPEC, 0, NONE, "SslPolicy", "Security policy of a secure listener.") \
  X(K, certificates, JSON, SPEC, 0, NONE, "Certificates", "Array of {CertificateArn, IsDefault}.") \
  X(K, default_actions, JSON, SPEC, 0, NONE, "DefaultActions", "Array of actions of the default rule.") \
  X(K, alpn_policy, JSON, SPEC, 0, NONE, "AlpnPolicy", "Array with the name of the ALPN policy.") \
  X(K, mutual_authentication, JSON, SPEC, 0, NONE, "MutualAuthentication", "{Mode, TrustStoreArn, ...}.") \
  X(K, tags, JSON, SPEC, 0, NONE, "Tags", "Array of {Key, Value}; kept byte for byte, and in step with the kind tag.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_LISTENER_KEYS(X, K) \
  X(K, arn, ALWAYS, arn)

#define KECS_LISTENER_REFS(X, K) \
  X(K, load_balancer_arn, load_balancer, arn, CASCADE)

#define KECS_LISTENER_INDEXES(X, K) \
  X(K, load_balancer, ALWAYS, load_balancer_arn, port, arn)

#define KECS_LISTENER_ORDER(X, K) X(K, port)
#define KECS_LISTENER_ADDRESS(X, K) X(K, arn)

#endif
