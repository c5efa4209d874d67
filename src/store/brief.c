/* store/brief.c -- an update in one exchange with a server: the statement compares and writes, and is committed with.
 *
 * Where it finds nothing to change there are several reasons: no such row, another version, equal values, a column that
 * a document has left out. Then nothing has happened, and the update goes the long way, which tells them apart. */
#include "base/prologue.h"

#include "base/json.h"
#include "store/access.h"
#include "store/write.h"

#include <string.h>

/* The columns as parameters; false: one of them needs a closer look. */
static bool kecs__brief_values(const kecs__meta *meta, const kecs__change *change, kecs_value *out, int *count) {
  for (int i = 0; i < meta->info->column_count; i++) {
    if (change->mask & KECS_BIT(i)) {
      kecs_value value = kecs__row_value(meta->info, change->row, i);
      if ((value.type == KECS_VALUE_NULL && (meta->info->columns[i].flags & KECS_COLUMN_NOT_NULL)) ||
          (value.type == KECS_VALUE_TEXT && !kecs__utf8_valid(value.text, value.len))) {
        return false;
      }
      out[(*count)++] = value;
    }
  }
  return true;
}

/* Documents are compared by more than their bytes, and some columns have a following. */
static bool kecs__brief_fits(const kecs__write *write, const kecs__meta *meta, const kecs__change *change) {
  const kecs__special *special = meta->special;
  bool fits = write->engine->backend->start_last && write->own && write->last && change->rid == 0 &&
              change->probe->key == 0 && change->mask != 0 && meta->version >= 0 && meta->updated_at >= 0 &&
              meta->omitted >= 0 && !(change->mask & (meta->automatic | special->followed | special->judged));
  for (int i = 0; fits && i < meta->info->column_count; i++) {
    fits = !(change->mask & KECS_BIT(i)) || meta->info->columns[i].type != KECS_TYPE_JSON;
  }
  return fits;
}

/* A transaction that begins anew: the statement has ended the one before, or is undone with it. */
static kecs_status kecs__brief_again(kecs__write *write, kecs_status status) {
  if (status) {
    write->engine->backend->rollback(write->session->connection);
  }
  write->ended = false;
  return kecs__begin_write(write->store, write->session);
}

KECS__FN kecs_status kecs__row_change_brief(kecs__write *write, const kecs__meta *meta, const kecs__change *change,
                                            bool *out_done) {
  kecs_value values[64 + KECS_KEY_COLUMNS_MAX + 2];
  int count = change->probe->count;
  *out_done = false;
  if (!kecs__brief_fits(write, meta, change)) {
    return KECS_OK;
  }
  memcpy(values, change->probe->values, (size_t)count * sizeof *values);
  if (!kecs__brief_values(meta, change, values, &count)) {
    return KECS_OK;
  }
  values[count++] = kecs__value_int(write->now);
  values[count++] = kecs__value_int(change->version);
  kecs_error before = kecs__error_save();
  kecs__cached *cached = NULL;
  kecs_status status = kecs__statement(write->session, meta, KECS__OP_UPDATE_IF, change->mask, &cached);
  if (!status) {
    status = kecs__statement_run_last(write, cached, values, count);
  }
  *out_done = !status && write->engine->backend->changes(write->session->connection) > 0;
  if (*out_done || (status && kecs_status_class(status) != KECS_CLASS_CALLER)) {
    return status;
  }
  (void)kecs__error_restore(&before);
  return kecs__brief_again(write, status);
}
