/* Searching a list: a scan of the first plane finds candidates, the other planes confirm.
 *
 * The distance over one plane is never more than over all, so no row is missed. */
#include <string.h>

#include "list.h"

/* Rows that stay in the first-level cache while every query passes over them. */
enum { BLOCK = 64, RUN = 16 * BLOCK };

void doorsill_pdq_planes(const uint8_t *hashes, size_t count, uint8_t *plane1, uint8_t *plane2) {
  for (; count; count--, hashes += DOORSILL_PDQ_BYTES, plane1 += 16, plane2 += 16) {
    uint32_t at = 0;
    memset(plane1, 0, 16);
    memset(plane2, 0, 16);
    /* Frequencies from low to high: ring by ring of max(row, column), each in index order. */
    for (uint32_t ring = 0; ring < 16; ring++) {
      for (uint32_t i = 0; i <= 2 * ring; i++, at++) {
        const uint32_t row = i < ring ? i : ring, column = i < ring ? ring : i - ring;
        const uint32_t bit = 255 - (16 * row + column); /* the hash is stored back to front */
        const uint8_t set = hashes[bit / 8] >> (7 - bit % 8) & 1;
        uint8_t *plane = at < 128 ? plane2 : plane1;
        plane[at % 128 / 8] |= (uint8_t)(set << (7 - at % 8));
      }
    }
  }
}

static inline uint32_t plane_distance(const uint8_t *a, const uint8_t *b) {
  uint64_t x[2], y[2];
  memcpy(x, a, sizeof x);
  memcpy(y, b, sizeof y);
  return doorsill_bits(x[0] ^ y[0]) + doorsill_bits(x[1] ^ y[1]);
}

uint32_t doorsill_row_distance(const doorsill_rows *rows, const uint8_t *query, uint32_t row) {
  uint32_t distance = 0;
  for (uint32_t plane = 0; plane < rows->info.width / 128u; plane++)
    distance += plane_distance(rows->planes[plane].data + (size_t)DOORSILL_PLANE_BYTES * row,
                               query + (size_t)DOORSILL_PLANE_BYTES * plane);
  return distance;
}

typedef struct scan {
  const doorsill_rows *rows;
  const uint8_t *queries;
  size_t count;
  uint32_t radius;
  doorsill_on_hit *hit;
  void *context;
} scan;

/* The rows whose bits are set, numbered from `first`. Fetches what they are confirmed by: where a
 * tenth of a list are near-duplicates of a query's neighbour, waiting for it took most of the time.
 */
static size_t candidates(const doorsill_rows *rows, uint32_t first, const uint64_t *masks,
                         size_t blocks, doorsill_near *found) {
  size_t n = 0;
  for (size_t b = 0; b < blocks; b++, first += BLOCK)
    for (uint64_t mask = masks[b]; mask; mask &= mask - 1) {
      const uint32_t row = first + doorsill_lowest(mask);
#if defined(__GNUC__)
      for (uint32_t plane = 1; plane < rows->info.width / 128u; plane++)
        __builtin_prefetch(rows->planes[plane].data + (size_t)DOORSILL_PLANE_BYTES * row);
#endif
      found[n++].row = row;
    }
  return n;
}

/* Scans whole blocks of 64 rows; `valid` is how many rows of the last one exist. */
static void scan_blocks(const scan *s, const uint8_t *plane, uint32_t first, size_t blocks,
                        uint32_t valid) {
  const doorsill_queries queries = {s->queries, s->rows->info.width / 8u, s->count, s->radius};
  uint64_t masks[DOORSILL_MAX_QUERIES * RUN / BLOCK];
  const doorsill_kernels *kernels = doorsill_kernels_now();
  if (!kernels->near_rows(plane, blocks, &queries, masks)) return;
  const uint8_t *planes[DOORSILL_MAX_PLANES];
  for (size_t i = 0; i < DOORSILL_MAX_PLANES; i++) planes[i] = s->rows->planes[i].data;
  for (uint32_t query = 0; query < s->count; query++) {
    uint64_t *own = masks + blocks * query;
    if (valid < BLOCK) own[blocks - 1] &= ((uint64_t)1 << valid) - 1;
    doorsill_near near[RUN];
    const size_t n =
        kernels->confirm(planes, s->rows->info.width / 128u, s->queries + queries.stride * query,
                         s->radius, near, candidates(s->rows, first, own, blocks, near));
    for (size_t i = 0; i < n; i++) s->hit(s->context, near[i].row, query, near[i].distance);
  }
}

void doorsill_scan(const doorsill_rows *rows, const uint8_t *queries, size_t count, uint32_t radius,
                   doorsill_on_hit *hit, void *context) {
  const scan s = {rows, queries, count, radius, hit, context};
  const uint8_t *plane = rows->planes[0].data;
  uint32_t row = 0;
  for (uint32_t left = rows->info.rows; left >= BLOCK; left = rows->info.rows - row) {
    const size_t blocks = left >= RUN ? RUN / BLOCK : left / BLOCK;
    scan_blocks(&s, plane + (size_t)DOORSILL_PLANE_BYTES * row, row, blocks, BLOCK);
    row += (uint32_t)(blocks * BLOCK);
  }
  if (row < rows->info.rows) {
    uint8_t tail[BLOCK * DOORSILL_PLANE_BYTES] = {0};
    const uint32_t valid = rows->info.rows - row;
    memcpy(tail, plane + (size_t)DOORSILL_PLANE_BYTES * row, (size_t)DOORSILL_PLANE_BYTES * valid);
    scan_blocks(&s, tail, row, 1, valid);
  }
}

typedef struct nearest {
  const doorsill_rows *rows;
  doorsill_hit *hits;
  size_t capacity, found;
} nearest;

static int is_before(const doorsill_hit *a, const doorsill_hit *b) {
  if (a->distance != b->distance) return a->distance < b->distance;
  if (a->row != b->row) return a->row < b->row;
  return a->query < b->query;
}

static void keep(void *context, uint32_t row, uint32_t query, uint32_t distance) {
  nearest *n = context;
  size_t at = n->found < n->capacity ? n->found : n->capacity;
  n->found++;
  if (at && at == n->capacity && distance > n->hits[at - 1].distance) return;
  const doorsill_hit hit = {row, doorsill_row_entry(n->rows, row), (uint16_t)query,
                            (uint16_t)distance};
  if (at == n->capacity) {
    if (at == 0 || !is_before(&hit, &n->hits[at - 1])) return;
    at--;
  }
  for (; at && is_before(&hit, &n->hits[at - 1]); at--) n->hits[at] = n->hits[at - 1];
  n->hits[at] = hit;
}

doorsill_status doorsill_search(const doorsill_list *list, uint32_t index, const uint8_t *queries,
                                size_t count, uint32_t radius, doorsill_hit *hits, size_t capacity,
                                size_t *found) {
  if (!list || index >= list->info.hashers || count > DOORSILL_MAX_QUERIES || (count && !queries) ||
      (capacity && !hits) || !found)
    return DOORSILL_BAD_ARGUMENT;
  const doorsill_rows *rows = &list->rows[index];
  const size_t bytes = rows->info.width / 8u;
  if (radius > rows->info.width / 4u) return DOORSILL_BAD_ARGUMENT;
  uint8_t planes[DOORSILL_MAX_QUERIES * DOORSILL_MAX_WIDTH / 8];
  if (rows->is_pdq) {
    for (size_t i = 0; i < count; i++)
      doorsill_pdq_planes(queries + bytes * i, 1, planes + bytes * i, planes + bytes * i + 16);
  } else if (count) {
    memcpy(planes, queries, bytes * count);
  }
  nearest n = {rows, hits, capacity, 0};
  doorsill_scan(rows, planes, count, radius, keep, &n);
  doorsill_wipe(planes, sizeof planes);
  *found = n.found;
  return DOORSILL_OK;
}
