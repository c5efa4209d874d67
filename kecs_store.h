/* kecs_store.h 0.1.0 -- generated from src/ by amalgamate.py, do not edit. sha256 of what follows:
 * d3590c01870f7d0b15900b0ed4edd661c1e7dde1cc7a430d42e1659fddc02c60 */
/* ---- doc/manual.h ------------------------------------------------------------------------------------------------ */
/* kecs_store.h -- a durable, typed store for the state of a container orchestrator, in one SQLite file.
 *
 * WHAT IT IS
 *   Clusters, services, tasks, task definitions and the rest of ECS; load balancers, target groups, listeners, rules
 *   and targets of ELBv2; worker nodes and their tasks; logs, tags and audit events: each a plain C struct, created,
 *   read, listed, updated and deleted through functions named after it. AWS API documents go in and come out whole.
 *   Nothing else has to run: the store lives in your process, on SQLite.
 *
 * QUICK START
 *   In ONE C file, which is best a file of its own:
 *
 *     #define KECS_STORE_IMPLEMENTATION
 *     #include "kecs_store.h"
 *
 *   Everywhere else only #include "kecs_store.h". Then:
 *
 *     kecs_store *store = NULL;
 *     kecs_options options = {0};
 *     options.path = "edge.db";
 *     if (kecs_open(&options, &store)) {
 *       fprintf(stderr, "%s\n", kecs_last_error()->text);
 *       return 1;
 *     }
 *     kecs_cluster cluster = {0};
 *     cluster.name = "default";
 *     kecs_cluster_create(store, &cluster, NULL);
 *     kecs_result *page = NULL;
 *     kecs_cluster_list(store, NULL, &page);
 *     for (size_t i = 0; i < kecs_result_count(page); i++) {
 *       puts(kecs_cluster_at(page, i)->arn);
 *     }
 *     kecs_result_free(page);
 *     kecs_close(store);
 *
 *   Build with SQLite's library:    cc app.c kecs_store_impl.c -lsqlite3 -lpthread -lm
 *   or with SQLite inside (dist/):  cc app.c kecs_store_impl.c -lpthread -lm
 *
 * PROMISES
 *   Ownership   What you pass in is borrowed for the call. What comes back lives in one kecs_result that you free with
 *               one call; it survives later calls and kecs_close.
 *   Threads     A store may be used from any number of threads, a transaction by one at a time. Results are
 *               immutable. There is no global state but the thread's last error and SQLite's own.
 *   Errors      Every function that can fail returns a kecs_status; kecs_last_error() has one English line that names
 *               the thing and says what to do. After a failure the store is usable and nothing is half-written; out
 *               pointers are NULL.
 *   Durability  After KECS_OK a write survives the crash of the process. With KECS_DURABILITY_FULL it survives a power
 *               cut, with the default the last commits before a power cut may be lost, but the file is never damaged.
 *   Source      Struct members are only ever appended, enum values never change within a major version. There is no
 *               binary compatibility between releases: the header is compiled into your program.
 *
 * IT DOES NOT
 *   serve other machines (it is a library), encrypt, merge two stores that were written apart, or work on a network
 *   file system. Do not open one file through two copies of SQLite in one process: their locks do not see each other.
 *
 * COMPILE-TIME OPTIONS (define before the implementation is included; only the linkage ones change the
 * public part)
 *   KECS_STORE_IMPLEMENTATION     build the bodies, in one C file
 *   KECS_STORE_STATIC             every function static, private to that file        (define it everywhere)
 *   KECS_STORE_API                linkage of the public functions; default `extern`   (define it everywhere)
 *   KECS_STORE_SQLITE_HEADER      SQLite's header; default <sqlite3.h>, 3.38 or newer
 *   KECS_STORE_SYSTEM_SQLITE      in the one-file release: use <sqlite3.h> and link SQLite, not the bundled one
 *   KECS_STORE_MALLOC(size), KECS_STORE_REALLOC(pointer, size), KECS_STORE_FREE(pointer)
 *                                 default memory functions; all three or none; options.allocator wins over them
 *   KECS_STORE_NO_THREADS         no mutexes: the store is used by one thread
 *   KECS_STORE_NO_MEANINGS        leave the columns' descriptions out of kecs_kind_describe: saves 12 KB
 *   SQLITE_...                    any option of SQLite, for the bundled one; ours are only defaults
 *
 * LICENCE
 *   MIT No Attribution, or public domain, as you like. See the end of this file. */

/* ---- base/prologue.h --------------------------------------------------------------------------------------------- */
/* base/prologue.h -- feature macros; must come before every system header.
 *
 * glibc fixes its feature set at the first system header that a file includes, and both this library and a
 * bundled SQLite need POSIX and a few GNU functions, so the implementation asks for them here. A user who
 * includes <stdio.h> first in a strict -std=c99 build gets one clear message instead of fifty. */
#if defined(KECS_STORE_IMPLEMENTATION)
#if defined(__cplusplus)
#error "kecs_store.h: compile the implementation as C (put it into a .c file); the declarations are C++-clean"
#endif
#if defined(__GLIBC__) && !defined(__USE_XOPEN2K8)
#error "kecs_store.h: include this header before any system header in the implementation file, or add -D_GNU_SOURCE"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#ifndef _TIME_BITS
#define _TIME_BITS 64 /* 32-bit glibc: a clock that outlives 2038 */
#endif
#endif
#ifndef KECS_STORE_H
#define KECS_STORE_H

/* ---- base/config.h ----------------------------------------------------------------------------------------------- */
/* base/config.h -- linkage and the compile-time options' defaults. The table of options is in the manual. */
#ifndef KECS_BASE_CONFIG_H
#define KECS_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KECS_STORE_VERSION_MAJOR 0
#define KECS_STORE_VERSION_MINOR 1
#define KECS_STORE_VERSION_PATCH 0
#define KECS_STORE_VERSION "0.1.0"

#ifndef KECS_STORE_API
#if defined(KECS_STORE_STATIC) && defined(__GNUC__)
#define KECS_STORE_API static __attribute__((unused)) /* a program rarely calls all of them */
#elif defined(KECS_STORE_STATIC)
#define KECS_STORE_API static
#else
#define KECS_STORE_API extern
#endif
#endif

#if defined(__GNUC__)
#define KECS_STORE_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else
#define KECS_STORE_PRINTF(format_at, args_at)
#endif

#endif
#ifdef __cplusplus
extern "C" {
#endif

/* ---- base/status.h ----------------------------------------------------------------------------------------------- */
/* ---- Status codes and the last error --------------------------------------------------------------------- */
#ifndef KECS_BASE_STATUS_H
#define KECS_BASE_STATUS_H

/* What a caller does about a failure: the class of its code (kecs_status_class). */
typedef enum kecs_class {
  KECS_CLASS_OK,      /* nothing failed */
  KECS_CLASS_CALLER,  /* mend the call, or tell the user: the answer is about the data that was asked for */
  KECS_CLASS_RETRY,   /* run it again later: nothing was stored */
  KECS_CLASS_VERIFY,  /* never replay blindly: read first whether it was stored */
  KECS_CLASS_SYSTEM,  /* an operator's matter: disk, memory, permissions, a damaged file */
  KECS_CLASS_MISUSE   /* a bug in the calling program */
} kecs_class;

/* name, value, class, text. Values never change; new codes are appended within their class. */
#define KECS_STATUS_MAP(X)                                                                          \
  X(E_INVALID, -1, CALLER, "an argument or document is not valid")                                  \
  X(E_NOT_FOUND, -2, CALLER, "there is no such row")                                                \
  X(E_EXISTS, -3, CALLER, "a row with this key exists already")                                     \
  X(E_CONFLICT, -4, CALLER, "the row has changed since it was read")                                \
  X(E_REFERENCE, -5, CALLER, "the row refers to, or is used by, another row")                       \
  X(E_COMPACTED, -6, CALLER, "history before this point was removed")                               \
  X(E_UNSUPPORTED, -7, CALLER, "this backend or build cannot do that")                              \
  X(E_READONLY, -8, CALLER, "the store is open for reading only")                                   \
  X(E_DENIED, -9, CALLER, "permission was denied")                                                  \
  X(E_BUSY, -20, RETRY, "another writer holds the database")                                        \
  X(E_OFFLINE, -21, RETRY, "the connection to the server is lost")                                  \
  X(E_TIMEOUT, -22, RETRY, "the deadline passed; nothing was stored")                               \
  X(E_CANCELLED, -23, RETRY, "the call was cancelled; nothing was stored")                          \
  X(E_OUTCOME_UNKNOWN, -30, VERIFY, "the commit was sent, its outcome is not known")                \
  X(E_NOMEM, -40, SYSTEM, "out of memory")                                                          \
  X(E_IO, -41, SYSTEM, "a read or write failed")                                                    \
  X(E_FULL, -42, SYSTEM, "the disk or quota is full")                                               \
  X(E_CORRUPT, -43, SYSTEM, "the stored data is damaged or not a kecs_store database")              \
  X(E_SCHEMA_NEWER, -44, SYSTEM, "the database was written by a newer version of this library")     \
  X(E_MISUSE, -60, MISUSE, "the library was called against its contract")

#define KECS__STATUS_ENUM(name, value, class_name, text) KECS_##name = value,
typedef enum kecs_status { KECS_STATUS_MAP(KECS__STATUS_ENUM) KECS_OK = 0 } kecs_status;
#undef KECS__STATUS_ENUM

/* The last failure of the calling thread. */
typedef struct kecs_error {
  kecs_status status; /* KECS_OK while nothing has failed on this thread */
  int native_code;    /* SQLite's extended result code, or 0 */
  char sqlstate[6];   /* PostgreSQL's SQLSTATE, or "" */
  char text[512];     /* one English line that names the thing and what to do; never a secret */
} kecs_error;

/* The calling thread's last failure. A call that succeeds leaves it as it is. Never NULL; the pointer stays
 * valid for the life of the thread, its content until the thread's next failing call. */
KECS_STORE_API const kecs_error *kecs_last_error(void);

/* A code's fixed English text ("there is no such row"), its symbolic name ("KECS_E_NOT_FOUND") and its class.
 * A number that is no code gives "unknown status" and KECS_CLASS_MISUSE. */
KECS_STORE_API const char *kecs_status_text(kecs_status status);
KECS_STORE_API const char *kecs_status_name(kecs_status status);
KECS_STORE_API kecs_class kecs_status_class(kecs_status status);

#endif

/* ---- base/hooks.h ------------------------------------------------------------------------------------------------ */
/* ---- Hooks: memory, log, clock, random ------------------------------------------------------------------- */
#ifndef KECS_BASE_HOOKS_H
#define KECS_BASE_HOOKS_H

/* Memory for everything this library allocates itself. All three functions or none; none means
 * KECS_STORE_MALLOC and its family, which default to libc. SQLite's own memory is SQLite's (process-wide
 * sqlite3_config), libpq's is libc's. The functions may be called from any thread that uses the store. */
typedef struct kecs_allocator {
  void *(*alloc)(size_t size, void *user);                                   /* NULL when there is none */
  void *(*resize)(void *pointer, size_t old_size, size_t size, void *user);  /* as realloc */
  void (*release)(void *pointer, size_t size, void *user);                   /* never called with NULL */
  void *user;
} kecs_allocator;

typedef enum kecs_log_level { KECS_LOG_DEBUG, KECS_LOG_INFO, KECS_LOG_WARNING, KECS_LOG_ERROR } kecs_log_level;

/* Receives one line without a newline; secrets are masked. May be called from any thread that uses the store
 * and must not call the store back. NULL means silent. */
typedef struct kecs_logger {
  void (*write)(kecs_log_level level, const char *line, void *user);
  void *user;
} kecs_logger;

/* Microseconds since 1970 UTC. NULL means the system clock. A test injects its own. */
typedef struct kecs_clock {
  int64_t (*now)(void *user);
  void *user;
} kecs_clock;

/* Fills `size` bytes with random bits; false when it cannot. NULL means the operating system's source. */
typedef struct kecs_random {
  bool (*fill)(void *bytes, size_t size, void *user);
  void *user;
} kecs_random;

#endif

/* ---- base/types.h ------------------------------------------------------------------------------------------------ */
/* base/types.h -- small value types that rows are made of. */
#ifndef KECS_BASE_TYPES_H
#define KECS_BASE_TYPES_H

/* A number that may be absent. Zero-initialised it is absent (SQL NULL). */
typedef struct kecs_opt_int {
  int64_t value;
  bool has;
} kecs_opt_int;

/* The priority of a listener's default rule, which AWS writes as "default": after every other. */
#define KECS_RANK_DEFAULT INT64_C(50000)

/* The bit of a column in a mask: KECS_BIT(KECS_TASK_LAST_STATUS) | KECS_BIT(KECS_TASK_STOPPED_AT). */
#define KECS_BIT(column) (UINT64_C(1) << (column))

#endif

/* ---- store/store.h ----------------------------------------------------------------------------------------------- */
/* ---- Opening and closing --------------------------------------------------------------------------------- */
#ifndef KECS_STORE_STORE_H
#define KECS_STORE_STORE_H

/* ---- gen/kinds_public.h ------------------------------------------------------------------------------------------ */
/* gen/kinds_public.h -- the kinds, their rows and their columns.
 * Generated by amalgamate.py from src/kinds. Do not edit. */
#ifndef KECS_GEN_KINDS_PUBLIC_H
#define KECS_GEN_KINDS_PUBLIC_H

/* The kinds. Numbers never change; parents come before children in load order. */
typedef enum kecs_kind {
  KECS_KIND_CLUSTER = 1,            /* table clusters */
  KECS_KIND_TASK_DEFINITION = 2,    /* table task_definitions */
  KECS_KIND_SERVICE = 3,            /* table services */
  KECS_KIND_TASK = 4,               /* table tasks */
  KECS_KIND_TASK_SET = 5,           /* table task_sets */
  KECS_KIND_CONTAINER_INSTANCE = 6, /* table container_instances */
  KECS_KIND_ATTRIBUTE = 7,          /* table attributes */
  KECS_KIND_ACCOUNT_SETTING = 8,    /* table account_settings */
  KECS_KIND_TASK_LOG = 9,           /* table task_logs */
  KECS_KIND_LOAD_BALANCER = 10,     /* table elbv2_load_balancers */
  KECS_KIND_TARGET_GROUP = 11,      /* table elbv2_target_groups */
  KECS_KIND_LISTENER = 12,          /* table elbv2_listeners */
  KECS_KIND_RULE = 13,              /* table elbv2_rules */
  KECS_KIND_TARGET = 14,            /* table elbv2_targets */
  KECS_KIND_TAG = 15,               /* table resource_tags */
  KECS_KIND_EVENT = 16,             /* table events */
  KECS_KIND_NODE = 17,              /* table nodes */
  KECS_KIND_NODE_TASK = 18,         /* table node_tasks */
  KECS_KIND_COUNT = 19              /* one more than the highest number */
} kecs_kind;

/* Right of each field: [its group] what it holds. key: set at creation, never changed. spec: what is wanted. status:
 * what is observed. local: derived or counted here, never synced. A NULL text, a time of 0 and a kecs_opt_int
 * without `has` are SQL NULL, so a zeroed struct has nothing set. */

/* ---- cluster ---- */

/* A named group that services, tasks and container instances live in. Table clusters. */
typedef struct kecs_cluster {
  const char *arn;                                /* [key] arn:aws:ecs:REGION:ACCOUNT:cluster/NAME; made from the
                                                   * name when empty. */
  const char *id;                                 /* [key] Unique id; a random UUID when empty. */
  const char *name;                               /* [key] Name, unique in (account, region): 1 to 255 letters,
                                                   * digits, - and _ (AWS CreateCluster). Required. */
  const char *status;                             /* [status] ACTIVE, INACTIVE, PROVISIONING, DEPROVISIONING or
                                                   * FAILED; free text. NULL stores "ACTIVE". */
  int64_t registered_container_instances_count;   /* [local] Container instances registered; a plain counter, the
                                                   * caller keeps it. */
  int64_t running_tasks_count;                    /* [local] Tasks that run; a plain counter. */
  int64_t pending_tasks_count;                    /* [local] Tasks that wait; a plain counter. */
  int64_t active_services_count;                  /* [local] Services that are ACTIVE; a plain counter. */
  const char *capacity_providers;                 /* [spec] Array of capacity provider names. */
  const char *default_capacity_provider_strategy; /* [spec] Array of {capacityProvider, weight, base}. */
  const char *settings;                           /* [spec] Array of {name, value}, such as containerInsights. */
  const char *configuration;                      /* [spec] Execute-command and storage configuration. */
  const char *service_connect_defaults;           /* [spec] Default Service Connect namespace. */
  const char *statistics;                         /* [status] Array of {name, value} counters by launch type. */
  const char *attachments;                        /* [status] Array of the cluster's attachments. */
  const char *attachments_status;                 /* [status] State of the attachments. */
  const char *tags;                               /* [spec] Array of {key, value}; kept byte for byte, and in step
                                                   * with the kind tag. */
  const char *k8s_cluster_name;                   /* [local] Kubernetes cluster that carries this one. */
  const char *localstack_state;                   /* [local] State of an emulator deployed beside the cluster;
                                                   * opaque. */
  int64_t created_at;                             /* [key] When the row was created; now when 0. */
  int64_t updated_at;                             /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                                /* [local] 1 at creation, one more with every change. The store
                                                   * alone writes it. */
  const char *region;                             /* [key] AWS region; from the ARN or the store's options when
                                                   * empty. */
  const char *account_id;                         /* [key] 12-digit account; from the ARN or the store's options when
                                                   * empty. */
  const char *extra;                              /* [spec] JSON object of the document's members that no column
                                                   * holds exactly; NULL when there are none. */
  int64_t omitted;                                /* [local] Bit n set: the document left column n out and it still
                                                   * has its default, so documents leave it out too. The store alone
                                                   * writes it. */
} kecs_cluster;

/* Columns of a cluster: for masks, filters and order. */
typedef enum kecs_cluster_column {
  KECS_CLUSTER_ARN,
  KECS_CLUSTER_ID,
  KECS_CLUSTER_NAME,
  KECS_CLUSTER_STATUS,
  KECS_CLUSTER_REGISTERED_CONTAINER_INSTANCES_COUNT,
  KECS_CLUSTER_RUNNING_TASKS_COUNT,
  KECS_CLUSTER_PENDING_TASKS_COUNT,
  KECS_CLUSTER_ACTIVE_SERVICES_COUNT,
  KECS_CLUSTER_CAPACITY_PROVIDERS,
  KECS_CLUSTER_DEFAULT_CAPACITY_PROVIDER_STRATEGY,
  KECS_CLUSTER_SETTINGS,
  KECS_CLUSTER_CONFIGURATION,
  KECS_CLUSTER_SERVICE_CONNECT_DEFAULTS,
  KECS_CLUSTER_STATISTICS,
  KECS_CLUSTER_ATTACHMENTS,
  KECS_CLUSTER_ATTACHMENTS_STATUS,
  KECS_CLUSTER_TAGS,
  KECS_CLUSTER_K8S_CLUSTER_NAME,
  KECS_CLUSTER_LOCALSTACK_STATE,
  KECS_CLUSTER_CREATED_AT,
  KECS_CLUSTER_UPDATED_AT,
  KECS_CLUSTER_VERSION,
  KECS_CLUSTER_REGION,
  KECS_CLUSTER_ACCOUNT_ID,
  KECS_CLUSTER_EXTRA,
  KECS_CLUSTER_OMITTED,
  KECS_CLUSTER_COLUMN_COUNT
} kecs_cluster_column;

/* ---- task_definition ---- */

/* One revision of a family: the containers that a task runs. Table task_definitions. */
typedef struct kecs_task_definition {
  const char *arn;                      /* [key] arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION; made
                                         * when empty. */
  const char *id;                       /* [key] Unique id; a random UUID when empty. */
  const char *family;                   /* [key] Name that all revisions share. Required. */
  int64_t revision;                     /* [key] 1, 2, 3 ... within the family; allocated by register, never given
                                         * twice. */
  const char *status;                   /* [status] ACTIVE, INACTIVE or DELETE_IN_PROGRESS; free text. NULL stores
                                         * "ACTIVE". */
  const char *task_role_arn;            /* [spec] Role that the containers act as. */
  const char *execution_role_arn;       /* [spec] Role that the agent acts as. */
  const char *network_mode;             /* [spec] none, bridge, awsvpc or host. NULL stores "bridge". */
  const char *container_definitions;    /* [spec] Array of container definitions; kept byte for byte. Required. */
  const char *volumes;                  /* [spec] Array of volumes. */
  const char *placement_constraints;    /* [spec] Array of {type, expression}. */
  const char *requires_compatibilities; /* [spec] Array: EC2, FARGATE, EXTERNAL. */
  const char *compatibilities;          /* [status] Array of launch types found to fit. */
  const char *cpu;                      /* [spec] CPU units ("256") or vCPUs (".25 vCPU"), as given. */
  const char *memory;                   /* [spec] MiB ("512") or GB ("0.5 GB"), as given. */
  const char *pid_mode;                 /* [spec] host or task. */
  const char *ipc_mode;                 /* [spec] host, task or none. */
  const char *proxy_configuration;      /* [spec] App Mesh proxy. */
  const char *inference_accelerators;   /* [spec] Array of {deviceName, deviceType}. */
  const char *runtime_platform;         /* [spec] {cpuArchitecture, operatingSystemFamily}. */
  const char *ephemeral_storage;        /* [spec] {sizeInGiB}. */
  const char *requires_attributes;      /* [status] Array of attributes that an instance must have. */
  bool enable_fault_injection;          /* [spec] Whether fault injection is allowed. */
  const char *tags;                     /* [spec] Array of {key, value}; kept byte for byte, and in step with the
                                         * kind tag. */
  int64_t registered_at;                /* [key] When it was registered; now when 0. */
  const char *registered_by;            /* [key] Who registered it. */
  int64_t deregistered_at;              /* [status] When it was first deregistered. */
  int64_t updated_at;                   /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                      /* [local] 1 at creation, one more with every change. The store alone writes
                                         * it. */
  const char *region;                   /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;               /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;                    /* [spec] JSON object of the document's members that no column holds exactly;
                                         * NULL when there are none. */
  int64_t omitted;                      /* [local] Bit n set: the document left column n out and it still has its
                                         * default, so documents leave it out too. The store alone writes it. */
} kecs_task_definition;

/* Columns of a task definition: for masks, filters and order. */
typedef enum kecs_task_definition_column {
  KECS_TASK_DEFINITION_ARN,
  KECS_TASK_DEFINITION_ID,
  KECS_TASK_DEFINITION_FAMILY,
  KECS_TASK_DEFINITION_REVISION,
  KECS_TASK_DEFINITION_STATUS,
  KECS_TASK_DEFINITION_TASK_ROLE_ARN,
  KECS_TASK_DEFINITION_EXECUTION_ROLE_ARN,
  KECS_TASK_DEFINITION_NETWORK_MODE,
  KECS_TASK_DEFINITION_CONTAINER_DEFINITIONS,
  KECS_TASK_DEFINITION_VOLUMES,
  KECS_TASK_DEFINITION_PLACEMENT_CONSTRAINTS,
  KECS_TASK_DEFINITION_REQUIRES_COMPATIBILITIES,
  KECS_TASK_DEFINITION_COMPATIBILITIES,
  KECS_TASK_DEFINITION_CPU,
  KECS_TASK_DEFINITION_MEMORY,
  KECS_TASK_DEFINITION_PID_MODE,
  KECS_TASK_DEFINITION_IPC_MODE,
  KECS_TASK_DEFINITION_PROXY_CONFIGURATION,
  KECS_TASK_DEFINITION_INFERENCE_ACCELERATORS,
  KECS_TASK_DEFINITION_RUNTIME_PLATFORM,
  KECS_TASK_DEFINITION_EPHEMERAL_STORAGE,
  KECS_TASK_DEFINITION_REQUIRES_ATTRIBUTES,
  KECS_TASK_DEFINITION_ENABLE_FAULT_INJECTION,
  KECS_TASK_DEFINITION_TAGS,
  KECS_TASK_DEFINITION_REGISTERED_AT,
  KECS_TASK_DEFINITION_REGISTERED_BY,
  KECS_TASK_DEFINITION_DEREGISTERED_AT,
  KECS_TASK_DEFINITION_UPDATED_AT,
  KECS_TASK_DEFINITION_VERSION,
  KECS_TASK_DEFINITION_REGION,
  KECS_TASK_DEFINITION_ACCOUNT_ID,
  KECS_TASK_DEFINITION_EXTRA,
  KECS_TASK_DEFINITION_OMITTED,
  KECS_TASK_DEFINITION_COLUMN_COUNT
} kecs_task_definition_column;

/* ---- service ---- */

/* Keeps a wanted number of tasks of one definition running in a cluster. Table services. */
typedef struct kecs_service {
  const char *arn;                                /* [key] arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME; made when
                                                   * empty. */
  const char *id;                                 /* [key] Unique id; a random UUID when empty. */
  const char *cluster_arn;                        /* [key] Cluster that owns the service; a bare name is taken too.
                                                   * Required. */
  const char *name;                               /* [key] Name, unique within the cluster. Required. */
  const char *status;                             /* [status] ACTIVE, DRAINING or INACTIVE; free text. NULL stores
                                                   * "ACTIVE". */
  int64_t desired_count;                          /* [spec] Tasks wanted. */
  int64_t running_count;                          /* [status] Tasks that run. */
  int64_t pending_count;                          /* [status] Tasks that wait. */
  const char *task_definition;                    /* [spec] ARN, family:revision or family, exactly as given. */
  const char *launch_type;                        /* [spec] EC2, FARGATE or EXTERNAL. */
  const char *platform_version;                   /* [spec] Fargate platform version, such as LATEST. */
  const char *platform_family;                    /* [spec] Operating system family. */
  const char *role_arn;                           /* [spec] Role that the service uses with load balancers. */
  const char *scheduling_strategy;                /* [spec] REPLICA or DAEMON. NULL stores "REPLICA". */
  const char *deployment_configuration;           /* [spec] Rolling update and circuit breaker settings. */
  const char *deployment_controller;              /* [spec] {type}. */
  const char *deployments;                        /* [status] Array of deployments. */
  const char *task_sets;                          /* [status] Array of task sets as the service shows them. */
  const char *events;                             /* [status] Array of the service's last messages. */
  const char *load_balancers;                     /* [spec] Array of {targetGroupArn, containerName, containerPort}. */
  const char *service_registries;                 /* [spec] Array of {registryArn, ...}. */
  const char *network_configuration;              /* [spec] awsvpc subnets, groups, public address. */
  const char *capacity_provider_strategy;         /* [spec] Array of {capacityProvider, weight, base}. */
  const char *service_connect_configuration;      /* [spec] Service Connect settings. */
  const char *volume_configurations;              /* [spec] Array of volumes configured at launch. */
  const char *placement_constraints;              /* [spec] Array of {type, expression}. */
  const char *placement_strategy;                 /* [spec] Array of {type, field}. */
  kecs_opt_int health_check_grace_period_seconds; /* [spec] Seconds before health checks count. */
  bool enable_ecs_managed_tags;                   /* [spec] Whether ECS tags the tasks. */
  bool enable_execute_command;                    /* [spec] Whether exec into tasks is allowed. */
  const char *propagate_tags;                     /* [spec] TASK_DEFINITION, SERVICE or NONE. */
  const char *availability_zone_rebalancing;      /* [spec] ENABLED or DISABLED. */
  const char *tags;                               /* [spec] Array of {key, value}; kept byte for byte, and in step
                                                   * with the kind tag. */
  const char *created_by;                         /* [key] Principal that created it. */
  const char *deployment_name;                    /* [local] Kubernetes deployment that carries the service. */
  const char *k8s_namespace;                      /* [local] Kubernetes namespace of the deployment. */
  const char *node_ports;                         /* [local] Node ports given out, a JSON document. */
  bool has_node_port;                             /* [local] Whether a node port is open. */
  bool assign_public_ip;                          /* [local] Whether tasks get a public address. */
  const char *service_registry_metadata;          /* [local] Map of service discovery state. */
  int64_t created_at;                             /* [key] When it was created; now when 0. */
  int64_t updated_at;                             /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                                /* [local] 1 at creation, one more with every change. The store
                                                   * alone writes it. */
  const char *region;                             /* [key] AWS region; from the ARN or the store's options when
                                                   * empty. */
  const char *account_id;                         /* [key] 12-digit account; from the ARN or the store's options when
                                                   * empty. */
  const char *extra;                              /* [spec] JSON object of the document's members that no column
                                                   * holds exactly; NULL when there are none. */
  int64_t omitted;                                /* [local] Bit n set: the document left column n out and it still
                                                   * has its default, so documents leave it out too. The store alone
                                                   * writes it. */
} kecs_service;

/* Columns of a service: for masks, filters and order. */
typedef enum kecs_service_column {
  KECS_SERVICE_ARN,
  KECS_SERVICE_ID,
  KECS_SERVICE_CLUSTER_ARN,
  KECS_SERVICE_NAME,
  KECS_SERVICE_STATUS,
  KECS_SERVICE_DESIRED_COUNT,
  KECS_SERVICE_RUNNING_COUNT,
  KECS_SERVICE_PENDING_COUNT,
  KECS_SERVICE_TASK_DEFINITION,
  KECS_SERVICE_LAUNCH_TYPE,
  KECS_SERVICE_PLATFORM_VERSION,
  KECS_SERVICE_PLATFORM_FAMILY,
  KECS_SERVICE_ROLE_ARN,
  KECS_SERVICE_SCHEDULING_STRATEGY,
  KECS_SERVICE_DEPLOYMENT_CONFIGURATION,
  KECS_SERVICE_DEPLOYMENT_CONTROLLER,
  KECS_SERVICE_DEPLOYMENTS,
  KECS_SERVICE_TASK_SETS,
  KECS_SERVICE_EVENTS,
  KECS_SERVICE_LOAD_BALANCERS,
  KECS_SERVICE_SERVICE_REGISTRIES,
  KECS_SERVICE_NETWORK_CONFIGURATION,
  KECS_SERVICE_CAPACITY_PROVIDER_STRATEGY,
  KECS_SERVICE_SERVICE_CONNECT_CONFIGURATION,
  KECS_SERVICE_VOLUME_CONFIGURATIONS,
  KECS_SERVICE_PLACEMENT_CONSTRAINTS,
  KECS_SERVICE_PLACEMENT_STRATEGY,
  KECS_SERVICE_HEALTH_CHECK_GRACE_PERIOD_SECONDS,
  KECS_SERVICE_ENABLE_ECS_MANAGED_TAGS,
  KECS_SERVICE_ENABLE_EXECUTE_COMMAND,
  KECS_SERVICE_PROPAGATE_TAGS,
  KECS_SERVICE_AVAILABILITY_ZONE_REBALANCING,
  KECS_SERVICE_TAGS,
  KECS_SERVICE_CREATED_BY,
  KECS_SERVICE_DEPLOYMENT_NAME,
  KECS_SERVICE_K8S_NAMESPACE,
  KECS_SERVICE_NODE_PORTS,
  KECS_SERVICE_HAS_NODE_PORT,
  KECS_SERVICE_ASSIGN_PUBLIC_IP,
  KECS_SERVICE_SERVICE_REGISTRY_METADATA,
  KECS_SERVICE_CREATED_AT,
  KECS_SERVICE_UPDATED_AT,
  KECS_SERVICE_VERSION,
  KECS_SERVICE_REGION,
  KECS_SERVICE_ACCOUNT_ID,
  KECS_SERVICE_EXTRA,
  KECS_SERVICE_OMITTED,
  KECS_SERVICE_COLUMN_COUNT
} kecs_service_column;

/* ---- task ---- */

/* One running or stopped copy of a task definition. Table tasks. */
typedef struct kecs_task {
  const char *arn;                    /* [key] arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID; made when empty. */
  const char *id;                     /* [key] Unique id: the ARN's last part, or 32 random hex digits. */
  const char *cluster_arn;            /* [key] Cluster that owns the task; a bare name is taken too. Required. */
  const char *task_definition_arn;    /* [key] Definition it was started from; need not be in the store. */
  const char *service_arn;            /* [spec] Service that owns it; NULL for a task of its own, or once the service
                                       * is deleted. */
  const char *container_instance_arn; /* [status] Container instance that it runs on. */
  const char *containers;             /* [status] Array of container states. */
  const char *last_status;            /* [status] Last status seen: PROVISIONING ... RUNNING ... STOPPED; free text.
                                       * NULL stores "PROVISIONING". */
  const char *desired_status;         /* [spec] Status wanted: RUNNING or STOPPED; free text. NULL stores "RUNNING". */
  const char *cpu;                    /* [spec] CPU units. */
  const char *memory;                 /* [spec] MiB. */
  const char *launch_type;            /* [spec] EC2, FARGATE, EXTERNAL or empty. */
  const char *capacity_provider_name; /* [spec] Capacity provider that it uses. */
  const char *platform_version;       /* [spec] Fargate platform version. */
  const char *platform_family;        /* [spec] Operating system family. */
  const char *availability_zone;      /* [status] Zone that it runs in. */
  const char *task_group;             /* [spec] "service:NAME" or "family:NAME". */
  const char *started_by;             /* [spec] Who asked for it. */
  int64_t started_at;                 /* [status] When it reached RUNNING. */
  int64_t stopping_at;                /* [status] When stopping began. */
  int64_t stopped_at;                 /* [status] When it stopped. */
  const char *stop_code;              /* [status] Why it stopped, as a code. */
  const char *stopped_reason;         /* [status] Why it stopped, in words. */
  const char *connectivity;           /* [status] CONNECTED or DISCONNECTED. */
  int64_t connectivity_at;            /* [status] When connectivity last changed. */
  int64_t pull_started_at;            /* [status] When the image pull began. */
  int64_t pull_stopped_at;            /* [status] When the image pull ended. */
  int64_t execution_stopped_at;       /* [status] When the containers ended. */
  const char *health_status;          /* [status] HEALTHY, UNHEALTHY or UNKNOWN. */
  const char *overrides;              /* [spec] Container overrides as given. */
  const char *attachments;            /* [status] Array of network interfaces and volumes. */
  const char *attributes;             /* [status] Array of {name, value}. */
  const char *inference_accelerators; /* [spec] Array of {deviceName, deviceType}. */
  const char *ephemeral_storage;      /* [spec] {sizeInGiB}. */
  const char *service_registries;     /* [status] Service discovery registrations. */
  bool enable_execute_command;        /* [spec] Whether exec is allowed. */
  const char *tags;                   /* [spec] Array of {key, value}; kept byte for byte, and in step with the kind
                                       * tag. */
  const char *pod_name;               /* [local] Kubernetes pod that carries the task; unique with its namespace. */
  const char *k8s_namespace;          /* [local] Kubernetes namespace of the pod. */
  const char *family;                 /* [local] Family of the task definition, taken from its reference. The store
                                       * alone writes it. */
  int64_t created_at;                 /* [key] When it was created; now when 0. */
  int64_t updated_at;                 /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                    /* [local] 1 at creation, one more with every change. The store alone writes
                                       * it. */
  const char *region;                 /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;             /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;                  /* [spec] JSON object of the document's members that no column holds exactly;
                                       * NULL when there are none. */
  int64_t omitted;                    /* [local] Bit n set: the document left column n out and it still has its
                                       * default, so documents leave it out too. The store alone writes it. */
} kecs_task;

/* Columns of a task: for masks, filters and order. */
typedef enum kecs_task_column {
  KECS_TASK_ARN,
  KECS_TASK_ID,
  KECS_TASK_CLUSTER_ARN,
  KECS_TASK_TASK_DEFINITION_ARN,
  KECS_TASK_SERVICE_ARN,
  KECS_TASK_CONTAINER_INSTANCE_ARN,
  KECS_TASK_CONTAINERS,
  KECS_TASK_LAST_STATUS,
  KECS_TASK_DESIRED_STATUS,
  KECS_TASK_CPU,
  KECS_TASK_MEMORY,
  KECS_TASK_LAUNCH_TYPE,
  KECS_TASK_CAPACITY_PROVIDER_NAME,
  KECS_TASK_PLATFORM_VERSION,
  KECS_TASK_PLATFORM_FAMILY,
  KECS_TASK_AVAILABILITY_ZONE,
  KECS_TASK_TASK_GROUP,
  KECS_TASK_STARTED_BY,
  KECS_TASK_STARTED_AT,
  KECS_TASK_STOPPING_AT,
  KECS_TASK_STOPPED_AT,
  KECS_TASK_STOP_CODE,
  KECS_TASK_STOPPED_REASON,
  KECS_TASK_CONNECTIVITY,
  KECS_TASK_CONNECTIVITY_AT,
  KECS_TASK_PULL_STARTED_AT,
  KECS_TASK_PULL_STOPPED_AT,
  KECS_TASK_EXECUTION_STOPPED_AT,
  KECS_TASK_HEALTH_STATUS,
  KECS_TASK_OVERRIDES,
  KECS_TASK_ATTACHMENTS,
  KECS_TASK_ATTRIBUTES,
  KECS_TASK_INFERENCE_ACCELERATORS,
  KECS_TASK_EPHEMERAL_STORAGE,
  KECS_TASK_SERVICE_REGISTRIES,
  KECS_TASK_ENABLE_EXECUTE_COMMAND,
  KECS_TASK_TAGS,
  KECS_TASK_POD_NAME,
  KECS_TASK_K8S_NAMESPACE,
  KECS_TASK_FAMILY,
  KECS_TASK_CREATED_AT,
  KECS_TASK_UPDATED_AT,
  KECS_TASK_VERSION,
  KECS_TASK_REGION,
  KECS_TASK_ACCOUNT_ID,
  KECS_TASK_EXTRA,
  KECS_TASK_OMITTED,
  KECS_TASK_COLUMN_COUNT
} kecs_task_column;

/* ---- task_set ---- */

/* One of the sets of tasks that a service with an external deployment runs side by side. Table task_sets. */
typedef struct kecs_task_set {
  const char *arn;                        /* [key] arn:aws:ecs:REGION:ACCOUNT:task-set/CLUSTER/SERVICE/ID; made when
                                           * empty. */
  const char *id;                         /* [key] Id, unique within the service, such as
                                           * ecs-svc/4201323268728819917; made when empty. */
  const char *service_arn;                /* [key] Service that the set belongs to; the set outlives it until orphans
                                           * are deleted. Required. */
  const char *cluster_arn;                /* [key] Cluster of the service; a bare name is taken too. Required. */
  const char *external_id;                /* [spec] Id that the external deployment controller gave, such as a
                                           * CodeDeploy deployment. */
  const char *status;                     /* [status] PRIMARY, ACTIVE or DRAINING; free text. At most one set of a
                                           * service is made PRIMARY. NULL stores "ACTIVE". */
  const char *task_definition;            /* [spec] ARN, family:revision or family, exactly as given. */
  const char *launch_type;                /* [spec] EC2, FARGATE or EXTERNAL. */
  const char *platform_version;           /* [spec] Fargate platform version, such as LATEST. */
  const char *platform_family;            /* [spec] Operating system family. */
  const char *scale;                      /* [spec] {value, unit}: percent of the service's desired count that the
                                           * set runs. NULL stores "{"value":100.0,"unit":"PERCENT"}". */
  const char *network_configuration;      /* [spec] awsvpc subnets, groups, public address. */
  const char *load_balancers;             /* [spec] Array of {targetGroupArn, containerName, containerPort}. */
  const char *service_registries;         /* [spec] Array of {registryArn, ...}. */
  const char *capacity_provider_strategy; /* [spec] Array of {capacityProvider, weight, base}. */
  const char *fargate_ephemeral_storage;  /* [spec] Storage settings for Fargate tasks: {kmsKeyId}. */
  int64_t computed_desired_count;         /* [status] Tasks wanted: the service's desired count times the scale,
                                           * rounded up (AWS TaskSet). */
  int64_t pending_count;                  /* [status] Tasks that wait. */
  int64_t running_count;                  /* [status] Tasks that run. */
  const char *stability_status;           /* [status] STEADY_STATE or STABILIZING; free text. */
  int64_t stability_status_at;            /* [status] When stability was last determined. */
  const char *started_by;                 /* [spec] Who asked for it: CODE_DEPLOY or another controller. */
  const char *tags;                       /* [spec] Array of {key, value}; kept byte for byte, and in step with the
                                           * kind tag. */
  int64_t created_at;                     /* [key] When it was created; now when 0. */
  int64_t updated_at;                     /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                        /* [local] 1 at creation, one more with every change. The store alone
                                           * writes it. */
  const char *region;                     /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;                 /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;                      /* [spec] JSON object of the document's members that no column holds
                                           * exactly; NULL when there are none. */
  int64_t omitted;                        /* [local] Bit n set: the document left column n out and it still has its
                                           * default, so documents leave it out too. The store alone writes it. */
} kecs_task_set;

/* Columns of a task set: for masks, filters and order. */
typedef enum kecs_task_set_column {
  KECS_TASK_SET_ARN,
  KECS_TASK_SET_ID,
  KECS_TASK_SET_SERVICE_ARN,
  KECS_TASK_SET_CLUSTER_ARN,
  KECS_TASK_SET_EXTERNAL_ID,
  KECS_TASK_SET_STATUS,
  KECS_TASK_SET_TASK_DEFINITION,
  KECS_TASK_SET_LAUNCH_TYPE,
  KECS_TASK_SET_PLATFORM_VERSION,
  KECS_TASK_SET_PLATFORM_FAMILY,
  KECS_TASK_SET_SCALE,
  KECS_TASK_SET_NETWORK_CONFIGURATION,
  KECS_TASK_SET_LOAD_BALANCERS,
  KECS_TASK_SET_SERVICE_REGISTRIES,
  KECS_TASK_SET_CAPACITY_PROVIDER_STRATEGY,
  KECS_TASK_SET_FARGATE_EPHEMERAL_STORAGE,
  KECS_TASK_SET_COMPUTED_DESIRED_COUNT,
  KECS_TASK_SET_PENDING_COUNT,
  KECS_TASK_SET_RUNNING_COUNT,
  KECS_TASK_SET_STABILITY_STATUS,
  KECS_TASK_SET_STABILITY_STATUS_AT,
  KECS_TASK_SET_STARTED_BY,
  KECS_TASK_SET_TAGS,
  KECS_TASK_SET_CREATED_AT,
  KECS_TASK_SET_UPDATED_AT,
  KECS_TASK_SET_VERSION,
  KECS_TASK_SET_REGION,
  KECS_TASK_SET_ACCOUNT_ID,
  KECS_TASK_SET_EXTRA,
  KECS_TASK_SET_OMITTED,
  KECS_TASK_SET_COLUMN_COUNT
} kecs_task_set_column;

/* ---- container_instance ---- */

/* A machine that is registered in a cluster and runs its tasks. Table container_instances. */
typedef struct kecs_container_instance {
  const char *arn;                    /* [key] arn:aws:ecs:REGION:ACCOUNT:container-instance/CLUSTER/ID; made when
                                       * empty. */
  const char *id;                     /* [key] Unique id: the ARN's last part, or 32 random hex digits. */
  const char *cluster_arn;            /* [key] Cluster that it is registered in; a bare name is taken too. From the
                                       * ARN when empty: AWS documents do not show it. */
  const char *ec2_instance_id;        /* [key] EC2 instance (i-...) or external instance (mi-...) that it is. */
  const char *status;                 /* [status] ACTIVE, DRAINING, REGISTERING, DEREGISTERING, REGISTRATION_FAILED
                                       * or INACTIVE; free text. NULL stores "ACTIVE". */
  const char *status_reason;          /* [status] Why it has this status, in words. */
  bool agent_connected;               /* [status] Whether the agent is connected. */
  const char *agent_update_status;    /* [status] PENDING, STAGING, STAGED, UPDATING, UPDATED or FAILED. */
  int64_t running_tasks_count;        /* [status] Tasks that run on it; a plain counter, the caller keeps it. */
  int64_t pending_tasks_count;        /* [status] Tasks that wait on it; a plain counter. */
  const char *version_info;           /* [status] {agentVersion, agentHash, dockerVersion}. */
  const char *registered_resources;   /* [status] Array of resources that it has for tasks. */
  const char *remaining_resources;    /* [status] Array of resources that no task holds. */
  const char *attributes;             /* [spec] Array of {name, value}. */
  const char *attachments;            /* [status] Array of network interfaces. */
  const char *capacity_provider_name; /* [spec] Capacity provider that it belongs to. */
  const char *health_status;          /* [status] {overallStatus, details}. */
  const char *tags;                   /* [spec] Array of {key, value}; kept byte for byte, and in step with the kind
                                       * tag. */
  int64_t registered_at;              /* [key] When it was registered; now when 0. */
  int64_t deregistered_at;            /* [status] When it was first deregistered. */
  int64_t updated_at;                 /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                    /* [local] 1 at creation, one more with every change. The store alone writes
                                       * it. */
  const char *region;                 /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;             /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;                  /* [spec] JSON object of the document's members that no column holds exactly;
                                       * NULL when there are none. */
  int64_t omitted;                    /* [local] Bit n set: the document left column n out and it still has its
                                       * default, so documents leave it out too. The store alone writes it. */
} kecs_container_instance;

/* Columns of a container instance: for masks, filters and order. */
typedef enum kecs_container_instance_column {
  KECS_CONTAINER_INSTANCE_ARN,
  KECS_CONTAINER_INSTANCE_ID,
  KECS_CONTAINER_INSTANCE_CLUSTER_ARN,
  KECS_CONTAINER_INSTANCE_EC2_INSTANCE_ID,
  KECS_CONTAINER_INSTANCE_STATUS,
  KECS_CONTAINER_INSTANCE_STATUS_REASON,
  KECS_CONTAINER_INSTANCE_AGENT_CONNECTED,
  KECS_CONTAINER_INSTANCE_AGENT_UPDATE_STATUS,
  KECS_CONTAINER_INSTANCE_RUNNING_TASKS_COUNT,
  KECS_CONTAINER_INSTANCE_PENDING_TASKS_COUNT,
  KECS_CONTAINER_INSTANCE_VERSION_INFO,
  KECS_CONTAINER_INSTANCE_REGISTERED_RESOURCES,
  KECS_CONTAINER_INSTANCE_REMAINING_RESOURCES,
  KECS_CONTAINER_INSTANCE_ATTRIBUTES,
  KECS_CONTAINER_INSTANCE_ATTACHMENTS,
  KECS_CONTAINER_INSTANCE_CAPACITY_PROVIDER_NAME,
  KECS_CONTAINER_INSTANCE_HEALTH_STATUS,
  KECS_CONTAINER_INSTANCE_TAGS,
  KECS_CONTAINER_INSTANCE_REGISTERED_AT,
  KECS_CONTAINER_INSTANCE_DEREGISTERED_AT,
  KECS_CONTAINER_INSTANCE_UPDATED_AT,
  KECS_CONTAINER_INSTANCE_VERSION,
  KECS_CONTAINER_INSTANCE_REGION,
  KECS_CONTAINER_INSTANCE_ACCOUNT_ID,
  KECS_CONTAINER_INSTANCE_EXTRA,
  KECS_CONTAINER_INSTANCE_OMITTED,
  KECS_CONTAINER_INSTANCE_COLUMN_COUNT
} kecs_container_instance_column;

/* ---- attribute ---- */

/* A name and value put on a container instance, for placement to match. Table attributes. */
typedef struct kecs_attribute {
  const char *id;          /* [key] Unique id; a random UUID when empty. */
  const char *name;        /* [key] Name, such as stack; 1 to 128 letters, digits and - _ . / (AWS Attribute).
                            * Required. */
  const char *value;       /* [spec] Value; NULL for an attribute that is only a name. */
  const char *target_type; /* [key] What kind of thing it is on; AWS knows container-instance only. NULL stores
                            * "container-instance". */
  const char *target_id;   /* [key] Id or ARN of what it is on, as the caller stores it. Required. */
  const char *cluster;     /* [key] Cluster, a name or an ARN, as the caller stores it. */
  int64_t created_at;      /* [key] When it was created; now when 0. */
  int64_t updated_at;      /* [local] When the row last changed. The store alone writes it. */
  int64_t version;         /* [local] 1 at creation, one more with every change. The store alone writes it. */
  const char *region;      /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;  /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;       /* [spec] JSON object of the document's members that no column holds exactly; NULL when
                            * there are none. */
  int64_t omitted;         /* [local] Bit n set: the document left column n out and it still has its default, so
                            * documents leave it out too. The store alone writes it. */
} kecs_attribute;

/* Columns of an attribute: for masks, filters and order. */
typedef enum kecs_attribute_column {
  KECS_ATTRIBUTE_ID,
  KECS_ATTRIBUTE_NAME,
  KECS_ATTRIBUTE_VALUE,
  KECS_ATTRIBUTE_TARGET_TYPE,
  KECS_ATTRIBUTE_TARGET_ID,
  KECS_ATTRIBUTE_CLUSTER,
  KECS_ATTRIBUTE_CREATED_AT,
  KECS_ATTRIBUTE_UPDATED_AT,
  KECS_ATTRIBUTE_VERSION,
  KECS_ATTRIBUTE_REGION,
  KECS_ATTRIBUTE_ACCOUNT_ID,
  KECS_ATTRIBUTE_EXTRA,
  KECS_ATTRIBUTE_OMITTED,
  KECS_ATTRIBUTE_COLUMN_COUNT
} kecs_attribute_column;

/* ---- account_setting ---- */

/* An ECS account setting of one principal, or the default for all. Table account_settings. */
typedef struct kecs_account_setting {
  const char *id;            /* [key] Unique id; a random UUID when empty. An upsert keeps the first one. */
  const char *name;          /* [key] Setting, such as containerInsights or awsvpcTrunking. Required. */
  const char *value;         /* [spec] Usually enabled or disabled; free text. */
  const char *principal_arn; /* [key] User, role or root that the value is for; the word default for a default.
                              * Required. */
  const char *type;          /* [spec] user or aws_managed. */
  bool is_default;           /* [spec] Whether it holds for principals without a setting of their own. */
  int64_t created_at;        /* [key] When it was created; now when 0. */
  int64_t updated_at;        /* [local] When the row last changed. The store alone writes it. */
  int64_t version;           /* [local] 1 at creation, one more with every change. The store alone writes it. */
  const char *region;        /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;    /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;         /* [spec] JSON object of the document's members that no column holds exactly; NULL when
                              * there are none. */
  int64_t omitted;           /* [local] Bit n set: the document left column n out and it still has its default, so
                              * documents leave it out too. The store alone writes it. */
} kecs_account_setting;

/* Columns of an account setting: for masks, filters and order. */
typedef enum kecs_account_setting_column {
  KECS_ACCOUNT_SETTING_ID,
  KECS_ACCOUNT_SETTING_NAME,
  KECS_ACCOUNT_SETTING_VALUE,
  KECS_ACCOUNT_SETTING_PRINCIPAL_ARN,
  KECS_ACCOUNT_SETTING_TYPE,
  KECS_ACCOUNT_SETTING_IS_DEFAULT,
  KECS_ACCOUNT_SETTING_CREATED_AT,
  KECS_ACCOUNT_SETTING_UPDATED_AT,
  KECS_ACCOUNT_SETTING_VERSION,
  KECS_ACCOUNT_SETTING_REGION,
  KECS_ACCOUNT_SETTING_ACCOUNT_ID,
  KECS_ACCOUNT_SETTING_EXTRA,
  KECS_ACCOUNT_SETTING_OMITTED,
  KECS_ACCOUNT_SETTING_COLUMN_COUNT
} kecs_account_setting_column;

/* ---- task_log ---- */

/* One line that a container wrote; kept when its task is gone. Table task_logs. */
typedef struct kecs_task_log {
  const char *id;             /* [key] Unique id; a random UUID when empty. */
  const char *task_arn;       /* [key] Task that wrote it; need not be in the store. Required. */
  const char *container_name; /* [key] Container of the task. Required. */
  int64_t timestamp;          /* [key] When it was written; now when 0. */
  const char *log_line;       /* [key] The line, as the container wrote it. */
  const char *log_level;      /* [key] Level, such as INFO or ERROR, when one is known; free text. */
  int64_t created_at;         /* [key] When it was stored; now when 0. Retention goes by it. */
  const char *extra;          /* [spec] JSON object of the document's members that no column holds exactly; NULL when
                               * there are none. */
  int64_t omitted;            /* [local] Bit n set: the document left column n out and it still has its default, so
                               * documents leave it out too. The store alone writes it. */
} kecs_task_log;

/* Columns of a task log: for masks, filters and order. */
typedef enum kecs_task_log_column {
  KECS_TASK_LOG_ID,
  KECS_TASK_LOG_TASK_ARN,
  KECS_TASK_LOG_CONTAINER_NAME,
  KECS_TASK_LOG_TIMESTAMP,
  KECS_TASK_LOG_LOG_LINE,
  KECS_TASK_LOG_LOG_LEVEL,
  KECS_TASK_LOG_CREATED_AT,
  KECS_TASK_LOG_EXTRA,
  KECS_TASK_LOG_OMITTED,
  KECS_TASK_LOG_COLUMN_COUNT
} kecs_task_log_column;

/* ---- load_balancer ---- */

/* An ELBv2 load balancer: application, network or gateway. Table elbv2_load_balancers. */
typedef struct kecs_load_balancer {
  /* [key] arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID; made when empty. */
  const char *arn;
  const char *name;                              /* [key] Name, unique in (account, region): 1 to 32 letters, digits
                                                  * and - (AWS CreateLoadBalancer). Required. */
  const char *type;                              /* [spec] application, network or gateway. NULL stores
                                                  * "application". */
  const char *scheme;                            /* [spec] internet-facing or internal; AWS has none for a gateway.
                                                  * NULL stores "internet-facing". */
  const char *state;                             /* [status] provisioning, active, active_impaired or failed; free
                                                  * text. NULL stores "provisioning". */
  const char *state_reason;                      /* [status] Why it has this state, in words. */
  const char *dns_name;                          /* [status] Public name; from whoever runs the load balancer. */
  const char *canonical_hosted_zone_id;          /* [status] Route 53 zone of the public name. */
  const char *vpc_id;                            /* [spec] Network that it stands in. */
  const char *subnets;                           /* [spec] Array of subnet ids, as CreateLoadBalancer takes them. */
  const char *availability_zones;                /* [spec] Array of {ZoneName, SubnetId, LoadBalancerAddresses}. */
  const char *security_groups;                   /* [spec] Array of security group ids. */
  const char *ip_address_type;                   /* [spec] ipv4, dualstack or dualstack-without-public-ipv4. NULL
                                                  * stores "ipv4". */
  const char *enable_prefix_for_ipv6_source_nat; /* [spec] on or off, for a network load balancer with UDP on IPv6. */
  const char *tags;                              /* [spec] Array of {Key, Value}; kept byte for byte, and in step
                                                  * with the kind tag. */
  int64_t created_at;                            /* [key] When it was created; now when 0. */
  int64_t updated_at;                            /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                               /* [local] 1 at creation, one more with every change. The store
                                                  * alone writes it. */
  const char *region;                            /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;                        /* [key] 12-digit account; from the ARN or the store's options when
                                                  * empty. */
  const char *extra;                             /* [spec] JSON object of the document's members that no column holds
                                                  * exactly; NULL when there are none. */
  int64_t omitted;                               /* [local] Bit n set: the document left column n out and it still
                                                  * has its default, so documents leave it out too. The store alone
                                                  * writes it. */
} kecs_load_balancer;

/* Columns of a load balancer: for masks, filters and order. */
typedef enum kecs_load_balancer_column {
  KECS_LOAD_BALANCER_ARN,
  KECS_LOAD_BALANCER_NAME,
  KECS_LOAD_BALANCER_TYPE,
  KECS_LOAD_BALANCER_SCHEME,
  KECS_LOAD_BALANCER_STATE,
  KECS_LOAD_BALANCER_STATE_REASON,
  KECS_LOAD_BALANCER_DNS_NAME,
  KECS_LOAD_BALANCER_CANONICAL_HOSTED_ZONE_ID,
  KECS_LOAD_BALANCER_VPC_ID,
  KECS_LOAD_BALANCER_SUBNETS,
  KECS_LOAD_BALANCER_AVAILABILITY_ZONES,
  KECS_LOAD_BALANCER_SECURITY_GROUPS,
  KECS_LOAD_BALANCER_IP_ADDRESS_TYPE,
  KECS_LOAD_BALANCER_ENABLE_PREFIX_FOR_IPV6_SOURCE_NAT,
  KECS_LOAD_BALANCER_TAGS,
  KECS_LOAD_BALANCER_CREATED_AT,
  KECS_LOAD_BALANCER_UPDATED_AT,
  KECS_LOAD_BALANCER_VERSION,
  KECS_LOAD_BALANCER_REGION,
  KECS_LOAD_BALANCER_ACCOUNT_ID,
  KECS_LOAD_BALANCER_EXTRA,
  KECS_LOAD_BALANCER_OMITTED,
  KECS_LOAD_BALANCER_COLUMN_COUNT
} kecs_load_balancer_column;

/* ---- target_group ---- */

/* The ELBv2 targets that a listener forwards to, and how their health is checked. Table elbv2_target_groups. */
typedef struct kecs_target_group {
  const char *arn;                       /* [key] arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID;
                                          * made when empty. */
  const char *name;                      /* [key] Name, unique in (account, region): 1 to 32 letters, digits and -
                                          * (AWS CreateTargetGroup). Required. */
  const char *protocol;                  /* [spec] HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE ...; AWS has none for
                                          * lambda. NULL stores "HTTP". */
  const char *protocol_version;          /* [spec] HTTP1, HTTP2 or GRPC. */
  int64_t port;                          /* [spec] Port of targets that name none, 1 to 65535; AWS has none for
                                          * lambda. */
  const char *target_type;               /* [spec] instance, ip, lambda or alb. NULL stores "instance". */
  const char *vpc_id;                    /* [spec] Network of the targets; AWS has none for lambda. */
  const char *ip_address_type;           /* [spec] ipv4 or ipv6. */
  bool health_check_enabled;             /* [spec] Whether health is checked. */
  const char *health_check_protocol;     /* [spec] Protocol of the checks. */
  const char *health_check_port;         /* [spec] Port of the checks in digits, or traffic-port for the target's
                                          * own. NULL stores "traffic-port". */
  const char *health_check_path;         /* [spec] Path that HTTP checks ask for. NULL stores "/". */
  int64_t health_check_interval_seconds; /* [spec] Seconds between two checks of a target; AWS allows 5 to 300. */
  int64_t health_check_timeout_seconds;  /* [spec] Seconds without an answer that make a check fail; AWS allows 2 to
                                          * 120. */
  int64_t healthy_threshold_count;       /* [spec] Successes in a row that make a target healthy; AWS allows 2 to 10. */
  int64_t unhealthy_threshold_count;     /* [spec] Failures in a row that make a target unhealthy; AWS allows 2 to
                                          * 10. */
  const char *matcher;                   /* [spec] HTTP codes that count as success, such as 200 or 200-399. NULL
                                          * stores "200". */
  const char *matcher_grpc_code;         /* [spec] gRPC codes that count as success, such as 0 or 0-99. */
  const char *load_balancer_arns;        /* [status] Array of the load balancers whose listeners forward here. */
  const char *tags;                      /* [spec] Array of {Key, Value}; kept byte for byte, and in step with the
                                          * kind tag. */
  int64_t created_at;                    /* [key] When it was created; now when 0. */
  int64_t updated_at;                    /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                       /* [local] 1 at creation, one more with every change. The store alone writes
                                          * it. */
  const char *region;                    /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;                /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;                     /* [spec] JSON object of the document's members that no column holds
                                          * exactly; NULL when there are none. */
  int64_t omitted;                       /* [local] Bit n set: the document left column n out and it still has its
                                          * default, so documents leave it out too. The store alone writes it. */
} kecs_target_group;

/* Columns of a target group: for masks, filters and order. */
typedef enum kecs_target_group_column {
  KECS_TARGET_GROUP_ARN,
  KECS_TARGET_GROUP_NAME,
  KECS_TARGET_GROUP_PROTOCOL,
  KECS_TARGET_GROUP_PROTOCOL_VERSION,
  KECS_TARGET_GROUP_PORT,
  KECS_TARGET_GROUP_TARGET_TYPE,
  KECS_TARGET_GROUP_VPC_ID,
  KECS_TARGET_GROUP_IP_ADDRESS_TYPE,
  KECS_TARGET_GROUP_HEALTH_CHECK_ENABLED,
  KECS_TARGET_GROUP_HEALTH_CHECK_PROTOCOL,
  KECS_TARGET_GROUP_HEALTH_CHECK_PORT,
  KECS_TARGET_GROUP_HEALTH_CHECK_PATH,
  KECS_TARGET_GROUP_HEALTH_CHECK_INTERVAL_SECONDS,
  KECS_TARGET_GROUP_HEALTH_CHECK_TIMEOUT_SECONDS,
  KECS_TARGET_GROUP_HEALTHY_THRESHOLD_COUNT,
  KECS_TARGET_GROUP_UNHEALTHY_THRESHOLD_COUNT,
  KECS_TARGET_GROUP_MATCHER,
  KECS_TARGET_GROUP_MATCHER_GRPC_CODE,
  KECS_TARGET_GROUP_LOAD_BALANCER_ARNS,
  KECS_TARGET_GROUP_TAGS,
  KECS_TARGET_GROUP_CREATED_AT,
  KECS_TARGET_GROUP_UPDATED_AT,
  KECS_TARGET_GROUP_VERSION,
  KECS_TARGET_GROUP_REGION,
  KECS_TARGET_GROUP_ACCOUNT_ID,
  KECS_TARGET_GROUP_EXTRA,
  KECS_TARGET_GROUP_OMITTED,
  KECS_TARGET_GROUP_COLUMN_COUNT
} kecs_target_group_column;

/* ---- listener ---- */

/* An ELBv2 listener: the port on which a load balancer takes connections. Table elbv2_listeners. */
typedef struct kecs_listener {
  const char *arn;                   /* [key] arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/LB-ID/ID;
                                      * made when empty. */
  const char *load_balancer_arn;     /* [key] Load balancer that owns the listener. Required. */
  int64_t port;                      /* [spec] Port, 1 to 65535; 0 for a gateway load balancer, which has none. */
  const char *protocol;              /* [spec] HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP ...; empty for a gateway load
                                      * balancer. */
  const char *ssl_policy;            /* [spec] Security policy of a secure listener. */
  const char *certificates;          /* [spec] Array of {CertificateArn, IsDefault}. */
  const char *default_actions;       /* [spec] Array of actions of the default rule. */
  const char *alpn_policy;           /* [spec] Array with the name of the ALPN policy. */
  const char *mutual_authentication; /* [spec] {Mode, TrustStoreArn, ...}. */
  const char *tags;                  /* [spec] Array of {Key, Value}; kept byte for byte, and in step with the kind
                                      * tag. */
  int64_t created_at;                /* [key] When it was created; now when 0. */
  int64_t updated_at;                /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                   /* [local] 1 at creation, one more with every change. The store alone writes it. */
  const char *region;                /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;            /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;                 /* [spec] JSON object of the document's members that no column holds exactly;
                                      * NULL when there are none. */
  int64_t omitted;                   /* [local] Bit n set: the document left column n out and it still has its
                                      * default, so documents leave it out too. The store alone writes it. */
} kecs_listener;

/* Columns of a listener: for masks, filters and order. */
typedef enum kecs_listener_column {
  KECS_LISTENER_ARN,
  KECS_LISTENER_LOAD_BALANCER_ARN,
  KECS_LISTENER_PORT,
  KECS_LISTENER_PROTOCOL,
  KECS_LISTENER_SSL_POLICY,
  KECS_LISTENER_CERTIFICATES,
  KECS_LISTENER_DEFAULT_ACTIONS,
  KECS_LISTENER_ALPN_POLICY,
  KECS_LISTENER_MUTUAL_AUTHENTICATION,
  KECS_LISTENER_TAGS,
  KECS_LISTENER_CREATED_AT,
  KECS_LISTENER_UPDATED_AT,
  KECS_LISTENER_VERSION,
  KECS_LISTENER_REGION,
  KECS_LISTENER_ACCOUNT_ID,
  KECS_LISTENER_EXTRA,
  KECS_LISTENER_OMITTED,
  KECS_LISTENER_COLUMN_COUNT
} kecs_listener_column;

/* ---- rule ---- */

/* An ELBv2 rule: what a listener does with requests that meet its conditions. Table elbv2_rules. */
typedef struct kecs_rule {
  /* [key] arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/LB-ID/LISTENER-ID/ID; made when empty. */
  const char *arn;
  const char *listener_arn; /* [key] Listener that owns the rule. From the ARN when empty: AWS takes it as input and
                             * does not show it. */
  int64_t priority;         /* [spec] 1 to 49999, the lowest first, unique within the listener; the default rule
                             * comes last (AWS CreateRule). Required. */
  const char *conditions;   /* [spec] Array of conditions, all of which must hold; empty for the default rule. NULL
                             * stores "[]". */
  const char *actions;      /* [spec] Array of actions. NULL stores "[]". */
  const char *transforms;   /* [spec] Array of rewrites done before forwarding. */
  bool is_default;          /* [key] Whether it is the listener's default rule. */
  const char *tags;         /* [spec] Array of {Key, Value}; kept byte for byte, and in step with the kind tag. */
  int64_t created_at;       /* [key] When it was created; now when 0. */
  int64_t updated_at;       /* [local] When the row last changed. The store alone writes it. */
  int64_t version;          /* [local] 1 at creation, one more with every change. The store alone writes it. */
  const char *region;       /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;   /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;        /* [spec] JSON object of the document's members that no column holds exactly; NULL when
                             * there are none. */
  int64_t omitted;          /* [local] Bit n set: the document left column n out and it still has its default, so
                             * documents leave it out too. The store alone writes it. */
} kecs_rule;

/* Columns of a rule: for masks, filters and order. */
typedef enum kecs_rule_column {
  KECS_RULE_ARN,
  KECS_RULE_LISTENER_ARN,
  KECS_RULE_PRIORITY,
  KECS_RULE_CONDITIONS,
  KECS_RULE_ACTIONS,
  KECS_RULE_TRANSFORMS,
  KECS_RULE_IS_DEFAULT,
  KECS_RULE_TAGS,
  KECS_RULE_CREATED_AT,
  KECS_RULE_UPDATED_AT,
  KECS_RULE_VERSION,
  KECS_RULE_REGION,
  KECS_RULE_ACCOUNT_ID,
  KECS_RULE_EXTRA,
  KECS_RULE_OMITTED,
  KECS_RULE_COLUMN_COUNT
} kecs_rule_column;

/* ---- target ---- */

/* An ELBv2 target: one address and port of a target group, and its health. Table elbv2_targets. */
typedef struct kecs_target {
  const char *target_group_arn;        /* [key] Target group that owns the target; beside the AWS shape. Required. */
  const char *id;                      /* [key] Instance id, IP address, function ARN or load balancer ARN, by the
                                        * group's target type. Required. */
  int64_t port;                        /* [key] Port, so that one id may serve on several; 0 for none, as for lambda. */
  const char *availability_zone;       /* [spec] Zone of an address outside the network, or all. */
  const char *health_check_port;       /* [status] Port that is checked, in digits, or traffic-port. */
  const char *health_state;            /* [status] registering, initial, healthy, unhealthy, unused, deregistering,
                                        * draining or unavailable; free text. NULL stores "registering". */
  const char *health_reason;           /* [status] Why it has this state, as a code such as Target.Timeout. */
  const char *health_description;      /* [status] Why it has this state, in words. */
  const char *anomaly_detection;       /* [status] {Result, MitigationInEffect}. */
  const char *administrative_override; /* [status] {State, Reason, Description}. */
  int64_t registered_at;               /* [spec] When it was last registered; now when 0. */
  int64_t updated_at;                  /* [local] When the row last changed. The store alone writes it. */
  int64_t version;                     /* [local] 1 at creation, one more with every change. The store alone writes
                                        * it. */
  const char *region;                  /* [key] AWS region; from the ARN or the store's options when empty. */
  const char *account_id;              /* [key] 12-digit account; from the ARN or the store's options when empty. */
  const char *extra;                   /* [spec] JSON object of the document's members that no column holds exactly;
                                        * NULL when there are none. */
  int64_t omitted;                     /* [local] Bit n set: the document left column n out and it still has its
                                        * default, so documents leave it out too. The store alone writes it. */
} kecs_target;

/* Columns of a target: for masks, filters and order. */
typedef enum kecs_target_column {
  KECS_TARGET_TARGET_GROUP_ARN,
  KECS_TARGET_ID,
  KECS_TARGET_PORT,
  KECS_TARGET_AVAILABILITY_ZONE,
  KECS_TARGET_HEALTH_CHECK_PORT,
  KECS_TARGET_HEALTH_STATE,
  KECS_TARGET_HEALTH_REASON,
  KECS_TARGET_HEALTH_DESCRIPTION,
  KECS_TARGET_ANOMALY_DETECTION,
  KECS_TARGET_ADMINISTRATIVE_OVERRIDE,
  KECS_TARGET_REGISTERED_AT,
  KECS_TARGET_UPDATED_AT,
  KECS_TARGET_VERSION,
  KECS_TARGET_REGION,
  KECS_TARGET_ACCOUNT_ID,
  KECS_TARGET_EXTRA,
  KECS_TARGET_OMITTED,
  KECS_TARGET_COLUMN_COUNT
} kecs_target_column;

/* ---- tag ---- */

/* One tag of one resource, to find resources by their tags. Table resource_tags. */
typedef struct kecs_tag {
  const char *resource_arn; /* [key] Resource that carries the tag. Required. */
  const char *key;          /* [key] Key, 1 to 128 characters (AWS). Required. */
  const char *value;        /* [spec] Value, up to 256 characters (AWS). */
  int64_t created_at;       /* [key] When the key was first put on the resource; now when 0. */
} kecs_tag;

/* Columns of a tag: for masks, filters and order. */
typedef enum kecs_tag_column {
  KECS_TAG_RESOURCE_ARN,
  KECS_TAG_KEY,
  KECS_TAG_VALUE,
  KECS_TAG_CREATED_AT,
  KECS_TAG_COLUMN_COUNT
} kecs_tag_column;

/* ---- event ---- */

/* An entry of the audit log: who did what to which resource. Table events. */
typedef struct kecs_event {
  const char *id;             /* [key] Unique id; a random UUID when empty. */
  const char *event_type;     /* [key] Sort of event; free text. Required. */
  const char *resource_arn;   /* [key] Resource that it is about; need not be in the store. Required. */
  const char *resource_type;  /* [key] Sort of resource, such as cluster or service; free text. Required. */
  const char *action;         /* [key] What was done, such as CREATE; free text. Required. */
  int64_t timestamp;          /* [key] When it happened; now when 0. Retention goes by it. */
  const char *data;           /* [key] Details, any JSON document. */
  const char *correlation_id; /* [key] Id that all events of one request share. */
  const char *user_identity;  /* [key] Who did it. */
  int64_t created_at;         /* [key] When it was stored; now when 0. */
  const char *extra;          /* [spec] JSON object of the document's members that no column holds exactly; NULL when
                               * there are none. */
  int64_t omitted;            /* [local] Bit n set: the document left column n out and it still has its default, so
                               * documents leave it out too. The store alone writes it. */
} kecs_event;

/* Columns of an event: for masks, filters and order. */
typedef enum kecs_event_column {
  KECS_EVENT_ID,
  KECS_EVENT_EVENT_TYPE,
  KECS_EVENT_RESOURCE_ARN,
  KECS_EVENT_RESOURCE_TYPE,
  KECS_EVENT_ACTION,
  KECS_EVENT_TIMESTAMP,
  KECS_EVENT_DATA,
  KECS_EVENT_CORRELATION_ID,
  KECS_EVENT_USER_IDENTITY,
  KECS_EVENT_CREATED_AT,
  KECS_EVENT_EXTRA,
  KECS_EVENT_OMITTED,
  KECS_EVENT_COLUMN_COUNT
} kecs_event_column;

/* ---- node ---- */

/* A machine that the Podling scheduler places tasks on. Table nodes. */
typedef struct kecs_node {
  const char *id;         /* [key] Unique id; the caller gives it. Required. */
  const char *hostname;   /* [spec] Name or address at which the agent is reached. Required. */
  int64_t port;           /* [spec] Port of the agent, 1 to 65535. */
  const char *status;     /* [status] online or offline; free text. NULL stores "online". */
  kecs_opt_int capacity;  /* [spec] Tasks that it may run at once; from resources when absent: the lesser of its CPUs
                           * and its GiB of memory. */
  int64_t running_tasks;  /* [status] Tasks that run on it; a plain counter, the caller keeps it. */
  int64_t last_heartbeat; /* [status] When it was last heard of; now when 0. */
  const char *resources;  /* [status] {capacity, allocatable, used}, each {cpu in millicores, memory in bytes}. */
  int64_t created_at;     /* [key] When it was created; now when 0. */
  int64_t updated_at;     /* [local] When the row last changed. The store alone writes it. */
  int64_t version;        /* [local] 1 at creation, one more with every change. The store alone writes it. */
  const char *extra;      /* [spec] JSON object of the document's members that no column holds exactly; NULL when
                           * there are none. */
  int64_t omitted;        /* [local] Bit n set: the document left column n out and it still has its default, so
                           * documents leave it out too. The store alone writes it. */
} kecs_node;

/* Columns of a node: for masks, filters and order. */
typedef enum kecs_node_column {
  KECS_NODE_ID,
  KECS_NODE_HOSTNAME,
  KECS_NODE_PORT,
  KECS_NODE_STATUS,
  KECS_NODE_CAPACITY,
  KECS_NODE_RUNNING_TASKS,
  KECS_NODE_LAST_HEARTBEAT,
  KECS_NODE_RESOURCES,
  KECS_NODE_CREATED_AT,
  KECS_NODE_UPDATED_AT,
  KECS_NODE_VERSION,
  KECS_NODE_EXTRA,
  KECS_NODE_OMITTED,
  KECS_NODE_COLUMN_COUNT
} kecs_node_column;

/* ---- node_task ---- */

/* One container that the Podling scheduler runs on a node. Table node_tasks. */
typedef struct kecs_node_task {
  const char *id;              /* [key] Unique id; the caller gives it. Required. */
  const char *name;            /* [spec] Name; need not be unique. Required. */
  const char *image;           /* [spec] Container image. Required. */
  const char *env;             /* [spec] Object of environment variables. */
  const char *status;          /* [status] pending, scheduled, running, completed or failed; free text. NULL stores
                                * "pending". */
  const char *node_id;         /* [spec] Node that it is placed on; need not be in the store. */
  const char *container_id;    /* [status] Container on the node. */
  int64_t created_at;          /* [key] When it was created; now when 0. */
  int64_t started_at;          /* [status] When it began to run. */
  int64_t finished_at;         /* [status] When it completed or failed. */
  const char *error;           /* [status] Why it failed, in words. */
  const char *liveness_probe;  /* [spec] Check that restarts it: {type, httpPath, port, command, periodSeconds, ...}. */
  const char *readiness_probe; /* [spec] Check that says whether it can serve; same shape. */
  const char *restart_policy;  /* [spec] Always, OnFailure or Never. */
  const char *health_status;   /* [status] healthy, unhealthy or unknown; free text. */
  const char *ports;           /* [spec] Array of {name, containerPort, protocol, hostPort}. */
  const char *resources;       /* [spec] {requests, limits}, each {cpu in millicores, memory in bytes}. */
  int64_t updated_at;          /* [local] When the row last changed. The store alone writes it. */
  int64_t version;             /* [local] 1 at creation, one more with every change. The store alone writes it. */
  const char *extra;           /* [spec] JSON object of the document's members that no column holds exactly; NULL
                                * when there are none. */
  int64_t omitted;             /* [local] Bit n set: the document left column n out and it still has its default, so
                                * documents leave it out too. The store alone writes it. */
} kecs_node_task;

/* Columns of a node task: for masks, filters and order. */
typedef enum kecs_node_task_column {
  KECS_NODE_TASK_ID,
  KECS_NODE_TASK_NAME,
  KECS_NODE_TASK_IMAGE,
  KECS_NODE_TASK_ENV,
  KECS_NODE_TASK_STATUS,
  KECS_NODE_TASK_NODE_ID,
  KECS_NODE_TASK_CONTAINER_ID,
  KECS_NODE_TASK_CREATED_AT,
  KECS_NODE_TASK_STARTED_AT,
  KECS_NODE_TASK_FINISHED_AT,
  KECS_NODE_TASK_ERROR,
  KECS_NODE_TASK_LIVENESS_PROBE,
  KECS_NODE_TASK_READINESS_PROBE,
  KECS_NODE_TASK_RESTART_POLICY,
  KECS_NODE_TASK_HEALTH_STATUS,
  KECS_NODE_TASK_PORTS,
  KECS_NODE_TASK_RESOURCES,
  KECS_NODE_TASK_UPDATED_AT,
  KECS_NODE_TASK_VERSION,
  KECS_NODE_TASK_EXTRA,
  KECS_NODE_TASK_OMITTED,
  KECS_NODE_TASK_COLUMN_COUNT
} kecs_node_task_column;

#endif

/* ---- store/store.h, continued ------------------------------------------------------------------------------------ */
/* A store, or a transaction on one (kecs_begin). A store may be used from any number of threads at once; a
 * transaction by one thread at a time. */
typedef struct kecs_store kecs_store;

/* Rows that came back, and every text they point to. Free it with kecs_result_free. It is immutable, may be read
 * from any thread, and outlives the store. */
typedef struct kecs_result kecs_result;

typedef struct kecs_backend kecs_backend; /* see "Backends" */

typedef enum kecs_durability {
  KECS_DURABILITY_NORMAL, /* WAL, synchronous=NORMAL: a power cut may lose the last commits, never corrupts */
  KECS_DURABILITY_FULL    /* WAL, synchronous=FULL: a commit is on the disk before KECS_OK */
} kecs_durability;

/* A set of defaults for a place. What the options say themselves counts before it. */
typedef enum kecs_profile {
  KECS_PROFILE_DEFAULT, /* WAL, synchronous=NORMAL */
  KECS_PROFILE_DURABLE, /* WAL, synchronous=FULL; writes of several threads share a commit */
  KECS_PROFILE_EDGE,    /* flash and little memory: pages of 1 KiB in a file that is made, a cache of 64 KiB, one
                         * reader, commits shared within 20 ms, heartbeats stored every 10 s; see docs/profiles.md */
  KECS_PROFILE_MEMORY   /* ":memory:"; options.path may be left out */
} kecs_profile;

/* How the reading connections are kept. 0: the default; -1: no limit (acquire_ms: no wait). */
typedef struct kecs_pool_options {
  int acquire_ms;  /* how long a read waits for a free connection, then BUSY; 30000 */
  int idle_ms;     /* a connection that nobody has used for so long is closed; 1800000 */
  int lifetime_ms; /* no connection is kept longer; 3600000 */
  int check_ms;    /* how often that is looked at, while the store is used; 60000 */
  int read_age_ms; /* a walk (kecs_*_each) that is older ends with TIMEOUT at its next row: while it is open, the
                    * write-ahead log can't be emptied; 300000 */
} kecs_pool_options;

/* Zero-initialised means the default everywhere. The struct and the texts are read during kecs_open only. */
typedef struct kecs_options {
  const char *path;               /* a file, ":memory:", or a URL that one of `backends` answers to. Required. */
  bool read_only;                 /* never write; the file must exist */
  bool must_exist;                /* KECS_E_NOT_FOUND instead of creating the file */
  const char *account_id;         /* what a bare name belongs to; NULL: "000000000000" */
  const char *region;             /* NULL: "us-east-1" */
  kecs_durability durability;     /* what KECS_OK promises after a write */
  bool strict;                    /* validate every created and updated row, see "Validation" */
  bool no_foreign_keys;           /* take rows whose parent is missing: importing orphaned data */
  int busy_timeout_ms;            /* how long a write waits for another writer; 0: 30000, negative: not at all */
  int readers;                    /* connections that read beside the writer; 0: 4, at most 64 */
  int cache_kib;                  /* page cache of the writing connection; 0: 65536; each reader has a quarter */
  size_t document_bytes_max;      /* larger JSON documents are KECS_E_INVALID; 0: 64 MiB */
  kecs_allocator allocator;       /* zeroed: libc */
  kecs_logger logger;             /* zeroed: silent */
  kecs_clock clock;               /* zeroed: the system's */
  kecs_random random;             /* zeroed: the operating system's */
  const kecs_backend *const *backends; /* further backends, a list ended by NULL; NULL: SQLite alone */
  kecs_profile profile;           /* where the defaults of what stands above and below come from */
  int log_kib;                    /* the write-ahead log is moved into the file beyond this size; 0: 16000, edge 2048 */
  int share_window_ms;            /* while several threads write, a write waits so long for others to share its commit;
                                   * 0: edge 20, else none; negative: none */
  int heartbeat_ms;               /* kecs_node_heartbeat that changes nothing else is stored at most so often, so the
                                   * stored time may be so old; 0: edge 10000, else each; negative: each */
  int memory_kib;                 /* the most that the store and its results hold at once, NOMEM beyond; SQLite's own
                                   * memory is not in it. 0: edge 256, else no limit; negative: none */
  kecs_pool_options pool;         /* the reading connections */
} kecs_options;

/* Opens the store, creating the file and its schema when it does not exist. An existing older schema is migrated
 * in one transaction; a newer one, a damaged file and a file that is no kecs_store database are refused untouched.
 * Safe when several processes open a fresh file at once. On failure *out_store is NULL.
 * Errors: INVALID (options), NOT_FOUND (no such directory, or must_exist), READONLY, DENIED, CORRUPT,
 * SCHEMA_NEWER, BUSY, FULL, IO, NOMEM. */
KECS_STORE_API kecs_status kecs_open(const kecs_options *options, kecs_store **out_store);

/* Closes the store; open transactions are rolled back. NULL is fine. No other thread may use the store any more;
 * results stay valid. MISUSE when the handle is a transaction. */
KECS_STORE_API kecs_status kecs_close(kecs_store *store);

/* The library's version ("0.1.0"), and its version, SQLite's version and source id and the options compiled in, in
 * one line. Both texts are static. */
KECS_STORE_API const char *kecs_version(void);
KECS_STORE_API const char *kecs_build_info(void);

/* The reading connections. */
typedef struct kecs_pool_info {
  int max;
  int total;
  int active;      /* reading now */
  int idle;
  int64_t waits;   /* reads that found none free */
  int64_t wait_us; /* and how long they have waited, all of them */
  int64_t retired; /* connections that were closed because of their age or because nobody needed them */
} kecs_pool_info;

/* What an open store is like. Texts live as long as the store. */
typedef struct kecs_info {
  const char *backend;     /* "sqlite" */
  const char *path;        /* as opened, passwords masked */
  int schema_version;      /* of the open database */
  bool read_only;
  const char *account_id;
  const char *region;
  const char *journal_mode; /* as read back from the database: "wal", "memory" ... */
  int64_t size_bytes;       /* of the database, from its page count; 0 when unknown */
  int64_t wal_bytes;        /* of the write-ahead log file; 0 when there is none */
  const char *synchronous;  /* of the writing connection, as read back: "normal", "full" ... */
  int64_t page_bytes;
  int64_t cache_bytes;          /* at most, of the writing connection */
  int64_t wal_checkpoint_bytes; /* the log is moved into the file beyond this size; 0 where the store only reads */
  int64_t wal_limit_bytes;      /* and cut to this size, where readers let it grow further */
  int64_t sqlite_bytes;         /* that SQLite holds for one connection: pages, schema, statements */
  kecs_pool_info pool;
} kecs_info;
KECS_STORE_API kecs_status kecs_store_info(kecs_store *store, kecs_info *out_info);

/* For quiet moments: closes reading connections that nobody needs, moves the write-ahead log into the file, cuts it
 * to nothing. Waits for nobody longer than 50 ms: what is not done now is done the next time. Nothing is written where
 * nothing is to be moved. While the store is read it does this by itself, once nobody has written for
 * options.pool.check_ms; the library has no threads of its own. MISUSE on a transaction. */
KECS_STORE_API kecs_status kecs_maintain(kecs_store *store);

/* ---- Deadlines and cancelling ---------------------------------------------------------------------------- */

/* Every later call on this handle, and on transactions begun from it afterwards, fails with KECS_E_TIMEOUT once the
 * clock (options.clock) reaches `deadline_us`, microseconds since 1970 UTC; 0 removes it. It is checked before a call
 * starts, while it runs and right before COMMIT, or right before a write joins those that share one: after
 * KECS_E_TIMEOUT nothing of the call is stored. */
KECS_STORE_API kecs_status kecs_set_deadline(kecs_store *store, int64_t deadline_us);

/* With `cancelled` true, calls on this handle and its transactions, running ones included, fail with
 * KECS_E_CANCELLED and store nothing, until it is set to false again. May be called from any thread. */
KECS_STORE_API kecs_status kecs_set_cancelled(kecs_store *store, bool cancelled);

/* ---- Transactions ---------------------------------------------------------------------------------------- */

/* A write on a store is a transaction of its own. In a file, writes of several threads that wait for each other share
 * one commit, so that a commit that reaches the disk is paid once for all of them: each works alone, on its own thread,
 * and is undone alone when it fails; each is told KECS_OK once the commit that holds it is done, and each is told when
 * that fails. A deadline or a cancel counts until a write has joined the others; from then on it waits for their
 * commit. Where the database itself gives the transaction up because of one write, the others are told the same if it
 * was the disk or the memory, else BUSY. */

/* Begins a transaction, or a savepoint when `store` is a transaction itself. *out_tx takes every call that a store
 * takes; what is written through it becomes visible to others all at once at kecs_commit. The transaction holds
 * the database's write lock (BEGIN IMMEDIATE), so keep it short. While a transaction is open its thread must not
 * write through the store itself: KECS_E_MISUSE, since it would wait for itself. Nor may one write through a
 * transaction while a savepoint inside it is open: MISUSE, since that would be undone with the savepoint.
 * Errors: BUSY, TIMEOUT, CANCELLED, READONLY, NOMEM, MISUSE. */
KECS_STORE_API kecs_status kecs_begin(kecs_store *store, kecs_store **out_tx);

/* Ends a transaction; the handle is gone afterwards, whatever is returned. Savepoints within it that are still open
 * end with it. After a failed commit nothing is stored (but see KECS_E_OUTCOME_UNKNOWN). kecs_rollback(NULL) does
 * nothing, so a clean-up path can always call it. */
KECS_STORE_API kecs_status kecs_commit(kecs_store *tx);
KECS_STORE_API kecs_status kecs_rollback(kecs_store *tx);

/* Runs `work` in a transaction: commits when it returns KECS_OK, else rolls back and returns what it returned.
 * A BUSY or OFFLINE (from begin, work or commit) is retried with growing, jittered pauses until `budget_ms` have
 * passed (0: the store's busy timeout), so `work` must be able to run again. On a transaction handle it runs once,
 * in a savepoint. */
KECS_STORE_API kecs_status kecs_transact(kecs_store *store, kecs_status (*work)(kecs_store *tx, void *user),
                                         void *user, int budget_ms);

/* ---- Results --------------------------------------------------------------------------------------------- */

KECS_STORE_API void kecs_result_free(kecs_result *result);              /* NULL is fine */
KECS_STORE_API size_t kecs_result_count(const kecs_result *result);     /* rows; 0 for NULL */
KECS_STORE_API kecs_kind kecs_result_kind(const kecs_result *result);   /* 0 for NULL, and where the rows are no kind */

/* The token of the next page, or NULL when this was the last one. It lives as long as the result. */
KECS_STORE_API const char *kecs_result_page_token(const kecs_result *result);

/* ---- Queries --------------------------------------------------------------------------------------------- */

/* How a filter compares. Texts compare by bytes; no character of a value has a special meaning. A row whose column is
 * NULL matches only KECS_IS_NULL. */
typedef enum kecs_op {
  KECS_EQ,
  KECS_NE,
  KECS_LT,
  KECS_LE,
  KECS_GT,
  KECS_GE,
  KECS_IN,              /* one of `texts` or `numbers` (`count` of them, at most 500); none matches nothing */
  KECS_PREFIX,          /* begins with `text` */
  KECS_CONTAINS,        /* has `text` in it */
  KECS_CONTAINS_NOCASE, /* as CONTAINS, A to Z and a to z alike */
  KECS_IS_NULL,
  KECS_NOT_NULL
} kecs_op;

typedef struct kecs_filter {
  int column;                 /* a column constant of the queried kind, such as KECS_TASK_STARTED_BY */
  kecs_op op;
  const char *text; /* the value for TEXT and JSON columns. A cluster may be a name or an ARN; so may a service
                     * of the cluster that a filter before it asks for, or of the cluster "default" */
  int64_t number;             /* the value for INT, OPTI, RANK, TIME and BOOL columns */
  const char *const *texts;   /* values for KECS_IN on TEXT and JSON columns */
  const int64_t *numbers;     /* values for KECS_IN on the others */
  size_t count;
} kecs_filter;

typedef enum kecs_direction {
  KECS_ORDER_DEFAULT, /* the kind's own order (docs/kinds.md), mostly newest first; `order_by` is not read */
  KECS_ORDER_ASCENDING,
  KECS_ORDER_DESCENDING
} kecs_direction;

/* Zero-initialised, or NULL: the first 100 rows in the kind's own order. */
typedef struct kecs_query {
  const kecs_filter *where; /* all of them must match */
  size_t where_count;       /* at most 32 */
  kecs_direction direction;
  int order_by;             /* a NOT NULL column; ties are broken by the natural key in byte order */
  int limit;                /* 0: 100; at most 1000, for task_log and event 10000; below 0 or above: INVALID */
  const char *page_token;   /* of the page before, from the same query; INVALID from another one. NULL: first page */
} kecs_query;

/* ---- Rows of every kind, typed --------------------------------------------------------------------------- */
/* The functions of each kind follow below, kind by kind. What holds for all of them:
 *
 *   create        INSERT. Fills what is empty: id, ARN, times, account, region, defaults. EXISTS when a unique key is
 *                 taken, REFERENCE when a parent is missing, INVALID when a required column is NULL.
 *   create_many   all rows in one transaction, or none.
 *   get           one row; NOT_FOUND. The last text takes the ARN as well; a cluster may be a name or an ARN, and NULL
 *                 or "" where the key says enough.
 *   get_many      the rows of these keys (texts as for kecs_record_get) in their order; unknown ones are left out.
 *   list          a page of rows in order; an empty page is no error.
 *   each          calls `visit` for every matching row (limit 0 means all) without keeping them: the row dies when
 *                 `visit` returns. Anything but KECS_OK from `visit` stops the walk and is returned. `visit` may call
 *                 the store, but not a ":memory:" one, whose only connection the walk holds.
 *   count         how many rows match; order, limit and token are not read.
 *   update        writes every column that differs, but those of the group `key`, which never change. The row is found
 *                 by its natural key (the ARN), or by its name. version 0 is unconditional, otherwise CONFLICT unless
 *                 it is the stored one, so updating a row that was read never overwrites somebody else's change.
 *                 A row that equals the stored one is not written and keeps version and updated_at. NOT_FOUND.
 *   update_fields as update, but only the columns whose bit (KECS_BIT) is in `mask`; a mask of 0 checks that the row is
 *                 there. INVALID when the mask names a column that can't be changed.
 *   upsert        update when the natural key is there, create otherwise; one transaction.
 *   delete        NOT_FOUND when there is no such row. Children go with it (docs/kinds.md: references).
 *
 * out_result may be NULL where the row is not wanted back; otherwise it holds the stored row, and is NULL on failure.
 * The caller's structs are never changed. Any of them may also fail with BUSY, TIMEOUT, CANCELLED, READONLY, FULL,
 * CORRUPT, IO, NOMEM or MISUSE. */

#endif

/* ---- gen/api_public.h -------------------------------------------------------------------------------------------- */
/* gen/api_public.h -- the typed functions of each kind.
 * Generated by amalgamate.py from src/kinds. Do not edit. */
#ifndef KECS_GEN_API_PUBLIC_H
#define KECS_GEN_API_PUBLIC_H

/* ---- Functions: cluster ---- */

/* cluster: a named group that services, tasks and container instances live in. Addressed by name. */
KECS_STORE_API kecs_status kecs_cluster_create(kecs_store *store, const kecs_cluster *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_create_many(kecs_store *store, const kecs_cluster *rows, size_t count,
                                                    kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_get(kecs_store *store, const char *name, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_each(kecs_store *store, const kecs_query *query,
                                             kecs_status (*visit)(const kecs_cluster *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_cluster_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_cluster_update(kecs_store *store, const kecs_cluster *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_update_fields(kecs_store *store, const kecs_cluster *row, uint64_t mask,
                                                      kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_upsert(kecs_store *store, const kecs_cluster *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_cluster_delete(kecs_store *store, const char *name);
KECS_STORE_API const kecs_cluster *kecs_cluster_at(const kecs_result *result, size_t index);

/* ---- Functions: task_definition ---- */

/* task_definition: one revision of a family: the containers that a task runs. Addressed by family. */
KECS_STORE_API kecs_status kecs_task_definition_create(kecs_store *store, const kecs_task_definition *row,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_create_many(kecs_store *store, const kecs_task_definition *rows,
                                                            size_t count, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_get(kecs_store *store, const char *family, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                         kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_list(kecs_store *store, const kecs_query *query,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_each(
    kecs_store *store, const kecs_query *query, kecs_status (*visit)(const kecs_task_definition *row, void *user),
    void *user);
KECS_STORE_API kecs_status kecs_task_definition_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_task_definition_update(kecs_store *store, const kecs_task_definition *row,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_update_fields(kecs_store *store, const kecs_task_definition *row,
                                                              uint64_t mask, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_upsert(kecs_store *store, const kecs_task_definition *row,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_definition_delete(kecs_store *store, const char *family);
KECS_STORE_API const kecs_task_definition *kecs_task_definition_at(const kecs_result *result, size_t index);

/* ---- Functions: service ---- */

/* service: keeps a wanted number of tasks of one definition running in a cluster. Addressed by (cluster, name). */
KECS_STORE_API kecs_status kecs_service_create(kecs_store *store, const kecs_service *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_create_many(kecs_store *store, const kecs_service *rows, size_t count,
                                                    kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_get(kecs_store *store, const char *cluster, const char *name,
                                            kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_each(kecs_store *store, const kecs_query *query,
                                             kecs_status (*visit)(const kecs_service *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_service_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_service_update(kecs_store *store, const kecs_service *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_update_fields(kecs_store *store, const kecs_service *row, uint64_t mask,
                                                      kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_upsert(kecs_store *store, const kecs_service *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_service_delete(kecs_store *store, const char *cluster, const char *name);
KECS_STORE_API const kecs_service *kecs_service_at(const kecs_result *result, size_t index);

/* ---- Functions: task ---- */

/* task: one running or stopped copy of a task definition. Addressed by (cluster, id). */
KECS_STORE_API kecs_status kecs_task_create(kecs_store *store, const kecs_task *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_create_many(kecs_store *store, const kecs_task *rows, size_t count,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_get(kecs_store *store, const char *cluster, const char *id,
                                         kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_get_many(kecs_store *store, const char *const *keys, size_t count,
                                              kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_each(kecs_store *store, const kecs_query *query,
                                          kecs_status (*visit)(const kecs_task *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_task_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_task_update(kecs_store *store, const kecs_task *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_update_fields(kecs_store *store, const kecs_task *row, uint64_t mask,
                                                   kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_upsert(kecs_store *store, const kecs_task *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_delete(kecs_store *store, const char *cluster, const char *id);
KECS_STORE_API const kecs_task *kecs_task_at(const kecs_result *result, size_t index);

/* ---- Functions: task_set ---- */

/* task_set: one of the sets of tasks that a service with an external deployment runs side by side. Addressed by
 * (service, id). */
KECS_STORE_API kecs_status kecs_task_set_create(kecs_store *store, const kecs_task_set *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_create_many(kecs_store *store, const kecs_task_set *rows, size_t count,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_get(kecs_store *store, const char *service, const char *id,
                                             kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                  kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_each(kecs_store *store, const kecs_query *query,
                                              kecs_status (*visit)(const kecs_task_set *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_task_set_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_task_set_update(kecs_store *store, const kecs_task_set *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_update_fields(kecs_store *store, const kecs_task_set *row, uint64_t mask,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_upsert(kecs_store *store, const kecs_task_set *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_set_delete(kecs_store *store, const char *service, const char *id);
KECS_STORE_API const kecs_task_set *kecs_task_set_at(const kecs_result *result, size_t index);

/* ---- Functions: container_instance ---- */

/* container_instance: a machine that is registered in a cluster and runs its tasks. Addressed by (cluster, id). */
KECS_STORE_API kecs_status kecs_container_instance_create(kecs_store *store, const kecs_container_instance *row,
                                                          kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_create_many(kecs_store *store, const kecs_container_instance *rows,
                                                               size_t count, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_get(kecs_store *store, const char *cluster, const char *id,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                            kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_list(kecs_store *store, const kecs_query *query,
                                                        kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_each(
    kecs_store *store, const kecs_query *query, kecs_status (*visit)(const kecs_container_instance *row, void *user),
    void *user);
KECS_STORE_API kecs_status kecs_container_instance_count(kecs_store *store, const kecs_query *query,
                                                         int64_t *out_count);
KECS_STORE_API kecs_status kecs_container_instance_update(kecs_store *store, const kecs_container_instance *row,
                                                          kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_update_fields(kecs_store *store,
                                                                 const kecs_container_instance *row, uint64_t mask,
                                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_upsert(kecs_store *store, const kecs_container_instance *row,
                                                          kecs_result **out_result);
KECS_STORE_API kecs_status kecs_container_instance_delete(kecs_store *store, const char *cluster, const char *id);
KECS_STORE_API const kecs_container_instance *kecs_container_instance_at(const kecs_result *result, size_t index);

/* ---- Functions: attribute ---- */

/* attribute: a name and value put on a container instance, for placement to match. Addressed by (cluster,
 * target_type, target_id, name). */
KECS_STORE_API kecs_status kecs_attribute_create(kecs_store *store, const kecs_attribute *row,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_create_many(kecs_store *store, const kecs_attribute *rows, size_t count,
                                                      kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_get(kecs_store *store, const char *cluster, const char *target_type,
                                              const char *target_id, const char *name, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                   kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_each(kecs_store *store, const kecs_query *query,
                                               kecs_status (*visit)(const kecs_attribute *row, void *user),
                                               void *user);
KECS_STORE_API kecs_status kecs_attribute_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_attribute_update(kecs_store *store, const kecs_attribute *row,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_update_fields(kecs_store *store, const kecs_attribute *row, uint64_t mask,
                                                        kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_upsert(kecs_store *store, const kecs_attribute *row,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_attribute_delete(kecs_store *store, const char *cluster, const char *target_type,
                                                 const char *target_id, const char *name);
KECS_STORE_API const kecs_attribute *kecs_attribute_at(const kecs_result *result, size_t index);

/* ---- Functions: account_setting ---- */

/* account_setting: an ECS account setting of one principal, or the default for all. Addressed by (principal, name). */
KECS_STORE_API kecs_status kecs_account_setting_create(kecs_store *store, const kecs_account_setting *row,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_create_many(kecs_store *store, const kecs_account_setting *rows,
                                                            size_t count, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_get(kecs_store *store, const char *principal, const char *name,
                                                    kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                         kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_list(kecs_store *store, const kecs_query *query,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_each(
    kecs_store *store, const kecs_query *query, kecs_status (*visit)(const kecs_account_setting *row, void *user),
    void *user);
KECS_STORE_API kecs_status kecs_account_setting_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_account_setting_update(kecs_store *store, const kecs_account_setting *row,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_update_fields(kecs_store *store, const kecs_account_setting *row,
                                                              uint64_t mask, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_upsert(kecs_store *store, const kecs_account_setting *row,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_delete(kecs_store *store, const char *principal, const char *name);
KECS_STORE_API const kecs_account_setting *kecs_account_setting_at(const kecs_result *result, size_t index);

/* ---- Functions: task_log ---- */

/* task_log: one line that a container wrote; kept when its task is gone. Addressed by id. Append-only: a row is
 * never updated, so there is no update and no upsert. */
KECS_STORE_API kecs_status kecs_task_log_create(kecs_store *store, const kecs_task_log *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_log_create_many(kecs_store *store, const kecs_task_log *rows, size_t count,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_log_get(kecs_store *store, const char *id, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_log_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                  kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_log_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_log_each(kecs_store *store, const kecs_query *query,
                                              kecs_status (*visit)(const kecs_task_log *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_task_log_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_task_log_delete(kecs_store *store, const char *id);
KECS_STORE_API const kecs_task_log *kecs_task_log_at(const kecs_result *result, size_t index);

/* ---- Functions: load_balancer ---- */

/* load_balancer: an ELBv2 load balancer: application, network or gateway. Addressed by name. */
KECS_STORE_API kecs_status kecs_load_balancer_create(kecs_store *store, const kecs_load_balancer *row,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_create_many(kecs_store *store, const kecs_load_balancer *rows,
                                                          size_t count, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_get(kecs_store *store, const char *name, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_list(kecs_store *store, const kecs_query *query,
                                                   kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_each(kecs_store *store, const kecs_query *query,
                                                   kecs_status (*visit)(const kecs_load_balancer *row, void *user),
                                                   void *user);
KECS_STORE_API kecs_status kecs_load_balancer_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_load_balancer_update(kecs_store *store, const kecs_load_balancer *row,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_update_fields(kecs_store *store, const kecs_load_balancer *row,
                                                            uint64_t mask, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_upsert(kecs_store *store, const kecs_load_balancer *row,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_delete(kecs_store *store, const char *name);
KECS_STORE_API const kecs_load_balancer *kecs_load_balancer_at(const kecs_result *result, size_t index);

/* ---- Functions: target_group ---- */

/* target_group: the ELBv2 targets that a listener forwards to, and how their health is checked. Addressed by name. */
KECS_STORE_API kecs_status kecs_target_group_create(kecs_store *store, const kecs_target_group *row,
                                                    kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_create_many(kecs_store *store, const kecs_target_group *rows,
                                                         size_t count, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_get(kecs_store *store, const char *name, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                      kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_list(kecs_store *store, const kecs_query *query,
                                                  kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_each(kecs_store *store, const kecs_query *query,
                                                  kecs_status (*visit)(const kecs_target_group *row, void *user),
                                                  void *user);
KECS_STORE_API kecs_status kecs_target_group_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_target_group_update(kecs_store *store, const kecs_target_group *row,
                                                    kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_update_fields(kecs_store *store, const kecs_target_group *row,
                                                           uint64_t mask, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_upsert(kecs_store *store, const kecs_target_group *row,
                                                    kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_group_delete(kecs_store *store, const char *name);
KECS_STORE_API const kecs_target_group *kecs_target_group_at(const kecs_result *result, size_t index);

/* ---- Functions: listener ---- */

/* listener: an ELBv2 listener: the port on which a load balancer takes connections. Addressed by arn. */
KECS_STORE_API kecs_status kecs_listener_create(kecs_store *store, const kecs_listener *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_create_many(kecs_store *store, const kecs_listener *rows, size_t count,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_get(kecs_store *store, const char *arn, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                  kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_each(kecs_store *store, const kecs_query *query,
                                              kecs_status (*visit)(const kecs_listener *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_listener_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_listener_update(kecs_store *store, const kecs_listener *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_update_fields(kecs_store *store, const kecs_listener *row, uint64_t mask,
                                                       kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_upsert(kecs_store *store, const kecs_listener *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_listener_delete(kecs_store *store, const char *arn);
KECS_STORE_API const kecs_listener *kecs_listener_at(const kecs_result *result, size_t index);

/* ---- Functions: rule ---- */

/* rule: an ELBv2 rule: what a listener does with requests that meet its conditions. Addressed by arn. */
KECS_STORE_API kecs_status kecs_rule_create(kecs_store *store, const kecs_rule *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_create_many(kecs_store *store, const kecs_rule *rows, size_t count,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_get(kecs_store *store, const char *arn, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_get_many(kecs_store *store, const char *const *keys, size_t count,
                                              kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_each(kecs_store *store, const kecs_query *query,
                                          kecs_status (*visit)(const kecs_rule *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_rule_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_rule_update(kecs_store *store, const kecs_rule *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_update_fields(kecs_store *store, const kecs_rule *row, uint64_t mask,
                                                   kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_upsert(kecs_store *store, const kecs_rule *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_rule_delete(kecs_store *store, const char *arn);
KECS_STORE_API const kecs_rule *kecs_rule_at(const kecs_result *result, size_t index);

/* ---- Functions: target ---- */

/* target: an ELBv2 target: one address and port of a target group, and its health. Addressed by (target_group, id,
 * port). */
KECS_STORE_API kecs_status kecs_target_create(kecs_store *store, const kecs_target *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_create_many(kecs_store *store, const kecs_target *rows, size_t count,
                                                   kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_get(kecs_store *store, const char *target_group, const char *id, int64_t port,
                                           kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_each(kecs_store *store, const kecs_query *query,
                                            kecs_status (*visit)(const kecs_target *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_target_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_target_update(kecs_store *store, const kecs_target *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_update_fields(kecs_store *store, const kecs_target *row, uint64_t mask,
                                                     kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_upsert(kecs_store *store, const kecs_target *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_target_delete(kecs_store *store, const char *target_group, const char *id,
                                              int64_t port);
KECS_STORE_API const kecs_target *kecs_target_at(const kecs_result *result, size_t index);

/* ---- Functions: tag ---- */

/* tag: one tag of one resource, to find resources by their tags. Addressed by (resource, key). */
KECS_STORE_API kecs_status kecs_tag_create(kecs_store *store, const kecs_tag *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_create_many(kecs_store *store, const kecs_tag *rows, size_t count,
                                                kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_get(kecs_store *store, const char *resource, const char *key,
                                        kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_get_many(kecs_store *store, const char *const *keys, size_t count,
                                             kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_each(kecs_store *store, const kecs_query *query,
                                         kecs_status (*visit)(const kecs_tag *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_tag_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_tag_update(kecs_store *store, const kecs_tag *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_update_fields(kecs_store *store, const kecs_tag *row, uint64_t mask,
                                                  kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_upsert(kecs_store *store, const kecs_tag *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_tag_delete(kecs_store *store, const char *resource, const char *key);
KECS_STORE_API const kecs_tag *kecs_tag_at(const kecs_result *result, size_t index);

/* ---- Functions: event ---- */

/* event: an entry of the audit log: who did what to which resource. Addressed by id. Append-only: a row is never
 * updated, so there is no update and no upsert. */
KECS_STORE_API kecs_status kecs_event_create(kecs_store *store, const kecs_event *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_event_create_many(kecs_store *store, const kecs_event *rows, size_t count,
                                                  kecs_result **out_result);
KECS_STORE_API kecs_status kecs_event_get(kecs_store *store, const char *id, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_event_get_many(kecs_store *store, const char *const *keys, size_t count,
                                               kecs_result **out_result);
KECS_STORE_API kecs_status kecs_event_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_event_each(kecs_store *store, const kecs_query *query,
                                           kecs_status (*visit)(const kecs_event *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_event_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_event_delete(kecs_store *store, const char *id);
KECS_STORE_API const kecs_event *kecs_event_at(const kecs_result *result, size_t index);

/* ---- Functions: node ---- */

/* node: a machine that the Podling scheduler places tasks on. Addressed by id. */
KECS_STORE_API kecs_status kecs_node_create(kecs_store *store, const kecs_node *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_create_many(kecs_store *store, const kecs_node *rows, size_t count,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_get(kecs_store *store, const char *id, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_get_many(kecs_store *store, const char *const *keys, size_t count,
                                              kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_each(kecs_store *store, const kecs_query *query,
                                          kecs_status (*visit)(const kecs_node *row, void *user), void *user);
KECS_STORE_API kecs_status kecs_node_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_node_update(kecs_store *store, const kecs_node *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_update_fields(kecs_store *store, const kecs_node *row, uint64_t mask,
                                                   kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_upsert(kecs_store *store, const kecs_node *row, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_delete(kecs_store *store, const char *id);
KECS_STORE_API const kecs_node *kecs_node_at(const kecs_result *result, size_t index);

/* ---- Functions: node_task ---- */

/* node_task: one container that the Podling scheduler runs on a node. Addressed by id. */
KECS_STORE_API kecs_status kecs_node_task_create(kecs_store *store, const kecs_node_task *row,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_create_many(kecs_store *store, const kecs_node_task *rows, size_t count,
                                                      kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_get(kecs_store *store, const char *id, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                   kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_list(kecs_store *store, const kecs_query *query, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_each(kecs_store *store, const kecs_query *query,
                                               kecs_status (*visit)(const kecs_node_task *row, void *user),
                                               void *user);
KECS_STORE_API kecs_status kecs_node_task_count(kecs_store *store, const kecs_query *query, int64_t *out_count);
KECS_STORE_API kecs_status kecs_node_task_update(kecs_store *store, const kecs_node_task *row,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_update_fields(kecs_store *store, const kecs_node_task *row, uint64_t mask,
                                                        kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_upsert(kecs_store *store, const kecs_node_task *row,
                                                 kecs_result **out_result);
KECS_STORE_API kecs_status kecs_node_task_delete(kecs_store *store, const char *id);
KECS_STORE_API const kecs_node_task *kecs_node_task_at(const kecs_result *result, size_t index);

#endif

/* ---- store/ecs.h ------------------------------------------------------------------------------------------------- */
/* ---- Operations of ECS kinds ------------------------------------------------------------------------------ */
/* What a kind can do beyond the functions that all kinds have. A `cluster` is a name or an ARN. Times are microseconds
 * since 1970 UTC. Every out_result and out_count may be NULL unless it is all that the function is for. */
#ifndef KECS_STORE_ECS_H
#define KECS_STORE_ECS_H

/* -- clusters -- */

/* The cluster of this name or ARN; created when there is none (AWS CreateCluster is idempotent). *out_created (may be
 * NULL) tells which. */
KECS_STORE_API kecs_status kecs_cluster_ensure(kecs_store *store, const kecs_cluster *row, bool *out_created,
                                               kecs_result **out_result);

/* Deletes a cluster only when it is idle: REFERENCE, naming a count, while a service is not INACTIVE or a task is not
 * STOPPED (AWS DeleteCluster). kecs_cluster_delete takes everything with it instead. */
KECS_STORE_API kecs_status kecs_cluster_delete_idle(kecs_store *store, const char *cluster);

/* -- task definitions -- */

/* Registers the next revision of row->family: revision and ARN of `row` are not read. Revisions count up from 1 within
 * (account, region, family), INACTIVE and deleted ones included, and none is ever given twice.
 * kecs_task_definition_create does the same when revision and ARN are empty, and keeps them otherwise (imports). */
KECS_STORE_API kecs_status kecs_task_definition_register(kecs_store *store, const kecs_task_definition *row,
                                                         kecs_result **out_result);

/* The highest ACTIVE revision of a family; NOT_FOUND when none is ACTIVE. kecs_task_definition_get does the same for a
 * bare family name, and takes "family:revision" and ARNs as well, whatever their status. */
KECS_STORE_API kecs_status kecs_task_definition_latest(kecs_store *store, const char *family, kecs_result **out_result);

/* Makes a revision INACTIVE; the first call sets deregistered_at, later ones change nothing. */
KECS_STORE_API kecs_status kecs_task_definition_deregister(kecs_store *store, const char *definition,
                                                           kecs_result **out_result);

/* One page of families, ordered by name. */
typedef struct kecs_family {
  const char *family;
  int64_t latest_revision;  /* highest that is stored, whatever its status */
  int64_t active_revisions; /* how many are ACTIVE */
} kecs_family;
typedef struct kecs_family_query {
  const char *prefix;     /* of the name, literal; NULL: all */
  const char *status;     /* only families with a revision of this status; NULL: all */
  int limit;              /* 0: 100, at most 1000 */
  const char *page_token;
} kecs_family_query;
KECS_STORE_API kecs_status kecs_task_definition_families(kecs_store *store, const kecs_family_query *query,
                                                         kecs_result **out_result);
KECS_STORE_API const kecs_family *kecs_family_at(const kecs_result *result, size_t index);

/* The revisions of a family, newest first, optionally of one status. An unknown family gives an empty page. */
KECS_STORE_API kecs_status kecs_task_definition_revisions(kecs_store *store, const char *family, const char *status,
                                                          int limit, const char *page_token, kecs_result **out_result);

/* -- services -- */

/* Deletes services whose end was decided before `before`: status INACTIVE or DELETE_IN_PROGRESS, or DRAINING with
 * desired_count and running_count 0; and updated_at < before. cluster NULL or "": all. */
KECS_STORE_API kecs_status kecs_service_delete_marked(kecs_store *store, const char *cluster, int64_t before,
                                                      int64_t *out_count);

/* -- tasks -- */

/* All that is set must match. */
typedef struct kecs_task_filter {
  const char *cluster;            /* name or ARN */
  const char *service;            /* name or ARN: its service_arn, group "service:NAME" or startedBy "ecs-svc/NAME" */
  const char *family;             /* of the task definition */
  const char *container_instance; /* ARN or id */
  const char *desired_status;
  const char *last_status;
  const char *launch_type;
  const char *started_by;
} kecs_task_filter;

/* The filter, and the filters, order and page of `query` (may be NULL) besides. */
KECS_STORE_API kecs_status kecs_task_find(kecs_store *store, const kecs_task_filter *filter, const kecs_query *query,
                                          kecs_result **out_result);

/* Deletes tasks that ended before `before`, by the first of stopped_at, execution_stopped_at, updated_at that is set.
 * status NULL or "": STOPPED and DEPROVISIONING ones; RUNNING tasks go only when asked for by status. */
KECS_STORE_API kecs_status kecs_task_delete_older(kecs_store *store, const char *cluster, int64_t before,
                                                  const char *status, int64_t *out_count);

/* -- task sets -- */

/* Makes one task set of a service PRIMARY and every other PRIMARY one ACTIVE, in one transaction. NOT_FOUND changes
 * nothing. `task_set` is an id or an ARN. */
KECS_STORE_API kecs_status kecs_task_set_update_primary(kecs_store *store, const char *service_arn,
                                                        const char *task_set, kecs_result **out_result);

/* Deletes the task sets of a cluster whose service is not in the store. */
KECS_STORE_API kecs_status kecs_task_set_delete_orphaned(kecs_store *store, const char *cluster, int64_t *out_count);

/* -- container instances -- */

/* Instances of a cluster (NULL: all) whose EC2 id equals `text`, or whose ARN or attributes contain it; case counts.
 * The filters, order and page of `query` apply besides. */
KECS_STORE_API kecs_status kecs_container_instance_search(kecs_store *store, const char *cluster, const char *text,
                                                          const kecs_query *query, kecs_result **out_result);

/* Status INACTIVE and deregistered_at now; the row stays. */
KECS_STORE_API kecs_status kecs_container_instance_deregister(kecs_store *store, const char *cluster,
                                                              const char *instance, kecs_result **out_result);

/* Deletes INACTIVE instances whose deregistered_at, or else updated_at, is before `before`. */
KECS_STORE_API kecs_status kecs_container_instance_delete_stale(kecs_store *store, const char *cluster, int64_t before,
                                                                int64_t *out_count);

/* -- attributes -- */

/* Upserts all of them in one transaction; none is a success. */
KECS_STORE_API kecs_status kecs_attribute_put(kecs_store *store, const kecs_attribute *rows, size_t count);

/* Deletes those of a cluster with the rows' name, target_type and target_id; absent ones are no error. */
KECS_STORE_API kecs_status kecs_attribute_remove(kecs_store *store, const char *cluster, const kecs_attribute *rows,
                                                 size_t count);

/* -- account settings -- */

/* The default of a setting (principal_arn "default"): get, set. */
KECS_STORE_API kecs_status kecs_account_setting_get_default(kecs_store *store, const char *name,
                                                            kecs_result **out_result);
KECS_STORE_API kecs_status kecs_account_setting_set_default(kecs_store *store, const char *name, const char *value,
                                                            kecs_result **out_result);

/* What holds for a principal: the defaults with its own settings in their place, ordered by name; is_default is false
 * in every row. `name` NULL: all. */
KECS_STORE_API kecs_status kecs_account_setting_effective(kecs_store *store, const char *principal_arn,
                                                          const char *name, kecs_result **out_result);

/* -- task logs -- */

/* All that is set must match. */
typedef struct kecs_log_filter {
  const char *task_arn;
  const char *container_name;
  const char *level;
  const char *search;      /* anywhere in the line, literal, A to Z and a to z alike */
  int64_t from;            /* inclusive; 0: none */
  int64_t to;              /* inclusive; 0: none */
} kecs_log_filter;

/* One page (limit at most 10000), newest first, or oldest first. kecs_task_log_create_many saves. */
KECS_STORE_API kecs_status kecs_task_log_find(kecs_store *store, const kecs_log_filter *filter, bool oldest_first,
                                              int limit, const char *page_token, kecs_result **out_result);
KECS_STORE_API kecs_status kecs_task_log_count_matching(kecs_store *store, const kecs_log_filter *filter,
                                                        int64_t *out_count);

/* Deletes lines that were saved (created_at) before `before`; or all of one task, none being a success. */
KECS_STORE_API kecs_status kecs_task_log_delete_older(kecs_store *store, int64_t before, int64_t *out_count);
KECS_STORE_API kecs_status kecs_task_log_delete_task(kecs_store *store, const char *task_arn, int64_t *out_count);

/* -- events -- */

/* Deletes audit events older than `before` (timestamp). kecs_event_create appends, kecs_event_list finds. */
KECS_STORE_API kecs_status kecs_event_prune(kecs_store *store, int64_t before, int64_t *out_count);

#endif

/* ---- store/elb.h ------------------------------------------------------------------------------------------------- */
/* ---- Operations of ELBv2 kinds ---------------------------------------------------------------------------- */
#ifndef KECS_STORE_ELB_H
#define KECS_STORE_ELB_H

/* -- rules -- */

typedef struct kecs_rule_priority {
  const char *rule_arn;
  int64_t priority; /* 1 to 49999 */
} kecs_rule_priority;

/* Gives several rules new priorities at once; swapping two is fine. INVALID for a priority out of range, for the
 * default rule or a duplicate in the request; NOT_FOUND; EXISTS when another rule of the listener has it. All or
 * nothing. */
KECS_STORE_API kecs_status kecs_rule_set_priorities(kecs_store *store, const kecs_rule_priority *priorities,
                                                    size_t count);

/* Whether a priority may be given to `rule_arn` (NULL: to a new rule): INVALID "must be between 1 and 49999", EXISTS
 * "already in use". */
KECS_STORE_API kecs_status kecs_rule_check_priority(kecs_store *store, const char *listener_arn, int64_t priority,
                                                    const char *rule_arn);

/* Bands of priorities that callers use. */
typedef enum kecs_rule_band {
  KECS_RULE_BAND_CRITICAL, /* 1 to 99 */
  KECS_RULE_BAND_SPECIFIC, /* 100 to 999 */
  KECS_RULE_BAND_GENERAL,  /* 1000 to 9999 */
  KECS_RULE_BAND_CATCH_ALL /* 10000 to 49999 */
} kecs_rule_band;

/* The lowest free priority of a band; FULL when there is none. */
KECS_STORE_API kecs_status kecs_rule_next_priority(kecs_store *store, const char *listener_arn, kecs_rule_band band,
                                                   int64_t *out_priority);

/* -- targets -- */

/* Upserts targets of a group by (id, port), registered now; health_state "registering" where it is NULL. */
KECS_STORE_API kecs_status kecs_target_register(kecs_store *store, const char *target_group_arn,
                                                const kecs_target *targets, size_t count);

/* Removes targets by id, on every port; absent ones are no error. */
KECS_STORE_API kecs_status kecs_target_deregister(kecs_store *store, const char *target_group_arn,
                                                  const char *const *ids, size_t count, int64_t *out_count);

/* Sets state, reason and description of a target (port 0: on every port of the id). NOT_FOUND. */
KECS_STORE_API kecs_status kecs_target_update_health(kecs_store *store, const char *target_group_arn, const char *id,
                                                     int64_t port, const char *state, const char *reason,
                                                     const char *description);

/* -- load balancers and target groups -- */

/* Links or unlinks a target group and a load balancer; both are idempotent. The group must be there (NOT_FOUND); its
 * load_balancer_arns says the same afterwards. */
KECS_STORE_API kecs_status kecs_target_group_associate(kecs_store *store, const char *target_group_arn,
                                                       const char *load_balancer_arn);
KECS_STORE_API kecs_status kecs_target_group_disassociate(kecs_store *store, const char *target_group_arn,
                                                          const char *load_balancer_arn);

/* The load balancers of a target group, and the target groups of a load balancer: linked as above, or through a
 * listener whose default actions forward to the group. Ordered by ARN. */
KECS_STORE_API kecs_status kecs_target_group_load_balancers(kecs_store *store, const char *target_group_arn,
                                                            kecs_result **out_result);
KECS_STORE_API kecs_status kecs_load_balancer_target_groups(kecs_store *store, const char *load_balancer_arn,
                                                            kecs_result **out_result);

#endif

/* ---- store/tags.h ------------------------------------------------------------------------------------------------ */
/* ---- Tags -------------------------------------------------------------------------------------------------- */
/* A resource's `tags` document is what counts; the rows of the kind tag are kept in step with it in the same
 * transaction, for finding resources by key and value. kecs_tag_create, _upsert and _delete work on these rows and,
 * when the resource is in the store, on its document. AWS allows 50 tags a resource, keys of 1 to 128 and values of 0
 * to 256 characters: kecs_tags_add holds to it. */
#ifndef KECS_STORE_TAGS_H
#define KECS_STORE_TAGS_H

typedef struct kecs_key_value {
  const char *key;
  const char *value; /* NULL: "" */
} kecs_key_value;

/* Adds or overwrites tags of a resource by its ARN. NOT_FOUND when no kind has it, INVALID beyond AWS's limits. */
KECS_STORE_API kecs_status kecs_tags_add(kecs_store *store, const char *resource_arn, const kecs_key_value *tags,
                                         size_t count);

/* Removes tags by key; absent keys are no error. NOT_FOUND. */
KECS_STORE_API kecs_status kecs_tags_remove(kecs_store *store, const char *resource_arn, const char *const *keys,
                                            size_t count);

/* The tags of several resources, in the order of the ARNs and then of the keys; unknown resources are left out. The
 * rows are of the kind tag. */
KECS_STORE_API kecs_status kecs_tags_describe(kecs_store *store, const char *const *resource_arns, size_t count,
                                              kecs_result **out_result);

#endif

/* ---- store/nodes.h ----------------------------------------------------------------------------------------------- */
/* ---- Worker nodes ------------------------------------------------------------------------------------------ */
#ifndef KECS_STORE_NODES_H
#define KECS_STORE_NODES_H

/* CPU in millicores, memory in bytes. */
typedef struct kecs_resources {
  int64_t cpu;
  int64_t memory;
} kecs_resources;

/* A node is alive: last_heartbeat now, status online, running_tasks as given (below 0: unchanged). One row, in place.
 * With options.heartbeat_ms (the edge profile's is 10000) one that changes nothing but the time is stored at most so
 * often: the stored time may be that much older. */
KECS_STORE_API kecs_status kecs_node_heartbeat(kecs_store *store, const char *id, int64_t running_tasks);

/* Sets nodes offline that are online and whose last heartbeat is before `before`. */
KECS_STORE_API kecs_status kecs_node_mark_stale(kecs_store *store, int64_t before, int64_t *out_count);

/* Nodes that are online and run fewer tasks than they have slots, the least busy first. Slots: capacity, or the lesser
 * of cpu/1000 and memory/GiB of resources.capacity, or 10. */
KECS_STORE_API kecs_status kecs_node_available(kecs_store *store, kecs_result **out_result);
KECS_STORE_API int64_t kecs_node_slots(const kecs_node *node);

/* Deletes offline nodes with a last heartbeat before `before`; and tasks that are completed or failed, finished before
 * it. */
KECS_STORE_API kecs_status kecs_node_prune(kecs_store *store, int64_t before, int64_t *out_count);
KECS_STORE_API kecs_status kecs_node_task_prune(kecs_store *store, int64_t before, int64_t *out_count);

/* "500m" 500, "1" 1000, "0.5" 500, "" 0. INVALID otherwise. */
KECS_STORE_API kecs_status kecs_cpu_parse(const char *text, int64_t *out_millicores);

/* "1Ki" 1024, "256Mi", "1K" 1000, "1.5Mi", "1024", "" 0; Ki Mi Gi Ti binary, K M G T decimal. INVALID otherwise. */
KECS_STORE_API kecs_status kecs_memory_parse(const char *text, int64_t *out_bytes);

/* The shortest spelling that parses to the same number: "500m", "2"; "256Mi", "1000". Cut to `size`, terminated. */
KECS_STORE_API void kecs_cpu_format(int64_t millicores, char *out, size_t size);
KECS_STORE_API void kecs_memory_format(int64_t bytes, char *out, size_t size);

/* allocatable - used; whether a request fits (equal does); used + request; used - request, never below 0. */
KECS_STORE_API kecs_resources kecs_resources_available(kecs_resources allocatable, kecs_resources used);
KECS_STORE_API bool kecs_resources_fit(kecs_resources available, kecs_resources request);
KECS_STORE_API kecs_resources kecs_resources_allocate(kecs_resources used, kecs_resources request);
KECS_STORE_API kecs_resources kecs_resources_release(kecs_resources used, kecs_resources request);

#endif

/* ---- kinds/describe.h -------------------------------------------------------------------------------------------- */
/* ---- Descriptions of the kinds ---------------------------------------------------------------------------- */
/* Every kind's columns, keys, references and indexes as constant data: what the DDL, the statements, the documents,
 * the command line and docs/kinds.md are made from. */
#ifndef KECS_KINDS_DESCRIBE_H
#define KECS_KINDS_DESCRIBE_H

typedef enum kecs_column_type {
  KECS_TYPE_TEXT,
  KECS_TYPE_JSON,
  KECS_TYPE_INT,
  KECS_TYPE_OPTI,
  KECS_TYPE_BOOL,
  KECS_TYPE_TIME,
  KECS_TYPE_RANK
} kecs_column_type;

typedef enum kecs_column_group {
  KECS_GROUP_KEY,
  KECS_GROUP_SPEC,
  KECS_GROUP_STATUS,
  KECS_GROUP_LOCAL
} kecs_column_group;

enum {
  KECS_COLUMN_NOT_NULL = 1, /* never NULL in the database */
  KECS_COLUMN_SERVER = 2,   /* filled by the store when it is empty */
  KECS_COLUMN_AUTO = 4      /* written by the store alone */
};

typedef struct kecs_column_info {
  const char *name;
  kecs_column_type type;
  kecs_column_group group;
  unsigned flags;            /* KECS_COLUMN_... */
  int since;                 /* schema version that brought it */
  const char *default_text;  /* NULL when there is none */
  const char *json;          /* "clusterArn|cluster", see docs/kinds.md; "" when no document shows it */
  const char *meaning;
  size_t offset;             /* in the kind's struct */
} kecs_column_info;

enum { KECS_KEY_COLUMNS_MAX = 5 };

/* A unique key, an index, the list order or the address: columns by number. */
typedef struct kecs_column_list {
  const char *name;
  bool when_set; /* unique key: only where no column is NULL or ""; index: only where the first column is not NULL */
  int count;
  int columns[KECS_KEY_COLUMNS_MAX];
} kecs_column_list;

typedef enum kecs_on_delete { KECS_ON_DELETE_CASCADE, KECS_ON_DELETE_SET_NULL } kecs_on_delete;

typedef struct kecs_reference {
  int column;
  kecs_kind parent;
  int parent_column;
  kecs_on_delete on_delete;
} kecs_reference;

enum {
  KECS_KIND_APPEND = 1, /* rows are never updated */
  KECS_KIND_PLAIN = 2   /* neither version nor updated_at */
};

typedef struct kecs_kind_info {
  kecs_kind kind;
  const char *name;  /* "task_definition" */
  const char *table; /* "task_definitions" */
  unsigned flags;    /* KECS_KIND_... */
  size_t row_size;   /* sizeof the struct */
  int column_count;
  const kecs_column_info *columns;
  int key_count;
  const kecs_column_list *keys; /* unique; the first is the natural key */
  int reference_count;
  const kecs_reference *references;
  int index_count;
  const kecs_column_list *indexes;
  kecs_column_list order;
  kecs_column_list address; /* what get and delete take, in this order */
} kecs_kind_info;

/* The description of a kind, by number or by name; NULL when there is none. Static. Kinds are numbered from 1 to
 * KECS_KIND_COUNT - 1. */
KECS_STORE_API const kecs_kind_info *kecs_kind_describe(kecs_kind kind);
KECS_STORE_API const kecs_kind_info *kecs_kind_find(const char *name);

/* A column's number by its name, or -1. */
KECS_STORE_API int kecs_column_find(const kecs_kind_info *info, const char *name);

#endif

/* ---- store/record.h ---------------------------------------------------------------------------------------------- */
/* ---- Rows of every kind, by number ------------------------------------------------------------------------ */
/* For programs that handle kinds as data: command lines, importers, bindings. A row is a pointer to the kind's
 * struct. Everything said of the typed functions holds. */
#ifndef KECS_STORE_RECORD_H
#define KECS_STORE_RECORD_H

/* The value of a column of a row as text: numbers in decimal, booleans as true or false, times as ISO 8601. False when
 * it is NULL, or there is no such column. `out` is cut to `size` and always terminated; *out_len (may be NULL) is the
 * full length. */
KECS_STORE_API bool kecs_record_text(const kecs_kind_info *info, const void *row, int column, char *out, size_t size,
                                     size_t *out_len);

/* A key as one text: the address parts joined by commas ("CLUSTER,ID"); in all parts but the last a comma is written
 * \, and a backslash \\. The ARN alone, or the last part alone where it says enough, will do. */
KECS_STORE_API kecs_status kecs_record_get(kecs_store *store, kecs_kind kind, const char *key,
                                           kecs_result **out_result);

/* delete by such a key: NOT_FOUND when there is no such row; children go with it. */
KECS_STORE_API kecs_status kecs_record_delete(kecs_store *store, kecs_kind kind, const char *key);

/* create: `row` points to the kind's struct. */
KECS_STORE_API kecs_status kecs_record_create(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result);

/* update_fields; a mask of UINT64_MAX is update. */
KECS_STORE_API kecs_status kecs_record_update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                              kecs_result **out_result);

/* upsert. */
KECS_STORE_API kecs_status kecs_record_upsert(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result);

/* list: one page. */
KECS_STORE_API kecs_status kecs_record_list(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_result **out_result);

/* each: `visit` gets a pointer to the kind's struct. */
KECS_STORE_API kecs_status kecs_record_each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_status (*visit)(const void *row, void *user), void *user);

/* count. */
KECS_STORE_API kecs_status kecs_record_count(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                             int64_t *out_count);

/* The row at an index of a result of this kind, or NULL. */
KECS_STORE_API const void *kecs_record_at(const kecs_result *result, kecs_kind kind, size_t index);

/* A column and its new value as text: how a command line says an update. NULL sets NULL. */
typedef struct kecs_assignment {
  const char *column;
  const char *text;
} kecs_assignment;

/* Updates the named columns of one row. Numbers in decimal, booleans as true/false/1/0, times as ISO 8601 or epoch
 * seconds, documents as JSON (checked). version as in update. INVALID names the column. */
KECS_STORE_API kecs_status kecs_record_assign(kecs_store *store, kecs_kind kind, const char *key,
                                              const kecs_assignment *assignments, size_t count, int64_t version,
                                              kecs_result **out_result);

/* A filter from text: COLUMN=VALUE as command lines say it. *out is filled; its texts point to `value`. INVALID names
 * the column. */
KECS_STORE_API kecs_status kecs_filter_parse(kecs_kind kind, const char *column, kecs_op op, const char *value,
                                             kecs_filter *out);

/* ---- AWS documents ---------------------------------------------------------------------------------------- */

enum {
  KECS_JSON_EPOCH = 1,   /* times as epoch seconds, the ECS wire form, instead of ISO 8601 with Z */
  KECS_JSON_STORE = 2,   /* with the member "kecs": ids, versions and other columns that AWS does not show */
  KECS_JSON_PARENTS = 4  /* put: a missing parent is made, bare, from the ARN that refers to it */
};

/* Creates the row that an AWS API document describes, or replaces what the stored one says. Members that no column
 * holds are kept in `extra`; nested documents are kept byte for byte; kecs_get_json gives an equal document back.
 * Refused with INVALID, line and column: what is not JSON (RFC 8259, UTF-8), a duplicated member that is a column,
 * \u0000 in a column, a document larger than options.document_bytes_max, deeper than 1000. `len` is in bytes;
 * SIZE_MAX means strlen. `flags` is a sum of KECS_JSON_...; other errors as create and update. */
KECS_STORE_API kecs_status kecs_put_json(kecs_store *store, kecs_kind kind, const char *text, size_t len,
                                         unsigned flags, kecs_result **out_result);

/* The document of one row. *out_text lives as long as *out_result, which also holds the row. */
KECS_STORE_API kecs_status kecs_get_json(kecs_store *store, kecs_kind kind, const char *key, unsigned flags,
                                         kecs_result **out_result, const char **out_text);

/* The document of a row that is at hand, such as one of a list. It is made in `result`'s memory and lives as long, so
 * two threads must not do this on one result at once. */
KECS_STORE_API kecs_status kecs_record_json(kecs_result *result, const kecs_kind_info *info, const void *row,
                                            unsigned flags, const char **out_text);

/* Whether a text is one JSON value. INVALID gives line, column and reason. */
KECS_STORE_API kecs_status kecs_json_check(const char *text, size_t len);

#endif

/* ---- store/import.h ---------------------------------------------------------------------------------------------- */
/* ---- Import ------------------------------------------------------------------------------------------------- */
#ifndef KECS_STORE_IMPORT_H
#define KECS_STORE_IMPORT_H

/* What became of one document. Texts live during the call only. */
typedef struct kecs_import_note {
  bool refused;
  kecs_kind kind;         /* of what was put; 0 when it is no kind of the store */
  const char *what;       /* what the document was: "DescribeServices response", "task definition" ... */
  const char *name;       /* the row's ARN or key; where it was refused, the ARN that it has or "" */
  const char *reason;     /* why it was refused, or "" */
  kecs_status status;     /* UNSUPPORTED: there is nothing in it that the store keeps */
  size_t line;            /* of the document, or of the fault in it; from 1 */
  size_t column;
  size_t offset;          /* of the document in the text, in bytes */
} kecs_import_note;

typedef struct kecs_import_options {
  kecs_kind kind;               /* what every object is; 0: what it is by its members */
  const char *name;             /* of a service that has none of its own, such as its file's; NULL: it is refused */
  const char *target_group_arn; /* what bare target health descriptions belong to; NULL: a group "unattached" */
  void (*note)(const kecs_import_note *note, void *user); /* called for each document; may be NULL. It must not write */
  void *user;
} kecs_import_options;

/* Puts every ECS and ELBv2 resource that a text holds: task definition inputs, create, describe and list requests and
 * responses, recorded wrappers ({"status_code":..,"data":{..}}), {"in":..,"out":..} and {"input":..,"output":..} pairs,
 * {"kind":..,"document":..} as the command line exports, arrays, documents one after another or one a line. A byte
 * order mark is skipped. Parents that are missing are made, bare. A document with a member "kecs" brings its id,
 * version and times. An UpdateService request changes what it names of a service that is there.
 * Each document is put whole or not at all; what can't be put is noted and the import goes on. A text that is not JSON
 * is refused with the place; what stands after it is read where documents stand one a line.
 * *out_put and *out_refused (may be NULL) count what is stored and what is not. Fails only for what concerns the whole:
 * NOMEM, FULL, IO, READONLY, CANCELLED, TIMEOUT, BUSY ... Documents are committed a thousand at a time, so after a
 * failure up to that many are not stored though they were noted. `len` is in bytes; SIZE_MAX means strlen. `options`
 * may be NULL. */
KECS_STORE_API kecs_status kecs_import(kecs_store *store, const char *text, size_t len,
                                       const kecs_import_options *options, int64_t *out_put, int64_t *out_refused);

#endif

/* ---- store/validate.h -------------------------------------------------------------------------------------------- */
/* ---- Validation ------------------------------------------------------------------------------------------- */
/* Rules of AWS and of the store's own operations. Off by default, since real data breaks some of them: they are applied
 * by these functions, and to every create, update and put of a store that was opened with options.strict, before
 * anything is written.
 *
 * Each failure is INVALID, and its text begins with the field by its path in the AWS document and a colon:
 *
 *   containerDefinitions[1].image: Container image is required
 *
 * A column that no AWS document has goes by its name there ("kecs.nodePorts") or, without one, by its own ("extra").
 * None of the functions needs a store, keeps a pointer, or changes a row. KECS_E_NOMEM is the only other failure.
 * docs/validation.md lists every rule with its source. */
#ifndef KECS_STORE_VALIDATE_H
#define KECS_STORE_VALIDATE_H

/* All rules of the row's kind: names, settings, capacity providers, tags, ports, priorities, account ids, and for task
 * definitions the containers, the volumes and the Fargate cpu and memory table; and every JSON column is JSON, else the
 * text gives line and column. What create fills or has a default for may be empty. `row` is the kind's struct; NULL and
 * a number that is no kind are INVALID.
 *
 * An update of a strict store is held to the rules of the columns that it writes. A rule on several columns (Fargate's
 * table; a mount point and its volume; a strategy and the providers) is applied when all of them are written. */
KECS_STORE_API kecs_status kecs_validate(kecs_kind kind, const void *row);

/* A cluster name: 1 to 255 letters, digits, - and _ (AWS CreateCluster). NULL is INVALID. */
KECS_STORE_API kecs_status kecs_validate_cluster_name(const char *name);

/* An account id: 12 digits. NULL is INVALID. */
KECS_STORE_API kecs_status kecs_validate_account_id(const char *account_id);

/* Cluster settings: a JSON array of {name, value} with name containerInsights, value enabled, enhanced or disabled.
 * NULL and "" are no settings, and fine. */
KECS_STORE_API kecs_status kecs_validate_cluster_settings(const char *settings);

/* A strategy: JSON array of {capacityProvider, weight 0 to 1000, base 0 to 100000}, of which one at most has a base
 * above 0. `providers` (may be NULL) is the JSON array of names that it may use; a provider is FARGATE, FARGATE_SPOT,
 * EC2, or any name of `providers`. A strategy of NULL or "" is none, and fine. */
KECS_STORE_API kecs_status kecs_validate_capacity_strategy(const char *strategy, const char *providers);

/* The pair of cpu and memory of a Fargate task, in every accepted spelling: "256", "1024", ".25 vCPU", "1 vCPU"; "512",
 * "0.5 GB", "1GB". NULL for either is a failure (AWS: No Fargate configuration exists for given values). */
KECS_STORE_API kecs_status kecs_validate_fargate_size(const char *cpu, const char *memory);

/* The priority of a rule: 1 to 49999 (AWS), or KECS_RANK_DEFAULT. */
KECS_STORE_API kecs_status kecs_validate_priority(int64_t priority);

#endif

/* ---- store/backend.h --------------------------------------------------------------------------------------------- */
/* ---- Backends ---------------------------------------------------------------------------------------------- */
/* What a database must offer to carry a store: a table of functions. kecs_store_pg.h fills one in; others can. The
 * store makes all SQL, from the kinds and the backend's dialect; a backend never sees a kind. Every function that
 * returns a status records the failure with kecs_backend_fail; out pointers are NULL then. One connection is used by
 * one thread at a time, not always the same one. */
#ifndef KECS_STORE_BACKEND_H
#define KECS_STORE_BACKEND_H

#define KECS_BACKEND_ABI 1

typedef struct kecs_connection kecs_connection; /* each backend's own */
typedef struct kecs_statement kecs_statement;

typedef enum kecs_value_type {
  KECS_VALUE_NULL,
  KECS_VALUE_INT,
  KECS_VALUE_BOOL,
  KECS_VALUE_TIME,
  KECS_VALUE_TEXT
} kecs_value_type;

/* A parameter or a column. Texts are borrowed: a parameter's until the statement is reset, a column's until the next
 * step. */
typedef struct kecs_value {
  kecs_value_type type;
  size_t len;       /* of text, in bytes */
  const char *text; /* KECS_VALUE_TEXT; terminated */
  int64_t number;   /* INT; BOOL 0 or 1; TIME microseconds since 1970 */
} kecs_value;

typedef struct kecs_dialect {
  const char *type_text;
  const char *type_int;
  const char *type_bool;
  const char *type_time;
  const char *type_rid;      /* "INTEGER PRIMARY KEY" */
  const char *table_options; /* after the closing parenthesis: " STRICT" */
  char placeholder;          /* '?' or '$', followed by the parameter's number */
} kecs_dialect;

typedef struct kecs_connect_options {
  const char *path;
  bool read_only;
  bool may_create;          /* the first connection of a store that may be made */
  bool reader;              /* will only read, beside the writing connection */
  bool full_durability;
  bool no_foreign_keys;
  int busy_timeout_ms;
  int cache_kib;
  int page_bytes;           /* of a file that is made; 0: the backend's own */
  int log_kib;              /* a write-ahead log is emptied beyond this size; 0: the backend's own */
  bool small;               /* memory counts more than speed */
  const kecs_allocator *allocator; /* these three live as long as the connection */
  const kecs_logger *logger;
  bool (*should_stop)(void *user); /* asked now and then while a statement runs; true: stop with KECS_E_CANCELLED */
  void *should_stop_user;
} kecs_connect_options;

struct kecs_backend {
  int abi;          /* KECS_BACKEND_ABI */
  const char *name; /* "sqlite" */
  bool (*answers_to)(const char *path); /* whether it opens such a path or URL */
  bool (*shares)(const char *path);     /* whether several connections see one database (not ":memory:") */
  bool one_writer; /* writers wait for each other, and commits are dear: writes of several threads share one */
  const kecs_dialect *dialect;
  kecs_status (*connect)(const kecs_connect_options *options, kecs_connection **out_connection);
  void (*disconnect)(kecs_connection *connection);
  kecs_status (*settle)(kecs_connection *connection); /* settings that change the database, once it is known as ours */
  kecs_status (*begin)(kecs_connection *connection, bool write);
  kecs_status (*commit)(kecs_connection *connection); /* on failure the caller rolls back */
  void (*rollback)(kecs_connection *connection);      /* cannot fail: at worst the connection is unusable and says so */
  bool (*in_transaction)(kecs_connection *connection); /* false once the database itself has rolled back */
  kecs_status (*execute)(kecs_connection *connection, const char *sql); /* one or more statements, no parameters */
  kecs_status (*prepare)(kecs_connection *connection, const char *sql, size_t len, kecs_statement **out_statement);
  kecs_status (*start)(kecs_statement *statement, const kecs_value *parameters, int count);
  kecs_status (*step)(kecs_statement *statement, bool *out_row); /* false: done */
  /* The row's values. `types` says what each is, if it is not NULL; KECS_VALUE_NULL there, or no types: find out. A
   * number that is NULL may be given as 0 where its type is said. */
  void (*columns)(kecs_statement *statement, const kecs_value_type *types, kecs_value *out, int count);
  void (*reset)(kecs_statement *statement);
  void (*finish)(kecs_statement *statement);
  /* What waits in a log is moved to where it belongs, as far as that goes at once; nothing is written where nothing
   * waits. NULL: there is nothing of the kind. */
  kecs_status (*tidy)(kecs_connection *connection);
  int64_t (*changes)(kecs_connection *connection);  /* rows of the last insert, update or delete */
  int64_t (*last_rid)(kecs_connection *connection); /* of the last insert */
  kecs_status (*table_columns)(kecs_connection *connection, const char *table,
                               kecs_status (*visit)(const char *column, void *user), void *user);
  kecs_status (*table_names)(kecs_connection *connection, kecs_status (*visit)(const char *table, void *user),
                             void *user);
  kecs_status (*describe)(kecs_connection *connection, kecs_info *out_info); /* settings as read back, and sizes */
};

/* For backends: records a failure with the database's own codes and returns `status`. sqlstate may be NULL. */
KECS_STORE_API kecs_status kecs_backend_fail(kecs_status status, int native_code, const char *sqlstate,
                                             const char *text);

/* The backend that every store has: SQLite, in a file or in memory. */
KECS_STORE_API const kecs_backend *kecs_sqlite_backend(void);

#endif
#ifdef __cplusplus
}
#endif
#endif

#if defined(KECS_STORE_IMPLEMENTATION) && !defined(KECS_STORE_IMPLEMENTED)
#define KECS_STORE_IMPLEMENTED

/* ---- sqlite/sqlite_header.h -------------------------------------------------------------------------------------- */
/* sqlite/sqlite_header.h -- the one place that names SQLite's header: the build's own, or the bundled one. */
#ifndef KECS_SQLITE_SQLITE_HEADER_H
#define KECS_SQLITE_SQLITE_HEADER_H
#if defined(KECS_STORE_SQLITE_HEADER)
#include KECS_STORE_SQLITE_HEADER
#else
#include <sqlite3.h>
#endif
#if SQLITE_VERSION_NUMBER < 3038000
#error "kecs_store.h needs SQLite 3.38 or newer (STRICT tables, and the planner that its queries were checked with)"
#endif
#endif

/* ---- base/error.c ------------------------------------------------------------------------------------------------ */
/* base/error.c -- the thread's last error, and the texts of the status codes. */

/* ---- base/error.h ------------------------------------------------------------------------------------------------ */
/* base/error.h -- how a failure is recorded: one function sets the thread's last error and returns the code. */
#ifndef KECS_BASE_ERROR_H
#define KECS_BASE_ERROR_H

/* Linkage of everything that is not public: private to the one implementation file in the packed header,
 * shared between object files when the modules are compiled one by one. */
#if defined(KECS__MODULES)
#define KECS__FN extern
#else
#define KECS__FN static
#endif

/* Records the failure as the thread's last error and returns `status`, so a caller can write
 * `return kecs__fail(KECS_E_NOT_FOUND, "no task \"%s\"", key);`. Long texts are cut, control characters are
 * replaced: a row's value can't break a log line. */
KECS__FN kecs_status kecs__fail(kecs_status status, const char *format, ...) KECS_STORE_PRINTF(2, 3);

/* Puts a prefix before the last error's text: what the caller was doing. Returns the recorded status. */
KECS__FN kecs_status kecs__fail_context(const char *format, ...) KECS_STORE_PRINTF(1, 2);

/* Copies the last error out and back in: for clean-up that may itself fail without hiding the first failure. */
KECS__FN kecs_error kecs__error_save(void);
KECS__FN kecs_status kecs__error_restore(const kecs_error *error);

/* KECS_E_NOMEM with the text that everyone uses. */
KECS__FN kecs_status kecs__fail_nomem(void);

#endif

/* ---- base/error.c, continued ------------------------------------------------------------------------------------- */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__STDC_NO_THREADS__)
#define KECS__THREAD_LOCAL _Thread_local
#elif defined(__GNUC__)
#define KECS__THREAD_LOCAL __thread
#else
#error "kecs_store.h: this compiler has no thread-local storage that we know; use C11, gcc or clang"
#endif

static KECS__THREAD_LOCAL kecs_error kecs__thread_error;

typedef struct kecs__status_row {
  kecs_status status;
  kecs_class status_class;
  const char *name;
  const char *text;
} kecs__status_row;

static const kecs__status_row kecs__status_rows[] = {
#define KECS__STATUS_ROW(name, value, class_name, text) {KECS_##name, KECS_CLASS_##class_name, "KECS_" #name, text},
    {KECS_OK, KECS_CLASS_OK, "KECS_OK", "no error"},
    KECS_STATUS_MAP(KECS__STATUS_ROW)
#undef KECS__STATUS_ROW
};

static const kecs__status_row *kecs__status_find(kecs_status status) {
  for (size_t i = 0; i < sizeof kecs__status_rows / sizeof kecs__status_rows[0]; i++) {
    if (kecs__status_rows[i].status == status) {
      return &kecs__status_rows[i];
    }
  }
  return NULL;
}

KECS_STORE_API const kecs_error *kecs_last_error(void) {
  return &kecs__thread_error;
}

KECS_STORE_API const char *kecs_status_text(kecs_status status) {
  const kecs__status_row *row = kecs__status_find(status);
  return row ? row->text : "unknown status";
}

KECS_STORE_API const char *kecs_status_name(kecs_status status) {
  const kecs__status_row *row = kecs__status_find(status);
  return row ? row->name : "unknown status";
}

KECS_STORE_API kecs_class kecs_status_class(kecs_status status) {
  const kecs__status_row *row = kecs__status_find(status);
  return row ? row->status_class : KECS_CLASS_MISUSE;
}

/* How many bytes a UTF-8 sequence has that begins here; 0 when it is cut short or none at all. */
static size_t kecs__error_letter(const char *text) {
  unsigned char first = (unsigned char)text[0];
  size_t len = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  for (size_t i = 1; i < len; i++) {
    if (((unsigned char)text[i] & 0xC0) != 0x80) {
      return 0;
    }
  }
  return len;
}

/* A value taken from a row must not break the one-line promise; a name that was cut may end in half a letter. */
static void kecs__error_tidy(char *text) {
  char *to = text;
  for (const char *at = text; *at;) {
    size_t len = kecs__error_letter(at);
    if (len == 1) {
      *to++ = (unsigned char)*at < 0x20 || *at == 0x7f ? ' ' : *at;
    } else if (len > 1) {
      memmove(to, at, len);
      to += len;
    }
    at += len ? len : 1;
  }
  *to = '\0';
}

KECS__FN kecs_status kecs__fail(kecs_status status, const char *format, ...) {
  /* The arguments may point into the last error itself, so the text is made aside first. */
  char text[sizeof kecs__thread_error.text];
  va_list args;
  va_start(args, format);
  if (vsnprintf(text, sizeof text, format, args) < 0) {
    text[0] = '\0';
  }
  va_end(args);
  kecs__error_tidy(text);

  memset(&kecs__thread_error, 0, sizeof kecs__thread_error);
  kecs__thread_error.status = status;
  memcpy(kecs__thread_error.text, text, sizeof text);
  return status;
}

KECS__FN kecs_status kecs__fail_context(const char *format, ...) {
  char text[sizeof kecs__thread_error.text];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len < 0 || (size_t)len >= sizeof text) {
    return kecs__thread_error.status;
  }
  snprintf(text + len, sizeof text - (size_t)len, ": %.*s", (int)(sizeof text - (size_t)len), kecs__thread_error.text);
  kecs__error_tidy(text);
  memcpy(kecs__thread_error.text, text, sizeof text);
  return kecs__thread_error.status;
}

KECS__FN kecs_error kecs__error_save(void) {
  return kecs__thread_error;
}

KECS__FN kecs_status kecs__error_restore(const kecs_error *error) {
  kecs__thread_error = *error;
  return error->status;
}

KECS__FN kecs_status kecs__fail_nomem(void) {
  return kecs__fail(KECS_E_NOMEM, "out of memory; free some or raise the process's limit");
}

/* ---- base/memory.c ----------------------------------------------------------------------------------------------- */
/* base/memory.c -- allocator with libc behind it, arena, text builder. */

/* ---- base/memory.h ----------------------------------------------------------------------------------------------- */
/* base/memory.h -- the checked allocator, the arena that a result lives in, and the growable text builder. */
#ifndef KECS_BASE_MEMORY_H
#define KECS_BASE_MEMORY_H

/* Fills in libc where the user gave nothing; INVALID when only some of the three functions are set. */
KECS__FN kecs_status kecs__allocator_resolve(const kecs_allocator *given, kecs_allocator *out);

/* NULL means NOMEM and has recorded it. A size of 0 counts as 1. */
KECS__FN void *kecs__alloc(const kecs_allocator *allocator, size_t size);
KECS__FN void *kecs__alloc_zero(const kecs_allocator *allocator, size_t size);
KECS__FN void *kecs__resize(const kecs_allocator *allocator, void *pointer, size_t old_size, size_t size);
KECS__FN void kecs__release(const kecs_allocator *allocator, void *pointer, size_t size); /* NULL is fine */
KECS__FN char *kecs__copy_text(const kecs_allocator *allocator, const char *text);       /* release with strlen+1 */

/* Many small pieces, one release. Pieces are aligned for any plain type and never move. */
typedef struct kecs__chunk kecs__chunk;
typedef struct kecs__arena {
  const kecs_allocator *allocator;
  kecs__chunk *chunk; /* newest first */
  bool failed;        /* a piece could not be had: for callers that look once at the end */
} kecs__arena;
KECS__FN void kecs__arena_init(kecs__arena *arena, const kecs_allocator *allocator);
KECS__FN void *kecs__arena_take(kecs__arena *arena, size_t size); /* NULL means NOMEM, recorded */
KECS__FN char *kecs__arena_bytes(kecs__arena *arena, size_t size); /* unaligned, for text */
KECS__FN char *kecs__arena_text(kecs__arena *arena, const char *text, size_t len); /* copies and terminates */
KECS__FN void kecs__arena_reset(kecs__arena *arena); /* all pieces die; the newest chunk's memory is kept */
KECS__FN void kecs__arena_free(kecs__arena *arena);

/* Text that grows. The first failure sticks in `status` and later appends do nothing, so a caller builds first
 * and checks once. `data` is always terminated once something was appended. */
typedef struct kecs__text {
  const kecs_allocator *allocator;
  char *data;
  size_t len;
  size_t capacity;
  size_t max; /* bytes; beyond it the status is KECS_E_INVALID */
  kecs_status status;
} kecs__text;
KECS__FN void kecs__text_init(kecs__text *text, const kecs_allocator *allocator, size_t max);
KECS__FN void kecs__text_free(kecs__text *text);
KECS__FN void kecs__text_clear(kecs__text *text);
KECS__FN void kecs__text_add(kecs__text *text, const char *bytes, size_t len);
KECS__FN void kecs__text_adds(kecs__text *text, const char *string);
KECS__FN void kecs__text_addc(kecs__text *text, char c);
KECS__FN void kecs__text_addf(kecs__text *text, const char *format, ...) KECS_STORE_PRINTF(2, 3);

#endif

/* ---- base/memory.c, continued ------------------------------------------------------------------------------------ */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(KECS_STORE_MALLOC) || defined(KECS_STORE_REALLOC) || defined(KECS_STORE_FREE)
#if !(defined(KECS_STORE_MALLOC) && defined(KECS_STORE_REALLOC) && defined(KECS_STORE_FREE))
#error "kecs_store.h: define all of KECS_STORE_MALLOC, KECS_STORE_REALLOC, KECS_STORE_FREE, or none"
#endif
#else
#define KECS_STORE_MALLOC(size) malloc(size)
#define KECS_STORE_REALLOC(pointer, size) realloc(pointer, size)
#define KECS_STORE_FREE(pointer) free(pointer)
#endif

static void *kecs__libc_alloc(size_t size, void *user) {
  (void)user;
  return KECS_STORE_MALLOC(size);
}

static void *kecs__libc_resize(void *pointer, size_t old_size, size_t size, void *user) {
  (void)old_size;
  (void)user;
  return KECS_STORE_REALLOC(pointer, size);
}

static void kecs__libc_release(void *pointer, size_t size, void *user) {
  (void)size;
  (void)user;
  KECS_STORE_FREE(pointer);
}

KECS__FN kecs_status kecs__allocator_resolve(const kecs_allocator *given, kecs_allocator *out) {
  int set = (given->alloc != NULL) + (given->resize != NULL) + (given->release != NULL);
  if (set == 3) {
    *out = *given;
    return KECS_OK;
  }
  if (set != 0) {
    return kecs__fail(KECS_E_INVALID, "options.allocator: set all of alloc, resize, release, or none");
  }
  *out = (kecs_allocator){kecs__libc_alloc, kecs__libc_resize, kecs__libc_release, NULL};
  return KECS_OK;
}

KECS__FN void *kecs__alloc(const kecs_allocator *allocator, size_t size) {
  void *pointer = allocator->alloc(size ? size : 1, allocator->user);
  if (!pointer) {
    (void)kecs__fail_nomem();
  }
  return pointer;
}

KECS__FN void *kecs__alloc_zero(const kecs_allocator *allocator, size_t size) {
  void *pointer = kecs__alloc(allocator, size);
  if (pointer) {
    memset(pointer, 0, size);
  }
  return pointer;
}

KECS__FN void *kecs__resize(const kecs_allocator *allocator, void *pointer, size_t old_size, size_t size) {
  if (!pointer) {
    return kecs__alloc(allocator, size);
  }
  void *moved = allocator->resize(pointer, old_size, size ? size : 1, allocator->user);
  if (!moved) {
    (void)kecs__fail_nomem();
  }
  return moved;
}

KECS__FN void kecs__release(const kecs_allocator *allocator, void *pointer, size_t size) {
  if (pointer) {
    allocator->release(pointer, size ? size : 1, allocator->user);
  }
}

KECS__FN char *kecs__copy_text(const kecs_allocator *allocator, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = kecs__alloc(allocator, size);
  if (copy) {
    memcpy(copy, text, size);
  }
  return copy;
}

/* ---- arena ---- */

struct kecs__chunk {
  kecs__chunk *next;
  size_t size; /* of the whole chunk, this header included */
  size_t used;
};

/* The strictest plain type decides the alignment of a piece. */
typedef union kecs__aligned {
  int64_t integer;
  double real;
  void *pointer;
  void (*function)(void);
} kecs__aligned;

#define KECS__ALIGN_UP(size) (((size) + sizeof(kecs__aligned) - 1) & ~(sizeof(kecs__aligned) - 1))
#define KECS__CHUNK_FIRST ((size_t)2048)
#define KECS__CHUNK_MAX ((size_t)65536)

KECS__FN void kecs__arena_init(kecs__arena *arena, const kecs_allocator *allocator) {
  arena->allocator = allocator;
  arena->chunk = NULL;
  arena->failed = false;
}

static kecs__chunk *kecs__arena_grow(kecs__arena *arena, size_t size) {
  size_t header = KECS__ALIGN_UP(sizeof(kecs__chunk));
  size_t wanted = arena->chunk ? arena->chunk->size * 4 : KECS__CHUNK_FIRST;
  if (wanted > KECS__CHUNK_MAX) {
    wanted = KECS__CHUNK_MAX;
  }
  if (size > SIZE_MAX - header) {
    (void)kecs__fail_nomem();
    return NULL;
  }
  if (wanted < header + size) {
    wanted = header + size;
  }
  kecs__chunk *chunk = kecs__alloc(arena->allocator, wanted);
  if (!chunk) {
    arena->failed = true;
    return NULL;
  }
  chunk->next = arena->chunk;
  chunk->size = wanted;
  chunk->used = header;
  arena->chunk = chunk;
  return chunk;
}

static inline char *kecs__arena_cut(kecs__arena *arena, size_t size) {
  kecs__chunk *chunk = arena->chunk;
  if (!chunk || chunk->size - chunk->used < size) {
    chunk = kecs__arena_grow(arena, size);
    if (!chunk) {
      return NULL;
    }
  }
  char *piece = (char *)chunk + chunk->used;
  chunk->used += size;
  return piece;
}

KECS__FN void *kecs__arena_take(kecs__arena *arena, size_t size) {
  if (size > SIZE_MAX - sizeof(kecs__aligned)) {
    (void)kecs__fail_nomem();
    return NULL;
  }
  if (arena->chunk) {
    size_t aligned = KECS__ALIGN_UP(arena->chunk->used);
    arena->chunk->used = aligned < arena->chunk->size ? aligned : arena->chunk->size;
  }
  return kecs__arena_cut(arena, KECS__ALIGN_UP(size ? size : 1));
}

KECS__FN char *kecs__arena_bytes(kecs__arena *arena, size_t size) {
  return kecs__arena_cut(arena, size ? size : 1);
}

KECS__FN char *kecs__arena_text(kecs__arena *arena, const char *text, size_t len) {
  char *copy = kecs__arena_bytes(arena, len + 1);
  if (copy) {
    memcpy(copy, text, len);
    copy[len] = '\0';
  }
  return copy;
}

KECS__FN void kecs__arena_free(kecs__arena *arena) {
  while (arena->chunk) {
    kecs__chunk *next = arena->chunk->next;
    kecs__release(arena->allocator, arena->chunk, arena->chunk->size);
    arena->chunk = next;
  }
}

KECS__FN void kecs__arena_reset(kecs__arena *arena) {
  kecs__chunk *kept = arena->chunk;
  if (kept) {
    arena->chunk = kept->next;
    kecs__arena_free(arena);
    kept->next = NULL;
    kept->used = KECS__ALIGN_UP(sizeof(kecs__chunk));
    arena->chunk = kept;
  }
}

/* ---- text builder ---- */

KECS__FN void kecs__text_init(kecs__text *text, const kecs_allocator *allocator, size_t max) {
  memset(text, 0, sizeof *text);
  text->allocator = allocator;
  text->max = max;
}

KECS__FN void kecs__text_free(kecs__text *text) {
  kecs__release(text->allocator, text->data, text->capacity);
  kecs__text_init(text, text->allocator, text->max);
}

KECS__FN void kecs__text_clear(kecs__text *text) {
  text->len = 0;
  text->status = KECS_OK;
  if (text->data) {
    text->data[0] = '\0';
  }
}

/* Makes room for `more` bytes and the terminator. */
static bool kecs__text_reserve(kecs__text *text, size_t more) {
  if (text->status) {
    return false;
  }
  if (more > text->max || text->len > text->max - more) {
    text->status = kecs__fail(KECS_E_INVALID, "a text grew beyond its limit of %zu bytes", text->max);
    return false;
  }
  if (text->len + more + 1 <= text->capacity) {
    return true;
  }
  size_t capacity = text->capacity ? text->capacity : 256;
  while (capacity < text->len + more + 1) {
    capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : SIZE_MAX; /* 32 bits: doubling must not wrap to 0 */
  }
  char *data = kecs__resize(text->allocator, text->data, text->capacity, capacity);
  if (!data) {
    text->status = KECS_E_NOMEM;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

KECS__FN void kecs__text_add(kecs__text *text, const char *bytes, size_t len) {
  if (!kecs__text_reserve(text, len)) {
    return;
  }
  if (len > 0) {
    memcpy(text->data + text->len, bytes, len);
  }
  text->len += len;
  text->data[text->len] = '\0';
}

KECS__FN void kecs__text_adds(kecs__text *text, const char *string) {
  kecs__text_add(text, string, strlen(string));
}

KECS__FN void kecs__text_addc(kecs__text *text, char c) {
  kecs__text_add(text, &c, 1);
}

KECS__FN void kecs__text_addf(kecs__text *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (len < 0 || !kecs__text_reserve(text, (size_t)len)) {
    return;
  }
  va_start(args, format);
  vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
  va_end(args);
  text->len += (size_t)len;
}

/* ---- base/thread.c ----------------------------------------------------------------------------------------------- */
/* base/thread.c -- the thin layer over POSIX threads. */

/* ---- base/thread.h ----------------------------------------------------------------------------------------------- */
/* base/thread.h -- mutex, condition and thread identity; all of it empty under KECS_STORE_NO_THREADS. */
#ifndef KECS_BASE_THREAD_H
#define KECS_BASE_THREAD_H

#if defined(KECS_STORE_NO_THREADS)
typedef struct kecs__mutex {
  int unused;
} kecs__mutex;
typedef struct kecs__condition {
  int unused;
} kecs__condition;
typedef int kecs__thread_id;
#else
#include <pthread.h>
typedef pthread_mutex_t kecs__mutex;
typedef pthread_cond_t kecs__condition;
typedef pthread_t kecs__thread_id;
#endif

KECS__FN kecs_status kecs__mutex_init(kecs__mutex *mutex);
KECS__FN void kecs__mutex_destroy(kecs__mutex *mutex);
KECS__FN void kecs__mutex_lock(kecs__mutex *mutex);
KECS__FN void kecs__mutex_unlock(kecs__mutex *mutex);

KECS__FN kecs_status kecs__condition_init(kecs__condition *condition);
KECS__FN void kecs__condition_destroy(kecs__condition *condition);
KECS__FN void kecs__condition_wake_all(kecs__condition *condition);

/* Waits at most `ms` milliseconds, or until woken; spurious wake-ups happen. Without threads it returns at once: nobody
 * else could wake us. */
KECS__FN void kecs__condition_wait(kecs__condition *condition, kecs__mutex *mutex, int64_t ms);
KECS__FN void kecs__condition_wait_us(kecs__condition *condition, kecs__mutex *mutex, int64_t us);

KECS__FN kecs__thread_id kecs__thread_self(void);
KECS__FN bool kecs__thread_same(kecs__thread_id a, kecs__thread_id b);

/* A flag that one thread sets and others read. */
KECS__FN void kecs__flag_set(int *flag, int value);
KECS__FN int kecs__flag_get(const int *flag);

#endif

/* ---- base/thread.c, continued ------------------------------------------------------------------------------------ */
#include <time.h>

#if defined(KECS_STORE_NO_THREADS)

KECS__FN kecs_status kecs__mutex_init(kecs__mutex *mutex) {
  mutex->unused = 0;
  return KECS_OK;
}
KECS__FN void kecs__mutex_destroy(kecs__mutex *mutex) {
  (void)mutex;
}
KECS__FN void kecs__mutex_lock(kecs__mutex *mutex) {
  (void)mutex;
}
KECS__FN void kecs__mutex_unlock(kecs__mutex *mutex) {
  (void)mutex;
}
KECS__FN kecs_status kecs__condition_init(kecs__condition *condition) {
  condition->unused = 0;
  return KECS_OK;
}
KECS__FN void kecs__condition_destroy(kecs__condition *condition) {
  (void)condition;
}
KECS__FN void kecs__condition_wake_all(kecs__condition *condition) {
  (void)condition;
}
KECS__FN void kecs__condition_wait_us(kecs__condition *condition, kecs__mutex *mutex, int64_t us) {
  (void)condition;
  (void)mutex;
  (void)us;
}
KECS__FN kecs__thread_id kecs__thread_self(void) {
  return 0;
}
KECS__FN bool kecs__thread_same(kecs__thread_id a, kecs__thread_id b) {
  return a == b;
}

#else

KECS__FN kecs_status kecs__mutex_init(kecs__mutex *mutex) {
  return pthread_mutex_init(mutex, NULL) ? kecs__fail_nomem() : KECS_OK;
}

KECS__FN void kecs__mutex_destroy(kecs__mutex *mutex) {
  (void)pthread_mutex_destroy(mutex);
}

KECS__FN void kecs__mutex_lock(kecs__mutex *mutex) {
  (void)pthread_mutex_lock(mutex); /* fails only for a mutex that is not one */
}

KECS__FN void kecs__mutex_unlock(kecs__mutex *mutex) {
  (void)pthread_mutex_unlock(mutex);
}

KECS__FN kecs_status kecs__condition_init(kecs__condition *condition) {
  /* The monotonic clock: a wait must not grow or shrink when somebody sets the time of day. */
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes)) {
    return kecs__fail_nomem();
  }
  int failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) || pthread_cond_init(condition, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  return failed ? kecs__fail_nomem() : KECS_OK;
}

KECS__FN void kecs__condition_destroy(kecs__condition *condition) {
  (void)pthread_cond_destroy(condition);
}

KECS__FN void kecs__condition_wake_all(kecs__condition *condition) {
  (void)pthread_cond_broadcast(condition);
}

KECS__FN void kecs__condition_wait_us(kecs__condition *condition, kecs__mutex *mutex, int64_t us) {
  struct timespec until;
  (void)clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(us / 1000000);
  until.tv_nsec += (long)(us % 1000000) * 1000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000L;
  }
  (void)pthread_cond_timedwait(condition, mutex, &until);
}

KECS__FN kecs__thread_id kecs__thread_self(void) {
  return pthread_self();
}

KECS__FN bool kecs__thread_same(kecs__thread_id a, kecs__thread_id b) {
  return pthread_equal(a, b) != 0;
}

#endif

KECS__FN void kecs__condition_wait(kecs__condition *condition, kecs__mutex *mutex, int64_t ms) {
  kecs__condition_wait_us(condition, mutex, ms * 1000);
}

/* An int is atomic on every target with these builtins, so no libatomic is needed. */
KECS__FN void kecs__flag_set(int *flag, int value) {
  __atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

KECS__FN int kecs__flag_get(const int *flag) {
  return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

/* ---- base/quota.c ------------------------------------------------------------------------------------------------ */
/* base/quota.c -- counting what was taken. Sizes are known when blocks come back, so nothing is stored beside them. */

/* ---- base/quota.h ------------------------------------------------------------------------------------------------ */
/* base/quota.h -- an allocator with a limit, around another one. */
#ifndef KECS_BASE_QUOTA_H
#define KECS_BASE_QUOTA_H

/* Makes *allocator one that gives NULL beyond `max` bytes. What came from it may be given back after kecs__quota_close
 * (results outlive their store): the last block to come back takes the quota with it. */
KECS__FN kecs_status kecs__quota_open(kecs_allocator *allocator, size_t max);
KECS__FN void kecs__quota_close(const kecs_allocator *allocator); /* does nothing for an allocator without a quota */

#endif

/* ---- base/quota.c, continued ------------------------------------------------------------------------------------- */
typedef struct kecs__quota {
  kecs_allocator under;
  kecs__mutex mutex;
  size_t used;
  size_t max;
  bool closed;
} kecs__quota;

static void kecs__quota_free(kecs__quota *quota) {
  kecs_allocator under = quota->under;
  kecs__mutex_destroy(&quota->mutex);
  kecs__release(&under, quota, sizeof *quota);
}

/* Counts `more` bytes in and `less` bytes out; false, and nothing is counted, beyond the limit. */
static bool kecs__quota_count(kecs__quota *quota, size_t less, size_t more) {
  kecs__mutex_lock(&quota->mutex);
  size_t used = quota->used - less;
  bool fits = more <= less || (more <= quota->max && used <= quota->max - more);
  quota->used = fits ? used + more : quota->used;
  bool last = quota->closed && quota->used == 0;
  kecs__mutex_unlock(&quota->mutex);
  if (last) {
    kecs__quota_free(quota);
  }
  return fits;
}

static void *kecs__quota_alloc(size_t size, void *user) {
  kecs__quota *quota = user;
  if (!kecs__quota_count(quota, 0, size)) {
    return NULL;
  }
  void *pointer = quota->under.alloc(size, quota->under.user);
  if (!pointer) {
    (void)kecs__quota_count(quota, size, 0);
  }
  return pointer;
}

static void *kecs__quota_resize(void *pointer, size_t old_size, size_t size, void *user) {
  kecs__quota *quota = user;
  if (!kecs__quota_count(quota, old_size, size)) {
    return NULL;
  }
  void *moved = quota->under.resize(pointer, old_size, size, quota->under.user);
  if (!moved) {
    (void)kecs__quota_count(quota, size, old_size);
  }
  return moved;
}

static void kecs__quota_release(void *pointer, size_t size, void *user) {
  kecs__quota *quota = user;
  quota->under.release(pointer, size, quota->under.user);
  (void)kecs__quota_count(quota, size, 0);
}

KECS__FN kecs_status kecs__quota_open(kecs_allocator *allocator, size_t max) {
  kecs__quota *quota = kecs__alloc_zero(allocator, sizeof *quota);
  if (!quota) {
    return KECS_E_NOMEM;
  }
  quota->under = *allocator;
  quota->max = max;
  kecs_status status = kecs__mutex_init(&quota->mutex);
  if (status) {
    kecs__release(allocator, quota, sizeof *quota);
    return status;
  }
  *allocator = (kecs_allocator){kecs__quota_alloc, kecs__quota_resize, kecs__quota_release, quota};
  return KECS_OK;
}

KECS__FN void kecs__quota_close(const kecs_allocator *allocator) {
  if (allocator->alloc != kecs__quota_alloc) {
    return;
  }
  kecs__quota *quota = allocator->user;
  kecs__mutex_lock(&quota->mutex);
  quota->closed = true;
  bool last = quota->used == 0;
  kecs__mutex_unlock(&quota->mutex);
  if (last) {
    kecs__quota_free(quota);
  }
}

/* ---- base/json.c ------------------------------------------------------------------------------------------------- */
/* base/json.c -- is it JSON, where is it not, and the walk over what it holds.
 *
 * The check is one pass with no recursion: a bit for each open bracket says whether it is an object. It alternates
 * between two steps: `open` enters brackets until a scalar or an empty bracket ends a value, `close` leaves brackets
 * and passes commas until the next value is due. The inside of strings, most of a document's bytes, is skipped eight
 * bytes at a time.
 *
 * A refusal names the first byte that can't stand where it stands. Whatever the grammar expected there, a NUL byte
 * and malformed UTF-8 get their own reason: they tell the user that the file is no text at all. */

/* ---- base/json_bytes.h ------------------------------------------------------------------------------------------- */
/* base/json_bytes.h -- what the JSON modules share: classes of bytes, and the skips that every one of them makes.
 *
 * All skips take the end of the text and never read there. */
#ifndef KECS_BASE_JSON_BYTES_H
#define KECS_BASE_JSON_BYTES_H

/* ---- base/json.h ------------------------------------------------------------------------------------------------- */
/* base/json.h -- a small scanner for RFC 8259 text: check once with positions, then walk without copying.
 *
 * kecs__json_check decides whether a text is JSON and where it is not. Everything else assumes a text that has
 * passed the check and only walks it: values are spans of the original bytes, so a nested document is kept byte
 * for byte. No recursion: depth costs a bit an open bracket. Nothing here reads outside the given bytes, not even
 * when a text was never checked; the answers are then meaningless, that is all. */
#ifndef KECS_BASE_JSON_H
#define KECS_BASE_JSON_H

/* Brackets that may be open at once. A plain number: it is printed into the fault's reason. */
#define KECS__JSON_DEPTH_MAX 1000

typedef enum kecs__json_type {
  KECS__JSON_NONE, /* no value here */
  KECS__JSON_NULL,
  KECS__JSON_FALSE,
  KECS__JSON_TRUE,
  KECS__JSON_NUMBER,
  KECS__JSON_STRING,
  KECS__JSON_ARRAY,
  KECS__JSON_OBJECT
} kecs__json_type;

/* A value: its kind and its exact bytes (a string's quotes included), inside the checked text. */
typedef struct kecs__json {
  kecs__json_type type;
  const char *text;
  size_t len;
} kecs__json;

/* Where a text stops being JSON: line and column count from 1, columns in characters (not bytes), and a CR LF pair, a
 * lone LF and a lone CR each end a line. */
typedef struct kecs__json_fault {
  size_t offset;
  size_t line;
  size_t column;
  const char *reason; /* constant English, such as "a string must not hold a raw control character" */
} kecs__json_fault;

/* The one value that `text` is, white space around it ignored. Type NONE means it is not JSON: invalid syntax,
 * invalid UTF-8, a byte order mark, deeper than KECS__JSON_DEPTH_MAX, or empty; then *fault says where and why
 * (fault may be NULL; it is untouched when the text is JSON). The offset is that of the first byte that can't stand
 * where it stands, the first byte of a malformed UTF-8 sequence, or `len` when the text ends too early.
 * Accepts exactly what RFC 8259 accepts: duplicate members, \u0000 and lone surrogate escapes are fine here. */
KECS__FN kecs__json kecs__json_check(const char *text, size_t len, kecs__json_fault *fault);

/* As kecs__json_check, but stops after the first value: *used is the number of bytes read, white space after the
 * value included, and 0 when there is no value. For streams of documents (JSON lines, documents one after another):
 * call it again on the rest until nothing is left. */
KECS__FN kecs__json kecs__json_check_first(const char *text, size_t len, size_t *used, kecs__json_fault *fault);

/* Line and column of a byte inside a text, counted as in kecs__json_fault. Reads only the bytes before `offset`. */
KECS__FN void kecs__json_position(const char *text, size_t offset, size_t *line, size_t *column);

/* Walks an object's members or an array's elements, in order, duplicates included. Start with a zeroed walk. False
 * at the end, and at once for a value of another type; the out values then have type NONE. */
typedef struct kecs__json_walk {
  const char *at; /* NULL before the first step */
} kecs__json_walk;
KECS__FN bool kecs__json_next_member(kecs__json object, kecs__json_walk *walk, kecs__json *name, kecs__json *value);
KECS__FN bool kecs__json_next_element(kecs__json array, kecs__json_walk *walk, kecs__json *element);

/* The first member with this name (escapes in the member's name are understood), or type NONE; also NONE when
 * `object` is not an object. */
KECS__FN kecs__json kecs__json_member(kecs__json object, const char *name);

/* Whether a string value, decoded, equals a C string. A string with \u0000 or a lone surrogate equals none. */
KECS__FN bool kecs__json_equals(kecs__json string, const char *text);

/* A string value decoded to UTF-8 and terminated, in the arena. NULL with the failure recorded: INVALID when it
 * is no string or holds \u0000 or a lone surrogate (neither can be a column's text), NOMEM. out_len may be NULL. */
KECS__FN char *kecs__json_string(kecs__json string, kecs__arena *arena, size_t *out_len);

/* The same into a caller's buffer, terminated, for short texts such as times and numbers. False, with nothing
 * recorded, when kecs__json_string would fail or `size` bytes are not enough. */
KECS__FN bool kecs__json_string_into(kecs__json string, char *out, size_t size, size_t *out_len);

/* A number that is an integer in the range of int64_t, written in any way (1, 1.0, 10e-1). False otherwise. */
KECS__FN bool kecs__json_int64(kecs__json number, int64_t *out);

/* A number times ten to the `power`, rounded down (toward minus infinity), exactly from its decimal digits: with
 * power 6, seconds become microseconds. *exact says whether nothing was cut off. False when it is no number or the
 * result is outside int64_t. */
KECS__FN bool kecs__json_scaled(kecs__json number, int power, int64_t *out, bool *exact);

/* Appends text as a JSON string, quotes included: escapes only what RFC 8259 demands. The text must be UTF-8. */
KECS__FN void kecs__json_quote(kecs__text *out, const char *text, size_t len);

/* Whether bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF). */
KECS__FN bool kecs__utf8_valid(const char *text, size_t len);

#endif

/* ---- base/json_bytes.h, continued -------------------------------------------------------------------------------- */
enum {
  KECS__JSON_STOP = 1,  /* ends a plain run inside a string: quote, backslash, control, not ASCII */
  KECS__JSON_SPACE = 2, /* white space between tokens */
  KECS__JSON_DIGIT = 4,
  KECS__JSON_HEX = 8,
  KECS__JSON_WORD = 16, /* may stand in a number or in true, false, null */
  KECS__JSON_MARK = 32  /* a bracket of either kind, or a quote: what decides where a value ends */
};

/* The classes of a byte, as bits. */
KECS__FN unsigned kecs__json_class(unsigned char byte);

/* The first byte that is no white space; no digit; not part of a word; a mark; not plain inside a string. */
KECS__FN const unsigned char *kecs__json_space(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_digits(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_word(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_mark(const unsigned char *at, const unsigned char *end);
KECS__FN const unsigned char *kecs__json_plain(const unsigned char *at, const unsigned char *end);

/* Length of the well-formed UTF-8 sequence at `at`, or 0. There must be at least one byte. */
KECS__FN size_t kecs__json_sequence(const unsigned char *at, const unsigned char *end);

/* A value whose bytes are known: its first byte tells its type. */
KECS__FN kecs__json kecs__json_span(const unsigned char *begin, const unsigned char *end);

#endif

/* ---- base/json.c, continued -------------------------------------------------------------------------------------- */
#include <string.h>

typedef struct kecs__json_scan {
  const unsigned char *begin;
  const unsigned char *at;
  const unsigned char *end;
  const char *reason;                                 /* set when the scan was refused at `at` */
  size_t depth;                                       /* open brackets */
  uint32_t objects[(KECS__JSON_DEPTH_MAX + 31) / 32]; /* bit set: the bracket opened at this depth is an object */
} kecs__json_scan;

/* Ends the scan at `at`: with `at_end` when the text is over, else with `reason`, unless the byte is worse than
 * misplaced. Always false, so a caller can return it. */
static bool kecs__json_refuse(kecs__json_scan *scan, const unsigned char *at, const char *at_end, const char *reason) {
  scan->at = at;
  if (at == scan->end) {
    scan->reason = at_end;
  } else if (*at == 0) {
    scan->reason = "a NUL byte must not stand in JSON text (is this a binary or UTF-16 file?)";
  } else if (kecs__json_sequence(at, scan->end) == 0) {
    scan->reason = "these bytes are not UTF-8, the only encoding of JSON text";
  } else {
    scan->reason = reason;
  }
  return false;
}

/* Passes the escape whose backslash is at `at`; NULL when it is refused. */
static const unsigned char *kecs__json_scan_escape(kecs__json_scan *scan, const unsigned char *at) {
  static const char at_end[] = "the text ends inside a string";
  at++;
  if (at == scan->end || *at == 0 || !strchr("\"\\/bfnrtu", *at)) {
    (void)kecs__json_refuse(scan, at, at_end, "a backslash must be followed by one of \" \\ / b f n r t u");
    return NULL;
  }
  if (*at != 'u') {
    return at + 1;
  }
  for (int i = 0; i < 4; i++) {
    at++;
    if (at == scan->end || !(kecs__json_class(*at) & KECS__JSON_HEX)) {
      (void)kecs__json_refuse(scan, at, at_end, "\\u must be followed by four hexadecimal digits");
      return NULL;
    }
  }
  return at + 1;
}

static bool kecs__json_scan_string(kecs__json_scan *scan) {
  const unsigned char *end = scan->end;
  const unsigned char *at = scan->at + 1;
  for (;;) {
    at = kecs__json_plain(at, end);
    if (at < end && *at == '"') {
      scan->at = at + 1;
      return true;
    }
    if (at < end && *at == '\\') {
      at = kecs__json_scan_escape(scan, at);
      if (!at) {
        return false;
      }
      continue;
    }
    size_t step = at < end && *at >= 0x80 ? kecs__json_sequence(at, end) : 0;
    if (step == 0) {
      return kecs__json_refuse(scan, at, "the text ends inside a string",
                               "a string must not hold a raw control character (is a closing quote missing?)");
    }
    at += step;
  }
}

static bool kecs__json_scan_number(kecs__json_scan *scan) {
  static const char at_end[] = "the text ends inside a number";
  const unsigned char *end = scan->end;
  const unsigned char *at = scan->at + (*scan->at == '-');
  const unsigned char *digits = at;
  at = kecs__json_digits(at, end);
  if (at == digits) {
    return kecs__json_refuse(scan, at, at_end, "a digit must follow the minus sign");
  }
  if (*digits == '0' && at > digits + 1) {
    return kecs__json_refuse(scan, digits + 1, at_end, "a number must not have leading zeros");
  }
  if (at < end && *at == '.') {
    digits = at + 1;
    at = kecs__json_digits(digits, end);
    if (at == digits) {
      return kecs__json_refuse(scan, at, at_end, "a digit must follow the decimal point");
    }
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    digits = at + 1;
    if (digits < end && (*digits == '+' || *digits == '-')) {
      digits++;
    }
    at = kecs__json_digits(digits, end);
    if (at == digits) {
      return kecs__json_refuse(scan, at, at_end, "a digit must follow in the exponent");
    }
  }
  scan->at = at;
  return true;
}

static bool kecs__json_scan_word(kecs__json_scan *scan, const char *word) {
  const unsigned char *at = scan->at;
  for (; *word; word++, at++) {
    if (at == scan->end || *at != (unsigned char)*word) {
      return kecs__json_refuse(scan, at, "the text ends inside a word",
                               "the only words in JSON are true, false and null");
    }
  }
  scan->at = at;
  return true;
}

/* Refuses what stands in a value's place; the usual mistakes get their own advice. */
static bool kecs__json_no_value(kecs__json_scan *scan) {
  const unsigned char *at = scan->at;
  const char *at_end = scan->depth ? "the text ends where a value is expected" : "the text is empty: there is no value";
  const char *reason = "a value is expected here";
  if (at == scan->begin && scan->end - at >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
    return kecs__json_refuse(scan, at, at_end, "a byte order mark must not stand before JSON text");
  }
  switch (at < scan->end ? *at : 0) {
    case ']':
    case '}':
      reason = "a value is expected before the closing bracket (is there a comma too many?)";
      break;
    case ',':
      reason = "a value is expected before the comma";
      break;
    case '\'':
      reason = "strings stand in double quotes";
      break;
    case '/':
    case '#':
      reason = "a value is expected here; JSON has no comments";
      break;
    case '+':
    case '.':
      reason = "a number starts with a digit or a minus sign";
      break;
    case '$':
    case '%':
    case '<':
    case '@':
      reason = "a value is expected here (is this an unfilled placeholder of a template?)";
      break;
    case 'F':
    case 'I':
    case 'N':
    case 'T':
    case 'u':
      reason = "the only words in JSON are true, false and null, in lower case; there is no NaN and no Infinity";
      break;
    default:
      break;
  }
  return kecs__json_refuse(scan, at, at_end, reason);
}

static bool kecs__json_scan_scalar(kecs__json_scan *scan) {
  switch (scan->at < scan->end ? *scan->at : 0) {
    case '"':
      return kecs__json_scan_string(scan);
    case 't':
      return kecs__json_scan_word(scan, "true");
    case 'f':
      return kecs__json_scan_word(scan, "false");
    case 'n':
      return kecs__json_scan_word(scan, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return kecs__json_scan_number(scan);
    default:
      return kecs__json_no_value(scan);
  }
}

/* A member's name and its colon. */
static bool kecs__json_scan_name(kecs__json_scan *scan) {
  scan->at = kecs__json_space(scan->at, scan->end);
  if (scan->at == scan->end || *scan->at != '"') {
    bool closes = scan->at < scan->end && *scan->at == '}';
    return kecs__json_refuse(scan, scan->at, "the text ends where a member's name is expected",
                             closes ? "a member is expected before the closing } (is there a comma too many?)"
                                    : "a member's name in double quotes is expected here");
  }
  if (!kecs__json_scan_string(scan)) {
    return false;
  }
  scan->at = kecs__json_space(scan->at, scan->end);
  if (scan->at == scan->end || *scan->at != ':') {
    return kecs__json_refuse(scan, scan->at, "the text ends where a colon is expected",
                             "a colon is expected after a member's name");
  }
  scan->at++;
  return true;
}

#define KECS__JSON_DIGITS_OF(number) #number
#define KECS__JSON_TEXT_OF(number) KECS__JSON_DIGITS_OF(number)

static bool kecs__json_push(kecs__json_scan *scan, bool is_object) {
  if (scan->depth == KECS__JSON_DEPTH_MAX) {
    scan->reason =
        "arrays and objects are nested deeper than the limit of " KECS__JSON_TEXT_OF(KECS__JSON_DEPTH_MAX) " levels";
    return false;
  }
  uint32_t bit = UINT32_C(1) << (scan->depth % 32);
  uint32_t *word = &scan->objects[scan->depth / 32];
  *word = is_object ? *word | bit : *word & ~bit;
  scan->depth++;
  scan->at++;
  return true;
}

#undef KECS__JSON_DIGITS_OF
#undef KECS__JSON_TEXT_OF

static bool kecs__json_in_object(const kecs__json_scan *scan) {
  size_t top = scan->depth - 1;
  return (scan->objects[top / 32] >> (top % 32)) & 1;
}

/* Enters brackets until a value has ended: a scalar or an empty bracket. */
static bool kecs__json_scan_open(kecs__json_scan *scan) {
  for (;;) {
    scan->at = kecs__json_space(scan->at, scan->end);
    unsigned char c = scan->at < scan->end ? *scan->at : 0;
    if (c != '{' && c != '[') {
      return kecs__json_scan_scalar(scan);
    }
    if (!kecs__json_push(scan, c == '{')) {
      return false;
    }
    scan->at = kecs__json_space(scan->at, scan->end);
    if (scan->at < scan->end && *scan->at == (c == '{' ? '}' : ']')) {
      scan->depth--;
      scan->at++;
      return true;
    }
    if (c == '{' && !kecs__json_scan_name(scan)) {
      return false;
    }
  }
}

/* After a value: leaves brackets until a comma announces the next value, or until depth is 0. */
static bool kecs__json_scan_close(kecs__json_scan *scan) {
  while (scan->depth > 0) {
    bool in_object = kecs__json_in_object(scan);
    scan->at = kecs__json_space(scan->at, scan->end);
    unsigned char c = scan->at < scan->end ? *scan->at : 0;
    if (c == ',') {
      scan->at++;
      return in_object ? kecs__json_scan_name(scan) : true;
    }
    if (in_object && c != '}') {
      return kecs__json_refuse(scan, scan->at, "the text ends before an object's closing }",
                               "a comma or } is expected after a member");
    }
    if (!in_object && c != ']') {
      return kecs__json_refuse(scan, scan->at, "the text ends before an array's closing ]",
                               "a comma or ] is expected after an element");
    }
    scan->depth--;
    scan->at++;
  }
  return true;
}

/* Scans the first value and the white space after it; NONE when it is refused. */
static kecs__json kecs__json_scan_first(kecs__json_scan *scan, const char *text, size_t len) {
  memset(scan, 0, sizeof *scan);
  scan->begin = (const unsigned char *)(text ? text : "");
  scan->at = scan->begin;
  scan->end = scan->begin + len;
  const unsigned char *begin = kecs__json_space(scan->begin, scan->end);
  do {
    if (!kecs__json_scan_open(scan) || !kecs__json_scan_close(scan)) {
      return (kecs__json){KECS__JSON_NONE, NULL, 0};
    }
  } while (scan->depth > 0);
  kecs__json value = kecs__json_span(begin, scan->at);
  scan->at = kecs__json_space(scan->at, scan->end);
  return value;
}

static void kecs__json_report(const kecs__json_scan *scan, kecs__json_fault *fault) {
  if (fault) {
    fault->offset = (size_t)(scan->at - scan->begin);
    fault->reason = scan->reason;
    kecs__json_position((const char *)scan->begin, fault->offset, &fault->line, &fault->column);
  }
}

KECS__FN kecs__json kecs__json_check(const char *text, size_t len, kecs__json_fault *fault) {
  kecs__json_scan scan;
  kecs__json value = kecs__json_scan_first(&scan, text, len);
  if (value.type != KECS__JSON_NONE && scan.at < scan.end) {
    (void)kecs__json_refuse(&scan, scan.at, "", "there is more text after the end of the value");
    value = (kecs__json){KECS__JSON_NONE, NULL, 0};
  }
  if (value.type == KECS__JSON_NONE) {
    kecs__json_report(&scan, fault);
  }
  return value;
}

KECS__FN kecs__json kecs__json_check_first(const char *text, size_t len, size_t *used, kecs__json_fault *fault) {
  kecs__json_scan scan;
  kecs__json value = kecs__json_scan_first(&scan, text, len);
  *used = 0;
  if (value.type == KECS__JSON_NONE) {
    kecs__json_report(&scan, fault);
  } else {
    *used = (size_t)(scan.at - scan.begin);
  }
  return value;
}

KECS__FN void kecs__json_position(const char *text, size_t offset, size_t *line, size_t *column) {
  *line = 1;
  *column = 1;
  for (size_t i = 0; i < offset; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '\n' && i > 0 && text[i - 1] == '\r') {
      continue; /* the CR has ended this line already */
    }
    if (c == '\n' || c == '\r') {
      *line += 1;
      *column = 1;
    } else if ((c & 0xC0) != 0x80) {
      *column += 1;
    }
  }
}

/* ---- base/json_bytes.c ------------------------------------------------------------------------------------------- */
/* base/json_bytes.c -- classes of bytes, skips, UTF-8. */

#include <string.h>

/* Sums of the KECS__JSON_ classes; a row for every sixteen bytes. */
static const unsigned char kecs__json_classes[256] = {
     1,  1,  1,  1,  1,  1,  1,  1,  1,  3,  3,  1,  1,  3,  1,  1, /* 00: tab, LF, CR are space */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* 10 */
     2,  0, 33,  0,  0,  0,  0,  0,  0,  0,  0, 16,  0, 16, 16,  0, /* 20: blank, quote, + - . */
    28, 28, 28, 28, 28, 28, 28, 28, 28, 28,  0,  0,  0,  0,  0,  0, /* 30: digits */
     0, 24, 24, 24, 24, 24, 24, 16, 16, 16, 16, 16, 16, 16, 16, 16, /* 40: A to F, letters */
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32,  1, 32,  0,  0, /* 50: letters, bracket, backslash, bracket */
     0, 24, 24, 24, 24, 24, 24, 16, 16, 16, 16, 16, 16, 16, 16, 16, /* 60: a to f, letters */
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32,  0, 32,  0,  0, /* 70: letters, braces */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* 80: parts of UTF-8 sequences from here on */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* 90 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* A0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* B0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* C0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* D0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1, /* E0 */
     1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1  /* F0 */
};

KECS__FN unsigned kecs__json_class(unsigned char byte) {
  return kecs__json_classes[byte];
}

KECS__FN const unsigned char *kecs__json_space(const unsigned char *at, const unsigned char *end) {
  while (at < end && (kecs__json_classes[*at] & KECS__JSON_SPACE)) {
    at++;
  }
  return at;
}

KECS__FN const unsigned char *kecs__json_digits(const unsigned char *at, const unsigned char *end) {
  while (at < end && (kecs__json_classes[*at] & KECS__JSON_DIGIT)) {
    at++;
  }
  return at;
}

KECS__FN const unsigned char *kecs__json_word(const unsigned char *at, const unsigned char *end) {
  while (at < end && (kecs__json_classes[*at] & KECS__JSON_WORD)) {
    at++;
  }
  return at;
}

KECS__FN const unsigned char *kecs__json_mark(const unsigned char *at, const unsigned char *end) {
  while (at < end && !(kecs__json_classes[*at] & KECS__JSON_MARK)) {
    at++;
  }
  return at;
}

/* Eight bytes at once: a subtraction borrows into a byte's high bit when the byte is below 0x20 or, after the
 * exclusive or, is zero. The lowest such byte is exact and only "is there any" is asked, so the order of bytes does
 * not matter. */
KECS__FN const unsigned char *kecs__json_plain(const unsigned char *at, const unsigned char *end) {
  const uint64_t each = UINT64_C(0x0101010101010101);
  uint64_t word;
  while ((size_t)(end - at) >= sizeof word) {
    memcpy(&word, at, sizeof word);
    uint64_t below_space = word - each * 0x20;
    uint64_t quote = (word ^ (each * 0x22)) - each;
    uint64_t backslash = (word ^ (each * 0x5C)) - each;
    if ((word | below_space | quote | backslash) & (each * 0x80)) {
      break;
    }
    at += sizeof word;
  }
  while (at < end && !(kecs__json_classes[*at] & KECS__JSON_STOP)) {
    at++;
  }
  return at;
}

static kecs__json_type kecs__json_type_of(unsigned char first) {
  switch (first) {
    case '{':
      return KECS__JSON_OBJECT;
    case '[':
      return KECS__JSON_ARRAY;
    case '"':
      return KECS__JSON_STRING;
    case 't':
      return KECS__JSON_TRUE;
    case 'f':
      return KECS__JSON_FALSE;
    case 'n':
      return KECS__JSON_NULL;
    default:
      return KECS__JSON_NUMBER;
  }
}

KECS__FN kecs__json kecs__json_span(const unsigned char *begin, const unsigned char *end) {
  return (kecs__json){kecs__json_type_of(*begin), (const char *)begin, (size_t)(end - begin)};
}

/* ---- UTF-8 ---- */

static bool kecs__json_continues(const unsigned char *at, size_t count) {
  for (size_t i = 1; i <= count; i++) {
    if ((at[i] & 0xC0) != 0x80) {
      return false;
    }
  }
  return true;
}

/* Length of the well-formed sequence at `at`, or 0. The bounds of the second byte keep out overlong forms (after E0
 * and F0), surrogates (after ED) and what lies above U+10FFFF (after F4); RFC 3629, section 4. */
KECS__FN size_t kecs__json_sequence(const unsigned char *at, const unsigned char *end) {
  size_t left = (size_t)(end - at);
  unsigned char first = at[0];
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2) {
    return 0;
  }
  if (first < 0xE0) {
    return left >= 2 && kecs__json_continues(at, 1) ? 2 : 0;
  }
  if (first < 0xF0) {
    bool outside = left < 3 || (first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F);
    return !outside && kecs__json_continues(at, 2) ? 3 : 0;
  }
  bool outside = left < 4 || first > 0xF4 || (first == 0xF0 && at[1] < 0x90) || (first == 0xF4 && at[1] > 0x8F);
  return !outside && kecs__json_continues(at, 3) ? 4 : 0;
}

KECS__FN bool kecs__utf8_valid(const char *text, size_t len) {
  const uint64_t high_bits = UINT64_C(0x8080808080808080);
  size_t at = 0;
  while (at < len) {
    uint64_t word;
    if (len - at >= sizeof word) {
      memcpy(&word, text + at, sizeof word);
      if ((word & high_bits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    size_t step = kecs__json_sequence((const unsigned char *)text + at, (const unsigned char *)text + len);
    if (step == 0) {
      return false;
    }
    at += step;
  }
  return true;
}

/* ---- base/json_walk.c -------------------------------------------------------------------------------------------- */
/* base/json_walk.c -- steps from value to value inside a text that is known to be JSON. */

/* The byte after a string's closing quote. */
static const unsigned char *kecs__json_string_end(const unsigned char *at, const unsigned char *end) {
  at++;
  for (;;) {
    at = kecs__json_plain(at, end);
    if (at == end) {
      return end;
    }
    if (*at == '"') {
      return at + 1;
    }
    at += *at == '\\' && end - at > 1 ? 2 : 1;
  }
}

/* The end of the value that starts at `at`. In a nested value only brackets and strings matter. */
static const unsigned char *kecs__json_value_end(const unsigned char *at, const unsigned char *end) {
  if (!(kecs__json_class(*at) & KECS__JSON_MARK)) {
    return kecs__json_word(at + 1, end);
  }
  size_t depth = 0;
  while (at < end) {
    if (*at == '"') {
      at = kecs__json_string_end(at, end);
    } else if (*at == '{' || *at == '[') {
      depth++;
      at++;
    } else {
      depth -= depth > 0;
      at++;
    }
    if (depth == 0) {
      return at;
    }
    at = kecs__json_mark(at, end);
  }
  return end;
}

/* The start of the next item inside a bracket, or NULL at its end. */
static const unsigned char *kecs__json_step(kecs__json bracket, const kecs__json_walk *walk) {
  if (bracket.len < 2) {
    return NULL;
  }
  const unsigned char *end = (const unsigned char *)bracket.text + bracket.len;
  const unsigned char *at = (const unsigned char *)(walk->at ? walk->at : bracket.text + 1);
  at = kecs__json_space(at, end);
  if (at < end && *at == ',') {
    at = kecs__json_space(at + 1, end);
  }
  return at < end && *at != ']' && *at != '}' ? at : NULL;
}

KECS__FN bool kecs__json_next_member(kecs__json object, kecs__json_walk *walk, kecs__json *name, kecs__json *value) {
  *name = (kecs__json){KECS__JSON_NONE, NULL, 0};
  *value = *name;
  const unsigned char *at = object.type == KECS__JSON_OBJECT ? kecs__json_step(object, walk) : NULL;
  if (!at || *at != '"') {
    return false;
  }
  const unsigned char *end = (const unsigned char *)object.text + object.len;
  const unsigned char *name_end = kecs__json_string_end(at, end);
  const unsigned char *begin = kecs__json_space(name_end, end);
  if (begin == end || *begin != ':') {
    return false;
  }
  begin = kecs__json_space(begin + 1, end);
  if (begin == end) {
    return false;
  }
  const unsigned char *value_end = kecs__json_value_end(begin, end);
  *name = kecs__json_span(at, name_end);
  *value = kecs__json_span(begin, value_end);
  walk->at = (const char *)value_end;
  return true;
}

KECS__FN bool kecs__json_next_element(kecs__json array, kecs__json_walk *walk, kecs__json *element) {
  *element = (kecs__json){KECS__JSON_NONE, NULL, 0};
  const unsigned char *at = array.type == KECS__JSON_ARRAY ? kecs__json_step(array, walk) : NULL;
  if (!at) {
    return false;
  }
  const unsigned char *end = kecs__json_value_end(at, (const unsigned char *)array.text + array.len);
  *element = kecs__json_span(at, end);
  walk->at = (const char *)end;
  return true;
}

KECS__FN kecs__json kecs__json_member(kecs__json object, const char *name) {
  kecs__json_walk walk = {NULL};
  kecs__json key;
  kecs__json value;
  while (kecs__json_next_member(object, &walk, &key, &value)) {
    if (kecs__json_equals(key, name)) {
      return value;
    }
  }
  return (kecs__json){KECS__JSON_NONE, NULL, 0};
}

/* ---- base/json_text.c -------------------------------------------------------------------------------------------- */
/* base/json_text.c -- what a JSON value says: strings decoded and written, numbers read exactly.
 *
 * A number is never turned into a double: its decimal digits and its exponent give the integer, or tell that there
 * is none. So 9223372036854775807 and 1479775400.123456 seconds come out as they were written. */

#include <string.h>

/* ---- strings ---- */

/* The inside of a string: what stands between its quotes. */
typedef struct kecs__json_inside {
  const char *at;
  const char *end;
} kecs__json_inside;

static bool kecs__json_open_string(kecs__json string, kecs__json_inside *inside) {
  if (string.type != KECS__JSON_STRING || string.len < 2) {
    return false;
  }
  inside->at = string.text + 1;
  inside->end = string.text + string.len - 1;
  return true;
}

/* The four digits of a \u escape at `at`, or 0x110000, which is no character, when they are not there. */
static uint32_t kecs__json_unit(const char *at, const char *end) {
  uint32_t unit = 0;
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
    return 0x110000;
  }
  for (int i = 2; i < 6; i++) {
    uint32_t c = (unsigned char)at[i];
    if (!(kecs__json_class((unsigned char)at[i]) & KECS__JSON_HEX)) {
      return 0x110000;
    }
    unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return unit;
}

static size_t kecs__json_encode(uint32_t character, char out[4]) {
  if (character < 0x80) {
    out[0] = (char)character;
    return 1;
  }
  if (character < 0x800) {
    out[0] = (char)(0xC0 | character >> 6);
    out[1] = (char)(0x80 | (character & 0x3F));
    return 2;
  }
  if (character < 0x10000) {
    out[0] = (char)(0xE0 | character >> 12);
    out[1] = (char)(0x80 | (character >> 6 & 0x3F));
    out[2] = (char)(0x80 | (character & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | character >> 18);
  out[1] = (char)(0x80 | (character >> 12 & 0x3F));
  out[2] = (char)(0x80 | (character >> 6 & 0x3F));
  out[3] = (char)(0x80 | (character & 0x3F));
  return 4;
}

/* Passes the escape that `inside` stands on and gives its character in UTF-8: 1 to 4 bytes. 0 when it is no text: a
 * lone surrogate, U+0000 (it would end a C string), or no escape at all. */
static size_t kecs__json_unescape(kecs__json_inside *inside, char out[4]) {
  static const char from[] = "\"\\/bfnrt";
  static const char to[] = "\"\\/\b\f\n\r\t";
  if (inside->end - inside->at < 2) {
    return 0;
  }
  if (inside->at[1] != 'u') {
    const char *found = inside->at[1] ? strchr(from, inside->at[1]) : NULL;
    inside->at += 2;
    out[0] = found ? to[found - from] : '\0';
    return found ? 1 : 0;
  }
  uint32_t character = kecs__json_unit(inside->at, inside->end);
  inside->at += 6;
  if (character >= 0xD800 && character <= 0xDBFF) {
    uint32_t low = kecs__json_unit(inside->at, inside->end);
    if (low < 0xDC00 || low > 0xDFFF) {
      return 0;
    }
    inside->at += 6;
    character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
  } else if (character == 0 || character > 0x10FFFF || (character >= 0xDC00 && character <= 0xDFFF)) {
    return 0;
  }
  return kecs__json_encode(character, out);
}

/* The next piece of decoded text: a run of the string itself, or one character in `buffer`. 0 when the rest is no
 * text; must not be called at the end. */
static size_t kecs__json_piece(kecs__json_inside *inside, char buffer[4], const char **piece) {
  size_t left = (size_t)(inside->end - inside->at);
  const char *escape = memchr(inside->at, '\\', left);
  size_t run = escape ? (size_t)(escape - inside->at) : left;
  if (run == 0) {
    *piece = buffer;
    return kecs__json_unescape(inside, buffer);
  }
  *piece = inside->at;
  inside->at += run;
  return run;
}

KECS__FN bool kecs__json_equals(kecs__json string, const char *text) {
  kecs__json_inside inside;
  size_t left = strlen(text);
  if (!kecs__json_open_string(string, &inside)) {
    return false;
  }
  while (inside.at < inside.end) {
    char buffer[4];
    const char *piece;
    size_t len = kecs__json_piece(&inside, buffer, &piece);
    if (len == 0 || len > left || memcmp(piece, text, len) != 0) {
      return false;
    }
    text += len;
    left -= len;
  }
  return left == 0;
}

KECS__FN bool kecs__json_string_into(kecs__json string, char *out, size_t size, size_t *out_len) {
  kecs__json_inside inside;
  size_t used = 0;
  if (size == 0 || !kecs__json_open_string(string, &inside)) {
    return false;
  }
  while (inside.at < inside.end) {
    char buffer[4];
    const char *piece;
    size_t len = kecs__json_piece(&inside, buffer, &piece);
    if (len == 0 || len >= size - used) {
      return false;
    }
    memcpy(out + used, piece, len);
    used += len;
  }
  out[used] = '\0';
  if (out_len) {
    *out_len = used;
  }
  return true;
}

KECS__FN char *kecs__json_string(kecs__json string, kecs__arena *arena, size_t *out_len) {
  if (string.type != KECS__JSON_STRING || string.len < 2) {
    (void)kecs__fail(KECS_E_INVALID, "a JSON string is expected");
    return NULL;
  }
  /* No escape is shorter than its character, so the two quotes leave room for the terminator. */
  char *out = kecs__arena_bytes(arena, string.len);
  if (out && !kecs__json_string_into(string, out, string.len, out_len)) {
    (void)kecs__fail(KECS_E_INVALID, "a string holds \\u0000 or half of a surrogate pair, which no text can hold");
    return NULL;
  }
  return out;
}

KECS__FN void kecs__json_quote(kecs__text *out, const char *text, size_t len) {
  static const char hex[] = "0123456789abcdef";
  static const char from[] = "\"\\\b\f\n\r\t";
  static const char to[] = "\"\\bfnrt";
  kecs__text_addc(out, '"');
  size_t begin = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    const char *found = c ? strchr(from, c) : NULL;
    if (found) {
      escape[1] = to[found - from];
    }
    kecs__text_add(out, text + begin, i - begin);
    kecs__text_add(out, escape, found ? 2 : sizeof escape);
    begin = i + 1;
  }
  if (begin < len) {
    kecs__text_add(out, text + begin, len - begin);
  }
  kecs__text_addc(out, '"');
}

/* ---- numbers ---- */

/* A number's digits and the place of its decimal point among them, the exponent already counted in: 12.5e1 is the
 * digits 1 2 5 with the point after the third. The point may lie far outside the digits, on either side. */
typedef struct kecs__json_decimal {
  bool negative;
  const char *digits; /* one '.' may stand between them */
  const char *end;
  int64_t point;
} kecs__json_decimal;

/* Beyond any place that a number can need whose digits fit into memory, and far enough from overflow. */
#define KECS__JSON_POINT_MAX (INT64_C(1) << 60)

/* The exponent's value; it stops to grow where nothing but zero or "too large" can come of it. */
static int64_t kecs__json_exponent(const char *at, const char *end) {
  int64_t value = 0;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) {
    at++;
  }
  for (; at < end && *at >= '0' && *at <= '9'; at++) {
    value = value < KECS__JSON_POINT_MAX / 10 ? value * 10 + (*at - '0') : KECS__JSON_POINT_MAX;
  }
  return negative ? -value : value;
}

#undef KECS__JSON_POINT_MAX

static kecs__json_decimal kecs__json_decimal_of(kecs__json number) {
  kecs__json_decimal decimal = {false, number.text, number.text + number.len, -1};
  const char *end = decimal.end;
  if (decimal.digits < end && *decimal.digits == '-') {
    decimal.negative = true;
    decimal.digits++;
  }
  const char *at = decimal.digits;
  for (; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.') {
      decimal.point = at - decimal.digits;
    }
  }
  if (decimal.point < 0) {
    decimal.point = at - decimal.digits;
  }
  decimal.end = at;
  if (at < end) {
    decimal.point += kecs__json_exponent(at + 1, end);
  }
  return decimal;
}

static bool kecs__json_shift_in(uint64_t *value, unsigned digit) {
  if (*value > (UINT64_MAX - digit) / 10) {
    return false;
  }
  *value = *value * 10 + digit;
  return true;
}

KECS__FN bool kecs__json_scaled(kecs__json number, int power, int64_t *out, bool *exact) {
  if (number.type != KECS__JSON_NUMBER) {
    return false;
  }
  kecs__json_decimal decimal = kecs__json_decimal_of(number);
  int64_t point = decimal.point + power;
  int64_t place = 0;
  uint64_t value = 0;
  bool cut = false;
  for (const char *at = decimal.digits; at < decimal.end; at++) {
    unsigned digit = (unsigned)((unsigned char)*at - '0');
    if (digit > 9) {
      continue; /* the decimal point */
    }
    if (place >= point) {
      cut = cut || digit != 0;
    } else if (!kecs__json_shift_in(&value, digit)) {
      return false;
    }
    place++;
  }
  for (; place < point && value != 0; place++) {
    if (!kecs__json_shift_in(&value, 0)) {
      return false;
    }
  }
  uint64_t limit = (uint64_t)INT64_MAX + (decimal.negative ? 1 : 0);
  if (decimal.negative && cut) {
    value += value < UINT64_MAX; /* down, not toward zero */
  }
  if (value > limit) {
    return false;
  }
  /* Two steps, because the magnitude of INT64_MIN is no int64_t. */
  *out = !decimal.negative || value == 0 ? (int64_t)value : -(int64_t)(value - 1) - 1;
  *exact = !cut;
  return true;
}

KECS__FN bool kecs__json_int64(kecs__json number, int64_t *out) {
  int64_t value = 0;
  bool exact = false;
  if (!kecs__json_scaled(number, 0, &value, &exact) || !exact) {
    return false;
  }
  *out = value;
  return true;
}

/* ---- base/json_edit.c -------------------------------------------------------------------------------------------- */
/* base/json_edit.c -- texts put together from the pieces before, between and after items. */

/* ---- base/json_edit.h -------------------------------------------------------------------------------------------- */
/* base/json_edit.h -- an edit of one item of an array or object; every other byte of the text stays as it is.
 *
 * All three write the edited text to `out`. `text` is terminated and has passed kecs__json_check; the values are spans
 * of it. A failure (memory, the limit of `out`) sticks in out->status. */
#ifndef KECS_BASE_JSON_EDIT_H
#define KECS_BASE_JSON_EDIT_H

/* With other bytes in the place of a value. */
KECS__FN void kecs__json_replace(kecs__text *out, const char *text, kecs__json value, const char *bytes, size_t len);

/* With one item more at the end of `bracket`: an array's element, or an object's member, name and colon included. It is
 * set off as the last two items are, so a text of one line an item stays one. */
KECS__FN void kecs__json_append(kecs__text *out, const char *text, kecs__json bracket, const char *item, size_t len);

/* Without the items of `bracket` for which `drop` says so. In an array `name` is of type NONE. */
KECS__FN void kecs__json_drop(kecs__text *out, const char *text, kecs__json bracket,
                              bool (*drop)(kecs__json name, kecs__json value, const void *user), const void *user);

#endif

/* ---- base/json_edit.c, continued --------------------------------------------------------------------------------- */
#include <string.h>

/* An item of a bracket: a member is counted from its name on. */
typedef struct kecs__json_item {
  kecs__json name;
  kecs__json value;
  const char *begin;
  const char *end;
} kecs__json_item;

static bool kecs__json_next_item(kecs__json bracket, kecs__json_walk *walk, kecs__json_item *item) {
  bool found;
  item->name = (kecs__json){KECS__JSON_NONE, NULL, 0};
  if (bracket.type == KECS__JSON_OBJECT) {
    found = kecs__json_next_member(bracket, walk, &item->name, &item->value);
  } else {
    found = kecs__json_next_element(bracket, walk, &item->value);
  }
  if (found) {
    item->begin = item->name.text ? item->name.text : item->value.text;
    item->end = item->value.text + item->value.len;
  }
  return found;
}

static void kecs__json_between(kecs__text *out, const char *begin, const char *end) {
  kecs__text_add(out, begin, (size_t)(end - begin));
}

KECS__FN void kecs__json_replace(kecs__text *out, const char *text, kecs__json value, const char *bytes, size_t len) {
  kecs__json_between(out, text, value.text);
  kecs__text_add(out, bytes, len);
  kecs__text_adds(out, value.text + value.len);
}

KECS__FN void kecs__json_append(kecs__text *out, const char *text, kecs__json bracket, const char *item, size_t len) {
  kecs__json_walk walk = {NULL};
  kecs__json_item at;
  const char *end = bracket.text + 1; /* of the last item; without one, right behind the opening bracket */
  const char *gap = NULL;             /* what stands between the last two */
  size_t gap_len = 0;
  for (size_t count = 0; kecs__json_next_item(bracket, &walk, &at); count++) {
    gap = count > 0 ? end : ",";
    gap_len = count > 0 ? (size_t)(at.begin - end) : 1;
    end = at.end;
  }
  kecs__json_between(out, text, end);
  if (gap) {
    kecs__text_add(out, gap, gap_len);
  }
  kecs__text_add(out, item, len);
  kecs__text_adds(out, end);
}

KECS__FN void kecs__json_drop(kecs__text *out, const char *text, kecs__json bracket,
                              bool (*drop)(kecs__json name, kecs__json value, const void *user), const void *user) {
  kecs__json_walk walk = {NULL};
  kecs__json_item at;
  const char *first = NULL; /* the first item, kept or not: what stands before it goes before the first that is kept */
  const char *end = bracket.text + 1;
  bool kept = false;
  kecs__json_between(out, text, end);
  while (kecs__json_next_item(bracket, &walk, &at)) {
    first = first ? first : at.begin;
    if (!drop(at.name, at.value, user)) {
      kecs__json_between(out, kept ? end : bracket.text + 1, kept ? at.begin : first);
      kecs__json_between(out, at.begin, at.end);
      kept = true;
    }
    end = at.end;
  }
  kecs__text_adds(out, end);
}

/* ---- base/time.c ------------------------------------------------------------------------------------------------- */
/* base/time.c -- the calendar, the shapes of a time in text, and the clocks.
 *
 * Integers only. A time is a count of microseconds since 1970-01-01T00:00:00Z on the proleptic Gregorian calendar
 * without leap seconds, as POSIX, SQLite and PostgreSQL count. A second of 60 is refused rather than moved: it is
 * more often a wrong field than a leap second. */

/* ---- base/time.h ------------------------------------------------------------------------------------------------- */
/* base/time.h -- microseconds since 1970 UTC, and the shapes in which the AWS API writes a time. */
#ifndef KECS_BASE_TIME_H
#define KECS_BASE_TIME_H

/* Reads a time from a JSON value:
 * - a number is epoch seconds: integer, decimal or with an exponent, exact from its digits (1479775400.123456).
 * - a string is ISO 8601 with a zone, Z, z, +hh:mm, +hhmm or +hh, and 0 to 9 fractional digits
 *   ("2024-05-01T10:00:00.123456789+02:00", also with t or a blank in place of T). A string of digits is no time: it
 *   could be a date or seconds.
 * - an object is the recorded form {"__class__":"datetime","year":..,"month":..,"day":..,"hour":..,"minute":..,
 *   "second":..,"microsecond":..} in UTC, with no other member; the clock's four may be missing.
 * *exact is false when digits below a microsecond were cut off (they are truncated toward minus infinity). False,
 * with nothing recorded, when it is no time in the years 1 to 9999; a leap second (60) is none.
 * 0 means NULL in the store, so exactly 1970-01-01T00:00:00Z is read as such and *out is 0. */
KECS__FN bool kecs__time_read(kecs__json value, int64_t *out, bool *exact);

/* The same for a plain text, ISO 8601 or epoch seconds spelled as a JSON number: command lines and filters. */
KECS__FN bool kecs__time_parse(const char *text, size_t len, int64_t *out, bool *exact);

/* "2024-05-01T10:00:00Z", with 3 or 6 fractional digits when they are not zero. Needs 28 bytes in the years 0 to
 * 9999; any other int64_t gets ISO's expanded year ("+294247-01-10T04:00:54.775807Z"), which is not read back. */
KECS__FN void kecs__time_iso(int64_t micros, char out[32]);

/* Epoch seconds as the ECS wire form writes them: "1714557600", "1714557600.123", up to 6 digits. A JSON number. */
KECS__FN void kecs__time_epoch(int64_t micros, char out[32]);

/* The clock behind a hook: the system's when the hook is empty or NULL. */
KECS__FN int64_t kecs__clock_now(const kecs_clock *clock);

/* Milliseconds and microseconds of a clock that never goes back: for waiting, never for rows. */
KECS__FN int64_t kecs__monotonic_ms(void);
KECS__FN int64_t kecs__monotonic_us(void);

/* Sleeps at least that long; a signal does not shorten it. At once for 0 and less. */
KECS__FN void kecs__sleep_ms(int64_t ms);
KECS__FN void kecs__sleep_us(int64_t us);

#endif

/* ---- base/time.c, continued -------------------------------------------------------------------------------------- */
#include <errno.h>
#include <string.h>
#include <time.h>

#define KECS__TIME_MICROS INT64_C(1000000)          /* in a second */
#define KECS__TIME_DAY INT64_C(86400)               /* seconds */
#define KECS__TIME_MIN (INT64_C(-62135596800) * KECS__TIME_MICROS)    /* 0001-01-01T00:00:00Z */
#define KECS__TIME_MAX (INT64_C(253402300800) * KECS__TIME_MICROS - 1) /* the end of the year 9999 */

/* ---- calendar ---- */

enum {
  KECS__TIME_YEAR,
  KECS__TIME_MONTH,
  KECS__TIME_MDAY,
  KECS__TIME_HOUR,
  KECS__TIME_MINUTE,
  KECS__TIME_SECOND,
  KECS__TIME_MICRO,
  KECS__TIME_FIELDS
};

/* Days from 1970-01-01 to a date. The year is counted from March, so the leap day is its last day and the months
 * have the lengths 31 30 31 30 31, which (153 * month + 2) / 5 sums up; an era is 400 years (H. Hinnant). */
static int64_t kecs__time_days(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/* The date of a day: the inverse of the above. */
static void kecs__time_date(int64_t days, int64_t fields[KECS__TIME_FIELDS]) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t day_of_era = days - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  fields[KECS__TIME_MDAY] = day_of_year - (153 * month + 2) / 5 + 1;
  fields[KECS__TIME_MONTH] = month < 10 ? month + 3 : month - 9;
  fields[KECS__TIME_YEAR] = year_of_era + era * 400 + (fields[KECS__TIME_MONTH] <= 2);
}

static int64_t kecs__time_month_days(int64_t year, int64_t month) {
  static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

static bool kecs__time_in_range(int64_t micros) {
  return micros >= KECS__TIME_MIN && micros <= KECS__TIME_MAX;
}

/* The time of a date and a clock that is `offset` seconds ahead of UTC. False when a field is outside its range. */
static bool kecs__time_compose(const int64_t fields[KECS__TIME_FIELDS], int64_t offset, int64_t *out) {
  static const int64_t lowest[KECS__TIME_FIELDS] = {1, 1, 1, 0, 0, 0, 0};
  static const int64_t highest[KECS__TIME_FIELDS] = {9999, 12, 31, 23, 59, 59, 999999};
  for (int i = 0; i < KECS__TIME_FIELDS; i++) {
    if (fields[i] < lowest[i] || fields[i] > highest[i]) {
      return false;
    }
  }
  if (fields[KECS__TIME_MDAY] > kecs__time_month_days(fields[KECS__TIME_YEAR], fields[KECS__TIME_MONTH])) {
    return false;
  }
  int64_t days = kecs__time_days(fields[KECS__TIME_YEAR], fields[KECS__TIME_MONTH], fields[KECS__TIME_MDAY]);
  int64_t minutes = fields[KECS__TIME_HOUR] * 60 + fields[KECS__TIME_MINUTE];
  int64_t seconds = days * KECS__TIME_DAY + minutes * 60 + fields[KECS__TIME_SECOND] - offset;
  int64_t micros = seconds * KECS__TIME_MICROS + fields[KECS__TIME_MICRO];
  if (!kecs__time_in_range(micros)) {
    return false; /* the offset has led out of the years 1 to 9999 */
  }
  *out = micros;
  return true;
}

/* ---- reading ---- */

typedef struct kecs__time_cursor {
  const char *at;
  const char *end;
} kecs__time_cursor;

/* Takes exactly `count` digits. */
static bool kecs__time_digits(kecs__time_cursor *cursor, int count, int64_t *out) {
  *out = 0;
  for (int i = 0; i < count; i++) {
    if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9') {
      return false;
    }
    *out = *out * 10 + (*cursor->at - '0');
    cursor->at++;
  }
  return true;
}

/* Takes the next character when it is one of `any`. */
static bool kecs__time_take(kecs__time_cursor *cursor, const char *any) {
  if (cursor->at == cursor->end || *cursor->at == '\0' || !strchr(any, *cursor->at)) {
    return false;
  }
  cursor->at++;
  return true;
}

/* Takes 1 to 9 digits of a fraction; what is smaller than a microsecond only decides whether it was exact. */
static bool kecs__time_fraction(kecs__time_cursor *cursor, int64_t *micro, bool *exact) {
  int count = 0;
  int64_t digit = 0;
  *micro = 0;
  for (; count < 9 && kecs__time_digits(cursor, 1, &digit); count++) {
    if (count < 6) {
      *micro = *micro * 10 + digit;
    } else if (digit != 0) {
      *exact = false;
    }
  }
  for (int i = count; i < 6; i++) {
    *micro *= 10;
  }
  return count > 0;
}

/* Takes Z, +hh:mm, +hhmm or +hh. */
static bool kecs__time_offset(kecs__time_cursor *cursor, int64_t *offset) {
  *offset = 0;
  if (kecs__time_take(cursor, "Zz")) {
    return true;
  }
  bool west = kecs__time_take(cursor, "-");
  int64_t hours = 0;
  int64_t minutes = 0;
  if ((!west && !kecs__time_take(cursor, "+")) || !kecs__time_digits(cursor, 2, &hours)) {
    return false;
  }
  if (kecs__time_take(cursor, ":") || cursor->at < cursor->end) {
    if (!kecs__time_digits(cursor, 2, &minutes)) {
      return false;
    }
  }
  *offset = (hours * 60 + minutes) * (west ? -60 : 60);
  return hours <= 23 && minutes <= 59;
}

static bool kecs__time_read_iso(const char *text, size_t len, int64_t *out, bool *exact) {
  /* What stands before the year, the month and so on; "" is nothing. */
  static const char *const before[] = {"", "-", "-", "Tt ", ":", ":"};
  kecs__time_cursor cursor = {text, text + len};
  int64_t fields[KECS__TIME_FIELDS] = {0};
  int64_t offset = 0;
  *exact = true;
  for (int i = KECS__TIME_YEAR; i <= KECS__TIME_SECOND; i++) {
    if (before[i][0] && !kecs__time_take(&cursor, before[i])) {
      return false;
    }
    if (!kecs__time_digits(&cursor, i == KECS__TIME_YEAR ? 4 : 2, &fields[i])) {
      return false;
    }
  }
  if (kecs__time_take(&cursor, ".") && !kecs__time_fraction(&cursor, &fields[KECS__TIME_MICRO], exact)) {
    return false;
  }
  if (!kecs__time_offset(&cursor, &offset) || cursor.at != cursor.end) {
    return false;
  }
  return kecs__time_compose(fields, offset, out);
}

static bool kecs__time_read_epoch(kecs__json number, int64_t *out, bool *exact) {
  int64_t micros = 0;
  if (!kecs__json_scaled(number, 6, &micros, exact) || !kecs__time_in_range(micros)) {
    return false;
  }
  *out = micros;
  return true;
}

/* The recorded form. A member that we do not know could change the time (a zone, a fold), so it is refused; the
 * clock's fields default to 0, as in the constructor that the form was made for. */
static bool kecs__time_read_recorded(kecs__json object, int64_t *out) {
  static const char *const names[KECS__TIME_FIELDS] = {"year", "month", "day", "hour", "minute", "second",
                                                       "microsecond"};
  int64_t fields[KECS__TIME_FIELDS] = {0};
  bool is_datetime = false;
  unsigned seen = 0;
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  while (kecs__json_next_member(object, &walk, &name, &value)) {
    if (kecs__json_equals(name, "__class__")) {
      is_datetime = kecs__json_equals(value, "datetime");
      continue;
    }
    unsigned i = 0;
    while (i < KECS__TIME_FIELDS && !kecs__json_equals(name, names[i])) {
      i++;
    }
    if (i == KECS__TIME_FIELDS || (seen & 1u << i) || !kecs__json_int64(value, &fields[i])) {
      return false;
    }
    seen |= 1u << i;
  }
  const unsigned date = 1u << KECS__TIME_YEAR | 1u << KECS__TIME_MONTH | 1u << KECS__TIME_MDAY;
  return is_datetime && (seen & date) == date && kecs__time_compose(fields, 0, out);
}

KECS__FN bool kecs__time_read(kecs__json value, int64_t *out, bool *exact) {
  char text[64]; /* the longest form has 35 characters */
  size_t len = 0;
  *exact = true;
  switch (value.type) {
    case KECS__JSON_NUMBER:
      return kecs__time_read_epoch(value, out, exact);
    case KECS__JSON_STRING:
      return kecs__json_string_into(value, text, sizeof text, &len) && kecs__time_read_iso(text, len, out, exact);
    case KECS__JSON_OBJECT:
      return kecs__time_read_recorded(value, out);
    default:
      return false;
  }
}

KECS__FN bool kecs__time_parse(const char *text, size_t len, int64_t *out, bool *exact) {
  kecs__json value = kecs__json_check(text, len, NULL);
  *exact = true;
  if (value.type == KECS__JSON_NUMBER && value.len == len) {
    return kecs__time_read_epoch(value, out, exact);
  }
  return len > 0 && kecs__time_read_iso(text, len, out, exact);
}

/* ---- writing ---- */

/* The digits of a value, filled up with zeros to `width`. Returns the end. */
static char *kecs__time_put(char *at, uint64_t value, int width) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (int i = count; i < width; i++) {
    *at++ = '0';
  }
  while (count > 0) {
    *at++ = digits[--count];
  }
  return at;
}

KECS__FN void kecs__time_iso(int64_t micros, char out[32]) {
  static const char after[KECS__TIME_MICRO] = {'-', '-', 'T', ':', ':', '\0'};
  int64_t fields[KECS__TIME_FIELDS];
  int64_t seconds = micros / KECS__TIME_MICROS - (micros % KECS__TIME_MICROS < 0);
  int64_t days = seconds / KECS__TIME_DAY - (seconds % KECS__TIME_DAY < 0);
  int64_t second_of_day = seconds - days * KECS__TIME_DAY;
  kecs__time_date(days, fields);
  fields[KECS__TIME_HOUR] = second_of_day / 3600;
  fields[KECS__TIME_MINUTE] = second_of_day / 60 % 60;
  fields[KECS__TIME_SECOND] = second_of_day % 60;
  fields[KECS__TIME_MICRO] = (micros % KECS__TIME_MICROS + KECS__TIME_MICROS) % KECS__TIME_MICROS;

  char *at = out;
  bool expanded = fields[KECS__TIME_YEAR] < 0 || fields[KECS__TIME_YEAR] > 9999;
  if (expanded) {
    *at++ = fields[KECS__TIME_YEAR] < 0 ? '-' : '+';
    fields[KECS__TIME_YEAR] *= fields[KECS__TIME_YEAR] < 0 ? -1 : 1;
  }
  for (int i = KECS__TIME_YEAR; i <= KECS__TIME_SECOND; i++) {
    int width = i == KECS__TIME_YEAR ? (expanded ? 6 : 4) : 2;
    at = kecs__time_put(at, (uint64_t)fields[i], width);
    if (after[i]) {
      *at++ = after[i];
    }
  }
  int64_t micro = fields[KECS__TIME_MICRO];
  if (micro != 0) {
    bool whole_millis = micro % 1000 == 0;
    *at++ = '.';
    at = kecs__time_put(at, (uint64_t)(whole_millis ? micro / 1000 : micro), whole_millis ? 3 : 6);
  }
  *at++ = 'Z';
  *at = '\0';
}

KECS__FN void kecs__time_epoch(int64_t micros, char out[32]) {
  char *at = out;
  uint64_t magnitude = micros < 0 ? (uint64_t)0 - (uint64_t)micros : (uint64_t)micros;
  if (micros < 0) {
    *at++ = '-';
  }
  at = kecs__time_put(at, magnitude / (uint64_t)KECS__TIME_MICROS, 1);
  uint64_t micro = magnitude % (uint64_t)KECS__TIME_MICROS;
  if (micro != 0) {
    *at++ = '.';
    at = kecs__time_put(at, micro, 6);
    while (at[-1] == '0') {
      at--;
    }
  }
  *at = '\0';
}

/* ---- clocks ---- */

KECS__FN int64_t kecs__clock_now(const kecs_clock *clock) {
  if (clock && clock->now) {
    return clock->now(clock->user);
  }
  struct timespec now = {0, 0};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * KECS__TIME_MICROS + (int64_t)now.tv_nsec / 1000;
}

KECS__FN int64_t kecs__monotonic_us(void) {
  struct timespec now = {0, 0};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + (int64_t)now.tv_nsec / 1000;
}

KECS__FN int64_t kecs__monotonic_ms(void) {
  return kecs__monotonic_us() / 1000;
}

KECS__FN void kecs__sleep_us(int64_t us) {
  if (us <= 0) {
    return;
  }
  int64_t seconds = us / 1000000;
  struct timespec left = {0, 0};
  left.tv_sec = (time_t)(seconds < INT32_MAX ? seconds : INT32_MAX); /* a time_t may have 32 bits */
  left.tv_nsec = (long)(us % 1000000) * 1000;
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    continue; /* a signal is no reason to wake up early */
  }
}

KECS__FN void kecs__sleep_ms(int64_t ms) {
  kecs__sleep_us(ms > INT64_MAX / 1000 ? INT64_MAX : ms * 1000);
}

#undef KECS__TIME_MICROS
#undef KECS__TIME_DAY
#undef KECS__TIME_MIN
#undef KECS__TIME_MAX

/* ---- base/id.c --------------------------------------------------------------------------------------------------- */
/* base/id.c -- random bytes from the hook or the operating system, and their two spellings. */

/* ---- base/id.h --------------------------------------------------------------------------------------------------- */
/* base/id.h -- random identifiers: UUID text, hex text. */
#ifndef KECS_BASE_ID_H
#define KECS_BASE_ID_H

/* Random bytes from the hook, or from the operating system when the hook is empty or NULL: getentropy where there is
 * one, else /dev/urandom. KECS_E_IO when there are none. */
KECS__FN kecs_status kecs__random_fill(const kecs_random *random, void *bytes, size_t size);

/* A random UUID (version 4) such as "9b2f6f0e-5d0e-4c0a-8f0e-3c2f8f1b7c11"; "" on failure. */
KECS__FN kecs_status kecs__uuid(const kecs_random *random, char out[37]);

/* `digits` lower-case hexadecimal digits and a terminator; digits is even and at most 64. "" on failure. */
KECS__FN kecs_status kecs__random_hex(const kecs_random *random, char *out, size_t digits);

#endif

/* ---- base/id.c, continued ---------------------------------------------------------------------------------------- */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* getentropy came to glibc and musl together with <sys/random.h>. Android declares it there only from API 28. */
#if defined(__has_include) && !defined(__ANDROID__)
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#define KECS__ID_GETENTROPY 1
#endif
#endif

#define KECS__ID_ENTROPY_MAX ((size_t)256) /* what one getentropy call gives at most */
#define KECS__ID_DIGITS_MAX ((size_t)64)

static const char kecs__id_hex[] = "0123456789abcdef";

/* False when the system call is missing or forbidden; the device is then the second try. */
static bool kecs__id_from_kernel(unsigned char *bytes, size_t size) {
#if defined(KECS__ID_GETENTROPY)
  while (size > 0) {
    size_t piece = size < KECS__ID_ENTROPY_MAX ? size : KECS__ID_ENTROPY_MAX;
    if (getentropy(bytes, piece) != 0) {
      return false;
    }
    bytes += piece;
    size -= piece;
  }
  return true;
#else
  (void)bytes;
  return size == 0;
#endif
}

static bool kecs__id_from_device(unsigned char *bytes, size_t size) {
  int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return false;
  }
  while (size > 0) {
    ssize_t count = read(file, bytes, size);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      break;
    }
    bytes += count;
    size -= (size_t)count;
  }
  (void)close(file);
  return size == 0;
}

KECS__FN kecs_status kecs__random_fill(const kecs_random *random, void *bytes, size_t size) {
  if (size == 0) {
    return KECS_OK;
  }
  if (random && random->fill) {
    if (!random->fill(bytes, size, random->user)) {
      return kecs__fail(KECS_E_IO, "options.random: the function gave no random bytes");
    }
    return KECS_OK;
  }
  if (!kecs__id_from_kernel(bytes, size) && !kecs__id_from_device(bytes, size)) {
    return kecs__fail(KECS_E_IO, "the operating system gave no random bytes; is /dev/urandom readable?");
  }
  return KECS_OK;
}

static char *kecs__id_put(char *at, const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    *at++ = kecs__id_hex[bytes[i] >> 4];
    *at++ = kecs__id_hex[bytes[i] & 15];
  }
  return at;
}

KECS__FN kecs_status kecs__uuid(const kecs_random *random, char out[37]) {
  static const unsigned char groups[] = {4, 2, 2, 2, 6};
  unsigned char bytes[16];
  out[0] = '\0';
  kecs_status status = kecs__random_fill(random, bytes, sizeof bytes);
  if (status) {
    return status;
  }
  bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40); /* version 4: random */
  bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80); /* the variant of RFC 9562 */
  const unsigned char *from = bytes;
  for (size_t i = 0; i < sizeof groups; i++) {
    if (i > 0) {
      *out++ = '-';
    }
    out = kecs__id_put(out, from, groups[i]);
    from += groups[i];
  }
  *out = '\0';
  return KECS_OK;
}

KECS__FN kecs_status kecs__random_hex(const kecs_random *random, char *out, size_t digits) {
  unsigned char bytes[KECS__ID_DIGITS_MAX / 2];
  out[0] = '\0';
  if (digits % 2 != 0 || digits > KECS__ID_DIGITS_MAX) {
    return kecs__fail(KECS_E_MISUSE, "random text has an even number of digits, at most %zu", KECS__ID_DIGITS_MAX);
  }
  kecs_status status = kecs__random_fill(random, bytes, digits / 2);
  if (status) {
    return status;
  }
  out = kecs__id_put(out, bytes, digits / 2);
  *out = '\0';
  return KECS_OK;
}

#undef KECS__ID_GETENTROPY
#undef KECS__ID_ENTROPY_MAX
#undef KECS__ID_DIGITS_MAX

/* ---- kinds/describe.c -------------------------------------------------------------------------------------------- */
/* kinds/describe.c -- the rows of the kind files as constant tables, and the compiler's proof that the structs in the
 * public header are what the rows say. */

/* ---- kinds/kinds.h ----------------------------------------------------------------------------------------------- */
/* kinds/kinds.h -- the registry of kinds. X(number, name, UPPER, "table", flags)
 *
 * The order is load order: parents come before children. Numbers are on the wire and in page tokens: never reused,
 * never renumbered. Flags: APPEND (rows are never updated), PLAIN (neither version nor updated_at), 0. */
#ifndef KECS_KINDS_KINDS_H
#define KECS_KINDS_KINDS_H

/* ---- kinds/cluster.h --------------------------------------------------------------------------------------------- */
/* kind: cluster -- a named group that services, tasks and container instances live in. */
#ifndef KECS_KINDS_CLUSTER_H
#define KECS_KINDS_CLUSTER_H

/* ---- kinds/shared.h ---------------------------------------------------------------------------------------------- */
/* kinds/shared.h -- what a row of a kind file may say, and the columns that many kinds share.
 *
 * A kind file declares columns as rows  X(K, name, TYPE, GROUP, FLAGS, DEFAULT, "json", "meaning").  Each row is one
 * line of source, read twice: by the compiler (descriptors) and by amalgamate.py (the public struct).
 *
 *   TYPE   TEXT  UTF-8                        JSON  a document, kept byte for byte
 *          INT   64-bit number                OPTI  a number or NULL (kecs_opt_int)
 *          BOOL  true or false                TIME  microseconds since 1970 UTC, 0 is NULL
 *          RANK  as INT; in JSON a decimal string, or "default" for KECS_RANK_DEFAULT
 *   GROUP  KEY     identity: set by create, never changed        SPEC    what is wanted
 *          STATUS  what is observed                              LOCAL   derived or counted here, never synced
 *   FLAGS  0 or a sum of
 *          NN      NOT NULL: what create is not given takes DEFAULT; without a default it is required
 *          SERVER  the store fills it when it is empty, and documents always show it
 *          AUTO    the store alone writes it (version, updated_at ...)
 *          SINCE(n) the schema version that brought the column; 1 when it is not said
 *   DEFAULT  NONE, or text as it stands in the column ("ACTIVE", "0", "")
 *   json   the member of the AWS document; "a|b" also reads b; "State.Code" is a member of a member; members
 *          under "kecs." are ours and shown only on request; "" is no member
 *
 * The position of a row is its number for ever: on the wire, in masks and in `omitted`. Append at the end, never
 * reorder, never remove. At most 64 columns. */
#ifndef KECS_KINDS_SHARED_H
#define KECS_KINDS_SHARED_H

/* Where a resource lives, and what keeps its document whole. */
#define KECS_KEPT_COLUMNS(X, K) \
  X(K, region, TEXT, KEY, NN | SERVER, "", "kecs.region", "AWS region; from the ARN or the store's options when empty.") \
  X(K, account_id, TEXT, KEY, NN | SERVER, "", "kecs.accountId", "12-digit account; from the ARN or the store's options when empty.") \
  X(K, extra, JSON, SPEC, 0, NONE, "", "JSON object of the document's members that no column holds exactly; NULL when there are none.") \
  X(K, omitted, INT, LOCAL, NN | AUTO, "0", "", "Bit n set: the document left column n out and it still has its default, so documents leave it out too.")

/* What keeps a document whole, for kinds that live in no region or account. The same rows as the last two above. */
#define KECS_DOCUMENT_COLUMNS(X, K) \
  X(K, extra, JSON, SPEC, 0, NONE, "", "JSON object of the document's members that no column holds exactly; NULL when there are none.") \
  X(K, omitted, INT, LOCAL, NN | AUTO, "0", "", "Bit n set: the document left column n out and it still has its default, so documents leave it out too.")

#endif

/* ---- kinds/cluster.h, continued ---------------------------------------------------------------------------------- */
#define KECS_CLUSTER_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "clusterArn", "arn:aws:ecs:REGION:ACCOUNT:cluster/NAME; made from the name when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty.") \
  X(K, name, TEXT, KEY, NN, NONE, "clusterName", "Name, unique in (account, region): 1 to 255 letters, digits, - and _ (AWS CreateCluster).") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "ACTIVE, INACTIVE, PROVISIONING, DEPROVISIONING or FAILED; free text.") \
  X(K, registered_container_instances_count, INT, LOCAL, NN, "0", "registeredContainerInstancesCount", "Container instances registered; a plain counter, the caller keeps it.") \
  X(K, running_tasks_count, INT, LOCAL, NN, "0", "runningTasksCount", "Tasks that run; a plain counter.") \
  X(K, pending_tasks_count, INT, LOCAL, NN, "0", "pendingTasksCount", "Tasks that wait; a plain counter.") \
  X(K, active_services_count, INT, LOCAL, NN, "0", "activeServicesCount", "Services that are ACTIVE; a plain counter.") \
  X(K, capacity_providers, JSON, SPEC, 0, NONE, "capacityProviders", "Array of capacity provider names.") \
  X(K, default_capacity_provider_strategy, JSON, SPEC, 0, NONE, "defaultCapacityProviderStrategy", "Array of {capacityProvider, weight, base}.") \
  X(K, settings, JSON, SPEC, 0, NONE, "settings", "Array of {name, value}, such as containerInsights.") \
  X(K, configuration, JSON, SPEC, 0, NONE, "configuration", "Execute-command and storage configuration.") \
  X(K, service_connect_defaults, JSON, SPEC, 0, NONE, "serviceConnectDefaults", "Default Service Connect namespace.") \
  X(K, statistics, JSON, STATUS, 0, NONE, "statistics", "Array of {name, value} counters by launch type.") \
  X(K, attachments, JSON, STATUS, 0, NONE, "attachments", "Array of the cluster's attachments.") \
  X(K, attachments_status, TEXT, STATUS, 0, NONE, "attachmentsStatus", "State of the attachments.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, k8s_cluster_name, TEXT, LOCAL, 0, NONE, "kecs.k8sClusterName", "Kubernetes cluster that carries this one.") \
  X(K, localstack_state, JSON, LOCAL, 0, NONE, "kecs.localstackState", "State of an emulator deployed beside the cluster; opaque.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When the row was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

/* Unique keys; the first one is the natural key. X(K, name, condition, columns...) */
#define KECS_CLUSTER_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id) \
  X(K, name, ALWAYS, account_id, region, name)

/* X(K, column, parent kind, parent's column, what happens when the parent goes) */
#define KECS_CLUSTER_REFS(X, K)

/* Indexes that no key gives. TIME columns are kept newest first. X(K, name, condition, columns...) */
#define KECS_CLUSTER_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, status, ALWAYS, status)

/* Order of a list; TIME columns newest first; ties are broken by the natural key. X(K, columns...) */
#define KECS_CLUSTER_ORDER(X, K) X(K, created_at)

/* What a row is addressed by besides its ARN. X(K, argument names and columns...) */
#define KECS_CLUSTER_ADDRESS(X, K) X(K, name)

#endif

/* ---- kinds/task_definition.h ------------------------------------------------------------------------------------- */
/* kind: task_definition -- one revision of a family: the containers that a task runs. */
#ifndef KECS_KINDS_TASK_DEFINITION_H
#define KECS_KINDS_TASK_DEFINITION_H

#define KECS_TASK_DEFINITION_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "taskDefinitionArn", "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty.") \
  X(K, family, TEXT, KEY, NN, NONE, "family", "Name that all revisions share.") \
  X(K, revision, INT, KEY, NN | SERVER, NONE, "revision", "1, 2, 3 ... within the family; allocated by register, never given twice.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "ACTIVE, INACTIVE or DELETE_IN_PROGRESS; free text.") \
  X(K, task_role_arn, TEXT, SPEC, 0, NONE, "taskRoleArn", "Role that the containers act as.") \
  X(K, execution_role_arn, TEXT, SPEC, 0, NONE, "executionRoleArn", "Role that the agent acts as.") \
  X(K, network_mode, TEXT, SPEC, NN, "bridge", "networkMode", "none, bridge, awsvpc or host.") \
  X(K, container_definitions, JSON, SPEC, NN, NONE, "containerDefinitions", "Array of container definitions; kept byte for byte.") \
  X(K, volumes, JSON, SPEC, 0, NONE, "volumes", "Array of volumes.") \
  X(K, placement_constraints, JSON, SPEC, 0, NONE, "placementConstraints", "Array of {type, expression}.") \
  X(K, requires_compatibilities, JSON, SPEC, 0, NONE, "requiresCompatibilities", "Array: EC2, FARGATE, EXTERNAL.") \
  X(K, compatibilities, JSON, STATUS, 0, NONE, "compatibilities", "Array of launch types found to fit.") \
  X(K, cpu, TEXT, SPEC, 0, NONE, "cpu", "CPU units (\"256\") or vCPUs (\".25 vCPU\"), as given.") \
  X(K, memory, TEXT, SPEC, 0, NONE, "memory", "MiB (\"512\") or GB (\"0.5 GB\"), as given.") \
  X(K, pid_mode, TEXT, SPEC, 0, NONE, "pidMode", "host or task.") \
  X(K, ipc_mode, TEXT, SPEC, 0, NONE, "ipcMode", "host, task or none.") \
  X(K, proxy_configuration, JSON, SPEC, 0, NONE, "proxyConfiguration", "App Mesh proxy.") \
  X(K, inference_accelerators, JSON, SPEC, 0, NONE, "inferenceAccelerators", "Array of {deviceName, deviceType}.") \
  X(K, runtime_platform, JSON, SPEC, 0, NONE, "runtimePlatform", "{cpuArchitecture, operatingSystemFamily}.") \
  X(K, ephemeral_storage, JSON, SPEC, 0, NONE, "ephemeralStorage", "{sizeInGiB}.") \
  X(K, requires_attributes, JSON, STATUS, 0, NONE, "requiresAttributes", "Array of attributes that an instance must have.") \
  X(K, enable_fault_injection, BOOL, SPEC, NN, "0", "enableFaultInjection", "Whether fault injection is allowed.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, registered_at, TIME, KEY, NN | SERVER, NONE, "registeredAt", "When it was registered; now when 0.") \
  X(K, registered_by, TEXT, KEY, 0, NONE, "registeredBy", "Who registered it.") \
  X(K, deregistered_at, TIME, STATUS, 0, NONE, "deregisteredAt", "When it was first deregistered.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TASK_DEFINITION_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id) \
  X(K, revision, ALWAYS, account_id, region, family, revision)

#define KECS_TASK_DEFINITION_REFS(X, K)

#define KECS_TASK_DEFINITION_INDEXES(X, K) \
  X(K, newest, ALWAYS, registered_at, arn) \
  X(K, status, ALWAYS, account_id, region, family, status, revision)

#define KECS_TASK_DEFINITION_ORDER(X, K) X(K, registered_at)
#define KECS_TASK_DEFINITION_ADDRESS(X, K) X(K, family)

#endif

/* ---- kinds/service.h --------------------------------------------------------------------------------------------- */
/* kind: service -- keeps a wanted number of tasks of one definition running in a cluster. */
#ifndef KECS_KINDS_SERVICE_H
#define KECS_KINDS_SERVICE_H

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

/* ---- kinds/task.h ------------------------------------------------------------------------------------------------ */
/* kind: task -- one running or stopped copy of a task definition. */
#ifndef KECS_KINDS_TASK_H
#define KECS_KINDS_TASK_H

#define KECS_TASK_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "taskArn", "arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id: the ARN's last part, or 32 random hex digits.") \
  X(K, cluster_arn, TEXT, KEY, NN, NONE, "clusterArn|cluster", "Cluster that owns the task; a bare name is taken too.") \
  X(K, task_definition_arn, TEXT, KEY, NN, "", "taskDefinitionArn|taskDefinition", "Definition it was started from; need not be in the store.") \
  X(K, service_arn, TEXT, SPEC, 0, NONE, "kecs.serviceArn", "Service that owns it; NULL for a task of its own, or once the service is deleted.") \
  X(K, container_instance_arn, TEXT, STATUS, 0, NONE, "containerInstanceArn", "Container instance that it runs on.") \
  X(K, containers, JSON, STATUS, NN, "", "containers", "Array of container states.") \
  X(K, last_status, TEXT, STATUS, NN | SERVER, "PROVISIONING", "lastStatus", "Last status seen: PROVISIONING ... RUNNING ... STOPPED; free text.") \
  X(K, desired_status, TEXT, SPEC, NN | SERVER, "RUNNING", "desiredStatus", "Status wanted: RUNNING or STOPPED; free text.") \
  X(K, cpu, TEXT, SPEC, 0, NONE, "cpu", "CPU units.") \
  X(K, memory, TEXT, SPEC, 0, NONE, "memory", "MiB.") \
  X(K, launch_type, TEXT, SPEC, NN, "", "launchType", "EC2, FARGATE, EXTERNAL or empty.") \
  X(K, capacity_provider_name, TEXT, SPEC, 0, NONE, "capacityProviderName", "Capacity provider that it uses.") \
  X(K, platform_version, TEXT, SPEC, 0, NONE, "platformVersion", "Fargate platform version.") \
  X(K, platform_family, TEXT, SPEC, 0, NONE, "platformFamily", "Operating system family.") \
  X(K, availability_zone, TEXT, STATUS, 0, NONE, "availabilityZone", "Zone that it runs in.") \
  X(K, task_group, TEXT, SPEC, 0, NONE, "group", "\"service:NAME\" or \"family:NAME\".") \
  X(K, started_by, TEXT, SPEC, 0, NONE, "startedBy", "Who asked for it.") \
  X(K, started_at, TIME, STATUS, 0, NONE, "startedAt", "When it reached RUNNING.") \
  X(K, stopping_at, TIME, STATUS, 0, NONE, "stoppingAt", "When stopping began.") \
  X(K, stopped_at, TIME, STATUS, 0, NONE, "stoppedAt", "When it stopped.") \
  X(K, stop_code, TEXT, STATUS, 0, NONE, "stopCode", "Why it stopped, as a code.") \
  X(K, stopped_reason, TEXT, STATUS, 0, NONE, "stoppedReason", "Why it stopped, in words.") \
  X(K, connectivity, TEXT, STATUS, 0, NONE, "connectivity", "CONNECTED or DISCONNECTED.") \
  X(K, connectivity_at, TIME, STATUS, 0, NONE, "connectivityAt", "When connectivity last changed.") \
  X(K, pull_started_at, TIME, STATUS, 0, NONE, "pullStartedAt", "When the image pull began.") \
  X(K, pull_stopped_at, TIME, STATUS, 0, NONE, "pullStoppedAt", "When the image pull ended.") \
  X(K, execution_stopped_at, TIME, STATUS, 0, NONE, "executionStoppedAt", "When the containers ended.") \
  X(K, health_status, TEXT, STATUS, 0, NONE, "healthStatus", "HEALTHY, UNHEALTHY or UNKNOWN.") \
  X(K, overrides, JSON, SPEC, 0, NONE, "overrides", "Container overrides as given.") \
  X(K, attachments, JSON, STATUS, 0, NONE, "attachments", "Array of network interfaces and volumes.") \
  X(K, attributes, JSON, STATUS, 0, NONE, "attributes", "Array of {name, value}.") \
  X(K, inference_accelerators, JSON, SPEC, 0, NONE, "inferenceAccelerators", "Array of {deviceName, deviceType}.") \
  X(K, ephemeral_storage, JSON, SPEC, 0, NONE, "ephemeralStorage", "{sizeInGiB}.") \
  X(K, service_registries, JSON, STATUS, 0, NONE, "kecs.serviceRegistries", "Service discovery registrations.") \
  X(K, enable_execute_command, BOOL, SPEC, NN, "0", "enableExecuteCommand", "Whether exec is allowed.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, pod_name, TEXT, LOCAL, 0, NONE, "kecs.podName", "Kubernetes pod that carries the task; unique with its namespace.") \
  X(K, k8s_namespace, TEXT, LOCAL, 0, NONE, "kecs.namespace", "Kubernetes namespace of the pod.") \
  X(K, family, TEXT, LOCAL, NN | AUTO, "", "", "Family of the task definition, taken from its reference.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TASK_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id) \
  X(K, pod, WHEN_SET, k8s_namespace, pod_name)

#define KECS_TASK_REFS(X, K) \
  X(K, cluster_arn, cluster, arn, CASCADE) \
  X(K, service_arn, service, arn, SET_NULL)

#define KECS_TASK_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, cluster, ALWAYS, cluster_arn, created_at, arn) \
  X(K, service, WHEN_SET, service_arn, created_at) \
  X(K, instance, WHEN_SET, container_instance_arn, created_at) \
  X(K, last_status, ALWAYS, last_status, created_at, stopped_at) \
  X(K, stopped, WHEN_SET, stopped_at) \
  X(K, desired_status, ALWAYS, desired_status, created_at) \
  X(K, started_by, WHEN_SET, started_by, created_at) \
  X(K, task_group, WHEN_SET, task_group, created_at) \
  X(K, family, ALWAYS, family, created_at)

#define KECS_TASK_ORDER(X, K) X(K, created_at)
#define KECS_TASK_ADDRESS(X, K) X(K, cluster_arn, id)

#endif

/* ---- kinds/task_set.h -------------------------------------------------------------------------------------------- */
/* kind: task_set -- one of the sets of tasks that a service with an external deployment runs side by side. */
#ifndef KECS_KINDS_TASK_SET_H
#define KECS_KINDS_TASK_SET_H

#define KECS_TASK_SET_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "taskSetArn", "arn:aws:ecs:REGION:ACCOUNT:task-set/CLUSTER/SERVICE/ID; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "id", "Id, unique within the service, such as ecs-svc/4201323268728819917; made when empty.") \
  X(K, service_arn, TEXT, KEY, NN, NONE, "serviceArn|service", "Service that the set belongs to; the set outlives it until orphans are deleted.") \
  X(K, cluster_arn, TEXT, KEY, NN, NONE, "clusterArn|cluster", "Cluster of the service; a bare name is taken too.") \
  X(K, external_id, TEXT, SPEC, 0, NONE, "externalId", "Id that the external deployment controller gave, such as a CodeDeploy deployment.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "PRIMARY, ACTIVE or DRAINING; free text. At most one set of a service is made PRIMARY.") \
  X(K, task_definition, TEXT, SPEC, NN, "", "taskDefinition", "ARN, family:revision or family, exactly as given.") \
  X(K, launch_type, TEXT, SPEC, 0, NONE, "launchType", "EC2, FARGATE or EXTERNAL.") \
  X(K, platform_version, TEXT, SPEC, 0, NONE, "platformVersion", "Fargate platform version, such as LATEST.") \
  X(K, platform_family, TEXT, SPEC, 0, NONE, "platformFamily", "Operating system family.") \
  X(K, scale, JSON, SPEC, NN | SERVER, "{\"value\":100.0,\"unit\":\"PERCENT\"}", "scale", "{value, unit}: percent of the service's desired count that the set runs.") \
  X(K, network_configuration, JSON, SPEC, 0, NONE, "networkConfiguration", "awsvpc subnets, groups, public address.") \
  X(K, load_balancers, JSON, SPEC, 0, NONE, "loadBalancers", "Array of {targetGroupArn, containerName, containerPort}.") \
  X(K, service_registries, JSON, SPEC, 0, NONE, "serviceRegistries", "Array of {registryArn, ...}.") \
  X(K, capacity_provider_strategy, JSON, SPEC, 0, NONE, "capacityProviderStrategy", "Array of {capacityProvider, weight, base}.") \
  X(K, fargate_ephemeral_storage, JSON, SPEC, 0, NONE, "fargateEphemeralStorage", "Storage settings for Fargate tasks: {kmsKeyId}.") \
  X(K, computed_desired_count, INT, STATUS, NN, "0", "computedDesiredCount", "Tasks wanted: the service's desired count times the scale, rounded up (AWS TaskSet).") \
  X(K, pending_count, INT, STATUS, NN, "0", "pendingCount", "Tasks that wait.") \
  X(K, running_count, INT, STATUS, NN, "0", "runningCount", "Tasks that run.") \
  X(K, stability_status, TEXT, STATUS, 0, NONE, "stabilityStatus", "STEADY_STATE or STABILIZING; free text.") \
  X(K, stability_status_at, TIME, STATUS, 0, NONE, "stabilityStatusAt", "When stability was last determined.") \
  X(K, started_by, TEXT, SPEC, 0, NONE, "startedBy", "Who asked for it: CODE_DEPLOY or another controller.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_TASK_SET_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, service_arn, id)

#define KECS_TASK_SET_REFS(X, K)

#define KECS_TASK_SET_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, arn) \
  X(K, service, ALWAYS, service_arn, created_at, arn) \
  X(K, cluster, ALWAYS, cluster_arn)

#define KECS_TASK_SET_ORDER(X, K) X(K, created_at)
#define KECS_TASK_SET_ADDRESS(X, K) X(K, service_arn, id)

#endif

/* ---- kinds/container_instance.h ---------------------------------------------------------------------------------- */
/* kind: container_instance -- a machine that is registered in a cluster and runs its tasks. */
#ifndef KECS_KINDS_CONTAINER_INSTANCE_H
#define KECS_KINDS_CONTAINER_INSTANCE_H

#define KECS_CONTAINER_INSTANCE_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "containerInstanceArn", "arn:aws:ecs:REGION:ACCOUNT:container-instance/CLUSTER/ID; made when empty.") \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id: the ARN's last part, or 32 random hex digits.") \
  X(K, cluster_arn, TEXT, KEY, NN | SERVER, NONE, "kecs.clusterArn|clusterArn|cluster", "Cluster that it is registered in; a bare name is taken too. From the ARN when empty: AWS documents do not show it.") \
  X(K, ec2_instance_id, TEXT, KEY, 0, NONE, "ec2InstanceId", "EC2 instance (i-...) or external instance (mi-...) that it is.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "ACTIVE", "status", "ACTIVE, DRAINING, REGISTERING, DEREGISTERING, REGISTRATION_FAILED or INACTIVE; free text.") \
  X(K, status_reason, TEXT, STATUS, 0, NONE, "statusReason", "Why it has this status, in words.") \
  X(K, agent_connected, BOOL, STATUS, NN, "0", "agentConnected", "Whether the agent is connected.") \
  X(K, agent_update_status, TEXT, STATUS, 0, NONE, "agentUpdateStatus", "PENDING, STAGING, STAGED, UPDATING, UPDATED or FAILED.") \
  X(K, running_tasks_count, INT, STATUS, NN, "0", "runningTasksCount", "Tasks that run on it; a plain counter, the caller keeps it.") \
  X(K, pending_tasks_count, INT, STATUS, NN, "0", "pendingTasksCount", "Tasks that wait on it; a plain counter.") \
  X(K, version_info, JSON, STATUS, 0, NONE, "versionInfo", "{agentVersion, agentHash, dockerVersion}.") \
  X(K, registered_resources, JSON, STATUS, 0, NONE, "registeredResources|totalResources", "Array of resources that it has for tasks.") \
  X(K, remaining_resources, JSON, STATUS, 0, NONE, "remainingResources", "Array of resources that no task holds.") \
  X(K, attributes, JSON, SPEC, 0, NONE, "attributes", "Array of {name, value}.") \
  X(K, attachments, JSON, STATUS, 0, NONE, "attachments", "Array of network interfaces.") \
  X(K, capacity_provider_name, TEXT, SPEC, 0, NONE, "capacityProviderName", "Capacity provider that it belongs to.") \
  X(K, health_status, JSON, STATUS, 0, NONE, "healthStatus", "{overallStatus, details}.") \
  X(K, tags, JSON, SPEC, 0, NONE, "tags", "Array of {key, value}; kept byte for byte, and in step with the kind tag.") \
  X(K, registered_at, TIME, KEY, NN | SERVER, NONE, "registeredAt", "When it was registered; now when 0.") \
  X(K, deregistered_at, TIME, STATUS, 0, NONE, "kecs.deregisteredAt", "When it was first deregistered.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_CONTAINER_INSTANCE_KEYS(X, K) \
  X(K, arn, ALWAYS, arn) \
  X(K, id, ALWAYS, id)

#define KECS_CONTAINER_INSTANCE_REFS(X, K) \
  X(K, cluster_arn, cluster, arn, CASCADE)

#define KECS_CONTAINER_INSTANCE_INDEXES(X, K) \
  X(K, newest, ALWAYS, registered_at, arn) \
  X(K, cluster, ALWAYS, cluster_arn, registered_at, arn) \
  X(K, status, ALWAYS, status, cluster_arn) \
  X(K, ec2_instance, WHEN_SET, ec2_instance_id)

#define KECS_CONTAINER_INSTANCE_ORDER(X, K) X(K, registered_at)
#define KECS_CONTAINER_INSTANCE_ADDRESS(X, K) X(K, cluster_arn, id)

#endif

/* ---- kinds/attribute.h ------------------------------------------------------------------------------------------- */
/* kind: attribute -- a name and value put on a container instance, for placement to match. */
#ifndef KECS_KINDS_ATTRIBUTE_H
#define KECS_KINDS_ATTRIBUTE_H

#define KECS_ATTRIBUTE_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "kecs.id", "Unique id; a random UUID when empty.") \
  X(K, name, TEXT, KEY, NN, NONE, "name", "Name, such as stack; 1 to 128 letters, digits and - _ . / (AWS Attribute).") \
  X(K, value, TEXT, SPEC, 0, NONE, "value", "Value; NULL for an attribute that is only a name.") \
  X(K, target_type, TEXT, KEY, NN, "container-instance", "targetType", "What kind of thing it is on; AWS knows container-instance only.") \
  X(K, target_id, TEXT, KEY, NN, NONE, "targetId", "Id or ARN of what it is on, as the caller stores it.") \
  X(K, cluster, TEXT, KEY, NN, "", "cluster", "Cluster, a name or an ARN, as the caller stores it.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_KEPT_COLUMNS(X, K)

#define KECS_ATTRIBUTE_KEYS(X, K) \
  X(K, natural, ALWAYS, cluster, target_type, target_id, name) \
  X(K, id, ALWAYS, id)

#define KECS_ATTRIBUTE_REFS(X, K)

#define KECS_ATTRIBUTE_INDEXES(X, K) \
  X(K, ordered, ALWAYS, name, target_id, cluster, target_type) \
  X(K, cluster, ALWAYS, cluster, name, target_id, target_type)

#define KECS_ATTRIBUTE_ORDER(X, K) X(K, name, target_id)
#define KECS_ATTRIBUTE_ADDRESS(X, K) X(K, cluster, target_type, target_id, name)

#endif

/* ---- kinds/account_setting.h ------------------------------------------------------------------------------------- */
/* kind: account_setting -- an ECS account setting of one principal, or the default for all. */
#ifndef KECS_KINDS_ACCOUNT_SETTING_H
#define KECS_KINDS_ACCOUNT_SETTING_H

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

/* ---- kinds/task_log.h -------------------------------------------------------------------------------------------- */
/* kind: task_log -- one line that a container wrote; kept when its task is gone. */
#ifndef KECS_KINDS_TASK_LOG_H
#define KECS_KINDS_TASK_LOG_H

#define KECS_TASK_LOG_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "id", "Unique id; a random UUID when empty.") \
  X(K, task_arn, TEXT, KEY, NN, NONE, "taskArn", "Task that wrote it; need not be in the store.") \
  X(K, container_name, TEXT, KEY, NN, NONE, "containerName", "Container of the task.") \
  X(K, timestamp, TIME, KEY, NN | SERVER, NONE, "timestamp", "When it was written; now when 0.") \
  X(K, log_line, TEXT, KEY, NN, "", "logLine", "The line, as the container wrote it.") \
  X(K, log_level, TEXT, KEY, 0, NONE, "logLevel", "Level, such as INFO or ERROR, when one is known; free text.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was stored; now when 0. Retention goes by it.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_TASK_LOG_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_TASK_LOG_REFS(X, K)

#define KECS_TASK_LOG_INDEXES(X, K) \
  X(K, task, ALWAYS, task_arn, timestamp, id) \
  X(K, newest, ALWAYS, timestamp, id) \
  X(K, retention, ALWAYS, created_at)

#define KECS_TASK_LOG_ORDER(X, K) X(K, timestamp)
#define KECS_TASK_LOG_ADDRESS(X, K) X(K, id)

#endif

/* ---- kinds/load_balancer.h --------------------------------------------------------------------------------------- */
/* kind: load_balancer -- an ELBv2 load balancer: application, network or gateway. */
#ifndef KECS_KINDS_LOAD_BALANCER_H
#define KECS_KINDS_LOAD_BALANCER_H

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

/* ---- kinds/target_group.h ---------------------------------------------------------------------------------------- */
/* kind: target_group -- the ELBv2 targets that a listener forwards to, and how their health is checked.
 *
 * The defaults of the numbers are those of the KECS API. AWS's own differ by protocol and target type, so a group that
 * came without one keeps the default in the row and its document stays without it. */
#ifndef KECS_KINDS_TARGET_GROUP_H
#define KECS_KINDS_TARGET_GROUP_H

#define KECS_TARGET_GROUP_COLUMNS(X, K) \
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "TargetGroupArn", "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID; made when empty.") \
  X(K, name, TEXT, KEY, NN, NONE, "TargetGroupName|Name", "Name, unique in (account, region): 1 to 32 letters, digits and - (AWS CreateTargetGroup).") \
  X(K, protocol, TEXT, SPEC, NN, "HTTP", "Protocol", "HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE ...; AWS has none for lambda.") \
  X(K, protocol_version, TEXT, SPEC, 0, NONE, "ProtocolVersion", "HTTP1, HTTP2 or GRPC.") \
  X(K, port, INT, SPEC, NN, "80", "Port", "Port of targets that name none, 1 to 65535; AWS has none for lambda.") \
  X(K, target_type, TEXT, SPEC, NN, "instance", "TargetType", "instance, ip, lambda or alb.") \
  X(K, vpc_id, TEXT, SPEC, 0, NONE, "VpcId", "Network of the targets; AWS has none for lambda.") \
  X(K, ip_address_type, TEXT, SPEC, 0, NONE, "IpAddressType", "ipv4 or ipv6.") \
  X(K, health_check_enabled, BOOL, SPEC, NN, "1", "HealthCheckEnabled", "Whether health is checked.") \
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

/* ---- kinds/listener.h -------------------------------------------------------------------------------------------- */
/* kind: listener -- an ELBv2 listener: the port on which a load balancer takes connections. */
#ifndef KECS_KINDS_LISTENER_H
#define KECS_KINDS_LISTENER_H

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

/* ---- kinds/rule.h ------------------------------------------------------------------------------------------------ */
/* kind: rule -- an ELBv2 rule: what a listener does with requests that meet its conditions. */
#ifndef KECS_KINDS_RULE_H
#define KECS_KINDS_RULE_H

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

/* ---- kinds/target.h ---------------------------------------------------------------------------------------------- */
/* kind: target -- an ELBv2 target: one address and port of a target group, and its health. */
#ifndef KECS_KINDS_TARGET_H
#define KECS_KINDS_TARGET_H

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

/* ---- kinds/tag.h ------------------------------------------------------------------------------------------------- */
/* kind: tag -- one tag of one resource, to find resources by their tags.
 *
 * A resource's own tags column is what documents show; these rows are written with it in the same transaction. */
#ifndef KECS_KINDS_TAG_H
#define KECS_KINDS_TAG_H

#define KECS_TAG_COLUMNS(X, K) \
  X(K, resource_arn, TEXT, KEY, NN, NONE, "resourceArn", "Resource that carries the tag.") \
  X(K, key, TEXT, KEY, NN, NONE, "key", "Key, 1 to 128 characters (AWS).") \
  X(K, value, TEXT, SPEC, 0, NONE, "value", "Value, up to 256 characters (AWS).") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When the key was first put on the resource; now when 0.")

#define KECS_TAG_KEYS(X, K) \
  X(K, natural, ALWAYS, resource_arn, key)

#define KECS_TAG_REFS(X, K)

#define KECS_TAG_INDEXES(X, K) \
  X(K, value, ALWAYS, key, value, resource_arn)

#define KECS_TAG_ORDER(X, K) X(K, resource_arn, key)
#define KECS_TAG_ADDRESS(X, K) X(K, resource_arn, key)

#endif

/* ---- kinds/event.h ----------------------------------------------------------------------------------------------- */
/* kind: event -- an entry of the audit log: who did what to which resource. */
#ifndef KECS_KINDS_EVENT_H
#define KECS_KINDS_EVENT_H

#define KECS_EVENT_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN | SERVER, NONE, "id", "Unique id; a random UUID when empty.") \
  X(K, event_type, TEXT, KEY, NN, NONE, "eventType", "Sort of event; free text.") \
  X(K, resource_arn, TEXT, KEY, NN, NONE, "resourceArn", "Resource that it is about; need not be in the store.") \
  X(K, resource_type, TEXT, KEY, NN, NONE, "resourceType", "Sort of resource, such as cluster or service; free text.") \
  X(K, action, TEXT, KEY, NN, NONE, "action", "What was done, such as CREATE; free text.") \
  X(K, timestamp, TIME, KEY, NN | SERVER, NONE, "timestamp", "When it happened; now when 0. Retention goes by it.") \
  X(K, data, JSON, KEY, 0, NONE, "data", "Details, any JSON document.") \
  X(K, correlation_id, TEXT, KEY, 0, NONE, "correlationId", "Id that all events of one request share.") \
  X(K, user_identity, TEXT, KEY, 0, NONE, "userIdentity", "Who did it.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was stored; now when 0.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_EVENT_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_EVENT_REFS(X, K)

#define KECS_EVENT_INDEXES(X, K) \
  X(K, newest, ALWAYS, timestamp, id) \
  X(K, resource, ALWAYS, resource_arn, timestamp, id) \
  X(K, type, ALWAYS, event_type, timestamp, id) \
  X(K, correlation, WHEN_SET, correlation_id, timestamp, id)

#define KECS_EVENT_ORDER(X, K) X(K, timestamp)
#define KECS_EVENT_ADDRESS(X, K) X(K, id)

#endif

/* ---- kinds/node.h ------------------------------------------------------------------------------------------------ */
/* kind: node -- a machine that the Podling scheduler places tasks on. */
#ifndef KECS_KINDS_NODE_H
#define KECS_KINDS_NODE_H

#define KECS_NODE_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN, NONE, "nodeId", "Unique id; the caller gives it.") \
  X(K, hostname, TEXT, SPEC, NN, NONE, "hostname", "Name or address at which the agent is reached.") \
  X(K, port, INT, SPEC, NN, "0", "port", "Port of the agent, 1 to 65535.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "online", "status", "online or offline; free text.") \
  X(K, capacity, OPTI, SPEC, 0, NONE, "capacity", "Tasks that it may run at once; from resources when absent: the lesser of its CPUs and its GiB of memory.") \
  X(K, running_tasks, INT, STATUS, NN, "0", "runningTasks", "Tasks that run on it; a plain counter, the caller keeps it.") \
  X(K, last_heartbeat, TIME, STATUS, NN | SERVER, NONE, "lastHeartbeat", "When it was last heard of; now when 0.") \
  X(K, resources, JSON, STATUS, 0, NONE, "resources", "{capacity, allocatable, used}, each {cpu in millicores, memory in bytes}.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "kecs.createdAt", "When it was created; now when 0.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_NODE_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_NODE_REFS(X, K)

#define KECS_NODE_INDEXES(X, K) \
  X(K, newest, ALWAYS, last_heartbeat, id) \
  X(K, status, ALWAYS, status, last_heartbeat, id)

#define KECS_NODE_ORDER(X, K) X(K, last_heartbeat)
#define KECS_NODE_ADDRESS(X, K) X(K, id)

#endif

/* ---- kinds/node_task.h ------------------------------------------------------------------------------------------- */
/* kind: node_task -- one container that the Podling scheduler runs on a node. */
#ifndef KECS_KINDS_NODE_TASK_H
#define KECS_KINDS_NODE_TASK_H

#define KECS_NODE_TASK_COLUMNS(X, K) \
  X(K, id, TEXT, KEY, NN, NONE, "taskId", "Unique id; the caller gives it.") \
  X(K, name, TEXT, SPEC, NN, NONE, "name", "Name; need not be unique.") \
  X(K, image, TEXT, SPEC, NN, NONE, "image", "Container image.") \
  X(K, env, JSON, SPEC, 0, NONE, "env", "Object of environment variables.") \
  X(K, status, TEXT, STATUS, NN | SERVER, "pending", "status", "pending, scheduled, running, completed or failed; free text.") \
  X(K, node_id, TEXT, SPEC, 0, NONE, "nodeId", "Node that it is placed on; need not be in the store.") \
  X(K, container_id, TEXT, STATUS, 0, NONE, "containerId", "Container on the node.") \
  X(K, created_at, TIME, KEY, NN | SERVER, NONE, "createdAt", "When it was created; now when 0.") \
  X(K, started_at, TIME, STATUS, 0, NONE, "startedAt", "When it began to run.") \
  X(K, finished_at, TIME, STATUS, 0, NONE, "finishedAt", "When it completed or failed.") \
  X(K, error, TEXT, STATUS, 0, NONE, "error", "Why it failed, in words.") \
  X(K, liveness_probe, JSON, SPEC, 0, NONE, "livenessProbe", "Check that restarts it: {type, httpPath, port, command, periodSeconds, ...}.") \
  X(K, readiness_probe, JSON, SPEC, 0, NONE, "readinessProbe", "Check that says whether it can serve; same shape.") \
  X(K, restart_policy, TEXT, SPEC, 0, NONE, "restartPolicy", "Always, OnFailure or Never.") \
  X(K, health_status, TEXT, STATUS, 0, NONE, "healthStatus", "healthy, unhealthy or unknown; free text.") \
  X(K, ports, JSON, SPEC, 0, NONE, "ports", "Array of {name, containerPort, protocol, hostPort}.") \
  X(K, resources, JSON, SPEC, 0, NONE, "resources", "{requests, limits}, each {cpu in millicores, memory in bytes}.") \
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When the row last changed.") \
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "1 at creation, one more with every change.") \
  KECS_DOCUMENT_COLUMNS(X, K)

#define KECS_NODE_TASK_KEYS(X, K) \
  X(K, id, ALWAYS, id)

#define KECS_NODE_TASK_REFS(X, K)

#define KECS_NODE_TASK_INDEXES(X, K) \
  X(K, newest, ALWAYS, created_at, id) \
  X(K, node, WHEN_SET, node_id) \
  X(K, status, ALWAYS, status, finished_at)

#define KECS_NODE_TASK_ORDER(X, K) X(K, created_at)
#define KECS_NODE_TASK_ADDRESS(X, K) X(K, id)

#endif

/* ---- kinds/kinds.h, continued ------------------------------------------------------------------------------------ */
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

/* ---- kinds/describe.c, continued --------------------------------------------------------------------------------- */
#include <string.h>

/* What the words of a kind file mean here. They are undefined again below: the packed header is one unit. */
#define KECS__FLAG_NN KECS_COLUMN_NOT_NULL
#define KECS__FLAG_SERVER KECS_COLUMN_SERVER
#define KECS__FLAG_AUTO KECS_COLUMN_AUTO
#define KECS__SINCE_SHIFT 8
#define NN KECS__FLAG_NN
#define SERVER KECS__FLAG_SERVER
#define AUTO KECS__FLAG_AUTO
#define SINCE(version) ((version) << KECS__SINCE_SHIFT)
#define NONE NULL
#define ALWAYS false
#define WHEN_SET true
#define APPEND KECS_KIND_APPEND
#define PLAIN KECS_KIND_PLAIN
#define CASCADE KECS_ON_DELETE_CASCADE
#define SET_NULL KECS_ON_DELETE_SET_NULL

/* ---- the rows agree with the printed structs ---- */

typedef const char *kecs__c_TEXT;
typedef const char *kecs__c_JSON;
typedef int64_t kecs__c_INT;
typedef int64_t kecs__c_RANK;
typedef int64_t kecs__c_TIME;
typedef bool kecs__c_BOOL;
typedef kecs_opt_int kecs__c_OPTI;

#define KECS__SHADOW_FIELD(K, name, TYPE, GROUP, FLAGS, DEFAULT, json, meaning) kecs__c_##TYPE name;
#define KECS__SHADOW(number, name, UPPER, table, flags) \
  typedef struct kecs__shadow_##name {                  \
    KECS_##UPPER##_COLUMNS(KECS__SHADOW_FIELD, name)    \
  } kecs__shadow_##name;
KECS_KINDS(KECS__SHADOW)

/* Equal offset and equal size of each field, and equal size of the whole, as array sizes that C99 can check. The
 * conversion of a pointer to the one field into a pointer to the other makes a wrong type a diagnostic. */
#define KECS__PROVE(condition) sizeof(char[(condition) ? 1 : -1])
#define KECS__PROOF_FIELD(K, name, TYPE, GROUP, FLAGS, DEFAULT, json, meaning)                          \
  KECS__PROVE(offsetof(kecs_##K, name) == offsetof(kecs__shadow_##K, name)) +                           \
      KECS__PROVE(sizeof(((kecs_##K *)0)->name) == sizeof(kecs__c_##TYPE)) +                            \
      sizeof(true ? &((kecs_##K *)0)->name : (kecs__c_##TYPE *)0) +
#define KECS__PROOF(number, name, UPPER, table, flags)                                                  \
  enum {                                                                                                \
    kecs__proof_##name = KECS_##UPPER##_COLUMNS(KECS__PROOF_FIELD, name)                                \
        KECS__PROVE(sizeof(kecs_##name) == sizeof(kecs__shadow_##name)) +                               \
        KECS__PROVE((int)KECS_##UPPER##_COLUMN_COUNT <= 64) + KECS__PROVE((int)KECS_KIND_##UPPER == number)  \
  };
KECS_KINDS(KECS__PROOF)

/* ---- columns ---- */

/* The meanings are prose for people; a small device can do without. */
#if defined(KECS_STORE_NO_MEANINGS)
#define KECS__MEANING(text) ""
#else
#define KECS__MEANING(text) text
#endif

#define KECS__COLUMN(K, name, TYPE, GROUP, FLAGS, DEFAULT, json, meaning)                               \
  {#name, KECS_TYPE_##TYPE, KECS_GROUP_##GROUP, (FLAGS) & 0xff,                                         \
   ((FLAGS) >> KECS__SINCE_SHIFT) ? ((FLAGS) >> KECS__SINCE_SHIFT) : 1, DEFAULT, json,                  \
   KECS__MEANING(meaning), offsetof(kecs_##K, name)},
#define KECS__COLUMNS(number, name, UPPER, table, flags) \
  static const kecs_column_info kecs__columns_##name[] = {KECS_##UPPER##_COLUMNS(KECS__COLUMN, name)};
KECS_KINDS(KECS__COLUMNS)

/* Column names to numbers: the shadow of each kind once more, as an enum in the case of the rows. */
#define KECS__NUMBER(K, name, TYPE, GROUP, FLAGS, DEFAULT, json, meaning) kecs__at_##K##_##name,
#define KECS__NUMBERS(number, name, UPPER, table, flags) \
  enum { KECS_##UPPER##_COLUMNS(KECS__NUMBER, name) kecs__at_##name##_end };
KECS_KINDS(KECS__NUMBERS)

/* A list of 1 to 5 names, as {count, {numbers}}. */
#define KECS__LIST1(K, a) 1, {kecs__at_##K##_##a}
#define KECS__LIST2(K, a, b) 2, {kecs__at_##K##_##a, kecs__at_##K##_##b}
#define KECS__LIST3(K, a, b, c) 3, {kecs__at_##K##_##a, kecs__at_##K##_##b, kecs__at_##K##_##c}
#define KECS__LIST4(K, a, b, c, d) \
  4, {kecs__at_##K##_##a, kecs__at_##K##_##b, kecs__at_##K##_##c, kecs__at_##K##_##d}
#define KECS__LIST5(K, a, b, c, d, e) \
  5, {kecs__at_##K##_##a, kecs__at_##K##_##b, kecs__at_##K##_##c, kecs__at_##K##_##d, kecs__at_##K##_##e}
#define KECS__LIST_PICK(K, a, b, c, d, e, macro, ...) macro
#define KECS__LIST(...) \
  KECS__LIST_PICK(__VA_ARGS__, KECS__LIST5, KECS__LIST4, KECS__LIST3, KECS__LIST2, KECS__LIST1, 0)(__VA_ARGS__)

#define KECS__KEY(K, name, when, ...) {#name, when, KECS__LIST(K, __VA_ARGS__)},
#define KECS__KEYS(number, name, UPPER, table, flags) \
  static const kecs_column_list kecs__keys_##name[] = {KECS_##UPPER##_KEYS(KECS__KEY, name)};
KECS_KINDS(KECS__KEYS)

/* References and indexes may be none, and an array must not be empty: each ends with a row that is not counted. */
#define KECS__REF(K, column, parent, parent_column, on_delete) \
  {kecs__at_##K##_##column, (kecs_kind)kecs__kind_##parent, kecs__at_##parent##_##parent_column, on_delete},
#define KECS__KIND_NUMBER(number, name, UPPER, table, flags) kecs__kind_##name = number,
enum { KECS_KINDS(KECS__KIND_NUMBER) kecs__kind_end };
#define KECS__REFS(number, name, UPPER, table, flags)                                             \
  static const kecs_reference kecs__refs_##name[] = {KECS_##UPPER##_REFS(KECS__REF, name){        \
      0, (kecs_kind)0, 0, KECS_ON_DELETE_CASCADE}};
KECS_KINDS(KECS__REFS)

#define KECS__INDEXES(number, name, UPPER, table, flags)                                             \
  static const kecs_column_list kecs__indexes_##name[] = {KECS_##UPPER##_INDEXES(KECS__KEY, name){   \
      NULL, false, 0, {0}}};
KECS_KINDS(KECS__INDEXES)

#define KECS__COUNT(array) (int)(sizeof(array) / sizeof(array)[0])
#define KECS__ONE_LIST(K, ...) {NULL, false, KECS__LIST(K, __VA_ARGS__)}
#define KECS__KIND(number, name, UPPER, table, flags)                                                        \
  {(kecs_kind)number, #name, table, flags, sizeof(kecs_##name), KECS__COUNT(kecs__columns_##name),           \
   kecs__columns_##name, KECS__COUNT(kecs__keys_##name), kecs__keys_##name,                                  \
   KECS__COUNT(kecs__refs_##name) - 1, kecs__refs_##name, KECS__COUNT(kecs__indexes_##name) - 1,             \
   kecs__indexes_##name, KECS_##UPPER##_ORDER(KECS__ONE_LIST, name),                                         \
   KECS_##UPPER##_ADDRESS(KECS__ONE_LIST, name)},
static const kecs_kind_info kecs__kind_table[] = {KECS_KINDS(KECS__KIND)};

#undef NN
#undef SERVER
#undef AUTO
#undef SINCE
#undef NONE
#undef ALWAYS
#undef WHEN_SET
#undef APPEND
#undef PLAIN
#undef CASCADE
#undef SET_NULL

KECS_STORE_API const kecs_kind_info *kecs_kind_describe(kecs_kind kind) {
  for (int i = 0; i < KECS__COUNT(kecs__kind_table); i++) {
    if (kecs__kind_table[i].kind == kind) {
      return &kecs__kind_table[i];
    }
  }
  return NULL;
}

KECS_STORE_API const kecs_kind_info *kecs_kind_find(const char *name) {
  for (int i = 0; name && i < KECS__COUNT(kecs__kind_table); i++) {
    if (strcmp(kecs__kind_table[i].name, name) == 0) {
      return &kecs__kind_table[i];
    }
  }
  return NULL;
}

KECS_STORE_API int kecs_column_find(const kecs_kind_info *info, const char *name) {
  for (int i = 0; info && name && i < info->column_count; i++) {
    if (strcmp(info->columns[i].name, name) == 0) {
      return i;
    }
  }
  return -1;
}

/* ---- store/backend.c --------------------------------------------------------------------------------------------- */
/* store/backend.c -- what a backend calls back: the record of a failure with the database's own codes. */

#include <string.h>

KECS_STORE_API kecs_status kecs_backend_fail(kecs_status status, int native_code, const char *sqlstate,
                                             const char *text) {
  (void)kecs__fail(status, "%s", text);
  kecs_error error = kecs__error_save();
  error.native_code = native_code;
  if (sqlstate) {
    strncpy(error.sqlstate, sqlstate, sizeof error.sqlstate - 1);
  }
  return kecs__error_restore(&error);
}

/* ---- store/meta.c ------------------------------------------------------------------------------------------------ */
/* store/meta.c -- the columns that the store itself has to know, found once by name. */

/* ---- store/meta.h ------------------------------------------------------------------------------------------------ */
/* store/meta.h -- fills kecs__meta from the descriptors when a store is opened. */
#ifndef KECS_STORE_META_H
#define KECS_STORE_META_H

/* ---- store/engine.h ---------------------------------------------------------------------------------------------- */
/* store/engine.h -- what stands behind a kecs_store: the engine that all handles of one database share, its sessions
 * (a connection and its prepared statements), and how a call gets one for reading or writing. */
#ifndef KECS_STORE_ENGINE_H
#define KECS_STORE_ENGINE_H

/* What the descriptors of a kind say, looked up once per store. Columns are numbers, -1 where a kind has none. */
typedef struct kecs__meta {
  const kecs_kind_info *info;
  int arn;
  int id;
  int name; /* what the ARN ends with: name, or family */
  int region;
  int account_id;
  int created_at; /* the time that identity carries: created_at, registered_at, timestamp */
  int updated_at;
  int version;
  int extra;
  int omitted;
  int tags;
  uint64_t updatable; /* columns that an update may change */
  uint64_t automatic; /* columns that the store alone writes, unless a document brings them */
  size_t offsets[64];        /* of the columns in the kind's struct */
  kecs_value_type types[64]; /* of the columns, for the backend; KECS_VALUE_NULL for OPTI */
  char *columns;             /* "arn,id,..." */
  size_t columns_len;
} kecs__meta;

/* A prepared statement in a session's cache. */
typedef struct kecs__cached {
  uint64_t hash;
  int kind;
  int op;
  uint64_t mask;
  char *sql; /* only where the text is the key */
  size_t sql_len;
  kecs_statement *statement;
  bool writes; /* changes rows */
  bool in_use;
  bool temporary; /* made because the cached one was in use; finished when it is done */
} kecs__cached;

typedef struct kecs__engine kecs__engine;
typedef struct kecs__turn kecs__turn; /* store/turns.c */

typedef struct kecs__session {
  kecs__engine *engine;
  kecs_connection *connection;
  const kecs_store *user; /* the handle that uses it now: whom to ask about deadline and cancel */
  int64_t deadline;       /* of the running call */
  bool shared;            /* other writes are in the open transaction, too */
  bool writing;           /* the running statement changes rows */
  bool changed;           /* one has, since a write began the open transaction */
  kecs__cached **slots;   /* open addressing */
  size_t slot_count;      /* a power of two */
  size_t cached_count;
  int64_t opened_ms;
  int64_t used_ms;       /* when it was last given back, or taken */
  int64_t read_until_ms; /* when the running read is too old; 0: never */
  unsigned steps;
  struct kecs__session *next; /* in the idle list */
} kecs__session;

struct kecs__engine {
  kecs_allocator allocator;
  kecs_logger logger;
  kecs_clock clock;
  kecs_random random;
  const kecs_backend *backend;
  char *path;
  char *shown_path; /* path with secrets masked */
  char *account_id;
  char *region;
  bool read_only;
  bool strict;
  bool no_foreign_keys;
  bool shared; /* readers have connections of their own */
  bool shares_commits; /* writes that wait for each other go into one transaction */
  kecs_durability durability;
  bool small; /* memory counts more than speed */
  int busy_timeout_ms; /* 0: do not wait */
  int cache_kib;
  int page_bytes; /* of a file that is made */
  int log_kib;
  int statements_max;      /* in the cache of a session; a power of two */
  int64_t share_window_us; /* how long a write waits for others, while others write */
  int64_t heartbeat_us;    /* no heartbeat is stored more often */
  kecs_pool_options pool;  /* 0: no limit */
  kecs_info settings;      /* of the writing connection, as read back when the store was opened */
  size_t document_bytes_max;
  int schema_version;

  kecs__mutex mutex; /* guards what follows */
  kecs__condition released; /* a reading session was given back */
  kecs__session *writer;
  bool writer_taken;
  kecs__thread_id writer_thread;
  kecs__thread_id last_writer; /* who had it before */
  kecs__turn *queue;      /* who waits for the writer, and where the next one is appended */
  kecs__turn **queue_end;
  kecs__turn *members;    /* whose writes the open transaction holds, beside those of the writer's holder */
  int member_count;
  int64_t share_since_us; /* when the first of them joined */
  int share_last;         /* how many writes the last shared commit held, and how long it took */
  int64_t share_commit_us;
  kecs__condition arrival; /* somebody has joined the queue while the writer's holder waits for that */
  bool expecting;
  int company;             /* so many more writes will wait for others: several threads have written lately */
  kecs__session *idle_readers; /* the one that was used last comes first */
  int reader_count;
  int reader_max;
  int64_t pool_checked_ms; /* when the idle ones were last looked at */
  bool quiet;              /* nobody has taken the writer since */
  kecs_pool_info pool_info; /* the counters of it */
  kecs_store *transactions;      /* open ones */
  kecs_store *spare_handles;     /* ended ones: their memory stays until the store is closed, so misuse is told */
  kecs__meta kinds[KECS_KIND_COUNT];
};

struct kecs_store {
  unsigned magic;
  kecs__engine *engine;
  kecs_store *parent;      /* of a transaction */
  kecs__session *session;  /* of a transaction */
  int depth;               /* 0: the store; 1: a transaction; more: a savepoint */
  kecs_store *inner;       /* the open savepoint inside a transaction; guarded by the engine's mutex */
  bool lent;               /* to a function that kecs_transact runs: that one ends it */
  bool broken;             /* the database ended the transaction by itself */
  int cancelled;           /* by kecs__flag_get */
  int64_t deadline;        /* guarded by the engine's mutex in a store; the owner's in a transaction */
  kecs_store *next;
};

/* MISUSE unless `store` is an open handle. */
KECS__FN kecs_status kecs__check_handle(const kecs_store *store);

/* TIMEOUT or CANCELLED when this handle, or one that it was begun from, is past its deadline or cancelled. */
KECS__FN kecs_status kecs__check_stop(const kecs_store *store, int64_t deadline);

/* INVALID naming the argument when a required pointer is NULL. */
KECS__FN kecs_status kecs__check_pointer(const void *pointer, const char *name);

/* A session to read with, until kecs__read_close. */
KECS__FN kecs_status kecs__read_open(kecs_store *store, kecs__session **out_session);
KECS__FN void kecs__read_close(kecs_store *store, kecs__session *session);

/* A write: in a transaction of its own, or as a part of the handle's. */
typedef struct kecs__write {
  kecs_store *store;
  kecs__engine *engine;
  kecs__session *session;
  kecs__arena arena; /* for texts of this write */
  int64_t now;
  bool own;       /* this write began the transaction */
  bool joined;    /* it works in the transaction of other writes: it ends with them */
  bool guarded;   /* inside a savepoint of its own */
  int quiet;      /* above 0: tags and their rows are not followed, since they are being brought into step (tags.c) */
  bool make_parents; /* an insert makes the parents that are missing, bare (KECS_JSON_PARENTS) */
} kecs__write;
KECS__FN kecs_status kecs__write_open(kecs_store *store, kecs__write *write);

/* To be called before the second statement of a write that changes rows: from here on all or nothing. */
KECS__FN kecs_status kecs__write_guard(kecs__write *write);

/* Commits when `status` is KECS_OK and the deadline has not passed, rolls back otherwise; returns what came of it. */
KECS__FN kecs_status kecs__write_close(kecs__write *write, kecs_status status);

/* The writing session by itself, for opening and migrating. */
KECS__FN kecs_status kecs__session_open(kecs__engine *engine, bool reader, bool may_create,
                                        kecs__session **out_session);
KECS__FN void kecs__session_close(kecs__session *session);

KECS__FN void kecs__log(const kecs__engine *engine, kecs_log_level level, const char *format, ...)
    KECS_STORE_PRINTF(3, 4);

KECS__FN const kecs__meta *kecs__meta_of(const kecs__engine *engine, kecs_kind kind);

#endif

/* ---- store/meta.h, continued ------------------------------------------------------------------------------------- */
KECS__FN kecs_status kecs__meta_init(kecs__engine *engine);
KECS__FN void kecs__meta_free(kecs__engine *engine);

#endif

/* ---- store/meta.c, continued ------------------------------------------------------------------------------------- */
#include <string.h>

static int kecs__meta_first(const kecs_kind_info *info, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int column = kecs_column_find(info, names[i]);
    if (column >= 0) {
      return column;
    }
  }
  return -1;
}

static uint64_t kecs__meta_updatable(const kecs_kind_info *info) {
  uint64_t mask = 0;
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (column->group != KECS_GROUP_KEY && !(column->flags & KECS_COLUMN_AUTO)) {
      mask |= KECS_BIT(i);
    }
  }
  return mask;
}

static kecs_value_type kecs__meta_type(kecs_column_type type) {
  switch (type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      return KECS_VALUE_TEXT;
    case KECS_TYPE_BOOL:
      return KECS_VALUE_BOOL;
    case KECS_TYPE_TIME:
      return KECS_VALUE_TIME;
    case KECS_TYPE_INT:
    case KECS_TYPE_RANK:
      return KECS_VALUE_INT;
    case KECS_TYPE_OPTI:
      break;
  }
  return KECS_VALUE_NULL; /* NULL and 0 differ there */
}

static kecs_status kecs__meta_fill(kecs__engine *engine, kecs__meta *meta, const kecs_kind_info *info) {
  static const char *const names[] = {"name", "family"};
  static const char *const creations[] = {"created_at", "registered_at"};
  meta->info = info;
  meta->arn = kecs_column_find(info, "arn");
  meta->id = kecs_column_find(info, "id");
  meta->name = kecs__meta_first(info, names, sizeof names / sizeof names[0]);
  meta->region = kecs_column_find(info, "region");
  meta->account_id = kecs_column_find(info, "account_id");
  meta->created_at = kecs__meta_first(info, creations, sizeof creations / sizeof creations[0]);
  meta->updated_at = kecs_column_find(info, "updated_at");
  meta->version = kecs_column_find(info, "version");
  meta->extra = kecs_column_find(info, "extra");
  meta->omitted = kecs_column_find(info, "omitted");
  meta->tags = kecs_column_find(info, "tags");
  meta->updatable = kecs__meta_updatable(info);
  for (int i = 0; i < info->column_count; i++) {
    meta->automatic |= info->columns[i].flags & KECS_COLUMN_AUTO ? KECS_BIT(i) : 0;
    meta->types[i] = kecs__meta_type(info->columns[i].type);
    meta->offsets[i] = info->columns[i].offset;
  }

  size_t size = 0; /* a comma or the terminator after each name */
  for (int i = 0; i < info->column_count; i++) {
    size += strlen(info->columns[i].name) + 1;
  }
  char *columns = kecs__alloc(&engine->allocator, size);
  if (!columns) {
    return KECS_E_NOMEM;
  }
  char *at = columns;
  for (int i = 0; i < info->column_count; i++) {
    size_t len = strlen(info->columns[i].name);
    if (i > 0) {
      *at++ = ',';
    }
    memcpy(at, info->columns[i].name, len);
    at += len;
  }
  *at = '\0';
  meta->columns = columns;
  meta->columns_len = (size_t)(at - columns);
  return KECS_OK;
}

KECS__FN kecs_status kecs__meta_init(kecs__engine *engine) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs_status status = kecs__meta_fill(engine, &engine->kinds[kind], info);
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

KECS__FN void kecs__meta_free(kecs__engine *engine) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    kecs__meta *meta = &engine->kinds[kind];
    kecs__release(&engine->allocator, meta->columns, meta->columns_len + 1);
  }
}

KECS__FN const kecs__meta *kecs__meta_of(const kecs__engine *engine, kecs_kind kind) {
  return &engine->kinds[kind];
}

/* ---- store/sql.c ------------------------------------------------------------------------------------------------- */
/* store/sql.c -- the statements that read and write one row. */

/* ---- store/sql.h ------------------------------------------------------------------------------------------------- */
/* store/sql.h -- descriptors to SQL text: pure functions, no database. Texts hold identifiers from the kind files and
 * placeholders, never a value. */
#ifndef KECS_STORE_SQL_H
#define KECS_STORE_SQL_H

/* ---- store/statements.h ------------------------------------------------------------------------------------------ */
/* store/statements.h -- the prepared statements of a session, made from the descriptors when they are first needed. */
#ifndef KECS_STORE_STATEMENTS_H
#define KECS_STORE_STATEMENTS_H

/* What a cached statement does; its text follows from kind, operation and mask (store/sql.c). */
typedef enum kecs__op {
  KECS__OP_SELECT_KEY,  /* every column by unique key number `mask` */
  KECS__OP_FIND_KEY,    /* rid by unique key number `mask` */
  KECS__OP_SELECT_RID,  /* every column by rid */
  KECS__OP_READ_FIELDS, /* the columns in `mask` by natural key, rid first: what an update compares with */
  KECS__OP_READ_RID,    /* the columns in `mask` by rid */
  KECS__OP_INSERT,      /* every column */
  KECS__OP_UPDATE,      /* the columns in `mask` by rid */
  KECS__OP_DELETE,      /* by rid */
  KECS__OP_TEXT         /* any text: the text itself is the key */
} kecs__op;

KECS__FN kecs_status kecs__statement(kecs__session *session, const kecs__meta *meta, kecs__op op, uint64_t mask,
                                     kecs__cached **out_cached);
KECS__FN kecs_status kecs__statement_text(kecs__session *session, const char *sql, size_t len,
                                          kecs__cached **out_cached);

/* Ends the use of a statement; NULL is fine. Its columns' texts die. */
KECS__FN void kecs__statement_done(kecs__session *session, kecs__cached *cached);

/* Starts a statement and makes its first step. */
KECS__FN kecs_status kecs__statement_start(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                           int count, bool *out_row);
KECS__FN kecs_status kecs__statement_step(kecs__session *session, kecs__cached *cached, bool *out_row);
KECS__FN void kecs__statement_columns(kecs__session *session, kecs__cached *cached, kecs_value *out, int count);

/* Runs a statement that gives no rows, and ends its use, whatever came of it. */
KECS__FN kecs_status kecs__statement_run(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                         int count);

/* The two in one for fixed texts: prepares (or finds) the text and runs it. *out_changes may be NULL. */
KECS__FN kecs_status kecs__run(kecs__session *session, const char *sql, const kecs_value *parameters, int count,
                               int64_t *out_changes);

KECS__FN void kecs__statements_free(kecs__session *session);

static inline kecs_value kecs__value_int(int64_t number) {
  kecs_value value = {KECS_VALUE_INT, 0, NULL, number};
  return value;
}

/* NULL gives the NULL value. */
KECS__FN kecs_value kecs__value_text(const char *text);
KECS__FN kecs_value kecs__value_bytes(const char *text, size_t len); /* text[len] must be 0 */
KECS__FN kecs_value kecs__value_time(int64_t micros);                /* 0 gives the NULL value */

#endif

/* ---- store/sql.h, continued -------------------------------------------------------------------------------------- */
/* The text of one of the fixed operations. Parameters: the key's columns in order, or rid; for INSERT every column in
 * order; for UPDATE the masked columns in order and then rid. READ_FIELDS and READ_RID give rid first. */
KECS__FN void kecs__sql_build(kecs__text *out, const kecs_dialect *dialect, const kecs__meta *meta, kecs__op op,
                              uint64_t mask);

/* "?7" or "$7". */
KECS__FN void kecs__sql_placeholder(kecs__text *out, const kecs_dialect *dialect, int number);

/* CREATE TABLE, and each CREATE INDEX, of a kind. IF NOT EXISTS throughout. */
KECS__FN void kecs__ddl_table(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info);
KECS__FN void kecs__ddl_indexes(kecs__text *out, const kecs_kind_info *info);

/* The tables beside the kinds': the schema's version, the families' revision counters, the load balancers' links. */
KECS__FN void kecs__ddl_side_tables(kecs__text *out, const kecs_dialect *dialect);

/* ALTER TABLE ... ADD COLUMN for a column that an older schema lacks. */
KECS__FN void kecs__ddl_add_column(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                                   int column);

#endif

/* ---- store/sql.c, continued -------------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

KECS__FN void kecs__sql_placeholder(kecs__text *out, const kecs_dialect *dialect, int number) {
  char text[16];
  int len = snprintf(text, sizeof text, "%c%d", dialect->placeholder, number);
  kecs__text_add(out, text, (size_t)len);
}

/* "a=?1 AND b=?2" */
static void kecs__sql_key(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                          const kecs_column_list *key) {
  for (int i = 0; i < key->count; i++) {
    kecs__text_adds(out, i > 0 ? " AND " : "");
    kecs__text_adds(out, info->columns[key->columns[i]].name);
    kecs__text_addc(out, '=');
    kecs__sql_placeholder(out, dialect, i + 1);
  }
  /* The words that make SQLite use the partial index of such a key. */
  for (int i = 0; key->when_set && i < key->count; i++) {
    kecs__text_addf(out, " AND %s<>''", info->columns[key->columns[i]].name);
  }
}

static void kecs__sql_masked(kecs__text *out, const kecs_kind_info *info, uint64_t mask) {
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_addc(out, ',');
      kecs__text_adds(out, info->columns[i].name);
    }
  }
}

static void kecs__sql_insert(kecs__text *out, const kecs_dialect *dialect, const kecs__meta *meta) {
  kecs__text_addf(out, "INSERT INTO %s(%s) VALUES(", meta->info->table, meta->columns);
  for (int i = 0; i < meta->info->column_count; i++) {
    if (i > 0) {
      kecs__text_addc(out, ',');
    }
    kecs__sql_placeholder(out, dialect, i + 1);
  }
  kecs__text_addc(out, ')');
}

static void kecs__sql_update(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info, uint64_t mask) {
  kecs__text_addf(out, "UPDATE %s SET ", info->table);
  int number = 0;
  for (int i = 0; i < info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      kecs__text_adds(out, number > 0 ? "," : "");
      kecs__text_adds(out, info->columns[i].name);
      kecs__text_addc(out, '=');
      kecs__sql_placeholder(out, dialect, ++number);
    }
  }
  kecs__text_adds(out, " WHERE rid=");
  kecs__sql_placeholder(out, dialect, number + 1);
}

KECS__FN void kecs__sql_build(kecs__text *out, const kecs_dialect *dialect, const kecs__meta *meta, kecs__op op,
                              uint64_t mask) {
  const kecs_kind_info *info = meta->info;
  switch (op) {
    case KECS__OP_SELECT_KEY:
      kecs__text_addf(out, "SELECT %s FROM %s WHERE ", meta->columns, info->table);
      kecs__sql_key(out, dialect, info, &info->keys[mask]);
      break;
    case KECS__OP_FIND_KEY:
      kecs__text_addf(out, "SELECT rid FROM %s WHERE ", info->table);
      kecs__sql_key(out, dialect, info, &info->keys[mask]);
      break;
    case KECS__OP_SELECT_RID:
      kecs__text_addf(out, "SELECT %s FROM %s WHERE rid=", meta->columns, info->table);
      kecs__sql_placeholder(out, dialect, 1);
      break;
    case KECS__OP_READ_FIELDS:
      kecs__text_adds(out, "SELECT rid");
      kecs__sql_masked(out, info, mask);
      kecs__text_addf(out, " FROM %s WHERE ", info->table);
      kecs__sql_key(out, dialect, info, &info->keys[0]);
      break;
    case KECS__OP_READ_RID:
      kecs__text_adds(out, "SELECT rid");
      kecs__sql_masked(out, info, mask);
      kecs__text_addf(out, " FROM %s WHERE rid=", info->table);
      kecs__sql_placeholder(out, dialect, 1);
      break;
    case KECS__OP_INSERT:
      kecs__sql_insert(out, dialect, meta);
      break;
    case KECS__OP_UPDATE:
      kecs__sql_update(out, dialect, info, mask);
      break;
    case KECS__OP_DELETE:
      kecs__text_addf(out, "DELETE FROM %s WHERE rid=", info->table);
      kecs__sql_placeholder(out, dialect, 1);
      break;
    case KECS__OP_TEXT:
      break; /* the caller has the text */
  }
}

/* ---- store/ddl.c ------------------------------------------------------------------------------------------------- */
/* store/ddl.c -- tables and indexes from the descriptors.
 *
 * Layout (SQLite): rid INTEGER PRIMARY KEY, the natural key UNIQUE, STRICT. rid is what later layers refer to; parents
 * are referred to by their natural key. A unique key WHEN_SET becomes a partial unique index. TIME columns in indexes
 * are kept newest first, because that is how they are listed. */

#include <string.h>

static const char *kecs__ddl_type(const kecs_dialect *dialect, kecs_column_type type) {
  switch (type) {
    case KECS_TYPE_INT:
    case KECS_TYPE_OPTI:
    case KECS_TYPE_RANK:
      return dialect->type_int;
    case KECS_TYPE_BOOL:
      return dialect->type_bool;
    case KECS_TYPE_TIME:
      return dialect->type_time;
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      break;
  }
  return dialect->type_text;
}

static void kecs__ddl_names(kecs__text *out, const kecs_kind_info *info, const kecs_column_list *list, bool direction) {
  for (int i = 0; i < list->count; i++) {
    const kecs_column_info *column = &info->columns[list->columns[i]];
    kecs__text_addf(out, "%s%s%s", i > 0 ? "," : "", column->name,
                    direction && column->type == KECS_TYPE_TIME ? " DESC" : "");
  }
}

static void kecs__ddl_column(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info, int number) {
  const kecs_column_info *column = &info->columns[number];
  kecs__text_addf(out, "%s %s", column->name, kecs__ddl_type(dialect, column->type));
  if (column->flags & KECS_COLUMN_NOT_NULL) {
    kecs__text_adds(out, " NOT NULL");
  }
}

static const char *kecs__ddl_on_delete(kecs_on_delete on_delete) {
  return on_delete == KECS_ON_DELETE_CASCADE ? "CASCADE" : "SET NULL";
}

KECS__FN void kecs__ddl_table(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info) {
  kecs__text_addf(out, "CREATE TABLE IF NOT EXISTS %s(\n  rid %s", info->table, dialect->type_rid);
  for (int i = 0; i < info->column_count; i++) {
    kecs__text_adds(out, ",\n  ");
    kecs__ddl_column(out, dialect, info, i);
  }
  for (int i = 0; i < info->key_count; i++) {
    if (!info->keys[i].when_set) {
      kecs__text_adds(out, ",\n  UNIQUE(");
      kecs__ddl_names(out, info, &info->keys[i], false);
      kecs__text_addc(out, ')');
    }
  }
  for (int i = 0; i < info->reference_count; i++) {
    const kecs_reference *reference = &info->references[i];
    const kecs_kind_info *parent = kecs_kind_describe(reference->parent);
    kecs__text_addf(out, ",\n  FOREIGN KEY(%s) REFERENCES %s(%s) ON DELETE %s", info->columns[reference->column].name,
                    parent->table, parent->columns[reference->parent_column].name,
                    kecs__ddl_on_delete(reference->on_delete));
  }
  kecs__text_addf(out, "\n)%s;\n", dialect->table_options);
}

KECS__FN void kecs__ddl_indexes(kecs__text *out, const kecs_kind_info *info) {
  for (int i = 0; i < info->key_count; i++) {
    const kecs_column_list *key = &info->keys[i];
    if (key->when_set) {
      kecs__text_addf(out, "CREATE UNIQUE INDEX IF NOT EXISTS %s_%s_key ON %s(", info->table, key->name, info->table);
      kecs__ddl_names(out, info, key, false);
      for (int c = 0; c < key->count; c++) {
        const char *name = info->columns[key->columns[c]].name;
        kecs__text_addf(out, "%s %s<>''", c > 0 ? " AND" : ") WHERE", name);
      }
      kecs__text_adds(out, ";\n");
    }
  }
  for (int i = 0; i < info->index_count; i++) {
    const kecs_column_list *index = &info->indexes[i];
    kecs__text_addf(out, "CREATE INDEX IF NOT EXISTS %s_%s ON %s(", info->table, index->name, info->table);
    kecs__ddl_names(out, info, index, true);
    kecs__text_addc(out, ')');
    if (index->when_set) {
      kecs__text_addf(out, " WHERE %s IS NOT NULL", info->columns[index->columns[0]].name);
    }
    kecs__text_adds(out, ";\n");
  }
}

KECS__FN void kecs__ddl_side_tables(kecs__text *out, const kecs_dialect *dialect) {
  const char *text = dialect->type_text;
  kecs__text_addf(out, "CREATE TABLE IF NOT EXISTS schema_version(version %s NOT NULL, applied_at %s NOT NULL)%s;\n",
                  dialect->type_int, dialect->type_time, dialect->table_options);
  kecs__text_addf(out,
                  "CREATE TABLE IF NOT EXISTS task_definition_families(account_id %s NOT NULL, region %s NOT NULL, "
                  "family %s NOT NULL, last_revision %s NOT NULL, PRIMARY KEY(account_id,region,family))%s;\n",
                  text, text, text, dialect->type_int, dialect->table_options);
  kecs__text_addf(out,
                  "CREATE TABLE IF NOT EXISTS elbv2_associations(target_group_arn %s NOT NULL, "
                  "load_balancer_arn %s NOT NULL, listener_arn %s NOT NULL, "
                  "PRIMARY KEY(target_group_arn,load_balancer_arn,listener_arn))%s;\n",
                  text, text, text, dialect->table_options);
  kecs__text_adds(out, "CREATE INDEX IF NOT EXISTS elbv2_associations_load_balancer ON "
                       "elbv2_associations(load_balancer_arn,target_group_arn);\n"
                       "CREATE INDEX IF NOT EXISTS elbv2_associations_listener ON elbv2_associations(listener_arn) "
                       "WHERE listener_arn<>'';\n");
}

KECS__FN void kecs__ddl_add_column(kecs__text *out, const kecs_dialect *dialect, const kecs_kind_info *info,
                                   int column) {
  kecs__text_addf(out, "ALTER TABLE %s ADD COLUMN ", info->table);
  kecs__ddl_column(out, dialect, info, column);
  if (info->columns[column].flags & KECS_COLUMN_NOT_NULL) {
    const char *value = info->columns[column].default_text;
    /* Rows that are there already need a value at once. Defaults come from the kind files and hold no quote. */
    bool text = info->columns[column].type == KECS_TYPE_TEXT || info->columns[column].type == KECS_TYPE_JSON;
    kecs__text_addf(out, text ? " DEFAULT '%s'" : " DEFAULT %s", value ? value : (text ? "" : "0"));
  }
  kecs__text_adds(out, ";\n");
}

/* ---- store/statements.c ------------------------------------------------------------------------------------------ */
/* store/statements.c -- an open-addressing table of prepared statements per session. */

/* ---- store/pool.h ------------------------------------------------------------------------------------------------ */
/* store/pool.h -- the reading connections: how many, how long one is kept, how long one waits for one. */
#ifndef KECS_STORE_POOL_H
#define KECS_STORE_POOL_H

/* A reading session: an idle one, a new one while there may be more, or the first that is given back. */
KECS__FN kecs_status kecs__reader_take(kecs_store *store, int64_t deadline, kecs__session **out_session);
KECS__FN void kecs__reader_give_back(kecs__engine *engine, kecs__session *session);

/* TIMEOUT when the read has been open for longer than options.pool.read_age_ms. */
KECS__FN kecs_status kecs__check_read_age(const kecs__session *session);

/* Empties the write-ahead log, when nobody writes just now. */
KECS__FN kecs_status kecs__engine_tidy(kecs__engine *engine);

/* Closes the reading connections that are too old or were not needed for long. */
KECS__FN void kecs__pool_tidy(kecs__engine *engine);

KECS__FN void kecs__pool_describe(kecs__engine *engine, kecs_pool_info *out_info);
KECS__FN void kecs__pool_free(kecs__engine *engine);

#endif

/* ---- store/statements.c, continued ------------------------------------------------------------------------------- */
#include <string.h>

#define KECS__SQL_MAX ((size_t)1 << 20)

KECS__FN kecs_value kecs__value_bytes(const char *text, size_t len) {
  kecs_value value = {KECS_VALUE_TEXT, len, text, 0};
  return value;
}

KECS__FN kecs_value kecs__value_text(const char *text) {
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  return text ? kecs__value_bytes(text, strlen(text)) : value;
}

KECS__FN kecs_value kecs__value_time(int64_t micros) {
  kecs_value value = {micros ? KECS_VALUE_TIME : KECS_VALUE_NULL, 0, NULL, micros};
  return value;
}

static uint64_t kecs__mix(uint64_t value) {
  value ^= value >> 32;
  value *= UINT64_C(0x9E3779B97F4A7C15);
  return value ^ (value >> 29);
}

static uint64_t kecs__hash_text(const char *text, size_t len) {
  uint64_t hash = len;
  for (; len >= 8; len -= 8, text += 8) {
    uint64_t word;
    memcpy(&word, text, 8);
    hash = kecs__mix(hash ^ word);
  }
  uint64_t tail = 0;
  memcpy(&tail, text, len);
  return kecs__mix(hash ^ tail);
}

static bool kecs__cached_is(const kecs__cached *cached, const kecs__cached *wanted) {
  return cached->hash == wanted->hash && cached->kind == wanted->kind && cached->op == wanted->op &&
         cached->mask == wanted->mask && cached->sql_len == wanted->sql_len &&
         (wanted->op != KECS__OP_TEXT || memcmp(cached->sql, wanted->sql, wanted->sql_len) == 0);
}

/* The slot that holds the wanted statement, or the free one where it belongs. */
static kecs__cached **kecs__slot(kecs__session *session, const kecs__cached *wanted) {
  size_t at = (size_t)wanted->hash & (session->slot_count - 1);
  while (session->slots[at] && !kecs__cached_is(session->slots[at], wanted)) {
    at = (at + 1) & (session->slot_count - 1);
  }
  return &session->slots[at];
}

static void kecs__cached_free(kecs__session *session, kecs__cached *cached) {
  const kecs_allocator *allocator = &session->engine->allocator;
  if (cached->statement) {
    session->engine->backend->finish(cached->statement);
  }
  kecs__release(allocator, cached->sql, cached->sql_len + 1);
  kecs__release(allocator, cached, sizeof *cached);
}

/* Empties the table; statements in use live on as temporary ones. */
static void kecs__statements_clear(kecs__session *session) {
  for (size_t i = 0; i < session->slot_count; i++) {
    kecs__cached *cached = session->slots[i];
    if (cached && cached->in_use) {
      cached->temporary = true;
    } else if (cached) {
      kecs__cached_free(session, cached);
    }
    session->slots[i] = NULL;
  }
  session->cached_count = 0;
}

KECS__FN void kecs__statements_free(kecs__session *session) {
  kecs__statements_clear(session);
  kecs__release(&session->engine->allocator, session->slots, session->slot_count * sizeof session->slots[0]);
  session->slots = NULL;
  session->slot_count = 0;
}

/* The table never grows: it starts large enough for engine->statements_max. Beyond that it is emptied: a program that
 * makes endless shapes of queries. */
static kecs_status kecs__statements_reserve(kecs__session *session) {
  if ((int)session->cached_count >= session->engine->statements_max) {
    kecs__statements_clear(session);
  }
  if (session->slots) {
    return KECS_OK;
  }
  size_t count = (size_t)session->engine->statements_max * 2;
  session->slots = kecs__alloc_zero(&session->engine->allocator, count * sizeof session->slots[0]);
  if (!session->slots) {
    return KECS_E_NOMEM;
  }
  session->slot_count = count;
  return KECS_OK;
}

static bool kecs__cached_writes(const kecs__cached *wanted) {
  switch ((kecs__op)wanted->op) {
    case KECS__OP_INSERT:
    case KECS__OP_UPDATE:
    case KECS__OP_DELETE: return true;
    case KECS__OP_TEXT: return strncmp(wanted->sql, "SELECT", strlen("SELECT")) != 0;
    default: return false;
  }
}

/* Makes and prepares a statement that is not in the table. */
static kecs_status kecs__cached_make(kecs__session *session, const kecs__meta *meta, const kecs__cached *wanted,
                                     kecs__cached **out_cached) {
  kecs__engine *engine = session->engine;
  kecs__cached *cached = kecs__alloc(&engine->allocator, sizeof *cached);
  if (!cached) {
    return KECS_E_NOMEM;
  }
  *cached = *wanted;
  cached->sql = NULL;
  cached->writes = kecs__cached_writes(wanted);
  cached->in_use = true;
  kecs__text text;
  kecs__text_init(&text, &engine->allocator, KECS__SQL_MAX);
  if (wanted->op == KECS__OP_TEXT) {
    kecs__text_add(&text, wanted->sql, wanted->sql_len);
  } else {
    kecs__sql_build(&text, engine->backend->dialect, meta, (kecs__op)wanted->op, wanted->mask);
  }
  kecs_status status = text.status;
  if (!status) {
    status = engine->backend->prepare(session->connection, text.data, text.len, &cached->statement);
  }
  if (!status && wanted->op == KECS__OP_TEXT) {
    cached->sql = kecs__alloc(&engine->allocator, wanted->sql_len + 1);
    if (cached->sql) {
      memcpy(cached->sql, wanted->sql, wanted->sql_len);
      cached->sql[wanted->sql_len] = '\0';
    } else {
      status = KECS_E_NOMEM;
    }
  }
  kecs__text_free(&text);
  if (status) {
    kecs__cached_free(session, cached);
    return status;
  }
  *out_cached = cached;
  return KECS_OK;
}

static kecs_status kecs__statement_find(kecs__session *session, const kecs__meta *meta, const kecs__cached *wanted,
                                        kecs__cached **out_cached) {
  *out_cached = NULL;
  kecs_status status = kecs__statements_reserve(session);
  if (status) {
    return status;
  }
  kecs__cached **slot = kecs__slot(session, wanted);
  if (*slot && !(*slot)->in_use) {
    (*slot)->in_use = true;
    *out_cached = *slot;
    return KECS_OK;
  }
  kecs__cached *cached = NULL;
  status = kecs__cached_make(session, meta, wanted, &cached);
  if (status) {
    return status;
  }
  if (*slot) {
    cached->temporary = true;
  } else {
    *slot = cached;
    session->cached_count++;
  }
  *out_cached = cached;
  return KECS_OK;
}

KECS__FN kecs_status kecs__statement(kecs__session *session, const kecs__meta *meta, kecs__op op, uint64_t mask,
                                     kecs__cached **out_cached) {
  kecs__cached wanted = {0};
  wanted.kind = (int)meta->info->kind;
  wanted.op = (int)op;
  wanted.mask = mask;
  wanted.hash = kecs__mix(mask ^ kecs__mix(((uint64_t)wanted.kind << 8) | (uint64_t)wanted.op));
  return kecs__statement_find(session, meta, &wanted, out_cached);
}

KECS__FN kecs_status kecs__statement_text(kecs__session *session, const char *sql, size_t len,
                                          kecs__cached **out_cached) {
  kecs__cached wanted = {0};
  wanted.op = (int)KECS__OP_TEXT;
  wanted.sql = (char *)(uintptr_t)sql; /* only read: a copy is kept */
  wanted.sql_len = len;
  wanted.hash = kecs__hash_text(sql, len);
  return kecs__statement_find(session, NULL, &wanted, out_cached);
}

KECS__FN void kecs__statement_done(kecs__session *session, kecs__cached *cached) {
  if (!cached) {
    return;
  }
  session->engine->backend->reset(cached->statement);
  cached->in_use = false;
  if (cached->temporary) {
    kecs__cached_free(session, cached);
  }
}

/* An interrupted statement is told as what interrupted it. */
static kecs_status kecs__statement_outcome(kecs__session *session, kecs_status status) {
  if (status == KECS_E_CANCELLED && session->user) {
    kecs_status stop = kecs__check_stop(session->user, session->deadline);
    stop = stop ? stop : kecs__check_read_age(session);
    return stop ? stop : status;
  }
  return status;
}

KECS__FN kecs_status kecs__statement_start(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                           int count, bool *out_row) {
  const kecs_backend *backend = session->engine->backend;
  session->writing = cached->writes;
  session->changed = session->changed || cached->writes;
  /* Once it runs it will not be stopped: see kecs__session_should_stop. */
  kecs_status status = session->shared && cached->writes && session->user
                           ? kecs__check_stop(session->user, session->deadline)
                           : KECS_OK;
  if (!status) {
    status = backend->start(cached->statement, parameters, count);
  }
  if (!status) {
    status = backend->step(cached->statement, out_row);
  }
  return kecs__statement_outcome(session, status);
}

KECS__FN kecs_status kecs__statement_step(kecs__session *session, kecs__cached *cached, bool *out_row) {
  /* Between two rows a caller may have slept; the clock is not looked at for each row. */
  if ((++session->steps & 7U) == 0) {
    kecs_status status = kecs__check_read_age(session);
    if (status) {
      return status;
    }
  }
  session->writing = cached->writes;
  return kecs__statement_outcome(session, session->engine->backend->step(cached->statement, out_row));
}

KECS__FN void kecs__statement_columns(kecs__session *session, kecs__cached *cached, kecs_value *out, int count) {
  session->engine->backend->columns(cached->statement, NULL, out, count);
}

KECS__FN kecs_status kecs__statement_run(kecs__session *session, kecs__cached *cached, const kecs_value *parameters,
                                         int count) {
  bool row = false;
  kecs_status status = kecs__statement_start(session, cached, parameters, count, &row);
  while (!status && row) {
    status = kecs__statement_step(session, cached, &row);
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__run(kecs__session *session, const char *sql, const kecs_value *parameters, int count,
                               int64_t *out_changes) {
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement_text(session, sql, strlen(sql), &cached);
  if (!status) {
    status = kecs__statement_run(session, cached, parameters, count);
  }
  if (out_changes) {
    *out_changes = status ? 0 : session->engine->backend->changes(session->connection);
  }
  return status;
}

/* ---- store/turns.c ----------------------------------------------------------------------------------------------- */
/* store/turns.c -- the queue for the writing session, and the commit that several writes share.
 *
 * A commit that reaches the disk costs as much for one row as for fifty. So a write that is done while others wait does
 * not commit: it hands the session with the open transaction to the next in the queue, which works in a savepoint of
 * its own, and waits. The last one (nobody waits any more, or enough have joined) commits and tells all. A write that
 * is alone commits at once; only where the last commit was a shared one does its successor wait for those whom it told,
 * since they are likely to come back, and no longer than half of a commit.
 *
 *   queue          turn, turn, turn      threads that wait for the session, first come first served
 *   members        turn, turn            threads that have written into the open transaction and wait for its commit
 *
 * A turn lives on the stack of the thread that waits. The holder of the session alone changes `members`, under the
 * engine's mutex; whoever takes the session next therefore sees them. */

/* ---- store/turns.h ----------------------------------------------------------------------------------------------- */
/* store/turns.h -- whose turn it is to use the writing session, and which writes share a commit. */
#ifndef KECS_STORE_TURNS_H
#define KECS_STORE_TURNS_H

/* Takes the writing session, waiting for it at most the busy timeout; leaves it taken. No transaction is open then. */
KECS__FN kecs_status kecs__writer_take(kecs_store *store, int64_t deadline, kecs__session **out_session);
/* The same without a wait, for nobody's call: false when somebody has it. */
KECS__FN bool kecs__writer_try(kecs__engine *engine);
KECS__FN void kecs__writer_release(kecs__engine *engine);

/* The same for a write of its own. Where *out_joined is true the session comes with the open transaction of the writes
 * before it: this one works in a savepoint. */
KECS__FN kecs_status kecs__writer_join(kecs_store *store, int64_t deadline, kecs__session **out_session,
                                       bool *out_joined);

/* Ends what kecs__writer_join began, and gives the session away. `status` is what came of the write: after KECS_OK it
 * is part of the transaction, and KECS_OK comes back once that is committed; after a failure nothing of it is, and the
 * failure comes back. */
KECS__FN kecs_status kecs__writer_leave(kecs__engine *engine, kecs_status status);

/* How long a wait may still take, in milliseconds: until then by the monotonic clock, and no longer than the deadline.
 */
KECS__FN int64_t kecs__wait_left(const kecs__engine *engine, int64_t until_ms, int64_t deadline);

#endif

/* ---- store/turns.c, continued ------------------------------------------------------------------------------------ */
#include <string.h>

#define KECS__QUEUE_PATIENCE_US 5000 /* whoever has waited so long comes before those who come later */
#define KECS__SHARE_MAX 128          /* writes in one transaction */
#define KECS__SHARE_US 10000         /* after that long nobody joins any more: the first ones wait for their answer */
#define KECS__SHARE_EXPECT_US 1000   /* no wait for others is longer, but options.share_window_ms */
#define KECS__SHARE_COMPANY 64       /* writes of one thread alone, until it no longer waits for others */

struct kecs__turn {
  kecs__turn *next;
  kecs__condition called;
  kecs__mutex mutex; /* of a member: guards `told` and `error`, so that those who are told don't meet at the engine's */
  kecs__thread_id thread;
  int64_t since_us; /* when it came */
  bool joins;       /* a write of its own: it may go on in the transaction of the one before it */
  bool given;       /* the session is its own now */
  bool told;        /* what became of the shared transaction is known */
  kecs_error error; /* why it was not committed; its status is KECS_OK where it was */
};

/* How long a wait may still take: the busy timeout, and no longer than the deadline. */
KECS__FN int64_t kecs__wait_left(const kecs__engine *engine, int64_t until_ms, int64_t deadline) {
  int64_t left = until_ms - kecs__monotonic_ms();
  if (deadline) {
    int64_t to_deadline = (deadline - kecs__clock_now(&engine->clock)) / 1000 + 1;
    left = to_deadline < left ? to_deadline : left;
  }
  /* Short naps, so that a cancel from another thread is seen soon. */
  return left > 50 ? 50 : left;
}

static kecs_status kecs__fail_own_writer(void) {
  return kecs__fail(KECS_E_MISUSE,
                    "this thread holds the store's writing connection (a transaction, or a walk over a store "
                    "in memory); call through the transaction's handle, or the call would wait for itself");
}

static void kecs__queue_add(kecs__engine *engine, kecs__turn *turn) {
  *engine->queue_end = turn;
  engine->queue_end = &turn->next;
  if (engine->expecting) {
    kecs__condition_wake_all(&engine->arrival);
  }
}

static void kecs__queue_remove(kecs__engine *engine, const kecs__turn *turn) {
  kecs__turn **at = &engine->queue;
  while (*at != turn) {
    at = &(*at)->next;
  }
  *at = turn->next;
  if (engine->queue_end == &turn->next) {
    engine->queue_end = at;
  }
}

static void kecs__turn_give(kecs__engine *engine, kecs__turn *turn) {
  kecs__queue_remove(engine, turn);
  engine->writer_taken = true;
  engine->writer_thread = turn->thread;
  turn->given = true;
}

/* Gives the session to the first in the queue, or to nobody. The mutex is held. Where commits are cheap the first one
 * is only woken: a thread that runs already would otherwise wait for one that sleeps, at every call. It is given the
 * session once it has waited for long. */
static void kecs__writer_pass(kecs__engine *engine) {
  kecs__turn *next = engine->queue;
  engine->writer->user = NULL;
  engine->writer_taken = false;
  if (!next) {
    return;
  }
  if (engine->shares_commits || kecs__monotonic_us() - next->since_us > KECS__QUEUE_PATIENCE_US) {
    kecs__turn_give(engine, next);
  }
  kecs__condition_wake_all(&next->called);
}

/* Waits in the queue. The mutex is held, and given up while it waits. */
static kecs_status kecs__turn_wait(kecs_store *store, int64_t deadline, bool joins) {
  kecs__engine *engine = store->engine;
  kecs__turn turn;
  memset(&turn, 0, sizeof turn);
  turn.thread = kecs__thread_self();
  turn.joins = joins;
  turn.since_us = kecs__monotonic_us();
  kecs_status status = kecs__condition_init(&turn.called);
  if (status) {
    return status;
  }
  int64_t until = turn.since_us / 1000 + engine->busy_timeout_ms;
  kecs__queue_add(engine, &turn);
  while (!status && !turn.given) {
    if (!engine->writer_taken) {
      kecs__turn_give(engine, &turn);
      break;
    }
    int64_t left = kecs__wait_left(engine, until, deadline);
    status = kecs__check_stop(store, deadline);
    if (!status && left <= 0) {
      status = kecs__fail(KECS_E_BUSY,
                          "another thread has held the writing connection for %d ms; shorten its "
                          "transaction or raise options.busy_timeout_ms",
                          engine->busy_timeout_ms);
    }
    if (!status) {
      kecs__condition_wait(&turn.called, &engine->mutex, left);
    }
  }
  if (!turn.given) {
    kecs__queue_remove(engine, &turn);
    if (!engine->writer_taken && engine->queue) {
      kecs__condition_wake_all(&engine->queue->called); /* what this one was woken for is the next one's */
    }
  }
  kecs__condition_destroy(&turn.called);
  return turn.given ? KECS_OK : status;
}

static kecs_status kecs__writer_get(kecs_store *store, int64_t deadline, bool joins, kecs__session **out_session) {
  kecs__engine *engine = store->engine;
  kecs_status status = KECS_OK;
  kecs__mutex_lock(&engine->mutex);
  if (!engine->writer_taken) {
    engine->writer_taken = true;
    engine->writer_thread = kecs__thread_self();
  } else if (kecs__thread_same(engine->writer_thread, kecs__thread_self())) {
    status = kecs__fail_own_writer();
  } else {
    status = kecs__turn_wait(store, deadline, joins);
  }
  if (!status) {
    bool same = kecs__thread_same(engine->last_writer, engine->writer_thread);
    engine->company = same ? engine->company - (engine->company > 0) : KECS__SHARE_COMPANY;
    engine->last_writer = engine->writer_thread;
    engine->quiet = false;
    engine->writer->user = store;
    engine->writer->deadline = deadline;
    *out_session = engine->writer;
  }
  kecs__mutex_unlock(&engine->mutex);
  return status;
}

KECS__FN kecs_status kecs__writer_take(kecs_store *store, int64_t deadline, kecs__session **out_session) {
  return kecs__writer_get(store, deadline, false, out_session);
}

KECS__FN bool kecs__writer_try(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  bool got = !engine->writer_taken;
  if (got) {
    engine->writer_taken = true;
    engine->writer_thread = kecs__thread_self();
    engine->writer->user = NULL;
    engine->writer->deadline = 0;
  }
  kecs__mutex_unlock(&engine->mutex);
  return got;
}

KECS__FN void kecs__writer_release(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  kecs__writer_pass(engine);
  kecs__mutex_unlock(&engine->mutex);
}

KECS__FN kecs_status kecs__writer_join(kecs_store *store, int64_t deadline, kecs__session **out_session,
                                       bool *out_joined) {
  kecs_status status = kecs__writer_get(store, deadline, true, out_session);
  *out_joined = !status && store->engine->members != NULL;
  if (!status) {
    (*out_session)->shared = *out_joined;
    (*out_session)->changed = *out_joined; /* it may see what the others have not committed yet */
  }
  return status;
}

/* Whether the open transaction may go on with the first in the queue. The mutex is held. */
static bool kecs__share_goes_on(const kecs__engine *engine) {
  if (!engine->shares_commits || !engine->queue || !engine->queue->joins) {
    return false;
  }
  return !engine->members || (engine->member_count < KECS__SHARE_MAX &&
                              kecs__monotonic_us() - engine->share_since_us < KECS__SHARE_US + engine->share_window_us);
}

/* Whether others are likely to come: those who shared the last commit, or whoever comes within the window. */
static bool kecs__share_hopes(const kecs__engine *engine) {
  return engine->member_count + 1 < engine->share_last ||
         (engine->share_window_us && engine->company && engine->member_count + 1 < KECS__SHARE_MAX);
}

static int64_t kecs__share_until(const kecs__engine *engine, int64_t now) {
  int64_t most = engine->share_commit_us / 2;
  int64_t until = now + (most < KECS__SHARE_EXPECT_US ? most : KECS__SHARE_EXPECT_US);
  int64_t window = (engine->members ? engine->share_since_us : now) + engine->share_window_us;
  return engine->company && window > until ? window : until;
}

/* Waits a moment for those who shared the last commit. The mutex is held, and given up while it waits. */
static void kecs__share_expect(kecs__engine *engine) {
  int64_t until = 0;
  while (!engine->queue && engine->shares_commits && kecs__share_hopes(engine)) {
    int64_t now = kecs__monotonic_us();
    until = until ? until : kecs__share_until(engine, now);
    if (now >= until) {
      return;
    }
    engine->expecting = true;
    kecs__condition_wait_us(&engine->arrival, &engine->mutex, until - now);
    engine->expecting = false;
  }
}

static void kecs__members_add(kecs__engine *engine, kecs__turn *turn) {
  engine->share_since_us = engine->members ? engine->share_since_us : kecs__monotonic_us();
  turn->next = engine->members;
  engine->members = turn;
  engine->member_count++;
}

/* Makes the turn one that can wait as a member. */
static bool kecs__member_init(kecs__turn *turn) {
  turn->told = false;
  turn->error.status = KECS_OK;
  if (kecs__condition_init(&turn->called)) {
    return false;
  }
  bool good = kecs__mutex_init(&turn->mutex) == KECS_OK;
  if (!good) {
    kecs__condition_destroy(&turn->called);
  }
  return good;
}

/* Waits for what becomes of the transaction. */
static kecs_status kecs__member_wait(kecs__turn *turn) {
  kecs__mutex_lock(&turn->mutex);
  while (!turn->told) {
    kecs__condition_wait(&turn->called, &turn->mutex, 1000);
  }
  kecs__mutex_unlock(&turn->mutex);
  kecs__mutex_destroy(&turn->mutex);
  kecs__condition_destroy(&turn->called);
  if (!turn->error.status) {
    return KECS_OK;
  }
  (void)kecs__error_restore(&turn->error);
  return kecs__fail_context("the commit that this write shared with others");
}

/* The write is in the transaction; the next one goes on with it, and this one waits for what becomes of both. False
 * when there is no next one. */
static bool kecs__share_wait(kecs__engine *engine, kecs_status *out_status) {
  kecs__turn turn;
  kecs__mutex_lock(&engine->mutex);
  kecs__share_expect(engine);
  bool goes_on = kecs__share_goes_on(engine) && kecs__member_init(&turn);
  if (goes_on) {
    kecs__members_add(engine, &turn);
    kecs__writer_pass(engine);
  }
  kecs__mutex_unlock(&engine->mutex);
  if (goes_on) {
    *out_status = kecs__member_wait(&turn);
  }
  return goes_on;
}

/* Passes the session on, and tells the members what became of their transaction. */
static void kecs__share_end(kecs__engine *engine, kecs_status status) {
  kecs__mutex_lock(&engine->mutex);
  kecs__turn *turn = engine->members;
  engine->share_last = engine->writer->changed ? engine->member_count + 1 : engine->share_last;
  engine->members = NULL;
  engine->member_count = 0;
  kecs__writer_pass(engine);
  kecs__mutex_unlock(&engine->mutex);
  while (turn) {
    kecs__turn *next = turn->next; /* a turn that is told may be gone as soon as its mutex is free */
    kecs__mutex_lock(&turn->mutex);
    if (status) {
      turn->error = kecs__error_save();
    }
    turn->told = true;
    kecs__condition_wake_all(&turn->called);
    kecs__mutex_unlock(&turn->mutex);
    turn = next;
  }
}

/* What the others are told when one write's failure cost them the transaction: a full disk is everybody's, somebody's
 * taken key is not. */
static void kecs__share_lost(kecs__engine *engine, kecs_status status) {
  kecs_error error = kecs__error_save();
  if (kecs_status_class(status) != KECS_CLASS_SYSTEM) {
    status = kecs__fail(KECS_E_BUSY, "another write's failure ended it; nothing was stored, try again");
  }
  kecs__share_end(engine, status);
  (void)kecs__error_restore(&error);
}

/* Lets the transaction go on without this write, which has failed. False when somebody must end
 * it. */
static bool kecs__share_pass(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  bool goes_on = kecs__share_goes_on(engine);
  if (goes_on) {
    kecs__writer_pass(engine);
  }
  kecs__mutex_unlock(&engine->mutex);
  return goes_on;
}

static kecs_status kecs__share_commit(kecs__engine *engine) {
  kecs__session *session = engine->writer;
  bool shared = engine->members != NULL;
  int64_t since = shared ? kecs__monotonic_us() : 0;
  if (shared) {
    session->user = NULL; /* one member's deadline is none of the others' */
    session->deadline = 0;
  }
  kecs_status status = engine->backend->commit(session->connection);
  engine->share_commit_us = shared ? kecs__monotonic_us() - since : 0;
  if (status) {
    kecs_error error = kecs__error_save();
    engine->backend->rollback(session->connection);
    (void)kecs__error_restore(&error);
  }
  kecs__share_end(engine, status);
  return status;
}

KECS__FN kecs_status kecs__writer_leave(kecs__engine *engine, kecs_status status) {
  kecs__session *session = engine->writer;
  kecs_status outcome = KECS_OK;
  session->shared = false;
  bool open = engine->backend->in_transaction(session->connection);
  if (!status) {
    /* Where nothing was changed there is nothing to wait for; where the transaction is gone, nothing to go on with: the
     * commit says so. */
    bool shares = open && session->changed && kecs__share_wait(engine, &outcome);
    return shares ? outcome : kecs__share_commit(engine);
  }
  if (!engine->members) {
    kecs_error error = kecs__error_save();
    engine->backend->rollback(session->connection);
    kecs__writer_release(engine);
    return kecs__error_restore(&error);
  }
  if (!open) {
    kecs__share_lost(engine, status);
  } else if (!kecs__share_pass(engine)) {
    kecs_error error = kecs__error_save();
    (void)kecs__share_commit(engine); /* its failure is told to the members; this write failed by itself */
    (void)kecs__error_restore(&error);
  }
  return status;
}

/* ---- store/pool.c ------------------------------------------------------------------------------------------------ */
/* store/pool.c -- the pool of reading connections. No thread of its own looks after it: whoever gives a connection back
 * does, now and then. */

/* Waits until one is given back or may be made. The mutex is held, and given up while it waits. */
static kecs_status kecs__reader_wait(kecs_store *store, int64_t deadline) {
  kecs__engine *engine = store->engine;
  int64_t since = kecs__monotonic_us();
  int64_t until = since / 1000 + engine->pool.acquire_ms;
  kecs_status status = KECS_OK;
  engine->pool_info.waits++;
  while (!status && !engine->idle_readers && engine->reader_count >= engine->reader_max) {
    int64_t left = kecs__wait_left(engine, until, deadline);
    status = kecs__check_stop(store, deadline);
    if (!status && left <= 0) {
      status = kecs__fail(KECS_E_BUSY,
                          "all %d reading connections have been in use for %d ms; raise options.readers or "
                          "finish long walks sooner",
                          engine->reader_max, engine->pool.acquire_ms);
    }
    if (!status) {
      kecs__condition_wait(&engine->released, &engine->mutex, left);
    }
  }
  engine->pool_info.wait_us += kecs__monotonic_us() - since;
  return status;
}

static void kecs__reader_gone(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  engine->reader_count--;
  kecs__condition_wake_all(&engine->released);
  kecs__mutex_unlock(&engine->mutex);
}

KECS__FN kecs_status kecs__reader_take(kecs_store *store, int64_t deadline, kecs__session **out_session) {
  kecs__engine *engine = store->engine;
  kecs__session *session = NULL;
  kecs_status status = KECS_OK;
  kecs__mutex_lock(&engine->mutex);
  if (!engine->idle_readers && engine->reader_count >= engine->reader_max) {
    status = kecs__reader_wait(store, deadline);
  }
  bool make = !status && !engine->idle_readers;
  if (make) {
    engine->reader_count++;
  } else if (!status) {
    session = engine->idle_readers;
    engine->idle_readers = session->next;
  }
  kecs__mutex_unlock(&engine->mutex);
  if (make) {
    status = kecs__session_open(engine, true, false, &session);
    if (status) {
      kecs__reader_gone(engine);
    }
  }
  if (!status) {
    session->user = store;
    session->deadline = deadline;
    session->read_until_ms = engine->pool.read_age_ms ? kecs__monotonic_ms() + engine->pool.read_age_ms : 0;
    *out_session = session;
  }
  return status;
}

static bool kecs__reader_is_old(const kecs__engine *engine, const kecs__session *session, int64_t now) {
  return engine->pool.lifetime_ms && now - session->opened_ms >= engine->pool.lifetime_ms;
}

/* Takes those out of the idle list that are too old or were not needed for long. The mutex is held. */
static kecs__session *kecs__pool_expired(kecs__engine *engine, int64_t now) {
  kecs__session *expired = NULL;
  for (kecs__session **at = &engine->idle_readers; *at;) {
    kecs__session *one = *at;
    bool unused = engine->pool.idle_ms && now - one->used_ms >= engine->pool.idle_ms;
    if (unused || kecs__reader_is_old(engine, one, now)) {
      *at = one->next;
      one->next = expired;
      expired = one;
      engine->reader_count--;
      engine->pool_info.retired++;
    } else {
      at = &one->next;
    }
  }
  return expired;
}

static void kecs__readers_close(kecs__session *list) {
  while (list) {
    kecs__session *next = list->next;
    kecs__session_close(list);
    list = next;
  }
}

KECS__FN void kecs__pool_tidy(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  kecs__session *expired = kecs__pool_expired(engine, kecs__monotonic_ms());
  kecs__mutex_unlock(&engine->mutex);
  kecs__readers_close(expired);
}

KECS__FN kecs_status kecs__engine_tidy(kecs__engine *engine) {
  if (!engine->backend->tidy || engine->read_only || !engine->shared || !kecs__writer_try(engine)) {
    return KECS_OK;
  }
  kecs_status status = engine->backend->tidy(engine->writer->connection);
  kecs__writer_release(engine);
  return status;
}

/* The quiet of a whole check: what was written last waits in the log, for nobody. */
static void kecs__pool_check(kecs__engine *engine) {
  kecs__mutex_lock(&engine->mutex);
  bool quiet = engine->quiet;
  engine->quiet = true;
  kecs__mutex_unlock(&engine->mutex);
  kecs__pool_tidy(engine);
  if (quiet) {
    kecs_error error = kecs__error_save();
    (void)kecs__engine_tidy(engine); /* none of the caller's business: he has only read */
    (void)kecs__error_restore(&error);
  }
}

KECS__FN void kecs__reader_give_back(kecs__engine *engine, kecs__session *session) {
  int64_t now = kecs__monotonic_ms();
  session->user = NULL;
  session->read_until_ms = 0;
  session->used_ms = now;
  kecs__mutex_lock(&engine->mutex);
  session->next = engine->idle_readers;
  engine->idle_readers = session;
  bool check = now - engine->pool_checked_ms >= engine->pool.check_ms;
  engine->pool_checked_ms = check ? now : engine->pool_checked_ms;
  kecs__condition_wake_all(&engine->released);
  kecs__mutex_unlock(&engine->mutex);
  if (check) {
    kecs__pool_check(engine);
  }
}

KECS__FN kecs_status kecs__check_read_age(const kecs__session *session) {
  if (!session->read_until_ms || kecs__monotonic_ms() < session->read_until_ms) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_TIMEOUT,
                    "a walk has been open for %d ms, and the write-ahead log can't be emptied meanwhile; "
                    "read page by page, or raise options.pool.read_age_ms",
                    session->engine->pool.read_age_ms);
}

KECS__FN void kecs__pool_describe(kecs__engine *engine, kecs_pool_info *out_info) {
  kecs__mutex_lock(&engine->mutex);
  *out_info = engine->pool_info;
  out_info->max = engine->shared ? engine->reader_max : 0;
  out_info->total = engine->reader_count;
  for (const kecs__session *one = engine->idle_readers; one; one = one->next) {
    out_info->idle++;
  }
  out_info->active = out_info->total - out_info->idle;
  kecs__mutex_unlock(&engine->mutex);
}

KECS__FN void kecs__pool_free(kecs__engine *engine) {
  kecs__readers_close(engine->idle_readers);
  engine->idle_readers = NULL;
}

KECS_STORE_API kecs_status kecs_maintain(kecs_store *store) {
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  if (store->depth > 0) {
    return kecs__fail(KECS_E_MISUSE, "the handle is a transaction; kecs_maintain takes the store");
  }
  kecs__pool_tidy(store->engine);
  return kecs__engine_tidy(store->engine);
}

/* ---- store/profile.c --------------------------------------------------------------------------------------------- */
/* store/profile.c -- the profiles as one table, and the options over it. */

/* ---- store/profile.h --------------------------------------------------------------------------------------------- */
/* store/profile.h -- options to settings: what a profile gives, and what the options say otherwise. */
#ifndef KECS_STORE_PROFILE_H
#define KECS_STORE_PROFILE_H

/* INVALID naming the option that can't be. */
KECS__FN kecs_status kecs__profile_check(const kecs_options *options);

/* Settings for every option that is zero, and the options. */
KECS__FN void kecs__profile_apply(kecs__engine *engine, const kecs_options *options);

/* The path that is opened: the memory profile needs none. */
KECS__FN const char *kecs__profile_path(const kecs_options *options);

/* The most bytes that are taken from options.allocator; 0: no limit. */
KECS__FN size_t kecs__profile_memory(const kecs_options *options);

#endif

/* ---- store/profile.c, continued ---------------------------------------------------------------------------------- */
#include <string.h>

#define KECS__MEMORY_PATH ":memory:"
#define KECS__BUSY_MS 30000
#define KECS__READERS_MAX 64
#define KECS__DOCUMENT_BYTES ((size_t)64 << 20)

typedef struct kecs__profile {
  kecs_durability durability;
  int page_bytes; /* 0: the backend's own */
  int log_kib;    /* 0: the backend's own */
  int cache_kib;
  int readers;
  int statements;
  int share_window_ms;
  int heartbeat_ms;
  int memory_kib;
} kecs__profile;

/* edge: small pages, because a status that changes writes whole pages to the flash; few of them in memory; a log that
 * is moved late, so that a page that changes often is moved once. */
static const kecs__profile kecs__profiles[] = {
    {KECS_DURABILITY_NORMAL, 0, 0, 65536, 4, 512, 0, 0, 0},
    {KECS_DURABILITY_FULL, 0, 0, 65536, 4, 512, 0, 0, 0},
    {KECS_DURABILITY_NORMAL, 1024, 2048, 64, 1, 16, 20, 10000, 256},
    {KECS_DURABILITY_NORMAL, 0, 0, 65536, 4, 512, 0, 0, 0},
};
#define KECS__PROFILE_COUNT (sizeof kecs__profiles / sizeof kecs__profiles[0])

static const kecs_pool_options kecs__pool_defaults = {30000, 1800000, 3600000, 60000, 300000};

KECS__FN const char *kecs__profile_path(const kecs_options *options) {
  bool empty = !options->path || !options->path[0];
  return empty && options->profile == KECS_PROFILE_MEMORY ? KECS__MEMORY_PATH : options->path;
}

static bool kecs__digits(const char *text, size_t count) {
  size_t i = 0;
  while (text[i] >= '0' && text[i] <= '9') {
    i++;
  }
  return i == count && text[i] == '\0';
}

static kecs_status kecs__check_least(const char *name, int64_t value, int64_t least) {
  if (value >= least) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_INVALID, "options.%s is %lld; give %lld or more, 0 for the default", name, (long long)value,
                    (long long)least);
}

static kecs_status kecs__profile_check_path(const kecs_options *options) {
  const char *path = kecs__profile_path(options);
  if (!path || !path[0]) {
    return kecs__fail(KECS_E_INVALID, "options.path is empty; give a file, \":memory:\" or a URL");
  }
  if (options->profile == KECS_PROFILE_MEMORY && strcmp(path, KECS__MEMORY_PATH) != 0) {
    return kecs__fail(KECS_E_INVALID,
                      "options.profile is KECS_PROFILE_MEMORY and options.path is \"%s\"; leave one out", path);
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__profile_check(const kecs_options *options) {
  if ((int)options->profile < 0 || (size_t)options->profile >= KECS__PROFILE_COUNT) {
    return kecs__fail(KECS_E_INVALID,
                      "options.profile is %d; give one of KECS_PROFILE_DEFAULT, _DURABLE, _EDGE, _MEMORY",
                      (int)options->profile);
  }
  kecs_status status = kecs__profile_check_path(options);
  if (status) {
    return status;
  }
  if (options->account_id && !kecs__digits(options->account_id, 12)) {
    return kecs__fail(KECS_E_INVALID, "options.account_id \"%s\" is not 12 digits", options->account_id);
  }
  if (options->region && !options->region[0]) {
    return kecs__fail(KECS_E_INVALID, "options.region is empty; leave it NULL for us-east-1");
  }
  if (options->readers < 0 || options->readers > KECS__READERS_MAX) {
    return kecs__fail(KECS_E_INVALID, "options.readers is %d; give 1 to %d, or 0 for the default", options->readers,
                      KECS__READERS_MAX);
  }
  if (options->durability != KECS_DURABILITY_NORMAL && options->durability != KECS_DURABILITY_FULL) {
    return kecs__fail(KECS_E_INVALID, "options.durability is %d; give KECS_DURABILITY_NORMAL or _FULL",
                      (int)options->durability);
  }
  status = kecs__check_least("cache_kib", options->cache_kib, 0);
  status = status ? status : kecs__check_least("log_kib", options->log_kib, 0);
  status = status ? status : kecs__check_least("pool.acquire_ms", options->pool.acquire_ms, -1);
  status = status ? status : kecs__check_least("pool.idle_ms", options->pool.idle_ms, -1);
  status = status ? status : kecs__check_least("pool.lifetime_ms", options->pool.lifetime_ms, -1);
  status = status ? status : kecs__check_least("pool.check_ms", options->pool.check_ms, 0);
  return status ? status : kecs__check_least("pool.read_age_ms", options->pool.read_age_ms, -1);
}

/* 0: what the profile has; negative: none. */
static int kecs__chosen(int given, int otherwise) {
  int chosen = given ? given : otherwise;
  return chosen < 0 ? 0 : chosen;
}

KECS__FN size_t kecs__profile_memory(const kecs_options *options) {
  return (size_t)kecs__chosen(options->memory_kib, kecs__profiles[options->profile].memory_kib) * 1024;
}

KECS__FN void kecs__profile_apply(kecs__engine *engine, const kecs_options *options) {
  const kecs__profile *profile = &kecs__profiles[options->profile];
  const kecs_pool_options *pool = &kecs__pool_defaults;
  engine->durability = options->durability ? options->durability : profile->durability;
  engine->page_bytes = profile->page_bytes;
  engine->small = profile->memory_kib > 0;
  engine->log_kib = kecs__chosen(options->log_kib, profile->log_kib);
  engine->cache_kib = kecs__chosen(options->cache_kib, profile->cache_kib);
  engine->reader_max = kecs__chosen(options->readers, profile->readers);
  engine->statements_max = profile->statements;
  engine->share_window_us = (int64_t)kecs__chosen(options->share_window_ms, profile->share_window_ms) * 1000;
  engine->heartbeat_us = (int64_t)kecs__chosen(options->heartbeat_ms, profile->heartbeat_ms) * 1000;
  engine->busy_timeout_ms = kecs__chosen(options->busy_timeout_ms, KECS__BUSY_MS);
  engine->document_bytes_max = options->document_bytes_max ? options->document_bytes_max : KECS__DOCUMENT_BYTES;
  engine->pool.acquire_ms = kecs__chosen(options->pool.acquire_ms, pool->acquire_ms);
  engine->pool.idle_ms = kecs__chosen(options->pool.idle_ms, pool->idle_ms);
  engine->pool.lifetime_ms = kecs__chosen(options->pool.lifetime_ms, pool->lifetime_ms);
  engine->pool.check_ms = kecs__chosen(options->pool.check_ms, pool->check_ms);
  engine->pool.read_age_ms = kecs__chosen(options->pool.read_age_ms, pool->read_age_ms);
}

/* ---- store/engine.c ---------------------------------------------------------------------------------------------- */
/* store/engine.c -- handles and sessions: who may use which connection, and for how long they wait for it. */

/* ---- store/handle.h ---------------------------------------------------------------------------------------------- */
/* store/handle.h -- making and ending handles: what open, begin, commit and close share. */
#ifndef KECS_STORE_HANDLE_H
#define KECS_STORE_HANDLE_H

enum { KECS__MAGIC_OPEN = 0x6b656373, KECS__MAGIC_ENDED = 0x64656164 };

/* BEGIN IMMEDIATE; a wait for another process that the deadline or a cancel ended is told as such. */
KECS__FN kecs_status kecs__begin_write(kecs_store *store, kecs__session *session);

/* MISUSE while a savepoint inside the transaction is open: what is written meanwhile would be undone with it. */
KECS__FN kecs_status kecs__check_innermost(const kecs_store *store);

/* MISUSE when the transaction, or one around it, is lost. */
KECS__FN kecs_status kecs__check_transaction(const kecs_store *tx);

/* Undoes everything since the handle's BEGIN or SAVEPOINT and ends the handle and those inside it. A failure means that
 * a savepoint could not be undone, and that the transaction around it is lost. */
KECS__FN kecs_status kecs__transaction_abandon(kecs_store *tx);

#endif

/* ---- store/engine.c, continued ----------------------------------------------------------------------------------- */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KECS__LOG_LINE 600

KECS__FN void kecs__log(const kecs__engine *engine, kecs_log_level level, const char *format, ...) {
  if (!engine->logger.write) {
    return;
  }
  char line[KECS__LOG_LINE];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len >= 0) {
    engine->logger.write(level, line, engine->logger.user);
  }
}

KECS__FN kecs_status kecs__check_pointer(const void *pointer, const char *name) {
  if (pointer) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_MISUSE, "argument \"%s\" must not be NULL", name);
}

KECS__FN kecs_status kecs__check_handle(const kecs_store *store) {
  if (!store) {
    return kecs__fail(KECS_E_MISUSE, "the store handle is NULL; open it with kecs_open first");
  }
  if (store->magic != KECS__MAGIC_OPEN) {
    return kecs__fail(KECS_E_MISUSE, "the handle is not open: the store was closed, or the transaction has ended");
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__check_stop(const kecs_store *store, int64_t deadline) {
  for (const kecs_store *at = store; at; at = at->parent) {
    if (kecs__flag_get(&at->cancelled)) {
      return kecs__fail(KECS_E_CANCELLED, "the call was cancelled; nothing was stored");
    }
  }
  if (deadline && kecs__clock_now(&store->engine->clock) >= deadline) {
    return kecs__fail(KECS_E_TIMEOUT, "the handle's deadline has passed; nothing was stored. "
                                      "Set a later one with kecs_set_deadline, 0 for none");
  }
  return KECS_OK;
}

/* Asked by the backend while a statement runs. It must not record an error: the statement's outcome does. SQLite rolls
 * the whole transaction back when a statement that writes is stopped: not where others have written into it. Such a
 * statement writes one row, and before the next one the deadline is looked at (statements.c). */
static bool kecs__session_should_stop(void *user) {
  const kecs__session *session = user;
  if (session->shared && session->writing) {
    return false;
  }
  for (const kecs_store *at = session->user; at; at = at->parent) {
    if (kecs__flag_get(&at->cancelled)) {
      return true;
    }
  }
  if (session->read_until_ms && kecs__monotonic_ms() >= session->read_until_ms) {
    return true;
  }
  return session->deadline && kecs__clock_now(&session->engine->clock) >= session->deadline;
}

KECS__FN kecs_status kecs__session_open(kecs__engine *engine, bool reader, bool may_create,
                                        kecs__session **out_session) {
  kecs__session *session = kecs__alloc_zero(&engine->allocator, sizeof *session);
  if (!session) {
    return KECS_E_NOMEM;
  }
  session->engine = engine;
  kecs_connect_options options = {0};
  options.path = engine->path;
  options.read_only = engine->read_only;
  options.may_create = may_create;
  options.reader = reader;
  options.full_durability = engine->durability == KECS_DURABILITY_FULL;
  options.no_foreign_keys = engine->no_foreign_keys;
  options.busy_timeout_ms = engine->busy_timeout_ms;
  options.cache_kib = reader ? engine->cache_kib / 4 : engine->cache_kib;
  options.page_bytes = engine->page_bytes;
  options.log_kib = engine->log_kib;
  options.small = engine->small;
  options.allocator = &engine->allocator;
  options.logger = &engine->logger;
  options.should_stop = kecs__session_should_stop;
  options.should_stop_user = session;
  kecs_status status = engine->backend->connect(&options, &session->connection);
  if (status) {
    kecs__release(&engine->allocator, session, sizeof *session);
    return status;
  }
  session->opened_ms = kecs__monotonic_ms();
  *out_session = session;
  return KECS_OK;
}

KECS__FN void kecs__session_close(kecs__session *session) {
  if (!session) {
    return;
  }
  kecs__engine *engine = session->engine;
  kecs__statements_free(session);
  engine->backend->disconnect(session->connection);
  kecs__release(&engine->allocator, session, sizeof *session);
}

/* The deadline that holds for a call that starts now. */
static int64_t kecs__handle_deadline(kecs_store *store) {
  if (store->depth > 0) {
    return store->deadline;
  }
  kecs__mutex_lock(&store->engine->mutex);
  int64_t deadline = store->deadline;
  kecs__mutex_unlock(&store->engine->mutex);
  return deadline;
}

KECS__FN kecs_status kecs__check_transaction(const kecs_store *tx) {
  bool lost = !tx->session->engine->backend->in_transaction(tx->session->connection);
  for (const kecs_store *at = tx; at && !lost; at = at->parent) {
    lost = at->broken;
  }
  if (!lost) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_MISUSE, "the database has rolled the transaction back after an earlier error; end it with "
                                   "kecs_rollback and begin again");
}

KECS__FN kecs_status kecs__check_innermost(const kecs_store *store) {
  if (store->depth == 0 || !store->inner) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_MISUSE, "a savepoint inside this transaction is open; write through its handle, or end it "
                                   "first");
}

KECS__FN kecs_status kecs__read_open(kecs_store *store, kecs__session **out_session) {
  *out_session = NULL;
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  int64_t deadline = kecs__handle_deadline(store);
  status = kecs__check_stop(store, deadline);
  if (status) {
    return status;
  }
  if (store->depth > 0) {
    store->session->user = store;
    store->session->deadline = deadline;
    *out_session = store->session;
    return kecs__check_transaction(store);
  }
  if (!store->engine->shared) {
    return kecs__writer_take(store, deadline, out_session);
  }
  return kecs__reader_take(store, deadline, out_session);
}

KECS__FN void kecs__read_close(kecs_store *store, kecs__session *session) {
  if (!session || store->depth > 0) {
    return;
  }
  kecs__engine *engine = store->engine;
  if (session == engine->writer) {
    kecs__writer_release(engine);
    return;
  }
  kecs__reader_give_back(engine, session);
}

KECS__FN kecs_status kecs__begin_write(kecs_store *store, kecs__session *session) {
  kecs_status status = store->engine->backend->begin(session->connection, true);
  if (status == KECS_E_BUSY || status == KECS_E_CANCELLED) {
    kecs_error error = kecs__error_save();
    kecs_status stop = kecs__check_stop(store, session->deadline);
    return stop ? stop : kecs__error_restore(&error);
  }
  return status;
}

/* The transaction of a write on a store: its own, or a savepoint in that of the writes before it. */
static kecs_status kecs__write_begin(kecs__write *write, int64_t deadline) {
  kecs_status status = kecs__writer_join(write->store, deadline, &write->session, &write->joined);
  if (status) {
    return status;
  }
  if (write->joined) {
    status = kecs__check_stop(write->store, deadline);
    status = status ? status : kecs__write_guard(write);
    if (status) {
      status = kecs__writer_leave(write->engine, status);
      write->session = NULL;
    }
    return status;
  }
  status = kecs__begin_write(write->store, write->session);
  if (status) {
    kecs__writer_release(write->engine);
    write->session = NULL;
  }
  write->own = !status;
  return status;
}

KECS__FN kecs_status kecs__write_open(kecs_store *store, kecs__write *write) {
  memset(write, 0, sizeof *write);
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  write->store = store;
  write->engine = store->engine;
  kecs__arena_init(&write->arena, &store->engine->allocator);
  if (store->engine->read_only) {
    return kecs__fail(KECS_E_READONLY, "%s is open for reading only", store->engine->shown_path);
  }
  int64_t deadline = kecs__handle_deadline(store);
  status = kecs__check_stop(store, deadline);
  if (status) {
    return status;
  }
  write->now = kecs__clock_now(&store->engine->clock);
  if (store->depth > 0) {
    status = kecs__check_transaction(store);
    status = status ? status : kecs__check_innermost(store);
    write->session = status ? NULL : store->session;
    store->session->user = store;
    store->session->deadline = deadline;
    /* A statement that a deadline stops may have done its work: only a savepoint can tell. */
    return status || !deadline ? status : kecs__write_guard(write);
  }
  return kecs__write_begin(write, deadline);
}

#define KECS__GUARD_BEGIN "SAVEPOINT kecs_write"
#define KECS__GUARD_UNDO "ROLLBACK TO kecs_write"
#define KECS__GUARD_END "RELEASE kecs_write"

/* The statements that end a savepoint are made before it begins: they must run when there is no memory left. */
static kecs_status kecs__guard_prepare(kecs__session *session, const char *sql) {
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement_text(session, sql, strlen(sql), &cached);
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__write_guard(kecs__write *write) {
  if (write->own || write->guarded) {
    return KECS_OK;
  }
  kecs_status status = kecs__guard_prepare(write->session, KECS__GUARD_UNDO);
  if (!status) {
    status = kecs__guard_prepare(write->session, KECS__GUARD_END);
  }
  if (!status) {
    status = kecs__run(write->session, KECS__GUARD_BEGIN, NULL, 0, NULL);
  }
  write->guarded = !status;
  return status;
}

/* Ends a write inside a transaction: its savepoint, if it has one. */
static kecs_status kecs__write_close_part(kecs__write *write, kecs_status status) {
  if (!write->guarded) {
    return status;
  }
  write->session->user = NULL; /* ending is never stopped half-way */
  write->session->deadline = 0;
  if (!status) {
    status = kecs__run(write->session, KECS__GUARD_END, NULL, 0, NULL);
  }
  if (!status) {
    return KECS_OK;
  }
  kecs_error error = kecs__error_save();
  bool undone = kecs__run(write->session, KECS__GUARD_UNDO, NULL, 0, NULL) == KECS_OK &&
                kecs__run(write->session, KECS__GUARD_END, NULL, 0, NULL) == KECS_OK;
  if (!undone && write->joined) {
    write->engine->backend->rollback(write->session->connection);
  } else if (!undone) {
    write->store->broken = true;
  }
  return kecs__error_restore(&error);
}

/* Ends a write on a store. This is the last look at the deadline: what has joined others waits for their commit. */
static kecs_status kecs__write_close_own(kecs__write *write, kecs_status status) {
  if (!status) {
    status = kecs__check_stop(write->store, write->session->deadline);
  }
  if (write->joined) {
    status = kecs__write_close_part(write, status);
  }
  return kecs__writer_leave(write->engine, status);
}

KECS__FN kecs_status kecs__write_close(kecs__write *write, kecs_status status) {
  if (write->session) {
    status = write->own || write->joined ? kecs__write_close_own(write, status) : kecs__write_close_part(write, status);
  }
  if (write->store) {
    kecs__arena_free(&write->arena);
  }
  return status;
}

/* ---- store/transaction.c ----------------------------------------------------------------------------------------- */
/* store/transaction.c -- transactions as handles, savepoints inside them, and the retry loop around them. */

#include <stdio.h>
#include <string.h>

#define KECS__RETRY_FIRST_MS 5
#define KECS__RETRY_MAX_MS 250

/* Every nested transaction is a savepoint named after its depth. */
static kecs_status kecs__savepoint(kecs_store *tx, const char *verb) {
  char sql[64];
  snprintf(sql, sizeof sql, "%s kecs_%d", verb, tx->depth);
  tx->session->user = NULL; /* never stopped half-way: the deadline is looked at before */
  tx->session->deadline = 0;
  return kecs__run(tx->session, sql, NULL, 0, NULL);
}

/* The statements that end a savepoint are made before it begins: they must run when there is no memory left. */
static kecs_status kecs__savepoint_begin(kecs_store *tx) {
  static const char *const verbs[] = {"ROLLBACK TO", "RELEASE"};
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
    char sql[64];
    kecs__cached *cached = NULL;
    int len = snprintf(sql, sizeof sql, "%s kecs_%d", verbs[i], tx->depth);
    kecs_status status = kecs__statement_text(tx->session, sql, (size_t)len, &cached);
    kecs__statement_done(tx->session, cached);
    if (status) {
      return status;
    }
  }
  return kecs__savepoint(tx, "SAVEPOINT");
}

/* A handle: one that has ended, or new memory. Its memory stays with the engine, so that use after the end is told. */
static kecs_store *kecs__handle_new(kecs_store *parent) {
  kecs__engine *engine = parent->engine;
  kecs__mutex_lock(&engine->mutex);
  kecs_store *tx = engine->spare_handles;
  if (tx) {
    engine->spare_handles = tx->next;
  }
  kecs__mutex_unlock(&engine->mutex);
  if (!tx) {
    tx = kecs__alloc(&engine->allocator, sizeof *tx);
  }
  if (!tx) {
    return NULL;
  }
  memset(tx, 0, sizeof *tx);
  tx->engine = engine;
  tx->parent = parent;
  tx->depth = parent->depth + 1;
  kecs__mutex_lock(&engine->mutex);
  tx->deadline = parent->deadline;
  kecs__mutex_unlock(&engine->mutex);
  return tx;
}

static void kecs__handle_list(kecs_store *tx) {
  kecs__engine *engine = tx->engine;
  tx->magic = KECS__MAGIC_OPEN;
  kecs__mutex_lock(&engine->mutex);
  if (tx->depth > 1) {
    tx->parent->inner = tx;
  }
  tx->next = engine->transactions;
  engine->transactions = tx;
  kecs__mutex_unlock(&engine->mutex);
}

/* To the end of the spare list: the longer an ended handle stays unused, the longer its misuse is told. */
static void kecs__handle_retire(kecs__engine *engine, kecs_store *tx) {
  tx->magic = KECS__MAGIC_ENDED;
  tx->next = NULL;
  kecs_store **at = &engine->spare_handles;
  while (*at) {
    at = &(*at)->next;
  }
  *at = tx;
}

static bool kecs__handle_inside(const kecs_store *handle, const kecs_store *outer) {
  for (; handle; handle = handle->parent) {
    if (handle == outer) {
      return true;
    }
  }
  return false;
}

/* Takes the handle, and the savepoints inside it that are still open, off the list. */
static void kecs__handle_end(kecs_store *tx) {
  kecs__engine *engine = tx->engine;
  kecs_store *parent = tx->parent;
  kecs__session *session = tx->session;
  kecs__mutex_lock(&engine->mutex);
  for (kecs_store **at = &engine->transactions; *at;) {
    kecs_store *one = *at;
    if (kecs__handle_inside(one, tx)) {
      *at = one->next;
      kecs__handle_retire(engine, one);
    } else {
      at = &one->next;
    }
  }
  if (parent->depth > 0) {
    parent->inner = NULL;
  }
  kecs__mutex_unlock(&engine->mutex);
  session->user = parent;
}

KECS_STORE_API kecs_status kecs_begin(kecs_store *store, kecs_store **out_tx) {
  kecs_status status = kecs__check_pointer(out_tx, "out_tx");
  if (status) {
    return status;
  }
  *out_tx = NULL;
  status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  if (store->engine->read_only) {
    return kecs__fail(KECS_E_READONLY, "%s is open for reading only", store->engine->shown_path);
  }
  status = kecs__check_innermost(store);
  if (status) {
    return status;
  }
  kecs_store *tx = kecs__handle_new(store);
  if (!tx) {
    return KECS_E_NOMEM;
  }
  status = kecs__check_stop(store, tx->deadline);
  if (!status && store->depth > 0) {
    tx->session = store->session;
    status = kecs__check_transaction(store);
    if (!status) {
      status = kecs__savepoint_begin(tx);
    }
  } else if (!status) {
    status = kecs__writer_take(store, tx->deadline, &tx->session);
    if (!status) {
      status = kecs__begin_write(store, tx->session);
      if (status) {
        kecs__writer_release(store->engine);
      }
    }
  }
  if (status) {
    kecs__mutex_lock(&store->engine->mutex);
    kecs__handle_retire(store->engine, tx);
    kecs__mutex_unlock(&store->engine->mutex);
    return status;
  }
  kecs__handle_list(tx);
  *out_tx = tx;
  return KECS_OK;
}

KECS__FN kecs_status kecs__transaction_abandon(kecs_store *tx) {
  kecs_status status = KECS_OK;
  kecs__engine *engine = tx->engine;
  kecs__session *session = tx->session;
  bool whole = tx->depth == 1;
  if (whole) {
    engine->backend->rollback(session->connection);
  } else if (engine->backend->in_transaction(session->connection)) {
    status = kecs__savepoint(tx, "ROLLBACK TO");
    if (!status) {
      status = kecs__savepoint(tx, "RELEASE");
    }
    tx->parent->broken = tx->parent->broken || status;
  } else {
    tx->parent->broken = true;
  }
  kecs__handle_end(tx);
  if (whole) {
    kecs__writer_release(engine);
  }
  return status;
}

/* The same after a failure, which stays what is told. */
static kecs_status kecs__transaction_give_up(kecs_store *tx, kecs_status status) {
  kecs_error error = kecs__error_save();
  (void)kecs__transaction_abandon(tx);
  (void)kecs__error_restore(&error);
  return status;
}

static kecs_status kecs__check_is_transaction(const kecs_store *tx) {
  kecs_status status = kecs__check_handle(tx);
  if (!status && tx->depth == 0) {
    status = kecs__fail(KECS_E_MISUSE, "the handle is a store, not a transaction; begin one with kecs_begin");
  }
  if (!status && tx->lent) {
    status = kecs__fail(KECS_E_MISUSE,
                        "kecs_transact ends this transaction itself: return KECS_OK to commit, anything else "
                        "to roll back");
  }
  return status;
}

KECS_STORE_API kecs_status kecs_commit(kecs_store *tx) {
  kecs_status status = kecs__check_is_transaction(tx);
  if (status) {
    return status;
  }
  kecs__engine *engine = tx->engine;
  if (tx->broken || !engine->backend->in_transaction(tx->session->connection)) {
    status = kecs__fail(KECS_E_CONFLICT, "the transaction was rolled back after an earlier error; nothing was stored");
  }
  if (!status) {
    status = kecs__check_stop(tx, tx->deadline);
  }
  if (!status) {
    status = tx->depth == 1 ? engine->backend->commit(tx->session->connection) : kecs__savepoint(tx, "RELEASE");
  }
  if (status) {
    return kecs__transaction_give_up(tx, status);
  }
  bool whole = tx->depth == 1;
  kecs__handle_end(tx);
  if (whole) {
    kecs__writer_release(engine);
  }
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_rollback(kecs_store *tx) {
  if (!tx) {
    return KECS_OK;
  }
  kecs_status status = kecs__check_is_transaction(tx);
  return status ? status : kecs__transaction_abandon(tx);
}

static kecs_status kecs__transact_once(kecs_store *store, kecs_status (*work)(kecs_store *tx, void *user), void *user) {
  kecs_store *tx = NULL;
  kecs_status status = kecs_begin(store, &tx);
  if (status) {
    return status;
  }
  tx->lent = true;
  status = work(tx, user);
  tx->lent = false;
  if (status) {
    return kecs__transaction_give_up(tx, status);
  }
  return kecs_commit(tx);
}

/* Half of the pause is chance: two writers that met once must not meet again and again. */
static int64_t kecs__retry_pause(const kecs__engine *engine, int attempt) {
  int64_t pause = KECS__RETRY_FIRST_MS;
  for (int i = 0; i < attempt && pause < KECS__RETRY_MAX_MS; i++) {
    pause *= 2;
  }
  unsigned char chance = 0;
  if (kecs__random_fill(&engine->random, &chance, 1)) {
    chance = 128;
  }
  return pause / 2 + pause * chance / 512;
}

KECS_STORE_API kecs_status kecs_transact(kecs_store *store, kecs_status (*work)(kecs_store *tx, void *user), void *user,
                                         int budget_ms) {
  kecs_status status = kecs__check_handle(store);
  if (!status && !work) {
    status = kecs__check_pointer(NULL, "work");
  }
  if (status) {
    return status;
  }
  int64_t until = kecs__monotonic_ms() + (budget_ms > 0 ? budget_ms : store->engine->busy_timeout_ms);
  for (int attempt = 0;; attempt++) {
    status = kecs__transact_once(store, work, user);
    bool again = store->depth == 0 && (status == KECS_E_BUSY || status == KECS_E_OFFLINE);
    int64_t pause = again ? kecs__retry_pause(store->engine, attempt) : 0;
    if (!again || kecs__monotonic_ms() + pause > until) {
      return status;
    }
    kecs__sleep_ms(pause);
  }
}

KECS_STORE_API kecs_status kecs_set_deadline(kecs_store *store, int64_t deadline_us) {
  kecs_status status = kecs__check_handle(store);
  if (!status) {
    kecs__mutex_lock(&store->engine->mutex);
    store->deadline = deadline_us;
    kecs__mutex_unlock(&store->engine->mutex);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_set_cancelled(kecs_store *store, bool cancelled) {
  kecs_status status = kecs__check_handle(store);
  if (!status) {
    kecs__flag_set(&store->cancelled, cancelled ? 1 : 0);
  }
  return status;
}

/* ---- store/migrate.c --------------------------------------------------------------------------------------------- */
/* store/migrate.c -- schema versions.
 *
 * The table schema_version holds one row per version that the database went through. A database is ours when it has
 * that table and the kinds', or no table at all (it is fresh). Version n to n+1 is: new kinds' tables, columns marked
 * SINCE(n+1), new indexes; then a step's own statements, if it has any (kecs__steps). Everything happens in one write
 * transaction, and the version is read again inside it, so processes that open one file at once migrate it once. */

/* ---- store/migrate.h --------------------------------------------------------------------------------------------- */
/* store/migrate.h -- the schema of the open database, brought to this version or refused. */
#ifndef KECS_STORE_MIGRATE_H
#define KECS_STORE_MIGRATE_H

/* The schema version of this library: the highest SINCE of any column, or the last step of migrate.c. */
KECS__FN int kecs__schema_version(void);

/* Creates or migrates the schema through the writing session, in one transaction, or only checks it when the store is
 * read-only. Refused untouched: a newer schema (SCHEMA_NEWER), a database of something else or one that lacks a table
 * or column (CORRUPT). */
KECS__FN kecs_status kecs__migrate(kecs_store *store);

#endif

/* ---- store/migrate.c, continued ---------------------------------------------------------------------------------- */
#include <limits.h>
#include <string.h>

#define KECS__DDL_MAX ((size_t)1 << 20)

/* What a version needs beyond new columns: SQL that converts what is there. */
typedef struct kecs__step {
  int version;
  const char *sql;
} kecs__step;

/* A step without SQL is for a version that brings nothing but indexes. */
static const kecs__step kecs__steps[] = {
    {1, ""},
};

#define KECS__STEP_COUNT (sizeof kecs__steps / sizeof kecs__steps[0])

KECS__FN int kecs__schema_version(void) {
  int version = 1;
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < info->column_count; i++) {
      version = info->columns[i].since > version ? info->columns[i].since : version;
    }
  }
  int step = kecs__steps[KECS__STEP_COUNT - 1].version;
  return step > version ? step : version;
}

/* Which tables there are: bit n for kind n's, bit 0 for schema_version. */
typedef struct kecs__tables {
  uint64_t ours;
  int strangers;
  char stranger[64];
} kecs__tables;

static kecs_status kecs__tables_visit(const char *table, void *user) {
  kecs__tables *tables = user;
  if (strcmp(table, "schema_version") == 0) {
    tables->ours |= 1;
    return KECS_OK;
  }
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    if (strcmp(kecs_kind_describe((kecs_kind)kind)->table, table) == 0) {
      tables->ours |= KECS_BIT(kind);
      return KECS_OK;
    }
  }
  if (strcmp(table, "task_definition_families") != 0 && strcmp(table, "elbv2_associations") != 0) {
    tables->strangers++;
    strncpy(tables->stranger, table, sizeof tables->stranger - 1);
  }
  return KECS_OK;
}

/* The database's version; 0 for a fresh one. */
static kecs_status kecs__version_read(kecs__session *session, kecs__tables *out_tables, int *out_version) {
  const kecs__engine *engine = session->engine;
  memset(out_tables, 0, sizeof *out_tables);
  *out_version = 0;
  kecs_status status = engine->backend->table_names(session->connection, kecs__tables_visit, out_tables);
  if (status) {
    return status;
  }
  bool versioned = (out_tables->ours & 1) && (out_tables->ours & KECS_BIT(KECS_KIND_CLUSTER));
  if (!versioned) {
    if (out_tables->strangers || out_tables->ours) {
      return kecs__fail(KECS_E_CORRUPT,
                        "%s is a database of something else (it has %s%s, but not the tables of kecs_store); "
                        "give kecs_store a file of its own. Nothing was changed",
                        engine->shown_path, out_tables->strangers ? "a table " : "tables of the same names",
                        out_tables->stranger);
    }
    return KECS_OK;
  }
  static const char sql[] = "SELECT max(version) FROM schema_version";
  kecs__cached *cached = NULL;
  bool row = false;
  status = kecs__statement_text(session, sql, sizeof sql - 1, &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, NULL, 0, &row);
  }
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    int64_t version = value.type == KECS_VALUE_INT && value.number > 0 ? value.number : 0;
    *out_version = version < INT_MAX ? (int)version : INT_MAX;
  }
  kecs__statement_done(session, cached);
  if (!status && *out_version == 0) {
    status = kecs__fail(KECS_E_CORRUPT, "%s: its table schema_version says no version; it is damaged, or a database of "
                                        "something else. Nothing was changed",
                        engine->shown_path);
  }
  return status;
}

/* ---- every column that this version needs is there ---- */

typedef struct kecs__present {
  const kecs_kind_info *info;
  uint64_t columns;
  bool rid;
} kecs__present;

static kecs_status kecs__present_visit(const char *name, void *user) {
  kecs__present *present = user;
  int column = kecs_column_find(present->info, name);
  if (column >= 0) {
    present->columns |= KECS_BIT(column);
  }
  present->rid = present->rid || strcmp(name, "rid") == 0;
  return KECS_OK;
}

static kecs_status kecs__present_read(kecs__session *session, const kecs_kind_info *info, kecs__present *out_present) {
  memset(out_present, 0, sizeof *out_present);
  out_present->info = info;
  return session->engine->backend->table_columns(session->connection, info->table, kecs__present_visit, out_present);
}

static kecs_status kecs__schema_assert(kecs__session *session) {
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs__present present;
    kecs_status status = kecs__present_read(session, info, &present);
    if (status) {
      return status;
    }
    for (int i = 0; present.rid && i < info->column_count; i++) {
      if (!(present.columns & KECS_BIT(i))) {
        return kecs__fail(KECS_E_CORRUPT,
                          "%s: the table %s lacks the column \"%s\"; restore a backup, or add the column",
                          session->engine->shown_path, info->table, info->columns[i].name);
      }
    }
    if (!present.rid) {
      return kecs__fail(KECS_E_CORRUPT, "%s: the table \"%s\" does not exist or has no rid; restore a backup",
                        session->engine->shown_path, info->table);
    }
  }
  return KECS_OK;
}

/* ---- making and migrating ---- */

static void kecs__migrate_kind(kecs__text *out, const kecs__engine *engine, const kecs_kind_info *info,
                               const kecs__present *present) {
  const kecs_dialect *dialect = engine->backend->dialect;
  if (!present->rid) {
    kecs__ddl_table(out, dialect, info);
  }
  for (int i = 0; present->rid && i < info->column_count; i++) {
    if (!(present->columns & KECS_BIT(i))) {
      kecs__ddl_add_column(out, dialect, info, i);
    }
  }
  kecs__ddl_indexes(out, info);
}

static kecs_status kecs__migrate_apply(kecs__write *write, int from) {
  kecs__engine *engine = write->engine;
  kecs__text text;
  kecs__text_init(&text, &engine->allocator, KECS__DDL_MAX);
  kecs__ddl_side_tables(&text, engine->backend->dialect);
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
    kecs__present present;
    status = kecs__present_read(write->session, info, &present);
    if (!status) {
      kecs__migrate_kind(&text, engine, info, &present);
    }
  }
  for (size_t i = 0; i < KECS__STEP_COUNT; i++) {
    if (kecs__steps[i].version > from) {
      kecs__text_adds(&text, kecs__steps[i].sql);
    }
  }
  for (int version = from + 1; version <= kecs__schema_version(); version++) {
    kecs__text_addf(&text, "INSERT INTO schema_version(version,applied_at) VALUES(%d,%lld);\n", version,
                    (long long)write->now);
  }
  if (!status) {
    status = text.status;
  }
  if (!status) {
    status = engine->backend->execute(write->session->connection, text.data);
  }
  kecs__text_free(&text);
  return status;
}

static kecs_status kecs__version_check(const kecs__engine *engine, int found) {
  if (found <= kecs__schema_version()) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_SCHEMA_NEWER, "%s has schema version %d, this library knows %d; use a newer kecs_store. "
                                         "Nothing was changed",
                    engine->shown_path, found, kecs__schema_version());
}

static kecs_status kecs__migrate_write(kecs_store *store) {
  kecs__write write;
  kecs_status status = kecs__write_open(store, &write);
  kecs__tables tables;
  int version = 0;
  if (!status) {
    status = kecs__version_read(write.session, &tables, &version);
  }
  if (!status) {
    status = kecs__version_check(store->engine, version);
  }
  if (!status && version < kecs__schema_version()) {
    status = kecs__migrate_apply(&write, version);
  }
  status = kecs__write_close(&write, status);
  if (!status && version < kecs__schema_version()) {
    kecs__log(store->engine, KECS_LOG_INFO, "%s: schema version %d -> %d", store->engine->shown_path, version,
              kecs__schema_version());
  }
  return status;
}

KECS__FN kecs_status kecs__migrate(kecs_store *store) {
  kecs__engine *engine = store->engine;
  kecs__session *session = engine->writer;
  kecs__tables tables;
  int version = 0;
  kecs_status status = kecs__version_read(session, &tables, &version);
  if (!status) {
    status = kecs__version_check(engine, version);
  }
  if (!status && engine->read_only && version < kecs__schema_version()) {
    return kecs__fail(KECS_E_READONLY, "%s has schema version %d and must be migrated to %d: open it for writing once",
                      engine->shown_path, version, kecs__schema_version());
  }
  bool older = version < kecs__schema_version();
  if (!status && !older) {
    status = kecs__schema_assert(session); /* before anything lasting is done to the file */
  }
  if (!status && !engine->read_only) {
    status = engine->backend->settle(session->connection);
  }
  if (!status && older) {
    status = kecs__migrate_write(store);
    status = status ? status : kecs__schema_assert(session);
  }
  engine->schema_version = status ? 0 : kecs__schema_version();
  return status;
}

/* ---- store/open.c ------------------------------------------------------------------------------------------------ */
/* store/open.c -- kecs_open and kecs_close: options to an engine, and everything given back in reverse. */

#include <stdio.h>
#include <string.h>

KECS_STORE_API const char *kecs_version(void) {
  return KECS_STORE_VERSION;
}

/* Every backend gets the first look at the path in the order given; SQLite takes what is no URL. */
static kecs_status kecs__open_backend(const kecs_options *options, const kecs_backend **out_backend) {
  const char *path = kecs__profile_path(options);
  for (const kecs_backend *const *at = options->backends; at && *at; at++) {
    if ((*at)->abi != KECS_BACKEND_ABI) {
      return kecs__fail(KECS_E_UNSUPPORTED,
                        "backend \"%s\" has interface version %d, this library %d; rebuild both from one "
                        "release",
                        (*at)->name, (*at)->abi, KECS_BACKEND_ABI);
    }
    if ((*at)->answers_to(path)) {
      *out_backend = *at;
      return KECS_OK;
    }
  }
  *out_backend = kecs_sqlite_backend();
  if ((*out_backend)->answers_to(path)) {
    return KECS_OK;
  }
  int scheme = (int)(strstr(path, "://") - path);
  return kecs__fail(KECS_E_UNSUPPORTED, "no backend opens URLs that begin with \"%.*s://\"; for PostgreSQL set "
                                        "options.backends, for SQLite give a plain path",
                    scheme < 32 ? scheme : 32, path);
}

static kecs_status kecs__open_texts(kecs__engine *engine, const kecs_options *options) {
  const char *account = options->account_id ? options->account_id : "000000000000";
  const char *region = options->region ? options->region : "us-east-1";
  const char *path = kecs__profile_path(options);
  engine->path = kecs__copy_text(&engine->allocator, path);
  engine->shown_path = engine->path ? kecs__copy_text(&engine->allocator, path) : NULL;
  engine->account_id = engine->shown_path ? kecs__copy_text(&engine->allocator, account) : NULL;
  engine->region = engine->account_id ? kecs__copy_text(&engine->allocator, region) : NULL;
  return engine->region ? KECS_OK : KECS_E_NOMEM;
}

static void kecs__open_defaults(kecs__engine *engine, const kecs_options *options) {
  engine->logger = options->logger;
  engine->clock = options->clock;
  engine->random = options->random;
  engine->read_only = options->read_only;
  engine->strict = options->strict;
  engine->no_foreign_keys = options->no_foreign_keys;
  kecs__profile_apply(engine, options);
}

static void kecs__release_text(const kecs_allocator *allocator, char *text) {
  kecs__release(allocator, text, text ? strlen(text) + 1 : 0);
}

static void kecs__release_handles(kecs__engine *engine, kecs_store *list) {
  while (list) {
    kecs_store *next = list->next;
    kecs__release(&engine->allocator, list, sizeof *list);
    list = next;
  }
}

/* Gives everything back; works on an engine that was opened only in part. */
static void kecs__engine_free(kecs__engine *engine) {
  kecs__pool_free(engine);
  kecs__session_close(engine->writer);
  kecs__release_handles(engine, engine->spare_handles);
  kecs__meta_free(engine);
  kecs__release_text(&engine->allocator, engine->path);
  kecs__release_text(&engine->allocator, engine->shown_path);
  kecs__release_text(&engine->allocator, engine->account_id);
  kecs__release_text(&engine->allocator, engine->region);
  kecs__condition_destroy(&engine->arrival);
  kecs__condition_destroy(&engine->released);
  kecs__mutex_destroy(&engine->mutex);
  kecs_allocator allocator = engine->allocator;
  kecs__release(&allocator, engine, sizeof *engine);
  kecs__quota_close(&allocator);
}

/* The mutex and the conditions, or none of them. */
static kecs_status kecs__engine_locks(kecs__engine *engine) {
  kecs_status status = kecs__mutex_init(&engine->mutex);
  if (status) {
    return status;
  }
  status = kecs__condition_init(&engine->released);
  if (!status) {
    status = kecs__condition_init(&engine->arrival);
    if (status) {
      kecs__condition_destroy(&engine->released);
    }
  }
  if (status) {
    kecs__mutex_destroy(&engine->mutex);
  }
  return status;
}

static kecs_status kecs__engine_new(const kecs_options *options, kecs__engine **out_engine) {
  kecs_allocator allocator;
  size_t most = kecs__profile_memory(options);
  kecs_status status = kecs__allocator_resolve(&options->allocator, &allocator);
  if (!status && most > 0) {
    status = kecs__quota_open(&allocator, most);
  }
  if (status) {
    return status;
  }
  kecs__engine *engine = kecs__alloc_zero(&allocator, sizeof *engine);
  status = engine ? kecs__engine_locks(engine) : KECS_E_NOMEM;
  if (status) {
    kecs__release(&allocator, engine, sizeof *engine);
    kecs__quota_close(&allocator);
    return status;
  }
  engine->allocator = allocator;
  engine->queue_end = &engine->queue;
  engine->last_writer = kecs__thread_self();
  *out_engine = engine;
  return KECS_OK;
}

static kecs_status kecs__engine_start(kecs_store *store, const kecs_options *options) {
  kecs__engine *engine = store->engine;
  kecs__open_defaults(engine, options);
  kecs_status status = kecs__open_backend(options, &engine->backend);
  if (!status) {
    status = kecs__open_texts(engine, options);
  }
  if (!status) {
    status = kecs__meta_init(engine);
  }
  if (!status) {
    engine->shared = engine->backend->shares(engine->path);
    engine->pool_checked_ms = kecs__monotonic_ms();
    engine->shares_commits = engine->shared && engine->backend->one_writer;
    status = kecs__session_open(engine, false, !options->must_exist && !options->read_only, &engine->writer);
  }
  if (!status) {
    status = kecs__migrate(store);
  }
  return status ? status : engine->backend->describe(engine->writer->connection, &engine->settings);
}

KECS_STORE_API kecs_status kecs_open(const kecs_options *options, kecs_store **out_store) {
  kecs_status status = kecs__check_pointer(out_store, "out_store");
  if (status) {
    return status;
  }
  *out_store = NULL;
  status = kecs__check_pointer(options, "options");
  if (!status) {
    status = kecs__profile_check(options);
  }
  kecs__engine *engine = NULL;
  if (!status) {
    status = kecs__engine_new(options, &engine);
  }
  if (status) {
    return status;
  }
  kecs_store *store = kecs__alloc_zero(&engine->allocator, sizeof *store);
  if (!store) {
    kecs__engine_free(engine);
    return KECS_E_NOMEM;
  }
  store->engine = engine;
  store->magic = KECS__MAGIC_OPEN;
  status = kecs__engine_start(store, options);
  if (status) {
    kecs_error error = kecs__error_save();
    kecs__release(&engine->allocator, store, sizeof *store);
    kecs__engine_free(engine);
    return kecs__error_restore(&error);
  }
  *out_store = store;
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_close(kecs_store *store) {
  if (!store) {
    return KECS_OK;
  }
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  if (store->depth > 0) {
    return kecs__fail(KECS_E_MISUSE, "the handle is a transaction; end it with kecs_commit or kecs_rollback");
  }
  kecs__engine *engine = store->engine;
  kecs_store *outermost = engine->transactions;
  while (outermost && outermost->depth > 1) {
    outermost = outermost->parent;
  }
  if (outermost) {
    kecs__log(engine, KECS_LOG_WARNING, "%s: closed with an open transaction; it was rolled back", engine->shown_path);
    (void)kecs__transaction_abandon(outermost);
  }
  store->magic = KECS__MAGIC_ENDED;
  kecs__release(&engine->allocator, store, sizeof *store);
  kecs__engine_free(engine);
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_store_info(kecs_store *store, kecs_info *out_info) {
  kecs_status status = kecs__check_pointer(out_info, "out_info");
  if (status) {
    return status;
  }
  memset(out_info, 0, sizeof *out_info);
  kecs__session *session = NULL;
  status = kecs__read_open(store, &session);
  if (status) {
    return status;
  }
  kecs__engine *engine = store->engine;
  kecs__pool_describe(engine, &out_info->pool);
  out_info->backend = engine->backend->name;
  out_info->path = engine->shown_path;
  out_info->schema_version = engine->schema_version;
  out_info->read_only = engine->read_only;
  out_info->account_id = engine->account_id;
  out_info->region = engine->region;
  status = engine->backend->describe(session->connection, out_info);
  /* These are the writing connection's own, and only it changes the file. */
  out_info->synchronous = engine->settings.synchronous;
  out_info->cache_bytes = engine->settings.cache_bytes;
  out_info->wal_checkpoint_bytes = engine->read_only ? 0 : engine->settings.wal_checkpoint_bytes;
  out_info->wal_limit_bytes = engine->read_only ? 0 : engine->settings.wal_limit_bytes;
  kecs__read_close(store, session);
  return status;
}

/* ---- store/result.c ---------------------------------------------------------------------------------------------- */
/* store/result.c -- rows in memory: results, and the way between structs and column values. */

/* ---- store/result.h ---------------------------------------------------------------------------------------------- */
/* store/result.h -- results: rows and their texts in one arena. */
#ifndef KECS_STORE_RESULT_H
#define KECS_STORE_RESULT_H

struct kecs_result {
  kecs_allocator allocator; /* a copy: the result outlives the store */
  kecs__arena arena;
  kecs_kind kind;           /* 0: rows of no kind */
  size_t row_size;
  char *rows;
  size_t count;
  size_t capacity;
  size_t first_rows;        /* room to begin with */
  const char *page_token;
};

/* An empty result for rows of this size. */
KECS__FN kecs_status kecs__result_new(const kecs_allocator *allocator, kecs_kind kind, size_t row_size,
                                      kecs_result **out_result);

/* Room for one more row, zeroed; NULL means NOMEM. Rows may move, their texts do not. */
KECS__FN void *kecs__result_add(kecs_result *result);

/* The same, not zeroed: for a row that kecs__row_fetch fills. */
KECS__FN void *kecs__result_room(kecs_result *result);

/* Reads a row of a kind from column values (every column in order) into `row`, texts into the arena. CORRUPT when a
 * value is not of its column's type. */
KECS__FN kecs_status kecs__row_read(const kecs__meta *meta, const kecs_value *values, kecs__arena *arena, void *row);

/* The current row of a statement that selects every column, read into `row`. */
KECS__FN kecs_status kecs__row_fetch(kecs__session *session, kecs__cached *cached, const kecs__meta *meta,
                                     kecs__arena *arena, void *row);

/* One column of a row as a value; texts are borrowed from the row. */
KECS__FN kecs_value kecs__row_value(const kecs_kind_info *info, const void *row, int column);

/* Sets one column; texts are borrowed by the row. */
KECS__FN void kecs__row_set(const kecs_kind_info *info, void *row, int column, const kecs_value *value);

/* Shorthands for TEXT columns by number; column -1 reads NULL and sets nothing. */
KECS__FN const char *kecs__row_text(const kecs_kind_info *info, const void *row, int column);
KECS__FN void kecs__row_set_text(const kecs_kind_info *info, void *row, int column, const char *text);
KECS__FN int64_t kecs__row_number(const kecs_kind_info *info, const void *row, int column);
KECS__FN void kecs__row_set_number(const kecs_kind_info *info, void *row, int column, int64_t number);

/* Whether two values of a column are the same content. */
KECS__FN bool kecs__value_same(const kecs_value *a, const kecs_value *b);

/* What names a row in a message: its ARN, or its natural key's columns. */
KECS__FN void kecs__row_name(const kecs_kind_info *info, const void *row, char out[160]);

#endif

/* ---- store/result.c, continued ----------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

KECS__FN kecs_status kecs__result_new(const kecs_allocator *allocator, kecs_kind kind, size_t row_size,
                                      kecs_result **out_result) {
  *out_result = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, allocator);
  kecs_result *result = kecs__arena_take(&arena, sizeof *result);
  if (!result) {
    return KECS_E_NOMEM;
  }
  memset(result, 0, sizeof *result);
  result->allocator = *allocator;
  result->arena = arena;
  result->arena.allocator = &result->allocator;
  result->kind = kind;
  result->row_size = row_size;
  result->first_rows = 1;
  *out_result = result;
  return KECS_OK;
}

KECS__FN void *kecs__result_add(kecs_result *result) {
  void *row = kecs__result_room(result);
  if (row) {
    memset(row, 0, result->row_size);
  }
  return row;
}

KECS__FN void *kecs__result_room(kecs_result *result) {
  if (result->count == result->capacity) {
    size_t capacity = result->capacity ? result->capacity * 4 : result->first_rows;
    char *rows = kecs__arena_take(&result->arena, capacity * result->row_size);
    if (!rows) {
      return NULL;
    }
    if (result->count > 0) {
      memcpy(rows, result->rows, result->count * result->row_size);
    }
    result->rows = rows;
    result->capacity = capacity;
  }
  return result->rows + result->count++ * result->row_size;
}

KECS_STORE_API void kecs_result_free(kecs_result *result) {
  if (result) {
    kecs_allocator allocator = result->allocator;
    kecs__arena arena = result->arena; /* the result itself lies in the arena */
    arena.allocator = &allocator;
    kecs__arena_free(&arena);
  }
}

KECS_STORE_API size_t kecs_result_count(const kecs_result *result) {
  return result ? result->count : 0;
}

KECS_STORE_API kecs_kind kecs_result_kind(const kecs_result *result) {
  return result ? result->kind : (kecs_kind)0;
}

KECS_STORE_API const char *kecs_result_page_token(const kecs_result *result) {
  return result ? result->page_token : NULL;
}

/* ---- rows and values ---- */

static void *kecs__row_field(const kecs_kind_info *info, void *row, int column) {
  return (char *)row + info->columns[column].offset;
}

static kecs_status kecs__row_damaged(const kecs_kind_info *info, int column) {
  return kecs__fail(KECS_E_CORRUPT, "table %s: the column %s of a row holds a value of another type; restore a backup",
                    info->table, info->columns[column].name);
}

static kecs_status kecs__row_field_read(const kecs_kind_info *info, int column, const kecs_value *value,
                                        kecs__arena *arena, char *field) {
  bool null = value->type == KECS_VALUE_NULL;
  kecs_column_type type = info->columns[column].type;
  if (type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON) {
    char *text = NULL;
    if (value->type == KECS_VALUE_TEXT) {
      text = value->text ? kecs__arena_bytes(arena, value->len + 1) : NULL;
      if (!text) {
        return kecs__fail_nomem();
      }
      memcpy(text, value->text, value->len + 1);
    } else if (!null) {
      return kecs__row_damaged(info, column);
    }
    memcpy(field, &text, sizeof text);
    return KECS_OK;
  }
  if (value->type == KECS_VALUE_TEXT) {
    return kecs__row_damaged(info, column);
  }
  int64_t number = null ? 0 : value->number;
  if (type == KECS_TYPE_BOOL) {
    bool truth = number != 0;
    memcpy(field, &truth, sizeof truth);
  } else if (type == KECS_TYPE_OPTI) {
    kecs_opt_int opt = {number, !null};
    memcpy(field, &opt, sizeof opt);
  } else {
    memcpy(field, &number, sizeof number);
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__row_read(const kecs__meta *meta, const kecs_value *values, kecs__arena *arena, void *row) {
  const kecs_kind_info *info = meta->info;
  kecs_status status = KECS_OK;
  for (int i = 0; i < info->column_count && !status; i++) {
    status = kecs__row_field_read(info, i, &values[i], arena, (char *)row + info->columns[i].offset);
  }
  return status;
}

/* As kecs__row_read, for the path that every get and list takes: the backend was told the types, so nothing is asked
 * twice. */
KECS__FN kecs_status kecs__row_fetch(kecs__session *session, kecs__cached *cached, const kecs__meta *meta,
                                     kecs__arena *arena, void *row) {
  kecs_value values[64];
  int count = meta->info->column_count;
  session->engine->backend->columns(cached->statement, meta->types, values, count);
  for (int i = 0; i < count; i++) {
    const kecs_value *value = &values[i];
    char *field = (char *)row + meta->offsets[i];
    if (meta->types[i] == KECS_VALUE_TEXT) {
      char *text = NULL;
      if (value->type == KECS_VALUE_TEXT) {
        text = value->text ? kecs__arena_bytes(arena, value->len + 1) : NULL;
        if (!text) {
          return kecs__fail_nomem();
        }
        memcpy(text, value->text, value->len + 1);
      }
      memcpy(field, &text, sizeof text);
    } else if (meta->types[i] == KECS_VALUE_BOOL) {
      bool truth = value->number != 0;
      memcpy(field, &truth, sizeof truth);
    } else if (meta->types[i] == KECS_VALUE_NULL) {
      kecs_opt_int opt = {value->type == KECS_VALUE_NULL ? 0 : value->number, value->type != KECS_VALUE_NULL};
      memcpy(field, &opt, sizeof opt);
    } else {
      memcpy(field, &value->number, sizeof value->number);
    }
  }
  return KECS_OK;
}

KECS__FN kecs_value kecs__row_value(const kecs_kind_info *info, const void *row, int column) {
  const char *field = (const char *)row + info->columns[column].offset;
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  switch (info->columns[column].type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON: {
      const char *text;
      memcpy(&text, field, sizeof text);
      return kecs__value_text(text);
    }
    case KECS_TYPE_OPTI: {
      kecs_opt_int number;
      memcpy(&number, field, sizeof number);
      return number.has ? kecs__value_int(number.value) : value;
    }
    case KECS_TYPE_BOOL: {
      bool truth;
      memcpy(&truth, field, sizeof truth);
      value.type = KECS_VALUE_BOOL;
      value.number = truth ? 1 : 0;
      return value;
    }
    case KECS_TYPE_TIME: {
      int64_t micros;
      memcpy(&micros, field, sizeof micros);
      return kecs__value_time(micros);
    }
    case KECS_TYPE_INT:
    case KECS_TYPE_RANK:
      break;
  }
  memcpy(&value.number, field, sizeof value.number);
  value.type = KECS_VALUE_INT;
  return value;
}

KECS__FN void kecs__row_set(const kecs_kind_info *info, void *row, int column, const kecs_value *value) {
  void *field = kecs__row_field(info, row, column);
  bool null = value->type == KECS_VALUE_NULL;
  switch (info->columns[column].type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON: {
      const char *text = null ? NULL : value->text;
      memcpy(field, &text, sizeof text);
      break;
    }
    case KECS_TYPE_OPTI: {
      kecs_opt_int number = {null ? 0 : value->number, !null};
      memcpy(field, &number, sizeof number);
      break;
    }
    case KECS_TYPE_BOOL: {
      bool truth = !null && value->number != 0;
      memcpy(field, &truth, sizeof truth);
      break;
    }
    case KECS_TYPE_INT:
    case KECS_TYPE_TIME:
    case KECS_TYPE_RANK: {
      int64_t number = null ? 0 : value->number;
      memcpy(field, &number, sizeof number);
      break;
    }
  }
}

KECS__FN const char *kecs__row_text(const kecs_kind_info *info, const void *row, int column) {
  return column < 0 ? NULL : kecs__row_value(info, row, column).text;
}

KECS__FN void kecs__row_set_text(const kecs_kind_info *info, void *row, int column, const char *text) {
  if (column >= 0) {
    memcpy(kecs__row_field(info, row, column), &text, sizeof text);
  }
}

KECS__FN int64_t kecs__row_number(const kecs_kind_info *info, const void *row, int column) {
  return column < 0 ? 0 : kecs__row_value(info, row, column).number;
}

KECS__FN void kecs__row_set_number(const kecs_kind_info *info, void *row, int column, int64_t number) {
  if (column >= 0) {
    kecs_value value = kecs__value_int(number);
    kecs__row_set(info, row, column, &value);
  }
}

KECS__FN bool kecs__value_same(const kecs_value *a, const kecs_value *b) {
  if (a->type == KECS_VALUE_NULL || b->type == KECS_VALUE_NULL) {
    return a->type == b->type;
  }
  if (a->type == KECS_VALUE_TEXT || b->type == KECS_VALUE_TEXT) {
    return a->type == b->type && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
  }
  return a->number == b->number;
}

KECS__FN void kecs__row_name(const kecs_kind_info *info, const void *row, char out[160]) {
  size_t used = 0;
  out[0] = '\0';
  const kecs_column_list *key = &info->keys[0];
  const char *arn = kecs__row_text(info, row, key->columns[0]);
  if (!arn || !arn[0]) {
    key = key->count == 1 ? &info->address : key; /* a row on its way in may not have its ARN yet */
  }
  for (int i = 0; i < key->count && used < 159; i++) {
    char part[160];
    bool set = kecs_record_text(info, row, key->columns[i], part, sizeof part, NULL);
    int len = snprintf(out + used, 160 - used, "%s%s", i > 0 ? "," : "", set ? part : "");
    used += len > 0 ? (size_t)len : 0;
  }
}

/* ---- store/token.c ----------------------------------------------------------------------------------------------- */
/* store/token.c -- see token.h for the bytes. */

/* ---- store/token.h ----------------------------------------------------------------------------------------------- */
/* store/token.h -- page tokens: where a page ended, as opaque text.
 *
 * Bytes: version 1, kind, hash of the query (8, little-endian), then each order value as a type byte and 8 bytes of
 * number or a 4-byte length and the text; last a check sum (8). The whole is written in the URL-safe base 64 alphabet
 * without padding. */
#ifndef KECS_STORE_TOKEN_H
#define KECS_STORE_TOKEN_H

KECS__FN kecs_status kecs__token_write(kecs_kind kind, uint64_t hash, const kecs_value *values, int count,
                                       kecs__arena *arena, const char **out_token);

/* INVALID when it is no token, was changed, or belongs to another query. Texts go to the arena. */
KECS__FN kecs_status kecs__token_read(const char *token, kecs_kind kind, uint64_t hash, kecs__arena *arena,
                                      kecs_value *values, int count);

/* Takes bytes into a hash; start with KECS__HASH_START. */
#define KECS__HASH_START UINT64_C(0xCBF29CE484222325)
KECS__FN uint64_t kecs__hash(uint64_t hash, const void *bytes, size_t len);

#endif

/* ---- store/token.c, continued ------------------------------------------------------------------------------------ */
#include <string.h>

#define KECS__TOKEN_VERSION 1
#define KECS__TOKEN_MAX ((size_t)1 << 20)

static const char kecs__token_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* FNV-1a: the token is no secret, the sum only tells an accident or a careless hand. */
KECS__FN uint64_t kecs__hash(uint64_t hash, const void *bytes, size_t len) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < len; i++) {
    hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
  }
  return hash;
}

static void kecs__token_number(kecs__text *out, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; i++) {
    kecs__text_addc(out, (char)(unsigned char)(number >> (8 * i)));
  }
}

static const char *kecs__token_encode(const kecs__text *bytes, kecs__arena *arena) {
  char *out = kecs__arena_bytes(arena, bytes->len * 4 / 3 + 4);
  char *at = out;
  if (!out) {
    return NULL;
  }
  for (size_t i = 0; i < bytes->len; i += 3) {
    size_t left = bytes->len - i;
    uint32_t group = 0;
    for (size_t b = 0; b < 3; b++) {
      group = (group << 8) | (b < left ? (unsigned char)bytes->data[i + b] : 0);
    }
    for (size_t c = 0; c < (left < 3 ? left + 1 : 4); c++) {
      *at++ = kecs__token_alphabet[(group >> (18 - 6 * c)) & 63];
    }
  }
  *at = '\0';
  return out;
}

KECS__FN kecs_status kecs__token_write(kecs_kind kind, uint64_t hash, const kecs_value *values, int count,
                                       kecs__arena *arena, const char **out_token) {
  kecs__text bytes;
  kecs__text_init(&bytes, arena->allocator, KECS__TOKEN_MAX);
  kecs__text_addc(&bytes, KECS__TOKEN_VERSION);
  kecs__text_addc(&bytes, (char)(unsigned char)kind);
  kecs__token_number(&bytes, hash, 8);
  for (int i = 0; i < count; i++) {
    kecs__text_addc(&bytes, (char)values[i].type);
    if (values[i].type == KECS_VALUE_TEXT) {
      kecs__token_number(&bytes, values[i].len, 4);
      kecs__text_add(&bytes, values[i].text, values[i].len);
    } else {
      kecs__token_number(&bytes, (uint64_t)values[i].number, 8);
    }
  }
  uint64_t sum = kecs__hash(KECS__HASH_START, bytes.data, bytes.len);
  kecs__token_number(&bytes, sum, 8);
  kecs_status status = bytes.status;
  *out_token = status ? NULL : kecs__token_encode(&bytes, arena);
  kecs__text_free(&bytes);
  return status ? status : (*out_token ? KECS_OK : KECS_E_NOMEM);
}

static kecs_status kecs__token_bad(void) {
  return kecs__fail(KECS_E_INVALID, "invalid next token: it is not one of this query's page tokens; "
                                    "start again without a token");
}

/* Decoded bytes with a cursor. */
typedef struct kecs__token_bytes {
  const unsigned char *at;
  const unsigned char *end;
} kecs__token_bytes;

static bool kecs__token_decode(const char *token, kecs__arena *arena, kecs__token_bytes *out) {
  size_t len = strlen(token);
  unsigned char *bytes =
      len > KECS__TOKEN_MAX || len % 4 == 1 ? NULL : (unsigned char *)kecs__arena_bytes(arena, len + 3);
  size_t count = 0;
  for (size_t i = 0; bytes && i < len; i += 4) {
    size_t left = len - i < 4 ? len - i : 4;
    uint32_t group = 0;
    for (size_t c = 0; c < 4; c++) {
      const char *found = c < left ? strchr(kecs__token_alphabet, token[i + c]) : kecs__token_alphabet;
      if (!found) {
        return false;
      }
      group = (group << 6) | (uint32_t)(found - kecs__token_alphabet);
    }
    for (size_t b = 0; b + 1 < left; b++) {
      bytes[count++] = (unsigned char)(group >> (16 - 8 * b));
    }
  }
  out->at = bytes;
  out->end = bytes ? bytes + count : NULL;
  return bytes != NULL;
}

static uint64_t kecs__token_take(kecs__token_bytes *bytes, int count) {
  uint64_t number = 0;
  if (bytes->end - bytes->at < count) {
    bytes->at = bytes->end;
    return 0;
  }
  for (int i = 0; i < count; i++) {
    number |= (uint64_t)*bytes->at++ << (8 * i);
  }
  return number;
}

static bool kecs__token_value(kecs__token_bytes *bytes, kecs__arena *arena, kecs_value *out) {
  if (bytes->at == bytes->end) {
    return false;
  }
  memset(out, 0, sizeof *out);
  out->type = (kecs_value_type)*bytes->at++;
  if (out->type != KECS_VALUE_TEXT) {
    out->number = (int64_t)kecs__token_take(bytes, 8);
    return out->type == KECS_VALUE_INT || out->type == KECS_VALUE_TIME || out->type == KECS_VALUE_BOOL;
  }
  out->len = (size_t)kecs__token_take(bytes, 4);
  if (out->len > (size_t)(bytes->end - bytes->at)) {
    return false;
  }
  out->text = kecs__arena_text(arena, (const char *)bytes->at, out->len);
  bytes->at += out->len;
  return out->text != NULL;
}

KECS__FN kecs_status kecs__token_read(const char *token, kecs_kind kind, uint64_t hash, kecs__arena *arena,
                                      kecs_value *values, int count) {
  kecs__token_bytes bytes;
  if (!kecs__token_decode(token, arena, &bytes) || bytes.end - bytes.at < 18) {
    return kecs__token_bad();
  }
  kecs__token_bytes sum = {bytes.end - 8, bytes.end};
  bytes.end -= 8;
  if (kecs__token_take(&sum, 8) != kecs__hash(KECS__HASH_START, bytes.at, (size_t)(bytes.end - bytes.at))) {
    return kecs__token_bad();
  }
  if (kecs__token_take(&bytes, 1) != KECS__TOKEN_VERSION || kecs__token_take(&bytes, 1) != (uint64_t)kind ||
      kecs__token_take(&bytes, 8) != hash) {
    return kecs__token_bad();
  }
  for (int i = 0; i < count; i++) {
    if (!kecs__token_value(&bytes, arena, &values[i])) {
      return kecs__token_bad();
    }
  }
  return bytes.at == bytes.end ? KECS_OK : kecs__token_bad();
}

/* ---- store/locate.c ---------------------------------------------------------------------------------------------- */
/* store/locate.c -- addresses to unique keys, and the one read by a key that get, delete and assign share. */

/* ---- store/locate.h ---------------------------------------------------------------------------------------------- */
/* store/locate.h -- from what a caller addresses a row by (name, id, ARN, parts of a key) to one unique key. */
#ifndef KECS_STORE_LOCATE_H
#define KECS_STORE_LOCATE_H

/* ---- store/special.h --------------------------------------------------------------------------------------------- */
/* store/special.h -- what is special to a kind: the few functions that the general code calls for it. A kind's file in
 * store/ implements them; a kind that is not in the table needs none. */
#ifndef KECS_STORE_SPECIAL_H
#define KECS_STORE_SPECIAL_H

typedef struct kecs__probe kecs__probe; /* store/locate.h */

typedef struct kecs__special {
  kecs_kind kind;

  /* Fills what only this kind knows into a row on its way in (a copy that may be changed; texts go to write->arena):
   * names from an ARN, an ARN from names, parents. `fresh` is false for a row that is only updated. */
  kecs_status (*fill)(kecs__write *write, const kecs__meta *meta, void *row, bool fresh);

  /* Turns an address that is not an ARN into a unique key, where the general rule does not do. */
  kecs_status (*probe)(kecs__session *session, const kecs__meta *meta, const kecs_value *address, kecs__arena *arena,
                       kecs__probe *out_probe);

  /* Called after a row was inserted, changed (columns in `changed`) or before it is deleted: keeps look-up tables in
   * step. `before` is NULL for an insert, `after` for a delete. */
  kecs_status (*follow)(kecs__write *write, const kecs__meta *meta, const void *before, const void *after,
                        uint64_t changed);

  /* Whether a row that is put without its ARN is always a new one: a task definition is registered, not replaced. NULL:
   * no. */
  bool (*is_new)(const kecs__meta *meta, const void *row);

  uint64_t followed; /* the columns whose change `follow` wants to see */
} kecs__special;

/* The kind's row of the table, or one whose functions are all NULL. */
KECS__FN const kecs__special *kecs__special_of(kecs_kind kind);

/* What the general fill offers to the kinds' own: "arn:aws:SERVICE:REGION:ACCOUNT:REST" taken apart. Texts go to the
 * arena. False when it is no ARN of that service; out pointers may be NULL. */
KECS__FN bool kecs__arn_parse(const char *arn, const char *service, kecs__arena *arena, char **out_region,
                              char **out_account, char **out_rest);
KECS__FN char *kecs__arn_format(kecs__write *write, const char *service, const char *region, const char *account,
                                const char *format, ...) KECS_STORE_PRINTF(5, 6);

/* The last part of an ARN's resource: after the last slash, or the last colon. Points into `arn`. */
KECS__FN const char *kecs__arn_tail(const char *arn);

KECS__FN bool kecs__is_arn(const char *text);

/* A parent given by name: its ARN, from the store when it is there, else as AWS would make it. An ARN and NULL are
 * given back as they are. */
KECS__FN kecs_status kecs__resolve_parent(kecs__session *session, kecs_kind parent, const char *text,
                                          kecs__arena *arena, const char **out_arn);

#endif

/* ---- store/locate.h, continued ----------------------------------------------------------------------------------- */
/* A unique key with its values, and the columns that must be equal besides. Texts are borrowed from the caller and the
 * arena. */
struct kecs__probe {
  int key; /* number of the unique key */
  int count;
  kecs_value values[KECS_KEY_COLUMNS_MAX];
  int check_count;
  int check_columns[KECS_KEY_COLUMNS_MAX];
  kecs_value check_values[KECS_KEY_COLUMNS_MAX];
  char shown[160]; /* the address, for messages; "": what the values say */
};

/* From address parts, in the order of the kind's address. */
KECS__FN kecs_status kecs__probe_address(kecs__session *session, const kecs__meta *meta, const kecs_value *address,
                                         int count, kecs__arena *arena, kecs__probe *out_probe);

/* From one text, as for kecs_record_get. */
KECS__FN kecs_status kecs__probe_text(kecs__session *session, const kecs__meta *meta, const char *text,
                                      kecs__arena *arena, kecs__probe *out_probe);

/* From a row whose natural key is set, or the columns of another unique key. */
KECS__FN kecs_status kecs__probe_row(kecs__session *session, const kecs__meta *meta, const void *row,
                                     kecs__arena *arena, kecs__probe *out_probe);

/* Reads the probed row into `row` (texts into the arena); NOT_FOUND names the address. *out_rid may be NULL. */
KECS__FN kecs_status kecs__probe_read(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, void *row, int64_t *out_rid);

/* The rid of the probed row; *out_rid is 0 when there is none. */
KECS__FN kecs_status kecs__probe_rid(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                     int64_t *out_rid);

/* The same with the probe's checks; a row that does not pass them counts as absent. */
KECS__FN kecs_status kecs__probe_find(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, int64_t *out_rid);

/* NOT_FOUND for a probe's row. */
KECS__FN kecs_status kecs__fail_probe(const kecs__meta *meta, const kecs__probe *probe);
KECS__FN kecs_status kecs__fail_not_found(const kecs__meta *meta, const char *shown);

#endif

/* ---- store/locate.c, continued ----------------------------------------------------------------------------------- */
#include <stdio.h>
#include <string.h>

KECS__FN bool kecs__is_arn(const char *text) {
  return text && strncmp(text, "arn:", 4) == 0;
}

KECS__FN const char *kecs__arn_tail(const char *arn) {
  const char *tail = strrchr(arn, '/');
  tail = tail ? tail : strrchr(arn, ':');
  return tail ? tail + 1 : arn;
}

KECS__FN kecs_status kecs__fail_not_found(const kecs__meta *meta, const char *shown) {
  return kecs__fail(KECS_E_NOT_FOUND, "%s \"%s\" not found", meta->info->name, shown);
}

static void kecs__probe_show(kecs__probe *probe, const kecs_value *address, int count) {
  size_t used = 0;
  probe->shown[0] = '\0';
  for (int i = 0; i < count && used < sizeof probe->shown - 1; i++) {
    int len = 0;
    const char *comma = used > 0 ? "," : "";
    if (address[i].type == KECS_VALUE_TEXT && address[i].len > 0) {
      len = snprintf(probe->shown + used, sizeof probe->shown - used, "%s%s", comma, address[i].text);
    } else if (address[i].type == KECS_VALUE_INT) {
      len = snprintf(probe->shown + used, sizeof probe->shown - used, "%s%lld", comma, (long long)address[i].number);
    }
    used += len > 0 ? (size_t)len : 0;
  }
}

/* The parents first, then what the key adds to account and region: as a person would say it. */
KECS__FN kecs_status kecs__fail_probe(const kecs__meta *meta, const kecs__probe *probe) {
  const kecs_column_list *key = &meta->info->keys[probe->key];
  kecs__probe told = *probe;
  kecs_value parts[2 * KECS_KEY_COLUMNS_MAX];
  int count = 0;
  for (int i = 0; i < probe->check_count; i++) {
    parts[count++] = probe->check_values[i];
  }
  for (int i = 0; i < probe->count; i++) {
    if (key->columns[i] != meta->account_id && key->columns[i] != meta->region) {
      parts[count++] = probe->values[i];
    }
  }
  if (!told.shown[0]) {
    kecs__probe_show(&told, parts, count);
  }
  return kecs__fail_not_found(meta, told.shown);
}

/* ---- from an address ---- */

static bool kecs__value_empty(const kecs_value *value) {
  return value->type == KECS_VALUE_NULL || (value->type == KECS_VALUE_TEXT && value->len == 0);
}

/* Where a column stands in the address, or -1. */
static int kecs__address_at(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->address.count; i++) {
    if (info->address.columns[i] == column) {
      return i;
    }
  }
  return -1;
}

/* The first unique key but the ARN that is made of address columns, account and region. -1: none. */
static int kecs__address_key(const kecs__meta *meta) {
  for (int k = 0; k < meta->info->key_count; k++) {
    const kecs_column_list *key = &meta->info->keys[k];
    bool fits = !(k == 0 && key->columns[0] == meta->arn && meta->info->address.columns[0] != meta->arn);
    for (int i = 0; fits && i < key->count; i++) {
      int column = key->columns[i];
      fits = column == meta->account_id || column == meta->region || kecs__address_at(meta->info, column) >= 0;
    }
    if (fits) {
      return k;
    }
  }
  return -1;
}

static const kecs_reference *kecs__reference_of(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->reference_count; i++) {
    if (info->references[i].column == column) {
      return &info->references[i];
    }
  }
  return NULL;
}

/* A part of the address as the column holds it: a parent's name becomes its ARN; a parent that is left out is the
 * default cluster where the key needs one (AWS assumes it, too). */
static kecs_status kecs__address_part(kecs__session *session, const kecs__meta *meta, int column, kecs_value given,
                                      bool needed, kecs__arena *arena, kecs_value *out) {
  const kecs_reference *reference = kecs__reference_of(meta->info, column);
  *out = given;
  if (!reference || reference->parent != KECS_KIND_CLUSTER) {
    if (needed && given.type == KECS_VALUE_NULL) {
      return kecs__fail(KECS_E_MISUSE, "argument \"%s\" must not be NULL", meta->info->columns[column].name);
    }
    return KECS_OK;
  }
  const char *text = kecs__value_empty(&given) ? (needed ? "default" : NULL) : given.text;
  const char *arn = NULL;
  kecs_status status = kecs__resolve_parent(session, reference->parent, text, arena, &arn);
  *out = kecs__value_text(arn);
  return status;
}

static void kecs__probe_check(kecs__probe *probe, int column, const kecs_value *value) {
  if (!kecs__value_empty(value)) {
    probe->check_columns[probe->check_count] = column;
    probe->check_values[probe->check_count] = *value;
    probe->check_count++;
  }
}

/* The columns of the address that the key does not hold must still be equal. */
static kecs_status kecs__probe_checks(kecs__session *session, const kecs__meta *meta, const kecs_value *address,
                                      int count, kecs__arena *arena, kecs__probe *probe) {
  const kecs_column_list *key = &meta->info->keys[probe->key];
  for (int i = 0; i < count; i++) {
    int column = meta->info->address.columns[i];
    bool held = false;
    for (int k = 0; k < key->count; k++) {
      held = held || key->columns[k] == column;
    }
    /* An ARN in the last place stands for the whole row: the name or id column is not compared with it. */
    if (held || (i == count - 1 && key->columns[0] == meta->arn)) {
      continue;
    }
    kecs_value value;
    kecs_status status = kecs__address_part(session, meta, column, address[i], false, arena, &value);
    if (status) {
      return status;
    }
    kecs__probe_check(probe, column, &value);
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__probe_address(kecs__session *session, const kecs__meta *meta, const kecs_value *address,
                                         int count, kecs__arena *arena, kecs__probe *out_probe) {
  const kecs_kind_info *info = meta->info;
  const kecs__engine *engine = session->engine;
  memset(out_probe, 0, sizeof *out_probe);
  const kecs_value *last = &address[count - 1];
  if (kecs__value_empty(last)) {
    return kecs__fail(last->type == KECS_VALUE_NULL ? KECS_E_MISUSE : KECS_E_INVALID, "%s: the %s to look for is empty",
                      info->name, info->columns[info->address.columns[count - 1]].name);
  }
  if (meta->arn >= 0 && last->type == KECS_VALUE_TEXT && kecs__is_arn(last->text)) {
    out_probe->key = 0;
    out_probe->count = 1;
    out_probe->values[0] = *last;
    return kecs__probe_checks(session, meta, address, count, arena, out_probe);
  }
  const kecs__special *special = kecs__special_of(info->kind);
  if (special->probe) {
    kecs__probe_show(out_probe, address, count);
    return special->probe(session, meta, address, arena, out_probe);
  }
  out_probe->key = kecs__address_key(meta);
  const kecs_column_list *key = &info->keys[out_probe->key];
  out_probe->count = key->count;
  for (int i = 0; i < key->count; i++) {
    int column = key->columns[i];
    int at = kecs__address_at(info, column);
    if (at < 0) {
      out_probe->values[i] = kecs__value_text(column == meta->region ? engine->region : engine->account_id);
      continue;
    }
    kecs_status status = kecs__address_part(session, meta, column, address[at], true, arena, &out_probe->values[i]);
    if (status) {
      return status;
    }
  }
  return kecs__probe_checks(session, meta, address, count, arena, out_probe);
}

/* Splits "a,b\,c,d" into at most `max` parts; the last takes the rest as it is. */
static int kecs__key_split(const char *text, int max, kecs__arena *arena, char **parts) {
  int count = 0;
  while (count < max) {
    char *part = kecs__arena_bytes(arena, strlen(text) + 1);
    if (!part) {
      return -1;
    }
    parts[count++] = part;
    if (count == max) {
      memcpy(part, text, strlen(text) + 1);
      break;
    }
    while (*text && *text != ',') {
      text += text[0] == '\\' && (text[1] == ',' || text[1] == '\\') ? 1 : 0;
      *part++ = *text++;
    }
    *part = '\0';
    if (!*text) {
      break;
    }
    text++;
  }
  return count;
}

static kecs_status kecs__key_number(const kecs__meta *meta, int column, const char *text, kecs_value *out) {
  int64_t number = 0;
  kecs__json json = {KECS__JSON_NUMBER, text, strlen(text)};
  if (kecs__json_check(text, json.len, NULL).type != KECS__JSON_NUMBER || !kecs__json_int64(json, &number)) {
    return kecs__fail(KECS_E_INVALID, "%s: the part %s of the key is \"%s\", not a number", meta->info->name,
                      meta->info->columns[column].name, text);
  }
  *out = kecs__value_int(number);
  return KECS_OK;
}

KECS__FN kecs_status kecs__probe_text(kecs__session *session, const kecs__meta *meta, const char *text,
                                      kecs__arena *arena, kecs__probe *out_probe) {
  const kecs_column_list *address = &meta->info->address;
  char *parts[KECS_KEY_COLUMNS_MAX] = {NULL};
  if (!text) {
    return kecs__check_pointer(NULL, "key");
  }
  /* An ARN needs no other part: it is taken whole, commas and all. */
  int max = meta->arn >= 0 && kecs__is_arn(text) && !strchr(text, ',') ? 1 : address->count;
  int count = kecs__key_split(text, max, arena, parts);
  if (count < 0) {
    return KECS_E_NOMEM;
  }
  kecs_value values[KECS_KEY_COLUMNS_MAX] = {{KECS_VALUE_NULL, 0, NULL, 0}};
  for (int i = 0; i < count; i++) {
    int at = address->count - count + i;
    int column = address->columns[at];
    kecs_column_type type = meta->info->columns[column].type;
    kecs_status status = KECS_OK;
    if (type == KECS_TYPE_INT || type == KECS_TYPE_RANK) {
      status = kecs__key_number(meta, column, parts[i], &values[at]);
    } else {
      values[at] = kecs__value_text(parts[i]);
    }
    if (status) {
      return status;
    }
  }
  return kecs__probe_address(session, meta, values, address->count, arena, out_probe);
}

/* ---- from a row ---- */

/* Account and region have defaults, and so has the cluster (see kecs__address_part). */
static bool kecs__key_part_given(const kecs__meta *meta, int column, const kecs_value *value) {
  const kecs_reference *reference = kecs__reference_of(meta->info, column);
  bool number = value->type == KECS_VALUE_INT && value->number != 0;
  return column == meta->region || column == meta->account_id ||
         (reference && reference->parent == KECS_KIND_CLUSTER) || number ||
         (value->type == KECS_VALUE_TEXT && value->len > 0);
}

/* Takes a unique key's values from the row; false when the row does not have them all. */
static bool kecs__probe_key(kecs__session *session, const kecs__meta *meta, const void *row, int key,
                            kecs__arena *arena, kecs__probe *probe, kecs_status *status) {
  const kecs_column_list *list = &meta->info->keys[key];
  probe->key = key;
  probe->count = list->count;
  for (int i = 0; i < list->count; i++) {
    int column = list->columns[i];
    kecs_value value = kecs__row_value(meta->info, row, column);
    if (!kecs__key_part_given(meta, column, &value)) {
      return false;
    }
    if (kecs__value_empty(&value) && (column == meta->region || column == meta->account_id)) {
      value = kecs__value_text(column == meta->region ? session->engine->region : session->engine->account_id);
    }
    *status = kecs__address_part(session, meta, column, value, true, arena, &probe->values[i]);
    if (*status) {
      return true;
    }
  }
  return true;
}

KECS__FN kecs_status kecs__probe_row(kecs__session *session, const kecs__meta *meta, const void *row,
                                     kecs__arena *arena, kecs__probe *out_probe) {
  const kecs_kind_info *info = meta->info;
  kecs_value natural = kecs__row_value(info, row, info->keys[0].columns[0]);
  kecs_value address[KECS_KEY_COLUMNS_MAX];
  kecs_status status = KECS_OK;
  memset(out_probe, 0, sizeof *out_probe);
  if (meta->arn < 0 || !kecs__value_empty(&natural)) {
    out_probe->count = info->keys[0].count;
    for (int i = 0; i < info->keys[0].count; i++) {
      out_probe->values[i] = kecs__row_value(info, row, info->keys[0].columns[i]);
      if (out_probe->values[i].type == KECS_VALUE_NULL) { /* what an insert would put there */
        out_probe->values[i] = kecs__value_text(info->columns[info->keys[0].columns[i]].default_text);
      }
    }
    return KECS_OK;
  }
  for (int i = 0; i < info->address.count; i++) {
    address[i] = kecs__row_value(info, row, info->address.columns[i]);
  }
  for (int k = 1; k < info->key_count; k++) {
    if (!info->keys[k].when_set && kecs__probe_key(session, meta, row, k, arena, out_probe, &status)) {
      return status ? status : kecs__probe_checks(session, meta, address, info->address.count, arena, out_probe);
    }
  }
  if (kecs__value_empty(&address[info->address.count - 1])) {
    return kecs__fail(KECS_E_INVALID, "%s: neither arn nor %s is set, so there is no telling which row is meant",
                      info->name, info->columns[info->address.columns[info->address.count - 1]].name);
  }
  return kecs__probe_address(session, meta, address, info->address.count, arena, out_probe);
}

/* ---- reading ---- */

static kecs_status kecs__probe_start(kecs__session *session, const kecs__meta *meta, kecs__op op,
                                     const kecs__probe *probe, kecs__cached **out_cached, bool *out_row) {
  *out_row = false;
  kecs_status status = kecs__statement(session, meta, op, (uint64_t)probe->key, out_cached);
  if (!status) {
    status = kecs__statement_start(session, *out_cached, probe->values, probe->count, out_row);
  }
  return status;
}

static bool kecs__probe_passes(const kecs__meta *meta, const kecs__probe *probe, const void *row) {
  for (int i = 0; i < probe->check_count; i++) {
    kecs_value value = kecs__row_value(meta->info, row, probe->check_columns[i]);
    if (!kecs__value_same(&value, &probe->check_values[i])) {
      return false;
    }
  }
  return true;
}

static kecs_status kecs__probe_once(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                    kecs__arena *arena, void *row, bool *out_found) {
  kecs__cached *cached = NULL;
  *out_found = false;
  kecs_status status = kecs__probe_start(session, meta, KECS__OP_SELECT_KEY, probe, &cached, out_found);
  if (!status && *out_found) {
    status = kecs__row_fetch(session, cached, meta, arena, row);
  }
  kecs__statement_done(session, cached);
  if (!status && *out_found) {
    *out_found = kecs__probe_passes(meta, probe, row);
  }
  return status;
}

/* A task or instance is also known by the short form of its ARN, which has no cluster in it: then the id decides. */
static bool kecs__probe_by_tail(const kecs__meta *meta, const kecs__probe *probe, kecs__probe *out_tail) {
  bool by_id = meta->id >= 0 && meta->info->address.columns[meta->info->address.count - 1] == meta->id;
  if (!by_id || meta->arn < 0 || probe->key != 0 || meta->info->key_count < 2) {
    return false;
  }
  const kecs_column_list *key = &meta->info->keys[1];
  if (key->count != 1 || key->columns[0] != meta->id) {
    return false;
  }
  *out_tail = *probe;
  out_tail->key = 1;
  out_tail->values[0] = kecs__value_text(kecs__arn_tail(probe->values[0].text));
  return true;
}

/* Two ARNs of one resource agree up to the resource's own part: partition, service, region, account, type. */
static bool kecs__arn_same_place(const char *a, const char *b) {
  const char *slash = strchr(a, '/');
  return slash && strncmp(a, b, (size_t)(slash - a) + 1) == 0;
}

KECS__FN kecs_status kecs__probe_read(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, void *row, int64_t *out_rid) {
  bool found = false;
  kecs_status status = kecs__probe_once(session, meta, probe, arena, row, &found);
  kecs__probe used = *probe;
  if (!status && !found && kecs__probe_by_tail(meta, probe, &used)) {
    status = kecs__probe_once(session, meta, &used, arena, row, &found);
    found = found && kecs__arn_same_place(probe->values[0].text, kecs__row_text(meta->info, row, meta->arn));
  }
  if (!status && !found) {
    status = kecs__fail_probe(meta, probe);
  }
  if (!status && out_rid) {
    status = kecs__probe_rid(session, meta, &used, out_rid);
  }
  return status;
}

KECS__FN kecs_status kecs__probe_rid(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                     int64_t *out_rid) {
  kecs__cached *cached = NULL;
  bool found = false;
  *out_rid = 0;
  kecs_status status = kecs__probe_start(session, meta, KECS__OP_FIND_KEY, probe, &cached, &found);
  if (!status && found) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    *out_rid = value.number;
  }
  kecs__statement_done(session, cached);
  return status;
}

KECS__FN kecs_status kecs__probe_find(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, int64_t *out_rid) {
  *out_rid = 0;
  if (probe->check_count == 0) {
    return kecs__probe_rid(session, meta, probe, out_rid);
  }
  bool found = false;
  void *row = kecs__arena_take(arena, meta->info->row_size);
  kecs_status status = row ? kecs__probe_once(session, meta, probe, arena, row, &found) : KECS_E_NOMEM;
  return status || !found ? status : kecs__probe_rid(session, meta, probe, out_rid);
}

/* ---- store/query.c ----------------------------------------------------------------------------------------------- */
/* store/query.c -- filters and keyset paging as SQL conditions. Values always travel as parameters. */

/* ---- store/query.h ----------------------------------------------------------------------------------------------- */
/* store/query.h -- a kecs_query as SQL: filters, keyset paging, order. Pure but for parents given by name. */
#ifndef KECS_STORE_QUERY_H
#define KECS_STORE_QUERY_H

enum {
  KECS__FILTERS_MAX = 32,
  KECS__IN_MAX = 500,
  KECS__PAGE_DEFAULT = 100,
  KECS__PAGE_MAX = 1000,
  KECS__PAGE_MAX_APPEND = 10000, /* kinds that only grow: logs and events */
  KECS__ORDER_MAX = 2 * KECS_KEY_COLUMNS_MAX
};

typedef struct kecs__order {
  int count;
  int columns[KECS__ORDER_MAX];
  bool descending[KECS__ORDER_MAX];
} kecs__order;

/* A query on its way to the database. */
typedef struct kecs__plan {
  const kecs__meta *meta;
  kecs__session *session;
  kecs__arena *arena;
  kecs__text where; /* conditions after WHERE, or empty */
  kecs_value *parameters;
  int parameter_count;
  int parameter_room;
  kecs__order order;
  int limit;
  const char *cluster_arn; /* that a filter asks for: where a service's name belongs */
  uint64_t hash;    /* of the query: what a page token is bound to */
  kecs_status status; /* sticks: a caller adds conditions and checks once */
} kecs__plan;

KECS__FN void kecs__plan_init(kecs__plan *plan, kecs__session *session, const kecs__meta *meta, kecs__arena *arena);
KECS__FN void kecs__plan_free(kecs__plan *plan);

/* Keeps the first failure. */
KECS__FN void kecs__plan_fail(kecs__plan *plan, kecs_status status);

/* Adds the filters, the order and the limit of a query (NULL: none). `paged` false leaves limit and token unread. */
KECS__FN void kecs__plan_query(kecs__plan *plan, const kecs_query *query, bool paged);

/* Adds one filter. */
KECS__FN void kecs__plan_filter(kecs__plan *plan, const kecs_filter *filter);

/* Adds a condition of a kind's own: AND is written by itself; each '?' in `condition` takes the next value. The hash
 * takes part of it in. */
KECS__FN void kecs__plan_where(kecs__plan *plan, const char *condition, const kecs_value *values, int count);

/* Continues after the row that the token names. */
KECS__FN void kecs__plan_page(kecs__plan *plan, const char *page_token);

/* "SELECT <what> FROM <table> WHERE ... [ORDER BY ...] [LIMIT ?]"; `limit` 0 means none. */
KECS__FN kecs_status kecs__plan_start(kecs__plan *plan, const char *what, bool ordered, int limit,
                                      kecs__cached **out_cached, bool *out_row);

/* The token that continues after this row. */
KECS__FN kecs_status kecs__plan_token(const kecs__plan *plan, const void *row, kecs__arena *arena,
                                      const char **out_token);

#endif

/* ---- store/query.c, continued ------------------------------------------------------------------------------------ */
#include <stdio.h>
#include <string.h>

#define KECS__WHERE_MAX ((size_t)256 * 1024)

KECS__FN void kecs__plan_init(kecs__plan *plan, kecs__session *session, const kecs__meta *meta, kecs__arena *arena) {
  memset(plan, 0, sizeof *plan);
  plan->meta = meta;
  plan->session = session;
  plan->arena = arena;
  plan->hash = KECS__HASH_START;
  kecs__text_init(&plan->where, arena->allocator, KECS__WHERE_MAX);
}

KECS__FN void kecs__plan_free(kecs__plan *plan) {
  kecs__text_free(&plan->where);
}

KECS__FN void kecs__plan_fail(kecs__plan *plan, kecs_status status) {
  plan->status = plan->status ? plan->status : status;
}

/* Writes a placeholder for the next parameter. */
static void kecs__plan_parameter(kecs__plan *plan, const kecs_value *value) {
  if (plan->parameter_count == plan->parameter_room) {
    int room = plan->parameter_room ? plan->parameter_room * 4 : 16;
    kecs_value *grown = kecs__arena_take(plan->arena, (size_t)room * sizeof *grown);
    if (!grown) {
      kecs__plan_fail(plan, KECS_E_NOMEM);
      return;
    }
    if (plan->parameter_count > 0) {
      memcpy(grown, plan->parameters, (size_t)plan->parameter_count * sizeof *grown);
    }
    plan->parameters = grown;
    plan->parameter_room = room;
  }
  plan->parameters[plan->parameter_count++] = *value;
  kecs__sql_placeholder(&plan->where, plan->session->engine->backend->dialect, plan->parameter_count);
}

static void kecs__plan_and(kecs__plan *plan) {
  kecs__text_adds(&plan->where, plan->where.len > 0 ? " AND " : "");
}

static void kecs__plan_hash(kecs__plan *plan, const kecs_value *value) {
  plan->hash = kecs__hash(plan->hash, &value->type, sizeof value->type);
  plan->hash = kecs__hash(plan->hash, &value->number, sizeof value->number);
  plan->hash = kecs__hash(plan->hash, value->text ? value->text : "", value->type == KECS_VALUE_TEXT ? value->len : 0);
}

KECS__FN void kecs__plan_where(kecs__plan *plan, const char *condition, const kecs_value *values, int count) {
  kecs__plan_and(plan);
  plan->hash = kecs__hash(plan->hash, condition, strlen(condition));
  int used = 0;
  for (const char *at = condition; *at; at++) {
    if (*at == '?' && used < count) {
      kecs__plan_hash(plan, &values[used]);
      kecs__plan_parameter(plan, &values[used++]);
    } else {
      kecs__text_addc(&plan->where, *at);
    }
  }
}

/* ---- filters ---- */

static bool kecs__is_text(kecs_column_type type) {
  return type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON;
}

/* A service by its name in the cluster that is asked for, or the default cluster. A name that no service has is left as
 * it is: it equals no ARN. */
static kecs_status kecs__filter_service(kecs__plan *plan, const char *text, const char **out_arn) {
  const kecs__meta *services = kecs__meta_of(plan->session->engine, KECS_KIND_SERVICE);
  kecs_value address[] = {kecs__value_text(plan->cluster_arn), kecs__value_text(text)};
  kecs_service service;
  kecs__probe probe;
  memset(&service, 0, sizeof service);
  *out_arn = text;
  if (!text[0] || kecs__is_arn(text)) {
    return KECS_OK;
  }
  kecs_error before = kecs__error_save();
  kecs_status status = kecs__probe_address(plan->session, services, address, 2, plan->arena, &probe);
  if (!status) {
    status = kecs__probe_read(plan->session, services, &probe, plan->arena, &service, NULL);
  }
  *out_arn = status ? text : service.arn;
  if (status == KECS_E_NOT_FOUND) {
    (void)kecs__error_restore(&before);
    return KECS_OK;
  }
  return status;
}

/* A filter's value in the type of the column; a parent's name becomes its ARN. */
static void kecs__filter_value(kecs__plan *plan, int column, const char *text, int64_t number, kecs_value *out) {
  const kecs_kind_info *info = plan->meta->info;
  memset(out, 0, sizeof *out);
  if (!kecs__is_text(info->columns[column].type)) {
    *out = kecs__value_int(number);
    out->type = info->columns[column].type == KECS_TYPE_BOOL ? KECS_VALUE_BOOL : out->type;
    out->type = info->columns[column].type == KECS_TYPE_TIME ? KECS_VALUE_TIME : out->type;
    return;
  }
  if (!text) {
    kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID, "the filter on %s.%s has no text; use KECS_IS_NULL to find NULL",
                                     info->name, info->columns[column].name));
    return;
  }
  const char *value = text;
  for (int i = 0; i < info->reference_count && !plan->status; i++) {
    const kecs_reference *reference = &info->references[i];
    if (reference->column == column && reference->parent == KECS_KIND_SERVICE) {
      kecs__plan_fail(plan, kecs__filter_service(plan, text, &value));
    } else if (reference->column == column) {
      kecs__plan_fail(plan, kecs__resolve_parent(plan->session, reference->parent, text, plan->arena, &value));
      plan->cluster_arn = reference->parent == KECS_KIND_CLUSTER ? value : plan->cluster_arn;
    }
  }
  *out = kecs__value_text(value);
}

/* The least text that is greater than every text with this prefix: the last code point that can be counted up is, and
 * what follows is cut. NULL when there is none. */
static const char *kecs__prefix_end(const char *prefix, kecs__arena *arena, kecs_status *status) {
  size_t len = strlen(prefix);
  char *end = kecs__arena_bytes(arena, len + 4);
  if (!end) {
    *status = KECS_E_NOMEM;
    return NULL;
  }
  memcpy(end, prefix, len + 1);
  while (len > 0) {
    size_t start = len - 1;
    while (start > 0 && ((unsigned char)end[start] & 0xC0) == 0x80) {
      start--;
    }
    size_t width = len - start;
    uint32_t code = (unsigned char)end[start];
    code = width == 1 ? code : width == 2 ? (code & 0x1F) : width == 3 ? (code & 0x0F) : (code & 0x07);
    for (size_t i = 1; i < width; i++) {
      code = (code << 6) | ((unsigned char)end[start + i] & 0x3F);
    }
    code = code == 0xD7FF ? 0xE000 : code + 1; /* surrogates are no characters */
    if (code <= 0x10FFFF) {
      char *at = end + start;
      if (code < 0x80) {
        *at++ = (char)code;
      } else if (code < 0x800) {
        *at++ = (char)(0xC0 | (code >> 6));
        *at++ = (char)(0x80 | (code & 0x3F));
      } else if (code < 0x10000) {
        *at++ = (char)(0xE0 | (code >> 12));
        *at++ = (char)(0x80 | ((code >> 6) & 0x3F));
        *at++ = (char)(0x80 | (code & 0x3F));
      } else {
        *at++ = (char)(0xF0 | (code >> 18));
        *at++ = (char)(0x80 | ((code >> 12) & 0x3F));
        *at++ = (char)(0x80 | ((code >> 6) & 0x3F));
        *at++ = (char)(0x80 | (code & 0x3F));
      }
      *at = '\0';
      return end;
    }
    len = start;
  }
  return NULL;
}

static void kecs__filter_prefix(kecs__plan *plan, const char *name, const kecs_value *value) {
  kecs__text_addf(&plan->where, "(%s>=", name);
  kecs__plan_parameter(plan, value);
  const char *end = kecs__prefix_end(value->text, plan->arena, &plan->status);
  if (end) {
    kecs_value bound = kecs__value_text(end);
    kecs__text_addf(&plan->where, " AND %s<", name);
    kecs__plan_parameter(plan, &bound);
  }
  kecs__text_addc(&plan->where, ')');
}

static void kecs__filter_in(kecs__plan *plan, const char *name, const kecs_filter *filter) {
  if (filter->count == 0) {
    kecs__text_adds(&plan->where, "1=0");
    return;
  }
  kecs__text_addf(&plan->where, "%s IN(", name);
  for (size_t i = 0; i < filter->count && !plan->status; i++) {
    kecs_value value;
    kecs__filter_value(plan, filter->column, filter->texts ? filter->texts[i] : NULL,
                       filter->numbers ? filter->numbers[i] : 0, &value);
    kecs__plan_hash(plan, &value);
    kecs__text_adds(&plan->where, i > 0 ? "," : "");
    kecs__plan_parameter(plan, &value);
  }
  kecs__text_addc(&plan->where, ')');
}

static kecs_status kecs__filter_check(const kecs__plan *plan, const kecs_filter *filter) {
  const kecs_kind_info *info = plan->meta->info;
  if (filter->column < 0 || filter->column >= info->column_count) {
    return kecs__fail(KECS_E_INVALID, "a filter names column %d; %s has the columns 0 to %d", filter->column,
                      info->name, info->column_count - 1);
  }
  const kecs_column_info *column = &info->columns[filter->column];
  if ((int)filter->op < (int)KECS_EQ || (int)filter->op > (int)KECS_NOT_NULL) {
    return kecs__fail(KECS_E_INVALID, "the filter on %s.%s has an unknown operator %d", info->name, column->name,
                      (int)filter->op);
  }
  bool text_only = filter->op == KECS_PREFIX || filter->op == KECS_CONTAINS || filter->op == KECS_CONTAINS_NOCASE;
  if (text_only && !kecs__is_text(column->type)) {
    return kecs__fail(KECS_E_UNSUPPORTED, "the filter on %s.%s searches in text, but the column is a number",
                      info->name, column->name);
  }
  if (filter->op == KECS_IN && filter->count > KECS__IN_MAX) {
    return kecs__fail(KECS_E_INVALID, "the filter on %s.%s has %zu values; at most %d are taken", info->name,
                      column->name, filter->count, KECS__IN_MAX);
  }
  bool missing = filter->op == KECS_IN && filter->count > 0 &&
                 (kecs__is_text(column->type) ? filter->texts == NULL : filter->numbers == NULL);
  return missing ? kecs__fail(KECS_E_INVALID, "the filter on %s.%s has a count but no list", info->name, column->name)
                 : KECS_OK;
}

KECS__FN void kecs__plan_filter(kecs__plan *plan, const kecs_filter *filter) {
  static const char *const comparisons[] = {"=", "<>", "<", "<=", ">", ">="};
  kecs__plan_fail(plan, kecs__filter_check(plan, filter));
  if (plan->status) {
    return;
  }
  const char *name = plan->meta->info->columns[filter->column].name;
  kecs__plan_and(plan);
  plan->hash = kecs__hash(plan->hash, name, strlen(name) + 1);
  plan->hash = kecs__hash(plan->hash, &filter->op, sizeof filter->op);
  if (filter->op == KECS_IS_NULL || filter->op == KECS_NOT_NULL) {
    kecs__text_addf(&plan->where, "%s IS %sNULL", name, filter->op == KECS_NOT_NULL ? "NOT " : "");
    return;
  }
  if (filter->op == KECS_IN) {
    kecs__filter_in(plan, name, filter);
    return;
  }
  kecs_value value;
  kecs__filter_value(plan, filter->column, filter->text, filter->number, &value);
  if (plan->status) {
    return;
  }
  kecs__plan_hash(plan, &value);
  if (filter->op == KECS_PREFIX) {
    kecs__filter_prefix(plan, name, &value);
  } else if (filter->op == KECS_CONTAINS) {
    kecs__text_addf(&plan->where, "instr(%s,", name);
    kecs__plan_parameter(plan, &value);
    kecs__text_adds(&plan->where, ")>0");
  } else if (filter->op == KECS_CONTAINS_NOCASE) {
    kecs__text_addf(&plan->where, "instr(lower(%s),lower(", name);
    kecs__plan_parameter(plan, &value);
    kecs__text_adds(&plan->where, "))>0");
  } else {
    kecs__text_addf(&plan->where, "%s%s", name, comparisons[filter->op]);
    kecs__plan_parameter(plan, &value);
  }
}

/* ---- order and pages ---- */

static void kecs__order_add(kecs__order *order, int column, bool descending) {
  for (int i = 0; i < order->count; i++) {
    if (order->columns[i] == column) {
      return;
    }
  }
  order->columns[order->count] = column;
  order->descending[order->count] = descending;
  order->count++;
}

static void kecs__plan_order(kecs__plan *plan, const kecs_query *query) {
  const kecs_kind_info *info = plan->meta->info;
  if (query->direction != KECS_ORDER_DEFAULT) {
    if (query->order_by < 0 || query->order_by >= info->column_count) {
      kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID, "order_by is %d; %s has columns 0 to %d", query->order_by,
                                       info->name, info->column_count - 1));
      return;
    }
    if (!(info->columns[query->order_by].flags & KECS_COLUMN_NOT_NULL)) {
      kecs__plan_fail(plan,
                      kecs__fail(KECS_E_UNSUPPORTED, "%s can't be ordered by %s; choose a column that is never NULL",
                                 info->name, info->columns[query->order_by].name));
      return;
    }
    kecs__order_add(&plan->order, query->order_by, query->direction == KECS_ORDER_DESCENDING);
  } else {
    for (int i = 0; i < info->order.count; i++) {
      int column = info->order.columns[i];
      kecs__order_add(&plan->order, column, info->columns[column].type == KECS_TYPE_TIME);
    }
  }
  for (int i = 0; i < info->keys[0].count; i++) {
    kecs__order_add(&plan->order, info->keys[0].columns[i], false);
  }
  plan->hash = kecs__hash(plan->hash, &plan->order.columns[0], sizeof plan->order.columns[0]);
  plan->hash = kecs__hash(plan->hash, &plan->order.descending[0], sizeof plan->order.descending[0]);
}

static void kecs__plan_limit(kecs__plan *plan, int limit) {
  int max = plan->meta->info->flags & KECS_KIND_APPEND ? KECS__PAGE_MAX_APPEND : KECS__PAGE_MAX;
  if (limit < 0 || limit > max) {
    kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID, "limit is %d; give 1 to %d, or 0 for %d", limit, max,
                                     KECS__PAGE_DEFAULT));
  }
  plan->limit = limit > 0 && limit <= max ? limit : KECS__PAGE_DEFAULT;
}

/* After (v1, v2, ...) in the order: c1 at or after v1, and c1 after v1, or else c2 after v2, and so on. The first half
 * is what makes it a range on the index. */
KECS__FN void kecs__plan_page(kecs__plan *plan, const char *page_token) {
  const kecs__order *order = &plan->order;
  kecs_value values[KECS__ORDER_MAX];
  if (!page_token || plan->status) {
    return;
  }
  kecs__plan_fail(plan,
                  kecs__token_read(page_token, plan->meta->info->kind, plan->hash, plan->arena, values, order->count));
  if (plan->status) {
    return;
  }
  kecs__plan_and(plan);
  for (int i = 0; i < order->count; i++) {
    const char *name = plan->meta->info->columns[order->columns[i]].name;
    const char *after = order->descending[i] ? "<" : ">";
    bool last = i == order->count - 1;
    if (!last) {
      kecs__text_addf(&plan->where, "%s%s=", name, after);
      kecs__plan_parameter(plan, &values[i]);
      kecs__text_adds(&plan->where, " AND (");
    }
    kecs__text_addf(&plan->where, "%s%s", name, after);
    kecs__plan_parameter(plan, &values[i]);
    kecs__text_adds(&plan->where, last ? "" : " OR (");
  }
  for (int i = 0; i < order->count - 1; i++) {
    kecs__text_adds(&plan->where, "))");
  }
}

KECS__FN void kecs__plan_query(kecs__plan *plan, const kecs_query *query, bool paged) {
  static const kecs_query everything = {NULL, 0, KECS_ORDER_DEFAULT, 0, 0, NULL};
  query = query ? query : &everything;
  if (query->where_count > KECS__FILTERS_MAX || (query->where_count > 0 && !query->where)) {
    kecs__plan_fail(plan, kecs__fail(KECS_E_INVALID,
                                     "a query has %zu filters; at most %d are taken, and `where` must point "
                                     "to them",
                                     query->where_count, KECS__FILTERS_MAX));
  }
  for (size_t i = 0; i < query->where_count && !plan->status; i++) {
    kecs__plan_filter(plan, &query->where[i]);
  }
  if (!plan->status) {
    kecs__plan_order(plan, query);
  }
  if (paged && !plan->status) {
    kecs__plan_limit(plan, query->limit);
    kecs__plan_page(plan, query->page_token);
  }
}

KECS__FN kecs_status kecs__plan_start(kecs__plan *plan, const char *what, bool ordered, int limit,
                                      kecs__cached **out_cached, bool *out_row) {
  const kecs_kind_info *info = plan->meta->info;
  *out_cached = NULL;
  *out_row = false;
  kecs_status status = plan->status ? plan->status : plan->where.status;
  if (status) {
    return status;
  }
  kecs__text sql;
  kecs__text_init(&sql, plan->arena->allocator, KECS__WHERE_MAX * 2);
  kecs__text_adds(&sql, "SELECT ");
  kecs__text_adds(&sql, what);
  kecs__text_adds(&sql, " FROM ");
  kecs__text_adds(&sql, info->table);
  if (plan->where.len > 0) {
    kecs__text_adds(&sql, " WHERE ");
    kecs__text_add(&sql, plan->where.data, plan->where.len);
  }
  for (int i = 0; ordered && i < plan->order.count; i++) {
    kecs__text_adds(&sql, i > 0 ? "," : " ORDER BY ");
    kecs__text_adds(&sql, info->columns[plan->order.columns[i]].name);
    kecs__text_adds(&sql, plan->order.descending[i] ? " DESC" : "");
  }
  if (limit > 0) {
    kecs_value value = kecs__value_int(limit);
    kecs__text_clear(&plan->where);
    kecs__plan_parameter(plan, &value);
    kecs__text_addf(&sql, " LIMIT %s", plan->where.data ? plan->where.data : "");
  }
  status = plan->status ? plan->status : sql.status ? sql.status : plan->where.status;
  if (!status) {
    status = kecs__statement_text(plan->session, sql.data, sql.len, out_cached);
  }
  if (!status) {
    status = kecs__statement_start(plan->session, *out_cached, plan->parameters, plan->parameter_count, out_row);
  }
  kecs__text_free(&sql);
  return status;
}

KECS__FN kecs_status kecs__plan_token(const kecs__plan *plan, const void *row, kecs__arena *arena,
                                      const char **out_token) {
  kecs_value values[KECS__ORDER_MAX];
  for (int i = 0; i < plan->order.count; i++) {
    values[i] = kecs__row_value(plan->meta->info, row, plan->order.columns[i]);
    if (values[i].type == KECS_VALUE_NULL) {
      values[i].type = KECS_VALUE_TIME; /* a NOT NULL time of 0 is stored as the number 0 */
    }
  }
  return kecs__token_write(plan->meta->info->kind, plan->hash, values, plan->order.count, arena, out_token);
}

/* ---- store/read.c ------------------------------------------------------------------------------------------------ */
/* store/read.c -- get, get_many, list, each, count: for every kind. */

/* ---- store/rows.h ------------------------------------------------------------------------------------------------ */
/* store/rows.h -- what the typed functions (gen/api.c) and the record functions stand on: one function an operation,
 * for every kind. The public comments in store/store.h say what they do. */
#ifndef KECS_STORE_ROWS_H
#define KECS_STORE_ROWS_H

KECS__FN kecs_status kecs__create_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                       kecs_result **out_result);
KECS__FN kecs_status kecs__get(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                               kecs_result **out_result);
KECS__FN kecs_status kecs__get_many(kecs_store *store, kecs_kind kind, const char *const *keys, size_t count,
                                    kecs_result **out_result);
KECS__FN kecs_status kecs__list(kecs_store *store, kecs_kind kind, const kecs_query *query, kecs_result **out_result);
KECS__FN kecs_status kecs__each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                kecs_status (*visit)(const void *row, void *user), void *user);
KECS__FN kecs_status kecs__count(kecs_store *store, kecs_kind kind, const kecs_query *query, int64_t *out_count);
KECS__FN kecs_status kecs__update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                  kecs_result **out_result);
KECS__FN kecs_status kecs__upsert(kecs_store *store, kecs_kind kind, const void *row, kecs_result **out_result);
KECS__FN kecs_status kecs__delete(kecs_store *store, kecs_kind kind, const kecs_value *address, int count);
KECS__FN const void *kecs__at(const kecs_result *result, kecs_kind kind, size_t index);

/* list and count with conditions that a kind's own operation adds to the query. */
KECS__FN kecs_status kecs__list_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                      kecs_result **out_result);
KECS__FN kecs_status kecs__count_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                       kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                       int64_t *out_count);

/* The kind's meta, or NULL with the failure recorded: for numbers from outside. */
KECS__FN const kecs__meta *kecs__meta_checked(const kecs_store *store, kecs_kind kind);

/* An empty result for rows of a kind; and its end: handed out, or freed when `status` is a failure. */
KECS__FN kecs_status kecs__result_begin(const kecs_store *store, const kecs__meta *meta, kecs_result **out_result);
KECS__FN kecs_status kecs__result_end(kecs_status status, kecs_result *result, kecs_result **out_result);

#endif

/* ---- store/read.c, continued ------------------------------------------------------------------------------------- */
#include <string.h>

KECS__FN const kecs__meta *kecs__meta_checked(const kecs_store *store, kecs_kind kind) {
  if (kecs__check_handle(store)) {
    return NULL;
  }
  if ((int)kind < 1 || (int)kind >= (int)KECS_KIND_COUNT) {
    (void)kecs__fail(KECS_E_INVALID, "there is no kind number %d", (int)kind);
    return NULL;
  }
  return kecs__meta_of(store->engine, kind);
}

KECS__FN kecs_status kecs__result_begin(const kecs_store *store, const kecs__meta *meta, kecs_result **out_result) {
  return kecs__result_new(&store->engine->allocator, meta->info->kind, meta->info->row_size, out_result);
}

KECS__FN kecs_status kecs__result_end(kecs_status status, kecs_result *result, kecs_result **out_result) {
  if (status) {
    kecs_result_free(result);
    result = NULL;
  }
  *out_result = result;
  return status;
}

KECS__FN kecs_status kecs__get(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                               kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__probe probe;
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    status = kecs__probe_address(session, meta, address, count, &result->arena, &probe);
  }
  void *row = status ? NULL : kecs__result_add(result);
  if (!status) {
    status = row ? kecs__probe_read(session, meta, &probe, &result->arena, row, NULL) : KECS_E_NOMEM;
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

KECS_STORE_API kecs_status kecs_record_get(kecs_store *store, kecs_kind kind, const char *key,
                                           kecs_result **out_result) {
  kecs_status status = kecs__get_many(store, kind, &key, 1, out_result);
  if (!status && kecs_result_count(*out_result) == 0) {
    const kecs__meta *meta = kecs__meta_of(store->engine, kind);
    status = kecs__result_end(kecs__fail_not_found(meta, key), *out_result, out_result);
  }
  return status;
}

static kecs_status kecs__get_each(kecs__session *session, const kecs__meta *meta, const char *const *keys, size_t count,
                                  kecs_result *result) {
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < count; i++) {
    kecs__probe probe;
    void *row = NULL;
    kecs_error before = kecs__error_save();
    status = kecs__probe_text(session, meta, keys[i], &result->arena, &probe);
    if (!status) {
      row = kecs__result_add(result);
      status = row ? kecs__probe_read(session, meta, &probe, &result->arena, row, NULL) : KECS_E_NOMEM;
    }
    if (status == KECS_E_NOT_FOUND) {
      result->count -= row ? 1 : 0;
      (void)kecs__error_restore(&before); /* an unknown key is no failure here */
      status = KECS_OK;
    }
  }
  return status;
}

/* Ends a read that only saw; its failure counts when nothing failed before. */
static void kecs__read_end(const kecs_backend *backend, kecs_connection *connection, kecs_status *status) {
  kecs_error error = kecs__error_save();
  kecs_status ended = backend->commit(connection);
  if (ended) {
    backend->rollback(connection);
  }
  if (*status) {
    *status = kecs__error_restore(&error);
  } else {
    *status = ended;
  }
}

KECS__FN kecs_status kecs__get_many(kecs_store *store, kecs_kind kind, const char *const *keys, size_t count,
                                    kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  status = count > 0 ? kecs__check_pointer(keys, "keys") : KECS_OK;
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  /* One read for all keys: they are told as of one moment, and its locks are taken once. */
  bool begun = false;
  if (!status && count > 1 && store->depth == 0) {
    status = store->engine->backend->begin(session->connection, false);
    begun = !status;
  }
  if (!status) {
    result->first_rows = count < KECS__PAGE_DEFAULT ? (count ? count : 1) : KECS__PAGE_DEFAULT;
    status = kecs__get_each(session, meta, keys, count, result);
  }
  if (begun) {
    kecs__read_end(store->engine->backend, session->connection, &status);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

/* Reads the rows of a started plan, one more than the limit to know whether a page follows. */
static kecs_status kecs__list_rows(kecs__plan *plan, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs__cached *cached = NULL;
  bool more = false;
  result->first_rows = plan->limit < KECS__PAGE_DEFAULT ? (size_t)plan->limit : KECS__PAGE_DEFAULT;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, plan->limit + 1, &cached, &more);
  while (!status && more && result->count < (size_t)plan->limit) {
    void *row = kecs__result_room(result);
    status = row ? kecs__row_fetch(plan->session, cached, meta, &result->arena, row) : KECS_E_NOMEM;
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  if (!status && more) {
    const void *last = result->rows + (result->count - 1) * result->row_size;
    status = kecs__plan_token(plan, last, &result->arena, &result->page_token);
  }
  return status;
}

KECS__FN kecs_status kecs__list_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                      kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__arena arena; /* values of the query; they die with the call */
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &arena);
    if (narrow) {
      kecs__plan_fail(&plan, narrow(&plan, user));
    }
    kecs__plan_query(&plan, query, true);
    status = kecs__list_rows(&plan, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return kecs__result_end(status, result, out_result);
}

KECS__FN kecs_status kecs__list(kecs_store *store, kecs_kind kind, const kecs_query *query, kecs_result **out_result) {
  return kecs__list_where(store, kind, query, NULL, NULL, out_result);
}

/* Each row is read into the same memory: the arena is emptied before the next. */
static kecs_status kecs__each_row(kecs__plan *plan, int limit, void *row,
                                  kecs_status (*visit)(const void *row, void *user), void *user) {
  const kecs__meta *meta = plan->meta;
  kecs__cached *cached = NULL;
  bool more = false;
  kecs__arena texts;
  kecs__arena_init(&texts, plan->arena->allocator);
  kecs_status status = kecs__plan_start(plan, meta->columns, true, limit, &cached, &more);
  while (!status && more) {
    kecs__arena_reset(&texts);
    status = kecs__row_fetch(plan->session, cached, meta, &texts, row);
    if (!status) {
      status = visit(row, user);
    }
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  kecs__arena_free(&texts);
  return status;
}

KECS__FN kecs_status kecs__each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                kecs_status (*visit)(const void *row, void *user), void *user) {
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  if (!visit) {
    return kecs__check_pointer(NULL, "visit");
  }
  kecs__session *session = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  kecs_status status = kecs__read_open(store, &session);
  void *row = status ? NULL : kecs__arena_take(&arena, meta->info->row_size);
  if (!status && !row) {
    status = KECS_E_NOMEM;
  }
  if (!status) {
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &arena);
    kecs__plan_query(&plan, query, false);
    if (query && query->limit < 0) {
      plan.status = kecs__fail(KECS_E_INVALID, "limit is %d; give the number of rows, or 0 for all", query->limit);
    }
    kecs__plan_page(&plan, query ? query->page_token : NULL);
    status = kecs__each_row(&plan, query ? query->limit : 0, row, visit, user);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__count_where(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                       kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                       int64_t *out_count) {
  kecs_status status = kecs__check_pointer(out_count, "out_count");
  if (status) {
    return status;
  }
  *out_count = 0;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    kecs__plan plan;
    kecs__cached *cached = NULL;
    bool row = false;
    kecs__plan_init(&plan, session, meta, &arena);
    if (narrow) {
      kecs__plan_fail(&plan, narrow(&plan, user));
    }
    kecs__plan_query(&plan, query, false);
    status = kecs__plan_start(&plan, "count(*)", false, 0, &cached, &row);
    if (!status && row) {
      kecs_value value;
      kecs__statement_columns(session, cached, &value, 1);
      *out_count = value.number;
    }
    kecs__statement_done(session, cached);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__count(kecs_store *store, kecs_kind kind, const kecs_query *query, int64_t *out_count) {
  return kecs__count_where(store, kind, query, NULL, NULL, out_count);
}

KECS__FN const void *kecs__at(const kecs_result *result, kecs_kind kind, size_t index) {
  return result && result->kind == kind && index < result->count ? result->rows + index * result->row_size : NULL;
}

/* ---- the same for kinds as data ---- */

KECS_STORE_API kecs_status kecs_record_list(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_result **out_result) {
  return kecs__list(store, kind, query, out_result);
}

KECS_STORE_API kecs_status kecs_record_each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                            kecs_status (*visit)(const void *row, void *user), void *user) {
  return kecs__each(store, kind, query, visit, user);
}

KECS_STORE_API kecs_status kecs_record_count(kecs_store *store, kecs_kind kind, const kecs_query *query,
                                             int64_t *out_count) {
  return kecs__count(store, kind, query, out_count);
}

KECS_STORE_API const void *kecs_record_at(const kecs_result *result, kecs_kind kind, size_t index) {
  return kecs__at(result, kind, index);
}

/* ---- store/fill.c ------------------------------------------------------------------------------------------------ */
/* store/fill.c -- the general fill of a row on its way in: account and region, ids, times, defaults; and the ARNs that
 * the kinds' own fills are made of. */

/* ---- store/fill.h ------------------------------------------------------------------------------------------------ */
/* store/fill.h -- what create sets where the caller left a column empty. */
#ifndef KECS_STORE_FILL_H
#define KECS_STORE_FILL_H

/* Fills a row on its way in; INVALID names a required column that is NULL. Numbers in `given` stay 0 when they are. */
KECS__FN kecs_status kecs__fill(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given);

#endif

/* ---- store/fill.c, continued ------------------------------------------------------------------------------------- */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ARNs ---- */

KECS__FN bool kecs__arn_parse(const char *arn, const char *service, kecs__arena *arena, char **out_region,
                              char **out_account, char **out_rest) {
  /* arn:PARTITION:SERVICE:REGION:ACCOUNT:REST */
  const char *at[6] = {arn, NULL, NULL, NULL, NULL, NULL};
  if (!kecs__is_arn(arn)) {
    return false;
  }
  for (int i = 1; i < 6; i++) {
    const char *colon = strchr(at[i - 1], ':');
    if (!colon) {
      return false;
    }
    at[i] = colon + 1;
  }
  if (service && (strncmp(at[2], service, strlen(service)) != 0 || at[2][strlen(service)] != ':')) {
    return false;
  }
  char *region = kecs__arena_text(arena, at[3], (size_t)(at[4] - at[3]) - 1);
  char *account = kecs__arena_text(arena, at[4], (size_t)(at[5] - at[4]) - 1);
  char *rest = kecs__arena_text(arena, at[5], strlen(at[5]));
  if (out_region) {
    *out_region = region;
  }
  if (out_account) {
    *out_account = account;
  }
  if (out_rest) {
    *out_rest = rest;
  }
  return region && account && rest;
}

KECS__FN char *kecs__arn_format(kecs__write *write, const char *service, const char *region, const char *account,
                                const char *format, ...) {
  char head[256];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  int head_len = snprintf(head, sizeof head, "arn:aws:%s:%s:%s:", service, region, account);
  if (len < 0 || head_len < 0 || (size_t)head_len >= sizeof head) {
    (void)kecs__fail(KECS_E_INVALID, "region \"%.40s\" and account \"%.40s\" are too long for an ARN", region, account);
    return NULL;
  }
  char *arn = kecs__arena_bytes(&write->arena, (size_t)head_len + (size_t)len + 1);
  if (arn) {
    memcpy(arn, head, (size_t)head_len);
    va_start(args, format);
    vsnprintf(arn + head_len, (size_t)len + 1, format, args);
    va_end(args);
  }
  return arn;
}

KECS__FN kecs_status kecs__resolve_parent(kecs__session *session, kecs_kind parent, const char *text,
                                          kecs__arena *arena, const char **out_arn) {
  *out_arn = text;
  if (!text || !text[0] || kecs__is_arn(text) || parent != KECS_KIND_CLUSTER) {
    return KECS_OK;
  }
  static const char sql[] = "SELECT arn FROM clusters WHERE account_id=?1 AND region=?2 AND name=?3";
  static const char sql_dollar[] = "SELECT arn FROM clusters WHERE account_id=$1 AND region=$2 AND name=$3";
  const kecs__engine *engine = session->engine;
  const char *wanted = engine->backend->dialect->placeholder == '$' ? sql_dollar : sql;
  kecs_value values[] = {kecs__value_text(engine->account_id), kecs__value_text(engine->region),
                         kecs__value_text(text)};
  kecs__cached *cached = NULL;
  bool row = false;
  char *arn = NULL;
  kecs_status status = kecs__statement_text(session, wanted, sizeof sql - 1, &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, values, 3, &row);
  }
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    arn = value.text ? kecs__arena_text(arena, value.text, value.len) : NULL;
    status = arn ? KECS_OK : kecs__fail_nomem();
  }
  kecs__statement_done(session, cached);
  if (!status && !arn) {
    kecs__text made;
    kecs__text_init(&made, arena->allocator, strlen(text) + 256);
    kecs__text_addf(&made, "arn:aws:ecs:%s:%s:cluster/%s", engine->region, engine->account_id, text);
    arn = made.status ? NULL : kecs__arena_text(arena, made.data, made.len);
    status = made.status ? made.status : (arn ? KECS_OK : KECS_E_NOMEM);
    kecs__text_free(&made);
  }
  *out_arn = arn;
  return status;
}

/* ---- the general fill ---- */

static bool kecs__text_empty(const char *text) {
  return !text || !text[0];
}

/* Account and region: from the ARN when it has them, or a parent's ARN, else the store's. */
static kecs_status kecs__fill_place(kecs__write *write, const kecs__meta *meta, void *row) {
  const kecs_kind_info *info = meta->info;
  char *region = NULL;
  char *account = NULL;
  if (meta->region < 0) {
    return KECS_OK;
  }
  bool region_set = !kecs__text_empty(kecs__row_text(info, row, meta->region));
  bool account_set = !kecs__text_empty(kecs__row_text(info, row, meta->account_id));
  if (region_set && account_set) {
    return KECS_OK;
  }
  const char *arn = kecs__row_text(info, row, meta->arn);
  for (int i = 0; kecs__text_empty(arn) && i < info->reference_count; i++) {
    arn = kecs__row_text(info, row, info->references[i].column);
  }
  if (arn) {
    (void)kecs__arn_parse(arn, NULL, &write->arena, &region, &account, NULL);
  }
  if (!region_set) {
    kecs__row_set_text(info, row, meta->region, kecs__text_empty(region) ? write->engine->region : region);
  }
  if (!account_set) {
    kecs__row_set_text(info, row, meta->account_id, kecs__text_empty(account) ? write->engine->account_id : account);
  }
  return KECS_OK;
}

/* Parents given by name become ARNs. */
static kecs_status kecs__fill_parents(kecs__write *write, const kecs__meta *meta, void *row) {
  for (int i = 0; i < meta->info->reference_count; i++) {
    const kecs_reference *reference = &meta->info->references[i];
    const char *given = kecs__row_text(meta->info, row, reference->column);
    const char *arn = given;
    kecs_status status = kecs__resolve_parent(write->session, reference->parent, given, &write->arena, &arn);
    if (status) {
      return status;
    }
    if (arn != given) {
      kecs__row_set_text(meta->info, row, reference->column, arn);
    }
  }
  return KECS_OK;
}

/* An id where the kind's own fill has set none. */
static kecs_status kecs__fill_id(kecs__write *write, const kecs__meta *meta, void *row) {
  if (meta->id < 0 || !(meta->info->columns[meta->id].flags & KECS_COLUMN_SERVER) ||
      !kecs__text_empty(kecs__row_text(meta->info, row, meta->id))) {
    return KECS_OK;
  }
  char *id = kecs__arena_bytes(&write->arena, 37);
  kecs_status status = id ? kecs__uuid(&write->engine->random, id) : KECS_E_NOMEM;
  kecs__row_set_text(meta->info, row, meta->id, id);
  return status;
}

static kecs_status kecs__fill_required(const kecs__meta *meta, int column) {
  return kecs__fail(KECS_E_INVALID, "%s.%s is required and has no default; set it", meta->info->name,
                    meta->info->columns[column].name);
}

/* Times that the store sets, version 1, defaults of what was left NULL or 0. */
static kecs_status kecs__fill_column(const kecs__write *write, const kecs__meta *meta, void *row, int number,
                                     uint64_t given) {
  const kecs_kind_info *info = meta->info;
  const kecs_column_info *column = &info->columns[number];
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  if (!(column->flags & KECS_COLUMN_NOT_NULL)) {
    return KECS_OK;
  }
  if (text) {
    if (!kecs__row_text(info, row, number)) {
      if (!column->default_text) {
        return kecs__fill_required(meta, number);
      }
      kecs__row_set_text(info, row, number, column->default_text);
    }
    return KECS_OK;
  }
  bool ours = (column->flags & KECS_COLUMN_AUTO) && !(given & KECS_BIT(number));
  int64_t value = ours ? 0 : kecs__row_number(info, row, number);
  if (value == 0 && column->type == KECS_TYPE_TIME) {
    kecs__row_set_number(info, row, number, write->now);
  } else if (value == 0 && column->default_text && column->type != KECS_TYPE_BOOL && !(given & KECS_BIT(number))) {
    kecs__row_set_number(info, row, number, strtoll(column->default_text, NULL, 10));
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__fill(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given) {
  const kecs__special *special = kecs__special_of(meta->info->kind);
  kecs_status status = kecs__fill_place(write, meta, row);
  if (!status) {
    status = kecs__fill_parents(write, meta, row);
  }
  if (!status && special->fill) {
    status = special->fill(write, meta, row, true);
  }
  if (!status) {
    status = kecs__fill_id(write, meta, row);
  }
  for (int i = 0; !status && i < meta->info->column_count; i++) {
    status = kecs__fill_column(write, meta, row, i, given);
  }
  /* A row that has neither can't be addressed again. */
  const kecs_column_list *address = &meta->info->address;
  if (!status && meta->arn >= 0 && !kecs__is_arn(kecs__row_text(meta->info, row, meta->arn)) &&
      kecs__text_empty(kecs__row_text(meta->info, row, address->columns[address->count - 1]))) {
    status = kecs__fail(KECS_E_INVALID, "%s: neither an ARN nor a name is set; give one of them", meta->info->name);
  }
  if (!status && meta->version >= 0 && (kecs__row_number(meta->info, row, meta->version) < 0 ||
                                        kecs__row_number(meta->info, row, meta->version) > INT64_MAX / 2)) {
    status = kecs__fail(KECS_E_INVALID, "%s.version is out of range", meta->info->name);
  }
  if (!status && write->arena.failed) {
    status = kecs__fail_nomem(); /* while an ARN was taken apart, where it looked like no ARN at all */
  }
  return status;
}

/* ---- store/special.c --------------------------------------------------------------------------------------------- */
/* store/special.c -- the table of what is special to each kind. The functions stand in the file of the kind. */

/* ---- store/special_kinds.h --------------------------------------------------------------------------------------- */
/* store/special_kinds.h -- the functions of the table in special.c, each in its kind's file (see kecs__special). */
#ifndef KECS_STORE_SPECIAL_KINDS_H
#define KECS_STORE_SPECIAL_KINDS_H

#define KECS__FILL(name) \
  KECS__FN kecs_status kecs__##name##_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh)
#define KECS__FOLLOW(name)                                                                                       \
  KECS__FN kecs_status kecs__##name##_follow(kecs__write *write, const kecs__meta *meta, const void *before, \
                                             const void *after, uint64_t changed)

KECS__FILL(cluster);
KECS__FILL(task_definition);
KECS__FILL(service);
KECS__FILL(task);
KECS__FILL(task_set);
KECS__FILL(container_instance);
KECS__FILL(load_balancer);
KECS__FILL(target_group);
KECS__FILL(listener);
KECS__FILL(rule);

/* "family" is the latest ACTIVE revision, "family:revision" that one. */
KECS__FN kecs_status kecs__task_definition_probe(kecs__session *session, const kecs__meta *meta,
                                                 const kecs_value *address, kecs__arena *arena, kecs__probe *out_probe);

/* Without ARN and revision. */
KECS__FN bool kecs__task_definition_is_new(const kecs__meta *meta, const void *row);

/* resource_tags in step with the column `tags`, for every kind that has both. */
KECS__FOLLOW(tags);

/* The other way round: the document of the resource in step with a row of the kind tag. */
KECS__FOLLOW(tag);

/* tags, and elbv2_associations in step with what links load balancers and target groups. */
KECS__FOLLOW(load_balancer);
KECS__FOLLOW(target_group);
KECS__FOLLOW(listener);

#endif

/* ---- store/special.c, continued ---------------------------------------------------------------------------------- */
static const kecs__special kecs__specials[] = {
    {.kind = KECS_KIND_CLUSTER,
     .fill = kecs__cluster_fill,
     .follow = kecs__tags_follow,
     .followed = KECS_BIT(KECS_CLUSTER_TAGS)},
    {.kind = KECS_KIND_TASK_DEFINITION,
     .fill = kecs__task_definition_fill,
     .probe = kecs__task_definition_probe,
     .is_new = kecs__task_definition_is_new,
     .follow = kecs__tags_follow,
     .followed = KECS_BIT(KECS_TASK_DEFINITION_TAGS)},
    {.kind = KECS_KIND_SERVICE,
     .fill = kecs__service_fill,
     .follow = kecs__tags_follow,
     .followed = KECS_BIT(KECS_SERVICE_TAGS)},
    {.kind = KECS_KIND_TASK,
     .fill = kecs__task_fill,
     .follow = kecs__tags_follow,
     .followed = KECS_BIT(KECS_TASK_TAGS)},
    {.kind = KECS_KIND_TASK_SET,
     .fill = kecs__task_set_fill,
     .follow = kecs__tags_follow,
     .followed = KECS_BIT(KECS_TASK_SET_TAGS)},
    {.kind = KECS_KIND_CONTAINER_INSTANCE,
     .fill = kecs__container_instance_fill,
     .follow = kecs__tags_follow,
     .followed = KECS_BIT(KECS_CONTAINER_INSTANCE_TAGS)},
    {.kind = KECS_KIND_LOAD_BALANCER,
     .fill = kecs__load_balancer_fill,
     .follow = kecs__load_balancer_follow,
     .followed = KECS_BIT(KECS_LOAD_BALANCER_TAGS)},
    {.kind = KECS_KIND_TARGET_GROUP,
     .fill = kecs__target_group_fill,
     .follow = kecs__target_group_follow,
     .followed = KECS_BIT(KECS_TARGET_GROUP_TAGS) | KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS)},
    {.kind = KECS_KIND_LISTENER,
     .fill = kecs__listener_fill,
     .follow = kecs__listener_follow,
     .followed = KECS_BIT(KECS_LISTENER_TAGS) | KECS_BIT(KECS_LISTENER_DEFAULT_ACTIONS)},
    {.kind = KECS_KIND_RULE,
     .fill = kecs__rule_fill,
     .follow = kecs__tags_follow,
     .followed = KECS_BIT(KECS_RULE_TAGS)},
    {.kind = KECS_KIND_TAG,
     .follow = kecs__tag_follow,
     .followed = KECS_BIT(KECS_TAG_VALUE)},
};

static const kecs__special kecs__special_none = {.kind = (kecs_kind)0};

KECS__FN const kecs__special *kecs__special_of(kecs_kind kind) {
  for (size_t i = 0; i < sizeof kecs__specials / sizeof kecs__specials[0]; i++) {
    if (kecs__specials[i].kind == kind) {
      return &kecs__specials[i];
    }
  }
  return &kecs__special_none;
}

/* ---- store/write.c ----------------------------------------------------------------------------------------------- */
/* store/write.c -- insert, change and delete of one row. */

/* ---- store/write.h ----------------------------------------------------------------------------------------------- */
/* store/write.h -- the one way in which rows change: insert, update, delete of one row, in the transaction of a write.
 * Whatever has to follow a change (look-up tables, children, later the change log) follows here and nowhere else. */
#ifndef KECS_STORE_WRITE_H
#define KECS_STORE_WRITE_H

/* Fills what is empty in `row` (a copy; texts go to write->arena) and inserts it. Columns in `given` were set on
 * purpose: AUTO ones among them keep their value, numbers among them may be 0. EXISTS and REFERENCE name the row and
 * what is in the way. */
KECS__FN kecs_status kecs__row_insert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given);

/* A change of one row. */
typedef struct kecs__change {
  const void *row;      /* the new values */
  uint64_t mask;        /* the columns to write where they differ. An AUTO column among them takes the row's value, a
                         * version only when it is higher than the stored one: documents that bring their own. */
  int64_t version;      /* 0: unconditional; else CONFLICT unless it is the stored one */
  int64_t rid;          /* of the row, or 0: found by its natural key in `probe` */
  const kecs__probe *probe;
  uint64_t changed;     /* out: the columns that did differ */
} kecs__change;

/* NOT_FOUND, CONFLICT. Fills in change->rid and change->changed. Writes nothing when nothing differs. */
KECS__FN kecs_status kecs__row_change(kecs__write *write, const kecs__meta *meta, kecs__change *change);

/* Deletes a row and what belongs to it: children by their references, look-ups. `row` is the stored row. */
KECS__FN kecs_status kecs__row_delete(kecs__write *write, const kecs__meta *meta, int64_t rid, const void *row);

/* Reads a whole row by rid; *out_found is false when it is gone. Texts go to the arena. */
KECS__FN kecs_status kecs__row_by_rid(kecs__session *session, const kecs__meta *meta, int64_t rid, kecs__arena *arena,
                                      void *row, bool *out_found);

/* Runs `work` in a write: opens it, closes it with what `work` returned. */
KECS__FN kecs_status kecs__with_write(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                      void *user);

/* The same for work that makes a result through `out_result` (may be NULL): a failure, COMMIT's too, frees it. */
KECS__FN kecs_status kecs__with_write_result(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                             void *user, kecs_result **out_result);

enum { KECS__STEP_ROWS = 1000 }; /* rows in one transaction of a clean-up */

/* Deletes every row that `narrow` selects, at most 1000 in one transaction (all in the handle's when it is one), and
 * counts them. A deadline or a failure ends it between two steps: what was deleted is counted and stays deleted. */
KECS__FN kecs_status kecs__prune(kecs_store *store, kecs_kind kind,
                                 kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                 int64_t *out_count);

/* Calls `edit` with every row that `narrow` selects, at most 1000 in one transaction; `edit` sets columns of the row
 * and returns their mask. Edited rows must no longer be selected. Counts the rows that changed. */
KECS__FN kecs_status kecs__edit_where(kecs_store *store, kecs_kind kind,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user),
                                      uint64_t (*edit)(kecs__write *write, void *row, const void *user),
                                      const void *user, int64_t *out_count);

/* For operations that change one addressed row: reads it into memory of the write, lets `edit` set columns, writes what
 * differs, and gives the stored row back. */
KECS__FN kecs_status kecs__edit_one(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                                    kecs_status (*edit)(kecs__write *write, void *row, void *user, uint64_t *out_mask),
                                    void *user, kecs_result **out_result);

/* Inserts the row, or changes the stored one to it, as upsert does. `row` is a copy; AUTO columns in `given` count. */
KECS__FN kecs_status kecs__row_upsert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given,
                                      kecs_result **out_result);

/* The stored row of a rid as a result; NULL out_result does nothing. */
KECS__FN kecs_status kecs__give_back(kecs__write *write, const kecs__meta *meta, int64_t rid, kecs_result **out_result);

#endif

/* ---- store/write.c, continued ------------------------------------------------------------------------------------ */
#include <string.h>

KECS__FN kecs_status kecs__with_write(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                      void *user) {
  kecs__write write;
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__write_guard(&write);
  }
  if (!status) {
    status = work(&write, user);
  }
  return kecs__write_close(&write, status);
}

KECS__FN kecs_status kecs__row_by_rid(kecs__session *session, const kecs__meta *meta, int64_t rid, kecs__arena *arena,
                                      void *row, bool *out_found) {
  kecs_value parameter = kecs__value_int(rid);
  kecs__cached *cached = NULL;
  *out_found = false;
  kecs_status status = kecs__statement(session, meta, KECS__OP_SELECT_RID, 0, &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, &parameter, 1, out_found);
  }
  if (!status && *out_found) {
    status = kecs__row_fetch(session, cached, meta, arena, row);
  }
  kecs__statement_done(session, cached);
  return status;
}

/* ---- insert ---- */

/* The parents that are missing, with nothing but what their ARN says. */
static kecs_status kecs__parents_make(kecs__write *write, const kecs__meta *meta, const void *row) {
  for (int i = 0; i < meta->info->reference_count; i++) {
    const kecs_reference *reference = &meta->info->references[i];
    const kecs__meta *parent = kecs__meta_of(write->engine, reference->parent);
    kecs_value arn = kecs__row_value(meta->info, row, reference->column);
    kecs__probe probe = {0};
    int64_t rid = 0;
    if (arn.type == KECS_VALUE_NULL) {
      continue;
    }
    probe.count = 1;
    probe.values[0] = arn;
    kecs_status status = kecs__probe_rid(write->session, parent, &probe, &rid);
    if (!status && rid == 0) {
      void *bare = kecs__arena_take(&write->arena, parent->info->row_size);
      if (!bare) {
        return KECS_E_NOMEM;
      }
      memset(bare, 0, parent->info->row_size);
      kecs__row_set_text(parent->info, bare, reference->parent_column, arn.text);
      status = kecs__row_insert(write, parent, bare, 0);
    }
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

/* A text from a program may be any bytes; what is stored is UTF-8, and `extra` an object. */
static kecs_status kecs__check_text(const kecs__meta *meta, int column, const kecs_value *value) {
  if (value->type == KECS_VALUE_TEXT && column == meta->extra &&
      kecs__json_check(value->text, value->len, NULL).type != KECS__JSON_OBJECT) {
    return kecs__fail(KECS_E_INVALID,
                      "%s.extra is not a JSON object; it holds a document's members that have no column",
                      meta->info->name);
  }
  if (value->type != KECS_VALUE_TEXT || kecs__utf8_valid(value->text, value->len)) {
    return KECS_OK;
  }
  return kecs__fail(KECS_E_INVALID, "%s.%s is not UTF-8", meta->info->name, meta->info->columns[column].name);
}

/* Says which parent is missing: the database only says that one is. */
static kecs_status kecs__fail_reference(kecs__write *write, const kecs__meta *meta, const void *row, uint64_t mask) {
  kecs_error error = kecs__error_save();
  char name[160];
  kecs__row_name(meta->info, row, name);
  for (int i = 0; i < meta->info->reference_count; i++) {
    const kecs_reference *reference = &meta->info->references[i];
    const kecs__meta *parent = kecs__meta_of(write->engine, reference->parent);
    const char *arn = kecs__row_text(meta->info, row, reference->column);
    kecs__probe probe = {0};
    int64_t rid = 0;
    if (!arn || !(mask & KECS_BIT(reference->column))) {
      continue;
    }
    probe.count = 1;
    probe.values[0] = kecs__value_text(arn);
    if (!kecs__probe_rid(write->session, parent, &probe, &rid) && rid == 0) {
      (void)kecs__fail(KECS_E_REFERENCE, "%s \"%s\": its %s \"%s\" is not in the store; create that first",
                       meta->info->name, name, parent->info->name, arn);
      kecs_error better = kecs__error_save();
      better.native_code = error.native_code;
      memcpy(better.sqlstate, error.sqlstate, sizeof better.sqlstate);
      return kecs__error_restore(&better);
    }
  }
  return kecs__error_restore(&error);
}

/* A taken key, with the row and the key that is taken in the line. */
static kecs_status kecs__fail_exists(kecs__write *write, const kecs__meta *meta, const void *row) {
  kecs_error error = kecs__error_save();
  char name[160];
  const char *taken = "another row";
  kecs__row_name(meta->info, row, name);
  for (int k = 0; k < meta->info->key_count; k++) {
    const kecs_column_list *key = &meta->info->keys[k];
    kecs__probe probe = {0};
    int64_t rid = 0;
    probe.key = k;
    probe.count = key->count;
    for (int i = 0; i < key->count; i++) {
      probe.values[i] = kecs__row_value(meta->info, row, key->columns[i]);
    }
    if (!kecs__probe_rid(write->session, meta, &probe, &rid) && rid != 0) {
      taken = key->name;
      break;
    }
  }
  (void)kecs__fail(KECS_E_EXISTS, "%s \"%s\" already exists (its %s is taken)", meta->info->name, name, taken);
  kecs_error better = kecs__error_save();
  better.native_code = error.native_code;
  memcpy(better.sqlstate, error.sqlstate, sizeof better.sqlstate);
  return kecs__error_restore(&better);
}

/* The columns in `mask` were written. */
static kecs_status kecs__row_explain(kecs__write *write, const kecs__meta *meta, const void *row, uint64_t mask,
                                     kecs_status status) {
  if (status == KECS_E_REFERENCE) {
    return kecs__fail_reference(write, meta, row, mask);
  }
  if (status == KECS_E_EXISTS) {
    return kecs__fail_exists(write, meta, row);
  }
  return status;
}

static kecs_status kecs__row_put(kecs__write *write, const kecs__meta *meta, const void *row) {
  kecs_value values[64];
  kecs_status status = KECS_OK;
  for (int i = 0; !status && i < meta->info->column_count; i++) {
    values[i] = kecs__row_value(meta->info, row, i);
    if (values[i].type == KECS_VALUE_NULL && (meta->info->columns[i].flags & KECS_COLUMN_NOT_NULL)) {
      values[i].type = KECS_VALUE_TIME; /* 1970-01-01T00:00:00Z itself, in a column that is never NULL */
    }
    status = kecs__check_text(meta, i, &values[i]);
  }
  kecs__cached *cached = NULL;
  if (!status) {
    status = kecs__statement(write->session, meta, KECS__OP_INSERT, 0, &cached);
  }
  return status ? status : kecs__statement_run(write->session, cached, values, meta->info->column_count);
}

KECS__FN kecs_status kecs__row_insert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given) {
  const kecs__special *special = kecs__special_of(meta->info->kind);
  kecs_status status = kecs__fill(write, meta, row, given);
  bool follows = special->follow != NULL;
  if (!status && (follows || write->make_parents)) {
    status = kecs__write_guard(write);
  }
  if (!status && write->make_parents) {
    status = kecs__parents_make(write, meta, row);
  }
  if (!status) {
    status = kecs__row_put(write, meta, row);
    status = kecs__row_explain(write, meta, row, UINT64_MAX, status);
  }
  if (!status && follows) {
    status = special->follow(write, meta, NULL, row, UINT64_MAX);
  }
  return status;
}

/* ---- change ---- */

/* Reads rid, version, omitted and what is to be compared, in column order after rid. */
static kecs_status kecs__change_read(kecs__write *write, const kecs__meta *meta, kecs__change *change, uint64_t mask,
                                     kecs__cached **out_cached, kecs_value *values) {
  bool row = false;
  kecs_value rid = kecs__value_int(change->rid);
  kecs__op op = change->rid ? KECS__OP_READ_RID : KECS__OP_READ_FIELDS;
  kecs_status status = kecs__statement(write->session, meta, op, mask, out_cached);
  if (!status) {
    status = change->rid ? kecs__statement_start(write->session, *out_cached, &rid, 1, &row)
                         : kecs__statement_start(write->session, *out_cached, change->probe->values,
                                                 change->probe->count, &row);
  }
  if (!status && !row) {
    status = change->probe ? kecs__fail_probe(meta, change->probe) : kecs__fail_not_found(meta, "?");
  }
  if (status) {
    return status;
  }
  int count = 1;
  for (int i = 0; i < meta->info->column_count; i++) {
    count += mask & KECS_BIT(i) ? 1 : 0;
  }
  kecs_value read[65];
  kecs__statement_columns(write->session, *out_cached, read, count);
  change->rid = read[0].number;
  for (int i = 0, at = 1; i < meta->info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      values[i] = read[at++];
    }
  }
  return KECS_OK;
}

static kecs_status kecs__change_conflict(const kecs__meta *meta, const kecs__change *change, int64_t stored) {
  char name[160];
  kecs__row_name(meta->info, change->row, name);
  return kecs__fail(KECS_E_CONFLICT,
                    "%s \"%s\" has version %lld, not %lld: it was changed meanwhile; read it again and "
                    "repeat the update",
                    meta->info->name, name, (long long)stored, (long long)change->version);
}

/* The mask of the columns that differ, and the parameters that write them. */
static kecs_status kecs__change_compare(const kecs__meta *meta, kecs__change *change, const kecs_value *stored,
                                        kecs_value *parameters) {
  change->changed = 0;
  for (int i = 0; i < meta->info->column_count; i++) {
    if (change->mask & KECS_BIT(i)) {
      kecs_value value = kecs__row_value(meta->info, change->row, i);
      if (value.type == KECS_VALUE_NULL && (meta->info->columns[i].flags & KECS_COLUMN_NOT_NULL)) {
        if (meta->info->columns[i].type == KECS_TYPE_TIME) {
          continue; /* a time that the store filled stays when the caller has none */
        }
        if (!meta->info->columns[i].default_text) {
          return kecs__fail(KECS_E_INVALID, "%s.%s is required and has no default; set it", meta->info->name,
                            meta->info->columns[i].name);
        }
        value = kecs__value_text(meta->info->columns[i].default_text);
      }
      bool newer = value.number > stored[i].number && value.number <= INT64_MAX / 2;
      if (i == meta->version ? newer : !kecs__value_same(&value, &stored[i])) {
        kecs_status status = kecs__check_text(meta, i, &value);
        if (status) {
          return status;
        }
        change->changed |= KECS_BIT(i);
        parameters[i] = value;
      }
    }
  }
  return KECS_OK;
}

/* version, updated_at and omitted follow a change by themselves. */
static uint64_t kecs__change_auto(const kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                  const kecs_value *stored, kecs_value *parameters) {
  uint64_t mask = change->changed;
  if (meta->version >= 0 && !(mask & KECS_BIT(meta->version))) {
    parameters[meta->version] = kecs__value_int(stored[meta->version].number + 1);
    mask |= KECS_BIT(meta->version);
  }
  if (meta->updated_at >= 0 && !(mask & KECS_BIT(meta->updated_at))) {
    parameters[meta->updated_at] = kecs__value_time(write->now);
    mask |= KECS_BIT(meta->updated_at);
  }
  if (meta->omitted >= 0 && !(mask & KECS_BIT(meta->omitted)) &&
      ((uint64_t)stored[meta->omitted].number & change->changed)) {
    uint64_t omitted = (uint64_t)stored[meta->omitted].number & ~change->changed;
    parameters[meta->omitted] = kecs__value_int((int64_t)omitted);
    mask |= KECS_BIT(meta->omitted);
  }
  return mask;
}

static kecs_status kecs__change_write(kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                      uint64_t mask, const kecs_value *parameters) {
  kecs_value packed[65];
  int count = 0;
  for (int i = 0; i < meta->info->column_count; i++) {
    if (mask & KECS_BIT(i)) {
      packed[count++] = parameters[i];
    }
  }
  packed[count++] = kecs__value_int(change->rid);
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement(write->session, meta, KECS__OP_UPDATE, mask, &cached);
  if (!status) {
    status = kecs__statement_run(write->session, cached, packed, count);
  }
  return kecs__row_explain(write, meta, change->row, change->changed, status);
}

/* What the kind's own look-ups need: the whole row before and after. */
static kecs_status kecs__change_follow(kecs__write *write, const kecs__meta *meta, const kecs__special *special,
                                       const kecs__change *change, uint64_t mask, const kecs_value *parameters) {
  bool found = false;
  kecs_status status = kecs__write_guard(write);
  char *before = status ? NULL : kecs__arena_take(&write->arena, meta->info->row_size);
  char *after = before ? kecs__arena_take(&write->arena, meta->info->row_size) : NULL;
  if (!status && !after) {
    return KECS_E_NOMEM;
  }
  if (!status) {
    status = kecs__row_by_rid(write->session, meta, change->rid, &write->arena, before, &found);
  }
  if (!status) {
    memcpy(after, before, meta->info->row_size);
    for (int i = 0; i < meta->info->column_count; i++) {
      if (mask & KECS_BIT(i)) {
        kecs__row_set(meta->info, after, i, &parameters[i]);
      }
    }
    status = kecs__change_write(write, meta, change, mask, parameters);
  }
  return status ? status : special->follow(write, meta, before, after, change->changed);
}

KECS__FN kecs_status kecs__row_change(kecs__write *write, const kecs__meta *meta, kecs__change *change) {
  const kecs__special *special = kecs__special_of(meta->info->kind);
  kecs_value stored[64] = {{KECS_VALUE_NULL, 0, NULL, 0}};
  kecs_value parameters[64];
  uint64_t read = change->mask;
  read |= meta->version >= 0 ? KECS_BIT(meta->version) : 0;
  read |= meta->omitted >= 0 ? KECS_BIT(meta->omitted) : 0;
  kecs__cached *cached = NULL;
  kecs_status status = kecs__change_read(write, meta, change, read, &cached, stored);
  if (!status && change->version != 0 && meta->version >= 0 && stored[meta->version].number != change->version) {
    status = kecs__change_conflict(meta, change, stored[meta->version].number);
  }
  if (!status) {
    status = kecs__change_compare(meta, change, stored, parameters);
  }
  /* The stored texts were borrowed from the statement; from here on only numbers of it are used. */
  kecs__statement_done(write->session, cached);
  if (status || change->changed == 0) {
    return status;
  }
  uint64_t mask = kecs__change_auto(write, meta, change, stored, parameters);
  if (special->follow && (change->changed & special->followed)) {
    return kecs__change_follow(write, meta, special, change, mask, parameters);
  }
  return kecs__change_write(write, meta, change, mask, parameters);
}

/* ---- delete ---- */

/* The rids of a parent's children, one step at a time: a cluster may have a million tasks. */
static kecs_status kecs__children(kecs__write *write, const kecs__meta *child, int column, const kecs_value *parent,
                                  kecs__arena *arena, int64_t *rids, int *out_count) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  char condition[96];
  *out_count = 0;
  kecs__plan_init(&plan, write->session, child, arena);
  size_t len = strlen(child->info->columns[column].name);
  memcpy(condition, child->info->columns[column].name, len);
  memcpy(condition + len, "=?", 3);
  kecs__plan_where(&plan, condition, parent, 1);
  kecs_status status = kecs__plan_start(&plan, "rid", false, KECS__STEP_ROWS, &cached, &row);
  while (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    rids[(*out_count)++] = value.number;
    status = kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

static kecs_status kecs__child_release(kecs__write *write, const kecs__meta *child, const kecs_reference *reference,
                                       int64_t rid, kecs__arena *arena) {
  bool found = false;
  void *row = kecs__arena_take(arena, child->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, child, rid, arena, row, &found) : KECS_E_NOMEM;
  if (status || !found) {
    return status;
  }
  if (reference->on_delete == KECS_ON_DELETE_CASCADE) {
    return kecs__row_delete(write, child, rid, row);
  }
  kecs__change change = {0};
  kecs__row_set_text(child->info, row, reference->column, NULL);
  change.row = row;
  change.mask = KECS_BIT(reference->column);
  change.rid = rid;
  return kecs__row_change(write, child, &change);
}

static kecs_status kecs__children_release(kecs__write *write, const kecs__meta *child, const kecs_reference *reference,
                                          const kecs_value *parent) {
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  int64_t *rids = kecs__alloc(&write->engine->allocator, KECS__STEP_ROWS * sizeof *rids);
  kecs_status status = rids ? KECS_OK : KECS_E_NOMEM;
  int count = KECS__STEP_ROWS;
  while (!status && count == KECS__STEP_ROWS) {
    status = kecs__children(write, child, reference->column, parent, &arena, rids, &count);
    for (int i = 0; !status && i < count; i++) {
      kecs__arena_reset(&arena);
      status = kecs__child_release(write, child, reference, rids[i], &arena);
    }
  }
  kecs__release(&write->engine->allocator, rids, KECS__STEP_ROWS * sizeof *rids);
  kecs__arena_free(&arena);
  return status;
}

/* The kinds that refer to this one, each by its rule; grandchildren go with the children. */
static kecs_status kecs__descendants_release(kecs__write *write, const kecs__meta *meta, const void *row) {
  for (int kind = KECS_KIND_COUNT - 1; kind >= 1; kind--) {
    const kecs__meta *child = kecs__meta_of(write->engine, (kecs_kind)kind);
    for (int i = 0; i < child->info->reference_count; i++) {
      const kecs_reference *reference = &child->info->references[i];
      if (reference->parent == meta->info->kind) {
        kecs_value parent = kecs__row_value(meta->info, row, reference->parent_column);
        kecs_status status = kecs__children_release(write, child, reference, &parent);
        if (status) {
          return status;
        }
      }
    }
  }
  return KECS_OK;
}

KECS__FN kecs_status kecs__row_delete(kecs__write *write, const kecs__meta *meta, int64_t rid, const void *row) {
  const kecs__special *special = kecs__special_of(meta->info->kind);
  kecs_value parameter = kecs__value_int(rid);
  kecs__cached *cached = NULL;
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__descendants_release(write, meta, row);
  }
  if (!status && special->follow) {
    status = special->follow(write, meta, row, NULL, UINT64_MAX);
  }
  if (!status) {
    status = kecs__statement(write->session, meta, KECS__OP_DELETE, 0, &cached);
  }
  return status ? status : kecs__statement_run(write->session, cached, &parameter, 1);
}

/* ---- store/sweep.c ----------------------------------------------------------------------------------------------- */
/* store/sweep.c -- many rows deleted or edited in steps, so that no writer waits longer than a step takes. */

typedef struct kecs__sweep {
  const kecs__meta *meta;
  kecs_status (*narrow)(kecs__plan *plan, const void *user);
  uint64_t (*edit)(kecs__write *write, void *row, const void *user); /* NULL: delete */
  const void *user;
  int64_t *rids;
  int found;
  int64_t done;
} kecs__sweep;

static kecs_status kecs__sweep_find(kecs__write *write, kecs__sweep *sweep) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  sweep->found = 0;
  kecs__plan_init(&plan, write->session, sweep->meta, &write->arena);
  kecs__plan_fail(&plan, sweep->narrow(&plan, sweep->user));
  kecs_status status = kecs__plan_start(&plan, "rid", false, KECS__STEP_ROWS, &cached, &row);
  while (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    sweep->rids[sweep->found++] = value.number;
    status = kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

static kecs_status kecs__sweep_one(kecs__write *write, const kecs__sweep *sweep, int64_t rid, kecs__arena *arena) {
  bool found = false;
  void *row = kecs__arena_take(arena, sweep->meta->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, sweep->meta, rid, arena, row, &found) : KECS_E_NOMEM;
  if (status || !found) {
    return status;
  }
  if (!sweep->edit) {
    return kecs__row_delete(write, sweep->meta, rid, row);
  }
  kecs__change change = {0};
  change.mask = sweep->edit(write, row, sweep->user);
  change.row = row;
  change.rid = rid;
  return kecs__row_change(write, sweep->meta, &change);
}

static kecs_status kecs__sweep_step(kecs__write *write, void *user) {
  kecs__sweep *sweep = user;
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__sweep_find(write, sweep);
  }
  for (int i = 0; !status && i < sweep->found; i++) {
    kecs__arena_reset(&arena);
    status = kecs__sweep_one(write, sweep, sweep->rids[i], &arena);
  }
  kecs__arena_free(&arena);
  return status;
}

static kecs_status kecs__sweep_all(kecs_store *store, kecs__sweep *sweep, int64_t *out_count) {
  kecs_allocator *allocator = &store->engine->allocator;
  sweep->rids = kecs__alloc(allocator, KECS__STEP_ROWS * sizeof *sweep->rids);
  kecs_status status = sweep->rids ? KECS_OK : KECS_E_NOMEM;
  do {
    sweep->found = 0;
    if (!status) {
      status = kecs__with_write(store, kecs__sweep_step, sweep);
    }
    sweep->done += status ? 0 : sweep->found;
  } while (!status && sweep->found == KECS__STEP_ROWS);
  kecs__release(allocator, sweep->rids, KECS__STEP_ROWS * sizeof *sweep->rids);
  if (out_count) {
    *out_count = sweep->done;
  }
  return status;
}

KECS__FN kecs_status kecs__prune(kecs_store *store, kecs_kind kind,
                                 kecs_status (*narrow)(kecs__plan *plan, const void *user), const void *user,
                                 int64_t *out_count) {
  return kecs__edit_where(store, kind, narrow, NULL, user, out_count);
}

KECS__FN kecs_status kecs__edit_where(kecs_store *store, kecs_kind kind,
                                      kecs_status (*narrow)(kecs__plan *plan, const void *user),
                                      uint64_t (*edit)(kecs__write *write, void *row, const void *user),
                                      const void *user, int64_t *out_count) {
  if (out_count) {
    *out_count = 0;
  }
  kecs_status status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  kecs__sweep sweep = {kecs__meta_of(store->engine, kind), narrow, edit, user, NULL, 0, 0};
  return kecs__sweep_all(store, &sweep, out_count);
}

/* ---- store/document.c -------------------------------------------------------------------------------------------- */
/* store/document.c -- member names of columns, and values between JSON, text and columns. */

/* ---- store/document.h -------------------------------------------------------------------------------------------- */
/* store/document.h -- what documents and columns have in common: member names, and values from JSON and from text. */
#ifndef KECS_STORE_DOCUMENT_H
#define KECS_STORE_DOCUMENT_H

/* One name under which a column stands in a document. */
typedef struct kecs__name {
  int column;
  bool alias;        /* read, but not written */
  const char *outer; /* the top-level member */
  size_t outer_len;
  const char *inner; /* a member of that member; NULL when the member itself is the column */
  size_t inner_len;
} kecs__name;

enum { KECS__NAMES_MAX = 128 };

/* All names of a kind's columns; returns how many. */
KECS__FN int kecs__names(const kecs_kind_info *info, kecs__name out[KECS__NAMES_MAX]);

/* Whether a member's name (a JSON string) is this text. */
KECS__FN bool kecs__name_is(kecs__json name, const char *text, size_t len);

/* Whether a name belongs to the member "kecs", which only the store writes. */
KECS__FN bool kecs__name_ours(const kecs__name *name);

/* What a JSON value means to a column. *exact is false where writing the column back would not give an equal value
 * (null, a number for a text, digits below a microsecond ...): then the document keeps the value in `extra`. A value
 * that the column can't hold at all becomes NULL and is not exact. INVALID for \u0000 and lone surrogates in a text. */
KECS__FN kecs_status kecs__value_from_json(const kecs_column_info *column, kecs__json json, kecs__arena *arena,
                                           kecs_value *out, bool *exact);

/* The same from plain text, as command lines give it. INVALID names the column. */
KECS__FN kecs_status kecs__value_from_text(const kecs_kind_info *info, int column, const char *text, kecs__arena *arena,
                                           kecs_value *out);

/* Appends a column's value as JSON. */
KECS__FN void kecs__value_to_json(const kecs_column_info *column, const kecs_value *value, unsigned flags,
                                  kecs__text *out);

/* The column's default as a value; NULL where it has none. */
KECS__FN kecs_value kecs__column_default(const kecs_column_info *column);

#endif

/* ---- store/document.c, continued --------------------------------------------------------------------------------- */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

/* "clusterArn|cluster", "State.Code": one name at a time. */
static const char *kecs__name_next(const char *at, kecs__name *out) {
  size_t len = strcspn(at, "|");
  const char *dot = memchr(at, '.', len);
  out->outer = at;
  out->outer_len = dot ? (size_t)(dot - at) : len;
  out->inner = dot ? dot + 1 : NULL;
  out->inner_len = dot ? len - out->outer_len - 1 : 0;
  return at[len] ? at + len + 1 : NULL;
}

KECS__FN int kecs__names(const kecs_kind_info *info, kecs__name out[KECS__NAMES_MAX]) {
  int count = 0;
  for (int i = 0; i < info->column_count; i++) {
    const char *at = info->columns[i].json[0] ? info->columns[i].json : NULL;
    for (bool alias = false; at && count < KECS__NAMES_MAX; alias = true) {
      out[count].column = i;
      out[count].alias = alias;
      at = kecs__name_next(at, &out[count]);
      count++;
    }
  }
  return count;
}

KECS__FN bool kecs__name_is(kecs__json name, const char *text, size_t len) {
  if (name.len == len + 2 && memcmp(name.text + 1, text, len) == 0) {
    return true;
  }
  /* Escapes only lengthen a name. */
  if (name.len <= len + 2 || !memchr(name.text, '\\', name.len)) {
    return false;
  }
  /* Names of ours are short: a longer one is none of them. */
  char plain[128];
  if (len >= sizeof plain) {
    return false;
  }
  memcpy(plain, text, len);
  plain[len] = '\0';
  return kecs__json_equals(name, plain);
}

KECS__FN bool kecs__name_ours(const kecs__name *name) {
  return name->inner && name->outer_len == 4 && memcmp(name->outer, "kecs", 4) == 0;
}

/* ---- values from JSON ---- */

static bool kecs__is_document(const kecs_column_info *column) {
  return column->type == KECS_TYPE_JSON;
}

static kecs_status kecs__value_text_from(kecs__json json, kecs__arena *arena, kecs_value *out, bool *exact) {
  size_t len = 0;
  char *text = NULL;
  switch (json.type) {
    case KECS__JSON_STRING:
      text = kecs__json_string(json, arena, &len);
      break;
    case KECS__JSON_NUMBER:
    case KECS__JSON_TRUE:
    case KECS__JSON_FALSE:
      *exact = false;
      text = kecs__arena_text(arena, json.text, json.len);
      len = json.len;
      break;
    default:
      *exact = false;
      return KECS_OK;
  }
  if (!text) {
    return kecs_last_error()->status;
  }
  *out = kecs__value_bytes(text, len);
  return KECS_OK;
}

static void kecs__value_number_from(const kecs_column_info *column, kecs__json json, kecs_value *out, bool *exact) {
  int64_t number = 0;
  char text[40];
  size_t len = 0;
  bool rank = column->type == KECS_TYPE_RANK;
  kecs__json read = json;
  if (json.type == KECS__JSON_STRING && kecs__json_string_into(json, text, sizeof text, &len)) {
    if (rank && strcmp(text, "default") == 0) {
      *out = kecs__value_int(KECS_RANK_DEFAULT);
      return;
    }
    read = kecs__json_check(text, len, NULL);
  }
  if (read.type != KECS__JSON_NUMBER || !kecs__json_int64(read, &number)) {
    *exact = false;
    return;
  }
  *exact = (json.type == KECS__JSON_STRING) == rank;
  *out = kecs__value_int(number);
}

static void kecs__value_bool_from(kecs__json json, kecs_value *out, bool *exact) {
  bool truth = json.type == KECS__JSON_TRUE || kecs__json_equals(json, "true");
  bool known = truth || json.type == KECS__JSON_FALSE || kecs__json_equals(json, "false");
  *exact = known && json.type != KECS__JSON_STRING;
  if (known) {
    *out = kecs__value_int(truth ? 1 : 0);
    out->type = KECS_VALUE_BOOL;
  }
}

KECS__FN kecs_status kecs__value_from_json(const kecs_column_info *column, kecs__json json, kecs__arena *arena,
                                           kecs_value *out, bool *exact) {
  memset(out, 0, sizeof *out);
  *exact = true;
  if (json.type == KECS__JSON_NULL) {
    *exact = false;
    return KECS_OK;
  }
  switch (column->type) {
    case KECS_TYPE_TEXT:
      return kecs__value_text_from(json, arena, out, exact);
    case KECS_TYPE_JSON: {
      char *text = kecs__arena_text(arena, json.text, json.len);
      *out = kecs__value_bytes(text, json.len);
      return text ? KECS_OK : KECS_E_NOMEM;
    }
    case KECS_TYPE_TIME: {
      int64_t micros = 0;
      bool whole = false;
      bool time = kecs__time_read(json, &micros, &whole);
      *exact = time && whole && micros != 0;
      *out = kecs__value_time(time ? micros : 0);
      return KECS_OK;
    }
    case KECS_TYPE_BOOL:
      kecs__value_bool_from(json, out, exact);
      return KECS_OK;
    case KECS_TYPE_INT:
    case KECS_TYPE_OPTI:
    case KECS_TYPE_RANK:
      break;
  }
  kecs__value_number_from(column, json, out, exact);
  return KECS_OK;
}

KECS__FN kecs_value kecs__column_default(const kecs_column_info *column) {
  kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
  if (!column->default_text) {
    return value;
  }
  if (column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON) {
    return kecs__value_text(column->default_text);
  }
  return kecs__value_int(strtoll(column->default_text, NULL, 10));
}

/* ---- values from plain text ---- */

static kecs_status kecs__text_refused(const kecs_kind_info *info, int column, const char *text, const char *wanted) {
  return kecs__fail(KECS_E_INVALID, "%s.%s: \"%.80s\" is not %s", info->name, info->columns[column].name, text, wanted);
}

KECS__FN kecs_status kecs__value_from_text(const kecs_kind_info *info, int column, const char *text, kecs__arena *arena,
                                           kecs_value *out) {
  bool exact = false;
  size_t len = strlen(text);
  kecs__json_fault fault;
  int64_t micros = 0;
  memset(out, 0, sizeof *out);
  if (!kecs__utf8_valid(text, len)) {
    return kecs__text_refused(info, column, "...", "UTF-8");
  }
  switch (info->columns[column].type) {
    case KECS_TYPE_TEXT:
      *out = kecs__value_bytes(text, len);
      return KECS_OK;
    case KECS_TYPE_JSON:
      if (len > 0 && kecs__json_check(text, len, &fault).type == KECS__JSON_NONE) {
        return kecs__fail(KECS_E_INVALID, "%s.%s: line %zu, column %zu: %s", info->name, info->columns[column].name,
                          fault.line, fault.column, fault.reason);
      }
      *out = kecs__value_bytes(text, len);
      return KECS_OK;
    case KECS_TYPE_TIME:
      if (!kecs__time_parse(text, len, &micros, &exact)) {
        return kecs__text_refused(info, column, text, "a time, such as 2024-05-01T10:00:00Z or epoch seconds");
      }
      *out = kecs__value_time(micros);
      return KECS_OK;
    case KECS_TYPE_BOOL:
    case KECS_TYPE_INT:
    case KECS_TYPE_OPTI:
    case KECS_TYPE_RANK:
      break;
  }
  if (info->columns[column].type == KECS_TYPE_BOOL) {
    bool truth = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!truth && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
      return kecs__text_refused(info, column, text, "true or false");
    }
    *out = kecs__value_int(truth ? 1 : 0);
    out->type = KECS_VALUE_BOOL;
    return KECS_OK;
  }
  kecs__text quoted;
  kecs__text_init(&quoted, arena->allocator, len * 6 + 2);
  kecs__json_quote(&quoted, text, len);
  kecs_status status = quoted.status;
  if (!status) {
    kecs__json json = {KECS__JSON_STRING, quoted.data, quoted.len};
    kecs__value_number_from(&info->columns[column], json, out, &exact);
    if (out->type == KECS_VALUE_NULL) {
      status = kecs__text_refused(info, column, text, "a whole number");
    }
  }
  kecs__text_free(&quoted);
  return status;
}

/* ---- values to JSON ---- */

KECS__FN void kecs__value_to_json(const kecs_column_info *column, const kecs_value *value, unsigned flags,
                                  kecs__text *out) {
  char text[40];
  if (value->type == KECS_VALUE_NULL) {
    kecs__text_adds(out, "null");
  } else if (value->type == KECS_VALUE_TEXT) {
    /* A document that a program stored without it being JSON is still told, as a string. */
    bool raw = kecs__is_document(column) && kecs__json_check(value->text, value->len, NULL).type != KECS__JSON_NONE;
    if (raw) {
      kecs__text_add(out, value->text, value->len);
    } else {
      kecs__json_quote(out, value->text, value->len);
    }
  } else if (column->type == KECS_TYPE_TIME) {
    if (flags & KECS_JSON_EPOCH) {
      kecs__time_epoch(value->number, text);
      kecs__text_adds(out, text);
    } else {
      kecs__time_iso(value->number, text);
      kecs__text_addf(out, "\"%s\"", text);
    }
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs__text_adds(out, value->number ? "true" : "false");
  } else if (column->type == KECS_TYPE_RANK && value->number == KECS_RANK_DEFAULT) {
    kecs__text_adds(out, "\"default\"");
  } else {
    const char *quote = column->type == KECS_TYPE_RANK ? "\"" : "";
    kecs__text_addf(out, "%s%lld%s", quote, (long long)value->number, quote);
  }
}

/* ---- store/json_in.c --------------------------------------------------------------------------------------------- */
/* store/json_in.c -- an AWS document to a row.
 *
 * Each top-level member is a column, the parent of columns ("State.Code"), or unknown. What is unknown, and what a
 * column can't give back as an equal value, is kept in `extra` as it was written: extra is a JSON object of raw
 * members. A member that is a parent of columns is kept whole when anything in it must be kept. `omitted` remembers the
 * columns with a default that the document does not mention, so that it does not come back with members that it never
 * had. */

/* ---- store/validate_internal.h ----------------------------------------------------------------------------------- */
/* store/validate_internal.h -- validation inside the write path of a strict store, and what its two modules share.
 *
 * A rule is one row of a table in validate.c: a kind, a column, the further columns that it reads, and a function. The
 * JSON columns are checked once, before the rules; a rule then walks the spans. Paths are linked on the stack and
 * become text only when a rule is broken, so a valid row costs no memory but for lists whose names must be unique. */
#ifndef KECS_STORE_VALIDATE_INTERNAL_H
#define KECS_STORE_VALIDATE_INTERNAL_H

/* As kecs_validate, for a row on its way in: what the store will fill may be empty. */
KECS__FN kecs_status kecs__validate_row(const kecs_kind_info *info, const void *row);

/* The rules of an update that writes the columns in `mask`. A rule that reads several columns is applied only when the
 * mask has all of them: of the others the row says nothing. */
KECS__FN kecs_status kecs__validate_update(const kecs_kind_info *info, const void *row, uint64_t mask);

/* ---- what rules are made of ---- */

/* A place in an AWS document: containerDefinitions[1].image. */
typedef struct kecs__validate_path {
  const struct kecs__validate_path *parent; /* NULL: a member of the document itself */
  const char *member;                       /* NULL: an element of an array */
  size_t index;
} kecs__validate_path;

/* A row while it is validated. */
typedef struct kecs__validate_case {
  const kecs_kind_info *info;
  const void *row;
  kecs__json documents[64]; /* by column; NONE when the column is not set, or says null */
} kecs__validate_case;

typedef struct kecs__validate_rule {
  kecs_kind kind;
  int column;
  uint64_t also; /* further columns that it reads, as bits */
  kecs_status (*check)(const kecs__validate_case *it, const struct kecs__validate_rule *rule,
                       const kecs__validate_path *path);
  const char *accepts; /* what the function looks for: words, punctuation, a member's name */
  int64_t limit;       /* the longest text, the highest number */
} kecs__validate_rule;

/* INVALID: the path, a colon, and the text. */
KECS__FN kecs_status kecs__validate_fail(const kecs__validate_path *path, const char *format, ...)
    KECS_STORE_PRINTF(2, 3);

/* A refused value as a message quotes it: cut, but never inside a character. */
enum { KECS__VALIDATE_SHOWN = 44 };
KECS__FN const char *kecs__validate_shown(const char *text, size_t len, char out[KECS__VALIDATE_SHOWN]);

/* A column's text, or NULL when it is not set or empty. */
KECS__FN const char *kecs__validate_text(const kecs__validate_case *it, int column);

/* `max` letters, digits and characters of `punctuation` at most, and one at least. */
KECS__FN kecs_status kecs__validate_name(const kecs__validate_path *path, const char *name, const char *punctuation,
                                         int64_t max);

/* A text of min to max characters (code points). */
KECS__FN kecs_status kecs__validate_length(const kecs__validate_path *path, const char *text, size_t min, int64_t max);

/* Whether a text is one of `words`, which a space separates; INVALID unless a text, or a JSON string, is. */
KECS__FN bool kecs__validate_among(const char *text, const char *words);
KECS__FN kecs_status kecs__validate_word_text(const kecs__validate_path *path, const char *text, const char *words);
KECS__FN kecs_status kecs__validate_word(const kecs__validate_path *path, kecs__json value, const char *words);

/* A whole number from min to max. NONE is none: true in *out_set tells that there is one. */
KECS__FN kecs_status kecs__validate_number(const kecs__validate_path *path, kecs__json value, int64_t min, int64_t max,
                                           bool *out_set, int64_t *out);

/* The value that a text is, type NONE for NULL, "" and null. INVALID with line and column when it is not JSON. */
KECS__FN kecs_status kecs__validate_parse(const kecs__validate_path *path, const char *text, kecs__json *out);

/* A member that is not null, or NONE. */
KECS__FN kecs__json kecs__validate_member(kecs__json object, const char *name);

/* Calls `check` for each element of an array of objects, in order, until one fails. NONE is an empty array. */
typedef kecs_status (*kecs__validate_each_fn)(const kecs__validate_path *path, kecs__json object, void *user);
KECS__FN kecs_status kecs__validate_each(const kecs__validate_path *path, kecs__json array,
                                         kecs__validate_each_fn check, void *user);

/* The names that the elements of an array have, decoded and sorted: to find twins, and to look names up. */
typedef struct kecs__validate_named {
  const char *name;
  size_t index; /* of the element */
} kecs__validate_named;
typedef struct kecs__validate_names {
  kecs_allocator allocator;
  kecs__arena arena;
  kecs__validate_named *items;
  size_t count;
} kecs__validate_names;

/* Reads the member `member` of each element, or with NULL the elements themselves; what is no string is left out. To be
 * freed whatever the status; must not be moved. INVALID when a name holds what no text can hold. */
KECS__FN kecs_status kecs__validate_names_read(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json array, const char *member);
KECS__FN void kecs__validate_names_free(kecs__validate_names *names);

/* Decodes one string into the names' memory. */
KECS__FN kecs_status kecs__validate_names_text(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json string, const char **out);
KECS__FN bool kecs__validate_names_has(const kecs__validate_names *names, const char *name);

/* Reads and frees: INVALID names the first element whose name an earlier one has. */
KECS__FN kecs_status kecs__validate_unique(const kecs__validate_path *path, kecs__json array, const char *member);

/* ---- rules of task definitions: validate_task_definition.c ---- */

#define KECS__VALIDATE_RULE(name)                                                                          \
  KECS__FN kecs_status kecs__validate_##name(const kecs__validate_case *it, const kecs__validate_rule *rule, \
                                             const kecs__validate_path *path)
KECS__VALIDATE_RULE(family);
KECS__VALIDATE_RULE(containers);
KECS__VALIDATE_RULE(volumes);
KECS__VALIDATE_RULE(mount_points);
KECS__VALIDATE_RULE(compatibilities);
KECS__VALIDATE_RULE(fargate_network);
KECS__VALIDATE_RULE(fargate_size);
KECS__VALIDATE_RULE(task_cpu);
KECS__VALIDATE_RULE(task_memory);
#undef KECS__VALIDATE_RULE

#endif

/* ---- store/json_in.c, continued ---------------------------------------------------------------------------------- */
#include <stdlib.h>
#include <string.h>

/* A member that extra keeps. */
typedef struct kecs__kept {
  kecs__json name;
  kecs__json value;
} kecs__kept;

typedef struct kecs__put {
  const char *text;
  size_t len;
  unsigned flags;
  const kecs__meta *meta;
  kecs__json document;
  kecs__name names[KECS__NAMES_MAX];
  int name_count;
  kecs__kept *kept;
  size_t kept_count;
  size_t kept_room;
  uint64_t seen;    /* columns set by their main name */
  uint64_t aliased; /* columns set by an alias */
  uint64_t given;   /* columns that the document has a value for */
  void *row;
  kecs__arena *arena;
  kecs_result **out_result;
} kecs__put;

static kecs_status kecs__put_refuse(const kecs__put *put, const char *at, const char *member, const char *reason) {
  size_t line = 0;
  size_t column = 0;
  kecs__json_position(put->text, (size_t)(at - put->text), &line, &column);
  return kecs__fail(KECS_E_INVALID, "line %zu, column %zu: %s: %s", line, column, member, reason);
}

static kecs_status kecs__put_keep(kecs__put *put, kecs__json name, kecs__json value) {
  if (put->kept_count == put->kept_room) {
    size_t room = put->kept_room > 0 ? 2 * put->kept_room : 8;
    kecs__kept *kept = kecs__arena_take(put->arena, room * sizeof *kept);
    if (!kept) {
      return KECS_E_NOMEM;
    }
    if (put->kept_count > 0) {
      memcpy(kept, put->kept, put->kept_count * sizeof *kept);
    }
    put->kept = kept;
    put->kept_room = room;
  }
  put->kept[put->kept_count].name = name;
  put->kept[put->kept_count++].value = value;
  return KECS_OK;
}

/* By name; members of one name stay in the order in which they stand in the document. */
static int kecs__kept_compare(const void *a, const void *b) {
  const kecs__kept *left = a;
  const kecs__kept *right = b;
  size_t len = left->name.len < right->name.len ? left->name.len : right->name.len;
  int order = memcmp(left->name.text, right->name.text, len);
  if (order == 0 && left->name.len == right->name.len) {
    return (left->name.text > right->name.text) - (left->name.text < right->name.text);
  }
  return order ? order : (left->name.len > right->name.len) - (left->name.len < right->name.len);
}

/* {"name":value,"name":value} */
static kecs_status kecs__put_extra(kecs__put *put) {
  size_t size = 2;
  if (put->meta->extra < 0 || put->kept_count == 0) {
    return KECS_OK;
  }
  qsort(put->kept, put->kept_count, sizeof *put->kept, kecs__kept_compare);
  for (size_t i = 0; i < put->kept_count; i++) {
    size += put->kept[i].name.len + put->kept[i].value.len + 2;
  }
  char *extra = kecs__arena_bytes(put->arena, size);
  if (!extra) {
    return KECS_E_NOMEM;
  }
  char *at = extra;
  for (size_t i = 0; i < put->kept_count; i++) {
    const kecs__kept *one = &put->kept[i];
    *at++ = i > 0 ? ',' : '{';
    memcpy(at, one->name.text, one->name.len);
    at += one->name.len;
    *at++ = ':';
    memcpy(at, one->value.text, one->value.len);
    at += one->value.len;
  }
  memcpy(at, "}", 2);
  kecs__row_set_text(put->meta->info, put->row, put->meta->extra, extra);
  return KECS_OK;
}

/* Sets a column from a member. *exact tells whether the column gives an equal member back. */
static kecs_status kecs__put_column(kecs__put *put, const kecs__name *name, kecs__json value, bool *exact) {
  const kecs_column_info *column = &put->meta->info->columns[name->column];
  uint64_t bit = KECS_BIT(name->column);
  *exact = false;
  if (name->alias && (put->seen & bit)) {
    return KECS_OK; /* the main name decides; the alias is kept as it is */
  }
  if (!name->alias && (put->seen & bit)) {
    return kecs__put_refuse(put, value.text, column->json, "the member appears twice; which one is meant?");
  }
  if (name->alias && (put->aliased & bit)) {
    return kecs__put_refuse(put, value.text, column->json, "the member appears twice; which one is meant?");
  }
  kecs_value read;
  kecs_status status = kecs__value_from_json(column, value, put->arena, &read, exact);
  if (status == KECS_E_INVALID) {
    return kecs__put_refuse(put, value.text, column->json,
                            "a text must hold neither \\u0000 nor half a surrogate pair");
  }
  if (!status && read.type == KECS_VALUE_NULL && value.type != KECS__JSON_NULL && column->group == KECS_GROUP_KEY) {
    status = kecs__put_refuse(put, value.text, column->json, "this value can't name a row");
  }
  if (status) {
    return status;
  }
  put->seen |= name->alias ? 0 : bit;
  put->aliased |= name->alias ? bit : 0;
  put->given &= ~bit; /* an alias may have set it */
  put->given |= read.type != KECS_VALUE_NULL ? bit : 0;
  kecs__row_set(put->meta->info, put->row, name->column, &read);
  *exact = *exact && !name->alias;
  return KECS_OK;
}

static const kecs__name *kecs__put_inner_name(const kecs__put *put, kecs__json outer_name, kecs__json name) {
  for (int i = 0; i < put->name_count; i++) {
    const kecs__name *one = &put->names[i];
    if (one->inner && kecs__name_is(outer_name, one->outer, one->outer_len) &&
        kecs__name_is(name, one->inner, one->inner_len)) {
      return one;
    }
  }
  return NULL;
}

/* The members of a member such as State: {Code, Reason}. *whole is true when the columns give all of it back; of the
 * store's own member "kecs" they must, since it is written from the columns alone. */
static kecs_status kecs__put_inner(kecs__put *put, kecs__json outer_name, kecs__json value, bool ours, bool *whole) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json inner;
  size_t members = 0;
  *whole = true;
  if (ours && value.type != KECS__JSON_OBJECT) {
    return kecs__put_refuse(put, value.text, "kecs", "the store's own member, but no object as an export writes it");
  }
  while (kecs__json_next_member(value, &walk, &name, &inner)) {
    bool exact = false;
    const kecs__name *known = kecs__put_inner_name(put, outer_name, name);
    members++;
    if (ours && !known) {
      return kecs__put_refuse(put, name.text, "kecs", "the store's own member, but no export writes this in it");
    }
    kecs_status status = known ? kecs__put_column(put, known, inner, &exact) : KECS_OK;
    if (status) {
      return status;
    }
    *whole = *whole && exact;
  }
  *whole = *whole && members > 0;
  return KECS_OK;
}

static kecs_status kecs__put_member(kecs__put *put, kecs__json name, kecs__json value) {
  bool exact = false;
  bool ours = false;
  for (int i = 0; i < put->name_count; i++) {
    const kecs__name *one = &put->names[i];
    if (!kecs__name_is(name, one->outer, one->outer_len)) {
      continue;
    }
    ours = kecs__name_ours(one);
    kecs_status status = one->inner ? kecs__put_inner(put, name, value, ours, &exact)
                                    : kecs__put_column(put, one, value, &exact);
    if (status) {
      return status;
    }
    break;
  }
  return exact || ours ? KECS_OK : kecs__put_keep(put, name, value);
}

/* A main name wins over an alias, wherever the two stand. */
static kecs_status kecs__put_members(kecs__put *put) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  uint64_t nested = 0;
  while (kecs__json_next_member(put->document, &walk, &name, &value)) {
    /* A parent of columns that appears twice would set them twice: refused like any column. */
    for (int i = 0; i < put->name_count; i++) {
      const kecs__name *one = &put->names[i];
      if (one->inner && kecs__name_is(name, one->outer, one->outer_len)) {
        if (nested & KECS_BIT(one->column)) {
          return kecs__put_refuse(put, value.text, one->outer, "the member appears twice; which one is meant?");
        }
        nested |= KECS_BIT(one->column);
        break;
      }
    }
    kecs_status status = kecs__put_member(put, name, value);
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

/* Columns with a default that the document says nothing about. */
static int64_t kecs__put_omitted(const kecs__put *put) {
  const kecs_kind_info *info = put->meta->info;
  uint64_t omitted = 0;
  for (int i = 0; i < put->name_count; i++) {
    const kecs_column_info *column = &info->columns[put->names[i].column];
    uint64_t bit = KECS_BIT(put->names[i].column);
    bool told = (column->flags & (KECS_COLUMN_SERVER | KECS_COLUMN_AUTO)) || kecs__name_ours(&put->names[i]);
    if (column->default_text && !told && !(put->given & bit)) { /* what no column can hold stands for the default */
      omitted |= (put->seen | put->aliased) & bit ? 0 : bit;
      kecs_value value = kecs__column_default(column);
      kecs__row_set(info, put->row, put->names[i].column, &value);
    }
  }
  return (int64_t)omitted;
}

static kecs_status kecs__put_parse(kecs__put *put, const kecs__engine *engine) {
  kecs__json_fault fault = {0, 0, 0, NULL};
  if (put->len > engine->document_bytes_max) {
    return kecs__fail(KECS_E_INVALID, "the document has %zu bytes; at most %zu are taken (options.document_bytes_max)",
                      put->len, engine->document_bytes_max);
  }
  put->document = kecs__json_check(put->text, put->len, &fault);
  if (put->document.type == KECS__JSON_NONE) {
    return kecs__fail(KECS_E_INVALID, "line %zu, column %zu: %s", fault.line, fault.column, fault.reason);
  }
  if (put->document.type != KECS__JSON_OBJECT) {
    return kecs__put_refuse(put, put->document.text, put->meta->info->name, "the document is not a JSON object");
  }
  kecs_status status = kecs__put_members(put);
  if (status) {
    return status;
  }
  const kecs__meta *meta = put->meta;
  if (meta->omitted >= 0) {
    kecs__row_set_number(meta->info, put->row, meta->omitted, kecs__put_omitted(put));
    put->given |= KECS_BIT(meta->omitted);
  }
  return kecs__put_extra(put);
}

static kecs_status kecs__put_work(kecs__write *write, void *user) {
  kecs__put *put = user;
  put->arena = &write->arena;
  put->row = kecs__arena_take(&write->arena, put->meta->info->row_size);
  if (!put->row) {
    return KECS_E_NOMEM;
  }
  memset(put->row, 0, put->meta->info->row_size);
  kecs_status status = kecs__put_parse(put, write->engine);
  if (!status && write->engine->strict) {
    status = kecs__validate_row(put->meta->info, put->row);
  }
  if (!status) {
    write->make_parents = (put->flags & KECS_JSON_PARENTS) != 0;
    status = kecs__row_upsert(write, put->meta, put->row, put->given, put->out_result);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_put_json(kecs_store *store, kecs_kind kind, const char *text, size_t len,
                                         unsigned flags, kecs_result **out_result) {
  if (out_result) {
    *out_result = NULL;
  }
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__check_pointer(text, "text");
  if (status) {
    return status;
  }
  kecs__put put;
  memset(&put, 0, sizeof put);
  put.text = text;
  put.len = len == SIZE_MAX ? strlen(text) : len;
  put.flags = flags;
  put.meta = meta;
  put.out_result = out_result;
  put.name_count = kecs__names(meta->info, put.names);
  status = kecs__with_write(store, kecs__put_work, &put);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

KECS_STORE_API kecs_status kecs_json_check(const char *text, size_t len) {
  kecs__json_fault fault;
  kecs_status status = kecs__check_pointer(text, "text");
  if (!status && kecs__json_check(text, len == SIZE_MAX ? strlen(text) : len, &fault).type == KECS__JSON_NONE) {
    status = kecs__fail(KECS_E_INVALID, "line %zu, column %zu: %s", fault.line, fault.column, fault.reason);
  }
  return status;
}

/* ---- store/json_out.c -------------------------------------------------------------------------------------------- */
/* store/json_out.c -- a row to the AWS document that it came from, or would have come from.
 *
 * Columns are written in their order, then what `extra` keeps. Where extra holds a member of a column, the raw member
 * is written as long as it still means what the column says; once the column has changed, the column is written. */

#include <string.h>

#define KECS__DOCUMENT_MAX (SIZE_MAX / 4)

typedef struct kecs__writer {
  const kecs_kind_info *info;
  const void *row;
  unsigned flags;
  kecs__json extra; /* NONE when there is none */
  uint64_t omitted;
  kecs__name names[KECS__NAMES_MAX];
  int name_count;
  kecs__text *out;
  kecs__arena *arena; /* for comparing raw members */
  kecs_status status;
} kecs__writer;

static void kecs__write_name(kecs__writer *writer, size_t start, const char *name, size_t len) {
  kecs__text_adds(writer->out, writer->out->len > start ? "," : "");
  kecs__json_quote(writer->out, name, len);
  kecs__text_addc(writer->out, ':');
}

static void kecs__write_raw(kecs__writer *writer, size_t start, kecs__json name, kecs__json value) {
  kecs__text_adds(writer->out, writer->out->len > start ? "," : "");
  kecs__text_add(writer->out, name.text, name.len);
  kecs__text_addc(writer->out, ':');
  kecs__text_add(writer->out, value.text, value.len);
}

static bool kecs__value_nothing(const kecs_column_info *column, const kecs_value *value) {
  return value->type == KECS_VALUE_NULL ||
         (column->type == KECS_TYPE_JSON && value->type == KECS_VALUE_TEXT && value->len == 0);
}

/* Whether a raw member still means what the column holds. What no column could hold stands for NULL, for the default,
 * and for what the store filled in its place. */
static bool kecs__raw_holds(kecs__writer *writer, int number, kecs__json raw, const kecs_value *value) {
  const kecs_column_info *column = &writer->info->columns[number];
  kecs_value read;
  bool exact = false;
  kecs_status status = kecs__value_from_json(column, raw, writer->arena, &read, &exact);
  if (status) {
    writer->status = status == KECS_E_INVALID ? writer->status : status;
    return false;
  }
  if (read.type == KECS_VALUE_NULL) {
    kecs_value standing = kecs__column_default(column);
    return kecs__value_nothing(column, value) || kecs__value_same(value, &standing) ||
           ((column->flags & KECS_COLUMN_SERVER) && column->group == KECS_GROUP_KEY);
  }
  if (exact && kecs__value_nothing(column, value)) {
    return true; /* kept by a schema that had no such column: what this one keeps is never exact */
  }
  return kecs__value_same(&read, value);
}

/* Whether a column is left out: it is NULL, or the document never had it and it still has its default. */
static bool kecs__column_silent(const kecs__writer *writer, int number, const kecs_value *value) {
  const kecs_column_info *column = &writer->info->columns[number];
  if (kecs__value_nothing(column, value)) {
    return true;
  }
  kecs_value standing = kecs__column_default(column);
  return (writer->omitted & KECS_BIT(number)) && kecs__value_same(value, &standing);
}

static void kecs__write_column(kecs__writer *writer, size_t start, const kecs__name *name, kecs__json raw, bool inner) {
  const kecs_column_info *column = &writer->info->columns[name->column];
  kecs_value value = kecs__row_value(writer->info, writer->row, name->column);
  const char *text = inner ? name->inner : name->outer;
  size_t len = inner ? name->inner_len : name->outer_len;
  if (raw.type != KECS__JSON_NONE && kecs__raw_holds(writer, name->column, raw, &value)) {
    kecs__write_name(writer, start, text, len);
    kecs__text_add(writer->out, raw.text, raw.len);
  } else if (!kecs__column_silent(writer, name->column, &value)) {
    kecs__write_name(writer, start, text, len);
    kecs__value_to_json(column, &value, writer->flags, writer->out);
  }
}

static kecs__json kecs__extra_member(const kecs__writer *writer, const char *name, size_t len) {
  kecs__json_walk walk = {NULL};
  kecs__json found;
  kecs__json value;
  while (kecs__json_next_member(writer->extra, &walk, &found, &value)) {
    if (kecs__name_is(found, name, len)) {
      return value;
    }
  }
  return (kecs__json){KECS__JSON_NONE, NULL, 0};
}

static bool kecs__same_outer(const kecs__name *a, const kecs__name *b) {
  return a->outer_len == b->outer_len && memcmp(a->outer, b->outer, a->outer_len) == 0;
}

/* "State":{...}: the columns that belong there, and what the raw member had besides. */
static void kecs__write_outer(kecs__writer *writer, size_t start, int first) {
  const kecs__name *head = &writer->names[first];
  kecs__json raw = kecs__extra_member(writer, head->outer, head->outer_len);
  size_t before = writer->out->len;
  kecs__write_name(writer, start, head->outer, head->outer_len);
  kecs__text_addc(writer->out, '{');
  size_t inside = writer->out->len;
  for (int i = first; i < writer->name_count; i++) {
    const kecs__name *name = &writer->names[i];
    if (name->inner && !name->alias && kecs__same_outer(name, head)) {
      char member[64];
      size_t len = name->inner_len < sizeof member - 1 ? name->inner_len : sizeof member - 1;
      memcpy(member, name->inner, len);
      member[len] = '\0';
      kecs__write_column(writer, inside, name, kecs__json_member(raw, member), true);
    }
  }
  kecs__json_walk walk = {NULL};
  kecs__json found;
  kecs__json value;
  while (kecs__json_next_member(raw, &walk, &found, &value)) {
    bool ours = false;
    for (int i = first; !ours && i < writer->name_count; i++) {
      const kecs__name *name = &writer->names[i];
      ours = name->inner && kecs__same_outer(name, head) && kecs__name_is(found, name->inner, name->inner_len);
    }
    if (!ours) {
      kecs__write_raw(writer, inside, found, value);
    }
  }
  bool empty = writer->out->len == inside;
  kecs__text_addc(writer->out, '}');
  if (empty && raw.type != KECS__JSON_OBJECT && !writer->out->status) {
    writer->out->len = before;
    if (raw.type != KECS__JSON_NONE) {
      kecs__write_name(writer, start, head->outer, head->outer_len);
      kecs__text_add(writer->out, raw.text, raw.len);
    }
  }
}

static bool kecs__outer_done(const kecs__writer *writer, int at) {
  for (int i = 0; i < at; i++) {
    if (writer->names[i].inner && kecs__same_outer(&writer->names[i], &writer->names[at])) {
      return true;
    }
  }
  return false;
}

/* What extra keeps beyond the columns: unknown members, and aliases that still hold. */
static void kecs__write_extra(kecs__writer *writer, size_t start) {
  kecs__json_walk walk = {NULL};
  kecs__json found;
  kecs__json value;
  while (kecs__json_next_member(writer->extra, &walk, &found, &value)) {
    bool write = true;
    for (int i = 0; i < writer->name_count; i++) {
      const kecs__name *name = &writer->names[i];
      if (!kecs__name_is(found, name->outer, name->outer_len)) {
        continue;
      }
      kecs_value now = kecs__row_value(writer->info, writer->row, name->column);
      bool identity = writer->info->columns[name->column].group == KECS_GROUP_KEY;
      write = name->alias && !name->inner && (identity || kecs__raw_holds(writer, name->column, value, &now));
      break;
    }
    if (write) {
      kecs__write_raw(writer, start, found, value);
    }
  }
}

static void kecs__write_document(kecs__writer *writer) {
  kecs__text_addc(writer->out, '{');
  size_t start = writer->out->len;
  for (int i = 0; i < writer->name_count; i++) {
    const kecs__name *name = &writer->names[i];
    bool shown = !kecs__name_ours(name) || (writer->flags & KECS_JSON_STORE);
    if (name->alias || !shown) {
      continue;
    }
    if (!name->inner) {
      kecs__write_column(writer, start, name, kecs__extra_member(writer, name->outer, name->outer_len), false);
    } else if (!kecs__outer_done(writer, i)) {
      kecs__write_outer(writer, start, i);
    }
  }
  kecs__write_extra(writer, start);
  kecs__text_addc(writer->out, '}');
}

KECS_STORE_API kecs_status kecs_record_json(kecs_result *result, const kecs_kind_info *info, const void *row,
                                            unsigned flags, const char **out_text) {
  kecs_status status = kecs__check_pointer(out_text, "out_text");
  if (!status) {
    *out_text = NULL;
    status = kecs__check_pointer(result, "result");
  }
  if (!status) {
    status = kecs__check_pointer(info, "info");
  }
  if (!status) {
    status = kecs__check_pointer(row, "row");
  }
  if (status) {
    return status;
  }
  kecs__text out;
  kecs__arena arena;
  kecs__writer writer;
  memset(&writer, 0, sizeof writer);
  kecs__text_init(&out, &result->allocator, KECS__DOCUMENT_MAX);
  kecs__arena_init(&arena, &result->allocator);
  writer.info = info;
  writer.row = row;
  writer.flags = flags;
  writer.out = &out;
  writer.arena = &arena;
  writer.name_count = kecs__names(info, writer.names);
  writer.omitted = (uint64_t)kecs__row_number(info, row, kecs_column_find(info, "omitted"));
  const char *extra = kecs__row_text(info, row, kecs_column_find(info, "extra"));
  if (extra) {
    writer.extra = kecs__json_check(extra, strlen(extra), NULL);
  }
  kecs__write_document(&writer);
  status = writer.status ? writer.status : out.status;
  if (!status) {
    *out_text = kecs__arena_text(&result->arena, out.data, out.len);
    status = *out_text ? KECS_OK : KECS_E_NOMEM;
  }
  kecs__arena_free(&arena);
  kecs__text_free(&out);
  return status;
}

KECS_STORE_API kecs_status kecs_get_json(kecs_store *store, kecs_kind kind, const char *key, unsigned flags,
                                         kecs_result **out_result, const char **out_text) {
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status status = kecs__check_pointer(out_text, "out_text");
  if (status) {
    return status;
  }
  *out_text = NULL;
  status = kecs_record_get(store, kind, key, out_result);
  if (!status) {
    status = kecs_record_json(*out_result, kecs_kind_describe(kind), kecs__at(*out_result, kind, 0), flags, out_text);
    status = kecs__result_end(status, *out_result, out_result);
  }
  return status;
}

/* ---- store/record.c ---------------------------------------------------------------------------------------------- */
/* store/record.c -- columns as text, for command lines: reading one, assigning several, filters. */

#include <stdio.h>
#include <string.h>

KECS_STORE_API bool kecs_record_text(const kecs_kind_info *info, const void *row, int column, char *out, size_t size,
                                     size_t *out_len) {
  char number[40];
  const char *text = number;
  if (!info || !row || column < 0 || column >= info->column_count) {
    if (out && size > 0) {
      out[0] = '\0';
    }
    if (out_len) {
      *out_len = 0;
    }
    return false;
  }
  kecs_value value = kecs__row_value(info, row, column);
  if (value.type == KECS_VALUE_NULL) {
    text = "";
  } else if (value.type == KECS_VALUE_TEXT) {
    text = value.text;
  } else if (info->columns[column].type == KECS_TYPE_TIME) {
    kecs__time_iso(value.number, number);
  } else if (info->columns[column].type == KECS_TYPE_BOOL) {
    text = value.number ? "true" : "false";
  } else {
    snprintf(number, sizeof number, "%lld", (long long)value.number);
  }
  size_t len = strlen(text);
  size_t cut = size > 0 && len >= size ? size - 1 : len;
  while (cut < len && cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80) {
    cut--; /* never in the middle of a character */
  }
  if (out && size > 0) {
    memcpy(out, text, cut);
    out[cut] = '\0';
  }
  if (out_len) {
    *out_len = len;
  }
  return value.type != KECS_VALUE_NULL;
}

static kecs_status kecs__column_unknown(const kecs_kind_info *info, const char *column) {
  return kecs__fail(KECS_E_INVALID, "%s has no column \"%.60s\"", info->name, column ? column : "(null)");
}

typedef struct kecs__assign {
  const kecs__meta *meta;
  const char *key;
  const kecs_assignment *assignments;
  size_t count;
  int64_t version;
  kecs_result **out_result;
} kecs__assign;

static kecs_status kecs__assign_columns(kecs__write *write, const kecs__assign *assign, void *row, uint64_t *out_mask) {
  const kecs_kind_info *info = assign->meta->info;
  *out_mask = 0;
  for (size_t i = 0; i < assign->count; i++) {
    const kecs_assignment *one = &assign->assignments[i];
    int column = kecs_column_find(info, one->column);
    kecs_value value = {KECS_VALUE_NULL, 0, NULL, 0};
    if (column < 0) {
      return kecs__column_unknown(info, one->column);
    }
    if (!(assign->meta->updatable & KECS_BIT(column))) {
      return kecs__fail(KECS_E_INVALID, "%s.%s can't be changed", info->name, info->columns[column].name);
    }
    if (!one->text && (info->columns[column].flags & KECS_COLUMN_NOT_NULL)) {
      return kecs__fail(KECS_E_INVALID, "%s.%s can't be NULL", info->name, info->columns[column].name);
    }
    kecs_status status = one->text ? kecs__value_from_text(info, column, one->text, &write->arena, &value) : KECS_OK;
    if (status) {
      return status;
    }
    kecs__row_set(info, row, column, &value);
    *out_mask |= KECS_BIT(column);
  }
  return KECS_OK;
}

static kecs_status kecs__assign_work(kecs__write *write, void *user) {
  kecs__assign *assign = user;
  kecs__probe probe;
  kecs__change change = {0};
  void *row = kecs__arena_take(&write->arena, assign->meta->info->row_size);
  kecs_status status = row ? KECS_OK : KECS_E_NOMEM;
  if (!status) {
    status = kecs__probe_text(write->session, assign->meta, assign->key, &write->arena, &probe);
  }
  if (!status) {
    status = kecs__probe_read(write->session, assign->meta, &probe, &write->arena, row, &change.rid);
  }
  if (!status) {
    status = kecs__assign_columns(write, assign, row, &change.mask);
  }
  if (!status) {
    change.row = row;
    change.version = assign->version;
    status = kecs__row_change(write, assign->meta, &change);
  }
  return status ? status : kecs__give_back(write, assign->meta, change.rid, assign->out_result);
}

KECS_STORE_API kecs_status kecs_record_assign(kecs_store *store, kecs_kind kind, const char *key,
                                              const kecs_assignment *assignments, size_t count, int64_t version,
                                              kecs_result **out_result) {
  if (out_result) {
    *out_result = NULL;
  }
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  if (meta->info->flags & KECS_KIND_APPEND) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s rows are never changed, only added and removed", meta->info->name);
  }
  kecs_status status = count > 0 ? kecs__check_pointer(assignments, "assignments") : KECS_OK;
  if (status) {
    return status;
  }
  kecs__assign assign = {meta, key, assignments, count, version, out_result};
  status = kecs__with_write(store, kecs__assign_work, &assign);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

KECS_STORE_API kecs_status kecs_filter_parse(kecs_kind kind, const char *column, kecs_op op, const char *value,
                                             kecs_filter *out) {
  const kecs_kind_info *info = kecs_kind_describe(kind);
  kecs_status status = kecs__check_pointer(out, "out");
  if (!status && !info) {
    status = kecs__fail(KECS_E_INVALID, "there is no kind number %d", (int)kind);
  }
  if (!status) {
    status = kecs__check_pointer(value, "value");
  }
  if (status) {
    return status;
  }
  memset(out, 0, sizeof *out);
  out->column = kecs_column_find(info, column);
  out->op = op;
  out->text = value;
  if (out->column < 0) {
    return kecs__column_unknown(info, column);
  }
  kecs_column_type type = info->columns[out->column].type;
  if (type == KECS_TYPE_TEXT || type == KECS_TYPE_JSON) {
    return KECS_OK;
  }
  kecs_allocator libc;
  kecs_allocator none = {NULL, NULL, NULL, NULL};
  kecs__arena arena;
  kecs_value read;
  status = kecs__allocator_resolve(&none, &libc);
  kecs__arena_init(&arena, &libc);
  if (!status) {
    status = kecs__value_from_text(info, out->column, value, &arena, &read);
    out->number = status ? 0 : read.number;
  }
  kecs__arena_free(&arena);
  return status;
}

/* ---- store/validate.c -------------------------------------------------------------------------------------------- */
/* store/validate.c -- validation: the table of rules, the rules that several kinds share, and how they are applied.
 * What each rule accepts, and where it comes from, is listed in docs/validation.md. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
  KECS__VALIDATE_DEPTH = 8,     /* links of a path */
  KECS__VALIDATE_TAGS = 50,     /* a resource's tags, those of AWS itself not counted */
  KECS__VALIDATE_TAG_KEY = 128, /* characters */
  KECS__VALIDATE_TAG_VALUE = 256,
  KECS__VALIDATE_STRING = 4 * KECS__VALIDATE_TAG_VALUE + 1,
  KECS__VALIDATE_PRIORITY = 49999,
  KECS__VALIDATE_WEIGHT = 1000,
  KECS__VALIDATE_BASE = 100000
};

/* ---- failures ---- */

static void kecs__validate_render(const kecs__validate_path *path, char *out, size_t size) {
  const kecs__validate_path *links[KECS__VALIDATE_DEPTH];
  size_t count = 0;
  size_t used = 0;
  for (; path && count < KECS__VALIDATE_DEPTH; path = path->parent) {
    links[count++] = path;
  }
  out[0] = '\0';
  while (count > 0 && used < size) {
    const kecs__validate_path *link = links[--count];
    int len = link->member ? snprintf(out + used, size - used, "%s%.*s", used > 0 ? "." : "",
                                      (int)strcspn(link->member, "|"), link->member)
                           : snprintf(out + used, size - used, "[%zu]", link->index);
    used += len > 0 ? (size_t)len : 0;
  }
}

KECS__FN kecs_status kecs__validate_fail(const kecs__validate_path *path, const char *format, ...) {
  char where[160];
  char what[352];
  va_list args;
  va_start(args, format);
  if (vsnprintf(what, sizeof what, format, args) < 0) {
    what[0] = '\0';
  }
  va_end(args);
  kecs__validate_render(path, where, sizeof where);
  return kecs__fail(KECS_E_INVALID, "%s: %s", where, what);
}

KECS__FN const char *kecs__validate_shown(const char *text, size_t len, char out[KECS__VALIDATE_SHOWN]) {
  size_t kept = len;
  if (len >= KECS__VALIDATE_SHOWN) {
    kept = KECS__VALIDATE_SHOWN - 4;
    while (kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80) {
      kept--;
    }
  }
  memcpy(out, text, kept);
  memcpy(out + kept, kept < len ? "..." : "", kept < len ? 4 : 1);
  return out;
}

/* What was found, if anything was, and the words "A B C" as "A, B or C". */
static kecs_status kecs__validate_fail_words(const kecs__validate_path *path, const char *found, const char *words) {
  char list[160];
  size_t used = 0;
  for (const char *at = words; *at && used + 5 < sizeof list; at++) {
    const char *piece = strchr(at + 1, ' ') ? ", " : " or ";
    size_t piece_len = *at == ' ' ? strlen(piece) : 1;
    memcpy(list + used, *at == ' ' ? piece : at, piece_len);
    used += piece_len;
  }
  list[used] = '\0';
  return found ? kecs__validate_fail(path, "%s is not accepted; use %s", found, list)
               : kecs__validate_fail(path, "a value is required; use %s", list);
}

/* ---- texts, numbers, documents ---- */

KECS__FN const char *kecs__validate_text(const kecs__validate_case *it, int column) {
  const char *text = kecs__row_text(it->info, it->row, column);
  return text && text[0] ? text : NULL;
}

static bool kecs__validate_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

KECS__FN kecs_status kecs__validate_name(const kecs__validate_path *path, const char *name, const char *punctuation,
                                         int64_t max) {
  char shown[KECS__VALIDATE_SHOWN];
  char rule[80];
  size_t len = 0;
  int used = snprintf(rule, sizeof rule, "1 to %d letters, digits and", (int)max);
  for (const char *at = punctuation; *at && used > 0 && (size_t)used + 3 < sizeof rule; at++) {
    used += snprintf(rule + used, sizeof rule - (size_t)used, " %c", *at);
  }
  if (!name || !name[0]) {
    return kecs__validate_fail(path, "a name is required: %s", rule);
  }
  while (kecs__validate_alnum(name[len]) || (name[len] && strchr(punctuation, name[len]))) {
    len++;
  }
  if (!name[len] && len <= (size_t)max) {
    return KECS_OK;
  }
  return kecs__validate_fail(path, "\"%s\" is not accepted; use %s",
                             kecs__validate_shown(name, strlen(name), shown), rule);
}

KECS__FN bool kecs__validate_among(const char *text, const char *words) {
  size_t len = strlen(text);
  for (const char *at = words; *at;) {
    size_t word = strcspn(at, " ");
    if (word == len && memcmp(at, text, len) == 0) {
      return true;
    }
    at += word + (at[word] == ' ');
  }
  return false;
}

KECS__FN kecs_status kecs__validate_word_text(const kecs__validate_path *path, const char *text, const char *words) {
  char shown[KECS__VALIDATE_SHOWN];
  char quoted[KECS__VALIDATE_SHOWN + 2];
  if (kecs__validate_among(text, words)) {
    return KECS_OK;
  }
  snprintf(quoted, sizeof quoted, "\"%s\"", kecs__validate_shown(text, strlen(text), shown));
  return kecs__validate_fail_words(path, quoted, words);
}

KECS__FN kecs_status kecs__validate_word(const kecs__validate_path *path, kecs__json value, const char *words) {
  char text[32];
  char shown[KECS__VALIDATE_SHOWN];
  if (kecs__json_string_into(value, text, sizeof text, NULL) && kecs__validate_among(text, words)) {
    return KECS_OK;
  }
  return kecs__validate_fail_words(path, value.text ? kecs__validate_shown(value.text, value.len, shown) : NULL, words);
}

KECS__FN kecs_status kecs__validate_number(const kecs__validate_path *path, kecs__json value, int64_t min, int64_t max,
                                           bool *out_set, int64_t *out) {
  char shown[KECS__VALIDATE_SHOWN];
  *out = 0;
  *out_set = value.type != KECS__JSON_NONE;
  if (!*out_set || (kecs__json_int64(value, out) && *out >= min && *out <= max)) {
    return KECS_OK;
  }
  (void)kecs__validate_shown(value.text, value.len, shown);
  if (max == INT64_MAX) {
    return kecs__validate_fail(path, "%s is not accepted; use a whole number, %lld or more", shown, (long long)min);
  }
  return kecs__validate_fail(path, "%s is not accepted; use a whole number from %lld to %lld", shown, (long long)min,
                             (long long)max);
}

static size_t kecs__validate_characters(const char *text) {
  size_t count = 0;
  for (; *text; text++) {
    count += ((unsigned char)*text & 0xC0) != 0x80 ? 1 : 0;
  }
  return count;
}

KECS__FN kecs_status kecs__validate_length(const kecs__validate_path *path, const char *text, size_t min,
                                           int64_t max) {
  size_t count = kecs__validate_characters(text);
  if (count < min) {
    return kecs__validate_fail(path, "a text is required here");
  }
  return (uint64_t)count <= (uint64_t)max
             ? KECS_OK
             : kecs__validate_fail(path, "%zu characters are too many; use %zu to %lld", count, min, (long long)max);
}

KECS__FN kecs_status kecs__validate_parse(const kecs__validate_path *path, const char *text, kecs__json *out) {
  kecs__json_fault fault;
  *out = (kecs__json){KECS__JSON_NONE, NULL, 0};
  if (!text || !text[0]) {
    return KECS_OK;
  }
  kecs__json value = kecs__json_check(text, strlen(text), &fault);
  if (value.type == KECS__JSON_NONE) {
    return kecs__validate_fail(path, "line %zu, column %zu: %s", fault.line, fault.column, fault.reason);
  }
  if (value.type != KECS__JSON_NULL) {
    *out = value;
  }
  return KECS_OK;
}

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

/* ---- store/validate_task_definition.c ---------------------------------------------------------------------------- */
/* store/validate_task_definition.c -- lists of objects and of names, and the rules that are mostly about such lists,
 * those of AWS RegisterTaskDefinition: containers, volumes, launch types, and the sizes of tasks.
 *
 * A size is a decimal number, in CPU units or MiB when it stands alone, in vCPU or GB (1024 of the former) with that
 * unit behind it. It is compared as a fraction of two integers: .25 vCPU is 256 units, .3 vCPU is no size of Fargate,
 * and no rounding decides. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists in documents ---- */

KECS__FN kecs__json kecs__validate_member(kecs__json object, const char *name) {
  kecs__json value = kecs__json_member(object, name);
  return value.type == KECS__JSON_NULL ? (kecs__json){KECS__JSON_NONE, NULL, 0} : value;
}

KECS__FN kecs_status kecs__validate_each(const kecs__validate_path *path, kecs__json array,
                                         kecs__validate_each_fn check, void *user) {
  kecs__json_walk walk = {NULL};
  kecs__json element;
  kecs__validate_path at = {path, NULL, 0};
  if (array.type != KECS__JSON_NONE && array.type != KECS__JSON_ARRAY) {
    return kecs__validate_fail(path, "a JSON array of objects is expected");
  }
  for (; kecs__json_next_element(array, &walk, &element); at.index++) {
    if (element.type != KECS__JSON_OBJECT) {
      return kecs__validate_fail(&at, "a JSON object is expected");
    }
    kecs_status status = check(&at, element, user);
    if (status) {
      return status;
    }
  }
  return KECS_OK;
}

/* ---- names in lists ---- */

static int kecs__validate_names_order(const void *a, const void *b) {
  const kecs__validate_named *left = a;
  const kecs__validate_named *right = b;
  int order = strcmp(left->name, right->name);
  return order ? order : (left->index > right->index) - (left->index < right->index);
}

KECS__FN kecs_status kecs__validate_names_text(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json string, const char **out) {
  char *text = kecs__arena_bytes(&names->arena, string.len);
  *out = text;
  if (!text) {
    return KECS_E_NOMEM;
  }
  return kecs__json_string_into(string, text, string.len, NULL)
             ? KECS_OK
             : kecs__validate_fail(path, "a string without \\u0000 and without half surrogate pairs is expected");
}

KECS__FN kecs_status kecs__validate_names_read(kecs__validate_names *names, const kecs__validate_path *path,
                                               kecs__json array, const char *member) {
  kecs_allocator libc;
  kecs__json_walk walk = {NULL};
  kecs__json element;
  size_t total = 0;
  memset(names, 0, sizeof *names);
  memset(&libc, 0, sizeof libc);
  kecs__arena_init(&names->arena, &names->allocator);
  kecs_status status = kecs__allocator_resolve(&libc, &names->allocator);
  while (kecs__json_next_element(array, &walk, &element)) {
    total++;
  }
  if (status || total == 0) {
    return status;
  }
  names->items = kecs__arena_take(&names->arena, total * sizeof *names->items);
  if (!names->items) {
    return KECS_E_NOMEM;
  }
  kecs__validate_path at = {path, NULL, 0};
  kecs__validate_path inside = {&at, member, 0};
  walk.at = NULL;
  for (; !status && kecs__json_next_element(array, &walk, &element); at.index++) {
    kecs__json string = member ? kecs__json_member(element, member) : element;
    if (string.type == KECS__JSON_STRING) {
      kecs__validate_named *item = &names->items[names->count++];
      item->index = at.index;
      status = kecs__validate_names_text(names, member ? &inside : &at, string, &item->name);
    }
  }
  if (!status) {
    qsort(names->items, names->count, sizeof *names->items, kecs__validate_names_order);
  }
  return status;
}

KECS__FN void kecs__validate_names_free(kecs__validate_names *names) {
  kecs__arena_free(&names->arena);
}

KECS__FN bool kecs__validate_names_has(const kecs__validate_names *names, const char *name) {
  size_t low = 0;
  size_t high = names->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(names->items[middle].name, name);
    if (order == 0) {
      return true;
    }
    low = order < 0 ? middle + 1 : low;
    high = order < 0 ? high : middle;
  }
  return false;
}

KECS__FN kecs_status kecs__validate_unique(const kecs__validate_path *path, kecs__json array, const char *member) {
  kecs__validate_names names;
  const kecs__validate_named *twin = NULL;
  size_t first = 0;
  kecs_status status = kecs__validate_names_read(&names, path, array, member);
  for (size_t i = 1; !status && i < names.count; i++) {
    const kecs__validate_named *item = &names.items[i];
    if (strcmp(item[-1].name, item->name) == 0 && (!twin || item->index < twin->index)) {
      twin = item;
      first = item[-1].index;
    }
  }
  if (twin) {
    char shown[KECS__VALIDATE_SHOWN];
    kecs__validate_path at = {path, NULL, twin->index};
    kecs__validate_path inside = {&at, member, 0};
    status = kecs__validate_fail(&inside, "\"%s\" is used by element %zu already; each must be used once",
                                 kecs__validate_shown(twin->name, strlen(twin->name), shown), first);
  }
  kecs__validate_names_free(&names);
  return status;
}

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

/* ---- store/cluster.c --------------------------------------------------------------------------------------------- */
/* store/cluster.c -- clusters: the one of a name, deleting an idle one; and what their members have in common. */

/* ---- store/cluster.h --------------------------------------------------------------------------------------------- */
/* store/cluster.h -- what the kinds that live in a cluster have in common: ARNs that name it ("task/CLUSTER/ID"), ids
 * that such ARNs end with, and conditions on the cluster. */
#ifndef KECS_STORE_CLUSTER_H
#define KECS_STORE_CLUSTER_H

/* The resource of an ARN: what follows the fifth colon. NULL when it has not that many. Points into `arn`. */
KECS__FN const char *kecs__arn_resource(const char *arn);

/* An ARN of the same partition, service, region and account, with another resource. NULL means NOMEM. `arn` must
 * have a resource. */
KECS__FN char *kecs__arn_beside(kecs__arena *arena, const char *arn, const char *format, ...) KECS_STORE_PRINTF(3, 4);

/* The cluster that an ARN such as "TYPE/CLUSTER/..." is in. The default cluster where it names none (the short form of
 * old ARNs), or where there is no ARN. */
KECS__FN kecs_status kecs__cluster_of(kecs__session *session, const char *arn, const char *type, kecs__arena *arena,
                                      const char **out_cluster_arn);

/* The ARN of something in a cluster, "TYPE/CLUSTER/NAME". */
KECS__FN kecs_status kecs__cluster_member(kecs__arena *arena, const char *cluster_arn, const char *type,
                                          const char *name, const char **out_arn);

/* For a kind with the columns arn, id and cluster_arn: fills what is empty of them from each other. An id that has to
 * be made is 32 hexadecimal digits. */
KECS__FN kecs_status kecs__cluster_member_fill(kecs__write *write, const kecs__meta *meta, void *row,
                                               const char *type);

/* Adds cluster_arn=? for a cluster's name or ARN; nothing for NULL and "". */
KECS__FN void kecs__plan_cluster(kecs__plan *plan, const char *cluster);

/* The same where the plan has a condition that selects fewer rows: this one is then not taken for the index. SQLite
 * knows nothing of how many rows a value has and would as soon walk through a whole cluster. */
KECS__FN void kecs__plan_cluster_late(kecs__plan *plan, const char *cluster);

#endif

/* ---- store/cluster.c, continued ---------------------------------------------------------------------------------- */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KECS__CLUSTER_ID_DIGITS 32

static bool kecs__cluster_empty(const char *text) {
  return !text || !text[0];
}

/* ---- ARNs ---- */

KECS__FN const char *kecs__arn_resource(const char *arn) {
  if (!kecs__is_arn(arn)) {
    return NULL;
  }
  for (int i = 0; i < 5; i++) {
    arn = strchr(arn, ':');
    if (!arn) {
      return NULL;
    }
    arn++;
  }
  return arn;
}

KECS__FN char *kecs__arn_beside(kecs__arena *arena, const char *arn, const char *format, ...) {
  size_t head = (size_t)(kecs__arn_resource(arn) - arn);
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *out = len < 0 ? NULL : kecs__arena_bytes(arena, head + (size_t)len + 1);
  if (out) {
    memcpy(out, arn, head);
    va_start(args, format);
    vsnprintf(out + head, (size_t)len + 1, format, args);
    va_end(args);
  }
  return out;
}

KECS__FN kecs_status kecs__cluster_of(kecs__session *session, const char *arn, const char *type, kecs__arena *arena,
                                      const char **out_cluster_arn) {
  const char *resource = kecs__arn_resource(arn);
  if (!resource) {
    return kecs__resolve_parent(session, KECS_KIND_CLUSTER, "default", arena, out_cluster_arn);
  }
  size_t type_len = strlen(type);
  const char *name = "default";
  int name_len = (int)strlen(name);
  if (strncmp(resource, type, type_len) == 0 && resource[type_len] == '/') {
    const char *part = resource + type_len + 1;
    const char *slash = strchr(part, '/');
    if (slash && slash != part && slash - part <= 1024) {
      name = part;
      name_len = (int)(slash - part);
    }
  }
  *out_cluster_arn = kecs__arn_beside(arena, arn, "cluster/%.*s", name_len, name);
  return *out_cluster_arn ? KECS_OK : KECS_E_NOMEM;
}

KECS__FN kecs_status kecs__cluster_member(kecs__arena *arena, const char *cluster_arn, const char *type,
                                          const char *name, const char **out_arn) {
  *out_arn = NULL;
  if (!kecs__arn_resource(cluster_arn)) {
    return kecs__fail(KECS_E_INVALID, "\"%.160s\" is not an ARN like arn:aws:ecs:REGION:ACCOUNT:cluster/NAME",
                      cluster_arn);
  }
  *out_arn = kecs__arn_beside(arena, cluster_arn, "%s/%s/%s", type, kecs__arn_tail(cluster_arn), name);
  return *out_arn ? KECS_OK : KECS_E_NOMEM;
}

/* ---- members ---- */

/* Whether another row has this id already: an id that was only derived from an ARN must not be in anyone's way. */
static kecs_status kecs__member_id_taken(kecs__write *write, const kecs__meta *meta, const char *id, bool *out_taken) {
  kecs__probe probe = {0};
  int64_t rid = 0;
  probe.key = 1;
  probe.count = 1;
  probe.values[0] = kecs__value_text(id);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, &rid);
  *out_taken = rid != 0;
  return status;
}

/* The last part of the ARN. Left empty when that is taken: the general fill makes a UUID then. */
static kecs_status kecs__member_id(kecs__write *write, const kecs__meta *meta, void *row, const char *arn) {
  bool taken = false;
  if (!kecs__cluster_empty(arn)) {
    const char *tail = kecs__arn_tail(arn);
    kecs_status status = kecs__member_id_taken(write, meta, tail, &taken);
    if (!status && !taken) {
      kecs__row_set_text(meta->info, row, meta->id, tail);
    }
    return status;
  }
  char *id = kecs__arena_bytes(&write->arena, KECS__CLUSTER_ID_DIGITS + 1);
  kecs_status status = id ? kecs__random_hex(&write->engine->random, id, KECS__CLUSTER_ID_DIGITS) : KECS_E_NOMEM;
  kecs__row_set_text(meta->info, row, meta->id, id);
  return status;
}

KECS__FN kecs_status kecs__cluster_member_fill(kecs__write *write, const kecs__meta *meta, void *row,
                                               const char *type) {
  const kecs_kind_info *info = meta->info;
  const char *arn = kecs__row_text(info, row, meta->arn);
  int column = kecs_column_find(info, "cluster_arn");
  const char *cluster_arn = kecs__row_text(info, row, column);
  kecs_status status = KECS_OK;
  if (kecs__cluster_empty(cluster_arn)) {
    status = kecs__cluster_of(write->session, arn, type, &write->arena, &cluster_arn);
    kecs__row_set_text(info, row, column, cluster_arn);
  }
  if (!status && kecs__cluster_empty(kecs__row_text(info, row, meta->id))) {
    status = kecs__member_id(write, meta, row, arn);
  }
  if (!status && kecs__cluster_empty(arn)) {
    status = kecs__cluster_member(&write->arena, cluster_arn, type, kecs__row_text(info, row, meta->id), &arn);
    kecs__row_set_text(info, row, meta->arn, arn);
  }
  return status;
}

/* ---- conditions ---- */

static void kecs__plan_cluster_where(kecs__plan *plan, const char *cluster, const char *condition) {
  const char *arn = NULL;
  if (plan->status || kecs__cluster_empty(cluster)) {
    return;
  }
  plan->status = kecs__resolve_parent(plan->session, KECS_KIND_CLUSTER, cluster, plan->arena, &arn);
  if (!plan->status) {
    kecs_value value = kecs__value_text(arn);
    kecs__plan_where(plan, condition, &value, 1);
  }
}

KECS__FN void kecs__plan_cluster(kecs__plan *plan, const char *cluster) {
  kecs__plan_cluster_where(plan, cluster, "cluster_arn=?");
}

KECS__FN void kecs__plan_cluster_late(kecs__plan *plan, const char *cluster) {
  kecs__plan_cluster_where(plan, cluster, "cluster_arn||''=?");
}

/* ---- clusters themselves ---- */

KECS__FN kecs_status kecs__cluster_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_cluster *cluster = row;
  (void)meta;
  (void)fresh;
  if (kecs__cluster_empty(cluster->name)) {
    cluster->name = kecs__cluster_empty(cluster->arn) ? NULL : kecs__arn_tail(cluster->arn);
  }
  if (kecs__cluster_empty(cluster->name)) {
    return kecs__fail(KECS_E_INVALID, "cluster.name is required where there is no ARN to take it from; set it");
  }
  if (kecs__cluster_empty(cluster->arn)) {
    cluster->arn = kecs__arn_format(write, "ecs", cluster->region, cluster->account_id, "cluster/%s", cluster->name);
    return cluster->arn ? KECS_OK : kecs_last_error()->status;
  }
  return KECS_OK;
}

typedef struct kecs__cluster_ensuring {
  const kecs_cluster *row;
  bool created;
  kecs_result **out_result;
} kecs__cluster_ensuring;

/* The rid of the cluster that a filled row is about: the one with its ARN, or with its name. 0: none. */
static kecs_status kecs__cluster_find(kecs__write *write, const kecs__meta *meta, const kecs_cluster *row,
                                      int64_t *out_rid) {
  kecs__probe probe = {0};
  probe.count = 1;
  probe.values[0] = kecs__value_text(row->arn);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, out_rid);
  if (status || *out_rid != 0) {
    return status;
  }
  kecs_cluster named = {0};
  named.name = row->name;
  named.account_id = row->account_id;
  named.region = row->region;
  status = kecs__probe_row(write->session, meta, &named, &write->arena, &probe);
  return status ? status : kecs__probe_rid(write->session, meta, &probe, out_rid);
}

static kecs_status kecs__cluster_ensure_work(kecs__write *write, void *user) {
  kecs__cluster_ensuring *ensuring = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_CLUSTER);
  kecs_cluster row = *ensuring->row;
  int64_t rid = 0;
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, &row) : KECS_OK;
  if (!status) {
    status = kecs__fill(write, meta, &row, 0);
  }
  if (!status) {
    status = kecs__cluster_find(write, meta, &row, &rid);
  }
  if (!status && rid == 0) {
    ensuring->created = true;
    status = kecs__row_insert(write, meta, &row, 0);
    if (!status) {
      status = kecs__cluster_find(write, meta, &row, &rid);
    }
  }
  return status ? status : kecs__give_back(write, meta, rid, ensuring->out_result);
}

KECS_STORE_API kecs_status kecs_cluster_ensure(kecs_store *store, const kecs_cluster *row, bool *out_created,
                                               kecs_result **out_result) {
  kecs__cluster_ensuring ensuring = {row, false, out_result};
  if (out_result) {
    *out_result = NULL;
  }
  if (out_created) {
    *out_created = false;
  }
  kecs_status status = kecs__check_pointer(row, "row");
  if (!status) {
    status = kecs__with_write_result(store, kecs__cluster_ensure_work, &ensuring, out_result);
  }
  if (out_created && !status) {
    *out_created = ensuring.created;
  }
  return status;
}

/* ---- deleting an idle cluster ---- */

static kecs_status kecs__cluster_count(kecs__write *write, kecs_kind kind, const char *condition,
                                       const kecs_value *values, int count, int64_t *sum) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  kecs__plan_init(&plan, write->session, kecs__meta_of(write->engine, kind), &write->arena);
  kecs__plan_where(&plan, condition, values, count);
  kecs_status status = kecs__plan_start(&plan, "count(*)", false, 0, &cached, &row);
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    *sum += value.number;
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

/* REFERENCE while the cluster is in use. Tasks that are not STOPPED are those below and above it in the index of
 * last_status: few, where the stopped ones may be many. */
static kecs_status kecs__cluster_check_idle(kecs__write *write, const kecs_cluster *row) {
  kecs_value service[] = {kecs__value_text(row->arn), kecs__value_text("INACTIVE")};
  kecs_value task[] = {kecs__value_text("STOPPED"), kecs__value_text(row->arn)};
  int64_t services = 0;
  int64_t tasks = 0;
  kecs_status status =
      kecs__cluster_count(write, KECS_KIND_SERVICE, "cluster_arn=? AND status<>?", service, 2, &services);
  if (!status) {
    status = kecs__cluster_count(write, KECS_KIND_TASK, "last_status<? AND cluster_arn||''=?", task, 2, &tasks);
  }
  if (!status) {
    status = kecs__cluster_count(write, KECS_KIND_TASK, "last_status>? AND cluster_arn||''=?", task, 2, &tasks);
  }
  if (!status && (services > 0 || tasks > 0)) {
    status = kecs__fail(KECS_E_REFERENCE,
                        "cluster \"%.160s\" is in use: %lld services are not INACTIVE, %lld tasks are not STOPPED; "
                        "end those first, or delete them with it by kecs_cluster_delete",
                        row->name, (long long)services, (long long)tasks);
  }
  return status;
}

static kecs_status kecs__cluster_delete_work(kecs__write *write, void *user) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_CLUSTER);
  kecs_value address = kecs__value_text(user);
  kecs__probe probe;
  kecs_cluster row;
  int64_t rid = 0;
  kecs_status status = kecs__probe_address(write->session, meta, &address, 1, &write->arena, &probe);
  if (!status) {
    status = kecs__probe_read(write->session, meta, &probe, &write->arena, &row, &rid);
  }
  if (!status) {
    status = kecs__cluster_check_idle(write, &row);
  }
  return status ? status : kecs__row_delete(write, meta, rid, &row);
}

KECS_STORE_API kecs_status kecs_cluster_delete_idle(kecs_store *store, const char *cluster) {
  return kecs__with_write(store, kecs__cluster_delete_work, (void *)(uintptr_t)cluster); /* only read */
}

/* ---- store/task_definition.c ------------------------------------------------------------------------------------- */
/* store/task_definition.c -- revisions of families.
 *
 * Revisions count up in a table of their own, task_definition_families(account_id, region, family, last_revision),
 * which is written in the transaction of the row. It never counts down, so the revision of a deleted row is not given
 * again; and it is what the families are listed from, without a walk over all their revisions. */

/* ---- store/task_definition.h ------------------------------------------------------------------------------------- */
/* store/task_definition.h -- what tasks need to know of task definitions. */
#ifndef KECS_STORE_TASK_DEFINITION_H
#define KECS_STORE_TASK_DEFINITION_H

/* The family that "FAMILY", "FAMILY:REVISION" or a task definition's ARN names; "" for an ARN of something else. */
KECS__FN kecs_status kecs__family_of(const char *definition, kecs__arena *arena, const char **out_family);

#endif

/* ---- store/task_definition.c, continued -------------------------------------------------------------------------- */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS__REVISION_DIGITS_MAX 18 /* of a revision in a text: more would not fit into 64 bits */

/* The statements that are not about rows of a kind, for either form of placeholder. */
#define KECS__FAMILY_INSERT(P, revision)                                                                         \
  "INSERT INTO task_definition_families(account_id,region,family,last_revision) VALUES(" P "1," P "2," P "3," revision \
  ") ON CONFLICT(account_id,region,family) DO UPDATE SET last_revision="
#define KECS__FAMILY_NEXT(P) KECS__FAMILY_INSERT(P, "1") "task_definition_families.last_revision+1"
#define KECS__FAMILY_RAISE(P) KECS__FAMILY_INSERT(P, P "4") P "4 WHERE task_definition_families.last_revision<" P "4"
#define KECS__FAMILY_LAST(P) \
  "SELECT last_revision FROM task_definition_families WHERE account_id=" P "1 AND region=" P "2 AND family=" P "3"
#define KECS__FAMILY_ACTIVE(P)                                                                             \
  "SELECT revision FROM task_definitions WHERE account_id=" P "1 AND region=" P "2 AND family=" P "3" \
  " AND status='ACTIVE' ORDER BY revision DESC LIMIT 1"

static const char *kecs__family_sql(const kecs__session *session, const char *question, const char *dollar) {
  return session->engine->backend->dialect->placeholder == '$' ? dollar : question;
}

/* Runs a query for one number; 0 when it gives no row. */
static kecs_status kecs__family_number(kecs__session *session, const char *sql, const kecs_value *values, int count,
                                       int64_t *out_number) {
  kecs__cached *cached = NULL;
  bool row = false;
  *out_number = 0;
  kecs_status status = kecs__statement_text(session, sql, strlen(sql), &cached);
  if (!status) {
    status = kecs__statement_start(session, cached, values, count, &row);
  }
  if (!status && row) {
    kecs_value value;
    kecs__statement_columns(session, cached, &value, 1);
    *out_number = value.number;
  }
  kecs__statement_done(session, cached);
  return status;
}

/* ---- "FAMILY:REVISION" ---- */

/* Where the family ends, and the revision: 0 where the text has none. */
static size_t kecs__family_split(const char *text, int64_t *out_revision) {
  const char *colon = strrchr(text, ':');
  *out_revision = 0;
  if (!colon || !colon[1]) {
    return strlen(text);
  }
  size_t digits = strspn(colon + 1, "0123456789");
  if (colon[1 + digits] != '\0' || digits > KECS__REVISION_DIGITS_MAX) {
    return strlen(text);
  }
  *out_revision = strtoll(colon + 1, NULL, 10);
  return (size_t)(colon - text);
}

KECS__FN kecs_status kecs__family_of(const char *definition, kecs__arena *arena, const char **out_family) {
  static const char type[] = "task-definition/";
  const char *resource = kecs__arn_resource(definition);
  int64_t revision = 0;
  *out_family = "";
  if (resource && strncmp(resource, type, sizeof type - 1) != 0) {
    return KECS_OK; /* an ARN of something else */
  }
  const char *text = resource ? resource + sizeof type - 1 : definition;
  *out_family = kecs__arena_text(arena, text, kecs__family_split(text, &revision));
  return *out_family ? KECS_OK : KECS_E_NOMEM;
}

/* ---- creating ---- */

/* The next revision; or, where one is given, the counter is raised to it. */
static kecs_status kecs__revision_allocate(kecs__write *write, kecs_task_definition *definition) {
  kecs_value values[] = {kecs__value_text(definition->account_id), kecs__value_text(definition->region),
                         kecs__value_text(definition->family), kecs__value_int(definition->revision)};
  bool given = definition->revision > 0;
  const char *count = kecs__family_sql(write->session, KECS__FAMILY_NEXT("?"), KECS__FAMILY_NEXT("$"));
  const char *raise = kecs__family_sql(write->session, KECS__FAMILY_RAISE("?"), KECS__FAMILY_RAISE("$"));
  const char *last = kecs__family_sql(write->session, KECS__FAMILY_LAST("?"), KECS__FAMILY_LAST("$"));
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__run(write->session, given ? raise : count, values, given ? 4 : 3, NULL);
  }
  return status || given ? status : kecs__family_number(write->session, last, values, 3, &definition->revision);
}

KECS__FN kecs_status kecs__task_definition_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_task_definition *definition = row;
  const char *resource = kecs__arn_resource(definition->arn);
  int64_t revision = 0;
  (void)meta;
  if (resource) {
    (void)kecs__family_split(resource, &revision);
    definition->revision = definition->revision ? definition->revision : revision;
  }
  if (resource && (!definition->family || !definition->family[0])) {
    kecs_status status = kecs__family_of(definition->arn, &write->arena, &definition->family);
    if (status) {
      return status;
    }
  }
  if (!definition->family || !definition->family[0]) {
    return kecs__fail(KECS_E_INVALID,
                      "task_definition.family is required where there is no ARN to take it from; set it");
  }
  if (definition->revision > INT32_MAX) {
    return kecs__fail(KECS_E_INVALID, "task_definition.revision is %lld; AWS's revisions end at %lld",
                      (long long)definition->revision, (long long)INT32_MAX);
  }
  if (definition->revision < 0) {
    return kecs__fail(KECS_E_INVALID,
                      "task_definition.revision is %lld; revisions count from 1, and 0 asks for the next",
                      (long long)definition->revision);
  }
  kecs_status status = fresh ? kecs__revision_allocate(write, definition) : KECS_OK;
  if (!status && (!definition->arn || !definition->arn[0])) {
    definition->arn = kecs__arn_format(write, "ecs", definition->region, definition->account_id,
                                       "task-definition/%s:%lld", definition->family, (long long)definition->revision);
    status = definition->arn ? KECS_OK : kecs_last_error()->status;
  }
  return status;
}

KECS__FN bool kecs__task_definition_is_new(const kecs__meta *meta, const void *row) {
  const kecs_task_definition *definition = row;
  (void)meta;
  return (!definition->arn || !definition->arn[0]) && definition->revision == 0;
}

KECS_STORE_API kecs_status kecs_task_definition_register(kecs_store *store, const kecs_task_definition *row,
                                                         kecs_result **out_result) {
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status status = kecs__check_pointer(row, "row");
  if (status) {
    return status;
  }
  kecs_task_definition next = *row;
  next.arn = NULL;
  next.revision = 0;
  return kecs__create_many(store, KECS_KIND_TASK_DEFINITION, &next, 1, out_result);
}

/* ---- finding ---- */

/* Points the probe at one revision of a family; 0 means the highest ACTIVE one. */
static kecs_status kecs__family_probe(kecs__session *session, const char *family, int64_t revision,
                                      kecs__probe *out_probe) {
  kecs_value values[] = {kecs__value_text(session->engine->account_id), kecs__value_text(session->engine->region),
                         kecs__value_text(family), kecs__value_int(revision)};
  const char *active = kecs__family_sql(session, KECS__FAMILY_ACTIVE("?"), KECS__FAMILY_ACTIVE("$"));
  kecs_status status = revision > 0 ? KECS_OK : kecs__family_number(session, active, values, 3, &values[3].number);
  if (!status && values[3].number == 0) {
    status = kecs__fail(KECS_E_NOT_FOUND, "task_definition \"%.160s\" not found: the family has no ACTIVE revision",
                        family);
  }
  out_probe->key = 2; /* account_id, region, family, revision */
  out_probe->count = 4;
  memcpy(out_probe->values, values, sizeof values);
  return status;
}

KECS__FN kecs_status kecs__task_definition_probe(kecs__session *session, const kecs__meta *meta,
                                                 const kecs_value *address, kecs__arena *arena,
                                                 kecs__probe *out_probe) {
  int64_t revision = 0;
  size_t len = kecs__family_split(address[0].text, &revision);
  char *family = kecs__arena_text(arena, address[0].text, len);
  if (!family) {
    return KECS_E_NOMEM;
  }
  if (address[0].text[len] != '\0' && revision == 0) {
    return kecs__fail_not_found(meta, out_probe->shown); /* "FAMILY:0": revisions count from 1 */
  }
  return kecs__family_probe(session, family, revision, out_probe);
}

/* A family's name as it is, colons and all. */
KECS_STORE_API kecs_status kecs_task_definition_latest(kecs_store *store, const char *family,
                                                       kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, KECS_KIND_TASK_DEFINITION);
  if (!meta) {
    return kecs_last_error()->status;
  }
  status = kecs__check_pointer(family, "family");
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__probe probe = {0};
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    snprintf(probe.shown, sizeof probe.shown, "%s", family);
    status = kecs__family_probe(session, family, 0, &probe);
  }
  void *row = status ? NULL : kecs__result_add(result);
  if (!status) {
    status = row ? kecs__probe_read(session, meta, &probe, &result->arena, row, NULL) : KECS_E_NOMEM;
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

/* What selects revisions of one family in the store's account and region. */
typedef struct kecs__family_filter {
  const char *family;
  const char *status; /* NULL: any */
} kecs__family_filter;

static kecs_status kecs__family_narrow(kecs__plan *plan, const void *user) {
  const kecs__family_filter *filter = user;
  kecs_value values[] = {kecs__value_text(plan->session->engine->account_id),
                         kecs__value_text(plan->session->engine->region), kecs__value_text(filter->family)};
  kecs__plan_where(plan, "account_id=? AND region=? AND family=?", values, 3);
  if (filter->status && filter->status[0]) {
    kecs_value status = kecs__value_text(filter->status);
    kecs__plan_where(plan, "status=?", &status, 1);
  }
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_definition_revisions(kecs_store *store, const char *family, const char *status,
                                                          int limit, const char *page_token, kecs_result **out_result) {
  kecs__family_filter filter = {family, status};
  kecs_query query = {0};
  query.direction = KECS_ORDER_DESCENDING;
  query.order_by = KECS_TASK_DEFINITION_REVISION;
  query.limit = limit;
  query.page_token = page_token;
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status checked = kecs__check_pointer(family, "family");
  return checked ? checked
                 : kecs__list_where(store, KECS_KIND_TASK_DEFINITION, &query, kecs__family_narrow, &filter, out_result);
}

/* ---- deregistering ---- */

static kecs_status kecs__deregister_edit(kecs__write *write, void *row, void *user, uint64_t *out_mask) {
  kecs_task_definition *definition = row;
  (void)user;
  *out_mask = KECS_BIT(KECS_TASK_DEFINITION_STATUS) | KECS_BIT(KECS_TASK_DEFINITION_DEREGISTERED_AT);
  if (definition->deregistered_at == 0) {
    definition->deregistered_at = write->now;
  } else if (strcmp(definition->status, "ACTIVE") != 0) {
    return KECS_OK; /* it has been done; it may be on its way to deletion by now */
  }
  definition->status = "INACTIVE";
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_task_definition_deregister(kecs_store *store, const char *definition,
                                                           kecs_result **out_result) {
  kecs_value address = kecs__value_text(definition);
  return kecs__edit_one(store, KECS_KIND_TASK_DEFINITION, &address, 1, kecs__deregister_edit, NULL, out_result);
}

/* ---- families ---- */

/* The table of families as a kind of its own, so that plans and page tokens do for it. */
static const kecs_column_info kecs__family_columns[] = {
    {.name = "family", .type = KECS_TYPE_TEXT, .flags = KECS_COLUMN_NOT_NULL, .offset = offsetof(kecs_family, family)},
};
static const kecs_column_list kecs__family_keys[] = {{.name = "family", .count = 1, .columns = {0}}};
static const kecs_kind_info kecs__family_info = {
    .name = "family",
    .table = "task_definition_families",
    .row_size = sizeof(kecs_family),
    .column_count = 1,
    .columns = kecs__family_columns,
    .key_count = 1,
    .keys = kecs__family_keys,
    .order = {.name = "order", .count = 1, .columns = {0}},
};

#define KECS__FAMILY_ROWS                                                     \
  "FROM task_definitions d WHERE d.account_id=task_definition_families.account_id" \
  " AND d.region=task_definition_families.region AND d.family=task_definition_families.family"
#define KECS__FAMILY_WHAT                                                     \
  "family,(SELECT d.revision " KECS__FAMILY_ROWS " ORDER BY d.revision DESC LIMIT 1)," \
  "(SELECT count(*) " KECS__FAMILY_ROWS " AND d.status='ACTIVE')"

static void kecs__families_plan(kecs__plan *plan, const kecs_family_query *query) {
  kecs_value place[] = {kecs__value_text(plan->session->engine->account_id),
                        kecs__value_text(plan->session->engine->region)};
  kecs_value status = kecs__value_text(query->status);
  kecs_filter prefix = {.column = 0, .op = KECS_PREFIX, .text = query->prefix};
  kecs_query page = {.limit = query->limit, .page_token = query->page_token};
  kecs__plan_where(plan, "account_id=? AND region=?", place, 2);
  /* Not EXISTS: SQLite turns that into a join and may walk through all revisions for every family. */
  if (status.len > 0) {
    kecs__plan_where(plan, "(SELECT d.revision " KECS__FAMILY_ROWS " AND d.status=? LIMIT 1)>0", &status, 1);
  } else {
    kecs__plan_where(plan, "(SELECT d.revision " KECS__FAMILY_ROWS " LIMIT 1)>0", NULL, 0);
  }
  if (query->prefix && query->prefix[0]) {
    page.where = &prefix;
    page.where_count = 1;
  }
  kecs__plan_query(plan, &page, true);
}

static kecs_status kecs__families_rows(kecs__plan *plan, kecs_result *result) {
  kecs_value values[3];
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_family *row = NULL;
  kecs_status status = kecs__plan_start(plan, KECS__FAMILY_WHAT, true, plan->limit + 1, &cached, &more);
  while (!status && more && result->count < (size_t)plan->limit) {
    row = kecs__result_add(result);
    if (!row) {
      status = KECS_E_NOMEM;
      break;
    }
    kecs__statement_columns(plan->session, cached, values, 3);
    row->family = values[0].text ? kecs__arena_text(&result->arena, values[0].text, values[0].len) : NULL;
    row->latest_revision = values[1].number;
    row->active_revisions = values[2].number;
    status = row->family ? kecs__statement_step(plan->session, cached, &more) : kecs__fail_nomem();
  }
  kecs__statement_done(plan->session, cached);
  if (!status && more) {
    status = kecs__plan_token(plan, row, &result->arena, &result->page_token);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_task_definition_families(kecs_store *store, const kecs_family_query *query,
                                                         kecs_result **out_result) {
  static const kecs_family_query everything = {NULL, NULL, 0, NULL};
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  status = kecs__check_handle(store);
  if (status) {
    return status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_new(&store->engine->allocator, (kecs_kind)0, sizeof(kecs_family), &result);
  }
  if (!status) {
    kecs__meta meta = {.info = &kecs__family_info};
    kecs__plan plan;
    kecs__plan_init(&plan, session, &meta, &arena);
    kecs__families_plan(&plan, query ? query : &everything);
    status = kecs__families_rows(&plan, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return kecs__result_end(status, result, out_result);
}

KECS_STORE_API const kecs_family *kecs_family_at(const kecs_result *result, size_t index) {
  bool families = result && (int)result->kind == 0 && result->row_size == sizeof(kecs_family);
  return families && index < result->count ? (const kecs_family *)(const void *)result->rows + index : NULL;
}

/* ---- store/service.c --------------------------------------------------------------------------------------------- */
/* store/service.c -- services: names and ARNs, and the clean-up of ended ones. */

/* ---- store/service.h --------------------------------------------------------------------------------------------- */
/* store/service.h -- services that are given by name. */
#ifndef KECS_STORE_SERVICE_H
#define KECS_STORE_SERVICE_H

/* The ARN of a service of a cluster: the stored one's, else as AWS would make it. An ARN is given back as it is. */
KECS__FN kecs_status kecs__service_arn(kecs__session *session, const char *cluster_arn, const char *service,
                                       kecs__arena *arena, const char **out_arn);

#endif

/* ---- store/service.c, continued ---------------------------------------------------------------------------------- */
KECS__FN kecs_status kecs__service_arn(kecs__session *session, const char *cluster_arn, const char *service,
                                       kecs__arena *arena, const char **out_arn) {
  const kecs__meta *meta = kecs__meta_of(session->engine, KECS_KIND_SERVICE);
  kecs_value address[] = {kecs__value_text(cluster_arn), kecs__value_text(service)};
  kecs__probe probe;
  kecs__cached *cached = NULL;
  bool found = false;
  *out_arn = service;
  if (kecs__is_arn(service)) {
    return KECS_OK;
  }
  kecs_status status = kecs__probe_address(session, meta, address, 2, arena, &probe);
  if (!status) {
    status = kecs__statement(session, meta, KECS__OP_SELECT_KEY, (uint64_t)probe.key, &cached);
  }
  if (!status) {
    status = kecs__statement_start(session, cached, probe.values, probe.count, &found);
  }
  if (!status && found) {
    kecs_value arn; /* the first column */
    kecs__statement_columns(session, cached, &arn, 1);
    *out_arn = arn.text ? kecs__arena_text(arena, arn.text, arn.len) : NULL;
    status = *out_arn ? KECS_OK : kecs__fail_nomem();
  }
  kecs__statement_done(session, cached);
  return status || found ? status : kecs__cluster_member(arena, cluster_arn, "service", service, out_arn);
}

KECS__FN kecs_status kecs__service_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_service *service = row;
  kecs_status status = KECS_OK;
  (void)meta;
  (void)fresh;
  if (!service->name || !service->name[0]) {
    service->name = service->arn && service->arn[0] ? kecs__arn_tail(service->arn) : NULL;
  }
  if (!service->name || !service->name[0]) {
    return kecs__fail(KECS_E_INVALID, "service.name is required where there is no ARN to take it from; set it");
  }
  if (!service->cluster_arn || !service->cluster_arn[0]) {
    status = kecs__cluster_of(write->session, service->arn, "service", &write->arena, &service->cluster_arn);
  }
  if (!status && (!service->arn || !service->arn[0])) {
    status = kecs__cluster_member(&write->arena, service->cluster_arn, "service", service->name, &service->arn);
  }
  return status;
}

/* ---- clean-up ---- */

typedef struct kecs__service_marked {
  const char *cluster;
  int64_t before;
} kecs__service_marked;

static kecs_status kecs__service_marked_narrow(kecs__plan *plan, const void *user) {
  const kecs__service_marked *marked = user;
  kecs_value before = kecs__value_int(marked->before);
  kecs__plan_where(plan, "status IN('INACTIVE','DELETE_IN_PROGRESS','DRAINING')", NULL, 0);
  kecs__plan_where(plan, "(status<>'DRAINING' OR (desired_count=0 AND running_count=0))", NULL, 0);
  kecs__plan_where(plan, "updated_at<?", &before, 1);
  kecs__plan_cluster(plan, marked->cluster);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_service_delete_marked(kecs_store *store, const char *cluster, int64_t before,
                                                      int64_t *out_count) {
  kecs__service_marked marked = {cluster, before};
  return kecs__prune(store, KECS_KIND_SERVICE, kecs__service_marked_narrow, &marked, out_count);
}

/* ---- store/task.c ------------------------------------------------------------------------------------------------ */
/* store/task.c -- tasks: ids, finding them by what they belong to, and the clean-up of ended ones. */

#include <stdio.h>
#include <string.h>

KECS__FN kecs_status kecs__task_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_task *task = row;
  (void)fresh;
  kecs_status status = kecs__cluster_member_fill(write, meta, row, "task");
  if (!status) {
    status = kecs__family_of(task->task_definition_arn ? task->task_definition_arn : "", &write->arena, &task->family);
  }
  return status;
}

/* ---- finding ---- */

static bool kecs__task_given(const char *text) {
  return text && text[0];
}

/* Adds COLUMN=? where a text is given. `late`: not by an index of that column, see kecs__plan_cluster_late. */
static void kecs__task_equal(kecs__plan *plan, int column, const char *text, bool late) {
  char condition[64];
  if (kecs__task_given(text)) {
    kecs_value value = kecs__value_text(text);
    snprintf(condition, sizeof condition, "%s%s=?", plan->meta->info->columns[column].name, late ? "||''" : "");
    kecs__plan_where(plan, condition, &value, 1);
  }
}

/* "PREFIXNAME" in the arena. */
static kecs_value kecs__task_mark(kecs__plan *plan, const char *prefix, const char *name) {
  size_t len = strlen(prefix);
  char *text = kecs__arena_bytes(plan->arena, len + strlen(name) + 1);
  if (!text) {
    plan->status = KECS_E_NOMEM;
    return kecs__value_text(NULL);
  }
  memcpy(text, prefix, len);
  memcpy(text + len, name, strlen(name) + 1);
  return kecs__value_text(text);
}

/* Old ARNs are "service/NAME", without a cluster. */
static bool kecs__task_names_cluster(const char *service) {
  const char *resource = kecs__arn_resource(service);
  const char *slash = resource ? strchr(resource, '/') : NULL;
  return slash && strchr(slash + 1, '/');
}

/* Tasks of a service say so in one of three columns; each has its index. A name without a cluster is looked for in
 * every cluster; an ARN and a name with a cluster are about one cluster: another one's service of that name is not
 * meant. */
static void kecs__task_service(kecs__plan *plan, const char *service, const char *cluster) {
  bool arn = kecs__is_arn(service);
  bool brief = arn && !kecs__task_names_cluster(service);
  const char *name = arn ? kecs__arn_tail(service) : service;
  const char *cluster_arn = NULL;
  const char *service_arn = service;
  if (arn && !(brief && kecs__task_given(cluster))) {
    plan->status = kecs__cluster_of(plan->session, service, "service", plan->arena, &cluster_arn);
  } else if (kecs__task_given(cluster)) {
    plan->status = kecs__resolve_parent(plan->session, KECS_KIND_CLUSTER, cluster, plan->arena, &cluster_arn);
  }
  if (!plan->status && cluster_arn) {
    plan->status = kecs__service_arn(plan->session, cluster_arn, service, plan->arena, &service_arn);
  }
  kecs_value group = kecs__task_mark(plan, "service:", name);
  kecs_value starter = kecs__task_mark(plan, "ecs-svc/", name);
  if (plan->status) {
    return;
  }
  if (!cluster_arn) {
    kecs_value values[] = {kecs__value_text(name), group, starter};
    /* CROSS JOIN makes SQLite begin with the clusters: services have no index on the name alone. */
    kecs__plan_where(plan,
                     "(service_arn IN(SELECT s.arn FROM clusters c CROSS JOIN services s WHERE s.cluster_arn=c.arn"
                     " AND s.name=?) OR task_group=? OR started_by=?)",
                     values, 3);
    return;
  }
  kecs_value place = kecs__value_text(cluster_arn);
  kecs_value values[] = {kecs__value_text(service_arn), group, place, starter, place};
  kecs__plan_where(plan,
                   "(service_arn=? OR (task_group=? AND cluster_arn||''=?) OR (started_by=? AND cluster_arn||''=?))",
                   values, 5);
}

/* An instance that is given by its id: the ARN of the stored one, else as AWS would make it in the cluster, and in the
 * short form of old ARNs. */
static void kecs__task_instance(kecs__plan *plan, const char *instance, const char *cluster) {
  if (kecs__is_arn(instance)) {
    kecs__task_equal(plan, KECS_TASK_CONTAINER_INSTANCE_ARN, instance, false);
    return;
  }
  const char *cluster_arn = NULL;
  const char *made = NULL;
  const char *place = kecs__task_given(cluster) ? cluster : "default";
  plan->status = kecs__resolve_parent(plan->session, KECS_KIND_CLUSTER, place, plan->arena, &cluster_arn);
  if (!plan->status) {
    plan->status = kecs__cluster_member(plan->arena, cluster_arn, "container-instance", instance, &made);
  }
  if (plan->status) {
    return;
  }
  const char *brief = kecs__arn_beside(plan->arena, cluster_arn, "container-instance/%s", instance);
  if (!brief) {
    plan->status = KECS_E_NOMEM;
    return;
  }
  kecs_value values[] = {kecs__value_text(instance), kecs__value_text(made), kecs__value_text(brief)};
  kecs__plan_where(plan, "container_instance_arn IN((SELECT i.arn FROM container_instances i WHERE i.id=?),?,?)",
                   values, 3);
}

/* Whether a status is one of live tasks: those are few, where stopped ones may pile up. */
static bool kecs__task_live(const char *status) {
  return kecs__task_given(status) && strcmp(status, "STOPPED") != 0;
}

/* The order in which indexes are worth taking: what a task belongs to, its family or a live status, its cluster. */
static kecs_status kecs__task_narrow(kecs__plan *plan, const void *user) {
  const kecs_task_filter *filter = user;
  bool owned = kecs__task_given(filter->service) || kecs__task_given(filter->container_instance) ||
               kecs__task_given(filter->started_by);
  bool few = owned || kecs__task_given(filter->family) || kecs__task_live(filter->desired_status) ||
             kecs__task_live(filter->last_status);
  if (kecs__task_given(filter->service)) {
    kecs__task_service(plan, filter->service, filter->cluster);
  }
  if (!plan->status && kecs__task_given(filter->container_instance)) {
    kecs__task_instance(plan, filter->container_instance, filter->cluster);
  }
  if (few) {
    kecs__plan_cluster_late(plan, filter->cluster);
  } else {
    kecs__plan_cluster(plan, filter->cluster);
  }
  kecs__task_equal(plan, KECS_TASK_STARTED_BY, filter->started_by, false);
  kecs__task_equal(plan, KECS_TASK_FAMILY, filter->family, owned);
  kecs__task_equal(plan, KECS_TASK_DESIRED_STATUS, filter->desired_status, owned);
  kecs__task_equal(plan, KECS_TASK_LAST_STATUS, filter->last_status, owned);
  kecs__task_equal(plan, KECS_TASK_LAUNCH_TYPE, filter->launch_type, false);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_find(kecs_store *store, const kecs_task_filter *filter, const kecs_query *query,
                                          kecs_result **out_result) {
  return kecs__list_where(store, KECS_KIND_TASK, query, filter ? kecs__task_narrow : NULL, filter, out_result);
}

/* ---- clean-up ---- */

typedef struct kecs__task_ended {
  const char *cluster;
  int64_t before;
  const char *status; /* NULL: STOPPED and DEPROVISIONING */
} kecs__task_ended;

static void kecs__task_ended_status(kecs__plan *plan, const kecs__task_ended *ended, const char *one,
                                    const char *several) {
  kecs_value status = kecs__value_text(ended->status);
  if (status.len > 0) {
    kecs__plan_where(plan, one, &status, 1);
  } else {
    kecs__plan_where(plan, several, NULL, 0);
  }
}

/* Those with stopped_at, by its index: of all stopped tasks only the old ones are looked at. */
static kecs_status kecs__task_stopped_narrow(kecs__plan *plan, const void *user) {
  const kecs__task_ended *ended = user;
  kecs_value before = kecs__value_int(ended->before);
  kecs__plan_where(plan, "stopped_at<?", &before, 1);
  kecs__task_ended_status(plan, ended, "last_status||''=?", "last_status||'' IN('STOPPED','DEPROVISIONING')");
  kecs__plan_cluster_late(plan, ended->cluster);
  return plan->status;
}

/* The few that say otherwise when they ended. The index of last_status has stopped_at in it. */
static kecs_status kecs__task_unsaid_narrow(kecs__plan *plan, const void *user) {
  const kecs__task_ended *ended = user;
  kecs_value before = kecs__value_int(ended->before);
  kecs__task_ended_status(plan, ended, "last_status=?", "last_status IN('STOPPED','DEPROVISIONING')");
  kecs__plan_where(plan, "stopped_at IS NULL AND coalesce(execution_stopped_at,updated_at)<?", &before, 1);
  kecs__plan_cluster_late(plan, ended->cluster);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_delete_older(kecs_store *store, const char *cluster, int64_t before,
                                                  const char *status, int64_t *out_count) {
  kecs__task_ended ended = {cluster, before, status};
  int64_t stopped = 0;
  int64_t unsaid = 0;
  kecs_status done = kecs__prune(store, KECS_KIND_TASK, kecs__task_stopped_narrow, &ended, &stopped);
  if (!done) {
    done = kecs__prune(store, KECS_KIND_TASK, kecs__task_unsaid_narrow, &ended, &unsaid);
  }
  if (out_count) {
    *out_count = stopped + unsaid;
  }
  return done;
}

/* ---- store/task_set.c -------------------------------------------------------------------------------------------- */
/* store/task_set.c -- task sets: the service that they belong to, which one is PRIMARY, and orphans.
 *
 * There is no foreign key: a set outlives its service until kecs_task_set_delete_orphaned. Creating one for a service
 * that is not there is refused here instead. */

#include <stdio.h>
#include <string.h>

/* An id such as AWS makes: 19 digits. */
static kecs_status kecs__task_set_id(kecs__write *write, kecs_task_set *set) {
  static const uint64_t least = UINT64_C(1000000000000000000);
  uint64_t number = 0;
  char *id = kecs__arena_bytes(&write->arena, 32);
  kecs_status status = id ? kecs__random_fill(&write->engine->random, &number, sizeof number) : KECS_E_NOMEM;
  if (!status) {
    snprintf(id, 32, "ecs-svc/%llu", (unsigned long long)(least + number % (8 * least)));
  }
  set->id = id;
  return status;
}

/* What an ARN "task-set/CLUSTER/SERVICE/ID" says: the service's ARN and the id, which has a slash in it. */
static kecs_status kecs__task_set_parse(kecs__write *write, kecs_task_set *set) {
  const char *resource = kecs__arn_resource(set->arn);
  const char *cluster = resource ? strchr(resource, '/') : NULL;
  const char *service = cluster ? strchr(cluster + 1, '/') : NULL;
  const char *id = service ? strchr(service + 1, '/') : NULL;
  if (!id || strncmp(resource, "task-set/", 9) != 0) {
    return KECS_OK;
  }
  if ((!set->id || !set->id[0]) && id[1]) {
    set->id = id + 1;
  }
  if (!set->service_arn || !set->service_arn[0]) {
    set->service_arn = kecs__arn_beside(&write->arena, set->arn, "service%.*s", (int)(id - cluster), cluster);
    return set->service_arn ? KECS_OK : KECS_E_NOMEM;
  }
  return KECS_OK;
}

/* Cluster and service as ARNs, each taken from the other where it can be. */
static kecs_status kecs__task_set_parents(kecs__write *write, kecs_task_set *set) {
  const char *cluster = set->cluster_arn;
  const char *service = set->service_arn;
  kecs_status status = KECS_OK;
  if (!service || !service[0]) {
    return kecs__fail(KECS_E_INVALID, "task_set.service_arn is required where there is no ARN to take it from; set it");
  }
  if (cluster && cluster[0]) {
    status = kecs__resolve_parent(write->session, KECS_KIND_CLUSTER, cluster, &write->arena, &set->cluster_arn);
  } else {
    status = kecs__cluster_of(write->session, service, "service", &write->arena, &set->cluster_arn);
  }
  return status ? status
                : kecs__service_arn(write->session, set->cluster_arn, service, &write->arena, &set->service_arn);
}

/* A service that is missing is made when parents are to be made; it is a failure otherwise. */
static kecs_status kecs__task_set_service(kecs__write *write, const kecs_task_set *set) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_SERVICE);
  kecs__probe probe = {0};
  int64_t rid = 0;
  if (write->engine->no_foreign_keys) {
    return KECS_OK;
  }
  probe.count = 1;
  probe.values[0] = kecs__value_text(set->service_arn);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, &rid);
  if (status || rid != 0) {
    return status;
  }
  if (!write->make_parents) {
    return kecs__fail(KECS_E_REFERENCE, "task_set: its service \"%.200s\" is not in the store; create that first",
                      set->service_arn);
  }
  kecs_service *bare = kecs__arena_take(&write->arena, sizeof *bare);
  if (!bare) {
    return KECS_E_NOMEM;
  }
  memset(bare, 0, sizeof *bare);
  bare->arn = set->service_arn;
  bare->cluster_arn = set->cluster_arn;
  status = kecs__write_guard(write);
  return status ? status : kecs__row_insert(write, meta, bare, 0);
}

KECS__FN kecs_status kecs__task_set_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_task_set *set = row;
  (void)meta;
  kecs_status status = kecs__task_set_parse(write, set);
  if (!status) {
    status = kecs__task_set_parents(write, set);
  }
  if (!status && fresh) {
    status = kecs__task_set_service(write, set);
  }
  if (!status && (!set->id || !set->id[0])) {
    status = kecs__task_set_id(write, set);
  }
  if (!status && (!set->arn || !set->arn[0])) {
    char *name = kecs__arena_bytes(&write->arena, strlen(set->service_arn) + strlen(set->id) + 2);
    if (!name) {
      return KECS_E_NOMEM;
    }
    snprintf(name, strlen(set->service_arn) + strlen(set->id) + 2, "%s/%s", kecs__arn_tail(set->service_arn), set->id);
    status = kecs__cluster_member(&write->arena, set->cluster_arn, "task-set", name, &set->arn);
  }
  return status;
}

/* ---- the primary one ---- */

typedef struct kecs__task_set_promotion {
  const char *service_arn;
  const char *task_set;
  kecs_result **out_result;
} kecs__task_set_promotion;

static kecs_status kecs__task_set_status(kecs__write *write, const kecs__meta *meta, int64_t rid, const char *text) {
  kecs_task_set row = {0};
  kecs__change change = {0};
  row.status = text;
  change.row = &row;
  change.mask = KECS_BIT(KECS_TASK_SET_STATUS);
  change.rid = rid;
  return kecs__row_change(write, meta, &change);
}

enum { KECS__PRIMARIES_MAX = 16 }; /* looked up at once; there is more than one only where status was written by hand */

/* PRIMARY sets of a service but this one. */
static kecs_status kecs__task_set_primaries(kecs__write *write, const kecs__meta *meta, const char *service_arn,
                                            const char *id, int64_t *rids, int *out_count) {
  kecs_value values[] = {kecs__value_text(service_arn), kecs__value_text(id)};
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool row = false;
  *out_count = 0;
  kecs__plan_init(&plan, write->session, meta, &write->arena);
  kecs__plan_where(&plan, "service_arn=? AND status='PRIMARY' AND id<>?", values, 2);
  kecs_status status = kecs__plan_start(&plan, "rid", false, KECS__PRIMARIES_MAX, &cached, &row);
  while (!status && row) {
    kecs_value value;
    kecs__statement_columns(write->session, cached, &value, 1);
    rids[(*out_count)++] = value.number;
    status = kecs__statement_step(write->session, cached, &row);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

static kecs_status kecs__task_set_promote(kecs__write *write, void *user) {
  const kecs__task_set_promotion *promotion = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TASK_SET);
  kecs_value address[] = {kecs__value_text(promotion->service_arn), kecs__value_text(promotion->task_set)};
  kecs__probe probe;
  kecs_task_set row;
  int64_t rid = 0;
  int64_t others[KECS__PRIMARIES_MAX];
  int count = KECS__PRIMARIES_MAX;
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__probe_address(write->session, meta, address, 2, &write->arena, &probe);
  }
  if (!status) {
    status = kecs__probe_read(write->session, meta, &probe, &write->arena, &row, &rid);
  }
  while (!status && count == KECS__PRIMARIES_MAX) {
    status = kecs__task_set_primaries(write, meta, row.service_arn, row.id, others, &count);
    for (int i = 0; !status && i < count; i++) {
      status = kecs__task_set_status(write, meta, others[i], "ACTIVE");
    }
  }
  if (!status) {
    status = kecs__task_set_status(write, meta, rid, "PRIMARY");
  }
  return status ? status : kecs__give_back(write, meta, rid, promotion->out_result);
}

KECS_STORE_API kecs_status kecs_task_set_update_primary(kecs_store *store, const char *service_arn,
                                                        const char *task_set, kecs_result **out_result) {
  kecs__task_set_promotion promotion = {service_arn, task_set, out_result};
  return kecs__with_write_result(store, kecs__task_set_promote, &promotion, out_result);
}

/* ---- orphans ---- */

static kecs_status kecs__task_set_orphans(kecs__plan *plan, const void *user) {
  kecs__plan_where(plan, "NOT EXISTS(SELECT 1 FROM services s WHERE s.arn=task_sets.service_arn)", NULL, 0);
  kecs__plan_cluster(plan, user);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_set_delete_orphaned(kecs_store *store, const char *cluster, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_TASK_SET, kecs__task_set_orphans, cluster, out_count);
}

/* ---- store/container_instance.c ---------------------------------------------------------------------------------- */
/* store/container_instance.c -- container instances: registering, searching, deregistering, clean-up. */

#include <string.h>

KECS__FN kecs_status kecs__container_instance_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  (void)fresh;
  return kecs__cluster_member_fill(write, meta, row, "container-instance");
}

/* ---- searching ---- */

typedef struct kecs__instance_search {
  const char *cluster;
  const char *text;
} kecs__instance_search;

static kecs_status kecs__instance_narrow(kecs__plan *plan, const void *user) {
  const kecs__instance_search *search = user;
  kecs__plan_cluster(plan, search->cluster);
  if (search->text && search->text[0]) {
    kecs_value text = kecs__value_text(search->text);
    kecs_value values[] = {text, text, text};
    kecs__plan_where(plan, "(ec2_instance_id=? OR instr(arn,?)>0 OR instr(attributes,?)>0)", values, 3);
  }
  return plan->status;
}

KECS_STORE_API kecs_status kecs_container_instance_search(kecs_store *store, const char *cluster, const char *text,
                                                          const kecs_query *query, kecs_result **out_result) {
  kecs__instance_search search = {cluster, text};
  return kecs__list_where(store, KECS_KIND_CONTAINER_INSTANCE, query, kecs__instance_narrow, &search, out_result);
}

/* ---- deregistering ---- */

static kecs_status kecs__instance_deregister(kecs__write *write, void *row, void *user, uint64_t *out_mask) {
  kecs_container_instance *instance = row;
  (void)user;
  *out_mask = KECS_BIT(KECS_CONTAINER_INSTANCE_STATUS) | KECS_BIT(KECS_CONTAINER_INSTANCE_DEREGISTERED_AT);
  /* The time of the first call stays, but an instance that came back is deregistered anew. */
  if (instance->deregistered_at == 0 || strcmp(instance->status, "INACTIVE") != 0) {
    instance->deregistered_at = write->now;
  }
  instance->status = "INACTIVE";
  return KECS_OK;
}

KECS_STORE_API kecs_status kecs_container_instance_deregister(kecs_store *store, const char *cluster,
                                                              const char *instance, kecs_result **out_result) {
  kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(instance)};
  return kecs__edit_one(store, KECS_KIND_CONTAINER_INSTANCE, address, 2, kecs__instance_deregister, NULL, out_result);
}

/* ---- clean-up ---- */

typedef struct kecs__instance_stale {
  const char *cluster;
  int64_t before;
} kecs__instance_stale;

static kecs_status kecs__instance_stale_narrow(kecs__plan *plan, const void *user) {
  const kecs__instance_stale *stale = user;
  kecs_value before = kecs__value_int(stale->before);
  kecs__plan_where(plan, "status='INACTIVE' AND coalesce(deregistered_at,updated_at)<?", &before, 1);
  kecs__plan_cluster(plan, stale->cluster);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_container_instance_delete_stale(kecs_store *store, const char *cluster, int64_t before,
                                                                int64_t *out_count) {
  kecs__instance_stale stale = {cluster, before};
  return kecs__prune(store, KECS_KIND_CONTAINER_INSTANCE, kecs__instance_stale_narrow, &stale, out_count);
}

/* ---- store/attribute.c ------------------------------------------------------------------------------------------- */
/* store/attribute.c -- attributes: several put or removed at once. */

#include <string.h>

typedef struct kecs__attributes {
  const char *cluster;
  const kecs_attribute *rows;
  size_t count;
} kecs__attributes;

static kecs_status kecs__attribute_put_one(kecs__write *write, const kecs__meta *meta, const kecs_attribute *given) {
  kecs_attribute row = *given;
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, &row) : KECS_OK;
  kecs__arena_reset(&write->arena);
  return status ? status : kecs__row_upsert(write, meta, &row, 0, NULL);
}

static kecs_status kecs__attribute_put_work(kecs__write *write, void *user) {
  const kecs__attributes *put = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_ATTRIBUTE);
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < put->count; i++) {
    status = kecs__attribute_put_one(write, meta, &put->rows[i]);
    if (status) {
      (void)kecs__fail_context("attribute %zu of %zu", i + 1, put->count);
    }
  }
  return status;
}

KECS_STORE_API kecs_status kecs_attribute_put(kecs_store *store, const kecs_attribute *rows, size_t count) {
  kecs__attributes put = {NULL, rows, count};
  kecs_status status = count > 0 ? kecs__check_pointer(rows, "rows") : KECS_OK;
  return status ? status : kecs__with_write(store, kecs__attribute_put_work, &put);
}

/* The row's cluster counts where the call names none; what is empty is what a put would have stored. */
static kecs_status kecs__attribute_remove_one(kecs__write *write, const kecs__meta *meta, const char *cluster,
                                              const kecs_attribute *given) {
  kecs_attribute row = *given;
  kecs__probe probe;
  int64_t rid = 0;
  row.cluster = cluster && cluster[0] ? cluster : given->cluster;
  kecs_status status = kecs__probe_row(write->session, meta, &row, &write->arena, &probe);
  if (!status) {
    status = kecs__probe_rid(write->session, meta, &probe, &rid);
  }
  return status || rid == 0 ? status : kecs__row_delete(write, meta, rid, &row);
}

static kecs_status kecs__attribute_remove_work(kecs__write *write, void *user) {
  const kecs__attributes *removed = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_ATTRIBUTE);
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < removed->count; i++) {
    kecs__arena_reset(&write->arena);
    status = kecs__attribute_remove_one(write, meta, removed->cluster, &removed->rows[i]);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_attribute_remove(kecs_store *store, const char *cluster, const kecs_attribute *rows,
                                                 size_t count) {
  kecs__attributes removed = {cluster, rows, count};
  kecs_status status = count > 0 ? kecs__check_pointer(rows, "rows") : KECS_OK;
  return status ? status : kecs__with_write(store, kecs__attribute_remove_work, &removed);
}

/* ---- store/account_setting.c ------------------------------------------------------------------------------------- */
/* store/account_setting.c -- account settings: defaults, and what holds for a principal. */

#include <string.h>

#define KECS__SETTING_DEFAULT "default" /* the principal that stands for all who have no setting of their own */

KECS_STORE_API kecs_status kecs_account_setting_get_default(kecs_store *store, const char *name,
                                                            kecs_result **out_result) {
  kecs_value address[] = {kecs__value_text(KECS__SETTING_DEFAULT), kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_ACCOUNT_SETTING, address, 2, out_result);
}

typedef struct kecs__setting_default {
  kecs_account_setting row;
  kecs_result **out_result;
} kecs__setting_default;

static kecs_status kecs__setting_set_work(kecs__write *write, void *user) {
  kecs__setting_default *set = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_ACCOUNT_SETTING);
  kecs__probe probe;
  kecs__change change = {0};
  kecs_status status = write->engine->strict ? kecs__validate_row(meta->info, &set->row) : KECS_OK;
  if (!status) {
    status = kecs__probe_row(write->session, meta, &set->row, &write->arena, &probe);
  }
  if (!status) {
    status = kecs__probe_rid(write->session, meta, &probe, &change.rid);
  }
  if (!status && change.rid != 0) {
    change.row = &set->row;
    change.mask = KECS_BIT(KECS_ACCOUNT_SETTING_VALUE) | KECS_BIT(KECS_ACCOUNT_SETTING_IS_DEFAULT);
    status = kecs__row_change(write, meta, &change);
  } else if (!status) {
    status = kecs__row_insert(write, meta, &set->row, 0);
    change.rid = status ? 0 : write->engine->backend->last_rid(write->session->connection);
  }
  return status ? status : kecs__give_back(write, meta, change.rid, set->out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_set_default(kecs_store *store, const char *name, const char *value,
                                                            kecs_result **out_result) {
  kecs__setting_default set;
  memset(&set, 0, sizeof set);
  set.row.principal_arn = KECS__SETTING_DEFAULT;
  set.row.name = name;
  set.row.value = value;
  set.row.is_default = true;
  set.out_result = out_result;
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status status = kecs__check_pointer(name, "name");
  if (!status) {
    status = kecs__check_pointer(value, "value");
  }
  return status ? status : kecs__with_write_result(store, kecs__setting_set_work, &set, out_result);
}

/* ---- what holds for a principal ---- */

typedef struct kecs__setting_filter {
  const char *principal_arn;
  const char *name; /* NULL: all */
} kecs__setting_filter;

static void kecs__setting_plan(kecs__plan *plan, const kecs__setting_filter *filter) {
  kecs_query query = {.direction = KECS_ORDER_ASCENDING, .order_by = KECS_ACCOUNT_SETTING_NAME};
  kecs_value principals[] = {kecs__value_text(KECS__SETTING_DEFAULT), kecs__value_text(filter->principal_arn)};
  kecs__plan_where(plan, "principal_arn IN(?,?)", principals, 2);
  if (filter->name && filter->name[0]) {
    kecs_value name = kecs__value_text(filter->name);
    kecs__plan_where(plan, "name=?", &name, 1);
  }
  kecs__plan_query(plan, &query, false);
}

/* Rows come by name, so a default and the principal's own setting stand side by side: of two, the own one stays. */
static kecs_status kecs__setting_rows(kecs__plan *plan, const char *principal_arn, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs_value values[64];
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_account_setting *last = NULL;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, 0, &cached, &more);
  while (!status && more) {
    kecs_account_setting row;
    kecs__statement_columns(plan->session, cached, values, meta->info->column_count);
    status = kecs__row_read(meta, values, &result->arena, &row);
    if (status) {
      break;
    }
    bool same = last && strcmp(last->name, row.name) == 0;
    bool own = strcmp(row.principal_arn, principal_arn) == 0;
    row.is_default = false;
    if (!same) {
      last = kecs__result_add(result);
      status = last ? KECS_OK : KECS_E_NOMEM;
    }
    if (!status && (!same || own)) {
      *last = row;
    }
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return status;
}

KECS_STORE_API kecs_status kecs_account_setting_effective(kecs_store *store, const char *principal_arn,
                                                          const char *name, kecs_result **out_result) {
  kecs__setting_filter filter = {principal_arn, name};
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, KECS_KIND_ACCOUNT_SETTING);
  if (!meta) {
    return kecs_last_error()->status;
  }
  status = kecs__check_pointer(principal_arn, "principal_arn");
  if (status) {
    return status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &arena);
    kecs__setting_plan(&plan, &filter);
    status = kecs__setting_rows(&plan, principal_arn, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return kecs__result_end(status, result, out_result);
}

/* ---- store/task_log.c -------------------------------------------------------------------------------------------- */
/* store/task_log.c -- task logs: finding lines, counting them, retention. */

static void kecs__log_text(kecs__plan *plan, int column, kecs_op op, const char *text) {
  if (text && text[0]) {
    kecs_filter filter = {.column = column, .op = op, .text = text};
    kecs__plan_filter(plan, &filter);
  }
}

static void kecs__log_time(kecs__plan *plan, kecs_op op, int64_t time) {
  if (time != 0) {
    kecs_filter filter = {.column = KECS_TASK_LOG_TIMESTAMP, .op = op, .number = time};
    kecs__plan_filter(plan, &filter);
  }
}

static kecs_status kecs__log_narrow(kecs__plan *plan, const void *user) {
  const kecs_log_filter *filter = user;
  kecs__log_text(plan, KECS_TASK_LOG_TASK_ARN, KECS_EQ, filter->task_arn);
  kecs__log_time(plan, KECS_GE, filter->from);
  kecs__log_time(plan, KECS_LE, filter->to);
  kecs__log_text(plan, KECS_TASK_LOG_CONTAINER_NAME, KECS_EQ, filter->container_name);
  kecs__log_text(plan, KECS_TASK_LOG_LOG_LEVEL, KECS_EQ, filter->level);
  kecs__log_text(plan, KECS_TASK_LOG_LOG_LINE, KECS_CONTAINS_NOCASE, filter->search);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_log_find(kecs_store *store, const kecs_log_filter *filter, bool oldest_first,
                                              int limit, const char *page_token, kecs_result **out_result) {
  kecs_query query = {.order_by = KECS_TASK_LOG_TIMESTAMP, .limit = limit, .page_token = page_token};
  query.direction = oldest_first ? KECS_ORDER_ASCENDING : KECS_ORDER_DESCENDING;
  return kecs__list_where(store, KECS_KIND_TASK_LOG, &query, filter ? kecs__log_narrow : NULL, filter, out_result);
}

KECS_STORE_API kecs_status kecs_task_log_count_matching(kecs_store *store, const kecs_log_filter *filter,
                                                        int64_t *out_count) {
  return kecs__count_where(store, KECS_KIND_TASK_LOG, NULL, filter ? kecs__log_narrow : NULL, filter, out_count);
}

/* ---- retention ---- */

static kecs_status kecs__log_old(kecs__plan *plan, const void *user) {
  kecs_value before = kecs__value_int(*(const int64_t *)user);
  kecs__plan_where(plan, "created_at<?", &before, 1);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_log_delete_older(kecs_store *store, int64_t before, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_TASK_LOG, kecs__log_old, &before, out_count);
}

static kecs_status kecs__log_of_task(kecs__plan *plan, const void *user) {
  kecs__log_text(plan, KECS_TASK_LOG_TASK_ARN, KECS_EQ, user);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_task_log_delete_task(kecs_store *store, const char *task_arn, int64_t *out_count) {
  if (out_count) {
    *out_count = 0;
  }
  /* Without a task every line would be selected. */
  kecs_status status = kecs__check_pointer(task_arn, "task_arn");
  if (!status && !task_arn[0]) {
    status = kecs__fail(KECS_E_INVALID, "task_arn is empty; name the task whose log lines are to go");
  }
  return status ? status : kecs__prune(store, KECS_KIND_TASK_LOG, kecs__log_of_task, task_arn, out_count);
}

/* ---- store/event.c ----------------------------------------------------------------------------------------------- */
/* store/event.c -- audit events: retention. */

static kecs_status kecs__event_old(kecs__plan *plan, const void *user) {
  kecs_value before = kecs__value_int(*(const int64_t *)user);
  kecs__plan_where(plan, "timestamp<?", &before, 1);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_event_prune(kecs_store *store, int64_t before, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_EVENT, kecs__event_old, &before, out_count);
}

/* ---- store/tag_document.c ---------------------------------------------------------------------------------------- */
/* store/tag_document.c -- a walk over tags that does not care which of the three shapes they have. */

/* ---- store/tag_document.h ---------------------------------------------------------------------------------------- */
/* store/tag_document.h -- the document in a column `tags`, as text: reading it, and changing one tag of it.
 *
 * It is an array of {"key","value"} objects, as ECS has it, or of {"Key","Value"} objects, as ELBv2 has it, or a map
 * {"key":"value"}. NULL, "" and null are a document without tags. Where a key comes twice, the last one counts.
 * Anything else that the column holds has no tags and can't be given any. */
#ifndef KECS_STORE_TAG_DOCUMENT_H
#define KECS_STORE_TAG_DOCUMENT_H

typedef struct kecs__tag_item {
  const char *key;
  const char *value; /* NULL: the tag has none */
  size_t at;         /* its place in the document */
} kecs__tag_item;

typedef struct kecs__tag_list {
  kecs__tag_item *items;
  size_t count;
} kecs__tag_list;

/* The tags in the byte order of their keys, each key once; texts are in the arena. Keys and values that no column can
 * hold (\u0000, halves of surrogate pairs) are left out; a value that is no string is told as its JSON text. */
KECS__FN kecs_status kecs__tag_document_read(const char *document, kecs__arena *arena, kecs__tag_list *out);

/* The document with a tag added or its value overwritten, in `out`. An array keeps the case of its member names, a map
 * stays a map; `upper` is the case of an array that has no tag yet. A NULL value leaves the value out. INVALID when the
 * column holds something else. */
KECS__FN kecs_status kecs__tag_document_set(const char *document, const char *key, const char *value, bool upper,
                                            kecs__text *out);

/* The document without the tags of these keys. What is no document of tags stays as it is. */
KECS__FN kecs_status kecs__tag_document_remove(const char *document, const char *const *keys, size_t count,
                                               kecs__text *out);

#endif

/* ---- store/tag_document.c, continued ----------------------------------------------------------------------------- */
#include <stdlib.h>
#include <string.h>

/* A tag where it stands. Its name is of type NONE where an element of an array is no tag. */
typedef struct kecs__tag_place {
  kecs__json whole; /* the object; in a map the value */
  kecs__json name;
  kecs__json value; /* NONE when there is none */
  bool upper;       /* "Key" and "Value" */
} kecs__tag_place;

static kecs__json kecs__tag_root(const char *document) {
  kecs__json none = {KECS__JSON_NONE, NULL, 0};
  return document && document[0] ? kecs__json_check(document, strlen(document), NULL) : none;
}

static bool kecs__tag_next(kecs__json root, kecs__json_walk *walk, kecs__tag_place *place) {
  if (root.type == KECS__JSON_OBJECT) {
    bool found = kecs__json_next_member(root, walk, &place->name, &place->value);
    place->whole = place->value;
    place->upper = false;
    return found;
  }
  if (!kecs__json_next_element(root, walk, &place->whole)) {
    return false;
  }
  place->name = kecs__json_member(place->whole, "key");
  place->upper = place->name.type == KECS__JSON_NONE;
  if (place->upper) {
    place->name = kecs__json_member(place->whole, "Key");
  }
  place->value = kecs__json_member(place->whole, place->upper ? "Value" : "value");
  if (place->name.type != KECS__JSON_STRING) {
    place->name.type = KECS__JSON_NONE;
  }
  return true;
}

/* ---- reading ---- */

/* A string decoded, null as NULL, any other value as it is written. False when no text can hold it, and nothing is
 * recorded then; without memory *status says so. */
static bool kecs__tag_text(kecs__json json, kecs__arena *arena, const char **out, kecs_status *status) {
  *out = NULL;
  if (json.type == KECS__JSON_NONE || json.type == KECS__JSON_NULL) {
    return true;
  }
  char *text = kecs__arena_bytes(arena, json.len + 1);
  *out = text;
  if (!text) {
    *status = KECS_E_NOMEM;
    return false;
  }
  if (json.type == KECS__JSON_STRING) {
    return kecs__json_string_into(json, text, json.len + 1, NULL);
  }
  memcpy(text, json.text, json.len);
  text[json.len] = '\0';
  return true;
}

static int kecs__tag_compare(const void *a, const void *b) {
  const kecs__tag_item *left = a;
  const kecs__tag_item *right = b;
  int order = strcmp(left->key, right->key);
  return order ? order : (left->at > right->at) - (left->at < right->at);
}

/* Of items with one key the last one stays. */
static void kecs__tag_settle(kecs__tag_list *list) {
  size_t kept = 0;
  if (list->count > 1) {
    qsort(list->items, list->count, sizeof list->items[0], kecs__tag_compare);
  }
  for (size_t i = 0; i < list->count; i++) {
    if (i + 1 == list->count || strcmp(list->items[i].key, list->items[i + 1].key) != 0) {
      list->items[kept++] = list->items[i];
    }
  }
  list->count = kept;
}

KECS__FN kecs_status kecs__tag_document_read(const char *document, kecs__arena *arena, kecs__tag_list *out) {
  kecs__json root = kecs__tag_root(document);
  kecs__tag_place place;
  kecs_status status = KECS_OK;
  size_t count = 0;
  out->items = NULL;
  out->count = 0;
  for (kecs__json_walk walk = {NULL}; kecs__tag_next(root, &walk, &place);) {
    count++;
  }
  if (count == 0) {
    return KECS_OK;
  }
  out->items = kecs__arena_take(arena, count * sizeof out->items[0]);
  if (!out->items) {
    return KECS_E_NOMEM;
  }
  kecs__json_walk walk = {NULL};
  for (size_t at = 0; !status && kecs__tag_next(root, &walk, &place); at++) {
    kecs__tag_item item = {NULL, NULL, at};
    if (place.name.type != KECS__JSON_NONE && kecs__tag_text(place.name, arena, &item.key, &status) &&
        kecs__tag_text(place.value, arena, &item.value, &status)) {
      out->items[out->count++] = item;
    }
  }
  kecs__tag_settle(out);
  return status;
}

/* ---- changing ---- */

static void kecs__tag_add_value(kecs__text *out, const char *value) {
  if (value) {
    kecs__json_quote(out, value, strlen(value));
  } else {
    kecs__text_adds(out, "null");
  }
}

/* `"Value":"..."`, or in a map `"name":"..."`. */
static void kecs__tag_add_member(kecs__text *out, const char *name, const char *value) {
  kecs__json_quote(out, name, strlen(name));
  kecs__text_addc(out, ':');
  kecs__tag_add_value(out, value);
}

/* An object of its own: `{"Key":"...","Value":"..."}`. */
static void kecs__tag_add_object(kecs__text *out, bool upper, const char *key, const char *value) {
  kecs__text_addc(out, '{');
  kecs__tag_add_member(out, upper ? "Key" : "key", key);
  if (value) {
    kecs__text_addc(out, ',');
    kecs__tag_add_member(out, upper ? "Value" : "value", value);
  }
  kecs__text_addc(out, '}');
}

/* The tag that counts for a key; false when there is none. Tells the case of the array's last tag as well. */
static bool kecs__tag_find(kecs__json root, const char *key, kecs__tag_place *out, bool *upper) {
  kecs__json_walk walk = {NULL};
  kecs__tag_place place;
  bool found = false;
  while (kecs__tag_next(root, &walk, &place)) {
    if (place.name.type == KECS__JSON_NONE) {
      continue;
    }
    *upper = place.upper;
    if (kecs__json_equals(place.name, key)) {
      *out = place;
      found = true;
    }
  }
  return found;
}

static bool kecs__tag_has_value(const kecs__tag_place *place, const char *value) {
  if (!value) {
    return place->value.type == KECS__JSON_NONE || place->value.type == KECS__JSON_NULL;
  }
  return place->value.type == KECS__JSON_STRING && kecs__json_equals(place->value, value);
}

KECS__FN kecs_status kecs__tag_document_set(const char *document, const char *key, const char *value, bool upper,
                                            kecs__text *out) {
  kecs__json root = kecs__tag_root(document);
  bool fresh = !document || !document[0] || root.type == KECS__JSON_NULL;
  kecs__tag_place place;
  kecs__text piece; /* what is put in */
  if (!fresh && root.type != KECS__JSON_ARRAY && root.type != KECS__JSON_OBJECT) {
    return kecs__fail(KECS_E_INVALID, "the tags are neither an array nor an object in JSON; set the column tags first");
  }
  kecs__text_init(&piece, out->allocator, out->max);
  if (fresh) {
    kecs__text_addc(out, '[');
    kecs__tag_add_object(out, upper, key, value);
    kecs__text_addc(out, ']');
  } else if (!kecs__tag_find(root, key, &place, &upper)) {
    if (root.type == KECS__JSON_OBJECT) {
      kecs__tag_add_member(&piece, key, value);
    } else {
      kecs__tag_add_object(&piece, upper, key, value);
    }
    kecs__json_append(out, document, root, piece.data ? piece.data : "", piece.len);
  } else if (kecs__tag_has_value(&place, value)) {
    kecs__text_adds(out, document);
  } else if (place.value.type == KECS__JSON_NONE) {
    kecs__tag_add_member(&piece, place.upper ? "Value" : "value", value);
    kecs__json_append(out, document, place.whole, piece.data ? piece.data : "", piece.len);
  } else {
    kecs__tag_add_value(&piece, value);
    kecs__json_replace(out, document, place.value, piece.data ? piece.data : "", piece.len);
  }
  kecs_status status = piece.status ? piece.status : out->status;
  kecs__text_free(&piece);
  return status;
}

typedef struct kecs__tag_drop {
  const char *const *keys;
  size_t count;
} kecs__tag_drop;

static bool kecs__tag_is_dropped(kecs__json name, kecs__json value, const void *user) {
  const kecs__tag_drop *drop = user;
  if (name.type == KECS__JSON_NONE) { /* an element of an array: its key is its name */
    name = kecs__json_member(value, "key");
    name = name.type == KECS__JSON_NONE ? kecs__json_member(value, "Key") : name;
  }
  for (size_t i = 0; i < drop->count; i++) {
    if (name.type == KECS__JSON_STRING && kecs__json_equals(name, drop->keys[i])) {
      return true;
    }
  }
  return false;
}

KECS__FN kecs_status kecs__tag_document_remove(const char *document, const char *const *keys, size_t count,
                                               kecs__text *out) {
  kecs__json root = kecs__tag_root(document);
  kecs__tag_drop drop = {keys, count};
  if (root.type == KECS__JSON_ARRAY || root.type == KECS__JSON_OBJECT) {
    kecs__json_drop(out, document, root, kecs__tag_is_dropped, &drop);
  } else {
    kecs__text_adds(out, document ? document : "");
  }
  return out->status;
}

/* ---- store/tags.c ------------------------------------------------------------------------------------------------ */
/* store/tags.c -- tags: what resources carry in their documents, and the rows of the kind tag beside them.
 *
 * The two are kept in step from both ends. A resource's row changes: kecs__tags_follow makes the rows what its
 * document says. A row of the kind tag changes: kecs__tag_follow edits the document. While either is at work
 * write->quiet is set, so that what it does is not followed by the other. */

#include <string.h>

/* What AWS allows. */
enum { KECS__TAGS_MAX = 50, KECS__TAG_KEY_MAX = 128, KECS__TAG_VALUE_MAX = 256 };

/* ---- finding the resource ---- */

typedef struct kecs__tags_resource {
  const kecs__meta *meta; /* NULL: there is none */
  void *row;
  int64_t rid;
} kecs__tags_resource;

/* The kind that an ARN says, or 0 when it is of no shape that AWS has. */
static kecs_kind kecs__tags_kind(const char *arn) {
  static const struct {
    const char *service;
    const char *type;
    kecs_kind kind;
  } known[] = {
      {"ecs", "cluster/", KECS_KIND_CLUSTER},
      {"ecs", "task-definition/", KECS_KIND_TASK_DEFINITION},
      {"ecs", "service/", KECS_KIND_SERVICE},
      {"ecs", "task/", KECS_KIND_TASK},
      {"ecs", "task-set/", KECS_KIND_TASK_SET},
      {"ecs", "container-instance/", KECS_KIND_CONTAINER_INSTANCE},
      {"elasticloadbalancing", "loadbalancer/", KECS_KIND_LOAD_BALANCER},
      {"elasticloadbalancing", "targetgroup/", KECS_KIND_TARGET_GROUP},
      {"elasticloadbalancing", "listener/", KECS_KIND_LISTENER},
      {"elasticloadbalancing", "listener-rule/", KECS_KIND_RULE},
  };
  const char *resource = kecs__arn_resource(arn);
  const char *service = resource ? strchr(arn + strlen("arn:"), ':') + 1 : NULL; /* arn:PARTITION:SERVICE: */
  for (size_t i = 0; resource && i < sizeof known / sizeof known[0]; i++) {
    size_t len = strlen(known[i].service);
    if (strncmp(service, known[i].service, len) == 0 && service[len] == ':' &&
        strncmp(resource, known[i].type, strlen(known[i].type)) == 0) {
      return known[i].kind;
    }
  }
  return (kecs_kind)0;
}

/* The resource with this ARN, whole; texts are in the write's arena. */
static kecs_status kecs__tags_find(kecs__write *write, const char *arn, kecs__tags_resource *out) {
  kecs_kind only = kecs__tags_kind(arn);
  kecs__probe probe = {0};
  probe.count = 1;
  probe.values[0] = kecs__value_text(arn);
  memset(out, 0, sizeof *out);
  for (int kind = 1; kind < KECS_KIND_COUNT && !out->meta; kind++) {
    const kecs__meta *meta = kecs__meta_of(write->engine, (kecs_kind)kind);
    if (meta->tags < 0 || meta->arn < 0 || (only && kind != (int)only)) {
      continue;
    }
    kecs_status status = kecs__probe_rid(write->session, meta, &probe, &out->rid);
    if (status) {
      return status;
    }
    out->meta = out->rid ? meta : NULL;
  }
  if (!out->meta) {
    return KECS_OK;
  }
  bool found = false;
  out->row = kecs__arena_take(&write->arena, out->meta->info->row_size);
  if (!out->row) {
    return KECS_E_NOMEM;
  }
  return kecs__row_by_rid(write->session, out->meta, out->rid, &write->arena, out->row, &found);
}

static const char *kecs__tags_document(const kecs__tags_resource *resource) {
  return kecs__row_text(resource->meta->info, resource->row, resource->meta->tags);
}

/* The case of a new document's members is that of the column's own name: "Tags" of ELBv2, "tags" of ECS. */
static bool kecs__tags_upper(const kecs__tags_resource *resource) {
  return resource->meta->info->columns[resource->meta->tags].json[0] == 'T';
}

/* Writes the edited document; its rows follow unless the write is quiet. */
static kecs_status kecs__tags_store(kecs__write *write, kecs__tags_resource *resource, const char *document) {
  kecs__change change = {0};
  kecs__row_set_text(resource->meta->info, resource->row, resource->meta->tags, document);
  change.row = resource->row;
  change.mask = KECS_BIT(resource->meta->tags);
  change.rid = resource->rid;
  return kecs__row_change(write, resource->meta, &change);
}

/* ---- rows after the document ---- */

/* A row as it is stored. */
typedef struct kecs__tags_row {
  int64_t rid;
  const char *key;
  const char *value;
} kecs__tags_row;

typedef struct kecs__tags_rows {
  kecs__tags_row *rows;
  size_t count;
  size_t room;
} kecs__tags_rows;

static kecs_status kecs__tags_keep(kecs__tags_rows *rows, const kecs_value *values, kecs__arena *arena) {
  if (rows->count == rows->room) {
    size_t room = rows->room ? rows->room * 4 : 16;
    kecs__tags_row *grown = kecs__arena_take(arena, room * sizeof *grown);
    if (!grown) {
      return KECS_E_NOMEM;
    }
    if (rows->count > 0) {
      memcpy(grown, rows->rows, rows->count * sizeof *grown);
    }
    rows->rows = grown;
    rows->room = room;
  }
  kecs__tags_row *row = &rows->rows[rows->count++];
  row->rid = values[0].number;
  row->key = kecs__arena_text(arena, values[1].text, values[1].len);
  row->value = values[2].type == KECS_VALUE_TEXT ? kecs__arena_text(arena, values[2].text, values[2].len) : NULL;
  return row->key && (row->value || values[2].type != KECS_VALUE_TEXT) ? KECS_OK : KECS_E_NOMEM;
}

/* The rows of a resource in the byte order of their keys. They are read to the end before any of them is changed. */
static kecs_status kecs__tags_stored(kecs__write *write, const char *arn, kecs__arena *arena, kecs__tags_rows *out) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_value value = kecs__value_text(arn);
  memset(out, 0, sizeof *out);
  kecs__plan_init(&plan, write->session, kecs__meta_of(write->engine, KECS_KIND_TAG), arena);
  kecs__plan_where(&plan, "resource_arn=?", &value, 1);
  kecs__plan_query(&plan, NULL, false);
  kecs_status status = kecs__plan_start(&plan, "rid,key,value", true, 0, &cached, &more);
  while (!status && more) {
    kecs_value values[3];
    kecs__statement_columns(write->session, cached, values, 3);
    status = kecs__tags_keep(out, values, arena);
    if (!status) {
      status = kecs__statement_step(write->session, cached, &more);
    }
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

static kecs_status kecs__tags_drop_row(kecs__write *write, const kecs__tags_row *stored, kecs__arena *arena) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TAG);
  kecs_tag row = {0};
  bool found = false;
  kecs_status status = kecs__row_by_rid(write->session, meta, stored->rid, arena, &row, &found);
  return status || !found ? status : kecs__row_delete(write, meta, stored->rid, &row);
}

static kecs_status kecs__tags_change_row(kecs__write *write, const char *arn, const kecs__tags_row *stored,
                                         const kecs__tag_item *item) {
  kecs_tag row = {.resource_arn = arn, .key = item->key, .value = item->value};
  kecs__change change = {0};
  change.row = &row;
  change.mask = KECS_BIT(KECS_TAG_VALUE);
  change.rid = stored->rid;
  return kecs__row_change(write, kecs__meta_of(write->engine, KECS_KIND_TAG), &change);
}

/* Both lists are in the order of their keys: one walk tells what has gone, come or changed. */
static kecs_status kecs__tags_merge(kecs__write *write, const char *arn, const kecs__tags_rows *stored,
                                    const kecs__tag_list *wanted, kecs__arena *arena) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TAG);
  kecs_status status = KECS_OK;
  size_t at = 0;
  size_t next = 0;
  while (!status && (at < stored->count || next < wanted->count)) {
    int order = at == stored->count    ? 1
                : next == wanted->count ? -1
                                        : strcmp(stored->rows[at].key, wanted->items[next].key);
    if (order < 0) {
      status = kecs__tags_drop_row(write, &stored->rows[at++], arena);
    } else if (order > 0) {
      const kecs__tag_item *item = &wanted->items[next++];
      kecs_tag row = {.resource_arn = arn, .key = item->key, .value = item->value};
      status = kecs__row_insert(write, meta, &row, 0);
    } else {
      status = kecs__tags_change_row(write, arn, &stored->rows[at++], &wanted->items[next++]);
    }
  }
  return status;
}

static bool kecs__tags_none(const char *document) {
  return !document || !document[0] || strcmp(document, "[]") == 0;
}

KECS__FN kecs_status kecs__tags_follow(kecs__write *write, const kecs__meta *meta, const void *before,
                                       const void *after, uint64_t changed) {
  const char *had = before ? kecs__row_text(meta->info, before, meta->tags) : NULL;
  const char *has = after ? kecs__row_text(meta->info, after, meta->tags) : NULL;
  const char *arn = kecs__row_text(meta->info, after ? after : before, meta->arn);
  /* Most rows have no tags, and every insert comes through here. */
  if (write->quiet || !(changed & KECS_BIT(meta->tags)) || (kecs__tags_none(had) && kecs__tags_none(has))) {
    return KECS_OK;
  }
  kecs__arena arena; /* of this row alone: a deletion may take a million rows with it */
  kecs__tags_rows stored;
  kecs__tag_list wanted;
  kecs__arena_init(&arena, &write->engine->allocator);
  write->quiet++;
  kecs_status status = kecs__tag_document_read(has, &arena, &wanted);
  if (!status) {
    status = kecs__tags_stored(write, arn, &arena, &stored);
  }
  if (!status) {
    status = kecs__tags_merge(write, arn, &stored, &wanted, &arena);
  }
  write->quiet--;
  kecs__arena_free(&arena);
  return status;
}

/* ---- the document after a row ---- */

KECS__FN kecs_status kecs__tag_follow(kecs__write *write, const kecs__meta *meta, const void *before, const void *after,
                                      uint64_t changed) {
  const kecs_tag *tag = after ? after : before;
  kecs__tags_resource resource;
  (void)meta;
  (void)changed;
  if (write->quiet) {
    return KECS_OK;
  }
  kecs_status status = kecs__tags_find(write, tag->resource_arn, &resource);
  if (status || !resource.meta) {
    return status; /* a resource that is not in the store has no document to edit */
  }
  const char *document = kecs__tags_document(&resource);
  kecs__text edited;
  kecs__text_init(&edited, &write->engine->allocator, write->engine->document_bytes_max);
  if (after) {
    status = kecs__tag_document_set(document, tag->key, tag->value, kecs__tags_upper(&resource), &edited);
  } else {
    status = kecs__tag_document_remove(document, &tag->key, 1, &edited);
  }
  if (status) {
    (void)kecs__fail_context("%s \"%s\"", resource.meta->info->name, tag->resource_arn);
  }
  if (!status && edited.len > 0) {
    write->quiet++;
    status = kecs__tags_store(write, &resource, edited.data);
    write->quiet--;
  }
  kecs__text_free(&edited);
  return status;
}

/* ---- operations ---- */

typedef struct kecs__tags_request {
  const char *arn;
  const kecs_key_value *tags; /* to add, or NULL */
  const char *const *keys;    /* to remove */
  size_t count;
} kecs__tags_request;

/* In characters, not bytes: bytes that go on a character are not counted. */
static size_t kecs__tags_length(const char *text) {
  size_t length = 0;
  for (; *text; text++) {
    length += ((unsigned char)*text & 0xC0) != 0x80;
  }
  return length;
}

static kecs_status kecs__tags_check(const kecs_key_value *tag) {
  const char *value = tag->value ? tag->value : "";
  if (!tag->key || !tag->key[0]) {
    return kecs__fail(KECS_E_INVALID, "a tag has no key; give it 1 to %d characters", KECS__TAG_KEY_MAX);
  }
  if (!kecs__utf8_valid(tag->key, strlen(tag->key)) || !kecs__utf8_valid(value, strlen(value))) {
    return kecs__fail(KECS_E_INVALID, "the tag \"%.40s\" is not UTF-8", tag->key);
  }
  if (kecs__tags_length(tag->key) > KECS__TAG_KEY_MAX) {
    return kecs__fail(KECS_E_INVALID, "the tag key \"%.40s...\" has %zu characters; AWS allows %d", tag->key,
                      kecs__tags_length(tag->key), KECS__TAG_KEY_MAX);
  }
  if (kecs__tags_length(value) > KECS__TAG_VALUE_MAX) {
    return kecs__fail(KECS_E_INVALID, "the value of the tag \"%.40s\" has %zu characters; AWS allows %d", tag->key,
                      kecs__tags_length(value), KECS__TAG_VALUE_MAX);
  }
  return KECS_OK;
}

/* Tags that AWS itself has put on a resource begin with aws: and count for nothing. */
static kecs_status kecs__tags_check_count(const char *document, kecs__arena *arena) {
  kecs__tag_list list;
  kecs_status status = kecs__tag_document_read(document, arena, &list);
  size_t count = 0;
  for (size_t i = 0; !status && i < list.count; i++) {
    count += strncmp(list.items[i].key, "aws:", 4) != 0;
  }
  if (!status && count > KECS__TAGS_MAX) {
    status = kecs__fail(KECS_E_INVALID, "it would have %zu tags, AWS allows %d; remove some first", count,
                        KECS__TAGS_MAX);
  }
  return status;
}

/* One tag after the other; the text that was made is the document for the next. */
static kecs_status kecs__tags_add_all(kecs__write *write, kecs__tags_resource *resource,
                                      const kecs__tags_request *request, kecs__text *edited) {
  const char *document = kecs__tags_document(resource);
  kecs__text next;
  kecs_status status = KECS_OK;
  kecs__text_init(&next, edited->allocator, edited->max);
  for (size_t i = 0; !status && i < request->count; i++) {
    const char *value = request->tags[i].value ? request->tags[i].value : "";
    kecs__text_clear(&next);
    status = kecs__tag_document_set(document, request->tags[i].key, value, kecs__tags_upper(resource), &next);
    kecs__text made = next;
    next = *edited;
    *edited = made;
    document = edited->data;
  }
  kecs__text_free(&next);
  return status ? status : kecs__tags_check_count(document, &write->arena);
}

static kecs_status kecs__tags_work(kecs__write *write, void *user) {
  const kecs__tags_request *request = user;
  kecs__tags_resource resource;
  kecs_status status = kecs__tags_find(write, request->arn, &resource);
  if (status) {
    return status;
  }
  if (!resource.meta) {
    return kecs__fail(KECS_E_NOT_FOUND, "resource \"%s\" not found: nothing that carries tags has this ARN",
                      request->arn);
  }
  if (request->count == 0) {
    return KECS_OK;
  }
  kecs__text edited;
  kecs__text_init(&edited, &write->engine->allocator, write->engine->document_bytes_max);
  if (request->tags) {
    status = kecs__tags_add_all(write, &resource, request, &edited);
  } else {
    status = kecs__tag_document_remove(kecs__tags_document(&resource), request->keys, request->count, &edited);
  }
  if (status) {
    (void)kecs__fail_context("%s \"%s\"", resource.meta->info->name, request->arn);
  }
  if (!status && edited.len > 0) {
    status = kecs__tags_store(write, &resource, edited.data);
  }
  kecs__text_free(&edited);
  return status;
}

KECS_STORE_API kecs_status kecs_tags_add(kecs_store *store, const char *resource_arn, const kecs_key_value *tags,
                                         size_t count) {
  kecs__tags_request request = {resource_arn, tags, NULL, count};
  kecs_status status = kecs__check_pointer(resource_arn, "resource_arn");
  if (!status && count > 0) {
    status = kecs__check_pointer(tags, "tags");
  }
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__tags_check(&tags[i]);
  }
  return status ? status : kecs__with_write(store, kecs__tags_work, &request);
}

KECS_STORE_API kecs_status kecs_tags_remove(kecs_store *store, const char *resource_arn, const char *const *keys,
                                            size_t count) {
  kecs__tags_request request = {resource_arn, NULL, keys, count};
  kecs_status status = kecs__check_pointer(resource_arn, "resource_arn");
  if (!status && count > 0) {
    status = kecs__check_pointer(keys, "keys");
  }
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__check_pointer(keys[i], "keys[i]");
  }
  return status ? status : kecs__with_write(store, kecs__tags_work, &request);
}

/* The rows of one resource at the end of a result. */
static kecs_status kecs__tags_describe_one(kecs__session *session, const kecs__meta *meta, const char *arn,
                                           kecs_result *result) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_value value = kecs__value_text(arn);
  kecs__plan_init(&plan, session, meta, &result->arena);
  kecs__plan_where(&plan, "resource_arn=?", &value, 1);
  kecs__plan_query(&plan, NULL, false);
  kecs_status status = kecs__plan_start(&plan, meta->columns, true, 0, &cached, &more);
  while (!status && more) {
    kecs_value values[64];
    void *row = kecs__result_add(result);
    kecs__statement_columns(session, cached, values, meta->info->column_count);
    status = row ? kecs__row_read(meta, values, &result->arena, row) : KECS_E_NOMEM;
    if (!status) {
      status = kecs__statement_step(session, cached, &more);
    }
  }
  kecs__statement_done(session, cached);
  kecs__plan_free(&plan);
  return status;
}

KECS_STORE_API kecs_status kecs_tags_describe(kecs_store *store, const char *const *resource_arns, size_t count,
                                              kecs_result **out_result) {
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, KECS_KIND_TAG);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  status = count > 0 ? kecs__check_pointer(resource_arns, "resource_arns") : KECS_OK;
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__check_pointer(resource_arns[i], "resource_arns[i]");
    if (!status) {
      status = kecs__tags_describe_one(session, meta, resource_arns[i], result);
    }
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

/* ---- store/associations.c ---------------------------------------------------------------------------------------- */
/* store/associations.c -- the table elbv2_associations (see elb_internal.h). It is no kind: its statements are here. */

/* ---- store/elb_internal.h ---------------------------------------------------------------------------------------- */
/* store/elb_internal.h -- what the ELBv2 kinds share: ARNs made of one another, and the table elbv2_associations.
 *
 * A row of that table is (target group, load balancer, listener): the two belong together. Each row mirrors one
 * document. Without a listener ('') it is the target group's load_balancer_arns that names the load balancer; otherwise
 * the default actions of that listener, which belongs to the load balancer, forward to the group. Whoever owns the
 * document writes its rows, so neither of the two needs to be in the store. */
#ifndef KECS_STORE_ELB_INTERNAL_H
#define KECS_STORE_ELB_INTERNAL_H

#define KECS__ELB_SERVICE "elasticloadbalancing"

/* ---- ARNs (load_balancer.c) ---- */

/* 16 hexadecimal digits, as AWS ends its ARNs with. */
KECS__FN kecs_status kecs__elb_id(kecs__write *write, char out[17]);

/* The ARN of a child, a row on its way in: that of its parent with another resource type and a random id at the end.
 * Types end with a slash: "loadbalancer/", "listener/". Where the parent's ARN is of another type, region and account
 * are the row's. */
KECS__FN kecs_status kecs__elb_child_arn(kecs__write *write, const kecs__meta *meta, const void *row,
                                         const char *parent_arn, const char *parent_type, const char *type,
                                         const char **out_arn);

/* The ARN of the parent, from its child's; INVALID, naming `column`, when the child's does not say it. */
KECS__FN kecs_status kecs__elb_parent_arn(kecs__write *write, const kecs__meta *meta, const char *arn, const char *type,
                                          const char *parent_type, int column, const char **out_parent_arn);

/* The part of "TYPE/a/b/c" with this number, from 0, in the arena; *out_part is NULL when there is none. */
KECS__FN kecs_status kecs__elb_arn_part(const char *arn, int number, kecs__arena *arena, const char **out_part);

/* ---- elbv2_associations (associations.c) ---- */

typedef enum kecs__association_owner {
  KECS__ASSOCIATION_GROUP,    /* the rows of a target group's load_balancer_arns */
  KECS__ASSOCIATION_LISTENER, /* the rows of a listener's default actions */
  KECS__ASSOCIATION_BALANCER  /* every row of a load balancer */
} kecs__association_owner;

/* Adds a row; one that is there already is no error. `listener_arn` is "" for a target group's own. */
KECS__FN kecs_status kecs__association_add(kecs__write *write, const char *target_group_arn,
                                           const char *load_balancer_arn, const char *listener_arn);
KECS__FN kecs_status kecs__association_remove(kecs__write *write, kecs__association_owner owner, const char *arn);

/* Target groups (or load balancers) that are associated with this ARN, as a result ordered by ARN. */
KECS__FN kecs_status kecs__association_list(kecs_store *store, kecs_kind kind, const char *arn,
                                            kecs_result **out_result);

/* Calls `visit` with each target group whose own array names the load balancer. It may change rows. */
KECS__FN kecs_status kecs__association_each_group(kecs__write *write, const char *load_balancer_arn,
                                                  kecs_status (*visit)(kecs__write *write, const char *target_group_arn,
                                                                       const char *load_balancer_arn));

/* Takes a load balancer out of a target group's load_balancer_arns (target_group.c). */
KECS__FN kecs_status kecs__target_group_unlink(kecs__write *write, const char *target_group_arn,
                                               const char *load_balancer_arn);

#endif

/* ---- store/associations.c, continued ----------------------------------------------------------------------------- */
#include <string.h>

/* Runs a fixed text; "?1" becomes "$1" where the database wants it so. */
static kecs_status kecs__association_run(kecs__write *write, const char *sql, const kecs_value *values, int count) {
  char text[256];
  size_t len = strlen(sql);
  if (len >= sizeof text) {
    return kecs__fail(KECS_E_MISUSE, "a statement on elbv2_associations is longer than %zu bytes", sizeof text - 1);
  }
  for (size_t i = 0; i <= len; i++) {
    text[i] = sql[i] == '?' ? write->engine->backend->dialect->placeholder : sql[i];
  }
  return kecs__run(write->session, text, values, count, NULL);
}

KECS__FN kecs_status kecs__association_add(kecs__write *write, const char *target_group_arn,
                                           const char *load_balancer_arn, const char *listener_arn) {
  kecs_value values[] = {kecs__value_text(target_group_arn), kecs__value_text(load_balancer_arn),
                         kecs__value_text(listener_arn)};
  return kecs__association_run(write,
                               "INSERT INTO elbv2_associations(target_group_arn,load_balancer_arn,listener_arn) "
                               "VALUES(?1,?2,?3) ON CONFLICT DO NOTHING",
                               values, 3);
}

KECS__FN kecs_status kecs__association_remove(kecs__write *write, kecs__association_owner owner, const char *arn) {
  /* The listeners' index holds only rows with a listener: the condition must say so for the index to be used. */
  static const char *const texts[] = {
      "DELETE FROM elbv2_associations WHERE target_group_arn=?1 AND listener_arn=''",
      "DELETE FROM elbv2_associations WHERE listener_arn=?1 AND listener_arn<>''",
      "DELETE FROM elbv2_associations WHERE load_balancer_arn=?1",
  };
  kecs_value value = kecs__value_text(arn);
  return kecs__association_run(write, texts[owner], &value, 1);
}

/* ---- lists ---- */

static kecs_status kecs__association_read(kecs__plan *plan, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs_value values[64];
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, 0, &cached, &more);
  while (!status && more) {
    void *row = kecs__result_add(result);
    kecs__statement_columns(plan->session, cached, values, meta->info->column_count);
    status = row ? kecs__row_read(meta, values, &result->arena, row) : KECS_E_NOMEM;
    if (!status) {
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return status;
}

KECS__FN kecs_status kecs__association_list(kecs_store *store, kecs_kind kind, const char *arn,
                                            kecs_result **out_result) {
  const char *condition = kind == KECS_KIND_TARGET_GROUP
                              ? "arn IN(SELECT target_group_arn FROM elbv2_associations WHERE load_balancer_arn=?)"
                              : "arn IN(SELECT load_balancer_arn FROM elbv2_associations WHERE target_group_arn=?)";
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  status = kecs__check_pointer(arn, "arn");
  if (!status) {
    status = kecs__read_open(store, &session);
  }
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    kecs_value value = kecs__value_text(arn);
    kecs_query by_arn = {NULL, 0, KECS_ORDER_ASCENDING, meta->arn, 0, NULL};
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &result->arena);
    kecs__plan_where(&plan, condition, &value, 1);
    kecs__plan_query(&plan, &by_arn, false);
    status = kecs__association_read(&plan, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

/* ---- what a load balancer leaves behind ---- */

typedef struct kecs__association_group {
  struct kecs__association_group *next;
  char *arn;
} kecs__association_group;

static kecs_status kecs__association_keep(kecs__association_group **groups, const kecs_value *value,
                                          kecs__arena *arena) {
  kecs__association_group *group = kecs__arena_take(arena, sizeof *group);
  if (!group) {
    return KECS_E_NOMEM;
  }
  group->next = *groups;
  group->arn = kecs__arena_text(arena, value->text, value->len);
  *groups = group;
  return group->arn ? KECS_OK : KECS_E_NOMEM;
}

/* The groups are read to the end before the first is changed. */
static kecs_status kecs__association_groups(kecs__write *write, const char *load_balancer_arn, kecs__arena *arena,
                                            kecs__association_group **out_groups) {
  kecs__text sql;
  kecs__cached *cached = NULL;
  kecs_value value = kecs__value_text(load_balancer_arn);
  bool more = false;
  *out_groups = NULL;
  kecs__text_init(&sql, arena->allocator, 256);
  kecs__text_adds(&sql, "SELECT target_group_arn FROM elbv2_associations WHERE listener_arn='' AND load_balancer_arn=");
  kecs__sql_placeholder(&sql, write->engine->backend->dialect, 1);
  kecs_status status = sql.status;
  if (!status) {
    status = kecs__statement_text(write->session, sql.data, sql.len, &cached);
  }
  if (!status) {
    status = kecs__statement_start(write->session, cached, &value, 1, &more);
  }
  while (!status && more) {
    kecs_value group;
    kecs__statement_columns(write->session, cached, &group, 1);
    status = kecs__association_keep(out_groups, &group, arena);
    if (!status) {
      status = kecs__statement_step(write->session, cached, &more);
    }
  }
  kecs__statement_done(write->session, cached);
  kecs__text_free(&sql);
  return status;
}

KECS__FN kecs_status kecs__association_each_group(kecs__write *write, const char *load_balancer_arn,
                                                  kecs_status (*visit)(kecs__write *write, const char *target_group_arn,
                                                                       const char *load_balancer_arn)) {
  kecs__association_group *group = NULL;
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  kecs_status status = kecs__association_groups(write, load_balancer_arn, &arena, &group);
  for (; !status && group; group = group->next) {
    status = visit(write, group->arn, load_balancer_arn);
  }
  kecs__arena_free(&arena);
  return status;
}

/* ---- store/load_balancer.c --------------------------------------------------------------------------------------- */
/* store/load_balancer.c -- load balancers, and the ARNs that the ELBv2 kinds make of one another. */

#include <string.h>

/* ---- ARNs ---- */

KECS__FN kecs_status kecs__elb_id(kecs__write *write, char out[17]) {
  return kecs__random_hex(&write->engine->random, out, 16);
}

/* What follows the type in an ARN's resource, or NULL when it is of another type. */
static const char *kecs__elb_arn_rest(const char *arn, const char *type) {
  const char *resource = kecs__arn_resource(arn);
  return resource && strncmp(resource, type, strlen(type)) == 0 ? resource + strlen(type) : NULL;
}

KECS__FN kecs_status kecs__elb_child_arn(kecs__write *write, const kecs__meta *meta, const void *row,
                                         const char *parent_arn, const char *parent_type, const char *type,
                                         const char **out_arn) {
  const char *rest = kecs__elb_arn_rest(parent_arn, parent_type);
  char id[17];
  kecs_status status = kecs__elb_id(write, id);
  *out_arn = NULL;
  if (status) {
    return status;
  }
  if (rest) {
    *out_arn = kecs__arn_beside(&write->arena, parent_arn, "%s%s/%s", type, rest, id);
  } else {
    const char *region = kecs__row_text(meta->info, row, meta->region);
    const char *account = kecs__row_text(meta->info, row, meta->account_id);
    *out_arn = kecs__arn_format(write, KECS__ELB_SERVICE, region, account, "%sapp/%s/%s", type,
                                kecs__arn_tail(parent_arn), id);
  }
  return *out_arn ? KECS_OK : kecs_last_error()->status;
}

KECS__FN kecs_status kecs__elb_parent_arn(kecs__write *write, const kecs__meta *meta, const char *arn, const char *type,
                                          const char *parent_type, int column, const char **out_parent_arn) {
  const char *rest = kecs__elb_arn_rest(arn, type);
  const char *last = rest ? strrchr(rest, '/') : NULL; /* the child's own id follows it */
  *out_parent_arn = NULL;
  if (!last) {
    return kecs__fail(KECS_E_INVALID, "%s \"%s\": %s is empty, and the ARN does not say it; set it", meta->info->name,
                      arn, meta->info->columns[column].name);
  }
  *out_parent_arn = kecs__arn_beside(&write->arena, arn, "%s%.*s", parent_type, (int)(last - rest), rest);
  return *out_parent_arn ? KECS_OK : KECS_E_NOMEM;
}

KECS__FN kecs_status kecs__elb_arn_part(const char *arn, int number, kecs__arena *arena, const char **out_part) {
  const char *part = kecs__arn_resource(arn);
  for (int i = 0; part && i < number; i++) {
    part = strchr(part, '/');
    part = part ? part + 1 : NULL;
  }
  *out_part = part ? kecs__arena_text(arena, part, strcspn(part, "/")) : NULL;
  return part && !*out_part ? KECS_E_NOMEM : KECS_OK;
}

/* ---- load balancers ---- */

/* The type, and the word that stands for it in ARNs. */
static const struct {
  const char *type;
  const char *word;
} kecs__load_balancer_types[] = {{"application", "app"}, {"network", "net"}, {"gateway", "gwy"}};

enum { KECS__LOAD_BALANCER_TYPES = sizeof kecs__load_balancer_types / sizeof kecs__load_balancer_types[0] };

/* loadbalancer/app/NAME/ID says type and name; any other ARN at least ends with something to call it. */
static kecs_status kecs__load_balancer_from_arn(kecs__write *write, kecs_load_balancer *balancer) {
  const char *type = NULL;
  const char *name = NULL;
  kecs_status status = kecs__elb_arn_part(balancer->arn, 1, &write->arena, &type);
  if (!status) {
    status = kecs__elb_arn_part(balancer->arn, 2, &write->arena, &name);
  }
  if (!balancer->name || !balancer->name[0]) {
    balancer->name = name ? name : kecs__arn_tail(balancer->arn);
  }
  for (int i = 0; type && !balancer->type && i < KECS__LOAD_BALANCER_TYPES; i++) {
    if (strcmp(type, kecs__load_balancer_types[i].word) == 0) {
      balancer->type = kecs__load_balancer_types[i].type;
    }
  }
  return status;
}

KECS__FN kecs_status kecs__load_balancer_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_load_balancer *balancer = row;
  (void)meta;
  if (balancer->arn && balancer->arn[0]) {
    return kecs__load_balancer_from_arn(write, balancer);
  }
  if (!fresh) {
    return KECS_OK;
  }
  if (!balancer->name || !balancer->name[0]) {
    return kecs__fail(KECS_E_INVALID, "a load_balancer has neither arn nor name; set its name");
  }
  const char *word = kecs__load_balancer_types[0].word;
  for (int i = 0; balancer->type && i < KECS__LOAD_BALANCER_TYPES; i++) {
    if (strcmp(balancer->type, kecs__load_balancer_types[i].type) == 0) {
      word = kecs__load_balancer_types[i].word;
    }
  }
  char id[17];
  kecs_status status = kecs__elb_id(write, id);
  if (!status) {
    balancer->arn = kecs__arn_format(write, KECS__ELB_SERVICE, balancer->region, balancer->account_id,
                                     "loadbalancer/%s/%s/%s", word, balancer->name, id);
    status = balancer->arn ? KECS_OK : kecs_last_error()->status;
  }
  return status;
}

KECS__FN kecs_status kecs__load_balancer_follow(kecs__write *write, const kecs__meta *meta, const void *before,
                                                const void *after, uint64_t changed) {
  const kecs_load_balancer *gone = after ? NULL : before;
  kecs_status status = kecs__tags_follow(write, meta, before, after, changed);
  if (!status && gone) {
    status = kecs__association_each_group(write, gone->arn, kecs__target_group_unlink);
  }
  if (!status && gone) {
    status = kecs__association_remove(write, KECS__ASSOCIATION_BALANCER, gone->arn);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_load_balancer_target_groups(kecs_store *store, const char *load_balancer_arn,
                                                            kecs_result **out_result) {
  return kecs__association_list(store, KECS_KIND_TARGET_GROUP, load_balancer_arn, out_result);
}

/* ---- store/target_group.c ---------------------------------------------------------------------------------------- */
/* store/target_group.c -- target groups, and the load balancers that they are linked to. */

#include <string.h>

KECS__FN kecs_status kecs__target_group_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_target_group *group = row;
  (void)meta;
  bool named = group->name && group->name[0];
  if (group->arn && group->arn[0]) {
    const char *name = group->name;
    kecs_status status = named ? KECS_OK : kecs__elb_arn_part(group->arn, 1, &write->arena, &name); /* TYPE/NAME/ID */
    group->name = name ? name : kecs__arn_tail(group->arn);
    return status;
  }
  if (!fresh) {
    return KECS_OK;
  }
  if (!named) {
    return kecs__fail(KECS_E_INVALID, "a target_group has neither arn nor name; set its name");
  }
  char id[17];
  kecs_status status = kecs__elb_id(write, id);
  if (!status) {
    group->arn = kecs__arn_format(write, KECS__ELB_SERVICE, group->region, group->account_id, "targetgroup/%s/%s",
                                  group->name, id);
    status = group->arn ? KECS_OK : kecs_last_error()->status;
  }
  return status;
}

/* ---- links ---- */

static kecs__json kecs__target_group_links(const char *document) {
  kecs__json none = {KECS__JSON_NONE, NULL, 0};
  return document && document[0] ? kecs__json_check(document, strlen(document), NULL) : none;
}

/* A row for each load balancer that the array names. */
static kecs_status kecs__target_group_link_rows(kecs__write *write, const kecs_target_group *group) {
  kecs__json links = kecs__target_group_links(group->load_balancer_arns);
  kecs__json_walk walk = {NULL};
  kecs__json element;
  kecs__arena arena;
  kecs_status status = KECS_OK;
  kecs__arena_init(&arena, &write->engine->allocator);
  while (!status && kecs__json_next_element(links, &walk, &element)) {
    char *arn = kecs__arena_bytes(&arena, element.len + 1);
    if (!arn) {
      status = KECS_E_NOMEM;
    } else if (kecs__json_string_into(element, arn, element.len + 1, NULL)) { /* what is no string names nothing */
      status = kecs__association_add(write, group->arn, arn, "");
    }
  }
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__target_group_follow(kecs__write *write, const kecs__meta *meta, const void *before,
                                               const void *after, uint64_t changed) {
  const kecs_target_group *old = before;
  const kecs_target_group *group = after;
  kecs_status status = kecs__tags_follow(write, meta, before, after, changed);
  if (status || !(changed & KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS))) {
    return status;
  }
  if (old && old->load_balancer_arns) {
    status = kecs__association_remove(write, KECS__ASSOCIATION_GROUP, old->arn);
  }
  if (!status && group && group->load_balancer_arns) {
    status = kecs__target_group_link_rows(write, group);
  }
  return status;
}

static bool kecs__target_group_is(kecs__json name, kecs__json value, const void *user) {
  (void)name;
  return value.type == KECS__JSON_STRING && kecs__json_equals(value, user);
}

static bool kecs__target_group_has(kecs__json links, const char *load_balancer_arn) {
  kecs__json_walk walk = {NULL};
  kecs__json element;
  while (kecs__json_next_element(links, &walk, &element)) {
    if (kecs__target_group_is(element, element, load_balancer_arn)) {
      return true;
    }
  }
  return false;
}

/* The array with the load balancer in it, or without it, becomes the row's. *out_mask is 0 when it is so already. */
static kecs_status kecs__target_group_edit(kecs__write *write, kecs_target_group *group, const char *load_balancer_arn,
                                           bool linked, uint64_t *out_mask) {
  const char *document = group->load_balancer_arns;
  kecs__json links = kecs__target_group_links(document);
  bool fresh = !document || !document[0] || links.type == KECS__JSON_NULL;
  *out_mask = 0;
  if (!fresh && links.type != KECS__JSON_ARRAY) {
    return kecs__fail(KECS_E_INVALID, "target_group \"%s\": load_balancer_arns is no JSON array; set it to one first",
                      group->arn);
  }
  if (kecs__target_group_has(links, load_balancer_arn) == linked) {
    return KECS_OK;
  }
  kecs__text edited;
  kecs__text item;
  kecs__text_init(&edited, &write->engine->allocator, write->engine->document_bytes_max);
  kecs__text_init(&item, &write->engine->allocator, write->engine->document_bytes_max);
  kecs__json_quote(&item, load_balancer_arn, strlen(load_balancer_arn));
  if (!linked) {
    kecs__json_drop(&edited, document, links, kecs__target_group_is, load_balancer_arn);
  } else if (fresh) {
    kecs__text_addf(&edited, "[%s]", item.data ? item.data : "");
  } else {
    kecs__json_append(&edited, document, links, item.data ? item.data : "", item.len);
  }
  kecs_status status = item.status ? item.status : edited.status;
  if (!status) {
    group->load_balancer_arns = kecs__arena_text(&write->arena, edited.data, edited.len);
    status = group->load_balancer_arns ? KECS_OK : KECS_E_NOMEM;
    *out_mask = KECS_BIT(KECS_TARGET_GROUP_LOAD_BALANCER_ARNS);
  }
  kecs__text_free(&item);
  kecs__text_free(&edited);
  return status;
}

KECS__FN kecs_status kecs__target_group_unlink(kecs__write *write, const char *target_group_arn,
                                               const char *load_balancer_arn) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET_GROUP);
  kecs_target_group group;
  kecs__probe probe = {0};
  kecs__change change = {0};
  bool found = false;
  probe.count = 1;
  probe.values[0] = kecs__value_text(target_group_arn);
  kecs_status status = kecs__probe_rid(write->session, meta, &probe, &change.rid);
  if (!status && change.rid) {
    memset(&group, 0, sizeof group);
    status = kecs__row_by_rid(write->session, meta, change.rid, &write->arena, &group, &found);
  }
  if (status || !found) {
    return status;
  }
  status = kecs__target_group_edit(write, &group, load_balancer_arn, false, &change.mask);
  change.row = &group;
  return status ? status : kecs__row_change(write, meta, &change);
}

/* ---- operations ---- */

typedef struct kecs__target_group_link {
  const char *load_balancer_arn;
  bool linked;
} kecs__target_group_link;

static kecs_status kecs__target_group_link_edit(kecs__write *write, void *row, void *user, uint64_t *out_mask) {
  const kecs__target_group_link *link = user;
  return kecs__target_group_edit(write, row, link->load_balancer_arn, link->linked, out_mask);
}

static kecs_status kecs__target_group_set_link(kecs_store *store, const char *target_group_arn,
                                               const char *load_balancer_arn, bool linked) {
  kecs__target_group_link link = {load_balancer_arn, linked};
  kecs_value address = kecs__value_text(target_group_arn);
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status) {
    status = kecs__check_pointer(load_balancer_arn, "load_balancer_arn");
  }
  if (!status && (!load_balancer_arn[0] || !kecs__utf8_valid(load_balancer_arn, strlen(load_balancer_arn)))) {
    status = kecs__fail(KECS_E_INVALID, "target_group \"%s\": the load balancer's ARN is empty or not UTF-8",
                        target_group_arn);
  }
  return status ? status
                : kecs__edit_one(store, KECS_KIND_TARGET_GROUP, &address, 1, kecs__target_group_link_edit, &link, NULL);
}

KECS_STORE_API kecs_status kecs_target_group_associate(kecs_store *store, const char *target_group_arn,
                                                       const char *load_balancer_arn) {
  return kecs__target_group_set_link(store, target_group_arn, load_balancer_arn, true);
}

KECS_STORE_API kecs_status kecs_target_group_disassociate(kecs_store *store, const char *target_group_arn,
                                                          const char *load_balancer_arn) {
  return kecs__target_group_set_link(store, target_group_arn, load_balancer_arn, false);
}

KECS_STORE_API kecs_status kecs_target_group_load_balancers(kecs_store *store, const char *target_group_arn,
                                                            kecs_result **out_result) {
  return kecs__association_list(store, KECS_KIND_LOAD_BALANCER, target_group_arn, out_result);
}

/* ---- store/listener.c -------------------------------------------------------------------------------------------- */
/* store/listener.c -- listeners, and the target groups that their default actions forward to. */

#include <string.h>

KECS__FN kecs_status kecs__listener_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_listener *listener = row;
  bool balanced = listener->load_balancer_arn && listener->load_balancer_arn[0];
  if (listener->arn && listener->arn[0]) {
    return balanced ? KECS_OK
                    : kecs__elb_parent_arn(write, meta, listener->arn, "listener/", "loadbalancer/",
                                           KECS_LISTENER_LOAD_BALANCER_ARN, &listener->load_balancer_arn);
  }
  if (!fresh) {
    return KECS_OK;
  }
  if (!balanced) {
    return kecs__fail(KECS_E_INVALID, "a listener has neither arn nor load_balancer_arn; set load_balancer_arn");
  }
  return kecs__elb_child_arn(write, meta, row, listener->load_balancer_arn, "loadbalancer/", "listener/",
                             &listener->arn);
}

/* ---- links ---- */

/* The byte after a string's closing quote. The text is JSON, so there is one. */
static const char *kecs__listener_string_end(const char *at) {
  at++;
  while (*at != '"') {
    at += *at == '\\' ? 2 : 1;
  }
  return at + 1;
}

static const char *kecs__listener_space(const char *at) {
  return at + strspn(at, " \t\r\n");
}

/* The string that the next member "TargetGroupArn" has, at any depth: actions name groups by themselves, and in
 * ForwardConfig.TargetGroups. One pass over the bytes, however deep they nest. *at goes on; false at the end. */
static bool kecs__listener_next_group(const char **at, kecs__json *out) {
  while (**at) {
    if (**at != '"') {
      *at += strcspn(*at, "\"");
      continue;
    }
    kecs__json name = {KECS__JSON_STRING, *at, 0};
    *at = kecs__listener_string_end(*at);
    name.len = (size_t)(*at - name.text);
    const char *value = kecs__listener_space(*at);
    if (*value != ':' || !kecs__json_equals(name, "TargetGroupArn")) {
      continue;
    }
    value = kecs__listener_space(value + 1);
    if (*value == '"') {
      *at = kecs__listener_string_end(value);
      *out = (kecs__json){KECS__JSON_STRING, value, (size_t)(*at - value)};
      return true;
    }
  }
  return false;
}

static kecs_status kecs__listener_link_rows(kecs__write *write, const kecs_listener *listener) {
  const char *at = listener->default_actions;
  kecs__json found;
  kecs__arena arena;
  kecs_status status = KECS_OK;
  if (kecs__json_check(at, strlen(at), NULL).type == KECS__JSON_NONE) {
    return KECS_OK;
  }
  kecs__arena_init(&arena, &write->engine->allocator);
  while (!status && kecs__listener_next_group(&at, &found)) {
    char *arn = kecs__arena_bytes(&arena, found.len + 1);
    if (!arn) {
      status = KECS_E_NOMEM;
    } else if (kecs__json_string_into(found, arn, found.len + 1, NULL)) {
      status = kecs__association_add(write, arn, listener->load_balancer_arn, listener->arn);
    }
  }
  kecs__arena_free(&arena);
  return status;
}

KECS__FN kecs_status kecs__listener_follow(kecs__write *write, const kecs__meta *meta, const void *before,
                                           const void *after, uint64_t changed) {
  const kecs_listener *old = before;
  const kecs_listener *listener = after;
  kecs_status status = kecs__tags_follow(write, meta, before, after, changed);
  if (status || !(changed & KECS_BIT(KECS_LISTENER_DEFAULT_ACTIONS))) {
    return status;
  }
  if (old && old->default_actions) {
    status = kecs__association_remove(write, KECS__ASSOCIATION_LISTENER, old->arn);
  }
  if (!status && listener && listener->default_actions) {
    status = kecs__listener_link_rows(write, listener);
  }
  return status;
}

/* ---- store/rule.c ------------------------------------------------------------------------------------------------ */
/* store/rule.c -- rules, and the order in which a listener goes through them. */

#include <stdlib.h>
#include <string.h>

/* What AWS allows; the default rule is beyond it (KECS_RANK_DEFAULT). */
enum { KECS__PRIORITY_MIN = 1, KECS__PRIORITY_MAX = 49999 };

KECS__FN kecs_status kecs__rule_fill(kecs__write *write, const kecs__meta *meta, void *row, bool fresh) {
  kecs_rule *rule = row;
  kecs_status status = KECS_OK;
  bool named = rule->arn && rule->arn[0];
  bool owned = rule->listener_arn && rule->listener_arn[0];
  if (rule->is_default && rule->priority == 0) {
    rule->priority = KECS_RANK_DEFAULT;
  }
  if (named && !owned) {
    status = kecs__elb_parent_arn(write, meta, rule->arn, "listener-rule/", "listener/", KECS_RULE_LISTENER_ARN,
                                  &rule->listener_arn);
  } else if (!named && !owned && fresh) {
    status = kecs__fail(KECS_E_INVALID, "a rule has neither arn nor listener_arn; set listener_arn");
  } else if (!named && fresh) {
    status = kecs__elb_child_arn(write, meta, row, rule->listener_arn, "listener/", "listener-rule/", &rule->arn);
  }
  if (!status && fresh && rule->priority == 0) {
    status = kecs__fail(KECS_E_INVALID, "rule \"%s\" has no priority; give it one from %d to %d, such as "
                                        "kecs_rule_next_priority finds, or set is_default",
                        rule->arn, KECS__PRIORITY_MIN, KECS__PRIORITY_MAX);
  }
  return status;
}

/* ---- priorities ---- */

static kecs_status kecs__priority_check(int64_t priority) {
  if (priority < KECS__PRIORITY_MIN || priority > KECS__PRIORITY_MAX) {
    return kecs__fail(KECS_E_INVALID, "priority %lld is not allowed: it must be between %d and %d", (long long)priority,
                      KECS__PRIORITY_MIN, KECS__PRIORITY_MAX);
  }
  return KECS_OK;
}

/* EXISTS, naming it, when a rule of the listener other than `except` (may be NULL) has the priority. */
static kecs_status kecs__priority_free(kecs__session *session, const char *listener_arn, int64_t priority,
                                       const char *except, kecs__arena *arena) {
  const kecs__meta *meta = kecs__meta_of(session->engine, KECS_KIND_RULE);
  kecs__probe probe = {0};
  int64_t rid = 0;
  bool found = false;
  kecs_rule rule = {0};
  probe.key = 1; /* (listener_arn, priority), see kinds/rule.h */
  probe.count = 2;
  probe.values[0] = kecs__value_text(listener_arn);
  probe.values[1] = kecs__value_int(priority);
  kecs_status status = kecs__probe_rid(session, meta, &probe, &rid);
  if (!status && rid) {
    status = kecs__row_by_rid(session, meta, rid, arena, &rule, &found);
  }
  if (status || !found || (except && strcmp(except, rule.arn) == 0)) {
    return status;
  }
  return kecs__fail(KECS_E_EXISTS, "priority %lld is already in use by rule \"%s\"; choose another one",
                    (long long)priority, rule.arn);
}

KECS_STORE_API kecs_status kecs_rule_check_priority(kecs_store *store, const char *listener_arn, int64_t priority,
                                                    const char *rule_arn) {
  kecs__session *session = NULL;
  kecs__arena arena;
  kecs_status status = kecs__check_handle(store);
  if (!status) {
    status = kecs__check_pointer(listener_arn, "listener_arn");
  }
  if (!status) {
    status = kecs__priority_check(priority);
  }
  if (status) {
    return status;
  }
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__priority_free(session, listener_arn, priority, rule_arn, &arena);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  return status;
}

/* The first number of a band that the sorted priorities of the listener leave out. */
static kecs_status kecs__priority_gap(kecs__session *session, const char *listener_arn, int64_t low, int64_t high,
                                      kecs__arena *arena, int64_t *out_priority) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool more = false;
  int64_t next = low;
  kecs_value values[] = {kecs__value_text(listener_arn), kecs__value_int(low), kecs__value_int(high)};
  kecs__plan_init(&plan, session, kecs__meta_of(session->engine, KECS_KIND_RULE), arena);
  kecs__plan_where(&plan, "listener_arn=? AND priority>=? AND priority<=?", values, 3);
  plan.order.columns[0] = KECS_RULE_PRIORITY; /* unique within the listener, so that the index alone gives the order */
  plan.order.count = 1;
  kecs_status status = kecs__plan_start(&plan, "priority", true, 0, &cached, &more);
  while (!status && more) {
    kecs_value priority;
    kecs__statement_columns(session, cached, &priority, 1);
    if (priority.number != next) {
      break;
    }
    next++;
    status = kecs__statement_step(session, cached, &more);
  }
  kecs__statement_done(session, cached);
  kecs__plan_free(&plan);
  *out_priority = next;
  return status;
}

KECS_STORE_API kecs_status kecs_rule_next_priority(kecs_store *store, const char *listener_arn, kecs_rule_band band,
                                                   int64_t *out_priority) {
  static const int64_t bands[][2] = {{1, 99}, {100, 999}, {1000, 9999}, {10000, 49999}};
  kecs__session *session = NULL;
  kecs__arena arena;
  int64_t priority = 0;
  kecs_status status = kecs__check_pointer(out_priority, "out_priority");
  if (status) {
    return status;
  }
  *out_priority = 0;
  status = kecs__check_handle(store);
  if (!status) {
    status = kecs__check_pointer(listener_arn, "listener_arn");
  }
  if (!status && ((int)band < (int)KECS_RULE_BAND_CRITICAL || (int)band > (int)KECS_RULE_BAND_CATCH_ALL)) {
    status = kecs__fail(KECS_E_INVALID, "there is no band number %d; give a KECS_RULE_BAND_ constant", (int)band);
  }
  if (status) {
    return status;
  }
  kecs__arena_init(&arena, &store->engine->allocator);
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__priority_gap(session, listener_arn, bands[band][0], bands[band][1], &arena, &priority);
  }
  kecs__read_close(store, session);
  kecs__arena_free(&arena);
  if (!status && priority > bands[band][1]) {
    return kecs__fail(KECS_E_FULL, "listener \"%s\" has no free priority from %lld to %lld; use another band or remove "
                                   "rules",
                      listener_arn, (long long)bands[band][0], (long long)bands[band][1]);
  }
  *out_priority = priority;
  return status;
}

/* ---- several at once ---- */

typedef struct kecs__rule_move {
  kecs_rule row; /* as stored */
  int64_t rid;
  int64_t priority; /* as wanted */
} kecs__rule_move;

typedef struct kecs__rule_moves {
  const kecs_rule_priority *wanted;
  kecs__rule_move *moves;
  size_t count;
} kecs__rule_moves;

static int kecs__rule_by_rid(const void *a, const void *b) {
  const kecs__rule_move *left = a;
  const kecs__rule_move *right = b;
  return (left->rid > right->rid) - (left->rid < right->rid);
}

static int kecs__rule_by_priority(const void *a, const void *b) {
  const kecs__rule_move *left = a;
  const kecs__rule_move *right = b;
  int order = strcmp(left->row.listener_arn, right->row.listener_arn);
  return order ? order : (left->priority > right->priority) - (left->priority < right->priority);
}

static kecs_status kecs__rule_moves_read(kecs__write *write, kecs__rule_moves *moves) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_RULE);
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < moves->count; i++) {
    kecs__rule_move *move = &moves->moves[i];
    kecs_value arn = kecs__value_text(moves->wanted[i].rule_arn);
    kecs__probe probe;
    memset(move, 0, sizeof *move);
    move->priority = moves->wanted[i].priority;
    status = kecs__probe_address(write->session, meta, &arn, 1, &write->arena, &probe);
    if (!status) {
      status = kecs__probe_read(write->session, meta, &probe, &write->arena, &move->row, &move->rid);
    }
    if (!status && move->row.is_default) {
      status = kecs__fail(KECS_E_INVALID, "rule \"%s\" is its listener's default rule, which always comes last",
                          move->row.arn);
    }
  }
  return status;
}

/* No rule twice, no priority of a listener twice. */
static kecs_status kecs__rule_moves_check(kecs__rule_moves *moves) {
  kecs__rule_move *all = moves->moves;
  if (moves->count < 2) {
    return KECS_OK;
  }
  qsort(all, moves->count, sizeof *all, kecs__rule_by_rid);
  for (size_t i = 1; i < moves->count; i++) {
    if (all[i].rid == all[i - 1].rid) {
      return kecs__fail(KECS_E_INVALID, "rule \"%s\" is in the request twice", all[i].row.arn);
    }
  }
  qsort(all, moves->count, sizeof *all, kecs__rule_by_priority);
  for (size_t i = 1; i < moves->count; i++) {
    if (kecs__rule_by_priority(&all[i], &all[i - 1]) == 0) {
      return kecs__fail(KECS_E_INVALID, "priority %lld is in the request twice, for rules \"%s\" and \"%s\"",
                        (long long)all[i].priority, all[i - 1].row.arn, all[i].row.arn);
    }
  }
  return KECS_OK;
}

/* Out of everyone's way: the key (listener_arn, priority) is checked at every statement, so that swapping two needs a
 * place to swap by. Nobody sees these values, so they are no change of the row: version and updated_at stay. */
static kecs_status kecs__rule_move_aside(kecs__write *write, const kecs__rule_move *move) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_RULE);
  kecs_value values[] = {kecs__value_int(INT64_MIN + move->rid), kecs__value_int(move->rid)};
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement(write->session, meta, KECS__OP_UPDATE, KECS_BIT(KECS_RULE_PRIORITY), &cached);
  return status ? status : kecs__statement_run(write->session, cached, values, 2);
}

static kecs_status kecs__rule_move_to(kecs__write *write, kecs__rule_move *move) {
  kecs_status status =
      kecs__priority_free(write->session, move->row.listener_arn, move->priority, move->row.arn, &write->arena);
  kecs__change change = {0};
  move->row.priority = move->priority;
  change.row = &move->row;
  change.mask = KECS_BIT(KECS_RULE_PRIORITY);
  change.rid = move->rid;
  return status ? status : kecs__row_change(write, kecs__meta_of(write->engine, KECS_KIND_RULE), &change);
}

static kecs_status kecs__rule_moves_work(kecs__write *write, void *user) {
  kecs__rule_moves *moves = user;
  kecs_status status = kecs__write_guard(write);
  if (!status && moves->count > 0) {
    moves->moves = kecs__arena_take(&write->arena, moves->count * sizeof moves->moves[0]);
    status = moves->moves ? kecs__rule_moves_read(write, moves) : KECS_E_NOMEM;
  }
  if (!status) {
    status = kecs__rule_moves_check(moves);
  }
  /* Rules that are where they shall be stay untouched. */
  for (size_t i = 0; !status && i < moves->count; i++) {
    bool there = moves->moves[i].row.priority == moves->moves[i].priority;
    status = there ? KECS_OK : kecs__rule_move_aside(write, &moves->moves[i]);
  }
  for (size_t i = 0; !status && i < moves->count; i++) {
    bool there = moves->moves[i].row.priority == moves->moves[i].priority;
    status = there ? KECS_OK : kecs__rule_move_to(write, &moves->moves[i]);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_rule_set_priorities(kecs_store *store, const kecs_rule_priority *priorities,
                                                    size_t count) {
  kecs__rule_moves moves = {priorities, NULL, count};
  kecs_status status = count > 0 ? kecs__check_pointer(priorities, "priorities") : KECS_OK;
  for (size_t i = 0; !status && i < count; i++) {
    status = kecs__check_pointer(priorities[i].rule_arn, "priorities[i].rule_arn");
    if (!status) {
      status = kecs__priority_check(priorities[i].priority);
    }
  }
  return status ? status : kecs__with_write(store, kecs__rule_moves_work, &moves);
}

/* ---- store/target.c ---------------------------------------------------------------------------------------------- */
/* store/target.c -- targets: registering, deregistering, health. */

#include <stdio.h>
#include <string.h>

/* ---- register ---- */

typedef struct kecs__target_request {
  const char *target_group_arn;
  const kecs_target *targets;
  const char *const *ids;
  size_t count;
  int64_t deleted;
} kecs__target_request;

static kecs_status kecs__target_register_one(kecs__write *write, const char *target_group_arn,
                                             const kecs_target *target) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET);
  kecs_target row = *target;
  row.target_group_arn = target_group_arn;
  row.registered_at = write->now;
  row.version = 0; /* whoever registers takes the target over, whatever it was */
  row.health_state = row.health_state ? row.health_state : "registering";
  kecs_status status = kecs__check_pointer(row.id, "targets[i].id");
  if (!status && !row.id[0]) {
    status = kecs__fail(KECS_E_INVALID, "a target of \"%s\" has an empty id", target_group_arn);
  }
  if (!status && write->engine->strict) {
    status = kecs__validate_row(meta->info, &row);
  }
  return status ? status : kecs__row_upsert(write, meta, &row, 0, NULL);
}

static kecs_status kecs__target_register_all(kecs__write *write, void *user) {
  const kecs__target_request *request = user;
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < request->count; i++) {
    kecs__arena_reset(&write->arena);
    status = kecs__target_register_one(write, request->target_group_arn, &request->targets[i]);
    if (status && request->count > 1) {
      (void)kecs__fail_context("target %zu of %zu", i + 1, request->count);
    }
  }
  return status;
}

KECS_STORE_API kecs_status kecs_target_register(kecs_store *store, const char *target_group_arn,
                                                const kecs_target *targets, size_t count) {
  kecs__target_request request = {target_group_arn, targets, NULL, count, 0};
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status && count > 0) {
    status = kecs__check_pointer(targets, "targets");
  }
  return status ? status : kecs__with_write(store, kecs__target_register_all, &request);
}

/* ---- finding ---- */

typedef struct kecs__target_rids {
  int64_t *rids;
  size_t count;
  size_t room;
} kecs__target_rids;

/* An id on every port, or on the one port that is given. */
static kecs_status kecs__target_find(kecs__write *write, const char *target_group_arn, const char *id, int64_t port,
                                     kecs__arena *arena, kecs__target_rids *out) {
  kecs__plan plan;
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_value values[] = {kecs__value_text(target_group_arn), kecs__value_text(id), kecs__value_int(port)};
  memset(out, 0, sizeof *out);
  kecs__plan_init(&plan, write->session, kecs__meta_of(write->engine, KECS_KIND_TARGET), arena);
  kecs__plan_where(&plan, "target_group_arn=? AND id=?", values, 2);
  if (port != 0) {
    kecs__plan_where(&plan, "port=?", &values[2], 1);
  }
  kecs_status status = kecs__plan_start(&plan, "rid", false, 0, &cached, &more);
  while (!status && more) {
    kecs_value rid;
    if (out->count == out->room) {
      size_t room = out->room ? out->room * 4 : 16;
      int64_t *grown = kecs__arena_take(arena, room * sizeof *grown);
      if (!grown) {
        status = KECS_E_NOMEM;
        break;
      }
      if (out->count > 0) {
        memcpy(grown, out->rids, out->count * sizeof *grown);
      }
      out->rids = grown;
      out->room = room;
    }
    kecs__statement_columns(write->session, cached, &rid, 1);
    out->rids[out->count++] = rid.number;
    status = kecs__statement_step(write->session, cached, &more);
  }
  kecs__statement_done(write->session, cached);
  kecs__plan_free(&plan);
  return status;
}

/* ---- deregister ---- */

static kecs_status kecs__target_deregister_one(kecs__write *write, const char *target_group_arn, const char *id,
                                               kecs__arena *arena, int64_t *deleted) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET);
  kecs__target_rids found;
  kecs_status status = kecs__target_find(write, target_group_arn, id, 0, arena, &found);
  for (size_t i = 0; !status && i < found.count; i++) {
    kecs_target row = {0};
    bool there = false;
    status = kecs__row_by_rid(write->session, meta, found.rids[i], arena, &row, &there);
    if (!status && there) {
      status = kecs__row_delete(write, meta, found.rids[i], &row);
      (*deleted)++;
    }
  }
  return status;
}

static kecs_status kecs__target_deregister_all(kecs__write *write, void *user) {
  kecs__target_request *request = user;
  kecs__arena arena;
  kecs__arena_init(&arena, &write->engine->allocator);
  kecs_status status = kecs__write_guard(write);
  for (size_t i = 0; !status && i < request->count; i++) {
    kecs__arena_reset(&arena);
    status = kecs__check_pointer(request->ids[i], "ids[i]");
    if (!status) {
      status = kecs__target_deregister_one(write, request->target_group_arn, request->ids[i], &arena,
                                           &request->deleted);
    }
  }
  kecs__arena_free(&arena);
  return status;
}

KECS_STORE_API kecs_status kecs_target_deregister(kecs_store *store, const char *target_group_arn,
                                                  const char *const *ids, size_t count, int64_t *out_count) {
  kecs__target_request request = {target_group_arn, NULL, ids, count, 0};
  if (out_count) {
    *out_count = 0;
  }
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status && count > 0) {
    status = kecs__check_pointer(ids, "ids");
  }
  if (!status) {
    status = kecs__with_write(store, kecs__target_deregister_all, &request);
  }
  if (!status && out_count) {
    *out_count = request.deleted;
  }
  return status;
}

/* ---- health ---- */

typedef struct kecs__target_health {
  const char *target_group_arn;
  const char *id;
  int64_t port;
  kecs_target row; /* state, reason and description are read */
} kecs__target_health;

static kecs_status kecs__target_health_work(kecs__write *write, void *user) {
  const kecs__target_health *health = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TARGET);
  kecs__target_rids found;
  kecs_status status =
      kecs__target_find(write, health->target_group_arn, health->id, health->port, &write->arena, &found);
  if (!status && found.count == 0) {
    char shown[160];
    if (health->port != 0) {
      snprintf(shown, sizeof shown, "%s,%s,%lld", health->target_group_arn, health->id, (long long)health->port);
    } else {
      snprintf(shown, sizeof shown, "%s,%s", health->target_group_arn, health->id);
    }
    status = kecs__fail_not_found(meta, shown);
  }
  if (!status && found.count > 1) {
    status = kecs__write_guard(write);
  }
  for (size_t i = 0; !status && i < found.count; i++) {
    kecs__change change = {0};
    change.row = &health->row;
    change.mask = KECS_BIT(KECS_TARGET_HEALTH_STATE) | KECS_BIT(KECS_TARGET_HEALTH_REASON) |
                  KECS_BIT(KECS_TARGET_HEALTH_DESCRIPTION);
    change.rid = found.rids[i];
    status = kecs__row_change(write, meta, &change);
  }
  return status;
}

KECS_STORE_API kecs_status kecs_target_update_health(kecs_store *store, const char *target_group_arn, const char *id,
                                                     int64_t port, const char *state, const char *reason,
                                                     const char *description) {
  kecs__target_health health = {target_group_arn, id, port, {0}};
  health.row.target_group_arn = target_group_arn;
  health.row.id = id;
  health.row.port = port;
  health.row.health_state = state;
  health.row.health_reason = reason;
  health.row.health_description = description;
  kecs_status status = kecs__check_pointer(target_group_arn, "target_group_arn");
  if (!status) {
    status = kecs__check_pointer(id, "id");
  }
  if (!status) {
    status = kecs__check_pointer(state, "state");
  }
  return status ? status : kecs__with_write(store, kecs__target_health_work, &health);
}

/* ---- store/resources.c ------------------------------------------------------------------------------------------- */
/* store/resources.c -- amounts of CPU and memory: as text, and counted. Whole numbers throughout; what a text says
 * below one millicore or one byte is cut off. */

#include <stdio.h>
#include <string.h>

/* ---- text to number ---- */

/* sum = sum * by + more; false when that is more than an int64_t. All are 0 or more. */
static bool kecs__resources_extend(int64_t *sum, int64_t by, int64_t more) {
  if (*sum > (INT64_MAX - more) / by) {
    return false;
  }
  *sum = *sum * by + more;
  return true;
}

static size_t kecs__resources_digits(const char *text) {
  return strspn(text, "0123456789");
}

/* A decimal number times `unit`, rounded down: "1.5" of 1024 is 1536. `text` is digits with at most one point among
 * them; there is at least one digit. False when the product is too large.
 *
 * The fraction is taken from its last digit on: 0.d1d2.. * unit is (d1 * unit + 0.d2.. * unit) / 10, and rounding down
 * at each step gives what rounding down at the end does, since d1 * unit is whole. */
static bool kecs__resources_scale(const char *text, size_t len, int64_t unit, int64_t *out) {
  size_t whole = kecs__resources_digits(text);
  int64_t value = 0;
  for (size_t i = 0; i < whole; i++) {
    if (!kecs__resources_extend(&value, 10, text[i] - '0')) {
      return false;
    }
  }
  int64_t fraction = 0;
  for (size_t i = len; i > whole + 1; i--) {
    fraction = ((text[i - 1] - '0') * unit + fraction) / 10;
  }
  if (!kecs__resources_extend(&value, unit, fraction)) {
    return false;
  }
  *out = value;
  return true;
}

/* Length of the number that a text begins with, 0 when it does not begin with one. */
static size_t kecs__resources_number(const char *text) {
  size_t whole = kecs__resources_digits(text);
  size_t len = whole;
  if (text[len] == '.') {
    size_t fraction = kecs__resources_digits(text + len + 1);
    len = whole + fraction > 0 ? len + 1 + fraction : 0;
  }
  return len;
}

typedef struct kecs__resources_unit {
  const char *suffix;
  int64_t size;
} kecs__resources_unit;

static kecs_status kecs__resources_parse(const char *text, const kecs__resources_unit *units, size_t unit_count,
                                         const char *what, const char *example, int64_t *out) {
  if (!out) {
    return kecs__fail(KECS_E_MISUSE, "the pointer for the amount of %s must not be NULL", what);
  }
  *out = 0;
  if (!text || !text[0]) {
    return KECS_OK;
  }
  size_t len = kecs__resources_number(text);
  for (size_t i = 0; len > 0 && i < unit_count; i++) {
    if (strcmp(text + len, units[i].suffix) != 0) {
      continue;
    }
    if (!kecs__resources_scale(text, len, units[i].size, out)) {
      return kecs__fail(KECS_E_INVALID, "%s \"%.40s\" is too large for 64 bits", what, text);
    }
    return KECS_OK;
  }
  return kecs__fail(KECS_E_INVALID, "%s \"%.40s\" is no amount; write it as %s", what, text, example);
}

KECS_STORE_API kecs_status kecs_cpu_parse(const char *text, int64_t *out_millicores) {
  static const kecs__resources_unit units[] = {{"", 1000}, {"m", 1}};
  return kecs__resources_parse(text, units, sizeof units / sizeof units[0], "cpu", "\"500m\", \"2\" or \"0.5\"",
                               out_millicores);
}

static const kecs__resources_unit kecs__memory_units[] = {
    {"Ti", INT64_C(1) << 40}, {"Gi", INT64_C(1) << 30},       {"Mi", INT64_C(1) << 20},    {"Ki", INT64_C(1) << 10},
    {"", 1},                  {"T", INT64_C(1000000000000)}, {"G", INT64_C(1000000000)}, {"M", INT64_C(1000000)},
    {"K", INT64_C(1000)},
};

KECS_STORE_API kecs_status kecs_memory_parse(const char *text, int64_t *out_bytes) {
  return kecs__resources_parse(text, kecs__memory_units, sizeof kecs__memory_units / sizeof kecs__memory_units[0],
                               "memory", "\"256Mi\", \"1.5Gi\", \"500M\" or \"1024\"", out_bytes);
}

/* ---- number to text ---- */

KECS_STORE_API void kecs_cpu_format(int64_t millicores, char *out, size_t size) {
  bool whole = millicores % 1000 == 0;
  if (out && size > 0) {
    snprintf(out, size, "%lld%s", (long long)(whole ? millicores / 1000 : millicores), whole ? "" : "m");
  }
}

/* In the largest binary unit that leaves no rest. */
KECS_STORE_API void kecs_memory_format(int64_t bytes, char *out, size_t size) {
  const kecs__resources_unit *unit = kecs__memory_units;
  while (bytes == 0 ? unit->size != 1 : bytes % unit->size != 0) {
    unit++;
  }
  if (out && size > 0) {
    snprintf(out, size, "%lld%s", (long long)(bytes / unit->size), unit->suffix);
  }
}

/* ---- counting ---- */

static int64_t kecs__resources_add(int64_t a, int64_t b) {
  if (b > 0 && a > INT64_MAX - b) {
    return INT64_MAX;
  }
  return b < 0 && a < INT64_MIN - b ? INT64_MIN : a + b;
}

static int64_t kecs__resources_take(int64_t a, int64_t b) {
  if (b < 0 && a > INT64_MAX + b) {
    return INT64_MAX;
  }
  return b > 0 && a < INT64_MIN + b ? INT64_MIN : a - b;
}

KECS_STORE_API kecs_resources kecs_resources_available(kecs_resources allocatable, kecs_resources used) {
  kecs_resources left = {kecs__resources_take(allocatable.cpu, used.cpu),
                         kecs__resources_take(allocatable.memory, used.memory)};
  return left;
}

KECS_STORE_API bool kecs_resources_fit(kecs_resources available, kecs_resources request) {
  return request.cpu <= available.cpu && request.memory <= available.memory;
}

KECS_STORE_API kecs_resources kecs_resources_allocate(kecs_resources used, kecs_resources request) {
  kecs_resources sum = {kecs__resources_add(used.cpu, request.cpu), kecs__resources_add(used.memory, request.memory)};
  return sum;
}

KECS_STORE_API kecs_resources kecs_resources_release(kecs_resources used, kecs_resources request) {
  kecs_resources left = kecs_resources_available(used, request);
  left.cpu = left.cpu > 0 ? left.cpu : 0;
  left.memory = left.memory > 0 ? left.memory : 0;
  return left;
}

/* ---- store/node.c ------------------------------------------------------------------------------------------------ */
/* store/node.c -- worker nodes: heartbeats, who has room, cleaning up. */

#include <string.h>

#define KECS__NODE_ONLINE "online"
#define KECS__NODE_OFFLINE "offline"

/* ---- heartbeat ---- */

typedef struct kecs__node_beat {
  const char *id;
  int64_t running_tasks;
} kecs__node_beat;

/* Whether the stored row says as much already, but for a time that is not old enough to be worth a write. */
static kecs_status kecs__node_beat_early(kecs__write *write, const kecs__node_beat *beat, const kecs__probe *probe,
                                         bool *out_early) {
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_NODE);
  kecs_node stored;
  int64_t rid = 0;
  kecs_status status = kecs__probe_read(write->session, meta, probe, &write->arena, &stored, &rid);
  if (status) {
    return status;
  }
  int64_t age = write->now - stored.last_heartbeat;
  *out_early = age >= 0 && age < write->engine->heartbeat_us && stored.status &&
               strcmp(stored.status, KECS__NODE_ONLINE) == 0 &&
               (beat->running_tasks < 0 || beat->running_tasks == stored.running_tasks);
  return KECS_OK;
}

/* Reads the few columns that it writes, and writes those that differ: one row by its key, in place. */
static kecs_status kecs__node_beat_work(kecs__write *write, void *user) {
  const kecs__node_beat *beat = user;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_NODE);
  kecs_node row = {0};
  kecs__probe probe;
  kecs__change change = {0};
  row.id = beat->id;
  row.status = KECS__NODE_ONLINE;
  row.last_heartbeat = write->now;
  row.running_tasks = beat->running_tasks;
  change.row = &row;
  change.probe = &probe;
  change.mask = KECS_BIT(KECS_NODE_STATUS) | KECS_BIT(KECS_NODE_LAST_HEARTBEAT);
  change.mask |= beat->running_tasks >= 0 ? KECS_BIT(KECS_NODE_RUNNING_TASKS) : 0;
  bool early = false;
  kecs_status status = kecs__probe_row(write->session, meta, &row, &write->arena, &probe);
  if (!status && write->engine->heartbeat_us > 0) {
    status = kecs__node_beat_early(write, beat, &probe, &early);
  }
  return status || early ? status : kecs__row_change(write, meta, &change);
}

KECS_STORE_API kecs_status kecs_node_heartbeat(kecs_store *store, const char *id, int64_t running_tasks) {
  kecs__node_beat beat = {id, running_tasks};
  kecs_status status = kecs__check_pointer(id, "id");
  return status ? status : kecs__with_write(store, kecs__node_beat_work, &beat);
}

/* ---- stale and offline nodes ---- */

typedef struct kecs__node_age {
  const char *status;
  int64_t before;
} kecs__node_age;

static kecs_status kecs__node_older(kecs__plan *plan, const void *user) {
  const kecs__node_age *age = user;
  kecs_value values[] = {kecs__value_text(age->status), kecs__value_time(age->before)};
  kecs__plan_where(plan, "status=? AND last_heartbeat<?", values, 2);
  return plan->status;
}

static uint64_t kecs__node_set_offline(kecs__write *write, void *row, const void *user) {
  kecs_node *node = row;
  (void)write;
  (void)user;
  node->status = KECS__NODE_OFFLINE;
  return KECS_BIT(KECS_NODE_STATUS);
}

KECS_STORE_API kecs_status kecs_node_mark_stale(kecs_store *store, int64_t before, int64_t *out_count) {
  kecs__node_age age = {KECS__NODE_ONLINE, before};
  return kecs__edit_where(store, KECS_KIND_NODE, kecs__node_older, kecs__node_set_offline, &age, out_count);
}

KECS_STORE_API kecs_status kecs_node_prune(kecs_store *store, int64_t before, int64_t *out_count) {
  kecs__node_age age = {KECS__NODE_OFFLINE, before};
  return kecs__prune(store, KECS_KIND_NODE, kecs__node_older, &age, out_count);
}

static kecs_status kecs__node_task_older(kecs__plan *plan, const void *user) {
  const int64_t *before = user;
  kecs_value values[] = {kecs__value_text("completed"), kecs__value_text("failed"), kecs__value_time(*before)};
  kecs__plan_where(plan, "status IN(?,?) AND finished_at<?", values, 3);
  return plan->status;
}

KECS_STORE_API kecs_status kecs_node_task_prune(kecs_store *store, int64_t before, int64_t *out_count) {
  return kecs__prune(store, KECS_KIND_NODE_TASK, kecs__node_task_older, &before, out_count);
}

/* ---- room ---- */

enum {
  KECS__NODE_SLOTS = 10,             /* of a node that says nothing about itself */
  KECS__NODE_SLOT_CPU = 1000,        /* millicores */
  KECS__NODE_SLOT_MEMORY = 1 << 30,  /* bytes */
  KECS__NODES_MAX = 10000            /* nodes that kecs_node_available gives: nobody places tasks on more at a time */
};

/* How many slots one sort of resource is enough for; false when the document does not say. */
static bool kecs__node_slots_of(kecs__json capacity, const char *name, int64_t each, int64_t *out) {
  int64_t amount = 0;
  bool exact = false;
  if (!kecs__json_scaled(kecs__json_member(capacity, name), 0, &amount, &exact)) {
    return false;
  }
  *out = amount > 0 ? amount / each : 0;
  return true;
}

KECS_STORE_API int64_t kecs_node_slots(const kecs_node *node) {
  if (!node) {
    return 0;
  }
  if (node->capacity.has) {
    return node->capacity.value > 0 ? node->capacity.value : 0;
  }
  if (!node->resources || !node->resources[0]) {
    return KECS__NODE_SLOTS;
  }
  kecs__json capacity = kecs__json_member(kecs__json_check(node->resources, strlen(node->resources), NULL), "capacity");
  int64_t by_cpu = 0;
  int64_t by_memory = 0;
  bool has_cpu = kecs__node_slots_of(capacity, "cpu", KECS__NODE_SLOT_CPU, &by_cpu);
  bool has_memory = kecs__node_slots_of(capacity, "memory", KECS__NODE_SLOT_MEMORY, &by_memory);
  if (has_cpu && has_memory) {
    return by_cpu < by_memory ? by_cpu : by_memory;
  }
  return has_cpu ? by_cpu : has_memory ? by_memory : KECS__NODE_SLOTS;
}

/* Slots may stand in a document, so the last word on each row is spoken here. */
static kecs_status kecs__node_available_read(kecs__plan *plan, kecs_result *result) {
  const kecs__meta *meta = plan->meta;
  kecs_value values[64];
  kecs__cached *cached = NULL;
  bool more = false;
  kecs_status status = kecs__plan_start(plan, meta->columns, true, 0, &cached, &more);
  while (!status && more && result->count < KECS__NODES_MAX) {
    kecs_node *node = kecs__result_add(result);
    kecs__statement_columns(plan->session, cached, values, meta->info->column_count);
    status = node ? kecs__row_read(meta, values, &result->arena, node) : KECS_E_NOMEM;
    if (!status) {
      result->count -= node->running_tasks < kecs_node_slots(node) ? 0 : 1;
      status = kecs__statement_step(plan->session, cached, &more);
    }
  }
  kecs__statement_done(plan->session, cached);
  return status;
}

KECS_STORE_API kecs_status kecs_node_available(kecs_store *store, kecs_result **out_result) {
  static const kecs_query least_busy = {NULL, 0, KECS_ORDER_ASCENDING, KECS_NODE_RUNNING_TASKS, 0, NULL};
  kecs_status status = kecs__check_pointer(out_result, "out_result");
  if (status) {
    return status;
  }
  *out_result = NULL;
  const kecs__meta *meta = kecs__meta_checked(store, KECS_KIND_NODE);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs__session *session = NULL;
  kecs_result *result = NULL;
  status = kecs__read_open(store, &session);
  if (!status) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    kecs_value online = kecs__value_text(KECS__NODE_ONLINE);
    kecs__plan plan;
    kecs__plan_init(&plan, session, meta, &result->arena);
    kecs__plan_where(&plan, "status=? AND (capacity IS NULL OR running_tasks<capacity)", &online, 1);
    kecs__plan_query(&plan, &least_busy, false);
    status = kecs__node_available_read(&plan, result);
    kecs__plan_free(&plan);
  }
  kecs__read_close(store, session);
  return kecs__result_end(status, result, out_result);
}

/* ---- store/import_shapes.c --------------------------------------------------------------------------------------- */
/* store/import_shapes.c -- the table of shapes: the AWS API's resources, responses and requests, by their members.
 *
 * Rows are tried in order and the first that fits decides, so what is more telling stands first: a task names its
 * cluster, its container instance and its definition by ARN, so it is a task before it could be any of these. */

/* ---- store/import_shapes.h --------------------------------------------------------------------------------------- */
/* store/import_shapes.h -- what an object is, told from the members that it has and from nothing else: neither a file's
 * name nor a member's order counts. */
#ifndef KECS_STORE_IMPORT_SHAPES_H
#define KECS_STORE_IMPORT_SHAPES_H

/* The members that tell objects apart: X(NAME, "name", CLASS). One name may stand for several members by the class of
 * its value: a service's `taskDefinition` is a text, that of a response an object. */
#define KECS_IMPORT_MEMBERS(X)                                \
  /* wrappers around documents */                             \
  X(STATUS_CODE, "status_code", SCALAR)                       \
  X(DATA, "data", OBJECT)                                     \
  X(IN, "in", OBJECT)                                         \
  X(OUT, "out", OBJECT)                                       \
  X(INPUT, "input", OBJECT)                                   \
  X(OUTPUT, "output", OBJECT)                                 \
  X(EXAMPLES, "examples", OBJECT)                             \
  X(ITEMS, "items", ARRAY)                                    \
  X(KIND, "kind", SCALAR)                                     \
  X(DOCUMENT, "document", OBJECT)                             \
  X(KECS, "kecs", OBJECT)                                     \
  X(TAGS, "tags", ARRAY)                                      \
  /* lists and single resources of responses */               \
  X(CLUSTERS, "clusters", ARRAY)                              \
  X(SERVICES, "services", ARRAY)                              \
  X(TASKS, "tasks", ARRAY)                                    \
  X(TASK_SETS, "taskSets", ARRAY)                             \
  X(CONTAINER_INSTANCES, "containerInstances", ARRAY)         \
  X(TASK_DEFINITIONS, "taskDefinitions", ARRAY)               \
  X(ATTRIBUTES, "attributes", ARRAY)                          \
  X(SETTINGS, "settings", ARRAY)                              \
  X(ELB_LOAD_BALANCERS, "LoadBalancers", ARRAY)               \
  X(ELB_TARGET_GROUPS, "TargetGroups", ARRAY)                 \
  X(ELB_LISTENERS, "Listeners", ARRAY)                        \
  X(ELB_RULES, "Rules", ARRAY)                                \
  X(ELB_TARGETS, "TargetHealthDescriptions", ARRAY)           \
  X(ELB_TAGS, "TagDescriptions", ARRAY)                       \
  X(CLUSTER_OBJECT, "cluster", OBJECT)                        \
  X(SERVICE_OBJECT, "service", OBJECT)                        \
  X(TASK_OBJECT, "task", OBJECT)                              \
  X(TASK_SET_OBJECT, "taskSet", OBJECT)                       \
  X(CONTAINER_INSTANCE_OBJECT, "containerInstance", OBJECT)   \
  X(TASK_DEFINITION_OBJECT, "taskDefinition", OBJECT)         \
  X(SETTING_OBJECT, "setting", OBJECT)                        \
  /* what resources have */                                   \
  X(CONTAINER_DEFINITIONS, "containerDefinitions", ANY)       \
  X(TASK_DEFINITION_ARN, "taskDefinitionArn", SCALAR)         \
  X(TASK_DEFINITION, "taskDefinition", SCALAR)                \
  X(CLUSTER_ARN, "clusterArn", SCALAR)                        \
  X(CLUSTER_NAME, "clusterName", SCALAR)                      \
  X(CLUSTER, "cluster", SCALAR)                               \
  X(SERVICE_ARN, "serviceArn", SCALAR)                        \
  X(SERVICE_NAME, "serviceName", SCALAR)                      \
  X(SERVICE, "service", SCALAR)                               \
  X(DESIRED_COUNT, "desiredCount", ANY)                       \
  X(DEPLOYMENT_CONFIGURATION, "deploymentConfiguration", ANY) \
  X(DEPLOYMENT_CONTROLLER, "deploymentController", ANY)       \
  X(SCHEDULING_STRATEGY, "schedulingStrategy", ANY)           \
  X(LOAD_BALANCERS, "loadBalancers", ANY)                     \
  X(NETWORK_CONFIGURATION, "networkConfiguration", ANY)       \
  X(LAUNCH_TYPE, "launchType", ANY)                           \
  X(OVERRIDES, "overrides", ANY)                              \
  X(COUNT, "count", ANY)                                      \
  X(STARTED_BY, "startedBy", ANY)                             \
  X(TASK_ARN, "taskArn", SCALAR)                              \
  X(LAST_STATUS, "lastStatus", SCALAR)                        \
  X(CONTAINERS, "containers", ARRAY)                          \
  X(TASK_SET_ARN, "taskSetArn", SCALAR)                       \
  X(TASK_SET, "taskSet", SCALAR)                              \
  X(EXTERNAL_ID, "externalId", SCALAR)                        \
  X(SCALE, "scale", OBJECT)                                   \
  X(CONTAINER_INSTANCE_ARN, "containerInstanceArn", SCALAR)   \
  X(TOTAL_RESOURCES, "totalResources", ARRAY)                 \
  X(NAME, "name", SCALAR)                                     \
  X(VALUE, "value", SCALAR)                                   \
  X(TARGET_ID, "targetId", SCALAR)                            \
  X(PRINCIPAL_ARN, "principalArn", SCALAR)                    \
  X(LOG_LINE, "logLine", SCALAR)                              \
  X(RESOURCE_ARN, "resourceArn", SCALAR)                      \
  X(EVENT_TYPE, "eventType", SCALAR)                          \
  X(ACTION, "action", SCALAR)                                 \
  X(KEY, "key", SCALAR)                                       \
  X(NODE_ID, "nodeId", SCALAR)                                \
  X(HOSTNAME, "hostname", SCALAR)                             \
  X(TASK_ID, "taskId", SCALAR)                                \
  X(IMAGE, "image", SCALAR)                                   \
  X(CAPACITY_PROVIDER_ARN, "capacityProviderArn", SCALAR)     \
  X(CAPACITY_PROVIDERS, "capacityProviders", ARRAY)           \
  X(ELB_NAME, "Name", SCALAR)                                 \
  X(ELB_SUBNETS, "Subnets", ARRAY)                            \
  X(ELB_SUBNET_MAPPINGS, "SubnetMappings", ARRAY)             \
  X(ELB_LOAD_BALANCER_ARN, "LoadBalancerArn", SCALAR)         \
  X(ELB_LOAD_BALANCER_NAME, "LoadBalancerName", SCALAR)       \
  X(ELB_TARGET_GROUP_ARN, "TargetGroupArn", SCALAR)           \
  X(ELB_TARGET_GROUP_NAME, "TargetGroupName", SCALAR)         \
  X(ELB_LISTENER_ARN, "ListenerArn", SCALAR)                  \
  X(ELB_RULE_ARN, "RuleArn", SCALAR)                          \
  X(ELB_PROTOCOL, "Protocol", SCALAR)                         \
  X(ELB_DEFAULT_ACTIONS, "DefaultActions", ARRAY)             \
  X(ELB_CONDITIONS, "Conditions", ARRAY)                      \
  X(ELB_ACTIONS, "Actions", ARRAY)                            \
  X(ELB_TARGET, "Target", OBJECT)                             \
  X(ELB_TARGET_HEALTH, "TargetHealth", OBJECT)                \
  X(ELB_SOME_TARGETS, "Targets", ARRAY)                       \
  X(ELB_RESOURCE_ARN, "ResourceArn", SCALAR)                  \
  X(ELB_RESOURCE_TAGS, "Tags", ARRAY)

typedef enum kecs__member {
  KECS__MEMBER_NONE, /* ends a list of members */
#define KECS__MEMBER_ENUM(name, text, value_class) KECS__MEMBER_##name,
  KECS_IMPORT_MEMBERS(KECS__MEMBER_ENUM)
#undef KECS__MEMBER_ENUM
  KECS__MEMBER_END
} kecs__member;

/* An object's members, in one walk over it. Those that it has not are of type NONE. */
typedef struct kecs__members {
  kecs__json at[KECS__MEMBER_END];
  bool arns;     /* a member ...Arns is an array */
  size_t count;  /* of all its members, known or not */
} kecs__members;

KECS__FN void kecs__members_read(kecs__json object, kecs__members *out);
KECS__FN bool kecs__members_have(const kecs__members *members, kecs__member member);

/* What an object is. */
typedef struct kecs__shape {
  kecs_kind kind;        /* 0: nothing that the store keeps */
  const char *what;      /* "task definition", "RunTask request" */
  const char *reason;    /* with kind 0: why there is nothing to keep */
  bool nameless;         /* a service that says everything but its name */
  bool update;           /* it changes what is there and leaves the rest */
  kecs__member all[3];   /* it has all of these */
  kecs__member any[5];   /* and one of these, when any are listed */
  kecs__member none[4];  /* and none of these */
} kecs__shape;

/* The shape of an object that is itself a resource or a request; NULL when it is neither. */
KECS__FN const kecs__shape *kecs__shape_of(const kecs__members *members);

/* A member that holds resources of one kind: an array of them, or one. */
typedef struct kecs__holder {
  kecs__member member;
  kecs_kind kind;   /* 0: the store has no such kind */
  const char *what; /* what the document around it is */
} kecs__holder;

/* The holders by number from 0; NULL after the last. */
KECS__FN const kecs__holder *kecs__holder_at(size_t number);

/* The member that says which row a document of a kind is: its ARN. NONE for kinds that have none. */
KECS__FN kecs__member kecs__identity_of(kecs_kind kind);

#endif

/* ---- store/import_shapes.c, continued ---------------------------------------------------------------------------- */
#include <string.h>

typedef enum kecs__member_class {
  KECS__CLASS_ANY,
  KECS__CLASS_SCALAR, /* neither array nor object */
  KECS__CLASS_ARRAY,
  KECS__CLASS_OBJECT
} kecs__member_class;

typedef struct kecs__member_row {
  const char *name;
  size_t len;
  kecs__member_class value_class;
} kecs__member_row;

static const kecs__member_row kecs__member_rows[KECS__MEMBER_END] = {
    {"", 0, KECS__CLASS_ANY},
#define KECS__MEMBER_ROW(name, text, value_class) {text, sizeof text - 1, KECS__CLASS_##value_class},
    KECS_IMPORT_MEMBERS(KECS__MEMBER_ROW)
#undef KECS__MEMBER_ROW
};

static bool kecs__member_fits(const kecs__member_row *row, kecs__json name, kecs__json value) {
  bool array = value.type == KECS__JSON_ARRAY;
  bool object = value.type == KECS__JSON_OBJECT;
  if (!kecs__name_is(name, row->name, row->len)) {
    return false;
  }
  switch (row->value_class) {
    case KECS__CLASS_ANY:
      return true;
    case KECS__CLASS_SCALAR:
      return !array && !object;
    case KECS__CLASS_ARRAY:
      return array;
    case KECS__CLASS_OBJECT:
      return object;
  }
  return false;
}

KECS__FN void kecs__members_read(kecs__json object, kecs__members *out) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  memset(out, 0, sizeof *out);
  while (kecs__json_next_member(object, &walk, &name, &value)) {
    out->count++;
    bool arns = name.len > 6 && memcmp(name.text + name.len - 5, "Arns\"", 5) == 0;
    out->arns = out->arns || (arns && value.type == KECS__JSON_ARRAY);
    bool escaped = memchr(name.text, '\\', name.len) != NULL;
    for (int i = 1; i < KECS__MEMBER_END; i++) {
      if (!escaped && name.len != kecs__member_rows[i].len + 2) {
        continue;
      }
      if (out->at[i].type == KECS__JSON_NONE && kecs__member_fits(&kecs__member_rows[i], name, value)) {
        out->at[i] = value;
        break;
      }
    }
  }
}

KECS__FN bool kecs__members_have(const kecs__members *members, kecs__member member) {
  return members->at[member].type != KECS__JSON_NONE;
}

/* ---- resources and requests ---- */

#define KECS__M(name) KECS__MEMBER_##name

static const char kecs__no_task[] = "it starts tasks and describes none";
static const char kecs__no_set[] = "it names a task set and describes none";
static const char kecs__no_kind[] = "the store has no such kind";
static const char kecs__no_health[] = "it names targets; it may add them, remove them or ask for their health";

static const kecs__shape kecs__shapes[] = {
    /* ECS. A request comes after the resource that it is about, and after what has more of its members. */
    {.kind = KECS_KIND_TASK_DEFINITION, .what = "task definition", .all = {KECS__M(CONTAINER_DEFINITIONS)}},
    {.kind = KECS_KIND_TASK_SET, .what = "task set", .all = {KECS__M(TASK_SET_ARN)}},
    {.kind = KECS_KIND_TASK_LOG, .what = "task log line", .all = {KECS__M(TASK_ARN), KECS__M(LOG_LINE)}},
    {.kind = KECS_KIND_TASK,
     .what = "task",
     .all = {KECS__M(TASK_ARN)},
     .any = {KECS__M(LAST_STATUS), KECS__M(CONTAINERS), KECS__M(TASK_DEFINITION_ARN), KECS__M(CLUSTER_ARN)}},
    {.kind = KECS_KIND_CONTAINER_INSTANCE,
     .what = "container instance",
     .all = {KECS__M(CONTAINER_INSTANCE_ARN)},
     .none = {KECS__M(TASK_ARN)}},
    {.kind = KECS_KIND_CONTAINER_INSTANCE,
     .what = "RegisterContainerInstance request",
     .all = {KECS__M(TOTAL_RESOURCES)}},
    {.kind = KECS_KIND_SERVICE, .what = "service", .any = {KECS__M(SERVICE_ARN), KECS__M(SERVICE_NAME)}},
    {.what = "request about a task set", .reason = kecs__no_set, .all = {KECS__M(SERVICE), KECS__M(TASK_SET)}},
    {.kind = KECS_KIND_TASK_SET,
     .what = "CreateTaskSet request",
     .all = {KECS__M(SERVICE)},
     .any = {KECS__M(EXTERNAL_ID), KECS__M(SCALE)},
     .none = {KECS__M(DESIRED_COUNT)}},
    {.kind = KECS_KIND_SERVICE,
     .what = "UpdateService request",
     .update = true,
     .all = {KECS__M(SERVICE)},
     .any = {KECS__M(DESIRED_COUNT), KECS__M(TASK_DEFINITION), KECS__M(DEPLOYMENT_CONFIGURATION),
             KECS__M(LOAD_BALANCERS), KECS__M(NETWORK_CONFIGURATION)}},
    {.kind = KECS_KIND_SERVICE,
     .what = "service without a name",
     .nameless = true,
     .any = {KECS__M(DESIRED_COUNT), KECS__M(DEPLOYMENT_CONFIGURATION), KECS__M(DEPLOYMENT_CONTROLLER),
             KECS__M(LOAD_BALANCERS), KECS__M(SCHEDULING_STRATEGY)},
     .none = {KECS__M(SERVICE), KECS__M(CLUSTER_NAME)}},
    {.what = "RunTask request",
     .reason = kecs__no_task,
     .all = {KECS__M(TASK_DEFINITION)},
     .any = {KECS__M(OVERRIDES), KECS__M(LAUNCH_TYPE), KECS__M(NETWORK_CONFIGURATION), KECS__M(COUNT),
             KECS__M(STARTED_BY)}},
    {.what = "capacity provider", .reason = kecs__no_kind, .all = {KECS__M(CAPACITY_PROVIDER_ARN)}},
    {.kind = KECS_KIND_CLUSTER,
     .what = "cluster",
     .any = {KECS__M(CLUSTER_NAME), KECS__M(CLUSTER_ARN)},
     .none = {KECS__M(SERVICES), KECS__M(TASKS), KECS__M(CONTAINER_INSTANCES), KECS__M(TASK_SETS)}},
    {.kind = KECS_KIND_ATTRIBUTE, .what = "attribute", .all = {KECS__M(NAME), KECS__M(TARGET_ID)}},
    {.kind = KECS_KIND_ACCOUNT_SETTING,
     .what = "account setting",
     .all = {KECS__M(NAME), KECS__M(VALUE), KECS__M(PRINCIPAL_ARN)}},
    {.kind = KECS_KIND_EVENT, .what = "event", .all = {KECS__M(EVENT_TYPE), KECS__M(RESOURCE_ARN), KECS__M(ACTION)}},
    {.kind = KECS_KIND_TAG, .what = "tag", .all = {KECS__M(RESOURCE_ARN), KECS__M(KEY)}},
    {.kind = KECS_KIND_TAG, .what = "TagResource request", .all = {KECS__M(RESOURCE_ARN), KECS__M(TAGS)}},
    {.kind = KECS_KIND_NODE, .what = "node", .all = {KECS__M(NODE_ID), KECS__M(HOSTNAME)}},
    {.kind = KECS_KIND_NODE_TASK, .what = "node task", .all = {KECS__M(TASK_ID), KECS__M(IMAGE)}},

    /* ELBv2 */
    {.kind = KECS_KIND_LOAD_BALANCER,
     .what = "load balancer",
     .all = {KECS__M(ELB_LOAD_BALANCER_ARN), KECS__M(ELB_LOAD_BALANCER_NAME)}},
    {.kind = KECS_KIND_LOAD_BALANCER,
     .what = "CreateLoadBalancer request",
     .all = {KECS__M(ELB_NAME)},
     .any = {KECS__M(ELB_SUBNETS), KECS__M(ELB_SUBNET_MAPPINGS)}},
    {.kind = KECS_KIND_TARGET_GROUP,
     .what = "target group",
     .all = {KECS__M(ELB_TARGET_GROUP_ARN), KECS__M(ELB_TARGET_GROUP_NAME)}},
    {.kind = KECS_KIND_TARGET_GROUP,
     .what = "CreateTargetGroup request",
     .all = {KECS__M(ELB_NAME), KECS__M(ELB_PROTOCOL)}},
    {.kind = KECS_KIND_RULE,
     .what = "rule",
     .all = {KECS__M(ELB_RULE_ARN)},
     .any = {KECS__M(ELB_CONDITIONS), KECS__M(ELB_ACTIONS)}},
    {.kind = KECS_KIND_RULE,
     .what = "CreateRule request",
     .all = {KECS__M(ELB_LISTENER_ARN), KECS__M(ELB_CONDITIONS), KECS__M(ELB_ACTIONS)}},
    {.kind = KECS_KIND_LISTENER,
     .what = "listener",
     .all = {KECS__M(ELB_LISTENER_ARN)},
     .any = {KECS__M(ELB_LOAD_BALANCER_ARN), KECS__M(ELB_DEFAULT_ACTIONS)}},
    {.kind = KECS_KIND_LISTENER,
     .what = "CreateListener request",
     .all = {KECS__M(ELB_LOAD_BALANCER_ARN), KECS__M(ELB_DEFAULT_ACTIONS)}},
    {.what = "request about targets",
     .reason = kecs__no_health,
     .all = {KECS__M(ELB_TARGET_GROUP_ARN), KECS__M(ELB_SOME_TARGETS)}},
    {.kind = KECS_KIND_TARGET,
     .what = "target health description",
     .all = {KECS__M(ELB_TARGET)},
     .any = {KECS__M(ELB_TARGET_HEALTH), KECS__M(ELB_TARGET_GROUP_ARN)}},
    {.kind = KECS_KIND_TAG,
     .what = "tag description",
     .all = {KECS__M(ELB_RESOURCE_ARN), KECS__M(ELB_RESOURCE_TAGS)}},
};

#undef KECS__M

static bool kecs__members_fit(const kecs__members *members, const kecs__shape *shape) {
  bool any = shape->any[0] == KECS__MEMBER_NONE;
  for (size_t i = 0; i < sizeof shape->all / sizeof shape->all[0]; i++) {
    if (shape->all[i] != KECS__MEMBER_NONE && !kecs__members_have(members, shape->all[i])) {
      return false;
    }
  }
  for (size_t i = 0; i < sizeof shape->none / sizeof shape->none[0]; i++) {
    if (shape->none[i] != KECS__MEMBER_NONE && kecs__members_have(members, shape->none[i])) {
      return false;
    }
  }
  for (size_t i = 0; !any && i < sizeof shape->any / sizeof shape->any[0]; i++) {
    any = shape->any[i] != KECS__MEMBER_NONE && kecs__members_have(members, shape->any[i]);
  }
  return any;
}

KECS__FN const kecs__shape *kecs__shape_of(const kecs__members *members) {
  for (size_t i = 0; i < sizeof kecs__shapes / sizeof kecs__shapes[0]; i++) {
    if (kecs__members_fit(members, &kecs__shapes[i])) {
      return &kecs__shapes[i];
    }
  }
  return NULL;
}

/* ---- responses ---- */

static const kecs__holder kecs__holders[] = {
    {KECS__MEMBER_CLUSTERS, KECS_KIND_CLUSTER, "DescribeClusters response"},
    {KECS__MEMBER_CLUSTER_OBJECT, KECS_KIND_CLUSTER, "response with a cluster"},
    {KECS__MEMBER_TASK_DEFINITIONS, KECS_KIND_TASK_DEFINITION, "list of task definitions"},
    {KECS__MEMBER_TASK_DEFINITION_OBJECT, KECS_KIND_TASK_DEFINITION, "response with a task definition"},
    {KECS__MEMBER_SERVICES, KECS_KIND_SERVICE, "DescribeServices response"},
    {KECS__MEMBER_SERVICE_OBJECT, KECS_KIND_SERVICE, "response with a service"},
    {KECS__MEMBER_CONTAINER_INSTANCES, KECS_KIND_CONTAINER_INSTANCE, "DescribeContainerInstances response"},
    {KECS__MEMBER_CONTAINER_INSTANCE_OBJECT, KECS_KIND_CONTAINER_INSTANCE, "response with a container instance"},
    {KECS__MEMBER_TASKS, KECS_KIND_TASK, "DescribeTasks response"},
    {KECS__MEMBER_TASK_OBJECT, KECS_KIND_TASK, "response with a task"},
    {KECS__MEMBER_TASK_SETS, KECS_KIND_TASK_SET, "DescribeTaskSets response"},
    {KECS__MEMBER_TASK_SET_OBJECT, KECS_KIND_TASK_SET, "response with a task set"},
    {KECS__MEMBER_ATTRIBUTES, KECS_KIND_ATTRIBUTE, "ListAttributes response"},
    {KECS__MEMBER_SETTINGS, KECS_KIND_ACCOUNT_SETTING, "ListAccountSettings response"},
    {KECS__MEMBER_SETTING_OBJECT, KECS_KIND_ACCOUNT_SETTING, "response with an account setting"},
    {KECS__MEMBER_CAPACITY_PROVIDERS, (kecs_kind)0, "DescribeCapacityProviders response"},
    {KECS__MEMBER_ELB_LOAD_BALANCERS, KECS_KIND_LOAD_BALANCER, "DescribeLoadBalancers response"},
    {KECS__MEMBER_ELB_TARGET_GROUPS, KECS_KIND_TARGET_GROUP, "DescribeTargetGroups response"},
    {KECS__MEMBER_ELB_LISTENERS, KECS_KIND_LISTENER, "DescribeListeners response"},
    {KECS__MEMBER_ELB_RULES, KECS_KIND_RULE, "DescribeRules response"},
    {KECS__MEMBER_ELB_TARGETS, KECS_KIND_TARGET, "DescribeTargetHealth response"},
    {KECS__MEMBER_ELB_TAGS, KECS_KIND_TAG, "DescribeTags response"},
};

KECS__FN const kecs__holder *kecs__holder_at(size_t number) {
  return number < sizeof kecs__holders / sizeof kecs__holders[0] ? &kecs__holders[number] : NULL;
}

/* ---- identities ---- */

KECS__FN kecs__member kecs__identity_of(kecs_kind kind) {
  switch (kind) {
    case KECS_KIND_CLUSTER:
      return KECS__MEMBER_CLUSTER_ARN;
    case KECS_KIND_TASK_DEFINITION:
      return KECS__MEMBER_TASK_DEFINITION_ARN;
    case KECS_KIND_SERVICE:
      return KECS__MEMBER_SERVICE_ARN;
    case KECS_KIND_TASK:
      return KECS__MEMBER_TASK_ARN;
    case KECS_KIND_TASK_SET:
      return KECS__MEMBER_TASK_SET_ARN;
    case KECS_KIND_CONTAINER_INSTANCE:
      return KECS__MEMBER_CONTAINER_INSTANCE_ARN;
    case KECS_KIND_LOAD_BALANCER:
      return KECS__MEMBER_ELB_LOAD_BALANCER_ARN;
    case KECS_KIND_TARGET_GROUP:
      return KECS__MEMBER_ELB_TARGET_GROUP_ARN;
    case KECS_KIND_LISTENER:
      return KECS__MEMBER_ELB_LISTENER_ARN;
    case KECS_KIND_RULE:
      return KECS__MEMBER_ELB_RULE_ARN;
    default:
      return KECS__MEMBER_NONE;
  }
}

/* ---- store/import_put.c ------------------------------------------------------------------------------------------ */
/* store/import_put.c -- one document into the store: transactions, notes, members that come from its surroundings. */

/* ---- store/import_put.h ------------------------------------------------------------------------------------------ */
/* store/import_put.h -- an import under way, and how one document of it is put and noted. */
#ifndef KECS_STORE_IMPORT_PUT_H
#define KECS_STORE_IMPORT_PUT_H

typedef struct kecs__import {
  kecs_store *store;
  kecs_import_options options;
  const char *text;
  size_t len;
  size_t seen;        /* where line and column were counted last: counting goes on from there */
  size_t seen_line;
  size_t seen_column;
  kecs_store *batch;  /* the open transaction, or NULL */
  int batch_count;
  int64_t batch_put;
  int64_t put;        /* committed */
  int64_t refused;
  bool lines;         /* documents stand one a line */
  kecs__json group;   /* what the request beside a response says of the target group; or NONE */
  kecs__text extra;   /* members to put in front of the next document: "name":value, ... */
  kecs__text copy;    /* the document with them */
  kecs__arena arena;  /* for one document */
  kecs_status status; /* of the whole; sticks */
} kecs__import;

/* One resource on its way in. */
typedef struct kecs__item {
  kecs__json body; /* the object to put */
  const char *at;  /* where it stands in the text */
  const kecs__members *own;
  kecs_kind kind;
  const char *what;
} kecs__item;

KECS__FN void kecs__import_init(kecs__import *import, kecs_store *store, const char *text, size_t len,
                                const kecs_import_options *options);

/* Commits what is open, or rolls it back when the import has failed; gives the memory back. */
KECS__FN void kecs__import_end(kecs__import *import);

/* Line and column of a place in the text. */
KECS__FN void kecs__import_position(kecs__import *import, const char *at, size_t *line, size_t *column);

/* Notes what is not put: the place is where it stands, or where the fault in it is, counted from there. */
KECS__FN void kecs__import_refuse(kecs__import *import, const char *at, const char *what, kecs_status status,
                                  const char *reason);
KECS__FN void kecs__import_fault(kecs__import *import, const char *at, const char *what, const char *reason,
                                 size_t line, size_t column);

/* A member to put in front of the next document: as it stands elsewhere, or with a name of ours, or with a text. */
KECS__FN void kecs__import_extra_member(kecs__import *import, kecs__json name, kecs__json value);
KECS__FN void kecs__import_extra(kecs__import *import, const char *name, kecs__json value);
KECS__FN void kecs__import_extra_text(kecs__import *import, const char *name, const char *value);

/* Puts a document in a savepoint of its own and notes what became of it; what was to go in front of it is used up. */
KECS__FN void kecs__import_item(kecs__import *import, const kecs__item *item);

/* Likewise a tag description: its tags go into the resource, when that is in the store. */
KECS__FN void kecs__import_tags(kecs__import *import, const kecs__item *item);

#endif

/* ---- store/import_put.c, continued ------------------------------------------------------------------------------- */
#include <stdlib.h>
#include <string.h>

#define KECS__IMPORT_BATCH 1000    /* documents in one transaction */
#define KECS__IMPORT_TAGS_MAX 1000 /* of one tag description; AWS allows 50 */

enum { KECS__REASON_SIZE = sizeof((kecs_error *)0)->text };

KECS__FN void kecs__import_init(kecs__import *import, kecs_store *store, const char *text, size_t len,
                                const kecs_import_options *options) {
  const kecs_allocator *allocator = &store->engine->allocator;
  memset(import, 0, sizeof *import);
  import->store = store;
  import->text = text;
  import->len = len;
  import->seen_line = 1;
  import->seen_column = 1;
  if (options) {
    import->options = *options;
  }
  kecs__text_init(&import->extra, allocator, SIZE_MAX / 4);
  kecs__text_init(&import->copy, allocator, SIZE_MAX / 4);
  kecs__arena_init(&import->arena, allocator);
}

/* ---- transactions ---- */

static void kecs__import_commit(kecs__import *import) {
  kecs_store *batch = import->batch;
  import->batch = NULL;
  if (batch && import->status) {
    (void)kecs_rollback(batch);
  } else if (batch) {
    import->status = kecs_commit(batch);
    import->put += import->status ? 0 : import->batch_put;
  }
  import->batch_put = 0;
  import->batch_count = 0;
}

KECS__FN void kecs__import_end(kecs__import *import) {
  kecs__import_commit(import);
  kecs__text_free(&import->extra);
  kecs__text_free(&import->copy);
  kecs__arena_free(&import->arena);
}

/* A savepoint for one document, in the transaction of its batch. NULL when the import has failed. */
static kecs_store *kecs__import_begin(kecs__import *import) {
  kecs_store *document = NULL;
  if (import->batch_count >= KECS__IMPORT_BATCH) {
    kecs__import_commit(import);
  }
  if (!import->status && !import->batch) {
    import->status = kecs_begin(import->store, &import->batch);
  }
  if (!import->status) {
    import->status = kecs_begin(import->batch, &document);
    import->batch_count++;
  }
  return document;
}

/* Whether a failure is about the document alone, so that the next one may well do. */
static bool kecs__import_goes_on(kecs_status status) {
  return kecs_status_class(status) == KECS_CLASS_CALLER && status != KECS_E_READONLY && status != KECS_E_DENIED;
}

/* Ends a document's savepoint. A failure that concerns the whole ends the import: the batch goes with the savepoint. */
static kecs_status kecs__import_settle(kecs__import *import, kecs_store *tx, kecs_status status, char *reason) {
  if (!status) {
    status = kecs_commit(tx);
    tx = NULL;
  }
  reason[0] = '\0';
  if (status) {
    memcpy(reason, kecs_last_error()->text, KECS__REASON_SIZE);
    import->status = kecs__import_goes_on(status) ? KECS_OK : status;
    (void)kecs_rollback(tx);
  }
  return status;
}

/* ---- notes ---- */

KECS__FN void kecs__import_position(kecs__import *import, const char *at, size_t *line, size_t *column) {
  size_t offset = (size_t)(at - import->text);
  if (offset < import->seen) {
    import->seen = 0;
    import->seen_line = 1;
    import->seen_column = 1;
  }
  kecs__json_position(import->text + import->seen, offset - import->seen, line, column);
  *column += *line == 1 ? import->seen_column - 1 : 0;
  *line += import->seen_line - 1;
  import->seen = offset;
  import->seen_line = *line;
  import->seen_column = *column;
}

/* Completes a note and hands it over. Its line and column are those in the document, or 0 for the document itself. */
static void kecs__import_tell(kecs__import *import, kecs_import_note *note, const char *at) {
  size_t line = note->line;
  size_t column = note->column;
  import->refused += note->refused ? 1 : 0;
  import->batch_put += note->refused ? 0 : 1;
  if (!import->options.note) {
    return;
  }
  note->offset = (size_t)(at - import->text);
  kecs__import_position(import, at, &note->line, &note->column);
  if (line > 0) {
    note->column = line == 1 ? note->column + column - 1 : column;
    note->line += line - 1;
  }
  note->name = note->name ? note->name : "";
  note->reason = note->reason ? note->reason : "";
  import->options.note(note, import->options.user);
}

KECS__FN void kecs__import_refuse(kecs__import *import, const char *at, const char *what, kecs_status status,
                                  const char *reason) {
  kecs_import_note note = {0};
  note.refused = true;
  note.what = what;
  note.reason = reason;
  note.status = status;
  kecs__import_tell(import, &note, at);
}

KECS__FN void kecs__import_fault(kecs__import *import, const char *at, const char *what, const char *reason,
                                 size_t line, size_t column) {
  kecs_import_note note = {0};
  note.refused = true;
  note.what = what;
  note.reason = reason;
  note.status = KECS_E_INVALID;
  note.line = line;
  note.column = column;
  kecs__import_tell(import, &note, at);
}

/* ---- the text to put ---- */

KECS__FN void kecs__import_extra_member(kecs__import *import, kecs__json name, kecs__json value) {
  kecs__text_add(&import->extra, name.text, name.len);
  kecs__text_addc(&import->extra, ':');
  kecs__text_add(&import->extra, value.text, value.len);
  kecs__text_addc(&import->extra, ',');
}

KECS__FN void kecs__import_extra(kecs__import *import, const char *name, kecs__json value) {
  kecs__text_addf(&import->extra, "\"%s\":", name);
  kecs__text_add(&import->extra, value.text, value.len);
  kecs__text_addc(&import->extra, ',');
}

KECS__FN void kecs__import_extra_text(kecs__import *import, const char *name, const char *value) {
  kecs__text_addf(&import->extra, "\"%s\":", name);
  kecs__json_quote(&import->extra, value, strlen(value));
  kecs__text_addc(&import->extra, ',');
}

/* The document's own bytes, or a copy with the extra members in front. */
static kecs__json kecs__import_text(kecs__import *import, kecs__json body) {
  kecs__text *copy = &import->copy;
  size_t extra = import->extra.len;
  if (extra == 0 || import->extra.status) {
    import->status = import->extra.status;
    return body;
  }
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  bool empty = !kecs__json_next_member(body, &walk, &name, &value);
  kecs__text_clear(copy);
  kecs__text_addc(copy, '{');
  kecs__text_add(copy, import->extra.data, empty ? extra - 1 : extra);
  kecs__text_add(copy, body.text + 1, body.len - 1);
  import->status = copy->status;
  return (kecs__json){KECS__JSON_OBJECT, copy->data, copy->len};
}

/* "line 3, column 5: reason", as kecs_put_json says it of the text that it was given: the note's place and reason. */
static void kecs__import_place(kecs_import_note *note, const char *reason, kecs__json put, const kecs__item *item) {
  static const char line_word[] = "line ";
  static const char column_word[] = ", column ";
  char *end = NULL;
  note->reason = reason;
  unsigned long line = 0;
  unsigned long column = 0;
  if (strncmp(reason, line_word, sizeof line_word - 1) == 0) {
    line = strtoul(reason + sizeof line_word - 1, &end, 10);
  }
  if (line > 0 && strncmp(end, column_word, sizeof column_word - 1) == 0) {
    column = strtoul(end + sizeof column_word - 1, &end, 10);
  }
  if (column == 0 || strncmp(end, ": ", 2) != 0) {
    return;
  }
  /* The byte after the brace is the first that both texts have in common. */
  size_t first_line = 0;
  size_t first_column = 0;
  kecs__json_position(put.text, 1 + put.len - item->body.len, &first_line, &first_column);
  note->reason = end + 2;
  if (item->body.text != item->at) {
    return; /* a text of our own making: its places say nothing about the one that was given */
  }
  if (line > first_line || (line == first_line && column >= first_column)) {
    note->line = line - first_line + 1;
    note->column = line == first_line ? column - first_column + 2 : column;
  }
}

KECS__FN void kecs__import_item(kecs__import *import, const kecs__item *item) {
  char name[512] = "";
  char reason[KECS__REASON_SIZE];
  kecs_import_note note = {0};
  kecs_result *result = NULL;
  kecs__json put = kecs__import_text(import, item->body);
  kecs_store *tx = import->status ? NULL : kecs__import_begin(import);
  kecs__text_clear(&import->extra);
  if (!tx) {
    return;
  }
  unsigned flags = KECS_JSON_PARENTS | (kecs__members_have(item->own, KECS__MEMBER_KECS) ? KECS_JSON_STORE : 0U);
  kecs__member identity = kecs__identity_of(item->kind);
  bool named = kecs__json_string_into(item->own->at[identity], name, sizeof name, NULL);
  bool read = import->options.note && !named; /* the store names the row: it must be read to be told */
  kecs_status status = kecs_put_json(tx, item->kind, put.text, put.len, flags, read ? &result : NULL);
  status = kecs__import_settle(import, tx, status, reason);
  note.refused = status != KECS_OK;
  note.status = status;
  note.kind = item->kind;
  note.what = item->what;
  note.name = name;
  if (status) {
    kecs__import_place(&note, reason, put, item);
  } else if (kecs_result_count(result) > 0) {
    kecs__row_name(kecs_kind_describe(item->kind), kecs_record_at(result, item->kind, 0), name);
  }
  if (!import->status) {
    kecs__import_tell(import, &note, item->at);
  }
  kecs_result_free(result);
}

/* ---- tags of resources ---- */

/* {Key, Value} of ELBv2, or {key, value} of ECS. */
static bool kecs__import_tag(kecs__import *import, kecs__json tag, kecs_key_value *out) {
  kecs__json key = kecs__json_member(tag, "Key");
  kecs__json value = kecs__json_member(tag, "Value");
  key = key.type ? key : kecs__json_member(tag, "key");
  value = value.type ? value : kecs__json_member(tag, "value");
  out->key = kecs__json_string(key, &import->arena, NULL);
  out->value = value.type == KECS__JSON_STRING ? kecs__json_string(value, &import->arena, NULL) : NULL;
  return out->key && (out->value || value.type != KECS__JSON_STRING);
}

static kecs_status kecs__import_tags_add(kecs__import *import, kecs_store *tx, kecs__json arn, kecs__json tags,
                                         char **out_arn) {
  kecs__json_walk walk = {NULL};
  kecs__json tag;
  size_t count = 0;
  *out_arn = kecs__json_string(arn, &import->arena, NULL);
  kecs_key_value *list = *out_arn ? kecs__arena_take(&import->arena, KECS__IMPORT_TAGS_MAX * sizeof *list) : NULL;
  if (!list) {
    return kecs_last_error()->status;
  }
  while (kecs__json_next_element(tags, &walk, &tag)) {
    if (count == KECS__IMPORT_TAGS_MAX) {
      return kecs__fail(KECS_E_INVALID, "more than %d tags", KECS__IMPORT_TAGS_MAX);
    }
    if (!kecs__import_tag(import, tag, &list[count++])) {
      return kecs_last_error()->status;
    }
  }
  return kecs_tags_add(tx, *out_arn, list, count);
}

KECS__FN void kecs__import_tags(kecs__import *import, const kecs__item *item) {
  const kecs__json *at = item->own->at;
  bool elb = at[KECS__MEMBER_ELB_RESOURCE_ARN].type != KECS__JSON_NONE;
  char reason[KECS__REASON_SIZE];
  char *name = NULL;
  kecs_import_note note = {0};
  kecs_store *tx = kecs__import_begin(import);
  if (!tx) {
    return;
  }
  kecs__arena_reset(&import->arena);
  kecs_status status = elb ? kecs__import_tags_add(import, tx, at[KECS__MEMBER_ELB_RESOURCE_ARN],
                                                   at[KECS__MEMBER_ELB_RESOURCE_TAGS], &name)
                           : kecs__import_tags_add(import, tx, at[KECS__MEMBER_RESOURCE_ARN], at[KECS__MEMBER_TAGS],
                                                   &name);
  status = kecs__import_settle(import, tx, status, reason);
  note.refused = status != KECS_OK;
  note.status = status;
  note.kind = KECS_KIND_TAG;
  note.what = item->what;
  note.name = name;
  note.reason = reason;
  if (!import->status) {
    kecs__import_tell(import, &note, item->at);
  }
}

/* ---- store/import.c ---------------------------------------------------------------------------------------------- */
/* store/import.c -- every resource that a text holds, put into the store.
 *
 * A text is a row of JSON values. Each is taken apart down to objects that are one resource, told by their members
 * (import_shapes.c), and these go to kecs_put_json as the exact bytes that stand in the text (import_put.c). Where a
 * resource lacks what the text around it says (a wrapper's tags, a target's group), a copy with that member goes there.
 *
 * What is no resource is noted as refused, never passed over in silence: each object of the text that is not a wrapper
 * ends up in one note. */

#include <stdio.h>
#include <string.h>

#define KECS__IMPORT_DEPTH 8 /* wrappers and arrays around a resource */

static void kecs__import_value(kecs__import *import, kecs__json value, kecs_kind kind, int depth);

/* ---- resources ---- */

/* What a bare target health description belongs to: AWS does not say it in there. */
static void kecs__import_group(kecs__import *import, const kecs__members *around) {
  const kecs__engine *engine = import->store->engine;
  char unattached[320];
  kecs__json given = import->group;
  if (around && kecs__members_have(around, KECS__MEMBER_ELB_TARGET_GROUP_ARN)) {
    given = around->at[KECS__MEMBER_ELB_TARGET_GROUP_ARN];
  }
  if (given.type == KECS__JSON_STRING) {
    kecs__import_extra(import, "TargetGroupArn", given);
  } else if (import->options.target_group_arn) {
    kecs__import_extra_text(import, "TargetGroupArn", import->options.target_group_arn);
  } else {
    snprintf(unattached, sizeof unattached, "arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s", engine->region,
             engine->account_id, "unattached/0000000000000000");
    kecs__import_extra_text(import, "TargetGroupArn", unattached);
  }
}

/* A member of the wrapper that the document itself has not. */
static void kecs__import_inherit(kecs__import *import, const kecs__item *item, const kecs__members *around,
                                 kecs__member member, const char *name) {
  if (around && kecs__members_have(around, member) && !kecs__members_have(item->own, member)) {
    kecs__import_extra(import, name, around->at[member]);
  }
}

/* Puts an object whose kind is known; `around` is the wrapper that it stands in, or NULL. */
static void kecs__import_resource(kecs__import *import, kecs__item *item, const kecs__members *around) {
  switch (item->kind) {
    case KECS_KIND_TASK_DEFINITION:
      kecs__import_inherit(import, item, around, KECS__MEMBER_TAGS, "tags");
      break;
    case KECS_KIND_ATTRIBUTE:
      kecs__import_inherit(import, item, around, KECS__MEMBER_CLUSTER, "cluster");
      break;
    case KECS_KIND_TARGET:
      if (!kecs__members_have(item->own, KECS__MEMBER_ELB_TARGET_GROUP_ARN)) {
        kecs__import_group(import, around);
      }
      break;
    case KECS_KIND_TAG:
      if (!kecs__members_have(item->own, KECS__MEMBER_KEY)) {
        kecs__import_tags(import, item);
        return;
      }
      break;
    default:
      break;
  }
  kecs__import_item(import, item);
}

/* An update says what changes: what the stored service says besides goes in front of it. */
static void kecs__import_update(kecs__import *import, kecs__json update, const kecs__members *own) {
  char cluster[512];
  char name[512];
  const char *text = NULL;
  kecs_result *stored = NULL;
  kecs__json_walk walk = {NULL};
  kecs__json member;
  kecs__json value;
  bool in = kecs__json_string_into(own->at[KECS__MEMBER_CLUSTER], cluster, sizeof cluster, NULL);
  if (!kecs__json_string_into(own->at[KECS__MEMBER_SERVICE], name, sizeof name, NULL)) {
    return;
  }
  kecs_store *store = import->batch ? import->batch : import->store;
  kecs_status status = kecs_service_get(store, in ? cluster : NULL, name, &stored);
  if (!status) {
    status = kecs_record_json(stored, kecs_kind_describe(KECS_KIND_SERVICE), kecs_service_at(stored, 0), 0, &text);
  }
  kecs__json document = {KECS__JSON_NONE, NULL, 0};
  if (!status) {
    document = kecs__json_check(text, strlen(text), NULL);
  }
  while (kecs__json_next_member(document, &walk, &member, &value)) {
    char plain[128]; /* long and odd names are nobody's but the stored document's */
    if (!kecs__json_string_into(member, plain, sizeof plain, NULL) || !kecs__json_member(update, plain).type) {
      kecs__import_extra_member(import, member, value);
    }
  }
  import->status = kecs_status_class(status) == KECS_CLASS_CALLER ? KECS_OK : status;
  kecs_result_free(stored);
}

static void kecs__import_bare(kecs__import *import, kecs__json object, const kecs__members *own,
                              const kecs__shape *shape, kecs_kind kind) {
  kecs__item item = {object, object.text, own, kind, shape ? shape->what : kecs_kind_describe(kind)->name};
  if (shape && shape->nameless && !import->options.name) {
    kecs__import_refuse(import, object.text, shape->what, KECS_E_INVALID, "the service has no name; give it one");
    return;
  }
  if (shape && shape->nameless) {
    kecs__import_extra_text(import, "serviceName", import->options.name);
  }
  if (shape && shape->update) {
    kecs__import_update(import, object, own);
  }
  kecs__import_resource(import, &item, NULL);
}

/* ---- responses ---- */

/* What stands in a response's member: an object of its kind, or a name. */
static void kecs__import_held(kecs__import *import, kecs__json value, const kecs__holder *holder,
                              const kecs__members *around) {
  kecs__members own;
  kecs__item item = {value, value.text, &own, holder->kind, holder->what};
  if (value.type != KECS__JSON_OBJECT) {
    kecs__import_refuse(import, value.text, holder->what, KECS_E_UNSUPPORTED, "a name, not a resource");
    return;
  }
  if (!holder->kind) {
    kecs__import_refuse(import, value.text, holder->what, KECS_E_UNSUPPORTED, "the store has no such kind");
    return;
  }
  kecs__members_read(value, &own);
  kecs__import_resource(import, &item, around);
}

/* All resources of a response. `only` limits it to members of that kind. False when it holds none. */
static bool kecs__import_response(kecs__import *import, kecs__json object, const kecs__members *around,
                                  kecs_kind only) {
  bool held = false;
  const kecs__holder *holder = NULL;
  for (size_t i = 0; (holder = kecs__holder_at(i)) != NULL; i++) {
    kecs__json value = around->at[holder->member];
    kecs__json_walk walk = {NULL};
    kecs__json element;
    size_t count = 0;
    if (value.type == KECS__JSON_NONE || (only && holder->kind != only)) {
      continue;
    }
    held = true;
    if (value.type == KECS__JSON_OBJECT) {
      kecs__import_held(import, value, holder, around);
      continue;
    }
    while (!import->status && kecs__json_next_element(value, &walk, &element)) {
      if (count++ == 0 && element.type != KECS__JSON_OBJECT) {
        kecs__import_refuse(import, object.text, holder->what, KECS_E_UNSUPPORTED, "a list of names, nothing to store");
        break;
      }
      kecs__import_held(import, element, holder, around);
    }
    if (count == 0) {
      kecs__import_refuse(import, object.text, holder->what, KECS_E_UNSUPPORTED, "an empty list, nothing to store");
    }
  }
  return held;
}

/* ---- values ---- */

/* An exported document stands on one line, and what it holds is kept byte for byte, so white space is written folded:
 * tab as tab tab, newline as tab blank tab, carriage return as tab blank blank. None of these can stand in a string, so
 * this is the same JSON for everybody else. Gives the text as it was; a text that is not folded as it is. */
static kecs__json kecs__import_unfold(kecs__import *import, kecs__json document) {
  kecs__text *copy = &import->copy;
  const char *end = document.text + document.len;
  const char *at = memchr(document.text, '\t', document.len);
  const char *done = document.text;
  if (!at || memchr(document.text, '\n', document.len) || memchr(document.text, '\r', document.len)) {
    return document;
  }
  kecs__text_clear(copy);
  for (; at; at = memchr(done, '\t', (size_t)(end - done))) {
    /* The document ends with a bracket, so there are two more bytes after a tab, or it is not folded. */
    bool blank = end - at > 2 && at[1] == ' ';
    if (end - at < 3 || (at[1] != '\t' && !(blank && (at[2] == '\t' || at[2] == ' ')))) {
      return document;
    }
    kecs__text_add(copy, done, (size_t)(at - done));
    kecs__text_addc(copy, !blank ? '\t' : at[2] == '\t' ? '\n' : '\r');
    done = at + (blank ? 3 : 2);
  }
  kecs__text_add(copy, done, (size_t)(end - done));
  import->status = copy->status;
  return copy->status ? document : (kecs__json){KECS__JSON_OBJECT, copy->data, copy->len};
}

/* {"kind":..,"document":..}: what the command line exports. */
static void kecs__import_exported(kecs__import *import, const kecs__members *members, kecs_kind kind) {
  char name[64];
  kecs__json document = members->at[KECS__MEMBER_DOCUMENT];
  const kecs_kind_info *info = NULL;
  kecs__members own;
  if (kecs__json_string_into(members->at[KECS__MEMBER_KIND], name, sizeof name, NULL)) {
    info = kecs_kind_find(name);
  }
  if (!info) {
    kecs__import_refuse(import, members->at[KECS__MEMBER_KIND].text, "exported document", KECS_E_UNSUPPORTED,
                        "the store has no such kind");
  } else if (kind && kind != info->kind) {
    kecs__import_refuse(import, members->at[KECS__MEMBER_KIND].text, "exported document", KECS_E_INVALID,
                        "it is of another kind than asked for");
  } else {
    kecs__members_read(document, &own);
    kecs__item item = {kecs__import_unfold(import, document), document.text, &own, info->kind, "exported document"};
    kecs__import_item(import, &item);
  }
}

static void kecs__import_unknown(kecs__import *import, kecs__json object, const kecs__members *members,
                                 const kecs__shape *shape) {
  if (shape) {
    kecs__import_refuse(import, object.text, shape->what, KECS_E_UNSUPPORTED, shape->reason);
  } else if (members->arns) {
    kecs__import_refuse(import, object.text, "list response", KECS_E_UNSUPPORTED, "a list of ARNs, nothing to store");
  } else if (members->count == 0) {
    kecs__import_refuse(import, object.text, "empty object", KECS_E_UNSUPPORTED, "an empty object, nothing to store");
  } else {
    kecs__import_refuse(import, object.text, "unknown document", KECS_E_UNSUPPORTED,
                        "no resource of ECS or ELBv2 that the store knows");
  }
}

/* A call that was recorded: what was answered, or else what was asked for. */
static void kecs__import_call(kecs__import *import, kecs__json asked, kecs__json answered, kecs_kind kind, int depth) {
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  kecs__json before = import->group;
  bool answer = kecs__json_next_member(answered, &walk, &name, &value);
  import->group = kecs__json_member(asked, "TargetGroupArn");
  kecs__import_value(import, answer ? answered : asked, kind, depth + 1);
  import->group = before;
}

/* What stands around documents. False when the object is nothing of the sort. */
static bool kecs__import_wrapper(kecs__import *import, const kecs__members *members, kecs_kind kind, int depth) {
  const kecs__json *at = members->at;
  kecs__json_walk walk = {NULL};
  kecs__json name;
  kecs__json value;
  if (kecs__members_have(members, KECS__MEMBER_DATA) && kecs__members_have(members, KECS__MEMBER_STATUS_CODE)) {
    kecs__import_value(import, at[KECS__MEMBER_DATA], kind, depth + 1);
  } else if (kecs__members_have(members, KECS__MEMBER_IN)) {
    kecs__import_call(import, at[KECS__MEMBER_IN], at[KECS__MEMBER_OUT], kind, depth);
  } else if (kecs__members_have(members, KECS__MEMBER_INPUT)) {
    kecs__import_call(import, at[KECS__MEMBER_INPUT], at[KECS__MEMBER_OUTPUT], kind, depth);
  } else if (kecs__members_have(members, KECS__MEMBER_KIND) && kecs__members_have(members, KECS__MEMBER_DOCUMENT)) {
    kecs__import_exported(import, members, kind);
  } else if (kecs__members_have(members, KECS__MEMBER_ITEMS)) {
    kecs__import_value(import, at[KECS__MEMBER_ITEMS], kind, depth + 1);
  } else if (kecs__members_have(members, KECS__MEMBER_EXAMPLES)) {
    while (!import->status && kecs__json_next_member(at[KECS__MEMBER_EXAMPLES], &walk, &name, &value)) {
      kecs__import_value(import, value, kind, depth + 1);
    }
  } else {
    return false;
  }
  return true;
}

static void kecs__import_object(kecs__import *import, kecs__json object, kecs_kind kind, int depth) {
  kecs__members members;
  kecs__members_read(object, &members);
  const kecs__shape *shape = kecs__shape_of(&members);
  if (kind && shape && shape->kind != kind) {
    shape = NULL;
  }
  if (shape && shape->kind) {
    kecs__import_bare(import, object, &members, shape, shape->kind);
  } else if (kecs__import_wrapper(import, &members, kind, depth)) {
    return;
  } else if (kind) {
    if (!kecs__import_response(import, object, &members, kind)) {
      kecs__import_bare(import, object, &members, NULL, kind);
    }
  } else if (shape || !kecs__import_response(import, object, &members, (kecs_kind)0)) {
    kecs__import_unknown(import, object, &members, shape);
  }
}

static void kecs__import_value(kecs__import *import, kecs__json value, kecs_kind kind, int depth) {
  kecs__json_walk walk = {NULL};
  kecs__json element;
  size_t count = 0;
  if (depth > KECS__IMPORT_DEPTH) {
    kecs__import_refuse(import, value.text, "nested document", KECS_E_UNSUPPORTED, "more than 8 wrappers around it");
    return;
  }
  if (value.type == KECS__JSON_OBJECT) {
    kecs__import_object(import, value, kind, depth);
    return;
  }
  if (value.type != KECS__JSON_ARRAY) {
    kecs__import_refuse(import, value.text, "plain value", KECS_E_UNSUPPORTED, "neither an object nor an array");
    return;
  }
  while (!import->status && kecs__json_next_element(value, &walk, &element)) {
    count++;
    if (element.type != KECS__JSON_OBJECT && element.type != KECS__JSON_ARRAY) {
      kecs__import_refuse(import, value.text, "list", KECS_E_UNSUPPORTED, "a list of plain values, nothing to store");
      return;
    }
    kecs__import_value(import, element, kind, depth + 1);
  }
  if (count == 0) {
    kecs__import_refuse(import, value.text, "empty list", KECS_E_UNSUPPORTED, "an empty list, nothing to store");
  }
}

/* ---- texts ---- */

static size_t kecs__import_blank(const kecs__import *import, size_t at) {
  while (at < import->len && strchr(" \t\r\n", import->text[at]) && import->text[at]) {
    at++;
  }
  return at;
}

static size_t kecs__import_line_end(const kecs__import *import, size_t at) {
  while (at < import->len && import->text[at] != '\n' && import->text[at] != '\r') {
    at++;
  }
  return at;
}

/* Where to read on after a text that is not JSON: the next line, where documents stand one a line, else nowhere
 * (`len`). That they do is told by the documents before, and by a next line that begins with a document. */
static size_t kecs__import_resume(const kecs__import *import, size_t at, size_t fault) {
  size_t end = kecs__import_line_end(import, at);
  size_t next = kecs__import_blank(import, end);
  if (next >= import->len) {
    return import->len;
  }
  bool here = fault <= end || fault == next; /* a document that is cut off is found out where the next one begins */
  bool flush = import->text[next - 1] == '\n' || import->text[next - 1] == '\r';
  bool begins = flush && (import->text[next] == '{' || import->text[next] == '[');
  bool more = begins ? here || import->lines : here && flush && import->lines;
  return more ? next : import->len;
}

static void kecs__import_texts(kecs__import *import) {
  static const char mark[] = "\xEF\xBB\xBF";
  size_t at = import->len >= 3 && memcmp(import->text, mark, 3) == 0 ? 3 : 0;
  at = kecs__import_blank(import, at);
  if (at >= import->len) {
    kecs__import_fault(import, import->text, "empty text", "there is no document in it", 1, 1);
  }
  while (!import->status && at < import->len) {
    size_t used = 0;
    kecs__json_fault fault = {0, 0, 0, NULL};
    kecs__json value = kecs__json_check_first(import->text + at, import->len - at, &used, &fault);
    if (value.type == KECS__JSON_NONE) {
      kecs__import_fault(import, import->text + at, "text that is not JSON", fault.reason, fault.line, fault.column);
      at = kecs__import_resume(import, at, at + fault.offset);
      continue;
    }
    size_t end = (size_t)(value.text - import->text) + value.len;
    size_t line_end = kecs__import_line_end(import, at);
    import->lines = end <= line_end && kecs__import_blank(import, end) > line_end;
    kecs__import_value(import, value, import->options.kind, 0);
    at = kecs__import_blank(import, at + used);
  }
}

KECS_STORE_API kecs_status kecs_import(kecs_store *store, const char *text, size_t len,
                                       const kecs_import_options *options, int64_t *out_put, int64_t *out_refused) {
  kecs__import import;
  kecs_status status = kecs__check_handle(store);
  if (out_put) {
    *out_put = 0;
  }
  if (out_refused) {
    *out_refused = 0;
  }
  if (!status) {
    status = kecs__check_pointer(text, "text");
  }
  if (!status && options && options->kind && !kecs_kind_describe(options->kind)) {
    status = kecs__fail(KECS_E_INVALID, "there is no kind number %d", (int)options->kind);
  }
  if (status) {
    return status;
  }
  kecs__import_init(&import, store, text, len == SIZE_MAX ? strlen(text) : len, options);
  kecs__import_texts(&import);
  kecs__import_end(&import);
  if (out_put) {
    *out_put = import.put;
  }
  if (out_refused) {
    *out_refused = import.refused;
  }
  return import.status;
}

/* ---- store/modify.c ---------------------------------------------------------------------------------------------- */
/* store/modify.c -- create, update, upsert, delete: for every kind. */

#include <string.h>

KECS__FN kecs_status kecs__give_back(kecs__write *write, const kecs__meta *meta, int64_t rid,
                                     kecs_result **out_result) {
  bool found = false;
  kecs_result *result = NULL;
  if (!out_result) {
    return KECS_OK;
  }
  kecs_status status = kecs__result_begin(write->store, meta, &result);
  void *row = status ? NULL : kecs__result_add(result);
  if (!status) {
    status = row ? kecs__row_by_rid(write->session, meta, rid, &result->arena, row, &found) : KECS_E_NOMEM;
  }
  return kecs__result_end(status, result, out_result);
}

/* Ends a write; a result that was made goes with a failure. */
static kecs_status kecs__modify_end(kecs__write *write, kecs_status status, kecs_result **out_result) {
  status = kecs__write_close(write, status);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

KECS__FN kecs_status kecs__with_write_result(kecs_store *store, kecs_status (*work)(kecs__write *write, void *user),
                                             void *user, kecs_result **out_result) {
  if (out_result) {
    *out_result = NULL;
  }
  kecs_status status = kecs__with_write(store, work, user);
  if (status && out_result) {
    kecs_result_free(*out_result);
    *out_result = NULL;
  }
  return status;
}

static const kecs__meta *kecs__modify_begin(kecs_store *store, kecs_kind kind, kecs_result **out_result,
                                            kecs__write *write) {
  if (out_result) {
    *out_result = NULL;
  }
  memset(write, 0, sizeof *write);
  const kecs__meta *meta = kecs__meta_checked(store, kind);
  return meta;
}

/* ---- create ---- */

/* The stored row as the result has it: the filled copy, its texts copied once more. */
static kecs_status kecs__create_keep(const kecs__meta *meta, const void *row, kecs_result *result) {
  kecs_value values[64];
  for (int i = 0; i < meta->info->column_count; i++) {
    values[i] = kecs__row_value(meta->info, row, i);
  }
  void *kept = kecs__result_add(result);
  return kept ? kecs__row_read(meta, values, &result->arena, kept) : KECS_E_NOMEM;
}

static kecs_status kecs__create_rows(kecs__write *write, const kecs__meta *meta, const void *rows, size_t count,
                                     kecs_result *result) {
  size_t size = meta->info->row_size;
  void *copy = kecs__alloc(&write->engine->allocator, size);
  kecs_status status = copy ? KECS_OK : KECS_E_NOMEM;
  if (!status && (count > 1 || result)) {
    status = kecs__write_guard(write);
  }
  for (size_t i = 0; !status && i < count; i++) {
    memcpy(copy, (const char *)rows + i * size, size);
    kecs__arena_reset(&write->arena);
    status = write->engine->strict ? kecs__validate_row(meta->info, copy) : KECS_OK;
    if (!status) {
      status = kecs__row_insert(write, meta, copy, 0);
    }
    if (!status && result) {
      status = kecs__create_keep(meta, copy, result);
    }
    if (status && count > 1) {
      (void)kecs__fail_context("row %zu of %zu", i + 1, count);
    }
  }
  kecs__release(&write->engine->allocator, copy, size);
  return status;
}

KECS__FN kecs_status kecs__create_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count,
                                       kecs_result **out_result) {
  kecs__write write;
  kecs_result *result = NULL;
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = count > 0 ? kecs__check_pointer(rows, "row") : KECS_OK;
  if (!status && out_result) {
    status = kecs__result_begin(store, meta, &result);
  }
  if (!status) {
    status = kecs__write_open(store, &write);
  }
  if (!status) {
    status = kecs__create_rows(&write, meta, rows, count, result);
  }
  if (out_result) {
    *out_result = result;
  }
  return kecs__modify_end(&write, status, out_result);
}

KECS_STORE_API kecs_status kecs_record_create(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result) {
  return kecs__create_many(store, kind, row, 1, out_result);
}

/* ---- update ---- */

static kecs_status kecs__update_mask(const kecs__meta *meta, uint64_t asked, uint64_t *out_mask) {
  if (meta->info->flags & (KECS_KIND_APPEND)) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s rows are never changed, only added and removed", meta->info->name);
  }
  *out_mask = asked & meta->updatable;
  if (asked == UINT64_MAX) {
    return KECS_OK;
  }
  for (int i = 0; i < meta->info->column_count; i++) {
    if ((asked & KECS_BIT(i)) && !(meta->updatable & KECS_BIT(i))) {
      return kecs__fail(
          KECS_E_INVALID, "%s.%s can't be changed: it is %s", meta->info->name, meta->info->columns[i].name,
          meta->info->columns[i].group == KECS_GROUP_KEY ? "part of the row's identity" : "written by the store alone");
    }
  }
  bool beyond = meta->info->column_count < 64 && (asked >> meta->info->column_count) != 0;
  return beyond ? kecs__fail(KECS_E_INVALID, "the mask names a column that %s does not have", meta->info->name)
                : KECS_OK;
}

/* The probe of an update must be the natural key: READ_FIELDS reads by that. Another key is turned into a rid first. */
static kecs_status kecs__update_find(kecs__write *write, const kecs__meta *meta, const void *row, kecs__probe *probe,
                                     kecs__change *change) {
  kecs_status status = kecs__probe_row(write->session, meta, row, &write->arena, probe);
  change->probe = probe;
  if (!status && probe->key != 0) {
    status = kecs__probe_find(write->session, meta, probe, &write->arena, &change->rid);
    if (!status && change->rid == 0) {
      status = kecs__fail_probe(meta, probe);
    }
  }
  return status;
}

KECS__FN kecs_status kecs__update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                  kecs_result **out_result) {
  kecs__write write;
  kecs__probe probe;
  kecs__change change = {0};
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__check_pointer(row, "row");
  if (!status) {
    status = kecs__update_mask(meta, mask, &change.mask);
  }
  if (!status && store->engine->strict) {
    status = kecs__validate_update(meta->info, row, change.mask);
  }
  if (!status) {
    status = kecs__write_open(store, &write);
  }
  if (!status && out_result) {
    status = kecs__write_guard(&write); /* giving the row back can fail when it is written already */
  }
  if (!status) {
    status = kecs__update_find(&write, meta, row, &probe, &change);
  }
  if (!status) {
    change.row = row;
    change.version = kecs__row_number(meta->info, row, meta->version);
    status = kecs__row_change(&write, meta, &change);
  }
  if (!status) {
    status = kecs__give_back(&write, meta, change.rid, out_result);
  }
  return kecs__modify_end(&write, status, out_result);
}

KECS_STORE_API kecs_status kecs_record_update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask,
                                              kecs_result **out_result) {
  return kecs__update(store, kind, row, mask, out_result);
}

/* ---- upsert ---- */

/* Whether the row is there, by its natural key or, where that is not set, by its name. */
static kecs_status kecs__upsert_find(kecs__write *write, const kecs__meta *meta, const void *row,
                                     kecs__change *change) {
  kecs__probe probe;
  const kecs__special *special = kecs__special_of(meta->info->kind);
  if (special->is_new && special->is_new(meta, row)) {
    return KECS_OK;
  }
  kecs_error before = kecs__error_save();
  kecs_status status = kecs__probe_row(write->session, meta, row, &write->arena, &probe);
  if (status == KECS_E_NOT_FOUND || status == KECS_E_INVALID || status == KECS_E_MISUSE) {
    (void)kecs__error_restore(&before);
    return KECS_OK; /* no key to look for: create will say what is missing, if anything is */
  }
  return status ? status : kecs__probe_find(write->session, meta, &probe, &write->arena, &change->rid);
}

/* By the natural key, which the fill has completed: look-ups may have inserted rows of their own since. */
static kecs_status kecs__inserted_rid(kecs__write *write, const kecs__meta *meta, const void *row, int64_t *out_rid) {
  kecs__probe probe;
  kecs_status status = kecs__probe_row(write->session, meta, row, &write->arena, &probe);
  return status ? status : kecs__probe_rid(write->session, meta, &probe, out_rid);
}

KECS__FN kecs_status kecs__row_upsert(kecs__write *write, const kecs__meta *meta, void *row, uint64_t given,
                                      kecs_result **out_result) {
  kecs__change change = {0};
  kecs_status status = kecs__upsert_find(write, meta, row, &change);
  int64_t version = given ? 0 : kecs__row_number(meta->info, row, meta->version);
  if (!status && change.rid == 0 && version != 0) {
    char name[160];
    kecs__row_name(meta->info, row, name);
    status = kecs__fail(KECS_E_CONFLICT, "%s \"%s\" had version %lld and is gone: somebody has deleted it",
                        meta->info->name, name, (long long)version);
  } else if (!status && change.rid == 0) {
    status = kecs__row_insert(write, meta, row, given);
    if (!status && out_result) {
      status = kecs__inserted_rid(write, meta, row, &change.rid);
    }
  } else if (!status) {
    change.row = row;
    change.mask = meta->updatable | (given & meta->automatic);
    change.version = version;
    status = kecs__row_change(write, meta, &change);
  }
  return status ? status : kecs__give_back(write, meta, change.rid, out_result);
}

KECS__FN kecs_status kecs__upsert(kecs_store *store, kecs_kind kind, const void *row, kecs_result **out_result) {
  kecs__write write;
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  uint64_t mask = 0;
  kecs_status status = kecs__check_pointer(row, "row");
  if (!status) {
    status = kecs__update_mask(meta, UINT64_MAX, &mask);
  }
  if (!status && store->engine->strict) {
    status = kecs__validate_row(meta->info, row);
  }
  if (!status) {
    status = kecs__write_open(store, &write);
  }
  if (!status) {
    status = kecs__write_guard(&write);
  }
  void *copy = status ? NULL : kecs__arena_take(&write.arena, meta->info->row_size);
  if (!status) {
    status = copy ? KECS_OK : KECS_E_NOMEM;
  }
  if (!status) {
    memcpy(copy, row, meta->info->row_size);
    status = kecs__row_upsert(&write, meta, copy, 0, out_result);
  }
  return kecs__modify_end(&write, status, out_result);
}

KECS_STORE_API kecs_status kecs_record_upsert(kecs_store *store, kecs_kind kind, const void *row,
                                              kecs_result **out_result) {
  return kecs__upsert(store, kind, row, out_result);
}

/* ---- one addressed row ---- */

KECS__FN kecs_status kecs__edit_one(kecs_store *store, kecs_kind kind, const kecs_value *address, int count,
                                    kecs_status (*edit)(kecs__write *write, void *row, void *user, uint64_t *out_mask),
                                    void *user, kecs_result **out_result) {
  kecs__write write;
  kecs__probe probe;
  kecs__change change = {0};
  const kecs__meta *meta = kecs__modify_begin(store, kind, out_result, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__write_guard(&write);
  }
  void *row = status ? NULL : kecs__arena_take(&write.arena, meta->info->row_size);
  if (!status) {
    status = row ? kecs__probe_address(write.session, meta, address, count, &write.arena, &probe) : KECS_E_NOMEM;
  }
  if (!status) {
    status = kecs__probe_read(write.session, meta, &probe, &write.arena, row, &change.rid);
  }
  if (!status) {
    status = edit(&write, row, user, &change.mask);
  }
  if (!status && store->engine->strict) {
    status = kecs__validate_update(meta->info, row, change.mask);
  }
  if (!status) {
    change.row = row;
    status = kecs__row_change(&write, meta, &change);
  }
  if (!status) {
    status = kecs__give_back(&write, meta, change.rid, out_result);
  }
  return kecs__modify_end(&write, status, out_result);
}

/* ---- delete ---- */

static kecs_status kecs__delete_probed(kecs__write *write, const kecs__meta *meta, const kecs__probe *probe) {
  int64_t rid = 0;
  void *row = kecs__arena_take(&write->arena, meta->info->row_size);
  kecs_status status = row ? kecs__probe_read(write->session, meta, probe, &write->arena, row, &rid) : KECS_E_NOMEM;
  return status ? status : kecs__row_delete(write, meta, rid, row);
}

KECS__FN kecs_status kecs__delete(kecs_store *store, kecs_kind kind, const kecs_value *address, int count) {
  kecs__write write;
  kecs__probe probe;
  const kecs__meta *meta = kecs__modify_begin(store, kind, NULL, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__probe_address(write.session, meta, address, count, &write.arena, &probe);
  }
  if (!status) {
    status = kecs__delete_probed(&write, meta, &probe);
  }
  return kecs__modify_end(&write, status, NULL);
}

KECS_STORE_API kecs_status kecs_record_delete(kecs_store *store, kecs_kind kind, const char *key) {
  kecs__write write;
  kecs__probe probe;
  const kecs__meta *meta = kecs__modify_begin(store, kind, NULL, &write);
  if (!meta) {
    return kecs_last_error()->status;
  }
  kecs_status status = kecs__write_open(store, &write);
  if (!status) {
    status = kecs__probe_text(write.session, meta, key, &write.arena, &probe);
  }
  if (!status) {
    status = kecs__delete_probed(&write, meta, &probe);
  }
  return kecs__modify_end(&write, status, NULL);
}

/* ---- gen/api.c --------------------------------------------------------------------------------------------------- */
/* gen/api.c -- bodies of the typed functions. Generated by amalgamate.py from src/kinds. Do not edit. */

/* ---- Functions: cluster ---- */

typedef struct kecs__cluster_visitor {
  kecs_status (*visit)(const kecs_cluster *row, void *user);
  void *user;
} kecs__cluster_visitor;

static kecs_status kecs__cluster_visit(const void *row, void *user) {
  const kecs__cluster_visitor *visitor = (const kecs__cluster_visitor *)user;
  return visitor->visit((const kecs_cluster *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_cluster_create(kecs_store *store, const kecs_cluster *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_CLUSTER, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_create_many(kecs_store *store, const kecs_cluster *rows, size_t count,
                                                    kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_CLUSTER, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_get(kecs_store *store, const char *name, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_CLUSTER, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                 kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_CLUSTER, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_CLUSTER, query, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_each(kecs_store *store, const kecs_query *query,
                                             kecs_status (*visit)(const kecs_cluster *row, void *user), void *user) {
  kecs__cluster_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__cluster_visit;
  return kecs__each(store, KECS_KIND_CLUSTER, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_cluster_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_CLUSTER, query, out_count);
}

KECS_STORE_API kecs_status kecs_cluster_update(kecs_store *store, const kecs_cluster *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_CLUSTER, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_update_fields(kecs_store *store, const kecs_cluster *row, uint64_t mask,
                                                      kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_CLUSTER, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_upsert(kecs_store *store, const kecs_cluster *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_CLUSTER, row, out_result);
}

KECS_STORE_API kecs_status kecs_cluster_delete(kecs_store *store, const char *name) {
  const kecs_value address[] = {kecs__value_text(name)};
  return kecs__delete(store, KECS_KIND_CLUSTER, address, 1);
}

KECS_STORE_API const kecs_cluster *kecs_cluster_at(const kecs_result *result, size_t index) {
  return (const kecs_cluster *)kecs__at(result, KECS_KIND_CLUSTER, index);
}

/* ---- Functions: task_definition ---- */

typedef struct kecs__task_definition_visitor {
  kecs_status (*visit)(const kecs_task_definition *row, void *user);
  void *user;
} kecs__task_definition_visitor;

static kecs_status kecs__task_definition_visit(const void *row, void *user) {
  const kecs__task_definition_visitor *visitor = (const kecs__task_definition_visitor *)user;
  return visitor->visit((const kecs_task_definition *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_task_definition_create(kecs_store *store, const kecs_task_definition *row,
                                                       kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK_DEFINITION, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_create_many(kecs_store *store, const kecs_task_definition *rows,
                                                            size_t count, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK_DEFINITION, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_get(kecs_store *store, const char *family, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(family)};
  return kecs__get(store, KECS_KIND_TASK_DEFINITION, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                         kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_TASK_DEFINITION, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_list(kecs_store *store, const kecs_query *query,
                                                     kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_TASK_DEFINITION, query, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_each(
    kecs_store *store, const kecs_query *query, kecs_status (*visit)(const kecs_task_definition *row, void *user),
    void *user) {
  kecs__task_definition_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__task_definition_visit;
  return kecs__each(store, KECS_KIND_TASK_DEFINITION, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_task_definition_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_TASK_DEFINITION, query, out_count);
}

KECS_STORE_API kecs_status kecs_task_definition_update(kecs_store *store, const kecs_task_definition *row,
                                                       kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TASK_DEFINITION, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_update_fields(kecs_store *store, const kecs_task_definition *row,
                                                              uint64_t mask, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TASK_DEFINITION, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_upsert(kecs_store *store, const kecs_task_definition *row,
                                                       kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_TASK_DEFINITION, row, out_result);
}

KECS_STORE_API kecs_status kecs_task_definition_delete(kecs_store *store, const char *family) {
  const kecs_value address[] = {kecs__value_text(family)};
  return kecs__delete(store, KECS_KIND_TASK_DEFINITION, address, 1);
}

KECS_STORE_API const kecs_task_definition *kecs_task_definition_at(const kecs_result *result, size_t index) {
  return (const kecs_task_definition *)kecs__at(result, KECS_KIND_TASK_DEFINITION, index);
}

/* ---- Functions: service ---- */

typedef struct kecs__service_visitor {
  kecs_status (*visit)(const kecs_service *row, void *user);
  void *user;
} kecs__service_visitor;

static kecs_status kecs__service_visit(const void *row, void *user) {
  const kecs__service_visitor *visitor = (const kecs__service_visitor *)user;
  return visitor->visit((const kecs_service *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_service_create(kecs_store *store, const kecs_service *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_SERVICE, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_service_create_many(kecs_store *store, const kecs_service *rows, size_t count,
                                                    kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_SERVICE, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_service_get(kecs_store *store, const char *cluster, const char *name,
                                            kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_SERVICE, address, 2, out_result);
}

KECS_STORE_API kecs_status kecs_service_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                 kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_SERVICE, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_service_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_SERVICE, query, out_result);
}

KECS_STORE_API kecs_status kecs_service_each(kecs_store *store, const kecs_query *query,
                                             kecs_status (*visit)(const kecs_service *row, void *user), void *user) {
  kecs__service_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__service_visit;
  return kecs__each(store, KECS_KIND_SERVICE, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_service_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_SERVICE, query, out_count);
}

KECS_STORE_API kecs_status kecs_service_update(kecs_store *store, const kecs_service *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_SERVICE, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_service_update_fields(kecs_store *store, const kecs_service *row, uint64_t mask,
                                                      kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_SERVICE, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_service_upsert(kecs_store *store, const kecs_service *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_SERVICE, row, out_result);
}

KECS_STORE_API kecs_status kecs_service_delete(kecs_store *store, const char *cluster, const char *name) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(name)};
  return kecs__delete(store, KECS_KIND_SERVICE, address, 2);
}

KECS_STORE_API const kecs_service *kecs_service_at(const kecs_result *result, size_t index) {
  return (const kecs_service *)kecs__at(result, KECS_KIND_SERVICE, index);
}

/* ---- Functions: task ---- */

typedef struct kecs__task_visitor {
  kecs_status (*visit)(const kecs_task *row, void *user);
  void *user;
} kecs__task_visitor;

static kecs_status kecs__task_visit(const void *row, void *user) {
  const kecs__task_visitor *visitor = (const kecs__task_visitor *)user;
  return visitor->visit((const kecs_task *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_task_create(kecs_store *store, const kecs_task *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_task_create_many(kecs_store *store, const kecs_task *rows, size_t count,
                                                 kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_get(kecs_store *store, const char *cluster, const char *id,
                                         kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(id)};
  return kecs__get(store, KECS_KIND_TASK, address, 2, out_result);
}

KECS_STORE_API kecs_status kecs_task_get_many(kecs_store *store, const char *const *keys, size_t count,
                                              kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_TASK, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_TASK, query, out_result);
}

KECS_STORE_API kecs_status kecs_task_each(kecs_store *store, const kecs_query *query,
                                          kecs_status (*visit)(const kecs_task *row, void *user), void *user) {
  kecs__task_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__task_visit;
  return kecs__each(store, KECS_KIND_TASK, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_task_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_TASK, query, out_count);
}

KECS_STORE_API kecs_status kecs_task_update(kecs_store *store, const kecs_task *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TASK, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_task_update_fields(kecs_store *store, const kecs_task *row, uint64_t mask,
                                                   kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TASK, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_task_upsert(kecs_store *store, const kecs_task *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_TASK, row, out_result);
}

KECS_STORE_API kecs_status kecs_task_delete(kecs_store *store, const char *cluster, const char *id) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(id)};
  return kecs__delete(store, KECS_KIND_TASK, address, 2);
}

KECS_STORE_API const kecs_task *kecs_task_at(const kecs_result *result, size_t index) {
  return (const kecs_task *)kecs__at(result, KECS_KIND_TASK, index);
}

/* ---- Functions: task_set ---- */

typedef struct kecs__task_set_visitor {
  kecs_status (*visit)(const kecs_task_set *row, void *user);
  void *user;
} kecs__task_set_visitor;

static kecs_status kecs__task_set_visit(const void *row, void *user) {
  const kecs__task_set_visitor *visitor = (const kecs__task_set_visitor *)user;
  return visitor->visit((const kecs_task_set *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_task_set_create(kecs_store *store, const kecs_task_set *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK_SET, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_create_many(kecs_store *store, const kecs_task_set *rows, size_t count,
                                                     kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK_SET, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_get(kecs_store *store, const char *service, const char *id,
                                             kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(service), kecs__value_text(id)};
  return kecs__get(store, KECS_KIND_TASK_SET, address, 2, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                  kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_TASK_SET, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_TASK_SET, query, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_each(kecs_store *store, const kecs_query *query,
                                              kecs_status (*visit)(const kecs_task_set *row, void *user), void *user) {
  kecs__task_set_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__task_set_visit;
  return kecs__each(store, KECS_KIND_TASK_SET, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_task_set_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_TASK_SET, query, out_count);
}

KECS_STORE_API kecs_status kecs_task_set_update(kecs_store *store, const kecs_task_set *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TASK_SET, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_update_fields(kecs_store *store, const kecs_task_set *row, uint64_t mask,
                                                       kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TASK_SET, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_upsert(kecs_store *store, const kecs_task_set *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_TASK_SET, row, out_result);
}

KECS_STORE_API kecs_status kecs_task_set_delete(kecs_store *store, const char *service, const char *id) {
  const kecs_value address[] = {kecs__value_text(service), kecs__value_text(id)};
  return kecs__delete(store, KECS_KIND_TASK_SET, address, 2);
}

KECS_STORE_API const kecs_task_set *kecs_task_set_at(const kecs_result *result, size_t index) {
  return (const kecs_task_set *)kecs__at(result, KECS_KIND_TASK_SET, index);
}

/* ---- Functions: container_instance ---- */

typedef struct kecs__container_instance_visitor {
  kecs_status (*visit)(const kecs_container_instance *row, void *user);
  void *user;
} kecs__container_instance_visitor;

static kecs_status kecs__container_instance_visit(const void *row, void *user) {
  const kecs__container_instance_visitor *visitor = (const kecs__container_instance_visitor *)user;
  return visitor->visit((const kecs_container_instance *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_container_instance_create(kecs_store *store, const kecs_container_instance *row,
                                                          kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_CONTAINER_INSTANCE, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_create_many(kecs_store *store, const kecs_container_instance *rows,
                                                               size_t count, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_CONTAINER_INSTANCE, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_get(kecs_store *store, const char *cluster, const char *id,
                                                       kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(id)};
  return kecs__get(store, KECS_KIND_CONTAINER_INSTANCE, address, 2, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                            kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_CONTAINER_INSTANCE, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_list(kecs_store *store, const kecs_query *query,
                                                        kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_CONTAINER_INSTANCE, query, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_each(
    kecs_store *store, const kecs_query *query, kecs_status (*visit)(const kecs_container_instance *row, void *user),
    void *user) {
  kecs__container_instance_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__container_instance_visit;
  return kecs__each(store, KECS_KIND_CONTAINER_INSTANCE, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_container_instance_count(kecs_store *store, const kecs_query *query,
                                                         int64_t *out_count) {
  return kecs__count(store, KECS_KIND_CONTAINER_INSTANCE, query, out_count);
}

KECS_STORE_API kecs_status kecs_container_instance_update(kecs_store *store, const kecs_container_instance *row,
                                                          kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_CONTAINER_INSTANCE, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_update_fields(kecs_store *store,
                                                                 const kecs_container_instance *row, uint64_t mask,
                                                                 kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_CONTAINER_INSTANCE, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_upsert(kecs_store *store, const kecs_container_instance *row,
                                                          kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_CONTAINER_INSTANCE, row, out_result);
}

KECS_STORE_API kecs_status kecs_container_instance_delete(kecs_store *store, const char *cluster, const char *id) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(id)};
  return kecs__delete(store, KECS_KIND_CONTAINER_INSTANCE, address, 2);
}

KECS_STORE_API const kecs_container_instance *kecs_container_instance_at(const kecs_result *result, size_t index) {
  return (const kecs_container_instance *)kecs__at(result, KECS_KIND_CONTAINER_INSTANCE, index);
}

/* ---- Functions: attribute ---- */

typedef struct kecs__attribute_visitor {
  kecs_status (*visit)(const kecs_attribute *row, void *user);
  void *user;
} kecs__attribute_visitor;

static kecs_status kecs__attribute_visit(const void *row, void *user) {
  const kecs__attribute_visitor *visitor = (const kecs__attribute_visitor *)user;
  return visitor->visit((const kecs_attribute *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_attribute_create(kecs_store *store, const kecs_attribute *row,
                                                 kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_ATTRIBUTE, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_create_many(kecs_store *store, const kecs_attribute *rows, size_t count,
                                                      kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_ATTRIBUTE, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_get(kecs_store *store, const char *cluster, const char *target_type,
                                              const char *target_id, const char *name, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(target_type), kecs__value_text(target_id),
                                kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_ATTRIBUTE, address, 4, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                   kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_ATTRIBUTE, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_ATTRIBUTE, query, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_each(kecs_store *store, const kecs_query *query,
                                               kecs_status (*visit)(const kecs_attribute *row, void *user),
                                               void *user) {
  kecs__attribute_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__attribute_visit;
  return kecs__each(store, KECS_KIND_ATTRIBUTE, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_attribute_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_ATTRIBUTE, query, out_count);
}

KECS_STORE_API kecs_status kecs_attribute_update(kecs_store *store, const kecs_attribute *row,
                                                 kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_ATTRIBUTE, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_update_fields(kecs_store *store, const kecs_attribute *row, uint64_t mask,
                                                        kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_ATTRIBUTE, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_upsert(kecs_store *store, const kecs_attribute *row,
                                                 kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_ATTRIBUTE, row, out_result);
}

KECS_STORE_API kecs_status kecs_attribute_delete(kecs_store *store, const char *cluster, const char *target_type,
                                                 const char *target_id, const char *name) {
  const kecs_value address[] = {kecs__value_text(cluster), kecs__value_text(target_type), kecs__value_text(target_id),
                                kecs__value_text(name)};
  return kecs__delete(store, KECS_KIND_ATTRIBUTE, address, 4);
}

KECS_STORE_API const kecs_attribute *kecs_attribute_at(const kecs_result *result, size_t index) {
  return (const kecs_attribute *)kecs__at(result, KECS_KIND_ATTRIBUTE, index);
}

/* ---- Functions: account_setting ---- */

typedef struct kecs__account_setting_visitor {
  kecs_status (*visit)(const kecs_account_setting *row, void *user);
  void *user;
} kecs__account_setting_visitor;

static kecs_status kecs__account_setting_visit(const void *row, void *user) {
  const kecs__account_setting_visitor *visitor = (const kecs__account_setting_visitor *)user;
  return visitor->visit((const kecs_account_setting *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_account_setting_create(kecs_store *store, const kecs_account_setting *row,
                                                       kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_ACCOUNT_SETTING, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_create_many(kecs_store *store, const kecs_account_setting *rows,
                                                            size_t count, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_ACCOUNT_SETTING, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_get(kecs_store *store, const char *principal, const char *name,
                                                    kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(principal), kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_ACCOUNT_SETTING, address, 2, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                         kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_ACCOUNT_SETTING, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_list(kecs_store *store, const kecs_query *query,
                                                     kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_ACCOUNT_SETTING, query, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_each(
    kecs_store *store, const kecs_query *query, kecs_status (*visit)(const kecs_account_setting *row, void *user),
    void *user) {
  kecs__account_setting_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__account_setting_visit;
  return kecs__each(store, KECS_KIND_ACCOUNT_SETTING, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_account_setting_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_ACCOUNT_SETTING, query, out_count);
}

KECS_STORE_API kecs_status kecs_account_setting_update(kecs_store *store, const kecs_account_setting *row,
                                                       kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_ACCOUNT_SETTING, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_update_fields(kecs_store *store, const kecs_account_setting *row,
                                                              uint64_t mask, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_ACCOUNT_SETTING, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_upsert(kecs_store *store, const kecs_account_setting *row,
                                                       kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_ACCOUNT_SETTING, row, out_result);
}

KECS_STORE_API kecs_status kecs_account_setting_delete(kecs_store *store, const char *principal, const char *name) {
  const kecs_value address[] = {kecs__value_text(principal), kecs__value_text(name)};
  return kecs__delete(store, KECS_KIND_ACCOUNT_SETTING, address, 2);
}

KECS_STORE_API const kecs_account_setting *kecs_account_setting_at(const kecs_result *result, size_t index) {
  return (const kecs_account_setting *)kecs__at(result, KECS_KIND_ACCOUNT_SETTING, index);
}

/* ---- Functions: task_log ---- */

typedef struct kecs__task_log_visitor {
  kecs_status (*visit)(const kecs_task_log *row, void *user);
  void *user;
} kecs__task_log_visitor;

static kecs_status kecs__task_log_visit(const void *row, void *user) {
  const kecs__task_log_visitor *visitor = (const kecs__task_log_visitor *)user;
  return visitor->visit((const kecs_task_log *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_task_log_create(kecs_store *store, const kecs_task_log *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK_LOG, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_task_log_create_many(kecs_store *store, const kecs_task_log *rows, size_t count,
                                                     kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TASK_LOG, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_log_get(kecs_store *store, const char *id, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__get(store, KECS_KIND_TASK_LOG, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_task_log_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                  kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_TASK_LOG, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_task_log_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_TASK_LOG, query, out_result);
}

KECS_STORE_API kecs_status kecs_task_log_each(kecs_store *store, const kecs_query *query,
                                              kecs_status (*visit)(const kecs_task_log *row, void *user), void *user) {
  kecs__task_log_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__task_log_visit;
  return kecs__each(store, KECS_KIND_TASK_LOG, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_task_log_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_TASK_LOG, query, out_count);
}

KECS_STORE_API kecs_status kecs_task_log_delete(kecs_store *store, const char *id) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__delete(store, KECS_KIND_TASK_LOG, address, 1);
}

KECS_STORE_API const kecs_task_log *kecs_task_log_at(const kecs_result *result, size_t index) {
  return (const kecs_task_log *)kecs__at(result, KECS_KIND_TASK_LOG, index);
}

/* ---- Functions: load_balancer ---- */

typedef struct kecs__load_balancer_visitor {
  kecs_status (*visit)(const kecs_load_balancer *row, void *user);
  void *user;
} kecs__load_balancer_visitor;

static kecs_status kecs__load_balancer_visit(const void *row, void *user) {
  const kecs__load_balancer_visitor *visitor = (const kecs__load_balancer_visitor *)user;
  return visitor->visit((const kecs_load_balancer *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_load_balancer_create(kecs_store *store, const kecs_load_balancer *row,
                                                     kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_LOAD_BALANCER, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_create_many(kecs_store *store, const kecs_load_balancer *rows,
                                                          size_t count, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_LOAD_BALANCER, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_get(kecs_store *store, const char *name, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_LOAD_BALANCER, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                       kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_LOAD_BALANCER, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_list(kecs_store *store, const kecs_query *query,
                                                   kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_LOAD_BALANCER, query, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_each(kecs_store *store, const kecs_query *query,
                                                   kecs_status (*visit)(const kecs_load_balancer *row, void *user),
                                                   void *user) {
  kecs__load_balancer_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__load_balancer_visit;
  return kecs__each(store, KECS_KIND_LOAD_BALANCER, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_load_balancer_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_LOAD_BALANCER, query, out_count);
}

KECS_STORE_API kecs_status kecs_load_balancer_update(kecs_store *store, const kecs_load_balancer *row,
                                                     kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_LOAD_BALANCER, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_update_fields(kecs_store *store, const kecs_load_balancer *row,
                                                            uint64_t mask, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_LOAD_BALANCER, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_upsert(kecs_store *store, const kecs_load_balancer *row,
                                                     kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_LOAD_BALANCER, row, out_result);
}

KECS_STORE_API kecs_status kecs_load_balancer_delete(kecs_store *store, const char *name) {
  const kecs_value address[] = {kecs__value_text(name)};
  return kecs__delete(store, KECS_KIND_LOAD_BALANCER, address, 1);
}

KECS_STORE_API const kecs_load_balancer *kecs_load_balancer_at(const kecs_result *result, size_t index) {
  return (const kecs_load_balancer *)kecs__at(result, KECS_KIND_LOAD_BALANCER, index);
}

/* ---- Functions: target_group ---- */

typedef struct kecs__target_group_visitor {
  kecs_status (*visit)(const kecs_target_group *row, void *user);
  void *user;
} kecs__target_group_visitor;

static kecs_status kecs__target_group_visit(const void *row, void *user) {
  const kecs__target_group_visitor *visitor = (const kecs__target_group_visitor *)user;
  return visitor->visit((const kecs_target_group *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_target_group_create(kecs_store *store, const kecs_target_group *row,
                                                    kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TARGET_GROUP, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_create_many(kecs_store *store, const kecs_target_group *rows,
                                                         size_t count, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TARGET_GROUP, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_get(kecs_store *store, const char *name, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(name)};
  return kecs__get(store, KECS_KIND_TARGET_GROUP, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                      kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_TARGET_GROUP, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_list(kecs_store *store, const kecs_query *query,
                                                  kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_TARGET_GROUP, query, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_each(kecs_store *store, const kecs_query *query,
                                                  kecs_status (*visit)(const kecs_target_group *row, void *user),
                                                  void *user) {
  kecs__target_group_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__target_group_visit;
  return kecs__each(store, KECS_KIND_TARGET_GROUP, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_target_group_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_TARGET_GROUP, query, out_count);
}

KECS_STORE_API kecs_status kecs_target_group_update(kecs_store *store, const kecs_target_group *row,
                                                    kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TARGET_GROUP, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_update_fields(kecs_store *store, const kecs_target_group *row,
                                                           uint64_t mask, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TARGET_GROUP, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_upsert(kecs_store *store, const kecs_target_group *row,
                                                    kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_TARGET_GROUP, row, out_result);
}

KECS_STORE_API kecs_status kecs_target_group_delete(kecs_store *store, const char *name) {
  const kecs_value address[] = {kecs__value_text(name)};
  return kecs__delete(store, KECS_KIND_TARGET_GROUP, address, 1);
}

KECS_STORE_API const kecs_target_group *kecs_target_group_at(const kecs_result *result, size_t index) {
  return (const kecs_target_group *)kecs__at(result, KECS_KIND_TARGET_GROUP, index);
}

/* ---- Functions: listener ---- */

typedef struct kecs__listener_visitor {
  kecs_status (*visit)(const kecs_listener *row, void *user);
  void *user;
} kecs__listener_visitor;

static kecs_status kecs__listener_visit(const void *row, void *user) {
  const kecs__listener_visitor *visitor = (const kecs__listener_visitor *)user;
  return visitor->visit((const kecs_listener *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_listener_create(kecs_store *store, const kecs_listener *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_LISTENER, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_listener_create_many(kecs_store *store, const kecs_listener *rows, size_t count,
                                                     kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_LISTENER, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_listener_get(kecs_store *store, const char *arn, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(arn)};
  return kecs__get(store, KECS_KIND_LISTENER, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_listener_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                  kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_LISTENER, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_listener_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_LISTENER, query, out_result);
}

KECS_STORE_API kecs_status kecs_listener_each(kecs_store *store, const kecs_query *query,
                                              kecs_status (*visit)(const kecs_listener *row, void *user), void *user) {
  kecs__listener_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__listener_visit;
  return kecs__each(store, KECS_KIND_LISTENER, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_listener_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_LISTENER, query, out_count);
}

KECS_STORE_API kecs_status kecs_listener_update(kecs_store *store, const kecs_listener *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_LISTENER, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_listener_update_fields(kecs_store *store, const kecs_listener *row, uint64_t mask,
                                                       kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_LISTENER, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_listener_upsert(kecs_store *store, const kecs_listener *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_LISTENER, row, out_result);
}

KECS_STORE_API kecs_status kecs_listener_delete(kecs_store *store, const char *arn) {
  const kecs_value address[] = {kecs__value_text(arn)};
  return kecs__delete(store, KECS_KIND_LISTENER, address, 1);
}

KECS_STORE_API const kecs_listener *kecs_listener_at(const kecs_result *result, size_t index) {
  return (const kecs_listener *)kecs__at(result, KECS_KIND_LISTENER, index);
}

/* ---- Functions: rule ---- */

typedef struct kecs__rule_visitor {
  kecs_status (*visit)(const kecs_rule *row, void *user);
  void *user;
} kecs__rule_visitor;

static kecs_status kecs__rule_visit(const void *row, void *user) {
  const kecs__rule_visitor *visitor = (const kecs__rule_visitor *)user;
  return visitor->visit((const kecs_rule *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_rule_create(kecs_store *store, const kecs_rule *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_RULE, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_rule_create_many(kecs_store *store, const kecs_rule *rows, size_t count,
                                                 kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_RULE, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_rule_get(kecs_store *store, const char *arn, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(arn)};
  return kecs__get(store, KECS_KIND_RULE, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_rule_get_many(kecs_store *store, const char *const *keys, size_t count,
                                              kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_RULE, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_rule_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_RULE, query, out_result);
}

KECS_STORE_API kecs_status kecs_rule_each(kecs_store *store, const kecs_query *query,
                                          kecs_status (*visit)(const kecs_rule *row, void *user), void *user) {
  kecs__rule_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__rule_visit;
  return kecs__each(store, KECS_KIND_RULE, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_rule_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_RULE, query, out_count);
}

KECS_STORE_API kecs_status kecs_rule_update(kecs_store *store, const kecs_rule *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_RULE, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_rule_update_fields(kecs_store *store, const kecs_rule *row, uint64_t mask,
                                                   kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_RULE, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_rule_upsert(kecs_store *store, const kecs_rule *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_RULE, row, out_result);
}

KECS_STORE_API kecs_status kecs_rule_delete(kecs_store *store, const char *arn) {
  const kecs_value address[] = {kecs__value_text(arn)};
  return kecs__delete(store, KECS_KIND_RULE, address, 1);
}

KECS_STORE_API const kecs_rule *kecs_rule_at(const kecs_result *result, size_t index) {
  return (const kecs_rule *)kecs__at(result, KECS_KIND_RULE, index);
}

/* ---- Functions: target ---- */

typedef struct kecs__target_visitor {
  kecs_status (*visit)(const kecs_target *row, void *user);
  void *user;
} kecs__target_visitor;

static kecs_status kecs__target_visit(const void *row, void *user) {
  const kecs__target_visitor *visitor = (const kecs__target_visitor *)user;
  return visitor->visit((const kecs_target *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_target_create(kecs_store *store, const kecs_target *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TARGET, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_target_create_many(kecs_store *store, const kecs_target *rows, size_t count,
                                                   kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TARGET, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_target_get(kecs_store *store, const char *target_group, const char *id, int64_t port,
                                           kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(target_group), kecs__value_text(id), kecs__value_int(port)};
  return kecs__get(store, KECS_KIND_TARGET, address, 3, out_result);
}

KECS_STORE_API kecs_status kecs_target_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_TARGET, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_target_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_TARGET, query, out_result);
}

KECS_STORE_API kecs_status kecs_target_each(kecs_store *store, const kecs_query *query,
                                            kecs_status (*visit)(const kecs_target *row, void *user), void *user) {
  kecs__target_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__target_visit;
  return kecs__each(store, KECS_KIND_TARGET, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_target_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_TARGET, query, out_count);
}

KECS_STORE_API kecs_status kecs_target_update(kecs_store *store, const kecs_target *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TARGET, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_target_update_fields(kecs_store *store, const kecs_target *row, uint64_t mask,
                                                     kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TARGET, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_target_upsert(kecs_store *store, const kecs_target *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_TARGET, row, out_result);
}

KECS_STORE_API kecs_status kecs_target_delete(kecs_store *store, const char *target_group, const char *id,
                                              int64_t port) {
  const kecs_value address[] = {kecs__value_text(target_group), kecs__value_text(id), kecs__value_int(port)};
  return kecs__delete(store, KECS_KIND_TARGET, address, 3);
}

KECS_STORE_API const kecs_target *kecs_target_at(const kecs_result *result, size_t index) {
  return (const kecs_target *)kecs__at(result, KECS_KIND_TARGET, index);
}

/* ---- Functions: tag ---- */

typedef struct kecs__tag_visitor {
  kecs_status (*visit)(const kecs_tag *row, void *user);
  void *user;
} kecs__tag_visitor;

static kecs_status kecs__tag_visit(const void *row, void *user) {
  const kecs__tag_visitor *visitor = (const kecs__tag_visitor *)user;
  return visitor->visit((const kecs_tag *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_tag_create(kecs_store *store, const kecs_tag *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TAG, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_tag_create_many(kecs_store *store, const kecs_tag *rows, size_t count,
                                                kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_TAG, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_tag_get(kecs_store *store, const char *resource, const char *key,
                                        kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(resource), kecs__value_text(key)};
  return kecs__get(store, KECS_KIND_TAG, address, 2, out_result);
}

KECS_STORE_API kecs_status kecs_tag_get_many(kecs_store *store, const char *const *keys, size_t count,
                                             kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_TAG, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_tag_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_TAG, query, out_result);
}

KECS_STORE_API kecs_status kecs_tag_each(kecs_store *store, const kecs_query *query,
                                         kecs_status (*visit)(const kecs_tag *row, void *user), void *user) {
  kecs__tag_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__tag_visit;
  return kecs__each(store, KECS_KIND_TAG, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_tag_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_TAG, query, out_count);
}

KECS_STORE_API kecs_status kecs_tag_update(kecs_store *store, const kecs_tag *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TAG, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_tag_update_fields(kecs_store *store, const kecs_tag *row, uint64_t mask,
                                                  kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_TAG, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_tag_upsert(kecs_store *store, const kecs_tag *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_TAG, row, out_result);
}

KECS_STORE_API kecs_status kecs_tag_delete(kecs_store *store, const char *resource, const char *key) {
  const kecs_value address[] = {kecs__value_text(resource), kecs__value_text(key)};
  return kecs__delete(store, KECS_KIND_TAG, address, 2);
}

KECS_STORE_API const kecs_tag *kecs_tag_at(const kecs_result *result, size_t index) {
  return (const kecs_tag *)kecs__at(result, KECS_KIND_TAG, index);
}

/* ---- Functions: event ---- */

typedef struct kecs__event_visitor {
  kecs_status (*visit)(const kecs_event *row, void *user);
  void *user;
} kecs__event_visitor;

static kecs_status kecs__event_visit(const void *row, void *user) {
  const kecs__event_visitor *visitor = (const kecs__event_visitor *)user;
  return visitor->visit((const kecs_event *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_event_create(kecs_store *store, const kecs_event *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_EVENT, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_event_create_many(kecs_store *store, const kecs_event *rows, size_t count,
                                                  kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_EVENT, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_event_get(kecs_store *store, const char *id, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__get(store, KECS_KIND_EVENT, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_event_get_many(kecs_store *store, const char *const *keys, size_t count,
                                               kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_EVENT, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_event_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_EVENT, query, out_result);
}

KECS_STORE_API kecs_status kecs_event_each(kecs_store *store, const kecs_query *query,
                                           kecs_status (*visit)(const kecs_event *row, void *user), void *user) {
  kecs__event_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__event_visit;
  return kecs__each(store, KECS_KIND_EVENT, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_event_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_EVENT, query, out_count);
}

KECS_STORE_API kecs_status kecs_event_delete(kecs_store *store, const char *id) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__delete(store, KECS_KIND_EVENT, address, 1);
}

KECS_STORE_API const kecs_event *kecs_event_at(const kecs_result *result, size_t index) {
  return (const kecs_event *)kecs__at(result, KECS_KIND_EVENT, index);
}

/* ---- Functions: node ---- */

typedef struct kecs__node_visitor {
  kecs_status (*visit)(const kecs_node *row, void *user);
  void *user;
} kecs__node_visitor;

static kecs_status kecs__node_visit(const void *row, void *user) {
  const kecs__node_visitor *visitor = (const kecs__node_visitor *)user;
  return visitor->visit((const kecs_node *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_node_create(kecs_store *store, const kecs_node *row, kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_NODE, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_node_create_many(kecs_store *store, const kecs_node *rows, size_t count,
                                                 kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_NODE, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_node_get(kecs_store *store, const char *id, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__get(store, KECS_KIND_NODE, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_node_get_many(kecs_store *store, const char *const *keys, size_t count,
                                              kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_NODE, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_node_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_NODE, query, out_result);
}

KECS_STORE_API kecs_status kecs_node_each(kecs_store *store, const kecs_query *query,
                                          kecs_status (*visit)(const kecs_node *row, void *user), void *user) {
  kecs__node_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__node_visit;
  return kecs__each(store, KECS_KIND_NODE, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_node_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_NODE, query, out_count);
}

KECS_STORE_API kecs_status kecs_node_update(kecs_store *store, const kecs_node *row, kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_NODE, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_node_update_fields(kecs_store *store, const kecs_node *row, uint64_t mask,
                                                   kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_NODE, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_node_upsert(kecs_store *store, const kecs_node *row, kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_NODE, row, out_result);
}

KECS_STORE_API kecs_status kecs_node_delete(kecs_store *store, const char *id) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__delete(store, KECS_KIND_NODE, address, 1);
}

KECS_STORE_API const kecs_node *kecs_node_at(const kecs_result *result, size_t index) {
  return (const kecs_node *)kecs__at(result, KECS_KIND_NODE, index);
}

/* ---- Functions: node_task ---- */

typedef struct kecs__node_task_visitor {
  kecs_status (*visit)(const kecs_node_task *row, void *user);
  void *user;
} kecs__node_task_visitor;

static kecs_status kecs__node_task_visit(const void *row, void *user) {
  const kecs__node_task_visitor *visitor = (const kecs__node_task_visitor *)user;
  return visitor->visit((const kecs_node_task *)row, visitor->user);
}

KECS_STORE_API kecs_status kecs_node_task_create(kecs_store *store, const kecs_node_task *row,
                                                 kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_NODE_TASK, row, 1, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_create_many(kecs_store *store, const kecs_node_task *rows, size_t count,
                                                      kecs_result **out_result) {
  return kecs__create_many(store, KECS_KIND_NODE_TASK, rows, count, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_get(kecs_store *store, const char *id, kecs_result **out_result) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__get(store, KECS_KIND_NODE_TASK, address, 1, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_get_many(kecs_store *store, const char *const *keys, size_t count,
                                                   kecs_result **out_result) {
  return kecs__get_many(store, KECS_KIND_NODE_TASK, keys, count, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_list(kecs_store *store, const kecs_query *query, kecs_result **out_result) {
  return kecs__list(store, KECS_KIND_NODE_TASK, query, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_each(kecs_store *store, const kecs_query *query,
                                               kecs_status (*visit)(const kecs_node_task *row, void *user),
                                               void *user) {
  kecs__node_task_visitor visitor = {visit, user};
  kecs_status (*call)(const void *row, void *user) = visit == NULL ? NULL : kecs__node_task_visit;
  return kecs__each(store, KECS_KIND_NODE_TASK, query, call, &visitor);
}

KECS_STORE_API kecs_status kecs_node_task_count(kecs_store *store, const kecs_query *query, int64_t *out_count) {
  return kecs__count(store, KECS_KIND_NODE_TASK, query, out_count);
}

KECS_STORE_API kecs_status kecs_node_task_update(kecs_store *store, const kecs_node_task *row,
                                                 kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_NODE_TASK, row, UINT64_MAX, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_update_fields(kecs_store *store, const kecs_node_task *row, uint64_t mask,
                                                        kecs_result **out_result) {
  return kecs__update(store, KECS_KIND_NODE_TASK, row, mask, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_upsert(kecs_store *store, const kecs_node_task *row,
                                                 kecs_result **out_result) {
  return kecs__upsert(store, KECS_KIND_NODE_TASK, row, out_result);
}

KECS_STORE_API kecs_status kecs_node_task_delete(kecs_store *store, const char *id) {
  const kecs_value address[] = {kecs__value_text(id)};
  return kecs__delete(store, KECS_KIND_NODE_TASK, address, 1);
}

KECS_STORE_API const kecs_node_task *kecs_node_task_at(const kecs_result *result, size_t index) {
  return (const kecs_node_task *)kecs__at(result, KECS_KIND_NODE_TASK, index);
}

/* ---- sqlite/errors.c --------------------------------------------------------------------------------------------- */
/* sqlite/errors.c -- SQLite's result codes as ours. The only place that maps them. */

/* ---- sqlite/connection.h ----------------------------------------------------------------------------------------- */
/* sqlite/connection.h -- one SQLite connection: how it is opened, and how its errors become ours. */
#ifndef KECS_SQLITE_CONNECTION_H
#define KECS_SQLITE_CONNECTION_H

struct kecs_connection {
  sqlite3 *db;
  const kecs_allocator *allocator;
  const kecs_logger *logger;
  char *path;
  int busy_timeout_ms;
  int64_t busy_since_us; /* when the running wait for another connection began */
  int page_bytes;        /* of a file that is made; 0: SQLite's own */
  int log_kib;
  bool (*should_stop)(void *user);
  void *should_stop_user;
  bool deaf;                /* the stop hook is not asked: a rollback runs */
  sqlite3_stmt *begin_write; /* BEGIN IMMEDIATE: a transaction that may write never starts as a reader */
  sqlite3_stmt *begin_read;
  sqlite3_stmt *commit;
  sqlite3_stmt *rollback; /* made ahead: it must run when there is no memory left */
};

struct kecs_statement {
  kecs_connection *connection;
  sqlite3_stmt *handle;
};

KECS__FN kecs_status kecs__sqlite_connect(const kecs_connect_options *options, kecs_connection **out_connection);
KECS__FN void kecs__sqlite_disconnect(kecs_connection *connection);

/* sqlite/settings.c: the first look into the file; what is set on each connection, and on the file; what is there. */
KECS__FN int kecs__sqlite_look(kecs_connection *connection, const kecs_connect_options *options);
KECS__FN kecs_status kecs__sqlite_configure(kecs_connection *connection, const kecs_connect_options *options);
KECS__FN kecs_status kecs__sqlite_settle(kecs_connection *connection);
KECS__FN kecs_status kecs__sqlite_tidy(kecs_connection *connection);
KECS__FN kecs_status kecs__sqlite_describe(kecs_connection *connection, kecs_info *out_info);

/* Steps one of the connection's own statements to its end. */
KECS__FN kecs_status kecs__sqlite_run_fixed(kecs_connection *connection, sqlite3_stmt **statement);

/* Records a SQLite result code as the thread's error: our code, SQLite's own, and a line that says what to do. */
KECS__FN kecs_status kecs__sqlite_fail(kecs_connection *connection, int rc, const char *doing);

#endif

/* ---- sqlite/errors.c, continued ---------------------------------------------------------------------------------- */
#include <stdio.h>
#include <sys/statvfs.h>

typedef struct kecs__sqlite_code {
  int code; /* extended, or primary for all of its extended ones */
  kecs_status status;
  const char *advice;
} kecs__sqlite_code;

/* Extended codes stand before their primary code: the first row that matches decides. */
static const kecs__sqlite_code kecs__sqlite_codes[] = {
    {SQLITE_BUSY, KECS_E_BUSY, "another process holds the database; try again, or raise options.busy_timeout_ms"},
    {SQLITE_PROTOCOL, KECS_E_BUSY, "other processes hold the write-ahead log's locks; try again"},
    {SQLITE_LOCKED, KECS_E_BUSY, "another connection holds the table; try again"},
    {SQLITE_INTERRUPT, KECS_E_CANCELLED, "the call was stopped; nothing was stored"},
    {SQLITE_NOMEM, KECS_E_NOMEM, "free some memory or raise the process's limit"},
    {SQLITE_IOERR_NOMEM, KECS_E_NOMEM, "free some memory or raise the process's limit"},
    {SQLITE_READONLY, KECS_E_READONLY, "the file, its directory or its disk is read-only; check the permissions"},
    {SQLITE_FULL, KECS_E_FULL, "free space on the disk or raise the quota; reads go on meanwhile"},
    {SQLITE_CORRUPT, KECS_E_CORRUPT, "restore a backup; the file was left as it is"},
    {SQLITE_NOTADB, KECS_E_CORRUPT, "give another path, or restore a backup; the file was left as it is"},
    {SQLITE_CANTOPEN, KECS_E_IO, "check that the directory exists and may be written"},
    {SQLITE_IOERR, KECS_E_IO, "check the disk and the system log"},
    {SQLITE_PERM, KECS_E_DENIED, "check the permissions of the file"},
    {SQLITE_AUTH, KECS_E_DENIED, "check the permissions of the file"},
    {SQLITE_CONSTRAINT_UNIQUE, KECS_E_EXISTS, "the key is taken"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, KECS_E_EXISTS, "the key is taken"},
    {SQLITE_CONSTRAINT_ROWID, KECS_E_EXISTS, "the key is taken"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, KECS_E_REFERENCE, "create the parent first"},
    {SQLITE_CONSTRAINT, KECS_E_INVALID, "a column's value is not of its type, or missing"},
    {SQLITE_TOOBIG, KECS_E_INVALID, "a value is larger than SQLite takes"},
    {SQLITE_RANGE, KECS_E_MISUSE, "this is a bug in kecs_store or its backend"},
    {SQLITE_MISUSE, KECS_E_MISUSE, "this is a bug in kecs_store or its backend"},
    {SQLITE_ERROR, KECS_E_CORRUPT, "the schema is not what this version expects"},
};

/* A full disk shows as an I/O error where SQLite grows the memory that it shares between processes. */
static bool kecs__sqlite_no_space(const char *path) {
  struct statvfs info;
  return path && statvfs(path, &info) == 0 && info.f_blocks > 0 && info.f_bavail == 0;
}

KECS__FN kecs_status kecs__sqlite_fail(kecs_connection *connection, int rc, const char *doing) {
  int extended = sqlite3_extended_errcode(connection->db);
  if ((extended & 0xff) != (rc & 0xff)) {
    extended = rc;
  }
  const kecs__sqlite_code *found = NULL;
  for (size_t i = 0; !found && i < sizeof kecs__sqlite_codes / sizeof kecs__sqlite_codes[0]; i++) {
    int code = kecs__sqlite_codes[i].code;
    if (code == extended || (code <= 0xff && code == (extended & 0xff))) {
      found = &kecs__sqlite_codes[i];
    }
  }
  /* The extended code of an out-of-memory I/O error is named before SQLITE_IOERR by the search above. */
  kecs_status status = found ? found->status : KECS_E_IO;
  status = status == KECS_E_IO && kecs__sqlite_no_space(connection->path) ? KECS_E_FULL : status;
  char text[512];
  const char *said = sqlite3_errmsg(connection->db);
  snprintf(text, sizeof text, "%s: could not %s: %s; %s", connection->path ? connection->path : "SQLite", doing,
           said ? said : sqlite3_errstr(rc), found ? found->advice : "see the native code");
  return kecs_backend_fail(status, extended, NULL, text);
}

/* ---- sqlite/settings.c ------------------------------------------------------------------------------------------- */
/* sqlite/settings.c -- what is set on a connection and on its file, and read back: a pragma that is not understood, or
 * not possible there, is silently ignored by SQLite. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KECS__SQLITE_LOG_KIB 16000   /* the -wal file is moved into the database beyond this size */
#define KECS__SQLITE_LOG_CUT_TIMES 4 /* and is cut to so many times that when readers let it grow further */
#define KECS__SQLITE_TIDY_MS 50      /* how long tidying waits for readers to end */
#define KECS__SQLITE_LOOKASIDE_SIZE \
  128 /* where memory is short: small pieces that SQLite takes and gives all the time */
#define KECS__SQLITE_LOOKASIDE_COUNT 64

static int kecs__sqlite_exec(kecs_connection *connection, const char *sql) {
  return sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
}

static int kecs__sqlite_number(kecs_connection *connection, const char *sql, int64_t *out_number) {
  sqlite3_stmt *handle = NULL;
  int rc = sqlite3_prepare_v2(connection->db, sql, -1, &handle, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(handle);
  }
  if (rc == SQLITE_ROW) {
    *out_number = sqlite3_column_int64(handle, 0);
    rc = SQLITE_OK;
  }
  (void)sqlite3_finalize(handle);
  return rc;
}

static void kecs__sqlite_warn(const kecs_connection *connection, const char *what, int64_t wanted, int64_t found) {
  if (connection->logger && connection->logger->write) {
    char line[300];
    snprintf(line, sizeof line, "%s: %s is %lld, not %lld as wanted", connection->path, what, (long long)found,
             (long long)wanted);
    connection->logger->write(KECS_LOG_WARNING, line, connection->logger->user);
  }
}

/* Sets a pragma to a number and asks what it is now. What a promise stands on must be as wanted; the rest may differ.
 */
static kecs_status kecs__sqlite_set(kecs_connection *connection, const char *pragma, int64_t wanted, bool promised) {
  char sql[96];
  int64_t found = wanted - 1;
  snprintf(sql, sizeof sql, "PRAGMA %s=%lld", pragma, (long long)wanted);
  int rc = kecs__sqlite_exec(connection, sql);
  snprintf(sql, sizeof sql, "PRAGMA %s", pragma);
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_number(connection, sql, &found);
  }
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, sql);
  }
  if (found != wanted && promised) {
    return kecs__fail(KECS_E_UNSUPPORTED, "%s: %s was set to %lld and is %lld: this build of SQLite can't do that",
                      connection->path, sql, (long long)wanted, (long long)found);
  }
  if (found != wanted) {
    kecs__sqlite_warn(connection, sql, wanted, found);
  }
  return KECS_OK;
}

KECS__FN int kecs__sqlite_look(kecs_connection *connection, const kecs_connect_options *options) {
  if (options->small) {
    (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_LOOKASIDE, (void *)NULL, KECS__SQLITE_LOOKASIDE_SIZE,
                            KECS__SQLITE_LOOKASIDE_COUNT); /* a matter of speed */
  }
  return kecs__sqlite_exec(connection, "SELECT count(*) FROM sqlite_schema");
}

KECS__FN kecs_status kecs__sqlite_configure(kecs_connection *connection, const kecs_connect_options *options) {
  int rc = kecs__sqlite_exec(connection, "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, "open the database");
  }
  kecs_status status = kecs__sqlite_set(connection, "cache_size", -(int64_t)options->cache_kib, false);
  status = status ? status : kecs__sqlite_set(connection, "foreign_keys", options->no_foreign_keys ? 0 : 1, true);
  status = status ? status : kecs__sqlite_set(connection, "synchronous", options->full_durability ? 2 : 1, true);
  if (!status && options->reader) {
    status = kecs__sqlite_set(connection, "query_only", 1, true);
  }
  return status;
}

/* The names that PRAGMA journal_mode gives, as texts that live for ever. */
static const char *const kecs__sqlite_journal_modes[] = {"wal", "memory", "delete", "truncate", "persist", "off"};

static int kecs__sqlite_journal_mode(kecs_connection *connection, const char **out_mode) {
  sqlite3_stmt *handle = NULL;
  int rc = sqlite3_prepare_v2(connection->db, "PRAGMA journal_mode", -1, &handle, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(handle);
  }
  const char *mode = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(handle, 0) : NULL;
  for (size_t i = 0; mode && i < sizeof kecs__sqlite_journal_modes / sizeof kecs__sqlite_journal_modes[0]; i++) {
    if (strcmp(mode, kecs__sqlite_journal_modes[i]) == 0) {
      *out_mode = kecs__sqlite_journal_modes[i];
    }
  }
  (void)sqlite3_finalize(handle);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Switching a fresh file to WAL answers BUSY without asking the busy handler while another process does the same, hence
 * the loop. */
static int kecs__sqlite_settle_journal(kecs_connection *connection, const char **out_mode) {
  char sql[96];
  int len = 0;
  if (connection->page_bytes) {
    len = snprintf(sql, sizeof sql, "PRAGMA page_size=%d;", connection->page_bytes); /* of a file that is empty yet */
  }
  snprintf(sql + len, sizeof sql - (size_t)len, "PRAGMA journal_mode=WAL");
  int64_t since = kecs__monotonic_ms();
  int rc = kecs__sqlite_exec(connection, sql);
  while ((rc & 0xff) == SQLITE_BUSY && kecs__monotonic_ms() - since < connection->busy_timeout_ms) {
    kecs__sleep_ms(5);
    rc = kecs__sqlite_exec(connection, sql);
  }
  return rc == SQLITE_OK ? kecs__sqlite_journal_mode(connection, out_mode) : rc;
}

/* What lasts in the file, or writes to it: done once the store has seen that the file is its own. */
KECS__FN kecs_status kecs__sqlite_settle(kecs_connection *connection) {
  const char *mode = "unknown";
  int64_t page_bytes = 0;
  int rc = kecs__sqlite_settle_journal(connection, &mode);
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_number(connection, "PRAGMA page_size", &page_bytes);
  }
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, "switch to write-ahead logging");
  }
  if (strcmp(mode, "wal") != 0 && strcmp(mode, "memory") != 0) {
    return kecs__fail(KECS_E_UNSUPPORTED,
                      "%s: write-ahead logging can't be had there (journal mode %s); put the file on a "
                      "local disk that every process maps alike",
                      connection->path, mode);
  }
  if (connection->page_bytes && page_bytes != connection->page_bytes) {
    kecs__sqlite_warn(connection, "the page size", connection->page_bytes, page_bytes);
  }
  int64_t log_bytes = (int64_t)(connection->log_kib ? connection->log_kib : KECS__SQLITE_LOG_KIB) * 1024;
  int64_t pages = log_bytes / (page_bytes > 0 ? page_bytes : 4096);
  kecs_status status = kecs__sqlite_set(connection, "wal_autocheckpoint", pages > 0 ? pages : 1, true);
  if (!status) {
    status = kecs__sqlite_set(connection, "journal_size_limit", log_bytes * KECS__SQLITE_LOG_CUT_TIMES, true);
  }
  return status;
}

static const char *kecs__sqlite_synchronous(int64_t number) {
  static const char *const names[] = {"off", "normal", "full", "extra"};
  return number >= 0 && number < 4 ? names[number] : "unknown";
}

static int64_t kecs__sqlite_log_bytes(const kecs_connection *connection) {
  char wal[4096];
  struct stat info;
  int len = snprintf(wal, sizeof wal, "%s-wal", connection->path);
  return len > 0 && (size_t)len < sizeof wal && stat(wal, &info) == 0 ? (int64_t)info.st_size : 0;
}

KECS__FN kecs_status kecs__sqlite_tidy(kecs_connection *connection) {
  if (kecs__sqlite_log_bytes(connection) == 0) {
    return KECS_OK;
  }
  int patience = connection->busy_timeout_ms;
  connection->busy_timeout_ms = patience < KECS__SQLITE_TIDY_MS ? patience : KECS__SQLITE_TIDY_MS;
  int rc = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  connection->busy_timeout_ms = patience;
  bool later = (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED; /* somebody reads or writes: next time */
  return rc == SQLITE_OK || later ? KECS_OK : kecs__sqlite_fail(connection, rc, "empty the write-ahead log");
}

/* Memory that SQLite has taken for this connection: pages, schema, statements. */
static int64_t kecs__sqlite_memory(const kecs_connection *connection) {
  static const int parts[] = {SQLITE_DBSTATUS_CACHE_USED, SQLITE_DBSTATUS_SCHEMA_USED, SQLITE_DBSTATUS_STMT_USED};
  int64_t sum = 0;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    int now = 0;
    int most = 0;
    sum += sqlite3_db_status(connection->db, parts[i], &now, &most, 0) == SQLITE_OK ? now : 0;
  }
  return sum;
}

KECS__FN kecs_status kecs__sqlite_describe(kecs_connection *connection, kecs_info *out_info) {
  int64_t synchronous = -1;
  int64_t pages = 0;
  int64_t cache = 0;
  out_info->journal_mode = "unknown";
  int rc = kecs__sqlite_journal_mode(connection, &out_info->journal_mode);
  struct {
    const char *sql;
    int64_t *number;
  } const asked[] = {{"PRAGMA page_count", &pages},
                     {"PRAGMA page_size", &out_info->page_bytes},
                     {"PRAGMA synchronous", &synchronous},
                     {"PRAGMA cache_size", &cache},
                     {"PRAGMA wal_autocheckpoint", &out_info->wal_checkpoint_bytes},
                     {"PRAGMA journal_size_limit", &out_info->wal_limit_bytes}};
  for (size_t i = 0; rc == SQLITE_OK && i < sizeof asked / sizeof asked[0]; i++) {
    rc = kecs__sqlite_number(connection, asked[i].sql, asked[i].number);
  }
  if (rc != SQLITE_OK) {
    return kecs__sqlite_fail(connection, rc, "read the settings");
  }
  out_info->synchronous = kecs__sqlite_synchronous(synchronous);
  out_info->size_bytes = pages * out_info->page_bytes;
  out_info->cache_bytes = cache < 0 ? -cache * 1024 : cache * out_info->page_bytes;
  out_info->wal_checkpoint_bytes *= out_info->page_bytes;
  out_info->sqlite_bytes = kecs__sqlite_memory(connection);
  out_info->wal_bytes = kecs__sqlite_log_bytes(connection);
  return KECS_OK;
}

/* ---- sqlite/connection.c ----------------------------------------------------------------------------------------- */
/* sqlite/connection.c -- opening a file: what may be created, what is refused untouched, which settings hold. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif

#define KECS__SQLITE_PROGRESS_OPS 4000 /* some 50 microseconds between two looks at deadline and cancel */
#define KECS__SQLITE_SMALLEST 512      /* bytes: the smallest page that SQLite knows */

static bool kecs__sqlite_stop(const kecs_connection *connection) {
  return connection->should_stop && connection->should_stop(connection->should_stop_user);
}

static int kecs__sqlite_progress(void *user) {
  const kecs_connection *connection = user;
  return !connection->deaf && kecs__sqlite_stop(connection);
}

/* Called while another connection holds the lock: short naps first, so that a short lock costs little. Half of a nap is
 * chance: two that met once must not meet again and again. */
static int kecs__sqlite_wait(void *user, int tries) {
  kecs_connection *connection = user;
  int64_t now = kecs__monotonic_us();
  if (tries == 0) {
    connection->busy_since_us = now;
  }
  int64_t left = (int64_t)connection->busy_timeout_ms * 1000 - (now - connection->busy_since_us);
  if (left <= 0 || kecs__sqlite_stop(connection)) {
    return 0;
  }
  int64_t nap = tries < 4 ? 1000 : tries < 12 ? 5000 : 20000;
  nap = nap / 2 + now % nap;
  kecs__sleep_us(nap < left ? nap : left);
  return 1;
}

KECS__FN kecs_status kecs__sqlite_run_fixed(kecs_connection *connection, sqlite3_stmt **statement) {
  /* Deaf: SQLite asks the progress hook even after COMMIT has taken effect, and what is stored must not be told as
   * stopped. A wait for another process still listens. */
  connection->deaf = true;
  int rc = sqlite3_step(*statement);
  connection->deaf = false;
  if (rc == SQLITE_DONE) {
    (void)sqlite3_reset(*statement);
    return KECS_OK;
  }
  kecs_status status =
      kecs__sqlite_fail(connection, rc, statement == &connection->commit ? "commit" : "begin a transaction");
  (void)sqlite3_reset(*statement);
  return status;
}

/* Why a file could not be opened, in words that SQLite does not have. */
static kecs_status kecs__sqlite_explain(const kecs_connect_options *options, kecs_status status) {
  const char *path = options->path;
  struct stat info;
  if (stat(path, &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      return kecs__fail(KECS_E_INVALID, "%s is a directory; give the path of a file in it", path);
    }
    if (access(path, R_OK) != 0) {
      return kecs__fail(KECS_E_DENIED, "%s: %s; check the permissions of the file", path, strerror(errno));
    }
    return status;
  }
  if (errno == EACCES) {
    return kecs__fail(KECS_E_DENIED, "%s: permission denied; check the permissions of its directory", path);
  }
  if (!options->may_create) {
    return kecs__fail(KECS_E_NOT_FOUND, "%s does not exist; check the path, or leave out read_only and must_exist",
                      path);
  }
  const char *slash = strrchr(path, '/');
  char directory[1024];
  int len = slash ? (int)(slash - path) : 0;
  snprintf(directory, sizeof directory, "%.*s", len > 0 ? len : 1, slash ? path : ".");
  if (stat(directory, &info) != 0) {
    return kecs__fail(KECS_E_NOT_FOUND, "%s: the directory %s does not exist; create it first", path, directory);
  }
  if (!S_ISDIR(info.st_mode)) {
    return kecs__fail(KECS_E_INVALID, "%s: %s is not a directory", path, directory);
  }
  if (access(directory, W_OK) != 0) {
    return kecs__fail(errno == EROFS ? KECS_E_READONLY : KECS_E_DENIED, "%s: the directory %s may not be written: %s",
                      path, directory, strerror(errno));
  }
  return status;
}

static int kecs__sqlite_prepare_fixed(kecs_connection *connection, const char *sql, sqlite3_stmt **out) {
  return sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

/* The connection's own statements, made ahead: a rollback must run when there is no memory left. */
static kecs_status kecs__sqlite_prepare_all(kecs_connection *connection) {
  int rc = kecs__sqlite_prepare_fixed(connection, "BEGIN IMMEDIATE", &connection->begin_write);
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "BEGIN", &connection->begin_read);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "COMMIT", &connection->commit);
  }
  if (rc == SQLITE_OK) {
    rc = kecs__sqlite_prepare_fixed(connection, "ROLLBACK", &connection->rollback);
  }
  return rc == SQLITE_OK ? KECS_OK : kecs__sqlite_fail(connection, rc, "prepare a statement");
}

/* Write-ahead logging needs memory that all processes share, which a network file system does not give: what looks like
 * success there ends in a damaged file. */
static kecs_status kecs__sqlite_check_place(const char *path) {
#if defined(__linux__)
  static const unsigned long networks[] = {0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x73757245, 0x5346414F};
  struct statfs info;
  if (statfs(path, &info) == 0) {
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
      if (((unsigned long)info.f_type & 0xFFFFFFFFUL) == networks[i]) {
        return kecs__fail(KECS_E_UNSUPPORTED,
                          "%s lies on a network file system, where SQLite's locks are not reliable; "
                          "put it on a local disk",
                          path);
      }
    }
  }
#else
  (void)path;
#endif
  return KECS_OK;
}

/* SQLite takes a file of a few bytes for an empty database and would write over it. */
static kecs_status kecs__sqlite_check_size(const char *path) {
  struct stat info;
  if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 && info.st_size < KECS__SQLITE_SMALLEST) {
    return kecs__fail(KECS_E_CORRUPT,
                      "%s is not a database (it has %d bytes); give another path, or restore a backup; "
                      "the file was left as it is",
                      path, (int)info.st_size);
  }
  return KECS_OK;
}

static int kecs__sqlite_open(kecs_connection *connection, const kecs_connect_options *options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  flags |= options->may_create && !options->read_only ? SQLITE_OPEN_CREATE : 0;
  return sqlite3_open_v2(options->path, &connection->db, flags, NULL);
}

/* A file in WAL mode on a medium that can't be written has no -shm: it can still be read as an unchanging file, as long
 * as no -wal holds commits of its own. */
static int kecs__sqlite_open_immutable(kecs_connection *connection, const kecs_connect_options *options) {
  char path[4096];
  int len = snprintf(path, sizeof path, "%s-wal", options->path);
  if (len < 0 || (size_t)len >= sizeof path || access(path, F_OK) == 0) {
    return SQLITE_CANTOPEN;
  }
  size_t used = 0;
  memcpy(path, "file:", 5);
  used = 5;
  for (const char *at = options->path; *at; at++) {
    if (used + 16 >= sizeof path) {
      return SQLITE_CANTOPEN;
    }
    if (strchr("%?#", *at)) {
      used += (size_t)snprintf(path + used, sizeof path - used, "%%%02X", (unsigned)(unsigned char)*at);
    } else {
      path[used++] = *at;
    }
  }
  snprintf(path + used, sizeof path - used, "?immutable=1");
  (void)sqlite3_close(connection->db);
  connection->db = NULL;
  return sqlite3_open_v2(path, &connection->db,
                         SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
}

static void kecs__sqlite_hooks(kecs_connection *connection) {
  (void)sqlite3_busy_handler(connection->db, kecs__sqlite_wait, connection);
  sqlite3_progress_handler(connection->db, KECS__SQLITE_PROGRESS_OPS, kecs__sqlite_progress, connection);
  (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
  /* Plans that do not look at bound values: otherwise a new value for LIMIT prepares the statement anew each time. */
  (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, (int *)NULL);
}

KECS__FN void kecs__sqlite_disconnect(kecs_connection *connection) {
  (void)sqlite3_finalize(connection->begin_write);
  (void)sqlite3_finalize(connection->begin_read);
  (void)sqlite3_finalize(connection->commit);
  (void)sqlite3_finalize(connection->rollback);
  (void)sqlite3_close(connection->db);
  kecs__release(connection->allocator, connection->path, connection->path ? strlen(connection->path) + 1 : 0);
  kecs__release(connection->allocator, connection, sizeof *connection);
}

/* Opens the file and reads its schema, which is what finds out that a file is no database. */
static int kecs__sqlite_open_hooked(kecs_connection *connection, const kecs_connect_options *options, bool immutable) {
  int rc = immutable ? kecs__sqlite_open_immutable(connection, options) : kecs__sqlite_open(connection, options);
  if (rc == SQLITE_OK) {
    kecs__sqlite_hooks(connection);
    rc = kecs__sqlite_look(connection, options);
  }
  return rc;
}

static kecs_status kecs__sqlite_connect_fill(kecs_connection *connection, const kecs_connect_options *options) {
  connection->path = kecs__copy_text(options->allocator, options->path);
  if (!connection->path) {
    return KECS_E_NOMEM;
  }
  kecs_status status = kecs__sqlite_check_size(options->path);
  status = status ? status : kecs__sqlite_check_place(options->path);
  if (status) {
    return status;
  }
  int rc = kecs__sqlite_open_hooked(connection, options, false);
  if (!connection->db) {
    return kecs__fail_nomem();
  }
  if ((rc & 0xff) == SQLITE_CANTOPEN && options->read_only && access(options->path, R_OK) == 0) {
    rc = kecs__sqlite_open_hooked(connection, options, true);
  }
  if (rc != SQLITE_OK) {
    status = kecs__sqlite_fail(connection, rc, "open the database");
    return status == KECS_E_IO || status == KECS_E_DENIED ? kecs__sqlite_explain(options, status) : status;
  }
  bool writes = !options->read_only && !options->reader;
  status = kecs__sqlite_configure(connection, options);
  status = status ? status : kecs__sqlite_prepare_all(connection);
  if (!status && writes) {
    status = kecs__sqlite_check_place(options->path); /* now that it is there */
  }
  if (!status && writes && sqlite3_db_readonly(connection->db, "main") == 1) {
    return kecs__fail(KECS_E_READONLY, "%s may not be written; check its permissions, or open it with read_only",
                      options->path);
  }
  return status;
}

KECS__FN kecs_status kecs__sqlite_connect(const kecs_connect_options *options, kecs_connection **out_connection) {
  *out_connection = NULL;
  kecs_connection *connection = kecs__alloc_zero(options->allocator, sizeof *connection);
  if (!connection) {
    return KECS_E_NOMEM;
  }
  connection->busy_timeout_ms = options->busy_timeout_ms;
  connection->page_bytes = options->page_bytes;
  connection->log_kib = options->log_kib;
  connection->allocator = options->allocator;
  connection->logger = options->logger;
  connection->should_stop = options->should_stop;
  connection->should_stop_user = options->should_stop_user;
  kecs_status status = kecs__sqlite_connect_fill(connection, options);
  if (status) {
    kecs_error error = kecs__error_save();
    kecs__sqlite_disconnect(connection);
    return kecs__error_restore(&error);
  }
  *out_connection = connection;
  return KECS_OK;
}

/* ---- sqlite/backend.c -------------------------------------------------------------------------------------------- */
/* sqlite/backend.c -- SQLite behind the table of functions: statements, values, transactions. */

#include <limits.h>
#include <string.h>

static const kecs_dialect kecs__sqlite_dialect = {
    .type_text = "TEXT",
    .type_int = "INTEGER",
    .type_bool = "INTEGER",
    .type_time = "INTEGER",
    .type_rid = "INTEGER PRIMARY KEY",
    .table_options = " STRICT",
    .placeholder = '?',
};

static bool kecs__sqlite_answers_to(const char *path) {
  return strstr(path, "://") == NULL;
}

static bool kecs__sqlite_shares(const char *path) {
  return strcmp(path, ":memory:") != 0;
}

static void kecs__sqlite_rollback(kecs_connection *connection) {
  /* SQLite rolls back by itself after some failures; a second ROLLBACK is then an error of no interest. The stop hook
   * is out of the way: a rollback must happen when the deadline has passed, too. */
  if (!sqlite3_get_autocommit(connection->db)) {
    connection->deaf = true;
    (void)sqlite3_step(connection->rollback);
    (void)sqlite3_reset(connection->rollback);
    connection->deaf = false;
  }
}

static kecs_status kecs__sqlite_begin(kecs_connection *connection, bool write) {
  kecs__sqlite_rollback(connection); /* of a transaction whose own rollback failed; does nothing otherwise */
  return kecs__sqlite_run_fixed(connection, write ? &connection->begin_write : &connection->begin_read);
}

static kecs_status kecs__sqlite_commit(kecs_connection *connection) {
  return kecs__sqlite_run_fixed(connection, &connection->commit);
}

static bool kecs__sqlite_in_transaction(kecs_connection *connection) {
  return !sqlite3_get_autocommit(connection->db);
}

static kecs_status kecs__sqlite_execute(kecs_connection *connection, const char *sql) {
  int rc = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? KECS_OK : kecs__sqlite_fail(connection, rc, "run a statement");
}

static kecs_status kecs__sqlite_prepare(kecs_connection *connection, const char *sql, size_t len,
                                        kecs_statement **out_statement) {
  *out_statement = NULL;
  if (len > INT_MAX) {
    return kecs__fail(KECS_E_INVALID, "a statement of %zu bytes is too long", len);
  }
  kecs_statement *statement = kecs__alloc(connection->allocator, sizeof *statement);
  if (!statement) {
    return KECS_E_NOMEM;
  }
  statement->connection = connection;
  int rc = sqlite3_prepare_v3(connection->db, sql, (int)len, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL);
  if (rc != SQLITE_OK) {
    kecs_status status = kecs__sqlite_fail(connection, rc, "prepare a statement");
    kecs__release(connection->allocator, statement, sizeof *statement);
    return status;
  }
  *out_statement = statement;
  return KECS_OK;
}

static int kecs__sqlite_bind(sqlite3_stmt *handle, int at, const kecs_value *value) {
  switch (value->type) {
    case KECS_VALUE_NULL:
      return sqlite3_bind_null(handle, at);
    case KECS_VALUE_TEXT:
      return sqlite3_bind_text64(handle, at, value->text, (sqlite3_uint64)value->len, SQLITE_STATIC, SQLITE_UTF8);
    case KECS_VALUE_INT:
    case KECS_VALUE_BOOL:
    case KECS_VALUE_TIME:
      break;
  }
  return sqlite3_bind_int64(handle, at, value->number);
}

static kecs_status kecs__sqlite_start(kecs_statement *statement, const kecs_value *parameters, int count) {
  for (int i = 0; i < count; i++) {
    int rc = kecs__sqlite_bind(statement->handle, i + 1, &parameters[i]);
    if (rc != SQLITE_OK) {
      return kecs__sqlite_fail(statement->connection, rc, "bind a value");
    }
  }
  return KECS_OK;
}

static kecs_status kecs__sqlite_step(kecs_statement *statement, bool *out_row) {
  int rc = sqlite3_step(statement->handle);
  *out_row = rc == SQLITE_ROW;
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
    return KECS_OK;
  }
  return kecs__sqlite_fail(statement->connection, rc, "run a statement");
}

static void kecs__sqlite_column(sqlite3_value *value, kecs_value *out) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      out->type = KECS_VALUE_INT;
      out->number = sqlite3_value_int64(value);
      break;
    case SQLITE_NULL:
      out->type = KECS_VALUE_NULL;
      out->number = 0;
      break;
    default:
      out->type = KECS_VALUE_TEXT;
      out->text = (const char *)sqlite3_value_text(value);
      out->len = (size_t)sqlite3_value_bytes(value);
      break;
  }
}

/* Where the type is known, fewer calls do: the tables are STRICT, so a column holds its type or NULL. */
static void kecs__sqlite_columns(kecs_statement *statement, const kecs_value_type *types, kecs_value *out, int count) {
  for (int i = 0; i < count; i++) {
    kecs_value_type type = types ? types[i] : KECS_VALUE_NULL;
    if (type == KECS_VALUE_NULL) {
      kecs__sqlite_column(sqlite3_column_value(statement->handle, i), &out[i]);
    } else if (type == KECS_VALUE_TEXT) {
      sqlite3_value *value = sqlite3_column_value(statement->handle, i);
      out[i].text = (const char *)sqlite3_value_text(value);
      out[i].type = KECS_VALUE_NULL;
      if (out[i].text) {
        out[i].type = KECS_VALUE_TEXT;
        out[i].len = (size_t)sqlite3_value_bytes(value);
      } else if (sqlite3_value_type(value) != SQLITE_NULL) {
        out[i].type = KECS_VALUE_TEXT; /* without a text: there was no memory for it */
        out[i].len = 0;
      }
    } else {
      out[i].type = type;
      out[i].number = sqlite3_column_int64(statement->handle, i);
    }
  }
}

static void kecs__sqlite_reset(kecs_statement *statement) {
  (void)sqlite3_reset(statement->handle); /* repeats the step's error, which has been told */
}

static void kecs__sqlite_finish(kecs_statement *statement) {
  (void)sqlite3_finalize(statement->handle);
  kecs__release(statement->connection->allocator, statement, sizeof *statement);
}

static int64_t kecs__sqlite_changes(kecs_connection *connection) {
  return sqlite3_changes(connection->db);
}

static int64_t kecs__sqlite_last_rid(kecs_connection *connection) {
  return sqlite3_last_insert_rowid(connection->db);
}

/* Runs a query that gives names and hands each to `visit`. */
static kecs_status kecs__sqlite_names(kecs_connection *connection, const char *sql, const char *parameter,
                                      kecs_status (*visit)(const char *name, void *user), void *user) {
  sqlite3_stmt *handle = NULL;
  int rc = sqlite3_prepare_v2(connection->db, sql, -1, &handle, NULL);
  if (rc == SQLITE_OK && parameter) {
    rc = sqlite3_bind_text(handle, 1, parameter, -1, SQLITE_STATIC);
  }
  kecs_status status = KECS_OK;
  while (!status && rc == SQLITE_OK) {
    int step = sqlite3_step(handle);
    if (step == SQLITE_DONE) {
      break;
    }
    if (step != SQLITE_ROW) {
      rc = step;
      break;
    }
    const char *name = (const char *)sqlite3_column_text(handle, 0);
    status = name ? visit(name, user) : kecs__fail_nomem();
  }
  if (rc != SQLITE_OK) {
    status = kecs__sqlite_fail(connection, rc, "read the schema");
  }
  (void)sqlite3_finalize(handle);
  return status;
}

static kecs_status kecs__sqlite_table_columns(kecs_connection *connection, const char *table,
                                              kecs_status (*visit)(const char *column, void *user), void *user) {
  return kecs__sqlite_names(connection, "SELECT name FROM pragma_table_info(?1)", table, visit, user);
}

static kecs_status kecs__sqlite_table_names(kecs_connection *connection,
                                            kecs_status (*visit)(const char *table, void *user), void *user) {
  return kecs__sqlite_names(connection,
                            "SELECT name FROM sqlite_schema WHERE type='table' AND substr(name,1,7)<>'sqlite_'", NULL,
                            visit, user);
}

static const kecs_backend kecs__sqlite_table = {
    .abi = KECS_BACKEND_ABI,
    .name = "sqlite",
    .answers_to = kecs__sqlite_answers_to,
    .shares = kecs__sqlite_shares,
    .one_writer = true,
    .dialect = &kecs__sqlite_dialect,
    .connect = kecs__sqlite_connect,
    .disconnect = kecs__sqlite_disconnect,
    .settle = kecs__sqlite_settle,
    .begin = kecs__sqlite_begin,
    .commit = kecs__sqlite_commit,
    .rollback = kecs__sqlite_rollback,
    .in_transaction = kecs__sqlite_in_transaction,
    .execute = kecs__sqlite_execute,
    .prepare = kecs__sqlite_prepare,
    .start = kecs__sqlite_start,
    .step = kecs__sqlite_step,
    .columns = kecs__sqlite_columns,
    .reset = kecs__sqlite_reset,
    .finish = kecs__sqlite_finish,
    .tidy = kecs__sqlite_tidy,
    .changes = kecs__sqlite_changes,
    .last_rid = kecs__sqlite_last_rid,
    .table_columns = kecs__sqlite_table_columns,
    .table_names = kecs__sqlite_table_names,
    .describe = kecs__sqlite_describe,
};

#if defined(KECS_STORE_NO_THREADS)
#define KECS__BUILD_THREADS "no threads"
#else
#define KECS__BUILD_THREADS "threads"
#endif
#if defined(KECS_STORE_STATIC)
#define KECS__BUILD_LINKAGE ", static"
#else
#define KECS__BUILD_LINKAGE ""
#endif

KECS_STORE_API const char *kecs_build_info(void) {
  return "kecs_store " KECS_STORE_VERSION ", " KECS__BUILD_THREADS KECS__BUILD_LINKAGE ", SQLite " SQLITE_VERSION
         " (" SQLITE_SOURCE_ID ")";
}

KECS_STORE_API const kecs_backend *kecs_sqlite_backend(void) {
  return &kecs__sqlite_table;
}
#endif

/* ---- doc/licence.h ----------------------------------------------------------------------------------------------- */
/* LICENCE
 *
 * This software is available under two licenses; choose the one that you prefer.
 *
 * ------------------------------------------------------------------------------
 * ALTERNATIVE A - MIT No Attribution License (MIT-0)
 *
 * Copyright (c) 2026 The kecs_store authors
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of
 * this software and associated documentation files (the "Software"), to deal in
 * the Software without restriction, including without limitation the rights to
 * use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies
 * of the Software, and to permit persons to whom the Software is furnished to do
 * so.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 * SOFTWARE.
 *
 * ------------------------------------------------------------------------------
 * ALTERNATIVE B - Public Domain (www.unlicense.org)
 *
 * This is free and unencumbered software released into the public domain.
 *
 * Anyone is free to copy, modify, publish, use, compile, sell, or distribute this
 * software, either in source code form or as a compiled binary, for any purpose,
 * commercial or non-commercial, and by any means.
 *
 * In jurisdictions that recognize copyright laws, the author or authors of this
 * software dedicate any and all copyright interest in the software to the public
 * domain. We make this dedication for the benefit of the public at large and to
 * the detriment of our heirs and successors. We intend this dedication to be an
 * overt act of relinquishment in perpetuity of all present and future rights to
 * this software under copyright law.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN
 * ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
 * WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 *
 * ------------------------------------------------------------------------------
 * SQLite, which the one-file release in dist/ carries, is in the public domain
 * (https://www.sqlite.org/copyright.html).
 */
