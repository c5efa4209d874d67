/* hub_kinds.c -- what is special to kinds at the hub: the numbers of task definitions, and rules that swap theirs;
 * and digests, which are a matter of arithmetic. */
#include "hub.h"

#include "sync/md5.h"

/* ---- task definitions ---- */

/* Whether somebody else has made the row since the site last pulled. */
static bool unseen(const sim_hub *hub, const hub_row *row, int64_t me, int64_t since) {
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *entry = &hub->entries[i];
    if (entry->birth && entry->kind == row->kind && entry->rid == row->rid && entry->from != me &&
        (entry->seq == 0 || entry->seq > since)) {
      return true;
    }
  }
  return false;
}

/* Whether a deletion is later than the life that is sent. */
static bool beaten(const sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t site) {
  for (int i = 0; i < hub->entry_count; i++) {
    const hub_entry *entry = &hub->entries[i];
    if (entry->death && entry->kind == kind && strcmp(entry->key, key) == 0 &&
        sim_stamp_order(entry->stamp, entry->site, stamp, site) > 0) {
      return true;
    }
  }
  return false;
}

bool hub_lacks(sim_hub *hub, int kind, const char *key, int64_t stamp, int64_t site) {
  const hub_row *row = hub_find(hub, kind, key);
  bool there = row && row->alive && sim_stamp_order(row->stamp[0], row->site[0], stamp, site) >= 0;
  return !there && !beaten(hub, kind, key, stamp, site);
}

bool hub_claimed(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, int64_t me,
                 int64_t since) {
  const hub_row *row = hub_find(hub, kind, key);
  return kind == (int)KECS_KIND_TASK_DEFINITION && row && row->alive &&
         sim_stamp_order(row->stamp[0], row->site[0], stamp[0], site[0]) != 0 &&
         !beaten(hub, kind, key, stamp[0], site[0]) && unseen(hub, row, me, since);
}

void hub_family_raise(sim_hub *hub, const char *account, const char *region, const char *family, int64_t revision) {
  const char *const names[] = {account, region, family};
  for (int i = 0; i < hub->family_count; i++) {
    hub_family *known = &hub->families[i];
    if (strcmp(known->name[0], account) == 0 && strcmp(known->name[1], region) == 0 &&
        strcmp(known->name[2], family) == 0) {
      known->last = revision > known->last ? revision : known->last;
      return;
    }
  }
  hub->families = sim_grow(hub->families, ((size_t)hub->family_count + 1) * sizeof *hub->families);
  hub_family *made = &hub->families[hub->family_count++];
  made->last = revision;
  for (int part = 0; part < 3; part++) {
    made->name[part] = sim_copy(names[part]);
  }
}

void hub_families_of(sim_hub *hub, const kecs_kind_info *info, char **values) {
  if (info->kind == KECS_KIND_TASK_DEFINITION) {
    hub_family_raise(hub, values[kecs_column_find(info, "account_id")], values[kecs_column_find(info, "region")],
                     values[kecs_column_find(info, "family")],
                     strtoll(values[kecs_column_find(info, "revision")], NULL, 10));
  }
}

/* arn:PARTITION:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION */
void hub_family_of_key(sim_hub *hub, int kind, const char *key) {
  char region[64];
  char account[64];
  char family[256];
  long long revision = 0;
  if (kind == (int)KECS_KIND_TASK_DEFINITION &&
      sscanf(key, "arn:%*[^:]:ecs:%63[^:]:%63[^:]:task-definition/%255[^:]:%lld", region, account, family, &revision) ==
          4) {
    hub_family_raise(hub, account, region, family, revision);
  }
}

/* ---- rules ---- */

/* A number that a row may change, and that no two have. */
static int swapped(const kecs_kind_info *info) {
  for (int k = 1; k < info->key_count; k++) {
    for (int i = 0; i < info->keys[k].count; i++) {
      const kecs_column_info *column = &info->columns[info->keys[k].columns[i]];
      if (column->group != KECS_GROUP_KEY && column->group != KECS_GROUP_LOCAL) {
        return info->keys[k].columns[i];
      }
    }
  }
  return -1;
}

bool hub_swaps(const kecs_kind_info *info) {
  return swapped(info) >= 0;
}

const hub_row *hub_holder(sim_hub *hub, int kind, const char *key, char **values) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
  const hub_row *own = hub_find(hub, kind, key);
  for (int r = 0; r < hub->row_count; r++) {
    const hub_row *row = &hub->rows[r];
    bool same = row->kind == kind && row->alive && strcmp(row->key, key) != 0;
    for (int i = 0; same && i < info->keys[1].count; i++) {
      int column = info->keys[1].columns[i];
      const char *value = values[column] ? values[column] : own && own->alive ? own->values[column] : NULL;
      same = value && row->values[column] && strcmp(value, row->values[column]) == 0;
    }
    if (same) {
      return row;
    }
  }
  return NULL;
}

/* A row that will get another number has none that could be in the way. */
void hub_aside(sim_hub *hub, int kind, const char *key, const int64_t *stamp, const int64_t *site, char **values) {
  const kecs_kind_info *info = kecs_kind_describe((kecs_kind)kind);
  hub_row *row = hub_find(hub, kind, key);
  int column = swapped(info);
  char number[32];
  if (!row || !row->alive || !values[column] || strcmp(row->values[column], values[column]) == 0) {
    return;
  }
  int life = sim_stamp_order(stamp[0], site[0], row->stamp[0], row->site[0]);
  if (life > 0 || (life == 0 && sim_stamp_order(stamp[1], site[1], row->stamp[1], row->site[1]) > 0)) {
    snprintf(number, sizeof number, "aside %lld", (long long)row->rid);
    free(row->values[column]);
    row->values[column] = sim_copy(number);
  }
}

/* ---- digests ---- */

/* The first `digits` hexadecimal digits of a text's MD5. */
static int64_t digits_of(const char *text, int digits) {
  unsigned char hash[KECS_SYNC__MD5_SIZE];
  int64_t number = 0;
  kecs_sync__md5(text, strlen(text), hash);
  for (int i = 0; i < digits; i++) {
    number = number * 16 + (i % 2 ? hash[i / 2] % 16 : hash[i / 2] / 16);
  }
  return number;
}

int hub_bucket(const char *key) {
  return (int)(digits_of(key, 3) % HUB_BUCKETS);
}

void hub_digest(const sim_hub *hub, int kind, int64_t sums[HUB_BUCKETS]) {
  char text[SIM_TEXT * 2];
  for (int i = 0; i < HUB_BUCKETS; i++) {
    sums[i] = -1;
  }
  for (int i = 0; i < hub->row_count; i++) {
    const hub_row *row = &hub->rows[i];
    if (row->kind == kind && row->alive) {
      int64_t *sum = &sums[hub_bucket(row->key)];
      snprintf(text, sizeof text, "%s|%lld,%lld|%lld,%lld|%lld,%lld", row->key, (long long)row->stamp[0],
               (long long)row->site[0], (long long)row->stamp[1], (long long)row->site[1], (long long)row->stamp[2],
               (long long)row->site[2]);
      *sum = ((*sum < 0 ? 0 : *sum) + digits_of(text, 15)) % (INT64_C(1) << 60);
    }
  }
}
