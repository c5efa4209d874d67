/* kinds/kinds.h -- the registry of kinds. X(number, name, UPPER, "table", flags)
 *
 * The order is load order: parents come before children. Numbers are on the wire and in page tokens: never reused,
 * never renumbered. Flags: APPEND (rows are never updated), PLAIN (neither version nor updated_at), 0. */
#ifndef KECS_KINDS_KINDS_H
#define KECS_KINDS_KINDS_H
#include "kinds/cluster.h"
#include "kinds/task_definition.h"
#include "kinds/service.h"
#include "kinds/task.h"
#include "kinds/task_set.h"
#include "kinds/container_instance.h"
#include "kinds/attribute.h"
#include "kinds/account_setting.h"
#include "kinds/task_log.h"
#include "kinds/load_balancer.h"
#include "kinds/target_group.h"
#include "kinds/listener.h"
#include "kinds/rule.h"
#include "kinds/target.h"
#include "kinds/tag.h"
#include "kinds/event.h"
#include "kinds/node.h"
#include "kinds/node_task.h"

#define KECS_KINDS(X) \
  X(1, cluster, CLUSTER, "clusters", 0) \
  X(2, task_definition, TASK_DEFINITION, "task_definitions", 0) \
  X(3, service, SERVICE, "services", 0) \
  X(4, task, TASK, "tasks", 0) \
  X(5, task_set, TASK_SET, "task_sets", 0) \
  X(6, container_instance, CONTAINER_INSTANCE, "container_instances", 0) \
  X(7, attribute, ATTRIBUTE, "attributes", 0) \
  X(8, account_setting, ACCOUNT_SETTING, "account_settings", 0) \
  X(9, task_log, TASK_LOG, "task_logs", APPEND) \
  X(10, load_balancer, LOAD_BALANCER, "elbv2_load_balancers", 0) \
  X(11, target_group, TARGET_GROUP, "elbv2_target_groups", 0) \
  X(12, listener, LISTENER, "elbv2_listeners", 0) \
  X(13, rule, RULE, "elbv2_rules", 0) \
  X(14, target, TARGET, "elbv2_targets", 0) \
  X(15, tag, TAG, "resource_tags", PLAIN) \
  X(16, event, EVENT, "events", APPEND) \
  X(17, node, NODE, "nodes", 0) \
  X(18, node_task, NODE_TASK, "node_tasks", 0)

#endif
