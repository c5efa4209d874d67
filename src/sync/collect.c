/* sync/collect.c -- states are put together for a push: as arrays, one a column, or as what a COPY takes. */
#include "pg/prologue.h"

#include "sync/push.h"

#include <stdlib.h>
#include <string.h>

KECS_PG__FN kecs_sync__arrays *kecs_sync__arrays_of(kecs_sync *sync, kecs_sync__arrays **slot) {
  if (!*slot) {
    *slot = kecs_pg__alloc(&sync->allocator, sizeof **slot);
    for (int i = 0; *slot && i < KECS_SYNC__ARRAYS; i++) {
      (*slot)->array[i].allocator = &sync->allocator;
    }
  }
  return *slot;
}

static void kecs_sync__array_value(kecs_pg__text *array, const kecs_column_info *column, const kecs_value *value) {
  if (value->type == KECS_VALUE_NULL) {
    kecs_sync__array_add(array, NULL);
  } else if (value->type == KECS_VALUE_TEXT) {
    kecs_sync__array_add(array, value->text);
  } else if (column->type == KECS_TYPE_BOOL) {
    kecs_sync__array_bool(array, value->number != 0);
  } else {
    kecs_sync__array_int(array, value->number);
  }
}

KECS_PG__FN int64_t kecs_sync__wire_site(const kecs_sync *sync, int64_t site) {
  return site == KECS_REPLICA_HERE ? sync->notes.site : site;
}

/* `row` is NULL for a deletion. */
static kecs_status kecs_sync__load_policy(kecs_sync__load *load, kecs_kind kind, const kecs_replica_row *row) {
  kecs_sync__policy_rows **slot = &load->policy[kind];
  if (!kecs_sync__policy_any(load->sync, kind)) {
    return KECS_OK;
  }
  *slot = *slot ? *slot : kecs_pg__alloc(&load->sync->allocator, sizeof **slot);
  if (*slot && row) {
    kecs_sync__policy_row(load->sync, *slot, row);
  }
  return *slot ? KECS_OK : KECS_E_NOMEM;
}

/* Whether a column goes with a row of which only some groups do: these, and the key. */
static bool kecs_sync__goes(const kecs_kind_info *info, int column, unsigned pending) {
  for (int i = 0; i < info->keys[0].count; i++) {
    if (info->keys[0].columns[i] == column) {
      return true;
    }
  }
  return (info->columns[column].group == KECS_GROUP_SPEC && (pending & 1U << KECS_REPLICA_SPEC)) ||
         (info->columns[column].group == KECS_GROUP_STATUS && (pending & 1U << KECS_REPLICA_STATUS));
}

static void kecs_sync__put_int(kecs_sync__arrays *put, int at, int64_t number) {
  if (put->copied) {
    kecs_sync__copied_int(put, number);
  } else {
    kecs_sync__array_int(&put->array[at], number);
  }
}

static void kecs_sync__put_value(kecs_sync__arrays *put, int at, const kecs_column_info *column,
                                 const kecs_value *value) {
  if (put->copied) {
    kecs_sync__copied_value(put, column, value);
  } else {
    kecs_sync__array_value(&put->array[at], column, value);
  }
}

/* Begins a row with its key. Many rows are put together for a COPY. */
static kecs_sync__arrays *kecs_sync__put_begin(kecs_sync__load *load, const kecs_replica_row *row) {
  kecs_sync__arrays *put = kecs_sync__arrays_of(load->sync, &load->put[row->kind]);
  if (put && put->rows == 0) {
    put->copied = load->end && load->end->read > load->sync->arrays_most && !load->sync->no_stage;
    load->copies = load->copies || put->copied;
  }
  if (put && put->copied) {
    kecs_sync__copied_key(put, load->sync, row);
  } else if (put) {
    kecs_sync__array_add(&put->array[0], row->key);
  }
  return put;
}

static kecs_status kecs_sync__load_row(kecs_sync__load *load, const kecs_replica_row *row) {
  static const kecs_value nothing = {KECS_VALUE_NULL, 0, NULL, 0};
  kecs_sync__arrays *put = kecs_sync__put_begin(load, row);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  bool partly = load->partly && !(row->pending & 1U << KECS_REPLICA_LIFE);
  int at = 2;
  if (!put) {
    return KECS_E_NOMEM;
  }
  kecs_sync__put_int(put, 1, (int64_t)row->pending | (partly ? KECS_SYNC__PARTLY : 0));
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    bool goes = !partly || i == KECS_REPLICA_LIFE || (row->pending & 1U << i);
    kecs_sync__put_int(put, at++, goes ? row->stamp[i] : 0);
    kecs_sync__put_int(put, at++, goes ? kecs_sync__wire_site(load->sync, row->site[i]) : 0);
  }
  for (int i = 0; i < info->column_count; i++) {
    if (kecs_sync__known(load->sync, info, i)) {
      bool goes = !partly || kecs_sync__goes(info, i, row->pending);
      kecs_sync__put_value(put, at++, &info->columns[i], goes ? &row->values[i] : &nothing);
    }
  }
  put->count = put->copied ? 0 : at;
  put->rows++;
  load->rows++;
  if (put->copied) {
    kecs_sync__copied_int(put, put->rows);
  }
  return kecs_sync__load_policy(load, row->kind, row);
}

/* In all parts but the last a comma is written \, and a backslash \\. */
KECS_PG__FN void kecs_sync__load_key(kecs_sync__arrays *bury, const kecs_kind_info *info, const char *key) {
  const kecs_column_list *list = &info->keys[0];
  for (int i = 0; i < list->count; i++) {
    kecs_pg__text part = {bury->array[0].allocator, NULL, 0, 0, KECS_OK};
    bool last = i == list->count - 1;
    while (*key && (last || *key != ',')) {
      key += !last && *key == '\\' && key[1] ? 1 : 0;
      kecs_pg__text_add(&part, key++, 1);
    }
    key += !last && *key == ',' ? 1 : 0;
    const kecs_column_info *column = &info->columns[list->columns[i]];
    bool text = column->type == KECS_TYPE_TEXT || column->type == KECS_TYPE_JSON;
    if (text) {
      kecs_sync__array_add(&bury->array[KECS_SYNC__BURY_FIXED + i], part.len ? part.data : "");
    } else {
      kecs_sync__array_int(&bury->array[KECS_SYNC__BURY_FIXED + i], part.len ? strtoll(part.data, NULL, 10) : 0);
    }
    bury->array[0].status = bury->array[0].status ? bury->array[0].status : part.status;
    kecs_pg__text_free(&part);
  }
}

KECS_PG__FN kecs_status kecs_sync__load_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__load *load = user;
  if (!row->dead) {
    return kecs_sync__load_row(load, row);
  }
  kecs_sync__arrays *bury = kecs_sync__arrays_of(load->sync, &load->bury[row->kind]);
  const kecs_kind_info *info = kecs_kind_describe(row->kind);
  if (!bury) {
    return KECS_E_NOMEM;
  }
  kecs_sync__array_add(&bury->array[0], row->key);
  kecs_sync__array_int(&bury->array[1], row->stamp[0]);
  kecs_sync__load_key(bury, info, row->key);
  bury->count = KECS_SYNC__BURY_FIXED + info->keys[0].count;
  bury->rows++;
  load->rows++;
  load->buries = true;
  return kecs_sync__load_policy(load, row->kind, NULL);
}

/* A row or a deletion that was refused. */
KECS_PG__FN kecs_status kecs_sync__load_again(const kecs_replica_row *row, void *user) {
  kecs_replica_row all = *row;
  for (int i = 0; i < KECS_REPLICA_STAMPS; i++) {
    all.pending |= row->stamp[i] && row->site[i] == KECS_REPLICA_HERE ? 1U << i : 0;
  }
  bool theirs = row->dead && row->site[0] != KECS_REPLICA_HERE;
  return theirs ? KECS_OK : kecs_sync__load_visit(&all, user);
}

KECS_PG__FN void kecs_sync__load_begin(kecs_sync__load *load, kecs_sync *sync) {
  memset(load, 0, sizeof *load);
  load->sync = sync;
  load->origin = KECS_REPLICA_HERE;
}

KECS_PG__FN void kecs_sync__load_free(kecs_sync__load *load) {
  for (int kind = 0; kind < KECS_KIND_COUNT; kind++) {
    kecs_sync__arrays *const all[] = {load->put[kind], load->bury[kind]};
    for (size_t a = 0; a < 2; a++) {
      for (int i = 0; all[a] && i < KECS_SYNC__ARRAYS; i++) {
        kecs_pg__text_free(&all[a]->array[i]);
      }
      kecs_pg__release(&load->sync->allocator, all[a], sizeof *all[a]);
    }
    if (load->policy[kind]) {
      kecs_sync__policy_rows_free(load->policy[kind]);
      kecs_pg__release(&load->sync->allocator, load->policy[kind], sizeof *load->policy[kind]);
    }
  }
}
