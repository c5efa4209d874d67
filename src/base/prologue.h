/* base/prologue.h -- feature macros; must come before every system header.
 *
 * glibc fixes its feature set at the first system header that a file includes, and both this library and a
 * bundled SQLite need POSIX and a few GNU functions, so the implementation asks for them here. A user who
 * includes <stdio.h> first in a strict -std=c99 build gets one clear message instead of fifty. */
#if defined(KECS_STORE_IMPLEMENTATION)
#if defined(__cplusplus)
#error "kecs_store.h: compile the implementation as C (put it into a .c file); the declarations are C++-clean"
#endif
#if defined(__GLIBC__) && !defined(__USE_XOPEN2K8)
#error "kecs_store.h: include this header before any system header in the implementation file, or add -D_GNU_SOURCE"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#ifndef _TIME_BITS
#define _TIME_BITS 64 /* 32-bit glibc: a clock that outlives 2038 */
#endif
#endif
