/* fault.c -- the allocators and the file system of fault.h, digests of databases and of what calls give. */
#include "fault/fault.h"

#include <sqlite3.h>

#include <unistd.h>

/* ---- what fails when ---- */

static struct {
  fault_kind kind;
  unsigned long at;
  unsigned long seen;
  bool fired;
  bool sync_failed;
} armed;

/* Fewer freed blocks are kept from use and fewer callers of each are noted than by default: half of the time. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "quarantine_size_mb=8:malloc_context_size=6";
}

static fault_usage usage;
static char complaint[600];

const char *fault_name(fault_kind kind) {
  static const char *const names[] = {"no fault",       "memory",          "memory from here on",
                                      "SQLite's memory", "SQLite's memory from here on",
                                      "disk",           "disk from here on", "short write",
                                      "full disk"};
  return names[kind];
}

kecs_status fault_expected(fault_kind kind) {
  switch (kind) {
    case FAULT_NONE:
      return KECS_OK;
    case FAULT_MEMORY:
    case FAULT_MEMORY_ON:
    case FAULT_SQLITE:
    case FAULT_SQLITE_ON:
      return KECS_E_NOMEM;
    case FAULT_DISK:
    case FAULT_DISK_ON:
      return KECS_E_IO;
    case FAULT_SHORT_WRITE:
    case FAULT_FULL:
      break;
  }
  return KECS_E_FULL;
}

void fault_arm(fault_kind kind, unsigned long n) {
  armed.kind = kind;
  armed.at = n;
  armed.seen = 0;
  armed.fired = false;
  armed.sync_failed = false;
}

bool fault_disarm(void) {
  armed.kind = FAULT_NONE;
  return armed.fired;
}

bool fault_sync_failed(void) {
  return armed.sync_failed;
}

/* Counts a call that `once` or `on` is about; whether it is to fail. */
static bool hit(fault_kind once, fault_kind on) {
  if (armed.kind == FAULT_NONE || (armed.kind != once && armed.kind != on)) {
    return false;
  }
  armed.seen++;
  bool fails = armed.kind == on ? armed.seen >= armed.at : armed.seen == armed.at;
  armed.fired = armed.fired || fails;
  return fails;
}

void fault_complain(const char *format, ...) {
  if (!complaint[0]) {
    va_list args;
    va_start(args, format);
    vsnprintf(complaint, sizeof complaint, format, args);
    va_end(args);
  }
}

const char *fault_complaint(void) {
  static char told[sizeof complaint];
  memcpy(told, complaint, sizeof told);
  complaint[0] = '\0';
  return told[0] ? told : NULL;
}

fault_usage fault_used(void) {
  return usage;
}

/* ---- memory ---- */

/* Before each block; 16 bytes, so that what follows is aligned as malloc's is. */
typedef struct block {
  size_t size;
  uint64_t magic;
} block;

#define MAGIC_STORE UINT64_C(0x6b6563735f6d656d)
#define MAGIC_SQLITE UINT64_C(0x73716c5f6d656d6f)

static void *block_new(size_t size) {
  block *made = malloc(sizeof *made + size);
  if (!made) {
    abort();
  }
  made->size = size;
  made->magic = MAGIC_STORE;
  memset(made + 1, 0xa5, size);
  usage.blocks++;
  return made + 1;
}

static void block_end(void *pointer) {
  block *old = (block *)pointer - 1;
  if (old->magic != MAGIC_STORE) {
    fprintf(stderr, "the store gives back a block that is not its own, or gives it back twice\n");
    abort();
  }
  old->magic = 0;
  free(old);
  usage.blocks--;
}

static void *store_alloc(size_t size, void *user) {
  (void)user;
  if (hit(FAULT_MEMORY, FAULT_MEMORY_ON)) {
    return NULL;
  }
  return block_new(size);
}

static void store_check(const void *pointer, size_t size, const char *what) {
  const block *old = (const block *)pointer - 1;
  if (old->size != size) {
    fault_complain("%s says %zu bytes of a block of %zu", what, size, old->size);
  }
}

/* Always moves, so that a pointer to the old place is found out. */
static void *store_resize(void *pointer, size_t old_size, size_t size, void *user) {
  (void)user;
  store_check(pointer, old_size, "resize");
  if (hit(FAULT_MEMORY, FAULT_MEMORY_ON)) {
    return NULL;
  }
  void *moved = block_new(size);
  memcpy(moved, pointer, old_size < size ? old_size : size);
  block_end(pointer);
  return moved;
}

static void store_release(void *pointer, size_t size, void *user) {
  (void)user;
  if (!pointer) {
    fault_complain("release was called with NULL");
    return;
  }
  store_check(pointer, size, "release");
  block_end(pointer);
}

/* SQLite makes some thousand blocks for each file that is opened. They come from lists of blocks that were freed, by
 * size: the sanitizer, which looks at every malloc, is not there for SQLite. */
enum { POOL_SIZES = 12, POOL_SMALLEST = 32 };
static block *pool[POOL_SIZES];

static int pool_of(size_t size) {
  int at = 0;
  while (at < POOL_SIZES && size > (size_t)POOL_SMALLEST << at) {
    at++;
  }
  return at;
}

static void *sqlite_malloc(int size) {
  if (hit(FAULT_SQLITE, FAULT_SQLITE_ON)) {
    return NULL;
  }
  int at = pool_of((size_t)size);
  block *made = at < POOL_SIZES ? pool[at] : NULL;
  if (made) {
    memcpy(&pool[at], made + 1, sizeof pool[at]);
  } else {
    made = malloc(sizeof *made + (at < POOL_SIZES ? (size_t)POOL_SMALLEST << at : (size_t)size));
  }
  if (!made) {
    abort();
  }
  made->size = (size_t)size;
  made->magic = MAGIC_SQLITE;
  memset(made + 1, 0xa5, (size_t)size);
  usage.sqlite_blocks++;
  return made + 1;
}

static void sqlite_free(void *pointer) {
  block *old = pointer ? (block *)pointer - 1 : NULL;
  if (!old) {
    return;
  }
  if (old->magic != MAGIC_SQLITE) {
    fprintf(stderr, "SQLite gives back a block that is not its own, or gives it back twice\n");
    abort();
  }
  int at = pool_of(old->size);
  old->magic = 0;
  memset(pointer, 0x5a, old->size);
  usage.sqlite_blocks--;
  if (at < POOL_SIZES) {
    memcpy(pointer, &pool[at], sizeof pool[at]);
    pool[at] = old;
  } else {
    free(old);
  }
}

static int sqlite_size(void *pointer) {
  return pointer ? (int)((block *)pointer - 1)->size : 0;
}

static void *sqlite_realloc(void *pointer, int size) {
  void *moved = sqlite_malloc(size);
  if (moved) {
    int old = sqlite_size(pointer);
    memcpy(moved, pointer, (size_t)(old < size ? old : size));
    sqlite_free(pointer);
  }
  return moved;
}

static int sqlite_roundup(int size) {
  return (size + 7) & ~7;
}

static int sqlite_memory_start(void *user) {
  (void)user;
  return SQLITE_OK;
}

static void sqlite_memory_stop(void *user) {
  (void)user;
}

/* ---- the file system ---- */

typedef struct disk_file {
  sqlite3_file base;
  sqlite3_file *real; /* right behind this */
} disk_file;

static sqlite3_vfs *real_vfs;

static sqlite3_file *real_of(sqlite3_file *file) {
  return ((disk_file *)(void *)file)->real;
}

/* The error of a call of the disk that is to fail, or SQLITE_OK. */
static int disk_fault(int error) {
  return hit(FAULT_DISK, FAULT_DISK_ON) ? error : SQLITE_OK;
}

static int disk_close(sqlite3_file *file) {
  sqlite3_file *real = real_of(file);
  int rc = real->pMethods->xClose(real);
  usage.files--;
  return rc;
}

static int disk_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at) {
  int rc = disk_fault(SQLITE_IOERR_READ);
  return rc ? rc : real_of(file)->pMethods->xRead(real_of(file), bytes, size, at);
}

static int disk_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at) {
  int rc = disk_fault(SQLITE_IOERR_WRITE);
  if (rc) {
    return rc;
  }
  if (hit(FAULT_SHORT_WRITE, FAULT_FULL)) {
    if (armed.kind == FAULT_SHORT_WRITE) {
      (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, size / 2, at);
    }
    return SQLITE_FULL;
  }
  return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, at);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size) {
  int rc = disk_fault(SQLITE_IOERR_TRUNCATE);
  return rc ? rc : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* The fault alone is tested, not whether the disk keeps its promise: nothing is synced, which saves much time. */
static int disk_sync(sqlite3_file *file, int flags) {
  (void)file;
  (void)flags;
  int rc = disk_fault(SQLITE_IOERR_FSYNC);
  armed.sync_failed = armed.sync_failed || rc;
  return rc;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *out_size) {
  int rc = disk_fault(SQLITE_IOERR_FSTAT);
  return rc ? rc : real_of(file)->pMethods->xFileSize(real_of(file), out_size);
}

static int disk_lock(sqlite3_file *file, int level) {
  int rc = disk_fault(SQLITE_IOERR_LOCK);
  return rc ? rc : real_of(file)->pMethods->xLock(real_of(file), level);
}

static int disk_unlock(sqlite3_file *file, int level) {
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int disk_reserved(sqlite3_file *file, int *out_reserved) {
  int rc = disk_fault(SQLITE_IOERR_CHECKRESERVEDLOCK);
  return rc ? rc : real_of(file)->pMethods->xCheckReservedLock(real_of(file), out_reserved);
}

static int disk_control(sqlite3_file *file, int op, void *argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int disk_sector(sqlite3_file *file) {
  return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int disk_device(sqlite3_file *file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
  int rc = disk_fault(SQLITE_IOERR_SHMMAP);
  if (rc) {
    *out = NULL;
    return rc;
  }
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int disk_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
  int rc = (flags & SQLITE_SHM_LOCK) ? disk_fault(SQLITE_IOERR_SHMLOCK) : SQLITE_OK;
  return rc ? rc : real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void disk_shm_barrier(sqlite3_file *file) {
  real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int disk_shm_unmap(sqlite3_file *file, int remove_it) {
  return real_of(file)->pMethods->xShmUnmap(real_of(file), remove_it);
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_device,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
  disk_file *mine = (disk_file *)(void *)file;
  (void)vfs;
  memset(mine, 0, sizeof *mine);
  mine->real = (sqlite3_file *)(void *)(mine + 1);
  int rc = disk_fault(SQLITE_CANTOPEN);
  if (rc == SQLITE_OK) {
    rc = real_vfs->xOpen(real_vfs, name, mine->real, flags, out_flags);
  }
  if (rc == SQLITE_OK) {
    mine->base.pMethods = &disk_methods;
    usage.files++;
  }
  return rc;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
  (void)vfs;
  int rc = disk_fault(SQLITE_IOERR_DELETE);
  return rc ? rc : real_vfs->xDelete(real_vfs, name, sync_folder);
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
  (void)vfs;
  int rc = disk_fault(SQLITE_IOERR_ACCESS);
  return rc ? rc : real_vfs->xAccess(real_vfs, name, flags, out);
}

void fault_install(void) {
  static sqlite3_vfs disk;
  static const sqlite3_mem_methods memory = {
      .xMalloc = sqlite_malloc,
      .xFree = sqlite_free,
      .xRealloc = sqlite_realloc,
      .xSize = sqlite_size,
      .xRoundup = sqlite_roundup,
      .xInit = sqlite_memory_start,
      .xShutdown = sqlite_memory_stop,
  };
  /* Without the lookaside buffer and pages in bulk each allocation of SQLite comes to us. */
  bool good = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) == SQLITE_OK &&
              sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK &&
              sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0) == SQLITE_OK && sqlite3_initialize() == SQLITE_OK;
  real_vfs = sqlite3_vfs_find(NULL);
  if (!good || !real_vfs) {
    fprintf(stderr, "SQLite was used before fault_install, or takes no allocator\n");
    exit(2);
  }
  disk = *real_vfs;
  disk.pNext = NULL;
  disk.zName = "fault";
  disk.szOsFile = (int)sizeof(disk_file) + real_vfs->szOsFile;
  disk.xOpen = disk_open;
  disk.xDelete = disk_delete;
  disk.xAccess = disk_access;
  if (sqlite3_vfs_register(&disk, 1) != SQLITE_OK) {
    exit(2);
  }
}

/* ---- options ---- */

static uint64_t chance;

void fault_chance(unsigned seed) {
  chance = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
}

static bool chance_fill(void *bytes, size_t size, void *user) {
  (void)user;
  for (size_t i = 0; i < size; i++) {
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    ((unsigned char *)bytes)[i] = (unsigned char)(chance >> 24);
  }
  return true;
}

/* 2024-02-29T12:00:00Z */
static int64_t clock_stands(void *user) {
  (void)user;
  return INT64_C(1709208000000000);
}

kecs_options fault_options(const char *path) {
  kecs_options options;
  memset(&options, 0, sizeof options);
  options.path = path;
  options.durability = KECS_DURABILITY_FULL;
  options.busy_timeout_ms = 2000;
  options.cache_kib = 256;
  options.allocator = (kecs_allocator){store_alloc, store_resize, store_release, NULL};
  options.clock.now = clock_stands;
  options.random.fill = chance_fill;
  const char *track = getenv("KECS_TEST_TRACK"); /* set: with the change log */
  const char *history = getenv("KECS_TEST_HISTORY"); /* set: and the history */
  options.history.track = history && history[0] ? KECS_TRACK_ON : KECS_TRACK_KEEP;
  options.track = (track && track[0]) || options.history.track ? KECS_TRACK_ON : KECS_TRACK_KEEP;
  return options;
}

/* ---- files ---- */

static char folder[400];

static void folder_remove(void) {
  static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
  static const char *const names[] = {"seed.db", "work.db", "crash.db"};
  for (size_t i = 0; i < FAULT_COUNT(names) * FAULT_COUNT(ends); i++) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", folder, names[i / FAULT_COUNT(ends)], ends[i % FAULT_COUNT(ends)]);
    unlink(path);
  }
  rmdir(folder);
}

const char *fault_folder(void) {
  if (!folder[0]) {
    const char *root = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.350s/kecs_fault_XXXXXX", root && root[0] ? root : "/tmp");
    if (!mkdtemp(folder)) {
      fprintf(stderr, "no folder %s\n", folder);
      exit(2);
    }
    atexit(folder_remove);
  }
  return folder;
}

void fault_remove(const char *path) {
  static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
  for (size_t i = 0; i < FAULT_COUNT(ends); i++) {
    char name[512];
    snprintf(name, sizeof name, "%s%s", path, ends[i]);
    unlink(name);
  }
}

fault_image fault_load(const char *path) {
  fault_image image = {NULL, 0};
  FILE *file = fopen(path, "rb");
  long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  assert_true(size > 0);
  rewind(file);
  image.size = (size_t)size;
  image.bytes = malloc(image.size);
  assert_non_null(image.bytes);
  assert_int_equal(fread(image.bytes, 1, image.size, file), image.size);
  fclose(file);
  return image;
}

void fault_save(const fault_image *image, const char *path) {
  fault_remove(path);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(image->bytes, 1, image->size, file), image->size);
  assert_int_equal(fclose(file), 0);
}

void fault_crash(const char *path, const char *copy) {
  static const char *const ends[] = {"", "-wal"};
  fault_remove(copy);
  for (size_t i = 0; i < FAULT_COUNT(ends); i++) {
    char from[512];
    char to[512];
    char bytes[8192];
    size_t len = 0;
    snprintf(from, sizeof from, "%s%s", path, ends[i]);
    snprintf(to, sizeof to, "%s%s", copy, ends[i]);
    FILE *in = fopen(from, "rb");
    FILE *out = in ? fopen(to, "wb") : NULL;
    while (out && (len = fread(bytes, 1, sizeof bytes, in)) > 0) {
      assert_int_equal(fwrite(bytes, 1, len, out), len);
    }
    if (out) {
      fclose(out);
    }
    if (in) {
      fclose(in);
    }
  }
}

/* ---- digests ---- */

#define HASH_FIRST UINT64_C(0xcbf29ce484222325)

static uint64_t hash(uint64_t so_far, const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < size; i++) {
    so_far = (so_far ^ at[i]) * UINT64_C(0x100000001b3);
  }
  return so_far;
}

/* A connection that knows nothing of faults. It stays open until fault_look_away, since opening is what takes the time.
 */
static sqlite3 *looking;

static sqlite3 *look(const char *path) {
  if (!looking) {
    bool good = sqlite3_open_v2(path, &looking, SQLITE_OPEN_READWRITE, real_vfs->zName) == SQLITE_OK &&
                sqlite3_busy_timeout(looking, 2000) == SQLITE_OK &&
                sqlite3_exec(looking, "PRAGMA synchronous=OFF", NULL, NULL, NULL) == SQLITE_OK;
    if (!good) {
      fault_complain("%s cannot be opened: %s", path, sqlite3_errmsg(looking));
      fault_look_away();
    }
  }
  return looking;
}

void fault_look_away(void) {
  sqlite3_close(looking);
  looking = NULL;
}

static uint64_t digest_row(sqlite3_stmt *row, uint64_t so_far) {
  for (int i = 0; i < sqlite3_column_count(row); i++) {
    int type = sqlite3_column_type(row, i);
    so_far = hash(so_far, &type, sizeof type);
    if (type == SQLITE_INTEGER) {
      sqlite3_int64 number = sqlite3_column_int64(row, i);
      so_far = hash(so_far, &number, sizeof number);
    } else if (type != SQLITE_NULL) {
      const void *bytes = sqlite3_column_blob(row, i);
      so_far = hash(so_far, bytes, (size_t)sqlite3_column_bytes(row, i));
    }
  }
  return so_far;
}

static uint64_t digest_table(sqlite3 *db, const char *table, uint64_t so_far) {
  char sql[200];
  sqlite3_stmt *rows = NULL;
  snprintf(sql, sizeof sql, "SELECT * FROM \"%.100s\" ORDER BY 1, 2", table);
  if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK) {
    fault_complain("table %s: %s", table, sqlite3_errmsg(db));
    return so_far;
  }
  so_far = hash(so_far, table, strlen(table));
  int rc = sqlite3_step(rows);
  for (; rc == SQLITE_ROW; rc = sqlite3_step(rows)) {
    so_far = digest_row(rows, so_far);
  }
  if (rc != SQLITE_DONE) {
    fault_complain("table %s: %s", table, sqlite3_errmsg(db));
  }
  sqlite3_finalize(rows);
  return so_far;
}

uint64_t fault_digest(const char *path) {
  static const char sql[] = "SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name";
  sqlite3 *db = look(path);
  sqlite3_stmt *tables = NULL;
  uint64_t digest = 0;
  if (!db) {
    return 0;
  }
  int rc = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
  rc = rc ? rc : sqlite3_prepare_v2(db, sql, -1, &tables, NULL);
  while (rc == SQLITE_OK && sqlite3_step(tables) == SQLITE_ROW) {
    digest = digest_table(db, (const char *)sqlite3_column_text(tables, 0), digest ? digest : HASH_FIRST);
  }
  if (rc != SQLITE_OK) {
    fault_complain("%s: %s", path, sqlite3_errmsg(db));
  }
  sqlite3_finalize(tables);
  (void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  return digest;
}

void fault_check_file(const char *path) {
  sqlite3 *db = look(path);
  sqlite3_stmt *check = NULL;
  if (!db) {
    return;
  }
  if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL) != SQLITE_OK ||
      sqlite3_step(check) != SQLITE_ROW) {
    fault_complain("%s cannot be checked: %s", path, sqlite3_errmsg(db));
  } else if (strcmp((const char *)sqlite3_column_text(check, 0), "ok") != 0) {
    fault_complain("integrity_check: %s", (const char *)sqlite3_column_text(check, 0));
  }
  sqlite3_finalize(check);
  check = NULL;
  if (sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &check, NULL) == SQLITE_OK &&
      sqlite3_step(check) == SQLITE_ROW) {
    fault_complain("foreign_key_check: table %s", (const char *)sqlite3_column_text(check, 0));
  }
  sqlite3_finalize(check);
}

/* ---- what calls give ---- */

uint64_t fault_output;

void fault_output_text(const char *text) {
  fault_output = hash(fault_output ? fault_output : HASH_FIRST, text ? text : "NULL", text ? strlen(text) + 1 : 4);
}

void fault_output_number(int64_t number) {
  fault_output = hash(fault_output ? fault_output : HASH_FIRST, &number, sizeof number);
}

static void output_row(const kecs_kind_info *info, const void *row) {
  static char text[100000];
  for (int i = 0; i < info->column_count; i++) {
    size_t len = 0;
    bool has = kecs_record_text(info, row, i, text, sizeof text, &len);
    fault_output_number(has ? (int64_t)len : -1);
    fault_output_text(text);
  }
}

kecs_status fault_take(kecs_status status, kecs_result **in_result) {
  kecs_result *result = *in_result;
  if (status) {
    if (result) {
      fault_complain("the out pointer is %p after %s", (void *)result, kecs_status_name(status));
    }
    return status;
  }
  if (!result || result == FAULT_POISON) {
    fault_complain("the out pointer is %p after a success", (void *)result);
    return status;
  }
  const kecs_kind_info *info = kecs_kind_describe(kecs_result_kind(result));
  for (size_t i = 0; info && i < kecs_result_count(result); i++) {
    output_row(info, kecs_record_at(result, info->kind, i));
  }
  fault_output_number((int64_t)kecs_result_count(result));
  fault_output_text(kecs_result_page_token(result));
  kecs_result_free(result);
  return status;
}

kecs_status fault_take_count(kecs_status status, const int64_t *count) {
  if (status && *count != 0) {
    fault_complain("the count is %lld after %s", (long long)*count, kecs_status_name(status));
  }
  fault_output_number(*count);
  return status;
}
