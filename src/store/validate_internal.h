/* store/validate_internal.h -- validation inside the write path of a strict store. */
#ifndef KECS_STORE_VALIDATE_INTERNAL_H
#define KECS_STORE_VALIDATE_INTERNAL_H
#include "base/error.h"
#include "store/validate.h"

/* As kecs_validate, for a row on its way in: what the store will fill may be empty. */
KECS__FN kecs_status kecs__validate_row(const kecs_kind_info *info, const void *row);

/* The rules that concern the columns in `mask`. */
KECS__FN kecs_status kecs__validate_update(const kecs_kind_info *info, const void *row, uint64_t mask);

#endif
