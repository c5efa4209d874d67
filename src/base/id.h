/* base/id.h -- random identifiers: UUID text, hex text. */
#ifndef KECS_BASE_ID_H
#define KECS_BASE_ID_H
#include "base/error.h"
#include "base/hooks.h"

/* Random bytes from the hook, or from the operating system when the hook is empty or NULL: getentropy where there is
 * one, else /dev/urandom. KECS_E_IO when there are none. */
KECS__FN kecs_status kecs__random_fill(const kecs_random *random, void *bytes, size_t size);

/* A random UUID (version 4) such as "9b2f6f0e-5d0e-4c0a-8f0e-3c2f8f1b7c11"; "" on failure. */
KECS__FN kecs_status kecs__uuid(const kecs_random *random, char out[37]);

/* `digits` lower-case hexadecimal digits and a terminator; digits is even and at most 64. "" on failure. */
KECS__FN kecs_status kecs__random_hex(const kecs_random *random, char *out, size_t digits);

#endif
