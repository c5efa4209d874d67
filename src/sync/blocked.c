/* sync/blocked.c -- rows of a page that wait for a number which another row has here, and has given up at the hub.
 *
 * At the hub no two rows have one number, and a page is one snapshot of it: where all the rows that are concerned are
 * in the page, each of them finds its place. So they are merged again, since others may have left; then, in a
 * transaction inside the page's, with what is in the way moved aside. A row that is aside in the end is not in the
 * page: all is undone, and both stand in sync_wanted, so that the next page has them. */
#include "pg/prologue.h"

#include "sync/pull.h"

typedef struct kecs_sync__blocked {
  kecs_sync__page *page;
  kecs_kind kind;
  int64_t aside;
} kecs_sync__blocked;

/* Twice: a row of the page may be moved aside after its turn. */
static kecs_status kecs_sync__force_work(kecs_store *tx, void *user) {
  kecs_sync__blocked *blocked = user;
  kecs_status status = KECS_OK;
  for (int pass = 0; !status && pass < 2; pass++) {
    status = kecs_sync__apply_kind(blocked->page, tx, blocked->kind);
  }
  status = status ? status : kecs_replica_aside(tx, blocked->kind, &blocked->aside);
  return status           ? status
         : blocked->aside ? kecs_pg__fail(KECS_E_CONFLICT, "rows wait for others that are not in the page")
                          : KECS_OK;
}

static kecs_status kecs_sync__force(kecs_sync__page *page, kecs_store *tx, kecs_kind kind) {
  kecs_sync__blocked blocked = {page, kind, 0};
  int64_t pulled = page->pulled;
  int64_t conflicts = page->conflicts;
  page->force = true;
  kecs_status status = kecs_transact(tx, kecs_sync__force_work, &blocked, 0);
  page->force = false;
  if (status && blocked.aside) {
    page->pulled = pulled;
    page->conflicts = conflicts;
    status = KECS_OK;
  }
  return status;
}

KECS_PG__FN kecs_status kecs_sync__apply_blocked(kecs_sync__page *page, kecs_store *tx) {
  uint64_t kinds = page->blocked;
  kecs_status status = KECS_OK;
  for (int kind = 1; !status && kind < KECS_KIND_COUNT; kind++) {
    if (kinds & KECS_BIT(kind)) {
      page->blocked = 0;
      status = kecs_sync__apply_kind(page, tx, (kecs_kind)kind);
      status = status || !page->blocked ? status : kecs_sync__force(page, tx, (kecs_kind)kind);
    }
  }
  return status;
}
