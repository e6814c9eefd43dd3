/* The hot loops in plain C: what every other kernel must give bit for bit, and what runs where
 * there is none. Inner loops go over 16 lanes, a shape that compilers make vectors of. */
#include <string.h>

#include "exact.h"
#include "filter.h"

static void near_rows(const uint8_t *plane, size_t blocks, const uint8_t query[16], uint32_t radius,
                      uint64_t *masks) {
  uint64_t q[2];
  memcpy(q, query, sizeof q);
  for (size_t block = 0; block < blocks; block++) {
    uint64_t mask = 0;
    for (uint32_t row = 0; row < 64; row++, plane += 16) {
      uint64_t p[2];
      memcpy(p, plane, sizeof p);
      const uint32_t distance = doorsill_bits(p[0] ^ q[0]) + doorsill_bits(p[1] ^ q[1]);
      mask |= (uint64_t)(distance <= radius) << row;
    }
    masks[block] = mask;
  }
}

static void columns(const float *rows, size_t pitch, size_t n, float *restrict x) {
  for (size_t i = 0; i < n; i++)
    for (size_t lane = 0; lane < DOORSILL_LANES; lane++)
      x[DOORSILL_LANES * i + lane] = rows[pitch * lane + i];
}

static void run(const float *x, size_t window, size_t n, float sum[DOORSILL_LANES]) {
  float s[DOORSILL_LANES];
  memcpy(s, sum, sizeof s);
  for (; n; n--, x += DOORSILL_LANES)
    for (size_t lane = 0; lane < DOORSILL_LANES; lane++) {
      s[lane] += x[DOORSILL_LANES * window + lane];
      s[lane] -= x[lane];
    }
  memcpy(sum, s, sizeof s);
}

/* 16 columns at a time: the row box of all 16 rows, turned, the column box, turned back. */
static void box(const doorsill_band *band, size_t column, const float *x, size_t window, size_t n,
                const float *count, const float *inverse, float sum[DOORSILL_LANES],
                float *restrict out) {
  (void)inverse;
  for (size_t i = 0; i < n; i += DOORSILL_LANES, x += 256, out += 256) {
    float turned[DOORSILL_LANES][DOORSILL_LANES] = {{0}};
    for (size_t j = 0; j < DOORSILL_LANES; j++) {
      run(x + DOORSILL_LANES * j, window, 1, sum);
      for (size_t lane = 0; lane < DOORSILL_LANES; lane++)
        turned[lane][j] = sum[lane] / count[i + j];
    }
    float *sums = band->sums + column + i;
    float s[DOORSILL_LANES];
    memcpy(s, sums, sizeof s);
    for (size_t lane = 0; lane < band->rows; lane++) {
      float *ring = band->ring[lane] + column + i, *row = turned[lane];
      for (size_t j = 0; j < DOORSILL_LANES; j++) {
        s[j] += row[j];
        s[j] -= ring[j];
        ring[j] = row[j];
        row[j] = s[j] / band->count[lane];
      }
    }
    memcpy(sums, s, sizeof s);
    memset(turned[band->rows], 0, (DOORSILL_LANES - band->rows) * sizeof turned[0]);
    columns(turned[0], DOORSILL_LANES, DOORSILL_LANES, out);
  }
}

const doorsill_kernels *doorsill_kernels_portable(void) {
  static const doorsill_kernels kernels = {"portable", near_rows, doorsill_luma_full,
                                           columns,    run,       box};
  return &kernels;
}
