/* The blur and reduction of a picture to 64x64, fed with rows in order. */
#ifndef DOORSILL_FILTER_H
#define DOORSILL_FILTER_H

#include "exact.h"
#include "internal.h"

enum {
  DOORSILL_GRID = 64,        /* PDQ's reduced picture */
  DOORSILL_CHUNK = 128,      /* columns handled at a time, so that they stay in the first cache */
  DOORSILL_SUBSAMPLED = 512, /* profile cpp512: both sides of a picture that had a larger one */
  DOORSILL_LEAST_SIDE = 5    /* a picture with a shorter side has no hash */
};

/* One direction of the box filter. Output o is the mean over inputs o - (window - half) up to
 * o + half - 1, as far as they exist. */
typedef struct doorsill_axis {
  int32_t size;
  int32_t window;
  int32_t half;
} doorsill_axis;

typedef struct doorsill_filter {
  doorsill_axis x, y;
  size_t pitch;       /* columns that run through: the width and half a window, to whole lanes */
  size_t left, alike; /* columns whose windows are cut at the left, whole chunks; and those within,
                       * from there on, of which one more chunk stands for all */
  float *count;       /* of the others by column: how many the mean has, */
  float *inverse;     /* and 1 divided by that, 0 outside of the picture */
  float *ring;        /* first pass: the last `window` rows */
  float *sums;        /* first pass: running sum of every column */
  float *second_ring; /* second pass, the 64 columns alone */
  float *second_sums;
  float *grid;         /* 64x64, the result */
  int32_t rows;        /* that came in, padding below the picture among them */
  int32_t second_rows; /* that the second pass has taken */
  int32_t grid_rows;   /* that are done */
} doorsill_filter;

/* Working memory that holds nothing from one block of rows to the next. */
typedef struct doorsill_scratch {
  float *first;  /* columns of 16 lanes: the first row box reads here, */
  float *second; /* and the second one here */
  float *rows;   /* 16 rows of a piece, before they are columns */
  float *found;  /* the 64 columns kept */
} doorsill_scratch;

/* Up to 16 rows: luma, or pixels where `luma` is NULL. */
typedef struct doorsill_rows_in {
  const float *luma;
  size_t pitch;
  const uint8_t *pixels;
  ptrdiff_t stride;
  uint32_t format;
  uint32_t ground;
  uint32_t count;
} doorsill_rows_in;

/* Hands out aligned pieces of a workspace, or only counts them where `base` is NULL. */
typedef struct doorsill_arena {
  uint8_t *base;
  size_t used;
} doorsill_arena;
void *doorsill_take(doorsill_arena *arena, size_t bytes);

/* Both take their memory from the arena; the filter's is zeroed. */
void doorsill_filter_init(doorsill_filter *filter, uint32_t width, uint32_t height,
                          doorsill_arena *arena);
void doorsill_scratch_init(doorsill_scratch *scratch, const doorsill_filter *a,
                           const doorsill_filter *b, doorsill_arena *arena);

/* Zero what either has held of a picture; of the second, what filters of that shape leave. */
void doorsill_filter_wipe(doorsill_filter *filter);
void doorsill_scratch_wipe(const doorsill_scratch *scratch, const doorsill_filter *a,
                           const doorsill_filter *b);

void doorsill_filter_rows(doorsill_filter *filter, const doorsill_kernels *kernels,
                          const doorsill_scratch *scratch, const doorsill_rows_in *in);
/* After the last row: lets what is still inside come out. */
void doorsill_filter_flush(doorsill_filter *filter, const doorsill_kernels *kernels,
                           const doorsill_scratch *scratch);

/* luma.c */
uint32_t doorsill_pixel_bytes(uint32_t format); /* 0 if there is no such format */
void doorsill_luma_full(const uint8_t *pixels, size_t n, uint32_t format, uint32_t ground,
                        float *luma);

/* Where profile cpp512 finds the pixels of a row. */
typedef struct doorsill_samples {
  uint32_t count;
  uint32_t plain; /* so many from the first on are what the kernel's `sampled` takes */
  uint32_t at[DOORSILL_SUBSAMPLED];
} doorsill_samples;
/* `count` pixels of `width`, by nearest index. */
void doorsill_samples_init(doorsill_samples *samples, uint32_t count, uint32_t width,
                           uint32_t format);
/* A row in profile cpp512. */
void doorsill_luma_512(const doorsill_kernels *kernels, const doorsill_samples *samples,
                       const uint8_t *row, uint32_t format, uint32_t ground, float *luma);

/* Profile cpp512: float throughout, from left to right. */
static inline float doorsill_weigh_512(uint32_t r, uint32_t g, uint32_t b) {
  return 0.299f * (float)(int32_t)r + 0.587f * (float)(int32_t)g + 0.114f * (float)(int32_t)b;
}

/* The portable `sampled`, which other kernels compile for wider vectors. Processors are slower at
 * gathering than at loading one by one; the trip counts are a shape that compilers know. */
static inline void doorsill_sampled(const uint8_t *row, const uint32_t *at, size_t n, int bgr,
                                    float *luma) {
  const uint32_t red = bgr ? 16 : 0;
  for (size_t i = 0; i < n; i += DOORSILL_LANES, at += DOORSILL_LANES, luma += DOORSILL_LANES) {
    uint32_t v[DOORSILL_LANES];
    for (size_t k = 0; k < DOORSILL_LANES; k++) memcpy(&v[k], row + at[k], sizeof v[k]);
    for (size_t k = 0; k < DOORSILL_LANES; k++)
      luma[k] = doorsill_weigh_512(v[k] >> red & 255, v[k] >> 8 & 255, v[k] >> (16 - red) & 255);
  }
}

/* dct.c */
void doorsill_dct(const float *grid, uint8_t hash[8][32], uint8_t *quality);
void doorsill_coefficients(const float *grid, float *c); /* 16 rows of 16 */
float doorsill_lower_median(const float *c);             /* of these 256 */

/* margins.c */
void doorsill_dct_margins(const float *grid, uint8_t sets[4][DOORSILL_MARGINS]);

#endif
