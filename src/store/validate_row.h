/* store/validate_row.h -- validation inside the write path of a strict store. */
#ifndef KECS_STORE_VALIDATE_ROW_H
#define KECS_STORE_VALIDATE_ROW_H
#include "base/error.h"
#include "store/validate.h"

/* As kecs_validate, for a row on its way in: what the store will fill may be empty. */
KECS__FN kecs_status kecs__validate_row(const kecs_kind_info *info, const void *row);

/* The rules of an update that writes the columns in `mask`. A rule that reads several columns is applied only when the
 * mask has all of them: of the others the row says nothing. */
KECS__FN kecs_status kecs__validate_update(const kecs_kind_info *info, const void *row, uint64_t mask);

#endif
