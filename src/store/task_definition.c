/* store/task_definition.c -- revisions of families.
 *
 * Revisions count up in a table of their own, task_definition_families(account_id, region, family, last_revision),
 * which is written in the transaction of the row. It never counts down, so the revision of a deleted row is not given
 * again; and it is what the families are listed from, without a walk over all their revisions. */
#include "base/prologue.h"

#include "store/task_definition.h"

#include "store/arn.h"
#include "store/cluster.h"
#include "store/ecs.h"
#include "store/special_kinds.h"
#include "store/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS__REVISION_DIGITS_MAX 18 /* of a revision in a text: more would not fit into 64 bits */

/* The statements that are not about rows of a kind. */
#define KECS__FAMILY_NEXT KECS__FAMILY_INSERT("1") "task_definition_families.last_revision+1"
#define KECS__FAMILY_LAST \
  "SELECT last_revision FROM {task_definition_families} WHERE {own}account_id=?1 AND region=?2 AND family=?3"
#define KECS__FAMILY_ACTIVE                                                                      \
  "SELECT revision FROM {task_definitions} WHERE {own}account_id=?1 AND region=?2 AND family=?3" \
  " AND status='ACTIVE' ORDER BY revision DESC LIMIT 1"

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

KECS__FN kecs_status kecs__revision_of(const char *definition, kecs__arena *arena, const char **out_family,
                                       int64_t *out_revision) {
  static const char type[] = "task-definition/";
  const char *resource = kecs__arn_resource(definition);
  *out_family = "";
  *out_revision = 0;
  if (resource && strncmp(resource, type, sizeof type - 1) != 0) {
    return KECS_OK; /* an ARN of something else */
  }
  const char *text = resource ? resource + sizeof type - 1 : definition;
  *out_family = kecs__arena_text(arena, text, kecs__family_split(text, out_revision));
  return *out_family ? KECS_OK : KECS_E_NOMEM;
}

KECS__FN kecs_status kecs__family_of(const char *definition, kecs__arena *arena, const char **out_family) {
  int64_t revision = 0;
  return kecs__revision_of(definition, arena, out_family, &revision);
}

/* ---- creating ---- */

/* The next revision; or, where one is given, the counter is raised to it. */
static kecs_status kecs__revision_allocate(kecs__write *write, kecs_task_definition *definition) {
  kecs_value values[] = {kecs__value_text(definition->account_id), kecs__value_text(definition->region),
                         kecs__value_text(definition->family), kecs__value_int(definition->revision)};
  bool given = definition->revision > 0;
  kecs_status status = kecs__write_guard(write);
  if (!status) {
    status = kecs__run(write->session, given ? KECS__FAMILY_RAISE : KECS__FAMILY_NEXT, values, given ? 4 : 3, NULL);
  }
  return status || given ? status
                         : kecs__family_number(write->session, KECS__FAMILY_LAST, values, 3, &definition->revision);
}

static kecs_status kecs__fail_revision(const kecs_task_definition *definition) {
  return kecs__fail(KECS_E_INVALID, "task_definition.revision is %lld; AWS's revisions end at %lld",
                    (long long)definition->revision, (long long)INT32_MAX);
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
    return kecs__fail_revision(definition);
  }
  if (definition->revision < 0) {
    return kecs__fail(KECS_E_INVALID,
                      "task_definition.revision is %lld; revisions count from 1, and 0 asks for the next",
                      (long long)definition->revision);
  }
  kecs_status status = fresh ? kecs__revision_allocate(write, definition) : KECS_OK;
  if (!status && definition->revision > INT32_MAX) {
    status = kecs__fail_revision(definition); /* the next one after the last */
  }
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
  kecs_status status =
      revision > 0 ? KECS_OK : kecs__family_number(session, KECS__FAMILY_ACTIVE, values, 3, &values[3].number);
  if (!status && values[3].number == 0) {
    status =
        kecs__fail(KECS_E_NOT_FOUND, "task_definition \"%.160s\" not found: the family has no ACTIVE revision", family);
  }
  out_probe->key = 2; /* account_id, region, family, revision */
  out_probe->floating = revision <= 0;
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

#define KECS__FAMILY_WHAT                        \
  "family,(SELECT d.revision " KECS__FAMILY_ROWS \
  " ORDER BY d.revision DESC LIMIT 1),"          \
  "(SELECT count(*) " KECS__FAMILY_ROWS " AND d.status='ACTIVE')"

static void kecs__families_plan(kecs__plan *plan, const void *user) {
  const kecs_family_query *query = user;
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

static kecs_status kecs__family_read(kecs__plan *plan, kecs__cached *cached, kecs_result *result, void *out_row) {
  kecs_value values[3];
  kecs_family *row = out_row;
  kecs__statement_columns(plan->session, cached, values, 3);
  row->family = values[0].text ? kecs__arena_text(&result->arena, values[0].text, values[0].len) : NULL;
  row->latest_revision = values[1].number;
  row->active_revisions = values[2].number;
  return row->family ? KECS_OK : kecs__fail_nomem();
}

KECS_STORE_API kecs_status kecs_task_definition_families(kecs_store *store, const kecs_family_query *query,
                                                         kecs_result **out_result) {
  static const kecs_family_query everything = {NULL, NULL, 0, NULL};
  kecs__shaped list = {&kecs__family_info, KECS__FAMILY_WHAT, kecs__families_plan, kecs__family_read,
                       query ? query : &everything};
  return kecs__list_shaped(store, &list, out_result);
}

KECS_STORE_API const kecs_family *kecs_family_at(const kecs_result *result, size_t index) {
  bool families = result && result->shape == &kecs__family_info;
  return families && index < result->count ? (const kecs_family *)(const void *)result->rows + index : NULL;
}
