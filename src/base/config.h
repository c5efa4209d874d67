/* base/config.h -- linkage and the compile-time options' defaults. The table of options is in the manual. */
#ifndef KECS_BASE_CONFIG_H
#define KECS_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KECS_STORE_VERSION_MAJOR 0
#define KECS_STORE_VERSION_MINOR 1
#define KECS_STORE_VERSION_PATCH 0
#define KECS_STORE_VERSION "0.1.0"

#ifndef KECS_STORE_API
#if defined(KECS_STORE_STATIC) && defined(__GNUC__)
#define KECS_STORE_API static __attribute__((unused)) /* a program rarely calls all of them */
#elif defined(KECS_STORE_STATIC)
#define KECS_STORE_API static
#else
#define KECS_STORE_API extern
#endif
#endif

#if defined(__GNUC__)
#define KECS_STORE_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else
#define KECS_STORE_PRINTF(format_at, args_at)
#endif

#endif
