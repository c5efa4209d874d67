/* base/error.c -- the thread's last error, and the texts of the status codes. */
#include "base/prologue.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__STDC_NO_THREADS__)
#define KECS__THREAD_LOCAL _Thread_local
#elif defined(__GNUC__)
#define KECS__THREAD_LOCAL __thread
#else
#error "kecs_store.h: this compiler has no thread-local storage that we know; use C11, gcc or clang"
#endif

static KECS__THREAD_LOCAL kecs_error kecs__thread_error;

typedef struct kecs__status_row {
  kecs_status status;
  kecs_class status_class;
  const char *name;
  const char *text;
} kecs__status_row;

static const kecs__status_row kecs__status_rows[] = {
#define KECS__STATUS_ROW(name, value, class_name, text) {KECS_##name, KECS_CLASS_##class_name, "KECS_" #name, text},
    {KECS_OK, KECS_CLASS_OK, "KECS_OK", "no error"},
    KECS_STATUS_MAP(KECS__STATUS_ROW)
#undef KECS__STATUS_ROW
};

static const kecs__status_row *kecs__status_find(kecs_status status) {
  for (size_t i = 0; i < sizeof kecs__status_rows / sizeof kecs__status_rows[0]; i++) {
    if (kecs__status_rows[i].status == status) {
      return &kecs__status_rows[i];
    }
  }
  return NULL;
}

KECS_STORE_API const kecs_error *kecs_last_error(void) {
  return &kecs__thread_error;
}

KECS_STORE_API const char *kecs_status_text(kecs_status status) {
  const kecs__status_row *row = kecs__status_find(status);
  return row ? row->text : "unknown status";
}

KECS_STORE_API const char *kecs_status_name(kecs_status status) {
  const kecs__status_row *row = kecs__status_find(status);
  return row ? row->name : "unknown status";
}

KECS_STORE_API kecs_class kecs_status_class(kecs_status status) {
  const kecs__status_row *row = kecs__status_find(status);
  return row ? row->status_class : KECS_CLASS_MISUSE;
}

/* How many bytes a UTF-8 sequence has that begins here; 0 when it is cut short or none at all. */
static size_t kecs__error_letter(const char *text) {
  unsigned char first = (unsigned char)text[0];
  size_t len = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  for (size_t i = 1; i < len; i++) {
    if (((unsigned char)text[i] & 0xC0) != 0x80) {
      return 0;
    }
  }
  return len;
}

/* A value taken from a row must not break the one-line promise; a name that was cut may end in half a letter. */
static void kecs__error_tidy(char *text) {
  char *to = text;
  for (const char *at = text; *at;) {
    size_t len = kecs__error_letter(at);
    if (len == 1) {
      *to++ = (unsigned char)*at < 0x20 || *at == 0x7f ? ' ' : *at;
    } else if (len > 1) {
      memmove(to, at, len);
      to += len;
    }
    at += len ? len : 1;
  }
  *to = '\0';
}

KECS__FN kecs_status kecs__fail(kecs_status status, const char *format, ...) {
  /* The arguments may point into the last error itself, so the text is made aside first. */
  char text[sizeof kecs__thread_error.text];
  va_list args;
  va_start(args, format);
  if (vsnprintf(text, sizeof text, format, args) < 0) {
    text[0] = '\0';
  }
  va_end(args);
  kecs__error_tidy(text);

  memset(&kecs__thread_error, 0, sizeof kecs__thread_error);
  kecs__thread_error.status = status;
  memcpy(kecs__thread_error.text, text, sizeof text);
  return status;
}

KECS__FN kecs_status kecs__fail_context(const char *format, ...) {
  char text[sizeof kecs__thread_error.text];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len < 0 || (size_t)len >= sizeof text) {
    return kecs__thread_error.status;
  }
  snprintf(text + len, sizeof text - (size_t)len, ": %.*s", (int)(sizeof text - (size_t)len), kecs__thread_error.text);
  kecs__error_tidy(text);
  memcpy(kecs__thread_error.text, text, sizeof text);
  return kecs__thread_error.status;
}

KECS__FN kecs_error kecs__error_save(void) {
  return kecs__thread_error;
}

KECS__FN kecs_status kecs__error_restore(const kecs_error *error) {
  kecs__thread_error = *error;
  return error->status;
}

KECS__FN kecs_status kecs__fail_nomem(void) {
  return kecs__fail(KECS_E_NOMEM, "out of memory; free some or raise the process's limit");
}
