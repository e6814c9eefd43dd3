/* An open hash list as the core's other files see it; list.c fills it. */
#ifndef DOORSILL_LIST_H
#define DOORSILL_LIST_H

#include "internal.h"

enum {
  DOORSILL_MAX_PLANES = DOORSILL_MAX_WIDTH / 128,
  DOORSILL_PLANE_BYTES = 16,
  DOORSILL_MAX_QUERIES = DOORSILL_PROFILES * DOORSILL_ORIENTATIONS
};

typedef struct doorsill_section {
  const uint8_t *data; /* NULL where the file has no such section */
  uint64_t length;
} doorsill_section;

typedef struct doorsill_rows {
  doorsill_hasher_info info;
  doorsill_section planes[DOORSILL_MAX_PLANES];
  doorsill_section entries; /* u32 a row, never falling; absent where row i is entry i */
  int is_pdq;
} doorsill_rows;

struct doorsill_list {
  doorsill_list_info info;
  doorsill_rows rows[DOORSILL_MAX_HASHERS];
  doorsill_section entry_classes; /* u16 */
  doorsill_section entry_ids;     /* 6 bytes */
  doorsill_section classes;       /* 16 bytes */
  doorsill_section texts;         /* 24 bytes */
  doorsill_section text_bytes;
  doorsill_section digest_keys[DOORSILL_DIGESTS];
  doorsill_section digest_entries[DOORSILL_DIGESTS];
  doorsill_section withdrawn;
  void *owned; /* the file's bytes, if the list read them itself */
  size_t owned_size;
};

/* Little-endian fields, at any alignment. */
static inline uint32_t doorsill_u16(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static inline uint32_t doorsill_u32(const uint8_t *p) {
  return doorsill_u16(p) | doorsill_u16(p + 2) << 16;
}
static inline uint64_t doorsill_u64(const uint8_t *p) {
  return (uint64_t)doorsill_u32(p) | (uint64_t)doorsill_u32(p + 4) << 32;
}

static inline uint32_t doorsill_row_entry(const doorsill_rows *rows, uint32_t row) {
  return rows->entries.data ? doorsill_u32(rows->entries.data + 4 * (size_t)row) : row;
}

/* The first row of this entry or a later one; info.rows if there is none. */
uint32_t doorsill_first_row(const doorsill_rows *rows, uint32_t entry);

/* The first row of the sorted digests that is not before `key`. */
uint32_t doorsill_first_digest(const doorsill_list *list, uint32_t kind, const uint8_t *key);
/* Whether there is such a row, and it holds `key`. */
int doorsill_is_digest(const doorsill_list *list, uint32_t kind, uint32_t row, const uint8_t *key);
extern const uint8_t doorsill_digest_bytes[DOORSILL_DIGESTS];

/* NULL if these texts keep the rules of FORMAT.md, else what is wrong. */
const char *doorsill_check_texts(const doorsill_list *list);

/* Calls `hit` for every row within `radius` of one of at most DOORSILL_MAX_QUERIES queries. They
 * are in plane order, all planes of one behind another. */
typedef void doorsill_on_hit(void *context, uint32_t row, uint32_t query, uint32_t distance);
void doorsill_scan(const doorsill_rows *rows, const uint8_t *queries, size_t count, uint32_t radius,
                   doorsill_on_hit *hit, void *context);

/* The distance of a query in plane order to one row. */
uint32_t doorsill_row_distance(const doorsill_rows *rows, const uint8_t *query, uint32_t row);

#endif
