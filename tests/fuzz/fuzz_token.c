/* fuzz_token.c -- any bytes as the page token of a list.
 *
 * The first byte chooses the kind, the second the order and how the token is made: of the bytes as they are, or of a
 * true token whose values the bytes replace, with its sum put right. The answer is INVALID or a page, never anything
 * else. */
#include "fuzz/fuzz.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { HEAD = 10, SUM = 8, ROWS = 4 }; /* version, kind, hash of the query; the sum over all */

static void encode(const uint8_t *bytes, size_t len, char *out) {
  for (size_t i = 0; i < len; i += 3) {
    size_t left = len - i;
    uint32_t group = (uint32_t)bytes[i] << 16;
    group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
    group |= left > 2 ? bytes[i + 2] : 0;
    for (size_t c = 0; c < (left < 3 ? left + 1 : 4); c++) {
      *out++ = alphabet[(group >> (18 - 6 * c)) & 63];
    }
  }
  *out = '\0';
}

static size_t decode(const char *text, uint8_t *out) {
  size_t count = 0;
  uint32_t group = 0;
  unsigned bits = 0;
  for (; *text; text++) {
    const char *found = strchr(alphabet, *text);
    REQUIRE(found);
    group = (group << 6) | (uint32_t)(found - alphabet);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[count++] = (uint8_t)(group >> bits);
    }
  }
  return count;
}

/* A few rows of every kind that pages are asked of. */
static void seed(kecs_store *store) {
  static bool done;
  if (done) {
    return;
  }
  done = true;
  for (int i = 0; i < ROWS; i++) {
    char text[40];
    kecs_cluster cluster = {0};
    kecs_task_definition definition = {0};
    kecs_event event = {0};
    kecs_task_log log = {0};
    kecs_node node = {0};
    kecs_tag tag = {0};
    snprintf(text, sizeof text, "row-%d", i);
    cluster.name = text;
    cluster.running_tasks_count = i / 2;
    definition.family = "family";
    definition.container_definitions = "[]";
    event.event_type = event.resource_arn = event.resource_type = event.action = "x";
    event.timestamp = 1 + i / 2;
    log.task_arn = log.container_name = text;
    node.id = node.hostname = text;
    tag.resource_arn = "arn:aws:ecs:us-east-1:000000000000:cluster/none";
    tag.key = text;
    REQUIRE_OK(kecs_cluster_create(store, &cluster, NULL));
    REQUIRE_OK(kecs_task_definition_create(store, &definition, NULL));
    REQUIRE_OK(kecs_event_create(store, &event, NULL));
    REQUIRE_OK(kecs_task_log_create(store, &log, NULL));
    REQUIRE_OK(kecs_node_create(store, &node, NULL));
    REQUIRE_OK(kecs_tag_create(store, &tag, NULL));
  }
}

static const kecs_kind kinds[] = {KECS_KIND_CLUSTER, KECS_KIND_TASK_DEFINITION, KECS_KIND_EVENT, KECS_KIND_TASK_LOG,
                                  KECS_KIND_NODE,    KECS_KIND_TAG};

/* A true token of this query with other values; NULL when the query gives none. Free it. */
static char *forge(kecs_store *store, kecs_kind kind, const kecs_query *query, const uint8_t *data, size_t size) {
  kecs_result *result = NULL;
  REQUIRE_OK(kecs_record_list(store, kind, query, &result));
  const char *real = kecs_result_page_token(result);
  size_t room = HEAD + size + SUM + (real ? strlen(real) : 0);
  uint8_t *bytes = real ? malloc(room) : NULL;
  char *token = bytes ? malloc(room * 2 + 8) : NULL;
  if (token) {
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    REQUIRE(decode(real, bytes) > HEAD + SUM);
    memcpy(bytes + HEAD, data, size);
    for (size_t i = 0; i < HEAD + size; i++) {
      sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < SUM; i++) {
      bytes[HEAD + size + i] = (uint8_t)(sum >> (8 * i));
    }
    encode(bytes, HEAD + size + SUM, token);
  }
  free(bytes);
  kecs_result_free(result);
  return token;
}

static char *copy_of(const uint8_t *data, size_t size) {
  char *copy = malloc(size + 1);
  REQUIRE(copy);
  if (size > 0) {
    memcpy(copy, data, size);
  }
  copy[size] = '\0';
  return copy;
}

/* Follows the pages to their end, which must come. */
static void walk(kecs_store *store, kecs_kind kind, kecs_query *query, const char *token) {
  kecs_result *last = NULL;
  query->page_token = token;
  for (int pages = 0;; pages++) {
    kecs_result *result = NULL;
    kecs_status status = kecs_record_list(store, kind, query, &result);
    kecs_result_free(last);
    last = result;
    if (status) {
      REQUIRE(status == KECS_E_INVALID && !result && pages == 0);
      fuzz_require_refusal(status);
      return;
    }
    REQUIRE(kecs_result_count(result) <= (size_t)query->limit && pages <= ROWS);
    query->page_token = kecs_result_page_token(result);
    if (!query->page_token) {
      break;
    }
  }
  kecs_result_free(last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  kecs_store *store = fuzz_store();
  kecs_query query;
  seed(store);
  if (size < 2) {
    return 0;
  }
  kecs_kind kind = kinds[data[0] % (sizeof kinds / sizeof kinds[0])];
  const kecs_kind_info *info = kecs_kind_describe(kind);
  int column = (data[1] >> 2) % info->column_count;
  memset(&query, 0, sizeof query);
  query.limit = 1 + data[0] / 128;
  if (info->columns[column].flags & KECS_COLUMN_NOT_NULL) {
    query.direction = data[1] & 2 ? KECS_ORDER_ASCENDING : KECS_ORDER_DESCENDING;
    query.order_by = column;
  }
  char *token = data[1] & 1 ? forge(store, kind, &query, data + 2, size - 2) : copy_of(data + 2, size - 2);
  if (token) {
    walk(store, kind, &query, token);
  }
  free(token);
  return 0;
}
