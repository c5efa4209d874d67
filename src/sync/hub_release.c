/* sync/hub_release.c -- what a deletion at the hub clears: the text, along the references from kind to kind. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include <stdio.h>

/* What refers to a row that goes, or to one that goes with it, and stays itself: it is cleared first, and stamped by
 * the hub. {joins} leads from the row to the one that is referred to, {last}. */
static const char kecs_sync__release_form[] =
    "UPDATE {S}{child} c SET {c}=NULL FROM {buried} JOIN {S}{t} t ON {same}{joins} WHERE u.s_key=ANY(these) AND "
    "(u.s_stamp,me)>(coalesce(t.stamp_life,0),coalesce(t.site_life,0)) AND c.tenant=whose AND c.{c}={last}.{parent};\n "
    "   ";

static const char kecs_sync__join_form[] =
    " JOIN {S}{child} {next} ON {next}.tenant=whose AND {next}.{c}={last}.{parent}";

/* From a kind along what goes with it. `joins` has led to `last`. */
KECS_PG__FN void kecs_sync__hub_releases(kecs_pg__text *out, const kecs_sync__release *of, const kecs_kind_info *from,
                                         const char *joins, const char *last, int depth) {
  char next[16];
  snprintf(next, sizeof next, "d%d", depth);
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const kecs_kind_info *child = kecs_kind_describe((kecs_kind)kind);
    for (int i = 0; i < child->reference_count; i++) {
      const kecs_reference *reference = &child->references[i];
      const kecs_pg__mark marks[] = {{"S", of->schema},
                                     {"t", of->table},
                                     {"child", child->table},
                                     {"c", child->columns[reference->column].name},
                                     {"parent", from->columns[reference->parent_column].name},
                                     {"buried", of->buried},
                                     {"same", of->same},
                                     {"joins", joins},
                                     {"last", last},
                                     {"next", next},
                                     {NULL, NULL}};
      if (reference->parent == from->kind && reference->on_delete == KECS_ON_DELETE_SET_NULL) {
        kecs_pg__text_fill(out, kecs_sync__release_form, marks);
      } else if (reference->parent == from->kind && child->kind != from->kind) {
        kecs_pg__text longer = {out->allocator, NULL, 0, 0, KECS_OK};
        kecs_pg__text_adds(&longer, joins);
        kecs_pg__text_fill(&longer, kecs_sync__join_form, marks);
        if (!longer.status) {
          kecs_sync__hub_releases(out, of, child, longer.data, next, depth + 1);
        }
        out->status = longer.status ? longer.status : out->status;
        kecs_pg__text_free(&longer);
      }
    }
  }
}
