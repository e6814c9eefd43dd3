/* PDQ's blur, as a stream. The reference writes four whole pictures: a box along rows, a box
 * along columns, and both again. Here a block of 16 rows goes through all four while it is in
 * the cache, one row a lane, and only the last `window` rows are kept for the columns.
 *
 * The bits must be those of the reference, so every running sum takes its terms one by one in
 * the reference's order: output o adds input o + half - 1, then subtracts input
 * o - (window - half + 1), `window` back. Inputs outside of the picture count as 0, which changes
 * no sum. Lanes are independent rows (or columns), never terms of one sum. */
#include "filter.h"

#include <string.h>

#include "exact.h"

enum { FILLED = DOORSILL_CHUNK + DOORSILL_LANES }; /* columns that become luma at a time */

static size_t up_to_lanes(size_t n) { return (n + DOORSILL_LANES - 1) & ~(size_t)15; }

static doorsill_axis axis(uint32_t size) {
  const int32_t window = (int32_t)((size + 2 * DOORSILL_GRID - 1) / (2 * DOORSILL_GRID));
  const doorsill_axis a = {(int32_t)size, window, (window + 2) / 2};
  return a;
}

/* How many inputs the mean at `o` has; 1 for outputs outside of the picture, which are unused. */
static float window_count(const doorsill_axis *a, int32_t o) {
  if (o < 0 || o >= a->size) return 1;
  const int32_t first = o - (a->window - a->half), last = o + a->half - 1;
  return (float)((last < a->size ? last : a->size - 1) - (first > 0 ? first : 0) + 1);
}

/* Where the reduced picture samples the blurred one. */
static int32_t grid_source(const doorsill_axis *a, int32_t i) {
  return (int32_t)((int64_t)(2 * i + 1) * a->size / (2 * DOORSILL_GRID));
}

static int unfiltered(const doorsill_filter *f) {
  return f->x.size == DOORSILL_GRID && f->y.size == DOORSILL_GRID;
}

void *doorsill_take(doorsill_arena *arena, size_t bytes) {
  uint8_t *piece = arena->base ? arena->base + arena->used : NULL;
  arena->used += (bytes + 63) & ~(size_t)63;
  return piece;
}

static float *take_floats(doorsill_arena *arena, size_t count, int zeroed) {
  float *piece = doorsill_take(arena, count * sizeof(float));
  if (piece && zeroed) memset(piece, 0, count * sizeof(float));
  return piece;
}

/* Fills in what the box needs of columns. All chunks within have the same, of which one is kept. */
static void count_columns(doorsill_filter *f, doorsill_arena *arena) {
  const size_t window = (size_t)f->x.window, width = (size_t)f->x.size;
  f->left = (window + DOORSILL_CHUNK - 1) / DOORSILL_CHUNK * DOORSILL_CHUNK;
  const size_t within = width > f->left + window ? (width - window - f->left) / DOORSILL_CHUNK : 0;
  f->alike = within > 1 ? (within - 1) * DOORSILL_CHUNK : 0;
  f->count = take_floats(arena, f->pitch - f->alike, 0);
  f->inverse = take_floats(arena, f->pitch - f->alike, 0);
  for (size_t i = 0; f->inverse && i < f->pitch - f->alike; i++) {
    const size_t o = i < f->left + DOORSILL_CHUNK ? i : i + f->alike;
    f->count[i] = window_count(&f->x, (int32_t)o);
    f->inverse[i] = o < width ? 1.0f / f->count[i] : 0;
  }
}

void doorsill_filter_init(doorsill_filter *f, uint32_t width, uint32_t height,
                          doorsill_arena *arena) {
  memset(f, 0, sizeof *f);
  f->x = axis(width);
  f->y = axis(height);
  f->pitch = up_to_lanes(width + (uint32_t)f->x.half - 1);
  count_columns(f, arena);
  f->ring = take_floats(arena, (size_t)f->y.window * f->pitch, 1);
  f->sums = take_floats(arena, f->pitch, 1);
  f->second_ring = take_floats(arena, (size_t)f->y.window * DOORSILL_GRID, 1);
  f->second_sums = take_floats(arena, DOORSILL_GRID, 1);
  f->grid = take_floats(arena, DOORSILL_GRID * DOORSILL_GRID, 1);
}

/* A window behind the chunk, half of one ahead of it, and rounding. */
static size_t scratch_columns(const doorsill_filter *a, const doorsill_filter *b) {
  const size_t window = (size_t)(a->x.window > b->x.window ? a->x.window : b->x.window);
  return DOORSILL_CHUNK + 2 * window + 2 * DOORSILL_LANES;
}

void doorsill_scratch_init(doorsill_scratch *s, const doorsill_filter *a, const doorsill_filter *b,
                           doorsill_arena *arena) {
  const size_t columns = scratch_columns(a, b);
  s->first = take_floats(arena, columns * DOORSILL_LANES, 0);
  s->second = take_floats(arena, columns * DOORSILL_LANES, 0);
  s->rows = take_floats(arena, (size_t)DOORSILL_LANES * FILLED, 0);
  s->found = take_floats(arena, (size_t)DOORSILL_LANES * DOORSILL_GRID, 0);
}

static void wipe_floats(float *first, size_t count) { doorsill_wipe(first, count * sizeof *first); }

void doorsill_filter_wipe(doorsill_filter *f) {
  wipe_floats(f->grid, DOORSILL_GRID * DOORSILL_GRID); /* a thumbnail, */
  if (unfiltered(f)) return;
  wipe_floats(f->ring, (size_t)f->y.window * f->pitch); /* and the last rows */
  wipe_floats(f->sums, f->pitch);
  wipe_floats(f->second_ring, (size_t)f->y.window * DOORSILL_GRID);
  wipe_floats(f->second_sums, DOORSILL_GRID);
}

void doorsill_scratch_wipe(const doorsill_scratch *s, const doorsill_filter *a,
                           const doorsill_filter *b) {
  if (unfiltered(a) && unfiltered(b)) return;
  const size_t columns = scratch_columns(a, b);
  wipe_floats(s->first, columns * DOORSILL_LANES);
  wipe_floats(s->second, columns * DOORSILL_LANES);
  wipe_floats(s->rows, (size_t)DOORSILL_LANES * FILLED);
  wipe_floats(s->found, (size_t)DOORSILL_LANES * DOORSILL_GRID);
}

/* Processors fetch ahead along a row or two, not along 16 that are read by turns: two chunks
 * ahead is soon enough, which at the end of a row is in the one 16 below. Past the end of the
 * pixels it is harmless. */
static void fetch_ahead(uintptr_t row, size_t stride, size_t column, size_t width, size_t n,
                        size_t step) {
#if defined(__GNUC__)
  const size_t there = column + 2 * DOORSILL_CHUNK;
  if (there + n <= width)
    row += step * there;
  else
    row += DOORSILL_LANES * stride + step * (there > width ? there - width : 0);
  for (size_t i = 0; i < step * n; i += 64) __builtin_prefetch((const void *)(row + i));
#else
  (void)row, (void)stride, (void)column, (void)width, (void)n, (void)step;
#endif
}

/* Luma of n pixels of each row from `column` on, FILLED apart, then zeros to whole lanes. */
static void take_rows(const doorsill_filter *f, const doorsill_kernels *kernels,
                      const doorsill_rows_in *in, size_t column, size_t n, float *rows) {
  const size_t step = doorsill_pixel_bytes(in->format), zeros = up_to_lanes(n) - n;
  for (uint32_t lane = 0; lane < DOORSILL_LANES; lane++, rows += FILLED) {
    const ptrdiff_t down = in->stride * (ptrdiff_t)lane;
    if (lane >= in->count) {
      memset(rows, 0, n * sizeof *rows);
    } else if (in->luma) {
      memcpy(rows, in->luma + in->pitch * lane + column, n * sizeof *rows);
    } else {
      fetch_ahead((uintptr_t)(in->pixels + down), (size_t)in->stride, column, (size_t)f->x.size, n,
                  step);
      kernels->luma(in->pixels + down + step * column, n, in->format, in->ground, rows);
    }
    if (zeros) memset(rows + n, 0, zeros * sizeof *rows);
  }
}

/* Luma of the columns from `column` on, n of them (a multiple of 16), as columns of lanes. */
static void fill(const doorsill_filter *f, const doorsill_kernels *kernels,
                 const doorsill_scratch *s, const doorsill_rows_in *in, size_t column, size_t n,
                 float *x) {
  const size_t width = in->count ? (size_t)f->x.size : 0;
  const size_t left = column < width ? width - column : 0, valid = n < left ? n : left;
  size_t done = 0;
  if (in->luma && in->count == DOORSILL_LANES) {
    done = valid - valid % DOORSILL_LANES;
    if (done) kernels->columns(in->luma + column, in->pitch, done, x);
  }
  if (done < valid) {
    take_rows(f, kernels, in, column + done, valid - done, s->rows);
    kernels->columns(s->rows, FILLED, up_to_lanes(valid - done), x + DOORSILL_LANES * done);
  }
  done = up_to_lanes(valid);
  memset(x + DOORSILL_LANES * done, 0, (n - done) * DOORSILL_LANES * sizeof *x);
}

static void slide(float *restrict sums, float *restrict ring, const float *restrict value) {
  for (size_t k = 0; k < DOORSILL_LANES; k++) {
    sums[k] += value[k];
    sums[k] -= ring[k];
    ring[k] = value[k];
  }
}

/* The second column box, for the 64 columns that are kept: one more row, its values in four
 * groups of 16, `step` apart. */
static void second_row(doorsill_filter *f, const float *value, size_t step) {
  float *ring = f->second_ring + (size_t)(f->second_rows % f->y.window) * DOORSILL_GRID;
  const float *sums = f->second_sums;
  for (size_t group = 0; group < DOORSILL_GRID; group += DOORSILL_LANES, value += step)
    slide(f->second_sums + group, ring + group, value);
  const int32_t o = f->second_rows++ - (f->y.half - 1);
  const float count = window_count(&f->y, o);
  for (; f->grid_rows < DOORSILL_GRID && grid_source(&f->y, f->grid_rows) == o; f->grid_rows++)
    for (size_t k = 0; k < DOORSILL_GRID; k++)
      f->grid[DOORSILL_GRID * f->grid_rows + (int32_t)k] = sums[k] / count;
}

static void set_band(const doorsill_filter *f, uint32_t rows, doorsill_band *band) {
  band->rows = rows;
  band->sums = f->sums;
  for (uint32_t lane = 0; lane < DOORSILL_LANES; lane++) {
    const int32_t row = f->rows + (int32_t)lane;
    band->ring[lane] = f->ring + (size_t)(row % f->y.window) * f->pitch;
    band->count[lane] = window_count(&f->y, row - (f->y.half - 1));
    band->inverse[lane] = 1.0f / band->count[lane];
  }
}

/* The second row box has left its sums of outputs [from, from + n) in s->second: keeps the means
 * at the 64 columns, of which `kept` are done. */
static int32_t keep(const doorsill_filter *f, const doorsill_scratch *s, int32_t from, int32_t n,
                    int32_t kept) {
  for (; kept < DOORSILL_GRID && grid_source(&f->x, kept) < from + n; kept++) {
    const int32_t o = grid_source(&f->x, kept);
    const float *sum = s->second + DOORSILL_LANES * (o - from);
    const float count = window_count(&f->x, o);
    float mean[DOORSILL_LANES];
    for (int32_t lane = 0; lane < DOORSILL_LANES; lane++) mean[lane] = sum[lane] / count;
    memcpy(s->found + DOORSILL_LANES * kept, mean, sizeof mean);
  }
  return kept;
}

/* Takes `in` and lets `rows` rows through, at most 16; those beyond `in` are empty. The second
 * row box lags behind the first by half a window, so the columns go on beyond the picture. */
static void pass(doorsill_filter *f, const doorsill_kernels *kernels, const doorsill_scratch *s,
                 const doorsill_rows_in *in, uint32_t rows) {
  const size_t window = (size_t)f->x.window, ahead = (size_t)f->x.half - 1;
  const size_t behind = window - ahead; /* columns in s->first left of the chunk */
  doorsill_band band;
  set_band(f, rows, &band);
  float sum[DOORSILL_LANES] = {0}, second_sum[DOORSILL_LANES] = {0};
  memset(s->first, 0, behind * DOORSILL_LANES * sizeof(float));
  memset(s->second, 0, window * DOORSILL_LANES * sizeof(float));
  size_t filled = 0;
  int32_t kept = 0;
  for (size_t start = 0; start < f->pitch; start += DOORSILL_CHUNK) {
    const size_t left = f->pitch - start, n = left < DOORSILL_CHUNK ? left : DOORSILL_CHUNK;
    const size_t needed = start + n + ahead;
    while (filled < needed) {
      const size_t more = up_to_lanes(needed - filled);
      const size_t piece = more < FILLED ? more : FILLED;
      fill(f, kernels, s, in, filled, piece, s->first + DOORSILL_LANES * (behind + filled - start));
      filled += piece;
    }
    if (start == 0)
      for (size_t i = 0; i < ahead * DOORSILL_LANES; i++)
        sum[i % DOORSILL_LANES] += s->first[behind * DOORSILL_LANES + i];
    const size_t counts = start < f->left              ? start
                          : start < f->left + f->alike ? f->left
                                                       : start - f->alike;
    kernels->box(&band, start, n, window, s->first, f->count + counts, f->inverse + counts, sum,
                 s->second, second_sum);
    kept = keep(f, s, (int32_t)start - (int32_t)ahead, (int32_t)n, kept);
    memmove(s->first, s->first + DOORSILL_LANES * n,
            DOORSILL_LANES * (window + DOORSILL_LANES) * sizeof(float));
    memmove(s->second, s->second + DOORSILL_LANES * n, DOORSILL_LANES * window * sizeof(float));
  }
  /* From columns of lanes to rows, in groups of 16 columns. */
  enum { GROUP = DOORSILL_LANES * DOORSILL_LANES };
  for (size_t k = 0; k < DOORSILL_GRID / DOORSILL_LANES; k++)
    kernels->columns(s->found + GROUP * k, DOORSILL_LANES, DOORSILL_LANES, s->rows + GROUP * k);
  for (uint32_t lane = 0; lane < rows; lane++) {
    const int32_t o = f->rows++ - (f->y.half - 1);
    if (o >= 0 && o < f->y.size) second_row(f, s->rows + DOORSILL_LANES * lane, GROUP);
  }
}

void doorsill_filter_rows(doorsill_filter *f, const doorsill_kernels *kernels,
                          const doorsill_scratch *s, const doorsill_rows_in *in) {
  if (!unfiltered(f)) {
    pass(f, kernels, s, in, in->count);
    return;
  }
  for (uint32_t i = 0; i < in->count; i++, f->grid_rows++) {
    float *row = f->grid + DOORSILL_GRID * f->grid_rows;
    if (in->luma)
      memcpy(row, in->luma + in->pitch * i, DOORSILL_GRID * sizeof *row);
    else
      kernels->luma(in->pixels + in->stride * (ptrdiff_t)i, DOORSILL_GRID, in->format, in->ground,
                    row);
  }
}

void doorsill_filter_flush(doorsill_filter *f, const doorsill_kernels *kernels,
                           const doorsill_scratch *s) {
  if (unfiltered(f)) return;
  const doorsill_rows_in nothing = {0};
  const int32_t all = f->y.size + f->y.half - 1;
  while (f->rows < all)
    pass(f, kernels, s, &nothing,
         all - f->rows < DOORSILL_LANES ? (uint32_t)(all - f->rows) : DOORSILL_LANES);
  const float zeros[DOORSILL_LANES] = {0};
  while (f->second_rows < all) second_row(f, zeros, 0);
}
