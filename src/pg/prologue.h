/* pg/prologue.h -- feature macros; must come before every system header (see base/prologue.h). */
#if defined(KECS_STORE_PG_IMPLEMENTATION) || defined(KECS__MODULES)
#if defined(__cplusplus)
#error "kecs_store_pg.h: compile the implementation as C (put it into a .c file); the declarations are C++-clean"
#endif
#if defined(__GLIBC__) && !defined(__USE_XOPEN2K8)
#error "kecs_store_pg.h: include this header before any system header in the implementation file, or add -D_GNU_SOURCE"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#endif
