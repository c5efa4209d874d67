/* base/error.h -- how a failure is recorded: one function sets the thread's last error and returns the code. */
#ifndef KECS_BASE_ERROR_H
#define KECS_BASE_ERROR_H
#include "base/status.h"

/* Linkage of everything that is not public: private to the one implementation file in the packed header,
 * shared between object files when the modules are compiled one by one. */
#if defined(KECS__MODULES)
#define KECS__FN extern
#else
#define KECS__FN static
#endif

/* Records the failure as the thread's last error and returns `status`, so a caller can write
 * `return kecs__fail(KECS_E_NOT_FOUND, "no task \"%s\"", key);`. Long texts are cut, control characters are
 * replaced: a row's value can't break a log line. */
KECS__FN kecs_status kecs__fail(kecs_status status, const char *format, ...) KECS_STORE_PRINTF(2, 3);

/* Puts a prefix before the last error's text: what the caller was doing. Returns the recorded status. */
KECS__FN kecs_status kecs__fail_context(const char *format, ...) KECS_STORE_PRINTF(1, 2);

/* Copies the last error out and back in: for clean-up that may itself fail without hiding the first failure. */
KECS__FN kecs_error kecs__error_save(void);
KECS__FN kecs_status kecs__error_restore(const kecs_error *error);

/* KECS_E_NOMEM with the text that everyone uses. */
KECS__FN kecs_status kecs__fail_nomem(void);

#endif
