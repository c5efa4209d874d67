/* ---- Status codes and the last error --------------------------------------------------------------------- */
#ifndef KECS_BASE_STATUS_H
#define KECS_BASE_STATUS_H
#include "base/config.h"

/* What a caller does about a failure: the class of its code (kecs_status_class). */
typedef enum kecs_class {
  KECS_CLASS_OK,      /* nothing failed */
  KECS_CLASS_CALLER,  /* mend the call, or tell the user: the answer is about the data that was asked for */
  KECS_CLASS_RETRY,   /* run it again later: nothing was stored */
  KECS_CLASS_VERIFY,  /* never replay blindly: read first whether it was stored */
  KECS_CLASS_SYSTEM,  /* an operator's matter: disk, memory, permissions, a damaged file */
  KECS_CLASS_MISUSE   /* a bug in the calling program */
} kecs_class;

/* name, value, class, text. Values never change; new codes are appended within their class. */
#define KECS_STATUS_MAP(X)                                                                          \
  X(E_INVALID, -1, CALLER, "an argument or document is not valid")                                  \
  X(E_NOT_FOUND, -2, CALLER, "there is no such row")                                                \
  X(E_EXISTS, -3, CALLER, "a row with this key exists already")                                     \
  X(E_CONFLICT, -4, CALLER, "the row has changed since it was read")                                \
  X(E_REFERENCE, -5, CALLER, "the row refers to, or is used by, another row")                       \
  X(E_COMPACTED, -6, CALLER, "history before this point was removed")                               \
  X(E_UNSUPPORTED, -7, CALLER, "this backend or build cannot do that")                              \
  X(E_READONLY, -8, CALLER, "the store is open for reading only")                                   \
  X(E_DENIED, -9, CALLER, "permission was denied")                                                  \
  X(E_BUSY, -20, RETRY, "another writer holds the database")                                        \
  X(E_OFFLINE, -21, RETRY, "the connection to the server is lost")                                  \
  X(E_TIMEOUT, -22, RETRY, "the deadline passed; nothing was stored")                               \
  X(E_CANCELLED, -23, RETRY, "the call was cancelled; nothing was stored")                          \
  X(E_OUTCOME_UNKNOWN, -30, VERIFY, "the commit was sent, its outcome is not known")                \
  X(E_NOMEM, -40, SYSTEM, "out of memory")                                                          \
  X(E_IO, -41, SYSTEM, "a read or write failed")                                                    \
  X(E_FULL, -42, SYSTEM, "the disk or quota is full")                                               \
  X(E_CORRUPT, -43, SYSTEM, "the stored data is damaged or not a kecs_store database")              \
  X(E_SCHEMA_NEWER, -44, SYSTEM, "the database was written by a newer version of this library")     \
  X(E_MISUSE, -60, MISUSE, "the library was called against its contract")

#define KECS__STATUS_ENUM(name, value, class_name, text) KECS_##name = value,
typedef enum kecs_status { KECS_STATUS_MAP(KECS__STATUS_ENUM) KECS_OK = 0 } kecs_status;
#undef KECS__STATUS_ENUM

/* The last failure of the calling thread. */
typedef struct kecs_error {
  kecs_status status; /* KECS_OK while nothing has failed on this thread */
  int native_code;    /* SQLite's extended result code, or 0 */
  char sqlstate[6];   /* PostgreSQL's SQLSTATE, or "" */
  char text[512];     /* one English line that names the thing and what to do; never a secret */
  char transaction[40]; /* of KECS_E_OUTCOME_UNKNOWN, for kecs_find_outcome; or "" */
  int64_t floor;      /* KECS_E_COMPACTED: the earliest sequence that a watch can begin after */
} kecs_error;

/* The calling thread's last failure. A call that succeeds leaves it as it is. Never NULL; the pointer stays
 * valid for the life of the thread, its content until the thread's next failing call. */
KECS_STORE_API const kecs_error *kecs_last_error(void);

/* A code's fixed English text ("there is no such row"), its symbolic name ("KECS_E_NOT_FOUND") and its class.
 * A number that is no code gives "unknown status" and KECS_CLASS_MISUSE. */
KECS_STORE_API const char *kecs_status_text(kecs_status status);
KECS_STORE_API const char *kecs_status_name(kecs_status status);
KECS_STORE_API kecs_class kecs_status_class(kecs_status status);

#endif
