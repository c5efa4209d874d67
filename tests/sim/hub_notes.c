/* hub_notes.c -- the log of conflicts of the model: every write that was taken and that another site ends or replaces
 * without having seen it is in there, and so is what comes too late. */
#include "hub.h"

void hub_note_add(sim_hub *hub, int kind, const char *key, const char *reason, int groups, int64_t kept_site,
                  int64_t lost_site) {
  hub->notes = sim_grow(hub->notes, ((size_t)hub->note_count + 1) * sizeof *hub->notes);
  hub_note *note = &hub->notes[hub->note_count++];
  note->kind = kind;
  note->key = sim_copy(key);
  note->reason = reason;
  note->groups = groups;
  note->kept_site = kept_site;
  note->lost_site = lost_site;
}

void hub_notes_free(sim_hub *hub) {
  for (int i = 0; i < hub->note_count; i++) {
    free(hub->notes[i].key);
  }
  free(hub->notes);
}

void hub_notes_copy(sim_hub *copy, const sim_hub *hub) {
  copy->notes = NULL;
  copy->note_count = 0;
  for (int i = 0; i < hub->note_count; i++) {
    const hub_note *note = &hub->notes[i];
    hub_note_add(copy, note->kind, note->key, note->reason, note->groups, note->kept_site, note->lost_site);
  }
}

/* The groups of a row that others have written since the site has read the feed; 0: it has seen all. */
static int unseen(const sim_hub *hub, const hub_row *row, int64_t me, int64_t since) {
  int groups = 0;
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *entry = &hub->entries[i];
    bool own = entry->kind == row->kind && entry->rid == row->rid;
    groups |= own && entry->from != me && (!entry->seq || entry->seq > since) ? entry->groups : 0;
  }
  return groups;
}

/* The site of the latest deletion of the key that is later than a life; -1: there is none. */
static int64_t beaten_by(const sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t site) {
  int64_t found = -1;
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *entry = &hub->entries[i];
    if (entry->death && entry->kind == kind && strcmp(entry->key, key) == 0 &&
        sim_stamp_order(entry->stamp, entry->site, stamp, site) > 0) {
      stamp = entry->stamp;
      site = entry->site;
      found = site;
    }
  }
  return found;
}

void hub_note_put(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, int mask,
                  int64_t me, int64_t since) {
  const hub_row *row = hub_find(hub, kind, key);
  int64_t grave = beaten_by(hub, kind, key, stamp[0], site[0]);
  if (grave >= 0) {
    hub_note_add(hub, kind, key, "delete", mask & 7, grave, me);
    return;
  }
  if (!row || !row->alive) {
    return;
  }
  int others = unseen(hub, row, me, since);
  int life = sim_stamp_order(stamp[0], site[0], row->stamp[0], row->site[0]);
  if (life > 0 && others) {
    hub_note_add(hub, kind, key, "create", 1, site[0], row->site[0]);
  } else if (life < 0) {
    hub_note_add(hub, kind, key, "create", 1, row->site[0], site[0]);
  }
  for (int i = 1; life == 0 && i < KECS_REPLICA_STAMPS; i++) {
    int order = sim_stamp_order(stamp[i], site[i], row->stamp[i], row->site[i]);
    if (order > 0 && row->site[i] != me && (others & 1 << i)) {
      hub_note_add(hub, kind, key, "update", 1 << i, site[i], row->site[i]);
    } else if (order < 0 && (mask & 1 << i)) {
      hub_note_add(hub, kind, key, "update", 1 << i, row->site[i], site[i]);
    }
  }
}

void hub_note_bury(sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t me, int64_t since) {
  const hub_row *row = hub_find(hub, kind, key);
  bool ends = row && row->alive && sim_stamp_order(stamp, me, row->stamp[0], row->site[0]) > 0;
  int others = ends ? unseen(hub, row, me, since) : 0;
  if (others) {
    hub_note_add(hub, kind, key, "delete", others & 7, me, row->site[0]);
  }
}
