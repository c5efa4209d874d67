/* pg/internal.h -- what the modules of the PostgreSQL backend share: linkage, libpq, memory, failures. */
#ifndef KECS_PG_INTERNAL_H
#define KECS_PG_INTERNAL_H
#include "store/backend.h"

#include <libpq-fe.h>
#if !defined(LIBPQ_HAS_PIPELINING)
#error "kecs_store_pg.h needs libpq 15 or newer: install a newer libpq-dev, or check -I for an older libpq-fe.h"
#endif

/* Linkage of what is not public, as KECS__FN in the core. */
#if defined(KECS__MODULES)
#define KECS_PG__FN extern
#else
#define KECS_PG__FN static
#endif

#define KECS_PG__STATE_LEN 5 /* of an SQLSTATE */

/* Records a failure that has no SQLSTATE, and returns `status`. */
KECS_PG__FN kecs_status kecs_pg__fail(kecs_status status, const char *format, ...) KECS_STORE_PRINTF(2, 3);

/* Makes a failure the last one again, when what came after it was none of the caller's business. */
KECS_PG__FN void kecs_pg__restore(const kecs_error *error);

/* Zeroed memory; NULL means NOMEM and has recorded it. */
KECS_PG__FN void *kecs_pg__alloc(const kecs_allocator *allocator, size_t size);
KECS_PG__FN void kecs_pg__release(const kecs_allocator *allocator, void *pointer, size_t size); /* NULL is fine */
KECS_PG__FN char *kecs_pg__copy(const kecs_allocator *allocator, const char *text, size_t len); /* terminated */
KECS_PG__FN void kecs_pg__release_text(const kecs_allocator *allocator, char *text);

/* Milliseconds of a clock that never goes back. */
KECS_PG__FN int64_t kecs_pg__now_ms(void);
KECS_PG__FN void kecs_pg__sleep_ms(int ms);

#endif
