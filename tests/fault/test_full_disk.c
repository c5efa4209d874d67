/* test_full_disk.c -- a disk that is really full: KECS_E_FULL, reads go on, and when there is room again all is well.
 *
 * As root it is a small tmpfs of this process alone; otherwise the largest file that the process may write is limited,
 * which gives EFBIG where a quota gives EDQUOT. Where neither works the tests are skipped. */
#include "fault/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

enum { DISK_BYTES = 4 << 20 };

static char disk[512]; /* where the tmpfs is mounted, or "" */
static char path[600];
static char filler[600];

static kecs_store *open_store(void) {
  kecs_store *store = NULL;
  kecs_options options;
  memset(&options, 0, sizeof options);
  options.path = path;
  kecs_status status = kecs_open(&options, &store);
  if (status) {
    fail_msg("kecs_open: %s: %s", kecs_status_name(status), kecs_last_error()->text);
  }
  return store;
}

/* Makes the disk full, but for `left` bytes. */
static void fill(off_t left) {
  if (disk[0]) {
    static char block[4096];
    int file = open(filler, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    while (write(file, block, sizeof block) > 0) {
    }
    off_t size = lseek(file, 0, SEEK_END);
    assert_int_equal(ftruncate(file, size > left ? size - left : 0), 0);
    close(file);
    return;
  }
  /* No file may become larger than the -wal is now and some more. */
  struct stat info;
  char wal[640];
  struct rlimit limit;
  snprintf(wal, sizeof wal, "%s-wal", path);
  off_t size = stat(wal, &info) == 0 ? info.st_size : 0;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = (rlim_t)(size + left);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void make_room(void) {
  if (disk[0]) {
    unlink(filler);
    return;
  }
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static kecs_status write_one(kecs_store *store, int number) {
  static char data[8000];
  char id[40];
  memset(data, 'x', sizeof data - 1);
  data[0] = data[sizeof data - 2] = '"';
  snprintf(id, sizeof id, "event-%d", number);
  kecs_event event = {
      .id = id, .event_type = "t", .resource_arn = "r", .resource_type = "t", .action = "a", .data = data};
  return kecs_event_create(store, &event, NULL);
}

/* Writes until it no longer can; how many are there then. */
static int write_until_full(kecs_store *store) {
  int written = 0;
  kecs_status status = KECS_OK;
  while (written < 2000 && !(status = write_one(store, written))) {
    written++;
  }
  if (status != KECS_E_FULL) {
    fail_msg("write %d gives %s: %s", written, kecs_status_name(status), kecs_last_error()->text);
  }
  return written;
}

static int64_t count(kecs_store *store) {
  int64_t rows = -1;
  kecs_status status = kecs_event_count(store, NULL, &rows);
  if (status) {
    fail_msg("count: %s: %s", kecs_status_name(status), kecs_last_error()->text);
  }
  return rows;
}

static void check_whole(void) {
  sqlite3 *db = NULL;
  sqlite3_stmt *check = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(check), SQLITE_ROW);
  assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
  sqlite3_finalize(check);
  sqlite3_close(db);
}

static void test_write(void **state) {
  (void)state;
  kecs_store *store = open_store();
  fill(150000);
  int written = write_until_full(store);
  assert_true(written > 0);
  assert_int_equal(count(store), written);
  kecs_result *result = NULL;
  assert_int_equal(kecs_event_get(store, "event-0", &result), KECS_OK);
  kecs_result_free(result);
  assert_int_equal(kecs_status_class(kecs_last_error()->status), KECS_CLASS_SYSTEM);
  make_room();
  assert_int_equal(write_one(store, written), KECS_OK);
  assert_int_equal(count(store), written + 1);
  assert_int_equal(kecs_close(store), KECS_OK);
  store = open_store();
  assert_int_equal(count(store), written + 1);
  assert_int_equal(kecs_close(store), KECS_OK);
  check_whole();
}

/* A transaction that the disk has no room for is gone as a whole; what was there before it stays. */
static void test_transaction(void **state) {
  (void)state;
  kecs_store *store = open_store();
  kecs_store *tx = NULL;
  int written = 0;
  kecs_status status = KECS_OK;
  assert_int_equal(write_one(store, 9000), KECS_OK);
  fill(150000);
  assert_int_equal(kecs_begin(store, &tx), KECS_OK);
  while (written < 2000 && !(status = write_one(tx, written))) {
    written++;
  }
  if (status) {
    assert_int_equal(status, KECS_E_FULL);
    kecs_status ended = kecs_commit(tx);
    assert_true(ended == KECS_E_FULL || ended == KECS_E_CONFLICT || ended == KECS_OK);
    written = ended ? 0 : written;
  } else {
    assert_int_equal(kecs_commit(tx), KECS_E_FULL); /* it was all in memory until now */
    written = 0;
  }
  assert_int_equal(count(store), written + 1);
  make_room();
  assert_int_equal(write_one(store, 9001), KECS_OK);
  assert_int_equal(count(store), written + 2);
  assert_int_equal(kecs_close(store), KECS_OK);
  check_whole();
}

/* Closing on a full disk gives up the checkpoint, not the rows. */
static void test_close(void **state) {
  (void)state;
  kecs_store *store = open_store();
  fill(150000);
  int written = write_until_full(store);
  assert_int_equal(kecs_close(store), KECS_OK);
  make_room();
  store = open_store();
  assert_int_equal(count(store), written);
  assert_int_equal(write_one(store, written), KECS_OK);
  assert_int_equal(kecs_close(store), KECS_OK);
  check_whole();
}

/* A store that there is no room for: an error of the system, and the next try succeeds. */
static void test_open(void **state) {
  (void)state;
  static const off_t rooms[] = {0, 4096, 40960, 102400};
  for (size_t i = 0; i < FAULT_COUNT(rooms); i++) {
    kecs_store *store = NULL;
    kecs_options options;
    memset(&options, 0, sizeof options);
    options.path = path;
    fault_remove(path);
    fill(rooms[i]);
    kecs_status status = kecs_open(&options, &store);
    if (status != KECS_E_FULL) {
      fail_msg("with %ld bytes left kecs_open gives %s: %s", (long)rooms[i], kecs_status_name(status),
               kecs_last_error()->text);
    }
    assert_null(store);
    make_room();
    store = open_store();
    assert_int_equal(write_one(store, 1), KECS_OK);
    assert_int_equal(kecs_close(store), KECS_OK);
    check_whole();
  }
}

/* A store that is there already and finds no room for its -wal and -shm: it opens, or says why it does not. */
static void test_open_old(void **state) {
  (void)state;
  static const off_t rooms[] = {0, 4096, 40960};
  for (size_t i = 0; i < FAULT_COUNT(rooms) * 2; i++) {
    kecs_store *store = open_store();
    kecs_options options;
    memset(&options, 0, sizeof options);
    options.path = path;
    options.read_only = i >= FAULT_COUNT(rooms);
    assert_int_equal(kecs_event_prune(store, INT64_MAX, NULL), KECS_OK);
    assert_int_equal(write_one(store, 1), KECS_OK);
    assert_int_equal(kecs_close(store), KECS_OK);
    fill(rooms[i % FAULT_COUNT(rooms)]);
    kecs_status status = kecs_open(&options, &store);
    if (!status) {
      assert_int_equal(count(store), 1);
      assert_int_equal(kecs_close(store), KECS_OK);
    } else if (status != KECS_E_FULL) {
      fail_msg("with %ld bytes left kecs_open gives %s: %s", (long)rooms[i % FAULT_COUNT(rooms)],
               kecs_status_name(status), kecs_last_error()->text);
    }
    make_room();
    store = open_store();
    assert_int_equal(count(store), 1);
    assert_int_equal(kecs_close(store), KECS_OK);
  }
}

/* ---- the disk ---- */

static int set_up(void **state) {
  (void)state;
  snprintf(path, sizeof path, "%s/work.db", disk[0] ? disk : fault_folder());
  snprintf(filler, sizeof filler, "%s/filler", disk);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  make_room();
  fault_remove(path);
  return 0;
}

/* A mount that is seen by this process alone goes with it. */
static void mount_disk(void) {
  char size[40];
  const char *limit = getenv("KECS_TEST_RLIMIT"); /* to try the other way as root */
  if (geteuid() != 0 || limit || unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    return;
  }
  snprintf(size, sizeof size, "size=%d", DISK_BYTES);
  if (mount("tmpfs", fault_folder(), "tmpfs", 0, size) == 0) {
    snprintf(disk, sizeof disk, "%s", fault_folder());
  }
}

static void unmount_disk(void) {
  if (disk[0]) {
    umount(disk);
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_write, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_transaction, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_close, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_open, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_open_old, set_up, tear_down),
  };
  signal(SIGXFSZ, SIG_IGN);
  fault_folder(); /* its removal at exit comes after the unmounting */
  atexit(unmount_disk);
  mount_disk();
  fprintf(stderr, "# %s\n", disk[0] ? "a small file system" : "a limit on the size of files");
  return cmocka_run_group_tests_name("a full disk", tests, NULL, NULL) ? 1 : 0;
}
