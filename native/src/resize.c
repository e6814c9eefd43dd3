/* Pixels for a neural hasher: the picture squashed to a small square, each output the mean of
 * the area that it covers, in whole numbers, so that every processor gives the same bytes.
 *
 * In units of 1/side of a pixel, row y covers [y * side, (y + 1) * side) of the picture and row j
 * of the output [j * height, (j + 1) * height); columns likewise. Overlaps are the weights. */
#include <string.h>

#include "exact.h"
#include "filter.h"

enum {
  LIGHT_ROWS = 256, /* 256 * 255 fits 16 bits */
  BLOCK = 32,       /* a trip count that compilers turn into vectors without being asked */
  ALIGNMENT = 64
};

struct doorsill_resizing {
  uint32_t width, height, format, ground, side;
  uint32_t channels;   /* bytes a column takes in the sums */
  uint32_t rows;       /* that came in */
  uint32_t made;       /* rows of the output */
  uint32_t light_rows; /* in `light` */
  size_t columns;      /* width * channels, rounded up to whole blocks */
  uint8_t *row;        /* one row as the sums take it */
  uint16_t *light;     /* sums of whole rows, */
  uint32_t *heavy;     /* and of everything, weighted */
  uint8_t *out;
};

static int good_sides(uint32_t width, uint32_t height, uint32_t side) {
  return width >= 1 && height >= 1 && width <= DOORSILL_MAX_SIDE && height <= DOORSILL_MAX_SIDE &&
         side >= 1 && side <= DOORSILL_MAX_RESIZED;
}

/* Formats whose bytes can be summed as they are keep their layout; the others become gray or RGB.
 */
static uint32_t channels_of(uint32_t format) {
  if (format == DOORSILL_GRAY || format == DOORSILL_GRAY16) return 1;
  return format == DOORSILL_RGBX || format == DOORSILL_BGRX ? 4 : 3;
}

static void lay_out(doorsill_resizing *r, doorsill_arena *arena) {
  r->columns = ((size_t)r->width * r->channels + BLOCK - 1) / BLOCK * BLOCK;
  r->row = doorsill_take(arena, r->columns);
  r->light = doorsill_take(arena, sizeof *r->light * r->columns);
  r->heavy = doorsill_take(arena, sizeof *r->heavy * r->columns);
  r->out = doorsill_take(arena, (size_t)3 * r->side * r->side);
}

size_t doorsill_resize_workspace(uint32_t width, uint32_t height, uint32_t side) {
  if (!good_sides(width, height, side)) return 0;
  doorsill_resizing counted = {.width = width, .height = height, .side = side, .channels = 4};
  doorsill_arena arena = {NULL, 0};
  (void)doorsill_take(&arena, sizeof(doorsill_resizing));
  lay_out(&counted, &arena);
  return arena.used + ALIGNMENT - 1;
}

doorsill_status doorsill_resize_begin(void *workspace, size_t size, uint32_t width, uint32_t height,
                                      uint32_t format, uint32_t ground, uint32_t side,
                                      doorsill_resizing **resizing) {
  if (!workspace || !resizing || !good_sides(width, height, side) ||
      !doorsill_pixel_bytes(format) || ground > DOORSILL_ALPHA_IGNORED)
    return DOORSILL_BAD_ARGUMENT;
  if (size < doorsill_resize_workspace(width, height, side)) return DOORSILL_SMALL_WORKSPACE;
  const size_t off = (size_t)((uintptr_t)workspace % ALIGNMENT);
  doorsill_arena arena = {(uint8_t *)workspace + (off ? ALIGNMENT - off : 0), 0};
  doorsill_resizing *r = doorsill_take(&arena, sizeof *r);
  memset(r, 0, sizeof *r);
  if (ground == DOORSILL_ALPHA_IGNORED && format == DOORSILL_RGBA) format = DOORSILL_RGBX;
  if (ground == DOORSILL_ALPHA_IGNORED && format == DOORSILL_BGRA) format = DOORSILL_BGRX;
  r->width = width;
  r->height = height;
  r->format = format;
  r->ground = ground;
  r->side = side;
  r->channels = channels_of(format);
  lay_out(r, &arena);
  memset(r->light, 0, sizeof *r->light * r->columns);
  memset(r->heavy, 0, sizeof *r->heavy * r->columns);
  memset(r->row, 0, r->columns);
  *resizing = r;
  return DOORSILL_OK;
}

/* Brings a row into the layout of the sums. */
static void take_row(doorsill_resizing *r, const uint8_t *p) {
  switch (r->format) {
    case DOORSILL_GRAY16:
      for (uint32_t x = 0; x < r->width; x++) {
        uint16_t v;
        memcpy(&v, p + sizeof v * x, sizeof v);
        r->row[x] = (uint8_t)((v * 255u + 32767u) / 65535u); /* as PDQ's luma does */
      }
      return;
    case DOORSILL_RGBA:
    case DOORSILL_BGRA: {
      const uint32_t behind = doorsill_level(r->ground);
      for (size_t x = 0; x < r->width; x++)
        for (size_t c = 0; c < 3; c++) {
          const uint32_t alpha = p[4 * x + 3];
          r->row[3 * x + c] =
              (uint8_t)((p[4 * x + c] * alpha + behind * (255 - alpha) + 127) / 255);
        }
      return;
    }
    default:
      memcpy(r->row, p, (size_t)r->width * r->channels);
  }
}

/* The whole rows that wait, each of weight `side`. */
static void fold(doorsill_resizing *r) {
  if (!r->light_rows) return;
  for (size_t at = 0; at < r->columns; at += BLOCK)
    for (size_t i = 0; i < BLOCK; i++) {
      r->heavy[at + i] += r->side * r->light[at + i];
      r->light[at + i] = 0;
    }
  r->light_rows = 0;
}

static void add(doorsill_resizing *r, uint32_t weight) {
  if (weight != r->side) {
    for (size_t at = 0; at < r->columns; at += BLOCK)
      for (size_t i = 0; i < BLOCK; i++) r->heavy[at + i] += weight * r->row[at + i];
    return;
  }
  for (size_t at = 0; at < r->columns; at += BLOCK)
    for (size_t i = 0; i < BLOCK; i++)
      r->light[at + i] = (uint16_t)(r->light[at + i] + r->row[at + i]);
  if (++r->light_rows == LIGHT_ROWS) fold(r);
}

/* How much of [a, a + long_a) lies in [b, b + long_b). */
static uint32_t overlap(uint64_t a, uint32_t long_a, uint64_t b, uint32_t long_b) {
  const uint64_t from = a > b ? a : b;
  const uint64_t to = a + long_a < b + long_b ? a + long_a : b + long_b;
  return to > from ? (uint32_t)(to - from) : 0;
}

/* One row of the output from the sums over its rows; the sums begin anew. */
static void make_row(doorsill_resizing *r) {
  fold(r);
  const int bgr = r->format == DOORSILL_BGRX || r->format == DOORSILL_BGRA;
  const uint64_t area = (uint64_t)r->width * r->height;
  uint8_t *to = r->out + (size_t)3 * r->side * r->made;
  for (uint32_t i = 0; i < r->side; i++) {
    const uint64_t begin = (uint64_t)i * r->width;
    uint64_t sums[3] = {0, 0, 0};
    for (uint64_t x = begin / r->side; x * r->side < begin + r->width; x++) {
      const uint64_t weight = overlap(x * r->side, r->side, begin, r->width);
      const uint32_t *column = r->heavy + (size_t)x * r->channels;
      for (int c = 0; c < 3; c++) sums[c] += weight * column[r->channels == 1 ? 0 : c];
    }
    for (int c = 0; c < 3; c++)
      to[3 * i + (uint32_t)(bgr ? 2 - c : c)] = (uint8_t)((2 * sums[c] + area) / (2 * area));
  }
  memset(r->heavy, 0, sizeof *r->heavy * r->columns);
  r->made++;
}

doorsill_status doorsill_resize_rows(doorsill_resizing *r, const uint8_t *rows, ptrdiff_t stride,
                                     uint32_t count) {
  if (!r || (!rows && count) || count > r->height - r->rows) return DOORSILL_BAD_ARGUMENT;
  const ptrdiff_t least = (ptrdiff_t)((size_t)r->width * doorsill_pixel_bytes(r->format));
  if (count > 1 && stride < least && stride > -least) return DOORSILL_BAD_ARGUMENT;
  for (uint32_t n = 0; n < count; n++, r->rows++) {
    take_row(r, n ? rows + stride * (ptrdiff_t)n : rows);
    const uint64_t top = (uint64_t)r->rows * r->side;
    for (;;) { /* one row of a small picture may be part of several of the output */
      const uint64_t begin = (uint64_t)r->made * r->height;
      add(r, overlap(top, r->side, begin, r->height));
      if (begin + r->height > top + r->side) break;
      make_row(r);
      if (r->made == r->side || (uint64_t)r->made * r->height >= top + r->side) break;
    }
  }
  return DOORSILL_OK;
}

doorsill_status doorsill_resize_end(doorsill_resizing *r, uint8_t *rgb) {
  if (!r || !rgb || r->made < r->side) return DOORSILL_BAD_ARGUMENT;
  const size_t size = (size_t)3 * r->side * r->side;
  memcpy(rgb, r->out, size);
  doorsill_wipe(r->out, size); /* it is a thumbnail, */
  doorsill_wipe(r->row, r->columns);
  r->made = 0; /* and gone */
  return DOORSILL_OK;
}
