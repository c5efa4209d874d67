/* store/validate_task_definition.c -- lists of objects and of names, and the rules that are mostly about such lists,
 * those of AWS RegisterTaskDefinition: containers, volumes, launch types, and the sizes of tasks.
 *
 * A size is a decimal number, in CPU units or MiB when it stands alone, in vCPU or GB (1024 of the former) with that
 * unit behind it. It is compared as a fraction of two integers: .25 vCPU is 256 units, .3 vCPU is no size of Fargate,
 * and no rounding decides. */
#include "base/prologue.h"

#include "store/validate_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- containers ---- */

/* A string that is not empty; `missing` is what AWS says otherwise. */
static kecs_status kecs__validate_filled(const kecs__validate_path *path, kecs__json value, const char *missing) {
  if (value.type == KECS__JSON_NONE || kecs__json_equals(value, "")) {
    return kecs__validate_fail(path, "%s", missing);
  }
  return value.type == KECS__JSON_STRING ? KECS_OK : kecs__validate_fail(path, "a string is expected");
}

static kecs_status kecs__validate_port_member(const kecs__validate_path *mapping, kecs__json object, const char *name) {
  kecs__validate_path path = {mapping, name, 0};
  bool set = false;
  int64_t port = 0;
  return kecs__validate_number(&path, kecs__validate_member(object, name), 0, 65535, &set, &port);
}

static kecs_status kecs__validate_port_mapping(const kecs__validate_path *path, kecs__json mapping, void *user) {
  (void)user;
  kecs__json protocol = kecs__validate_member(mapping, "protocol");
  kecs__validate_path protocol_path = {path, "protocol", 0};
  kecs_status status = kecs__validate_port_member(path, mapping, "containerPort");
  if (!status) {
    status = kecs__validate_port_member(path, mapping, "hostPort");
  }
  if (!status && protocol.type != KECS__JSON_NONE) {
    status = kecs__validate_word(&protocol_path, protocol, "tcp udp");
  }
  return status;
}

static kecs_status kecs__validate_container_size(const kecs__validate_path *path, kecs__json container) {
  kecs__validate_path cpu_path = {path, "cpu", 0};
  kecs__validate_path memory_path = {path, "memory", 0};
  kecs__validate_path reserved_path = {path, "memoryReservation", 0};
  bool has_memory = false;
  bool has_reserved = false;
  int64_t memory = 0;
  int64_t reserved = 0;
  kecs_status status = kecs__validate_number(&cpu_path, kecs__validate_member(container, "cpu"), 0, INT64_MAX,
                                             &has_memory, &memory);
  if (!status) {
    status = kecs__validate_number(&memory_path, kecs__validate_member(container, "memory"), 0, INT64_MAX, &has_memory,
                                   &memory);
  }
  if (!status) {
    status = kecs__validate_number(&reserved_path, kecs__validate_member(container, "memoryReservation"), 0, INT64_MAX,
                                   &has_reserved, &reserved);
  }
  if (!status && has_memory && has_reserved && memory < reserved) {
    status = kecs__validate_fail(&memory_path, "%lld is below memoryReservation, %lld; use the same or more",
                                 (long long)memory, (long long)reserved);
  }
  return status;
}

typedef struct kecs__validate_tally {
  size_t containers;
  size_t essential;
} kecs__validate_tally;

static kecs_status kecs__validate_container(const kecs__validate_path *path, kecs__json container, void *user) {
  kecs__validate_tally *tally = user;
  kecs__json essential = kecs__validate_member(container, "essential");
  kecs__validate_path name = {path, "name", 0};
  kecs__validate_path image = {path, "image", 0};
  kecs__validate_path essential_path = {path, "essential", 0};
  kecs__validate_path ports = {path, "portMappings", 0};
  kecs_status status =
      kecs__validate_filled(&name, kecs__validate_member(container, "name"), "Container name is required");
  if (!status) {
    status = kecs__validate_filled(&image, kecs__validate_member(container, "image"), "Container image is required");
  }
  if (!status && essential.type != KECS__JSON_NONE && essential.type != KECS__JSON_TRUE &&
      essential.type != KECS__JSON_FALSE) {
    status = kecs__validate_fail(&essential_path, "true or false is expected");
  }
  if (!status) {
    status = kecs__validate_container_size(path, container);
  }
  if (!status) {
    status = kecs__validate_each(&ports, kecs__validate_member(container, "portMappings"), kecs__validate_port_mapping,
                                 NULL);
  }
  tally->containers++;
  tally->essential += essential.type != KECS__JSON_FALSE ? 1 : 0; /* a container is essential unless it says no */
  return status;
}

KECS__FN kecs_status kecs__validate_containers(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                               const kecs__validate_path *path) {
  kecs__json containers = it->documents[rule->column];
  kecs__validate_tally tally = {0, 0};
  kecs_status status = kecs__validate_each(path, containers, kecs__validate_container, &tally);
  if (!status && tally.containers == 0) {
    status = kecs__validate_fail(path, "At least one container required");
  }
  if (!status && tally.essential == 0) {
    status = kecs__validate_fail(path, "at least one container must be essential");
  }
  return status ? status : kecs__validate_unique(path, containers, "name");
}

/* ---- volumes ---- */

static kecs_status kecs__validate_volume(const kecs__validate_path *path, kecs__json volume, void *user) {
  (void)user;
  kecs__validate_path name = {path, "name", 0};
  return kecs__validate_filled(&name, kecs__validate_member(volume, "name"), "a volume's name is required");
}

KECS__FN kecs_status kecs__validate_volumes(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                            const kecs__validate_path *path) {
  kecs__json volumes = it->documents[rule->column];
  kecs_status status = kecs__validate_each(path, volumes, kecs__validate_volume, NULL);
  return status ? status : kecs__validate_unique(path, volumes, "name");
}

static kecs_status kecs__validate_mount_point(const kecs__validate_path *path, kecs__json mount, void *user) {
  kecs__validate_names *volumes = user;
  kecs__json source = kecs__validate_member(mount, "sourceVolume");
  kecs__validate_path source_path = {path, "sourceVolume", 0};
  const char *name = NULL;
  if (source.type == KECS__JSON_NONE) {
    return KECS_OK;
  }
  kecs_status status = kecs__validate_filled(&source_path, source, "a volume's name is required");
  if (!status) {
    status = kecs__validate_names_text(volumes, &source_path, source, &name);
  }
  if (!status && !kecs__validate_names_has(volumes, name)) {
    char shown[KECS__VALIDATE_SHOWN];
    status = kecs__validate_fail(&source_path, "Unknown volume '%s'; use a name that volumes has",
                                 kecs__validate_shown(name, strlen(name), shown));
  }
  return status;
}

static kecs_status kecs__validate_mounts(const kecs__validate_path *path, kecs__json container, void *user) {
  kecs__validate_path mounts = {path, "mountPoints", 0};
  kecs__json points = kecs__validate_member(container, "mountPoints");
  return kecs__validate_each(&mounts, points, kecs__validate_mount_point, user);
}

KECS__FN kecs_status kecs__validate_mount_points(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                 const kecs__validate_path *path) {
  kecs__validate_names volumes;
  kecs__validate_path volumes_path = {NULL, "volumes", 0};
  kecs_status status =
      kecs__validate_names_read(&volumes, &volumes_path, it->documents[KECS_TASK_DEFINITION_VOLUMES], "name");
  if (!status) {
    status = kecs__validate_each(path, it->documents[rule->column], kecs__validate_mounts, &volumes);
  }
  kecs__validate_names_free(&volumes);
  return status;
}

/* ---- family and launch types ---- */

KECS__FN kecs_status kecs__validate_family(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                           const kecs__validate_path *path) {
  const char *family = kecs__validate_text(it, rule->column);
  return family ? kecs__validate_name(path, family, rule->accepts, rule->limit)
                : kecs__validate_fail(path, "Family is required");
}

KECS__FN kecs_status kecs__validate_compatibilities(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                    const kecs__validate_path *path) {
  kecs__json array = it->documents[rule->column];
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__validate_path at = {path, NULL, 0};
  kecs_status status = KECS_OK;
  if (array.type != KECS__JSON_NONE && array.type != KECS__JSON_ARRAY) {
    return kecs__validate_fail(path, "a JSON array of launch types is expected");
  }
  for (; !status && kecs__json_next_element(array, &walk, &name); at.index++) {
    status = kecs__validate_word(&at, name, rule->accepts);
  }
  return status;
}

static bool kecs__validate_for_fargate(const kecs__validate_case *it) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  while (kecs__json_next_element(it->documents[KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES], &walk, &name)) {
    if (kecs__json_equals(name, "FARGATE")) {
      return true;
    }
  }
  return false;
}

KECS__FN kecs_status kecs__validate_fargate_network(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                    const kecs__validate_path *path) {
  const char *mode = kecs__validate_text(it, rule->column);
  if (!kecs__validate_for_fargate(it) || (mode && strcmp(mode, "awsvpc") == 0)) {
    return KECS_OK;
  }
  return kecs__validate_fail(path, "must be awsvpc where requiresCompatibilities has FARGATE, but it is %s",
                             mode ? mode : "not set");
}

/* ---- sizes ---- */

enum {
  KECS__SIZE_UNIT = 1024,      /* CPU units of a vCPU, MiB of a GB */
  KECS__SIZE_DIGITS = 12,      /* that count; more is no size, and 64 bits hold a product with room to spare */
  KECS__SIZE_CPU_MIN = 128,    /* outside Fargate */
  KECS__SIZE_CPU_MAX = 196608
};

/* Units or MiB, as a fraction. */
typedef struct kecs__validate_size {
  uint64_t numerator;
  uint64_t denominator;
} kecs__validate_size;

static const char *kecs__validate_digits(const char *at) {
  return at + strspn(at, "0123456789");
}

static const char *kecs__validate_blanks(const char *at) {
  return at + strspn(at, " \t");
}

/* The unit in any case, and nothing but blanks behind it. */
static bool kecs__validate_unit(const char *at, const char *lower) {
  for (; *lower; at++, lower++) {
    char c = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
    if (c != *lower) {
      return false;
    }
  }
  return !*kecs__validate_blanks(at);
}

static bool kecs__validate_read_size(const char *text, const char *unit, kecs__validate_size *out) {
  const char *whole = kecs__validate_blanks(text);
  const char *point = kecs__validate_digits(whole);
  const char *part = *point == '.' ? point + 1 : point;
  const char *end = kecs__validate_digits(part);
  const char *rest = kecs__validate_blanks(end);
  bool dotted = part != point;
  if (end == whole || (dotted && end == part) || (*rest ? !kecs__validate_unit(rest, unit) : dotted)) {
    return false;
  }
  /* Zeros at either end say nothing. */
  while (whole < point && *whole == '0') {
    whole++;
  }
  while (end > part && end[-1] == '0') {
    end--;
  }
  if ((point - whole) + (end - part) > KECS__SIZE_DIGITS) {
    return false;
  }
  *out = (kecs__validate_size){0, 1};
  for (const char *at = whole; at < end; at++) {
    if (at != point) {
      out->numerator = out->numerator * 10 + (uint64_t)(*at - '0');
      out->denominator *= at > point ? 10u : 1u;
    }
  }
  out->numerator *= *rest ? (uint64_t)KECS__SIZE_UNIT : 1u;
  return true;
}

/* Whether the fraction is this whole number. */
static bool kecs__validate_size_is(const kecs__validate_size *size, uint64_t number) {
  return size->numerator == number * size->denominator;
}

/* What Fargate runs: memory in MiB from min to max in steps. A cpu may have several rows. */
typedef struct kecs__fargate_size {
  unsigned cpu;
  unsigned min;
  unsigned max;
  unsigned step;
} kecs__fargate_size;

static const kecs__fargate_size kecs__fargate_sizes[] = {
    {256, 512, 1024, 512},      {256, 2048, 2048, 1},      {512, 1024, 4096, 1024},     {1024, 2048, 8192, 1024},
    {2048, 4096, 16384, 1024},  {4096, 8192, 30720, 1024}, {8192, 16384, 61440, 4096},  {16384, 32768, 122880, 8192},
};

enum { KECS__FARGATE_SIZES = sizeof kecs__fargate_sizes / sizeof kecs__fargate_sizes[0] };

static kecs_status kecs__validate_fail_memory(const kecs__validate_path *path, const kecs__validate_size *cpu) {
  char list[160] = "";
  unsigned units = 0;
  size_t used = 0;
  for (size_t i = 0; i < KECS__FARGATE_SIZES && used < sizeof list; i++) {
    const kecs__fargate_size *row = &kecs__fargate_sizes[i];
    if (!kecs__validate_size_is(cpu, row->cpu)) {
      continue;
    }
    int len = row->min == row->max ? snprintf(list + used, sizeof list - used, " or %u MiB", row->min)
                                   : snprintf(list + used, sizeof list - used, "%s%u to %u MiB in steps of %u",
                                              used > 0 ? " or " : "", row->min, row->max, row->step);
    used += len > 0 ? (size_t)len : 0;
    units = row->cpu;
  }
  return kecs__validate_fail(path, "No Fargate configuration exists for given values. With cpu %u use %s, or the "
                             "same in GB (\"1 GB\" is 1024)", units, list);
}

static kecs_status kecs__validate_fargate(const char *cpu, const char *memory) {
  kecs__validate_path cpu_path = {NULL, "cpu", 0};
  kecs__validate_path memory_path = {NULL, "memory", 0};
  kecs__validate_size units = {0, 1};
  kecs__validate_size mib = {0, 1};
  bool cpu_read = cpu && kecs__validate_read_size(cpu, "vcpu", &units);
  bool memory_read = memory && kecs__validate_read_size(memory, "gb", &mib);
  bool cpu_fits = false;
  for (size_t i = 0; cpu_read && i < KECS__FARGATE_SIZES; i++) {
    const kecs__fargate_size *row = &kecs__fargate_sizes[i];
    if (!kecs__validate_size_is(&units, row->cpu)) {
      continue;
    }
    cpu_fits = true;
    uint64_t whole = mib.numerator / mib.denominator;
    if (memory_read && kecs__validate_size_is(&mib, whole) && whole >= row->min && whole <= row->max &&
        (whole - row->min) % row->step == 0) {
      return KECS_OK;
    }
  }
  if (cpu_fits) {
    return kecs__validate_fail_memory(&memory_path, &units);
  }
  return kecs__validate_fail(&cpu_path, "Invalid 'cpu' setting for task. No Fargate configuration exists for given "
                             "values. Use 256, 512, 1024, 2048, 4096, 8192 or 16384 CPU units, or the same in vCPU "
                             "(\".25 vCPU\" is 256)");
}

KECS__FN kecs_status kecs__validate_fargate_size(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                 const kecs__validate_path *path) {
  (void)path;
  return kecs__validate_for_fargate(it) ? kecs__validate_fargate(kecs__validate_text(it, rule->column),
                                                                 kecs__validate_text(it, KECS_TASK_DEFINITION_MEMORY))
                                        : KECS_OK;
}

KECS__FN kecs_status kecs__validate_task_cpu(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                             const kecs__validate_path *path) {
  const char *cpu = kecs__validate_text(it, rule->column);
  kecs__validate_size size = {0, 1};
  if (!cpu || (kecs__validate_read_size(cpu, "vcpu", &size) &&
               size.numerator >= KECS__SIZE_CPU_MIN * size.denominator &&
               size.numerator <= KECS__SIZE_CPU_MAX * size.denominator)) {
    return KECS_OK;
  }
  return kecs__validate_fail(path, "Invalid 'cpu' setting for task. Use %d to %d CPU units (\"256\"), or 0.125 to 192 "
                             "vCPU (\".25 vCPU\")", (int)KECS__SIZE_CPU_MIN, (int)KECS__SIZE_CPU_MAX);
}

KECS__FN kecs_status kecs__validate_task_memory(const kecs__validate_case *it, const kecs__validate_rule *rule,
                                                const kecs__validate_path *path) {
  const char *memory = kecs__validate_text(it, rule->column);
  kecs__validate_size size = {0, 1};
  if (!memory || (kecs__validate_read_size(memory, "gb", &size) && size.numerator > 0)) {
    return KECS_OK;
  }
  return kecs__validate_fail(path, "Invalid 'memory' setting for task. Use MiB (\"512\") or GB (\"0.5 GB\"), above 0");
}

KECS_STORE_API kecs_status kecs_validate_fargate_size(const char *cpu, const char *memory) {
  return kecs__validate_fargate(cpu, memory);
}
