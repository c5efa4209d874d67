/* store/profile.h -- options to settings: what a profile gives, and what the options say otherwise. */
#ifndef KECS_STORE_PROFILE_H
#define KECS_STORE_PROFILE_H
#include "store/engine.h"

/* INVALID naming the option that can't be. */
KECS__FN kecs_status kecs__profile_check(const kecs_options *options);

/* Settings for every option that is zero, and the options. */
KECS__FN void kecs__profile_apply(kecs__engine *engine, const kecs_options *options);

/* What the place says of the pool, where the options are silent. */
KECS__FN void kecs__profile_place(kecs__engine *engine, const kecs_options *options);

/* The path that is opened: the memory profile needs none. */
KECS__FN const char *kecs__profile_path(const kecs_options *options);

/* The most bytes that are taken from options.allocator; 0: no limit. */
KECS__FN size_t kecs__profile_memory(const kecs_options *options);

#endif
