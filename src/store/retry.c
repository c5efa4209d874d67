/* store/retry.c -- when a write that met another one is made again. */
#include "base/prologue.h"

#include "store/retry.h"

#include "base/id.h"
#include "base/time.h"

#include <string.h>

#define KECS__RETRY_FIRST_MS 5
#define KECS__RETRY_MAX_MS 250

/* Half of the pause is chance: two writers that met once must not meet again and again. */
KECS__FN int64_t kecs__retry_pause(const kecs__engine *engine, int attempt) {
  int64_t pause = KECS__RETRY_FIRST_MS;
  for (int i = 0; i < attempt && pause < KECS__RETRY_MAX_MS; i++) {
    pause *= 2;
  }
  unsigned char chance = 0;
  if (kecs__random_fill(&engine->random, &chance, 1)) {
    chance = 128;
  }
  return pause / 2 + pause * chance / 512;
}

KECS__FN bool kecs__retry_again(kecs_store *store, kecs__retry *retry, kecs_status status) {
  /* Where writers follow one another, BUSY means that the timeout has passed; so does any state of the database but
   * those of class 40, after which the same may well succeed. Those end a transaction; a race that the store itself has
   * seen (kecs__fail_raced) has cost one no more than the savepoint of this write. */
  const char *state = kecs_last_error()->sqlstate;
  bool meets = !state[0] || (store->depth == 0 && strncmp(state, "40", 2) == 0);
  if (status != KECS_E_BUSY || !store->engine->dialect->lock_rows[0] || !meets) {
    return false;
  }
  int64_t now = kecs__monotonic_ms();
  int64_t pause = kecs__retry_pause(store->engine, retry->tries);
  retry->until = retry->until ? retry->until : now + store->engine->busy_timeout_ms;
  retry->tries++;
  if (now + pause > retry->until) {
    return false;
  }
  kecs__sleep_ms(pause);
  return true;
}
