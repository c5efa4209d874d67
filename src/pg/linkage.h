/* pg/linkage.h -- linkage of what is private to the implementation, and what the public header gives all of it. */
#ifndef KECS_PG_LINKAGE_H
#define KECS_PG_LINKAGE_H
#include "store/backend.h"

#ifndef KECS_PG__FN
#if defined(KECS__MODULES)
#define KECS_PG__FN extern
#else
#define KECS_PG__FN static
#endif
#endif

#endif
