/* disk.c -- SQLite's file system in memory. A file's owner can be killed at any write, and its power cut: then what was
 * not synced is gone. All is in one thread. */
#include "sim.h"

#include "sqlite/sqlite_header.h"

enum { DISK_FILES = 64, DISK_NAME = 40, DISK_REGIONS = 64, DISK_REGION = 32768, DISK_SLOTS = 8, DISK_OWNERS = 32 };

/* What a write since the last sync has replaced. */
typedef struct disk_undo {
  int64_t at;
  int64_t old_size;
  size_t count;
  unsigned char *bytes;
} disk_undo;

typedef struct disk_node {
  char name[DISK_NAME];
  unsigned char *data;
  size_t size;
  size_t room;
  disk_undo *undo;
  size_t undo_count;
  size_t undo_room;
  void *region[DISK_REGIONS]; /* of the log's index */
  int slot_shared[DISK_SLOTS];
  const void *slot_owner[DISK_SLOTS];
  int shared; /* locks of the file */
  const void *reserved;
  const void *exclusive;
  int users;
} disk_node;

typedef struct disk_file {
  sqlite3_file base;
  disk_node *node;
  int level;
  int slots; /* that this one shares, as bits */
  bool maps;
} disk_file;

/* Who was killed, or is to be. */
typedef struct disk_owner {
  char name[DISK_NAME];
  int writes; /* that are left */
} disk_owner;

int64_t sim_disk_now_us;

static disk_node *nodes[DISK_FILES];
static disk_owner owners[DISK_OWNERS];
static sqlite3_vfs *real;

/* ---- nodes ---- */

static disk_node **node_slot(const char *name) {
  disk_node **empty = NULL;
  for (int i = 0; i < DISK_FILES; i++) {
    if (nodes[i] && strcmp(nodes[i]->name, name) == 0) {
      return &nodes[i];
    }
    empty = nodes[i] || empty ? empty : &nodes[i];
  }
  return empty;
}

static disk_node *node_find(const char *name) {
  disk_node **slot = node_slot(name);
  return slot && *slot ? *slot : NULL;
}

static void node_forget(disk_node *node) {
  for (size_t i = 0; i < node->undo_count; i++) {
    free(node->undo[i].bytes);
  }
  node->undo_count = 0;
}

static void node_unmap(disk_node *node) {
  for (int i = 0; i < DISK_REGIONS; i++) {
    free(node->region[i]);
    node->region[i] = NULL;
  }
}

static void node_free(disk_node **slot) {
  disk_node *node = *slot;
  if (node) {
    node_forget(node);
    node_unmap(node);
    free(node->undo);
    free(node->data);
    free(node);
    *slot = NULL;
  }
}

static void node_resize(disk_node *node, size_t size) {
  if (size > node->room) {
    node->room = size * 2;
    node->data = sim_grow(node->data, node->room);
  }
  if (size > node->size) {
    memset(node->data + node->size, 0, size - node->size);
  }
  node->size = size;
}

/* Remembers what is between `at` and `at + count`, and the size. */
static void node_remember(disk_node *node, size_t at, size_t count) {
  if (node->undo_count == node->undo_room) {
    node->undo_room = node->undo_room ? node->undo_room * 2 : 64;
    node->undo = sim_grow(node->undo, node->undo_room * sizeof *node->undo);
  }
  disk_undo *undo = &node->undo[node->undo_count++];
  size_t there = at < node->size ? node->size - at : 0;
  undo->at = (int64_t)at;
  undo->old_size = (int64_t)node->size;
  undo->count = count < there ? count : there;
  undo->bytes = NULL;
  if (undo->count > 0) {
    undo->bytes = sim_alloc(undo->count);
    memcpy(undo->bytes, node->data + at, undo->count);
  }
}

static void node_undo(disk_node *node) {
  while (node->undo_count > 0) {
    disk_undo *undo = &node->undo[--node->undo_count];
    node_resize(node, (size_t)undo->old_size);
    if (undo->count > 0) {
      memcpy(node->data + undo->at, undo->bytes, undo->count);
    }
    free(undo->bytes);
  }
}

/* ---- owners ---- */

static disk_owner *owner_of(const char *name) {
  for (int i = 0; i < DISK_OWNERS; i++) {
    if (owners[i].name[0] && strncmp(owners[i].name, name, strlen(owners[i].name)) == 0) {
      return &owners[i];
    }
  }
  return NULL;
}

/* Whether a write may take place. */
static bool alive(const char *name) {
  disk_owner *owner = owner_of(name);
  if (owner && owner->writes > 0) {
    owner->writes--;
    return true;
  }
  return !owner;
}

void sim_disk_kill(const char *name, int writes) {
  disk_owner *owner = owner_of(name);
  for (int i = 0; !owner && i < DISK_OWNERS; i++) {
    owner = owners[i].name[0] ? NULL : &owners[i];
  }
  if (owner) {
    snprintf(owner->name, sizeof owner->name, "%s", name);
    owner->writes = writes;
  }
}

bool sim_disk_killed(const char *name) {
  const disk_owner *owner = owner_of(name);
  return owner && owner->writes == 0;
}

bool sim_disk_armed(const char *name) {
  return owner_of(name) != NULL;
}

void sim_disk_revive(const char *name, bool power_cut) {
  disk_owner *owner = owner_of(name);
  if (owner) {
    owner->name[0] = '\0';
  }
  for (int i = 0; i < DISK_FILES; i++) {
    if (nodes[i] && strncmp(nodes[i]->name, name, strlen(name)) == 0 && nodes[i]->users == 0) {
      if (power_cut) {
        node_undo(nodes[i]);
      }
      node_forget(nodes[i]);
    }
  }
}

/* ---- files ---- */

static disk_file *file_of(sqlite3_file *file) {
  return (disk_file *)(void *)file;
}

static int disk_unlock(sqlite3_file *file, int level) {
  disk_file *mine = file_of(file);
  disk_node *node = mine->node;
  if (level < SQLITE_LOCK_RESERVED) {
    node->reserved = node->reserved == mine ? NULL : node->reserved;
    node->exclusive = node->exclusive == mine ? NULL : node->exclusive;
  }
  if (level < SQLITE_LOCK_SHARED && mine->level >= SQLITE_LOCK_SHARED) {
    node->shared--;
  }
  mine->level = level < mine->level ? level : mine->level;
  return SQLITE_OK;
}

static int disk_lock(sqlite3_file *file, int level) {
  disk_file *mine = file_of(file);
  disk_node *node = mine->node;
  if (level <= mine->level) {
    return SQLITE_OK;
  }
  if ((node->exclusive && node->exclusive != mine) ||
      (level >= SQLITE_LOCK_RESERVED && node->reserved && node->reserved != mine)) {
    return SQLITE_BUSY;
  }
  if (mine->level < SQLITE_LOCK_SHARED) {
    node->shared++;
    mine->level = SQLITE_LOCK_SHARED;
  }
  if (level >= SQLITE_LOCK_RESERVED) {
    node->reserved = mine;
  }
  if (level >= SQLITE_LOCK_EXCLUSIVE) {
    if (node->shared > 1) {
      return SQLITE_BUSY;
    }
    node->exclusive = mine;
  }
  mine->level = level;
  return SQLITE_OK;
}

static int disk_reserved(sqlite3_file *file, int *out_reserved) {
  *out_reserved = file_of(file)->node->reserved != NULL;
  return SQLITE_OK;
}

static int disk_unmap(sqlite3_file *file, int delete_it) {
  disk_file *mine = file_of(file);
  for (int i = 0; i < DISK_SLOTS; i++) {
    mine->node->slot_owner[i] = mine->node->slot_owner[i] == mine ? NULL : mine->node->slot_owner[i];
    mine->node->slot_shared[i] -= mine->slots >> i & 1;
  }
  mine->slots = 0;
  mine->maps = false;
  (void)delete_it; /* the index goes with the last who has the file open */
  return SQLITE_OK;
}

static int disk_close(sqlite3_file *file) {
  disk_file *mine = file_of(file);
  (void)disk_unlock(file, SQLITE_LOCK_NONE);
  (void)disk_unmap(file, 0);
  if (--mine->node->users == 0) {
    node_unmap(mine->node);
  }
  return SQLITE_OK;
}

static int disk_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at) {
  const disk_node *node = file_of(file)->node;
  size_t there = (size_t)at < node->size ? node->size - (size_t)at : 0;
  size_t count = there < (size_t)size ? there : (size_t)size;
  if (count > 0) {
    memcpy(bytes, node->data + at, count);
  }
  memset((char *)bytes + count, 0, (size_t)size - count);
  return count < (size_t)size ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int disk_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at) {
  disk_node *node = file_of(file)->node;
  if (!alive(node->name)) {
    return SQLITE_IOERR_WRITE;
  }
  node_remember(node, (size_t)at, (size_t)size);
  if ((size_t)at + (size_t)size > node->size) {
    node_resize(node, (size_t)at + (size_t)size);
  }
  memcpy(node->data + at, bytes, (size_t)size);
  return SQLITE_OK;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size) {
  disk_node *node = file_of(file)->node;
  if (!alive(node->name)) {
    return SQLITE_IOERR_TRUNCATE;
  }
  node_remember(node, (size_t)size, node->size);
  node_resize(node, (size_t)size);
  return SQLITE_OK;
}

static int disk_sync(sqlite3_file *file, int flags) {
  (void)flags;
  if (!alive(file_of(file)->node->name)) {
    return SQLITE_IOERR_FSYNC;
  }
  node_forget(file_of(file)->node);
  return SQLITE_OK;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *out_size) {
  *out_size = (sqlite3_int64)file_of(file)->node->size;
  return SQLITE_OK;
}

static int disk_control(sqlite3_file *file, int op, void *argument) {
  (void)file;
  (void)op;
  (void)argument;
  return SQLITE_NOTFOUND;
}

static int disk_sector(sqlite3_file *file) {
  (void)file;
  return 4096;
}

static int disk_traits(sqlite3_file *file) {
  (void)file;
  return 0;
}

/* ---- the log's index ---- */

static int disk_map(sqlite3_file *file, int region, int size, int extend, void volatile **out_memory) {
  disk_node *node = file_of(file)->node;
  *out_memory = NULL;
  if (region >= DISK_REGIONS || size != DISK_REGION) {
    return SQLITE_IOERR_SHMMAP;
  }
  if (!node->region[region] && extend) {
    node->region[region] = sim_alloc(DISK_REGION);
  }
  file_of(file)->maps = true;
  *out_memory = node->region[region];
  return SQLITE_OK;
}

static int disk_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
  disk_file *mine = file_of(file);
  disk_node *node = mine->node;
  for (int i = offset; (flags & SQLITE_SHM_LOCK) && i < offset + count; i++) {
    int others = node->slot_shared[i] - (mine->slots >> i & 1);
    if ((node->slot_owner[i] && node->slot_owner[i] != mine) || ((flags & SQLITE_SHM_EXCLUSIVE) && others > 0)) {
      return SQLITE_BUSY;
    }
  }
  for (int i = offset; i < offset + count; i++) {
    if (flags & SQLITE_SHM_EXCLUSIVE) {
      node->slot_owner[i] = flags & SQLITE_SHM_LOCK ? mine : NULL;
    } else if (flags & SQLITE_SHM_LOCK) {
      node->slot_shared[i] += mine->slots >> i & 1 ? 0 : 1;
      mine->slots |= 1 << i;
    } else {
      node->slot_shared[i] -= mine->slots >> i & 1;
      mine->slots &= ~(1 << i);
    }
  }
  return SQLITE_OK;
}

static void disk_barrier(sqlite3_file *file) {
  (void)file;
}

/* ---- the file system ---- */

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
  static const sqlite3_io_methods methods = {
      2,           disk_close,    disk_read,    disk_write,  disk_truncate, disk_sync, disk_size,     disk_lock,
      disk_unlock, disk_reserved, disk_control, disk_sector, disk_traits,   disk_map,  disk_shm_lock, disk_barrier,
      disk_unmap,  NULL,          NULL};
  static int unnamed;
  char own[DISK_NAME];
  disk_file *mine = file_of(file);
  (void)vfs;
  memset(mine, 0, sizeof *mine);
  snprintf(own, sizeof own, "unnamed %d", unnamed);
  unnamed += name ? 0 : 1;
  name = name ? name : own;
  disk_node **slot = node_slot(name);
  if (!slot || strlen(name) >= DISK_NAME || (!*slot && (!(flags & SQLITE_OPEN_CREATE) || !alive(name)))) {
    return SQLITE_CANTOPEN;
  }
  if (!*slot) {
    *slot = sim_alloc(sizeof **slot);
    snprintf((*slot)->name, sizeof(*slot)->name, "%s", name);
  }
  mine->node = *slot;
  mine->node->users++;
  mine->base.pMethods = &methods;
  if (out_flags) {
    *out_flags = flags;
  }
  return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
  disk_node **slot = node_slot(name);
  (void)vfs;
  (void)sync_folder;
  if (!alive(name)) {
    return SQLITE_IOERR_DELETE;
  }
  if (!slot || !*slot) {
    return SQLITE_IOERR_DELETE_NOENT;
  }
  if ((*slot)->users > 0) {
    return SQLITE_IOERR_DELETE;
  }
  node_free(slot);
  return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
  const disk_node *node = node_find(name);
  (void)vfs;
  (void)flags;
  *out = node != NULL && node->size > 0;
  return SQLITE_OK;
}

static int disk_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out) {
  (void)vfs;
  snprintf(out, (size_t)size, "%s", name);
  return SQLITE_OK;
}

static int disk_time(sqlite3_vfs *vfs, sqlite3_int64 *out_ms) {
  (void)vfs;
  *out_ms = INT64_C(210866760000000) + sim_disk_now_us / 1000; /* 1970 in Julian milliseconds */
  return SQLITE_OK;
}

void sim_disk_register(void) {
  static sqlite3_vfs disk;
  (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 256, 4000);
  (void)sqlite3_initialize();
  real = sqlite3_vfs_find(NULL);
  disk = *real;
  disk.zName = "simulated";
  disk.szOsFile = (int)sizeof(disk_file);
  disk.xOpen = disk_open;
  disk.xDelete = disk_delete;
  disk.xAccess = disk_access;
  disk.xFullPathname = disk_full_name;
  disk.xCurrentTimeInt64 = disk_time;
  if (sqlite3_vfs_register(&disk, 1) != SQLITE_OK) {
    abort();
  }
}

/* ---- whole files ---- */

static void copy_node(const char *from, const char *to, const char *suffix) {
  char name[2 * DISK_NAME];
  snprintf(name, sizeof name, "%s%s", from, suffix);
  const disk_node *source = node_find(name);
  snprintf(name, sizeof name, "%s%s", to, suffix);
  disk_node **slot = node_slot(name);
  if (slot) {
    node_free(slot);
  }
  if (source && slot) {
    *slot = sim_alloc(sizeof **slot);
    snprintf((*slot)->name, sizeof(*slot)->name, "%.*s", DISK_NAME - 1, name);
    node_resize(*slot, source->size);
    memcpy((*slot)->data, source->data, source->size);
  }
}

void sim_disk_copy(const char *from, const char *to) {
  copy_node(from, to, "");
  copy_node(from, to, "-wal");
}

void sim_disk_remove(const char *name) {
  for (int i = 0; i < DISK_FILES; i++) {
    if (nodes[i] && strncmp(nodes[i]->name, name, strlen(name)) == 0) {
      node_free(&nodes[i]);
    }
  }
}

void sim_disk_clear(void) {
  for (int i = 0; i < DISK_FILES; i++) {
    node_free(&nodes[i]);
  }
}
