/* sync/scope.c -- what an edge may exchange, as the handshake tells it: clusters that it has from now on are read as a
 * whole, rows of those that it has no longer leave this file.
 *
 * Scopes are names in one text with spaces between: ARNs of clusters, "-" for what belongs to none, or "*" for the
 * whole tenant. sync_scope at the hub (hub_owner.c) and kecs_sync__in_scope here say alike what a key belongs to. */
#include "pg/prologue.h"

#include "sync/pull.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KECS_SYNC__BARE_ARN "arn:aws:ecs:us-east-1:000000000000:cluster/"

/* ---- names ---- */

static bool kecs_sync__cluster_name(const char *name, size_t len) {
  size_t good = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
  return len > 0 && good >= len;
}

/* "arn:PARTITION:ecs:REGION:ACCOUNT:" at the beginning of a text: its length; 0 where there is none. */
static size_t kecs_sync__arn_len(const char *text) {
  const char *at = strncmp(text, "arn:", 4) == 0 ? text + 4 : NULL;
  for (int part = 1; at && part < 5; part++) {
    size_t len = strcspn(at, ":,/");
    bool good = at[len] == ':' && (part != 2 || (len == 3 && strncmp(at, "ecs", 3) == 0));
    at = good ? at + len + 1 : NULL;
  }
  return at ? (size_t)(at - text) : 0;
}

KECS_PG__FN kecs_status kecs_sync__scope_name(const char *name, char out[KECS_SYNC__SCOPE_MAX]) {
  size_t arn = kecs_sync__arn_len(name);
  bool whole = arn > 0 && strncmp(name + arn, "cluster/", 8) == 0;
  const char *bare = whole ? name + arn + 8 : name;
  size_t len = strlen(bare);
  bool cluster = kecs_sync__cluster_name(bare, len) && len <= 255 && strlen(name) < KECS_SYNC__SCOPE_MAX - 64;
  if (strcmp(name, "-") != 0 && !cluster) {
    return kecs_pg__fail(KECS_E_INVALID, "\"%.200s\" is no cluster: give its name, its ARN, or - for rows of none",
                         name);
  }
  snprintf(out, KECS_SYNC__SCOPE_MAX, "%s%s", whole || strcmp(name, "-") == 0 ? "" : KECS_SYNC__BARE_ARN, name);
  return KECS_OK;
}

/* ---- what a key belongs to ---- */

/* A cluster, by its ARN's beginning and its name. Both are empty for what belongs to none. */
typedef struct kecs_sync__owner {
  const char *arn;
  size_t arn_len;
  const char *name;
  size_t name_len;
} kecs_sync__owner;

static kecs_sync__owner kecs_sync__owner_of(kecs_kind kind, const char *key) {
  static const struct {
    const char *begin;
    bool more; /* something comes behind the cluster's name */
  } resources[] = {
      {"cluster/", false}, {"service/", true}, {"task/", true}, {"task-set/", true}, {"container-instance/", true}};
  kecs_sync__owner owner = {key, kecs_sync__arn_len(key), NULL, 0};
  const char *rest = key + owner.arn_len;
  for (size_t i = 0; owner.arn_len > 0 && i < sizeof resources / sizeof resources[0]; i++) {
    size_t len = strlen(resources[i].begin);
    if (strncmp(rest, resources[i].begin, len) == 0) {
      const char *end = rest + len + strcspn(rest + len, ",/");
      bool ends = resources[i].more ? *end == '/' : *end == '\0' || *end == ',';
      owner.name = ends && kecs_sync__cluster_name(rest + len, (size_t)(end - rest) - len) ? rest + len : NULL;
      owner.name_len = owner.name ? (size_t)(end - owner.name) : 0;
    }
  }
  if (kind == KECS_KIND_ATTRIBUTE && strncmp(key, "arn:", 4) != 0) {
    size_t len = strcspn(key, ",");
    owner.name = key[len] == ',' && kecs_sync__cluster_name(key, len) ? key : NULL;
    owner.name_len = owner.name ? len : 0;
  }
  return owner;
}

/* Whether one name among scopes is what owns a row. An attribute may name its cluster without an ARN. */
static bool kecs_sync__owns(const char *scope, size_t len, const kecs_sync__owner *owner) {
  static const char cluster[] = "cluster/";
  size_t tail = owner->name_len + sizeof cluster - 1;
  if (!owner->name) {
    return len == 1 && *scope == '-';
  }
  return len > tail && scope[len - tail - 1] == ':' && strncmp(scope + len - tail, cluster, sizeof cluster - 1) == 0 &&
         strncmp(scope + len - owner->name_len, owner->name, owner->name_len) == 0 &&
         (owner->arn_len == 0 || (owner->arn_len == len - tail && strncmp(scope, owner->arn, owner->arn_len) == 0));
}

KECS_PG__FN bool kecs_sync__in_scope(const char *scopes, kecs_kind kind, const char *key) {
  kecs_sync__owner owner = kecs_sync__owner_of(kind, key);
  bool in = strcmp(scopes, "*") == 0;
  while (!in && *scopes) {
    size_t len = strcspn(scopes, " ");
    in = kecs_sync__owns(scopes, len, &owner);
    scopes += len + (scopes[len] == ' ');
  }
  return in;
}

/* ---- the notes ---- */

typedef struct kecs_sync__scope_note {
  kecs_pg__text text;
  bool there;
} kecs_sync__scope_note;

static kecs_status kecs_sync__scope_visit(const kecs_value *values, void *user) {
  kecs_sync__scope_note *note = user;
  note->there = true;
  kecs_pg__text_adds(&note->text, values[0].text ? values[0].text : "");
  return note->text.status;
}

/* A note that may be long. "" where there is none. */
static kecs_status kecs_sync__scope_read(kecs_sync *sync, const char *name, kecs_sync__scope_note *out) {
  kecs_value value = kecs_sync__value_text(name);
  memset(out, 0, sizeof *out);
  out->text.allocator = &sync->allocator;
  kecs_status status = kecs_replica_sql(sync->store, "SELECT value FROM {sync_state} WHERE {own}name=?1", &value, 1, 1,
                                        kecs_sync__scope_visit, out);
  if (!status && !out->text.data) {
    kecs_pg__text_adds(&out->text, "");
  }
  return status ? status : out->text.status;
}

KECS_PG__FN kecs_status kecs_sync__boot_scopes(kecs_sync *sync, kecs_pg__text *out) {
  kecs_sync__scope_note note;
  kecs_status status = kecs_sync__scope_read(sync, "boot_scopes", &note);
  for (const char *at = status ? "" : note.text.data; *at;) {
    size_t len = strcspn(at, " ");
    kecs_pg__text one = {&sync->allocator, NULL, 0, 0, KECS_OK};
    kecs_pg__text_add(&one, at, len);
    const char *cluster = one.data ? strstr(one.data, ":cluster/") : NULL;
    if (one.data) {
      kecs_sync__array_add(out, one.data);
    }
    if (cluster) {
      kecs_sync__array_add(out, cluster + 1); /* as attributes may have it */
    }
    status = status ? status : one.status;
    kecs_pg__text_free(&one);
    at += len + (at[len] == ' ');
  }
  if (out->len > 0) {
    kecs_sync__array_end(out);
  }
  kecs_pg__text_free(&note.text);
  return status ? status : out->status;
}

/* ---- leaving ---- */

typedef struct kecs_sync__leaver {
  kecs_kind kind;
  char *key;
  struct kecs_sync__leaver *next;
} kecs_sync__leaver;

typedef struct kecs_sync__rescoping {
  kecs_sync *sync;
  const char *before;
  const char *after;
  kecs_pg__text added;
  bool boots;
  kecs_sync__leaver *first;
  int64_t left;
  int64_t conflicts;
} kecs_sync__rescoping;

static kecs_status kecs_sync__leaver_visit(const kecs_replica_row *row, void *user) {
  kecs_sync__rescoping *rescoping = user;
  if (kecs_sync__in_scope(rescoping->after, row->kind, row->key) ||
      !kecs_sync__in_scope(rescoping->before, row->kind, row->key)) {
    return KECS_OK;
  }
  kecs_sync__leaver *leaver = kecs_pg__alloc(&rescoping->sync->allocator, sizeof *leaver);
  if (!leaver) {
    return KECS_E_NOMEM;
  }
  leaver->kind = row->kind;
  leaver->next = rescoping->first;
  rescoping->first = leaver;
  leaver->key = kecs_pg__copy(&rescoping->sync->allocator, row->key, strlen(row->key));
  return leaver->key ? KECS_OK : KECS_E_NOMEM;
}

static kecs_status kecs_sync__leave(kecs_sync__rescoping *rescoping, kecs_store *tx, const kecs_sync__leaver *leaver) {
  kecs_replica side = kecs_sync__side(rescoping->sync);
  kecs_replica_merged merged = {KECS_REPLICA_SAME, 0};
  kecs_replica_row row;
  memset(&row, 0, sizeof row);
  row.kind = leaver->kind;
  row.key = leaver->key;
  row.dead = true;
  row.leaves = true;
  kecs_status status = kecs_replica_merge(tx, &side, &row, &merged);
  rescoping->left += merged.outcome == KECS_REPLICA_TAKEN;
  rescoping->conflicts += merged.conflicts;
  return status;
}

static void kecs_sync__leavers_free(kecs_sync__rescoping *rescoping) {
  const kecs_allocator *allocator = &rescoping->sync->allocator;
  for (kecs_sync__leaver *leaver = rescoping->first; leaver; leaver = rescoping->first) {
    rescoping->first = leaver->next;
    kecs_pg__release_text(allocator, leaver->key);
    kecs_pg__release(allocator, leaver, sizeof *leaver);
  }
}

/* Children before parents, a page of keys at a time. */
static kecs_status kecs_sync__leave_kind(kecs_sync__rescoping *rescoping, kecs_store *tx, kecs_kind kind) {
  kecs_sync *sync = rescoping->sync;
  kecs_replica side = kecs_sync__side(sync);
  int64_t after = 0;
  int64_t last = 0;
  kecs_status status = KECS_OK;
  do {
    after = last;
    last = 0;
    status = kecs_replica_walk(tx, &side, kind, after, sync->batch, kecs_sync__leaver_visit, rescoping, &last);
    for (const kecs_sync__leaver *leaver = rescoping->first; !status && leaver; leaver = leaver->next) {
      status = kecs_sync__leave(rescoping, tx, leaver);
    }
    kecs_sync__leavers_free(rescoping);
  } while (!status && last > after);
  return status;
}

/* ---- joining ---- */

static bool kecs_sync__named(const char *scopes, const char *name, size_t len) {
  bool found = false;
  while (!found && *scopes) {
    size_t one = strcspn(scopes, " ");
    found = one == len && strncmp(scopes, name, len) == 0;
    scopes += one + (scopes[one] == ' ');
  }
  return found;
}

/* What is new is read as a whole. Where that cannot be told apart, everything is: it is only merged. */
static void kecs_sync__added(kecs_sync__rescoping *rescoping) {
  const kecs_sync__notes *notes = &rescoping->sync->notes;
  if (strcmp(rescoping->before, "*") == 0) {
    return;
  }
  rescoping->boots = strcmp(rescoping->after, "*") == 0;
  for (const char *at = rescoping->boots ? "" : rescoping->after; *at;) {
    size_t len = strcspn(at, " ");
    if (!kecs_sync__named(rescoping->before, at, len)) {
      kecs_pg__text_adds(&rescoping->added, rescoping->added.len > 0 ? " " : "");
      kecs_pg__text_add(&rescoping->added, at, len);
      rescoping->boots = true;
    }
    at += len + (at[len] == ' ');
  }
  if (!notes->booted) { /* the one under way begins anew, with all */
    kecs_pg__text_free(&rescoping->added);
  }
}

static kecs_status kecs_sync__rescope_work(kecs_store *tx, void *user) {
  kecs_sync__rescoping *rescoping = user;
  const char *added = rescoping->added.data ? rescoping->added.data : "";
  kecs_status status = rescoping->added.status;
  rescoping->left = 0;
  rescoping->conflicts = 0;
  for (int kind = KECS_KIND_COUNT - 1; !status && kind > 0; kind--) {
    if (rescoping->sync->kinds & KECS_BIT(kind)) {
      status = kecs_sync__leave_kind(rescoping, tx, (kecs_kind)kind);
    }
  }
  if (!status && rescoping->boots && rescoping->sync->notes.boot_kind != 0) {
    status = kecs_sync__note_number(tx, "boot_kind", 1);
    status = status ? status : kecs_sync__note_number(tx, "boot_rid", 0);
    status = status ? status : kecs_sync__note(tx, "boot_scopes", added);
  }
  return status ? status : kecs_sync__note(tx, "scopes", rescoping->after);
}

KECS_PG__FN kecs_status kecs_sync__rescope(kecs_sync *sync, const PGresult *said) {
  kecs_sync__rescoping rescoping;
  kecs_sync__scope_note before;
  kecs_status status = kecs_sync__scope_read(sync, "scopes", &before);
  memset(&rescoping, 0, sizeof rescoping);
  rescoping.sync = sync;
  rescoping.added.allocator = &sync->allocator;
  rescoping.after = kecs_sync__text(said, 0, 0);
  /* A file that has read nothing yet has nothing to give back; one from before there were scopes had the tenant. */
  bool began = before.there || sync->notes.boot_kind != 0;
  rescoping.before = before.there ? before.text.data : began ? "*" : rescoping.after;
  if (!status && (!before.there || strcmp(rescoping.before, rescoping.after) != 0)) {
    kecs_sync__added(&rescoping);
    status = kecs_sync__transact(sync, kecs_sync__rescope_work, &rescoping);
    sync->report.left += status ? 0 : rescoping.left;
    sync->report.conflicts += status ? 0 : rescoping.conflicts;
    status = status ? status : kecs_sync__notes_read(sync);
  }
  kecs_sync__leavers_free(&rescoping);
  kecs_pg__text_free(&rescoping.added);
  kecs_pg__text_free(&before.text);
  return status;
}

/* ---- an edge's own bounds ---- */

KECS_PG__FN kecs_status kecs_sync__clusters(kecs_sync *sync, const char *const *clusters, size_t count) {
  kecs_status status = KECS_OK;
  sync->clusters.allocator = &sync->allocator;
  for (size_t i = 0; !status && i < count; i++) {
    char name[KECS_SYNC__SCOPE_MAX] = "";
    status = clusters[i] ? kecs_sync__scope_name(clusters[i], name)
                         : kecs_pg__fail(KECS_E_INVALID, "options.clusters[%d] is NULL", (int)i);
    if (!status) {
      kecs_sync__array_add(&sync->clusters, name);
    }
  }
  if (count > 0) {
    kecs_sync__array_end(&sync->clusters);
  }
  return status ? status : sync->clusters.status;
}
