/* ---- Independent reads together ---------------------------------------------------------------------------- */
/* A page of a dashboard asks a dozen things that have nothing to do with each other. Asked together they cost one round
 * trip to a PostgreSQL server, not a dozen; on SQLite, where nothing travels, they run one after the other, with the
 * same results:
 *
 *   kecs_read reads[] = {{.kind = KECS_KIND_CLUSTER, .key = "shop"},
 *                        {.kind = KECS_KIND_SERVICE, .query = &running},
 *                        {.kind = KECS_KIND_TASK}};
 *   kecs_answers *answers = NULL;
 *   if (kecs_pipeline(store, reads, 3, &answers) == KECS_OK) {
 *     kecs_result *cluster = NULL;
 *     if (kecs_answers_at(answers, 0, &cluster) == KECS_OK) {
 *       puts(kecs_cluster_at(cluster, 0)->arn);
 *     }
 *     kecs_answers_free(answers);
 *   } */
#ifndef KECS_STORE_PIPELINE_H
#define KECS_STORE_PIPELINE_H
#include "store/record.h"

enum { KECS_PIPELINE_MAX = 256 /* reads in one call */ };

/* One read. With a key: that row, as kecs_record_get reads it. Without: a page, as kecs_record_list reads it. All that
 * it points to is borrowed for the call. */
typedef struct kecs_read {
  kecs_kind kind;
  const char *key;         /* as for kecs_record_get; NULL: a list */
  const kecs_query *query; /* of a list; NULL: the first 100 rows in the kind's own order. INVALID beside a key */
} kecs_read;

/* What came of the reads of one call. Immutable, may be read from any thread, and outlives the store. */
typedef struct kecs_answers kecs_answers;

/* Sends `count` reads together and waits for all of them. KECS_OK says that each has its answer, be it a failure of its
 * own (an unknown kind, no such row, a bad filter or page token, a right that is missing), which concerns none of the
 * others: kecs_answers_at tells it. Anything that concerns all of them is this call's failure, and *out_answers is
 * NULL: INVALID (more than KECS_PIPELINE_MAX), MISUSE, BUSY, OFFLINE, TIMEOUT, CANCELLED, CORRUPT, IO, NOMEM.
 *
 * The reads are independent: another writer may come between two of them, and each sees what was stored when it ran. In
 * a transaction they see what it has written; a read that a PostgreSQL server refuses there ends the transaction, as
 * any failed statement does, and is this call's failure.
 *
 * The one round trip holds for lists and for keys that are ARNs, ids or names. A name under which the store has an ARN
 * that AWS would not have made of it takes a second one. */
KECS_STORE_API kecs_status kecs_pipeline(kecs_store *store, const kecs_read *reads, size_t count,
                                         kecs_answers **out_answers);

/* How many reads there were; 0 for NULL. */
KECS_STORE_API size_t kecs_answers_count(const kecs_answers *answers);

/* What read number `index` came to: its status, with kecs_last_error() as it was after it, and its rows: one for a key,
 * a page for a list, with kecs_result_page_token. The result belongs to `answers`: it is not to be freed, and dies with
 * them. *out_result is NULL after a failure. INVALID when there is no such read. */
KECS_STORE_API kecs_status kecs_answers_at(const kecs_answers *answers, size_t index, kecs_result **out_result);

/* Frees the answers and all their results; NULL is fine. */
KECS_STORE_API void kecs_answers_free(kecs_answers *answers);

#endif
