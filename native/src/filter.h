/* The blur and reduction of a picture to 64x64, fed with rows in order. */
#ifndef DOORSILL_FILTER_H
#define DOORSILL_FILTER_H

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
  float *first;   /* columns of 16 lanes: the first row box reads here, */
  float *second;  /* and the second one here */
  float *rows;    /* 16 rows of a chunk, before they are columns */
  float *found;   /* the 64 columns kept */
  float *count;   /* of a chunk's columns, */
  float *inverse; /* and 1 divided by it */
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

void doorsill_filter_rows(doorsill_filter *filter, const doorsill_kernels *kernels,
                          const doorsill_scratch *scratch, const doorsill_rows_in *in);
/* After the last row: lets what is still inside come out. */
void doorsill_filter_flush(doorsill_filter *filter, const doorsill_kernels *kernels,
                           const doorsill_scratch *scratch);

/* luma.c */
uint32_t doorsill_pixel_bytes(uint32_t format); /* 0 if there is no such format */
void doorsill_luma_full(const uint8_t *pixels, size_t n, uint32_t format, uint32_t ground,
                        float *luma);

/* The shares of a pixel's bytes in its luma in profile cpp512. */
typedef struct doorsill_weights {
  float r[256], g[256], b[256];
} doorsill_weights;
void doorsill_weights_init(doorsill_weights *weights);
/* A row in profile cpp512: `n` luma values from a row of `width` pixels, by nearest index. */
void doorsill_luma_512(const doorsill_weights *weights, const uint8_t *pixels, uint32_t width,
                       uint32_t format, uint32_t ground, float *luma, uint32_t n);

/* dct.c */
void doorsill_dct(const float *grid, uint8_t hash[8][32], uint8_t *quality);
void doorsill_coefficients(const float *grid, float *c); /* 16 rows of 16 */
float doorsill_lower_median(const float *c);             /* of these 256 */

/* margins.c */
void doorsill_dct_margins(const float *grid, uint8_t sets[4][DOORSILL_MARGINS]);

#endif
