/* store/locate.h -- from what a caller addresses a row by (name, id, ARN, parts of a key) to one unique key. */
#ifndef KECS_STORE_LOCATE_H
#define KECS_STORE_LOCATE_H
#include "store/special.h"

/* A unique key with its values, and the columns that must be equal besides. Texts are borrowed from the caller and the
 * arena. */
struct kecs__probe {
  int key; /* number of the unique key */
  int count;
  kecs_value values[KECS_KEY_COLUMNS_MAX];
  int check_count;
  int check_columns[KECS_KEY_COLUMNS_MAX];
  kecs_value check_values[KECS_KEY_COLUMNS_MAX];
  char shown[160]; /* the address, for messages; "": what the values say */
  bool floating;   /* the address means whichever row is the latest just now */
};

/* From address parts, in the order of the kind's address. */
KECS__FN kecs_status kecs__probe_address(kecs__session *session, const kecs__meta *meta, const kecs_value *address,
                                         int count, kecs__arena *arena, kecs__probe *out_probe);

/* From one text, as for kecs_record_get. */
KECS__FN kecs_status kecs__probe_text(kecs__session *session, const kecs__meta *meta, const char *text,
                                      kecs__arena *arena, kecs__probe *out_probe);

/* From a row whose natural key is set, or the columns of another unique key. */
KECS__FN kecs_status kecs__probe_row(kecs__session *session, const kecs__meta *meta, const void *row,
                                     kecs__arena *arena, kecs__probe *out_probe);

/* Reads the probed row into `row` (texts into the arena); NOT_FOUND names the address. *out_rid may be NULL. */
KECS__FN kecs_status kecs__probe_read(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, void *row, int64_t *out_rid);

/* The rid of the probed row; *out_rid is 0 when there is none. */
KECS__FN kecs_status kecs__probe_rid(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                     int64_t *out_rid);

/* The same with the probe's checks; a row that does not pass them counts as absent. */
KECS__FN kecs_status kecs__probe_find(kecs__session *session, const kecs__meta *meta, const kecs__probe *probe,
                                      kecs__arena *arena, int64_t *out_rid);

/* NOT_FOUND for a probe's row. */
KECS__FN kecs_status kecs__fail_probe(const kecs__meta *meta, const kecs__probe *probe);
KECS__FN kecs_status kecs__fail_not_found(const kecs__meta *meta, const char *shown);

/* A parent given by name: its ARN, from the store when it is there, else as AWS would make it. An ARN and NULL are
 * given back as they are. */
KECS__FN kecs_status kecs__resolve_parent(kecs__session *session, kecs_kind parent, const char *text,
                                          kecs__arena *arena, const char **out_arn);

/* Reads a whole row by rid; *out_found is false when it is gone. Texts go to the arena. */
KECS__FN kecs_status kecs__row_by_rid(kecs__session *session, const kecs__meta *meta, int64_t rid, kecs__arena *arena,
                                      void *row, bool *out_found);

#endif
