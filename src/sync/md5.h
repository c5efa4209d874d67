/* sync/md5.h -- MD5, which every PostgreSQL can reckon, too: to compare tables, not to keep a secret. */
#ifndef KECS_SYNC_MD5_H
#define KECS_SYNC_MD5_H
#include "pg/internal.h"

enum { KECS_SYNC__MD5_SIZE = 16 };

KECS_PG__FN void kecs_sync__md5(const char *bytes, size_t len, unsigned char out[KECS_SYNC__MD5_SIZE]);

#endif
