/* Pixels to luma, in the two ways of Meta's tools. Gray pixels are hashed as R = G = B would
 * be, so that a picture keeps its hash whichever way its decoder hands it out. */
#include <string.h>

#include "exact.h"
#include "filter.h"

typedef struct rgb {
  uint32_t r, g, b;
} rgb;

uint32_t doorsill_pixel_bytes(uint32_t format) {
  switch (format) {
    case DOORSILL_GRAY:
      return 1;
    case DOORSILL_GRAY16:
      return 2;
    case DOORSILL_RGB:
      return 3;
    case DOORSILL_RGBX:
    case DOORSILL_BGRX:
    case DOORSILL_RGBA:
    case DOORSILL_BGRA:
      return 4;
    default:
      return 0;
  }
}

/* 16 bits to 8, to the nearest; there is never a tie, 65535 / 255 being odd. */
static uint32_t narrow(const uint8_t *p) {
  uint16_t v;
  memcpy(&v, p, sizeof v);
  return (v * 255u + 32767u) / 65535u;
}

/* A colour over the ground, to the nearest. */
static uint32_t over(uint32_t colour, uint32_t alpha, uint32_t behind) {
  return (colour * alpha + behind * (255 - alpha) + 127) / 255;
}

static inline rgb colours(const uint8_t *p, uint32_t format, uint32_t ground) {
  rgb c = {p[0], p[0], p[0]};
  if (format == DOORSILL_GRAY) return c;
  if (format == DOORSILL_GRAY16) {
    c.r = c.g = c.b = narrow(p);
    return c;
  }
  const int bgr = format == DOORSILL_BGRX || format == DOORSILL_BGRA;
  c.r = p[bgr ? 2 : 0];
  c.g = p[1];
  c.b = p[bgr ? 0 : 2];
  if (format == DOORSILL_RGBA || format == DOORSILL_BGRA) {
    const uint32_t behind = doorsill_level(ground);
    c.r = over(c.r, p[3], behind);
    c.g = over(c.g, p[3], behind);
    c.b = over(c.b, p[3], behind);
  }
  return c;
}

/* Profile full: R*0.299 + G*0.587 + B*0.114 in double, rounded once to float. The exact value is
 * a whole number of thousandths and never within 1e-11 of the middle between two floats, while
 * the double sum errs by less than 1e-13; so the float nearest to the exact quotient is the
 * same, and that is what one float division gives. test_kernels.c compares all 2^24 colours. */
static inline float luma_full(rgb c) {
  return (float)(int32_t)(299 * c.r + 587 * c.g + 114 * c.b) / 1000.0f;
}

static inline void full(const uint8_t *p, size_t n, uint32_t format, uint32_t ground, float *luma) {
  const size_t step = doorsill_pixel_bytes(format);
  for (size_t i = 0; i < n; i++) luma[i] = luma_full(colours(p + step * i, format, ground));
}

/* One loop for each common format, so that the compiler takes the questions out of it. */
void doorsill_luma_full(const uint8_t *p, size_t n, uint32_t format, uint32_t ground, float *luma) {
  switch (format) {
    case DOORSILL_GRAY: /* 1000 * v / 1000 */
      for (size_t i = 0; i < n; i++) luma[i] = (float)p[i];
      break;
    case DOORSILL_RGB:
      full(p, n, DOORSILL_RGB, ground, luma);
      break;
    case DOORSILL_RGBX:
      full(p, n, DOORSILL_RGBX, ground, luma);
      break;
    default:
      full(p, n, format, ground, luma);
  }
}

int doorsill_sees_through(const doorsill_pixels *pixels) {
  if (pixels->format != DOORSILL_RGBA && pixels->format != DOORSILL_BGRA) return 0;
  for (uint32_t y = 0; y < pixels->height; y++) {
    const uint8_t *row = pixels->data + pixels->stride * (ptrdiff_t)y;
    uint32_t all = UINT32_MAX; /* whole pixels, which compilers turn into vectors */
    for (size_t x = 0; x < pixels->width; x++) {
      uint32_t pixel;
      memcpy(&pixel, row + 4 * x, sizeof pixel);
      all &= pixel;
    }
    uint8_t bytes[4];
    memcpy(bytes, &all, sizeof bytes);
    if (bytes[3] != 255) return 1;
  }
  return 0;
}

doorsill_status doorsill_has_alpha(const doorsill_pixels *pixels, int *found) {
  if (!pixels || !pixels->data || !found || pixels->width < 1 || pixels->height < 1 ||
      pixels->width > DOORSILL_MAX_SIDE || pixels->height > DOORSILL_MAX_SIDE)
    return DOORSILL_BAD_ARGUMENT;
  const ptrdiff_t least = (ptrdiff_t)(pixels->width * doorsill_pixel_bytes(pixels->format));
  if (!least || (pixels->height > 1 && pixels->stride < least && pixels->stride > -least))
    return DOORSILL_BAD_ARGUMENT;
  *found = doorsill_sees_through(pixels);
  return DOORSILL_OK;
}

/* Whether the first byte of a word is its lowest, as `sampled` takes it. */
static int little_endian(void) {
  const uint16_t one = 1;
  uint8_t first;
  memcpy(&first, &one, 1);
  return first;
}

void doorsill_samples_init(doorsill_samples *samples, uint32_t count, uint32_t width,
                           uint32_t format) {
  const uint32_t step = doorsill_pixel_bytes(format);
  for (uint32_t i = 0; i < count; i++) samples->at[i] = i * width / count * step;
  const int colours = format == DOORSILL_RGB || format == DOORSILL_RGBX || format == DOORSILL_BGRX;
  uint32_t n = colours && little_endian() ? count - count % DOORSILL_LANES : 0;
  while (n && samples->at[n - 1] + 4 > width * step) n -= DOORSILL_LANES;
  samples->plain = n;
  samples->count = count;
}

void doorsill_luma_512(const doorsill_kernels *kernels, const doorsill_samples *samples,
                       const uint8_t *row, uint32_t format, uint32_t ground, float *luma) {
  kernels->sampled(row, samples->at, samples->plain, format == DOORSILL_BGRX, luma);
  for (uint32_t i = samples->plain; i < samples->count; i++) {
    const rgb c = colours(row + samples->at[i], format, ground);
    luma[i] = doorsill_weigh_512(c.r, c.g, c.b);
  }
}
