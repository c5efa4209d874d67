/* kinds/describe.c -- the rows of the kind files as constant tables, and the compiler's proof that the structs in the
 * public header are what the rows say. */
#include "base/prologue.h"

#include "kinds/describe.h"
#include "kinds/kinds.h"

#include <string.h>

/* What the words of a kind file mean here. They are undefined again below: the packed header is one unit. */
#define KECS__FLAG_NN KECS_COLUMN_NOT_NULL
#define KECS__FLAG_SERVER KECS_COLUMN_SERVER
#define KECS__FLAG_AUTO KECS_COLUMN_AUTO
#define KECS__SINCE_SHIFT 8
#define NN KECS__FLAG_NN
#define SERVER KECS__FLAG_SERVER
#define AUTO KECS__FLAG_AUTO
#define SINCE(version) ((version) << KECS__SINCE_SHIFT)
#define NONE NULL
#define ALWAYS false
#define WHEN_SET true
#define APPEND KECS_KIND_APPEND
#define PLAIN KECS_KIND_PLAIN
#define CASCADE KECS_ON_DELETE_CASCADE
#define SET_NULL KECS_ON_DELETE_SET_NULL

/* ---- the rows agree with the printed structs ---- */

typedef const char *kecs__c_TEXT;
typedef const char *kecs__c_JSON;
typedef int64_t kecs__c_INT;
typedef int64_t kecs__c_RANK;
typedef int64_t kecs__c_TIME;
typedef bool kecs__c_BOOL;
typedef kecs_opt_int kecs__c_OPTI;

#define KECS__SHADOW_FIELD(K, name, TYPE, GROUP, FLAGS, DEFAULT, json, meaning) kecs__c_##TYPE name;
#define KECS__SHADOW(number, name, UPPER, table, flags) \
  typedef struct kecs__shadow_##name {                  \
    KECS_##UPPER##_COLUMNS(KECS__SHADOW_FIELD, name)    \
  } kecs__shadow_##name;
KECS_KINDS(KECS__SHADOW)

/* Equal offset and equal size of each field, and equal size of the whole, as array sizes that C99 can check. The
 * conversion of a pointer to the one field into a pointer to the other makes a wrong type a diagnostic. */
#define KECS__PROVE(condition) sizeof(char[(condition) ? 1 : -1])
#define KECS__PROOF_FIELD(K, name, TYPE, GROUP, FLAGS, DEFAULT, json, meaning)                          \
  KECS__PROVE(offsetof(kecs_##K, name) == offsetof(kecs__shadow_##K, name)) +                           \
      KECS__PROVE(sizeof(((kecs_##K *)0)->name) == sizeof(kecs__c_##TYPE)) +                            \
      sizeof(true ? &((kecs_##K *)0)->name : (kecs__c_##TYPE *)0) +
#define KECS__PROOF(number, name, UPPER, table, flags)                                                  \
  enum {                                                                                                \
    kecs__proof_##name = KECS_##UPPER##_COLUMNS(KECS__PROOF_FIELD, name)                                \
        KECS__PROVE(sizeof(kecs_##name) == sizeof(kecs__shadow_##name)) +                               \
        KECS__PROVE((int)KECS_##UPPER##_COLUMN_COUNT <= 64) + KECS__PROVE((int)KECS_KIND_##UPPER == number)  \
  };
KECS_KINDS(KECS__PROOF)

/* ---- columns ---- */

/* The meanings are prose for people; a small device can do without. */
#if defined(KECS_STORE_NO_MEANINGS)
#define KECS__MEANING(text) ""
#else
#define KECS__MEANING(text) text
#endif

#define KECS__COLUMN(K, column, TYPE, GROUP, FLAGS, DEFAULT, document, text)     \
  {.name = #column,                                                              \
   .default_text = DEFAULT,                                                      \
   .json = document,                                                             \
   .meaning = KECS__MEANING(text),                                               \
   .offset = offsetof(kecs_##K, column),                                         \
   .flags = (FLAGS)&0xff,                                                        \
   .since = ((FLAGS) >> KECS__SINCE_SHIFT) ? ((FLAGS) >> KECS__SINCE_SHIFT) : 1, \
   .type = KECS_TYPE_##TYPE,                                                     \
   .group = KECS_GROUP_##GROUP},
#define KECS__COLUMNS(number, name, UPPER, table, flags) \
  static const kecs_column_info kecs__columns_##name[] = {KECS_##UPPER##_COLUMNS(KECS__COLUMN, name)};
KECS_KINDS(KECS__COLUMNS)

/* Column names to numbers: the shadow of each kind once more, as an enum in the case of the rows. */
#define KECS__NUMBER(K, name, TYPE, GROUP, FLAGS, DEFAULT, json, meaning) kecs__at_##K##_##name,
#define KECS__NUMBERS(number, name, UPPER, table, flags) \
  enum { KECS_##UPPER##_COLUMNS(KECS__NUMBER, name) kecs__at_##name##_end };
KECS_KINDS(KECS__NUMBERS)

/* A list of 1 to 5 names, as {count, {numbers}}. */
#define KECS__LIST1(K, a) 1, {kecs__at_##K##_##a}
#define KECS__LIST2(K, a, b) 2, {kecs__at_##K##_##a, kecs__at_##K##_##b}
#define KECS__LIST3(K, a, b, c) 3, {kecs__at_##K##_##a, kecs__at_##K##_##b, kecs__at_##K##_##c}
#define KECS__LIST4(K, a, b, c, d) \
  4, {kecs__at_##K##_##a, kecs__at_##K##_##b, kecs__at_##K##_##c, kecs__at_##K##_##d}
#define KECS__LIST5(K, a, b, c, d, e) \
  5, {kecs__at_##K##_##a, kecs__at_##K##_##b, kecs__at_##K##_##c, kecs__at_##K##_##d, kecs__at_##K##_##e}
#define KECS__LIST_PICK(K, a, b, c, d, e, macro, ...) macro
#define KECS__LIST(...) \
  KECS__LIST_PICK(__VA_ARGS__, KECS__LIST5, KECS__LIST4, KECS__LIST3, KECS__LIST2, KECS__LIST1, 0)(__VA_ARGS__)

#define KECS__KEY(K, name, when, ...) {#name, when, KECS__LIST(K, __VA_ARGS__)},
#define KECS__KEYS(number, name, UPPER, table, flags) \
  static const kecs_column_list kecs__keys_##name[] = {KECS_##UPPER##_KEYS(KECS__KEY, name)};
KECS_KINDS(KECS__KEYS)

/* References and indexes may be none, and an array must not be empty: each ends with a row that is not counted. */
#define KECS__REF(K, column, parent, parent_column, on_delete) \
  {kecs__at_##K##_##column, (kecs_kind)kecs__kind_##parent, kecs__at_##parent##_##parent_column, on_delete},
#define KECS__KIND_NUMBER(number, name, UPPER, table, flags) kecs__kind_##name = number,
enum { KECS_KINDS(KECS__KIND_NUMBER) kecs__kind_end };
#define KECS__REFS(number, name, UPPER, table, flags)                                             \
  static const kecs_reference kecs__refs_##name[] = {KECS_##UPPER##_REFS(KECS__REF, name){        \
      0, (kecs_kind)0, 0, KECS_ON_DELETE_CASCADE}};
KECS_KINDS(KECS__REFS)

#define KECS__INDEXES(number, name, UPPER, table, flags)                                             \
  static const kecs_column_list kecs__indexes_##name[] = {KECS_##UPPER##_INDEXES(KECS__KEY, name){   \
      NULL, false, 0, {0}}};
KECS_KINDS(KECS__INDEXES)

#define KECS__COUNT(array) (int)(sizeof(array) / sizeof(array)[0])
#define KECS__ONE_LIST(K, ...) {NULL, false, KECS__LIST(K, __VA_ARGS__)}
#define KECS__KIND(number, name, UPPER, table, flags)                                                        \
  {(kecs_kind)number, #name, table, flags, sizeof(kecs_##name), KECS__COUNT(kecs__columns_##name),           \
   kecs__columns_##name, KECS__COUNT(kecs__keys_##name), kecs__keys_##name,                                  \
   KECS__COUNT(kecs__refs_##name) - 1, kecs__refs_##name, KECS__COUNT(kecs__indexes_##name) - 1,             \
   kecs__indexes_##name, KECS_##UPPER##_ORDER(KECS__ONE_LIST, name),                                         \
   KECS_##UPPER##_ADDRESS(KECS__ONE_LIST, name)},
static const kecs_kind_info kecs__kind_table[] = {KECS_KINDS(KECS__KIND)};

#undef NN
#undef SERVER
#undef AUTO
#undef SINCE
#undef NONE
#undef ALWAYS
#undef WHEN_SET
#undef APPEND
#undef PLAIN
#undef CASCADE
#undef SET_NULL

KECS_STORE_API const kecs_kind_info *kecs_kind_describe(kecs_kind kind) {
  for (int i = 0; i < KECS__COUNT(kecs__kind_table); i++) {
    if (kecs__kind_table[i].kind == kind) {
      return &kecs__kind_table[i];
    }
  }
  return NULL;
}

KECS_STORE_API const kecs_kind_info *kecs_kind_find(const char *name) {
  for (int i = 0; name && i < KECS__COUNT(kecs__kind_table); i++) {
    if (strcmp(kecs__kind_table[i].name, name) == 0) {
      return &kecs__kind_table[i];
    }
  }
  return NULL;
}

KECS_STORE_API int kecs_column_find(const kecs_kind_info *info, const char *name) {
  for (int i = 0; info && name && i < info->column_count; i++) {
    if (strcmp(info->columns[i].name, name) == 0) {
      return i;
    }
  }
  return -1;
}
