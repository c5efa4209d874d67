/* sync/hub_owner.c -- the text of sync_scope: which cluster a key belongs to, or "-". kecs_sync__in_scope is the same
 * rule at the edge. */
#include "pg/prologue.h"

#include "sync/hub_sql.h"

#include <stdio.h>

/* Of a `key` that is an ARN. Simple functions in the place of regular expressions: they run for each row that is read,
 * several times, and take a quarter of the time. */
#define KECS_SYNC__ARN_HEAD "split_part(key,'/',1)"
#define KECS_SYNC__ARN_TYPE "split_part(" KECS_SYNC__ARN_HEAD ",':',6)"
#define KECS_SYNC__ARN_CLUSTER "split_part(substr(key,length(" KECS_SYNC__ARN_HEAD ")+2),',',1)"
#define KECS_SYNC__IS_NAME(text)                                                                              \
  text "<>'' AND translate(" text ",'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-','')=''"

/* What stands before the first '/' must be an ARN's head with a type that has clusters. An attribute may name its
 * cluster without an ARN. */
static const char kecs_sync__owner_of_form[] =
    "CREATE OR REPLACE FUNCTION {S}sync_scope(kind bigint,key text) RETURNS text LANGUAGE sql IMMUTABLE AS\n"
    "$kecs_sync$\n"
    "  SELECT coalesce(CASE WHEN key LIKE 'arn:%' THEN CASE WHEN strpos(" KECS_SYNC__ARN_HEAD ",',')=0 AND\n"
    "    " KECS_SYNC__ARN_HEAD "='arn:'||split_part(key,':',2)||':ecs:'||split_part(key,':',4)||':'||\n"
    "    split_part(key,':',5)||':'||" KECS_SYNC__ARN_TYPE " THEN CASE\n"
    "    WHEN " KECS_SYNC__ARN_TYPE "='cluster' THEN CASE WHEN " KECS_SYNC__IS_NAME(KECS_SYNC__ARN_CLUSTER) "\n"
    "      THEN split_part(key,',',1) END\n"
    "    WHEN " KECS_SYNC__ARN_TYPE " IN('service','task','task-set','container-instance') THEN\n"
    "      CASE WHEN " KECS_SYNC__IS_NAME("split_part(key,'/',2)") " AND\n"
    "      length(key)>length(" KECS_SYNC__ARN_HEAD ")+1+length(split_part(key,'/',2)) THEN\n"
    "      left(" KECS_SYNC__ARN_HEAD ",-length(" KECS_SYNC__ARN_TYPE "))||'cluster/'||split_part(key,'/',2)\n"
    "      END END END\n"
    "    WHEN kind={attribute} THEN 'cluster/'||substring(key from '^([A-Za-z0-9_-]+),') END,'-')\n"
    "$kecs_sync$;\n";

KECS_PG__FN void kecs_sync__hub_owner(kecs_pg__text *out) {
  char attribute[16];
  snprintf(attribute, sizeof attribute, "%d", (int)KECS_KIND_ATTRIBUTE);
  const kecs_pg__mark marks[] = {{"attribute", attribute}, {"S", "{S}"}, {NULL, NULL}};
  kecs_pg__text_fill(out, kecs_sync__owner_of_form, marks);
}
