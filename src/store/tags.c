/* store/tags.c -- tags: what resources carry in their documents, and the rows of the kind tag beside them.
 *
 * The two are kept in step from both ends. A resource's row changes: kecs__tags_follow makes the rows what its
 * document says. A row of the kind tag changes: kecs__tag_follow edits the document. While either is at work
 * write->quiet is set, so that what it does is not followed by the other. */
#include "base/prologue.h"

#include "store/tags.h"

#include "store/arn.h"
#include "store/cluster.h"
#include "store/special_kinds.h"
#include "store/tag_document.h"
#include "store/write.h"

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
