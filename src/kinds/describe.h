/* ---- Descriptions of the kinds ---------------------------------------------------------------------------- */
/* Every kind's columns, keys, references and indexes as constant data: what the DDL, the statements, the documents,
 * the command line and docs/kinds.md are made from. */
#ifndef KECS_KINDS_DESCRIBE_H
#define KECS_KINDS_DESCRIBE_H
#include "gen/kinds_public.h"

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

/* The numbers are small, because there are some six hundred of these. */
typedef struct kecs_column_info {
  const char *name;
  const char *default_text;  /* NULL when there is none */
  const char *json;          /* "clusterArn|cluster", see docs/kinds.md; "" when no document shows it */
  const char *meaning;
  uint16_t offset;           /* in the kind's struct */
  uint16_t flags;            /* KECS_COLUMN_... */
  uint16_t since;            /* schema version that brought it */
  uint8_t type;              /* kecs_column_type */
  uint8_t group;             /* kecs_column_group */
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
