/* The hot loops in plain C: what every other kernel must give bit for bit, and what runs where
 * there is none. Inner loops go over 16 lanes, a shape that compilers make vectors of. */
#include <string.h>

#include "exact.h"
#include "filter.h"

static uint64_t near_one(const uint8_t *plane, size_t blocks, const uint8_t query[16],
                         uint32_t radius, uint64_t *masks) {
  uint64_t any = 0;
  uint64_t q[2];
  memcpy(q, query, sizeof q);
  for (size_t block = 0; block < blocks; block++) {
    uint64_t mask = 0;
    for (uint32_t row = 0; row < 64; row++, plane += 16) {
      uint64_t p[2];
      memcpy(p, plane, sizeof p);
      const uint64_t a = p[0] ^ q[0], b = p[1] ^ q[1];
      /* Never more than the distance, and of unrelated rows one in a million gets below 32. */
      if (doorsill_bits(a | b) > radius) continue;
      mask |= (uint64_t)(doorsill_bits(a) + doorsill_bits(b) <= radius) << row;
    }
    masks[block] = mask;
    any |= mask;
  }
  return any;
}

static int near_rows(const uint8_t *plane, size_t blocks, const doorsill_queries *queries,
                     uint64_t *masks) {
  return doorsill_one_by_one(near_one, plane, blocks, queries, masks);
}

static void columns(const float *rows, size_t pitch, size_t n, float *restrict x) {
  for (size_t i = 0; i < n; i++)
    for (size_t lane = 0; lane < DOORSILL_LANES; lane++)
      x[DOORSILL_LANES * i + lane] = rows[pitch * lane + i];
}

/* One more column of a row box: what comes in, then what leaves. */
static void slide(float *restrict sum, const float *restrict in, const float *restrict leaves) {
  for (size_t lane = 0; lane < DOORSILL_LANES; lane++) {
    sum[lane] += in[lane];
    sum[lane] -= leaves[lane];
  }
}

/* 16 columns at a time: the row box of all 16 rows, turned, the column box, turned back. */
static void box(const doorsill_band *band, size_t column, size_t n, size_t window, const float *x,
                const float *count, const float *inverse, float sum[DOORSILL_LANES], float *second,
                float second_sum[DOORSILL_LANES]) {
  enum { TILE = DOORSILL_LANES * DOORSILL_LANES };
  const size_t ahead = DOORSILL_LANES * window;
  for (size_t i = 0; i < n; i += DOORSILL_LANES, x += TILE, second += TILE) {
    float tile[DOORSILL_LANES][DOORSILL_LANES], s[DOORSILL_LANES], mean[DOORSILL_LANES];
    for (size_t j = 0; j < DOORSILL_LANES; j++) {
      slide(sum, x + DOORSILL_LANES * j + ahead, x + DOORSILL_LANES * j);
      for (size_t lane = 0; lane < DOORSILL_LANES; lane++) mean[lane] = sum[lane] / count[i + j];
      for (size_t lane = 0; lane < DOORSILL_LANES; lane++)
        tile[lane][j] = inverse[i + j] != 0 ? mean[lane] : 0;
    }
    memcpy(s, band->sums + column + i, sizeof s);
    for (size_t lane = 0; lane < band->rows; lane++) {
      float *ring = band->ring[lane] + column + i;
      slide(s, tile[lane], ring);
      memcpy(ring, tile[lane], sizeof s);
      for (size_t j = 0; j < DOORSILL_LANES; j++) tile[lane][j] = s[j] / band->count[lane];
    }
    memcpy(band->sums + column + i, s, sizeof s);
    for (size_t lane = band->rows; lane < DOORSILL_LANES; lane++) memset(tile[lane], 0, sizeof s);
    columns(tile[0], DOORSILL_LANES, DOORSILL_LANES, second + ahead);
    for (size_t j = 0; j < DOORSILL_LANES; j++) {
      float *leaves = second + DOORSILL_LANES * j;
      slide(second_sum, leaves + ahead, leaves);
      memcpy(leaves, second_sum, sizeof s);
    }
  }
}

const doorsill_kernels *doorsill_kernels_portable(void) {
  static const doorsill_kernels kernels = {
      "portable", near_rows, doorsill_confirm, doorsill_luma_full, doorsill_sampled, columns, box};
  return &kernels;
}
