/* sync/hub_sql.c -- the texts of a kind's functions at the hub.
 *
 * A push is one transaction: sync_begin, sync_bury_TABLE for what was deleted, sync_put_TABLE for rows, sync_end. Each
 * function takes a kind's rows as arrays, one a column, and merges them as a set; sync_load_TABLE is sync_put_TABLE for
 * rows that were copied (hub_load.c). docs/sync.md has the rules. Texts
 * with marks: {S} is the schema with its dot; {sent} the rows that came, as `u`. */
#include "pg/prologue.h"

#include "sync/hub_forms.h"
#include "sync/hub_sql.h"

#include <stdio.h>
#include <string.h>

/* The parts of a kind's texts. */
enum {
  KECS_SYNC__ARGUMENTS,
  KECS_SYNC__KEY_ARGUMENTS,
  KECS_SYNC__SENT,
  KECS_SYNC__SENT_KEYS,
  KECS_SYNC__BURIED,
  KECS_SYNC__SAME_KEY,
  KECS_SYNC__T_KEY,
  KECS_SYNC__U_KEY,
  KECS_SYNC__ORDER,
  KECS_SYNC__KEY,
  KECS_SYNC__NAMES,
  KECS_SYNC__U_NAMES,
  KECS_SYNC__LOCAL_NAMES,
  KECS_SYNC__LOCAL_VALUES,
  KECS_SYNC__STAMP_NAMES,
  KECS_SYNC__STAMP_VALUES,
  KECS_SYNC__SETS,
  KECS_SYNC__PART_SETS,
  KECS_SYNC__PART_LATERS,
  KECS_SYNC__MERGE_PARTLY,
  KECS_SYNC__PARTLY_REFUSED,
  KECS_SYNC__OR_GROUPS,
  KECS_SYNC__GROUP_CONFLICTS,
  KECS_SYNC__SUSPECT_GROUPS,
  KECS_SYNC__UNSEEN_ROWS,
  KECS_SYNC__GROUP_RULES,
  KECS_SYNC__INSERT,
  KECS_SYNC__MERGE,
  KECS_SYNC__DELETE,
  KECS_SYNC__RELEASES,
  KECS_SYNC__ALONG,
  KECS_SYNC__SCOPE_PUT,
  KECS_SYNC__SCOPE_BURY,
  KECS_SYNC__SPECIAL, /* and the ones after it */
  KECS_SYNC__PARTS = KECS_SYNC__SPECIAL + KECS_SYNC__SPECIALS
};

typedef struct kecs_sync__parts {
  const kecs_kind_info *info;
  const char *schema;
  char kind[16];
  kecs_pg__text part[KECS_SYNC__PARTS];
} kecs_sync__parts;

KECS_PG__FN const char *kecs_sync__type(const kecs_column_info *column) {
  switch (column->type) {
    case KECS_TYPE_TEXT:
    case KECS_TYPE_JSON:
      return "text";
    case KECS_TYPE_BOOL:
      return "boolean";
    default:
      return "bigint";
  }
}

static bool kecs_sync__in_key(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return false;
}

static bool kecs_sync__has(const kecs_kind_info *info, kecs_column_group group) {
  for (int i = 0; i < info->column_count; i++) {
    if (info->columns[i].group == group) {
      return true;
    }
  }
  return false;
}

/* Adds a form to a part, with {c} the column, {type} its type. */
static void kecs_sync__add(kecs_sync__parts *parts, int part, const char *between, const char *form, const char *column,
                           const char *type) {
  kecs_pg__text *text = &parts->part[part];
  const kecs_pg__mark marks[] = {{"c", column}, {"type", type}, {NULL, NULL}};
  kecs_pg__text_adds(text, text->len > 0 ? between : "");
  kecs_pg__text_fill(text, form, marks);
}

/* What a local column has in a new row. */
static void kecs_sync__local(kecs_sync__parts *parts, const kecs_column_info *column) {
  bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
  bool needed = column->flags & KECS_COLUMN_NOT_NULL;
  const char *value = column->default_text;
  kecs_pg__text *out = &parts->part[KECS_SYNC__LOCAL_VALUES];
  kecs_sync__add(parts, KECS_SYNC__LOCAL_NAMES, "", ",{c}", column->name, "");
  const char *derived = kecs_sync__hub_derived(parts->info, column);
  if (derived) {
    kecs_pg__text_adds(out, ",");
    kecs_pg__text_adds(out, derived);
    kecs_sync__add(parts, KECS_SYNC__SETS, ",",
                   "{c}=CASE WHEN " KECS_SYNC__LATER " THEN excluded.{c} ELSE t.{c} END", column->name, "");
  } else if (strcmp(column->name, "updated_at") == 0) {
    kecs_pg__text_adds(out, ",now_us");
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_pg__text_adds(out, !needed ? ",NULL::boolean" : value && strcmp(value, "1") == 0 ? ",true" : ",false");
  } else if (!needed && !value) {
    kecs_pg__text_adds(out, text ? ",NULL" : ",NULL::bigint");
  } else {
    kecs_pg__text_adds(out, text ? ",'" : ","); /* defaults come from the kind files and hold no quote */
    kecs_pg__text_adds(out, value ? value : text ? "" : "0");
    kecs_pg__text_adds(out, text ? "'" : "");
  }
}

static void kecs_sync__set(kecs_sync__parts *parts, int number) {
  static const char spec[] = "{c}=CASE WHEN " KECS_SYNC__LATER " OR (" KECS_SYNC__SAME
                             " AND (coalesce(excluded.stamp_spec,0),coalesce(excluded.site_spec,0))>(coalesce("
                             "t.stamp_spec,0),coalesce(t.site_spec,0))) THEN excluded.{c} ELSE t.{c} END";
  static const char status[] = "{c}=CASE WHEN " KECS_SYNC__LATER " OR (" KECS_SYNC__SAME
                               " AND (coalesce(excluded.stamp_status,0),coalesce(excluded.site_status,0))>(coalesce("
                               "t.stamp_status,0),coalesce(t.site_status,0))) THEN excluded.{c} ELSE t.{c} END";
  static const char life[] = "{c}=CASE WHEN " KECS_SYNC__LATER " THEN excluded.{c} ELSE t.{c} END";
  static const char unknown[] = "{c}=CASE WHEN c_{c} IS NULL AND " KECS_SYNC__SAME " THEN t.{c} ";
  const kecs_column_info *column = &parts->info->columns[number];
  const char *form = column->group == KECS_GROUP_SPEC ? spec : column->group == KECS_GROUP_STATUS ? status : life;
  if (kecs_sync__later_column(column)) {
    kecs_sync__add(parts, KECS_SYNC__SETS, ",", unknown, column->name, "");
    kecs_sync__add(parts, KECS_SYNC__SETS, "", form + strlen("{c}=CASE "), column->name, "");
  } else if (!kecs_sync__in_key(parts->info, number)) {
    kecs_sync__add(parts, KECS_SYNC__SETS, ",", form, column->name, "");
  }
  if (column->group == KECS_GROUP_SPEC || column->group == KECS_GROUP_STATUS) {
    const char *group = column->group == KECS_GROUP_SPEC ? "spec" : "status";
    const kecs_pg__mark marks[] = {{"c", column->name}, {"g", group}, {NULL, NULL}};
    kecs_pg__text *out = &parts->part[KECS_SYNC__PART_SETS];
    kecs_pg__text_adds(out, out->len ? "," : "");
    kecs_pg__text_fill(out, "{c}=CASE WHEN ", marks);
    kecs_pg__text_fill(out, kecs_sync__later_column(column) ? "c_{c} IS NOT NULL AND " : "", marks);
    kecs_pg__text_fill(out, KECS_SYNC__PART_LATER " THEN u.{c} ELSE t.{c} END", marks);
  }
}

/* What a row has in a column that its site does not know. */
static void kecs_sync__unknown(kecs_sync__parts *parts, const kecs_column_info *column) {
  kecs_pg__text *out = &parts->part[KECS_SYNC__U_NAMES];
  const kecs_pg__mark marks[] = {{"c", column->name}, {NULL, NULL}};
  kecs_pg__text_fill(out, ",CASE WHEN c_{c} IS NULL THEN ", marks);
  kecs_sync__default(out, column);
  kecs_pg__text_fill(out, " ELSE u.{c} END", marks);
}

static void kecs_sync__columns(kecs_sync__parts *parts) {
  const kecs_kind_info *info = parts->info;
  bool later = false; /* what follows a parameter with a default has one, too */
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *column = &info->columns[i];
    if (kecs_sync__travels(column)) {
      later = later || kecs_sync__later_column(column);
      kecs_sync__add(parts, KECS_SYNC__ARGUMENTS, "", later ? ",c_{c} {type}[] DEFAULT NULL" : ",c_{c} {type}[]",
                     column->name, kecs_sync__type(column));
      kecs_sync__add(parts, KECS_SYNC__NAMES, ",", "{c}", column->name, "");
      if (kecs_sync__later_column(column)) {
        kecs_sync__unknown(parts, column);
      } else {
        kecs_sync__add(parts, KECS_SYNC__U_NAMES, ",", "u.{c}", column->name, "");
      }
      kecs_sync__set(parts, i);
    } else {
      kecs_sync__local(parts, column);
    }
  }
  for (int i = 0; i < info->keys[0].count; i++) {
    const kecs_column_info *column = &info->columns[info->keys[0].columns[i]];
    kecs_sync__add(parts, KECS_SYNC__KEY_ARGUMENTS, "", ",c_{c} {type}[]", column->name, kecs_sync__type(column));
    kecs_sync__add(parts, KECS_SYNC__SAME_KEY, "", " AND t.{c}=u.{c}", column->name, "");
    kecs_sync__add(parts, KECS_SYNC__T_KEY, ",", "t.{c}", column->name, "");
    bool text = strcmp(kecs_sync__type(column), "text") == 0; /* in the table's order, which is that of bytes */
    kecs_sync__add(parts, KECS_SYNC__U_KEY, ",", text ? "u.{c} COLLATE \"C\"" : "u.{c}", column->name, "");
    kecs_sync__add(parts, KECS_SYNC__KEY, ",", "{c}", column->name, "");
  }
}

/* The rows that came: the arrays, and what their columns are called. */
static void kecs_sync__rows(kecs_sync__parts *parts) {
  const kecs_kind_info *info = parts->info;
  kecs_pg__text *sent = &parts->part[KECS_SYNC__SENT];
  kecs_pg__text *keys = &parts->part[KECS_SYNC__SENT_KEYS];
  kecs_pg__text *buried = &parts->part[KECS_SYNC__BURIED];
  kecs_pg__text_adds(sent, "unnest(a_key,a_mask,a_life,a_life_site,a_spec,a_spec_site,a_status,a_status_site");
  kecs_pg__text_adds(keys, "unnest(a_mask,a_life,a_life_site,a_spec,a_spec_site,a_status,a_status_site");
  kecs_pg__text_adds(buried, "unnest(a_key,a_stamp");
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < info->column_count; i++) {
      const char *form = pass == 0 ? ",c_{c}" : ",{c}";
      if (kecs_sync__travels(&info->columns[i])) {
        kecs_sync__add(parts, KECS_SYNC__SENT, "", form, info->columns[i].name, "");
      }
    }
    for (int i = 0; i < info->keys[0].count; i++) {
      const char *name = info->columns[info->keys[0].columns[i]].name;
      kecs_sync__add(parts, KECS_SYNC__BURIED, "", pass == 0 ? ",c_{c}" : ",{c}", name, "");
      kecs_sync__add(parts, KECS_SYNC__SENT_KEYS, "", pass == 0 ? ",c_{c}" : ",{c}", name, "");
    }
    kecs_pg__text_adds(sent, pass == 0
                                 ? ") WITH ORDINALITY AS u(s_key,s_mask,stamp_life,site_life,stamp_spec,site_spec,"
                                   "stamp_status,site_status"
                                 : ",s_place)");
    kecs_pg__text_adds(keys, pass == 0 ? ") WITH ORDINALITY AS u(s_mask,stamp_life,site_life,stamp_spec,site_spec,"
                                         "stamp_status,site_status"
                                       : ",s_place)");
    kecs_pg__text_adds(buried, pass == 0 ? ") AS u(s_key,s_stamp" : ")");
  }
}

static void kecs_sync__stamp_partly(kecs_sync__parts *parts, const kecs_pg__mark *marks) {
  kecs_pg__text *later = &parts->part[KECS_SYNC__PART_LATERS];
  kecs_pg__text_adds(later, later->len ? " OR " : "");
  kecs_pg__text_fill(later, KECS_SYNC__PART_LATER, marks);
  kecs_pg__text_fill(&parts->part[KECS_SYNC__PART_SETS],
                     ",stamp_{g}=CASE WHEN " KECS_SYNC__PART_LATER
                     " THEN u.stamp_{g} ELSE t.stamp_{g} END,site_{g}=CASE WHEN " KECS_SYNC__PART_LATER
                     " THEN nullif(u.site_{g},0) ELSE t.site_{g} END",
                     marks);
}

static void kecs_sync__stamps(kecs_sync__parts *parts) {
  static const char *const sets =
      ",stamp_{c}=CASE WHEN " KECS_SYNC__LATER
      " THEN excluded.stamp_{c} WHEN "
      "(coalesce(excluded.stamp_{c},0),coalesce(excluded.site_{c},0))>(coalesce(t.stamp_{c},0),coalesce(t.site_{c},0)) "
      "THEN excluded.stamp_{c} ELSE t.stamp_{c} END,"
      "site_{c}=CASE WHEN " KECS_SYNC__LATER
      " THEN excluded.site_{c} WHEN "
      "(coalesce(excluded.stamp_{c},0),coalesce(excluded.site_{c},0))>(coalesce(t.stamp_{c},0),coalesce(t.site_{c},0)) "
      "THEN excluded.site_{c} ELSE t.site_{c} END";
  static const struct {
    const char *name;
    const char *bit;
    const char *log;
    kecs_column_group group;
  } groups[] = {{"spec", "2", "2", KECS_GROUP_SPEC}, {"status", "4", "4", KECS_GROUP_STATUS}};
  kecs_pg__text_adds(&parts->part[KECS_SYNC__STAMP_NAMES], "stamp_life,site_life");
  kecs_pg__text_adds(&parts->part[KECS_SYNC__STAMP_VALUES], "u.stamp_life,nullif(u.site_life,0)");
  kecs_sync__add(parts, KECS_SYNC__SETS, ",",
                 "stamp_life=greatest(excluded.stamp_life,t.stamp_life),site_life=CASE WHEN " KECS_SYNC__LATER
                 " THEN excluded.site_life ELSE t.site_life END",
                 "", "");
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    const char *name = groups[i].name;
    const kecs_pg__mark marks[] = {{"S", parts->schema}, {"t", parts->info->table}, {"kind", parts->kind},
                                   {"g", name},          {"bit", groups[i].bit},    {"log", groups[i].log},
                                   {NULL, NULL}};
    if (kecs_sync__has(parts->info, groups[i].group)) {
      kecs_sync__add(parts, KECS_SYNC__STAMP_NAMES, "", ",stamp_{c},site_{c}", name, "");
      kecs_sync__add(parts, KECS_SYNC__STAMP_VALUES, "", ",nullif(u.stamp_{c},0),nullif(u.site_{c},0)", name, "");
      kecs_sync__add(parts, KECS_SYNC__SETS, "", sets, name, "");
      kecs_pg__text_fill(&parts->part[KECS_SYNC__OR_GROUPS], " OR (" KECS_SYNC__SAME " AND " KECS_SYNC__GROUP_LATER ")",
                         marks);
      kecs_pg__text_fill(&parts->part[KECS_SYNC__GROUP_CONFLICTS], kecs_sync__group_form, marks);
      kecs_sync__hub_rules(&parts->part[KECS_SYNC__GROUP_RULES], (int)i,
                           kecs_sync__has(parts->info, groups[1 - i].group));
      kecs_pg__text_fill(&parts->part[KECS_SYNC__SUSPECT_GROUPS], kecs_sync__suspect_form, marks);
      kecs_sync__stamp_partly(parts, marks);
    }
  }
  if (!(parts->info->flags & KECS_KIND_PLAIN)) {
    kecs_pg__text_adds(&parts->part[KECS_SYNC__SETS], ",version=t.version+1,updated_at=now_us");
    kecs_pg__text_adds(&parts->part[KECS_SYNC__PART_SETS], ",version=t.version+1,updated_at=now_us");
  }
}

static const char *kecs_sync__special_text(const kecs_sync__parts *parts, int special) {
  const kecs_pg__text *text = &parts->part[KECS_SYNC__SPECIAL + special];
  return text->len ? text->data : "";
}

static void kecs_sync__fill(kecs_pg__text *out, const kecs_sync__parts *parts, const char *form) {
  const kecs_pg__mark marks[] = {
      {"S", parts->schema},
      {"t", parts->info->table},
      {"kind", parts->kind},
      {"none", "{}"},
      {"arguments", parts->part[KECS_SYNC__ARGUMENTS].data},
      {"key_arguments", parts->part[KECS_SYNC__KEY_ARGUMENTS].data},
      {"sent", parts->part[KECS_SYNC__SENT].data},
      {"keys", parts->part[KECS_SYNC__SENT_KEYS].data},
      {"buried", parts->part[KECS_SYNC__BURIED].data},
      {"same", parts->part[KECS_SYNC__SAME_KEY].data},
      {"t_key", parts->part[KECS_SYNC__T_KEY].data},
      {"order", parts->part[KECS_SYNC__ORDER].len ? parts->part[KECS_SYNC__ORDER].data : ""},
      {"u_key", parts->part[KECS_SYNC__U_KEY].data},
      {"key", parts->part[KECS_SYNC__KEY].data},
      {"names", parts->part[KECS_SYNC__NAMES].data},
      {"u_names", parts->part[KECS_SYNC__U_NAMES].data},
      {"local_names", parts->part[KECS_SYNC__LOCAL_NAMES].len ? parts->part[KECS_SYNC__LOCAL_NAMES].data : ""},
      {"local_values", parts->part[KECS_SYNC__LOCAL_VALUES].len ? parts->part[KECS_SYNC__LOCAL_VALUES].data : ""},
      {"stamp_names", parts->part[KECS_SYNC__STAMP_NAMES].data},
      {"stamp_values", parts->part[KECS_SYNC__STAMP_VALUES].data},
      {"sets", parts->part[KECS_SYNC__SETS].data},
      {"or_groups", parts->part[KECS_SYNC__OR_GROUPS].len ? parts->part[KECS_SYNC__OR_GROUPS].data : ""},
      {"group_conflicts",
       parts->part[KECS_SYNC__GROUP_CONFLICTS].len ? parts->part[KECS_SYNC__GROUP_CONFLICTS].data : ""},
      {"part_sets", parts->part[KECS_SYNC__PART_SETS].len ? parts->part[KECS_SYNC__PART_SETS].data : ""},
      {"part_later", parts->part[KECS_SYNC__PART_LATERS].len ? parts->part[KECS_SYNC__PART_LATERS].data : ""},
      {"merge_partly", parts->part[KECS_SYNC__MERGE_PARTLY].len ? parts->part[KECS_SYNC__MERGE_PARTLY].data : ""},
      {"partly", parts->part[KECS_SYNC__PARTLY_REFUSED].len ? parts->part[KECS_SYNC__PARTLY_REFUSED].data : ""},
      {"suspect_groups",
       parts->part[KECS_SYNC__SUSPECT_GROUPS].len ? parts->part[KECS_SYNC__SUSPECT_GROUPS].data : ""},
      {"delete", parts->part[KECS_SYNC__DELETE].len ? parts->part[KECS_SYNC__DELETE].data : ""},
      {"releases", parts->part[KECS_SYNC__RELEASES].len ? parts->part[KECS_SYNC__RELEASES].data : ""},
      {"along", parts->part[KECS_SYNC__ALONG].len ? parts->part[KECS_SYNC__ALONG].data : ""},
      {"insert", parts->part[KECS_SYNC__INSERT].len ? parts->part[KECS_SYNC__INSERT].data : ""},
      {"merge", parts->part[KECS_SYNC__MERGE].len ? parts->part[KECS_SYNC__MERGE].data : ""},
      {"scope_put", parts->part[KECS_SYNC__SCOPE_PUT].len ? parts->part[KECS_SYNC__SCOPE_PUT].data : ""},
      {"scope_bury", parts->part[KECS_SYNC__SCOPE_BURY].len ? parts->part[KECS_SYNC__SCOPE_BURY].data : ""},
      {"unseen", parts->part[KECS_SYNC__UNSEEN_ROWS].data},
      {"group_rules", parts->part[KECS_SYNC__GROUP_RULES].len ? parts->part[KECS_SYNC__GROUP_RULES].data : ""},
      {"u_life", KECS_SYNC__U_LIFE},
      {"t_life", KECS_SYNC__T_LIFE},
      {"claim", kecs_sync__special_text(parts, KECS_SYNC__CLAIM)},
      {"known", kecs_sync__special_text(parts, KECS_SYNC__KNOWN)},
      {"again", kecs_sync__special_text(parts, KECS_SYNC__AGAIN)},
      {"crossed", kecs_sync__special_text(parts, KECS_SYNC__CROSSED)},
      {"merged", kecs_sync__special_text(parts, KECS_SYNC__MERGED)},
      {"gone", kecs_sync__special_text(parts, KECS_SYNC__GONE)},
      {NULL, NULL}};
  kecs_pg__text_fill(out, form, marks);
}

/* Rows of `child` that go with those of the kind: `joins` has led to them, as `next`. */
static void kecs_sync__along(kecs_sync__parts *parts, const kecs_kind_info *child, const char *joins,
                             const char *next) {
  char kind[16];
  kecs_pg__text key = {parts->part[0].allocator, NULL, 0, 0, KECS_OK};
  kecs_pg__text *along = &parts->part[KECS_SYNC__ALONG];
  snprintf(kind, sizeof kind, "%d", (int)child->kind);
  kecs_sync__key_text(&key, child, next);
  if (!key.status) {
    const kecs_pg__mark marks[] = {{"S", parts->schema},
                                   {"t", parts->info->table},
                                   {"kind", kind},
                                   {"key_text", key.data},
                                   {"buried", parts->part[KECS_SYNC__BURIED].data},
                                   {"same", parts->part[KECS_SYNC__SAME_KEY].data},
                                   {"joins", joins},
                                   {"next", next},
                                   {NULL, NULL}};
    kecs_pg__text_adds(along, along->len ? "\n    UNION " : "");
    kecs_pg__text_fill(along, kecs_sync__along_form, marks);
  }
  along->status = key.status ? key.status : along->status;
  kecs_pg__text_free(&key);
}

/* From a kind along what goes with it. `joins` has led to `last`. */
static void kecs_sync__releases(kecs_sync__parts *parts, const kecs_kind_info *from, const char *joins,
                                const char *last, int depth) {
  char next[16];
  snprintf(next, sizeof next, "d%d", depth);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *child = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < child->reference_count; i++) {
      const kecs_reference *reference = &child->references[i];
      const kecs_pg__mark marks[] = {{"S", parts->schema},
                                     {"t", parts->info->table},
                                     {"child", child->table},
                                     {"c", child->columns[reference->column].name},
                                     {"parent", from->columns[reference->parent_column].name},
                                     {"buried", parts->part[KECS_SYNC__BURIED].data},
                                     {"same", parts->part[KECS_SYNC__SAME_KEY].data},
                                     {"joins", joins},
                                     {"last", last},
                                     {"next", next},
                                     {NULL, NULL}};
      if (reference->parent == from->kind && reference->on_delete == KECS_ON_DELETE_SET_NULL) {
        kecs_pg__text_fill(&parts->part[KECS_SYNC__RELEASES], kecs_sync__release_form, marks);
      } else if (reference->parent == from->kind && child->kind != from->kind) {
        kecs_pg__text longer = {parts->part[0].allocator, NULL, 0, 0, KECS_OK};
        kecs_pg__text_adds(&longer, joins);
        kecs_pg__text_fill(&longer, kecs_sync__join_form, marks);
        if (!longer.status) {
          kecs_sync__along(parts, child, longer.data, next);
          kecs_sync__releases(parts, child, longer.data, next, depth + 1);
        }
        kecs_pg__text *releases = &parts->part[KECS_SYNC__RELEASES];
        releases->status = longer.status ? longer.status : releases->status;
        kecs_pg__text_free(&longer);
      }
    }
  }
}

/* What is said of the rows that came, wherever they are. */
static void kecs_sync__over_sent(kecs_sync__parts *parts) {
  static const int over[] = {KECS_SYNC__PARTLY_REFUSED, KECS_SYNC__MERGE_PARTLY, KECS_SYNC__INSERT, KECS_SYNC__MERGE};
  for (size_t i = 0; i < sizeof over / sizeof over[0]; i++) {
    kecs_pg__text_free(&parts->part[over[i]]);
  }
  for (int i = 0; i < KECS_SYNC__SPECIALS; i++) {
    kecs_pg__text_free(&parts->part[KECS_SYNC__SPECIAL + i]);
  }
  if (parts->part[KECS_SYNC__PART_LATERS].len > 0) {
    kecs_sync__fill(&parts->part[KECS_SYNC__PARTLY_REFUSED], parts, kecs_sync__partly_form);
    kecs_sync__fill(&parts->part[KECS_SYNC__MERGE_PARTLY], parts, kecs_sync__merge_partly_form);
  }
  kecs_sync__fill(&parts->part[KECS_SYNC__SPECIAL + KECS_SYNC__KNOWN], parts,
                  kecs_sync__hub_part(parts->info->kind, KECS_SYNC__KNOWN));
  kecs_sync__fill(&parts->part[KECS_SYNC__INSERT], parts, kecs_sync__insert_form);
  kecs_sync__fill(&parts->part[KECS_SYNC__MERGE], parts, kecs_sync__merge_form);
  for (int i = 0; i < KECS_SYNC__SPECIALS; i++) {
    if (i != KECS_SYNC__KNOWN) {
      kecs_sync__fill(&parts->part[KECS_SYNC__SPECIAL + i], parts, kecs_sync__hub_part(parts->info->kind, i));
    }
  }
}

static void kecs_sync__put_body(kecs_pg__text *out, const kecs_sync__parts *parts) {
  kecs_sync__fill(out, parts, kecs_sync__put_form);
  kecs_sync__fill(out, parts, kecs_sync__put_notes_form);
  kecs_sync__fill(out, parts, kecs_sync__put_merge_form);
}

/* The same over the table that the rows were copied to. New ones are written as they lie there, in the order in which
 * they were made: most indexes grow at their ends then, which is a fifth of what it takes. Rows that are there already
 * have been locked in the order of their keys. */
static void kecs_sync__put_copied(kecs_pg__text *out, kecs_sync__parts *parts) {
  const int changed[] = {KECS_SYNC__SENT, KECS_SYNC__SENT_KEYS, KECS_SYNC__ORDER};
  const kecs_pg__mark marks[] = {
      {"t", parts->info->table}, {"key", parts->part[KECS_SYNC__KEY].data}, {NULL, NULL}};
  for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
    kecs_pg__text_free(&parts->part[changed[i]]);
  }
  kecs_pg__text_fill(&parts->part[KECS_SYNC__SENT], KECS_SYNC__COPIED " AS u", marks);
  kecs_pg__text_fill(&parts->part[KECS_SYNC__SENT_KEYS],
                     "(SELECT s_mask,stamp_life,site_life,stamp_spec,site_spec,stamp_status,site_status,s_place,{key} "
                     "FROM " KECS_SYNC__COPIED ") AS u",
                     marks);
  kecs_sync__over_sent(parts);
  kecs_sync__hub_load(out, parts->schema, parts->info, KECS_SYNC__PUT_VARIABLES);
  kecs_sync__put_body(out, parts);
}

KECS_PG__FN void kecs_sync__hub_kind(kecs_pg__text *out, const kecs_pg__connection *connection,
                                     const kecs_kind_info *info) {
  kecs_sync__parts parts;
  memset(&parts, 0, sizeof parts);
  parts.info = info;
  parts.schema = connection->home->schema;
  snprintf(parts.kind, sizeof parts.kind, "%d", (int)info->kind);
  for (int i = 0; i < KECS_SYNC__PARTS; i++) {
    parts.part[i].allocator = connection->allocator;
  }
  kecs_pg__text_adds(&parts.part[KECS_SYNC__SAME_KEY], "t.tenant=whose");
  kecs_sync__columns(&parts);
  kecs_sync__rows(&parts);
  kecs_sync__stamps(&parts);
  kecs_sync__releases(&parts, info, "", "t", 1);
  kecs_sync__fill(&parts.part[KECS_SYNC__UNSEEN_ROWS], &parts, KECS_SYNC__UNSEEN);
  const bool along = parts.part[KECS_SYNC__ALONG].len > 0;
  const char *const deletes[] = {along ? kecs_sync__keep_along_form : "", "{releases}", kecs_sync__delete_form,
                                 along ? kecs_sync__own_along_form : ""};
  for (size_t i = 0; i < sizeof deletes / sizeof deletes[0]; i++) {
    kecs_sync__fill(&parts.part[KECS_SYNC__DELETE], &parts, deletes[i]);
  }
  kecs_sync__fill(&parts.part[KECS_SYNC__ORDER], &parts, " ORDER BY {u_key}");
  kecs_sync__over_sent(&parts);
  kecs_sync__scope_put(&parts.part[KECS_SYNC__SCOPE_PUT], parts.schema, info, parts.part[KECS_SYNC__SENT].data);
  kecs_sync__scope_bury(&parts.part[KECS_SYNC__SCOPE_BURY], parts.schema, info, parts.part[KECS_SYNC__BURIED].data);
  kecs_sync__fill(out, &parts, kecs_sync__put_arrays_form);
  kecs_sync__put_body(out, &parts);
  kecs_sync__fill(out, &parts, kecs_sync__bury_form);
  kecs_sync__put_copied(out, &parts);
  for (int i = 0; i < KECS_SYNC__PARTS; i++) {
    out->status = out->status ? out->status : parts.part[i].status;
    kecs_pg__text_free(&parts.part[i]);
  }
}
