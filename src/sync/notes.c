/* sync/notes.c -- what the edge knows between rounds, in its own file. */
#include "pg/prologue.h"

#include "sync/internal.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

KECS_PG__FN kecs_value kecs_sync__value_int(int64_t number) {
  kecs_value value = {KECS_VALUE_INT, 0, NULL, number};
  return value;
}

KECS_PG__FN kecs_value kecs_sync__value_text(const char *text) {
  kecs_value value = {text ? KECS_VALUE_TEXT : KECS_VALUE_NULL, text ? strlen(text) : 0, text, 0};
  return value;
}

/* The names in sync_state, and where their values go: a text, or a number. */
typedef struct kecs_sync__note_place {
  const char *name;
  size_t offset;
  size_t size; /* of a text; 0: a number */
} kecs_sync__note_place;

#define KECS_SYNC__NUMBER(name, member) \
  { name, offsetof(kecs_sync__notes, member), 0 }
#define KECS_SYNC__TEXT(name, member) \
  { name, offsetof(kecs_sync__notes, member), sizeof(((kecs_sync__notes *)NULL)->member) }

static const kecs_sync__note_place kecs_sync__note_places[] = {
    KECS_SYNC__TEXT("hub", hub),
    KECS_SYNC__TEXT("push", push),
    KECS_SYNC__TEXT("alias", alias),
    KECS_SYNC__NUMBER("pushes", pushes),
    KECS_SYNC__NUMBER("former", former),
    KECS_SYNC__NUMBER("repair", repair),
    KECS_SYNC__NUMBER("repair_cause", repair_cause),
    KECS_SYNC__NUMBER("repair_kind", repair_kind),
    KECS_SYNC__NUMBER("repair_rid", repair_rid),
    KECS_SYNC__NUMBER("offset", offset),
    KECS_SYNC__NUMBER("offset_trip", offset_trip),
    KECS_SYNC__NUMBER("offset_at", offset_at),
    KECS_SYNC__NUMBER("retention", retention),
    KECS_SYNC__NUMBER("site", site),
    KECS_SYNC__NUMBER("acked", acked),
    KECS_SYNC__NUMBER("adopted", adopted),
    KECS_SYNC__NUMBER("cursor", cursor),
    KECS_SYNC__TEXT("cursor_id", cursor_id),
    KECS_SYNC__NUMBER("seen", seen),
    KECS_SYNC__TEXT("seen_id", seen_id),
    KECS_SYNC__NUMBER("seen_us", seen_us),
    KECS_SYNC__NUMBER("boot_kind", boot_kind),
    KECS_SYNC__NUMBER("boot_rid", boot_rid),
    KECS_SYNC__NUMBER("last", last_us),
    KECS_SYNC__TEXT("intent_id", intent.id),
    KECS_SYNC__NUMBER("intent_seq", intent.seq),
    KECS_SYNC__NUMBER("intent_stamp", intent.stamp),
    KECS_SYNC__NUMBER("intent_tries", intent.tries),
};

static kecs_status kecs_sync__note_visit(const kecs_value *values, void *user) {
  kecs_sync__notes *notes = user;
  for (size_t i = 0; i < sizeof kecs_sync__note_places / sizeof kecs_sync__note_places[0]; i++) {
    const kecs_sync__note_place *place = &kecs_sync__note_places[i];
    char *at = (char *)notes + place->offset;
    if (strcmp(values[0].text, place->name) != 0) {
      continue;
    }
    if (place->size > 0) {
      snprintf(at, place->size, "%s", values[1].text);
    } else {
      int64_t number = strtoll(values[1].text, NULL, 10);
      memcpy(at, &number, sizeof number);
    }
  }
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__notes_of(kecs_store *store, kecs_sync__notes *out_notes) {
  memset(out_notes, 0, sizeof *out_notes);
  kecs_status status = kecs_replica_sql(store, "SELECT name,value FROM {sync_state} WHERE {own}true", NULL, 0, 2,
                                        kecs_sync__note_visit, out_notes);
  out_notes->booted = out_notes->boot_kind >= KECS_KIND_COUNT + 1;
  return status;
}

KECS_PG__FN kecs_status kecs_sync__notes_read(kecs_sync *sync) {
  return kecs_sync__notes_of(sync->store, &sync->notes);
}

KECS_PG__FN kecs_status kecs_sync__note(kecs_store *tx, const char *name, const char *value) {
  kecs_value values[] = {kecs_sync__value_text(name), kecs_sync__value_text(value)};
  return kecs_replica_sql(
      tx,
      "INSERT INTO {sync_state}({tenant}name,value) VALUES({ours}?1,?2) ON CONFLICT(name) DO UPDATE SET "
      "value=excluded.value",
      values, 2, 0, NULL, NULL);
}

KECS_PG__FN kecs_status kecs_sync__note_number(kecs_store *tx, const char *name, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  return kecs_sync__note(tx, name, text);
}

static kecs_status kecs_sync__count_visit(const kecs_value *values, void *user) {
  *(int64_t *)user = values[0].number;
  return KECS_OK;
}

KECS_PG__FN kecs_status kecs_sync__count(kecs_store *store, const char *sql, int64_t *out_count) {
  *out_count = 0;
  return kecs_replica_sql(store, sql, NULL, 0, 1, kecs_sync__count_visit, out_count);
}

KECS_PG__FN kecs_status kecs_sync__transact(kecs_sync *sync, kecs_status (*work)(kecs_store *tx, void *user),
                                            void *user) {
  return kecs_transact(sync->store, work, user, 0);
}

KECS_PG__FN kecs_replica kecs_sync__side(const kecs_sync *sync) {
  bool went_back = sync->notes.repair && (sync->notes.repair_cause & (KECS_SYNC_HISTORY | KECS_SYNC_LOST));
  kecs_replica side;
  memset(&side, 0, sizeof side);
  side.site = sync->notes.site;
  side.acked = sync->notes.acked;
  side.kinds = sync->kinds;
  side.former = sync->notes.former;
  side.policies = sync->policies;
  side.policy_count = sync->policy_count;
  side.merge = sync->merge;
  side.user = sync->user;
  side.doubts = went_back;
  return side;
}

KECS_PG__FN void kecs_sync__array_add(kecs_pg__text *array, const char *text) {
  kecs_pg__text_adds(array, array->len == 0 ? "{" : ",");
  if (!text) {
    kecs_pg__text_adds(array, "NULL");
    return;
  }
  kecs_pg__text_adds(array, "\"");
  while (*text) {
    size_t plain = strcspn(text, "\"\\");
    kecs_pg__text_add(array, text, plain);
    text += plain;
    if (*text) {
      kecs_pg__text_adds(array, "\\");
      kecs_pg__text_add(array, text++, 1);
    }
  }
  kecs_pg__text_adds(array, "\"");
}

KECS_PG__FN void kecs_sync__array_int(kecs_pg__text *array, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%s%lld", array->len == 0 ? "{" : ",", (long long)number);
  kecs_pg__text_adds(array, text);
}

KECS_PG__FN void kecs_sync__array_bool(kecs_pg__text *array, bool value) {
  kecs_pg__text_adds(array, array->len == 0 ? "{" : ",");
  kecs_pg__text_adds(array, value ? "t" : "f");
}

KECS_PG__FN void kecs_sync__array_end(kecs_pg__text *array) {
  kecs_pg__text_adds(array, array->len == 0 ? "{}" : "}");
}
