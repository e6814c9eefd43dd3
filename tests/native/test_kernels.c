/* Every kernel that this processor has against the portable one, on the same inputs.
 *
 * test_kernels all: also divides every mantissa by every window size, half a minute a kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "exact.h"
#include "filter.h"

static int passed, failed;

static void check(int ok, const char *kernel, const char *what) {
  ok ? passed++ : failed++;
  if (!ok) printf("FAILED %s: %s\n", kernel, what);
}

/* Rows near one query or another, and some as far as can be. */
static void draw_plane(uint8_t *plane, size_t rows, const doorsill_queries *queries) {
  for (size_t row = 0; row < rows; row++) {
    const uint8_t *query = queries->hashes + queries->stride * (draw() % queries->count);
    memcpy(plane + 16 * row, query, 16);
    for (uint64_t flips = draw() % 140; flips; flips--) {
      const uint64_t bit = draw() % 128;
      plane[16 * row + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    if (draw() % 16 == 0)
      for (size_t i = 0; i < 16; i++) plane[16 * row + i] = (uint8_t)~query[i];
  }
}

static uint32_t far(const uint8_t *row, const uint8_t *query) {
  uint32_t distance = 0;
  for (size_t bit = 0; bit < 128; bit++)
    distance += (uint32_t)(row[bit / 8] ^ query[bit / 8]) >> bit % 8 & 1;
  return distance;
}

static void test_near_rows(const doorsill_kernels *k) {
  static const uint32_t radii[] = {0, 1, 5, 31, 60, 64, 65, 127, 128, 129, 4000000000u};
  int same = 1;
  for (size_t blocks = 0; blocks < 7; blocks++)
    for (size_t r = 0; r < sizeof radii / sizeof *radii; r++) {
      uint8_t hashes[7 * 48];
      for (size_t i = 0; i < sizeof hashes; i++) hashes[i] = (uint8_t)draw();
      const doorsill_queries queries = {hashes, 48, 1 + draw() % 7, radii[r]};
      /* At an odd address: lists lie anywhere. */
      uint8_t *memory = exactly(blocks * 1024 + 1), *plane = memory + 1;
      uint64_t *masks = exactly(blocks * queries.count * sizeof *masks);
      draw_plane(plane, 64 * blocks, &queries);
      const int said = k->near_rows(plane, blocks, &queries, masks);
      int any = 0;
      for (size_t q = 0; q < queries.count; q++)
        for (size_t row = 0; row < 64 * blocks; row++) {
          const int near = far(plane + 16 * row, hashes + 48 * q) <= radii[r];
          same &= (int)(masks[q * blocks + row / 64] >> row % 64 & 1) == near;
          any |= near;
        }
      same &= !said == !any;
      free(memory);
      free(masks);
    }
  check(same, k->name, "near_rows");
}

static void test_confirm(const doorsill_kernels *k) {
  int same = 1;
  for (size_t planes = 1; planes <= 4; planes++)
    for (size_t n = 0; n < 70; n++) {
      uint8_t *data[4], query[64];
      for (size_t i = 0; i < sizeof query; i++) query[i] = (uint8_t)draw();
      for (size_t plane = 0; plane < planes; plane++) {
        const doorsill_queries own = {query + 16 * plane, 0, 1, 0};
        data[plane] = exactly(16 * 200);
        draw_plane(data[plane], 200, &own);
      }
      doorsill_near rows[70], expected[70];
      size_t near = 0;
      const uint32_t radius = (uint32_t)(draw() % (100 * planes));
      for (size_t i = 0; i < n; i++) {
        const doorsill_near row = {(uint32_t)(draw() % 200), 0};
        rows[i] = expected[near] = row;
        for (size_t plane = 0; plane < planes; plane++)
          expected[near].distance += far(data[plane] + (size_t)16 * row.row, query + 16 * plane);
        near += expected[near].distance <= radius;
      }
      same &= k->confirm((const uint8_t *const *)data, planes, query, radius, rows, n) == near;
      same &= memcmp(rows, expected, near * sizeof *rows) == 0;
      for (size_t plane = 0; plane < planes; plane++) free(data[plane]);
    }
  check(same, k->name, "confirm");
}

static void test_luma(const doorsill_kernels *k) {
  int same = 1;
  for (uint32_t format = DOORSILL_GRAY; format <= DOORSILL_GRAY16; format++)
    for (uint32_t ground = 0; ground < DOORSILL_ALPHA_IGNORED; ground++)
      for (size_t n = 1; n < 140; n++) {
        const size_t bytes = n * doorsill_pixel_bytes(format);
        uint8_t *pixels = exactly(bytes);
        float *a = exactly(n * sizeof *a), *b = exactly(n * sizeof *b);
        for (size_t i = 0; i < bytes; i++) pixels[i] = (uint8_t)draw();
        if (n % 3 == 0) memset(pixels + bytes / 2, 255, bytes - bytes / 2);
        k->luma(pixels, n, format, ground, a);
        doorsill_luma_full(pixels, n, format, ground, b);
        same &= memcmp(a, b, n * sizeof *a) == 0;
        free(pixels);
        free(a);
        free(b);
      }
  check(same, k->name, "luma of all formats and lengths");

  /* All colours, against the arithmetic of the reference. */
  uint8_t row[3 * 256];
  float luma[256];
  int exact = 1;
  for (uint32_t r = 0; r < 256; r++)
    for (uint32_t g = 0; g < 256; g++) {
      for (uint32_t b = 0; b < 256; b++) {
        row[3 * b] = (uint8_t)r;
        row[3 * b + 1] = (uint8_t)g;
        row[3 * b + 2] = (uint8_t)b;
      }
      k->luma(row, 256, DOORSILL_RGB, DOORSILL_WHITE, luma);
      for (uint32_t b = 0; b < 256; b++)
        exact &= luma[b] == (float)((double)r * 0.299 + (double)g * 0.587 + (double)b * 0.114);
    }
  check(exact, k->name, "luma of all colours");

  /* Every colour and alpha over every ground, against whole numbers. */
  static const uint32_t levels[] = {255, 0, 128};
  int over = 1;
  for (uint32_t ground = 0; ground < DOORSILL_ALPHA_IGNORED; ground++)
    for (uint32_t alpha = 0; alpha < 256; alpha++) {
      uint8_t four[4 * 256];
      for (uint32_t i = 0; i < 256; i++) {
        memset(four + 4 * i, (int)i, 3);
        four[4 * i + 3] = (uint8_t)alpha;
      }
      k->luma(four, 256, ground ? DOORSILL_RGBA : DOORSILL_BGRA, ground, luma);
      for (uint32_t i = 0; i < 256; i++) {
        const uint32_t behind = levels[ground];
        over &= luma[i] == (float)((i * alpha + behind * (255 - alpha) + 127) / 255);
      }
    }
  check(over, k->name, "alpha over white, black and mid grey");
}

/* Profile cpp512 by hand: each product and each sum rounded to a float, in the reference's order.
 */
static float weighed(uint32_t r, uint32_t g, uint32_t b) {
  const volatile float red = 0.299f * (float)r, green = 0.587f * (float)g, blue = 0.114f * (float)b;
  const volatile float first = red + green;
  return first + blue;
}

static void test_sampled(const doorsill_kernels *k) {
  int same = 1;
  for (uint32_t format = DOORSILL_GRAY; format <= DOORSILL_GRAY16; format++)
    for (uint32_t width = 5; width < 1700; width += 1 + width / 8) {
      const uint32_t step = doorsill_pixel_bytes(format);
      uint8_t *row = exactly(width * step);
      for (uint32_t i = 0; i < width * step; i++) row[i] = (uint8_t)draw();
      for (uint32_t count = width < 512 ? width : 512;; count = 512) {
        doorsill_samples samples;
        doorsill_samples_init(&samples, count, width, format);
        float *luma = exactly(count * sizeof *luma), full;
        doorsill_luma_512(k, &samples, row, format, DOORSILL_WHITE, luma);
        for (uint32_t i = 0; i < count; i++) {
          const uint8_t *p = row + step * (i * width / count);
          const int bgr = format == DOORSILL_BGRX,
                    colour = format == DOORSILL_RGB || format == DOORSILL_RGBX || bgr;
          /* What is not plain colours differs from profile full by no more than rounding. */
          doorsill_luma_full(p, 1, format, DOORSILL_WHITE, &full);
          const float off = luma[i] - full;
          same &= colour ? luma[i] == weighed(p[bgr ? 2 : 0], p[1], p[bgr ? 0 : 2])
                         : off < 1e-4f && off > -1e-4f;
        }
        free(luma);
        if (count == 512) break;
      }
      free(row);
    }
  check(same, k->name, "samples of all formats");

  uint8_t colours[3 * 257] = {0}; /* the last is never sampled: all others have a fourth byte */
  doorsill_samples samples;
  doorsill_samples_init(&samples, 256, 257, DOORSILL_RGB);
  float luma[256];
  int exact = 1;
  for (uint32_t r = 0; r < 256; r++)
    for (uint32_t g = 0; g < 256; g++) {
      for (uint32_t b = 0; b < 256; b++) {
        colours[3 * b] = (uint8_t)r;
        colours[3 * b + 1] = (uint8_t)g;
        colours[3 * b + 2] = (uint8_t)b;
      }
      doorsill_luma_512(k, &samples, colours, DOORSILL_RGB, DOORSILL_WHITE, luma);
      for (uint32_t b = 0; b < 256; b++) exact &= luma[b] == weighed(r, g, b);
    }
  check(exact, k->name, "samples of all colours");
}

static void test_columns(const doorsill_kernels *k) {
  enum { N = 48, PITCH = 53 };
  float *rows = exactly(sizeof(float) * (15 * PITCH + N)), *x = exactly(sizeof(float) * 16 * N);
  for (size_t i = 0; i < 15 * PITCH + N; i++) rows[i] = (float)(draw() % 1000);
  k->columns(rows, PITCH, N, x);
  int same = 1;
  for (size_t i = 0; i < N; i++)
    for (size_t lane = 0; lane < 16; lane++) same &= x[16 * i + lane] == rows[PITCH * lane + i];
  check(same, k->name, "columns");
  free(rows);
  free(x);
}

/* All that a box call reads and writes. */
enum { MOST = 64, MOST_WINDOW = 40, COLUMNS = MOST + MOST_WINDOW };
typedef struct box_state {
  float x[16 * COLUMNS], second[16 * COLUMNS], ring[17][MOST], sums[MOST];
  float count[MOST], inverse[MOST], sum[16], second_sum[16];
} box_state;

static void call_box(const doorsill_kernels *k, box_state *s, uint32_t rows, size_t n,
                     size_t window) {
  doorsill_band band = {.rows = rows, .sums = s->sums};
  for (size_t lane = 0; lane < 16; lane++) {
    band.ring[lane] = s->ring[lane % window];
    band.count[lane] = (float)(1 + (lane * 7 + window) % 512);
    band.inverse[lane] = 1.0f / band.count[lane];
  }
  k->box(&band, 0, n, window, s->x, s->count, s->inverse, s->sum, s->second, s->second_sum);
}

static float some(void) { return (float)(draw() % 25500001) / 100000.0f; }

static void test_box(const doorsill_kernels *k) {
  static box_state a, b;
  int same = 1;
  for (size_t window = 1; window <= MOST_WINDOW; window++)
    for (uint32_t rows = 1; rows <= 16; rows++)
      for (size_t n = 16; n <= MOST; n += 16) {
        float *all = (float *)&a;
        for (size_t i = 0; i < sizeof a / sizeof *all; i++) all[i] = some();
        for (size_t i = 0; i < MOST; i++) {
          a.count[i] = (float)(1 + draw() % 512);
          a.inverse[i] = draw() % 8 ? 1.0f / a.count[i] : 0;
        }
        memcpy(&b, &a, sizeof a);
        call_box(k, &a, rows, n, window);
        call_box(doorsill_kernels_portable(), &b, rows, n, window);
        /* By value: a column outside of the picture may be 0 of either sign. */
        const float *other = (const float *)&b;
        for (size_t i = 0; i < sizeof a / sizeof *all; i++) same &= all[i] == other[i];
      }
  check(same, k->name, "box");
}

/* Sums that stay as they are, divided by 16 counts at a time; the ring shows the quotients. */
static void test_division(const doorsill_kernels *k, uint32_t step) {
  static box_state s;
  memset(&s, 0, sizeof s);
  int same = 1;
  for (uint32_t first = 1; first <= 512; first += 16) {
    for (uint32_t i = 0; i < 16; i++) {
      s.count[i] = (float)(first + i);
      s.inverse[i] = 1.0f / s.count[i];
    }
    for (uint32_t mantissa = 0; mantissa < 1u << 23; mantissa += 16 * step) {
      float sum[16];
      for (uint32_t lane = 0; lane < 16; lane++) {
        const uint32_t word = (127u + 7) << 23 | ((mantissa + lane * step) & 0x7fffff);
        memcpy(&sum[lane], &word, sizeof word);
      }
      memcpy(s.sum, sum, sizeof sum);
      memset(s.sums, 0, sizeof s.sums);
      call_box(k, &s, 16, 16, 17); /* no two lanes share a row of the ring */
      for (uint32_t lane = 0; lane < 16; lane++)
        for (uint32_t i = 0; i < 16; i++) same &= s.ring[lane][i] == sum[lane] / s.count[i];
    }
  }
  check(same, k->name, "division by every window");
}

int main(int argc, char **argv) {
  const doorsill_kernels *const all[] = {doorsill_kernels_portable(), doorsill_kernels_avx2(),
                                         doorsill_kernels_avx512(), doorsill_kernels_neon()};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!all[i]) continue;
    printf("%s\n", all[i]->name);
    test_near_rows(all[i]);
    test_confirm(all[i]);
    test_luma(all[i]);
    test_sampled(all[i]);
    test_columns(all[i]);
    test_box(all[i]);
    test_division(all[i], argc > 1 && strcmp(argv[1], "all") == 0 ? 1 : 4093);
    check(doorsill_use_kernel(all[i]->name) == DOORSILL_OK &&
              strcmp(doorsill_kernel(), all[i]->name) == 0,
          all[i]->name, "choice");
  }
  check(doorsill_use_kernel("none such") == DOORSILL_BAD_ARGUMENT &&
            doorsill_use_kernel(NULL) == DOORSILL_BAD_ARGUMENT,
        "none", "choice refused");
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
