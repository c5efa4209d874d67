/* store/validate.c -- validation: the table of rules, the rules that several kinds share, and how they are applied.
 * What each rule accepts, and where it comes from, is listed in docs/validation.md. */
#include "base/prologue.h"

#include "store/validate_internal.h"

#include "store/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
  KECS__VALIDATE_TAGS = 50,     /* a resource's tags, those of AWS itself not counted */
  KECS__VALIDATE_TAG_KEY = 128, /* characters */
  KECS__VALIDATE_TAG_VALUE = 256,
  KECS__VALIDATE_STRING = 4 * KECS__VALIDATE_TAG_VALUE + 1,
  KECS__VALIDATE_PRIORITY = 49999,
  KECS__VALIDATE_WEIGHT = 1000,
  KECS__VALIDATE_BASE = 100000
};

/* ---- settings, capacity providers, tags ---- */

static kecs_status kecs__validate_setting(const kecs__validate_path *path, kecs__json setting, void *user) {
  (void)user;
  kecs__validate_path name = {path, "name", 0};
  kecs__validate_path value = {path, "value", 0};
  kecs_status status = kecs__validate_word(&name, kecs__validate_member(setting, "name"), "containerInsights");
  return status ? status
                : kecs__validate_word(&value, kecs__validate_member(setting, "value"), "enabled enhanced disabled");
}

/* The providers that a strategy may use. */
typedef struct kecs__validate_offer {
  const kecs__validate_names *names; /* NULL: not known here, so any name will do */
  bool based;                        /* an item before this one has a base */
} kecs__validate_offer;

static kecs_status kecs__validate_provider(const kecs__validate_path *path, kecs__json provider,
                                           const kecs__validate_names *listed) {
  char name[256];
  if (provider.type == KECS__JSON_NONE) {
    return kecs__validate_name(path, NULL, "-_", 255);
  }
  if (!kecs__json_string_into(provider, name, sizeof name, NULL)) {
    return kecs__validate_fail(path, "a capacity provider's name is expected: 1 to 255 letters, digits and - _");
  }
  kecs_status status = kecs__validate_name(path, name, "-_", 255);
  if (status || !listed || kecs__validate_among(name, "FARGATE FARGATE_SPOT EC2") ||
      kecs__validate_names_has(listed, name)) {
    return status;
  }
  return kecs__validate_fail(path, "%.60s is not among capacityProviders; list it there, or use FARGATE, FARGATE_SPOT "
                             "or EC2", name);
}

static kecs_status kecs__validate_strategy_item(const kecs__validate_path *path, kecs__json item, void *user) {
  kecs__validate_offer *offer = user;
  kecs__validate_path provider = {path, "capacityProvider", 0};
  kecs__validate_path weight = {path, "weight", 0};
  kecs__validate_path base = {path, "base", 0};
  bool set = false;
  int64_t number = 0;
  kecs_status status =
      kecs__validate_provider(&provider, kecs__validate_member(item, "capacityProvider"), offer->names);
  if (!status) {
    status = kecs__validate_number(&weight, kecs__validate_member(item, "weight"), 0, KECS__VALIDATE_WEIGHT, &set,
                                   &number);
  }
  if (!status) {
    status = kecs__validate_number(&base, kecs__validate_member(item, "base"), 0, KECS__VALIDATE_BASE, &set, &number);
  }
  if (!status && number > 0) {
    status = offer->based ? kecs__validate_fail(&base, "an item before has a base already; only one may be above 0")
                          : KECS_OK;
    offer->based = true;
  }
  return status;
}

/* A strategy that may use the providers of this list. */
static kecs_status kecs__validate_strategy(const kecs__validate_path *path, kecs__json strategy,
                                           const kecs__validate_path *providers_path, kecs__json providers) {
  kecs__validate_names names;
  kecs__validate_offer offer = {&names, false};
  kecs_status status = kecs__validate_names_read(&names, providers_path, providers, NULL);
  if (!status) {
    status = kecs__validate_each(path, strategy, kecs__validate_strategy_item, &offer);
  }
  kecs__validate_names_free(&names);
  return status;
}

static kecs_status kecs__validate_providers(const kecs__validate_path *path, kecs__json providers) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__validate_path at = {path, NULL, 0};
  kecs_status status = KECS_OK;
  if (providers.type != KECS__JSON_NONE && providers.type != KECS__JSON_ARRAY) {
    return kecs__validate_fail(path, "a JSON array of capacity provider names is expected");
  }
  for (; !status && kecs__json_next_element(providers, &walk, &name); at.index++) {
    status = kecs__validate_provider(&at, name, NULL);
  }
  return status;
}

typedef struct kecs__validate_tags {
  const char *key; /* the members' names: ELB writes them with capitals */
  const char *value;
  int count;
} kecs__validate_tags;

/* A string member, decoded, of at most `max` characters. */
static kecs_status kecs__validate_tag_part(const kecs__validate_path *path, kecs__json part, size_t min, int64_t max,
                                           char out[KECS__VALIDATE_STRING]) {
  out[0] = '\0';
  if (part.type != KECS__JSON_NONE && !kecs__json_string_into(part, out, KECS__VALIDATE_STRING, NULL)) {
    return kecs__validate_fail(path, "a string of %zu to %lld characters is expected", min, (long long)max);
  }
  return kecs__validate_length(path, out, min, max);
}

static kecs_status kecs__validate_tag(const kecs__validate_path *path, kecs__json tag, void *user) {
  kecs__validate_tags *tags = user;
  kecs__validate_path key = {path, tags->key, 0};
  kecs__validate_path value = {path, tags->value, 0};
  char text[KECS__VALIDATE_STRING];
  kecs_status status =
      kecs__validate_tag_part(&key, kecs__validate_member(tag, tags->key), 1, KECS__VALIDATE_TAG_KEY, text);
  if (status) {
    return status;
  }
  /* Tags that AWS itself has put on the resource begin with aws: and count for nothing. */
  bool ours = (text[0] | 0x20) != 'a' || (text[1] | 0x20) != 'w' || (text[2] | 0x20) != 's' || text[3] != ':';
  tags->count += ours;
  if (tags->count > KECS__VALIDATE_TAGS) {
    return kecs__validate_fail(path, "a resource has at most %d tags", (int)KECS__VALIDATE_TAGS);
  }
  return kecs__validate_tag_part(&value, kecs__validate_member(tag, tags->value), 0, KECS__VALIDATE_TAG_VALUE, text);
}

static kecs_status kecs__validate_account(const kecs__validate_path *path, const char *account_id) {
  size_t len = account_id ? strspn(account_id, "0123456789") : 0;
  return len == 12 && !account_id[len] ? KECS_OK
                                       : kecs__validate_fail(path, "an account id of 12 digits is expected");
}

static kecs_status kecs__validate_priority(const kecs__validate_path *path, int64_t priority) {
  if (priority == KECS_RANK_DEFAULT || (priority >= 1 && priority <= KECS__VALIDATE_PRIORITY)) {
    return KECS_OK;
  }
  return kecs__validate_fail(path, "%lld must be between 1 and %d, or KECS_RANK_DEFAULT (\"default\")",
                             (long long)priority, (int)KECS__VALIDATE_PRIORITY);
}

/* ---- rules ---- */

static kecs_status kecs__validate_rule_name(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                            const kecs__validate_path *path) {
  return kecs__validate_name(path, kecs__validate_text(it, rule->column), rule->accepts, rule->limit);
}

/* An empty text is not set: it takes the default. */
static kecs_status kecs__validate_rule_word(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                            const kecs__validate_path *path) {
  const char *text = kecs__validate_text(it, rule->column);
  return text ? kecs__validate_word_text(path, text, rule->accepts) : KECS_OK;
}

static kecs_status kecs__validate_rule_required(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                const kecs__validate_path *path) {
  const char *text = kecs__validate_text(it, rule->column);
  return kecs__validate_length(path, text ? text : "", 1, rule->limit);
}

static kecs_status kecs__validate_rule_length(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                              const kecs__validate_path *path) {
  const char *text = kecs__validate_text(it, rule->column);
  return kecs__validate_length(path, text ? text : "", 0, rule->limit);
}

static kecs_status kecs__validate_rule_range(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                             const kecs__validate_path *path) {
  int64_t number = kecs__row_number(it->info, it->row, rule->column);
  return number >= 0 && number <= rule->limit
             ? KECS_OK
             : kecs__validate_fail(path, "%lld is not accepted; use %s", (long long)number, rule->accepts);
}

static kecs_status kecs__validate_rule_object(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                              const kecs__validate_path *path) {
  kecs__json_type type = it->documents[rule->column].type;
  return type == KECS__JSON_OBJECT || type == KECS__JSON_NONE
             ? KECS_OK
             : kecs__validate_fail(path, "a JSON object is expected");
}

static kecs_status kecs__validate_rule_settings(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                const kecs__validate_path *path) {
  return kecs__validate_each(path, it->documents[rule->column], kecs__validate_setting, NULL);
}

static kecs_status kecs__validate_rule_providers(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                 const kecs__validate_path *path) {
  return kecs__validate_providers(path, it->documents[rule->column]);
}

/* The form of a strategy. A service's providers are listed in its cluster, another row, so any name will do. */
static kecs_status kecs__validate_rule_strategy(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                const kecs__validate_path *path) {
  kecs__validate_offer offer = {NULL, false};
  return kecs__validate_each(path, it->documents[rule->column], kecs__validate_strategy_item, &offer);
}

static kecs_status kecs__validate_rule_listed(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                              const kecs__validate_path *path) {
  kecs__validate_path providers = {NULL, it->info->columns[KECS_CLUSTER_CAPACITY_PROVIDERS].json, 0};
  return kecs__validate_strategy(path, it->documents[rule->column], &providers,
                                 it->documents[KECS_CLUSTER_CAPACITY_PROVIDERS]);
}

static kecs_status kecs__validate_rule_tags(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                            const kecs__validate_path *path) {
  kecs__json array = it->documents[rule->column];
  kecs__validate_tags tags = {rule->accepts, rule->accepts[0] == 'K' ? "Value" : "value", 0};
  kecs_status status = kecs__validate_each(path, array, kecs__validate_tag, &tags);
  return status ? status : kecs__validate_unique(path, array, tags.key);
}

/* The store gives a default rule its priority, so that one may come without. */
static kecs_status kecs__validate_rule_priority(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                const kecs__validate_path *path) {
  int64_t priority = kecs__row_number(it->info, it->row, rule->column);
  bool is_default = kecs__row_number(it->info, it->row, KECS_RULE_IS_DEFAULT) != 0;
  return priority == 0 && is_default ? KECS_OK : kecs__validate_priority(path, priority);
}

/* ---- the table ---- */

#define KECS__PORT_WORDS "1 to 65535, or 0 for none"
#define KECS__LAUNCH_WORDS "EC2 FARGATE EXTERNAL MANAGED_INSTANCES"

/* Applied in this order. A rule with `also` reads more columns than its own. */
static const kecs__validate_rule kecs__validate_rules[] = {
    {KECS_KIND_CLUSTER, KECS_CLUSTER_NAME, 0, kecs__validate_rule_name, "-_", 255},
    {KECS_KIND_CLUSTER, KECS_CLUSTER_SETTINGS, 0, kecs__validate_rule_settings, NULL, 0},
    {KECS_KIND_CLUSTER, KECS_CLUSTER_CAPACITY_PROVIDERS, 0, kecs__validate_rule_providers, NULL, 0},
    {KECS_KIND_CLUSTER, KECS_CLUSTER_DEFAULT_CAPACITY_PROVIDER_STRATEGY, 0, kecs__validate_rule_strategy, NULL, 0},
    {KECS_KIND_CLUSTER, KECS_CLUSTER_DEFAULT_CAPACITY_PROVIDER_STRATEGY, KECS_BIT(KECS_CLUSTER_CAPACITY_PROVIDERS),
     kecs__validate_rule_listed, NULL, 0},
    {KECS_KIND_CLUSTER, KECS_CLUSTER_TAGS, 0, kecs__validate_rule_tags, "key", 0},

    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_FAMILY, 0, kecs__validate_family, "-_", 255},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_CONTAINER_DEFINITIONS, 0, kecs__validate_containers, NULL, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_VOLUMES, 0, kecs__validate_volumes, NULL, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_CONTAINER_DEFINITIONS, KECS_BIT(KECS_TASK_DEFINITION_VOLUMES),
     kecs__validate_mount_points, NULL, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_NETWORK_MODE, 0, kecs__validate_rule_word,
     "none bridge awsvpc host", 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_PID_MODE, 0, kecs__validate_rule_word, "host task", 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_IPC_MODE, 0, kecs__validate_rule_word, "host task none", 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES, 0, kecs__validate_compatibilities,
     KECS__LAUNCH_WORDS, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_NETWORK_MODE,
     KECS_BIT(KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES), kecs__validate_fargate_network, NULL, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_CPU,
     KECS_BIT(KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES) | KECS_BIT(KECS_TASK_DEFINITION_MEMORY),
     kecs__validate_fargate_size, NULL, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_CPU, 0, kecs__validate_task_cpu, NULL, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_MEMORY, 0, kecs__validate_task_memory, NULL, 0},
    {KECS_KIND_TASK_DEFINITION, KECS_TASK_DEFINITION_TAGS, 0, kecs__validate_rule_tags, "key", 0},

    {KECS_KIND_SERVICE, KECS_SERVICE_NAME, 0, kecs__validate_rule_name, "-_", 255},
    {KECS_KIND_SERVICE, KECS_SERVICE_DESIRED_COUNT, 0, kecs__validate_rule_range, "0 or more", INT64_MAX},
    {KECS_KIND_SERVICE, KECS_SERVICE_LAUNCH_TYPE, 0, kecs__validate_rule_word, KECS__LAUNCH_WORDS, 0},
    {KECS_KIND_SERVICE, KECS_SERVICE_SCHEDULING_STRATEGY, 0, kecs__validate_rule_word, "REPLICA DAEMON", 0},
    {KECS_KIND_SERVICE, KECS_SERVICE_DEPLOYMENT_CONFIGURATION, 0, kecs__validate_rule_object, NULL, 0},
    {KECS_KIND_SERVICE, KECS_SERVICE_CAPACITY_PROVIDER_STRATEGY, 0, kecs__validate_rule_strategy, NULL, 0},
    {KECS_KIND_SERVICE, KECS_SERVICE_TAGS, 0, kecs__validate_rule_tags, "key", 0},

    {KECS_KIND_TASK_SET, KECS_TASK_SET_LAUNCH_TYPE, 0, kecs__validate_rule_word, KECS__LAUNCH_WORDS, 0},
    {KECS_KIND_TASK_SET, KECS_TASK_SET_CAPACITY_PROVIDER_STRATEGY, 0, kecs__validate_rule_strategy, NULL, 0},
    {KECS_KIND_TASK_SET, KECS_TASK_SET_TAGS, 0, kecs__validate_rule_tags, "key", 0},
    {KECS_KIND_CONTAINER_INSTANCE, KECS_CONTAINER_INSTANCE_TAGS, 0, kecs__validate_rule_tags, "key", 0},
    {KECS_KIND_ATTRIBUTE, KECS_ATTRIBUTE_NAME, 0, kecs__validate_rule_name, "-_./\\", 128},
    {KECS_KIND_ACCOUNT_SETTING, KECS_ACCOUNT_SETTING_NAME, 0, kecs__validate_rule_required, NULL, INT64_MAX},

    {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_NAME, 0, kecs__validate_rule_name, "-", 32},
    {KECS_KIND_LOAD_BALANCER, KECS_LOAD_BALANCER_TAGS, 0, kecs__validate_rule_tags, "Key", 0},
    {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_NAME, 0, kecs__validate_rule_name, "-", 32},
    {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_PORT, 0, kecs__validate_rule_range, KECS__PORT_WORDS, 65535},
    {KECS_KIND_TARGET_GROUP, KECS_TARGET_GROUP_TAGS, 0, kecs__validate_rule_tags, "Key", 0},
    {KECS_KIND_LISTENER, KECS_LISTENER_PORT, 0, kecs__validate_rule_range, KECS__PORT_WORDS, 65535},
    {KECS_KIND_LISTENER, KECS_LISTENER_TAGS, 0, kecs__validate_rule_tags, "Key", 0},
    {KECS_KIND_RULE, KECS_RULE_PRIORITY, 0, kecs__validate_rule_priority, NULL, 0},
    {KECS_KIND_RULE, KECS_RULE_TAGS, 0, kecs__validate_rule_tags, "Key", 0},
    {KECS_KIND_TARGET, KECS_TARGET_PORT, 0, kecs__validate_rule_range, KECS__PORT_WORDS, 65535},

    {KECS_KIND_TAG, KECS_TAG_KEY, 0, kecs__validate_rule_required, NULL, KECS__VALIDATE_TAG_KEY},
    {KECS_KIND_TAG, KECS_TAG_VALUE, 0, kecs__validate_rule_length, NULL, KECS__VALIDATE_TAG_VALUE},
    {KECS_KIND_NODE, KECS_NODE_PORT, 0, kecs__validate_rule_range, KECS__PORT_WORDS, 65535},
};

#undef KECS__PORT_WORDS
#undef KECS__LAUNCH_WORDS

/* ---- applying them ---- */

/* A column by its name in documents, or, where no document shows it, by its own. */
static kecs__validate_path kecs__validate_root(const kecs_kind_info *info, int column) {
  const kecs_column_info *at = &info->columns[column];
  return (kecs__validate_path){NULL, at->json[0] ? at->json : at->name, 0};
}

/* What holds for every kind: JSON columns are JSON, the account is one. Fills in it->documents. */
static kecs_status kecs__validate_common(kecs__validate_case *it, uint64_t mask) {
  const kecs_kind_info *info = it->info;
  for (int i = 0; i < info->column_count; i++) {
    if ((mask & KECS_BIT(i)) && info->columns[i].type == KECS_TYPE_JSON) {
      kecs__validate_path path = kecs__validate_root(info, i);
      kecs_status status = kecs__validate_parse(&path, kecs__validate_text(it, i), &it->documents[i]);
      if (status) {
        return status;
      }
    }
  }
  int column = kecs_column_find(info, "account_id");
  const char *account_id = column >= 0 && (mask & KECS_BIT(column)) ? kecs__validate_text(it, column) : NULL;
  if (!account_id) {
    return KECS_OK;
  }
  kecs__validate_path path = kecs__validate_root(info, column);
  return kecs__validate_account(&path, account_id);
}

KECS__FN kecs_status kecs__validate_update(const kecs_kind_info *info, const void *row, uint64_t mask) {
  kecs__validate_case it = {info, row, {{KECS__JSON_NONE, NULL, 0}}};
  kecs_status status = kecs__validate_common(&it, mask);
  for (size_t i = 0; !status && i < sizeof kecs__validate_rules / sizeof kecs__validate_rules[0]; i++) {
    const kecs__validate_rule *rule = &kecs__validate_rules[i];
    uint64_t needed = KECS_BIT(rule->column) | rule->also;
    if (rule->kind == info->kind && (needed & ~mask) == 0) {
      kecs__validate_path path = kecs__validate_root(info, rule->column);
      status = rule->check(&it, rule, &path);
    }
  }
  return status;
}

KECS__FN kecs_status kecs__validate_row(const kecs_kind_info *info, const void *row) {
  return kecs__validate_update(info, row, UINT64_MAX);
}

/* ---- the public functions ---- */

KECS_STORE_API kecs_status kecs_validate(kecs_kind kind, const void *row) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  if (!info) {
    return kecs__fail(KECS_E_INVALID, "kind: %d is no kind; use 1 to %d", (int)kind, (int)KECS_KIND_COUNT - 1);
  }
  return row ? kecs__validate_row(info, row) : kecs__fail(KECS_E_INVALID, "row: NULL; a %s is required", info->name);
}

KECS_STORE_API kecs_status kecs_validate_cluster_name(const char *name) {
  kecs__validate_path path = {NULL, "clusterName", 0};
  return kecs__validate_name(&path, name, "-_", 255);
}

KECS_STORE_API kecs_status kecs_validate_account_id(const char *account_id) {
  kecs__validate_path path = {NULL, "accountId", 0};
  return kecs__validate_account(&path, account_id);
}

KECS_STORE_API kecs_status kecs_validate_cluster_settings(const char *settings) {
  kecs__validate_path path = {NULL, "settings", 0};
  kecs__json array;
  kecs_status status = kecs__validate_parse(&path, settings, &array);
  return status ? status : kecs__validate_each(&path, array, kecs__validate_setting, NULL);
}

KECS_STORE_API kecs_status kecs_validate_capacity_strategy(const char *strategy, const char *providers) {
  kecs__validate_path path = {NULL, "capacityProviderStrategy", 0};
  kecs__validate_path providers_path = {NULL, "capacityProviders", 0};
  kecs__json array;
  kecs__json list = {KECS__JSON_NONE, NULL, 0};
  kecs_status status = kecs__validate_parse(&path, strategy, &array);
  if (!status) {
    status = kecs__validate_parse(&providers_path, providers, &list);
  }
  if (!status) {
    status = kecs__validate_providers(&providers_path, list);
  }
  return status ? status : kecs__validate_strategy(&path, array, &providers_path, list);
}

KECS_STORE_API kecs_status kecs_validate_priority(int64_t priority) {
  kecs__validate_path path = {NULL, "Priority", 0};
  return kecs__validate_priority(&path, priority);
}
