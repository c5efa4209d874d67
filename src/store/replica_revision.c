/* store/replica_revision.c -- a revision that two files have given while they were apart.
 *
 * A revision that others may refer to never comes to mean something else: the one that was at the hub first keeps its
 * number, whichever is the older. The file whose definition came later registers it anew under the next free revision,
 * with its id and its tags, and what was written in this file and names the old number names the new one. Both stand in
 * the log of conflicts: under the old ARN the definition that moved, under the new one the definition that stayed. Two
 * definitions that say the same are one. */
#include "base/prologue.h"

#include "store/replica_state.h"

#include "store/access.h"
#include "store/arn.h"
#include "store/ecs.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/task_definition.h"
#include "store/write.h"

#include <stdio.h>
#include <string.h>

#define KECS__REVISION_SQL 1024
#define KECS__NOBODYS_STAMP 1 /* of a deletion that only makes room: it ends no life */

/* ---- whether it is that case ---- */

/* Registering the same twice gives the same but for who did it when. */
static bool kecs__revision_same(const kecs_value *ours, const kecs_value *theirs) {
  const uint64_t apart = KECS_BIT(KECS_TASK_DEFINITION_ID) | KECS_BIT(KECS_TASK_DEFINITION_REGISTERED_AT) |
                         KECS_BIT(KECS_TASK_DEFINITION_REGISTERED_BY);
  const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK_DEFINITION);
  for (int i = 0; i < info->column_count; i++) {
    bool matters = info->columns[i].group == KECS_GROUP_KEY || info->columns[i].group == KECS_GROUP_SPEC;
    if (matters && !(apart & KECS_BIT(i)) && !kecs__value_same(&ours[i], &theirs[i])) {
      return false;
    }
  }
  return true;
}

/* ---- what refers to it ---- */

typedef struct kecs__revision_place {
  kecs_kind kind;
  int column;
  bool inside; /* the ARN is a string inside a document */
} kecs__revision_place;

static const kecs__revision_place kecs__revision_places[] = {
    {KECS_KIND_SERVICE, KECS_SERVICE_TASK_DEFINITION, false},   {KECS_KIND_SERVICE, KECS_SERVICE_DEPLOYMENTS, true},
    {KECS_KIND_SERVICE, KECS_SERVICE_TASK_SETS, true},          {KECS_KIND_TASK, KECS_TASK_TASK_DEFINITION_ARN, false},
    {KECS_KIND_TASK_SET, KECS_TASK_SET_TASK_DEFINITION, false},
};

/* The names of a revision: its ARN, and "FAMILY:REVISION"; inside a document the ARN as a JSON string. */
typedef struct kecs__revision_names {
  const char *arn;
  const char *brief;
  const char *quoted;
} kecs__revision_names;

static kecs_status kecs__revision_name(kecs__write *write, const kecs_task_definition *row, kecs__revision_names *out) {
  size_t size = strlen(row->arn) + strlen(row->family) + 32;
  char *brief = kecs__arena_bytes(&write->arena, size);
  char *quoted = kecs__arena_bytes(&write->arena, size);
  if (!brief || !quoted) {
    return KECS_E_NOMEM;
  }
  snprintf(brief, size, "%s:%lld", row->family, (long long)row->revision);
  snprintf(quoted, size, "\"%s\"", row->arn);
  out->arn = row->arn;
  out->brief = brief;
  out->quoted = quoted;
  return KECS_OK;
}

/* A row whose reference was written here: what others have written means the definition that they know. */
static void kecs__revision_find(kecs__text *sql, const kecs_kind_info *info, const kecs__revision_place *place) {
  kecs_column_group group = (kecs_column_group)info->columns[place->column].group;
  const char *column = info->columns[place->column].name;
  const char *name = group == KECS_GROUP_SPEC ? "spec" : "status";
  kecs__text_addf(sql,
                  place->inside ? "SELECT rid FROM {%s} WHERE {own}rid>?1 AND instr(%s,?2)>0"
                                : "SELECT rid FROM {%s} WHERE {own}rid>?1 AND %s IN(?2,?3)",
                  info->table, column);
  if (group == KECS_GROUP_KEY) {
    kecs__text_adds(sql, " AND site_life IS NULL");
  } else {
    kecs__text_addf(sql, " AND CASE WHEN stamp_%s IS NULL THEN site_life ELSE site_%s END IS NULL", name, name);
  }
  kecs__text_adds(sql, " ORDER BY rid LIMIT 1");
}

/* The document with each occurrence of a string replaced; NULL means NOMEM. */
static const char *kecs__revision_replace(kecs__write *write, const char *text, const char *old, const char *made) {
  size_t count = 0;
  for (const char *at = strstr(text, old); at; at = strstr(at + strlen(old), old)) {
    count++;
  }
  char *out = kecs__arena_bytes(&write->arena, strlen(text) + count * strlen(made) + 1);
  char *end = out;
  for (const char *at = out ? strstr(text, old) : NULL; at; at = strstr(text, old)) {
    memcpy(end, text, (size_t)(at - text));
    end += at - text;
    memcpy(end, made, strlen(made));
    end += strlen(made);
    text = at + strlen(old);
  }
  if (out) {
    memcpy(end, text, strlen(text) + 1);
  }
  return out;
}

/* A task's reference belongs to its key: the task begins a life anew with it, in its own row. */
static kecs_status kecs__revision_live(kecs__join *merge, const kecs__meta *meta, int column, int64_t rid,
                                       const char *text) {
  kecs__write *write = merge->write;
  kecs__state state;
  kecs__text sql;
  int64_t stamp = 0;
  kecs_status status = kecs__state_read(write->session, meta, rid, &write->arena, &state);
  status = status ? status : kecs__merge_stamp(merge, &stamp);
  kecs_value values[] = {kecs__value_text(text), kecs__value_int(stamp), kecs__value_int(write->now),
                         kecs__value_int(rid)};
  kecs__text_init(&sql, &write->engine->allocator, KECS__REVISION_SQL);
  kecs__text_addf(&sql,
                  "UPDATE {%s} SET %s=?1,stamp_life=?2,site_life=NULL,updated_at=?3,version=version+1 WHERE "
                  "{own}rid=?4",
                  meta->info->table, meta->info->columns[column].name);
  status = status ? status : sql.status ? sql.status : kecs__run(write->session, sql.data, values, 4, NULL);
  kecs__text_free(&sql);
  return status ? status
                : kecs__feed_append(write, (int)meta->info->kind, rid, KECS__GROUPS_ALL, KECS__FEED_UPDATED, stamp,
                                    state.stamp);
}

static kecs_status kecs__revision_rewrite(kecs__join *merge, const kecs__revision_place *place, int64_t rid,
                                          const kecs__revision_names *old, const kecs__revision_names *made) {
  kecs__write *write = merge->write;
  const kecs__meta *meta = kecs__meta_of(write->engine, place->kind);
  bool found = false;
  void *row = kecs__arena_take(&write->arena, meta->info->row_size);
  kecs_status status = row ? kecs__row_by_rid(write->session, meta, rid, &write->arena, row, &found) : KECS_E_NOMEM;
  if (status || !found) {
    return status;
  }
  const char *text = kecs__row_text(meta->info, row, place->column);
  const char *next = place->inside                 ? kecs__revision_replace(write, text, old->quoted, made->quoted)
                     : strcmp(text, old->arn) == 0 ? made->arn
                                                   : made->brief;
  if (!next) {
    return KECS_E_NOMEM;
  }
  if (meta->info->columns[place->column].group == KECS_GROUP_KEY) {
    return kecs__revision_live(merge, meta, place->column, rid, next);
  }
  kecs__change change = {0};
  kecs__row_set_text(meta->info, row, place->column, next);
  change.row = row;
  change.mask = KECS_BIT(place->column);
  change.rid = rid;
  return kecs__row_change(write, meta, &change);
}

static kecs_status kecs__revision_references(kecs__join *merge, const kecs__revision_names *old,
                                             const kecs__revision_names *made) {
  kecs_status status = KECS_OK;
  for (size_t i = 0; !status && i < sizeof kecs__revision_places / sizeof kecs__revision_places[0]; i++) {
    const kecs__revision_place *place = &kecs__revision_places[i];
    const kecs_kind_info *info = kecs_kind_describe(place->kind);
    int64_t rid = 0;
    kecs__text sql;
    kecs__text_init(&sql, &merge->write->engine->allocator, KECS__REVISION_SQL);
    kecs__revision_find(&sql, info, place);
    do {
      kecs_value values[] = {kecs__value_int(rid), kecs__value_text(place->inside ? old->quoted : old->arn),
                             kecs__value_text(old->brief)};
      status = sql.status ? sql.status
                          : kecs__feed_number(merge->write->session, sql.data, values, place->inside ? 2 : 3, &rid);
      status = status || !rid ? status : kecs__revision_rewrite(merge, place, rid, old, made);
    } while (!status && rid);
    kecs__text_free(&sql);
  }
  return status;
}

/* ---- moving it ---- */

/* Rows of the kind tag under the old ARN that only this file has: the new revision gets its own. */
static kecs_status kecs__revision_tags(kecs__join *merge, const char *arn) {
  kecs__write *write = merge->write;
  const kecs__meta *meta = kecs__meta_of(write->engine, KECS_KIND_TAG);
  kecs_value values[] = {kecs__value_text(arn), kecs__value_int(0), kecs__value_int(merge->side->acked)};
  kecs_status status = KECS_OK;
  do {
    status = kecs__feed_number(write->session,
                               "SELECT rid FROM {resource_tags} WHERE {own}resource_arn=?1 AND rid>?2 AND site_life IS "
                               "NULL AND stamp_life>?3 ORDER BY rid LIMIT 1",
                               values, 3, &values[1].number);
    status =
        status || !values[1].number ? status : kecs__merge_bury(merge, meta, values[1].number, KECS__NOBODYS_STAMP, 0);
  } while (!status && values[1].number);
  return status;
}

static kecs_status kecs__revision_raise(kecs__write *write, const char *account_id, const char *region,
                                        const char *family, int64_t revision) {
  kecs_value values[] = {kecs__value_text(account_id), kecs__value_text(region), kecs__value_text(family),
                         kecs__value_int(revision)};
  return kecs__run(write->session, KECS__FAMILY_RAISE, values, 4, NULL);
}

KECS__FN kecs_status kecs__merge_seen(kecs__join *merge) {
  kecs__write *write = merge->write;
  const char *family = NULL;
  char *region = NULL;
  char *account_id = NULL;
  int64_t revision = 0;
  kecs_status status = kecs__revision_of(merge->row->key, &write->arena, &family, &revision);
  if (status || revision <= 0 || revision > INT32_MAX || !kecs__is_arn(merge->row->key)) {
    return status;
  }
  (void)kecs__arn_parse(merge->row->key, NULL, &write->arena, &region, &account_id, NULL);
  return region && account_id ? kecs__revision_raise(write, account_id, region, family, revision) : KECS_OK;
}

/* Both entries of the log: see above. */
static kecs_status kecs__revision_note(kecs__join *merge, const char *arn) {
  const kecs_replica_row *theirs = merge->row;
  kecs_replica_row row = *theirs;
  const unsigned whole = 1U << KECS_REPLICA_LIFE;
  row.key = arn;
  kecs_status status = kecs__merge_lost(merge, true, "revision", whole, KECS_REPLICA_LIFE);
  merge->done.conflicts++;
  return status ? status
                : kecs__replica_lost(merge->write, &row, "revision", whole, merge->ours.stamp[0], merge->ours.site[0],
                                     theirs->stamp[0], theirs->site[0]);
}

/* Our definition leaves its number, and is registered anew. */
static kecs_status kecs__revision_move(kecs__join *merge) {
  kecs__write *write = merge->write;
  kecs_task_definition row;
  kecs__revision_names old;
  kecs__revision_names made;
  bool found = false;
  memset(&row, 0, sizeof row);
  kecs_status status = kecs__row_by_rid(write->session, merge->meta, merge->ours.rid, &write->arena, &row, &found);
  status = status ? status : kecs__revision_name(write, &row, &old);
  status = status ? status : kecs__revision_raise(write, row.account_id, row.region, row.family, row.revision);
  status = status ? status : kecs__revision_tags(merge, row.arn);
  status = status ? status : kecs__merge_bury(merge, merge->meta, merge->ours.rid, KECS__NOBODYS_STAMP, 0);
  row.arn = NULL;
  row.revision = 0;
  row.version = 0;
  status = status ? status : kecs__row_insert(write, merge->meta, &row, 0);
  status = status ? status : kecs__revision_name(write, &row, &made);
  status = status ? status : kecs__revision_references(merge, &old, &made);
  return status ? status : kecs__revision_note(merge, row.arn);
}

KECS__FN kecs_status kecs__merge_renumber(kecs__join *merge, bool *out_done) {
  const kecs_replica_row *row = merge->row;
  kecs__grave grave;
  kecs_status status = kecs__grave_read(merge->write->session, row->kind, row->key, &grave);
  *out_done = false;
  /* What was deleted here, and made anew with its number, takes the place of what it was. */
  if (status ||
      (grave.seq && kecs__stamp_compare(merge->side, grave.stamp, grave.site, row->stamp[0], row->site[0]) > 0)) {
    return status;
  }
  *out_done = true;
  if (kecs__revision_same(merge->ours.values, row->values)) {
    return KECS_OK; /* theirs is taken */
  }
  status = kecs__revision_move(merge);
  merge->ours.rid = 0;
  merge->pending = 0;
  return status;
}
