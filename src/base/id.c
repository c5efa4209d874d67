/* base/id.c -- random bytes from the hook or the operating system, and their two spellings. */
#include "base/prologue.h"

#include "base/id.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* getentropy came to glibc and musl together with <sys/random.h>. Android declares it there only from API 28. */
#if defined(__has_include) && !defined(__ANDROID__)
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#define KECS__ID_GETENTROPY 1
#endif
#endif

#define KECS__ID_ENTROPY_MAX ((size_t)256) /* what one getentropy call gives at most */
#define KECS__ID_DIGITS_MAX ((size_t)64)

static const char kecs__id_hex[] = "0123456789abcdef";

/* False when the system call is missing or forbidden; the device is then the second try. */
static bool kecs__id_from_kernel(unsigned char *bytes, size_t size) {
#if defined(KECS__ID_GETENTROPY)
  while (size > 0) {
    size_t piece = size < KECS__ID_ENTROPY_MAX ? size : KECS__ID_ENTROPY_MAX;
    if (getentropy(bytes, piece) != 0) {
      return false;
    }
    bytes += piece;
    size -= piece;
  }
  return true;
#else
  (void)bytes;
  return size == 0;
#endif
}

static bool kecs__id_from_device(unsigned char *bytes, size_t size) {
  int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return false;
  }
  while (size > 0) {
    ssize_t count = read(file, bytes, size);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      break;
    }
    bytes += count;
    size -= (size_t)count;
  }
  (void)close(file);
  return size == 0;
}

KECS__FN kecs_status kecs__random_fill(const kecs_random *random, void *bytes, size_t size) {
  if (size == 0) {
    return KECS_OK;
  }
  if (random && random->fill) {
    if (!random->fill(bytes, size, random->user)) {
      return kecs__fail(KECS_E_IO, "options.random: the function gave no random bytes");
    }
    return KECS_OK;
  }
  if (!kecs__id_from_kernel(bytes, size) && !kecs__id_from_device(bytes, size)) {
    return kecs__fail(KECS_E_IO, "the operating system gave no random bytes; is /dev/urandom readable?");
  }
  return KECS_OK;
}

static char *kecs__id_put(char *at, const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    *at++ = kecs__id_hex[bytes[i] >> 4];
    *at++ = kecs__id_hex[bytes[i] & 15];
  }
  return at;
}

KECS__FN kecs_status kecs__uuid(const kecs_random *random, char out[37]) {
  static const unsigned char groups[] = {4, 2, 2, 2, 6};
  unsigned char bytes[16];
  out[0] = '\0';
  kecs_status status = kecs__random_fill(random, bytes, sizeof bytes);
  if (status) {
    return status;
  }
  bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40); /* version 4: random */
  bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80); /* the variant of RFC 9562 */
  const unsigned char *from = bytes;
  for (size_t i = 0; i < sizeof groups; i++) {
    if (i > 0) {
      *out++ = '-';
    }
    out = kecs__id_put(out, from, groups[i]);
    from += groups[i];
  }
  *out = '\0';
  return KECS_OK;
}

KECS__FN kecs_status kecs__random_hex(const kecs_random *random, char *out, size_t digits) {
  unsigned char bytes[KECS__ID_DIGITS_MAX / 2];
  out[0] = '\0';
  if (digits % 2 != 0 || digits > KECS__ID_DIGITS_MAX) {
    return kecs__fail(KECS_E_MISUSE, "random text has an even number of digits, at most %zu", KECS__ID_DIGITS_MAX);
  }
  kecs_status status = kecs__random_fill(random, bytes, digits / 2);
  if (status) {
    return status;
  }
  out = kecs__id_put(out, bytes, digits / 2);
  *out = '\0';
  return KECS_OK;
}

#undef KECS__ID_GETENTROPY
#undef KECS__ID_ENTROPY_MAX
#undef KECS__ID_DIGITS_MAX
