/* bench/pg_hand.h -- the same work by hand: libpq, prepared statements, binary values, no layer in between.
 *
 * A row that is read is a struct whose texts stay in libpq's result; rows go in by binary COPY, in the buffers that a
 * program would use. The schema is one of the store's own making, so that tables and indexes are the same. */
#ifndef BENCH_PG_HAND_H
#define BENCH_PG_HAND_H
#include "columns.h"
#include "rows.h"

#include <libpq-fe.h>

#define HAND_SCHEMA "hand"
#define HAND_TABLE HAND_SCHEMA ".tasks"
#define HAND_TENANT "default"

enum { HAND_BUFFER = 65536, HAND_ROW_MAX = 8192 };

typedef struct hand {
  PGconn *pg;
  char *buffer; /* of a COPY */
  size_t used;
  kecs_task page[128];
  int64_t version; /* of rows that are stored whole */
} hand;

/* The values of one row as they travel. */
typedef struct hand_row {
  const char *values[BASELINE_COLUMN_COUNT];
  int lengths[BASELINE_COLUMN_COUNT];
  int formats[BASELINE_COLUMN_COUNT];
  unsigned char numbers[BASELINE_COLUMN_COUNT][8];
  int count;
} hand_row;

/* ---- statements ---- */

static void hand_check(const hand *by_hand, const PGresult *result, const char *doing) {
  ExecStatusType status = PQresultStatus(result);
  bench_check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN, "by hand: %s: %s",
              doing, PQerrorMessage(by_hand->pg));
}

static void hand_run(const hand *by_hand, const char *sql) {
  PGresult *result = PQexec(by_hand->pg, sql);
  hand_check(by_hand, result, sql);
  PQclear(result);
}

static void hand_prepare(const hand *by_hand, const char *name, const char *sql) {
  PGresult *result = PQprepare(by_hand->pg, name, sql, 0, NULL);
  hand_check(by_hand, result, sql);
  PQclear(result);
}

static void hand_insert_sql(char *sql, size_t size) {
  size_t used = (size_t)snprintf(sql, size, "INSERT INTO " HAND_TABLE "(tenant," BASELINE_NAMES ") VALUES('"
                                 HAND_TENANT "'");
  for (int i = 1; i <= BASELINE_COLUMN_COUNT; i++) {
    used += (size_t)snprintf(sql + used, size - used, ",$%d", i);
  }
  snprintf(sql + used, size - used, ")");
}

static void hand_open(hand *by_hand, const char *url) {
  char sql[4096];
  by_hand->pg = PQconnectdb(url);
  bench_check(PQstatus(by_hand->pg) == CONNECTION_OK, "by hand: %s", PQerrorMessage(by_hand->pg));
  by_hand->buffer = malloc(HAND_BUFFER + HAND_ROW_MAX);
  bench_check(by_hand->buffer != NULL, "out of memory");
  hand_prepare(by_hand, "get",
               "SELECT " BASELINE_NAMES " FROM " HAND_TABLE " WHERE tenant='" HAND_TENANT "' AND arn=$1");
  hand_prepare(by_hand, "page",
               "SELECT " BASELINE_NAMES " FROM " HAND_TABLE " WHERE tenant='" HAND_TENANT
               "' ORDER BY created_at DESC,arn LIMIT 100");
  hand_prepare(by_hand, "update",
               "UPDATE " HAND_TABLE " SET stopped_reason=$1,version=version+1,updated_at=$2 WHERE tenant='" HAND_TENANT
               "' AND arn=$3");
  hand_insert_sql(sql, sizeof sql);
  hand_prepare(by_hand, "insert", sql);
}

static void hand_close(hand *by_hand) {
  PQfinish(by_hand->pg);
  free(by_hand->buffer);
}

/* ---- reading ---- */

static int64_t hand_number(const PGresult *result, int row, int column) {
  const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);
  uint64_t number = 0;
  if (PQgetisnull(result, row, column)) {
    return 0;
  }
  for (int i = 0; i < 8; i++) {
    number = (number << 8) | bytes[i];
  }
  return (int64_t)number;
}

static const char *hand_text(const PGresult *result, int row, int column) {
  return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

#define HAND_READ_TEXT(name) task->name = hand_text(result, row, column++);
#define HAND_READ_NUMBER(name) task->name = hand_number(result, row, column++);
#define HAND_READ_FLAG(name) task->name = PQgetvalue(result, row, column++)[0] != 0;

static void hand_read(kecs_task *task, const PGresult *result, int row) {
  int column = 0;
  HAND_READ_TEXT(arn)
  BASELINE_COLUMNS(HAND_READ_TEXT, HAND_READ_NUMBER, HAND_READ_NUMBER, HAND_READ_FLAG, HAND_READ_NUMBER)
}

/* The result is the caller's: the rows' texts are in it. */
static PGresult *hand_get(hand *by_hand, const char *arn) {
  const char *values[] = {arn};
  PGresult *result = PQexecPrepared(by_hand->pg, "get", 1, values, NULL, NULL, 1);
  hand_check(by_hand, result, "get");
  bench_check(PQntuples(result) == 1, "by hand: no task %s", arn);
  hand_read(&by_hand->page[0], result, 0);
  return result;
}

/* Several in one exchange. The results are the caller's. */
static void hand_pipeline(hand *by_hand, const char (*arns)[BENCH_ARN], int count, PGresult **out) {
  bench_check(PQenterPipelineMode(by_hand->pg), "by hand: no pipeline");
  for (int i = 0; i < count; i++) {
    const char *values[] = {arns[i]};
    bench_check(PQsendQueryPrepared(by_hand->pg, "get", 1, values, NULL, NULL, 1), "by hand: send");
  }
  bench_check(PQpipelineSync(by_hand->pg), "by hand: sync");
  for (int i = 0; i < count; i++) {
    out[i] = PQgetResult(by_hand->pg);
    hand_check(by_hand, out[i], "get");
    bench_check(PQntuples(out[i]) == 1 && !PQgetResult(by_hand->pg), "by hand: no task %s", arns[i]);
    hand_read(&by_hand->page[i], out[i], 0);
  }
  PGresult *synced = PQgetResult(by_hand->pg);
  bench_check(PQresultStatus(synced) == PGRES_PIPELINE_SYNC, "by hand: no sync");
  PQclear(synced);
  bench_check(PQexitPipelineMode(by_hand->pg), "by hand: %s", PQerrorMessage(by_hand->pg));
}

static PGresult *hand_page(hand *by_hand) {
  PGresult *result = PQexecPrepared(by_hand->pg, "page", 0, NULL, NULL, NULL, 1);
  hand_check(by_hand, result, "page");
  for (int i = 0; i < PQntuples(result); i++) {
    hand_read(&by_hand->page[i], result, i);
  }
  return result;
}

/* ---- writing ---- */

static void hand_add_number(hand_row *row, int64_t number, int len) {
  unsigned char *bytes = row->numbers[row->count];
  for (int i = 0; i < len; i++) {
    bytes[i] = (unsigned char)((uint64_t)number >> (8 * (len - 1 - i)));
  }
  row->values[row->count] = (const char *)bytes;
  row->lengths[row->count] = len;
  row->formats[row->count++] = 1;
}

static void hand_add_text(hand_row *row, const char *text) {
  row->values[row->count] = text;
  row->lengths[row->count] = text ? (int)strlen(text) : 0;
  row->formats[row->count++] = 1;
}

static void hand_add_time(hand_row *row, int64_t micros) {
  if (micros) {
    hand_add_number(row, micros, 8);
  } else {
    hand_add_text(row, NULL);
  }
}

#define HAND_ADD_TEXT(name) hand_add_text(row, task->name);
#define HAND_ADD_TIME(name) hand_add_time(row, task->name);
#define HAND_ADD_NUMBER(name) hand_add_number(row, task->name, 8);
#define HAND_ADD_FLAG(name) hand_add_number(row, task->name, 1);

/* As it is to be stored: with its times, its version, and what the store puts where nothing was said. */
static void hand_row_of(const hand *by_hand, hand_row *row, const kecs_task *given, int64_t now) {
  kecs_task whole = *given;
  const kecs_task *task = &whole;
  whole.updated_at = now;
  whole.version = by_hand->version;
  row->count = 0;
  HAND_ADD_TEXT(arn)
  BASELINE_COLUMNS(HAND_ADD_TEXT, HAND_ADD_TIME, HAND_ADD_NUMBER, HAND_ADD_FLAG, HAND_ADD_NUMBER)
}

static void hand_insert(const hand *by_hand, const kecs_task *task) {
  hand_row row;
  hand_row_of(by_hand, &row, task, bench_now_us());
  PGresult *result =
      PQexecPrepared(by_hand->pg, "insert", row.count, row.values, row.lengths, row.formats, 1);
  hand_check(by_hand, result, "insert");
  PQclear(result);
}

static void hand_update(const hand *by_hand, const char *arn, const char *reason) {
  hand_row row;
  row.count = 0;
  hand_add_text(&row, reason);
  hand_add_number(&row, bench_now_us(), 8);
  hand_add_text(&row, arn);
  PGresult *result =
      PQexecPrepared(by_hand->pg, "update", row.count, row.values, row.lengths, row.formats, 1);
  hand_check(by_hand, result, "update");
  bench_check(strcmp(PQcmdTuples(result), "1") == 0, "by hand: no task %s", arn);
  PQclear(result);
}

static void hand_flush(hand *by_hand) {
  bench_check(PQputCopyData(by_hand->pg, by_hand->buffer, (int)by_hand->used) == 1, "by hand: COPY: %s",
              PQerrorMessage(by_hand->pg));
  by_hand->used = 0;
}

static void hand_put(hand *by_hand, const char *bytes, int len) {
  memcpy(by_hand->buffer + by_hand->used, bytes, (size_t)len);
  by_hand->used += (size_t)len;
}

static void hand_put_length(hand *by_hand, int length, int size) {
  for (int i = 0; i < size; i++) {
    by_hand->buffer[by_hand->used++] = (char)((uint32_t)length >> (8 * (size - 1 - i)));
  }
}

static void hand_put_row(hand *by_hand, const hand_row *row) {
  hand_put_length(by_hand, row->count + 1, 2);
  hand_put_length(by_hand, (int)strlen(HAND_TENANT), 4);
  hand_put(by_hand, HAND_TENANT, (int)strlen(HAND_TENANT));
  for (int i = 0; i < row->count; i++) {
    hand_put_length(by_hand, row->values[i] ? row->lengths[i] : -1, 4);
    hand_put(by_hand, row->values[i], row->values[i] ? row->lengths[i] : 0);
  }
}

/* The rows by binary COPY, in the transaction that is open. */
static void hand_copy(hand *by_hand, const char *table, const bench_batch *batch) {
  char sql[2048];
  snprintf(sql, sizeof sql, "COPY %s(tenant," BASELINE_NAMES ") FROM STDIN (FORMAT binary)", table);
  hand_run(by_hand, sql);
  by_hand->used = 0;
  hand_put(by_hand, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  for (int i = 0; i < batch->count; i++) {
    hand_row row;
    hand_row_of(by_hand, &row, &batch->tasks[i], bench_now_us());
    hand_put_row(by_hand, &row);
    if (by_hand->used >= HAND_BUFFER) {
      hand_flush(by_hand);
    }
  }
  hand_put_length(by_hand, -1, 2);
  hand_flush(by_hand);
  bench_check(PQputCopyEnd(by_hand->pg, NULL) == 1, "by hand: COPY: %s", PQerrorMessage(by_hand->pg));
  PGresult *result;
  while ((result = PQgetResult(by_hand->pg)) != NULL) {
    hand_check(by_hand, result, "COPY");
    PQclear(result);
  }
}

static void hand_create_many(hand *by_hand, const bench_batch *batch) {
  hand_run(by_hand, "BEGIN");
  hand_copy(by_hand, HAND_TABLE, batch);
  hand_run(by_hand, "COMMIT");
}

#define HAND_MERGE_SET(name) "," #name "=EXCLUDED." #name

/* The rows into a temporary table, then new ones inserted and old ones changed where they differ. */
static void hand_merge(hand *by_hand, const bench_batch *batch) {
  hand_run(by_hand, "BEGIN");
  hand_run(by_hand, "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT tenant," BASELINE_NAMES " FROM " HAND_TABLE
                    " LIMIT 0");
  hand_copy(by_hand, "staged", batch);
  hand_run(by_hand, "INSERT INTO " HAND_TABLE "(tenant," BASELINE_NAMES ") SELECT tenant," BASELINE_NAMES
                    " FROM staged ON CONFLICT(tenant,arn) DO UPDATE SET tenant=EXCLUDED.tenant" BASELINE_ALL(
                        HAND_MERGE_SET));
  hand_run(by_hand, "COMMIT");
}

#endif
