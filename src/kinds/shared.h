/* kinds/shared.h -- what a row of a kind file may say, and the columns that many kinds share.
 *
 * A kind file declares columns as rows  X(K, name, TYPE, GROUP, FLAGS, DEFAULT, "json", "meaning").  Each row is one
 * line of source, read twice: by the compiler (descriptors) and by amalgamate.py (the public struct).
 *
 *   TYPE   TEXT  UTF-8                        JSON  a document, kept byte for byte
 *          INT   64-bit number                OPTI  a number or NULL (kecs_opt_int)
 *          BOOL  true or false                TIME  microseconds since 1970 UTC, 0 is NULL
 *          RANK  as INT; in JSON a decimal string, or "default" for KECS_RANK_DEFAULT
 *   GROUP  KEY     identity: set by create, never changed        SPEC    what is wanted
 *          STATUS  what is observed                              LOCAL   derived or counted here, never synced
 *   FLAGS  0 or a sum of
 *          NN      NOT NULL: what create is not given takes DEFAULT; without a default it is required
 *          SERVER  the store fills it when it is empty, and documents always show it
 *          AUTO    the store alone writes it (version, updated_at ...)
 *          SINCE(n) the schema version that brought the column; 1 when it is not said
 *   DEFAULT  NONE, or text as it stands in the column ("ACTIVE", "0", "")
 *   json   the member of the AWS document; "a|b" also reads b; "State.Code" is a member of a member; members
 *          under "kecs." are ours and shown only on request; "" is no member
 *
 * The position of a row is its number for ever: on the wire, in masks and in `omitted`. Append at the end, never
 * reorder, never remove. At most 64 columns. */
#ifndef KECS_KINDS_SHARED_H
#define KECS_KINDS_SHARED_H

/* Where a resource lives, and what keeps its document whole. */
#define KECS_KEPT_COLUMNS(X, K) \
  X(K, region, TEXT, KEY, NN | SERVER, "", "kecs.region", "AWS region; from the ARN or the store's options when empty.") \
  X(K, account_id, TEXT, KEY, NN | SERVER, "", "kecs.accountId", "12-digit account; from the ARN or the store's options when empty.") \
  X(K, extra, JSON, SPEC, 0, NONE, "", "JSON object of the document's members that no column holds exactly; NULL when there are none.") \
  X(K, omitted, INT, LOCAL, NN | AUTO, "0", "", "Bit n set: the document left column n out and it still has its default, so documents leave it out too.")

/* What keeps a document whole, for kinds that live in no region or account. The same rows as the last two above. */
#define KECS_DOCUMENT_COLUMNS(X, K) \
  X(K, extra, JSON, SPEC, 0, NONE, "", "JSON object of the document's members that no column holds exactly; NULL when there are none.") \
  X(K, omitted, INT, LOCAL, NN | AUTO, "0", "", "Bit n set: the document left column n out and it still has its default, so documents leave it out too.")

#endif
