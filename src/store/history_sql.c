/* store/history_sql.c -- the texts of the history: its tables, and what the guard triggers keep. */
#include "base/prologue.h"

#include "store/feed.h"
#include "store/history_log.h"

#include <string.h>

KECS__FN void kecs__history_ddl_tables(kecs__text *out, const kecs_dialect *dialect) {
  const char *number = dialect->type_int;
  const char *text = dialect->type_text;
  kecs__text_addf(out,
                  "CREATE TABLE IF NOT EXISTS {history}(seq %s,kind %s NOT NULL,rid %s NOT NULL,op %s NOT NULL,"
                  "whole %s NOT NULL,stamp %s NOT NULL,actor %s,reason %s,old %s)%s;\n"
                  "CREATE INDEX IF NOT EXISTS history_row ON {history}(kind,rid,seq);\n",
                  dialect->type_rid, number, number, number, number, number, text, text, text, dialect->table_options);
  kecs__text_addf(out,
                  "CREATE TABLE IF NOT EXISTS {history_keys}(seq %s NOT NULL,number %s NOT NULL,kind %s NOT NULL,"
                  "rid %s NOT NULL,key %s NOT NULL,PRIMARY KEY(seq,number))%s;\n"
                  "CREATE INDEX IF NOT EXISTS history_keys_key ON {history_keys}(kind,number,key,seq);\n",
                  number, number, number, number, text, dialect->table_options);
}

/* The entry that the trigger has just logged. */
static void kecs__history_guard_head(kecs__text *out) {
  kecs__text_adds(out, "  INSERT INTO history(seq,kind,rid,op,whole,stamp,old) SELECT seq,kind,rid,op,");
}

static void kecs__history_guard_tail(kecs__text *out) {
  kecs__text_adds(out, " FROM changes ORDER BY seq DESC LIMIT 1;\n");
}

/* By hand, since a function takes no more than 127 arguments everywhere. */
static void kecs__history_guard_column(kecs__text *out, const char *name, size_t len, bool more) {
  kecs__text_addf(out, "'%s\"%.*s\":'||json_quote(old.%.*s)||", more ? "," : "{", (int)len, name, (int)len, name);
}

KECS__FN void kecs__history_guard_insert(kecs__text *out) {
  kecs__history_guard_head(out);
  kecs__text_adds(out, "0,stamp,NULL");
  kecs__history_guard_tail(out);
}

KECS__FN void kecs__history_guard_update(kecs__text *out, const char *columns) {
  kecs__history_guard_head(out);
  kecs__text_adds(out, "0,stamp,");
  for (bool more = false; *columns; more = true) {
    size_t len = strcspn(columns, ",");
    kecs__history_guard_column(out, columns, len, more);
    columns += len + (columns[len] ? 1 : 0);
  }
  kecs__text_adds(out, "'}'");
  kecs__history_guard_tail(out);
}

KECS__FN void kecs__history_guard_delete(kecs__text *out, const kecs_kind_info *info) {
  kecs__history_guard_head(out);
  kecs__text_adds(out, "1,stamp,");
  for (int i = 0; i < info->column_count; i++) {
    kecs__history_guard_column(out, info->columns[i].name, strlen(info->columns[i].name), i > 0);
  }
  kecs__text_adds(out, "'}'");
  kecs__history_guard_tail(out);
  for (int number = 0; number < info->key_count; number++) {
    kecs__text_addf(out, "  INSERT INTO history_keys(seq,number,kind,rid,key) SELECT seq,%d,kind,rid,coalesce(",
                    number);
    kecs__feed_guard_key(out, info, number);
    kecs__text_adds(out, ",'')");
    kecs__history_guard_tail(out);
  }
}
