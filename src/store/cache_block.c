/* store/cache_block.c -- rows in one block of memory that does not mind where it lies, and results out of it. */
#include "base/prologue.h"

#include "store/cache_entries.h"
#include "store/result.h"

#include <string.h>

#if !defined(KECS_STORE_NO_CACHE)

#define KECS__CACHE_ALIGN(size) (((size) + 15) & ~(size_t)15)

/* ---- names ---- */

static size_t kecs__name_size(const kecs__cache_key *key) {
  size_t size = sizeof(kecs__cache_name);
  for (int i = 0; i < key->count; i++) {
    size += sizeof(int64_t) + (key->values[i].type == KECS_VALUE_TEXT ? key->values[i].len : 0);
  }
  return size;
}

/* Each value is a number, of a text its length, and the text. NULL has a length that no text has. */
static int64_t kecs__name_number(const kecs_value *value) {
  return value->type == KECS_VALUE_TEXT ? (int64_t)value->len : value->type == KECS_VALUE_NULL ? -1 : value->number;
}

static void kecs__name_fill(kecs__cache_name *name, const kecs__cache_key *key, size_t size) {
  char *at = (char *)(name + 1);
  memset(name, 0, sizeof *name);
  name->hash = key->hash;
  name->size = size;
  name->kind = key->kind;
  name->form = key->form;
  name->count = key->count;
  for (int i = 0; i < key->count; i++) {
    const kecs_value *value = &key->values[i];
    int64_t number = kecs__name_number(value);
    memcpy(at, &number, sizeof number);
    at += sizeof number;
    if (value->type == KECS_VALUE_TEXT) {
      memcpy(at, value->text, value->len);
      at += value->len;
    }
  }
}

KECS__FN bool kecs__cache_name_is(const kecs__cache_name *name, const kecs__cache_key *key) {
  const char *at = (const char *)(name + 1);
  if (name->hash != key->hash || name->kind != key->kind || name->form != key->form || name->count != key->count) {
    return false;
  }
  for (int i = 0; i < key->count; i++) {
    const kecs_value *value = &key->values[i];
    int64_t number = kecs__name_number(value);
    if (memcmp(at, &number, sizeof number) != 0) {
      return false;
    }
    at += sizeof number;
    if (value->type == KECS_VALUE_TEXT) {
      if (memcmp(at, value->text, value->len) != 0) {
        return false;
      }
      at += value->len;
    }
  }
  return true;
}

/* Memory for what may as well be left out: no error is recorded. */
static void *kecs__cache_alloc(const kecs__cache *cache, size_t size) {
  const kecs_allocator *allocator = &cache->engine->allocator;
  return allocator->alloc(size, allocator->user);
}

KECS__FN kecs__cache_name *kecs__cache_name_new(const kecs__cache *cache, const kecs__cache_key *key) {
  size_t size = kecs__name_size(key);
  kecs__cache_name *name = kecs__cache_alloc(cache, size);
  if (name) {
    kecs__name_fill(name, key, size);
  }
  return name;
}

/* ---- rows ---- */

static const char *kecs__field_text(const char *row, size_t offset) {
  const char *text;
  memcpy(&text, row + offset, sizeof text);
  return text;
}

/* The lengths of the texts of the last row, with their ends; 0 for NULL. */
typedef struct kecs__image_sizes {
  size_t fields;
  size_t texts[64];
} kecs__image_sizes;

static size_t kecs__image_size(const kecs__meta *meta, const kecs_result *result, kecs__image_sizes *out_sizes) {
  size_t size = result->count * result->row_size;
  out_sizes->fields = result->count;
  for (size_t r = 0; r < result->count; r++) {
    for (int i = 0; i < meta->text_count; i++) {
      const char *text = kecs__field_text(result->rows + r * result->row_size, meta->texts[i]);
      out_sizes->texts[i] = text ? strlen(text) + 1 : 0;
      size += out_sizes->texts[i];
      out_sizes->fields += text != NULL;
    }
  }
  return size + (result->page_token ? strlen(result->page_token) + 1 : 0);
}

static void kecs__image_fill(char *image, uint16_t *fields, const kecs__meta *meta, const kecs_result *result,
                             const kecs__image_sizes *sizes, size_t *out_token_at) {
  size_t at = result->count * result->row_size;
  *out_token_at = 0;
  if (at > 0) {
    memcpy(image, result->rows, at);
  }
  for (size_t r = 0; r < result->count; r++) {
    char *row = image + r * result->row_size;
    uint16_t *count = fields++;
    *count = 0;
    for (int i = 0; i < meta->text_count; i++) {
      const char *text = kecs__field_text(row, meta->texts[i]);
      if (text) {
        uintptr_t place = (uintptr_t)at;
        size_t size = result->count == 1 ? sizes->texts[i] : strlen(text) + 1;
        memcpy(row + meta->texts[i], &place, sizeof place);
        memcpy(image + at, text, size);
        at += size;
        *fields++ = meta->texts[i];
        ++*count;
      }
    }
  }
  if (result->page_token) {
    *out_token_at = at;
    memcpy(image + at, result->page_token, strlen(result->page_token) + 1);
  }
}

KECS__FN kecs__cache_name *kecs__cache_block_name(kecs__cache_block *block) {
  return (kecs__cache_name *)(void *)((char *)block + KECS__CACHE_ALIGN(sizeof *block));
}

KECS__FN kecs__cache_block *kecs__cache_pack(const kecs__cache *cache, const kecs__meta *meta,
                                             const kecs__cache_key *key, const kecs_result *result, size_t most) {
  kecs__image_sizes sizes;
  size_t image_size = kecs__image_size(meta, result, &sizes);
  size_t fields_at = KECS__CACHE_ALIGN(KECS__CACHE_ALIGN(sizeof(kecs__cache_block)) + kecs__name_size(key));
  size_t image_at = KECS__CACHE_ALIGN(fields_at + sizes.fields * sizeof(uint16_t));
  kecs__cache_block *block = NULL;
  if (image_at + image_size <= most) {
    block = kecs__cache_alloc(cache, image_at + image_size);
  }
  if (!block) {
    return NULL;
  }
  block->size = image_at + image_size;
  block->fields_at = fields_at;
  block->image_at = image_at;
  block->image_size = image_size;
  block->rows = result->count;
  block->seq = result->seq;
  kecs__name_fill(kecs__cache_block_name(block), key, 0);
  kecs__image_fill((char *)block + image_at, (uint16_t *)(void *)((char *)block + fields_at), meta, result, &sizes,
                   &block->token_at);
  return block;
}

KECS__FN kecs_status kecs__cache_unpack(const kecs__cache *cache, const kecs__meta *meta,
                                        const kecs__cache_block *block, kecs_result **out_result) {
  size_t row_size = meta->info->row_size;
  kecs_status status = kecs__result_whole(&cache->engine->allocator, meta->info->kind, row_size, block->rows,
                                          block->image_size, out_result);
  if (status) {
    return status;
  }
  kecs_result *result = *out_result;
  char *image = result->rows;
  if (block->image_size > 0) {
    memcpy(image, (const char *)block + block->image_at, block->image_size);
  }
  const uint16_t *fields = (const uint16_t *)(const void *)((const char *)block + block->fields_at);
  for (size_t r = 0; r < block->rows; r++) {
    char *row = image + r * row_size;
    for (int left = *fields++; left > 0; left--) {
      char *field = row + *fields++;
      uintptr_t place;
      memcpy(&place, field, sizeof place);
      place += (uintptr_t)image;
      memcpy(field, &place, sizeof place);
    }
  }
  result->page_token = block->token_at ? image + block->token_at : NULL;
  result->seq = block->seq;
  return KECS_OK;
}

#endif
