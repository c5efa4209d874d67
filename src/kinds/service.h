/* kind: service -- keeps a wanted number of tasks of one definition running in a cluster. */
#ifndef KECS_KINDS_SERVICE_H
#define KECS_KINDS_SERVICE_H
#include "kinds/shared.h"

#define KECS_SERVICE_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "serviceArn", "arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty.") \
  X(K, cluster_arn, TEXT, KEY, NN, NONE, "clusterArn|cluster", "Cluster that owns the service; a bare name is taken too.") \
  X(K, name, TEXT, KEY, NN, NONE, "serviceName|service", "Name, unique within the cluster.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "ACTIVE, DRAINING or INACTIVE; free text.") \
  X(K, desired_count, INT, SPEC, NN, "0", "desiredCount", "Tasks wanted.") \
  X(K, running_count, INT, STATUS, NN, "0", "runningCount", "Tasks that run.") \
  X(K, pending_count, INT, STATUS, NN, "0", "pendingCount", "Tasks that wait.") \
  X(K, task_definition, TEXT, SPEC, NN, "", "taskDefinition", "ARN, family:revision or family, exactly as given.") \
  X(K, launch_type, TEXT, SPEC, 0, NONE, "launchType", "EC2, FARGATE or EXTERNAL.") \
  X(K, platform_version, TEXT, SPEC, 0, NONE, "platformVersion", "Fargate platform version, such as LATEST.") \
  X(K, platform_family, TEXT, SPEC, 0, NONE, "platformFamily", "Operating system family.") \
  X(K, role_arn, TEXT, SPEC, 0, NONE, "roleArn|role", "Role that the service uses with load balancers.") \
  X(K, scheduling_strategy, TEXT, SPEC, NN, "REPLICA", "schedulingStrategy", "REPLICA or DAEMON.") \
  X(K, deployment_configuration, JSON, SPEC, 0, NONE, "deploymentConfiguration", "Rolling update and circuit breaker settings.") \
  X(K, deployment_controller, JSON, SPEC, 0, NONE, "deploymentController", "{type}.") \
  X(K, deployments, JSON, STATUS, 0, NONE, "deployments", "Array of deployments.") \
  X(K, task_sets, JSON, STATUS, 0, NONE, "taskSets", "Array of task sets as the service shows them.") \
  X(K, events, JSON, STATUS, 0, NONE, "events", "Array of the service's last messages.") \
  X(K, load_balancers, JSON, SPEC, 0, NONE, "loadBalancers", "Array of {targetGroupArn, containerName, containerPort}.") \
  X(K, service_registries, JSON, SPEC, 0, NONE, "serviceRegistries", "Array of {registryArn, ...}.") \
  X(K, network_configuration, JSON, SPEC, 0, NONE, "networkConfiguration", "awsvpc subnets, groups, public address.") \
  X(K, capacity_provider_strategy, JSON, SPEC, 0, NONE, "capacityProviderStrategy", "Array of {capacityProvider, weight, base}.") \
  X(K, service_connect_configuration, JSON, SPEC, 0, NONE, "serviceConnectConfiguration", "Service Connect settings.") \
  X(K, volume_configurations, JSON, SPEC, 0, NONE, "volumeConfigurations", "Array of volumes configured at launch.") \
  X(K, placement_constraints, JSON, SPEC, 0, NONE, "placementConstraints", "Array of {type, expression}.") \
  X(K, placement_strategy, JSON, SPEC, 0, NONE, "placementStrategy", "Array of {type, field}.") \
  X(K, health_check_grace_period_seconds, OPTI, SPEC, 0, NONE, "healthCheckGracePeriodSeconds", "Seconds before health checks count.") \
  X(K, enable_ecs_managed_tags, BOOL, SPEC, NN, "0", "enableECSManagedTags", "Whether ECS tags the tasks.") \
  X(K, enable_execute_command, BOOL, SPEC, NN, "0", "enableExecuteCommand", "Whether exec into tasks is allowed.") \
  X(K, propagate_tags, TEXT, SPEC, 0, NONE, "propagateTags", "TASK_DEFINITION, SERVICE or NONE.") \
  X(K, availability_zone_rebalancing, TEXT, SPEC, 0, NONE, "availabilityZoneRebalancing", "ENABLED or DISABLED.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, created_by, TEXT, KEY, 0, NONE, "createdBy", "Principal that created it.") \
  X(K, deployment_name, TEXT, LOCAL, 0, NONE, "kecs.deploymentName", "Kubernetes deployment that carries the service.") \
  X(K, k8s_namespace, TEXT, LOCAL, 0, NONE, "kecs.namespace", "Kubernetes namespace of the deployment.") \
  X(K, node_ports, JSON, LOCAL, 0, NONE, "kecs.nodePorts", "Node ports given out, a JSON document.") \
  X(K, has_node_port, BOOL, LOCAL, NN, "0", "kecs.hasNodePort", "Whether a node port is open.") \
  X(K, assign_public_ip, BOOL, LOCAL, NN, "0", "kecs.assignPublicIp", "Whether tasks get a public address.") \
  X(K, service_registry_metadata, JSON, LOCAL, 0, NONE, "kecs.serviceRegistryMetadata", "Map of service discovery state.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_SERVICE_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id) \
  X(K, name, ALWAYS, cluster_arn, name)

#define KECS_SERVICE_REFS(X, K) \
  X(K, cluster_arn, cluster, arn, CASCADE)

#define KECS_SERVICE_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, cluster, ALWAYS, cluster_arn, created_at, arn) \
  X(K, status, ALWAYS, status, cluster_arn) \
  X(K, task_definition, ALWAYS, task_definition)

#define KECS_SERVICE_ORDER(X, K) X(K, created_at)
#define KECS_SERVICE_ADDRESS(X, K) X(K, cluster_arn, name)

#endif
