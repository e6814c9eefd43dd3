/* What the core's files share; nothing here is part of the API. */
#ifndef DOORSILL_INTERNAL_H
#define DOORSILL_INTERNAL_H

#include <string.h>

#include "doorsill.h"

#define DOORSILL_LANES 16 /* rows that the box filter takes at a time, on every processor */

/* What the column box of 16 rows needs to know; filter.c explains the filter. */
typedef struct doorsill_band {
  uint32_t rows;     /* lanes in use; the kernel zeroes the others on their way out */
  float *sums;       /* by column: the running sum over rows */
  float *ring[16];   /* by lane: the row that left the window, to be replaced by this one */
  float count[16];   /* by lane: how many rows the window holds, */
  float inverse[16]; /* and 1 divided by that */
} doorsill_band;

/* What is looked for in a plane: the first 16 bytes of each of `count` hashes, `stride` bytes
 * apart, and up to how many bits away. */
typedef struct doorsill_queries {
  const uint8_t *hashes;
  size_t stride, count;
  uint32_t radius;
} doorsill_queries;

/* A row, and how far it is. */
typedef struct doorsill_near {
  uint32_t row, distance;
} doorsill_near;

/* How many bits are set. Compilers know this shape and use the processor's count if it has one. */
static inline uint32_t doorsill_bits(uint64_t v) {
  v -= v >> 1 & 0x5555555555555555u;
  v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
  v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return (uint32_t)((v * 0x0101010101010101u) >> 56);
}

/* The number of the lowest bit that is set. */
static inline uint32_t doorsill_lowest(uint64_t mask) {
#if defined(__GNUC__)
  return (uint32_t)__builtin_ctzll(mask);
#else
  return doorsill_bits((mask & (0 - mask)) - 1);
#endif
}

/* The portable `confirm`, which other kernels compile for a processor that counts bits. */
static inline size_t doorsill_confirm(const uint8_t *const *planes, size_t count,
                                      const uint8_t *query, uint32_t radius, doorsill_near *rows,
                                      size_t n) {
  size_t near = 0;
  for (size_t i = 0; i < n; i++) {
    const uint32_t row = rows[i].row;
    uint32_t distance = 0;
    for (size_t plane = 0; plane < count; plane++) {
      uint64_t a[2], b[2];
      memcpy(a, planes[plane] + (size_t)16 * row, sizeof a);
      memcpy(b, query + 16 * plane, sizeof b);
      distance += doorsill_bits(a[0] ^ b[0]) + doorsill_bits(a[1] ^ b[1]);
    }
    /* Whether a candidate stays cannot be foreseen, so there is nothing to branch on. */
    rows[near].row = row;
    rows[near].distance = distance;
    near += distance <= radius;
  }
  return near;
}

/* `near_rows` by a function that answers one query and tells whether any bit is set. */
static inline int doorsill_one_by_one(uint64_t (*near_one)(const uint8_t *, size_t, const uint8_t *,
                                                           uint32_t, uint64_t *),
                                      const uint8_t *plane, size_t blocks,
                                      const doorsill_queries *queries, uint64_t *masks) {
  uint64_t any = 0;
  for (size_t query = 0; query < queries->count; query++)
    any |= near_one(plane, blocks, queries->hashes + queries->stride * query, queries->radius,
                    masks + blocks * query);
  return any != 0;
}

/* The hot loops, one file for each instruction set. The portable one is the truth: every
 * other must give the same bits, which tests/native/test_kernels.c checks. */
typedef struct doorsill_kernels {
  const char *name;
  /* Bit i of masks[q * blocks + b] says that row 64 * b + i of the plane (16 bytes a row) is
   * within the radius of query q. Returns whether any is. */
  int (*near_rows)(const uint8_t *plane, size_t blocks, const doorsill_queries *queries,
                   uint64_t *masks);
  /* Keeps those of `n` rows, in order, that are near over all planes, and says how many. */
  size_t (*confirm)(const uint8_t *const *planes, size_t count, const uint8_t *query,
                    uint32_t radius, doorsill_near *rows, size_t n);
  /* Luma in profile full of `n` pixels of one row. */
  void (*luma)(const uint8_t *pixels, size_t n, uint32_t format, uint32_t ground, float *luma);
  /* Luma in profile cpp512 of `n` pixels (a multiple of 16) that begin at these bytes of a row, red
   * or blue first, and of which a fourth byte can be read. */
  void (*sampled)(const uint8_t *row, const uint32_t *at, size_t n, int bgr, float *luma);
  /* 16 rows, `pitch` floats apart, to columns of 16 lanes; n is a multiple of 16. */
  void (*columns)(const float *rows, size_t pitch, size_t n, float *x);
  /* The box filter over n more columns (a multiple of 16). The row box: sum += x[i + window], then
   * -= x[i], divided by count[i], or 0 where inverse[i] is, which else is 1 / count[i]. Then the
   * column box. Its results go to second[window + i], from which the second row box leaves its
   * sums in second[i], for second_sum += second[i + window], then -= second[i]. */
  void (*box)(const doorsill_band *band, size_t column, size_t n, size_t window, const float *x,
              const float *count, const float *inverse, float sum[16], float *second,
              float second_sum[16]);
} doorsill_kernels;

/* Each is NULL where the build or the processor lacks it. */
const doorsill_kernels *doorsill_kernels_portable(void);
const doorsill_kernels *doorsill_kernels_avx2(void);
const doorsill_kernels *doorsill_kernels_avx512(void);
const doorsill_kernels *doorsill_kernels_neon(void);

/* doorsill_has_alpha of pixels that have been checked. luma.c */
int doorsill_sees_through(const doorsill_pixels *pixels);

/* Zeroes memory in a way that the compiler does not leave out. */
void doorsill_wipe(void *memory, size_t size);

/* The ones in use. */
const doorsill_kernels *doorsill_kernels_now(void);

/* How bright a ground is; DOORSILL_ALPHA_IGNORED never gets this far. */
static inline uint32_t doorsill_level(uint32_t ground) {
  return ground == DOORSILL_WHITE ? 255 : ground == DOORSILL_MID_GRAY ? 128 : 0;
}

#endif
