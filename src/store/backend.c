/* store/backend.c -- what a backend calls back: the record of a failure with the database's own codes. */
#include "base/prologue.h"

#include "store/backend.h"

#include "base/error.h"

#include <string.h>

KECS_STORE_API kecs_status kecs_backend_fail(kecs_status status, int native_code, const char *sqlstate,
                                             const char *text) {
  (void)kecs__fail(status, "%s", text);
  kecs_error error = kecs__error_save();
  error.native_code = native_code;
  if (sqlstate) {
    strncpy(error.sqlstate, sqlstate, sizeof error.sqlstate - 1);
  }
  return kecs__error_restore(&error);
}

KECS_STORE_API kecs_status kecs_backend_fail_commit(const char *transaction, const char *text) {
  (void)kecs__fail(KECS_E_OUTCOME_UNKNOWN, "%s", text);
  kecs_error error = kecs__error_save();
  strncpy(error.transaction, transaction, sizeof error.transaction - 1);
  return kecs__error_restore(&error);
}
