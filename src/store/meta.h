/* store/meta.h -- fills kecs__meta from the descriptors when a store is opened. */
#ifndef KECS_STORE_META_H
#define KECS_STORE_META_H
#include "store/engine.h"

KECS__FN kecs_status kecs__meta_init(kecs__engine *engine);
KECS__FN void kecs__meta_free(kecs__engine *engine);

#endif
