/* PDQ hashing of pixels: both profiles in one pass over the rows, in the caller's memory. */
#include <string.h>

#include "exact.h"
#include "filter.h"

/* Bounds the rows that wait until they are 16; keeps the workspace small. */
enum { HELD_PIXELS = 160000, ALIGNMENT = 64 };

/* The rows of one profile on their way to its filter. */
typedef struct intake {
  doorsill_filter filter;
  float *held; /* luma of rows that wait for a full block */
  uint32_t held_rows;
  uint32_t most_held; /* rows at a time, up to now */
  uint32_t capacity;  /* rows; 0 if they never wait */
  uint32_t width, height;
} intake;

struct doorsill_hashing {
  const doorsill_kernels *kernels;
  doorsill_scratch scratch;
  doorsill_samples samples;
  intake full, reduced;
  uint32_t width, height, format, ground;
  uint32_t ended;        /* nothing is left of the pixels */
  uint32_t rows;         /* that came in */
  uint32_t reduced_rows; /* that profile cpp512 has made of them */
};

static int good_sides(uint32_t width, uint32_t height) {
  return width >= 1 && height >= 1 && width <= DOORSILL_MAX_SIDE && height <= DOORSILL_MAX_SIDE;
}

static void intake_init(intake *in, uint32_t width, uint32_t height, doorsill_arena *arena) {
  in->width = width;
  in->height = height;
  /* Less for wide pictures, whose sums take more; the widest do without. */
  const uint32_t rows = HELD_PIXELS / width;
  in->capacity = rows >= DOORSILL_LANES + 2 ? DOORSILL_LANES : rows >= 4 ? rows - 2 : 0;
  in->held = doorsill_take(arena, sizeof(float) * width * in->capacity);
  in->held_rows = in->most_held = 0;
  doorsill_filter_init(&in->filter, width, height, arena);
}

/* Lays the state out in `arena`; with a NULL base this only adds up. */
static void lay_out(doorsill_hashing *h, uint32_t width, uint32_t height, doorsill_arena *arena) {
  const int large = width > DOORSILL_SUBSAMPLED || height > DOORSILL_SUBSAMPLED;
  intake_init(&h->full, width, height, arena);
  intake_init(&h->reduced, large ? DOORSILL_SUBSAMPLED : width,
              large ? DOORSILL_SUBSAMPLED : height, arena);
  doorsill_scratch_init(&h->scratch, &h->full.filter, &h->reduced.filter, arena);
}

size_t doorsill_pdq_workspace(uint32_t width, uint32_t height) {
  if (!good_sides(width, height)) return 0;
  doorsill_hashing counted;
  doorsill_arena arena = {NULL, 0};
  (void)doorsill_take(&arena, sizeof(doorsill_hashing));
  lay_out(&counted, width, height, &arena);
  return arena.used + ALIGNMENT - 1;
}

doorsill_status doorsill_pdq_begin(void *workspace, size_t size, uint32_t width, uint32_t height,
                                   uint32_t format, uint32_t ground, doorsill_hashing **hashing) {
  if (!workspace || !hashing || !good_sides(width, height) || !doorsill_pixel_bytes(format) ||
      ground > DOORSILL_ALPHA_IGNORED)
    return DOORSILL_BAD_ARGUMENT;
  if (size < doorsill_pdq_workspace(width, height)) return DOORSILL_SMALL_WORKSPACE;
  const size_t off = (size_t)((uintptr_t)workspace % ALIGNMENT);
  doorsill_arena arena = {(uint8_t *)workspace + (off ? ALIGNMENT - off : 0), 0};
  doorsill_hashing *h = doorsill_take(&arena, sizeof *h);
  memset(h, 0, sizeof *h);
  h->kernels = doorsill_kernels_now();
  h->width = width;
  h->height = height;
  h->format = format;
  h->ground = ground;
  if (ground == DOORSILL_ALPHA_IGNORED && format == DOORSILL_RGBA) h->format = DOORSILL_RGBX;
  if (ground == DOORSILL_ALPHA_IGNORED && format == DOORSILL_BGRA) h->format = DOORSILL_BGRX;
  lay_out(h, width, height, &arena);
  doorsill_samples_init(&h->samples, h->reduced.width, width, h->format);
  *hashing = h;
  return DOORSILL_OK;
}

static void pass_held(doorsill_hashing *h, intake *in) {
  if (!in->held_rows) return;
  const doorsill_rows_in rows = {.luma = in->held, .pitch = in->width, .count = in->held_rows};
  doorsill_filter_rows(&in->filter, h->kernels, &h->scratch, &rows);
  in->held_rows = 0;
}

/* A place for the luma of one more row; call taken() when it is there. */
static float *next_held(intake *in) { return in->held + (size_t)in->width * in->held_rows; }

static void taken(doorsill_hashing *h, intake *in) {
  if (++in->held_rows > in->most_held) in->most_held = in->held_rows;
  if (in->held_rows == in->capacity) pass_held(h, in);
}

/* A whole block goes straight from the caller's memory; fewer rows wait as luma. */
static void rows_full(doorsill_hashing *h, const uint8_t *rows, ptrdiff_t stride, uint32_t count) {
  intake *in = &h->full;
  if (!in->held_rows && (count == DOORSILL_LANES || !in->capacity)) {
    const doorsill_rows_in block = {
        .pixels = rows, .stride = stride, .format = h->format, .ground = h->ground, .count = count};
    doorsill_filter_rows(&in->filter, h->kernels, &h->scratch, &block);
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    h->kernels->luma(rows + stride * (ptrdiff_t)i, h->width, h->format, h->ground, next_held(in));
    taken(h, in);
  }
}

/* Profile cpp512 takes row floor(i * height / 512) for its row i, so a row may be taken more than
 * once or not at all. */
static void rows_reduced(doorsill_hashing *h, const uint8_t *rows, ptrdiff_t stride,
                         uint32_t count) {
  intake *in = &h->reduced;
  while (h->reduced_rows < in->height) {
    const uint64_t source = (uint64_t)h->reduced_rows * h->height / in->height;
    if (source >= (uint64_t)h->rows + count) return;
    doorsill_luma_512(h->kernels, &h->samples, rows + stride * (ptrdiff_t)(source - h->rows),
                      h->format, h->ground, next_held(in));
    taken(h, in);
    h->reduced_rows++;
  }
}

static int hashable(const intake *in) {
  return in->width >= DOORSILL_LEAST_SIDE && in->height >= DOORSILL_LEAST_SIDE;
}

doorsill_status doorsill_pdq_rows(doorsill_hashing *h, const uint8_t *rows, ptrdiff_t stride,
                                  uint32_t count) {
  if (!h || h->ended || (!rows && count) || count > h->height - h->rows)
    return DOORSILL_BAD_ARGUMENT;
  const ptrdiff_t least = (ptrdiff_t)(h->width * doorsill_pixel_bytes(h->format));
  if (count > 1 && stride < least && stride > -least) return DOORSILL_BAD_ARGUMENT;
  if (!count) return DOORSILL_OK;
  if (count == 1) stride = 0;
  /* Both profiles read the same few rows while they are in the cache. */
  for (uint32_t done = 0, n; done < count; done += n, h->rows += n) {
    const uint8_t *from = rows + stride * (ptrdiff_t)done;
    n = count - done < DOORSILL_LANES ? count - done : DOORSILL_LANES;
    if (hashable(&h->full)) rows_full(h, from, stride, n);
    if (hashable(&h->reduced)) rows_reduced(h, from, stride, n);
  }
  if (h->rows < h->height) return DOORSILL_OK;
  intake *const both[DOORSILL_PROFILES] = {&h->full, &h->reduced};
  for (int profile = 0; profile < DOORSILL_PROFILES; profile++) {
    if (!hashable(both[profile])) continue;
    pass_held(h, both[profile]);
    doorsill_filter_flush(&both[profile]->filter, h->kernels, &h->scratch);
  }
  return DOORSILL_OK;
}

doorsill_status doorsill_pdq_margins(const doorsill_hashing *h, doorsill_margins *margins) {
  if (!h || !margins || h->ended || h->rows < h->height) return DOORSILL_BAD_ARGUMENT;
  const intake *const both[DOORSILL_PROFILES] = {&h->full, &h->reduced};
  memset(margins, 0, sizeof *margins);
  for (int profile = 0; profile < DOORSILL_PROFILES; profile++)
    if (hashable(both[profile]))
      doorsill_dct_margins(both[profile]->filter.grid, margins->sets[profile]);
  return DOORSILL_OK;
}

static void wipe(intake *in) {
  doorsill_wipe(in->held, sizeof(float) * in->width * in->most_held);
  doorsill_filter_wipe(&in->filter);
}

doorsill_status doorsill_pdq_end(doorsill_hashing *h, doorsill_pdq *pdq) {
  if (!h || !pdq || h->ended || h->rows < h->height) return DOORSILL_BAD_ARGUMENT;
  intake *const both[DOORSILL_PROFILES] = {&h->full, &h->reduced};
  memset(pdq, 0, sizeof *pdq);
  for (int profile = 0; profile < DOORSILL_PROFILES; profile++) {
    if (!hashable(both[profile])) continue;
    doorsill_dct(both[profile]->filter.grid, pdq->hash[profile], &pdq->quality[profile]);
    wipe(both[profile]);
  }
  doorsill_scratch_wipe(&h->scratch, &h->full.filter, &h->reduced.filter);
  h->ended = 1;
  return DOORSILL_OK;
}

doorsill_status doorsill_pdq_hash(const doorsill_pixels *pixels, uint32_t ground, void *workspace,
                                  size_t size, doorsill_pdq *pdq) {
  if (!pixels || !pixels->data || !pdq) return DOORSILL_BAD_ARGUMENT;
  doorsill_hashing *h;
  doorsill_status status = doorsill_pdq_begin(workspace, size, pixels->width, pixels->height,
                                              pixels->format, ground, &h);
  if (status == DOORSILL_OK)
    status = doorsill_pdq_rows(h, pixels->data, pixels->stride, pixels->height);
  return status == DOORSILL_OK ? doorsill_pdq_end(h, pdq) : status;
}

uint32_t doorsill_distance(const uint8_t *a, const uint8_t *b, size_t bytes) {
  uint32_t distance = 0;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
    uint64_t x, y;
    memcpy(&x, a + i, sizeof x);
    memcpy(&y, b + i, sizeof y);
    distance += doorsill_bits(x ^ y);
  }
  for (; i < bytes; i++) distance += doorsill_bits((uint64_t)(a[i] ^ b[i]));
  return distance;
}
